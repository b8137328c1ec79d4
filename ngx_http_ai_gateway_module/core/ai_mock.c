
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the mock provider answers and in which order; what it looks like is
 * in ai_mock_shape.c.
 */


#include "ai_mock_shape.h"


#define AI_MOCK_BATCH  32768


typedef struct {
    ai_str_t                name;
    ai_mock_fault_e         fault;
} ai_mock_fault_name_t;


static ai_mock_fault_name_t  ai_mock_fault_names[] = {
    { ai_string("reset"), AI_MOCK_RESET },
    { ai_string("reset_mid"), AI_MOCK_RESET_MID },
    { ai_string("stall"), AI_MOCK_STALL },
    { ai_string("stall_mid"), AI_MOCK_STALL_MID },
    { ai_string("error_first"), AI_MOCK_ERROR_FIRST },
    { ai_string("error_mid"), AI_MOCK_ERROR_MID },
    { ai_string("truncate"), AI_MOCK_TRUNCATE }
};

#define AI_MOCK_FAULT_NAMES                                                  \
    (sizeof(ai_mock_fault_names) / sizeof(ai_mock_fault_name_t))


static ai_int_t ai_mock_share_parse(u_char *p, u_char *last,
    ai_uint_t *share);
static void ai_mock_set_keys(ai_mock_t *m, ai_mock_request_t *req);
static void ai_mock_set_fault(ai_mock_t *m);
static void ai_mock_render_error(ai_mock_t *m);
static void ai_mock_document(ai_mock_t *m, ai_str_t *out);
static void ai_mock_step(ai_mock_t *m);
static void ai_mock_piece(ai_mock_t *m);


ai_int_t
ai_mock_fault_parse(ai_str_t *value, ai_mock_fault_t *f)
{
    u_char     *p, *last, *name;
    size_t      len;
    ai_uint_t   i;

    p = value->data;
    last = value->data + value->len;

    for (name = p; p < last && *p != ':'; p++) { /* void */ }

    len = p - name;
    f->fault = AI_MOCK_SOUND;
    f->share = AI_MOCK_SHARE;
    f->status = 0;

    for (i = 0; i < AI_MOCK_FAULT_NAMES; i++) {
        if (ai_mock_fault_names[i].name.len == len
            && memcmp(ai_mock_fault_names[i].name.data, name, len) == 0)
        {
            f->fault = ai_mock_fault_names[i].fault;
        }
    }

    if (f->fault == AI_MOCK_SOUND) {

        if (len != 3 || name[0] < '4' || name[0] > '5'
            || name[1] < '0' || name[1] > '9'
            || name[2] < '0' || name[2] > '9')
        {
            return AI_DECLINED;
        }

        f->fault = AI_MOCK_STATUS;
        f->status = (name[0] - '0') * 100 + (name[1] - '0') * 10
                    + (name[2] - '0');
    }

    if (p == last) {
        return AI_OK;
    }

    return ai_mock_share_parse(p + 1, last, &f->share);
}


/* percents with at most two decimals */

static ai_int_t
ai_mock_share_parse(u_char *p, u_char *last, ai_uint_t *share)
{
    ai_uint_t  n, unit;

    if (p < last && last[-1] == '%') {
        last--;
    }

    if (p == last || *p < '0' || *p > '9') {
        return AI_DECLINED;
    }

    n = 0;

    while (p < last && *p >= '0' && *p <= '9' && n <= 100) {
        n = n * 10 + (*p++ - '0');
    }

    n *= AI_MOCK_SHARE / 100;

    if (p < last && *p == '.') {
        p++;

        for (unit = AI_MOCK_SHARE / 1000; unit != 0; unit /= 10) {
            if (p < last && *p >= '0' && *p <= '9') {
                n += (*p++ - '0') * unit;
            }
        }
    }

    *share = n;

    return (p == last && n <= AI_MOCK_SHARE) ? AI_OK : AI_DECLINED;
}


ai_int_t
ai_mock_init(ai_mock_t *m, ai_mock_conf_t *conf, ai_mock_request_t *req,
    ai_alloc_t *a)
{
    memset(m, 0, sizeof(ai_mock_t));

    m->alloc = a;
    m->conf = conf;
    m->dialect = req->surface.dialect;
    m->created = req->now;
    m->path = req->path;
    m->array = (req->surface.op == AI_OP_STREAM_GENERATE && !req->sse);

    ai_mock_set_keys(m, req);

    if (req->found != AI_OK) {
        ai_mock_set_error(m, req->found == AI_ERROR ? 405 : 404, NULL);
        return AI_OK;
    }

    m->status = 200;
    ai_str_set(&m->content_type, "application/json");

    if (req->surface.op != AI_OP_HEALTH && req->surface.op != AI_OP_PREFLIGHT)
    {
        ai_mock_set_fault(m);

        if (m->fault == AI_MOCK_STATUS) {
            return AI_OK;
        }
    }

    if (ai_mock_read(m, req) != AI_OK) {
        return AI_ERROR;
    }

    if (m->stream) {
        m->cut = (m->fault == AI_MOCK_RESET_MID
                  || m->fault == AI_MOCK_STALL_MID
                  || m->fault == AI_MOCK_ERROR_MID
                  || m->fault == AI_MOCK_TRUNCATE) ? (m->pieces + 1) / 2 : 0;
        m->done = (m->fault == AI_MOCK_STALL);

        if (!m->array) {
            ai_str_set(&m->content_type, "text/event-stream; charset=utf-8");
        }
    }

    if (m->fault == AI_MOCK_ERROR_FIRST || m->fault == AI_MOCK_ERROR_MID) {

        /* what an overloaded provider tells within a 200 */

        ai_mock_set_error(m, 503, NULL);
        m->status = 200;

        if (m->fault == AI_MOCK_ERROR_FIRST) {
            m->state = AI_MOCK_BREAK;
        }
    }

    if (!m->stream && m->status == 200 && m->input != 0) {
        m->wait = AI_MOCK_FIRST;
    }

    return AI_OK;
}


/* the id, and the number that all decisions on this request come from */

static void
ai_mock_set_keys(ai_mock_t *m, ai_mock_request_t *req)
{
    uint64_t            bits;
    ai_uint_t           i;
    static const char   digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789";

    m->key = ai_mock_mix(ai_mock_mix(m->conf->seed) + req->number);
    bits = 0;

    memcpy(m->id, "req_", 4);

    for (i = 0; i < 24; i++) {

        if (i % 8 == 0) {
            bits = ai_mock_mix(m->key + 1 + i);
        }

        m->id[4 + i] = digits[bits % 62];
        bits /= 62;
    }

    m->request_id.data = m->id;
    m->request_id.len = sizeof(m->id);
}


static void
ai_mock_set_fault(ai_mock_t *m)
{
    ai_uint_t         i, lot;
    ai_mock_fault_t  *f;

    lot = ai_mock_mix(m->key) % AI_MOCK_SHARE;

    for (i = 0; i < m->conf->nfaults; i++) {
        f = &m->conf->faults[i];

        if (lot < f->share) {
            m->fault = f->fault;

            if (f->fault == AI_MOCK_STATUS) {
                ai_mock_set_error(m, f->status, NULL);
            }

            return;
        }

        lot -= f->share;
    }
}


void
ai_mock_set_error(ai_mock_t *m, ai_uint_t status, const char *message)
{
    m->error = ai_mock_error(status);
    m->error_status = status;
    m->status = status;

    if (message == NULL) {
        message = m->error->message;
    }

    m->message.data = (u_char *) message;
    m->message.len = strlen(message);

    if (!m->stream) {
        ai_str_set(&m->content_type, "application/json");
        m->pieces = 0;
        m->render = ai_mock_render_error;
    }
}


static void
ai_mock_render_error(ai_mock_t *m)
{
    ai_mock_write(m, ai_mock_error_template(m));
}


ai_int_t
ai_mock_next(ai_mock_t *m, ai_uint_t waits, ai_str_t *out)
{
    if (m->done) {
        return AI_DONE;
    }

    m->pos = m->start;

    if (!m->stream) {
        ai_mock_document(m, out);
        return m->failed ? AI_ERROR : AI_OK;
    }

    do {
        ai_mock_step(m);

    } while (!m->done && !m->failed && (m->wait & waits) == 0
             && m->pos - m->start < AI_MOCK_BATCH);

    out->data = m->start;
    out->len = m->pos - m->start;

    return m->failed ? AI_ERROR : AI_OK;
}


static void
ai_mock_document(ai_mock_t *m, ai_str_t *out)
{
    if (m->render != NULL) {
        m->render(m);
    }

    m->done = 1;
    m->length = m->pos - m->start;

    out->data = m->start;
    out->len = m->length;

    switch (m->fault) {

    case AI_MOCK_TRUNCATE:
        out->len /= 2;
        m->length = out->len;
        break;

    case AI_MOCK_RESET_MID:
    case AI_MOCK_STALL_MID:
        out->len /= 2;
        break;

    case AI_MOCK_STALL:
        out->len = 0;
        break;

    default:
        break;
    }
}


static void
ai_mock_step(ai_mock_t *m)
{
    const ai_mock_form_t  *form;

    form = m->tool.len != 0 ? &m->shape->tool : &m->shape->text;

    switch (m->state) {

    case AI_MOCK_OPEN:
        ai_mock_write(m, form->open);
        m->state = AI_MOCK_PIECES;
        m->wait = AI_MOCK_FIRST;
        break;

    case AI_MOCK_PIECES:
        ai_mock_piece(m);
        m->sent++;
        m->wait = AI_MOCK_GAP;

        if (m->sent == m->cut) {
            m->state = AI_MOCK_BREAK;
            m->done = (m->fault != AI_MOCK_ERROR_MID);

        } else if (m->sent == m->pieces) {
            m->state = AI_MOCK_CLOSE;
            m->wait = AI_MOCK_NOW;
        }

        break;

    case AI_MOCK_BREAK:
        ai_mock_write(m, m->shape->error);
        m->done = 1;
        break;

    case AI_MOCK_CLOSE:
        ai_mock_write(m, form->close);
        m->done = 1;
        break;
    }
}


static void
ai_mock_piece(ai_mock_t *m)
{
    u_char      *p;
    size_t       before, head, len;
    const char  *k, *piece;

    if (m->tool.len != 0) {
        ai_mock_write(m, m->shape->tool.piece);
        return;
    }

    piece = m->shape->text.piece;
    ai_mock_token(m, &m->cursor, &m->token);

    if (!m->shape->steady) {
        ai_mock_write(m, piece);
        return;
    }

    if (m->head.len != 0) {
        ai_mock_put(m, m->head.data, m->head.len);
        ai_mock_put(m, m->token.data, m->token.len);
        ai_mock_put(m, m->tail.data, m->tail.len);
        return;
    }

    /* the first piece shows what is around the token in all of them */

    before = m->pos - m->start;
    k = strstr(piece, "$k");

    ai_mock_write_part(m, piece, k);
    head = m->pos - m->start - before;

    ai_mock_put(m, m->token.data, m->token.len);
    ai_mock_write(m, k + 2);
    len = m->pos - m->start - before;

    p = m->failed ? NULL : ai_alloc(m->alloc, len);

    if (p == NULL) {
        m->failed = 1;
        return;
    }

    memcpy(p, m->start + before, len);

    m->head.data = p;
    m->head.len = head;
    m->tail.data = p + head + m->token.len;
    m->tail.len = len - head - m->token.len;
}

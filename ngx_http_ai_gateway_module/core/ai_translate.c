
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_order.h"
#include "ai_translate.h"
#include "dialect.h"


struct ai_translate_s {
    ai_tap_t            *tap;
    size_t               max;
    ai_alloc_t          *alloc;
    ai_alloc_t          *scratch;

    ai_decode_t          dec;
    ai_encode_t          enc;          /* wire NULL: nothing is written */
    ai_order_t           order;
    ai_buf_t             out;

    ai_collect_t        *collect;      /* a document, or NULL */
    ai_buf_t             wrapped;      /* arguments of a custom tool */
    ai_uint_t            nids;
    unsigned             unwraps:1;    /* the open call is of such */
    unsigned             content:1;    /* the event had some, as the last one
                                          may, too */
    ai_event_e           what;         /* the most that the event was */
};


static ai_translate_t *ai_translate_new(ai_tap_t *tap, ai_op_e from,
    const ai_vendor_t *vendor, size_t max, ai_alloc_t *alloc,
    ai_alloc_t *scratch);
static ai_event_e ai_translate_document(ai_translate_t *t, ai_str_t *name,
    ai_json_t *root);
static ai_event_e ai_translate_done(ai_translate_t *t);
static ai_event_e ai_translate_result(ai_translate_t *t, ai_int_t rc);
static ai_int_t ai_translate_emit(void *data, const ai_delta_t *delta);
static void ai_translate_account(ai_translate_t *t, const ai_delta_t *delta);
static ai_int_t ai_translate_fail(ai_translate_t *t,
    const ai_delta_t *delta);
static ai_int_t ai_translate_end(ai_translate_t *t);
static ai_int_t ai_translate_sink(void *data, const ai_delta_t *delta);
static ai_int_t ai_translate_put(ai_translate_t *t, const ai_delta_t *delta);
static ai_int_t ai_translate_unwrap(ai_translate_t *t, const ai_delta_t *end);
static ai_int_t ai_translate_call(ai_translate_t *t, ai_delta_t *call);
static ai_int_t ai_translate_broken(ai_translate_t *t,
    const ai_delta_t *delta);
static ai_translate_t *ai_tap_wire(ai_tap_t *tap);


ai_translate_t *
ai_translate_create(const ai_translate_conf_t *conf, ai_tap_t *tap)
{
    ai_encode_t      *e;
    ai_translate_t   *t;
    const ai_wire_t  *wire;

    wire = ai_wire(conf->to);

    if (wire == NULL || wire->render_event == NULL) {
        return NULL;
    }

    t = ai_translate_new(tap, conf->from, conf->vendor, conf->max,
                         conf->alloc, conf->scratch);
    if (t == NULL) {
        return NULL;
    }

    e = &t->enc;

    e->wire = wire;
    e->op = conf->to;
    e->alloc = conf->alloc;
    e->req = conf->req;
    e->model = conf->model;
    e->request_id = conf->request_id;
    e->now = conf->now;
    e->input = conf->input;
    e->array = conf->array;
    e->max = conf->max;
    e->usage = &tap->usage;
    e->out = &t->out;

    e->state = ai_alloc(conf->alloc, wire->encode_size + 1);

    if (e->state == NULL) {
        return NULL;
    }

    memset(e->state, 0, wire->encode_size);

    return t;
}


static ai_translate_t *
ai_translate_new(ai_tap_t *tap, ai_op_e from, const ai_vendor_t *vendor,
    size_t max, ai_alloc_t *alloc, ai_alloc_t *scratch)
{
    ai_decode_t      *d;
    ai_translate_t   *t;
    const ai_wire_t  *wire;

    wire = ai_wire(from);

    if (wire == NULL) {
        return NULL;
    }

    t = ai_alloc(alloc, sizeof(ai_translate_t));

    if (t == NULL) {
        return NULL;
    }

    memset(t, 0, sizeof(ai_translate_t));

    t->tap = tap;
    t->max = max;
    t->alloc = alloc;
    t->scratch = scratch;

    ai_buf_init(&t->out, alloc, max);
    ai_buf_init(&t->wrapped, alloc, max);
    ai_order_init(&t->order, alloc, max, ai_translate_sink, t);

    d = &t->dec;

    d->wire = wire;
    d->vendor = vendor;
    d->op = from;
    d->alloc = alloc;
    d->scratch = scratch;
    d->emit = ai_translate_emit;
    d->data = t;

    d->state = ai_alloc(alloc, wire->decode_size + 1);

    if (d->state == NULL) {
        return NULL;
    }

    memset(d->state, 0, wire->decode_size);

    return t;
}


ai_event_e
ai_translate_event(ai_translate_t *t, ai_sse_event_t *ev)
{
    ai_str_t         data;
    ai_tap_t        *tap;
    ai_json_t        root;
    ai_event_e       event;
    ai_tap_root_t    members;
    ai_json_error_t  err;

    tap = t->tap;

    ai_buf_reset(&t->out);
    t->out.line = 1;

    if (ev->comment_only) {
        return AI_EVENT_IDLE;
    }

    tap->events++;
    tap->root = &members;
    event = AI_EVENT_IDLE;
    data = ev->data;

    while (data.len != 0 && data.data[data.len - 1] <= ' ') {
        data.len--;
    }

    if (ev->error.len != 0) {
        event = ai_tap_error_field(tap, ev);

    } else if (ai_str_eq(&data, "[DONE]")) {
        event = ai_translate_done(t);

    } else if (data.len != 0) {

        if (ai_tap_scan(tap, data.data, data.len, &root, &err) != AI_OK) {
            event = AI_EVENT_INVALID;

        } else {
            event = ai_translate_document(t, &ev->name, &root);
        }
    }

    tap->root = NULL;

    if (t->content) {
        t->content = 0;
        tap->content++;
    }

    return event;
}


/* an event, or what is told instead of one */

static ai_event_e
ai_translate_document(ai_translate_t *t, ai_str_t *name, ai_json_t *root)
{
    ai_int_t        rc;
    ai_json_t       v;
    ai_json_iter_t  it;

    /* Google wraps an error into an array */

    if (root->type == AI_JSON_ARRAY) {
        ai_json_iter_init(&it, root);

        if (ai_json_next(&it, NULL, &v) == AI_OK) {
            root = &v;
        }
    }

    if (root->type != AI_JSON_OBJECT || t->order.ended) {
        t->tap->unknown++;
        return AI_EVENT_IDLE;
    }

    t->what = AI_EVENT_IDLE;
    rc = t->dec.wire->parse_event(&t->dec, name, root);

    return ai_translate_result(t, rc);
}


ai_event_e
ai_translate_eof(ai_translate_t *t)
{
    ai_int_t  rc;

    ai_buf_reset(&t->out);

    if (t->order.ended) {
        return AI_EVENT_END;
    }

    t->what = AI_EVENT_IDLE;
    rc = t->dec.wire->parse_end(&t->dec);

    /* all but an end mark came, and some providers send none */

    if (rc == AI_OK && t->what != AI_EVENT_ERROR && !t->order.ended
        && ai_order_finished(&t->order))
    {
        rc = ai_translate_end(t);
    }

    switch (ai_translate_result(t, rc)) {

    case AI_EVENT_END:
        return AI_EVENT_END;

    case AI_EVENT_ERROR:
        return AI_EVENT_ERROR;

    default:
        return AI_EVENT_INVALID;
    }
}


/* an end mark that is the framing's */

static ai_event_e
ai_translate_done(ai_translate_t *t)
{
    ai_int_t  rc;

    if (t->order.ended) {
        return AI_EVENT_IDLE;
    }

    t->what = AI_EVENT_IDLE;
    rc = t->dec.wire->parse_end(&t->dec);

    if (rc == AI_OK && t->what != AI_EVENT_ERROR && !t->order.ended) {
        rc = ai_translate_end(t);
    }

    return ai_translate_result(t, rc);
}


static ai_event_e
ai_translate_result(ai_translate_t *t, ai_int_t rc)
{
    t->tap->unknown += t->dec.unknown + t->order.lost;
    t->dec.unknown = 0;
    t->order.lost = 0;

    if (t->what == AI_EVENT_ERROR) {
        return AI_EVENT_ERROR;
    }

    if (rc != AI_OK || t->out.failed) {
        return AI_EVENT_INVALID;
    }

    return t->what;
}


ai_event_e
ai_translate_response(ai_translate_t *t, u_char *p, size_t len,
    ai_uint_t stream, ai_json_error_t *err)
{
    ai_int_t       rc;
    ai_tap_t      *tap;
    ai_json_t      root;
    ai_event_e     event;
    ai_answer_t    answer;
    ai_collect_t   collect;
    ai_tap_root_t  members;

    tap = t->tap;

    ai_buf_reset(&t->out);

    tap->root = &members;
    rc = ai_tap_scan(tap, p, len, &root, err);
    tap->root = NULL;

    if (rc != AI_OK) {
        return AI_EVENT_INVALID;
    }

    t->out.line = stream ? 1 : 0;

    if (!stream) {
        ai_collect_init(&collect, &answer, t->alloc, t->max, 1);
        t->collect = &collect;
    }

    t->dec.document = 1;
    t->what = AI_EVENT_IDLE;

    rc = t->dec.wire->parse_response(&t->dec, &root);

    if (rc == AI_OK && t->what != AI_EVENT_ERROR) {
        rc = ai_translate_end(t);
    }

    t->collect = NULL;

    if (rc == AI_OK && t->what != AI_EVENT_ERROR && !stream) {
        rc = t->enc.wire->render_response(&t->enc, &answer);
    }

    event = ai_translate_result(t, rc);

    if (event == AI_EVENT_INVALID) {
        err->reason = t->out.failed ? "too large" : "not the shape of an "
                                                    "answer";
        err->offset = 0;
        return event;
    }

    if (event == AI_EVENT_ERROR) {
        return event;
    }

    tap->content++;

    return AI_EVENT_CONTENT;
}


ai_int_t
ai_translate_error(ai_translate_t *t, ai_error_doc_t *doc)
{
    ai_buf_reset(&t->out);

    if (t->enc.wire->render_error(&t->enc, doc) != AI_OK) {
        return AI_ERROR;
    }

    return t->out.failed ? AI_ERROR : AI_OK;
}


ai_buf_t *
ai_translate_out(ai_translate_t *t)
{
    return &t->out;
}


/* from the decoder */

static ai_int_t
ai_translate_emit(void *data, const ai_delta_t *delta)
{
    ai_translate_t  *t;

    t = data;

    if (t->what == AI_EVENT_ERROR) {

        /* what it has cost nevertheless */

        if (delta->type == AI_DELTA_USAGE) {
            t->tap->usage = delta->usage;
        }

        return AI_OK;
    }

    switch (delta->type) {

    case AI_DELTA_ERROR:
        return ai_translate_fail(t, delta);

    case AI_DELTA_END:
        return t->order.ended ? AI_OK : ai_translate_end(t);

    case AI_DELTA_FINISH:

        if (delta->finish == AI_FINISH_BROKEN) {
            return ai_translate_broken(t, delta);
        }

        break;

    default:
        break;
    }

    ai_translate_account(t, delta);

    return ai_order(&t->order, delta);
}


/* what the tap of the dialect itself would have kept */

static void
ai_translate_account(ai_translate_t *t, const ai_delta_t *delta)
{
    ai_tap_t   *tap;
    ai_json_t   v;

    tap = t->tap;

    switch (delta->type) {

    case AI_DELTA_START:
        v = ai_mstr_value(&delta->name);
        ai_tap_model(tap, &v);
        return;

    case AI_DELTA_USAGE:
        tap->usage = delta->usage;

        if (t->what == AI_EVENT_IDLE) {
            t->what = AI_EVENT_USAGE;
        }

        return;

    case AI_DELTA_FINISH:
        v = ai_mstr_value(&delta->native);
        (void) ai_tap_finish(tap, &v);
        ai_tap_choice(tap, delta->choice, 1);

        /* what is said to be complete is an answer, even without words */

        if (delta->finish != AI_FINISH_NONE) {
            t->what = AI_EVENT_CONTENT;
            t->content = 1;
        }

        return;

    case AI_DELTA_CALL:
        v = ai_mstr_value(&delta->name);
        ai_tap_tool(tap, &v);
        break;

    case AI_DELTA_TEXT:
    case AI_DELTA_REASONING:
    case AI_DELTA_REFUSAL:
    case AI_DELTA_ARGS:
        tap->output_bytes += delta->text.s.len;
        break;

    case AI_DELTA_IMAGE:
        break;

    default:
        return;
    }

    ai_tap_choice(tap, delta->choice, 0);

    t->what = AI_EVENT_CONTENT;
    t->content = 1;
}


/* an error as JSON, or in words of the decoder */

static ai_int_t
ai_translate_fail(ai_translate_t *t, const ai_delta_t *delta)
{
    size_t           len;
    ai_tap_t        *tap;
    ai_json_t        root;
    ai_buf_t         b;
    ai_str_t         doc;
    ai_json_error_t  err;

    tap = t->tap;
    t->what = AI_EVENT_ERROR;
    doc = delta->raw;

    if (doc.len == 0) {
        len = delta->text.s.len + delta->name.s.len;

        ai_buf_init(&b, t->scratch, len * 6 + 64);

        ai_buf_lit(&b, "{");
        ai_buf_key_string(&b, "message", &delta->text);
        ai_buf_key_string(&b, "type", &delta->name);
        ai_buf_lit(&b, "}");

        if (ai_buf_get(&b, &doc) != AI_OK) {
            return AI_ERROR;
        }
    }

    if (ai_json_scan(doc.data, doc.len, NULL, t->scratch, NULL, NULL, &root,
                     &err)
        != AI_OK)
    {
        return AI_OK;
    }

    (void) ai_tap_error(tap, &root);

    if (delta->status != 0) {
        tap->error_status = delta->status;
    }

    return AI_OK;
}


/*
 * The provider says that its model broke down.  What came before is an
 * answer only if it is a document with words in it.
 */

static ai_int_t
ai_translate_broken(ai_translate_t *t, const ai_delta_t *delta)
{
    ai_json_t   v;
    ai_delta_t  told;

    if (t->dec.document && t->tap->output_bytes != 0
        && t->tap->tool_calls == 0)
    {
        told = *delta;
        told.finish = AI_FINISH_STOP;

        ai_translate_account(t, &told);

        return ai_order(&t->order, &told);
    }

    v = ai_mstr_value(&delta->native);
    (void) ai_tap_finish(t->tap, &v);

    told = *delta;
    told.name = delta->native;
    told.text = ai_mstr_cstr("the model's answer was cut short by an error "
                             "of its own");
    told.raw.len = 0;

    return ai_translate_fail(t, &told);
}


static ai_int_t
ai_translate_end(ai_translate_t *t)
{
    ai_tap_t    *tap;
    ai_delta_t   end;

    tap = t->tap;

    /* what a client counts on is told, be it estimated */

    if (tap->usage.source == AI_USAGE_NONE && t->enc.wire != NULL) {
        ai_tap_estimate(tap, ai_encode_input(&t->enc) * 4);
        t->order.usage = tap->usage;
    }

    tap->ended = 1;
    t->what = AI_EVENT_END;

    ai_delta_init(&end, AI_DELTA_END);

    return ai_order(&t->order, &end);
}


/* to the encoder */

static ai_int_t
ai_translate_sink(void *data, const ai_delta_t *delta)
{
    ai_delta_t       call;
    ai_translate_t  *t;

    t = data;

    if (t->enc.wire == NULL) {
        return AI_OK;
    }

    if (delta->type == AI_DELTA_CALL) {
        call = *delta;

        if (ai_translate_call(t, &call) != AI_OK) {
            return AI_ERROR;
        }

        return ai_translate_put(t, &call);
    }

    if (!t->unwraps) {
        return ai_translate_put(t, delta);
    }

    if (delta->type == AI_DELTA_ARGS) {
        ai_buf_chars(&t->wrapped, &delta->text);

        return t->wrapped.failed ? AI_ERROR : AI_OK;
    }

    if (delta->type == AI_DELTA_CALL_END) {
        return ai_translate_unwrap(t, delta);
    }

    return ai_translate_put(t, delta);
}


static ai_int_t
ai_translate_put(ai_translate_t *t, const ai_delta_t *delta)
{
    if (t->collect != NULL) {
        return ai_collect(t->collect, delta);
    }

    return t->enc.wire->render_event(&t->enc, delta);
}


/*
 * The client's tool takes text, the provider knows only functions: it was
 * told of one that takes {"input": text}.
 */

static ai_int_t
ai_translate_unwrap(ai_translate_t *t, const ai_delta_t *end)
{
    ai_str_t         text;
    ai_json_t        root, v;
    ai_mstr_t        m;
    ai_delta_t       delta;
    ai_json_error_t  err;

    t->unwraps = 0;

    delta = *end;
    delta.custom = 1;
    delta.type = AI_DELTA_ARGS;

    m.json = 1;

    /* the text may be kept, so it is decoded to where it can stay */

    if (ai_buf_get(&t->wrapped, &m.s) != AI_OK
        || ai_mstr_copy(&m, t->alloc, &delta.text) != AI_OK
        || ai_mstr_decode(&delta.text, t->alloc, &text) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_json_scan(text.data, text.len, NULL, t->scratch, NULL, NULL,
                     &root, &err)
        == AI_OK
        && ai_json_get(&root, "input", &v) == AI_OK)
    {
        delta.text = ai_mstr(&v);
    }

    if (!ai_mstr_empty(&delta.text)
        && ai_translate_put(t, &delta) != AI_OK)
    {
        return AI_ERROR;
    }

    delta = *end;
    delta.custom = 1;

    return ai_translate_put(t, &delta);
}


/* its id, if the provider gave none, and its name as the client knows it */

static ai_int_t
ai_translate_call(ai_translate_t *t, ai_delta_t *call)
{
    ai_mstr_t   sent;
    ai_name_t  *name;
    ai_tool_t  *tool;

    name = t->enc.req ? t->enc.req->names : NULL;

    for ( /* void */ ; name != NULL; name = name->next) {
        sent = ai_mstr_plain(&name->sent);

        if (ai_mstr_same(&sent, &call->name)) {
            call->name = name->name;
            break;
        }
    }

    tool = t->enc.req ? t->enc.req->tools : NULL;

    for ( /* void */ ; tool != NULL && !call->custom; tool = tool->next) {

        if (tool->type == AI_TOOL_CUSTOM
            && ai_mstr_same(&tool->name, &call->name))
        {
            call->custom = 1;
            t->unwraps = 1;
            ai_buf_reset(&t->wrapped);
        }
    }

    t->nids++;

    if (!ai_mstr_empty(&call->id)) {
        return AI_OK;
    }

    return ai_encode_id(&t->enc, "call_", t->nids, &call->id);
}


ai_event_e
ai_tap_wire_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root)
{
    ai_translate_t  *t;

    t = ai_tap_wire(tap);

    return t ? ai_translate_document(t, name, root) : AI_EVENT_INVALID;
}


ai_event_e
ai_tap_wire_response(ai_tap_t *tap, ai_json_t *root)
{
    ai_int_t         rc;
    ai_event_e       event;
    ai_translate_t  *t;

    t = ai_tap_wire(tap);

    if (t == NULL) {
        return AI_EVENT_INVALID;
    }

    t->dec.document = 1;
    t->what = AI_EVENT_IDLE;

    rc = t->dec.wire->parse_response(&t->dec, root);
    event = ai_translate_result(t, rc);

    return (event == AI_EVENT_ERROR || event == AI_EVENT_INVALID)
           ? event : AI_EVENT_CONTENT;
}


static ai_translate_t *
ai_tap_wire(ai_tap_t *tap)
{
    if (tap->wire == NULL) {
        tap->wire = ai_translate_new(tap, tap->op, tap->vendor, SIZE_MAX / 4,
                                     tap->keep, tap->alloc);
    }

    return tap->wire;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The table of dialects, and the part of the tap that all of them share.
 */


#include "dialect.h"


/*
 * Answers are bounded by their size, so their nodes need no limit of their
 * own: the vectors of a large batch of embeddings are millions of numbers.
 * They may be a little deeper than requests, whose schemas they repeat.
 */

#define AI_TAP_DEPTH        (AI_JSON_DEPTH * 2)

/* what text costs on average, to estimate */

#define AI_TAP_TOKEN_BYTES  4


/* what the tap knows of the answer */

#define AI_TAP_STATE        offsetof(ai_tap_t, sample)


static const ai_json_limits_t  ai_tap_limits = { AI_TAP_DEPTH, SIZE_MAX };


static ai_event_e ai_tap_read_event(ai_tap_t *tap, ai_sse_event_t *ev);
static ai_event_e ai_tap_read_response(ai_tap_t *tap, u_char *p, size_t len,
    ai_json_error_t *err);
static ai_event_e ai_tap_read_document(ai_tap_t *tap, ai_str_t *name,
    ai_str_t *data);
static ai_int_t ai_tap_member(void *data, ai_json_t *name, ai_json_t *value);
static ai_uint_t ai_tap_mend(u_char *p, size_t len);
static ai_uint_t ai_tap_hex4(u_char *p);


const ai_dialect_t  *const ai_dialects[] = {
    &ai_dialect_openai,
    &ai_dialect_responses,
    &ai_dialect_anthropic,
    &ai_dialect_gemini,
    &ai_dialect_cohere,
    &ai_dialect_bedrock,
    &ai_dialect_ollama,
    NULL
};


const ai_dialect_t *
ai_dialect_find(ai_str_t *name)
{
    ai_uint_t  i;

    for (i = 0; ai_dialects[i] != NULL; i++) {

        if (ai_dialects[i]->name.len == name->len
            && memcmp(ai_dialects[i]->name.data, name->data, name->len) == 0)
        {
            return ai_dialects[i];
        }
    }

    return NULL;
}


void
ai_tap_init(ai_tap_t *tap, const ai_dialect_t *d, ai_op_e op,
    ai_alloc_t *alloc)
{
    memset(tap, 0, sizeof(ai_tap_t));

    tap->dialect = d;
    tap->alloc = alloc;
    tap->keep = alloc;
    tap->op = op;

    tap->model.data = tap->model_buf;
    tap->finish.data = tap->finish_buf;
    tap->tools.data = tap->tools_buf;
    tap->error_type.data = tap->error_type_buf;
    tap->error_message.data = tap->error_buf;
}


ai_event_e
ai_tap_event(ai_tap_t *tap, ai_sse_event_t *ev)
{
    ai_event_e     event;
    ai_tap_root_t  root;

    if (ev->comment_only) {
        return AI_EVENT_IDLE;
    }

    tap->events++;

    tap->root = &root;
    event = ai_tap_read_event(tap, ev);
    tap->root = NULL;

    if (event == AI_EVENT_CONTENT) {
        tap->content++;

    } else if (event == AI_EVENT_END) {
        tap->ended = 1;
        tap->sample.len = 0;
    }

    return event;
}


static ai_event_e
ai_tap_read_event(ai_tap_t *tap, ai_sse_event_t *ev)
{
    ai_str_t  data;

    if (ev->error.len != 0) {
        tap->sample.len = 0;
        return ai_tap_error_field(tap, ev);
    }

    data = ev->data;

    while (data.len != 0 && data.data[data.len - 1] <= ' ') {
        data.len--;
    }

    if (data.len == 0) {
        return AI_EVENT_IDLE;
    }

    if (ai_str_eq(&data, "[DONE]")) {
        return AI_EVENT_END;
    }

    if (tap->op == AI_OP_PASS) {
        return AI_EVENT_CONTENT;
    }

    if (ai_tap_sample_match(tap, &ev->name, &data)) {
        return AI_EVENT_CONTENT;
    }

    tap->sample.len = 0;

    return ai_tap_read_document(tap, &ev->name, &data);
}


static ai_event_e
ai_tap_read_document(ai_tap_t *tap, ai_str_t *name, ai_str_t *data)
{
    u_char           before[AI_TAP_STATE];
    uint64_t         output;
    ai_json_t        root;
    ai_event_e       event;
    ai_json_error_t  err;

    if (ai_tap_scan(tap, data->data, data->len, &root, &err) != AI_OK) {
        return AI_EVENT_INVALID;
    }

    if (root.type != AI_JSON_OBJECT || tap->ended) {
        tap->unknown++;
        return AI_EVENT_IDLE;
    }

    output = tap->output_bytes;
    memcpy(before, tap, AI_TAP_STATE);

    event = tap->dialect->event(tap, name, &root);

    /* what was read may have been a mended copy, which is no sample */

    if (event != AI_EVENT_CONTENT
        || root.start < data->data
        || root.end > data->data + data->len)
    {
        return event;
    }

    /* an event that taught nothing but that there was output is one */

    output = tap->output_bytes - output;
    tap->output_bytes -= output;

    if (memcmp(before, tap, AI_TAP_STATE) == 0) {
        ai_tap_sample_keep(tap, name, data, output);
    }

    tap->output_bytes += output;

    return event;
}


ai_event_e
ai_tap_response(ai_tap_t *tap, u_char *p, size_t len, ai_json_error_t *err)
{
    ai_event_e     event;
    ai_tap_root_t  root;

    tap->sample.len = 0;

    tap->root = &root;
    event = ai_tap_read_response(tap, p, len, err);
    tap->root = NULL;

    if (event == AI_EVENT_CONTENT) {
        tap->content++;
        tap->ended = 1;
    }

    return event;
}


static ai_event_e
ai_tap_read_response(ai_tap_t *tap, u_char *p, size_t len,
    ai_json_error_t *err)
{
    ai_json_t   root;
    ai_event_e  event;

    if (ai_tap_scan(tap, p, len, &root, err) != AI_OK) {
        return AI_EVENT_INVALID;
    }

    if (tap->op == AI_OP_PASS) {
        return AI_EVENT_CONTENT;
    }

    event = tap->dialect->response(tap, &root);

    if (event == AI_EVENT_INVALID) {
        err->reason = "not the shape of an answer";
        err->offset = 0;
    }

    return event;
}


ai_uint_t
ai_tap_complete(ai_tap_t *tap)
{
    return tap->finished || tap->ended;
}


void
ai_tap_estimate(ai_tap_t *tap, uint64_t input_bytes)
{
    uint64_t     n;
    ai_usage_t  *u;

    u = &tap->usage;

    if (u->source == AI_USAGE_PROVIDER) {
        return;
    }

    /* the beginning of a stream may have told its input and no more */

    if (ai_usage_input(u) == 0) {
        n = input_bytes / AI_TAP_TOKEN_BYTES
            + (input_bytes % AI_TAP_TOKEN_BYTES != 0);
        u->uncached = n < AI_USAGE_MAX ? n : AI_USAGE_MAX;
    }

    n = tap->output_bytes / AI_TAP_TOKEN_BYTES
        + (tap->output_bytes % AI_TAP_TOKEN_BYTES != 0);

    if (n > AI_USAGE_MAX) {
        n = AI_USAGE_MAX;
    }

    if (u->output < n) {
        u->output = n;
    }

    u->source = AI_USAGE_ESTIMATED;
}


/*
 * Scans an answer or an event.  Models cut text wherever a token ends, so
 * that halves of surrogate pairs are met in practice, and every client copes
 * with them; the bytes pass as they are, but are read from a mended copy.
 */

ai_int_t
ai_tap_scan(ai_tap_t *tap, u_char *p, size_t len, ai_json_t *root,
    ai_json_error_t *err)
{
    u_char    *copy;
    ai_int_t   rc;

    tap->root->n = 0;
    tap->root->nholes = 0;

    rc = ai_json_scan(p, len, &ai_tap_limits, tap->alloc, ai_tap_member,
                      tap->root, root, err);

    if (rc == AI_OK) {
        tap->root->start = root->start;
    }

    if (rc != AI_DECLINED || len == 0 || memchr(p, '\\', len) == NULL) {
        return rc;
    }

    copy = ai_alloc(tap->alloc, len);
    if (copy == NULL) {
        return rc;
    }

    memcpy(copy, p, len);

    if (ai_tap_mend(copy, len) == 0) {
        return rc;
    }

    tap->root->n = 0;

    rc = ai_json_scan(copy, len, &ai_tap_limits, tap->alloc,
                      ai_tap_member, tap->root, root, err);

    if (rc == AI_OK) {
        tap->root->start = root->start;
    }

    return rc;
}


static ai_int_t
ai_tap_member(void *data, ai_json_t *name, ai_json_t *value)
{
    ai_tap_root_t  *root;

    root = data;

    if (root->n < AI_TAP_MEMBERS) {
        root->members[root->n].name = *name;
        root->members[root->n].value = *value;
    }

    root->n++;

    return AI_OK;
}


/*
 * Replaces escapes of lone surrogates by that of U+FFFD, in a document that
 * need not be valid; returns how many there were.
 */

static ai_uint_t
ai_tap_mend(u_char *p, size_t len)
{
    u_char     *last;
    ai_uint_t   code, n;

    n = 0;
    last = p + len;

    while (last - p >= 6) {

        if (*p != '\\') {
            p++;
            continue;
        }

        if (p[1] != 'u') {
            p += 2;
            continue;
        }

        code = ai_tap_hex4(p + 2);

        if (code >= 0xd800 && code < 0xdc00 && last - p >= 12
            && p[6] == '\\' && p[7] == 'u'
            && ai_tap_hex4(p + 8) >= 0xdc00 && ai_tap_hex4(p + 8) < 0xe000)
        {
            p += 12;
            continue;
        }

        if (code >= 0xd800 && code < 0xe000) {
            memcpy(p + 2, "fffd", 4);
            n++;
        }

        p += 6;
    }

    return n;
}


/* the value of four hexadecimal digits, 0 if they are something else */

static ai_uint_t
ai_tap_hex4(u_char *p)
{
    u_char     c;
    ai_uint_t  i, n;

    n = 0;

    for (i = 0; i < 4; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            n = n * 16 + (c - '0');
            continue;
        }

        c |= 0x20;

        if (c < 'a' || c > 'f') {
            return 0;
        }

        n = n * 16 + (c - 'a' + 10);
    }

    return n;
}


/*
 * The field "error" of an event, llama.cpp's way to fail.  Its value should
 * be JSON, and is text when it is not.
 */

ai_event_e
ai_tap_error_field(ai_tap_t *tap, ai_sse_event_t *ev)
{
    size_t           i;
    u_char           c;
    ai_str_t        *text;
    ai_json_t        root;
    ai_json_error_t  err;

    text = &ev->error;

    if (ai_tap_scan(tap, text->data, text->len, &root, &err) == AI_OK) {
        (void) ai_tap_error(tap, &root);
        ai_tap_error_name(tap, &ev->name);

        return AI_EVENT_ERROR;
    }

    for (i = 0; i < text->len && i < AI_TAP_ERROR_LEN; i++) {
        c = text->data[i];
        tap->error_buf[i] = (c >= 0x20 && c < 0x7f) ? c : '?';
    }

    tap->error_message.len = i;

    return AI_EVENT_ERROR;
}

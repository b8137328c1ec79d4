
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The parts that the error documents of all dialects have in common.
 */


#include "dialect.h"


static void ai_doc_mem(ai_doc_t *d, const void *p, size_t len);


ai_int_t
ai_doc_build(ai_doc_pt render, ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out)
{
    ai_doc_t  d;

    d.last = NULL;
    d.len = 0;

    render(&d, doc);

    out->len = d.len;
    out->data = ai_alloc(a, d.len);

    if (out->data == NULL) {
        out->len = 0;
        return AI_ERROR;
    }

    d.last = out->data;

    render(&d, doc);

    return AI_OK;
}


void
ai_doc_raw(ai_doc_t *d, const char *text)
{
    ai_doc_mem(d, text, strlen(text));
}


void
ai_doc_uint(ai_doc_t *d, uint64_t n)
{
    u_char  *p, buf[20];

    p = buf + sizeof(buf);

    do {
        *--p = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    ai_doc_mem(d, p, (size_t) (buf + sizeof(buf) - p));
}


void
ai_doc_string(ai_doc_t *d, const ai_str_t *s)
{
    if (s->len == 0) {
        ai_doc_raw(d, "null");
        return;
    }

    ai_doc_raw(d, "\"");

    if (d->last == NULL) {
        d->len += ai_json_escape_len(s);

    } else {
        d->last = ai_json_escape(d->last, s);
    }

    ai_doc_raw(d, "\"");
}


void
ai_doc_cstring(ai_doc_t *d, const char *s)
{
    ai_str_t  str;

    str.len = strlen(s);
    str.data = (u_char *) s;

    ai_doc_string(d, &str);
}


void
ai_doc_message(ai_doc_t *d, ai_error_doc_t *doc)
{
    if (doc->message.len != 0) {
        ai_doc_string(d, &doc->message);
        return;
    }

    ai_doc_cstring(d, ai_error_row(doc->error)->message);
}


void
ai_doc_more(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_uint_t          i;
    ai_attempt_doc_t  *at;

    ai_doc_raw(d, ",\"retryable\":");
    ai_doc_raw(d, ai_error_row(doc->error)->retryable ? "true" : "false");

    if (doc->retry_after >= 0) {
        ai_doc_raw(d, ",\"retry_after\":");
        ai_doc_uint(d, (uint64_t) doc->retry_after);
    }

    for (i = 0; i < doc->nattempts; i++) {
        at = &doc->attempts[i];

        ai_doc_raw(d, i == 0 ? ",\"attempts\":[" : ",");

        ai_doc_raw(d, "{\"provider\":");
        ai_doc_string(d, &at->provider);
        ai_doc_raw(d, ",\"status\":");
        ai_doc_uint(d, at->status);
        ai_doc_raw(d, ",\"reason\":");
        ai_doc_cstring(d, ai_error_row(at->error)->code);
        ai_doc_raw(d, "}");
    }

    if (doc->nattempts != 0) {
        ai_doc_raw(d, "]");
    }
}


static void
ai_doc_mem(ai_doc_t *d, const void *p, size_t len)
{
    if (d->last == NULL) {
        d->len += len;
        return;
    }

    memcpy(d->last, p, len);
    d->last += len;
}

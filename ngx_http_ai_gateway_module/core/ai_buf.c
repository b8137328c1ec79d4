
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_buf.h"


#define AI_BUF_SIZE     512

/* a character in a JSON string takes up to six bytes */

#define AI_BUF_ESCAPED  6


static ai_uint_t ai_mstr_escaped(const ai_mstr_t *m);
static void ai_buf_escape(ai_buf_t *b, const ai_str_t *s);


void
ai_buf_init(ai_buf_t *b, ai_alloc_t *a, size_t max)
{
    memset(b, 0, sizeof(ai_buf_t));

    b->alloc = a;
    b->max = max;
}


void
ai_buf_reset(ai_buf_t *b)
{
    b->pos = b->start;
    b->failed = 0;
    b->large = 0;
}


ai_int_t
ai_buf_get(ai_buf_t *b, ai_str_t *out)
{
    out->data = b->start;
    out->len = ai_buf_len(b);

    return b->failed ? AI_ERROR : AI_OK;
}


ai_int_t
ai_buf_take(ai_buf_t *b, ai_str_t *out)
{
    ai_int_t  rc;

    rc = ai_buf_get(b, out);
    b->start = b->pos;

    return rc;
}


void
ai_buf_rewind(ai_buf_t *b)
{
    b->start = b->base;
    b->pos = b->base;
}


ai_int_t
ai_buf_grow(ai_buf_t *b, size_t len)
{
    size_t   used, size;
    u_char  *p;

    if (b->failed) {
        return AI_ERROR;
    }

    used = ai_buf_len(b);

    if (len > b->max - used) {
        b->failed = 1;
        b->large = 1;

        /* nothing fits any more, so that what is inline need not ask */

        b->end = b->pos;

        return AI_ERROR;
    }

    size = (size_t) (b->end - b->base) * 2;

    if (size < AI_BUF_SIZE) {
        size = AI_BUF_SIZE;
    }

    if (size < used + len) {
        size = used + len;
    }

    if (size > b->max) {
        size = b->max;
    }

    p = ai_alloc(b->alloc, size);

    if (p == NULL) {
        b->failed = 1;
        b->end = b->pos;
        return AI_ERROR;
    }

    if (used != 0) {
        memcpy(p, b->start, used);
    }

    b->base = p;
    b->start = p;
    b->pos = p + used;
    b->end = p + size;

    return AI_OK;
}


void
ai_buf_cstr(ai_buf_t *b, const char *s)
{
    ai_buf_put(b, s, strlen(s));
}


void
ai_buf_uint(ai_buf_t *b, uint64_t n)
{
    u_char  *p, buf[20];

    p = buf + sizeof(buf);

    do {
        *--p = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    ai_buf_put(b, p, (size_t) (buf + sizeof(buf) - p));
}


void
ai_buf_comma(ai_buf_t *b)
{
    u_char  c;

    if (b->pos == b->start) {
        return;
    }

    c = b->pos[-1];

    if (c != '{' && c != '[' && c != ':') {
        ai_buf_lit(b, ",");
    }
}


void
ai_buf_key(ai_buf_t *b, const char *name)
{
    ai_buf_comma(b);
    ai_buf_lit(b, "\"");
    ai_buf_cstr(b, name);
    ai_buf_lit(b, "\":");
}


void
ai_buf_string(ai_buf_t *b, const ai_mstr_t *m)
{
    ai_buf_lit(b, "\"");
    ai_buf_chars(b, m);
    ai_buf_lit(b, "\"");
}


void
ai_buf_chars(ai_buf_t *b, const ai_mstr_t *m)
{
    if (m->json) {
        ai_buf_raw(b, &m->s);
        return;
    }

    ai_buf_escape(b, &m->s);
}


void
ai_buf_plain(ai_buf_t *b, const ai_mstr_t *m)
{
    ai_json_t  v;

    if (!ai_mstr_escaped(m)) {
        ai_buf_raw(b, &m->s);
        return;
    }

    if ((size_t) (b->end - b->pos) < m->s.len
        && ai_buf_grow(b, m->s.len) != AI_OK)
    {
        return;
    }

    v = ai_mstr_value(m);
    b->pos += ai_json_str_decode(&v, b->pos);
}


static void
ai_buf_escape(ai_buf_t *b, const ai_str_t *s)
{
    size_t  len, room;

    room = (size_t) (b->end - b->pos);

    /* measured only if the worst does not fit */

    if (room / AI_BUF_ESCAPED < s->len) {
        len = ai_json_escape_len(s);

        if (room < len && ai_buf_grow(b, len) != AI_OK) {
            return;
        }
    }

    b->pos = ai_json_escape(b->pos, s);
}


void
ai_buf_quote(ai_buf_t *b, const ai_str_t *s)
{
    ai_buf_lit(b, "\"");
    ai_buf_escape(b, s);
    ai_buf_lit(b, "\"");
}


void
ai_buf_quote_cstr(ai_buf_t *b, const char *s)
{
    ai_str_t  str;

    str.data = (u_char *) s;
    str.len = strlen(s);

    ai_buf_quote(b, &str);
}


void
ai_buf_json(ai_buf_t *b, const ai_str_t *raw)
{
    if (b->line) {
        ai_buf_json_line(b, raw);
        return;
    }

    ai_buf_raw(b, raw);
}


void
ai_buf_json_line(ai_buf_t *b, const ai_str_t *raw)
{
    size_t   begin;
    u_char  *p;

    begin = ai_buf_len(b);

    ai_buf_raw(b, raw);

    if (b->failed) {
        return;
    }

    for (p = b->start + begin; p < b->pos; p++) {
        if (*p == '\n' || *p == '\r') {
            *p = ' ';
        }
    }
}


void
ai_buf_key_string(ai_buf_t *b, const char *name, const ai_mstr_t *m)
{
    if (!ai_mstr_empty(m)) {
        ai_buf_key(b, name);
        ai_buf_string(b, m);
    }
}


void
ai_buf_key_raw(ai_buf_t *b, const char *name, const ai_str_t *raw)
{
    if (raw->len != 0) {
        ai_buf_key(b, name);
        ai_buf_json(b, raw);
    }
}


void
ai_buf_key_uint(ai_buf_t *b, const char *name, uint64_t n)
{
    ai_buf_key(b, name);
    ai_buf_uint(b, n);
}


ai_mstr_t
ai_mstr(const ai_json_t *v)
{
    ai_mstr_t  m;

    if (v->type == AI_JSON_STRING) {
        m.s = ai_json_str_raw(v);

    } else {
        m.s.data = NULL;
        m.s.len = 0;
    }

    m.json = 1;

    return m;
}


ai_mstr_t
ai_mstr_plain(const ai_str_t *s)
{
    ai_mstr_t  m;

    m.s = *s;
    m.json = 0;

    return m;
}


ai_mstr_t
ai_mstr_cstr(const char *s)
{
    ai_mstr_t  m;

    m.s.data = (u_char *) s;
    m.s.len = strlen(s);
    m.json = 0;

    return m;
}


static ai_uint_t
ai_mstr_escaped(const ai_mstr_t *m)
{
    return m->json && m->s.len != 0
           && memchr(m->s.data, '\\', m->s.len) != NULL;
}


ai_json_t
ai_mstr_value(const ai_mstr_t *m)
{
    ai_json_t  v;

    memset(&v, 0, sizeof(ai_json_t));

    if (m->s.len == 0) {
        return v;
    }

    /* no one looks at the quotes */

    v.type = AI_JSON_STRING;
    v.start = m->s.data - 1;
    v.end = m->s.data + m->s.len + 1;
    v.escaped = m->json;

    return v;
}


ai_uint_t
ai_mstr_eq(const ai_mstr_t *m, const char *text)
{
    size_t     len;
    ai_json_t  v;

    len = strlen(text);

    if (!ai_mstr_escaped(m)) {
        return m->s.len == len && (len == 0
                                   || memcmp(m->s.data, text, len) == 0);
    }

    v = ai_mstr_value(m);

    return ai_json_str_eq(&v, text, len);
}


ai_uint_t
ai_mstr_same(const ai_mstr_t *a, const ai_mstr_t *b)
{
    size_t            n, len;
    u_char            buf[256];
    ai_json_t         v;
    const ai_mstr_t  *t;

    if (ai_mstr_escaped(a) && !ai_mstr_escaped(b)) {
        t = a;
        a = b;
        b = t;
    }

    if (!ai_mstr_escaped(b)) {
        return a->s.len == b->s.len
               && (a->s.len == 0
                   || memcmp(a->s.data, b->s.data, a->s.len) == 0);
    }

    v = ai_mstr_value(b);

    if (!ai_mstr_escaped(a)) {
        return ai_json_str_eq(&v, (char *) a->s.data, a->s.len);
    }

    /* both have escapes: names and ids, of which none is long */

    if (a->s.len == b->s.len && memcmp(a->s.data, b->s.data, a->s.len) == 0) {
        return 1;
    }

    len = a->s.len;

    if (len > sizeof(buf)) {
        return 0;
    }

    v = ai_mstr_value(a);
    n = ai_json_str_decode(&v, buf);

    v = ai_mstr_value(b);

    return ai_json_str_eq(&v, (char *) buf, n);
}


ai_int_t
ai_mstr_decode(const ai_mstr_t *m, ai_alloc_t *a, ai_str_t *out)
{
    ai_json_t  v;

    *out = m->s;

    if (!ai_mstr_escaped(m)) {
        return AI_OK;
    }

    out->data = ai_alloc(a, m->s.len);

    if (out->data == NULL) {
        out->len = 0;
        return AI_ERROR;
    }

    v = ai_mstr_value(m);
    out->len = ai_json_str_decode(&v, out->data);

    return AI_OK;
}


ai_int_t
ai_mstr_copy(const ai_mstr_t *m, ai_alloc_t *a, ai_mstr_t *out)
{
    ai_mstr_t  copy;

    copy = *m;

    if (m->s.len != 0) {
        copy.s.data = ai_alloc(a, m->s.len);

        if (copy.s.data == NULL) {
            return AI_ERROR;
        }

        memcpy(copy.s.data, m->s.data, m->s.len);
    }

    *out = copy;

    return AI_OK;
}


ai_str_t
ai_json_raw(const ai_json_t *v)
{
    ai_str_t  s;

    s.data = v->start;
    s.len = (v->type == AI_JSON_NULL) ? 0 : (size_t) (v->end - v->start);

    return s;
}

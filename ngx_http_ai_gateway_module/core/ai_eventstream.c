
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include <zlib.h>

#include "ai_eventstream.h"
#include "ai_sse.h"


#define AI_EVENTSTREAM_PRELUDE  12     /* two lengths and their CRC */
#define AI_EVENTSTREAM_FRAME    16     /* the same, and the CRC of all */
#define AI_EVENTSTREAM_HOLD     1024

#define AI_EVENTSTREAM_STRING   7


static ai_int_t ai_eventstream_hold(ai_eventstream_t *s, u_char **pos,
    u_char *last, size_t total);
static ai_int_t ai_eventstream_prelude(ai_eventstream_t *s, const u_char *p,
    size_t *total);
static ai_int_t ai_eventstream_message(ai_eventstream_t *s, u_char *p,
    size_t total, ai_eventstream_message_t *m);
static ai_int_t ai_eventstream_headers(ai_eventstream_t *s, u_char *p,
    u_char *last, ai_eventstream_message_t *m);
static ai_int_t ai_eventstream_value(u_char type, const u_char *p,
    const u_char *last, size_t *len);
static void ai_eventstream_keep(ai_eventstream_message_t *m,
    const ai_str_t *name, const ai_str_t *value);
static ai_int_t ai_eventstream_error(ai_eventstream_t *s, const char *err);
static void ai_eventstream_header(ai_buf_t *b, const char *name,
    const char *value);
static uint32_t ai_eventstream_crc(const u_char *p, size_t len);
static uint32_t ai_eventstream_get(const u_char *p);
static void ai_eventstream_set(u_char *p, uint32_t n);


void
ai_eventstream_init(ai_eventstream_t *s, size_t max, ai_alloc_t *a)
{
    memset(s, 0, sizeof(ai_eventstream_t));

    s->max = max;
    s->alloc = a;
}


/*
 * The lengths are believed only when the CRC of the prelude is right, so that
 * a damaged one neither makes us wait for gigabytes nor take memory for them.
 */

ai_int_t
ai_eventstream_next(ai_eventstream_t *s, u_char **pos, u_char *last,
    ai_eventstream_message_t *m)
{
    size_t     n, total;
    u_char    *p;
    ai_int_t   rc;

    if (s->failed) {
        return AI_ERROR;
    }

    if (s->given) {
        s->given = 0;
        s->len = 0;
    }

    n = (size_t) (last - *pos);

    if (n == 0) {
        return AI_AGAIN;
    }

    if (s->len == 0 && n >= AI_EVENTSTREAM_PRELUDE) {

        if (ai_eventstream_prelude(s, *pos, &total) != AI_OK) {
            return AI_ERROR;
        }

        if (n >= total) {
            p = *pos;
            *pos += total;

            return ai_eventstream_message(s, p, total, m);
        }
    }

    if (s->len < AI_EVENTSTREAM_PRELUDE) {
        rc = ai_eventstream_hold(s, pos, last, AI_EVENTSTREAM_PRELUDE);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (ai_eventstream_prelude(s, s->hold, &total) != AI_OK) {
        return AI_ERROR;
    }

    rc = ai_eventstream_hold(s, pos, last, total);

    if (rc != AI_OK) {
        return rc;
    }

    s->given = 1;

    return ai_eventstream_message(s, s->hold, total, m);
}


ai_int_t
ai_eventstream_finish(ai_eventstream_t *s)
{
    if (s->failed) {
        return AI_ERROR;
    }

    if (s->len != 0 && !s->given) {
        return ai_eventstream_error(s, "stream ends within a message");
    }

    return AI_OK;
}


/* takes input until total bytes are held */

static ai_int_t
ai_eventstream_hold(ai_eventstream_t *s, u_char **pos, u_char *last,
    size_t total)
{
    size_t   n, size;
    u_char  *p;

    if (total > s->size) {
        size = s->size != 0 ? s->size * 2 : AI_EVENTSTREAM_HOLD;

        if (size > s->max) {
            size = s->max;
        }

        if (size < total) {
            size = total;
        }

        p = ai_alloc(s->alloc, size);

        if (p == NULL) {
            return ai_eventstream_error(s, "no memory");
        }

        if (s->len != 0) {
            memcpy(p, s->hold, s->len);
        }

        s->hold = p;
        s->size = size;
    }

    n = total - s->len;

    if (n > (size_t) (last - *pos)) {
        n = (size_t) (last - *pos);
    }

    if (n != 0) {
        memcpy(s->hold + s->len, *pos, n);
        s->len += n;
        *pos += n;
    }

    return s->len == total ? AI_OK : AI_AGAIN;
}


static ai_int_t
ai_eventstream_prelude(ai_eventstream_t *s, const u_char *p, size_t *total)
{
    uint32_t  size, headers;

    if (ai_eventstream_crc(p, AI_EVENTSTREAM_PRELUDE - 4)
        != ai_eventstream_get(p + AI_EVENTSTREAM_PRELUDE - 4))
    {
        return ai_eventstream_error(s, "wrong checksum of a message's "
                                       "prelude");
    }

    size = ai_eventstream_get(p);
    headers = ai_eventstream_get(p + 4);

    if (size < AI_EVENTSTREAM_FRAME || headers > size - AI_EVENTSTREAM_FRAME)
    {
        return ai_eventstream_error(s, "invalid length of a message");
    }

    if (size > s->max) {
        return ai_eventstream_error(s, AI_SSE_LARGE);
    }

    *total = size;

    return AI_OK;
}


static ai_int_t
ai_eventstream_message(ai_eventstream_t *s, u_char *p, size_t total,
    ai_eventstream_message_t *m)
{
    size_t  headers;

    if (ai_eventstream_crc(p, total - 4)
        != ai_eventstream_get(p + total - 4))
    {
        return ai_eventstream_error(s, "wrong checksum of a message");
    }

    memset(m, 0, sizeof(ai_eventstream_message_t));

    headers = ai_eventstream_get(p + 4);

    m->raw.data = p;
    m->raw.len = total;

    p += AI_EVENTSTREAM_PRELUDE;

    m->payload.data = p + headers;
    m->payload.len = total - AI_EVENTSTREAM_FRAME - headers;

    return ai_eventstream_headers(s, p, p + headers, m);
}


static ai_int_t
ai_eventstream_headers(ai_eventstream_t *s, u_char *p, u_char *last,
    ai_eventstream_message_t *m)
{
    u_char    type;
    size_t    len;
    ai_str_t  name, value;

    while (p < last) {
        name.len = *p++;
        name.data = p;

        if (name.len == 0 || name.len >= (size_t) (last - p)) {
            return ai_eventstream_error(s, "invalid name of a message's "
                                           "header");
        }

        p += name.len;
        type = *p++;

        if (ai_eventstream_value(type, p, last, &len) != AI_OK) {
            return ai_eventstream_error(s, "invalid value of a message's "
                                           "header");
        }

        if (type == AI_EVENTSTREAM_STRING) {
            value.data = p + 2;
            value.len = len - 2;

            ai_eventstream_keep(m, &name, &value);
        }

        p += len;
    }

    return AI_OK;
}


/* the bytes that a value of a type takes, its own length included */

static ai_int_t
ai_eventstream_value(u_char type, const u_char *p, const u_char *last,
    size_t *len)
{
    /* true, false, byte, short, int, long, bytes, string, time, uuid */

    static const u_char  sizes[] = { 0, 0, 1, 2, 4, 8, 2, 2, 8, 16 };

    if (type >= sizeof(sizes)) {
        return AI_DECLINED;
    }

    *len = sizes[type];

    if ((size_t) (last - p) < *len) {
        return AI_DECLINED;
    }

    if (type == AI_EVENTSTREAM_STRING || type == AI_EVENTSTREAM_STRING - 1) {
        *len += (size_t) p[0] << 8 | p[1];
    }

    return (size_t) (last - p) < *len ? AI_DECLINED : AI_OK;
}


static void
ai_eventstream_keep(ai_eventstream_message_t *m, const ai_str_t *name,
    const ai_str_t *value)
{
    if (ai_str_eq(name, ":event-type")
        || ai_str_eq(name, ":exception-type")
        || ai_str_eq(name, ":error-code"))
    {
        m->event_type = *value;

    } else if (ai_str_eq(name, ":message-type")) {
        m->message_type = *value;

    } else if (ai_str_eq(name, ":content-type")) {
        m->content_type = *value;

    } else if (ai_str_eq(name, ":error-message")) {
        m->error_message = *value;
    }
}


static ai_int_t
ai_eventstream_error(ai_eventstream_t *s, const char *err)
{
    s->failed = 1;
    s->err = err;

    return AI_ERROR;
}


size_t
ai_eventstream_begin(ai_buf_t *b, const char *type, ai_uint_t exception)
{
    size_t  begin;
    u_char  prelude[AI_EVENTSTREAM_PRELUDE];

    begin = ai_buf_len(b);

    memset(prelude, 0, sizeof(prelude));
    ai_buf_put(b, prelude, sizeof(prelude));

    ai_eventstream_header(b, exception ? ":exception-type" : ":event-type",
                          type);
    ai_eventstream_header(b, ":content-type", "application/json");
    ai_eventstream_header(b, ":message-type",
                          exception ? "exception" : "event");

    if (!b->failed) {
        ai_eventstream_set(b->start + begin + 4,
                           (uint32_t) (ai_buf_len(b) - begin
                                       - AI_EVENTSTREAM_PRELUDE));
    }

    return begin;
}


void
ai_eventstream_end(ai_buf_t *b, size_t begin)
{
    size_t   len;
    u_char  *p, crc[4];

    if (b->failed) {
        return;
    }

    p = b->start + begin;
    len = ai_buf_len(b) - begin;

    ai_eventstream_set(p, (uint32_t) (len + sizeof(crc)));
    ai_eventstream_set(p + 8, ai_eventstream_crc(p, 8));
    ai_eventstream_set(crc, ai_eventstream_crc(p, len));

    ai_buf_put(b, crc, sizeof(crc));
}


static void
ai_eventstream_header(ai_buf_t *b, const char *name, const char *value)
{
    size_t  len;
    u_char  head[3];

    len = strlen(name);
    head[0] = (u_char) len;

    ai_buf_put(b, head, 1);
    ai_buf_put(b, name, len);

    len = strlen(value);
    head[0] = AI_EVENTSTREAM_STRING;
    head[1] = (u_char) (len >> 8);
    head[2] = (u_char) len;

    ai_buf_put(b, head, 3);
    ai_buf_put(b, value, len);
}


static uint32_t
ai_eventstream_crc(const u_char *p, size_t len)
{
    return (uint32_t) crc32_z(0, p, len);
}


static uint32_t
ai_eventstream_get(const u_char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


static void
ai_eventstream_set(u_char *p, uint32_t n)
{
    p[0] = (u_char) (n >> 24);
    p[1] = (u_char) (n >> 16);
    p[2] = (u_char) (n >> 8);
    p[3] = (u_char) n;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include <limits.h>
#include <zlib.h>

#include "ai_inflate.h"


#define AI_INFLATE_RAW   -15
#define AI_INFLATE_ZLIB  15
#define AI_INFLATE_GZ    (15 + 16)


static ai_int_t ai_inflate_start(ai_inflate_t *z, u_char **in,
    u_char *in_last);
static ai_int_t ai_inflate_open(ai_inflate_t *z, int window);
static int ai_inflate_step(ai_inflate_t *z, u_char **in, u_char *in_last,
    u_char **out, u_char *out_last);
static ai_int_t ai_inflate_error(ai_inflate_t *z, const char *err);


ai_inflate_kind_e
ai_inflate_kind(ai_str_t *value)
{
    size_t   i, n;
    u_char   ch;

    static const struct {
        ai_str_t           name;
        ai_inflate_kind_e  kind;
    } kinds[] = {
        { ai_string("gzip"), AI_INFLATE_GZIP },
        { ai_string("x-gzip"), AI_INFLATE_GZIP },
        { ai_string("deflate"), AI_INFLATE_DEFLATE },
        { ai_string("identity"), AI_INFLATE_NONE },
        { ai_null_string, AI_INFLATE_NONE }
    };

    for (n = 0; n < sizeof(kinds) / sizeof(kinds[0]); n++) {

        if (value->len != kinds[n].name.len) {
            continue;
        }

        for (i = 0; i < value->len; i++) {
            ch = value->data[i];

            if (ch >= 'A' && ch <= 'Z') {
                ch |= 0x20;
            }

            if (ch != kinds[n].name.data[i]) {
                break;
            }
        }

        if (i == value->len) {
            return kinds[n].kind;
        }
    }

    return AI_INFLATE_UNKNOWN;
}


void
ai_inflate_init(ai_inflate_t *z, ai_inflate_kind_e kind, size_t max_output,
    ai_alloc_t *a)
{
    memset(z, 0, sizeof(ai_inflate_t));

    z->kind = kind;
    z->max_output = max_output;
    z->alloc = a;
}


ai_int_t
ai_inflate_run(ai_inflate_t *z, u_char **in, u_char *in_last, u_char **out,
    u_char *out_last)
{
    int        ret;
    ai_int_t   rc;
    z_stream  *strm;

    if (z->failed) {
        return AI_ERROR;
    }

    for ( ;; ) {

        if (z->done) {

            if (*in == in_last) {
                return AI_DONE;
            }

            if (z->kind != AI_INFLATE_GZIP) {
                return ai_inflate_error(z, "bytes after compressed data");
            }

            (void) inflateReset(z->stream);
            z->done = 0;
        }

        if (!z->active) {
            rc = ai_inflate_start(z, in, in_last);

            if (rc != AI_OK) {
                return rc;
            }
        }

        if (*out == out_last) {
            return AI_OK;
        }

        ret = ai_inflate_step(z, in, in_last, out, out_last);

        if (z->failed) {
            return AI_ERROR;
        }

        switch (ret) {

        case Z_STREAM_END:
            z->done = 1;
            break;

        case Z_OK:
        case Z_BUF_ERROR:

            /* what filled its room, cut by the cap or not, may go on */

            strm = z->stream;

            if (strm->avail_out != 0 && *in == in_last && z->nhead == 0) {
                return AI_AGAIN;
            }

            break;

        case Z_MEM_ERROR:
            return ai_inflate_error(z, "no memory");

        default:
            return ai_inflate_error(z, "invalid compressed data");
        }
    }
}


void
ai_inflate_end(ai_inflate_t *z)
{
    if (z->active) {
        (void) inflateEnd(z->stream);
        z->active = 0;
        z->failed = 1;
    }
}


static ai_int_t
ai_inflate_start(ai_inflate_t *z, u_char **in, u_char *in_last)
{
    ai_uint_t  zlib;

    if (*in == in_last) {
        return AI_AGAIN;
    }

    if (z->kind == AI_INFLATE_GZIP) {
        return ai_inflate_open(z, AI_INFLATE_GZ);
    }

    while (z->nhead < 2) {

        if (*in == in_last) {
            return AI_AGAIN;
        }

        z->head[z->nhead++] = *(*in)++;
    }

    /* RFC 1950, 2.2: method 8, window of at most 32 KB, check bits */

    zlib = (z->head[0] & 0x0f) == 8
           && (z->head[0] >> 4) <= 7
           && (z->head[0] * 256 + z->head[1]) % 31 == 0;

    return ai_inflate_open(z, zlib ? AI_INFLATE_ZLIB : AI_INFLATE_RAW);
}


static ai_int_t
ai_inflate_open(ai_inflate_t *z, int window)
{
    z->stream = ai_alloc(z->alloc, sizeof(z_stream));

    if (z->stream == NULL) {
        return ai_inflate_error(z, "no memory");
    }

    memset(z->stream, 0, sizeof(z_stream));

    if (inflateInit2((z_stream *) z->stream, window) != Z_OK) {
        return ai_inflate_error(z, "no memory");
    }

    z->active = 1;

    return AI_OK;
}


/* One call of inflate(), from what start() has taken first, within the cap. */

static int
ai_inflate_step(ai_inflate_t *z, u_char **in, u_char *in_last, u_char **out,
    u_char *out_last)
{
    int        ret;
    size_t     size, room, left;
    u_char     probe;
    z_stream  *strm;

    strm = z->stream;

    size = z->nhead ? z->nhead : (size_t) (in_last - *in);
    size = (size < UINT_MAX) ? size : UINT_MAX;

    left = z->max_output - z->total;

    room = out_last - *out;
    room = (room < left) ? room : left;
    room = (room < UINT_MAX) ? room : UINT_MAX;

    strm->next_in = z->nhead ? z->head + 2 - z->nhead : *in;
    strm->avail_in = size;

    /* at the cap only the end may follow: see if another byte comes */

    strm->next_out = left ? *out : &probe;
    strm->avail_out = left ? room : 1;

    ret = inflate(strm, Z_NO_FLUSH);

    if (z->nhead) {
        z->nhead = strm->avail_in;

    } else {
        *in += size - strm->avail_in;
    }

    if (left) {
        *out += room - strm->avail_out;
        z->total += room - strm->avail_out;

    } else if (strm->avail_out == 0) {
        (void) ai_inflate_error(z, "decompressed data is too large");
    }

    return ret;
}


static ai_int_t
ai_inflate_error(ai_inflate_t *z, const char *err)
{
    z->failed = 1;
    z->err = err;

    return AI_ERROR;
}

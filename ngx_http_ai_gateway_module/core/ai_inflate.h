
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Content-Encoding gzip (RFC 1952), x-gzip, and deflate, which is the zlib
 * format (RFC 1950) by the standard and raw deflate (RFC 1951) by some
 * servers: a streaming decoder with a cap on what comes out.
 */


#ifndef _AI_INFLATE_H_INCLUDED_
#define _AI_INFLATE_H_INCLUDED_


#include "ai.h"


typedef enum {
    AI_INFLATE_NONE = 0,        /* identity, or no encoding at all */
    AI_INFLATE_GZIP,
    AI_INFLATE_DEFLATE,         /* zlib or raw, told by the first bytes */
    AI_INFLATE_UNKNOWN          /* cannot be decoded here */
} ai_inflate_kind_e;


typedef struct {
    const char               *err;      /* reason of AI_ERROR */
    void                     *stream;   /* z_stream */
    ai_alloc_t               *alloc;
    size_t                    max_output;
    size_t                    total;    /* bytes given out so far */
    ai_inflate_kind_e         kind;
    u_char                    head[2];  /* first bytes of deflate */

    unsigned                  nhead:2;  /* of them not yet decoded */
    unsigned                  active:1; /* zlib holds memory */
    unsigned                  done:1;   /* at the end of a gzip member, or */
                                        /* of the stream */
    unsigned                  failed:1;
} ai_inflate_t;


/* The kind for a Content-Encoding value: one coding, in any case. */

ai_inflate_kind_e ai_inflate_kind(ai_str_t *value);

/*
 * Starts decoding; kind is GZIP or DEFLATE, max_output the number of bytes
 * that may come out, over all gzip members.  The z_stream is taken from the
 * arena when the first input comes, zlib's window (some 40 KB) from malloc():
 * whoever calls this must see to it that ai_inflate_end() is called.
 */

void ai_inflate_init(ai_inflate_t *z, ai_inflate_kind_e kind,
    size_t max_output, ai_alloc_t *a);

/*
 * Decodes from *in to *out, and moves both.
 *
 * AI_OK     the output is full: call again with room in it, even if all
 *           input was consumed;
 * AI_AGAIN  all input was consumed, more is needed: at the end of the body
 *           this means that it was cut;
 * AI_DONE   all input was consumed and what came so far is complete.  Should
 *           more come, call again: another gzip member is decoded, anything
 *           else is an error;
 * AI_ERROR  corrupt input, more than max_output bytes, or no memory (z->err);
 *           stays so.
 */

ai_int_t ai_inflate_run(ai_inflate_t *z, u_char **in, u_char *in_last,
    u_char **out, u_char *out_last);

/*
 * Gives zlib's memory back; may be called at any time after init and
 * repeatedly.  Nothing can be decoded afterwards.
 */

void ai_inflate_end(ai_inflate_t *z);


#endif /* _AI_INFLATE_H_INCLUDED_ */

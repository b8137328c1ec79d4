
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What an HTTP/1.1 client reads: response heads and chunked bodies, after
 * RFC 9112 and RFC 9110.  Both readers are strict, since what they accept
 * decides where one answer ends and the next one on the same connection
 * begins; both may be given their input cut anywhere.
 */


#ifndef _AI_HTTP_H_INCLUDED_
#define _AI_HTTP_H_INCLUDED_


#include "ai.h"


#define AI_HTTP_MAX_HEADERS   128
#define AI_HTTP_MAX_HEAD      65535    /* offsets are 16 bits wide */

/* bytes of one chunk extension, and of all trailers of a body */

#define AI_HTTP_MAX_EXT       1024
#define AI_HTTP_MAX_TRAILERS  8192


/* offsets into the buffer that holds the head; the value is trimmed */

typedef struct {
    uint16_t                  name;
    uint16_t                  name_len;
    uint16_t                  value;
    uint16_t                  value_len;
} ai_http_header_t;


typedef struct {
    const char               *err;          /* reason of AI_ERROR */

    int64_t                   content_length;    /* -1: not given */

    size_t                    pos;          /* start of the line to read, or */
                                            /* the length of the whole head */
    size_t                    scan;         /* no line end in pos .. scan */

    ai_uint_t                 nheaders;
    ai_http_header_t          headers[AI_HTTP_MAX_HEADERS];

    uint16_t                  status;       /* 100 .. 599, 0: not read yet */
    uint16_t                  minor;        /* of HTTP/1.x */
    uint16_t                  reason;       /* offset of the reason phrase */
    uint16_t                  reason_len;

    unsigned                  done:1;
    unsigned                  chunked:1;
    unsigned                  keepalive:1;  /* valid after AI_OK */
    unsigned                  no_body:1;    /* 1xx, 204, 304 */
    unsigned                  upgrade:1;    /* an Upgrade header was seen */
    unsigned                  conn_close:1;
    unsigned                  conn_keepalive:1;
} ai_http_head_t;


typedef struct {
    const char               *err;          /* reason of AI_ERROR */
    uint64_t                  size;         /* left of the current chunk */
    ai_uint_t                 state;
    ai_uint_t                 count;        /* digits, or extension bytes */
    size_t                    trailers;     /* bytes of trailers so far */
} ai_http_chunked_t;


/*
 * Starts reading a head.  After a 1xx head call it again and parse from
 * what follows that head.
 */

void ai_http_head_init(ai_http_head_t *h);

/*
 * Reads a head that starts at buf, of which len bytes have come so far.  The
 * buffer belongs to the caller, must hold the head from its beginning at
 * every call, and may be moved between calls.
 *
 * AI_OK     the head is complete and h->pos bytes long;
 * AI_AGAIN  call again when len has grown;
 * AI_ERROR  not a head that can be trusted (h->err): the connection is to be
 *           closed.  Refused are: anything but "HTTP/1.x" with a status of
 *           100 .. 599, line ends other than CRLF, bare CR, control bytes,
 *           names that are no tokens, folded lines, a missing colon, a
 *           Content-Length that is repeated or no decimal int64, a
 *           Transfer-Encoding other than a single "chunked", both at once,
 *           more than AI_HTTP_MAX_HEADERS lines or AI_HTTP_MAX_HEAD bytes.
 *
 * With AI_OK, h->keepalive says that the connection can serve another
 * request after the body: it is zero when the peer said so, and whenever the
 * end of the body cannot be told reliably.  Without content_length, chunked
 * and no_body the body ends with the connection.  A status of 101 is up to
 * the caller to refuse.
 */

ai_int_t ai_http_head_parse(ai_http_head_t *h, u_char *buf, size_t len);

/*
 * Finds the first header called name, which is given in lower case; buf is
 * the buffer as it lies now.  AI_OK: *value points into buf; AI_DECLINED:
 * there is none.
 */

ai_int_t ai_http_head_find(ai_http_head_t *h, u_char *buf, const char *name,
    ai_str_t *value);

/* Starts reading a chunked body. */

void ai_http_chunked_init(ai_http_chunked_t *ch);

/*
 * Reads on at *pos, and moves it.
 *
 * AI_OK     *data is a piece of the body, never empty, within the input;
 *           call again;
 * AI_AGAIN  all input was consumed, more is needed: at the end of the
 *           connection this means that the body was cut;
 * AI_DONE   the last chunk and the trailers, which are dropped, were
 *           consumed: *pos is just behind them;
 * AI_ERROR  malformed (ch->err): sizes must be 1 .. 15 hex digits, lines
 *           must end in CRLF, extensions and trailers are bounded.
 *
 * After AI_DONE and AI_ERROR further calls return the same and consume
 * nothing.
 */

ai_int_t ai_http_chunked_next(ai_http_chunked_t *ch, u_char **pos,
    u_char *last, ai_str_t *data);


#endif /* _AI_HTTP_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * AWS Signature Version 4 in a header, wire-formats.md 8.1.  The caller tells
 * what is sent, and what time it is.
 */


#ifndef _AI_SIGV4_H_INCLUDED_
#define _AI_SIGV4_H_INCLUDED_


#include "ai_buf.h"


#define AI_SIGV4_DATE_LEN  (sizeof("20150830T123600Z") - 1)
#define AI_SIGV4_HASH_LEN  64             /* SHA-256 in hexadecimal */


typedef struct {
    ai_str_t             key;          /* AKIA... */
    ai_str_t             secret;
    ai_str_t             token;        /* of a session, or empty: it is
                                          signed as the header that it is
                                          sent in, and not read here */
} ai_sigv4_credentials_t;


/* one of a name that is repeated follows the other; names in any case */

typedef struct {
    ai_str_t             name;
    ai_str_t             value;
} ai_sigv4_header_t;


typedef struct {
    ai_str_t             method;
    ai_str_t             path;         /* as sent, without the query */
    ai_str_t             query;        /* as sent, without "?" */

    /* those to be signed: host and x-amz-date at least */
    const ai_sigv4_header_t
                        *headers;
    ai_uint_t            nheaders;

    ai_str_t             body_hash;    /* hexadecimal */
    ai_str_t             region;
    ai_str_t             service;
    uint64_t             now;          /* seconds of the epoch */

    unsigned             literal:1;    /* "." and ".." and empty segments of
                                          the path are signed as they are:
                                          only S3 wants that */
} ai_sigv4_request_t;


/* the value of x-amz-date; writes AI_SIGV4_DATE_LEN bytes */
void ai_sigv4_date(u_char *dst, uint64_t now);

/* the hash of a body in hexadecimal; writes AI_SIGV4_HASH_LEN bytes */
void ai_sigv4_hash(u_char *dst, const u_char *p, size_t len);

/*
 * The canonical request, and the string to sign made of it: appended to out.
 * AI_OK, AI_ERROR: no memory.
 */
ai_int_t ai_sigv4_canonical(const ai_sigv4_request_t *r, ai_alloc_t *a,
    ai_buf_t *out);
ai_int_t ai_sigv4_string(const ai_sigv4_request_t *r,
    const ai_str_t *canonical, ai_buf_t *out);

/*
 * The value of the header Authorization.  What is allocated holds no secret
 * after the return.  AI_OK, AI_ERROR: no memory.
 */
ai_int_t ai_sigv4_authorization(const ai_sigv4_request_t *r,
    const ai_sigv4_credentials_t *c, ai_alloc_t *a, ai_str_t *out);


#endif /* _AI_SIGV4_H_INCLUDED_ */

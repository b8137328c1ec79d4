
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Access tokens of Google Cloud: an account's file as Google writes it, the
 * request that its token endpoint takes (RFC 7523 for service accounts, RFC
 * 6749 section 6 for a user's refresh token), and the answer.
 */


#ifndef _AI_GOOGLE_H_INCLUDED_
#define _AI_GOOGLE_H_INCLUDED_


#include "ai_buf.h"


#define AI_GOOGLE_SCOPE  "https://www.googleapis.com/auth/cloud-platform"
#define AI_GOOGLE_TOKEN  "https://oauth2.googleapis.com/token"


/* decoded, in memory of the arena given to ai_google_account() */

typedef struct {
    ai_str_t             email;        /* of a service account */
    ai_str_t             key;          /* PEM */
    ai_str_t             key_id;
    ai_str_t             client_id;    /* of an authorized user */
    ai_str_t             client_secret;
    ai_str_t             refresh_token;
    ai_str_t             token_uri;
    ai_str_t             project;      /* or empty */
    unsigned             user:1;
} ai_google_account_t;


/*
 * Reads an account.  AI_OK; AI_DECLINED, *err then says what is wrong with
 * it, in words that hold nothing of it; AI_ERROR: no memory.
 */
ai_int_t ai_google_account(const ai_str_t *json, ai_alloc_t *a,
    ai_google_account_t *account, const char **err);

/*
 * The form body that asks for a token at "now", seconds of the epoch.
 * AI_OK, AI_ERROR: no memory, or the key cannot sign.
 */
ai_int_t ai_google_request(const ai_google_account_t *account, uint64_t now,
    ai_alloc_t *a, ai_str_t *body);

/*
 * The answer: the token, decoded, fit for a header, and for how many seconds
 * it is good.  AI_OK, AI_DECLINED: it is none, AI_ERROR: no memory.
 */
ai_int_t ai_google_token(const ai_str_t *json, ai_alloc_t *a,
    ai_str_t *token, uint64_t *expires);


#endif /* _AI_GOOGLE_H_INCLUDED_ */

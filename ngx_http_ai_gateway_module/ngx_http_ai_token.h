
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Access tokens that are fetched: one per credential and worker, by an
 * exchange with the token endpoint, kept until shortly before it expires.
 */


#ifndef _NGX_HTTP_AI_TOKEN_H_INCLUDED_
#define _NGX_HTTP_AI_TOKEN_H_INCLUDED_


#include "ngx_http_ai_gateway.h"
#include "ai_google.h"


struct ngx_http_ai_token_s {
    ai_google_account_t       account;
    ngx_http_ai_provider_t   *provider;  /* the token endpoint */
    ngx_str_t                *owner;     /* name of the provider, for logs */

    /* of this worker */
    ngx_str_t                 value;     /* empty: none */
    ngx_pool_t               *pool;      /* where it is */
    time_t                    expires;
    time_t                    renew;     /* when a new one is fetched */
    time_t                    failed;    /* when fetching did */
    ngx_queue_t               waiting;   /* ngx_http_ai_ctx_t */
    ngx_http_ai_exchange_t   *ex;        /* that fetches, or NULL */
    ngx_str_t                 answer;
};


#endif /* _NGX_HTTP_AI_TOKEN_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * How a request is told to a provider: its body, be it translated, its head,
 * and the credential in it.
 */


#ifndef _NGX_HTTP_AI_REQUEST_H_INCLUDED_
#define _NGX_HTTP_AI_REQUEST_H_INCLUDED_


#include "ai_count.h"
#include "ai_embed.h"
#include "ngx_http_ai_gateway.h"


/* a request that is told in another dialect */

struct ngx_http_ai_hub_s {
    ai_request_t                     request;
    ai_embed_t                       embed;
    ai_report_t                      report;
    ngx_str_t                        body;      /* for the target */
};


/* ngx_http_ai_hub.c: from the dialect of the client to that of the target,
 * and back */

/* ctx->op for the target; NGX_DECLINED: it has nothing like it */
ngx_int_t ngx_http_ai_hub_target(ngx_http_ai_ctx_t *ctx);

/* ctx->hub->body for the target; NGX_ERROR: ctx->error is to be told */
ngx_int_t ngx_http_ai_hub_render(ngx_http_ai_ctx_t *ctx);

/* the answer to a count of tokens, made here; NGX_ERROR likewise */
ngx_int_t ngx_http_ai_hub_count(ngx_http_ai_ctx_t *ctx, ngx_str_t *body);

ai_frame_e ngx_http_ai_hub_frame(ngx_http_ai_ctx_t *ctx);
ngx_str_t *ngx_http_ai_hub_type(ngx_http_ai_ctx_t *ctx);

/* before an answer is read: NGX_OK, NGX_ERROR */
ngx_int_t ngx_http_ai_hub_open(ngx_http_ai_ctx_t *ctx);

/* a whole answer, as ai_tap_response(); of what it says, *body */
ai_event_e ngx_http_ai_hub_response(ngx_http_ai_ctx_t *ctx,
    ngx_uint_t stream, ngx_str_t *body, ai_json_error_t *err);


/* ngx_http_ai_request.c */

/* the ids of the request, its own and those of its trace; the SDK's retry */
ngx_int_t ngx_http_ai_identify(ngx_http_ai_ctx_t *ctx);

/* the request as the target gets it; the chain is immutable, and lives in
 * pool; NULL: no memory */

ngx_chain_t *ngx_http_ai_request_render(ngx_http_ai_ctx_t *ctx,
    ngx_pool_t *pool);

/* one of the provider's keys, by their weights; NULL: it has none */
ngx_http_ai_credential_t *ngx_http_ai_credential(ngx_http_ai_provider_t *p);


/* ngx_http_ai_head.c */

/* the head of the request to ctx->target; NULL: no memory */
ngx_buf_t *ngx_http_ai_head_render(ngx_http_ai_ctx_t *ctx, ngx_pool_t *pool,
    ngx_chain_t *body, off_t length);

/* finds the headers that are looked at in each request */
void ngx_http_ai_known_headers(ngx_http_request_t *r,
    ngx_http_ai_known_t *known);

/* any other request header by its lower case name, or NULL */
ngx_table_elt_t *ngx_http_ai_header_in(ngx_http_request_t *r,
    const char *name);


/* ngx_http_ai_sign.c: for AI_AUTH_SIGV4 */

/* what the lines below need at most */
size_t ngx_http_ai_sign_len(ngx_http_ai_ctx_t *ctx);

/* the header lines that sign a request, at p; the path as it is sent; returns
 * their end, NULL: no memory */
u_char *ngx_http_ai_sign(ngx_http_ai_ctx_t *ctx, u_char *p, ngx_str_t *uri,
    ngx_chain_t *body);


/* ngx_http_ai_token.c: for AI_AUTH_GOOGLE */

/* NGX_OK: there is a token; NGX_AGAIN: the request will be run again when
 * there is one, or none can be had; NGX_ERROR: ctx->error says why */
ngx_int_t ngx_http_ai_token_get(ngx_http_ai_ctx_t *ctx);

/* the request waits no more */
void ngx_http_ai_token_forget(ngx_http_ai_ctx_t *ctx);

/* after ngx_http_ai_token_get() */
ngx_str_t *ngx_http_ai_token_value(ngx_http_ai_token_t *token);


#endif /* _NGX_HTTP_AI_REQUEST_H_INCLUDED_ */

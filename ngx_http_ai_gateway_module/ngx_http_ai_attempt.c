
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * One attempt: an exchange with the target, what nginx's own variables and
 * ours tell of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_MAX_ATTEMPTS  2


static ngx_http_upstream_state_t *ngx_http_ai_attempt_state(
    ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_attempt_add(ngx_http_ai_ctx_t *ctx);


ngx_int_t
ngx_http_ai_attempt_start(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_request_t      *r;
    ngx_http_ai_exchange_t  *ex;
    ngx_http_ai_provider_t  *p;

    r = ctx->request;
    p = ctx->target.provider;

    if (ngx_http_ai_attempt_add(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ex = ngx_http_ai_exchange_create(p, r, r->connection->log);
    if (ex == NULL) {
        return NGX_ERROR;
    }

    ctx->ex = ex;
    ctx->state = NGX_HTTP_AI_ATTEMPT;
    ctx->attempt_start = ngx_http_ai_now();

    ex->data = ctx;
    ex->ops = &ngx_http_ai_read_ops;
    ex->client = r->connection;
    ex->decode = !ctx->opaque;
    ex->ustate = ngx_http_ai_attempt_state(ctx);
    ex->request = ngx_http_ai_request_render(ctx, ex->pool);

    if (ex->ustate == NULL || ex->request == NULL) {
        return NGX_ERROR;
    }

    /* nothing comes of a JSON answer before the model has written it all */

    if (!ctx->fields.wants_stream) {
        ex->first_timeout = p->timeout;
    }

    ngx_http_ai_exchange_start(ex);

    return NGX_OK;
}


void
ngx_http_ai_attempt_cancel(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_ai_exchange_t  *ex;

    ex = ctx->ex;

    if (ex == NULL) {
        return;
    }

    ctx->ex = NULL;

    if (ctx->attempt_end == 0) {
        ngx_http_ai_attempt_record(ctx, ctx->reply.status, ctx->error);
    }

    ngx_http_ai_exchange_cancel(ex);
}


/* $upstream_addr, $upstream_status ... */

static ngx_http_upstream_state_t *
ngx_http_ai_attempt_state(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_request_t         *r;
    ngx_http_upstream_state_t  *state;

    r = ctx->request;

    if (r->upstream_states == NULL) {

        /* exchanges keep pointers to elements, so it must never move */

        r->upstream_states = ngx_array_create(r->pool,
                                              NGX_HTTP_AI_MAX_ATTEMPTS,
                                         sizeof(ngx_http_upstream_state_t));
        if (r->upstream_states == NULL) {
            return NULL;
        }
    }

    state = ngx_array_push(r->upstream_states);
    if (state == NULL) {
        return NULL;
    }

    ngx_memzero(state, sizeof(ngx_http_upstream_state_t));

    state->response_time = (ngx_msec_t) -1;
    state->connect_time = (ngx_msec_t) -1;
    state->header_time = (ngx_msec_t) -1;

    /* without a name it would print as the separator of a group */

    state->peer = &ctx->target.provider->name;

    return state;
}


static ngx_int_t
ngx_http_ai_attempt_add(ngx_http_ai_ctx_t *ctx)
{
    ai_record_t          *rec;
    ai_record_attempt_t  *at;

    rec = &ctx->record;

    if (rec->attempts == NULL) {
        rec->attempts = ngx_pcalloc(ctx->request->pool,
                                    NGX_HTTP_AI_MAX_ATTEMPTS
                                    * sizeof(ai_record_attempt_t));
        if (rec->attempts == NULL) {
            return NGX_ERROR;
        }
    }

    if (rec->nattempts == NGX_HTTP_AI_MAX_ATTEMPTS) {
        return NGX_ERROR;
    }

    at = &rec->attempts[rec->nattempts++];

    at->doc.provider = *ngx_http_ai_str(&ctx->target.provider->name);
    at->model = *ngx_http_ai_str(&ctx->target.model);

    return NGX_OK;
}


void
ngx_http_ai_attempt_record(ngx_http_ai_ctx_t *ctx, ngx_uint_t status,
    ai_error_e error)
{
    ai_record_attempt_t  *at;

    if (ctx->record.nattempts == 0) {
        return;
    }

    ctx->attempt_end = ngx_http_ai_now();

    at = &ctx->record.attempts[ctx->record.nattempts - 1];

    at->doc.status = status;
    at->doc.error = error;
    at->duration_us = ctx->attempt_end - ctx->attempt_start;
}


void
ngx_http_ai_attempt_blame(ngx_http_ai_ctx_t *ctx)
{
    ai_record_attempt_t  *at;

    if (ctx->record.nattempts == 0) {
        return;
    }

    at = &ctx->record.attempts[ctx->record.nattempts - 1];

    if (at->doc.error == AI_ERR_NONE) {
        at->doc.error = ctx->error;
    }
}

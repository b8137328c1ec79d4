
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A provider says what went wrong, by a status or within an answer: what it
 * means, and how much of its words the client may read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


static ngx_uint_t ngx_http_ai_fault_status(ngx_http_ai_ctx_t *ctx,
    ai_error_e error);
static ngx_uint_t ngx_http_ai_fault_relayed(ngx_http_ai_ctx_t *ctx,
    ai_error_e error);
static ngx_uint_t ngx_http_ai_fault_secret(ngx_http_ai_ctx_t *ctx,
    ai_str_t *text);
static ngx_uint_t ngx_http_ai_fault_holds(ai_str_t *text, ngx_str_t *key);
static void ngx_http_ai_fault_message(ngx_http_ai_ctx_t *ctx,
    ai_str_t *text);


void
ngx_http_ai_fault_told(ngx_http_ai_ctx_t *ctx)
{
    ai_str_t     text;
    ai_tap_t    *tap;
    ai_error_e   error;

    tap = &ctx->reply.tap;

    text = tap->error_message.len ? tap->error_message : tap->error_type;

    error = ai_error_classify(tap->error_status ? tap->error_status
                                                : NGX_HTTP_BAD_GATEWAY,
                              &text);

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "ai provider \"%V\" told an error within an answer: %s",
                  &ctx->target.provider->name, ai_error_row(error)->code);

    if (error != AI_ERR_UPSTREAM_AUTH) {
        ngx_http_ai_fault_message(ctx, &tap->error_message);
    }

    ngx_http_ai_fail(ctx, error);
}


void
ngx_http_ai_fault_answer(ngx_http_ai_ctx_t *ctx)
{
    u_char               *p;
    ai_str_t              body, text;
    ngx_str_t             doc;
    ai_error_e            error;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    body.data = reply->body;
    body.len = ngx_min(reply->len, 4096);

    error = ai_error_classify(reply->status, &body);

    if (ctx->retry_after < 0) {
        ctx->retry_after = ai_retry_delay(&body, NGX_HTTP_AI_MAX_RETRY_AFTER);
    }

    ngx_http_ai_attempt_record(ctx, reply->status, error);

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "ai provider \"%V\" answered %ui: %s",
                  &ctx->target.provider->name, reply->status,
                  ai_error_row(error)->code);

    ctx->status = ngx_http_ai_fault_status(ctx, error);

    if (ngx_http_ai_fault_relayed(ctx, error)) {
        ctx->error = error;

        doc.data = reply->body;
        doc.len = reply->len;

        ngx_http_ai_reply_document(ctx, ctx->status, &doc);
        return;
    }

    if (error != AI_ERR_UPSTREAM_AUTH) {

        p = ngx_pnalloc(ctx->request->pool, NGX_HTTP_AI_MESSAGE_LEN);

        if (p) {
            body.len = reply->len;
            text = ai_error_message(&body, p, NGX_HTTP_AI_MESSAGE_LEN);
            ngx_http_ai_fault_message(ctx, &text);
        }
    }

    ngx_http_ai_fail(ctx, error);
}


/*
 * What is the client's fault keeps its status, and so does whatever is said
 * of paths that we know nothing of; the rest has the one of our table.
 */

static ngx_uint_t
ngx_http_ai_fault_status(ngx_http_ai_ctx_t *ctx, ai_error_e error)
{
    if (ctx->reply.status < 500
        && (error < AI_ERR_RATE_LIMIT
            || (ctx->opaque && error != AI_ERR_UPSTREAM_AUTH)))
    {
        return ctx->reply.status;
    }

    return ai_error_row(error)->status;
}


/* bytes of the provider go on if they are of the client's dialect */

static ngx_uint_t
ngx_http_ai_fault_relayed(ngx_http_ai_ctx_t *ctx, ai_error_e error)
{
    ai_str_t              body;
    ai_json_t             root, v;
    ai_json_error_t       err;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    if (error == AI_ERR_UPSTREAM_AUTH || ctx->translated
        || ctx->target.provider->dialect != ctx->surface.dialect
        || reply->len == 0 || reply->len > NGX_HTTP_AI_ERROR_RELAY)
    {
        return 0;
    }

    if (ai_json_scan(reply->body, reply->len, NULL, &ctx->alloc, NULL, NULL,
                     &root, &err)
        != AI_OK
        || ai_json_get(&root, "error", &v) != AI_OK
        || v.type != AI_JSON_OBJECT)
    {
        return 0;
    }

    body.data = reply->body;
    body.len = reply->len;

    return !ngx_http_ai_fault_secret(ctx, &body);
}


static ngx_uint_t
ngx_http_ai_fault_secret(ngx_http_ai_ctx_t *ctx, ai_str_t *text)
{
    ngx_http_ai_credential_t  *key;

    key = ctx->credential;

    if (key == NULL) {
        return 0;
    }

    if (key->token) {
        return ngx_http_ai_fault_holds(text,
                                       ngx_http_ai_token_value(key->token));
    }

    if (key->aws) {
        return ngx_http_ai_fault_holds(text,
                                       ngx_http_ai_ngx(&key->aws->secret));
    }

    return ngx_http_ai_fault_holds(text, &key->value);
}


static ngx_uint_t
ngx_http_ai_fault_holds(ai_str_t *text, ngx_str_t *key)
{
    u_char  *p, *last;

    if (key->len == 0 || text->len < key->len) {
        return 0;
    }

    last = text->data + text->len - key->len;

    for (p = text->data; p <= last; p++) {

        p = memchr(p, key->data[0], last - p + 1);

        if (p == NULL) {
            return 0;
        }

        if (ngx_memcmp(p, key->data, key->len) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_ai_fault_message(ngx_http_ai_ctx_t *ctx, ai_str_t *text)
{
    if (text->len && !ngx_http_ai_fault_secret(ctx, text)) {
        ctx->message = *ngx_http_ai_ngx(text);
    }
}

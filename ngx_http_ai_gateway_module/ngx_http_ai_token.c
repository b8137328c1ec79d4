
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_token.h"


/*
 * Seconds: fetched anew so long before it expires, while it still serves; one
 * that is short-lived when half of its time is over.
 */
#define NGX_HTTP_AI_TOKEN_EARLY   300

/* seconds: no token is taken to live longer */
#define NGX_HTTP_AI_TOKEN_LIFETIME  86400

/* seconds: an endpoint that refused is not asked again at once */
#define NGX_HTTP_AI_TOKEN_PAUSE   5

#define NGX_HTTP_AI_TOKEN_TIMEOUT 10000
#define NGX_HTTP_AI_TOKEN_MAX     16384
#define NGX_HTTP_AI_TOKEN_POOL    4096


static void ngx_http_ai_token_cleanup(void *data);
static ngx_int_t ngx_http_ai_token_fetch(ngx_http_ai_token_t *token);
static ngx_chain_t *ngx_http_ai_token_request(ngx_http_ai_token_t *token,
    ngx_pool_t *pool);
static void ngx_http_ai_token_head(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_token_body(ngx_http_ai_exchange_t *ex, u_char *p,
    size_t n);
static void ngx_http_ai_token_flush(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_token_done(ngx_http_ai_exchange_t *ex,
    ai_error_e error);
static void ngx_http_ai_token_leave(ngx_connection_t *c);
static ngx_int_t ngx_http_ai_token_take(ngx_http_ai_token_t *token,
    ngx_uint_t status, ai_error_e error);
static void ngx_http_ai_token_wake(ngx_http_ai_token_t *token);


static const ngx_http_ai_exchange_ops_t  ngx_http_ai_token_ops = {
    ngx_http_ai_token_head,
    ngx_http_ai_token_body,
    ngx_http_ai_token_flush,
    ngx_http_ai_token_done,
    ngx_http_ai_token_leave
};


char *
ngx_http_ai_token_conf(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_http_ai_credential_t *key)
{
    ai_int_t                 rc;
    ai_alloc_t               alloc;
    ngx_str_t                name;
    const char              *err;
    ngx_pool_cleanup_t      *cln;
    ngx_http_ai_token_t     *token;
    ngx_http_ai_provider_t  *endpoint;

    static ngx_str_t  what = ngx_string("token_uri");

    token = ngx_pcalloc(cf->pool, sizeof(ngx_http_ai_token_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (token == NULL || cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_ai_token_cleanup;
    cln->data = token;

    ngx_http_ai_pool_alloc(cf->pool, &alloc);

    rc = ai_google_account(ngx_http_ai_str(&key->value), &alloc,
                           &token->account, &err);

    if (rc != AI_OK) {

        if (rc == AI_DECLINED) {
            ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, key->file, key->line,
                                   "key \"%V\" of ai_provider \"%V\" is no "
                                   "account of Google Cloud: %s",
                                   &key->source, &p->name, err);
        }

        return NGX_CONF_ERROR;
    }

    name = p->name;

    endpoint = ngx_http_ai_provider_create(cf, &name);
    if (endpoint == NULL) {
        return NGX_CONF_ERROR;
    }

    endpoint->vendor = p->vendor;
    endpoint->dialect = p->dialect;
    endpoint->no_key = 1;
    endpoint->file = key->file;
    endpoint->line = key->line;
    endpoint->ssl_trusted_certificate = p->ssl_trusted_certificate;

    if (ngx_http_ai_provider_endpoint(cf, endpoint, &what,
                              ngx_http_ai_ngx(&token->account.token_uri))
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    token->provider = endpoint;
    token->owner = &p->name;
    key->token = token;

    ngx_queue_init(&token->waiting);

    if (p->project.len == 0) {
        p->project = *ngx_http_ai_ngx(&token->account.project);
    }

    return NGX_CONF_OK;
}


/* what the worker has fetched */

static void
ngx_http_ai_token_cleanup(void *data)
{
    ngx_http_ai_token_t *token = data;

    if (token->pool) {
        ngx_destroy_pool(token->pool);
        token->pool = NULL;
    }
}


/* once the whole http{} is read */

char *
ngx_http_ai_token_link(ngx_conf_t *cf, ngx_http_ai_token_t *token)
{
    ngx_http_ai_provider_t  *p;

    p = token->provider;

    ngx_http_ai_provider_defaults(p);

    if (ngx_http_ai_provider_link(cf, p) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    /* balancing is done for requests, and here is none */

    if (p->upstream) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "the token endpoint of ai_provider \"%V\" is "
                               "\"%V\", which is the name of an upstream",
                               token->owner, &p->host);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_ai_token_get(ngx_http_ai_ctx_t *ctx)
{
    time_t                now;
    ngx_http_ai_token_t  *token;

    token = ctx->credential->token;
    now = ngx_time();

    if (token->value.len && token->expires > now) {

        if (token->renew <= now) {
            (void) ngx_http_ai_token_fetch(token);
        }

        return NGX_OK;
    }

    if (ngx_http_ai_token_fetch(token) != NGX_OK) {
        ctx->error = AI_ERR_UPSTREAM_AUTH;
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&token->waiting, &ctx->waiting);
    ctx->waits = 1;

    return NGX_AGAIN;
}


void
ngx_http_ai_token_forget(ngx_http_ai_ctx_t *ctx)
{
    if (ctx->waits) {
        ngx_queue_remove(&ctx->waiting);
        ctx->waits = 0;
    }
}


ngx_str_t *
ngx_http_ai_token_value(ngx_http_ai_token_t *token)
{
    return &token->value;
}


/* one at a time, and not at once after one that failed */

static ngx_int_t
ngx_http_ai_token_fetch(ngx_http_ai_token_t *token)
{
    ngx_http_ai_exchange_t  *ex;

    if (token->ex) {
        return NGX_OK;
    }

    if (token->failed && ngx_time() - token->failed < NGX_HTTP_AI_TOKEN_PAUSE)
    {
        return NGX_ERROR;
    }

    ex = ngx_http_ai_exchange_create(token->provider, NULL, ngx_cycle->log);
    if (ex == NULL) {
        return NGX_ERROR;
    }

    token->ex = ex;
    token->answer.len = 0;

    ex->data = token;
    ex->ops = &ngx_http_ai_token_ops;
    ex->decode = 1;
    ex->max_body = NGX_HTTP_AI_TOKEN_MAX;
    ex->first_timeout = NGX_HTTP_AI_TOKEN_TIMEOUT;
    ex->idle_timeout = NGX_HTTP_AI_TOKEN_TIMEOUT;
    ex->timeout = NGX_HTTP_AI_TOKEN_TIMEOUT;

    ex->request = ngx_http_ai_token_request(token, ex->pool);
    token->answer.data = ngx_pnalloc(ex->pool, NGX_HTTP_AI_TOKEN_MAX);

    if (ex->request == NULL || token->answer.data == NULL) {
        token->ex = NULL;
        ngx_http_ai_exchange_cancel(ex);
        return NGX_ERROR;
    }

    ngx_http_ai_exchange_start(ex);

    return NGX_OK;
}


static ngx_chain_t *
ngx_http_ai_token_request(ngx_http_ai_token_t *token, ngx_pool_t *pool)
{
    ai_str_t                 body;
    ngx_buf_t               *b;
    ai_alloc_t               alloc;
    ngx_chain_t             *cl;
    ngx_http_ai_provider_t  *p;

    p = token->provider;

    ngx_http_ai_pool_alloc(pool, &alloc);

    if (ai_google_request(&token->account, ngx_time(), &alloc, &body)
        != AI_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "ai provider \"%V\": the request for an access token "
                      "cannot be signed", token->owner);
        return NULL;
    }

    cl = ngx_alloc_chain_link(pool);
    b = ngx_create_temp_buf(pool, p->base.len + p->authority.len + body.len
                                  + 256);

    if (cl == NULL || b == NULL) {
        return NULL;
    }

    b->last = ngx_sprintf(b->last,
                          "POST %V HTTP/1.1\r\nHost: %V\r\n"
                          "Content-Type: application/x-www-form-urlencoded"
                          "\r\nContent-Length: %uz\r\n"
                          "Accept: application/json\r\n"
                          "Accept-Encoding: identity\r\n\r\n%V",
                          &p->base, &p->authority, body.len,
                          ngx_http_ai_ngx(&body));

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


static void
ngx_http_ai_token_head(ngx_http_ai_exchange_t *ex)
{
    ngx_http_ai_exchange_useful(ex);
}


static void
ngx_http_ai_token_body(ngx_http_ai_exchange_t *ex, u_char *p, size_t n)
{
    ngx_http_ai_token_t  *token;

    token = ex->data;

    n = ngx_min(n, NGX_HTTP_AI_TOKEN_MAX - token->answer.len);

    ngx_memcpy(token->answer.data + token->answer.len, p, n);
    token->answer.len += n;
}


static void
ngx_http_ai_token_flush(ngx_http_ai_exchange_t *ex)
{
}


static void
ngx_http_ai_token_done(ngx_http_ai_exchange_t *ex, ai_error_e error)
{
    ngx_http_ai_token_t  *token;

    token = ex->data;
    token->ex = NULL;

    if (ngx_http_ai_token_take(token, ex->head.status, error) == NGX_OK) {
        token->failed = 0;

    } else {
        token->failed = ngx_time();
    }

    ngx_http_ai_token_wake(token);
}


static void
ngx_http_ai_token_leave(ngx_connection_t *c)
{
}


static ngx_int_t
ngx_http_ai_token_take(ngx_http_ai_token_t *token, ngx_uint_t status,
    ai_error_e error)
{
    time_t       lifetime;
    uint64_t     expires;
    ai_str_t     value;
    ai_alloc_t   alloc;
    ngx_pool_t  *pool;

    if (error != AI_ERR_NONE || status != NGX_HTTP_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "ai provider \"%V\": no access token, the token "
                      "endpoint answered %ui, %s", token->owner, status,
                      error == AI_ERR_NONE ? "refused"
                                           : ai_error_row(error)->code);
        return NGX_ERROR;
    }

    pool = ngx_create_pool(NGX_HTTP_AI_TOKEN_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    ngx_http_ai_pool_alloc(pool, &alloc);

    if (ai_google_token(ngx_http_ai_str(&token->answer), &alloc, &value,
                        &expires)
        != AI_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "ai provider \"%V\": the token endpoint sent an answer "
                      "that is no access token", token->owner);
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    value.data = ngx_pstrdup(pool, ngx_http_ai_ngx(&value));
    if (value.data == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    if (token->pool) {
        ngx_destroy_pool(token->pool);
    }

    token->pool = pool;
    token->value = *ngx_http_ai_ngx(&value);

    lifetime = (time_t) ngx_min(expires, NGX_HTTP_AI_TOKEN_LIFETIME);

    token->expires = ngx_time() + lifetime;
    token->renew = token->expires - ngx_min(lifetime / 2,
                                            NGX_HTTP_AI_TOKEN_EARLY);

    return NGX_OK;
}


/* each goes on at the step that waited, and finds a token, or why not */

static void
ngx_http_ai_token_wake(ngx_http_ai_token_t *token)
{
    ngx_queue_t        *q, waiting;
    ngx_connection_t   *c;
    ngx_http_ai_ctx_t  *ctx;

    if (ngx_queue_empty(&token->waiting)) {
        return;
    }

    /* whom the next token is waited for is none of these */

    ngx_queue_init(&waiting);
    ngx_queue_add(&waiting, &token->waiting);
    ngx_queue_init(&token->waiting);

    while (!ngx_queue_empty(&waiting)) {

        q = ngx_queue_head(&waiting);
        ctx = ngx_queue_data(q, ngx_http_ai_ctx_t, waiting);
        c = ctx->request->connection;

        ngx_http_ai_token_forget(ctx);

        ngx_http_ai_run(ctx);
        ngx_http_run_posted_requests(c);
    }
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * To the client: the head, once; bytes, flushed as they come; documents.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_COPY_SIZE  1024
#define NGX_HTTP_AI_NAME_LEN   64


static ngx_int_t ngx_http_ai_reply_type(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_reply_route(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_reply_timing(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_reply_retry(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_reply_keep(ngx_http_ai_ctx_t *ctx,
    ngx_http_ai_exchange_t *ex, ngx_uint_t i);
static ai_header_e ngx_http_ai_reply_passes(ngx_http_ai_ctx_t *ctx,
    ai_str_t *name, ai_str_t *to);
static ngx_int_t ngx_http_ai_reply_push(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static u_char *ngx_http_ai_reply_copy(ngx_http_ai_ctx_t *ctx, u_char *p,
    size_t n);
static ngx_buf_t *ngx_http_ai_reply_buf(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_reply_event(ngx_http_ai_ctx_t *ctx,
    ai_error_doc_t *doc);


/* the head of the provider's answer: what of it may pass is kept */

ngx_int_t
ngx_http_ai_reply_headers(ngx_http_ai_ctx_t *ctx, ngx_http_ai_exchange_t *ex)
{
    ai_str_t     seconds, ms;
    ngx_uint_t   i;

    for (i = 0; i < ex->head.nheaders; i++) {
        if (ngx_http_ai_reply_keep(ctx, ex, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ctx->reply.status < 400) {
        return NGX_OK;
    }

    ngx_memzero(&seconds, sizeof(ai_str_t));
    ngx_memzero(&ms, sizeof(ai_str_t));

    (void) ai_http_head_find(&ex->head, ex->buf, "retry-after", &seconds);
    (void) ai_http_head_find(&ex->head, ex->buf, "retry-after-ms", &ms);

    ctx->retry_after = ai_retry_after(&seconds, &ms, ngx_time(),
                                      NGX_HTTP_AI_MAX_RETRY_AFTER);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_reply_keep(ngx_http_ai_ctx_t *ctx, ngx_http_ai_exchange_t *ex,
    ngx_uint_t i)
{
    u_char            *p, low[NGX_HTTP_AI_NAME_LEN];
    ai_str_t           name, value, to;
    ngx_str_t          key, kept;
    ai_header_e        what;
    ai_http_header_t  *line;

    line = &ex->head.headers[i];

    name.data = ex->buf + line->name;
    name.len = line->name_len;
    value.data = ex->buf + line->value;
    value.len = line->value_len;

    if (name.len > NGX_HTTP_AI_NAME_LEN) {
        return NGX_OK;
    }

    ngx_strlow(low, name.data, name.len);
    name.data = low;

    /* a type is part of the head, whatever it is */

    if (ai_str_eq(&name, "content-type")) {

        if (ctx->reply.mode == NGX_HTTP_AI_READ_OPAQUE) {
            p = ngx_pstrdup(ctx->request->pool, ngx_http_ai_ngx(&value));
            if (p == NULL) {
                return NGX_ERROR;
            }

            ctx->request->headers_out.content_type.data = p;
            ctx->request->headers_out.content_type.len = value.len;
            ctx->request->headers_out.content_type_len = value.len;
        }

        return NGX_OK;
    }

    what = ngx_http_ai_reply_passes(ctx, &name, &to);

    if (what == AI_HEADER_DROP) {
        return NGX_OK;
    }

    if (what == AI_HEADER_RENAME) {
        name = to;
    }

    p = ngx_pnalloc(ctx->request->pool, name.len + value.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key.data = p;
    key.len = name.len;
    p = ngx_cpymem(p, name.data, name.len);

    kept.data = p;
    kept.len = value.len;
    ngx_memcpy(p, value.data, value.len);

    return ngx_http_ai_reply_push(ctx->request, &key, &kept);
}


/* the table of the core, and what this answer and location make of it */

static ai_header_e
ngx_http_ai_reply_passes(ngx_http_ai_ctx_t *ctx, ai_str_t *name,
    ai_str_t *to)
{
    ai_header_e  what;

    /* how an opaque body is coded belongs to it */

    if (ctx->reply.mode == NGX_HTTP_AI_READ_OPAQUE
        && ai_str_eq(name, "content-encoding"))
    {
        return AI_HEADER_PASS;
    }

    /* written anew, with a cap */

    if (ai_str_eq(name, "retry-after") || ai_str_eq(name, "retry-after-ms")) {
        return AI_HEADER_DROP;
    }

    what = ai_header_response(name, to);

    if ((what == AI_HEADER_ACCOUNT
         && !(ctx->lcf->headers & NGX_HTTP_AI_HEADERS_UPSTREAM))
        || (what == AI_HEADER_RENAME
            && (ctx->lcf->headers & NGX_HTTP_AI_HEADERS_OFF)))
    {
        return AI_HEADER_DROP;
    }

    return what;
}


ngx_int_t
ngx_http_ai_reply_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_str_t  key;

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    return ngx_http_ai_reply_push(r, &key, value);
}


/* name is in lower case */

static ngx_int_t
ngx_http_ai_reply_push(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key = *name;
    h->lowcase_key = name->data;
    h->value = *value;
    ngx_http_ai_header_unlink(h);

    return NGX_OK;
}


ngx_int_t
ngx_http_ai_reply_commit(ngx_http_ai_ctx_t *ctx, ngx_uint_t status,
    off_t length)
{
    ngx_int_t                  rc;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = ctx->request;

    ctx->committed = 1;

    r->headers_out.status = status;
    r->headers_out.content_length_n = length;

    if (length == -1) {
        ngx_http_clear_content_length(r);
        ngx_http_clear_accept_ranges(r);
    }

    if (ngx_http_ai_reply_type(ctx) != NGX_OK
        || ngx_http_ai_reply_route(ctx) != NGX_OK
        || ngx_http_ai_reply_retry(ctx) != NGX_OK
        || ngx_http_ai_cors(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }

    if (r->header_only) {
        return NGX_DONE;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (length == -1 && clcf->tcp_nodelay
        && ngx_tcp_nodelay(r->connection) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_reply_type(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    static ngx_str_t  json = ngx_string("application/json");
    static ngx_str_t  store = ngx_string("no-store");
    static ngx_str_t  no = ngx_string("no");
    static ngx_str_t  nosniff = ngx_string("nosniff");

    r = ctx->request;

    if (ngx_http_ai_reply_header(r, "x-content-type-options", &nosniff)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->reply.mode == NGX_HTTP_AI_READ_OPAQUE) {
        return NGX_OK;
    }

    if (ctx->reply.mode != NGX_HTTP_AI_READ_EVENTS) {
        r->headers_out.content_type = json;
        r->headers_out.content_type_len = json.len;
        return NGX_OK;
    }

    r->headers_out.content_type = *ngx_http_ai_hub_type(ctx);
    r->headers_out.content_type_len = r->headers_out.content_type.len;

#if (NGX_HTTP_GZIP)

    /* compression would collect events, whatever gzip_types says */

    r->gzip_tested = 1;
    r->gzip_ok = 0;

#endif

    /* neither must an nginx, or a CDN, in front of us */

    if (ngx_http_ai_reply_header(r, "cache-control", &store) != NGX_OK
        || ngx_http_ai_reply_header(r, "x-accel-buffering", &no) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_reply_route(ngx_http_ai_ctx_t *ctx)
{
    u_char              *p;
    ngx_str_t            value, *id;
    ngx_http_request_t  *r;

    r = ctx->request;
    id = ngx_http_ai_ngx(&ctx->record.id);

    /* SDKs of either family read one of them */

    if (ngx_http_ai_reply_header(r, "x-request-id", id) != NGX_OK
        || ngx_http_ai_reply_header(r, "request-id", id) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if ((ctx->lcf->headers & NGX_HTTP_AI_HEADERS_TIMING)
        && ngx_http_ai_reply_timing(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!(ctx->lcf->headers & NGX_HTTP_AI_HEADERS_ROUTE)) {
        return NGX_OK;
    }

    if (ctx->record.dropped.len
        && ngx_http_ai_reply_header(r, "x-ai-dropped",
                                    ngx_http_ai_ngx(&ctx->record.dropped))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->record.nattempts == 0) {
        return NGX_OK;
    }

    /* named as the variables are */

    if (ctx->tier
        && ngx_http_ai_reply_header(r, "x-ai-model", &ctx->tier->name)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->target.model.len
        && ngx_http_ai_reply_header(r, "x-ai-upstream-model",
                                    &ctx->target.model)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_ai_reply_header(r, "x-ai-provider",
                                 &ctx->target.provider->name)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%ui", ctx->record.nattempts) - p;

    return ngx_http_ai_reply_header(r, "x-ai-attempts", &value);
}


/* what the gateway took, and what the provider took */

static ngx_int_t
ngx_http_ai_reply_timing(ngx_http_ai_ctx_t *ctx)
{
    u_char     *p;
    uint64_t    own, up;
    ngx_str_t   value;

    own = ngx_http_ai_overhead(ctx, ngx_http_ai_now(), &up);

    p = ngx_pnalloc(ctx->request->pool, NGX_HTTP_AI_MESSAGE_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_snprintf(p, NGX_HTTP_AI_MESSAGE_LEN,
                             "gw;dur=%uL.%03uL, up;dur=%uL.%03uL",
                             own / 1000, own % 1000, up / 1000, up % 1000)
                - p;

    return ngx_http_ai_reply_header(ctx->request, "server-timing", &value);
}


static ngx_int_t
ngx_http_ai_reply_retry(ngx_http_ai_ctx_t *ctx)
{
    u_char     *p;
    ngx_str_t   value;

    static ngx_str_t  no = ngx_string("false");

    if (ctx->error == AI_ERR_NONE) {
        return NGX_OK;
    }

    /* these look as if trying again could help */

    if (ctx->error == AI_ERR_QUOTA || ctx->error == AI_ERR_UNSUPPORTED) {
        return ngx_http_ai_reply_header(ctx->request, "x-should-retry", &no);
    }

    if (ctx->retry_after < 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(ctx->request->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%i", ctx->retry_after) - p;

    return ngx_http_ai_reply_header(ctx->request, "retry-after", &value);
}


ngx_int_t
ngx_http_ai_reply_add(ngx_http_ai_ctx_t *ctx, u_char *p, size_t n,
    ngx_uint_t copy)
{
    ngx_buf_t            *b;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    if (n == 0) {
        return NGX_OK;
    }

    if (copy) {
        p = ngx_http_ai_reply_copy(ctx, p, n);
        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    ctx->record.response_bytes += n;

    /* events that lie side by side are one buffer */

    b = reply->tail;

    if (b && b->last == p) {
        b->last += n;
        return NGX_OK;
    }

    b = ngx_http_ai_reply_buf(ctx);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = p;
    b->last = p + n;
    b->memory = 1;

    return NGX_OK;
}


static u_char *
ngx_http_ai_reply_copy(ngx_http_ai_ctx_t *ctx, u_char *p, size_t n)
{
    u_char     *to;
    size_t      size;
    ngx_buf_t  *b;

    b = &ctx->reply.copy;

    if ((size_t) (b->end - b->last) < n) {

        /* what is queued stays where it is */

        size = ngx_max((size_t) (b->end - b->start) * 2,
                       ngx_max(n, NGX_HTTP_AI_COPY_SIZE));

        b->start = ngx_palloc(ctx->request->pool, size);
        if (b->start == NULL) {
            b->last = NULL;
            b->end = NULL;
            return NULL;
        }

        b->last = b->start;
        b->end = b->start + size;
    }

    to = b->last;
    b->last = ngx_cpymem(to, p, n);

    return to;
}


static ngx_buf_t *
ngx_http_ai_reply_buf(ngx_http_ai_ctx_t *ctx)
{
    ngx_buf_t            *b;
    ngx_chain_t          *cl;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    cl = ngx_chain_get_free_buf(ctx->request->pool, &reply->free);
    if (cl == NULL) {
        return NULL;
    }

    if (reply->out == NULL) {
        reply->last = &reply->out;
    }

    *reply->last = cl;
    reply->last = &cl->next;

    b = cl->buf;
    ngx_memzero(b, sizeof(ngx_buf_t));
    b->tag = (ngx_buf_tag_t) &ngx_http_ai_gateway_module;

    reply->tail = b;

    return b;
}


ngx_int_t
ngx_http_ai_reply_flush(ngx_http_ai_ctx_t *ctx, ngx_uint_t last)
{
    ngx_int_t                  rc;
    ngx_buf_t                 *b;
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_ai_reply_t       *reply;
    ngx_http_core_loc_conf_t  *clcf;

    r = ctx->request;
    reply = &ctx->reply;

    if (last && reply->out == NULL && ngx_http_ai_reply_buf(ctx) == NULL) {
        return NGX_ERROR;
    }

    b = reply->tail;

    if (b) {
        b->flush = !last;
        b->last_buf = (last && r == r->main);
        b->last_in_chain = last;
        b->sync = (last && b->pos == b->last);
    }

    if (reply->out == NULL && reply->busy == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_output_filter(r, reply->out);

    ngx_chain_update_chains(r->pool, &reply->free, &reply->busy, &reply->out,
                            (ngx_buf_tag_t) &ngx_http_ai_gateway_module);

    reply->last = &reply->out;
    reply->tail = NULL;

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (reply->busy == NULL) {
        reply->copy.last = reply->copy.start;

        if (reply->translate) {
            ai_buf_rewind(ai_translate_out(reply->translate));
        }
    }

    wev = r->connection->write;

    /* while limit_rate holds us back, the timer is its own */

    if (r->connection->data == r && !wev->delayed) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
            return NGX_ERROR;
        }

        if (wev->active && !wev->ready) {
            ngx_add_timer(wev, clcf->send_timeout);

        } else if (wev->timer_set) {
            ngx_del_timer(wev);
        }
    }

    return reply->busy ? NGX_AGAIN : NGX_OK;
}


void
ngx_http_ai_reply_writer(ngx_http_request_t *r)
{
    ngx_event_t        *wev;
    ngx_http_ai_ctx_t  *ctx;

    wev = r->connection->write;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ai_gateway_module);

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT,
                      "client timed out");
        r->connection->timedout = 1;
        ctx->record.outcome = AI_OUTCOME_CLIENT_ABORT;
        ngx_http_ai_finish(ctx, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (wev->delayed) {

        if (ngx_handle_write_event(wev, 0) != NGX_OK) {
            ngx_http_ai_finish(ctx, NGX_ERROR);
        }

        return;
    }

    if (!ctx->committed) {
        return;
    }

    switch (ngx_http_ai_reply_flush(ctx, 0)) {

    case NGX_ERROR:
        ngx_http_ai_finish(ctx, NGX_ERROR);
        return;

    case NGX_OK:
        if (ctx->ex) {
            ngx_http_ai_exchange_resume(ctx->ex);
        }
    }
}


void
ngx_http_ai_reply_document(ngx_http_ai_ctx_t *ctx, ngx_uint_t status,
    ngx_str_t *body)
{
    ngx_int_t  rc;

    rc = ngx_http_ai_reply_commit(ctx, status, body->len);

    if (rc == NGX_OK) {
        rc = ngx_http_ai_reply_add(ctx, body->data, body->len, 0);
    }

    if (rc == NGX_OK) {
        ngx_http_ai_reply_end(ctx);
        return;
    }

    ngx_http_ai_finish(ctx, rc == NGX_ERROR ? NGX_ERROR : NGX_OK);
}


void
ngx_http_ai_reply_end(ngx_http_ai_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_ai_reply_flush(ctx, 1);

    ngx_http_ai_finish(ctx, rc == NGX_ERROR ? NGX_ERROR : NGX_OK);
}


void
ngx_http_ai_reply_error(ngx_http_ai_ctx_t *ctx)
{
    ngx_uint_t           i;
    ai_str_t             out;
    ai_record_t         *rec;
    ai_error_doc_t       doc;

    rec = &ctx->record;

    ngx_memzero(&doc, sizeof(ai_error_doc_t));

    doc.error = ctx->error;
    doc.status = ctx->status;
    doc.message = *ngx_http_ai_str(&ctx->message);
    doc.param = *ngx_http_ai_str(&ctx->param);
    doc.request_id = rec->id;
    doc.retry_after = ctx->retry_after;
    doc.nattempts = rec->nattempts;
    doc.sequence = ctx->reply.tap.events;

    if (rec->nattempts) {
        doc.attempts = ngx_palloc(ctx->request->pool,
                                  rec->nattempts * sizeof(ai_attempt_doc_t));
        if (doc.attempts == NULL) {
            doc.nattempts = 0;
        }
    }

    for (i = 0; i < doc.nattempts; i++) {
        doc.attempts[i] = rec->attempts[i].doc;
    }

    if (ctx->committed) {
        ngx_http_ai_reply_event(ctx, &doc);
        return;
    }

    ctx->reply.mode = NGX_HTTP_AI_READ_NONE;
    ctx->reply.out = NULL;
    ctx->reply.tail = NULL;
    ctx->record.response_bytes = 0;

    if (ctx->surface.dialect->error(&doc, &ctx->alloc, &out) != AI_OK) {
        ngx_http_ai_finish(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_ai_reply_document(ctx, ai_error_status(&doc),
                               ngx_http_ai_ngx(&out));
}


/* in mid-stream: the truth as an event, and no end mark after it */

static void
ngx_http_ai_reply_event(ngx_http_ai_ctx_t *ctx, ai_error_doc_t *doc)
{
    ai_str_t              out;
    ai_int_t              rc;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    /* a document cut, or a client that does not read: cut visibly */

    if (reply->mode != NGX_HTTP_AI_READ_EVENTS || reply->busy
        || reply->ended)
    {
        ngx_http_ai_finish(ctx, NGX_ERROR);
        return;
    }

    if (reply->translate) {
        rc = ai_translate_error(reply->translate, doc);

        if (rc == AI_OK) {
            rc = ai_buf_get(ai_translate_out(reply->translate), &out);
        }

    } else {
        rc = ctx->surface.dialect->error_event(doc, ctx->surface.op,
                                               &ctx->alloc, &out);
    }

    if (rc != AI_OK
        || ngx_http_ai_reply_add(ctx, out.data, out.len, 0) != NGX_OK)
    {
        ngx_http_ai_finish(ctx, NGX_ERROR);
        return;
    }

    ngx_http_ai_reply_end(ctx);
}

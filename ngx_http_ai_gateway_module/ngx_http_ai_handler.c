
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The content handler: surface, body, the step table, and the one place
 * where a request ends.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


static ngx_http_ai_ctx_t *ngx_http_ai_create_ctx(ngx_http_request_t *r);
static void ngx_http_ai_mask(ngx_str_t *line, ngx_uint_t uri);
static ngx_int_t ngx_http_ai_surface(ngx_http_ai_ctx_t *ctx);
static ngx_uint_t ngx_http_ai_dots(ngx_http_request_t *r);
static ngx_int_t ngx_http_ai_redirected(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_body_handler(ngx_http_request_t *r);
static void ngx_http_ai_join_body(ngx_http_request_body_t *rb);
static void ngx_http_ai_cleanup(void *data);
static ai_outcome_e ngx_http_ai_outcome(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_settle(ngx_http_ai_ctx_t *ctx);


ngx_int_t
ngx_http_ai_handler(ngx_http_request_t *r)
{
    ngx_int_t           rc;
    ngx_http_ai_ctx_t  *ctx;

    ctx = ngx_http_ai_create_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_ai_surface(ctx);

    if (ngx_http_ai_redirected(ctx) == NGX_OK) {
        rc = NGX_ERROR;
    }

    if (rc != NGX_OK || ctx->surface.op >= AI_OP_MODELS) {

        /* answered without the body, which nobody will read */

        if (ngx_http_discard_request_body(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        r->main->count++;

        if (rc == NGX_OK) {
            ngx_http_ai_local(ctx);

        } else {
            ngx_http_ai_fail(ctx, ctx->error);
        }

        return NGX_DONE;
    }

    r->request_body_in_single_buf = !ctx->opaque;

    rc = ngx_http_read_client_request_body(r, ngx_http_ai_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static ngx_http_ai_ctx_t *
ngx_http_ai_create_ctx(ngx_http_request_t *r)
{
    ngx_table_elt_t     *h;
    ngx_http_cleanup_t  *cln;
    ngx_http_ai_ctx_t   *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_ai_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_ai_cleanup;
    cln->data = ctx;

    ctx->request = r;
    ctx->lcf = ngx_http_get_module_loc_conf(r, ngx_http_ai_gateway_module);
    ctx->mcf = ngx_http_get_module_main_conf(r, ngx_http_ai_gateway_module);
    ctx->start = ngx_http_ai_now();
    ctx->retry_after = -1;

    ngx_http_ai_pool_alloc(r->pool, &ctx->alloc);

    ctx->record.ttft_us = -1;
    ctx->record.time_ms = (uint64_t) r->start_sec * 1000 + r->start_msec;

    ngx_memcpy(&ctx->record.remote, &r->connection->addr_text,
               sizeof(ai_str_t));

    h = r->headers_in.user_agent;

    if (h) {
        ctx->record.client = *ai_record_client(ngx_http_ai_str(&h->value));
    }

    ngx_http_set_ctx(r, ctx, ngx_http_ai_gateway_module);

    ngx_http_ai_known_headers(r, &ctx->known);

    if (r->args.len) {
        ngx_http_ai_mask(&r->args, 0);
        ngx_http_ai_mask(&r->unparsed_uri, 1);
        ngx_http_ai_mask(&r->request_line, 1);
    }

    if (ngx_http_ai_identify(ctx) != NGX_OK) {
        return NULL;
    }

    return ctx;
}


/*
 * Gemini's clients put their key into the URI, which nginx writes to both of
 * its logs.  In HTTP/1 the three are the same bytes, in HTTP/2 they are not.
 */

static void
ngx_http_ai_mask(ngx_str_t *line, ngx_uint_t uri)
{
    u_char    *p, *last, *space;
    ai_str_t   args;

    p = line->data;
    last = p + line->len;

    if (uri) {
        p = ngx_strlchr(p, last, '?');

        if (p == NULL) {
            return;
        }

        p++;
    }

    /* the protocol follows in a request line */

    space = ngx_strlchr(p, last, ' ');

    args.data = p;
    args.len = (space ? space : last) - p;

    ai_args_mask(&args);
}


/* which operation this is, and the dialect of whatever we may have to say */

static ngx_int_t
ngx_http_ai_surface(ngx_http_ai_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;
    ctx->hints = ngx_http_ai_hints(r, &ctx->known);

    rc = ai_surface_find(&ctx->surface, ngx_http_ai_str(&r->method_name),
                         ngx_http_ai_str(&r->uri), ctx->hints);

    ctx->record.dialect = ctx->surface.dialect->name;

    if (rc == AI_DECLINED) {
        ctx->error = AI_ERR_NOT_FOUND;
        return NGX_ERROR;
    }

    ctx->record.op = *ai_op_name(ctx->surface.op);

    if (rc == AI_ERROR) {
        ctx->error = AI_ERR_METHOD;
        return NGX_ERROR;
    }

    if (ngx_http_ai_dots(r)) {
        ctx->error = AI_ERR_BAD_REQUEST;
        ngx_str_set(&ctx->message, "\"..\" is not allowed in a path");
        return NGX_ERROR;
    }

    /* without tiers the models are those of the provider */

    if ((ctx->surface.op == AI_OP_MODELS || ctx->surface.op == AI_OP_MODEL)
        && ctx->mcf->tiers.nelts == 0 && !(ctx->hints & AI_HINT_CODEX))
    {
        ctx->surface.op = AI_OP_PASS;
    }

    ctx->opaque = (ctx->surface.op == AI_OP_PASS);

    if (r->headers_in.upgrade && ctx->opaque) {
        ctx->error = AI_ERR_UNSUPPORTED;
        ngx_str_set(&ctx->message, "WebSocket is not supported, use HTTP");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_ai_hints(ngx_http_request_t *r, ngx_http_ai_known_t *known)
{
    ai_str_t          value;
    ngx_uint_t        hints;
    ngx_table_elt_t  *h;

    hints = 0;

    if (known->anthropic_version) {
        hints |= AI_HINT_ANTHROPIC_VERSION;
    }

    if (known->goog) {
        hints |= AI_HINT_GOOG;
    }

    if (known->origin) {
        hints |= AI_HINT_ORIGIN;
    }

    h = known->originator;

    if (h && h->value.len >= 5
        && ngx_strncasecmp(h->value.data, (u_char *) "codex", 5) == 0)
    {
        hints |= AI_HINT_CODEX;
    }

    if (r->args.len == 0) {
        return hints;
    }

    if (ai_args_find(ngx_http_ai_str(&r->args), "key", &value) == AI_OK) {
        hints |= AI_HINT_GOOG;
    }

    if (ai_args_find(ngx_http_ai_str(&r->args), "client_version", &value)
        == AI_OK)
    {
        hints |= AI_HINT_CODEX;
    }

    return hints;
}


/* nginx has resolved them, but who sends "..%2f" asks for something else */

static ngx_uint_t
ngx_http_ai_dots(ngx_http_request_t *r)
{
    u_char      *p, *last;
    ngx_uint_t   dots;

    p = r->unparsed_uri.data;
    last = p + r->unparsed_uri.len;
    dots = 0;

    while (p < last && *p != '?' && dots < 2) {

        if (*p == '.') {
            dots++;
            p++;

        } else if (last - p >= 3 && p[0] == '%' && p[1] == '2'
                   && (p[2] | 0x20) == 'e')
        {
            dots++;
            p += 3;

        } else {
            dots = 0;
            p++;
        }
    }

    return dots == 2;
}


/*
 * nginx itself refused the request and was told by our error_page to come
 * here, so that the client reads why in its own dialect.
 */

static ngx_int_t
ngx_http_ai_redirected(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (!r->error_page) {
        return NGX_DECLINED;
    }

    switch (r->err_status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        ctx->error = AI_ERR_TOO_LARGE;
        return NGX_OK;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        ctx->error = AI_ERR_RATE_LIMIT;
        return NGX_OK;

    case NGX_HTTP_SERVICE_UNAVAILABLE:

        /* the default of limit_req_status and limit_conn_status */

        ctx->error = AI_ERR_RATE_LIMIT;
        ctx->status = NGX_HTTP_SERVICE_UNAVAILABLE;
        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


static void
ngx_http_ai_body_handler(ngx_http_request_t *r)
{
    ngx_connection_t   *c;
    ngx_http_ai_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ai_gateway_module);
    c = r->connection;

    ctx->body_done = ngx_http_ai_now();

    /* from now on the client may leave at any time */

    if (r->main == r) {

        if (c->read->ready) {
            ngx_post_event(c->read, &ngx_posted_events);

        } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_ai_reply_writer;

    ngx_http_ai_run(ctx);
}


void
ngx_http_ai_run(ngx_http_ai_ctx_t *ctx)
{
    ngx_int_t  rc;

    while (ngx_http_ai_steps[ctx->step]) {

        rc = ngx_http_ai_steps[ctx->step](ctx);

        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                       "ai handler step %ui: %i", ctx->step, rc);

        if (rc == NGX_OK) {
            ctx->step++;
            continue;
        }

        if (rc == NGX_ERROR) {
            ngx_http_ai_fail(ctx, ctx->error);
        }

        /* NGX_AGAIN, NGX_DONE: somebody else goes on */

        return;
    }
}


void
ngx_http_ai_fail(ngx_http_ai_ctx_t *ctx, ai_error_e error)
{
    ctx->error = (error == AI_ERR_NONE) ? AI_ERR_INTERNAL : error;

    ngx_http_ai_attempt_cancel(ctx);
    ngx_http_ai_attempt_blame(ctx);

    ngx_http_ai_reply_error(ctx);
}


void
ngx_http_ai_finish(ngx_http_ai_ctx_t *ctx, ngx_int_t rc)
{
    if (ctx->state == NGX_HTTP_AI_FINISHED) {
        return;
    }

    if (rc == NGX_ERROR && ctx->error == AI_ERR_NONE) {

        /* what else can fail now is sending */

        ctx->record.outcome = AI_OUTCOME_CLIENT_ABORT;
    }

    ngx_http_ai_settle(ctx);

    ngx_http_finalize_request(ctx->request, rc);
}


/* the client left, or the normal end; runs before the log is written */

static void
ngx_http_ai_cleanup(void *data)
{
    ngx_http_ai_ctx_t  *ctx = data;

    if (ctx->state == NGX_HTTP_AI_FINISHED) {
        return;
    }

    ctx->record.outcome = AI_OUTCOME_CLIENT_ABORT;

    ngx_http_ai_settle(ctx);
}


/* exactly once, however the request ends */

static void
ngx_http_ai_settle(ngx_http_ai_ctx_t *ctx)
{
    uint64_t      now, upstream;
    ai_tap_t     *tap;
    ai_record_t  *rec;

    ctx->state = NGX_HTTP_AI_FINISHED;

    ngx_http_ai_token_forget(ctx);
    ngx_http_ai_attempt_cancel(ctx);

    now = ngx_http_ai_now();
    tap = &ctx->reply.tap;
    rec = &ctx->record;

    rec->error = ctx->error;
    rec->duration_us = now - ctx->start;
    rec->status = ctx->request->headers_out.status;

    if (rec->outcome == AI_OUTCOME_NONE) {
        rec->outcome = ngx_http_ai_outcome(ctx);
    }

    rec->overhead_us = ngx_http_ai_overhead(ctx, now, &upstream);

    if (tap->dialect == NULL) {
        return;
    }

    if (rec->outcome != AI_OUTCOME_CLIENT_ERROR && !ctx->opaque
        && tap->usage.source == AI_USAGE_NONE && tap->content)
    {
        ai_tap_estimate(tap, ctx->body.len);
    }

    rec->usage = tap->usage;
    rec->model_response = tap->model;
    rec->finish = tap->finish;
    rec->tools = tap->tools;
}


uint64_t
ngx_http_ai_overhead(ngx_http_ai_ctx_t *ctx, uint64_t now,
    uint64_t *upstream)
{
    *upstream = 0;

    if (ctx->attempt_start) {
        *upstream = (ctx->attempt_end ? ctx->attempt_end : now)
                    - ctx->attempt_start;
    }

    return now - (ctx->body_done ? ctx->body_done : ctx->start) - *upstream;
}


static ai_outcome_e
ngx_http_ai_outcome(ngx_http_ai_ctx_t *ctx)
{
    switch (ctx->error) {

    case AI_ERR_NONE:
        return AI_OUTCOME_OK;

    case AI_ERR_UNAUTHORIZED:
    case AI_ERR_FORBIDDEN:
        return AI_OUTCOME_DENIED;

    case AI_ERR_RATE_LIMIT:
    case AI_ERR_QUOTA:
        return AI_OUTCOME_LIMITED;

    case AI_ERR_CONNECT_TIMEOUT:
    case AI_ERR_FIRST_TOKEN_TIMEOUT:
    case AI_ERR_IDLE_TIMEOUT:
    case AI_ERR_TIMEOUT:
        return AI_OUTCOME_UPSTREAM_TIMEOUT;

    case AI_ERR_UPSTREAM_RESET:
    case AI_ERR_UPSTREAM_TRUNCATED:
        return ctx->committed ? AI_OUTCOME_TRUNCATED
                              : AI_OUTCOME_UPSTREAM_ERROR;

    default:
        return ctx->error < AI_ERR_INTERNAL ? AI_OUTCOME_CLIENT_ERROR
                                            : AI_OUTCOME_UPSTREAM_ERROR;
    }
}


/*
 * What came with the head lies in another buffer than the rest, which has
 * room for it.
 */

static void
ngx_http_ai_join_body(ngx_http_request_body_t *rb)
{
    size_t        len;
    ngx_buf_t    *head, *b;
    ngx_chain_t  *cl;

    cl = rb->bufs;
    head = cl->buf;

    if (cl->next == NULL || cl->next->next != NULL) {
        return;
    }

    b = cl->next->buf;
    len = head->last - head->pos;

    if (rb->buf == NULL || b->end != rb->buf->end || b->in_file
        || head->in_file || (size_t) (b->end - b->last) < len)
    {
        return;
    }

    ngx_memmove(b->pos + len, b->pos, b->last - b->pos);
    ngx_memcpy(b->pos, head->pos, len);
    b->last += len;

    rb->bufs = cl->next;
}


ngx_int_t
ngx_http_ai_request_body(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    size_t        len;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_str_null(body);

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    ngx_http_ai_join_body(r->request_body);

    cl = r->request_body->bufs;

    if (cl->next == NULL && ngx_buf_in_memory(cl->buf)) {
        body->data = cl->buf->pos;
        body->len = cl->buf->last - cl->buf->pos;
        return NGX_OK;
    }

    len = 0;

    for ( /* void */ ; cl; cl = cl->next) {
        len += (size_t) ngx_buf_size(cl->buf);
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;
    body->len = len;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;
        len = (size_t) ngx_buf_size(b);

        if (len == 0) {

            /* the mark of the end */

            continue;
        }

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, len);
            continue;
        }

        /* it was written a moment ago: the page cache has it */

        n = ngx_read_file(b->file, p, len, b->file_pos);

        if (n == NGX_ERROR || (size_t) n != len) {
            return NGX_ERROR;
        }

        p += len;
    }

    return NGX_OK;
}

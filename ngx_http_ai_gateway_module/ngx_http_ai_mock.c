
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * "ai_mock": a provider that needs no account.  What it says comes from
 * core/ai_mock.c, here are its delays and its broken connections.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ai_header.h"
#include "ngx_http_ai_gateway.h"
#include "ngx_http_ai_mock.h"


#define NGX_HTTP_AI_MOCK_TICK   1000
#define NGX_HTTP_AI_MOCK_STALL  3600      /* ticks */


typedef struct {
    ngx_http_request_t       *request;
    ngx_http_ai_mock_t       *conf;
    ai_alloc_t                alloc;
    ai_mock_t                 mock;

    ngx_event_t               timer;      /* a pause, or a tick of a stall */
    ngx_uint_t                ticks;
    ngx_buf_t                 buf;        /* its memory is the mock's: no
                                             next piece until it is empty */
    ngx_chain_t               out;

    unsigned                  header_sent:1;
    unsigned                  watched:1;  /* set once there is a wait */
} ngx_http_ai_mock_ctx_t;


static void ngx_http_ai_mock_start(ngx_http_request_t *r);
static ngx_int_t ngx_http_ai_mock_init(ngx_http_ai_mock_ctx_t *ctx);
static void ngx_http_ai_mock_run(ngx_http_ai_mock_ctx_t *ctx);
static ngx_int_t ngx_http_ai_mock_header(ngx_http_ai_mock_ctx_t *ctx);
static ngx_int_t ngx_http_ai_mock_send(ngx_http_ai_mock_ctx_t *ctx,
    ai_str_t *out);
static ngx_uint_t ngx_http_ai_mock_ends_well(ngx_http_ai_mock_ctx_t *ctx);
static void ngx_http_ai_mock_break(ngx_http_ai_mock_ctx_t *ctx);
static void ngx_http_ai_mock_reset(ngx_http_ai_mock_ctx_t *ctx);
static ngx_msec_t ngx_http_ai_mock_delay(ngx_http_ai_mock_ctx_t *ctx);
static ngx_int_t ngx_http_ai_mock_watch(ngx_http_ai_mock_ctx_t *ctx);
static ngx_int_t ngx_http_ai_mock_wait_output(ngx_http_ai_mock_ctx_t *ctx);
static void ngx_http_ai_mock_writer(ngx_http_request_t *r);
static void ngx_http_ai_mock_timer_handler(ngx_event_t *ev);
static void ngx_http_ai_mock_stall_handler(ngx_event_t *ev);
static void ngx_http_ai_mock_cleanup(void *data);


ngx_int_t
ngx_http_ai_mock_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_read_client_request_body(r, ngx_http_ai_mock_start);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_ai_mock_start(ngx_http_request_t *r)
{
    ngx_msec_t               delay;
    ngx_http_ai_loc_conf_t  *lcf;
    ngx_http_ai_mock_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_ai_mock_ctx_t));
    if (ctx == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_ai_gateway_module);

    ctx->request = r;
    ctx->conf = lcf->mock;
    ctx->out.buf = &ctx->buf;

    if (ngx_http_ai_mock_init(ctx) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ctx->mock.fault == AI_MOCK_RESET) {
        ngx_http_ai_mock_reset(ctx);
        return;
    }

    /* a document is held back with its head, a stream begins at once */

    delay = ngx_http_ai_mock_delay(ctx);

    if (delay) {
        if (ngx_http_ai_mock_watch(ctx) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        ngx_add_timer(&ctx->timer, delay);
        return;
    }

    ngx_http_ai_mock_run(ctx);
}


static ngx_int_t
ngx_http_ai_mock_init(ngx_http_ai_mock_ctx_t *ctx)
{
    ai_str_t              alt;
    ai_mock_request_t     req;
    ngx_http_request_t   *r;
    ngx_http_ai_known_t   known;

    r = ctx->request;

    ngx_memzero(&req, sizeof(ai_mock_request_t));

    if (ngx_http_ai_request_body(r, ngx_http_ai_ngx(&req.body)) != NGX_OK) {
        return NGX_ERROR;
    }

    req.path = *ngx_http_ai_str(&r->uri);

    ngx_http_ai_known_headers(r, &known);
    req.hints = ngx_http_ai_hints(r, &known);
    req.found = ai_surface_find(&req.surface,
                                ngx_http_ai_str(&r->method_name),
                                ngx_http_ai_str(&r->uri), req.hints);
    req.number = ctx->conf->number++;
    req.now = ngx_time();

    if (r->args.len
        && ai_args_find(ngx_http_ai_str(&r->args), "alt", &alt) == AI_OK)
    {
        req.sse = ai_str_eq(&alt, "sse");
    }

    ngx_http_ai_pool_alloc(r->pool, &ctx->alloc);

    return ai_mock_init(&ctx->mock, &ctx->conf->core, &req, &ctx->alloc);
}


/* sends up to the next pause, or to the end; may finalize */

static void
ngx_http_ai_mock_run(ngx_http_ai_mock_ctx_t *ctx)
{
    ai_str_t             out;
    ngx_int_t            rc;
    ngx_msec_t           delay;
    ngx_http_request_t  *r;

    r = ctx->request;

    for ( ;; ) {

        rc = ai_mock_next(&ctx->mock, ctx->conf->waits, &out);

        if (rc == AI_ERROR) {
            ngx_http_finalize_request(r, ctx->header_sent ? NGX_ERROR
                                         : NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        if (rc == AI_DONE) {
            ngx_http_ai_mock_break(ctx);
            return;
        }

        rc = ngx_http_ai_mock_send(ctx, &out);

        if (rc == NGX_ERROR || rc == NGX_DONE || rc > NGX_OK) {
            ngx_http_finalize_request(r, rc == NGX_DONE ? NGX_OK : rc);
            return;
        }

        if (ngx_http_ai_mock_ends_well(ctx)) {
            ngx_http_finalize_request(r, rc);
            return;
        }

        delay = ctx->mock.done ? 0 : ngx_http_ai_mock_delay(ctx);

        if (delay == 0 && ngx_buf_size(&ctx->buf) == 0) {
            continue;
        }

        if (ngx_http_ai_mock_watch(ctx) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }

        if (ngx_buf_size(&ctx->buf) != 0
            && ngx_http_ai_mock_wait_output(ctx) != NGX_OK)
        {
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }

        if (delay) {
            ngx_add_timer(&ctx->timer, delay);
        }

        return;
    }
}


/* NGX_OK, NGX_DONE: no body may follow, or what the filters returned */

static ngx_int_t
ngx_http_ai_mock_header(ngx_http_ai_mock_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    r->headers_out.status = ctx->mock.status;
    r->headers_out.content_type = *ngx_http_ai_ngx(&ctx->mock.content_type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = ctx->mock.stream
                                      ? -1 : (off_t) ctx->mock.length;

    if (ngx_http_ai_reply_header(r, "x-request-id",
                                 ngx_http_ai_ngx(&ctx->mock.request_id))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->header_sent = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    return r->header_only ? NGX_DONE : NGX_OK;
}


static ngx_int_t
ngx_http_ai_mock_send(ngx_http_ai_mock_ctx_t *ctx, ai_str_t *out)
{
    ngx_int_t   rc;
    ngx_buf_t  *b;

    if (!ctx->header_sent) {
        rc = ngx_http_ai_mock_header(ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    b = ctx->out.buf;
    ngx_memzero(b, sizeof(ngx_buf_t));

    b->tag = (ngx_buf_tag_t) &ngx_http_ai_gateway_module;

    if (out->len) {
        b->start = out->data;
        b->pos = out->data;
        b->last = out->data + out->len;
        b->end = b->last;
        b->temporary = 1;
    }

    if (ngx_http_ai_mock_ends_well(ctx)) {
        b->last_buf = (ctx->request == ctx->request->main);
        b->last_in_chain = 1;

        if (!b->last_buf && out->len == 0) {
            b->sync = 1;
        }

    } else {
        b->flush = 1;
    }

    return ngx_http_output_filter(ctx->request, &ctx->out);
}


static ngx_uint_t
ngx_http_ai_mock_ends_well(ngx_http_ai_mock_ctx_t *ctx)
{
    switch (ctx->mock.fault) {

    case AI_MOCK_RESET_MID:
    case AI_MOCK_STALL:
    case AI_MOCK_STALL_MID:
        return 0;

    default:
        return ctx->mock.done;
    }
}


/* everything was sent that is to be sent: silence, or a reset */

static void
ngx_http_ai_mock_break(ngx_http_ai_mock_ctx_t *ctx)
{
    ngx_int_t            rc;
    ai_str_t             out;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->mock.fault == AI_MOCK_RESET_MID) {
        ngx_http_ai_mock_reset(ctx);
        return;
    }

    if (!ctx->header_sent) {
        out.len = 0;
        rc = ngx_http_ai_mock_send(ctx, &out);

        if (rc == NGX_ERROR || rc == NGX_DONE || rc > NGX_OK) {
            ngx_http_finalize_request(r, rc == NGX_DONE ? NGX_OK : rc);
            return;
        }
    }

    if (ngx_http_ai_mock_watch(ctx) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    ctx->timer.handler = ngx_http_ai_mock_stall_handler;
    ngx_add_timer(&ctx->timer, NGX_HTTP_AI_MOCK_TICK);
}


static void
ngx_http_ai_mock_reset(ngx_http_ai_mock_ctx_t *ctx)
{
    struct linger        linger;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    /* later versions reset the stream, the connection carries others */

    if (r->http_version < NGX_HTTP_VERSION_20) {
        linger.l_onoff = 1;
        linger.l_linger = 0;

        if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER,
                       (const void *) &linger, sizeof(struct linger))
            == -1)
        {
            ngx_log_error(NGX_LOG_ALERT, c->log, ngx_socket_errno,
                          "setsockopt(SO_LINGER) failed");
        }
    }

    ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
}


/* what passes before the next piece; a document takes as long as a stream */

static ngx_msec_t
ngx_http_ai_mock_delay(ngx_http_ai_mock_ctx_t *ctx)
{
    ai_mock_t           *mock;
    ngx_http_ai_mock_t  *conf;

    mock = &ctx->mock;
    conf = ctx->conf;

    switch (mock->wait) {

    case AI_MOCK_FIRST:

        if (mock->stream || mock->pieces == 0) {
            return conf->first;
        }

        return conf->first + conf->gap * (mock->pieces - 1);

    case AI_MOCK_GAP:
        return conf->gap;

    default:
        return 0;
    }
}


/* before the first wait: from now on events find the request */

static ngx_int_t
ngx_http_ai_mock_watch(ngx_http_ai_mock_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;
    ngx_http_cleanup_t  *cln;

    if (ctx->watched) {
        return NGX_OK;
    }

    r = ctx->request;
    c = r->connection;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_ai_mock_cleanup;
    cln->data = ctx;

    ctx->timer.handler = ngx_http_ai_mock_timer_handler;
    ctx->timer.data = ctx;
    ctx->timer.log = c->log;

    r->write_event_handler = ngx_http_ai_mock_writer;
    ctx->watched = 1;

    if (r != r->main) {
        return NGX_OK;
    }

    r->read_event_handler = ngx_http_test_reading;

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
        return NGX_OK;
    }

    return ngx_handle_read_event(c->read, 0);
}


static ngx_int_t
ngx_http_ai_mock_wait_output(ngx_http_ai_mock_ctx_t *ctx)
{
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    wev = ctx->request->connection->write;
    clcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_core_module);

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static void
ngx_http_ai_mock_writer(ngx_http_request_t *r)
{
    ngx_event_t             *wev;
    ngx_http_cleanup_t      *cln;
    ngx_http_ai_mock_ctx_t  *ctx;

    wev = r->connection->write;
    ctx = NULL;

    /* the module's own context belongs to the gateway */

    for (cln = r->main->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_ai_mock_cleanup) {
            ctx = cln->data;

            if (ctx->request == r) {
                break;
            }
        }
    }

    if (cln == NULL) {
        return;
    }

    if (wev->timedout) {
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (ngx_buf_size(&ctx->buf) == 0) {
        return;
    }

    if (!wev->delayed && ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (ngx_buf_size(&ctx->buf) != 0) {

        if (ngx_http_ai_mock_wait_output(ctx) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    if (!ctx->timer.timer_set) {
        ngx_http_ai_mock_run(ctx);
    }
}


static void
ngx_http_ai_mock_timer_handler(ngx_event_t *ev)
{
    ngx_http_ai_mock_ctx_t *ctx = ev->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ev->timedout = 0;

    /* if the client has not taken the last piece, the writer goes on */

    if (ngx_buf_size(&ctx->buf) == 0) {
        ngx_http_ai_mock_run(ctx);
    }

    ngx_http_run_posted_requests(c);
}


/* in ticks, so that an old worker is not held up by silence */

static void
ngx_http_ai_mock_stall_handler(ngx_event_t *ev)
{
    ngx_http_ai_mock_ctx_t *ctx = ev->data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ev->timedout = 0;

    if (ngx_exiting || ++ctx->ticks == NGX_HTTP_AI_MOCK_STALL) {
        ngx_http_finalize_request(r, NGX_ERROR);

    } else {
        ngx_add_timer(ev, NGX_HTTP_AI_MOCK_TICK);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_ai_mock_cleanup(void *data)
{
    ngx_http_ai_mock_ctx_t *ctx = data;

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The answer of a provider as it comes.  Nothing reaches the client before
 * the first useful event, or the whole of a JSON answer: until then every
 * failure can still be told with its status.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_ERROR_SIZE  65536
#define NGX_HTTP_AI_LINGER      100


static void ngx_http_ai_read_head(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_read_body(ngx_http_ai_exchange_t *ex, u_char *p,
    size_t n);
static void ngx_http_ai_read_flush(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_read_done(ngx_http_ai_exchange_t *ex,
    ai_error_e error);
static void ngx_http_ai_read_leave(ngx_connection_t *c);

static ngx_http_ai_read_e ngx_http_ai_read_mode(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_read_init(ngx_http_ai_ctx_t *ctx);
static void *ngx_http_ai_read_scratch(void *data, size_t size);
static void ngx_http_ai_read_forget(ngx_http_ai_reply_t *reply);
static void ngx_http_ai_read_sniff(ngx_http_ai_ctx_t *ctx, u_char *p,
    size_t n);
static void ngx_http_ai_read_collect(ngx_http_ai_ctx_t *ctx, u_char *p,
    size_t n);
static void ngx_http_ai_read_events(ngx_http_ai_ctx_t *ctx, u_char *p,
    size_t n);
static void ngx_http_ai_read_broken(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_read_event(ngx_http_ai_ctx_t *ctx,
    ai_sse_event_t *ev, ngx_uint_t copy);
static ngx_int_t ngx_http_ai_read_pass(ngx_http_ai_ctx_t *ctx,
    ai_sse_event_t *ev, ngx_uint_t copy);
static ngx_int_t ngx_http_ai_read_translated(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_read_ended(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_read_useful(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_read_end(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_read_eof(ngx_http_ai_ctx_t *ctx, ai_error_e error);
static ngx_int_t ngx_http_ai_read_translate_eof(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_read_json(ngx_http_ai_ctx_t *ctx);


const ngx_http_ai_exchange_ops_t  ngx_http_ai_read_ops = {
    ngx_http_ai_read_head,
    ngx_http_ai_read_body,
    ngx_http_ai_read_flush,
    ngx_http_ai_read_done,
    ngx_http_ai_read_leave
};


static void
ngx_http_ai_read_head(ngx_http_ai_exchange_t *ex)
{
    ngx_http_ai_ctx_t    *ctx;
    ngx_http_ai_reply_t  *reply;

    ctx = ex->data;
    reply = &ctx->reply;

    reply->status = ex->head.status;
    reply->mode = ngx_http_ai_read_mode(ctx);

    if (ngx_http_ai_read_init(ctx) != NGX_OK
        || ngx_http_ai_reply_headers(ctx, ex) != NGX_OK)
    {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return;
    }

    if (reply->mode == NGX_HTTP_AI_READ_NONE) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\" answered with the unexpected "
                      "status %ui", &ex->provider->name, reply->status);
        ngx_http_ai_fail(ctx, AI_ERR_UPSTREAM_INVALID);
        return;
    }

    if (reply->mode == NGX_HTTP_AI_READ_JSON) {
        ex->max_body = ctx->lcf->max_response;
    }

    if (reply->mode != NGX_HTTP_AI_READ_OPAQUE) {
        return;
    }

    if (ngx_http_ai_read_useful(ctx) != NGX_OK) {
        return;
    }

    ngx_http_ai_exchange_useful(ex);
}


/* a redirect would take the request and its key to another host */

static ngx_http_ai_read_e
ngx_http_ai_read_mode(ngx_http_ai_ctx_t *ctx)
{
    ngx_uint_t  status;

    status = ctx->reply.status;

    if (status >= 400) {
        return NGX_HTTP_AI_READ_ERROR;
    }

    if (ctx->opaque) {
        return (status < 300 || status == NGX_HTTP_NOT_MODIFIED)
               ? NGX_HTTP_AI_READ_OPAQUE : NGX_HTTP_AI_READ_NONE;
    }

    if (status != NGX_HTTP_OK) {
        return NGX_HTTP_AI_READ_NONE;
    }

    return ctx->fields.wants_stream ? NGX_HTTP_AI_READ_SNIFF
                                    : NGX_HTTP_AI_READ_JSON;
}


static ngx_int_t
ngx_http_ai_read_init(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    reply->last = &reply->out;

    reply->scratch_alloc.alloc = ngx_http_ai_read_scratch;
    reply->scratch_alloc.data = reply;

    ai_tap_init(&reply->tap, ctx->target.provider->dialect, ctx->op,
                &reply->scratch_alloc);

    reply->tap.keep = &ctx->alloc;
    reply->tap.vendor = ctx->target.provider->vendor;

    ai_frame_init(&reply->frame, ngx_http_ai_hub_frame(ctx),
                  ctx->lcf->max_event, &ctx->alloc);

    return ngx_http_ai_hub_open(ctx);
}


/*
 * Few events need memory to be read, those with hundreds of members.  It is
 * given back after each, or a long stream of such would take all there is.
 */

static void *
ngx_http_ai_read_scratch(void *data, size_t size)
{
    ngx_http_ai_reply_t  *reply = data;

    if (reply->scratch == NULL) {
        reply->scratch = ngx_create_pool(NGX_DEFAULT_POOL_SIZE,
                                         ngx_cycle->log);
        if (reply->scratch == NULL) {
            return NULL;
        }
    }

    return ngx_palloc(reply->scratch, size);
}


static void
ngx_http_ai_read_forget(ngx_http_ai_reply_t *reply)
{
    if (reply->scratch) {
        ngx_destroy_pool(reply->scratch);
        reply->scratch = NULL;
    }
}


static void
ngx_http_ai_read_body(ngx_http_ai_exchange_t *ex, u_char *p, size_t n)
{
    ngx_http_ai_ctx_t  *ctx;

    ctx = ex->data;

    if (ctx->reply.mode == NGX_HTTP_AI_READ_SNIFF) {
        ngx_http_ai_read_sniff(ctx, p, n);
    }

    switch (ctx->reply.mode) {

    case NGX_HTTP_AI_READ_EVENTS:
        ngx_http_ai_read_events(ctx, p, n);
        break;

    case NGX_HTTP_AI_READ_OPAQUE:
        ngx_http_ai_exchange_useful(ex);

        if (ngx_http_ai_reply_add(ctx, p, n, ex->inflate != NULL) != NGX_OK) {
            ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        }

        break;

    case NGX_HTTP_AI_READ_JSON:
    case NGX_HTTP_AI_READ_ERROR:
        ngx_http_ai_read_collect(ctx, p, n);
        break;

    default:
        break;
    }
}


/*
 * Who asks for events and gets an object gets an error, or an answer in one
 * piece, whatever the status and the content type say; Gemini without
 * "alt=sse" streams an array.
 */

static void
ngx_http_ai_read_sniff(ngx_http_ai_ctx_t *ctx, u_char *p, size_t n)
{
    size_t                i;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;
    reply->mode = NGX_HTTP_AI_READ_EVENTS;

    if (reply->frame.type == AI_FRAME_LINES) {
        return;
    }

    for (i = 0; i < n; i++) {

        switch (p[i]) {

        case ' ': case '\t': case CR: case LF:
            continue;

        case '[':

            if (ctx->op == AI_OP_STREAM_GENERATE) {
                ai_frame_init(&reply->frame, AI_FRAME_ARRAY,
                              ctx->lcf->max_event, &ctx->alloc);
                return;
            }

            /* fall through */

        case '{': case '<':
            reply->mode = NGX_HTTP_AI_READ_JSON;
            return;

        default:
            return;
        }
    }

    /* blanks are the beginning of nothing else but events */
}


static void
ngx_http_ai_read_collect(ngx_http_ai_ctx_t *ctx, u_char *p, size_t n)
{
    u_char               *body;
    size_t                size, max;
    ngx_pool_t           *pool;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;
    pool = ctx->request->pool;

    if (reply->mode == NGX_HTTP_AI_READ_ERROR) {
        max = NGX_HTTP_AI_ERROR_SIZE;
        n = ngx_min(n, max - reply->len);

    } else {
        max = ctx->lcf->max_response;

        if (n > max - reply->len) {
            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "ai provider \"%V\" sent more than "
                          "\"ai_max_response\" allows: %uz bytes",
                          &ctx->target.provider->name, max);
            ngx_http_ai_fail(ctx, AI_ERR_UPSTREAM_TOO_LARGE);
            return;
        }
    }

    if (reply->len + n > reply->size) {

        /* a length that is told is believed only so far */

        size = ngx_max(reply->size * 2, reply->len + n);

        if (reply->size == 0 && ctx->ex->inflate == NULL
            && ctx->ex->head.content_length > 0)
        {
            size = ngx_max(size, (size_t) ngx_min(
                                    ctx->ex->head.content_length, 65536));
        }

        body = ngx_palloc(pool, size);
        if (body == NULL) {
            ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
            return;
        }

        if (reply->body) {
            ngx_memcpy(body, reply->body, reply->len);
            (void) ngx_pfree(pool, reply->body);
        }

        reply->body = body;
        reply->size = size;
    }

    ngx_memcpy(reply->body + reply->len, p, n);
    reply->len += n;
}


static void
ngx_http_ai_read_events(ngx_http_ai_ctx_t *ctx, u_char *p, size_t n)
{
    u_char               *pos, *last;
    ai_int_t              rc;
    ngx_uint_t            copy;
    ai_sse_event_t        ev;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;
    pos = p;
    last = p + n;

    while (!reply->ended) {

        rc = ai_frame_next(&reply->frame, &pos, last, &ev);

        if (rc == AI_AGAIN) {
            return;
        }

        if (rc == AI_ERROR) {
            ngx_http_ai_read_broken(ctx);
            return;
        }

        /* an event in pieces lies in memory that the next one will take */

        copy = (ev.raw.data < p || ev.raw.data >= last
                || ctx->ex->inflate != NULL);

        if (ngx_http_ai_read_event(ctx, &ev, copy) != NGX_OK) {
            return;
        }
    }
}


static void
ngx_http_ai_read_broken(ngx_http_ai_ctx_t *ctx)
{
    ngx_uint_t            large;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;
    large = (ngx_strcmp(reply->frame.err, AI_SSE_LARGE) == 0);

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "ai provider \"%V\" sent an event that cannot be passed "
                  "on: %s%s", &ctx->target.provider->name, reply->frame.err,
                  large ? ", see \"ai_max_event\"" : "");

    ngx_http_ai_fail(ctx, large ? AI_ERR_UPSTREAM_TOO_LARGE
                                : AI_ERR_UPSTREAM_INVALID);
}


/* NGX_OK, or NGX_DONE: the request is ended, and ctx is gone with it */

static ngx_int_t
ngx_http_ai_read_event(ngx_http_ai_ctx_t *ctx, ai_sse_event_t *ev,
    ngx_uint_t copy)
{
    ai_event_e            what;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    what = reply->translate ? ai_translate_event(reply->translate, ev)
                            : ai_tap_event(&reply->tap, ev);

    ngx_http_ai_read_forget(reply);

    switch (what) {

    case AI_EVENT_IDLE:
        /* what no client would see may be no event at all */

        if (!ev->has_data && !ev->comment_only && ev->name.len == 0
            && reply->translate == NULL)
        {
            return NGX_OK;
        }

        /* too many to wait for the first useful one */

        if (!ctx->committed
            && ctx->record.response_bytes > ctx->lcf->max_event)
        {
            ngx_http_ai_fail(ctx, AI_ERR_UPSTREAM_TOO_LARGE);
            return NGX_DONE;
        }

        break;

    case AI_EVENT_CONTENT:
        if (!ctx->committed && ngx_http_ai_read_useful(ctx) != NGX_OK) {
            return NGX_DONE;
        }

        if (ctx->ex) {
            ngx_http_ai_exchange_useful(ctx->ex);
        }

        break;

    case AI_EVENT_USAGE:
        if (reply->hide_usage) {
            return NGX_OK;
        }

        break;

    case AI_EVENT_END:
        if (ngx_http_ai_read_ended(ctx) != NGX_OK) {
            return NGX_DONE;
        }

        break;

    case AI_EVENT_ERROR:
        ngx_http_ai_fault_told(ctx);
        return NGX_DONE;

    case AI_EVENT_INVALID:
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "ai provider \"%V\" sent an event that is not valid "
                      "JSON", &ctx->target.provider->name);
        ngx_http_ai_fail(ctx, AI_ERR_UPSTREAM_INVALID);
        return NGX_DONE;
    }

    return ngx_http_ai_read_pass(ctx, ev, copy);
}


/* the event, or what it became, to the client */

static ngx_int_t
ngx_http_ai_read_pass(ngx_http_ai_ctx_t *ctx, ai_sse_event_t *ev,
    ngx_uint_t copy)
{
    ngx_int_t  rc;

    if (ctx->reply.translate) {
        rc = ngx_http_ai_read_translated(ctx);

    } else {

        /* before the commit it is held for longer than its bytes stay */

        rc = ngx_http_ai_reply_add(ctx, ev->raw.data, ev->raw.len,
                                   copy || !ctx->committed);
    }

    if (rc != NGX_OK) {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return NGX_DONE;
    }

    return NGX_OK;
}


/* what an event became; it stays where it was written until it is sent */

static ngx_int_t
ngx_http_ai_read_translated(ngx_http_ai_ctx_t *ctx)
{
    ai_str_t  out;

    if (ai_buf_take(ai_translate_out(ctx->reply.translate), &out) != AI_OK) {
        return NGX_ERROR;
    }

    return ngx_http_ai_reply_add(ctx, out.data, out.len, 0);
}


/* the terminator; NGX_OK, or the request is ended */

static ngx_int_t
ngx_http_ai_read_ended(ngx_http_ai_ctx_t *ctx)
{
    if (ctx->reply.tap.content == 0) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "ai provider \"%V\" ended a stream without content",
                      &ctx->target.provider->name);
        ngx_http_ai_fail(ctx, AI_ERR_UPSTREAM_INVALID);
        return NGX_ERROR;
    }

    /* the last event of Responses holds the whole answer */

    if (!ctx->committed && ngx_http_ai_read_useful(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->reply.ended = 1;

    return NGX_OK;
}


/* the commit; NGX_OK, or the request is ended */

static ngx_int_t
ngx_http_ai_read_useful(ngx_http_ai_ctx_t *ctx)
{
    off_t                    length;
    ngx_int_t                rc;
    ngx_http_ai_exchange_t  *ex;

    ex = ctx->ex;

    if (ctx->record.ttft_us < 0) {
        ctx->record.ttft_us = ngx_http_ai_now() - ctx->start;
    }

    length = -1;

    if (ctx->reply.mode == NGX_HTTP_AI_READ_OPAQUE) {
        length = ex->head.no_body ? 0 : ex->head.content_length;
    }

    rc = ngx_http_ai_reply_commit(ctx, ctx->reply.status, length);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    /* HEAD, 304: all is said; else the client is gone */

    ngx_http_ai_attempt_record(ctx, ctx->reply.status, AI_ERR_NONE);
    ngx_http_ai_finish(ctx, rc == NGX_DONE ? NGX_OK : NGX_ERROR);

    return NGX_ERROR;
}


static void
ngx_http_ai_read_flush(ngx_http_ai_exchange_t *ex)
{
    ngx_int_t             rc;
    ngx_http_ai_ctx_t    *ctx;
    ngx_http_ai_reply_t  *reply;

    ctx = ex->data;
    reply = &ctx->reply;

    if (!ctx->committed) {
        return;
    }

    if (reply->ended) {

        if (reply->out) {
            ngx_http_ai_read_end(ctx);
        }

        return;
    }

    rc = ngx_http_ai_reply_flush(ctx, 0);

    if (rc == NGX_AGAIN) {
        ngx_http_ai_exchange_pause(ex);

    } else if (rc == NGX_ERROR) {
        ngx_http_ai_finish(ctx, NGX_ERROR);
    }
}


/*
 * The client has its last byte now.  The request stays for a moment more,
 * for when the provider ends the answer too, the connection can be kept.
 */

static void
ngx_http_ai_read_end(ngx_http_ai_ctx_t *ctx)
{
    if (ngx_http_ai_reply_flush(ctx, 1) == NGX_ERROR) {
        ngx_http_ai_finish(ctx, NGX_ERROR);
        return;
    }

    ngx_http_ai_attempt_record(ctx, ctx->reply.status, AI_ERR_NONE);

    if (ctx->ex->whole) {
        return;
    }

    ctx->request->read_event_handler = ngx_http_block_reading;

    ngx_http_ai_exchange_linger(ctx->ex, NGX_HTTP_AI_LINGER);
}


static void
ngx_http_ai_read_done(ngx_http_ai_exchange_t *ex, ai_error_e error)
{
    ngx_http_ai_ctx_t    *ctx;
    ngx_http_ai_reply_t  *reply;

    ctx = ex->data;
    reply = &ctx->reply;

    ctx->ex = NULL;

    if (ctx->attempt_end == 0) {
        ngx_http_ai_attempt_record(ctx, reply->status, error);
    }

    switch (reply->mode) {

    case NGX_HTTP_AI_READ_SNIFF:
    case NGX_HTTP_AI_READ_EVENTS:
        ngx_http_ai_read_eof(ctx, error);
        return;

    case NGX_HTTP_AI_READ_ERROR:
        ngx_http_ai_fault_answer(ctx);
        return;

    case NGX_HTTP_AI_READ_JSON:

        if (error == AI_ERR_NONE) {
            ngx_http_ai_read_json(ctx);
            return;
        }

        break;

    case NGX_HTTP_AI_READ_OPAQUE:

        if (error == AI_ERR_NONE) {
            ngx_http_ai_reply_end(ctx);
            return;
        }

        break;

    default:
        break;
    }

    ngx_http_ai_fail(ctx, error);
}


static void
ngx_http_ai_read_leave(ngx_connection_t *c)
{
    ngx_http_run_posted_requests(c);
}


/* the connection gives no more events */

static void
ngx_http_ai_read_eof(ngx_http_ai_ctx_t *ctx, ai_error_e error)
{
    size_t                len;
    const char           *end;
    ai_sse_event_t        ev;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    if (!reply->ended && ai_frame_finish(&reply->frame, &ev) == AI_OK) {

        if (ngx_http_ai_read_event(ctx, &ev, 1) != NGX_OK) {
            return;
        }
    }

    if (!reply->ended && reply->translate
        && ngx_http_ai_read_translate_eof(ctx) != NGX_OK)
    {
        return;
    }

    if (reply->ended) {

        if (reply->out) {
            ngx_http_ai_reply_end(ctx);

        } else {
            ngx_http_ai_finish(ctx, NGX_OK);
        }

        return;
    }

    if (!ctx->committed || reply->translate
        || !ai_tap_complete(&reply->tap))
    {
        if (error == AI_ERR_NONE) {
            error = ctx->committed ? AI_ERR_UPSTREAM_TRUNCATED
                                   : AI_ERR_UPSTREAM_INVALID;

            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "ai provider \"%V\" ended a stream before it was "
                          "complete", &ctx->target.provider->name);
        }

        ngx_http_ai_fail(ctx, error);
        return;
    }

    /* all but the end mark came, and some providers never send one */

    end = reply->tap.dialect->terminator(ctx->surface.op);
    len = ngx_strlen(end);

    if (ngx_http_ai_reply_add(ctx, (u_char *) end, len, 1) != NGX_OK) {
        ngx_http_ai_finish(ctx, NGX_ERROR);
        return;
    }

    ngx_http_ai_reply_end(ctx);
}


/* what a stream without an end mark holds back; NGX_OK, or all is ended */

static ngx_int_t
ngx_http_ai_read_translate_eof(ngx_http_ai_ctx_t *ctx)
{
    ai_event_e            what;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;
    what = ai_translate_eof(reply->translate);

    ngx_http_ai_read_forget(reply);

    if (what == AI_EVENT_ERROR) {
        ngx_http_ai_fault_told(ctx);
        return NGX_DONE;
    }

    if (what != AI_EVENT_END) {
        return NGX_OK;
    }

    if (ngx_http_ai_read_ended(ctx) != NGX_OK) {
        return NGX_DONE;
    }

    if (ngx_http_ai_read_translated(ctx) != NGX_OK) {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return NGX_DONE;
    }

    return NGX_OK;
}


static void
ngx_http_ai_read_json(ngx_http_ai_ctx_t *ctx)
{
    ngx_str_t             body;
    ai_event_e            what;
    ngx_uint_t            events;
    ai_json_error_t       err;
    ngx_http_ai_reply_t  *reply;

    reply = &ctx->reply;

    err.reason = NULL;
    err.offset = 0;

    body.data = reply->body;
    body.len = reply->len;

    /* who gets events gets those of a document, too */

    events = (ctx->fields.wants_stream && reply->translate);

    what = ctx->translated
           ? ngx_http_ai_hub_response(ctx, events, &body, &err)
           : ai_tap_response(&reply->tap, reply->body, reply->len, &err);

    ngx_http_ai_read_forget(reply);

    if (what == AI_EVENT_ERROR) {
        ngx_http_ai_fault_told(ctx);
        return;
    }

    /* who asked for events cannot read a document */

    if (what == AI_EVENT_INVALID
        || (ctx->fields.wants_stream && !events))
    {
        if (err.reason == NULL) {
            err.reason = "not the answer to such a request";
        }

        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "ai provider \"%V\" sent an invalid answer: %s at byte "
                      "%uz", &ctx->target.provider->name, err.reason,
                      err.offset);
        ngx_http_ai_fail(ctx, AI_ERR_UPSTREAM_INVALID);
        return;
    }

    if (ctx->record.ttft_us < 0) {
        ctx->record.ttft_us = ngx_http_ai_now() - ctx->start;
    }

    if (events) {
        reply->mode = NGX_HTTP_AI_READ_EVENTS;
    }

    ngx_http_ai_reply_document(ctx, NGX_HTTP_OK, &body);
}

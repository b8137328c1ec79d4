
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The receiving half of an exchange: head, framing, decoding.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_MAX_HEAD     32768
#define NGX_HTTP_AI_MAX_INFORMS  64
#define NGX_HTTP_AI_PLAIN_SIZE   16384


static void ngx_http_ai_exchange_eof(ngx_http_ai_exchange_t *ex);
static ngx_int_t ngx_http_ai_exchange_grow(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_exchange_process(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_exchange_conclude(ngx_http_ai_exchange_t *ex);
static ngx_int_t ngx_http_ai_exchange_head(ngx_http_ai_exchange_t *ex);
static ngx_int_t ngx_http_ai_exchange_decoder(ngx_http_ai_exchange_t *ex);
static ai_error_e ngx_http_ai_exchange_body(ngx_http_ai_exchange_t *ex);
static ai_error_e ngx_http_ai_exchange_chunked(ngx_http_ai_exchange_t *ex);
static ai_error_e ngx_http_ai_exchange_give(ngx_http_ai_exchange_t *ex,
    u_char *p, size_t n);
static ai_error_e ngx_http_ai_exchange_inflate(ngx_http_ai_exchange_t *ex,
    u_char *p, size_t n);
static void ngx_http_ai_exchange_whole(ngx_http_ai_exchange_t *ex);


/*
 * Reads until the socket is empty, the owner pauses, or the end.  Each read
 * is passed on before the next one.
 */

void
ngx_http_ai_exchange_read(ngx_http_ai_exchange_t *ex)
{
    ssize_t            n;
    ngx_connection_t  *c;

    for ( ;; ) {

        if (ex->state == NGX_HTTP_AI_EX_CLOSED || ex->paused) {
            return;
        }

        c = ex->connection;

        if (ex->last == ex->size && ngx_http_ai_exchange_grow(ex) != NGX_OK) {
            ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_INVALID);
            return;
        }

        n = c->recv(c, ex->buf + ex->last, ex->size - ex->last);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_http_ai_exchange_end(ex, AI_ERR_INTERNAL);
            }

            return;
        }

        if (n == NGX_ERROR) {
            c->read->error = 1;
            ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_RESET);
            return;
        }

        if (n == 0) {
            ngx_http_ai_exchange_eof(ex);
            return;
        }

        ex->last += n;
        ex->received += n;

        ngx_http_ai_exchange_process(ex);

        if (ex->state == NGX_HTTP_AI_EX_CLOSED || ex->paused) {
            return;
        }

        /* saves a recv() that would only tell that there is nothing */

        if (!c->read->ready) {

            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_http_ai_exchange_end(ex, AI_ERR_INTERNAL);
            }

            return;
        }
    }
}


static void
ngx_http_ai_exchange_eof(ngx_http_ai_exchange_t *ex)
{
    ex->connection->read->eof = 1;

    if (ex->state == NGX_HTTP_AI_EX_WAIT) {
        ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_RESET);
        return;
    }

    if (ex->head.chunked || ex->head.content_length != -1) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\" closed the connection within "
                      "an answer", &ex->provider->name);
        ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_TRUNCATED);
        return;
    }

    ngx_http_ai_exchange_whole(ex);
}


/* only a head needs more than one buffer at a time */

static ngx_int_t
ngx_http_ai_exchange_grow(ngx_http_ai_exchange_t *ex)
{
    u_char  *p;
    size_t   size;

    if (ex->size >= NGX_HTTP_AI_MAX_HEAD) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\" sent a head of more than %d bytes",
                      &ex->provider->name, NGX_HTTP_AI_MAX_HEAD);
        return NGX_ERROR;
    }

    size = ex->size * 2;

    p = ngx_palloc(ex->buf_pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, ex->buf, ex->last);
    (void) ngx_pfree(ex->buf_pool, ex->buf);

    ex->buf = p;
    ex->size = size;

    return NGX_OK;
}


static void
ngx_http_ai_exchange_process(ngx_http_ai_exchange_t *ex)
{
    ngx_int_t  rc;

    if (ex->state == NGX_HTTP_AI_EX_WAIT) {

        rc = ngx_http_ai_exchange_head(ex);

        if (rc != NGX_OK) {
            return;
        }
    }

    ex->error = ngx_http_ai_exchange_body(ex);

    if (ex->state == NGX_HTTP_AI_EX_CLOSED) {
        return;
    }

    /* what was good before a fault reaches the owner */

    ex->ops->flush(ex);

    if (ex->state != NGX_HTTP_AI_EX_CLOSED && !ex->paused) {
        ngx_http_ai_exchange_conclude(ex);
    }
}


/* the owner needs the bytes of the last read no longer */

static void
ngx_http_ai_exchange_conclude(ngx_http_ai_exchange_t *ex)
{
    if (ex->error != AI_ERR_NONE) {
        ngx_http_ai_exchange_end(ex, ex->error);
        return;
    }

    if (ex->whole) {
        ngx_http_ai_exchange_whole(ex);
        return;
    }

    ex->pos = 0;
    ex->last = 0;
}


void
ngx_http_ai_exchange_resumed(ngx_http_ai_exchange_t *ex)
{
    ngx_http_ai_exchange_conclude(ex);
    ngx_http_ai_exchange_read(ex);
}


/* NGX_OK: the body may be read, else nothing more is to be done now */

static ngx_int_t
ngx_http_ai_exchange_head(ngx_http_ai_exchange_t *ex)
{
    size_t     rest;
    ngx_int_t  rc;

    for ( ;; ) {
        rc = ai_http_head_parse(&ex->head, ex->buf, ex->last);

        if (rc == AI_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == AI_OK && ex->head.status == 408 && ex->reused) {

            /* told to nobody while the connection was idle */

            ngx_http_ai_exchange_end(ex, AI_ERR_STALE);
            return NGX_DONE;
        }

        if (rc == AI_OK && ex->head.status >= 200) {
            break;
        }

        if (rc != AI_OK || ex->head.status == 101
            || ++ex->informs > NGX_HTTP_AI_MAX_INFORMS)
        {
            ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                          "ai provider \"%V\" sent an invalid head: %s",
                          &ex->provider->name,
                          rc != AI_OK ? ex->head.err
                                      : "unexpected 1xx status");

            ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_INVALID);
            return NGX_ERROR;
        }

        rest = ex->last - ex->head.pos;
        ngx_memmove(ex->buf, ex->buf + ex->head.pos, rest);
        ex->last = rest;

        ai_http_head_init(&ex->head);
    }

    ex->pos = ex->head.pos;
    ex->rest = ex->head.content_length;
    ex->whole = (ex->head.no_body || ex->head.content_length == 0);
    ai_http_chunked_init(&ex->chunked);

    if (ex->ustate) {
        ex->ustate->status = ex->head.status;
        ex->ustate->header_time = ngx_current_msec - ex->started;
    }

    ex->state = NGX_HTTP_AI_EX_FIRST;

    ex->ops->head(ex);

    if (ex->state == NGX_HTTP_AI_EX_CLOSED) {
        return NGX_DONE;
    }

    if (ex->decode && ngx_http_ai_exchange_decoder(ex) != NGX_OK) {
        ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_INVALID);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_exchange_decoder(ngx_http_ai_exchange_t *ex)
{
    size_t              max;
    ai_str_t            value;
    ai_alloc_t         *a;
    ai_inflate_kind_e   kind;

    if (ai_http_head_find(&ex->head, ex->buf, "content-encoding", &value)
        != AI_OK)
    {
        return NGX_OK;
    }

    kind = ai_inflate_kind(&value);

    if (kind == AI_INFLATE_NONE) {
        return NGX_OK;
    }

    if (kind == AI_INFLATE_UNKNOWN) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\" sent an unknown content encoding "
                      "\"%V\"", &ex->provider->name, ngx_http_ai_ngx(&value));
        return NGX_ERROR;
    }

    a = ngx_palloc(ex->pool, sizeof(ai_alloc_t));
    ex->plain = ngx_palloc(ex->pool, NGX_HTTP_AI_PLAIN_SIZE);
    ex->inflate = ngx_palloc(ex->pool, sizeof(ai_inflate_t));

    if (a == NULL || ex->plain == NULL || ex->inflate == NULL) {
        ex->inflate = NULL;
        return NGX_ERROR;
    }

    ngx_http_ai_pool_alloc(ex->pool, a);

    max = ex->max_body ? ex->max_body : NGX_MAX_SIZE_T_VALUE;

    ai_inflate_init(ex->inflate, kind, max, a);

    return NGX_OK;
}


static ai_error_e
ngx_http_ai_exchange_body(ngx_http_ai_exchange_t *ex)
{
    size_t      n;
    ai_error_e  error;

    if (ex->whole) {
        return AI_ERR_NONE;
    }

    if (ex->head.chunked) {
        return ngx_http_ai_exchange_chunked(ex);
    }

    n = ex->last - ex->pos;

    if (ex->rest != -1 && (off_t) n >= ex->rest) {
        n = (size_t) ex->rest;
        ex->whole = 1;
    }

    if (ex->rest != -1) {
        ex->rest -= n;
    }

    error = ngx_http_ai_exchange_give(ex, ex->buf + ex->pos, n);

    ex->pos += n;

    return error;
}


static ai_error_e
ngx_http_ai_exchange_chunked(ngx_http_ai_exchange_t *ex)
{
    u_char      *pos, *last;
    ai_str_t     data;
    ngx_int_t    rc;
    ai_error_e   error;

    pos = ex->buf + ex->pos;
    last = ex->buf + ex->last;

    for ( ;; ) {
        rc = ai_http_chunked_next(&ex->chunked, &pos, last, &data);

        if (rc != AI_OK) {
            break;
        }

        error = ngx_http_ai_exchange_give(ex, data.data, data.len);

        if (error != AI_ERR_NONE || ex->state == NGX_HTTP_AI_EX_CLOSED) {
            return error;
        }
    }

    ex->pos = pos - ex->buf;

    if (rc == AI_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\" sent an invalid chunked answer: %s",
                      &ex->provider->name, ex->chunked.err);
        return AI_ERR_UPSTREAM_INVALID;
    }

    ex->whole = (rc == AI_DONE);

    return AI_ERR_NONE;
}


static ai_error_e
ngx_http_ai_exchange_give(ngx_http_ai_exchange_t *ex, u_char *p, size_t n)
{
    if (n == 0) {
        return AI_ERR_NONE;
    }

    if (ex->ustate) {
        ex->ustate->response_length += n;
    }

    if (ex->inflate) {
        return ngx_http_ai_exchange_inflate(ex, p, n);
    }

    ex->ops->body(ex, p, n);

    return AI_ERR_NONE;
}


static ai_error_e
ngx_http_ai_exchange_inflate(ngx_http_ai_exchange_t *ex, u_char *p, size_t n)
{
    u_char     *in, *out;
    ngx_int_t   rc;

    in = p;

    for ( ;; ) {
        out = ex->plain;

        rc = ai_inflate_run(ex->inflate, &in, p + n, &out,
                            ex->plain + NGX_HTTP_AI_PLAIN_SIZE);

        if (out != ex->plain) {
            ex->ops->body(ex, ex->plain, out - ex->plain);

            if (ex->state == NGX_HTTP_AI_EX_CLOSED) {
                return AI_ERR_NONE;
            }
        }

        if (rc == AI_ERROR) {
            ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                          "ai provider \"%V\" sent an answer that cannot be "
                          "decoded: %s", &ex->provider->name,
                          ex->inflate->err);

            return (ex->max_body && ex->inflate->total >= ex->max_body)
                   ? AI_ERR_UPSTREAM_TOO_LARGE : AI_ERR_UPSTREAM_INVALID;
        }

        if (rc != AI_OK) {
            return AI_ERR_NONE;
        }
    }
}


static void
ngx_http_ai_exchange_whole(ngx_http_ai_exchange_t *ex)
{
    u_char     *in, *out;
    ngx_int_t   rc;

    ex->whole = 1;

    if (ex->inflate) {
        in = ex->plain;
        out = ex->plain;

        rc = ai_inflate_run(ex->inflate, &in, in, &out, out + 1);

        if (rc != AI_DONE) {
            ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                          "ai provider \"%V\" sent a truncated compressed "
                          "answer", &ex->provider->name);

            ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_TRUNCATED);
            return;
        }
    }

    ngx_http_ai_exchange_end(ex, AI_ERR_NONE);
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * An HTTP/1.1 exchange: the states, the timer, sending.  What is received
 * is read in ngx_http_ai_receive.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_POOL_SIZE    3584
#define NGX_HTTP_AI_FILE_SIZE    32768

/* how often a request may meet a connection that was closed while idle:
 * ours are avoided after the first one, those of an upstream{} cannot be */

#define NGX_HTTP_AI_REPLAYS      1
#define NGX_HTTP_AI_MAX_REPLAYS  16


static void ngx_http_ai_exchange_posted(ngx_event_t *ev);
static void ngx_http_ai_exchange_handler(ngx_event_t *ev);
static void ngx_http_ai_exchange_connect(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_exchange_test(ngx_http_ai_exchange_t *ex,
    ngx_uint_t write);
static void ngx_http_ai_exchange_opened(ngx_http_ai_exchange_t *ex);
#if (NGX_SSL)
static void ngx_http_ai_exchange_tls(ngx_connection_t *c);
static void ngx_http_ai_exchange_secured(ngx_http_ai_exchange_t *ex);
#endif
static void ngx_http_ai_exchange_wait(ngx_http_ai_exchange_t *ex);
static ngx_chain_t *ngx_http_ai_exchange_clone(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_exchange_send(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_exchange_state(ngx_http_ai_exchange_t *ex,
    ngx_http_ai_exchange_state_e state);
static void ngx_http_ai_exchange_arm(ngx_http_ai_exchange_t *ex);
static ai_error_e ngx_http_ai_exchange_deadline(ngx_http_ai_exchange_t *ex,
    ngx_msec_t *deadline);
static void ngx_http_ai_exchange_timeout(ngx_event_t *ev);
static ngx_uint_t ngx_http_ai_exchange_stale(ngx_http_ai_exchange_t *ex,
    ai_error_e error);
static void ngx_http_ai_exchange_close(ngx_http_ai_exchange_t *ex,
    ai_error_e error);
static void ngx_http_ai_exchange_account(ngx_http_ai_exchange_t *ex);


ngx_http_ai_exchange_t *
ngx_http_ai_exchange_create(ngx_http_ai_provider_t *p, ngx_http_request_t *r,
    ngx_log_t *log)
{
    ngx_pool_t              *pool;
    ngx_http_ai_exchange_t  *ex;

    pool = ngx_create_pool(NGX_HTTP_AI_POOL_SIZE, log);
    if (pool == NULL) {
        return NULL;
    }

    ex = ngx_pcalloc(pool, sizeof(ngx_http_ai_exchange_t));
    if (ex == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     ex->state = NGX_HTTP_AI_EX_INIT;
     *     ex->peer = { 0 };
     *     ex->buf = NULL;
     */

    ex->provider = p;
    ex->pool = pool;
    ex->buf_pool = r ? r->pool : pool;
    ex->log = log;
    ex->peer.r = r;

    ex->connect_timeout = p->connect_timeout;
    ex->first_timeout = p->first_token_timeout;
    ex->idle_timeout = p->idle_timeout;
    ex->timeout = p->timeout;

    ex->timer.handler = ngx_http_ai_exchange_timeout;
    ex->timer.data = ex;
    ex->timer.log = log;

    ex->post.handler = ngx_http_ai_exchange_posted;
    ex->post.data = ex;
    ex->post.log = log;

    return ex;
}


void
ngx_http_ai_exchange_start(ngx_http_ai_exchange_t *ex)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ex->log, 0,
                   "ai exchange start: %V", &ex->provider->name);

    ex->started = ngx_current_msec;

    ngx_post_event(&ex->post, &ngx_posted_events);
}


void
ngx_http_ai_exchange_cancel(ngx_http_ai_exchange_t *ex)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ex->log, 0,
                   "ai exchange cancel in state %d", ex->state);

    if (ex->state == NGX_HTTP_AI_EX_CLOSED) {
        return;
    }

    ngx_http_ai_exchange_close(ex, AI_ERR_NONE);

    if (ex->depth == 0) {
        ngx_destroy_pool(ex->pool);
    }
}


void
ngx_http_ai_exchange_useful(ngx_http_ai_exchange_t *ex)
{
    ex->progress = ngx_current_msec;

    if (ex->state == NGX_HTTP_AI_EX_FIRST) {
        ngx_http_ai_exchange_state(ex, NGX_HTTP_AI_EX_STREAM);
    }
}


void
ngx_http_ai_exchange_linger(ngx_http_ai_exchange_t *ex, ngx_msec_t timeout)
{
    ex->idle_timeout = timeout;
    ex->lingers = 1;

    ngx_http_ai_exchange_state(ex, NGX_HTTP_AI_EX_STREAM);
}


void
ngx_http_ai_exchange_pause(ngx_http_ai_exchange_t *ex)
{
    ex->paused = 1;
}


void
ngx_http_ai_exchange_resume(ngx_http_ai_exchange_t *ex)
{
    if (!ex->paused) {
        return;
    }

    ex->paused = 0;
    ex->progress = ngx_current_msec;

    ngx_post_event(&ex->post, &ngx_posted_events);
}


void
ngx_http_ai_exchange_enter(ngx_http_ai_exchange_t *ex)
{
    ex->depth++;
}


void
ngx_http_ai_exchange_leave(ngx_http_ai_exchange_t *ex)
{
    ngx_connection_t                  *client;
    const ngx_http_ai_exchange_ops_t  *ops;

    ops = ex->ops;
    client = ex->client;

    if (--ex->depth == 0 && ex->state == NGX_HTTP_AI_EX_CLOSED) {
        ngx_destroy_pool(ex->pool);
    }

    ops->leave(client);
}


static void
ngx_http_ai_exchange_posted(ngx_event_t *ev)
{
    ngx_http_ai_exchange_t  *ex;

    ex = ev->data;

    ngx_http_ai_exchange_enter(ex);

    if (ex->state == NGX_HTTP_AI_EX_INIT) {
        ngx_http_ai_exchange_connect(ex);

    } else {
        ngx_http_ai_exchange_arm(ex);
        ngx_http_ai_exchange_resumed(ex);
    }

    ngx_http_ai_exchange_leave(ex);
}


static void
ngx_http_ai_exchange_handler(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_http_ai_exchange_t  *ex;

    c = ev->data;
    ex = c->data;

    ngx_http_ai_exchange_enter(ex);

    if (ex->state == NGX_HTTP_AI_EX_CONNECT) {
        ngx_http_ai_exchange_test(ex, ev->write);

    } else if (!ev->write) {
        ngx_http_ai_exchange_read(ex);

    } else if (!ex->sent) {
        ngx_http_ai_exchange_send(ex);
    }

    ngx_http_ai_exchange_leave(ex);
}


static void
ngx_http_ai_exchange_connect(ngx_http_ai_exchange_t *ex)
{
    ngx_int_t   rc;
    ai_error_e  error;

    ex->log->action = "connecting to ai provider";

    ngx_http_ai_exchange_state(ex, NGX_HTTP_AI_EX_CONNECT);

    error = AI_ERR_UPSTREAM_CONNECT;

    rc = ngx_http_ai_peer_connect(ex, &error);

    if (rc != NGX_DECLINED) {
        ngx_http_ai_exchange_connected(ex, rc, error);
    }
}


void
ngx_http_ai_exchange_connected(ngx_http_ai_exchange_t *ex, ngx_int_t rc,
    ai_error_e error)
{
    ngx_connection_t  *c;

    if (rc == NGX_ERROR) {
        ngx_http_ai_exchange_end(ex, error);
        return;
    }

    if (ex->state == NGX_HTTP_AI_EX_RESOLVE) {
        ngx_http_ai_exchange_state(ex, NGX_HTTP_AI_EX_CONNECT);
    }

    ex->reused = (rc == NGX_DONE);

    c = ex->peer.peer->connection;
    ex->connection = c;

    if (c->pool == NULL) {

        /* outlives this exchange when the connection is kept */

        c->pool = ngx_create_pool(512, ex->log);
        if (c->pool == NULL) {
            ngx_http_ai_exchange_end(ex, AI_ERR_INTERNAL);
            return;
        }
    }

    c->requests++;
    c->data = ex;
    c->log = ex->log;
    c->pool->log = ex->log;
    c->read->log = ex->log;
    c->write->log = ex->log;
    c->read->handler = ngx_http_ai_exchange_handler;
    c->write->handler = ngx_http_ai_exchange_handler;

    if (rc == NGX_AGAIN) {
        return;
    }

    if (ex->ustate && ex->ustate->connect_time == (ngx_msec_t) -1) {
        ex->ustate->connect_time = ngx_current_msec - ex->started;
    }

    if (ex->reused) {
        ngx_http_ai_exchange_wait(ex);
        return;
    }

    ngx_http_ai_exchange_opened(ex);
}


static void
ngx_http_ai_exchange_test(ngx_http_ai_exchange_t *ex, ngx_uint_t write)
{
    int                err;
    socklen_t          len;
    ngx_int_t          rc;
    ai_error_e         error;
    ngx_connection_t  *c;

    c = ex->connection;
    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err == 0) {

        if (!write) {
            return;
        }

        if (ex->ustate) {
            ex->ustate->connect_time = ngx_current_msec - ex->started;
        }

        ngx_http_ai_exchange_opened(ex);
        return;
    }

    (void) ngx_connection_error(c, err, "connect() to ai provider failed");

    ngx_http_ai_peer_release(ex, 0, 1);

    error = AI_ERR_UPSTREAM_CONNECT;

    rc = ngx_http_ai_peer_next(ex, &error);

    if (rc == NGX_DECLINED) {
        rc = NGX_ERROR;
    }

    ngx_http_ai_exchange_connected(ex, rc, error);
}


/* a fresh connection */

static void
ngx_http_ai_exchange_opened(ngx_http_ai_exchange_t *ex)
{
    if (ngx_tcp_nodelay(ex->connection) != NGX_OK) {
        ngx_http_ai_exchange_end(ex, AI_ERR_INTERNAL);
        return;
    }

#if (NGX_SSL)

    if (ex->provider->ssl && ex->connection->ssl == NULL) {
        ngx_int_t  rc;

        ngx_http_ai_exchange_state(ex, NGX_HTTP_AI_EX_TLS);

        rc = ngx_http_ai_tls_handshake(ex, ngx_http_ai_exchange_tls);

        if (rc == NGX_OK) {
            ngx_http_ai_exchange_secured(ex);

        } else if (rc == NGX_ERROR) {
            ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_TLS);
        }

        return;
    }

#endif

    ngx_http_ai_exchange_wait(ex);
}


#if (NGX_SSL)

static void
ngx_http_ai_exchange_tls(ngx_connection_t *c)
{
    ngx_http_ai_exchange_t  *ex;

    ex = c->data;

    ngx_http_ai_exchange_enter(ex);
    ngx_http_ai_exchange_secured(ex);
    ngx_http_ai_exchange_leave(ex);
}


static void
ngx_http_ai_exchange_secured(ngx_http_ai_exchange_t *ex)
{
    ngx_connection_t  *c;

    c = ex->connection;

    if (ngx_http_ai_tls_verify(ex) != NGX_OK) {
        ngx_http_ai_exchange_end(ex, AI_ERR_UPSTREAM_TLS);
        return;
    }

    /* the handshake had handlers of its own */

    c->read->handler = ngx_http_ai_exchange_handler;
    c->write->handler = ngx_http_ai_exchange_handler;

    ngx_http_ai_exchange_wait(ex);
}

#endif


/* the way is open: send, and read whatever comes meanwhile */

static void
ngx_http_ai_exchange_wait(ngx_http_ai_exchange_t *ex)
{
    ngx_chain_t       *chain;
    ngx_connection_t  *c;

    c = ex->connection;

    if (ex->buf == NULL) {
        ex->size = ngx_pagesize;

        ex->buf = ngx_palloc(ex->buf_pool, ex->size);
        if (ex->buf == NULL) {
            ngx_http_ai_exchange_end(ex, AI_ERR_INTERNAL);
            return;
        }
    }

    ex->pos = 0;
    ex->last = 0;
    ex->received = 0;
    ex->sent = 0;

    ai_http_head_init(&ex->head);

    chain = ngx_http_ai_exchange_clone(ex);
    if (chain == NULL) {
        ngx_http_ai_exchange_end(ex, AI_ERR_INTERNAL);
        return;
    }

    ngx_memzero(&ex->output, sizeof(ngx_output_chain_ctx_t));

    ex->writer.out = NULL;
    ex->writer.last = &ex->writer.out;
    ex->writer.connection = c;
    ex->writer.limit = 0;
    ex->writer.pool = ex->pool;

    ex->output.sendfile = c->sendfile;
    ex->output.need_in_memory = !c->sendfile;
    ex->output.alignment = 512;
    ex->output.pool = ex->pool;
    ex->output.bufs.num = 1;
    ex->output.bufs.size = NGX_HTTP_AI_FILE_SIZE;
    ex->output.tag = (ngx_buf_tag_t) &ngx_http_ai_gateway_module;
    ex->output.output_filter = ngx_chain_writer;
    ex->output.filter_ctx = &ex->writer;

    ex->unsent = chain;

    ngx_http_ai_exchange_state(ex, NGX_HTTP_AI_EX_WAIT);

    ngx_http_ai_exchange_send(ex);
}


/* the request may be sent again, so its buffers are never moved */

static ngx_chain_t *
ngx_http_ai_exchange_clone(ngx_http_ai_exchange_t *ex)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *out, *in, **ll;

    out = NULL;
    ll = &out;

    for (in = ex->request; in; in = in->next) {

        cl = ngx_alloc_chain_link(ex->pool);
        if (cl == NULL) {
            return NULL;
        }

        b = ngx_palloc(ex->pool, sizeof(ngx_buf_t));
        if (b == NULL) {
            return NULL;
        }

        *b = *in->buf;

        /* TLS would wait for more to fill a record with */

        b->flush = (in->next == NULL);

        if (b->in_file) {
            ex->in_file = 1;
        }

        cl->buf = b;
        cl->next = NULL;
        *ll = cl;
        ll = &cl->next;
    }

    return out;
}


static void
ngx_http_ai_exchange_send(ngx_http_ai_exchange_t *ex)
{
    off_t              sent;
    ngx_int_t          rc;
    ngx_chain_t       *in;
    ngx_connection_t  *c;

    c = ex->connection;
    ex->log->action = "sending request to ai provider";

    /* both remember what they were given, and only files need the former */

    in = ex->unsent;
    ex->unsent = NULL;

    sent = c->sent;

    rc = ex->in_file ? ngx_output_chain(&ex->output, in)
                     : ngx_chain_writer(&ex->writer, in);

    if (ex->ustate) {
        ex->ustate->bytes_sent += c->sent - sent;
    }

    if (rc == NGX_AGAIN) {

        if (c->sent != sent) {
            ex->progress = ngx_current_msec;
        }

        if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
            ngx_http_ai_exchange_end(ex, AI_ERR_INTERNAL);
        }

        return;
    }

    /*
     * A provider that refuses a request early closes the connection while
     * we are sending: its answer may be there to be read.
     */

    ex->sent = 1;
    ex->phase = ngx_current_msec;
    ex->log->action = "reading answer of ai provider";

    if (rc == NGX_ERROR) {
        c->write->error = 1;
        ngx_http_ai_exchange_read(ex);
        return;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_http_ai_exchange_end(ex, AI_ERR_INTERNAL);
        return;
    }

    if (c->read->ready) {
        ngx_http_ai_exchange_read(ex);
    }
}


static void
ngx_http_ai_exchange_state(ngx_http_ai_exchange_t *ex,
    ngx_http_ai_exchange_state_e state)
{
    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, ex->log, 0,
                   "ai exchange state: %d > %d", ex->state, state);

    if (state == NGX_HTTP_AI_EX_CONNECT || state == NGX_HTTP_AI_EX_WAIT) {
        ex->phase = ngx_current_msec;
    }

    ex->state = state;
    ex->progress = ngx_current_msec;

    ngx_http_ai_exchange_arm(ex);
}


/*
 * One timer serves all deadlines.  It is moved only to fire earlier; when
 * it fires early, it is set anew.  So a stream of a thousand events costs no
 * more timers than a short answer.
 */

static void
ngx_http_ai_exchange_arm(ngx_http_ai_exchange_t *ex)
{
    ngx_msec_t  deadline;

    (void) ngx_http_ai_exchange_deadline(ex, &deadline);

    if (ex->timer.timer_set
        && (ngx_msec_int_t) (ex->timer.timer.key - deadline) <= 0)
    {
        return;
    }

    ngx_add_timer(&ex->timer,
                  ngx_max((ngx_msec_int_t) (deadline - ngx_current_msec), 1));
}


/* when the timer must fire, and what it means if nothing happens by then */

static ai_error_e
ngx_http_ai_exchange_deadline(ngx_http_ai_exchange_t *ex,
    ngx_msec_t *deadline)
{
    ai_error_e  error;
    ngx_msec_t  total, d;

    total = ex->started + ex->timeout;

    switch (ex->state) {

    case NGX_HTTP_AI_EX_RESOLVE:
        error = AI_ERR_UPSTREAM_DNS;
        d = ex->phase + ex->connect_timeout;
        break;

    case NGX_HTTP_AI_EX_CONNECT:
    case NGX_HTTP_AI_EX_TLS:
        error = AI_ERR_CONNECT_TIMEOUT;
        d = ex->phase + ex->connect_timeout;
        break;

    case NGX_HTTP_AI_EX_WAIT:
        if (!ex->sent) {
            error = AI_ERR_IDLE_TIMEOUT;
            d = ex->progress + ex->idle_timeout;
            break;
        }

        /* fall through */

    case NGX_HTTP_AI_EX_FIRST:
        error = AI_ERR_FIRST_TOKEN_TIMEOUT;
        d = ex->phase + ex->first_timeout;
        break;

    default:
        error = AI_ERR_IDLE_TIMEOUT;
        d = ex->progress + ex->idle_timeout;
    }

    /* a client that does not read is timed by its own send_timeout */

    if (ex->paused || (ngx_msec_int_t) (total - d) <= 0) {
        error = AI_ERR_TIMEOUT;
        d = total;
    }

    *deadline = d;

    return error;
}


static void
ngx_http_ai_exchange_timeout(ngx_event_t *ev)
{
    ai_error_e               error;
    ngx_msec_t               deadline;
    ngx_http_ai_exchange_t  *ex;

    ex = ev->data;

    error = ngx_http_ai_exchange_deadline(ex, &deadline);

    if ((ngx_msec_int_t) (deadline - ngx_current_msec) > 0) {
        ngx_add_timer(ev, deadline - ngx_current_msec);
        return;
    }

    ngx_http_ai_exchange_enter(ex);

    if (ex->lingers) {

        /* nothing is missing but the chance to keep the connection */

        error = AI_ERR_NONE;

    } else {
        ngx_log_error(NGX_LOG_ERR, ex->log, NGX_ETIMEDOUT,
                      "ai provider \"%V\" timed out: %s",
                      &ex->provider->name, ai_error_row(error)->code);
    }

    ngx_http_ai_exchange_end(ex, error);

    ngx_http_ai_exchange_leave(ex);
}


/*
 * A kept connection that is closed by the provider just when it is used
 * again is nobody's failure: as no byte of an answer came, the request goes
 * once more on a fresh one.
 */

static ngx_uint_t
ngx_http_ai_exchange_stale(ngx_http_ai_exchange_t *ex, ai_error_e error)
{
    ngx_uint_t  max;

    if (!ex->reused || ex->state != NGX_HTTP_AI_EX_WAIT) {
        return 0;
    }

    if (error != AI_ERR_UPSTREAM_RESET && error != AI_ERR_STALE) {
        return 0;
    }

    if (error == AI_ERR_UPSTREAM_RESET && ex->received) {
        return 0;
    }

    max = ex->peer.shell ? NGX_HTTP_AI_MAX_REPLAYS : NGX_HTTP_AI_REPLAYS;

    return ex->replays < max;
}


void
ngx_http_ai_exchange_end(ngx_http_ai_exchange_t *ex, ai_error_e error)
{
    ngx_http_request_t  *r;

    if (ngx_http_ai_exchange_stale(ex, error)) {
        ngx_log_error(NGX_LOG_INFO, ex->log, 0,
                      "ai provider \"%V\" closed a kept connection, "
                      "the request is sent on a fresh one",
                      &ex->provider->name);

        ngx_http_ai_peer_release(ex, 0, 0);

        r = ex->peer.r;
        ngx_memzero(&ex->peer, sizeof(ngx_http_ai_peer_t));
        ex->peer.r = r;
        ex->replays++;

        ngx_http_ai_exchange_connect(ex);
        return;
    }

    if (error == AI_ERR_STALE) {
        error = AI_ERR_UPSTREAM_RESET;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, ex->log, 0,
                   "ai exchange end in state %d: %d", ex->state, error);

    if (error == AI_ERR_UPSTREAM_CONNECT || error == AI_ERR_UPSTREAM_TLS
        || error == AI_ERR_UPSTREAM_RESET)
    {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0, "ai provider \"%V\" failed: %s",
                      &ex->provider->name, ai_error_row(error)->code);
    }

    ngx_http_ai_exchange_close(ex, error);

    ex->ops->done(ex, error);
}


static void
ngx_http_ai_exchange_close(ngx_http_ai_exchange_t *ex, ai_error_e error)
{
    ngx_uint_t  keep, failed;

    keep = (error == AI_ERR_NONE && ex->whole && ex->sent
            && ex->head.keepalive && ex->pos == ex->last);

    failed = (error != AI_ERR_NONE);

    ex->state = NGX_HTTP_AI_EX_CLOSED;

    if (ex->timer.timer_set) {
        ngx_del_timer(&ex->timer);
    }

    if (ex->post.posted) {
        ngx_delete_posted_event(&ex->post);
    }

    if (ex->inflate) {
        ai_inflate_end(ex->inflate);
    }

    ngx_http_ai_exchange_account(ex);

    ngx_http_ai_peer_release(ex, keep, failed);

    /* the pool may outlive the connection of the client, whose log it has */

    ex->log = ngx_cycle->log;
    ex->pool->log = ngx_cycle->log;
}


static void
ngx_http_ai_exchange_account(ngx_http_ai_exchange_t *ex)
{
    if (ex->ustate == NULL) {
        return;
    }

    ex->ustate->response_time = ngx_current_msec - ex->started;
    ex->ustate->bytes_received = ex->received;
}

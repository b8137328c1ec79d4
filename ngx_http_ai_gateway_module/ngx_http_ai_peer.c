
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Where an exchange connects to: an upstream{} through a shell upstream,
 * the addresses found at load, or those of a resolver; and the idle
 * connections of each provider.  A provider has one TLS identity, so its
 * idle connections may serve any of its exchanges, and no others.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


/* lives in the pool of its connection and goes with it */

typedef struct {
    ngx_queue_t              queue;
    ngx_http_ai_provider_t  *provider;
    ngx_connection_t        *connection;
    ngx_str_t                name;
    socklen_t                socklen;
    ngx_sockaddr_t           sockaddr;
} ngx_http_ai_idle_t;


static ngx_int_t ngx_http_ai_peer_shell(ngx_http_ai_exchange_t *ex,
    ai_error_e *error);
static ngx_int_t ngx_http_ai_peer_literal(ngx_str_t *host);
static ngx_int_t ngx_http_ai_peer_resolve(ngx_http_ai_exchange_t *ex,
    ai_error_e *error);
static void ngx_http_ai_peer_resolved(ngx_resolver_ctx_t *rctx);
static ngx_int_t ngx_http_ai_peer_addrs(ngx_http_ai_exchange_t *ex,
    ngx_resolver_ctx_t *rctx);
static ngx_int_t ngx_http_ai_peer_open(ngx_http_ai_exchange_t *ex,
    ai_error_e *error);
static ngx_int_t ngx_http_ai_peer_reuse(ngx_http_ai_exchange_t *ex);
static ngx_int_t ngx_http_ai_peer_known(ngx_http_ai_peer_t *peer,
    ngx_http_ai_idle_t *item);
static void ngx_http_ai_peer_name(ngx_http_ai_exchange_t *ex,
    ngx_str_t *name);
static ngx_int_t ngx_http_ai_peer_keep(ngx_http_ai_exchange_t *ex);
static void ngx_http_ai_peer_idle_handler(ngx_event_t *ev);
static void ngx_http_ai_peer_dummy_handler(ngx_event_t *ev);
static void ngx_http_ai_peer_close(ngx_connection_t *c);


ngx_int_t
ngx_http_ai_peer_connect(ngx_http_ai_exchange_t *ex, ai_error_e *error)
{
    ngx_http_ai_peer_t        *peer;
    ngx_http_ai_provider_t    *p;
    ngx_http_core_loc_conf_t  *clcf;

    peer = &ex->peer;
    p = ex->provider;

    if (p->upstream) {
        return ngx_http_ai_peer_shell(ex, error);
    }

    peer->peer = &peer->pc;

    if (peer->addrs == NULL) {

        if (peer->r && !p->unix_socket && !ngx_http_ai_peer_literal(&p->host))
        {
            clcf = ngx_http_get_module_loc_conf(peer->r,
                                                ngx_http_core_module);

            if (clcf->resolver && clcf->resolver->connections.nelts) {
                return ngx_http_ai_peer_resolve(ex, error);
            }
        }

        peer->addrs = p->addrs;
        peer->naddrs = p->naddrs;
    }

    if (peer->naddrs == 0) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\": host \"%V\" had no address when "
                      "nginx was started, and there is no resolver",
                      &p->name, &p->host);
        *error = AI_ERR_UPSTREAM_DNS;
        return NGX_ERROR;
    }

    if (ngx_http_ai_peer_reuse(ex) == NGX_OK) {
        return NGX_DONE;
    }

    peer->next = p->next++;
    peer->tries = peer->naddrs;

    return ngx_http_ai_peer_open(ex, error);
}


ngx_int_t
ngx_http_ai_peer_next(ngx_http_ai_exchange_t *ex, ai_error_e *error)
{
    ngx_http_ai_peer_t     *peer;
    ngx_peer_connection_t  *pc;

    peer = &ex->peer;
    pc = peer->peer;

    if (peer->shell == NULL) {
        return peer->tries ? ngx_http_ai_peer_open(ex, error) : NGX_DECLINED;
    }

    if (pc->tries == 0) {
        return NGX_DECLINED;
    }

    return ngx_http_ai_peer_shell(ex, error);
}


/* nginx balances, keeps connections and counts failures */

static ngx_int_t
ngx_http_ai_peer_shell(ngx_http_ai_exchange_t *ex, ai_error_e *error)
{
    ngx_int_t                rc;
    ngx_http_request_t      *r;
    ngx_http_upstream_t     *u;
    ngx_http_ai_provider_t  *p;

    r = ex->peer.r;
    p = ex->provider;
    u = ex->peer.shell;

    if (u == NULL) {

        if (ngx_http_upstream_create(r) != NGX_OK) {
            *error = AI_ERR_INTERNAL;
            return NGX_ERROR;
        }

        u = r->upstream;
        u->conf = &p->uconf;
        u->upstream = p->upstream;

        ex->peer.shell = u;
        ex->peer.peer = &u->peer;

        if (p->upstream->peer.init(r, p->upstream) != NGX_OK) {
            *error = AI_ERR_INTERNAL;
            return NGX_ERROR;
        }

        u->peer.start_time = ngx_current_msec;
    }

    rc = ngx_event_connect_peer(&u->peer);

    if (ex->ustate && u->peer.name) {
        ex->ustate->peer = u->peer.name;
    }

    if (rc == NGX_BUSY) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\": no live servers in upstream "
                      "\"%V\"", &p->name, &p->upstream->host);
        *error = AI_ERR_NO_TARGET;
        return NGX_ERROR;
    }

    if (rc == NGX_ERROR) {
        *error = AI_ERR_UPSTREAM_CONNECT;
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        u->peer.free(&u->peer, u->peer.data, NGX_PEER_FAILED);

        *error = AI_ERR_UPSTREAM_CONNECT;

        rc = ngx_http_ai_peer_next(ex, error);

        return rc == NGX_DECLINED ? NGX_ERROR : rc;
    }

    return rc;
}


static ngx_int_t
ngx_http_ai_peer_literal(ngx_str_t *host)
{
    return host->data[0] == '['
           || ngx_inet_addr(host->data, host->len) != INADDR_NONE;
}


static ngx_int_t
ngx_http_ai_peer_resolve(ngx_http_ai_exchange_t *ex, ai_error_e *error)
{
    ngx_resolver_ctx_t        *rctx;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(ex->peer.r, ngx_http_core_module);

    ex->log->action = "resolving ai provider";
    ex->state = NGX_HTTP_AI_EX_RESOLVE;

    rctx = ngx_resolve_start(clcf->resolver, NULL);

    if (rctx == NULL || rctx == NGX_NO_RESOLVER) {
        *error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    rctx->name = ex->provider->host;
    rctx->handler = ngx_http_ai_peer_resolved;
    rctx->data = ex;
    rctx->timeout = clcf->resolver_timeout;

    ex->peer.resolve = rctx;

    if (ngx_resolve_name(rctx) != NGX_OK) {
        /* it has freed the context */
        ex->peer.resolve = NULL;
        *error = AI_ERR_UPSTREAM_DNS;
        return NGX_ERROR;
    }

    /* the handler may have been called already */

    return NGX_DECLINED;
}


static void
ngx_http_ai_peer_resolved(ngx_resolver_ctx_t *rctx)
{
    ngx_int_t                rc;
    ai_error_e               error;
    ngx_uint_t               async;
    ngx_http_ai_exchange_t  *ex;

    ex = rctx->data;
    async = rctx->async;

    error = AI_ERR_UPSTREAM_DNS;

    if (rctx->state) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\": host \"%V\" could not be resolved "
                      "(%i: %s)", &ex->provider->name, &rctx->name,
                      rctx->state, ngx_resolver_strerror(rctx->state));
        rc = NGX_ERROR;

    } else {
        rc = ngx_http_ai_peer_addrs(ex, rctx);
    }

    ngx_resolve_name_done(rctx);
    ex->peer.resolve = NULL;

    if (rc == NGX_OK) {
        rc = ngx_http_ai_peer_connect(ex, &error);
    }

    if (!async) {
        /* on the stack of ngx_http_ai_peer_resolve() */
        ngx_http_ai_exchange_connected(ex, rc, error);
        return;
    }

    ngx_http_ai_exchange_enter(ex);
    ngx_http_ai_exchange_connected(ex, rc, error);
    ngx_http_ai_exchange_leave(ex);
}


static ngx_int_t
ngx_http_ai_peer_addrs(ngx_http_ai_exchange_t *ex, ngx_resolver_ctx_t *rctx)
{
    u_char           *p;
    socklen_t         socklen;
    ngx_uint_t        i;
    ngx_addr_t       *addr;
    struct sockaddr  *sockaddr;

    addr = ngx_pcalloc(ex->pool, rctx->naddrs * sizeof(ngx_addr_t));
    if (addr == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < rctx->naddrs; i++) {
        socklen = rctx->addrs[i].socklen;

        sockaddr = ngx_palloc(ex->pool, socklen);
        p = ngx_pnalloc(ex->pool, NGX_SOCKADDR_STRLEN);

        if (sockaddr == NULL || p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(sockaddr, rctx->addrs[i].sockaddr, socklen);
        ngx_inet_set_port(sockaddr, ex->provider->url.port);

        addr[i].sockaddr = sockaddr;
        addr[i].socklen = socklen;
        addr[i].name.data = p;
        addr[i].name.len = ngx_sock_ntop(sockaddr, socklen, p,
                                         NGX_SOCKADDR_STRLEN, 1);
    }

    ex->peer.addrs = addr;
    ex->peer.naddrs = ngx_http_ai_provider_allowed(ex->provider, addr,
                                                   rctx->naddrs);

    if (ex->peer.naddrs == 0) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\": host \"%V\" leads to addresses "
                      "that are not allowed, see \"private_addresses\"",
                      &ex->provider->name, &rctx->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a fresh connection, to the first address that lets us try */

static ngx_int_t
ngx_http_ai_peer_open(ngx_http_ai_exchange_t *ex, ai_error_e *error)
{
    ngx_int_t               rc;
    ngx_addr_t             *addr;
    ngx_http_ai_peer_t     *peer;
    ngx_peer_connection_t  *pc;

    peer = &ex->peer;
    pc = &peer->pc;

    while (peer->tries) {
        peer->tries--;

        addr = &peer->addrs[peer->next++ % peer->naddrs];

        ngx_memzero(pc, sizeof(ngx_peer_connection_t));

        pc->sockaddr = addr->sockaddr;
        pc->socklen = addr->socklen;
        pc->name = &addr->name;
        pc->get = ngx_event_get_peer;
        pc->log = ex->log;
        pc->log_error = NGX_ERROR_ERR;

        ngx_http_ai_peer_name(ex, &addr->name);

        rc = ngx_event_connect_peer(pc);

        if (rc == NGX_OK || rc == NGX_AGAIN) {
            return rc;
        }

        if (rc == NGX_ERROR) {
            break;
        }
    }

    *error = AI_ERR_UPSTREAM_CONNECT;

    return NGX_ERROR;
}


/* an idle connection to one of the addresses, the most recent first */

static ngx_int_t
ngx_http_ai_peer_reuse(ngx_http_ai_exchange_t *ex)
{
    char                     buf[1];
    ssize_t                  n;
    ngx_queue_t             *q, *prev;
    ngx_connection_t        *c;
    ngx_http_ai_idle_t      *item;
    ngx_http_ai_provider_t  *p;

    if (ex->replays) {
        return NGX_DECLINED;
    }

    p = ex->provider;

    for (q = ngx_queue_last(&p->idle);
         q != ngx_queue_sentinel(&p->idle);
         q = prev)
    {
        prev = ngx_queue_prev(q);
        item = ngx_queue_data(q, ngx_http_ai_idle_t, queue);

        if (ngx_http_ai_peer_known(&ex->peer, item) != NGX_OK) {
            continue;
        }

        c = item->connection;

        ngx_queue_remove(q);
        p->nidle--;

        /* whatever came while it was idle is no answer to us */

        n = recv(c->fd, buf, 1, MSG_PEEK);

        if (n != -1 || ngx_socket_errno != NGX_EAGAIN) {
            ngx_http_ai_peer_close(c);
            continue;
        }

        if (c->read->timer_set) {
            ngx_del_timer(c->read);
        }

        c->idle = 0;
        c->sent = 0;
        c->log = ex->log;
        c->read->log = ex->log;
        c->write->log = ex->log;
        c->pool->log = ex->log;

        ngx_memzero(&ex->peer.pc, sizeof(ngx_peer_connection_t));

        ex->peer.pc.connection = c;
        ex->peer.pc.cached = 1;
        ex->peer.pc.sockaddr = (struct sockaddr *) &item->sockaddr;
        ex->peer.pc.socklen = item->socklen;
        ex->peer.pc.name = &item->name;

        ngx_http_ai_peer_name(ex, &item->name);

        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_ai_peer_known(ngx_http_ai_peer_t *peer, ngx_http_ai_idle_t *item)
{
    ngx_uint_t  i;

    for (i = 0; i < peer->naddrs; i++) {
        if (ngx_cmp_sockaddr(peer->addrs[i].sockaddr, peer->addrs[i].socklen,
                             (struct sockaddr *) &item->sockaddr,
                             item->socklen, 1)
            == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* $upstream_addr: read when the exchange and its connection are gone */

static void
ngx_http_ai_peer_name(ngx_http_ai_exchange_t *ex, ngx_str_t *name)
{
    ngx_str_t  *copy;

    if (ex->ustate == NULL) {
        return;
    }

    copy = ngx_palloc(ex->peer.r->pool, sizeof(ngx_str_t));
    if (copy == NULL) {
        return;
    }

    copy->len = name->len;
    copy->data = ngx_pstrdup(ex->peer.r->pool, name);

    if (copy->data) {
        ex->ustate->peer = copy;
    }
}


void
ngx_http_ai_peer_release(ngx_http_ai_exchange_t *ex, ngx_uint_t keep,
    ngx_uint_t failed)
{
    ngx_http_upstream_t    *u;
    ngx_peer_connection_t  *pc;

    if (ex->peer.resolve) {
        ngx_resolve_name_done(ex->peer.resolve);
        ex->peer.resolve = NULL;
    }

    pc = ex->peer.peer;
    u = ex->peer.shell;

    if (u) {
        u->keepalive = keep;
        u->request_body_sent = ex->sent;

        /* as ngx_http_upstream does, what was given back has no address */

        if (pc->sockaddr && pc->free) {
            pc->free(pc, pc->data, failed ? NGX_PEER_FAILED : 0);
            pc->sockaddr = NULL;
        }

    } else if (keep && pc && pc->connection
               && ngx_http_ai_peer_keep(ex) == NGX_OK)
    {
        pc->connection = NULL;
    }

    if (pc && pc->connection) {
        ngx_http_ai_peer_close(pc->connection);
        pc->connection = NULL;
    }

    ex->connection = NULL;
}


static ngx_int_t
ngx_http_ai_peer_keep(ngx_http_ai_exchange_t *ex)
{
    ngx_queue_t             *q;
    ngx_connection_t        *c;
    ngx_http_ai_idle_t      *item, *oldest;
    ngx_peer_connection_t   *pc;
    ngx_http_ai_provider_t  *p;

    p = ex->provider;
    pc = &ex->peer.pc;
    c = pc->connection;

    if (p->keepalive == 0
        || c->requests >= p->keepalive_requests
        || ngx_terminate || ngx_exiting
        || c->read->eof || c->read->error || c->read->timedout
        || c->write->error || c->write->timedout)
    {
        return NGX_DECLINED;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        return NGX_DECLINED;
    }

    item = ngx_palloc(c->pool, sizeof(ngx_http_ai_idle_t));
    if (item == NULL) {
        return NGX_DECLINED;
    }

    /* a connection that was idle before has its address in its own pool */

    item->provider = p;
    item->connection = c;
    item->socklen = pc->socklen;
    ngx_memcpy(&item->sockaddr, pc->sockaddr, pc->socklen);

    item->name.len = pc->name->len;
    item->name.data = ngx_pstrdup(c->pool, pc->name);
    if (item->name.data == NULL) {
        return NGX_DECLINED;
    }

    if (p->nidle >= p->keepalive) {
        q = ngx_queue_head(&p->idle);
        ngx_queue_remove(q);
        p->nidle--;

        oldest = ngx_queue_data(q, ngx_http_ai_idle_t, queue);
        ngx_http_ai_peer_close(oldest->connection);
    }

    ngx_queue_insert_tail(&p->idle, &item->queue);
    p->nidle++;

    c->data = item;
    c->idle = 1;
    c->read->handler = ngx_http_ai_peer_idle_handler;
    c->write->handler = ngx_http_ai_peer_dummy_handler;

    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;
    c->pool->log = ngx_cycle->log;

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    ngx_add_timer(c->read, p->keepalive_timeout);

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    }

    return NGX_OK;
}


static void
ngx_http_ai_peer_idle_handler(ngx_event_t *ev)
{
    char                 buf[1];
    ssize_t              n;
    ngx_connection_t    *c;
    ngx_http_ai_idle_t  *item;

    c = ev->data;

    if (!c->close && !ev->timedout) {

        n = recv(c->fd, buf, 1, MSG_PEEK);

        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
            ev->ready = 0;

            if (ngx_handle_read_event(ev, 0) == NGX_OK) {
                return;
            }
        }
    }

    item = c->data;

    ngx_queue_remove(&item->queue);
    item->provider->nidle--;

    ngx_http_ai_peer_close(c);
}


static void
ngx_http_ai_peer_dummy_handler(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "ai peer idle write event");
}


static void
ngx_http_ai_peer_close(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

#if (NGX_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;

        if (c->read->error || c->write->error || c->read->timedout) {
            c->ssl->no_send_shutdown = 1;
        }

        if (ngx_ssl_shutdown(c) == NGX_AGAIN) {

            /* the socket is full, and nobody will wait for it */

            c->ssl->no_send_shutdown = 1;
            (void) ngx_ssl_shutdown(c);
        }
    }

#endif

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}

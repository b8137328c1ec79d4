
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * One HTTP/1.1 exchange with one provider: connect, TLS, send, receive,
 * timers.  It knows no request of a client: what happens is told through
 * the callbacks of its owner, who may be a request, a probe or a webhook.
 *
 * start() never calls back before it returns.  cancel() never calls back.
 * Exactly one of done() and cancel() ends an exchange, afterwards it must
 * not be touched: its pool is gone.
 */


#ifndef _NGX_HTTP_AI_EXCHANGE_H_INCLUDED_
#define _NGX_HTTP_AI_EXCHANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>
#include "ai_error.h"
#include "ai_http.h"
#include "ai_inflate.h"


typedef struct ngx_http_ai_provider_s  ngx_http_ai_provider_t;
typedef struct ngx_http_ai_exchange_s  ngx_http_ai_exchange_t;


/* how far an exchange has come */

typedef enum {
    NGX_HTTP_AI_EX_INIT = 0,
    NGX_HTTP_AI_EX_RESOLVE,
    NGX_HTTP_AI_EX_CONNECT,
    NGX_HTTP_AI_EX_TLS,
    NGX_HTTP_AI_EX_WAIT,           /* sends, and reads the head already */
    NGX_HTTP_AI_EX_FIRST,          /* head is read, nothing useful yet */
    NGX_HTTP_AI_EX_STREAM,         /* the owner said that it is useful */
    NGX_HTTP_AI_EX_CLOSED
} ngx_http_ai_exchange_state_e;


typedef struct {
    /* the head of the final (not 1xx) answer: ex->head over ex->buf */
    void       (*head)(ngx_http_ai_exchange_t *ex);

    /*
     * Bytes of the body, decoded if ex->decode asks for it.  They stay
     * where they are until flush() returns or, if that paused, until
     * resume(); decoded ones (ex->inflate) only until body() returns.
     */
    void       (*body)(ngx_http_ai_exchange_t *ex, u_char *p, size_t n);

    /* all that one read brought was passed to body(); here one may pause */
    void       (*flush)(ngx_http_ai_exchange_t *ex);

    /*
     * The end: AI_ERR_NONE when the body is whole as the framing tells, or
     * why not.  The connection is released already.
     */
    void       (*done)(ngx_http_ai_exchange_t *ex, ai_error_e error);

    /* the last thing of every event: posted requests are run here */
    void       (*leave)(ngx_connection_t *client);
} ngx_http_ai_exchange_ops_t;


/* where to connect; see ngx_http_ai_peer.c */

typedef struct {
    ngx_http_request_t            *r;       /* upstream{}, resolver: whose */
    ngx_http_upstream_t           *shell;   /* upstream{}, or NULL */
    ngx_resolver_ctx_t            *resolve;
    ngx_addr_t                    *addrs;   /* resolved, or the provider's */
    ngx_uint_t                     naddrs;
    ngx_uint_t                     next;    /* the one to try */
    ngx_uint_t                     tries;   /* addresses left to try */
    ngx_peer_connection_t          pc;
    ngx_peer_connection_t         *peer;    /* &pc, or the shell's */
} ngx_http_ai_peer_t;


struct ngx_http_ai_exchange_s {
    void                          *data;    /* the owner's */
    const ngx_http_ai_exchange_ops_t  *ops;
    ngx_http_ai_provider_t        *provider;
    ngx_pool_t                    *pool;    /* its own */
    ngx_log_t                     *log;     /* the owner's connection's */
    ngx_connection_t              *client;  /* for leave(), or NULL */

    ngx_http_ai_exchange_state_e   state;
    ngx_http_ai_peer_t             peer;
    ngx_connection_t              *connection;
    ngx_http_upstream_state_t     *ustate;  /* $upstream_...; or NULL */

    /* the request: immutable, cloned for each connection */
    ngx_chain_t                   *request;
    ngx_chain_t                   *unsent;
    ngx_output_chain_ctx_t         output;
    ngx_chain_writer_ctx_t         writer;

    /* the answer */
    ngx_pool_t                    *buf_pool; /* outlives what refers to buf */
    u_char                        *buf;
    size_t                         size;
    size_t                         pos;
    size_t                         last;
    size_t                         max_body;   /* decoded; 0: unbounded */
    off_t                          received;   /* bytes on this connection */
    off_t                          rest;       /* of a sized body */
    ai_http_head_t                 head;
    ai_http_chunked_t              chunked;
    ai_inflate_t                  *inflate;
    u_char                        *plain;      /* inflate's output */

    ngx_event_t                    timer;      /* the one deadline */
    ngx_event_t                    post;       /* start, resume */
    ngx_msec_t                     connect_timeout;
    ngx_msec_t                     first_timeout;
    ngx_msec_t                     idle_timeout;
    ngx_msec_t                     timeout;
    ngx_msec_t                     started;
    ngx_msec_t                     phase;      /* when the state began */
    ngx_msec_t                     progress;   /* last useful event */

    ai_error_e                     error;      /* found, told after flush() */
    ngx_uint_t                     depth;      /* handlers on the stack */
    ngx_uint_t                     replays;    /* stale connections met */
    ngx_uint_t                     informs;    /* 1xx heads met */

    unsigned                       decode:1;   /* undo Content-Encoding */
    unsigned                       reused:1;   /* from the idle pool */
    unsigned                       sent:1;     /* the whole request is out */
    unsigned                       in_file:1;  /* a part of the request is */
    unsigned                       lingers:1;  /* all that matters came */
    unsigned                       paused:1;   /* the owner's back-pressure */
    unsigned                       whole:1;    /* the body is complete */
};


/*
 * Makes an exchange with a pool of its own.  The owner then fills request,
 * data, ops, decode, max_body, client, ustate and the four timeouts
 * (copied from the provider) before start().  NULL: no memory.
 */
ngx_http_ai_exchange_t *ngx_http_ai_exchange_create(
    ngx_http_ai_provider_t *p, ngx_http_request_t *r, ngx_log_t *log);

void ngx_http_ai_exchange_start(ngx_http_ai_exchange_t *ex);

/* ends it silently and frees it, in any state */
void ngx_http_ai_exchange_cancel(ngx_http_ai_exchange_t *ex);

/* the first useful event was seen: idle_timeout replaces first_timeout */
void ngx_http_ai_exchange_useful(ngx_http_ai_exchange_t *ex);

/* all that matters has come: waits no longer for the rest, which decides
 * only whether the connection can be kept */
void ngx_http_ai_exchange_linger(ngx_http_ai_exchange_t *ex,
    ngx_msec_t timeout);

/* back-pressure: no byte is read, no timer but the total one runs */
void ngx_http_ai_exchange_pause(ngx_http_ai_exchange_t *ex);
void ngx_http_ai_exchange_resume(ngx_http_ai_exchange_t *ex);


/* brackets of every handler that is called by nginx: what an exchange that
 * ends inside of them leaves behind is freed by the outermost leave() */
void ngx_http_ai_exchange_enter(ngx_http_ai_exchange_t *ex);
void ngx_http_ai_exchange_leave(ngx_http_ai_exchange_t *ex);


/* reads what there is, the latter after a pause; within enter(), leave() */
void ngx_http_ai_exchange_read(ngx_http_ai_exchange_t *ex);
void ngx_http_ai_exchange_resumed(ngx_http_ai_exchange_t *ex);

/* an answer to nobody on a kept connection, internal to the exchange */
#define AI_ERR_STALE  AI_ERR_MAX

/* closes and calls done(), or starts over when a kept connection failed */
void ngx_http_ai_exchange_end(ngx_http_ai_exchange_t *ex, ai_error_e error);

/*
 * Finds an address and connects.  NGX_OK: connected; NGX_AGAIN: connecting;
 * NGX_DONE: taken from an idle pool; NGX_ERROR: no way, *error says why;
 * NGX_DECLINED: a name is being resolved, one of the above is told through
 * ngx_http_ai_exchange_connected(), perhaps it was already.
 */
ngx_int_t ngx_http_ai_peer_connect(ngx_http_ai_exchange_t *ex,
    ai_error_e *error);

/* the next address after one that failed, as ngx_http_ai_peer_connect();
 * NGX_DECLINED: there is none left */
ngx_int_t ngx_http_ai_peer_next(ngx_http_ai_exchange_t *ex,
    ai_error_e *error);

/*
 * Gives everything back: a pending resolution, the connection (to an idle
 * pool if keep, else it is closed), the peer of an upstream{}, which is
 * told when it failed.
 */
void ngx_http_ai_peer_release(ngx_http_ai_exchange_t *ex, ngx_uint_t keep,
    ngx_uint_t failed);

/* what a resolved name led to, see ngx_http_ai_peer_connect() */
void ngx_http_ai_exchange_connected(ngx_http_ai_exchange_t *ex, ngx_int_t rc,
    ai_error_e error);


#if (NGX_SSL)

/*
 * TLS of a fresh connection: NGX_OK, NGX_AGAIN (handler is called when it
 * ended), NGX_ERROR.  verify() tells whether the peer is who it must be.
 */
ngx_int_t ngx_http_ai_tls_handshake(ngx_http_ai_exchange_t *ex,
    ngx_connection_handler_pt handler);
ngx_int_t ngx_http_ai_tls_verify(ngx_http_ai_exchange_t *ex);

#endif


#endif /* _NGX_HTTP_AI_EXCHANGE_H_INCLUDED_ */

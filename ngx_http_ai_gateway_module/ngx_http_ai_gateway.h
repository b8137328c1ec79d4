
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The umbrella of the glue: the context of a request, and the prototypes that
 * cross files.
 */


#ifndef _NGX_HTTP_AI_GATEWAY_H_INCLUDED_
#define _NGX_HTTP_AI_GATEWAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ai_dialect.h"
#include "ai_error.h"
#include "ai_frame.h"
#include "ai_header.h"
#include "ai_json.h"
#include "ai_pattern.h"
#include "ai_record.h"
#include "ai_splice.h"
#include "ai_surface.h"
#include "ai_translate.h"
#include "ai_vendor.h"
#include "ngx_http_ai_compat.h"
#include "ngx_http_ai_exchange.h"
#include "ngx_http_ai_conf.h"    /* after it: names its provider */


#define NGX_HTTP_AI_VERSION      "0.2.0"

/* the longest message that we write to a client ourselves */
#define NGX_HTTP_AI_MESSAGE_LEN  512

/* error documents of providers that are longer are told in our words */
#define NGX_HTTP_AI_ERROR_RELAY  4096

/* seconds: SDKs sleep for as long as they are told */
#define NGX_HTTP_AI_MAX_RETRY_AFTER  60


_Static_assert(AI_OK == NGX_OK && AI_ERROR == NGX_ERROR
               && AI_AGAIN == NGX_AGAIN && AI_DONE == NGX_DONE
               && AI_DECLINED == NGX_DECLINED,
               "return codes of the core are those of nginx");

_Static_assert(sizeof(ai_str_t) == sizeof(ngx_str_t)
               && offsetof(ai_str_t, data) == offsetof(ngx_str_t, data),
               "ai_str_t is laid out as ngx_str_t");

static ngx_inline ai_str_t *
ngx_http_ai_str(ngx_str_t *s)
{
    return (ai_str_t *) (void *) s;
}


static ngx_inline ngx_str_t *
ngx_http_ai_ngx(const ai_str_t *s)
{
    return (ngx_str_t *) (void *) s;
}


typedef struct ngx_http_ai_ctx_s  ngx_http_ai_ctx_t;
typedef struct ngx_http_ai_hub_s  ngx_http_ai_hub_t;


/* how far a request has come */

typedef enum {
    NGX_HTTP_AI_STEPS = 0,        /* runs the step table */
    NGX_HTTP_AI_ATTEMPT,          /* an exchange is under way */
    NGX_HTTP_AI_FINISHED          /* the answer is complete, or given up */
} ngx_http_ai_state_e;


/* headers of the client; NULL where there is none */

typedef struct {
    ngx_table_elt_t                 *anthropic_version;
    ngx_table_elt_t                 *content_encoding;
    ngx_table_elt_t                 *goog;      /* x-goog-api-key, -client */
    ngx_table_elt_t                 *origin;
    ngx_table_elt_t                 *originator;
    ngx_table_elt_t                 *retry_count;
    ngx_table_elt_t                 *traceparent;
} ngx_http_ai_known_t;


/* what the client asked, as the body tells */

typedef struct {
    ai_json_t                        root;
    ai_json_t                        model;
    ai_json_t                        stream;
    ai_json_t                        stream_options;
    ai_json_t                        tools;
    ai_json_t                        messages;  /* messages|contents|input */
    ai_json_t                        max_tokens;
    unsigned                         has_model:1;
    unsigned                         has_stream:1;
    unsigned                         has_stream_options:1;
    unsigned                         has_tools:1;
    unsigned                         has_messages:1;
    unsigned                         has_max_tokens:1;
    unsigned                         wants_stream:1;
    unsigned                         wants_usage:1;   /* include_usage */
} ngx_http_ai_fields_t;


/* what an answer is read as; told by its head, or its first byte */

typedef enum {
    NGX_HTTP_AI_READ_NONE = 0,
    NGX_HTTP_AI_READ_SNIFF,       /* events were asked: JSON says an error */
    NGX_HTTP_AI_READ_EVENTS,      /* passed event by event */
    NGX_HTTP_AI_READ_JSON,        /* collected, checked, passed whole */
    NGX_HTTP_AI_READ_ERROR,       /* collected, up to a cap */
    NGX_HTTP_AI_READ_OPAQUE       /* passed as it comes */
} ngx_http_ai_read_e;


/*
 * The reply owns the answer to the client: what was taken from the attempt
 * and is not sent yet, and what passed.  Bytes refer to the buffer of the
 * exchange, or to "copy", which is free again when all is sent.
 */

typedef struct {
    ngx_http_ai_read_e               mode;
    ngx_uint_t                       status;    /* of the provider */

    ngx_chain_t                     *free;
    ngx_chain_t                     *busy;
    ngx_chain_t                     *out;       /* queued */
    ngx_chain_t                    **last;
    ngx_buf_t                       *tail;      /* of out, to extend it */
    ngx_buf_t                        copy;

    ai_frame_t                       frame;
    ai_tap_t                         tap;
    ai_translate_t                  *translate; /* NULL: bytes pass */
    ngx_pool_t                      *scratch;   /* of one event */
    ai_alloc_t                       scratch_alloc;

    u_char                          *body;      /* what is collected */
    size_t                           len;
    size_t                           size;

    unsigned                         hide_usage:1;
    unsigned                         ended:1;   /* the last byte is queued */
} ngx_http_ai_reply_t;


struct ngx_http_ai_ctx_s {
    ngx_http_request_t              *request;
    ngx_http_ai_loc_conf_t          *lcf;
    ngx_http_ai_main_conf_t         *mcf;
    ai_alloc_t                       alloc;     /* over r->pool */

    ngx_http_ai_state_e              state;
    ngx_uint_t                       step;

    ngx_http_ai_known_t              known;
    ngx_uint_t                       hints;     /* AI_HINT_... */
    ai_surface_t                     surface;
    ngx_str_t                        body;      /* as the client sent it,
                                                   inflated, in one piece */
    ngx_http_ai_fields_t             fields;

    ngx_http_ai_tier_t              *tier;      /* NULL: no tier */
    ngx_http_ai_target_t             target;    /* chosen */
    ngx_http_ai_credential_t        *credential;
    ai_op_e                          op;        /* the target is asked for */
    ngx_http_ai_hub_t               *hub;       /* NULL: not needed yet */

    ngx_queue_t                      waiting;   /* for an access token */

    ngx_http_ai_exchange_t          *ex;        /* NULL: none under way */
    ngx_http_ai_reply_t              reply;
    ai_record_t                      record;

    uint64_t                         start;     /* microseconds, monotonic */
    uint64_t                         body_done;
    uint64_t                         attempt_start;
    uint64_t                         attempt_end;

    ai_error_e                       error;     /* to be told, or was */
    ngx_uint_t                       status;    /* with it; 0: the usual */
    ngx_str_t                        message;   /* in the words of whoever
                                                   refused, or empty */
    ngx_str_t                        param;     /* the offending member */
    ngx_int_t                        retry_after;

    unsigned                         committed:1;  /* the head is out */
    unsigned                         opaque:1;     /* no JSON is expected */
    unsigned                         translated:1; /* op is not the client's */
    unsigned                         waits:1;      /* see waiting */
};


/* ngx_http_ai_gateway_module.c */

extern ngx_module_t  ngx_http_ai_gateway_module;

/* an arena over a pool; what it gave is freed with the pool */
void ngx_http_ai_pool_alloc(ngx_pool_t *pool, ai_alloc_t *a);

/* monotonic microseconds */
uint64_t ngx_http_ai_now(void);


/* ngx_http_ai_handler.c */

ngx_int_t ngx_http_ai_handler(ngx_http_request_t *r);
void ngx_http_ai_run(ngx_http_ai_ctx_t *ctx);

/* ends the request with an error document, or, when the head is out, with
 * an error event; may finalize: nothing may follow */
void ngx_http_ai_fail(ngx_http_ai_ctx_t *ctx, ai_error_e error);

/* ends the request after its last byte was passed on; may finalize */
void ngx_http_ai_finish(ngx_http_ai_ctx_t *ctx, ngx_int_t rc);

/* AI_HINT_... of the headers and arguments */
ngx_uint_t ngx_http_ai_hints(ngx_http_request_t *r,
    ngx_http_ai_known_t *known);

/*
 * Microseconds until now that were neither the client sending its body nor
 * the provider answering; the latter are *upstream.
 */
uint64_t ngx_http_ai_overhead(ngx_http_ai_ctx_t *ctx, uint64_t now,
    uint64_t *upstream);

/* the read body in one piece: NGX_OK, NGX_ERROR */
ngx_int_t ngx_http_ai_request_body(ngx_http_request_t *r, ngx_str_t *body);


/* ngx_http_ai_steps.c: NGX_OK next, NGX_DONE the reply owns the request,
 * NGX_ERROR ctx->error is to be told */

typedef ngx_int_t (*ngx_http_ai_step_pt)(ngx_http_ai_ctx_t *ctx);

extern ngx_http_ai_step_pt  ngx_http_ai_steps[];


/* ngx_http_ai_route.c: tier and target of ctx; NGX_OK, NGX_DECLINED: no such
 * model, or another error in ctx->error */

ngx_int_t ngx_http_ai_route(ngx_http_ai_ctx_t *ctx);


#include "ngx_http_ai_request.h"    /* after the context */


/* ngx_http_ai_attempt.c: NGX_OK, NGX_ERROR */

ngx_int_t ngx_http_ai_attempt_start(ngx_http_ai_ctx_t *ctx);
void ngx_http_ai_attempt_cancel(ngx_http_ai_ctx_t *ctx);

/* the attempt ended so, for the log */
void ngx_http_ai_attempt_record(ngx_http_ai_ctx_t *ctx, ngx_uint_t status,
    ai_error_e error);

/* its answer was found to be no good only after it had ended */
void ngx_http_ai_attempt_blame(ngx_http_ai_ctx_t *ctx);


/* ngx_http_ai_read.c: the answer of a provider, as it comes */

extern const ngx_http_ai_exchange_ops_t  ngx_http_ai_read_ops;


/* ngx_http_ai_fault.c: both end the request */

/* an error told within an answer, before or after the commit: in the tap */
void ngx_http_ai_fault_told(ngx_http_ai_ctx_t *ctx);

/* an answer with a status of 400 or more, as it was collected */
void ngx_http_ai_fault_answer(ngx_http_ai_ctx_t *ctx);


/* ngx_http_ai_reply.c */

/* takes from the head of an answer what the client may see of it */
ngx_int_t ngx_http_ai_reply_headers(ngx_http_ai_ctx_t *ctx,
    ngx_http_ai_exchange_t *ex);

/*
 * Sends the head; length -1: unknown.  NGX_OK, NGX_ERROR, or NGX_DONE: no
 * body may follow.
 */
ngx_int_t ngx_http_ai_reply_commit(ngx_http_ai_ctx_t *ctx, ngx_uint_t status,
    off_t length);

/* queues bytes for the next flush, by reference or, if copy, copied */
ngx_int_t ngx_http_ai_reply_add(ngx_http_ai_ctx_t *ctx, u_char *p, size_t n,
    ngx_uint_t copy);

/*
 * Sends what is queued, and, if last, the end of the body.  NGX_OK: all is
 * gone; NGX_AGAIN: the client is slower than we are; NGX_ERROR.
 */
ngx_int_t ngx_http_ai_reply_flush(ngx_http_ai_ctx_t *ctx, ngx_uint_t last);

/* sends what is queued and the end of the body; may finalize */
void ngx_http_ai_reply_end(ngx_http_ai_ctx_t *ctx);

/* a whole document; may finalize */
void ngx_http_ai_reply_document(ngx_http_ai_ctx_t *ctx, ngx_uint_t status,
    ngx_str_t *body);

/* the document, or event, of ctx->error; may finalize */
void ngx_http_ai_reply_error(ngx_http_ai_ctx_t *ctx);

/* adds a response header, name in its final spelling */
ngx_int_t ngx_http_ai_reply_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/* the client can take more */
void ngx_http_ai_reply_writer(ngx_http_request_t *r);


/* ngx_http_ai_endpoints.c: what is answered without a provider */

/* may finalize */
void ngx_http_ai_local(ngx_http_ai_ctx_t *ctx);

/* adds what a browser needs, if the origin is one of ours */
ngx_int_t ngx_http_ai_cors(ngx_http_ai_ctx_t *ctx);


/* ngx_http_ai_variables.c */

ngx_int_t ngx_http_ai_variables_add(ngx_conf_t *cf);


/* ngx_http_ai_mock.c */

char *ngx_http_ai_mock(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _NGX_HTTP_AI_GATEWAY_H_INCLUDED_ */

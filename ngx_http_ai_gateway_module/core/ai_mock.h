
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A provider that is none: reads a request as OpenAI, Anthropic or Gemini
 * would, and renders an answer of the same shape, whole or as a stream, or
 * fails in the way it was told to.  The same seed and requests in the same
 * order give the same answers, but for the time of their creation.
 */


#ifndef _AI_MOCK_H_INCLUDED_
#define _AI_MOCK_H_INCLUDED_


#include "ai.h"
#include "ai_json.h"
#include "ai_surface.h"


#define AI_MOCK_TOKENS      16
#define AI_MOCK_TOKENS_MAX  1000000
#define AI_MOCK_SHARE       10000      /* all requests */


typedef enum {
    AI_MOCK_SOUND = 0,
    AI_MOCK_STATUS,               /* an error document with that status */
    AI_MOCK_RESET,                /* a reset instead of an answer */
    AI_MOCK_RESET_MID,            /* a reset half way */
    AI_MOCK_STALL,                /* the head of the answer, then silence */
    AI_MOCK_STALL_MID,            /* half of the answer, then silence */
    AI_MOCK_ERROR_FIRST,          /* 200, and the first event is an error */
    AI_MOCK_ERROR_MID,            /* an error event half way */
    AI_MOCK_TRUNCATE              /* complete for HTTP, but half of it: no
                                     terminator, cut JSON */
} ai_mock_fault_e;


typedef struct {
    ai_mock_fault_e             fault;
    ai_uint_t                   status;
    ai_uint_t                   share;      /* of AI_MOCK_SHARE requests */
} ai_mock_fault_t;


typedef struct {
    ai_uint_t                   tokens;     /* 1 .. AI_MOCK_TOKENS_MAX */
    ai_str_t                    model;      /* empty: that of the request;
                                               fit for ai_model_check() */
    uint64_t                    seed;
    ai_mock_fault_t            *faults;     /* shares add up to at most
                                               AI_MOCK_SHARE */
    ai_uint_t                   nfaults;
} ai_mock_conf_t;


typedef struct {
    ai_surface_t                surface;    /* by ai_surface_find() */
    ai_int_t                    found;      /* what it returned */
    ai_uint_t                   hints;      /* AI_HINT_... */
    ai_str_t                    path;
    ai_str_t                    body;
    uint64_t                    number;     /* counts the requests */
    uint64_t                    now;        /* seconds of the epoch */
    unsigned                    sse:1;      /* Gemini's "alt=sse" */
} ai_mock_request_t;


/* what to wait for before the next piece; bits of a mask, too */

typedef enum {
    AI_MOCK_NOW = 0,
    AI_MOCK_FIRST = 1,
    AI_MOCK_GAP = 2
} ai_mock_wait_e;


typedef enum {
    AI_MOCK_OPEN = 0,
    AI_MOCK_PIECES,
    AI_MOCK_BREAK,                /* an error event ends the stream */
    AI_MOCK_CLOSE
} ai_mock_state_e;


typedef struct {
    size_t                      pos;        /* in the preface */
    ai_uint_t                   word;       /* after the preface */
} ai_mock_cursor_t;


typedef struct ai_mock_s        ai_mock_t;
typedef struct ai_mock_shape_s  ai_mock_shape_t;
typedef struct ai_mock_error_s  ai_mock_error_t;

struct ai_mock_s {
    /* for the caller: the head of the answer */
    ai_uint_t                   status;
    ai_str_t                    content_type;  /* empty: no body */
    ai_str_t                    request_id;
    size_t                      length;     /* to announce; known after the
                                               first ai_mock_next(), 0 for
                                               streams */

    /* for the caller: how to go on */
    ai_mock_fault_e             fault;
    ai_mock_wait_e              wait;       /* before the next piece */
    ai_uint_t                   pieces;     /* of content, 0: no content */
    unsigned                    stream:1;
    unsigned                    done:1;     /* there is no next piece */

    /* what the answer is made of */
    unsigned                    usage:1;    /* include_usage */
    unsigned                    array:1;    /* Gemini without SSE */
    unsigned                    cut_short:1;  /* by the client's limit */
    unsigned                    named:1;    /* the client named the tool */
    unsigned                    base64:1;
    unsigned                    failed:1;   /* no memory */

    const ai_mock_shape_t      *shape;
    const ai_mock_error_t      *error;
    const char                 *template;
    const ai_dialect_t         *dialect;
    ai_mock_conf_t             *conf;
    ai_alloc_t                 *alloc;
    void                      (*render)(ai_mock_t *m);

    ai_mock_state_e             state;
    ai_uint_t                   sent;       /* pieces */
    ai_uint_t                   cut;        /* fails after as many pieces */
    ai_uint_t                   sequence;
    ai_uint_t                   error_status;
    uint64_t                    key;
    uint64_t                    created;
    uint64_t                    input;      /* tokens */
    uint64_t                    output;

    ai_str_t                    model;      /* these four are JSON text */
    ai_str_t                    tool;       /* name, empty: no call */
    ai_str_t                    arguments;
    ai_str_t                    preface;
    ai_str_t                    message;    /* of the error */
    ai_str_t                    path;
    ai_json_t                   inputs;     /* of embeddings */
    ai_uint_t                   dimensions;
    ai_mock_cursor_t            cursor;
    ai_str_t                    token;      /* the current one */
    ai_str_t                    head;       /* around a token, when all */
    ai_str_t                    tail;       /* pieces are equal there */

    u_char                     *start;      /* of what is rendered */
    u_char                     *pos;
    u_char                     *end;

    u_char                      id[28];     /* "req_", 24 characters */
};


/*
 * Reads the value of "fail": STATUS (400 .. 599), reset, reset_mid, stall,
 * stall_mid, error_first, error_mid or truncate, then optionally ":PERCENT"
 * ("10", "10%", "0.25%").  AI_OK or AI_DECLINED.
 */

ai_int_t ai_mock_fault_parse(ai_str_t *value, ai_mock_fault_t *f);


/*
 * Decides what the answer to a request is.  conf, the request's strings and
 * the arena must outlive m.  Sets m->status, m->content_type, m->fault,
 * m->stream; a request that is not understood is answered 400, 404 or 405 in
 * its dialect.  AI_OK, or AI_ERROR: no memory.
 *
 * With m->fault AI_MOCK_RESET nothing is to be sent.  With the other faults
 * the pieces are rendered up to where the answer breaks; what happens there,
 * silence or reset, is for the caller to do.
 */

ai_int_t ai_mock_init(ai_mock_t *m, ai_mock_conf_t *conf,
    ai_mock_request_t *req, ai_alloc_t *a);


/*
 * Renders what is to be sent next: a whole document, or events up to a pause
 * whose bit (AI_MOCK_FIRST, AI_MOCK_GAP) is in "waits", but not many more
 * than 32 KB of them.  *out is valid until the next call and may be empty;
 * m->wait tells what to wait for before that call.
 *
 * AI_OK, AI_DONE: nothing is left, AI_ERROR: no memory.
 */

ai_int_t ai_mock_next(ai_mock_t *m, ai_uint_t waits, ai_str_t *out);


#endif /* _AI_MOCK_H_INCLUDED_ */

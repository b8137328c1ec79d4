
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A dialect is how a family of clients and providers speaks: one file, one
 * vtable.  Nothing outside dialect_*.c and the table in ai_dialect.c knows
 * a dialect by its name.
 */


#ifndef _AI_DIALECT_H_INCLUDED_
#define _AI_DIALECT_H_INCLUDED_


#include "ai.h"
#include "ai_json.h"
#include "ai_sse.h"
#include "ai_usage.h"


typedef struct ai_dialect_s    ai_dialect_t;
typedef struct ai_tap_s        ai_tap_t;
typedef struct ai_tap_root_s   ai_tap_root_t;
typedef struct ai_error_doc_s  ai_error_doc_t;


/* what a client may ask, see ai_surface.h for how it is recognised */

typedef enum {
    AI_OP_NONE = 0,

    AI_OP_CHAT,                   /* POST .../chat/completions */
    AI_OP_COMPLETIONS,            /* POST .../completions */
    AI_OP_EMBEDDINGS,             /* POST .../embeddings */
    AI_OP_RESPONSES,              /* POST .../responses */
    AI_OP_MESSAGES,               /* POST .../messages */
    AI_OP_COUNT_TOKENS,           /* POST .../messages/count_tokens */
    AI_OP_GENERATE,               /* POST .../models/M:generateContent */
    AI_OP_STREAM_GENERATE,        /* POST ...:streamGenerateContent */
    AI_OP_GEMINI_COUNT_TOKENS,    /* POST ...:countTokens */
    AI_OP_EMBED_CONTENT,          /* POST ...:embedContent */
    AI_OP_BATCH_EMBED_CONTENTS,   /* POST ...:batchEmbedContents */
    AI_OP_COHERE_CHAT,            /* POST .../v2/chat */
    AI_OP_COHERE_EMBED,           /* POST .../v2/embed */
    AI_OP_CONVERSE,               /* POST .../model/M/converse */
    AI_OP_CONVERSE_STREAM,        /* POST .../model/M/converse-stream */
    AI_OP_OLLAMA_CHAT,            /* POST /api/chat, to providers only */
    AI_OP_OLLAMA_EMBED,           /* POST /api/embed, to providers only */
    AI_OP_PREDICT,                /* POST ...:predict, to Vertex only */
    AI_OP_PASS,                   /* any other .../v1/... path, opaque */

    AI_OP_MODELS,                 /* GET .../models, answered locally */
    AI_OP_MODEL,                  /* GET .../models/ID, answered locally */
    AI_OP_HEALTH,                 /* HEAD /, HEAD /api/hello, GET /health */
    AI_OP_PREFLIGHT               /* OPTIONS with Origin */
} ai_op_e;


/* what one event of a stream means to whoever waits for the answer */

typedef enum {
    AI_EVENT_IDLE = 0,            /* comment, ping, opening, unknown */
    AI_EVENT_CONTENT,             /* text, reasoning, tool call: commits */
    AI_EVENT_USAGE,               /* nothing but usage: may be hidden */
    AI_EVENT_END,                 /* the terminator of the dialect; that of
                                     Responses is the whole answer, which
                                     tap->content counts if nothing was */
    AI_EVENT_ERROR,               /* an error told inside a 200 */
    AI_EVENT_INVALID              /* data that is not what it must be */
} ai_event_e;


#define AI_TAP_MODEL_LEN   128
#define AI_TAP_FINISH_LEN  32
#define AI_TAP_TOOLS_LEN   256
#define AI_TAP_ERROR_LEN   512

#define AI_TAP_SAMPLE_LEN  512
#define AI_TAP_HOLES       8


/*
 * An event whose like can be told without reading it, see dialect_sample.c:
 * its name, then its data without the values that may differ.
 */

typedef struct {
    uint16_t             end;          /* of the bytes before it */
    unsigned             number:1;     /* else a string */
    unsigned             text:1;       /* of the answer, not empty */
} ai_tap_sample_hole_t;

typedef struct {
    uint64_t              output;      /* bytes of it outside of the holes */
    uint16_t              len;         /* 0: there is no sample */
    uint16_t              name_len;
    uint16_t              nholes;
    ai_tap_sample_hole_t  holes[AI_TAP_HOLES];
    u_char                bytes[AI_TAP_SAMPLE_LEN];
} ai_tap_sample_t;


/*
 * The tap reads what passes: usage, finish reason, model, tool names.  It
 * copies what it keeps, so no byte of the stream need outlive its event.
 * Strings are decoded UTF-8, cut at a character when they are too long,
 * control characters in them being replaced by spaces: they go to logs.
 */

struct ai_tap_s {
    const ai_dialect_t  *dialect;
    ai_alloc_t          *alloc;        /* scratch, see ai_tap_init() */
    ai_alloc_t          *keep;         /* what lives as long as the tap */
    void                *wire;         /* see ai_tap_wire_event() */
    const struct ai_vendor_s  *vendor; /* or NULL */
    ai_tap_root_t       *root;         /* what is being read, see dialect.h */
    ai_op_e              op;

    ai_usage_t           usage;
    uint64_t             events;       /* all events */
    uint64_t             content;      /* content events */
    uint64_t             output_bytes; /* decoded text, to estimate usage */
    uint64_t             unknown;      /* skipped: events of no known kind */
    uint64_t             tool_calls;

    /* bits by index of choice (candidate), all from the 63rd on in one */
    uint64_t             choices;
    uint64_t             choices_finished;

    ai_str_t             model;        /* point into the buffers below */
    ai_str_t             finish;       /* as the provider spells it */
    ai_str_t             tools;        /* names, comma separated */

    /* an error told inside a 200 */
    ai_str_t             error_type;
    ai_str_t             error_message;
    ai_uint_t            error_status; /* 0 when it tells none */

    unsigned             finished:1;   /* all choices have a finish reason */
    unsigned             ended:1;      /* the terminator was seen */

    u_char               model_buf[AI_TAP_MODEL_LEN];
    u_char               finish_buf[AI_TAP_FINISH_LEN];
    u_char               tools_buf[AI_TAP_TOOLS_LEN];
    u_char               error_buf[AI_TAP_ERROR_LEN];
    u_char               error_type_buf[AI_TAP_FINISH_LEN * 2];

    ai_tap_sample_t      sample;       /* last, all before it is the state */
};


/* how a provider of this dialect takes its credential by default */

typedef enum {
    AI_AUTH_NONE = 0,
    AI_AUTH_BEARER,               /* Authorization: Bearer KEY */
    AI_AUTH_X_API_KEY,            /* x-api-key: KEY */
    AI_AUTH_API_KEY,              /* api-key: KEY */
    AI_AUTH_X_GOOG_API_KEY,       /* x-goog-api-key: KEY */
    AI_AUTH_SIGV4,                /* AWS Signature Version 4 */
    AI_AUTH_GOOGLE                /* Bearer, fetched for a service account */
} ai_auth_e;


struct ai_dialect_s {
    ai_str_t     name;            /* as in ai_provider's "dialect" */
    ai_auth_e    auth;
    ai_uint_t    ops;             /* bit mask of 1 << AI_OP_... it speaks;
                                     without those answered locally */

    /* how a finished stream is closed for the client, by operation; empty
     * when the dialect has no terminator */
    const char  *(*terminator)(ai_op_e op);

    /* one event of a stream; root is a scanned document */
    ai_event_e   (*event)(ai_tap_t *tap, ai_str_t *name, ai_json_t *root);

    /* a whole answer: AI_EVENT_CONTENT, AI_EVENT_ERROR (an error object in
     * a 200) or AI_EVENT_INVALID (not the shape of such an answer) */
    ai_event_e   (*response)(ai_tap_t *tap, ai_json_t *root);

    /* an error document, and the event that tells one in mid-stream;
     * allocates from a; AI_ERROR when there is no memory */
    ai_int_t     (*error)(ai_error_doc_t *doc, ai_alloc_t *a, ai_str_t *out);
    ai_int_t     (*error_event)(ai_error_doc_t *doc, ai_op_e op,
                     ai_alloc_t *a, ai_str_t *out);

    /* bit mask of operations whose streams tell usage only when a member
     * stream_options.include_usage asks for it */
    ai_uint_t    usage_ops;
};


extern const ai_dialect_t  ai_dialect_openai;
extern const ai_dialect_t  ai_dialect_anthropic;
extern const ai_dialect_t  ai_dialect_gemini;
extern const ai_dialect_t  ai_dialect_responses;
extern const ai_dialect_t  ai_dialect_cohere;
extern const ai_dialect_t  ai_dialect_bedrock;
extern const ai_dialect_t  ai_dialect_ollama;


/* the dialect of that name, or NULL */
const ai_dialect_t *ai_dialect_find(ai_str_t *name);

/* all dialects, NULL terminated, for error messages that list them */
extern const ai_dialect_t  *const ai_dialects[];

/*
 * Prepares a tap for one answer to an operation; alloc must outlive it.  It
 * is scratch for what is unusual: what it gave may be dropped after each call
 * of the two functions below, if tap->keep is then set to an arena that lives
 * as long as the tap.
 */
void ai_tap_init(ai_tap_t *tap, const ai_dialect_t *d, ai_op_e op,
    ai_alloc_t *alloc);

/*
 * Reads one event as ai_sse_next() gave it.  "[DONE]", the field "error" and
 * events without data are handled here, all else goes to the dialect's
 * event().  What comes after the terminator is AI_EVENT_IDLE.  Nothing is
 * read of AI_OP_PASS, where all data is content.
 */
ai_event_e ai_tap_event(ai_tap_t *tap, ai_sse_event_t *ev);

/*
 * Reads a whole answer.  AI_EVENT_INVALID also for what is not JSON, with
 * the reason in *err in both cases.  Answers to AI_OP_PASS must be JSON,
 * nothing is read of them.
 */
ai_event_e ai_tap_response(ai_tap_t *tap, u_char *p, size_t len,
    ai_json_error_t *err);

/*
 * Whether a stream that ends now is complete: a finish reason or the
 * terminator was seen.  A clean end of the connection proves nothing.
 */
ai_uint_t ai_tap_complete(ai_tap_t *tap);

/*
 * Fills usage from sizes when the provider told none, or only that of the
 * input before the stream broke: input_bytes is the size of the request, the
 * output comes from what passed.  Counting tokens costs none.
 */
void ai_tap_estimate(ai_tap_t *tap, uint64_t input_bytes);


#endif /* _AI_DIALECT_H_INCLUDED_ */

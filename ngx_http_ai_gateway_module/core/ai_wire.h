
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The neutral answer, and the vtable of a wire: how one operation is written
 * in one dialect, on either side.  A decoder turns what a provider sends into
 * deltas, an encoder turns deltas into what a client reads; ai_translate.c
 * stands between them and puts the deltas into order.
 */


#ifndef _AI_WIRE_H_INCLUDED_
#define _AI_WIRE_H_INCLUDED_


#include "ai_caps.h"
#include "ai_dialect.h"
#include "ai_error.h"
#include "ai_message.h"
#include "ai_vendor.h"


typedef struct ai_wire_s    ai_wire_t;
typedef struct ai_decode_s  ai_decode_t;
typedef struct ai_encode_s  ai_encode_t;


typedef enum {
    AI_FINISH_NONE = 0,
    AI_FINISH_STOP,
    AI_FINISH_SEQUENCE,           /* a stop sequence; text: which */
    AI_FINISH_LENGTH,
    AI_FINISH_CONTEXT,            /* the context window is full */
    AI_FINISH_TOOLS,
    AI_FINISH_FILTER,             /* refused, filtered, blocked */
    AI_FINISH_PAUSE,              /* pause_turn */
    AI_FINISH_BROKEN              /* malformed call, "error" */
} ai_finish_e;


typedef enum {
    AI_DELTA_START = 0,           /* id, name: model, created */
    AI_DELTA_TEXT,                /* text */
    AI_DELTA_REASONING,           /* text */
    AI_DELTA_STATE,               /* ends the reasoning before it, or is one
                                     without words: state_*, text */
    AI_DELTA_REFUSAL,             /* text */
    AI_DELTA_CALL,                /* call, id, name; custom; state_*, state */
    AI_DELTA_ARGS,                /* call; text: a piece of the JSON text */
    AI_DELTA_CALL_END,            /* call */
    AI_DELTA_IMAGE,               /* media_type; text: base64 */
    AI_DELTA_CITATION,            /* url, name: title; text: what is cited;
                                     from, to: characters of the text */
    AI_DELTA_LOGPROBS,            /* raw: array as in OpenAI's "content" */
    AI_DELTA_FINISH,              /* finish, native; text: stop sequence */
    AI_DELTA_USAGE,               /* usage: absolute, the last one counts */
    AI_DELTA_END,                 /* the provider says that it is complete */
    AI_DELTA_ERROR                /* name: type; text: message; status */
} ai_delta_e;


/*
 * What a decoder emits; strings need not outlive the call that emits it.
 *
 * A decoder may be as careless as its provider: emit START with each chunk,
 * usage many times, FINISH twice, no CALL_END, no ids.  "call" is any number
 * that identifies a call within its choice.  An encoder gets them in order:
 * START once, first; each CALL with an id and a number counting from 0, its
 * ARGS ("{}" of none, none of an empty piece), its CALL_END, calls and other
 * content never interleaved in a choice; FINISH once per choice, TOOLS if
 * it should be; USAGE once, if it is known; END once, last.
 */

typedef struct {
    ai_delta_e           type;
    ai_uint_t            choice;
    ai_uint_t            call;

    ai_mstr_t            text;
    ai_mstr_t            id;
    ai_mstr_t            name;
    ai_mstr_t            media_type;
    ai_mstr_t            url;
    ai_str_t             raw;
    uint64_t             from;
    uint64_t             to;
    uint64_t             created;      /* seconds of the epoch, or 0 */

    ai_state_e           state_kind;
    ai_mstr_t            state;        /* STATE, CALL */
    ai_mstr_t            state_id;

    ai_finish_e          finish;
    ai_mstr_t            native;       /* as the provider spells it */
    ai_usage_t           usage;
    ai_uint_t            status;

    unsigned             custom:1;     /* a custom tool's call */
} ai_delta_t;


/* AI_OK, or AI_ERROR: no memory, or what is written is too large */

typedef ai_int_t (*ai_delta_pt)(void *data, const ai_delta_t *delta);


/*
 * Reads one answer.  A decoder owns no memory but what it takes from alloc;
 * scratch may be dropped after each call.
 */

struct ai_decode_s {
    const ai_wire_t     *wire;
    const ai_vendor_t   *vendor;
    ai_op_e              op;
    ai_alloc_t          *alloc;
    ai_alloc_t          *scratch;
    ai_delta_pt          emit;
    void                *data;
    void                *state;        /* wire->decode_size, zeroed */
    uint64_t             unknown;      /* events and blocks of no known kind */
    unsigned             document:1;   /* what is emitted stays where it is
                                          for as long as alloc */
};


/*
 * Writes one answer.  Everything above "out" is given; out is emptied by
 * whoever sends it.
 */

struct ai_encode_s {
    const ai_wire_t     *wire;
    ai_op_e              op;           /* of the client */
    ai_alloc_t          *alloc;
    void                *state;        /* wire->encode_size, zeroed */

    const ai_request_t  *req;
    ai_str_t             model;        /* that the client named */
    ai_str_t             request_id;   /* hexadecimal, to make ids of */
    uint64_t             now;          /* seconds of the epoch */
    uint64_t             input;        /* see ai_encode_input() */
    size_t               max;          /* of what must be kept */

    ai_uint_t            array;        /* Gemini without alt=sse: a stream
                                          is a JSON array */

    const ai_usage_t    *usage;        /* as known so far */
    ai_buf_t            *out;
};


/* an answer that is whole: what JSON answers are rendered from */

typedef struct {
    ai_part_t           *parts;        /* REASONING, TEXT, REFUSAL, CALL,
                                          IMAGE in their order */
    ai_part_t          **last;
    struct ai_citation_s
                        *citations;
    struct ai_citation_s
                       **last_citation;
    ai_str_t             logprobs;     /* raw array, or empty */
    ai_finish_e          finish;
    ai_mstr_t            native;
    ai_mstr_t            sequence;
} ai_answer_choice_t;


typedef struct ai_citation_s  ai_citation_t;

struct ai_citation_s {
    ai_citation_t       *next;
    ai_mstr_t            url;
    ai_mstr_t            title;
    ai_mstr_t            text;
    uint64_t             from;
    uint64_t             to;
};


#define AI_ANSWER_CHOICES  16

typedef struct {
    ai_mstr_t            id;           /* the provider's, or empty */
    ai_mstr_t            model;        /* the provider's */
    uint64_t             created;
    ai_answer_choice_t   choices[AI_ANSWER_CHOICES];
    ai_uint_t            nchoices;
    ai_usage_t           usage;
} ai_answer_t;


/* what a request is rendered for */

typedef struct {
    const ai_vendor_t   *vendor;
    ai_op_e              op;           /* of the provider */
    ai_str_t             model;        /* plain */
    ai_caps_t            caps;         /* of that model */
    ai_uint_t            stream;
} ai_target_t;


struct ai_wire_s {

    /* Content-Type of a stream, what the framing is told by */
    const char  *stream_type;

    /*
     * The client's body, scanned.  Members that are unknown or cannot be
     * kept are reported as dropped, what would change the meaning is
     * refused.  AI_OK, AI_DECLINED: see rep; AI_ERROR: no memory.
     */
    ai_int_t     (*parse_request)(ai_request_t *req, const ai_json_t *root,
                     ai_report_t *rep);

    /* the body for a target, from a normalized request; as above */
    ai_int_t     (*render_request)(ai_request_t *req, const ai_target_t *t,
                     ai_buf_t *out, ai_report_t *rep);

    /*
     * One event of a stream, and its end, which is "[DONE]" or the end of
     * the connection: to emit what was held back.  AI_OK, AI_ERROR: emit()
     * failed, AI_DECLINED: an event that is not what it must be.
     */
    ai_int_t     (*parse_event)(ai_decode_t *d, const ai_str_t *name,
                     const ai_json_t *root);
    ai_int_t     (*parse_end)(ai_decode_t *d);

    /* a JSON answer, END excluded; AI_DECLINED: not the shape of one */
    ai_int_t     (*parse_response)(ai_decode_t *d, const ai_json_t *root);

    /* appends to e->out; AI_OK, AI_ERROR: what must be kept is too large */
    ai_int_t     (*render_event)(ai_encode_t *e, const ai_delta_t *delta);
    ai_int_t     (*render_response)(ai_encode_t *e, const ai_answer_t *a);

    /* the event that ends a stream with an error */
    ai_int_t     (*render_error)(ai_encode_t *e, ai_error_doc_t *doc);

    size_t       decode_size;
    size_t       encode_size;
};


/* one per file family wire_*.c; Ollama's is for providers only: NULL
 * parse_request, render_event, render_response, render_error */

extern const ai_wire_t  ai_wire_chat;
extern const ai_wire_t  ai_wire_responses;
extern const ai_wire_t  ai_wire_anthropic;
extern const ai_wire_t  ai_wire_gemini;
extern const ai_wire_t  ai_wire_cohere;
extern const ai_wire_t  ai_wire_converse;
extern const ai_wire_t  ai_wire_ollama;

/* the wire of an operation that asks a model for an answer, or NULL */
const ai_wire_t *ai_wire(ai_op_e op);


/* for decoders: zeroes a delta of that type */
void ai_delta_init(ai_delta_t *delta, ai_delta_e type);

/* emit a delta of one piece of text, if there is any in it */
ai_int_t ai_emit_text(ai_decode_t *d, ai_delta_e type, ai_uint_t choice,
    const ai_json_t *v);
ai_int_t ai_emit_args(ai_decode_t *d, ai_uint_t choice, ai_uint_t call,
    const ai_mstr_t *text);

/* the deltas of these kinds */
ai_int_t ai_emit_call_end(ai_decode_t *d, ai_uint_t choice, ai_uint_t call);
ai_int_t ai_emit_end(ai_decode_t *d);

/* an error told within an answer, in any of its shapes */
ai_int_t ai_emit_error(ai_decode_t *d, const ai_json_t *v);

/*
 * Opaque state that goes through a slot of another vendor's: kind, id and
 * data as one string of printable characters that says whose it is.
 * ai_state_unpack() tells what a string in a slot is: packed, or else of the
 * slot's own kind.  AI_OK, AI_ERROR: no memory.
 */
ai_int_t ai_state_pack(ai_state_e kind, const ai_mstr_t *id,
    const ai_mstr_t *data, ai_alloc_t *a, ai_mstr_t *out);
ai_int_t ai_state_unpack(const ai_mstr_t *slot, ai_state_e own,
    ai_alloc_t *a, ai_state_e *kind, ai_mstr_t *id, ai_mstr_t *data);

/* packed as well: the signature of reasoning that nobody has signed */
#define AI_STATE_UNSIGNED  "YWlndzE6LQAA"

/*
 * Whether something packed stands in a body: what the provider of its own
 * dialect would refuse.
 */
ai_uint_t ai_state_foreign(const ai_str_t *body);

/*
 * An id as a client expects it: prefix ("chatcmpl-", "call_"), then 24
 * letters and digits made of e->request_id and n.  AI_OK, AI_ERROR.
 */
ai_int_t ai_encode_id(ai_encode_t *e, const char *prefix, ai_uint_t n,
    ai_mstr_t *out);


/* tokens of the request, estimated when they are asked for */
uint64_t ai_encode_input(ai_encode_t *e);


/*
 * Collects deltas, in the order that encoders get them, into an answer.  If
 * stable, strings are kept as they are, else they are copied.  AI_OK,
 * AI_ERROR: no memory, or more than max bytes.
 */

typedef struct {
    ai_answer_t         *answer;
    ai_alloc_t          *alloc;
    size_t               max;
    size_t               size;
    unsigned             stable:1;
    ai_buf_t             text;         /* of the part that grows */
    ai_part_t           *part;
} ai_collect_t;

void ai_collect_init(ai_collect_t *c, ai_answer_t *answer, ai_alloc_t *a,
    size_t max, ai_uint_t stable);
ai_int_t ai_collect(ai_collect_t *c, const ai_delta_t *delta);

/* completes the part that grows; before the answer is read */
void ai_collect_end(ai_collect_t *c);


#endif /* _AI_WIRE_H_INCLUDED_ */

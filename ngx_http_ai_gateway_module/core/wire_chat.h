
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the files of the wire of chat/completions share among themselves.
 */


#ifndef _WIRE_CHAT_H_INCLUDED_
#define _WIRE_CHAT_H_INCLUDED_


#include "wire.h"


/*
 * What a message, or a piece of one, tells of the model's thoughts, in any of
 * the forms in use; of type null what is not there.
 */

typedef struct {
    ai_json_t            text;         /* reasoning_content, reasoning */
    ai_json_t            details;      /* reasoning_details: OpenRouter */
    ai_json_t            blocks;       /* thinking_blocks: LiteLLM */
    ai_mstr_t            signature;    /* of Google, see below */
} ai_chat_thoughts_t;

/* one of its members by its name; 0: it is another one */
ai_uint_t ai_chat_thought(ai_chat_thoughts_t *t, const ai_json_t *name,
    const ai_json_t *value);

/*
 * Tells them in their order, each text once: fresh if it does not go on with
 * the one before it, and state, which ends the text before it if it is of
 * Anthropic or OpenAI.  AI_OK, or what a function returned.
 */

typedef struct {
    ai_int_t           (*text)(void *data, const ai_mstr_t *text,
                            ai_uint_t fresh);
    ai_int_t           (*state)(void *data, ai_state_e kind,
                            const ai_mstr_t *id, const ai_mstr_t *state);
    void                *data;
    uint64_t             unknown;      /* entries of no known kind */
} ai_chat_sink_t;

ai_int_t ai_chat_walk(const ai_chat_thoughts_t *t, ai_chat_sink_t *sink);

/* the same of "thinking", a part of Mistral's: a string or an array of texts */
ai_int_t ai_chat_walk_thinking(const ai_json_t *v, ai_chat_sink_t *sink);

/*
 * A signature of Google's, as its own OpenAI surface tells it in messages
 * and calls: extra_content.google.thought_signature.  Empty if there is none.
 */
ai_mstr_t ai_chat_signature(const ai_json_t *object);

/* "format" of an entry of reasoning_details: whose state it is */
const char *ai_chat_state_format(ai_state_e kind);

/* the characters of one text behind those of another; AI_OK, AI_ERROR */
ai_int_t ai_chat_join(ai_mstr_t *to, ai_buf_t *b, ai_alloc_t *a,
    const ai_mstr_t *text);


/* members of the body: AI_OK, AI_DECLINED, AI_ERROR */
ai_int_t ai_chat_parse_messages(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_chat_parse_tools(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_chat_parse_functions(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_chat_parse_choice(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_chat_parse_function_call(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);

/* parts of a message, or of a result */

typedef struct {
    ai_wire_read_t      *c;
    ai_part_t          **last;
    ai_part_t           *tail;
    ai_part_t           *thought;      /* the text that goes on */
    ai_buf_t             text;
} ai_chat_parts_t;

/* append to them; NULL: no memory */
ai_part_t *ai_chat_add(ai_chat_parts_t *p, ai_part_e type);

/* a string or an array of parts, a part with a URL, and functions of a sink
 * whose data are the parts; AI_OK, AI_DECLINED, AI_ERROR */
ai_int_t ai_chat_parse_content(ai_chat_parts_t *p, const ai_json_t *v);
ai_int_t ai_chat_parse_image(ai_chat_parts_t *p, const ai_json_t *v);
ai_int_t ai_chat_thought_text(void *data, const ai_mstr_t *text,
    ai_uint_t fresh);
ai_int_t ai_chat_thought_state(void *data, ai_state_e kind,
    const ai_mstr_t *id, const ai_mstr_t *state);


/* what is being rendered */

typedef struct ai_chat_shown_s  ai_chat_shown_t;

struct ai_chat_shown_s {
    ai_chat_shown_t     *next;
    const ai_part_t     *part;
};

typedef struct {
    ai_request_t        *req;
    const ai_target_t   *t;
    ai_buf_t            *out;
    ai_report_t         *rep;

    ai_chat_shown_t     *shown;        /* what tools and the assistant showed,
                                          for the next message of the user,
                                          who alone may show anything */
    ai_chat_shown_t    **last;

    ai_state_e           kind;         /* of state that the model can read */
    unsigned             markers:1;    /* cache_control is understood */
    unsigned             details:1;    /* so are reasoning_details */
    unsigned             custom:1;     /* so are custom tools */
    unsigned             strict:1;     /* takes no sampling */
} ai_chat_render_t;


/*
 * The one place that decides whether a member may be written, and under
 * which name; NULL: the vendor does not take it.  "messages.name" is one of
 * each message.
 */
const char *ai_chat_member(const ai_target_t *t, const char *name);

/* "messages"; a part as the user shows it; what the assistant thought, as a
 * member of its message; AI_OK, AI_DECLINED, AI_ERROR */
ai_int_t ai_chat_render_messages(ai_chat_render_t *c);
ai_int_t ai_chat_render_part(ai_chat_render_t *c, const ai_part_t *part);
ai_int_t ai_chat_render_thoughts(ai_chat_render_t *c, const ai_message_t *m,
    ai_uint_t calls);


/* a call of a stream: the numbers we count, and how pieces of it are known */

typedef struct ai_chat_call_s  ai_chat_call_t;

struct ai_chat_call_s {
    ai_chat_call_t      *next;         /* the one before it */
    ai_uint_t            choice;
    ai_uint_t            number;
    uint64_t             index;
    ai_mstr_t            id;
    ai_mstr_t            signature;    /* of Google */
    unsigned             indexed:1;
    unsigned             custom:1;
    unsigned             told:1;       /* CALL was emitted */
};

typedef struct {
    ai_chat_call_t      *calls;
    ai_uint_t            ncalls;
    unsigned             named:1;      /* id, model and time are known */
    unsigned             cited:1;      /* Perplexity repeats its sources */
} ai_chat_decode_t;


/* what was written of a choice */

typedef struct {
    ai_uint_t            thought;      /* blocks of reasoning, ended */
    ai_uint_t            images;
    unsigned             opened:1;     /* its role was told */
    unsigned             thinking:1;   /* a block has begun */
    unsigned             skip:1;       /* a call that cannot be told */
} ai_chat_choice_t;

typedef struct {
    ai_str_t             head;         /* of each chunk, up to choices */
    ai_usage_t           usage;
    ai_chat_choice_t     choices[AI_ANSWER_CHOICES];
} ai_chat_encode_t;


/* wire_chat_request.c */
ai_int_t ai_chat_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep);

/* wire_chat_render.c */
ai_int_t ai_chat_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);

/* wire_chat_parse.c */
ai_int_t ai_chat_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root);
ai_int_t ai_chat_parse_end(ai_decode_t *d);
ai_int_t ai_chat_parse_response(ai_decode_t *d, const ai_json_t *root);

/*
 * tool_calls and function_call; whole: each entry is a call of its own.
 * AI_OK, AI_ERROR.
 */
ai_int_t ai_chat_calls(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v,
    ai_uint_t whole);
ai_int_t ai_chat_function(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);

/* images, or an object with one; annotations; search_results or citations of
 * Perplexity; AI_OK, AI_ERROR */
ai_int_t ai_chat_images(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v);
ai_int_t ai_chat_image(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v);
ai_int_t ai_chat_annotations(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
ai_int_t ai_chat_sources(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);

/*
 * A usage as any OpenAI-like provider tells it; 1 if there was a count in it.
 * plus: completion_tokens may leave the reasoning out (xAI).
 */
ai_uint_t ai_chat_usage(const ai_json_t *v, ai_uint_t plus,
    ai_usage_t *usage);

/* wire_chat_document.c */
ai_int_t ai_chat_render_response(ai_encode_t *e, const ai_answer_t *a);

/*
 * What chunks and documents have in common.  The members up to model: AI_OK,
 * AI_ERROR; an entry of reasoning_details with words, and one with state,
 * whose words are told with it unless they are NULL.
 */
ai_int_t ai_chat_answer_head(ai_encode_t *e, ai_buf_t *b, const char *object,
    uint64_t created, const ai_mstr_t *name);
void ai_chat_answer_thought(ai_buf_t *out, ai_uint_t index,
    const ai_mstr_t *text);
void ai_chat_answer_state(ai_buf_t *out, ai_uint_t index, ai_state_e kind,
    const ai_mstr_t *text, const ai_mstr_t *state, const ai_mstr_t *id);
void ai_chat_answer_signature(ai_buf_t *out, const ai_mstr_t *state);
void ai_chat_answer_image(ai_buf_t *out, ai_uint_t index,
    const ai_mstr_t *media_type, const ai_mstr_t *data, const ai_mstr_t *url);
void ai_chat_answer_citation(ai_buf_t *out, const ai_mstr_t *url,
    const ai_mstr_t *title, const ai_mstr_t *text, uint64_t from,
    uint64_t to);
void ai_chat_answer_usage(ai_buf_t *out, const ai_usage_t *u);
const char *ai_chat_finish_name(ai_encode_t *e, ai_finish_e finish);


#endif /* _WIRE_CHAT_H_INCLUDED_ */

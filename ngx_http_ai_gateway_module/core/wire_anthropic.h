
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the files of the wire of Anthropic Messages share: wire-formats.md 6
 * and 13.  Included by wire_anthropic_*.c and their test only.
 */


#ifndef _WIRE_ANTHROPIC_H_INCLUDED_
#define _WIRE_ANTHROPIC_H_INCLUDED_


#include "wire.h"


#define AI_ANTHROPIC_CLOUD                                                   \
    (AI_VENDOR_VERTEX_CLAUDE | AI_VENDOR_BEDROCK_CLAUDE)


/* blocks of an answer that may be open at a time, where one is allowed */

#define AI_ANTHROPIC_BLOCKS  16


typedef enum {
    AI_ANTHROPIC_NONE = 0,
    AI_ANTHROPIC_TEXT,
    AI_ANTHROPIC_THINKING,
    AI_ANTHROPIC_CALL,
    AI_ANTHROPIC_ANSWER,          /* a call of AI_WIRE_JSON */
    AI_ANTHROPIC_SKIP             /* redacted, of the server, unknown */
} ai_anthropic_block_e;


/* what is told of a block only when it ends */

typedef struct {
    ai_anthropic_block_e   type;
    ai_uint_t              call;       /* its number in the answer */
    ai_str_t               input;      /* told when it started */
    unsigned               pieces:1;   /* and then as pieces, which count */
} ai_anthropic_block_t;


typedef struct {
    ai_usage_t             usage;
    ai_anthropic_block_t   blocks[AI_ANTHROPIC_BLOCKS];
    ai_uint_t              ncalls;
    ai_buf_t               signature;  /* of the thinking that is open */
    ai_citation_t         *citations;  /* of the text that is open */
    ai_citation_t        **last;
    uint64_t               from;       /* where that text began */
    uint64_t               chars;      /* of text so far */
    unsigned               answer:1;   /* AI_WIRE_JSON was called */
} ai_anthropic_decode_t;


typedef struct {
    ai_usage_t             usage;
    ai_uint_t              next;       /* index of the next block */
    ai_anthropic_block_e   open;
    ai_finish_e            finish;
    ai_mstr_t              sequence;
    ai_citation_t         *cited;      /* before the text that cites */
    ai_citation_t        **last_cited;
    ai_uint_t              ncited;
    unsigned               refused:1;
    unsigned               sealed:1;
    unsigned               ended:1;
} ai_anthropic_encode_t;


typedef enum {
    AI_THINK_UNSET = 0,
    AI_THINK_DISABLED,
    AI_THINK_ADAPTIVE,
    AI_THINK_BUDGET
} ai_anthropic_think_e;


/* what a request is written with */

typedef struct {
    ai_request_t          *req;
    const ai_target_t     *target;
    ai_buf_t              *out;
    ai_report_t           *rep;

    ai_anthropic_think_e   think;
    ai_effort_e            effort;     /* of AI_THINK_ADAPTIVE, or UNSET */
    uint64_t               budget;     /* of AI_THINK_BUDGET */
    uint64_t               max_tokens;
    ai_uint_t              ntools;     /* that the model is shown */
    ai_uint_t              surplus;    /* cache markers, more than may be */
    ai_role_e              role;       /* of the message that is open */
    unsigned               open:1;
    unsigned               called:1;   /* there are calls in the messages */
    unsigned               answer:1;   /* by the tool AI_WIRE_JSON */
} ai_anthropic_write_t;


ai_int_t ai_anthropic_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep);
/* its members "system" and "messages" */
ai_int_t ai_anthropic_system(ai_wire_read_t *r, const ai_json_t *v);
ai_int_t ai_anthropic_messages(ai_wire_read_t *r, const ai_json_t *v);

ai_int_t ai_anthropic_render_request(ai_request_t *req,
    const ai_target_t *t, ai_buf_t *out, ai_report_t *rep);

/* whether the model is shown a tool */
ai_uint_t ai_anthropic_shown(ai_anthropic_write_t *w, const ai_tool_t *tool);

/* the members "tools" and "tool_choice"; AI_OK, AI_ERROR */
ai_int_t ai_anthropic_put_tools(ai_anthropic_write_t *w);
ai_int_t ai_anthropic_put_choice(ai_anthropic_write_t *w);

/* a marker, unless there are too many of them behind it */
void ai_anthropic_marker(ai_anthropic_write_t *w, const ai_str_t *cache);

/* a name of a tool or an id of a call, as Anthropic takes it */
ai_int_t ai_anthropic_name(ai_anthropic_write_t *w, const char *member,
    const ai_mstr_t *name);

/* whether a message is one of those that "system" is made of */
ai_uint_t ai_anthropic_is_system(const ai_anthropic_write_t *w,
    const ai_message_t *m);

/* the members "system" and "messages"; AI_OK, AI_DECLINED, AI_ERROR */
void ai_anthropic_put_system(ai_anthropic_write_t *w);
ai_int_t ai_anthropic_put_messages(ai_anthropic_write_t *w);

ai_int_t ai_anthropic_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root);
ai_int_t ai_anthropic_parse_end(ai_decode_t *d);
ai_int_t ai_anthropic_parse_response(ai_decode_t *d, const ai_json_t *root);

/* the members of message_delta, and those of an answer */
ai_int_t ai_anthropic_stopped(ai_decode_t *d, const ai_json_t *v);
ai_int_t ai_anthropic_emit_usage(ai_decode_t *d, const ai_json_t *v,
    ai_usage_source_e source);

ai_int_t ai_anthropic_render_event(ai_encode_t *e, const ai_delta_t *delta);
ai_int_t ai_anthropic_render_response(ai_encode_t *e, const ai_answer_t *a);
ai_int_t ai_anthropic_render_error(ai_encode_t *e, ai_error_doc_t *doc);


#endif /* _WIRE_ANTHROPIC_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the files of the wire of Bedrock Converse share: wire-formats.md 8.
 * Included by wire_converse_*.c, dialect_bedrock.c and their test only.
 */


#ifndef _WIRE_CONVERSE_H_INCLUDED_
#define _WIRE_CONVERSE_H_INCLUDED_


#include "wire.h"


/* letters of the name of a tool, and of the id of a call */

#define AI_CONVERSE_NAME  64


typedef enum {
    AI_CONVERSE_NONE = 0,
    AI_CONVERSE_TEXT,
    AI_CONVERSE_REASONING,
    AI_CONVERSE_CALL,
    AI_CONVERSE_ANSWER,           /* a call of AI_WIRE_JSON */
    AI_CONVERSE_OTHER             /* what a decoder skips, as of a tool of
                                     the provider; image, citations */
} ai_converse_block_e;


/* blocks come one after the other, so one is all there is to know */

typedef struct {
    ai_converse_block_e  block;        /* what the block at index is */
    uint64_t             index;
    uint64_t             chars;        /* of text so far */
    uint64_t             from;         /* where the last block of it began */
    unsigned             answer:1;     /* AI_WIRE_JSON was called */
    unsigned             finished:1;
} ai_converse_decode_t;


typedef struct {
    ai_converse_block_e  block;        /* that is open */
    ai_uint_t            index;        /* of it, or of the next one */
    ai_usage_t           usage;
    unsigned               sealed:1;     /* the open reasoning is signed */
} ai_converse_encode_t;


/* how a model is told to think */

typedef enum {
    AI_CONVERSE_THINK_UNSET = 0,
    AI_CONVERSE_THINK_OFF,
    AI_CONVERSE_THINK_ADAPTIVE,
    AI_CONVERSE_THINK_BUDGET,
    AI_CONVERSE_THINK_NOVA,
    AI_CONVERSE_THINK_EFFORT
} ai_converse_think_e;


/* what a request is written with */

typedef struct {
    ai_request_t        *req;
    const ai_target_t   *target;
    ai_buf_t            *out;
    ai_report_t         *rep;

    ai_converse_think_e  think;
    ai_effort_e          effort;       /* unless by budget */
    uint64_t             budget;
    uint64_t             max_tokens;   /* 0: as the client wrote it */
    ai_uint_t            ntools;       /* that the model is shown */
    ai_uint_t            surplus;      /* cache markers, more than may be */
    ai_uint_t            documents;

    unsigned             calls:1;      /* there are some in the messages */
    unsigned             answer:1;     /* by the tool AI_WIRE_JSON */

    /* messages, and the one that is written */
    unsigned             any:1;
    unsigned             open:1;
    unsigned             user:1;
    unsigned             text:1;       /* it has some */
    unsigned             document:1;   /* it has one, which needs text */
    unsigned             cached:1;     /* it ends in a cachePoint */
} ai_converse_write_t;


#define ai_converse_is(write, flag)  ((write)->target->caps.flags & (flag))


/* a cursor over the members of an object; over any other type it is empty,
 * as the elements of an array would come without names */

static inline void
ai_converse_members(ai_json_iter_t *it, const ai_json_t *object)
{
    ai_json_t  none;

    memset(&none, 0, sizeof(ai_json_t));

    ai_json_iter_init(it, object->type == AI_JSON_OBJECT ? object : &none);
}


/* wire_converse_request.c */
ai_int_t ai_converse_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep);

/* wire_converse_input.c: the members "system" and "messages"; AI_OK,
 * AI_DECLINED, AI_ERROR */
ai_int_t ai_converse_read_system(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_converse_read_messages(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);

/* a cachePoint as the marker of what stands before it: raw JSON */
ai_int_t ai_converse_read_cache(ai_wire_read_t *r, const ai_json_t *v,
    ai_str_t *cache);


/* wire_converse_render.c */
ai_int_t ai_converse_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);

/* behind a part of the prompt: a cachePoint, if there is a marker and it is
 * none too many; where Claude alone may have one, claude is set */
void ai_converse_cache(ai_converse_write_t *w, const ai_str_t *cache,
    ai_uint_t claude);

/* the marker of a part, those within a result being its own; may be empty */
ai_str_t ai_converse_marker(const ai_part_t *part);

/* a name of a tool or an id of a call, with its key; AI_OK, AI_ERROR */
ai_int_t ai_converse_name(ai_converse_write_t *w, const char *key,
    const ai_mstr_t *name);

/* wire_converse_plan.c: sets think and what it needs, by what is asked for,
 * what the model can, and what was surveyed */
void ai_converse_plan(ai_converse_write_t *w);

/* wire_converse_output.c: the members "messages" and "system"; AI_OK,
 * AI_DECLINED, AI_ERROR */
ai_int_t ai_converse_write_messages(ai_converse_write_t *w);
void ai_converse_write_system(ai_converse_write_t *w);

/* what Anthropic calls redacted is base64 here; AI_OK, AI_ERROR */
ai_int_t ai_converse_redacted(ai_buf_t *out, const ai_mstr_t *data,
    ai_alloc_t *a);

/* wire_converse_tools.c */

/* the member "toolConfig", if there must be one; AI_OK, AI_ERROR */
ai_int_t ai_converse_write_tools(ai_converse_write_t *w);

/* "tool_choice" as Claude itself knows it, which can forbid more than one
 * call at a time; AI_OK, AI_ERROR */
ai_int_t ai_converse_write_parallel(ai_converse_write_t *w);

/* wire_converse_media.c: a block; AI_OK, AI_DECLINED, AI_ERROR */
ai_int_t ai_converse_write_media(ai_converse_write_t *w,
    const ai_part_t *part);

/*
 * The media type of a format of Converse ("png"), as a part has it, and the
 * format of a media type; NULL: none is known.
 */
const char *ai_converse_media_type(ai_part_e type, const ai_json_t *format);
const char *ai_converse_format(ai_part_e type, const ai_mstr_t *media_type);


/* wire_converse_parse.c */
ai_int_t ai_converse_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root);
ai_int_t ai_converse_parse_end(ai_decode_t *d);
ai_int_t ai_converse_parse_response(ai_decode_t *d, const ai_json_t *root);

/* how many characters a text is made of */
uint64_t ai_converse_chars(const ai_mstr_t *text);


/* wire_converse_answer.c */
ai_int_t ai_converse_render_event(ai_encode_t *e, const ai_delta_t *delta);
ai_int_t ai_converse_render_response(ai_encode_t *e, const ai_answer_t *a);
ai_int_t ai_converse_render_error(ai_encode_t *e, ai_error_doc_t *doc);

/* the exception that ends a stream; failures are those of out */
void ai_converse_exception(ai_buf_t *out, ai_error_doc_t *doc);


#endif /* _WIRE_CONVERSE_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the files wire_gemini_*.c share: generateContent of the Gemini API and
 * of Vertex AI, wire-formats.md 7.
 */


#ifndef _WIRE_GEMINI_H_INCLUDED_
#define _WIRE_GEMINI_H_INCLUDED_


#include "wire.h"


/* how deep a schema or the arguments of a call may be */

#define AI_GEMINI_DEPTH  64


/*
 * Arguments that come in pieces, each with its JSON path: an option of
 * Vertex.  They are put together before they are told.
 */

typedef struct ai_gemini_node_s  ai_gemini_node_t;

typedef struct {
    ai_gemini_node_t    *root;
    ai_uint_t            nodes;
    size_t               size;         /* of the values */
    ai_uint_t            choice;
    ai_uint_t            call;
    unsigned             open:1;
} ai_gemini_partial_t;


typedef struct {
    ai_uint_t            ncalls;       /* of all candidates */
    uint64_t             seen;         /* candidates, one bit each */
    uint64_t             called;
    uint64_t             finished;
    ai_gemini_partial_t  partial;
} ai_gemini_decode_t;


typedef struct ai_gemini_choice_s  ai_gemini_choice_t;

typedef struct {
    ai_mstr_t            id;
    ai_gemini_choice_t  *choices;
    ai_usage_t           usage;
    unsigned             usage_known:1;
    unsigned             begun:1;      /* the array */
} ai_gemini_encode_t;


/*
 * Whether the name of a member is this one, in camel case as given, or in
 * snake case: the API takes both everywhere.
 */

#define ai_gemini_is(name, text)                                             \
    ai_gemini_name(name, text, sizeof(text) - 1)

ai_uint_t ai_gemini_name(const ai_json_t *name, const char *text, size_t len);

/* a member by its name in camel case, as ai_json_get() */
ai_int_t ai_gemini_get(const ai_json_t *object, const char *name,
    ai_json_t *value);

/* refuses a member of a content or one of its parts; part -1: of the content;
 * returns AI_DECLINED */
ai_int_t ai_gemini_refuse(ai_report_t *rep, ai_uint_t content, ai_int_t part,
    const char *member, const char *message);


/* a request while it is read */

typedef struct ai_gemini_call_s  ai_gemini_call_t;

typedef struct {
    ai_request_t        *req;
    ai_report_t         *rep;
    ai_message_t        *message;      /* the last one */
    ai_uint_t            content;      /* index */
    ai_int_t             index;        /* of the part, or -1 */
    ai_uint_t            ncalls;
    ai_gemini_call_t    *calls;        /* of the last turn of the model */
    ai_gemini_call_t   **last;
    ai_buf_t             text;         /* of a part that came in pieces */
    ai_part_t           *part;         /* which */
} ai_gemini_in_t;


/* wire_gemini_part.c: the parts of a content, one of them; AI_OK,
 * AI_DECLINED: refused, AI_ERROR */
ai_int_t ai_gemini_parts(ai_gemini_in_t *in, ai_role_e role,
    const ai_json_t *v);
ai_int_t ai_gemini_part(ai_gemini_in_t *in, ai_role_e role,
    const ai_json_t *v);

/* a new part of the last message, if it has that role, or of a new one;
 * NULL: no memory */
ai_part_t *ai_gemini_append(ai_gemini_in_t *in, ai_role_e role,
    ai_part_e type);

/* a string as such a part, or as more of the one before; nothing of none */
ai_int_t ai_gemini_join(ai_gemini_in_t *in, ai_role_e role, ai_part_e type,
    const ai_json_t *text);


/*
 * The schemas of the API: an older one, a subset of OpenAPI 3.0 with types in
 * upper case, and JSON Schema.  From the former to the latter, and back.  What
 * cannot be kept is left out.
 */
void ai_gemini_schema_json(ai_buf_t *out, const ai_json_t *schema);
ai_int_t ai_gemini_schema_openapi(ai_buf_t *out, const ai_str_t *schema,
    ai_alloc_t *a);

/* a string with its letters in upper or lower case */
void ai_gemini_schema_type(ai_buf_t *out, const ai_json_t *type,
    ai_uint_t upper);


/* wire_gemini_config.c: AI_OK, AI_DECLINED, AI_ERROR */
ai_int_t ai_gemini_parse_config(ai_request_t *req, const ai_json_t *config,
    ai_report_t *rep);
ai_int_t ai_gemini_parse_tools(ai_request_t *req, const ai_json_t *tools,
    ai_report_t *rep);
ai_int_t ai_gemini_parse_choice(ai_request_t *req, const ai_json_t *config,
    ai_report_t *rep);

/* wire_gemini_settings.c: members of the body after its contents, each with
 * its comma; AI_OK, AI_DECLINED, AI_ERROR */
ai_int_t ai_gemini_render_config(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);
ai_int_t ai_gemini_render_tools(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);

/* a tool's name as the API takes it */
ai_int_t ai_gemini_tool_name(ai_request_t *req, const ai_mstr_t *name,
    ai_mstr_t *out);

/* wire_gemini_extra.c: members of an answer, or of a candidate, of any type,
 * null when absent; AI_OK, AI_ERROR */
ai_int_t ai_gemini_emit_usage(ai_decode_t *d, const ai_json_t *v);
ai_int_t ai_gemini_grounding(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
ai_int_t ai_gemini_citations(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
ai_int_t ai_gemini_logprobs(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);

/* for what is made up of pieces and then emitted, see ai_decode_t */
#define ai_gemini_memory(d)  ((d)->document ? (d)->alloc : (d)->scratch)

/* wire_gemini_partial.c: AI_OK, AI_ERROR, AI_DECLINED: no such path */
ai_int_t ai_gemini_partial_add(ai_gemini_partial_t *p, const ai_json_t *args,
    ai_alloc_t *a);
ai_int_t ai_gemini_partial_text(ai_gemini_partial_t *p, ai_alloc_t *a,
    ai_str_t *out);


ai_int_t ai_gemini_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep);
ai_int_t ai_gemini_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);
ai_int_t ai_gemini_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root);
ai_int_t ai_gemini_parse_end(ai_decode_t *d);
ai_int_t ai_gemini_parse_response(ai_decode_t *d, const ai_json_t *root);


#endif /* _WIRE_GEMINI_H_INCLUDED_ */

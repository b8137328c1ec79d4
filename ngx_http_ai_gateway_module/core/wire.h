
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What several wires need: how members of a client's request are read, how
 * those of a provider's are written, and what decoders emit alike.  Included
 * by wire_*.[ch] only.
 */


#ifndef _WIRE_H_INCLUDED_
#define _WIRE_H_INCLUDED_


#include "ai_wire.h"


/*
 * wire_value.c: values.
 *
 * Numbers and objects of a request are kept as the text that was validated
 * with the body.  A number as an integer, 0 if there is none or if it is
 * below zero; as a double, 0 if there is none.  An object to look into, of
 * type null if there is none.
 */

uint64_t ai_wire_uint(const ai_str_t *number);
double ai_wire_double(const ai_str_t *number);
ai_json_t ai_wire_object(const ai_str_t *raw);

/* a member of an object, of type null if there is none; its characters, which
 * are none if it is no string; its text as it stands */
ai_json_t ai_wire_get(const ai_json_t *object, const char *name);
ai_mstr_t ai_wire_string(const ai_json_t *object, const char *name);
ai_str_t ai_wire_raw(const ai_json_t *object, const char *name);

/* the values of some members by their names, of type null if there are none */
void ai_wire_members(const ai_json_t *object, const ai_str_t *names,
    ai_uint_t n, ai_json_t *values);

/* a string as it is, and any other value as its JSON text */
ai_mstr_t ai_wire_text(const ai_json_t *v);

/* what was written as base64: AI_OK, AI_DECLINED: it is none, AI_ERROR */
ai_int_t ai_wire_base64(const ai_mstr_t *data, ai_alloc_t *a, ai_str_t *out);

/* whether there is nothing to read in a text: white space, or nothing */
ai_uint_t ai_wire_blank(const ai_mstr_t *text);

/* whether the name of a model has a word in it */
ai_uint_t ai_wire_model_has(const ai_str_t *model, const char *word);


/*
 * wire_read.c: a client's request.  All return AI_OK, AI_DECLINED: refused,
 * see rep; AI_ERROR: no memory.
 */

typedef struct {
    ai_request_t        *req;
    ai_report_t         *rep;

    const char          *list;         /* "messages", "tools"; NULL: none of
                                          these is being read */
    ai_uint_t            index;        /* in it */

    /* of members with one meaning, the one that counts was there */
    unsigned             limit:1;      /* max_completion_tokens */
    unsigned             user:1;       /* safety_identifier */
    unsigned             thinking:1;   /* reasoning or thinking */
} ai_wire_read_t;


/* a member of an object, and how its value, which is not null, is read */

typedef struct ai_wire_member_s  ai_wire_member_t;

typedef ai_int_t (*ai_wire_member_pt)(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);

struct ai_wire_member_s {
    ai_str_t             name;
    ai_wire_member_pt    take;         /* NULL: of no concern to us */
    size_t               offset;       /* in ai_request_t */
    const char          *param;        /* its path, unless it is its name */
};

/* each member of an object; what is in no row is reported as dropped */
ai_int_t ai_wire_read(ai_wire_read_t *r, const ai_json_t *object,
    const ai_wire_member_t *members, const char *param);

/* values as they are, of any type or of one, to the field at the offset */
ai_int_t ai_wire_read_raw(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_wire_read_number(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_wire_read_boolean(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_wire_read_string(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_wire_read_object(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);

/* "stream" */
ai_int_t ai_wire_read_stream(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);

/* an array of stop sequences; what is more than there is room for is dropped */
ai_int_t ai_wire_read_stops(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);

/* {"type":"enabled","budget_tokens":N}, "adaptive", "disabled", of Claude */
ai_int_t ai_wire_read_thinking(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);

/* refuses a member of what is being read, NULL: all of it; AI_DECLINED */
ai_int_t ai_wire_refuse(ai_wire_read_t *r, const char *member,
    const char *message);

/* refuses what is at such a path: LIST.INDEX.MEMBER, member may be NULL */
ai_int_t ai_wire_refuse_at(ai_report_t *rep, const char *list,
    ai_uint_t index, const char *member, const char *message);

/* a text as a part of a message, and of a new one; AI_OK, AI_ERROR */
ai_int_t ai_wire_add_text(ai_request_t *req, ai_message_t *m,
    const ai_json_t *v);
ai_int_t ai_wire_add_message(ai_request_t *req, ai_role_e role,
    const ai_json_t *v);


/*
 * wire_write.c: a provider's request.
 */

/* what a dialect has no member for: it is reported as dropped */

#define AI_WIRE_PENALTIES  0x0001      /* presence_, frequency_penalty */
#define AI_WIRE_SEED       0x0002
#define AI_WIRE_PARALLEL   0x0004      /* parallel_tool_calls */
#define AI_WIRE_BIAS       0x0008      /* logit_bias */
#define AI_WIRE_USER       0x0010
#define AI_WIRE_METADATA   0x0020
#define AI_WIRE_TIER       0x0040      /* service_tier */
#define AI_WIRE_VERBOSITY  0x0080
#define AI_WIRE_CACHE_KEY  0x0100
#define AI_WIRE_STORE      0x0200
#define AI_WIRE_TOP_K      0x0400

void ai_wire_lacks(const ai_request_t *req, ai_uint_t what,
    ai_report_t *rep);

/* where there is but one answer, and where there are no log probabilities:
 * AI_OK, AI_DECLINED */
ai_int_t ai_wire_refuse_n(const ai_request_t *req, ai_report_t *rep);
ai_int_t ai_wire_refuse_logprobs(const ai_request_t *req, ai_report_t *rep);

/* stop sequences, max of them at most; blank: those of white space are taken;
 * what is left out is reported, unless it is empty and would stop nothing */
void ai_wire_write_stops(ai_buf_t *out, const char *name,
    const ai_request_t *req, ai_uint_t max, ai_uint_t blank,
    ai_report_t *rep);

/* an object as a member; if nothing was put into it, it is taken back */
size_t ai_wire_open(ai_buf_t *out, const char *name);
void ai_wire_close(ai_buf_t *out, size_t mark);

/* the data of a part as a URL, in quotes; type: if the part tells none */
void ai_wire_data_url(ai_buf_t *out, const ai_part_t *part,
    const char *type);

/*
 * A member that OpenAI takes 64 bytes of: of what is longer, as the user of
 * Claude Code is, a hash serves the same end.  AI_OK, AI_ERROR: no memory.
 */
ai_int_t ai_wire_write_short(ai_buf_t *out, const char *name,
    const ai_mstr_t *text, ai_alloc_t *a);

/* 16 hexadecimal digits, to stand for a text that is too long */
void ai_wire_hash(ai_buf_t *b, const ai_str_t *s);

/* whether thoughts are asked for, one way or another; the effort that was
 * asked for, or else the one that is next to the budget */
ai_uint_t ai_wire_thinks(const ai_request_t *req);
ai_effort_e ai_wire_effort(const ai_request_t *req);


/*
 * wire_tools.c: tools.
 */

/* what a custom tool is where there are functions only: ai_part_object() */

#define AI_WIRE_CUSTOM                                                       \
    "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"  \
    "\"required\":[\"input\"]}"

#define AI_WIRE_NO_PARAMETERS  "{\"type\":\"object\",\"properties\":{}}"

/*
 * The tool that a model must call where it knows no format of answers: its
 * schema is the one of the answer, and its input is the answer.  Decoders
 * know it by its name, which therefore is not one that a client would use.
 */

#define AI_WIRE_JSON  "gateway_json_answer"

/* what that tool is for: the client's words, or ours */
ai_mstr_t ai_wire_json_description(const ai_request_t *req);

/* whether it is the client's, and not withheld from the model */
ai_uint_t ai_wire_shown(const ai_request_t *req, const ai_tool_t *tool);

/* the same where the only way to make a choice is to withhold all others */
ai_uint_t ai_wire_offered(const ai_request_t *req, const ai_tool_t *tool);

/* "name", "description" and "parameters" of a function; AI_OK, AI_ERROR */
ai_int_t ai_wire_write_function(ai_buf_t *out, ai_request_t *req,
    const ai_tool_t *tool, size_t max);

/* the schema of a tool where its type must be told to be "object", and any
 * schema made so */
void ai_wire_write_schema(ai_buf_t *out, const ai_tool_t *tool);
void ai_wire_write_object_schema(ai_buf_t *out, const ai_str_t *schema);

/* reports a tool of a provider's own as dropped, by its type */
void ai_wire_drop_tool(ai_report_t *rep, const ai_tool_t *tool);

/* a call of each function that was called; their number */

#define AI_WIRE_CALLED  128

ai_uint_t ai_wire_called(const ai_request_t *req, const ai_part_t **calls);


/*
 * wire_claude.c: what Claude bears on all ways to it, wire-formats.md 2.4.
 */

/* cache markers that a request may have */

#define AI_CLAUDE_MARKERS  4

/* thinking allows neither a forced call nor an answer that has begun */
ai_uint_t ai_claude_forced(const ai_request_t *req, ai_uint_t tools,
    ai_uint_t answer);

/* the effort of those that think adaptively; flags are those of ai_caps_t */
ai_effort_e ai_claude_effort(ai_effort_e effort, ai_uint_t flags);

/*
 * The budget of those that think by one; 0: it cannot be.  max: of the tokens
 * of the answer, which is raised for it; limit: what that can be at most.
 */
uint64_t ai_claude_budget(const ai_request_t *req, uint64_t limit,
    uint64_t *max);


#endif /* _WIRE_H_INCLUDED_ */

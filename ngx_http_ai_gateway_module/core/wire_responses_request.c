
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests to OpenAI's Responses, as clients write them: the members of the
 * body.  What refers to something that a provider keeps cannot be had from
 * any other (wire-formats.md 4), and is refused.
 */


#include "wire_responses.h"


typedef enum {
    AI_RSP_NUMBER = 0,
    AI_RSP_BOOLEAN,
    AI_RSP_STRING,
    AI_RSP_OBJECT,
    AI_RSP_STATEFUL,              /* refused, unless null or false */
    AI_RSP_IGNORED,               /* of no consequence, or read elsewhere */
    AI_RSP_HANDLED
} ai_rsp_member_e;


typedef ai_int_t (*ai_rsp_member_pt)(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);

typedef struct {
    ai_str_t             name;
    ai_rsp_member_e      type;
    size_t               offset;       /* of an ai_str_t, or an ai_mstr_t */
    ai_rsp_member_pt     handler;
} ai_rsp_request_row_t;


static ai_int_t ai_rsp_request_member(ai_request_t *req,
    const ai_json_t *name, const ai_json_t *v, ai_report_t *rep);
static ai_int_t ai_rsp_request_value(ai_request_t *req,
    const ai_rsp_request_row_t *row, const ai_json_t *v, ai_report_t *rep);
static ai_int_t ai_rsp_on_reasoning(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_on_format(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_on_schema(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_on_include(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_on_truncation(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_on_stream(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_on_top_logprobs(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_instructions(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);


#define ai_rsp_request_field(name)  offsetof(ai_request_t, name)


static const ai_rsp_request_row_t  ai_rsp_request_rows[] = {

    { ai_string("model"), AI_RSP_IGNORED, 0, NULL },
    { ai_string("input"), AI_RSP_IGNORED, 0, NULL },
    { ai_string("instructions"), AI_RSP_IGNORED, 0, NULL },
    { ai_string("store"), AI_RSP_IGNORED, 0, NULL },
    { ai_string("stream_options"), AI_RSP_IGNORED, 0, NULL },

    { ai_string("previous_response_id"), AI_RSP_STATEFUL, 0, NULL },
    { ai_string("conversation"), AI_RSP_STATEFUL, 0, NULL },
    { ai_string("background"), AI_RSP_STATEFUL, 0, NULL },
    { ai_string("prompt"), AI_RSP_STATEFUL, 0, NULL },

    { ai_string("max_output_tokens"), AI_RSP_NUMBER,
      ai_rsp_request_field(max_tokens), NULL },

    { ai_string("temperature"), AI_RSP_NUMBER,
      ai_rsp_request_field(temperature), NULL },

    { ai_string("top_p"), AI_RSP_NUMBER,
      ai_rsp_request_field(top_p), NULL },

    { ai_string("presence_penalty"), AI_RSP_NUMBER,
      ai_rsp_request_field(presence_penalty), NULL },

    { ai_string("frequency_penalty"), AI_RSP_NUMBER,
      ai_rsp_request_field(frequency_penalty), NULL },

    { ai_string("parallel_tool_calls"), AI_RSP_BOOLEAN,
      ai_rsp_request_field(parallel), NULL },

    { ai_string("metadata"), AI_RSP_OBJECT,
      ai_rsp_request_field(metadata), NULL },

    { ai_string("safety_identifier"), AI_RSP_STRING,
      ai_rsp_request_field(user), NULL },

    { ai_string("user"), AI_RSP_STRING,
      ai_rsp_request_field(user), NULL },

    { ai_string("service_tier"), AI_RSP_STRING,
      ai_rsp_request_field(service_tier), NULL },

    { ai_string("prompt_cache_key"), AI_RSP_STRING,
      ai_rsp_request_field(cache_key), NULL },

    { ai_string("top_logprobs"), AI_RSP_HANDLED, 0, ai_rsp_on_top_logprobs },
    { ai_string("tools"), AI_RSP_HANDLED, 0, ai_rsp_parse_tools },
    { ai_string("tool_choice"), AI_RSP_HANDLED, 0, ai_rsp_parse_choice },
    { ai_string("reasoning"), AI_RSP_HANDLED, 0, ai_rsp_on_reasoning },
    { ai_string("text"), AI_RSP_HANDLED, 0, ai_rsp_on_format },
    { ai_string("include"), AI_RSP_HANDLED, 0, ai_rsp_on_include },
    { ai_string("truncation"), AI_RSP_HANDLED, 0, ai_rsp_on_truncation },
    { ai_string("stream"), AI_RSP_HANDLED, 0, ai_rsp_on_stream },

    { ai_null_string, AI_RSP_IGNORED, 0, NULL }
};


ai_int_t
ai_rsp_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t        rc;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the body is not a JSON object");
    }

    /* a stream of this API tells its usage unasked */

    req->include_usage = 1;

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        rc = ai_rsp_request_member(req, &name, &value, rep);

        if (rc != AI_OK) {
            return rc;
        }
    }

    /* the instructions come first, wherever they stand */

    if (ai_json_get(root, "instructions", &value) == AI_OK) {
        rc = ai_rsp_instructions(req, &value, rep);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (ai_json_get(root, "input", &value) != AI_OK
        || value.type == AI_JSON_NULL)
    {
        return ai_report_refuse(rep, "input", "\"input\" is required");
    }

    return ai_rsp_parse_input(req, &value, rep);
}


static ai_int_t
ai_rsp_request_member(ai_request_t *req, const ai_json_t *name,
    const ai_json_t *v, ai_report_t *rep)
{
    const ai_rsp_request_row_t  *row;

    for (row = ai_rsp_request_rows; row->name.len != 0; row++) {

        if (!ai_json_str_eq(name, (char *) row->name.data, row->name.len)) {
            continue;
        }

        switch (row->type) {

        case AI_RSP_IGNORED:
            return AI_OK;

        case AI_RSP_HANDLED:
            return row->handler(req, v, rep);

        default:
            return ai_rsp_request_value(req, row, v, rep);
        }
    }

    ai_report_drop_name(rep, name);

    return AI_OK;
}


static ai_int_t
ai_rsp_request_value(ai_request_t *req, const ai_rsp_request_row_t *row,
    const ai_json_t *v, ai_report_t *rep)
{
    void        *field;
    const char  *name;

    field = (u_char *) req + row->offset;
    name = (char *) row->name.data;

    switch (row->type) {

    case AI_RSP_NUMBER:
        if (v->type != AI_JSON_NUMBER) {
            return ai_report_refuse(rep, name, "a number is expected");
        }

        *(ai_str_t *) field = ai_json_raw(v);
        return AI_OK;

    case AI_RSP_BOOLEAN:
        if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
            return ai_report_refuse(rep, name, "a boolean is expected");
        }

        *(ai_str_t *) field = ai_json_raw(v);
        return AI_OK;

    case AI_RSP_OBJECT:
        if (v->type != AI_JSON_OBJECT) {
            return ai_report_refuse(rep, name, "an object is expected");
        }

        *(ai_str_t *) field = ai_json_raw(v);
        return AI_OK;

    case AI_RSP_STRING:
        if (v->type != AI_JSON_STRING) {
            return ai_report_refuse(rep, name, "a string is expected");
        }

        *(ai_mstr_t *) field = ai_mstr(v);
        return AI_OK;

    default:
        if (v->type == AI_JSON_FALSE) {
            return AI_OK;
        }

        return ai_report_refuse(rep, name,
                    "this member needs a provider that keeps responses, and "
                    "the one of this model does not speak the Responses API; "
                    "send the whole conversation as \"input\" instead");
    }
}


static ai_int_t
ai_rsp_on_reasoning(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    ai_json_t       name, value;
    ai_mstr_t       effort;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, "reasoning", "an object is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        if (ai_json_name_eq(&name, "effort")) {

            if (value.type != AI_JSON_STRING) {
                return ai_report_refuse(rep, "reasoning.effort",
                                        "a string is expected");
            }

            effort = ai_mstr(&value);
            req->effort = ai_effort_find(&effort);

            if (req->effort == AI_EFFORT_UNSET) {
                ai_report_drop(rep, "reasoning.effort");
            }

        } else if (ai_json_name_eq(&name, "summary")
                   || ai_json_name_eq(&name, "generate_summary"))
        {
            req->summary = 1;

        } else {
            ai_report_drop(rep, "reasoning");
        }
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_on_format(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    ai_json_t  value, type;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, "text", "an object is expected");
    }

    if (ai_json_get(v, "verbosity", &value) == AI_OK) {
        req->verbosity = ai_mstr(&value);
    }

    if (ai_json_get(v, "format", &value) != AI_OK
        || value.type == AI_JSON_NULL)
    {
        return AI_OK;
    }

    if (ai_json_get(&value, "type", &type) != AI_OK) {
        return ai_report_refuse(rep, "text.format",
                                "an object with a \"type\" is expected");
    }

    if (ai_json_name_eq(&type, "text")) {
        req->format = AI_FORMAT_TEXT;
        return AI_OK;
    }

    if (ai_json_name_eq(&type, "json_object")) {
        req->format = AI_FORMAT_JSON;
        return AI_OK;
    }

    if (ai_json_name_eq(&type, "json_schema")) {
        return ai_rsp_on_schema(req, &value, rep);
    }

    return ai_report_refuse(rep, "text.format.type",
                            "this format is not known");
}


static ai_int_t
ai_rsp_on_schema(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    ai_json_t  value;

    if (ai_json_get(v, "schema", &value) != AI_OK
        || value.type != AI_JSON_OBJECT)
    {
        return ai_report_refuse(rep, "text.format.schema",
                                "an object is expected");
    }

    req->format = AI_FORMAT_SCHEMA;
    req->format_schema = ai_json_raw(&value);

    if (ai_json_get(v, "name", &value) == AI_OK) {
        req->format_name = ai_mstr(&value);
    }

    if (ai_json_get(v, "description", &value) == AI_OK) {
        req->format_description = ai_mstr(&value);
    }

    if (ai_json_get(v, "strict", &value) == AI_OK) {
        req->format_strict = ai_json_raw(&value);
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_on_include(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    ai_json_t       value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(rep, "include", "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (value.type != AI_JSON_STRING) {
            return ai_report_refuse(rep, "include", "strings are expected");
        }

        if (ai_json_name_eq(&value, "message.output_text.logprobs")) {
            ai_str_set(&req->logprobs, "true");

        } else if (!ai_json_name_eq(&value, "reasoning.encrypted_content")) {
            ai_report_drop_name(rep, &value);
        }
    }

    return AI_OK;
}


/* "auto" has the provider leave out what does not fit */

static ai_int_t
ai_rsp_on_truncation(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    if (!ai_json_name_eq(v, "disabled")) {
        ai_report_drop(rep, "truncation");
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_on_stream(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_report_refuse(rep, "stream", "a boolean is expected");
    }

    req->stream = ai_json_is_true(v);

    return AI_OK;
}


/* 0 is what libraries send when they mean none */

static ai_int_t
ai_rsp_on_top_logprobs(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep)
{
    uint64_t  n;

    if (ai_json_uint(v, &n) != AI_OK) {
        return ai_report_refuse(rep, "top_logprobs", "a number is expected");
    }

    if (n != 0) {
        req->top_logprobs = ai_json_raw(v);
        ai_str_set(&req->logprobs, "true");
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_instructions(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    ai_part_t     *part;
    ai_message_t  *m;

    /* what a response repeats may be an array of items */

    if (v->type == AI_JSON_ARRAY) {
        return ai_rsp_parse_input(req, v, rep);
    }

    if (v->type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (v->type != AI_JSON_STRING) {
        return ai_report_refuse(rep, "instructions", "a string is expected");
    }

    m = ai_request_message(req, AI_ROLE_SYSTEM);
    if (m == NULL) {
        return AI_ERROR;
    }

    part = ai_message_part(req, m, AI_PART_TEXT);
    if (part == NULL) {
        return AI_ERROR;
    }

    part->text = ai_mstr(v);

    return AI_OK;
}

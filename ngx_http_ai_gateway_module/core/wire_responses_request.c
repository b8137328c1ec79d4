
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests to OpenAI's Responses, as clients write them: the members of the
 * body.  What refers to something that a provider keeps cannot be had from
 * any other (wire-formats.md 4), and is refused.
 */


#include "wire_responses.h"


static ai_int_t ai_rsp_on_stateful(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_rsp_on_reasoning(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_rsp_on_format(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_rsp_on_schema(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_on_include(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_rsp_on_truncation(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_rsp_on_top_logprobs(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_rsp_instructions(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);


#define ai_rsp_at(field)  offsetof(ai_request_t, field)

static const ai_wire_member_t  ai_rsp_requests[] = {

    /* of no consequence, or read when all else is known */

    { ai_string("model"), NULL, 0, NULL },
    { ai_string("input"), NULL, 0, NULL },
    { ai_string("instructions"), NULL, 0, NULL },
    { ai_string("store"), NULL, 0, NULL },
    { ai_string("stream_options"), NULL, 0, NULL },

    { ai_string("previous_response_id"), ai_rsp_on_stateful, 0, NULL },
    { ai_string("conversation"), ai_rsp_on_stateful, 0, NULL },
    { ai_string("background"), ai_rsp_on_stateful, 0, NULL },
    { ai_string("prompt"), ai_rsp_on_stateful, 0, NULL },

    { ai_string("max_output_tokens"), ai_wire_read_number,
      ai_rsp_at(max_tokens), NULL },
    { ai_string("temperature"), ai_wire_read_number, ai_rsp_at(temperature),
      NULL },
    { ai_string("top_p"), ai_wire_read_number, ai_rsp_at(top_p), NULL },
    { ai_string("presence_penalty"), ai_wire_read_number,
      ai_rsp_at(presence_penalty), NULL },
    { ai_string("frequency_penalty"), ai_wire_read_number,
      ai_rsp_at(frequency_penalty), NULL },
    { ai_string("parallel_tool_calls"), ai_wire_read_boolean,
      ai_rsp_at(parallel), NULL },
    { ai_string("metadata"), ai_wire_read_object, ai_rsp_at(metadata), NULL },
    { ai_string("safety_identifier"), ai_wire_read_string, ai_rsp_at(user),
      NULL },
    { ai_string("user"), ai_wire_read_string, ai_rsp_at(user), NULL },
    { ai_string("service_tier"), ai_wire_read_string,
      ai_rsp_at(service_tier), NULL },
    { ai_string("prompt_cache_key"), ai_wire_read_string,
      ai_rsp_at(cache_key), NULL },

    { ai_string("top_logprobs"), ai_rsp_on_top_logprobs, 0, NULL },
    { ai_string("tools"), ai_rsp_parse_tools, 0, NULL },
    { ai_string("tool_choice"), ai_rsp_parse_choice, 0, NULL },
    { ai_string("reasoning"), ai_rsp_on_reasoning, 0, NULL },
    { ai_string("text"), ai_rsp_on_format, 0, NULL },
    { ai_string("include"), ai_rsp_on_include, 0, NULL },
    { ai_string("truncation"), ai_rsp_on_truncation, 0, NULL },
    { ai_string("stream"), ai_wire_read_stream, 0, NULL },

    { ai_null_string, NULL, 0, NULL }
};


ai_int_t
ai_rsp_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t        rc;
    ai_json_t       value;
    ai_wire_read_t  r;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the body is not a JSON object");
    }

    /* a stream of this API tells its usage unasked */

    req->include_usage = 1;

    memset(&r, 0, sizeof(ai_wire_read_t));

    r.req = req;
    r.rep = rep;

    rc = ai_wire_read(&r, root, ai_rsp_requests, NULL);

    if (rc != AI_OK) {
        return rc;
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
ai_rsp_on_stateful(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type == AI_JSON_FALSE) {
        return AI_OK;
    }

    return ai_report_refuse(r->rep, (char *) m->name.data,
                    "this member needs a provider that keeps responses, and "
                    "the one of this model does not speak the Responses API; "
                    "send the whole conversation as \"input\" instead");
}


static ai_int_t
ai_rsp_on_reasoning(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t       name, value;
    ai_mstr_t       effort;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "reasoning", "an object is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        if (ai_json_name_eq(&name, "effort")) {

            if (value.type != AI_JSON_STRING) {
                return ai_report_refuse(r->rep, "reasoning.effort",
                                        "a string is expected");
            }

            effort = ai_mstr(&value);
            r->req->effort = ai_effort_find(&effort);

            if (r->req->effort == AI_EFFORT_UNSET) {
                ai_report_drop(r->rep, "reasoning.effort");
            }

        } else if (ai_json_name_eq(&name, "summary")
                   || ai_json_name_eq(&name, "generate_summary"))
        {
            r->req->summary = 1;

        } else {
            ai_report_drop(r->rep, "reasoning");
        }
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_on_format(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  value, type;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "text", "an object is expected");
    }

    r->req->verbosity = ai_wire_string(v, "verbosity");

    if (ai_json_get(v, "format", &value) != AI_OK
        || value.type == AI_JSON_NULL)
    {
        return AI_OK;
    }

    if (ai_json_get(&value, "type", &type) != AI_OK) {
        return ai_report_refuse(r->rep, "text.format",
                                "an object with a \"type\" is expected");
    }

    if (ai_json_name_eq(&type, "text")) {
        r->req->format = AI_FORMAT_TEXT;
        return AI_OK;
    }

    if (ai_json_name_eq(&type, "json_object")) {
        r->req->format = AI_FORMAT_JSON;
        return AI_OK;
    }

    if (ai_json_name_eq(&type, "json_schema")) {
        return ai_rsp_on_schema(r->req, &value, r->rep);
    }

    return ai_report_refuse(r->rep, "text.format.type",
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

    req->format_name = ai_wire_string(v, "name");
    req->format_description = ai_wire_string(v, "description");
    req->format_strict = ai_wire_raw(v, "strict");

    return AI_OK;
}


static ai_int_t
ai_rsp_on_include(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t       value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "include", "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (value.type != AI_JSON_STRING) {
            return ai_report_refuse(r->rep, "include", "strings are expected");
        }

        if (ai_json_name_eq(&value, "message.output_text.logprobs")) {
            ai_str_set(&r->req->logprobs, "true");

        } else if (!ai_json_name_eq(&value, "reasoning.encrypted_content")) {
            ai_report_drop_name(r->rep, &value);
        }
    }

    return AI_OK;
}


/* "auto" has the provider leave out what does not fit */

static ai_int_t
ai_rsp_on_truncation(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (!ai_json_name_eq(v, "disabled")) {
        ai_report_drop(r->rep, "truncation");
    }

    return AI_OK;
}


/* 0 is what libraries send when they mean none */

static ai_int_t
ai_rsp_on_top_logprobs(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    uint64_t  n;

    if (ai_json_uint(v, &n) != AI_OK) {
        return ai_report_refuse(r->rep, "top_logprobs", "a number is expected");
    }

    if (n != 0) {
        r->req->top_logprobs = ai_json_raw(v);
        ai_str_set(&r->req->logprobs, "true");
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_instructions(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
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

    return ai_wire_add_message(req, AI_ROLE_SYSTEM, v);
}

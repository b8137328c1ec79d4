
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a client of Cohere asks, as a neutral request.
 */


#include "wire_cohere.h"


static ai_int_t ai_cohere_tools(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_cohere_strict(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_cohere_choice(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_cohere_format(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_cohere_thinking(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_cohere_documents(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_cohere_raw(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_cohere_logprobs(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);


#define ai_cohere_at(field)  offsetof(ai_request_t, field)

/* beside these there are safety_mode, citation_options, priority */

static const ai_wire_member_t  ai_cohere_members[] = {

    { ai_string("messages"), ai_cohere_messages, 0, NULL },
    { ai_string("tools"), ai_cohere_tools, 0, NULL },
    { ai_string("tool_choice"), ai_cohere_choice, 0, NULL },
    { ai_string("response_format"), ai_cohere_format, 0, NULL },
    { ai_string("thinking"), ai_cohere_thinking, 0, NULL },
    { ai_string("stop_sequences"), ai_wire_read_stops, 0, NULL },
    { ai_string("documents"), ai_cohere_documents, 0, NULL },
    { ai_string("raw_prompting"), ai_cohere_raw, 0, NULL },
    { ai_string("logprobs"), ai_cohere_logprobs, 0, NULL },
    { ai_string("stream"), ai_wire_read_stream, 0, NULL },
    { ai_string("model"), NULL, 0, NULL },

    /* looked for when the tools are known */

    { ai_string("strict_tools"), NULL, 0, NULL },

    { ai_string("max_tokens"), ai_wire_read_number,
      ai_cohere_at(max_tokens), NULL },
    { ai_string("temperature"), ai_wire_read_number,
      ai_cohere_at(temperature), NULL },
    { ai_string("p"), ai_wire_read_number, ai_cohere_at(top_p), NULL },
    { ai_string("k"), ai_wire_read_number, ai_cohere_at(top_k), NULL },
    { ai_string("seed"), ai_wire_read_number, ai_cohere_at(seed), NULL },
    { ai_string("frequency_penalty"), ai_wire_read_number,
      ai_cohere_at(frequency_penalty), NULL },
    { ai_string("presence_penalty"), ai_wire_read_number,
      ai_cohere_at(presence_penalty), NULL },

    { ai_null_string, NULL, 0, NULL }
};


ai_int_t
ai_cohere_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t        rc;
    ai_json_t       value;
    ai_wire_read_t  r;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the request must be an object");
    }

    memset(&r, 0, sizeof(ai_wire_read_t));

    r.req = req;
    r.rep = rep;

    /* the end of a message tells the usage, asked or not */

    req->include_usage = 1;

    rc = ai_wire_read(&r, root, ai_cohere_members, NULL);

    if (rc != AI_OK) {
        return rc;
    }

    if (req->messages == NULL) {
        return ai_report_refuse(rep, "messages", "messages are required");
    }

    if (ai_json_get(root, "strict_tools", &value) == AI_OK
        && ai_cohere_strict(&r, &value) != AI_OK)
    {
        return AI_DECLINED;
    }

    /* zero is how clients switch it off */

    if (ai_wire_double(&req->top_k) == 0) {
        req->top_k.len = 0;
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_tools(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_tool_t       *tool;
    ai_json_t        value, function, name;
    ai_json_iter_t   it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "tools", "an array is expected");
    }

    r->list = "tools";
    r->index = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (ai_json_get(&value, "function", &function) != AI_OK
            || ai_json_get(&function, "name", &name) != AI_OK
            || name.type != AI_JSON_STRING)
        {
            return ai_wire_refuse(r, "function.name",
                                  "a tool has a function with a name");
        }

        tool = ai_request_tool(r->req);

        if (tool == NULL) {
            return AI_ERROR;
        }

        tool->type = AI_TOOL_FUNCTION;
        tool->name = ai_mstr(&name);
        tool->raw = ai_json_raw(&value);

        tool->description = ai_wire_string(&function, "description");

        if (ai_json_get(&function, "parameters", &value) == AI_OK
            && value.type == AI_JSON_OBJECT)
        {
            tool->schema = ai_json_raw(&value);
        }

        r->index++;
    }

    r->list = NULL;

    return AI_OK;
}


static ai_int_t
ai_cohere_strict(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_tool_t  *tool;

    if (v->type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_report_refuse(r->rep, "strict_tools",
                                "true or false is expected");
    }

    for (tool = r->req->tools; tool != NULL; tool = tool->next) {
        tool->strict = ai_json_raw(v);
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_choice(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (ai_json_name_eq(v, "REQUIRED")) {
        r->req->choice = AI_CHOICE_REQUIRED;
        return AI_OK;
    }

    if (ai_json_name_eq(v, "NONE")) {
        r->req->choice = AI_CHOICE_NONE;
        return AI_OK;
    }

    return ai_report_refuse(r->rep, "tool_choice",
                            "a choice is \"REQUIRED\" or \"NONE\"");
}


/* the schema goes by two names */

static ai_int_t
ai_cohere_format(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  type, schema;

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return ai_report_refuse(r->rep, "response_format.type",
                                "a type is required");
    }

    if (ai_json_name_eq(&type, "text")) {
        r->req->format = AI_FORMAT_TEXT;
        return AI_OK;
    }

    if (!ai_json_name_eq(&type, "json_object")) {
        return ai_report_refuse(r->rep, "response_format.type",
                                "a format is \"text\" or \"json_object\"");
    }

    r->req->format = AI_FORMAT_JSON;

    if ((ai_json_get(v, "json_schema", &schema) == AI_OK
         && schema.type == AI_JSON_OBJECT)
        || (ai_json_get(v, "schema", &schema) == AI_OK
            && schema.type == AI_JSON_OBJECT))
    {
        r->req->format = AI_FORMAT_SCHEMA;
        r->req->format_schema = ai_json_raw(&schema);
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_thinking(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  type, budget;

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return ai_report_refuse(r->rep, "thinking.type",
                                "a type is required");
    }

    if (ai_json_name_eq(&type, "disabled")) {
        r->req->effort = AI_EFFORT_NONE;
        return AI_OK;
    }

    if (!ai_json_name_eq(&type, "enabled")) {
        return ai_report_refuse(r->rep, "thinking.type",
                                "a type is \"enabled\" or \"disabled\"");
    }

    r->req->summary = 1;

    if (ai_json_get(v, "token_budget", &budget) != AI_OK
        || budget.type == AI_JSON_NULL)
    {
        r->req->adaptive = 1;
        return AI_OK;
    }

    if (budget.type != AI_JSON_NUMBER) {
        return ai_report_refuse(r->rep, "thinking.token_budget",
                                "a number is expected");
    }

    r->req->budget = ai_json_raw(&budget);

    return AI_OK;
}


/* an answer that does not rest on them is another answer */

static ai_int_t
ai_cohere_documents(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t       document;
    ai_json_iter_t  it;

    ai_json_iter_init(&it, v);

    if (v->type == AI_JSON_ARRAY
        && ai_json_next(&it, NULL, &document) == AI_DONE)
    {
        return AI_OK;
    }

    return ai_report_refuse(r->rep, "documents",
                            "documents are not supported by the provider of "
                            "this model, put their text into a message");
}


static ai_int_t
ai_cohere_raw(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type == AI_JSON_FALSE) {
        return AI_OK;
    }

    return ai_report_refuse(r->rep, "raw_prompting",
                            "raw prompts are not supported by the provider "
                            "of this model");
}


static ai_int_t
ai_cohere_logprobs(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (ai_json_is_true(v)) {
        r->req->logprobs = ai_json_raw(v);
    }

    return AI_OK;
}

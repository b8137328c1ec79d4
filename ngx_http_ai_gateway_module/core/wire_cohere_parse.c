
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a client of Cohere asks, as a neutral request.
 */


#include <stdio.h>

#include "wire_cohere.h"


#define AI_COHERE_PARAM  64


/* a member of the request: its name, and what becomes of its value */

typedef struct {
    const char          *name;
    ai_int_t           (*parse)(ai_cohere_parse_t *p, const ai_json_t *v);
} ai_cohere_member_t;


typedef struct {
    const char          *name;
    size_t               offset;       /* of an ai_str_t of the request */
} ai_cohere_number_t;


static ai_int_t ai_cohere_root(ai_cohere_parse_t *p, const ai_json_t *name,
    const ai_json_t *v);
static ai_int_t ai_cohere_tools(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_strict(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_choice(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_format(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_thinking(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_stop(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_documents(ai_cohere_parse_t *p,
    const ai_json_t *v);
static ai_int_t ai_cohere_raw(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_logprobs(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_stream(ai_cohere_parse_t *p, const ai_json_t *v);
static ai_int_t ai_cohere_known(ai_cohere_parse_t *p, const ai_json_t *v);


/* strict_tools is looked for when the tools are known */

static const ai_cohere_member_t  ai_cohere_members[] = {

    { "messages", ai_cohere_messages },
    { "tools", ai_cohere_tools },
    { "tool_choice", ai_cohere_choice },
    { "response_format", ai_cohere_format },
    { "thinking", ai_cohere_thinking },
    { "stop_sequences", ai_cohere_stop },
    { "documents", ai_cohere_documents },
    { "raw_prompting", ai_cohere_raw },
    { "logprobs", ai_cohere_logprobs },
    { "stream", ai_cohere_stream },
    { "model", ai_cohere_known },
    { "strict_tools", ai_cohere_known },

    { NULL, NULL }
};


static const ai_cohere_number_t  ai_cohere_numbers[] = {

    { "max_tokens", offsetof(ai_request_t, max_tokens) },
    { "temperature", offsetof(ai_request_t, temperature) },
    { "p", offsetof(ai_request_t, top_p) },
    { "k", offsetof(ai_request_t, top_k) },
    { "seed", offsetof(ai_request_t, seed) },
    { "frequency_penalty", offsetof(ai_request_t, frequency_penalty) },
    { "presence_penalty", offsetof(ai_request_t, presence_penalty) },

    { NULL, 0 }
};


ai_int_t
ai_cohere_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t           rc;
    uint64_t           k;
    ai_json_t          name, value;
    ai_json_iter_t     it;
    ai_cohere_parse_t  p;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the request must be an object");
    }

    p.req = req;
    p.rep = rep;
    p.index = 0;

    /* the end of a message tells the usage, asked or not */

    req->include_usage = 1;

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        rc = ai_cohere_root(&p, &name, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (req->messages == NULL) {
        return ai_report_refuse(rep, "messages", "messages are required");
    }

    if (ai_json_get(root, "strict_tools", &value) == AI_OK
        && ai_cohere_strict(&p, &value) != AI_OK)
    {
        return AI_DECLINED;
    }

    /* zero is how clients switch it off */

    if (req->top_k.len != 0) {
        value.start = req->top_k.data;
        value.end = req->top_k.data + req->top_k.len;
        value.type = AI_JSON_NUMBER;

        if (ai_json_uint(&value, &k) == AI_OK && k == 0) {
            req->top_k.len = 0;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_root(ai_cohere_parse_t *p, const ai_json_t *name,
    const ai_json_t *v)
{
    ai_str_t                  *field;
    const ai_cohere_member_t  *m;
    const ai_cohere_number_t  *n;

    for (m = ai_cohere_members; m->name != NULL; m++) {
        if (ai_json_str_eq(name, m->name, strlen(m->name))) {
            return m->parse(p, v);
        }
    }

    for (n = ai_cohere_numbers; n->name != NULL; n++) {

        if (!ai_json_str_eq(name, n->name, strlen(n->name))) {
            continue;
        }

        if (v->type != AI_JSON_NUMBER) {
            return ai_report_refuse(p->rep, n->name, "a number is expected");
        }

        field = (ai_str_t *) (void *) ((u_char *) p->req + n->offset);
        *field = ai_json_raw(v);

        return AI_OK;
    }

    /* safety_mode, citation_options, priority, and what is new */

    ai_report_drop_name(p->rep, name);

    return AI_OK;
}


static ai_int_t
ai_cohere_known(ai_cohere_parse_t *p, const ai_json_t *v)
{
    (void) p;
    (void) v;

    return AI_OK;
}


static ai_int_t
ai_cohere_tools(ai_cohere_parse_t *p, const ai_json_t *v)
{
    ai_tool_t       *tool;
    ai_json_t        value, function, name;
    ai_json_iter_t   it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(p->rep, "tools", "an array is expected");
    }

    p->index = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (ai_json_get(&value, "function", &function) != AI_OK
            || ai_json_get(&function, "name", &name) != AI_OK
            || name.type != AI_JSON_STRING)
        {
            return ai_cohere_wrong(p, "tools", "function.name",
                                   "a tool has a function with a name");
        }

        tool = ai_request_tool(p->req);

        if (tool == NULL) {
            return AI_ERROR;
        }

        tool->type = AI_TOOL_FUNCTION;
        tool->name = ai_mstr(&name);
        tool->raw = ai_json_raw(&value);

        if (ai_json_get(&function, "description", &value) == AI_OK) {
            tool->description = ai_mstr(&value);
        }

        if (ai_json_get(&function, "parameters", &value) == AI_OK
            && value.type == AI_JSON_OBJECT)
        {
            tool->schema = ai_json_raw(&value);
        }

        p->index++;
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_strict(ai_cohere_parse_t *p, const ai_json_t *v)
{
    ai_tool_t  *tool;

    if (v->type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_report_refuse(p->rep, "strict_tools",
                                "true or false is expected");
    }

    for (tool = p->req->tools; tool != NULL; tool = tool->next) {
        tool->strict = ai_json_raw(v);
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_choice(ai_cohere_parse_t *p, const ai_json_t *v)
{
    if (ai_json_name_eq(v, "REQUIRED")) {
        p->req->choice = AI_CHOICE_REQUIRED;
        return AI_OK;
    }

    if (ai_json_name_eq(v, "NONE")) {
        p->req->choice = AI_CHOICE_NONE;
        return AI_OK;
    }

    return ai_report_refuse(p->rep, "tool_choice",
                            "a choice is \"REQUIRED\" or \"NONE\"");
}


/* the schema goes by two names */

static ai_int_t
ai_cohere_format(ai_cohere_parse_t *p, const ai_json_t *v)
{
    ai_json_t  type, schema;

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return ai_report_refuse(p->rep, "response_format.type",
                                "a type is required");
    }

    if (ai_json_name_eq(&type, "text")) {
        p->req->format = AI_FORMAT_TEXT;
        return AI_OK;
    }

    if (!ai_json_name_eq(&type, "json_object")) {
        return ai_report_refuse(p->rep, "response_format.type",
                                "a format is \"text\" or \"json_object\"");
    }

    p->req->format = AI_FORMAT_JSON;

    if ((ai_json_get(v, "json_schema", &schema) == AI_OK
         && schema.type == AI_JSON_OBJECT)
        || (ai_json_get(v, "schema", &schema) == AI_OK
            && schema.type == AI_JSON_OBJECT))
    {
        p->req->format = AI_FORMAT_SCHEMA;
        p->req->format_schema = ai_json_raw(&schema);
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_thinking(ai_cohere_parse_t *p, const ai_json_t *v)
{
    ai_json_t  type, budget;

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return ai_report_refuse(p->rep, "thinking.type",
                                "a type is required");
    }

    if (ai_json_name_eq(&type, "disabled")) {
        p->req->effort = AI_EFFORT_NONE;
        return AI_OK;
    }

    if (!ai_json_name_eq(&type, "enabled")) {
        return ai_report_refuse(p->rep, "thinking.type",
                                "a type is \"enabled\" or \"disabled\"");
    }

    p->req->summary = 1;

    if (ai_json_get(v, "token_budget", &budget) != AI_OK
        || budget.type == AI_JSON_NULL)
    {
        p->req->adaptive = 1;
        return AI_OK;
    }

    if (budget.type != AI_JSON_NUMBER) {
        return ai_report_refuse(p->rep, "thinking.token_budget",
                                "a number is expected");
    }

    p->req->budget = ai_json_raw(&budget);

    return AI_OK;
}


static ai_int_t
ai_cohere_stop(ai_cohere_parse_t *p, const ai_json_t *v)
{
    ai_json_t       stop;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(p->rep, "stop_sequences",
                                "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &stop) == AI_OK) {

        if (stop.type != AI_JSON_STRING) {
            return ai_report_refuse(p->rep, "stop_sequences",
                                    "an array of strings is expected");
        }

        if (p->req->nstop == AI_REQUEST_STOPS) {
            return ai_report_refuse(p->rep, "stop_sequences",
                                    "there are too many of them");
        }

        p->req->stop[p->req->nstop++] = ai_mstr(&stop);
    }

    return AI_OK;
}


/* an answer that does not rest on them is another answer */

static ai_int_t
ai_cohere_documents(ai_cohere_parse_t *p, const ai_json_t *v)
{
    ai_json_t       document;
    ai_json_iter_t  it;

    ai_json_iter_init(&it, v);

    if (v->type == AI_JSON_ARRAY
        && ai_json_next(&it, NULL, &document) == AI_DONE)
    {
        return AI_OK;
    }

    return ai_report_refuse(p->rep, "documents",
                            "documents are not supported by the provider of "
                            "this model, put their text into a message");
}


static ai_int_t
ai_cohere_raw(ai_cohere_parse_t *p, const ai_json_t *v)
{
    if (v->type == AI_JSON_FALSE) {
        return AI_OK;
    }

    return ai_report_refuse(p->rep, "raw_prompting",
                            "raw prompts are not supported by the provider "
                            "of this model");
}


static ai_int_t
ai_cohere_logprobs(ai_cohere_parse_t *p, const ai_json_t *v)
{
    if (ai_json_is_true(v)) {
        p->req->logprobs = ai_json_raw(v);
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_stream(ai_cohere_parse_t *p, const ai_json_t *v)
{
    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_report_refuse(p->rep, "stream",
                                "true or false is expected");
    }

    p->req->stream = ai_json_is_true(v);

    return AI_OK;
}


ai_int_t
ai_cohere_wrong(ai_cohere_parse_t *p, const char *array, const char *member,
    const char *message)
{
    char  param[AI_COHERE_PARAM];

    (void) snprintf(param, sizeof(param), "%s.%lu%s%s", array,
                    (unsigned long) p->index, member ? "." : "",
                    member ? member : "");

    return ai_report_refuse(p->rep, param, message);
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A client's chat/completions body to the neutral request: all members but
 * the messages.  Members that others than OpenAI brought up and that many
 * clients send are understood, too (wire-formats.md 2.6, 3).
 */


#include "wire_chat.h"


static ai_int_t ai_chat_parse_member(ai_chat_parse_t *c,
    const ai_json_t *name, const ai_json_t *v);
static ai_int_t ai_chat_parse_number(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_boolean(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_string(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_object(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_drop(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_audio(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_modalities(ai_chat_parse_t *c,
    const ai_json_t *v, const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_limit(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_completion(ai_chat_parse_t *c,
    const ai_json_t *v, const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_stream(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_options(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_accounting(ai_chat_parse_t *c,
    const ai_json_t *v, const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_stop(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_user(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_safety(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_format(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_schema(ai_chat_parse_t *c, const ai_json_t *v);
static ai_int_t ai_chat_parse_effort(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_reasoning(ai_chat_parse_t *c,
    const ai_json_t *v, const ai_chat_row_t *row);
static ai_int_t ai_chat_parse_thinking(ai_chat_parse_t *c,
    const ai_json_t *v, const ai_chat_row_t *row);


#define ai_chat_at(field)  offsetof(ai_request_t, field)

static const ai_chat_row_t  ai_chat_rows[] = {

    { ai_string("messages"), ai_chat_parse_messages, 0 },
    { ai_string("model"), NULL, 0 },
    { ai_string("stream"), ai_chat_parse_stream, 0 },
    { ai_string("stream_options"), ai_chat_parse_options, 0 },

    { ai_string("tools"), ai_chat_parse_tools, 0 },
    { ai_string("tool_choice"), ai_chat_parse_choice, 0 },
    { ai_string("functions"), ai_chat_parse_functions, 0 },
    { ai_string("function_call"), ai_chat_parse_function_call, 0 },
    { ai_string("parallel_tool_calls"), ai_chat_parse_boolean,
      ai_chat_at(parallel) },

    { ai_string("max_tokens"), ai_chat_parse_limit, 0 },
    { ai_string("max_completion_tokens"), ai_chat_parse_completion, 0 },
    { ai_string("temperature"), ai_chat_parse_number,
      ai_chat_at(temperature) },
    { ai_string("top_p"), ai_chat_parse_number, ai_chat_at(top_p) },
    { ai_string("top_k"), ai_chat_parse_number, ai_chat_at(top_k) },
    { ai_string("presence_penalty"), ai_chat_parse_number,
      ai_chat_at(presence_penalty) },
    { ai_string("frequency_penalty"), ai_chat_parse_number,
      ai_chat_at(frequency_penalty) },
    { ai_string("seed"), ai_chat_parse_number, ai_chat_at(seed) },
    { ai_string("random_seed"), ai_chat_parse_number, ai_chat_at(seed) },
    { ai_string("n"), ai_chat_parse_number, ai_chat_at(n) },
    { ai_string("logprobs"), ai_chat_parse_boolean, ai_chat_at(logprobs) },
    { ai_string("top_logprobs"), ai_chat_parse_number,
      ai_chat_at(top_logprobs) },
    { ai_string("logit_bias"), ai_chat_parse_object,
      ai_chat_at(logit_bias) },
    { ai_string("stop"), ai_chat_parse_stop, 0 },

    { ai_string("response_format"), ai_chat_parse_format, 0 },
    { ai_string("reasoning_effort"), ai_chat_parse_effort, 0 },
    { ai_string("reasoning"), ai_chat_parse_reasoning, 0 },
    { ai_string("thinking"), ai_chat_parse_thinking, 0 },
    { ai_string("verbosity"), ai_chat_parse_string, ai_chat_at(verbosity) },

    { ai_string("user"), ai_chat_parse_user, 0 },
    { ai_string("safety_identifier"), ai_chat_parse_safety, 0 },
    { ai_string("metadata"), ai_chat_parse_object, ai_chat_at(metadata) },
    { ai_string("service_tier"), ai_chat_parse_string,
      ai_chat_at(service_tier) },
    { ai_string("prompt_cache_key"), ai_chat_parse_string,
      ai_chat_at(cache_key) },
    { ai_string("cache_control"), ai_chat_parse_object, ai_chat_at(cache) },
    { ai_string("usage"), ai_chat_parse_accounting, 0 },

    { ai_string("audio"), ai_chat_parse_audio, 0 },
    { ai_string("modalities"), ai_chat_parse_modalities, 0 },
    { ai_string("store"), ai_chat_parse_drop, 0 },
    { ai_string("prediction"), ai_chat_parse_drop, 0 },
    { ai_string("moderation"), ai_chat_parse_drop, 0 },
    { ai_string("web_search_options"), ai_chat_parse_drop, 0 },
    { ai_string("prompt_cache_options"), ai_chat_parse_drop, 0 },
    { ai_string("prompt_cache_retention"), ai_chat_parse_drop, 0 },

    { ai_null_string, NULL, 0 }
};


ai_int_t
ai_chat_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t         rc;
    ai_json_t        name, value;
    ai_json_iter_t   it;
    ai_chat_parse_t  c;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the body must be an object");
    }

    memset(&c, 0, sizeof(ai_chat_parse_t));

    c.req = req;
    c.rep = rep;

    if (ai_json_get(root, "messages", &value) != AI_OK) {
        return ai_report_refuse(rep, "messages", "messages are required");
    }

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        rc = ai_chat_parse_member(&c, &name, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_member(ai_chat_parse_t *c, const ai_json_t *name,
    const ai_json_t *v)
{
    const ai_chat_row_t  *row;

    for (row = ai_chat_rows; row->name.len != 0; row++) {

        if (!ai_chat_eq(name, (char *) row->name.data, row->name.len)) {
            continue;
        }

        if (row->parse == NULL
            || (v->type == AI_JSON_NULL
                && row->parse != ai_chat_parse_messages))
        {
            return AI_OK;
        }

        return row->parse(c, v, row);
    }

    if (v->type != AI_JSON_NULL) {
        ai_report_drop_name(c->rep, name);
    }

    return AI_OK;
}


ai_int_t
ai_chat_bad(ai_chat_parse_t *c, const char *member, const char *message)
{
    ai_buf_t  b;
    ai_str_t  path;

    if (c->list == NULL) {
        return ai_report_refuse(c->rep, member, message);
    }

    ai_buf_init(&b, c->req->alloc, 256);

    ai_buf_cstr(&b, c->list);
    ai_buf_lit(&b, ".");
    ai_buf_uint(&b, c->index);

    if (member != NULL) {
        ai_buf_lit(&b, ".");
        ai_buf_cstr(&b, member);
    }

    ai_buf_put(&b, "", 1);

    if (ai_buf_get(&b, &path) != AI_OK) {
        return AI_ERROR;
    }

    return ai_report_refuse(c->rep, (char *) path.data, message);
}


static ai_int_t
ai_chat_parse_number(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_NUMBER) {
        return ai_chat_bad(c, (char *) row->name.data, "a number is expected");
    }

    *(ai_str_t *) (void *) ((u_char *) c->req + row->offset)
        = ai_json_raw(v);

    return AI_OK;
}


static ai_int_t
ai_chat_parse_boolean(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_chat_bad(c, (char *) row->name.data,
                           "true or false is expected");
    }

    *(ai_str_t *) (void *) ((u_char *) c->req + row->offset)
        = ai_json_raw(v);

    return AI_OK;
}


static ai_int_t
ai_chat_parse_string(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_STRING) {
        return ai_chat_bad(c, (char *) row->name.data, "a string is expected");
    }

    *(ai_mstr_t *) (void *) ((u_char *) c->req + row->offset) = ai_mstr(v);

    return AI_OK;
}


static ai_int_t
ai_chat_parse_object(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_OBJECT) {
        return ai_chat_bad(c, (char *) row->name.data,
                           "an object is expected");
    }

    *(ai_str_t *) (void *) ((u_char *) c->req + row->offset)
        = ai_json_raw(v);

    return AI_OK;
}


/* known, but to no one else; "false" is what happens anyway */

static ai_int_t
ai_chat_parse_drop(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_FALSE) {
        ai_report_drop(c->rep, (char *) row->name.data);
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_audio(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    return ai_chat_bad(c, (char *) row->name.data,
                       "spoken answers cannot be translated");
}


static ai_int_t
ai_chat_parse_modalities(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    ai_json_t       mode;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_chat_bad(c, "modalities", "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &mode) == AI_OK) {

        if (ai_chat_is(&mode, "audio")) {
            return ai_chat_parse_audio(c, v, row);
        }

        if (!ai_chat_is(&mode, "text")) {
            ai_report_drop(c->rep, "modalities");
        }
    }

    return AI_OK;
}


/* deprecated, hence only if the other one is not there */

static ai_int_t
ai_chat_parse_limit(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_NUMBER) {
        return ai_chat_bad(c, "max_tokens", "a number is expected");
    }

    if (!c->completion) {
        c->req->max_tokens = ai_json_raw(v);
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_completion(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_NUMBER) {
        return ai_chat_bad(c, "max_completion_tokens",
                           "a number is expected");
    }

    c->completion = 1;
    c->req->max_tokens = ai_json_raw(v);

    return AI_OK;
}


static ai_int_t
ai_chat_parse_stream(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_chat_bad(c, "stream", "true or false is expected");
    }

    c->req->stream = ai_json_is_true(v);

    return AI_OK;
}


static ai_int_t
ai_chat_parse_options(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    ai_json_t  usage;

    if (v->type != AI_JSON_OBJECT) {
        return ai_chat_bad(c, "stream_options", "an object is expected");
    }

    if (ai_json_get(v, "include_usage", &usage) == AI_OK
        && ai_json_is_true(&usage))
    {
        c->req->include_usage = 1;
    }

    return AI_OK;
}


/* what clients of OpenRouter say instead of stream_options */

static ai_int_t
ai_chat_parse_accounting(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    ai_json_t  include;

    if (ai_json_get(v, "include", &include) == AI_OK
        && ai_json_is_true(&include))
    {
        c->req->include_usage = 1;
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_stop(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    ai_json_t       value;
    ai_request_t   *req;
    ai_json_iter_t  it;

    req = c->req;

    if (v->type == AI_JSON_STRING) {

        if (ai_chat_filled(v)) {
            req->stop[req->nstop++] = ai_mstr(v);
        }

        return AI_OK;
    }

    if (v->type != AI_JSON_ARRAY) {
        return ai_chat_bad(c, "stop", "a string or an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (value.type != AI_JSON_STRING) {
            return ai_chat_bad(c, "stop", "an array of strings is expected");
        }

        if (req->nstop == AI_REQUEST_STOPS) {
            ai_report_drop(c->rep, "stop");
            break;
        }

        if (ai_chat_filled(&value)) {
            req->stop[req->nstop++] = ai_mstr(&value);
        }
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_user(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_STRING) {
        return ai_chat_bad(c, "user", "a string is expected");
    }

    if (!c->safety) {
        c->req->user = ai_mstr(v);
    }

    return AI_OK;
}


/* what is to replace "user" */

static ai_int_t
ai_chat_parse_safety(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    if (v->type != AI_JSON_STRING) {
        return ai_chat_bad(c, "safety_identifier", "a string is expected");
    }

    c->safety = 1;
    c->req->user = ai_mstr(v);

    return AI_OK;
}


static ai_int_t
ai_chat_parse_format(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    ai_json_t  type, schema;

    if (v->type != AI_JSON_OBJECT) {
        return ai_chat_bad(c, "response_format", "an object is expected");
    }

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return ai_chat_bad(c, "response_format.type", "a type is required");
    }

    if (ai_chat_is(&type, "text")) {
        c->req->format = AI_FORMAT_TEXT;
        return AI_OK;
    }

    if (ai_chat_is(&type, "json_object")) {
        c->req->format = AI_FORMAT_JSON;

        /* a schema in it was how Together and others began */

        if (ai_json_get(v, "schema", &schema) == AI_OK
            && schema.type == AI_JSON_OBJECT)
        {
            c->req->format = AI_FORMAT_SCHEMA;
            c->req->format_schema = ai_json_raw(&schema);
        }

        return AI_OK;
    }

    if (ai_chat_is(&type, "json_schema")) {

        if (ai_json_get(v, "json_schema", &schema) != AI_OK
            || schema.type != AI_JSON_OBJECT)
        {
            return ai_chat_bad(c, "response_format.json_schema",
                               "an object is required");
        }

        return ai_chat_parse_schema(c, &schema);
    }

    return ai_chat_bad(c, "response_format.type",
                       "it must be text, json_object or json_schema");
}


static ai_int_t
ai_chat_parse_schema(ai_chat_parse_t *c, const ai_json_t *v)
{
    ai_json_t       name, value;
    ai_request_t   *req;
    ai_json_iter_t  it;

    req = c->req;

    /* OpenAI's own schema is optional: then it is any JSON */

    req->format = AI_FORMAT_JSON;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_chat_is(&name, "name")) {
            req->format_name = ai_mstr(&value);

        } else if (ai_chat_is(&name, "description")) {
            req->format_description = ai_mstr(&value);

        } else if (ai_chat_is(&name, "strict")) {
            req->format_strict = ai_json_raw(&value);

        } else if (ai_chat_is(&name, "schema")
                   && value.type != AI_JSON_NULL)
        {
            if (value.type != AI_JSON_OBJECT) {
                return ai_chat_bad(c, "response_format.json_schema.schema",
                                   "an object is expected");
            }

            req->format = AI_FORMAT_SCHEMA;
            req->format_schema = ai_json_raw(&value);
        }
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_effort(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    ai_mstr_t    name;
    ai_effort_e  effort;

    if (v->type != AI_JSON_STRING) {
        return ai_chat_bad(c, "reasoning_effort", "a string is expected");
    }

    name = ai_mstr(v);
    effort = ai_effort_find(&name);

    /* Groq has "default" */

    if (effort == AI_EFFORT_UNSET) {
        ai_report_drop(c->rep, "reasoning_effort");

    } else if (!c->thinking) {
        c->req->effort = effort;
    }

    return AI_OK;
}


/* OpenRouter's form, which asks to see the thoughts unless it says not to */

static ai_int_t
ai_chat_parse_reasoning(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    ai_json_t       name, value;
    ai_mstr_t       text;
    ai_effort_e     effort;
    ai_request_t   *req;
    ai_json_iter_t  it;

    req = c->req;

    if (v->type != AI_JSON_OBJECT) {
        return ai_chat_bad(c, "reasoning", "an object is expected");
    }

    req->summary = 1;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_chat_is(&name, "effort")) {
            text = ai_mstr(&value);
            effort = ai_effort_find(&text);

            if (effort != AI_EFFORT_UNSET) {
                req->effort = effort;
                c->thinking = 1;
            }

        } else if (ai_chat_is(&name, "max_tokens")
                   && value.type == AI_JSON_NUMBER)
        {
            req->budget = ai_json_raw(&value);
            c->thinking = 1;

        } else if (ai_chat_is(&name, "exclude") && ai_json_is_true(&value)) {
            req->summary = 0;

        } else if (ai_chat_is(&name, "enabled")
                   && req->effort == AI_EFFORT_UNSET)
        {
            if (ai_json_is_true(&value)) {
                req->effort = AI_EFFORT_MEDIUM;

            } else if (value.type == AI_JSON_FALSE) {
                req->effort = AI_EFFORT_NONE;
                req->summary = 0;
            }
        }
    }

    return AI_OK;
}


/* Anthropic's form, as LiteLLM, DeepSeek and Z.ai take it in chat, too */

static ai_int_t
ai_chat_parse_thinking(ai_chat_parse_t *c, const ai_json_t *v,
    const ai_chat_row_t *row)
{
    ai_json_t      type, budget;
    ai_request_t  *req;

    req = c->req;

    if (ai_json_get(v, "type", &type) != AI_OK) {
        ai_report_drop(c->rep, "thinking");
        return AI_OK;
    }

    if (ai_chat_is(&type, "disabled")) {
        req->effort = AI_EFFORT_NONE;
        c->thinking = 1;
        return AI_OK;
    }

    req->summary = 1;

    if (ai_json_get(v, "budget_tokens", &budget) == AI_OK
        && budget.type == AI_JSON_NUMBER)
    {
        req->budget = ai_json_raw(&budget);
        return AI_OK;
    }

    req->adaptive = 1;

    return AI_OK;
}

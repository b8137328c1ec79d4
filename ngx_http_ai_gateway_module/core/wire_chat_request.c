
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A client's chat/completions body to the neutral request: all members but
 * the messages.  Members that others than OpenAI brought up and that many
 * clients send are understood, too (wire-formats.md 2.6, 3).
 */


#include "wire_chat.h"


static ai_int_t ai_chat_parse_drop(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_audio(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_modalities(ai_wire_read_t *c,
    const ai_json_t *v, const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_limit(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_completion(ai_wire_read_t *c,
    const ai_json_t *v, const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_options(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_accounting(ai_wire_read_t *c,
    const ai_json_t *v, const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_stop(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_user(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_safety(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_format(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_schema(ai_wire_read_t *c, const ai_json_t *v);
static ai_int_t ai_chat_parse_effort(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_reasoning(ai_wire_read_t *c,
    const ai_json_t *v, const ai_wire_member_t *m);
static ai_int_t ai_chat_parse_thinking(ai_wire_read_t *c,
    const ai_json_t *v, const ai_wire_member_t *m);


#define ai_chat_at(field)  offsetof(ai_request_t, field)

static const ai_wire_member_t  ai_chat_rows[] = {

    { ai_string("messages"), ai_chat_parse_messages, 0, NULL },
    { ai_string("model"), NULL, 0, NULL },
    { ai_string("stream"), ai_wire_read_stream, 0, NULL },
    { ai_string("stream_options"), ai_chat_parse_options, 0, NULL },

    { ai_string("tools"), ai_chat_parse_tools, 0, NULL },
    { ai_string("tool_choice"), ai_chat_parse_choice, 0, NULL },
    { ai_string("functions"), ai_chat_parse_functions, 0, NULL },
    { ai_string("function_call"), ai_chat_parse_function_call, 0, NULL },
    { ai_string("parallel_tool_calls"), ai_wire_read_boolean,
      ai_chat_at(parallel), NULL },

    { ai_string("max_tokens"), ai_chat_parse_limit,
      ai_chat_at(max_tokens), NULL },
    { ai_string("max_completion_tokens"), ai_chat_parse_completion,
      ai_chat_at(max_tokens), NULL },
    { ai_string("temperature"), ai_wire_read_number,
      ai_chat_at(temperature), NULL },
    { ai_string("top_p"), ai_wire_read_number, ai_chat_at(top_p), NULL },
    { ai_string("top_k"), ai_wire_read_number, ai_chat_at(top_k), NULL },
    { ai_string("presence_penalty"), ai_wire_read_number,
      ai_chat_at(presence_penalty), NULL },
    { ai_string("frequency_penalty"), ai_wire_read_number,
      ai_chat_at(frequency_penalty), NULL },
    { ai_string("seed"), ai_wire_read_number, ai_chat_at(seed), NULL },
    { ai_string("random_seed"), ai_wire_read_number, ai_chat_at(seed), NULL },
    { ai_string("n"), ai_wire_read_number, ai_chat_at(n), NULL },
    { ai_string("logprobs"), ai_wire_read_boolean,
      ai_chat_at(logprobs), NULL },
    { ai_string("top_logprobs"), ai_wire_read_number,
      ai_chat_at(top_logprobs), NULL },
    { ai_string("logit_bias"), ai_wire_read_object,
      ai_chat_at(logit_bias), NULL },
    { ai_string("stop"), ai_chat_parse_stop, 0, NULL },

    { ai_string("response_format"), ai_chat_parse_format, 0, NULL },
    { ai_string("reasoning_effort"), ai_chat_parse_effort, 0, NULL },
    { ai_string("reasoning"), ai_chat_parse_reasoning, 0, NULL },
    { ai_string("thinking"), ai_chat_parse_thinking, 0, NULL },
    { ai_string("verbosity"), ai_wire_read_string,
      ai_chat_at(verbosity), NULL },

    { ai_string("user"), ai_chat_parse_user,
      ai_chat_at(user), NULL },
    { ai_string("safety_identifier"), ai_chat_parse_safety,
      ai_chat_at(user), NULL },
    { ai_string("metadata"), ai_wire_read_object,
      ai_chat_at(metadata), NULL },
    { ai_string("service_tier"), ai_wire_read_string,
      ai_chat_at(service_tier), NULL },
    { ai_string("prompt_cache_key"), ai_wire_read_string,
      ai_chat_at(cache_key), NULL },
    { ai_string("cache_control"), ai_wire_read_object,
      ai_chat_at(cache), NULL },
    { ai_string("usage"), ai_chat_parse_accounting, 0, NULL },

    { ai_string("audio"), ai_chat_parse_audio, 0, NULL },
    { ai_string("modalities"), ai_chat_parse_modalities, 0, NULL },
    { ai_string("store"), ai_chat_parse_drop, 0, NULL },
    { ai_string("prediction"), ai_chat_parse_drop, 0, NULL },
    { ai_string("moderation"), ai_chat_parse_drop, 0, NULL },
    { ai_string("web_search_options"), ai_chat_parse_drop, 0, NULL },
    { ai_string("prompt_cache_options"), ai_chat_parse_drop, 0, NULL },
    { ai_string("prompt_cache_retention"), ai_chat_parse_drop, 0, NULL },

    { ai_null_string, NULL, 0, NULL }
};


ai_int_t
ai_chat_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_json_t       name, messages;
    ai_json_iter_t  it;
    ai_wire_read_t  c;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the body must be an object");
    }

    memset(&c, 0, sizeof(ai_wire_read_t));

    c.req = req;
    c.rep = rep;

    ai_json_iter_init(&it, root);
    it.known = &req->known;

    do {
        if (ai_json_next(&it, &name, &messages) != AI_OK) {
            return ai_report_refuse(rep, "messages",
                                    "messages are required");
        }

    } while (!ai_json_name_eq(&name, "messages"));

    /* where they end is not looked for again */

    req->known = messages;

    if (messages.type != AI_JSON_ARRAY) {
        return ai_report_refuse(rep, "messages",
                                "an array of messages is expected");
    }

    return ai_wire_read(&c, root, ai_chat_rows, NULL);
}


/* known, but to no one else; "false" is what happens anyway */

static ai_int_t
ai_chat_parse_drop(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type != AI_JSON_FALSE) {
        ai_report_drop(c->rep, (char *) m->name.data);
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_audio(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return ai_wire_refuse(c, (char *) m->name.data,
                          "spoken answers cannot be translated");
}


static ai_int_t
ai_chat_parse_modalities(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t       mode;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_wire_refuse(c, "modalities", "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &mode) == AI_OK) {

        if (ai_json_is(&mode, "audio")) {
            return ai_chat_parse_audio(c, v, m);
        }

        if (!ai_json_is(&mode, "text")) {
            ai_report_drop(c->rep, "modalities");
        }
    }

    return AI_OK;
}


/* deprecated, hence only if the other one is not there */

static ai_int_t
ai_chat_parse_limit(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return c->limit ? AI_OK : ai_wire_read_number(c, v, m);
}


static ai_int_t
ai_chat_parse_completion(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    c->limit = 1;

    return ai_wire_read_number(c, v, m);
}


static ai_int_t
ai_chat_parse_options(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  usage;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(c, "stream_options", "an object is expected");
    }

    usage = ai_wire_get(v, "include_usage");

    if (ai_json_is_true(&usage)) {
        c->req->include_usage = 1;
    }

    return AI_OK;
}


/* what clients of OpenRouter say instead of stream_options */

static ai_int_t
ai_chat_parse_accounting(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  include;

    include = ai_wire_get(v, "include");

    if (ai_json_is_true(&include)) {
        c->req->include_usage = 1;
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_stop(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t       value;
    ai_request_t   *req;
    ai_json_iter_t  it;

    req = c->req;

    if (v->type == AI_JSON_STRING) {

        if (ai_json_filled(v)) {
            req->stop[req->nstop++] = ai_mstr(v);
        }

        return AI_OK;
    }

    if (v->type != AI_JSON_ARRAY) {
        return ai_wire_refuse(c, "stop", "a string or an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (value.type != AI_JSON_STRING) {
            return ai_wire_refuse(c, "stop", "an array of strings is expected");
        }

        if (req->nstop == AI_REQUEST_STOPS) {
            ai_report_drop(c->rep, "stop");
            break;
        }

        if (ai_json_filled(&value)) {
            req->stop[req->nstop++] = ai_mstr(&value);
        }
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_user(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    return c->user ? AI_OK : ai_wire_read_string(c, v, m);
}


/* what is to replace "user" */

static ai_int_t
ai_chat_parse_safety(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    c->user = 1;

    return ai_wire_read_string(c, v, m);
}


static ai_int_t
ai_chat_parse_format(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  type, schema;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(c, "response_format", "an object is expected");
    }

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return ai_wire_refuse(c, "response_format.type", "a type is required");
    }

    if (ai_json_is(&type, "text")) {
        c->req->format = AI_FORMAT_TEXT;
        return AI_OK;
    }

    if (ai_json_is(&type, "json_object")) {
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

    if (ai_json_is(&type, "json_schema")) {

        if (ai_json_get(v, "json_schema", &schema) != AI_OK
            || schema.type != AI_JSON_OBJECT)
        {
            return ai_wire_refuse(c, "response_format.json_schema",
                                  "an object is required");
        }

        return ai_chat_parse_schema(c, &schema);
    }

    return ai_wire_refuse(c, "response_format.type",
                          "it must be text, json_object or json_schema");
}


static ai_int_t
ai_chat_parse_schema(ai_wire_read_t *c, const ai_json_t *v)
{
    ai_json_t       name, value;
    ai_request_t   *req;
    ai_json_iter_t  it;

    req = c->req;

    /* OpenAI's own schema is optional: then it is any JSON */

    req->format = AI_FORMAT_JSON;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "name")) {
            req->format_name = ai_mstr(&value);

        } else if (ai_json_is(&name, "description")) {
            req->format_description = ai_mstr(&value);

        } else if (ai_json_is(&name, "strict")) {
            req->format_strict = ai_json_raw(&value);

        } else if (ai_json_is(&name, "schema")
                   && value.type != AI_JSON_NULL)
        {
            if (value.type != AI_JSON_OBJECT) {
                return ai_wire_refuse(c, "response_format.json_schema.schema",
                                      "an object is expected");
            }

            req->format = AI_FORMAT_SCHEMA;
            req->format_schema = ai_json_raw(&value);
        }
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_effort(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_mstr_t    name;
    ai_effort_e  effort;

    if (v->type != AI_JSON_STRING) {
        return ai_wire_refuse(c, "reasoning_effort", "a string is expected");
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
ai_chat_parse_reasoning(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t       name, value;
    ai_mstr_t       text;
    ai_effort_e     effort;
    ai_request_t   *req;
    ai_json_iter_t  it;

    req = c->req;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(c, "reasoning", "an object is expected");
    }

    req->summary = 1;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "effort")) {
            text = ai_mstr(&value);
            effort = ai_effort_find(&text);

            if (effort != AI_EFFORT_UNSET) {
                req->effort = effort;
                c->thinking = 1;
            }

        } else if (ai_json_is(&name, "max_tokens")
                   && value.type == AI_JSON_NUMBER)
        {
            req->budget = ai_json_raw(&value);
            c->thinking = 1;

        } else if (ai_json_is(&name, "exclude") && ai_json_is_true(&value)) {
            req->summary = 0;

        } else if (ai_json_is(&name, "enabled")
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
ai_chat_parse_thinking(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t      type, budget;
    ai_request_t  *req;

    req = c->req;

    if (ai_json_get(v, "type", &type) != AI_OK) {
        ai_report_drop(c->rep, "thinking");
        return AI_OK;
    }

    if (ai_json_is(&type, "disabled")) {
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

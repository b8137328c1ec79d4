
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a client of chat/completions tells of its tools, in the form of today
 * and in that of 2023, "functions".
 */


#include "wire_chat.h"


static ai_int_t ai_chat_parse_tool(ai_wire_read_t *c, const ai_json_t *v);
static ai_int_t ai_chat_parse_function(ai_wire_read_t *c, ai_tool_t *tool,
    const ai_json_t *v);
static ai_int_t ai_chat_parse_choice_object(ai_wire_read_t *c,
    const ai_json_t *v);
static ai_int_t ai_chat_parse_allowed(ai_wire_read_t *c,
    const ai_json_t *v);
static ai_int_t ai_chat_choice_name(ai_request_t *req, const ai_json_t *v);
static ai_int_t ai_chat_tool_name(const ai_json_t *v, ai_mstr_t *name);


ai_int_t
ai_chat_parse_tools(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_int_t        rc;
    ai_json_t       tool;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_wire_refuse(c, "tools", "an array is expected");
    }

    c->list = "tools";
    c->index = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &tool) == AI_OK) {

        rc = ai_chat_parse_tool(c, &tool);

        if (rc != AI_OK) {
            return rc;
        }

        c->index++;
    }

    c->list = NULL;

    return AI_OK;
}


static ai_int_t
ai_chat_parse_tool(ai_wire_read_t *c, const ai_json_t *v)
{
    ai_json_t   type, body, cache;
    ai_tool_t  *tool;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(c, NULL, "an object is expected");
    }

    tool = ai_request_tool(c->req);

    if (tool == NULL) {
        return AI_ERROR;
    }

    tool->raw = ai_json_raw(v);

    if (ai_json_get(v, "cache_control", &cache) == AI_OK
        && cache.type == AI_JSON_OBJECT)
    {
        tool->cache = ai_json_raw(&cache);
    }

    type = ai_wire_get(v, "type");

    if (ai_json_is(&type, "custom")) {
        tool->type = AI_TOOL_CUSTOM;

        if (ai_json_get(v, "custom", &body) != AI_OK) {
            body = *v;
        }

        return ai_chat_parse_function(c, tool, &body);
    }

    if (type.type != AI_JSON_NULL && !ai_json_is(&type, "function")) {

        if (!ai_json_filled(&type)) {
            return ai_wire_refuse(c, "type", "a string is expected");
        }

        tool->type = AI_TOOL_SERVER;
        tool->name = ai_mstr(&type);

        return AI_OK;
    }

    /* without "function" around it as Responses has it */

    if (ai_json_get(v, "function", &body) != AI_OK) {
        body = *v;
    }

    return ai_chat_parse_function(c, tool, &body);
}


ai_int_t
ai_chat_parse_functions(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_int_t        rc;
    ai_json_t       function;
    ai_tool_t      *tool;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_wire_refuse(c, "functions", "an array is expected");
    }

    c->list = "functions";
    c->index = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &function) == AI_OK) {

        tool = ai_request_tool(c->req);

        if (tool == NULL) {
            return AI_ERROR;
        }

        tool->raw = ai_json_raw(&function);

        rc = ai_chat_parse_function(c, tool, &function);

        if (rc != AI_OK) {
            return rc;
        }

        c->index++;
    }

    c->list = NULL;

    /* there is room for one call in an answer of that form */

    if (c->index != 0) {
        c->req->functions = 1;
        ai_str_set(&c->req->parallel, "false");
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_function(ai_wire_read_t *c, ai_tool_t *tool,
    const ai_json_t *v)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(c, "function", "an object is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "name")) {
            tool->name = ai_mstr(&value);

        } else if (ai_json_is(&name, "description")) {
            tool->description = ai_mstr(&value);

        } else if (ai_json_is(&name, "parameters")
                   && value.type != AI_JSON_NULL)
        {
            if (value.type != AI_JSON_OBJECT) {
                return ai_wire_refuse(c, "function.parameters",
                                      "an object is expected");
            }

            tool->schema = ai_json_raw(&value);

        } else if (ai_json_is(&name, "strict")) {
            tool->strict = ai_json_raw(&value);

        } else if (ai_json_is(&name, "cache_control")
                   && value.type == AI_JSON_OBJECT)
        {
            tool->cache = ai_json_raw(&value);
        }
    }

    if (ai_mstr_empty(&tool->name)) {
        return ai_wire_refuse(c, tool->type == AI_TOOL_CUSTOM ? "custom.name"
                                                              : "function.name",
                              "a name is required");
    }

    return AI_OK;
}


ai_int_t
ai_chat_parse_choice(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type == AI_JSON_OBJECT) {
        return ai_chat_parse_choice_object(c, v);
    }

    if (ai_json_is(v, "auto")) {
        c->req->choice = AI_CHOICE_AUTO;

    } else if (ai_json_is(v, "none")) {
        c->req->choice = AI_CHOICE_NONE;

    } else if (ai_json_is(v, "required") || ai_json_is(v, "any")) {
        c->req->choice = AI_CHOICE_REQUIRED;

    } else {
        return ai_wire_refuse(c, "tool_choice", "it must be none, auto, "
                              "required, or an object that names a tool");
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_choice_object(ai_wire_read_t *c, const ai_json_t *v)
{
    ai_json_t  type, value;

    if (ai_json_get(v, "type", &type) == AI_OK) {

        if (ai_json_is(&type, "allowed_tools")) {

            if (ai_json_get(v, "allowed_tools", &value) != AI_OK) {
                value = *v;
            }

            return ai_chat_parse_allowed(c, &value);
        }

        if (ai_json_is(&type, "auto") || ai_json_is(&type, "none")
            || ai_json_is(&type, "required") || ai_json_is(&type, "any"))
        {
            return ai_chat_parse_choice(c, &type, NULL);
        }
    }

    if (ai_chat_choice_name(c->req, v) != AI_OK) {
        return ai_wire_refuse(c, "tool_choice.function.name",
                              "a name is required");
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_allowed(ai_wire_read_t *c, const ai_json_t *v)
{
    ai_json_t       mode, tools, tool;
    ai_mstr_t       name;
    ai_request_t   *req;
    ai_json_iter_t  it;

    req = c->req;

    req->choice = AI_CHOICE_AUTO;

    if (ai_json_get(v, "mode", &mode) == AI_OK
        && ai_json_is(&mode, "required"))
    {
        req->choice = AI_CHOICE_REQUIRED;
    }

    if (ai_json_get(v, "tools", &tools) != AI_OK
        || tools.type != AI_JSON_ARRAY)
    {
        return ai_wire_refuse(c, "tool_choice.allowed_tools.tools",
                              "an array is required");
    }

    ai_json_iter_init(&it, &tools);

    while (ai_json_next(&it, NULL, &tool) == AI_OK) {

        if (ai_chat_tool_name(&tool, &name) != AI_OK) {
            return ai_wire_refuse(c, "tool_choice.allowed_tools.tools",
                                  "each tool must have a name");
        }

        if (req->nallowed == AI_REQUEST_ALLOWED) {
            return ai_wire_refuse(c, "tool_choice.allowed_tools.tools",
                                  "there are too many tools");
        }

        req->allowed[req->nallowed++] = name;
    }

    /* of no tools none can be called */

    if (req->nallowed == 0) {
        req->choice = AI_CHOICE_NONE;
    }

    return AI_OK;
}


ai_int_t
ai_chat_parse_function_call(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (ai_json_is(v, "auto")) {
        c->req->choice = AI_CHOICE_AUTO;

    } else if (ai_json_is(v, "none")) {
        c->req->choice = AI_CHOICE_NONE;

    } else if (ai_chat_choice_name(c->req, v) != AI_OK) {
        return ai_wire_refuse(c, "function_call",
                              "it must be none, auto, or an object with a "
                              "name");
    }

    return AI_OK;
}


static ai_int_t
ai_chat_choice_name(ai_request_t *req, const ai_json_t *v)
{
    if (ai_chat_tool_name(v, &req->choice_name) != AI_OK) {
        return AI_DECLINED;
    }

    req->choice = AI_CHOICE_NAMED;

    return AI_OK;
}


/* {"type":"function","function":{"name":N}}, or a flat one */

static ai_int_t
ai_chat_tool_name(const ai_json_t *v, ai_mstr_t *name)
{
    ai_json_t  value;

    if (ai_json_path(v, &value, "function", "name", NULL) != AI_OK
        && ai_json_path(v, &value, "custom", "name", NULL) != AI_OK
        && ai_json_get(v, "name", &value) != AI_OK)
    {
        return AI_DECLINED;
    }

    if (!ai_json_filled(&value)) {
        return AI_DECLINED;
    }

    *name = ai_mstr(&value);

    return AI_OK;
}

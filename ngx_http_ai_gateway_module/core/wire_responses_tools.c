
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests to OpenAI's Responses, as clients write them: tools, which are
 * flat here, and the choice among them.
 */


#include "wire_responses.h"


static ai_int_t ai_rsp_tool(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static void ai_rsp_function(ai_tool_t *tool, const ai_json_t *v);
static ai_int_t ai_rsp_choice_named(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_rsp_choice_allowed(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_uint_t ai_rsp_tool_name(const ai_json_t *v, ai_mstr_t *name);


ai_int_t
ai_rsp_parse_tools(ai_wire_read_t *r, const ai_json_t *tools,
    const ai_wire_member_t *m)
{
    ai_int_t        rc;
    ai_json_t       v;
    ai_json_iter_t  it;

    if (tools->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "tools", "an array is expected");
    }

    ai_json_iter_init(&it, tools);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {
        rc = ai_rsp_tool(r->req, &v, r->rep);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_tool(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    ai_json_t   type;
    ai_mstr_t   name;
    ai_tool_t  *tool;
    ai_tool_e   kind;

    if (ai_json_get(v, "type", &type) != AI_OK
        || type.type != AI_JSON_STRING)
    {
        return ai_report_refuse(rep, "tools",
                                "objects with a \"type\" are expected");
    }

    /* servers that the provider itself would have to ask, and groups */

    if (ai_json_name_eq(&type, "mcp") || ai_json_name_eq(&type, "namespace"))
    {
        ai_report_drop_name(rep, &type);
        return AI_OK;
    }

    kind = ai_json_name_eq(&type, "function") ? AI_TOOL_FUNCTION
           : ai_json_name_eq(&type, "custom") ? AI_TOOL_CUSTOM
           : AI_TOOL_SERVER;

    name = ai_mstr(&type);

    if (kind != AI_TOOL_SERVER && !ai_rsp_tool_name(v, &name)) {
        return ai_report_refuse(rep, "tools", "a tool has no \"name\"");
    }

    tool = ai_request_tool(req);
    if (tool == NULL) {
        return AI_ERROR;
    }

    tool->type = kind;
    tool->name = name;
    tool->raw = ai_json_raw(v);

    if (kind != AI_TOOL_SERVER) {
        ai_rsp_function(tool, v);
    }

    return AI_OK;
}


/* some clients write them as for chat, within "function" */

static void
ai_rsp_function(ai_tool_t *tool, const ai_json_t *v)
{
    ai_json_t  function, value;

    if (ai_json_get(v, "function", &function) == AI_OK
        && function.type == AI_JSON_OBJECT)
    {
        v = &function;
    }

    tool->description = ai_wire_string(v, "description");

    if (ai_json_get(v, "parameters", &value) == AI_OK
        && value.type == AI_JSON_OBJECT)
    {
        tool->schema = ai_json_raw(&value);
    }

    tool->strict = ai_wire_raw(v, "strict");
}


ai_int_t
ai_rsp_parse_choice(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t      type;
    ai_report_t   *rep;
    ai_request_t  *req;

    req = r->req;
    rep = r->rep;

    if (ai_json_name_eq(v, "auto")) {
        req->choice = AI_CHOICE_AUTO;
        return AI_OK;
    }

    if (ai_json_name_eq(v, "none")) {
        req->choice = AI_CHOICE_NONE;
        return AI_OK;
    }

    if (ai_json_name_eq(v, "required")) {
        req->choice = AI_CHOICE_REQUIRED;
        return AI_OK;
    }

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return ai_report_refuse(rep, "tool_choice",
                                "\"auto\", \"none\", \"required\" or an "
                                "object with a \"type\" is expected");
    }

    if (ai_json_name_eq(&type, "allowed_tools")) {
        return ai_rsp_choice_allowed(req, v, rep);
    }

    if (ai_json_name_eq(&type, "function")
        || ai_json_name_eq(&type, "custom"))
    {
        return ai_rsp_choice_named(req, v, rep);
    }

    /* a tool of the provider's own, which a list of tools need not have */

    ai_report_drop(rep, "tool_choice");

    return AI_OK;
}


static ai_int_t
ai_rsp_choice_named(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    if (!ai_rsp_tool_name(v, &req->choice_name)) {
        return ai_report_refuse(rep, "tool_choice.name",
                                "a string is expected");
    }

    req->choice = AI_CHOICE_NAMED;

    return AI_OK;
}


static ai_int_t
ai_rsp_choice_allowed(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep)
{
    ai_json_t       list, tools, value;
    ai_mstr_t       name;
    ai_json_iter_t  it;

    /* as for chat, within "allowed_tools" */

    if (ai_json_get(v, "allowed_tools", &list) == AI_OK
        && list.type == AI_JSON_OBJECT)
    {
        v = &list;
    }

    req->choice = AI_CHOICE_AUTO;

    if (ai_json_get(v, "mode", &value) == AI_OK
        && ai_json_name_eq(&value, "required"))
    {
        req->choice = AI_CHOICE_REQUIRED;
    }

    if (ai_json_get(v, "tools", &tools) != AI_OK
        || tools.type != AI_JSON_ARRAY)
    {
        return ai_report_refuse(rep, "tool_choice.tools",
                                "an array is expected");
    }

    ai_json_iter_init(&it, &tools);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (!ai_rsp_tool_name(&value, &name)) {
            ai_report_drop(rep, "tool_choice.tools");
            continue;
        }

        if (req->nallowed == AI_REQUEST_ALLOWED) {
            return ai_report_refuse(rep, "tool_choice.tools",
                                    "more than 64 tools are allowed");
        }

        req->allowed[req->nallowed++] = name;
    }

    return AI_OK;
}


static ai_uint_t
ai_rsp_tool_name(const ai_json_t *v, ai_mstr_t *name)
{
    ai_json_t  value;

    if (ai_json_get(v, "name", &value) != AI_OK
        && ai_json_path(v, &value, "function", "name", NULL) != AI_OK)
    {
        return 0;
    }

    *name = ai_mstr(&value);

    return !ai_mstr_empty(name);
}

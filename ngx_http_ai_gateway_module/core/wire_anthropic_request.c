
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request of a client that speaks Anthropic Messages.
 */


#include "wire_anthropic.h"


static void ai_anthropic_prompt(ai_request_t *req, const ai_json_t *root,
    ai_json_t *system, ai_json_t *messages);
static ai_int_t ai_anthropic_tools(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row);
static ai_int_t ai_anthropic_tool(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_anthropic_choice(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row);
static ai_int_t ai_anthropic_output(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row);
static ai_int_t ai_anthropic_format(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row);
static ai_int_t ai_anthropic_metadata(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row);
static ai_int_t ai_anthropic_tier(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row);


#define ai_anthropic_at(field)  offsetof(ai_request_t, field)

static const ai_wire_member_t  ai_anthropic_requests[] = {

    { ai_string("tools"), ai_anthropic_tools, 0, NULL },
    { ai_string("tool_choice"), ai_anthropic_choice, 0, NULL },

    { ai_string("thinking"), ai_wire_read_thinking, 0, NULL },
    { ai_string("output_config"), ai_anthropic_output, 0, NULL },
    { ai_string("output_format"), ai_anthropic_format, 0, NULL },

    { ai_string("max_tokens"), ai_wire_read_number,
      ai_anthropic_at(max_tokens), NULL },
    { ai_string("temperature"), ai_wire_read_number,
      ai_anthropic_at(temperature), NULL },
    { ai_string("top_p"), ai_wire_read_number, ai_anthropic_at(top_p), NULL },
    { ai_string("top_k"), ai_wire_read_number, ai_anthropic_at(top_k), NULL },
    { ai_string("stop_sequences"), ai_wire_read_stops, 0, NULL },

    { ai_string("stream"), ai_wire_read_stream, 0, NULL },
    { ai_string("metadata"), ai_anthropic_metadata, 0, NULL },
    { ai_string("service_tier"), ai_anthropic_tier, 0, NULL },
    { ai_string("cache_control"), ai_wire_read_raw, ai_anthropic_at(cache),
      NULL },

    /* read before all others */

    { ai_string("system"), NULL, 0, NULL },
    { ai_string("messages"), NULL, 0, NULL },

    /* these belong to the way to one provider, and say nothing to a model */

    { ai_string("model"), NULL, 0, NULL },
    { ai_string("anthropic_version"), NULL, 0, NULL },
    { ai_string("anthropic_beta"), NULL, 0, NULL },

    { ai_null_string, NULL, 0, NULL }
};


/* what is read first, in this order */

static void
ai_anthropic_prompt(ai_request_t *req, const ai_json_t *root,
    ai_json_t *system, ai_json_t *messages)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(system, 0, sizeof(ai_json_t));
    memset(messages, 0, sizeof(ai_json_t));

    ai_json_iter_init(&it, root);

    it.known = &req->known;

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_name_eq(&name, "system")) {
            *system = value;

        } else if (ai_json_name_eq(&name, "messages")) {
            *messages = value;
        }
    }
}


ai_int_t
ai_anthropic_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t        rc;
    ai_json_t       system, messages;
    ai_wire_read_t  r;

    memset(&r, 0, sizeof(ai_wire_read_t));

    r.req = req;
    r.rep = rep;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the body must be an object");
    }

    ai_anthropic_prompt(req, root, &system, &messages);

    if (system.type != AI_JSON_NULL) {
        rc = ai_anthropic_system(&r, &system);
        if (rc != AI_OK) {
            return rc;
        }
    }

    if (messages.start == NULL) {
        return ai_report_refuse(rep, "messages", "messages are required");
    }

    rc = ai_anthropic_messages(&r, &messages);
    if (rc != AI_OK) {
        return rc;
    }

    /* each answer tells its usage */

    req->include_usage = 1;

    req->known = messages;

    return ai_wire_read(&r, root, ai_anthropic_requests, NULL);
}


static ai_int_t
ai_anthropic_tools(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row)
{
    ai_int_t        rc;
    ai_json_t       tool;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "tools", "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &tool) == AI_OK) {

        rc = ai_anthropic_tool(r, &tool);
        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


/* one with a type other than "custom" is known to Anthropic's models only */

static ai_int_t
ai_anthropic_tool(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_tool_t       *tool;
    ai_json_t        name, value, type;
    ai_json_iter_t   it;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "tools", "a tool must be an object");
    }

    tool = ai_request_tool(r->req);
    if (tool == NULL) {
        return AI_ERROR;
    }

    tool->raw = ai_json_raw(v);

    if (ai_json_get(v, "type", &type) == AI_OK
        && type.type == AI_JSON_STRING
        && type.end - type.start > 2
        && !ai_json_name_eq(&type, "custom"))
    {
        tool->type = AI_TOOL_SERVER;
        tool->name = ai_mstr(&type);

        return AI_OK;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL || ai_json_name_eq(&name, "type")) {
            continue;
        }

        if (ai_json_name_eq(&name, "name")) {
            tool->name = ai_mstr(&value);

        } else if (ai_json_name_eq(&name, "description")) {
            tool->description = ai_mstr(&value);

        } else if (ai_json_name_eq(&name, "input_schema")
                   && value.type == AI_JSON_OBJECT)
        {
            tool->schema = ai_json_raw(&value);

        } else if (ai_json_name_eq(&name, "strict")) {
            tool->strict = ai_json_raw(&value);

        } else if (ai_json_name_eq(&name, "cache_control")) {
            tool->cache = ai_json_raw(&value);

        } else {
            ai_report_drop_name(r->rep, &name);
        }
    }

    if (ai_mstr_empty(&tool->name)) {
        return ai_report_refuse(r->rep, "tools", "a tool needs a name");
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_choice(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row)
{
    ai_json_t  m[3];

    static const ai_str_t  names[] = {
        ai_string("type"), ai_string("name"),
        ai_string("disable_parallel_tool_use")
    };

    ai_wire_members(v, names, 3, m);

    if (ai_json_name_eq(&m[0], "auto")) {
        r->req->choice = AI_CHOICE_AUTO;

    } else if (ai_json_name_eq(&m[0], "any")) {
        r->req->choice = AI_CHOICE_REQUIRED;

    } else if (ai_json_name_eq(&m[0], "none")) {
        r->req->choice = AI_CHOICE_NONE;

    } else if (ai_json_name_eq(&m[0], "tool")
               && m[1].type == AI_JSON_STRING)
    {
        r->req->choice = AI_CHOICE_NAMED;
        r->req->choice_name = ai_mstr(&m[1]);

    } else {
        return ai_report_refuse(r->rep, "tool_choice", "an object of type "
                                "\"auto\", \"any\", \"none\" or \"tool\", "
                                "the latter with a name, is expected");
    }

    if (ai_json_is_true(&m[2])) {
        ai_str_set(&r->req->parallel, "false");
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_output(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row)
{
    ai_int_t        rc;
    ai_mstr_t       effort;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "output_config",
                                "an object is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        if (ai_json_name_eq(&name, "format")) {

            rc = ai_anthropic_format(r, &value, row);
            if (rc != AI_OK) {
                return rc;
            }

        } else if (ai_json_name_eq(&name, "effort")) {

            /* what switches thinking off is stronger, wherever it stands */

            effort = ai_mstr(&value);

            if (r->req->effort == AI_EFFORT_UNSET) {
                r->req->effort = ai_effort_find(&effort);
            }

        } else {
            ai_report_drop_name(r->rep, &name);
        }
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_format(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row)
{
    ai_json_t  m[2];

    static const ai_str_t  names[] = {
        ai_string("type"), ai_string("schema")
    };

    ai_wire_members(v, names, 2, m);

    if (!ai_json_name_eq(&m[0], "json_schema")
        || m[1].type != AI_JSON_OBJECT)
    {
        return ai_report_refuse(r->rep, "output_config.format", "an object "
                                "of type \"json_schema\" with a schema is "
                                "expected");
    }

    r->req->format = AI_FORMAT_SCHEMA;
    r->req->format_schema = ai_json_raw(&m[1]);

    return AI_OK;
}


static ai_int_t
ai_anthropic_metadata(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, "metadata", "an object is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_name_eq(&name, "user_id")) {
            r->req->user = ai_mstr(&value);

        } else {
            ai_report_drop_name(r->rep, &name);
        }
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_tier(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row)
{
    if (ai_json_name_eq(v, "auto")) {
        r->req->service_tier = ai_mstr_cstr("auto");

    } else if (ai_json_name_eq(v, "standard_only")) {
        r->req->service_tier = ai_mstr_cstr("default");

    } else {
        ai_report_drop(r->rep, "service_tier");
    }

    return AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request of a client that speaks Anthropic Messages.
 */


#include "wire_anthropic.h"


typedef struct {
    ai_str_t        name;
    ai_int_t      (*take)(ai_anthropic_read_t *r, const ai_json_t *v,
                        size_t offset);
    size_t          offset;        /* in ai_request_t */
} ai_anthropic_member_t;


static ai_int_t ai_anthropic_number(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_stream(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_tools(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_tool(ai_anthropic_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_anthropic_choice(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_think(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_output(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_format(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_stops(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_metadata(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_tier(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_cache(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);
static ai_int_t ai_anthropic_ignore(ai_anthropic_read_t *r,
    const ai_json_t *v, size_t offset);


static const ai_anthropic_member_t  ai_anthropic_requests[] = {

    { ai_string("tools"), ai_anthropic_tools, 0 },
    { ai_string("tool_choice"), ai_anthropic_choice, 0 },

    { ai_string("thinking"), ai_anthropic_think, 0 },
    { ai_string("output_config"), ai_anthropic_output, 0 },
    { ai_string("output_format"), ai_anthropic_format, 0 },

    { ai_string("max_tokens"), ai_anthropic_number,
      offsetof(ai_request_t, max_tokens) },
    { ai_string("temperature"), ai_anthropic_number,
      offsetof(ai_request_t, temperature) },
    { ai_string("top_p"), ai_anthropic_number,
      offsetof(ai_request_t, top_p) },
    { ai_string("top_k"), ai_anthropic_number,
      offsetof(ai_request_t, top_k) },
    { ai_string("stop_sequences"), ai_anthropic_stops, 0 },

    { ai_string("stream"), ai_anthropic_stream, 0 },
    { ai_string("metadata"), ai_anthropic_metadata, 0 },
    { ai_string("service_tier"), ai_anthropic_tier, 0 },
    { ai_string("cache_control"), ai_anthropic_cache, 0 },

    /* read before all others */

    { ai_string("system"), ai_anthropic_ignore, 0 },
    { ai_string("messages"), ai_anthropic_ignore, 0 },

    /* these belong to the way to one provider, and say nothing to a model */

    { ai_string("model"), ai_anthropic_ignore, 0 },
    { ai_string("anthropic_version"), ai_anthropic_ignore, 0 },
    { ai_string("anthropic_beta"), ai_anthropic_ignore, 0 },

    { ai_null_string, NULL, 0 }
};


void
ai_anthropic_members(const ai_json_t *object, const ai_str_t *names,
    ai_uint_t n, ai_json_t *values)
{
    ai_uint_t       i;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(values, 0, n * sizeof(ai_json_t));

    if (object->type != AI_JSON_OBJECT) {
        return;
    }

    ai_json_iter_init(&it, object);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        for (i = 0; i < n; i++) {

            if ((size_t) (name.end - name.start) - 2 != names[i].len
                && !name.escaped)
            {
                continue;
            }

            if (ai_json_str_eq(&name, (char *) names[i].data, names[i].len)) {
                values[i] = value;
                break;
            }
        }
    }
}


ai_int_t
ai_anthropic_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t                      rc;
    ai_json_t                     name, value;
    ai_json_iter_t                it;
    ai_anthropic_read_t           r;
    const ai_anthropic_member_t  *m;

    r.req = req;
    r.rep = rep;
    r.message = 0;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the body must be an object");
    }

    if (ai_json_get(root, "system", &value) == AI_OK
        && value.type != AI_JSON_NULL)
    {
        rc = ai_anthropic_system(&r, &value);
        if (rc != AI_OK) {
            return rc;
        }
    }

    if (ai_json_get(root, "messages", &value) != AI_OK) {
        return ai_report_refuse(rep, "messages", "messages are required");
    }

    rc = ai_anthropic_messages(&r, &value);
    if (rc != AI_OK) {
        return rc;
    }

    /* each answer tells its usage */

    req->include_usage = 1;

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        for (m = ai_anthropic_requests; m->take != NULL; m++) {
            if (ai_json_str_eq(&name, (char *) m->name.data, m->name.len)) {
                break;
            }
        }

        if (m->take == NULL) {
            ai_report_drop_name(rep, &name);
            continue;
        }

        rc = m->take(&r, &value, m->offset);
        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_number(ai_anthropic_read_t *r, const ai_json_t *v,
    size_t offset)
{
    ai_str_t                     *s;
    const ai_anthropic_member_t  *m;

    if (v->type == AI_JSON_NUMBER) {
        s = (ai_str_t *) (void *) ((u_char *) r->req + offset);
        *s = ai_json_raw(v);

        return AI_OK;
    }

    for (m = ai_anthropic_requests; m->offset != offset; m++) { /* void */ }

    return ai_report_refuse(r->rep, (char *) m->name.data,
                            "a number is expected");
}


static ai_int_t
ai_anthropic_stream(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
{
    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_report_refuse(r->rep, "stream", "a boolean is expected");
    }

    r->req->stream = ai_json_is_true(v);

    return AI_OK;
}


static ai_int_t
ai_anthropic_tools(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
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
ai_anthropic_tool(ai_anthropic_read_t *r, const ai_json_t *v)
{
    ai_tool_t       *tool;
    ai_json_t        name, value, type;
    ai_json_iter_t   it;

    tool = ai_request_tool(r->req);
    if (tool == NULL) {
        return AI_ERROR;
    }

    tool->raw = ai_json_raw(v);

    if (v->type == AI_JSON_OBJECT
        && ai_json_get(v, "type", &type) == AI_OK
        && type.type == AI_JSON_STRING
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
ai_anthropic_choice(ai_anthropic_read_t *r, const ai_json_t *v,
    size_t offset)
{
    ai_json_t  m[3];

    static const ai_str_t  names[] = {
        ai_string("type"), ai_string("name"),
        ai_string("disable_parallel_tool_use")
    };

    ai_anthropic_members(v, names, 3, m);

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
ai_anthropic_think(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
{
    ai_json_t  m[3];

    static const ai_str_t  names[] = {
        ai_string("type"), ai_string("budget_tokens"), ai_string("display")
    };

    ai_anthropic_members(v, names, 3, m);

    if (ai_json_name_eq(&m[0], "disabled")) {
        r->req->effort = AI_EFFORT_NONE;
        return AI_OK;
    }

    if (ai_json_name_eq(&m[0], "adaptive")) {
        r->req->adaptive = 1;

    } else if (ai_json_name_eq(&m[0], "enabled")
               && m[1].type == AI_JSON_NUMBER)
    {
        r->req->budget = ai_json_raw(&m[1]);

    } else {
        return ai_report_refuse(r->rep, "thinking", "an object of type "
                                "\"enabled\" with budget_tokens, "
                                "\"adaptive\" or \"disabled\" is expected");
    }

    r->req->summary = !ai_json_name_eq(&m[2], "omitted");

    return AI_OK;
}


static ai_int_t
ai_anthropic_output(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
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

            rc = ai_anthropic_format(r, &value, 0);
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
ai_anthropic_format(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
{
    ai_json_t  m[2];

    static const ai_str_t  names[] = {
        ai_string("type"), ai_string("schema")
    };

    ai_anthropic_members(v, names, 2, m);

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
ai_anthropic_stops(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
{
    ai_json_t       stop;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "stop_sequences",
                                "an array of strings is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &stop) == AI_OK) {

        if (stop.type != AI_JSON_STRING) {
            return ai_report_refuse(r->rep, "stop_sequences",
                                    "an array of strings is expected");
        }

        if (r->req->nstop == AI_REQUEST_STOPS) {
            ai_report_drop(r->rep, "stop");
            break;
        }

        r->req->stop[r->req->nstop++] = ai_mstr(&stop);
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_metadata(ai_anthropic_read_t *r, const ai_json_t *v,
    size_t offset)
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
ai_anthropic_tier(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
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


static ai_int_t
ai_anthropic_cache(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
{
    r->req->cache = ai_json_raw(v);

    return AI_OK;
}


static ai_int_t
ai_anthropic_ignore(ai_anthropic_read_t *r, const ai_json_t *v, size_t offset)
{
    return AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tools of a request, as several dialects write them.
 */


#include "wire.h"


ai_mstr_t
ai_wire_json_description(const ai_request_t *req)
{
    if (!ai_wire_blank(&req->format_description)) {
        return req->format_description;
    }

    return ai_mstr_cstr("Gives the answer in the form that is asked for. "
                        "Always answer by it.");
}


ai_uint_t
ai_wire_shown(const ai_request_t *req, const ai_tool_t *tool)
{
    return tool->type != AI_TOOL_SERVER
           && ai_request_allowed(req, &tool->name);
}


ai_uint_t
ai_wire_offered(const ai_request_t *req, const ai_tool_t *tool)
{
    if (req->choice == AI_CHOICE_NAMED) {
        return ai_mstr_same(&req->choice_name, &tool->name);
    }

    return ai_request_allowed(req, &tool->name);
}


ai_int_t
ai_wire_write_function(ai_buf_t *out, ai_request_t *req,
    const ai_tool_t *tool, size_t max)
{
    ai_mstr_t  name;

    if (ai_request_name(req, &tool->name, max, &name) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key(out, "name");
    ai_buf_string(out, &name);
    ai_buf_key_string(out, "description", &tool->description);
    ai_buf_key(out, "parameters");

    if (tool->type == AI_TOOL_CUSTOM) {
        ai_buf_lit(out, AI_WIRE_CUSTOM);

    } else if (tool->schema.len != 0) {
        ai_buf_raw(out, &tool->schema);

    } else {
        ai_buf_lit(out, AI_WIRE_NO_PARAMETERS);
    }

    return AI_OK;
}


void
ai_wire_write_schema(ai_buf_t *out, const ai_tool_t *tool)
{
    if (tool->type == AI_TOOL_CUSTOM) {
        ai_buf_lit(out, AI_WIRE_CUSTOM);
        return;
    }

    ai_wire_write_object_schema(out, &tool->schema);
}


void
ai_wire_write_object_schema(ai_buf_t *out, const ai_str_t *schema)
{
    ai_str_t        s;
    ai_json_t       v, value;
    ai_json_iter_t  it;

    s = *schema;
    v = ai_wire_object(schema);

    ai_json_iter_init(&it, &v);

    if (ai_json_next(&it, NULL, &value) != AI_OK) {
        ai_buf_lit(out, AI_WIRE_NO_PARAMETERS);
        return;
    }

    if (ai_json_get(&v, "type", &value) != AI_OK) {
        ai_buf_lit(out, "{\"type\":\"object\",");
        s.data++;
        s.len--;
    }

    ai_buf_raw(out, &s);
}


ai_uint_t
ai_wire_called(const ai_request_t *req, const ai_part_t **calls)
{
    ai_uint_t            i, n;
    const ai_part_t     *part;
    const ai_message_t  *m;

    n = 0;

    for (m = req->messages; m != NULL; m = m->next) {
        for (part = m->parts; part != NULL; part = part->next) {

            if (part->type != AI_PART_CALL || n == AI_WIRE_CALLED) {
                continue;
            }

            for (i = 0; i < n; i++) {
                if (ai_mstr_same(&calls[i]->name, &part->name)) {
                    break;
                }
            }

            if (i == n) {
                calls[n++] = part;
            }
        }
    }

    return n;
}


void
ai_wire_drop_tool(ai_report_t *rep, const ai_tool_t *tool)
{
    ai_json_t  name;

    if (ai_mstr_empty(&tool->name)) {
        return;
    }

    /* as a value: no one looks at the quotes */

    memset(&name, 0, sizeof(ai_json_t));

    name.type = AI_JSON_STRING;
    name.start = tool->name.s.data - 1;
    name.end = tool->name.s.data + tool->name.s.len + 1;
    name.escaped = tool->name.json;

    ai_report_drop_name(rep, &name);
}

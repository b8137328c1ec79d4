
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tools for a model behind Bedrock Converse, wire-formats.md 8.2 and 2.5.
 */


#include "wire_converse.h"


/* of tools that were called and are there no more: enough of them */

#define AI_CONVERSE_CALLED  128


static ai_int_t ai_converse_write_tool(ai_converse_write_t *w,
    const ai_tool_t *tool);
static ai_int_t ai_converse_write_called(ai_converse_write_t *w);
static void ai_converse_write_answer(ai_converse_write_t *w);
static ai_int_t ai_converse_write_schema(ai_converse_write_t *w,
    const ai_str_t *schema);
static ai_int_t ai_converse_write_choice(ai_converse_write_t *w);


/* the provider's own tools are other ones in each dialect */

ai_uint_t
ai_converse_shown(ai_converse_write_t *w, const ai_tool_t *tool)
{
    return tool->type != AI_TOOL_SERVER
           && ai_request_allowed(w->req, &tool->name);
}


/*
 * There must be some if a message calls one or tells what came of it (mistake
 * 13).  If none of them may be called, there is no way to say so then.
 */

ai_int_t
ai_converse_write_tools(ai_converse_write_t *w)
{
    ai_tool_t     *tool;
    ai_request_t  *req;

    req = w->req;

    for (tool = req->tools; tool != NULL; tool = tool->next) {
        if (tool->type == AI_TOOL_SERVER) {
            ai_report_drop(w->rep, "tools");
        }
    }

    if (req->choice == AI_CHOICE_NONE && w->ntools != 0 && w->calls) {
        ai_report_drop(w->rep, "tool_choice");
    }

    if (!w->calls && !w->answer
        && (w->ntools == 0 || req->choice == AI_CHOICE_NONE))
    {
        return AI_OK;
    }

    ai_buf_key(w->out, "toolConfig");
    ai_buf_lit(w->out, "{\"tools\":[");

    if (w->ntools == 0 && ai_converse_write_called(w) != AI_OK) {
        return AI_ERROR;
    }

    for (tool = req->tools; tool != NULL; tool = tool->next) {

        if (ai_converse_shown(w, tool)
            && ai_converse_write_tool(w, tool) != AI_OK)
        {
            return AI_ERROR;
        }
    }

    if (w->answer) {
        ai_converse_write_answer(w);
    }

    ai_buf_lit(w->out, "]");

    if (ai_converse_write_choice(w) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(w->out, "}");

    return AI_OK;
}


static ai_int_t
ai_converse_write_tool(ai_converse_write_t *w, const ai_tool_t *tool)
{
    ai_str_t  schema;

    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"toolSpec\":{");

    if (ai_converse_name(w, "name", &tool->name) != AI_OK) {
        return AI_ERROR;
    }

    if (!ai_converse_blank(&tool->description)) {
        ai_buf_key_string(w->out, "description", &tool->description);
    }

    schema = tool->schema;

    if (tool->type == AI_TOOL_CUSTOM) {

        /* free text, as ai_part_object() makes an object of it */

        ai_str_set(&schema, "{\"type\":\"object\",\"properties\":{\"input\":"
                            "{\"type\":\"string\"}},"
                            "\"required\":[\"input\"]}");
    }

    if (ai_converse_write_schema(w, &schema) != AI_OK) {
        return AI_ERROR;
    }

    if (ai_str_eq(&tool->strict, "true")) {

        if (ai_converse_is(w, AI_CAPS_SCHEMA)) {
            ai_buf_lit(w->out, ",\"strict\":true");

        } else {
            ai_report_drop(w->rep, "strict");
        }
    }

    ai_buf_lit(w->out, "}}");
    ai_converse_cache(w, &tool->cache, 1);

    return AI_OK;
}


/* those that were called, each once; what they took is known no more */

static ai_int_t
ai_converse_write_called(ai_converse_write_t *w)
{
    ai_uint_t         i, n;
    ai_message_t     *m;
    const ai_part_t  *part, *called[AI_CONVERSE_CALLED];

    static const ai_str_t  none = ai_null_string;

    n = 0;

    for (m = w->req->messages; m != NULL; m = m->next) {
        for (part = m->parts; part != NULL; part = part->next) {

            if (part->type != AI_PART_CALL || n == AI_CONVERSE_CALLED) {
                continue;
            }

            for (i = 0; i < n; i++) {
                if (ai_mstr_same(&called[i]->name, &part->name)) {
                    break;
                }
            }

            if (i < n) {
                continue;
            }

            called[n++] = part;

            ai_buf_comma(w->out);
            ai_buf_lit(w->out, "{\"toolSpec\":{");

            if (ai_converse_name(w, "name", &part->name) != AI_OK
                || ai_converse_write_schema(w, &none) != AI_OK)
            {
                return AI_ERROR;
            }

            ai_buf_lit(w->out, "}}");
        }
    }

    return AI_OK;
}


static void
ai_converse_write_answer(ai_converse_write_t *w)
{
    ai_mstr_t  text;

    text = w->req->format_description;

    if (ai_converse_blank(&text)) {
        text = ai_mstr_cstr("Gives the answer in the form that is asked for. "
                            "Always answer by it.");
    }

    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"toolSpec\":{\"name\":\"" AI_CONVERSE_JSON "\"");
    ai_buf_key_string(w->out, "description", &text);
    ai_buf_key(w->out, "inputSchema");
    ai_buf_lit(w->out, "{");
    ai_buf_key_raw(w->out, "json", &w->req->format_schema);
    ai_buf_lit(w->out, "}}}");
}


/* of an object, which a schema need not say, but must here */

static ai_int_t
ai_converse_write_schema(ai_converse_write_t *w, const ai_str_t *schema)
{
    ai_int_t         rc;
    ai_json_t        root, type;
    ai_json_iter_t   it;
    ai_json_error_t  err;

    ai_buf_key(w->out, "inputSchema");

    if (schema->len == 0) {
        ai_buf_lit(w->out, "{\"json\":{\"type\":\"object\","
                           "\"properties\":{}}}");
        return AI_OK;
    }

    rc = ai_json_scan(schema->data, schema->len, NULL, w->req->alloc, NULL,
                      NULL, &root, &err);

    if (rc != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(w->out, "{\"json\":");

    if (ai_json_get(&root, "type", &type) == AI_OK) {
        ai_buf_raw(w->out, schema);

    } else {
        ai_buf_lit(w->out, "{\"type\":\"object\"");
        ai_json_iter_init(&it, &root);

        if (ai_json_next(&it, NULL, &type) == AI_OK) {
            ai_buf_lit(w->out, ",");
        }

        ai_buf_put(w->out, root.start + 1,
                   (size_t) (root.end - root.start) - 1);
    }

    ai_buf_lit(w->out, "}");

    return AI_OK;
}


static ai_int_t
ai_converse_write_choice(ai_converse_write_t *w)
{
    if (w->answer) {

        if (w->ntools == 0) {
            ai_buf_lit(w->out, ",\"toolChoice\":{\"tool\":{\"name\":\""
                               AI_CONVERSE_JSON "\"}}");

        } else {
            ai_buf_lit(w->out, ",\"toolChoice\":{\"any\":{}}");
        }

        return AI_OK;
    }

    if (w->ntools == 0) {
        return AI_OK;
    }

    switch (w->req->choice) {

    case AI_CHOICE_AUTO:
        ai_buf_lit(w->out, ",\"toolChoice\":{\"auto\":{}}");
        return AI_OK;

    case AI_CHOICE_REQUIRED:
        ai_buf_lit(w->out, ",\"toolChoice\":{\"any\":{}}");
        return AI_OK;

    case AI_CHOICE_NAMED:
        ai_buf_lit(w->out, ",\"toolChoice\":{\"tool\":{");

        if (ai_converse_name(w, "name", &w->req->choice_name) != AI_OK) {
            return AI_ERROR;
        }

        ai_buf_lit(w->out, "}}");
        return AI_OK;

    default:
        return AI_OK;
    }
}


/* without a type it would be none of Claude's */

ai_int_t
ai_converse_write_parallel(ai_converse_write_t *w)
{
    ai_buf_key(w->out, "tool_choice");

    switch (w->req->choice) {

    case AI_CHOICE_REQUIRED:
        ai_buf_lit(w->out, "{\"type\":\"any\"");
        break;

    case AI_CHOICE_NAMED:
        ai_buf_lit(w->out, "{\"type\":\"tool\"");

        if (ai_converse_name(w, "name", &w->req->choice_name) != AI_OK) {
            return AI_ERROR;
        }

        break;

    default:
        ai_buf_lit(w->out, "{\"type\":\"auto\"");
        break;
    }

    ai_buf_lit(w->out, ",\"disable_parallel_tool_use\":true}");

    return AI_OK;
}

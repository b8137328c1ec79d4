
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tools for a model behind Bedrock Converse, wire-formats.md 8.2 and 2.5.
 */


#include "wire_converse.h"


static ai_int_t ai_converse_write_tool(ai_converse_write_t *w,
    const ai_tool_t *tool);
static ai_int_t ai_converse_write_called(ai_converse_write_t *w);
static void ai_converse_write_answer(ai_converse_write_t *w);
static ai_int_t ai_converse_write_choice(ai_converse_write_t *w);


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

        if (ai_wire_shown(w->req, tool)
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
    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"toolSpec\":{");

    if (ai_converse_name(w, "name", &tool->name) != AI_OK) {
        return AI_ERROR;
    }

    if (!ai_wire_blank(&tool->description)) {
        ai_buf_key_string(w->out, "description", &tool->description);
    }

    ai_buf_key(w->out, "inputSchema");
    ai_buf_lit(w->out, "{\"json\":");
    ai_wire_write_schema(w->out, tool);
    ai_buf_lit(w->out, "}");

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
    const ai_part_t  *calls[AI_WIRE_CALLED];

    n = ai_wire_called(w->req, calls);

    for (i = 0; i < n; i++) {
        ai_buf_comma(w->out);
        ai_buf_lit(w->out, "{\"toolSpec\":{");

        if (ai_converse_name(w, "name", &calls[i]->name) != AI_OK) {
            return AI_ERROR;
        }

        ai_buf_lit(w->out, ",\"inputSchema\":{\"json\":"
                           AI_WIRE_NO_PARAMETERS "}}}");
    }

    return AI_OK;
}


static void
ai_converse_write_answer(ai_converse_write_t *w)
{
    ai_mstr_t  text;

    text = ai_wire_json_description(w->req);

    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"toolSpec\":{\"name\":\"" AI_WIRE_JSON "\"");
    ai_buf_key_string(w->out, "description", &text);
    ai_buf_key(w->out, "inputSchema");
    ai_buf_lit(w->out, "{");
    ai_buf_key_raw(w->out, "json", &w->req->format_schema);
    ai_buf_lit(w->out, "}}}");
}


static ai_int_t
ai_converse_write_choice(ai_converse_write_t *w)
{
    if (w->answer) {

        if (w->ntools == 0) {
            ai_buf_lit(w->out, ",\"toolChoice\":{\"tool\":{\"name\":\""
                               AI_WIRE_JSON "\"}}");

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

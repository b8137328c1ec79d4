
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tools for a provider that speaks Anthropic Messages.
 */


#include "wire_anthropic.h"


/* what Anthropic allows itself, and what is allowed everywhere */

#define AI_ANTHROPIC_NAME_LEN  128
#define AI_ANTHROPIC_ID_LEN    64


static ai_int_t ai_anthropic_put_tool(ai_anthropic_write_t *w,
    const ai_tool_t *tool);
static ai_int_t ai_anthropic_put_called(ai_anthropic_write_t *w);


/*
 * Of the tools that are a provider's own, those whose type ends in a date are
 * Anthropic's ("web_search_20250305").
 */

ai_uint_t
ai_anthropic_shown(ai_anthropic_write_t *w, const ai_tool_t *tool)
{
    size_t   i, len;
    u_char  *p;

    if (tool->type != AI_TOOL_SERVER) {
        return ai_request_allowed(w->req, &tool->name);
    }

    len = tool->name.s.len;
    p = tool->name.s.data;

    for (i = 0; i < 8 && i < len; i++) {
        if (p[len - 1 - i] < '0' || p[len - 1 - i] > '9') {
            break;
        }
    }

    if (i == 8 && len > 9 && p[len - 9] == '_') {
        return 1;
    }

    ai_wire_drop_tool(w->rep, tool);

    return 0;
}


ai_int_t
ai_anthropic_put_tools(ai_anthropic_write_t *w)
{
    ai_int_t    rc;
    ai_mstr_t   text;
    ai_tool_t  *tool;

    if (w->ntools == 0 && !w->called && !w->answer) {
        return AI_OK;
    }

    ai_buf_key(w->out, "tools");
    ai_buf_lit(w->out, "[");

    for (tool = w->req->tools; tool != NULL; tool = tool->next) {

        if (!ai_anthropic_shown(w, tool)) {
            continue;
        }

        rc = ai_anthropic_put_tool(w, tool);
        if (rc != AI_OK) {
            return rc;
        }
    }

    if (w->ntools == 0 && ai_anthropic_put_called(w) != AI_OK) {
        return AI_ERROR;
    }

    if (w->answer) {
        text = ai_wire_json_description(w->req);

        ai_buf_comma(w->out);
        ai_buf_lit(w->out, "{\"name\":\"" AI_WIRE_JSON "\"");
        ai_buf_key_string(w->out, "description", &text);
        ai_buf_key(w->out, "input_schema");
        ai_wire_write_object_schema(w->out, &w->req->format_schema);
        ai_buf_lit(w->out, "}");
    }

    ai_buf_lit(w->out, "]");

    return AI_OK;
}


static ai_int_t
ai_anthropic_put_tool(ai_anthropic_write_t *w, const ai_tool_t *tool)
{
    ai_buf_comma(w->out);

    if (tool->type == AI_TOOL_SERVER) {
        ai_buf_raw(w->out, &tool->raw);
        return AI_OK;
    }

    ai_buf_lit(w->out, "{");

    if (ai_anthropic_name(w, "name", &tool->name) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key_string(w->out, "description", &tool->description);

    ai_buf_key(w->out, "input_schema");
    ai_wire_write_schema(w->out, tool);

    /* known by those who know schemas for answers */

    if (ai_str_eq(&tool->strict, "true")) {

        if ((w->target->caps.flags & AI_CAPS_SCHEMA)
            && !(w->target->vendor->flags & AI_ANTHROPIC_CLOUD))
        {
            ai_buf_key_raw(w->out, "strict", &tool->strict);

        } else {
            ai_report_drop(w->rep, "strict");
        }
    }

    ai_anthropic_marker(w, &tool->cache);
    ai_buf_lit(w->out, "}");

    return AI_OK;
}


/*
 * Messages with calls are taken only together with tools.  If there are none
 * any more, those that were called are named, and none may be called.
 */

static ai_int_t
ai_anthropic_put_called(ai_anthropic_write_t *w)
{
    ai_uint_t         i, n;
    const ai_part_t  *calls[AI_WIRE_CALLED];

    n = ai_wire_called(w->req, calls);

    for (i = 0; i < n; i++) {
        ai_buf_comma(w->out);
        ai_buf_lit(w->out, "{");

        if (ai_anthropic_name(w, "name", &calls[i]->name) != AI_OK) {
            return AI_ERROR;
        }

        ai_buf_lit(w->out, ",\"input_schema\":" AI_WIRE_NO_PARAMETERS "}");
    }

    return AI_OK;
}


ai_int_t
ai_anthropic_put_choice(ai_anthropic_write_t *w)
{
    ai_uint_t      alone;
    ai_choice_e    choice;
    ai_request_t  *req;

    req = w->req;
    choice = req->choice;
    alone = ai_str_eq(&req->parallel, "false") || w->answer;

    if (w->answer) {
        choice = (w->ntools == 0 || choice == AI_CHOICE_NONE)
                 ? AI_CHOICE_NAMED : AI_CHOICE_REQUIRED;

    } else if (w->ntools == 0) {

        if (!w->called) {
            return AI_OK;
        }

        choice = AI_CHOICE_NONE;

    } else if (choice == AI_CHOICE_UNSET) {

        if (!alone) {
            return AI_OK;
        }

        choice = AI_CHOICE_AUTO;
    }

    ai_buf_key(w->out, "tool_choice");

    switch (choice) {

    case AI_CHOICE_NONE:
        ai_buf_lit(w->out, "{\"type\":\"none\"}");
        return AI_OK;

    case AI_CHOICE_REQUIRED:
        ai_buf_lit(w->out, "{\"type\":\"any\"");
        break;

    case AI_CHOICE_NAMED:
        ai_buf_lit(w->out, "{\"type\":\"tool\"");

        if (w->answer) {
            ai_buf_lit(w->out, ",\"name\":\"" AI_WIRE_JSON "\"");

        } else if (ai_anthropic_name(w, "name", &req->choice_name) != AI_OK) {
            return AI_ERROR;
        }

        break;

    default:
        ai_buf_lit(w->out, "{\"type\":\"auto\"");
        break;
    }

    if (alone) {
        ai_buf_lit(w->out, ",\"disable_parallel_tool_use\":true");
    }

    ai_buf_lit(w->out, "}");

    return AI_OK;
}


ai_int_t
ai_anthropic_name(ai_anthropic_write_t *w, const char *member,
    const ai_mstr_t *name)
{
    size_t     max;
    ai_mstr_t  sent;

    max = AI_ANTHROPIC_NAME_LEN;

    if ((w->target->vendor->flags & AI_ANTHROPIC_CLOUD)
        || strcmp(member, "name") != 0)
    {
        max = AI_ANTHROPIC_ID_LEN;
    }

    if (ai_request_name(w->req, name, max, &sent) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key_string(w->out, member, &sent);

    return AI_OK;
}

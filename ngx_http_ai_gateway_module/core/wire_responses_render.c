
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests to providers that speak OpenAI's Responses: the members of the
 * body.  Nothing is stored there, all that is needed later comes back with
 * the answer and goes with the next request.
 */


#include "wire_responses.h"


/* fewer are refused */

#define AI_RSP_MIN_TOKENS  16

static ai_int_t ai_rsp_put_tools(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);
static ai_int_t ai_rsp_put_tool(ai_request_t *req, const ai_tool_t *tool,
    ai_buf_t *out, ai_report_t *rep);
static void ai_rsp_put_custom(const ai_tool_t *tool, ai_buf_t *out);
static ai_uint_t ai_rsp_put_server(const ai_tool_t *tool, ai_buf_t *out,
    ai_report_t *rep);
static ai_int_t ai_rsp_put_choice(ai_request_t *req, ai_buf_t *out);
static void ai_rsp_put_thinking(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);
static ai_uint_t ai_rsp_thinks(const ai_target_t *t);
static void ai_rsp_put_sampling(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);
static void ai_rsp_put_include(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out);


/* tools of the provider's own, which other dialects do not spell so */

static const char *const  ai_rsp_servers[] = {
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "file_search",
    "image_generation",
    "local_shell",
    "shell",
    "tool_search",
    "web_search",
    "web_search_preview",
    "x_search",
    NULL
};


ai_int_t
ai_rsp_render_request(ai_request_t *req, const ai_target_t *t, ai_buf_t *out,
    ai_report_t *rep)
{
    ai_int_t   rc;
    ai_mstr_t  model;

    rc = ai_wire_refuse_n(req, rep);

    if (rc != AI_OK) {
        return rc;
    }

    ai_buf_lit(out, "{");

    if (t->vendor == NULL || !(t->vendor->flags & AI_VENDOR_NO_MODEL)) {
        model = ai_mstr_plain(&t->model);
        ai_buf_key(out, "model");
        ai_buf_string(out, &model);
    }

    rc = ai_rsp_put_input(req, t, out, rep);

    if (rc != AI_OK) {
        return rc;
    }

    rc = ai_rsp_put_tools(req, t, out, rep);

    if (rc != AI_OK) {
        return rc;
    }

    if (req->format == AI_FORMAT_JSON || req->format == AI_FORMAT_SCHEMA) {
        ai_buf_key(out, "text");
        ai_rsp_format(out, req, &req->verbosity);

    } else if (!ai_mstr_empty(&req->verbosity)) {
        ai_buf_key(out, "text");
        ai_buf_lit(out, "{");
        ai_buf_key_string(out, "verbosity", &req->verbosity);
        ai_buf_lit(out, "}");
    }

    ai_rsp_put_thinking(req, t, out, rep);
    ai_rsp_put_sampling(req, t, out, rep);
    ai_rsp_put_include(req, t, out);

    if (ai_wire_write_short(out, "user", &req->user, req->alloc) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key_raw(out, "metadata", &req->metadata);
    ai_buf_key_string(out, "service_tier", &req->service_tier);
    ai_buf_key_string(out, "prompt_cache_key", &req->cache_key);

    ai_buf_lit(out, ",\"store\":false");

    if (t->stream) {
        ai_buf_lit(out, ",\"stream\":true");
    }

    ai_buf_lit(out, "}");

    if (req->nstop != 0) {
        ai_report_drop(rep, "stop");
    }

    ai_wire_lacks(req, AI_WIRE_SEED|AI_WIRE_PENALTIES|AI_WIRE_TOP_K
                       |AI_WIRE_BIAS, rep);

    return out->failed ? AI_ERROR : AI_OK;
}


static ai_int_t
ai_rsp_put_tools(ai_request_t *req, const ai_target_t *t, ai_buf_t *out,
    ai_report_t *rep)
{
    size_t            start;
    ai_buf_t          tools;
    ai_str_t          s;
    const ai_tool_t  *tool;

    if (req->tools == NULL) {
        return AI_OK;
    }

    ai_buf_init(&tools, req->alloc, out->max);
    ai_buf_lit(&tools, "[");
    start = ai_buf_len(&tools);

    for (tool = req->tools; tool != NULL; tool = tool->next) {
        if (ai_rsp_put_tool(req, tool, &tools, rep) != AI_OK) {
            return AI_ERROR;
        }
    }

    if (ai_buf_len(&tools) == start) {
        return AI_OK;
    }

    ai_buf_lit(&tools, "]");

    if (ai_buf_get(&tools, &s) != AI_OK) {
        out->failed = 1;
        out->large |= tools.large;
        return AI_ERROR;
    }

    ai_buf_key_raw(out, "tools", &s);
    ai_buf_key_raw(out, "parallel_tool_calls", &req->parallel);

    return ai_rsp_put_choice(req, out);
}


/*
 * Here "strict" is the default, everywhere else it is not: a schema that was
 * not written for it would be refused.
 */

static ai_int_t
ai_rsp_put_tool(ai_request_t *req, const ai_tool_t *tool, ai_buf_t *out,
    ai_report_t *rep)
{
    ai_mstr_t  name;

    if (tool->type == AI_TOOL_SERVER) {
        (void) ai_rsp_put_server(tool, out, rep);
        return AI_OK;
    }

    if (ai_request_name(req, &tool->name, AI_RSP_NAME_LEN, &name) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_comma(out);
    ai_buf_cstr(out, tool->type == AI_TOOL_CUSTOM ? "{\"type\":\"custom\""
                                                  : "{\"type\":\"function\"");
    ai_buf_key_string(out, "name", &name);
    ai_buf_key_string(out, "description", &tool->description);

    if (tool->type == AI_TOOL_CUSTOM) {
        ai_rsp_put_custom(tool, out);

    } else {
        ai_buf_key(out, "parameters");

        if (tool->schema.len != 0) {
            ai_buf_raw(out, &tool->schema);

        } else {
            ai_buf_lit(out, "{\"type\":\"object\",\"properties\":{}}");
        }

        ai_buf_key(out, "strict");

        if (tool->strict.len != 0) {
            ai_buf_raw(out, &tool->strict);

        } else {
            ai_buf_lit(out, "false");
        }
    }

    ai_buf_lit(out, "}");

    return AI_OK;
}


/* a grammar is flat here, and one level deeper in chat */

static void
ai_rsp_put_custom(const ai_tool_t *tool, ai_buf_t *out)
{
    ai_str_t   raw;
    ai_json_t  v, format, grammar, value;

    v = ai_wire_object(&tool->raw);

    if ((ai_json_get(&v, "format", &format) != AI_OK
         && ai_json_path(&v, &format, "custom", "format", NULL) != AI_OK)
        || format.type != AI_JSON_OBJECT)
    {
        return;
    }

    if (ai_json_get(&format, "grammar", &grammar) != AI_OK
        || grammar.type != AI_JSON_OBJECT)
    {
        raw = ai_json_raw(&format);
        ai_buf_key_raw(out, "format", &raw);
        return;
    }

    ai_buf_key(out, "format");
    ai_buf_lit(out, "{\"type\":\"grammar\"");

    if (ai_json_get(&grammar, "syntax", &value) == AI_OK) {
        raw = ai_json_raw(&value);
        ai_buf_key_raw(out, "syntax", &raw);
    }

    if (ai_json_get(&grammar, "definition", &value) == AI_OK) {
        raw = ai_json_raw(&value);
        ai_buf_key_raw(out, "definition", &raw);
    }

    ai_buf_lit(out, "}");
}


static ai_uint_t
ai_rsp_put_server(const ai_tool_t *tool, ai_buf_t *out, ai_report_t *rep)
{
    const char *const  *known;

    for (known = ai_rsp_servers; *known != NULL; known++) {

        if (ai_mstr_eq(&tool->name, *known)) {
            ai_buf_comma(out);
            ai_buf_raw(out, &tool->raw);
            return 1;
        }
    }

    /* Anthropic has versions in its types */

    if (tool->name.s.len > sizeof("web_search_2") - 1
        && memcmp(tool->name.s.data, "web_search_2",
                  sizeof("web_search_2") - 1)
           == 0)
    {
        ai_buf_comma(out);
        ai_buf_lit(out, "{\"type\":\"web_search\"}");
        return 1;
    }

    ai_wire_drop_tool(rep, tool);

    return 0;
}


static ai_int_t
ai_rsp_put_choice(ai_request_t *req, ai_buf_t *out)
{
    ai_uint_t     i;
    ai_request_t  sent;

    if (req->choice == AI_CHOICE_UNSET && req->nallowed == 0) {
        return AI_OK;
    }

    /* the same request, with the names as they are sent */

    sent = *req;

    if (req->choice == AI_CHOICE_NAMED
        && ai_request_name(req, &req->choice_name, AI_RSP_NAME_LEN,
                           &sent.choice_name)
           != AI_OK)
    {
        return AI_ERROR;
    }

    for (i = 0; i < req->nallowed; i++) {
        if (ai_request_name(req, &req->allowed[i], AI_RSP_NAME_LEN,
                            &sent.allowed[i])
            != AI_OK)
        {
            return AI_ERROR;
        }
    }

    ai_buf_key(out, "tool_choice");
    ai_rsp_choice(out, &sent);

    return AI_OK;
}


static void
ai_rsp_put_thinking(ai_request_t *req, const ai_target_t *t, ai_buf_t *out,
    ai_report_t *rep)
{
    ai_effort_e  effort;

    effort = ai_wire_effort(req);

    if (!ai_rsp_thinks(t)) {

        if (effort != AI_EFFORT_UNSET && effort != AI_EFFORT_NONE) {
            ai_report_drop(rep, "reasoning_effort");
        }

        return;
    }

    if (effort == AI_EFFORT_UNSET && !req->summary) {
        return;
    }

    ai_buf_key(out, "reasoning");
    ai_buf_lit(out, "{");

    if (effort != AI_EFFORT_UNSET) {
        ai_buf_key(out, "effort");
        ai_buf_quote_cstr(out, ai_effort_name(effort));
    }

    if (req->summary && effort != AI_EFFORT_NONE) {
        ai_buf_key(out, "summary");
        ai_buf_lit(out, "\"auto\"");
    }

    ai_buf_lit(out, "}");
}


/* of OpenAI's own models only some think; of others, that is not known */

static ai_uint_t
ai_rsp_thinks(const ai_target_t *t)
{
    if (t->caps.flags & (AI_CAPS_REASONING | AI_CAPS_EFFORT)) {
        return 1;
    }

    return t->model.len < 4
           || (memcmp(t->model.data, "gpt-", 4) != 0
               && (t->model.len < 7
                   || memcmp(t->model.data, "chatgpt", 7) != 0));
}


static void
ai_rsp_put_sampling(ai_request_t *req, const ai_target_t *t, ai_buf_t *out,
    ai_report_t *rep)
{
    if (req->max_tokens.len != 0) {

        if (ai_wire_uint(&req->max_tokens) < AI_RSP_MIN_TOKENS) {
            ai_buf_key_uint(out, "max_output_tokens", AI_RSP_MIN_TOKENS);

        } else {
            ai_buf_key_raw(out, "max_output_tokens", &req->max_tokens);
        }
    }

    if (t->caps.flags & AI_CAPS_REASONING) {

        if (req->temperature.len != 0) {
            ai_report_drop(rep, "temperature");
        }

        if (req->top_p.len != 0) {
            ai_report_drop(rep, "top_p");
        }

        return;
    }

    ai_buf_key_raw(out, "temperature", &req->temperature);
    ai_buf_key_raw(out, "top_p", &req->top_p);
}


static void
ai_rsp_put_include(ai_request_t *req, const ai_target_t *t, ai_buf_t *out)
{
    ai_uint_t  thinks, logprobs;

    thinks = (t->caps.flags & AI_CAPS_REASONING) != 0;
    logprobs = ai_str_eq(&req->logprobs, "true");

    if (thinks || logprobs) {
        ai_buf_key(out, "include");
        ai_buf_lit(out, "[");

        if (thinks) {
            ai_buf_lit(out, "\"reasoning.encrypted_content\"");
        }

        if (logprobs) {
            ai_buf_comma(out);
            ai_buf_lit(out, "\"message.output_text.logprobs\"");
        }

        ai_buf_lit(out, "]");
    }

    if (logprobs) {
        ai_buf_key_raw(out, "top_logprobs", &req->top_logprobs);
    }
}

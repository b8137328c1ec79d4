
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What answers of OpenAI's Responses are made of, be they documents or
 * streams: the response object and the items of its output.
 */


#include "wire_responses.h"


static void ai_rsp_key_null(ai_buf_t *b, const char *name);
static void ai_rsp_echo(ai_buf_t *b, const ai_request_t *req);
static void ai_rsp_echo_raw(ai_buf_t *b, const char *name,
    const ai_str_t *raw, const char *other);
static void ai_rsp_echo_tools(ai_buf_t *b, const ai_request_t *req);
static void ai_rsp_usage(ai_buf_t *b, const ai_usage_t *u);
static void ai_rsp_item(ai_buf_t *b, const char *type, const ai_mstr_t *id,
    const char *status);


/*
 * Typed clients want each of these members, null where there is nothing to
 * say, so that none may be left out.
 */

void
ai_rsp_object(ai_buf_t *b, const ai_encode_t *e, const ai_rsp_object_t *r)
{
    ai_mstr_t  message, model;

    ai_buf_lit(b, "{");
    ai_buf_key(b, "id");
    ai_buf_string(b, &r->id);
    ai_buf_lit(b, ",\"object\":\"response\"");
    ai_buf_key_uint(b, "created_at", r->created);
    ai_buf_key(b, "status");
    ai_buf_quote_cstr(b, r->status);
    ai_buf_lit(b, ",\"background\":false");

    if (r->code != NULL) {
        ai_buf_lit(b, ",\"error\":{\"code\":");
        ai_buf_quote_cstr(b, r->code);
        ai_buf_key(b, "message");
        message = ai_mstr_plain(&r->message);
        ai_buf_string(b, &message);
        ai_buf_lit(b, "}");

    } else {
        ai_rsp_key_null(b, "error");
    }

    if (r->reason != NULL) {
        ai_buf_lit(b, ",\"incomplete_details\":{\"reason\":");
        ai_buf_quote_cstr(b, r->reason);
        ai_buf_lit(b, "}");

    } else {
        ai_rsp_key_null(b, "incomplete_details");
    }

    ai_rsp_key_null(b, "instructions");
    ai_rsp_key_null(b, "max_tool_calls");

    model = ai_mstr_plain(&e->model);
    ai_buf_key(b, "model");
    ai_buf_string(b, &model);

    ai_buf_lit(b, ",\"output\":[");
    ai_buf_raw(b, &r->output);
    ai_buf_lit(b, "]");

    ai_rsp_key_null(b, "previous_response_id");
    ai_rsp_echo(b, e->req);

    ai_buf_key(b, "usage");

    if (r->usage != NULL && r->usage->source != AI_USAGE_NONE) {
        ai_rsp_usage(b, r->usage);

    } else {
        ai_buf_lit(b, "null");
    }

    ai_buf_lit(b, "}");
}


static void
ai_rsp_key_null(ai_buf_t *b, const char *name)
{
    ai_buf_key(b, name);
    ai_buf_lit(b, "null");
}


static void
ai_rsp_echo(ai_buf_t *b, const ai_request_t *req)
{
    const char                 *effort;
    static const ai_request_t   none;

    if (req == NULL) {
        req = &none;
    }

    ai_rsp_echo_raw(b, "max_output_tokens", &req->max_tokens, "null");
    ai_rsp_echo_raw(b, "parallel_tool_calls", &req->parallel, "true");

    if (ai_mstr_empty(&req->cache_key)) {
        ai_rsp_key_null(b, "prompt_cache_key");

    } else {
        ai_buf_key_string(b, "prompt_cache_key", &req->cache_key);
    }

    effort = ai_effort_name(req->effort);

    ai_buf_key(b, "reasoning");
    ai_buf_lit(b, "{\"effort\":");

    if (req->effort != AI_EFFORT_UNSET && effort != NULL) {
        ai_buf_quote_cstr(b, effort);

    } else {
        ai_buf_lit(b, "null");
    }

    ai_buf_lit(b, ",\"summary\":");
    ai_buf_cstr(b, req->summary ? "\"auto\"}" : "null}");

    ai_rsp_key_null(b, "safety_identifier");
    ai_buf_lit(b, ",\"service_tier\":\"default\",\"store\":false");
    ai_rsp_echo_raw(b, "temperature", &req->temperature, "1");

    ai_buf_key(b, "text");
    ai_rsp_format(b, req, &req->verbosity);

    ai_buf_key(b, "tool_choice");
    ai_rsp_choice(b, req);

    ai_rsp_echo_tools(b, req);

    ai_rsp_echo_raw(b, "top_logprobs", &req->top_logprobs, "0");
    ai_rsp_echo_raw(b, "top_p", &req->top_p, "1");
    ai_buf_lit(b, ",\"truncation\":\"disabled\"");

    if (ai_mstr_empty(&req->user)) {
        ai_rsp_key_null(b, "user");

    } else {
        ai_buf_key_string(b, "user", &req->user);
    }

    ai_rsp_echo_raw(b, "metadata", &req->metadata, "{}");
}


static void
ai_rsp_echo_raw(ai_buf_t *b, const char *name, const ai_str_t *raw,
    const char *other)
{
    ai_buf_key(b, name);

    if (raw->len != 0) {
        ai_buf_json(b, raw);

    } else {
        ai_buf_cstr(b, other);
    }
}


/* a client of this wire wrote them, so that they are in its dialect */

static void
ai_rsp_echo_tools(ai_buf_t *b, const ai_request_t *req)
{
    const ai_tool_t  *tool;

    ai_buf_lit(b, ",\"tools\":[");

    for (tool = req->tools; tool != NULL; tool = tool->next) {
        if (tool->raw.len != 0) {
            ai_buf_comma(b);
            ai_buf_json(b, &tool->raw);
        }
    }

    ai_buf_lit(b, "]");
}


void
ai_rsp_format(ai_buf_t *b, const ai_request_t *req,
    const ai_mstr_t *verbosity)
{
    ai_buf_lit(b, "{\"format\":{\"type\":");

    switch (req->format) {

    case AI_FORMAT_JSON:
        ai_buf_lit(b, "\"json_object\"}");
        break;

    case AI_FORMAT_SCHEMA:
        ai_buf_lit(b, "\"json_schema\",\"name\":");

        if (ai_mstr_empty(&req->format_name)) {
            ai_buf_lit(b, "\"response\"");

        } else {
            ai_buf_string(b, &req->format_name);
        }

        ai_buf_key_string(b, "description", &req->format_description);
        ai_rsp_echo_raw(b, "schema", &req->format_schema, "{}");
        ai_buf_key_raw(b, "strict", &req->format_strict);
        ai_buf_lit(b, "}");
        break;

    default:
        ai_buf_lit(b, "\"text\"}");
        break;
    }

    ai_buf_key_string(b, "verbosity", verbosity);
    ai_buf_lit(b, "}");
}


void
ai_rsp_choice(ai_buf_t *b, const ai_request_t *req)
{
    ai_uint_t         i;
    const char       *mode;
    const ai_tool_t  *tool;

    mode = (req->choice == AI_CHOICE_REQUIRED) ? "\"required\"" : "\"auto\"";

    if (req->choice == AI_CHOICE_NONE) {
        ai_buf_lit(b, "\"none\"");
        return;
    }

    if (req->choice == AI_CHOICE_NAMED) {

        for (tool = req->tools; tool != NULL; tool = tool->next) {
            if (tool->type == AI_TOOL_CUSTOM
                && ai_mstr_same(&tool->name, &req->choice_name))
            {
                break;
            }
        }

        ai_buf_cstr(b, tool != NULL ? "{\"type\":\"custom\""
                                    : "{\"type\":\"function\"");
        ai_buf_key(b, "name");
        ai_buf_string(b, &req->choice_name);
        ai_buf_lit(b, "}");
        return;
    }

    if (req->nallowed == 0) {
        ai_buf_cstr(b, mode);
        return;
    }

    ai_buf_lit(b, "{\"type\":\"allowed_tools\",\"mode\":");
    ai_buf_cstr(b, mode);
    ai_buf_lit(b, ",\"tools\":[");

    for (i = 0; i < req->nallowed; i++) {
        ai_buf_comma(b);
        ai_buf_lit(b, "{\"type\":\"function\",\"name\":");
        ai_buf_string(b, &req->allowed[i]);
        ai_buf_lit(b, "}");
    }

    ai_buf_lit(b, "]}");
}


static void
ai_rsp_usage(ai_buf_t *b, const ai_usage_t *u)
{
    ai_buf_lit(b, "{\"input_tokens\":");
    ai_buf_uint(b, ai_usage_input(u));
    ai_buf_lit(b, ",\"input_tokens_details\":{\"cached_tokens\":");
    ai_buf_uint(b, u->cached);

    if (u->cache_write != 0) {
        ai_buf_key_uint(b, "cache_write_tokens", u->cache_write);
    }

    ai_buf_lit(b, "},\"output_tokens\":");
    ai_buf_uint(b, u->output);
    ai_buf_lit(b, ",\"output_tokens_details\":{\"reasoning_tokens\":");
    ai_buf_uint(b, u->reasoning);
    ai_buf_lit(b, "},\"total_tokens\":");
    ai_buf_uint(b, ai_usage_input(u) + u->output);
    ai_buf_lit(b, "}");
}


void
ai_rsp_finish(ai_rsp_object_t *r, ai_finish_e finish)
{
    switch (finish) {

    case AI_FINISH_LENGTH:
    case AI_FINISH_CONTEXT:
        r->status = "incomplete";
        r->reason = "max_output_tokens";
        break;

    case AI_FINISH_FILTER:
        r->status = "incomplete";
        r->reason = "content_filter";
        break;

    case AI_FINISH_BROKEN:
        r->status = "failed";
        r->code = "server_error";
        ai_str_set(&r->message, "the model's answer was cut short by an "
                                "error of its own");
        break;

    default:
        r->status = "completed";
        break;
    }
}


void
ai_rsp_error(ai_buf_t *b, const ai_error_doc_t *doc, const ai_str_t *message)
{
    const ai_error_row_t  *row;

    row = ai_error_row(doc->error);

    ai_buf_lit(b, "{\"message\":");
    ai_buf_quote(b, message);
    ai_buf_key(b, "type");
    ai_buf_quote_cstr(b, row->openai_type);
    ai_buf_key(b, "param");

    if (doc->param.len != 0) {
        ai_buf_quote(b, &doc->param);

    } else {
        ai_buf_lit(b, "null");
    }

    ai_buf_key(b, "code");
    ai_buf_quote_cstr(b, row->code);
    ai_buf_key(b, "retryable");
    ai_buf_cstr(b, row->retryable ? "true" : "false");

    if (doc->retry_after >= 0) {
        ai_buf_key_uint(b, "retry_after", (uint64_t) doc->retry_after);
    }

    ai_buf_lit(b, "}");
}


void
ai_rsp_text(ai_buf_t *b, const ai_mstr_t *text, const ai_str_t *notes,
    const ai_str_t *logprobs)
{
    ai_buf_lit(b, "{\"type\":\"output_text\",\"annotations\":[");
    ai_buf_raw(b, notes);
    ai_buf_lit(b, "],\"logprobs\":[");
    ai_buf_raw(b, logprobs);
    ai_buf_lit(b, "],\"text\":");
    ai_buf_string(b, text);
    ai_buf_lit(b, "}");
}


void
ai_rsp_refusal(ai_buf_t *b, const ai_mstr_t *text)
{
    ai_buf_lit(b, "{\"type\":\"refusal\",\"refusal\":");
    ai_buf_string(b, text);
    ai_buf_lit(b, "}");
}


void
ai_rsp_annotation(ai_buf_t *b, const ai_citation_t *cite)
{
    ai_buf_lit(b, "{\"type\":\"url_citation\",\"start_index\":");
    ai_buf_uint(b, cite->from);
    ai_buf_key_uint(b, "end_index", cite->to);
    ai_buf_key(b, "title");
    ai_buf_string(b, &cite->title);
    ai_buf_key(b, "url");
    ai_buf_string(b, &cite->url);
    ai_buf_lit(b, "}");
}


static void
ai_rsp_item(ai_buf_t *b, const char *type, const ai_mstr_t *id,
    const char *status)
{
    ai_buf_lit(b, "{\"id\":");
    ai_buf_string(b, id);
    ai_buf_key(b, "type");
    ai_buf_quote_cstr(b, type);
    ai_buf_key(b, "status");
    ai_buf_quote_cstr(b, status);
}


void
ai_rsp_message(ai_buf_t *b, const ai_mstr_t *id, const char *status,
    const ai_str_t *parts)
{
    ai_rsp_item(b, "message", id, status);
    ai_buf_lit(b, ",\"content\":[");
    ai_buf_raw(b, parts);
    ai_buf_lit(b, "],\"role\":\"assistant\"}");
}


void
ai_rsp_summary(ai_buf_t *b, const ai_mstr_t *text)
{
    ai_buf_lit(b, "{\"type\":\"summary_text\",\"text\":");
    ai_buf_string(b, text);
    ai_buf_lit(b, "}");
}


void
ai_rsp_reasoning(ai_buf_t *b, const ai_mstr_t *id, const char *status,
    const ai_mstr_t *text, const ai_mstr_t *state)
{
    ai_rsp_item(b, "reasoning", id, status);
    ai_buf_lit(b, ",\"summary\":[");

    if (!ai_mstr_empty(text)) {
        ai_rsp_summary(b, text);
    }

    ai_buf_lit(b, "]");

    /* OpenAI does not know the item, should it come by there */

    if (ai_mstr_empty(state)) {
        ai_buf_lit(b, ",\"encrypted_content\":\"" AI_STATE_UNSIGNED "\"");

    } else {
        ai_buf_key_string(b, "encrypted_content", state);
    }

    ai_buf_lit(b, "}");
}


void
ai_rsp_call(ai_buf_t *b, const ai_mstr_t *id, const char *status,
    const ai_part_t *call)
{
    ai_rsp_item(b, call->custom ? "custom_tool_call" : "function_call", id,
                status);
    ai_buf_key(b, "call_id");
    ai_buf_string(b, &call->id);
    ai_buf_key(b, "name");
    ai_buf_string(b, &call->name);
    ai_buf_key(b, call->custom ? "input" : "arguments");
    ai_buf_string(b, &call->args);
    ai_buf_lit(b, "}");
}


void
ai_rsp_image(ai_buf_t *b, const ai_mstr_t *id, const char *status,
    const ai_mstr_t *data)
{
    ai_rsp_item(b, "image_generation_call", id, status);
    ai_buf_key(b, "result");

    if (ai_mstr_empty(data)) {
        ai_buf_lit(b, "null");

    } else {
        ai_buf_string(b, data);
    }

    ai_buf_lit(b, "}");
}


/*
 * OpenAI refuses content that comes back under another item's id, so what is
 * bare must be of this very item.
 */

ai_int_t
ai_rsp_state(ai_alloc_t *a, ai_state_e kind, const ai_mstr_t *state_id,
    const ai_mstr_t *state, const ai_mstr_t *id, ai_mstr_t *out)
{
    if (kind == AI_STATE_OPENAI && ai_mstr_same(state_id, id)) {
        *out = *state;
        return AI_OK;
    }

    return ai_state_pack(kind, state_id, state, a, out);
}

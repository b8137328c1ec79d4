
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * OpenAI's Responses API: its answers, wherever they come from, and the
 * dialect of providers that speak nothing else.  Events are told apart by
 * their type, which is also the name of the event; new ones appear all the
 * time, so most of them are known by how their type ends.
 */


#include "dialect.h"


typedef struct {
    ai_json_t  type;
    ai_json_t  delta;
    ai_json_t  response;
    ai_json_t  item;
    unsigned   error:1;
} ai_responses_root_t;


typedef struct {
    ai_json_t  status;
    ai_json_t  error;
    ai_json_t  output;
    ai_json_t  details;    /* why it is incomplete */
} ai_responses_t;


static const char *ai_responses_terminator(ai_op_e op);
static ai_int_t ai_responses_error(ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out);
static ai_int_t ai_responses_error_event(ai_error_doc_t *doc, ai_op_e op,
    ai_alloc_t *a, ai_str_t *out);
static void ai_responses_root(ai_tap_t *tap, const ai_json_t *root,
    ai_responses_root_t *m);
static ai_event_e ai_responses_progress(ai_tap_t *tap, ai_str_t *type,
    ai_responses_root_t *m);
static ai_event_e ai_responses_end(ai_tap_t *tap, const ai_json_t *response);
static void ai_responses_members(ai_tap_t *tap, const ai_json_t *response,
    ai_responses_t *r);
static void ai_responses_finish(ai_tap_t *tap, ai_responses_t *r);
static void ai_responses_output(ai_tap_t *tap, const ai_json_t *output,
    ai_uint_t text, ai_uint_t tools);
static void ai_responses_item_text(ai_tap_t *tap, const ai_json_t *item);
static ai_uint_t ai_responses_item_tool(ai_tap_t *tap, const ai_json_t *item);
static ai_uint_t ai_responses_ends(ai_str_t *type, const char *end);


const ai_dialect_t  ai_dialect_responses = {
    ai_string("responses"),
    AI_AUTH_BEARER,
    1 << AI_OP_RESPONSES | 1 << AI_OP_PASS,
    ai_responses_terminator,
    ai_responses_event,
    ai_responses_response,
    ai_responses_error,
    ai_responses_error_event,
    0
};


/* how the types end of events that tell of progress, and of nothing else */

static const char  *const ai_responses_idle[] = {
    ".added",
    ".completed",
    ".created",
    ".failed",
    ".generating",
    ".in_progress",
    ".incomplete",
    ".interpreting",
    ".queued",
    ".searching",
    NULL
};


static const char *
ai_responses_terminator(ai_op_e op)
{
    return "";
}


/* one company, one shape of errors */

static ai_int_t
ai_responses_error(ai_error_doc_t *doc, ai_alloc_t *a, ai_str_t *out)
{
    return ai_dialect_openai.error(doc, a, out);
}


static ai_int_t
ai_responses_error_event(ai_error_doc_t *doc, ai_op_e op, ai_alloc_t *a,
    ai_str_t *out)
{
    return ai_dialect_openai.error_event(doc, op, a, out);
}


ai_event_e
ai_responses_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root)
{
    ai_str_t             type;
    ai_json_t            error;
    ai_responses_t       r;
    ai_responses_root_t  m;

    ai_responses_root(tap, root, &m);

    type = *name;

    if (ai_json_filled(&m.type)) {
        type = ai_json_str_raw(&m.type);
    }

    if (m.error || ai_str_eq(&type, "error")) {
        return ai_tap_error(tap, root);
    }

    if (m.delta.type != AI_JSON_NULL && ai_responses_ends(&type, ".delta")) {

        if (ai_tap_text(tap, &m.delta)) {
            return AI_EVENT_CONTENT;
        }

        return ai_tap_members(&m.delta) ? AI_EVENT_CONTENT : AI_EVENT_IDLE;
    }

    if (m.response.type != AI_JSON_OBJECT) {
        return ai_responses_progress(tap, &type, &m);
    }

    if (ai_str_eq(&type, "response.completed")
        || ai_str_eq(&type, "response.incomplete"))
    {
        return ai_responses_end(tap, &m.response);
    }

    ai_responses_members(tap, &m.response, &r);

    if (ai_str_eq(&type, "response.failed")) {

        error = r.error;

        if (!ai_tap_is_error(&error)) {
            error = m.response;
        }

        return ai_tap_error(tap, &error);
    }

    return ai_responses_progress(tap, &type, &m);
}


static void
ai_responses_root(ai_tap_t *tap, const ai_json_t *root,
    ai_responses_root_t *m)
{
    ai_json_t      name, value;
    ai_tap_iter_t  it;

    memset(m, 0, sizeof(ai_responses_root_t));

    ai_tap_iter_init(&it, tap, root);

    while (ai_tap_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "type")) {
            m->type = value;

        } else if (ai_json_is(&name, "delta")) {
            m->delta = value;

        } else if (ai_json_is(&name, "response")) {
            m->response = value;

        } else if (ai_json_is(&name, "item")) {
            m->item = value;

        } else if (ai_json_is(&name, "error")) {
            m->error = ai_tap_is_error(&value);

        } else {
            ai_tap_hole_unread(tap, &value);
        }
    }
}


static ai_event_e
ai_responses_progress(ai_tap_t *tap, ai_str_t *type, ai_responses_root_t *m)
{
    ai_uint_t  i;

    if (ai_str_eq(type, "response.output_item.added")) {
        return ai_responses_item_tool(tap, &m->item) ? AI_EVENT_CONTENT
                                                     : AI_EVENT_IDLE;
    }

    /*
     * What is done has been told in pieces, or is told now at once; its
     * text counts at the end, if it has not until then
     */

    if (ai_responses_ends(type, ".done")
        || ai_responses_ends(type, ".partial_image"))
    {
        return AI_EVENT_CONTENT;
    }

    for (i = 0; ai_responses_idle[i] != NULL; i++) {
        if (ai_responses_ends(type, ai_responses_idle[i])) {
            return AI_EVENT_IDLE;
        }
    }

    if (!ai_str_eq(type, "keepalive")) {
        tap->unknown++;
    }

    return AI_EVENT_IDLE;
}


static ai_event_e
ai_responses_end(ai_tap_t *tap, const ai_json_t *response)
{
    ai_responses_t  r;

    ai_responses_members(tap, response, &r);

    if (ai_tap_is_error(&r.error)) {
        return ai_tap_error(tap, &r.error);
    }

    ai_responses_output(tap, &r.output, tap->output_bytes == 0,
                        tap->tool_calls == 0);
    ai_responses_finish(tap, &r);

    if (tap->content == 0) {
        tap->content++;
    }

    return AI_EVENT_END;
}


ai_event_e
ai_responses_response(ai_tap_t *tap, ai_json_t *root)
{
    ai_responses_t  r;

    ai_responses_members(tap, root, &r);

    if (ai_tap_is_error(&r.error)) {
        return ai_tap_error(tap, &r.error);
    }

    if (ai_json_is(&r.status, "failed")) {
        return ai_tap_error(tap, root);
    }

    if (r.output.type != AI_JSON_ARRAY) {
        return AI_EVENT_INVALID;
    }

    ai_responses_output(tap, &r.output, 1, 1);
    ai_responses_finish(tap, &r);

    return AI_EVENT_CONTENT;
}


static void
ai_responses_members(ai_tap_t *tap, const ai_json_t *response,
    ai_responses_t *r)
{
    ai_json_t      name, value;
    ai_tap_iter_t  it;

    memset(r, 0, sizeof(ai_responses_t));

    ai_tap_iter_init(&it, tap, response);

    while (response->type == AI_JSON_OBJECT
           && ai_tap_next(&it, &name, &value) == AI_OK)
    {
        if (ai_json_is(&name, "model")) {
            ai_tap_model(tap, &value);

        } else if (ai_json_is(&name, "status")) {
            r->status = value;

        } else if (ai_json_is(&name, "error")) {
            r->error = value;

        } else if (ai_json_is(&name, "output")) {
            r->output = value;

        } else if (ai_json_is(&name, "incomplete_details")) {
            r->details = value;

        } else if (ai_json_is(&name, "usage")) {
            (void) ai_openai_usage(&value, &tap->usage);
        }
    }
}


/* the reason of an incomplete answer, else its status */

static void
ai_responses_finish(ai_tap_t *tap, ai_responses_t *r)
{
    ai_json_t  reason;

    if (ai_json_is(&r->status, "in_progress")
        || ai_json_is(&r->status, "queued"))
    {
        return;
    }

    if (r->details.type == AI_JSON_OBJECT
        && ai_json_get(&r->details, "reason", &reason) == AI_OK
        && ai_json_filled(&reason))
    {
        r->status = reason;
    }

    ai_tap_choice(tap, 0, ai_tap_finish(tap, &r->status));
}


static void
ai_responses_output(ai_tap_t *tap, const ai_json_t *output, ai_uint_t text,
    ai_uint_t tools)
{
    ai_json_t       item;
    ai_json_iter_t  it;

    if (output->type != AI_JSON_ARRAY) {
        return;
    }

    ai_json_iter_init(&it, output);

    while (ai_json_next(&it, NULL, &item) == AI_OK) {

        if (item.type != AI_JSON_OBJECT) {
            continue;
        }

        if (text) {
            ai_responses_item_text(tap, &item);
        }

        if (tools) {
            (void) ai_responses_item_tool(tap, &item);
        }
    }
}


/* parts of messages and reasoning, arguments of calls */

static void
ai_responses_item_text(ai_tap_t *tap, const ai_json_t *item)
{
    ai_json_t       name, value, part, text;
    ai_json_iter_t  it, parts;

    ai_json_iter_init(&it, item);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "arguments") || ai_json_is(&name, "input")) {
            (void) ai_tap_text(tap, &value);
            continue;
        }

        if (value.type != AI_JSON_ARRAY
            || (!ai_json_is(&name, "content") && !ai_json_is(&name, "summary")))
        {
            continue;
        }

        ai_json_iter_init(&parts, &value);

        while (ai_json_next(&parts, NULL, &part) == AI_OK) {

            if (ai_json_get(&part, "text", &text) == AI_OK
                || ai_json_get(&part, "refusal", &text) == AI_OK)
            {
                (void) ai_tap_text(tap, &text);
            }
        }
    }
}


/* 1 if the item is a call that the client has to execute */

static ai_uint_t
ai_responses_item_tool(ai_tap_t *tap, const ai_json_t *item)
{
    ai_json_t  type, name;

    if (ai_json_get(item, "type", &type) != AI_OK
        || (!ai_json_is(&type, "function_call")
            && !ai_json_is(&type, "custom_tool_call")))
    {
        return 0;
    }

    if (ai_json_get(item, "name", &name) == AI_OK) {
        ai_tap_tool(tap, &name);
    }

    return 1;
}


static ai_uint_t
ai_responses_ends(ai_str_t *type, const char *end)
{
    size_t  len;

    len = strlen(end);

    return type->len > len
           && memcmp(type->data + type->len - len, end, len) == 0;
}

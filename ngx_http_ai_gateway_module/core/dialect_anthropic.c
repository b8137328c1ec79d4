
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The Anthropic dialect: messages and count_tokens.
 */


#include "dialect.h"


/* the members of an event or an answer that are read; null when absent */

typedef struct {
    ai_json_t  type;
    ai_json_t  delta;
    ai_json_t  block;
    ai_json_t  message;
    ai_json_t  content;
    ai_json_t  usage;
    ai_json_t  stop_reason;
    ai_json_t  input_tokens;
    unsigned   error:1;
} ai_anthropic_root_t;


static const char *ai_anthropic_terminator(ai_op_e op);
static ai_event_e ai_anthropic_event(ai_tap_t *tap, ai_str_t *name,
    ai_json_t *root);
static ai_event_e ai_anthropic_response(ai_tap_t *tap, ai_json_t *root);
static void ai_anthropic_root(ai_tap_t *tap, const ai_json_t *root,
    ai_anthropic_root_t *m);
static ai_event_e ai_anthropic_start(ai_tap_t *tap, const ai_json_t *message);
static ai_event_e ai_anthropic_block(ai_tap_t *tap, const ai_json_t *block);
static ai_event_e ai_anthropic_delta(ai_tap_t *tap, const ai_json_t *delta);
static ai_event_e ai_anthropic_end(ai_tap_t *tap, ai_anthropic_root_t *m);
static ai_int_t ai_anthropic_error(ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out);
static ai_int_t ai_anthropic_error_event(ai_error_doc_t *doc, ai_op_e op,
    ai_alloc_t *a, ai_str_t *out);
static void ai_anthropic_render(ai_doc_t *d, ai_error_doc_t *doc);
static void ai_anthropic_render_event(ai_doc_t *d, ai_error_doc_t *doc);


const ai_dialect_t  ai_dialect_anthropic = {
    ai_string("anthropic"),
    AI_AUTH_X_API_KEY,
    1 << AI_OP_MESSAGES | 1 << AI_OP_COUNT_TOKENS | 1 << AI_OP_PASS,
    ai_anthropic_terminator,
    ai_anthropic_event,
    ai_anthropic_response,
    ai_anthropic_error,
    ai_anthropic_error_event,
    0
};


static const char *
ai_anthropic_terminator(ai_op_e op)
{
    if (op != AI_OP_MESSAGES) {
        return "";
    }

    return "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}


static ai_event_e
ai_anthropic_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root)
{
    ai_str_t             type;
    ai_anthropic_root_t  m;

    ai_anthropic_root(tap, root, &m);

    type = *name;

    if (ai_json_filled(&m.type)) {
        type = ai_json_str_raw(&m.type);
    }

    if (ai_str_eq(&type, "content_block_delta")) {
        return ai_anthropic_delta(tap, &m.delta);
    }

    if (m.error || ai_str_eq(&type, "error")) {
        return ai_tap_error(tap, root);
    }

    if (ai_str_eq(&type, "content_block_start")) {
        return ai_anthropic_block(tap, &m.block);
    }

    if (ai_str_eq(&type, "message_start")) {
        return ai_anthropic_start(tap, &m.message);
    }

    if (ai_str_eq(&type, "message_delta")) {
        return ai_anthropic_end(tap, &m);
    }

    if (ai_str_eq(&type, "message_stop")) {
        return AI_EVENT_END;
    }

    if (!ai_str_eq(&type, "content_block_stop") && !ai_str_eq(&type, "ping")) {
        tap->unknown++;
    }

    return AI_EVENT_IDLE;
}


static ai_event_e
ai_anthropic_response(ai_tap_t *tap, ai_json_t *root)
{
    uint64_t             n;
    ai_json_t            block;
    ai_json_iter_t       it;
    ai_anthropic_root_t  m;

    ai_anthropic_root(tap, root, &m);

    if (m.error || ai_json_is(&m.type, "error")) {
        return ai_tap_error(tap, root);
    }

    if (tap->op == AI_OP_COUNT_TOKENS) {

        if (!ai_usage_count(&m.input_tokens, &n)) {
            return AI_EVENT_INVALID;
        }

        ai_usage_set(&tap->usage, 0, 0, 0, 0, 0);

        return AI_EVENT_CONTENT;
    }

    if (m.content.type != AI_JSON_ARRAY) {
        return AI_EVENT_INVALID;
    }

    if (ai_anthropic_usage(&m.usage, &tap->usage)) {
        tap->usage.source = AI_USAGE_PROVIDER;
    }

    ai_json_iter_init(&it, &m.content);

    while (ai_json_next(&it, NULL, &block) == AI_OK) {
        (void) ai_anthropic_block(tap, &block);
    }

    ai_tap_choice(tap, 0, ai_tap_finish(tap, &m.stop_reason));

    return AI_EVENT_CONTENT;
}


static void
ai_anthropic_root(ai_tap_t *tap, const ai_json_t *root,
    ai_anthropic_root_t *m)
{
    ai_json_t      name, value;
    ai_tap_iter_t  it;

    memset(m, 0, sizeof(ai_anthropic_root_t));

    ai_tap_iter_init(&it, tap, root);

    while (root->type == AI_JSON_OBJECT
           && ai_tap_next(&it, &name, &value) == AI_OK)
    {
        if (ai_json_is(&name, "type")) {
            m->type = value;

        } else if (ai_json_is(&name, "delta")) {
            m->delta = value;

        } else if (ai_json_is(&name, "content_block")) {
            m->block = value;

        } else if (ai_json_is(&name, "message")) {
            m->message = value;

        } else if (ai_json_is(&name, "content")) {
            m->content = value;

        } else if (ai_json_is(&name, "usage")) {
            m->usage = value;

        } else if (ai_json_is(&name, "stop_reason")) {
            m->stop_reason = value;

        } else if (ai_json_is(&name, "input_tokens")) {
            m->input_tokens = value;

        } else if (ai_json_is(&name, "model")) {
            ai_tap_model(tap, &value);

        } else if (ai_json_is(&name, "error")) {
            m->error = ai_tap_is_error(&value);
        }
    }
}


/*
 * Tells what was read, and an output that is not the final one; the usage
 * counts as the provider's only when the end of the message has told it.
 */

static ai_event_e
ai_anthropic_start(ai_tap_t *tap, const ai_json_t *message)
{
    ai_anthropic_root_t  m;

    ai_anthropic_root(tap, message, &m);

    if (ai_anthropic_usage(&m.usage, &tap->usage)
        && tap->usage.source == AI_USAGE_NONE)
    {
        tap->usage.source = AI_USAGE_ESTIMATED;
    }

    return AI_EVENT_IDLE;
}


/*
 * A block of an answer, or the start of one in a stream.  Text and thinking
 * start empty; every other kind, unknown ones included, is a piece of the
 * answer by its mere presence.
 */

static ai_event_e
ai_anthropic_block(ai_tap_t *tap, const ai_json_t *block)
{
    ai_json_t       name, value, type, tool;
    ai_uint_t       content;
    ai_json_iter_t  it;

    if (block->type != AI_JSON_OBJECT) {
        return AI_EVENT_IDLE;
    }

    content = 0;
    type.type = AI_JSON_NULL;
    tool.type = AI_JSON_NULL;

    ai_json_iter_init(&it, block);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "type")) {
            type = value;

        } else if (ai_json_is(&name, "text")
                   || ai_json_is(&name, "thinking"))
        {
            content |= ai_tap_text(tap, &value);

        } else if (ai_json_is(&name, "name")) {
            tool = value;

        } else if (ai_json_is(&name, "input") && ai_tap_members(&value)) {
            tap->output_bytes += (uint64_t) (value.end - value.start);
        }
    }

    if (ai_json_is(&type, "tool_use")) {
        ai_tap_tool(tap, &tool);
    }

    if (!content
        && (!ai_json_filled(&type)
            || ai_json_is(&type, "text")
            || ai_json_is(&type, "thinking")))
    {
        return AI_EVENT_IDLE;
    }

    return AI_EVENT_CONTENT;
}


static ai_event_e
ai_anthropic_delta(ai_tap_t *tap, const ai_json_t *delta)
{
    ai_uint_t       known;
    ai_event_e      event;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (delta->type != AI_JSON_OBJECT) {
        return AI_EVENT_IDLE;
    }

    known = 0;
    event = AI_EVENT_IDLE;

    ai_json_iter_init(&it, delta);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "type")) {
            continue;
        }

        if (ai_json_is(&name, "text") || ai_json_is(&name, "partial_json")
            || ai_json_is(&name, "thinking"))
        {
            known = 1;

            if (ai_tap_text(tap, &value)) {
                event = AI_EVENT_CONTENT;
            }

        } else if (ai_json_is(&name, "signature")
                   || ai_json_is(&name, "content"))
        {
            known = 1;

            if (ai_json_filled(&value)) {
                event = AI_EVENT_CONTENT;
            }

        } else if (ai_json_is(&name, "citation")) {
            known = 1;
            event = AI_EVENT_CONTENT;
        }
    }

    if (!known) {
        tap->unknown++;
    }

    return event;
}


/* message_delta, of which there is one: why it stops, and the usage */

static ai_event_e
ai_anthropic_end(ai_tap_t *tap, ai_anthropic_root_t *m)
{
    ai_json_t  reason;

    if (ai_anthropic_usage(&m->usage, &tap->usage)) {
        tap->usage.source = AI_USAGE_PROVIDER;
    }

    if (m->delta.type == AI_JSON_OBJECT
        && ai_json_get(&m->delta, "stop_reason", &reason) == AI_OK
        && ai_tap_finish(tap, &reason))
    {
        ai_tap_choice(tap, 0, 1);
        return AI_EVENT_CONTENT;
    }

    return AI_EVENT_IDLE;
}


/*
 * Three counts of input that do not overlap.  Each replaces what was told
 * before, those that are missing stay: the end repeats some of the start.
 */

ai_uint_t
ai_anthropic_usage(const ai_json_t *v, ai_usage_t *u)
{
    ai_uint_t       told;
    ai_json_t       name, value, n;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return 0;
    }

    told = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "input_tokens")) {
            told |= ai_usage_count(&value, &u->uncached);

        } else if (ai_json_is(&name, "cache_read_input_tokens")) {
            told |= ai_usage_count(&value, &u->cached);

        } else if (ai_json_is(&name, "cache_creation_input_tokens")) {
            told |= ai_usage_count(&value, &u->cache_write);

        } else if (ai_json_is(&name, "output_tokens")) {
            told |= ai_usage_count(&value, &u->output);

        } else if (ai_json_is(&name, "output_tokens_details")
                   && value.type == AI_JSON_OBJECT
                   && ai_json_get(&value, "thinking_tokens", &n) == AI_OK)
        {
            (void) ai_usage_count(&n, &u->reasoning);
        }
    }

    if (u->reasoning > u->output) {
        u->reasoning = u->output;
    }

    return told;
}


static ai_int_t
ai_anthropic_error(ai_error_doc_t *doc, ai_alloc_t *a, ai_str_t *out)
{
    return ai_doc_build(ai_anthropic_render, doc, a, out);
}


static ai_int_t
ai_anthropic_error_event(ai_error_doc_t *doc, ai_op_e op, ai_alloc_t *a,
    ai_str_t *out)
{
    (void) op;

    return ai_doc_build(ai_anthropic_render_event, doc, a, out);
}


static void
ai_anthropic_render(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "{\"type\":\"error\",\"error\":{\"type\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->anthropic_type);
    ai_doc_raw(d, ",\"message\":");
    ai_doc_message(d, doc);
    ai_doc_raw(d, ",\"code\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->code);

    if (doc->param.len != 0) {
        ai_doc_raw(d, ",\"param\":");
        ai_doc_string(d, &doc->param);
    }

    ai_doc_more(d, doc);
    ai_doc_raw(d, "},\"request_id\":");
    ai_doc_string(d, &doc->request_id);
    ai_doc_raw(d, "}");
}


static void
ai_anthropic_render_event(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "event: error\ndata: ");
    ai_anthropic_render(d, doc);
    ai_doc_raw(d, "\n\n");
}

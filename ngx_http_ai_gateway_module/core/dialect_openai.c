
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The OpenAI dialect, and with it all who imitate it: chat, completions,
 * embeddings.  Responses are read in dialect_responses.c.
 */


#include "dialect.h"


/* the members of a chunk or an answer that are read; null when absent */

typedef struct {
    ai_json_t  choices;
    ai_json_t  usage;
    ai_json_t  groq;
    ai_json_t  data;
    unsigned   error:1;
    unsigned   known:1;
} ai_openai_root_t;


/* a usage as it is told, before its arithmetic */

typedef struct {
    uint64_t   input;
    uint64_t   output;
    uint64_t   total;
    uint64_t   cached;
    uint64_t   cache_write;
    uint64_t   hit;
    uint64_t   reasoning;
    unsigned   has_total:1;
    unsigned   has_parts:1;
} ai_openai_usage_t;


static const char *ai_openai_terminator(ai_op_e op);
static ai_event_e ai_openai_event(ai_tap_t *tap, ai_str_t *name,
    ai_json_t *root);
static ai_event_e ai_openai_response(ai_tap_t *tap, ai_json_t *root);
static void ai_openai_root(ai_tap_t *tap, const ai_json_t *root,
    ai_openai_root_t *m);
static void ai_openai_usages(ai_tap_t *tap, ai_openai_root_t *m,
    ai_uint_t *told);
static ai_event_e ai_openai_choices(ai_tap_t *tap, const ai_json_t *choices,
    ai_uint_t whole, ai_uint_t *n);
static ai_event_e ai_openai_choice(ai_tap_t *tap, const ai_json_t *choice,
    ai_uint_t whole);
static ai_uint_t ai_openai_message(ai_tap_t *tap, const ai_json_t *message);
static ai_uint_t ai_openai_parts(ai_tap_t *tap, const ai_json_t *parts);
static ai_uint_t ai_openai_tools(ai_tap_t *tap, const ai_json_t *calls);
static ai_uint_t ai_openai_call(ai_tap_t *tap, const ai_json_t *function);
static void ai_openai_input_details(ai_openai_usage_t *u,
    const ai_json_t *details);
static ai_int_t ai_openai_error(ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out);
static ai_int_t ai_openai_error_event(ai_error_doc_t *doc, ai_op_e op,
    ai_alloc_t *a, ai_str_t *out);
static void ai_openai_error_object(ai_doc_t *d, ai_error_doc_t *doc);
static void ai_openai_render(ai_doc_t *d, ai_error_doc_t *doc);
static void ai_openai_render_event(ai_doc_t *d, ai_error_doc_t *doc);
static void ai_openai_render_responses(ai_doc_t *d, ai_error_doc_t *doc);


const ai_dialect_t  ai_dialect_openai = {
    ai_string("openai"),
    AI_AUTH_BEARER,
    1 << AI_OP_CHAT | 1 << AI_OP_COMPLETIONS | 1 << AI_OP_EMBEDDINGS
    | 1 << AI_OP_RESPONSES | 1 << AI_OP_PASS,
    ai_openai_terminator,
    ai_openai_event,
    ai_openai_response,
    ai_openai_error,
    ai_openai_error_event,
    1 << AI_OP_CHAT | 1 << AI_OP_COMPLETIONS
};


static const char *
ai_openai_terminator(ai_op_e op)
{
    switch (op) {

    case AI_OP_CHAT:
    case AI_OP_COMPLETIONS:
        return "data: [DONE]\n\n";

    default:
        return "";
    }
}


static ai_event_e
ai_openai_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root)
{
    ai_uint_t         n, told;
    ai_event_e        event;
    ai_openai_root_t  m;

    if (tap->op == AI_OP_RESPONSES) {
        return ai_responses_event(tap, name, root);
    }

    ai_openai_root(tap, root, &m);
    ai_openai_usages(tap, &m, &told);

    if (m.error || ai_str_eq(name, "error")) {
        return ai_tap_error(tap, root);
    }

    event = ai_openai_choices(tap, &m.choices, 0, &n);

    if (event != AI_EVENT_IDLE) {
        return event;
    }

    if (told && n == 0) {
        return AI_EVENT_USAGE;
    }

    if (!m.known) {
        tap->unknown++;
    }

    return AI_EVENT_IDLE;
}


static ai_event_e
ai_openai_response(ai_tap_t *tap, ai_json_t *root)
{
    ai_uint_t         n, told;
    ai_event_e        event;
    ai_openai_root_t  m;

    if (tap->op == AI_OP_RESPONSES) {
        return ai_responses_response(tap, root);
    }

    ai_openai_root(tap, root, &m);
    ai_openai_usages(tap, &m, &told);

    if (m.error) {
        return ai_tap_error(tap, root);
    }

    if (tap->op == AI_OP_EMBEDDINGS) {
        return ai_tap_members(&m.data) ? AI_EVENT_CONTENT : AI_EVENT_INVALID;
    }

    event = ai_openai_choices(tap, &m.choices, 1, &n);

    if (event == AI_EVENT_ERROR) {
        return event;
    }

    return n != 0 ? AI_EVENT_CONTENT : AI_EVENT_INVALID;
}


static void
ai_openai_root(ai_tap_t *tap, const ai_json_t *root, ai_openai_root_t *m)
{
    ai_json_t      name, value;
    ai_tap_iter_t  it;

    memset(m, 0, sizeof(ai_openai_root_t));

    ai_tap_iter_init(&it, tap, root);

    while (ai_tap_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "choices")) {
            m->choices = value;
            m->known = 1;

        } else if (ai_json_is(&name, "usage")) {
            m->usage = value;
            m->known = 1;

        } else if (ai_json_is(&name, "model")) {
            ai_tap_model(tap, &value);

        } else if (ai_json_is(&name, "x_groq")) {
            m->groq = value;
            m->known = 1;

        } else if (ai_json_is(&name, "data")) {
            m->data = value;

        } else if (ai_json_is(&name, "error")) {
            m->error |= ai_tap_is_error(&value);

        } else if (ai_json_is(&name, "object")) {

            /* vLLM: a flat error object */

            m->error |= ai_json_is(&value, "error");

        } else if (ai_json_is(&name, "type")) {
            m->error |= ai_json_is(&value, "error");

        } else {
            ai_tap_hole_unread(tap, &value);
        }
    }
}


/* Groq tells the same usage up to three times, some in a place of its own */

static void
ai_openai_usages(ai_tap_t *tap, ai_openai_root_t *m, ai_uint_t *told)
{
    ai_json_t  value;

    *told = 0;

    if (m->groq.type == AI_JSON_OBJECT) {

        if (ai_json_get(&m->groq, "usage", &value) == AI_OK) {
            *told |= ai_openai_usage(&value, &tap->usage);
        }

        /* why it stopped early */

        if (ai_json_get(&m->groq, "error", &value) == AI_OK
            && ai_tap_is_error(&value))
        {
            (void) ai_tap_error(tap, &value);
            m->error = 1;
        }
    }

    *told |= ai_openai_usage(&m->usage, &tap->usage);
}


/*
 * CONTENT, IDLE or ERROR; *n is the number of choices that are objects, in a
 * whole answer only of those with a message, a text or a finish reason.
 */

static ai_event_e
ai_openai_choices(ai_tap_t *tap, const ai_json_t *choices, ai_uint_t whole,
    ai_uint_t *n)
{
    ai_json_t       choice;
    ai_event_e      event, result;
    ai_json_iter_t  it;

    *n = 0;
    result = AI_EVENT_IDLE;

    if (choices->type != AI_JSON_ARRAY) {
        return result;
    }

    ai_json_iter_init(&it, choices);

    while (ai_json_next(&it, NULL, &choice) == AI_OK) {

        if (choice.type != AI_JSON_OBJECT) {
            continue;
        }

        event = ai_openai_choice(tap, &choice, whole);

        if (event == AI_EVENT_ERROR) {
            return event;
        }

        if (event == AI_EVENT_CONTENT) {
            result = event;
        }

        if (event != AI_EVENT_INVALID) {
            (*n)++;
        }
    }

    return result;
}


/*
 * Some send both "delta" and "message", the one being a repetition of the
 * other (Perplexity), hence the choice by what is being read.
 */

static ai_event_e
ai_openai_choice(ai_tap_t *tap, const ai_json_t *choice, ai_uint_t whole)
{
    uint64_t        index;
    ai_json_t       name, value, delta, message, text, *body;
    ai_uint_t       content, finished;
    ai_json_iter_t  it;

    index = 0;
    finished = 0;
    delta.type = AI_JSON_NULL;
    message.type = AI_JSON_NULL;
    text.type = AI_JSON_NULL;

    ai_json_iter_init(&it, choice);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "delta")) {
            delta = value;

        } else if (ai_json_is(&name, "message")) {
            message = value;

        } else if (ai_json_is(&name, "text")) {
            text = value;

        } else if (ai_json_is(&name, "index")) {
            (void) ai_json_uint(&value, &index);

        } else if (ai_json_is(&name, "finish_reason")) {
            finished = value.type == AI_JSON_STRING
                       && ai_tap_finish(tap, &value);

        } else if (ai_json_is(&name, "error") && ai_tap_is_error(&value)) {
            return ai_tap_error(tap, &value);
        }
    }

    ai_tap_choice(tap, index, finished);

    if (tap->op == AI_OP_COMPLETIONS && text.type == AI_JSON_STRING) {
        content = ai_tap_text(tap, &text);

    } else {
        body = (whole || delta.type != AI_JSON_OBJECT) ? &message : &delta;

        /* Azure's filter leaves nothing of a choice but its end */

        if (whole && body->type != AI_JSON_OBJECT && !finished) {
            return AI_EVENT_INVALID;
        }

        content = ai_openai_message(tap, body);
    }

    return (content || finished) ? AI_EVENT_CONTENT : AI_EVENT_IDLE;
}


/* a message, or a piece of one; 1 if there is anything in it */

static ai_uint_t
ai_openai_message(ai_tap_t *tap, const ai_json_t *message)
{
    ai_uint_t       content;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    content = 0;

    if (message->type != AI_JSON_OBJECT) {
        return 0;
    }

    ai_json_iter_init(&it, message);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "content")) {
            content |= value.type == AI_JSON_ARRAY
                       ? ai_openai_parts(tap, &value)
                       : ai_tap_text(tap, &value);

        } else if (ai_json_is(&name, "reasoning_content")
                   || ai_json_is(&name, "reasoning")
                   || ai_json_is(&name, "refusal"))
        {
            content |= ai_tap_text(tap, &value);

        } else if (ai_json_is(&name, "tool_calls")) {
            content |= ai_openai_tools(tap, &value);

        } else if (ai_json_is(&name, "function_call")) {
            content |= ai_openai_call(tap, &value);

        } else if (ai_json_is(&name, "audio")
                   || ai_json_is(&name, "images")
                   || ai_json_is(&name, "reasoning_details"))
        {
            content |= ai_tap_members(&value);
        }
    }

    return content;
}


/* content as an array: texts, Mistral's thinking, which has parts itself */

static ai_uint_t
ai_openai_parts(ai_tap_t *tap, const ai_json_t *parts)
{
    ai_uint_t       content;
    ai_json_t       part, value, inner;
    ai_json_iter_t  it, thinking;

    content = 0;

    ai_json_iter_init(&it, parts);

    while (ai_json_next(&it, NULL, &part) == AI_OK) {

        if (part.type != AI_JSON_OBJECT) {
            continue;
        }

        if (ai_json_get(&part, "text", &value) == AI_OK) {
            content |= ai_tap_text(tap, &value);

        } else if (ai_json_get(&part, "thinking", &value) == AI_OK) {
            ai_json_iter_init(&thinking, &value);

            while (value.type == AI_JSON_ARRAY
                   && ai_json_next(&thinking, NULL, &inner) == AI_OK)
            {
                if (ai_json_get(&inner, "text", &inner) == AI_OK) {
                    content |= ai_tap_text(tap, &inner);
                }
            }

            content |= ai_tap_text(tap, &value);

        } else {
            content |= ai_tap_members(&part);
        }
    }

    return content;
}


static ai_uint_t
ai_openai_tools(ai_tap_t *tap, const ai_json_t *calls)
{
    ai_uint_t       content;
    ai_json_t       call, function;
    ai_json_iter_t  it;

    content = 0;

    if (calls->type != AI_JSON_ARRAY) {
        return 0;
    }

    ai_json_iter_init(&it, calls);

    while (ai_json_next(&it, NULL, &call) == AI_OK) {

        if (call.type != AI_JSON_OBJECT) {
            continue;
        }

        if (ai_json_get(&call, "function", &function) == AI_OK
            || ai_json_get(&call, "custom", &function) == AI_OK)
        {
            (void) ai_openai_call(tap, &function);
        }

        content |= ai_tap_members(&call);
    }

    return content;
}


static ai_uint_t
ai_openai_call(ai_tap_t *tap, const ai_json_t *function)
{
    ai_uint_t       content;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    content = 0;

    if (function->type != AI_JSON_OBJECT) {
        return 0;
    }

    ai_json_iter_init(&it, function);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "name")) {
            ai_tap_tool(tap, &value);
            content |= ai_json_filled(&value);

        } else if (ai_json_is(&name, "arguments")
                   || ai_json_is(&name, "input"))
        {
            content |= ai_tap_text(tap, &value);
        }
    }

    return content;
}


/*
 * Chat says prompt and completion, Responses input and output.  What does
 * not add up: xAI's completion is without the reasoning, which only the
 * total shows; DeepSeek, Moonshot and Mistral have spellings of their own
 * for what was cached; Voyage tells a total and nothing else.
 */

ai_uint_t
ai_openai_usage(const ai_json_t *v, ai_usage_t *usage)
{
    ai_json_t          name, value, n;
    ai_json_iter_t     it;
    ai_openai_usage_t  u;

    if (v->type != AI_JSON_OBJECT) {
        return 0;
    }

    memset(&u, 0, sizeof(ai_openai_usage_t));

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "prompt_tokens")
            || ai_json_is(&name, "input_tokens"))
        {
            u.has_parts |= ai_usage_count(&value, &u.input);

        } else if (ai_json_is(&name, "completion_tokens")
                   || ai_json_is(&name, "output_tokens"))
        {
            u.has_parts |= ai_usage_count(&value, &u.output);

        } else if (ai_json_is(&name, "total_tokens")) {
            u.has_total = ai_usage_count(&value, &u.total);

        } else if (ai_json_is(&name, "prompt_tokens_details")
                   || ai_json_is(&name, "prompt_token_details")
                   || ai_json_is(&name, "input_tokens_details"))
        {
            ai_openai_input_details(&u, &value);

        } else if (ai_json_is(&name, "completion_tokens_details")
                   || ai_json_is(&name, "output_tokens_details"))
        {
            if (ai_json_get(&value, "reasoning_tokens", &n) == AI_OK) {
                (void) ai_usage_count(&n, &u.reasoning);
            }

        } else if (ai_json_is(&name, "prompt_cache_hit_tokens")
                   || ai_json_is(&name, "cached_tokens")
                   || ai_json_is(&name, "num_cached_tokens"))
        {
            (void) ai_usage_count(&value, &u.hit);
        }
    }

    if (!u.has_parts) {

        if (!u.has_total) {
            return 0;
        }

        u.input = u.total;
    }

    if (u.reasoning != 0 && u.total == u.input + u.output + u.reasoning) {
        u.output += u.reasoning;
    }

    ai_usage_set(usage, u.input, u.cached ? u.cached : u.hit, u.cache_write,
                 u.output, u.reasoning);

    return 1;
}


static void
ai_openai_input_details(ai_openai_usage_t *u, const ai_json_t *details)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (details->type != AI_JSON_OBJECT) {
        return;
    }

    ai_json_iter_init(&it, details);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "cached_tokens")) {
            (void) ai_usage_count(&value, &u->cached);

        } else if (ai_json_is(&name, "cache_write_tokens")) {
            (void) ai_usage_count(&value, &u->cache_write);
        }
    }
}


static ai_int_t
ai_openai_error(ai_error_doc_t *doc, ai_alloc_t *a, ai_str_t *out)
{
    return ai_doc_build(ai_openai_render, doc, a, out);
}


static ai_int_t
ai_openai_error_event(ai_error_doc_t *doc, ai_op_e op, ai_alloc_t *a,
    ai_str_t *out)
{
    return ai_doc_build(op == AI_OP_RESPONSES ? ai_openai_render_responses
                                              : ai_openai_render_event,
                        doc, a, out);
}


static void
ai_openai_error_object(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "\"error\":{\"message\":");
    ai_doc_message(d, doc);
    ai_doc_raw(d, ",\"type\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->openai_type);
    ai_doc_raw(d, ",\"param\":");
    ai_doc_string(d, &doc->param);
    ai_doc_raw(d, ",\"code\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->code);
    ai_doc_more(d, doc);
    ai_doc_raw(d, "}");
}


static void
ai_openai_render(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "{");
    ai_openai_error_object(d, doc);
    ai_doc_raw(d, "}");
}


static void
ai_openai_render_event(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "data: ");
    ai_openai_render(d, doc);
    ai_doc_raw(d, "\n\n");
}


/*
 * A response that failed, for those who read events by their type; and an
 * object "error" at the top, by which the libraries know an error in any
 * stream, and which the others ignore.  What only the provider knows of the
 * response is left empty; no sequence number, which would have to follow
 * those of the provider.
 */

static void
ai_openai_render_responses(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "event: response.failed\n"
                  "data: {\"type\":\"response.failed\","
                  "\"sequence_number\":");
    ai_doc_uint(d, doc->sequence);
    ai_doc_raw(d, ",\"response\":{\"id\":");
    ai_doc_string(d, &doc->request_id);
    ai_doc_raw(d, ",\"object\":\"response\",\"created_at\":0,"
                  "\"status\":\"failed\",\"error\":{\"code\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->code);
    ai_doc_raw(d, ",\"message\":");
    ai_doc_message(d, doc);
    ai_doc_raw(d, "},\"incomplete_details\":null,\"model\":\"\",\"output\":[],"
                  "\"parallel_tool_calls\":true,\"tool_choice\":\"auto\","
                  "\"tools\":[],\"usage\":null},");
    ai_openai_error_object(d, doc);
    ai_doc_raw(d, "}\n\n");
}

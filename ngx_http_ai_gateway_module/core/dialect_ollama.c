
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The dialect of Ollama's own API, of which there are providers but no
 * clients here.  Chat is read as the hub reads it.
 */


#include "ai_translate.h"
#include "dialect.h"


static const char *ai_ollama_terminator(ai_op_e op);
static ai_event_e ai_ollama_event(ai_tap_t *tap, ai_str_t *name,
    ai_json_t *root);
static ai_event_e ai_ollama_response(ai_tap_t *tap, ai_json_t *root);
static ai_event_e ai_ollama_embed(ai_tap_t *tap, const ai_json_t *root);
static ai_int_t ai_ollama_error(ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out);
static ai_int_t ai_ollama_error_event(ai_error_doc_t *doc, ai_op_e op,
    ai_alloc_t *a, ai_str_t *out);
static void ai_ollama_render(ai_doc_t *d, ai_error_doc_t *doc);
static void ai_ollama_render_event(ai_doc_t *d, ai_error_doc_t *doc);


const ai_dialect_t  ai_dialect_ollama = {
    ai_string("ollama"),
    AI_AUTH_BEARER,
    1 << AI_OP_OLLAMA_CHAT | 1 << AI_OP_OLLAMA_EMBED | 1 << AI_OP_PASS,
    ai_ollama_terminator,
    ai_ollama_event,
    ai_ollama_response,
    ai_ollama_error,
    ai_ollama_error_event,
    0
};


static const char *
ai_ollama_terminator(ai_op_e op)
{
    (void) op;

    return "";
}


static ai_event_e
ai_ollama_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root)
{
    if (tap->op == AI_OP_OLLAMA_EMBED) {
        return AI_EVENT_INVALID;
    }

    return ai_tap_wire_event(tap, name, root);
}


static ai_event_e
ai_ollama_response(ai_tap_t *tap, ai_json_t *root)
{
    if (tap->op == AI_OP_OLLAMA_EMBED) {
        return ai_ollama_embed(tap, root);
    }

    return ai_tap_wire_response(tap, root);
}


static ai_event_e
ai_ollama_embed(ai_tap_t *tap, const ai_json_t *root)
{
    uint64_t   input;
    ai_json_t  value;

    if (ai_json_get(root, "model", &value) == AI_OK) {
        ai_tap_model(tap, &value);
    }

    if (ai_json_get(root, "embeddings", &value) != AI_OK
        || !ai_tap_members(&value))
    {
        if (ai_json_get(root, "error", &value) == AI_OK) {
            return ai_tap_error(tap, root);
        }

        return AI_EVENT_INVALID;
    }

    if (ai_json_get(root, "prompt_eval_count", &value) == AI_OK
        && ai_usage_count(&value, &input))
    {
        ai_usage_set(&tap->usage, input, 0, 0, 0, 0);
    }

    return AI_EVENT_CONTENT;
}


static ai_int_t
ai_ollama_error(ai_error_doc_t *doc, ai_alloc_t *a, ai_str_t *out)
{
    return ai_doc_build(ai_ollama_render, doc, a, out);
}


static ai_int_t
ai_ollama_error_event(ai_error_doc_t *doc, ai_op_e op, ai_alloc_t *a,
    ai_str_t *out)
{
    (void) op;

    return ai_doc_build(ai_ollama_render_event, doc, a, out);
}


/* the error is a string: there is no type beside it */

static void
ai_ollama_render(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "{\"error\":");
    ai_doc_message(d, doc);
    ai_doc_more(d, doc);
    ai_doc_raw(d, "}");
}


static void
ai_ollama_render_event(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_ollama_render(d, doc);
    ai_doc_raw(d, "\n");
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The dialect of Cohere's API v2.  Chat is read as the hub reads it.
 */


#include "ai_translate.h"
#include "dialect.h"


static const char *ai_cohere_terminator(ai_op_e op);
static ai_event_e ai_cohere_event(ai_tap_t *tap, ai_str_t *name,
    ai_json_t *root);
static ai_event_e ai_cohere_response(ai_tap_t *tap, ai_json_t *root);
static ai_event_e ai_cohere_embed(ai_tap_t *tap, const ai_json_t *root);
static ai_int_t ai_cohere_error(ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out);
static ai_int_t ai_cohere_error_event(ai_error_doc_t *doc, ai_op_e op,
    ai_alloc_t *a, ai_str_t *out);
static void ai_cohere_render(ai_doc_t *d, ai_error_doc_t *doc);
static void ai_cohere_render_event(ai_doc_t *d, ai_error_doc_t *doc);


const ai_dialect_t  ai_dialect_cohere = {
    ai_string("cohere"),
    AI_AUTH_BEARER,
    1 << AI_OP_COHERE_CHAT | 1 << AI_OP_COHERE_EMBED | 1 << AI_OP_PASS,
    ai_cohere_terminator,
    ai_cohere_event,
    ai_cohere_response,
    ai_cohere_error,
    ai_cohere_error_event,
    0
};


static const char *
ai_cohere_terminator(ai_op_e op)
{
    return (op == AI_OP_COHERE_CHAT) ? "data: [DONE]\n\n" : "";
}


static ai_event_e
ai_cohere_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root)
{
    if (tap->op == AI_OP_COHERE_EMBED) {
        return AI_EVENT_INVALID;
    }

    return ai_tap_wire_event(tap, name, root);
}


static ai_event_e
ai_cohere_response(ai_tap_t *tap, ai_json_t *root)
{
    if (tap->op == AI_OP_COHERE_EMBED) {
        return ai_cohere_embed(tap, root);
    }

    return ai_tap_wire_response(tap, root);
}


/* embeddings are an array for each type that was asked for, or, as in v1,
 * one array */

static ai_event_e
ai_cohere_embed(ai_tap_t *tap, const ai_json_t *root)
{
    uint64_t   input, images;
    ai_json_t  value;
    ai_uint_t  told;

    if (ai_json_get(root, "embeddings", &value) != AI_OK
        || !ai_tap_members(&value))
    {
        if (ai_json_get(root, "message", &value) == AI_OK
            || ai_json_get(root, "error", &value) == AI_OK)
        {
            return ai_tap_error(tap, root);
        }

        return AI_EVENT_INVALID;
    }

    told = 0;
    input = 0;
    images = 0;

    if (ai_json_path(root, &value, "meta", "billed_units", "input_tokens",
                     NULL)
        == AI_OK)
    {
        told |= ai_usage_count(&value, &input);
    }

    if (ai_json_path(root, &value, "meta", "billed_units", "image_tokens",
                     NULL)
        == AI_OK)
    {
        told |= ai_usage_count(&value, &images);
    }

    if (told) {
        ai_usage_set(&tap->usage, input + images, 0, 0, 0, 0);
    }

    return AI_EVENT_CONTENT;
}


static ai_int_t
ai_cohere_error(ai_error_doc_t *doc, ai_alloc_t *a, ai_str_t *out)
{
    return ai_doc_build(ai_cohere_render, doc, a, out);
}


static ai_int_t
ai_cohere_error_event(ai_error_doc_t *doc, ai_op_e op, ai_alloc_t *a,
    ai_str_t *out)
{
    (void) op;

    return ai_doc_build(ai_cohere_render_event, doc, a, out);
}


static void
ai_cohere_render(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "{\"id\":");
    ai_doc_string(d, &doc->request_id);
    ai_doc_raw(d, ",\"message\":");
    ai_doc_message(d, doc);
    ai_doc_raw(d, ",\"error_type\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->code);

    if (doc->param.len != 0) {
        ai_doc_raw(d, ",\"param\":");
        ai_doc_string(d, &doc->param);
    }

    ai_doc_more(d, doc);
    ai_doc_raw(d, "}");
}


/*
 * Clients know no event for errors, but they know a message that ends with
 * one.  No terminator follows, so that it does not look complete either.
 */

static void
ai_cohere_render_event(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "event: message-end\ndata: {\"type\":\"message-end\","
               "\"delta\":{\"finish_reason\":\"ERROR\",\"usage\":{},"
               "\"error\":");
    ai_doc_message(d, doc);
    ai_doc_raw(d, ",\"error_type\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->code);
    ai_doc_raw(d, "}}\n\n");
}

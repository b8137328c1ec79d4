
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The Gemini dialect, of the Gemini API and of Vertex AI.  A chunk of a
 * stream has the shape of a whole answer.
 */


#include "dialect.h"


/* the members of a chunk or an answer that are read; null when absent */

typedef struct {
    ai_json_t  candidates;
    ai_json_t  feedback;
    ai_json_t  usage;
    unsigned   error:1;
    unsigned   known:1;
    unsigned   count:1;        /* totalTokens */
    unsigned   embedding:1;    /* embedding, embeddings */
} ai_gemini_root_t;


static const char *ai_gemini_terminator(ai_op_e op);
static ai_event_e ai_gemini_event(ai_tap_t *tap, ai_str_t *name,
    ai_json_t *root);
static ai_event_e ai_gemini_response(ai_tap_t *tap, ai_json_t *root);
static ai_event_e ai_gemini_array(ai_tap_t *tap, const ai_json_t *root);
static void ai_gemini_root(ai_tap_t *tap, const ai_json_t *root,
    ai_gemini_root_t *m);
static ai_event_e ai_gemini_candidates(ai_tap_t *tap, ai_gemini_root_t *m,
    ai_uint_t *n);
static ai_event_e ai_gemini_candidate(ai_tap_t *tap,
    const ai_json_t *candidate);
static ai_uint_t ai_gemini_part(ai_tap_t *tap, const ai_json_t *part);
static ai_int_t ai_gemini_error(ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out);
static ai_int_t ai_gemini_error_event(ai_error_doc_t *doc, ai_op_e op,
    ai_alloc_t *a, ai_str_t *out);
static void ai_gemini_render(ai_doc_t *d, ai_error_doc_t *doc);
static void ai_gemini_render_event(ai_doc_t *d, ai_error_doc_t *doc);


const ai_dialect_t  ai_dialect_gemini = {
    ai_string("gemini"),
    AI_AUTH_X_GOOG_API_KEY,
    1 << AI_OP_GENERATE | 1 << AI_OP_STREAM_GENERATE
    | 1 << AI_OP_GEMINI_COUNT_TOKENS | 1 << AI_OP_EMBED_CONTENT
    | 1 << AI_OP_BATCH_EMBED_CONTENTS | 1 << AI_OP_PASS,
    ai_gemini_terminator,
    ai_gemini_event,
    ai_gemini_response,
    ai_gemini_error,
    ai_gemini_error_event,
    0
};


static const char *
ai_gemini_terminator(ai_op_e op)
{
    (void) op;

    return "";
}


/*
 * Usage comes with every chunk and is never asked for: a chunk with nothing
 * else is idle, as there is nobody to hide it from.
 */

static ai_event_e
ai_gemini_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root)
{
    ai_uint_t         n;
    ai_event_e        event;
    ai_gemini_root_t  m;

    ai_gemini_root(tap, root, &m);
    (void) ai_gemini_usage(&m.usage, &tap->usage);

    if (m.error || ai_str_eq(name, "error")) {
        return ai_tap_error(tap, root);
    }

    event = ai_gemini_candidates(tap, &m, &n);

    if (event == AI_EVENT_IDLE && !m.known) {
        tap->unknown++;
    }

    return event;
}


static ai_event_e
ai_gemini_response(ai_tap_t *tap, ai_json_t *root)
{
    ai_uint_t         n;
    ai_event_e        event;
    ai_gemini_root_t  m;

    if (root->type == AI_JSON_ARRAY) {
        return ai_gemini_array(tap, root);
    }

    ai_gemini_root(tap, root, &m);
    (void) ai_gemini_usage(&m.usage, &tap->usage);

    if (m.error) {
        return ai_tap_error(tap, root);
    }

    switch (tap->op) {

    case AI_OP_GEMINI_COUNT_TOKENS:
        ai_usage_set(&tap->usage, 0, 0, 0, 0, 0);
        return m.count ? AI_EVENT_CONTENT : AI_EVENT_INVALID;

    case AI_OP_EMBED_CONTENT:
    case AI_OP_BATCH_EMBED_CONTENTS:
        return m.embedding ? AI_EVENT_CONTENT : AI_EVENT_INVALID;

    default:
        event = ai_gemini_candidates(tap, &m, &n);

        return (n != 0 || event == AI_EVENT_CONTENT) ? AI_EVENT_CONTENT
                                                     : AI_EVENT_INVALID;
    }
}


/*
 * The answer to streamGenerateContent without "alt=sse": an array of what
 * would have been events, and of an error, be it the only element.
 */

static ai_event_e
ai_gemini_array(ai_tap_t *tap, const ai_json_t *root)
{
    ai_str_t        none;
    ai_json_t       chunk;
    ai_event_e      event, result;
    ai_json_iter_t  it;

    ai_str_set(&none, "");
    result = AI_EVENT_INVALID;

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, NULL, &chunk) == AI_OK) {

        if (chunk.type != AI_JSON_OBJECT) {
            return AI_EVENT_INVALID;
        }

        event = ai_gemini_event(tap, &none, &chunk);

        if (event == AI_EVENT_ERROR) {
            return event;
        }

        if (event == AI_EVENT_CONTENT) {
            result = event;
        }
    }

    return result;
}


static void
ai_gemini_root(ai_tap_t *tap, const ai_json_t *root, ai_gemini_root_t *m)
{
    ai_json_t      name, value;
    ai_tap_iter_t  it;

    memset(m, 0, sizeof(ai_gemini_root_t));

    ai_tap_iter_init(&it, tap, root);

    while (root->type == AI_JSON_OBJECT
           && ai_tap_next(&it, &name, &value) == AI_OK)
    {
        if (ai_json_is(&name, "candidates")) {
            m->candidates = value;
            m->known = 1;

        } else if (ai_json_is(&name, "usageMetadata")) {
            m->usage = value;
            m->known = 1;

        } else if (ai_json_is(&name, "modelVersion")) {
            ai_tap_model(tap, &value);

        } else if (ai_json_is(&name, "promptFeedback")) {
            m->feedback = value;
            m->known = 1;

        } else if (ai_json_is(&name, "error")) {
            m->error = ai_tap_is_error(&value);

        } else if (ai_json_is(&name, "totalTokens")) {
            m->count = value.type == AI_JSON_NUMBER;

        } else if (ai_json_is(&name, "embedding")
                   || ai_json_is(&name, "embeddings"))
        {
            m->embedding = ai_tap_members(&value);
        }
    }
}


/* CONTENT or IDLE; *n is the number of candidates that are objects */

static ai_event_e
ai_gemini_candidates(ai_tap_t *tap, ai_gemini_root_t *m, ai_uint_t *n)
{
    ai_json_t       value;
    ai_event_e      result;
    ai_json_iter_t  it;

    *n = 0;
    result = AI_EVENT_IDLE;

    ai_json_iter_init(&it, &m->candidates);

    while (m->candidates.type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &value) == AI_OK)
    {
        if (value.type != AI_JSON_OBJECT) {
            continue;
        }

        (*n)++;

        if (ai_gemini_candidate(tap, &value) == AI_EVENT_CONTENT) {
            result = AI_EVENT_CONTENT;
        }
    }

    /* a prompt that was refused has no candidates */

    if (m->feedback.type == AI_JSON_OBJECT
        && ai_json_get(&m->feedback, "blockReason", &value) == AI_OK
        && ai_tap_finish(tap, &value))
    {
        ai_tap_choice(tap, 0, 1);
        result = AI_EVENT_CONTENT;
    }

    return result;
}


static ai_event_e
ai_gemini_candidate(ai_tap_t *tap, const ai_json_t *candidate)
{
    uint64_t        index;
    ai_json_t       name, value, part;
    ai_uint_t       content, finished;
    ai_json_iter_t  it, parts;

    index = 0;
    content = 0;
    finished = 0;

    ai_json_iter_init(&it, candidate);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "content")) {

            if (value.type != AI_JSON_OBJECT
                || ai_json_get(&value, "parts", &value) != AI_OK
                || value.type != AI_JSON_ARRAY)
            {
                continue;
            }

            ai_json_iter_init(&parts, &value);

            while (ai_json_next(&parts, NULL, &part) == AI_OK) {
                content |= ai_gemini_part(tap, &part);
            }

        } else if (ai_json_is(&name, "index")) {
            (void) ai_json_uint(&value, &index);

        } else if (ai_json_is(&name, "finishReason")) {
            finished = !ai_json_is(&value, "FINISH_REASON_UNSPECIFIED")
                       && ai_tap_finish(tap, &value);
        }
    }

    ai_tap_choice(tap, index, finished);

    return (content || finished) ? AI_EVENT_CONTENT : AI_EVENT_IDLE;
}


/* 1 unless there is nothing but an empty text in it */

static ai_uint_t
ai_gemini_part(ai_tap_t *tap, const ai_json_t *part)
{
    ai_uint_t       content;
    ai_json_t       name, value, inner;
    ai_json_iter_t  it;

    content = 0;

    ai_json_iter_init(&it, part);

    while (part->type == AI_JSON_OBJECT
           && ai_json_next(&it, &name, &value) == AI_OK)
    {
        if (ai_json_is(&name, "text")) {
            content |= ai_tap_text(tap, &value);

        } else if (ai_json_is(&name, "functionCall")
                   && value.type == AI_JSON_OBJECT)
        {
            content = 1;

            if (ai_json_get(&value, "name", &inner) == AI_OK) {
                ai_tap_tool(tap, &inner);
            }

            if (ai_json_get(&value, "args", &inner) == AI_OK
                && ai_tap_members(&inner))
            {
                tap->output_bytes += (uint64_t) (inner.end - inner.start);
            }

        } else if (!ai_json_is(&name, "thought")) {
            content |= ai_tap_is_error(&value);
        }
    }

    return content;
}


static ai_int_t
ai_gemini_error(ai_error_doc_t *doc, ai_alloc_t *a, ai_str_t *out)
{
    return ai_doc_build(ai_gemini_render, doc, a, out);
}


static ai_int_t
ai_gemini_error_event(ai_error_doc_t *doc, ai_op_e op, ai_alloc_t *a,
    ai_str_t *out)
{
    (void) op;

    return ai_doc_build(ai_gemini_render_event, doc, a, out);
}


/* "code" is the HTTP status here, so our own code is called "reason" */

static void
ai_gemini_render(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "{\"error\":{\"code\":");
    ai_doc_uint(d, ai_error_status(doc));
    ai_doc_raw(d, ",\"message\":");
    ai_doc_message(d, doc);
    ai_doc_raw(d, ",\"status\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->google_status);
    ai_doc_raw(d, ",\"reason\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->code);

    if (doc->param.len != 0) {
        ai_doc_raw(d, ",\"param\":");
        ai_doc_string(d, &doc->param);
    }

    ai_doc_more(d, doc);
    ai_doc_raw(d, "}}");
}


static void
ai_gemini_render_event(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "data: ");
    ai_gemini_render(d, doc);
    ai_doc_raw(d, "\r\n\r\n");
}

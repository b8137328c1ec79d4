
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The answer as clients of generateContent read it: a document, or chunks
 * that are documents of the same shape.
 */


#include "wire_gemini.h"


/* a candidate of a stream */

struct ai_gemini_choice_s {
    ai_gemini_choice_t  *next;
    ai_uint_t            index;
    ai_finish_e          finish;
    ai_part_t            call;         /* the one under way */
    ai_buf_t             args;
    ai_buf_t             sources;      /* groundingChunks */
};


static ai_int_t ai_gemini_render_event(ai_encode_t *e,
    const ai_delta_t *delta);
static ai_int_t ai_gemini_event_part(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_gemini_event_state(ai_encode_t *e,
    const ai_delta_t *delta);
static ai_int_t ai_gemini_event_call(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_gemini_event_args(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_gemini_event_source(ai_encode_t *e,
    const ai_delta_t *delta);
static ai_int_t ai_gemini_event_logprobs(ai_encode_t *e,
    const ai_delta_t *delta);
static ai_int_t ai_gemini_event_end(ai_encode_t *e);
static ai_gemini_choice_t *ai_gemini_choice(ai_encode_t *e, ai_uint_t index);
static void ai_gemini_chunk_begin(ai_encode_t *e);
static ai_int_t ai_gemini_chunk_end(ai_encode_t *e);
static void ai_gemini_part_begin(ai_encode_t *e);
static ai_int_t ai_gemini_part_end(ai_encode_t *e, ai_uint_t index);
static ai_int_t ai_gemini_render_response(ai_encode_t *e,
    const ai_answer_t *a);
static ai_int_t ai_gemini_answer_candidate(ai_encode_t *e,
    const ai_answer_choice_t *c, ai_uint_t index);
static ai_int_t ai_gemini_write_part(ai_encode_t *e, const ai_part_t *part);
static void ai_gemini_write_text(ai_encode_t *e, const ai_mstr_t *text,
    ai_uint_t thought);
static ai_int_t ai_gemini_write_state(ai_encode_t *e, ai_state_e kind,
    const ai_mstr_t *id, const ai_mstr_t *state);
static ai_int_t ai_gemini_write_call(ai_encode_t *e, const ai_part_t *call);
static void ai_gemini_write_image(ai_encode_t *e, const ai_mstr_t *type,
    const ai_mstr_t *data);
static void ai_gemini_write_source(ai_buf_t *out, const ai_mstr_t *url,
    const ai_mstr_t *title);
static void ai_gemini_write_finish(ai_encode_t *e, ai_finish_e finish);
static void ai_gemini_write_usage(ai_encode_t *e, const ai_usage_t *u);
static ai_int_t ai_gemini_write_tail(ai_encode_t *e);
static ai_int_t ai_gemini_write_logprobs(ai_encode_t *e, const ai_str_t *raw);
static void ai_gemini_write_logprob(ai_buf_t *out, const ai_json_t *v);
static ai_int_t ai_gemini_render_error(ai_encode_t *e, ai_error_doc_t *doc);


const ai_wire_t  ai_wire_gemini = {
    "text/event-stream",
    ai_gemini_parse_request,
    ai_gemini_render_request,
    ai_gemini_parse_event,
    ai_gemini_parse_end,
    ai_gemini_parse_response,
    ai_gemini_render_event,
    ai_gemini_render_response,
    ai_gemini_render_error,
    sizeof(ai_gemini_decode_t),
    sizeof(ai_gemini_encode_t)
};


/*
 * Each piece is a chunk of its own, calls excepted, which go out whole.  Why
 * the answer ended is told by the last chunk, with the usage.
 */

static ai_int_t
ai_gemini_render_event(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_gemini_choice_t  *choice;
    ai_gemini_encode_t  *g;

    g = e->state;

    switch (delta->type) {

    case AI_DELTA_START:
        return ai_mstr_copy(&delta->id, e->alloc, &g->id);

    case AI_DELTA_TEXT:
    case AI_DELTA_REASONING:
    case AI_DELTA_REFUSAL:
    case AI_DELTA_IMAGE:
        return ai_gemini_event_part(e, delta);

    case AI_DELTA_STATE:
        return ai_gemini_event_state(e, delta);

    case AI_DELTA_CALL:
        return ai_gemini_event_call(e, delta);

    case AI_DELTA_ARGS:
    case AI_DELTA_CALL_END:
        return ai_gemini_event_args(e, delta);

    case AI_DELTA_CITATION:
        return ai_gemini_event_source(e, delta);

    case AI_DELTA_LOGPROBS:
        return ai_gemini_event_logprobs(e, delta);

    case AI_DELTA_FINISH:
        choice = ai_gemini_choice(e, delta->choice);

        if (choice == NULL) {
            return AI_ERROR;
        }

        choice->finish = delta->finish;
        return AI_OK;

    case AI_DELTA_USAGE:
        g->usage = delta->usage;
        g->usage_known = 1;
        return AI_OK;

    case AI_DELTA_END:
        return ai_gemini_event_end(e);

    default:
        return AI_OK;
    }
}


static ai_int_t
ai_gemini_event_part(ai_encode_t *e, const ai_delta_t *delta)
{
    if (ai_gemini_choice(e, delta->choice) == NULL) {
        return AI_ERROR;
    }

    ai_gemini_part_begin(e);

    if (delta->type == AI_DELTA_IMAGE) {
        ai_gemini_write_image(e, &delta->media_type, &delta->text);

    } else {
        ai_gemini_write_text(e, &delta->text,
                             delta->type == AI_DELTA_REASONING);
    }

    return ai_gemini_part_end(e, delta->choice);
}


/*
 * A thought without words, so that a client that sends back what it got sends
 * the state as well.
 */

static ai_int_t
ai_gemini_event_state(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_mstr_t  none;

    if (delta->state_kind == AI_STATE_NONE) {
        return AI_OK;
    }

    if (ai_gemini_choice(e, delta->choice) == NULL) {
        return AI_ERROR;
    }

    none = ai_mstr_cstr("");

    ai_gemini_part_begin(e);
    ai_gemini_write_text(e, &none, delta->state_kind != AI_STATE_GOOGLE);

    if (ai_gemini_write_state(e, delta->state_kind, &delta->state_id,
                              &delta->state)
        != AI_OK)
    {
        return AI_ERROR;
    }

    return ai_gemini_part_end(e, delta->choice);
}


static ai_int_t
ai_gemini_event_call(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_part_t           *call;
    ai_gemini_choice_t  *choice;

    choice = ai_gemini_choice(e, delta->choice);

    if (choice == NULL) {
        return AI_ERROR;
    }

    call = &choice->call;
    memset(call, 0, sizeof(ai_part_t));

    call->type = AI_PART_CALL;
    call->custom = delta->custom;
    call->state_kind = delta->state_kind;

    ai_buf_reset(&choice->args);

    if (ai_mstr_copy(&delta->id, e->alloc, &call->id) != AI_OK
        || ai_mstr_copy(&delta->name, e->alloc, &call->name) != AI_OK
        || ai_mstr_copy(&delta->state, e->alloc, &call->state) != AI_OK)
    {
        return AI_ERROR;
    }

    return AI_OK;
}


static ai_int_t
ai_gemini_event_args(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_gemini_choice_t  *choice;

    choice = ai_gemini_choice(e, delta->choice);

    if (choice == NULL) {
        return AI_ERROR;
    }

    if (delta->type == AI_DELTA_ARGS) {
        ai_buf_plain(&choice->args, &delta->text);
        return choice->args.failed ? AI_ERROR : AI_OK;
    }

    if (ai_buf_get(&choice->args, &choice->call.args.s) != AI_OK) {
        return AI_ERROR;
    }

    ai_gemini_part_begin(e);

    if (ai_gemini_write_call(e, &choice->call) != AI_OK) {
        return AI_ERROR;
    }

    return ai_gemini_part_end(e, delta->choice);
}


/* kept for the last chunk, where all of them have one list */

static ai_int_t
ai_gemini_event_source(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_gemini_choice_t  *choice;

    choice = ai_gemini_choice(e, delta->choice);

    if (choice == NULL) {
        return AI_ERROR;
    }

    if (ai_mstr_empty(&delta->url)) {
        return AI_OK;
    }

    if (ai_buf_len(&choice->sources) == 0) {
        ai_buf_lit(&choice->sources, "[");
    }

    ai_gemini_write_source(&choice->sources, &delta->url, &delta->name);

    return choice->sources.failed ? AI_ERROR : AI_OK;
}


static ai_int_t
ai_gemini_event_logprobs(ai_encode_t *e, const ai_delta_t *delta)
{
    if (ai_gemini_choice(e, delta->choice) == NULL) {
        return AI_ERROR;
    }

    ai_gemini_chunk_begin(e);
    ai_buf_lit(e->out, "{");

    if (ai_gemini_write_logprobs(e, &delta->raw) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key_uint(e->out, "index", delta->choice);
    ai_buf_lit(e->out, "}]");

    return ai_gemini_chunk_end(e);
}


static ai_int_t
ai_gemini_event_end(ai_encode_t *e)
{
    ai_gemini_choice_t  *c;
    ai_gemini_encode_t  *g;

    g = e->state;

    if (g->choices == NULL && ai_gemini_choice(e, 0) == NULL) {
        return AI_ERROR;
    }

    ai_gemini_chunk_begin(e);

    for (c = g->choices; c != NULL; c = c->next) {

        ai_buf_comma(e->out);
        ai_buf_lit(e->out, "{\"content\":{\"parts\":[{\"text\":\"\"}],"
                           "\"role\":\"model\"}");
        ai_gemini_write_finish(e, c->finish);

        if (ai_buf_len(&c->sources) != 0) {
            ai_buf_lit(e->out, ",\"groundingMetadata\":{\"groundingChunks\":");
            ai_buf_put(e->out, c->sources.start, ai_buf_len(&c->sources));
            ai_buf_lit(e->out, "]}");
        }

        ai_buf_key_uint(e->out, "index", c->index);
        ai_buf_lit(e->out, "}");
    }

    ai_buf_lit(e->out, "]");

    if (g->usage_known) {
        ai_gemini_write_usage(e, &g->usage);
    }

    if (ai_gemini_chunk_end(e) != AI_OK) {
        return AI_ERROR;
    }

    if (e->array) {
        ai_buf_lit(e->out, "]");
    }

    return e->out->failed ? AI_ERROR : AI_OK;
}


/* in the order of their indices; NULL: no memory */

static ai_gemini_choice_t *
ai_gemini_choice(ai_encode_t *e, ai_uint_t index)
{
    ai_gemini_choice_t  *c, **prev;
    ai_gemini_encode_t  *g;

    g = e->state;

    for (prev = &g->choices; *prev != NULL; prev = &(*prev)->next) {

        c = *prev;

        if (c->index == index) {
            return c;
        }

        if (c->index > index) {
            break;
        }
    }

    c = ai_alloc(e->alloc, sizeof(ai_gemini_choice_t));

    if (c == NULL) {
        return NULL;
    }

    memset(c, 0, sizeof(ai_gemini_choice_t));

    ai_buf_init(&c->args, e->alloc, e->max);
    ai_buf_init(&c->sources, e->alloc, e->max);

    c->index = index;
    c->next = *prev;
    *prev = c;

    return c;
}


static void
ai_gemini_chunk_begin(ai_encode_t *e)
{
    ai_gemini_encode_t  *g;

    g = e->state;

    if (!e->array) {
        ai_buf_lit(e->out, "data: {\"candidates\":[");

    } else if (g->begun) {
        ai_buf_lit(e->out, "\n,\n{\"candidates\":[");

    } else {
        ai_buf_lit(e->out, "[{\"candidates\":[");
    }

    g->begun = 1;
}


static ai_int_t
ai_gemini_chunk_end(ai_encode_t *e)
{
    if (ai_gemini_write_tail(e) != AI_OK) {
        return AI_ERROR;
    }

    if (!e->array) {
        ai_buf_lit(e->out, "\r\n\r\n");
    }

    return e->out->failed ? AI_ERROR : AI_OK;
}


/* a chunk with one part of one candidate */

static void
ai_gemini_part_begin(ai_encode_t *e)
{
    ai_gemini_chunk_begin(e);
    ai_buf_lit(e->out, "{\"content\":{\"parts\":[");
}


static ai_int_t
ai_gemini_part_end(ai_encode_t *e, ai_uint_t index)
{
    ai_buf_lit(e->out, "}],\"role\":\"model\"},\"index\":");
    ai_buf_uint(e->out, index);
    ai_buf_lit(e->out, "}]");

    return ai_gemini_chunk_end(e);
}


static ai_int_t
ai_gemini_render_response(ai_encode_t *e, const ai_answer_t *a)
{
    ai_uint_t            i;
    ai_gemini_encode_t  *g;

    g = e->state;
    g->id = a->id;

    ai_buf_lit(e->out, "{\"candidates\":[");

    for (i = 0; i < a->nchoices; i++) {

        ai_buf_comma(e->out);

        if (ai_gemini_answer_candidate(e, &a->choices[i], i) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_buf_lit(e->out, "]");

    if (a->usage.source != AI_USAGE_NONE) {
        ai_gemini_write_usage(e, &a->usage);
    }

    return ai_gemini_write_tail(e);
}


static ai_int_t
ai_gemini_answer_candidate(ai_encode_t *e, const ai_answer_choice_t *c,
    ai_uint_t index)
{
    const ai_part_t      *part;
    const ai_citation_t  *cite;

    ai_buf_lit(e->out, "{\"content\":{\"parts\":[");

    if (c->parts == NULL) {
        ai_buf_lit(e->out, "{\"text\":\"\"}");
    }

    for (part = c->parts; part != NULL; part = part->next) {

        if (ai_gemini_write_part(e, part) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_buf_lit(e->out, "],\"role\":\"model\"}");
    ai_gemini_write_finish(e, c->finish);

    if (c->citations != NULL) {
        ai_buf_lit(e->out, ",\"groundingMetadata\":{\"groundingChunks\":[");

        for (cite = c->citations; cite != NULL; cite = cite->next) {
            if (!ai_mstr_empty(&cite->url)) {
                ai_gemini_write_source(e->out, &cite->url, &cite->title);
            }
        }

        ai_buf_lit(e->out, "]}");
    }

    if (c->logprobs.len != 0
        && ai_gemini_write_logprobs(e, &c->logprobs) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_key_uint(e->out, "index", index);
    ai_buf_lit(e->out, "}");

    return AI_OK;
}


static ai_int_t
ai_gemini_write_part(ai_encode_t *e, const ai_part_t *part)
{
    switch (part->type) {

    case AI_PART_TEXT:
    case AI_PART_REFUSAL:
        ai_buf_comma(e->out);
        ai_gemini_write_text(e, &part->text, 0);
        break;

    case AI_PART_REASONING:
        ai_buf_comma(e->out);
        ai_gemini_write_text(e, &part->text,
                             part->state_kind != AI_STATE_GOOGLE
                             || !ai_mstr_empty(&part->text));

        if (ai_gemini_write_state(e, part->state_kind, &part->state_id,
                                  &part->state)
            != AI_OK)
        {
            return AI_ERROR;
        }

        break;

    case AI_PART_CALL:
        ai_buf_comma(e->out);

        if (ai_gemini_write_call(e, part) != AI_OK) {
            return AI_ERROR;
        }

        break;

    case AI_PART_IMAGE:
        ai_buf_comma(e->out);
        ai_gemini_write_image(e, &part->media_type, &part->data);
        break;

    default:
        return AI_OK;
    }

    ai_buf_lit(e->out, "}");

    return AI_OK;
}


/* the pieces below leave their object open: a signature may follow */

static void
ai_gemini_write_text(ai_encode_t *e, const ai_mstr_t *text, ai_uint_t thought)
{
    ai_buf_lit(e->out, "{\"text\":");
    ai_buf_string(e->out, text);

    if (thought) {
        ai_buf_lit(e->out, ",\"thought\":true");
    }
}


static ai_int_t
ai_gemini_write_state(ai_encode_t *e, ai_state_e kind, const ai_mstr_t *id,
    const ai_mstr_t *state)
{
    ai_mstr_t  packed;

    switch (kind) {

    case AI_STATE_NONE:
        return AI_OK;

    case AI_STATE_GOOGLE:
        packed = *state;
        break;

    default:

        if (ai_state_pack(kind, id, state, e->alloc, &packed) != AI_OK) {
            return AI_ERROR;
        }

        break;
    }

    ai_buf_key_string(e->out, "thoughtSignature", &packed);

    return AI_OK;
}


static ai_int_t
ai_gemini_write_call(ai_encode_t *e, const ai_part_t *call)
{
    ai_str_t  args;

    if (ai_part_object(call, e->alloc, &args) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(e->out, "{\"functionCall\":{");
    ai_buf_key_string(e->out, "id", &call->id);
    ai_buf_key(e->out, "name");
    ai_buf_string(e->out, &call->name);
    ai_buf_key(e->out, "args");

    ai_buf_json_line(e->out, &args);
    ai_buf_lit(e->out, "}");

    /* a call that came without one does not look like Gemini's own later */

    if (call->state_kind == AI_STATE_NONE) {
        ai_buf_lit(e->out, ",\"thoughtSignature\":\"" AI_STATE_UNSIGNED "\"");
        return AI_OK;
    }

    return ai_gemini_write_state(e, call->state_kind, &call->state_id,
                                 &call->state);
}


static void
ai_gemini_write_image(ai_encode_t *e, const ai_mstr_t *type,
    const ai_mstr_t *data)
{
    ai_mstr_t  png;

    png = ai_mstr_cstr("image/png");

    ai_buf_lit(e->out, "{\"inlineData\":{\"mimeType\":");
    ai_buf_string(e->out, ai_mstr_empty(type) ? &png : type);
    ai_buf_key(e->out, "data");
    ai_buf_string(e->out, data);
    ai_buf_lit(e->out, "}");
}


static void
ai_gemini_write_source(ai_buf_t *out, const ai_mstr_t *url,
    const ai_mstr_t *title)
{
    ai_buf_comma(out);
    ai_buf_lit(out, "{\"web\":{");
    ai_buf_key_string(out, "uri", url);
    ai_buf_key_string(out, "title", title);
    ai_buf_lit(out, "}}");
}


static void
ai_gemini_write_finish(ai_encode_t *e, ai_finish_e finish)
{
    ai_buf_key(e->out, "finishReason");

    switch (finish) {

    case AI_FINISH_LENGTH:
    case AI_FINISH_CONTEXT:
        ai_buf_lit(e->out, "\"MAX_TOKENS\"");
        break;

    case AI_FINISH_FILTER:
        ai_buf_lit(e->out, "\"SAFETY\"");
        break;

    case AI_FINISH_BROKEN:
        ai_buf_lit(e->out, "\"OTHER\"");
        break;

    default:
        ai_buf_lit(e->out, "\"STOP\"");
        break;
    }
}


static void
ai_gemini_write_usage(ai_encode_t *e, const ai_usage_t *u)
{
    uint64_t  input, thoughts;

    input = ai_usage_input(u);
    thoughts = (u->reasoning < u->output) ? u->reasoning : u->output;

    ai_buf_key(e->out, "usageMetadata");
    ai_buf_lit(e->out, "{");
    ai_buf_key_uint(e->out, "promptTokenCount", input);
    ai_buf_key_uint(e->out, "candidatesTokenCount", u->output - thoughts);
    ai_buf_key_uint(e->out, "totalTokenCount", input + u->output);

    if (u->cached != 0) {
        ai_buf_key_uint(e->out, "cachedContentTokenCount", u->cached);
    }

    if (thoughts != 0) {
        ai_buf_key_uint(e->out, "thoughtsTokenCount", thoughts);
    }

    ai_buf_lit(e->out, "}");
}


/* what every document ends with; the id is the same in all of them */

static ai_int_t
ai_gemini_write_tail(ai_encode_t *e)
{
    ai_gemini_encode_t  *g;

    g = e->state;

    if (ai_mstr_empty(&g->id) && ai_encode_id(e, "", 0, &g->id) != AI_OK) {
        return AI_ERROR;
    }

    if (e->model.len != 0) {
        ai_buf_key(e->out, "modelVersion");
        ai_buf_quote(e->out, &e->model);
    }

    ai_buf_key_string(e->out, "responseId", &g->id);
    ai_buf_lit(e->out, "}");

    return e->out->failed ? AI_ERROR : AI_OK;
}


/* of OpenAI's array, in which each token has its alternatives */

static ai_int_t
ai_gemini_write_logprobs(ai_encode_t *e, const ai_str_t *raw)
{
    ai_json_t       list, token, top, other;
    ai_json_iter_t  it, others;

    memset(&list, 0, sizeof(ai_json_t));

    list.type = AI_JSON_ARRAY;
    list.start = raw->data;
    list.end = raw->data + raw->len;

    ai_buf_key(e->out, "logprobsResult");
    ai_buf_lit(e->out, "{\"topCandidates\":[");
    ai_json_iter_init(&it, &list);

    while (ai_json_next(&it, NULL, &token) == AI_OK) {

        ai_buf_comma(e->out);
        ai_buf_lit(e->out, "{\"candidates\":[");

        if (ai_json_get(&token, "top_logprobs", &top) == AI_OK) {
            ai_json_iter_init(&others, &top);

            while (ai_json_next(&others, NULL, &other) == AI_OK) {
                ai_gemini_write_logprob(e->out, &other);
            }
        }

        ai_buf_lit(e->out, "]}");
    }

    ai_buf_lit(e->out, "],\"chosenCandidates\":[");
    ai_json_iter_init(&it, &list);

    while (ai_json_next(&it, NULL, &token) == AI_OK) {
        ai_gemini_write_logprob(e->out, &token);
    }

    ai_buf_lit(e->out, "]}");

    return e->out->failed ? AI_ERROR : AI_OK;
}


static void
ai_gemini_write_logprob(ai_buf_t *out, const ai_json_t *v)
{
    ai_json_t  value;
    ai_mstr_t  token;

    if (v->type != AI_JSON_OBJECT
        || ai_json_get(v, "token", &value) != AI_OK)
    {
        return;
    }

    token = ai_mstr(&value);

    ai_buf_comma(out);
    ai_buf_lit(out, "{\"token\":");
    ai_buf_string(out, &token);

    if (ai_json_get(v, "logprob", &value) == AI_OK
        && value.type == AI_JSON_NUMBER)
    {
        ai_buf_key(out, "logProbability");
        ai_buf_put(out, value.start, (size_t) (value.end - value.start));
    }

    ai_buf_lit(out, "}");
}


/* as an error document, in the framing of the stream */

static ai_int_t
ai_gemini_render_error(ai_encode_t *e, ai_error_doc_t *doc)
{
    ai_str_t             text;
    ai_gemini_encode_t  *g;

    g = e->state;

    if (!e->array) {

        if (ai_dialect_gemini.error_event(doc, e->op, e->alloc, &text)
            != AI_OK)
        {
            return AI_ERROR;
        }

        ai_buf_raw(e->out, &text);

        return e->out->failed ? AI_ERROR : AI_OK;
    }

    if (ai_dialect_gemini.error(doc, e->alloc, &text) != AI_OK) {
        return AI_ERROR;
    }

    if (g->begun) {
        ai_buf_lit(e->out, "\n,\n");

    } else {
        ai_buf_lit(e->out, "[");
    }

    g->begun = 1;

    ai_buf_raw(e->out, &text);
    ai_buf_lit(e->out, "]");

    return e->out->failed ? AI_ERROR : AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a provider answers: wire-formats.md 7.2 and 7.3.  A chunk of a stream
 * has the shape of a whole answer.
 */


#include "wire_gemini.h"


#define AI_GEMINI_CANDIDATES  64


/* the members of a chunk; null when absent */

typedef struct {
    ai_json_t            candidates;
    ai_json_t            feedback;
    ai_json_t            usage;
    ai_json_t            error;
    ai_json_t            model;
    ai_json_t            id;
    unsigned             known:1;
} ai_gemini_chunk_t;


typedef struct {
    ai_json_t            content;
    ai_json_t            finish;
    ai_json_t            grounding;
    ai_json_t            citations;
    ai_json_t            logprobs;
    ai_uint_t            index;
} ai_gemini_candidate_t;


typedef struct {
    const char          *name;
    ai_finish_e          finish;
} ai_gemini_finish_t;


static ai_int_t ai_gemini_chunks(ai_decode_t *d, const ai_json_t *root,
    ai_uint_t *candidates);
static ai_int_t ai_gemini_chunk(ai_decode_t *d, const ai_json_t *root,
    ai_uint_t *candidates);
static ai_int_t ai_gemini_blocked(ai_decode_t *d, const ai_json_t *feedback);
static void ai_gemini_chunk_read(ai_gemini_chunk_t *c,
    const ai_json_t *root);
static ai_int_t ai_gemini_candidate(ai_decode_t *d, const ai_json_t *v);
static void ai_gemini_candidate_read(ai_gemini_candidate_t *c,
    const ai_json_t *v);
static ai_int_t ai_gemini_answer_part(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
static ai_int_t ai_gemini_answer_text(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *text, const ai_json_t *signature, ai_uint_t thought);
static ai_int_t ai_gemini_emit_state(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *signature);
static ai_int_t ai_gemini_image(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
static ai_int_t ai_gemini_answer_call(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v, const ai_json_t *signature);
static ai_int_t ai_gemini_call_begin(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *name, const ai_json_t *id, const ai_json_t *signature);
static ai_int_t ai_gemini_partial_end(ai_decode_t *d);
static ai_int_t ai_gemini_emit_finish(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
static ai_finish_e ai_gemini_finish(ai_decode_t *d, const ai_json_t *v);


/* any other reason means that the model failed */

static const ai_gemini_finish_t  ai_gemini_finishes[] = {
    { "STOP", AI_FINISH_STOP },
    { "MAX_TOKENS", AI_FINISH_LENGTH },
    { "SAFETY", AI_FINISH_FILTER },
    { "RECITATION", AI_FINISH_FILTER },
    { "LANGUAGE", AI_FINISH_FILTER },
    { "BLOCKLIST", AI_FINISH_FILTER },
    { "PROHIBITED_CONTENT", AI_FINISH_FILTER },
    { "SPII", AI_FINISH_FILTER },
    { "IMAGE_SAFETY", AI_FINISH_FILTER },
    { "IMAGE_PROHIBITED_CONTENT", AI_FINISH_FILTER },
    { "IMAGE_RECITATION", AI_FINISH_FILTER },
    { "MODEL_ARMOR", AI_FINISH_FILTER },
    { "MALFORMED_FUNCTION_CALL", AI_FINISH_BROKEN },
    { "UNEXPECTED_TOOL_CALL", AI_FINISH_BROKEN },
    { "TOO_MANY_TOOL_CALLS", AI_FINISH_BROKEN },
    { "NO_IMAGE", AI_FINISH_BROKEN },
    { "OTHER", AI_FINISH_BROKEN },
    { NULL, AI_FINISH_NONE }
};

/* the same by number, as far as the Gemini API and Vertex agree on them */

static const ai_finish_e  ai_gemini_numbers[] = {
    AI_FINISH_NONE,
    AI_FINISH_STOP,
    AI_FINISH_LENGTH,
    AI_FINISH_FILTER,
    AI_FINISH_FILTER,
    AI_FINISH_BROKEN,
    AI_FINISH_FILTER,
    AI_FINISH_FILTER,
    AI_FINISH_FILTER
};


ai_int_t
ai_gemini_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root)
{
    ai_uint_t  n;

    (void) name;

    if (root->type != AI_JSON_OBJECT && root->type != AI_JSON_ARRAY) {
        return AI_DECLINED;
    }

    return ai_gemini_chunks(d, root, &n);
}


/* the end of the connection is the end, if there was an answer before it */

ai_int_t
ai_gemini_parse_end(ai_decode_t *d)
{
    ai_gemini_decode_t  *g;

    g = d->state;

    if (ai_gemini_partial_end(d) != AI_OK) {
        return AI_ERROR;
    }

    if (g->finished == 0 || (g->seen & ~g->finished) != 0) {
        return AI_OK;
    }

    return ai_emit_end(d);
}


ai_int_t
ai_gemini_parse_response(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t             rc;
    ai_uint_t            n;
    ai_gemini_decode_t  *g;

    if (root->type != AI_JSON_OBJECT && root->type != AI_JSON_ARRAY) {
        return AI_DECLINED;
    }

    rc = ai_gemini_chunks(d, root, &n);

    if (rc != AI_OK) {
        return rc;
    }

    g = d->state;

    if (n == 0 && g->finished == 0) {
        return AI_DECLINED;
    }

    return ai_gemini_partial_end(d);
}


/*
 * An array is what a stream without "alt=sse" consists of, or what an error
 * comes in there.  *candidates counts them, and errors.
 */

static ai_int_t
ai_gemini_chunks(ai_decode_t *d, const ai_json_t *root, ai_uint_t *candidates)
{
    ai_int_t        rc;
    ai_uint_t       n;
    ai_json_t       value;
    ai_json_iter_t  it;

    if (root->type == AI_JSON_OBJECT) {
        return ai_gemini_chunk(d, root, candidates);
    }

    *candidates = 0;

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (value.type != AI_JSON_OBJECT) {
            return AI_DECLINED;
        }

        rc = ai_gemini_chunk(d, &value, &n);

        if (rc != AI_OK) {
            return rc;
        }

        *candidates += n;
    }

    return AI_OK;
}


static ai_int_t
ai_gemini_chunk(ai_decode_t *d, const ai_json_t *root, ai_uint_t *candidates)
{
    ai_int_t           rc;
    ai_json_t          value;
    ai_delta_t         delta;
    ai_json_iter_t     it;
    ai_gemini_chunk_t  c;

    *candidates = 0;

    ai_gemini_chunk_read(&c, root);

    if (c.error.type != AI_JSON_NULL) {
        *candidates = 1;
        return ai_emit_error(d, &c.error);
    }

    if (!c.known) {
        d->unknown++;
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_START);

    delta.id = ai_mstr(&c.id);
    delta.name = ai_mstr(&c.model);

    if (d->emit(d->data, &delta) != AI_OK) {
        return AI_ERROR;
    }

    ai_json_iter_init(&it, &c.candidates);

    while (c.candidates.type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &value) == AI_OK)
    {
        rc = ai_gemini_candidate(d, &value);

        if (rc != AI_OK) {
            return rc;
        }

        (*candidates)++;
    }

    if (ai_gemini_blocked(d, &c.feedback) != AI_OK) {
        return AI_ERROR;
    }

    return ai_gemini_emit_usage(d, &c.usage);
}


/* a prompt that was blocked has no candidates */

static ai_int_t
ai_gemini_blocked(ai_decode_t *d, const ai_json_t *feedback)
{
    ai_json_t            value;
    ai_delta_t           delta;
    ai_gemini_decode_t  *g;

    g = d->state;

    if (g->seen != 0
        || ai_gemini_get(feedback, "blockReason", &value) != AI_OK
        || ai_json_name_eq(&value, "BLOCK_REASON_UNSPECIFIED"))
    {
        return AI_OK;
    }

    g->seen = 1;
    g->finished = 1;

    ai_delta_init(&delta, AI_DELTA_FINISH);

    delta.finish = AI_FINISH_FILTER;
    delta.native = ai_mstr(&value);

    return d->emit(d->data, &delta);
}


static void
ai_gemini_chunk_read(ai_gemini_chunk_t *c, const ai_json_t *root)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(c, 0, sizeof(ai_gemini_chunk_t));

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_gemini_is(&name, "candidates")) {
            c->candidates = value;
            c->known = 1;

        } else if (ai_gemini_is(&name, "usageMetadata")) {
            c->usage = value;
            c->known = 1;

        } else if (ai_gemini_is(&name, "promptFeedback")) {
            c->feedback = value;
            c->known = 1;

        } else if (ai_gemini_is(&name, "modelVersion")) {
            c->model = value;
            c->known = 1;

        } else if (ai_gemini_is(&name, "responseId")) {
            c->id = value;
            c->known = 1;

        } else if (ai_gemini_is(&name, "error")) {
            c->error = value;
        }
    }
}


static ai_int_t
ai_gemini_candidate(ai_decode_t *d, const ai_json_t *v)
{
    ai_int_t                rc;
    ai_json_t               part, parts;
    ai_json_iter_t          it;
    ai_gemini_decode_t     *g;
    ai_gemini_candidate_t   c;

    if (v->type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    ai_gemini_candidate_read(&c, v);

    g = d->state;
    g->seen |= (uint64_t) 1 << c.index;

    if (ai_gemini_get(&c.content, "parts", &parts) == AI_OK
        && parts.type == AI_JSON_ARRAY)
    {
        ai_json_iter_init(&it, &parts);

        while (ai_json_next(&it, NULL, &part) == AI_OK) {

            rc = ai_gemini_answer_part(d, c.index, &part);

            if (rc != AI_OK) {
                return rc;
            }
        }
    }

    if (ai_gemini_grounding(d, c.index, &c.grounding) != AI_OK
        || ai_gemini_citations(d, c.index, &c.citations) != AI_OK
        || ai_gemini_logprobs(d, c.index, &c.logprobs) != AI_OK)
    {
        return AI_ERROR;
    }

    return ai_gemini_emit_finish(d, c.index, &c.finish);
}


static void
ai_gemini_candidate_read(ai_gemini_candidate_t *c, const ai_json_t *v)
{
    uint64_t        n;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(c, 0, sizeof(ai_gemini_candidate_t));

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_gemini_is(&name, "content")) {
            c->content = value;

        } else if (ai_gemini_is(&name, "finishReason")) {
            c->finish = value;

        } else if (ai_gemini_is(&name, "index")) {

            if (ai_json_uint(&value, &n) == AI_OK) {
                c->index = (n < AI_GEMINI_CANDIDATES)
                           ? (ai_uint_t) n : AI_GEMINI_CANDIDATES - 1;
            }

        } else if (ai_gemini_is(&name, "groundingMetadata")) {
            c->grounding = value;

        } else if (ai_gemini_is(&name, "citationMetadata")) {
            c->citations = value;

        } else if (ai_gemini_is(&name, "logprobsResult")) {
            c->logprobs = value;
        }
    }
}


static ai_int_t
ai_gemini_answer_part(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_uint_t       thought;
    ai_json_t       name, value, text, call, data, signature;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    thought = 0;

    memset(&text, 0, sizeof(ai_json_t));
    memset(&call, 0, sizeof(ai_json_t));
    memset(&data, 0, sizeof(ai_json_t));
    memset(&signature, 0, sizeof(ai_json_t));

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_gemini_is(&name, "text")) {
            text = value;

        } else if (ai_gemini_is(&name, "thought")) {
            thought = ai_json_is_true(&value);

        } else if (ai_gemini_is(&name, "thoughtSignature")) {
            signature = value;

        } else if (ai_gemini_is(&name, "functionCall")) {
            call = value;

        } else if (ai_gemini_is(&name, "inlineData")) {
            data = value;

        } else if (value.type == AI_JSON_OBJECT) {

            /* code that was run, tools of Google's own: no calls to us */

            d->unknown++;
        }
    }

    if (call.type == AI_JSON_OBJECT) {
        return ai_gemini_answer_call(d, choice, &call, &signature);
    }

    if (data.type == AI_JSON_OBJECT) {
        return ai_gemini_image(d, choice, &data);
    }

    return ai_gemini_answer_text(d, choice, &text, &signature, thought);
}


/*
 * The signature of a text goes in front of it, so that a text that goes on in
 * the next chunk stays one; what thoughts end with follows them.
 */

static ai_int_t
ai_gemini_answer_text(ai_decode_t *d, ai_uint_t choice, const ai_json_t *text,
    const ai_json_t *signature, ai_uint_t thought)
{
    ai_mstr_t  m;

    m = ai_mstr(text);

    if (!ai_mstr_empty(&m) && ai_gemini_partial_end(d) != AI_OK) {
        return AI_ERROR;
    }

    if (thought) {

        if (ai_emit_text(d, AI_DELTA_REASONING, choice, text) != AI_OK) {
            return AI_ERROR;
        }

        return ai_gemini_emit_state(d, choice, signature);
    }

    if (ai_gemini_emit_state(d, choice, signature) != AI_OK) {
        return AI_ERROR;
    }

    return ai_emit_text(d, AI_DELTA_TEXT, choice, text);
}


static ai_int_t
ai_gemini_emit_state(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *signature)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_STATE);

    delta.choice = choice;
    delta.state_kind = AI_STATE_GOOGLE;
    delta.state = ai_mstr(signature);

    return ai_mstr_empty(&delta.state) ? AI_OK : d->emit(d->data, &delta);
}


static ai_int_t
ai_gemini_image(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t   value;
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_IMAGE);

    delta.choice = choice;

    if (ai_gemini_get(v, "mimeType", &value) == AI_OK) {
        delta.media_type = ai_mstr(&value);
    }

    if (ai_gemini_get(v, "data", &value) == AI_OK) {
        delta.text = ai_mstr(&value);
    }

    /* speech has no place in an answer that is a text */

    if (ai_mstr_empty(&delta.text) || delta.media_type.s.len < 6
        || memcmp(delta.media_type.s.data, "image/", 6) != 0)
    {
        d->unknown++;
        return AI_OK;
    }

    return d->emit(d->data, &delta);
}


/*
 * A call comes whole, or with its name first and its arguments in pieces, and
 * is complete when a piece does not say that more will come, or when another
 * thing comes.
 */

static ai_int_t
ai_gemini_answer_call(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v,
    const ai_json_t *signature)
{
    ai_int_t              rc;
    ai_uint_t             more;
    ai_json_t             name, id, args, pieces, value;
    ai_mstr_t             text;
    ai_gemini_decode_t   *g;
    ai_gemini_partial_t  *p;

    g = d->state;
    p = &g->partial;

    more = ai_gemini_get(v, "willContinue", &value) == AI_OK
           && ai_json_is_true(&value);

    if (ai_gemini_get(v, "name", &name) == AI_OK
        && name.type == AI_JSON_STRING && name.end - name.start > 2)
    {
        if (ai_gemini_get(v, "id", &id) != AI_OK) {
            memset(&id, 0, sizeof(ai_json_t));
        }

        if (ai_gemini_partial_end(d) != AI_OK
            || ai_gemini_call_begin(d, choice, &name, &id, signature)
               != AI_OK)
        {
            return AI_ERROR;
        }

        memset(p, 0, sizeof(ai_gemini_partial_t));

        p->open = 1;
        p->choice = choice;
        p->call = g->ncalls;

    } else if (!p->open) {
        d->unknown++;
        return AI_OK;
    }

    if (ai_gemini_get(v, "partialArgs", &pieces) == AI_OK) {

        rc = ai_gemini_partial_add(p, &pieces, d->alloc);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (p->root == NULL && ai_gemini_get(v, "args", &args) == AI_OK
        && args.type == AI_JSON_OBJECT)
    {
        memset(&text, 0, sizeof(ai_mstr_t));
        text.s = ai_json_raw(&args);
        p->open = 0;

        if (ai_emit_args(d, p->choice, p->call, &text) != AI_OK) {
            return AI_ERROR;
        }

        return ai_emit_call_end(d, p->choice, p->call);
    }

    return more ? AI_OK : ai_gemini_partial_end(d);
}


static ai_int_t
ai_gemini_call_begin(ai_decode_t *d, ai_uint_t choice, const ai_json_t *name,
    const ai_json_t *id, const ai_json_t *signature)
{
    ai_delta_t           delta;
    ai_gemini_decode_t  *g;

    g = d->state;
    g->ncalls++;
    g->called |= (uint64_t) 1 << choice;

    ai_delta_init(&delta, AI_DELTA_CALL);

    delta.choice = choice;
    delta.call = g->ncalls;
    delta.name = ai_mstr(name);
    delta.id = ai_mstr(id);
    delta.state = ai_mstr(signature);

    if (!ai_mstr_empty(&delta.state)) {
        delta.state_kind = AI_STATE_GOOGLE;
    }

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_gemini_partial_end(ai_decode_t *d)
{
    ai_mstr_t             text;
    ai_gemini_decode_t   *g;
    ai_gemini_partial_t  *p;

    g = d->state;
    p = &g->partial;

    if (!p->open) {
        return AI_OK;
    }

    p->open = 0;

    memset(&text, 0, sizeof(ai_mstr_t));

    if (ai_gemini_partial_text(p, ai_gemini_memory(d), &text.s) != AI_OK
        || ai_emit_args(d, p->choice, p->call, &text) != AI_OK)
    {
        return AI_ERROR;
    }

    return ai_emit_call_end(d, p->choice, p->call);
}


/* wire-formats.md 2.1: calls make a STOP one for tools, in whichever chunk
 * they came */

static ai_int_t
ai_gemini_emit_finish(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    uint64_t             bit;
    ai_delta_t           delta;
    ai_gemini_decode_t  *g;

    ai_delta_init(&delta, AI_DELTA_FINISH);

    delta.choice = choice;
    delta.finish = ai_gemini_finish(d, v);

    if (delta.finish == AI_FINISH_NONE) {
        return AI_OK;
    }

    if (v->type == AI_JSON_STRING) {
        delta.native = ai_mstr(v);

    } else {
        delta.native.s = ai_json_raw(v);
    }

    if (ai_gemini_partial_end(d) != AI_OK) {
        return AI_ERROR;
    }

    g = d->state;
    bit = (uint64_t) 1 << choice;
    g->finished |= bit;

    if (delta.finish == AI_FINISH_STOP && (g->called & bit)) {
        delta.finish = AI_FINISH_TOOLS;
    }

    return d->emit(d->data, &delta);
}


static ai_finish_e
ai_gemini_finish(ai_decode_t *d, const ai_json_t *v)
{
    uint64_t                   n;
    const ai_gemini_finish_t  *row;

    if (v->type == AI_JSON_NUMBER) {

        if (ai_json_uint(v, &n) != AI_OK) {
            return AI_FINISH_NONE;
        }

        return (n < sizeof(ai_gemini_numbers) / sizeof(ai_gemini_numbers[0]))
               ? ai_gemini_numbers[n] : AI_FINISH_BROKEN;
    }

    if (v->type != AI_JSON_STRING || v->end - v->start == 2
        || ai_json_name_eq(v, "FINISH_REASON_UNSPECIFIED"))
    {
        return AI_FINISH_NONE;
    }

    for (row = ai_gemini_finishes; row->name != NULL; row++) {
        if (ai_json_str_eq(v, row->name, strlen(row->name))) {
            return row->finish;
        }
    }

    d->unknown++;

    return AI_FINISH_BROKEN;
}

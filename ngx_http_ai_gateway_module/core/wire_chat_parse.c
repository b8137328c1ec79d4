
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Answers of chat/completions, as all vendors write them, to deltas.  Nothing
 * is taken for granted of what a chunk has in it (wire-formats.md 0.3, 12).
 */


#include "wire_chat.h"


/* the members of a chunk or a document that are read */

typedef struct {
    ai_json_t            id;
    ai_json_t            model;
    ai_json_t            created;
    ai_json_t            choices;
    ai_json_t            usage;
    ai_json_t            groq;         /* x_groq */
    ai_json_t            citations;    /* Perplexity's: URLs */
    ai_json_t            sources;      /* search_results: objects */
    unsigned             error:1;
    unsigned             known:1;
} ai_chat_root_t;


typedef struct {
    ai_json_t            delta;
    ai_json_t            message;
    ai_json_t            text;
    ai_json_t            logprobs;
    ai_json_t            finish;
    ai_json_t            sequence;     /* stop_reason of vLLM */
    ai_json_t            error;
    uint64_t             index;
} ai_chat_pick_t;


/* a delta or a message */

typedef struct {
    ai_json_t            content;
    ai_json_t            refusal;
    ai_json_t            images;
    ai_json_t            annotations;
    ai_json_t            calls;
    ai_json_t            function;
    ai_json_t            audio;
    ai_chat_thoughts_t   thoughts;
} ai_chat_body_t;


/* where thoughts go */

typedef struct {
    ai_decode_t         *d;
    ai_uint_t            choice;
} ai_chat_to_t;


static void ai_chat_root(const ai_json_t *root, ai_chat_root_t *m);
static ai_int_t ai_chat_head(ai_decode_t *d, ai_chat_root_t *m,
    ai_uint_t *failed);
static ai_int_t ai_chat_emit_usage(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_chat_choices(ai_decode_t *d, ai_chat_root_t *m,
    ai_uint_t whole, ai_uint_t *n);
static void ai_chat_pick(const ai_json_t *choice, ai_chat_pick_t *p);
static ai_int_t ai_chat_choice(ai_decode_t *d, ai_chat_root_t *m,
    const ai_chat_pick_t *p, ai_uint_t whole, ai_uint_t *n);
static ai_int_t ai_chat_body(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v, ai_uint_t whole);
static void ai_chat_body_members(const ai_json_t *v, ai_chat_body_t *b);
static ai_int_t ai_chat_thoughts(ai_decode_t *d, ai_uint_t choice,
    const ai_chat_thoughts_t *t);
static ai_int_t ai_chat_emit_thought(void *data, const ai_mstr_t *text,
    ai_uint_t fresh);
static ai_int_t ai_chat_emit_state(void *data, ai_state_e kind,
    const ai_mstr_t *id, const ai_mstr_t *state);
static ai_int_t ai_chat_content(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
static ai_int_t ai_chat_content_part(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
static ai_int_t ai_chat_logprobs(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);
static ai_int_t ai_chat_finish(ai_decode_t *d, const ai_chat_pick_t *p);
static ai_uint_t ai_chat_is_error(const ai_json_t *v);


static const struct {
    ai_str_t             name;
    ai_finish_e          finish;
} ai_chat_finishes[] = {

    { ai_string("stop"), AI_FINISH_STOP },
    { ai_string("length"), AI_FINISH_LENGTH },
    { ai_string("tool_calls"), AI_FINISH_TOOLS },
    { ai_string("function_call"), AI_FINISH_TOOLS },
    { ai_string("content_filter"), AI_FINISH_FILTER },

    /* Together, Mistral, DeepSeek, OpenRouter, SGLang and vLLM */
    { ai_string("eos"), AI_FINISH_STOP },
    { ai_string("model_length"), AI_FINISH_CONTEXT },
    { ai_string("insufficient_system_resource"), AI_FINISH_BROKEN },
    { ai_string("error"), AI_FINISH_BROKEN },
    { ai_string("abort"), AI_FINISH_BROKEN },

    /* of Claude, where what stands in between left them as they were */
    { ai_string("end_turn"), AI_FINISH_STOP },
    { ai_string("stop_sequence"), AI_FINISH_SEQUENCE },
    { ai_string("max_tokens"), AI_FINISH_LENGTH },
    { ai_string("tool_use"), AI_FINISH_TOOLS },
    { ai_string("refusal"), AI_FINISH_FILTER },

    { ai_null_string, AI_FINISH_STOP }
};


ai_int_t
ai_chat_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root)
{
    ai_int_t        rc;
    ai_uint_t       n, failed;
    ai_chat_root_t  m;

    ai_chat_root(root, &m);

    if (ai_str_eq(name, "error")) {
        m.error = 1;
    }

    rc = ai_chat_head(d, &m, &failed);

    if (rc != AI_OK || failed) {
        return rc;
    }

    if (m.error) {
        return ai_emit_error(d, root);
    }

    if (!m.known) {
        d->unknown++;
    }

    return ai_chat_choices(d, &m, 0, &n);
}


/* nothing is held back; whether the stream is complete others know */

ai_int_t
ai_chat_parse_end(ai_decode_t *d)
{
    return AI_OK;
}


ai_int_t
ai_chat_parse_response(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t        rc;
    ai_uint_t       n, failed;
    ai_chat_root_t  m;

    ai_chat_root(root, &m);

    rc = ai_chat_head(d, &m, &failed);

    if (rc != AI_OK || failed) {
        return rc;
    }

    if (m.error) {
        return ai_emit_error(d, root);
    }

    rc = ai_chat_choices(d, &m, 1, &n);

    if (rc != AI_OK) {
        return rc;
    }

    return n != 0 ? AI_OK : AI_DECLINED;
}


static void
ai_chat_root(const ai_json_t *root, ai_chat_root_t *m)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(m, 0, sizeof(ai_chat_root_t));

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "choices")) {
            m->choices = value;
            m->known = 1;

        } else if (ai_json_is(&name, "usage")) {
            m->usage = value;
            m->known = 1;

        } else if (ai_json_is(&name, "id")) {
            m->id = value;

        } else if (ai_json_is(&name, "model")) {
            m->model = value;

        } else if (ai_json_is(&name, "created")) {
            m->created = value;

        } else if (ai_json_is(&name, "x_groq")) {
            m->groq = value;
            m->known = 1;

        } else if (ai_json_is(&name, "citations")) {
            m->citations = value;

        } else if (ai_json_is(&name, "search_results")) {
            m->sources = value;

        } else if (ai_json_is(&name, "error")) {
            m->error |= ai_chat_is_error(&value);

        } else if (ai_json_is(&name, "object")
                   || ai_json_is(&name, "type"))
        {
            /* vLLM has a flat error object */

            m->error |= ai_json_is(&value, "error");
        }
    }
}


/* what is said of all choices; failed: it was an error, which was told */

static ai_int_t
ai_chat_head(ai_decode_t *d, ai_chat_root_t *m, ai_uint_t *failed)
{
    ai_json_t          v;
    ai_delta_t         start;
    ai_chat_decode_t  *state;

    state = d->state;
    *failed = 0;

    if (!state->named) {

        ai_delta_init(&start, AI_DELTA_START);

        start.id = ai_mstr(&m->id);
        start.name = ai_mstr(&m->model);

        if (m->created.type == AI_JSON_NUMBER) {
            (void) ai_json_uint(&m->created, &start.created);
        }

        /* Azure's first chunk has empty strings, the next one has all */

        state->named = !ai_mstr_empty(&start.id)
                       && !ai_mstr_empty(&start.name) && start.created != 0;

        if (d->emit(d->data, &start) != AI_OK) {
            return AI_ERROR;
        }
    }

    if (m->groq.type == AI_JSON_OBJECT) {

        if (ai_json_get(&m->groq, "usage", &v) == AI_OK
            && ai_chat_emit_usage(d, &v) != AI_OK)
        {
            return AI_ERROR;
        }

        if (ai_json_get(&m->groq, "error", &v) == AI_OK
            && ai_chat_is_error(&v))
        {
            *failed = 1;
            return ai_emit_error(d, &v);
        }
    }

    return ai_chat_emit_usage(d, &m->usage);
}


static ai_int_t
ai_chat_emit_usage(ai_decode_t *d, const ai_json_t *v)
{
    ai_uint_t   plus;
    ai_delta_t  delta;

    if (v->type != AI_JSON_OBJECT) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_USAGE);

    plus = d->vendor != NULL && (d->vendor->flags & AI_VENDOR_USAGE_PLUS);

    if (!ai_chat_usage(v, plus, &delta.usage)) {
        return AI_OK;
    }

    return d->emit(d->data, &delta);
}


/* *n: those with anything in them, be it an end */

static ai_int_t
ai_chat_choices(ai_decode_t *d, ai_chat_root_t *m, ai_uint_t whole,
    ai_uint_t *n)
{
    ai_int_t        rc;
    ai_json_t       choice;
    ai_chat_pick_t  p;
    ai_json_iter_t  it;

    *n = 0;

    if (m->choices.type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_json_iter_init(&it, &m->choices);

    while (ai_json_next(&it, NULL, &choice) == AI_OK) {

        if (choice.type != AI_JSON_OBJECT) {
            continue;
        }

        ai_chat_pick(&choice, &p);

        if (ai_chat_is_error(&p.error)) {
            *n = 1;
            return ai_emit_error(d, &p.error);
        }

        rc = ai_chat_choice(d, m, &p, whole, n);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static void
ai_chat_pick(const ai_json_t *choice, ai_chat_pick_t *p)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(p, 0, sizeof(ai_chat_pick_t));

    ai_json_iter_init(&it, choice);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "delta")) {
            p->delta = value;

        } else if (ai_json_is(&name, "index")) {
            (void) ai_json_uint(&value, &p->index);

        } else if (ai_json_is(&name, "finish_reason")) {
            p->finish = value;

        } else if (ai_json_is(&name, "message")) {
            p->message = value;

        } else if (ai_json_is(&name, "logprobs")) {
            p->logprobs = value;

        } else if (ai_json_is(&name, "text")) {
            p->text = value;

        } else if (ai_json_is(&name, "stop_reason")) {
            p->sequence = value;

        } else if (ai_json_is(&name, "error")) {
            p->error = value;
        }
    }
}


/*
 * Perplexity and Writer repeat all of the message beside each delta, and
 * Together has each text twice.
 */

static ai_int_t
ai_chat_choice(ai_decode_t *d, ai_chat_root_t *m, const ai_chat_pick_t *p,
    ai_uint_t whole, ai_uint_t *n)
{
    ai_int_t          rc;
    ai_uint_t         choice;
    const ai_json_t  *body;

    choice = (ai_uint_t) p->index;
    body = (whole || p->delta.type != AI_JSON_OBJECT) ? &p->message
                                                      : &p->delta;

    if (body->type == AI_JSON_OBJECT) {
        (*n)++;
        rc = ai_chat_body(d, choice, body, whole || body == &p->message);

    } else if (p->text.type == AI_JSON_STRING) {
        (*n)++;
        rc = ai_emit_text(d, AI_DELTA_TEXT, choice, &p->text);

    } else {
        rc = AI_OK;
    }

    if (rc == AI_OK && p->logprobs.type == AI_JSON_OBJECT) {
        rc = ai_chat_logprobs(d, choice, &p->logprobs);
    }

    if (rc != AI_OK || !ai_json_filled(&p->finish)) {
        return rc;
    }

    (*n)++;

    rc = ai_chat_sources(d, choice, m->sources.type == AI_JSON_ARRAY
                                    ? &m->sources : &m->citations);

    return rc == AI_OK ? ai_chat_finish(d, p) : rc;
}


/* in the order of a message, whatever that of its members is */

static ai_int_t
ai_chat_body(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v,
    ai_uint_t whole)
{
    ai_chat_body_t  b;

    ai_chat_body_members(v, &b);

    if (ai_chat_thoughts(d, choice, &b.thoughts) != AI_OK
        || ai_chat_content(d, choice, &b.content) != AI_OK
        || ai_emit_text(d, AI_DELTA_REFUSAL, choice, &b.refusal) != AI_OK
        || ai_chat_images(d, choice, &b.images) != AI_OK
        || ai_chat_annotations(d, choice, &b.annotations) != AI_OK
        || ai_chat_calls(d, choice, &b.calls, whole) != AI_OK
        || ai_chat_function(d, choice, &b.function) != AI_OK)
    {
        return AI_ERROR;
    }

    if (b.audio.type == AI_JSON_OBJECT) {
        d->unknown++;
    }

    return AI_OK;
}


static void
ai_chat_body_members(const ai_json_t *v, ai_chat_body_t *b)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(b, 0, sizeof(ai_chat_body_t));

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        if (ai_json_is(&name, "content")) {
            b->content = value;

        } else if (ai_json_is(&name, "tool_calls")) {
            b->calls = value;

        } else if (ai_json_is(&name, "refusal")) {
            b->refusal = value;

        } else if (ai_json_is(&name, "function_call")) {
            b->function = value;

        } else if (ai_json_is(&name, "images")) {
            b->images = value;

        } else if (ai_json_is(&name, "annotations")) {
            b->annotations = value;

        } else if (ai_json_is(&name, "audio")) {
            b->audio = value;

        } else {
            (void) ai_chat_thought(&b->thoughts, &name, &value);
        }
    }
}


static ai_int_t
ai_chat_thoughts(ai_decode_t *d, ai_uint_t choice,
    const ai_chat_thoughts_t *t)
{
    ai_int_t        rc;
    ai_chat_to_t    to;
    ai_chat_sink_t  sink;

    to.d = d;
    to.choice = choice;

    sink.text = ai_chat_emit_thought;
    sink.state = ai_chat_emit_state;
    sink.data = &to;
    sink.unknown = 0;

    rc = ai_chat_walk(t, &sink);
    d->unknown += sink.unknown;

    return rc;
}


static ai_int_t
ai_chat_emit_thought(void *data, const ai_mstr_t *text, ai_uint_t fresh)
{
    ai_delta_t     delta;
    ai_chat_to_t  *to;

    to = data;

    ai_delta_init(&delta, AI_DELTA_REASONING);

    delta.choice = to->choice;
    delta.text = *text;

    return to->d->emit(to->d->data, &delta);
}


static ai_int_t
ai_chat_emit_state(void *data, ai_state_e kind, const ai_mstr_t *id,
    const ai_mstr_t *state)
{
    ai_delta_t     delta;
    ai_chat_to_t  *to;

    to = data;

    ai_delta_init(&delta, AI_DELTA_STATE);

    delta.choice = to->choice;
    delta.state_kind = kind;
    delta.state = *state;
    delta.state_id = *id;

    return to->d->emit(to->d->data, &delta);
}


/* a string, or parts of it; Cloudflare gives JSON that was asked for as is */

static ai_int_t
ai_chat_content(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t       part;
    ai_delta_t      delta;
    ai_json_iter_t  it;

    switch (v->type) {

    case AI_JSON_NULL:
        return AI_OK;

    case AI_JSON_STRING:
        return ai_emit_text(d, AI_DELTA_TEXT, choice, v);

    case AI_JSON_ARRAY:
        break;

    default:
        ai_delta_init(&delta, AI_DELTA_TEXT);

        delta.choice = choice;
        delta.text.s = ai_json_raw(v);

        return d->emit(d->data, &delta);
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &part) == AI_OK) {

        if (ai_chat_content_part(d, choice, &part) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_chat_content_part(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       value;
    ai_chat_to_t    to;
    ai_chat_sink_t  sink;

    if (ai_json_get(v, "text", &value) == AI_OK) {
        return ai_emit_text(d, AI_DELTA_TEXT, choice, &value);
    }

    if (ai_json_get(v, "thinking", &value) == AI_OK) {

        to.d = d;
        to.choice = choice;

        sink.text = ai_chat_emit_thought;
        sink.state = ai_chat_emit_state;
        sink.data = &to;
        sink.unknown = 0;

        rc = ai_chat_walk_thinking(&value, &sink);
        d->unknown += sink.unknown;

        return rc;
    }

    if (ai_json_get(v, "refusal", &value) == AI_OK) {
        return ai_emit_text(d, AI_DELTA_REFUSAL, choice, &value);
    }

    if (ai_json_get(v, "image_url", &value) == AI_OK) {
        return ai_chat_image(d, choice, v);
    }

    d->unknown++;

    return AI_OK;
}


static ai_int_t
ai_chat_logprobs(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t   tokens;
    ai_delta_t  delta;

    if (ai_json_get(v, "content", &tokens) != AI_OK
        || tokens.type != AI_JSON_ARRAY
        || tokens.end - tokens.start == 2)
    {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_LOGPROBS);

    delta.choice = choice;
    delta.raw = ai_json_raw(&tokens);

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_chat_finish(ai_decode_t *d, const ai_chat_pick_t *p)
{
    ai_uint_t   i;
    ai_delta_t  delta;

    for (i = 0; ai_chat_finishes[i].name.len != 0; i++) {

        if (ai_json_is_text(&p->finish, (char *) ai_chat_finishes[i].name.data,
                            ai_chat_finishes[i].name.len))
        {
            break;
        }
    }

    ai_delta_init(&delta, AI_DELTA_FINISH);

    delta.choice = (ai_uint_t) p->index;
    delta.finish = ai_chat_finishes[i].finish;
    delta.native = ai_mstr(&p->finish);

    /* vLLM tells which stop sequence it was, or the number of a token */

    if (delta.finish == AI_FINISH_STOP && ai_json_filled(&p->sequence)) {
        delta.finish = AI_FINISH_SEQUENCE;
        delta.text = ai_mstr(&p->sequence);
    }

    return d->emit(d->data, &delta);
}


static ai_uint_t
ai_chat_is_error(const ai_json_t *v)
{
    switch (v->type) {

    case AI_JSON_STRING:
    case AI_JSON_OBJECT:
    case AI_JSON_ARRAY:
        return v->end - v->start > 2;

    case AI_JSON_TRUE:
        return 1;

    default:
        return 0;
    }
}

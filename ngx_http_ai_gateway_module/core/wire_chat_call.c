
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Calls in answers of chat/completions.  Which pieces are of one call is told
 * by their index if there is one, else by the id, else by their order
 * (wire-formats.md 12).
 */


#include "wire_chat.h"


/* an answer with more of them is none */

#define AI_CHAT_CALLS  1024


/* an entry of tool_calls */

typedef struct {
    ai_json_t            id;
    ai_json_t            name;
    ai_json_t            args;
    ai_mstr_t            signature;
    uint64_t             index;
    unsigned             indexed:1;
    unsigned             custom:1;
} ai_chat_piece_t;


static void ai_chat_piece(const ai_json_t *v, ai_chat_piece_t *p);
static void ai_chat_piece_body(const ai_json_t *v, ai_chat_piece_t *p);
static ai_int_t ai_chat_call(ai_decode_t *d, ai_uint_t choice,
    const ai_chat_piece_t *p, ai_uint_t whole);
static ai_chat_call_t *ai_chat_call_find(ai_chat_decode_t *state,
    ai_uint_t choice, const ai_chat_piece_t *p);
static ai_chat_call_t *ai_chat_call_create(ai_decode_t *d, ai_uint_t choice,
    const ai_chat_piece_t *p);
static ai_int_t ai_chat_call_tell(ai_decode_t *d, ai_chat_call_t *call,
    const ai_json_t *name);


ai_int_t
ai_chat_calls(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v,
    ai_uint_t whole)
{
    ai_json_t        call;
    ai_json_iter_t   it;
    ai_chat_piece_t  p;

    if (v->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &call) == AI_OK) {

        if (call.type != AI_JSON_OBJECT) {
            continue;
        }

        ai_chat_piece(&call, &p);

        if (ai_chat_call(d, choice, &p, whole) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


/* the form of 2023: one call, which has no id */

ai_int_t
ai_chat_function(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_chat_piece_t  p;

    if (v->type != AI_JSON_OBJECT) {
        return AI_OK;
    }

    memset(&p, 0, sizeof(ai_chat_piece_t));

    p.index = UINT64_MAX;
    p.indexed = 1;

    ai_chat_piece_body(v, &p);

    return ai_chat_call(d, choice, &p, 0);
}


static void
ai_chat_piece(const ai_json_t *v, ai_chat_piece_t *p)
{
    ai_json_t       name, value, custom;
    ai_json_iter_t  it;

    memset(p, 0, sizeof(ai_chat_piece_t));
    memset(&custom, 0, sizeof(ai_json_t));

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "index")) {
            p->indexed = ai_json_uint(&value, &p->index) == AI_OK;

        } else if (ai_json_is(&name, "id")) {
            p->id = value;

        } else if (ai_json_is(&name, "function")) {
            ai_chat_piece_body(&value, p);

        } else if (ai_json_is(&name, "custom")) {
            custom = value;

        } else if (ai_json_is(&name, "extra_content")) {
            p->signature = ai_chat_signature(v);
        }
    }

    /* Snowflake writes an empty one beside each function */

    if (custom.type == AI_JSON_OBJECT && !ai_json_filled(&p->name)
        && !ai_json_filled(&p->args))
    {
        p->custom = 1;
        ai_chat_piece_body(&custom, p);
    }
}


static void
ai_chat_piece_body(const ai_json_t *v, ai_chat_piece_t *p)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "name")) {
            p->name = value;

        } else if (ai_json_is(&name, "arguments")
                   || ai_json_is(&name, "input"))
        {
            p->args = value;
        }
    }
}


static ai_int_t
ai_chat_call(ai_decode_t *d, ai_uint_t choice, const ai_chat_piece_t *p,
    ai_uint_t whole)
{
    ai_mstr_t          id;
    ai_delta_t         args;
    ai_chat_call_t    *call;
    ai_chat_decode_t  *state;

    state = d->state;
    call = whole ? NULL : ai_chat_call_find(state, choice, p);

    if (call == NULL) {

        /* Writer has calls of nothing but null */

        if (!ai_json_filled(&p->id) && !ai_json_filled(&p->name)
            && !ai_json_filled(&p->args))
        {
            return AI_OK;
        }

        call = ai_chat_call_create(d, choice, p);

        if (call == NULL) {
            return AI_ERROR;
        }
    }

    id = ai_mstr(&p->id);

    if (!call->told && ai_mstr_empty(&call->id)
        && ai_mstr_copy(&id, d->alloc, &call->id) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_delta_init(&args, AI_DELTA_ARGS);

    args.choice = choice;
    args.call = call->number;
    args.custom = call->custom;
    args.text = ai_mstr(&p->args);

    /* an object where a string should be */

    if (p->args.type == AI_JSON_OBJECT) {
        args.text.s = ai_json_raw(&p->args);
        args.text.json = 0;
    }

    /* the name may come after the id, but not after the arguments */

    if (!call->told
        && (ai_json_filled(&p->name) || !ai_mstr_empty(&args.text))
        && ai_chat_call_tell(d, call, &p->name) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_mstr_empty(&args.text)) {
        return AI_OK;
    }

    return d->emit(d->data, &args);
}


/*
 * With an index or an id that is known it goes on with that call, unless it
 * has a name and another id: there are servers that count all calls as 0.
 * With neither it goes on with the last one, unless it has a name.
 */

static ai_chat_call_t *
ai_chat_call_find(ai_chat_decode_t *state, ai_uint_t choice,
    const ai_chat_piece_t *p)
{
    ai_mstr_t        id;
    ai_uint_t        other, named;
    ai_chat_call_t  *call;

    id = ai_mstr(&p->id);
    named = ai_json_filled(&p->name);

    for (call = state->calls; call != NULL; call = call->next) {

        if (call->choice != choice) {
            continue;
        }

        other = !ai_mstr_empty(&id) && !ai_mstr_empty(&call->id)
                && !ai_mstr_same(&id, &call->id);

        if (p->indexed && call->indexed) {

            if (p->index == call->index) {
                return (other && named) ? NULL : call;
            }

            continue;
        }

        if (!ai_mstr_empty(&id)) {

            if (!other && !ai_mstr_empty(&call->id)) {
                return call;
            }

            continue;
        }

        return named && call->told ? NULL : call;
    }

    return NULL;
}


static ai_chat_call_t *
ai_chat_call_create(ai_decode_t *d, ai_uint_t choice,
    const ai_chat_piece_t *p)
{
    ai_chat_call_t    *call;
    ai_chat_decode_t  *state;

    state = d->state;

    if (state->ncalls == AI_CHAT_CALLS) {
        return NULL;
    }

    call = ai_alloc(d->alloc, sizeof(ai_chat_call_t));

    if (call == NULL) {
        return NULL;
    }

    memset(call, 0, sizeof(ai_chat_call_t));

    call->choice = choice;
    call->number = state->ncalls++;
    call->index = p->index;
    call->indexed = p->indexed;
    call->custom = p->custom;

    if (ai_mstr_copy(&p->signature, d->alloc, &call->signature) != AI_OK) {
        return NULL;
    }

    call->next = state->calls;
    state->calls = call;

    return call;
}


static ai_int_t
ai_chat_call_tell(ai_decode_t *d, ai_chat_call_t *call,
    const ai_json_t *name)
{
    ai_delta_t  delta;

    call->told = 1;

    ai_delta_init(&delta, AI_DELTA_CALL);

    delta.choice = call->choice;
    delta.call = call->number;
    delta.id = call->id;
    delta.name = ai_mstr(name);
    delta.custom = call->custom;

    if (!ai_mstr_empty(&call->signature)) {
        delta.state_kind = AI_STATE_GOOGLE;
        delta.state = call->signature;
    }

    return d->emit(d->data, &delta);
}

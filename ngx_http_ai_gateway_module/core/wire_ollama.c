
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What Ollama answers: a line of JSON for each piece of it, or one document
 * of the same shape.
 */


#include "wire_ollama.h"


typedef struct {
    ai_uint_t            ncalls;
} ai_ollama_decode_t;


static ai_int_t ai_ollama_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root);
static ai_int_t ai_ollama_parse_end(ai_decode_t *d);
static ai_int_t ai_ollama_parse_response(ai_decode_t *d,
    const ai_json_t *root);
static ai_int_t ai_ollama_piece(ai_decode_t *d, const ai_json_t *root,
    const ai_json_t *message);
static ai_int_t ai_ollama_start(ai_decode_t *d, const ai_json_t *root);
static ai_int_t ai_ollama_calls(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_ollama_call(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_ollama_logprobs(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_ollama_finish(ai_decode_t *d, const ai_json_t *root);
static ai_int_t ai_ollama_usage(ai_decode_t *d, const ai_json_t *root);


const ai_wire_t  ai_wire_ollama = {
    "application/x-ndjson",
    NULL,
    ai_ollama_render_request,
    ai_ollama_parse_event,
    ai_ollama_parse_end,
    ai_ollama_parse_response,
    NULL,
    NULL,
    NULL,
    sizeof(ai_ollama_decode_t),
    0
};


static ai_int_t
ai_ollama_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root)
{
    ai_int_t    rc;
    ai_json_t   message, done;

    (void) name;

    if (root->type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    if (ai_json_get(root, "error", &message) == AI_OK) {
        return ai_emit_error(d, root);
    }

    message = ai_wire_get(root, "message");

    done = ai_wire_get(root, "done");

    if (message.type != AI_JSON_OBJECT && !ai_json_is_true(&done)) {
        d->unknown++;
        return AI_OK;
    }

    rc = ai_ollama_piece(d, root, &message);

    if (rc != AI_OK || !ai_json_is_true(&done)) {
        return rc;
    }

    rc = ai_ollama_finish(d, root);

    if (rc != AI_OK) {
        return rc;
    }

    return ai_emit_end(d);
}


/* a stream is complete when a line says so, and not when it ends */

static ai_int_t
ai_ollama_parse_end(ai_decode_t *d)
{
    (void) d;

    return AI_OK;
}


static ai_int_t
ai_ollama_parse_response(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t   rc;
    ai_json_t  message;

    if (ai_json_get(root, "error", &message) == AI_OK) {
        return ai_emit_error(d, root);
    }

    if (ai_json_get(root, "message", &message) != AI_OK
        || message.type != AI_JSON_OBJECT)
    {
        return AI_DECLINED;
    }

    rc = ai_ollama_piece(d, root, &message);

    return (rc == AI_OK) ? ai_ollama_finish(d, root) : rc;
}


static ai_int_t
ai_ollama_piece(ai_decode_t *d, const ai_json_t *root,
    const ai_json_t *message)
{
    ai_int_t   rc;
    ai_json_t  value;

    rc = ai_ollama_start(d, root);

    if (rc == AI_OK
        && ai_json_get(message, "thinking", &value) == AI_OK)
    {
        rc = ai_emit_text(d, AI_DELTA_REASONING, 0, &value);
    }

    if (rc == AI_OK && ai_json_get(message, "content", &value) == AI_OK) {
        rc = ai_emit_text(d, AI_DELTA_TEXT, 0, &value);
    }

    if (rc == AI_OK && ai_json_get(root, "logprobs", &value) == AI_OK) {
        rc = ai_ollama_logprobs(d, &value);
    }

    if (rc == AI_OK
        && ai_json_get(message, "tool_calls", &value) == AI_OK)
    {
        rc = ai_ollama_calls(d, &value);
    }

    return rc;
}


static ai_int_t
ai_ollama_start(ai_decode_t *d, const ai_json_t *root)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_START);

    delta.name = ai_wire_string(root, "model");

    return d->emit(d->data, &delta);
}


/* whole calls, in one line or in several; "index" starts anew in each */

static ai_int_t
ai_ollama_calls(ai_decode_t *d, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       call;
    ai_json_iter_t  it;

    ai_json_iter_init(&it, v);

    while (v->type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &call) == AI_OK)
    {
        rc = ai_ollama_call(d, &call);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_ollama_call(ai_decode_t *d, const ai_json_t *v)
{
    ai_int_t             rc;
    ai_json_t            function, value;
    ai_mstr_t            args;
    ai_uint_t            n;
    ai_delta_t           delta;
    ai_ollama_decode_t  *state;

    state = d->state;

    if (ai_json_get(v, "function", &function) != AI_OK) {
        d->unknown++;
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_CALL);

    n = state->ncalls++;
    delta.call = n;

    delta.id = ai_wire_string(v, "id");
    delta.name = ai_wire_string(&function, "name");

    rc = d->emit(d->data, &delta);

    if (rc != AI_OK) {
        return rc;
    }

    if (ai_json_get(&function, "arguments", &value) == AI_OK) {

        /* an object; servers that stand in for Ollama send a string */

        args = ai_wire_text(&value);
        rc = ai_emit_args(d, 0, n, &args);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return ai_emit_call_end(d, 0, n);
}


/* they are written as OpenAI does */

static ai_int_t
ai_ollama_logprobs(ai_decode_t *d, const ai_json_t *v)
{
    ai_delta_t  delta;

    if (v->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_LOGPROBS);

    delta.raw = ai_json_raw(v);

    return d->emit(d->data, &delta);
}


/* "stop" also if there are calls; "load" and "unload" of a request without
 * messages */

static ai_int_t
ai_ollama_finish(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t             rc;
    ai_json_t            reason;
    ai_delta_t           delta;
    ai_ollama_decode_t  *state;

    state = d->state;

    ai_delta_init(&delta, AI_DELTA_FINISH);

    delta.finish = (state->ncalls != 0) ? AI_FINISH_TOOLS : AI_FINISH_STOP;

    if (ai_json_get(root, "done_reason", &reason) == AI_OK) {
        delta.native = ai_mstr(&reason);

        if (ai_json_name_eq(&reason, "length")) {
            delta.finish = AI_FINISH_LENGTH;
        }
    }

    rc = d->emit(d->data, &delta);

    return (rc == AI_OK) ? ai_ollama_usage(d, root) : rc;
}


/* of a prompt that was evaluated before, no count is told */

static ai_int_t
ai_ollama_usage(ai_decode_t *d, const ai_json_t *root)
{
    uint64_t    input, output;
    ai_uint_t   told;
    ai_delta_t  delta;

    input = 0;
    output = 0;

    told = ai_usage_member(root, "prompt_eval_count", &input);
    told |= ai_usage_member(root, "eval_count", &output);

    if (!told) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_USAGE);
    ai_usage_set(&delta.usage, input, 0, 0, output, 0);

    return d->emit(d->data, &delta);
}




/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What Cohere answers, as deltas.
 */


#include <stdio.h>
#include <stdlib.h>

#include "wire_cohere.h"


#define AI_COHERE_NUMBER  32


static ai_int_t ai_cohere_untyped(ai_decode_t *d, const ai_json_t *root);
static ai_int_t ai_cohere_start(ai_decode_t *d, const ai_json_t *root);
static ai_int_t ai_cohere_content(ai_decode_t *d, const ai_json_t *root,
    const ai_json_t *message);
static ai_int_t ai_cohere_block(ai_decode_t *d, const ai_json_t *block);
static ai_int_t ai_cohere_calls(ai_decode_t *d, const ai_json_t *root,
    const ai_json_t *message, ai_uint_t start);
static ai_int_t ai_cohere_call(ai_decode_t *d, ai_uint_t n,
    const ai_json_t *call, ai_uint_t start);
static ai_int_t ai_cohere_citations(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_cohere_citation(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_cohere_end(ai_decode_t *d, const ai_json_t *delta);
static ai_int_t ai_cohere_finished(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_cohere_usage(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_cohere_logprobs(ai_decode_t *d, const ai_json_t *v);
static void ai_cohere_logprob(ai_buf_t *b, const ai_json_t *item);
static ai_uint_t ai_cohere_index(const ai_json_t *root);


ai_int_t
ai_cohere_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root)
{
    ai_json_t  type, delta, message;

    if (root->type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    if (ai_json_get(root, "type", &type) != AI_OK
        || type.type != AI_JSON_STRING)
    {
        return ai_cohere_untyped(d, root);
    }

    if (ai_json_name_eq(&type, "error") || ai_str_eq(name, "error")) {
        return ai_emit_error(d, root);
    }

    if (ai_json_name_eq(&type, "tool-call-end")) {
        return ai_emit_call_end(d, 0, ai_cohere_index(root));
    }

    delta = ai_wire_get(root, "delta");

    if (ai_json_name_eq(&type, "message-end")) {
        return ai_cohere_end(d, &delta);
    }

    if (ai_json_name_eq(&type, "message-start")) {
        return ai_cohere_start(d, root);
    }

    message = ai_wire_get(&delta, "message");

    if (ai_json_name_eq(&type, "content-start")
        || ai_json_name_eq(&type, "content-delta"))
    {
        return ai_cohere_content(d, root, &message);
    }

    if (ai_json_name_eq(&type, "tool-plan-delta")) {

        if (ai_json_get(&message, "tool_plan", &delta) != AI_OK) {
            return AI_OK;
        }

        return ai_emit_text(d, AI_DELTA_TEXT, 0, &delta);
    }

    if (ai_json_name_eq(&type, "tool-call-start")) {
        return ai_cohere_calls(d, root, &message, 1);
    }

    if (ai_json_name_eq(&type, "tool-call-delta")) {
        return ai_cohere_calls(d, root, &message, 0);
    }

    if (ai_json_name_eq(&type, "citation-start")) {

        if (ai_json_get(&message, "citations", &delta) != AI_OK) {
            return AI_OK;
        }

        return ai_cohere_citations(d, &delta);
    }

    if (!ai_json_name_eq(&type, "content-end")
        && !ai_json_name_eq(&type, "citation-end"))
    {
        d->unknown++;
    }

    return AI_OK;
}


/* {"id","message"} is how Cohere tells an error */

static ai_int_t
ai_cohere_untyped(ai_decode_t *d, const ai_json_t *root)
{
    ai_json_t  message;

    if (ai_json_get(root, "message", &message) == AI_OK
        || ai_json_get(root, "error", &message) == AI_OK)
    {
        return ai_emit_error(d, root);
    }

    d->unknown++;

    return AI_OK;
}


/* what is complete is told with "[DONE]", so that it is read to its end */

ai_int_t
ai_cohere_parse_end(ai_decode_t *d)
{
    ai_cohere_decode_t  *state;

    state = d->state;

    if (!state->ended) {
        return AI_OK;
    }

    return ai_emit_end(d);
}


ai_int_t
ai_cohere_parse_response(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t   rc;
    ai_json_t  message, value;

    if (ai_json_get(root, "message", &message) != AI_OK) {

        if (ai_json_get(root, "error", &value) == AI_OK) {
            return ai_emit_error(d, root);
        }

        return AI_DECLINED;
    }

    if (message.type == AI_JSON_STRING) {
        return ai_emit_error(d, root);
    }

    if (message.type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    rc = ai_cohere_start(d, root);

    if (rc == AI_OK) {
        rc = ai_cohere_content(d, root, &message);
    }

    if (rc == AI_OK
        && ai_json_get(&message, "tool_plan", &value) == AI_OK)
    {
        rc = ai_emit_text(d, AI_DELTA_TEXT, 0, &value);
    }

    if (rc == AI_OK) {
        rc = ai_cohere_calls(d, root, &message, 1);
    }

    if (rc == AI_OK
        && ai_json_get(&message, "citations", &value) == AI_OK)
    {
        rc = ai_cohere_citations(d, &value);
    }

    if (rc == AI_OK
        && ai_json_get(root, "finish_reason", &value) == AI_OK)
    {
        rc = ai_cohere_finished(d, &value);
    }

    if (rc == AI_OK && ai_json_get(root, "usage", &value) == AI_OK) {
        rc = ai_cohere_usage(d, &value);
    }

    return rc;
}


static ai_int_t
ai_cohere_start(ai_decode_t *d, const ai_json_t *root)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_START);

    delta.id = ai_wire_string(root, "id");

    return d->emit(d->data, &delta);
}


/* content is an object in an event, and an array in a whole answer */

static ai_int_t
ai_cohere_content(ai_decode_t *d, const ai_json_t *root,
    const ai_json_t *message)
{
    ai_int_t        rc;
    ai_json_t       content, block;
    ai_json_iter_t  it;

    if (ai_json_get(message, "content", &content) == AI_OK) {

        if (content.type != AI_JSON_ARRAY) {
            rc = ai_cohere_block(d, &content);

            if (rc != AI_OK) {
                return rc;
            }
        }

        ai_json_iter_init(&it, &content);

        while (content.type == AI_JSON_ARRAY
               && ai_json_next(&it, NULL, &block) == AI_OK)
        {
            rc = ai_cohere_block(d, &block);

            if (rc != AI_OK) {
                return rc;
            }
        }
    }

    if (ai_json_get(root, "logprobs", &block) == AI_OK) {
        return ai_cohere_logprobs(d, &block);
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_block(ai_decode_t *d, const ai_json_t *block)
{
    ai_int_t   rc;
    ai_json_t  value;

    if (block->type == AI_JSON_STRING) {
        return ai_emit_text(d, AI_DELTA_TEXT, 0, block);
    }

    if (ai_json_get(block, "thinking", &value) == AI_OK) {
        rc = ai_emit_text(d, AI_DELTA_REASONING, 0, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (ai_json_get(block, "text", &value) == AI_OK) {
        return ai_emit_text(d, AI_DELTA_TEXT, 0, &value);
    }

    return AI_OK;
}


/* one object with an index beside it in an event, an array in an answer */

static ai_int_t
ai_cohere_calls(ai_decode_t *d, const ai_json_t *root,
    const ai_json_t *message, ai_uint_t start)
{
    ai_int_t             rc;
    ai_json_t            calls, call;
    ai_json_iter_t       it;
    ai_cohere_decode_t  *state;

    state = d->state;

    if (ai_json_get(message, "tool_calls", &calls) != AI_OK) {
        return AI_OK;
    }

    if (calls.type == AI_JSON_OBJECT) {
        return ai_cohere_call(d, ai_cohere_index(root), &calls, start);
    }

    ai_json_iter_init(&it, &calls);

    while (calls.type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &call) == AI_OK)
    {
        rc = ai_cohere_call(d, state->ncalls, &call, 1);

        if (rc == AI_OK) {
            rc = ai_emit_call_end(d, 0, state->ncalls++);
        }

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_call(ai_decode_t *d, ai_uint_t n, const ai_json_t *call,
    ai_uint_t start)
{
    ai_int_t             rc;
    ai_json_t            function, value;
    ai_mstr_t            args;
    ai_delta_t           delta;
    ai_cohere_decode_t  *state;

    state = d->state;

    function = ai_wire_get(call, "function");

    if (start) {
        state->args = 0;

        ai_delta_init(&delta, AI_DELTA_CALL);

        delta.call = n;

        delta.id = ai_wire_string(call, "id");
        delta.name = ai_wire_string(&function, "name");

        rc = d->emit(d->data, &delta);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (ai_json_get(&function, "arguments", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return AI_OK;
    }

    args = ai_mstr(&value);

    /* of a tool without parameters: "", null, or the word as a string */

    if (!state->args && ai_mstr_eq(&args, "null")) {
        return AI_OK;
    }

    if (!ai_mstr_empty(&args)) {
        state->args = 1;
    }

    return ai_emit_args(d, 0, n, &args);
}


static ai_int_t
ai_cohere_citations(ai_decode_t *d, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       citation;
    ai_json_iter_t  it;

    if (v->type == AI_JSON_OBJECT) {
        return ai_cohere_citation(d, v);
    }

    ai_json_iter_init(&it, v);

    while (v->type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &citation) == AI_OK)
    {
        rc = ai_cohere_citation(d, &citation);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


/* of several sources the first is told, by the best name that it has */

static ai_int_t
ai_cohere_citation(ai_decode_t *d, const ai_json_t *v)
{
    ai_json_t   value, source, document;
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_CITATION);

    delta.text = ai_wire_string(v, "text");

    if (ai_json_get(v, "start", &value) == AI_OK) {
        (void) ai_json_uint(&value, &delta.from);
    }

    if (ai_json_get(v, "end", &value) == AI_OK) {
        (void) ai_json_uint(&value, &delta.to);
    }

    if (ai_json_path(v, &source, "sources", "0", NULL) != AI_OK) {
        return d->emit(d->data, &delta);
    }

    delta.name = ai_wire_string(&source, "id");

    if (ai_json_get(&source, "document", &document) == AI_OK
        || ai_json_get(&source, "tool_output", &document) == AI_OK)
    {
        if (ai_json_get(&document, "title", &value) == AI_OK
            && value.type == AI_JSON_STRING)
        {
            delta.name = ai_mstr(&value);
        }

        delta.url = ai_wire_string(&document, "url");
    }

    return d->emit(d->data, &delta);
}


/*
 * The model may fail where all else went well: {"finish_reason":"ERROR",
 * "error":"...","error_type":"INVALID_TOOL_GENERATION"}.  That is an error
 * told in mid-stream, and no answer that has come to its end.
 */

static ai_int_t
ai_cohere_end(ai_decode_t *d, const ai_json_t *delta)
{
    ai_int_t             rc;
    ai_json_t            value;
    ai_cohere_decode_t  *state;

    state = d->state;
    rc = AI_OK;

    if (ai_json_get(delta, "usage", &value) == AI_OK) {
        rc = ai_cohere_usage(d, &value);
    }

    if (rc == AI_OK && ai_json_get(delta, "error", &value) == AI_OK
        && value.type == AI_JSON_STRING)
    {
        return ai_emit_error(d, delta);
    }

    if (rc == AI_OK
        && ai_json_get(delta, "finish_reason", &value) == AI_OK)
    {
        rc = ai_cohere_finished(d, &value);
    }

    state->ended = 1;

    return rc;
}


static ai_int_t
ai_cohere_finished(ai_decode_t *d, const ai_json_t *v)
{
    ai_delta_t  delta;

    if (v->type != AI_JSON_STRING) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_FINISH);

    delta.finish = ai_cohere_finish(v);
    delta.native = ai_mstr(v);

    return d->emit(d->data, &delta);
}


/*
 * "tokens" is what was read and written, "billed_units" leaves out what
 * Cohere adds to a prompt.  Images are counted on their own and are in no
 * other count: 518 of them were seen beside 501 input tokens.
 */

static ai_int_t
ai_cohere_usage(ai_decode_t *d, const ai_json_t *v)
{
    uint64_t    input, images, cached, output, reasoning;
    ai_uint_t   told;
    ai_json_t   counts;
    ai_delta_t  delta;

    if (ai_json_get(v, "tokens", &counts) != AI_OK
        || counts.type != AI_JSON_OBJECT)
    {
        if (ai_json_get(v, "billed_units", &counts) != AI_OK) {
            return AI_OK;
        }
    }

    input = 0;
    images = 0;
    cached = 0;
    output = 0;
    reasoning = 0;

    told = ai_usage_member(&counts, "input_tokens", &input);
    told |= ai_usage_member(&counts, "output_tokens", &output);

    if (!told) {
        return AI_OK;
    }

    (void) ai_usage_member(&counts, "image_tokens", &images);
    (void) ai_usage_member(&counts, "reasoning_tokens", &reasoning);
    (void) ai_usage_member(v, "cached_tokens", &cached);

    ai_delta_init(&delta, AI_DELTA_USAGE);
    ai_usage_set(&delta.usage, input + images, cached, 0, output, reasoning);

    return d->emit(d->data, &delta);
}


/*
 * {"text","token_ids","logprobs"} of each chunk of text, as the tokens that
 * OpenAI tells.  Where a chunk is of several tokens, these are not told
 * apart: it counts as one, and its probability is the product of theirs.
 */

static ai_int_t
ai_cohere_logprobs(ai_decode_t *d, const ai_json_t *v)
{
    ai_buf_t        b;
    ai_json_t       item;
    ai_delta_t      delta;
    ai_json_iter_t  it;

    ai_buf_init(&b, d->document ? d->alloc : d->scratch, (size_t) -1 / 2);
    ai_buf_lit(&b, "[");

    if (v->type == AI_JSON_OBJECT) {
        ai_cohere_logprob(&b, v);
    }

    ai_json_iter_init(&it, v);

    while (v->type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &item) == AI_OK)
    {
        ai_cohere_logprob(&b, &item);
    }

    ai_buf_lit(&b, "]");
    ai_delta_init(&delta, AI_DELTA_LOGPROBS);

    if (ai_buf_get(&b, &delta.raw) != AI_OK) {
        return AI_ERROR;
    }

    return (delta.raw.len > 2) ? d->emit(d->data, &delta) : AI_OK;
}


static void
ai_cohere_logprob(ai_buf_t *b, const ai_json_t *item)
{
    char            number[AI_COHERE_NUMBER];
    double          sum;
    size_t          len;
    ai_json_t       text, logprobs, value, first;
    ai_mstr_t       token;
    ai_uint_t       n;
    ai_json_iter_t  it;

    if (ai_json_get(item, "logprobs", &logprobs) != AI_OK
        || logprobs.type != AI_JSON_ARRAY)
    {
        return;
    }

    n = 0;
    sum = 0;
    first = logprobs;

    ai_json_iter_init(&it, &logprobs);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        len = (size_t) (value.end - value.start);

        if (value.type != AI_JSON_NUMBER || len >= sizeof(number)) {
            return;
        }

        memcpy(number, value.start, len);
        number[len] = '\0';
        sum += strtod(number, NULL);

        first = value;
        n++;
    }

    if (n == 0) {
        return;
    }

    text = ai_wire_get(item, "text");

    token = ai_mstr(&text);

    ai_buf_comma(b);
    ai_buf_lit(b, "{\"token\":");
    ai_buf_string(b, &token);
    ai_buf_lit(b, ",\"logprob\":");

    if (n == 1) {
        ai_buf_put(b, first.start, (size_t) (first.end - first.start));

    } else {
        (void) snprintf(number, sizeof(number), "%.9g", sum);
        ai_buf_cstr(b, number);
    }

    ai_buf_lit(b, ",\"bytes\":null,\"top_logprobs\":[]}");
}


static ai_uint_t
ai_cohere_index(const ai_json_t *root)
{
    uint64_t   n;
    ai_json_t  index;

    if (ai_json_get(root, "index", &index) != AI_OK
        || ai_json_uint(&index, &n) != AI_OK)
    {
        return 0;
    }

    return (ai_uint_t) n;
}

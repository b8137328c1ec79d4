
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The response object of OpenAI's Responses as providers send it, and the
 * items of its output: as documents, and at the end of streams.
 */


#include "wire_responses.h"


/* an answer has a few, and each event looks for its own */

#define AI_RSP_ITEMS  2048

/* bits there are for the parts of a kind */

#define AI_RSP_BITS   32


static ai_int_t ai_rsp_read_message(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *v);
static ai_int_t ai_rsp_read_part(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *part, uint64_t n);
static ai_int_t ai_rsp_read_reasoning(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *v);
static ai_int_t ai_rsp_read_words(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *v, const char *name, ai_rsp_kind_e kind);
static ai_int_t ai_rsp_read_call(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *v, ai_uint_t custom);
static ai_int_t ai_rsp_read_call_end(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *v, ai_uint_t custom);
static ai_int_t ai_rsp_read_image(ai_decode_t *d, const ai_json_t *v);
static ai_uint_t ai_rsp_is_call(const ai_json_t *v, ai_uint_t *custom);
static ai_int_t ai_rsp_read_usage(ai_decode_t *d, const ai_json_t *v);


ai_uint_t
ai_rsp_is_error(const ai_json_t *v)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    switch (v->type) {

    case AI_JSON_STRING:
        return v->end - v->start > 2;

    case AI_JSON_OBJECT:
        ai_json_iter_init(&it, v);
        return ai_json_next(&it, &name, &value) == AI_OK;

    default:
        return 0;
    }
}


ai_int_t
ai_rsp_find(ai_decode_t *d, uint64_t index, ai_rsp_item_t **item)
{
    ai_rsp_item_t    *it;
    ai_rsp_decode_t  *s;

    s = d->state;

    if (s->item != NULL && s->item->index == index) {
        *item = s->item;
        return AI_OK;
    }

    for (it = s->items; it != NULL; it = it->next) {
        if (it->index == index) {
            s->item = it;
            *item = it;
            return AI_OK;
        }
    }

    if (s->nitems == AI_RSP_ITEMS) {
        return AI_DECLINED;
    }

    it = ai_alloc(d->alloc, sizeof(ai_rsp_item_t));

    if (it == NULL) {
        return AI_ERROR;
    }

    memset(it, 0, sizeof(ai_rsp_item_t));

    it->index = index;
    it->next = s->items;

    s->items = it;
    s->item = it;
    s->nitems++;

    *item = it;

    return AI_OK;
}


/* all parts from the last bit on are one, no answer has that many */

ai_uint_t
ai_rsp_was_told(const ai_rsp_item_t *item, ai_rsp_kind_e kind, uint64_t part)
{
    if (part >= AI_RSP_BITS) {
        part = AI_RSP_BITS - 1;
    }

    return (item->parts >> (kind + part)) & 1;
}


ai_int_t
ai_rsp_tell(ai_decode_t *d, ai_rsp_item_t *item, ai_delta_e type,
    ai_rsp_kind_e kind, uint64_t part, const ai_json_t *text,
    ai_uint_t whole)
{
    ai_uint_t         told;
    ai_delta_t        delta;
    ai_rsp_decode_t  *s;

    if (text->type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (text->type != AI_JSON_STRING) {
        return AI_DECLINED;
    }

    told = ai_rsp_was_told(item, kind, part);

    if (text->end - text->start == 2 || (whole && told)) {
        return AI_OK;
    }

    s = d->state;
    s->content = 1;

    if (type == AI_DELTA_REASONING) {

        /* a summary says the same in other words */

        if (kind == AI_RSP_SUMMARIES ? item->text : item->summary) {
            return AI_OK;
        }

        if (kind == AI_RSP_SUMMARIES) {
            item->summary = 1;

        } else {
            item->text = 1;
        }

        /* the parts of a summary are paragraphs */

        if (!told && item->parts != 0) {
            ai_delta_init(&delta, AI_DELTA_REASONING);
            delta.text = ai_mstr_cstr("\n\n");

            if (d->emit(d->data, &delta) != AI_OK) {
                return AI_ERROR;
            }
        }
    }

    if (part >= AI_RSP_BITS) {
        part = AI_RSP_BITS - 1;
    }

    item->parts |= (uint64_t) 1 << (kind + part);

    return ai_emit_text(d, type, 0, text);
}


ai_int_t
ai_rsp_tell_logprobs(ai_decode_t *d, const ai_json_t *logprobs)
{
    ai_json_t       v;
    ai_delta_t      delta;
    ai_json_iter_t  it;

    if (logprobs->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_json_iter_init(&it, logprobs);

    if (ai_json_next(&it, NULL, &v) != AI_OK) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_LOGPROBS);

    delta.raw = ai_json_raw(logprobs);

    return d->emit(d->data, &delta);
}


/* files that are cited are the provider's, nobody else can make use of them */

ai_int_t
ai_rsp_tell_note(ai_decode_t *d, const ai_json_t *note)
{
    ai_json_t   v;
    ai_delta_t  delta;

    if (ai_json_get(note, "type", &v) != AI_OK
        || !ai_json_name_eq(&v, "url_citation")
        || ai_json_get(note, "url", &v) != AI_OK)
    {
        d->unknown++;
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_CITATION);

    delta.url = ai_mstr(&v);

    delta.name = ai_wire_string(note, "title");

    if (ai_json_get(note, "start_index", &v) == AI_OK) {
        (void) ai_json_uint(&v, &delta.from);
    }

    if (ai_json_get(note, "end_index", &v) == AI_OK) {
        (void) ai_json_uint(&v, &delta.to);
    }

    return d->emit(d->data, &delta);
}


ai_int_t
ai_rsp_read_added(ai_decode_t *d, ai_rsp_item_t *item, const ai_json_t *v)
{
    ai_json_t  type;
    ai_uint_t  custom;

    if (ai_rsp_is_call(v, &custom)) {

        /* its end may still tell the name */

        return ai_json_get(v, "name", &type) == AI_OK
               ? ai_rsp_read_call(d, item, v, custom) : AI_OK;
    }

    if (ai_json_get(v, "type", &type) == AI_OK
        && !ai_json_name_eq(&type, "message")
        && !ai_json_name_eq(&type, "reasoning")
        && !ai_json_name_eq(&type, "image_generation_call"))
    {
        item->unknown = 1;
        d->unknown++;
    }

    return AI_OK;
}


ai_int_t
ai_rsp_read_item(ai_decode_t *d, ai_rsp_item_t *item, const ai_json_t *v)
{
    ai_int_t   rc;
    ai_json_t  type;
    ai_uint_t  custom;

    if (item->done) {
        return AI_OK;
    }

    type = ai_wire_get(v, "type");

    rc = AI_OK;

    if (ai_rsp_is_call(v, &custom)) {
        rc = ai_rsp_read_call(d, item, v, custom);

        if (rc == AI_OK) {
            rc = ai_rsp_read_call_end(d, item, v, custom);
        }

    } else if (ai_json_name_eq(&type, "message")) {
        rc = ai_rsp_read_message(d, item, v);

    } else if (ai_json_name_eq(&type, "reasoning")) {
        rc = ai_rsp_read_reasoning(d, item, v);

    } else if (ai_json_name_eq(&type, "image_generation_call")) {
        rc = ai_rsp_read_image(d, v);

    } else if (!item->unknown) {
        d->unknown++;
    }

    item->done = 1;

    return rc;
}


static ai_int_t
ai_rsp_read_message(ai_decode_t *d, ai_rsp_item_t *item, const ai_json_t *v)
{
    ai_int_t        rc;
    uint64_t        n;
    ai_json_t       content, part;
    ai_json_iter_t  it;

    if (ai_json_get(v, "content", &content) != AI_OK) {
        return AI_OK;
    }

    if (content.type == AI_JSON_STRING) {
        return ai_rsp_tell(d, item, AI_DELTA_TEXT, AI_RSP_CONTENT, 0,
                           &content, 1);
    }

    ai_json_iter_init(&it, &content);

    for (n = 0; ai_json_next(&it, NULL, &part) == AI_OK; n++) {

        if (part.type != AI_JSON_OBJECT) {
            continue;
        }

        rc = ai_rsp_read_part(d, item, &part, n);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_read_part(ai_decode_t *d, ai_rsp_item_t *item, const ai_json_t *part,
    uint64_t n)
{
    ai_int_t        rc;
    ai_uint_t       told;
    ai_json_t       v, note;
    ai_json_iter_t  it;

    if (ai_json_get(part, "refusal", &v) == AI_OK) {
        return ai_rsp_tell(d, item, AI_DELTA_REFUSAL, AI_RSP_CONTENT, n, &v,
                           1);
    }

    if (ai_json_get(part, "text", &v) != AI_OK) {
        d->unknown++;
        return AI_OK;
    }

    told = ai_rsp_was_told(item, AI_RSP_CONTENT, n);

    rc = ai_rsp_tell(d, item, AI_DELTA_TEXT, AI_RSP_CONTENT, n, &v, 1);

    if (rc != AI_OK) {
        return rc;
    }

    if (!told && ai_json_get(part, "logprobs", &v) == AI_OK
        && ai_rsp_tell_logprobs(d, &v) != AI_OK)
    {
        return AI_ERROR;
    }

    if (item->notes || ai_json_get(part, "annotations", &v) != AI_OK
        || v.type != AI_JSON_ARRAY)
    {
        return AI_OK;
    }

    ai_json_iter_init(&it, &v);

    while (ai_json_next(&it, NULL, &note) == AI_OK) {
        if (note.type == AI_JSON_OBJECT
            && ai_rsp_tell_note(d, &note) != AI_OK)
        {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_read_reasoning(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *v)
{
    ai_int_t          rc;
    ai_json_t         state;
    ai_delta_t        delta;
    ai_rsp_decode_t  *s;

    rc = ai_rsp_read_words(d, item, v, "content", AI_RSP_CONTENT);

    if (rc == AI_OK) {
        rc = ai_rsp_read_words(d, item, v, "summary", AI_RSP_SUMMARIES);
    }

    if (rc != AI_OK) {
        return rc;
    }

    if (ai_json_get(v, "encrypted_content", &state) != AI_OK
        || state.type != AI_JSON_STRING || state.end - state.start == 2)
    {
        return AI_OK;
    }

    s = d->state;
    s->content = 1;

    ai_delta_init(&delta, AI_DELTA_STATE);

    delta.state_kind = (d->vendor != NULL
                        && (d->vendor->flags & AI_VENDOR_STATE_XAI))
                       ? AI_STATE_XAI : AI_STATE_OPENAI;
    delta.state = ai_mstr(&state);

    delta.state_id = ai_wire_string(v, "id");

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_rsp_read_words(ai_decode_t *d, ai_rsp_item_t *item, const ai_json_t *v,
    const char *name, ai_rsp_kind_e kind)
{
    ai_int_t        rc;
    uint64_t        n;
    ai_json_t       parts, part, text;
    ai_json_iter_t  it;

    if (ai_json_get(v, name, &parts) != AI_OK
        || parts.type != AI_JSON_ARRAY)
    {
        return AI_OK;
    }

    ai_json_iter_init(&it, &parts);

    for (n = 0; ai_json_next(&it, NULL, &part) == AI_OK; n++) {

        if (part.type != AI_JSON_OBJECT
            || ai_json_get(&part, "text", &text) != AI_OK)
        {
            continue;
        }

        rc = ai_rsp_tell(d, item, AI_DELTA_REASONING, kind, n, &text, 1);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_read_call(ai_decode_t *d, ai_rsp_item_t *item, const ai_json_t *v,
    ai_uint_t custom)
{
    ai_json_t         value;
    ai_delta_t        delta;
    ai_rsp_decode_t  *s;

    if (item->call) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_CALL);

    delta.name = ai_wire_string(v, "name");

    if (ai_mstr_empty(&delta.name)) {
        return AI_DECLINED;
    }

    s = d->state;

    item->call = 1;
    s->content = 1;
    s->calls = 1;

    delta.call = (ai_uint_t) item->index;
    delta.custom = custom ? 1 : 0;

    delta.id = ai_wire_string(v, "call_id");

    if (ai_mstr_empty(&delta.id) && ai_json_get(v, "id", &value) == AI_OK) {
        delta.id = ai_mstr(&value);
    }

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_rsp_read_call_end(ai_decode_t *d, ai_rsp_item_t *item, const ai_json_t *v,
    ai_uint_t custom)
{
    ai_json_t   value;
    ai_mstr_t   args;

    if (!item->args
        && ai_json_get(v, custom ? "input" : "arguments", &value) == AI_OK)
    {
        args = ai_mstr(&value);

        if (value.type == AI_JSON_OBJECT) {
            args.s = ai_json_raw(&value);
            args.json = 0;
        }

        item->args = 1;

        if (ai_emit_args(d, 0, (ai_uint_t) item->index, &args) != AI_OK) {
            return AI_ERROR;
        }
    }

    return ai_emit_call_end(d, 0, (ai_uint_t) item->index);
}


static ai_int_t
ai_rsp_read_image(ai_decode_t *d, const ai_json_t *v)
{
    ai_json_t         value;
    ai_delta_t        delta;
    ai_rsp_decode_t  *s;

    if (ai_json_get(v, "result", &value) != AI_OK
        || value.type != AI_JSON_STRING || value.end - value.start == 2)
    {
        return AI_OK;
    }

    s = d->state;
    s->content = 1;

    ai_delta_init(&delta, AI_DELTA_IMAGE);

    delta.text = ai_mstr(&value);
    delta.media_type = ai_mstr_cstr("image/png");

    if (ai_json_get(v, "output_format", &value) == AI_OK) {

        if (ai_json_name_eq(&value, "jpeg")) {
            delta.media_type = ai_mstr_cstr("image/jpeg");

        } else if (ai_json_name_eq(&value, "webp")) {
            delta.media_type = ai_mstr_cstr("image/webp");
        }
    }

    return d->emit(d->data, &delta);
}


/*
 * Calls that the client has to execute.  What xAI searches for by itself are
 * custom calls as well, told apart by their ids only.
 */

static ai_uint_t
ai_rsp_is_call(const ai_json_t *v, ai_uint_t *custom)
{
    ai_str_t   s;
    ai_json_t  type, id;

    *custom = 0;

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return 0;
    }

    if (ai_json_name_eq(&type, "function_call")) {
        return 1;
    }

    if (!ai_json_name_eq(&type, "custom_tool_call")) {
        return 0;
    }

    *custom = 1;

    if (ai_json_get(v, "call_id", &id) != AI_OK
        || id.type != AI_JSON_STRING)
    {
        return 1;
    }

    s = ai_json_str_raw(&id);

    return s.len < sizeof("xs_call_") - 1
           || memcmp(s.data, "xs_call_", sizeof("xs_call_") - 1) != 0;
}


ai_int_t
ai_rsp_read_start(ai_decode_t *d, const ai_json_t *response)
{
    ai_json_t         v;
    ai_delta_t        delta;
    ai_rsp_decode_t  *s;

    s = d->state;

    if (response->type != AI_JSON_OBJECT || s->started) {
        return AI_OK;
    }

    s->started = 1;

    ai_delta_init(&delta, AI_DELTA_START);

    delta.id = ai_wire_string(response, "id");
    delta.name = ai_wire_string(response, "model");

    if (ai_json_get(response, "created_at", &v) == AI_OK) {
        (void) ai_json_uint(&v, &delta.created);
    }

    return d->emit(d->data, &delta);
}


ai_int_t
ai_rsp_read_output(ai_decode_t *d, const ai_json_t *response)
{
    ai_int_t        rc;
    uint64_t        n;
    ai_json_t       output, v;
    ai_rsp_item_t  *item;
    ai_json_iter_t  it;

    if (ai_json_get(response, "output", &output) != AI_OK
        || output.type != AI_JSON_ARRAY)
    {
        return AI_DECLINED;
    }

    ai_json_iter_init(&it, &output);

    for (n = 0; ai_json_next(&it, NULL, &v) == AI_OK; n++) {

        if (v.type != AI_JSON_OBJECT) {
            continue;
        }

        rc = ai_rsp_find(d, n, &item);

        if (rc != AI_OK) {
            return rc;
        }

        item->done = 0;

        rc = ai_rsp_read_item(d, item, &v);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


ai_int_t
ai_rsp_read_end(ai_decode_t *d, const ai_json_t *response)
{
    ai_json_t         v, reason;
    ai_delta_t        delta;
    ai_rsp_decode_t  *s;

    s = d->state;

    if (ai_json_get(response, "usage", &v) == AI_OK
        && ai_rsp_read_usage(d, &v) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_delta_init(&delta, AI_DELTA_FINISH);

    delta.finish = s->calls ? AI_FINISH_TOOLS : AI_FINISH_STOP;

    if (ai_json_get(response, "status", &v) == AI_OK) {
        delta.native = ai_mstr(&v);

        if (ai_json_name_eq(&v, "incomplete")) {
            delta.finish = AI_FINISH_LENGTH;
        }
    }

    if (ai_json_path(response, &reason, "incomplete_details", "reason", NULL)
        == AI_OK
        && reason.type == AI_JSON_STRING)
    {
        delta.native = ai_mstr(&reason);
        delta.finish = ai_json_name_eq(&reason, "content_filter")
                       ? AI_FINISH_FILTER : AI_FINISH_LENGTH;
    }

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_rsp_read_usage(ai_decode_t *d, const ai_json_t *v)
{
    uint64_t    input, cached, write, output, reasoning;
    ai_json_t   value;
    ai_delta_t  delta;

    if (v->type != AI_JSON_OBJECT
        || ai_json_get(v, "input_tokens", &value) != AI_OK)
    {
        return AI_OK;
    }

    input = 0;
    write = 0;
    cached = 0;
    output = 0;
    reasoning = 0;

    (void) ai_usage_member(v, "input_tokens", &input);
    (void) ai_usage_member(v, "output_tokens", &output);

    if (ai_json_get(v, "input_tokens_details", &value) == AI_OK) {
        (void) ai_usage_member(&value, "cached_tokens", &cached);
        (void) ai_usage_member(&value, "cache_write_tokens", &write);
    }

    if (ai_json_get(v, "output_tokens_details", &value) == AI_OK) {
        (void) ai_usage_member(&value, "reasoning_tokens", &reasoning);
    }

    ai_delta_init(&delta, AI_DELTA_USAGE);
    ai_usage_set(&delta.usage, input, cached, write, output, reasoning);

    return d->emit(d->data, &delta);
}


/*
 * An answer in the background that has not begun yet has an output too, an
 * empty one: its status tells that it is none.
 */

ai_int_t
ai_rsp_parse_response(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t   rc;
    ai_json_t  v;

    if (root->type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    if (ai_json_get(root, "error", &v) == AI_OK && ai_rsp_is_error(&v)) {
        return ai_emit_error(d, root);
    }

    if (ai_json_get(root, "status", &v) == AI_OK) {

        if (ai_json_name_eq(&v, "failed")) {
            return ai_emit_error(d, root);
        }

        if (ai_json_name_eq(&v, "queued")
            || ai_json_name_eq(&v, "in_progress")
            || ai_json_name_eq(&v, "cancelled"))
        {
            return AI_DECLINED;
        }
    }

    rc = ai_rsp_read_start(d, root);

    if (rc == AI_OK) {
        rc = ai_rsp_read_output(d, root);
    }

    if (rc != AI_OK) {
        return rc;
    }

    return ai_rsp_read_end(d, root);
}

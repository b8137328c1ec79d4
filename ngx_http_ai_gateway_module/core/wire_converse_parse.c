
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Answers of Bedrock Converse, wire-formats.md 8.3.
 */


#include "dialect.h"
#include "wire_converse.h"


typedef struct {
    const char   *name;
    ai_finish_e   finish;
} ai_converse_stop_t;


static ai_int_t ai_converse_start(ai_decode_t *d);
static ai_int_t ai_converse_block_start(ai_decode_t *d,
    const ai_json_t *root);
static ai_int_t ai_converse_block_delta(ai_decode_t *d,
    const ai_json_t *root);
static ai_int_t ai_converse_delta(ai_decode_t *d, const ai_json_t *name,
    const ai_json_t *value);
static ai_int_t ai_converse_block_stop(ai_decode_t *d,
    const ai_json_t *root);
static void ai_converse_open(ai_converse_decode_t *s, const ai_json_t *root);
static ai_int_t ai_converse_text(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_converse_reasoning(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_converse_state(ai_decode_t *d, ai_state_e kind,
    const ai_json_t *v);
static ai_int_t ai_converse_call(ai_decode_t *d, const ai_json_t *tool);
static ai_int_t ai_converse_args(ai_decode_t *d, const ai_mstr_t *text);
static ai_int_t ai_converse_citation(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_converse_image(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_converse_finish(ai_decode_t *d, const ai_json_t *root);
static ai_int_t ai_converse_metadata(ai_decode_t *d, const ai_json_t *root);
static ai_int_t ai_converse_content(ai_decode_t *d, const ai_json_t *name,
    const ai_json_t *value);
static ai_int_t ai_converse_cited(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_converse_failed(ai_decode_t *d, const ai_json_t *root);


/* wire-formats.md 2.1 */

static const ai_converse_stop_t  ai_converse_stops[] = {
    { "end_turn", AI_FINISH_STOP },
    { "stop_sequence", AI_FINISH_SEQUENCE },
    { "max_tokens", AI_FINISH_LENGTH },
    { "model_context_window_exceeded", AI_FINISH_CONTEXT },
    { "tool_use", AI_FINISH_TOOLS },
    { "content_filtered", AI_FINISH_FILTER },
    { "guardrail_intervened", AI_FINISH_FILTER },
    { "malformed_model_output", AI_FINISH_BROKEN },
    { "malformed_tool_use", AI_FINISH_BROKEN },
    { NULL, AI_FINISH_NONE }
};


ai_int_t
ai_converse_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root)
{
    if (ai_str_eq(name, "contentBlockDelta")) {
        return ai_converse_block_delta(d, root);
    }

    if (ai_str_eq(name, "contentBlockStart")) {
        return ai_converse_block_start(d, root);
    }

    if (ai_str_eq(name, "contentBlockStop")) {
        return ai_converse_block_stop(d, root);
    }

    if (ai_str_eq(name, "messageStart")) {
        return ai_converse_start(d);
    }

    if (ai_str_eq(name, "messageStop")) {
        return ai_converse_finish(d, root);
    }

    if (ai_str_eq(name, "metadata")) {
        return ai_converse_metadata(d, root);
    }

    d->unknown++;

    return AI_OK;
}


ai_int_t
ai_converse_parse_end(ai_decode_t *d)
{
    /* without metadata it is complete all the same, if it told why it ended */

    return AI_OK;
}


ai_int_t
ai_converse_parse_response(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t               rc;
    ai_json_t              message, content, block, name, value;
    ai_json_iter_t         it, members;
    ai_converse_decode_t  *s;

    if (ai_json_path(root, &message, "output", "message", NULL) != AI_OK
        || message.type != AI_JSON_OBJECT)
    {
        return ai_converse_failed(d, root);
    }

    rc = ai_converse_start(d);

    s = d->state;
    content = ai_wire_get(&message, "content");
    ai_json_iter_init(&it, &content);

    while (rc == AI_OK && ai_json_next(&it, NULL, &block) == AI_OK) {

        s->index++;
        s->block = AI_CONVERSE_NONE;

        ai_converse_members(&members, &block);

        while (rc == AI_OK
               && ai_json_next(&members, &name, &value) == AI_OK)
        {
            rc = ai_converse_content(d, &name, &value);
        }
    }

    if (rc != AI_OK) {
        return rc;
    }

    rc = ai_converse_finish(d, root);

    return rc == AI_OK ? ai_converse_metadata(d, root) : rc;
}


static ai_int_t
ai_converse_start(ai_decode_t *d)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_START);

    return d->emit(d->data, &delta);
}


/* text and reasoning begin without one */

static ai_int_t
ai_converse_block_start(ai_decode_t *d, const ai_json_t *root)
{
    ai_json_t              start, name, value;
    ai_json_iter_t         it;
    ai_converse_decode_t  *s;

    s = d->state;
    ai_converse_open(s, root);

    start = ai_wire_get(root, "start");
    ai_converse_members(&it, &start);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "toolUse")) {
            return ai_converse_call(d, &value);
        }

        s->block = AI_CONVERSE_OTHER;

        if (!ai_json_is(&name, "toolResult") && !ai_json_is(&name, "image")) {
            d->unknown++;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_converse_block_delta(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t        rc;
    ai_json_t       delta, name, value;
    ai_json_iter_t  it;

    ai_converse_open(d->state, root);

    delta = ai_wire_get(root, "delta");
    ai_converse_members(&it, &delta);

    while (ai_json_next(&it, &name, &value) == AI_OK) {
        rc = ai_converse_delta(d, &name, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_converse_delta(ai_decode_t *d, const ai_json_t *name,
    const ai_json_t *value)
{
    ai_json_t   input;
    ai_mstr_t   text;

    if (ai_json_is(name, "text")) {
        return ai_converse_text(d, value);
    }

    if (ai_json_is(name, "toolUse")) {
        input = ai_wire_get(value, "input");
        text = ai_mstr(&input);

        return ai_converse_args(d, &text);
    }

    if (ai_json_is(name, "reasoningContent")) {
        return ai_converse_reasoning(d, value);
    }

    if (ai_json_is(name, "citation")) {
        return ai_converse_citation(d, value);
    }

    if (ai_json_is(name, "image")) {
        return ai_converse_image(d, value);
    }

    if (!ai_json_is(name, "toolResult")) {
        d->unknown++;
    }

    return AI_OK;
}


static ai_int_t
ai_converse_block_stop(ai_decode_t *d, const ai_json_t *root)
{
    ai_converse_decode_t  *s;

    s = d->state;
    ai_converse_open(s, root);

    if (s->block != AI_CONVERSE_CALL) {
        s->block = AI_CONVERSE_NONE;
        return AI_OK;
    }

    s->block = AI_CONVERSE_NONE;

    return ai_emit_call_end(d, 0, s->index);
}


/* an index that was not met before begins a block */

static void
ai_converse_open(ai_converse_decode_t *s, const ai_json_t *root)
{
    uint64_t   index;
    ai_json_t  v;

    if (ai_json_get(root, "contentBlockIndex", &v) != AI_OK
        || ai_json_uint(&v, &index) != AI_OK
        || index == s->index)
    {
        return;
    }

    s->index = index;
    s->block = AI_CONVERSE_NONE;
}


static ai_int_t
ai_converse_text(ai_decode_t *d, const ai_json_t *v)
{
    ai_mstr_t              text;
    ai_converse_decode_t  *s;

    s = d->state;

    if (v->type == AI_JSON_STRING) {

        if (s->block != AI_CONVERSE_TEXT) {
            s->block = AI_CONVERSE_TEXT;
            s->from = s->chars;
        }

        text = ai_mstr(v);
        s->chars += ai_converse_chars(&text);
    }

    return ai_emit_text(d, AI_DELTA_TEXT, 0, v);
}


uint64_t
ai_converse_chars(const ai_mstr_t *text)
{
    u_char    *p, *last;
    uint64_t   n;

    n = 0;
    last = text->s.data + text->s.len;

    for (p = text->s.data; p < last; p++) {

        if ((*p & 0xc0) == 0x80) {
            continue;
        }

        n++;

        if (*p != '\\' || !text->json || last - p < 2) {
            continue;
        }

        p++;

        if (*p == 'u' && last - p > 4) {

            /* "\ud8" to "\udb" is the first half of a character */

            n -= ((p[1] | 0x20) == 'd'
                  && (p[2] == '8' || p[2] == '9' || (p[2] | 0x20) == 'a'
                      || (p[2] | 0x20) == 'b'));
            p += 4;
        }
    }

    return n;
}


/* reasoningContent of a stream, or reasoningText of a document */

static ai_int_t
ai_converse_reasoning(ai_decode_t *d, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    ai_converse_members(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "text")) {
            rc = ai_emit_text(d, AI_DELTA_REASONING, 0, &value);

        } else if (ai_json_is(&name, "signature")) {

            /* behind the text, wherever it stands */

            continue;

        } else if (ai_json_is(&name, "redactedContent")) {
            rc = ai_converse_state(d, AI_STATE_REDACTED, &value);

        } else {
            d->unknown++;
            continue;
        }

        if (rc != AI_OK) {
            return rc;
        }
    }

    value = ai_wire_get(v, "signature");

    return ai_converse_state(d, AI_STATE_ANTHROPIC, &value);
}


/* what is redacted is base64 of what Anthropic itself tells */

static ai_int_t
ai_converse_state(ai_decode_t *d, ai_state_e kind, const ai_json_t *v)
{
    ai_int_t    rc;
    ai_str_t    data;
    ai_mstr_t   text;
    ai_delta_t  delta;

    text = ai_mstr(v);

    if (ai_mstr_empty(&text)) {
        return AI_OK;
    }

    if (kind == AI_STATE_REDACTED) {
        rc = ai_wire_base64(&text, d->document ? d->alloc : d->scratch,
                            &data);

        if (rc == AI_DECLINED) {
            d->unknown++;
            return AI_OK;
        }

        if (rc != AI_OK) {
            return rc;
        }

        text = ai_mstr_plain(&data);
    }

    ai_delta_init(&delta, AI_DELTA_STATE);
    delta.state_kind = kind;
    delta.state = text;

    return d->emit(d->data, &delta);
}


/* those of the provider's own tools are no calls for a client */

static ai_int_t
ai_converse_call(ai_decode_t *d, const ai_json_t *tool)
{
    ai_json_t              name, value;
    ai_delta_t             delta;
    ai_json_iter_t         it;
    ai_converse_decode_t  *s;

    s = d->state;

    ai_delta_init(&delta, AI_DELTA_CALL);
    ai_converse_members(&it, tool);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "toolUseId")) {
            delta.id = ai_mstr(&value);

        } else if (ai_json_is(&name, "name")) {
            delta.name = ai_mstr(&value);

        } else if (ai_json_is(&name, "type")
                   && ai_json_is(&value, "server_tool_use"))
        {
            s->block = AI_CONVERSE_OTHER;
            return AI_OK;
        }
    }

    if (ai_mstr_eq(&delta.name, AI_WIRE_JSON)) {
        s->block = AI_CONVERSE_ANSWER;
        s->answer = 1;
        return AI_OK;
    }

    s->block = AI_CONVERSE_CALL;
    delta.call = s->index;

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_converse_args(ai_decode_t *d, const ai_mstr_t *text)
{
    ai_delta_t             delta;
    ai_converse_decode_t  *s;

    s = d->state;

    if (s->block == AI_CONVERSE_CALL) {
        return ai_emit_args(d, 0, s->index, text);
    }

    if (s->block != AI_CONVERSE_ANSWER || ai_mstr_empty(text)) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_TEXT);
    delta.text = *text;

    return d->emit(d->data, &delta);
}


/*
 * Where it is in what was cited is of no use to a client; where it is in the
 * answer is not told: the text of this block up to here, or, if the block has
 * none, that of the one before it.
 */

static ai_int_t
ai_converse_citation(ai_decode_t *d, const ai_json_t *v)
{
    ai_json_t              value;
    ai_delta_t             delta;
    ai_converse_decode_t  *s;

    if (v->type != AI_JSON_OBJECT) {
        return AI_OK;
    }

    s = d->state;
    ai_delta_init(&delta, AI_DELTA_CITATION);

    delta.name = ai_wire_string(v, "title");

    if (ai_json_path(v, &value, "location", "web", "url", NULL) == AI_OK
        || ai_json_get(v, "source", &value) == AI_OK)
    {
        delta.url = ai_mstr(&value);
    }

    if (ai_mstr_empty(&delta.name)
        && ai_json_path(v, &value, "location", "web", "domain", NULL)
           == AI_OK)
    {
        delta.name = ai_mstr(&value);
    }

    if (ai_json_path(v, &value, "sourceContent", "0", "text", NULL)
        == AI_OK)
    {
        delta.text = ai_mstr(&value);
    }

    delta.from = s->from;
    delta.to = s->chars;

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_converse_image(ai_decode_t *d, const ai_json_t *v)
{
    ai_json_t    value;
    ai_delta_t   delta;
    const char  *type;

    value = ai_wire_get(v, "source");
    value = ai_wire_get(&value, "bytes");

    ai_delta_init(&delta, AI_DELTA_IMAGE);
    delta.text = ai_mstr(&value);

    value = ai_wire_get(v, "format");
    type = ai_converse_media_type(AI_PART_IMAGE, &value);
    delta.media_type = ai_mstr_cstr(type != NULL ? type : "image/png");

    return ai_mstr_empty(&delta.text) ? AI_OK : d->emit(d->data, &delta);
}


/* messageStop, or a document */

static ai_int_t
ai_converse_finish(ai_decode_t *d, const ai_json_t *root)
{
    ai_json_t                  reason, sequence;
    ai_delta_t                 delta;
    ai_converse_decode_t      *s;
    const ai_converse_stop_t  *stop;

    reason = ai_wire_get(root, "stopReason");

    if (!ai_json_filled(&reason)) {
        return AI_OK;
    }

    s = d->state;
    s->finished = 1;

    ai_delta_init(&delta, AI_DELTA_FINISH);
    delta.native = ai_mstr(&reason);

    /* one that is not known yet is an end like any other */

    delta.finish = AI_FINISH_STOP;

    for (stop = ai_converse_stops; stop->name != NULL; stop++) {
        if (ai_mstr_eq(&delta.native, stop->name)) {
            delta.finish = stop->finish;
            break;
        }
    }

    if (delta.finish == AI_FINISH_TOOLS && s->answer) {
        delta.finish = AI_FINISH_STOP;
    }

    if (delta.finish == AI_FINISH_SEQUENCE
        && (ai_json_path(root, &sequence, "additionalModelResponseFields",
                         "delta", "stop_sequence", NULL) == AI_OK
            || ai_json_path(root, &sequence, "additionalModelResponseFields",
                            "stop_sequence", NULL) == AI_OK))
    {
        delta.text = ai_mstr(&sequence);
    }

    return d->emit(d->data, &delta);
}


/*
 * What was read from a cache or written to one is told beside inputTokens.
 * In a stream this is the last event, behind messageStop.
 */

static ai_int_t
ai_converse_metadata(ai_decode_t *d, const ai_json_t *root)
{
    ai_usage_t            *u;
    ai_uint_t              told;
    ai_json_t              usage, name, value;
    ai_delta_t             delta;
    ai_json_iter_t         it;
    ai_converse_decode_t  *s;

    s = d->state;
    told = 0;

    ai_delta_init(&delta, AI_DELTA_USAGE);
    u = &delta.usage;

    usage = ai_wire_get(root, "usage");
    ai_converse_members(&it, &usage);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "inputTokens")) {
            told |= ai_usage_count(&value, &u->uncached);

        } else if (ai_json_is(&name, "outputTokens")) {
            told |= ai_usage_count(&value, &u->output);

        } else if (ai_json_is(&name, "cacheReadInputTokens")) {
            told |= ai_usage_count(&value, &u->cached);

        } else if (ai_json_is(&name, "cacheWriteInputTokens")) {
            told |= ai_usage_count(&value, &u->cache_write);
        }
    }

    if (told) {
        u->source = AI_USAGE_PROVIDER;

        if (d->emit(d->data, &delta) != AI_OK) {
            return AI_ERROR;
        }
    }

    if (d->document || !s->finished) {
        return AI_OK;
    }

    return ai_emit_end(d);
}


/* one member of a block of a document */

static ai_int_t
ai_converse_content(ai_decode_t *d, const ai_json_t *name,
    const ai_json_t *value)
{
    ai_str_t   raw;
    ai_json_t  inner;
    ai_mstr_t  text;

    if (ai_json_is(name, "text")) {
        return ai_converse_text(d, value);
    }

    if (ai_json_is(name, "toolUse")) {

        if (ai_converse_call(d, value) != AI_OK) {
            return AI_ERROR;
        }

        inner = ai_wire_get(value, "input");
        raw = ai_json_raw(&inner);
        text = ai_mstr_plain(&raw);

        return ai_converse_args(d, &text);
    }

    if (ai_json_is(name, "reasoningContent")) {

        if (ai_json_get(value, "reasoningText", &inner) != AI_OK) {
            inner = *value;
        }

        return ai_converse_reasoning(d, &inner);
    }

    if (ai_json_is(name, "citationsContent")) {
        return ai_converse_cited(d, value);
    }

    if (ai_json_is(name, "image")) {
        return ai_converse_image(d, value);
    }

    /* some providers behind Bedrock tell the type of a block beside it */

    if (!ai_json_is(name, "type") && !ai_json_is(name, "toolResult")) {
        d->unknown++;
    }

    return AI_OK;
}


/* text, and what all of it was taken from */

static ai_int_t
ai_converse_cited(ai_decode_t *d, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       list, item, text;
    ai_json_iter_t  it;

    list = ai_wire_get(v, "content");
    ai_json_iter_init(&it, &list);

    while (ai_json_next(&it, NULL, &item) == AI_OK) {
        text = ai_wire_get(&item, "text");
        rc = ai_converse_text(d, &text);

        if (rc != AI_OK) {
            return rc;
        }
    }

    list = ai_wire_get(v, "citations");
    ai_json_iter_init(&it, &list);

    while (ai_json_next(&it, NULL, &item) == AI_OK) {
        rc = ai_converse_citation(d, &item);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


/*
 * Not an answer: an error in a document that was sent with a status of 200,
 * as for a path that Bedrock does not know, or nothing that can be read.
 */

static ai_int_t
ai_converse_failed(ai_decode_t *d, const ai_json_t *root)
{
    ai_json_t   type, message;
    ai_delta_t  delta;

    if (ai_json_path(root, &type, "Output", "__type", NULL) != AI_OK) {
        type = ai_wire_get(root, "__type");
    }

    if (ai_json_get(root, "Message", &message) != AI_OK) {
        message = ai_wire_get(root, "message");
    }

    if (type.type != AI_JSON_STRING && message.type != AI_JSON_STRING) {
        return AI_DECLINED;
    }

    ai_delta_init(&delta, AI_DELTA_ERROR);
    delta.name = ai_mstr(&type);
    delta.text = ai_mstr(&message);

    if (ai_mstr_empty(&delta.text)) {
        delta.text = delta.name;
    }

    return d->emit(d->data, &delta);
}

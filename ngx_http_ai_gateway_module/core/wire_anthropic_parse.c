
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The answer of a provider that speaks Anthropic Messages: wire-formats.md
 * 6.2 to 6.4.  Events are told apart by their JSON, since on Bedrock they
 * have no name.
 */


#include "wire_anthropic.h"


#define AI_ANTHROPIC_SIGNATURE  (4 * 1024 * 1024)


/* members of an event, of which an answer has some too */

enum {
    AI_STREAM_TYPE = 0,
    AI_STREAM_INDEX,
    AI_STREAM_DELTA,
    AI_STREAM_BLOCK,
    AI_STREAM_MESSAGE,
    AI_STREAM_USED,
    AI_STREAM_FAILED,
    AI_STREAM_N
};

static const ai_str_t  ai_event_names[] = {
    ai_string("type"),
    ai_string("index"),
    ai_string("delta"),
    ai_string("content_block"),
    ai_string("message"),
    ai_string("usage"),
    ai_string("error")
};


/* members of a delta, and of a block */

enum {
    AI_DATA_TYPE = 0,
    AI_DATA_TEXT,
    AI_DATA_PARTIAL_JSON,
    AI_DATA_THINKING,
    AI_DATA_SIGNATURE,
    AI_DATA_CITATION,
    AI_DATA_CITATIONS,
    AI_DATA_ID,
    AI_DATA_NAME,
    AI_DATA_INPUT,
    AI_DATA_DATA,
    AI_DATA_N
};

static const ai_str_t  ai_data_names[] = {
    ai_string("type"),
    ai_string("text"),
    ai_string("partial_json"),
    ai_string("thinking"),
    ai_string("signature"),
    ai_string("citation"),
    ai_string("citations"),
    ai_string("id"),
    ai_string("name"),
    ai_string("input"),
    ai_string("data")
};


static ai_int_t ai_anthropic_message_start(ai_decode_t *d,
    const ai_json_t *message);
static ai_int_t ai_anthropic_start(ai_decode_t *d, const ai_json_t *message);
static ai_int_t ai_anthropic_block_start(ai_decode_t *d,
    ai_anthropic_block_t *block, const ai_json_t *v);
static ai_int_t ai_anthropic_block_delta(ai_decode_t *d,
    ai_anthropic_block_t *block, const ai_json_t *v);
static ai_int_t ai_anthropic_block_stop(ai_decode_t *d,
    ai_anthropic_block_t *block);
static ai_int_t ai_anthropic_whole(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_anthropic_call_start(ai_decode_t *d,
    ai_anthropic_block_t *block, ai_json_t *m);
static ai_int_t ai_anthropic_call_stop(ai_decode_t *d,
    ai_anthropic_block_t *block);
static ai_int_t ai_anthropic_say(ai_decode_t *d, const ai_mstr_t *text);
static ai_int_t ai_anthropic_sign(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_anthropic_state(ai_decode_t *d, ai_state_e kind,
    const ai_mstr_t *state);
static ai_int_t ai_anthropic_cite(ai_decode_t *d, const ai_json_t *v);
static ai_int_t ai_anthropic_cited(ai_decode_t *d);
static ai_anthropic_block_t *ai_anthropic_at(ai_decode_t *d,
    const ai_json_t *index);
static uint64_t ai_anthropic_chars(const ai_mstr_t *text);
static uint64_t ai_anthropic_plain(const u_char *p, const u_char *end);


ai_int_t
ai_anthropic_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root)
{
    ai_int_t               rc;
    ai_str_t               type;
    ai_json_t              m[AI_STREAM_N];
    ai_anthropic_block_t  *block;

    ai_wire_members(root, ai_event_names, AI_STREAM_N, m);

    type = *name;

    if (m[AI_STREAM_TYPE].type == AI_JSON_STRING) {
        type = ai_json_str_raw(&m[AI_STREAM_TYPE]);
    }

    block = ai_anthropic_at(d, &m[AI_STREAM_INDEX]);

    if (ai_str_eq(&type, "content_block_delta")) {
        return ai_anthropic_block_delta(d, block, &m[AI_STREAM_DELTA]);
    }

    if (ai_str_eq(&type, "content_block_start")) {
        return ai_anthropic_block_start(d, block, &m[AI_STREAM_BLOCK]);
    }

    if (ai_str_eq(&type, "content_block_stop")) {
        return ai_anthropic_block_stop(d, block);
    }

    if (ai_str_eq(&type, "message_start")) {
        return ai_anthropic_message_start(d, &m[AI_STREAM_MESSAGE]);
    }

    if (ai_str_eq(&type, "message_delta")) {

        rc = ai_anthropic_emit_usage(d, &m[AI_STREAM_USED], AI_USAGE_PROVIDER);
        if (rc != AI_OK) {
            return rc;
        }

        return ai_anthropic_stopped(d, &m[AI_STREAM_DELTA]);
    }

    if (ai_str_eq(&type, "message_stop")) {
        return ai_emit_end(d);
    }

    if (ai_str_eq(&type, "error")
        || m[AI_STREAM_FAILED].type == AI_JSON_OBJECT
        || m[AI_STREAM_FAILED].type == AI_JSON_STRING)
    {
        return ai_emit_error(d, root);
    }

    if (!ai_str_eq(&type, "ping")) {
        d->unknown++;
    }

    return AI_OK;
}


/* message_stop has told that it is complete, without it nothing is */

ai_int_t
ai_anthropic_parse_end(ai_decode_t *d)
{
    return AI_OK;
}


ai_int_t
ai_anthropic_parse_response(ai_decode_t *d, const ai_json_t *root)
{
    ai_int_t        rc;
    ai_json_t       v, m[4];
    ai_json_iter_t  it;

    static const ai_str_t  names[] = {
        ai_string("type"), ai_string("error"), ai_string("content"),
        ai_string("usage")
    };

    ai_wire_members(root, names, 4, m);

    if (ai_json_name_eq(&m[0], "error") || m[1].type == AI_JSON_OBJECT) {
        return ai_emit_error(d, root);
    }

    if (m[2].type != AI_JSON_ARRAY) {
        return AI_DECLINED;
    }

    rc = ai_anthropic_start(d, root);
    if (rc != AI_OK) {
        return rc;
    }

    ai_json_iter_init(&it, &m[2]);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {

        rc = ai_anthropic_whole(d, &v);
        if (rc != AI_OK) {
            return rc;
        }
    }

    rc = ai_anthropic_emit_usage(d, &m[3], AI_USAGE_PROVIDER);
    if (rc != AI_OK) {
        return rc;
    }

    return ai_anthropic_stopped(d, root);
}


/*
 * Proxies that try again have been seen to send a second one.  Before there
 * is anything, or between blocks, it does no harm; but a call that is cut
 * short by it can neither be completed nor taken back.
 */

static ai_int_t
ai_anthropic_message_start(ai_decode_t *d, const ai_json_t *message)
{
    ai_int_t                rc;
    ai_uint_t               i;
    ai_json_t               usage;
    ai_anthropic_block_e    type;
    ai_anthropic_decode_t  *s;

    s = d->state;

    for (i = 0; i < AI_ANTHROPIC_BLOCKS; i++) {
        type = s->blocks[i].type;

        if (type == AI_ANTHROPIC_CALL || type == AI_ANTHROPIC_ANSWER) {
            return AI_DECLINED;
        }
    }

    rc = ai_anthropic_start(d, message);

    if (rc != AI_OK || message->type != AI_JSON_OBJECT
        || ai_json_get(message, "usage", &usage) != AI_OK)
    {
        return rc;
    }

    /* of the output it tells something, but not the truth */

    return ai_anthropic_emit_usage(d, &usage, AI_USAGE_ESTIMATED);
}


static ai_int_t
ai_anthropic_start(ai_decode_t *d, const ai_json_t *message)
{
    ai_json_t   m[2];
    ai_delta_t  delta;

    static const ai_str_t  names[] = { ai_string("id"), ai_string("model") };

    ai_wire_members(message, names, 2, m);

    ai_delta_init(&delta, AI_DELTA_START);

    delta.id = ai_mstr(&m[0]);
    delta.name = ai_mstr(&m[1]);

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_anthropic_block_start(ai_decode_t *d, ai_anthropic_block_t *block,
    const ai_json_t *v)
{
    ai_int_t                rc;
    ai_json_t               m[AI_DATA_N];
    ai_mstr_t               text;
    ai_anthropic_decode_t  *s;

    s = d->state;

    ai_wire_members(v, ai_data_names, AI_DATA_N, m);

    memset(block, 0, sizeof(ai_anthropic_block_t));

    if (ai_json_name_eq(&m[AI_DATA_TYPE], "text")) {
        block->type = AI_ANTHROPIC_TEXT;
        s->from = s->chars;
        text = ai_mstr(&m[AI_DATA_TEXT]);

        return ai_anthropic_say(d, &text);
    }

    if (ai_json_name_eq(&m[AI_DATA_TYPE], "thinking")) {
        block->type = AI_ANTHROPIC_THINKING;
        ai_buf_reset(&s->signature);

        rc = ai_emit_text(d, AI_DELTA_REASONING, 0, &m[AI_DATA_THINKING]);
        if (rc != AI_OK) {
            return rc;
        }

        return ai_anthropic_sign(d, &m[AI_DATA_SIGNATURE]);
    }

    if (ai_json_name_eq(&m[AI_DATA_TYPE], "tool_use")) {
        return ai_anthropic_call_start(d, block, m);
    }

    block->type = AI_ANTHROPIC_SKIP;

    if (ai_json_name_eq(&m[AI_DATA_TYPE], "redacted_thinking")) {
        text = ai_mstr(&m[AI_DATA_DATA]);
        return ai_anthropic_state(d, AI_STATE_REDACTED, &text);
    }

    /* tools of the provider are no calls, whatever their blocks look like */

    d->unknown++;

    return AI_OK;
}


static ai_int_t
ai_anthropic_block_delta(ai_decode_t *d, ai_anthropic_block_t *block,
    const ai_json_t *v)
{
    ai_json_t   m[AI_DATA_N], *type;
    ai_mstr_t   text;

    if (block->type == AI_ANTHROPIC_SKIP) {
        return AI_OK;
    }

    ai_wire_members(v, ai_data_names, AI_DATA_N, m);

    type = &m[AI_DATA_TYPE];

    if (ai_json_name_eq(type, "text_delta")) {
        text = ai_mstr(&m[AI_DATA_TEXT]);
        return ai_anthropic_say(d, &text);
    }

    if (ai_json_name_eq(type, "input_json_delta")) {
        text = ai_mstr(&m[AI_DATA_PARTIAL_JSON]);

        if (!ai_mstr_empty(&text)) {
            block->pieces = 1;
        }

        if (block->type == AI_ANTHROPIC_CALL) {
            return ai_emit_args(d, 0, block->call, &text);
        }

        if (block->type == AI_ANTHROPIC_ANSWER) {
            return ai_anthropic_say(d, &text);
        }

        d->unknown++;

        return AI_OK;
    }

    if (ai_json_name_eq(type, "thinking_delta")) {
        return ai_emit_text(d, AI_DELTA_REASONING, 0, &m[AI_DATA_THINKING]);
    }

    if (ai_json_name_eq(type, "signature_delta")) {
        return ai_anthropic_sign(d, &m[AI_DATA_SIGNATURE]);
    }

    if (ai_json_name_eq(type, "citations_delta")) {
        return ai_anthropic_cite(d, &m[AI_DATA_CITATION]);
    }

    d->unknown++;

    return AI_OK;
}


static ai_int_t
ai_anthropic_block_stop(ai_decode_t *d, ai_anthropic_block_t *block)
{
    ai_int_t                rc;
    ai_str_t                signature;
    ai_mstr_t               state;
    ai_anthropic_decode_t  *s;

    s = d->state;
    rc = AI_OK;

    switch (block->type) {

    case AI_ANTHROPIC_TEXT:
        rc = ai_anthropic_cited(d);
        break;

    case AI_ANTHROPIC_THINKING:

        if (ai_buf_get(&s->signature, &signature) != AI_OK) {
            return AI_ERROR;
        }

        if (signature.len != 0) {
            state = ai_mstr_plain(&signature);
            rc = ai_anthropic_state(d, AI_STATE_ANTHROPIC, &state);
        }

        break;

    case AI_ANTHROPIC_CALL:
    case AI_ANTHROPIC_ANSWER:
        rc = ai_anthropic_call_stop(d, block);
        break;

    default:
        break;
    }

    block->type = AI_ANTHROPIC_NONE;

    return rc;
}


/* a block that comes in one piece */

static ai_int_t
ai_anthropic_whole(ai_decode_t *d, const ai_json_t *v)
{
    ai_int_t              rc;
    ai_json_t             citation, citations;
    ai_json_iter_t        it;
    ai_anthropic_block_t  block;

    rc = ai_anthropic_block_start(d, &block, v);
    if (rc != AI_OK) {
        return rc;
    }

    if (block.type == AI_ANTHROPIC_TEXT
        && ai_json_get(v, "citations", &citations) == AI_OK)
    {
        ai_json_iter_init(&it, &citations);

        while (ai_json_next(&it, NULL, &citation) == AI_OK) {

            rc = ai_anthropic_cite(d, &citation);
            if (rc != AI_OK) {
                return rc;
            }
        }
    }

    return ai_anthropic_block_stop(d, &block);
}


static ai_int_t
ai_anthropic_call_start(ai_decode_t *d, ai_anthropic_block_t *block,
    ai_json_t *m)
{
    ai_str_t                input;
    ai_delta_t              delta;
    ai_mstr_t               name;
    ai_json_t               value;
    ai_json_iter_t          it;
    ai_anthropic_decode_t  *s;

    s = d->state;

    /* nearly always empty here, and to be told only if nothing follows */

    ai_json_iter_init(&it, &m[AI_DATA_INPUT]);

    if (m[AI_DATA_INPUT].type == AI_JSON_OBJECT
        && ai_json_next(&it, NULL, &value) == AI_OK)
    {
        input = ai_json_raw(&m[AI_DATA_INPUT]);
        block->input = input;

        if (!d->document) {
            block->input.data = ai_alloc(d->alloc, input.len);
            if (block->input.data == NULL) {
                return AI_ERROR;
            }

            memcpy(block->input.data, input.data, input.len);
        }
    }

    name = ai_mstr(&m[AI_DATA_NAME]);

    if (ai_mstr_eq(&name, AI_WIRE_JSON)) {
        block->type = AI_ANTHROPIC_ANSWER;
        s->answer = 1;

        return AI_OK;
    }

    block->type = AI_ANTHROPIC_CALL;
    block->call = s->ncalls++;

    ai_delta_init(&delta, AI_DELTA_CALL);

    delta.call = block->call;
    delta.id = ai_mstr(&m[AI_DATA_ID]);
    delta.name = name;

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_anthropic_call_stop(ai_decode_t *d, ai_anthropic_block_t *block)
{
    ai_int_t    rc;
    ai_mstr_t   input;

    input = ai_mstr_plain(&block->input);

    if (block->pieces) {
        ai_str_set(&input.s, "");
    }

    if (block->type == AI_ANTHROPIC_ANSWER) {
        return ai_anthropic_say(d, &input);
    }

    rc = ai_emit_args(d, 0, block->call, &input);
    if (rc != AI_OK) {
        return rc;
    }

    return ai_emit_call_end(d, 0, block->call);
}


static ai_int_t
ai_anthropic_say(ai_decode_t *d, const ai_mstr_t *text)
{
    ai_delta_t              delta;
    ai_anthropic_decode_t  *s;

    if (ai_mstr_empty(text)) {
        return AI_OK;
    }

    s = d->state;
    s->chars += ai_anthropic_chars(text);

    ai_delta_init(&delta, AI_DELTA_TEXT);

    delta.text = *text;

    return d->emit(d->data, &delta);
}


/* the last one counts; it is held until the thinking ends */

static ai_int_t
ai_anthropic_sign(ai_decode_t *d, const ai_json_t *v)
{
    ai_mstr_t               m;
    ai_anthropic_decode_t  *s;

    s = d->state;
    m = ai_mstr(v);

    if (ai_mstr_empty(&m)) {
        return AI_OK;
    }

    if (s->signature.alloc == NULL) {
        ai_buf_init(&s->signature, d->alloc, AI_ANTHROPIC_SIGNATURE);
    }

    ai_buf_reset(&s->signature);
    ai_buf_plain(&s->signature, &m);

    return s->signature.failed ? AI_ERROR : AI_OK;
}


static ai_int_t
ai_anthropic_state(ai_decode_t *d, ai_state_e kind, const ai_mstr_t *state)
{
    ai_delta_t  delta;

    if (ai_mstr_empty(state)) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_STATE);

    delta.state_kind = kind;
    delta.state = *state;

    return d->emit(d->data, &delta);
}


/*
 * Citations come before the text that they are for, so they wait for its end.
 * Those without a URL are about documents of the client, and no one else
 * knows such.
 */

static ai_int_t
ai_anthropic_cite(ai_decode_t *d, const ai_json_t *v)
{
    ai_json_t               m[3];
    ai_mstr_t               url, title, text;
    ai_citation_t          *c;
    ai_anthropic_decode_t  *s;

    static const ai_str_t  names[] = {
        ai_string("url"), ai_string("title"), ai_string("cited_text")
    };

    s = d->state;

    ai_wire_members(v, names, 3, m);

    url = ai_mstr(&m[0]);

    if (ai_mstr_empty(&url)) {
        return AI_OK;
    }

    title = ai_mstr(&m[1]);
    text = ai_mstr(&m[2]);

    c = ai_alloc(d->alloc, sizeof(ai_citation_t));
    if (c == NULL) {
        return AI_ERROR;
    }

    memset(c, 0, sizeof(ai_citation_t));

    if (ai_mstr_copy(&url, d->alloc, &c->url) != AI_OK
        || ai_mstr_copy(&title, d->alloc, &c->title) != AI_OK
        || ai_mstr_copy(&text, d->alloc, &c->text) != AI_OK)
    {
        return AI_ERROR;
    }

    if (s->citations == NULL) {
        s->last = &s->citations;
    }

    *s->last = c;
    s->last = &c->next;

    return AI_OK;
}


static ai_int_t
ai_anthropic_cited(ai_decode_t *d)
{
    ai_int_t                rc;
    ai_delta_t              delta;
    ai_citation_t          *c;
    ai_anthropic_decode_t  *s;

    s = d->state;

    for (c = s->citations; c != NULL; c = c->next) {

        ai_delta_init(&delta, AI_DELTA_CITATION);

        delta.url = c->url;
        delta.name = c->title;
        delta.text = c->text;
        delta.from = s->from;
        delta.to = s->chars;

        rc = d->emit(d->data, &delta);
        if (rc != AI_OK) {
            return rc;
        }
    }

    s->citations = NULL;

    return AI_OK;
}


static ai_anthropic_block_t *
ai_anthropic_at(ai_decode_t *d, const ai_json_t *index)
{
    uint64_t                n;
    ai_anthropic_decode_t  *s;

    s = d->state;
    n = 0;

    if (index->type == AI_JSON_NUMBER) {
        (void) ai_json_uint(index, &n);
    }

    return &s->blocks[n % AI_ANTHROPIC_BLOCKS];
}


/* characters, not bytes; an escape is one, and so is a pair of surrogates */

static uint64_t
ai_anthropic_chars(const ai_mstr_t *text)
{
    u_char    *p, *q, *end;
    uint64_t   n;

    n = 0;
    p = text->s.data;
    end = p + text->s.len;

    while (p < end) {

        q = text->json ? memchr(p, '\\', (size_t) (end - p)) : NULL;

        if (q == NULL) {
            return n + ai_anthropic_plain(p, end);
        }

        n += ai_anthropic_plain(p, q) + 1;
        p = q + 2;

        if (p > end || p[-1] != 'u') {
            continue;
        }

        /* of the halves, \uD800 to \uDBFF is not counted */

        if (end - p > 1 && (p[0] == 'd' || p[0] == 'D')
            && p[1] != '\0' && strchr("89abAB", p[1]) != NULL)
        {
            n--;
        }

        p += 4;
    }

    return n;
}


/* all but the bytes that go on with a character; eight at a time */

static uint64_t
ai_anthropic_plain(const u_char *p, const u_char *end)
{
    uint64_t  n, v;

    static const uint64_t  ones = UINT64_C(0x0101010101010101);

    n = (uint64_t) (end - p);

    for ( /* void */ ; end - p >= 8; p += 8) {
        memcpy(&v, p, 8);
        n -= (((v >> 7) & ~(v >> 6) & ones) * ones) >> 56;
    }

    for ( /* void */ ; p < end; p++) {
        n -= ((*p & 0xc0) == 0x80);
    }

    return n;
}

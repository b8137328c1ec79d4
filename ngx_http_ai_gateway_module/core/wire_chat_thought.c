
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Thoughts of a model and the opaque state that belongs to them, as they are
 * told within chat/completions, in requests as in answers: OpenAI has no
 * member for either, so each vendor found one (wire-formats.md 2.6, 12).
 */


#include "wire_chat.h"


/* an entry of reasoning_details */

typedef struct {
    ai_json_t            type;
    ai_json_t            text;         /* or summary */
    ai_json_t            data;
    ai_json_t            signature;
    ai_json_t            id;
    ai_state_e           kind;
    uint64_t             index;
} ai_chat_detail_t;


static void ai_chat_detail(const ai_json_t *v, ai_chat_detail_t *e);
static ai_uint_t ai_chat_worded(const ai_json_t *list);
static ai_int_t ai_chat_walk_details(const ai_json_t *list,
    ai_chat_sink_t *sink);
static ai_int_t ai_chat_walk_blocks(const ai_json_t *list,
    ai_chat_sink_t *sink);
static ai_int_t ai_chat_tell(ai_chat_sink_t *sink, const ai_json_t *text,
    ai_uint_t fresh);
static ai_int_t ai_chat_tell_state(ai_chat_sink_t *sink, ai_state_e kind,
    const ai_json_t *id, const ai_json_t *state);
static ai_state_e ai_chat_format(const ai_json_t *v);


ai_uint_t
ai_chat_thought(ai_chat_thoughts_t *t, const ai_json_t *name,
    const ai_json_t *value)
{
    ai_json_t  google;

    /* some tell the same twice, under the old name and under the new one */

    if (ai_json_is(name, "reasoning_content")
        || ai_json_is(name, "reasoning"))
    {
        if (ai_json_filled(value)) {
            t->text = *value;
        }

        return 1;
    }

    if (ai_json_is(name, "reasoning_details")) {
        t->details = *value;
        return 1;
    }

    if (ai_json_is(name, "thinking_blocks")) {
        t->blocks = *value;
        return 1;
    }

    if (ai_json_is(name, "thought_signature")) {
        t->signature = ai_mstr(value);
        return 1;
    }

    if (ai_json_is(name, "extra_content")) {

        if (ai_json_path(value, &google, "google", "thought_signature", NULL)
            == AI_OK)
        {
            t->signature = ai_mstr(&google);
        }

        return 1;
    }

    return 0;
}


ai_int_t
ai_chat_walk(const ai_chat_thoughts_t *t, ai_chat_sink_t *sink)
{
    ai_int_t   rc;
    ai_mstr_t  none;

    /* the entries repeat the text, in pieces that know their state */

    if (t->text.type != AI_JSON_NULL && !ai_chat_worded(&t->details)
        && !ai_chat_worded(&t->blocks))
    {
        rc = ai_chat_tell(sink, &t->text, 0);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (t->details.type == AI_JSON_ARRAY
        && t->details.end - t->details.start > 2)
    {
        rc = ai_chat_walk_details(&t->details, sink);

    } else {
        rc = ai_chat_walk_blocks(&t->blocks, sink);
    }

    if (rc != AI_OK || ai_mstr_empty(&t->signature)) {
        return rc;
    }

    memset(&none, 0, sizeof(ai_mstr_t));

    return sink->state(sink->data, AI_STATE_GOOGLE, &none, &t->signature);
}


ai_int_t
ai_chat_walk_thinking(const ai_json_t *v, ai_chat_sink_t *sink)
{
    ai_int_t        rc;
    ai_json_t       part, text;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_chat_tell(sink, v, 0);
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &part) == AI_OK) {

        if (ai_json_get(&part, "text", &text) != AI_OK) {
            sink->unknown++;
            continue;
        }

        rc = ai_chat_tell(sink, &text, 0);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


ai_mstr_t
ai_chat_signature(const ai_json_t *object)
{
    ai_json_t  v;

    if (ai_json_path(object, &v, "extra_content", "google",
                     "thought_signature", NULL)
        != AI_OK)
    {
        memset(&v, 0, sizeof(ai_json_t));
    }

    return ai_mstr(&v);
}


static void
ai_chat_detail(const ai_json_t *v, ai_chat_detail_t *e)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(e, 0, sizeof(ai_chat_detail_t));

    if (v->type != AI_JSON_OBJECT) {
        return;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "type")) {
            e->type = value;

        } else if (ai_json_is(&name, "text")
                   || ai_json_is(&name, "summary"))
        {
            e->text = value;

        } else if (ai_json_is(&name, "data")) {
            e->data = value;

        } else if (ai_json_is(&name, "signature")) {
            e->signature = value;

        } else if (ai_json_is(&name, "id")) {
            e->id = value;

        } else if (ai_json_is(&name, "format")) {
            e->kind = ai_chat_format(&value);

        } else if (ai_json_is(&name, "index")) {
            (void) ai_json_uint(&value, &e->index);
        }
    }
}


/* whether there is text in any entry or block */

static ai_uint_t
ai_chat_worded(const ai_json_t *list)
{
    ai_json_t       entry, text;
    ai_json_iter_t  it;

    if (list->type != AI_JSON_ARRAY) {
        return 0;
    }

    ai_json_iter_init(&it, list);

    while (ai_json_next(&it, NULL, &entry) == AI_OK) {

        if ((ai_json_get(&entry, "text", &text) == AI_OK
             && ai_json_filled(&text))
            || (ai_json_get(&entry, "summary", &text) == AI_OK
                && ai_json_filled(&text))
            || (ai_json_get(&entry, "thinking", &text) == AI_OK
                && ai_json_filled(&text)))
        {
            return 1;
        }
    }

    return 0;
}


static ai_int_t
ai_chat_walk_details(const ai_json_t *list, ai_chat_sink_t *sink)
{
    ai_int_t          rc;
    uint64_t          index;
    ai_json_t         v;
    ai_uint_t         first;
    ai_json_iter_t    it;
    ai_chat_detail_t  e;

    index = 0;
    first = 1;

    ai_json_iter_init(&it, list);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {

        ai_chat_detail(&v, &e);

        rc = ai_chat_tell(sink, &e.text, !first && e.index != index);

        if (rc == AI_OK && ai_json_filled(&e.signature)) {

            rc = ai_chat_tell_state(sink, e.kind != AI_STATE_NONE
                                          ? e.kind : AI_STATE_ANTHROPIC,
                                    &e.id, &e.signature);

        } else if (rc == AI_OK && ai_json_filled(&e.data)) {

            rc = ai_chat_tell_state(sink, e.kind == AI_STATE_ANTHROPIC
                                          ? AI_STATE_REDACTED : e.kind,
                                    &e.id, &e.data);

        } else if (e.text.type == AI_JSON_NULL
                   && !ai_json_is(&e.type, "reasoning.text")
                   && !ai_json_is(&e.type, "reasoning.summary")
                   && !ai_json_is(&e.type, "reasoning.encrypted"))
        {
            sink->unknown++;
        }

        if (rc != AI_OK) {
            return rc;
        }

        index = e.index;
        first = 0;
    }

    return AI_OK;
}


static ai_int_t
ai_chat_walk_blocks(const ai_json_t *list, ai_chat_sink_t *sink)
{
    ai_int_t        rc;
    ai_json_t       block, value, none;
    ai_uint_t       fresh;
    ai_json_iter_t  it;

    if (list->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    memset(&none, 0, sizeof(ai_json_t));
    fresh = 0;

    ai_json_iter_init(&it, list);

    while (ai_json_next(&it, NULL, &block) == AI_OK) {

        rc = AI_OK;

        if (ai_json_get(&block, "thinking", &value) == AI_OK) {
            rc = ai_chat_tell(sink, &value, fresh);
        }

        if (rc == AI_OK
            && ai_json_get(&block, "signature", &value) == AI_OK)
        {
            rc = ai_chat_tell_state(sink, AI_STATE_ANTHROPIC, &none, &value);
        }

        if (rc == AI_OK && ai_json_get(&block, "data", &value) == AI_OK) {
            rc = ai_chat_tell_state(sink, AI_STATE_REDACTED, &none, &value);
        }

        if (rc != AI_OK) {
            return rc;
        }

        fresh = 1;
    }

    return AI_OK;
}


static ai_int_t
ai_chat_tell(ai_chat_sink_t *sink, const ai_json_t *text, ai_uint_t fresh)
{
    ai_mstr_t  m;

    if (!ai_json_filled(text)) {
        return AI_OK;
    }

    m = ai_mstr(text);

    return sink->text(sink->data, &m, fresh);
}


/* whose state it is nobody told: then nobody can use it */

static ai_int_t
ai_chat_tell_state(ai_chat_sink_t *sink, ai_state_e kind,
    const ai_json_t *id, const ai_json_t *state)
{
    ai_mstr_t  m, name;

    if (kind == AI_STATE_NONE) {
        sink->unknown++;
        return AI_OK;
    }

    if (!ai_json_filled(state)) {
        return AI_OK;
    }

    m = ai_mstr(state);
    name = ai_mstr(id);

    return sink->state(sink->data, kind, &name, &m);
}


/* OpenRouter's names for who can read an entry; versions follow */

static ai_state_e
ai_chat_format(const ai_json_t *v)
{
    ai_uint_t  i;
    ai_str_t   s;

    static const struct {
        ai_str_t         name;
        ai_state_e       kind;
    } formats[] = {
        { ai_string("anthropic-claude"), AI_STATE_ANTHROPIC },
        { ai_string("google-gemini"), AI_STATE_GOOGLE },
        { ai_string("openai-responses"), AI_STATE_OPENAI },
        { ai_string("azure-openai-responses"), AI_STATE_OPENAI },
        { ai_string("xai-responses"), AI_STATE_XAI },
        { ai_null_string, AI_STATE_NONE }
    };

    if (v->type != AI_JSON_STRING) {
        return AI_STATE_NONE;
    }

    s = ai_json_str_raw(v);

    for (i = 0; formats[i].name.len != 0; i++) {

        if (s.len >= formats[i].name.len
            && memcmp(s.data, formats[i].name.data, formats[i].name.len) == 0)
        {
            break;
        }
    }

    return formats[i].kind;
}


ai_int_t
ai_chat_join(ai_mstr_t *to, ai_buf_t *b, ai_alloc_t *a,
    const ai_mstr_t *text)
{
    if (ai_mstr_empty(to)) {
        *to = *text;
        b->start = NULL;
        return AI_OK;
    }

    if (b->start == NULL) {
        ai_buf_init(b, a, (size_t) -1 / 2);
        ai_buf_chars(b, to);
    }

    ai_buf_chars(b, text);
    to->json = 1;

    return ai_buf_get(b, &to->s);
}


const char *
ai_chat_state_format(ai_state_e kind)
{
    switch (kind) {

    case AI_STATE_ANTHROPIC:
    case AI_STATE_REDACTED:
        return "anthropic-claude-v1";

    case AI_STATE_GOOGLE:
        return "google-gemini-v1";

    case AI_STATE_OPENAI:
        return "openai-responses-v1";

    case AI_STATE_XAI:
        return "xai-responses-v1";

    default:
        return "unknown";
    }
}

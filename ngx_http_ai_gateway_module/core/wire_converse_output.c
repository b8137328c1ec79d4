
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Messages for a model behind Bedrock Converse, wire-formats.md 8.2: users
 * and assistants take turns, a user begins, and no text is blank.
 */


#include "ai_base64.h"
#include "wire_converse.h"


/* what stands where there must be words, and a client has none */

#define AI_CONVERSE_OPENING  "{\"text\":\"Continue.\"}"
#define AI_CONVERSE_BESIDE   "{\"text\":\"See the document.\"}"
#define AI_CONVERSE_EMPTY    "{\"text\":\"(empty)\"}"


static ai_int_t ai_converse_write_message(ai_converse_write_t *w,
    const ai_message_t *m);
static ai_int_t ai_converse_write_part(ai_converse_write_t *w,
    const ai_part_t *part, ai_uint_t user);
static void ai_converse_trim(ai_mstr_t *text);
static void ai_converse_begin(ai_converse_write_t *w, ai_uint_t user);
static void ai_converse_end(ai_converse_write_t *w);
static ai_int_t ai_converse_write_reasoning(ai_converse_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_converse_write_call(ai_converse_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_converse_write_result(ai_converse_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_converse_write_content(ai_converse_write_t *w,
    const ai_part_t *part);
static ai_uint_t ai_converse_system(const ai_message_t *m);


ai_int_t
ai_converse_write_messages(ai_converse_write_t *w)
{
    ai_int_t       rc;
    ai_message_t  *m;

    ai_buf_key(w->out, "messages");
    ai_buf_lit(w->out, "[");

    for (m = w->req->messages; m != NULL; m = m->next) {

        if (ai_converse_system(m)) {
            continue;
        }

        rc = ai_converse_write_message(w, m);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (!w->any) {
        ai_converse_begin(w, 1);
        ai_buf_lit(w->out, AI_CONVERSE_OPENING);
    }

    if (w->open && w->user && !w->cached) {
        ai_converse_cache(w, &w->req->cache, 0);
    }

    ai_converse_end(w);
    ai_buf_lit(w->out, "]");

    return AI_OK;
}


static ai_int_t
ai_converse_write_message(ai_converse_write_t *w, const ai_message_t *m)
{
    ai_int_t          rc;
    ai_str_t          cache;
    ai_part_t         last;
    const ai_part_t  *part;

    for (part = m->parts; part != NULL; part = part->next) {

        if (m->next == NULL && part->next == NULL
            && m->role == AI_ROLE_ASSISTANT && part->type == AI_PART_TEXT)
        {
            /* the request is rendered once more if another provider is asked */

            last = *part;
            part = &last;
            ai_converse_trim(&last.text);
        }

        rc = ai_converse_write_part(w, part, m->role != AI_ROLE_ASSISTANT);

        if (rc != AI_OK) {
            return rc;
        }

        if (w->open && !w->cached) {
            cache = ai_converse_marker(part);
            ai_converse_cache(w, &cache, 0);
        }
    }

    return AI_OK;
}


static ai_int_t
ai_converse_write_part(ai_converse_write_t *w, const ai_part_t *part,
    ai_uint_t user)
{
    switch (part->type) {

    case AI_PART_TEXT:
    case AI_PART_REFUSAL:

        if (!ai_wire_blank(&part->text)) {
            ai_converse_begin(w, user);
            ai_buf_lit(w->out, "{\"text\":");
            ai_buf_string(w->out, &part->text);
            ai_buf_lit(w->out, "}");
            w->text = 1;
        }

        return AI_OK;

    case AI_PART_REASONING:
        return ai_converse_write_reasoning(w, part);

    case AI_PART_CALL:
        return ai_converse_write_call(w, part);

    case AI_PART_RESULT:
        return ai_converse_write_result(w, part);

    default:
        break;
    }

    /* media: what a model made itself is not shown to it again */

    if (!user) {
        ai_report_drop(w->rep, "image");
        return AI_OK;
    }

    ai_converse_begin(w, 1);
    w->document |= (part->type == AI_PART_DOCUMENT);

    return ai_converse_write_media(w, part);
}


/* an answer that a model is to go on with may not end in white space */

static void
ai_converse_trim(ai_mstr_t *text)
{
    u_char  *p;
    size_t   len, n;

    p = text->s.data;

    for (len = text->s.len; len > 0; text->s.len = len) {

        if (p[len - 1] == ' ' || p[len - 1] == '\n' || p[len - 1] == '\r'
            || p[len - 1] == '\t')
        {
            len--;
            continue;
        }

        if (!text->json || len < 2 || p[len - 2] != '\\'
            || memchr("nrt", p[len - 1], 3) == NULL)
        {
            return;
        }

        /* whether that backslash is one itself */

        for (n = 0; n < len - 1 && p[len - 2 - n] == '\\'; n++) {
            /* void */
        }

        if (n % 2 == 0) {
            return;
        }

        len -= 2;
    }
}


/* a block of a message of that side, which goes on if it is open */

static void
ai_converse_begin(ai_converse_write_t *w, ai_uint_t user)
{
    if (w->open && w->user != user) {
        ai_converse_end(w);
    }

    if (!w->open) {

        if (!w->any && !user) {
            w->any = 1;
            ai_converse_begin(w, 1);
            ai_buf_lit(w->out, AI_CONVERSE_OPENING);
            ai_converse_end(w);
        }

        ai_buf_comma(w->out);

        if (user) {
            ai_buf_lit(w->out, "{\"role\":\"user\",\"content\":[");

        } else {
            ai_buf_lit(w->out, "{\"role\":\"assistant\",\"content\":[");
        }

        w->any = 1;
        w->open = 1;
        w->user = (user != 0);
        w->text = 0;
        w->document = 0;
    }

    w->cached = 0;
    ai_buf_comma(w->out);
}


static void
ai_converse_end(ai_converse_write_t *w)
{
    if (!w->open) {
        return;
    }

    if (w->document && !w->text) {
        ai_buf_lit(w->out, "," AI_CONVERSE_BESIDE);
    }

    ai_buf_lit(w->out, "]}");
    w->open = 0;
}


/*
 * Claude alone takes back what it thought, and only if it is signed; what
 * another model thought is not for it.
 */

static ai_int_t
ai_converse_write_reasoning(ai_converse_write_t *w, const ai_part_t *part)
{
    ai_int_t  rc;

    if (!ai_converse_is(w, AI_CAPS_CLAUDE)
        || ai_mstr_empty(&part->state)
        || (part->state_kind != AI_STATE_ANTHROPIC
            && part->state_kind != AI_STATE_REDACTED))
    {
        return AI_OK;
    }

    rc = AI_OK;

    ai_converse_begin(w, 0);
    ai_buf_lit(w->out, "{\"reasoningContent\":{");

    if (part->state_kind == AI_STATE_REDACTED) {
        ai_buf_key(w->out, "redactedContent");
        rc = ai_converse_redacted(w->out, &part->state, w->req->alloc);

    } else {
        ai_buf_lit(w->out, "\"reasoningText\":{\"text\":");
        ai_buf_string(w->out, &part->text);
        ai_buf_key(w->out, "signature");
        ai_buf_string(w->out, &part->state);
        ai_buf_lit(w->out, "}");
    }

    ai_buf_lit(w->out, "}}");

    return rc;
}


static ai_int_t
ai_converse_write_call(ai_converse_write_t *w, const ai_part_t *part)
{
    ai_str_t  input;

    ai_converse_begin(w, 0);
    ai_buf_lit(w->out, "{\"toolUse\":{");

    if (ai_converse_name(w, "toolUseId", &part->id) != AI_OK
        || ai_converse_name(w, "name", &part->name) != AI_OK
        || ai_part_object(part, w->req->alloc, &input) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_key_raw(w->out, "input", &input);
    ai_buf_lit(w->out, "}}");

    return AI_OK;
}


static ai_int_t
ai_converse_write_result(ai_converse_write_t *w, const ai_part_t *part)
{
    ai_int_t          rc;
    size_t            len;
    const ai_part_t  *content;

    ai_converse_begin(w, 1);
    ai_buf_lit(w->out, "{\"toolResult\":{");

    if (ai_converse_name(w, "toolUseId", &part->id) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key(w->out, "content");
    ai_buf_lit(w->out, "[");
    len = ai_buf_len(w->out);

    for (content = part->content; content != NULL; content = content->next) {
        rc = ai_converse_write_content(w, content);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (ai_buf_len(w->out) == len) {
        ai_buf_lit(w->out, AI_CONVERSE_EMPTY);
    }

    ai_buf_lit(w->out, "]");

    if (part->is_error) {
        ai_buf_lit(w->out, ",\"status\":\"error\"");
    }

    ai_buf_lit(w->out, "}}");

    return AI_OK;
}


static ai_int_t
ai_converse_write_content(ai_converse_write_t *w, const ai_part_t *part)
{
    if (part->type != AI_PART_TEXT) {
        ai_buf_comma(w->out);
        return ai_converse_write_media(w, part);
    }

    if (!ai_wire_blank(&part->text)) {
        ai_buf_comma(w->out);
        ai_buf_lit(w->out, "{\"text\":");
        ai_buf_string(w->out, &part->text);
        ai_buf_lit(w->out, "}");
    }

    return AI_OK;
}


/*
 * All of them in front, since there is no such role; and what must be said
 * where there is no switch for it.
 */

void
ai_converse_write_system(ai_converse_write_t *w)
{
    size_t         len, empty;
    ai_part_t     *part;
    ai_message_t  *m;

    len = ai_buf_len(w->out);

    ai_buf_key(w->out, "system");
    ai_buf_lit(w->out, "[");
    empty = ai_buf_len(w->out);

    for (m = w->req->messages; m != NULL; m = m->next) {

        if (!ai_converse_system(m)) {
            continue;
        }

        for (part = m->parts; part != NULL; part = part->next) {

            if (part->type != AI_PART_TEXT || ai_wire_blank(&part->text)) {
                continue;
            }

            ai_buf_comma(w->out);
            ai_buf_lit(w->out, "{\"text\":");
            ai_buf_string(w->out, &part->text);
            ai_buf_lit(w->out, "}");
            ai_converse_cache(w, &part->cache, 0);
        }
    }

    if (w->req->format == AI_FORMAT_JSON) {
        ai_buf_comma(w->out);
        ai_buf_lit(w->out, "{\"text\":\"Answer with one JSON object, and "
                           "nothing before or after it.\"}");
    }

    if (ai_buf_len(w->out) != empty) {
        ai_buf_lit(w->out, "]");

    } else if (!w->out->failed) {
        w->out->pos = w->out->start + len;
    }
}


static ai_uint_t
ai_converse_system(const ai_message_t *m)
{
    return m->role == AI_ROLE_SYSTEM || m->role == AI_ROLE_DEVELOPER;
}


/* bytes, which the SDKs decode from base64 and encode again */

ai_int_t
ai_converse_redacted(ai_buf_t *out, const ai_mstr_t *data, ai_alloc_t *a)
{
    ai_str_t   text, encoded;
    ai_mstr_t  m;

    if (ai_mstr_decode(data, a, &text) != AI_OK) {
        return AI_ERROR;
    }

    encoded.len = ai_base64_encoded_len(text.len);
    encoded.data = ai_alloc(a, encoded.len);

    if (encoded.data == NULL) {
        return AI_ERROR;
    }

    (void) ai_base64_encode(encoded.data, text.data, text.len);

    m = ai_mstr_plain(&encoded);
    ai_buf_string(out, &m);

    return AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The messages of a chat/completions body, from a normalized request.
 */


#include "wire_chat.h"


/* as OpenAI takes it */

#define AI_CHAT_ID    40
#define AI_CHAT_NAME  64


static ai_int_t ai_chat_render_message(ai_chat_render_t *c,
    const ai_message_t *m);
static ai_int_t ai_chat_render_system(ai_chat_render_t *c,
    const ai_message_t *m);
static ai_int_t ai_chat_render_user(ai_chat_render_t *c,
    const ai_message_t *m);
static ai_int_t ai_chat_render_assistant(ai_chat_render_t *c,
    const ai_message_t *m);
static ai_int_t ai_chat_render_said(ai_chat_render_t *c,
    const ai_message_t *m, ai_uint_t *calls);
static ai_int_t ai_chat_render_calls(ai_chat_render_t *c,
    const ai_message_t *m);
static ai_int_t ai_chat_render_call(ai_chat_render_t *c,
    const ai_part_t *call, const ai_part_t *before);
static void ai_chat_render_signature(ai_chat_render_t *c,
    const ai_part_t *call, const ai_part_t *before);
static ai_int_t ai_chat_render_id(ai_chat_render_t *c, const char *key,
    const ai_mstr_t *id);
static ai_int_t ai_chat_render_results(ai_chat_render_t *c,
    const ai_message_t *m);
static ai_int_t ai_chat_render_result(ai_chat_render_t *c,
    const ai_part_t *result);
static ai_int_t ai_chat_keep(ai_chat_render_t *c, const ai_part_t *part);
static ai_int_t ai_chat_render_content(ai_chat_render_t *c,
    const ai_part_t *parts, ai_uint_t assistant);
static ai_uint_t ai_chat_silent(const ai_part_t *part, ai_uint_t assistant);
static ai_uint_t ai_chat_worded_part(const ai_part_t *part);
static void ai_chat_render_words(ai_chat_render_t *c, const ai_part_t *part,
    ai_uint_t assistant);
static void ai_chat_render_name(ai_chat_render_t *c, const ai_message_t *m);


ai_int_t
ai_chat_render_messages(ai_chat_render_t *c)
{
    ai_int_t             rc;
    const ai_message_t  *m;

    ai_buf_key(c->out, "messages");
    ai_buf_lit(c->out, "[");

    for (m = c->req->messages; m != NULL; m = m->next) {

        if (c->shown != NULL && m->role != AI_ROLE_TOOL
            && m->role != AI_ROLE_USER)
        {
            rc = ai_chat_render_user(c, NULL);

            if (rc != AI_OK) {
                return rc;
            }
        }

        rc = ai_chat_render_message(c, m);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (c->shown != NULL) {
        rc = ai_chat_render_user(c, NULL);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_lit(c->out, "]");

    return AI_OK;
}


static ai_int_t
ai_chat_render_message(ai_chat_render_t *c, const ai_message_t *m)
{
    switch (m->role) {

    case AI_ROLE_ASSISTANT:
        return ai_chat_render_assistant(c, m);

    case AI_ROLE_TOOL:
        return ai_chat_render_results(c, m);

    case AI_ROLE_USER:
        return ai_chat_render_user(c, m);

    default:
        return ai_chat_render_system(c, m);
    }
}


/* "developer" is of OpenAI's own models, others know "system" for the same */

static ai_int_t
ai_chat_render_system(ai_chat_render_t *c, const ai_message_t *m)
{
    ai_int_t  rc;

    ai_buf_comma(c->out);

    if (m->role == AI_ROLE_DEVELOPER
        && (c->t->caps.flags & AI_CAPS_REASONING)
        && !(c->t->vendor->flags & AI_VENDOR_SYSTEM))
    {
        ai_buf_lit(c->out, "{\"role\":\"developer\"");

    } else {
        ai_buf_lit(c->out, "{\"role\":\"system\"");
    }

    ai_chat_render_name(c, m);

    rc = ai_chat_render_content(c, m->parts, 0);

    ai_buf_lit(c->out, "}");

    return rc;
}


/* what was shown by others comes first; m is NULL when there is only that */

static ai_int_t
ai_chat_render_user(ai_chat_render_t *c, const ai_message_t *m)
{
    ai_int_t  rc;

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{\"role\":\"user\"");

    if (m != NULL) {
        ai_chat_render_name(c, m);
    }

    rc = ai_chat_render_content(c, m ? m->parts : NULL, 0);

    c->shown = NULL;
    c->last = &c->shown;

    ai_buf_lit(c->out, "}");

    return rc;
}


static ai_int_t
ai_chat_render_assistant(ai_chat_render_t *c, const ai_message_t *m)
{
    ai_int_t   rc;
    ai_uint_t  calls;

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{\"role\":\"assistant\"");

    ai_chat_render_name(c, m);

    rc = ai_chat_render_said(c, m, &calls);

    if (rc == AI_OK) {
        rc = ai_chat_render_thoughts(c, m, calls);
    }

    if (rc == AI_OK && calls != 0) {
        rc = ai_chat_render_calls(c, m);
    }

    if (calls == 0 && m->next == NULL
        && (c->t->vendor->flags & AI_VENDOR_PREFIX))
    {
        ai_buf_key(c->out, "prefix");
        ai_buf_lit(c->out, "true");
    }

    ai_buf_lit(c->out, "}");

    return rc;
}


static ai_int_t
ai_chat_render_said(ai_chat_render_t *c, const ai_message_t *m,
    ai_uint_t *calls)
{
    ai_uint_t         texts;
    const ai_part_t  *part;

    *calls = 0;
    texts = 0;

    for (part = m->parts; part != NULL; part = part->next) {

        switch (part->type) {

        case AI_PART_CALL:
            (*calls)++;
            break;

        case AI_PART_TEXT:
        case AI_PART_REFUSAL:
            texts++;
            break;

        case AI_PART_REASONING:
            break;

        default:
            if (ai_chat_keep(c, part) != AI_OK) {
                return AI_ERROR;
            }
        }
    }

    if (texts != 0 || *calls == 0) {
        return ai_chat_render_content(c, m->parts, 1);
    }

    ai_buf_key(c->out, "content");
    ai_buf_lit(c->out, "null");

    return AI_OK;
}


static ai_int_t
ai_chat_render_calls(ai_chat_render_t *c, const ai_message_t *m)
{
    const ai_part_t  *part, *before;

    ai_buf_key(c->out, "tool_calls");
    ai_buf_lit(c->out, "[");

    before = NULL;

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type == AI_PART_CALL
            && ai_chat_render_call(c, part, before) != AI_OK)
        {
            return AI_ERROR;
        }

        before = part;
    }

    ai_buf_lit(c->out, "]");

    return AI_OK;
}


static ai_int_t
ai_chat_render_call(ai_chat_render_t *c, const ai_part_t *call,
    const ai_part_t *before)
{
    ai_str_t   args;
    ai_mstr_t  name;

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{");

    if (ai_chat_render_id(c, "id", &call->id) != AI_OK
        || ai_request_name(c->req, &call->name, AI_CHAT_NAME, &name) != AI_OK)
    {
        return AI_ERROR;
    }

    if (c->kind == AI_STATE_GOOGLE && !c->details) {
        ai_chat_render_signature(c, call, before);
    }

    ai_buf_key(c->out, "type");

    if (call->custom && c->custom) {
        ai_buf_lit(c->out, "\"custom\",\"custom\":{\"name\":");
        ai_buf_string(c->out, &call->name);
        ai_buf_lit(c->out, ",\"input\":");
        ai_buf_string(c->out, &call->args);
        ai_buf_lit(c->out, "}}");
        return AI_OK;
    }

    ai_buf_lit(c->out, "\"function\",\"function\":{\"name\":");
    ai_buf_string(c->out, &name);
    ai_buf_lit(c->out, ",\"arguments\":");

    if (call->custom) {

        if (ai_part_object(call, c->req->alloc, &args) != AI_OK) {
            return AI_ERROR;
        }

        ai_buf_quote(c->out, &args);

    } else if (ai_mstr_empty(&call->args)) {
        ai_buf_lit(c->out, "\"{}\"");

    } else {
        ai_buf_string(c->out, &call->args);
    }

    ai_buf_lit(c->out, "}}");

    return AI_OK;
}


/* what Google's own surface of this dialect wants to see again */

static void
ai_chat_render_signature(ai_chat_render_t *c, const ai_part_t *call,
    const ai_part_t *before)
{
    const ai_part_t  *state;

    state = call;

    if (call->state_kind != AI_STATE_GOOGLE && before != NULL
        && before->type == AI_PART_REASONING && ai_mstr_empty(&before->text))
    {
        state = before;
    }

    if (state->state_kind == AI_STATE_GOOGLE) {
        ai_buf_key(c->out, "extra_content");
        ai_buf_lit(c->out, "{\"google\":{\"thought_signature\":");
        ai_buf_string(c->out, &state->state);
        ai_buf_lit(c->out, "}}");
    }
}


/* the same for the same, in calls and in results */

static ai_int_t
ai_chat_render_id(ai_chat_render_t *c, const char *key, const ai_mstr_t *id)
{
    size_t    len;
    u_char    buf[9];
    ai_str_t  s;

    ai_buf_key(c->out, key);

    len = 0;

    if (c->t->vendor->flags & AI_VENDOR_ID9) {
        len = ai_vendor_id9(id, buf);
    }

    if (len != 0) {
        ai_buf_lit(c->out, "\"");
        ai_buf_put(c->out, buf, len);
        ai_buf_lit(c->out, "\"");
        return AI_OK;
    }

    if (ai_mstr_decode(id, c->req->alloc, &s) != AI_OK) {
        return AI_ERROR;
    }

    if (s.len <= AI_CHAT_ID) {
        ai_buf_string(c->out, id);
        return AI_OK;
    }

    ai_buf_lit(c->out, "\"call_");
    ai_wire_hash(c->out, &s);
    ai_buf_lit(c->out, "\"");

    return AI_OK;
}


static ai_int_t
ai_chat_render_results(ai_chat_render_t *c, const ai_message_t *m)
{
    const ai_part_t  *part;

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type == AI_PART_RESULT
            && ai_chat_render_result(c, part) != AI_OK)
        {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


/* a tool can only say something; there is no flag for an error either */

static ai_int_t
ai_chat_render_result(ai_chat_render_t *c, const ai_part_t *result)
{
    ai_uint_t         words;
    const ai_part_t  *part;

    words = 0;

    for (part = result->content; part != NULL; part = part->next) {

        if (ai_chat_worded_part(part)) {
            words = 1;

        } else if (ai_chat_keep(c, part) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{\"role\":\"tool\"");

    if (ai_chat_render_id(c, "tool_call_id", &result->id) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key(c->out, "content");
    ai_buf_lit(c->out, "\"");

    if (result->is_error) {
        ai_buf_lit(c->out, "Error: ");
    }

    if (!words && result->content != NULL) {
        ai_buf_lit(c->out, "The result is shown in the next message.");
    }

    ai_chat_render_words(c, result->content, 0);

    ai_buf_lit(c->out, "\"}");

    return AI_OK;
}


/* to be shown by the user */

static ai_int_t
ai_chat_keep(ai_chat_render_t *c, const ai_part_t *part)
{
    ai_chat_shown_t  *shown;

    shown = ai_alloc(c->req->alloc, sizeof(ai_chat_shown_t));

    if (shown == NULL) {
        return AI_ERROR;
    }

    shown->next = NULL;
    shown->part = part;

    *c->last = shown;
    c->last = &shown->next;

    return AI_OK;
}


/*
 * Content as a string if it is nothing but words, since that is what all take
 * (wire-formats.md 16, 28), else as an array of parts.
 */

static ai_int_t
ai_chat_render_content(ai_chat_render_t *c, const ai_part_t *parts,
    ai_uint_t assistant)
{
    ai_int_t          rc;
    ai_uint_t         words;
    const ai_part_t  *part;
    ai_chat_shown_t  *shown;

    shown = assistant ? NULL : c->shown;
    words = (shown == NULL);

    for (part = parts; part != NULL && words; part = part->next) {

        if (!ai_chat_silent(part, assistant)) {
            words = ai_chat_worded_part(part)
                    && !(c->markers && part->cache.len != 0);
        }
    }

    ai_buf_key(c->out, "content");

    if (words) {
        ai_buf_lit(c->out, "\"");
        ai_chat_render_words(c, parts, assistant);
        ai_buf_lit(c->out, "\"");
        return AI_OK;
    }

    ai_buf_lit(c->out, "[");

    for ( /* void */ ; shown != NULL; shown = shown->next) {

        rc = ai_chat_render_part(c, shown->part);

        if (rc != AI_OK) {
            return rc;
        }
    }

    for (part = parts; part != NULL; part = part->next) {

        if (ai_chat_silent(part, assistant)) {
            continue;
        }

        rc = ai_chat_render_part(c, part);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_lit(c->out, "]");

    return AI_OK;
}


/* what of the assistant's parts does not go into its content */

static ai_uint_t
ai_chat_silent(const ai_part_t *part, ai_uint_t assistant)
{
    return assistant && part->type != AI_PART_TEXT
           && part->type != AI_PART_REFUSAL;
}


static ai_uint_t
ai_chat_worded_part(const ai_part_t *part)
{
    return part->type == AI_PART_TEXT || part->type == AI_PART_REFUSAL
           || (part->type == AI_PART_DOCUMENT
               && !ai_mstr_empty(&part->text));
}


/*
 * The words of all parts, between quotes that are the caller's.  What an
 * assistant said in one go was cut into parts by citations and the like.
 */

static void
ai_chat_render_words(ai_chat_render_t *c, const ai_part_t *part,
    ai_uint_t assistant)
{
    const ai_part_t  *last, *before;

    last = NULL;
    before = NULL;

    for ( /* void */ ; part != NULL; part = part->next) {

        if (!ai_chat_worded_part(part)) {
            before = part;
            continue;
        }

        if (last != NULL && (!assistant || last != before)) {
            ai_buf_lit(c->out, "\\n\\n");
        }

        if (part->type == AI_PART_DOCUMENT && !ai_mstr_empty(&part->name)) {
            ai_buf_chars(c->out, &part->name);
            ai_buf_lit(c->out, "\\n\\n");
        }

        ai_buf_chars(c->out, &part->text);

        last = part;
        before = part;
    }
}


static void
ai_chat_render_name(ai_chat_render_t *c, const ai_message_t *m)
{
    if (ai_chat_member(c->t, "messages.name") != NULL) {
        ai_buf_key_string(c->out, "name", &m->name);
    }
}

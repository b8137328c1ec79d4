
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Messages and their blocks for a provider that speaks Anthropic Messages.
 */


#include "wire_anthropic.h"


/* there must be a user who says something, first of all */

#define AI_ANTHROPIC_FIRST  "Continue."


static ai_int_t ai_anthropic_put_user(ai_anthropic_write_t *w,
    const ai_message_t *m);
static ai_int_t ai_anthropic_put_assistant(ai_anthropic_write_t *w,
    const ai_message_t *m);
static void ai_anthropic_put_mid(ai_anthropic_write_t *w,
    const ai_message_t *from, const ai_message_t *to);
static void ai_anthropic_put_first(ai_anthropic_write_t *w);
static void ai_anthropic_begin(ai_anthropic_write_t *w, ai_role_e role);
static void ai_anthropic_put_text(ai_anthropic_write_t *w,
    const ai_mstr_t *text, const ai_str_t *cache);
static void ai_anthropic_put_thinking(ai_anthropic_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_anthropic_put_call(ai_anthropic_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_anthropic_put_result(ai_anthropic_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_anthropic_put_part(ai_anthropic_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_anthropic_put_source(ai_anthropic_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_anthropic_put_decoded(ai_anthropic_write_t *w,
    const ai_part_t *part);
static void ai_anthropic_put_plain(ai_anthropic_write_t *w,
    const ai_mstr_t *text);
static ai_uint_t ai_anthropic_starts(const ai_mstr_t *m, const char *text);
static ai_mstr_t ai_anthropic_trim(const ai_mstr_t *text);


/*
 * Models that know a system message among the others get it where it stands,
 * all others before the messages.
 */

ai_uint_t
ai_anthropic_is_system(const ai_anthropic_write_t *w, const ai_message_t *m)
{
    const ai_message_t  *first;

    if (m->role != AI_ROLE_SYSTEM && m->role != AI_ROLE_DEVELOPER) {
        return 0;
    }

    if (!(w->target->caps.flags & AI_CAPS_MID_SYSTEM)) {
        return 1;
    }

    for (first = w->req->messages; first != m; first = first->next) {

        if (first->role != AI_ROLE_SYSTEM
            && first->role != AI_ROLE_DEVELOPER)
        {
            return 0;
        }
    }

    return 1;
}


void
ai_anthropic_put_system(ai_anthropic_write_t *w)
{
    size_t               begin, empty;
    ai_mstr_t            json;
    ai_part_t           *part;
    const ai_message_t  *m;

    static const ai_str_t  none = ai_null_string;

    begin = ai_buf_len(w->out);

    ai_buf_key(w->out, "system");
    ai_buf_lit(w->out, "[");

    empty = ai_buf_len(w->out);

    for (m = w->req->messages; m != NULL; m = m->next) {

        if (!ai_anthropic_is_system(w, m)) {
            continue;
        }

        for (part = m->parts; part != NULL; part = part->next) {

            if (!ai_wire_blank(&part->text)) {
                ai_anthropic_put_text(w, &part->text, &part->cache);
            }
        }
    }

    if (w->req->format == AI_FORMAT_JSON) {
        json = ai_mstr_cstr("Answer with nothing but one JSON object.");
        ai_anthropic_put_text(w, &json, &none);
    }

    if (ai_buf_len(w->out) == empty) {
        w->out->pos = w->out->start + begin;
        return;
    }

    ai_buf_lit(w->out, "]");
}


ai_int_t
ai_anthropic_put_messages(ai_anthropic_write_t *w)
{
    ai_int_t             rc;
    const ai_message_t  *m, *mid;

    mid = NULL;

    ai_buf_key(w->out, "messages");
    ai_buf_lit(w->out, "[");

    for (m = w->req->messages; m != NULL; m = m->next) {

        if (!ai_mstr_empty(&m->name)) {
            ai_report_drop(w->rep, "name");
        }

        if (m->role == AI_ROLE_SYSTEM || m->role == AI_ROLE_DEVELOPER) {

            if (mid == NULL && !ai_anthropic_is_system(w, m)) {
                mid = m;
            }

            continue;
        }

        if (m->role != AI_ROLE_ASSISTANT) {
            rc = ai_anthropic_put_user(w, m);

        } else {
            ai_anthropic_put_mid(w, mid, m);
            mid = NULL;

            rc = ai_anthropic_put_assistant(w, m);
        }

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_anthropic_put_mid(w, mid, NULL);

    if (!w->open) {
        ai_anthropic_put_first(w);
    }

    ai_buf_lit(w->out, "]}]");

    return AI_OK;
}


/* of a user, or the results of tools, which are a user's as well */

static ai_int_t
ai_anthropic_put_user(ai_anthropic_write_t *w, const ai_message_t *m)
{
    ai_int_t          rc;
    const ai_part_t  *part;

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type == AI_PART_TEXT && ai_wire_blank(&part->text)) {
            continue;
        }

        ai_anthropic_begin(w, AI_ROLE_USER);

        rc = (part->type == AI_PART_RESULT) ? ai_anthropic_put_result(w, part)
                                            : ai_anthropic_put_part(w, part);
        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


/*
 * Calls stand last.  All else keeps its order, thinking in front of what it
 * led to.  What a model is to go on with must not end in white space.
 */

static ai_int_t
ai_anthropic_put_assistant(ai_anthropic_write_t *w, const ai_message_t *m)
{
    ai_int_t          rc;
    ai_mstr_t         text;
    const ai_part_t  *part;

    for (part = m->parts; part != NULL; part = part->next) {

        switch (part->type) {

        case AI_PART_TEXT:
        case AI_PART_REFUSAL:
            text = part->text;

            if (m->next == NULL && part->next == NULL) {
                text = ai_anthropic_trim(&text);
            }

            if (!ai_wire_blank(&text)) {
                ai_anthropic_begin(w, AI_ROLE_ASSISTANT);
                ai_anthropic_put_text(w, &text, &part->cache);
            }

            break;

        case AI_PART_REASONING:

            if (part->state_kind == AI_STATE_ANTHROPIC
                || part->state_kind == AI_STATE_REDACTED)
            {
                ai_anthropic_begin(w, AI_ROLE_ASSISTANT);
                ai_anthropic_put_thinking(w, part);
            }

            break;

        case AI_PART_CALL:
            break;

        default:
            ai_report_drop(w->rep, "messages.content");
            break;
        }
    }

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type != AI_PART_CALL) {
            continue;
        }

        ai_anthropic_begin(w, AI_ROLE_ASSISTANT);

        rc = ai_anthropic_put_call(w, part);
        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


/*
 * System messages between the others.  They must follow the user, and a
 * model or nothing follows them; where no user is before them, one says it.
 */

static void
ai_anthropic_put_mid(ai_anthropic_write_t *w, const ai_message_t *from,
    const ai_message_t *to)
{
    ai_role_e            role;
    const ai_part_t     *part;
    const ai_message_t  *m;

    role = (w->role == AI_ROLE_USER) ? AI_ROLE_SYSTEM : AI_ROLE_USER;

    for (m = from; m != to && from != NULL; m = m->next) {

        if (m->role != AI_ROLE_SYSTEM && m->role != AI_ROLE_DEVELOPER) {
            continue;
        }

        for (part = m->parts; part != NULL; part = part->next) {

            if (!ai_wire_blank(&part->text)) {
                ai_anthropic_begin(w, role);
                ai_anthropic_put_text(w, &part->text, &part->cache);
            }
        }
    }
}


static void
ai_anthropic_put_first(ai_anthropic_write_t *w)
{
    ai_mstr_t  text;

    static const ai_str_t  none = ai_null_string;

    text = ai_mstr_cstr(AI_ANTHROPIC_FIRST);

    ai_anthropic_begin(w, AI_ROLE_USER);
    ai_anthropic_put_text(w, &text, &none);
}


/* a message of that role is open after it */

static void
ai_anthropic_begin(ai_anthropic_write_t *w, ai_role_e role)
{
    if (w->open && w->role == role) {
        return;
    }

    if (role == AI_ROLE_ASSISTANT && !w->open) {
        ai_anthropic_put_first(w);
    }

    if (w->open) {
        ai_buf_lit(w->out, "]}");
    }

    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"role\":");
    ai_buf_quote_cstr(w->out, role == AI_ROLE_USER ? "user"
                              : role == AI_ROLE_ASSISTANT ? "assistant"
                              : "system");
    ai_buf_lit(w->out, ",\"content\":[");

    w->open = 1;
    w->role = role;
}


static void
ai_anthropic_put_text(ai_anthropic_write_t *w, const ai_mstr_t *text,
    const ai_str_t *cache)
{
    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"type\":\"text\",\"text\":");
    ai_buf_string(w->out, text);
    ai_anthropic_marker(w, cache);
    ai_buf_lit(w->out, "}");
}


static void
ai_anthropic_put_thinking(ai_anthropic_write_t *w, const ai_part_t *part)
{
    ai_buf_comma(w->out);

    if (part->state_kind == AI_STATE_REDACTED) {
        ai_buf_lit(w->out, "{\"type\":\"redacted_thinking\",\"data\":");

    } else {
        ai_buf_lit(w->out, "{\"type\":\"thinking\",\"thinking\":");
        ai_buf_string(w->out, &part->text);
        ai_buf_key(w->out, "signature");
    }

    ai_buf_string(w->out, &part->state);
    ai_buf_lit(w->out, "}");
}


static ai_int_t
ai_anthropic_put_call(ai_anthropic_write_t *w, const ai_part_t *part)
{
    ai_str_t  input;

    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"type\":\"tool_use\"");

    if (ai_anthropic_name(w, "id", &part->id) != AI_OK
        || ai_anthropic_name(w, "name", &part->name) != AI_OK
        || ai_part_object(part, w->req->alloc, &input) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_key_raw(w->out, "input", &input);
    ai_anthropic_marker(w, &part->cache);
    ai_buf_lit(w->out, "}");

    return AI_OK;
}


static ai_int_t
ai_anthropic_put_result(ai_anthropic_write_t *w, const ai_part_t *part)
{
    ai_int_t          rc;
    const ai_part_t  *in;

    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"type\":\"tool_result\"");

    if (ai_anthropic_name(w, "tool_use_id", &part->id) != AI_OK) {
        return AI_ERROR;
    }

    in = part->content;

    if (in != NULL) {
        ai_buf_key(w->out, "content");

        if (in->next == NULL && in->type == AI_PART_TEXT
            && in->cache.len == 0)
        {
            ai_buf_string(w->out, &in->text);

        } else {
            ai_buf_lit(w->out, "[");

            for ( /* void */ ; in != NULL; in = in->next) {
                rc = ai_anthropic_put_part(w, in);
                if (rc != AI_OK) {
                    return rc;
                }
            }

            ai_buf_lit(w->out, "]");
        }
    }

    if (part->is_error) {
        ai_buf_lit(w->out, ",\"is_error\":true");
    }

    ai_anthropic_marker(w, &part->cache);
    ai_buf_lit(w->out, "}");

    return AI_OK;
}


/* what a user may say, and a tool too */

static ai_int_t
ai_anthropic_put_part(ai_anthropic_write_t *w, const ai_part_t *part)
{
    ai_int_t  rc;

    switch (part->type) {

    case AI_PART_TEXT:
    case AI_PART_REFUSAL:

        if (!ai_wire_blank(&part->text)) {
            ai_anthropic_put_text(w, &part->text, &part->cache);
        }

        return AI_OK;

    case AI_PART_IMAGE:
    case AI_PART_DOCUMENT:
        break;

    case AI_PART_AUDIO:
        return ai_report_refuse(w->rep, "messages",
                                "the provider of this model takes no audio");

    case AI_PART_VIDEO:
        return ai_report_refuse(w->rep, "messages",
                                "the provider of this model takes no video");

    default:
        ai_report_drop(w->rep, "messages.content");
        return AI_OK;
    }

    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"type\":");
    ai_buf_quote_cstr(w->out, part->type == AI_PART_IMAGE ? "image"
                                                          : "document");
    ai_buf_key(w->out, "source");
    ai_buf_lit(w->out, "{");

    rc = ai_anthropic_put_source(w, part);
    if (rc != AI_OK) {
        return rc;
    }

    ai_buf_lit(w->out, "}");

    if (part->type == AI_PART_DOCUMENT) {
        ai_buf_key_string(w->out, "title", &part->name);
    }

    ai_anthropic_marker(w, &part->cache);
    ai_buf_lit(w->out, "}");

    return AI_OK;
}


static ai_int_t
ai_anthropic_put_source(ai_anthropic_write_t *w, const ai_part_t *part)
{
    ai_mstr_t    type;
    ai_uint_t    flags;

    if (part->type == AI_PART_DOCUMENT && !ai_mstr_empty(&part->text)) {
        ai_anthropic_put_plain(w, &part->text);
        return AI_OK;
    }

    if (!ai_mstr_empty(&part->file)) {
        ai_buf_lit(w->out, "\"type\":\"file\"");
        ai_buf_key_string(w->out, "file_id", &part->file);
        return AI_OK;
    }

    if (!ai_mstr_empty(&part->url)) {
        flags = w->target->vendor->flags;

        if (flags & AI_VENDOR_NO_URL_IMAGES) {
            return ai_report_refuse(w->rep, "messages", "the provider of this "
                                    "model takes images and documents as "
                                    "data only, not by their URL");
        }

        if (!ai_anthropic_starts(&part->url, "http")) {
            return ai_report_refuse(w->rep, "messages", "the provider of this "
                                    "model cannot get what this URL names");
        }

        ai_buf_lit(w->out, "\"type\":\"url\"");
        ai_buf_key_string(w->out, "url", &part->url);
        return AI_OK;
    }

    type = part->media_type;

    if (part->type == AI_PART_DOCUMENT) {

        if (ai_anthropic_starts(&type, "text/")
            || ai_mstr_eq(&type, "application/json"))
        {
            return ai_anthropic_put_decoded(w, part);
        }

        if (!ai_mstr_empty(&type) && !ai_mstr_eq(&type, "application/pdf")) {
            return ai_report_refuse(w->rep, "messages", "the provider of this "
                                    "model takes PDF and text documents "
                                    "only");
        }

        type = ai_mstr_cstr("application/pdf");

    } else if (ai_mstr_eq(&type, "image/jpg")) {
        type = ai_mstr_cstr("image/jpeg");
    }

    ai_buf_lit(w->out, "\"type\":\"base64\"");
    ai_buf_key_string(w->out, "media_type", &type);
    ai_buf_key(w->out, "data");
    ai_buf_string(w->out, &part->data);

    return AI_OK;
}


/* text that came as base64 */

static ai_int_t
ai_anthropic_put_decoded(ai_anthropic_write_t *w, const ai_part_t *part)
{
    ai_int_t   rc;
    ai_str_t   s;
    ai_mstr_t  text;

    rc = ai_wire_base64(&part->data, w->req->alloc, &s);
    if (rc != AI_OK) {
        return (rc == AI_ERROR) ? AI_ERROR
               : ai_report_refuse(w->rep, "messages",
                                  "the data of a document is not base64");
    }

    text = ai_mstr_plain(&s);

    ai_anthropic_put_plain(w, &text);

    return AI_OK;
}


static void
ai_anthropic_put_plain(ai_anthropic_write_t *w, const ai_mstr_t *text)
{
    ai_buf_lit(w->out, "\"type\":\"text\",\"media_type\":\"text/plain\","
                       "\"data\":");
    ai_buf_string(w->out, text);
}


static ai_uint_t
ai_anthropic_starts(const ai_mstr_t *m, const char *text)
{
    size_t  len;

    len = strlen(text);

    return m->s.len >= len && memcmp(m->s.data, text, len) == 0;
}


/* without the white space at its end, escaped or not */

static ai_mstr_t
ai_anthropic_trim(const ai_mstr_t *text)
{
    u_char     ch;
    size_t     i, slashes;
    ai_mstr_t  m;

    m = *text;

    while (m.s.len != 0) {
        ch = m.s.data[m.s.len - 1];

        if (ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r') {
            m.s.len--;
            continue;
        }

        if (!m.json || (ch != 'n' && ch != 't' && ch != 'r')) {
            break;
        }

        /* an odd number of backslashes makes it an escape */

        slashes = 0;

        for (i = m.s.len - 1; i > 0 && m.s.data[i - 1] == '\\'; i--) {
            slashes++;
        }

        if (slashes % 2 == 0) {
            break;
        }

        m.s.len -= 2;
    }

    return m;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a chat/completions body has beside words: media of the user, and
 * thoughts of the model that it is to see again.
 */


#include "wire_chat.h"


static ai_int_t ai_chat_render_image(ai_chat_render_t *c,
    const ai_part_t *part);
static ai_int_t ai_chat_render_sound(ai_chat_render_t *c,
    const ai_part_t *part);
static ai_int_t ai_chat_render_video(ai_chat_render_t *c,
    const ai_part_t *part);
static ai_int_t ai_chat_render_document(ai_chat_render_t *c,
    const ai_part_t *part);
static void ai_chat_render_named(ai_chat_render_t *c, const ai_part_t *part,
    const char *member);
static void ai_chat_render_url(ai_chat_render_t *c, const ai_part_t *part,
    const char *media_type);
static void ai_chat_render_marker(ai_chat_render_t *c,
    const ai_part_t *part);
static ai_int_t ai_chat_render_details(ai_chat_render_t *c,
    const ai_message_t *m);
static void ai_chat_render_detail(ai_chat_render_t *c, const ai_part_t *part,
    ai_uint_t *n);
static void ai_chat_render_entry(ai_chat_render_t *c, const char *type,
    const char *member, const ai_mstr_t *value, ai_uint_t *n);
static void ai_chat_render_entry_end(ai_chat_render_t *c,
    ai_state_e kind, ai_uint_t *n);


ai_int_t
ai_chat_render_part(ai_chat_render_t *c, const ai_part_t *part)
{
    switch (part->type) {

    case AI_PART_TEXT:
    case AI_PART_REFUSAL:
        ai_buf_comma(c->out);
        ai_buf_lit(c->out, "{\"type\":\"text\",\"text\":");
        ai_buf_string(c->out, &part->text);
        ai_chat_render_marker(c, part);
        ai_buf_lit(c->out, "}");
        return AI_OK;

    case AI_PART_IMAGE:
        return ai_chat_render_image(c, part);

    case AI_PART_AUDIO:
        return ai_chat_render_sound(c, part);

    case AI_PART_VIDEO:
        return ai_chat_render_video(c, part);

    case AI_PART_DOCUMENT:
        return ai_chat_render_document(c, part);

    default:
        return AI_OK;
    }
}


static ai_int_t
ai_chat_render_image(ai_chat_render_t *c, const ai_part_t *part)
{
    if (ai_mstr_empty(&part->data)) {

        if (ai_mstr_empty(&part->url)) {
            return ai_report_refuse(c->rep, "messages", "an image that was "
                                    "uploaded elsewhere cannot be shown to "
                                    "this provider");
        }

        if (c->t->vendor->flags & AI_VENDOR_NO_URL_IMAGES) {
            return ai_report_refuse(c->rep, "messages", "this provider takes "
                                    "no URLs of images, they must be sent as "
                                    "data");
        }
    }

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{\"type\":\"image_url\",\"image_url\":{\"url\":");
    ai_chat_render_url(c, part, "image/png");
    ai_buf_key_string(c->out, "detail", &part->detail);
    ai_buf_lit(c->out, "}");
    ai_chat_render_marker(c, part);
    ai_buf_lit(c->out, "}");

    return AI_OK;
}


/* the format is a media type without "audio/", except for these */

static ai_int_t
ai_chat_render_sound(ai_chat_render_t *c, const ai_part_t *part)
{
    ai_mstr_t         format;
    const ai_mstr_t  *type;

    if (ai_mstr_empty(&part->data)) {
        return ai_report_refuse(c->rep, "messages",
                                "audio must be sent as data");
    }

    type = &part->media_type;
    format = *type;

    if (type->s.len > 6 && memcmp(type->s.data, "audio/", 6) == 0) {
        format.s.data += 6;
        format.s.len -= 6;
    }

    if (ai_mstr_empty(&format) || ai_mstr_eq(&format, "mpeg")) {
        format = ai_mstr_cstr("mp3");

    } else if (ai_mstr_eq(&format, "x-wav") || ai_mstr_eq(&format, "wave")) {
        format = ai_mstr_cstr("wav");
    }

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{\"type\":\"input_audio\",\"input_audio\":{");
    ai_buf_key_string(c->out, "data", &part->data);
    ai_buf_key_string(c->out, "format", &format);
    ai_buf_lit(c->out, "}");
    ai_chat_render_marker(c, part);
    ai_buf_lit(c->out, "}");

    return AI_OK;
}


/* no part of OpenAI's; those who pass requests on to many have it */

static ai_int_t
ai_chat_render_video(ai_chat_render_t *c, const ai_part_t *part)
{
    if (!c->details
        || (ai_mstr_empty(&part->data) && ai_mstr_empty(&part->url)))
    {
        return ai_report_refuse(c->rep, "messages",
                                "this provider takes no video");
    }

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{\"type\":\"video_url\",\"video_url\":{\"url\":");
    ai_chat_render_url(c, part, "video/mp4");
    ai_buf_lit(c->out, "}}");

    return AI_OK;
}


static ai_int_t
ai_chat_render_document(ai_chat_render_t *c, const ai_part_t *part)
{
    ai_mstr_t    name;
    const char  *member;

    if (!ai_mstr_empty(&part->text)) {

        ai_buf_comma(c->out);
        ai_buf_lit(c->out, "{\"type\":\"text\",\"text\":\"");

        if (!ai_mstr_empty(&part->name)) {
            ai_buf_chars(c->out, &part->name);
            ai_buf_lit(c->out, "\\n\\n");
        }

        ai_buf_chars(c->out, &part->text);
        ai_buf_lit(c->out, "\"");
        ai_chat_render_marker(c, part);
        ai_buf_lit(c->out, "}");

        return AI_OK;
    }

    member = ai_chat_member(c->t, "messages.file");

    if (member == NULL) {
        return ai_report_refuse(c->rep, "messages",
                                "this provider takes no documents");
    }

    /* Mistral has "document_url", of data as of others */

    if (strcmp(member, "messages.file") != 0
        && ai_mstr_empty(&part->file))
    {
        ai_chat_render_named(c, part, member);
        return AI_OK;
    }

    if (ai_mstr_empty(&part->data) && ai_mstr_empty(&part->file)
        && (ai_mstr_empty(&part->url) || !c->details))
    {
        return ai_report_refuse(c->rep, "messages", "this provider takes no "
                                "URLs of documents, they must be sent as "
                                "data");
    }

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{\"type\":\"file\",\"file\":{");

    if (ai_mstr_empty(&part->data) && ai_mstr_empty(&part->url)) {
        ai_buf_key_string(c->out, "file_id", &part->file);

    } else {
        name = ai_mstr_empty(&part->name) ? ai_mstr_cstr("document.pdf")
                                          : part->name;

        ai_buf_key_string(c->out, "filename", &name);
        ai_buf_key(c->out, "file_data");
        ai_chat_render_url(c, part, "application/pdf");
    }

    ai_buf_lit(c->out, "}");
    ai_chat_render_marker(c, part);
    ai_buf_lit(c->out, "}");

    return AI_OK;
}


/* a part that is nothing but a URL */

static void
ai_chat_render_named(ai_chat_render_t *c, const ai_part_t *part,
    const char *member)
{
    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{\"type\":");
    ai_buf_quote_cstr(c->out, member);
    ai_buf_key(c->out, member);
    ai_chat_render_url(c, part, "application/pdf");
    ai_buf_lit(c->out, "}");
}


static void
ai_chat_render_url(ai_chat_render_t *c, const ai_part_t *part,
    const char *media_type)
{
    if (ai_mstr_empty(&part->data)) {
        ai_buf_string(c->out, &part->url);
        return;
    }

    ai_wire_data_url(c->out, part, media_type);
}


static void
ai_chat_render_marker(ai_chat_render_t *c, const ai_part_t *part)
{
    if (c->markers) {
        ai_buf_key_raw(c->out, "cache_control", &part->cache);
    }
}


/*
 * As the vendor's row says.  DeepSeek wants it with calls, and only there,
 * even if there is none; some of the others reject a member they do not know
 * (wire-formats.md 12).
 */

ai_int_t
ai_chat_render_thoughts(ai_chat_render_t *c, const ai_message_t *m,
    ai_uint_t calls)
{
    ai_uint_t         back, any;
    const ai_part_t  *part;

    if (c->t->vendor->reasoning == NULL) {
        return AI_OK;
    }

    if (c->details) {
        return ai_chat_render_details(c, m);
    }

    back = c->t->vendor->flags & AI_VENDOR_THINK_BACK;

    if (back && calls == 0) {
        return AI_OK;
    }

    any = 0;

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type == AI_PART_REASONING && !ai_mstr_empty(&part->text)) {
            any = 1;
            break;
        }
    }

    if (!any && !back) {
        return AI_OK;
    }

    ai_buf_key(c->out, c->t->vendor->reasoning);
    ai_buf_lit(c->out, "\"");

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type == AI_PART_REASONING) {
            ai_buf_chars(c->out, &part->text);
        }
    }

    ai_buf_lit(c->out, "\"");

    return AI_OK;
}


/* state goes only to the kind of model that it came from */

static ai_int_t
ai_chat_render_details(ai_chat_render_t *c, const ai_message_t *m)
{
    ai_uint_t         n;
    const ai_part_t  *part;

    n = 0;

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type == AI_PART_REASONING) {
            ai_chat_render_detail(c, part, &n);

        } else if (part->type == AI_PART_CALL
                   && part->state_kind == AI_STATE_GOOGLE
                   && c->kind == AI_STATE_GOOGLE)
        {
            ai_chat_render_entry(c, "reasoning.encrypted", "data",
                                 &part->state, &n);
            ai_buf_key_string(c->out, "id", &part->id);
            ai_chat_render_entry_end(c, AI_STATE_GOOGLE, &n);
        }
    }

    if (n != 0) {
        ai_buf_lit(c->out, "]");
    }

    return AI_OK;
}


static void
ai_chat_render_detail(ai_chat_render_t *c, const ai_part_t *part,
    ai_uint_t *n)
{
    ai_state_e  kind;

    kind = part->state_kind;

    if (kind == AI_STATE_ANTHROPIC && c->kind == kind) {
        ai_chat_render_entry(c, "reasoning.text", "text", &part->text, n);
        ai_buf_key_string(c->out, "signature", &part->state);
        ai_chat_render_entry_end(c, kind, n);
        return;
    }

    /* thoughts without their signature are refused by Claude */

    if (c->kind != AI_STATE_ANTHROPIC && !ai_mstr_empty(&part->text)) {

        if ((kind == AI_STATE_OPENAI || kind == AI_STATE_XAI)
            && c->kind == kind)
        {
            ai_chat_render_entry(c, "reasoning.summary", "summary",
                                 &part->text, n);

        } else {
            ai_chat_render_entry(c, "reasoning.text", "text", &part->text,
                                 n);
        }

        ai_chat_render_entry_end(c, kind == c->kind ? kind : AI_STATE_NONE,
                                 n);
    }

    if (kind == AI_STATE_REDACTED) {
        kind = AI_STATE_ANTHROPIC;
    }

    if (kind != AI_STATE_NONE && kind == c->kind) {
        ai_chat_render_entry(c, "reasoning.encrypted", "data", &part->state,
                             n);
        ai_buf_key_string(c->out, "id", &part->state_id);
        ai_chat_render_entry_end(c, kind, n);
    }
}


static void
ai_chat_render_entry(ai_chat_render_t *c, const char *type,
    const char *member, const ai_mstr_t *value, ai_uint_t *n)
{
    if (*n == 0) {
        ai_buf_key(c->out, c->t->vendor->reasoning);
        ai_buf_lit(c->out, "[");
    }

    ai_buf_comma(c->out);
    ai_buf_lit(c->out, "{");
    ai_buf_key(c->out, "type");
    ai_buf_quote_cstr(c->out, type);
    ai_buf_key(c->out, member);
    ai_buf_string(c->out, value);
}


static void
ai_chat_render_entry_end(ai_chat_render_t *c, ai_state_e kind, ai_uint_t *n)
{
    ai_buf_key(c->out, "format");
    ai_buf_quote_cstr(c->out, ai_chat_state_format(kind));
    ai_buf_key_uint(c->out, "index", (*n)++);
    ai_buf_lit(c->out, "}");
}

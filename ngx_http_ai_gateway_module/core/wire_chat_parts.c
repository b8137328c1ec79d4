
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What messages of a client of chat/completions are made of: text, media,
 * thoughts.
 */


#include "wire_chat.h"


typedef struct {
    ai_str_t             type;
    ai_int_t           (*parse)(ai_chat_parts_t *p, const ai_json_t *v);
} ai_chat_part_row_t;


static ai_int_t ai_chat_parse_part(ai_chat_parts_t *p, const ai_json_t *v);
static ai_int_t ai_chat_parse_text(ai_chat_parts_t *p, const ai_json_t *v);
static ai_int_t ai_chat_parse_refusal(ai_chat_parts_t *p,
    const ai_json_t *v);
static ai_int_t ai_chat_parse_video(ai_chat_parts_t *p, const ai_json_t *v);
static ai_int_t ai_chat_parse_media(ai_chat_parts_t *p, const ai_json_t *v,
    const char *member, ai_part_e type, const char *media_type);
static ai_int_t ai_chat_parse_sound(ai_chat_parts_t *p, const ai_json_t *v);
static ai_int_t ai_chat_parse_file(ai_chat_parts_t *p, const ai_json_t *v);
static ai_int_t ai_chat_parse_document(ai_chat_parts_t *p,
    const ai_json_t *v);
static void ai_chat_data(ai_part_t *part, const ai_mstr_t *data,
    const char *media_type);
static ai_int_t ai_chat_parse_thought(ai_chat_parts_t *p,
    const ai_json_t *v);


static const ai_chat_part_row_t  ai_chat_part_rows[] = {

    { ai_string("text"), ai_chat_parse_text },
    { ai_string("image_url"), ai_chat_parse_image },
    { ai_string("input_audio"), ai_chat_parse_sound },
    { ai_string("file"), ai_chat_parse_file },
    { ai_string("refusal"), ai_chat_parse_refusal },

    /* Mistral's */
    { ai_string("thinking"), ai_chat_parse_thought },
    { ai_string("document_url"), ai_chat_parse_document },

    /* of OpenRouter, Z.ai and others */
    { ai_string("video_url"), ai_chat_parse_video },

    /* those of Responses, as clients mix them */
    { ai_string("input_text"), ai_chat_parse_text },
    { ai_string("output_text"), ai_chat_parse_text },

    { ai_null_string, NULL }
};


ai_part_t *
ai_chat_add(ai_chat_parts_t *p, ai_part_e type)
{
    ai_part_t  *part;

    part = ai_part_create(p->c->req->alloc, type);

    if (part != NULL) {
        *p->last = part;
        p->last = &part->next;
        p->tail = part;
    }

    return part;
}


ai_int_t
ai_chat_parse_content(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       value;
    ai_part_t      *part;
    ai_json_iter_t  it;

    switch (v->type) {

    case AI_JSON_NULL:
        return AI_OK;

    case AI_JSON_STRING:

        part = ai_chat_add(p, AI_PART_TEXT);

        if (part == NULL) {
            return AI_ERROR;
        }

        part->text = ai_mstr(v);

        return AI_OK;

    case AI_JSON_ARRAY:
        break;

    default:
        return ai_wire_refuse(p->c, "content",
                              "a string or an array of parts is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        rc = ai_chat_parse_part(p, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_part(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_int_t                   rc;
    ai_json_t                  type, cache;
    const ai_chat_part_row_t  *row;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(p->c, "content", "each part must be an object");
    }

    if (ai_json_get(v, "type", &type) != AI_OK) {
        return ai_wire_refuse(p->c, "content", "each part must have a type");
    }

    for (row = ai_chat_part_rows; row->type.len != 0; row++) {

        if (!ai_json_is_text(&type, (char *) row->type.data, row->type.len)) {
            continue;
        }

        rc = row->parse(p, v);

        if (rc == AI_OK && p->tail != NULL
            && ai_json_get(v, "cache_control", &cache) == AI_OK
            && cache.type == AI_JSON_OBJECT)
        {
            p->tail->cache = ai_json_raw(&cache);
        }

        return rc;
    }

    if (type.type != AI_JSON_STRING) {
        return ai_wire_refuse(p->c, "content", "each part must have a type");
    }

    ai_report_drop_name(p->c->rep, &type);

    return AI_OK;
}


static ai_int_t
ai_chat_parse_text(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_json_t   text;
    ai_part_t  *part;

    if (ai_json_get(v, "text", &text) != AI_OK
        || text.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(p->c, "content", "the text of a part must be a "
                              "string");
    }

    part = ai_chat_add(p, AI_PART_TEXT);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->text = ai_mstr(&text);

    return AI_OK;
}


static ai_int_t
ai_chat_parse_refusal(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_part_t  *part;

    part = ai_chat_add(p, AI_PART_REFUSAL);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->text = ai_wire_string(v, "refusal");

    return AI_OK;
}


ai_int_t
ai_chat_parse_image(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_int_t   rc;
    ai_json_t  detail;

    rc = ai_chat_parse_media(p, v, "image_url", AI_PART_IMAGE, "image/png");

    if (rc == AI_OK
        && ai_json_path(v, &detail, "image_url", "detail", NULL) == AI_OK)
    {
        p->tail->detail = ai_mstr(&detail);
    }

    return rc;
}


static ai_int_t
ai_chat_parse_video(ai_chat_parts_t *p, const ai_json_t *v)
{
    return ai_chat_parse_media(p, v, "video_url", AI_PART_VIDEO, "video/mp4");
}


static ai_int_t
ai_chat_parse_document(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_int_t   rc;
    ai_json_t  name;

    rc = ai_chat_parse_media(p, v, "document_url", AI_PART_DOCUMENT,
                             "application/pdf");

    if (rc == AI_OK && ai_json_get(v, "document_name", &name) == AI_OK) {
        p->tail->name = ai_mstr(&name);
    }

    return rc;
}


/* a URL, or an object with one */

static ai_int_t
ai_chat_parse_media(ai_chat_parts_t *p, const ai_json_t *v,
    const char *member, ai_part_e type, const char *media_type)
{
    ai_json_t   url;
    ai_mstr_t   m;
    ai_part_t  *part;

    if (ai_json_get(v, member, &url) != AI_OK
        || (url.type == AI_JSON_OBJECT
            && ai_json_get(&url, "url", &url) != AI_OK)
        || !ai_json_filled(&url))
    {
        return ai_wire_refuse(p->c, "content", "a URL is missing in a part");
    }

    part = ai_chat_add(p, type);

    if (part == NULL) {
        return AI_ERROR;
    }

    m = ai_mstr(&url);
    ai_part_url(part, &m, media_type);

    return AI_OK;
}


/* Mistral takes the data without anything around them */

static ai_int_t
ai_chat_parse_sound(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_buf_t    b;
    ai_json_t   audio, data, format;
    ai_mstr_t   m;
    ai_part_t  *part;

    audio = ai_wire_get(v, "input_audio");

    data = audio;
    memset(&format, 0, sizeof(ai_json_t));

    if (audio.type == AI_JSON_OBJECT) {

        format = ai_wire_get(&audio, "format");

        (void) ai_json_get(&audio, "data", &data);
    }

    if (!ai_json_filled(&data)) {
        return ai_wire_refuse(p->c, "content",
                              "a part of type input_audio must "
                              "have data");
    }

    part = ai_chat_add(p, AI_PART_AUDIO);

    if (part == NULL) {
        return AI_ERROR;
    }

    m = ai_mstr(&data);
    ai_chat_data(part, &m, "audio/mpeg");

    if (!ai_json_filled(&format) || ai_json_is(&format, "mp3")) {
        return AI_OK;
    }

    m = ai_mstr(&format);

    ai_buf_init(&b, p->c->req->alloc, m.s.len + 16);
    ai_buf_lit(&b, "audio/");
    ai_buf_raw(&b, &m.s);

    part->media_type.json = 1;

    return ai_buf_get(&b, &part->media_type.s);
}


static ai_int_t
ai_chat_parse_file(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_json_t       file, name, value;
    ai_mstr_t       m;
    ai_part_t      *part;
    ai_json_iter_t  it;

    if (ai_json_get(v, "file", &file) != AI_OK
        || file.type != AI_JSON_OBJECT)
    {
        return ai_wire_refuse(p->c, "content", "a part of type file must have "
                              "an object of that name");
    }

    part = ai_chat_add(p, AI_PART_DOCUMENT);

    if (part == NULL) {
        return AI_ERROR;
    }

    ai_json_iter_init(&it, &file);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "file_data") && ai_json_filled(&value)) {
            m = ai_mstr(&value);
            ai_chat_data(part, &m, "application/pdf");

        } else if (ai_json_is(&name, "file_id")) {
            part->file = ai_mstr(&value);

        } else if (ai_json_is(&name, "filename")) {
            part->name = ai_mstr(&value);
        }
    }

    if (ai_mstr_empty(&part->data) && ai_mstr_empty(&part->url)
        && ai_mstr_empty(&part->file))
    {
        return ai_wire_refuse(p->c, "content", "a part of type file must have "
                              "file_data or file_id");
    }

    return AI_OK;
}


/* a URL, a data URL, or base64 alone, which has no ":" */

static void
ai_chat_data(ai_part_t *part, const ai_mstr_t *data, const char *media_type)
{
    size_t  len;

    len = data->s.len < 32 ? data->s.len : 32;

    if (memchr(data->s.data, ':', len) != NULL) {
        ai_part_url(part, data, media_type);
        return;
    }

    part->data = *data;
    part->media_type = ai_mstr_cstr(media_type);
}


static ai_int_t
ai_chat_parse_thought(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       thinking;
    ai_chat_sink_t  sink;

    if (ai_json_get(v, "thinking", &thinking) != AI_OK) {
        return AI_OK;
    }

    memset(&sink, 0, sizeof(ai_chat_sink_t));

    sink.text = ai_chat_thought_text;
    sink.state = ai_chat_thought_state;
    sink.data = p;

    rc = ai_chat_walk_thinking(&thinking, &sink);
    p->thought = NULL;

    return rc;
}


ai_int_t
ai_chat_thought_text(void *data, const ai_mstr_t *text, ai_uint_t fresh)
{
    ai_chat_parts_t  *p;

    p = data;

    if (p->thought == NULL || fresh) {

        p->thought = ai_chat_add(p, AI_PART_REASONING);

        if (p->thought == NULL) {
            return AI_ERROR;
        }
    }

    return ai_chat_join(&p->thought->text, &p->text, p->c->req->alloc, text);
}


ai_int_t
ai_chat_thought_state(void *data, ai_state_e kind, const ai_mstr_t *id,
    const ai_mstr_t *state)
{
    ai_part_t        *part;
    ai_chat_parts_t  *p;

    p = data;
    part = p->thought;

    if (part == NULL || kind == AI_STATE_REDACTED
        || kind == AI_STATE_GOOGLE)
    {
        part = ai_chat_add(p, AI_PART_REASONING);

        if (part == NULL) {
            return AI_ERROR;
        }
    }

    part->state_kind = kind;
    part->state = *state;
    part->state_id = *id;

    p->thought = NULL;

    return AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a client of Bedrock Converse says: its system prompt and its messages,
 * as blocks that are objects of one member, which is their type.
 */


#include "wire_converse.h"


typedef ai_int_t (*ai_converse_block_pt)(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);

typedef struct {
    ai_str_t              name;
    ai_part_e             type;    /* of media */
    ai_converse_block_pt  take;    /* NULL: it is media */
    unsigned              result:1;    /* may be in a result */
} ai_converse_input_t;


static ai_int_t ai_converse_read_message(ai_wire_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_converse_read_blocks(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **first, ai_uint_t result);
static ai_int_t ai_converse_read_block(ai_wire_read_t *r,
    const ai_json_t *block, ai_part_t **last, ai_uint_t result);
static ai_int_t ai_converse_bad(ai_wire_read_t *r, const char *message);
static ai_part_t *ai_converse_add(ai_wire_read_t *r, ai_part_t **last,
    ai_part_e type);
static ai_int_t ai_wire_read_text(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_converse_read_json(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_converse_read_call(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_converse_read_result(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_converse_read_reasoning(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_converse_read_redacted(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_converse_read_guarded(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_converse_read_cited(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_converse_read_found(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last);
static ai_int_t ai_wire_read_texts(ai_wire_read_t *r,
    const ai_json_t *list, ai_part_t **last);
static ai_int_t ai_converse_read_media(ai_wire_read_t *r,
    const ai_json_t *v, ai_part_t **last, ai_part_e type);
static ai_int_t ai_converse_read_joined(ai_wire_read_t *r,
    const ai_json_t *list, ai_mstr_t *out);


static const ai_converse_input_t  ai_converse_inputs[] = {
    { ai_string("text"), AI_PART_TEXT, ai_wire_read_text, 1 },
    { ai_string("toolUse"), AI_PART_CALL, ai_converse_read_call, 0 },
    { ai_string("toolResult"), AI_PART_RESULT, ai_converse_read_result, 0 },
    { ai_string("reasoningContent"), AI_PART_REASONING,
      ai_converse_read_reasoning, 0 },
    { ai_string("image"), AI_PART_IMAGE, NULL, 1 },
    { ai_string("document"), AI_PART_DOCUMENT, NULL, 1 },
    { ai_string("video"), AI_PART_VIDEO, NULL, 1 },
    { ai_string("audio"), AI_PART_AUDIO, NULL, 0 },
    { ai_string("json"), AI_PART_TEXT, ai_converse_read_json, 1 },
    { ai_string("guardContent"), AI_PART_TEXT, ai_converse_read_guarded, 0 },
    { ai_string("citationsContent"), AI_PART_TEXT, ai_converse_read_cited,
      0 },
    { ai_string("searchResult"), AI_PART_TEXT, ai_converse_read_found, 1 },
    { ai_null_string, AI_PART_TEXT, NULL, 0 }
};


ai_int_t
ai_converse_read_system(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *row)
{
    ai_part_t     *part, *next;
    ai_int_t       rc;
    ai_message_t  *m;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "system", "an array is expected");
    }

    rc = ai_converse_read_blocks(r, v, &part, 0);

    if (rc != AI_OK || part == NULL) {
        return rc;
    }

    m = ai_request_message(r->req, AI_ROLE_SYSTEM);

    if (m == NULL) {
        return AI_ERROR;
    }

    for ( /* void */ ; part != NULL; part = next) {
        next = part->next;

        if (part->type != AI_PART_TEXT) {
            return ai_report_refuse(r->rep, "system", "text is expected");
        }

        *m->last = part;
        m->last = &part->next;
    }

    return AI_OK;
}


ai_int_t
ai_converse_read_messages(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_int_t        rc;
    ai_json_t       message;
    ai_json_iter_t  it;

    r->list = "messages";
    r->index = 0;
    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &message) == AI_OK) {
        rc = ai_converse_read_message(r, &message);

        if (rc != AI_OK) {
            return rc;
        }

        r->index++;
    }

    r->list = NULL;

    return AI_OK;
}


static ai_int_t
ai_converse_read_message(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_int_t       rc;
    ai_json_t      role, content;
    ai_part_t     *part;
    ai_message_t  *m;

    role = ai_wire_get(v, "role");
    content = ai_wire_get(v, "content");

    if (content.type != AI_JSON_ARRAY) {
        return ai_converse_bad(r, "content must be an array");
    }

    if (ai_json_name_eq(&role, "user")) {
        m = ai_request_message(r->req, AI_ROLE_USER);

    } else if (ai_json_name_eq(&role, "assistant")) {
        m = ai_request_message(r->req, AI_ROLE_ASSISTANT);

    } else {
        return ai_converse_bad(r, "role must be \"user\" or \"assistant\"");
    }

    if (m == NULL) {
        return AI_ERROR;
    }

    rc = ai_converse_read_blocks(r, &content, &part, 0);

    if (rc != AI_OK) {
        return rc;
    }

    m->parts = part;

    for ( /* void */ ; part != NULL; part = part->next) {
        m->last = &part->next;
    }

    return AI_OK;
}


/* a list of parts, in a result or not */

static ai_int_t
ai_converse_read_blocks(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **first, ai_uint_t result)
{
    ai_int_t         rc;
    ai_json_t        block, cache;
    ai_part_t       *last, head;
    ai_json_iter_t   it;

    memset(&head, 0, sizeof(ai_part_t));
    last = &head;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &block) == AI_OK) {

        if (ai_json_get(&block, "cachePoint", &cache) == AI_OK) {

            if (ai_converse_read_cache(r, &cache, &last->cache) != AI_OK) {
                return AI_ERROR;
            }

            continue;
        }

        rc = ai_converse_read_block(r, &block, &last, result);

        if (rc != AI_OK) {
            return rc;
        }
    }

    *first = head.next;

    return AI_OK;
}


static ai_int_t
ai_converse_read_block(ai_wire_read_t *r, const ai_json_t *block,
    ai_part_t **last, ai_uint_t result)
{
    ai_int_t                    rc;
    ai_json_t                   name, value;
    ai_json_iter_t              it;
    const ai_converse_input_t  *in;

    if (block->type != AI_JSON_OBJECT) {
        return ai_converse_bad(r, "content must be objects");
    }

    ai_json_iter_init(&it, block);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL || ai_json_name_eq(&name, "type")) {
            continue;
        }

        for (in = ai_converse_inputs; in->name.len != 0; in++) {
            if (ai_json_str_eq(&name, (char *) in->name.data, in->name.len)) {
                break;
            }
        }

        if (in->name.len == 0 || (result && !in->result)) {
            ai_report_drop_name(r->rep, &name);
            continue;
        }

        if (in->take != NULL) {
            rc = in->take(r, &value, last);

        } else {
            rc = ai_converse_read_media(r, &value, last, in->type);
        }

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


ai_int_t
ai_converse_read_cache(ai_wire_read_t *r, const ai_json_t *v,
    ai_str_t *cache)
{
    ai_buf_t   b;
    ai_mstr_t  text;

    text = ai_wire_string(v, "ttl");

    if (ai_mstr_empty(&text)) {
        ai_str_set(cache, "{\"type\":\"ephemeral\"}");
        return AI_OK;
    }

    ai_buf_init(&b, r->req->alloc, 256);
    ai_buf_lit(&b, "{\"type\":\"ephemeral\"");
    ai_buf_key_string(&b, "ttl", &text);
    ai_buf_lit(&b, "}");

    /* one that is so long is none */

    if (ai_buf_get(&b, cache) != AI_OK) {
        cache->len = 0;
        return b.large ? AI_OK : AI_ERROR;
    }

    return AI_OK;
}


static ai_part_t *
ai_converse_add(ai_wire_read_t *r, ai_part_t **last, ai_part_e type)
{
    ai_part_t  *part;

    part = ai_part_create(r->req->alloc, type);

    if (part != NULL) {
        (*last)->next = part;
        *last = part;
    }

    return part;
}


static ai_int_t
ai_wire_read_text(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_part_t  *part;

    if (v->type != AI_JSON_STRING) {
        return ai_converse_bad(r, "text must be a string");
    }

    part = ai_converse_add(r, last, AI_PART_TEXT);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->text = ai_mstr(v);

    return AI_OK;
}


/* a value of any type as the text that it is */

static ai_int_t
ai_converse_read_json(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_str_t    raw;
    ai_part_t  *part;

    part = ai_converse_add(r, last, AI_PART_TEXT);

    if (part == NULL) {
        return AI_ERROR;
    }

    raw = ai_json_raw(v);
    part->text = ai_mstr_plain(&raw);

    return AI_OK;
}


static ai_int_t
ai_converse_read_call(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_str_t    raw;
    ai_json_t   value;
    ai_part_t  *part;

    value = ai_wire_get(v, "type");

    if (ai_json_name_eq(&value, "server_tool_use")) {
        ai_report_drop(r->rep, "server_tool_use");
        return AI_OK;
    }

    part = ai_converse_add(r, last, AI_PART_CALL);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->id = ai_wire_string(v, "toolUseId");
    part->name = ai_wire_string(v, "name");

    value = ai_wire_get(v, "input");
    raw = ai_json_raw(&value);
    part->args = ai_mstr_plain(&raw);

    if (ai_mstr_empty(&part->id) || ai_mstr_empty(&part->name)) {
        return ai_converse_bad(r, "toolUse needs a toolUseId and a name");
    }

    return AI_OK;
}


static ai_int_t
ai_converse_read_result(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_json_t   value;
    ai_part_t  *part;

    /* of a tool of the provider's own, whose call is not told either */

    value = ai_wire_get(v, "type");

    if (value.type == AI_JSON_STRING
        && !ai_json_name_eq(&value, "tool_result"))
    {
        ai_report_drop(r->rep, "server_tool_use");
        return AI_OK;
    }

    part = ai_converse_add(r, last, AI_PART_RESULT);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->id = ai_wire_string(v, "toolUseId");

    if (ai_mstr_empty(&part->id)) {
        return ai_converse_bad(r, "toolResult needs a toolUseId");
    }

    value = ai_wire_get(v, "status");
    part->is_error = ai_json_name_eq(&value, "error");

    value = ai_wire_get(v, "content");

    return ai_converse_read_blocks(r, &value, &part->content, 1);
}


static ai_int_t
ai_converse_read_reasoning(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_json_t   text, value;
    ai_mstr_t   signature;
    ai_part_t  *part;

    if (ai_json_get(v, "redactedContent", &value) == AI_OK
        && value.type == AI_JSON_STRING)
    {
        return ai_converse_read_redacted(r, &value, last);
    }

    if (ai_json_get(v, "reasoningText", &text) != AI_OK) {
        return AI_OK;
    }

    part = ai_converse_add(r, last, AI_PART_REASONING);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->text = ai_wire_string(&text, "text");
    signature = ai_wire_string(&text, "signature");

    return ai_state_unpack(&signature, AI_STATE_ANTHROPIC, r->req->alloc,
                           &part->state_kind, &part->state_id, &part->state);
}


/* see the decoder: base64 of what Anthropic itself tells */

static ai_int_t
ai_converse_read_redacted(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_int_t    rc;
    ai_str_t    data;
    ai_part_t  *part;
    ai_mstr_t   encoded;

    encoded = ai_mstr(v);

    rc = ai_wire_base64(&encoded, r->req->alloc, &data);

    if (rc != AI_OK) {
        return (rc == AI_ERROR) ? AI_ERROR
               : ai_converse_bad(r, "redactedContent must be base64");
    }

    part = ai_converse_add(r, last, AI_PART_REASONING);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->state_kind = AI_STATE_REDACTED;
    part->state = ai_mstr_plain(&data);

    return AI_OK;
}


/* what a guardrail is to look at; without one it is what it says */

static ai_int_t
ai_converse_read_guarded(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_json_t  value;

    ai_report_drop(r->rep, "guardContent");

    if (ai_json_path(v, &value, "text", "text", NULL) == AI_OK) {
        return ai_wire_read_text(r, &value, last);
    }

    if (ai_json_get(v, "image", &value) == AI_OK) {
        return ai_converse_read_media(r, &value, last, AI_PART_IMAGE);
    }

    return AI_OK;
}


static ai_int_t
ai_converse_read_cited(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_json_t  list;

    list = ai_wire_get(v, "content");

    return ai_wire_read_texts(r, &list, last);
}


/* what was found, and where */

static ai_int_t
ai_converse_read_found(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last)
{
    ai_int_t    rc;
    ai_uint_t   i;
    ai_json_t   value;
    ai_mstr_t   text;

    static const char  *const names[] = { "title", "source" };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        value = ai_wire_get(v, names[i]);
        text = ai_mstr(&value);

        if (ai_mstr_empty(&text)) {
            continue;
        }

        rc = ai_wire_read_text(r, &value, last);

        if (rc != AI_OK) {
            return rc;
        }
    }

    value = ai_wire_get(v, "content");

    return ai_wire_read_texts(r, &value, last);
}


static ai_int_t
ai_wire_read_texts(ai_wire_read_t *r, const ai_json_t *list,
    ai_part_t **last)
{
    ai_int_t        rc;
    ai_json_t       item, text;
    ai_json_iter_t  it;

    ai_json_iter_init(&it, list);

    while (ai_json_next(&it, NULL, &item) == AI_OK) {
        text = ai_wire_get(&item, "text");

        if (text.type == AI_JSON_NULL) {
            continue;
        }

        rc = ai_wire_read_text(r, &text, last);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_converse_read_media(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **last, ai_part_e type)
{
    ai_json_t    format, source, value;
    ai_part_t   *part;
    const char  *media_type;

    format = ai_wire_get(v, "format");
    media_type = ai_converse_media_type(type, &format);
    source = ai_wire_get(v, "source");

    part = ai_converse_add(r, last, type);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->name = ai_wire_string(v, "name");

    if (media_type != NULL) {
        part->media_type = ai_mstr_cstr(media_type);

    } else if (type != AI_PART_DOCUMENT) {
        return ai_converse_bad(r, "media of this format are not known");
    }

    if (ai_json_path(&source, &value, "s3Location", "uri", NULL) == AI_OK) {
        part->url = ai_mstr(&value);
        return AI_OK;
    }

    value = ai_wire_get(&source, "bytes");

    if (value.type == AI_JSON_STRING) {
        part->data = ai_mstr(&value);

        return media_type != NULL ? AI_OK
               : ai_converse_bad(r, "documents of this format are not known");
    }

    value = ai_wire_get(&source, "text");

    if (value.type == AI_JSON_STRING) {
        part->text = ai_mstr(&value);
        return AI_OK;
    }

    value = ai_wire_get(&source, "content");

    if (type != AI_PART_DOCUMENT || value.type != AI_JSON_ARRAY) {
        return ai_converse_bad(r, "media need a source");
    }

    return ai_converse_read_joined(r, &value, &part->text);
}


/* the texts of a document that comes in chunks */

static ai_int_t
ai_converse_read_joined(ai_wire_read_t *r, const ai_json_t *list,
    ai_mstr_t *out)
{
    ai_buf_t        b;
    ai_json_t       item, value;
    ai_mstr_t       text;
    ai_json_iter_t  it;

    ai_buf_init(&b, r->req->alloc, (size_t) (list->end - list->start));
    ai_json_iter_init(&it, list);

    while (ai_json_next(&it, NULL, &item) == AI_OK) {
        value = ai_wire_get(&item, "text");
        text = ai_mstr(&value);

        if (ai_buf_len(&b) != 0) {
            ai_buf_lit(&b, "\\n");
        }

        ai_buf_chars(&b, &text);
    }

    out->json = 1;

    return ai_buf_get(&b, &out->s);
}


static ai_int_t
ai_converse_bad(ai_wire_read_t *r, const char *message)
{
    return ai_wire_refuse(r, r->list == NULL ? "system" : "content", message);
}

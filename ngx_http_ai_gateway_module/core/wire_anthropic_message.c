
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Messages of a client that speaks Anthropic Messages, and their blocks.
 */


#include "wire_anthropic.h"


/* members of the blocks of messages */

enum {
    AI_BLOCK_TYPE = 0,
    AI_BLOCK_TEXT,
    AI_BLOCK_SOURCE,
    AI_BLOCK_TITLE,
    AI_BLOCK_CONTEXT,
    AI_BLOCK_CITATIONS,
    AI_BLOCK_ID,
    AI_BLOCK_NAME,
    AI_BLOCK_INPUT,
    AI_BLOCK_TOOL_USE_ID,
    AI_BLOCK_CONTENT,
    AI_BLOCK_IS_ERROR,
    AI_BLOCK_THINKING,
    AI_BLOCK_SIGNATURE,
    AI_BLOCK_DATA,
    AI_BLOCK_CACHE,
    AI_BLOCK_N
};

static const ai_str_t  ai_block_names[] = {
    ai_string("type"),
    ai_string("text"),
    ai_string("source"),
    ai_string("title"),
    ai_string("context"),
    ai_string("citations"),
    ai_string("id"),
    ai_string("name"),
    ai_string("input"),
    ai_string("tool_use_id"),
    ai_string("content"),
    ai_string("is_error"),
    ai_string("thinking"),
    ai_string("signature"),
    ai_string("data"),
    ai_string("cache_control")
};


static ai_int_t ai_anthropic_message(ai_wire_read_t *r,
    const ai_json_t *v);
static ai_int_t ai_anthropic_user(ai_wire_read_t *r,
    const ai_json_t *blocks);
static ai_int_t ai_anthropic_assistant(ai_wire_read_t *r,
    const ai_json_t *blocks);
static ai_int_t ai_anthropic_block(ai_wire_read_t *r,
    const ai_json_t *v, ai_json_t *b);
static ai_int_t ai_anthropic_call(ai_wire_read_t *r, ai_message_t *m,
    ai_json_t *b);
static ai_int_t ai_anthropic_thinking(ai_wire_read_t *r,
    ai_message_t *m, ai_json_t *b);
static ai_int_t ai_anthropic_result(ai_wire_read_t *r, ai_message_t *m,
    ai_json_t *b);
static ai_int_t ai_anthropic_content(ai_wire_read_t *r, ai_json_t *b,
    ai_part_t ***last);
static ai_int_t ai_anthropic_texts(ai_wire_read_t *r,
    const ai_json_t *blocks, ai_part_t ***last);
static ai_int_t ai_anthropic_media(ai_wire_read_t *r, ai_json_t *b,
    ai_part_e type, ai_part_t ***last);
static ai_part_t *ai_anthropic_part(ai_wire_read_t *r, ai_part_e type,
    ai_part_t ***last);


ai_int_t
ai_anthropic_system(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_int_t       rc;
    ai_message_t  *m;

    if (v->type == AI_JSON_STRING) {
        return ai_wire_add_message(r->req, AI_ROLE_SYSTEM, v);
    }

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "system",
                                "a string or an array is expected");
    }

    m = ai_request_message(r->req, AI_ROLE_SYSTEM);
    if (m == NULL) {
        return AI_ERROR;
    }

    rc = ai_anthropic_texts(r, v, &m->last);

    return (rc == AI_DECLINED)
           ? ai_report_refuse(r->rep, "system", "text blocks are expected")
           : rc;
}


ai_int_t
ai_anthropic_messages(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       message;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "messages", "an array is expected");
    }

    r->list = "messages";

    ai_json_iter_init(&it, v);

    for (r->index = 0; ai_json_next(&it, NULL, &message) == AI_OK;
         r->index++)
    {
        rc = ai_anthropic_message(r, &message);
        if (rc != AI_OK) {
            return rc;
        }
    }

    r->list = NULL;

    return AI_OK;
}


static ai_int_t
ai_anthropic_message(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_role_e      role;
    ai_json_t      m[2];
    ai_message_t  *message;

    static const ai_str_t  names[] = {
        ai_string("role"), ai_string("content")
    };

    ai_wire_members(v, names, 2, m);

    if (ai_json_name_eq(&m[0], "user")) {
        role = AI_ROLE_USER;

    } else if (ai_json_name_eq(&m[0], "assistant")) {
        role = AI_ROLE_ASSISTANT;

    } else if (ai_json_name_eq(&m[0], "system")) {
        role = AI_ROLE_SYSTEM;

    } else {
        return ai_wire_refuse(r, "role", "\"user\", \"assistant\" or "
                                   "\"system\" is expected");
    }

    if (m[1].type == AI_JSON_STRING) {
        return ai_wire_add_message(r->req, role, &m[1]);
    }

    if (m[1].type != AI_JSON_ARRAY) {
        return ai_wire_refuse(r, "content",
                                   "a string or an array is expected");
    }

    if (role == AI_ROLE_USER) {
        return ai_anthropic_user(r, &m[1]);
    }

    if (role == AI_ROLE_ASSISTANT) {
        return ai_anthropic_assistant(r, &m[1]);
    }

    message = ai_request_message(r->req, AI_ROLE_SYSTEM);
    if (message == NULL) {
        return AI_ERROR;
    }

    if (ai_anthropic_texts(r, &m[1], &message->last) == AI_DECLINED) {
        return ai_wire_refuse(r, "content", "a block must be an object "
                                   "with a type");
    }

    return AI_OK;
}


/* results make a message of their own, see ai_request_normalize() */

static ai_int_t
ai_anthropic_user(ai_wire_read_t *r, const ai_json_t *blocks)
{
    ai_int_t         rc;
    ai_json_t        v, b[AI_BLOCK_N];
    ai_role_e        role;
    ai_message_t    *m[2], **to;
    ai_json_iter_t   it;

    m[0] = NULL;
    m[1] = NULL;

    ai_json_iter_init(&it, blocks);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {

        if (ai_anthropic_block(r, &v, b) != AI_OK) {
            return AI_DECLINED;
        }

        role = ai_json_name_eq(&b[AI_BLOCK_TYPE], "tool_result")
               ? AI_ROLE_TOOL : AI_ROLE_USER;

        to = &m[role == AI_ROLE_TOOL];

        if (*to == NULL) {
            *to = ai_request_message(r->req, role);
            if (*to == NULL) {
                return AI_ERROR;
            }
        }

        rc = (role == AI_ROLE_TOOL) ? ai_anthropic_result(r, *to, b)
                                    : ai_anthropic_content(r, b, &(*to)->last);

        if (rc == AI_DONE) {
            ai_report_drop_name(r->rep, &b[AI_BLOCK_TYPE]);

        } else if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_assistant(ai_wire_read_t *r, const ai_json_t *blocks)
{
    ai_int_t         rc;
    ai_json_t        v, *type, b[AI_BLOCK_N];
    ai_message_t    *m;
    ai_json_iter_t   it;

    m = ai_request_message(r->req, AI_ROLE_ASSISTANT);
    if (m == NULL) {
        return AI_ERROR;
    }

    type = &b[AI_BLOCK_TYPE];

    ai_json_iter_init(&it, blocks);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {

        if (ai_anthropic_block(r, &v, b) != AI_OK) {
            return AI_DECLINED;
        }

        if (ai_json_name_eq(type, "tool_use")) {
            rc = ai_anthropic_call(r, m, b);

        } else if (ai_json_name_eq(type, "thinking")
                   || ai_json_name_eq(type, "redacted_thinking"))
        {
            rc = ai_anthropic_thinking(r, m, b);

        } else {
            rc = ai_anthropic_content(r, b, &m->last);
        }

        /* what the provider's own tools did, and what is not known yet */

        if (rc == AI_DONE) {
            ai_report_drop_name(r->rep, type);

        } else if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_block(ai_wire_read_t *r, const ai_json_t *v, ai_json_t *b)
{
    ai_wire_members(v, ai_block_names, AI_BLOCK_N, b);

    if (b[AI_BLOCK_TYPE].type != AI_JSON_STRING) {
        return ai_wire_refuse(r, "content", "a block must be an object "
                                   "with a type");
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_call(ai_wire_read_t *r, ai_message_t *m, ai_json_t *b)
{
    ai_str_t    input;
    ai_part_t  *part;

    if (b[AI_BLOCK_ID].type != AI_JSON_STRING
        || b[AI_BLOCK_NAME].type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, "content",
                                   "tool_use needs an id and a name");
    }

    if (b[AI_BLOCK_INPUT].type != AI_JSON_OBJECT
        && b[AI_BLOCK_INPUT].type != AI_JSON_NULL)
    {
        return ai_wire_refuse(r, "content",
                                   "the input of tool_use must be an object");
    }

    part = ai_message_part(r->req, m, AI_PART_CALL);
    if (part == NULL) {
        return AI_ERROR;
    }

    input = ai_json_raw(&b[AI_BLOCK_INPUT]);

    part->id = ai_mstr(&b[AI_BLOCK_ID]);
    part->name = ai_mstr(&b[AI_BLOCK_NAME]);
    part->args = ai_mstr_plain(&input);
    part->cache = ai_json_raw(&b[AI_BLOCK_CACHE]);

    return AI_OK;
}


/* what has no signature is words of another model that were made thinking */

static ai_int_t
ai_anthropic_thinking(ai_wire_read_t *r, ai_message_t *m, ai_json_t *b)
{
    ai_mstr_t    slot;
    ai_part_t   *part;
    ai_state_e   own;

    part = ai_message_part(r->req, m, AI_PART_REASONING);
    if (part == NULL) {
        return AI_ERROR;
    }

    if (ai_json_name_eq(&b[AI_BLOCK_TYPE], "thinking")) {
        own = AI_STATE_ANTHROPIC;
        slot = ai_mstr(&b[AI_BLOCK_SIGNATURE]);
        part->text = ai_mstr(&b[AI_BLOCK_THINKING]);

    } else {
        own = AI_STATE_REDACTED;
        slot = ai_mstr(&b[AI_BLOCK_DATA]);
    }

    return ai_state_unpack(&slot, own, r->req->alloc, &part->state_kind,
                           &part->state_id, &part->state);
}


static ai_int_t
ai_anthropic_result(ai_wire_read_t *r, ai_message_t *m, ai_json_t *b)
{
    ai_int_t         rc;
    ai_json_t        v, in[AI_BLOCK_N], *content;
    ai_part_t       *part, *text, **last;
    ai_json_iter_t   it;

    if (b[AI_BLOCK_TOOL_USE_ID].type != AI_JSON_STRING) {
        return ai_wire_refuse(r, "content",
                                   "tool_result needs a tool_use_id");
    }

    part = ai_message_part(r->req, m, AI_PART_RESULT);
    if (part == NULL) {
        return AI_ERROR;
    }

    part->id = ai_mstr(&b[AI_BLOCK_TOOL_USE_ID]);
    part->is_error = ai_json_is_true(&b[AI_BLOCK_IS_ERROR]) ? 1 : 0;
    part->cache = ai_json_raw(&b[AI_BLOCK_CACHE]);

    content = &b[AI_BLOCK_CONTENT];
    last = &part->content;

    if (content->type == AI_JSON_STRING) {

        text = ai_anthropic_part(r, AI_PART_TEXT, &last);
        if (text == NULL) {
            return AI_ERROR;
        }

        text->text = ai_mstr(content);

        return AI_OK;
    }

    if (content->type != AI_JSON_ARRAY && content->type != AI_JSON_NULL) {
        return ai_wire_refuse(r, "content", "the content of tool_result "
                                   "must be a string or an array");
    }

    ai_json_iter_init(&it, content);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {

        if (ai_anthropic_block(r, &v, in) != AI_OK) {
            return AI_DECLINED;
        }

        rc = ai_anthropic_content(r, in, &last);

        if (rc == AI_DONE) {
            ai_report_drop_name(r->rep, &in[AI_BLOCK_TYPE]);

        } else if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


/* AI_DONE: a block of another kind */

static ai_int_t
ai_anthropic_content(ai_wire_read_t *r, ai_json_t *b,
    ai_part_t ***last)
{
    ai_json_t  *type;
    ai_part_t  *part;

    type = &b[AI_BLOCK_TYPE];

    if (ai_json_name_eq(type, "text")) {

        if (b[AI_BLOCK_TEXT].type != AI_JSON_STRING) {
            return ai_wire_refuse(r, "content",
                                       "the text of a block is expected");
        }

        part = ai_anthropic_part(r, AI_PART_TEXT, last);
        if (part == NULL) {
            return AI_ERROR;
        }

        part->text = ai_mstr(&b[AI_BLOCK_TEXT]);
        part->cache = ai_json_raw(&b[AI_BLOCK_CACHE]);

        return AI_OK;
    }

    if (ai_json_name_eq(type, "image")) {
        return ai_anthropic_media(r, b, AI_PART_IMAGE, last);
    }

    if (ai_json_name_eq(type, "document")) {

        if (b[AI_BLOCK_CONTEXT].type == AI_JSON_STRING) {
            ai_report_drop(r->rep, "document.context");
        }

        if (b[AI_BLOCK_CITATIONS].type == AI_JSON_OBJECT) {
            ai_report_drop(r->rep, "document.citations");
        }

        return ai_anthropic_media(r, b, AI_PART_DOCUMENT, last);
    }

    /* its words stay, that it can be cited is lost */

    if (ai_json_name_eq(type, "search_result")) {
        ai_report_drop_name(r->rep, type);

        if (ai_anthropic_texts(r, &b[AI_BLOCK_CONTENT], last)
            == AI_DECLINED)
        {
            return ai_wire_refuse(r, "content", "text blocks are "
                                       "expected in a search_result");
        }

        return AI_OK;
    }

    return AI_DONE;
}


/* blocks that are nothing but text; AI_DECLINED: something is no block */

static ai_int_t
ai_anthropic_texts(ai_wire_read_t *r, const ai_json_t *blocks,
    ai_part_t ***last)
{
    ai_json_t       v, b[AI_BLOCK_N];
    ai_part_t      *part;
    ai_json_iter_t  it;

    ai_json_iter_init(&it, blocks);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {

        ai_wire_members(&v, ai_block_names, AI_BLOCK_N, b);

        if (b[AI_BLOCK_TYPE].type != AI_JSON_STRING) {
            return AI_DECLINED;
        }

        if (!ai_json_name_eq(&b[AI_BLOCK_TYPE], "text")) {
            ai_report_drop_name(r->rep, &b[AI_BLOCK_TYPE]);
            continue;
        }

        part = ai_anthropic_part(r, AI_PART_TEXT, last);
        if (part == NULL) {
            return AI_ERROR;
        }

        part->text = ai_mstr(&b[AI_BLOCK_TEXT]);
        part->cache = ai_json_raw(&b[AI_BLOCK_CACHE]);
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_media(ai_wire_read_t *r, ai_json_t *b, ai_part_e type,
    ai_part_t ***last)
{
    ai_json_t        s[6], v, in[AI_BLOCK_N];
    ai_mstr_t        url;
    ai_part_t       *part;
    ai_json_iter_t   it;

    enum { TYPE = 0, MEDIA_TYPE, DATA, URL, FILE_ID, CONTENT };

    static const ai_str_t  names[] = {
        ai_string("type"), ai_string("media_type"), ai_string("data"),
        ai_string("url"), ai_string("file_id"), ai_string("content")
    };

    ai_wire_members(&b[AI_BLOCK_SOURCE], names, 6, s);

    if (ai_json_name_eq(&s[TYPE], "content")
        && s[CONTENT].type == AI_JSON_ARRAY)
    {
        /* a document of blocks is its blocks, most of which are text */

        ai_json_iter_init(&it, &s[CONTENT]);

        while (ai_json_next(&it, NULL, &v) == AI_OK) {
            ai_wire_members(&v, ai_block_names, AI_BLOCK_N, in);

            if (ai_json_name_eq(&in[AI_BLOCK_TYPE], "document")
                || ai_anthropic_content(r, in, last) != AI_OK)
            {
                return ai_wire_refuse(r, "content", "text and images "
                                           "are expected in a document");
            }
        }

        return AI_OK;
    }

    part = ai_anthropic_part(r, type, last);
    if (part == NULL) {
        return AI_ERROR;
    }

    part->cache = ai_json_raw(&b[AI_BLOCK_CACHE]);
    part->name = ai_mstr(&b[AI_BLOCK_TITLE]);

    if (ai_json_name_eq(&s[TYPE], "base64")) {
        part->media_type = ai_mstr(&s[MEDIA_TYPE]);
        part->data = ai_mstr(&s[DATA]);

    } else if (ai_json_name_eq(&s[TYPE], "url")) {
        url = ai_mstr(&s[URL]);
        ai_part_url(part, &url, type == AI_PART_IMAGE ? "image/png"
                                                      : "application/pdf");

    } else if (ai_json_name_eq(&s[TYPE], "file")) {
        part->file = ai_mstr(&s[FILE_ID]);

    } else if (ai_json_name_eq(&s[TYPE], "text")) {
        part->text = ai_mstr(&s[DATA]);

    } else if (ai_json_name_eq(&s[TYPE], "content")) {
        part->text = ai_mstr(&s[CONTENT]);
    }

    if (ai_mstr_empty(&part->data) && ai_mstr_empty(&part->url)
        && ai_mstr_empty(&part->file) && ai_mstr_empty(&part->text))
    {
        return ai_wire_refuse(r, "content", "the source of an image or "
                                   "a document is missing or not known");
    }

    return AI_OK;
}


static ai_part_t *
ai_anthropic_part(ai_wire_read_t *r, ai_part_e type, ai_part_t ***last)
{
    ai_part_t  *part;

    part = ai_part_create(r->req->alloc, type);

    if (part != NULL) {
        **last = part;
        *last = &part->next;
    }

    return part;
}

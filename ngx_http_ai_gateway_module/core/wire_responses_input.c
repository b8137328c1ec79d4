
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests to OpenAI's Responses, as clients write them: the items of the
 * input.  Each becomes a message of its own, which the normalization joins.
 */


#include "wire_responses.h"


typedef ai_int_t (*ai_rsp_item_pt)(ai_wire_read_t *r, const ai_json_t *v);

typedef struct {
    const char          *type;
    ai_rsp_item_pt       handler;
} ai_rsp_item_row_t;


static ai_int_t ai_rsp_input_item(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_rsp_in_message(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_rsp_in_call(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_rsp_in_custom(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_rsp_in_result(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_rsp_in_reasoning(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_rsp_in_tools(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_rsp_in_reference(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_rsp_in_compaction(ai_wire_read_t *r, const ai_json_t *v);
static ai_part_t *ai_rsp_in_part(ai_request_t *req, ai_role_e role,
    ai_part_e type);
static ai_int_t ai_rsp_content(ai_wire_read_t *r, const ai_json_t *content,
    ai_part_t ***last, const char *member);
static ai_int_t ai_rsp_part(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **part, const char *member);
static ai_int_t ai_rsp_part_image(ai_part_t *part, const ai_json_t *v);
static ai_int_t ai_rsp_part_file(ai_part_t *part, const ai_json_t *v);
static ai_int_t ai_rsp_part_audio(ai_request_t *req, ai_part_t *part,
    const ai_json_t *v);
static ai_int_t ai_rsp_join(ai_request_t *req, const ai_json_t *parts,
    ai_mstr_t *text);


/* what has no row is the trace of a tool of the provider's own */

static const ai_rsp_item_row_t  ai_rsp_item_rows[] = {
    { "message", ai_rsp_in_message },
    { "function_call", ai_rsp_in_call },
    { "function_call_output", ai_rsp_in_result },
    { "custom_tool_call", ai_rsp_in_custom },
    { "custom_tool_call_output", ai_rsp_in_result },
    { "reasoning", ai_rsp_in_reasoning },
    { "additional_tools", ai_rsp_in_tools },
    { "item_reference", ai_rsp_in_reference },
    { "compaction", ai_rsp_in_compaction },
    { "context_compaction", ai_rsp_in_compaction },
    { NULL, NULL }
};


ai_int_t
ai_rsp_parse_input(ai_request_t *req, const ai_json_t *input,
    ai_report_t *rep)
{
    ai_int_t        rc;
    ai_json_t       v;
    ai_json_iter_t  it;
    ai_wire_read_t  r;

    if (input->type == AI_JSON_STRING) {
        return ai_wire_add_message(req, AI_ROLE_USER, input);
    }

    if (input->type != AI_JSON_ARRAY) {
        return ai_report_refuse(rep, "input",
                                "a string or an array is expected");
    }

    memset(&r, 0, sizeof(ai_wire_read_t));

    r.req = req;
    r.rep = rep;
    r.list = "input";

    ai_json_iter_init(&it, input);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {
        rc = ai_rsp_input_item(&r, &v);

        if (rc != AI_OK) {
            return rc;
        }

        r.index++;
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_input_item(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_json_t                 type, id;
    const ai_rsp_item_row_t  *row;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(r, NULL, "an object is expected");
    }

    if (ai_json_get(v, "type", &type) != AI_OK
        || type.type == AI_JSON_NULL)
    {
        /* an item without a type is a message, or nothing but an id */

        if (ai_json_get(v, "role", &type) != AI_OK
            && ai_json_get(v, "id", &id) == AI_OK)
        {
            return ai_rsp_in_reference(r, v);
        }

        return ai_rsp_in_message(r, v);
    }

    if (type.type != AI_JSON_STRING) {
        return ai_wire_refuse(r, "type", "a string is expected");
    }

    for (row = ai_rsp_item_rows; row->type != NULL; row++) {
        if (ai_json_str_eq(&type, row->type, strlen(row->type))) {
            return row->handler(r, v);
        }
    }

    ai_report_drop_name(r->rep, &type);

    return AI_OK;
}


static ai_int_t
ai_rsp_in_message(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_role_e      role;
    ai_json_t      value;
    ai_message_t  *m;

    if (ai_json_get(v, "role", &value) != AI_OK) {
        return ai_wire_refuse(r, "role", "a role is required");
    }

    if (ai_json_name_eq(&value, "user")) {
        role = AI_ROLE_USER;

    } else if (ai_json_name_eq(&value, "assistant")) {
        role = AI_ROLE_ASSISTANT;

    } else if (ai_json_name_eq(&value, "system")) {
        role = AI_ROLE_SYSTEM;

    } else if (ai_json_name_eq(&value, "developer")) {
        role = AI_ROLE_DEVELOPER;

    } else {
        return ai_wire_refuse(r, "role", "this role is not known");
    }

    m = ai_request_message(r->req, role);
    if (m == NULL) {
        return AI_ERROR;
    }

    if (ai_json_get(v, "content", &value) != AI_OK) {
        return ai_wire_refuse(r, "content", "content is required");
    }

    return ai_rsp_content(r, &value, &m->last, "content");
}


static ai_int_t
ai_rsp_in_call(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_json_t   value;
    ai_part_t  *part;

    part = ai_rsp_in_part(r->req, AI_ROLE_ASSISTANT, AI_PART_CALL);
    if (part == NULL) {
        return AI_ERROR;
    }

    part->id = ai_wire_string(v, "call_id");

    if (ai_json_get(v, "name", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, "name", "a string is expected");
    }

    part->name = ai_mstr(&value);

    if (ai_json_get(v, "arguments", &value) != AI_OK) {
        return AI_OK;
    }

    if (value.type == AI_JSON_OBJECT) {
        part->args.s = ai_json_raw(&value);
        return AI_OK;
    }

    if (value.type != AI_JSON_STRING) {
        return ai_wire_refuse(r, "arguments", "a string is expected");
    }

    part->args = ai_mstr(&value);

    return AI_OK;
}


static ai_int_t
ai_rsp_in_custom(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_json_t   value;
    ai_part_t  *part;

    part = ai_rsp_in_part(r->req, AI_ROLE_ASSISTANT, AI_PART_CALL);
    if (part == NULL) {
        return AI_ERROR;
    }

    part->custom = 1;

    part->id = ai_wire_string(v, "call_id");

    if (ai_json_get(v, "name", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, "name", "a string is expected");
    }

    part->name = ai_mstr(&value);

    if (ai_json_get(v, "input", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, "input", "a string is expected");
    }

    part->args = ai_mstr(&value);

    return AI_OK;
}


static ai_int_t
ai_rsp_in_result(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_json_t    value;
    ai_part_t   *part, **last;

    part = ai_rsp_in_part(r->req, AI_ROLE_TOOL, AI_PART_RESULT);
    if (part == NULL) {
        return AI_ERROR;
    }

    if (ai_json_get(v, "call_id", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, "call_id", "a string is expected");
    }

    part->id = ai_mstr(&value);

    if (ai_json_get(v, "output", &value) != AI_OK) {
        return AI_OK;
    }

    last = &part->content;

    return ai_rsp_content(r, &value, &last, "output");
}


/* the summary is what was thought, as far as it may be known */

static ai_int_t
ai_rsp_in_reasoning(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_json_t   value;
    ai_mstr_t   slot, id;
    ai_part_t  *part;

    part = ai_rsp_in_part(r->req, AI_ROLE_ASSISTANT, AI_PART_REASONING);
    if (part == NULL) {
        return AI_ERROR;
    }

    if (ai_json_get(v, "summary", &value) == AI_OK
        && ai_rsp_join(r->req, &value, &part->text) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_mstr_empty(&part->text)
        && ai_json_get(v, "content", &value) == AI_OK
        && ai_rsp_join(r->req, &value, &part->text) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_json_get(v, "encrypted_content", &value) != AI_OK
        || value.type == AI_JSON_NULL)
    {
        return AI_OK;
    }

    if (value.type != AI_JSON_STRING) {
        return ai_wire_refuse(r, "encrypted_content",
                              "a string is expected");
    }

    slot = ai_mstr(&value);

    if (ai_state_unpack(&slot, AI_STATE_OPENAI, r->req->alloc,
                        &part->state_kind, &id, &part->state)
        != AI_OK)
    {
        return AI_ERROR;
    }

    part->state_id = id;

    /* what was not packed is of the item that it stands in */

    if (part->state.s.data == slot.s.data
        && ai_json_get(v, "id", &value) == AI_OK)
    {
        part->state_id = ai_mstr(&value);
    }

    return AI_OK;
}


/* tools that are declared on the way are tools of the request here */

static ai_int_t
ai_rsp_in_tools(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_json_t  tools;

    if (ai_json_get(v, "tools", &tools) != AI_OK) {
        return AI_OK;
    }

    return ai_rsp_parse_tools(r, &tools, NULL);
}


static ai_int_t
ai_rsp_in_reference(ai_wire_read_t *r, const ai_json_t *v)
{
    return ai_wire_refuse(r, NULL,
                          "a reference to an item needs a provider that "
                          "keeps responses, and the one of this model does "
                          "not speak the Responses API; send the item itself "
                         "instead");
}


/* the conversation so far, for the eyes of who made it only */

static ai_int_t
ai_rsp_in_compaction(ai_wire_read_t *r, const ai_json_t *v)
{
    return ai_wire_refuse(r, NULL,
                          "a compaction can be read by nobody but the "
                          "provider that made it; send the items instead");
}


static ai_part_t *
ai_rsp_in_part(ai_request_t *req, ai_role_e role, ai_part_e type)
{
    ai_message_t  *m;

    m = ai_request_message(req, role);

    return m ? ai_message_part(req, m, type) : NULL;
}


/* a string, or parts, appended at *last */

static ai_int_t
ai_rsp_content(ai_wire_read_t *r, const ai_json_t *content,
    ai_part_t ***last, const char *member)
{
    ai_int_t         rc;
    ai_json_t        v;
    ai_part_t       *part;
    ai_json_iter_t   it;

    if (content->type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (content->type == AI_JSON_STRING) {
        part = ai_part_create(r->req->alloc, AI_PART_TEXT);

        if (part == NULL) {
            return AI_ERROR;
        }

        part->text = ai_mstr(content);

        **last = part;
        *last = &part->next;

        return AI_OK;
    }

    if (content->type != AI_JSON_ARRAY) {
        return ai_wire_refuse(r, member,
                              "a string or an array is expected");
    }

    ai_json_iter_init(&it, content);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {
        rc = ai_rsp_part(r, &v, &part, member);

        if (rc != AI_OK) {
            return rc;
        }

        if (part != NULL) {
            **last = part;
            *last = &part->next;
        }
    }

    return AI_OK;
}


/* *part is NULL if it was dropped */

static ai_int_t
ai_rsp_part(ai_wire_read_t *r, const ai_json_t *v, ai_part_t **part,
    const char *member)
{
    ai_int_t   rc;
    ai_json_t  type, text;
    ai_part_e  kind;

    *part = NULL;

    if (ai_json_get(v, "type", &type) != AI_OK
        || type.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, member,
                              "objects with a \"type\" are expected");
    }

    if (ai_json_name_eq(&type, "input_text")
        || ai_json_name_eq(&type, "output_text")
        || ai_json_name_eq(&type, "text"))
    {
        kind = AI_PART_TEXT;

    } else if (ai_json_name_eq(&type, "refusal")) {
        kind = AI_PART_REFUSAL;

    } else if (ai_json_name_eq(&type, "input_image")) {
        kind = AI_PART_IMAGE;

    } else if (ai_json_name_eq(&type, "input_file")) {
        kind = AI_PART_DOCUMENT;

    } else if (ai_json_name_eq(&type, "input_audio")) {
        kind = AI_PART_AUDIO;

    } else {
        ai_report_drop_name(r->rep, &type);
        return AI_OK;
    }

    *part = ai_part_create(r->req->alloc, kind);
    if (*part == NULL) {
        return AI_ERROR;
    }

    switch (kind) {

    case AI_PART_IMAGE:
        rc = ai_rsp_part_image(*part, v);
        break;

    case AI_PART_DOCUMENT:
        rc = ai_rsp_part_file(*part, v);
        break;

    case AI_PART_AUDIO:
        rc = ai_rsp_part_audio(r->req, *part, v);
        break;

    default:
        if (ai_json_get(v, kind == AI_PART_TEXT ? "text" : "refusal", &text)
            != AI_OK
            || text.type != AI_JSON_STRING)
        {
            return ai_wire_refuse(r, member,
                                  "a part without its text");
        }

        (*part)->text = ai_mstr(&text);
        return AI_OK;
    }

    if (rc == AI_DECLINED) {
        return ai_wire_refuse(r, member, "a part without its content");
    }

    return rc;
}


static ai_int_t
ai_rsp_part_image(ai_part_t *part, const ai_json_t *v)
{
    ai_json_t  value, inner;
    ai_mstr_t  url;

    part->detail = ai_wire_string(v, "detail");

    if (ai_json_get(v, "file_id", &value) == AI_OK
        && value.type == AI_JSON_STRING)
    {
        part->file = ai_mstr(&value);
        return AI_OK;
    }

    if (ai_json_get(v, "image_url", &value) != AI_OK) {
        return AI_DECLINED;
    }

    /* as for chat */

    if (value.type == AI_JSON_OBJECT
        && ai_json_get(&value, "url", &inner) == AI_OK)
    {
        value = inner;
    }

    if (value.type != AI_JSON_STRING) {
        return AI_DECLINED;
    }

    url = ai_mstr(&value);
    ai_part_url(part, &url, "image/png");

    return AI_OK;
}


static ai_int_t
ai_rsp_part_file(ai_part_t *part, const ai_json_t *v)
{
    ai_json_t  value;
    ai_mstr_t  data;

    part->name = ai_wire_string(v, "filename");

    if (ai_json_get(v, "file_id", &value) == AI_OK
        && value.type == AI_JSON_STRING)
    {
        part->file = ai_mstr(&value);
        return AI_OK;
    }

    if (ai_json_get(v, "file_url", &value) == AI_OK
        && value.type == AI_JSON_STRING)
    {
        part->url = ai_mstr(&value);
        return AI_OK;
    }

    if (ai_json_get(v, "file_data", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return AI_DECLINED;
    }

    data = ai_mstr(&value);
    ai_part_url(part, &data, "application/pdf");

    /* some leave out what is in front of the base64 */

    if (ai_mstr_empty(&part->data)) {
        memset(&part->url, 0, sizeof(ai_mstr_t));
        part->data = data;
        part->media_type = ai_mstr_cstr("application/pdf");
    }

    return AI_OK;
}


static ai_int_t
ai_rsp_part_audio(ai_request_t *req, ai_part_t *part, const ai_json_t *v)
{
    ai_buf_t   b;
    ai_str_t   s;
    ai_json_t  audio, value;
    ai_mstr_t  format;

    if (ai_json_get(v, "input_audio", &audio) != AI_OK
        || ai_json_get(&audio, "data", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return AI_DECLINED;
    }

    part->data = ai_mstr(&value);
    format = ai_mstr_cstr("wav");

    if (ai_json_get(&audio, "format", &value) == AI_OK
        && value.type == AI_JSON_STRING)
    {
        format = ai_mstr(&value);
    }

    ai_buf_init(&b, req->alloc, format.s.len + sizeof("audio/"));
    ai_buf_lit(&b, "audio/");
    ai_buf_plain(&b, &format);

    if (ai_buf_get(&b, &s) != AI_OK) {
        return AI_ERROR;
    }

    part->media_type = ai_mstr_plain(&s);

    return AI_OK;
}


/* the texts of parts, paragraphs of one */

static ai_int_t
ai_rsp_join(ai_request_t *req, const ai_json_t *parts, ai_mstr_t *text)
{
    ai_buf_t        b;
    ai_json_t       part, value;
    ai_mstr_t       more;
    ai_json_iter_t  it;

    if (parts->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_buf_init(&b, req->alloc, (size_t) -1 / 2);
    ai_json_iter_init(&it, parts);

    while (ai_json_next(&it, NULL, &part) == AI_OK) {

        if (ai_json_get(&part, "text", &value) != AI_OK) {
            continue;
        }

        more = ai_mstr(&value);

        if (ai_mstr_empty(&more)) {
            continue;
        }

        if (ai_mstr_empty(text)) {
            *text = more;
            continue;
        }

        if (ai_buf_len(&b) == 0) {
            ai_buf_raw(&b, &text->s);
        }

        ai_buf_lit(&b, "\\n\\n");
        ai_buf_raw(&b, &more.s);
    }

    return ai_buf_len(&b) != 0 ? ai_buf_get(&b, &text->s) : AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The messages of a client of Cohere.
 */


#include "wire_cohere.h"


static ai_int_t ai_cohere_message(ai_wire_read_t *r, const ai_json_t *v);
static ai_int_t ai_cohere_role(ai_wire_read_t *r, const ai_json_t *v,
    ai_role_e *role);
static ai_int_t ai_cohere_content(ai_wire_read_t *r, ai_message_t *m,
    const ai_json_t *v);
static ai_int_t ai_cohere_block(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **out);
static ai_int_t ai_cohere_image(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **out);
static ai_int_t ai_cohere_document(ai_wire_read_t *r, const ai_json_t *v,
    ai_part_t **out);
static ai_int_t ai_cohere_assistant(ai_wire_read_t *r, ai_message_t *m,
    const ai_json_t *v);
static ai_int_t ai_cohere_calls(ai_wire_read_t *r, ai_message_t *m,
    const ai_json_t *v);
static ai_int_t ai_cohere_result(ai_wire_read_t *r, ai_message_t *m,
    const ai_json_t *v);


ai_int_t
ai_cohere_messages(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_int_t        rc;
    ai_json_t       message;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, "messages", "an array is expected");
    }

    r->list = "messages";
    r->index = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &message) == AI_OK) {

        rc = ai_cohere_message(r, &message);

        if (rc != AI_OK) {
            return rc;
        }

        r->index++;
    }

    r->list = NULL;

    return AI_OK;
}


static ai_int_t
ai_cohere_message(ai_wire_read_t *r, const ai_json_t *v)
{
    ai_int_t       rc;
    ai_json_t      content;
    ai_role_e      role;
    ai_message_t  *m;

    role = AI_ROLE_USER;
    rc = ai_cohere_role(r, v, &role);

    if (rc != AI_OK) {
        return rc;
    }

    m = ai_request_message(r->req, role);

    if (m == NULL) {
        return AI_ERROR;
    }

    if (role == AI_ROLE_TOOL) {
        return ai_cohere_result(r, m, v);
    }

    if (ai_json_get(v, "content", &content) == AI_OK) {

        rc = ai_cohere_content(r, m, &content);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return (role == AI_ROLE_ASSISTANT) ? ai_cohere_assistant(r, m, v) : AI_OK;
}


static ai_int_t
ai_cohere_role(ai_wire_read_t *r, const ai_json_t *v, ai_role_e *role)
{
    ai_json_t  name;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(r, NULL, "an object is expected");
    }

    if (ai_json_get(v, "role", &name) != AI_OK) {
        return ai_wire_refuse(r, "role", "a role is required");
    }

    if (ai_json_name_eq(&name, "user")) {
        *role = AI_ROLE_USER;

    } else if (ai_json_name_eq(&name, "assistant")) {
        *role = AI_ROLE_ASSISTANT;

    } else if (ai_json_name_eq(&name, "tool")) {
        *role = AI_ROLE_TOOL;

    } else if (ai_json_name_eq(&name, "system")) {
        *role = AI_ROLE_SYSTEM;

    } else if (ai_json_name_eq(&name, "developer")) {
        *role = AI_ROLE_DEVELOPER;

    } else {
        return ai_wire_refuse(r, "role",
                              "a role is \"system\", \"user\", "
                              "\"assistant\" or \"tool\"");
    }

    return AI_OK;
}


/* a string, or an array of blocks */

static ai_int_t
ai_cohere_content(ai_wire_read_t *r, ai_message_t *m, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       block;
    ai_part_t      *part;
    ai_json_iter_t  it;

    if (v->type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (v->type == AI_JSON_STRING) {
        return ai_wire_add_text(r->req, m, v);
    }

    if (v->type != AI_JSON_ARRAY) {
        return ai_wire_refuse(r, "content",
                              "a string or an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &block) == AI_OK) {

        rc = ai_cohere_block(r, &block, &part);

        if (rc != AI_OK) {
            return rc;
        }

        if (part != NULL) {
            *m->last = part;
            m->last = &part->next;
        }
    }

    return AI_OK;
}


/* *out is NULL for a block of no known kind */

static ai_int_t
ai_cohere_block(ai_wire_read_t *r, const ai_json_t *v, ai_part_t **out)
{
    ai_json_t    type, text;
    ai_part_e    kind;
    const char  *member;

    *out = NULL;

    if (v->type != AI_JSON_OBJECT
        || ai_json_get(v, "type", &type) != AI_OK
        || type.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, "content",
                              "a block is an object with a type");
    }

    if (ai_json_name_eq(&type, "image_url")) {
        return ai_cohere_image(r, v, out);
    }

    if (ai_json_name_eq(&type, "document")) {
        return ai_cohere_document(r, v, out);
    }

    if (ai_json_name_eq(&type, "text")) {
        kind = AI_PART_TEXT;
        member = "text";

    } else if (ai_json_name_eq(&type, "thinking")) {
        kind = AI_PART_REASONING;
        member = "thinking";

    } else {
        ai_report_drop_name(r->rep, &type);
        return AI_OK;
    }

    if (ai_json_get(v, member, &text) != AI_OK
        || text.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, "content",
                              "a block of text has a string");
    }

    *out = ai_part_create(r->req->alloc, kind);

    if (*out == NULL) {
        return AI_ERROR;
    }

    (*out)->text = ai_mstr(&text);

    return AI_OK;
}


static ai_int_t
ai_cohere_image(ai_wire_read_t *r, const ai_json_t *v, ai_part_t **out)
{
    ai_json_t  image, url;
    ai_mstr_t  m;

    image = ai_wire_get(v, "image_url");
    url = (image.type == AI_JSON_OBJECT) ? ai_wire_get(&image, "url") : image;

    if (url.type != AI_JSON_STRING) {
        return ai_wire_refuse(r, "content",
                              "an image has an image_url with a url");
    }

    *out = ai_part_create(r->req->alloc, AI_PART_IMAGE);

    if (*out == NULL) {
        return AI_ERROR;
    }

    m = ai_mstr(&url);
    ai_part_url(*out, &m, "image/jpeg");

    (*out)->detail = ai_wire_string(&image, "detail");

    return AI_OK;
}


/*
 * {"type":"document","document":{"data":...,"id":...}}: the data is what a
 * tool found, a string or an object, whose text any model can read.
 */

static ai_int_t
ai_cohere_document(ai_wire_read_t *r, const ai_json_t *v, ai_part_t **out)
{
    ai_json_t  document, data;

    if (ai_json_get(v, "document", &document) != AI_OK) {
        return ai_wire_refuse(r, "content",
                              "a block of type document has a document");
    }

    if (ai_json_get(&document, "data", &data) != AI_OK) {
        data = document;
    }

    *out = ai_part_create(r->req->alloc, AI_PART_TEXT);

    if (*out == NULL) {
        return AI_ERROR;
    }

    (*out)->text = ai_wire_text(&data);

    return AI_OK;
}


/* the plan is what was said in front of the calls */

static ai_int_t
ai_cohere_assistant(ai_wire_read_t *r, ai_message_t *m,
    const ai_json_t *v)
{
    ai_json_t  value;

    if (ai_json_get(v, "tool_plan", &value) == AI_OK
        && value.type == AI_JSON_STRING
        && ai_wire_add_text(r->req, m, &value) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_json_get(v, "tool_calls", &value) != AI_OK
        || value.type == AI_JSON_NULL)
    {
        return AI_OK;
    }

    return ai_cohere_calls(r, m, &value);
}


static ai_int_t
ai_cohere_calls(ai_wire_read_t *r, ai_message_t *m, const ai_json_t *v)
{
    ai_json_t       call, id, function, name, args;
    ai_part_t      *part;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_wire_refuse(r, "tool_calls",
                              "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &call) == AI_OK) {

        if (ai_json_get(&call, "id", &id) != AI_OK
            || id.type != AI_JSON_STRING
            || ai_json_path(&call, &name, "function", "name", NULL) != AI_OK
            || name.type != AI_JSON_STRING)
        {
            return ai_wire_refuse(r, "tool_calls",
                                  "a call has an id and the name of a "
                                  "function");
        }

        part = ai_message_part(r->req, m, AI_PART_CALL);

        if (part == NULL) {
            return AI_ERROR;
        }

        part->id = ai_mstr(&id);
        part->name = ai_mstr(&name);

        (void) ai_json_get(&call, "function", &function);

        if (ai_json_get(&function, "arguments", &args) != AI_OK) {
            continue;
        }

        part->args = ai_wire_text(&args);
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_result(ai_wire_read_t *r, ai_message_t *m, const ai_json_t *v)
{
    ai_int_t      rc;
    ai_json_t     id, content;
    ai_part_t    *part;
    ai_message_t  inner;

    if (ai_json_get(v, "tool_call_id", &id) != AI_OK
        || id.type != AI_JSON_STRING)
    {
        return ai_wire_refuse(r, "tool_call_id",
                              "a string is expected");
    }

    part = ai_message_part(r->req, m, AI_PART_RESULT);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->id = ai_mstr(&id);

    if (ai_json_get(v, "content", &content) != AI_OK) {
        return AI_OK;
    }

    inner.parts = NULL;
    inner.last = &inner.parts;

    rc = ai_cohere_content(r, &inner, &content);

    part->content = inner.parts;

    return rc;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The body of generateContent, as clients send it.
 */


#include "wire_gemini.h"


/* the members of the body; null when absent */

typedef struct {
    ai_json_t            contents;
    ai_json_t            system;
    ai_json_t            config;
    ai_json_t            tools;
    ai_json_t            choice;
} ai_gemini_body_t;


static ai_int_t ai_gemini_body(ai_gemini_body_t *b, ai_request_t *req,
    const ai_json_t *root, ai_report_t *rep);
static ai_int_t ai_gemini_system(ai_gemini_in_t *in, const ai_json_t *v);
static ai_int_t ai_gemini_contents(ai_gemini_in_t *in, const ai_json_t *v);
static ai_int_t ai_gemini_content(ai_gemini_in_t *in, const ai_json_t *v);


ai_uint_t
ai_gemini_name(const ai_json_t *name, const char *text, size_t len)
{
    u_char    c, *p, *last;
    size_t    n;
    ai_str_t  s;

    if (name->type != AI_JSON_STRING || name->escaped) {
        return ai_json_str_eq(name, text, len);
    }

    s = ai_json_str_raw(name);
    p = s.data;
    last = p + s.len;

    for (n = 0; p < last; n++) {
        c = *p++;

        if (c == '_' && p < last && *p >= 'a' && *p <= 'z') {
            c = (u_char) (*p++ & ~0x20);
        }

        if (n == len || c != (u_char) text[n]) {
            return 0;
        }
    }

    return n == len;
}


ai_int_t
ai_gemini_get(const ai_json_t *object, const char *name, ai_json_t *value)
{
    ai_json_t       key;
    ai_json_iter_t  it;

    if (object->type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    ai_json_iter_init(&it, object);

    while (ai_json_next(&it, &key, value) == AI_OK) {
        if (ai_gemini_name(&key, name, strlen(name))) {
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


ai_int_t
ai_gemini_refuse(ai_report_t *rep, ai_uint_t content, ai_int_t part,
    const char *member, const char *message)
{
    ai_buf_t  b;
    ai_str_t  param;

    ai_buf_init(&b, rep->alloc, 256);

    ai_buf_lit(&b, "contents.");
    ai_buf_uint(&b, content);

    if (part >= 0) {
        ai_buf_lit(&b, ".parts.");
        ai_buf_uint(&b, (uint64_t) part);
    }

    if (member != NULL) {
        ai_buf_lit(&b, ".");
        ai_buf_cstr(&b, member);
    }

    ai_buf_put(&b, "", 1);

    if (ai_buf_get(&b, &param) != AI_OK) {
        return ai_report_refuse(rep, "contents", message);
    }

    return ai_report_refuse(rep, (char *) param.data, message);
}


ai_int_t
ai_gemini_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_int_t          rc;
    ai_gemini_in_t    in;
    ai_gemini_body_t  b;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the body must be a JSON object");
    }

    memset(&in, 0, sizeof(ai_gemini_in_t));

    in.req = req;
    in.rep = rep;
    in.index = -1;
    in.last = &in.calls;

    /* usage comes with every answer of this dialect */

    req->include_usage = 1;

    rc = ai_gemini_body(&b, req, root, rep);

    if (rc == AI_OK) {
        rc = ai_gemini_system(&in, &b.system);
    }

    if (rc == AI_OK) {
        rc = ai_gemini_contents(&in, &b.contents);
    }

    if (rc == AI_OK) {
        rc = ai_gemini_parse_config(req, &b.config, rep);
    }

    if (rc == AI_OK) {
        rc = ai_gemini_parse_tools(req, &b.tools, rep);
    }

    if (rc == AI_OK) {
        rc = ai_gemini_parse_choice(req, &b.choice, rep);
    }

    return rc;
}


static ai_int_t
ai_gemini_body(ai_gemini_body_t *b, ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(b, 0, sizeof(ai_gemini_body_t));

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        if (ai_gemini_is(&name, "contents")) {
            b->contents = value;

        } else if (ai_gemini_is(&name, "systemInstruction")) {
            b->system = value;

        } else if (ai_gemini_is(&name, "generationConfig")) {
            b->config = value;

        } else if (ai_gemini_is(&name, "tools")) {
            b->tools = value;

        } else if (ai_gemini_is(&name, "toolConfig")) {
            b->choice = value;

        } else if (ai_gemini_is(&name, "labels")) {

            if (value.type != AI_JSON_OBJECT) {
                return ai_report_refuse(rep, "labels", "must be an object");
            }

            req->metadata = ai_json_raw(&value);

        } else if (ai_gemini_is(&name, "cachedContent")) {
            return ai_report_refuse(rep, "cachedContent",
                                    "content cached at a provider cannot be "
                                    "used here, send it in the request");

        } else if (!ai_gemini_is(&name, "model")) {
            ai_report_drop_name(rep, &name);
        }
    }

    return AI_OK;
}


/* a content, or what clients make of one: a string, a part, an array */

static ai_int_t
ai_gemini_system(ai_gemini_in_t *in, const ai_json_t *v)
{
    ai_json_t   parts;
    ai_part_t  *part;

    switch (v->type) {

    case AI_JSON_NULL:
        return AI_OK;

    case AI_JSON_STRING:
        part = ai_gemini_append(in, AI_ROLE_SYSTEM, AI_PART_TEXT);

        if (part == NULL) {
            return AI_ERROR;
        }

        part->text = ai_mstr(v);
        return AI_OK;

    case AI_JSON_ARRAY:
        return ai_gemini_parts(in, AI_ROLE_SYSTEM, v);

    case AI_JSON_OBJECT:

        if (ai_json_get(v, "parts", &parts) == AI_OK) {
            return ai_gemini_parts(in, AI_ROLE_SYSTEM, &parts);
        }

        return ai_gemini_part(in, AI_ROLE_SYSTEM, v);

    default:
        return ai_report_refuse(in->rep, "systemInstruction",
                                "must be an object");
    }
}


static ai_int_t
ai_gemini_contents(ai_gemini_in_t *in, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       value;
    ai_json_iter_t  it;

    switch (v->type) {

    case AI_JSON_STRING:
    case AI_JSON_OBJECT:
        return ai_gemini_content(in, v);

    case AI_JSON_ARRAY:
        break;

    case AI_JSON_NULL:
        return ai_report_refuse(in->rep, "contents", "is required");

    default:
        return ai_report_refuse(in->rep, "contents", "must be an array");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        rc = ai_gemini_content(in, &value);

        if (rc != AI_OK) {
            return rc;
        }

        in->content++;
    }

    if (in->content == 0) {
        return ai_report_refuse(in->rep, "contents", "must not be empty");
    }

    return AI_OK;
}


static ai_int_t
ai_gemini_content(ai_gemini_in_t *in, const ai_json_t *v)
{
    ai_role_e  role;
    ai_json_t  value;

    in->index = -1;

    if (v->type == AI_JSON_STRING) {
        return ai_gemini_join(in, AI_ROLE_USER, AI_PART_TEXT, v);
    }

    if (v->type != AI_JSON_OBJECT) {
        return ai_gemini_refuse(in->rep, in->content, -1, NULL,
                                "must be an object");
    }

    role = AI_ROLE_USER;

    if (ai_json_get(v, "role", &value) == AI_OK
        && value.type != AI_JSON_NULL)
    {
        if (ai_json_name_eq(&value, "model")) {
            role = AI_ROLE_ASSISTANT;

        } else if (ai_json_name_eq(&value, "system")) {
            role = AI_ROLE_SYSTEM;

        } else if (!ai_json_name_eq(&value, "user")
                   && !ai_json_name_eq(&value, "function")
                   && !ai_json_name_eq(&value, ""))
        {
            return ai_gemini_refuse(in->rep, in->content, -1, "role",
                                    "must be user or model");
        }
    }

    if (ai_json_get(v, "parts", &value) != AI_OK) {
        return AI_OK;
    }

    return ai_gemini_parts(in, role, &value);
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The messages of a client's chat/completions body.
 */


#include "wire_chat.h"


/* the members of a message that are read, of type null when absent */

typedef struct {
    ai_json_t            role;
    ai_json_t            content;
    ai_json_t            name;
    ai_json_t            refusal;
    ai_json_t            audio;
    ai_json_t            images;
    ai_json_t            calls;        /* tool_calls */
    ai_json_t            function;     /* function_call */
    ai_json_t            id;           /* tool_call_id */
    ai_json_t            cache;        /* cache_control */
    ai_chat_thoughts_t   thoughts;
} ai_chat_message_t;


static ai_int_t ai_chat_parse_message(ai_wire_read_t *c,
    const ai_json_t *v);
static void ai_chat_message_members(const ai_json_t *v,
    ai_chat_message_t *m);
static ai_int_t ai_chat_parse_role(const ai_json_t *v, ai_role_e *role);
static ai_int_t ai_chat_parse_assistant(ai_chat_parts_t *p,
    const ai_chat_message_t *in);
static ai_int_t ai_chat_parse_result(ai_chat_parts_t *p,
    const ai_chat_message_t *in);
static ai_int_t ai_chat_parse_calls(ai_chat_parts_t *p, const ai_json_t *v);
static ai_int_t ai_chat_parse_call(ai_chat_parts_t *p, const ai_json_t *v);
static ai_int_t ai_chat_parse_call_body(ai_chat_parts_t *p, ai_part_t *call,
    const ai_json_t *v);


ai_int_t
ai_chat_parse_messages(ai_wire_read_t *c, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_int_t        rc;
    ai_json_t       message;
    ai_json_iter_t  it;

    c->list = "messages";
    c->index = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &message) == AI_OK) {

        rc = ai_chat_parse_message(c, &message);

        if (rc != AI_OK) {
            return rc;
        }

        c->index++;
    }

    c->list = NULL;

    return AI_OK;
}


static ai_int_t
ai_chat_parse_message(ai_wire_read_t *c, const ai_json_t *v)
{
    ai_int_t            rc;
    ai_role_e           role;
    ai_message_t       *m;
    ai_chat_parts_t     p;
    ai_chat_message_t   in;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(c, NULL, "an object is expected");
    }

    ai_chat_message_members(v, &in);

    if (ai_chat_parse_role(&in.role, &role) != AI_OK) {
        return ai_wire_refuse(c, "role", "it must be system, developer, user, "
                              "assistant or tool");
    }

    m = ai_request_message(c->req, role);

    if (m == NULL) {
        return AI_ERROR;
    }

    memset(&p, 0, sizeof(ai_chat_parts_t));

    p.c = c;
    p.last = m->last;

    switch (role) {

    case AI_ROLE_TOOL:
        rc = ai_chat_parse_result(&p, &in);
        break;

    case AI_ROLE_ASSISTANT:
        rc = ai_chat_parse_assistant(&p, &in);
        break;

    default:
        m->name = ai_mstr(&in.name);
        rc = ai_chat_parse_content(&p, &in.content);
    }

    m->last = p.last;

    if (rc == AI_OK && p.tail != NULL && in.cache.type == AI_JSON_OBJECT) {
        p.tail->cache = ai_json_raw(&in.cache);
    }

    return rc;
}


static void
ai_chat_message_members(const ai_json_t *v, ai_chat_message_t *m)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(m, 0, sizeof(ai_chat_message_t));

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "role")) {
            m->role = value;

        } else if (ai_json_is(&name, "content")) {
            m->content = value;

        } else if (ai_json_is(&name, "name")) {
            m->name = value;

        } else if (ai_json_is(&name, "tool_calls")) {
            m->calls = value;

        } else if (ai_json_is(&name, "tool_call_id")) {
            m->id = value;

        } else if (ai_json_is(&name, "function_call")) {
            m->function = value;

        } else if (ai_json_is(&name, "refusal")) {
            m->refusal = value;

        } else if (ai_json_is(&name, "images")) {
            m->images = value;

        } else if (ai_json_is(&name, "audio")) {
            m->audio = value;

        } else if (ai_json_is(&name, "cache_control")) {
            m->cache = value;

        } else {
            (void) ai_chat_thought(&m->thoughts, &name, &value);
        }
    }
}


static ai_int_t
ai_chat_parse_role(const ai_json_t *v, ai_role_e *role)
{
    if (ai_json_is(v, "user")) {
        *role = AI_ROLE_USER;

    } else if (ai_json_is(v, "assistant")) {
        *role = AI_ROLE_ASSISTANT;

    } else if (ai_json_is(v, "tool") || ai_json_is(v, "function")) {
        *role = AI_ROLE_TOOL;

    } else if (ai_json_is(v, "system")) {
        *role = AI_ROLE_SYSTEM;

    } else if (ai_json_is(v, "developer")) {
        *role = AI_ROLE_DEVELOPER;

    } else {
        return AI_DECLINED;
    }

    return AI_OK;
}


/* what it thought comes first, its calls come last */

static ai_int_t
ai_chat_parse_assistant(ai_chat_parts_t *p, const ai_chat_message_t *in)
{
    ai_int_t        rc;
    ai_json_t       image;
    ai_part_t      *part;
    ai_chat_sink_t  sink;
    ai_json_iter_t  it;

    memset(&sink, 0, sizeof(ai_chat_sink_t));

    sink.text = ai_chat_thought_text;
    sink.state = ai_chat_thought_state;
    sink.data = p;

    rc = ai_chat_walk(&in->thoughts, &sink);
    p->thought = NULL;

    if (rc == AI_OK) {
        rc = ai_chat_parse_content(p, &in->content);
    }

    if (rc != AI_OK) {
        return rc;
    }

    if (ai_json_filled(&in->refusal)) {

        part = ai_chat_add(p, AI_PART_REFUSAL);

        if (part == NULL) {
            return AI_ERROR;
        }

        part->text = ai_mstr(&in->refusal);
    }

    /* a reference to what the model said, by an id that only OpenAI knows */

    if (in->audio.type == AI_JSON_OBJECT) {
        ai_report_drop(p->c->rep, "messages.audio");
    }

    if (in->images.type == AI_JSON_ARRAY) {
        ai_json_iter_init(&it, &in->images);

        while (ai_json_next(&it, NULL, &image) == AI_OK) {

            rc = ai_chat_parse_image(p, &image);

            if (rc != AI_OK) {
                return rc;
            }
        }
    }

    return in->calls.type != AI_JSON_NULL
           ? ai_chat_parse_calls(p, &in->calls)
           : ai_chat_parse_call_body(p, NULL, &in->function);
}


/* of the role "function" it has no id, but the name of its function */

static ai_int_t
ai_chat_parse_result(ai_chat_parts_t *p, const ai_chat_message_t *in)
{
    ai_int_t          rc;
    ai_part_t        *result;
    ai_chat_parts_t   content;

    result = ai_chat_add(p, AI_PART_RESULT);

    if (result == NULL) {
        return AI_ERROR;
    }

    result->id = ai_mstr(&in->id);
    result->name = ai_mstr(&in->name);

    memset(&content, 0, sizeof(ai_chat_parts_t));

    content.c = p->c;
    content.last = &result->content;

    rc = ai_chat_parse_content(&content, &in->content);

    if (content.tail != NULL && content.tail->cache.len != 0) {
        result->cache = content.tail->cache;
    }

    return rc;
}


static ai_int_t
ai_chat_parse_calls(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       call;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_wire_refuse(p->c, "tool_calls", "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &call) == AI_OK) {

        rc = ai_chat_parse_call(p, &call);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_chat_parse_call(ai_chat_parts_t *p, const ai_json_t *v)
{
    ai_json_t   value;
    ai_part_t  *call;

    if (v->type != AI_JSON_OBJECT) {
        return ai_wire_refuse(p->c, "tool_calls",
                              "each call must be an object");
    }

    call = ai_chat_add(p, AI_PART_CALL);

    if (call == NULL) {
        return AI_ERROR;
    }

    call->id = ai_wire_string(v, "id");

    call->state = ai_chat_signature(v);

    if (!ai_mstr_empty(&call->state)) {
        call->state_kind = AI_STATE_GOOGLE;
    }

    if (ai_json_get(v, "cache_control", &value) == AI_OK
        && value.type == AI_JSON_OBJECT)
    {
        call->cache = ai_json_raw(&value);
    }

    if (ai_json_get(v, "function", &value) == AI_OK
        && value.type == AI_JSON_OBJECT)
    {
        return ai_chat_parse_call_body(p, call, &value);
    }

    if (ai_json_get(v, "custom", &value) == AI_OK
        && value.type == AI_JSON_OBJECT)
    {
        call->custom = 1;
        return ai_chat_parse_call_body(p, call, &value);
    }

    return ai_wire_refuse(p->c, "tool_calls", "each call must have a function");
}


/* of a function_call, which is nothing but this, call is NULL */

static ai_int_t
ai_chat_parse_call_body(ai_chat_parts_t *p, ai_part_t *call,
    const ai_json_t *v)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (call == NULL) {

        if (v->type != AI_JSON_OBJECT) {
            return AI_OK;
        }

        call = ai_chat_add(p, AI_PART_CALL);

        if (call == NULL) {
            return AI_ERROR;
        }
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "name")) {
            call->name = ai_mstr(&value);

        } else if (ai_json_is(&name, "arguments")
                   || ai_json_is(&name, "input"))
        {
            call->args = ai_mstr(&value);

            /* an object where a string should be */

            if (value.type == AI_JSON_OBJECT) {
                call->args.s = ai_json_raw(&value);
                call->args.json = 0;
            }
        }
    }

    if (ai_mstr_empty(&call->name)) {
        return ai_wire_refuse(p->c, "tool_calls", "each call must have a name");
    }

    return AI_OK;
}

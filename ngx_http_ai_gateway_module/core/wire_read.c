
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Members of clients' requests that are read alike in several dialects.
 */


#include "wire.h"


/* a path to what is refused, in bytes */

#define AI_WIRE_PATH  256


static const char *ai_wire_param(const ai_wire_member_t *m);


ai_int_t
ai_wire_read(ai_wire_read_t *r, const ai_json_t *object,
    const ai_wire_member_t *members, const char *param)
{
    ai_int_t                 rc;
    ai_json_t                name, value;
    ai_json_iter_t           it;
    const ai_wire_member_t  *m;

    if (object->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, param, "an object is expected");
    }

    ai_json_iter_init(&it, object);
    it.known = &r->req->known;

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        for (m = members; m->name.len != 0; m++) {
            if (ai_json_is_text(&name, (char *) m->name.data, m->name.len)) {
                break;
            }
        }

        if (m->name.len == 0) {
            ai_report_drop_name(r->rep, &name);
            continue;
        }

        if (m->take == NULL) {
            continue;
        }

        rc = m->take(r, &value, m);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static const char *
ai_wire_param(const ai_wire_member_t *m)
{
    return (m->param != NULL) ? m->param : (char *) m->name.data;
}


ai_int_t
ai_wire_read_raw(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    *(ai_str_t *) (void *) ((u_char *) r->req + m->offset) = ai_json_raw(v);

    return AI_OK;
}


ai_int_t
ai_wire_read_number(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type != AI_JSON_NUMBER) {
        return ai_report_refuse(r->rep, ai_wire_param(m),
                                "a number is expected");
    }

    return ai_wire_read_raw(r, v, m);
}


ai_int_t
ai_wire_read_boolean(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_report_refuse(r->rep, ai_wire_param(m),
                                "true or false is expected");
    }

    return ai_wire_read_raw(r, v, m);
}


ai_int_t
ai_wire_read_object(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(r->rep, ai_wire_param(m),
                                "an object is expected");
    }

    return ai_wire_read_raw(r, v, m);
}


ai_int_t
ai_wire_read_string(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type != AI_JSON_STRING) {
        return ai_report_refuse(r->rep, ai_wire_param(m),
                                "a string is expected");
    }

    *(ai_mstr_t *) (void *) ((u_char *) r->req + m->offset) = ai_mstr(v);

    return AI_OK;
}


ai_int_t
ai_wire_read_stream(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    if (v->type != AI_JSON_TRUE && v->type != AI_JSON_FALSE) {
        return ai_report_refuse(r->rep, ai_wire_param(m),
                                "true or false is expected");
    }

    r->req->stream = ai_json_is_true(v);

    return AI_OK;
}


ai_int_t
ai_wire_read_stops(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t       stop;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(r->rep, ai_wire_param(m),
                                "an array of strings is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &stop) == AI_OK) {

        if (stop.type != AI_JSON_STRING) {
            return ai_report_refuse(r->rep, ai_wire_param(m),
                                    "an array of strings is expected");
        }

        if (r->req->nstop == AI_REQUEST_STOPS) {
            ai_report_drop(r->rep, "stop");
            break;
        }

        r->req->stop[r->req->nstop++] = ai_mstr(&stop);
    }

    return AI_OK;
}


ai_int_t
ai_wire_read_thinking(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m)
{
    ai_json_t  type, budget, display;

    type = ai_wire_get(v, "type");

    if (ai_json_is(&type, "disabled")) {
        r->req->effort = AI_EFFORT_NONE;
        return AI_OK;
    }

    budget = ai_wire_get(v, "budget_tokens");

    if (ai_json_is(&type, "adaptive")) {
        r->req->adaptive = 1;

    } else if (ai_json_is(&type, "enabled")
               && budget.type == AI_JSON_NUMBER)
    {
        r->req->budget = ai_json_raw(&budget);

    } else {
        return ai_report_refuse(r->rep, ai_wire_param(m),
                                "an object of type \"enabled\" with "
                                "budget_tokens, \"adaptive\" or \"disabled\" "
                                "is expected");
    }

    display = ai_wire_get(v, "display");
    r->req->summary = !ai_json_is(&display, "omitted");

    return AI_OK;
}


ai_int_t
ai_wire_refuse(ai_wire_read_t *r, const char *member, const char *message)
{
    if (r->list == NULL) {
        return ai_report_refuse(r->rep, member, message);
    }

    return ai_wire_refuse_at(r->rep, r->list, r->index, member, message);
}


ai_int_t
ai_wire_refuse_at(ai_report_t *rep, const char *list, ai_uint_t index,
    const char *member, const char *message)
{
    ai_buf_t  b;
    ai_str_t  path;

    ai_buf_init(&b, rep->alloc, AI_WIRE_PATH);

    ai_buf_cstr(&b, list);
    ai_buf_lit(&b, ".");
    ai_buf_uint(&b, index);

    if (member != NULL) {
        ai_buf_lit(&b, ".");
        ai_buf_cstr(&b, member);
    }

    ai_buf_put(&b, "", 1);

    if (ai_buf_get(&b, &path) != AI_OK) {
        return ai_report_refuse(rep, list, message);
    }

    return ai_report_refuse(rep, (char *) path.data, message);
}


ai_int_t
ai_wire_add_text(ai_request_t *req, ai_message_t *m, const ai_json_t *v)
{
    ai_part_t  *part;

    part = ai_message_part(req, m, AI_PART_TEXT);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->text = ai_mstr(v);

    return AI_OK;
}


ai_int_t
ai_wire_add_message(ai_request_t *req, ai_role_e role, const ai_json_t *v)
{
    ai_message_t  *m;

    m = ai_request_message(req, role);

    return (m != NULL) ? ai_wire_add_text(req, m, v) : AI_ERROR;
}

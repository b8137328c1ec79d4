
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A neutral request as Ollama takes it.
 */


#include "wire_ollama.h"


/* longer names are taken, but few models repeat them without a mistake */

#define AI_OLLAMA_NAME  64


typedef struct {
    ai_request_t        *req;
    const ai_target_t   *t;
    ai_buf_t            *out;
    ai_report_t         *rep;
} ai_ollama_render_t;


/* a member of "options" that is a number */

typedef struct {
    const char          *name;
    size_t               offset;       /* of an ai_str_t of the request */
} ai_ollama_option_t;


static ai_int_t ai_ollama_messages(ai_ollama_render_t *r);
static ai_int_t ai_ollama_message(ai_ollama_render_t *r, const char *role,
    const ai_message_t *m);
static void ai_ollama_text(ai_ollama_render_t *r, const char *name,
    const ai_part_t *part, ai_part_e type);
static ai_int_t ai_ollama_images(ai_ollama_render_t *r,
    const ai_part_t *part);
static ai_int_t ai_ollama_calls(ai_ollama_render_t *r,
    const ai_part_t *part);
static ai_int_t ai_ollama_results(ai_ollama_render_t *r,
    const ai_message_t *m);
static ai_int_t ai_ollama_result(ai_ollama_render_t *r,
    const ai_part_t *result);
static ai_int_t ai_ollama_tools(ai_ollama_render_t *r);
static void ai_ollama_format(ai_ollama_render_t *r);
static void ai_ollama_think(ai_ollama_render_t *r);
static void ai_ollama_options(ai_ollama_render_t *r);


static const ai_ollama_option_t  ai_ollama_names[] = {

    { "num_predict", offsetof(ai_request_t, max_tokens) },
    { "temperature", offsetof(ai_request_t, temperature) },
    { "top_p", offsetof(ai_request_t, top_p) },
    { "top_k", offsetof(ai_request_t, top_k) },
    { "seed", offsetof(ai_request_t, seed) },
    { "presence_penalty", offsetof(ai_request_t, presence_penalty) },
    { "frequency_penalty", offsetof(ai_request_t, frequency_penalty) },

    { NULL, 0 }
};


ai_int_t
ai_ollama_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    ai_int_t            rc;
    ai_ollama_render_t  r;

    r.req = req;
    r.t = t;
    r.out = out;
    r.rep = rep;

    rc = ai_wire_refuse_n(req, rep);

    if (rc != AI_OK) {
        return rc;
    }

    ai_buf_lit(out, "{\"model\":");
    ai_buf_quote(out, &t->model);

    /* without the member there would be a stream */

    ai_buf_cstr(out, t->stream ? ",\"stream\":true" : ",\"stream\":false");

    rc = ai_ollama_messages(&r);

    if (rc == AI_OK) {
        rc = ai_ollama_tools(&r);
    }

    if (rc != AI_OK) {
        return rc;
    }

    ai_ollama_format(&r);
    ai_ollama_think(&r);

    ai_buf_key_raw(out, "logprobs", &req->logprobs);
    ai_buf_key_raw(out, "top_logprobs", &req->top_logprobs);

    ai_ollama_options(&r);

    ai_wire_lacks(req, AI_WIRE_PARALLEL|AI_WIRE_BIAS|AI_WIRE_USER
                       |AI_WIRE_METADATA|AI_WIRE_TIER|AI_WIRE_VERBOSITY
                       |AI_WIRE_CACHE_KEY|AI_WIRE_STORE, rep);

    ai_buf_lit(out, "}");

    return out->failed ? AI_ERROR : AI_OK;
}


static ai_int_t
ai_ollama_messages(ai_ollama_render_t *r)
{
    ai_int_t       rc;
    ai_message_t  *m;

    ai_buf_key(r->out, "messages");
    ai_buf_lit(r->out, "[");

    for (m = r->req->messages; m != NULL; m = m->next) {

        switch (m->role) {

        case AI_ROLE_SYSTEM:
        case AI_ROLE_DEVELOPER:
            rc = ai_ollama_message(r, "system", m);
            break;

        case AI_ROLE_ASSISTANT:
            rc = ai_ollama_message(r, "assistant", m);
            break;

        case AI_ROLE_TOOL:
            rc = ai_ollama_results(r, m);
            break;

        default:
            rc = ai_ollama_message(r, "user", m);
            break;
        }

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_lit(r->out, "]");

    return AI_OK;
}


static ai_int_t
ai_ollama_message(ai_ollama_render_t *r, const char *role,
    const ai_message_t *m)
{
    ai_int_t  rc;

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{");
    ai_buf_key(r->out, "role");
    ai_buf_quote_cstr(r->out, role);

    ai_ollama_text(r, "content", m->parts, AI_PART_TEXT);
    ai_ollama_text(r, "thinking", m->parts, AI_PART_REASONING);

    rc = ai_ollama_images(r, m->parts);

    if (rc == AI_OK) {
        rc = ai_ollama_calls(r, m->parts);
    }

    ai_buf_lit(r->out, "}");

    return rc;
}


/* all pieces of one kind as one string; the content is never left out */

static void
ai_ollama_text(ai_ollama_render_t *r, const char *name,
    const ai_part_t *part, ai_part_e type)
{
    ai_part_e  kind;
    ai_uint_t  n;

    n = 0;

    for ( /* void */ ; part != NULL; part = part->next) {

        kind = part->type;

        if (kind == AI_PART_REFUSAL || kind == AI_PART_DOCUMENT) {
            kind = AI_PART_TEXT;
        }

        if (kind != type || ai_mstr_empty(&part->text)) {
            continue;
        }

        if (n++ == 0) {
            ai_buf_key(r->out, name);
            ai_buf_lit(r->out, "\"");

        } else {
            ai_buf_lit(r->out, "\\n");
        }

        ai_buf_chars(r->out, &part->text);
    }

    if (n != 0) {
        ai_buf_lit(r->out, "\"");

    } else if (type == AI_PART_TEXT) {
        ai_buf_key(r->out, name);
        ai_buf_lit(r->out, "\"\"");
    }
}


/* bare base64; what else there is beside text cannot be taken */

static ai_int_t
ai_ollama_images(ai_ollama_render_t *r, const ai_part_t *part)
{
    ai_uint_t  n;

    n = 0;

    for ( /* void */ ; part != NULL; part = part->next) {

        switch (part->type) {

        case AI_PART_IMAGE:
            if (ai_mstr_empty(&part->data)) {
                return ai_report_refuse(r->rep, "messages",
                                        "images must be inline, the provider "
                                        "of this model fetches none");
            }

            ai_buf_cstr(r->out, n++ ? "," : ",\"images\":[");
            ai_buf_string(r->out, &part->data);
            break;

        case AI_PART_DOCUMENT:
            if (!ai_mstr_empty(&part->text)) {
                break;
            }

            /* fall through */

        case AI_PART_AUDIO:
        case AI_PART_VIDEO:
            return ai_report_refuse(r->rep, "messages",
                                    "the provider of this model takes text "
                                    "and inline images only");

        default:
            break;
        }
    }

    if (n != 0) {
        ai_buf_lit(r->out, "]");
    }

    return AI_OK;
}


/* the arguments are an object; ids are taken by newer versions */

static ai_int_t
ai_ollama_calls(ai_ollama_render_t *r, const ai_part_t *part)
{
    ai_str_t   args;
    ai_mstr_t  name;
    ai_uint_t  n;

    n = 0;

    for ( /* void */ ; part != NULL; part = part->next) {

        if (part->type != AI_PART_CALL) {
            continue;
        }

        if (ai_request_name(r->req, &part->name, AI_OLLAMA_NAME, &name)
            != AI_OK
            || ai_part_object(part, r->req->alloc, &args) != AI_OK)
        {
            return AI_ERROR;
        }

        ai_buf_cstr(r->out, n++ ? ",{" : ",\"tool_calls\":[{");
        ai_buf_key_string(r->out, "id", &part->id);
        ai_buf_key(r->out, "function");
        ai_buf_lit(r->out, "{\"name\":");
        ai_buf_string(r->out, &name);
        ai_buf_key_raw(r->out, "arguments", &args);
        ai_buf_lit(r->out, "}}");
    }

    if (n != 0) {
        ai_buf_lit(r->out, "]");
    }

    return AI_OK;
}


static ai_int_t
ai_ollama_results(ai_ollama_render_t *r, const ai_message_t *m)
{
    ai_int_t    rc;
    ai_part_t  *part;

    for (part = m->parts; part != NULL; part = part->next) {

        rc = ai_ollama_result(r, part);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_ollama_result(ai_ollama_render_t *r, const ai_part_t *result)
{
    ai_int_t    rc;
    ai_mstr_t   name;
    ai_uint_t   n;
    ai_part_t  *part;

    n = 0;

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"role\":\"tool\",\"content\":\"");

    /* there is no other slot to say so */

    if (result->is_error) {
        ai_buf_lit(r->out, "Error: ");
    }

    for (part = result->content; part != NULL; part = part->next) {

        if (ai_mstr_empty(&part->text)) {
            continue;
        }

        if (n++ != 0) {
            ai_buf_lit(r->out, "\\n");
        }

        ai_buf_chars(r->out, &part->text);
    }

    ai_buf_lit(r->out, "\"");

    if (!ai_mstr_empty(&result->name)) {

        if (ai_request_name(r->req, &result->name, AI_OLLAMA_NAME, &name)
            != AI_OK)
        {
            return AI_ERROR;
        }

        ai_buf_key_string(r->out, "tool_name", &name);
    }

    ai_buf_key_string(r->out, "tool_call_id", &result->id);

    rc = ai_ollama_images(r, result->content);

    ai_buf_lit(r->out, "}");

    return rc;
}


/*
 * A choice can be made by withholding tools alone.  An empty list is left
 * out: it makes some versions answer in JSON.
 */

static ai_int_t
ai_ollama_tools(ai_ollama_render_t *r)
{
    ai_uint_t   n;
    ai_tool_t  *tool;

    if (r->req->choice == AI_CHOICE_NONE) {
        return AI_OK;
    }

    n = 0;

    for (tool = r->req->tools; tool != NULL; tool = tool->next) {

        if (tool->type == AI_TOOL_SERVER) {
            ai_report_drop(r->rep, "tools");
            continue;
        }

        if (!ai_wire_offered(r->req, tool)) {
            continue;
        }

        if (n++ == 0) {
            ai_buf_key(r->out, "tools");
            ai_buf_lit(r->out, "[");
        }

        ai_buf_comma(r->out);
        ai_buf_lit(r->out, "{\"type\":\"function\",\"function\":{");

        if (ai_wire_write_function(r->out, r->req, tool, AI_OLLAMA_NAME)
            != AI_OK)
        {
            return AI_ERROR;
        }

        ai_buf_lit(r->out, "}}");

        if (ai_str_eq(&tool->strict, "true")) {
            ai_report_drop(r->rep, "tools.strict");
        }
    }

    if (n == 0) {
        return AI_OK;
    }

    ai_buf_lit(r->out, "]");

    if (r->req->choice == AI_CHOICE_REQUIRED
        || r->req->choice == AI_CHOICE_NAMED)
    {
        ai_report_drop(r->rep, "tool_choice");
    }

    return AI_OK;
}


static void
ai_ollama_format(ai_ollama_render_t *r)
{
    switch (r->req->format) {

    case AI_FORMAT_SCHEMA:
        if (r->req->format_schema.len != 0) {
            ai_buf_key_raw(r->out, "format", &r->req->format_schema);
            break;
        }

        /* fall through */

    case AI_FORMAT_JSON:
        ai_buf_lit(r->out, ",\"format\":\"json\"");
        break;

    default:
        break;
    }
}


/*
 * Thinking is switched on and off; by models that know levels, the level is
 * told, and none of these can be switched off.  What thinks as it likes is
 * not told to: a model that cannot would refuse the request.
 */

static void
ai_ollama_think(ai_ollama_render_t *r)
{
    ai_effort_e  effort;

    effort = ai_wire_effort(r->req);

    if (effort == AI_EFFORT_UNSET) {
        return;
    }

    ai_buf_key(r->out, "think");

    if (!ai_wire_model_has(&r->t->model, "gpt-oss")) {
        ai_buf_cstr(r->out, effort == AI_EFFORT_NONE ? "false" : "true");
        return;
    }

    switch (effort) {

    case AI_EFFORT_NONE:
    case AI_EFFORT_MINIMAL:
    case AI_EFFORT_LOW:
        ai_buf_lit(r->out, "\"low\"");
        break;

    case AI_EFFORT_MEDIUM:
        ai_buf_lit(r->out, "\"medium\"");
        break;

    default:
        ai_buf_lit(r->out, "\"high\"");
        break;
    }
}


static void
ai_ollama_options(ai_ollama_render_t *r)
{
    ai_buf_t                  *b;
    ai_str_t                  *raw;
    const ai_ollama_option_t  *option;

    b = r->out;

    ai_buf_lit(b, ",\"options\":{");

    for (option = ai_ollama_names; option->name != NULL; option++) {
        raw = (ai_str_t *) (void *) ((u_char *) r->req + option->offset);
        ai_buf_key_raw(b, option->name, raw);
    }

    ai_wire_write_stops(b, "stop", r->req, AI_REQUEST_STOPS, 1, r->rep);

    ai_buf_lit(b, "}");
}

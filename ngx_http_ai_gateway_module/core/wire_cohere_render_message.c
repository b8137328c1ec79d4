
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The messages of a neutral request as Cohere takes them.
 */


#include "wire_cohere.h"


static ai_int_t ai_cohere_said(ai_cohere_render_t *r, const char *role,
    const ai_message_t *m);
static ai_int_t ai_cohere_block(ai_cohere_render_t *r,
    const ai_part_t *part);
static void ai_cohere_image(ai_cohere_render_t *r, const ai_part_t *part);
static ai_int_t ai_cohere_assistant(ai_cohere_render_t *r,
    const ai_message_t *m);
static void ai_cohere_answered(ai_cohere_render_t *r, const ai_message_t *m,
    ai_uint_t text);
static void ai_cohere_plan(ai_cohere_render_t *r, const ai_message_t *m);
static ai_int_t ai_cohere_calls(ai_cohere_render_t *r,
    const ai_message_t *m);
static ai_int_t ai_cohere_results(ai_cohere_render_t *r,
    const ai_message_t *m);
static ai_int_t ai_cohere_result(ai_cohere_render_t *r,
    const ai_part_t *result, ai_uint_t *images);
static void ai_cohere_result_images(ai_cohere_render_t *r,
    const ai_message_t *m);


ai_int_t
ai_cohere_history(ai_cohere_render_t *r)
{
    ai_int_t       rc;
    ai_message_t  *m;

    ai_buf_key(r->out, "messages");
    ai_buf_lit(r->out, "[");

    for (m = r->req->messages; m != NULL; m = m->next) {

        switch (m->role) {

        case AI_ROLE_SYSTEM:
        case AI_ROLE_DEVELOPER:
            rc = ai_cohere_said(r, "system", m);
            break;

        case AI_ROLE_ASSISTANT:
            rc = ai_cohere_assistant(r, m);
            break;

        case AI_ROLE_TOOL:
            rc = ai_cohere_results(r, m);
            break;

        default:
            rc = ai_cohere_said(r, "user", m);
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
ai_cohere_said(ai_cohere_render_t *r, const char *role,
    const ai_message_t *m)
{
    ai_int_t    rc;
    ai_part_t  *part;

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"role\":\"");
    ai_buf_cstr(r->out, role);
    ai_buf_lit(r->out, "\",\"content\":");

    part = m->parts;

    if (part != NULL && part->next == NULL && part->type == AI_PART_TEXT) {
        ai_buf_string(r->out, &part->text);
        ai_buf_lit(r->out, "}");
        return AI_OK;
    }

    ai_buf_lit(r->out, "[");

    for ( /* void */ ; part != NULL; part = part->next) {

        rc = ai_cohere_block(r, part);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_lit(r->out, "]}");

    return AI_OK;
}


static ai_int_t
ai_cohere_block(ai_cohere_render_t *r, const ai_part_t *part)
{
    switch (part->type) {

    case AI_PART_DOCUMENT:
        if (ai_mstr_empty(&part->text)) {
            return ai_report_refuse(r->rep, "messages",
                                    "the provider of this model takes no "
                                    "files, put their text into a message");
        }

        /* fall through */

    case AI_PART_TEXT:
    case AI_PART_REFUSAL:
        ai_buf_comma(r->out);
        ai_buf_lit(r->out, "{\"type\":\"text\",\"text\":");
        ai_buf_string(r->out, &part->text);
        ai_buf_lit(r->out, "}");
        return AI_OK;

    case AI_PART_IMAGE:
        if (ai_mstr_empty(&part->data) && ai_mstr_empty(&part->url)) {
            return ai_report_refuse(r->rep, "messages",
                                    "an image must be inline or have a URL, "
                                    "files of other providers are not known "
                                    "to the provider of this model");
        }

        ai_buf_comma(r->out);
        ai_cohere_image(r, part);
        return AI_OK;

    case AI_PART_AUDIO:
    case AI_PART_VIDEO:
        return ai_report_refuse(r->rep, "messages",
                                "the provider of this model takes no audio "
                                "and no video");

    default:
        return AI_OK;
    }
}


static void
ai_cohere_image(ai_cohere_render_t *r, const ai_part_t *part)
{
    ai_buf_lit(r->out, "{\"type\":\"image_url\",\"image_url\":{\"url\":");

    if (ai_mstr_empty(&part->data)) {
        ai_buf_string(r->out, &part->url);

    } else {
        ai_wire_data_url(r->out, part, "image/png");
    }

    ai_buf_key_string(r->out, "detail", &part->detail);
    ai_buf_lit(r->out, "}}");
}


/*
 * What is said in front of calls is the plan of them; with none it is the
 * content.  Thoughts are blocks of the content in both cases.
 */

static ai_int_t
ai_cohere_assistant(ai_cohere_render_t *r, const ai_message_t *m)
{
    ai_int_t    rc;
    ai_uint_t   text, thoughts, calls;
    ai_part_t  *part;

    text = 0;
    thoughts = 0;
    calls = 0;

    for (part = m->parts; part != NULL; part = part->next) {

        switch (part->type) {

        case AI_PART_TEXT:
        case AI_PART_REFUSAL:
            text = 1;
            break;

        case AI_PART_REASONING:
            thoughts |= r->thinks && !ai_mstr_empty(&part->text);
            break;

        case AI_PART_CALL:
            calls = 1;
            break;

        default:
            ai_report_drop(r->rep, "messages.content");
            break;
        }
    }

    if (!text && !thoughts && !calls) {
        return AI_OK;
    }

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"role\":\"assistant\"");

    if (thoughts || (text && !calls)) {
        ai_cohere_answered(r, m, !calls);
    }

    if (calls) {

        if (text) {
            ai_cohere_plan(r, m);
        }

        rc = ai_cohere_calls(r, m);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_lit(r->out, "}");

    return AI_OK;
}


static void
ai_cohere_answered(ai_cohere_render_t *r, const ai_message_t *m,
    ai_uint_t text)
{
    ai_part_t  *part;

    ai_buf_key(r->out, "content");

    part = m->parts;

    if (part->next == NULL && part->type == AI_PART_TEXT) {
        ai_buf_string(r->out, &part->text);
        return;
    }

    ai_buf_lit(r->out, "[");

    for ( /* void */ ; part != NULL; part = part->next) {

        if (ai_mstr_empty(&part->text)) {
            continue;
        }

        if (part->type == AI_PART_REASONING && r->thinks) {
            ai_buf_comma(r->out);
            ai_buf_lit(r->out, "{\"type\":\"thinking\",\"thinking\":");

        } else if (text && (part->type == AI_PART_TEXT
                            || part->type == AI_PART_REFUSAL))
        {
            ai_buf_comma(r->out);
            ai_buf_lit(r->out, "{\"type\":\"text\",\"text\":");

        } else {
            continue;
        }

        ai_buf_string(r->out, &part->text);
        ai_buf_lit(r->out, "}");
    }

    ai_buf_lit(r->out, "]");
}


static void
ai_cohere_plan(ai_cohere_render_t *r, const ai_message_t *m)
{
    ai_uint_t   n;
    ai_part_t  *part;

    n = 0;

    ai_buf_key(r->out, "tool_plan");
    ai_buf_lit(r->out, "\"");

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type != AI_PART_TEXT && part->type != AI_PART_REFUSAL) {
            continue;
        }

        if (n++ != 0) {
            ai_buf_lit(r->out, "\\n");
        }

        ai_buf_chars(r->out, &part->text);
    }

    ai_buf_lit(r->out, "\"");
}


static ai_int_t
ai_cohere_calls(ai_cohere_render_t *r, const ai_message_t *m)
{
    ai_str_t    object;
    ai_mstr_t   name;
    ai_part_t  *part;

    ai_buf_key(r->out, "tool_calls");
    ai_buf_lit(r->out, "[");

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type != AI_PART_CALL) {
            continue;
        }

        if (ai_request_name(r->req, &part->name, AI_COHERE_NAME, &name)
            != AI_OK)
        {
            return AI_ERROR;
        }

        ai_buf_comma(r->out);
        ai_buf_lit(r->out, "{\"id\":");
        ai_buf_string(r->out, &part->id);
        ai_buf_lit(r->out, ",\"type\":\"function\",\"function\":{\"name\":");
        ai_buf_string(r->out, &name);
        ai_buf_lit(r->out, ",\"arguments\":");

        if (part->custom || ai_mstr_empty(&part->args)
            || ai_mstr_eq(&part->args, "null"))
        {
            if (ai_part_object(part, r->req->alloc, &object) != AI_OK) {
                return AI_ERROR;
            }

            ai_buf_quote(r->out, &object);

        } else {

            /* from string to string they stay as they are */

            ai_buf_string(r->out, &part->args);
        }

        ai_buf_lit(r->out, "}}");
    }

    ai_buf_lit(r->out, "]");

    return AI_OK;
}


/* a message each; images, which none of them takes, from the user then */

static ai_int_t
ai_cohere_results(ai_cohere_render_t *r, const ai_message_t *m)
{
    ai_int_t    rc;
    ai_uint_t   images;
    ai_part_t  *part;

    images = 0;

    for (part = m->parts; part != NULL; part = part->next) {

        rc = ai_cohere_result(r, part, &images);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (images != 0) {
        ai_cohere_result_images(r, m);
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_result(ai_cohere_render_t *r, const ai_part_t *result,
    ai_uint_t *images)
{
    ai_uint_t   n;
    ai_part_t  *part;

    n = 0;

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"role\":\"tool\",\"tool_call_id\":");
    ai_buf_string(r->out, &result->id);
    ai_buf_lit(r->out, ",\"content\":\"");

    /* there is no other slot to say so */

    if (result->is_error) {
        ai_buf_lit(r->out, "Error: ");
    }

    for (part = result->content; part != NULL; part = part->next) {

        if (part->type == AI_PART_IMAGE
            && (!ai_mstr_empty(&part->data) || !ai_mstr_empty(&part->url)))
        {
            (*images)++;
            continue;
        }

        if (part->type != AI_PART_TEXT && ai_mstr_empty(&part->text)) {
            return ai_report_refuse(r->rep, "messages",
                                    "the provider of this model takes "
                                    "results of tools as text and inline "
                                    "images only");
        }

        if (n++ != 0) {
            ai_buf_lit(r->out, "\\n");
        }

        ai_buf_chars(r->out, &part->text);
    }

    ai_buf_lit(r->out, "\"}");

    return AI_OK;
}


static void
ai_cohere_result_images(ai_cohere_render_t *r, const ai_message_t *m)
{
    ai_part_t  *result, *part;

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"role\":\"user\",\"content\":[");

    for (result = m->parts; result != NULL; result = result->next) {
        for (part = result->content; part != NULL; part = part->next) {

            if (part->type == AI_PART_IMAGE) {
                ai_buf_comma(r->out);
                ai_cohere_image(r, part);
            }
        }
    }

    ai_buf_lit(r->out, "]}");
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests to providers that speak OpenAI's Responses: messages as items of
 * the input.
 */


#include "wire_responses.h"


typedef struct {
    ai_request_t        *req;
    const ai_target_t   *target;
    ai_buf_t            *out;
    ai_report_t         *rep;
} ai_rsp_render_t;


static const ai_message_t *ai_rsp_put_instructions(ai_rsp_render_t *r);
static ai_int_t ai_rsp_put_message(ai_rsp_render_t *r,
    const ai_message_t *m);
static ai_int_t ai_rsp_put_assistant(ai_rsp_render_t *r,
    const ai_message_t *m);
static const ai_part_t *ai_rsp_put_said(ai_rsp_render_t *r,
    const ai_part_t *part);
static void ai_rsp_put_reasoning(ai_rsp_render_t *r, const ai_part_t *part);
static ai_state_e ai_rsp_reads(const ai_target_t *t);
static ai_uint_t ai_rsp_leads_to_call(const ai_part_t *part);
static ai_int_t ai_rsp_put_call(ai_rsp_render_t *r, const ai_part_t *part);
static ai_int_t ai_rsp_put_result(ai_rsp_render_t *r, const ai_part_t *part);
static ai_int_t ai_rsp_put_parts(ai_rsp_render_t *r, const ai_part_t *part,
    ai_uint_t is_error);
static ai_int_t ai_rsp_put_image(ai_rsp_render_t *r, const ai_part_t *part);
static ai_int_t ai_rsp_put_file(ai_rsp_render_t *r, const ai_part_t *part);
static ai_int_t ai_rsp_put_audio(ai_rsp_render_t *r, const ai_part_t *part);
static void ai_rsp_put_text(ai_buf_t *b, const ai_mstr_t *text);
static ai_uint_t ai_rsp_is_web(const ai_mstr_t *url);


ai_int_t
ai_rsp_put_input(ai_request_t *req, const ai_target_t *t, ai_buf_t *out,
    ai_report_t *rep)
{
    ai_int_t             rc;
    ai_rsp_render_t      r;
    const ai_message_t  *m;

    r.req = req;
    r.target = t;
    r.out = out;
    r.rep = rep;

    for (m = req->messages; m != NULL; m = m->next) {
        if (m->role != AI_ROLE_SYSTEM && m->role != AI_ROLE_DEVELOPER) {
            break;
        }
    }

    /* an input must not be empty, be it what should be the instructions */

    m = (m != NULL) ? ai_rsp_put_instructions(&r) : req->messages;

    ai_buf_key(out, "input");
    ai_buf_lit(out, "[");

    for ( /* void */ ; m != NULL; m = m->next) {
        rc = ai_rsp_put_message(&r, m);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_lit(out, "]");

    return AI_OK;
}


/* what the conversation starts with; returns what follows */

static const ai_message_t *
ai_rsp_put_instructions(ai_rsp_render_t *r)
{
    ai_uint_t            any;
    const ai_part_t     *part;
    const ai_message_t  *m;

    any = 0;

    for (m = r->req->messages; m != NULL; m = m->next) {

        if (m->role != AI_ROLE_SYSTEM && m->role != AI_ROLE_DEVELOPER) {
            break;
        }

        for (part = m->parts; part != NULL; part = part->next) {

            if (part->type != AI_PART_TEXT) {
                ai_report_drop(r->rep, "messages.content");
                continue;
            }

            if (!any) {
                ai_buf_key(r->out, "instructions");
                ai_buf_lit(r->out, "\"");
                any = 1;

            } else {
                ai_buf_lit(r->out, "\\n\\n");
            }

            ai_buf_chars(r->out, &part->text);
        }
    }

    if (any) {
        ai_buf_lit(r->out, "\"");
    }

    return m;
}


static ai_int_t
ai_rsp_put_message(ai_rsp_render_t *r, const ai_message_t *m)
{
    ai_int_t          rc;
    const ai_part_t  *part;

    switch (m->role) {

    case AI_ROLE_ASSISTANT:
        return ai_rsp_put_assistant(r, m);

    case AI_ROLE_TOOL:
        for (part = m->parts; part != NULL; part = part->next) {
            rc = ai_rsp_put_result(r, part);

            if (rc != AI_OK) {
                return rc;
            }
        }

        return AI_OK;

    default:
        ai_buf_comma(r->out);
        ai_buf_cstr(r->out, m->role == AI_ROLE_USER
                            ? "{\"type\":\"message\",\"role\":\"user\""
                            : "{\"type\":\"message\",\"role\":"
                              "\"developer\"");
        ai_buf_key(r->out, "content");

        rc = ai_rsp_put_parts(r, m->parts, 0);

        ai_buf_lit(r->out, "}");

        return rc;
    }
}


static ai_int_t
ai_rsp_put_assistant(ai_rsp_render_t *r, const ai_message_t *m)
{
    const ai_part_t  *part, *next;

    for (part = m->parts; part != NULL; part = next) {
        next = part->next;

        switch (part->type) {

        case AI_PART_TEXT:
        case AI_PART_REFUSAL:
            next = ai_rsp_put_said(r, part);
            break;

        case AI_PART_REASONING:
            ai_rsp_put_reasoning(r, part);
            break;

        case AI_PART_CALL:
            if (ai_rsp_put_call(r, part) != AI_OK) {
                return AI_ERROR;
            }

            break;

        default:

            /* what a model drew can be shown to it by the user only */

            ai_report_drop(r->rep, "messages.content");
            break;
        }
    }

    return AI_OK;
}


/* texts that follow each other; returns the part behind them */

static const ai_part_t *
ai_rsp_put_said(ai_rsp_render_t *r, const ai_part_t *part)
{
    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"type\":\"message\",\"role\":\"assistant\","
                       "\"content\":[");

    for ( /* void */ ; part != NULL; part = part->next) {

        if (part->type == AI_PART_TEXT) {
            ai_buf_comma(r->out);
            ai_buf_lit(r->out, "{\"type\":\"output_text\",\"text\":");
            ai_buf_string(r->out, &part->text);
            ai_buf_lit(r->out, "}");

        } else if (part->type == AI_PART_REFUSAL) {
            ai_buf_comma(r->out);
            ai_rsp_refusal(r->out, &part->text);

        } else {
            break;
        }
    }

    ai_buf_lit(r->out, "]}");

    return part;
}


/*
 * Only what is encrypted can go back, and only in front of what it led to:
 * without that it is refused.  DeepSeek wants its words where there were
 * calls.
 */

static void
ai_rsp_put_reasoning(ai_rsp_render_t *r, const ai_part_t *part)
{
    ai_uint_t         words;
    const ai_part_t  *next;

    words = 0;

    if (part->state_kind != ai_rsp_reads(r->target)
        || ai_mstr_empty(&part->state))
    {
        words = r->target->vendor != NULL
                && (r->target->vendor->flags & AI_VENDOR_THINK_BACK)
                && !ai_mstr_empty(&part->text)
                && ai_rsp_leads_to_call(part);

        if (!words) {
            return;
        }
    }

    for (next = part->next; next != NULL; next = next->next) {
        if (next->type != AI_PART_REASONING) {
            break;
        }
    }

    if (next == NULL) {
        return;
    }

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"type\":\"reasoning\"");
    ai_buf_key_string(r->out, "id", &part->state_id);
    ai_buf_lit(r->out, ",\"summary\":[");

    if (words) {
        ai_buf_lit(r->out, "],\"content\":[{\"type\":\"reasoning_text\","
                           "\"text\":");
        ai_buf_string(r->out, &part->text);
        ai_buf_lit(r->out, "}]}");
        return;
    }

    if (!ai_mstr_empty(&part->text)) {
        ai_rsp_summary(r->out, &part->text);
    }

    ai_buf_lit(r->out, "]");
    ai_buf_key_string(r->out, "encrypted_content", &part->state);
    ai_buf_lit(r->out, "}");
}


/* whose encrypted content: OpenRouter tells Grok's as it is */

static ai_state_e
ai_rsp_reads(const ai_target_t *t)
{
    size_t  i;

    static const ai_str_t  grok = ai_string("grok");

    if (t->vendor != NULL && (t->vendor->flags & AI_VENDOR_STATE_XAI)) {
        return AI_STATE_XAI;
    }

    for (i = 0; i + grok.len <= t->model.len; i++) {
        if (memcmp(t->model.data + i, grok.data, grok.len) == 0) {
            return AI_STATE_XAI;
        }
    }

    return AI_STATE_OPENAI;
}


static ai_uint_t
ai_rsp_leads_to_call(const ai_part_t *part)
{
    for ( /* void */ ; part != NULL; part = part->next) {
        if (part->type == AI_PART_CALL) {
            return 1;
        }
    }

    return 0;
}


static ai_int_t
ai_rsp_put_call(ai_rsp_render_t *r, const ai_part_t *part)
{
    ai_mstr_t  name;

    if (ai_request_name(r->req, &part->name, AI_RSP_NAME_LEN, &name)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_comma(r->out);
    ai_buf_cstr(r->out, part->custom ? "{\"type\":\"custom_tool_call\""
                                     : "{\"type\":\"function_call\"");
    ai_buf_key(r->out, "call_id");
    ai_buf_string(r->out, &part->id);
    ai_buf_key(r->out, "name");
    ai_buf_string(r->out, &name);
    ai_buf_key(r->out, part->custom ? "input" : "arguments");

    if (ai_mstr_empty(&part->args) && !part->custom) {
        ai_buf_lit(r->out, "\"{}\"");

    } else {
        ai_buf_string(r->out, &part->args);
    }

    ai_buf_lit(r->out, "}");

    return AI_OK;
}


/* texts as one string, as long as there is nothing else */

static ai_int_t
ai_rsp_put_result(ai_rsp_render_t *r, const ai_part_t *part)
{
    ai_int_t          rc;
    const ai_part_t  *p;

    ai_buf_comma(r->out);
    ai_buf_cstr(r->out, part->custom
                        ? "{\"type\":\"custom_tool_call_output\""
                        : "{\"type\":\"function_call_output\"");
    ai_buf_key(r->out, "call_id");
    ai_buf_string(r->out, &part->id);
    ai_buf_key(r->out, "output");

    rc = AI_OK;

    for (p = part->content; p != NULL; p = p->next) {
        if (p->type != AI_PART_TEXT) {
            break;
        }
    }

    if (p != NULL) {
        rc = ai_rsp_put_parts(r, part->content, part->is_error);

    } else {
        ai_buf_cstr(r->out, part->is_error ? "\"Error: " : "\"");

        for (p = part->content; p != NULL; p = p->next) {

            if (p != part->content) {
                ai_buf_lit(r->out, "\\n");
            }

            ai_buf_chars(r->out, &p->text);
        }

        ai_buf_lit(r->out, "\"");
    }

    ai_buf_lit(r->out, "}");

    return rc;
}


static ai_int_t
ai_rsp_put_parts(ai_rsp_render_t *r, const ai_part_t *part,
    ai_uint_t is_error)
{
    ai_int_t   rc;
    ai_mstr_t  text;

    ai_buf_lit(r->out, "[");

    if (is_error) {
        text = ai_mstr_cstr("Error:");
        ai_rsp_put_text(r->out, &text);
    }

    for ( /* void */ ; part != NULL; part = part->next) {
        rc = AI_OK;

        switch (part->type) {

        case AI_PART_TEXT:
            ai_buf_comma(r->out);
            ai_rsp_put_text(r->out, &part->text);
            break;

        case AI_PART_IMAGE:
            rc = ai_rsp_put_image(r, part);
            break;

        case AI_PART_DOCUMENT:
            rc = ai_rsp_put_file(r, part);
            break;

        case AI_PART_AUDIO:
            rc = ai_rsp_put_audio(r, part);
            break;

        case AI_PART_VIDEO:
            rc = ai_report_refuse(r->rep, "messages",
                                  "the provider of this model takes no "
                                  "videos");
            break;

        default:
            ai_report_drop(r->rep, "messages.content");
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
ai_rsp_put_image(ai_rsp_render_t *r, const ai_part_t *part)
{
    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"type\":\"input_image\"");

    if (!ai_mstr_empty(&part->data)) {
        ai_buf_key(r->out, "image_url");
        ai_wire_data_url(r->out, part, "image/png");

    } else if (!ai_mstr_empty(&part->file)) {
        ai_buf_key_string(r->out, "file_id", &part->file);

    } else if (ai_rsp_is_web(&part->url)) {
        ai_buf_key_string(r->out, "image_url", &part->url);

    } else {
        return ai_report_refuse(r->rep, "messages",
                                "the provider of this model takes images as "
                                "data or from http addresses only");
    }

    ai_buf_key_string(r->out, "detail", &part->detail);
    ai_buf_lit(r->out, "}");

    return AI_OK;
}


/* data without a name is refused there */

static ai_int_t
ai_rsp_put_file(ai_rsp_render_t *r, const ai_part_t *part)
{
    ai_buf_comma(r->out);

    if (!ai_mstr_empty(&part->text)) {
        ai_buf_lit(r->out, "{\"type\":\"input_text\",\"text\":\"");

        if (!ai_mstr_empty(&part->name)) {
            ai_buf_chars(r->out, &part->name);
            ai_buf_lit(r->out, "\\n\\n");
        }

        ai_buf_chars(r->out, &part->text);
        ai_buf_lit(r->out, "\"}");

        return AI_OK;
    }

    ai_buf_lit(r->out, "{\"type\":\"input_file\"");

    if (!ai_mstr_empty(&part->data)) {
        ai_buf_key(r->out, "filename");

        if (!ai_mstr_empty(&part->name)) {
            ai_buf_string(r->out, &part->name);

        } else {
            ai_buf_quote_cstr(r->out,
                              ai_mstr_eq(&part->media_type, "text/plain")
                              ? "document.txt" : "document.pdf");
        }

        ai_buf_key(r->out, "file_data");
        ai_wire_data_url(r->out, part, "application/pdf");

    } else if (!ai_mstr_empty(&part->file)) {
        ai_buf_key_string(r->out, "file_id", &part->file);

    } else if (ai_rsp_is_web(&part->url)) {
        ai_buf_key_string(r->out, "file_url", &part->url);

    } else {
        return ai_report_refuse(r->rep, "messages",
                                "the provider of this model takes documents "
                                "as data or from http addresses only");
    }

    ai_buf_lit(r->out, "}");

    return AI_OK;
}


static ai_int_t
ai_rsp_put_audio(ai_rsp_render_t *r, const ai_part_t *part)
{
    const char  *format;

    if (ai_mstr_empty(&part->data)) {
        return ai_report_refuse(r->rep, "messages",
                                "the provider of this model takes audio as "
                                "data only");
    }

    if (ai_mstr_eq(&part->media_type, "audio/mp3")
        || ai_mstr_eq(&part->media_type, "audio/mpeg"))
    {
        format = "mp3";

    } else if (ai_mstr_empty(&part->media_type)
               || ai_mstr_eq(&part->media_type, "audio/wav")
               || ai_mstr_eq(&part->media_type, "audio/x-wav")
               || ai_mstr_eq(&part->media_type, "audio/wave"))
    {
        format = "wav";

    } else {
        return ai_report_refuse(r->rep, "messages",
                                "the provider of this model takes audio as "
                                "wav or mp3 only");
    }

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"type\":\"input_audio\",\"input_audio\":{\"data\":");
    ai_buf_string(r->out, &part->data);
    ai_buf_key(r->out, "format");
    ai_buf_quote_cstr(r->out, format);
    ai_buf_lit(r->out, "}}");

    return AI_OK;
}


static void
ai_rsp_put_text(ai_buf_t *b, const ai_mstr_t *text)
{
    ai_buf_lit(b, "{\"type\":\"input_text\",\"text\":");
    ai_buf_string(b, text);
    ai_buf_lit(b, "}");
}


/* a slash may be escaped; data that is not base64 goes as it came */

static ai_uint_t
ai_rsp_is_web(const ai_mstr_t *url)
{
    const ai_str_t  *s;

    s = &url->s;

    return (s->len > 7 && memcmp(s->data, "http:", 5) == 0)
           || (s->len > 8 && memcmp(s->data, "https:", 6) == 0)
           || (s->len > 5 && memcmp(s->data, "data:", 5) == 0);
}

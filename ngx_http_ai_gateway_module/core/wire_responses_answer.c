
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The wire of OpenAI's Responses, and its answers that are one document.
 */


#include "wire_responses.h"


static ai_int_t ai_rsp_output(ai_encode_t *e, const ai_answer_choice_t *c,
    const char *status, ai_buf_t *b);
static const ai_part_t *ai_rsp_output_message(ai_encode_t *e,
    const ai_answer_choice_t *c, const ai_part_t *part, ai_buf_t *parts);
static void ai_rsp_output_text(ai_encode_t *e, const ai_answer_choice_t *c,
    const ai_part_t *part, ai_buf_t *b);
static ai_int_t ai_rsp_output_reasoning(ai_encode_t *e,
    const ai_part_t *part, const ai_mstr_t *text, ai_uint_t n,
    const char *status, ai_buf_t *b);
static ai_int_t ai_rsp_output_call(ai_encode_t *e, const ai_part_t *part,
    ai_uint_t *n, const char *status, ai_buf_t *b);


const ai_wire_t  ai_wire_responses = {
    "text/event-stream",
    ai_rsp_parse_request,
    ai_rsp_render_request,
    ai_rsp_parse_event,
    ai_rsp_parse_end,
    ai_rsp_parse_response,
    ai_rsp_render_event,
    ai_rsp_render_response,
    ai_rsp_render_error,
    sizeof(ai_rsp_decode_t),
    sizeof(ai_rsp_encode_t)
};


ai_int_t
ai_rsp_render_response(ai_encode_t *e, const ai_answer_t *a)
{
    ai_buf_t         items;
    ai_rsp_object_t  r;

    memset(&r, 0, sizeof(ai_rsp_object_t));

    r.created = a->created ? a->created : e->now;
    r.usage = e->usage;

    if (a->usage.source != AI_USAGE_NONE) {
        r.usage = &a->usage;
    }

    ai_rsp_finish(&r, a->choices[0].finish);

    if (ai_encode_id(e, "resp_", 0, &r.id) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_init(&items, e->alloc, e->max);

    if (ai_rsp_output(e, &a->choices[0], r.status, &items) != AI_OK
        || ai_buf_get(&items, &r.output) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_rsp_object(e->out, e, &r);

    return AI_OK;
}


/*
 * Texts and refusals that follow each other are one message.  Only the last
 * item can be what a limit or a filter cut.
 */

static ai_int_t
ai_rsp_output(ai_encode_t *e, const ai_answer_choice_t *c,
    const char *status, ai_buf_t *b)
{
    ai_buf_t          parts;
    ai_str_t          s;
    ai_mstr_t         id;
    ai_uint_t         n;
    const char       *ended;
    const ai_part_t  *part, *next;

    n = 0;

    for (part = c->parts; part != NULL; part = next) {
        next = part->next;
        ended = "completed";

        switch (part->type) {

        case AI_PART_TEXT:
        case AI_PART_REFUSAL:
            ai_buf_init(&parts, e->alloc, e->max);

            next = ai_rsp_output_message(e, c, part, &parts);

            if (next == NULL && strcmp(status, "incomplete") == 0) {
                ended = status;
            }

            if (ai_encode_id(e, "msg_", ++n, &id) != AI_OK
                || ai_buf_get(&parts, &s) != AI_OK)
            {
                return AI_ERROR;
            }

            ai_buf_comma(b);
            ai_rsp_message(b, &id, ended, &s);
            break;

        case AI_PART_REASONING:
            if (ai_rsp_output_reasoning(e, part, &part->text, ++n, ended, b)
                != AI_OK)
            {
                return AI_ERROR;
            }

            break;

        case AI_PART_CALL:
            if (next == NULL && strcmp(status, "incomplete") == 0) {
                ended = status;
            }

            if (ai_rsp_output_call(e, part, &n, ended, b) != AI_OK) {
                return AI_ERROR;
            }

            break;

        case AI_PART_IMAGE:
            if (ai_encode_id(e, "ig_", ++n, &id) != AI_OK) {
                return AI_ERROR;
            }

            ai_buf_comma(b);
            ai_rsp_image(b, &id, ended, &part->data);
            break;

        default:
            break;
        }
    }

    return AI_OK;
}


/* returns the part behind the message */

static const ai_part_t *
ai_rsp_output_message(ai_encode_t *e, const ai_answer_choice_t *c,
    const ai_part_t *part, ai_buf_t *parts)
{
    for ( /* void */ ; part != NULL; part = part->next) {

        if (part->type == AI_PART_TEXT) {
            ai_buf_comma(parts);
            ai_rsp_output_text(e, c, part, parts);

        } else if (part->type == AI_PART_REFUSAL) {
            ai_buf_comma(parts);
            ai_rsp_refusal(parts, &part->text);

        } else {
            break;
        }
    }

    return part;
}


/* what belongs to the texts of the answer stands at the last of them */

static void
ai_rsp_output_text(ai_encode_t *e, const ai_answer_choice_t *c,
    const ai_part_t *part, ai_buf_t *b)
{
    ai_buf_t              notes;
    ai_str_t              s, logprobs;
    const ai_part_t      *p;
    const ai_citation_t  *cite;

    s.len = 0;
    s.data = NULL;
    logprobs = s;

    for (p = part->next; p != NULL && p->type != AI_PART_TEXT; p = p->next) {
        /* void */
    }

    if (p == NULL) {
        ai_buf_init(&notes, e->alloc, e->max);

        for (cite = c->citations; cite != NULL; cite = cite->next) {
            ai_buf_comma(&notes);
            ai_rsp_annotation(&notes, cite);
        }

        if (ai_buf_get(&notes, &s) != AI_OK) {
            b->failed = 1;
        }

        if (c->logprobs.len > 2) {
            logprobs.data = c->logprobs.data + 1;
            logprobs.len = c->logprobs.len - 2;
        }
    }

    ai_rsp_text(b, &part->text, &s, &logprobs);
}


static ai_int_t
ai_rsp_output_reasoning(ai_encode_t *e, const ai_part_t *part,
    const ai_mstr_t *text, ai_uint_t n, const char *status, ai_buf_t *b)
{
    ai_mstr_t  id, state;

    if (part->state_kind == AI_STATE_OPENAI
        && !ai_mstr_empty(&part->state_id))
    {
        id = part->state_id;

    } else if (ai_encode_id(e, "rs_", n, &id) != AI_OK) {
        return AI_ERROR;
    }

    if (ai_rsp_state(e->alloc, part->state_kind, &part->state_id,
                     &part->state, &id, &state)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_comma(b);
    ai_rsp_reasoning(b, &id, status, text, &state);

    return AI_OK;
}


static ai_int_t
ai_rsp_output_call(ai_encode_t *e, const ai_part_t *part, ai_uint_t *n,
    const char *status, ai_buf_t *b)
{
    ai_mstr_t  id, none;

    if (part->state_kind != AI_STATE_NONE) {
        memset(&none, 0, sizeof(ai_mstr_t));

        if (ai_rsp_output_reasoning(e, part, &none, ++*n, status, b)
            != AI_OK)
        {
            return AI_ERROR;
        }
    }

    if (ai_encode_id(e, part->custom ? "ctc_" : "fc_", ++*n, &id) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_comma(b);
    ai_rsp_call(b, &id, status, part);

    return AI_OK;
}

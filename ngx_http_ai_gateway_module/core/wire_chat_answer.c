
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Answers to clients of chat/completions: the grammar of chunks that OpenAI's
 * libraries rely on (wire-formats.md 2.2), and whole documents.  What OpenAI
 * has no member for is told as others do: thoughts in reasoning_content, and
 * again in reasoning_details with the state that belongs to them.
 */


#include "wire_chat.h"


#define AI_CHAT_EVENT  "data: "


static ai_int_t ai_chat_render_event(ai_encode_t *e, const ai_delta_t *d);
static ai_int_t ai_chat_write_start(ai_encode_t *e, const ai_delta_t *d);
static void ai_chat_write_content(ai_encode_t *e, ai_chat_choice_t *ch,
    const ai_delta_t *d);
static void ai_chat_write_call(ai_encode_t *e, ai_chat_choice_t *ch,
    const ai_delta_t *d);
static void ai_chat_write_args(ai_encode_t *e, ai_chat_choice_t *ch,
    const ai_delta_t *d);
static void ai_chat_write_finish(ai_encode_t *e, ai_chat_choice_t *ch,
    const ai_delta_t *d);
static void ai_chat_write_end(ai_encode_t *e);
static void ai_chat_write_open(ai_encode_t *e, const ai_delta_t *d);
static void ai_chat_write_begin(ai_encode_t *e, ai_uint_t choice);
static void ai_chat_write_close(ai_encode_t *e, const ai_str_t *logprobs,
    const char *finish);
static ai_int_t ai_chat_render_error(ai_encode_t *e, ai_error_doc_t *doc);


const ai_wire_t  ai_wire_chat = {
    "text/event-stream",
    ai_chat_parse_request,
    ai_chat_render_request,
    ai_chat_parse_event,
    ai_chat_parse_end,
    ai_chat_parse_response,
    ai_chat_render_event,
    ai_chat_render_response,
    ai_chat_render_error,
    sizeof(ai_chat_decode_t),
    sizeof(ai_chat_encode_t)
};


static ai_int_t
ai_chat_render_event(ai_encode_t *e, const ai_delta_t *d)
{
    ai_uint_t          n;
    ai_chat_choice_t  *ch;
    ai_chat_encode_t  *state;

    state = e->state;

    n = d->choice < AI_ANSWER_CHOICES ? d->choice : AI_ANSWER_CHOICES - 1;
    ch = &state->choices[n];

    switch (d->type) {

    case AI_DELTA_START:
        return ai_chat_write_start(e, d);

    case AI_DELTA_USAGE:
        state->usage = d->usage;
        break;

    case AI_DELTA_END:
        ai_chat_write_end(e);
        break;

    case AI_DELTA_CALL:
        ai_chat_write_call(e, ch, d);
        break;

    case AI_DELTA_ARGS:
        ai_chat_write_args(e, ch, d);
        break;

    case AI_DELTA_FINISH:
        ai_chat_write_finish(e, ch, d);
        break;

    case AI_DELTA_CALL_END:
    case AI_DELTA_ERROR:
        break;

    default:
        ai_chat_write_content(e, ch, d);
        break;
    }

    return AI_OK;
}


/* the same in each chunk, hence written once */

static ai_int_t
ai_chat_write_start(ai_encode_t *e, const ai_delta_t *d)
{
    ai_buf_t           b;
    ai_chat_encode_t  *state;

    state = e->state;

    ai_buf_init(&b, e->alloc, e->max);

    ai_buf_lit(&b, AI_CHAT_EVENT "{");

    if (ai_chat_answer_head(e, &b, "chat.completion.chunk", d->created,
                            &d->name)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_key(&b, "choices");
    ai_buf_lit(&b, "[");

    return ai_buf_get(&b, &state->head);
}


ai_int_t
ai_chat_answer_head(ai_encode_t *e, ai_buf_t *b, const char *object,
    uint64_t created, const ai_mstr_t *name)
{
    ai_mstr_t  id, model;

    if (ai_encode_id(e, "chatcmpl-", 0, &id) != AI_OK) {
        return AI_ERROR;
    }

    model = e->model.len != 0 ? ai_mstr_plain(&e->model) : *name;

    ai_buf_key_string(b, "id", &id);
    ai_buf_key(b, "object");
    ai_buf_quote_cstr(b, object);
    ai_buf_key_uint(b, "created", created != 0 ? created : e->now);
    ai_buf_key(b, "model");
    ai_buf_string(b, &model);

    return AI_OK;
}


static void
ai_chat_write_content(ai_encode_t *e, ai_chat_choice_t *ch, const ai_delta_t *d)
{
    ai_buf_t  *out;

    out = e->out;

    ai_chat_write_open(e, d);
    ai_chat_write_begin(e, d->choice);

    switch (d->type) {

    case AI_DELTA_TEXT:
        ai_buf_lit(out, "\"content\":");
        ai_buf_string(out, &d->text);
        break;

    case AI_DELTA_REFUSAL:
        ai_buf_lit(out, "\"refusal\":");
        ai_buf_string(out, &d->text);
        break;

    case AI_DELTA_REASONING:
        ai_buf_lit(out, "\"reasoning_content\":");
        ai_buf_string(out, &d->text);
        ai_buf_lit(out, ",\"reasoning_details\":[");
        ai_chat_answer_thought(out, ch->thought, &d->text);
        ai_buf_lit(out, "]");
        ch->thinking = 1;
        break;

    case AI_DELTA_STATE:

        /* what is not of the thoughts before it is a block of its own */

        if (ch->thinking && d->state_kind != AI_STATE_ANTHROPIC) {
            ch->thought++;
        }

        ai_buf_lit(out, "\"reasoning_details\":[");
        ai_chat_answer_state(out, ch->thought, d->state_kind, NULL,
                             &d->state, &d->state_id);
        ai_buf_lit(out, "]");
        ch->thought++;
        ch->thinking = 0;
        break;

    case AI_DELTA_IMAGE:
        ai_buf_lit(out, "\"images\":[");
        ai_chat_answer_image(out, ch->images++, &d->media_type, &d->text,
                             &d->url);
        ai_buf_lit(out, "]");
        break;

    case AI_DELTA_CITATION:
        ai_buf_lit(out, "\"annotations\":[");
        ai_chat_answer_citation(out, &d->url, &d->name, &d->text, d->from,
                                d->to);
        ai_buf_lit(out, "]");
        break;

    default: /* AI_DELTA_LOGPROBS */
        break;
    }

    ai_chat_write_close(e, d->type == AI_DELTA_LOGPROBS ? &d->raw : NULL, NULL);
}


/* its id, type and name are told once; nothing is, when a role comes first */

static void
ai_chat_write_call(ai_encode_t *e, ai_chat_choice_t *ch, const ai_delta_t *d)
{
    ai_buf_t    *out;
    ai_uint_t    opened;
    ai_delta_t   state;

    out = e->out;

    /* Google's goes with the call, which has no place for any other */

    if (d->state_kind != AI_STATE_NONE && d->state_kind != AI_STATE_GOOGLE) {
        state = *d;
        state.type = AI_DELTA_STATE;
        ai_chat_write_content(e, ch, &state);
    }

    /* of the form of 2023, which is one call */

    ch->skip = e->req != NULL && e->req->functions && d->call != 0;

    if (ch->skip) {
        return;
    }

    opened = ch->opened;
    ch->opened = 1;

    ai_chat_write_begin(e, d->choice);

    if (!opened) {
        ai_buf_lit(out, "\"role\":\"assistant\",\"content\":null,");
    }

    if (e->req != NULL && e->req->functions) {
        ai_buf_lit(out, "\"function_call\":{\"name\":");
        ai_buf_string(out, &d->name);
        ai_buf_lit(out, ",\"arguments\":\"\"}");
        ai_chat_write_close(e, NULL, NULL);
        return;
    }

    ai_buf_lit(out, "\"tool_calls\":[{\"index\":");
    ai_buf_uint(out, d->call);
    ai_buf_lit(out, ",\"id\":");
    ai_buf_string(out, &d->id);

    if (d->state_kind == AI_STATE_GOOGLE) {
        ai_chat_answer_signature(out, &d->state);
    }

    if (d->custom) {
        ai_buf_lit(out, ",\"type\":\"custom\",\"custom\":{\"name\":");
        ai_buf_string(out, &d->name);
        ai_buf_lit(out, ",\"input\":\"\"}}]");

    } else {
        ai_buf_lit(out, ",\"type\":\"function\",\"function\":{\"name\":");
        ai_buf_string(out, &d->name);
        ai_buf_lit(out, ",\"arguments\":\"\"}}]");
    }

    ai_chat_write_close(e, NULL, NULL);
}


static void
ai_chat_write_args(ai_encode_t *e, ai_chat_choice_t *ch, const ai_delta_t *d)
{
    ai_buf_t  *out;

    if (ch->skip) {
        return;
    }

    out = e->out;

    ai_chat_write_begin(e, d->choice);

    if (e->req != NULL && e->req->functions) {
        ai_buf_lit(out, "\"function_call\":{\"arguments\":");
        ai_buf_string(out, &d->text);
        ai_buf_lit(out, "}");
        ai_chat_write_close(e, NULL, NULL);
        return;
    }

    ai_buf_lit(out, "\"tool_calls\":[{\"index\":");
    ai_buf_uint(out, d->call);

    if (d->custom) {
        ai_buf_lit(out, ",\"custom\":{\"input\":");

    } else {
        ai_buf_lit(out, ",\"function\":{\"arguments\":");
    }

    ai_buf_string(out, &d->text);
    ai_buf_lit(out, "}}]");

    ai_chat_write_close(e, NULL, NULL);
}


static void
ai_chat_write_finish(ai_encode_t *e, ai_chat_choice_t *ch, const ai_delta_t *d)
{
    ai_chat_write_open(e, d);
    ai_chat_write_begin(e, d->choice);
    ai_chat_write_close(e, NULL, ai_chat_finish_name(e, d->finish));
}


const char *
ai_chat_finish_name(ai_encode_t *e, ai_finish_e finish)
{
    switch (finish) {

    case AI_FINISH_LENGTH:
    case AI_FINISH_CONTEXT:
        return "length";

    case AI_FINISH_TOOLS:
        return (e->req != NULL && e->req->functions) ? "function_call"
                                                     : "tool_calls";

    case AI_FINISH_FILTER:
        return "content_filter";

    default:
        return "stop";
    }
}


static void
ai_chat_write_end(ai_encode_t *e)
{
    ai_buf_t          *out;
    ai_chat_encode_t  *state;

    out = e->out;
    state = e->state;

    if (state->usage.source == AI_USAGE_NONE && e->usage != NULL) {
        state->usage = *e->usage;
    }

    if (e->req != NULL && e->req->include_usage) {
        ai_buf_raw(out, &state->head);
        ai_buf_lit(out, "],\"usage\":");
        ai_chat_answer_usage(out, &state->usage);
        ai_buf_lit(out, "}\n\n");
    }

    ai_buf_lit(out, AI_CHAT_EVENT "[DONE]\n\n");
}


/* the role is told once, in a chunk of its own */

static void
ai_chat_write_open(ai_encode_t *e, const ai_delta_t *d)
{
    ai_uint_t          n;
    ai_chat_encode_t  *state;

    state = e->state;

    n = d->choice < AI_ANSWER_CHOICES ? d->choice : AI_ANSWER_CHOICES - 1;

    if (state->choices[n].opened) {
        return;
    }

    state->choices[n].opened = 1;

    ai_chat_write_begin(e, d->choice);
    ai_buf_lit(e->out, "\"role\":\"assistant\",\"content\":\"\"");
    ai_chat_write_close(e, NULL, NULL);
}


static void
ai_chat_write_begin(ai_encode_t *e, ai_uint_t choice)
{
    ai_chat_encode_t  *state;

    state = e->state;

    ai_buf_raw(e->out, &state->head);
    ai_buf_lit(e->out, "{\"index\":");
    ai_buf_uint(e->out, choice);
    ai_buf_lit(e->out, ",\"delta\":{");
}


static void
ai_chat_write_close(ai_encode_t *e, const ai_str_t *logprobs,
    const char *finish)
{
    ai_buf_t  *out;

    out = e->out;

    if (logprobs != NULL) {
        ai_buf_lit(out, "},\"logprobs\":{\"content\":");
        ai_buf_json(out, logprobs);
        ai_buf_lit(out, ",\"refusal\":null}");

    } else {
        ai_buf_lit(out, "},\"logprobs\":null");
    }

    if (finish == NULL) {
        ai_buf_lit(out, ",\"finish_reason\":null}]");

    } else {
        ai_buf_lit(out, ",\"finish_reason\":\"");
        ai_buf_cstr(out, finish);
        ai_buf_lit(out, "\"}]");
    }

    if (e->req != NULL && e->req->include_usage) {
        ai_buf_lit(out, ",\"usage\":null}\n\n");

    } else {
        ai_buf_lit(out, "}\n\n");
    }
}


/* without "[DONE]", so that it does not look complete */

static ai_int_t
ai_chat_render_error(ai_encode_t *e, ai_error_doc_t *doc)
{
    ai_str_t  event;

    if (ai_dialect_openai.error_event(doc, AI_OP_CHAT, e->alloc, &event)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_raw(e->out, &event);

    return AI_OK;
}

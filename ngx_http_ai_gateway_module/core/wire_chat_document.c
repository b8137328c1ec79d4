
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A whole answer of chat/completions, and what documents and chunks have in
 * common.
 */


#include "wire_chat.h"


static void ai_chat_document_choice(ai_encode_t *e,
    const ai_answer_choice_t *choice, ai_uint_t index);
static void ai_chat_document_words(ai_buf_t *out,
    const ai_answer_choice_t *choice, ai_part_e type, const char *name);
static void ai_chat_document_thoughts(ai_buf_t *out,
    const ai_answer_choice_t *choice);
static void ai_chat_document_calls(ai_encode_t *e,
    const ai_answer_choice_t *choice);
static void ai_chat_document_call(ai_encode_t *e, const ai_part_t *call);
static void ai_chat_document_rest(ai_buf_t *out,
    const ai_answer_choice_t *choice);
static ai_uint_t ai_chat_has(const ai_answer_choice_t *choice,
    ai_part_e type);


ai_int_t
ai_chat_render_response(ai_encode_t *e, const ai_answer_t *a)
{
    ai_uint_t          i;
    const ai_usage_t  *usage;

    ai_buf_lit(e->out, "{");

    if (ai_chat_answer_head(e, e->out, "chat.completion", a->created,
                            &a->model)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_key(e->out, "choices");
    ai_buf_lit(e->out, "[");

    for (i = 0; i < a->nchoices; i++) {
        ai_chat_document_choice(e, &a->choices[i], i);
    }

    ai_buf_lit(e->out, "]");

    usage = &a->usage;

    if (usage->source == AI_USAGE_NONE && e->usage != NULL) {
        usage = e->usage;
    }

    ai_buf_key(e->out, "usage");
    ai_chat_answer_usage(e->out, usage);
    ai_buf_lit(e->out, "}");

    return AI_OK;
}


static void
ai_chat_document_choice(ai_encode_t *e, const ai_answer_choice_t *choice,
    ai_uint_t index)
{
    ai_buf_t  *out;

    out = e->out;

    ai_buf_comma(out);
    ai_buf_lit(out, "{\"index\":");
    ai_buf_uint(out, index);
    ai_buf_lit(out, ",\"message\":{\"role\":\"assistant\"");

    ai_chat_document_words(out, choice, AI_PART_TEXT, "content");
    ai_chat_document_words(out, choice, AI_PART_REFUSAL, "refusal");

    if (ai_chat_has(choice, AI_PART_REASONING)) {
        ai_chat_document_thoughts(out, choice);
    }

    if (ai_chat_has(choice, AI_PART_CALL)) {
        ai_chat_document_calls(e, choice);
    }

    ai_chat_document_rest(out, choice);

    ai_buf_lit(out, "},\"logprobs\":");

    if (choice->logprobs.len != 0) {
        ai_buf_lit(out, "{\"content\":");
        ai_buf_raw(out, &choice->logprobs);
        ai_buf_lit(out, ",\"refusal\":null}");

    } else {
        ai_buf_lit(out, "null");
    }

    ai_buf_lit(out, ",\"finish_reason\":\"");
    ai_buf_cstr(out, ai_chat_finish_name(e, choice->finish));
    ai_buf_lit(out, "\"}");
}


/* null where there are none, but an answer of nothing is an empty one */

static void
ai_chat_document_words(ai_buf_t *out, const ai_answer_choice_t *choice,
    ai_part_e type, const char *name)
{
    const ai_part_t  *part;

    ai_buf_key(out, name);

    if (!ai_chat_has(choice, type)
        && (type != AI_PART_TEXT || ai_chat_has(choice, AI_PART_CALL)
            || ai_chat_has(choice, AI_PART_REFUSAL)
            || ai_chat_has(choice, AI_PART_IMAGE)))
    {
        ai_buf_lit(out, "null");
        return;
    }

    ai_buf_lit(out, "\"");

    for (part = choice->parts; part != NULL; part = part->next) {

        if (part->type == type) {
            ai_buf_chars(out, &part->text);
        }
    }

    ai_buf_lit(out, "\"");
}


static void
ai_chat_document_thoughts(ai_buf_t *out, const ai_answer_choice_t *choice)
{
    ai_uint_t         n;
    const ai_part_t  *part;

    for (part = choice->parts; part != NULL; part = part->next) {

        if (part->type == AI_PART_REASONING && !ai_mstr_empty(&part->text)) {
            ai_chat_document_words(out, choice, AI_PART_REASONING,
                                   "reasoning_content");
            break;
        }
    }

    ai_buf_key(out, "reasoning_details");
    ai_buf_lit(out, "[");

    n = 0;

    for (part = choice->parts; part != NULL; part = part->next) {

        if (part->type != AI_PART_REASONING) {
            continue;
        }

        if (part->state_kind == AI_STATE_ANTHROPIC) {
            ai_chat_answer_state(out, n++, part->state_kind, &part->text,
                                 &part->state, &part->state_id);
            continue;
        }

        if (!ai_mstr_empty(&part->text)) {
            ai_chat_answer_thought(out, n++, &part->text);
        }

        if (part->state_kind != AI_STATE_NONE) {
            ai_chat_answer_state(out, n++, part->state_kind, NULL,
                                 &part->state, &part->state_id);
        }
    }

    ai_buf_lit(out, "]");
}


static void
ai_chat_document_calls(ai_encode_t *e, const ai_answer_choice_t *choice)
{
    ai_buf_t         *out;
    const ai_part_t  *part;

    out = e->out;

    if (e->req == NULL || !e->req->functions) {
        ai_buf_key(out, "tool_calls");
        ai_buf_lit(out, "[");

        for (part = choice->parts; part != NULL; part = part->next) {

            if (part->type == AI_PART_CALL) {
                ai_chat_document_call(e, part);
            }
        }

        ai_buf_lit(out, "]");

        return;
    }

    /* the form of 2023, of one call */

    for (part = choice->parts; part->type != AI_PART_CALL; /* void */ ) {
        part = part->next;
    }

    ai_buf_key(out, "function_call");
    ai_buf_lit(out, "{\"name\":");
    ai_buf_string(out, &part->name);
    ai_buf_lit(out, ",\"arguments\":");
    ai_buf_string(out, &part->args);
    ai_buf_lit(out, "}");
}


static void
ai_chat_document_call(ai_encode_t *e, const ai_part_t *call)
{
    ai_buf_t  *out;

    out = e->out;

    ai_buf_comma(out);
    ai_buf_lit(out, "{\"id\":");
    ai_buf_string(out, &call->id);

    if (call->state_kind == AI_STATE_GOOGLE) {
        ai_chat_answer_signature(out, &call->state);
    }

    if (call->custom) {
        ai_buf_lit(out, ",\"type\":\"custom\",\"custom\":{\"name\":");
        ai_buf_string(out, &call->name);
        ai_buf_lit(out, ",\"input\":");

    } else {
        ai_buf_lit(out, ",\"type\":\"function\",\"function\":{\"name\":");
        ai_buf_string(out, &call->name);
        ai_buf_lit(out, ",\"arguments\":");
    }

    ai_buf_string(out, &call->args);
    ai_buf_lit(out, "}}");
}


static void
ai_chat_document_rest(ai_buf_t *out, const ai_answer_choice_t *choice)
{
    ai_uint_t             n;
    const ai_part_t      *part;
    const ai_citation_t  *cite;

    if (choice->citations != NULL) {
        ai_buf_key(out, "annotations");
        ai_buf_lit(out, "[");

        for (cite = choice->citations; cite != NULL; cite = cite->next) {
            ai_buf_comma(out);
            ai_chat_answer_citation(out, &cite->url, &cite->title,
                                    &cite->text, cite->from, cite->to);
        }

        ai_buf_lit(out, "]");
    }

    if (!ai_chat_has(choice, AI_PART_IMAGE)) {
        return;
    }

    ai_buf_key(out, "images");
    ai_buf_lit(out, "[");

    n = 0;

    for (part = choice->parts; part != NULL; part = part->next) {

        if (part->type == AI_PART_IMAGE) {
            ai_buf_comma(out);
            ai_chat_answer_image(out, n++, &part->media_type, &part->data,
                                 &part->url);
        }
    }

    ai_buf_lit(out, "]");
}


static ai_uint_t
ai_chat_has(const ai_answer_choice_t *choice, ai_part_e type)
{
    const ai_part_t  *part;

    for (part = choice->parts; part != NULL; part = part->next) {

        if (part->type == type) {
            return 1;
        }
    }

    return 0;
}


void
ai_chat_answer_thought(ai_buf_t *out, ai_uint_t index, const ai_mstr_t *text)
{
    ai_buf_comma(out);
    ai_buf_lit(out, "{\"type\":\"reasoning.text\",\"text\":");
    ai_buf_string(out, text);
    ai_buf_key_uint(out, "index", index);
    ai_buf_lit(out, "}");
}


void
ai_chat_answer_state(ai_buf_t *out, ai_uint_t index, ai_state_e kind,
    const ai_mstr_t *text, const ai_mstr_t *state, const ai_mstr_t *id)
{
    ai_buf_comma(out);

    if (kind == AI_STATE_ANTHROPIC) {
        ai_buf_lit(out, "{\"type\":\"reasoning.text\"");

        if (text != NULL) {
            ai_buf_key(out, "text");
            ai_buf_string(out, text);
        }

        ai_buf_key(out, "signature");

    } else {
        ai_buf_lit(out, "{\"type\":\"reasoning.encrypted\"");
        ai_buf_key_string(out, "id", id);
        ai_buf_key(out, "data");
    }

    ai_buf_string(out, state);

    ai_buf_key(out, "format");
    ai_buf_quote_cstr(out, ai_chat_state_format(kind));
    ai_buf_key_uint(out, "index", index);
    ai_buf_lit(out, "}");
}


void
ai_chat_answer_signature(ai_buf_t *out, const ai_mstr_t *state)
{
    ai_buf_key(out, "extra_content");
    ai_buf_lit(out, "{\"google\":{\"thought_signature\":");
    ai_buf_string(out, state);
    ai_buf_lit(out, "}}");
}


void
ai_chat_answer_image(ai_buf_t *out, ai_uint_t index,
    const ai_mstr_t *media_type, const ai_mstr_t *data, const ai_mstr_t *url)
{
    ai_buf_lit(out, "{\"type\":\"image_url\",\"index\":");
    ai_buf_uint(out, index);
    ai_buf_lit(out, ",\"image_url\":{\"url\":");

    if (ai_mstr_empty(data)) {
        ai_buf_string(out, url);

    } else {
        ai_buf_lit(out, "\"data:");
        ai_buf_chars(out, media_type);
        ai_buf_lit(out, ";base64,");
        ai_buf_chars(out, data);
        ai_buf_lit(out, "\"");
    }

    ai_buf_lit(out, "}}");
}


void
ai_chat_answer_citation(ai_buf_t *out, const ai_mstr_t *url,
    const ai_mstr_t *title, const ai_mstr_t *text, uint64_t from, uint64_t to)
{
    ai_buf_lit(out, "{\"type\":\"url_citation\",\"url_citation\":{\"url\":");
    ai_buf_string(out, url);
    ai_buf_lit(out, ",\"title\":");
    ai_buf_string(out, title);
    ai_buf_key_uint(out, "start_index", from);
    ai_buf_key_uint(out, "end_index", to);
    ai_buf_key_string(out, "content", text);
    ai_buf_lit(out, "}}");
}


/* what was cached is part of the prompt, once */

void
ai_chat_answer_usage(ai_buf_t *out, const ai_usage_t *u)
{
    ai_buf_lit(out, "{\"prompt_tokens\":");
    ai_buf_uint(out, ai_usage_input(u));
    ai_buf_lit(out, ",\"completion_tokens\":");
    ai_buf_uint(out, u->output);
    ai_buf_lit(out, ",\"total_tokens\":");
    ai_buf_uint(out, ai_usage_input(u) + u->output);
    ai_buf_lit(out, ",\"prompt_tokens_details\":{\"cached_tokens\":");
    ai_buf_uint(out, u->cached);
    ai_buf_lit(out, ",\"cache_write_tokens\":");
    ai_buf_uint(out, u->cache_write);
    ai_buf_lit(out, "},\"completion_tokens_details\":{\"reasoning_tokens\":");
    ai_buf_uint(out, u->reasoning);
    ai_buf_lit(out, "}}");
}

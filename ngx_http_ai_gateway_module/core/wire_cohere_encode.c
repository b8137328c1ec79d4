
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * An answer as clients of Cohere read it.  There is no slot for the opaque
 * state of reasoning: it is left out.
 */


#include "wire_cohere.h"


static ai_int_t ai_cohere_start(ai_encode_t *e, const ai_delta_t *delta);
static void ai_cohere_text(ai_encode_t *e, ai_cohere_block_e block,
    const ai_mstr_t *text);
static void ai_cohere_open(ai_encode_t *e, ai_cohere_block_e block);
static void ai_cohere_close(ai_encode_t *e);
static void ai_cohere_call(ai_encode_t *e, const ai_delta_t *delta);
static void ai_cohere_args(ai_encode_t *e, const ai_delta_t *delta);
static void ai_cohere_citation_event(ai_encode_t *e,
    const ai_delta_t *delta);
static ai_int_t ai_cohere_logprobs_events(ai_encode_t *e,
    const ai_delta_t *delta);
static void ai_cohere_end(ai_encode_t *e);
static void ai_cohere_begin(ai_buf_t *b, const char *type);
static void ai_cohere_index(ai_buf_t *b, ai_uint_t n);
static void ai_cohere_stop(ai_buf_t *b);
static ai_int_t ai_cohere_id(ai_encode_t *e, const ai_mstr_t *id,
    ai_mstr_t *out);
static void ai_cohere_content(ai_buf_t *b, const ai_part_t *part);
static void ai_cohere_calls(ai_buf_t *b, const ai_part_t *part);
static void ai_cohere_citations(ai_buf_t *b, const ai_citation_t *citation);
static void ai_cohere_citation(ai_buf_t *b, const ai_citation_t *citation);
static void ai_cohere_logprob(ai_buf_t *b, const ai_json_t *item);
static void ai_cohere_finish_members(ai_buf_t *b, ai_finish_e finish,
    const ai_usage_t *usage);
static ai_int_t ai_cohere_scan(ai_encode_t *e, const ai_str_t *raw,
    ai_json_t *array);


ai_int_t
ai_cohere_render_event(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_cohere_encode_t  *state;

    state = e->state;

    /* no client can ask for a second choice */

    if (delta->choice != 0) {
        return AI_OK;
    }

    switch (delta->type) {

    case AI_DELTA_START:
        return ai_cohere_start(e, delta);

    case AI_DELTA_TEXT:
    case AI_DELTA_REFUSAL:
        ai_cohere_text(e, AI_COHERE_TEXT, &delta->text);
        break;

    case AI_DELTA_REASONING:
        ai_cohere_text(e, AI_COHERE_THINKING, &delta->text);
        break;

    case AI_DELTA_STATE:
        if (state->block == AI_COHERE_THINKING) {
            ai_cohere_close(e);
        }

        break;

    case AI_DELTA_CALL:
        ai_cohere_call(e, delta);
        break;

    case AI_DELTA_ARGS:
        ai_cohere_args(e, delta);
        break;

    case AI_DELTA_CALL_END:
        ai_cohere_begin(e->out, "tool-call-end");
        ai_cohere_index(e->out, delta->call);
        ai_cohere_stop(e->out);
        break;

    case AI_DELTA_CITATION:
        ai_cohere_citation_event(e, delta);
        break;

    case AI_DELTA_LOGPROBS:
        return ai_cohere_logprobs_events(e, delta);

    case AI_DELTA_FINISH:
        state->finish = delta->finish;
        break;

    case AI_DELTA_END:
        ai_cohere_end(e);
        break;

    default:

        /* an image has no place in an answer; usage is in e */

        break;
    }

    return AI_OK;
}


static ai_int_t
ai_cohere_start(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_mstr_t  id;

    if (ai_cohere_id(e, &delta->id, &id) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(e->out, "event: message-start\ndata: {\"id\":");
    ai_buf_string(e->out, &id);
    ai_buf_lit(e->out, ",\"type\":\"message-start\",\"delta\":{\"message\":{"
               "\"role\":\"assistant\",\"content\":[],\"tool_plan\":\"\","
               "\"tool_calls\":[],\"citations\":[]}}}\n\n");

    return AI_OK;
}


static void
ai_cohere_text(ai_encode_t *e, ai_cohere_block_e block,
    const ai_mstr_t *text)
{
    ai_cohere_encode_t  *state;

    state = e->state;

    ai_cohere_open(e, block);

    ai_cohere_begin(e->out, "content-delta");
    ai_cohere_index(e->out, state->nblocks - 1);
    ai_buf_cstr(e->out, ",\"delta\":{\"message\":{\"content\":{");
    ai_buf_key(e->out, (block == AI_COHERE_TEXT) ? "text" : "thinking");
    ai_buf_string(e->out, text);
    ai_buf_lit(e->out, "}}}");
    ai_cohere_stop(e->out);
}


static void
ai_cohere_open(ai_encode_t *e, ai_cohere_block_e block)
{
    ai_cohere_encode_t  *state;

    state = e->state;

    if (state->block == block) {
        return;
    }

    ai_cohere_close(e);

    ai_cohere_begin(e->out, "content-start");
    ai_cohere_index(e->out, state->nblocks);

    if (block == AI_COHERE_TEXT) {
        ai_buf_lit(e->out, ",\"delta\":{\"message\":{\"content\":"
                   "{\"type\":\"text\",\"text\":\"\"}}}");

    } else {
        ai_buf_lit(e->out, ",\"delta\":{\"message\":{\"content\":"
                   "{\"type\":\"thinking\",\"thinking\":\"\"}}}");
    }

    ai_cohere_stop(e->out);

    state->block = block;
    state->nblocks++;
}


static void
ai_cohere_close(ai_encode_t *e)
{
    ai_cohere_encode_t  *state;

    state = e->state;

    if (state->block == AI_COHERE_NONE) {
        return;
    }

    ai_cohere_begin(e->out, "content-end");
    ai_cohere_index(e->out, state->nblocks - 1);
    ai_cohere_stop(e->out);

    state->block = AI_COHERE_NONE;
}


static void
ai_cohere_call(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_cohere_close(e);

    ai_cohere_begin(e->out, "tool-call-start");
    ai_cohere_index(e->out, delta->call);
    ai_buf_lit(e->out, ",\"delta\":{\"message\":{\"tool_calls\":{\"id\":");
    ai_buf_string(e->out, &delta->id);
    ai_buf_lit(e->out, ",\"type\":\"function\",\"function\":{\"name\":");
    ai_buf_string(e->out, &delta->name);
    ai_buf_lit(e->out, ",\"arguments\":\"\"}}}}");
    ai_cohere_stop(e->out);
}


static void
ai_cohere_args(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_cohere_begin(e->out, "tool-call-delta");
    ai_cohere_index(e->out, delta->call);
    ai_buf_lit(e->out, ",\"delta\":{\"message\":{\"tool_calls\":"
               "{\"function\":{\"arguments\":");
    ai_buf_string(e->out, &delta->text);
    ai_buf_lit(e->out, "}}}}");
    ai_cohere_stop(e->out);
}


static void
ai_cohere_citation_event(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_citation_t        citation;
    ai_cohere_encode_t  *state;

    state = e->state;

    citation.url = delta->url;
    citation.title = delta->name;
    citation.text = delta->text;
    citation.from = delta->from;
    citation.to = delta->to;

    ai_cohere_begin(e->out, "citation-start");
    ai_cohere_index(e->out, state->ncitations);
    ai_buf_lit(e->out, ",\"delta\":{\"message\":{\"citations\":");
    ai_cohere_citation(e->out, &citation);
    ai_buf_lit(e->out, "}}");
    ai_cohere_stop(e->out);

    ai_cohere_begin(e->out, "citation-end");
    ai_cohere_index(e->out, state->ncitations++);
    ai_cohere_stop(e->out);
}


/* each token of text by an event of its own, that adds nothing to the text */

static ai_int_t
ai_cohere_logprobs_events(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_json_t            array, item;
    ai_json_iter_t       it;
    ai_cohere_encode_t  *state;

    state = e->state;

    if (ai_cohere_scan(e, &delta->raw, &array) != AI_OK) {
        return AI_ERROR;
    }

    ai_json_iter_init(&it, &array);

    while (state->block == AI_COHERE_TEXT
           && ai_json_next(&it, NULL, &item) == AI_OK)
    {
        ai_cohere_begin(e->out, "content-delta");
        ai_cohere_index(e->out, state->nblocks - 1);
        ai_buf_lit(e->out, ",\"delta\":{\"message\":{\"content\":"
                   "{\"text\":\"\"}}},\"logprobs\":");
        ai_cohere_logprob(e->out, &item);
        ai_cohere_stop(e->out);
    }

    return AI_OK;
}


static void
ai_cohere_end(ai_encode_t *e)
{
    ai_cohere_encode_t  *state;

    state = e->state;

    ai_cohere_close(e);

    ai_cohere_begin(e->out, "message-end");
    ai_buf_lit(e->out, ",\"delta\":{");
    ai_cohere_finish_members(e->out, state->finish, e->usage);
    ai_buf_lit(e->out, "}");
    ai_cohere_stop(e->out);

    ai_buf_lit(e->out, "data: [DONE]\n\n");
}


static void
ai_cohere_begin(ai_buf_t *b, const char *type)
{
    ai_buf_lit(b, "event: ");
    ai_buf_cstr(b, type);
    ai_buf_lit(b, "\ndata: {\"type\":\"");
    ai_buf_cstr(b, type);
    ai_buf_lit(b, "\"");
}


static void
ai_cohere_index(ai_buf_t *b, ai_uint_t n)
{
    ai_buf_lit(b, ",\"index\":");
    ai_buf_uint(b, n);
}


static void
ai_cohere_stop(ai_buf_t *b)
{
    ai_buf_lit(b, "}\n\n");
}


ai_int_t
ai_cohere_render_error(ai_encode_t *e, ai_error_doc_t *doc)
{
    ai_str_t  event;

    if (ai_dialect_cohere.error_event(doc, e->op, e->alloc, &event)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_raw(e->out, &event);

    return AI_OK;
}


ai_int_t
ai_cohere_render_response(ai_encode_t *e, const ai_answer_t *a)
{
    ai_buf_t                  *b;
    ai_json_t                  array, item;
    ai_mstr_t                  id;
    ai_json_iter_t             it;
    const ai_answer_choice_t  *choice;

    b = e->out;
    choice = &a->choices[0];

    if (ai_cohere_id(e, &a->id, &id) != AI_OK
        || ai_cohere_scan(e, &choice->logprobs, &array) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_lit(b, "{\"id\":");
    ai_buf_string(b, &id);
    ai_buf_lit(b, ",\"message\":{\"role\":\"assistant\"");

    ai_cohere_content(b, choice->parts);
    ai_cohere_calls(b, choice->parts);
    ai_cohere_citations(b, choice->citations);

    ai_buf_lit(b, "},");
    ai_cohere_finish_members(b, choice->finish, &a->usage);

    if (array.type == AI_JSON_ARRAY) {
        ai_buf_lit(b, ",\"logprobs\":[");
        ai_json_iter_init(&it, &array);

        while (ai_json_next(&it, NULL, &item) == AI_OK) {
            ai_buf_comma(b);
            ai_cohere_logprob(b, &item);
        }

        ai_buf_lit(b, "]");
    }

    ai_buf_lit(b, "}");

    return AI_OK;
}


static ai_int_t
ai_cohere_id(ai_encode_t *e, const ai_mstr_t *id, ai_mstr_t *out)
{
    if (!ai_mstr_empty(id)) {
        *out = *id;
        return AI_OK;
    }

    return ai_encode_id(e, "msg_", 0, out);
}


static void
ai_cohere_content(ai_buf_t *b, const ai_part_t *part)
{
    ai_uint_t  n;

    n = 0;

    for ( /* void */ ; part != NULL; part = part->next) {

        if (ai_mstr_empty(&part->text)
            || (part->type != AI_PART_TEXT && part->type != AI_PART_REFUSAL
                && part->type != AI_PART_REASONING))
        {
            continue;
        }

        ai_buf_cstr(b, n++ ? "," : ",\"content\":[");

        if (part->type == AI_PART_REASONING) {
            ai_buf_lit(b, "{\"type\":\"thinking\",\"thinking\":");

        } else {
            ai_buf_lit(b, "{\"type\":\"text\",\"text\":");
        }

        ai_buf_string(b, &part->text);
        ai_buf_lit(b, "}");
    }

    if (n != 0) {
        ai_buf_lit(b, "]");
    }
}


static void
ai_cohere_calls(ai_buf_t *b, const ai_part_t *part)
{
    ai_uint_t  n;

    n = 0;

    for ( /* void */ ; part != NULL; part = part->next) {

        if (part->type != AI_PART_CALL) {
            continue;
        }

        ai_buf_cstr(b, n++ ? "," : ",\"tool_calls\":[");

        ai_buf_lit(b, "{\"id\":");
        ai_buf_string(b, &part->id);
        ai_buf_lit(b, ",\"type\":\"function\",\"function\":{\"name\":");
        ai_buf_string(b, &part->name);
        ai_buf_lit(b, ",\"arguments\":");
        ai_buf_string(b, &part->args);
        ai_buf_lit(b, "}}");
    }

    if (n != 0) {
        ai_buf_lit(b, "]");
    }
}


static void
ai_cohere_citations(ai_buf_t *b, const ai_citation_t *citation)
{
    if (citation == NULL) {
        return;
    }

    ai_buf_lit(b, ",\"citations\":[");

    for ( /* void */ ; citation != NULL; citation = citation->next) {
        ai_buf_comma(b);
        ai_cohere_citation(b, citation);
    }

    ai_buf_lit(b, "]");
}


static void
ai_cohere_citation(ai_buf_t *b, const ai_citation_t *citation)
{
    const ai_mstr_t  *id;

    id = ai_mstr_empty(&citation->url) ? &citation->title : &citation->url;

    ai_buf_lit(b, "{\"start\":");
    ai_buf_uint(b, citation->from);
    ai_buf_lit(b, ",\"end\":");
    ai_buf_uint(b, citation->to);
    ai_buf_lit(b, ",\"text\":");
    ai_buf_string(b, &citation->text);
    ai_buf_lit(b, ",\"sources\":[{\"type\":\"document\",\"id\":");
    ai_buf_string(b, id);
    ai_buf_lit(b, ",\"document\":{\"id\":");
    ai_buf_string(b, id);
    ai_buf_key_string(b, "title", &citation->title);
    ai_buf_key_string(b, "url", &citation->url);
    ai_buf_lit(b, "}}],\"type\":\"TEXT_CONTENT\"}");
}


/* nobody but Cohere numbers its tokens */

static void
ai_cohere_logprob(ai_buf_t *b, const ai_json_t *item)
{
    ai_json_t  token, logprob;
    ai_mstr_t  text;

    token = ai_wire_get(item, "token");

    text = ai_mstr(&token);

    ai_buf_lit(b, "{\"token_ids\":[],\"text\":");
    ai_buf_string(b, &text);
    ai_buf_lit(b, ",\"logprobs\":[");

    if (ai_json_get(item, "logprob", &logprob) == AI_OK) {
        ai_buf_put(b, logprob.start, (size_t) (logprob.end - logprob.start));
    }

    ai_buf_lit(b, "]}");
}


/* of both units the tokens are told, since nothing else is known */

static void
ai_cohere_finish_members(ai_buf_t *b, ai_finish_e finish,
    const ai_usage_t *usage)
{
    ai_buf_lit(b, "\"finish_reason\":\"");
    ai_buf_cstr(b, ai_cohere_finish_name(finish));
    ai_buf_lit(b, "\"");

    if (finish == AI_FINISH_FILTER) {
        ai_buf_lit(b, ",\"error\":\"the answer was stopped by a content "
                   "filter of the provider\"");
    }

    if (usage == NULL || usage->source == AI_USAGE_NONE) {
        return;
    }

    ai_buf_lit(b, ",\"usage\":{\"billed_units\":{\"input_tokens\":");
    ai_buf_uint(b, ai_usage_input(usage));
    ai_buf_lit(b, ",\"output_tokens\":");
    ai_buf_uint(b, usage->output);
    ai_buf_lit(b, "},\"tokens\":{\"input_tokens\":");
    ai_buf_uint(b, ai_usage_input(usage));
    ai_buf_lit(b, ",\"output_tokens\":");
    ai_buf_uint(b, usage->output);

    if (usage->reasoning != 0) {
        ai_buf_lit(b, ",\"reasoning_tokens\":");
        ai_buf_uint(b, usage->reasoning);
    }

    ai_buf_lit(b, "},\"cached_tokens\":");
    ai_buf_uint(b, usage->cached);
    ai_buf_lit(b, "}");
}


/* a raw array of the answer, which its decoder wrote; null if there is none */

static ai_int_t
ai_cohere_scan(ai_encode_t *e, const ai_str_t *raw, ai_json_t *array)
{
    ai_int_t         rc;
    ai_json_error_t  err;

    array->type = AI_JSON_NULL;

    if (raw->len == 0) {
        return AI_OK;
    }

    rc = ai_json_scan(raw->data, raw->len, NULL, e->alloc, NULL, NULL,
                      array, &err);

    if (rc == AI_DECLINED) {
        array->type = AI_JSON_NULL;
        rc = AI_OK;
    }

    return rc;
}

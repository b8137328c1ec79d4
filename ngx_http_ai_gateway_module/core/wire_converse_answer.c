
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Answers to a client that speaks Bedrock Converse, wire-formats.md 8.3: a
 * stream is of binary messages, which the official SDKs read.
 */


#include "ai_eventstream.h"
#include "wire_converse.h"


/* no clock is asked for how long a model took */

#define AI_CONVERSE_METRICS  "\"metrics\":{\"latencyMs\":0}"


static ai_int_t ai_converse_say(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_converse_think(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_converse_remember(ai_encode_t *e, ai_state_e kind,
    const ai_mstr_t *id, const ai_mstr_t *state);
static ai_int_t ai_converse_begin_call(ai_encode_t *e,
    const ai_delta_t *delta);
static ai_int_t ai_converse_show(ai_encode_t *e, const ai_delta_t *delta);
static void ai_converse_cite(ai_encode_t *e, const ai_delta_t *delta);
static void ai_converse_close(ai_encode_t *e);
static void ai_converse_finished(ai_encode_t *e, ai_finish_e finish);
static void ai_converse_total(ai_encode_t *e);
static size_t ai_converse_begin_delta(ai_encode_t *e);
static void ai_converse_end_delta(ai_encode_t *e, size_t begin);
static void ai_converse_index(ai_encode_t *e);
static ai_int_t ai_converse_block(ai_encode_t *e, const ai_part_t *part);
static ai_int_t ai_converse_block_state(ai_encode_t *e,
    const ai_part_t *part);
static ai_uint_t ai_converse_more(const ai_part_t *part);
static void ai_converse_block_text(ai_encode_t *e, const ai_part_t *part,
    const ai_citation_t *citation, uint64_t begin, uint64_t end);
static void ai_converse_block_image(ai_encode_t *e, const ai_part_t *part);
static void ai_converse_source(ai_buf_t *out, const ai_mstr_t *url,
    const ai_mstr_t *title, const ai_mstr_t *text);
static void ai_converse_usage(ai_buf_t *out, const ai_usage_t *usage);
static const char *ai_converse_stop(ai_finish_e finish);


const ai_wire_t  ai_wire_converse = {
    "application/vnd.amazon.eventstream",
    ai_converse_parse_request,
    ai_converse_render_request,
    ai_converse_parse_event,
    ai_converse_parse_end,
    ai_converse_parse_response,
    ai_converse_render_event,
    ai_converse_render_response,
    ai_converse_render_error,
    sizeof(ai_converse_decode_t),
    sizeof(ai_converse_encode_t)
};


ai_int_t
ai_converse_render_event(ai_encode_t *e, const ai_delta_t *delta)
{
    size_t                 begin;
    ai_converse_encode_t  *s;

    s = e->state;

    /* there is no slot for more than one answer */

    if (delta->choice != 0) {
        return AI_OK;
    }

    switch (delta->type) {

    case AI_DELTA_START:
        begin = ai_eventstream_begin(e->out, "messageStart", 0);
        ai_buf_lit(e->out, "{\"role\":\"assistant\"}");
        ai_eventstream_end(e->out, begin);
        return AI_OK;

    case AI_DELTA_TEXT:
    case AI_DELTA_REFUSAL:
        return ai_converse_say(e, delta);

    case AI_DELTA_REASONING:
        return ai_converse_think(e, delta);

    case AI_DELTA_STATE:
        return ai_converse_remember(e, delta->state_kind, &delta->state_id,
                                    &delta->state);

    case AI_DELTA_CALL:
        return ai_converse_begin_call(e, delta);

    case AI_DELTA_ARGS:
        begin = ai_converse_begin_delta(e);
        ai_buf_lit(e->out, "\"toolUse\":{\"input\":");
        ai_buf_string(e->out, &delta->text);
        ai_buf_lit(e->out, "}");
        ai_converse_end_delta(e, begin);
        return AI_OK;

    case AI_DELTA_IMAGE:
        return ai_converse_show(e, delta);

    case AI_DELTA_CITATION:
        ai_converse_cite(e, delta);
        return AI_OK;

    case AI_DELTA_CALL_END:
        ai_converse_close(e);
        return AI_OK;

    case AI_DELTA_FINISH:
        ai_converse_close(e);
        ai_converse_finished(e, delta->finish);
        return AI_OK;

    case AI_DELTA_USAGE:
        s->usage = delta->usage;
        return AI_OK;

    case AI_DELTA_END:
        ai_converse_total(e);
        return AI_OK;

    default:
        return AI_OK;
    }
}


static ai_int_t
ai_converse_say(ai_encode_t *e, const ai_delta_t *delta)
{
    size_t                 begin;
    ai_converse_encode_t  *s;

    s = e->state;

    if (s->block != AI_CONVERSE_TEXT) {
        ai_converse_close(e);
        s->block = AI_CONVERSE_TEXT;
    }

    begin = ai_converse_begin_delta(e);
    ai_buf_key(e->out, "text");
    ai_buf_string(e->out, &delta->text);
    ai_converse_end_delta(e, begin);

    return AI_OK;
}


static ai_int_t
ai_converse_think(ai_encode_t *e, const ai_delta_t *delta)
{
    size_t                 begin;
    ai_converse_encode_t  *s;

    s = e->state;

    if (s->block != AI_CONVERSE_REASONING) {
        ai_converse_close(e);
        s->block = AI_CONVERSE_REASONING;
    }

    begin = ai_converse_begin_delta(e);
    ai_buf_lit(e->out, "\"reasoningContent\":{\"text\":");
    ai_buf_string(e->out, &delta->text);
    ai_buf_lit(e->out, "}");
    ai_converse_end_delta(e, begin);

    return AI_OK;
}


/*
 * A signature ends the reasoning it is of.  Without one before it, it gets
 * empty words: the SDKs do not send back a signature that has none.
 */

static ai_int_t
ai_converse_remember(ai_encode_t *e, ai_state_e kind, const ai_mstr_t *id,
    const ai_mstr_t *state)
{
    size_t                 begin;
    ai_int_t               rc;
    ai_mstr_t              slot;
    ai_delta_t             empty;
    ai_converse_encode_t  *s;

    s = e->state;
    rc = AI_OK;

    if (kind == AI_STATE_NONE) {
        return AI_OK;
    }

    if (kind == AI_STATE_REDACTED) {
        ai_converse_close(e);
        s->block = AI_CONVERSE_REASONING;

        begin = ai_converse_begin_delta(e);
        ai_buf_lit(e->out, "\"reasoningContent\":{\"redactedContent\":");
        rc = ai_converse_redacted(e->out, state, e->alloc);

    } else {

        if (s->block != AI_CONVERSE_REASONING) {
            ai_delta_init(&empty, AI_DELTA_REASONING);
            (void) ai_converse_think(e, &empty);
        }

        slot = *state;

        if (kind != AI_STATE_ANTHROPIC) {
            rc = ai_state_pack(kind, id, state, e->alloc, &slot);
        }

        begin = ai_converse_begin_delta(e);
        ai_buf_lit(e->out, "\"reasoningContent\":{\"signature\":");
        ai_buf_string(e->out, &slot);
    }

    ai_buf_lit(e->out, "}");
    ai_converse_end_delta(e, begin);

    s->sealed = 1;
    ai_converse_close(e);

    return rc;
}


/* the state of a call has its slot in a reasoning before it */

static ai_int_t
ai_converse_begin_call(ai_encode_t *e, const ai_delta_t *delta)
{
    size_t                 begin;
    ai_converse_encode_t  *s;

    s = e->state;

    if (ai_converse_remember(e, delta->state_kind, &delta->state_id,
                             &delta->state)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_converse_close(e);
    s->block = AI_CONVERSE_CALL;

    begin = ai_eventstream_begin(e->out, "contentBlockStart", 0);
    ai_converse_index(e);
    ai_buf_lit(e->out, ",\"start\":{\"toolUse\":{\"toolUseId\":");
    ai_buf_string(e->out, &delta->id);
    ai_buf_key(e->out, "name");
    ai_buf_string(e->out, &delta->name);
    ai_buf_lit(e->out, "}}}");
    ai_eventstream_end(e->out, begin);

    return AI_OK;
}


static ai_int_t
ai_converse_show(ai_encode_t *e, const ai_delta_t *delta)
{
    size_t                 begin;
    const char            *format;
    ai_converse_encode_t  *s;

    s = e->state;
    ai_converse_close(e);
    s->block = AI_CONVERSE_OTHER;

    format = ai_converse_format(AI_PART_IMAGE, &delta->media_type);

    begin = ai_eventstream_begin(e->out, "contentBlockStart", 0);
    ai_converse_index(e);
    ai_buf_lit(e->out, ",\"start\":{\"image\":{\"format\":");
    ai_buf_quote_cstr(e->out, format != NULL ? format : "png");
    ai_buf_lit(e->out, "}}}");
    ai_eventstream_end(e->out, begin);

    begin = ai_converse_begin_delta(e);
    ai_buf_lit(e->out, "\"image\":{\"source\":{\"bytes\":");
    ai_buf_string(e->out, &delta->text);
    ai_buf_lit(e->out, "}}");
    ai_converse_end_delta(e, begin);
    ai_converse_close(e);

    return AI_OK;
}


static void
ai_converse_cite(ai_encode_t *e, const ai_delta_t *delta)
{
    size_t                 begin;
    ai_converse_encode_t  *s;

    s = e->state;

    /* behind its text, or in a block of its own */

    if (s->block != AI_CONVERSE_TEXT && s->block != AI_CONVERSE_OTHER) {
        ai_converse_close(e);
        s->block = AI_CONVERSE_OTHER;
    }

    begin = ai_converse_begin_delta(e);
    ai_buf_key(e->out, "citation");
    ai_converse_source(e->out, &delta->url, &delta->name, &delta->text);
    ai_converse_end_delta(e, begin);
}


static void
ai_converse_close(ai_encode_t *e)
{
    size_t                 begin;
    ai_converse_encode_t  *s;

    s = e->state;

    if (s->block == AI_CONVERSE_NONE) {
        return;
    }

    /* Bedrock takes no reasoning back that nobody has signed */

    if (s->block == AI_CONVERSE_REASONING && !s->sealed) {
        begin = ai_converse_begin_delta(e);
        ai_buf_lit(e->out, "\"reasoningContent\":{\"signature\":\""
                           AI_STATE_UNSIGNED "\"}");
        ai_converse_end_delta(e, begin);
    }

    s->sealed = 0;

    begin = ai_eventstream_begin(e->out, "contentBlockStop", 0);
    ai_converse_index(e);
    ai_buf_lit(e->out, "}");
    ai_eventstream_end(e->out, begin);

    s->block = AI_CONVERSE_NONE;
    s->index++;
}


static void
ai_converse_finished(ai_encode_t *e, ai_finish_e finish)
{
    size_t  begin;

    begin = ai_eventstream_begin(e->out, "messageStop", 0);
    ai_buf_lit(e->out, "{\"stopReason\":");
    ai_buf_quote_cstr(e->out, ai_converse_stop(finish));
    ai_buf_lit(e->out, "}");
    ai_eventstream_end(e->out, begin);
}


/* always the last one: there is no other mark of the end */

static void
ai_converse_total(ai_encode_t *e)
{
    size_t                 begin;
    ai_converse_encode_t  *s;

    s = e->state;

    begin = ai_eventstream_begin(e->out, "metadata", 0);
    ai_buf_lit(e->out, "{");
    ai_converse_usage(e->out, &s->usage);
    ai_buf_lit(e->out, "," AI_CONVERSE_METRICS "}");
    ai_eventstream_end(e->out, begin);
}


static size_t
ai_converse_begin_delta(ai_encode_t *e)
{
    size_t  begin;

    begin = ai_eventstream_begin(e->out, "contentBlockDelta", 0);
    ai_converse_index(e);
    ai_buf_lit(e->out, ",\"delta\":{");

    return begin;
}


static void
ai_converse_end_delta(ai_encode_t *e, size_t begin)
{
    ai_buf_lit(e->out, "}}");
    ai_eventstream_end(e->out, begin);
}


static void
ai_converse_index(ai_encode_t *e)
{
    ai_converse_encode_t  *s;

    s = e->state;

    ai_buf_lit(e->out, "{\"contentBlockIndex\":");
    ai_buf_uint(e->out, s->index);
}


ai_int_t
ai_converse_render_response(ai_encode_t *e, const ai_answer_t *a)
{
    uint64_t                   begin, end;
    ai_part_t                 *part;
    const ai_answer_choice_t  *choice;

    choice = &a->choices[0];
    part = a->nchoices != 0 ? choice->parts : NULL;
    begin = 0;

    ai_buf_lit(e->out, "{\"output\":{\"message\":{\"role\":\"assistant\","
                       "\"content\":[");

    for ( /* void */ ; part != NULL; part = part->next) {

        if (part->type == AI_PART_TEXT && choice->citations != NULL) {
            end = begin + ai_converse_chars(&part->text);
            ai_converse_block_text(e, part, choice->citations, begin,
                                   ai_converse_more(part) ? end : UINT64_MAX);
            begin = end;

        } else if (ai_converse_block(e, part) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_buf_lit(e->out, "]}},\"stopReason\":");
    ai_buf_quote_cstr(e->out, ai_converse_stop(a->nchoices != 0
                                               ? choice->finish
                                               : AI_FINISH_STOP));
    ai_converse_usage(e->out, &a->usage);
    ai_buf_lit(e->out, "," AI_CONVERSE_METRICS "}");

    return AI_OK;
}


static ai_int_t
ai_converse_block(ai_encode_t *e, const ai_part_t *part)
{
    ai_str_t   input;
    ai_buf_t  *out;

    out = e->out;

    if (part->state_kind != AI_STATE_NONE
        && ai_converse_block_state(e, part) != AI_OK)
    {
        return AI_ERROR;
    }

    switch (part->type) {

    case AI_PART_TEXT:
    case AI_PART_REFUSAL:
        ai_buf_comma(out);
        ai_buf_lit(out, "{\"text\":");
        ai_buf_string(out, &part->text);
        ai_buf_lit(out, "}");
        return AI_OK;

    case AI_PART_REASONING:

        if (part->state_kind == AI_STATE_NONE) {
            ai_buf_comma(out);
            ai_buf_lit(out, "{\"reasoningContent\":{\"reasoningText\":"
                            "{\"text\":");
            ai_buf_string(out, &part->text);
            ai_buf_lit(out, ",\"signature\":\"" AI_STATE_UNSIGNED "\"}}}");
        }

        return AI_OK;

    case AI_PART_CALL:

        if (ai_part_object(part, e->alloc, &input) != AI_OK) {
            return AI_ERROR;
        }

        ai_buf_comma(out);
        ai_buf_lit(out, "{\"toolUse\":{\"toolUseId\":");
        ai_buf_string(out, &part->id);
        ai_buf_key(out, "name");
        ai_buf_string(out, &part->name);
        ai_buf_key_raw(out, "input", &input);
        ai_buf_lit(out, "}}");
        return AI_OK;

    case AI_PART_IMAGE:
        ai_converse_block_image(e, part);
        return AI_OK;

    default:
        return AI_OK;
    }
}


/* of a reasoning, with its words, or in front of a call */

static ai_int_t
ai_converse_block_state(ai_encode_t *e, const ai_part_t *part)
{
    ai_buf_t   *out;
    ai_mstr_t   slot;

    out = e->out;
    slot = part->state;

    ai_buf_comma(out);
    ai_buf_lit(out, "{\"reasoningContent\":{");

    if (part->state_kind == AI_STATE_REDACTED) {
        ai_buf_key(out, "redactedContent");

        if (ai_converse_redacted(out, &part->state, e->alloc) != AI_OK) {
            return AI_ERROR;
        }

        ai_buf_lit(out, "}}");

        return AI_OK;
    }

    if (part->state_kind != AI_STATE_ANTHROPIC
        && ai_state_pack(part->state_kind, &part->state_id, &part->state,
                         e->alloc, &slot)
           != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_lit(out, "\"reasoningText\":{\"text\":");
    ai_buf_string(out, &part->text);
    ai_buf_key(out, "signature");
    ai_buf_string(out, &slot);
    ai_buf_lit(out, "}}}");

    return AI_OK;
}


/* whether there is text behind it */

static ai_uint_t
ai_converse_more(const ai_part_t *part)
{
    for (part = part->next; part != NULL; part = part->next) {
        if (part->type == AI_PART_TEXT) {
            return 1;
        }
    }

    return 0;
}


/*
 * With the citations that begin in it, which are told by their place in the
 * text of the whole answer; those that tell none go with the first text.
 */

static void
ai_converse_block_text(ai_encode_t *e, const ai_part_t *part,
    const ai_citation_t *citation, uint64_t begin, uint64_t end)
{
    ai_buf_t   *out;
    ai_uint_t   cited;

    out = e->out;
    cited = 0;

    for ( /* void */ ; citation != NULL; citation = citation->next) {

        if (citation->from < begin
            || (citation->from >= end && citation->from != begin))
        {
            continue;
        }

        ai_buf_comma(out);

        if (!cited) {
            cited = 1;
            ai_buf_lit(out, "{\"citationsContent\":{\"content\":[{\"text\":");
            ai_buf_string(out, &part->text);
            ai_buf_lit(out, "}],\"citations\":[");
        }

        ai_converse_source(out, &citation->url, &citation->title,
                           &citation->text);
    }

    if (cited) {
        ai_buf_lit(out, "]}}");
        return;
    }

    (void) ai_converse_block(e, part);
}


static void
ai_converse_block_image(ai_encode_t *e, const ai_part_t *part)
{
    ai_buf_t    *out;
    const char  *format;

    if (ai_mstr_empty(&part->data)) {
        return;
    }

    out = e->out;
    format = ai_converse_format(AI_PART_IMAGE, &part->media_type);

    ai_buf_comma(out);
    ai_buf_lit(out, "{\"image\":{\"format\":");
    ai_buf_quote_cstr(out, format != NULL ? format : "png");
    ai_buf_lit(out, ",\"source\":{\"bytes\":");
    ai_buf_string(out, &part->data);
    ai_buf_lit(out, "}}}");
}


static void
ai_converse_source(ai_buf_t *out, const ai_mstr_t *url,
    const ai_mstr_t *title, const ai_mstr_t *text)
{
    ai_buf_lit(out, "{");
    ai_buf_key_string(out, "title", title);

    if (!ai_mstr_empty(text)) {
        ai_buf_key(out, "sourceContent");
        ai_buf_lit(out, "[{\"text\":");
        ai_buf_string(out, text);
        ai_buf_lit(out, "}]");
    }

    if (!ai_mstr_empty(url)) {
        ai_buf_key(out, "location");
        ai_buf_lit(out, "{\"web\":{\"url\":");
        ai_buf_string(out, url);
        ai_buf_lit(out, "}}");
    }

    ai_buf_lit(out, "}");
}


static void
ai_converse_usage(ai_buf_t *out, const ai_usage_t *usage)
{
    ai_buf_key(out, "usage");
    ai_buf_lit(out, "{");
    ai_buf_key_uint(out, "inputTokens", usage->uncached);
    ai_buf_key_uint(out, "outputTokens", usage->output);
    ai_buf_key_uint(out, "totalTokens",
                    ai_usage_input(usage) + usage->output);
    ai_buf_key_uint(out, "cacheReadInputTokens", usage->cached);
    ai_buf_key_uint(out, "cacheWriteInputTokens", usage->cache_write);
    ai_buf_lit(out, "}");
}


static const char *
ai_converse_stop(ai_finish_e finish)
{
    switch (finish) {

    case AI_FINISH_SEQUENCE:
        return "stop_sequence";

    case AI_FINISH_LENGTH:
        return "max_tokens";

    case AI_FINISH_CONTEXT:
        return "model_context_window_exceeded";

    case AI_FINISH_TOOLS:
        return "tool_use";

    case AI_FINISH_FILTER:
        return "content_filtered";

    case AI_FINISH_BROKEN:
        return "malformed_model_output";

    default:
        return "end_turn";
    }
}


ai_int_t
ai_converse_render_error(ai_encode_t *e, ai_error_doc_t *doc)
{
    ai_converse_exception(e->out, doc);

    return AI_OK;
}


/*
 * The kinds of exceptions that a stream may end with are few; that of the
 * model tells the status as well.
 */

void
ai_converse_exception(ai_buf_t *out, ai_error_doc_t *doc)
{
    size_t       begin;
    ai_uint_t    status;
    const char  *type, *message;

    status = ai_error_status(doc);

    if (status == 429) {
        type = "throttlingException";

    } else if (status < 500) {
        type = "validationException";

    } else if (status == 503) {
        type = "serviceUnavailableException";

    } else if (status == 502 || status == 504) {
        type = "modelStreamErrorException";

    } else {
        type = "internalServerException";
    }

    message = ai_error_row(doc->error)->message;

    begin = ai_eventstream_begin(out, type, 1);
    ai_buf_lit(out, "{\"message\":");

    if (doc->message.len != 0) {
        ai_buf_quote(out, &doc->message);

    } else {
        ai_buf_quote_cstr(out, message);
    }

    if (status == 502 || status == 504) {
        ai_buf_key_uint(out, "originalStatusCode", status);
    }

    ai_buf_lit(out, "}");
    ai_eventstream_end(out, begin);
}

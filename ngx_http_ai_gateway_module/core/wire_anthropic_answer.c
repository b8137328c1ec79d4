
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The answer to a client that speaks Anthropic Messages: wire-formats.md 6.3
 * and 13.  Clients are strict about the order of events: blocks never
 * overlap, none is empty text, nothing follows message_stop.
 */


#include "wire_anthropic.h"


/* sources that may wait for the text that cites them */

#define AI_ANTHROPIC_CITED  256


static ai_int_t ai_anthropic_first(ai_encode_t *e, const ai_delta_t *delta);
static void ai_anthropic_words(ai_encode_t *e, ai_anthropic_block_e type,
    const ai_mstr_t *text);
static void ai_anthropic_event(ai_encode_t *e, const char *name);
static void ai_anthropic_event_end(ai_encode_t *e);
static ai_int_t ai_anthropic_message(ai_encode_t *e, const ai_mstr_t *id);
static void ai_anthropic_open(ai_encode_t *e, ai_anthropic_block_e type,
    const ai_delta_t *delta);
static void ai_anthropic_close(ai_encode_t *e);
static void ai_anthropic_piece(ai_encode_t *e, const char *type,
    const char *member, const ai_mstr_t *text);
static ai_int_t ai_anthropic_signed(ai_encode_t *e, ai_state_e kind,
    const ai_mstr_t *id, const ai_mstr_t *state, ai_mstr_t *out);
static ai_int_t ai_anthropic_seal(ai_encode_t *e, const ai_delta_t *delta);
static void ai_anthropic_redacted(ai_encode_t *e, const ai_mstr_t *data);
static ai_int_t ai_anthropic_called(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_anthropic_citation(ai_encode_t *e,
    const ai_delta_t *delta);
static ai_int_t ai_anthropic_cite_later(ai_encode_t *e,
    const ai_citation_t *c);
static void ai_anthropic_cite(ai_encode_t *e, const ai_citation_t *c);
static ai_int_t ai_anthropic_finish(ai_encode_t *e, const ai_delta_t *delta);
static void ai_anthropic_last(ai_encode_t *e);
static ai_int_t ai_anthropic_parts(ai_encode_t *e,
    const ai_answer_choice_t *choice, ai_uint_t *refused);
static ai_int_t ai_anthropic_reasoning(ai_encode_t *e,
    const ai_part_t *part);
static ai_int_t ai_anthropic_tool_use(ai_encode_t *e, const ai_part_t *part);
static void ai_anthropic_cited_by(ai_encode_t *e, const ai_citation_t *c);
static void ai_anthropic_reason(ai_encode_t *e, ai_finish_e finish,
    ai_uint_t refused, const ai_mstr_t *sequence);
static void ai_anthropic_tokens(ai_encode_t *e, const ai_usage_t *u);


const ai_wire_t  ai_wire_anthropic = {
    "text/event-stream",
    ai_anthropic_parse_request,
    ai_anthropic_render_request,
    ai_anthropic_parse_event,
    ai_anthropic_parse_end,
    ai_anthropic_parse_response,
    ai_anthropic_render_event,
    ai_anthropic_render_response,
    ai_anthropic_render_error,
    sizeof(ai_anthropic_decode_t),
    sizeof(ai_anthropic_encode_t)
};


ai_int_t
ai_anthropic_render_event(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_int_t                rc;
    ai_anthropic_encode_t  *s;

    s = e->state;
    rc = AI_OK;

    /* there is room for one choice only */

    if (s->ended || delta->choice != 0) {
        return AI_OK;
    }

    switch (delta->type) {

    case AI_DELTA_START:
        rc = ai_anthropic_first(e, delta);
        break;

    case AI_DELTA_REFUSAL:
        s->refused = 1;

        /* fall through */

    case AI_DELTA_TEXT:
        ai_anthropic_words(e, AI_ANTHROPIC_TEXT, &delta->text);
        break;

    case AI_DELTA_REASONING:
        ai_anthropic_words(e, AI_ANTHROPIC_THINKING, &delta->text);
        break;

    case AI_DELTA_STATE:
        rc = ai_anthropic_seal(e, delta);
        break;

    case AI_DELTA_CALL:
        rc = ai_anthropic_called(e, delta);
        break;

    case AI_DELTA_ARGS:

        if (s->open == AI_ANTHROPIC_CALL && !ai_mstr_empty(&delta->text)) {
            ai_anthropic_piece(e, "input_json_delta", "partial_json",
                               &delta->text);
        }

        break;

    case AI_DELTA_CALL_END:
        ai_anthropic_close(e);
        break;

    case AI_DELTA_CITATION:
        rc = ai_anthropic_citation(e, delta);
        break;

    case AI_DELTA_FINISH:
        rc = ai_anthropic_finish(e, delta);
        break;

    case AI_DELTA_USAGE:
        s->usage = delta->usage;
        break;

    case AI_DELTA_END:
        ai_anthropic_last(e);
        s->ended = 1;
        break;

    default:

        /* images and log probabilities have no slot */

        break;
    }

    return (rc == AI_OK && !e->out->failed) ? AI_OK : AI_ERROR;
}


ai_int_t
ai_anthropic_render_response(ai_encode_t *e, const ai_answer_t *a)
{
    ai_uint_t                  refused;
    ai_mstr_t                  none;
    ai_finish_e                finish;
    const ai_answer_choice_t  *choice;

    choice = &a->choices[0];
    finish = a->nchoices ? choice->finish : AI_FINISH_NONE;
    none = ai_mstr_cstr("");
    refused = 0;

    ai_buf_lit(e->out, "{");

    if (ai_anthropic_message(e, &a->id) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key(e->out, "content");
    ai_buf_lit(e->out, "[");

    if (a->nchoices != 0
        && ai_anthropic_parts(e, choice, &refused) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_lit(e->out, "],");

    ai_anthropic_reason(e, finish, refused,
                        a->nchoices ? &choice->sequence : &none);

    ai_buf_key(e->out, "usage");
    ai_anthropic_tokens(e, &a->usage);
    ai_buf_lit(e->out, "}");

    return e->out->failed ? AI_ERROR : AI_OK;
}


/* blocks that are open stay so, which is how a client knows */

ai_int_t
ai_anthropic_render_error(ai_encode_t *e, ai_error_doc_t *doc)
{
    ai_str_t                text;
    ai_anthropic_encode_t  *s;

    s = e->state;
    s->ended = 1;

    if (ai_dialect_anthropic.error_event(doc, e->op, e->alloc, &text)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_raw(e->out, &text);

    return e->out->failed ? AI_ERROR : AI_OK;
}


static ai_int_t
ai_anthropic_first(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_int_t  rc;

    ai_anthropic_event(e, "message_start");
    ai_buf_lit(e->out, ",\"message\":{");

    rc = ai_anthropic_message(e, &delta->id);

    ai_buf_lit(e->out, ",\"content\":[],\"stop_reason\":null,"
                       "\"stop_sequence\":null,\"usage\":");
    ai_anthropic_tokens(e, NULL);
    ai_buf_lit(e->out, "}");
    ai_anthropic_event_end(e);

    ai_anthropic_event(e, "ping");
    ai_anthropic_event_end(e);

    return rc;
}


static void
ai_anthropic_words(ai_encode_t *e, ai_anthropic_block_e type,
    const ai_mstr_t *text)
{
    if (ai_mstr_empty(text)) {
        return;
    }

    ai_anthropic_open(e, type, NULL);

    if (type == AI_ANTHROPIC_TEXT) {
        ai_anthropic_piece(e, "text_delta", "text", text);

    } else {
        ai_anthropic_piece(e, "thinking_delta", "thinking", text);
    }
}


static void
ai_anthropic_event(ai_encode_t *e, const char *name)
{
    ai_buf_lit(e->out, "event: ");
    ai_buf_cstr(e->out, name);
    ai_buf_lit(e->out, "\ndata: {\"type\":\"");
    ai_buf_cstr(e->out, name);
    ai_buf_lit(e->out, "\"");
}


static void
ai_anthropic_event_end(ai_encode_t *e)
{
    ai_buf_lit(e->out, "}\n\n");
}


/* an id of the provider is kept if it looks like Anthropic's */

static ai_int_t
ai_anthropic_message(ai_encode_t *e, const ai_mstr_t *id)
{
    ai_mstr_t  own;

    if (id->s.len > 4 && memcmp(id->s.data, "msg_", 4) == 0) {
        own = *id;

    } else if (ai_encode_id(e, "msg_", 0, &own) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key(e->out, "id");
    ai_buf_string(e->out, &own);
    ai_buf_lit(e->out, ",\"type\":\"message\",\"role\":\"assistant\","
                       "\"model\":");
    ai_buf_quote(e->out, &e->model);

    return AI_OK;
}


/* unless a block of that type is open; a call always is a block of its own */

static void
ai_anthropic_open(ai_encode_t *e, ai_anthropic_block_e type,
    const ai_delta_t *delta)
{
    ai_anthropic_encode_t  *s;

    s = e->state;

    if (s->open == type && type != AI_ANTHROPIC_CALL) {
        return;
    }

    ai_anthropic_close(e);

    ai_anthropic_event(e, "content_block_start");
    ai_buf_key_uint(e->out, "index", s->next);
    ai_buf_lit(e->out, ",\"content_block\":{\"type\":");

    switch (type) {

    case AI_ANTHROPIC_TEXT:
        ai_buf_lit(e->out, "\"text\",\"text\":\"\"");
        break;

    case AI_ANTHROPIC_THINKING:
        ai_buf_lit(e->out, "\"thinking\",\"thinking\":\"\","
                           "\"signature\":\"\"");
        break;

    default:
        ai_buf_lit(e->out, "\"tool_use\"");
        ai_buf_key(e->out, "id");
        ai_buf_string(e->out, &delta->id);
        ai_buf_key(e->out, "name");
        ai_buf_string(e->out, &delta->name);
        ai_buf_lit(e->out, ",\"input\":{}");
        break;
    }

    ai_buf_lit(e->out, "}");
    ai_anthropic_event_end(e);

    s->open = type;

    if (type == AI_ANTHROPIC_TEXT) {

        for ( /* void */ ; s->cited != NULL; s->cited = s->cited->next) {
            ai_anthropic_cite(e, s->cited);
        }
    }
}


static void
ai_anthropic_close(ai_encode_t *e)
{
    ai_mstr_t               none;
    ai_anthropic_encode_t  *s;

    s = e->state;

    if (s->open == AI_ANTHROPIC_NONE) {
        return;
    }

    /* a client may send it back to Anthropic itself, past us or through us */

    if (s->open == AI_ANTHROPIC_THINKING && !s->sealed) {
        none = ai_mstr_cstr(AI_STATE_UNSIGNED);
        ai_anthropic_piece(e, "signature_delta", "signature", &none);
    }

    s->sealed = 0;

    ai_anthropic_event(e, "content_block_stop");
    ai_buf_key_uint(e->out, "index", s->next);
    ai_anthropic_event_end(e);

    s->open = AI_ANTHROPIC_NONE;
    s->next++;
}


/* of the block that is open */

static void
ai_anthropic_piece(ai_encode_t *e, const char *type, const char *member,
    const ai_mstr_t *text)
{
    ai_anthropic_encode_t  *s;

    s = e->state;

    ai_anthropic_event(e, "content_block_delta");
    ai_buf_key_uint(e->out, "index", s->next);
    ai_buf_lit(e->out, ",\"delta\":{\"type\":\"");
    ai_buf_cstr(e->out, type);
    ai_buf_lit(e->out, "\"");
    ai_buf_key(e->out, member);
    ai_buf_string(e->out, text);
    ai_buf_lit(e->out, "}");
    ai_anthropic_event_end(e);
}


/* as it goes into a signature: Anthropic's own, or packed */

static ai_int_t
ai_anthropic_signed(ai_encode_t *e, ai_state_e kind, const ai_mstr_t *id,
    const ai_mstr_t *state, ai_mstr_t *out)
{
    if (kind == AI_STATE_ANTHROPIC) {
        *out = *state;
        return AI_OK;
    }

    return ai_state_pack(kind, id, state, e->alloc, out);
}


/* what ends the thinking, or is one without words */

static ai_int_t
ai_anthropic_seal(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_mstr_t               signature;
    ai_anthropic_encode_t  *s;

    if (ai_mstr_empty(&delta->state) && ai_mstr_empty(&delta->state_id)) {
        return AI_OK;
    }

    if (delta->state_kind == AI_STATE_REDACTED) {
        ai_anthropic_close(e);
        ai_anthropic_redacted(e, &delta->state);

        return AI_OK;
    }

    if (ai_anthropic_signed(e, delta->state_kind, &delta->state_id,
                            &delta->state, &signature)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_anthropic_open(e, AI_ANTHROPIC_THINKING, NULL);
    ai_anthropic_piece(e, "signature_delta", "signature", &signature);

    s = e->state;
    s->sealed = 1;

    ai_anthropic_close(e);

    return AI_OK;
}


static void
ai_anthropic_redacted(ai_encode_t *e, const ai_mstr_t *data)
{
    ai_anthropic_encode_t  *s;

    s = e->state;

    ai_anthropic_event(e, "content_block_start");
    ai_buf_key_uint(e->out, "index", s->next);
    ai_buf_lit(e->out, ",\"content_block\":{\"type\":\"redacted_thinking\","
                       "\"data\":");
    ai_buf_string(e->out, data);
    ai_buf_lit(e->out, "}");
    ai_anthropic_event_end(e);

    s->open = AI_ANTHROPIC_SKIP;

    ai_anthropic_close(e);
}


/* state of the call itself goes in front of it, as a thinking of its own */

static ai_int_t
ai_anthropic_called(ai_encode_t *e, const ai_delta_t *delta)
{
    if (delta->state_kind != AI_STATE_NONE) {
        ai_anthropic_close(e);

        if (ai_anthropic_seal(e, delta) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_anthropic_open(e, AI_ANTHROPIC_CALL, delta);

    return AI_OK;
}


/* of the text that is open */

static ai_int_t
ai_anthropic_citation(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_citation_t           c;
    ai_anthropic_encode_t  *s;

    s = e->state;

    if (ai_mstr_empty(&delta->url)) {
        return AI_OK;
    }

    memset(&c, 0, sizeof(ai_citation_t));

    c.url = delta->url;
    c.title = delta->name;
    c.text = delta->text;

    if (s->open == AI_ANTHROPIC_TEXT) {
        ai_anthropic_cite(e, &c);
        return AI_OK;
    }

    return ai_anthropic_cite_later(e, &c);
}


/* some tell their sources first, and the text after that */

static ai_int_t
ai_anthropic_cite_later(ai_encode_t *e, const ai_citation_t *c)
{
    ai_citation_t          *copy;
    ai_anthropic_encode_t  *s;

    s = e->state;

    if (s->ncited == AI_ANTHROPIC_CITED) {
        return AI_OK;
    }

    copy = ai_alloc(e->alloc, sizeof(ai_citation_t));

    if (copy == NULL) {
        return AI_ERROR;
    }

    memset(copy, 0, sizeof(ai_citation_t));

    if (ai_mstr_copy(&c->url, e->alloc, &copy->url) != AI_OK
        || ai_mstr_copy(&c->title, e->alloc, &copy->title) != AI_OK
        || ai_mstr_copy(&c->text, e->alloc, &copy->text) != AI_OK)
    {
        return AI_ERROR;
    }

    if (s->cited == NULL) {
        s->last_cited = &s->cited;
    }

    *s->last_cited = copy;
    s->last_cited = &copy->next;
    s->ncited++;

    return AI_OK;
}


static void
ai_anthropic_cite(ai_encode_t *e, const ai_citation_t *c)
{
    ai_anthropic_encode_t  *s;

    s = e->state;

    ai_anthropic_event(e, "content_block_delta");
    ai_buf_key_uint(e->out, "index", s->next);
    ai_buf_lit(e->out, ",\"delta\":{\"type\":\"citations_delta\","
                       "\"citation\":");
    ai_anthropic_cited_by(e, c);
    ai_buf_lit(e->out, "}");
    ai_anthropic_event_end(e);
}


/* told only at the end, together with the usage */

static ai_int_t
ai_anthropic_finish(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_anthropic_encode_t  *s;

    s = e->state;
    s->finish = delta->finish;

    return ai_mstr_copy(&delta->text, e->alloc, &s->sequence);
}


static void
ai_anthropic_last(ai_encode_t *e)
{
    ai_anthropic_encode_t  *s;

    s = e->state;

    ai_anthropic_close(e);

    ai_anthropic_event(e, "message_delta");
    ai_buf_lit(e->out, ",\"delta\":{");
    ai_anthropic_reason(e, s->finish, s->refused, &s->sequence);
    ai_buf_lit(e->out, "},\"usage\":");
    ai_anthropic_tokens(e, &s->usage);
    ai_anthropic_event_end(e);

    ai_anthropic_event(e, "message_stop");
    ai_anthropic_event_end(e);
}


static ai_int_t
ai_anthropic_parts(ai_encode_t *e, const ai_answer_choice_t *choice,
    ai_uint_t *refused)
{
    ai_int_t              rc;
    const ai_part_t      *part, *last;
    const ai_citation_t  *c;

    last = NULL;

    for (part = choice->parts; part != NULL; part = part->next) {
        if (part->type == AI_PART_TEXT && !ai_mstr_empty(&part->text)) {
            last = part;
        }
    }

    for (part = choice->parts; part != NULL; part = part->next) {
        rc = AI_OK;

        switch (part->type) {

        case AI_PART_REASONING:
            rc = ai_anthropic_reasoning(e, part);
            break;

        case AI_PART_CALL:
            rc = ai_anthropic_tool_use(e, part);
            break;

        case AI_PART_REFUSAL:
            *refused = 1;

            /* fall through */

        case AI_PART_TEXT:

            if (ai_mstr_empty(&part->text)) {
                break;
            }

            ai_buf_comma(e->out);
            ai_buf_lit(e->out, "{\"type\":\"text\",\"text\":");
            ai_buf_string(e->out, &part->text);

            if (part == last && choice->citations != NULL) {
                ai_buf_key(e->out, "citations");
                ai_buf_lit(e->out, "[");

                for (c = choice->citations; c != NULL; c = c->next) {
                    ai_anthropic_cited_by(e, c);
                }

                ai_buf_lit(e->out, "]");
            }

            ai_buf_lit(e->out, "}");
            break;

        default:
            break;
        }

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_reasoning(ai_encode_t *e, const ai_part_t *part)
{
    ai_mstr_t  signature;

    signature = ai_mstr_cstr("");

    if (part->state_kind != AI_STATE_NONE
        && part->state_kind != AI_STATE_REDACTED
        && ai_anthropic_signed(e, part->state_kind, &part->state_id,
                               &part->state, &signature)
           != AI_OK)
    {
        return AI_ERROR;
    }

    if (!ai_mstr_empty(&part->text) || !ai_mstr_empty(&signature)) {

        if (ai_mstr_empty(&signature)) {
            signature = ai_mstr_cstr(AI_STATE_UNSIGNED);
        }

        ai_buf_comma(e->out);
        ai_buf_lit(e->out, "{\"type\":\"thinking\",\"thinking\":");
        ai_buf_string(e->out, &part->text);
        ai_buf_key(e->out, "signature");
        ai_buf_string(e->out, &signature);
        ai_buf_lit(e->out, "}");
    }

    if (part->state_kind == AI_STATE_REDACTED) {
        ai_buf_comma(e->out);
        ai_buf_lit(e->out, "{\"type\":\"redacted_thinking\",\"data\":");
        ai_buf_string(e->out, &part->state);
        ai_buf_lit(e->out, "}");
    }

    return AI_OK;
}


static ai_int_t
ai_anthropic_tool_use(ai_encode_t *e, const ai_part_t *part)
{
    ai_str_t   input;
    ai_part_t  state;

    if (part->state_kind != AI_STATE_NONE) {
        state = *part;
        state.text = ai_mstr_cstr("");

        if (ai_anthropic_reasoning(e, &state) != AI_OK) {
            return AI_ERROR;
        }
    }

    if (ai_part_object(part, e->alloc, &input) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_comma(e->out);
    ai_buf_lit(e->out, "{\"type\":\"tool_use\"");
    ai_buf_key(e->out, "id");
    ai_buf_string(e->out, &part->id);
    ai_buf_key(e->out, "name");
    ai_buf_string(e->out, &part->name);
    ai_buf_key_raw(e->out, "input", &input);
    ai_buf_lit(e->out, "}");

    return AI_OK;
}


static void
ai_anthropic_cited_by(ai_encode_t *e, const ai_citation_t *c)
{
    ai_buf_comma(e->out);
    ai_buf_lit(e->out, "{\"type\":\"web_search_result_location\",\"url\":");
    ai_buf_string(e->out, &c->url);
    ai_buf_key(e->out, "title");
    ai_buf_string(e->out, &c->title);
    ai_buf_key(e->out, "cited_text");
    ai_buf_string(e->out, &c->text);
    ai_buf_lit(e->out, ",\"encrypted_index\":\"\"}");
}


/* what was refused in words ended for that reason, even if it is not told */

static void
ai_anthropic_reason(ai_encode_t *e, ai_finish_e finish, ai_uint_t refused,
    const ai_mstr_t *sequence)
{
    const char  *reason;

    if (refused && (finish == AI_FINISH_STOP || finish == AI_FINISH_NONE)) {
        finish = AI_FINISH_FILTER;
    }

    switch (finish) {

    case AI_FINISH_SEQUENCE:
        reason = "stop_sequence";
        break;

    case AI_FINISH_LENGTH:
        reason = "max_tokens";
        break;

    case AI_FINISH_CONTEXT:
        reason = "model_context_window_exceeded";
        break;

    case AI_FINISH_TOOLS:
        reason = "tool_use";
        break;

    case AI_FINISH_FILTER:
        reason = "refusal";
        break;

    case AI_FINISH_PAUSE:
        reason = "pause_turn";
        break;

    default:
        reason = "end_turn";
        break;
    }

    ai_buf_lit(e->out, "\"stop_reason\":");
    ai_buf_quote_cstr(e->out, reason);
    ai_buf_lit(e->out, ",\"stop_sequence\":");

    if (finish == AI_FINISH_SEQUENCE && !ai_mstr_empty(sequence)) {
        ai_buf_string(e->out, sequence);

    } else {
        ai_buf_lit(e->out, "null");
    }
}


/*
 * All members each time: clients take those of the end for the truth, and
 * some of them only what the start tells.  NULL: the start, where the input
 * is what is known so far, or an estimate, and one token is on its way.
 */

static void
ai_anthropic_tokens(ai_encode_t *e, const ai_usage_t *u)
{
    ai_uint_t   start;
    ai_usage_t  usage;

    start = (u == NULL);

    memset(&usage, 0, sizeof(ai_usage_t));

    if (u == NULL || u->source == AI_USAGE_NONE) {
        u = e->usage;
    }

    if (u != NULL && ai_usage_input(u) != 0) {
        usage = *u;

    } else {
        usage.uncached = ai_encode_input(e);
        usage.output = u ? u->output : 0;
    }

    if (start) {
        usage.reasoning = 0;
        usage.output = 1;
    }

    ai_buf_lit(e->out, "{");
    ai_buf_key_uint(e->out, "input_tokens", usage.uncached);
    ai_buf_key_uint(e->out, "cache_creation_input_tokens",
                    usage.cache_write);
    ai_buf_key_uint(e->out, "cache_read_input_tokens", usage.cached);
    ai_buf_key_uint(e->out, "output_tokens", usage.output);

    if (usage.reasoning != 0) {
        ai_buf_lit(e->out, ",\"output_tokens_details\":{");
        ai_buf_key_uint(e->out, "thinking_tokens", usage.reasoning);
        ai_buf_lit(e->out, "}");
    }

    ai_buf_lit(e->out, "}");
}

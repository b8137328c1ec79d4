
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Streams of OpenAI's Responses, towards a client.  Everything has a place:
 * a delta belongs to a part, a part to an item, an item to the response, each
 * is announced before and repeated after, and the events are numbered without
 * a gap.  Clients check all of that (wire-formats.md 4, 16.19).
 */


#include "wire_responses.h"


static ai_int_t ai_rsp_start(ai_encode_t *e, const ai_delta_t *delta);
static void ai_rsp_response(ai_encode_t *e, const char *type,
    ai_rsp_object_t *r);
static ai_int_t ai_rsp_words(ai_encode_t *e, const ai_delta_t *delta,
    ai_rsp_open_e open, ai_rsp_part_e part);
static ai_int_t ai_rsp_encrypted(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_rsp_open_call(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_rsp_args(ai_encode_t *e, const ai_mstr_t *text);
static ai_int_t ai_rsp_whole_image(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_rsp_note(ai_encode_t *e, const ai_delta_t *delta);
static void ai_rsp_logprobs(ai_encode_t *e, const ai_delta_t *delta);
static ai_int_t ai_rsp_end(ai_encode_t *e);
static ai_int_t ai_rsp_open(ai_encode_t *e, ai_rsp_open_e open,
    const ai_mstr_t *id);
static void ai_rsp_open_part(ai_encode_t *e, ai_rsp_part_e part);
static ai_int_t ai_rsp_close(ai_encode_t *e, const char *status,
    const ai_mstr_t *state);
static void ai_rsp_close_part(ai_encode_t *e);
static ai_int_t ai_rsp_close_call(ai_encode_t *e);
static void ai_rsp_put_part(ai_encode_t *e, ai_buf_t *b, ai_rsp_part_e part,
    const ai_mstr_t *text);
static void ai_rsp_put_item(ai_encode_t *e, ai_buf_t *b, const char *status,
    const ai_mstr_t *text, const ai_mstr_t *state);
static void ai_rsp_event(ai_encode_t *e, const char *type);
static void ai_rsp_event_item(ai_encode_t *e, const char *type);
static void ai_rsp_event_part(ai_encode_t *e, const char *type);
static void ai_rsp_event_end(ai_encode_t *e);
static ai_mstr_t ai_rsp_chars(ai_buf_t *b);
static ai_int_t ai_rsp_check(ai_encode_t *e);


/* what the events of a part are called, and its text in the one that ends it */

typedef struct {
    const char  *added;
    const char  *delta;
    const char  *done;
    const char  *name;
    const char  *closed;
} ai_rsp_part_row_t;


static const ai_rsp_part_row_t  ai_rsp_parts[] = {

    { NULL, NULL, NULL, NULL, NULL },

    { "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "text",
      "response.content_part.done" },

    { "response.content_part.added",
      "response.refusal.delta",
      "response.refusal.done",
      "refusal",
      "response.content_part.done" },

    { "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "text",
      "response.reasoning_summary_part.done" }
};


static const char *const  ai_rsp_prefixes[] = {
    "", "msg_", "rs_", "fc_", "ig_"
};

static const ai_mstr_t  ai_rsp_nothing;


ai_int_t
ai_rsp_render_event(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    if (!s->started && ai_rsp_start(e, delta) != AI_OK) {
        return AI_ERROR;
    }

    /* there is but one choice, a request cannot ask for more */

    if (delta->choice != 0) {
        return AI_OK;
    }

    switch (delta->type) {

    case AI_DELTA_TEXT:
        return ai_rsp_words(e, delta, AI_RSP_MESSAGE, AI_RSP_TEXT);

    case AI_DELTA_REFUSAL:
        return ai_rsp_words(e, delta, AI_RSP_MESSAGE, AI_RSP_REFUSAL);

    case AI_DELTA_REASONING:
        return ai_rsp_words(e, delta, AI_RSP_REASONING, AI_RSP_SUMMARY);

    case AI_DELTA_STATE:
        return ai_rsp_encrypted(e, delta);

    case AI_DELTA_CALL:
        return ai_rsp_open_call(e, delta);

    case AI_DELTA_ARGS:
        return ai_rsp_args(e, &delta->text);

    case AI_DELTA_CALL_END:
        return s->open == AI_RSP_CALL ? ai_rsp_close(e, "completed", NULL)
                                      : AI_OK;

    case AI_DELTA_IMAGE:
        return ai_rsp_whole_image(e, delta);

    case AI_DELTA_CITATION:
        return ai_rsp_note(e, delta);

    case AI_DELTA_LOGPROBS:
        ai_rsp_logprobs(e, delta);
        return ai_rsp_check(e);

    case AI_DELTA_FINISH:
        s->finish = delta->finish;
        return AI_OK;

    case AI_DELTA_END:
        return ai_rsp_end(e);

    default:
        return AI_OK;
    }
}


static ai_int_t
ai_rsp_start(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_rsp_object_t   r;
    ai_rsp_encode_t  *s;

    s = e->state;

    s->started = 1;
    s->created = e->now;

    if (delta != NULL && delta->type == AI_DELTA_START
        && delta->created != 0)
    {
        s->created = delta->created;
    }

    ai_buf_init(&s->output, e->alloc, e->max);
    ai_buf_init(&s->parts, e->alloc, e->max);
    ai_buf_init(&s->notes, e->alloc, e->max);
    ai_buf_init(&s->logprobs, e->alloc, e->max);
    ai_buf_init(&s->text, e->alloc, e->max);

    if (ai_encode_id(e, "resp_", 0, &s->id) != AI_OK) {
        return AI_ERROR;
    }

    memset(&r, 0, sizeof(ai_rsp_object_t));
    r.status = "in_progress";

    ai_rsp_response(e, "response.created", &r);
    ai_rsp_response(e, "response.in_progress", &r);

    return AI_OK;
}


static void
ai_rsp_response(ai_encode_t *e, const char *type, ai_rsp_object_t *r)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    r->id = s->id;
    r->created = s->created;

    ai_rsp_event(e, type);
    ai_buf_lit(e->out, ",\"response\":");
    ai_rsp_object(e->out, e, r);
    ai_rsp_event_end(e);
}


static ai_int_t
ai_rsp_words(ai_encode_t *e, const ai_delta_t *delta, ai_rsp_open_e open,
    ai_rsp_part_e part)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    if (ai_mstr_empty(&delta->text)) {
        return AI_OK;
    }

    if (s->open != open && ai_rsp_open(e, open, NULL) != AI_OK) {
        return AI_ERROR;
    }

    if (s->part != part) {
        ai_rsp_close_part(e);
        ai_rsp_open_part(e, part);
    }

    ai_buf_chars(&s->text, &delta->text);

    ai_rsp_event_part(e, ai_rsp_parts[part].delta);
    ai_buf_key(e->out, "delta");
    ai_buf_string(e->out, &delta->text);

    if (part == AI_RSP_TEXT) {
        ai_buf_lit(e->out, ",\"logprobs\":[]");
    }

    ai_rsp_event_end(e);

    return ai_rsp_check(e);
}


/* the state ends the reasoning that it belongs to, or is one by itself */

static ai_int_t
ai_rsp_encrypted(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_mstr_t         state, id;
    ai_rsp_encode_t  *s;

    s = e->state;

    if (delta->state_kind == AI_STATE_NONE) {
        return s->open == AI_RSP_REASONING
               ? ai_rsp_close(e, "completed", NULL) : AI_OK;
    }

    if (s->open != AI_RSP_REASONING) {

        if (delta->state_kind == AI_STATE_OPENAI
            && !ai_mstr_empty(&delta->state_id))
        {
            if (ai_mstr_copy(&delta->state_id, e->alloc, &id) != AI_OK
                || ai_rsp_open(e, AI_RSP_REASONING, &id) != AI_OK)
            {
                return AI_ERROR;
            }

        } else if (ai_rsp_open(e, AI_RSP_REASONING, NULL) != AI_OK) {
            return AI_ERROR;
        }
    }

    if (ai_rsp_state(e->alloc, delta->state_kind, &delta->state_id,
                     &delta->state, &s->item, &state)
        != AI_OK)
    {
        return AI_ERROR;
    }

    return ai_rsp_close(e, "completed", &state);
}


static ai_int_t
ai_rsp_open_call(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_part_t        *call;
    ai_rsp_encode_t  *s;

    s = e->state;

    /* a call has no slot for it */

    if (delta->state_kind != AI_STATE_NONE
        && ai_rsp_encrypted(e, delta) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_rsp_close(e, "completed", NULL) != AI_OK) {
        return AI_ERROR;
    }

    call = &s->call;

    memset(call, 0, sizeof(ai_part_t));

    call->type = AI_PART_CALL;
    call->custom = delta->custom;

    if (ai_mstr_copy(&delta->id, e->alloc, &call->id) != AI_OK
        || ai_mstr_copy(&delta->name, e->alloc, &call->name) != AI_OK)
    {
        return AI_ERROR;
    }

    return ai_rsp_open(e, AI_RSP_CALL, NULL);
}


static ai_int_t
ai_rsp_args(ai_encode_t *e, const ai_mstr_t *text)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    if (s->open != AI_RSP_CALL || ai_mstr_empty(text)) {
        return AI_OK;
    }

    ai_buf_chars(&s->text, text);

    ai_rsp_event_item(e, s->call.custom
                         ? "response.custom_tool_call_input.delta"
                         : "response.function_call_arguments.delta");
    ai_buf_key(e->out, "delta");
    ai_buf_string(e->out, text);
    ai_rsp_event_end(e);

    return ai_rsp_check(e);
}


static ai_int_t
ai_rsp_whole_image(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    if (ai_rsp_open(e, AI_RSP_IMAGE, NULL) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_chars(&s->text, &delta->text);

    return ai_rsp_close(e, "completed", NULL);
}


/*
 * Some tell what they cite before they say a word, that is kept with the text
 * that follows; what comes after the text has ended belongs nowhere.
 */

static ai_int_t
ai_rsp_note(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_citation_t     cite;
    ai_rsp_encode_t  *s;

    s = e->state;

    if (s->part != AI_RSP_TEXT) {

        if (s->spoken) {
            return AI_OK;
        }

        if (s->open != AI_RSP_MESSAGE
            && ai_rsp_open(e, AI_RSP_MESSAGE, NULL) != AI_OK)
        {
            return AI_ERROR;
        }

        ai_rsp_close_part(e);
        ai_rsp_open_part(e, AI_RSP_TEXT);
    }

    memset(&cite, 0, sizeof(ai_citation_t));

    cite.url = delta->url;
    cite.title = delta->name;
    cite.from = delta->from;
    cite.to = delta->to;

    ai_buf_comma(&s->notes);
    ai_rsp_annotation(&s->notes, &cite);

    ai_rsp_event_part(e, "response.output_text.annotation.added");
    ai_buf_key_uint(e->out, "annotation_index", s->nnotes++);
    ai_buf_key(e->out, "annotation");
    ai_rsp_annotation(e->out, &cite);
    ai_rsp_event_end(e);

    return ai_rsp_check(e);
}


static void
ai_rsp_logprobs(ai_encode_t *e, const ai_delta_t *delta)
{
    ai_str_t          raw;
    ai_rsp_encode_t  *s;

    s = e->state;

    if (delta->raw.len <= 2) {
        return;
    }

    raw.data = delta->raw.data + 1;
    raw.len = delta->raw.len - 2;

    ai_buf_comma(&s->logprobs);
    ai_buf_raw(&s->logprobs, &raw);
}


static ai_int_t
ai_rsp_end(ai_encode_t *e)
{
    const char       *status, *type;
    ai_rsp_object_t   r;
    ai_rsp_encode_t  *s;

    s = e->state;

    memset(&r, 0, sizeof(ai_rsp_object_t));

    ai_rsp_finish(&r, s->finish);

    status = "completed";
    type = "response.completed";

    if (r.reason != NULL) {
        status = "incomplete";
        type = "response.incomplete";

    } else if (r.code != NULL) {
        status = "incomplete";
        type = "response.failed";
    }

    if (ai_rsp_close(e, status, NULL) != AI_OK
        || ai_buf_get(&s->output, &r.output) != AI_OK)
    {
        return AI_ERROR;
    }

    r.usage = e->usage;

    ai_rsp_response(e, type, &r);

    return AI_OK;
}


/* id NULL: one is made; what is open is closed before */

static ai_int_t
ai_rsp_open(ai_encode_t *e, ai_rsp_open_e open, const ai_mstr_t *id)
{
    const char       *prefix;
    ai_rsp_encode_t  *s;

    s = e->state;

    if (ai_rsp_close(e, "completed", NULL) != AI_OK) {
        return AI_ERROR;
    }

    if (id != NULL) {
        s->item = *id;

    } else {
        prefix = (open == AI_RSP_CALL && s->call.custom)
                 ? "ctc_" : ai_rsp_prefixes[open];

        if (ai_encode_id(e, prefix, s->nitems + 1, &s->item) != AI_OK) {
            return AI_ERROR;
        }
    }

    s->open = open;
    s->nparts = 0;

    ai_buf_reset(&s->parts);
    ai_buf_reset(&s->text);

    ai_rsp_event(e, "response.output_item.added");
    ai_buf_key_uint(e->out, "output_index", s->nitems);
    ai_buf_key(e->out, "item");
    ai_rsp_put_item(e, e->out, "in_progress", &ai_rsp_nothing,
                    &ai_rsp_nothing);
    ai_rsp_event_end(e);

    return AI_OK;
}


static void
ai_rsp_open_part(ai_encode_t *e, ai_rsp_part_e part)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    s->part = part;
    s->nnotes = 0;

    if (part == AI_RSP_TEXT) {
        s->spoken = 1;
    }

    ai_buf_reset(&s->text);
    ai_buf_reset(&s->notes);

    ai_rsp_event_part(e, ai_rsp_parts[part].added);
    ai_buf_key(e->out, "part");

    if (part == AI_RSP_TEXT) {
        ai_buf_lit(e->out, "{\"type\":\"output_text\",\"annotations\":[],"
                           "\"logprobs\":[],\"text\":\"\"}");

    } else {
        ai_rsp_put_part(e, e->out, part, &ai_rsp_nothing);
    }

    ai_rsp_event_end(e);
}


/* state: of a reasoning, or NULL */

static ai_int_t
ai_rsp_close(ai_encode_t *e, const char *status, const ai_mstr_t *state)
{
    ai_mstr_t         text;
    ai_rsp_encode_t  *s;

    s = e->state;

    if (s->open == AI_RSP_NONE) {
        return AI_OK;
    }

    if (state == NULL) {
        state = &ai_rsp_nothing;
    }

    ai_rsp_close_part(e);

    if (s->open == AI_RSP_CALL && ai_rsp_close_call(e) != AI_OK) {
        return AI_ERROR;
    }

    text = (s->open == AI_RSP_CALL) ? s->call.args : ai_rsp_chars(&s->text);

    ai_rsp_event(e, "response.output_item.done");
    ai_buf_key_uint(e->out, "output_index", s->nitems);
    ai_buf_key(e->out, "item");
    ai_rsp_put_item(e, e->out, status, &text, state);
    ai_rsp_event_end(e);

    ai_buf_comma(&s->output);
    ai_rsp_put_item(e, &s->output, status, &text, state);

    s->open = AI_RSP_NONE;
    s->nitems++;

    if (s->parts.failed || s->text.failed) {
        return AI_ERROR;
    }

    ai_buf_reset(&s->parts);
    ai_buf_reset(&s->text);

    return ai_rsp_check(e);
}


/* s->text stays, a reasoning is told by it */

static void
ai_rsp_close_part(ai_encode_t *e)
{
    ai_mstr_t                 text;
    ai_rsp_encode_t          *s;
    const ai_rsp_part_row_t  *row;

    s = e->state;

    if (s->part == AI_RSP_NO_PART) {
        return;
    }

    row = &ai_rsp_parts[s->part];
    text = ai_rsp_chars(&s->text);

    ai_rsp_event_part(e, row->done);
    ai_buf_key(e->out, row->name);
    ai_buf_string(e->out, &text);

    if (s->part == AI_RSP_TEXT) {
        ai_buf_key(e->out, "logprobs");
        ai_buf_lit(e->out, "[");
        ai_buf_put(e->out, s->logprobs.start, ai_buf_len(&s->logprobs));
        ai_buf_lit(e->out, "]");
    }

    ai_rsp_event_end(e);

    ai_rsp_event_part(e, row->closed);
    ai_buf_key(e->out, "part");
    ai_rsp_put_part(e, e->out, s->part, &text);
    ai_rsp_event_end(e);

    ai_buf_comma(&s->parts);
    ai_rsp_put_part(e, &s->parts, s->part, &text);

    if (s->part == AI_RSP_TEXT) {
        ai_buf_reset(&s->notes);
        ai_buf_reset(&s->logprobs);
    }

    s->part = AI_RSP_NO_PART;
    s->nparts++;
}


static ai_int_t
ai_rsp_close_call(ai_encode_t *e)
{
    ai_part_t        *call;
    ai_rsp_encode_t  *s;

    s = e->state;
    call = &s->call;

    call->args = ai_rsp_chars(&s->text);

    ai_rsp_event_item(e, call->custom
                         ? "response.custom_tool_call_input.done"
                         : "response.function_call_arguments.done");

    if (call->custom) {
        ai_buf_key(e->out, "input");

    } else {
        ai_buf_key(e->out, "name");
        ai_buf_string(e->out, &call->name);
        ai_buf_key(e->out, "arguments");
    }

    ai_buf_string(e->out, &call->args);
    ai_rsp_event_end(e);

    return AI_OK;
}


static void
ai_rsp_put_part(ai_encode_t *e, ai_buf_t *b, ai_rsp_part_e part,
    const ai_mstr_t *text)
{
    ai_str_t          notes, logprobs;
    ai_rsp_encode_t  *s;

    s = e->state;

    switch (part) {

    case AI_RSP_TEXT:
        (void) ai_buf_get(&s->notes, &notes);
        (void) ai_buf_get(&s->logprobs, &logprobs);
        ai_rsp_text(b, text, &notes, &logprobs);
        break;

    case AI_RSP_REFUSAL:
        ai_rsp_refusal(b, text);
        break;

    default:
        ai_rsp_summary(b, text);
        break;
    }
}


/* the open item; text is that of a reasoning, arguments, or an image */

static void
ai_rsp_put_item(ai_encode_t *e, ai_buf_t *b, const char *status,
    const ai_mstr_t *text, const ai_mstr_t *state)
{
    ai_str_t          parts;
    ai_part_t         call;
    ai_rsp_encode_t  *s;

    s = e->state;

    switch (s->open) {

    case AI_RSP_MESSAGE:
        (void) ai_buf_get(&s->parts, &parts);
        ai_rsp_message(b, &s->item, status, &parts);
        break;

    case AI_RSP_REASONING:
        ai_rsp_reasoning(b, &s->item, status, text, state);
        break;

    case AI_RSP_IMAGE:
        ai_rsp_image(b, &s->item, status, text);
        break;

    default:
        call = s->call;
        call.args = *text;
        ai_rsp_call(b, &s->item, status, &call);
        break;
    }
}


/*
 * The stream ends here, and nothing may look as if it were complete.  The
 * libraries raise an error when there is a member "error" at the top, while
 * Codex looks into the response; neither minds what the other wants.
 */

ai_int_t
ai_rsp_render_error(ai_encode_t *e, ai_error_doc_t *doc)
{
    ai_rsp_object_t        r;
    ai_rsp_encode_t       *s;
    const ai_error_row_t  *row;

    s = e->state;

    if (!s->started && ai_rsp_start(e, NULL) != AI_OK) {
        return AI_ERROR;
    }

    row = ai_error_row(doc->error);

    memset(&r, 0, sizeof(ai_rsp_object_t));

    r.id = s->id;
    r.created = s->created;
    r.status = "failed";
    r.code = row->code;
    r.message = doc->message;

    if (r.message.len == 0) {
        r.message.data = (u_char *) row->message;
        r.message.len = strlen(row->message);
    }

    (void) ai_buf_get(&s->output, &r.output);

    ai_rsp_event(e, "response.failed");
    ai_buf_key(e->out, "response");
    ai_rsp_object(e->out, e, &r);

    ai_buf_key(e->out, "error");
    ai_rsp_error(e->out, doc, &r.message);
    ai_rsp_event_end(e);

    return AI_OK;
}


static void
ai_rsp_event(ai_encode_t *e, const char *type)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    ai_buf_lit(e->out, "event: ");
    ai_buf_cstr(e->out, type);
    ai_buf_lit(e->out, "\ndata: {\"type\":\"");
    ai_buf_cstr(e->out, type);
    ai_buf_lit(e->out, "\",\"sequence_number\":");
    ai_buf_uint(e->out, s->sequence++);
}


static void
ai_rsp_event_item(ai_encode_t *e, const char *type)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    ai_rsp_event(e, type);
    ai_buf_lit(e->out, ",\"item_id\":");
    ai_buf_string(e->out, &s->item);
    ai_buf_lit(e->out, ",\"output_index\":");
    ai_buf_uint(e->out, s->nitems);
}


static void
ai_rsp_event_part(ai_encode_t *e, const char *type)
{
    ai_rsp_encode_t  *s;

    s = e->state;

    ai_rsp_event_item(e, type);
    ai_buf_cstr(e->out, s->part == AI_RSP_SUMMARY ? ",\"summary_index\":"
                                                  : ",\"content_index\":");
    ai_buf_uint(e->out, s->nparts);
}


static void
ai_rsp_event_end(ai_encode_t *e)
{
    ai_buf_lit(e->out, "}\n\n");
}


static ai_mstr_t
ai_rsp_chars(ai_buf_t *b)
{
    ai_mstr_t  m;

    (void) ai_buf_get(b, &m.s);
    m.json = 1;

    return m;
}


static ai_int_t
ai_rsp_check(ai_encode_t *e)
{
    size_t            kept;
    ai_rsp_encode_t  *s;

    s = e->state;

    if (s->output.failed || s->parts.failed || s->notes.failed
        || s->logprobs.failed || s->text.failed)
    {
        return AI_ERROR;
    }

    kept = ai_buf_len(&s->output) + ai_buf_len(&s->parts)
           + ai_buf_len(&s->notes) + ai_buf_len(&s->logprobs)
           + ai_buf_len(&s->text);

    return kept <= e->max ? AI_OK : AI_ERROR;
}

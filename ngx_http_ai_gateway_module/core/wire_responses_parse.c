
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Streams of providers that speak OpenAI's Responses: one row for each type
 * of event.  New types appear all the time, what has no row is counted.
 */


#include "wire_responses.h"


/* the members of an event that are read; null when absent */

typedef struct {
    const ai_json_t     *root;
    ai_json_t            type;
    ai_json_t            delta;
    ai_json_t            text;         /* of ".done", by any name */
    ai_json_t            item;
    ai_json_t            part;
    ai_json_t            annotation;
    ai_json_t            logprobs;
    ai_json_t            response;
    ai_json_t            error;
    ai_json_t            index;        /* of the item */
    ai_json_t            sub;          /* of a part in it */
} ai_rsp_event_t;


typedef struct {
    ai_str_t             name;
    size_t               offset;
} ai_rsp_member_t;


typedef struct ai_rsp_row_s  ai_rsp_row_t;

typedef ai_int_t (*ai_rsp_handler_pt)(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);

struct ai_rsp_row_s {
    ai_str_t             type;
    ai_rsp_handler_pt    handler;      /* NULL: tells nothing new */
    ai_delta_e           delta;        /* what its words are */
    ai_rsp_kind_e        kind;
    ai_uint_t            whole;        /* all of them, not a piece */
};


static void ai_rsp_members(ai_rsp_event_t *ev, const ai_json_t *root);
static ai_int_t ai_rsp_event_find(ai_decode_t *d, ai_rsp_event_t *ev,
    ai_rsp_item_t **item);
static ai_int_t ai_rsp_on_created(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);
static ai_int_t ai_rsp_on_words(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);
static ai_int_t ai_rsp_on_args(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);
static ai_int_t ai_rsp_on_part(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);
static ai_int_t ai_rsp_on_item(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);
static ai_int_t ai_rsp_on_note(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);
static ai_int_t ai_rsp_on_end(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);
static ai_int_t ai_rsp_on_failed(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);
static ai_int_t ai_rsp_on_error(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row);


/* the most frequent first */

static const ai_rsp_row_t  ai_rsp_rows[] = {

    { ai_string("response.output_text.delta"),
      ai_rsp_on_words, AI_DELTA_TEXT, AI_RSP_CONTENT, 0 },

    { ai_string("response.function_call_arguments.delta"),
      ai_rsp_on_args, AI_DELTA_ARGS, AI_RSP_CONTENT, 0 },

    { ai_string("response.reasoning_summary_text.delta"),
      ai_rsp_on_words, AI_DELTA_REASONING, AI_RSP_SUMMARIES, 0 },

    { ai_string("response.reasoning_text.delta"),
      ai_rsp_on_words, AI_DELTA_REASONING, AI_RSP_CONTENT, 0 },

    { ai_string("response.refusal.delta"),
      ai_rsp_on_words, AI_DELTA_REFUSAL, AI_RSP_CONTENT, 0 },

    { ai_string("response.custom_tool_call_input.delta"),
      ai_rsp_on_args, AI_DELTA_ARGS, AI_RSP_CONTENT, 0 },

    { ai_string("response.created"),
      ai_rsp_on_created, AI_DELTA_START, AI_RSP_CONTENT, 0 },

    { ai_string("response.in_progress"),
      NULL, AI_DELTA_START, AI_RSP_CONTENT, 0 },

    { ai_string("response.queued"),
      NULL, AI_DELTA_START, AI_RSP_CONTENT, 0 },

    { ai_string("response.output_item.added"),
      ai_rsp_on_item, AI_DELTA_START, AI_RSP_CONTENT, 0 },

    { ai_string("response.content_part.added"),
      NULL, AI_DELTA_START, AI_RSP_CONTENT, 0 },

    { ai_string("response.reasoning_summary_part.added"),
      NULL, AI_DELTA_START, AI_RSP_SUMMARIES, 0 },

    { ai_string("response.output_text.annotation.added"),
      ai_rsp_on_note, AI_DELTA_CITATION, AI_RSP_CONTENT, 0 },

    { ai_string("response.output_text.done"),
      ai_rsp_on_words, AI_DELTA_TEXT, AI_RSP_CONTENT, 1 },

    { ai_string("response.refusal.done"),
      ai_rsp_on_words, AI_DELTA_REFUSAL, AI_RSP_CONTENT, 1 },

    { ai_string("response.reasoning_text.done"),
      ai_rsp_on_words, AI_DELTA_REASONING, AI_RSP_CONTENT, 1 },

    { ai_string("response.reasoning_summary_text.done"),
      ai_rsp_on_words, AI_DELTA_REASONING, AI_RSP_SUMMARIES, 1 },

    { ai_string("response.content_part.done"),
      ai_rsp_on_part, AI_DELTA_TEXT, AI_RSP_CONTENT, 1 },

    { ai_string("response.reasoning_summary_part.done"),
      ai_rsp_on_part, AI_DELTA_REASONING, AI_RSP_SUMMARIES, 1 },

    { ai_string("response.function_call_arguments.done"),
      ai_rsp_on_args, AI_DELTA_ARGS, AI_RSP_CONTENT, 1 },

    { ai_string("response.custom_tool_call_input.done"),
      ai_rsp_on_args, AI_DELTA_ARGS, AI_RSP_CONTENT, 1 },

    { ai_string("response.output_item.done"),
      ai_rsp_on_item, AI_DELTA_START, AI_RSP_CONTENT, 1 },

    { ai_string("response.completed"),
      ai_rsp_on_end, AI_DELTA_END, AI_RSP_CONTENT, 1 },

    { ai_string("response.incomplete"),
      ai_rsp_on_end, AI_DELTA_END, AI_RSP_CONTENT, 1 },

    { ai_string("response.failed"),
      ai_rsp_on_failed, AI_DELTA_ERROR, AI_RSP_CONTENT, 1 },

    { ai_string("error"),
      ai_rsp_on_error, AI_DELTA_ERROR, AI_RSP_CONTENT, 1 },

    { ai_string("keepalive"),
      NULL, AI_DELTA_START, AI_RSP_CONTENT, 0 },

    { ai_null_string, NULL, AI_DELTA_START, AI_RSP_CONTENT, 0 }
};


static const ai_rsp_member_t  ai_rsp_names[] = {

    { ai_string("type"), offsetof(ai_rsp_event_t, type) },
    { ai_string("delta"), offsetof(ai_rsp_event_t, delta) },
    { ai_string("output_index"), offsetof(ai_rsp_event_t, index) },
    { ai_string("content_index"), offsetof(ai_rsp_event_t, sub) },
    { ai_string("summary_index"), offsetof(ai_rsp_event_t, sub) },
    { ai_string("logprobs"), offsetof(ai_rsp_event_t, logprobs) },
    { ai_string("item"), offsetof(ai_rsp_event_t, item) },
    { ai_string("part"), offsetof(ai_rsp_event_t, part) },
    { ai_string("text"), offsetof(ai_rsp_event_t, text) },
    { ai_string("refusal"), offsetof(ai_rsp_event_t, text) },
    { ai_string("arguments"), offsetof(ai_rsp_event_t, text) },
    { ai_string("input"), offsetof(ai_rsp_event_t, text) },
    { ai_string("annotation"), offsetof(ai_rsp_event_t, annotation) },
    { ai_string("response"), offsetof(ai_rsp_event_t, response) },
    { ai_string("error"), offsetof(ai_rsp_event_t, error) },

    { ai_null_string, 0 }
};


ai_int_t
ai_rsp_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root)
{
    ai_str_t             type;
    ai_rsp_event_t       ev;
    const ai_rsp_row_t  *row;

    ai_rsp_members(&ev, root);

    type = *name;

    if (ev.type.type == AI_JSON_STRING) {
        type = ai_json_str_raw(&ev.type);
    }

    if (ai_rsp_is_error(&ev.error)) {
        return ai_rsp_on_error(d, &ev, NULL);
    }

    for (row = ai_rsp_rows; row->type.len != 0; row++) {

        if (row->type.len == type.len
            && memcmp(row->type.data, type.data, type.len) == 0)
        {
            return row->handler ? row->handler(d, &ev, row) : AI_OK;
        }
    }

    d->unknown++;

    return AI_OK;
}


static void
ai_rsp_members(ai_rsp_event_t *ev, const ai_json_t *root)
{
    ai_str_t                s;
    ai_json_t               name, value;
    ai_json_iter_t          it;
    const ai_rsp_member_t  *m;

    memset(ev, 0, sizeof(ai_rsp_event_t));

    ev->root = root;

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {
        s = ai_json_str_raw(&name);

        for (m = ai_rsp_names; m->name.len != 0; m++) {

            if (m->name.len == s.len
                && memcmp(m->name.data, s.data, s.len) == 0)
            {
                *(ai_json_t *) ((u_char *) ev + m->offset) = value;
                break;
            }
        }
    }
}


ai_int_t
ai_rsp_parse_end(ai_decode_t *d)
{
    ai_delta_t        delta;
    ai_rsp_decode_t  *s;

    s = d->state;

    if (!s->failed) {
        return AI_OK;
    }

    s->failed = 0;

    ai_delta_init(&delta, AI_DELTA_ERROR);

    delta.name = ai_mstr_cstr("server_error");
    delta.text = ai_mstr_cstr("the provider failed and did not say why");

    return d->emit(d->data, &delta);
}


static ai_int_t
ai_rsp_event_find(ai_decode_t *d, ai_rsp_event_t *ev, ai_rsp_item_t **item)
{
    uint64_t  index;

    index = 0;
    (void) ai_json_uint(&ev->index, &index);

    return ai_rsp_find(d, index, item);
}


static ai_int_t
ai_rsp_on_created(ai_decode_t *d, ai_rsp_event_t *ev,
    const ai_rsp_row_t *row)
{
    return ai_rsp_read_start(d, &ev->response);
}


static ai_int_t
ai_rsp_on_words(ai_decode_t *d, ai_rsp_event_t *ev, const ai_rsp_row_t *row)
{
    ai_int_t        rc;
    uint64_t        part;
    ai_uint_t       told;
    ai_rsp_item_t  *item;

    part = 0;
    (void) ai_json_uint(&ev->sub, &part);

    rc = ai_rsp_event_find(d, ev, &item);

    if (rc != AI_OK) {
        return rc;
    }

    told = row->whole && ai_rsp_was_told(item, row->kind, part);

    rc = ai_rsp_tell(d, item, row->delta, row->kind, part,
                     row->whole ? &ev->text : &ev->delta, row->whole);

    if (rc != AI_OK || told || row->delta != AI_DELTA_TEXT) {
        return rc;
    }

    return ai_rsp_tell_logprobs(d, &ev->logprobs);
}


/* of a call that was not announced there is no name yet: its end tells all */

static ai_int_t
ai_rsp_on_args(ai_decode_t *d, ai_rsp_event_t *ev, const ai_rsp_row_t *row)
{
    ai_int_t          rc;
    ai_mstr_t         args;
    ai_rsp_item_t    *item;
    const ai_json_t  *v;

    v = row->whole ? &ev->text : &ev->delta;

    if (v->type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (v->type != AI_JSON_STRING) {
        return AI_DECLINED;
    }

    rc = ai_rsp_event_find(d, ev, &item);

    if (rc != AI_OK || !item->call || item->done
        || (row->whole && item->args))
    {
        return rc;
    }

    args = ai_mstr(v);
    item->args |= !ai_mstr_empty(&args);

    return ai_emit_args(d, 0, (ai_uint_t) item->index, &args);
}


/* of summaries and of content */

static ai_int_t
ai_rsp_on_part(ai_decode_t *d, ai_rsp_event_t *ev, const ai_rsp_row_t *row)
{
    ai_int_t        rc;
    uint64_t        n;
    ai_json_t       type, text;
    ai_delta_e      delta;
    ai_rsp_item_t  *item;

    if (ai_json_get(&ev->part, "type", &type) != AI_OK) {
        return AI_OK;
    }

    delta = row->delta;

    if (ai_json_name_eq(&type, "refusal")) {
        delta = AI_DELTA_REFUSAL;

    } else if (ai_json_name_eq(&type, "reasoning_text")) {
        delta = AI_DELTA_REASONING;
    }

    if (ai_json_get(&ev->part, delta == AI_DELTA_REFUSAL ? "refusal" : "text",
                    &text)
        != AI_OK)
    {
        return AI_OK;
    }

    n = 0;
    (void) ai_json_uint(&ev->sub, &n);

    rc = ai_rsp_event_find(d, ev, &item);

    if (rc != AI_OK) {
        return rc;
    }

    return ai_rsp_tell(d, item, delta, row->kind, n, &text, 1);
}


static ai_int_t
ai_rsp_on_item(ai_decode_t *d, ai_rsp_event_t *ev, const ai_rsp_row_t *row)
{
    ai_int_t        rc;
    ai_rsp_item_t  *item;

    if (ev->item.type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    rc = ai_rsp_event_find(d, ev, &item);

    if (rc != AI_OK) {
        return rc;
    }

    return row->whole ? ai_rsp_read_item(d, item, &ev->item)
                      : ai_rsp_read_added(d, item, &ev->item);
}


static ai_int_t
ai_rsp_on_note(ai_decode_t *d, ai_rsp_event_t *ev, const ai_rsp_row_t *row)
{
    ai_int_t        rc;
    ai_rsp_item_t  *item;

    rc = ai_rsp_event_find(d, ev, &item);

    if (rc != AI_OK) {
        return rc;
    }

    item->notes = 1;

    return ai_rsp_tell_note(d, &ev->annotation);
}


/* there are providers whose only event this is */

static ai_int_t
ai_rsp_on_end(ai_decode_t *d, ai_rsp_event_t *ev, const ai_rsp_row_t *row)
{
    ai_int_t          rc;
    ai_json_t         error;
    ai_rsp_decode_t  *s;

    s = d->state;

    if (ev->response.type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    if (ai_json_get(&ev->response, "error", &error) == AI_OK
        && ai_rsp_is_error(&error))
    {
        return ai_emit_error(d, &error);
    }

    if (!s->content) {
        rc = ai_rsp_read_start(d, &ev->response);

        if (rc == AI_OK) {
            rc = ai_rsp_read_output(d, &ev->response);
        }

        if (rc != AI_OK) {
            return rc;
        }
    }

    rc = ai_rsp_read_end(d, &ev->response);

    if (rc != AI_OK) {
        return rc;
    }

    return ai_emit_end(d);
}


/* Azure says what it was in an event behind the one that there was an error */

static ai_int_t
ai_rsp_on_failed(ai_decode_t *d, ai_rsp_event_t *ev, const ai_rsp_row_t *row)
{
    ai_json_t         error;
    ai_rsp_decode_t  *s;

    if (ai_json_get(&ev->response, "error", &error) == AI_OK
        && ai_rsp_is_error(&error))
    {
        return ai_emit_error(d, &error);
    }

    s = d->state;
    s->failed = 1;

    return AI_OK;
}


static ai_int_t
ai_rsp_on_error(ai_decode_t *d, ai_rsp_event_t *ev, const ai_rsp_row_t *row)
{
    ai_rsp_decode_t  *s;

    s = d->state;
    s->failed = 0;

    return ai_emit_error(d, ev->root);
}

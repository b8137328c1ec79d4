
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_order.h"


static ai_order_choice_t *ai_order_choice(ai_order_t *o, ai_uint_t n);
static ai_int_t ai_order_start(ai_order_t *o, const ai_delta_t *delta);
static ai_int_t ai_order_begin(ai_order_t *o);
static ai_int_t ai_order_content(ai_order_t *o, ai_order_choice_t *ch,
    const ai_delta_t *delta);
static ai_int_t ai_order_hold(ai_order_t *o, ai_order_choice_t *ch,
    const ai_delta_t *delta);
static ai_int_t ai_order_call(ai_order_t *o, ai_order_choice_t *ch,
    const ai_delta_t *delta);
static ai_int_t ai_order_args(ai_order_t *o, ai_order_choice_t *ch,
    const ai_delta_t *delta);
static ai_int_t ai_order_call_end(ai_order_t *o, ai_order_choice_t *ch,
    ai_block_t *b);
static ai_int_t ai_order_open(ai_order_t *o, ai_order_choice_t *ch,
    ai_block_t *b, const ai_delta_t *head);
static ai_int_t ai_order_close(ai_order_t *o, ai_order_choice_t *ch);
static ai_int_t ai_order_pump(ai_order_t *o, ai_order_choice_t *ch);
static ai_int_t ai_order_held(ai_order_t *o, ai_block_t *b);
static ai_int_t ai_order_end(ai_order_t *o);
static ai_int_t ai_order_finish(ai_order_t *o, ai_uint_t i);
static ai_block_t *ai_order_find(ai_order_choice_t *ch, ai_uint_t key);
static ai_block_t *ai_order_block(ai_order_t *o, const ai_delta_t *head);
static ai_int_t ai_order_copy(ai_order_t *o, const ai_mstr_t *from,
    ai_mstr_t *to);
static ai_int_t ai_order_append(ai_order_t *o, ai_block_t *b,
    const ai_mstr_t *text);
static void ai_order_scan(ai_block_t *b, const ai_mstr_t *text);
static u_char ai_order_char(u_char **pos, u_char *last);


void
ai_order_init(ai_order_t *o, ai_alloc_t *a, size_t max, ai_delta_pt sink,
    void *data)
{
    memset(o, 0, sizeof(ai_order_t));

    o->alloc = a;
    o->max = max;
    o->sink = sink;
    o->data = data;
}


/* nearly all answers have one */

static ai_order_choice_t *
ai_order_choice(ai_order_t *o, ai_uint_t n)
{
    ai_order_choice_t  *ch;

    ch = o->choices[n];

    if (ch != NULL) {
        return ch;
    }

    ch = ai_alloc(o->alloc, sizeof(ai_order_choice_t));

    if (ch == NULL) {
        return NULL;
    }

    memset(ch, 0, sizeof(ai_order_choice_t));

    ch->last = &ch->wait;
    o->choices[n] = ch;

    if (o->nchoices <= n) {
        o->nchoices = n + 1;
    }

    return ch;
}


ai_int_t
ai_order(ai_order_t *o, const ai_delta_t *delta)
{
    ai_block_t         *b;
    ai_order_choice_t  *ch;

    if (o->ended) {
        o->lost++;
        return AI_OK;
    }

    switch (delta->type) {

    case AI_DELTA_START:
        return ai_order_start(o, delta);

    case AI_DELTA_USAGE:
        o->usage = delta->usage;
        return AI_OK;

    case AI_DELTA_END:
        return ai_order_end(o);

    default:
        break;
    }

    if (delta->choice >= AI_ORDER_CHOICES) {
        o->lost++;
        return AI_OK;
    }

    ch = ai_order_choice(o, delta->choice);

    if (ch == NULL) {
        return AI_ERROR;
    }

    switch (delta->type) {

    case AI_DELTA_FINISH:

        /* of two the first one is meant, unless it said nothing */

        if (ch->finished && ch->finish != AI_FINISH_STOP) {
            return AI_OK;
        }

        ch->finished = 1;
        ch->finish = delta->finish;

        if (ai_order_copy(o, &delta->native, &ch->native) != AI_OK) {
            return AI_ERROR;
        }

        return ai_order_copy(o, &delta->text, &ch->sequence);

    case AI_DELTA_CALL:
        return ai_order_call(o, ch, delta);

    case AI_DELTA_ARGS:
        return ai_order_args(o, ch, delta);

    case AI_DELTA_CALL_END:
        b = ai_order_find(ch, delta->call);
        return b ? ai_order_call_end(o, ch, b) : AI_OK;

    default:
        return ai_order_content(o, ch, delta);
    }
}


ai_uint_t
ai_order_finished(ai_order_t *o)
{
    ai_uint_t  i;

    for (i = 0; i < o->nchoices; i++) {
        if (o->choices[i] != NULL && !o->choices[i]->finished) {
            return 0;
        }
    }

    return o->nchoices != 0;
}


/*
 * What the answer is called is taken from whichever chunk tells it first;
 * told to the encoder with the first thing that says more.
 */

static ai_int_t
ai_order_start(ai_order_t *o, const ai_delta_t *delta)
{
    if (delta->created != 0 && o->created == 0) {
        o->created = delta->created;
    }

    if (ai_mstr_empty(&o->id)
        && ai_order_copy(o, &delta->id, &o->id) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_mstr_empty(&o->model)) {
        return ai_order_copy(o, &delta->name, &o->model);
    }

    return AI_OK;
}


static ai_int_t
ai_order_begin(ai_order_t *o)
{
    ai_delta_t  start;

    if (o->started) {
        return AI_OK;
    }

    o->started = 1;

    ai_delta_init(&start, AI_DELTA_START);

    start.id = o->id;
    start.name = o->model;
    start.created = o->created;

    return o->sink(o->data, &start);
}


static ai_int_t
ai_order_content(ai_order_t *o, ai_order_choice_t *ch,
    const ai_delta_t *delta)
{
    if (ai_order_begin(o) != AI_OK) {
        return AI_ERROR;
    }

    if (ch->open == NULL
        || delta->type == AI_DELTA_CITATION
        || delta->type == AI_DELTA_LOGPROBS)
    {
        return o->sink(o->data, delta);
    }

    if (ch->open->whole || ch->open->head.custom) {

        if (ai_order_close(o, ch) != AI_OK || ai_order_pump(o, ch) != AI_OK) {
            return AI_ERROR;
        }

        if (ch->open == NULL) {
            return o->sink(o->data, delta);
        }
    }

    return ai_order_hold(o, ch, delta);
}


/* content in the middle of a call waits until that is over */

static ai_int_t
ai_order_hold(ai_order_t *o, ai_order_choice_t *ch, const ai_delta_t *delta)
{
    ai_block_t  *b;

    b = ch->wait ? (ai_block_t *) (void *) ((u_char *) ch->last
                                            - offsetof(ai_block_t, next))
                 : NULL;

    if (b == NULL || b->head.type != delta->type
        || (delta->type != AI_DELTA_TEXT
            && delta->type != AI_DELTA_REASONING
            && delta->type != AI_DELTA_REFUSAL))
    {
        b = ai_order_block(o, delta);

        if (b == NULL) {
            return AI_ERROR;
        }

        *ch->last = b;
        ch->last = &b->next;
    }

    return ai_order_append(o, b, &delta->text);
}


static ai_int_t
ai_order_call(ai_order_t *o, ai_order_choice_t *ch, const ai_delta_t *delta)
{
    ai_block_t  *b;

    /* some providers repeat the head of a call with each piece of it */

    if (ai_order_find(ch, delta->call) != NULL) {
        return AI_OK;
    }

    if (ch->ncalls == AI_ORDER_CALLS || ai_order_begin(o) != AI_OK) {
        return AI_ERROR;
    }

    b = ai_order_block(o, delta);

    if (b == NULL) {
        return AI_ERROR;
    }

    b->key = delta->call;
    b->head.call = ch->ncalls++;
    b->older = ch->calls;
    ch->calls = b;

    if (ch->open != NULL && (ch->open->whole || ch->open->head.custom)) {

        if (ai_order_close(o, ch) != AI_OK || ai_order_pump(o, ch) != AI_OK) {
            return AI_ERROR;
        }
    }

    if (ch->open == NULL) {
        return ai_order_open(o, ch, b, delta);
    }

    *ch->last = b;
    ch->last = &b->next;

    return AI_OK;
}


static ai_int_t
ai_order_args(ai_order_t *o, ai_order_choice_t *ch, const ai_delta_t *delta)
{
    ai_delta_t   args;
    ai_block_t  *b;

    b = ai_order_find(ch, delta->call);

    if (b == NULL || b->closed) {
        o->lost++;
        return AI_OK;
    }

    if (ai_mstr_empty(&delta->text)) {
        return AI_OK;
    }

    b->any = 1;

    if (!b->head.custom) {
        ai_order_scan(b, &delta->text);
    }

    if (b != ch->open) {
        return ai_order_append(o, b, &delta->text);
    }

    args = *delta;
    args.call = b->head.call;
    args.custom = b->head.custom;

    return o->sink(o->data, &args);
}


static ai_int_t
ai_order_call_end(ai_order_t *o, ai_order_choice_t *ch, ai_block_t *b)
{
    b->ended = 1;

    if (b != ch->open) {
        return AI_OK;
    }

    if (ai_order_close(o, ch) != AI_OK) {
        return AI_ERROR;
    }

    return ai_order_pump(o, ch);
}


static ai_int_t
ai_order_open(ai_order_t *o, ai_order_choice_t *ch, ai_block_t *b,
    const ai_delta_t *head)
{
    ai_delta_t  call;

    ch->open = b;

    call = *head;
    call.call = b->head.call;

    return o->sink(o->data, &call);
}


/* a call without arguments is one with none, an empty object */

static ai_int_t
ai_order_close(ai_order_t *o, ai_order_choice_t *ch)
{
    ai_block_t  *b;
    ai_delta_t   delta;

    b = ch->open;
    ch->open = NULL;
    b->closed = 1;

    if (!b->any && !b->head.custom) {
        ai_delta_init(&delta, AI_DELTA_ARGS);

        delta.choice = b->head.choice;
        delta.call = b->head.call;
        delta.text = ai_mstr_cstr("{}");

        if (o->sink(o->data, &delta) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_delta_init(&delta, AI_DELTA_CALL_END);

    delta.choice = b->head.choice;
    delta.call = b->head.call;
    delta.custom = b->head.custom;

    return o->sink(o->data, &delta);
}


/* no call is open: what waits, up to a call that is still to go on */

static ai_int_t
ai_order_pump(ai_order_t *o, ai_order_choice_t *ch)
{
    ai_block_t  *b;

    while (ch->open == NULL && ch->wait != NULL) {

        b = ch->wait;
        ch->wait = b->next;

        if (ch->wait == NULL) {
            ch->last = &ch->wait;
        }

        if (b->head.type != AI_DELTA_CALL) {

            if (ai_order_held(o, b) != AI_OK) {
                return AI_ERROR;
            }

            continue;
        }

        if (ai_order_open(o, ch, b, &b->head) != AI_OK
            || ai_order_held(o, b) != AI_OK)
        {
            return AI_ERROR;
        }

        if ((b->ended || b->whole) && ai_order_close(o, ch) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_order_held(ai_order_t *o, ai_block_t *b)
{
    ai_int_t    rc;
    ai_delta_t  delta;

    delta = b->head;

    if (b->head.type == AI_DELTA_CALL) {

        if (b->held.start == NULL) {
            return AI_OK;
        }

        ai_delta_init(&delta, AI_DELTA_ARGS);

        delta.choice = b->head.choice;
        delta.call = b->head.call;
        delta.custom = b->head.custom;
    }

    if (b->held.start != NULL) {
        delta.text.json = 1;

        if (ai_buf_get(&b->held, &delta.text.s) != AI_OK) {
            return AI_ERROR;
        }
    }

    rc = o->sink(o->data, &delta);

    o->size -= ai_buf_len(&b->held);
    ai_buf_reset(&b->held);

    return rc;
}


static ai_int_t
ai_order_end(ai_order_t *o)
{
    ai_uint_t   i;
    ai_delta_t  delta;

    if (ai_order_begin(o) != AI_OK) {
        return AI_ERROR;
    }

    o->ended = 1;

    for (i = 0; i < o->nchoices; i++) {
        if (o->choices[i] != NULL && ai_order_finish(o, i) != AI_OK) {
            return AI_ERROR;
        }
    }

    if (o->nchoices == 0 && ai_order_finish(o, 0) != AI_OK) {
        return AI_ERROR;
    }

    if (o->usage.source != AI_USAGE_NONE) {
        ai_delta_init(&delta, AI_DELTA_USAGE);
        delta.usage = o->usage;

        if (o->sink(o->data, &delta) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_delta_init(&delta, AI_DELTA_END);

    return o->sink(o->data, &delta);
}


static ai_int_t
ai_order_finish(ai_order_t *o, ai_uint_t i)
{
    ai_delta_t          finish;
    ai_order_choice_t  *ch;

    ch = ai_order_choice(o, i);

    if (ch == NULL) {
        return AI_ERROR;
    }

    while (ch->open != NULL) {
        if (ai_order_close(o, ch) != AI_OK || ai_order_pump(o, ch) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_delta_init(&finish, AI_DELTA_FINISH);

    finish.choice = i;
    finish.finish = ch->finish;
    finish.native = ch->native;
    finish.text = ch->sequence;

    /* none was told, or one that leaves the calls out */

    if (finish.finish == AI_FINISH_NONE) {
        finish.finish = AI_FINISH_STOP;
    }

    if (finish.finish == AI_FINISH_STOP && ch->ncalls != 0) {
        finish.finish = AI_FINISH_TOOLS;

    } else if (finish.finish == AI_FINISH_TOOLS && ch->ncalls == 0) {
        finish.finish = AI_FINISH_STOP;
    }

    return o->sink(o->data, &finish);
}


static ai_block_t *
ai_order_find(ai_order_choice_t *ch, ai_uint_t key)
{
    ai_block_t  *b;

    for (b = ch->calls; b != NULL; b = b->older) {
        if (b->key == key) {
            return b;
        }
    }

    return NULL;
}


/* the strings of its head outlive the event, text is for append() */

static ai_block_t *
ai_order_block(ai_order_t *o, const ai_delta_t *head)
{
    ai_block_t  *b;

    b = ai_alloc(o->alloc, sizeof(ai_block_t));

    if (b == NULL) {
        return NULL;
    }

    memset(b, 0, sizeof(ai_block_t));

    b->head = *head;
    b->head.text.s.len = 0;

    if (ai_order_copy(o, &head->id, &b->head.id) != AI_OK
        || ai_order_copy(o, &head->name, &b->head.name) != AI_OK
        || ai_order_copy(o, &head->media_type, &b->head.media_type) != AI_OK
        || ai_order_copy(o, &head->url, &b->head.url) != AI_OK
        || ai_order_copy(o, &head->state, &b->head.state) != AI_OK
        || ai_order_copy(o, &head->state_id, &b->head.state_id) != AI_OK)
    {
        return NULL;
    }

    return b;
}


static ai_int_t
ai_order_copy(ai_order_t *o, const ai_mstr_t *from, ai_mstr_t *to)
{
    if (from->s.len > o->max) {
        return AI_ERROR;
    }

    return ai_mstr_copy(from, o->alloc, to);
}


static ai_int_t
ai_order_append(ai_order_t *o, ai_block_t *b, const ai_mstr_t *text)
{
    size_t  len;

    if (b->held.start == NULL) {
        ai_buf_init(&b->held, o->alloc, o->max);
    }

    len = ai_buf_len(&b->held);
    ai_buf_chars(&b->held, text);
    o->size += ai_buf_len(&b->held) - len;

    return (b->held.failed || o->size > o->max) ? AI_ERROR : AI_OK;
}


/*
 * Whether the arguments are complete: the bracket that they began with is
 * closed.  Pieces are cut anywhere, except within an escape of JSON.
 */

static void
ai_order_scan(ai_block_t *b, const ai_mstr_t *text)
{
    u_char   c, *p, *last;

    p = text->s.data;
    last = p + text->s.len;

    while (p < last) {

        c = *p++;

        if (c == '\\' && text->json) {
            c = ai_order_char(&p, last);
        }

        if (b->string) {

            if (b->escape) {
                b->escape = 0;

            } else if (c == '\\') {
                b->escape = 1;

            } else if (c == '"') {
                b->string = 0;
            }

            continue;
        }

        switch (c) {

        case '"':
            b->string = 1;
            break;

        case '{': case '[':
            b->depth++;
            break;

        case '}': case ']':
            if (b->depth != 0 && --b->depth == 0) {
                b->whole = 1;
            }

            break;

        default:
            break;
        }
    }
}


/* the character of an escape, behind its backslash; any that is no ASCII is
 * as good as a letter */

static u_char
ai_order_char(u_char **pos, u_char *last)
{
    u_char     c, d, *p;
    ai_uint_t  i, n;

    p = *pos;

    if (p == last) {
        return '\\';
    }

    c = *p++;

    if (c == 'u' && last - p >= 4) {
        n = 0;

        for (i = 0; i < 4; i++) {
            d = (u_char) (*p++ | 0x20);
            n = n * 16 + (ai_uint_t) (d <= '9' ? d - '0' : d - 'a' + 10);
        }

        c = (u_char) (n < 0x80 ? n : 'x');

    } else if (c != '"' && c != '\\' && c != '/') {
        c = ' ';
    }

    *pos = p;

    return c;
}

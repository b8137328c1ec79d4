
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Deltas to an answer that is whole.
 */


#include "ai_wire.h"


static ai_int_t ai_collect_part(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta);
static ai_int_t ai_collect_words(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta, ai_part_e type);
static ai_int_t ai_collect_state(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta);
static ai_int_t ai_collect_call(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta);
static ai_int_t ai_collect_args(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta);
static ai_int_t ai_collect_citation(ai_collect_t *c,
    ai_answer_choice_t *choice, const ai_delta_t *delta);
static ai_part_t *ai_collect_last(ai_answer_choice_t *choice);
static ai_part_t *ai_collect_add(ai_collect_t *c, ai_answer_choice_t *choice,
    ai_part_e type);
static ai_int_t ai_collect_grow(ai_collect_t *c, ai_mstr_t *to,
    const ai_mstr_t *text);
static ai_int_t ai_collect_keep(ai_collect_t *c, const ai_mstr_t *text,
    ai_mstr_t *to);
static ai_int_t ai_collect_raw(ai_collect_t *c, const ai_str_t *raw,
    ai_str_t *to);


void
ai_collect_init(ai_collect_t *c, ai_answer_t *answer, ai_alloc_t *a,
    size_t max, ai_uint_t stable)
{
    ai_uint_t  i;

    memset(c, 0, sizeof(ai_collect_t));
    memset(answer, 0, sizeof(ai_answer_t));

    for (i = 0; i < AI_ANSWER_CHOICES; i++) {
        answer->choices[i].last = &answer->choices[i].parts;
        answer->choices[i].last_citation = &answer->choices[i].citations;
    }

    c->answer = answer;
    c->alloc = a;
    c->max = max;
    c->stable = stable ? 1 : 0;
}


ai_int_t
ai_collect(ai_collect_t *c, const ai_delta_t *delta)
{
    ai_answer_t         *answer;
    ai_answer_choice_t  *choice;

    answer = c->answer;

    switch (delta->type) {

    case AI_DELTA_START:
        answer->created = delta->created;

        if (ai_collect_keep(c, &delta->id, &answer->id) != AI_OK) {
            return AI_ERROR;
        }

        return ai_collect_keep(c, &delta->name, &answer->model);

    case AI_DELTA_USAGE:
        answer->usage = delta->usage;
        return AI_OK;

    case AI_DELTA_END:
        ai_collect_end(c);
        return AI_OK;

    case AI_DELTA_ERROR:
        return AI_OK;

    default:
        break;
    }

    if (delta->choice >= AI_ANSWER_CHOICES) {
        return AI_OK;
    }

    choice = &answer->choices[delta->choice];

    if (answer->nchoices <= delta->choice) {
        answer->nchoices = delta->choice + 1;
    }

    if (delta->type != AI_DELTA_FINISH) {
        return ai_collect_part(c, choice, delta);
    }

    choice->finish = delta->finish;

    if (ai_collect_keep(c, &delta->native, &choice->native) != AI_OK) {
        return AI_ERROR;
    }

    return ai_collect_keep(c, &delta->text, &choice->sequence);
}


static ai_int_t
ai_collect_part(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta)
{
    ai_part_t  *part;

    switch (delta->type) {

    case AI_DELTA_TEXT:
        return ai_collect_words(c, choice, delta, AI_PART_TEXT);

    case AI_DELTA_REASONING:
        return ai_collect_words(c, choice, delta, AI_PART_REASONING);

    case AI_DELTA_REFUSAL:
        return ai_collect_words(c, choice, delta, AI_PART_REFUSAL);

    case AI_DELTA_STATE:
        return ai_collect_state(c, choice, delta);

    case AI_DELTA_CALL:
        return ai_collect_call(c, choice, delta);

    case AI_DELTA_ARGS:
        return ai_collect_args(c, choice, delta);

    case AI_DELTA_CALL_END:
        ai_collect_end(c);
        return AI_OK;

    case AI_DELTA_IMAGE:
        part = ai_collect_add(c, choice, AI_PART_IMAGE);

        if (part == NULL
            || ai_collect_keep(c, &delta->text, &part->data) != AI_OK
            || ai_collect_keep(c, &delta->url, &part->url) != AI_OK)
        {
            return AI_ERROR;
        }

        return ai_collect_keep(c, &delta->media_type, &part->media_type);

    case AI_DELTA_CITATION:
        return ai_collect_citation(c, choice, delta);

    case AI_DELTA_LOGPROBS:
        return ai_collect_raw(c, &delta->raw, &choice->logprobs);

    default:
        return AI_OK;
    }
}


/* what goes on with the part before it is appended there */

static ai_int_t
ai_collect_words(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta, ai_part_e type)
{
    ai_part_t  *part;

    part = ai_collect_last(choice);

    if (part == NULL || part->type != type
        || part->state_kind != AI_STATE_NONE)
    {
        part = ai_collect_add(c, choice, type);

        if (part == NULL) {
            return AI_ERROR;
        }

        if (c->stable) {
            return ai_collect_keep(c, &delta->text, &part->text);
        }
    }

    if (c->part != part) {
        ai_collect_end(c);
        c->part = part;
    }

    return ai_collect_grow(c, &part->text, &delta->text);
}


/* ends the reasoning before it, or is one without words */

static ai_int_t
ai_collect_state(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta)
{
    ai_part_t  *part;

    part = ai_collect_last(choice);

    if (part == NULL || part->type != AI_PART_REASONING
        || part->state_kind != AI_STATE_NONE
        || delta->state_kind == AI_STATE_REDACTED)
    {
        part = ai_collect_add(c, choice, AI_PART_REASONING);

        if (part == NULL) {
            return AI_ERROR;
        }
    }

    part->state_kind = delta->state_kind;

    if (ai_collect_keep(c, &delta->state, &part->state) != AI_OK) {
        return AI_ERROR;
    }

    return ai_collect_keep(c, &delta->state_id, &part->state_id);
}


static ai_int_t
ai_collect_call(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta)
{
    ai_part_t  *part;

    part = ai_collect_add(c, choice, AI_PART_CALL);

    if (part == NULL) {
        return AI_ERROR;
    }

    part->custom = delta->custom;
    part->state_kind = delta->state_kind;
    c->part = part;

    if (ai_collect_keep(c, &delta->id, &part->id) != AI_OK
        || ai_collect_keep(c, &delta->name, &part->name) != AI_OK
        || ai_collect_keep(c, &delta->state, &part->state) != AI_OK)
    {
        return AI_ERROR;
    }

    return AI_OK;
}


/* they follow their call, see ai_delta_t */

static ai_int_t
ai_collect_args(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta)
{
    ai_part_t  *part;

    part = ai_collect_last(choice);

    if (part == NULL || part->type != AI_PART_CALL) {
        return AI_OK;
    }

    if (c->stable && ai_mstr_empty(&part->args)) {
        return ai_collect_keep(c, &delta->text, &part->args);
    }

    if (c->part != part) {
        ai_collect_end(c);
        c->part = part;
    }

    return ai_collect_grow(c, &part->args, &delta->text);
}


static ai_int_t
ai_collect_citation(ai_collect_t *c, ai_answer_choice_t *choice,
    const ai_delta_t *delta)
{
    ai_citation_t  *cite;

    cite = ai_alloc(c->alloc, sizeof(ai_citation_t));

    if (cite == NULL) {
        return AI_ERROR;
    }

    memset(cite, 0, sizeof(ai_citation_t));

    cite->from = delta->from;
    cite->to = delta->to;

    if (ai_collect_keep(c, &delta->url, &cite->url) != AI_OK
        || ai_collect_keep(c, &delta->name, &cite->title) != AI_OK
        || ai_collect_keep(c, &delta->text, &cite->text) != AI_OK)
    {
        return AI_ERROR;
    }

    *choice->last_citation = cite;
    choice->last_citation = &cite->next;

    return AI_OK;
}


static ai_part_t *
ai_collect_last(ai_answer_choice_t *choice)
{
    if (choice->parts == NULL) {
        return NULL;
    }

    return (ai_part_t *) (void *) ((u_char *) choice->last
                                   - offsetof(ai_part_t, next));
}


static ai_part_t *
ai_collect_add(ai_collect_t *c, ai_answer_choice_t *choice, ai_part_e type)
{
    ai_part_t  *part;

    ai_collect_end(c);

    /* parts of one byte each must not take all memory either */

    if (c->max - c->size < sizeof(ai_part_t)) {
        return NULL;
    }

    c->size += sizeof(ai_part_t);

    part = ai_part_create(c->alloc, type);

    if (part != NULL) {
        *choice->last = part;
        choice->last = &part->next;
    }

    return part;
}


void
ai_collect_end(ai_collect_t *c)
{
    if (c->part == NULL) {
        return;
    }

    c->part = NULL;

    /* what was written is the part's, the next one gets memory of its own */

    c->text.start = NULL;
    c->text.pos = NULL;
    c->text.end = NULL;
}


/* appends to the characters of c->part, which are then of JSON */

static ai_int_t
ai_collect_grow(ai_collect_t *c, ai_mstr_t *to, const ai_mstr_t *text)
{
    if (text->s.len > c->max - c->size) {
        return AI_ERROR;
    }

    c->size += text->s.len;

    if (c->text.start == NULL) {
        ai_buf_init(&c->text, c->alloc, c->max * 2);
        ai_buf_chars(&c->text, to);
    }

    ai_buf_chars(&c->text, text);

    to->json = 1;

    return ai_buf_get(&c->text, &to->s);
}


static ai_int_t
ai_collect_keep(ai_collect_t *c, const ai_mstr_t *text, ai_mstr_t *to)
{
    if (c->stable) {
        *to = *text;
        return AI_OK;
    }

    if (text->s.len > c->max - c->size) {
        return AI_ERROR;
    }

    c->size += text->s.len;

    return ai_mstr_copy(text, c->alloc, to);
}


/* arrays of tokens come in pieces, which are joined into one */

static ai_int_t
ai_collect_raw(ai_collect_t *c, const ai_str_t *raw, ai_str_t *to)
{
    size_t   len;
    u_char  *p;

    if (raw->len < 2) {
        return AI_OK;
    }

    if (to->len <= 2 && c->stable) {
        *to = *raw;
        return AI_OK;
    }

    len = to->len + raw->len + 1;

    if (len > c->max - c->size) {
        return AI_ERROR;
    }

    c->size += len;
    p = ai_alloc(c->alloc, len);

    if (p == NULL) {
        return AI_ERROR;
    }

    if (to->len <= 2) {
        memcpy(p, raw->data, raw->len);
        to->len = raw->len;

    } else {
        memcpy(p, to->data, to->len - 1);
        p[to->len - 1] = ',';
        memcpy(p + to->len, raw->data + 1, raw->len - 1);
        to->len += raw->len - 1;
    }

    to->data = p;

    return AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Whether a model behind Bedrock Converse is to think, and how much of it:
 * wire-formats.md 2.4.
 */


#include "wire_converse.h"


#define AI_CONVERSE_MIN_BUDGET  1024


static ai_uint_t ai_converse_plan_claude(ai_converse_write_t *w);
static ai_uint_t ai_converse_plan_budget(ai_converse_write_t *w);
static ai_effort_e ai_converse_asked(ai_converse_write_t *w);
static ai_uint_t ai_converse_forced(const ai_converse_write_t *w);
static ai_uint_t ai_converse_lost(const ai_converse_write_t *w);


void
ai_converse_plan(ai_converse_write_t *w)
{
    ai_request_t  *req;

    req = w->req;

    if (req->effort == AI_EFFORT_NONE) {

        if (ai_converse_is(w, AI_CAPS_ADAPTIVE)) {
            w->think = AI_CONVERSE_THINK_OFF;
        }

        return;
    }

    if (req->effort == AI_EFFORT_UNSET && req->budget.len == 0
        && !req->adaptive)
    {
        return;
    }

    w->effort = ai_converse_asked(w);

    if (ai_converse_is(w, AI_CAPS_CLAUDE)) {

        if (ai_converse_plan_claude(w)) {
            return;
        }

        if (ai_converse_is(w, AI_CAPS_ADAPTIVE)) {
            w->think = AI_CONVERSE_THINK_OFF;
        }

    } else if (ai_converse_is(w, AI_CAPS_NOVA2 | AI_CAPS_EFFORT)) {
        w->think = ai_converse_is(w, AI_CAPS_NOVA2)
                   ? AI_CONVERSE_THINK_NOVA : AI_CONVERSE_THINK_EFFORT;

        if (w->effort == AI_EFFORT_UNSET) {
            w->effort = AI_EFFORT_MEDIUM;

        } else if (w->effort > AI_EFFORT_HIGH) {
            w->effort = AI_EFFORT_HIGH;

        } else if (w->effort < AI_EFFORT_LOW) {
            w->effort = AI_EFFORT_LOW;
        }

        return;
    }

    ai_report_drop(w->rep, "reasoning_effort");
}


static ai_effort_e
ai_converse_asked(ai_converse_write_t *w)
{
    if (w->req->effort != AI_EFFORT_UNSET || w->req->budget.len == 0) {
        return w->req->effort;
    }

    return ai_effort_budget(ai_converse_uint(&w->req->budget));
}


static ai_uint_t
ai_converse_plan_claude(ai_converse_write_t *w)
{
    ai_request_t  *req;

    req = w->req;

    if (ai_converse_forced(w)) {
        return 0;
    }

    if (!ai_converse_is(w, AI_CAPS_ADAPTIVE)
        || (ai_converse_is(w, AI_CAPS_BUDGET) && req->budget.len != 0
            && !req->adaptive))
    {
        return ai_converse_is(w, AI_CAPS_BUDGET)
               && ai_converse_plan_budget(w);
    }

    if (w->effort == AI_EFFORT_NONE) {
        return 0;
    }

    w->think = AI_CONVERSE_THINK_ADAPTIVE;

    if (w->effort == AI_EFFORT_MINIMAL) {
        w->effort = AI_EFFORT_LOW;
    }

    if (w->effort == AI_EFFORT_XHIGH && ai_converse_is(w, AI_CAPS_NO_XHIGH)) {
        w->effort = AI_EFFORT_HIGH;
    }

    return 1;
}


/*
 * A budget must be 1024 at least, and leave something for the answer.  If no
 * limit is told, Bedrock takes the model's own, which is far above it.
 */

static ai_uint_t
ai_converse_plan_budget(ai_converse_write_t *w)
{
    uint64_t  max, limit;

    if (ai_converse_lost(w)) {
        return 0;
    }

    if (w->req->budget.len != 0) {
        w->budget = ai_converse_uint(&w->req->budget);

    } else {
        w->budget = ai_budget_effort(w->effort != AI_EFFORT_UNSET
                                     ? w->effort : AI_EFFORT_HIGH);
    }

    if (w->budget < AI_CONVERSE_MIN_BUDGET) {
        w->budget = AI_CONVERSE_MIN_BUDGET;
    }

    if (w->budget > AI_USAGE_MAX) {
        w->budget = AI_USAGE_MAX;
    }

    limit = w->target->caps.max_output;
    max = limit;

    if (w->req->max_tokens.len != 0) {
        max = ai_converse_uint(&w->req->max_tokens);

        if (w->budget >= max) {

            if (limit < max || limit - max >= w->budget) {
                max += w->budget;

            } else {
                max = limit;
            }

            w->max_tokens = max;
        }
    }

    if (w->budget >= max) {
        w->budget = max / 2;
    }

    if (w->budget < AI_CONVERSE_MIN_BUDGET) {
        w->max_tokens = 0;
        return 0;
    }

    w->think = AI_CONVERSE_THINK_BUDGET;
    w->effort = AI_EFFORT_UNSET;

    return 1;
}


/* thinking allows neither a forced call (mistake 22) nor an answer that has
 * begun */

static ai_uint_t
ai_converse_forced(const ai_converse_write_t *w)
{
    const ai_message_t  *m;

    if (w->answer
        || (w->ntools != 0 && (w->req->choice == AI_CHOICE_REQUIRED
                               || w->req->choice == AI_CHOICE_NAMED)))
    {
        return 1;
    }

    for (m = w->req->messages; m != NULL; m = m->next) {
        if (m->next == NULL && m->role == AI_ROLE_ASSISTANT) {
            return 1;
        }
    }

    return 0;
}


/*
 * A model that thinks by budget must find what it thought before its calls,
 * as long as it goes on with their results: all since a user's last words,
 * not counting those that come along with results.
 */

static ai_uint_t
ai_converse_lost(const ai_converse_write_t *w)
{
    ai_uint_t            calls, kept;
    const ai_part_t     *part;
    const ai_message_t  *m, *prev;

    calls = 0;
    kept = 0;
    prev = NULL;

    for (m = w->req->messages; m != NULL; prev = m, m = m->next) {

        if (m->role == AI_ROLE_USER
            && (prev == NULL || prev->role != AI_ROLE_TOOL
                || m->next != NULL))
        {
            calls = 0;
            kept = 0;
        }

        if (m->role != AI_ROLE_ASSISTANT) {
            continue;
        }

        for (part = m->parts; part != NULL; part = part->next) {

            calls |= (part->type == AI_PART_CALL);

            kept |= (part->type == AI_PART_REASONING
                     && (part->state_kind == AI_STATE_ANTHROPIC
                         || part->state_kind == AI_STATE_REDACTED));
        }
    }

    return calls && !kept;
}


uint64_t
ai_converse_uint(const ai_str_t *number)
{
    uint64_t   n;
    ai_json_t  v;

    memset(&v, 0, sizeof(ai_json_t));

    v.type = AI_JSON_NUMBER;
    v.start = number->data;
    v.end = number->data + number->len;

    return (ai_json_uint(&v, &n) == AI_OK) ? n : 0;
}

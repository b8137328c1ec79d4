
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Whether a model behind Bedrock Converse is to think, and how much of it:
 * wire-formats.md 2.4.
 */


#include "wire_converse.h"


static ai_uint_t ai_converse_plan_claude(ai_converse_write_t *w);
static ai_uint_t ai_converse_plan_budget(ai_converse_write_t *w);


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

    if (!ai_wire_thinks(req)) {
        return;
    }

    w->effort = ai_wire_effort(req);

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


static ai_uint_t
ai_converse_plan_claude(ai_converse_write_t *w)
{
    ai_request_t  *req;

    req = w->req;

    if (ai_claude_forced(req, w->ntools, w->answer)) {
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
    w->effort = ai_claude_effort(w->effort, w->target->caps.flags);

    return 1;
}


/* if no limit is told, Bedrock takes the model's own */

static ai_uint_t
ai_converse_plan_budget(ai_converse_write_t *w)
{
    uint64_t  max, asked, limit;

    limit = w->target->caps.max_output;
    asked = (w->req->max_tokens.len != 0) ? ai_wire_uint(&w->req->max_tokens)
                                          : limit;
    max = asked;

    w->budget = ai_claude_budget(w->req, limit, &max);

    if (w->budget == 0) {
        return 0;
    }

    if (max != asked) {
        w->max_tokens = max;
    }

    w->think = AI_CONVERSE_THINK_BUDGET;
    w->effort = AI_EFFORT_UNSET;

    return 1;
}

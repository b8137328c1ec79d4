
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * How Claude is told to think, which is the same on all ways to it:
 * wire-formats.md 2.4.
 */


#include "wire.h"


#define AI_CLAUDE_MIN_BUDGET  1024


static ai_uint_t ai_claude_lost(const ai_request_t *req);


ai_uint_t
ai_claude_forced(const ai_request_t *req, ai_uint_t tools, ai_uint_t answer)
{
    const ai_message_t  *m;

    if (answer
        || (tools != 0 && (req->choice == AI_CHOICE_REQUIRED
                           || req->choice == AI_CHOICE_NAMED)))
    {
        return 1;
    }

    for (m = req->messages; m != NULL; m = m->next) {
        if (m->next == NULL && m->role == AI_ROLE_ASSISTANT) {
            return 1;
        }
    }

    return 0;
}


ai_effort_e
ai_claude_effort(ai_effort_e effort, ai_uint_t flags)
{
    if (effort == AI_EFFORT_MINIMAL) {
        return AI_EFFORT_LOW;
    }

    if (effort == AI_EFFORT_XHIGH && (flags & AI_CAPS_NO_XHIGH)) {
        return AI_EFFORT_HIGH;
    }

    return effort;
}


/* a budget must be 1024 at least, and leave something for the answer */

uint64_t
ai_claude_budget(const ai_request_t *req, uint64_t limit, uint64_t *max)
{
    uint64_t  budget;

    if (ai_claude_lost(req)) {
        return 0;
    }

    if (req->budget.len != 0) {
        budget = ai_wire_uint(&req->budget);

    } else {
        budget = ai_budget_effort(req->effort != AI_EFFORT_UNSET
                                  ? req->effort : AI_EFFORT_HIGH);
    }

    if (budget < AI_CLAUDE_MIN_BUDGET) {
        budget = AI_CLAUDE_MIN_BUDGET;
    }

    if (budget > AI_USAGE_MAX) {
        budget = AI_USAGE_MAX;
    }

    if (budget >= *max) {

        if (limit < *max || limit - *max >= budget) {
            *max += budget;

        } else {
            *max = limit;
        }
    }

    if (budget >= *max) {
        budget = *max / 2;
    }

    return (budget < AI_CLAUDE_MIN_BUDGET) ? 0 : budget;
}


/*
 * A model that thinks by budget must find what it thought before its calls,
 * as long as it goes on with their results: all since a user's last words,
 * not counting those that come along with results.  One that thinks
 * adaptively is not that strict.
 */

static ai_uint_t
ai_claude_lost(const ai_request_t *req)
{
    ai_uint_t            calls, kept;
    const ai_part_t     *part;
    const ai_message_t  *m, *prev;

    calls = 0;
    kept = 0;
    prev = NULL;

    for (m = req->messages; m != NULL; prev = m, m = m->next) {

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


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request to a provider that speaks Anthropic Messages: Anthropic itself,
 * Claude on Vertex AI and on Bedrock.  wire-formats.md 6.1, 2.4 and 2.5.
 */


#include <stdlib.h>

#include "wire_anthropic.h"


#define AI_ANTHROPIC_MARKERS     4
#define AI_ANTHROPIC_MAX_TOKENS  4096
#define AI_ANTHROPIC_MIN_BUDGET  1024


static ai_int_t ai_anthropic_check(ai_anthropic_write_t *w);
static void ai_anthropic_survey(ai_anthropic_write_t *w);
static ai_uint_t ai_anthropic_marked(const ai_part_t *part);
static void ai_anthropic_plan(ai_anthropic_write_t *w);
static void ai_anthropic_plan_adaptive(ai_anthropic_write_t *w);
static ai_uint_t ai_anthropic_plan_budget(ai_anthropic_write_t *w);
static ai_uint_t ai_anthropic_forced(const ai_anthropic_write_t *w);
static ai_uint_t ai_anthropic_lost(const ai_anthropic_write_t *w);
static void ai_anthropic_put_head(ai_anthropic_write_t *w);
static void ai_anthropic_put_sampling(ai_anthropic_write_t *w);
static void ai_anthropic_put_stops(ai_anthropic_write_t *w);
static void ai_anthropic_put_thinking_mode(ai_anthropic_write_t *w);
static void ai_anthropic_put_output(ai_anthropic_write_t *w);
static void ai_anthropic_put_rest(ai_anthropic_write_t *w);
static uint64_t ai_anthropic_uint(const ai_str_t *number);
static double ai_anthropic_double(const ai_str_t *number);


ai_int_t
ai_anthropic_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    ai_int_t              rc;
    ai_anthropic_write_t  w;

    memset(&w, 0, sizeof(ai_anthropic_write_t));

    w.req = req;
    w.target = t;
    w.out = out;
    w.rep = rep;

    rc = ai_anthropic_check(&w);
    if (rc != AI_OK) {
        return rc;
    }

    ai_anthropic_survey(&w);
    ai_anthropic_plan(&w);

    ai_buf_lit(out, "{");

    ai_anthropic_put_head(&w);

    /* in the order of a prompt, in which cache markers count */

    rc = ai_anthropic_put_tools(&w);
    if (rc != AI_OK) {
        return rc;
    }

    ai_anthropic_put_system(&w);

    rc = ai_anthropic_put_messages(&w);
    if (rc != AI_OK) {
        return rc;
    }

    rc = ai_anthropic_put_choice(&w);
    if (rc != AI_OK) {
        return rc;
    }

    ai_anthropic_put_thinking_mode(&w);
    ai_anthropic_put_output(&w);
    ai_anthropic_put_sampling(&w);
    ai_anthropic_put_stops(&w);
    ai_anthropic_put_rest(&w);

    ai_buf_lit(out, "}");

    return out->failed ? AI_ERROR : AI_OK;
}


/* what there is no member for */

static ai_int_t
ai_anthropic_check(ai_anthropic_write_t *w)
{
    ai_request_t  *req;

    req = w->req;

    if (req->n.len != 0 && ai_anthropic_uint(&req->n) > 1) {
        return ai_report_refuse(w->rep, "n", "the provider of this model "
                                "gives one answer at a time, n must be 1");
    }

    if (ai_str_eq(&req->logprobs, "true")
        || (req->top_logprobs.len != 0
            && ai_anthropic_uint(&req->top_logprobs) != 0))
    {
        return ai_report_refuse(w->rep, "logprobs", "the provider of this "
                                "model tells no log probabilities");
    }

    if (req->presence_penalty.len != 0
        && ai_anthropic_double(&req->presence_penalty) != 0)
    {
        ai_report_drop(w->rep, "presence_penalty");
    }

    if (req->frequency_penalty.len != 0
        && ai_anthropic_double(&req->frequency_penalty) != 0)
    {
        ai_report_drop(w->rep, "frequency_penalty");
    }

    if (req->seed.len != 0) {
        ai_report_drop(w->rep, "seed");
    }

    if (req->logit_bias.len != 0) {
        ai_report_drop(w->rep, "logit_bias");
    }

    if (req->metadata.len != 0) {
        ai_report_drop(w->rep, "metadata");
    }

    if (!ai_mstr_empty(&req->verbosity)) {
        ai_report_drop(w->rep, "verbosity");
    }

    if (!ai_mstr_empty(&req->cache_key)) {
        ai_report_drop(w->rep, "prompt_cache_key");
    }

    if (ai_str_eq(&req->store, "true")) {
        ai_report_drop(w->rep, "store");
    }

    return AI_OK;
}


/* what must be known before anything is written */

static void
ai_anthropic_survey(ai_anthropic_write_t *w)
{
    ai_part_t     *part;
    ai_tool_t     *tool;
    ai_uint_t      n, flags;
    ai_message_t  *m;
    ai_request_t  *req;

    req = w->req;
    flags = w->target->vendor->flags;
    n = (req->cache.len != 0 && !(flags & AI_ANTHROPIC_CLOUD));

    for (tool = req->tools; tool != NULL; tool = tool->next) {

        if (ai_anthropic_shown(w, tool)) {
            w->ntools++;
            n += (tool->cache.len != 0);
        }
    }

    for (m = req->messages; m != NULL; m = m->next) {
        for (part = m->parts; part != NULL; part = part->next) {

            w->called |= (part->type == AI_PART_CALL);
            n += ai_anthropic_marked(part);
        }
    }

    /* the last ones are kept, they have the most in front of them */

    if (n > AI_ANTHROPIC_MARKERS) {
        w->surplus = n - AI_ANTHROPIC_MARKERS;
        ai_report_drop(w->rep, "cache_control");
    }

    w->max_tokens = w->target->caps.max_output;

    if (req->max_tokens.len != 0) {
        w->max_tokens = ai_anthropic_uint(&req->max_tokens);

    } else if (w->max_tokens == 0) {
        w->max_tokens = AI_ANTHROPIC_MAX_TOKENS;
    }

    if (req->format == AI_FORMAT_SCHEMA
        && !(w->target->caps.flags & AI_CAPS_SCHEMA))
    {
        if (req->choice == AI_CHOICE_NAMED) {
            ai_report_drop(w->rep, "response_format");

        } else {
            w->answer = 1;
        }
    }
}


static ai_uint_t
ai_anthropic_marked(const ai_part_t *part)
{
    ai_uint_t  n;

    if (part->type == AI_PART_REASONING) {
        return 0;
    }

    n = (part->cache.len != 0);

    for (part = part->content; part != NULL; part = part->next) {
        n += (part->cache.len != 0);
    }

    return n;
}


void
ai_anthropic_marker(ai_anthropic_write_t *w, const ai_str_t *cache)
{
    if (cache->len == 0) {
        return;
    }

    if (w->surplus != 0) {
        w->surplus--;
        return;
    }

    ai_buf_key_raw(w->out, "cache_control", cache);
}


/* whether to think, and how */

static void
ai_anthropic_plan(ai_anthropic_write_t *w)
{
    ai_uint_t      flags;
    ai_request_t  *req;

    req = w->req;
    flags = w->target->caps.flags;

    if (req->effort == AI_EFFORT_NONE) {
        w->think = (flags & AI_CAPS_ADAPTIVE) ? AI_THINK_DISABLED
                                              : AI_THINK_UNSET;
        return;
    }

    if (req->effort == AI_EFFORT_UNSET && req->budget.len == 0
        && !req->adaptive)
    {
        return;
    }

    if (ai_anthropic_forced(w)) {
        goto drop;
    }

    /* how a model thinks is told by its name, which only Claude's tells */

    if ((flags & AI_CAPS_ADAPTIVE)
        && (req->adaptive || req->budget.len == 0
            || !(flags & AI_CAPS_BUDGET)))
    {
        ai_anthropic_plan_adaptive(w);
        return;
    }

    if ((flags & AI_CAPS_CLAUDE) && !(flags & AI_CAPS_BUDGET)) {
        goto drop;
    }

    if (ai_anthropic_plan_budget(w)) {
        return;
    }

drop:

    w->think = (flags & AI_CAPS_ADAPTIVE) ? AI_THINK_DISABLED
                                          : AI_THINK_UNSET;
    ai_report_drop(w->rep, "reasoning_effort");
}


static void
ai_anthropic_plan_adaptive(ai_anthropic_write_t *w)
{
    ai_request_t  *req;

    req = w->req;

    w->think = AI_THINK_ADAPTIVE;
    w->effort = req->effort;

    if (w->effort == AI_EFFORT_UNSET && req->budget.len != 0) {
        w->effort = ai_effort_budget(ai_anthropic_uint(&req->budget));
    }

    if (w->effort == AI_EFFORT_NONE) {
        w->think = AI_THINK_DISABLED;
        w->effort = AI_EFFORT_UNSET;
    }

    if (w->effort == AI_EFFORT_MINIMAL) {
        w->effort = AI_EFFORT_LOW;
    }

    if (w->effort == AI_EFFORT_XHIGH
        && (w->target->caps.flags & AI_CAPS_NO_XHIGH))
    {
        w->effort = AI_EFFORT_HIGH;
    }
}


/* a budget must be 1024 at least, and leave something for the answer */

static ai_uint_t
ai_anthropic_plan_budget(ai_anthropic_write_t *w)
{
    uint64_t       max;
    ai_request_t  *req;

    req = w->req;

    if (ai_anthropic_lost(w)) {
        return 0;
    }

    if (req->budget.len != 0) {
        w->budget = ai_anthropic_uint(&req->budget);

    } else if (req->effort != AI_EFFORT_UNSET) {
        w->budget = ai_budget_effort(req->effort);

    } else {
        w->budget = ai_budget_effort(AI_EFFORT_HIGH);
    }

    if (w->budget < AI_ANTHROPIC_MIN_BUDGET) {
        w->budget = AI_ANTHROPIC_MIN_BUDGET;
    }

    if (w->budget > AI_USAGE_MAX) {
        w->budget = AI_USAGE_MAX;
    }

    if (w->budget >= w->max_tokens) {
        max = w->target->caps.max_output;

        if (max < w->max_tokens || max - w->max_tokens >= w->budget) {
            max = w->max_tokens + w->budget;
        }

        w->max_tokens = max;
    }

    if (w->budget >= w->max_tokens) {
        w->budget = w->max_tokens / 2;
    }

    if (w->budget < AI_ANTHROPIC_MIN_BUDGET) {
        return 0;
    }

    w->think = AI_THINK_BUDGET;

    return 1;
}


/* thinking allows neither a forced call nor an answer that has begun */

static ai_uint_t
ai_anthropic_forced(const ai_anthropic_write_t *w)
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
 * as long as it goes on with their results: all since a user's last words.
 * One that thinks adaptively is not that strict.
 */

static ai_uint_t
ai_anthropic_lost(const ai_anthropic_write_t *w)
{
    ai_uint_t            calls, kept;
    const ai_part_t     *part;
    const ai_message_t  *m, *prev;

    calls = 0;
    kept = 0;
    prev = NULL;

    for (m = w->req->messages; m != NULL; prev = m, m = m->next) {

        if (m->role == AI_ROLE_USER) {

            /* what is said along with results does not count */

            if (prev == NULL || prev->role != AI_ROLE_TOOL
                || m->next != NULL)
            {
                calls = 0;
                kept = 0;
            }

            continue;
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


static void
ai_anthropic_put_head(ai_anthropic_write_t *w)
{
    ai_uint_t  flags;

    flags = w->target->vendor->flags;

    if (flags & AI_VENDOR_VERTEX_CLAUDE) {
        ai_buf_key(w->out, "anthropic_version");
        ai_buf_quote_cstr(w->out, "vertex-2023-10-16");
    }

    if (flags & AI_VENDOR_BEDROCK_CLAUDE) {
        ai_buf_key(w->out, "anthropic_version");
        ai_buf_quote_cstr(w->out, "bedrock-2023-05-31");
    }

    if (!(flags & (AI_ANTHROPIC_CLOUD | AI_VENDOR_NO_MODEL))) {
        ai_buf_key(w->out, "model");
        ai_buf_quote(w->out, &w->target->model);
    }

    if (w->target->stream && !(flags & AI_VENDOR_BEDROCK_CLAUDE)) {
        ai_buf_key(w->out, "stream");
        ai_buf_lit(w->out, "true");
    }

    ai_buf_key_uint(w->out, "max_tokens", w->max_tokens);
}


static void
ai_anthropic_put_thinking_mode(ai_anthropic_write_t *w)
{
    if (w->think == AI_THINK_UNSET) {
        return;
    }

    ai_buf_key(w->out, "thinking");

    switch (w->think) {

    case AI_THINK_ADAPTIVE:
        ai_buf_lit(w->out, "{\"type\":\"adaptive\"");

        /* what newer models think is not told unless one asks for it */

        if (w->req->summary) {
            ai_buf_lit(w->out, ",\"display\":\"summarized\"");
        }

        break;

    case AI_THINK_BUDGET:
        ai_buf_lit(w->out, "{\"type\":\"enabled\"");
        ai_buf_key_uint(w->out, "budget_tokens", w->budget);
        break;

    default:
        ai_buf_lit(w->out, "{\"type\":\"disabled\"");
        break;
    }

    ai_buf_lit(w->out, "}");
}


static void
ai_anthropic_put_output(ai_anthropic_write_t *w)
{
    ai_uint_t  schema;

    schema = (w->req->format == AI_FORMAT_SCHEMA
              && w->req->format_schema.len != 0
              && (w->target->caps.flags & AI_CAPS_SCHEMA));

    if (!schema && w->effort == AI_EFFORT_UNSET) {
        return;
    }

    ai_buf_key(w->out, "output_config");
    ai_buf_lit(w->out, "{");

    if (w->effort != AI_EFFORT_UNSET) {
        ai_buf_key(w->out, "effort");
        ai_buf_quote_cstr(w->out, ai_effort_name(w->effort));
    }

    if (schema) {
        ai_buf_key(w->out, "format");
        ai_buf_lit(w->out, "{\"type\":\"json_schema\"");
        ai_buf_key_raw(w->out, "schema", &w->req->format_schema);
        ai_buf_lit(w->out, "}");
    }

    ai_buf_lit(w->out, "}");
}


/*
 * Thinking bears no temperature but 1, no top_k, and no top_p that cuts much
 * away.  A temperature above 1 becomes 1, the most there is.
 */

static void
ai_anthropic_put_sampling(ai_anthropic_write_t *w)
{
    double         t;
    ai_uint_t      flags, thinks;
    ai_request_t  *req;

    req = w->req;
    flags = w->target->caps.flags;
    thinks = (w->think == AI_THINK_ADAPTIVE || w->think == AI_THINK_BUDGET);

    if (req->temperature.len != 0) {
        t = ai_anthropic_double(&req->temperature);

        if ((flags & AI_CAPS_NO_SAMPLING) || (thinks && t != 1)) {
            ai_report_drop(w->rep, "temperature");

        } else if (t > 1) {
            ai_buf_key(w->out, "temperature");
            ai_buf_lit(w->out, "1");

        } else {
            ai_buf_key_raw(w->out, "temperature", &req->temperature);
        }
    }

    if (req->top_p.len != 0) {

        if ((flags & AI_CAPS_NO_SAMPLING)
            || ((flags & AI_CAPS_ONE_SAMPLING) && req->temperature.len != 0)
            || (thinks && ai_anthropic_double(&req->top_p) < 0.95))
        {
            ai_report_drop(w->rep, "top_p");

        } else {
            ai_buf_key_raw(w->out, "top_p", &req->top_p);
        }
    }

    if (req->top_k.len != 0) {

        if ((flags & AI_CAPS_NO_SAMPLING) || thinks) {
            ai_report_drop(w->rep, "top_k");

        } else {
            ai_buf_key_raw(w->out, "top_k", &req->top_k);
        }
    }
}


static void
ai_anthropic_put_stops(ai_anthropic_write_t *w)
{
    ai_uint_t  i, n;

    n = 0;

    for (i = 0; i < w->req->nstop; i++) {

        if (ai_anthropic_blank(&w->req->stop[i])) {
            ai_report_drop(w->rep, "stop");
            continue;
        }

        if (n++ == 0) {
            ai_buf_key(w->out, "stop_sequences");
            ai_buf_lit(w->out, "[");
        }

        ai_buf_comma(w->out);
        ai_buf_string(w->out, &w->req->stop[i]);
    }

    if (n != 0) {
        ai_buf_lit(w->out, "]");
    }
}


static void
ai_anthropic_put_rest(ai_anthropic_write_t *w)
{
    ai_uint_t      cloud;
    ai_request_t  *req;

    req = w->req;
    cloud = w->target->vendor->flags & AI_ANTHROPIC_CLOUD;

    if (!ai_mstr_empty(&req->user)) {
        ai_buf_key(w->out, "metadata");
        ai_buf_lit(w->out, "{");
        ai_buf_key_string(w->out, "user_id", &req->user);
        ai_buf_lit(w->out, "}");
    }

    if (!ai_mstr_empty(&req->service_tier)) {

        if (cloud) {
            ai_report_drop(w->rep, "service_tier");

        } else if (ai_mstr_eq(&req->service_tier, "auto")) {
            ai_buf_lit(w->out, ",\"service_tier\":\"auto\"");

        } else if (ai_mstr_eq(&req->service_tier, "default")) {
            ai_buf_lit(w->out, ",\"service_tier\":\"standard_only\"");

        } else {
            ai_report_drop(w->rep, "service_tier");
        }
    }

    if (req->cache.len != 0) {

        if (cloud) {
            ai_report_drop(w->rep, "cache_control");

        } else {
            ai_buf_key_raw(w->out, "cache_control", &req->cache);
        }
    }
}


/* of JSON numbers; 0 of those below zero */

static uint64_t
ai_anthropic_uint(const ai_str_t *number)
{
    uint64_t   n;
    ai_json_t  v;

    memset(&v, 0, sizeof(ai_json_t));

    v.type = AI_JSON_NUMBER;
    v.start = number->data;
    v.end = number->data + number->len;

    return (ai_json_uint(&v, &n) == AI_OK) ? n : 0;
}


static double
ai_anthropic_double(const ai_str_t *number)
{
    char    buf[64];
    size_t  len;

    len = number->len;

    if (len > sizeof(buf) - 1) {
        len = sizeof(buf) - 1;
    }

    memcpy(buf, number->data, len);
    buf[len] = '\0';

    return strtod(buf, NULL);
}

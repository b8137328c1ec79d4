
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request to a provider that speaks Anthropic Messages: Anthropic itself,
 * Claude on Vertex AI and on Bedrock.  wire-formats.md 6.1, 2.4 and 2.5.
 */


#include "ai_header.h"
#include "wire_anthropic.h"


#define AI_ANTHROPIC_MAX_TOKENS  4096


static void ai_anthropic_survey(ai_anthropic_write_t *w);
static ai_uint_t ai_anthropic_marked(const ai_part_t *part);
static void ai_anthropic_plan(ai_anthropic_write_t *w);
static ai_int_t ai_anthropic_put_head(ai_anthropic_write_t *w);
static ai_int_t ai_anthropic_put_betas(ai_anthropic_write_t *w);
static void ai_anthropic_put_sampling(ai_anthropic_write_t *w);
static void ai_anthropic_put_thinking_mode(ai_anthropic_write_t *w);
static void ai_anthropic_put_output(ai_anthropic_write_t *w);
static void ai_anthropic_put_rest(ai_anthropic_write_t *w);


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

    rc = ai_wire_refuse_n(req, rep);

    if (rc == AI_OK) {
        rc = ai_wire_refuse_logprobs(req, rep);
    }

    if (rc != AI_OK) {
        return rc;
    }

    ai_wire_lacks(req, AI_WIRE_PENALTIES|AI_WIRE_SEED|AI_WIRE_BIAS
                       |AI_WIRE_METADATA|AI_WIRE_VERBOSITY|AI_WIRE_CACHE_KEY
                       |AI_WIRE_STORE, rep);

    ai_anthropic_survey(&w);
    ai_anthropic_plan(&w);

    ai_buf_lit(out, "{");

    if (ai_anthropic_put_head(&w) != AI_OK) {
        return AI_ERROR;
    }

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
    ai_wire_write_stops(out, "stop_sequences", req, AI_REQUEST_STOPS, 0, rep);
    ai_anthropic_put_rest(&w);

    ai_buf_lit(out, "}");

    return out->failed ? AI_ERROR : AI_OK;
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

    if (n > AI_CLAUDE_MARKERS) {
        w->surplus = n - AI_CLAUDE_MARKERS;
        ai_report_drop(w->rep, "cache_control");
    }

    w->max_tokens = w->target->caps.max_output;

    if (req->max_tokens.len != 0) {
        w->max_tokens = ai_wire_uint(&req->max_tokens);

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

    if (!ai_wire_thinks(req)) {
        return;
    }

    if (ai_claude_forced(req, w->ntools, w->answer)) {
        goto drop;
    }

    /* how a model thinks is told by its name, which only Claude's tells */

    if ((flags & AI_CAPS_ADAPTIVE)
        && (req->adaptive || req->budget.len == 0
            || !(flags & AI_CAPS_BUDGET)))
    {
        w->effort = ai_claude_effort(ai_wire_effort(req), flags);
        w->think = AI_THINK_ADAPTIVE;

        if (w->effort == AI_EFFORT_NONE) {
            w->think = AI_THINK_DISABLED;
            w->effort = AI_EFFORT_UNSET;
        }

        return;
    }

    if ((flags & AI_CAPS_CLAUDE) && !(flags & AI_CAPS_BUDGET)) {
        goto drop;
    }

    w->budget = ai_claude_budget(req, w->target->caps.max_output,
                                 &w->max_tokens);

    if (w->budget != 0) {
        w->think = AI_THINK_BUDGET;
        return;
    }

drop:

    w->think = (flags & AI_CAPS_ADAPTIVE) ? AI_THINK_DISABLED
                                          : AI_THINK_UNSET;
    ai_report_drop(w->rep, "reasoning_effort");
}


static ai_int_t
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

        if (ai_anthropic_put_betas(w) != AI_OK) {
            return AI_ERROR;
        }
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

    return AI_OK;
}


/* what others take as a header */

static ai_int_t
ai_anthropic_put_betas(ai_anthropic_write_t *w)
{
    size_t     i, n;
    ai_str_t   s, beta;

    if (w->req->betas.len == 0) {
        return AI_OK;
    }

    s.data = ai_alloc(w->req->alloc, w->req->betas.len);
    if (s.data == NULL) {
        return AI_ERROR;
    }

    s.len = ai_header_betas(s.data, &w->req->betas);

    if (s.len == 0) {
        return AI_OK;
    }

    ai_buf_key(w->out, "anthropic_beta");
    ai_buf_lit(w->out, "[");

    for (i = 0; i < s.len; i = n + 1) {

        for (n = i; n < s.len && s.data[n] != ','; n++) { /* void */ }

        beta.data = s.data + i;
        beta.len = n - i;

        ai_buf_comma(w->out);
        ai_buf_quote(w->out, &beta);
    }

    ai_buf_lit(w->out, "]");

    return AI_OK;
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
        t = ai_wire_double(&req->temperature);

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
            || (thinks && ai_wire_double(&req->top_p) < 0.95))
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

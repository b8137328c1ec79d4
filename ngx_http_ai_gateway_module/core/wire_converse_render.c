
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request to a model behind Bedrock Converse: wire-formats.md 8.2, 2.4
 * and 2.5.
 */


#include "wire_converse.h"


#define ai_converse_thinks(w)                                                \
    ((w)->think == AI_CONVERSE_THINK_ADAPTIVE                                \
     || (w)->think == AI_CONVERSE_THINK_BUDGET)


static void ai_converse_survey(ai_converse_write_t *w);
static void ai_converse_write_inference(ai_converse_write_t *w);
static void ai_converse_write_max_tokens(ai_converse_write_t *w);
static void ai_converse_write_sampling(ai_converse_write_t *w);
static void ai_converse_write_number(ai_converse_write_t *w,
    const char *name, const ai_str_t *number);
static ai_int_t ai_converse_write_extra(ai_converse_write_t *w);
static void ai_converse_write_thinking(ai_converse_write_t *w);
static void ai_converse_write_top_k(ai_converse_write_t *w);
static void ai_converse_write_format(ai_converse_write_t *w);
static void ai_converse_write_tier(ai_converse_write_t *w);


ai_int_t
ai_converse_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    ai_int_t             rc;
    ai_converse_write_t  w;

    memset(&w, 0, sizeof(ai_converse_write_t));

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
                       |AI_WIRE_METADATA|AI_WIRE_USER|AI_WIRE_VERBOSITY
                       |AI_WIRE_CACHE_KEY|AI_WIRE_STORE, rep);

    ai_converse_survey(&w);
    ai_converse_plan(&w);

    ai_buf_lit(out, "{");

    /* in the order of a prompt, in which cache markers count */

    if (ai_converse_write_tools(&w) != AI_OK) {
        return AI_ERROR;
    }

    ai_converse_write_system(&w);

    rc = ai_converse_write_messages(&w);

    if (rc != AI_OK) {
        return rc;
    }

    ai_converse_write_inference(&w);

    if (ai_converse_write_extra(&w) != AI_OK) {
        return AI_ERROR;
    }

    ai_converse_write_format(&w);
    ai_converse_write_tier(&w);

    ai_buf_lit(out, "}");

    return out->failed ? AI_ERROR : AI_OK;
}


/* what must be known before anything is written */

static void
ai_converse_survey(ai_converse_write_t *w)
{
    ai_uint_t      n;
    ai_part_t     *part;
    ai_tool_t     *tool;
    ai_message_t  *m;
    ai_request_t  *req;

    req = w->req;
    n = (req->cache.len != 0);

    for (tool = req->tools; tool != NULL; tool = tool->next) {

        if (ai_wire_shown(w->req, tool)) {
            w->ntools++;
            n += (tool->cache.len != 0 && ai_converse_is(w, AI_CAPS_CLAUDE));
        }
    }

    for (m = req->messages; m != NULL; m = m->next) {
        for (part = m->parts; part != NULL; part = part->next) {

            if (part->type == AI_PART_CALL) {
                w->calls = 1;
            }

            n += (ai_converse_marker(part).len != 0);
        }
    }

    /* the last ones are kept, they have the most in front of them */

    if (n != 0 && !ai_converse_is(w, AI_CAPS_CLAUDE | AI_CAPS_NOVA)) {
        ai_report_drop(w->rep, "cache_control");

    } else if (n > AI_CLAUDE_MARKERS) {
        w->surplus = n - AI_CLAUDE_MARKERS;
        ai_report_drop(w->rep, "cache_control");
    }

    if (req->format == AI_FORMAT_SCHEMA && req->format_schema.len != 0
        && !ai_converse_is(w, AI_CAPS_SCHEMA)
        && ai_converse_is(w, AI_CAPS_CLAUDE | AI_CAPS_NOVA))
    {
        if (req->choice == AI_CHOICE_NAMED && w->ntools != 0) {
            ai_report_drop(w->rep, "response_format");

        } else {
            w->answer = 1;
        }
    }
}


ai_str_t
ai_converse_marker(const ai_part_t *part)
{
    ai_str_t  cache;

    static const ai_str_t  none = ai_null_string;

    if (part->type == AI_PART_REASONING) {
        return none;
    }

    cache = part->cache;

    for (part = part->content; part != NULL; part = part->next) {
        if (part->cache.len != 0) {
            cache = part->cache;
        }
    }

    return cache;
}


void
ai_converse_cache(ai_converse_write_t *w, const ai_str_t *cache,
    ai_uint_t claude)
{
    ai_json_t        root, ttl;
    ai_json_error_t  err;

    if (cache->len == 0
        || !ai_converse_is(w, claude ? AI_CAPS_CLAUDE
                                     : AI_CAPS_CLAUDE | AI_CAPS_NOVA))
    {
        return;
    }

    if (w->surplus != 0) {
        w->surplus--;
        return;
    }

    ai_buf_comma(w->out);
    ai_buf_lit(w->out, "{\"cachePoint\":{\"type\":\"default\"");

    if (ai_converse_is(w, AI_CAPS_CLAUDE)
        && ai_json_scan(cache->data, cache->len, NULL, w->req->alloc, NULL,
                        NULL, &root, &err)
           == AI_OK)
    {
        ttl = ai_wire_get(&root, "ttl");

        if (ai_json_name_eq(&ttl, "1h")) {
            ai_buf_lit(w->out, ",\"ttl\":\"1h\"");
        }
    }

    ai_buf_lit(w->out, "}}");
    w->cached = 1;
}


ai_int_t
ai_converse_name(ai_converse_write_t *w, const char *key,
    const ai_mstr_t *name)
{
    ai_mstr_t  sent;

    if (ai_request_name(w->req, name, AI_CONVERSE_NAME, &sent) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key(w->out, key);
    ai_buf_string(w->out, &sent);

    return AI_OK;
}


static void
ai_converse_write_inference(ai_converse_write_t *w)
{
    size_t  mark;

    mark = ai_wire_open(w->out, "inferenceConfig");

    ai_converse_write_max_tokens(w);
    ai_converse_write_sampling(w);
    ai_wire_write_stops(w->out, "stopSequences", w->req, AI_REQUEST_STOPS, 0,
                        w->rep);

    ai_wire_close(w->out, mark);
}


/* Nova's highest effort bears no limit, as it bears no sampling */

static void
ai_converse_write_max_tokens(ai_converse_write_t *w)
{
    if (w->max_tokens != 0) {
        ai_buf_key_uint(w->out, "maxTokens", w->max_tokens);
        return;
    }

    if (w->req->max_tokens.len == 0) {
        return;
    }

    if (w->think == AI_CONVERSE_THINK_NOVA && w->effort == AI_EFFORT_HIGH) {
        ai_report_drop(w->rep, "max_tokens");
        return;
    }

    ai_buf_key_raw(w->out, "maxTokens", &w->req->max_tokens);
}


/*
 * Claude's thinking bears no temperature but 1, and no top_p that cuts much
 * away; newer models bear neither, some not both (mistake 23).
 */

static void
ai_converse_write_sampling(ai_converse_write_t *w)
{
    ai_uint_t      none;
    ai_request_t  *req;

    req = w->req;
    none = ai_converse_is(w, AI_CAPS_NO_SAMPLING)
           || (w->think == AI_CONVERSE_THINK_NOVA
               && w->effort == AI_EFFORT_HIGH);

    if (req->temperature.len != 0) {

        if (none || (ai_converse_thinks(w)
                     && ai_wire_double(&req->temperature) != 1))
        {
            ai_report_drop(w->rep, "temperature");

        } else {
            ai_converse_write_number(w, "temperature", &req->temperature);
        }
    }

    if (req->top_p.len != 0) {

        if (none
            || (ai_converse_is(w, AI_CAPS_ONE_SAMPLING)
                && req->temperature.len != 0)
            || (ai_converse_thinks(w)
                && ai_wire_double(&req->top_p) < 0.95))
        {
            ai_report_drop(w->rep, "top_p");

        } else {
            ai_converse_write_number(w, "topP", &req->top_p);
        }
    }
}


/* from 0 to 1, as Converse takes them of all models */

static void
ai_converse_write_number(ai_converse_write_t *w, const char *name,
    const ai_str_t *number)
{
    double  n;

    n = ai_wire_double(number);

    if (n > 1) {
        ai_buf_key_uint(w->out, name, 1);

    } else if (n < 0) {
        ai_buf_key_uint(w->out, name, 0);

    } else {
        ai_buf_key_raw(w->out, name, number);
    }
}


/* what models take that Converse has no slot for, each by its own name */

static ai_int_t
ai_converse_write_extra(ai_converse_write_t *w)
{
    size_t  mark;

    mark = ai_wire_open(w->out, "additionalModelRequestFields");

    ai_converse_write_thinking(w);

    if (w->req->top_k.len != 0) {
        ai_converse_write_top_k(w);
    }

    if (ai_str_eq(&w->req->parallel, "false")) {

        if (!ai_converse_is(w, AI_CAPS_CLAUDE)) {
            ai_report_drop(w->rep, "parallel_tool_calls");

        } else if (w->ntools != 0 && w->req->choice != AI_CHOICE_NONE
                   && !w->answer
                   && ai_converse_write_parallel(w) != AI_OK)
        {
            return AI_ERROR;
        }
    }

    ai_wire_close(w->out, mark);

    return AI_OK;
}


static void
ai_converse_write_thinking(ai_converse_write_t *w)
{
    switch (w->think) {

    case AI_CONVERSE_THINK_OFF:
        ai_buf_key(w->out, "thinking");
        ai_buf_lit(w->out, "{\"type\":\"disabled\"}");
        return;

    case AI_CONVERSE_THINK_BUDGET:
        ai_buf_key(w->out, "thinking");
        ai_buf_lit(w->out, "{\"type\":\"enabled\"");
        ai_buf_key_uint(w->out, "budget_tokens", w->budget);
        ai_buf_lit(w->out, "}");
        return;

    case AI_CONVERSE_THINK_ADAPTIVE:
        ai_buf_key(w->out, "thinking");
        ai_buf_lit(w->out, "{\"type\":\"adaptive\"");

        /* what newer models think is not told unless one asks for it */

        if (w->req->summary) {
            ai_buf_lit(w->out, ",\"display\":\"summarized\"");
        }

        ai_buf_lit(w->out, "}");

        if (w->effort != AI_EFFORT_UNSET) {
            ai_buf_key(w->out, "output_config");
            ai_buf_lit(w->out, "{\"effort\":");
            ai_buf_quote_cstr(w->out, ai_effort_name(w->effort));
            ai_buf_lit(w->out, "}");
        }

        return;

    case AI_CONVERSE_THINK_NOVA:
        ai_buf_key(w->out, "reasoningConfig");
        ai_buf_lit(w->out, "{\"type\":\"enabled\",\"maxReasoningEffort\":");
        ai_buf_quote_cstr(w->out, ai_effort_name(w->effort));
        ai_buf_lit(w->out, "}");
        return;

    case AI_CONVERSE_THINK_EFFORT:
        ai_buf_key(w->out, "reasoning_effort");
        ai_buf_quote_cstr(w->out, ai_effort_name(w->effort));
        return;

    default:
        return;
    }
}


static void
ai_converse_write_top_k(ai_converse_write_t *w)
{
    if (ai_converse_is(w, AI_CAPS_NOVA)
        && w->think != AI_CONVERSE_THINK_NOVA)
    {
        ai_buf_key(w->out, "inferenceConfig");
        ai_buf_lit(w->out, "{");
        ai_buf_key_raw(w->out, "topK", &w->req->top_k);
        ai_buf_lit(w->out, "}");

    } else if (ai_converse_is(w, AI_CAPS_CLAUDE)
               && !ai_converse_is(w, AI_CAPS_NO_SAMPLING)
               && !ai_converse_thinks(w))
    {
        ai_buf_key_raw(w->out, "top_k", &w->req->top_k);

    } else {
        ai_report_drop(w->rep, "top_k");
    }
}


/* the schema is a string here */

static void
ai_converse_write_format(ai_converse_write_t *w)
{
    ai_mstr_t  name, schema;

    if (w->req->format != AI_FORMAT_SCHEMA || w->req->format_schema.len == 0
        || (ai_converse_is(w, AI_CAPS_CLAUDE | AI_CAPS_NOVA)
            && !ai_converse_is(w, AI_CAPS_SCHEMA)))
    {
        return;
    }

    name = w->req->format_name;

    if (ai_mstr_empty(&name)) {
        name = ai_mstr_cstr("answer");
    }

    schema = ai_mstr_plain(&w->req->format_schema);

    ai_buf_key(w->out, "outputConfig");
    ai_buf_lit(w->out, "{\"textFormat\":{\"type\":\"json_schema\","
                       "\"structure\":{\"jsonSchema\":{");
    ai_buf_key_string(w->out, "name", &name);
    ai_buf_key_string(w->out, "description", &w->req->format_description);
    ai_buf_key_string(w->out, "schema", &schema);
    ai_buf_lit(w->out, "}}}}");
}


static void
ai_converse_write_tier(ai_converse_write_t *w)
{
    ai_mstr_t  *tier;

    tier = &w->req->service_tier;

    if (ai_mstr_eq(tier, "flex") || ai_mstr_eq(tier, "priority")) {
        ai_buf_key(w->out, "serviceTier");
        ai_buf_lit(w->out, "{");
        ai_buf_key_string(w->out, "type", tier);
        ai_buf_lit(w->out, "}");

    } else if (!ai_mstr_empty(tier) && !ai_mstr_eq(tier, "auto")
               && !ai_mstr_eq(tier, "default"))
    {
        ai_report_drop(w->rep, "service_tier");
    }
}

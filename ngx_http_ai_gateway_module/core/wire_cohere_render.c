
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A neutral request as Cohere takes it.
 */


#include <stdlib.h>

#include "wire_cohere.h"


#define AI_COHERE_STOPS   5
#define AI_COHERE_NUMBER  32


/* what a number may be, from and to, as they are written */

typedef struct {
    const char          *name;
    size_t               offset;       /* of an ai_str_t of the request */
    const char          *min;          /* NULL: any */
    const char          *max;
} ai_cohere_range_t;


static ai_int_t ai_cohere_refusals(ai_cohere_render_t *r);
static ai_uint_t ai_cohere_one(const ai_str_t *n);
static ai_uint_t ai_cohere_thinks(const ai_str_t *model);
static ai_int_t ai_cohere_tools(ai_cohere_render_t *r);
static ai_int_t ai_cohere_tool(ai_cohere_render_t *r, const ai_tool_t *tool);
static ai_uint_t ai_cohere_offered(ai_cohere_render_t *r,
    const ai_tool_t *tool);
static void ai_cohere_format(ai_cohere_render_t *r);
static void ai_cohere_thinking(ai_cohere_render_t *r);
static void ai_cohere_sampling(ai_cohere_render_t *r);
static void ai_cohere_number(ai_cohere_render_t *r,
    const ai_cohere_range_t *range);
static void ai_cohere_drops(ai_cohere_render_t *r);


static const ai_cohere_range_t  ai_cohere_ranges[] = {

    { "max_tokens", offsetof(ai_request_t, max_tokens), NULL, NULL },
    { "temperature", offsetof(ai_request_t, temperature), "0", "1" },
    { "p", offsetof(ai_request_t, top_p), "0.01", "0.99" },
    { "k", offsetof(ai_request_t, top_k), "0", "500" },
    { "seed", offsetof(ai_request_t, seed), "0", NULL },
    { "frequency_penalty", offsetof(ai_request_t, frequency_penalty),
      "0", "1" },
    { "presence_penalty", offsetof(ai_request_t, presence_penalty),
      "0", "1" },
    { "logprobs", offsetof(ai_request_t, logprobs), NULL, NULL },

    { NULL, 0, NULL, NULL }
};


/* models from before thinking; what is newer, or unknown, may think */

static const char  *const ai_cohere_thoughtless[] = {
    "command-r",
    "command-a-03-2025",
    "command-a-vision",
    "command-a-translate",
    "command-light",
    "command-nightly",
    "c4ai-",
    NULL
};


ai_int_t
ai_cohere_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    ai_int_t            rc;
    ai_cohere_render_t  r;

    r.req = req;
    r.t = t;
    r.out = out;
    r.rep = rep;
    r.thinks = ai_cohere_thinks(&t->model);

    rc = ai_cohere_refusals(&r);

    if (rc != AI_OK) {
        return rc;
    }

    ai_buf_lit(out, "{\"model\":");
    ai_buf_quote(out, &t->model);

    ai_buf_cstr(out, t->stream ? ",\"stream\":true" : ",\"stream\":false");

    rc = ai_cohere_history(&r);

    if (rc == AI_OK) {
        rc = ai_cohere_tools(&r);
    }

    if (rc != AI_OK) {
        return rc;
    }

    ai_cohere_format(&r);
    ai_cohere_thinking(&r);
    ai_cohere_sampling(&r);
    ai_cohere_drops(&r);

    ai_buf_lit(out, "}");

    return out->failed ? AI_ERROR : AI_OK;
}


static ai_int_t
ai_cohere_refusals(ai_cohere_render_t *r)
{
    if (!ai_cohere_one(&r->req->n)) {
        return ai_report_refuse(r->rep, "n", "the provider of this model "
                                "gives one answer only");
    }

    if (r->req->top_logprobs.len != 0
        && !ai_str_eq(&r->req->top_logprobs, "0"))
    {
        return ai_report_refuse(r->rep, "top_logprobs",
                                "the provider of this model tells the "
                                "probability of no other tokens than those "
                                "of its answer");
    }

    return AI_OK;
}


/* whether one answer is asked for: it is, if nothing is said */

static ai_uint_t
ai_cohere_one(const ai_str_t *n)
{
    uint64_t   count;
    ai_json_t  v;

    if (n->len == 0) {
        return 1;
    }

    memset(&v, 0, sizeof(ai_json_t));

    v.type = AI_JSON_NUMBER;
    v.start = n->data;
    v.end = n->data + n->len;

    return ai_json_uint(&v, &count) == AI_OK && count <= 1;
}


static ai_uint_t
ai_cohere_thinks(const ai_str_t *model)
{
    u_char             *p, *last;
    size_t              len;
    const char  *const *name;

    p = model->data;
    last = p + model->len;

    for (len = model->len; len != 0; len--) {
        if (model->data[len - 1] == '/') {
            p = model->data + len;
            break;
        }
    }

    for (name = ai_cohere_thoughtless; *name != NULL; name++) {
        len = strlen(*name);

        if ((size_t) (last - p) >= len && memcmp(p, *name, len) == 0) {
            return 0;
        }
    }

    return last - p != sizeof("command") - 1
           || memcmp(p, "command", sizeof("command") - 1) != 0;
}


/*
 * There is no choice by name: the model sees no other tool then and has to
 * call one.  A choice without tools would be refused.
 */

static ai_int_t
ai_cohere_tools(ai_cohere_render_t *r)
{
    ai_uint_t   n, strict;
    ai_tool_t  *tool;

    n = 0;
    strict = 0;

    for (tool = r->req->tools; tool != NULL; tool = tool->next) {

        if (tool->type == AI_TOOL_SERVER) {
            ai_report_drop(r->rep, "tools");
            continue;
        }

        if (!ai_cohere_offered(r, tool)) {
            continue;
        }

        if (n++ == 0) {
            ai_buf_key(r->out, "tools");
            ai_buf_lit(r->out, "[");
        }

        if (ai_cohere_tool(r, tool) != AI_OK) {
            return AI_ERROR;
        }

        strict += ai_str_eq(&tool->strict, "true") && tool->schema.len != 0;
    }

    if (n == 0) {
        return AI_OK;
    }

    ai_buf_lit(r->out, "]");

    /* it holds for all of them or for none */

    if (strict == n) {
        ai_buf_lit(r->out, ",\"strict_tools\":true");

    } else if (strict != 0) {
        ai_report_drop(r->rep, "tools.strict");
    }

    switch (r->req->choice) {

    case AI_CHOICE_NONE:
        ai_buf_lit(r->out, ",\"tool_choice\":\"NONE\"");
        break;

    case AI_CHOICE_REQUIRED:
    case AI_CHOICE_NAMED:
        ai_buf_lit(r->out, ",\"tool_choice\":\"REQUIRED\"");
        break;

    default:
        break;
    }

    return AI_OK;
}


/* a custom tool takes its text as the one argument of a function */

static ai_int_t
ai_cohere_tool(ai_cohere_render_t *r, const ai_tool_t *tool)
{
    ai_mstr_t  name;

    if (ai_request_name(r->req, &tool->name, AI_COHERE_NAME, &name)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_comma(r->out);
    ai_buf_lit(r->out, "{\"type\":\"function\",\"function\":{\"name\":");
    ai_buf_string(r->out, &name);
    ai_buf_key_string(r->out, "description", &tool->description);
    ai_buf_key(r->out, "parameters");

    if (tool->type == AI_TOOL_CUSTOM) {
        ai_buf_lit(r->out, "{\"type\":\"object\",\"properties\":{\"input\":"
                   "{\"type\":\"string\"}},\"required\":[\"input\"]}");

    } else if (tool->schema.len != 0) {
        ai_buf_raw(r->out, &tool->schema);

    } else {
        ai_buf_lit(r->out, "{\"type\":\"object\",\"properties\":{}}");
    }

    ai_buf_lit(r->out, "}}");

    return AI_OK;
}


static ai_uint_t
ai_cohere_offered(ai_cohere_render_t *r, const ai_tool_t *tool)
{
    if (r->req->choice == AI_CHOICE_NAMED) {
        return ai_mstr_same(&r->req->choice_name, &tool->name);
    }

    return ai_request_allowed(r->req, &tool->name);
}


static void
ai_cohere_format(ai_cohere_render_t *r)
{
    if (r->req->format != AI_FORMAT_JSON
        && r->req->format != AI_FORMAT_SCHEMA)
    {
        return;
    }

    ai_buf_lit(r->out, ",\"response_format\":{\"type\":\"json_object\"");

    if (r->req->format == AI_FORMAT_SCHEMA) {
        ai_buf_key_raw(r->out, "json_schema", &r->req->format_schema);
    }

    ai_buf_lit(r->out, "}");
}


static void
ai_cohere_thinking(ai_cohere_render_t *r)
{
    ai_request_t  *req;

    req = r->req;

    if (req->effort == AI_EFFORT_UNSET && req->budget.len == 0
        && !req->adaptive)
    {
        return;
    }

    if (!r->thinks) {

        if (req->effort != AI_EFFORT_NONE) {
            ai_report_drop(r->rep, "reasoning_effort");
        }

        return;
    }

    if (req->effort == AI_EFFORT_NONE) {
        ai_buf_lit(r->out, ",\"thinking\":{\"type\":\"disabled\"}");
        return;
    }

    ai_buf_lit(r->out, ",\"thinking\":{\"type\":\"enabled\"");

    if (req->budget.len != 0) {
        ai_buf_key_raw(r->out, "token_budget", &req->budget);

    } else if (req->effort != AI_EFFORT_UNSET) {
        ai_buf_key_uint(r->out, "token_budget",
                        ai_budget_effort(req->effort));
    }

    ai_buf_lit(r->out, "}");
}


static void
ai_cohere_sampling(ai_cohere_render_t *r)
{
    ai_uint_t                 i;
    const ai_cohere_range_t  *range;

    for (range = ai_cohere_ranges; range->name != NULL; range++) {
        ai_cohere_number(r, range);
    }

    if (r->req->nstop == 0) {
        return;
    }

    ai_buf_lit(r->out, ",\"stop_sequences\":[");

    for (i = 0; i < r->req->nstop && i < AI_COHERE_STOPS; i++) {
        ai_buf_comma(r->out);
        ai_buf_string(r->out, &r->req->stop[i]);
    }

    ai_buf_lit(r->out, "]");

    if (i < r->req->nstop) {
        ai_report_drop(r->rep, "stop");
    }
}


/* the number as the client wrote it, unless Cohere would refuse it */

static void
ai_cohere_number(ai_cohere_render_t *r, const ai_cohere_range_t *range)
{
    char       copy[AI_COHERE_NUMBER];
    double     n;
    size_t     len;
    ai_str_t  *raw;

    raw = (ai_str_t *) (void *) ((u_char *) r->req + range->offset);

    if (raw->len == 0) {
        return;
    }

    ai_buf_key(r->out, range->name);

    len = (raw->len < sizeof(copy)) ? raw->len : sizeof(copy) - 1;

    memcpy(copy, raw->data, len);
    copy[len] = '\0';

    n = strtod(copy, NULL);

    if (range->min != NULL && n < strtod(range->min, NULL)) {
        ai_buf_cstr(r->out, range->min);

    } else if (range->max != NULL && n > strtod(range->max, NULL)) {
        ai_buf_cstr(r->out, range->max);

    } else {
        ai_buf_raw(r->out, raw);
    }
}


static void
ai_cohere_drops(ai_cohere_render_t *r)
{
    ai_request_t  *req;

    req = r->req;

    if (ai_str_eq(&req->parallel, "false")) {
        ai_report_drop(r->rep, "parallel_tool_calls");
    }

    if (req->logit_bias.len != 0) {
        ai_report_drop(r->rep, "logit_bias");
    }

    if (!ai_mstr_empty(&req->user)) {
        ai_report_drop(r->rep, "user");
    }

    if (req->metadata.len != 0) {
        ai_report_drop(r->rep, "metadata");
    }

    if (!ai_mstr_empty(&req->service_tier)) {
        ai_report_drop(r->rep, "service_tier");
    }

    if (!ai_mstr_empty(&req->verbosity)) {
        ai_report_drop(r->rep, "verbosity");
    }

    if (!ai_mstr_empty(&req->cache_key)) {
        ai_report_drop(r->rep, "prompt_cache_key");
    }

    if (ai_str_eq(&req->store, "true")) {
        ai_report_drop(r->rep, "store");
    }
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A neutral request as Cohere takes it.
 */


#include <stdlib.h>

#include "wire_cohere.h"


#define AI_COHERE_STOPS  5


/* what a number may be, from and to, as they are written */

typedef struct {
    const char          *name;
    size_t               offset;       /* of an ai_str_t of the request */
    const char          *min;          /* NULL: any */
    const char          *max;
} ai_cohere_range_t;


static ai_uint_t ai_cohere_thinks(const ai_str_t *model);
static ai_int_t ai_cohere_tools(ai_cohere_render_t *r);
static void ai_cohere_format(ai_cohere_render_t *r);
static void ai_cohere_thinking(ai_cohere_render_t *r);
static void ai_cohere_sampling(ai_cohere_render_t *r);
static void ai_cohere_number(ai_cohere_render_t *r,
    const ai_cohere_range_t *range);


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

    rc = ai_wire_refuse_n(req, rep);

    if (rc != AI_OK) {
        return rc;
    }

    if (ai_wire_uint(&req->top_logprobs) != 0) {
        return ai_report_refuse(rep, "top_logprobs",
                                "the provider of this model tells the "
                                "probability of no other tokens than those "
                                "of its answer");
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

    ai_wire_lacks(req, AI_WIRE_PARALLEL|AI_WIRE_BIAS|AI_WIRE_USER
                       |AI_WIRE_METADATA|AI_WIRE_TIER|AI_WIRE_VERBOSITY
                       |AI_WIRE_CACHE_KEY|AI_WIRE_STORE, rep);

    ai_buf_lit(out, "}");

    return out->failed ? AI_ERROR : AI_OK;
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

        if (!ai_wire_offered(r->req, tool)) {
            continue;
        }

        if (n++ == 0) {
            ai_buf_key(r->out, "tools");
            ai_buf_lit(r->out, "[");
        }

        ai_buf_comma(r->out);
        ai_buf_lit(r->out, "{\"type\":\"function\",\"function\":{");

        if (ai_wire_write_function(r->out, r->req, tool, AI_COHERE_NAME)
            != AI_OK)
        {
            return AI_ERROR;
        }

        ai_buf_lit(r->out, "}}");

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

    if (!ai_wire_thinks(req)) {
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
    const ai_cohere_range_t  *range;

    for (range = ai_cohere_ranges; range->name != NULL; range++) {
        ai_cohere_number(r, range);
    }

    ai_wire_write_stops(r->out, "stop_sequences", r->req, AI_COHERE_STOPS, 1,
                        r->rep);
}


/* the number as the client wrote it, unless Cohere would refuse it */

static void
ai_cohere_number(ai_cohere_render_t *r, const ai_cohere_range_t *range)
{
    double     n;
    ai_str_t  *raw;

    raw = (ai_str_t *) (void *) ((u_char *) r->req + range->offset);

    if (raw->len == 0) {
        return;
    }

    ai_buf_key(r->out, range->name);

    n = ai_wire_double(raw);

    if (range->min != NULL && n < strtod(range->min, NULL)) {
        ai_buf_cstr(r->out, range->min);

    } else if (range->max != NULL && n > strtod(range->max, NULL)) {
        ai_buf_cstr(r->out, range->max);

    } else {
        ai_buf_raw(r->out, raw);
    }
}

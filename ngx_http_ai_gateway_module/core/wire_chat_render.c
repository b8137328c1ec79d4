
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The neutral request as a chat/completions body for any of the vendors that
 * take one.  Members that a vendor or a model is known to reject are left out
 * and reported, unless that would change what was asked.
 */


#include "wire_chat.h"


#define AI_CHAT_STOPS     4
#define AI_CHAT_NAME      64


static ai_int_t ai_chat_render_body(ai_chat_render_t *c);
static ai_int_t ai_chat_render_refuse(ai_chat_render_t *c);
static void ai_chat_put(ai_chat_render_t *c, const char *name,
    const ai_str_t *raw);
static void ai_chat_put_string(ai_chat_render_t *c, const char *name,
    const ai_mstr_t *m);
static ai_int_t ai_chat_put_short(ai_chat_render_t *c, const char *name,
    const ai_mstr_t *m);
static void ai_chat_render_stream(ai_chat_render_t *c);
static void ai_chat_render_sampling(ai_chat_render_t *c);
static void ai_chat_put_unless(ai_chat_render_t *c, const char *name,
    const ai_str_t *raw, u_char normal);
static void ai_chat_render_stop(ai_chat_render_t *c);
static void ai_chat_render_effort(ai_chat_render_t *c);
static const char *ai_chat_effort_name(ai_chat_render_t *c,
    ai_effort_e effort);
static void ai_chat_render_format(ai_chat_render_t *c);
static ai_int_t ai_chat_render_tools(ai_chat_render_t *c);
static ai_int_t ai_chat_render_tool(ai_chat_render_t *c,
    const ai_tool_t *tool);
static void ai_chat_render_custom(ai_chat_render_t *c,
    const ai_tool_t *tool);
static ai_int_t ai_chat_render_choice(ai_chat_render_t *c);
static ai_int_t ai_chat_render_rest(ai_chat_render_t *c);


ai_int_t
ai_chat_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    ai_int_t          rc;
    ai_str_t          body;
    ai_chat_render_t  c;

    memset(&c, 0, sizeof(ai_chat_render_t));

    c.req = req;
    c.t = t;
    c.out = out;
    c.rep = rep;
    c.last = &c.shown;

    /* who takes OpenRouter's members passes on what is for the model */

    c.details = t->vendor->reasoning != NULL
                && strcmp(t->vendor->reasoning, "reasoning_details") == 0;

    if (t->caps.flags & AI_CAPS_CLAUDE) {
        c.kind = AI_STATE_ANTHROPIC;
        c.markers = c.details
                    || (t->vendor->flags & AI_VENDOR_REASONING_OBJECT) != 0;

    } else if (ai_wire_model_has(&t->model, "gemini")) {
        c.kind = AI_STATE_GOOGLE;

    } else if (ai_wire_model_has(&t->model, "grok")
               || (t->vendor->flags & AI_VENDOR_STATE_XAI))
    {
        c.kind = AI_STATE_XAI;

    } else {
        c.kind = AI_STATE_OPENAI;
    }

    c.custom = (t->caps.flags & AI_CAPS_REASONING)
               && !(t->vendor->flags & AI_VENDOR_SYSTEM);

    /* later ones reject sampling only if they are told to reason */

    c.strict = (t->caps.flags & AI_CAPS_REASONING)
               && !(ai_wire_model_has(&t->model, "gpt-5.")
                    && (req->effort == AI_EFFORT_UNSET
                        || req->effort == AI_EFFORT_NONE));

    rc = ai_chat_render_body(&c);

    if (rc != AI_OK) {
        return rc;
    }

    return ai_buf_get(out, &body);
}


static ai_int_t
ai_chat_render_body(ai_chat_render_t *c)
{
    ai_int_t    rc;
    ai_mstr_t   model;
    ai_uint_t   flags;

    rc = ai_chat_render_refuse(c);

    if (rc != AI_OK) {
        return rc;
    }

    flags = c->t->vendor->flags;

    ai_buf_lit(c->out, "{");

    if (!(flags & AI_VENDOR_NO_MODEL)) {
        model = ai_mstr_plain(&c->t->model);
        ai_buf_key_string(c->out, "model", &model);
    }

    rc = ai_chat_render_messages(c);

    if (rc != AI_OK) {
        return rc;
    }

    ai_chat_render_stream(c);

    if ((c->t->caps.flags & AI_CAPS_REASONING)
        && !(flags & AI_VENDOR_MAX_TOKENS))
    {
        ai_chat_put(c, "max_completion_tokens", &c->req->max_tokens);

    } else {
        ai_chat_put(c, "max_tokens", &c->req->max_tokens);
    }

    ai_chat_render_sampling(c);
    ai_chat_render_stop(c);
    ai_chat_render_effort(c);
    ai_chat_render_format(c);

    rc = ai_chat_render_tools(c);

    if (rc != AI_OK) {
        return rc;
    }

    rc = ai_chat_render_rest(c);

    ai_buf_lit(c->out, "}");

    return rc;
}


/* what cannot be left out */

static ai_int_t
ai_chat_render_refuse(ai_chat_render_t *c)
{
    ai_request_t  *req;

    req = c->req;

    if (req->n.len != 0 && !ai_str_eq(&req->n, "1")
        && ai_chat_member(c->t, "n") == NULL)
    {
        return ai_report_refuse(c->rep, "n", "this provider gives one answer "
                                "at a time, n must be 1");
    }

    if (ai_str_eq(&req->logprobs, "true")
        && (ai_chat_member(c->t, "logprobs") == NULL || c->strict))
    {
        return ai_report_refuse(c->rep, "logprobs",
                                "this model gives no log probabilities");
    }

    return AI_OK;
}


const char *
ai_chat_member(const ai_target_t *t, const char *name)
{
    const char *const         *allowed;
    const ai_vendor_member_t  *m;

    for (m = t->vendor->members; m != NULL && m->from != NULL; m++) {

        if (strcmp(m->from, name) == 0) {
            return m->to;
        }
    }

    /* the list of what is allowed is of the body only */

    if (t->vendor->allowed == NULL
        || strncmp(name, "messages.", sizeof("messages.") - 1) == 0)
    {
        return name;
    }

    for (allowed = t->vendor->allowed; *allowed != NULL; allowed++) {

        if (strcmp(*allowed, name) == 0) {
            return name;
        }
    }

    return NULL;
}


static void
ai_chat_put(ai_chat_render_t *c, const char *name, const ai_str_t *raw)
{
    const char  *key;

    if (raw->len == 0) {
        return;
    }

    key = ai_chat_member(c->t, name);

    if (key == NULL) {
        ai_report_drop(c->rep, name);
        return;
    }

    ai_buf_key_raw(c->out, key, raw);
}


static void
ai_chat_put_string(ai_chat_render_t *c, const char *name, const ai_mstr_t *m)
{
    const char  *key;

    if (ai_mstr_empty(m)) {
        return;
    }

    key = ai_chat_member(c->t, name);

    if (key == NULL) {
        ai_report_drop(c->rep, name);
        return;
    }

    ai_buf_key_string(c->out, key, m);
}


/* what is longer than OpenAI takes it: its hash serves the same end */

static ai_int_t
ai_chat_put_short(ai_chat_render_t *c, const char *name, const ai_mstr_t *m)
{
    const char  *key;

    key = ai_chat_member(c->t, name);

    if (key == NULL) {
        ai_chat_put_string(c, name, m);
        return AI_OK;
    }

    return ai_wire_write_short(c->out, key, m, c->req->alloc);
}


/* without it many tell no usage, which is accounted in any case */

static void
ai_chat_render_stream(ai_chat_render_t *c)
{
    if (!c->t->stream) {
        return;
    }

    ai_buf_key(c->out, "stream");
    ai_buf_lit(c->out, "true");

    if (!(c->t->vendor->flags & AI_VENDOR_NO_STREAM_OPTIONS)
        && ai_chat_member(c->t, "stream_options") != NULL)
    {
        ai_buf_key(c->out, "stream_options");
        ai_buf_lit(c->out, "{\"include_usage\":true}");
    }
}


static void
ai_chat_render_sampling(ai_chat_render_t *c)
{
    ai_request_t  *req;

    req = c->req;

    ai_chat_put_unless(c, "temperature", &req->temperature, '1');
    ai_chat_put_unless(c, "top_p", &req->top_p, '1');
    ai_chat_put_unless(c, "presence_penalty", &req->presence_penalty, '0');
    ai_chat_put_unless(c, "frequency_penalty", &req->frequency_penalty, '0');
    ai_chat_put_unless(c, "logit_bias", &req->logit_bias, '0');

    /* OpenAI has none, so it goes only to who is known to take it */

    if (req->top_k.len != 0) {

        if (c->t->vendor->allowed != NULL || c->details
            || (c->t->vendor->flags & AI_VENDOR_TOP_K))
        {
            ai_chat_put(c, "top_k", &req->top_k);

        } else {
            ai_report_drop(c->rep, "top_k");
        }
    }

    ai_chat_put(c, "seed", &req->seed);

    if (!ai_str_eq(&req->n, "1")) {
        ai_chat_put(c, "n", &req->n);
    }

    if (ai_str_eq(&req->logprobs, "true")) {
        ai_chat_put(c, "logprobs", &req->logprobs);
        ai_chat_put(c, "top_logprobs", &req->top_logprobs);
    }
}


/* models that reason reject anything but what is normal */

static void
ai_chat_put_unless(ai_chat_render_t *c, const char *name,
    const ai_str_t *raw, u_char normal)
{
    if (!c->strict) {
        ai_chat_put(c, name, raw);
        return;
    }

    if (raw->len != 0
        && !(raw->data[0] == normal
             && (raw->len == 1
                 || (raw->len == 3 && memcmp(raw->data + 1, ".0", 2) == 0))))
    {
        ai_report_drop(c->rep, name);
    }
}


static void
ai_chat_render_stop(ai_chat_render_t *c)
{
    const char    *key;
    ai_request_t  *req;

    req = c->req;

    if (req->nstop == 0) {
        return;
    }

    key = ai_chat_member(c->t, "stop");

    if (key == NULL || (c->t->caps.flags & AI_CAPS_REASONING)) {
        ai_report_drop(c->rep, "stop");
        return;
    }

    ai_wire_write_stops(c->out, key, req, AI_CHAT_STOPS, 1, c->rep);
}


static void
ai_chat_render_effort(ai_chat_render_t *c)
{
    ai_effort_e    effort;
    const char    *key, *name;
    ai_request_t  *req;

    req = c->req;
    effort = ai_wire_effort(req);

    if (effort == AI_EFFORT_UNSET) {
        return;
    }

    if (c->t->vendor->flags & AI_VENDOR_REASONING_OBJECT) {

        ai_buf_key(c->out, "reasoning");
        ai_buf_lit(c->out, "{");

        if (req->budget.len != 0 && req->effort == AI_EFFORT_UNSET) {
            ai_buf_key_raw(c->out, "max_tokens", &req->budget);

        } else {
            ai_buf_key(c->out, "effort");
            ai_buf_quote_cstr(c->out, ai_effort_name(effort));
        }

        ai_buf_lit(c->out, "}");

        return;
    }

    key = ai_chat_member(c->t, "reasoning_effort");
    name = ai_chat_effort_name(c, effort);

    if (key != NULL && name != NULL) {
        ai_buf_key(c->out, key);
        ai_buf_quote_cstr(c->out, name);

    } else if (effort != AI_EFFORT_NONE) {
        ai_report_drop(c->rep, "reasoning_effort");
    }
}


/*
 * Each generation of models has its own set of names.  NULL: as far as known
 * the model does not reason, and would refuse the member.
 */

static const char *
ai_chat_effort_name(ai_chat_render_t *c, ai_effort_e effort)
{
    ai_uint_t  i, flags;

    /* of vendors where others do not; each was seen to */

    static const char *const  thinkers[] = {
        "grok-3-mini", "mistral-small", "sonar-reasoning", NULL
    };

    flags = c->t->caps.flags;

    if ((flags & AI_CAPS_REASONING)
        && ai_wire_model_has(&c->t->model, "gpt-5."))
    {
        if (effort == AI_EFFORT_MINIMAL) {
            return "low";
        }

        return effort == AI_EFFORT_MAX ? "xhigh" : ai_effort_name(effort);
    }

    if (effort == AI_EFFORT_XHIGH || effort == AI_EFFORT_MAX) {
        effort = AI_EFFORT_HIGH;
    }

    if (flags & AI_CAPS_REASONING) {

        if (effort == AI_EFFORT_NONE || effort == AI_EFFORT_MINIMAL) {
            return ai_wire_model_has(&c->t->model, "gpt-5") ? "minimal" : "low";
        }

        return ai_effort_name(effort);
    }

    if (effort == AI_EFFORT_MINIMAL) {
        effort = AI_EFFORT_LOW;
    }

    if (flags & AI_CAPS_EFFORT) {
        return effort == AI_EFFORT_NONE ? "low" : ai_effort_name(effort);
    }

    if (effort == AI_EFFORT_NONE) {
        return NULL;
    }

    if (c->t->vendor->reasoning != NULL) {
        return ai_effort_name(effort);
    }

    for (i = 0; thinkers[i] != NULL; i++) {

        if (ai_wire_model_has(&c->t->model, thinkers[i])) {
            return ai_effort_name(effort);
        }
    }

    return NULL;
}


static void
ai_chat_render_format(ai_chat_render_t *c)
{
    ai_str_t       normal;
    ai_mstr_t      name;
    const char    *key;
    ai_request_t  *req;

    req = c->req;

    if (req->format != AI_FORMAT_JSON && req->format != AI_FORMAT_SCHEMA) {
        return;
    }

    key = ai_chat_member(c->t, "response_format");

    if (key == NULL) {
        ai_report_drop(c->rep, "response_format");
        return;
    }

    ai_buf_key(c->out, key);

    if (req->format == AI_FORMAT_JSON) {
        ai_buf_lit(c->out, "{\"type\":\"json_object\"}");
        return;
    }

    ai_str_set(&normal, "response");

    name = ai_mstr_empty(&req->format_name) ? ai_mstr_plain(&normal)
                                            : req->format_name;

    ai_buf_lit(c->out, "{\"type\":\"json_schema\",\"json_schema\":{");
    ai_buf_key_string(c->out, "name", &name);
    ai_buf_key_string(c->out, "description", &req->format_description);
    ai_buf_key_raw(c->out, "schema", &req->format_schema);
    ai_buf_key_raw(c->out, "strict", &req->format_strict);
    ai_buf_lit(c->out, "}}");
}


static ai_int_t
ai_chat_render_tools(ai_chat_render_t *c)
{
    ai_int_t          rc;
    ai_uint_t         n;
    ai_json_t         raw, type;
    const ai_tool_t  *tool;

    n = 0;

    for (tool = c->req->tools; tool != NULL; tool = tool->next) {

        if (tool->type == AI_TOOL_SERVER) {

            raw = ai_wire_object(&tool->raw);

            if (ai_json_get(&raw, "type", &type) == AI_OK
                && ai_json_filled(&type))
            {
                ai_report_drop_name(c->rep, &type);

            } else {
                ai_report_drop(c->rep, "tools");
            }

            continue;
        }

        if (!ai_request_allowed(c->req, &tool->name)) {
            continue;
        }

        if (ai_chat_member(c->t, "tools") == NULL) {
            return ai_report_refuse(c->rep, "tools",
                                    "this provider takes no tools");
        }

        if (n++ == 0) {
            ai_buf_key(c->out, "tools");
            ai_buf_lit(c->out, "[");
        }

        rc = ai_chat_render_tool(c, tool);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (n == 0) {
        return AI_OK;
    }

    ai_buf_lit(c->out, "]");

    ai_chat_put(c, "parallel_tool_calls", &c->req->parallel);

    return ai_chat_render_choice(c);
}


/*
 * A custom tool takes free text.  To models that know none of these it is a
 * function with one argument, see ai_part_object().
 */

static ai_int_t
ai_chat_render_tool(ai_chat_render_t *c, const ai_tool_t *tool)
{
    ai_buf_comma(c->out);

    if (tool->type == AI_TOOL_CUSTOM && c->custom) {
        ai_chat_render_custom(c, tool);
        return AI_OK;
    }

    ai_buf_lit(c->out, "{\"type\":\"function\",\"function\":{");

    if (ai_wire_write_function(c->out, c->req, tool, AI_CHAT_NAME) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key_raw(c->out, "strict", &tool->strict);
    ai_buf_lit(c->out, "}");

    if (c->markers) {
        ai_buf_key_raw(c->out, "cache_control", &tool->cache);
    }

    ai_buf_lit(c->out, "}");

    return AI_OK;
}


/* Responses has the tool and its grammar without an object around them */

static void
ai_chat_render_custom(ai_chat_render_t *c, const ai_tool_t *tool)
{
    ai_str_t   text;
    ai_json_t  raw, format, grammar;

    ai_buf_lit(c->out, "{\"type\":\"custom\",\"custom\":{");
    ai_buf_key_string(c->out, "name", &tool->name);
    ai_buf_key_string(c->out, "description", &tool->description);

    raw = ai_wire_object(&tool->raw);

    if (ai_json_path(&raw, &format, "custom", "format", NULL) == AI_OK
        || ai_json_get(&raw, "format", &format) == AI_OK)
    {
        text = ai_json_raw(&format);

        if (ai_json_get(&format, "definition", &grammar) == AI_OK) {
            ai_buf_key(c->out, "format");
            ai_buf_lit(c->out, "{\"type\":\"grammar\",\"grammar\":");
            ai_buf_raw(c->out, &text);
            ai_buf_lit(c->out, "}");

        } else {
            ai_buf_key_raw(c->out, "format", &text);
        }
    }

    ai_buf_lit(c->out, "}}");
}


static ai_int_t
ai_chat_render_choice(ai_chat_render_t *c)
{
    ai_mstr_t         name;
    const ai_tool_t  *tool;

    if (c->req->choice == AI_CHOICE_UNSET) {
        return AI_OK;
    }

    if (ai_chat_member(c->t, "tool_choice") == NULL) {
        ai_report_drop(c->rep, "tool_choice");
        return AI_OK;
    }

    ai_buf_key(c->out, "tool_choice");

    switch (c->req->choice) {

    case AI_CHOICE_NONE:
        ai_buf_lit(c->out, "\"none\"");
        return AI_OK;

    case AI_CHOICE_REQUIRED:

        if (c->t->vendor->flags & AI_VENDOR_CHOICE_ANY) {
            ai_buf_lit(c->out, "\"any\"");

        } else {
            ai_buf_lit(c->out, "\"required\"");
        }

        return AI_OK;

    case AI_CHOICE_NAMED:
        break;

    default:
        ai_buf_lit(c->out, "\"auto\"");
        return AI_OK;
    }

    for (tool = c->req->tools; tool != NULL; tool = tool->next) {

        if (tool->type == AI_TOOL_CUSTOM && c->custom
            && ai_mstr_same(&tool->name, &c->req->choice_name))
        {
            ai_buf_lit(c->out, "{\"type\":\"custom\",\"custom\":{");
            ai_buf_key_string(c->out, "name", &tool->name);
            ai_buf_lit(c->out, "}}");
            return AI_OK;
        }
    }

    if (ai_request_name(c->req, &c->req->choice_name, AI_CHAT_NAME, &name)
        != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_lit(c->out, "{\"type\":\"function\",\"function\":{");
    ai_buf_key_string(c->out, "name", &name);
    ai_buf_lit(c->out, "}}");

    return AI_OK;
}


static ai_int_t
ai_chat_render_rest(ai_chat_render_t *c)
{
    ai_request_t  *req;

    req = c->req;

    if (ai_chat_put_short(c, "user", &req->user) != AI_OK
        || ai_chat_put_short(c, "prompt_cache_key", &req->cache_key)
           != AI_OK)
    {
        return AI_ERROR;
    }

    if (!ai_mstr_eq(&req->service_tier, "auto")) {
        ai_chat_put_string(c, "service_tier", &req->service_tier);
    }

    if (c->t->caps.flags & AI_CAPS_REASONING) {
        ai_chat_put_string(c, "verbosity", &req->verbosity);

    } else if (!ai_mstr_empty(&req->verbosity)) {
        ai_report_drop(c->rep, "verbosity");
    }

    /* OpenAI keeps metadata with what it stores, and takes none without */

    if (ai_str_eq(&req->store, "true")
        && ai_chat_member(c->t, "store") != NULL)
    {
        ai_chat_put(c, "store", &req->store);
        ai_chat_put(c, "metadata", &req->metadata);

    } else if (req->metadata.len > 2) {
        ai_report_drop(c->rep, "metadata");
    }

    return AI_OK;
}

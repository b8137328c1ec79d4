
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What goes to the provider beside the contents: generationConfig, labels,
 * tools, toolConfig.
 */


#include "wire_gemini.h"


#define AI_GEMINI_STOPS       5
#define AI_GEMINI_NAME_LEN    64
#define AI_GEMINI_LABEL_LEN   63

/* tokens to think with, of models that are told how many */

#define AI_GEMINI_FLASH_MAX   24576
#define AI_GEMINI_PRO_MIN     128
#define AI_GEMINI_PRO_MAX     32768


static void ai_gemini_render_sampling(ai_request_t *req, ai_buf_t *out,
    ai_report_t *rep);
static ai_int_t ai_gemini_render_format(ai_request_t *req,
    const ai_target_t *t, ai_buf_t *out, ai_report_t *rep);
static void ai_gemini_render_thinking(ai_request_t *req,
    const ai_target_t *t, ai_buf_t *out, ai_report_t *rep);
static void ai_gemini_render_budget(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out);
static const char *ai_gemini_level(ai_effort_e effort, ai_uint_t pro);
static uint64_t ai_gemini_budget(ai_request_t *req);
static void ai_gemini_render_labels(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);
static ai_uint_t ai_gemini_label(const ai_json_t *v);
static ai_int_t ai_gemini_render_function(ai_request_t *req,
    const ai_target_t *t, const ai_tool_t *tool, ai_buf_t *out);
static ai_uint_t ai_gemini_schema_empty(const ai_str_t *schema);
static ai_uint_t ai_gemini_server_tool(const ai_mstr_t *name);
static ai_int_t ai_gemini_render_choice(ai_request_t *req, ai_buf_t *out);
static ai_uint_t ai_gemini_functions(const ai_request_t *req);


/* Google's own tools, by the names that clients know them by */

static const char *const  ai_gemini_server_tools[] = {
    "googleSearch",
    "google_search",
    "googleSearchRetrieval",
    "google_search_retrieval",
    "googleMaps",
    "google_maps",
    "codeExecution",
    "code_execution",
    "urlContext",
    "url_context",
    "fileSearch",
    "file_search",
    "computerUse",
    "computer_use",
    "enterpriseWebSearch",
    "enterprise_web_search",
    NULL
};


ai_int_t
ai_gemini_render_config(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    size_t    begin;
    ai_buf_t  b;
    ai_str_t  config;

    ai_buf_init(&b, req->alloc, out->max);
    ai_buf_lit(&b, "{");

    begin = ai_buf_len(&b);

    ai_gemini_render_sampling(req, &b, rep);
    ai_wire_write_stops(&b, "stopSequences", req, AI_GEMINI_STOPS, 1, rep);

    if (ai_gemini_render_format(req, t, &b, rep) != AI_OK) {
        return AI_ERROR;
    }

    ai_gemini_render_thinking(req, t, &b, rep);

    if (ai_buf_len(&b) != begin) {
        ai_buf_lit(&b, "}");

        if (ai_buf_get(&b, &config) != AI_OK) {
            return AI_ERROR;
        }

        ai_buf_key_raw(out, "generationConfig", &config);
    }

    ai_gemini_render_labels(req, t, out, rep);

    ai_wire_lacks(req, AI_WIRE_BIAS|AI_WIRE_USER|AI_WIRE_TIER
                       |AI_WIRE_VERBOSITY|AI_WIRE_CACHE_KEY|AI_WIRE_STORE,
                  rep);

    return AI_OK;
}


static void
ai_gemini_render_sampling(ai_request_t *req, ai_buf_t *out, ai_report_t *rep)
{
    double  n;

    ai_buf_key_raw(out, "maxOutputTokens", &req->max_tokens);
    ai_buf_key_raw(out, "temperature", &req->temperature);
    ai_buf_key_raw(out, "topP", &req->top_p);
    ai_buf_key_raw(out, "topK", &req->top_k);
    ai_buf_key_raw(out, "presencePenalty", &req->presence_penalty);
    ai_buf_key_raw(out, "frequencyPenalty", &req->frequency_penalty);

    if (ai_wire_double(&req->n) > 1) {
        ai_buf_key_raw(out, "candidateCount", &req->n);
    }

    /* an int32 here, which others need not give */

    if (req->seed.len != 0) {
        n = ai_wire_double(&req->seed);

        if (n >= -2147483648.0 && n <= 2147483647.0) {
            ai_buf_key_raw(out, "seed", &req->seed);

        } else {
            ai_report_drop(rep, "seed");
        }
    }

    if (ai_str_eq(&req->logprobs, "true")) {
        ai_buf_key_raw(out, "responseLogprobs", &req->logprobs);

        if (ai_wire_double(&req->top_logprobs) > 0) {
            ai_buf_key_raw(out, "logprobs", &req->top_logprobs);
        }
    }
}


/* models before Gemini 3 answer 400 to functions with a format of JSON */

static ai_int_t
ai_gemini_render_format(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    if (req->format != AI_FORMAT_JSON && req->format != AI_FORMAT_SCHEMA) {
        return AI_OK;
    }

    if (!(t->caps.flags & AI_CAPS_THINK_LEVEL) && ai_gemini_functions(req)
        && req->choice != AI_CHOICE_NONE)
    {
        ai_report_drop(rep, "response_format");
        return AI_OK;
    }

    ai_buf_key(out, "responseMimeType");
    ai_buf_lit(out, "\"application/json\"");

    if (req->format_schema.len == 0) {
        return AI_OK;
    }

    if (t->caps.flags & AI_CAPS_JSON_SCHEMA) {
        ai_buf_key_raw(out, "responseJsonSchema", &req->format_schema);
        return AI_OK;
    }

    ai_buf_key(out, "responseSchema");

    return ai_gemini_schema_openapi(out, &req->format_schema, req->alloc);
}


static void
ai_gemini_render_thinking(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    const char   *level;
    ai_effort_e   effort;

    effort = req->effort;

    if (!(t->caps.flags & (AI_CAPS_THINK_LEVEL|AI_CAPS_THINK_BUDGET))) {

        if ((effort != AI_EFFORT_UNSET && effort != AI_EFFORT_NONE)
            || req->budget.len != 0)
        {
            ai_report_drop(rep, "reasoning_effort");
        }

        return;
    }

    if (effort == AI_EFFORT_UNSET && req->budget.len == 0 && !req->adaptive
        && !req->summary)
    {
        return;
    }

    ai_buf_key(out, "thinkingConfig");
    ai_buf_lit(out, "{");

    if (t->caps.flags & AI_CAPS_THINK_LEVEL) {

        if (effort == AI_EFFORT_UNSET && req->budget.len != 0) {
            effort = ai_effort_budget(ai_gemini_budget(req));
        }

        level = ai_gemini_level(effort, t->caps.flags & AI_CAPS_THINK_PRO);

        if (level != NULL) {
            ai_buf_key(out, "thinkingLevel");
            ai_buf_quote_cstr(out, level);
        }

    } else {
        ai_gemini_render_budget(req, t, out);
    }

    /* who names an effort has no word for it, and shows what it gets */

    if ((req->summary || req->effort != AI_EFFORT_UNSET)
        && effort != AI_EFFORT_NONE)
    {
        ai_buf_key(out, "includeThoughts");
        ai_buf_lit(out, "true");
    }

    ai_buf_lit(out, "}");
}


/* wire-formats.md 2.4 */

static const char *
ai_gemini_level(ai_effort_e effort, ai_uint_t pro)
{
    switch (effort) {

    case AI_EFFORT_UNSET:
        return NULL;

    case AI_EFFORT_NONE:
    case AI_EFFORT_MINIMAL:
        return pro ? "low" : "minimal";

    case AI_EFFORT_LOW:
        return "low";

    case AI_EFFORT_MEDIUM:
        return pro ? "high" : "medium";

    default:
        return "high";
    }
}


static void
ai_gemini_render_budget(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out)
{
    uint64_t   n, max;
    ai_uint_t  pro;

    pro = t->caps.flags & AI_CAPS_THINK_PRO;
    max = pro ? AI_GEMINI_PRO_MAX : AI_GEMINI_FLASH_MAX;

    if (req->effort != AI_EFFORT_UNSET) {
        n = ai_budget_effort(req->effort);

    } else if (req->budget.len != 0) {
        n = ai_gemini_budget(req);

    } else {

        if (req->adaptive) {
            ai_buf_key(out, "thinkingBudget");
            ai_buf_lit(out, "-1");
        }

        return;
    }

    if (n > max) {
        n = max;
    }

    if (pro && n < AI_GEMINI_PRO_MIN) {
        n = AI_GEMINI_PRO_MIN;
    }

    ai_buf_key_uint(out, "thinkingBudget", n);
}


static uint64_t
ai_gemini_budget(ai_request_t *req)
{
    double  n;

    n = ai_wire_double(&req->budget);

    if (n <= 0) {
        return 0;
    }

    return (n > AI_GEMINI_PRO_MAX) ? AI_GEMINI_PRO_MAX : (uint64_t) n;
}


/* Vertex only, which refuses what is not in the form of its labels */

static void
ai_gemini_render_labels(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    ai_json_t       labels, name, value;
    ai_json_iter_t  it;

    if (req->metadata.len == 0) {
        return;
    }

    labels = ai_wire_object(&req->metadata);

    ai_json_iter_init(&it, &labels);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (t->vendor == NULL || !(t->vendor->flags & AI_VENDOR_NO_CALL_IDS)
            || !ai_gemini_label(&name) || !ai_gemini_label(&value))
        {
            ai_report_drop(rep, "metadata");
            return;
        }
    }

    if (req->metadata.data[0] == '{') {
        ai_buf_key_raw(out, "labels", &req->metadata);
    }
}


static ai_uint_t
ai_gemini_label(const ai_json_t *v)
{
    size_t    i;
    u_char    ch;
    ai_str_t  s;

    if (v->type != AI_JSON_STRING) {
        return 0;
    }

    s = ai_json_str_raw(v);

    if (s.len > AI_GEMINI_LABEL_LEN) {
        return 0;
    }

    for (i = 0; i < s.len; i++) {
        ch = s.data[i];

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '_'
            && ch != '-')
        {
            return 0;
        }
    }

    return 1;
}


ai_int_t
ai_gemini_render_tools(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    ai_uint_t         functions, any;
    const ai_tool_t  *tool;

    any = 0;
    functions = ai_gemini_functions(req);

    if (functions) {
        any = 1;

        ai_buf_key(out, "tools");
        ai_buf_lit(out, "[{\"functionDeclarations\":[");

        for (tool = req->tools; tool != NULL; tool = tool->next) {

            if (ai_wire_shown(req, tool)
                && ai_gemini_render_function(req, t, tool, out) != AI_OK)
            {
                return AI_ERROR;
            }
        }

        ai_buf_lit(out, "]}");
    }

    for (tool = req->tools; tool != NULL; tool = tool->next) {

        if (tool->type != AI_TOOL_SERVER) {
            continue;
        }

        if (!ai_gemini_server_tool(&tool->name)) {
            ai_report_drop(rep, "tools");
            continue;
        }

        if (any++ == 0) {
            ai_buf_key(out, "tools");
            ai_buf_lit(out, "[");
        }

        ai_buf_comma(out);
        ai_buf_raw(out, &tool->raw);
    }

    if (any) {
        ai_buf_lit(out, "]");
    }

    if (!functions) {
        return AI_OK;
    }

    if (ai_str_eq(&req->parallel, "false")) {
        ai_report_drop(rep, "parallel_tool_calls");
    }

    return ai_gemini_render_choice(req, out);
}


/* a custom tool is a function whose only argument is the text it takes */

static ai_int_t
ai_gemini_render_function(ai_request_t *req, const ai_target_t *t,
    const ai_tool_t *tool, ai_buf_t *out)
{
    ai_mstr_t  name;

    if (ai_gemini_tool_name(req, &tool->name, &name) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_comma(out);
    ai_buf_lit(out, "{");

    ai_buf_key(out, "name");
    ai_buf_string(out, &name);
    ai_buf_key_string(out, "description", &tool->description);

    if (tool->type == AI_TOOL_CUSTOM) {
        ai_buf_key(out, "parameters");
        ai_buf_lit(out, "{\"type\":\"OBJECT\",\"properties\":{\"input\":"
                        "{\"type\":\"STRING\"}},\"required\":[\"input\"]}");

    } else if (ai_gemini_schema_empty(&tool->schema)) {
        /* void */

    } else if (t->caps.flags & AI_CAPS_JSON_SCHEMA) {
        ai_buf_key_raw(out, "parametersJsonSchema", &tool->schema);

    } else {
        ai_buf_key(out, "parameters");

        if (ai_gemini_schema_openapi(out, &tool->schema, req->alloc)
            != AI_OK)
        {
            return AI_ERROR;
        }
    }

    ai_buf_lit(out, "}");

    return AI_OK;
}


/* an object without properties is refused, none at all is not */

static ai_uint_t
ai_gemini_schema_empty(const ai_str_t *schema)
{
    ai_json_t       root, name, value, first;
    ai_json_iter_t  it, properties;

    root = ai_wire_object(schema);

    ai_json_iter_init(&it, &root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_name_eq(&name, "properties")) {
            ai_json_iter_init(&properties, &value);

            if (ai_json_next(&properties, NULL, &first) == AI_OK) {
                return 0;
            }

            continue;
        }

        if (ai_json_name_eq(&name, "$ref") || ai_json_name_eq(&name, "anyOf")
            || ai_json_name_eq(&name, "oneOf")
            || ai_json_name_eq(&name, "allOf")
            || ai_json_name_eq(&name, "patternProperties")
            || (ai_json_name_eq(&name, "additionalProperties")
                && value.type != AI_JSON_FALSE))
        {
            return 0;
        }
    }

    return 1;
}


static ai_uint_t
ai_gemini_server_tool(const ai_mstr_t *name)
{
    const char *const  *p;

    for (p = ai_gemini_server_tools; *p != NULL; p++) {
        if (ai_mstr_eq(name, *p)) {
            return 1;
        }
    }

    return 0;
}


static ai_int_t
ai_gemini_render_choice(ai_request_t *req, ai_buf_t *out)
{
    ai_mstr_t  name;

    if (req->choice == AI_CHOICE_UNSET) {
        return AI_OK;
    }

    ai_buf_key(out, "toolConfig");
    ai_buf_lit(out, "{\"functionCallingConfig\":{\"mode\":");

    switch (req->choice) {

    case AI_CHOICE_NONE:
        ai_buf_lit(out, "\"NONE\"");
        break;

    case AI_CHOICE_REQUIRED:
        ai_buf_lit(out, "\"ANY\"");
        break;

    case AI_CHOICE_NAMED:
        if (ai_gemini_tool_name(req, &req->choice_name, &name) != AI_OK) {
            return AI_ERROR;
        }

        ai_buf_lit(out, "\"ANY\",\"allowedFunctionNames\":[");
        ai_buf_string(out, &name);
        ai_buf_lit(out, "]");
        break;

    default:
        ai_buf_lit(out, "\"AUTO\"");
        break;
    }

    ai_buf_lit(out, "}}");

    return AI_OK;
}


ai_int_t
ai_gemini_tool_name(ai_request_t *req, const ai_mstr_t *name, ai_mstr_t *out)
{
    return ai_request_name(req, name, AI_GEMINI_NAME_LEN, out);
}


/* whether there is any that may be shown */

static ai_uint_t
ai_gemini_functions(const ai_request_t *req)
{
    const ai_tool_t  *tool;

    for (tool = req->tools; tool != NULL; tool = tool->next) {
        if (ai_wire_shown(req, tool)) {
            return 1;
        }
    }

    return 0;
}

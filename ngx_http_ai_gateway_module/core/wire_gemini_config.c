
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * How a client wants to be answered: generationConfig, tools, toolConfig.
 */


#include "wire_gemini.h"


/* members of generationConfig that are numbers, kept as they are */

typedef struct {
    const char          *name;
    const char          *param;
    size_t               offset;       /* in ai_request_t */
} ai_gemini_number_t;


typedef struct {
    ai_json_t            mime;
    ai_json_t            schema;       /* OpenAPI */
    ai_json_t            json_schema;
} ai_gemini_format_t;


static ai_int_t ai_gemini_config_member(ai_request_t *req,
    ai_gemini_format_t *f, const ai_json_t *name, const ai_json_t *value,
    ai_report_t *rep);
static ai_int_t ai_gemini_modalities(const ai_json_t *v, ai_report_t *rep);
static ai_int_t ai_gemini_thinking(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_gemini_format(ai_request_t *req, ai_gemini_format_t *f,
    ai_report_t *rep);
static ai_int_t ai_gemini_convert(ai_request_t *req, const ai_json_t *schema,
    ai_str_t *out);
static ai_int_t ai_gemini_tool(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);
static ai_int_t ai_gemini_function(ai_request_t *req, const ai_json_t *v,
    ai_report_t *rep);


#define AI_GEMINI_NUMBER(name, field)                                        \
    { name, "generationConfig." name, offsetof(ai_request_t, field) }

static const ai_gemini_number_t  ai_gemini_numbers[] = {
    AI_GEMINI_NUMBER("maxOutputTokens", max_tokens),
    AI_GEMINI_NUMBER("temperature", temperature),
    AI_GEMINI_NUMBER("topP", top_p),
    AI_GEMINI_NUMBER("topK", top_k),
    AI_GEMINI_NUMBER("candidateCount", n),
    AI_GEMINI_NUMBER("seed", seed),
    AI_GEMINI_NUMBER("presencePenalty", presence_penalty),
    AI_GEMINI_NUMBER("frequencyPenalty", frequency_penalty),
    AI_GEMINI_NUMBER("logprobs", top_logprobs),
    { NULL, NULL, 0 }
};


ai_int_t
ai_gemini_parse_config(ai_request_t *req, const ai_json_t *config,
    ai_report_t *rep)
{
    ai_int_t            rc;
    ai_json_t           name, value;
    ai_json_iter_t      it;
    ai_gemini_format_t  f;

    if (config->type == AI_JSON_NULL) {
        return AI_OK;
    }

    if (config->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, "generationConfig", "must be an object");
    }

    memset(&f, 0, sizeof(ai_gemini_format_t));

    ai_json_iter_init(&it, config);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        rc = ai_gemini_config_member(req, &f, &name, &value, rep);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return ai_gemini_format(req, &f, rep);
}


static ai_int_t
ai_gemini_config_member(ai_request_t *req, ai_gemini_format_t *f,
    const ai_json_t *name, const ai_json_t *value, ai_report_t *rep)
{
    ai_wire_read_t             r;
    const ai_gemini_number_t  *n;

    static const ai_wire_member_t  ai_gemini_stops = {
        ai_string("stopSequences"), ai_wire_read_stops, 0,
        "generationConfig.stopSequences"
    };

    for (n = ai_gemini_numbers; n->name != NULL; n++) {

        if (!ai_gemini_name(name, n->name, strlen(n->name))) {
            continue;
        }

        if (value->type != AI_JSON_NUMBER) {
            return ai_report_refuse(rep, n->param, "must be a number");
        }

        *(ai_str_t *) (void *) ((u_char *) req + n->offset)
            = ai_json_raw(value);

        return AI_OK;
    }

    if (ai_gemini_is(name, "stopSequences")) {
        memset(&r, 0, sizeof(ai_wire_read_t));

        r.req = req;
        r.rep = rep;

        return ai_wire_read_stops(&r, value, &ai_gemini_stops);
    }

    if (ai_gemini_is(name, "responseMimeType")) {
        f->mime = *value;

    } else if (ai_gemini_is(name, "responseSchema")) {
        f->schema = *value;

    } else if (ai_gemini_is(name, "responseJsonSchema")
               || ai_json_name_eq(name, "_responseJsonSchema"))
    {
        f->json_schema = *value;

    } else if (ai_gemini_is(name, "responseLogprobs")) {

        if (ai_json_is_true(value)) {
            req->logprobs = ai_json_raw(value);
        }

    } else if (ai_gemini_is(name, "thinkingConfig")) {
        return ai_gemini_thinking(req, value, rep);

    } else if (ai_gemini_is(name, "responseModalities")) {
        return ai_gemini_modalities(value, rep);

    } else {
        ai_report_drop_name(rep, name);
    }

    return AI_OK;
}


/* pictures and speech beside a text can be done without */

static ai_int_t
ai_gemini_modalities(const ai_json_t *v, ai_report_t *rep)
{
    ai_uint_t       text, other;
    ai_json_t       value;
    ai_json_iter_t  it;

    text = 0;
    other = 0;

    ai_json_iter_init(&it, v);

    while (v->type == AI_JSON_ARRAY && ai_json_next(&it, NULL, &value) == AI_OK)
    {
        if (ai_json_name_eq(&value, "TEXT") || ai_json_name_eq(&value, "text"))
        {
            text = 1;

        } else {
            other = 1;
        }
    }

    if (other && !text) {
        return ai_report_refuse(rep, "generationConfig.responseModalities",
                                "nothing but text can be had here");
    }

    if (other) {
        ai_report_drop(rep, "modalities");
    }

    return AI_OK;
}


static ai_int_t
ai_gemini_thinking(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    size_t          i;
    u_char          buf[16];
    ai_str_t        s, level;
    uint64_t        budget;
    ai_json_t       name, value;
    ai_mstr_t       m;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, "generationConfig.thinkingConfig",
                                "must be an object");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_gemini_is(&name, "includeThoughts")) {
            req->summary = ai_json_is_true(&value);

        } else if (ai_gemini_is(&name, "thinkingLevel")
                   && value.type == AI_JSON_STRING)
        {
            s = ai_json_str_raw(&value);

            for (i = 0; i < s.len && i < sizeof(buf); i++) {
                buf[i] = s.data[i] | 0x20;
            }

            level.data = buf;
            level.len = i;
            m = ai_mstr_plain(&level);

            req->effort = ai_effort_find(&m);

        } else if (ai_gemini_is(&name, "thinkingBudget")
                   && value.type == AI_JSON_NUMBER)
        {
            if (ai_json_uint(&value, &budget) != AI_OK) {

                /* -1, as the model likes */

                req->adaptive = 1;

            } else if (budget == 0) {
                req->effort = AI_EFFORT_NONE;

            } else {
                req->budget = ai_json_raw(&value);
            }
        }
    }

    return AI_OK;
}


static ai_int_t
ai_gemini_format(ai_request_t *req, ai_gemini_format_t *f, ai_report_t *rep)
{
    ai_uint_t  schema;

    schema = f->schema.type == AI_JSON_OBJECT
             || f->json_schema.type == AI_JSON_OBJECT;

    if (ai_json_name_eq(&f->mime, "text/plain")
        || (f->mime.type == AI_JSON_NULL && !schema))
    {
        return AI_OK;
    }

    if (f->mime.type != AI_JSON_NULL
        && !ai_json_name_eq(&f->mime, "application/json"))
    {
        ai_report_drop(rep, "responseMimeType");
        return AI_OK;
    }

    if (!schema) {
        req->format = AI_FORMAT_JSON;
        return AI_OK;
    }

    req->format = AI_FORMAT_SCHEMA;
    req->format_name = ai_mstr_cstr("response");

    if (f->json_schema.type == AI_JSON_OBJECT) {
        req->format_schema = ai_json_raw(&f->json_schema);
        return AI_OK;
    }

    return ai_gemini_convert(req, &f->schema, &req->format_schema);
}


static ai_int_t
ai_gemini_convert(ai_request_t *req, const ai_json_t *schema, ai_str_t *out)
{
    ai_buf_t  b;

    ai_buf_init(&b, req->alloc, (size_t) -1 / 2);
    ai_gemini_schema_json(&b, schema);

    return ai_buf_get(&b, out);
}


ai_int_t
ai_gemini_parse_tools(ai_request_t *req, const ai_json_t *tools,
    ai_report_t *rep)
{
    ai_int_t        rc;
    ai_json_t       value;
    ai_json_iter_t  it;

    switch (tools->type) {

    case AI_JSON_NULL:
        return AI_OK;

    case AI_JSON_OBJECT:
        return ai_gemini_tool(req, tools, rep);

    case AI_JSON_ARRAY:
        break;

    default:
        return ai_report_refuse(rep, "tools", "must be an array");
    }

    ai_json_iter_init(&it, tools);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        rc = ai_gemini_tool(req, &value, rep);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


/* any member that lists no functions is a tool of Google's own */

static ai_int_t
ai_gemini_tool(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    ai_int_t        rc;
    ai_buf_t        b;
    ai_json_t       name, value, function;
    ai_tool_t      *tool;
    ai_json_iter_t  it, list;

    if (v->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, "tools", "must be an array of objects");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        if (ai_gemini_is(&name, "functionDeclarations")) {
            ai_json_iter_init(&list, &value);

            while (value.type == AI_JSON_ARRAY
                   && ai_json_next(&list, NULL, &function) == AI_OK)
            {
                rc = ai_gemini_function(req, &function, rep);

                if (rc != AI_OK) {
                    return rc;
                }
            }

            continue;
        }

        tool = ai_request_tool(req);

        if (tool == NULL) {
            return AI_ERROR;
        }

        tool->type = AI_TOOL_SERVER;
        tool->name = ai_mstr(&name);

        ai_buf_init(&b, req->alloc, (size_t) -1 / 2);
        ai_buf_lit(&b, "{");
        ai_buf_string(&b, &tool->name);
        ai_buf_lit(&b, ":");
        ai_buf_put(&b, value.start, (size_t) (value.end - value.start));
        ai_buf_lit(&b, "}");

        if (ai_buf_get(&b, &tool->raw) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_gemini_function(ai_request_t *req, const ai_json_t *v, ai_report_t *rep)
{
    ai_json_t       name, value;
    ai_tool_t      *tool;
    ai_json_iter_t  it;

    if (ai_gemini_get(v, "name", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return ai_report_refuse(rep, "tools.functionDeclarations.name",
                                "must be a string");
    }

    tool = ai_request_tool(req);

    if (tool == NULL) {
        return AI_ERROR;
    }

    tool->name = ai_mstr(&value);
    tool->raw = ai_json_raw(v);

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_gemini_is(&name, "description")) {
            tool->description = ai_mstr(&value);

        } else if (ai_gemini_is(&name, "parametersJsonSchema")
                   && value.type == AI_JSON_OBJECT)
        {
            tool->schema = ai_json_raw(&value);

        } else if (ai_gemini_is(&name, "parameters")
                   && value.type == AI_JSON_OBJECT && tool->schema.len == 0
                   && ai_gemini_convert(req, &value, &tool->schema) != AI_OK)
        {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


ai_int_t
ai_gemini_parse_choice(ai_request_t *req, const ai_json_t *config,
    ai_report_t *rep)
{
    uint64_t        n;
    ai_json_t       calling, mode, names, value;
    ai_json_iter_t  it;

    if (ai_gemini_get(config, "functionCallingConfig", &calling) != AI_OK) {
        return AI_OK;
    }

    if (ai_gemini_get(&calling, "allowedFunctionNames", &names) == AI_OK
        && names.type == AI_JSON_ARRAY)
    {
        ai_json_iter_init(&it, &names);

        while (ai_json_next(&it, NULL, &value) == AI_OK) {

            if (req->nallowed == AI_REQUEST_ALLOWED) {
                return ai_report_refuse(rep, "toolConfig",
                                        "too many names are allowed");
            }

            req->allowed[req->nallowed++] = ai_mstr(&value);
        }
    }

    if (ai_gemini_get(&calling, "mode", &mode) != AI_OK) {
        return AI_OK;
    }

    /* older clients tell it by number */

    if (ai_json_uint(&mode, &n) != AI_OK) {
        n = 0;
    }

    if (ai_json_name_eq(&mode, "AUTO") || ai_json_name_eq(&mode, "VALIDATED")
        || ai_json_name_eq(&mode, "auto") || n == 1)
    {
        req->choice = AI_CHOICE_AUTO;

    } else if (ai_json_name_eq(&mode, "NONE")
               || ai_json_name_eq(&mode, "none") || n == 3)
    {
        req->choice = AI_CHOICE_NONE;
        req->nallowed = 0;

    } else if (ai_json_name_eq(&mode, "ANY") || ai_json_name_eq(&mode, "any")
               || n == 2)
    {
        req->choice = AI_CHOICE_REQUIRED;

        if (req->nallowed == 1) {
            req->choice = AI_CHOICE_NAMED;
            req->choice_name = req->allowed[0];
            req->nallowed = 0;
        }
    }

    return AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tool calls of the mock provider: which of the client's tools is called,
 * and with what.
 */


#include "ai_mock_shape.h"


#define AI_MOCK_PROPERTIES  32


/* Gemini writes the types in upper case */

typedef struct {
    const char  *type;
    const char  *upper;
    const char  *value;
} ai_mock_sample_t;


static ai_mock_sample_t  ai_mock_samples[] = {
    { "string", "STRING", "'mock'" },
    { "integer", "INTEGER", "1" },
    { "number", "NUMBER", "1" },
    { "boolean", "BOOLEAN", "true" },
    { "array", "ARRAY", "[]" },
    { "object", "OBJECT", "{}" }
};

#define AI_MOCK_SAMPLES                                                      \
    (sizeof(ai_mock_samples) / sizeof(ai_mock_sample_t))


static ai_uint_t ai_mock_tool_wanted(ai_json_t *choice, ai_json_t *name);
static ai_uint_t ai_mock_find_tool(ai_json_t *tools, ai_json_t *wanted,
    ai_json_t *tool);
static ai_uint_t ai_mock_tool_is(ai_json_t *tool, ai_json_t *wanted);
static ai_int_t ai_mock_set_arguments(ai_mock_t *m, ai_json_t *tool);
static void ai_mock_put_value(ai_mock_t *m, ai_json_t *schema);


/* a tool is called only if the client insists on it */

ai_int_t
ai_mock_set_tool(ai_mock_t *m, ai_json_t *tools, ai_json_t *choice)
{
    ai_json_t  tool, name, wanted;

    wanted.start = NULL;

    if (choice->start == NULL || tools->start == NULL
        || !ai_mock_tool_wanted(choice, &wanted)
        || (wanted.start != NULL && wanted.type != AI_JSON_STRING)
        || !ai_mock_find_tool(tools, &wanted, &tool)
        || ai_json_get(&tool, "name", &name) != AI_OK)
    {
        return AI_OK;
    }

    ai_mock_set_name(&m->tool, &name);

    if (m->tool.len == 0) {
        return AI_OK;
    }

    m->named = (wanted.start != NULL);

    return ai_mock_set_arguments(m, &tool);
}


/*
 * Whether the choice is "required" (chat, responses), {"type":"any"|"tool"}
 * (messages), {"type":"function"} or {"functionCallingConfig":{"mode":"ANY"}}
 * (Gemini).  name->start is set if it is one tool.
 */

static ai_uint_t
ai_mock_tool_wanted(ai_json_t *choice, ai_json_t *name)
{
    ai_json_t  v, names;

    if (choice->type == AI_JSON_STRING) {
        return ai_json_name_eq(choice, "required")
               || ai_json_name_eq(choice, "any");
    }

    if (ai_json_get(choice, "functionCallingConfig", &v) == AI_OK
        || ai_json_get(choice, "function_calling_config", &v) == AI_OK)
    {
        if ((ai_json_get(&v, "allowedFunctionNames", &names) == AI_OK
             || ai_json_get(&v, "allowed_function_names", &names) == AI_OK)
            && ai_json_path(&names, name, "0", NULL) != AI_OK)
        {
            name->start = NULL;
        }

        return ai_json_get(&v, "mode", &v) == AI_OK
               && ai_json_name_eq(&v, "ANY");
    }

    if (ai_json_get(choice, "type", &v) != AI_OK) {
        return 0;
    }

    if (ai_json_name_eq(&v, "any")) {
        return 1;
    }

    if (ai_json_get(choice, "name", name) == AI_OK
        || ai_json_path(choice, name, "function", "name", NULL) == AI_OK)
    {
        return 1;
    }

    name->start = NULL;

    return 0;
}


/*
 * The tool of that name, or the first: an element of tools, or what is in
 * its "function" (chat) or "functionDeclarations" (Gemini).
 */

static ai_uint_t
ai_mock_find_tool(ai_json_t *tools, ai_json_t *wanted, ai_json_t *tool)
{
    ai_json_t       v;
    ai_json_iter_t  it, inner;

    ai_json_iter_init(&it, tools);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {

        if (ai_json_get(&v, "functionDeclarations", tool) == AI_OK
            || ai_json_get(&v, "function_declarations", tool) == AI_OK)
        {
            ai_json_iter_init(&inner, tool);

            while (ai_json_next(&inner, NULL, tool) == AI_OK) {
                if (ai_mock_tool_is(tool, wanted)) {
                    return 1;
                }
            }

            continue;
        }

        if (ai_json_get(&v, "function", tool) != AI_OK) {
            *tool = v;
        }

        if (ai_mock_tool_is(tool, wanted)) {
            return 1;
        }
    }

    return 0;
}


static ai_uint_t
ai_mock_tool_is(ai_json_t *tool, ai_json_t *wanted)
{
    ai_str_t   a, b;
    ai_json_t  name;

    if (ai_json_get(tool, "name", &name) != AI_OK
        || name.type != AI_JSON_STRING)
    {
        return 0;
    }

    if (wanted->start == NULL) {
        return 1;
    }

    a = ai_json_str_raw(&name);
    b = ai_json_str_raw(wanted);

    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}


/* a value for every property, so that whatever is required is there */

static ai_int_t
ai_mock_set_arguments(ai_mock_t *m, ai_json_t *tool)
{
    u_char          *start;
    ai_uint_t        n;
    ai_json_t        schema, properties, name, value;
    ai_json_iter_t   it;

    m->pos = m->start;
    ai_mock_put(m, "{", 1);

    if ((ai_json_get(tool, "parameters", &schema) == AI_OK
         || ai_json_get(tool, "input_schema", &schema) == AI_OK
         || ai_json_get(tool, "parametersJsonSchema", &schema) == AI_OK)
        && ai_json_get(&schema, "properties", &properties) == AI_OK
        && properties.type == AI_JSON_OBJECT)
    {
        ai_json_iter_init(&it, &properties);

        for (n = 0; n < AI_MOCK_PROPERTIES; n++) {

            if (ai_json_next(&it, &name, &value) != AI_OK) {
                break;
            }

            ai_mock_put(m, ",", n == 0 ? 0 : 1);
            ai_mock_put(m, name.start, name.end - name.start);
            ai_mock_put(m, ":", 1);
            ai_mock_put_value(m, &value);
        }
    }

    ai_mock_put(m, "}", 1);

    if (m->failed) {
        return AI_ERROR;
    }

    /* what was written so far stays, the answer gets a buffer of its own */

    start = m->start;
    m->arguments.data = start;
    m->arguments.len = m->pos - start;
    m->start = NULL;
    m->pos = NULL;
    m->end = NULL;

    return AI_OK;
}


static void
ai_mock_put_value(ai_mock_t *m, ai_json_t *schema)
{
    size_t             len;
    ai_str_t           raw;
    ai_uint_t          i;
    ai_json_t          v;
    ai_mock_sample_t  *sample;

    if (ai_json_path(schema, &v, "enum", "0", NULL) == AI_OK) {
        ai_mock_put(m, v.start, v.end - v.start);
        return;
    }

    if (ai_json_get(schema, "type", &v) == AI_OK
        && (v.type == AI_JSON_STRING
            || (ai_json_path(&v, &v, "0", NULL) == AI_OK
                && v.type == AI_JSON_STRING)))
    {
        raw = ai_json_str_raw(&v);

        for (i = 0; i < AI_MOCK_SAMPLES; i++) {
            sample = &ai_mock_samples[i];
            len = strlen(sample->type);

            if (raw.len == len
                && (memcmp(raw.data, sample->type, len) == 0
                    || memcmp(raw.data, sample->upper, len) == 0))
            {
                ai_mock_write(m, sample->value);
                return;
            }
        }
    }

    ai_mock_write(m, "null");
}

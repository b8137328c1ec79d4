
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Schemas of tools and answers: the subset of OpenAPI 3.0 that the API began
 * with, and JSON Schema, which its newer members take as it is.
 */


#include "wire_gemini.h"


/* what the value of a keyword is */

typedef enum {
    AI_GEMINI_RAW = 0,
    AI_GEMINI_DROP,
    AI_GEMINI_TYPE,
    AI_GEMINI_COUNT,
    AI_GEMINI_SCHEMA,
    AI_GEMINI_SCHEMAS                /* an array, or an object, of them */
} ai_gemini_kind_e;

typedef struct {
    const char          *name;
    ai_gemini_kind_e     kind;
} ai_gemini_row_t;


static ai_gemini_kind_e ai_gemini_schema_kind(const ai_json_t *name,
    const ai_json_t *value, const char **canonical);
static ai_gemini_kind_e ai_gemini_schema_type_kind(const ai_json_t *v);
static void ai_gemini_schema_value(ai_buf_t *out, const ai_json_t *v,
    ai_gemini_kind_e kind, ai_uint_t nullable);
static void ai_gemini_schema_each(ai_buf_t *out, const ai_json_t *v);


/* what differs from JSON Schema, or may be written in snake case */

static const ai_gemini_row_t  ai_gemini_rows[] = {
    { "type", AI_GEMINI_TYPE },
    { "nullable", AI_GEMINI_DROP },
    { "example", AI_GEMINI_DROP },
    { "propertyOrdering", AI_GEMINI_DROP },
    { "properties", AI_GEMINI_SCHEMAS },
    { "items", AI_GEMINI_SCHEMA },
    { "prefixItems", AI_GEMINI_SCHEMAS },
    { "additionalProperties", AI_GEMINI_SCHEMA },
    { "anyOf", AI_GEMINI_SCHEMAS },
    { "oneOf", AI_GEMINI_SCHEMAS },
    { "minItems", AI_GEMINI_COUNT },
    { "maxItems", AI_GEMINI_COUNT },
    { "minLength", AI_GEMINI_COUNT },
    { "maxLength", AI_GEMINI_COUNT },
    { "minProperties", AI_GEMINI_COUNT },
    { "maxProperties", AI_GEMINI_COUNT },
    { NULL, AI_GEMINI_RAW }
};


/* types by number, as older clients tell them */

static const char  *const ai_gemini_types[] = {
    "null", "string", "number", "integer", "boolean", "array", "object",
    "null"
};


void
ai_gemini_schema_json(ai_buf_t *out, const ai_json_t *schema)
{
    ai_str_t           s;
    ai_json_t          name, value;
    ai_uint_t          nullable;
    const char        *canonical;
    ai_json_iter_t     it;
    ai_gemini_kind_e   kind;

    if (schema->type != AI_JSON_OBJECT) {
        ai_gemini_schema_value(out, schema, AI_GEMINI_RAW, 0);
        return;
    }

    nullable = ai_gemini_get(schema, "nullable", &value) == AI_OK
               && ai_json_is_true(&value);

    ai_buf_lit(out, "{");
    ai_json_iter_init(&it, schema);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        kind = ai_gemini_schema_kind(&name, &value, &canonical);

        if (kind == AI_GEMINI_DROP) {
            continue;
        }

        if (canonical != NULL) {
            ai_buf_key(out, canonical);

        } else {
            s.data = name.start;
            s.len = (size_t) (name.end - name.start);

            ai_buf_comma(out);
            ai_buf_raw(out, &s);
            ai_buf_lit(out, ":");
        }

        ai_gemini_schema_value(out, &value, kind, nullable);
    }

    ai_buf_lit(out, "}");
}


static ai_gemini_kind_e
ai_gemini_schema_kind(const ai_json_t *name, const ai_json_t *value,
    const char **canonical)
{
    const ai_gemini_row_t  *row;

    *canonical = NULL;

    for (row = ai_gemini_rows; row->name != NULL; row++) {
        if (ai_gemini_name(name, row->name, strlen(row->name))) {
            *canonical = row->name;

            return (row->kind == AI_GEMINI_TYPE)
                   ? ai_gemini_schema_type_kind(value) : row->kind;
        }
    }

    /* a format that says no more than "enum" does */

    if (ai_json_name_eq(name, "format") && ai_json_name_eq(value, "enum")) {
        return AI_GEMINI_DROP;
    }

    return AI_GEMINI_RAW;
}


static ai_gemini_kind_e
ai_gemini_schema_type_kind(const ai_json_t *v)
{
    uint64_t  n;

    if (v->type == AI_JSON_NUMBER) {
        return (ai_json_uint(v, &n) == AI_OK && n != 0
                && n < sizeof(ai_gemini_types) / sizeof(ai_gemini_types[0]))
               ? AI_GEMINI_TYPE : AI_GEMINI_DROP;
    }

    if (v->type != AI_JSON_STRING) {
        return AI_GEMINI_RAW;
    }

    return ai_json_name_eq(v, "TYPE_UNSPECIFIED") ? AI_GEMINI_DROP
                                                  : AI_GEMINI_TYPE;
}


static void
ai_gemini_schema_value(ai_buf_t *out, const ai_json_t *v,
    ai_gemini_kind_e kind, ai_uint_t nullable)
{
    uint64_t   n;
    ai_str_t   s;
    ai_json_t  number;

    s.data = v->start;
    s.len = (size_t) (v->end - v->start);

    switch (kind) {

    case AI_GEMINI_TYPE:

        if (nullable) {
            ai_buf_lit(out, "[");
            ai_gemini_schema_type(out, v, 0);
            ai_buf_lit(out, ",\"null\"]");

        } else {
            ai_gemini_schema_type(out, v, 0);
        }

        return;

    case AI_GEMINI_SCHEMA:
        ai_gemini_schema_json(out, v);
        return;

    case AI_GEMINI_SCHEMAS:
        ai_gemini_schema_each(out, v);
        return;

    case AI_GEMINI_COUNT:

        /* an int64, which is a string in JSON of Google's */

        if (v->type != AI_JSON_STRING) {
            break;
        }

        number = *v;
        number.type = AI_JSON_NUMBER;
        number.start++;
        number.end--;
        n = 0;

        if (number.start == number.end || *number.start < '0'
            || *number.start > '9' || ai_json_uint(&number, &n) != AI_OK)
        {
            n = 0;
        }

        ai_buf_uint(out, n);
        return;

    default:
        break;
    }

    ai_buf_raw(out, &s);
}


static void
ai_gemini_schema_each(ai_buf_t *out, const ai_json_t *v)
{
    ai_str_t        s;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT && v->type != AI_JSON_ARRAY) {
        ai_gemini_schema_value(out, v, AI_GEMINI_RAW, 0);
        return;
    }

    ai_buf_put(out, (v->type == AI_JSON_OBJECT) ? "{" : "[", 1);
    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        ai_buf_comma(out);

        if (v->type == AI_JSON_OBJECT) {
            s.data = name.start;
            s.len = (size_t) (name.end - name.start);

            ai_buf_raw(out, &s);
            ai_buf_lit(out, ":");
        }

        ai_gemini_schema_json(out, &value);
    }

    ai_buf_put(out, (v->type == AI_JSON_OBJECT) ? "}" : "]", 1);
}


/* the name of a type, in the case of the one or of the other form */

void
ai_gemini_schema_type(ai_buf_t *out, const ai_json_t *type, ai_uint_t upper)
{
    u_char    ch, *p;
    uint64_t  n;

    if (type->type == AI_JSON_NUMBER) {

        if (ai_json_uint(type, &n) == AI_OK
            && n < sizeof(ai_gemini_types) / sizeof(ai_gemini_types[0]))
        {
            ai_buf_quote_cstr(out, ai_gemini_types[n]);
        }

        return;
    }

    for (p = type->start; p < type->end; p++) {
        ch = *p;

        if (type->escaped) {
            /* void */

        } else if (upper && ch >= 'a' && ch <= 'z') {
            ch &= (u_char) ~0x20;

        } else if (!upper && ch >= 'A' && ch <= 'Z') {
            ch |= 0x20;
        }

        ai_buf_put(out, &ch, 1);
    }
}

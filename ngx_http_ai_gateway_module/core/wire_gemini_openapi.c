
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * JSON Schema as the subset of OpenAPI 3.0 that older models take: what is
 * referred to is put in place, what is merged is merged, the rest is left out.
 */


#include "wire_gemini.h"


#define AI_GEMINI_BASES  8         /* objects that are merged into one */
#define AI_GEMINI_REFS   256       /* that are put in place of a name */
#define AI_GEMINI_NODES  16384     /* that are written */

/* how deep names lead to names: a schema may well contain itself */

#define AI_GEMINI_NEST   12


/*
 * An object of JSON Schema, with what "$ref" and "allOf" of it lead to; null
 * what is absent.
 */

typedef struct {
    ai_json_t            type;
    ai_json_t            format;
    ai_json_t            title;
    ai_json_t            description;
    ai_json_t            enumeration;
    ai_json_t            constant;
    ai_json_t            items;
    ai_json_t            any;
    ai_json_t            minimum;
    ai_json_t            maximum;
    ai_json_t            min_items;
    ai_json_t            max_items;
    ai_json_t            min_length;
    ai_json_t            max_length;
    ai_json_t            pattern;
    ai_json_t            properties[AI_GEMINI_BASES];
    ai_json_t            required[AI_GEMINI_BASES];
    ai_uint_t            nproperties;
    ai_uint_t            nrequired;
    unsigned             nullable:1;
} ai_gemini_schema_t;


typedef struct {
    ai_buf_t            *out;
    ai_json_t            root;
    ai_uint_t            refs;
    ai_uint_t            nodes;
} ai_gemini_export_t;


typedef struct {
    const char          *name;
    size_t               offset;
} ai_gemini_keyword_t;


static void ai_gemini_export(ai_gemini_export_t *x, const ai_json_t *v,
    ai_uint_t nullable, ai_uint_t depth);
static void ai_gemini_gather(ai_gemini_export_t *x, ai_gemini_schema_t *s,
    const ai_json_t *v, ai_uint_t depth);
static void ai_gemini_gather_any(ai_gemini_export_t *x,
    ai_gemini_schema_t *s, const ai_json_t *v, ai_uint_t depth);
static ai_int_t ai_gemini_schema_ref(ai_gemini_export_t *x,
    const ai_json_t *ref, ai_json_t *value);
static ai_uint_t ai_gemini_is_null(const ai_json_t *schema);
static void ai_gemini_export_types(ai_gemini_export_t *x,
    ai_gemini_schema_t *s, ai_uint_t depth);
static void ai_gemini_export_any(ai_gemini_export_t *x,
    ai_gemini_schema_t *s, ai_uint_t depth);
static void ai_gemini_export_object(ai_gemini_export_t *x,
    ai_gemini_schema_t *s, ai_uint_t depth);
static void ai_gemini_export_enum(ai_gemini_export_t *x,
    ai_gemini_schema_t *s);
static void ai_gemini_export_value(ai_gemini_export_t *x, const char *name,
    const ai_json_t *v);
static void ai_gemini_export_required(ai_gemini_export_t *x,
    ai_gemini_schema_t *s);
static void ai_gemini_export_raw(ai_gemini_export_t *x, const ai_json_t *v);
static ai_uint_t ai_gemini_has(ai_gemini_schema_t *s, const ai_json_t *name);


/* the keywords of JSON Schema that the older form has as well */

#define AI_GEMINI_KEYWORD(text, field)                                       \
    { text, offsetof(ai_gemini_schema_t, field) }

static const ai_gemini_keyword_t  ai_gemini_keywords[] = {
    AI_GEMINI_KEYWORD("type", type),
    AI_GEMINI_KEYWORD("format", format),
    AI_GEMINI_KEYWORD("title", title),
    AI_GEMINI_KEYWORD("description", description),
    AI_GEMINI_KEYWORD("enum", enumeration),
    AI_GEMINI_KEYWORD("const", constant),
    AI_GEMINI_KEYWORD("items", items),
    AI_GEMINI_KEYWORD("minimum", minimum),
    AI_GEMINI_KEYWORD("maximum", maximum),
    AI_GEMINI_KEYWORD("minItems", min_items),
    AI_GEMINI_KEYWORD("maxItems", max_items),
    AI_GEMINI_KEYWORD("minLength", min_length),
    AI_GEMINI_KEYWORD("maxLength", max_length),
    AI_GEMINI_KEYWORD("pattern", pattern),
    { NULL, 0 }
};


ai_int_t
ai_gemini_schema_openapi(ai_buf_t *out, const ai_str_t *schema,
    ai_alloc_t *a)
{
    ai_int_t            rc;
    ai_json_error_t     err;
    ai_gemini_export_t  x;

    memset(&x, 0, sizeof(ai_gemini_export_t));

    x.out = out;

    rc = ai_json_scan(schema->data, schema->len, NULL, a, NULL, NULL, &x.root,
                      &err);

    if (rc == AI_ERROR) {
        return AI_ERROR;
    }

    if (rc != AI_OK || x.root.type != AI_JSON_OBJECT) {
        ai_buf_lit(out, "{\"type\":\"OBJECT\"}");
        return AI_OK;
    }

    ai_gemini_export(&x, &x.root, 0, 0);

    return AI_OK;
}


static void
ai_gemini_export(ai_gemini_export_t *x, const ai_json_t *v,
    ai_uint_t nullable, ai_uint_t depth)
{
    ai_gemini_schema_t  s;

    memset(&s, 0, sizeof(ai_gemini_schema_t));

    if (depth < AI_GEMINI_NEST && x->nodes < AI_GEMINI_NODES) {
        x->nodes++;
        ai_gemini_gather(x, &s, v, depth);
    }

    if (nullable) {
        s.nullable = 1;
    }

    ai_buf_lit(x->out, "{");

    if (s.any.type == AI_JSON_ARRAY) {
        ai_gemini_export_any(x, &s, depth);

    } else {
        ai_gemini_export_types(x, &s, depth);
    }

    ai_buf_lit(x->out, "}");
}


/* depth counts names and merged objects as well, so this ends */

static void
ai_gemini_gather(ai_gemini_export_t *x, ai_gemini_schema_t *s,
    const ai_json_t *v, ai_uint_t depth)
{
    ai_json_t                   name, value, base;
    ai_json_iter_t              it, list;
    const ai_gemini_keyword_t  *k;

    if (v->type != AI_JSON_OBJECT || depth >= AI_GEMINI_NEST
        || x->out->failed)
    {
        return;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_name_eq(&name, "$ref")) {

            if (ai_gemini_schema_ref(x, &value, &base) == AI_OK) {
                ai_gemini_gather(x, s, &base, depth + 1);
            }

            continue;
        }

        if (ai_json_name_eq(&name, "allOf")) {
            ai_json_iter_init(&list, &value);

            while (ai_json_next(&list, NULL, &base) == AI_OK) {
                ai_gemini_gather(x, s, &base, depth + 1);
            }

            continue;
        }

        if (ai_json_name_eq(&name, "anyOf")
            || ai_json_name_eq(&name, "oneOf"))
        {
            ai_gemini_gather_any(x, s, &value, depth);
            continue;
        }

        if (ai_json_name_eq(&name, "properties")
            && value.type == AI_JSON_OBJECT
            && s->nproperties < AI_GEMINI_BASES)
        {
            s->properties[s->nproperties++] = value;
            continue;
        }

        if (ai_json_name_eq(&name, "required")
            && value.type == AI_JSON_ARRAY
            && s->nrequired < AI_GEMINI_BASES)
        {
            s->required[s->nrequired++] = value;
            continue;
        }

        if (ai_json_name_eq(&name, "nullable") && ai_json_is_true(&value)) {
            s->nullable = 1;
            continue;
        }

        for (k = ai_gemini_keywords; k->name != NULL; k++) {
            if (ai_json_str_eq(&name, k->name, strlen(k->name))) {
                *(ai_json_t *) (void *) ((u_char *) s + k->offset) = value;
                break;
            }
        }
    }
}


/* "something or null" is something that may be null */

static void
ai_gemini_gather_any(ai_gemini_export_t *x, ai_gemini_schema_t *s,
    const ai_json_t *v, ai_uint_t depth)
{
    ai_json_t       value, only;
    ai_uint_t       n;
    ai_json_iter_t  it;

    n = 0;

    ai_json_iter_init(&it, v);

    while (v->type == AI_JSON_ARRAY && ai_json_next(&it, NULL, &value) == AI_OK)
    {
        if (ai_gemini_is_null(&value)) {
            s->nullable = 1;

        } else {
            only = value;
            n++;
        }
    }

    if (n == 1) {
        ai_gemini_gather(x, s, &only, depth + 1);

    } else if (n != 0) {
        s->any = *v;
    }
}


/* "#/$defs/NAME", "#/definitions/NAME", or "#" */

static ai_int_t
ai_gemini_schema_ref(ai_gemini_export_t *x, const ai_json_t *ref,
    ai_json_t *value)
{
    size_t          len;
    ai_str_t        path;
    ai_json_t       defs, name;
    ai_json_iter_t  it;

    if (x->refs++ == AI_GEMINI_REFS) {
        x->refs--;
        return AI_DECLINED;
    }

    path = ai_json_str_raw(ref);

    if (ref->type != AI_JSON_STRING) {
        return AI_DECLINED;
    }

    if (ai_str_eq(&path, "#")) {
        *value = x->root;
        return AI_OK;
    }

    if (path.len > 8 && memcmp(path.data, "#/$defs/", 8) == 0) {
        len = 8;

        if (ai_json_get(&x->root, "$defs", &defs) != AI_OK) {
            return AI_DECLINED;
        }

    } else if (path.len > 14 && memcmp(path.data, "#/definitions/", 14) == 0) {
        len = 14;

        if (ai_json_get(&x->root, "definitions", &defs) != AI_OK) {
            return AI_DECLINED;
        }

    } else {
        return AI_DECLINED;
    }

    ai_json_iter_init(&it, &defs);

    while (defs.type == AI_JSON_OBJECT
           && ai_json_next(&it, &name, value) == AI_OK)
    {
        if (ai_json_str_eq(&name, (char *) path.data + len, path.len - len)) {
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


static ai_uint_t
ai_gemini_is_null(const ai_json_t *schema)
{
    ai_json_t  type;

    return schema->type == AI_JSON_OBJECT
           && ai_json_get(schema, "type", &type) == AI_OK
           && ai_json_name_eq(&type, "null");
}


/* the API takes nothing beside "anyOf" */

static void
ai_gemini_export_any(ai_gemini_export_t *x, ai_gemini_schema_t *s,
    ai_uint_t depth)
{
    ai_json_t       value;
    ai_json_iter_t  it;

    ai_buf_key(x->out, "anyOf");
    ai_buf_lit(x->out, "[");

    ai_json_iter_init(&it, &s->any);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (!ai_gemini_is_null(&value)) {
            ai_buf_comma(x->out);
            ai_gemini_export(x, &value, s->nullable, depth + 1);
        }
    }

    ai_buf_lit(x->out, "]");
}


static void
ai_gemini_export_types(ai_gemini_export_t *x, ai_gemini_schema_t *s,
    ai_uint_t depth)
{
    ai_json_t       value, type;
    ai_uint_t       n;
    ai_json_iter_t  it;

    type = s->type;

    if (type.type != AI_JSON_ARRAY) {
        ai_gemini_export_object(x, s, depth);
        return;
    }

    /* a list of types: null is said otherwise, of one no list is needed */

    n = 0;
    memset(&s->type, 0, sizeof(ai_json_t));

    ai_json_iter_init(&it, &type);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (ai_json_name_eq(&value, "null")) {
            s->nullable = 1;

        } else if (value.type == AI_JSON_STRING) {
            s->type = value;
            n++;
        }
    }

    if (n <= 1) {
        ai_gemini_export_object(x, s, depth);
        return;
    }

    ai_buf_key(x->out, "anyOf");
    ai_buf_lit(x->out, "[");

    ai_json_iter_init(&it, &type);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (value.type != AI_JSON_STRING || ai_json_name_eq(&value, "null")) {
            continue;
        }

        s->type = value;

        ai_buf_comma(x->out);
        ai_buf_lit(x->out, "{");
        ai_gemini_export_object(x, s, depth);
        ai_buf_lit(x->out, "}");
    }

    ai_buf_lit(x->out, "]");
}


static void
ai_gemini_export_object(ai_gemini_export_t *x, ai_gemini_schema_t *s,
    ai_uint_t depth)
{
    ai_uint_t       i, object;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    object = s->nproperties != 0 || ai_json_name_eq(&s->type, "object")
             || ai_json_name_eq(&s->type, "OBJECT");

    ai_buf_key(x->out, "type");

    if (object) {
        ai_buf_lit(x->out, "\"OBJECT\"");

    } else if (s->type.type == AI_JSON_STRING) {
        ai_gemini_schema_type(x->out, &s->type, 1);

    } else if (s->items.type == AI_JSON_OBJECT) {
        ai_buf_lit(x->out, "\"ARRAY\"");

    } else {
        ai_buf_lit(x->out, "\"STRING\"");
    }

    ai_gemini_export_value(x, "title", &s->title);
    ai_gemini_export_value(x, "description", &s->description);

    if (s->nullable) {
        ai_buf_key(x->out, "nullable");
        ai_buf_lit(x->out, "true");
    }

    if (!object) {
        ai_gemini_export_enum(x, s);
        ai_gemini_export_value(x, "minimum", &s->minimum);
        ai_gemini_export_value(x, "maximum", &s->maximum);
        ai_gemini_export_value(x, "minLength", &s->min_length);
        ai_gemini_export_value(x, "maxLength", &s->max_length);
        ai_gemini_export_value(x, "pattern", &s->pattern);
    }

    if (ai_json_name_eq(&s->type, "array")
        || ai_json_name_eq(&s->type, "ARRAY")
        || (!object && s->type.type != AI_JSON_STRING
            && s->items.type == AI_JSON_OBJECT))
    {
        ai_gemini_export_value(x, "minItems", &s->min_items);
        ai_gemini_export_value(x, "maxItems", &s->max_items);

        ai_buf_key(x->out, "items");
        ai_gemini_export(x, &s->items, 0, depth + 1);
    }

    if (s->nproperties == 0) {
        return;
    }

    ai_buf_key(x->out, "properties");
    ai_buf_lit(x->out, "{");

    for (i = 0; i < s->nproperties; i++) {
        ai_json_iter_init(&it, &s->properties[i]);

        while (ai_json_next(&it, &name, &value) == AI_OK) {

            ai_buf_comma(x->out);
            ai_gemini_export_raw(x, &name);
            ai_buf_lit(x->out, ":");
            ai_gemini_export(x, &value, 0, depth + 1);
        }
    }

    ai_buf_lit(x->out, "}");
    ai_gemini_export_required(x, s);
}


/* what is required must be a property here */

static void
ai_gemini_export_required(ai_gemini_export_t *x, ai_gemini_schema_t *s)
{
    ai_uint_t       i, any;
    ai_json_t       value;
    ai_json_iter_t  it;

    any = 0;

    for (i = 0; i < s->nrequired; i++) {
        ai_json_iter_init(&it, &s->required[i]);

        while (ai_json_next(&it, NULL, &value) == AI_OK) {

            if (!ai_gemini_has(s, &value)) {
                continue;
            }

            if (!any) {
                ai_buf_key(x->out, "required");
                ai_buf_lit(x->out, "[");
            }

            any = 1;

            ai_buf_comma(x->out);
            ai_gemini_export_raw(x, &value);
        }
    }

    if (any) {
        ai_buf_lit(x->out, "]");
    }
}


/* of strings only; a constant is an enum of one */

static void
ai_gemini_export_enum(ai_gemini_export_t *x, ai_gemini_schema_t *s)
{
    ai_uint_t       any;
    ai_json_t       value;
    ai_json_iter_t  it;

    if (s->type.type == AI_JSON_STRING
        && !ai_json_name_eq(&s->type, "string")
        && !ai_json_name_eq(&s->type, "STRING"))
    {
        return;
    }

    if (s->constant.type == AI_JSON_STRING) {
        ai_buf_key(x->out, "enum");
        ai_buf_lit(x->out, "[");
        ai_gemini_export_raw(x, &s->constant);
        ai_buf_lit(x->out, "]");
        return;
    }

    if (s->enumeration.type != AI_JSON_ARRAY) {

        if (ai_json_name_eq(&s->format, "date-time")) {
            ai_gemini_export_value(x, "format", &s->format);
        }

        return;
    }

    any = 0;
    ai_json_iter_init(&it, &s->enumeration);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (value.type != AI_JSON_STRING) {
            continue;
        }

        if (!any) {
            ai_buf_key(x->out, "enum");
            ai_buf_lit(x->out, "[");
        }

        any = 1;

        ai_buf_comma(x->out);
        ai_gemini_export_raw(x, &value);
    }

    if (any) {
        ai_buf_lit(x->out, "]");
    }
}


static void
ai_gemini_export_value(ai_gemini_export_t *x, const char *name,
    const ai_json_t *v)
{
    if (v->type == AI_JSON_STRING || v->type == AI_JSON_NUMBER) {
        ai_buf_key(x->out, name);
        ai_gemini_export_raw(x, v);
    }
}


static void
ai_gemini_export_raw(ai_gemini_export_t *x, const ai_json_t *v)
{
    ai_buf_put(x->out, v->start, (size_t) (v->end - v->start));
}


static ai_uint_t
ai_gemini_has(ai_gemini_schema_t *s, const ai_json_t *name)
{
    ai_json_t       key, value;
    ai_mstr_t       a, b;
    ai_uint_t       i;
    ai_json_iter_t  it;

    a = ai_mstr(name);

    for (i = 0; i < s->nproperties; i++) {
        ai_json_iter_init(&it, &s->properties[i]);

        while (ai_json_next(&it, &key, &value) == AI_OK) {

            b = ai_mstr(&key);

            if (ai_mstr_same(&a, &b)) {
                return 1;
            }
        }
    }

    return 0;
}

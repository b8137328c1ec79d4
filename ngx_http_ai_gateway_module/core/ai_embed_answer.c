
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Vectors from the answer of a provider, and the answer that a client gets.
 */


#include "ai_embed.h"
#include "ai_embed_vector.h"
#include "dialect.h"


/* a value of type array is of numbers, one of type string is base64 */

typedef struct {
    ai_json_t           *vectors;      /* state->n of them */
    ai_str_t             id;           /* raw */
    uint64_t             input;        /* tokens */
    unsigned             told:1;       /* they are known */
} ai_embed_answer_t;


typedef struct {
    const ai_embed_t    *state;
    ai_tap_t            *tap;
    ai_embed_answer_t    answer;
    ai_buf_t            *out;
} ai_embed_read_t;


static ai_uint_t ai_embed_read(ai_embed_read_t *r, ai_op_e from,
    const ai_json_t *root);
static ai_uint_t ai_embed_openai(ai_embed_read_t *r, const ai_json_t *root);
static ai_uint_t ai_embed_place(ai_embed_read_t *r, const ai_json_t *item,
    ai_uint_t n);
static ai_uint_t ai_embed_members(ai_embed_read_t *r, const ai_json_t *array,
    const char *outer, const char *inner);
static ai_uint_t ai_embed_vectors(ai_embed_read_t *r,
    const ai_json_t *array);
static ai_uint_t ai_embed_cohere(ai_embed_read_t *r, const ai_json_t *root);
static ai_uint_t ai_embed_gemini(ai_embed_read_t *r, const ai_json_t *root);
static ai_uint_t ai_embed_predict(ai_embed_read_t *r,
    const ai_json_t *root);
static ai_uint_t ai_embed_ollama(ai_embed_read_t *r, const ai_json_t *root);
static void ai_embed_count(ai_embed_read_t *r, const ai_json_t *root,
    const char *outer, const char *inner);
static ai_uint_t ai_embed_is(const ai_json_t *v);
static ai_event_e ai_embed_error(ai_tap_t *tap, const ai_json_t *root);
static ai_int_t ai_embed_to_openai(ai_embed_read_t *r,
    const ai_str_t *model);
static ai_int_t ai_embed_to_gemini(ai_embed_read_t *r, ai_op_e to);
static ai_int_t ai_embed_to_cohere(ai_embed_read_t *r);
static ai_int_t ai_embed_cohere_list(ai_embed_read_t *r, const char *name,
    ai_uint_t base64);
static ai_int_t ai_embed_array(ai_embed_read_t *r, ai_uint_t i,
    ai_uint_t strings);
static ai_int_t ai_embed_base64(ai_embed_read_t *r, ai_uint_t i);


ai_event_e
ai_embed_response(ai_op_e from, ai_op_e to, const ai_embed_t *state,
    const ai_json_t *root, ai_tap_t *tap, const ai_str_t *model,
    ai_buf_t *out)
{
    ai_int_t         rc;
    ai_json_t        name;
    ai_embed_read_t  r;

    memset(&r, 0, sizeof(ai_embed_read_t));

    r.state = state;
    r.tap = tap;
    r.out = out;

    r.answer.vectors = ai_alloc(state->alloc,
                                state->n * sizeof(ai_json_t) + 1);

    if (r.answer.vectors == NULL) {
        out->failed = 1;
        return AI_EVENT_INVALID;
    }

    memset(r.answer.vectors, 0, state->n * sizeof(ai_json_t));

    if (!ai_embed_read(&r, from, root)) {
        return ai_embed_error(tap, root);
    }

    if (ai_json_get(root, "model", &name) == AI_OK) {
        ai_tap_model(tap, &name);
    }

    if (r.answer.told) {
        ai_usage_set(&tap->usage, r.answer.input, 0, 0, 0, 0);
    }

    switch (to) {

    case AI_OP_EMBED_CONTENT:
    case AI_OP_BATCH_EMBED_CONTENTS:
        rc = ai_embed_to_gemini(&r, to);
        break;

    case AI_OP_COHERE_EMBED:
        rc = ai_embed_to_cohere(&r);
        break;

    default:
        rc = ai_embed_to_openai(&r, model);
        break;
    }

    if (rc == AI_ERROR) {
        out->failed = 1;
    }

    return (rc == AI_OK && !out->failed) ? AI_EVENT_CONTENT
                                         : AI_EVENT_INVALID;
}


/* 1 if there is one vector for each text */

static ai_uint_t
ai_embed_read(ai_embed_read_t *r, ai_op_e from, const ai_json_t *root)
{
    ai_uint_t  i, ok;
    ai_json_t  id;

    switch (from) {

    case AI_OP_EMBED_CONTENT:
    case AI_OP_BATCH_EMBED_CONTENTS:
        ok = ai_embed_gemini(r, root);
        break;

    case AI_OP_PREDICT:
        ok = ai_embed_predict(r, root);
        break;

    case AI_OP_COHERE_EMBED:
        ok = ai_embed_cohere(r, root);
        break;

    case AI_OP_OLLAMA_EMBED:
        ok = ai_embed_ollama(r, root);
        break;

    default:
        ok = ai_embed_openai(r, root);
        break;
    }

    for (i = 0; ok && i < r->state->n; i++) {
        ok = ai_embed_is(&r->answer.vectors[i]);
    }

    if (ok && ai_json_get(root, "id", &id) == AI_OK
        && id.type == AI_JSON_STRING)
    {
        r->answer.id = ai_json_raw(&id);
    }

    return ok;
}


/* Voyage tells the total only */

static ai_uint_t
ai_embed_openai(ai_embed_read_t *r, const ai_json_t *root)
{
    ai_uint_t       n;
    ai_json_t       data, item;
    ai_json_iter_t  it;

    if (ai_json_get(root, "data", &data) != AI_OK
        || data.type != AI_JSON_ARRAY)
    {
        return 0;
    }

    n = 0;

    ai_json_iter_init(&it, &data);

    while (ai_json_next(&it, NULL, &item) == AI_OK) {

        if (n == r->state->n || !ai_embed_place(r, &item, n)) {
            return 0;
        }

        n++;
    }

    ai_embed_count(r, root, "usage", "prompt_tokens");

    if (!r->answer.told) {
        ai_embed_count(r, root, "usage", "total_tokens");
    }

    return n == r->state->n;
}


/* where the index tells, or in the order of the answer if none is told */

static ai_uint_t
ai_embed_place(ai_embed_read_t *r, const ai_json_t *item, ai_uint_t n)
{
    uint64_t   place;
    ai_json_t  index, vector;

    place = n;

    if (ai_json_get(item, "index", &index) == AI_OK) {
        (void) ai_json_uint(&index, &place);
    }

    if (place >= r->state->n
        || r->answer.vectors[place].start != NULL
        || ai_json_get(item, "embedding", &vector) != AI_OK)
    {
        return 0;
    }

    r->answer.vectors[place] = vector;

    return 1;
}


/* of each element of an array the member, or the member of a member */

static ai_uint_t
ai_embed_members(ai_embed_read_t *r, const ai_json_t *array,
    const char *outer, const char *inner)
{
    ai_uint_t       n;
    ai_json_t       item, vector;
    ai_json_iter_t  it;

    n = 0;

    ai_json_iter_init(&it, array);

    while (array->type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &item) == AI_OK)
    {
        if (n == r->state->n
            || ai_json_path(&item, &vector, outer, inner, NULL) != AI_OK)
        {
            return 0;
        }

        r->answer.vectors[n++] = vector;
    }

    return n == r->state->n;
}


static ai_uint_t
ai_embed_vectors(ai_embed_read_t *r, const ai_json_t *array)
{
    ai_uint_t       n;
    ai_json_t       vector;
    ai_json_iter_t  it;

    n = 0;

    ai_json_iter_init(&it, array);

    while (array->type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &vector) == AI_OK)
    {
        if (n == r->state->n) {
            return 0;
        }

        r->answer.vectors[n++] = vector;
    }

    return n == r->state->n;
}


/* by type, or as in v1 an array at once */

static ai_uint_t
ai_embed_cohere(ai_embed_read_t *r, const ai_json_t *root)
{
    ai_json_t  embeddings, list;

    if (ai_json_get(root, "embeddings", &embeddings) != AI_OK) {
        return 0;
    }

    if (embeddings.type == AI_JSON_OBJECT) {

        if (ai_json_get(&embeddings, "float", &list) != AI_OK
            && ai_json_get(&embeddings, "float_", &list) != AI_OK)
        {
            return 0;
        }

        embeddings = list;
    }

    ai_embed_count(r, root, "meta", "billed_units");

    return ai_embed_vectors(r, &embeddings);
}


/* one vector, or several; Vertex tells usage */

static ai_uint_t
ai_embed_gemini(ai_embed_read_t *r, const ai_json_t *root)
{
    ai_json_t  list;

    ai_embed_count(r, root, "usageMetadata", "promptTokenCount");

    if (ai_json_get(root, "embeddings", &list) == AI_OK) {
        return ai_embed_members(r, &list, "values", NULL);
    }

    if (r->state->n != 1
        || ai_json_path(root, &list, "embedding", "values", NULL) != AI_OK)
    {
        return 0;
    }

    r->answer.vectors[0] = list;

    return 1;
}


/* the tokens of each text are told with it */

static ai_uint_t
ai_embed_predict(ai_embed_read_t *r, const ai_json_t *root)
{
    uint64_t        tokens;
    ai_json_t       list, item, count;
    ai_json_iter_t  it;

    if (ai_json_get(root, "predictions", &list) != AI_OK) {
        return 0;
    }

    ai_json_iter_init(&it, &list);

    while (list.type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &item) == AI_OK)
    {
        if (ai_json_path(&item, &count, "embeddings", "statistics",
                         "token_count", NULL)
            == AI_OK
            && ai_usage_count(&count, &tokens))
        {
            r->answer.input += tokens;
            r->answer.told = 1;
        }
    }

    return ai_embed_members(r, &list, "embeddings", "values");
}


static ai_uint_t
ai_embed_ollama(ai_embed_read_t *r, const ai_json_t *root)
{
    ai_json_t  list;

    ai_embed_count(r, root, "prompt_eval_count", NULL);

    if (ai_json_get(root, "embeddings", &list) != AI_OK) {
        return 0;
    }

    return ai_embed_vectors(r, &list);
}


static void
ai_embed_count(ai_embed_read_t *r, const ai_json_t *root, const char *outer,
    const char *inner)
{
    ai_json_t  value, count;

    if (ai_json_path(root, &value, outer, inner, NULL) != AI_OK) {
        return;
    }

    if (value.type == AI_JSON_OBJECT) {

        /* the units that Cohere bills */

        if (ai_json_get(&value, "input_tokens", &count) != AI_OK) {
            return;
        }

        value = count;
    }

    if (ai_usage_count(&value, &r->answer.input)) {
        r->answer.told = 1;
    }
}


static ai_uint_t
ai_embed_is(const ai_json_t *v)
{
    return v->start != NULL
           && (v->type == AI_JSON_STRING || ai_vector_valid(v));
}


/* an answer without vectors may be an error with the wrong status */

static ai_event_e
ai_embed_error(ai_tap_t *tap, const ai_json_t *root)
{
    ai_json_t  value;

    if ((ai_json_get(root, "error", &value) == AI_OK
         && ai_tap_is_error(&value))
        || (ai_json_get(root, "message", &value) == AI_OK
            && value.type == AI_JSON_STRING)
        || (ai_json_get(root, "detail", &value) == AI_OK
            && value.type == AI_JSON_STRING))
    {
        return ai_tap_error(tap, root);
    }

    return AI_EVENT_INVALID;
}


static ai_int_t
ai_embed_to_openai(ai_embed_read_t *r, const ai_str_t *model)
{
    ai_int_t   rc;
    ai_buf_t  *b;
    ai_uint_t  i;

    b = r->out;

    ai_buf_lit(b, "{\"object\":\"list\",\"data\":[");

    for (i = 0; i < r->state->n; i++) {

        ai_buf_comma(b);
        ai_buf_lit(b, "{\"object\":\"embedding\",\"index\":");
        ai_buf_uint(b, i);
        ai_buf_key(b, "embedding");

        rc = r->state->base64 ? ai_embed_base64(r, i)
                              : ai_embed_array(r, i, 1);

        if (rc != AI_OK) {
            return rc;
        }

        ai_buf_lit(b, "}");
    }

    ai_buf_lit(b, "],\"model\":");
    ai_buf_quote(b, model);
    ai_buf_lit(b, ",\"usage\":{\"prompt_tokens\":");
    ai_buf_uint(b, r->answer.input);
    ai_buf_lit(b, ",\"total_tokens\":");
    ai_buf_uint(b, r->answer.input);
    ai_buf_lit(b, "}}");

    return AI_OK;
}


static ai_int_t
ai_embed_to_gemini(ai_embed_read_t *r, ai_op_e to)
{
    ai_int_t   rc;
    ai_buf_t  *b;
    ai_uint_t  i;

    b = r->out;

    ai_buf_cstr(b, (to == AI_OP_EMBED_CONTENT) ? "{\"embedding\":"
                                               : "{\"embeddings\":[");

    for (i = 0; i < r->state->n; i++) {

        ai_buf_comma(b);
        ai_buf_lit(b, "{\"values\":");

        rc = ai_embed_array(r, i, 0);

        if (rc != AI_OK) {
            return rc;
        }

        ai_buf_lit(b, "}");
    }

    if (to == AI_OP_BATCH_EMBED_CONTENTS) {
        ai_buf_lit(b, "]");
    }

    if (r->answer.told) {
        ai_buf_lit(b, ",\"usageMetadata\":{\"promptTokenCount\":");
        ai_buf_uint(b, r->answer.input);
        ai_buf_lit(b, ",\"totalTokenCount\":");
        ai_buf_uint(b, r->answer.input);
        ai_buf_lit(b, "}");
    }

    ai_buf_lit(b, "}");

    return AI_OK;
}


static ai_int_t
ai_embed_to_cohere(ai_embed_read_t *r)
{
    ai_int_t   rc;
    ai_buf_t  *b;
    ai_uint_t  i;

    b = r->out;

    ai_buf_lit(b, "{\"id\":");

    if (r->answer.id.len != 0) {
        ai_buf_raw(b, &r->answer.id);

    } else {
        ai_buf_quote(b, &r->state->id);
    }

    ai_buf_lit(b, ",\"embeddings\":{");

    if (r->state->floats) {
        rc = ai_embed_cohere_list(r, "float", 0);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (r->state->base64) {
        rc = ai_embed_cohere_list(r, "base64", 1);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_lit(b, "},\"texts\":[");

    for (i = 0; i < r->state->n && r->state->texts != NULL; i++) {
        ai_buf_comma(b);
        ai_buf_string(b, &r->state->texts[i]);
    }

    ai_buf_lit(b, "],\"meta\":{\"api_version\":{\"version\":\"2\"}");

    if (r->answer.told) {
        ai_buf_lit(b, ",\"billed_units\":{\"input_tokens\":");
        ai_buf_uint(b, r->answer.input);
        ai_buf_lit(b, "}");
    }

    ai_buf_lit(b, "},\"response_type\":\"embeddings_by_type\"}");

    return AI_OK;
}


static ai_int_t
ai_embed_cohere_list(ai_embed_read_t *r, const char *name, ai_uint_t base64)
{
    ai_int_t   rc;
    ai_uint_t  i;

    ai_buf_key(r->out, name);
    ai_buf_lit(r->out, "[");

    for (i = 0; i < r->state->n; i++) {

        ai_buf_comma(r->out);

        rc = base64 ? ai_embed_base64(r, i) : ai_embed_array(r, i, 0);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_lit(r->out, "]");

    return AI_OK;
}


static ai_int_t
ai_embed_array(ai_embed_read_t *r, ai_uint_t i, ai_uint_t strings)
{
    ai_int_t          rc;
    ai_mstr_t         chars;
    const ai_json_t  *v;

    v = &r->answer.vectors[i];

    if (v->type == AI_JSON_ARRAY) {
        ai_buf_put(r->out, v->start, (size_t) (v->end - v->start));
        return AI_OK;
    }

    chars = ai_mstr(v);

    rc = ai_vector_from_base64(r->out, &chars);

    /* bytes: a client of the same dialect may know what they mean */

    if (rc == AI_DECLINED && strings) {
        ai_buf_string(r->out, &chars);
        return AI_OK;
    }

    return rc;
}


static ai_int_t
ai_embed_base64(ai_embed_read_t *r, ai_uint_t i)
{
    ai_int_t          rc;
    ai_mstr_t         chars;
    const ai_json_t  *v;

    v = &r->answer.vectors[i];

    if (v->type == AI_JSON_STRING) {
        chars = ai_mstr(v);
        ai_buf_string(r->out, &chars);
        return AI_OK;
    }

    ai_buf_lit(r->out, "\"");

    rc = ai_vector_to_base64(r->out, v);

    ai_buf_lit(r->out, "\"");

    return rc;
}

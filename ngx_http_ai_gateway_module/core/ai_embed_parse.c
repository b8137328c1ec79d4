
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What clients ask for embeddings, in the dialects that they speak.
 */


#include <stdio.h>

#include "ai_embed.h"


#define AI_EMBED_PARAM  64


typedef struct {
    ai_embed_t          *state;
    ai_report_t         *rep;
} ai_embed_parse_t;


typedef ai_int_t (*ai_embed_member_pt)(ai_embed_parse_t *p,
    const ai_json_t *name, const ai_json_t *v);


static ai_int_t ai_embed_body(ai_embed_parse_t *p, const ai_json_t *root,
    ai_embed_member_pt member, const char *param, const char *message);
static ai_int_t ai_embed_openai_member(ai_embed_parse_t *p,
    const ai_json_t *name, const ai_json_t *v);
static ai_int_t ai_embed_input(ai_embed_parse_t *p, const ai_json_t *v);
static ai_int_t ai_embed_encoding(ai_embed_parse_t *p, const ai_json_t *v);
static ai_int_t ai_embed_gemini(ai_embed_parse_t *p, const ai_json_t *root);
static ai_int_t ai_embed_batch(ai_embed_parse_t *p, const ai_json_t *root);
static ai_int_t ai_embed_content(ai_embed_parse_t *p, const ai_json_t *v);
static ai_int_t ai_embed_config(ai_embed_parse_t *p, const ai_json_t *v);
static ai_int_t ai_embed_config_member(ai_embed_parse_t *p,
    const ai_json_t *name, const ai_json_t *v);
static ai_int_t ai_embed_cohere_member(ai_embed_parse_t *p,
    const ai_json_t *name, const ai_json_t *v);
static ai_int_t ai_embed_inputs(ai_embed_parse_t *p, const ai_json_t *v);
static ai_int_t ai_embed_kinds(ai_embed_parse_t *p, const ai_json_t *v);
static ai_int_t ai_embed_cut(ai_embed_parse_t *p, const ai_json_t *v);
static ai_int_t ai_embed_dimensions(ai_embed_parse_t *p, const char *param,
    const ai_json_t *v);
static ai_int_t ai_embed_list(ai_embed_parse_t *p, const char *param,
    const ai_json_t *v);
static ai_int_t ai_embed_room(ai_embed_parse_t *p, const ai_json_t *v);


ai_int_t
ai_embed_parse(ai_op_e from, const ai_json_t *root, ai_embed_t *state,
    ai_report_t *rep)
{
    ai_embed_parse_t  p;

    p.state = state;
    p.rep = rep;

    if (root->type != AI_JSON_OBJECT) {
        return ai_report_refuse(rep, NULL, "the request must be an object");
    }

    switch (from) {

    case AI_OP_EMBED_CONTENT:
        return ai_embed_gemini(&p, root);

    case AI_OP_BATCH_EMBED_CONTENTS:
        return ai_embed_batch(&p, root);

    case AI_OP_COHERE_EMBED:
        return ai_embed_body(&p, root, ai_embed_cohere_member, "texts",
                             "texts are required");

    default:
        return ai_embed_body(&p, root, ai_embed_openai_member, "input",
                             "an input is required");
    }
}


/* a body whose members are all known at once, and name the texts */

static ai_int_t
ai_embed_body(ai_embed_parse_t *p, const ai_json_t *root,
    ai_embed_member_pt member, const char *param, const char *message)
{
    ai_int_t        rc;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    ai_json_iter_init(&it, root);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        rc = member(p, &name, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (p->state->n == 0) {
        return ai_report_refuse(p->rep, param, message);
    }

    if (!p->state->base64) {
        p->state->floats = 1;
    }

    return AI_OK;
}


/* input_type, truncation and output_dimension are of Voyage and Mistral,
 * whose clients speak this dialect */

static ai_int_t
ai_embed_openai_member(ai_embed_parse_t *p, const ai_json_t *name,
    const ai_json_t *v)
{
    if (ai_json_name_eq(name, "input")) {
        return ai_embed_input(p, v);
    }

    if (ai_json_name_eq(name, "encoding_format")) {
        return ai_embed_encoding(p, v);
    }

    if (ai_json_name_eq(name, "dimensions")) {
        return ai_embed_dimensions(p, "dimensions", v);
    }

    if (ai_json_name_eq(name, "output_dimension")) {
        return ai_embed_dimensions(p, "output_dimension", v);
    }

    if (ai_json_name_eq(name, "user")) {
        p->state->user = ai_mstr(v);

    } else if (ai_json_name_eq(name, "input_type")) {

        p->state->type = ai_embed_type(AI_EMBED_VOYAGE, v);

        if (p->state->type == AI_EMBED_UNSET) {
            p->state->type = ai_embed_type(AI_EMBED_COHERE, v);
        }

        if (p->state->type == AI_EMBED_UNSET) {
            ai_report_drop(p->rep, "input_type");
        }

    } else if (ai_json_name_eq(name, "truncation")) {
        p->state->cut = ai_json_is_true(v) ? AI_EMBED_CUT_END
                                           : AI_EMBED_CUT_NONE;

    } else if (!ai_json_name_eq(name, "model")) {
        ai_report_drop_name(p->rep, name);
    }

    return AI_OK;
}


/* a text, an array of texts, the tokens of one, or an array of such */

static ai_int_t
ai_embed_input(ai_embed_parse_t *p, const ai_json_t *v)
{
    ai_json_t       first, value;
    ai_json_iter_t  it;

    if (v->type == AI_JSON_STRING) {

        p->state->texts = ai_alloc(p->state->alloc, sizeof(ai_mstr_t));

        if (p->state->texts == NULL) {
            return AI_ERROR;
        }

        p->state->texts[0] = ai_mstr(v);
        p->state->n = 1;

        return AI_OK;
    }

    ai_json_iter_init(&it, v);

    if (v->type != AI_JSON_ARRAY
        || ai_json_next(&it, NULL, &first) != AI_OK
        || first.type == AI_JSON_STRING)
    {
        return ai_embed_list(p, "input", v);
    }

    p->state->n = 1;

    if (first.type == AI_JSON_ARRAY) {

        while (ai_json_next(&it, NULL, &value) == AI_OK) {
            p->state->n++;
        }

    } else if (first.type != AI_JSON_NUMBER) {
        return ai_report_refuse(p->rep, "input",
                                "a string or an array of strings is "
                                "expected");
    }

    p->state->tokens = ai_json_raw(v);

    return AI_OK;
}


static ai_int_t
ai_embed_encoding(ai_embed_parse_t *p, const ai_json_t *v)
{
    if (ai_json_name_eq(v, "base64")) {
        p->state->base64 = 1;
        return AI_OK;
    }

    if (ai_json_name_eq(v, "float")) {
        return AI_OK;
    }

    return ai_report_refuse(p->rep, "encoding_format",
                            "a format is \"float\" or \"base64\"");
}


static ai_int_t
ai_embed_gemini(ai_embed_parse_t *p, const ai_json_t *root)
{
    p->state->floats = 1;

    p->state->texts = ai_alloc(p->state->alloc, sizeof(ai_mstr_t));

    if (p->state->texts == NULL) {
        return AI_ERROR;
    }

    return ai_embed_config(p, root);
}


/*
 * A batch has the same options in each of its requests, which is how SDKs
 * write them; other dialects have one place for all.
 */

static ai_int_t
ai_embed_batch(ai_embed_parse_t *p, const ai_json_t *root)
{
    ai_int_t        rc;
    ai_json_t       requests, request;
    ai_embed_t      first;
    ai_json_iter_t  it;

    p->state->floats = 1;

    if (ai_json_get(root, "requests", &requests) != AI_OK
        || requests.type != AI_JSON_ARRAY)
    {
        return ai_report_refuse(p->rep, "requests", "an array is expected");
    }

    if (ai_embed_room(p, &requests) != AI_OK) {
        return AI_ERROR;
    }

    ai_json_iter_init(&it, &requests);

    while (ai_json_next(&it, NULL, &request) == AI_OK) {

        first = *p->state;

        ai_str_set(&p->state->dimensions, "");
        p->state->type = AI_EMBED_UNSET;

        rc = ai_embed_config(p, &request);

        if (rc != AI_OK) {
            return rc;
        }

        if (first.n == 0) {
            continue;
        }

        if (first.type != p->state->type
            || first.dimensions.len != p->state->dimensions.len
            || (first.dimensions.len != 0
                && memcmp(first.dimensions.data, p->state->dimensions.data,
                          first.dimensions.len)
                   != 0))
        {
            return ai_report_refuse(p->rep, "requests",
                                    "all requests of a batch must have the "
                                    "same taskType and "
                                    "outputDimensionality");
        }
    }

    if (p->state->n == 0) {
        return ai_report_refuse(p->rep, "requests",
                                "at least one request is required");
    }

    return AI_OK;
}


/* a request, or what newer versions keep in a member of their own */

static ai_int_t
ai_embed_config(ai_embed_parse_t *p, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       name, value, content;
    ai_json_iter_t  it, inner;

    content.type = AI_JSON_NULL;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        if (ai_json_name_eq(&name, "content")) {
            content = value;
            continue;
        }

        if (ai_json_name_eq(&name, "embedContentConfig")
            || ai_json_name_eq(&name, "embed_content_config"))
        {
            ai_json_iter_init(&inner, &value);

            while (ai_json_next(&inner, &name, &value) == AI_OK) {

                rc = ai_embed_config_member(p, &name, &value);

                if (rc != AI_OK) {
                    return rc;
                }
            }

            continue;
        }

        rc = ai_embed_config_member(p, &name, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return ai_embed_content(p, &content);
}


static ai_int_t
ai_embed_config_member(ai_embed_parse_t *p, const ai_json_t *name,
    const ai_json_t *v)
{
    if (ai_json_name_eq(name, "outputDimensionality")
        || ai_json_name_eq(name, "output_dimensionality"))
    {
        return ai_embed_dimensions(p, "outputDimensionality", v);
    }

    if (ai_json_name_eq(name, "taskType")
        || ai_json_name_eq(name, "task_type"))
    {
        p->state->type = ai_embed_type(AI_EMBED_GEMINI, v);

        if (p->state->type == AI_EMBED_UNSET
            && !ai_json_name_eq(v, "TASK_TYPE_UNSPECIFIED"))
        {
            ai_report_drop_name(p->rep, name);
        }

    } else if (ai_json_name_eq(name, "title")) {
        p->state->title = ai_mstr(v);

    } else if (ai_json_name_eq(name, "autoTruncate")
               || ai_json_name_eq(name, "auto_truncate"))
    {
        p->state->cut = ai_json_is_true(v) ? AI_EMBED_CUT_END
                                           : AI_EMBED_CUT_NONE;

    } else if (!ai_json_name_eq(name, "model")) {
        ai_report_drop_name(p->rep, name);
    }

    return AI_OK;
}


/* all parts of a content are one text, and one vector */

static ai_int_t
ai_embed_content(ai_embed_parse_t *p, const ai_json_t *v)
{
    ai_buf_t        b;
    ai_json_t       parts, part, text;
    ai_mstr_t       m, *out;
    ai_uint_t       n;
    ai_json_iter_t  it;

    if (ai_json_get(v, "parts", &parts) != AI_OK) {
        return ai_report_refuse(p->rep, "content",
                                "a content with parts is expected");
    }

    n = 0;
    out = &p->state->texts[p->state->n];

    ai_buf_init(&b, p->state->alloc, (size_t) -1 / 2);

    /* an object is as good as an array of one, to their parser */

    ai_json_iter_init(&it, &parts);

    part = parts;

    while (parts.type == AI_JSON_OBJECT
           || ai_json_next(&it, NULL, &part) == AI_OK)
    {
        if (ai_json_get(&part, "text", &text) != AI_OK
            || text.type != AI_JSON_STRING)
        {
            return ai_report_refuse(p->rep, "content.parts",
                                    "the provider of this model embeds text "
                                    "only");
        }

        m = ai_mstr(&text);

        if (n == 0) {
            *out = m;

        } else {

            if (n == 1) {
                ai_buf_chars(&b, out);
            }

            ai_buf_lit(&b, "\\n");
            ai_buf_chars(&b, &m);
        }

        n++;

        if (parts.type == AI_JSON_OBJECT) {
            break;
        }
    }

    if (n == 0) {
        return ai_report_refuse(p->rep, "content.parts",
                                "at least one part is required");
    }

    if (n > 1 && ai_buf_get(&b, &out->s) != AI_OK) {
        return AI_ERROR;
    }

    p->state->n++;

    return AI_OK;
}


static ai_int_t
ai_embed_cohere_member(ai_embed_parse_t *p, const ai_json_t *name,
    const ai_json_t *v)
{
    ai_json_t       image;
    ai_json_iter_t  it;

    if (ai_json_name_eq(name, "texts")) {
        return ai_embed_list(p, "texts", v);
    }

    if (ai_json_name_eq(name, "inputs")) {
        return ai_embed_inputs(p, v);
    }

    if (ai_json_name_eq(name, "embedding_types")) {
        return ai_embed_kinds(p, v);
    }

    if (ai_json_name_eq(name, "output_dimension")) {
        return ai_embed_dimensions(p, "output_dimension", v);
    }

    if (ai_json_name_eq(name, "truncate")) {
        return ai_embed_cut(p, v);
    }

    if (ai_json_name_eq(name, "images")) {

        ai_json_iter_init(&it, v);

        if (ai_json_next(&it, NULL, &image) != AI_OK) {
            return AI_OK;
        }

        return ai_report_refuse(p->rep, "images",
                                "the provider of this model embeds text "
                                "only");
    }

    if (ai_json_name_eq(name, "input_type")) {

        p->state->type = ai_embed_type(AI_EMBED_COHERE, v);

        if (ai_json_name_eq(v, "image")) {
            return ai_report_refuse(p->rep, "input_type",
                                    "the provider of this model embeds text "
                                    "only");
        }

        if (p->state->type == AI_EMBED_UNSET) {
            ai_report_drop(p->rep, "input_type");
        }

    } else if (!ai_json_name_eq(name, "model")) {
        ai_report_drop_name(p->rep, name);
    }

    return AI_OK;
}


/* [{"content":[{"type":"text","text":...}]}]: one block is one text */

static ai_int_t
ai_embed_inputs(ai_embed_parse_t *p, const ai_json_t *v)
{
    char            param[AI_EMBED_PARAM];
    ai_json_t       input, content, text, more;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(p->rep, "inputs", "an array is expected");
    }

    if (ai_embed_room(p, v) != AI_OK) {
        return AI_ERROR;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &input) == AI_OK) {

        if (ai_json_get(&input, "content", &content) != AI_OK
            || ai_json_path(&content, &text, "0", "text", NULL) != AI_OK
            || text.type != AI_JSON_STRING
            || ai_json_path(&content, &more, "1", NULL) == AI_OK)
        {
            (void) snprintf(param, sizeof(param), "inputs.%lu.content",
                            (unsigned long) p->state->n);

            return ai_report_refuse(p->rep, param,
                                    "the provider of this model embeds one "
                                    "block of text for each vector");
        }

        p->state->texts[p->state->n++] = ai_mstr(&text);
    }

    return AI_OK;
}


static ai_int_t
ai_embed_kinds(ai_embed_parse_t *p, const ai_json_t *v)
{
    ai_json_t       kind;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(p->rep, "embedding_types",
                                "an array is expected");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &kind) == AI_OK) {

        if (ai_json_name_eq(&kind, "float")) {
            p->state->floats = 1;

        } else if (ai_json_name_eq(&kind, "base64")) {
            p->state->base64 = 1;

        } else {
            return ai_report_refuse(p->rep, "embedding_types",
                                    "the provider of this model gives "
                                    "\"float\" and \"base64\" only");
        }
    }

    return AI_OK;
}


static ai_int_t
ai_embed_cut(ai_embed_parse_t *p, const ai_json_t *v)
{
    if (ai_json_name_eq(v, "NONE")) {
        p->state->cut = AI_EMBED_CUT_NONE;

    } else if (ai_json_name_eq(v, "START")) {
        p->state->cut = AI_EMBED_CUT_START;

    } else if (ai_json_name_eq(v, "END")) {
        p->state->cut = AI_EMBED_CUT_END;

    } else {
        return ai_report_refuse(p->rep, "truncate",
                                "it is \"NONE\", \"START\" or \"END\"");
    }

    return AI_OK;
}


static ai_int_t
ai_embed_dimensions(ai_embed_parse_t *p, const char *param,
    const ai_json_t *v)
{
    if (v->type != AI_JSON_NUMBER) {
        return ai_report_refuse(p->rep, param, "a number is expected");
    }

    p->state->dimensions = ai_json_raw(v);

    return AI_OK;
}


static ai_int_t
ai_embed_list(ai_embed_parse_t *p, const char *param, const ai_json_t *v)
{
    ai_json_t       text;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return ai_report_refuse(p->rep, param,
                                "an array of strings is expected");
    }

    if (ai_embed_room(p, v) != AI_OK) {
        return AI_ERROR;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &text) == AI_OK) {

        if (text.type != AI_JSON_STRING) {
            return ai_report_refuse(p->rep, param,
                                    "an array of strings is expected");
        }

        p->state->texts[p->state->n++] = ai_mstr(&text);
    }

    return AI_OK;
}


/* for as many texts as the array has elements, in place of any before */

static ai_int_t
ai_embed_room(ai_embed_parse_t *p, const ai_json_t *v)
{
    ai_json_t       value;
    ai_uint_t       n;
    ai_json_iter_t  it;

    n = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {
        n++;
    }

    p->state->n = 0;
    p->state->texts = ai_alloc(p->state->alloc, n * sizeof(ai_mstr_t) + 1);

    return (p->state->texts == NULL) ? AI_ERROR : AI_OK;
}

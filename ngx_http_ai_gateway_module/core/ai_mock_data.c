
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Documents of the mock provider that hold no text: lists of models and
 * embeddings.
 */


#include "ai_mock_shape.h"


#define AI_MOCK_DIMENSIONS      16
#define AI_MOCK_DIMENSIONS_MAX  3072
#define AI_MOCK_INPUTS_MAX      2048


static void ai_mock_put_model(ai_mock_t *m);
static void ai_mock_put_embedding(ai_mock_t *m, ai_json_t *input);
static void ai_mock_put_vector(ai_mock_t *m, uint64_t key, ai_uint_t n);
static void ai_mock_put_base64(ai_mock_t *m, uint64_t key, ai_uint_t n);
static ai_int_t ai_mock_component(uint64_t key, ai_uint_t i);


/* the first of them is answered for the name that "model" sets */

static ai_str_t  ai_mock_models[] = {
    ai_string("mock-large"),
    ai_string("mock-small"),
    ai_string("claude-mock"),
    ai_string("gemini-mock")
};

#define AI_MOCK_MODELS  (sizeof(ai_mock_models) / sizeof(ai_str_t))


void
ai_mock_render_models(ai_mock_t *m)
{
    ai_uint_t    i;
    const char  *first, *last;

    if (m->model.len != 0) {
        ai_mock_put_model(m);
        return;
    }

    if (m->dialect == &ai_dialect_anthropic) {
        first = "{'data':[";
        last = "],'has_more':false,'first_id':'";

    } else if (m->dialect == &ai_dialect_gemini) {
        first = "{'models':[";
        last = "]}";

    } else {
        first = "{'object':'list','data':[";
        last = "]}";
    }

    ai_mock_write(m, first);

    for (i = 0; i < AI_MOCK_MODELS; i++) {
        m->model = ai_mock_models[i];

        if (i == 0 && m->conf->model.len != 0) {
            m->model = m->conf->model;
        }

        ai_mock_write(m, i == 0 ? "" : ",");
        ai_mock_put_model(m);
    }

    ai_mock_write(m, last);

    if (m->dialect == &ai_dialect_anthropic) {
        ai_mock_write(m, m->conf->model.len != 0 ? "" : "mock-large");
        ai_mock_put(m, m->conf->model.data, m->conf->model.len);
        ai_mock_write(m, "','last_id':'$m'}");
    }
}


static void
ai_mock_put_model(ai_mock_t *m)
{
    const char  *model;

    if (m->dialect == &ai_dialect_anthropic) {
        model = "{'type':'model','id':'$m','display_name':'$m',"
                "'created_at':'2025-01-01T00:00:00Z'}";

    } else if (m->dialect == &ai_dialect_gemini) {
        model = "{'name':'models/$m','version':'1','displayName':'$m',"
                "'description':'$m','inputTokenLimit':1048576,"
                "'outputTokenLimit':65536,'supportedGenerationMethods':"
                "['generateContent','countTokens','embedContent']}";

    } else {
        model = "{'id':'$m','object':'model','created':1735689600,"
                "'owned_by':'mock'}";
    }

    ai_mock_write(m, model);
}


/* OpenAI: the input is a string or tokens, or an array of these */

void
ai_mock_render_embeddings(ai_mock_t *m)
{
    ai_int_t        rc;
    ai_uint_t       n;
    ai_json_t       input;
    ai_json_iter_t  it;

    ai_mock_write(m, "{'object':'list','data':[");

    ai_json_iter_init(&it, &m->inputs);
    rc = ai_json_next(&it, NULL, &input);

    if (rc != AI_OK || input.type == AI_JSON_NUMBER) {
        input = m->inputs;
        rc = AI_DONE;
    }

    n = 0;

    do {
        ai_mock_write(m, n == 0 ? "" : ",");
        ai_mock_write(m, "{'object':'embedding','index':");
        ai_mock_put_uint(m, n++);
        ai_mock_write(m, ",'embedding':");
        ai_mock_put_embedding(m, &input);
        ai_mock_write(m, "}");

        if (rc == AI_OK) {
            rc = ai_json_next(&it, NULL, &input);
        }

    } while (rc == AI_OK && n < AI_MOCK_INPUTS_MAX);

    ai_mock_write(m, "],'model':'$m','usage':{'prompt_tokens':$p,"
                     "'total_tokens':$p}}");
}


/* Gemini: m->inputs is "content", or "requests" of a batch */

void
ai_mock_render_embed_contents(ai_mock_t *m)
{
    ai_uint_t       n;
    ai_json_t       request;
    ai_json_iter_t  it;

    if (m->inputs.type != AI_JSON_ARRAY) {
        ai_mock_write(m, "{'embedding':{'values':");
        ai_mock_put_embedding(m, &m->inputs);
        ai_mock_write(m, "}}");
        return;
    }

    ai_mock_write(m, "{'embeddings':[");
    ai_json_iter_init(&it, &m->inputs);

    for (n = 0; n < AI_MOCK_INPUTS_MAX; n++) {

        if (ai_json_next(&it, NULL, &request) != AI_OK) {
            break;
        }

        ai_mock_write(m, n == 0 ? "{'values':" : ",{'values':");
        ai_mock_put_embedding(m, &request);
        ai_mock_write(m, "}");
    }

    ai_mock_write(m, "]}");
}


/* equal inputs have equal vectors, whatever the order and the request */

static void
ai_mock_put_embedding(ai_mock_t *m, ai_json_t *input)
{
    u_char     *p;
    uint64_t    key;
    ai_uint_t   n;

    /* FNV-1a */

    key = 0xcbf29ce484222325 ^ m->conf->seed;

    for (p = input->start; p < input->end; p++) {
        key = (key ^ *p) * 0x100000001b3;
    }

    n = m->dimensions != 0 ? m->dimensions : AI_MOCK_DIMENSIONS;

    if (n > AI_MOCK_DIMENSIONS_MAX) {
        n = AI_MOCK_DIMENSIONS_MAX;
    }

    if (m->base64) {
        ai_mock_put_base64(m, key, n);

    } else {
        ai_mock_put_vector(m, key, n);
    }
}


/* in units of 1e-7, between -0.1 and 0.1 */

static ai_int_t
ai_mock_component(uint64_t key, ai_uint_t i)
{
    return (ai_int_t) (ai_mock_mix(key + i) % 1999999) - 999999;
}


static void
ai_mock_put_vector(ai_mock_t *m, uint64_t key, ai_uint_t n)
{
    u_char     *p, digits[] = "-0.0000000";
    ai_int_t    value;
    ai_uint_t   i, rest;

    for (i = 0; i < n; i++) {
        value = ai_mock_component(key, i);
        rest = value < 0 ? -value : value;

        for (p = digits + sizeof(digits) - 2; p >= digits + 3; p--) {
            *p = (u_char) ('0' + rest % 10);
            rest /= 10;
        }

        ai_mock_write(m, i == 0 ? "[" : ",");

        if (value < 0) {
            ai_mock_put(m, digits, sizeof(digits) - 1);

        } else {
            ai_mock_put(m, digits + 1, sizeof(digits) - 2);
        }
    }

    ai_mock_write(m, "]");
}


/* little-endian floats, what OpenAI's own clients ask for */

static void
ai_mock_put_base64(ai_mock_t *m, uint64_t key, ai_uint_t n)
{
    float               value;
    u_char              out[4];
    uint32_t            bits, group;
    ai_uint_t           i, size;
    static const char   basis[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789+/";

    ai_mock_write(m, "'");

    group = 0;
    bits = 0;
    size = 4 * n;

    for (i = 0; i < size || i % 3 != 0; i++) {

        if (i % 4 == 0) {
            value = (float) ai_mock_component(key, i / 4) / 1e7f;
            memcpy(&bits, &value, sizeof(bits));
        }

        group <<= 8;

        if (i < size) {
            group |= (bits >> (8 * (i % 4))) & 0xff;
        }

        if (i % 3 == 2) {
            out[0] = basis[(group >> 18) & 63];
            out[1] = basis[(group >> 12) & 63];
            out[2] = i > size ? '=' : basis[(group >> 6) & 63];
            out[3] = i >= size ? '=' : basis[group & 63];
            ai_mock_put(m, out, sizeof(out));
        }
    }

    ai_mock_write(m, "'");
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_models.h"
#include "ai_json.h"
#include "ai_text.h"
#include "ai_time.h"


/* more than what stands around the names of a model, or of a list */

#define AI_MODELS_FRAME  256

#define AI_MODELS_ALL    ((size_t) -1)


static ai_int_t ai_models_alloc(ai_text_t *t, ai_model_t *models, size_t n,
    ai_alloc_t *a, ai_str_t *out);
static ai_int_t ai_models_done(ai_text_t *t, ai_str_t *out);
static void ai_models_edge(ai_text_t *t, ai_model_t *models, size_t n,
    size_t i);
static void ai_models_entry(ai_text_t *t, ai_models_shape_e shape,
    ai_model_t *m);


ai_int_t
ai_models_list(ai_models_shape_e shape, ai_model_t *models, size_t n,
    ai_alloc_t *a, ai_str_t *out)
{
    size_t     i;
    ai_text_t  t;

    if (shape == AI_MODELS_CODEX) {
        n = 0;
    }

    if (ai_models_alloc(&t, models, n, a, out) != AI_OK) {
        return AI_ERROR;
    }

    switch (shape) {

    case AI_MODELS_OPENAI:
        ai_text_lit(&t, "{\"object\":\"list\",\"data\":[");
        break;

    case AI_MODELS_ANTHROPIC:
        ai_text_lit(&t, "{\"data\":[");
        break;

    default: /* AI_MODELS_GEMINI, AI_MODELS_CODEX */
        ai_text_lit(&t, "{\"models\":[");
        break;
    }

    for (i = 0; i < n; i++) {
        if (i != 0) {
            ai_text_lit(&t, ",");
        }

        ai_models_entry(&t, shape, &models[i]);
    }

    ai_text_lit(&t, "]");

    if (shape == AI_MODELS_ANTHROPIC) {
        ai_text_lit(&t, ",\"has_more\":false,\"first_id\":");
        ai_models_edge(&t, models, n, 0);
        ai_text_lit(&t, ",\"last_id\":");
        ai_models_edge(&t, models, n, n - 1);
    }

    ai_text_lit(&t, "}");

    return ai_models_done(&t, out);
}


ai_int_t
ai_models_one(ai_models_shape_e shape, ai_model_t *model, ai_alloc_t *a,
    ai_str_t *out)
{
    ai_text_t  t;

    if (ai_models_alloc(&t, model, 1, a, out) != AI_OK) {
        return AI_ERROR;
    }

    ai_models_entry(&t, shape, model);

    return ai_models_done(&t, out);
}


static ai_int_t
ai_models_alloc(ai_text_t *t, ai_model_t *models, size_t n, ai_alloc_t *a,
    ai_str_t *out)
{
    size_t  i, size;

    size = AI_MODELS_FRAME;

    for (i = 0; i < n; i++) {
        size += AI_MODELS_FRAME + 2 * ai_json_escape_len(&models[i].id)
                + ai_json_escape_len(&models[i].owned_by);
    }

    /* the first and the last one are named once more */

    if (n != 0) {
        size += ai_json_escape_len(&models[0].id)
                + ai_json_escape_len(&models[n - 1].id);
    }

    out->data = ai_alloc(a, size);
    if (out->data == NULL) {
        return AI_ERROR;
    }

    t->pos = out->data;
    t->last = out->data + size;
    t->full = 0;

    return AI_OK;
}


static ai_int_t
ai_models_done(ai_text_t *t, ai_str_t *out)
{
    out->len = t->pos - out->data;

    return t->full ? AI_ERROR : AI_OK;
}


static void
ai_models_edge(ai_text_t *t, ai_model_t *models, size_t n, size_t i)
{
    if (n == 0) {
        ai_text_lit(t, "null");
        return;
    }

    ai_text_json(t, &models[i].id, AI_MODELS_ALL);
}


static void
ai_models_entry(ai_text_t *t, ai_models_shape_e shape, ai_model_t *m)
{
    u_char  *quote, time[AI_TIME_ISO_LEN];

    switch (shape) {

    case AI_MODELS_ANTHROPIC:

        ai_time_iso(time, m->created < UINT64_MAX / 1000 ? m->created * 1000
                                                         : UINT64_MAX);

        ai_text_lit(t, "{\"type\":\"model\",\"id\":");
        ai_text_json(t, &m->id, AI_MODELS_ALL);
        ai_text_lit(t, ",\"display_name\":");
        ai_text_json(t, &m->id, AI_MODELS_ALL);
        ai_text_lit(t, ",\"created_at\":\"");
        ai_text_put(t, time, AI_TIME_ISO_LEN);
        ai_text_lit(t, "\"}");
        break;

    case AI_MODELS_GEMINI:

        /* the name is "models/" and the ID in one string */

        ai_text_lit(t, "{\"name\":\"models/");
        quote = t->pos;
        ai_text_json(t, &m->id, AI_MODELS_ALL);

        if (!t->full) {
            t->pos--;
            memmove(quote, quote + 1, t->pos - quote);
        }

        ai_text_lit(t, ",\"displayName\":");
        ai_text_json(t, &m->id, AI_MODELS_ALL);
        ai_text_lit(t, ",\"supportedGenerationMethods\":"
                       "[\"generateContent\",\"countTokens\","
                       "\"embedContent\"]}");
        break;

    default: /* AI_MODELS_OPENAI, AI_MODELS_CODEX */

        ai_text_lit(t, "{\"id\":");
        ai_text_json(t, &m->id, AI_MODELS_ALL);
        ai_text_lit(t, ",\"object\":\"model\",\"created\":");
        ai_text_uint(t, m->created);
        ai_text_lit(t, ",\"owned_by\":");
        ai_text_json(t, &m->owned_by, AI_MODELS_ALL);
        ai_text_lit(t, "}");
        break;
    }
}

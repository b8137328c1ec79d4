
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A request for embeddings as a provider takes it.
 */


#include "ai_embed.h"


typedef struct {
    const ai_target_t   *t;
    const ai_embed_t    *state;
    ai_buf_t            *out;
    ai_report_t         *rep;
} ai_embed_render_t;


/* one row for each ai_embed_type_e, in their order */

typedef struct {
    const char          *words[AI_EMBED_VOYAGE + 1];
} ai_embed_type_row_t;


static ai_int_t ai_embed_refusals(ai_embed_render_t *r);
static void ai_embed_openai(ai_embed_render_t *r);
static const char *ai_embed_member(ai_embed_render_t *r, const char *name,
    const char *usual);
static void ai_embed_gemini(ai_embed_render_t *r);
static void ai_embed_gemini_one(ai_embed_render_t *r, ai_uint_t i);
static void ai_embed_gemini_model(ai_embed_render_t *r);
static void ai_embed_predict(ai_embed_render_t *r);
static void ai_embed_cohere(ai_embed_render_t *r);
static void ai_embed_ollama(ai_embed_render_t *r);
static void ai_embed_texts(ai_embed_render_t *r, const char *name);
static void ai_embed_drop(ai_embed_render_t *r, ai_uint_t type,
    ai_uint_t cut);


/*
 * The first row of several that have a word in common is what the word means.
 * A query of a kind is a query to those who know no kinds, and a comparison
 * has no two sides, of which one would be it.
 */

static const ai_embed_type_row_t  ai_embed_types[] = {

    { { NULL, NULL, NULL } },
    { { "search_document", "RETRIEVAL_DOCUMENT", "document" } },
    { { "search_query", "RETRIEVAL_QUERY", "query" } },
    { { "classification", "CLASSIFICATION", NULL } },
    { { "clustering", "CLUSTERING", NULL } },
    { { NULL, "SEMANTIC_SIMILARITY", NULL } },
    { { "search_query", "QUESTION_ANSWERING", "query" } },
    { { "search_query", "FACT_VERIFICATION", "query" } },
    { { "search_query", "CODE_RETRIEVAL_QUERY", "query" } }
};

#define AI_EMBED_TYPES  (sizeof(ai_embed_types) / sizeof(ai_embed_types[0]))


ai_int_t
ai_embed_request(ai_op_e from, const ai_json_t *root, const ai_target_t *t,
    ai_alloc_t *a, ai_embed_t *state, ai_buf_t *out, ai_report_t *rep)
{
    ai_int_t           rc;
    ai_embed_render_t  r;

    memset(state, 0, sizeof(ai_embed_t));

    state->alloc = a;

    rc = ai_embed_parse(from, root, state, rep);

    if (rc != AI_OK) {
        return rc;
    }

    r.t = t;
    r.state = state;
    r.out = out;
    r.rep = rep;

    rc = ai_embed_refusals(&r);

    if (rc != AI_OK) {
        return rc;
    }

    switch (t->op) {

    case AI_OP_EMBEDDINGS:
        ai_embed_openai(&r);
        break;

    case AI_OP_EMBED_CONTENT:
    case AI_OP_BATCH_EMBED_CONTENTS:
        ai_embed_gemini(&r);
        break;

    case AI_OP_PREDICT:
        ai_embed_predict(&r);
        break;

    case AI_OP_COHERE_EMBED:
        ai_embed_cohere(&r);
        break;

    default:
        ai_embed_ollama(&r);
        break;
    }

    return out->failed ? AI_ERROR : AI_OK;
}


static ai_int_t
ai_embed_refusals(ai_embed_render_t *r)
{
    if (r->state->tokens.len != 0 && r->t->op != AI_OP_EMBEDDINGS) {
        return ai_report_refuse(r->rep, "input",
                                "tokens mean something else to the provider "
                                "of this model, send text");
    }

    if (r->t->op == AI_OP_EMBED_CONTENT && r->state->n != 1) {
        return ai_report_refuse(r->rep, "input",
                                "the provider of this model takes one text "
                                "at a time");
    }

    return AI_OK;
}


static void
ai_embed_openai(ai_embed_render_t *r)
{
    ai_buf_t          *b;
    const char        *name, *type;
    const ai_embed_t  *state;

    b = r->out;
    state = r->state;

    ai_buf_lit(b, "{\"model\":");
    ai_buf_quote(b, &r->t->model);

    if (state->tokens.len != 0) {
        ai_buf_key_raw(b, "input", &state->tokens);

    } else {
        ai_embed_texts(r, "input");
    }

    /* who gives arrays only is not asked, these are converted */

    name = ai_embed_member(r, "encoding_format", "encoding_format");

    if (name != NULL && state->base64 && !state->floats) {
        ai_buf_key(b, name);
        ai_buf_lit(b, "\"base64\"");
    }

    if (state->dimensions.len != 0) {
        name = ai_embed_member(r, "dimensions", "dimensions");

        if (name != NULL) {
            ai_buf_key_raw(b, name, &state->dimensions);

        } else {
            ai_report_drop(r->rep, "dimensions");
        }
    }

    if (!ai_mstr_empty(&state->user)) {
        name = ai_embed_member(r, "user", "user");

        if (name != NULL) {
            ai_buf_key_string(b, name, &state->user);

        } else {
            ai_report_drop(r->rep, "user");
        }
    }

    name = ai_embed_member(r, "input_type", NULL);
    type = ai_embed_type_name(AI_EMBED_VOYAGE, state->type);

    if (name != NULL && type != NULL) {
        ai_buf_key(b, name);
        ai_buf_quote_cstr(b, type);
    }

    ai_embed_drop(r, name == NULL || type == NULL, 0);

    name = ai_embed_member(r, "truncation", NULL);

    if (name != NULL && state->cut != AI_EMBED_CUT_UNSET) {
        ai_buf_key(b, name);
        ai_buf_cstr(b, state->cut == AI_EMBED_CUT_NONE ? "false" : "true");
    }

    ai_embed_drop(r, 0, name == NULL || state->cut == AI_EMBED_CUT_START);

    ai_buf_lit(b, "}");
}


/* what a member is called, NULL: it is not taken */

static const char *
ai_embed_member(ai_embed_render_t *r, const char *name, const char *usual)
{
    const ai_vendor_member_t  *m;

    if (r->t->vendor == NULL || r->t->vendor->members == NULL) {
        return usual;
    }

    for (m = r->t->vendor->members; m->from != NULL; m++) {
        if (strcmp(m->from, name) == 0) {
            return m->to;
        }
    }

    return usual;
}


static void
ai_embed_gemini(ai_embed_render_t *r)
{
    ai_uint_t  i;

    if (r->t->op == AI_OP_EMBED_CONTENT) {
        ai_embed_gemini_one(r, 0);

    } else {
        ai_buf_lit(r->out, "{\"requests\":[");

        for (i = 0; i < r->state->n; i++) {
            ai_buf_comma(r->out);
            ai_embed_gemini_one(r, i);
        }

        ai_buf_lit(r->out, "]}");
    }

    if (!ai_mstr_empty(&r->state->user)) {
        ai_report_drop(r->rep, "user");
    }

    ai_embed_drop(r, 0, 1);
}


static void
ai_embed_gemini_one(ai_embed_render_t *r, ai_uint_t i)
{
    ai_buf_t    *b;
    const char  *type;

    b = r->out;

    ai_buf_lit(b, "{\"model\":");
    ai_embed_gemini_model(r);
    ai_buf_lit(b, ",\"content\":{\"parts\":[{\"text\":");
    ai_buf_string(b, &r->state->texts[i]);
    ai_buf_lit(b, "}]}");

    type = ai_embed_type_name(AI_EMBED_GEMINI, r->state->type);

    if (type != NULL) {
        ai_buf_key(b, "taskType");
        ai_buf_quote_cstr(b, type);
    }

    ai_buf_key_string(b, "title", &r->state->title);
    ai_buf_key_raw(b, "outputDimensionality", &r->state->dimensions);
    ai_buf_lit(b, "}");
}


/* a resource name, which each request of a batch must repeat */

static void
ai_embed_gemini_model(ai_embed_render_t *r)
{
    ai_mstr_t           m;
    const ai_str_t     *model;
    static const char   prefix[] = "models/";

    model = &r->t->model;

    ai_buf_lit(r->out, "\"");

    if (model->len < sizeof(prefix) - 1
        || memcmp(model->data, prefix, sizeof(prefix) - 1) != 0)
    {
        ai_buf_lit(r->out, "models/");
    }

    m = ai_mstr_plain(model);
    ai_buf_chars(r->out, &m);

    ai_buf_lit(r->out, "\"");
}


/* Vertex: parameters are of all instances, the task is of each */

static void
ai_embed_predict(ai_embed_render_t *r)
{
    ai_buf_t          *b;
    ai_uint_t          i;
    const char        *type;
    const ai_embed_t  *state;

    b = r->out;
    state = r->state;

    type = ai_embed_type_name(AI_EMBED_GEMINI, state->type);

    ai_buf_lit(b, "{\"instances\":[");

    for (i = 0; i < state->n; i++) {
        ai_buf_comma(b);
        ai_buf_lit(b, "{\"content\":");
        ai_buf_string(b, &state->texts[i]);

        if (type != NULL) {
            ai_buf_key(b, "task_type");
            ai_buf_quote_cstr(b, type);
        }

        ai_buf_key_string(b, "title", &state->title);
        ai_buf_lit(b, "}");
    }

    ai_buf_lit(b, "]");

    if (state->dimensions.len != 0 || state->cut != AI_EMBED_CUT_UNSET) {
        ai_buf_lit(b, ",\"parameters\":{");
        ai_buf_key_raw(b, "outputDimensionality", &state->dimensions);

        if (state->cut != AI_EMBED_CUT_UNSET) {
            ai_buf_key(b, "autoTruncate");
            ai_buf_cstr(b, state->cut == AI_EMBED_CUT_NONE ? "false"
                                                           : "true");
        }

        ai_buf_lit(b, "}");
    }

    ai_buf_lit(b, "}");

    if (!ai_mstr_empty(&state->user)) {
        ai_report_drop(r->rep, "user");
    }

    ai_embed_drop(r, 0, state->cut == AI_EMBED_CUT_START);
}


/* the type is required: most texts are there to be found */

static void
ai_embed_cohere(ai_embed_render_t *r)
{
    ai_buf_t          *b;
    const char        *type;
    const ai_embed_t  *state;

    b = r->out;
    state = r->state;

    type = ai_embed_type_name(AI_EMBED_COHERE, state->type);

    ai_buf_lit(b, "{\"model\":");
    ai_buf_quote(b, &r->t->model);

    ai_embed_texts(r, "texts");

    ai_buf_key(b, "input_type");
    ai_buf_quote_cstr(b, type != NULL ? type : "search_document");
    ai_buf_lit(b, ",\"embedding_types\":[\"float\"]");
    ai_buf_key_raw(b, "output_dimension", &state->dimensions);

    switch (state->cut) {

    case AI_EMBED_CUT_NONE:
        ai_buf_lit(b, ",\"truncate\":\"NONE\"");
        break;

    case AI_EMBED_CUT_START:
        ai_buf_lit(b, ",\"truncate\":\"START\"");
        break;

    case AI_EMBED_CUT_END:
        ai_buf_lit(b, ",\"truncate\":\"END\"");
        break;

    default:
        break;
    }

    ai_buf_lit(b, "}");

    if (!ai_mstr_empty(&state->user)) {
        ai_report_drop(r->rep, "user");
    }

    ai_embed_drop(r, type == NULL, 0);
}


static void
ai_embed_ollama(ai_embed_render_t *r)
{
    ai_buf_t          *b;
    const ai_embed_t  *state;

    b = r->out;
    state = r->state;

    ai_buf_lit(b, "{\"model\":");
    ai_buf_quote(b, &r->t->model);

    ai_embed_texts(r, "input");

    if (state->cut != AI_EMBED_CUT_UNSET) {
        ai_buf_key(b, "truncate");
        ai_buf_cstr(b, state->cut == AI_EMBED_CUT_NONE ? "false" : "true");
    }

    ai_buf_key_raw(b, "dimensions", &state->dimensions);
    ai_buf_lit(b, "}");

    if (!ai_mstr_empty(&state->user)) {
        ai_report_drop(r->rep, "user");
    }

    ai_embed_drop(r, 1, state->cut == AI_EMBED_CUT_START);
}


static void
ai_embed_texts(ai_embed_render_t *r, const char *name)
{
    ai_uint_t  i;

    ai_buf_key(r->out, name);
    ai_buf_lit(r->out, "[");

    for (i = 0; i < r->state->n; i++) {
        ai_buf_comma(r->out);
        ai_buf_string(r->out, &r->state->texts[i]);
    }

    ai_buf_lit(r->out, "]");
}


/* report what is set and was not sent */

static void
ai_embed_drop(ai_embed_render_t *r, ai_uint_t type, ai_uint_t cut)
{
    if (type && r->state->type != AI_EMBED_UNSET) {
        ai_report_drop(r->rep, "input_type");
    }

    if (cut && r->state->cut != AI_EMBED_CUT_UNSET) {
        ai_report_drop(r->rep, "truncate");
    }
}


ai_embed_type_e
ai_embed_type(ai_embed_words_e words, const ai_json_t *name)
{
    ai_uint_t    i;
    const char  *word;

    for (i = 0; i < AI_EMBED_TYPES; i++) {

        word = ai_embed_types[i].words[words];

        if (word != NULL && ai_json_str_eq(name, word, strlen(word))) {
            return (ai_embed_type_e) i;
        }
    }

    return AI_EMBED_UNSET;
}


const char *
ai_embed_type_name(ai_embed_words_e words, ai_embed_type_e type)
{
    return ai_embed_types[type].words[words];
}

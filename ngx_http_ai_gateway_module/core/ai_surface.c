
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_surface.h"


#define AI_MODEL_MAX       128

/* versions in one path that are tried, so that a long path costs little */

#define AI_SURFACE_TRIES   4


/* what a segment of the path is to its prefix */

typedef enum {
    AI_SEGMENT_NAME = 0,
    AI_SEGMENT_VERSION,           /* v1, v2, v1beta, v1alpha1 ... */
    AI_SEGMENT_GOOGLE,            /* v1beta..., v1alpha...: Google's own */
    AI_SEGMENT_VENDOR             /* openai, anthropic, gemini */
} ai_segment_e;


typedef struct {
    ai_str_t             suffix;
    ai_op_e              op;
    const ai_dialect_t  *dialect;
} ai_surface_row_t;


typedef struct {
    ai_str_t             verb;
    ai_op_e              op;
} ai_surface_verb_t;


static ai_int_t ai_surface_path(ai_surface_t *s, ai_str_t *path,
    ai_uint_t *google);
static ai_int_t ai_surface_sane(ai_str_t *path);
static u_char *ai_surface_base(u_char *p, u_char *last, ai_uint_t any,
    ai_uint_t *google);
static ai_segment_e ai_surface_segment(u_char *p, size_t len);
static ai_int_t ai_surface_exact(ai_surface_t *s, u_char *start,
    u_char *rest, u_char *last);
static ai_int_t ai_surface_row(ai_surface_t *s, u_char *rest, u_char *last);
static ai_int_t ai_surface_cohere(ai_surface_t *s, u_char *start,
    u_char *rest, u_char *last);
static ai_int_t ai_surface_deployment(ai_surface_t *s, u_char *rest,
    u_char *last);
static void ai_surface_deployed(ai_surface_t *s, u_char *start);
static ai_int_t ai_surface_converse(ai_surface_t *s, ai_str_t *path);
static ai_int_t ai_surface_model(ai_surface_t *s, u_char *rest,
    u_char *last);
static ai_int_t ai_surface_suffix(ai_surface_t *s, ai_str_t *path);
static ai_int_t ai_surface_verb(ai_surface_t *s, u_char *rest,
    u_char *last);
static u_char *ai_surface_last(u_char *p, u_char *last, const char *text,
    size_t len);
static ai_int_t ai_surface_method(ai_surface_t *s, ai_str_t *method);
static void ai_surface_dialect(ai_surface_t *s, ai_uint_t google,
    ai_uint_t hints);


/* the longer of two that end alike comes first */

static const ai_surface_row_t  ai_surface_rows[] = {
    { ai_string("/chat/completions"), AI_OP_CHAT, &ai_dialect_openai },
    { ai_string("/completions"), AI_OP_COMPLETIONS, &ai_dialect_openai },
    { ai_string("/embeddings"), AI_OP_EMBEDDINGS, &ai_dialect_openai },
    { ai_string("/responses"), AI_OP_RESPONSES, &ai_dialect_openai },
    { ai_string("/messages/count_tokens"), AI_OP_COUNT_TOKENS,
      &ai_dialect_anthropic },
    { ai_string("/messages"), AI_OP_MESSAGES, &ai_dialect_anthropic },
    { ai_string("/models"), AI_OP_MODELS, NULL },
    { ai_string("/api/hello"), AI_OP_HEALTH, NULL },
    { ai_string("/health"), AI_OP_HEALTH, NULL },
    { ai_null_string, AI_OP_NONE, NULL }
};


/* only right after "/v2": nobody else has such names there */

static const ai_surface_row_t  ai_surface_cohere_rows[] = {
    { ai_string("/chat"), AI_OP_COHERE_CHAT, &ai_dialect_cohere },
    { ai_string("/embed"), AI_OP_COHERE_EMBED, &ai_dialect_cohere },
    { ai_null_string, AI_OP_NONE, NULL }
};


/* behind /model/MODEL */

static const ai_surface_row_t  ai_surface_bedrock_rows[] = {
    { ai_string("/converse"), AI_OP_CONVERSE, &ai_dialect_bedrock },
    { ai_string("/converse-stream"), AI_OP_CONVERSE_STREAM,
      &ai_dialect_bedrock },
    { ai_null_string, AI_OP_NONE, NULL }
};


static const ai_surface_verb_t  ai_surface_verbs[] = {
    { ai_string("generateContent"), AI_OP_GENERATE },
    { ai_string("streamGenerateContent"), AI_OP_STREAM_GENERATE },
    { ai_string("countTokens"), AI_OP_GEMINI_COUNT_TOKENS },
    { ai_string("embedContent"), AI_OP_EMBED_CONTENT },
    { ai_string("batchEmbedContents"), AI_OP_BATCH_EMBED_CONTENTS },
    { ai_null_string, AI_OP_NONE }
};


static ai_str_t  ai_op_names[] = {
    ai_string("none"),
    ai_string("chat"),
    ai_string("completions"),
    ai_string("embeddings"),
    ai_string("responses"),
    ai_string("messages"),
    ai_string("count_tokens"),
    ai_string("generate"),
    ai_string("stream_generate"),
    ai_string("gemini_count_tokens"),
    ai_string("embed_content"),
    ai_string("batch_embed_contents"),
    ai_string("cohere_chat"),
    ai_string("cohere_embed"),
    ai_string("converse"),
    ai_string("converse_stream"),
    ai_string("ollama_chat"),
    ai_string("ollama_embed"),
    ai_string("predict"),
    ai_string("pass"),
    ai_string("models"),
    ai_string("model"),
    ai_string("health"),
    ai_string("preflight")
};


ai_int_t
ai_surface_find(ai_surface_t *s, ai_str_t *method, ai_str_t *path,
    ai_uint_t hints)
{
    ai_int_t   rc;
    ai_uint_t  google;

    memset(s, 0, sizeof(ai_surface_t));

    google = 0;
    rc = ai_surface_path(s, path, &google);

    ai_surface_dialect(s, google, hints);

    /* a browser asks before it knows whether the path exists */

    if (ai_str_eq(method, "OPTIONS") && (hints & AI_HINT_ORIGIN)) {
        s->op = AI_OP_PREFLIGHT;
        s->stream = 0;
        ai_str_set(&s->model, "");
        ai_str_set(&s->suffix, "");
        return AI_OK;
    }

    if (rc != AI_OK) {
        return rc;
    }

    return ai_surface_method(s, method);
}


static ai_int_t
ai_surface_path(ai_surface_t *s, ai_str_t *path, ai_uint_t *google)
{
    u_char     *base, *rest, *last;
    ai_uint_t   g, tries;

    if (ai_str_eq(path, "/")) {
        s->op = AI_OP_HEALTH;
        return AI_OK;
    }

    if (ai_surface_sane(path) != AI_OK) {
        return AI_DECLINED;
    }

    if (ai_surface_converse(s, path) == AI_OK) {
        return AI_OK;
    }

    last = path->data + path->len;

    base = ai_surface_base(path->data, last, 1, google);

    if (base == NULL) {
        return ai_surface_suffix(s, path);
    }

    /*
     * What follows the version must be an operation as a whole: the path
     * /v1/threads/ID/messages only ends like one.  A later version is tried
     * too, the first may belong to the location.
     */

    g = *google;
    rest = base;

    for (tries = 0; rest != NULL && tries < AI_SURFACE_TRIES; tries++) {
        if (ai_surface_exact(s, path->data, rest, last) == AI_OK) {
            *google = g;
            return AI_OK;
        }

        g = 0;
        rest = ai_surface_base(rest, last, 0, &g);
    }

    s->op = AI_OP_PASS;
    s->suffix.data = base;
    s->suffix.len = last - base;

    return AI_OK;
}


/*
 * Absolute, no empty segment, no "." or "..", no control characters: what is
 * not understood goes to a provider, and must mean there what it means here.
 */

static ai_int_t
ai_surface_sane(ai_str_t *path)
{
    u_char  *p, *last, *start;

    if (path->len == 0 || path->data[0] != '/') {
        return AI_DECLINED;
    }

    p = path->data;
    last = p + path->len;

    start = ++p;

    for ( ;; ) {

        if (p == last || *p == '/') {

            if (p == start
                || (p - start == 1 && start[0] == '.')
                || (p - start == 2 && start[0] == '.' && start[1] == '.'))
            {
                return AI_DECLINED;
            }

            if (p == last) {
                return AI_OK;
            }

            start = ++p;
            continue;
        }

        if (*p < 0x20 || *p == 0x7f || *p == '\\') {
            return AI_DECLINED;
        }

        p++;
    }
}


/*
 * Finds the first version segment in a sane path and returns the slash after
 * it, and after the version and vendor segments that follow; NULL when there
 * is none, or nothing after it.  With "any" a vendor's name serves if there
 * is no version.  "google" is set by v1beta, unless openai follows.
 */

static u_char *
ai_surface_base(u_char *p, u_char *last, ai_uint_t any, ai_uint_t *google)
{
    u_char        *end, *base, *vendor;
    ai_segment_e   type;

    base = NULL;
    vendor = NULL;

    for ( /* void */ ; p < last; p = end) {

        end = memchr(p + 1, '/', last - p - 1);

        if (end == NULL) {
            /* the last segment is a name, whatever it looks like */
            break;
        }

        type = ai_surface_segment(p + 1, end - p - 1);

        if (type == AI_SEGMENT_VERSION || type == AI_SEGMENT_GOOGLE) {
            base = end;
            *google = (type == AI_SEGMENT_GOOGLE);

        } else if (type == AI_SEGMENT_VENDOR) {

            if (base != NULL) {
                base = end;
                *google = 0;

            } else if (vendor == NULL || vendor == p) {
                vendor = end;
            }

        } else if (base != NULL) {
            break;
        }
    }

    if (base == NULL && any) {
        return vendor;
    }

    return base;
}


static ai_segment_e
ai_surface_segment(u_char *p, size_t len)
{
    size_t        i;
    ai_segment_e  type;

    if ((len == 6 && (memcmp(p, "openai", 6) == 0
                      || memcmp(p, "gemini", 6) == 0))
        || (len == 9 && memcmp(p, "anthropic", 9) == 0))
    {
        return AI_SEGMENT_VENDOR;
    }

    if (len < 2 || p[0] != 'v') {
        return AI_SEGMENT_NAME;
    }

    for (i = 1; i < len && p[i] >= '0' && p[i] <= '9'; i++) { /* void */ }

    if (i == 1) {
        return AI_SEGMENT_NAME;
    }

    type = AI_SEGMENT_VERSION;

    if (len - i >= 4 && memcmp(p + i, "beta", 4) == 0) {
        type = AI_SEGMENT_GOOGLE;
        i += 4;

    } else if (len - i >= 5 && memcmp(p + i, "alpha", 5) == 0) {
        type = AI_SEGMENT_GOOGLE;
        i += 5;
    }

    while (i < len && p[i] >= '0' && p[i] <= '9') {
        i++;
    }

    return i == len ? type : AI_SEGMENT_NAME;
}


/* [rest, last) is all that follows a version */

static ai_int_t
ai_surface_exact(ai_surface_t *s, u_char *start, u_char *rest, u_char *last)
{
    if (ai_surface_row(s, rest, last) == AI_OK
        || ai_surface_cohere(s, start, rest, last) == AI_OK
        || ai_surface_deployment(s, rest, last) == AI_OK
        || ai_surface_verb(s, rest, last) == AI_OK)
    {
        return AI_OK;
    }

    return ai_surface_model(s, rest, last);
}


static ai_int_t
ai_surface_row(ai_surface_t *s, u_char *rest, u_char *last)
{
    size_t                   len;
    const ai_surface_row_t  *row;

    len = last - rest;

    for (row = ai_surface_rows; row->op != AI_OP_NONE; row++) {

        if (len == row->suffix.len
            && memcmp(rest, row->suffix.data, len) == 0)
        {
            s->op = row->op;
            s->dialect = row->dialect;
            s->suffix.data = rest;
            s->suffix.len = len;
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


static ai_int_t
ai_surface_cohere(ai_surface_t *s, u_char *start, u_char *rest, u_char *last)
{
    size_t                   len;
    const ai_surface_row_t  *row;

    if (rest - start < 3 || memcmp(rest - 3, "/v2", 3) != 0) {
        return AI_DECLINED;
    }

    len = last - rest;

    for (row = ai_surface_cohere_rows; row->op != AI_OP_NONE; row++) {

        if (len == row->suffix.len
            && memcmp(rest, row->suffix.data, len) == 0)
        {
            s->op = row->op;
            s->dialect = row->dialect;
            s->suffix.data = rest;
            s->suffix.len = len;
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


/*
 * /deployments/MODEL and an operation, of Azure: the suffix is what another
 * provider has behind its base, so the model is in front of it.
 */

static ai_int_t
ai_surface_deployment(ai_surface_t *s, u_char *rest, u_char *last)
{
    size_t   len;
    u_char  *p;

    len = sizeof("/deployments/") - 1;

    if ((size_t) (last - rest) <= len
        || memcmp(rest, "/deployments/", len) != 0)
    {
        return AI_DECLINED;
    }

    p = memchr(rest + len, '/', last - rest - len);

    if (p == NULL || ai_surface_row(s, p, last) != AI_OK) {
        return AI_DECLINED;
    }

    ai_surface_deployed(s, rest);

    if (s->model.len == 0) {
        s->op = AI_OP_NONE;
        s->dialect = NULL;
        return AI_DECLINED;
    }

    return AI_OK;
}


/* the model, if what was found stands behind one */

static void
ai_surface_deployed(ai_surface_t *s, u_char *start)
{
    size_t   len;
    u_char  *p;

    if (s->dialect != &ai_dialect_openai) {
        return;
    }

    for (p = s->suffix.data; p > start && *(p - 1) != '/'; p--) {
        /* void */
    }

    len = sizeof("/deployments/") - 1;

    if ((size_t) (p - start) >= len
        && memcmp(p - len, "/deployments/", len) == 0)
    {
        s->model.data = p;
        s->model.len = s->suffix.data - p;
    }
}


/* .../model/MODEL/converse; there may be slashes in MODEL, an ARN */

static ai_int_t
ai_surface_converse(ai_surface_t *s, ai_str_t *path)
{
    u_char                  *p, *end, *last;
    const ai_surface_row_t  *row;

    last = path->data + path->len;

    for (row = ai_surface_bedrock_rows; row->op != AI_OP_NONE; row++) {

        if (path->len <= row->suffix.len
            || memcmp(last - row->suffix.len, row->suffix.data,
                      row->suffix.len) != 0)
        {
            continue;
        }

        end = last - row->suffix.len;

        p = ai_surface_last(path->data, end, "/model/",
                            sizeof("/model/") - 1);
        if (p == NULL) {
            continue;
        }

        s->op = row->op;
        s->dialect = row->dialect;
        s->stream = (row->op == AI_OP_CONVERSE_STREAM);
        s->suffix.data = p;
        s->suffix.len = last - p;
        s->model.data = p + sizeof("/model/") - 1;
        s->model.len = end - s->model.data;

        return AI_OK;
    }

    return AI_DECLINED;
}


/* /models/ID, whatever is in the ID */

static ai_int_t
ai_surface_model(ai_surface_t *s, u_char *rest, u_char *last)
{
    size_t  len;

    len = sizeof("/models/") - 1;

    if ((size_t) (last - rest) <= len || memcmp(rest, "/models/", len) != 0) {
        return AI_DECLINED;
    }

    s->op = AI_OP_MODEL;
    s->suffix.data = rest;
    s->suffix.len = last - rest;
    s->model.data = rest + len;
    s->model.len = last - s->model.data;

    return AI_OK;
}


/* a path without any version: the base URL is that of the location */

static ai_int_t
ai_surface_suffix(ai_surface_t *s, ai_str_t *path)
{
    u_char                  *p, *last;
    const ai_surface_row_t  *row;

    last = path->data + path->len;

    for (row = ai_surface_rows; row->op != AI_OP_NONE; row++) {

        if (path->len >= row->suffix.len
            && memcmp(last - row->suffix.len, row->suffix.data,
                      row->suffix.len) == 0)
        {
            (void) ai_surface_row(s, last - row->suffix.len, last);
            ai_surface_deployed(s, path->data);
            return AI_OK;
        }
    }

    if (ai_surface_verb(s, path->data, last) == AI_OK) {
        return AI_OK;
    }

    for (p = path->data; p < last; p++) {
        if (ai_surface_model(s, p, last) == AI_OK) {
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


/*
 * .../models/MODEL:verb after anything (Vertex names project, location and
 * publisher first), or .../tunedModels/MODEL:verb.
 */

static ai_int_t
ai_surface_verb(ai_surface_t *s, u_char *rest, u_char *last)
{
    u_char                   *p, *colon, *model;
    size_t                    len;
    const ai_surface_verb_t  *verb;

    for (colon = last; colon > rest && *(colon - 1) != ':'; colon--) {
        /* void */
    }

    if (colon == rest) {
        return AI_DECLINED;
    }

    len = last - colon;

    for (verb = ai_surface_verbs; verb->op != AI_OP_NONE; verb++) {
        if (len == verb->verb.len
            && memcmp(colon, verb->verb.data, len) == 0)
        {
            break;
        }
    }

    if (verb->op == AI_OP_NONE) {
        return AI_DECLINED;
    }

    colon--;

    p = ai_surface_last(rest, colon, "/models/", sizeof("/models/") - 1);

    if (p != NULL) {
        model = p + sizeof("/models/") - 1;

    } else {
        p = ai_surface_last(rest, colon, "/tunedModels/",
                            sizeof("/tunedModels/") - 1);
        if (p == NULL) {
            return AI_DECLINED;
        }

        model = p + 1;
    }

    s->op = verb->op;
    s->dialect = &ai_dialect_gemini;
    s->stream = (verb->op == AI_OP_STREAM_GENERATE);
    s->suffix.data = p;
    s->suffix.len = last - p;
    s->model.data = model;
    s->model.len = colon - model;

    return AI_OK;
}


/* the last place of a text that something follows, or NULL */

static u_char *
ai_surface_last(u_char *p, u_char *last, const char *text, size_t len)
{
    u_char  *found;

    found = NULL;

    for ( /* void */ ; (size_t) (last - p) > len; p++) {
        if (memcmp(p, text, len) == 0) {
            found = p;
        }
    }

    return found;
}


static ai_int_t
ai_surface_method(ai_surface_t *s, ai_str_t *method)
{
    ai_uint_t  get, head, post;

    get = ai_str_eq(method, "GET");
    head = ai_str_eq(method, "HEAD");
    post = ai_str_eq(method, "POST");

    switch (s->op) {

    case AI_OP_HEALTH:

        if (s->suffix.len == 0 && !head) {
            /* a GET of "/" is a person looking for something else */
            s->op = AI_OP_NONE;
            return AI_DECLINED;
        }

        /* fall through */

    case AI_OP_MODELS:
        return (get || head) ? AI_OK : AI_ERROR;

    case AI_OP_MODEL:

        if (post && memchr(s->model.data, ':', s->model.len) != NULL) {
            /* a verb that is not known here */
            s->op = AI_OP_PASS;
            ai_str_set(&s->model, "");
            return AI_OK;
        }

        return (get || head) ? AI_OK : AI_ERROR;

    case AI_OP_PASS:
        return (get || post || ai_str_eq(method, "DELETE")) ? AI_OK
                                                            : AI_ERROR;

    default:
        return post ? AI_OK : AI_ERROR;
    }
}


/* whose errors and model lists the client understands */

static void
ai_surface_dialect(ai_surface_t *s, ai_uint_t google, ai_uint_t hints)
{
    size_t  len;

    if (s->dialect != NULL) {
        return;
    }

    len = sizeof("/messages/") - 1;

    if ((s->op == AI_OP_PASS && s->suffix.len > len
         && memcmp(s->suffix.data, "/messages/", len) == 0)
        || (hints & AI_HINT_ANTHROPIC_VERSION))
    {
        s->dialect = &ai_dialect_anthropic;
        return;
    }

    if (google || (hints & AI_HINT_GOOG)) {
        s->dialect = &ai_dialect_gemini;
        return;
    }

    s->dialect = &ai_dialect_openai;
}


ai_str_t *
ai_op_name(ai_op_e op)
{
    if ((size_t) op >= sizeof(ai_op_names) / sizeof(ai_op_names[0])) {
        op = AI_OP_NONE;
    }

    return &ai_op_names[op];
}


ai_int_t
ai_model_check(ai_str_t *model)
{
    u_char  *p, *last, ch, prev;

    if (model->len == 0 || model->len > AI_MODEL_MAX
        || model->data[0] == '/' || model->data[model->len - 1] == '/')
    {
        return AI_DECLINED;
    }

    prev = '\0';
    last = model->data + model->len;

    for (p = model->data; p < last; p++) {
        ch = *p;

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
            || (ch >= '0' && ch <= '9') || ch == '_' || ch == ':'
            || ch == '@' || ch == '-')
        {
            prev = ch;
            continue;
        }

        if ((ch != '.' && ch != '/') || ch == prev) {
            return AI_DECLINED;
        }

        prev = ch;
    }

    return AI_OK;
}

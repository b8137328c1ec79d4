
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What follows from a row of the table of vendors: which operation to ask
 * for, and where.
 */


#include "ai_vendor.h"


static const ai_vendor_path_t *ai_vendor_path_find(
    const ai_vendor_path_t *paths, ai_op_e op);
static const char *ai_vendor_template(const ai_vendor_t *v, ai_op_e op,
    ai_uint_t stream);
static size_t ai_vendor_fill(u_char *dst, const char *path,
    const ai_vendor_args_t *args);
static const ai_str_t *ai_vendor_arg(const char *name, size_t len,
    const ai_vendor_args_t *args);
static size_t ai_vendor_escape(u_char *dst, const ai_str_t *s,
    ai_uint_t slash);
static ai_op_e ai_vendor_first(ai_uint_t ops, const ai_op_e *list);


/* behind a base such as "/v1" */

static const ai_vendor_path_t  ai_vendor_paths[] = {

    { AI_OP_CHAT, "/chat/completions", NULL },
    { AI_OP_COMPLETIONS, "/completions", NULL },
    { AI_OP_EMBEDDINGS, "/embeddings", NULL },
    { AI_OP_RESPONSES, "/responses", NULL },
    { AI_OP_MESSAGES, "/messages", NULL },
    { AI_OP_COUNT_TOKENS, "/messages/count_tokens", NULL },
    { AI_OP_GENERATE, "/models/{model/}:generateContent",
      "/models/{model/}:streamGenerateContent?alt=sse" },
    { AI_OP_STREAM_GENERATE, "/models/{model/}:streamGenerateContent?alt=sse",
      NULL },
    { AI_OP_GEMINI_COUNT_TOKENS, "/models/{model/}:countTokens", NULL },
    { AI_OP_EMBED_CONTENT, "/models/{model/}:embedContent", NULL },
    { AI_OP_BATCH_EMBED_CONTENTS, "/models/{model/}:batchEmbedContents",
      NULL },
    { AI_OP_COHERE_CHAT, "/chat", NULL },
    { AI_OP_COHERE_EMBED, "/embed", NULL },
    { AI_OP_CONVERSE, "/model/{model}/converse",
      "/model/{model}/converse-stream" },
    { AI_OP_CONVERSE_STREAM, "/model/{model}/converse-stream", NULL },
    { AI_OP_OLLAMA_CHAT, "/api/chat", NULL },
    { AI_OP_OLLAMA_EMBED, "/api/embed", NULL },
    { AI_OP_PREDICT, "/models/{model/}:predict", NULL },

    { AI_OP_NONE, NULL, NULL }
};


/* the best way to ask for an answer, or for vectors, first */

static const ai_op_e  ai_vendor_chats[] = {
    AI_OP_CHAT, AI_OP_RESPONSES, AI_OP_MESSAGES, AI_OP_GENERATE,
    AI_OP_COHERE_CHAT, AI_OP_CONVERSE, AI_OP_OLLAMA_CHAT, AI_OP_NONE
};

static const ai_op_e  ai_vendor_embeds[] = {
    AI_OP_EMBEDDINGS, AI_OP_BATCH_EMBED_CONTENTS, AI_OP_PREDICT,
    AI_OP_COHERE_EMBED, AI_OP_OLLAMA_EMBED, AI_OP_NONE
};


const ai_vendor_t *
ai_vendor_find(const ai_str_t *name)
{
    const ai_vendor_t  *v;

    for (v = ai_vendors; v->name.len != 0; v++) {

        if (v->name.len == name->len
            && memcmp(v->name.data, name->data, name->len) == 0)
        {
            return v;
        }
    }

    return NULL;
}


const ai_vendor_t *
ai_vendor_generic(const ai_dialect_t *dialect)
{
    size_t              len;
    const ai_vendor_t  *v;

    for (v = ai_vendor_generics; v->dialect != NULL; v++) {
        len = strlen(v->dialect);

        if (dialect->name.len == len
            && memcmp(dialect->name.data, v->dialect, len) == 0)
        {
            return v;
        }
    }

    return &ai_vendor_generics[0];
}


ai_uint_t
ai_vendor_ops(const ai_vendor_t *v, const ai_dialect_t *d)
{
    return v->ops ? v->ops : d->ops;
}


ai_op_e
ai_vendor_op(const ai_vendor_t *v, const ai_dialect_t *d, ai_op_e op,
    ai_uint_t stream)
{
    ai_op_e    to;
    ai_uint_t  ops;

    ops = ai_vendor_ops(v, d);

    /* asked for by the body of its dialect, but not taken as it is */

    if (v->flags & AI_VENDOR_BEDROCK_CLAUDE) {
        ops |= 1 << AI_OP_MESSAGES;
    }

    switch (op) {

    case AI_OP_CHAT:
    case AI_OP_RESPONSES:
    case AI_OP_MESSAGES:
    case AI_OP_GENERATE:
    case AI_OP_STREAM_GENERATE:
    case AI_OP_COHERE_CHAT:
    case AI_OP_CONVERSE:
    case AI_OP_CONVERSE_STREAM:
        to = ai_vendor_first(ops, ai_vendor_chats);
        break;

    case AI_OP_EMBEDDINGS:
    case AI_OP_EMBED_CONTENT:
    case AI_OP_BATCH_EMBED_CONTENTS:
    case AI_OP_COHERE_EMBED:
        if (v->flags & AI_VENDOR_EMBED_PREDICT) {
            return AI_OP_PREDICT;
        }

        return ai_vendor_first(ops, ai_vendor_embeds);

    default:
        return AI_OP_NONE;
    }

    if (stream && to == AI_OP_GENERATE) {
        return AI_OP_STREAM_GENERATE;
    }

    if (stream && to == AI_OP_CONVERSE) {
        return AI_OP_CONVERSE_STREAM;
    }

    return to;
}


static ai_op_e
ai_vendor_first(ai_uint_t ops, const ai_op_e *list)
{
    while (*list != AI_OP_NONE && !(ops & ((ai_uint_t) 1 << *list))) {
        list++;
    }

    return *list;
}


size_t
ai_vendor_path_len(const ai_vendor_t *v, const ai_dialect_t *d, ai_op_e op,
    ai_uint_t stream, const ai_vendor_args_t *args)
{
    const char  *path;

    path = ai_vendor_template(v, op, stream);

    return path ? ai_vendor_fill(NULL, path, args) : 0;
}


u_char *
ai_vendor_path(u_char *dst, const ai_vendor_t *v, const ai_dialect_t *d,
    ai_op_e op, ai_uint_t stream, const ai_vendor_args_t *args)
{
    const char  *path;

    path = ai_vendor_template(v, op, stream);

    return path ? dst + ai_vendor_fill(dst, path, args) : dst;
}


static const char *
ai_vendor_template(const ai_vendor_t *v, ai_op_e op, ai_uint_t stream)
{
    const ai_vendor_path_t  *path;

    path = ai_vendor_path_find(v->paths, op);

    if (path == NULL) {
        path = ai_vendor_path_find(ai_vendor_paths, op);
    }

    if (path == NULL) {
        return NULL;
    }

    return (stream && path->stream != NULL) ? path->stream : path->path;
}


static const ai_vendor_path_t *
ai_vendor_path_find(const ai_vendor_path_t *paths, ai_op_e op)
{
    for ( /* void */ ; paths != NULL && paths->op != AI_OP_NONE; paths++) {
        if (paths->op == op) {
            return paths;
        }
    }

    return NULL;
}


/* writes nothing, only counts, if dst is NULL */

static size_t
ai_vendor_fill(u_char *dst, const char *path, const ai_vendor_args_t *args)
{
    size_t           n;
    ai_uint_t        slash;
    const char      *brace;
    const ai_str_t  *arg;

    n = 0;

    while (*path != '\0') {

        brace = (*path == '{') ? strchr(path, '}') : NULL;

        if (brace == NULL) {

            if (dst != NULL) {
                dst[n] = (u_char) *path;
            }

            n++;
            path++;
            continue;
        }

        slash = (brace[-1] == '/');
        arg = ai_vendor_arg(path + 1, brace - path - 1 - slash, args);

        n += ai_vendor_escape(dst ? dst + n : NULL, arg, slash);

        path = brace + 1;
    }

    return n;
}


static const ai_str_t *
ai_vendor_arg(const char *name, size_t len, const ai_vendor_args_t *args)
{
    if (len == 7 && memcmp(name, "project", 7) == 0) {
        return &args->project;
    }

    if (len == 7 && memcmp(name, "version", 7) == 0) {
        return &args->version;
    }

    if (len == 6 && memcmp(name, "region", 6) == 0) {
        return &args->region;
    }

    return &args->model;
}


/* "@" is no less a part of a segment, and Vertex has it in names */

static size_t
ai_vendor_escape(u_char *dst, const ai_str_t *s, ai_uint_t slash)
{
    u_char  ch;
    size_t  i, n;

    n = 0;

    for (i = 0; i < s->len; i++) {
        ch = s->data[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
            || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_'
            || ch == '.' || ch == '~' || ch == '@' || (ch == '/' && slash))
        {
            if (dst != NULL) {
                dst[n] = ch;
            }

            n++;
            continue;
        }

        if (dst != NULL) {
            dst[n] = '%';
            dst[n + 1] = (u_char) "0123456789ABCDEF"[ch >> 4];
            dst[n + 2] = (u_char) "0123456789ABCDEF"[ch & 0xf];
        }

        n += 3;
    }

    return n;
}

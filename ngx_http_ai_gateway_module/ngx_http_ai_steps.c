
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What happens to a request between its last byte and the first attempt.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_INTEGER_LEN  9


static ngx_int_t ngx_http_ai_step_body(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_step_understand(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_step_route(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_step_translate(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_step_credential(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_step_attempt(ngx_http_ai_ctx_t *ctx);

static ngx_int_t ngx_http_ai_refuse(ngx_http_ai_ctx_t *ctx, ai_error_e error,
    const char *param, const char *fmt, ...);
static ngx_int_t ngx_http_ai_json_type(ngx_http_request_t *r);
static ngx_int_t ngx_http_ai_inflate(ngx_http_ai_ctx_t *ctx,
    ai_inflate_kind_e kind);
static ai_int_t ngx_http_ai_member(void *data, ai_json_t *name,
    ai_json_t *value);
static ngx_int_t ngx_http_ai_check_fields(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_integer(ai_json_t *v);
static ngx_int_t ngx_http_ai_take_model(ngx_http_ai_ctx_t *ctx);


ngx_http_ai_step_pt  ngx_http_ai_steps[] = {
    ngx_http_ai_step_body,
    ngx_http_ai_step_understand,
    ngx_http_ai_step_route,
    ngx_http_ai_step_translate,
    ngx_http_ai_step_credential,
    ngx_http_ai_step_attempt,
    NULL
};


/* the body in one piece, decoded; what is opaque stays where it is */

static ngx_int_t
ngx_http_ai_step_body(ngx_http_ai_ctx_t *ctx)
{
    ngx_int_t            json;
    ai_inflate_kind_e    kind;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    r = ctx->request;
    kind = AI_INFLATE_NONE;
    json = ngx_http_ai_json_type(r);

    h = ctx->known.content_encoding;

    if (h) {
        kind = ai_inflate_kind(ngx_http_ai_str(&h->value));
    }

    if (kind == AI_INFLATE_UNKNOWN) {
        return ngx_http_ai_refuse(ctx, AI_ERR_ENCODING, NULL,
                                  "Content-Encoding \"%V\" is not supported, "
                                  "use gzip, deflate or none", &h->value);
    }

    if (ctx->opaque && json != NGX_OK) {
        ctx->record.request_bytes = r->request_length;

        if (kind != AI_INFLATE_NONE) {
            return ngx_http_ai_refuse(ctx, AI_ERR_ENCODING, NULL,
                                      "compressed bodies are supported for "
                                      "JSON only");
        }

        return NGX_OK;
    }

    if (json == NGX_DECLINED) {
        return ngx_http_ai_refuse(ctx, AI_ERR_MEDIA_TYPE, NULL,
                                  "Content-Type must be application/json");
    }

    if (ngx_http_ai_request_body(r, &ctx->body) != NGX_OK) {
        ctx->error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    ctx->record.request_bytes = ctx->body.len;

    if (kind != AI_INFLATE_NONE && ctx->body.len) {
        return ngx_http_ai_inflate(ctx, kind);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_refuse(ngx_http_ai_ctx_t *ctx, ai_error_e error,
    const char *param, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    ctx->error = error;

    if (param) {
        ctx->param.data = (u_char *) param;
        ctx->param.len = ngx_strlen(param);
    }

    p = ngx_pnalloc(ctx->request->pool, NGX_HTTP_AI_MESSAGE_LEN);

    if (p) {
        ctx->message.data = p;

        va_start(args, fmt);
        ctx->message.len = ngx_vslprintf(p, p + NGX_HTTP_AI_MESSAGE_LEN, fmt,
                                         args)
                           - p;
        va_end(args);
    }

    return NGX_ERROR;
}


/* NGX_OK: JSON; NGX_AGAIN: it does not say; NGX_DECLINED: something else */

static ngx_int_t
ngx_http_ai_json_type(ngx_http_request_t *r)
{
    u_char     *p, *last;
    ngx_str_t  *type;

    if (r->headers_in.content_type == NULL
        || r->headers_in.content_type->value.len == 0)
    {
        return NGX_AGAIN;
    }

    type = &r->headers_in.content_type->value;

    p = type->data;
    last = ngx_strlchr(p, p + type->len, ';');

    if (last == NULL) {
        last = p + type->len;
    }

    while (last > p && last[-1] == ' ') {
        last--;
    }

    if (last - p == 16
        && ngx_strncasecmp(p, (u_char *) "application/json", 16) == 0)
    {
        return NGX_OK;
    }

    if (last - p > 5
        && ngx_strncasecmp(last - 5, (u_char *) "+json", 5) == 0)
    {
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_ai_inflate(ngx_http_ai_ctx_t *ctx, ai_inflate_kind_e kind)
{
    off_t                      cap;
    size_t                     size;
    u_char                    *in, *out, *buf, *p;
    ai_int_t                   rc;
    ai_inflate_t               z;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = ctx->request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* the limit that counts for a body as it comes counts for what it is */

    cap = clcf->client_max_body_size ? clcf->client_max_body_size
                                     : (off_t) NGX_MAX_SIZE_T_VALUE;

    size = ngx_min((off_t) ctx->body.len * 4 + 1024, cap);

    buf = ngx_palloc(r->pool, size);
    if (buf == NULL) {
        ctx->error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    ai_inflate_init(&z, kind, (size_t) cap, &ctx->alloc);

    in = ctx->body.data;
    out = buf;

    for ( ;; ) {
        rc = ai_inflate_run(&z, &in, ctx->body.data + ctx->body.len, &out,
                            buf + size);

        if (rc != AI_OK) {
            break;
        }

        p = ngx_palloc(r->pool, size * 2);
        if (p == NULL) {
            break;
        }

        ngx_memcpy(p, buf, out - buf);
        out = p + (out - buf);
        (void) ngx_pfree(r->pool, buf);

        buf = p;
        size *= 2;
    }

    ai_inflate_end(&z);

    if (rc == AI_DONE) {
        ctx->body.data = buf;
        ctx->body.len = out - buf;
        return NGX_OK;
    }

    if (rc == AI_ERROR && z.total >= (size_t) cap) {
        ctx->error = AI_ERR_TOO_LARGE;
        return NGX_ERROR;
    }

    return ngx_http_ai_refuse(ctx, AI_ERR_BAD_REQUEST, NULL,
                              "the compressed body is %s",
                              rc == AI_AGAIN ? "truncated" : "corrupt");
}


static ngx_int_t
ngx_http_ai_step_understand(ngx_http_ai_ctx_t *ctx)
{
    ai_int_t               rc;
    ai_json_error_t        err;
    ngx_http_ai_fields_t  *f;

    f = &ctx->fields;

    if (ctx->surface.stream) {
        f->wants_stream = 1;
    }

    if (ctx->opaque && ctx->body.len == 0) {
        return ngx_http_ai_take_model(ctx);
    }

    rc = ai_json_scan(ctx->body.data, ctx->body.len, NULL, &ctx->alloc,
                      ngx_http_ai_member, f, &f->root, &err);

    if (rc == AI_ERROR) {
        ctx->error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    if (rc != AI_OK) {
        return ngx_http_ai_refuse(ctx, AI_ERR_INVALID_JSON, NULL,
                                  "the request body is not valid JSON: %s at "
                                  "byte %uz", err.reason, err.offset);
    }

    if (f->root.type != AI_JSON_OBJECT) {
        return ngx_http_ai_refuse(ctx, AI_ERR_BAD_REQUEST, NULL,
                                  "the request body must be a JSON object");
    }

    if (ngx_http_ai_check_fields(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->record.stream = f->wants_stream;

    return ngx_http_ai_take_model(ctx);
}


static ai_int_t
ngx_http_ai_member(void *data, ai_json_t *name, ai_json_t *value)
{
    ngx_http_ai_fields_t  *f = data;

    if (ai_json_name_eq(name, "model")) {
        f->model = *value;
        f->has_model = 1;

    } else if (ai_json_name_eq(name, "stream")) {
        f->stream = *value;
        f->has_stream = 1;

    } else if (ai_json_name_eq(name, "stream_options")) {
        f->stream_options = *value;
        f->has_stream_options = 1;

    } else if (ai_json_name_eq(name, "tools")) {
        f->tools = *value;
        f->has_tools = 1;

    } else if (ai_json_name_eq(name, "messages")
               || ai_json_name_eq(name, "contents")
               || ai_json_name_eq(name, "input"))
    {
        f->messages = *value;
        f->has_messages = 1;

    } else if (ai_json_name_eq(name, "max_tokens")
               || ai_json_name_eq(name, "max_completion_tokens")
               || ai_json_name_eq(name, "max_output_tokens"))
    {
        f->max_tokens = *value;
        f->has_max_tokens = 1;
    }

    return AI_OK;
}


/* members that we act on must be what they seem */

static ngx_int_t
ngx_http_ai_check_fields(ngx_http_ai_ctx_t *ctx)
{
    ai_json_t              v;
    ngx_http_ai_fields_t  *f;

    f = &ctx->fields;

    if (f->has_stream && f->stream.type != AI_JSON_NULL) {

        if (f->stream.type != AI_JSON_TRUE && f->stream.type != AI_JSON_FALSE)
        {
            return ngx_http_ai_refuse(ctx, AI_ERR_BAD_REQUEST, "stream",
                                      "\"stream\" must be true or false");
        }

        /* some stream by path, a member of that name is the client's error */

        if (ai_json_is_true(&f->stream)
            && ctx->surface.op != AI_OP_GENERATE
            && ctx->surface.op != AI_OP_CONVERSE)
        {
            f->wants_stream = 1;
        }
    }

    if (f->has_stream_options && f->stream_options.type != AI_JSON_NULL) {

        if (f->stream_options.type != AI_JSON_OBJECT) {
            return ngx_http_ai_refuse(ctx, AI_ERR_BAD_REQUEST,
                                      "stream_options",
                                      "\"stream_options\" must be an object");
        }

        if (ai_json_get(&f->stream_options, "include_usage", &v) == AI_OK) {
            f->wants_usage = ai_json_is_true(&v);
        }
    }

    if (f->has_max_tokens && f->max_tokens.type != AI_JSON_NULL
        && ngx_http_ai_integer(&f->max_tokens) != NGX_OK)
    {
        return ngx_http_ai_refuse(ctx, AI_ERR_BAD_REQUEST, "max_tokens",
                                  "the maximum of tokens must be "
                                  "a positive integer");
    }

    return NGX_OK;
}


/* digits only, and not so many that some provider reads another number */

static ngx_int_t
ngx_http_ai_integer(ai_json_t *v)
{
    u_char  *p;

    if (v->type != AI_JSON_NUMBER
        || v->end - v->start > NGX_HTTP_AI_INTEGER_LEN)
    {
        return NGX_ERROR;
    }

    for (p = v->start; p < v->end; p++) {
        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* from the path or from the body, fit for URLs and logs */

static ngx_int_t
ngx_http_ai_take_model(ngx_http_ai_ctx_t *ctx)
{
    ai_str_t     raw;
    ai_str_t    *model;
    ai_json_t   *v;

    model = &ctx->record.model_requested;
    v = &ctx->fields.model;

    if (ctx->surface.model.len) {
        *model = ctx->surface.model;

    } else if (ctx->fields.has_model && v->type == AI_JSON_STRING) {
        raw = ai_json_str_raw(v);

        if (raw.len > AI_TAP_MODEL_LEN * 6) {
            raw.len = AI_TAP_MODEL_LEN * 6;
            goto invalid;
        }

        model->data = ngx_pnalloc(ctx->request->pool, raw.len + 1);
        if (model->data == NULL) {
            ctx->error = AI_ERR_INTERNAL;
            return NGX_ERROR;
        }

        model->len = ai_json_str_decode(v, model->data);

    } else if (ctx->opaque && !ctx->fields.has_model) {
        return NGX_OK;

    } else {
        return ngx_http_ai_refuse(ctx, AI_ERR_BAD_REQUEST, "model",
                                  "\"model\" is required and must be "
                                  "a string");
    }

    if (ai_model_check(model) == AI_OK) {
        return NGX_OK;
    }

invalid:

    ai_str_set(model, "");

    return ngx_http_ai_refuse(ctx, AI_ERR_INVALID_MODEL, "model",
                              "\"model\" must be 1 to 128 characters of "
                              "A-Z a-z 0-9 . _ : / @ -");
}


static ngx_int_t
ngx_http_ai_step_route(ngx_http_ai_ctx_t *ctx)
{
    ngx_int_t                rc;
    ngx_http_ai_provider_t  *p;

    rc = ngx_http_ai_route(ctx);

    if (rc != NGX_OK) {

        if (ctx->error != AI_ERR_NONE) {
            return NGX_ERROR;
        }

        return ngx_http_ai_refuse(ctx, AI_ERR_MODEL_NOT_FOUND, "model",
                                  "the model \"%V\" is not configured, "
                                  "GET models lists what is",
                                  ngx_http_ai_ngx(
                                       &ctx->record.model_requested));
    }

    p = ctx->target.provider;

    ctx->record.provider = *ngx_http_ai_str(&p->name);
    ctx->record.model_upstream = *ngx_http_ai_str(&ctx->target.model);

    if (ctx->tier) {
        ctx->record.model = *ngx_http_ai_str(&ctx->tier->name);
    }

    if (ngx_http_ai_hub_target(ctx) == NGX_OK
        || ctx->surface.op == AI_OP_COUNT_TOKENS
        || ctx->surface.op == AI_OP_GEMINI_COUNT_TOKENS)
    {
        return NGX_OK;
    }

    return ngx_http_ai_refuse(ctx, AI_ERR_UNSUPPORTED, NULL,
                              "the provider \"%V\" speaks the %V dialect, "
                              "which has no %V", &p->name,
                              ngx_http_ai_ngx(&p->dialect->name),
                              ngx_http_ai_ngx(&ctx->record.op));
}


/* for a target that speaks another dialect */

static ngx_int_t
ngx_http_ai_step_translate(ngx_http_ai_ctx_t *ctx)
{
    ngx_str_t  body;

    if (!ctx->translated) {
        return NGX_OK;
    }

    if (ctx->op != AI_OP_NONE) {
        return ngx_http_ai_hub_render(ctx);
    }

    if (ngx_http_ai_hub_count(ctx, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_ai_reply_document(ctx, NGX_HTTP_OK, &body);

    return NGX_DONE;
}


/* some must be changed for a token first, which may take a while */

static ngx_int_t
ngx_http_ai_step_credential(ngx_http_ai_ctx_t *ctx)
{
    if (ctx->credential == NULL) {
        ctx->credential = ngx_http_ai_credential(ctx->target.provider);
    }

    if (ctx->credential == NULL || ctx->credential->token == NULL) {
        return NGX_OK;
    }

    return ngx_http_ai_token_get(ctx);
}


static ngx_int_t
ngx_http_ai_step_attempt(ngx_http_ai_ctx_t *ctx)
{
    if (ngx_http_ai_attempt_start(ctx) != NGX_OK) {
        ctx->error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    return NGX_DONE;
}

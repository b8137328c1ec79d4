
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What is answered from the configuration, without a provider: the lists of
 * models, health, CORS.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"
#include "ai_models.h"


static void ngx_http_ai_models(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_models_add(ngx_http_ai_ctx_t *ctx,
    ngx_array_t *models, ngx_http_ai_tier_t *tier);
static ngx_int_t ngx_http_ai_models_push(ngx_http_ai_ctx_t *ctx,
    ngx_array_t *models, ngx_str_t *name, ngx_http_ai_tier_t *tier);
static void ngx_http_ai_model(ngx_http_ai_ctx_t *ctx);
static ai_models_shape_e ngx_http_ai_models_shape(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_health(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_preflight(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_origin(ngx_http_ai_ctx_t *ctx,
    ngx_str_t *origin);


void
ngx_http_ai_local(ngx_http_ai_ctx_t *ctx)
{
    switch (ctx->surface.op) {

    case AI_OP_MODELS:
        ngx_http_ai_models(ctx);
        return;

    case AI_OP_MODEL:
        ngx_http_ai_model(ctx);
        return;

    case AI_OP_HEALTH:
        ngx_http_ai_health(ctx);
        return;

    case AI_OP_PREFLIGHT:
        ngx_http_ai_preflight(ctx);
        return;

    default:
        ngx_http_ai_fail(ctx, AI_ERR_NOT_FOUND);
    }
}


static void
ngx_http_ai_models(ngx_http_ai_ctx_t *ctx)
{
    ai_str_t              out;
    ngx_uint_t            i;
    ngx_array_t           models;
    ai_models_shape_e     shape;
    ngx_http_ai_tier_t  **tier;

    /* Codex keeps its own list for as long as the tag stays */

    static ngx_str_t  etag = ngx_string("\"" NGX_HTTP_AI_VERSION "\"");

    shape = ngx_http_ai_models_shape(ctx);
    tier = ctx->mcf->tiers.elts;

    if (ngx_array_init(&models, ctx->request->pool, 8, sizeof(ai_model_t))
        != NGX_OK)
    {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return;
    }

    for (i = 0; i < ctx->mcf->tiers.nelts; i++) {
        if (ngx_http_ai_models_add(ctx, &models, tier[i]) != NGX_OK) {
            ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
            return;
        }
    }

    if (ai_models_list(shape, models.elts, models.nelts, &ctx->alloc, &out)
        != AI_OK
        || (shape == AI_MODELS_CODEX
            && ngx_http_ai_reply_header(ctx->request, "etag", &etag)
               != NGX_OK))
    {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return;
    }

    ngx_http_ai_reply_document(ctx, NGX_HTTP_OK, ngx_http_ai_ngx(&out));
}


/* those aliases that are names; the first is that of the tier itself */

static ngx_int_t
ngx_http_ai_models_add(ngx_http_ai_ctx_t *ctx, ngx_array_t *models,
    ngx_http_ai_tier_t *tier)
{
    ngx_str_t            *name;
    ngx_uint_t            i;
    ngx_http_ai_alias_t  *alias;

    alias = tier->aliases.elts;

    for (i = 0; i < tier->aliases.nelts; i++) {
        name = &alias[i].pattern;

        if (name->data[0] == '~' || name->data[name->len - 1] == '*') {
            continue;
        }

        if (ngx_http_ai_models_push(ctx, models, name, tier) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_models_push(ngx_http_ai_ctx_t *ctx, ngx_array_t *models,
    ngx_str_t *name, ngx_http_ai_tier_t *tier)
{
    ai_model_t            *m;
    ngx_http_ai_target_t  *target;

    m = ngx_array_push(models);
    if (m == NULL) {
        return NGX_ERROR;
    }

    target = tier->targets.elts;

    m->id = *ngx_http_ai_str(name);
    m->owned_by = *ngx_http_ai_str(&target[0].provider->name);
    m->created = ctx->mcf->loaded;

    return NGX_OK;
}


static void
ngx_http_ai_model(ngx_http_ai_ctx_t *ctx)
{
    ai_str_t             out;
    ai_model_t           m;
    ngx_str_t           *name;
    ngx_array_t          found;
    ngx_http_ai_tier_t  *tier;

    name = ngx_http_ai_ngx(&ctx->surface.model);
    tier = ai_pattern_find(ctx->mcf->names, &ctx->surface.model);

    if (tier == NULL || ai_model_check(&ctx->surface.model) != AI_OK) {
        ngx_http_ai_fail(ctx, AI_ERR_MODEL_NOT_FOUND);
        return;
    }

    if (ngx_array_init(&found, ctx->request->pool, 1, sizeof(ai_model_t))
        != NGX_OK
        || ngx_http_ai_models_push(ctx, &found, name, tier) != NGX_OK)
    {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return;
    }

    m = *(ai_model_t *) found.elts;

    if (ai_models_one(ngx_http_ai_models_shape(ctx), &m, &ctx->alloc, &out)
        != AI_OK)
    {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return;
    }

    ngx_http_ai_reply_document(ctx, NGX_HTTP_OK, ngx_http_ai_ngx(&out));
}


static ai_models_shape_e
ngx_http_ai_models_shape(ngx_http_ai_ctx_t *ctx)
{
    if (ctx->hints & AI_HINT_CODEX) {
        return AI_MODELS_CODEX;
    }

    if (ctx->hints & AI_HINT_ANTHROPIC_VERSION) {
        return AI_MODELS_ANTHROPIC;
    }

    return (ctx->hints & AI_HINT_GOOG) ? AI_MODELS_GEMINI : AI_MODELS_OPENAI;
}


static void
ngx_http_ai_health(ngx_http_ai_ctx_t *ctx)
{
    static ngx_str_t  ok = ngx_string("{\"status\":\"ok\"}");

    ngx_http_ai_reply_document(ctx, NGX_HTTP_OK, &ok);
}


static void
ngx_http_ai_preflight(ngx_http_ai_ctx_t *ctx)
{
    u_char              *p;
    ngx_int_t            rc;
    ngx_str_t            origin, age;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    static ngx_str_t  methods = ngx_string("GET, POST, DELETE, OPTIONS");

    r = ctx->request;

    if (ngx_http_ai_origin(ctx, &origin) != NGX_OK) {
        ngx_http_ai_fail(ctx, AI_ERR_FORBIDDEN);
        return;
    }

    rc = ngx_http_ai_reply_header(r, "access-control-allow-methods",
                                  &methods);

    h = ngx_http_ai_header_in(r, "access-control-request-headers");

    if (rc == NGX_OK && h) {
        rc = ngx_http_ai_reply_header(r, "access-control-allow-headers",
                                      &h->value);
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN);

    if (rc != NGX_OK || p == NULL) {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return;
    }

    age.data = p;
    age.len = ngx_sprintf(p, "%T", ctx->lcf->cors_max_age) - p;

    if (ngx_http_ai_reply_header(r, "access-control-max-age", &age)
        != NGX_OK)
    {
        ngx_http_ai_fail(ctx, AI_ERR_INTERNAL);
        return;
    }

    r->header_only = 1;

    rc = ngx_http_ai_reply_commit(ctx, NGX_HTTP_NO_CONTENT, 0);

    ngx_http_ai_finish(ctx, rc == NGX_ERROR ? NGX_ERROR : NGX_OK);
}


/* the Origin of the request, if it is one that may read our answers */

static ngx_int_t
ngx_http_ai_origin(ngx_http_ai_ctx_t *ctx, ngx_str_t *origin)
{
    ngx_str_t        *allowed;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    if (ctx->lcf->cors == NULL) {
        return NGX_DECLINED;
    }

    h = ctx->known.origin;

    if (h == NULL) {
        return NGX_DECLINED;
    }

    allowed = ctx->lcf->cors->elts;

    for (i = 0; i < ctx->lcf->cors->nelts; i++) {

        if ((allowed[i].len == 1 && allowed[i].data[0] == '*')
            || (allowed[i].len == h->value.len
                && ngx_strncasecmp(allowed[i].data, h->value.data,
                                   h->value.len)
                   == 0))
        {
            *origin = h->value;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_ai_cors(ngx_http_ai_ctx_t *ctx)
{
    ngx_str_t            origin;
    ngx_http_request_t  *r;

    static ngx_str_t  vary = ngx_string("Origin");
    static ngx_str_t  expose = ngx_string(
        "x-request-id, request-id, retry-after, x-should-retry, "
        "x-ai-model, x-ai-upstream-model, x-ai-provider, x-ai-attempts, "
        "server-timing");

    r = ctx->request;

    if (ctx->lcf->cors == NULL) {
        return NGX_OK;
    }

    if (ngx_http_ai_reply_header(r, "vary", &vary) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_ai_origin(ctx, &origin) != NGX_OK) {
        return NGX_OK;
    }

    if (ngx_http_ai_reply_header(r, "access-control-allow-origin", &origin)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_ai_reply_header(r, "access-control-expose-headers",
                                    &expose);
}

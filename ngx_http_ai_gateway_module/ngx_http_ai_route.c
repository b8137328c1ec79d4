
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the name of a model means: a tier, or a provider and its model.
 * Only the configuration names hosts, a client never does.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


static ngx_int_t ngx_http_ai_route_tier(ngx_http_ai_ctx_t *ctx,
    ngx_http_ai_tier_t *tier);
static ngx_int_t ngx_http_ai_route_explicit(ngx_http_ai_ctx_t *ctx,
    ngx_str_t *model);
static ngx_int_t ngx_http_ai_route_implicit(ngx_http_ai_ctx_t *ctx,
    ngx_str_t *model);


/*
 * In this order: the tier that ai_route says; the tier of that name or
 * alias; "PROVIDER/MODEL"; the default tier; and, when no tier is declared
 * at all, the first provider that speaks as the client does.
 */

ngx_int_t
ngx_http_ai_route(ngx_http_ai_ctx_t *ctx)
{
    ngx_str_t            name, *model;
    ngx_http_ai_tier_t  *tier;

    model = ngx_http_ai_ngx(&ctx->record.model_requested);

    if (ctx->lcf->route) {

        if (ngx_http_complex_value(ctx->request, ctx->lcf->route, &name)
            != NGX_OK)
        {
            ctx->error = AI_ERR_INTERNAL;
            return NGX_ERROR;
        }

        if (name.len) {
            tier = ngx_http_ai_tier_find(ctx->mcf, &name);

            if (tier == NULL) {
                ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                              "ai_route gave the unknown ai_tier \"%V\"",
                              &name);
                ctx->error = AI_ERR_NO_TARGET;
                return NGX_ERROR;
            }

            return ngx_http_ai_route_tier(ctx, tier);
        }
    }

    if (model->len) {
        tier = ai_pattern_find(ctx->mcf->names, ngx_http_ai_str(model));

        if (tier) {
            return ngx_http_ai_route_tier(ctx, tier);
        }

        if (ngx_http_ai_route_explicit(ctx, model) == NGX_OK) {
            return NGX_OK;
        }
    }

    if (ctx->mcf->default_tier) {
        return ngx_http_ai_route_tier(ctx, ctx->mcf->default_tier);
    }

    if (ctx->mcf->tiers.nelts == 0 || model->len == 0) {
        return ngx_http_ai_route_implicit(ctx, model);
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_ai_route_tier(ngx_http_ai_ctx_t *ctx, ngx_http_ai_tier_t *tier)
{
    ngx_http_ai_target_t  *target;

    target = tier->targets.elts;

    ctx->tier = tier;
    ctx->target = target[0];

    /* what names no model, a list of files, is about none */

    if ((target[0].model.len == 1 && target[0].model.data[0] == '*')
        || ctx->record.model_requested.len == 0)
    {
        ctx->target.model = *ngx_http_ai_ngx(&ctx->record.model_requested);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_route_explicit(ngx_http_ai_ctx_t *ctx, ngx_str_t *model)
{
    u_char                  *p;
    ngx_str_t                name;
    ngx_http_ai_provider_t  *provider;

    p = ngx_strlchr(model->data, model->data + model->len, '/');

    if (p == NULL) {
        return NGX_DECLINED;
    }

    name.data = model->data;
    name.len = p - model->data;

    provider = ngx_http_ai_provider_find(ctx->mcf, &name);

    if (provider == NULL) {
        return NGX_DECLINED;
    }

    ctx->target.name = *model;
    ctx->target.provider = provider;
    ctx->target.model.data = p + 1;
    ctx->target.model.len = model->data + model->len - (p + 1);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_route_implicit(ngx_http_ai_ctx_t *ctx, ngx_str_t *model)
{
    ngx_uint_t                i;
    ngx_http_ai_provider_t  **p;

    p = ctx->mcf->providers.elts;

    for (i = 0; i < ctx->mcf->providers.nelts; i++) {

        if (p[i]->dialect == ctx->surface.dialect) {
            ctx->target.name = p[i]->name;
            ctx->target.provider = p[i];
            ctx->target.model = *model;
            return NGX_OK;
        }
    }

    if (ctx->mcf->providers.nelts == 0) {
        ctx->error = AI_ERR_NO_TARGET;
        ngx_str_set(&ctx->message, "no ai_provider is configured");
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}

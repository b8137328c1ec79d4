
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tiers: what a model name means.  The directives of an ai_tier block, and
 * what is left to do once all blocks are read: targets get their provider,
 * names and aliases of all tiers become one set of patterns.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


static char *ngx_http_ai_tier_alias(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_tier_target(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_tier_default(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_target_link(ngx_conf_t *cf,
    ngx_http_ai_main_conf_t *mcf, ngx_http_ai_target_t *target);
static char *ngx_http_ai_names_link(ngx_conf_t *cf,
    ngx_http_ai_main_conf_t *mcf);
static void ngx_http_ai_names_cleanup(void *data);
static char *ngx_http_ai_alias_link(ngx_conf_t *cf,
    ngx_http_ai_main_conf_t *mcf, ngx_http_ai_tier_t *tier,
    ngx_http_ai_alias_t *alias);
static char *ngx_http_ai_alias_taken(ngx_conf_t *cf,
    ngx_http_ai_tier_t *tier, ngx_http_ai_alias_t *alias,
    ngx_http_ai_tier_t *other);
static char *ngx_http_ai_default_link(ngx_conf_t *cf,
    ngx_http_ai_main_conf_t *mcf);
static char *ngx_http_ai_routes_link(ngx_conf_t *cf,
    ngx_http_ai_main_conf_t *mcf);


static ngx_command_t  ngx_http_ai_tier_commands[] = {

    { ngx_string("alias"),
      NGX_CONF_1MORE,
      ngx_http_ai_tier_alias,
      0,
      0,
      NULL },

    { ngx_string("target"),
      NGX_CONF_1MORE,
      ngx_http_ai_tier_target,
      0,
      0,
      NULL },

    { ngx_string("default"),
      NGX_CONF_NOARGS,
      ngx_http_ai_tier_default,
      0,
      0,
      NULL },

      ngx_null_command
};


char *
ngx_http_ai_tier_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_main_conf_t *mcf = conf;

    ngx_str_t            *value;
    ngx_http_ai_tier_t   *tier, **tp;
    ngx_http_ai_alias_t  *alias;

    value = cf->args->elts;

    if (ai_model_check(ngx_http_ai_str(&value[1])) != AI_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" of an ai_tier, expected the "
                           "name of a model: up to 128 letters, digits and "
                           "\"._:/@-\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    tier = ngx_http_ai_tier_find(mcf, &value[1]);

    if (tier != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate ai_tier \"%V\", the first is in %s:%ui",
                           &tier->name, tier->file, tier->line);
        return NGX_CONF_ERROR;
    }

    tier = ngx_pcalloc(cf->pool, sizeof(ngx_http_ai_tier_t));
    if (tier == NULL) {
        return NGX_CONF_ERROR;
    }

    tier->name = value[1];
    tier->file = cf->conf_file->file.name.data;
    tier->line = cf->conf_file->line;

    if (ngx_array_init(&tier->aliases, cf->pool, 4,
                       sizeof(ngx_http_ai_alias_t))
        != NGX_OK
        || ngx_array_init(&tier->targets, cf->pool, 1,
                          sizeof(ngx_http_ai_target_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    /* the name is the first alias */

    alias = ngx_array_push(&tier->aliases);
    if (alias == NULL) {
        return NGX_CONF_ERROR;
    }

    alias->pattern = tier->name;
    alias->file = tier->file;
    alias->line = tier->line;

    tp = ngx_array_push(&mcf->tiers);
    if (tp == NULL) {
        return NGX_CONF_ERROR;
    }

    *tp = tier;

    if (ngx_http_ai_conf_block(cf, ngx_http_ai_tier_commands, tier,
                               &tier->name)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (tier->targets.nelts == 0) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, tier->file, tier->line,
                               "ai_tier \"%V\" has no \"target\", expected "
                               "\"target PROVIDER/MODEL\"", &tier->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_tier_alias(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_tier_t *tier = conf;

    ngx_str_t            *value;
    ngx_uint_t            i;
    ngx_http_ai_alias_t  *alias;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        alias = ngx_array_push(&tier->aliases);
        if (alias == NULL) {
            return NGX_CONF_ERROR;
        }

        alias->pattern = value[i];
        alias->file = cf->conf_file->file.name.data;
        alias->line = cf->conf_file->line;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_tier_target(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_tier_t *tier = conf;

    u_char                *slash, *last;
    ngx_str_t             *value, model;
    ngx_http_ai_target_t  *target;

    value = cf->args->elts;

    if (cf->args->nelts > 2) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown parameter \"%V\" of \"target\"",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    if (tier->targets.nelts) {
        target = tier->targets.elts;

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "only one \"target\" is supported in this version, "
                           "ai_tier \"%V\" has its own in %s:%ui",
                           &tier->name, target->file, target->line);
        return NGX_CONF_ERROR;
    }

    last = value[1].data + value[1].len;
    slash = ngx_strlchr(value[1].data, last, '/');

    if (slash == NULL || slash == value[1].data || slash + 1 == last) {
        goto invalid;
    }

    model.data = slash + 1;
    model.len = last - model.data;

    if (!(model.len == 1 && model.data[0] == '*')
        && ai_model_check(ngx_http_ai_str(&model)) != AI_OK)
    {
        goto invalid;
    }

    target = ngx_array_push(&tier->targets);
    if (target == NULL) {
        return NGX_CONF_ERROR;
    }

    target->name = value[1];
    target->provider = NULL;
    target->model = model;
    target->file = cf->conf_file->file.name.data;
    target->line = cf->conf_file->line;

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid target \"%V\", expected \"PROVIDER/MODEL\", "
                       "or \"PROVIDER/*\" for the model that the client names",
                       &value[1]);
    return NGX_CONF_ERROR;
}


static char *
ngx_http_ai_tier_default(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_tier_t *tier = conf;

    if (tier->is_default) {
        return "is duplicate";
    }

    tier->is_default = 1;

    return NGX_CONF_OK;
}


ngx_http_ai_tier_t *
ngx_http_ai_tier_find(ngx_http_ai_main_conf_t *mcf, ngx_str_t *name)
{
    ngx_uint_t            i;
    ngx_http_ai_tier_t  **tier;

    tier = mcf->tiers.elts;

    for (i = 0; i < mcf->tiers.nelts; i++) {

        if (tier[i]->name.len == name->len
            && ngx_memcmp(tier[i]->name.data, name->data, name->len) == 0)
        {
            return tier[i];
        }
    }

    return NULL;
}


char *
ngx_http_ai_tiers_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf)
{
    ngx_uint_t             i, k;
    ngx_http_ai_tier_t   **tier;
    ngx_http_ai_target_t  *target;

    tier = mcf->tiers.elts;

    for (i = 0; i < mcf->tiers.nelts; i++) {
        target = tier[i]->targets.elts;

        for (k = 0; k < tier[i]->targets.nelts; k++) {

            if (ngx_http_ai_target_link(cf, mcf, &target[k]) != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }
        }
    }

    if (ngx_http_ai_names_link(cf, mcf) != NGX_CONF_OK
        || ngx_http_ai_default_link(cf, mcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_ai_routes_link(cf, mcf);
}


static char *
ngx_http_ai_target_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf,
    ngx_http_ai_target_t *target)
{
    ngx_str_t                name, hint, *s;
    ngx_uint_t               i;
    ngx_array_t              names;
    ngx_http_ai_provider_t  **p;

    name.data = target->name.data;
    name.len = target->model.data - 1 - name.data;

    target->provider = ngx_http_ai_provider_find(mcf, &name);

    if (target->provider != NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_array_init(&names, cf->temp_pool, 8, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    p = mcf->providers.elts;

    for (i = 0; i < mcf->providers.nelts; i++) {
        s = ngx_array_push(&names);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = p[i]->name;
    }

    hint = ngx_http_ai_conf_nearest(cf, &name, &names);

    ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, target->file, target->line,
                           "unknown ai_provider \"%V\" in target \"%V\"%V",
                           &name, &target->name, &hint);

    return NGX_CONF_ERROR;
}


/* a model name must mean one tier, wherever the tiers are declared */

static char *
ngx_http_ai_names_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf)
{
    ai_alloc_t            *alloc;
    ngx_uint_t             i, k;
    ngx_pool_cleanup_t    *cln;
    ngx_http_ai_tier_t   **tier;
    ngx_http_ai_alias_t   *alias;

    alloc = ngx_palloc(cf->pool, sizeof(ai_alloc_t));
    if (alloc == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_ai_pool_alloc(cf->pool, alloc);

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    mcf->names = ai_pattern_create(alloc);
    if (mcf->names == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_ai_names_cleanup;
    cln->data = mcf->names;

    tier = mcf->tiers.elts;

    for (i = 0; i < mcf->tiers.nelts; i++) {
        alias = tier[i]->aliases.elts;

        for (k = 0; k < tier[i]->aliases.nelts; k++) {

            if (ngx_http_ai_alias_link(cf, mcf, tier[i], &alias[k])
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }
        }
    }

    return NGX_CONF_OK;
}


static void
ngx_http_ai_names_cleanup(void *data)
{
    ai_pattern_free(data);
}


static char *
ngx_http_ai_alias_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf,
    ngx_http_ai_tier_t *tier, ngx_http_ai_alias_t *alias)
{
    ai_pattern_error_t  err;

    switch (ai_pattern_add(mcf->names, ngx_http_ai_str(&alias->pattern), tier,
                           &err))
    {
    case AI_OK:
        return NGX_CONF_OK;

    case AI_DECLINED:
        break;

    default: /* AI_ERROR */
        return NGX_CONF_ERROR;
    }

    if (err.other != NULL) {
        return ngx_http_ai_alias_taken(cf, tier, alias, err.other);
    }

    ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, alias->file, alias->line,
                           "alias \"%V\" of ai_tier \"%V\": %s at offset "
                           "%uz, expected \"name\", \"prefix*\" or "
                           "\"~regex\"",
                           &alias->pattern, &tier->name, err.reason,
                           err.offset);
    return NGX_CONF_ERROR;
}


/* the first alias of a tier is its name */

static char *
ngx_http_ai_alias_taken(ngx_conf_t *cf, ngx_http_ai_tier_t *tier,
    ngx_http_ai_alias_t *alias, ngx_http_ai_tier_t *other)
{
    ngx_uint_t            i;
    ngx_http_ai_alias_t  *taken;

    taken = other->aliases.elts;

    for (i = 0; i + 1 < other->aliases.nelts; i++) {

        if (taken[i].pattern.len == alias->pattern.len
            && ngx_memcmp(taken[i].pattern.data, alias->pattern.data,
                          alias->pattern.len)
               == 0)
        {
            break;
        }
    }

    if (alias == tier->aliases.elts) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, alias->file, alias->line,
                               "name of ai_tier \"%V\" is already taken by "
                               "an alias of \"%V\" at %s:%ui",
                               &tier->name, &other->name, taken[i].file,
                               taken[i].line);
        return NGX_CONF_ERROR;
    }

    ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, alias->file, alias->line,
                           "alias \"%V\" of ai_tier \"%V\" is already "
                           "taken by \"%V\" at %s:%ui",
                           &alias->pattern, &tier->name, &other->name,
                           taken[i].file, taken[i].line);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_ai_default_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf)
{
    ngx_uint_t            i;
    ngx_http_ai_tier_t  **tier;

    tier = mcf->tiers.elts;

    for (i = 0; i < mcf->tiers.nelts; i++) {

        if (!tier[i]->is_default) {
            continue;
        }

        if (mcf->default_tier != NULL) {
            ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, tier[i]->file,
                                   tier[i]->line,
                                   "ai_tier \"%V\" cannot be the \"default\","
                                   " which is already \"%V\" in %s:%ui",
                                   &tier[i]->name, &mcf->default_tier->name,
                                   mcf->default_tier->file,
                                   mcf->default_tier->line);
            return NGX_CONF_ERROR;
        }

        mcf->default_tier = tier[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_routes_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf)
{
    ngx_str_t            *s, hint;
    ngx_uint_t            i, k;
    ngx_array_t           names;
    ngx_http_ai_use_t    *use;
    ngx_http_ai_tier_t  **tier;

    use = mcf->routes.elts;
    tier = mcf->tiers.elts;

    for (i = 0; i < mcf->routes.nelts; i++) {

        if (ngx_http_ai_tier_find(mcf, &use[i].name) != NULL) {
            continue;
        }

        if (ngx_array_init(&names, cf->temp_pool, 8, sizeof(ngx_str_t))
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        for (k = 0; k < mcf->tiers.nelts; k++) {
            s = ngx_array_push(&names);
            if (s == NULL) {
                return NGX_CONF_ERROR;
            }

            *s = tier[k]->name;
        }

        hint = ngx_http_ai_conf_nearest(cf, &use[i].name, &names);

        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, use[i].file, use[i].line,
                               "unknown ai_tier \"%V\" in \"ai_route\"%V",
                               &use[i].name, &hint);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The vendors: a row of a table says where one is, what it speaks and how
 * it takes keys; an ai_provider block that is read is completed from it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


/*
 * A vendor: endpoint is NULL when each customer has one of its own, then
 * example is told.  base replaces the dialect's for endpoints without a
 * path.
 */

typedef struct {
    ngx_str_t     name;
    const char   *dialect;
    const char   *endpoint;
    const char   *base;
    const char   *example;
    ai_auth_e     auth;
    unsigned      keyless:1;      /* needs no key */
} ngx_http_ai_preset_t;


static const ngx_http_ai_preset_t *ngx_http_ai_preset_find(ngx_str_t *name);
static char *ngx_http_ai_provider_vendor(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, const ngx_http_ai_preset_t *preset);
static char *ngx_http_ai_provider_base(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, const ngx_http_ai_preset_t *preset);
static void ngx_http_ai_provider_defaults(ngx_http_ai_provider_t *p);


static const ngx_http_ai_preset_t  ngx_http_ai_presets[] = {

    { ngx_string("openai"), "openai",
      "https://api.openai.com/v1", NULL, NULL,
      AI_AUTH_BEARER, 0 },

    { ngx_string("anthropic"), "anthropic",
      "https://api.anthropic.com/v1", NULL, NULL,
      AI_AUTH_X_API_KEY, 0 },

    { ngx_string("gemini"), "gemini",
      "https://generativelanguage.googleapis.com/v1beta", NULL, NULL,
      AI_AUTH_X_GOOG_API_KEY, 0 },

    { ngx_string("azure"), "openai",
      NULL, "/openai/v1", "https://RESOURCE.openai.azure.com",
      AI_AUTH_API_KEY, 0 },

    { ngx_string("deepseek"), "openai",
      "https://api.deepseek.com/v1", NULL, NULL,
      AI_AUTH_BEARER, 0 },

    { ngx_string("fireworks"), "openai",
      "https://api.fireworks.ai/inference/v1", NULL, NULL,
      AI_AUTH_BEARER, 0 },

    { ngx_string("groq"), "openai",
      "https://api.groq.com/openai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0 },

    { ngx_string("mistral"), "openai",
      "https://api.mistral.ai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0 },

    { ngx_string("ollama"), "openai",
      "http://127.0.0.1:11434/v1", NULL, NULL,
      AI_AUTH_BEARER, 1 },

    { ngx_string("openrouter"), "openai",
      "https://openrouter.ai/api/v1", NULL, NULL,
      AI_AUTH_BEARER, 0 },

    { ngx_string("together"), "openai",
      "https://api.together.xyz/v1", NULL, NULL,
      AI_AUTH_BEARER, 0 },

    { ngx_string("vllm"), "openai",
      "http://127.0.0.1:8000/v1", NULL, NULL,
      AI_AUTH_BEARER, 1 },

    { ngx_string("xai"), "openai",
      "https://api.x.ai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0 },

    { ngx_null_string, NULL, NULL, NULL, NULL, AI_AUTH_NONE, 0 }
};


static const ngx_http_ai_preset_t *
ngx_http_ai_preset_find(ngx_str_t *name)
{
    const ngx_http_ai_preset_t  *preset;

    for (preset = ngx_http_ai_presets; preset->name.len; preset++) {

        if (preset->name.len == name->len
            && ngx_memcmp(preset->name.data, name->data, name->len) == 0)
        {
            return preset;
        }
    }

    return NULL;
}


char *
ngx_http_ai_preset_check(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *name = data;

    ngx_str_t                   *s, *value;
    ngx_array_t                  names;
    const ngx_http_ai_preset_t  *preset;

    if (ngx_http_ai_preset_find(name) != NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_array_init(&names, cf->temp_pool, 16, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (preset = ngx_http_ai_presets; preset->name.len; preset++) {
        s = ngx_array_push(&names);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = preset->name;
    }

    value = cf->args->elts;

    return ngx_http_ai_conf_expect(cf, &value[0], name, &names);
}


/* the preset fills what the block leaves open, then come the defaults */

char *
ngx_http_ai_provider_check(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    const ngx_http_ai_preset_t  *preset;

    if (p->preset.len == 0) {
        p->preset = p->name;
    }

    preset = ngx_http_ai_preset_find(&p->preset);

    if (preset == NULL) {
        ngx_str_null(&p->preset);
    }

    if (ngx_http_ai_provider_vendor(cf, p, preset) != NGX_CONF_OK
        || ngx_http_ai_provider_keys_check(cf, p) != NGX_CONF_OK
        || ngx_http_ai_provider_base(cf, p, preset) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if ((p->ssl_certificate.len == 0) != (p->ssl_certificate_key.len == 0)) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "\"ssl_certificate\" and "
                               "\"ssl_certificate_key\" need each other in "
                               "ai_provider \"%V\"", &p->name);
        return NGX_CONF_ERROR;
    }

    ngx_http_ai_provider_defaults(p);

    return NGX_CONF_OK;
}


/* dialect, auth, and whether a key is needed */

static char *
ngx_http_ai_provider_vendor(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    const ngx_http_ai_preset_t *preset)
{
    ai_str_t             s;
    const ai_dialect_t  *d;

    if (p->endpoint.len == 0 && (preset == NULL || preset->endpoint == NULL)) {

        if (preset != NULL) {
            ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                                   "ai_provider \"%V\" has no \"endpoint\", "
                                   "expected e.g. \"%s\"",
                                   &p->name, preset->example);
            return NGX_CONF_ERROR;
        }

        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "ai_provider \"%V\" has no \"endpoint\" and "
                               "is not a preset", &p->name);
        return NGX_CONF_ERROR;
    }

    d = NULL;

    if (preset != NULL) {
        s.data = (u_char *) preset->dialect;
        s.len = ngx_strlen(preset->dialect);

        d = ai_dialect_find(&s);
    }

    if (p->dialect == NULL) {
        p->dialect = d;
    }

    if (p->dialect == NULL) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "ai_provider \"%V\" has no \"dialect\" and is "
                               "not a preset", &p->name);
        return NGX_CONF_ERROR;
    }

    if (p->auth == AI_AUTH_NONE && p->keys.nelts) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "ai_provider \"%V\" has a \"key\", which "
                               "\"auth none\" would never send", &p->name);
        return NGX_CONF_ERROR;
    }

    if (p->auth == AI_AUTH_NONE) {
        p->no_key = 1;
    }

    if (p->auth == NGX_CONF_UNSET_UINT) {
        p->auth = (p->dialect == d) ? preset->auth : p->dialect->auth;
    }

    if (p->keys.nelts || p->no_key) {
        return NGX_CONF_OK;
    }

    /* private servers seldom have a key, vendors always do */

    if (preset == NULL || preset->keyless) {
        p->no_key = 1;
        return NGX_CONF_OK;
    }

    ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                           "ai_provider \"%V\" has no \"key\", expected e.g. "
                           "\"key env:NAME\", or \"key none\" if it needs "
                           "none", &p->name);
    return NGX_CONF_ERROR;
}


/*
 * The endpoint in force.  One without a path gets the preset's base, or the
 * one of the vendor whose name the dialect bears.
 */

static char *
ngx_http_ai_provider_base(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    const ngx_http_ai_preset_t *preset)
{
    char                        *rv;
    ngx_str_t                    url;
    const char                  *base;
    const ngx_http_ai_preset_t  *vendor;

    static ngx_str_t  what = ngx_string("endpoint");

    if (p->no_key && p->without_key.len) {
        url = p->without_key;

    } else if (p->endpoint.len) {
        url = p->endpoint;

    } else {
        url.data = (u_char *) preset->endpoint;
        url.len = ngx_strlen(preset->endpoint);
        p->endpoint = url;

        /* a vendor is in the internet, whatever DNS says */

        ngx_conf_init_value(p->private_addresses, 0);
    }

    rv = ngx_http_ai_provider_endpoint(cf, p, &what, &url);
    if (rv != NGX_CONF_OK || p->base.len) {
        return rv;
    }

    if (preset != NULL && preset->base != NULL) {
        base = preset->base;

    } else {
        vendor = ngx_http_ai_preset_find(
                                     (ngx_str_t *) &p->dialect->name);
        base = "/v1";

        if (vendor != NULL) {
            base = strstr(vendor->endpoint, "://") + 3;
            base = strchr(base, '/');
        }
    }

    p->base.data = (u_char *) base;
    p->base.len = ngx_strlen(base);

    return NGX_CONF_OK;
}


static void
ngx_http_ai_provider_defaults(ngx_http_ai_provider_t *p)
{
    ngx_conf_init_msec_value(p->connect_timeout, 5000);
    ngx_conf_init_msec_value(p->first_token_timeout, 60000);
    ngx_conf_init_msec_value(p->idle_timeout, 60000);
    ngx_conf_init_msec_value(p->timeout, 600000);

    ngx_conf_init_value(p->private_addresses, 1);
    ngx_conf_init_value(p->stream_usage, 1);

    ngx_conf_init_uint_value(p->keepalive, 32);
    ngx_conf_init_msec_value(p->keepalive_timeout, 60000);
    ngx_conf_init_uint_value(p->keepalive_requests, 1000);

    ngx_conf_init_value(p->ssl_verify, 1);
    ngx_conf_init_uint_value(p->ssl_verify_depth, 4);

    if (p->ssl_name.len == 0) {
        p->ssl_name = p->host;
    }

    if (p->ssl_ciphers.len == 0) {
        ngx_str_set(&p->ssl_ciphers, "DEFAULT");
    }

#if (NGX_SSL)

    if (p->ssl_protocols == 0) {
        p->ssl_protocols = NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3;
    }

#endif
}

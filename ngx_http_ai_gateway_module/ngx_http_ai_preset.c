
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * An ai_provider block that is read is completed from the row of its vendor,
 * see ai_vendor.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


/* what a template names in braces, and where a block says it */

typedef struct {
    const char   *name;
    const char   *example;
    size_t        offset;
} ngx_http_ai_preset_arg_t;


static char *ngx_http_ai_provider_vendor(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, const ai_vendor_t *preset);
static char *ngx_http_ai_provider_auth_check(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, const ai_vendor_t *preset);
static char *ngx_http_ai_provider_args(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p);
static ngx_uint_t ngx_http_ai_vendor_needs(const ai_vendor_t *v,
    const char *name);
static char *ngx_http_ai_provider_lacks(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, const ngx_http_ai_preset_arg_t *arg);
static char *ngx_http_ai_provider_base(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, const ai_vendor_t *preset);
static const char *ngx_http_ai_preset_base(ngx_http_ai_provider_t *p,
    const ai_vendor_t *preset);
static char *ngx_http_ai_preset_expand(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, const char *text, ngx_str_t *out);


static const ngx_http_ai_preset_arg_t  ngx_http_ai_preset_args[] = {

    { "project", "project my-project",
      offsetof(ngx_http_ai_provider_t, project) },

    { "region", "region us-east-1",
      offsetof(ngx_http_ai_provider_t, region) },

    { "version", "api_version 2024-10-21",
      offsetof(ngx_http_ai_provider_t, api_version) },

    { NULL, NULL, 0 }
};


char *
ngx_http_ai_preset_check(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *name = data;

    ngx_str_t          *s, *value;
    ngx_array_t         names;
    const ai_vendor_t  *v;

    if (ai_vendor_find(ngx_http_ai_str(name)) != NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_array_init(&names, cf->temp_pool, 64, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (v = ai_vendors; v->name.len; v++) {
        s = ngx_array_push(&names);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        s->len = v->name.len;
        s->data = v->name.data;
    }

    value = cf->args->elts;

    return ngx_http_ai_conf_expect(cf, &value[0], name, &names);
}


/* the preset fills what the block leaves open, then come the defaults */

char *
ngx_http_ai_provider_check(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    const ai_vendor_t  *preset;

    if (p->preset.len == 0) {
        p->preset = p->name;
    }

    preset = ai_vendor_find(ngx_http_ai_str(&p->preset));

    if (preset == NULL) {
        ngx_str_null(&p->preset);
    }

    if (ngx_http_ai_provider_vendor(cf, p, preset) != NGX_CONF_OK
        || ngx_http_ai_provider_auth_check(cf, p, preset) != NGX_CONF_OK
        || ngx_http_ai_provider_keys_check(cf, p) != NGX_CONF_OK
        || ngx_http_ai_provider_args(cf, p) != NGX_CONF_OK
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


/*
 * The dialect, and the row that tells how to speak it: a vendor that is said
 * to speak another one is no longer known that well.
 */

static char *
ngx_http_ai_provider_vendor(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    const ai_vendor_t *preset)
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

    p->vendor = (p->dialect == d) ? preset : ai_vendor_generic(p->dialect);

    return NGX_CONF_OK;
}


/* how keys are sent, and whether one is needed */

static char *
ngx_http_ai_provider_auth_check(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    const ai_vendor_t *preset)
{
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
        p->auth = (p->vendor == preset) ? preset->auth : p->dialect->auth;
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


/* what the paths of the vendor cannot do without */

static char *
ngx_http_ai_provider_args(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    ngx_str_t                       *value;
    const ngx_http_ai_preset_arg_t  *arg;

    for (arg = ngx_http_ai_preset_args; arg->name; arg++) {
        value = (ngx_str_t *) ((char *) p + arg->offset);

        if (value->len) {
            continue;
        }

        /* a signature tells where it is good for */

        if (ngx_http_ai_vendor_needs(p->vendor, arg->name)
            || (value == &p->region && p->auth == AI_AUTH_SIGV4))
        {
            return ngx_http_ai_provider_lacks(cf, p, arg);
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_ai_vendor_needs(const ai_vendor_t *v, const char *name)
{
    size_t                   len;
    const char              *p;
    const ai_vendor_path_t  *path;

    len = ngx_strlen(name);

    for (path = v->paths; path && path->op != AI_OP_NONE; path++) {

        for (p = strchr(path->path, '{'); p; p = strchr(p + 1, '{')) {
            if (ngx_strncmp(p + 1, name, len) == 0) {
                return 1;
            }
        }
    }

    return 0;
}


static char *
ngx_http_ai_provider_lacks(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    const ngx_http_ai_preset_arg_t *arg)
{
    size_t  len;

    len = strchr(arg->example, ' ') - arg->example;

    ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                           "ai_provider \"%V\" has no \"%*s\", expected "
                           "e.g. \"%s\"",
                           &p->name, len, arg->example, arg->example);

    return NGX_CONF_ERROR;
}


/*
 * The endpoint in force.  One without a path gets that of the preset, or the
 * one that is usual in its dialect.
 */

static char *
ngx_http_ai_provider_base(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    const ai_vendor_t *preset)
{
    char       *rv;
    ngx_str_t   url;

    static ngx_str_t  what = ngx_string("endpoint");

    if (p->no_key && p->without_key.len) {
        url = p->without_key;

    } else if (p->endpoint.len) {
        url = p->endpoint;

    } else {

        if (ngx_http_ai_preset_expand(cf, p, preset->endpoint, &p->endpoint)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        url = p->endpoint;

        /* a vendor is in the internet, whatever DNS says */

        ngx_conf_init_value(p->private_addresses, 0);
    }

    rv = ngx_http_ai_provider_endpoint(cf, p, &what, &url);
    if (rv != NGX_CONF_OK || p->base.len) {
        return rv;
    }

    return ngx_http_ai_preset_expand(cf, p,
                                     ngx_http_ai_preset_base(p, preset),
                                     &p->base);
}


static const char *
ngx_http_ai_preset_base(ngx_http_ai_provider_t *p, const ai_vendor_t *preset)
{
    if (p->vendor != preset) {
        return p->vendor->base;
    }

    if (preset->base != NULL) {
        return preset->base;
    }

    return strchr(strstr(preset->endpoint, "://") + 3, '/');
}


/*
 * A text of the table with what the block says in place of {project},
 * {region}, and {region-}, which vanishes with its dash for "global".
 */

static char *
ngx_http_ai_preset_expand(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    const char *text, ngx_str_t *out)
{
    size_t                           len;
    u_char                          *d;
    ngx_str_t                       *value;
    const char                      *s;
    const ngx_http_ai_preset_arg_t  *arg;

    d = ngx_pnalloc(cf->pool, ngx_strlen(text) + p->project.len
                              + p->region.len + p->api_version.len + 1);
    if (d == NULL) {
        return NGX_CONF_ERROR;
    }

    out->data = d;

    for (s = text; *s; s++) {

        if (*s != '{') {
            *d++ = *s;
            continue;
        }

        for (arg = ngx_http_ai_preset_args; arg[1].name; arg++) {
            if (ngx_strncmp(s + 1, arg->name, ngx_strlen(arg->name)) == 0) {
                break;
            }
        }

        value = (ngx_str_t *) ((char *) p + arg->offset);

        if (value->len == 0) {
            return ngx_http_ai_provider_lacks(cf, p, arg);
        }

        len = strchr(s, '}') - s;

        if (s[len - 1] != '-') {
            d = ngx_cpymem(d, value->data, value->len);

        } else if (value->len != 6
                   || ngx_strncmp(value->data, "global", 6) != 0)
        {
            d = ngx_cpymem(d, value->data, value->len);
            *d++ = '-';
        }

        s += len;
    }

    out->len = d - out->data;

    return NGX_CONF_OK;
}


void
ngx_http_ai_provider_defaults(ngx_http_ai_provider_t *p)
{
    ngx_conf_init_msec_value(p->connect_timeout, 5000);
    ngx_conf_init_msec_value(p->first_token_timeout, 60000);
    ngx_conf_init_msec_value(p->idle_timeout, 60000);
    ngx_conf_init_msec_value(p->timeout, 600000);

    ngx_conf_init_value(p->private_addresses, 1);
    ngx_conf_init_value(p->stream_usage,
                        p->vendor == NULL
                        || !(p->vendor->flags & AI_VENDOR_NO_STREAM_OPTIONS));

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


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The directives of an ai_provider block.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_KEEPALIVE_MAX  65536


static char *ngx_http_ai_provider_dialect(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_ai_provider_url(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_provider_auth(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_provider_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_provider_query(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_provider_pair(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **pairs);
static char *ngx_http_ai_project_check(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_ai_region_check(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_ai_version_check(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_ai_word_check(ngx_conf_t *cf, ngx_str_t *word,
    const char *others);
static char *ngx_http_ai_msec_positive(ngx_conf_t *cf, void *post,
    void *data);


static const ngx_conf_enum_t  ngx_http_ai_auths[] = {
    { ngx_string("bearer"), AI_AUTH_BEARER },
    { ngx_string("x-api-key"), AI_AUTH_X_API_KEY },
    { ngx_string("api-key"), AI_AUTH_API_KEY },
    { ngx_string("x-goog-api-key"), AI_AUTH_X_GOOG_API_KEY },
    { ngx_string("sigv4"), AI_AUTH_SIGV4 },
    { ngx_string("google"), AI_AUTH_GOOGLE },
    { ngx_string("none"), AI_AUTH_NONE },
    { ngx_null_string, 0 }
};


/* headers that "header" must not set, and why */

static const struct {
    ngx_str_t     name;
    ngx_uint_t    secret;         /* a credential: "key" is for those */
} ngx_http_ai_reserved[] = {
    { ngx_string("authorization"), 1 },
    { ngx_string("x-api-key"), 1 },
    { ngx_string("api-key"), 1 },
    { ngx_string("x-goog-api-key"), 1 },
    { ngx_string("proxy-authorization"), 1 },
    { ngx_string("cookie"), 1 },
    { ngx_string("host"), 0 },
    { ngx_string("connection"), 0 },
    { ngx_string("keep-alive"), 0 },
    { ngx_string("content-length"), 0 },
    { ngx_string("content-encoding"), 0 },
    { ngx_string("transfer-encoding"), 0 },
    { ngx_string("te"), 0 },
    { ngx_string("trailer"), 0 },
    { ngx_string("upgrade"), 0 },
    { ngx_string("expect"), 0 }
};


static ngx_conf_post_t  ngx_http_ai_preset_post = {
    ngx_http_ai_preset_check
};


static ngx_conf_post_t  ngx_http_ai_project_post = {
    ngx_http_ai_project_check
};


static ngx_conf_post_t  ngx_http_ai_region_post = {
    ngx_http_ai_region_check
};


static ngx_conf_post_t  ngx_http_ai_version_post = {
    ngx_http_ai_version_check
};


static ngx_conf_post_t  ngx_http_ai_msec_post = {
    ngx_http_ai_msec_positive
};


static ngx_conf_num_bounds_t  ngx_http_ai_keepalive_bounds = {
    ngx_conf_check_num_bounds, 0, NGX_HTTP_AI_KEEPALIVE_MAX
};


static ngx_conf_num_bounds_t  ngx_http_ai_requests_bounds = {
    ngx_conf_check_num_bounds, 1, -1
};


static ngx_conf_num_bounds_t  ngx_http_ai_depth_bounds = {
    ngx_conf_check_num_bounds, 0, 100
};


static ngx_conf_bitmask_t  ngx_http_ai_ssl_protocols[] = {
#if (NGX_SSL)
    { ngx_string("TLSv1"), NGX_SSL_TLSv1 },
    { ngx_string("TLSv1.1"), NGX_SSL_TLSv1_1 },
    { ngx_string("TLSv1.2"), NGX_SSL_TLSv1_2 },
    { ngx_string("TLSv1.3"), NGX_SSL_TLSv1_3 },
#endif
    { ngx_null_string, 0 }
};


ngx_command_t  ngx_http_ai_provider_commands[] = {

    { ngx_string("preset"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, preset),
      &ngx_http_ai_preset_post },

    { ngx_string("dialect"),
      NGX_CONF_TAKE1,
      ngx_http_ai_provider_dialect,
      0,
      0,
      NULL },

    { ngx_string("endpoint"),
      NGX_CONF_TAKE1,
      ngx_http_ai_provider_url,
      0,
      offsetof(ngx_http_ai_provider_t, endpoint),
      NULL },

    { ngx_string("project"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, project),
      &ngx_http_ai_project_post },

    { ngx_string("region"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, region),
      &ngx_http_ai_region_post },

    { ngx_string("api_version"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, api_version),
      &ngx_http_ai_version_post },

    { ngx_string("without_key"),
      NGX_CONF_TAKE1,
      ngx_http_ai_provider_url,
      0,
      offsetof(ngx_http_ai_provider_t, without_key),
      NULL },

    { ngx_string("key"),
      NGX_CONF_TAKE123,
      ngx_http_ai_provider_key,
      0,
      0,
      NULL },

    { ngx_string("auth"),
      NGX_CONF_TAKE1,
      ngx_http_ai_provider_auth,
      0,
      0,
      NULL },

    { ngx_string("header"),
      NGX_CONF_TAKE2,
      ngx_http_ai_provider_header,
      0,
      0,
      NULL },

    { ngx_string("query"),
      NGX_CONF_TAKE2,
      ngx_http_ai_provider_query,
      0,
      0,
      NULL },

    { ngx_string("connect_timeout"),
      NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_http_ai_provider_t, connect_timeout),
      &ngx_http_ai_msec_post },

    { ngx_string("first_token_timeout"),
      NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_http_ai_provider_t, first_token_timeout),
      &ngx_http_ai_msec_post },

    { ngx_string("idle_timeout"),
      NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_http_ai_provider_t, idle_timeout),
      &ngx_http_ai_msec_post },

    { ngx_string("timeout"),
      NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_http_ai_provider_t, timeout),
      &ngx_http_ai_msec_post },

    { ngx_string("private_addresses"),
      NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      0,
      offsetof(ngx_http_ai_provider_t, private_addresses),
      NULL },

    { ngx_string("stream_usage"),
      NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      0,
      offsetof(ngx_http_ai_provider_t, stream_usage),
      NULL },

    { ngx_string("keepalive"),
      NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      0,
      offsetof(ngx_http_ai_provider_t, keepalive),
      &ngx_http_ai_keepalive_bounds },

    { ngx_string("keepalive_timeout"),
      NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_http_ai_provider_t, keepalive_timeout),
      &ngx_http_ai_msec_post },

    { ngx_string("keepalive_requests"),
      NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      0,
      offsetof(ngx_http_ai_provider_t, keepalive_requests),
      &ngx_http_ai_requests_bounds },

    { ngx_string("ssl_verify"),
      NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      0,
      offsetof(ngx_http_ai_provider_t, ssl_verify),
      NULL },

    { ngx_string("ssl_verify_depth"),
      NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      0,
      offsetof(ngx_http_ai_provider_t, ssl_verify_depth),
      &ngx_http_ai_depth_bounds },

    { ngx_string("ssl_name"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, ssl_name),
      NULL },

    { ngx_string("ssl_trusted_certificate"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, ssl_trusted_certificate),
      NULL },

    { ngx_string("ssl_protocols"),
      NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      0,
      offsetof(ngx_http_ai_provider_t, ssl_protocols),
      &ngx_http_ai_ssl_protocols },

    { ngx_string("ssl_ciphers"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, ssl_ciphers),
      NULL },

    { ngx_string("ssl_certificate"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, ssl_certificate),
      NULL },

    { ngx_string("ssl_certificate_key"),
      NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_http_ai_provider_t, ssl_certificate_key),
      NULL },

      ngx_null_command
};


ngx_http_ai_provider_t *
ngx_http_ai_provider_create(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_http_ai_provider_t  *p;

    p = ngx_pcalloc(cf->pool, sizeof(ngx_http_ai_provider_t));
    if (p == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     all strings = { 0, NULL };
     *     p->dialect = NULL;
     *     p->headers = NULL;
     *     p->queries = NULL;
     *     p->ssl_protocols = 0;
     *     p->ssl = NULL;
     *     p->session = NULL;
     *     p->upstream = NULL;
     *     p->uconf = { 0 };
     *     p->addrs = NULL;
     *     p->nidle = 0;
     *     p->next = 0;
     */

    if (ngx_array_init(&p->keys, cf->pool, 1,
                       sizeof(ngx_http_ai_credential_t))
        != NGX_OK)
    {
        return NULL;
    }

    ngx_queue_init(&p->idle);

    p->name = *name;
    p->file = cf->conf_file->file.name.data;
    p->line = cf->conf_file->line;

    p->auth = NGX_CONF_UNSET_UINT;
    p->connect_timeout = NGX_CONF_UNSET_MSEC;
    p->first_token_timeout = NGX_CONF_UNSET_MSEC;
    p->idle_timeout = NGX_CONF_UNSET_MSEC;
    p->timeout = NGX_CONF_UNSET_MSEC;
    p->private_addresses = NGX_CONF_UNSET;
    p->stream_usage = NGX_CONF_UNSET;
    p->keepalive = NGX_CONF_UNSET_UINT;
    p->keepalive_timeout = NGX_CONF_UNSET_MSEC;
    p->keepalive_requests = NGX_CONF_UNSET_UINT;
    p->ssl_verify = NGX_CONF_UNSET;
    p->ssl_verify_depth = NGX_CONF_UNSET_UINT;

    return p;
}


static char *
ngx_http_ai_provider_dialect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_provider_t *p = conf;

    ngx_str_t    *s, *value;
    ngx_uint_t    i;
    ngx_array_t   names;

    if (p->dialect != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    p->dialect = ai_dialect_find(ngx_http_ai_str(&value[1]));
    if (p->dialect != NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_array_init(&names, cf->temp_pool, 4, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 0; ai_dialects[i] != NULL; i++) {
        s = ngx_array_push(&names);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        s->len = ai_dialects[i]->name.len;
        s->data = ai_dialects[i]->name.data;
    }

    return ngx_http_ai_conf_expect(cf, &cmd->name, &value[1], &names);
}


/* parsed here for its errors, and once more when it is known which is used */

static char *
ngx_http_ai_provider_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *base = conf;

    char       *rv;
    ngx_str_t  *value;

    rv = ngx_conf_set_str_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = (ngx_str_t *) (base + cmd->offset);

    return ngx_http_ai_provider_endpoint(cf, conf, &cmd->name, value);
}


static char *
ngx_http_ai_provider_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_provider_t *p = conf;

    ngx_str_t              *s, *value;
    ngx_array_t             names;
    const ngx_conf_enum_t  *e;

    if (p->auth != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_array_init(&names, cf->temp_pool, 8, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (e = ngx_http_ai_auths; e->name.len; e++) {

        if (e->name.len == value[1].len
            && ngx_memcmp(e->name.data, value[1].data, value[1].len) == 0)
        {
            p->auth = e->value;
            return NGX_CONF_OK;
        }

        s = ngx_array_push(&names);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = e->name;
    }

    return ngx_http_ai_conf_expect(cf, &cmd->name, &value[1], &names);
}


static char *
ngx_http_ai_provider_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_provider_t *p = conf;

    u_char      ch;
    ngx_str_t  *value;
    ngx_uint_t  i, n;

    value = cf->args->elts;

    for (i = 0; i < value[1].len; i++) {
        ch = value[1].data[i];

        if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
            || (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_')
        {
            continue;
        }

        break;
    }

    if (i == 0 || i < value[1].len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"header\", expected "
                           "letters, digits, \"-\" and \"_\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    n = sizeof(ngx_http_ai_reserved) / sizeof(ngx_http_ai_reserved[0]);

    for (i = 0; i < n; i++) {

        if (value[1].len != ngx_http_ai_reserved[i].name.len
            || ngx_strncasecmp(value[1].data,
                               ngx_http_ai_reserved[i].name.data,
                               value[1].len)
               != 0)
        {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           ngx_http_ai_reserved[i].secret
                           ? "header \"%V\" carries a credential, use \"key\""
                             " and \"auth\" for it"
                           : "header \"%V\" is set by the gateway itself",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < value[2].len; i++) {
        ch = value[2].data[i];

        if ((ch < ' ' && ch != '\t') || ch == 0x7f || ch == '$') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value of header \"%V\", expected "
                               "text without control characters and "
                               "variables", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_ai_provider_pair(cf, cmd, &p->headers);
}


/* goes into the URL as it is written */

static char *
ngx_http_ai_provider_query(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_provider_t *p = conf;

    u_char      ch;
    ngx_str_t  *value;
    ngx_uint_t  i, n;

    value = cf->args->elts;

    if (value[1].len == 3 && ngx_strncasecmp(value[1].data, (u_char *) "key", 3)
                             == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "query argument \"%V\" carries a credential, use "
                           "the directive \"key\" for it", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (n = 1; n <= 2; n++) {

        for (i = 0; i < value[n].len; i++) {
            ch = value[n].data[i];

            if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
                || (ch >= 'A' && ch <= 'Z')
                || ngx_strchr("-._~%:@!*,;/", ch) != NULL)
            {
                continue;
            }

            break;
        }

        if (i < value[n].len || value[1].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"query\" argument, expected a name "
                               "and a value, URL-encoded, e.g. \"query "
                               "api-version 2025-04-01\"");
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_ai_provider_pair(cf, cmd, &p->queries);
}


static char *
ngx_http_ai_provider_pair(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_array_t **pairs)
{
    ngx_str_t     *value;
    ngx_uint_t     i;
    ngx_keyval_t  *kv;

    value = cf->args->elts;

    if (*pairs == NULL) {
        *pairs = ngx_array_create(cf->pool, 4, sizeof(ngx_keyval_t));
        if (*pairs == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    kv = (*pairs)->elts;

    for (i = 0; i < (*pairs)->nelts; i++) {

        if (kv[i].key.len == value[1].len
            && ngx_strncasecmp(kv[i].key.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate %V \"%V\"", &cmd->name, &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    kv = ngx_array_push(*pairs);
    if (kv == NULL) {
        return NGX_CONF_ERROR;
    }

    kv->key = value[1];
    kv->value = value[2];

    return NGX_CONF_OK;
}


/* these three become a part of the host name, or of the path */

static char *
ngx_http_ai_project_check(ngx_conf_t *cf, void *post, void *data)
{
    return ngx_http_ai_word_check(cf, data, "-_.:");
}


static char *
ngx_http_ai_region_check(ngx_conf_t *cf, void *post, void *data)
{
    return ngx_http_ai_word_check(cf, data, "-");
}


static char *
ngx_http_ai_version_check(ngx_conf_t *cf, void *post, void *data)
{
    return ngx_http_ai_word_check(cf, data, "-_.");
}


static char *
ngx_http_ai_word_check(ngx_conf_t *cf, ngx_str_t *word, const char *others)
{
    u_char      ch;
    ngx_str_t  *value;
    ngx_uint_t  i;

    for (i = 0; i < word->len; i++) {
        ch = word->data[i];

        if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
            || (ch >= 'A' && ch <= 'Z') || ngx_strchr(others, ch) != NULL)
        {
            continue;
        }

        break;
    }

    if (i == word->len && i != 0 && i <= 128) {
        return NGX_CONF_OK;
    }

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\", expected up to 128 "
                       "letters, digits and \"%s\"",
                       word, &value[0], others);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_ai_msec_positive(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *msec = data;

    if (*msec == 0) {
        return "must be above zero";
    }

    return NGX_CONF_OK;
}

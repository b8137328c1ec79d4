
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The credentials of providers.  They are read while the configuration is
 * parsed, by the master process, and kept in the pool of the cycle: workers
 * need neither the environment nor the files.  What is not a reference is
 * refused, since "nginx -T" prints the configuration.
 *
 * A process that only sends a signal parses the configuration in the shell
 * of whoever types it, where the environment of the service is not set;
 * "nginx -t" does too, but its user wants to know.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ai_credential.h"
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_KEY_MAX     8192
#define NGX_HTTP_AI_WEIGHT_MAX  1000


static ngx_int_t ngx_http_ai_key_read(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, ngx_http_ai_credential_t *key);
static ngx_int_t ngx_http_ai_key_env(ngx_conf_t *cf,
    ngx_http_ai_credential_t *key, ngx_str_t *name);
static ngx_int_t ngx_http_ai_key_credential(ngx_conf_t *cf,
    ngx_http_ai_credential_t *key, ngx_str_t *name);
static ngx_int_t ngx_http_ai_key_file(ngx_conf_t *cf,
    ngx_http_ai_credential_t *key, ngx_str_t *name);
static ngx_int_t ngx_http_ai_key_contents(ngx_conf_t *cf,
    ngx_http_ai_credential_t *key, ngx_file_t *file, ngx_file_info_t *fi);
static ngx_int_t ngx_http_ai_key_set(ngx_conf_t *cf,
    ngx_http_ai_credential_t *key, u_char *data, size_t len);
static char *ngx_http_ai_key_check(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p, ngx_http_ai_credential_t *key);
static char *ngx_http_ai_key_aws(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_http_ai_credential_t *key);
static ngx_uint_t ngx_http_ai_key_beside(ngx_conf_t *cf,
    ngx_http_ai_credential_t *key, ngx_str_t *name, ai_str_t *out);
static ngx_int_t ngx_http_ai_key_param(ngx_conf_t *cf, ngx_str_t *source,
    ngx_str_t *arg, ngx_int_t *weight, ngx_msec_t *refresh);
static void ngx_http_ai_key_unset(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_http_ai_credential_t *key, ngx_uint_t level);


char *
ngx_http_ai_provider_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_provider_t *p = conf;

    ngx_str_t                 *value;
    ngx_int_t                  weight;
    ngx_uint_t                 i;
    ngx_msec_t                 refresh;
    ngx_http_ai_credential_t  *key;

    value = cf->args->elts;
    weight = 1;
    refresh = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_http_ai_key_param(cf, &value[1], &value[i], &weight, &refresh)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (value[1].len == 4 && ngx_strncmp(value[1].data, "none", 4) == 0) {

        if (p->keys.nelts || cf->args->nelts != 2) {
            goto conflict;
        }

        if (p->no_key) {
            return "is duplicate";
        }

        p->no_key = 1;
        return NGX_CONF_OK;
    }

    if (p->no_key) {
        goto conflict;
    }

    key = ngx_array_push(&p->keys);
    if (key == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(key, sizeof(ngx_http_ai_credential_t));

    key->source = value[1];
    key->weight = weight;
    key->refresh = refresh;
    key->file = cf->conf_file->file.name.data;
    key->line = cf->conf_file->line;

    if (ngx_http_ai_key_read(cf, p, key) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

conflict:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"key none\" excludes other keys and a weight in "
                       "ai_provider \"%V\"", &p->name);
    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_ai_key_read(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_http_ai_credential_t *key)
{
    ngx_str_t   name;
    ngx_uint_t  i;

    typedef ngx_int_t (*ngx_http_ai_key_pt)(ngx_conf_t *cf,
        ngx_http_ai_credential_t *key, ngx_str_t *name);

    static const struct {
        ngx_str_t           scheme;
        ngx_http_ai_key_pt  read;
    } sources[] = {
        { ngx_string("env:"), ngx_http_ai_key_env },
        { ngx_string("file:"), ngx_http_ai_key_file },
        { ngx_string("credential:"), ngx_http_ai_key_credential }
    };

    for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {

        if (key->source.len <= sources[i].scheme.len
            || ngx_strncmp(key->source.data, sources[i].scheme.data,
                           sources[i].scheme.len)
               != 0)
        {
            continue;
        }

        name.data = key->source.data + sources[i].scheme.len;
        name.len = key->source.len - sources[i].scheme.len;

        return sources[i].read(cf, key, &name);
    }

    /* it may be a key: neither logged nor kept */

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "the key of ai_provider \"%V\" must not be written "
                       "here, as \"nginx -T\" prints it: expected "
                       "\"env:NAME\", \"file:PATH\", \"credential:NAME\" or "
                       "\"none\"", &p->name);
    return NGX_ERROR;
}


/* NGX_OK also for one not set, whose value stays empty */

static ngx_int_t
ngx_http_ai_key_env(ngx_conf_t *cf, ngx_http_ai_credential_t *key,
    ngx_str_t *name)
{
    char  *value;

    value = getenv((char *) name->data);

    if (value == NULL || *value == '\0') {
        return NGX_OK;
    }

    return ngx_http_ai_key_set(cf, key, (u_char *) value, ngx_strlen(value));
}


/* what "LoadCredential=" of systemd gives; a plain shell has none of it */

static ngx_int_t
ngx_http_ai_key_credential(ngx_conf_t *cf, ngx_http_ai_credential_t *key,
    ngx_str_t *name)
{
    char       *dir;
    u_char     *p;
    ngx_str_t   path;

    if (ngx_strlchr(name->data, name->data + name->len, '/') != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\", expected the name of a credential "
                           "without \"/\"", &key->source);
        return NGX_ERROR;
    }

    dir = getenv("CREDENTIALS_DIRECTORY");

    if (dir == NULL || *dir == '\0') {
        return NGX_OK;
    }

    path.len = ngx_strlen(dir) + 1 + name->len;
    path.data = ngx_pnalloc(cf->pool, path.len + 1);
    if (path.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(path.data, "%s/%V", dir, name);
    *p = '\0';

    return ngx_http_ai_key_file(cf, key, &path);
}


static ngx_int_t
ngx_http_ai_key_file(ngx_conf_t *cf, ngx_http_ai_credential_t *key,
    ngx_str_t *name)
{
    ngx_int_t        rc;
    ngx_file_t       file;
    ngx_file_info_t  fi;

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;

    if (ngx_conf_full_name(cf->cycle, &file.name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    /* non-blocking: a FIFO must not hang the start */

    file.fd = ngx_open_file(file.name.data,
                            NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "key \"%V\": " ngx_open_file_n " \"%V\" failed",
                           &key->source, &file.name);
        return NGX_ERROR;
    }

    if (ngx_fd_info(file.fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "key \"%V\": " ngx_fd_info_n " \"%V\" failed",
                           &key->source, &file.name);
        rc = NGX_ERROR;

    } else {
        key->path = file.name;
        key->mtime = ngx_file_mtime(&fi);
        key->size = ngx_file_size(&fi);
        key->uniq = ngx_file_uniq(&fi);
        rc = ngx_http_ai_key_contents(cf, key, &file, &fi);
    }

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &file.name);
    }

    return rc;
}


static ngx_int_t
ngx_http_ai_key_contents(ngx_conf_t *cf, ngx_http_ai_credential_t *key,
    ngx_file_t *file, ngx_file_info_t *fi)
{
    u_char     *buf;
    ssize_t     n;
    ngx_int_t   rc;

    if (!ngx_is_file(fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key \"%V\": \"%V\" is not a regular file",
                           &key->source, &file->name);
        return NGX_ERROR;
    }

    if ((ngx_file_access(fi) & 0004)
        && ngx_process != NGX_PROCESS_SIGNALLER)
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "key \"%V\": everyone on this machine can read "
                           "\"%V\", expected mode 0600 or 0640",
                           &key->source, &file->name);
    }

    buf = ngx_alloc(NGX_HTTP_AI_KEY_MAX + 1, cf->log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    n = ngx_read_file(file, buf, NGX_HTTP_AI_KEY_MAX + 1, 0);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key \"%V\": \"%V\" cannot be read",
                           &key->source, &file->name);

    } else if (n > NGX_HTTP_AI_KEY_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "key \"%V\": \"%V\" is longer than 8 KB",
                           &key->source, &file->name);

    } else {
        rc = ngx_http_ai_key_set(cf, key, buf, n);
    }

    ngx_explicit_memzero(buf, NGX_HTTP_AI_KEY_MAX + 1);
    ngx_free(buf);

    return rc;
}


/* as it is; what it must be depends on how it is used */

static ngx_int_t
ngx_http_ai_key_set(ngx_conf_t *cf, ngx_http_ai_credential_t *key,
    u_char *data, size_t len)
{
    while (len && (data[len - 1] == LF || data[len - 1] == CR)) {
        len--;
    }

    if (len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "key \"%V\" is empty",
                           &key->source);
        return NGX_ERROR;
    }

    key->value.data = ngx_pnalloc(cf->pool, len);
    if (key->value.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(key->value.data, data, len);
    key->value.len = len;

    return NGX_OK;
}


static char *
ngx_http_ai_key_check(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_http_ai_credential_t *key)
{
    size_t  i;

    switch (p->auth) {

    case AI_AUTH_SIGV4:
        return ngx_http_ai_key_aws(cf, p, key);

    case AI_AUTH_GOOGLE:
        return ngx_http_ai_token_conf(cf, p, key);

    default:
        break;
    }

    /* it goes into a header line */

    for (i = 0; i < key->value.len; i++) {

        if (key->value.data[i] > ' ' && key->value.data[i] < 0x7f) {
            continue;
        }

        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, key->file, key->line,
                               "key \"%V\" holds more than a key: byte %uz "
                               "is not a printable ASCII character",
                               &key->source, i + 1);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * Of a bare access key id, as AWS_ACCESS_KEY_ID holds it, the rest stands
 * in the variables next to it.
 */

static char *
ngx_http_ai_key_aws(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_http_ai_credential_t *key)
{
    ai_alloc_t               alloc;
    ai_sigv4_credentials_t  *aws;

    static ngx_str_t  secret = ngx_string("SECRET_ACCESS_KEY");
    static ngx_str_t  token = ngx_string("SESSION_TOKEN");

    aws = ngx_pcalloc(cf->pool, sizeof(ai_sigv4_credentials_t));
    if (aws == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_ai_pool_alloc(cf->pool, &alloc);

    if (ai_credential_aws(ngx_http_ai_str(&key->value), &alloc, aws) == AI_OK
        && (aws->secret.len
            || (ngx_http_ai_key_beside(cf, key, &secret, &aws->secret)
                && aws->secret.len
                && ngx_http_ai_key_beside(cf, key, &token, &aws->token))))
    {
        key->aws = aws;
        return NGX_CONF_OK;
    }

    ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, key->file, key->line,
                           "key \"%V\" of ai_provider \"%V\" is no "
                           "credential of AWS, expected \"ID:SECRET\", "
                           "\"ID:SECRET:TOKEN\", a credentials file, or "
                           "\"env:AWS_ACCESS_KEY_ID\" with "
                           "AWS_SECRET_ACCESS_KEY set",
                           &key->source, &p->name);
    return NGX_CONF_ERROR;
}


/* "env:..._ACCESS_KEY_ID" to "..._SECRET_ACCESS_KEY"; 1 unless it failed */

static ngx_uint_t
ngx_http_ai_key_beside(ngx_conf_t *cf, ngx_http_ai_credential_t *key,
    ngx_str_t *name, ai_str_t *out)
{
    char    *value;
    u_char  *p;
    size_t   len;

    static ngx_str_t  id = ngx_string("ACCESS_KEY_ID");

    len = key->source.len;

    if (len <= 4 + id.len
        || ngx_strncmp(key->source.data, "env:", 4) != 0
        || ngx_strncmp(key->source.data + len - id.len, id.data, id.len) != 0)
    {
        return 0;
    }

    len -= 4 + id.len;

    p = ngx_pnalloc(cf->temp_pool, len + name->len + 1);
    if (p == NULL) {
        return 0;
    }

    ngx_memcpy(p, key->source.data + 4, len);
    ngx_memcpy(p + len, name->data, name->len);
    p[len + name->len] = '\0';

    value = getenv((char *) p);

    if (value == NULL || *value == '\0') {
        return 1;
    }

    out->len = ngx_strlen(value);
    out->data = ngx_pnalloc(cf->pool, out->len);

    if (out->data == NULL) {
        return 0;
    }

    ngx_memcpy(out->data, value, out->len);

    return 1;
}


/* does not repeat what it refuses: "key Bearer SECRET" comes here as well */

static ngx_int_t
ngx_http_ai_key_param(ngx_conf_t *cf, ngx_str_t *source, ngx_str_t *arg,
    ngx_int_t *weight, ngx_msec_t *refresh)
{
    ngx_str_t  value;

    if (arg->len > 7 && ngx_strncmp(arg->data, "weight=", 7) == 0) {
        *weight = ngx_atoi(arg->data + 7, arg->len - 7);

        if (*weight > 0 && *weight <= NGX_HTTP_AI_WEIGHT_MAX) {
            return NGX_OK;
        }
    }

    if (arg->len > 8 && ngx_strncmp(arg->data, "refresh=", 8) == 0) {

        if (source->len < 5 || ngx_strncmp(source->data, "file:", 5) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"refresh\" is for keys from \"file:PATH\", "
                               "the rest never changes");
            return NGX_ERROR;
        }

        value.data = arg->data + 8;
        value.len = arg->len - 8;

        *refresh = (ngx_msec_t) ngx_parse_time(&value, 0);

        if (*refresh != (ngx_msec_t) NGX_ERROR && *refresh >= 1000) {
            return NGX_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter of \"key\", expected "
                       "\"weight=N\" with N from 1 to %d, or "
                       "\"refresh=TIME\" of at least a second",
                       NGX_HTTP_AI_WEIGHT_MAX);
    return NGX_ERROR;
}


/*
 * Keeps those keys that are set.  A service that starts must have all of
 * them, unless it was told what to do without.
 */

char *
ngx_http_ai_provider_keys_check(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    ngx_uint_t                 i, n, quiet, level;
    ngx_http_ai_credential_t  *key;

    if (p->without_key.len && p->keys.nelts == 0) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "\"without_key\" of ai_provider \"%V\" needs "
                               "a \"key\" that may be unset, e.g. "
                               "\"env:NAME\"", &p->name);
        return NGX_CONF_ERROR;
    }

    key = p->keys.elts;

    for (i = 0, n = 0; i < p->keys.nelts; i++) {
        n += (key[i].value.len != 0);
    }

    quiet = (ngx_process == NGX_PROCESS_SIGNALLER);

    if (n == 0 && p->without_key.len) {
        p->no_key = 1;

        if (!quiet) {
            ngx_http_ai_conf_error(NGX_LOG_WARN, cf, p->file, p->line,
                                   "no key of ai_provider \"%V\" is set, "
                                   "\"without_key %V\" is used",
                                   &p->name, &p->without_key);
        }

        quiet = 1;
    }

    if (p->without_key.len || ngx_test_config) {
        level = NGX_LOG_WARN;

    } else {
        level = NGX_LOG_EMERG;
    }

    for (i = 0, n = 0; i < p->keys.nelts; i++) {

        if (key[i].value.len) {

            if (ngx_http_ai_key_check(cf, p, &key[i]) != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }

            key[n++] = key[i];
            continue;
        }

        if (quiet) {
            continue;
        }

        ngx_http_ai_key_unset(cf, p, &key[i], level);

        if (level == NGX_LOG_EMERG) {
            return NGX_CONF_ERROR;
        }
    }

    p->keys.nelts = n;

    return NGX_CONF_OK;
}


static void
ngx_http_ai_key_unset(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_http_ai_credential_t *key, ngx_uint_t level)
{
    if (key->source.data[0] == 'e') {
        ngx_http_ai_conf_error(level, cf, key->file, key->line,
                               "key \"%V\" of ai_provider \"%V\": the "
                               "environment variable is not set",
                               &key->source, &p->name);
        return;
    }

    ngx_http_ai_conf_error(level, cf, key->file, key->line,
                           "key \"%V\" of ai_provider \"%V\": "
                           "$CREDENTIALS_DIRECTORY is not set, as systemd "
                           "does for \"LoadCredential=\"",
                           &key->source, &p->name);
}

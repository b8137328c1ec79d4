
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Keys that others change while workers run, as agents do that renew tokens
 * of Entra ID or sessions of AWS: their files are looked at from time to
 * time, never while a request waits.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ai_credential.h"
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_REFRESH_MAX   8192
#define NGX_HTTP_AI_REFRESH_POOL  1024


static ngx_int_t ngx_http_ai_refresh_key(ngx_cycle_t *cycle,
    ngx_http_ai_credential_t *key);
static void ngx_http_ai_refresh_cleanup(void *data);
static void ngx_http_ai_refresh_handler(ngx_event_t *ev);
static void ngx_http_ai_refresh_file(ngx_http_ai_credential_t *key,
    ngx_log_t *log);
static ngx_int_t ngx_http_ai_refresh_read(ngx_http_ai_credential_t *key,
    ngx_file_t *file, ngx_pool_t *pool, ngx_log_t *log);
static ngx_int_t ngx_http_ai_refresh_take(ngx_http_ai_credential_t *key,
    u_char *p, size_t len, ngx_pool_t *pool);


ngx_int_t
ngx_http_ai_refresh_init(ngx_cycle_t *cycle, ngx_http_ai_main_conf_t *mcf)
{
    ngx_uint_t                  i, n;
    ngx_http_ai_provider_t    **p;
    ngx_http_ai_credential_t   *key;

    p = mcf->providers.elts;

    for (i = 0; i < mcf->providers.nelts; i++) {

        key = p[i]->keys.elts;

        for (n = 0; n < p[i]->keys.nelts; n++) {

            /* an account is changed for tokens, which are renewed anyway */

            if (key[n].refresh && key[n].token == NULL
                && ngx_http_ai_refresh_key(cycle, &key[n]) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_refresh_key(ngx_cycle_t *cycle, ngx_http_ai_credential_t *key)
{
    ngx_event_t         *ev;
    ngx_pool_cleanup_t  *cln;

    ev = ngx_pcalloc(cycle->pool, sizeof(ngx_event_t));
    cln = ngx_pool_cleanup_add(cycle->pool, 0);

    if (ev == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_ai_refresh_cleanup;
    cln->data = key;

    ev->handler = ngx_http_ai_refresh_handler;
    ev->data = key;
    ev->log = cycle->log;
    ev->cancelable = 1;

    key->timer = ev;

    ngx_add_timer(ev, key->refresh);

    return NGX_OK;
}


static void
ngx_http_ai_refresh_cleanup(void *data)
{
    ngx_http_ai_credential_t *key = data;

    if (key->pool) {
        ngx_destroy_pool(key->pool);
        key->pool = NULL;
    }
}


static void
ngx_http_ai_refresh_handler(ngx_event_t *ev)
{
    ngx_http_ai_credential_t  *key;

    key = ev->data;

    ngx_http_ai_refresh_file(key, ev->log);

    ngx_add_timer(ev, key->refresh);
}


/* what cannot be read, or is no key, leaves the one before in force */

static void
ngx_http_ai_refresh_file(ngx_http_ai_credential_t *key, ngx_log_t *log)
{
    ngx_int_t         rc;
    ngx_pool_t       *pool;
    ngx_file_t        file;
    ngx_file_info_t   fi;

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = key->path;
    file.log = log;

    file.fd = ngx_open_file(file.name.data,
                            NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                            NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "key \"%V\": " ngx_open_file_n " \"%V\" failed, the "
                      "worker must be able to read what is refreshed",
                      &key->source, &file.name);
        return;
    }

    pool = ngx_create_pool(NGX_HTTP_AI_REFRESH_POOL, log);
    rc = NGX_ERROR;

    if (pool && ngx_fd_info(file.fd, &fi) != NGX_FILE_ERROR
        && ngx_is_file(&fi))
    {
        /* a time of whole seconds does not tell one from the one before */

        rc = (ngx_file_mtime(&fi) == key->mtime
              && ngx_file_size(&fi) == key->size
              && ngx_file_uniq(&fi) == key->uniq)
             ? NGX_DECLINED
             : ngx_http_ai_refresh_read(key, &file, pool, log);

        if (rc == NGX_OK) {
            key->mtime = ngx_file_mtime(&fi);
            key->size = ngx_file_size(&fi);
            key->uniq = ngx_file_uniq(&fi);
        }
    }

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file.name);
    }

    if (rc == NGX_OK && key->pool) {
        ngx_destroy_pool(key->pool);
    }

    if (rc == NGX_OK) {
        key->pool = pool;

    } else if (pool) {
        ngx_destroy_pool(pool);
    }
}


static ngx_int_t
ngx_http_ai_refresh_read(ngx_http_ai_credential_t *key, ngx_file_t *file,
    ngx_pool_t *pool, ngx_log_t *log)
{
    ssize_t    n;
    u_char     buf[NGX_HTTP_AI_REFRESH_MAX + 1];
    ngx_int_t  rc;

    n = ngx_read_file(file, buf, NGX_HTTP_AI_REFRESH_MAX + 1, 0);

    if (n == NGX_ERROR) {
        return NGX_ERROR;
    }

    while (n && (buf[n - 1] == LF || buf[n - 1] == CR)) {
        n--;
    }

    rc = (n > NGX_HTTP_AI_REFRESH_MAX)
         ? NGX_ERROR
         : ngx_http_ai_refresh_take(key, buf, n, pool);

    ngx_explicit_memzero(buf, sizeof(buf));

    if (rc == NGX_OK) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0, "key \"%V\" was read anew",
                      &key->source);
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "key \"%V\": what \"%V\" holds now is no key, the one "
                  "before is kept", &key->source, &key->path);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_ai_refresh_take(ngx_http_ai_credential_t *key, u_char *p,
    size_t len, ngx_pool_t *pool)
{
    size_t                   i;
    ai_str_t                 text;
    ai_alloc_t               alloc;
    ai_sigv4_credentials_t   aws;

    if (len == 0) {
        return NGX_ERROR;
    }

    if (key->aws) {
        text.data = p;
        text.len = len;

        ngx_http_ai_pool_alloc(pool, &alloc);

        if (ai_credential_aws(&text, &alloc, &aws) != AI_OK
            || aws.secret.len == 0)
        {
            return NGX_ERROR;
        }

        *key->aws = aws;

        return NGX_OK;
    }

    for (i = 0; i < len; i++) {
        if (p[i] <= ' ' || p[i] >= 0x7f) {
            return NGX_ERROR;
        }
    }

    text.data = ngx_pnalloc(pool, len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(text.data, p, len);

    key->value.data = text.data;
    key->value.len = len;

    return NGX_OK;
}

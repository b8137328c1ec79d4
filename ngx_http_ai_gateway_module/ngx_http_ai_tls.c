
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * TLS to a provider: SNI, session reuse, and the proof of who answers, all
 * before the first byte of a request, for it holds the provider's key.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#if (NGX_SSL)

static ngx_int_t ngx_http_ai_tls_server_name(ngx_connection_t *c,
    ngx_http_ai_provider_t *p);
static void ngx_http_ai_tls_save_session(ngx_connection_t *c);
static void ngx_http_ai_tls_keep_session(ngx_http_ai_provider_t *p,
    ngx_connection_t *c);


ngx_int_t
ngx_http_ai_tls_handshake(ngx_http_ai_exchange_t *ex,
    ngx_connection_handler_pt handler)
{
    ngx_int_t                rc;
    ngx_connection_t        *c;
    ngx_http_ai_provider_t  *p;

    c = ex->connection;
    p = ex->provider;

    ex->log->action = "SSL handshaking to ai provider";

    if (ngx_ssl_create_connection(p->ssl, c, NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_ai_tls_server_name(c, p) != NGX_OK) {
        return NGX_ERROR;
    }

    c->sendfile = 0;

    if (p->session && ngx_ssl_set_session(c, p->session) != NGX_OK) {
        return NGX_ERROR;
    }

    c->ssl->save_session = ngx_http_ai_tls_save_session;

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = handler;
    }

    return rc;
}


static ngx_int_t
ngx_http_ai_tls_server_name(ngx_connection_t *c, ngx_http_ai_provider_t *p)
{
#ifdef SSL_CTRL_SET_TLSEXT_HOSTNAME

    ngx_str_t  *name;

    name = &p->ssl_name;

    /* RFC 6066: literal addresses are no server names */

    if (name->len == 0 || name->data[0] == '['
        || ngx_inet_addr(name->data, name->len) != INADDR_NONE)
    {
        return NGX_OK;
    }

    if (SSL_set_tlsext_host_name(c->ssl->connection, (char *) name->data)
        == 0)
    {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name(\"%V\") failed", name);
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


ngx_int_t
ngx_http_ai_tls_verify(ngx_http_ai_exchange_t *ex)
{
    long                     rc;
    ngx_connection_t        *c;
    ngx_http_ai_provider_t  *p;

    c = ex->connection;
    p = ex->provider;

    if (!c->ssl->handshaked) {
        return NGX_ERROR;
    }

    if (!p->ssl_verify) {
        goto verified;
    }

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\": certificate verify error: (%l:%s)",
                      &p->name, rc, X509_verify_cert_error_string(rc));
        return NGX_ERROR;
    }

    if (ngx_ssl_check_host(c, &p->ssl_name) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ex->log, 0,
                      "ai provider \"%V\": certificate does not match \"%V\"",
                      &p->name, &p->ssl_name);
        return NGX_ERROR;
    }

verified:

    if (SSL_version(c->ssl->connection) <= TLS1_2_VERSION
        && !SSL_session_reused(c->ssl->connection))
    {
        ngx_http_ai_tls_keep_session(p, c);
    }

    return NGX_OK;
}


/*
 * TLS 1.3 tickets come with the answer, hence while an exchange is on.  What
 * TLS 1.2 brings within the handshake is taken after the verification: an
 * unverified session would carry its peer past it the next time.
 */

static void
ngx_http_ai_tls_save_session(ngx_connection_t *c)
{
    ngx_http_ai_exchange_t  *ex;

    if (c->idle) {
        return;
    }

    ex = c->data;

    if (ex->state >= NGX_HTTP_AI_EX_WAIT) {
        ngx_http_ai_tls_keep_session(ex->provider, c);
    }
}


static void
ngx_http_ai_tls_keep_session(ngx_http_ai_provider_t *p, ngx_connection_t *c)
{
    ngx_ssl_session_t  *session;

    session = ngx_ssl_get_session(c);
    if (session == NULL) {
        return;
    }

    if (p->session) {
        ngx_ssl_free_session(p->session);
    }

    p->session = session;
}

#endif

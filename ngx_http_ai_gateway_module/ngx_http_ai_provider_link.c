
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Where a provider is and how its connections are secured: the URL, then,
 * once the whole http{} is read, an upstream{} or addresses, and the TLS
 * context.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"
#include "ai_addr.h"


static const char *ngx_http_ai_endpoint_scan(ngx_str_t *url, ngx_str_t *rest,
    ngx_http_ai_provider_t *p);
static ngx_int_t ngx_http_ai_endpoint_names(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p);
static char *ngx_http_ai_provider_upstream(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p);
static char *ngx_http_ai_provider_resolve(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p);
static ngx_uint_t ngx_http_ai_str_same(ngx_str_t *a, ngx_str_t *b);
static ngx_uint_t ngx_http_ai_tls_same(ngx_http_ai_provider_t *a,
    ngx_http_ai_provider_t *b);
#if (NGX_SSL)
static void ngx_http_ai_provider_forget(void *data);
static char *ngx_http_ai_provider_tls(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p);
static char *ngx_http_ai_provider_bundle(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p);
static ngx_int_t ngx_http_ai_tls_create(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p);
#endif


char *
ngx_http_ai_provider_endpoint(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_str_t *what, ngx_str_t *url)
{
    ngx_str_t    rest;
    const char  *err;

    err = ngx_http_ai_endpoint_scan(url, &rest, p);

    if (err != NULL) {

        /* the URL is not repeated: there may be a secret in it */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" of ai_provider \"%V\" %s, expected e.g. "
                           "\"https://api.example.com/v1\", "
                           "\"http://NAME_OF_UPSTREAM\" or "
                           "\"http://unix:/path.sock:/v1\"",
                           what, &p->name, err);
        return NGX_CONF_ERROR;
    }

#if !(NGX_SSL)

    if (p->secure) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" of ai_provider \"%V\" is https, but nginx "
                           "was built without TLS, expected \"http://\"",
                           what, &p->name);
        return NGX_CONF_ERROR;
    }

#endif

    ngx_memzero(&p->url, sizeof(ngx_url_t));

    p->url.url = rest;
    p->url.default_port = p->secure ? 443 : 80;
    p->url.uri_part = 1;
    p->url.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &p->url) != NGX_OK) {

        if (p->url.err) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s in \"%V\" \"%V\" of ai_provider \"%V\"",
                               p->url.err, what, url, &p->name);
        }

        return NGX_CONF_ERROR;
    }

    if (ngx_http_ai_endpoint_names(cf, p) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* the scheme, and what ngx_parse_url() would let pass */

static const char *
ngx_http_ai_endpoint_scan(ngx_str_t *url, ngx_str_t *rest,
    ngx_http_ai_provider_t *p)
{
    u_char      ch;
    ngx_uint_t  i, path;

    if (url->len >= 8
        && ngx_strncasecmp(url->data, (u_char *) "https://", 8) == 0)
    {
        p->secure = 1;
        i = 8;

    } else if (url->len >= 7
               && ngx_strncasecmp(url->data, (u_char *) "http://", 7) == 0)
    {
        p->secure = 0;
        i = 7;

    } else {
        return "has no \"http://\" or \"https://\"";
    }

    rest->data = url->data + i;
    rest->len = url->len - i;

    p->unix_socket = (rest->len >= 5
                      && ngx_strncasecmp(rest->data, (u_char *) "unix:", 5)
                         == 0);
    path = 0;

    for ( /* void */ ; i < url->len; i++) {
        ch = url->data[i];

        if (ch <= ' ' || ch >= 0x7f || ch == '"' || ch == '\\' || ch == '<'
            || ch == '>')
        {
            return "has a character that needs URL-encoding";
        }

        switch (ch) {

        case '$':
            return "has a variable, which is not supported";

        case '?':
            return "has a query, use the directive \"query\" for it";

        case '#':
            return "has a fragment";

        case '@':
            if (!path) {
                return "has a user name, use the directive \"key\" for "
                       "credentials";
            }

            break;

        case '/':
            path = 1;
            break;
        }
    }

    return NULL;
}


/* host, authority and base of the parsed URL */

static ngx_int_t
ngx_http_ai_endpoint_names(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    u_char     *last;
    ngx_str_t   host;

    static ngx_str_t  local = ngx_string("localhost");

    host = p->unix_socket ? local : p->url.host;

    /* IPv6 addresses have brackets in Host, but nowhere else */

    p->authority.data = ngx_pnalloc(cf->pool, host.len + sizeof(":65535"));
    if (p->authority.data == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(p->authority.data, host.data, host.len);
    last = p->authority.data + host.len;

    if (!p->unix_socket && p->url.port != p->url.default_port) {
        last = ngx_sprintf(last, ":%d", (int) p->url.port);
    }

    p->authority.len = last - p->authority.data;

    if (host.len > 2 && host.data[0] == '[') {
        host.data++;
        host.len -= 2;
    }

    p->host.data = ngx_pnalloc(cf->pool, host.len + 1);
    if (p->host.data == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(p->host.data, host.data, host.len);
    p->host.data[host.len] = '\0';
    p->host.len = host.len;

    p->base = p->url.uri;

    while (p->base.len && p->base.data[p->base.len - 1] == '/') {
        p->base.len--;
    }

    return NGX_OK;
}


char *
ngx_http_ai_provider_link(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    /* who sends a signal connects to nobody: do not make it wait for DNS */

    if (ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_CONF_OK;
    }

#if (NGX_SSL)

    if (p->secure && ngx_http_ai_provider_tls(cf, p) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

#endif

    if (ngx_http_ai_provider_upstream(cf, p) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (p->upstream != NULL) {
        return NGX_CONF_OK;
    }

    return ngx_http_ai_provider_resolve(cf, p);
}


/*
 * An upstream{} block of the endpoint's name.  It keeps connections by
 * address alone, so whoever takes one may get a connection that was made,
 * and verified, under another name.
 */

static char *
ngx_http_ai_provider_upstream(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    ngx_uint_t                       i;
    ngx_http_ai_provider_t         **other;
    ngx_http_ai_main_conf_t         *mcf;
    ngx_http_upstream_srv_conf_t   **uscf;
    ngx_http_upstream_main_conf_t   *umcf;

    if (p->unix_socket) {
        return NGX_CONF_OK;
    }

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscf = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if ((uscf[i]->flags & NGX_HTTP_UPSTREAM_CREATE)
            && uscf[i]->host.len == p->host.len
            && ngx_strncasecmp(uscf[i]->host.data, p->host.data, p->host.len)
               == 0)
        {
            break;
        }
    }

    if (i == umcf->upstreams.nelts) {
        return NGX_CONF_OK;
    }

    if (!p->url.no_port) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "endpoint \"%V\" of ai_provider \"%V\" is an "
                               "upstream{}, and may not have a port",
                               &p->endpoint, &p->name);
        return NGX_CONF_ERROR;
    }

    p->upstream = uscf[i];
    p->uconf.upstream = uscf[i];

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ai_gateway_module);
    other = mcf->providers.elts;

    for (i = 0; i < mcf->providers.nelts && other[i] != p; i++) {

        if (other[i]->upstream != p->upstream
            || ngx_http_ai_tls_same(other[i], p))
        {
            continue;
        }

        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "ai_provider \"%V\" and \"%V\" share the "
                               "upstream \"%V\" but not their TLS settings, "
                               "and would get each other's connections: "
                               "give each an upstream{} of its own",
                               &p->name, &other[i]->name, &p->host);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_provider_resolve(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    ngx_uint_t                 resolved;
    ngx_http_core_loc_conf_t  *clcf;

    resolved = (p->url.naddrs == 0);

    if (resolved
        && ngx_inet_resolve_host(cf->pool, &p->url) != NGX_OK)
    {
        if (p->url.err == NULL) {
            return NGX_CONF_ERROR;
        }

        /* that of http{}, which has a dummy unless there is a real one */

        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

        if (clcf->resolver != NULL && clcf->resolver->connections.nelts) {
            return NGX_CONF_OK;
        }

        /* DNS may be down for a while: other providers must still work */

        ngx_http_ai_conf_error(NGX_LOG_WARN, cf, p->file, p->line,
                               "host \"%V\" of ai_provider \"%V\" is not "
                               "found: its requests fail until nginx is "
                               "reloaded, unless there is a \"resolver\"",
                               &p->host, &p->name);
        return NGX_CONF_OK;
    }

    p->addrs = p->url.addrs;
    p->naddrs = p->url.naddrs;

    if (resolved) {
        p->naddrs = ngx_http_ai_provider_allowed(p, p->addrs, p->naddrs);

        if (p->naddrs == 0) {
            ngx_http_ai_conf_error(NGX_LOG_WARN, cf, p->file, p->line,
                                   "host \"%V\" of ai_provider \"%V\" leads "
                                   "to private addresses only, see "
                                   "\"private_addresses\"",
                                   &p->host, &p->name);
        }
    }

    return NGX_CONF_OK;
}


/*
 * DNS must not be able to turn a provider's requests, and its key, to hosts
 * of our own network, and never to the metadata service of a cloud.
 */

ngx_uint_t
ngx_http_ai_provider_allowed(ngx_http_ai_provider_t *p, ngx_addr_t *addrs,
    ngx_uint_t n)
{
    size_t                len;
    u_char               *ip;
    ai_addr_e             kind;
    ngx_uint_t            i, left;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    left = 0;

    for (i = 0; i < n; i++) {

        switch (addrs[i].sockaddr->sa_family) {

#if (NGX_HAVE_INET6)

        case AF_INET6:
            sin6 = (struct sockaddr_in6 *) addrs[i].sockaddr;
            ip = sin6->sin6_addr.s6_addr;
            len = 16;
            break;

#endif

        default: /* AF_INET */
            sin = (struct sockaddr_in *) addrs[i].sockaddr;
            ip = (u_char *) &sin->sin_addr.s_addr;
            len = 4;
        }

        kind = ai_addr_kind(ip, len);

        if (kind == AI_ADDR_PUBLIC
            || (kind == AI_ADDR_PRIVATE && p->private_addresses))
        {
            addrs[left++] = addrs[i];
        }
    }

    return left;
}


#if (NGX_SSL)

/* the session that a worker has kept */

static void
ngx_http_ai_provider_forget(void *data)
{
    ngx_http_ai_provider_t  *p = data;

    if (p->session) {
        ngx_ssl_free_session(p->session);
        p->session = NULL;
    }
}

#endif


static ngx_uint_t
ngx_http_ai_str_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


/* whether a connection made for a may be used for b */

static ngx_uint_t
ngx_http_ai_tls_same(ngx_http_ai_provider_t *a, ngx_http_ai_provider_t *b)
{
    if (a->secure != b->secure) {
        return 0;
    }

    if (!a->secure) {
        return 1;
    }

    return a->ssl_verify == b->ssl_verify
           && a->ssl_verify_depth == b->ssl_verify_depth
           && a->ssl_protocols == b->ssl_protocols
           && ngx_http_ai_str_same(&a->ssl_name, &b->ssl_name)
           && ngx_http_ai_str_same(&a->ssl_ciphers, &b->ssl_ciphers)
           && ngx_http_ai_str_same(&a->ssl_trusted_certificate,
                                   &b->ssl_trusted_certificate)
           && ngx_http_ai_str_same(&a->ssl_certificate, &b->ssl_certificate)
           && ngx_http_ai_str_same(&a->ssl_certificate_key,
                                   &b->ssl_certificate_key);
}


#if (NGX_SSL)

static char *
ngx_http_ai_provider_tls(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    if (!p->ssl_verify) {
        ngx_http_ai_conf_error(NGX_LOG_WARN, cf, p->file, p->line,
                               "\"ssl_verify\" is off in ai_provider \"%V\": "
                               "whoever answers in its place gets its keys",
                               &p->name);
    }

    if (p->ssl_verify && p->ssl_trusted_certificate.len == 0
        && ngx_http_ai_provider_bundle(cf, p) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_ai_tls_create(cf, p) != NGX_OK) {
        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                               "cannot set up TLS of ai_provider \"%V\", see "
                               "the message above", &p->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* the certificates that the system trusts, by distribution */

static char *
ngx_http_ai_provider_bundle(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    ngx_uint_t       i;
    ngx_file_info_t  fi;

    static ngx_str_t  bundles[] = {
        ngx_string("/etc/ssl/certs/ca-certificates.crt"),
        ngx_string("/etc/pki/tls/certs/ca-bundle.crt"),
        ngx_string("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
        ngx_string("/etc/ssl/ca-bundle.pem"),
        ngx_string("/etc/ssl/cert.pem"),
        ngx_string("/usr/local/etc/ssl/cert.pem"),
        ngx_string("/usr/local/share/certs/ca-root-nss.crt")
    };

    for (i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++) {

        if (ngx_file_info(bundles[i].data, &fi) != NGX_FILE_ERROR
            && ngx_is_file(&fi))
        {
            p->ssl_trusted_certificate = bundles[i];
            return NGX_CONF_OK;
        }
    }

    ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, p->file, p->line,
                           "no bundle of trusted certificates is found for "
                           "ai_provider \"%V\": install the package "
                           "ca-certificates, or set "
                           "\"ssl_trusted_certificate\"", &p->name);

    return NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_ai_tls_create(ngx_conf_t *cf, ngx_http_ai_provider_t *p)
{
    ngx_str_t            cert, key;
    ngx_pool_cleanup_t  *cln;

    p->ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (p->ssl == NULL) {
        return NGX_ERROR;
    }

    p->ssl->log = cf->log;

    if (ngx_ssl_create(p->ssl, p->ssl_protocols, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(p->ssl);
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = p->ssl;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_ai_provider_forget;
    cln->data = p;

    if (ngx_ssl_ciphers(cf, p->ssl, &p->ssl_ciphers, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    /* copies: these functions make the names full in place */

    if (p->ssl_certificate.len) {
        cert = p->ssl_certificate;
        key = p->ssl_certificate_key;

        if (ngx_ssl_certificate(cf, p->ssl, &cert, &key, NULL) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (p->ssl_verify) {
        cert = p->ssl_trusted_certificate;

        if (ngx_ssl_trusted_certificate(cf, p->ssl, &cert,
                                        p->ssl_verify_depth)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_ssl_client_session_cache(cf, p->ssl, 1);
}

#endif

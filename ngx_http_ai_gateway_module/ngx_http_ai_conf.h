
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The configuration: what the blocks and switches say, as it is linked once
 * the whole http{} is read.
 */


#ifndef _NGX_HTTP_AI_CONF_H_INCLUDED_
#define _NGX_HTTP_AI_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include "ai_dialect.h"
#include "ai_pattern.h"
#include "ai_sigv4.h"
#include "ai_vendor.h"


typedef struct ngx_http_ai_tier_s  ngx_http_ai_tier_t;


typedef struct ngx_http_ai_token_s  ngx_http_ai_token_t;


/* one "key" of a provider; the value never leaves the request head */

typedef struct {
    ngx_str_t                        value;
    ngx_str_t                        source;    /* "env:NAME", for logs */
    ai_sigv4_credentials_t          *aws;       /* of AI_AUTH_SIGV4 */
    ngx_http_ai_token_t             *token;     /* of AI_AUTH_GOOGLE */
    ngx_str_t                        path;      /* of a file, NUL follows */
    ngx_msec_t                       refresh;   /* read anew, 0: never */
    ngx_event_t                     *timer;     /* of this worker */
    ngx_pool_t                      *pool;      /* of what it read last */
    time_t                           mtime;     /* of the file as it was */
    off_t                            size;
    ngx_file_uniq_t                  uniq;
    ngx_int_t                        weight;
    ngx_int_t                        current;   /* smooth round robin, of
                                                   this worker */
    u_char                          *file;
    ngx_uint_t                       line;
} ngx_http_ai_credential_t;


struct ngx_http_ai_provider_s {
    ngx_str_t                        name;
    ngx_str_t                        preset;
    const ai_dialect_t              *dialect;
    ngx_uint_t                       auth;      /* ai_auth_e */
    const ai_vendor_t               *vendor;    /* of the preset, or generic */

    ngx_str_t                        project;
    ngx_str_t                        region;
    ngx_str_t                        api_version;

    ngx_str_t                        endpoint;  /* as it was written */
    ngx_str_t                        without_key;
    ngx_str_t                        host;      /* no port, NUL follows */
    ngx_str_t                        authority; /* for Host, with the port
                                                   unless it is the default */
    ngx_str_t                        base;      /* path, no trailing "/" */
    ngx_url_t                        url;       /* of endpoint, parsed */

    ngx_array_t                      keys;      /* ngx_http_ai_credential_t */
    ngx_array_t                     *headers;   /* ngx_keyval_t */
    ngx_array_t                     *queries;   /* ngx_keyval_t */

    ngx_flag_t                       private_addresses; /* its name may
                                                   lead to one */
    ngx_flag_t                       stream_usage;  /* understands
                                                   stream_options */

    ngx_msec_t                       connect_timeout;
    ngx_msec_t                       first_token_timeout;
    ngx_msec_t                       idle_timeout;
    ngx_msec_t                       timeout;

    ngx_uint_t                       keepalive;
    ngx_msec_t                       keepalive_timeout;
    ngx_uint_t                       keepalive_requests;

    ngx_flag_t                       ssl_verify;
    ngx_uint_t                       ssl_verify_depth;
    ngx_uint_t                       ssl_protocols;
    ngx_str_t                        ssl_ciphers;
    ngx_str_t                        ssl_name;  /* NUL follows */
    ngx_str_t                        ssl_trusted_certificate;
    ngx_str_t                        ssl_certificate;
    ngx_str_t                        ssl_certificate_key;

#if (NGX_SSL)
    ngx_ssl_t                       *ssl;       /* NULL: plain text */
    ngx_ssl_session_t               *session;   /* of this worker */
#endif

    /* either an upstream{} of that name, or addresses */
    ngx_http_upstream_srv_conf_t    *upstream;
    ngx_http_upstream_conf_t         uconf;     /* identity for keepalive */
    ngx_addr_t                      *addrs;     /* as resolved at load */
    ngx_uint_t                       naddrs;

    /* of this worker */
    ngx_queue_t                      idle;      /* ngx_http_ai_idle_t */
    ngx_uint_t                       nidle;
    ngx_uint_t                       next;      /* address to begin with */

    u_char                          *file;      /* where it was declared */
    ngx_uint_t                       line;

    unsigned                         secure:1;  /* https */
    unsigned                         unix_socket:1;
    unsigned                         no_key:1;  /* "key none", or without_key
                                                   is in force */
};


/* where a tier sends to; model "*" is the one that the client named */

typedef struct {
    ngx_str_t                        name;      /* "PROVIDER/MODEL" */
    ngx_http_ai_provider_t          *provider;
    ngx_str_t                        model;
    u_char                          *file;
    ngx_uint_t                       line;
} ngx_http_ai_target_t;


struct ngx_http_ai_tier_s {
    ngx_str_t                        name;
    ngx_array_t                      aliases;   /* ngx_http_ai_alias_t */
    ngx_array_t                      targets;   /* ngx_http_ai_target_t */
    ngx_flag_t                       is_default;
    u_char                          *file;
    ngx_uint_t                       line;
};


typedef struct {
    ngx_str_t                        pattern;
    u_char                          *file;
    ngx_uint_t                       line;
} ngx_http_ai_alias_t;


/* where a directive is, to check what it says once all is read */

typedef struct {
    ngx_str_t                        name;
    ngx_http_core_srv_conf_t        *server;
    u_char                          *file;
    ngx_uint_t                       line;
} ngx_http_ai_use_t;


typedef struct {
    ngx_array_t                      providers; /* of pointers */
    ngx_array_t                      tiers;     /* of pointers */
    ngx_array_t                      gateways;  /* ngx_http_ai_use_t */
    ngx_array_t                      routes;    /* ngx_http_ai_use_t */
    ngx_http_ai_tier_t              *default_tier;
    ai_pattern_set_t                *names;     /* alias -> tier */
    time_t                           loaded;    /* "created" of models */
} ngx_http_ai_main_conf_t;


#define NGX_HTTP_AI_HEADERS_OFF       0x01
#define NGX_HTTP_AI_HEADERS_ROUTE     0x02
#define NGX_HTTP_AI_HEADERS_TIMING    0x04
#define NGX_HTTP_AI_HEADERS_UPSTREAM  0x08

/* what becomes of a request that the target cannot be asked all of */

typedef enum {
    NGX_HTTP_AI_UNSUPPORTED_DROP = 0,
    NGX_HTTP_AI_UNSUPPORTED_WARN,
    NGX_HTTP_AI_UNSUPPORTED_REJECT
} ngx_http_ai_unsupported_e;


typedef struct {
    ngx_flag_t                       gateway;
    ngx_http_complex_value_t        *route;
    ngx_uint_t                       headers;   /* NGX_HTTP_AI_HEADERS_... */
    ngx_array_t                     *cors;      /* ngx_str_t, or NULL */
    time_t                           cors_max_age;
    size_t                           max_response;
    size_t                           max_event;
    ngx_uint_t                       unsupported;
    void                            *mock;      /* of ngx_http_ai_mock.c */
} ngx_http_ai_loc_conf_t;


/* ngx_http_ai_conf.c: named blocks, linking */

char *ngx_http_ai_provider_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Parses a block of a table of commands into conf; the block's name is for
 * messages.  Restores *cf.  Returns NGX_CONF_OK or NGX_CONF_ERROR, logged.
 */
char *ngx_http_ai_conf_block(ngx_conf_t *cf, ngx_command_t *commands,
    void *conf, ngx_str_t *name);

/* logs "... in FILE:LINE" for checks that run after the parsing */
void ngx_http_ai_conf_error(ngx_uint_t level, ngx_conf_t *cf, u_char *file,
    ngx_uint_t line, const char *fmt, ...);

/*
 * Logs that value is none of the names (ngx_str_t) that the directive what
 * takes, and which is the nearest.  Returns NGX_CONF_ERROR.
 */
char *ngx_http_ai_conf_expect(ngx_conf_t *cf, ngx_str_t *what,
    ngx_str_t *value, ngx_array_t *names);

/* ", did you mean \"NAME\"?" of the nearest name (ngx_str_t), or empty */
ngx_str_t ngx_http_ai_conf_nearest(ngx_conf_t *cf, ngx_str_t *value,
    ngx_array_t *names);

/* once the whole http{} is read: names to pointers, addresses, TLS */
char *ngx_http_ai_conf_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf);

ngx_http_ai_provider_t *ngx_http_ai_provider_find(
    ngx_http_ai_main_conf_t *mcf, ngx_str_t *name);


/* ngx_http_ai_tier.c: directives of the block, targets, names */

char *ngx_http_ai_tier_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ai_tiers_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf);
ngx_http_ai_tier_t *ngx_http_ai_tier_find(ngx_http_ai_main_conf_t *mcf,
    ngx_str_t *name);


/* ngx_http_ai_provider.c: directives of the block, keys, endpoint, TLS */

ngx_http_ai_provider_t *ngx_http_ai_provider_create(ngx_conf_t *cf,
    ngx_str_t *name);
extern ngx_command_t  ngx_http_ai_provider_commands[];


/* ngx_http_ai_preset.c: vendors */

/* post handler of "preset" */
char *ngx_http_ai_preset_check(ngx_conf_t *cf, void *post, void *data);

/* at the end of the block: what it leaves open comes from the preset and
 * the defaults; errors are logged */
char *ngx_http_ai_provider_check(ngx_conf_t *cf, ngx_http_ai_provider_t *p);

/* what is left open by then gets its default */
void ngx_http_ai_provider_defaults(ngx_http_ai_provider_t *p);

/* ngx_http_ai_provider_key.c: the directive "key" reads a credential, and
 * once the block is read, it is decided what to do about those not set */

char *ngx_http_ai_provider_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_ai_provider_keys_check(ngx_conf_t *cf,
    ngx_http_ai_provider_t *p);


/* ngx_http_ai_refresh.c: keys whose files change while workers run */
ngx_int_t ngx_http_ai_refresh_init(ngx_cycle_t *cycle,
    ngx_http_ai_main_conf_t *mcf);


/* ngx_http_ai_token.c: what an account of Google Cloud is made of, and, once
 * the whole http{} is read, where its token endpoint is */

char *ngx_http_ai_token_conf(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_http_ai_credential_t *key);
char *ngx_http_ai_token_link(ngx_conf_t *cf, ngx_http_ai_token_t *token);


/* ngx_http_ai_provider_link.c */

/* URL to host, authority, base, url, secure, unix_socket; errors are logged
 * at the current line as those of the directive what */
char *ngx_http_ai_provider_endpoint(ngx_conf_t *cf, ngx_http_ai_provider_t *p,
    ngx_str_t *what, ngx_str_t *url);

/*
 * Leaves of n addresses that a name was resolved to those that the provider
 * may be reached at, in their order; returns how many.
 */
ngx_uint_t ngx_http_ai_provider_allowed(ngx_http_ai_provider_t *p,
    ngx_addr_t *addrs, ngx_uint_t n);

/* endpoint to upstream{} or addresses, TLS context */
char *ngx_http_ai_provider_link(ngx_conf_t *cf, ngx_http_ai_provider_t *p);


#endif /* _NGX_HTTP_AI_CONF_H_INCLUDED_ */

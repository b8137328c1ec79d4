
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Named blocks: a walker over a table of commands, the messages that tell
 * what was expected and where, and the checks that need the whole http{}
 * to be read.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ai_suggest.h"
#include "ngx_http_ai_gateway.h"


/* what the handler of a block needs to know */

typedef struct {
    ngx_str_t                        kind;      /* "ai_provider" */
    ngx_str_t                        name;
    ngx_command_t                   *commands;
    void                            *conf;
} ngx_http_ai_block_t;


static char *ngx_http_ai_conf_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_http_ai_conf_unknown(ngx_conf_t *cf,
    ngx_http_ai_block_t *block);
static char *ngx_http_ai_conf_failed(ngx_conf_t *cf,
    ngx_http_ai_block_t *block, ngx_command_t *cmd, const char *err);
static ngx_uint_t ngx_http_ai_conf_nargs(ngx_command_t *cmd, ngx_uint_t n);
static char *ngx_http_ai_conf_name(ngx_conf_t *cf, ngx_str_t *name);
static char *ngx_http_ai_conf_listen(ngx_conf_t *cf,
    ngx_http_ai_main_conf_t *mcf);
static ngx_http_conf_addr_t *ngx_http_ai_conf_exposed(
    ngx_http_core_main_conf_t *cmcf, ngx_http_core_srv_conf_t *cscf);
static ngx_uint_t ngx_http_ai_conf_loopback(struct sockaddr *sa);


char *
ngx_http_ai_provider_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_main_conf_t *mcf = conf;

    ngx_str_t               *value;
    ngx_http_ai_provider_t  *p, **pp;

    value = cf->args->elts;

    if (ngx_http_ai_conf_name(cf, &value[1]) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    p = ngx_http_ai_provider_find(mcf, &value[1]);

    if (p != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate ai_provider \"%V\", the first is in "
                           "%s:%ui", &p->name, p->file, p->line);
        return NGX_CONF_ERROR;
    }

    p = ngx_http_ai_provider_create(cf, &value[1]);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    pp = ngx_array_push(&mcf->providers);
    if (pp == NULL) {
        return NGX_CONF_ERROR;
    }

    *pp = p;

    if (ngx_http_ai_conf_block(cf, ngx_http_ai_provider_commands, p, &p->name)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_ai_provider_check(cf, p);
}


/* it is in log lines, headers and "PROVIDER/MODEL" */

static char *
ngx_http_ai_conf_name(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

    for (i = 0; i < name->len && i < 64; i++) {
        ch = name->data[i];

        if ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
            || (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_'
            || ch == '.')
        {
            continue;
        }

        break;
    }

    if (i == 0 || i < name->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\", expected up to 64 letters, "
                           "digits, \"-\", \"_\" and \".\"", name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_ai_conf_block(ngx_conf_t *cf, ngx_command_t *commands, void *conf,
    ngx_str_t *name)
{
    char                 *rv;
    ngx_conf_t            save;
    ngx_str_t            *value;
    ngx_http_ai_block_t   block;

    value = cf->args->elts;

    block.kind = value[0];
    block.name = *name;
    block.commands = commands;
    block.conf = conf;

    save = *cf;

    cf->handler = ngx_http_ai_conf_directive;
    cf->handler_conf = (void *) &block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_http_ai_conf_directive(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_ai_block_t *block = conf;

    char           *rv;
    ngx_str_t      *value;
    ngx_command_t  *cmd;

    static ngx_command_t  include = {
        ngx_string("include"), NGX_CONF_TAKE1, ngx_conf_include, 0, 0, NULL
    };

    value = cf->args->elts;

    for (cmd = block->commands; cmd->name.len; cmd++) {
        if (cmd->name.len == value[0].len
            && ngx_strcmp(cmd->name.data, value[0].data) == 0)
        {
            break;
        }
    }

    if (cmd->name.len == 0) {

        if (ngx_strcmp(value[0].data, "include") != 0) {
            return ngx_http_ai_conf_unknown(cf, block);
        }

        cmd = &include;
    }

    if (!ngx_http_ai_conf_nargs(cmd, cf->args->nelts)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number of arguments in \"%V\" directive "
                           "of %V \"%V\"",
                           &cmd->name, &block->kind, &block->name);
        return NGX_CONF_ERROR;
    }

    rv = cmd->set(cf, cmd, block->conf);

    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
        return rv;
    }

    return ngx_http_ai_conf_failed(cf, block, cmd, rv);
}


static char *
ngx_http_ai_conf_unknown(ngx_conf_t *cf, ngx_http_ai_block_t *block)
{
    ngx_str_t      *s, *value, hint;
    ngx_array_t     names;
    ngx_command_t  *cmd;

    if (ngx_array_init(&names, cf->temp_pool, 32, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (cmd = block->commands; cmd->name.len; cmd++) {
        s = ngx_array_push(&names);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = cmd->name;
    }

    value = cf->args->elts;
    hint = ngx_http_ai_conf_nearest(cf, &value[0], &names);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown directive \"%V\" in %V \"%V\"%V",
                       &value[0], &block->kind, &block->name, &hint);

    return NGX_CONF_ERROR;
}


/* the standard setters tell that a value is invalid, but not what is valid */

static char *
ngx_http_ai_conf_failed(ngx_conf_t *cf, ngx_http_ai_block_t *block,
    ngx_command_t *cmd, const char *err)
{
    const char  *expected;

    expected = "";

    if (ngx_strcmp(err, "invalid value") == 0
        || ngx_strcmp(err, "invalid number") == 0)
    {
        err = "has an invalid value";

        if (cmd->set == ngx_conf_set_msec_slot) {
            expected = ", expected a time, e.g. \"30s\" or \"500ms\"";

        } else if (cmd->set == ngx_conf_set_num_slot) {
            expected = ", expected a number";
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive of %V \"%V\" "
                       "%s%s", &cmd->name, &block->kind, &block->name, err,
                       expected);

    return NGX_CONF_ERROR;
}


/* n counts the name of the directive, as cf->args->nelts does */

static ngx_uint_t
ngx_http_ai_conf_nargs(ngx_command_t *cmd, ngx_uint_t n)
{
    static const ngx_uint_t  number[] = {
        NGX_CONF_NOARGS,
        NGX_CONF_TAKE1,
        NGX_CONF_TAKE2,
        NGX_CONF_TAKE3,
        NGX_CONF_TAKE4,
        NGX_CONF_TAKE5,
        NGX_CONF_TAKE6,
        NGX_CONF_TAKE7
    };

    if (cmd->type & NGX_CONF_FLAG) {
        return n == 2;
    }

    if (cmd->type & NGX_CONF_1MORE) {
        return n >= 2;
    }

    if (n > NGX_CONF_MAX_ARGS) {
        return 0;
    }

    return (cmd->type & number[n - 1]) != 0;
}


void
ngx_http_ai_conf_error(ngx_uint_t level, ngx_conf_t *cf, u_char *file,
    ngx_uint_t line, const char *fmt, ...)
{
    u_char   errstr[NGX_MAX_CONF_ERRSTR], *p, *last;
    va_list  args;

    last = errstr + NGX_MAX_CONF_ERRSTR;

    va_start(args, fmt);
    p = ngx_vslprintf(errstr, last, fmt, args);
    va_end(args);

    ngx_log_error(level, cf->log, 0, "%*s in %s:%ui",
                  (size_t) (p - errstr), errstr, file, line);
}


char *
ngx_http_ai_conf_expect(ngx_conf_t *cf, ngx_str_t *what, ngx_str_t *value,
    ngx_array_t *names)
{
    u_char      list[NGX_MAX_CONF_ERRSTR], *p, *last;
    ngx_str_t  *name, hint;
    ngx_uint_t  i;

    hint = ngx_http_ai_conf_nearest(cf, value, names);

    if (hint.len == 0) {
        p = ngx_cpymem(list, ", expected ", sizeof(", expected ") - 1);
        last = list + NGX_MAX_CONF_ERRSTR;
        name = names->elts;

        for (i = 0; i < names->nelts; i++) {

            if (i) {
                p = ngx_slprintf(p, last, (i + 1 == names->nelts) ? " or "
                                                                  : ", ");
            }

            p = ngx_slprintf(p, last, "\"%V\"", &name[i]);
        }

        hint.data = list;
        hint.len = p - list;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown value \"%V\" in \"%V\"%V",
                       value, what, &hint);

    return NGX_CONF_ERROR;
}


ngx_str_t
ngx_http_ai_conf_nearest(ngx_conf_t *cf, ngx_str_t *value, ngx_array_t *names)
{
    u_char     *p;
    size_t      len;
    ai_str_t   *name;
    ngx_str_t   hint;

    ngx_str_null(&hint);

    name = ai_suggest(ngx_http_ai_str(value), names->elts, names->nelts);
    if (name == NULL) {
        return hint;
    }

    len = sizeof(", did you mean \"\"?") - 1 + name->len;

    p = ngx_pnalloc(cf->temp_pool, len);
    if (p == NULL) {
        return hint;
    }

    hint.data = p;
    hint.len = ngx_sprintf(p, ", did you mean \"%V\"?",
                           ngx_http_ai_ngx(name)) - p;

    return hint;
}


ngx_http_ai_provider_t *
ngx_http_ai_provider_find(ngx_http_ai_main_conf_t *mcf, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_http_ai_provider_t  **p;

    p = mcf->providers.elts;

    for (i = 0; i < mcf->providers.nelts; i++) {

        if (p[i]->name.len == name->len
            && ngx_memcmp(p[i]->name.data, name->data, name->len) == 0)
        {
            return p[i];
        }
    }

    return NULL;
}


char *
ngx_http_ai_conf_link(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf)
{
    ngx_uint_t                  i, n;
    ngx_http_ai_use_t          *use;
    ngx_http_ai_provider_t    **p;
    ngx_http_ai_credential_t   *key;

    p = mcf->providers.elts;

    for (i = 0; i < mcf->providers.nelts; i++) {
        if (ngx_http_ai_provider_link(cf, p[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        key = p[i]->keys.elts;

        for (n = 0; n < p[i]->keys.nelts; n++) {

            if (key[n].token
                && ngx_http_ai_token_link(cf, key[n].token) != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }
        }
    }

    if (ngx_http_ai_tiers_link(cf, mcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (mcf->gateways.nelts == 0) {
        return NGX_CONF_OK;
    }

    if (mcf->providers.nelts == 0) {
        use = mcf->gateways.elts;

        ngx_http_ai_conf_error(NGX_LOG_EMERG, cf, use->file, use->line,
                               "\"ai_gateway\" is on but there is no "
                               "ai_provider, expected e.g. \"ai_provider "
                               "openai { key env:OPENAI_API_KEY; }\"");
        return NGX_CONF_ERROR;
    }

    return ngx_http_ai_conf_listen(cf, mcf);
}


/* warns of servers where whoever comes spends the operator's money */

static char *
ngx_http_ai_conf_listen(ngx_conf_t *cf, ngx_http_ai_main_conf_t *mcf)
{
    ngx_uint_t                  i, k;
    ngx_http_ai_use_t          *use;
    ngx_http_conf_addr_t       *addr;
    ngx_http_ai_provider_t    **p;
    ngx_http_core_main_conf_t  *cmcf;

    p = mcf->providers.elts;

    for (i = 0; i < mcf->providers.nelts; i++) {
        if (!p[i]->no_key) {
            break;
        }
    }

    if (i == mcf->providers.nelts || ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_CONF_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    use = mcf->gateways.elts;

    for (i = 0; i < mcf->gateways.nelts; i++) {

        for (k = 0; k < i; k++) {
            if (use[k].server == use[i].server) {
                break;
            }
        }

        if (k < i) {
            continue;
        }

        addr = ngx_http_ai_conf_exposed(cmcf, use[i].server);

        if (addr == NULL) {
            continue;
        }

        ngx_http_ai_conf_error(NGX_LOG_WARN, cf, use[i].file, use[i].line,
                               "\"ai_gateway\" asks for no key of its own "
                               "and %V is not loopback: anyone who reaches "
                               "it can spend your provider key",
                               &addr->opt.addr_text);
    }

    return NGX_CONF_OK;
}


static ngx_http_conf_addr_t *
ngx_http_ai_conf_exposed(ngx_http_core_main_conf_t *cmcf,
    ngx_http_core_srv_conf_t *cscf)
{
    ngx_uint_t                  i, k, n;
    ngx_http_conf_addr_t       *addr;
    ngx_http_conf_port_t       *port;
    ngx_http_core_srv_conf_t  **server;

    if (cmcf->ports == NULL) {
        return NULL;
    }

    port = cmcf->ports->elts;

    for (i = 0; i < cmcf->ports->nelts; i++) {

        addr = port[i].addrs.elts;

        for (k = 0; k < port[i].addrs.nelts; k++) {

            if (ngx_http_ai_conf_loopback(addr[k].opt.sockaddr)) {
                continue;
            }

            server = addr[k].servers.elts;

            for (n = 0; n < addr[k].servers.nelts; n++) {
                if (server[n] == cscf) {
                    return &addr[k];
                }
            }
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_ai_conf_loopback(struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr) != 0;
#endif

    default: /* AF_UNIX */
        return 1;
    }
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The module object: the directives of http, server and location, and what
 * every other file takes from nginx: memory and time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_MAX_RESPONSE  (32 * 1024 * 1024)
#define NGX_HTTP_AI_MAX_EVENT     (1024 * 1024)
#define NGX_HTTP_AI_CORS_MAX_AGE  600


static ngx_int_t ngx_http_ai_preconfiguration(ngx_conf_t *cf);
static void *ngx_http_ai_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_ai_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_ai_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_ai_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_ai_error_pages(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf);
static char *ngx_http_ai_gateway_on(ngx_conf_t *cf, void *post, void *data);
static char *ngx_http_ai_route_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_response_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ai_cors_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_ai_origin_check(ngx_str_t *origin);
static char *ngx_http_ai_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_ai_init_process(ngx_cycle_t *cycle);
static void *ngx_http_ai_palloc(void *data, size_t size);


static ngx_conf_post_t  ngx_http_ai_gateway_post = {
    ngx_http_ai_gateway_on
};


static const ngx_conf_bitmask_t  ngx_http_ai_headers[] = {
    { ngx_string("off"), NGX_HTTP_AI_HEADERS_OFF },
    { ngx_string("route"), NGX_HTTP_AI_HEADERS_ROUTE },
    { ngx_string("timing"), NGX_HTTP_AI_HEADERS_TIMING },
    { ngx_string("upstream"), NGX_HTTP_AI_HEADERS_UPSTREAM },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_ai_unsupported[] = {
    { ngx_string("drop"), NGX_HTTP_AI_UNSUPPORTED_DROP },
    { ngx_string("warn"), NGX_HTTP_AI_UNSUPPORTED_WARN },
    { ngx_string("reject"), NGX_HTTP_AI_UNSUPPORTED_REJECT },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_ai_gateway_commands[] = {

    { ngx_string("ai_provider"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_ai_provider_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ai_tier"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_ai_tier_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ai_gateway"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ai_loc_conf_t, gateway),
      &ngx_http_ai_gateway_post },

    { ngx_string("ai_route"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ai_route_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ai_loc_conf_t, route),
      NULL },

    { ngx_string("ai_response_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ai_response_headers,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ai_cors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_ai_cors_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ai_max_response"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ai_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ai_loc_conf_t, max_response),
      NULL },

    { ngx_string("ai_max_event"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ai_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ai_loc_conf_t, max_event),
      NULL },

    { ngx_string("ai_unsupported"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ai_loc_conf_t, unsupported),
      &ngx_http_ai_unsupported },

    { ngx_string("ai_mock"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_ai_mock,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_ai_gateway_module_ctx = {
    ngx_http_ai_preconfiguration,          /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_ai_create_main_conf,          /* create main configuration */
    ngx_http_ai_init_main_conf,            /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_ai_create_loc_conf,           /* create location configuration */
    ngx_http_ai_merge_loc_conf             /* merge location configuration */
};


ngx_module_t  ngx_http_ai_gateway_module = {
    NGX_MODULE_V1,
    &ngx_http_ai_gateway_module_ctx,       /* module context */
    ngx_http_ai_gateway_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_ai_init_process,              /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_ai_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_ai_variables_add(cf);
}


static void *
ngx_http_ai_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_ai_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ai_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mcf->default_tier = NULL;
     *     mcf->names = NULL;
     */

    if (ngx_array_init(&mcf->providers, cf->pool, 4,
                       sizeof(ngx_http_ai_provider_t *))
        != NGX_OK
        || ngx_array_init(&mcf->tiers, cf->pool, 4,
                          sizeof(ngx_http_ai_tier_t *))
           != NGX_OK
        || ngx_array_init(&mcf->gateways, cf->pool, 4,
                          sizeof(ngx_http_ai_use_t))
           != NGX_OK
        || ngx_array_init(&mcf->routes, cf->pool, 4,
                          sizeof(ngx_http_ai_use_t))
           != NGX_OK)
    {
        return NULL;
    }

    mcf->loaded = ngx_time();

    return mcf;
}


static char *
ngx_http_ai_init_main_conf(ngx_conf_t *cf, void *conf)
{
    return ngx_http_ai_conf_link(cf, conf);
}


static void *
ngx_http_ai_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_ai_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ai_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     lcf->route = NULL;
     *     lcf->headers = 0;
     *     lcf->cors_max_age = 0;
     *     lcf->mock = NULL;
     */

    lcf->gateway = NGX_CONF_UNSET;
    lcf->cors = NGX_CONF_UNSET_PTR;
    lcf->max_response = NGX_CONF_UNSET_SIZE;
    lcf->max_event = NGX_CONF_UNSET_SIZE;
    lcf->unsupported = NGX_CONF_UNSET_UINT;

    return lcf;
}


static char *
ngx_http_ai_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_ai_loc_conf_t *prev = parent;
    ngx_http_ai_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_value(conf->gateway, prev->gateway, 0);

    if (conf->route == NULL) {
        conf->route = prev->route;
    }

    ngx_conf_merge_bitmask_value(conf->headers, prev->headers,
                                 NGX_HTTP_AI_HEADERS_ROUTE);

    if (conf->cors == NGX_CONF_UNSET_PTR) {
        conf->cors_max_age = prev->cors_max_age;
        ngx_conf_merge_ptr_value(conf->cors, prev->cors, NULL);
    }

    ngx_conf_merge_size_value(conf->max_response, prev->max_response,
                              NGX_HTTP_AI_MAX_RESPONSE);
    ngx_conf_merge_uint_value(conf->unsupported, prev->unsupported,
                              NGX_HTTP_AI_UNSUPPORTED_DROP);
    ngx_conf_merge_size_value(conf->max_event, prev->max_event,
                              NGX_HTTP_AI_MAX_EVENT);

    /*
     * The gateway goes on in "if", "limit_except" and nested locations,
     * unless they have a handler of their own.
     */

    if (conf->gateway) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

        if (clcf->handler == NULL) {
            clcf->handler = ngx_http_ai_handler;
        }

        return ngx_http_ai_error_pages(cf, clcf);
    }

    return NGX_CONF_OK;
}


/*
 * What nginx refuses before our handler is called, it would tell in HTML.
 * The request comes back to the same location instead, unless error_page
 * says something else for that status.
 */

static char *
ngx_http_ai_error_pages(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf)
{
    ngx_uint_t                         i, j;
    ngx_array_t                       *pages;
    ngx_http_err_page_t               *page, *set;
    ngx_http_compile_complex_value_t   ccv;

    static ngx_str_t   uri = ngx_string("$uri");
    static ngx_uint_t  statuses[] = {
        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
        NGX_HTTP_TOO_MANY_REQUESTS,
        NGX_HTTP_SERVICE_UNAVAILABLE
    };

    /* the array may be that of the server, and of other locations */

    pages = ngx_array_create(cf->pool, 4, sizeof(ngx_http_err_page_t));
    if (pages == NULL) {
        return NGX_CONF_ERROR;
    }

    set = clcf->error_pages ? clcf->error_pages->elts : NULL;

    for (i = 0; set && i < clcf->error_pages->nelts; i++) {
        page = ngx_array_push(pages);
        if (page == NULL) {
            return NGX_CONF_ERROR;
        }

        *page = set[i];
    }

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {

        set = pages->elts;

        for (j = 0; j < pages->nelts; j++) {
            if (set[j].status == (ngx_int_t) statuses[i]) {
                break;
            }
        }

        if (j < pages->nelts) {
            continue;
        }

        page = ngx_array_push(pages);
        if (page == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(page, sizeof(ngx_http_err_page_t));
        page->status = statuses[i];
        page->overwrite = -1;

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = &uri;
        ccv.complex_value = &page->value;

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    clcf->error_pages = pages;

    return NGX_CONF_OK;
}


/* remembers the server for the checks of ngx_http_ai_conf_link() */

static char *
ngx_http_ai_gateway_on(ngx_conf_t *cf, void *post, void *data)
{
    ngx_flag_t  *flag = data;

    ngx_http_ai_use_t        *use;
    ngx_http_ai_main_conf_t  *mcf;

    if (*flag == 0) {
        return NGX_CONF_OK;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ai_gateway_module);

    use = ngx_array_push(&mcf->gateways);
    if (use == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&use->name);
    use->file = cf->conf_file->file.name.data;
    use->line = cf->conf_file->line;
    use->server = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    return NGX_CONF_OK;
}


/* a name without variables must be that of a tier, which may come later */

static char *
ngx_http_ai_route_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_loc_conf_t *lcf = conf;

    char                     *rv;
    ngx_str_t                *value;
    ngx_http_ai_use_t        *use;
    ngx_http_ai_main_conf_t  *mcf;

    value = cf->args->elts;

    if (value[1].len == 3 && ngx_strncmp(value[1].data, "off", 3) == 0) {
        value[1].len = 0;
    }

    rv = ngx_http_set_complex_value_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || lcf->route->lengths != NULL
        || value[1].len == 0)
    {
        return rv;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ai_gateway_module);

    use = ngx_array_push(&mcf->routes);
    if (use == NULL) {
        return NGX_CONF_ERROR;
    }

    use->name = value[1];
    use->file = cf->conf_file->file.name.data;
    use->line = cf->conf_file->line;
    use->server = NULL;

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_response_headers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_loc_conf_t *lcf = conf;

    ngx_str_t                 *value, *name;
    ngx_uint_t                 i;
    ngx_array_t                names;
    const ngx_conf_bitmask_t  *mask;

    if (lcf->headers != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (mask = ngx_http_ai_headers; mask->name.len; mask++) {

            if (mask->name.len == value[i].len
                && ngx_memcmp(mask->name.data, value[i].data, value[i].len)
                   == 0)
            {
                break;
            }
        }

        if (mask->name.len == 0) {
            goto invalid;
        }

        lcf->headers |= mask->mask;
    }

    if ((lcf->headers & NGX_HTTP_AI_HEADERS_OFF)
        && lcf->headers != NGX_HTTP_AI_HEADERS_OFF)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"off\" excludes other words in \"%V\"",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;

invalid:

    if (ngx_array_init(&names, cf->temp_pool, 4, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (mask = ngx_http_ai_headers; mask->name.len; mask++) {
        name = ngx_array_push(&names);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = mask->name;
    }

    return ngx_http_ai_conf_expect(cf, &cmd->name, &value[i], &names);
}


static char *
ngx_http_ai_cors_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_loc_conf_t *lcf = conf;

    ngx_str_t   *value, *origin, s;
    ngx_uint_t   i;

    if (lcf->cors != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && value[1].len == 3
        && ngx_strncmp(value[1].data, "off", 3) == 0)
    {
        lcf->cors = NULL;
        return NGX_CONF_OK;
    }

    lcf->cors_max_age = NGX_HTTP_AI_CORS_MAX_AGE;
    lcf->cors = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                 sizeof(ngx_str_t));
    if (lcf->cors == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "max_age=", 8) == 0) {
            s.data = value[i].data + 8;
            s.len = value[i].len - 8;

            lcf->cors_max_age = ngx_parse_time(&s, 1);

            if (lcf->cors_max_age == (time_t) NGX_ERROR) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\" in \"%V\", expected a "
                                   "time, e.g. \"max_age=10m\"",
                                   &value[i], &cmd->name);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_http_ai_origin_check(&value[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid origin \"%V\" in \"%V\", expected "
                               "\"*\" or a scheme and a host without a "
                               "path, e.g. \"https://chat.example.com\"",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        origin = ngx_array_push(lcf->cors);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        *origin = value[i];
    }

    if (lcf->cors->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has no origin, expected e.g. "
                           "\"https://chat.example.com\" or \"*\"",
                           &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* as browsers send it: lower case, no path, or "null"; schemes are many:
 * browser extensions and desktop applications have their own */

static ngx_int_t
ngx_http_ai_origin_check(ngx_str_t *origin)
{
    u_char  *p, *last, *host;

    if ((origin->len == 1 && origin->data[0] == '*')
        || (origin->len == 4 && ngx_strncmp(origin->data, "null", 4) == 0))
    {
        return NGX_OK;
    }

    last = origin->data + origin->len;

    host = ngx_strlcasestrn(origin->data, last, (u_char *) "://", 3 - 1);

    if (host == NULL || host == origin->data || host + 3 == last) {
        return NGX_DECLINED;
    }

    for (p = host + 3; p < last; p++) {
        if (*p == '/') {
            return NGX_DECLINED;
        }
    }

    for (p = origin->data; p < last; p++) {
        if (*p <= ' ' || *p >= 0x7f || *p == '$' || *p == '*' || *p == '?'
            || *p == '#' || *p == '@' || (*p >= 'A' && *p <= 'Z'))
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static char *
ngx_http_ai_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    size_t     *size;
    ssize_t     n;
    ngx_str_t  *value;

    size = (size_t *) (p + cmd->offset);

    if (*size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_parse_size(&value[1]);

    if (n == NGX_ERROR || n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", expected a "
                           "size above zero, e.g. \"8m\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    *size = n;

    return NGX_CONF_OK;
}


void
ngx_http_ai_pool_alloc(ngx_pool_t *pool, ai_alloc_t *a)
{
    a->alloc = ngx_http_ai_palloc;
    a->data = pool;
}


static ngx_int_t
ngx_http_ai_init_process(ngx_cycle_t *cycle)
{
    ngx_http_ai_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_ai_gateway_module);

    return mcf ? ngx_http_ai_refresh_init(cycle, mcf) : NGX_OK;
}


static void *
ngx_http_ai_palloc(void *data, size_t size)
{
    return ngx_palloc(data, size);
}


uint64_t
ngx_http_ai_now(void)
{
#if (NGX_HAVE_CLOCK_MONOTONIC)
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;

#else
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (uint64_t) tv.tv_sec * 1000000 + tv.tv_usec;
#endif
}

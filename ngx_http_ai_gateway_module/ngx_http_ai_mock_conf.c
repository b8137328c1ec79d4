
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The directive "ai_mock" and its parameters.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"
#include "ngx_http_ai_mock.h"


typedef struct ngx_http_ai_mock_parameter_s  ngx_http_ai_mock_parameter_t;

struct ngx_http_ai_mock_parameter_s {
    ngx_str_t                 name;
    char                   *(*set)(ngx_conf_t *cf,
                                  ngx_http_ai_mock_parameter_t *p,
                                  ngx_str_t *value, ngx_http_ai_mock_t *mock);
    ngx_uint_t                offset;     /* in ngx_http_ai_mock_t */
};


static char *ngx_http_ai_mock_parameter(ngx_conf_t *cf,
    ngx_http_ai_mock_t *mock, ngx_str_t *arg);
static char *ngx_http_ai_mock_tokens(ngx_conf_t *cf,
    ngx_http_ai_mock_parameter_t *p, ngx_str_t *value,
    ngx_http_ai_mock_t *mock);
static char *ngx_http_ai_mock_seed(ngx_conf_t *cf,
    ngx_http_ai_mock_parameter_t *p, ngx_str_t *value,
    ngx_http_ai_mock_t *mock);
static char *ngx_http_ai_mock_time(ngx_conf_t *cf,
    ngx_http_ai_mock_parameter_t *p, ngx_str_t *value,
    ngx_http_ai_mock_t *mock);
static char *ngx_http_ai_mock_fail(ngx_conf_t *cf,
    ngx_http_ai_mock_parameter_t *p, ngx_str_t *value,
    ngx_http_ai_mock_t *mock);
static char *ngx_http_ai_mock_model(ngx_conf_t *cf,
    ngx_http_ai_mock_parameter_t *p, ngx_str_t *value,
    ngx_http_ai_mock_t *mock);


static ngx_http_ai_mock_parameter_t  ngx_http_ai_mock_parameters[] = {

    { ngx_string("tokens"), ngx_http_ai_mock_tokens, 0 },

    { ngx_string("first"), ngx_http_ai_mock_time,
      offsetof(ngx_http_ai_mock_t, first) },

    { ngx_string("gap"), ngx_http_ai_mock_time,
      offsetof(ngx_http_ai_mock_t, gap) },

    { ngx_string("fail"), ngx_http_ai_mock_fail, 0 },

    { ngx_string("model"), ngx_http_ai_mock_model, 0 },

    { ngx_string("seed"), ngx_http_ai_mock_seed, 0 },

    { ngx_null_string, NULL, 0 }
};


char *
ngx_http_ai_mock(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ai_loc_conf_t *lcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_ai_mock_t        *mock;
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->mock) {
        return "is duplicate";
    }

    mock = ngx_pcalloc(cf->pool, sizeof(ngx_http_ai_mock_t));
    if (mock == NULL) {
        return NGX_CONF_ERROR;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mock->core.model = { 0, NULL };
     *     mock->core.seed = 0;
     *     mock->first = 0;
     *     mock->gap = 0;
     *     mock->number = 0;
     */

    mock->core.tokens = AI_MOCK_TOKENS;

    if (ngx_array_init(&mock->faults, cf->pool, 2, sizeof(ai_mock_fault_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = ngx_http_ai_mock_parameter(cf, mock, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    mock->core.faults = mock->faults.elts;
    mock->core.nfaults = mock->faults.nelts;

    mock->waits = (mock->first ? AI_MOCK_FIRST : 0)
                  | (mock->gap ? AI_MOCK_GAP : 0);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_ai_mock_handler;

    lcf->mock = mock;

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_mock_parameter(ngx_conf_t *cf, ngx_http_ai_mock_t *mock,
    ngx_str_t *arg)
{
    u_char                        *eq;
    ngx_str_t                      value;
    ngx_http_ai_mock_parameter_t  *p;

    eq = ngx_strlchr(arg->data, arg->data + arg->len, '=');

    if (eq) {
        value.data = eq + 1;
        value.len = arg->data + arg->len - value.data;

        for (p = ngx_http_ai_mock_parameters; p->name.len; p++) {

            if (p->name.len == (size_t) (eq - arg->data)
                && ngx_strncmp(p->name.data, arg->data, p->name.len) == 0)
            {
                return p->set(cf, p, &value, mock);
            }
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"ai_mock\", expected "
                       "\"tokens=N\", \"first=TIME\", \"gap=TIME\", "
                       "\"fail=FAULT[:PERCENT]\", \"model=NAME\" or "
                       "\"seed=N\"", arg);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_ai_mock_tokens(ngx_conf_t *cf, ngx_http_ai_mock_parameter_t *p,
    ngx_str_t *value, ngx_http_ai_mock_t *mock)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > AI_MOCK_TOKENS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" value \"%V\", expected a number "
                           "from 1 to %d, e.g. \"tokens=64\"",
                           &p->name, value, AI_MOCK_TOKENS_MAX);
        return NGX_CONF_ERROR;
    }

    mock->core.tokens = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_mock_seed(ngx_conf_t *cf, ngx_http_ai_mock_parameter_t *p,
    ngx_str_t *value, ngx_http_ai_mock_t *mock)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" value \"%V\", expected a number, "
                           "e.g. \"seed=7\"", &p->name, value);
        return NGX_CONF_ERROR;
    }

    mock->core.seed = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_mock_time(ngx_conf_t *cf, ngx_http_ai_mock_parameter_t *p,
    ngx_str_t *value, ngx_http_ai_mock_t *mock)
{
    ngx_int_t    n;
    ngx_msec_t  *time;

    n = ngx_parse_time(value, 0);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" value \"%V\", expected a time, "
                           "e.g. \"%V=200ms\"", &p->name, value, &p->name);
        return NGX_CONF_ERROR;
    }

    time = (ngx_msec_t *) ((char *) mock + p->offset);
    *time = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_mock_fail(ngx_conf_t *cf, ngx_http_ai_mock_parameter_t *p,
    ngx_str_t *value, ngx_http_ai_mock_t *mock)
{
    ngx_uint_t        i, sum;
    ai_mock_fault_t   fault, *faults;

    if (ai_mock_fault_parse(ngx_http_ai_str(value), &fault) != AI_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" value \"%V\", expected a status "
                           "from 400 to 599, \"reset\", \"reset_mid\", "
                           "\"stall\", \"stall_mid\", \"error_first\", "
                           "\"error_mid\" or \"truncate\", optionally with a "
                           "share of the requests, e.g. \"fail=429:10%%\"",
                           &p->name, value);
        return NGX_CONF_ERROR;
    }

    sum = fault.share;
    faults = mock->faults.elts;

    for (i = 0; i < mock->faults.nelts; i++) {
        sum += faults[i].share;
    }

    if (sum > AI_MOCK_SHARE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" value \"%V\", all \"fail\" "
                           "parameters together exceed 100%% of the requests",
                           &p->name, value);
        return NGX_CONF_ERROR;
    }

    faults = ngx_array_push(&mock->faults);
    if (faults == NULL) {
        return NGX_CONF_ERROR;
    }

    *faults = fault;

    return NGX_CONF_OK;
}


static char *
ngx_http_ai_mock_model(ngx_conf_t *cf, ngx_http_ai_mock_parameter_t *p,
    ngx_str_t *value, ngx_http_ai_mock_t *mock)
{
    if (ai_model_check(ngx_http_ai_str(value)) != AI_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" value \"%V\", expected 1 to 128 "
                           "letters, digits and \"._:/@-\"",
                           &p->name, value);
        return NGX_CONF_ERROR;
    }

    mock->core.model = *ngx_http_ai_str(value);

    return NGX_CONF_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * $ai_...: what is known of a request.  Numbers are never empty once the
 * request has met the gateway, all are empty before.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


static ngx_int_t ngx_http_ai_variable_string(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ai_variable_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ai_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ai_variable_seconds(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ai_variable_route(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ai_variable_log(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

static ai_record_t *ngx_http_ai_variable_record(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_http_ai_ctx_t **ctx);
static ngx_int_t ngx_http_ai_variable_set(ngx_http_variable_value_t *v,
    u_char *p, size_t len);
static uint64_t ngx_http_ai_elements(ai_json_t *array);


/* what a number or a name is computed from */

enum {
    ngx_http_ai_var_error = 0,
    ngx_http_ai_var_outcome,
    ngx_http_ai_var_usage_source,
    ngx_http_ai_var_stream,
    ngx_http_ai_var_has_tools,
    ngx_http_ai_var_message_count,
    ngx_http_ai_var_max_tokens,
    ngx_http_ai_var_input_tokens,
    ngx_http_ai_var_cached_tokens,
    ngx_http_ai_var_cache_write_tokens,
    ngx_http_ai_var_output_tokens,
    ngx_http_ai_var_reasoning_tokens,
    ngx_http_ai_var_total_tokens,
    ngx_http_ai_var_attempts,
    ngx_http_ai_var_retry_count,
    ngx_http_ai_var_ttft,
    ngx_http_ai_var_duration,
    ngx_http_ai_var_overhead
};


#define ngx_http_ai_string_var(name, field)                                  \
    { ngx_string(name), NULL, ngx_http_ai_variable_string,                   \
      offsetof(ai_record_t, field), NGX_HTTP_VAR_NOCACHEABLE, 0 }

#define ngx_http_ai_name_var(name, what)                                     \
    { ngx_string(name), NULL, ngx_http_ai_variable_name,                     \
      ngx_http_ai_var_##what, NGX_HTTP_VAR_NOCACHEABLE, 0 }

#define ngx_http_ai_number_var(name, what)                                   \
    { ngx_string(name), NULL, ngx_http_ai_variable_number,                   \
      ngx_http_ai_var_##what, NGX_HTTP_VAR_NOCACHEABLE, 0 }

#define ngx_http_ai_seconds_var(name, what)                                  \
    { ngx_string(name), NULL, ngx_http_ai_variable_seconds,                  \
      ngx_http_ai_var_##what, NGX_HTTP_VAR_NOCACHEABLE, 0 }


static ngx_http_variable_t  ngx_http_ai_vars[] = {

    ngx_http_ai_string_var("ai_request_id", id),
    ngx_http_ai_string_var("ai_trace_id", trace),
    ngx_http_ai_string_var("ai_client", client),
    ngx_http_ai_string_var("ai_dialect", dialect),
    ngx_http_ai_string_var("ai_operation", op),
    ngx_http_ai_string_var("ai_request_model", model_requested),
    ngx_http_ai_string_var("ai_model", model),
    ngx_http_ai_string_var("ai_provider", provider),
    ngx_http_ai_string_var("ai_upstream_model", model_upstream),
    ngx_http_ai_string_var("ai_response_model", model_response),
    ngx_http_ai_string_var("ai_finish_reason", finish),
    ngx_http_ai_string_var("ai_tools", tools),
    ngx_http_ai_string_var("ai_dropped", dropped),

    ngx_http_ai_name_var("ai_error", error),
    ngx_http_ai_name_var("ai_outcome", outcome),
    ngx_http_ai_name_var("ai_usage_source", usage_source),

    ngx_http_ai_number_var("ai_stream", stream),
    ngx_http_ai_number_var("ai_has_tools", has_tools),
    ngx_http_ai_number_var("ai_message_count", message_count),
    ngx_http_ai_number_var("ai_max_tokens", max_tokens),
    ngx_http_ai_number_var("ai_input_tokens", input_tokens),
    ngx_http_ai_number_var("ai_cached_tokens", cached_tokens),
    ngx_http_ai_number_var("ai_cache_write_tokens", cache_write_tokens),
    ngx_http_ai_number_var("ai_output_tokens", output_tokens),
    ngx_http_ai_number_var("ai_reasoning_tokens", reasoning_tokens),
    ngx_http_ai_number_var("ai_total_tokens", total_tokens),
    ngx_http_ai_number_var("ai_attempts", attempts),
    ngx_http_ai_number_var("ai_retry_count", retry_count),

    ngx_http_ai_seconds_var("ai_ttft", ttft),
    ngx_http_ai_seconds_var("ai_duration", duration),
    ngx_http_ai_seconds_var("ai_overhead", overhead),

    { ngx_string("ai_route"), NULL, ngx_http_ai_variable_route, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ai_log"), NULL, ngx_http_ai_variable_log, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_ai_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_ai_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ai_record_t *
ngx_http_ai_variable_record(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_http_ai_ctx_t **ctx)
{
    *ctx = ngx_http_get_module_ctx(r->main, ngx_http_ai_gateway_module);

    if (*ctx == NULL) {
        v->not_found = 1;
        return NULL;
    }

    return &(*ctx)->record;
}


static ngx_int_t
ngx_http_ai_variable_set(ngx_http_variable_value_t *v, u_char *p, size_t len)
{
    v->data = p;
    v->len = len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_variable_string(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ai_str_t           *s;
    ai_record_t        *rec;
    ngx_http_ai_ctx_t  *ctx;

    rec = ngx_http_ai_variable_record(r, v, &ctx);
    if (rec == NULL) {
        return NGX_OK;
    }

    s = (ai_str_t *) ((char *) rec + data);

    return ngx_http_ai_variable_set(v, s->data, s->len);
}


static ngx_int_t
ngx_http_ai_variable_name(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ai_str_t           *s;
    const char         *code;
    ai_record_t        *rec;
    ngx_http_ai_ctx_t  *ctx;

    rec = ngx_http_ai_variable_record(r, v, &ctx);
    if (rec == NULL) {
        return NGX_OK;
    }

    if (data == ngx_http_ai_var_error) {
        code = rec->error ? ai_error_row(rec->error)->code : "";
        return ngx_http_ai_variable_set(v, (u_char *) code,
                                        ngx_strlen(code));
    }

    s = (data == ngx_http_ai_var_outcome)
        ? ai_outcome_name(rec->outcome)
        : ai_usage_source_name(rec->usage.source);

    return ngx_http_ai_variable_set(v, s->data, s->len);
}


static ngx_int_t
ngx_http_ai_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char             *p;
    uint64_t            n;
    ai_record_t        *rec;
    ngx_http_ai_ctx_t  *ctx;

    rec = ngx_http_ai_variable_record(r, v, &ctx);
    if (rec == NULL) {
        return NGX_OK;
    }

    n = 0;

    switch (data) {

    case ngx_http_ai_var_stream:
        n = ctx->fields.wants_stream;
        break;

    case ngx_http_ai_var_has_tools:
        n = ctx->fields.has_tools
            && ngx_http_ai_elements(&ctx->fields.tools) != 0;
        break;

    case ngx_http_ai_var_message_count:
        n = ctx->fields.has_messages
            ? ngx_http_ai_elements(&ctx->fields.messages) : 0;
        break;

    case ngx_http_ai_var_max_tokens:
        if (ctx->fields.has_max_tokens) {
            (void) ai_json_uint(&ctx->fields.max_tokens, &n);
        }

        break;

    case ngx_http_ai_var_input_tokens:
        n = ai_usage_input(&rec->usage);
        break;

    case ngx_http_ai_var_cached_tokens:
        n = rec->usage.cached;
        break;

    case ngx_http_ai_var_cache_write_tokens:
        n = rec->usage.cache_write;
        break;

    case ngx_http_ai_var_output_tokens:
        n = rec->usage.output;
        break;

    case ngx_http_ai_var_reasoning_tokens:
        n = rec->usage.reasoning;
        break;

    case ngx_http_ai_var_total_tokens:
        n = ai_usage_input(&rec->usage) + rec->usage.output;
        break;

    case ngx_http_ai_var_attempts:
        n = rec->nattempts;
        break;

    case ngx_http_ai_var_retry_count:
        n = rec->retry;
        break;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_ai_variable_set(v, p, ngx_sprintf(p, "%uL", n) - p);
}


/* of a document that was scanned: a string is one element, too */

static uint64_t
ngx_http_ai_elements(ai_json_t *array)
{
    uint64_t        n;
    ai_json_t       v;
    ai_json_iter_t  it;

    if (array->type == AI_JSON_STRING) {
        return 1;
    }

    n = 0;

    ai_json_iter_init(&it, array);

    while (ai_json_next(&it, NULL, &v) == AI_OK) {
        n++;
    }

    return n;
}


static ngx_int_t
ngx_http_ai_variable_seconds(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char             *p;
    int64_t             us;
    ai_record_t        *rec;
    ngx_http_ai_ctx_t  *ctx;

    rec = ngx_http_ai_variable_record(r, v, &ctx);
    if (rec == NULL) {
        return NGX_OK;
    }

    us = (data == ngx_http_ai_var_ttft) ? rec->ttft_us
         : (data == ngx_http_ai_var_duration) ? (int64_t) rec->duration_us
                                              : (int64_t) rec->overhead_us;

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_ai_variable_set(v, p, ai_record_seconds(p, us) - p);
}


static ngx_int_t
ngx_http_ai_variable_route(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char             *p;
    ai_record_t        *rec;
    ngx_http_ai_ctx_t  *ctx;

    rec = ngx_http_ai_variable_record(r, v, &ctx);
    if (rec == NULL) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_AI_MESSAGE_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_ai_variable_set(v, p,
                       ai_record_route(p, NGX_HTTP_AI_MESSAGE_LEN, rec) - p);
}


static ngx_int_t
ngx_http_ai_variable_log(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char             *p;
    ai_record_t        *rec;
    ngx_http_ai_ctx_t  *ctx;

    rec = ngx_http_ai_variable_record(r, v, &ctx);
    if (rec == NULL) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, AI_RECORD_MAX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_ai_variable_set(v, p, ai_record_render(p, rec) - p);
}

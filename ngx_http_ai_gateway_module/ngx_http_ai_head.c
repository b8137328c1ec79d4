
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The head of a request to a provider: the path that its vendor gives the
 * operation, headers by an allow list, and no credential but ours.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


/* a walk over the client's headers */

typedef struct {
    ngx_list_part_t  *part;
    ngx_uint_t        i;
} ngx_http_ai_headers_t;


static size_t ngx_http_ai_head_len(ngx_http_ai_ctx_t *ctx);
static u_char *ngx_http_ai_headers(ngx_http_ai_ctx_t *ctx, u_char *p);
static u_char *ngx_http_ai_vendor_headers(ngx_http_ai_ctx_t *ctx, u_char *p);
static size_t ngx_http_ai_uri_len(ngx_http_ai_ctx_t *ctx);
static u_char *ngx_http_ai_uri(ngx_http_ai_ctx_t *ctx, u_char *p);
static ngx_uint_t ngx_http_ai_uri_templated(ngx_http_ai_ctx_t *ctx);
static void ngx_http_ai_vendor_args(ngx_http_ai_ctx_t *ctx,
    ai_vendor_args_t *args);
static u_char *ngx_http_ai_suffix(ngx_http_ai_ctx_t *ctx, u_char *p);
static ngx_str_t *ngx_http_ai_secret(ngx_http_ai_ctx_t *ctx);
static u_char *ngx_http_ai_auth(ngx_http_ai_ctx_t *ctx, u_char *p);
static ngx_uint_t ngx_http_ai_header_passes(ngx_http_ai_ctx_t *ctx,
    ngx_table_elt_t *h);
static ngx_uint_t ngx_http_ai_header_betas(ngx_http_ai_ctx_t *ctx,
    ngx_str_t *name);
static ngx_uint_t ngx_http_ai_header_set(ngx_http_ai_ctx_t *ctx,
    ngx_str_t *name);
static u_char *ngx_http_ai_header_line(u_char *p, ngx_str_t *name,
    ngx_str_t *value);
static ngx_table_elt_t *ngx_http_ai_next_header(ngx_http_ai_headers_t *it);
static ngx_table_elt_t *ngx_http_ai_header_named(ngx_http_request_t *r,
    ngx_str_t *name);


/* how a credential is told, by ai_auth_e */

static ngx_str_t  ngx_http_ai_auth_names[] = {
    ngx_null_string,
    ngx_string("Authorization: Bearer "),
    ngx_string("x-api-key: "),
    ngx_string("api-key: "),
    ngx_string("x-goog-api-key: "),
    ngx_null_string,                       /* signed */
    ngx_string("Authorization: Bearer ")
};


ngx_buf_t *
ngx_http_ai_head_render(ngx_http_ai_ctx_t *ctx, ngx_pool_t *pool,
    ngx_chain_t *body, off_t length)
{
    u_char                   *p;
    ngx_str_t                 uri;
    ngx_buf_t                *b;
    ngx_http_request_t       *r;
    ngx_http_ai_provider_t   *provider;

    static ngx_str_t  json = ngx_string("application/json");
    static ngx_str_t  type = ngx_string("Content-Type");
    static ngx_str_t  accept = ngx_string("Accept-Encoding: identity\r\n");
    static ngx_str_t  close = ngx_string("Connection: close\r\n");

    r = ctx->request;
    provider = ctx->target.provider;

    b = ngx_create_temp_buf(pool, ngx_http_ai_head_len(ctx));
    if (b == NULL) {
        return NULL;
    }

    p = ngx_cpymem(b->pos, r->method_name.data, r->method_name.len);
    *p++ = ' ';
    uri.data = p;
    p = ngx_http_ai_uri(ctx, p);
    uri.len = p - uri.data;

    p = ngx_sprintf(p, " HTTP/1.1\r\nHost: %V\r\n", &provider->authority);

    if (length || r->method == NGX_HTTP_POST) {
        p = ngx_sprintf(p, "Content-Length: %O\r\n", length);
    }

    if (ctx->translated
        || (!ctx->opaque && r->headers_in.content_type == NULL))
    {
        p = ngx_http_ai_header_line(p, &type, &json);
    }

    p = ngx_cpymem(p, accept.data, accept.len);

    if (provider->keepalive == 0 && provider->upstream == NULL) {
        p = ngx_cpymem(p, close.data, close.len);
    }

    if (provider->auth == AI_AUTH_SIGV4 && ctx->credential) {
        p = ngx_http_ai_sign(ctx, p, &uri, body);
        if (p == NULL) {
            return NULL;
        }

    } else {
        p = ngx_http_ai_auth(ctx, p);
    }

    p = ngx_http_ai_headers(ctx, p);
    p = ngx_sprintf(p, "x-request-id: %V\r\n\r\n",
                    ngx_http_ai_ngx(&ctx->record.id));

    b->last = p;

    return b;
}


/* at most: of the client's headers only some will pass */

static size_t
ngx_http_ai_head_len(ngx_http_ai_ctx_t *ctx)
{
    size_t                    len;
    ngx_uint_t                i;
    ngx_keyval_t             *kv;
    ngx_table_elt_t          *h;
    ngx_http_ai_headers_t     it;
    ngx_http_ai_provider_t   *p;

    p = ctx->target.provider;

    /* names and separators of what is always there need less than 256 */

    len = ctx->request->method_name.len + ngx_http_ai_uri_len(ctx) + 256
          + p->authority.len + ctx->record.id.len + ngx_http_ai_sign_len(ctx);

    if (ctx->credential) {
        len += ngx_http_ai_secret(ctx)->len;
    }

    for (i = 0; p->vendor->headers && p->vendor->headers[i]; i++) {
        len += ngx_strlen(p->vendor->headers[i]) + 2;
    }

    kv = p->headers ? p->headers->elts : NULL;

    for (i = 0; kv && i < p->headers->nelts; i++) {
        len += kv[i].key.len + kv[i].value.len + 4;
    }

    it.part = &ctx->request->headers_in.headers.part;
    it.i = 0;

    while ((h = ngx_http_ai_next_header(&it)) != NULL) {
        len += h->key.len + h->value.len + 4;
    }

    return len;
}


/* those of the configuration, and what may pass of the client's */

static u_char *
ngx_http_ai_headers(ngx_http_ai_ctx_t *ctx, u_char *p)
{
    ngx_str_t               value;
    ngx_uint_t              i;
    ngx_array_t            *headers;
    ngx_keyval_t           *kv;
    ngx_table_elt_t        *h;
    ngx_http_ai_headers_t   it;

    headers = ctx->target.provider->headers;
    kv = headers ? headers->elts : NULL;

    for (i = 0; kv && i < headers->nelts; i++) {
        p = ngx_http_ai_header_line(p, &kv[i].key, &kv[i].value);
    }

    p = ngx_http_ai_vendor_headers(ctx, p);

    it.part = &ctx->request->headers_in.headers.part;
    it.i = 0;

    while ((h = ngx_http_ai_next_header(&it)) != NULL) {

        if (ngx_http_ai_header_passes(ctx, h)) {
            value = h->value;

            /* Vertex refuses a request for one that it does not know */

            if ((ctx->target.provider->vendor->flags
                 & AI_VENDOR_VERTEX_CLAUDE)
                && ngx_http_ai_header_betas(ctx, &h->key))
            {
                value.data = p + h->key.len + 2;
                value.len = ai_header_betas(value.data,
                                            ngx_http_ai_str(&h->value));
                if (value.len == 0) {
                    continue;
                }
            }

            p = ngx_http_ai_header_line(p, &h->key, &value);
        }
    }

    return p;
}


/* what the vendor wants to see, unless somebody says it better */

static u_char *
ngx_http_ai_vendor_headers(ngx_http_ai_ctx_t *ctx, u_char *p)
{
    u_char             *last;
    ngx_str_t           name;
    ngx_uint_t          i;
    const char *const  *line;

    line = ctx->target.provider->vendor->headers;

    for (i = 0; line && line[i]; i++) {

        name.data = (u_char *) line[i];
        last = name.data + ngx_strlen(name.data);
        name.len = ngx_strlchr(name.data, last, ':') - name.data;

        if (ngx_http_ai_header_set(ctx, &name)
            || (!ctx->translated
                && ngx_http_ai_header_named(ctx->request, &name)))
        {
            continue;
        }

        p = ngx_cpymem(p, name.data, last - name.data);
        *p++ = CR; *p++ = LF;
    }

    return p;
}


static size_t
ngx_http_ai_uri_len(ngx_http_ai_ctx_t *ctx)
{
    size_t                   len;
    ai_vendor_args_t         args;
    ngx_uint_t               i;
    ngx_keyval_t            *kv;
    ngx_http_ai_provider_t  *p;

    p = ctx->target.provider;

    len = p->base.len + ctx->surface.suffix.len * 3
          + ctx->target.model.len * 3 + 1 + ctx->request->args.len;

    if (ngx_http_ai_uri_templated(ctx)) {
        ngx_http_ai_vendor_args(ctx, &args);

        len += ai_vendor_path_len(p->vendor, p->dialect, ctx->op,
                                  ctx->fields.wants_stream, &args);
    }

    kv = p->queries ? p->queries->elts : NULL;

    for (i = 0; kv && i < p->queries->nelts; i++) {
        len += kv[i].key.len + kv[i].value.len + 2;
    }

    return len;
}


static u_char *
ngx_http_ai_uri(ngx_http_ai_ctx_t *ctx, u_char *p)
{
    u_char                   sep, *path;
    size_t                   n;
    ngx_uint_t               i;
    ngx_keyval_t            *kv;
    ai_vendor_args_t         args;
    ngx_http_ai_provider_t  *provider;

    provider = ctx->target.provider;

    p = ngx_cpymem(p, provider->base.data, provider->base.len);
    path = p;

    if (ngx_http_ai_uri_templated(ctx)) {
        ngx_http_ai_vendor_args(ctx, &args);

        p = ai_vendor_path(p, provider->vendor, provider->dialect, ctx->op,
                           ctx->fields.wants_stream, &args);

    } else {
        p = ngx_http_ai_suffix(ctx, p);
    }

    sep = '?';

    if (ngx_strlchr(path, p, '?')) {
        sep = '&';

        /* the client's own arguments say which framing it reads */

        if (!ctx->translated && ctx->op == AI_OP_STREAM_GENERATE) {
            p = ngx_strlchr(path, p, '?');
            sep = '?';
        }
    }

    /*
     * What a client says in another dialect is in the body by now, and a
     * version of the API is that of the provider.
     */

    if (ctx->request->args.len && !ctx->translated && sep == '?') {
        n = ai_args_clean(p + 1, ngx_http_ai_str(&ctx->request->args));

        if (n) {
            *p = sep;
            p += n + 1;
            sep = '&';
        }
    }

    kv = provider->queries ? provider->queries->elts : NULL;

    for (i = 0; kv && i < provider->queries->nelts; i++) {
        *p++ = sep;
        p = ngx_cpymem(p, kv[i].key.data, kv[i].key.len);
        *p++ = '=';
        p = ngx_cpymem(p, kv[i].value.data, kv[i].value.len);
        sep = '&';
    }

    return p;
}


/* whether the path is the vendor's, not that of the client */

static ngx_uint_t
ngx_http_ai_uri_templated(ngx_http_ai_ctx_t *ctx)
{
    const ai_vendor_path_t  *path;

    if (ctx->opaque) {
        return 0;
    }

    /* what is escaped in an id of AWS is escaped again there */

    if (ctx->translated || ctx->op == AI_OP_CONVERSE
        || ctx->op == AI_OP_CONVERSE_STREAM)
    {
        return 1;
    }

    path = ctx->target.provider->vendor->paths;

    for ( /* void */ ; path && path->op != AI_OP_NONE; path++) {
        if (path->op == ctx->op) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_ai_vendor_args(ngx_http_ai_ctx_t *ctx, ai_vendor_args_t *args)
{
    ngx_http_ai_provider_t  *p;

    p = ctx->target.provider;

    args->model = *ngx_http_ai_str(&ctx->target.model);
    args->project = *ngx_http_ai_str(&p->project);
    args->region = *ngx_http_ai_str(&p->region);
    args->version = *ngx_http_ai_str(&p->api_version);
}


/* the path behind the provider's base, with the target's model in it */

static u_char *
ngx_http_ai_suffix(ngx_http_ai_ctx_t *ctx, u_char *p)
{
    size_t      n;
    ai_str_t   *suffix, *model;
    ngx_str_t  *target;

    suffix = &ctx->surface.suffix;
    model = &ctx->surface.model;
    target = &ctx->target.model;

    /* of a deployment it stands in front of the suffix */

    if (model->len == 0 || target->len == 0 || model->data < suffix->data) {
        return (u_char *) ngx_escape_uri(p, suffix->data, suffix->len,
                                         NGX_ESCAPE_URI);
    }

    /* "/models/" MODEL ":" VERB, and the model is a span of the suffix */

    n = model->data - suffix->data;

    p = (u_char *) ngx_escape_uri(p, suffix->data, n, NGX_ESCAPE_URI);
    p = (u_char *) ngx_escape_uri(p, target->data, target->len,
                                  NGX_ESCAPE_URI);
    n += model->len;

    return (u_char *) ngx_escape_uri(p, suffix->data + n, suffix->len - n,
                                     NGX_ESCAPE_URI);
}


/* what stands in the header: the key, or the token it was changed for */

static ngx_str_t *
ngx_http_ai_secret(ngx_http_ai_ctx_t *ctx)
{
    if (ctx->credential->token) {
        return ngx_http_ai_token_value(ctx->credential->token);
    }

    return &ctx->credential->value;
}


static u_char *
ngx_http_ai_auth(ngx_http_ai_ctx_t *ctx, u_char *p)
{
    ngx_str_t                 *name, *value;
    ngx_http_ai_credential_t  *key;

    key = ctx->credential;

    if (key == NULL || ctx->target.provider->auth == AI_AUTH_NONE) {
        return p;
    }

    name = &ngx_http_ai_auth_names[ctx->target.provider->auth];

    value = ngx_http_ai_secret(ctx);

    p = ngx_cpymem(p, name->data, name->len);
    p = ngx_cpymem(p, value->data, value->len);
    *p++ = CR; *p++ = LF;

    return p;
}


static ngx_table_elt_t *
ngx_http_ai_next_header(ngx_http_ai_headers_t *it)
{
    ngx_table_elt_t  *h;

    while (it->part) {

        if (it->i < it->part->nelts) {
            h = it->part->elts;
            return &h[it->i++];
        }

        it->part = it->part->next;
        it->i = 0;
    }

    return NULL;
}


/* what the configuration sets, a client cannot set too */

static ngx_uint_t
ngx_http_ai_header_passes(ngx_http_ai_ctx_t *ctx, ngx_table_elt_t *h)
{
    ai_int_t  rc;
    ai_str_t  name;

    name.len = h->key.len;
    name.data = h->lowcase_key;

    if (h->hash == 0) {
        return 0;
    }

    rc = ctx->translated && !ngx_http_ai_header_betas(ctx, &h->key)
         ? ai_header_neutral(&name) : ai_header_request(&name);

    return rc == AI_OK && !ngx_http_ai_header_set(ctx, &h->key);
}


/*
 * Those of a client that speaks to Claude by way of the hub in Claude's own
 * dialect are meant for it.  At Bedrock they are in the body.
 */

static ngx_uint_t
ngx_http_ai_header_betas(ngx_http_ai_ctx_t *ctx, ngx_str_t *name)
{
    return ctx->op == ctx->surface.op
           && (ctx->op == AI_OP_MESSAGES || ctx->op == AI_OP_COUNT_TOKENS)
           && !(ctx->target.provider->vendor->flags
                & AI_VENDOR_BEDROCK_CLAUDE)
           && name->len == sizeof("anthropic-beta") - 1
           && ngx_strncasecmp(name->data, (u_char *) "anthropic-beta",
                              sizeof("anthropic-beta") - 1)
              == 0;
}


static ngx_uint_t
ngx_http_ai_header_set(ngx_http_ai_ctx_t *ctx, ngx_str_t *name)
{
    ngx_uint_t     i;
    ngx_array_t   *headers;
    ngx_keyval_t  *kv;

    headers = ctx->target.provider->headers;
    kv = headers ? headers->elts : NULL;

    for (i = 0; kv && i < headers->nelts; i++) {
        if (kv[i].key.len == name->len
            && ngx_strncasecmp(kv[i].key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static u_char *
ngx_http_ai_header_line(u_char *p, ngx_str_t *name, ngx_str_t *value)
{
    p = ngx_cpymem(p, name->data, name->len);
    *p++ = ':'; *p++ = ' ';
    p = ngx_cpymem(p, value->data, value->len);
    *p++ = CR; *p++ = LF;

    return p;
}


ngx_table_elt_t *
ngx_http_ai_header_in(ngx_http_request_t *r, const char *name)
{
    ngx_str_t  s;

    s.data = (u_char *) name;
    s.len = ngx_strlen(name);

    return ngx_http_ai_header_named(r, &s);
}


static ngx_table_elt_t *
ngx_http_ai_header_named(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_table_elt_t        *h;
    ngx_http_ai_headers_t   it;

    it.part = &r->headers_in.headers.part;
    it.i = 0;

    while ((h = ngx_http_ai_next_header(&it)) != NULL) {

        if (h->key.len == name->len && h->lowcase_key
            && ngx_memcmp(h->lowcase_key, name->data, name->len) == 0)
        {
            return h;
        }
    }

    return NULL;
}


/* one walk for all that we look at in each request */

void
ngx_http_ai_known_headers(ngx_http_request_t *r, ngx_http_ai_known_t *known)
{
    size_t                  len;
    const char             *name;
    ngx_table_elt_t        *h, **place;
    ngx_http_ai_headers_t   it;

    ngx_memzero(known, sizeof(ngx_http_ai_known_t));

    it.part = &r->headers_in.headers.part;
    it.i = 0;

    while ((h = ngx_http_ai_next_header(&it)) != NULL) {

        len = h->key.len;

        switch (len) {

        case sizeof("origin") - 1:
            name = "origin";
            place = &known->origin;
            break;

        case sizeof("originator") - 1:
            name = "originator";
            place = &known->originator;
            break;

        case sizeof("traceparent") - 1:
            name = "traceparent";
            place = &known->traceparent;
            break;

        case sizeof("x-goog-api-key") - 1:
            name = "x-goog-api-key";
            place = &known->goog;
            break;

        case sizeof("content-encoding") - 1:
            name = "content-encoding";
            place = &known->content_encoding;
            break;

        case sizeof("anthropic-version") - 1:

            /* as long as x-goog-api-client */

            name = (h->lowcase_key[0] == 'a') ? "anthropic-version"
                                              : "x-goog-api-client";
            place = (h->lowcase_key[0] == 'a') ? &known->anthropic_version
                                               : &known->goog;
            break;

        case sizeof("x-stainless-retry-count") - 1:
            name = "x-stainless-retry-count";
            place = &known->retry_count;
            break;

        default:
            continue;
        }

        if (ngx_memcmp(h->lowcase_key, name, len) == 0) {
            *place = h;
        }
    }
}

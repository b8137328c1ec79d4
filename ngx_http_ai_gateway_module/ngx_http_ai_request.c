
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request of a client as a provider gets it.  The body is the client's
 * bytes with a few spans replaced; headers pass by an allow list; the only
 * credential is ours.
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


static ngx_int_t ngx_http_ai_render_body(ngx_http_ai_ctx_t *ctx,
    ngx_pool_t *pool, ngx_chain_t **out, off_t *length);
static ngx_int_t ngx_http_ai_render_edits(ngx_http_ai_ctx_t *ctx,
    ai_splice_t *sp, ai_alloc_t *a);
static ngx_int_t ngx_http_ai_render_model(ngx_http_ai_ctx_t *ctx,
    ai_splice_t *sp, ai_alloc_t *a);
static ngx_int_t ngx_http_ai_render_usage(ngx_http_ai_ctx_t *ctx,
    ai_splice_t *sp, ai_alloc_t *a);
static ngx_buf_t *ngx_http_ai_render_head(ngx_http_ai_ctx_t *ctx,
    ngx_pool_t *pool, off_t length);
static size_t ngx_http_ai_head_len(ngx_http_ai_ctx_t *ctx);
static u_char *ngx_http_ai_headers(ngx_http_ai_ctx_t *ctx, u_char *p);
static size_t ngx_http_ai_uri_len(ngx_http_ai_ctx_t *ctx);
static u_char *ngx_http_ai_uri(ngx_http_ai_ctx_t *ctx, u_char *p);
static u_char *ngx_http_ai_suffix(ngx_http_ai_ctx_t *ctx, u_char *p);
static ngx_http_ai_credential_t *ngx_http_ai_credential(
    ngx_http_ai_provider_t *p);
static u_char *ngx_http_ai_auth(ngx_http_ai_ctx_t *ctx, u_char *p);
static ngx_table_elt_t *ngx_http_ai_next_header(ngx_http_ai_headers_t *it);
static ngx_uint_t ngx_http_ai_header_passes(ngx_http_ai_ctx_t *ctx,
    ngx_table_elt_t *h);
static u_char *ngx_http_ai_header_line(u_char *p, ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t ngx_http_ai_trace(ngx_http_ai_ctx_t *ctx);


/* how a credential is told, by ai_auth_e */

static ngx_str_t  ngx_http_ai_auth_names[] = {
    ngx_null_string,
    ngx_string("Authorization: Bearer "),
    ngx_string("x-api-key: "),
    ngx_string("api-key: "),
    ngx_string("x-goog-api-key: ")
};


ngx_chain_t *
ngx_http_ai_request_render(ngx_http_ai_ctx_t *ctx, ngx_pool_t *pool)
{
    off_t         length;
    ngx_chain_t  *cl, *body;

    body = NULL;
    length = 0;

    if (ngx_http_ai_render_body(ctx, pool, &body, &length) != NGX_OK) {
        return NULL;
    }

    ctx->credential = ngx_http_ai_credential(ctx->target.provider);

    cl = ngx_alloc_chain_link(pool);
    if (cl == NULL) {
        return NULL;
    }

    cl->buf = ngx_http_ai_render_head(ctx, pool, length);
    if (cl->buf == NULL) {
        return NULL;
    }

    cl->next = body;

    return cl;
}


static ngx_int_t
ngx_http_ai_render_body(ngx_http_ai_ctx_t *ctx, ngx_pool_t *pool,
    ngx_chain_t **out, off_t *length)
{
    size_t               i;
    ngx_buf_t           *b;
    ngx_chain_t         *cl, **ll;
    ai_alloc_t           alloc;
    ai_splice_t          sp;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->body.len == 0) {

        /* opaque, where and as nginx has put it */

        if (r->request_body && r->request_body->bufs && ctx->opaque) {
            *out = r->request_body->bufs;

            for (cl = *out; cl; cl = cl->next) {
                *length += ngx_buf_size(cl->buf);
            }
        }

        return NGX_OK;
    }

    ngx_http_ai_pool_alloc(pool, &alloc);

    ai_splice_init(&sp, ngx_http_ai_str(&ctx->body), &alloc);

    if (ngx_http_ai_render_edits(ctx, &sp, &alloc) != NGX_OK
        || ai_splice_finish(&sp) != AI_OK)
    {
        return NGX_ERROR;
    }

    ll = out;

    for (i = 0; i < sp.nparts; i++) {

        b = ngx_calloc_buf(pool);
        cl = ngx_alloc_chain_link(pool);

        if (b == NULL || cl == NULL) {
            return NGX_ERROR;
        }

        b->pos = sp.parts[i].data;
        b->last = b->pos + sp.parts[i].len;
        b->memory = 1;

        cl->buf = b;
        cl->next = NULL;
        *ll = cl;
        ll = &cl->next;
    }

    *length = sp.len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_render_edits(ngx_http_ai_ctx_t *ctx, ai_splice_t *sp,
    ai_alloc_t *a)
{
    if (ctx->fields.has_model
        && ngx_http_ai_render_model(ctx, sp, a) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->reply.hide_usage = 0;

    if (!ctx->fields.wants_stream || ctx->fields.wants_usage
        || !ctx->target.provider->stream_usage
        || !(ctx->target.provider->dialect->usage_ops
             & (1 << ctx->surface.op)))
    {
        return NGX_OK;
    }

    ctx->reply.hide_usage = 1;

    return ngx_http_ai_render_usage(ctx, sp, a);
}


static ngx_int_t
ngx_http_ai_render_model(ngx_http_ai_ctx_t *ctx, ai_splice_t *sp,
    ai_alloc_t *a)
{
    u_char     *p;
    ai_str_t   *model, value;
    ai_json_t  *v;

    model = ngx_http_ai_str(&ctx->target.model);
    v = &ctx->fields.model;

    if (model->len == 0
        || ai_json_str_eq(v, (char *) model->data, model->len))
    {
        return NGX_OK;
    }

    p = ai_alloc(a, ai_json_escape_len(model) + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    *p++ = '"';
    p = ai_json_escape(p, model);
    *p++ = '"';
    value.len = p - value.data;

    return ai_splice_replace(sp, v->start, v->end, &value);
}


/* usage is asked for, since it is what is accounted */

static ngx_int_t
ngx_http_ai_render_usage(ngx_http_ai_ctx_t *ctx, ai_splice_t *sp,
    ai_alloc_t *a)
{
    static ai_str_t  on = ai_string("true");
    static ai_str_t  all = ai_string("{\"include_usage\":true}");

    ngx_http_ai_fields_t  *f;

    f = &ctx->fields;

    if (f->has_stream_options && f->stream_options.type == AI_JSON_OBJECT) {
        return ai_splice_member_set(sp, &f->stream_options, "include_usage",
                                    &on);
    }

    return ai_splice_member_set(sp, &f->root, "stream_options", &all);
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


static ngx_buf_t *
ngx_http_ai_render_head(ngx_http_ai_ctx_t *ctx, ngx_pool_t *pool,
    off_t length)
{
    u_char                   *p;
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
    p = ngx_http_ai_uri(ctx, p);
    p = ngx_sprintf(p, " HTTP/1.1\r\nHost: %V\r\n", &provider->authority);

    if (length || r->method == NGX_HTTP_POST) {
        p = ngx_sprintf(p, "Content-Length: %O\r\n", length);
    }

    if (!ctx->opaque && r->headers_in.content_type == NULL) {
        p = ngx_http_ai_header_line(p, &type, &json);
    }

    p = ngx_cpymem(p, accept.data, accept.len);

    if (provider->keepalive == 0 && provider->upstream == NULL) {
        p = ngx_cpymem(p, close.data, close.len);
    }

    p = ngx_http_ai_auth(ctx, p);
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
          + p->authority.len + ctx->record.id.len
          + (ctx->credential ? ctx->credential->value.len : 0);

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

    it.part = &ctx->request->headers_in.headers.part;
    it.i = 0;

    while ((h = ngx_http_ai_next_header(&it)) != NULL) {

        if (ngx_http_ai_header_passes(ctx, h)) {
            p = ngx_http_ai_header_line(p, &h->key, &h->value);
        }
    }

    return p;
}


static size_t
ngx_http_ai_uri_len(ngx_http_ai_ctx_t *ctx)
{
    size_t                   len;
    ngx_uint_t               i;
    ngx_keyval_t            *kv;
    ngx_http_ai_provider_t  *p;

    p = ctx->target.provider;

    len = p->base.len + ctx->surface.suffix.len * 3
          + ctx->target.model.len * 3 + 1 + ctx->request->args.len;

    kv = p->queries ? p->queries->elts : NULL;

    for (i = 0; kv && i < p->queries->nelts; i++) {
        len += kv[i].key.len + kv[i].value.len + 2;
    }

    return len;
}


static u_char *
ngx_http_ai_uri(ngx_http_ai_ctx_t *ctx, u_char *p)
{
    u_char                   sep;
    size_t                   n;
    ngx_uint_t               i;
    ngx_keyval_t            *kv;
    ngx_http_ai_provider_t  *provider;

    provider = ctx->target.provider;

    p = ngx_cpymem(p, provider->base.data, provider->base.len);
    p = ngx_http_ai_suffix(ctx, p);

    sep = '?';

    if (ctx->request->args.len) {
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

    if (model->len == 0 || target->len == 0) {
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


/* smooth weighted round robin over the keys of a provider */

static ngx_http_ai_credential_t *
ngx_http_ai_credential(ngx_http_ai_provider_t *p)
{
    ngx_int_t                  total;
    ngx_uint_t                 i;
    ngx_http_ai_credential_t  *key, *best;

    if (p->no_key || p->keys.nelts == 0) {
        return NULL;
    }

    key = p->keys.elts;
    best = NULL;
    total = 0;

    for (i = 0; i < p->keys.nelts; i++) {

        /* under nginx -t some are not set */

        if (key[i].value.len == 0) {
            continue;
        }

        key[i].current += key[i].weight;
        total += key[i].weight;

        if (best == NULL || key[i].current > best->current) {
            best = &key[i];
        }
    }

    if (best) {
        best->current -= total;
    }

    return best;
}


static u_char *
ngx_http_ai_auth(ngx_http_ai_ctx_t *ctx, u_char *p)
{
    ngx_str_t                 *name;
    ngx_http_ai_credential_t  *key;

    key = ctx->credential;

    if (key == NULL || ctx->target.provider->auth == AI_AUTH_NONE) {
        return p;
    }

    name = &ngx_http_ai_auth_names[ctx->target.provider->auth];

    p = ngx_cpymem(p, name->data, name->len);
    p = ngx_cpymem(p, key->value.data, key->value.len);
    *p++ = CR; *p++ = LF;

    return p;
}


/* what the configuration sets, a client cannot set too */

static ngx_uint_t
ngx_http_ai_header_passes(ngx_http_ai_ctx_t *ctx, ngx_table_elt_t *h)
{
    ai_str_t       name;
    ngx_uint_t     i;
    ngx_array_t   *headers;
    ngx_keyval_t  *kv;

    name.len = h->key.len;
    name.data = h->lowcase_key;

    if (h->hash == 0 || ai_header_request(&name) != AI_OK) {
        return 0;
    }

    headers = ctx->target.provider->headers;
    kv = headers ? headers->elts : NULL;

    for (i = 0; kv && i < headers->nelts; i++) {
        if (kv[i].key.len == h->key.len
            && ngx_strncasecmp(kv[i].key.data, h->key.data, h->key.len) == 0)
        {
            return 0;
        }
    }

    return 1;
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
    size_t                  len;
    ngx_table_elt_t        *h;
    ngx_http_ai_headers_t   it;

    len = ngx_strlen(name);

    it.part = &r->headers_in.headers.part;
    it.i = 0;

    while ((h = ngx_http_ai_next_header(&it)) != NULL) {

        if (h->key.len == len && h->lowcase_key
            && ngx_memcmp(h->lowcase_key, name, len) == 0)
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


ngx_int_t
ngx_http_ai_identify(ngx_http_ai_ctx_t *ctx)
{
    u_char           *p;
    uint32_t          bits[4];
    ngx_int_t         n;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    /* as nginx's $request_id, whose random bytes are not exported */

    p = ngx_pnalloc(ctx->request->pool, 2 * sizeof(bits));
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < 4; i++) {

        /* 31 bits at a time */

        bits[i] = (uint32_t) ngx_random() ^ ((uint32_t) ngx_random() << 1);
    }

    ctx->record.id.data = p;
    ctx->record.id.len = ngx_hex_dump(p, (u_char *) bits, sizeof(bits))
                         - p;

    h = ctx->known.retry_count;

    if (h) {
        n = ngx_atoi(h->value.data, h->value.len);

        if (n != NGX_ERROR && n < 1000) {
            ctx->record.retry = n;
        }
    }

    return ngx_http_ai_trace(ctx);
}


/* W3C Trace Context: "00-" 32 hex "-" 16 hex "-" 2 hex */

static ngx_int_t
ngx_http_ai_trace(ngx_http_ai_ctx_t *ctx)
{
    u_char            ch;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    h = ctx->known.traceparent;

    if (h == NULL || h->value.len < 55 || h->value.data[2] != '-'
        || h->value.data[35] != '-')
    {
        return NGX_OK;
    }

    for (i = 3; i < 35; i++) {
        ch = h->value.data[i];

        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f'))) {
            return NGX_OK;
        }
    }

    ctx->record.trace.data = h->value.data + 3;
    ctx->record.trace.len = 32;

    return NGX_OK;
}

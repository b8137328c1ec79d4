
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The request of a client as a provider gets it.  In the dialect of both the
 * body is the client's bytes with a few spans replaced.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


static ngx_int_t ngx_http_ai_render_body(ngx_http_ai_ctx_t *ctx,
    ngx_pool_t *pool, ngx_chain_t **out, off_t *length);
static ngx_chain_t *ngx_http_ai_render_part(ngx_pool_t *pool,
    ngx_str_t *part);
static ngx_int_t ngx_http_ai_render_edits(ngx_http_ai_ctx_t *ctx,
    ai_splice_t *sp, ai_alloc_t *a);
static ngx_int_t ngx_http_ai_render_vendor(ngx_http_ai_ctx_t *ctx,
    ai_splice_t *sp, ai_alloc_t *a);
static ngx_int_t ngx_http_ai_render_model(ngx_http_ai_ctx_t *ctx,
    ai_splice_t *sp, ai_alloc_t *a);
static ngx_uint_t ngx_http_ai_deployed(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_render_usage(ngx_http_ai_ctx_t *ctx,
    ai_splice_t *sp, ai_alloc_t *a);
static ngx_int_t ngx_http_ai_trace(ngx_http_ai_ctx_t *ctx);


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

    cl = ngx_alloc_chain_link(pool);
    if (cl == NULL) {
        return NULL;
    }

    cl->buf = ngx_http_ai_head_render(ctx, pool, body, length);
    if (cl->buf == NULL) {
        return NULL;
    }

    cl->next = body;

    return cl;
}


/* smooth weighted round robin over the keys of a provider */

ngx_http_ai_credential_t *
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


static ngx_int_t
ngx_http_ai_render_body(ngx_http_ai_ctx_t *ctx, ngx_pool_t *pool,
    ngx_chain_t **out, off_t *length)
{
    size_t               i;
    ngx_chain_t         *cl, **ll;
    ai_alloc_t           alloc;
    ai_splice_t          sp;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->translated) {
        *length = ctx->hub->body.len;
        *out = ngx_http_ai_render_part(pool, &ctx->hub->body);

        return *out ? NGX_OK : NGX_ERROR;
    }

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

        cl = ngx_http_ai_render_part(pool, ngx_http_ai_ngx(&sp.parts[i]));
        if (cl == NULL) {
            return NGX_ERROR;
        }

        *ll = cl;
        ll = &cl->next;
    }

    *length = sp.len;

    return NGX_OK;
}


static ngx_chain_t *
ngx_http_ai_render_part(ngx_pool_t *pool, ngx_str_t *part)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(pool);
    cl = ngx_alloc_chain_link(pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    b->pos = part->data;
    b->last = part->data + part->len;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


static ngx_int_t
ngx_http_ai_render_edits(ngx_http_ai_ctx_t *ctx, ai_splice_t *sp,
    ai_alloc_t *a)
{
    if (ngx_http_ai_render_vendor(ctx, sp, a) != NGX_OK) {
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


/* the target's model, and what its vendor has other names for, or none */

static ngx_int_t
ngx_http_ai_render_vendor(ngx_http_ai_ctx_t *ctx, ai_splice_t *sp,
    ai_alloc_t *a)
{
    ai_json_t    *root;
    ai_int_t    (*edit)(const ai_vendor_t *v, const ai_json_t *root,
                     ai_splice_t *sp, ai_alloc_t *a);

    root = &ctx->fields.root;

    switch (ctx->op) {

    case AI_OP_EMBED_CONTENT:
    case AI_OP_BATCH_EMBED_CONTENTS:
    case AI_OP_GEMINI_COUNT_TOKENS:
        return ai_vendor_edit_models(root,
                                     ngx_http_ai_str(&ctx->target.model), sp,
                                     a);

    case AI_OP_CHAT:
    case AI_OP_MESSAGES:
        edit = ai_vendor_edit;
        break;

    case AI_OP_EMBEDDINGS:
        edit = ai_vendor_edit_embed;
        break;

    default:
        edit = NULL;
        break;
    }

    /* first, for a vendor may want to have no model there at all */

    if (ngx_http_ai_render_model(ctx, sp, a) != NGX_OK) {
        return NGX_ERROR;
    }

    return edit ? edit(ctx->target.provider->vendor, root, sp, a) : NGX_OK;
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
        || (ctx->fields.has_model
            && ai_json_str_eq(v, (char *) model->data, model->len))
        || (!ctx->fields.has_model && !ngx_http_ai_deployed(ctx)))
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

    if (!ctx->fields.has_model) {
        return ai_splice_member_set(sp, &ctx->fields.root, "model", &value);
    }

    return ai_splice_replace(sp, v->start, v->end, &value);
}


/* the model is named in front of the operation, so that the body need not */

static ngx_uint_t
ngx_http_ai_deployed(ngx_http_ai_ctx_t *ctx)
{
    return ctx->surface.model.len
           && ctx->surface.model.data < ctx->surface.suffix.data
           && ctx->fields.root.type == AI_JSON_OBJECT;
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

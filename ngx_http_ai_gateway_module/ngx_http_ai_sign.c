
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The signature of a request to AWS.  The head is written up to it, the body
 * is final: what is signed is what is sent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <openssl/evp.h>
#include "ngx_http_ai_gateway.h"


#define NGX_HTTP_AI_SIGN_BUF  16384

/* names, dates, a scope, a hash: what is not of variable length */
#define NGX_HTTP_AI_SIGN_LEN  512


static void ngx_http_ai_sign_request(ngx_http_ai_ctx_t *ctx, ngx_str_t *uri,
    ai_sigv4_request_t *r);
static ngx_int_t ngx_http_ai_sign_hash(ngx_chain_t *body, u_char *hex);
static ngx_int_t ngx_http_ai_sign_file(EVP_MD_CTX *md, ngx_buf_t *b);
static void ngx_http_ai_sign_region(ngx_http_ai_ctx_t *ctx, ai_str_t *region);


size_t
ngx_http_ai_sign_len(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_ai_credential_t  *key;

    key = ctx->credential;

    if (key == NULL || ctx->target.provider->auth != AI_AUTH_SIGV4) {
        return 0;
    }

    return NGX_HTTP_AI_SIGN_LEN + key->aws->key.len + key->aws->token.len
           + ctx->target.model.len + ctx->target.provider->region.len;
}


u_char *
ngx_http_ai_sign(ngx_http_ai_ctx_t *ctx, u_char *p, ngx_str_t *uri,
    ngx_chain_t *body)
{
    u_char                     date[AI_SIGV4_DATE_LEN];
    u_char                     hash[AI_SIGV4_HASH_LEN];
    ai_str_t                   value;
    ai_sigv4_header_t          headers[3];
    ai_sigv4_request_t         r;
    ngx_http_ai_credential_t  *key;

    key = ctx->credential;

    if (ngx_http_ai_sign_hash(body, hash) != NGX_OK) {
        return NULL;
    }

    ngx_http_ai_sign_request(ctx, uri, &r);

    r.body_hash.data = hash;
    r.body_hash.len = AI_SIGV4_HASH_LEN;

    ai_sigv4_date(date, r.now);

    ai_str_set(&headers[0].name, "host");
    headers[0].value = *ngx_http_ai_str(&ctx->target.provider->authority);

    ai_str_set(&headers[1].name, "x-amz-date");
    headers[1].value.data = date;
    headers[1].value.len = AI_SIGV4_DATE_LEN;

    ai_str_set(&headers[2].name, "x-amz-security-token");
    headers[2].value = key->aws->token;

    r.headers = headers;
    r.nheaders = key->aws->token.len ? 3 : 2;

    if (ai_sigv4_authorization(&r, key->aws, &ctx->alloc, &value) != AI_OK) {
        return NULL;
    }

    p = ngx_cpymem(p, "x-amz-date: ", sizeof("x-amz-date: ") - 1);
    p = ngx_cpymem(p, date, AI_SIGV4_DATE_LEN);
    *p++ = CR; *p++ = LF;

    if (key->aws->token.len) {
        p = ngx_cpymem(p, "x-amz-security-token: ",
                       sizeof("x-amz-security-token: ") - 1);
        p = ngx_cpymem(p, key->aws->token.data, key->aws->token.len);
        *p++ = CR; *p++ = LF;
    }

    p = ngx_cpymem(p, "Authorization: ", sizeof("Authorization: ") - 1);
    p = ngx_cpymem(p, value.data, value.len);
    *p++ = CR; *p++ = LF;

    return p;
}


/* what is asked, of whom and when; all but headers and body */

static void
ngx_http_ai_sign_request(ngx_http_ai_ctx_t *ctx, ngx_str_t *uri,
    ai_sigv4_request_t *r)
{
    u_char      *last, *query;
    const char  *service;

    ngx_memzero(r, sizeof(ai_sigv4_request_t));

    r->method = *ngx_http_ai_str(&ctx->request->method_name);
    r->now = ngx_time();

    last = uri->data + uri->len;
    query = ngx_strlchr(uri->data, last, '?');

    r->path.data = uri->data;
    r->path.len = (query ? query : last) - uri->data;

    if (query) {
        r->query.data = query + 1;
        r->query.len = last - r->query.data;
    }

    ngx_http_ai_sign_region(ctx, &r->region);

    service = ctx->target.provider->vendor->service;

    if (service == NULL) {
        service = "bedrock";
    }

    r->service.data = (u_char *) service;
    r->service.len = ngx_strlen(service);
}


/* of all parts of a body, those in a file included */

static ngx_int_t
ngx_http_ai_sign_hash(ngx_chain_t *body, u_char *hex)
{
    u_char        sum[EVP_MAX_MD_SIZE];
    ngx_int_t     rc;
    EVP_MD_CTX   *md;
    ngx_chain_t  *cl;

    rc = NGX_ERROR;
    md = EVP_MD_CTX_new();

    if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) {
        goto done;
    }

    for (cl = body; cl; cl = cl->next) {

        if (ngx_buf_in_memory(cl->buf)) {

            if (EVP_DigestUpdate(md, cl->buf->pos,
                                 cl->buf->last - cl->buf->pos)
                != 1)
            {
                goto done;
            }

        } else if (cl->buf->in_file
                   && ngx_http_ai_sign_file(md, cl->buf) != NGX_OK)
        {
            goto done;
        }
    }

    if (EVP_DigestFinal_ex(md, sum, NULL) == 1) {
        ngx_hex_dump(hex, sum, AI_SIGV4_HASH_LEN / 2);
        rc = NGX_OK;
    }

done:

    EVP_MD_CTX_free(md);

    return rc;
}


/* it was written a moment ago: the page cache has it */

static ngx_int_t
ngx_http_ai_sign_file(EVP_MD_CTX *md, ngx_buf_t *b)
{
    off_t    pos;
    u_char   buf[NGX_HTTP_AI_SIGN_BUF];
    size_t   len;
    ssize_t  n;

    for (pos = b->file_pos; pos < b->file_last; pos += n) {

        len = (size_t) ngx_min(b->file_last - pos, NGX_HTTP_AI_SIGN_BUF);
        n = ngx_read_file(b->file, buf, len, pos);

        if (n <= 0 || EVP_DigestUpdate(md, buf, n) != 1) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* "arn:aws:bedrock:REGION:..." knows better than the configuration */

static void
ngx_http_ai_sign_region(ngx_http_ai_ctx_t *ctx, ai_str_t *region)
{
    u_char      *p, *last, *next;
    ngx_str_t   *model;
    ngx_uint_t   i;

    model = &ctx->target.model;
    *region = *ngx_http_ai_str(&ctx->target.provider->region);

    if (model->len < 4 || ngx_strncmp(model->data, "arn:", 4) != 0) {
        return;
    }

    p = model->data;
    last = p + model->len;

    for (i = 0; i < 3; i++) {
        p = ngx_strlchr(p, last, ':');

        if (p == NULL) {
            return;
        }

        p++;
    }

    next = ngx_strlchr(p, last, ':');

    if (next && next > p) {
        region->data = p;
        region->len = next - p;
    }
}

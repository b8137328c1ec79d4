
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A client of one dialect, a provider of another: the request is parsed into
 * the neutral one, rendered for the target, and the answer comes back the
 * same way.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_http_ai_gateway.h"


/* a body grows when it is told in another dialect, but not without bounds */

#define NGX_HTTP_AI_HUB_GROWTH  8
#define NGX_HTTP_AI_HUB_EXTRA   65536
#define NGX_HTTP_AI_HUB_ROOM    512


static ngx_int_t ngx_http_ai_hub_parse(ngx_http_ai_ctx_t *ctx);
static ngx_int_t ngx_http_ai_hub_refused(ngx_http_ai_ctx_t *ctx,
    ai_int_t rc);
static ngx_int_t ngx_http_ai_hub_dropped(ngx_http_ai_ctx_t *ctx);
static ngx_uint_t ngx_http_ai_hub_foreign(ngx_http_ai_ctx_t *ctx);
static ngx_uint_t ngx_http_ai_hub_embeds(ai_op_e op);


/*
 * What the target is asked for.  In its own dialect the client's bytes
 * pass; NGX_DECLINED: the target has nothing like it.
 */

ngx_int_t
ngx_http_ai_hub_target(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_ai_provider_t  *p;

    p = ctx->target.provider;

    ctx->op = ctx->surface.op;
    ctx->translated = 0;

    if (ctx->opaque) {
        return NGX_OK;
    }

    if (ai_vendor_ops(p->vendor, p->dialect) & (1 << ctx->surface.op)) {

        /* unless it goes on with what another provider has begun */

        ctx->translated = ngx_http_ai_hub_foreign(ctx);

        return NGX_OK;
    }

    ctx->op = ai_vendor_op(p->vendor, p->dialect, ctx->surface.op,
                           ctx->fields.wants_stream);
    ctx->translated = 1;

    return ctx->op == AI_OP_NONE ? NGX_DECLINED : NGX_OK;
}


static ngx_uint_t
ngx_http_ai_hub_foreign(ngx_http_ai_ctx_t *ctx)
{
    switch (ctx->surface.op) {

    case AI_OP_MESSAGES:
    case AI_OP_RESPONSES:
    case AI_OP_GENERATE:
    case AI_OP_STREAM_GENERATE:
    case AI_OP_CONVERSE:
    case AI_OP_CONVERSE_STREAM:
        return ai_state_foreign(ngx_http_ai_str(&ctx->body));

    default:
        return 0;
    }
}


/* the body for the target: NGX_OK, or NGX_ERROR with ctx->error set */

ngx_int_t
ngx_http_ai_hub_render(ngx_http_ai_ctx_t *ctx)
{
    ai_int_t            rc;
    ai_buf_t            out;
    ai_target_t         target;
    ngx_http_ai_hub_t  *hub;

    if (ngx_http_ai_hub_parse(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    hub = ctx->hub;

    target.vendor = ctx->target.provider->vendor;
    target.op = ctx->op;
    target.model = *ngx_http_ai_str(&ctx->target.model);
    target.stream = ctx->fields.wants_stream;

    ai_caps(&target.model, &target.caps);

    ai_buf_init(&out, &ctx->alloc,
                ctx->body.len * NGX_HTTP_AI_HUB_GROWTH
                + NGX_HTTP_AI_HUB_EXTRA);

    /* nearly always enough, so that what is written is not moved */

    (void) ai_buf_grow(&out, ctx->body.len + ctx->body.len / 8
                             + NGX_HTTP_AI_HUB_ROOM);

    if (ngx_http_ai_hub_embeds(ctx->op)) {
        rc = ai_embed_request(ctx->surface.op, &ctx->fields.root, &target,
                              &ctx->alloc, &hub->embed, &out, &hub->report);
        hub->embed.id = ctx->record.id;

    } else {
        rc = ai_wire(ctx->op)->render_request(&hub->request, &target, &out,
                                              &hub->report);
    }

    if (rc != AI_OK) {
        return ngx_http_ai_hub_refused(ctx, rc);
    }

    if (ai_buf_get(&out, ngx_http_ai_str(&hub->body)) != AI_OK) {
        ctx->error = out.large ? AI_ERR_TOO_LARGE : AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    return ngx_http_ai_hub_dropped(ctx);
}


/* once: what it means does not depend on who is asked */

static ngx_int_t
ngx_http_ai_hub_parse(ngx_http_ai_ctx_t *ctx)
{
    ai_int_t            rc;
    ngx_table_elt_t    *betas;
    ngx_http_ai_hub_t  *hub;

    if (ctx->hub) {
        return NGX_OK;
    }

    hub = ngx_pcalloc(ctx->request->pool, sizeof(ngx_http_ai_hub_t));
    if (hub == NULL) {
        ctx->error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    ctx->hub = hub;

    ai_report_init(&hub->report, &ctx->alloc);

    if (ngx_http_ai_hub_embeds(ctx->surface.op)) {
        return NGX_OK;
    }

    ai_request_init(&hub->request, &ctx->alloc);

    hub->request.known = ctx->fields.messages;

    rc = ai_wire(ctx->surface.op)->parse_request(&hub->request,
                                                 &ctx->fields.root,
                                                 &hub->report);
    if (rc == AI_OK) {
        rc = ai_request_normalize(&hub->request, &hub->report);
    }

    if (rc != AI_OK) {
        return ngx_http_ai_hub_refused(ctx, rc);
    }

    betas = ngx_http_ai_header_in(ctx->request, "anthropic-beta");

    if (betas && ctx->surface.op == AI_OP_MESSAGES) {
        hub->request.betas = *ngx_http_ai_str(&betas->value);
    }

    hub->request.stream = ctx->fields.wants_stream;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ai_hub_refused(ngx_http_ai_ctx_t *ctx, ai_int_t rc)
{
    ai_report_t  *rep;

    if (rc != AI_DECLINED) {
        ctx->error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    rep = &ctx->hub->report;

    ctx->error = AI_ERR_BAD_REQUEST;
    ctx->message = *ngx_http_ai_ngx(&rep->message);
    ctx->param = *ngx_http_ai_ngx(&rep->param);

    return NGX_ERROR;
}


/* what the target cannot be told is told to the client, and to the log */

static ngx_int_t
ngx_http_ai_hub_dropped(ngx_http_ai_ctx_t *ctx)
{
    u_char       *p;
    size_t        len;
    ngx_str_t     list, *provider;
    ngx_uint_t    i;
    ai_report_t  *rep;

    rep = &ctx->hub->report;

    if (rep->ndropped == 0) {
        return NGX_OK;
    }

    len = 0;

    for (i = 0; i < rep->ndropped; i++) {
        len += rep->dropped[i].len + 1;
    }

    p = ngx_pnalloc(ctx->request->pool, len);
    if (p == NULL) {
        ctx->error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    list.data = p;

    for (i = 0; i < rep->ndropped; i++) {

        if (i) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, rep->dropped[i].data, rep->dropped[i].len);
    }

    list.len = p - list.data;

    ctx->record.dropped = *ngx_http_ai_str(&list);
    provider = &ctx->target.provider->name;

    switch (ctx->lcf->unsupported) {

    case NGX_HTTP_AI_UNSUPPORTED_REJECT:
        ctx->error = AI_ERR_BAD_REQUEST;
        ctx->param = *ngx_http_ai_ngx(&rep->dropped[0]);

        p = ngx_pnalloc(ctx->request->pool, NGX_HTTP_AI_MESSAGE_LEN);

        if (p) {
            ctx->message.data = p;
            ctx->message.len = ngx_snprintf(p, NGX_HTTP_AI_MESSAGE_LEN,
                                   "the provider \"%V\" cannot be asked for: "
                                   "%V", provider, &list)
                               - p;
        }

        return NGX_ERROR;

    case NGX_HTTP_AI_UNSUPPORTED_WARN:
        ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                      "ai provider \"%V\" cannot be asked for what the client "
                      "did, dropped: %V", provider, &list);
        break;

    default:
        break;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_ai_hub_embeds(ai_op_e op)
{
    switch (op) {

    case AI_OP_EMBEDDINGS:
    case AI_OP_EMBED_CONTENT:
    case AI_OP_BATCH_EMBED_CONTENTS:
    case AI_OP_COHERE_EMBED:
    case AI_OP_OLLAMA_EMBED:
    case AI_OP_PREDICT:
        return 1;

    default:
        return 0;
    }
}


/* how the provider cuts its stream into events */

ai_frame_e
ngx_http_ai_hub_frame(ngx_http_ai_ctx_t *ctx)
{
    switch (ctx->op) {

    case AI_OP_OLLAMA_CHAT:
        return AI_FRAME_LINES;

    case AI_OP_CONVERSE_STREAM:
        return AI_FRAME_AWS;

    case AI_OP_MESSAGES:
        return (ctx->target.provider->vendor->flags
                & AI_VENDOR_BEDROCK_CLAUDE)
               ? AI_FRAME_AWS_BYTES : AI_FRAME_SSE;

    default:
        return AI_FRAME_SSE;
    }
}


/* Gemini streams an array to those who do not ask for events */

static ngx_uint_t
ngx_http_ai_hub_array(ngx_http_ai_ctx_t *ctx)
{
    ai_str_t  value;

    if (ctx->surface.op != AI_OP_STREAM_GENERATE) {
        return 0;
    }

    return ai_args_find(ngx_http_ai_str(&ctx->request->args), "alt", &value)
           != AI_OK
           || !ai_str_eq(&value, "sse");
}


ngx_int_t
ngx_http_ai_hub_open(ngx_http_ai_ctx_t *ctx)
{
    ngx_http_ai_reply_t  *reply;
    ai_translate_conf_t   conf;

    reply = &ctx->reply;
    reply->translate = NULL;

    if (!ctx->translated || ngx_http_ai_hub_embeds(ctx->op)) {
        return NGX_OK;
    }

    ngx_memzero(&conf, sizeof(ai_translate_conf_t));

    conf.from = ctx->op;
    conf.to = ctx->surface.op;
    conf.vendor = ctx->target.provider->vendor;
    conf.req = &ctx->hub->request;
    conf.model = ctx->record.model_requested;
    conf.request_id = ctx->record.id;
    conf.now = ngx_time();
    conf.array = ngx_http_ai_hub_array(ctx);
    conf.max = ctx->lcf->max_response;
    conf.alloc = &ctx->alloc;
    conf.scratch = &reply->scratch_alloc;

    reply->translate = ai_translate_create(&conf, &reply->tap);

    return reply->translate ? NGX_OK : NGX_ERROR;
}


/* Content-Type of a stream to the client */

ngx_str_t *
ngx_http_ai_hub_type(ngx_http_ai_ctx_t *ctx)
{
    static ngx_str_t  events = ngx_string("text/event-stream");
    static ngx_str_t  json = ngx_string("application/json");
    static ngx_str_t  aws = ngx_string("application/vnd.amazon.eventstream");

    if (ctx->surface.op == AI_OP_CONVERSE_STREAM) {
        return &aws;
    }

    if (ctx->translated ? ngx_http_ai_hub_array(ctx)
                        : ctx->reply.frame.type == AI_FRAME_ARRAY)
    {
        return &json;
    }

    return &events;
}


/* a JSON answer that is no chat: vectors */

ai_event_e
ngx_http_ai_hub_response(ngx_http_ai_ctx_t *ctx, ngx_uint_t stream,
    ngx_str_t *body, ai_json_error_t *err)
{
    ai_buf_t             *out, vectors;
    ai_json_t             root;
    ai_event_e            what;
    ngx_http_ai_reply_t  *reply;

    static const ai_json_limits_t  limits = { AI_JSON_DEPTH, SIZE_MAX };

    reply = &ctx->reply;

    if (reply->translate) {
        what = ai_translate_response(reply->translate, reply->body,
                                     reply->len, stream, err);
        out = ai_translate_out(reply->translate);

    } else {
        if (ai_json_scan(reply->body, reply->len, &limits, &ctx->alloc, NULL,
                         NULL, &root, err)
            != AI_OK)
        {
            return AI_EVENT_INVALID;
        }

        ai_buf_init(&vectors, &ctx->alloc, ctx->lcf->max_response);

        what = ai_embed_response(ctx->op, ctx->surface.op, &ctx->hub->embed,
                                 &root, &reply->tap,
                                 &ctx->record.model_requested, &vectors);
        out = &vectors;

        /* some tell no usage, which is then estimated */

        reply->tap.content += (what == AI_EVENT_CONTENT);
    }

    if (what == AI_EVENT_CONTENT
        && ai_buf_get(out, ngx_http_ai_str(body)) != AI_OK)
    {
        err->reason = "too large when translated";
        return AI_EVENT_INVALID;
    }

    return what;
}


/* tokens of a request, counted here where the target cannot count */

ngx_int_t
ngx_http_ai_hub_count(ngx_http_ai_ctx_t *ctx, ngx_str_t *body)
{
    ai_buf_t  out;

    if (ngx_http_ai_hub_parse(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ai_buf_init(&out, &ctx->alloc, NGX_HTTP_AI_HUB_EXTRA);
    ai_count_render(&out, ctx->surface.op,
                    ai_count_request(&ctx->hub->request));

    if (ai_buf_get(&out, ngx_http_ai_str(body)) != AI_OK) {
        ctx->error = AI_ERR_INTERNAL;
        return NGX_ERROR;
    }

    return NGX_OK;
}

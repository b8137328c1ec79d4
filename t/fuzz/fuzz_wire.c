
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Answers through the hub: what the client gets does not depend on how the
 * bytes came, a document stays a document, nothing is kept without bounds.
 * Of the first bytes one is what the provider speaks, one what the client
 * does, then the vendor, the framing, and the cuts.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_frame.h"
#include "ai_translate.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define HEADER   5
#define MAX      16384
#define MEMORY   (4 * 1024 * 1024)


typedef struct block_s  block_t;

struct block_s {
    block_t         *next;
};


typedef struct {
    block_t         *blocks;
    size_t           used;
} arena_t;


typedef struct {
    u_char          *out;
    size_t           len;
    size_t           size;
    ai_event_e       last;
    arena_t          memory;
    arena_t          scratch;
    ai_alloc_t       alloc;
    ai_alloc_t       scratch_alloc;
    ai_tap_t         tap;
    ai_request_t     req;
    ai_translate_t  *t;
} run_t;


static const ai_op_e  from_ops[] = {
    AI_OP_CHAT, AI_OP_RESPONSES, AI_OP_MESSAGES, AI_OP_STREAM_GENERATE,
    AI_OP_COHERE_CHAT, AI_OP_CONVERSE_STREAM, AI_OP_OLLAMA_CHAT
};

static const ai_op_e  to_ops[] = {
    AI_OP_CHAT, AI_OP_RESPONSES, AI_OP_MESSAGES, AI_OP_STREAM_GENERATE,
    AI_OP_COHERE_CHAT, AI_OP_CONVERSE_STREAM
};

#define nitems(a)  (sizeof(a) / sizeof(a[0]))


static void *
block(void *data, size_t size)
{
    arena_t  *a;
    block_t  *b;

    a = data;
    a->used += size;
    FUZZ(a->used <= MEMORY);

    b = malloc(sizeof(block_t) + (size ? size : 1));
    FUZZ(b != NULL);
    memset(b + 1, 0xa5, size);

    b->next = a->blocks;
    a->blocks = b;

    return b + 1;
}


static void
drop(arena_t *a)
{
    block_t  *b;

    while (a->blocks != NULL) {
        b = a->blocks;
        a->blocks = b->next;
        free(b);
    }

    a->used = 0;
}


static void
keep(run_t *r)
{
    ai_buf_t  *out;
    ai_str_t   s;

    out = ai_translate_out(r->t);

    if (ai_buf_get(out, &s) == AI_OK && s.len != 0) {

        if (r->len + s.len > r->size) {
            r->size = 2 * (r->len + s.len);
            r->out = realloc(r->out, r->size);
            FUZZ(r->out != NULL);
        }

        memcpy(r->out + r->len, s.data, s.len);
        r->len += s.len;
    }

    ai_buf_reset(out);
    drop(&r->scratch);
}


static void
start(run_t *r, const uint8_t *head)
{
    ai_uint_t             i, n;
    const ai_dialect_t   *d;
    ai_translate_conf_t   conf;

    memset(r, 0, sizeof(run_t));
    memset(&conf, 0, sizeof(ai_translate_conf_t));

    r->alloc.alloc = block;
    r->alloc.data = &r->memory;
    r->scratch_alloc.alloc = block;
    r->scratch_alloc.data = &r->scratch;

    conf.from = from_ops[head[0] % nitems(from_ops)];
    conf.to = to_ops[head[1] % nitems(to_ops)];

    d = NULL;

    for (i = 0; ai_dialects[i] != NULL; i++) {

        if (ai_dialects[i]->ops & ((ai_uint_t) 1 << conf.from)) {
            d = ai_dialects[i];
        }
    }

    FUZZ(d != NULL);

    for (n = 0; ai_vendors[n].name.len != 0; n++) { /* void */ }

    conf.vendor = head[2] % (n + 1) == n ? ai_vendor_generic(d)
                                         : &ai_vendors[head[2] % (n + 1)];

    ai_request_init(&r->req, &r->alloc);
    r->req.stream = 1;
    r->req.include_usage = head[1] >> 7;

    conf.req = &r->req;
    ai_str_set(&conf.model, "m");
    ai_str_set(&conf.request_id, "0123456789abcdef0123456789abcdef");
    conf.now = 1700000000;
    conf.input = 7;
    conf.array = (head[1] >> 6) & 1;
    conf.max = MAX;
    conf.alloc = &r->alloc;
    conf.scratch = &r->scratch_alloc;

    ai_tap_init(&r->tap, d, conf.from, &r->scratch_alloc);

    r->t = ai_translate_create(&conf, &r->tap);
    FUZZ(r->t != NULL);
}


static void
end(run_t *r)
{
    ai_error_doc_t  doc;

    keep(r);

    if (r->last != AI_EVENT_END) {
        memset(&doc, 0, sizeof(ai_error_doc_t));
        doc.error = AI_ERR_UPSTREAM_ERROR;
        doc.retry_after = -1;

        (void) ai_translate_error(r->t, &doc);
        keep(r);
    }
}


/* returns 1 when it was the last event */

static int
event(run_t *r, ai_event_e e)
{
    r->last = e;
    keep(r);

    return e == AI_EVENT_END || e == AI_EVENT_ERROR || e == AI_EVENT_INVALID;
}


static void
stream(run_t *r, const uint8_t *head, const uint8_t *data, size_t size,
    size_t max)
{
    u_char          *piece, *pos;
    size_t           at, n;
    unsigned         seed;
    ai_int_t         rc;
    ai_frame_t       frame;
    ai_sse_event_t   ev;

    start(r, head);

    ai_frame_init(&frame, head[3] % 5, MAX, &r->alloc);

    seed = head[4];

    for (at = 0; at < size; at += n) {
        seed = seed * 1103515245 + 12345;
        n = max ? 1 + (seed >> 16) % max : size;
        n = (n < size - at) ? n : size - at;

        piece = malloc(n);
        FUZZ(piece != NULL);
        memcpy(piece, data + at, n);
        pos = piece;

        while ((rc = ai_frame_next(&frame, &pos, piece + n, &ev)) == AI_OK) {

            if (event(r, ai_translate_event(r->t, &ev))) {
                free(piece);
                end(r);
                return;
            }
        }

        free(piece);

        if (rc == AI_ERROR) {
            r->last = AI_EVENT_INVALID;
            end(r);
            return;
        }
    }

    rc = ai_frame_finish(&frame, &ev);

    if (rc == AI_OK && event(r, ai_translate_event(r->t, &ev))) {
        end(r);
        return;
    }

    if (rc == AI_ERROR) {
        r->last = AI_EVENT_INVALID;
        end(r);
        return;
    }

    FUZZ(event(r, ai_translate_eof(r->t)));

    end(r);
}


static void
document(run_t *r, const uint8_t *head, const uint8_t *data, size_t size,
    ai_uint_t events)
{
    u_char           *copy;
    ai_json_t         root;
    ai_json_error_t   err;
    ai_json_limits_t  limits;

    start(r, head);

    copy = malloc(size ? size : 1);
    FUZZ(copy != NULL);
    memcpy(copy, data, size);

    r->last = ai_translate_response(r->t, copy, size, events, &err);
    keep(r);

    if (!events && r->last == AI_EVENT_CONTENT) {
        limits.depth = 256;
        limits.nodes = 10000000;

        FUZZ(ai_json_scan(r->out, r->len, &limits, &r->scratch_alloc, NULL,
                          NULL, &root, &err)
             == AI_OK);
    }

    free(copy);
}


static void
stop(run_t *r)
{
    drop(&r->memory);
    drop(&r->scratch);
    free(r->out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_t  whole, cut;

    if (size < HEADER) {
        return 0;
    }

    stream(&whole, data, data + HEADER, size - HEADER, 0);
    stream(&cut, data, data + HEADER, size - HEADER, 1 + data[4] % 32);

    FUZZ(whole.last == cut.last);
    FUZZ(whole.len == cut.len && memcmp(whole.out, cut.out, cut.len) == 0);

    stop(&whole);
    stop(&cut);

    document(&whole, data, data + HEADER, size - HEADER, 0);
    document(&cut, data, data + HEADER, size - HEADER, 1);

    FUZZ(whole.last == cut.last
         || (whole.last == AI_EVENT_CONTENT && cut.last == AI_EVENT_END));

    stop(&whole);
    stop(&cut);

    return 0;
}

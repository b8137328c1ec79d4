
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests through the hub: whatever a client's body holds, each provider's
 * is valid JSON, and the same when it is rendered once more, as for a second
 * attempt.  The first byte is what the client speaks, the next one the model.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_wire.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define HEADER   2
#define MEMORY   (32 * 1024 * 1024)


typedef struct block_s  block_t;

struct block_s {
    block_t         *next;
};


typedef struct {
    block_t         *blocks;
    size_t           used;
} arena_t;


typedef struct {
    ai_op_e          op;
    const char      *vendor;
} target_t;


static const ai_op_e  from_ops[] = {
    AI_OP_CHAT, AI_OP_RESPONSES, AI_OP_MESSAGES, AI_OP_GENERATE,
    AI_OP_COHERE_CHAT, AI_OP_CONVERSE
};

static const target_t  targets[] = {
    { AI_OP_CHAT, "openai" },
    { AI_OP_CHAT, "mistral" },
    { AI_OP_CHAT, "groq" },
    { AI_OP_CHAT, "deepseek" },
    { AI_OP_RESPONSES, "openai" },
    { AI_OP_MESSAGES, "anthropic" },
    { AI_OP_GENERATE, "gemini" },
    { AI_OP_COHERE_CHAT, "cohere" },
    { AI_OP_CONVERSE, "bedrock" },
    { AI_OP_OLLAMA_CHAT, "ollama" }
};

static const char  *models[] = {
    "m", "gpt-4o", "gpt-5.2", "claude-3-7-sonnet", "claude-sonnet-4-5",
    "claude-opus-4-8", "gemini-2.5-flash", "gemini-3-pro", "gemini-1.5-pro",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0",
    "openai.gpt-oss-120b-1:0"
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


static ai_int_t
render(ai_request_t *req, const target_t *to, unsigned model, unsigned stream,
    ai_str_t *body)
{
    size_t               n;
    ai_buf_t             out;
    ai_int_t             rc;
    ai_str_t             name;
    ai_json_t            root;
    ai_target_t          t;
    ai_report_t          rep;
    ai_json_error_t      err;
    ai_json_limits_t     limits;

    memset(&t, 0, sizeof(ai_target_t));

    name.data = (u_char *) to->vendor;
    name.len = strlen(to->vendor);

    t.vendor = ai_vendor_find(&name);
    FUZZ(t.vendor != NULL);

    t.op = to->op;
    t.stream = stream;
    t.model.data = (u_char *) models[model % nitems(models)];
    t.model.len = strlen((char *) t.model.data);
    ai_caps(&t.model, &t.caps);

    ai_report_init(&rep, req->alloc);
    ai_buf_init(&out, req->alloc, MEMORY);

    rc = ai_wire(to->op)->render_request(req, &t, &out, &rep);
    FUZZ(rc == AI_OK || rc == AI_DECLINED);

    body->len = 0;

    if (rc == AI_DECLINED) {
        FUZZ(rep.message.len != 0);
        return rc;
    }

    FUZZ(ai_buf_get(&out, body) == AI_OK);

    /* what is within the limits of one dialect is a little more in another */

    limits.depth = AI_JSON_DEPTH + 32;
    limits.nodes = 10 * AI_JSON_NODES;

    rc = ai_json_scan(body->data, body->len, &limits, req->alloc, NULL, NULL,
                      &root, &err);

    if (rc != AI_OK) {
        n = err.offset > 100 ? err.offset - 100 : 0;
        fprintf(stderr, "%s: %s at %zu, behind: %.*s\n", to->vendor,
                err.reason, err.offset, (int) (err.offset - n),
                (char *) body->data + n);
    }

    FUZZ(rc == AI_OK && root.type == AI_JSON_OBJECT);

    return AI_OK;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char           *copy;
    size_t            i;
    arena_t           arena;
    block_t          *b;
    ai_int_t          rc;
    ai_str_t          first, second;
    ai_json_t         root;
    ai_alloc_t        alloc;
    ai_report_t       rep;
    ai_request_t      req;
    ai_json_error_t   err;
    const ai_wire_t  *wire;

    if (size < HEADER || size > 65536) {
        return 0;
    }

    memset(&arena, 0, sizeof(arena_t));
    alloc.alloc = block;
    alloc.data = &arena;

    wire = ai_wire(from_ops[data[0] % nitems(from_ops)]);

    copy = malloc(size > HEADER ? size - HEADER : 1);
    FUZZ(copy != NULL);
    memcpy(copy, data + HEADER, size - HEADER);

    rc = ai_json_scan(copy, size - HEADER, NULL, &alloc, NULL, NULL, &root,
                      &err);

    ai_request_init(&req, &alloc);
    ai_report_init(&rep, &alloc);

    if (rc == AI_OK && root.type == AI_JSON_OBJECT) {
        rc = wire->parse_request(&req, &root, &rep);

        FUZZ(rc == AI_OK || (rc == AI_DECLINED && rep.message.len != 0));

    } else {
        rc = AI_DECLINED;
    }

    if (rc == AI_OK) {
        FUZZ(ai_request_normalize(&req, &rep) == AI_OK);

        for (i = 0; i < nitems(targets); i++) {
            rc = render(&req, &targets[i], data[1], data[0] >> 7, &first);
            FUZZ(rc == render(&req, &targets[i], data[1], data[0] >> 7,
                              &second));
            FUZZ(first.len == second.len
                 && (first.len == 0
                     || memcmp(first.data, second.data, first.len) == 0));
        }
    }

    while (arena.blocks != NULL) {
        b = arena.blocks;
        arena.blocks = b->next;
        free(b);
    }

    free(copy);

    return 0;
}

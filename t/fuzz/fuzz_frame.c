
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * All framings: the events do not depend on how the bytes came, nothing is
 * read outside of them, and memory is bounded.  The first byte chooses the
 * framing, the second one the cuts.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_frame.h"


#define MAX      65536
#define NBLOCKS  256

#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    uint64_t        sum;        /* of the events as a reader sees them */
    size_t          events;
    ai_int_t        rc;
    size_t          taken;
    size_t          nblocks;
    void           *blocks[NBLOCKS];
} run_t;


static void *
block(void *data, size_t size)
{
    run_t  *r;

    r = data;

    if (r->nblocks == NBLOCKS) {
        return NULL;
    }

    r->taken += size;
    r->blocks[r->nblocks] = malloc(size ? size : 1);
    FUZZ(r->blocks[r->nblocks] != NULL);

    return r->blocks[r->nblocks++];
}


static void
add(run_t *r, ai_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        r->sum = (r->sum ^ s->data[i]) * 1099511628211u;
    }

    r->sum = (r->sum ^ s->len) * 1099511628211u;
}


static void
event(run_t *r, ai_sse_event_t *ev)
{
    if (ev->comment_only) {
        return;
    }

    r->events++;

    add(r, &ev->name);
    add(r, &ev->data);
    add(r, &ev->error);
}


/* each piece in a block of its own, which is gone before the next one */

static void
run(run_t *r, ai_frame_e type, const uint8_t *data, size_t size, size_t step)
{
    u_char          *p, *pos;
    size_t           n, at;
    ai_alloc_t       alloc;
    ai_frame_t       f;
    ai_sse_event_t   ev;

    memset(r, 0, sizeof(run_t));

    alloc.alloc = block;
    alloc.data = r;

    ai_frame_init(&f, type, MAX, &alloc);

    r->rc = AI_AGAIN;

    for (at = 0; at < size && r->rc == AI_AGAIN; at += n) {

        n = (step == 0 || step > size - at) ? size - at : step;

        p = malloc(n);
        FUZZ(p != NULL);
        memcpy(p, data + at, n);
        pos = p;

        while ((r->rc = ai_frame_next(&f, &pos, p + n, &ev)) == AI_OK) {
            FUZZ(pos >= p && pos <= p + n);
            event(r, &ev);
        }

        FUZZ(r->rc != AI_AGAIN || pos == p + n);
        free(p);
    }

    if (r->rc == AI_AGAIN) {
        r->rc = ai_frame_finish(&f, &ev);

        if (r->rc == AI_OK) {
            event(r, &ev);
        }
    }

    FUZZ(r->rc != AI_ERROR || f.err != NULL);
    FUZZ(r->taken <= 64 * MAX);

    while (r->nblocks) {
        free(r->blocks[--r->nblocks]);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_t       whole, cut;
    size_t      step;
    ai_frame_e  type;

    static const ai_frame_e  types[] = {
        AI_FRAME_SSE, AI_FRAME_LINES, AI_FRAME_ARRAY, AI_FRAME_AWS,
        AI_FRAME_AWS_BYTES
    };

    if (size < 2) {
        return 0;
    }

    type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
    step = data[1] % 32 + 1;

    run(&whole, type, data + 2, size - 2, 0);
    run(&cut, type, data + 2, size - 2, step);

    FUZZ(whole.rc == cut.rc);
    FUZZ(whole.events == cut.events);
    FUZZ(whole.sum == cut.sum);

    return 0;
}

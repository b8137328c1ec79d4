
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Event streams: the events do not depend on how the bytes came, and their
 * raw spans are the input.  The first byte decides the cuts, the second one
 * between SSE and NDJSON, and the limit.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_sse.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define NBLOCKS  64


typedef struct {
    u_char         *text;       /* the events as a reader sees them */
    size_t          len;
    size_t          raw;        /* bytes of the input seen in events */
    ai_int_t        rc;
    const uint8_t  *data;
    size_t          size;
    size_t          nblocks;
    void           *blocks[NBLOCKS];
} run_t;


static void *
block(void *data, size_t size)
{
    run_t  *r;

    r = data;
    FUZZ(r->nblocks < NBLOCKS);

    r->blocks[r->nblocks] = malloc(size);
    FUZZ(r->blocks[r->nblocks] != NULL);

    return r->blocks[r->nblocks++];
}


static void
add(run_t *r, ai_str_t *s, u_char end)
{
    FUZZ(r->len + s->len + 1 <= 4 * r->size + 16);

    if (s->len != 0) {
        memcpy(r->text + r->len, s->data, s->len);
    }

    r->len += s->len;
    r->text[r->len++] = end;
}


static void
event(run_t *r, ai_sse_event_t *ev)
{
    FUZZ(ev->raw.len > 0 && ev->raw.len <= r->size - r->raw);
    FUZZ(memcmp(ev->raw.data, r->data + r->raw, ev->raw.len) == 0);

    r->raw += ev->raw.len;

    if (ev->comment_only) {
        FUZZ(!ev->has_data && ev->name.len == 0 && ev->error.len == 0);
        return;
    }

    add(r, &ev->name, 1);
    add(r, &ev->error, 2);
    add(r, &ev->data, 3 + 2 * ev->has_data + ev->unterminated);
}


static void
run(run_t *r, unsigned mode, const uint8_t *data, size_t size, unsigned seed,
    size_t max)
{
    size_t           n, at;
    u_char          *buf, *pos;
    ai_sse_t         s;
    ai_alloc_t       a;
    ai_sse_event_t   ev;

    memset(r, 0, sizeof(run_t));

    r->data = data;
    r->size = size;
    r->text = malloc(4 * size + 16);
    FUZZ(r->text != NULL);

    a.alloc = block;
    a.data = r;

    if (mode & 1) {
        ai_sse_init_lines(&s, 16 + mode * 8, &a);

    } else {
        ai_sse_init(&s, 16 + mode * 8, &a);
    }

    at = 0;

    do {
        seed = seed * 1103515245 + 12345;
        n = max ? 1 + (seed >> 16) % max : size;
        n = (n < size - at) ? n : size - at;

        buf = malloc(n ? n : 1);
        FUZZ(buf != NULL);
        memcpy(buf, data + at, n);

        pos = buf;

        while ((r->rc = ai_sse_next(&s, &pos, buf + n, &ev)) == AI_OK) {
            event(r, &ev);
        }

        FUZZ(r->rc == AI_ERROR || (r->rc == AI_AGAIN && pos == buf + n));

        at += n;

        free(buf);

    } while (r->rc == AI_AGAIN && at < size);

    if (r->rc == AI_AGAIN) {

        r->rc = ai_sse_finish(&s, &ev);

        if (r->rc == AI_OK) {
            event(r, &ev);
            r->rc = ai_sse_finish(&s, &ev);
        }

        FUZZ(r->rc == AI_DONE && r->raw == size);
    }

    while (r->nblocks) {
        free(r->blocks[--r->nblocks]);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_t  whole, cut;

    if (size < 2) {
        return 0;
    }

    run(&whole, data[1], data + 2, size - 2, 0, 0);
    run(&cut, data[1], data + 2, size - 2, data[0], 1 + data[0] % 32);

    FUZZ(whole.rc == cut.rc);
    FUZZ(whole.len == cut.len && memcmp(whole.text, cut.text, cut.len) == 0);

    free(whole.text);
    free(cut.text);

    return 0;
}

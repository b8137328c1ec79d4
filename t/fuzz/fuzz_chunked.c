
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Chunked bodies: what is read does not depend on how the bytes came.  The
 * first byte of the input decides the cuts.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_http.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    u_char             *body;
    size_t              len;
    size_t              used;       /* bytes of input */
    ai_int_t            rc;
    ai_http_chunked_t   ch;
} run_t;


static void
run(run_t *r, const uint8_t *data, size_t size, unsigned seed, size_t max)
{
    size_t     n;
    u_char    *buf, *pos;
    ai_str_t   piece;

    r->body = malloc(size ? size : 1);
    FUZZ(r->body != NULL);

    r->len = 0;
    r->used = 0;

    ai_http_chunked_init(&r->ch);

    do {
        seed = seed * 1103515245 + 12345;
        n = max ? 1 + (seed >> 16) % max : size;
        n = (n < size - r->used) ? n : size - r->used;

        buf = malloc(n ? n : 1);
        FUZZ(buf != NULL);
        memcpy(buf, data + r->used, n);

        pos = buf;

        while ((r->rc = ai_http_chunked_next(&r->ch, &pos, buf + n, &piece))
               == AI_OK)
        {
            FUZZ(piece.len > 0 && piece.data + piece.len == pos);
            FUZZ(r->len + piece.len <= size);

            memcpy(r->body + r->len, piece.data, piece.len);
            r->len += piece.len;
        }

        FUZZ(r->rc != AI_AGAIN || pos == buf + n);

        r->used += pos - buf;

        free(buf);

    } while (r->rc == AI_AGAIN && r->used < size);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_t  whole, cut;

    if (size < 1) {
        return 0;
    }

    run(&whole, data + 1, size - 1, 0, 0);
    run(&cut, data + 1, size - 1, data[0], 2 + data[0] * 4);

    FUZZ(whole.rc == cut.rc && whole.used == cut.used);
    FUZZ(whole.ch.err == cut.ch.err);
    FUZZ(whole.len == cut.len && memcmp(whole.body, cut.body, cut.len) == 0);

    free(whole.body);
    free(cut.body);

    return 0;
}

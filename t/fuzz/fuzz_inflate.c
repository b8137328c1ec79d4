
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Compressed bodies: what comes out does not depend on how the bytes came
 * nor on the room there was.  The first byte decides the cuts and the room,
 * the second one the kind and the cap.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_inflate.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    u_char       *out;
    size_t        len;
    ai_int_t      rc;
    const char   *err;
    void         *stream;
} run_t;


static void *
block(void *data, size_t size)
{
    run_t  *r;

    r = data;
    FUZZ(r->stream == NULL);

    r->stream = malloc(size);
    FUZZ(r->stream != NULL);

    return r->stream;
}


static void
run(run_t *r, unsigned mode, const uint8_t *data, size_t size, unsigned seed,
    size_t max, size_t room)
{
    size_t         n, at, cap;
    u_char        *ibuf, *obuf, *pos, *out;
    ai_alloc_t     a;
    ai_inflate_t   z;

    memset(r, 0, sizeof(run_t));

    a.alloc = block;
    a.data = r;

    cap = mode * 32;

    r->out = malloc(cap + 1);
    obuf = malloc(room);
    FUZZ(r->out != NULL && obuf != NULL);

    ai_inflate_init(&z, (mode & 1) ? AI_INFLATE_GZIP : AI_INFLATE_DEFLATE,
                    cap, &a);
    at = 0;

    do {
        seed = seed * 1103515245 + 12345;
        n = max ? 1 + (seed >> 16) % max : size;
        n = (n < size - at) ? n : size - at;

        ibuf = malloc(n ? n : 1);
        FUZZ(ibuf != NULL);
        memcpy(ibuf, data + at, n);

        pos = ibuf;

        do {
            out = obuf;
            r->rc = ai_inflate_run(&z, &pos, ibuf + n, &out, obuf + room);

            FUZZ(r->rc != AI_OK || out == obuf + room);
            FUZZ((size_t) (out - obuf) <= cap - r->len);

            memcpy(r->out + r->len, obuf, out - obuf);
            r->len += out - obuf;

        } while (r->rc == AI_OK);

        FUZZ(r->rc == AI_ERROR || pos == ibuf + n);

        at += n;

        free(ibuf);

    } while (r->rc != AI_ERROR && at < size);

    r->err = z.err;

    ai_inflate_end(&z);
    free(r->stream);
    free(obuf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_t  whole, cut;

    if (size < 2) {
        return 0;
    }

    run(&whole, data[1], data + 2, size - 2, 0, 0, 65536);
    run(&cut, data[1], data + 2, size - 2, data[0], 1 + data[0] % 32,
        1 + data[0] % 7);

    FUZZ(whole.rc == cut.rc && whole.err == cut.err);
    FUZZ(whole.len == cut.len && memcmp(whole.out, cut.out, cut.len) == 0);

    free(whole.out);
    free(cut.out);

    return 0;
}

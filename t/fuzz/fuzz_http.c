
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Response heads: what is read does not depend on how the bytes came, and
 * what is accepted keeps the promises of ai_http.h.  The first byte of the
 * input decides the cuts.
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


/* in pieces of up to max bytes, 0: at once; the buffer moves each time */

static ai_int_t
run(ai_http_head_t *h, const uint8_t *data, size_t size, unsigned seed,
    size_t max)
{
    size_t     len;
    u_char    *buf;
    ai_int_t   rc;

    memset(h, 0, sizeof(ai_http_head_t));
    ai_http_head_init(h);

    len = 0;

    do {
        seed = seed * 1103515245 + 12345;
        len += max ? 1 + (seed >> 16) % max : size;
        len = (len < size) ? len : size;

        buf = malloc(len ? len : 1);
        FUZZ(buf != NULL);
        memcpy(buf, data, len);

        rc = ai_http_head_parse(h, buf, len);

        free(buf);

    } while (rc == AI_AGAIN && len < size);

    return rc;
}


static void
accepted(ai_http_head_t *h, const uint8_t *data, size_t size)
{
    size_t             i, k;
    ai_http_header_t  *hdr;

    FUZZ(h->status >= 100 && h->status <= 599);
    FUZZ(h->pos <= size && memcmp(data + h->pos - 4, "\r\n\r\n", 4) == 0);
    FUZZ(h->content_length >= -1);
    FUZZ(!h->chunked || h->content_length == -1);
    FUZZ(!h->keepalive || h->chunked || h->no_body
          || h->content_length != -1);

    for (i = 0; i < h->nheaders; i++) {
        hdr = &h->headers[i];

        FUZZ(hdr->name_len > 0);
        FUZZ((size_t) hdr->name + hdr->name_len < hdr->value);
        FUZZ((size_t) hdr->value + hdr->value_len < h->pos);

        for (k = 0; k < hdr->value_len; k++) {
            FUZZ(data[hdr->value + k] >= 0x20
                  || data[hdr->value + k] == '\t');
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ai_int_t        rc;
    ai_http_head_t  whole, cut;

    if (size < 1) {
        return 0;
    }

    rc = run(&whole, data + 1, size - 1, 0, 0);

    FUZZ(run(&cut, data + 1, size - 1, data[0], 1 + data[0] % 16) == rc);

    if (rc == AI_ERROR) {
        FUZZ(whole.err == cut.err);
        return 0;
    }

    if (rc == AI_OK) {
        FUZZ(whole.pos == cut.pos && whole.status == cut.status);
        FUZZ(whole.nheaders == cut.nheaders);
        FUZZ(memcmp(whole.headers, cut.headers,
                     whole.nheaders * sizeof(ai_http_header_t)) == 0);
        FUZZ(whole.content_length == cut.content_length);
        FUZZ(whole.chunked == cut.chunked);
        FUZZ(whole.keepalive == cut.keepalive);

        accepted(&whole, data + 1, size - 1);
    }

    return 0;
}

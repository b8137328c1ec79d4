
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The input is a byte for the status, one for the size of the buffer, and an
 * error body, which serves as Retry-After as well.  The class is one of the
 * table, the message valid UTF-8 without control characters, and a smaller
 * buffer gives the beginning of what a larger one does.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_error.h"
#include "ai_utf8.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char      *small, *large;
    size_t       i, n, room;
    ai_int_t     after;
    ai_str_t     body, s, l;
    ai_uint_t    status;
    ai_error_e   error;

    if (size < 2) {
        return 0;
    }

    body.data = (u_char *) data + 2;
    body.len = size - 2;

    status = data[0] ? 400 + data[0] % 140 : 0;
    error = ai_error_classify(status, &body);

    FUZZ(error > AI_ERR_NONE && error < AI_ERR_MAX);
    FUZZ(ai_error_row(error)->status >= 400);
    FUZZ(ai_error_classify(200, &body) == AI_ERR_NONE);

    room = data[1];

    small = malloc(room ? room : 1);
    large = malloc(2048);
    FUZZ(small != NULL && large != NULL);

    s = ai_error_message(&body, small, room);
    l = ai_error_message(&body, large, 2048);

    FUZZ(s.len <= room);
    FUZZ(l.len <= 2048);
    FUZZ(s.len <= l.len);
    FUZZ(s.len == 0 || memcmp(s.data, l.data, s.len) == 0);

    for (i = 0; i < l.len; i += n) {
        n = ai_utf8_len(l.data + i, l.data + l.len);
        FUZZ(n != 0);
        FUZZ(l.data[i] >= 0x20 && l.data[i] != 0x7f);
    }

    free(small);
    free(large);

    after = ai_retry_after(&body, NULL, 784111777, 60);
    FUZZ(after >= -1 && after <= 60);
    after = ai_retry_after(NULL, &body, 784111777, 60);
    FUZZ(after >= -1 && after <= 60);

    return 0;
}

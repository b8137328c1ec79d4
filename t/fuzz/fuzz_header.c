
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The input is the name of a header, and a query string.  No header passes
 * that carries a credential by its name; a query string that was cleaned has
 * none left, and cleaning it once more changes nothing.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_header.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static int
fuzz_has(ai_str_t *s, const char *text)
{
    size_t  i, len;

    len = strlen(text);

    for (i = 0; i + len <= s->len; i++) {
        if (memcmp(s->data + i, text, len) == 0) {
            return 1;
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char       *dst, *twice;
    ai_int_t      rc;
    ai_str_t      name, to, value, clean;
    ai_header_e   what;

    name.data = (u_char *) data;
    name.len = size;

    rc = ai_header_request(&name);
    FUZZ(rc == AI_OK || rc == AI_DECLINED);

    if (rc == AI_OK && !fuzz_has(&name, "x-stainless-")) {
        FUZZ(!fuzz_has(&name, "auth") && !fuzz_has(&name, "cookie"));
        FUZZ(!fuzz_has(&name, "api-key") && !fuzz_has(&name, "token"));
    }

    what = ai_header_response(&name, &to);

    if (what == AI_HEADER_PASS) {
        FUZZ(!fuzz_has(&name, "x-accel") && !fuzz_has(&name, "cookie"));

    } else if (what == AI_HEADER_RENAME) {
        FUZZ(to.len != 0);
    }

    dst = malloc(size + 1);
    twice = malloc(size + 1);
    FUZZ(dst != NULL && twice != NULL);

    clean.data = dst;
    clean.len = ai_args_clean(dst, &name);

    FUZZ(clean.len <= size);
    FUZZ(ai_args_find(&clean, "key", &value) == AI_DECLINED);
    FUZZ(ai_args_find(&clean, "api_key", &value) == AI_DECLINED);
    FUZZ(ai_args_find(&clean, "access_token", &value) == AI_DECLINED);

    FUZZ(ai_args_clean(twice, &clean) == clean.len);
    FUZZ(clean.len == 0 || memcmp(dst, twice, clean.len) == 0);

    if (ai_args_find(&name, "alt", &value) == AI_OK) {
        FUZZ(value.data >= name.data);
        FUZZ(value.data + value.len <= name.data + name.len);
        FUZZ(ai_args_find(&clean, "alt", &to) == AI_OK);
        FUZZ(to.len == value.len);
    }

    free(dst);
    free(twice);

    return 0;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The input is a byte for the method, one for the hints, and a path.  What is
 * found lies in the path, and asking again for what was found, after another
 * prefix, finds the same.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_surface.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


static ai_str_t  fuzz_methods[] = {
    ai_string("POST"),
    ai_string("GET"),
    ai_string("HEAD"),
    ai_string("DELETE"),
    ai_string("OPTIONS"),
    ai_string("PUT"),
    ai_string("")
};


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_inside(ai_str_t *part, ai_str_t *whole)
{
    if (part->len == 0) {
        return;
    }

    FUZZ(part->data >= whole->data);
    FUZZ(part->data + part->len <= whole->data + whole->len);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ai_int_t       rc;
    ai_str_t      *method, path, again;
    ai_surface_t   s, s2;

    if (size < 2) {
        return 0;
    }

    method = &fuzz_methods[data[0] % 7];

    path.data = (u_char *) data + 2;
    path.len = size - 2;

    rc = ai_surface_find(&s, method, &path, data[1]);

    FUZZ(rc == AI_OK || rc == AI_DECLINED || rc == AI_ERROR);
    FUZZ(s.dialect != NULL);
    FUZZ(ai_op_name(s.op)->len != 0);

    (void) ai_model_check(&path);

    if (rc != AI_OK) {
        return 0;
    }

    FUZZ(s.op != AI_OP_NONE);
    FUZZ(s.stream == (s.op == AI_OP_STREAM_GENERATE
                      || s.op == AI_OP_CONVERSE_STREAM));

    fuzz_inside(&s.suffix, &path);
    fuzz_inside(&s.model, &path);

    /* a deployment of Azure's stands in front, and is no part of the suffix */

    if (s.model.len != 0 && s.model.data < s.suffix.data) {
        FUZZ(s.model.data + s.model.len <= s.suffix.data);
        return 0;
    }

    fuzz_inside(&s.model, &s.suffix);

    if (s.suffix.len == 0) {
        FUZZ(s.op == AI_OP_HEALTH || s.op == AI_OP_PREFLIGHT);
        return 0;
    }

    FUZZ(s.suffix.data[0] == '/');
    FUZZ(s.suffix.len > 1);
    FUZZ(s.suffix.data[s.suffix.len - 1] != '/');
    FUZZ(s.suffix.data + s.suffix.len == path.data + path.len);

    if (s.op == AI_OP_PASS || s.op == AI_OP_MODEL) {
        return 0;
    }

    again.len = s.suffix.len + 6;
    again.data = malloc(again.len);
    FUZZ(again.data);

    /* Cohere's are told from others' by the version */

    memcpy(again.data, (s.op == AI_OP_COHERE_CHAT
                        || s.op == AI_OP_COHERE_EMBED)
                       ? "/ab/v2" : "/ab/v1", 6);
    memcpy(again.data + 6, s.suffix.data, s.suffix.len);

    rc = ai_surface_find(&s2, method, &again, data[1]);

    FUZZ(rc == AI_OK);
    FUZZ(s2.op == s.op);
    FUZZ(s2.suffix.len == s.suffix.len);
    FUZZ(s2.model.len == s.model.len);

    free(again.data);

    return 0;
}

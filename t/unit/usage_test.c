
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What providers count, in one arithmetic: bounds that hold whatever they
 * write.
 */


#include "ai_usage.h"
#include "unit.h"


static ai_json_t
document(const char *text)
{
    ai_json_t        root;
    ai_json_error_t  err;

    CHECK_INT(ai_json_scan(unit_bytes(text, strlen(text)), strlen(text), NULL,
                           &unit_arena, NULL, NULL, &root, &err),
              AI_OK);

    return root;
}


static void
test_count(void)
{
    size_t     i;
    uint64_t   n;
    ai_json_t  v;

    static const char  *none[] = { "-1", "null", "\"7\"", "true", "[7]" };

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        n = 42;
        v = document(none[i]);

        CHECK_UINT(ai_usage_count(&v, &n), 0);
        CHECK_UINT(n, 42);
        CHECK_UINT(ai_usage_member(&v, "n", &n), 0);
        CHECK_UINT(n, 42);
    }

    v = document("1e30");
    CHECK_UINT(ai_usage_count(&v, &n), 1);
    CHECK_UINT(n, AI_USAGE_MAX);

    v = document("{\"n\":7,\"m\":{}}");
    CHECK_UINT(ai_usage_member(&v, "n", &n), 1);
    CHECK_UINT(n, 7);
    CHECK_UINT(ai_usage_member(&v, "m", &n), 0);
    CHECK_UINT(ai_usage_member(&v, "o", &n), 0);
    CHECK_UINT(n, 7);
}


static void
test_set(void)
{
    ai_usage_t  u;

    ai_usage_set(&u, 10, 3, 2, 8, 5);
    CHECK_UINT(u.uncached, 5);
    CHECK_UINT(u.cached, 3);
    CHECK_UINT(u.cache_write, 2);
    CHECK_UINT(ai_usage_input(&u), 10);
    CHECK_UINT(u.output, 8);
    CHECK_UINT(u.reasoning, 5);
    CHECK_INT(u.source, AI_USAGE_PROVIDER);

    /* parts that exceed the whole */

    ai_usage_set(&u, 10, 30, 30, 8, 50);
    CHECK_UINT(ai_usage_input(&u), 10);
    CHECK_UINT(u.cached, 10);
    CHECK_UINT(u.reasoning, 8);

    ai_usage_set(&u, 10, 4, 30, 0, 0);
    CHECK_UINT(u.cache_write, 6);
    CHECK_UINT(u.uncached, 0);

    /* sums of two counts that are both the largest */

    ai_usage_set(&u, 2 * (uint64_t) AI_USAGE_MAX, 0, 0,
                 2 * (uint64_t) AI_USAGE_MAX, 2 * (uint64_t) AI_USAGE_MAX);
    CHECK_UINT(ai_usage_input(&u), AI_USAGE_MAX);
    CHECK_UINT(u.output, AI_USAGE_MAX);
    CHECK_UINT(u.reasoning, AI_USAGE_MAX);
}


int
main(void)
{
    UNIT_RUN(test_count);
    UNIT_RUN(test_set);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_usage.h"


ai_uint_t
ai_usage_count(const ai_json_t *v, uint64_t *n)
{
    uint64_t  count;

    if (ai_json_uint(v, &count) != AI_OK) {
        return 0;
    }

    *n = count < AI_USAGE_MAX ? count : AI_USAGE_MAX;

    return 1;
}


ai_uint_t
ai_usage_member(const ai_json_t *object, const char *name, uint64_t *n)
{
    ai_json_t  v;

    return object->type == AI_JSON_OBJECT
           && ai_json_get(object, name, &v) == AI_OK
           && ai_usage_count(&v, n);
}


void
ai_usage_set(ai_usage_t *u, uint64_t input, uint64_t cached,
    uint64_t cache_write, uint64_t output, uint64_t reasoning)
{
    if (input > AI_USAGE_MAX) {
        input = AI_USAGE_MAX;
    }

    if (output > AI_USAGE_MAX) {
        output = AI_USAGE_MAX;
    }

    /* some count more than there was: the parts must not exceed the whole */

    u->cached = cached < input ? cached : input;
    input -= u->cached;

    u->cache_write = cache_write < input ? cache_write : input;
    u->uncached = input - u->cache_write;

    u->output = output;
    u->reasoning = reasoning < output ? reasoning : output;

    u->source = AI_USAGE_PROVIDER;
}

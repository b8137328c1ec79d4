
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Usage as the many providers of chat/completions tell it, in one arithmetic
 * (wire-formats.md 2.3).
 */


#include "dialect.h"
#include "wire_chat.h"


typedef struct {
    uint64_t   input;
    uint64_t   output;
    uint64_t   total;
    uint64_t   cached;
    uint64_t   hit;           /* the same in another vendor's words */
    uint64_t   write;
    uint64_t   reasoning;
    unsigned   any:1;
    unsigned   summed:1;      /* there was a total */
} ai_chat_usage_t;


static void ai_chat_usage_details(const ai_json_t *v, ai_chat_usage_t *u);


ai_uint_t
ai_chat_usage(const ai_json_t *v, ai_uint_t plus, ai_usage_t *usage)
{
    ai_json_t        name, value;
    ai_json_iter_t   it;
    ai_chat_usage_t  u;

    if (v->type != AI_JSON_OBJECT) {
        return 0;
    }

    memset(&u, 0, sizeof(ai_chat_usage_t));

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "prompt_tokens")) {
            u.any |= ai_usage_count(&value, &u.input);

        } else if (ai_json_is(&name, "completion_tokens")) {
            u.any |= ai_usage_count(&value, &u.output);

        } else if (ai_json_is(&name, "total_tokens")) {
            u.summed = ai_usage_count(&value, &u.total);

        } else if (ai_json_is(&name, "reasoning_tokens")) {
            (void) ai_usage_count(&value, &u.reasoning);

        } else if (ai_json_is(&name, "prompt_cache_hit_tokens")
                   || ai_json_is(&name, "cached_tokens")
                   || ai_json_is(&name, "num_cached_tokens")
                   || ai_json_is(&name, "cache_read_input_tokens"))
        {
            (void) ai_usage_count(&value, &u.hit);

        } else {
            ai_chat_usage_details(&value, &u);
        }
    }

    if (!u.any) {
        return 0;
    }

    /*
     * xAI's completion leaves the reasoning out, which the total shows.  It
     * shows as well that the same model at Azure includes it.
     */

    if (u.reasoning != 0
        && (u.total == u.input + u.output + u.reasoning
            || (plus && !u.summed)))
    {
        u.output += u.reasoning;
    }

    if (u.cached == 0) {
        u.cached = u.hit;
    }

    ai_usage_set(usage, u.input, u.cached, u.write, u.output, u.reasoning);

    return 1;
}


/* prompt_tokens_details, also without an "s", completion_tokens_details */

static void
ai_chat_usage_details(const ai_json_t *v, ai_chat_usage_t *u)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "cached_tokens")) {
            (void) ai_usage_count(&value, &u->cached);

        } else if (ai_json_is(&name, "cache_write_tokens")
                   || ai_json_is(&name, "cache_creation_tokens"))
        {
            (void) ai_usage_count(&value, &u->write);

        } else if (ai_json_is(&name, "reasoning_tokens")) {
            (void) ai_usage_count(&value, &u->reasoning);
        }
    }
}

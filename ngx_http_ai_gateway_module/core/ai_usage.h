
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tokens of one answer in one arithmetic, whatever the provider counts.
 */


#ifndef _AI_USAGE_H_INCLUDED_
#define _AI_USAGE_H_INCLUDED_


#include "ai_json.h"


typedef enum {
    AI_USAGE_NONE = 0,
    AI_USAGE_ESTIMATED,
    AI_USAGE_PROVIDER
} ai_usage_source_e;


/*
 * The parts do not overlap, except that "reasoning" is part of "output":
 * what the client sent costs uncached + cached + cache_write, what the
 * model produced is output.  Counts above AI_USAGE_MAX, below zero or not
 * numbers are clamped when they are read, a provider's typing error can
 * neither refund nor overflow a budget.
 */

#define AI_USAGE_MAX  1000000000

typedef struct {
    uint64_t           uncached;
    uint64_t           cached;
    uint64_t           cache_write;
    uint64_t           output;
    uint64_t           reasoning;
    ai_usage_source_e  source;
} ai_usage_t;


#define ai_usage_input(u)                                                    \
    ((u)->uncached + (u)->cached + (u)->cache_write)


/* a count of tokens, clamped to AI_USAGE_MAX; 0 if v is none: *n stays */
ai_uint_t ai_usage_count(const ai_json_t *v, uint64_t *n);

/* the same of a member; 0 if there is none, or object is no object */
ai_uint_t ai_usage_member(const ai_json_t *object, const char *name,
    uint64_t *n);

/*
 * Sets what a provider tells, where "input" includes what was cached and
 * "output" includes the reasoning; parts that exceed the whole are cut.
 */
void ai_usage_set(ai_usage_t *u, uint64_t input, uint64_t cached,
    uint64_t cache_write, uint64_t output, uint64_t reasoning);


#endif /* _AI_USAGE_H_INCLUDED_ */

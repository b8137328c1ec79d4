
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tokens of one answer in one arithmetic, whatever the provider counts.
 */


#ifndef _AI_USAGE_H_INCLUDED_
#define _AI_USAGE_H_INCLUDED_


#include "ai.h"


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


#endif /* _AI_USAGE_H_INCLUDED_ */

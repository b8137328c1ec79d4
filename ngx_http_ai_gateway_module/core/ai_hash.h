
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * FNV-1a of 64 bits: for names made of others, not against who wants two to
 * be the same.
 */


#ifndef _AI_HASH_H_INCLUDED_
#define _AI_HASH_H_INCLUDED_


#include "ai.h"


#define AI_HASH_INIT  14695981039346656037ULL

#define ai_hash_add(h, n)  (((h) ^ (n)) * 1099511628211ULL)


static inline uint64_t
ai_hash(const u_char *p, size_t len)
{
    size_t    i;
    uint64_t  h;

    h = AI_HASH_INIT;

    for (i = 0; i < len; i++) {
        h = ai_hash_add(h, p[i]);
    }

    return h;
}


#endif /* _AI_HASH_H_INCLUDED_ */

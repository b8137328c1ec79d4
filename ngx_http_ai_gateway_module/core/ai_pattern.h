
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Names of models that mean something: exact, "prefix*", "~regex".
 */


#ifndef _AI_PATTERN_H_INCLUDED_
#define _AI_PATTERN_H_INCLUDED_


#include "ai.h"


typedef struct ai_pattern_set_s  ai_pattern_set_t;


/* longer patterns are refused, longer names match no regex */

#define AI_PATTERN_MAX         256

#define AI_PATTERN_REASON_LEN  128


typedef struct {
    u_char       reason[AI_PATTERN_REASON_LEN];  /* zero-terminated */
    size_t       offset;                         /* into the pattern */
    void        *other;    /* a duplicate: the value it already has */
} ai_pattern_error_t;


/*
 * An empty set, whose memory comes from "a", or NULL.  Regular expressions
 * are held by PCRE2 with memory of its own: ai_pattern_free() releases it,
 * and must be called once before the arena goes.
 */
ai_pattern_set_t *ai_pattern_create(ai_alloc_t *a);
void ai_pattern_free(ai_pattern_set_t *set);

/*
 * Adds a pattern with a value that is not NULL:
 *
 *     name       this name
 *     name*      names that begin so; "*" any name
 *     ~regex     names in which it is found; "~*regex" without case
 *
 * The pattern is not copied and must stay.  AI_OK; AI_DECLINED with *err set
 * when it is not well formed or was added before; AI_ERROR without memory.
 */
ai_int_t ai_pattern_add(ai_pattern_set_t *set, ai_str_t *pattern,
    void *value, ai_pattern_error_t *err);

/*
 * The value for a name: an exact one, else that of the longest prefix, else
 * that of the first regex added that matches; NULL when there is none.  A
 * regex that needs more than its limit of steps does not match.  Not to be
 * called for one set from several threads.
 */
void *ai_pattern_find(ai_pattern_set_t *set, ai_str_t *name);


#endif /* _AI_PATTERN_H_INCLUDED_ */

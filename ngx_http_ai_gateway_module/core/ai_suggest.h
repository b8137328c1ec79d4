
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * "did you mean": the name that was probably meant.
 */


#ifndef _AI_SUGGEST_H_INCLUDED_
#define _AI_SUGGEST_H_INCLUDED_


#include "ai.h"


/*
 * The candidate nearest to "name", the first of several, when it is near
 * enough: one typing error (a byte wrong, missing, too much, or two
 * exchanged) up to 4 bytes, two up to 8, a third of the length above.  Case
 * makes no difference.  NULL when there is none, or the name is longer than
 * 64 bytes.
 */
ai_str_t *ai_suggest(ai_str_t *name, ai_str_t *candidates, size_t n);


#endif /* _AI_SUGGEST_H_INCLUDED_ */

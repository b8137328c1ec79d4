
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The tokens of JSON, strictly after RFC 8259.  Internal to the codec.
 */


#ifndef _AI_JSON_LEX_H_INCLUDED_
#define _AI_JSON_LEX_H_INCLUDED_


#include "ai_json.h"
#include "ai_simd.h"


/* what a string has, as "flags" */

#define AI_JSON_ESCAPED  1
#define AI_JSON_NUL      2


typedef struct {
    u_char       *end;             /* of the document */

    /* set by a function that fails: where and why */

    u_char       *pos;
    const char   *reason;
} ai_json_lex_t;


/*
 * All of them return what is after the token, or NULL.  A number and a literal
 * start at "p", which is before the end; what follows them is not looked at.
 */

u_char *ai_json_lex_number(ai_json_lex_t *lex, u_char *p);
u_char *ai_json_lex_literal(ai_json_lex_t *lex, u_char *p, const char *text,
    size_t len);
u_char *ai_json_lex_long_string(ai_json_lex_t *lex, u_char *p,
    unsigned *flags);


/*
 * "p" is after the opening quote; bits are added to "flags".  Most strings are
 * short and plain, and end here.
 */

static inline u_char *
ai_json_lex_string(ai_json_lex_t *lex, u_char *p, unsigned *flags)
{
    u_char    *quote;
    uint64_t   mask;

    if (lex->end - p >= AI_VEC) {
        mask = ai_vec_mask(ai_vec_string_stop(ai_vec_load(p)));

        if (mask) {
            quote = p + ai_vec_first(mask);

            if (*quote == '"') {
                return quote + 1;
            }
        }
    }

    return ai_json_lex_long_string(lex, p, flags);
}


#endif /* _AI_JSON_LEX_H_INCLUDED_ */

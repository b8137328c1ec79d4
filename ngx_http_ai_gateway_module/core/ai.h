
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Ground of the core: strings, allocation, return codes.  Nothing in core/
 * knows nginx, does I/O, reads a clock, logs, or keeps a global.
 */


#ifndef _AI_H_INCLUDED_
#define _AI_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>


/* numerically those of nginx, which the umbrella header asserts */

#define AI_OK         0
#define AI_ERROR     -1
#define AI_AGAIN     -2
#define AI_DONE      -4
#define AI_DECLINED  -5


typedef intptr_t   ai_int_t;
typedef uintptr_t  ai_uint_t;


/* laid out as ngx_str_t, so that the glue may cast between the two, which
 * the compiler must be told */

typedef struct {
    size_t    len;
    u_char   *data;
} __attribute__((__may_alias__)) ai_str_t;


#define ai_string(s)       { sizeof(s) - 1, (u_char *) s }
#define ai_null_string     { 0, NULL }

#define ai_str_set(str, text)                                                \
    (str)->len = sizeof(text) - 1; (str)->data = (u_char *) text

#define ai_str_eq(str, text)                                                 \
    ((str)->len == sizeof(text) - 1                                          \
     && memcmp((str)->data, text, sizeof(text) - 1) == 0)


/*
 * An arena: what is allocated lives until whoever made the arena drops it
 * (a pool of nginx, a list of blocks in the unit tests), nothing is freed
 * piecewise.  alloc() returns memory aligned for any type, or NULL.
 */

typedef struct {
    void     *(*alloc)(void *data, size_t size);
    void       *data;
} ai_alloc_t;


#define ai_alloc(a, size)  (a)->alloc((a)->data, size)


#endif /* _AI_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Harness of the unit tests: named tests, checks that print where and what,
 * and an arena made of exactly-sized blocks, so that the address sanitizer
 * sees each byte that is read or written outside of them.
 *
 *     static void test_sum(void) { CHECK_UINT(1 + 1, 2); }
 *
 *     int main(void) { UNIT_RUN(test_sum); return unit_done(); }
 *
 * A failed check is printed and counted, and the test goes on.
 */


#ifndef _UNIT_H_INCLUDED_
#define _UNIT_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include "ai.h"


typedef struct unit_block_s  unit_block_t;

struct unit_block_s {
    unit_block_t   *next;
    void           *memory;
};


static struct {
    const char     *test;
    unsigned        passed;        /* checks */
    unsigned        failed;
    unit_block_t   *blocks;        /* the arena's, dropped after each test */
    size_t          used;          /* bytes taken from the arena so far */
    long            fail_after;    /* allocations that still work, or -1 */
} unit = { "", 0, 0, NULL, 0, -1 };


#define CHECK(cond)                                                          \
    unit_check((cond) != 0, __FILE__, __LINE__, #cond)

#define CHECK_INT(got, want)                                                 \
    unit_int((long long) (got), (long long) (want), __FILE__, __LINE__, #got)

#define CHECK_UINT(got, want)                                                \
    CHECK_INT(got, want)

/* bytes against a literal, or against (data, len) */

#define CHECK_STR(data, len, text)                                           \
    unit_diff(data, len, text, sizeof(text) - 1, __FILE__, __LINE__, #data)

#define CHECK_MEM(data, len, want, want_len)                                 \
    unit_diff(data, len, want, want_len, __FILE__, __LINE__, #data)

#define UNIT_RUN(test)  unit_run(#test, test)


static inline int
unit_check(int ok, const char *file, int line, const char *what)
{
    if (ok) {
        unit.passed++;

    } else {
        unit.failed++;
        printf("%s:%d: %s: not true: %s\n", file, line, unit.test, what);
    }

    return ok;
}


static inline int
unit_int(long long got, long long want, const char *file, int line,
    const char *what)
{
    if (got == want) {
        unit.passed++;
        return 1;
    }

    unit.failed++;
    printf("%s:%d: %s: %s is %lld, expected %lld\n", file, line, unit.test,
           what, got, want);
    return 0;
}


static inline void
unit_print(const char *label, const void *data, size_t len, size_t from)
{
    size_t         i;
    const u_char  *p;

    p = data;
    printf("    %-8s %5zu bytes: ", label, len);

    for (i = from; i < len && i < from + 100; i++) {
        printf(p[i] >= 0x20 && p[i] < 0x7f ? "%c" : "\\x%02x", p[i]);
    }

    printf("%s\n", i < len ? "..." : "");
}


/* the first byte that differs, and both texts from shortly before it */

static inline int
unit_diff(const void *got, size_t len, const void *want, size_t want_len,
    const char *file, int line, const char *what)
{
    size_t         i, from;
    const u_char  *g, *w;

    g = got;
    w = want;

    for (i = 0; i < len && i < want_len && g[i] == w[i]; i++) { /* void */ }

    if (i == len && i == want_len) {
        unit.passed++;
        return 1;
    }

    unit.failed++;
    from = i > 20 ? i - 20 : 0;

    printf("%s:%d: %s: %s differs at byte %zu, from byte %zu:\n", file, line,
           unit.test, what, i, from);
    unit_print("got", got, len, from);
    unit_print("expected", want, want_len, from);
    return 0;
}


static inline void *
unit_alloc(void *data, size_t size)
{
    void          *memory;
    unit_block_t  *block;

    (void) data;

    if (unit.fail_after == 0) {
        return NULL;
    }

    if (unit.fail_after > 0) {
        unit.fail_after--;
    }

    block = malloc(sizeof(unit_block_t));
    memory = malloc(size ? size : 1);

    if (block == NULL || memory == NULL) {
        abort();
    }

    /* what nobody wrote must not look like zeros */
    memset(memory, 0xa5, size);

    block->memory = memory;
    block->next = unit.blocks;
    unit.blocks = block;
    unit.used += size;

    return memory;
}


/* the arena to give to the code under test */

static ai_alloc_t  unit_arena = { unit_alloc, NULL };


static inline void
unit_arena_reset(void)
{
    unit_block_t  *block;

    while (unit.blocks != NULL) {
        block = unit.blocks;
        unit.blocks = block->next;
        free(block->memory);
        free(block);
    }

    unit.used = 0;
    unit.fail_after = -1;
}


/* bytes in the arena in a block of exactly their length */

static inline u_char *
unit_bytes(const void *data, size_t len)
{
    u_char  *p;

    p = ai_alloc(&unit_arena, len);

    if (p != NULL && len != 0) {
        memcpy(p, data, len);
    }

    return p;
}


static inline void
unit_run(const char *name, void (*test)(void))
{
    unit.test = name;
    test();
    unit_arena_reset();
}


/* prints the closing line; the result is for exit() */

static inline int
unit_done(void)
{
    unit_arena_reset();
    printf("%u passed, %u failed\n", unit.passed, unit.failed);

    return unit.failed != 0;
}


#endif /* _UNIT_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The input is a few bytes that choose edits, a zero byte, and a text.  Edits
 * of plain spans give what a byte-wise model gives.  If the text is an object,
 * members are set: the result is valid, has the values that were set, and all
 * other members as the bytes they were.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_splice.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }

#define FUZZ_BLOCKS  4096
#define FUZZ_EDITS   16


static void    *fuzz_blocks[FUZZ_BLOCKS];
static size_t   fuzz_nblocks;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void *
fuzz_alloc(void *data, size_t size)
{
    (void) data;

    if (fuzz_nblocks == FUZZ_BLOCKS) {
        return NULL;
    }

    return fuzz_blocks[fuzz_nblocks++] = malloc(size ? size : 1);
}


static ai_alloc_t  fuzz_arena = { fuzz_alloc, NULL };


static ai_str_t
fuzz_join(ai_splice_t *sp)
{
    size_t    i, len;
    ai_str_t  text;

    text.data = ai_alloc(&fuzz_arena, sp->len);
    FUZZ(text.data);

    for (i = 0, len = 0; i < sp->nparts; i++) {
        FUZZ(sp->parts[i].len && len + sp->parts[i].len <= sp->len);
        memcpy(text.data + len, sp->parts[i].data, sp->parts[i].len);
        len += sp->parts[i].len;
    }

    FUZZ(len == sp->len);
    text.len = len;

    return text;
}


/* spans that do not overlap by construction, handed over in a mixed order */

static void
fuzz_spans(const uint8_t *choice, size_t nchoice, ai_str_t *source)
{
    size_t        i, k, n, at, len, order[FUZZ_EDITS];
    u_char       *start[FUZZ_EDITS], *end[FUZZ_EDITS], *expected, *p;
    ai_str_t      with[FUZZ_EDITS], text;
    ai_splice_t   sp;

    static u_char  words[] = "<one><two><three>";

    expected = malloc(source->len + FUZZ_EDITS * sizeof(words) + 1);
    FUZZ(expected);

    p = expected;
    at = 0;

    for (n = 0; n < FUZZ_EDITS && 2 * n + 1 < nchoice; n++) {
        len = choice[2 * n] & 0x0f;
        len = len < source->len - at ? len : source->len - at;
        memcpy(p, source->data + at, len);
        p += len;
        at += len;

        start[n] = source->data + at;
        len = choice[2 * n] >> 4;
        at += len < source->len - at ? len : source->len - at;
        end[n] = source->data + at;

        /* what is inserted where a span was put before would go first */

        if (n && start[n] == end[n] && start[n - 1] == start[n]
            && end[n - 1] != end[n])
        {
            break;
        }

        with[n].data = words;
        with[n].len = choice[2 * n + 1] % sizeof(words);
        memcpy(p, with[n].data, with[n].len);
        p += with[n].len;

        order[n] = n;
    }

    memcpy(p, source->data + at, source->len - at);
    p += source->len - at;

    /* insertions at one place are to stay in order, others move freely */

    for (i = 1; i < n; i++) {
        k = choice[2 * i + 1] % (i + 1);

        for (at = i; at > k; at--) {

            if (start[order[at]] == start[order[at - 1]]) {
                break;
            }

            len = order[at];
            order[at] = order[at - 1];
            order[at - 1] = len;
        }
    }

    ai_splice_init(&sp, source, &fuzz_arena);

    for (i = 0; i < n; i++) {
        k = order[i];
        FUZZ(ai_splice_replace(&sp, start[k], end[k], &with[k]) == AI_OK);
    }

    FUZZ(ai_splice_finish(&sp) == AI_OK);
    text = fuzz_join(&sp);

    FUZZ(text.len == (size_t) (p - expected));
    FUZZ(text.len == 0 || memcmp(text.data, expected, text.len) == 0);

    free(expected);
}


static int
fuzz_is_set(ai_json_t *name, int *which, size_t n, const char **names)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        if (ai_json_str_eq(name, names[which[i]], strlen(names[which[i]]))) {
            return 1;
        }
    }

    return 0;
}


static void
fuzz_members(const uint8_t *choice, size_t nchoice, ai_str_t *source,
    ai_json_t *root)
{
    int               which[FUZZ_EDITS];
    size_t            i, k, n, before, after;
    ai_str_t          text, value[4];
    ai_json_t         result, name, v, found;
    ai_splice_t       sp;
    ai_json_iter_t    it, other;
    ai_json_error_t   err;

    static const char  *names[] = { "model", "a", "", "q\"\\\n" };
    static const char  *values[] = { "1", "{}", "\"x\"", "[ null ]" };

    ai_splice_init(&sp, source, &fuzz_arena);
    before = 0;

    for (n = 0; n < FUZZ_EDITS && n < nchoice; n++) {
        k = choice[n] & 3;
        which[n] = (int) k;

        value[k].data = (u_char *) values[choice[n] >> 2 & 3];
        value[k].len = strlen((char *) value[k].data);

        FUZZ(ai_splice_member_set(&sp, root, names[k], &value[k]) == AI_OK);
    }

    FUZZ(ai_splice_finish(&sp) == AI_OK);
    text = fuzz_join(&sp);

    FUZZ(ai_json_scan(text.data, text.len, NULL, &fuzz_arena, NULL, NULL,
                      &result, &err) == AI_OK);

    for (i = 0; i < n; i++) {
        k = (size_t) which[i];
        FUZZ(ai_json_get(&result, names[k], &found) == AI_OK);
        FUZZ((size_t) (found.end - found.start) == value[k].len
             && memcmp(found.start, value[k].data, value[k].len) == 0);
    }

    /* the others, in order */

    ai_json_iter_init(&it, root);
    ai_json_iter_init(&other, &result);
    after = 0;

    while (ai_json_next(&it, &name, &v) == AI_OK) {

        if (fuzz_is_set(&name, which, n, names)) {
            continue;
        }

        before++;

        do {
            FUZZ(ai_json_next(&other, &result, &found) == AI_OK);
        } while (fuzz_is_set(&result, which, n, names));

        after++;

        FUZZ(result.end - result.start == name.end - name.start);
        FUZZ(memcmp(result.start, name.start,
                    (size_t) (name.end - name.start)) == 0);
        FUZZ(found.end - found.start == v.end - v.start);
        FUZZ(memcmp(found.start, v.start, (size_t) (v.end - v.start)) == 0);
    }

    while (ai_json_next(&other, &result, &found) == AI_OK) {
        FUZZ(fuzz_is_set(&result, which, n, names));
    }

    FUZZ(before == after);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            nchoice;
    ai_str_t          source;
    ai_json_t         root;
    const uint8_t    *zero;
    ai_json_error_t   err;

    zero = size ? memchr(data, 0, size) : NULL;

    if (zero == NULL) {
        return 0;
    }

    nchoice = (size_t) (zero - data);

    source.data = (u_char *) zero + 1;
    source.len = size - nchoice - 1;

    fuzz_spans(data, nchoice, &source);

    /* adding members may go beyond the limit of the nodes otherwise */

    if (source.len < AI_JSON_NODES
        && ai_json_scan(source.data, source.len, NULL, &fuzz_arena, NULL,
                        NULL, &root, &err) == AI_OK
        && root.type == AI_JSON_OBJECT)
    {
        fuzz_members(data, nchoice, &source, &root);
    }

    while (fuzz_nblocks) {
        free(fuzz_blocks[--fuzz_nblocks]);
    }

    return 0;
}

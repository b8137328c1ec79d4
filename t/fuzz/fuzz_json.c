
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Any bytes: the scan does not read outside of them; what it accepts is what
 * the cursor walks over, down to each value scanned on its own; strings come
 * back from decoding, escaping and scanning as they were; and any bytes at
 * all, escaped, are a valid string of the promised length.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_json.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }

#define FUZZ_BLOCKS  4096


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


static void
fuzz_free(size_t keep)
{
    while (fuzz_nblocks > keep) {
        free(fuzz_blocks[--fuzz_nblocks]);
    }
}


static ai_alloc_t  fuzz_arena = { fuzz_alloc, NULL };


typedef struct {
    ai_json_t   names[64];
    ai_json_t   values[64];
    size_t      n;
} fuzz_members_t;


static ai_int_t
fuzz_member(void *data, ai_json_t *name, ai_json_t *value)
{
    fuzz_members_t  *seen = data;

    if (seen->n < 64) {
        seen->names[seen->n] = *name;
        seen->values[seen->n] = *value;
    }

    seen->n++;

    return AI_OK;
}


static int
fuzz_same(ai_json_t *a, ai_json_t *b)
{
    return a->start == b->start && a->end == b->end && a->type == b->type
           && a->escaped == b->escaped && a->nul == b->nul;
}


static void
fuzz_escape(u_char *data, size_t size, ai_uint_t exact)
{
    size_t            len;
    u_char           *text, *back, *end;
    ai_str_t          s;
    ai_json_t         v;
    ai_json_error_t   err;

    s.data = data;
    s.len = size;

    len = ai_json_escape_len(&s);
    text = malloc(len + 2);
    back = malloc(len + 1);
    FUZZ(text && back);

    text[0] = '"';
    end = ai_json_escape(text + 1, &s);
    FUZZ((size_t) (end - text) == len + 1);
    *end = '"';

    FUZZ(ai_json_scan(text, len + 2, NULL, &fuzz_arena, NULL, NULL, &v, &err)
         == AI_OK);

    if (exact) {
        len = ai_json_str_decode(&v, back);
        FUZZ(len == size && (size == 0 || memcmp(back, data, size) == 0));
        FUZZ(ai_json_str_eq(&v, (char *) back, len));
    }

    free(text);
    free(back);
}


static void
fuzz_string(ai_json_t *v)
{
    size_t     len;
    u_char    *dst;
    ai_str_t   raw;

    raw = ai_json_str_raw(v);

    dst = malloc(raw.len + 1);
    FUZZ(dst);

    len = ai_json_str_decode(v, dst);

    FUZZ(len <= raw.len);
    FUZZ(v->escaped || (len == raw.len && memcmp(dst, raw.data, len) == 0));
    FUZZ(ai_json_str_eq(v, (char *) dst, len));
    FUZZ(v->nul == (memchr(dst, 0, len) != NULL));

    fuzz_escape(dst, len, 1);
    free(dst);
}


/* what the cursor says of a value is what a scan of the value alone says */

static void
fuzz_value(ai_json_t *v)
{
    size_t            blocks, len;
    u_char           *copy;
    uint64_t          n;
    ai_json_t         alone;
    ai_json_error_t   err;

    len = (size_t) (v->end - v->start);
    blocks = fuzz_nblocks;

    copy = malloc(len);
    FUZZ(copy);
    memcpy(copy, v->start, len);

    FUZZ(ai_json_scan(copy, len, NULL, &fuzz_arena, NULL, NULL, &alone, &err)
         == AI_OK);
    FUZZ(alone.start == copy && alone.end == copy + len);
    FUZZ(alone.type == v->type);
    FUZZ(alone.escaped == v->escaped && alone.nul == v->nul);

    fuzz_free(blocks);
    free(copy);

    if (v->type == AI_JSON_STRING) {
        fuzz_string(v);
    }

    FUZZ(ai_json_uint(v, &n) == AI_OK
         || v->type != AI_JSON_NUMBER || *v->start == '-');
}


/* "left" bounds the work: deep nesting has each value scanned many times */

static void
fuzz_walk(ai_json_t *container, size_t *left)
{
    char             *key;
    size_t            len;
    ai_json_t         name, value, found;
    ai_json_iter_t    it;

    ai_json_iter_init(&it, container);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (*left == 0) {
            return;
        }

        --*left;

        fuzz_value(&value);

        if (container->type == AI_JSON_OBJECT) {
            fuzz_value(&name);

            if (!name.nul) {
                key = malloc((size_t) (name.end - name.start));
                FUZZ(key);

                len = ai_json_str_decode(&name, (u_char *) key);
                key[len] = '\0';

                FUZZ(ai_json_get(container, key, &found) == AI_OK);
                FUZZ(fuzz_same(&found, &value));
                free(key);
            }
        }

        fuzz_walk(&value, left);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            i, left;
    u_char           *p;
    ai_int_t          rc;
    ai_json_t         root, name, value;
    fuzz_members_t    seen;
    ai_json_iter_t    it;
    ai_json_error_t   err;

    p = (u_char *) data;
    seen.n = 0;

    rc = ai_json_scan(p, size, NULL, &fuzz_arena, fuzz_member, &seen, &root,
                      &err);

    FUZZ(rc == AI_OK || rc == AI_DECLINED
         || (rc == AI_ERROR && fuzz_nblocks == FUZZ_BLOCKS));
    FUZZ(rc == AI_OK ? err.reason == NULL : err.reason != NULL);
    FUZZ(err.offset <= size);

    if (rc == AI_OK) {
        fuzz_free(0);
        left = 500;

        fuzz_value(&root);
        fuzz_walk(&root, &left);

        if (root.type == AI_JSON_OBJECT) {
            ai_json_iter_init(&it, &root);

            for (i = 0; ai_json_next(&it, &name, &value) == AI_OK; i++) {
                FUZZ(i >= 64 || fuzz_same(&name, &seen.names[i]));
                FUZZ(i >= 64 || fuzz_same(&value, &seen.values[i]));
            }

            FUZZ(i == seen.n);

        } else {
            FUZZ(seen.n == 0);
        }
    }

    fuzz_free(0);
    fuzz_escape(p, size, 0);
    fuzz_free(0);

    return 0;
}

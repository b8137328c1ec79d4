
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The input gives the strings and the numbers of a record, in turn: a byte
 * for a length, then as many bytes.  The line is valid JSON within its
 * bounds, tells the number of attempts, and the route fits any size.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_record.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }

#define FUZZ_ATTEMPTS  8
#define FUZZ_BLOCKS    64


static const uint8_t  *fuzz_pos;
static const uint8_t  *fuzz_last;
static void           *fuzz_blocks[FUZZ_BLOCKS];
static size_t          fuzz_nblocks;


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


/* lengths above 250 are of all that is left */

static ai_str_t
fuzz_str(void)
{
    size_t    len, left;
    ai_str_t  s;

    s.data = NULL;
    s.len = 0;

    if (fuzz_pos == fuzz_last) {
        return s;
    }

    len = *fuzz_pos++;
    left = fuzz_last - fuzz_pos;

    s.data = (u_char *) fuzz_pos;
    s.len = len > 250 || len > left ? left : len;

    if (len <= 250) {
        fuzz_pos += s.len;
    }

    return s;
}


static uint64_t
fuzz_number(void)
{
    size_t    i;
    ai_str_t  s;
    uint64_t  n;

    s = fuzz_str();

    for (n = 0, i = 0; i < s.len && i < 8; i++) {
        n = n << 8 | s.data[i];
    }

    return n;
}


static void
fuzz_fill(ai_record_t *rec, ai_record_attempt_t *attempts)
{
    ai_uint_t  i;

    rec->nattempts = fuzz_number() % (FUZZ_ATTEMPTS + 1);
    rec->attempts = attempts;

    for (i = 0; i < rec->nattempts; i++) {
        attempts[i].doc.provider = fuzz_str();
        attempts[i].doc.status = fuzz_number();
        attempts[i].doc.error = fuzz_number() % (AI_ERR_MAX + 2);
        attempts[i].model = fuzz_str();
        attempts[i].duration_us = fuzz_number();
    }

    rec->model_requested = fuzz_str();
    rec->id = fuzz_str();
    rec->trace = fuzz_str();
    rec->remote = fuzz_str();
    rec->client = fuzz_str();
    rec->dialect = fuzz_str();
    rec->op = fuzz_str();
    rec->model = fuzz_str();
    rec->provider = fuzz_str();
    rec->model_upstream = fuzz_str();
    rec->model_response = fuzz_str();
    rec->finish = fuzz_str();
    rec->tools = fuzz_str();
    rec->error = fuzz_number() % (AI_ERR_MAX + 2);
    rec->outcome = fuzz_number() % 16;
    rec->status = fuzz_number();
    rec->retry = fuzz_number();
    rec->stream = fuzz_number();
    rec->time_ms = fuzz_number();
    rec->request_bytes = fuzz_number();
    rec->response_bytes = fuzz_number();
    rec->usage.uncached = fuzz_number();
    rec->usage.cached = fuzz_number();
    rec->usage.cache_write = fuzz_number();
    rec->usage.output = fuzz_number();
    rec->usage.reasoning = fuzz_number();
    rec->usage.source = fuzz_number() % 5;
    rec->ttft_us = (int64_t) fuzz_number();
    rec->duration_us = fuzz_number();
    rec->overhead_us = fuzz_number();
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char               *line, *end, *route;
    size_t                room;
    uint64_t              n;
    ai_json_t             root, v;
    ai_alloc_t            arena;
    ai_record_t           rec;
    ai_json_error_t       err;
    ai_record_attempt_t   attempts[FUZZ_ATTEMPTS];

    fuzz_pos = data;
    fuzz_last = data + size;
    fuzz_nblocks = 0;

    arena.alloc = fuzz_alloc;
    arena.data = NULL;

    memset(&rec, 0, sizeof(rec));
    memset(attempts, 0, sizeof(attempts));

    fuzz_fill(&rec, attempts);

    line = malloc(AI_RECORD_MAX);
    FUZZ(line);

    end = ai_record_render(line, &rec);

    FUZZ(end - line <= AI_RECORD_MAX);
    FUZZ(memchr(line, '\n', end - line) == NULL);
    FUZZ(ai_json_scan(line, end - line, NULL, &arena, NULL, NULL, &root,
                      &err)
         == AI_OK);
    FUZZ(ai_json_get(&root, "attempts", &v) == AI_OK);
    FUZZ(ai_json_uint(&v, &n) == AI_OK && n == rec.nattempts);
    FUZZ(ai_json_get(&root, "tries", &v) == AI_OK);
    FUZZ(ai_json_get(&root, "response_bytes", &v) == AI_OK);
    FUZZ(ai_json_uint(&v, &n) == AI_OK && n == rec.response_bytes);

    room = size % 200;
    route = malloc(room ? room : 1);
    FUZZ(route);

    FUZZ((size_t) (ai_record_route(route, room, &rec) - route) <= room);

    (void) ai_record_client(&rec.model_requested);

    free(route);
    free(line);

    while (fuzz_nblocks > 0) {
        free(fuzz_blocks[--fuzz_nblocks]);
    }

    return 0;
}

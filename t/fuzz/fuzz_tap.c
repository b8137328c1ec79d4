
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The tap behind the framer: what it says of each event and keeps of a stream
 * depends neither on how the bytes came nor on whether it read an event or
 * knew it by a sample, and stays within its bounds.  The same bytes are also
 * read as a whole answer, and become the message of error documents, which
 * are JSON whatever they tell.  The first byte decides the cuts, the second
 * one the dialect and the operation.
 */


#include <stdio.h>
#include <stdlib.h>

#include "dialect.h"


#define FUZZ(cond)                                                           \
    if (!(cond)) {                                                           \
        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
        abort();                                                             \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define MAX_EVENT  65536


typedef struct block_s  block_t;

struct block_s {
    block_t             *next;
};


typedef struct {
    const ai_dialect_t  *dialect;
    ai_op_e              op;
} target_t;


static const target_t  targets[] = {
    { &ai_dialect_openai, AI_OP_CHAT },
    { &ai_dialect_openai, AI_OP_RESPONSES },
    { &ai_dialect_anthropic, AI_OP_MESSAGES },
    { &ai_dialect_gemini, AI_OP_STREAM_GENERATE },
    { &ai_dialect_openai, AI_OP_COMPLETIONS },
    { &ai_dialect_openai, AI_OP_EMBEDDINGS },
    { &ai_dialect_anthropic, AI_OP_COUNT_TOKENS },
    { &ai_dialect_gemini, AI_OP_GENERATE },
    { &ai_dialect_gemini, AI_OP_GEMINI_COUNT_TOKENS },
    { &ai_dialect_gemini, AI_OP_BATCH_EMBED_CONTENTS }
};


static void *
block(void *data, size_t size)
{
    block_t  *b, **list;

    list = data;

    b = malloc(sizeof(block_t) + 8 + size);
    FUZZ(b != NULL);

    b->next = *list;
    *list = b;

    return (u_char *) b + sizeof(block_t) + 8;
}


static void
drop(block_t *b)
{
    block_t  *next;

    for ( /* void */ ; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
}


/*
 * The stream in pieces of at most cut bytes, each in memory of its own size;
 * with "read" every event is read.  The result depends on all verdicts.
 */

static uint64_t
stream(ai_tap_t *tap, const target_t *t, ai_alloc_t *a, const uint8_t *data,
    size_t size, size_t cut, int read)
{
    size_t           n;
    uint64_t         said;
    u_char          *piece, *pos;
    ai_sse_t         sse;
    ai_int_t         rc;
    ai_sse_event_t   ev;

    ai_sse_init(&sse, MAX_EVENT, a);
    ai_tap_init(tap, t->dialect, t->op, a);

    said = 0;
    rc = AI_AGAIN;

    while (size != 0 && rc != AI_ERROR) {
        n = size < cut ? size : cut;

        piece = malloc(n);
        FUZZ(piece != NULL);
        memcpy(piece, data, n);

        pos = piece;

        while ((rc = ai_sse_next(&sse, &pos, piece + n, &ev)) == AI_OK) {

            if (read) {
                tap->sample.len = 0;
            }

            said = said * 31 + 1 + ai_tap_event(tap, &ev);
        }

        free(piece);
        data += n;
        size -= n;
    }

    if (rc != AI_ERROR && ai_sse_finish(&sse, &ev) == AI_OK) {

        if (read) {
            tap->sample.len = 0;
        }

        said = said * 31 + 1 + ai_tap_event(tap, &ev);
    }

    return said;
}


static void
check_kept(ai_str_t *s, size_t size)
{
    size_t  i;

    FUZZ(s->len <= size);

    for (i = 0; i < s->len; i++) {
        FUZZ(s->data[i] >= 0x20 && s->data[i] != 0x7f);
    }
}


static void
check(ai_tap_t *tap)
{
    ai_usage_t  *u;

    u = &tap->usage;

    FUZZ(u->uncached <= AI_USAGE_MAX && u->cached <= AI_USAGE_MAX
         && u->cache_write <= AI_USAGE_MAX && u->output <= AI_USAGE_MAX
         && u->reasoning <= u->output);

    check_kept(&tap->model, AI_TAP_MODEL_LEN);
    check_kept(&tap->finish, AI_TAP_FINISH_LEN);
    check_kept(&tap->tools, AI_TAP_TOOLS_LEN);
    check_kept(&tap->error_message, AI_TAP_ERROR_LEN);
    check_kept(&tap->error_type, sizeof(tap->error_type_buf));
}


static void
same_str(ai_str_t *a, ai_str_t *b)
{
    FUZZ(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}


static void
same(ai_tap_t *a, ai_tap_t *b)
{
    FUZZ(memcmp(&a->usage, &b->usage, sizeof(ai_usage_t)) == 0);
    FUZZ(a->events == b->events);
    FUZZ(a->content == b->content);
    FUZZ(a->output_bytes == b->output_bytes);
    FUZZ(a->unknown == b->unknown);
    FUZZ(a->tool_calls == b->tool_calls);
    FUZZ(a->error_status == b->error_status);
    FUZZ(a->finished == b->finished);
    FUZZ(a->ended == b->ended);
    FUZZ(a->choices == b->choices);
    FUZZ(a->choices_finished == b->choices_finished);

    same_str(&a->model, &b->model);
    same_str(&a->finish, &b->finish);
    same_str(&a->tools, &b->tools);
    same_str(&a->error_type, &b->error_type);
    same_str(&a->error_message, &b->error_message);
}


/*
 * Each event also with a byte of its data changed, after itself twice: most
 * likely to be taken for its like when it is not.
 */

static void
repeated(const target_t *t, ai_alloc_t *a, const uint8_t *data, size_t size)
{
    int              i;
    size_t           at;
    u_char          *copy, *pos;
    ai_sse_t         sse;
    ai_tap_t         known, read;
    ai_event_e       event;
    ai_sse_event_t   ev;

    copy = malloc(size);
    FUZZ(copy != NULL);
    memcpy(copy, data, size);

    pos = copy;

    ai_sse_init(&sse, MAX_EVENT, a);
    ai_tap_init(&known, t->dialect, t->op, a);
    ai_tap_init(&read, t->dialect, t->op, a);

    for (at = size; ai_sse_next(&sse, &pos, copy + size, &ev) == AI_OK; at++) {

        for (i = 0; i < 4; i++) {

            if (i == 3 && ev.data.len != 0) {
                ev.data.data[at * 31 % ev.data.len] ^= 1 << at % 8;
            }

            read.sample.len = 0;
            event = ai_tap_event(&read, &ev);

            FUZZ(ai_tap_event(&known, &ev) == event);
            same(&known, &read);
        }
    }

    free(copy);
}


static void
documents(const target_t *t, ai_alloc_t *a, const uint8_t *data, size_t size)
{
    ai_str_t          out;
    ai_json_t         root;
    ai_error_doc_t    doc;
    ai_json_error_t   err;
    ai_attempt_doc_t  attempt;

    memset(&doc, 0, sizeof(ai_error_doc_t));

    doc.message.data = (u_char *) data;
    doc.message.len = size;
    doc.param = doc.message;
    doc.request_id = doc.message;
    doc.error = (ai_error_e) (1 + size % (AI_ERR_MAX - 1));
    doc.retry_after = (ai_int_t) (size % 7) - 1;

    attempt.provider = doc.message;
    attempt.status = size;
    attempt.error = doc.error;

    doc.attempts = &attempt;
    doc.nattempts = 1;

    FUZZ(t->dialect->error(&doc, a, &out) == AI_OK);
    FUZZ(ai_json_scan(out.data, out.len, NULL, a, NULL, NULL, &root, &err)
         == AI_OK);
    FUZZ(t->dialect->error_event(&doc, t->op, a, &out) == AI_OK);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           cut;
    u_char          *copy;
    block_t         *list;
    uint64_t         said;
    ai_tap_t         whole, pieces;
    ai_alloc_t       a;
    const target_t  *t;
    ai_json_error_t  err;

    if (size < 3 || size > MAX_EVENT) {
        return 0;
    }

    cut = 1 + data[0];
    t = &targets[data[1] % (sizeof(targets) / sizeof(targets[0]))];
    data += 2;
    size -= 2;

    list = NULL;
    a.alloc = block;
    a.data = &list;

    said = stream(&whole, t, &a, data, size, size, 0);
    (void) stream(&pieces, t, &a, data, size, cut, 0);

    check(&whole);
    same(&whole, &pieces);

    FUZZ(stream(&pieces, t, &a, data, size, size, 1) == said);
    same(&whole, &pieces);

    repeated(t, &a, data, size);

    ai_tap_estimate(&whole, size);
    check(&whole);

    copy = malloc(size);
    FUZZ(copy != NULL);
    memcpy(copy, data, size);

    ai_tap_init(&whole, t->dialect, t->op, &a);
    (void) ai_tap_response(&whole, copy, size, &err);
    check(&whole);

    free(copy);

    documents(t, &a, data, size);

    drop(list);

    return 0;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The framing application/vnd.amazon.eventstream, wire-formats.md 1.3: reads
 * messages incrementally, checking both CRCs, and writes them.
 */


#ifndef _AI_EVENTSTREAM_H_INCLUDED_
#define _AI_EVENTSTREAM_H_INCLUDED_


#include "ai_buf.h"


/* headers that are missing, or that are no strings, are empty */

typedef struct {
    ai_str_t             raw;          /* the whole message */
    ai_str_t             message_type; /* "event", "exception", "error" */
    ai_str_t             event_type;   /* or exception type, error code */
    ai_str_t             content_type;
    ai_str_t             error_message;
    ai_str_t             payload;
} ai_eventstream_message_t;


typedef struct {
    const char          *err;
    ai_alloc_t          *alloc;
    size_t               max;          /* bytes of a message */
    u_char              *hold;         /* one that came in pieces */
    size_t               len;
    size_t               size;
    unsigned             given:1;
    unsigned             failed:1;
} ai_eventstream_t;


/*
 * max bounds the memory too: less than four times as much is ever taken
 * from the arena, nothing at all while every message comes in one piece.
 */

void ai_eventstream_init(ai_eventstream_t *s, size_t max, ai_alloc_t *a);

/*
 * AI_OK: *m is the next message, its spans lie in the input, or in memory of
 * s that the next call takes; AI_AGAIN: all input is consumed; AI_ERROR:
 * s->err, stays so.  Unknown headers are skipped, of every type.
 */
ai_int_t ai_eventstream_next(ai_eventstream_t *s, u_char **pos, u_char *last,
    ai_eventstream_message_t *m);

/* AI_OK: nothing is held; AI_ERROR: a message is cut, or s had failed */
ai_int_t ai_eventstream_finish(ai_eventstream_t *s);


/*
 * Appends a message with the headers that Bedrock sends: begin(), then the
 * payload, which is JSON, is written to b, then end() with what begin()
 * returned.  Of an exception the type is its :exception-type.  Failures are
 * those of b.
 */

size_t ai_eventstream_begin(ai_buf_t *b, const char *type,
    ai_uint_t exception);
void ai_eventstream_end(ai_buf_t *b, size_t begin);


#endif /* _AI_EVENTSTREAM_H_INCLUDED_ */

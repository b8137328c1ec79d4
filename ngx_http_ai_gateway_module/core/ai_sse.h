
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Server-sent events, after the "Server-sent events" chapter of the WHATWG
 * HTML standard, and newline-delimited JSON: cuts a byte stream into events.
 * The same framer serves those who read events and those who pass the bytes
 * on: the raw spans of all events, put together, are the stream.
 */


#ifndef _AI_SSE_H_INCLUDED_
#define _AI_SSE_H_INCLUDED_


#include "ai.h"


/* the one reason of AI_ERROR that the reader may have a limit for */
#define AI_SSE_LARGE  "event is too large"


typedef struct {
    ai_str_t                  raw;     /* the bytes, with the blank line */
    ai_str_t                  name;    /* last "event" field, or empty */
    ai_str_t                  data;    /* "data" fields joined by LF */
    ai_str_t                  error;   /* last "error" field, or empty: no */
                                       /* standard, llama.cpp fails so */

    unsigned                  has_data:1;
    unsigned                  comment_only:1;  /* no field: comments, blank */
    unsigned                  unterminated:1;  /* set by ai_sse_finish() */
} ai_sse_event_t;


/* a field's value within the event, in offsets since the event may move */

typedef struct {
    size_t                    off;
    size_t                    len;
} ai_sse_span_t;


/* allocated from the arena, reused for every event, grown by doubling */

typedef struct {
    u_char                   *data;
    size_t                    len;
    size_t                    size;
} ai_sse_buf_t;


typedef struct {
    const char               *err;     /* reason of AI_ERROR */
    ai_alloc_t               *alloc;
    size_t                    max_event;

    ai_sse_buf_t              hold;    /* an event that came in pieces */
    ai_sse_buf_t              join;    /* data of several lines */

    /* the event being read */

    size_t                    line;    /* start of its current line */
    ai_sse_span_t             name;
    ai_sse_span_t             data;    /* the first data line */
    ai_sse_span_t             error;
    ai_uint_t                 ndata;   /* data lines; above 1: in join */

    unsigned                  lines:1;      /* NDJSON */
    unsigned                  started:1;    /* past a byte order mark */
    unsigned                  fields:1;     /* the event has a field */
    unsigned                  given:1;      /* hold was returned, is free */
    unsigned                  cr:1;         /* a line ended in CR at the */
                                            /* end of input: LF may follow */
    unsigned                  wait_lf:1;    /* the blank line did */
    unsigned                  crlf:1;       /* the last line had CRLF */
    unsigned                  failed:1;
} ai_sse_t;


/*
 * Starts reading a stream of server-sent events.  max_event is the largest
 * event accepted, in bytes with its field names, and bounds the memory: less
 * than eight times as much (or 2 KB) is ever taken from the arena, nothing
 * at all while every event comes in one piece and has one data line.
 */

void ai_sse_init(ai_sse_t *s, size_t max_event, ai_alloc_t *a);

/*
 * The same for newline-delimited JSON: an event is a line, its data is the
 * line without its end (LF or CRLF).  Lines of blanks only are reported as
 * comment_only.
 */

void ai_sse_init_lines(ai_sse_t *s, size_t max_event, ai_alloc_t *a);

/*
 * Reads on at *pos, and moves it.
 *
 * AI_OK     *ev is the next event; call again.  ev->raw lies in the input if
 *           the event began and ended there, and is then adjacent to the raw
 *           of its neighbours; otherwise in memory of s, valid until the next
 *           call.  So do name, data and error, which point into raw unless
 *           data had to be joined.  Blocks without any field are reported
 *           too, as comment_only.
 * AI_AGAIN  all input was consumed; what is not yet an event is held in s.
 * AI_ERROR  an event is larger than max_event, or there is no memory
 *           (s->err); stays so.
 *
 * Lines end in LF, CRLF or CR, in any mixture and cut anywhere.  A blank
 * line ending in CR at the end of the input completes its event at once,
 * unless the line before ended in CRLF: then the LF is waited for.  Should
 * LF come against expectation, it is reported as an event of its own,
 * comment_only, so that no byte is lost.
 */

ai_int_t ai_sse_next(ai_sse_t *s, u_char **pos, u_char *last,
    ai_sse_event_t *ev);

/*
 * To be called at the end of the stream, after AI_AGAIN.  AI_OK: *ev is the
 * event that lacks its blank line, or even the end of its last line (the
 * standard drops such an event, providers end their streams so);
 * AI_DONE: nothing was held; AI_ERROR: as above.
 */

ai_int_t ai_sse_finish(ai_sse_t *s, ai_sse_event_t *ev);


#endif /* _AI_SSE_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * How a stream is cut into events, whatever its framing: the same interface
 * as ai_sse.h.  The raw spans of all events, put together, are the stream.
 */


#ifndef _AI_FRAME_H_INCLUDED_
#define _AI_FRAME_H_INCLUDED_


#include "ai_eventstream.h"
#include "ai_sse.h"


typedef enum {
    AI_FRAME_SSE = 0,
    AI_FRAME_LINES,               /* NDJSON */
    AI_FRAME_ARRAY,               /* elements of one JSON array: Gemini
                                     without alt=sse */
    AI_FRAME_AWS,                 /* AWS event stream: name is :event-type,
                                     data the payload; of exceptions name is
                                     :exception-type (or :error-code), and
                                     "error" a JSON object with "message" */
    AI_FRAME_AWS_BYTES            /* the same of invoke: data is what
                                     "bytes" of the payload holds, name is
                                     empty */
} ai_frame_e;


/* an element of an array is cut out by brackets and quotes alone */

typedef struct {
    ai_sse_buf_t         hold;
    size_t               scanned;      /* of hold */
    ai_uint_t            depth;
    unsigned             opened:1;
    unsigned             closed:1;
    unsigned             string:1;
    unsigned             escape:1;
    unsigned             given:1;
} ai_frame_array_t;


typedef struct {
    ai_frame_e           type;
    const char          *err;          /* reason of AI_ERROR */
    ai_alloc_t          *alloc;
    size_t               max_event;

    union {
        ai_sse_t         sse;
        ai_frame_array_t array;
        ai_eventstream_t aws;
    } u;

    ai_sse_buf_t         bytes;        /* decoded base64 */
} ai_frame_t;


/*
 * As ai_sse_init(), ai_sse_next() and ai_sse_finish(): AI_OK, AI_AGAIN
 * (AI_DONE from finish), AI_ERROR: f->err; a broken frame, a wrong CRC, an
 * event above max_event; a frame cut by the end of the stream is an error.
 */

void ai_frame_init(ai_frame_t *f, ai_frame_e type, size_t max_event,
    ai_alloc_t *a);
ai_int_t ai_frame_next(ai_frame_t *f, u_char **pos, u_char *last,
    ai_sse_event_t *ev);
ai_int_t ai_frame_finish(ai_frame_t *f, ai_sse_event_t *ev);


#endif /* _AI_FRAME_H_INCLUDED_ */

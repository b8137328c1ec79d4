
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The answer of a provider in the dialect of a client: a decoder, an encoder,
 * and the order between them.  What passes is told to the tap, so that it is
 * accounted as if it had not been translated.
 */


#ifndef _AI_TRANSLATE_H_INCLUDED_
#define _AI_TRANSLATE_H_INCLUDED_


#include "ai_wire.h"


typedef struct ai_translate_s  ai_translate_t;


typedef struct {
    ai_op_e              from;         /* of the provider */
    ai_op_e              to;           /* of the client */
    const ai_vendor_t   *vendor;
    const ai_request_t  *req;          /* NULL: none, as in tests */
    ai_str_t             model;        /* that the client named */
    ai_str_t             request_id;
    uint64_t             now;
    uint64_t             input;        /* tokens; 0: estimated from the
                                          request, if they must be told */
    ai_uint_t            array;        /* see ai_encode_t */
    size_t               max;          /* what may be kept, or come out of
                                          one event or document */
    ai_alloc_t          *alloc;        /* lives as long as the answer */
    ai_alloc_t          *scratch;      /* dropped after each call */
} ai_translate_conf_t;


/* NULL: no memory, or no wire for one of the operations */
ai_translate_t *ai_translate_create(const ai_translate_conf_t *conf,
    ai_tap_t *tap);

/*
 * One event of the stream, and its end by EOF; each leaves what is to be sent
 * in the buffer of ai_translate_out().  Return as ai_tap_event() does:
 * CONTENT commits, IDLE may have output nevertheless (before the commit it
 * belongs to what comes), END: the stream is complete and its terminator was
 * written, ERROR: told in the tap, INVALID.  ai_translate_eof() returns END,
 * or INVALID when the stream is not complete.
 */
ai_event_e ai_translate_event(ai_translate_t *t, ai_sse_event_t *ev);
ai_event_e ai_translate_eof(ai_translate_t *t);

/*
 * A whole answer, to a document or, if the client waits for events, to
 * these.  The bytes at p must stay for as long as the output is used.  As
 * ai_tap_response().
 */
ai_event_e ai_translate_response(ai_translate_t *t, u_char *p, size_t len,
    ai_uint_t stream, ai_json_error_t *err);

/* an error, as an event of the client's stream; AI_OK, AI_ERROR */
ai_int_t ai_translate_error(ai_translate_t *t, ai_error_doc_t *doc);

ai_buf_t *ai_translate_out(ai_translate_t *t);


/*
 * For dialects without a tap of their own: reads by the decoder of tap->op
 * and keeps in the tap what it emits.  As the functions of ai_dialect_s.
 */
ai_event_e ai_tap_wire_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root);
ai_event_e ai_tap_wire_response(ai_tap_t *tap, ai_json_t *root);


#endif /* _AI_TRANSLATE_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Which result of a request answers which call.  They are matched by an index
 * of ids that is sorted, so that no choice of ids makes it slow.
 */


#ifndef _AI_CALLS_H_INCLUDED_
#define _AI_CALLS_H_INCLUDED_


#include "ai_message.h"


typedef struct ai_call_key_s  ai_call_key_t;


typedef struct {
    ai_part_t         *part;
    ai_part_t         *result;     /* NULL: none */
    size_t             turn;       /* messages of the assistant without any
                                      other between them are one turn */

    /* of ai_normalize.c: the messages that both were put into */

    ai_message_t      *message;
    ai_message_t      *answer;
} ai_call_t;


typedef struct {
    ai_part_t         *part;
    ai_call_t         *call;       /* NULL: none */
    ai_call_t         *near;       /* the last call of its name before it */
    ai_uint_t          again;      /* says what was said before */
} ai_call_result_t;


/* both as they come in the messages */

typedef struct {
    ai_request_t      *req;
    ai_alloc_t        *alloc;

    ai_call_t         *calls;
    size_t             ncalls;
    ai_call_result_t  *results;
    size_t             nresults;
    ai_call_key_t     *keys;
    size_t             nkeys;
} ai_calls_t;


/*
 * Fills c from the messages of a request.  A result is matched by its id, or
 * without one by the name of its function, with a call before it: of those
 * with the same id, one of the last turn that has them, in their order there;
 * else with any call that was not answered.  Calls without an id of their
 * own get one; results get the id and the name of their call.  AI_OK,
 * AI_ERROR: no memory.
 */
ai_int_t ai_calls_match(ai_calls_t *c, ai_request_t *req);


#endif /* _AI_CALLS_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Deltas as decoders emit them, in the order that encoders rely on: see
 * ai_delta_t.
 */


#ifndef _AI_ORDER_H_INCLUDED_
#define _AI_ORDER_H_INCLUDED_


#include "ai_wire.h"


#define AI_ORDER_CHOICES  AI_ANSWER_CHOICES
#define AI_ORDER_CALLS    1024         /* of one choice */


typedef struct ai_block_s  ai_block_t;


/* a call, or what came while a call was under way and must wait for it */

struct ai_block_s {
    ai_block_t          *next;         /* that waits */
    ai_block_t          *older;        /* call of the same choice */
    ai_delta_t           head;
    ai_uint_t            key;          /* as the decoder calls it */
    ai_buf_t             held;

    ai_uint_t            depth;        /* of brackets in its arguments */
    unsigned             string:1;
    unsigned             escape:1;
    unsigned             any:1;        /* some of them came */
    unsigned             whole:1;      /* they are a JSON document */
    unsigned             ended:1;      /* the decoder says */
    unsigned             closed:1;
};


typedef struct {
    ai_block_t          *calls;        /* the newest first */
    ai_uint_t            ncalls;
    ai_block_t          *open;         /* the call being sent */
    ai_block_t          *wait;
    ai_block_t         **last;
    ai_finish_e          finish;
    ai_mstr_t            native;
    ai_mstr_t            sequence;
    unsigned             finished:1;
} ai_order_choice_t;


typedef struct {
    ai_alloc_t          *alloc;
    size_t               max;          /* bytes that may wait */
    size_t               size;
    ai_delta_pt          sink;
    void                *data;

    ai_mstr_t            id;
    ai_mstr_t            model;
    uint64_t             created;
    ai_usage_t           usage;
    ai_order_choice_t   *choices[AI_ORDER_CHOICES];  /* NULL: not seen */
    ai_uint_t            nchoices;
    uint64_t             lost;         /* deltas that came too late */

    unsigned             started:1;
    unsigned             ended:1;
} ai_order_t;


void ai_order_init(ai_order_t *o, ai_alloc_t *a, size_t max,
    ai_delta_pt sink, void *data);

/*
 * Takes a delta of any type but ERROR.  FINISH and USAGE wait for END, since
 * providers send something after each of them.  AI_OK, AI_ERROR: the sink
 * failed, no memory, or too much must wait.
 */
ai_int_t ai_order(ai_order_t *o, const ai_delta_t *delta);

/* whether all choices that were seen are finished, and there is one */
ai_uint_t ai_order_finished(ai_order_t *o);


#endif /* _AI_ORDER_H_INCLUDED_ */

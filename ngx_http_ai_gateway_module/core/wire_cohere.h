
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The wire of Cohere's v2 chat (wire-formats.md 10), which is several files.
 * Included by wire_cohere*.c only.
 */


#ifndef _WIRE_COHERE_H_INCLUDED_
#define _WIRE_COHERE_H_INCLUDED_


#include "wire.h"


/* of a tool's name */
#define AI_COHERE_NAME  64


/* the block of content that is open for the client */

typedef enum {
    AI_COHERE_NONE = 0,
    AI_COHERE_TEXT,
    AI_COHERE_THINKING
} ai_cohere_block_e;


typedef struct {
    ai_uint_t            ncalls;       /* of an answer that is whole */
    unsigned             args:1;       /* the call has some */
    unsigned             ended:1;      /* message-end was seen */
} ai_cohere_decode_t;


typedef struct {
    ai_cohere_block_e    block;
    ai_uint_t            nblocks;      /* that were opened */
    ai_uint_t            ncitations;
    ai_finish_e          finish;
} ai_cohere_encode_t;


typedef struct {
    ai_request_t        *req;
    const ai_target_t   *t;
    ai_buf_t            *out;
    ai_report_t         *rep;
    ai_uint_t            thinks;       /* the model may */
} ai_cohere_render_t;


ai_int_t ai_cohere_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep);
ai_int_t ai_cohere_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);

/* the member "messages", on either side */
ai_int_t ai_cohere_messages(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_cohere_history(ai_cohere_render_t *r);

ai_int_t ai_cohere_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root);
ai_int_t ai_cohere_parse_end(ai_decode_t *d);
ai_int_t ai_cohere_parse_response(ai_decode_t *d, const ai_json_t *root);

ai_int_t ai_cohere_render_event(ai_encode_t *e, const ai_delta_t *delta);
ai_int_t ai_cohere_render_response(ai_encode_t *e, const ai_answer_t *a);
ai_int_t ai_cohere_render_error(ai_encode_t *e, ai_error_doc_t *doc);

/* wire-formats.md 2.1; what is of no known kind has stopped */
ai_finish_e ai_cohere_finish(const ai_json_t *v);
const char *ai_cohere_finish_name(ai_finish_e finish);


#endif /* _WIRE_COHERE_H_INCLUDED_ */

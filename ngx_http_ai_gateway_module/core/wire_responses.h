
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the files of the wire of OpenAI's Responses share among themselves
 * (wire-formats.md 4).  Included by wire_responses_*.c only.
 */


#ifndef _WIRE_RESPONSES_H_INCLUDED_
#define _WIRE_RESPONSES_H_INCLUDED_


#include "wire.h"


/* of the names of tools, towards a provider */

#define AI_RSP_NAME_LEN  64


/*
 * What a decoder knows of one item of the output.  What is said in pieces is
 * said again as a whole, up to four times, and some say it but once: so it is
 * kept of which parts the words were told.
 */

typedef struct ai_rsp_item_s  ai_rsp_item_t;

struct ai_rsp_item_s {
    ai_rsp_item_t       *next;
    uint64_t             index;
    uint64_t             parts;        /* bits, see ai_rsp_kind_e */
    unsigned             call:1;       /* CALL was told */
    unsigned             args:1;       /* ARGS were */
    unsigned             notes:1;      /* annotations were */
    unsigned             text:1;       /* reasoning is told by its text */
    unsigned             summary:1;    /* by its summary */
    unsigned             unknown:1;    /* of no known kind, and counted */
    unsigned             done:1;
};

/* the first bit of content, and of a summary */

typedef enum {
    AI_RSP_CONTENT = 0,
    AI_RSP_SUMMARIES = 32
} ai_rsp_kind_e;

typedef struct {
    ai_rsp_item_t       *items;        /* the newest first */
    ai_rsp_item_t       *item;         /* the one last looked for */
    ai_uint_t            nitems;
    unsigned             started:1;    /* START was told */
    unsigned             content:1;    /* there was something in them */
    unsigned             calls:1;
    unsigned             failed:1;     /* and nobody said why */
} ai_rsp_decode_t;


typedef enum {
    AI_RSP_NONE = 0,
    AI_RSP_MESSAGE,
    AI_RSP_REASONING,
    AI_RSP_CALL,
    AI_RSP_IMAGE
} ai_rsp_open_e;

typedef enum {
    AI_RSP_NO_PART = 0,
    AI_RSP_TEXT,
    AI_RSP_REFUSAL,
    AI_RSP_SUMMARY
} ai_rsp_part_e;

/*
 * What an encoder keeps: all that was said, since the events that end a
 * part, an item and the response repeat it.
 */

typedef struct {
    ai_mstr_t            id;           /* of the response */
    uint64_t             created;
    uint64_t             sequence;     /* of the next event */

    ai_rsp_open_e        open;
    ai_rsp_part_e        part;
    ai_mstr_t            item;         /* id of the open one */
    ai_uint_t            nitems;       /* that are done */
    ai_uint_t            nparts;       /* of the open item, done */
    ai_uint_t            nnotes;       /* annotations of the open part */
    ai_part_t            call;         /* the open one */

    ai_buf_t             output;       /* items that are done */
    ai_buf_t             parts;        /* of the open item, done */
    ai_buf_t             notes;
    ai_buf_t             logprobs;
    ai_buf_t             text;         /* of the open part, or arguments, as
                                          between the quotes of a string */
    ai_finish_e          finish;
    unsigned             started:1;
    unsigned             spoken:1;     /* there was a text */
} ai_rsp_encode_t;


/*
 * A response object: what differs between one that has begun, one that is
 * complete and one that failed.  All else is an echo of the request.
 */

typedef struct {
    ai_mstr_t            id;
    uint64_t             created;
    const char          *status;
    const char          *reason;       /* it is incomplete, or NULL */
    const char          *code;         /* of an error, or NULL */
    ai_str_t             message;      /* of that error */
    ai_str_t             output;       /* items, with commas between */
    const ai_usage_t    *usage;        /* NULL: not known yet */
} ai_rsp_object_t;

void ai_rsp_object(ai_buf_t *b, const ai_encode_t *e,
    const ai_rsp_object_t *r);

/* status, reason and error of an answer that ended so */
void ai_rsp_finish(ai_rsp_object_t *r, ai_finish_e finish);

/* the value of "error" as documents have it */
void ai_rsp_error(ai_buf_t *b, const ai_error_doc_t *doc,
    const ai_str_t *message);


/*
 * The items of an output and the parts of a message, each written without a
 * comma in front.  Empty texts, states and arrays may be given, items in
 * progress have them.  Parts, annotations and log probabilities are elements
 * with commas between.
 */

void ai_rsp_text(ai_buf_t *b, const ai_mstr_t *text, const ai_str_t *notes,
    const ai_str_t *logprobs);
void ai_rsp_refusal(ai_buf_t *b, const ai_mstr_t *text);
void ai_rsp_annotation(ai_buf_t *b, const ai_citation_t *cite);
void ai_rsp_message(ai_buf_t *b, const ai_mstr_t *id, const char *status,
    const ai_str_t *parts);
void ai_rsp_summary(ai_buf_t *b, const ai_mstr_t *text);
void ai_rsp_reasoning(ai_buf_t *b, const ai_mstr_t *id, const char *status,
    const ai_mstr_t *text, const ai_mstr_t *state);
void ai_rsp_call(ai_buf_t *b, const ai_mstr_t *id, const char *status,
    const ai_part_t *call);
void ai_rsp_image(ai_buf_t *b, const ai_mstr_t *id, const char *status,
    const ai_mstr_t *data);


/*
 * What a request and its echo have in common: an object "text", with the
 * verbosity if any is given, and the value of tool_choice.
 */

void ai_rsp_format(ai_buf_t *b, const ai_request_t *req,
    const ai_mstr_t *verbosity);
void ai_rsp_choice(ai_buf_t *b, const ai_request_t *req);


/*
 * Opaque state as encrypted_content of the item of that id: as it is, if it
 * belongs there, else packed.  AI_OK, AI_ERROR: no memory.
 */
ai_int_t ai_rsp_state(ai_alloc_t *a, ai_state_e kind,
    const ai_mstr_t *state_id, const ai_mstr_t *state, const ai_mstr_t *id,
    ai_mstr_t *out);


/*
 * For decoders.  The item of that index, which is new if it was not seen yet:
 * AI_OK, AI_ERROR: no memory, AI_DECLINED: there are too many.
 */
ai_int_t ai_rsp_find(ai_decode_t *d, uint64_t index, ai_rsp_item_t **item);

/*
 * Words of a part, by number: a piece, or all of them, which were told before
 * if any were.  AI_OK, AI_ERROR, AI_DECLINED: not a string.
 */
ai_int_t ai_rsp_tell(ai_decode_t *d, ai_rsp_item_t *item, ai_delta_e type,
    ai_rsp_kind_e kind, uint64_t part, const ai_json_t *text,
    ai_uint_t whole);

/* whether words of that part were told */
ai_uint_t ai_rsp_was_told(const ai_rsp_item_t *item, ai_rsp_kind_e kind,
    uint64_t part);

/* what belongs to texts: log probabilities, an annotation */
ai_int_t ai_rsp_tell_logprobs(ai_decode_t *d, const ai_json_t *logprobs);
ai_int_t ai_rsp_tell_note(ai_decode_t *d, const ai_json_t *note);

/* an item that has begun, and one that is complete; as above */
ai_int_t ai_rsp_read_added(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *v);
ai_int_t ai_rsp_read_item(ai_decode_t *d, ai_rsp_item_t *item,
    const ai_json_t *v);

/* a response object: what it starts with, its items, what it ends with */
ai_int_t ai_rsp_read_start(ai_decode_t *d, const ai_json_t *response);
ai_int_t ai_rsp_read_output(ai_decode_t *d, const ai_json_t *response);
ai_int_t ai_rsp_read_end(ai_decode_t *d, const ai_json_t *response);

/* whether a member "error" tells one */
ai_uint_t ai_rsp_is_error(const ai_json_t *v);


ai_int_t ai_rsp_parse_request(ai_request_t *req, const ai_json_t *root,
    ai_report_t *rep);
ai_int_t ai_rsp_parse_tools(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_rsp_parse_choice(ai_wire_read_t *r, const ai_json_t *v,
    const ai_wire_member_t *m);
ai_int_t ai_rsp_parse_input(ai_request_t *req, const ai_json_t *input,
    ai_report_t *rep);
ai_int_t ai_rsp_put_input(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);
ai_int_t ai_rsp_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);
ai_int_t ai_rsp_parse_event(ai_decode_t *d, const ai_str_t *name,
    const ai_json_t *root);
ai_int_t ai_rsp_parse_end(ai_decode_t *d);
ai_int_t ai_rsp_parse_response(ai_decode_t *d, const ai_json_t *root);
ai_int_t ai_rsp_render_event(ai_encode_t *e, const ai_delta_t *delta);
ai_int_t ai_rsp_render_response(ai_encode_t *e, const ai_answer_t *a);
ai_int_t ai_rsp_render_error(ai_encode_t *e, ai_error_doc_t *doc);


#endif /* _WIRE_RESPONSES_H_INCLUDED_ */

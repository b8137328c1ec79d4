
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Embeddings between dialects, wire-formats.md 14: a request of a client's
 * for a provider of another dialect, and its answer for the client.
 */


#ifndef _AI_EMBED_H_INCLUDED_
#define _AI_EMBED_H_INCLUDED_


#include "ai_message.h"
#include "ai_wire.h"


/* what the vectors are for */

typedef enum {
    AI_EMBED_UNSET = 0,
    AI_EMBED_DOCUMENT,            /* to be found */
    AI_EMBED_QUERY,               /* to find them by */
    AI_EMBED_CLASSIFICATION,
    AI_EMBED_CLUSTERING,
    AI_EMBED_SIMILARITY,
    AI_EMBED_QUESTION,            /* a query of a kind, as the next two */
    AI_EMBED_FACT,
    AI_EMBED_CODE
} ai_embed_type_e;


/* which end of a text that is too long is cut off */

typedef enum {
    AI_EMBED_CUT_UNSET = 0,
    AI_EMBED_CUT_NONE,            /* it is an error */
    AI_EMBED_CUT_START,
    AI_EMBED_CUT_END
} ai_embed_cut_e;


/* a request that is under way; strings are spans of the client's body */

typedef struct {
    ai_alloc_t          *alloc;
    ai_mstr_t           *texts;
    ai_uint_t            n;
    ai_str_t             tokens;       /* raw, in place of texts: "input" of
                                          OpenAI */
    ai_str_t             dimensions;   /* a number, or empty */
    ai_mstr_t            user;
    ai_mstr_t            title;        /* of a document */
    ai_embed_type_e      type;
    ai_embed_cut_e       cut;

    ai_str_t             id;           /* for clients that expect one; may be
                                          set after ai_embed_request() */
    unsigned             floats:1;     /* the client wants arrays */
    unsigned             base64:1;     /* and, or base64 of float32, little
                                          endian */
} ai_embed_t;


/*
 * Reads the client's body for the operation "from" (AI_OP_EMBEDDINGS,
 * AI_OP_EMBED_CONTENT, AI_OP_BATCH_EMBED_CONTENTS, AI_OP_COHERE_EMBED) into
 * *state and writes what t->op takes: any of these, AI_OP_OLLAMA_EMBED or
 * AI_OP_PREDICT.  All of these but AI_OP_EMBED_CONTENT take any number of
 * texts, so for Gemini AI_OP_BATCH_EMBED_CONTENTS is always right.
 *
 * Members of AI_OP_EMBEDDINGS are renamed and dropped by t->vendor->members,
 * "input_type" and "truncation" being sent to those vendors only that have
 * a row for them.
 *
 * The body and a must live until the answer was read.  AI_OK, AI_DECLINED:
 * see rep; AI_ERROR: no memory.
 */
ai_int_t ai_embed_request(ai_op_e from, const ai_json_t *root,
    const ai_target_t *t, ai_alloc_t *a, ai_embed_t *state, ai_buf_t *out,
    ai_report_t *rep);

/*
 * Writes the answer to the operation "from" as the client of "to" expects
 * it: the vectors in the order of the texts, as arrays of numbers, copied as
 * they are, or as base64, whichever the client wants.  A string that is not
 * base64 of float32 (Perplexity sends bytes) is left to clients of
 * AI_OP_EMBEDDINGS as it is.  The model is named as the client did.  Usage
 * goes to the tap.
 *
 * AI_EVENT_CONTENT, AI_EVENT_ERROR: an error was told, see the tap;
 * AI_EVENT_INVALID: not an answer to this request, or out->failed.
 */
ai_event_e ai_embed_response(ai_op_e from, ai_op_e to,
    const ai_embed_t *state, const ai_json_t *root, ai_tap_t *tap,
    const ai_str_t *model, ai_buf_t *out);


/* parts of ai_embed_request(), in files of their own */

ai_int_t ai_embed_parse(ai_op_e from, const ai_json_t *root,
    ai_embed_t *state, ai_report_t *rep);

/* by the name in one of three vocabularies, and the other way; NULL: none */

typedef enum {
    AI_EMBED_COHERE = 0,          /* search_query */
    AI_EMBED_GEMINI,              /* RETRIEVAL_QUERY */
    AI_EMBED_VOYAGE               /* query */
} ai_embed_words_e;

ai_embed_type_e ai_embed_type(ai_embed_words_e words, const ai_json_t *name);
const char *ai_embed_type_name(ai_embed_words_e words, ai_embed_type_e type);


#endif /* _AI_EMBED_H_INCLUDED_ */

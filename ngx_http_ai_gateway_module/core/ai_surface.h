
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Which operation of which dialect a request line asks for.
 */


#ifndef _AI_SURFACE_H_INCLUDED_
#define _AI_SURFACE_H_INCLUDED_


#include "ai_dialect.h"


/* headers whose mere presence tells clients apart on a shared path */

#define AI_HINT_ANTHROPIC_VERSION  0x01    /* anthropic-version */
#define AI_HINT_GOOG               0x02    /* x-goog-api-key, -client, ?key */
#define AI_HINT_CODEX              0x04    /* originator: codex*,
                                              ?client_version= */
#define AI_HINT_ORIGIN             0x08    /* Origin */


typedef struct {
    ai_op_e              op;
    const ai_dialect_t  *dialect;    /* never NULL: errors need one */
    ai_str_t             model;      /* from the path, decoded; or empty; in
                                        the suffix, or, of Azure's
                                        deployments, in front of it */
    ai_str_t             suffix;     /* what follows the provider's base,
                                        "/chat/completions", "/files/f-1" */
    unsigned             stream:1;   /* the path asks for a stream */
} ai_surface_t;


/*
 * Finds the operation by method and path suffix (ecosystem.md 4.3), after
 * any prefix of the location, version and vendor segments included.  path
 * is decoded, without arguments; hints are AI_HINT_... bits.  The strings
 * of *s point into path: what is put into a request line must be escaped
 * again, it may contain any byte but control characters and "\".
 *
 * AI_OK, AI_DECLINED: no such path (404), AI_ERROR: known path, other
 * method (405).  s->dialect is set in every case.
 */
ai_int_t ai_surface_find(ai_surface_t *s, ai_str_t *method, ai_str_t *path,
    ai_uint_t hints);

/* a short name for logs: "chat", "messages", "embeddings", "pass" ... */
ai_str_t *ai_op_name(ai_op_e op);

/*
 * Whether a name is fit to be a model's: 1..128 of A-Z a-z 0-9 . _ : / @ -
 * and no "..", no leading or trailing "/", no "//": it goes into URLs,
 * logs and metrics.  AI_OK or AI_DECLINED.
 */
ai_int_t ai_model_check(ai_str_t *model);


#endif /* _AI_SURFACE_H_INCLUDED_ */

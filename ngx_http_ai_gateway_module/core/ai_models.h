
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The lists of models that clients ask for, in their four shapes
 * (ecosystem.md 4.3).
 */


#ifndef _AI_MODELS_H_INCLUDED_
#define _AI_MODELS_H_INCLUDED_


#include "ai.h"


typedef enum {
    AI_MODELS_OPENAI = 0,
    AI_MODELS_ANTHROPIC,
    AI_MODELS_GEMINI,
    AI_MODELS_CODEX               /* always empty: Codex has its own list */
} ai_models_shape_e;


typedef struct {
    ai_str_t    id;
    ai_str_t    owned_by;
    uint64_t    created;          /* seconds of the epoch */
} ai_model_t;


/*
 * The answer to GET .../models, all of them on one page, or to GET
 * .../models/ID.  Allocates from "a"; AI_OK, or AI_ERROR without memory.
 */
ai_int_t ai_models_list(ai_models_shape_e shape, ai_model_t *models,
    size_t n, ai_alloc_t *a, ai_str_t *out);
ai_int_t ai_models_one(ai_models_shape_e shape, ai_model_t *model,
    ai_alloc_t *a, ai_str_t *out);


#endif /* _AI_MODELS_H_INCLUDED_ */

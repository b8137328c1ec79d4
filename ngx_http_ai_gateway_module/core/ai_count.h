
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Tokens of a request, estimated.  A tokenizer belongs to a model, so this is
 * no more than what usual text comes to: within a third of the truth for
 * prose, code and JSON, further away for short messages and for media.  It
 * answers those who ask for a count where the provider has none to give, and
 * is what a stream tells before the provider does.  Nobody is billed by it.
 */


#ifndef _AI_COUNT_H_INCLUDED_
#define _AI_COUNT_H_INCLUDED_


#include "ai_dialect.h"
#include "ai_message.h"


/* tokens of a text, or of what else a model reads as text */
uint64_t ai_count_text(const ai_mstr_t *text);

/*
 * Tokens of a parsed request, normalized or not: messages, tools, media, and
 * what stands around them.  At least 1.
 */
uint64_t ai_count_request(const ai_request_t *req);

/*
 * Appends the document that answers AI_OP_COUNT_TOKENS, or else
 * AI_OP_GEMINI_COUNT_TOKENS.
 */
void ai_count_render(ai_buf_t *out, ai_op_e op, uint64_t tokens);


#endif /* _AI_COUNT_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Vectors of float32 as JSON arrays and as base64 of their bytes, little
 * endian, without loss in either direction.
 */


#ifndef _AI_EMBED_VECTOR_H_INCLUDED_
#define _AI_EMBED_VECTOR_H_INCLUDED_


#include "ai_buf.h"


/* whether a value is an array of numbers, and of nothing else */
ai_uint_t ai_vector_valid(const ai_json_t *v);

/*
 * Append an array as base64 characters, without quotes, and the characters
 * as an array.  Numbers are rounded to the nearest float32, and written with
 * as few digits as tell it from all others.  AI_OK, AI_DECLINED: not a
 * vector of numbers that float32 has, or not base64 of such, nothing of use
 * was written then; AI_ERROR: no memory.
 */
ai_int_t ai_vector_to_base64(ai_buf_t *b, const ai_json_t *v);
ai_int_t ai_vector_from_base64(ai_buf_t *b, const ai_mstr_t *chars);


#endif /* _AI_EMBED_VECTOR_H_INCLUDED_ */

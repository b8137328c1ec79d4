
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Base64, RFC 4648.  Writes the alphabet of chapter 4 with padding; reads
 * that of chapter 5 as well, without padding, and with white space anywhere.
 */


#ifndef _AI_BASE64_H_INCLUDED_
#define _AI_BASE64_H_INCLUDED_


#include "ai.h"


/* bytes that the functions below need at dst, for len bytes of input */

#define ai_base64_encoded_len(len)  (((len) + 2) / 3 * 4)
#define ai_base64_decoded_len(len)  (((len) + 3) / 4 * 3)


/* writes without a final zero, returns the end of what it wrote */
u_char *ai_base64_encode(u_char *dst, const u_char *src, size_t len);

/*
 * Decodes len bytes to dst, which may be src itself, and sets *n to the
 * number of bytes there.  AI_OK, or AI_DECLINED: what is not base64 is in
 * it, or a single character is left over.
 */
ai_int_t ai_base64_decode(u_char *dst, const u_char *src, size_t len,
    size_t *n);


#endif /* _AI_BASE64_H_INCLUDED_ */

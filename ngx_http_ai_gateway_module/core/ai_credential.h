
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Credentials of AWS, in the forms that they are kept in.
 */


#ifndef _AI_CREDENTIAL_H_INCLUDED_
#define _AI_CREDENTIAL_H_INCLUDED_


#include "ai_sigv4.h"


/*
 * Reads "ID:SECRET" or "ID:SECRET:TOKEN", a section of a shared credentials
 * file ("aws_access_key_id = ..."; the first one that has a key), or the JSON
 * that IMDS and credential_process give.  Of a bare "ID" the secret stays
 * empty: it is kept elsewhere.  Strings are copied to a.  AI_OK; AI_DECLINED:
 * none of these; AI_ERROR: no memory.
 */
ai_int_t ai_credential_aws(const ai_str_t *text, ai_alloc_t *a,
    ai_sigv4_credentials_t *c);


#endif /* _AI_CREDENTIAL_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What may pass: request headers to a provider, response headers to a
 * client.  Allow lists, for a list of what is forbidden always misses one.
 */


#ifndef _AI_HEADER_H_INCLUDED_
#define _AI_HEADER_H_INCLUDED_


#include "ai.h"


/*
 * Whether a request header may go to a provider.  name is lower case.
 * Never a credential, a cookie, a hop-by-hop or a framing header: those
 * that are needed are written anew.  AI_OK or AI_DECLINED.
 */
ai_int_t ai_header_request(ai_str_t *name);

/* whether it may when the body goes in another dialect: it says nothing of
 * the one that the client speaks */
ai_int_t ai_header_neutral(ai_str_t *name);

typedef enum {
    AI_HEADER_DROP = 0,
    AI_HEADER_PASS,               /* as it is */
    AI_HEADER_RENAME,             /* under the name in *to */
    AI_HEADER_ACCOUNT             /* describes our account: only if the
                                     configuration says "upstream" */
} ai_header_e;

/* what becomes of a response header; name is lower case */
ai_header_e ai_header_response(ai_str_t *name, ai_str_t *to);

/*
 * Of Anthropic's betas, a list as in its header, those that are known to
 * Claude at Google's and Amazon's (wire-formats.md 13.1), where any other is
 * answered with a 400.  Writes to dst (list->len is enough, may be
 * list->data), commas between, returns the length.
 */
size_t ai_header_betas(u_char *dst, const ai_str_t *list);

/*
 * Removes from a query string the arguments that are credentials (key,
 * api_key, access_token ...), in any case and however their names are
 * escaped.  Writes to dst (args->len is enough, may be args->data), returns
 * the length.  Order and bytes of the others stay.
 */
size_t ai_args_clean(u_char *dst, ai_str_t *args);

/*
 * Overwrites the values of such arguments with asterisks where they are, so
 * that nobody who logs the line logs them.
 */
void ai_args_mask(ai_str_t *args);

/*
 * The value of the first argument whose decoded name is "name", undecoded;
 * AI_OK or AI_DECLINED.
 */
ai_int_t ai_args_find(ai_str_t *args, const char *name, ai_str_t *value);


#endif /* _AI_HEADER_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The wire of Ollama's own chat (wire-formats.md 11), for providers only.
 * Included by wire_ollama*.c only.
 */


#ifndef _WIRE_OLLAMA_H_INCLUDED_
#define _WIRE_OLLAMA_H_INCLUDED_


#include "wire.h"


ai_int_t ai_ollama_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep);


#endif /* _WIRE_OLLAMA_H_INCLUDED_ */

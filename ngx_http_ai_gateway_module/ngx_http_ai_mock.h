
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The mock provider of a location.
 */


#ifndef _NGX_HTTP_AI_MOCK_H_INCLUDED_
#define _NGX_HTTP_AI_MOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ai_mock.h"


/* ngx_http_ai_loc_conf_t.mock */

typedef struct {
    ai_mock_conf_t            core;
    ngx_array_t               faults;     /* ai_mock_fault_t */
    ngx_msec_t                first;
    ngx_msec_t                gap;
    ngx_uint_t                waits;      /* AI_MOCK_..., those not zero */
    uint64_t                  number;     /* requests of this worker */
} ngx_http_ai_mock_t;


ngx_int_t ngx_http_ai_mock_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_AI_MOCK_H_INCLUDED_ */

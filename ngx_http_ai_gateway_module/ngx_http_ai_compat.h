
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What differs between the releases of nginx that we build with, 1.22 to
 * 1.31.  The only file that may test nginx_version.
 */


#ifndef _NGX_HTTP_AI_COMPAT_H_INCLUDED_
#define _NGX_HTTP_AI_COMPAT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* 1.23.0 made header lines with equal names linked lists */

#if (nginx_version >= 1023000)

#define ngx_http_ai_header_unlink(h)   (h)->next = NULL

#else

#define ngx_http_ai_header_unlink(h)

#endif


#endif /* _NGX_HTTP_AI_COMPAT_H_INCLUDED_ */

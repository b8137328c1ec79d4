
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Dates as text, without a clock, a locale or a time zone.
 */


#ifndef _AI_TIME_H_INCLUDED_
#define _AI_TIME_H_INCLUDED_


#include "ai.h"


#define AI_TIME_ISO_LEN  (sizeof("1970-01-01T00:00:00.000Z") - 1)


/*
 * Milliseconds of the epoch as RFC 3339 in UTC with milliseconds.  Writes
 * AI_TIME_ISO_LEN bytes, returns the end.  Times after the year 9999 are
 * the last one of that year.
 */
u_char *ai_time_iso(u_char *dst, uint64_t ms);

/*
 * Seconds of the epoch of an HTTP date (RFC 9110, 5.6.7), of the years 1970
 * to 9999: "Sun, 06 Nov 1994 08:49:37 GMT", or the obsolete form with dashes
 * and two digits for the year; the one of asctime() is not read.  AI_OK, or
 * AI_DECLINED.
 */
ai_int_t ai_time_http(ai_str_t *date, uint64_t *seconds);


#endif /* _AI_TIME_H_INCLUDED_ */

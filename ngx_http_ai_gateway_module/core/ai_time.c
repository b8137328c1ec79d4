
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_time.h"


#define AI_TIME_MAX_MS  253402300799999ULL    /* 9999-12-31T23:59:59.999Z */
#define AI_TIME_DAY     86400

/* the calendar is counted in years that begin on the 1st of March, so that
 * the leap day is the last one; day 0 is that of the year 0 */

#define AI_TIME_EPOCH   719468                /* 1970-01-01 */
#define AI_TIME_ERA     146097                /* days of 400 years */


static u_char *ai_time_digits(u_char *dst, unsigned n, unsigned width);
static ai_int_t ai_time_number(u_char **pos, u_char *last, size_t digits,
    unsigned *n);
static ai_int_t ai_time_char(u_char **pos, u_char *last, u_char ch);
static ai_int_t ai_time_month(u_char **pos, u_char *last, unsigned *month);
static unsigned ai_time_days(unsigned year, unsigned month, unsigned day);


u_char *
ai_time_iso(u_char *dst, uint64_t ms)
{
    unsigned  days, sec, era, doe, yoe, doy, mp, year, month;

    if (ms > AI_TIME_MAX_MS) {
        ms = AI_TIME_MAX_MS;
    }

    days = (unsigned) (ms / 1000 / AI_TIME_DAY) + AI_TIME_EPOCH;
    sec = (unsigned) (ms / 1000 % AI_TIME_DAY);

    era = days / AI_TIME_ERA;
    doe = days % AI_TIME_ERA;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;

    month = mp < 10 ? mp + 3 : mp - 9;
    year = era * 400 + yoe + (month <= 2);

    dst = ai_time_digits(dst, year, 4);
    *dst++ = '-';
    dst = ai_time_digits(dst, month, 2);
    *dst++ = '-';
    dst = ai_time_digits(dst, doy - (153 * mp + 2) / 5 + 1, 2);
    *dst++ = 'T';
    dst = ai_time_digits(dst, sec / 3600, 2);
    *dst++ = ':';
    dst = ai_time_digits(dst, sec / 60 % 60, 2);
    *dst++ = ':';
    dst = ai_time_digits(dst, sec % 60, 2);
    *dst++ = '.';
    dst = ai_time_digits(dst, (unsigned) (ms % 1000), 3);
    *dst++ = 'Z';

    return dst;
}


static u_char *
ai_time_digits(u_char *dst, unsigned n, unsigned width)
{
    unsigned  i;

    for (i = width; i > 0; i--) {
        dst[i - 1] = (u_char) ('0' + n % 10);
        n /= 10;
    }

    return dst + width;
}


ai_int_t
ai_time_http(ai_str_t *date, uint64_t *seconds)
{
    u_char    *p, *last, dash;
    unsigned   day, month, year, hour, min, sec;

    if (date->len == 0) {
        return AI_DECLINED;
    }

    p = date->data;
    last = p + date->len;

    while (p < last && *p != ',') {
        p++;
    }

    if (ai_time_char(&p, last, ',') != AI_OK
        || ai_time_char(&p, last, ' ') != AI_OK
        || ai_time_number(&p, last, 2, &day) != AI_OK)
    {
        return AI_DECLINED;
    }

    dash = (p < last && *p == '-') ? '-' : ' ';

    if (ai_time_char(&p, last, dash) != AI_OK
        || ai_time_month(&p, last, &month) != AI_OK
        || ai_time_char(&p, last, dash) != AI_OK
        || ai_time_number(&p, last, dash == '-' ? 2 : 4, &year) != AI_OK
        || ai_time_char(&p, last, ' ') != AI_OK
        || ai_time_number(&p, last, 2, &hour) != AI_OK
        || ai_time_char(&p, last, ':') != AI_OK
        || ai_time_number(&p, last, 2, &min) != AI_OK
        || ai_time_char(&p, last, ':') != AI_OK
        || ai_time_number(&p, last, 2, &sec) != AI_OK
        || last - p != 4 || memcmp(p, " GMT", 4) != 0)
    {
        return AI_DECLINED;
    }

    if (dash == '-') {
        year += year < 70 ? 2000 : 1900;
    }

    /* 60 is a leap second */

    if (year < 1970 || day < 1 || day > 31 || hour > 23 || min > 59
        || sec > 60)
    {
        return AI_DECLINED;
    }

    *seconds = (uint64_t) ai_time_days(year, month, day) * AI_TIME_DAY
               + hour * 3600 + min * 60 + sec;

    return AI_OK;
}


static ai_int_t
ai_time_number(u_char **pos, u_char *last, size_t digits, unsigned *n)
{
    u_char  *p, *end;

    p = *pos;

    if ((size_t) (last - p) < digits) {
        return AI_DECLINED;
    }

    *n = 0;

    for (end = p + digits; p < end; p++) {
        if (*p < '0' || *p > '9') {
            return AI_DECLINED;
        }

        *n = *n * 10 + (*p - '0');
    }

    *pos = end;

    return AI_OK;
}


static ai_int_t
ai_time_char(u_char **pos, u_char *last, u_char ch)
{
    if (*pos == last || **pos != ch) {
        return AI_DECLINED;
    }

    (*pos)++;

    return AI_OK;
}


static ai_int_t
ai_time_month(u_char **pos, u_char *last, unsigned *month)
{
    unsigned            i;
    static const char   names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (last - *pos < 3) {
        return AI_DECLINED;
    }

    for (i = 0; i < 12; i++) {
        if (memcmp(*pos, &names[i * 3], 3) == 0) {
            *pos += 3;
            *month = i + 1;
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


/* days of the epoch */

static unsigned
ai_time_days(unsigned year, unsigned month, unsigned day)
{
    unsigned  era, yoe, doy;

    if (month <= 2) {
        year--;
        month += 12;
    }

    era = year / 400;
    yoe = year % 400;
    doy = (153 * (month - 3) + 2) / 5 + day - 1;

    return era * AI_TIME_ERA + yoe * 365 + yoe / 4 - yoe / 100 + doy
           - AI_TIME_EPOCH;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_text.h"
#include "ai_json.h"
#include "ai_utf8.h"


/* a character of 4 bytes, each of them replaced by U+FFFD */

#define AI_TEXT_ESCAPED  12

/* digits of a 64-bit number */

#define AI_TEXT_DIGITS   20


/* what a string of JSON has as it is: printable ASCII but for " and \ */

static const u_char  ai_text_plain[256] = {
    [0x20 ... 0x21] = 1, [0x23 ... 0x5b] = 1, [0x5d ... 0x7e] = 1
};


void
ai_text_cstr(ai_text_t *t, const char *s)
{
    ai_text_put(t, s, strlen(s));
}


void
ai_text_json(ai_text_t *t, const ai_str_t *s, size_t max)
{
    u_char    *p, *dst, *last, *stop, escaped[AI_TEXT_ESCAPED];
    size_t     i, len, n;
    ai_str_t   one;

    if (t->full || t->last - t->pos < 2) {
        t->full = 1;
        return;
    }

    dst = t->pos;
    last = t->last - 1;

    *dst++ = '"';

    if ((size_t) (last - dst) > max) {
        last = dst + max;
    }

    for (i = 0; i < s->len && dst < last; /* void */ ) {

        p = s->data + i;

        if (ai_text_plain[*p]) {
            stop = p + (((size_t) (last - dst) < s->len - i)
                        ? (size_t) (last - dst) : s->len - i);

            do {
                *dst++ = *p++;
            } while (p < stop && ai_text_plain[*p]);

            i = p - s->data;
            continue;
        }

        n = ai_utf8_len(p, s->data + s->len);

        one.data = p;
        one.len = n ? n : 1;

        len = ai_json_escape(escaped, &one) - escaped;

        if ((size_t) (last - dst) < len) {
            break;
        }

        memcpy(dst, escaped, len);
        dst += len;
        i += one.len;
    }

    *dst++ = '"';

    t->pos = dst;
}


void
ai_text_uint(ai_text_t *t, uint64_t n)
{
    u_char  *p, buf[AI_TEXT_DIGITS];

    p = buf + AI_TEXT_DIGITS;

    do {
        *--p = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    ai_text_put(t, p, buf + AI_TEXT_DIGITS - p);
}


void
ai_text_seconds(ai_text_t *t, int64_t us, ai_uint_t decimals)
{
    u_char      buf[7];
    uint64_t    fraction;
    ai_uint_t   i;

    if (us < 0) {
        us = 0;
    }

    fraction = (uint64_t) us % 1000000;

    buf[0] = '.';

    for (i = 6; i > 0; i--) {
        buf[i] = (u_char) ('0' + fraction % 10);
        fraction /= 10;
    }

    ai_text_uint(t, (uint64_t) us / 1000000);
    ai_text_put(t, buf, decimals + 1);
}

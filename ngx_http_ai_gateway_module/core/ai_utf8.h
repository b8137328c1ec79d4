
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * UTF-8 (RFC 3629).
 */


#ifndef _AI_UTF8_H_INCLUDED_
#define _AI_UTF8_H_INCLUDED_


#include "ai.h"


/*
 * The length of the character at "p", 1 to 4, or 0 when there is none: cut
 * off by "end", overlong, a surrogate, above U+10FFFF.  "p" is before "end".
 */

static inline size_t
ai_utf8_len(const u_char *p, const u_char *end)
{
    unsigned  c, c1, c2, c3, code;

    c = p[0];

    if (c < 0x80) {
        return 1;
    }

    /* a byte 10xxxxxx becomes 0..0x3f here, any other is larger */

    if (c < 0xe0) {
        return c >= 0xc2 && end - p >= 2 && (p[1] ^ 0x80) < 0x40 ? 2 : 0;
    }

    if (c < 0xf0) {
        if (end - p < 3) {
            return 0;
        }

        c1 = p[1] ^ 0x80;
        c2 = p[2] ^ 0x80;
        code = (c & 0x0f) << 6 | c1;

        return (c1 | c2) < 0x40 && code >= 0x20 && (code & 0x3e0) != 0x360
               ? 3 : 0;
    }

    if (c > 0xf4 || end - p < 4) {
        return 0;
    }

    c1 = p[1] ^ 0x80;
    c2 = p[2] ^ 0x80;
    c3 = p[3] ^ 0x80;
    code = (c & 0x07) << 6 | c1;

    return (c1 | c2 | c3) < 0x40 && code >= 0x10 && code < 0x110 ? 4 : 0;
}


/* after the characters at "p" that are not ASCII and valid */

static inline u_char *
ai_utf8_run(u_char *p, u_char *end)
{
    size_t  n;

    while (p < end && *p >= 0x80) {
        n = ai_utf8_len(p, end);

        /* a known length keeps the steps independent of each other */

        if (n == 3) {
            p += 3;
            continue;
        }

        if (n == 0) {
            break;
        }

        p += n;
    }

    return p;
}


/* writes the character "code" (at most 0x10ffff), returns the end */

static inline u_char *
ai_utf8_put(u_char *dst, unsigned code)
{
    if (code < 0x80) {
        *dst++ = (u_char) code;
        return dst;
    }

    if (code < 0x800) {
        *dst++ = (u_char) (0xc0 | code >> 6);
        *dst++ = (u_char) (0x80 | (code & 0x3f));
        return dst;
    }

    if (code < 0x10000) {
        *dst++ = (u_char) (0xe0 | code >> 12);

    } else {
        *dst++ = (u_char) (0xf0 | code >> 18);
        *dst++ = (u_char) (0x80 | (code >> 12 & 0x3f));
    }

    *dst++ = (u_char) (0x80 | (code >> 6 & 0x3f));
    *dst++ = (u_char) (0x80 | (code & 0x3f));

    return dst;
}


#endif /* _AI_UTF8_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_base64.h"


#define AI_BASE64_SPACE  64
#define AI_BASE64_PAD    65
#define AI_BASE64_BAD    66


static ai_uint_t ai_base64_digit(u_char ch);


static const char  ai_base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


u_char *
ai_base64_encode(u_char *dst, const u_char *src, size_t len)
{
    uint32_t  n;

    for ( /* void */ ; len >= 3; len -= 3) {
        n = (uint32_t) src[0] << 16 | (uint32_t) src[1] << 8 | src[2];

        *dst++ = (u_char) ai_base64_digits[n >> 18];
        *dst++ = (u_char) ai_base64_digits[n >> 12 & 0x3f];
        *dst++ = (u_char) ai_base64_digits[n >> 6 & 0x3f];
        *dst++ = (u_char) ai_base64_digits[n & 0x3f];

        src += 3;
    }

    if (len == 0) {
        return dst;
    }

    n = (uint32_t) src[0] << 16;

    if (len == 2) {
        n |= (uint32_t) src[1] << 8;
    }

    *dst++ = (u_char) ai_base64_digits[n >> 18];
    *dst++ = (u_char) ai_base64_digits[n >> 12 & 0x3f];
    *dst++ = (len == 2) ? (u_char) ai_base64_digits[n >> 6 & 0x3f] : '=';
    *dst++ = '=';

    return dst;
}


ai_int_t
ai_base64_decode(u_char *dst, const u_char *src, size_t len, size_t *n)
{
    u_char        *p;
    uint32_t       bits;
    ai_uint_t      digit, count, padded;
    const u_char  *last;

    p = dst;
    bits = 0;
    count = 0;
    padded = 0;

    for (last = src + len; src < last; src++) {

        digit = ai_base64_digit(*src);

        if (digit == AI_BASE64_SPACE) {
            continue;
        }

        if (digit == AI_BASE64_PAD) {
            padded = 1;
            continue;
        }

        if (digit == AI_BASE64_BAD || padded) {
            return AI_DECLINED;
        }

        bits = bits << 6 | (uint32_t) digit;

        if (++count % 4 == 0) {
            *p++ = (u_char) (bits >> 16);
            *p++ = (u_char) (bits >> 8);
            *p++ = (u_char) bits;
        }
    }

    switch (count % 4) {

    case 1:
        return AI_DECLINED;

    case 2:
        *p++ = (u_char) (bits >> 4);
        break;

    case 3:
        *p++ = (u_char) (bits >> 10);
        *p++ = (u_char) (bits >> 2);
        break;

    default:
        break;
    }

    *n = (size_t) (p - dst);

    return AI_OK;
}


static ai_uint_t
ai_base64_digit(u_char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch - 'A';
    }

    if (ch >= 'a' && ch <= 'z') {
        return ch - 'a' + 26;
    }

    if (ch >= '0' && ch <= '9') {
        return ch - '0' + 52;
    }

    switch (ch) {

    case '+': case '-':
        return 62;

    case '/': case '_':
        return 63;

    case '=':
        return AI_BASE64_PAD;

    case ' ': case '\t': case '\r': case '\n':
        return AI_BASE64_SPACE;

    default:
        return AI_BASE64_BAD;
    }
}

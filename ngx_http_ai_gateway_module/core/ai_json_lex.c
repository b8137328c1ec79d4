
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_json_lex.h"
#include "ai_utf8.h"


static u_char *ai_json_lex_special(ai_json_lex_t *lex, u_char *p,
    unsigned *flags);
static u_char *ai_json_lex_escape(ai_json_lex_t *lex, u_char *p,
    unsigned *flags);
static u_char *ai_json_lex_fail(ai_json_lex_t *lex, u_char *pos,
    const char *reason);


/* what may follow a backslash and is an escape with it */

static const u_char  ai_json_lex_simple[256] = {
    ['"'] = 1, ['\\'] = 1, ['/'] = 1, ['b'] = 1, ['f'] = 1, ['n'] = 1,
    ['r'] = 1, ['t'] = 1
};


/*
 * Text has a line end, a quotation mark or a foreign letter in most blocks,
 * so what stands out is taken from the mask of a block one by one.  AI_OK: *pos
 * is after the closing quote; AI_AGAIN: it is where less than a block is left;
 * AI_ERROR.
 */

static inline __attribute__((__always_inline__)) ai_int_t
ai_json_lex_blocks(ai_json_lex_t *lex, u_char **pos, unsigned *flags,
    uint64_t (*block)(const u_char *p))
{
    u_char    *p, *end, *q;
    uint64_t   mask;

    p = *pos;
    end = lex->end;

    while (end - p >= AI_BLOCK) {

        mask = block(p);
        q = p;

        while (mask) {
            q = p + __builtin_ctzll(mask);

            if (*q == '"') {
                *pos = q + 1;
                return AI_OK;
            }

            /* the usual one without a call */

            if (*q == '\\' && end - q >= 2 && ai_json_lex_simple[q[1]]) {
                *flags |= AI_JSON_ESCAPED;
                q += 2;

            } else {
                q = ai_json_lex_special(lex, q, flags);

                if (q == NULL) {
                    return AI_ERROR;
                }
            }

            if (q - p >= AI_BLOCK) {
                break;
            }

            mask &= UINT64_MAX << (q - p);
        }

        p = (q - p > AI_BLOCK) ? q : p + AI_BLOCK;
    }

    *pos = p;

    return AI_AGAIN;
}


static ai_int_t
ai_json_lex_base(ai_json_lex_t *lex, u_char **pos, unsigned *flags)
{
    return ai_json_lex_blocks(lex, pos, flags, ai_simd_string_block);
}


static ai_simd_wide ai_int_t
ai_json_lex_wide(ai_json_lex_t *lex, u_char **pos, unsigned *flags)
{
    return ai_json_lex_blocks(lex, pos, flags, ai_simd_wide_block);
}


u_char *
ai_json_lex_long_string(ai_json_lex_t *lex, u_char *p, unsigned *flags)
{
    u_char    *end;
    ai_int_t   rc;

    end = lex->end;

    if (end - p >= AI_BLOCK) {

        rc = ai_simd_has_wide() ? ai_json_lex_wide(lex, &p, flags)
                                : ai_json_lex_base(lex, &p, flags);

        if (rc != AI_AGAIN) {
            return rc == AI_OK ? p : NULL;
        }
    }

    for ( ;; ) {
        p = ai_simd_string_stop(p, end);

        if (p == end) {
            return ai_json_lex_fail(lex, p, "unexpected end of the document");
        }

        if (*p == '"') {
            return p + 1;
        }

        p = ai_json_lex_special(lex, p, flags);

        if (p == NULL) {
            return NULL;
        }
    }
}


/* "p" is at what is neither plain nor a quote; the result is after it */

static u_char *
ai_json_lex_special(ai_json_lex_t *lex, u_char *p, unsigned *flags)
{
    u_char  *end, *q;

    end = lex->end;

    if (*p == '\\') {

        if (end - p >= 2 && ai_json_lex_simple[p[1]]) {
            *flags |= AI_JSON_ESCAPED;
            return p + 2;
        }

        return ai_json_lex_escape(lex, p, flags);
    }

    if (*p < 0x20) {
        return ai_json_lex_fail(lex, p, "control character in a string");
    }

    q = ai_utf8_run(p, end);

    if (q < end && *q >= 0x80) {
        return ai_json_lex_fail(lex, q, "invalid UTF-8");
    }

    return q;
}


/* four hexadecimal digits, or -1 */

static inline int
ai_json_lex_hex4(const u_char *p)
{
    int       n;
    u_char    c;
    unsigned  i;

    n = 0;

    for (i = 0; i < 4; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            n = n << 4 | (c - '0');
            continue;
        }

        c |= 0x20;

        if (c < 'a' || c > 'f') {
            return -1;
        }

        n = n << 4 | (c - 'a' + 10);
    }

    return n;
}


/* "p" is at a backslash that begins no simple escape; a pair is one escape */

static u_char *
ai_json_lex_escape(ai_json_lex_t *lex, u_char *p, unsigned *flags)
{
    int      code, low;
    u_char  *end;

    end = lex->end;
    *flags |= AI_JSON_ESCAPED;

    if (end - p < 2) {
        return ai_json_lex_fail(lex, end, "unexpected end of the document");
    }

    if (p[1] != 'u') {
        return ai_json_lex_fail(lex, p, "invalid escape in a string");
    }

    code = (end - p < 6) ? -1 : ai_json_lex_hex4(p + 2);

    if (code == -1) {
        return ai_json_lex_fail(lex, p, "invalid \\u escape in a string");
    }

    if ((code & 0xf800) != 0xd800) {

        if (code == 0) {
            *flags |= AI_JSON_NUL;
        }

        return p + 6;
    }

    if (code < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
        low = ai_json_lex_hex4(p + 8);

        if (low >= 0xdc00 && low < 0xe000) {
            return p + 12;
        }
    }

    return ai_json_lex_fail(lex, p, "lone surrogate in a string");
}


static inline u_char *
ai_json_lex_digits(u_char *p, u_char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }

    return p;
}


u_char *
ai_json_lex_number(ai_json_lex_t *lex, u_char *p)
{
    u_char  *end, *digits;

    end = lex->end;

    if (*p == '-') {
        p++;

    } else if (*p < '0' || *p > '9') {
        return ai_json_lex_fail(lex, p,
                                *p == 0xef ? "byte order mark or not JSON"
                                           : "expected a value");
    }

    digits = p;
    p = ai_json_lex_digits(p, end);

    if (p == digits) {
        goto invalid;
    }

    if (*digits == '0' && p - digits > 1) {
        return ai_json_lex_fail(lex, digits, "number with a leading zero");
    }

    if (p < end && *p == '.') {
        digits = ++p;
        p = ai_json_lex_digits(p, end);

        if (p == digits) {
            goto invalid;
        }
    }

    if (p < end && (*p | 0x20) == 'e') {
        p++;

        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }

        digits = p;
        p = ai_json_lex_digits(p, end);

        if (p == digits) {
            goto invalid;
        }
    }

    return p;

invalid:

    return ai_json_lex_fail(lex, p,
                            p == end ? "unexpected end of the document"
                                     : "invalid number");
}


u_char *
ai_json_lex_literal(ai_json_lex_t *lex, u_char *p, const char *text,
    size_t len)
{
    if ((size_t) (lex->end - p) < len || memcmp(p, text, len) != 0) {
        return ai_json_lex_fail(lex, p, "expected a value");
    }

    return p + len;
}


static u_char *
ai_json_lex_fail(ai_json_lex_t *lex, u_char *pos, const char *reason)
{
    lex->pos = pos;
    lex->reason = reason;

    return NULL;
}

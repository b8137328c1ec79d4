
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Values of a document that ai_json_scan() accepted: walking, looking up,
 * decoding; and the writing of strings.
 */


#include <stdarg.h>

#include "ai_json.h"
#include "ai_simd.h"
#include "ai_utf8.h"


static u_char *ai_json_long_value(u_char *p, u_char *end, ai_json_t *v);
static inline void ai_json_value_escape(const u_char *p, ai_json_t *v);
static u_char *ai_json_container_end(u_char *p, u_char *end);
static u_char *ai_json_scalar_end(u_char *p, u_char *end);
static ai_int_t ai_json_element(const ai_json_t *array, const char *index,
    ai_json_t *value);
static u_char *ai_json_unescape(u_char *p, u_char **dst);
static u_char *ai_json_verbatim(u_char *p, u_char *end);
static u_char *ai_json_escape_one(u_char *p, u_char *end, u_char *dst,
    size_t *len);


void
ai_json_iter_init(ai_json_iter_t *it, const ai_json_t *container)
{
    it->known = NULL;
    it->object = (container->type == AI_JSON_OBJECT);

    if (it->object || container->type == AI_JSON_ARRAY) {
        it->pos = container->start + 1;
        it->end = container->end - 1;

    } else {
        it->pos = container->end;
        it->end = container->end;
    }
}


/* to the next token, over the separators that the scan has checked */

static inline u_char *
ai_json_token(u_char *p, u_char *end)
{
    while (p < end && (*p <= ' ' || *p == ',' || *p == ':')) {
        p = (*p <= ' ') ? ai_simd_space(p, end) : p + 1;
    }

    return p;
}


/*
 * "p" is at the opening quote; the result is after the closing one.  Most
 * strings are short and plain, and end here.
 */

static inline u_char *
ai_json_string_value(u_char *p, u_char *end, ai_json_t *v)
{
    uint64_t  mask;

    v->start = p++;
    v->type = AI_JSON_STRING;
    v->escaped = 0;
    v->nul = 0;

    if (end - p >= AI_VEC) {
        mask = ai_vec_mask(ai_vec_quote(ai_vec_load(p)));

        if (mask && p[ai_vec_first(mask)] == '"') {
            v->end = p + ai_vec_first(mask) + 1;
            return v->end;
        }
    }

    v->end = ai_json_long_value(p, end, v);

    return v->end;
}


ai_int_t
ai_json_next(ai_json_iter_t *it, ai_json_t *name, ai_json_t *value)
{
    u_char     *p, *end;
    ai_json_t   ignored;

    end = it->end;
    p = ai_json_token(it->pos, end);

    if (p == end) {
        it->pos = p;
        return AI_DONE;
    }

    if (it->object) {
        p = ai_json_string_value(p, end, name ? name : &ignored);
        p = ai_json_token(p, end);

    } else if (name != NULL) {

        /* who walks members need not ask whether they have names */

        memset(name, 0, sizeof(ai_json_t));
    }

    if (*p == '"') {
        it->pos = ai_json_string_value(p, end, value);
        return AI_OK;
    }

    if (it->known != NULL && p == it->known->start) {
        *value = *it->known;
        it->pos = value->end;
        return AI_OK;
    }

    value->start = p;
    value->escaped = 0;
    value->nul = 0;

    switch (*p) {

    case '{':
        value->type = AI_JSON_OBJECT;
        p = ai_json_container_end(p, end);
        break;

    case '[':
        value->type = AI_JSON_ARRAY;
        p = ai_json_container_end(p, end);
        break;

    case 't':
        value->type = AI_JSON_TRUE;
        p += 4;
        break;

    case 'f':
        value->type = AI_JSON_FALSE;
        p += 5;
        break;

    case 'n':
        value->type = AI_JSON_NULL;
        p += 4;
        break;

    default:
        value->type = AI_JSON_NUMBER;
        p = ai_json_scalar_end(p, end);
        break;
    }

    value->end = p;
    it->pos = p;

    return AI_OK;
}


/*
 * The closing quote, or where less than a block is left, as the scanner finds
 * it; what was escaped is noted on the way.
 */

static inline __attribute__((__always_inline__)) u_char *
ai_json_value_blocks(u_char *p, u_char *end, ai_json_t *v,
    uint64_t (*block)(const u_char *p))
{
    u_char    *q;
    uint64_t   mask;

    while (end - p >= AI_BLOCK) {

        mask = block(p);
        q = p;

        while (mask) {
            q = p + __builtin_ctzll(mask);

            if (*q == '"') {
                return q;
            }

            ai_json_value_escape(q, v);
            q += 2;

            if (q - p >= AI_BLOCK) {
                break;
            }

            mask &= UINT64_MAX << (q - p);
        }

        p = (q - p > AI_BLOCK) ? q : p + AI_BLOCK;
    }

    return p;
}


static u_char *
ai_json_value_base(u_char *p, u_char *end, ai_json_t *v)
{
    return ai_json_value_blocks(p, end, v, ai_simd_quote_block);
}


static ai_simd_wide u_char *
ai_json_value_wide(u_char *p, u_char *end, ai_json_t *v)
{
    return ai_json_value_blocks(p, end, v, ai_simd_wide_quote_block);
}


static u_char *
ai_json_long_value(u_char *p, u_char *end, ai_json_t *v)
{
    if (end - p >= AI_BLOCK) {
        p = ai_simd_has_wide() ? ai_json_value_wide(p, end, v)
                               : ai_json_value_base(p, end, v);
    }

    for ( ;; ) {
        p = ai_simd_either(p, end, '"', '\\');

        if (*p == '"') {
            return p + 1;
        }

        ai_json_value_escape(p, v);
        p += 2;
    }
}


static inline void
ai_json_value_escape(const u_char *p, ai_json_t *v)
{
    v->escaped = 1;

    if (p[1] == 'u' && memcmp(p + 2, "0000", 4) == 0) {
        v->nul = 1;
    }
}


static u_char *
ai_json_container_end(u_char *p, u_char *end)
{
    size_t     depth;
    ai_json_t  ignored;

    depth = 0;

    for ( ;; ) {
        p = ai_simd_bracket(p, end);

        if (*p == '"') {
            p = ai_json_string_value(p, end, &ignored);
            continue;
        }

        if ((*p++ | 0x20) == '{') {
            depth++;

        } else if (--depth == 0) {
            return p;
        }
    }
}


static u_char *
ai_json_scalar_end(u_char *p, u_char *end)
{
    while (p < end && *p > ' ' && *p != ',' && *p != ']' && *p != '}') {
        p++;
    }

    return p;
}


ai_int_t
ai_json_get(const ai_json_t *object, const char *name, ai_json_t *value)
{
    size_t          len;
    ai_json_t       key, found;
    ai_json_iter_t  it;

    if (object->type != AI_JSON_OBJECT) {
        return AI_DECLINED;
    }

    len = strlen(name);
    ai_json_iter_init(&it, object);

    while (ai_json_next(&it, &key, &found) == AI_OK) {

        if (ai_json_str_eq(&key, name, len)) {
            *value = found;
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


ai_int_t
ai_json_path(const ai_json_t *root, ai_json_t *value, const char *name, ...)
{
    va_list    args;
    ai_int_t   rc;
    ai_json_t  at;

    rc = AI_OK;
    at = *root;

    va_start(args, name);

    while (name && rc == AI_OK) {

        if (at.type == AI_JSON_ARRAY) {
            rc = ai_json_element(&at, name, &at);

        } else {
            rc = ai_json_get(&at, name, &at);
        }

        name = va_arg(args, const char *);
    }

    va_end(args);

    if (rc == AI_OK) {
        *value = at;
    }

    return rc;
}


static ai_int_t
ai_json_element(const ai_json_t *array, const char *index, ai_json_t *value)
{
    size_t          i, n;
    ai_json_t       found;
    ai_json_iter_t  it;

    if (*index == '\0' || strlen(index) > 9) {
        return AI_DECLINED;
    }

    for (n = 0; *index; index++) {

        if (*index < '0' || *index > '9') {
            return AI_DECLINED;
        }

        n = n * 10 + (size_t) (*index - '0');
    }

    ai_json_iter_init(&it, array);

    for (i = 0; ai_json_next(&it, NULL, &found) == AI_OK; i++) {

        if (i == n) {
            *value = found;
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


ai_str_t
ai_json_str_raw(const ai_json_t *v)
{
    ai_str_t  raw;

    raw.data = v->start + 1;
    raw.len = (size_t) (v->end - v->start - 2);

    return raw;
}


ai_uint_t
ai_json_str_eq(const ai_json_t *v, const char *literal, size_t len)
{
    size_t         n;
    u_char        *p, *end, *last, buf[4];
    const u_char  *text;

    if (v->type != AI_JSON_STRING) {
        return 0;
    }

    p = v->start + 1;
    end = v->end - 1;
    text = (const u_char *) literal;

    if (!v->escaped) {
        return (size_t) (end - p) == len && memcmp(p, text, len) == 0;
    }

    while (p < end) {

        if (*p != '\\') {

            if (len == 0 || *p != *text) {
                return 0;
            }

            p++;
            text++;
            len--;
            continue;
        }

        last = buf;
        p = ai_json_unescape(p, &last);
        n = (size_t) (last - buf);

        if (len < n || memcmp(text, buf, n) != 0) {
            return 0;
        }

        text += n;
        len -= n;
    }

    return len == 0;
}


size_t
ai_json_str_decode(const ai_json_t *v, u_char *dst)
{
    size_t   n;
    u_char  *p, *end, *next, *start;

    p = v->start + 1;
    end = v->end - 1;
    start = dst;

    while (p < end) {
        next = v->escaped ? ai_simd_either(p, end, '\\', '\\') : end;
        n = (size_t) (next - p);

        /* they overlap when a string is decoded in its place */
        memmove(dst, p, n);

        dst += n;
        p = next;

        while (p < end && *p == '\\') {
            p = ai_json_unescape(p, &dst);
        }
    }

    return (size_t) (dst - start);
}


/* four hexadecimal digits that are known to be such */

static inline unsigned
ai_json_hex4(const u_char *p)
{
    unsigned  i, n;

    for (i = 0, n = 0; i < 4; i++) {
        n = n << 4 | ((p[i] & 0x0f) + (p[i] >> 6) * 9);
    }

    return n;
}


/*
 * Decodes the valid escape at "p", a surrogate pair being one, to at most 4
 * bytes at *dst; returns what is after it.
 */

static u_char *
ai_json_unescape(u_char *p, u_char **dst)
{
    u_char    c;
    unsigned  code;

    c = p[1];

    switch (c) {

    case 'b':
        c = '\b';
        break;

    case 'f':
        c = '\f';
        break;

    case 'n':
        c = '\n';
        break;

    case 'r':
        c = '\r';
        break;

    case 't':
        c = '\t';
        break;

    case 'u':
        code = ai_json_hex4(p + 2);
        p += 6;

        if ((code & 0xfc00) == 0xd800) {
            code = 0x10000 + ((code & 0x3ff) << 10)
                   + (ai_json_hex4(p + 2) & 0x3ff);
            p += 6;
        }

        *dst = ai_utf8_put(*dst, code);

        return p;

    default:
        break;
    }

    *(*dst)++ = c;

    return p + 2;
}


ai_int_t
ai_json_uint(const ai_json_t *v, uint64_t *n)
{
    u_char    *p, *end;
    int64_t    exponent, sign, scale;
    uint64_t   result;

    if (v->type != AI_JSON_NUMBER || *v->start == '-') {
        return AI_DECLINED;
    }

    /* the exponent comes first, it says how many digits count */

    end = v->end;
    exponent = 0;

    for (p = v->start; p < end && (*p | 0x20) != 'e'; p++) { /* void */ }

    if (p < end) {
        end = p++;
        sign = (*p == '-') ? -1 : 1;

        for (p += (*p == '-' || *p == '+'); p < v->end; p++) {

            /* more than any document has digits */

            if (exponent < INT64_C(1) << 40) {
                exponent = exponent * 10 + (*p - '0');
            }
        }

        exponent *= sign;
    }

    /* scale: how many digits are between here and the end of the integer */

    for (p = v->start; p < end && *p != '.'; p++) { /* void */ }

    scale = exponent + (p - v->start);
    result = 0;

    for (p = v->start; p < end && scale > 0; p++) {

        if (*p == '.') {
            continue;
        }

        if (__builtin_mul_overflow(result, 10, &result)
            || __builtin_add_overflow(result, (uint64_t) (*p - '0'), &result))
        {
            goto saturated;
        }

        scale--;
    }

    for ( /* void */ ; result && scale > 0; scale--) {

        if (__builtin_mul_overflow(result, 10, &result)) {
            goto saturated;
        }
    }

    *n = result;

    return AI_OK;

saturated:

    *n = UINT64_MAX;

    return AI_OK;
}


/*
 * Both passes of the escaping are built from the two functions below, so that
 * they cannot disagree.
 */

size_t
ai_json_escape_len(const ai_str_t *s)
{
    size_t   len, n;
    u_char  *p, *end, *next, buf[6];

    if (s->len == 0) {
        return 0;
    }

    len = 0;
    p = s->data;
    end = p + s->len;

    while (p < end) {
        next = ai_json_verbatim(p, end);
        len += (size_t) (next - p);
        p = next;

        if (p < end) {
            p = ai_json_escape_one(p, end, buf, &n);
            len += n;
        }
    }

    return len;
}


u_char *
ai_json_escape(u_char *dst, const ai_str_t *s)
{
    size_t   n;
    u_char  *p, *end, *next;

    if (s->len == 0) {
        return dst;
    }

    p = s->data;
    end = p + s->len;

    while (p < end) {
        next = ai_json_verbatim(p, end);
        n = (size_t) (next - p);
        memcpy(dst, p, n);
        dst += n;
        p = next;

        if (p < end) {
            p = ai_json_escape_one(p, end, dst, &n);
            dst += n;
        }
    }

    return dst;
}


/* the end of what may be copied as it is */

static u_char *
ai_json_verbatim(u_char *p, u_char *end)
{
    size_t  n;

    for ( ;; ) {
        p = ai_simd_string_stop(p, end);

        while (p < end && *p >= 0x80) {
            n = ai_utf8_len(p, end);

            if (n == 0
                || (n == 3 && p[0] == 0xe2 && p[1] == 0x80
                    && (p[2] | 1) == 0xa9))
            {
                return p;
            }

            p += n;
        }

        if (p == end || *p < 0x20 || *p == '"' || *p == '\\') {
            return p;
        }
    }
}


/* what ai_json_verbatim() stopped at, as at most 6 bytes; returns the rest */

static u_char *
ai_json_escape_one(u_char *p, u_char *end, u_char *dst, size_t *len)
{
    static const u_char  hex[] = "0123456789abcdef";
    static const u_char  letters[] = "uuuuuuuubtnufruu";

    if (*p >= 0x80) {

        if (ai_utf8_len(p, end)) {
            memcpy(dst, p[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
            *len = 6;

            return p + 3;
        }

        memcpy(dst, "\xef\xbf\xbd", 3);
        *len = 3;

        return p + 1;
    }

    *len = 2;
    *dst++ = '\\';

    if (*p >= 0x20) {
        *dst = *p;

    } else if (*p < 0x10 && letters[*p] != 'u') {
        *dst = letters[*p];

    } else {
        *len = 6;
        *dst++ = 'u';
        *dst++ = '0';
        *dst++ = '0';
        *dst++ = hex[*p >> 4];
        *dst = hex[*p & 0x0f];
    }

    return p + 1;
}

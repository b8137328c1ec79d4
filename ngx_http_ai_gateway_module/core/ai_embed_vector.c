
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ai_base64.h"
#include "ai_embed_vector.h"


/* of a number as it is written; no one needs as many digits */
#define AI_VECTOR_NUMBER  64

/* floats that are encoded at a time: a multiple of three, so that no
 * padding comes in between */
#define AI_VECTOR_CHUNK   48

/* digits that any float32 can do without, and that each can do with */
#define AI_VECTOR_MIN     6
#define AI_VECTOR_MAX     9

/* the fewest bits of a double that a float32 does not have, and of these
 * the one that stands for half a unit */
#define AI_VECTOR_REST    0x1fffffff
#define AI_VECTOR_HALF    0x10000000

/* no vector has a value further from one than these, and no bytes that mean
 * something else are read as float32 without one that is */
#define AI_VECTOR_SMALL   1e-15
#define AI_VECTOR_LARGE   1e15


static ai_int_t ai_vector_read(const ai_json_t *v, u_char *dst);
static ai_uint_t ai_vector_is_float32(const u_char *p, size_t len);
static float ai_vector_float32(const u_char *p);
static void ai_vector_encode(ai_buf_t *b, const u_char *p, size_t len);
static void ai_vector_write(ai_buf_t *b, float f);
static ai_uint_t ai_vector_digits(double a, uint64_t *digits,
    ai_uint_t *scale);
static void ai_vector_decimal(ai_buf_t *b, uint64_t digits,
    ai_uint_t scale);


/* all of them exact */

static const double  ai_vector_powers[] = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
    1e13, 1e14, 1e15, 1e16
};


/*
 * JSON that was validated and holds nothing but brackets, commas and the
 * characters of numbers is made of numbers and arrays; with one bracket only
 * it is a vector.
 */

ai_uint_t
ai_vector_valid(const ai_json_t *v)
{
    u_char  *p;

    if (v->type != AI_JSON_ARRAY) {
        return 0;
    }

    for (p = v->start + 1; p < v->end - 1; p++) {

        switch (*p) {

        case ' ': case '\t': case '\r': case '\n':
        case ',': case '+': case '-': case '.': case 'e': case 'E':
            break;

        default:
            if (*p < '0' || *p > '9') {
                return 0;
            }

            break;
        }
    }

    return 1;
}


ai_int_t
ai_vector_to_base64(ai_buf_t *b, const ai_json_t *v)
{
    size_t          n;
    u_char          bytes[AI_VECTOR_CHUNK * 4];
    ai_json_t       value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return AI_DECLINED;
    }

    n = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        if (ai_vector_read(&value, bytes + n) != AI_OK) {
            return AI_DECLINED;
        }

        n += 4;

        if (n == sizeof(bytes)) {
            ai_vector_encode(b, bytes, n);
            n = 0;
        }
    }

    ai_vector_encode(b, bytes, n);

    return b->failed ? AI_ERROR : AI_OK;
}


/* strtof() wants an end, and a dot, which it has as long as no one calls
 * setlocale() */

static ai_int_t
ai_vector_read(const ai_json_t *v, u_char *dst)
{
    char      copy[AI_VECTOR_NUMBER];
    float     f;
    size_t    len;
    uint32_t  bits;

    len = (size_t) (v->end - v->start);

    if (v->type != AI_JSON_NUMBER || len >= sizeof(copy)) {
        return AI_DECLINED;
    }

    memcpy(copy, v->start, len);
    copy[len] = '\0';

    f = strtof(copy, NULL);

    if (!isfinite(f)) {
        return AI_DECLINED;
    }

    memcpy(&bits, &f, sizeof(bits));

    dst[0] = (u_char) bits;
    dst[1] = (u_char) (bits >> 8);
    dst[2] = (u_char) (bits >> 16);
    dst[3] = (u_char) (bits >> 24);

    return AI_OK;
}


static void
ai_vector_encode(ai_buf_t *b, const u_char *p, size_t len)
{
    size_t  room;

    room = ai_base64_encoded_len(len);

    if ((size_t) (b->end - b->pos) < room && ai_buf_grow(b, room) != AI_OK) {
        return;
    }

    b->pos = ai_base64_encode(b->pos, p, len);
}


ai_int_t
ai_vector_from_base64(ai_buf_t *b, const ai_mstr_t *chars)
{
    size_t     n;
    u_char    *p, *last;
    ai_str_t   text;

    if (ai_mstr_decode(chars, b->alloc, &text) != AI_OK) {
        return AI_ERROR;
    }

    p = ai_alloc(b->alloc, ai_base64_decoded_len(text.len));

    if (p == NULL) {
        return AI_ERROR;
    }

    if (ai_base64_decode(p, text.data, text.len, &n) != AI_OK
        || !ai_vector_is_float32(p, n))
    {
        return AI_DECLINED;
    }

    ai_buf_lit(b, "[");

    for (last = p + n; p < last; p += 4) {
        ai_buf_comma(b);
        ai_vector_write(b, ai_vector_float32(p));
    }

    ai_buf_lit(b, "]");

    return b->failed ? AI_ERROR : AI_OK;
}


static ai_uint_t
ai_vector_is_float32(const u_char *p, size_t len)
{
    float   f;
    size_t  i;

    if (len % 4 != 0) {
        return 0;
    }

    for (i = 0; i < len; i += 4) {

        f = ai_vector_float32(p + i);

        /* of NaN both are false */

        if (f != 0 && !(fabs((double) f) > AI_VECTOR_SMALL
                        && fabs((double) f) < AI_VECTOR_LARGE))
        {
            return 0;
        }
    }

    return 1;
}


static float
ai_vector_float32(const u_char *p)
{
    float     f;
    uint32_t  bits;

    bits = (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
           | (uint32_t) p[3] << 24;

    memcpy(&f, &bits, sizeof(f));

    return f;
}


/*
 * A vector has thousands of numbers, of which nearly all are found by a few
 * multiplications; the rest is tried with snprintf().
 */

static void
ai_vector_write(ai_buf_t *b, float f)
{
    int        precision;
    char       text[AI_VECTOR_NUMBER];
    uint64_t   digits;
    ai_uint_t  scale;

    if (ai_vector_digits(fabs((double) f), &digits, &scale)) {

        if (signbit(f)) {
            ai_buf_lit(b, "-");
        }

        ai_vector_decimal(b, digits, scale);
        return;
    }

    for (precision = AI_VECTOR_MIN; /* void */ ; precision++) {

        (void) snprintf(text, sizeof(text), "%.*g", precision, (double) f);

        if (precision == AI_VECTOR_MAX || strtof(text, NULL) == f) {
            break;
        }
    }

    ai_buf_cstr(b, text);
}


/*
 * a as digits / 10^scale with as few digits as lead back to the same float32,
 * 1 if these were found.  Both are exact in a double, so their quotient is
 * the double nearest to the decimal number; rounding that to a float32 is
 * rounding the decimal number, unless the double lies right between two of
 * them: the decimal number may lie on either side then.
 */

static ai_uint_t
ai_vector_digits(double a, uint64_t *digits, ai_uint_t *scale)
{
    double         back;
    uint64_t       bits;
    ai_int_t       shift;
    ai_uint_t      n, k;
    const double  *power;

    if (a == 0) {
        *digits = 0;
        *scale = 0;
        return 1;
    }

    if (a < 1e-7 || a >= 1e5) {
        return 0;
    }

    power = ai_vector_powers;

    /* what brings a to one digit in front of the dot */

    shift = 0;

    while (a * power[shift] < 1) {
        shift++;
    }

    while (shift <= 0 && a >= power[1 - shift]) {
        shift--;
    }

    for (n = AI_VECTOR_MIN; n <= AI_VECTOR_MAX; n++) {

        k = (ai_uint_t) ((ai_int_t) n - 1 + shift);

        *digits = (uint64_t) (a * power[k] + 0.5);
        *scale = k;

        back = (double) *digits / power[k];
        memcpy(&bits, &back, sizeof(bits));

        if ((double) (float) back == a
            && (bits & AI_VECTOR_REST) != AI_VECTOR_HALF)
        {
            return 1;
        }
    }

    return 0;
}


static void
ai_vector_decimal(ai_buf_t *b, uint64_t digits, ai_uint_t scale)
{
    u_char  *p, text[AI_VECTOR_NUMBER];

    while (scale != 0 && digits % 10 == 0) {
        digits /= 10;
        scale--;
    }

    p = text + sizeof(text);

    if (scale != 0) {

        for ( /* void */ ; scale != 0; scale--) {
            *--p = (u_char) ('0' + digits % 10);
            digits /= 10;
        }

        *--p = '.';
    }

    do {
        *--p = (u_char) ('0' + digits % 10);
        digits /= 10;
    } while (digits != 0);

    ai_buf_put(b, p, (size_t) (text + sizeof(text) - p));
}

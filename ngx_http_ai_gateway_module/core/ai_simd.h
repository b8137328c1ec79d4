
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Looking at many bytes at once.  The functions below never read at or after
 * "end"; the one place in the core that tests for features of the processor.
 */


#ifndef _AI_SIMD_H_INCLUDED_
#define _AI_SIMD_H_INCLUDED_


#include "ai.h"


/*
 * A vector of AI_VEC bytes, tests that mark bytes, and the marks as a mask of
 * AI_VEC_BITS bits per byte, the first byte lowest.  ai_vec_odd() marks what
 * is not printable ASCII or DEL: below 0x20, and 0x80 or above.
 *
 * AI_SIMD_PORTABLE is there for the tests.
 */

#if (defined __SSE2__ && !defined AI_SIMD_PORTABLE)

#include <emmintrin.h>

#define AI_VEC                16
#define AI_VEC_BITS           1
#define AI_VEC_FULL           0xffff

typedef __m128i               ai_vec_t;

#define ai_vec_load(p)        _mm_loadu_si128((const __m128i *) (p))
#define ai_vec_eq(v, c)       _mm_cmpeq_epi8(v, _mm_set1_epi8(c))
#define ai_vec_odd(v)         _mm_cmplt_epi8(v, _mm_set1_epi8(0x20))
#define ai_vec_or(a, b)       _mm_or_si128(a, b)
#define ai_vec_fold(v)        _mm_or_si128(v, _mm_set1_epi8(0x20))
#define ai_vec_mask(v)        (uint64_t) (unsigned) _mm_movemask_epi8(v)

#elif (defined __ARM_NEON && defined __aarch64__ && !defined AI_SIMD_PORTABLE)

#include <arm_neon.h>

#define AI_VEC                16
#define AI_VEC_BITS           4
#define AI_VEC_FULL           UINT64_MAX

typedef uint8x16_t            ai_vec_t;

#define ai_vec_load(p)        vld1q_u8(p)
#define ai_vec_eq(v, c)       vceqq_u8(v, vdupq_n_u8(c))
#define ai_vec_odd(v)                                                        \
    vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20))
#define ai_vec_or(a, b)       vorrq_u8(a, b)
#define ai_vec_fold(v)        vorrq_u8(v, vdupq_n_u8(0x20))
#define ai_vec_mask(v)                                                       \
    vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(v),   \
                                                  4)), 0)

#else

#define AI_VEC                8
#define AI_VEC_BITS           8
#define AI_VEC_FULL           AI_VEC_HIGH

typedef uint64_t              ai_vec_t;

#define AI_VEC_ONES           UINT64_C(0x0101010101010101)
#define AI_VEC_HIGH           UINT64_C(0x8080808080808080)

/* the high bit of each byte that is zero, and of no other */

#define ai_vec_zero(v)                                                       \
    (~((((v) & ~AI_VEC_HIGH) + ~AI_VEC_HIGH) | (v)) & AI_VEC_HIGH)

#define ai_vec_eq(v, c)       ai_vec_zero((v) ^ (AI_VEC_ONES * (c)))
#define ai_vec_odd(v)                                                        \
    (ai_vec_zero((v) & (AI_VEC_ONES * 0xe0)) | ((v) & AI_VEC_HIGH))
#define ai_vec_or(a, b)       ((a) | (b))
#define ai_vec_fold(v)        ((v) | (AI_VEC_ONES * 0x20))
#define ai_vec_mask(v)        (v)

static inline ai_vec_t
ai_vec_load(const u_char *p)
{
    return (ai_vec_t) p[0] | (ai_vec_t) p[1] << 8 | (ai_vec_t) p[2] << 16
           | (ai_vec_t) p[3] << 24 | (ai_vec_t) p[4] << 32
           | (ai_vec_t) p[5] << 40 | (ai_vec_t) p[6] << 48
           | (ai_vec_t) p[7] << 56;
}

#endif


#define ai_vec_first(mask)                                                   \
    ((unsigned) __builtin_ctzll(mask) / AI_VEC_BITS)


/* the marks of 64 bytes, one bit each, the first byte lowest */

#define AI_BLOCK  64

#if (AI_VEC_BITS == 1)

#define ai_vec_bits(v)  ai_vec_mask(v)

#elif (AI_VEC_BITS == 4)

static inline uint64_t
ai_vec_bits(ai_vec_t v)
{
    static const uint8_t  bits[16] = { 1, 2, 4, 8, 16, 32, 64, 128,
                                       1, 2, 4, 8, 16, 32, 64, 128 };

    v = vandq_u8(v, vld1q_u8(bits));

    return (uint64_t) vaddv_u8(vget_low_u8(v))
           | (uint64_t) vaddv_u8(vget_high_u8(v)) << 8;
}

#else

#define ai_vec_bits(v)                                                       \
    ((((v) >> 7) * UINT64_C(0x0102040810204080)) >> 56)

#endif


static inline ai_vec_t
ai_vec_string_stop(ai_vec_t v)
{
    return ai_vec_or(ai_vec_odd(v),
                     ai_vec_or(ai_vec_eq(v, '"'), ai_vec_eq(v, '\\')));
}


static inline ai_vec_t
ai_vec_bracket(ai_vec_t v)
{
    ai_vec_t  folded;

    /* the folding maps [ and ] to { and }, and nothing else there */
    folded = ai_vec_fold(v);

    return ai_vec_or(ai_vec_eq(v, '"'),
                     ai_vec_or(ai_vec_eq(folded, '{'),
                               ai_vec_eq(folded, '}')));
}


/* such bytes among the AI_BLOCK at p; unrolled, as compilers do not */

#define ai_simd_string_bits(p, i)                                            \
    ((uint64_t) ai_vec_bits(ai_vec_string_stop(ai_vec_load((p) + (i))))      \
     << (i))

static inline uint64_t
ai_simd_string_block(const u_char *p)
{
    uint64_t  mask;

    mask = ai_simd_string_bits(p, 0) | ai_simd_string_bits(p, 16)
           | ai_simd_string_bits(p, 32) | ai_simd_string_bits(p, 48);

    if (AI_VEC == 8) {
        mask |= ai_simd_string_bits(p, 8) | ai_simd_string_bits(p, 24)
                | ai_simd_string_bits(p, 40) | ai_simd_string_bits(p, 56);
    }

    return mask;
}


/* quotes and backslashes: all that matters in a string which was validated */

static inline ai_vec_t
ai_vec_quote(ai_vec_t v)
{
    return ai_vec_or(ai_vec_eq(v, '"'), ai_vec_eq(v, '\\'));
}

#define ai_simd_quote_bits(p, i)                                             \
    ((uint64_t) ai_vec_bits(ai_vec_quote(ai_vec_load((p) + (i)))) << (i))

static inline uint64_t
ai_simd_quote_block(const u_char *p)
{
    uint64_t  mask;

    mask = ai_simd_quote_bits(p, 0) | ai_simd_quote_bits(p, 16)
           | ai_simd_quote_bits(p, 32) | ai_simd_quote_bits(p, 48);

    if (AI_VEC == 8) {
        mask |= ai_simd_quote_bits(p, 8) | ai_simd_quote_bits(p, 24)
                | ai_simd_quote_bits(p, 40) | ai_simd_quote_bits(p, 56);
    }

    return mask;
}


/*
 * The same with vectors of 32 bytes, for code that is compiled for them and
 * entered only where the processor has them.
 */

#if (defined __x86_64__ && AI_VEC_BITS == 1 && !defined AI_SIMD_BASELINE)

#include <immintrin.h>

#define ai_simd_wide          __attribute__((target("avx2")))
#define ai_simd_has_wide()    __builtin_cpu_supports("avx2")

static inline ai_simd_wide uint64_t
ai_simd_wide_half(const u_char *p)
{
    __m256i  v, m;

    v = _mm256_loadu_si256((const __m256i *) p);

    m = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
                        _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));
    m = _mm256_or_si256(m, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v));

    return (uint32_t) _mm256_movemask_epi8(m);
}


static inline ai_simd_wide uint64_t
ai_simd_wide_block(const u_char *p)
{
    return ai_simd_wide_half(p) | ai_simd_wide_half(p + 32) << 32;
}


static inline ai_simd_wide uint64_t
ai_simd_wide_quote_half(const u_char *p)
{
    __m256i  v, m;

    v = _mm256_loadu_si256((const __m256i *) p);

    m = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
                        _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));

    return (uint32_t) _mm256_movemask_epi8(m);
}


static inline ai_simd_wide uint64_t
ai_simd_wide_quote_block(const u_char *p)
{
    return ai_simd_wide_quote_half(p) | ai_simd_wide_quote_half(p + 32) << 32;
}

#else

#define ai_simd_wide
#define ai_simd_has_wide()        0
#define ai_simd_wide_block        ai_simd_string_block
#define ai_simd_wide_quote_block  ai_simd_quote_block

#endif


/*
 * The first byte that is a quote, a backslash, a control character or not
 * ASCII; or "end".
 */

static inline u_char *
ai_simd_string_stop(u_char *p, u_char *end)
{
    uint64_t  mask;
    ai_vec_t  v[4];

    /* most strings are short: look at one vector before unrolling */

    if (end - p >= AI_VEC) {
        mask = ai_vec_mask(ai_vec_string_stop(ai_vec_load(p)));

        if (mask) {
            return p + ai_vec_first(mask);
        }

        p += AI_VEC;
    }

    while (end - p >= 4 * AI_VEC) {
        v[0] = ai_vec_string_stop(ai_vec_load(p));
        v[1] = ai_vec_string_stop(ai_vec_load(p + AI_VEC));
        v[2] = ai_vec_string_stop(ai_vec_load(p + 2 * AI_VEC));
        v[3] = ai_vec_string_stop(ai_vec_load(p + 3 * AI_VEC));

        if (ai_vec_mask(ai_vec_or(ai_vec_or(v[0], v[1]),
                                  ai_vec_or(v[2], v[3]))))
        {
            break;
        }

        p += 4 * AI_VEC;
    }

    while (end - p >= AI_VEC) {
        mask = ai_vec_mask(ai_vec_string_stop(ai_vec_load(p)));

        if (mask) {
            return p + ai_vec_first(mask);
        }

        p += AI_VEC;
    }

    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
}


/* the first byte that is a control character or not ASCII; or "end" */

static inline u_char *
ai_simd_control(u_char *p, u_char *end)
{
    uint64_t  mask;
    ai_vec_t  v;

    while (end - p >= AI_VEC) {
        v = ai_vec_load(p);
        mask = ai_vec_mask(ai_vec_or(ai_vec_odd(v), ai_vec_eq(v, 0x7f)));

        if (mask) {
            return p + ai_vec_first(mask);
        }

        p += AI_VEC;
    }

    while (p < end && *p >= 0x20 && *p < 0x7f) {
        p++;
    }

    return p;
}


/* the first byte that is a quote or a bracket of JSON; or "end" */

static inline u_char *
ai_simd_bracket(u_char *p, u_char *end)
{
    uint64_t  mask;

    while (end - p >= AI_VEC) {
        mask = ai_vec_mask(ai_vec_bracket(ai_vec_load(p)));

        if (mask) {
            return p + ai_vec_first(mask);
        }

        p += AI_VEC;
    }

    while (p < end && *p != '"' && (*p | 0x20) != '{' && (*p | 0x20) != '}') {
        p++;
    }

    return p;
}


/* the first byte that is "a" or "b"; or "end" */

static inline u_char *
ai_simd_either(u_char *p, u_char *end, u_char a, u_char b)
{
    uint64_t  mask;
    ai_vec_t  v;

    while (end - p >= AI_VEC) {
        v = ai_vec_load(p);
        mask = ai_vec_mask(ai_vec_or(ai_vec_eq(v, a), ai_vec_eq(v, b)));

        if (mask) {
            return p + ai_vec_first(mask);
        }

        p += AI_VEC;
    }

    while (p < end && *p != a && *p != b) {
        p++;
    }

    return p;
}


/* the first byte that is not a space, tab, line feed or return; or "end" */

static inline u_char *
ai_simd_space(u_char *p, u_char *end)
{
    uint64_t  mask;
    ai_vec_t  v;

    while (end - p >= AI_VEC) {
        v = ai_vec_load(p);
        mask = ai_vec_mask(ai_vec_or(ai_vec_or(ai_vec_eq(v, ' '),
                                               ai_vec_eq(v, '\n')),
                                     ai_vec_or(ai_vec_eq(v, '\r'),
                                               ai_vec_eq(v, '\t'))));
        mask ^= AI_VEC_FULL;

        if (mask) {
            return p + ai_vec_first(mask);
        }

        p += AI_VEC;
    }

    while (p < end
           && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    {
        p++;
    }

    return p;
}


#endif /* _AI_SIMD_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Writes text between two pointers and never past the second: there is no
 * pass that measures first, so none that could disagree with it.
 */


#ifndef _AI_TEXT_H_INCLUDED_
#define _AI_TEXT_H_INCLUDED_


#include "ai.h"


/* once something did not fit, "full" is set and nothing more is written */

typedef struct {
    u_char     *pos;
    u_char     *last;
    unsigned    full:1;
} ai_text_t;


/* all of the bytes, or none; inline, as nearly all are literals */

static inline void
ai_text_put(ai_text_t *t, const void *data, size_t len)
{
    if (t->full || (size_t) (t->last - t->pos) < len) {
        t->full = 1;
        return;
    }

    if (len != 0) {
        memcpy(t->pos, data, len);
        t->pos += len;
    }
}

#define ai_text_lit(t, text)  ai_text_put(t, text, sizeof(text) - 1)

/* a zero-terminated text */
void ai_text_cstr(ai_text_t *t, const char *s);

/*
 * A string as JSON writes it, with its quotes; what stands between them is
 * cut at "max" bytes, at a character.  Bytes that are not UTF-8 become
 * U+FFFD.
 */
void ai_text_json(ai_text_t *t, const ai_str_t *s, size_t max);

/* a decimal number */
void ai_text_uint(ai_text_t *t, uint64_t n);

/*
 * Microseconds as seconds with 1 to 6 decimals, the rest cut off; negative
 * prints as zero.
 */
void ai_text_seconds(ai_text_t *t, int64_t us, ai_uint_t decimals);


#endif /* _AI_TEXT_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A text that grows as it is written, and the pieces that JSON is made of.
 * Writers check once, at the end, whether all of it was written.
 */


#ifndef _AI_BUF_H_INCLUDED_
#define _AI_BUF_H_INCLUDED_


#include "ai_json.h"


/*
 * Characters as they stand somewhere: plain UTF-8, or as they are written
 * between the quotes of a validated JSON string.  From string to string they
 * are copied as they are, escapes included.
 */

typedef struct {
    ai_str_t             s;
    unsigned             json:1;
} ai_mstr_t;


typedef struct {
    u_char              *base;         /* of the memory */
    u_char              *start;        /* of the text */
    u_char              *pos;
    u_char              *end;
    size_t               max;          /* bytes, at most */
    ai_alloc_t          *alloc;
    unsigned             failed:1;     /* no memory, or above max: what is
                                          written is not whole */
    unsigned             large:1;      /* the latter */
    unsigned             line:1;       /* see ai_buf_json() */
} ai_buf_t;


/* takes no memory before something is written; a must outlive it */
void ai_buf_init(ai_buf_t *b, ai_alloc_t *a, size_t max);

/* forgets what was written, and keeps its memory for what will be */
void ai_buf_reset(ai_buf_t *b);

/* what was written; AI_OK, or AI_ERROR when it is not whole */
ai_int_t ai_buf_get(ai_buf_t *b, ai_str_t *out);

/*
 * The same, and what was written stays where it is: all that follows goes
 * behind it, until ai_buf_rewind() says that the memory can be used again.
 */
ai_int_t ai_buf_take(ai_buf_t *b, ai_str_t *out);
void ai_buf_rewind(ai_buf_t *b);

/* room for len more bytes; AI_ERROR sets failed */
ai_int_t ai_buf_grow(ai_buf_t *b, size_t len);

static inline void
ai_buf_put(ai_buf_t *b, const void *p, size_t len)
{
    if ((size_t) (b->end - b->pos) < len && ai_buf_grow(b, len) != AI_OK) {
        return;
    }

    if (len != 0) {
        memcpy(b->pos, p, len);
        b->pos += len;
    }
}

#define ai_buf_lit(b, text)   ai_buf_put(b, text, sizeof(text) - 1)
#define ai_buf_raw(b, str)    ai_buf_put(b, (str)->data, (str)->len)
#define ai_buf_len(b)         ((size_t) ((b)->pos - (b)->start))

void ai_buf_cstr(ai_buf_t *b, const char *s);
void ai_buf_uint(ai_buf_t *b, uint64_t n);

/* a comma, unless nothing was written since the last "[", "{" or ":" */
void ai_buf_comma(ai_buf_t *b);

/* a comma if one is due, then "name": */
void ai_buf_key(ai_buf_t *b, const char *name);

/* a JSON string, quotes included; of any characters, plain or escaped */
void ai_buf_string(ai_buf_t *b, const ai_mstr_t *m);

/* what goes between the quotes of one */
void ai_buf_chars(ai_buf_t *b, const ai_mstr_t *m);

/* the characters themselves, decoded */
void ai_buf_plain(ai_buf_t *b, const ai_mstr_t *m);

/* a literal or plain text as a JSON string, quotes included */
void ai_buf_quote(ai_buf_t *b, const ai_str_t *s);
void ai_buf_quote_cstr(ai_buf_t *b, const char *s);

/*
 * JSON text as it stands; if b->line is set, which reset() keeps, its line
 * breaks become spaces, for events end at one.  They stand between tokens
 * only.
 */
void ai_buf_json(ai_buf_t *b, const ai_str_t *raw);

/* the same in one line, whatever b->line says */
void ai_buf_json_line(ai_buf_t *b, const ai_str_t *raw);

/* ai_buf_key() and the value, or nothing at all when that is empty; raw is
 * JSON text */
void ai_buf_key_string(ai_buf_t *b, const char *name, const ai_mstr_t *m);
void ai_buf_key_raw(ai_buf_t *b, const char *name, const ai_str_t *raw);
void ai_buf_key_uint(ai_buf_t *b, const char *name, uint64_t n);


/* the characters of a string value; of any other value, none */
ai_mstr_t ai_mstr(const ai_json_t *v);

/* the value that the characters are of, for those who read values; null if
 * there are none */
ai_json_t ai_mstr_value(const ai_mstr_t *m);

/* plain characters */
ai_mstr_t ai_mstr_plain(const ai_str_t *s);
ai_mstr_t ai_mstr_cstr(const char *s);

#define ai_mstr_empty(m)  ((m)->s.len == 0)

/* whether they decode to this text */
ai_uint_t ai_mstr_eq(const ai_mstr_t *m, const char *text);

/* whether two decode to the same characters */
ai_uint_t ai_mstr_same(const ai_mstr_t *a, const ai_mstr_t *b);

/*
 * The characters decoded; from a only if there is an escape in them.  AI_OK,
 * AI_ERROR: no memory.
 */
ai_int_t ai_mstr_decode(const ai_mstr_t *m, ai_alloc_t *a, ai_str_t *out);

/* a copy that lives as long as a; AI_OK, AI_ERROR */
ai_int_t ai_mstr_copy(const ai_mstr_t *m, ai_alloc_t *a, ai_mstr_t *out);

/* the text of a value as it stands, "" for one of type null */
ai_str_t ai_json_raw(const ai_json_t *v);


#endif /* _AI_BUF_H_INCLUDED_ */

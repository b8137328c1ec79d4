
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * JSON (RFC 8259) as spans of the caller's bytes.  One strict pass validates
 * a whole document and shows the members of its top-level object; everything
 * else (cursor, look-up, decoding) works on spans that this pass accepted.
 * Nothing is copied, no tree is built, numbers stay text.
 */


#ifndef _AI_JSON_H_INCLUDED_
#define _AI_JSON_H_INCLUDED_


#include "ai.h"


#define AI_JSON_DEPTH  64
#define AI_JSON_NODES  100000


typedef enum {
    AI_JSON_NULL = 0,
    AI_JSON_FALSE,
    AI_JSON_TRUE,
    AI_JSON_NUMBER,
    AI_JSON_STRING,
    AI_JSON_ARRAY,
    AI_JSON_OBJECT
} ai_json_type_e;


/*
 * A value: [start, end) in the caller's bytes, which must stay where they are
 * for as long as the value is used.  A string includes its quotes.
 */

typedef struct {
    u_char          *start;
    u_char          *end;
    ai_json_type_e   type;
    unsigned         escaped:1;    /* a string with a backslash */
    unsigned         nul:1;        /* a string with \u0000, legal in JSON */
} ai_json_t;


typedef struct {
    ai_uint_t        depth;        /* arrays and objects open at a time */
    ai_uint_t        nodes;        /* values, the root included */
} ai_json_limits_t;


typedef struct {
    const char      *reason;       /* static text, lower case, no dot */
    size_t           offset;       /* of the offending byte */
} ai_json_error_t;


typedef struct {
    u_char          *pos;          /* after the last value */
    u_char          *end;          /* before the closing bracket */
    const ai_json_t *known;        /* NULL, or an array or object that may be
                                      met, and whose end need not be looked
                                      for again; set after the init */
    unsigned         object:1;
} ai_json_iter_t;


/*
 * Is told each member of the top-level object after its value was validated.
 * The name is a string value like any other.  What follows in the document is
 * not validated yet, so effects should wait for the scan to return AI_OK.
 * Any result other than AI_OK stops the scan, which then returns it.
 */

typedef ai_int_t (*ai_json_member_pt)(void *data, ai_json_t *name,
    ai_json_t *value);


/*
 * Validates the "len" bytes at "p", all of them: UTF-8, escapes, surrogate
 * pairs, numbers, duplicate members at every depth (names compared decoded),
 * nothing but white space around the value.  Never reads outside the span.
 *
 * "limits" NULL means AI_JSON_DEPTH and AI_JSON_NODES; "on_member" and "root"
 * may be NULL.  "scratch" is used only for member names with escapes and for
 * what exceeds 3 KB on the stack: more than 64 members open at a time, objects
 * with more than 32 members, depth beyond 64.  It is asked for about 100 bytes
 * per open member at most, and what it gave is useless after the return.
 *
 * Returns AI_OK; AI_DECLINED when the document is not acceptable, with "err"
 * set; AI_ERROR when "scratch" failed, with "err" set; or what "on_member"
 * returned, with err->offset set to where that member's value ended.
 */

ai_int_t ai_json_scan(u_char *p, size_t len, const ai_json_limits_t *limits,
    ai_alloc_t *scratch, ai_json_member_pt on_member, void *data,
    ai_json_t *root, ai_json_error_t *err);


/*
 * A cursor over the members of an object or the elements of an array that
 * ai_json_scan() validated.  Over any other type it is empty.  ai_json_next()
 * returns AI_OK with "value" (and "name", unless NULL; in arrays it is null,
 * which equals no text), then AI_DONE.
 */

void ai_json_iter_init(ai_json_iter_t *it, const ai_json_t *container);
ai_int_t ai_json_next(ai_json_iter_t *it, ai_json_t *name, ai_json_t *value);


/*
 * Look-ups in a validated value.  ai_json_path() takes names up to a NULL; in
 * an array a name is a decimal index ("0").  Return AI_OK with "value" set, or
 * AI_DECLINED, "value" then being undefined.  "value" may be the object
 * itself.
 */

ai_int_t ai_json_get(const ai_json_t *object, const char *name,
    ai_json_t *value);
ai_int_t ai_json_path(const ai_json_t *root, ai_json_t *value,
    const char *name, ...);


/*
 * Whether "v" is a string that decodes to these bytes: 1 or 0.
 * ai_json_name_eq() is the same for a literal.
 */

ai_uint_t ai_json_str_eq(const ai_json_t *v, const char *literal, size_t len);

#define ai_json_name_eq(name, text)                                          \
    ai_json_str_eq(name, text, sizeof(text) - 1)


/*
 * The same, inline: for names of which there are dozens to try, and nearly
 * always the lengths differ.
 */

static inline ai_uint_t
ai_json_is_text(const ai_json_t *v, const char *text, size_t len)
{
    if (v->type != AI_JSON_STRING) {
        return 0;
    }

    if (v->escaped) {
        return ai_json_str_eq(v, text, len);
    }

    return (size_t) (v->end - v->start) == len + 2
           && memcmp(v->start + 1, text, len) == 0;
}

#define ai_json_is(v, text)  ai_json_is_text(v, text, sizeof(text) - 1)

/* a string of at least one character */

#define ai_json_filled(v)                                                    \
    ((v)->type == AI_JSON_STRING && (v)->end - (v)->start > 2)


/* the span between the quotes of a string, escapes as they are */

ai_str_t ai_json_str_raw(const ai_json_t *v);


/*
 * Decodes a string to UTF-8 at "dst", which needs the length of its raw span
 * (the result is never longer), and returns the decoded length.  May contain
 * zero bytes if v->nul.  "dst" may be the start of the raw span itself.
 */

size_t ai_json_str_decode(const ai_json_t *v, u_char *dst);


/*
 * A number without a minus sign, in any notation ("16", "16.0", "1.6e1"), as
 * an integer: the fraction is cut off, what is too large becomes UINT64_MAX.
 * Returns AI_OK, or AI_DECLINED for anything else.
 */

ai_int_t ai_json_uint(const ai_json_t *v, uint64_t *n);


#define ai_json_is_true(v)  ((v)->type == AI_JSON_TRUE)


/*
 * What goes between the quotes to write "s" as a string: control characters,
 * quote, backslash, U+2028 and U+2029 escaped, each byte that is not part of
 * valid UTF-8 replaced by U+FFFD.  ai_json_escape_len() returns the exact
 * length, ai_json_escape() writes it and returns the end.
 */

size_t ai_json_escape_len(const ai_str_t *s);
u_char *ai_json_escape(u_char *dst, const ai_str_t *s);


#endif /* _AI_JSON_H_INCLUDED_ */

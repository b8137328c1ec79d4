
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Edits of an immutable text: spans of it are replaced, the rest is passed on
 * as the bytes it is, without being copied.
 */


#ifndef _AI_SPLICE_H_INCLUDED_
#define _AI_SPLICE_H_INCLUDED_


#include "ai_json.h"


/* few bodies need more, and those take memory for them */

#define AI_SPLICE_EDITS  4


typedef struct ai_splice_edit_s  ai_splice_edit_t;

/*
 * An edit writes "prefix" and then "with" in place of a span.  Members that
 * are added to an object are insertions before its "}", and their prefix is
 * ,"name": of which the comma is left out in front of the first member of
 * an empty object.
 */

struct ai_splice_edit_s {
    u_char            *start;
    u_char            *end;
    ai_str_t           prefix;
    ai_str_t           with;
    unsigned           member:1;   /* made by ai_splice_member_set() */
    unsigned           empty:1;    /* the first member of an empty object */
    unsigned           dropped:1;  /* a later one took its place, or what it
                                      edits is removed */
    unsigned           removed:1;  /* made by ai_splice_members_remove() */
    u_char            *emptied;    /* the "}" of an object that is left
                                      without members */
};


typedef struct {
    ai_str_t           source;
    ai_alloc_t        *alloc;

    ai_splice_edit_t  *edits;
    size_t             nedits;
    size_t             nalloc;

    /* set by ai_splice_finish() */

    ai_str_t          *parts;      /* in order, none of them empty */
    size_t             nparts;
    size_t             len;        /* of all parts */

    ai_splice_edit_t   first[AI_SPLICE_EDITS];
} ai_splice_t;


/*
 * Starts a list of edits, which must stay where it is.  The source's bytes,
 * the replacements and the arena must outlive the use of the parts.
 */

void ai_splice_init(ai_splice_t *sp, const ai_str_t *source,
    ai_alloc_t *alloc);


/*
 * Replaces [start, end) of the source; start == end inserts before that byte.
 * Spans come in any order; insertions at the same place keep the order of the
 * calls and go before a replacement that starts there.  Returns AI_OK, or
 * AI_ERROR: not a span of the source, or no memory.
 */

ai_int_t ai_splice_replace(ai_splice_t *sp, u_char *start, u_char *end,
    const ai_str_t *with);


/*
 * Gives the member "name" of a validated object within the source the value
 * "raw", which must be JSON text: replaces the value that is there, or adds
 * the member as the last one.  For a member that is set twice the last value
 * counts.  Returns AI_OK, or AI_ERROR: not an object within the source, or no
 * memory.
 */

ai_int_t ai_splice_member_set(ai_splice_t *sp, const ai_json_t *object,
    const char *name, const ai_str_t *raw);


/*
 * Takes members out of a validated object within the source, each with its
 * comma: those that "remove" returns 1 for.  Other edits of what is removed
 * come to nothing, members that are added to the object are added.  To be
 * called once per object.  Returns AI_OK, or AI_ERROR: not an object within
 * the source, or no memory.
 */

typedef ai_uint_t (*ai_splice_remove_pt)(void *data, ai_json_t *name,
    ai_json_t *value);

ai_int_t ai_splice_members_remove(ai_splice_t *sp, const ai_json_t *object,
    ai_splice_remove_pt remove, void *data);


/*
 * Puts the edits in order and sets parts, nparts and len.  Returns AI_OK, or
 * AI_ERROR: spans overlap, or no memory.  The list takes no edits after that.
 */

ai_int_t ai_splice_finish(ai_splice_t *sp);


#endif /* _AI_SPLICE_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the dialects share among themselves: how the tap keeps what it reads,
 * and how error documents are written.  Included by ai_dialect.c, dialect_*.c
 * and their tests only.
 */


#ifndef _DIALECT_H_INCLUDED_
#define _DIALECT_H_INCLUDED_


#include "ai_dialect.h"
#include "ai_error.h"


/*
 * The members of the document being read, as the scan came by them: so they
 * need not be looked for again.  In no use if there are more of them.
 */

#define AI_TAP_MEMBERS  16

typedef struct {
    ai_json_t         name;
    ai_json_t         value;
} ai_tap_member_t;

typedef struct {
    ai_json_t         value;
    ai_uint_t         text;
} ai_tap_hole_t;

struct ai_tap_root_s {
    u_char           *start;
    ai_uint_t         n;
    ai_uint_t         nholes;      /* see dialect_sample.c */
    ai_tap_member_t   members[AI_TAP_MEMBERS];
    ai_tap_hole_t     holes[AI_TAP_HOLES];
};


/* a cursor over the members of an object, which may be that document */

typedef struct {
    ai_tap_member_t  *next;
    ai_tap_member_t  *last;
    ai_json_iter_t    it;
} ai_tap_iter_t;

static inline void
ai_tap_iter_init(ai_tap_iter_t *it, ai_tap_t *tap, const ai_json_t *object)
{
    ai_tap_root_t  *root;

    root = tap->root;

    if (root->start == object->start && root->n <= AI_TAP_MEMBERS) {
        it->next = root->members;
        it->last = root->members + root->n;
        return;
    }

    it->next = NULL;
    ai_json_iter_init(&it->it, object);
}

static inline ai_int_t
ai_tap_next(ai_tap_iter_t *it, ai_json_t *name, ai_json_t *value)
{
    if (it->next == NULL) {
        return ai_json_next(&it->it, name, value);
    }

    if (it->next == it->last) {
        return AI_DONE;
    }

    *name = it->next->name;
    *value = it->next->value;
    it->next++;

    return AI_OK;
}


/*
 * Tell values in which events may differ and still be alike: a piece of the
 * answer, of which nothing matters but its length, and a member that nobody
 * reads.  They go with the document being read.
 */
void ai_tap_hole_text(ai_tap_t *tap, const ai_json_t *v);
void ai_tap_hole_unread(ai_tap_t *tap, const ai_json_t *v);

/*
 * Keeps an event with the values told of it, unless it is too large; output
 * is what it added to tap->output_bytes.  It must have changed nothing else,
 * so that the next one like it would not either.
 */
void ai_tap_sample_keep(ai_tap_t *tap, const ai_str_t *name,
    const ai_str_t *data, uint64_t output);

/*
 * Whether an event is like the sample: valid, CONTENT, and with no effect but
 * on tap->output_bytes, which is added.  0: it must be read.  What is longer
 * than AI_TAP_SAMPLE_MAX always is.
 */
#define AI_TAP_SAMPLE_MAX  65536

ai_uint_t ai_tap_sample_match(ai_tap_t *tap, const ai_str_t *name,
    const ai_str_t *data);

/* whether an object or an array has a member, 0 for any other type */
ai_uint_t ai_tap_members(const ai_json_t *v);

/*
 * Adds a piece of the answer to what was put out.  Returns 1 if it is a
 * string of at least one character.
 */
ai_uint_t ai_tap_text(ai_tap_t *tap, const ai_json_t *v);

/*
 * Keep the model (the first one told), a finish reason (the last one; 1 if
 * it is a reason, strings and numbers are), the name of a called tool.
 * What is not a filled string is ignored.
 */
void ai_tap_model(ai_tap_t *tap, const ai_json_t *v);
ai_uint_t ai_tap_finish(ai_tap_t *tap, const ai_json_t *v);
void ai_tap_tool(ai_tap_t *tap, const ai_json_t *name);

/*
 * Notes that a choice (candidate) is part of the answer, and whether it is
 * finished: the answer is finished when all its choices are.
 */
void ai_tap_choice(ai_tap_t *tap, uint64_t index, ai_uint_t finished);

/* whether the value of a member "error" tells one, unlike null, "" and {} */
ai_uint_t ai_tap_is_error(const ai_json_t *v);

/*
 * Keeps an error in any of its shapes: an object with message, type, code
 * and status, an object or an array around such an object, or a string.
 * Always returns AI_EVENT_ERROR.
 */
ai_event_e ai_tap_error(ai_tap_t *tap, const ai_json_t *v);


/*
 * Scans an answer or an event, mended where models cut surrogate pairs in
 * two; its members are then in tap->root.  As ai_json_scan().
 */
ai_int_t ai_tap_scan(ai_tap_t *tap, u_char *p, size_t len, ai_json_t *root,
    ai_json_error_t *err);

/*
 * Keeps the field "error" of an event, llama.cpp's way to fail: JSON, or
 * text.  An exception of AWS is called by the name of the event.  Always
 * returns AI_EVENT_ERROR.
 */
ai_event_e ai_tap_error_field(ai_tap_t *tap, ai_sse_event_t *ev);

/* what an error is called, unless the error has told more itself */
void ai_tap_error_name(ai_tap_t *tap, const ai_str_t *name);


/* operations that dialect_openai.c hands to dialect_responses.c */

ai_event_e ai_responses_event(ai_tap_t *tap, ai_str_t *name, ai_json_t *root);
ai_event_e ai_responses_response(ai_tap_t *tap, ai_json_t *root);

/* usage as an API tells it; what is missing stays as it was for Anthropic's,
 * whose source stays in any case; 1 if there was a count in it */
ai_uint_t ai_openai_usage(const ai_json_t *v, ai_usage_t *usage);
ai_uint_t ai_anthropic_usage(const ai_json_t *v, ai_usage_t *usage);
ai_uint_t ai_gemini_usage(const ai_json_t *v, ai_usage_t *usage);


/*
 * A document is rendered twice by the same function: once to measure it,
 * with last NULL, and once to write it.
 */

typedef struct {
    u_char  *last;
    size_t   len;
} ai_doc_t;

typedef void (*ai_doc_pt)(ai_doc_t *d, ai_error_doc_t *doc);

/* allocates *out from a; AI_OK or AI_ERROR */
ai_int_t ai_doc_build(ai_doc_pt render, ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out);

void ai_doc_raw(ai_doc_t *d, const char *text);
void ai_doc_uint(ai_doc_t *d, uint64_t n);

/* with quotes, escaped; an empty string is written as null */
void ai_doc_string(ai_doc_t *d, const ai_str_t *s);
void ai_doc_cstring(ai_doc_t *d, const char *s);

/* the message of the document, or else of its row */
void ai_doc_message(ai_doc_t *d, ai_error_doc_t *doc);

/* retryable, retry_after and attempts, each after a comma */
void ai_doc_more(ai_doc_t *d, ai_error_doc_t *doc);


#endif /* _DIALECT_H_INCLUDED_ */

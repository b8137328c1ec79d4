
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_sse.h"


#define CR  '\r'
#define LF  '\n'

#define AI_SSE_MIN_BUF   1024
#define AI_SSE_WINDOW    256


/* how a line ends: not at all, or with CR as the last byte of the input */

#define AI_SSE_EOL_NONE  0
#define AI_SSE_EOL_LF    1
#define AI_SSE_EOL_CR    2
#define AI_SSE_EOL_CRLF  3
#define AI_SSE_EOL_CUT   4


static ai_int_t ai_sse_after_cr(ai_sse_t *s, u_char **pos,
    ai_sse_event_t *ev);
static ai_int_t ai_sse_line(ai_sse_t *s, u_char *base, size_t end,
    size_t len, ai_uint_t eol);
static ai_int_t ai_sse_hold(ai_sse_t *s, u_char **pos, u_char *p,
    u_char *last);
static void ai_sse_mark(ai_sse_t *s, u_char *base, size_t end);
static ai_int_t ai_sse_field(ai_sse_t *s, u_char *base, size_t end);
static u_char *ai_sse_value(u_char *p, u_char *last, const char *name,
    size_t len);
static ai_int_t ai_sse_join(ai_sse_t *s, u_char *base, u_char *p, size_t len);
static void ai_sse_event(ai_sse_t *s, u_char *base, size_t len,
    ai_sse_event_t *ev);
static ai_uint_t ai_sse_line_end(ai_sse_t *s, u_char *p, u_char *last,
    u_char **next);
static ai_int_t ai_sse_append(ai_sse_t *s, ai_sse_buf_t *b, u_char *p,
    size_t len);
static ai_int_t ai_sse_error(ai_sse_t *s, const char *err);


void
ai_sse_init(ai_sse_t *s, size_t max_event, ai_alloc_t *a)
{
    memset(s, 0, sizeof(ai_sse_t));

    s->alloc = a;
    s->max_event = max_event;
}


void
ai_sse_init_lines(ai_sse_t *s, size_t max_event, ai_alloc_t *a)
{
    ai_sse_init(s, max_event, a);

    s->lines = 1;
}


/*
 * While an event comes in one piece it is read where it lies, from *pos on.
 * As soon as input ends within it, all of it goes to s->hold, and further
 * lines are appended there before they are read.  Offsets within the event
 * are the same in both places, so nothing is read twice.
 */

ai_int_t
ai_sse_next(ai_sse_t *s, u_char **pos, u_char *last, ai_sse_event_t *ev)
{
    u_char     *p, *next, *base;
    size_t      end, nl;
    ai_int_t    rc;
    ai_uint_t   eol;

    if (s->failed) {
        return AI_ERROR;
    }

    if (s->given) {
        s->given = 0;
        s->hold.len = 0;
    }

    if (*pos == last) {
        return AI_AGAIN;
    }

    if (s->cr && ai_sse_after_cr(s, pos, ev) == AI_OK) {
        return AI_OK;
    }

    for (p = *pos; p < last; p = next) {

        eol = ai_sse_line_end(s, p, last, &next);

        if (eol == AI_SSE_EOL_NONE) {
            break;
        }

        nl = 1 + (eol == AI_SSE_EOL_CRLF);

        end = s->hold.len ? s->hold.len : (size_t) (p - *pos);
        end += next - p - nl;

        if (end >= s->max_event) {
            return ai_sse_error(s, AI_SSE_LARGE);
        }

        base = *pos;

        if (s->hold.len) {

            if (ai_sse_append(s, &s->hold, p, next - p) != AI_OK) {
                return AI_ERROR;
            }

            base = s->hold.data;
        }

        rc = ai_sse_line(s, base, end, end + nl, eol);

        if (rc == AI_DONE) {
            ai_sse_event(s, base, end + nl, ev);

            s->given = (s->hold.len != 0);
            *pos = next;

            return AI_OK;
        }

        if (rc == AI_ERROR) {
            return AI_ERROR;
        }
    }

    return ai_sse_hold(s, pos, p, last);
}


/*
 * A line ended in CR where the last input ended.  AI_OK: an event was
 * completed, AI_DECLINED: none.
 */

static ai_int_t
ai_sse_after_cr(ai_sse_t *s, u_char **pos, ai_sse_event_t *ev)
{
    ai_uint_t  lf;

    s->cr = 0;
    lf = (**pos == LF);

    if (s->hold.len == 0) {

        if (!lf) {
            return AI_DECLINED;
        }

        /* its event has been given away */

        s->crlf = 1;
        ai_sse_event(s, *pos, 1, ev);
        (*pos)++;

        return AI_OK;
    }

    if (lf) {

        /* there is room: see ai_sse_append() */

        s->hold.data[s->hold.len++] = LF;
        (*pos)++;
    }

    s->crlf = lf;

    if (!s->wait_lf) {
        s->line = s->hold.len;
        return AI_DECLINED;
    }

    ai_sse_event(s, s->hold.data, s->hold.len, ev);
    s->given = 1;

    return AI_OK;
}


/*
 * Reads the line base + s->line .. base + end; with its end the event is len
 * bytes long.  AI_DONE: it completes the event.
 */

static ai_int_t
ai_sse_line(ai_sse_t *s, u_char *base, size_t end, size_t len, ai_uint_t eol)
{
    ai_uint_t  crlf;

    ai_sse_mark(s, base, end);

    if (s->lines) {
        return (ai_sse_field(s, base, end) == AI_OK) ? AI_DONE : AI_ERROR;
    }

    crlf = s->crlf;

    s->cr = (eol == AI_SSE_EOL_CUT);
    s->crlf = (eol == AI_SSE_EOL_CRLF);

    if (s->line == end) {

        if (s->cr && crlf) {
            s->wait_lf = 1;
            return AI_OK;
        }

        return AI_DONE;
    }

    if (ai_sse_field(s, base, end) != AI_OK) {
        return AI_ERROR;
    }

    s->line = len;

    return AI_OK;
}


/* Keeps an event that is not complete; up to p it is a sequence of lines. */

static ai_int_t
ai_sse_hold(ai_sse_t *s, u_char **pos, u_char *p, u_char *last)
{
    size_t  len;

    len = s->hold.len ? s->hold.len + (last - p) : (size_t) (last - *pos);

    if (p < last && len > s->max_event) {
        return ai_sse_error(s, AI_SSE_LARGE);
    }

    if (s->hold.len == 0) {
        p = *pos;
    }

    if (ai_sse_append(s, &s->hold, p, last - p) != AI_OK) {
        return AI_ERROR;
    }

    *pos = last;

    return AI_AGAIN;
}


ai_int_t
ai_sse_finish(ai_sse_t *s, ai_sse_event_t *ev)
{
    ai_uint_t  unterminated;

    if (s->failed) {
        return AI_ERROR;
    }

    if (s->given || s->hold.len == 0) {
        s->given = 0;
        s->hold.len = 0;
        return AI_DONE;
    }

    ai_sse_mark(s, s->hold.data, s->hold.len);

    if (s->line < s->hold.len && !s->wait_lf
        && ai_sse_field(s, s->hold.data, s->hold.len) != AI_OK)
    {
        return AI_ERROR;
    }

    unterminated = !s->wait_lf;

    ai_sse_event(s, s->hold.data, s->hold.len, ev);

    ev->unterminated = unterminated;
    s->given = 1;
    s->cr = 0;

    return AI_OK;
}


/* A byte order mark may begin the stream and is no part of its first line. */

static void
ai_sse_mark(ai_sse_t *s, u_char *base, size_t end)
{
    if (s->started) {
        return;
    }

    s->started = 1;

    if (end >= 3 && memcmp(base, "\xef\xbb\xbf", 3) == 0) {
        s->line = 3;
    }
}


static ai_int_t
ai_sse_field(ai_sse_t *s, u_char *base, size_t end)
{
    u_char         *p, *last, *value;
    ai_sse_span_t  *span;

    p = base + s->line;
    last = base + end;

    if (s->lines) {

        if (last > p && last[-1] == CR) {
            last--;
        }

        for (value = p; value < last; value++) {

            if (*value != ' ' && *value != '\t' && *value != CR) {
                s->fields = 1;
                s->ndata = 1;
                s->data.off = p - base;
                s->data.len = last - p;
                break;
            }
        }

        return AI_OK;
    }

    if (*p == ':') {
        return AI_OK;
    }

    s->fields = 1;

    value = ai_sse_value(p, last, "data", 4);

    if (value != NULL) {

        if (s->ndata++) {
            return ai_sse_join(s, base, value, last - value);
        }

        span = &s->data;

    } else if ((value = ai_sse_value(p, last, "event", 5)) != NULL) {
        span = &s->name;

    } else if ((value = ai_sse_value(p, last, "error", 5)) != NULL) {
        span = &s->error;

    } else {
        return AI_OK;
    }

    span->off = value - base;
    span->len = last - value;

    return AI_OK;
}


/* The value of the field if it is called so, otherwise NULL. */

static u_char *
ai_sse_value(u_char *p, u_char *last, const char *name, size_t len)
{
    if ((size_t) (last - p) < len || memcmp(p, name, len) != 0) {
        return NULL;
    }

    p += len;

    if (p == last) {
        return p;
    }

    if (*p != ':') {
        return NULL;
    }

    p++;

    return (p < last && *p == ' ') ? p + 1 : p;
}


/* Adds a line of data that is not the first one. */

static ai_int_t
ai_sse_join(ai_sse_t *s, u_char *base, u_char *p, size_t len)
{
    if (s->ndata == 2) {
        s->join.len = 0;

        if (ai_sse_append(s, &s->join, base + s->data.off, s->data.len)
            != AI_OK)
        {
            return AI_ERROR;
        }
    }

    if (ai_sse_append(s, &s->join, (u_char *) "\n", 1) != AI_OK) {
        return AI_ERROR;
    }

    return ai_sse_append(s, &s->join, p, len);
}


/* Hands the event out and makes s ready for the next one. */

static void
ai_sse_event(ai_sse_t *s, u_char *base, size_t len, ai_sse_event_t *ev)
{
    ev->raw.data = base;
    ev->raw.len = len;

    ev->name.data = base + s->name.off;
    ev->name.len = s->name.len;

    ev->error.data = base + s->error.off;
    ev->error.len = s->error.len;

    if (s->ndata > 1) {
        ev->data.data = s->join.data;
        ev->data.len = s->join.len;

    } else {
        ev->data.data = base + s->data.off;
        ev->data.len = s->data.len;
    }

    ev->has_data = (s->ndata != 0);
    ev->comment_only = !s->fields;
    ev->unterminated = 0;

    memset(&s->name, 0, sizeof(ai_sse_span_t));
    memset(&s->data, 0, sizeof(ai_sse_span_t));
    memset(&s->error, 0, sizeof(ai_sse_span_t));

    s->line = 0;
    s->ndata = 0;
    s->fields = 0;
    s->wait_lf = 0;
}


/*
 * Finds the end of the line at p, *next is behind it.  Two searches within a
 * window are faster than one loop over bytes, and the window keeps the cost
 * linear in the line where one of the two is absent.
 */

static ai_uint_t
ai_sse_line_end(ai_sse_t *s, u_char *p, u_char *last, u_char **next)
{
    size_t   n;
    u_char  *lf, *cr;

    for ( /* void */ ; p < last; p += n) {

        n = last - p;

        if (!s->lines && n > AI_SSE_WINDOW) {
            n = AI_SSE_WINDOW;
        }

        lf = memchr(p, LF, n);

        if (!s->lines) {
            cr = memchr(p, CR, (lf != NULL) ? (size_t) (lf - p) : n);

            if (cr != NULL) {
                *next = cr + 1;

                if (*next == last) {
                    return AI_SSE_EOL_CUT;
                }

                if (**next != LF) {
                    return AI_SSE_EOL_CR;
                }

                (*next)++;
                return AI_SSE_EOL_CRLF;
            }
        }

        if (lf != NULL) {
            *next = lf + 1;
            return AI_SSE_EOL_LF;
        }
    }

    return AI_SSE_EOL_NONE;
}


/* One byte more than needed is allocated: for the LF of a CR at the end. */

static ai_int_t
ai_sse_append(ai_sse_t *s, ai_sse_buf_t *b, u_char *p, size_t len)
{
    size_t   need, size;
    u_char  *data;

    need = b->len + len + 1;

    if (need > b->size) {

        size = (b->size != 0) ? b->size : AI_SSE_MIN_BUF / 2;

        do {
            size *= 2;
        } while (size < need);

        data = ai_alloc(s->alloc, size);

        if (data == NULL) {
            return ai_sse_error(s, "no memory");
        }

        if (b->len != 0) {
            memcpy(data, b->data, b->len);
        }

        b->data = data;
        b->size = size;
    }

    if (len != 0) {
        memcpy(b->data + b->len, p, len);
        b->len += len;
    }

    return AI_OK;
}


static ai_int_t
ai_sse_error(ai_sse_t *s, const char *err)
{
    s->failed = 1;
    s->err = err;

    return AI_ERROR;
}

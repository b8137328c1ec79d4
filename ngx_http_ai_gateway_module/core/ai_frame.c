
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_base64.h"
#include "ai_frame.h"


#define AI_FRAME_MIN_BUF  1024

/* what is read of the payload of an invoke stream is flat and small */

#define AI_FRAME_DEPTH    8
#define AI_FRAME_NODES    64


static ai_int_t ai_frame_sse(ai_frame_t *f, ai_int_t rc);
static ai_int_t ai_frame_array(ai_frame_t *f, u_char **pos, u_char *last,
    ai_sse_event_t *ev);
static ai_int_t ai_frame_array_finish(ai_frame_t *f, ai_sse_event_t *ev);
static u_char *ai_frame_array_find(ai_frame_t *f, u_char *p, u_char *last);
static u_char *ai_frame_array_start(ai_frame_t *f, u_char *p, u_char *last);
static u_char *ai_frame_array_element(ai_frame_array_t *a, u_char *p,
    u_char *last);
static void ai_frame_array_event(ai_frame_t *f, u_char *p, size_t len,
    ai_sse_event_t *ev);
static ai_int_t ai_frame_aws(ai_frame_t *f, u_char **pos, u_char *last,
    ai_sse_event_t *ev);
static ai_int_t ai_frame_aws_failed(ai_frame_t *f,
    ai_eventstream_message_t *m, ai_sse_event_t *ev);
static ai_int_t ai_frame_aws_bytes(ai_frame_t *f, ai_str_t *payload,
    ai_sse_event_t *ev);
static ai_int_t ai_frame_object(ai_str_t *text, ai_json_t *root);
static void *ai_frame_no_memory(void *data, size_t size);
static ai_int_t ai_frame_room(ai_frame_t *f, ai_sse_buf_t *b, size_t len);
static ai_int_t ai_frame_error(ai_frame_t *f, const char *err);


void
ai_frame_init(ai_frame_t *f, ai_frame_e type, size_t max_event, ai_alloc_t *a)
{
    memset(f, 0, sizeof(ai_frame_t));

    f->type = type;
    f->alloc = a;
    f->max_event = max_event;

    switch (type) {

    case AI_FRAME_SSE:
        ai_sse_init(&f->u.sse, max_event, a);
        break;

    case AI_FRAME_LINES:
        ai_sse_init_lines(&f->u.sse, max_event, a);
        break;

    case AI_FRAME_ARRAY:
        break;

    case AI_FRAME_AWS:
    case AI_FRAME_AWS_BYTES:
        ai_eventstream_init(&f->u.aws, max_event, a);
        break;
    }
}


ai_int_t
ai_frame_next(ai_frame_t *f, u_char **pos, u_char *last, ai_sse_event_t *ev)
{
    if (f->err != NULL) {
        return AI_ERROR;
    }

    switch (f->type) {

    case AI_FRAME_ARRAY:
        return ai_frame_array(f, pos, last, ev);

    case AI_FRAME_AWS:
    case AI_FRAME_AWS_BYTES:
        return ai_frame_aws(f, pos, last, ev);

    default:
        return ai_frame_sse(f, ai_sse_next(&f->u.sse, pos, last, ev));
    }
}


ai_int_t
ai_frame_finish(ai_frame_t *f, ai_sse_event_t *ev)
{
    if (f->err != NULL) {
        return AI_ERROR;
    }

    switch (f->type) {

    case AI_FRAME_ARRAY:
        return ai_frame_array_finish(f, ev);

    case AI_FRAME_AWS:
    case AI_FRAME_AWS_BYTES:

        if (ai_eventstream_finish(&f->u.aws) != AI_OK) {
            return ai_frame_error(f, f->u.aws.err);
        }

        return AI_DONE;

    default:
        return ai_frame_sse(f, ai_sse_finish(&f->u.sse, ev));
    }
}


static ai_int_t
ai_frame_sse(ai_frame_t *f, ai_int_t rc)
{
    if (rc == AI_ERROR) {
        return ai_frame_error(f, f->u.sse.err);
    }

    return rc;
}


/*
 * An element is an object.  What stands in front of it, a bracket, a comma,
 * white space, belongs to its raw span; the bracket that closes the array is
 * an event of its own, comment_only.  An object without an array around it
 * is taken as well: errors come so.
 */

static ai_int_t
ai_frame_array(ai_frame_t *f, u_char **pos, u_char *last, ai_sse_event_t *ev)
{
    size_t             held, len;
    u_char            *p, *end;
    ai_frame_array_t  *a;

    a = &f->u.array;

    if (a->given) {
        a->given = 0;
        a->hold.len = 0;
    }

    if (*pos == last) {
        return AI_AGAIN;
    }

    end = ai_frame_array_find(f, *pos, last);

    if (f->err != NULL) {
        return AI_ERROR;
    }

    p = *pos;
    held = a->hold.len;
    len = (size_t) ((end != NULL ? end : last) - p);

    if (len > f->max_event || held > f->max_event - len) {
        return ai_frame_error(f, AI_SSE_LARGE);
    }

    *pos += len;

    if (end == NULL || held != 0) {

        if (ai_frame_room(f, &a->hold, held + len) != AI_OK) {
            return AI_ERROR;
        }

        memcpy(a->hold.data + held, p, len);
        a->hold.len += len;
    }

    if (end == NULL) {
        return AI_AGAIN;
    }

    if (held != 0) {
        p = a->hold.data;
        len = a->hold.len;
        a->given = 1;
    }

    ai_frame_array_event(f, p, len, ev);

    return AI_OK;
}


/* white space at the end may be left, or nothing came at all */

static ai_int_t
ai_frame_array_finish(ai_frame_t *f, ai_sse_event_t *ev)
{
    ai_frame_array_t  *a;

    a = &f->u.array;

    if (a->depth != 0 || (a->opened && !a->closed)) {
        return ai_frame_error(f, "the array is cut");
    }

    if (a->given || a->hold.len == 0) {
        return AI_DONE;
    }

    a->given = 1;
    a->scanned = a->hold.len;
    ai_frame_array_event(f, a->hold.data, a->hold.len, ev);

    return AI_OK;
}


/*
 * Reads on where the last call ended: the end of an element or of the array,
 * or NULL.  a->scanned is where in the event the element begins, once it has.
 */

static u_char *
ai_frame_array_find(ai_frame_t *f, u_char *p, u_char *last)
{
    u_char            *start;
    ai_frame_array_t  *a;

    a = &f->u.array;

    if (a->depth == 0) {
        start = ai_frame_array_start(f, p, last);

        if (start == NULL || a->depth == 0) {
            return start;
        }

        a->scanned = a->hold.len + (size_t) (start - p);
        p = start + 1;
    }

    return ai_frame_array_element(a, p, last);
}


/* the "{" of an element, or what is behind the "]" of the array */

static u_char *
ai_frame_array_start(ai_frame_t *f, u_char *p, u_char *last)
{
    ai_frame_array_t  *a;

    a = &f->u.array;

    for ( /* void */ ; p < last; p++) {

        switch (*p) {

        case ' ': case '\t': case '\r': case '\n':
            continue;

        case ',':
            if (a->opened && !a->closed) {
                continue;
            }

            break;

        case '[':
            if (!a->opened && !a->closed) {
                a->opened = 1;
                continue;
            }

            break;

        case ']':
            if (a->opened && !a->closed) {
                a->closed = 1;
                a->scanned = (size_t) -1;
                return p + 1;
            }

            break;

        case '{':
            if (a->closed) {
                break;
            }

            if (!a->opened) {
                a->closed = 1;
            }

            a->depth = 1;
            return p;

        default:
            break;
        }

        (void) ai_frame_error(f, "broken array");
        return NULL;
    }

    return NULL;
}


/* brackets within strings do not count; what is in them is read later */

static u_char *
ai_frame_array_element(ai_frame_array_t *a, u_char *p, u_char *last)
{
    for ( /* void */ ; p < last; p++) {

        if (a->string) {

            if (a->escape) {
                a->escape = 0;

            } else if (*p == '\\') {
                a->escape = 1;

            } else if (*p == '"') {
                a->string = 0;
            }

            continue;
        }

        switch (*p) {

        case '"':
            a->string = 1;
            break;

        case '{': case '[':
            a->depth++;
            break;

        case '}': case ']':
            if (--a->depth == 0) {
                return p + 1;
            }

            break;

        default:
            break;
        }
    }

    return NULL;
}


static void
ai_frame_array_event(ai_frame_t *f, u_char *p, size_t len, ai_sse_event_t *ev)
{
    ai_frame_array_t  *a;

    a = &f->u.array;

    memset(ev, 0, sizeof(ai_sse_event_t));

    ev->raw.data = p;
    ev->raw.len = len;

    if (a->scanned < len) {
        ev->data.data = p + a->scanned;
        ev->data.len = len - a->scanned;
        ev->has_data = 1;

    } else {
        ev->comment_only = 1;
    }
}


static ai_int_t
ai_frame_aws(ai_frame_t *f, u_char **pos, u_char *last, ai_sse_event_t *ev)
{
    ai_int_t                  rc;
    ai_eventstream_message_t  m;

    rc = ai_eventstream_next(&f->u.aws, pos, last, &m);

    if (rc == AI_ERROR) {
        return ai_frame_error(f, f->u.aws.err);
    }

    if (rc != AI_OK) {
        return rc;
    }

    memset(ev, 0, sizeof(ai_sse_event_t));

    ev->raw = m.raw;

    if (ai_str_eq(&m.message_type, "exception")
        || ai_str_eq(&m.message_type, "error"))
    {
        return ai_frame_aws_failed(f, &m, ev);
    }

    if (!ai_str_eq(&m.message_type, "event")) {
        ev->comment_only = 1;
        return AI_OK;
    }

    if (f->type == AI_FRAME_AWS_BYTES) {
        return ai_frame_aws_bytes(f, &m.payload, ev);
    }

    ev->name = m.event_type;
    ev->data = m.payload;
    ev->has_data = (m.payload.len != 0);
    ev->comment_only = (m.payload.len == 0);

    return AI_OK;
}


/* an exception tells its reason in the payload, an error in a header */

static ai_int_t
ai_frame_aws_failed(ai_frame_t *f, ai_eventstream_message_t *m,
    ai_sse_event_t *ev)
{
    u_char     *p;
    size_t      len;
    ai_str_t    text;
    ai_json_t   root;

    static const u_char  head[] = "{\"message\":\"";

    ev->name = m->event_type;

    if (ai_frame_object(&m->payload, &root) == AI_OK) {
        ev->error = m->payload;
        return AI_OK;
    }

    text = (m->error_message.len != 0) ? m->error_message : m->payload;
    len = ai_json_escape_len(&text);

    if (ai_frame_room(f, &f->bytes, sizeof(head) + 1 + len) != AI_OK) {
        return AI_ERROR;
    }

    p = f->bytes.data;

    memcpy(p, head, sizeof(head) - 1);
    p = ai_json_escape(p + sizeof(head) - 1, &text);
    *p++ = '"';
    *p++ = '}';

    ev->error.data = f->bytes.data;
    ev->error.len = (size_t) (p - f->bytes.data);

    return AI_OK;
}


/* {"bytes":"<base64>","p":"..."}; other payloads are not for us */

static ai_int_t
ai_frame_aws_bytes(ai_frame_t *f, ai_str_t *payload, ai_sse_event_t *ev)
{
    size_t      len;
    ai_json_t   root, value;

    if (payload->len == 0) {
        ev->comment_only = 1;
        return AI_OK;
    }

    if (ai_frame_object(payload, &root) != AI_OK) {
        return ai_frame_error(f, "payload is not a JSON object");
    }

    if (ai_json_get(&root, "bytes", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        ev->comment_only = 1;
        return AI_OK;
    }

    if (ai_frame_room(f, &f->bytes, payload->len) != AI_OK) {
        return AI_ERROR;
    }

    len = ai_json_str_decode(&value, f->bytes.data);

    if (ai_base64_decode(f->bytes.data, f->bytes.data, len, &len) != AI_OK) {
        return ai_frame_error(f, "payload is not base64");
    }

    ev->data.data = f->bytes.data;
    ev->data.len = len;
    ev->has_data = 1;

    return AI_OK;
}


/*
 * Scans without memory, so that a stream of odd payloads takes none: what
 * would need some is none that Bedrock sends.
 */

static ai_int_t
ai_frame_object(ai_str_t *text, ai_json_t *root)
{
    ai_alloc_t        none;
    ai_json_error_t   err;
    ai_json_limits_t  limits;

    limits.depth = AI_FRAME_DEPTH;
    limits.nodes = AI_FRAME_NODES;

    none.alloc = ai_frame_no_memory;
    none.data = NULL;

    if (ai_json_scan(text->data, text->len, &limits, &none, NULL, NULL, root,
                     &err)
        != AI_OK)
    {
        return AI_DECLINED;
    }

    return (root->type == AI_JSON_OBJECT) ? AI_OK : AI_DECLINED;
}


static void *
ai_frame_no_memory(void *data, size_t size)
{
    (void) data;
    (void) size;

    return NULL;
}


/* room for len bytes altogether, of which b->len are kept */

static ai_int_t
ai_frame_room(ai_frame_t *f, ai_sse_buf_t *b, size_t len)
{
    size_t   size;
    u_char  *data;

    if (len <= b->size) {
        return AI_OK;
    }

    size = (b->size != 0) ? b->size : AI_FRAME_MIN_BUF / 2;

    do {
        size *= 2;
    } while (size < len);

    data = ai_alloc(f->alloc, size);

    if (data == NULL) {
        return ai_frame_error(f, "no memory");
    }

    if (b->len != 0) {
        memcpy(data, b->data, b->len);
    }

    b->data = data;
    b->size = size;

    return AI_OK;
}


static ai_int_t
ai_frame_error(ai_frame_t *f, const char *err)
{
    f->err = (err != NULL) ? err : "broken frame";

    return AI_ERROR;
}

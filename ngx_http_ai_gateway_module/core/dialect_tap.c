
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the dialects tell the tap: strings are copied and cut, counts are
 * clamped, errors are recognised in all their shapes.
 */


#include "dialect.h"


#define AI_TAP_ERROR_DEPTH  4


typedef struct {
    ai_str_t   name;
    ai_uint_t  status;
} ai_tap_status_t;


static size_t ai_tap_cut(const ai_json_t *v, size_t size);
static size_t ai_tap_keep(u_char *buf, size_t size, const ai_json_t *v);
static ai_json_t ai_tap_error_inner(const ai_json_t *v);
static void ai_tap_error_message(ai_tap_t *tap, const ai_json_t *v);
static void ai_tap_error_type(ai_tap_t *tap, const ai_json_t *v);
static ai_uint_t ai_tap_error_status(const ai_json_t *code);


/* what providers call their errors, where they tell no HTTP status */

static const ai_tap_status_t  ai_tap_statuses[] = {
    { ai_string("context_length_exceeded"), 400 },
    { ai_string("invalid_request_error"), 400 },
    { ai_string("INVALID_ARGUMENT"), 400 },
    { ai_string("FAILED_PRECONDITION"), 400 },
    { ai_string("BadRequestError"), 400 },
    { ai_string("content_filter"), 400 },
    { ai_string("authentication_error"), 401 },
    { ai_string("invalid_api_key"), 401 },
    { ai_string("UNAUTHENTICATED"), 401 },
    { ai_string("billing_error"), 402 },
    { ai_string("permission_error"), 403 },
    { ai_string("PERMISSION_DENIED"), 403 },
    { ai_string("not_found_error"), 404 },
    { ai_string("model_not_found"), 404 },
    { ai_string("NOT_FOUND"), 404 },
    { ai_string("request_too_large"), 413 },
    { ai_string("rate_limit_exceeded"), 429 },
    { ai_string("rate_limit_error"), 429 },
    { ai_string("RateLimitReached"), 429 },
    { ai_string("insufficient_quota"), 429 },
    { ai_string("too_many_requests"), 429 },
    { ai_string("RESOURCE_EXHAUSTED"), 429 },
    { ai_string("server_error"), 500 },
    { ai_string("internal_error"), 500 },
    { ai_string("internal_server_error"), 500 },
    { ai_string("api_error"), 500 },
    { ai_string("INTERNAL"), 500 },
    { ai_string("service_unavailable_error"), 503 },
    { ai_string("service_unavailable"), 503 },
    { ai_string("server_overloaded"), 503 },
    { ai_string("UNAVAILABLE"), 503 },
    { ai_string("timeout_error"), 504 },
    { ai_string("DEADLINE_EXCEEDED"), 504 },
    { ai_string("overloaded_error"), 529 },

    /* exceptions in event streams of AWS */

    { ai_string("validationException"), 400 },
    { ai_string("throttlingException"), 429 },
    { ai_string("internalServerException"), 500 },
    { ai_string("modelStreamErrorException"), 500 },
    { ai_string("serviceUnavailableException"), 503 },
    { ai_string("modelTimeoutException"), 504 },

    { ai_null_string, 0 }
};


ai_uint_t
ai_tap_members(const ai_json_t *v)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    ai_json_iter_init(&it, v);

    return ai_json_next(&it, &name, &value) == AI_OK;
}


ai_uint_t
ai_tap_text(ai_tap_t *tap, const ai_json_t *v)
{
    if (!ai_json_filled(v)) {
        return 0;
    }

    tap->output_bytes += (uint64_t) (v->end - v->start) - 2;

    ai_tap_hole_text(tap, v);

    return 1;
}


void
ai_tap_model(ai_tap_t *tap, const ai_json_t *v)
{
    if (tap->model.len == 0 && ai_json_filled(v)) {
        tap->model.len = ai_tap_keep(tap->model_buf, AI_TAP_MODEL_LEN, v);
    }
}


ai_uint_t
ai_tap_finish(ai_tap_t *tap, const ai_json_t *v)
{
    size_t  len;

    if (ai_json_filled(v)) {
        tap->finish.len = ai_tap_keep(tap->finish_buf, AI_TAP_FINISH_LEN, v);
        return 1;
    }

    if (v->type == AI_JSON_NUMBER) {

        /* an enumeration asked for as integers; 0 is "unspecified" */

        len = (size_t) (v->end - v->start);

        if (len <= AI_TAP_FINISH_LEN && *v->start != '0') {
            memcpy(tap->finish_buf, v->start, len);
            tap->finish.len = len;
            return 1;
        }
    }

    return 0;
}


void
ai_tap_tool(ai_tap_t *tap, const ai_json_t *name)
{
    size_t   len;
    u_char  *p;

    if (!ai_json_filled(name)) {
        return;
    }

    tap->tool_calls++;

    len = tap->tools.len;
    p = tap->tools_buf + len;

    if (len == 0) {
        tap->tools.len = ai_tap_keep(p, AI_TAP_TOOLS_LEN, name);

    } else if (len + 1 < AI_TAP_TOOLS_LEN) {
        *p++ = ',';
        tap->tools.len += 1 + ai_tap_keep(p, AI_TAP_TOOLS_LEN - len - 1, name);
    }
}


void
ai_tap_choice(ai_tap_t *tap, uint64_t index, ai_uint_t finished)
{
    uint64_t  bit;

    bit = (uint64_t) 1 << (index < 63 ? index : 63);

    tap->choices |= bit;

    if (finished) {
        tap->choices_finished |= bit;
    }

    tap->finished = (tap->choices == tap->choices_finished);
}


ai_uint_t
ai_tap_is_error(const ai_json_t *v)
{
    switch (v->type) {

    case AI_JSON_STRING:
        return ai_json_filled(v);

    case AI_JSON_OBJECT:
    case AI_JSON_ARRAY:
        return ai_tap_members(v);

    case AI_JSON_TRUE:
        return 1;

    default:
        return 0;
    }
}


ai_event_e
ai_tap_error(ai_tap_t *tap, const ai_json_t *v)
{
    ai_uint_t       status, coded;
    ai_json_t       name, value, error;
    ai_json_iter_t  it;

    error = ai_tap_error_inner(v);

    if (error.type == AI_JSON_STRING) {
        ai_tap_error_message(tap, &error);
        return AI_EVENT_ERROR;
    }

    coded = 0;

    ai_json_iter_init(&it, &error);

    while (error.type == AI_JSON_OBJECT
           && ai_json_next(&it, &name, &value) == AI_OK)
    {
        if (ai_json_is(&name, "message") || ai_json_is(&name, "detail")
            || ai_json_is(&name, "error"))
        {
            ai_tap_error_message(tap, &value);

        } else if (ai_json_is(&name, "code")) {
            status = ai_tap_error_status(&value);

            /* says more than the type, unless it says nothing */

            if (status != 0) {
                tap->error_status = status;
                coded = 1;
            }

            if (tap->error_type.len == 0) {
                ai_tap_error_type(tap, &value);
            }

        } else if (ai_json_is(&name, "type") || ai_json_is(&name, "status")) {
            status = ai_tap_error_status(&value);

            if (status != 0 && !coded) {
                tap->error_status = status;
            }

            ai_tap_error_type(tap, &value);
        }
    }

    return AI_EVENT_ERROR;
}


void
ai_tap_error_name(ai_tap_t *tap, const ai_str_t *name)
{
    ai_json_t  v;

    if (name->len == 0) {
        return;
    }

    /* as a value: no one looks at the quotes */

    memset(&v, 0, sizeof(ai_json_t));

    v.type = AI_JSON_STRING;
    v.start = name->data - 1;
    v.end = name->data + name->len + 1;

    if (tap->error_type.len == 0) {
        ai_tap_error_type(tap, &v);
    }

    if (tap->error_status == 0) {
        tap->error_status = ai_tap_error_status(&v);
    }
}


/*
 * The object that tells the error: it may be inside members "error", as with
 * nearly all, and inside an array around them (Google).
 */

static ai_json_t
ai_tap_error_inner(const ai_json_t *v)
{
    ai_uint_t       depth;
    ai_json_t       inner, value;
    ai_json_iter_t  it;

    inner = *v;

    for (depth = 0; depth < AI_TAP_ERROR_DEPTH; depth++) {

        if (inner.type == AI_JSON_ARRAY) {
            ai_json_iter_init(&it, &inner);

            if (ai_json_next(&it, NULL, &value) != AI_OK) {
                break;
            }

        } else if (ai_json_get(&inner, "error", &value) != AI_OK
                   || (value.type != AI_JSON_OBJECT
                       && value.type != AI_JSON_ARRAY))
        {
            break;
        }

        inner = value;
    }

    return inner;
}


static void
ai_tap_error_message(ai_tap_t *tap, const ai_json_t *v)
{
    if (ai_json_filled(v)) {
        tap->error_message.len = ai_tap_keep(tap->error_buf,
                                             AI_TAP_ERROR_LEN, v);
    }
}


static void
ai_tap_error_type(ai_tap_t *tap, const ai_json_t *v)
{
    /* "error" is the type of the event, not of the error */

    if (ai_json_filled(v) && !ai_json_is(v, "error")) {
        tap->error_type.len = ai_tap_keep(tap->error_type_buf,
                                          sizeof(tap->error_type_buf), v);
    }
}


/* the HTTP status that a number, its digits or a name stands for, or 0 */

static ai_uint_t
ai_tap_error_status(const ai_json_t *code)
{
    uint64_t   n;
    ai_str_t   text;
    ai_uint_t  i;

    if (code->type == AI_JSON_NUMBER) {
        if (ai_json_uint(code, &n) == AI_OK && n >= 400 && n < 600) {
            return (ai_uint_t) n;
        }

        return 0;
    }

    if (code->type != AI_JSON_STRING) {
        return 0;
    }

    text = ai_json_str_raw(code);

    if (text.len == 3 && (text.data[0] == '4' || text.data[0] == '5')
        && text.data[1] >= '0' && text.data[1] <= '9'
        && text.data[2] >= '0' && text.data[2] <= '9')
    {
        return (ai_uint_t) ((text.data[0] - '0') * 100
                            + (text.data[1] - '0') * 10
                            + (text.data[2] - '0'));
    }

    for (i = 0; ai_tap_statuses[i].status != 0; i++) {
        if (ai_tap_statuses[i].name.len == text.len
            && memcmp(ai_tap_statuses[i].name.data, text.data, text.len) == 0)
        {
            return ai_tap_statuses[i].status;
        }
    }

    return 0;
}


/*
 * Decodes at most size bytes.  Names of models and tools end up in logs and
 * variables, hence no control characters.
 */

static size_t
ai_tap_keep(u_char *buf, size_t size, const ai_json_t *v)
{
    size_t     len, i;
    ai_json_t  cut;

    cut = *v;

    if ((size_t) (v->end - v->start) - 2 > size) {
        cut.end = v->start + 1 + ai_tap_cut(v, size) + 1;
    }

    len = ai_json_str_decode(&cut, buf);

    for (i = 0; i < len; i++) {
        if (buf[i] < 0x20 || buf[i] == 0x7f) {
            buf[i] = ' ';
        }
    }

    return len;
}


/*
 * How much of a string's raw span may be taken, at most size bytes, so that
 * neither a character, nor an escape, nor a pair of surrogates is divided.
 */

static size_t
ai_tap_cut(const ai_json_t *v, size_t size)
{
    u_char  *p, *q, *start, *last;

    start = v->start + 1;
    last = start + size;

    for (p = start; p < last; p = q) {
        q = p + 1;

        if (*p == '\\') {
            q++;

            if (p[1] == 'u') {
                q += 4;

                if ((p[2] | 0x20) == 'd' && p[3] > '7' && (p[3] | 0x20) < 'c'
                    && q + 6 <= v->end - 1 && q[0] == '\\' && q[1] == 'u')
                {
                    q += 6;
                }
            }

        } else if (*p >= 0xc0) {

            while ((*q & 0xc0) == 0x80) {
                q++;
            }
        }

        if (q > last) {
            break;
        }
    }

    return (size_t) (p - start);
}

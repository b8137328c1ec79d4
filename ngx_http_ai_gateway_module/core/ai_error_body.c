
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Reads error bodies of providers: no two agree on a shape, many are cut
 * off, some are not JSON at all.
 */


#include "ai_error.h"
#include "ai_json.h"
#include "ai_utf8.h"


/* more of a body is not looked at */

#define AI_ERROR_BODY_MAX  16384

/* of a body that is text, more is not quoted */

#define AI_ERROR_TEXT_MAX  512


typedef struct {
    ai_json_t    root;
    ai_json_t    message;        /* if "found" */
    ai_str_t     body;
    unsigned     json:1;         /* root is a whole document */
    unsigned     found:1;
} ai_error_body_t;


typedef struct {
    const char  *name;
    ai_uint_t    status;
} ai_error_type_t;


static void ai_error_read(ai_error_body_t *b, ai_str_t *body);
static void *ai_error_no_memory(void *data, size_t size);
static ai_uint_t ai_error_is_message(ai_error_body_t *b);
static void ai_error_find(ai_error_body_t *b);
static void ai_error_find_cut(ai_error_body_t *b);
static ai_str_t ai_error_text(ai_str_t *body);
static size_t ai_error_unit(u_char *p, u_char *last);
static u_char *ai_error_clean(u_char *dst, u_char *last, u_char *p,
    u_char *end);
static ai_uint_t ai_error_body_status(ai_error_body_t *b);
static ai_error_e ai_error_limit(ai_error_body_t *b, ai_uint_t status);
static ai_error_e ai_error_client(ai_error_body_t *b, ai_error_e error);
static ai_uint_t ai_error_says(ai_error_body_t *b,
    const char *const *phrases);
static u_char *ai_error_search(ai_str_t *text, const char *phrase);


/*
 * Phrases are looked for in the whole body in any case, codes with their
 * quotes: a message may quote what the user wrote, but not with quotes that
 * are not escaped.
 */

static const char  *const ai_error_context[] = {
    "\"context_length_exceeded\"",
    "\"exceed_context_size_error\"",
    "\"too_many_prompt_tokens\"",
    "TOO_MANY_TOKENS",
    "prompt is too long",
    "prompt too long; exceeded",
    "exceeds the maximum number of tokens allowed",
    "input tokens exceeded",
    "input is too long",
    "maximum context length",
    "model's context length",
    "exceeds the context window",
    "exceeds the available context size",
    "exceed context limit",
    NULL
};


static const char  *const ai_error_filter[] = {
    "\"content_filter\"",
    "\"content_policy_violation\"",
    "\"ResponsibleAIPolicyViolation\"",
    "\"moderation_blocked\"",
    "content management policy",
    "content violates usage guidelines",
    "input was flagged",
    NULL
};


static const char  *const ai_error_quota[] = {
    "\"insufficient_quota\"",
    "\"billing_error\"",
    "\"exceeded_current_quota_error\"",
    "\"billing_hard_limit_reached\"",
    "\"billing_not_active\"",
    "\"Arrearage\"",
    "insufficient balance",
    "insufficient credits",
    "credit balance is too low",
    "available credits",
    "spending limit",
    NULL
};


/* 429 and 413 that no waiting heals */

static const char  *const ai_error_hopeless[] = {
    "request too large",
    "PerDay",
    NULL
};


static const char  *const ai_error_auth[] = {
    "\"API_KEY_INVALID\"",
    "\"invalid_api_key\"",
    "\"authentication_error\"",
    "\"UNAUTHENTICATED\"",
    "\"UnrecognizedClientException",
    "\"ExpiredTokenException",
    "\"InvalidSignatureException",
    "api key not valid",
    "api key expired",
    "incorrect api key",
    "invalid api key",
    "unregistered callers",
    "security token included in the request",
    NULL
};


static const char  *const ai_error_model[] = {
    "\"model_not_found\"",
    "\"DeploymentNotFound\"",
    "\"unknown_model\"",
    "model identifier is invalid",
    "is not a valid model",
    "model not exist",
    "invalid model:",
    "supported models are",
    NULL
};


static const char  *const ai_error_no_model[] = {
    "model",
    "deployment",
    NULL
};


static const char  *const ai_error_rate[] = {
    "ThrottlingException",
    "\"rate_limit_exceeded\"",
    "\"rate_limit_error\"",
    NULL
};


/* names that stand for a status when an error comes without one */

static const ai_error_type_t  ai_error_types[] = {
    { "\"overloaded_error\"", 529 },
    { "\"UNAVAILABLE\"", 503 },
    { "\"service_unavailable\"", 503 },
    { "\"rate_limit_error\"", 429 },
    { "\"rate_limit_exceeded\"", 429 },
    { "\"insufficient_quota\"", 429 },
    { "\"RESOURCE_EXHAUSTED\"", 429 },
    { "ThrottlingException", 429 },
    { "\"authentication_error\"", 401 },
    { "\"invalid_api_key\"", 401 },
    { "\"UNAUTHENTICATED\"", 401 },
    { "\"permission_error\"", 403 },
    { "\"PERMISSION_DENIED\"", 403 },
    { "\"model_not_found\"", 404 },
    { "\"not_found_error\"", 404 },
    { "\"NOT_FOUND\"", 404 },
    { "\"request_too_large\"", 413 },
    { "\"timeout_error\"", 504 },
    { "\"DEADLINE_EXCEEDED\"", 504 },
    { "\"invalid_request_error\"", 400 },
    { "\"exceed_context_size_error\"", 400 },
    { "\"INVALID_ARGUMENT\"", 400 },
    { "\"FAILED_PRECONDITION\"", 400 },
    { NULL, 0 }
};


ai_error_e
ai_error_classify(ai_uint_t status, ai_str_t *body)
{
    ai_error_body_t  b;

    if (status >= 200 && status < 300) {
        return AI_ERR_NONE;
    }

    ai_error_read(&b, body);

    if (status == 0) {
        status = ai_error_body_status(&b);
    }

    switch (status) {

    case 401:
        return AI_ERR_UPSTREAM_AUTH;

    case 402:
        return AI_ERR_QUOTA;

    case 403:
        return ai_error_client(&b, AI_ERR_FORBIDDEN);

    case 404:
    case 410:
        return ai_error_says(&b, ai_error_no_model) ? AI_ERR_MODEL_NOT_FOUND
                                                    : AI_ERR_NOT_FOUND;

    case 405:
        return AI_ERR_METHOD;

    case 408:
    case 504:
    case 524:
        return AI_ERR_TIMEOUT;

    case 409:
    case 424:
    case 425:
    case 499:
        return AI_ERR_UPSTREAM_ERROR;

    case 413:
    case 429:
        return ai_error_limit(&b, status);

    case 415:
        return AI_ERR_MEDIA_TYPE;

    case 451:
        return AI_ERR_FORBIDDEN;

    case 498:
    case 503:
    case 529:
        return AI_ERR_UPSTREAM_OVERLOADED;

    case 500:
        /* local servers report so what others do with 400 */
        return ai_error_says(&b, ai_error_context) ? AI_ERR_CONTEXT_LENGTH
                                                   : AI_ERR_UPSTREAM_ERROR;

    case 501:
        return AI_ERR_UNSUPPORTED;

    default:

        if (status >= 400 && status < 500) {
            return ai_error_client(&b, AI_ERR_BAD_REQUEST);
        }

        return status >= 500 ? AI_ERR_UPSTREAM_ERROR
                             : AI_ERR_UPSTREAM_INVALID;
    }
}


/* 413 or 429: what waiting heals is AI_ERR_RATE_LIMIT */

static ai_error_e
ai_error_limit(ai_error_body_t *b, ai_uint_t status)
{
    if (ai_error_says(b, ai_error_context)) {
        return AI_ERR_CONTEXT_LENGTH;
    }

    if (ai_error_says(b, ai_error_quota)) {
        return AI_ERR_QUOTA;
    }

    if (status == 413) {
        /* Groq sends its limit of tokens per minute so */
        return ai_error_says(b, ai_error_rate) ? AI_ERR_QUOTA
                                               : AI_ERR_TOO_LARGE;
    }

    if (ai_error_says(b, ai_error_hopeless)) {
        return AI_ERR_QUOTA;
    }

    /* Google says this of each limit, but tells when to come again */

    if (ai_error_search(&b->body, "exceeded your current quota") != NULL
        && ai_error_search(&b->body, "\"retryDelay\"") == NULL)
    {
        return AI_ERR_QUOTA;
    }

    return AI_ERR_RATE_LIMIT;
}


/* a 4xx that may mean more than its status says */

static ai_error_e
ai_error_client(ai_error_body_t *b, ai_error_e error)
{
    if (ai_error_says(b, ai_error_context)) {
        return AI_ERR_CONTEXT_LENGTH;
    }

    if (ai_error_says(b, ai_error_filter)) {
        return AI_ERR_CONTENT_FILTER;
    }

    if (ai_error_says(b, ai_error_auth)) {
        return AI_ERR_UPSTREAM_AUTH;
    }

    if (ai_error_says(b, ai_error_quota)) {
        return AI_ERR_QUOTA;
    }

    if (ai_error_says(b, ai_error_rate)) {
        return AI_ERR_RATE_LIMIT;
    }

    if (error == AI_ERR_BAD_REQUEST && ai_error_says(b, ai_error_model)) {
        return AI_ERR_MODEL_NOT_FOUND;
    }

    return error;
}


/*
 * The status of an error told without one, as in the middle of a stream:
 * a number in its "code", or a name of its type; 500 when nothing tells
 */

static ai_uint_t
ai_error_body_status(ai_error_body_t *b)
{
    uint64_t                n;
    ai_json_t               code;
    const ai_error_type_t  *type;

    if (b->json
        && (ai_json_path(&b->root, &code, "error", "code", NULL) == AI_OK
            || ai_json_path(&b->root, &code, "0", "error", "code", NULL)
               == AI_OK
            || ai_json_path(&b->root, &code, "code", NULL) == AI_OK)
        && ai_json_uint(&code, &n) == AI_OK
        && n >= 400 && n < 600)
    {
        return (ai_uint_t) n;
    }

    for (type = ai_error_types; type->name != NULL; type++) {
        if (ai_error_search(&b->body, type->name) != NULL) {
            return type->status;
        }
    }

    return 500;
}


ai_str_t
ai_error_message(ai_str_t *body, u_char *buf, size_t size)
{
    u_char           *p, *end, *dst, *last, *stop, unit[4];
    size_t            n;
    ai_str_t          text;
    ai_json_t         one;
    ai_error_body_t   b;

    dst = buf;
    last = buf + size;

    ai_error_read(&b, body);

    if (!b.found) {
        text = ai_error_text(&b.body);
        dst = ai_error_clean(dst, last, text.data, text.data + text.len);

    } else {
        text = ai_json_str_raw(&b.message);

        p = text.data;
        end = p + text.len;

        while (p < end && dst < last) {

            n = ai_error_unit(p, end);

            /* a string of this one character */

            one = b.message;
            one.start = p - 1;
            one.end = p + n + 1;

            stop = ai_error_clean(dst, last, unit,
                                  unit + ai_json_str_decode(&one, unit));
            if (stop == dst) {
                break;
            }

            dst = stop;
            p += n;
        }
    }

    while (dst > buf && dst[-1] == ' ') {
        dst--;
    }

    text.data = buf;
    text.len = dst - buf;

    return text;
}


/* the length of a character of a valid string as it is written */

static size_t
ai_error_unit(u_char *p, u_char *last)
{
    u_char  ch;

    if (*p != '\\') {
        return ai_utf8_len(p, last);
    }

    if (p[1] != 'u') {
        return 2;
    }

    if ((p[2] | 0x20) != 'd') {
        return 6;
    }

    /* \ud800 .. \udbff are the first halves of pairs */

    ch = p[3] | 0x20;

    return (ch == '8' || ch == '9' || ch == 'a' || ch == 'b') ? 12 : 6;
}


/*
 * Copies text with each control character and line separator as a space;
 * stops at the first character that does not fit or is not UTF-8
 */

static u_char *
ai_error_clean(u_char *dst, u_char *last, u_char *p, u_char *end)
{
    size_t  n;

    while (p < end) {

        n = ai_utf8_len(p, end);

        if (n == 0 || (size_t) (last - dst) < n) {
            break;
        }

        if (*p < 0x20 || *p == 0x7f
            || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)
            || (n == 3 && p[0] == 0xe2 && p[1] == 0x80
                && (p[2] == 0xa8 || p[2] == 0xa9)))
        {
            *dst++ = ' ';

        } else {
            memcpy(dst, p, n);
            dst += n;
        }

        p += n;
    }

    return dst;
}


static void
ai_error_read(ai_error_body_t *b, ai_str_t *body)
{
    ai_alloc_t       none;
    ai_json_error_t  err;

    memset(b, 0, sizeof(ai_error_body_t));

    b->body = *body;

    if (b->body.len == 0) {
        ai_str_set(&b->body, "");
        return;
    }

    if (b->body.len > AI_ERROR_BODY_MAX) {
        b->body.len = AI_ERROR_BODY_MAX;
    }

    none.alloc = ai_error_no_memory;
    none.data = NULL;

    if (ai_json_scan(b->body.data, b->body.len, NULL, &none, NULL, NULL,
                     &b->root, &err)
        == AI_OK)
    {
        b->json = 1;
        ai_error_find(b);
        return;
    }

    ai_error_find_cut(b);
}


/* an error that needs more than the scanner has on the stack is none */

static void *
ai_error_no_memory(void *data, size_t size)
{
    (void) data;
    (void) size;

    return NULL;
}


/* whether b->message, just looked up, is a text worth telling */

static ai_uint_t
ai_error_is_message(ai_error_body_t *b)
{
    return b->message.type == AI_JSON_STRING
           && b->message.end - b->message.start > 2;
}


/* wire-formats.md 15.1, in that order */

static void
ai_error_find(ai_error_body_t *b)
{
    size_t                     i;
    static const char  *const  paths[][4] = {
        { "error", "message", NULL },
        { "error", NULL },
        { "0", "error", "message", NULL },
        { "message", NULL },
        { "Message", NULL },
        { "detail", NULL },
        { "detail", "0", "msg", NULL },
        { "detail", "message", NULL },
        { "errors", "0", "message", NULL },
        { "error_description", NULL }
    };

    b->message = b->root;

    if (ai_error_is_message(b)) {
        b->found = 1;
        return;
    }

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {

        if (ai_json_path(&b->root, &b->message, paths[i][0], paths[i][1],
                         paths[i][2], paths[i][3])
            == AI_OK
            && ai_error_is_message(b))
        {
            b->found = 1;
            return;
        }
    }
}


/* JSON that was cut off: the first string that follows "message": */

static void
ai_error_find_cut(ai_error_body_t *b)
{
    u_char           *p, *last, *start;
    size_t            i;
    ai_alloc_t        none;
    ai_json_error_t   err;

    static const char  *const  names[] = {
        "\"message\"", "\"error\"", "\"detail\"", NULL
    };

    none.alloc = ai_error_no_memory;
    none.data = NULL;

    last = b->body.data + b->body.len;

    for (i = 0; names[i] != NULL; i++) {

        p = ai_error_search(&b->body, names[i]);

        if (p == NULL) {
            continue;
        }

        p += strlen(names[i]);

        while (p < last && (*p == ' ' || *p == ':')) {
            p++;
        }

        if (p == last || *p != '"') {
            continue;
        }

        start = p++;

        while (p < last && *p != '"') {
            p += (*p == '\\' && last - p > 1) ? 2 : 1;
        }

        if (p >= last) {
            continue;
        }

        if (ai_json_scan(start, p + 1 - start, NULL, &none, NULL, NULL,
                         &b->message, &err)
            == AI_OK
            && ai_error_is_message(b))
        {
            b->found = 1;
            return;
        }
    }
}


/* the title of an HTML page, the beginning of a text, nothing of JSON */

static ai_str_t
ai_error_text(ai_str_t *body)
{
    u_char    *p, *last;
    ai_str_t   text;

    text = *body;

    p = text.data;
    last = p + text.len;

    while (p < last && *p <= ' ') {
        p++;
    }

    text.data = p;
    text.len = last - p;

    if (p == last || *p == '{' || *p == '[' || *p == '"') {
        text.len = 0;
        return text;
    }

    if (*p != '<') {
        if (text.len > AI_ERROR_TEXT_MAX) {
            text.len = AI_ERROR_TEXT_MAX;
        }

        return text;
    }

    p = ai_error_search(&text, "<title>");
    text.len = 0;

    if (p == NULL) {
        return text;
    }

    p += sizeof("<title>") - 1;

    while (p < last && *p <= ' ') {
        p++;
    }

    text.data = p;

    while (p < last && *p != '<') {
        p++;
    }

    text.len = p - text.data;

    return text;
}


static ai_uint_t
ai_error_says(ai_error_body_t *b, const char *const *phrases)
{
    for ( /* void */ ; *phrases != NULL; phrases++) {
        if (ai_error_search(&b->body, *phrases) != NULL) {
            return 1;
        }
    }

    return 0;
}


/* the first place of a phrase in a text, in any case, or NULL */

static u_char *
ai_error_search(ai_str_t *text, const char *phrase)
{
    u_char  *p, *last, c1, c2;
    size_t   i, len;

    len = strlen(phrase);

    if (text->len < len) {
        return NULL;
    }

    last = text->data + (text->len - len);

    for (p = text->data; p <= last; p++) {

        for (i = 0; i < len; i++) {
            c1 = p[i];
            c2 = (u_char) phrase[i];

            c1 = (c1 >= 'A' && c1 <= 'Z') ? c1 | 0x20 : c1;
            c2 = (c2 >= 'A' && c2 <= 'Z') ? c2 | 0x20 : c2;

            if (c1 != c2) {
                break;
            }
        }

        if (i == len) {
            return p;
        }
    }

    return NULL;
}

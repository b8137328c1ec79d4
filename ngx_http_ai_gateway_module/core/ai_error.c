
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_error.h"
#include "ai_time.h"


static ai_int_t ai_error_seconds(ai_str_t *text, uint64_t *n,
    ai_uint_t *fraction);


/* types of the three families of clients that several rows share */

#define AI_INVALID    "invalid_request_error", "invalid_request_error",      \
                      "INVALID_ARGUMENT"
#define AI_UPSTREAM   "upstream_error", "api_error", "UNAVAILABLE"
#define AI_TIMEOUT    "upstream_error", "timeout_error", "DEADLINE_EXCEEDED"


/* wire-formats.md 15.2, in the order of ai_error_e */

static const ai_error_row_t  ai_error_rows[] = {

    [AI_ERR_NONE] = { 200, "", "", "", "OK", "", 0 },

    [AI_ERR_BAD_REQUEST] = { 400, "invalid_request", AI_INVALID,
        "the request is not valid for this endpoint: correct its parameters",
        0 },

    [AI_ERR_INVALID_JSON] = { 400, "invalid_json", AI_INVALID,
        "the request body is not valid JSON: send one UTF-8 JSON object",
        0 },

    [AI_ERR_INVALID_MODEL] = { 400, "invalid_model", AI_INVALID,
        "\"model\" must be a string of 1 to 128 letters, digits and "
        "\". _ : / @ -\"", 0 },

    /* Anthropic's clients look for how this message begins */

    [AI_ERR_CONTEXT_LENGTH] = { 400, "context_length_exceeded", AI_INVALID,
        "prompt is too long: it exceeds the context window of the model, "
        "shorten the input or choose a model with a larger window", 0 },

    [AI_ERR_CONTENT_FILTER] = { 400, "content_filter", AI_INVALID,
        "the content was refused by the provider's policy: change the input",
        0 },

    [AI_ERR_UNAUTHORIZED] = { 401, "invalid_api_key",
        "invalid_request_error", "authentication_error", "UNAUTHENTICATED",
        "missing or unknown API key: send a key of this gateway", 0 },

    [AI_ERR_FORBIDDEN] = { 403, "permission_denied",
        "permission_error", "permission_error", "PERMISSION_DENIED",
        "access to this model or endpoint is not allowed: ask whoever runs "
        "the gateway", 0 },

    [AI_ERR_NOT_FOUND] = { 404, "not_found",
        "invalid_request_error", "not_found_error", "NOT_FOUND",
        "there is nothing at this path: check the base URL, most clients "
        "want it to end in /v1", 0 },

    [AI_ERR_MODEL_NOT_FOUND] = { 404, "model_not_found",
        "invalid_request_error", "not_found_error", "NOT_FOUND",
        "the model does not exist or is not available here: GET /v1/models "
        "lists those that are", 0 },

    [AI_ERR_METHOD] = { 405, "method_not_allowed", AI_INVALID,
        "this method is not allowed at this path", 0 },

    [AI_ERR_TOO_LARGE] = { 413, "request_too_large",
        "invalid_request_error", "request_too_large", "INVALID_ARGUMENT",
        "the request body is too large: send less, or have the limit raised",
        0 },

    [AI_ERR_MEDIA_TYPE] = { 415, "unsupported_media_type", AI_INVALID,
        "the content type is not supported: send application/json", 0 },

    [AI_ERR_ENCODING] = { 415, "unsupported_encoding", AI_INVALID,
        "the content encoding is not supported or the body is damaged: send "
        "it plain, or as gzip or deflate", 0 },

    [AI_ERR_RATE_LIMIT] = { 429, "rate_limit_exceeded",
        "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED",
        "too many requests or tokens in this time: slow down and try again "
        "later", 1 },

    [AI_ERR_QUOTA] = { 429, "insufficient_quota",
        "insufficient_quota", "rate_limit_error", "RESOURCE_EXHAUSTED",
        "the quota or budget is exhausted: trying again does not help until "
        "it is renewed or raised", 0 },

    [AI_ERR_UNSUPPORTED] = { 501, "not_supported",
        "invalid_request_error", "invalid_request_error", "UNIMPLEMENTED",
        "this operation is not supported by the gateway or by the provider "
        "of the model", 0 },

    [AI_ERR_INTERNAL] = { 500, "internal_error",
        "server_error", "api_error", "INTERNAL",
        "the gateway failed: its error log tells why", 1 },

    [AI_ERR_UPSTREAM_DNS] = { 502, "upstream_dns", AI_UPSTREAM,
        "the provider's host name could not be resolved: try again later",
        1 },

    [AI_ERR_UPSTREAM_CONNECT] = { 502, "upstream_connect", AI_UPSTREAM,
        "no connection to the provider: try again later", 1 },

    [AI_ERR_UPSTREAM_TLS] = { 502, "upstream_tls", AI_UPSTREAM,
        "no secure connection to the provider: its certificate or TLS "
        "version was not accepted", 1 },

    [AI_ERR_UPSTREAM_RESET] = { 502, "upstream_reset", AI_UPSTREAM,
        "the provider closed the connection before it answered: try again",
        1 },

    [AI_ERR_UPSTREAM_INVALID] = { 502, "upstream_invalid", AI_UPSTREAM,
        "the provider's answer could not be understood: try again later",
        1 },

    [AI_ERR_UPSTREAM_TRUNCATED] = { 502, "upstream_truncated", AI_UPSTREAM,
        "the provider's answer ended before it was complete: try again", 1 },

    [AI_ERR_UPSTREAM_TOO_LARGE] = { 502, "upstream_too_large", AI_UPSTREAM,
        "the provider's answer is larger than the gateway accepts: ask for "
        "less", 0 },

    [AI_ERR_UPSTREAM_AUTH] = { 502, "provider_auth", AI_UPSTREAM,
        "the provider did not accept the gateway's credential: whoever runs "
        "the gateway must renew it", 0 },

    [AI_ERR_UPSTREAM_ERROR] = { 502, "upstream_error", AI_UPSTREAM,
        "the provider failed: try again later", 1 },

    [AI_ERR_UPSTREAM_OVERLOADED] = { 503, "upstream_overloaded",
        "upstream_error", "overloaded_error", "UNAVAILABLE",
        "the provider is overloaded: try again later", 1 },

    [AI_ERR_NO_TARGET] = { 503, "no_target",
        "upstream_error", "overloaded_error", "UNAVAILABLE",
        "no provider is available for this model now: try again later", 1 },

    [AI_ERR_CONNECT_TIMEOUT] = { 504, "upstream_connect_timeout",
        AI_TIMEOUT,
        "the provider did not accept a connection in time: try again later",
        1 },

    [AI_ERR_FIRST_TOKEN_TIMEOUT] = { 504, "upstream_first_token_timeout",
        AI_TIMEOUT,
        "the provider did not begin to answer in time: try again, or send "
        "less input", 1 },

    [AI_ERR_IDLE_TIMEOUT] = { 504, "upstream_idle_timeout", AI_TIMEOUT,
        "the provider stopped in the middle of its answer: try again", 1 },

    [AI_ERR_TIMEOUT] = { 504, "upstream_timeout", AI_TIMEOUT,
        "the provider did not finish its answer in time: try again, ask for "
        "less, or stream", 1 }
};


const ai_error_row_t *
ai_error_row(ai_error_e error)
{
    if ((unsigned) error >= AI_ERR_MAX) {
        error = AI_ERR_INTERNAL;
    }

    return &ai_error_rows[error];
}


ai_uint_t
ai_error_status(ai_error_doc_t *doc)
{
    return doc->status ? doc->status : ai_error_row(doc->error)->status;
}


ai_int_t
ai_retry_delay(ai_str_t *body, ai_int_t max)
{
    u_char    *p, *last;
    ai_str_t   delay;

    static const ai_str_t  name = ai_string("\"retryDelay\"");

    p = body->data;
    last = p + body->len;

    for ( /* void */ ; (size_t) (last - p) > name.len; p++) {

        p = memchr(p, '"', (size_t) (last - p) - name.len);

        if (p == NULL) {
            return -1;
        }

        if (memcmp(p, name.data, name.len) == 0) {
            p += name.len;
            break;
        }
    }

    /* a colon, blanks, a quote; then the number, and "s" */

    while (p < last && (*p == ':' || *p == '"' || *p <= ' ')) {
        p++;
    }

    delay.data = p;

    while (p < last && ((*p >= '0' && *p <= '9') || *p == '.')) {
        p++;
    }

    delay.len = (size_t) (p - delay.data);

    if (delay.len == 0 || p == last || *p != 's') {
        return -1;
    }

    return ai_retry_after(&delay, NULL, 0, max);
}


ai_int_t
ai_retry_after(ai_str_t *seconds, ai_str_t *ms, uint64_t now, ai_int_t max)
{
    uint64_t   n;
    ai_uint_t  fraction;

    /* providers send 0 milliseconds when they mean none */

    if (ms != NULL && ai_error_seconds(ms, &n, &fraction) == AI_OK
        && (n != 0 || fraction))
    {
        fraction |= (n % 1000 != 0);
        n /= 1000;

    } else if (seconds == NULL) {
        return -1;

    } else if (ai_error_seconds(seconds, &n, &fraction) == AI_OK) {
        /* void */

    } else if (ai_time_http(seconds, &n) == AI_OK && n >= now) {
        n -= now;
        fraction = 0;

    } else {
        return -1;
    }

    /* a part of a second is waited for as a whole one */

    if (fraction) {
        n++;
    }

    return n > (uint64_t) max ? max : (ai_int_t) n;
}


/*
 * "12", or "12.5" as some send against RFC 9110; what is too large for the
 * integer ends at half of its range
 */

static ai_int_t
ai_error_seconds(ai_str_t *text, uint64_t *n, ai_uint_t *fraction)
{
    u_char  *p, *last;

    if (text->len == 0 || text->data[0] < '0' || text->data[0] > '9') {
        return AI_DECLINED;
    }

    p = text->data;
    last = p + text->len;

    *fraction = 0;

    for (*n = 0; p < last && *p >= '0' && *p <= '9'; p++) {
        *n = *n * 10 + (*p - '0');

        if (*n > UINT64_MAX / 20) {
            *n = UINT64_MAX / 20;
        }
    }

    if (p < last && *p == '.') {
        for (p++; p < last && *p >= '0' && *p <= '9'; p++) {
            *fraction |= (*p != '0');
        }
    }

    return p == last ? AI_OK : AI_DECLINED;
}

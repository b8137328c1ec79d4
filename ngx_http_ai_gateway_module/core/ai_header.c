
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_header.h"


/* names of one length, so that one look at a name leaves a few to compare */

#define AI_HEADER_ROW  4

typedef const char  *ai_header_row_t[AI_HEADER_ROW];


static ai_int_t ai_header_in(const ai_header_row_t *rows, size_t n,
    ai_str_t *name);
static ai_int_t ai_header_starts(ai_str_t *name, const ai_str_t *prefix);
static ai_int_t ai_args_secret(u_char *p, u_char *last);
static ai_int_t ai_args_name_eq(u_char *p, u_char *last, const char *name,
    ai_uint_t fold);
static u_char *ai_args_char(u_char *p, u_char *last, u_char *ch);
static ai_int_t ai_args_hex(u_char ch);


#define ai_header_lookup(rows, name)                                         \
    ai_header_in(rows, sizeof(rows) / sizeof(rows[0]), name)


/*
 * What describes the request or traces it.  Not here, though harmless: what
 * the module writes itself (accept-encoding, x-request-id), what tells of
 * the user (baggage, accept-language, referer).
 */

static const ai_header_row_t  ai_header_requests[] = {
    [5] = { "range" },
    [6] = { "accept" },
    [8] = { "if-range" },
    [9] = { "thread-id" },
    [10] = { "user-agent", "originator", "session-id", "tracestate" },
    [11] = { "traceparent", "openai-beta" },
    [12] = { "content-type" },
    [13] = { "if-none-match" },
    [14] = { "anthropic-beta" },
    [15] = { "idempotency-key", "x-fern-language", "x-fern-sdk-name" },
    [17] = { "anthropic-version", "if-modified-since", "x-goog-api-client" },
    [18] = { "x-fern-sdk-version" },
    [19] = { "x-client-request-id" },
    [24] = { "x-claude-code-session-id" },
    [41] = { "anthropic-dangerous-direct-browser-access" }
};


/* those of them that mean the same to every provider */

static const ai_header_row_t  ai_header_neutrals[] = {
    [10] = { "user-agent", "tracestate" },
    [11] = { "traceparent" },
    [15] = { "idempotency-key" },
    [19] = { "x-client-request-id" }
};


static const ai_header_row_t  ai_header_responses[] = {
    [4] = { "etag" },
    [11] = { "retry-after" },
    [12] = { "content-type", "openai-model" },
    [13] = { "accept-ranges", "content-range", "last-modified" },
    [14] = { "retry-after-ms", "x-should-retry", "openai-version" },
    [19] = { "content-disposition" },
    [20] = { "openai-processing-ms" }
};


static const ai_header_row_t  ai_header_accounts[] = {
    [6] = { "cf-ray" },
    [14] = { "openai-project" },
    [19] = { "openai-organization" },
    [22] = { "anthropic-workspace-id" },
    [25] = { "anthropic-organization-id" }
};


static const ai_header_row_t  ai_header_cloud_betas[] = {
    [17] = { "effort-2025-11-24" },
    [21] = { "context-1m-2025-08-07" },
    [22] = { "output-128k-2025-02-19" },
    [23] = { "computer-use-2025-01-24" },
    [24] = { "tool-examples-2025-10-29" },
    [27] = { "tool-search-tool-2025-10-19" },
    [28] = { "dev-full-thinking-2025-05-14" },
    [29] = { "context-management-2025-06-27" },
    [31] = { "interleaved-thinking-2025-05-14" },
    [32] = { "token-efficient-tools-2025-02-19" }
};


/* limits of the account, as every provider spells them */

static const ai_str_t  ai_header_limits[] = {
    ai_string("x-ratelimit-"),
    ai_string("anthropic-ratelimit-"),
    ai_string("anthropic-priority-"),
    ai_string("anthropic-fast-"),
    ai_string("x-ratelimitbysize-"),
    ai_string("ratelimit-"),
    ai_string("ratelimitbysize-"),
    ai_null_string
};


/* compared decoded and in lower case */

static const char  *const ai_args_secrets[] = {
    "key",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
    "x-goog-api-key",
    "xi-api-key",
    "access_token",
    "access-token",
    "auth_token",
    "oauth_token",
    "id_token",
    "token",
    "auth",
    "authorization",
    "subscription-key",
    "password",
    "secret",
    "client_secret",
    "sig",
    "signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-signature",
    NULL
};


ai_int_t
ai_header_request(ai_str_t *name)
{
    static const ai_str_t  stainless = ai_string("x-stainless-");

    if (ai_header_lookup(ai_header_requests, name) == AI_OK) {
        return AI_OK;
    }

    return ai_header_starts(name, &stainless);
}


ai_int_t
ai_header_neutral(ai_str_t *name)
{
    return ai_header_lookup(ai_header_neutrals, name);
}


ai_header_e
ai_header_response(ai_str_t *name, ai_str_t *to)
{
    const ai_str_t  *prefix;

    if (ai_header_lookup(ai_header_responses, name) == AI_OK) {
        return AI_HEADER_PASS;
    }

    /* ours stand under these names, a client may quote either to support */

    if (ai_str_eq(name, "x-request-id") || ai_str_eq(name, "request-id")) {
        ai_str_set(to, "x-upstream-request-id");
        return AI_HEADER_RENAME;
    }

    if (ai_header_lookup(ai_header_accounts, name) == AI_OK) {
        return AI_HEADER_ACCOUNT;
    }

    for (prefix = ai_header_limits; prefix->len != 0; prefix++) {
        if (ai_header_starts(name, prefix) == AI_OK) {
            return AI_HEADER_ACCOUNT;
        }
    }

    return AI_HEADER_DROP;
}


size_t
ai_header_betas(u_char *dst, const ai_str_t *list)
{
    u_char    *p, *comma, *last, *out;
    ai_str_t   beta;

    p = list->data;
    last = p + list->len;
    out = dst;

    while (p < last) {

        comma = memchr(p, ',', (size_t) (last - p));

        if (comma == NULL) {
            comma = last;
        }

        while (p < comma && (*p == ' ' || *p == '\t')) {
            p++;
        }

        beta.data = p;
        beta.len = (size_t) (comma - p);

        while (beta.len != 0 && (p[beta.len - 1] == ' '
                                 || p[beta.len - 1] == '\t'))
        {
            beta.len--;
        }

        p = comma + (comma < last);

        if (ai_header_lookup(ai_header_cloud_betas, &beta) != AI_OK) {
            continue;
        }

        if (out != dst) {
            *out++ = ',';
        }

        memmove(out, beta.data, beta.len);
        out += beta.len;
    }

    return (size_t) (out - dst);
}


static ai_int_t
ai_header_in(const ai_header_row_t *rows, size_t n, ai_str_t *name)
{
    size_t              i;
    const char *const  *row;

    if (name->len >= n) {
        return AI_DECLINED;
    }

    row = rows[name->len];

    for (i = 0; i < AI_HEADER_ROW && row[i] != NULL; i++) {
        if (memcmp(row[i], name->data, name->len) == 0) {
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


/* something must follow the prefix */

static ai_int_t
ai_header_starts(ai_str_t *name, const ai_str_t *prefix)
{
    if (name->len > prefix->len
        && memcmp(name->data, prefix->data, prefix->len) == 0)
    {
        return AI_OK;
    }

    return AI_DECLINED;
}


size_t
ai_args_clean(u_char *dst, ai_str_t *args)
{
    u_char     *p, *last, *end, *start;
    ai_uint_t   first;

    if (args->len == 0) {
        return 0;
    }

    start = dst;
    first = 1;

    p = args->data;
    last = p + args->len;

    for ( ;; ) {

        end = memchr(p, '&', last - p);

        if (end == NULL) {
            end = last;
        }

        if (ai_args_secret(p, end) != AI_OK) {

            if (!first) {
                *dst++ = '&';
            }

            /* dst may be the place of args itself */

            memmove(dst, p, end - p);
            dst += end - p;
            first = 0;
        }

        if (end == last) {
            return dst - start;
        }

        p = end + 1;
    }
}


void
ai_args_mask(ai_str_t *args)
{
    u_char  *p, *last, *end, *eq;

    p = args->data;
    last = p + args->len;

    while (p < last) {

        end = memchr(p, '&', last - p);

        if (end == NULL) {
            end = last;
        }

        if (ai_args_secret(p, end) == AI_OK) {
            eq = memchr(p, '=', end - p);

            if (eq != NULL) {
                memset(eq + 1, '*', end - (eq + 1));
            }
        }

        p = end + 1;
    }
}


ai_int_t
ai_args_find(ai_str_t *args, const char *name, ai_str_t *value)
{
    u_char  *p, *last, *end, *eq;

    if (args->len == 0) {
        return AI_DECLINED;
    }

    p = args->data;
    last = p + args->len;

    for ( ;; ) {

        end = memchr(p, '&', last - p);

        if (end == NULL) {
            end = last;
        }

        eq = memchr(p, '=', end - p);

        if (eq == NULL) {
            eq = end;
        }

        if (ai_args_name_eq(p, eq, name, 0) == AI_OK) {
            value->data = eq < end ? eq + 1 : end;
            value->len = end - value->data;
            return AI_OK;
        }

        if (end == last) {
            return AI_DECLINED;
        }

        p = end + 1;
    }
}


static ai_int_t
ai_args_secret(u_char *p, u_char *last)
{
    u_char             *eq;
    const char *const  *name;

    eq = memchr(p, '=', last - p);

    if (eq == NULL) {
        eq = last;
    }

    for (name = ai_args_secrets; *name != NULL; name++) {
        if (ai_args_name_eq(p, eq, *name, 1) == AI_OK) {
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


/* a provider decodes a name before it looks at it: %6bey is key */

static ai_int_t
ai_args_name_eq(u_char *p, u_char *last, const char *name, ai_uint_t fold)
{
    u_char  ch;

    while (p < last && *name != '\0') {

        p = ai_args_char(p, last, &ch);

        if (fold && ch >= 'A' && ch <= 'Z') {
            ch |= 0x20;
        }

        if (ch != (u_char) *name++) {
            return AI_DECLINED;
        }
    }

    return (p == last && *name == '\0') ? AI_OK : AI_DECLINED;
}


static u_char *
ai_args_char(u_char *p, u_char *last, u_char *ch)
{
    ai_int_t  hi, lo;

    if (*p == '%' && last - p >= 3) {
        hi = ai_args_hex(p[1]);
        lo = ai_args_hex(p[2]);

        if (hi >= 0 && lo >= 0) {
            *ch = (u_char) (hi << 4 | lo);
            return p + 3;
        }
    }

    *ch = *p;

    return p + 1;
}


static ai_int_t
ai_args_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    if (ch >= 'a' && ch <= 'f') {
        return ch - 'a' + 10;
    }

    return -1;
}

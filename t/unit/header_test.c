
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What passes to a provider and back, by name; secrets in query strings.
 */


#include "ai_header.h"
#include "unit.h"


static ai_str_t
str(const char *s)
{
    ai_str_t  r;

    r.len = strlen(s);
    r.data = unit_bytes(s, r.len);

    return r;
}


static void
request(const char *name, ai_int_t want)
{
    ai_str_t  s;

    s = str(name);

    if (!CHECK_INT(ai_header_request(&s), want)) {
        printf("    for %s\n", name);
    }
}


static void
response(const char *name, ai_header_e want)
{
    ai_str_t  s, to;

    to.len = 0;
    to.data = NULL;

    s = str(name);

    if (!CHECK_INT(ai_header_response(&s, &to), want)) {
        printf("    for %s\n", name);
    }

    if (want == AI_HEADER_RENAME) {
        CHECK_STR(to.data, to.len, "x-upstream-request-id");
    }
}


static void
test_request(void)
{
    size_t       i, j;
    ai_str_t     s;
    const char  *pass[] = {
        "range", "accept", "if-range", "thread-id", "user-agent",
        "originator", "session-id", "tracestate", "traceparent",
        "openai-beta", "content-type", "if-none-match", "anthropic-beta",
        "idempotency-key", "x-fern-language", "x-fern-sdk-name",
        "anthropic-version", "if-modified-since", "x-goog-api-client",
        "x-fern-sdk-version", "x-client-request-id",
        "x-claude-code-session-id",
        "anthropic-dangerous-direct-browser-access",
        "x-stainless-retry-count", "x-stainless-lang",
        "x-stainless-helper-method", "x-stainless-read-timeout", NULL
    };

    const char  *drop[] = {

        /* credentials and accounts: reliability.md 167 */

        "authorization", "proxy-authorization", "x-api-key", "api-key",
        "x-goog-api-key", "xi-api-key", "cookie", "cookie2",
        "x-portkey-api-key", "x-portkey-config", "x-litellm-api-key",
        "x-litellm-tags", "openai-organization", "openai-project",
        "x-goog-user-project", "x-amz-security-token", "x-amz-date",
        "ocp-apim-subscription-key", "helicone-auth", "cf-aig-authorization",
        "x-auth-token", "x-access-token", "apikey", "x-csrf-token",

        /* framing, hops */

        "host", "content-length", "transfer-encoding", "connection",
        "keep-alive", "te", "trailer", "upgrade", "expect",
        "proxy-connection", "http2-settings", "content-encoding",
        "accept-encoding", "x-http-method-override",

        /* who and where */

        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
        "x-real-ip", "forwarded", "via", "referer", "http-referer", "origin",
        "baggage", "accept-language", "x-request-id", "x-openwebui-user-name",
        "x-codex-turn-metadata", "sec-fetch-mode", "x-accel-redirect",

        /* near misses */

        "", "x-stainless-", "x-stainless", "accep", "accept-", "rangE",
        "Accept", "anthropic-versio", "anthropic-version2", NULL
    };

    for (i = 0; pass[i] != NULL; i++) {
        request(pass[i], AI_OK);
    }

    for (i = 0; drop[i] != NULL; i++) {
        request(drop[i], AI_DECLINED);
    }

    /* every length, beyond the table too */

    for (i = 0; i < 100; i++) {
        s.len = i;
        s.data = unit_alloc(NULL, i);

        for (j = 0; j < i; j++) {
            s.data[j] = 'a';
        }

        CHECK_INT(ai_header_request(&s), AI_DECLINED);
    }
}


static void
test_response(void)
{
    size_t       i;
    const char  *pass[] = {
        "etag", "retry-after", "content-type", "openai-model",
        "accept-ranges", "content-range", "last-modified", "retry-after-ms",
        "x-should-retry", "openai-version", "content-disposition",
        "openai-processing-ms", NULL
    };

    const char  *account[] = {
        "cf-ray", "openai-project", "openai-organization",
        "anthropic-workspace-id", "anthropic-organization-id",
        "x-ratelimit-limit-requests", "x-ratelimit-reset-tokens",
        "anthropic-ratelimit-tokens-remaining", "ratelimit-reset",
        "x-ratelimitbysize-limit-minute", "ratelimitbysize-limit",
        "anthropic-priority-input-tokens-limit", NULL
    };

    const char  *drop[] = {
        "x-accel-redirect", "x-accel-buffering", "x-accel-expires",
        "x-accel-limit-rate", "x-accel-charset", "set-cookie", "set-cookie2",
        "server", "via", "alt-svc", "strict-transport-security",
        "access-control-allow-origin", "access-control-expose-headers",
        "location", "content-location", "refresh", "link", "date", "vary",
        "content-length", "transfer-encoding", "connection", "keep-alive",
        "content-encoding", "trailer", "upgrade", "www-authenticate",
        "proxy-authenticate", "cf-cache-status", "x-powered-by", "nel",
        "report-to", "x-envoy-upstream-service-time", "x-ms-region",
        "content-security-policy", "cache-control", "expires", "pragma",
        "traceparent", "server-timing", "x-robots-tag", "",
        "x-ratelimit-", "x-ratelimit", "Content-Type", NULL
    };

    for (i = 0; pass[i] != NULL; i++) {
        response(pass[i], AI_HEADER_PASS);
    }

    for (i = 0; account[i] != NULL; i++) {
        response(account[i], AI_HEADER_ACCOUNT);
    }

    for (i = 0; drop[i] != NULL; i++) {
        response(drop[i], AI_HEADER_DROP);
    }

    response("x-request-id", AI_HEADER_RENAME);
    response("request-id", AI_HEADER_RENAME);
}


static void
clean(const char *args, const char *want)
{
    u_char   *dst;
    size_t    len;
    ai_str_t  s;

    s = str(args);
    dst = unit_alloc(NULL, s.len);

    len = ai_args_clean(dst, &s);
    CHECK_MEM(dst, len, want, strlen(want));

    /* in place, too */

    s.len = ai_args_clean(s.data, &s);
    CHECK_MEM(s.data, s.len, want, strlen(want));
}


static void
test_args_clean(void)
{
    clean("", "");
    clean("beta=true", "beta=true");
    clean("key=secret", "");
    clean("alt=sse&key=secret", "alt=sse");
    clean("key=secret&alt=sse", "alt=sse");
    clean("a=1&key=x&b=2&KEY=y&c=%41+&d", "a=1&b=2&c=%41+&d");
    clean("k%65y=x&alt=sse", "alt=sse");
    clean("%4bEY=x&alt=sse", "alt=sse");
    clean("%6B%65%79=x", "");
    clean("api_key=a&api-key=b&apikey=c&access_token=d&token=e&x=1", "x=1");
    clean("x-goog-api-key=a&X-Amz-Signature=b&X-Amz-Credential=c&y", "y");
    clean("key&a", "a");
    clean("a&key", "a");
    clean("key=a&key=b&key", "");
    clean("&&a&&", "&&a&&");
    clean("&key=x&", "&");
    clean("keys=1&monkey=2&ke=3&key%=4&key%zz=5",
          "keys=1&monkey=2&ke=3&key%=4&key%zz=5");
    clean("a=key&b=key=1", "a=key&b=key=1");
    clean("=key", "=key");
}


static void
find(const char *args, const char *name, const char *want)
{
    ai_int_t  rc;
    ai_str_t  s, value;

    s = str(args);
    rc = ai_args_find(&s, name, &value);

    CHECK_INT(rc, want != NULL ? AI_OK : AI_DECLINED);

    if (rc == AI_OK && want != NULL) {
        CHECK_MEM(value.data, value.len, want, strlen(want));
    }
}


static void
test_args_find(void)
{
    ai_str_t  s;

    s.data = NULL;
    s.len = 0;
    CHECK_UINT(ai_args_clean(NULL, &s), 0);
    CHECK_INT(ai_args_find(&s, "key", &s), AI_DECLINED);
    CHECK_INT(ai_header_request(&s), AI_DECLINED);
    CHECK_INT(ai_header_response(&s, &s), AI_HEADER_DROP);

    find("", "key", NULL);
    find("key=abc", "key", "abc");
    find("a=1&key=abc&b=2", "key", "abc");
    find("a=1&key=&b=2", "key", "");
    find("a=1&key", "key", "");
    find("a=1&b=2", "key", NULL);
    find("monkey=1", "key", NULL);
    find("k%65y=%41", "key", "%41");
    find("KEY=1", "key", NULL);
    find("key=a=b", "key", "a=b");
    find("key=1&key=2", "key", "1");
    find("client_version=0.1.2", "client_version", "0.1.2");
    find("&&key=1", "key", "1");
}


static void
betas(const char *list, const char *want)
{
    size_t    len;
    ai_str_t  s;

    s.len = strlen(list);
    s.data = unit_bytes(list, s.len);

    len = ai_header_betas(s.data, &s);

    CHECK_MEM(s.data, len, want, strlen(want));
}


/* wire-formats.md 13.1 */

static void
test_betas(void)
{
    betas("", "");
    betas(",", "");
    betas(" , ,", "");
    betas("claude-code-20250219", "");
    betas("context-1m-2025-08-07", "context-1m-2025-08-07");
    betas("context-1m-2025-08-08", "");
    betas("context-1m-2025-08-07 , claude-code-20250219,\t"
          "interleaved-thinking-2025-05-14,",
          "context-1m-2025-08-07,interleaved-thinking-2025-05-14");
    betas("oauth-2025-04-20,effort-2025-11-24", "effort-2025-11-24");
    betas("computer-use-2025-01-24,token-efficient-tools-2025-02-19,"
          "output-128k-2025-02-19,dev-full-thinking-2025-05-14,"
          "context-management-2025-06-27,tool-search-tool-2025-10-19,"
          "tool-examples-2025-10-29",
          "computer-use-2025-01-24,token-efficient-tools-2025-02-19,"
          "output-128k-2025-02-19,dev-full-thinking-2025-05-14,"
          "context-management-2025-06-27,tool-search-tool-2025-10-19,"
          "tool-examples-2025-10-29");
}


int
main(void)
{
    UNIT_RUN(test_request);
    UNIT_RUN(test_response);
    UNIT_RUN(test_betas);
    UNIT_RUN(test_args_clean);
    UNIT_RUN(test_args_find);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The log record: every member, in order, valid and bounded whatever the
 * strings hold; times; the families of clients.
 */


#include "ai_record.h"
#include "ai_text.h"
#include "ai_time.h"
#include "unit.h"


#define TEXT(s)  { sizeof(s) - 1, (u_char *) s }


static ai_str_t
str(const char *s)
{
    ai_str_t  r;

    r.len = strlen(s);
    r.data = unit_bytes(s, r.len);

    return r;
}


static void
valid(u_char *p, u_char *end, ai_json_t *root)
{
    ai_json_error_t  err;

    CHECK(end - p <= AI_RECORD_MAX);
    CHECK(memchr(p, '\n', end - p) == NULL);

    if (!CHECK_INT(ai_json_scan(p, end - p, NULL, &unit_arena, NULL, NULL,
                                root, &err),
                   AI_OK))
    {
        printf("    %s at %zu\n", err.reason, err.offset);
    }

    CHECK_INT(root->type, AI_JSON_OBJECT);
}


static void
test_full(void)
{
    u_char               *p, *end;
    ai_json_t             root;
    ai_record_t           rec;
    ai_record_attempt_t   attempts[2];

    static const char  want[] =
        "{\"v\":1,\"time\":\"2026-11-22T16:30:05.123Z\",\"id\":\"a1b2\","
        "\"trace\":\"5b8e\",\"remote\":\"10.0.0.9\",\"status\":200,"
        "\"outcome\":\"ok\",\"client\":\"openai-python\",\"retry\":1,"
        "\"dialect\":\"openai\",\"op\":\"chat\",\"stream\":true,"
        "\"model_requested\":\"claude-sonnet-5\",\"model\":\"smart\","
        "\"provider\":\"openai\",\"model_upstream\":\"gpt-5.5\","
        "\"model_response\":\"gpt-5.5-2026-08-01\","
        "\"route\":[\"anthropic:429\",\"openai:200\"],\"attempts\":2,"
        "\"tokens\":{\"in\":1200,\"cached\":1024,\"cache_write\":6,"
        "\"out\":300,\"reasoning\":7,\"source\":\"provider\"},"
        "\"request_bytes\":1000,\"response_bytes\":2000,"
        "\"ttft_s\":0.412,\"duration_s\":3.210,\"overhead_s\":0.0011,"
        "\"finish\":\"stop\",\"tools\":\"f,g\",\"dropped\":\"seed\","
        "\"error\":\"\","
        "\"tries\":[{\"provider\":\"anthropic\",\"model\":\"c-5\","
        "\"status\":429,\"cause\":\"rate_limit_exceeded\",\"ms\":100},"
        "{\"provider\":\"openai\",\"model\":\"gpt-5.5\",\"status\":200,"
        "\"cause\":\"\",\"ms\":3100}]}";

    memset(&rec, 0, sizeof(rec));
    memset(attempts, 0, sizeof(attempts));

    rec.id = str("a1b2");
    rec.trace = str("5b8e");
    rec.remote = str("10.0.0.9");
    rec.client = str("openai-python");
    rec.dialect = str("openai");
    rec.op = str("chat");
    rec.model_requested = str("claude-sonnet-5");
    rec.model = str("smart");
    rec.provider = str("openai");
    rec.model_upstream = str("gpt-5.5");
    rec.model_response = str("gpt-5.5-2026-08-01");
    rec.finish = str("stop");
    rec.tools = str("f,g");
    rec.dropped = str("seed");
    rec.outcome = AI_OUTCOME_OK;
    rec.status = 200;
    rec.retry = 1;
    rec.stream = 1;
    rec.time_ms = 1795365005123ULL;
    rec.request_bytes = 1000;
    rec.response_bytes = 2000;
    rec.usage.uncached = 170;
    rec.usage.cached = 1024;
    rec.usage.cache_write = 6;
    rec.usage.output = 300;
    rec.usage.reasoning = 7;
    rec.usage.source = AI_USAGE_PROVIDER;
    rec.ttft_us = 412999;
    rec.duration_us = 3210000;
    rec.overhead_us = 1199;
    rec.attempts = attempts;
    rec.nattempts = 2;

    attempts[0].doc.provider = str("anthropic");
    attempts[0].doc.status = 429;
    attempts[0].doc.error = AI_ERR_RATE_LIMIT;
    attempts[0].model = str("c-5");
    attempts[0].duration_us = 100999;
    attempts[1].doc.provider = str("openai");
    attempts[1].doc.status = 200;
    attempts[1].model = str("gpt-5.5");
    attempts[1].duration_us = 3100000;

    p = unit_alloc(NULL, AI_RECORD_MAX);
    end = ai_record_render(p, &rec);

    valid(p, end, &root);
    CHECK_STR(p, end - p, want);
}


static void
test_empty(void)
{
    u_char       *p, *end;
    ai_json_t     root;
    ai_record_t   rec;

    static const char  want[] =
        "{\"v\":1,\"time\":\"1970-01-01T00:00:00.000Z\",\"id\":\"\","
        "\"trace\":\"\",\"remote\":\"\",\"status\":0,\"outcome\":\"none\","
        "\"client\":\"\",\"retry\":0,\"dialect\":\"\",\"op\":\"\","
        "\"stream\":false,\"model_requested\":\"\",\"model\":\"\","
        "\"provider\":\"\",\"model_upstream\":\"\",\"model_response\":\"\","
        "\"route\":[],\"attempts\":0,\"tokens\":{\"in\":0,\"cached\":0,"
        "\"cache_write\":0,\"out\":0,\"reasoning\":0,\"source\":\"none\"},"
        "\"request_bytes\":0,\"response_bytes\":0,\"ttft_s\":0.000,"
        "\"duration_s\":0.000,\"overhead_s\":0.0000,\"finish\":\"\","
        "\"tools\":\"\",\"dropped\":\"\",\"error\":\"invalid_json\","
        "\"tries\":[]}";

    memset(&rec, 0, sizeof(rec));
    rec.ttft_us = -1;
    rec.error = AI_ERR_INVALID_JSON;

    p = unit_alloc(NULL, AI_RECORD_MAX);
    end = ai_record_render(p, &rec);

    valid(p, end, &root);
    CHECK_STR(p, end - p, want);
}


/* everything at its largest, with each byte where it hurts most */

static void
test_worst(void)
{
    int                   ch;
    size_t                i;
    u_char               *p, *end;
    ai_str_t              s, *strings[14];
    ai_json_t             root, v;
    ai_record_t           rec;
    ai_record_attempt_t   attempts[40];

    s.len = 70000;

    for (ch = 0; ch < 256; ch++) {

        s.data = unit_alloc(NULL, s.len);
        memset(s.data, ch, s.len);

        /* characters that a cut may split */

        for (i = 0; ch == 0xe2 && i + 2 < s.len; i += 3) {
            memcpy(s.data + i, "\342\202\254", 3);
        }

        memset(&rec, 0xff, sizeof(rec));
        memset(attempts, 0xff, sizeof(attempts));

        strings[0] = &rec.id;
        strings[1] = &rec.trace;
        strings[2] = &rec.remote;
        strings[3] = &rec.client;
        strings[4] = &rec.dialect;
        strings[5] = &rec.op;
        strings[6] = &rec.model_requested;
        strings[7] = &rec.model;
        strings[8] = &rec.provider;
        strings[9] = &rec.model_upstream;
        strings[10] = &rec.model_response;
        strings[11] = &rec.finish;
        strings[12] = &rec.tools;
        strings[13] = &rec.dropped;

        for (i = 0; i < 14; i++) {
            *strings[i] = s;
        }

        /* the longest code */

        rec.error = AI_ERR_FIRST_TOKEN_TIMEOUT;
        rec.outcome = AI_OUTCOME_UPSTREAM_TIMEOUT;
        rec.usage.source = AI_USAGE_ESTIMATED;
        rec.attempts = attempts;
        rec.nattempts = 40;

        for (i = 0; i < 40; i++) {
            attempts[i].doc.provider.data = s.data;
            attempts[i].doc.provider.len = i & 1 ? s.len : 60;
            attempts[i].doc.status = i & 2 ? 0 : (ai_uint_t) -1;
            attempts[i].doc.error = AI_ERR_FIRST_TOKEN_TIMEOUT;
            attempts[i].model = s;
        }

        p = unit_alloc(NULL, AI_RECORD_MAX);
        end = ai_record_render(p, &rec);

        valid(p, end, &root);

        CHECK_INT(ai_json_path(&root, &v, "tries", NULL), AI_OK);
        CHECK(v.end - v.start > 200);
        CHECK_INT(ai_json_path(&root, &v, "tries", "1", NULL), AI_OK);

        unit_arena_reset();
    }
}


static void
test_route(void)
{
    char                  want[64];
    u_char               *p, *end;
    size_t                size;
    ai_record_t           rec;
    ai_record_attempt_t   attempts[3];

    memset(&rec, 0, sizeof(rec));
    memset(attempts, 0, sizeof(attempts));

    rec.attempts = attempts;

    p = unit_alloc(NULL, 64);
    CHECK_INT(ai_record_route(p, 64, &rec) - p, 0);

    attempts[0].doc.provider = str("a");
    attempts[0].doc.status = 429;
    attempts[0].doc.error = AI_ERR_RATE_LIMIT;
    attempts[1].doc.provider = str("bb");
    attempts[1].doc.error = AI_ERR_UPSTREAM_RESET;
    attempts[2].doc.provider = str("c");
    attempts[2].doc.status = 200;

    rec.nattempts = 3;

    end = ai_record_route(p, 64, &rec);
    CHECK_STR(p, end - p, "a:429>bb:upstream_reset>c:200");

    strcpy(want, "a:429>bb:upstream_reset>c:200");

    for (size = 0; size < 30; size++) {
        p = unit_alloc(NULL, size);
        end = ai_record_route(p, size, &rec);

        CHECK_MEM(p, end - p, want,
                  size < 5 ? 0 : size < 23 ? 5 : size < 29 ? 23 : 29);
    }
}


static void
seconds(int64_t us, const char *want)
{
    u_char  *p, *end;

    p = unit_alloc(NULL, AI_RECORD_SECONDS_LEN);
    end = ai_record_seconds(p, us);

    CHECK_MEM(p, end - p, want, strlen(want));
}


static void
test_seconds(void)
{
    seconds(0, "0.000");
    seconds(-1, "0.000");
    seconds(INT64_MIN, "0.000");
    seconds(999, "0.000");
    seconds(1000, "0.001");
    seconds(412999, "0.412");
    seconds(1000000, "1.000");
    seconds(61001000, "61.001");
    seconds(INT64_MAX, "9223372036854.775");
}


static void
iso(uint64_t ms, const char *want)
{
    u_char  buf[AI_TIME_ISO_LEN], *end;

    end = ai_time_iso(buf, ms);
    CHECK_MEM(buf, end - buf, want, strlen(want));
}


static void
test_time(void)
{
    unsigned    day, y, m, d, leap;
    char        want[40], http[40];
    uint64_t    sec;
    ai_str_t    s;

    static const unsigned  months[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    iso(0, "1970-01-01T00:00:00.000Z");
    iso(951782400000ULL - 1, "2000-02-28T23:59:59.999Z");
    iso(951782400000ULL, "2000-02-29T00:00:00.000Z");
    iso(253402300799999ULL, "9999-12-31T23:59:59.999Z");
    iso(253402300800000ULL, "9999-12-31T23:59:59.999Z");
    iso(UINT64_MAX, "9999-12-31T23:59:59.999Z");

    /* every day of 500 years, counted the simple way */

    y = 1970;
    m = 0;
    d = 1;

    for (day = 0; day < 500 * 365; day++) {

        snprintf(want, sizeof(want), "%04u-%02u-%02uT01:02:03.004Z", y, m + 1,
                 d);
        iso((uint64_t) day * 86400000 + 3723004, want);

        snprintf(http, sizeof(http), "Xxx, %02u %.3s %04u 01:02:03 GMT", d,
                 &"JanFebMarAprMayJunJulAugSepOctNovDec"[m * 3], y);
        s.data = (u_char *) http;
        s.len = strlen(http);

        if (ai_time_http(&s, &sec) != AI_OK
            || sec != (uint64_t) day * 86400 + 3723)
        {
            CHECK(0);
            printf("    for %s\n", http);
        }

        leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

        if (d++ == months[m] + (m == 1 && leap)) {
            d = 1;

            if (++m == 12) {
                m = 0;
                y++;
            }
        }
    }
}


static void
test_names(void)
{
    int        i, j;
    ai_str_t  *s;

    s = ai_outcome_name(AI_OUTCOME_TRUNCATED);
    CHECK_STR(s->data, s->len, "truncated");
    s = ai_outcome_name(AI_OUTCOME_CLIENT_ABORT);
    CHECK_STR(s->data, s->len, "client_abort");
    s = ai_outcome_name(AI_OUTCOME_OK);
    CHECK_STR(s->data, s->len, "ok");
    s = ai_outcome_name(77);
    CHECK_STR(s->data, s->len, "none");

    for (i = 0; i <= AI_OUTCOME_TRUNCATED; i++) {
        for (j = 0; j < i; j++) {
            CHECK(ai_outcome_name(i)->data != ai_outcome_name(j)->data);
        }
    }

    s = ai_usage_source_name(AI_USAGE_PROVIDER);
    CHECK_STR(s->data, s->len, "provider");
    s = ai_usage_source_name(AI_USAGE_ESTIMATED);
    CHECK_STR(s->data, s->len, "estimated");
    s = ai_usage_source_name(9);
    CHECK_STR(s->data, s->len, "none");
}


static void
test_client(void)
{
    size_t     i;
    ai_str_t   ua, *s;

    static const struct {
        const char  *ua;
        const char  *client;
    } rows[] = {
        { "", "" },
        { "x", "other" },
        { "OpenAI/JS 7.57.0", "openai-js" },
        { "OpenAI/Python 2.7.1", "openai-python" },
        { "AsyncOpenAI/Python 1.99.7", "openai-python" },
        { "AzureOpenAI/Python 1.14.3", "openai-python" },
        { "AsyncAzureOpenAI/Python 1.14.3", "openai-python" },
        { "AzureOpenAI/JS 5.0", "openai-js" },
        { "OpenAI/Go 2.7.1", "openai-go" },
        { "OpenAI/Ruby 0.1", "openai" },
        { "Anthropic/JS 1.12.0", "anthropic-js" },
        { "Anthropic/Python 0.75.0", "anthropic-python" },
        { "AsyncAnthropic/Python 0.75.0", "anthropic-python" },
        { "AnthropicBedrock/Python 1", "anthropic" },
        { "Agents/JavaScript 0.20.0", "openai-agents" },
        { "ai/7.0.173 ai-sdk-provider-utils/4", "ai-sdk" },
        { "ai-sdk/openai/2.0 runtime/node.js", "ai-sdk" },
        { "claude-cli/2.1 (external, cli)", "claude-code" },
        { "codex_cli_rs/0.80.0 (Debian)", "codex" },
        { "google-genai-sdk/3.1.0 gl-node/v22", "google-genai" },
        { "groq/JS 1.6.0", "groq-js" },
        { "Groq/Python 0.9", "groq-python" },
        { "cohere/5.18.0", "cohere" },
        { "speakeasy-sdk/typescript 2.7 @mistralai/mistralai", "mistral" },
        { "ollama-python/0.2.0 (arm64 darwin)", "ollama" },
        { "litellm/1.97", "litellm" },
        { "pydantic-ai/1.37.0", "pydantic-ai" },
        { "curl/7.88.1", "curl" },
        { "CURL/8", "curl" },
        { "curl", "other" },
        { "python-httpx/0.28.1", "httpx" },
        { "python-requests/2.32.3", "requests" },
        { "Go-http-client/1.1", "go" },
        { "Mozilla/5.0 (X11; Linux x86_64)", "browser" },
        { "Faraday v2.14.3", "faraday" },
        { "Charm-Fantasy/0.12.2 (https://charm.land/fantasy)", "fantasy" },
        { "Boto3/1.35.56 md/Botocore#1.35.56", "boto3" },
        { "node", "node" },
        { "\377\377", "other" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ua = str(rows[i].ua);
        s = ai_record_client(&ua);

        if (!CHECK_MEM(s->data, s->len, rows[i].client,
                       strlen(rows[i].client)))
        {
            printf("    for %s\n", rows[i].ua);
        }
    }
}


static void
test_text(void)
{
    size_t      size, max, i;
    u_char     *p;
    ai_text_t   t;

    static const char  *escaped[] = {
        "a", "\\\"", "\303\244", "\\n", "\357\277\275", "\342\202\254",
        "\\u2028", "\360\237\230\200", "\357\277\275", "\357\277\275", NULL
    };

    static ai_str_t  s = TEXT("a\"\303\244\n\377\342\202\254\342\200\250"
                              "\360\237\230\200\342\202");

    char  want[64];

    for (size = 0; size < 50; size++) {
        for (max = 0; max < 50; max++) {

            p = unit_alloc(NULL, size);

            t.pos = p;
            t.last = p + size;
            t.full = 0;

            ai_text_json(&t, &s, max);

            CHECK(t.full == (size < 2));

            if (size < 2) {
                CHECK(t.pos == p);
                continue;
            }

            /* as many characters as fit into both */

            strcpy(want, "\"");

            for (i = 0; escaped[i] != NULL; i++) {
                if (strlen(want) - 1 + strlen(escaped[i]) > max
                    || strlen(want) + 1 + strlen(escaped[i]) > size)
                {
                    break;
                }

                strcat(want, escaped[i]);
            }

            strcat(want, "\"");

            CHECK_MEM(p, t.pos - p, want, strlen(want));
        }

        unit_arena_reset();
    }

    /* once full, nothing shorter slips in */

    p = unit_alloc(NULL, 4);
    t.pos = p;
    t.last = p + 4;
    t.full = 0;

    ai_text_lit(&t, "ab");
    ai_text_lit(&t, "cde");
    ai_text_lit(&t, "f");
    ai_text_uint(&t, 1);

    CHECK(t.full);
    CHECK_STR(p, t.pos - p, "ab");

    p = unit_alloc(NULL, 20);
    t.pos = p;
    t.last = p + 20;
    t.full = 0;

    ai_text_uint(&t, UINT64_MAX);
    CHECK_STR(p, t.pos - p, "18446744073709551615");
}


int
main(void)
{
    UNIT_RUN(test_full);
    UNIT_RUN(test_empty);
    UNIT_RUN(test_worst);
    UNIT_RUN(test_route);
    UNIT_RUN(test_seconds);
    UNIT_RUN(test_time);
    UNIT_RUN(test_names);
    UNIT_RUN(test_client);
    UNIT_RUN(test_text);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The table of errors row by row; what error bodies of providers mean and
 * say, of hand-made ones and, where they are present, of recorded ones.
 */


#include "ai_error.h"
#include "unit.h"


#define MANIFEST  "../shared/fixtures/manifest.tsv"


static ai_str_t
str(const char *s)
{
    ai_str_t  r;

    r.len = strlen(s);
    r.data = unit_bytes(s, r.len);

    return r;
}


static void
test_rows(void)
{
    size_t                 i, j;
    const ai_error_row_t  *row;

    static const struct {
        ai_error_e   error;
        ai_uint_t    status;
        const char  *code;
        const char  *openai;
        const char  *anthropic;
        const char  *google;
        unsigned     retryable;
    } want[] = {
        { AI_ERR_BAD_REQUEST, 400, "invalid_request",
          "invalid_request_error", "invalid_request_error",
          "INVALID_ARGUMENT", 0 },
        { AI_ERR_INVALID_JSON, 400, "invalid_json", "invalid_request_error",
          "invalid_request_error", "INVALID_ARGUMENT", 0 },
        { AI_ERR_INVALID_MODEL, 400, "invalid_model",
          "invalid_request_error", "invalid_request_error",
          "INVALID_ARGUMENT", 0 },
        { AI_ERR_CONTEXT_LENGTH, 400, "context_length_exceeded",
          "invalid_request_error", "invalid_request_error",
          "INVALID_ARGUMENT", 0 },
        { AI_ERR_CONTENT_FILTER, 400, "content_filter",
          "invalid_request_error", "invalid_request_error",
          "INVALID_ARGUMENT", 0 },
        { AI_ERR_UNAUTHORIZED, 401, "invalid_api_key",
          "invalid_request_error", "authentication_error",
          "UNAUTHENTICATED", 0 },
        { AI_ERR_FORBIDDEN, 403, "permission_denied", "permission_error",
          "permission_error", "PERMISSION_DENIED", 0 },
        { AI_ERR_NOT_FOUND, 404, "not_found", "invalid_request_error",
          "not_found_error", "NOT_FOUND", 0 },
        { AI_ERR_MODEL_NOT_FOUND, 404, "model_not_found",
          "invalid_request_error", "not_found_error", "NOT_FOUND", 0 },
        { AI_ERR_METHOD, 405, "method_not_allowed", "invalid_request_error",
          "invalid_request_error", "INVALID_ARGUMENT", 0 },
        { AI_ERR_TOO_LARGE, 413, "request_too_large",
          "invalid_request_error", "request_too_large", "INVALID_ARGUMENT",
          0 },
        { AI_ERR_MEDIA_TYPE, 415, "unsupported_media_type",
          "invalid_request_error", "invalid_request_error",
          "INVALID_ARGUMENT", 0 },
        { AI_ERR_ENCODING, 415, "unsupported_encoding",
          "invalid_request_error", "invalid_request_error",
          "INVALID_ARGUMENT", 0 },
        { AI_ERR_RATE_LIMIT, 429, "rate_limit_exceeded", "rate_limit_error",
          "rate_limit_error", "RESOURCE_EXHAUSTED", 1 },
        { AI_ERR_QUOTA, 429, "insufficient_quota", "insufficient_quota",
          "rate_limit_error", "RESOURCE_EXHAUSTED", 0 },
        { AI_ERR_UNSUPPORTED, 501, "not_supported", "invalid_request_error",
          "invalid_request_error", "UNIMPLEMENTED", 0 },
        { AI_ERR_INTERNAL, 500, "internal_error", "server_error",
          "api_error", "INTERNAL", 1 },
        { AI_ERR_UPSTREAM_DNS, 502, "upstream_dns", "upstream_error",
          "api_error", "UNAVAILABLE", 1 },
        { AI_ERR_UPSTREAM_CONNECT, 502, "upstream_connect",
          "upstream_error", "api_error", "UNAVAILABLE", 1 },
        { AI_ERR_UPSTREAM_TLS, 502, "upstream_tls", "upstream_error",
          "api_error", "UNAVAILABLE", 1 },
        { AI_ERR_UPSTREAM_RESET, 502, "upstream_reset", "upstream_error",
          "api_error", "UNAVAILABLE", 1 },
        { AI_ERR_UPSTREAM_INVALID, 502, "upstream_invalid",
          "upstream_error", "api_error", "UNAVAILABLE", 1 },
        { AI_ERR_UPSTREAM_TRUNCATED, 502, "upstream_truncated",
          "upstream_error", "api_error", "UNAVAILABLE", 1 },
        { AI_ERR_UPSTREAM_TOO_LARGE, 502, "upstream_too_large",
          "upstream_error", "api_error", "UNAVAILABLE", 0 },
        { AI_ERR_UPSTREAM_AUTH, 502, "provider_auth", "upstream_error",
          "api_error", "UNAVAILABLE", 0 },
        { AI_ERR_UPSTREAM_ERROR, 502, "upstream_error", "upstream_error",
          "api_error", "UNAVAILABLE", 1 },
        { AI_ERR_UPSTREAM_OVERLOADED, 503, "upstream_overloaded",
          "upstream_error", "overloaded_error", "UNAVAILABLE", 1 },
        { AI_ERR_NO_TARGET, 503, "no_target", "upstream_error",
          "overloaded_error", "UNAVAILABLE", 1 },
        { AI_ERR_CONNECT_TIMEOUT, 504, "upstream_connect_timeout",
          "upstream_error", "timeout_error", "DEADLINE_EXCEEDED", 1 },
        { AI_ERR_FIRST_TOKEN_TIMEOUT, 504, "upstream_first_token_timeout",
          "upstream_error", "timeout_error", "DEADLINE_EXCEEDED", 1 },
        { AI_ERR_IDLE_TIMEOUT, 504, "upstream_idle_timeout",
          "upstream_error", "timeout_error", "DEADLINE_EXCEEDED", 1 },
        { AI_ERR_TIMEOUT, 504, "upstream_timeout", "upstream_error",
          "timeout_error", "DEADLINE_EXCEEDED", 1 }
    };

    CHECK_UINT(sizeof(want) / sizeof(want[0]), AI_ERR_MAX - 1);

    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        row = ai_error_row(want[i].error);

        CHECK_UINT(want[i].error, i + 1);
        CHECK_UINT(row->status, want[i].status);
        CHECK(strcmp(row->code, want[i].code) == 0);
        CHECK(strcmp(row->openai_type, want[i].openai) == 0);
        CHECK(strcmp(row->anthropic_type, want[i].anthropic) == 0);
        CHECK(strcmp(row->google_status, want[i].google) == 0);
        CHECK_UINT(row->retryable, want[i].retryable);
        CHECK(strlen(row->message) > 20);
        CHECK(row->message[strlen(row->message) - 1] != '.');

        for (j = 0; j < i; j++) {
            CHECK(strcmp(row->code, want[j].code) != 0);
        }
    }

    CHECK(ai_error_row(AI_ERR_NONE)->code[0] == '\0');
    CHECK(ai_error_row(AI_ERR_MAX) == ai_error_row(AI_ERR_INTERNAL));
    CHECK(ai_error_row(-1) == ai_error_row(AI_ERR_INTERNAL));
}


static void
test_status(void)
{
    ai_error_doc_t  doc;

    memset(&doc, 0, sizeof(doc));

    doc.error = AI_ERR_QUOTA;
    CHECK_UINT(ai_error_status(&doc), 429);
    doc.status = 402;
    CHECK_UINT(ai_error_status(&doc), 402);
}


static void
classify(ai_uint_t status, const char *body, ai_error_e want)
{
    ai_str_t  s;

    s = str(body);

    if (!CHECK_INT(ai_error_classify(status, &s), want)) {
        printf("    for %d %s\n", (int) status, body);
    }
}


static void
test_classify(void)
{
    ai_uint_t  status;

    for (status = 200; status < 300; status++) {
        classify(status, "{\"error\":{\"message\":\"x\"}}", AI_ERR_NONE);
    }

    /* by status alone */

    classify(301, "", AI_ERR_UPSTREAM_INVALID);
    classify(304, "", AI_ERR_UPSTREAM_INVALID);
    classify(101, "", AI_ERR_UPSTREAM_INVALID);
    classify(400, "", AI_ERR_BAD_REQUEST);
    classify(401, "", AI_ERR_UPSTREAM_AUTH);
    classify(402, "", AI_ERR_QUOTA);
    classify(403, "", AI_ERR_FORBIDDEN);
    classify(404, "", AI_ERR_NOT_FOUND);
    classify(405, "", AI_ERR_METHOD);
    classify(408, "", AI_ERR_TIMEOUT);
    classify(409, "", AI_ERR_UPSTREAM_ERROR);
    classify(410, "", AI_ERR_NOT_FOUND);
    classify(413, "", AI_ERR_TOO_LARGE);
    classify(415, "", AI_ERR_MEDIA_TYPE);
    classify(418, "", AI_ERR_BAD_REQUEST);
    classify(422, "", AI_ERR_BAD_REQUEST);
    classify(424, "", AI_ERR_UPSTREAM_ERROR);
    classify(429, "", AI_ERR_RATE_LIMIT);
    classify(451, "", AI_ERR_FORBIDDEN);
    classify(498, "", AI_ERR_UPSTREAM_OVERLOADED);
    classify(499, "", AI_ERR_UPSTREAM_ERROR);
    classify(500, "", AI_ERR_UPSTREAM_ERROR);
    classify(501, "", AI_ERR_UNSUPPORTED);
    classify(502, "<html>", AI_ERR_UPSTREAM_ERROR);
    classify(503, "", AI_ERR_UPSTREAM_OVERLOADED);
    classify(504, "", AI_ERR_TIMEOUT);
    classify(520, "", AI_ERR_UPSTREAM_ERROR);
    classify(524, "", AI_ERR_TIMEOUT);
    classify(529, "", AI_ERR_UPSTREAM_OVERLOADED);
    classify(599, "", AI_ERR_UPSTREAM_ERROR);
    classify(999, "", AI_ERR_UPSTREAM_ERROR);

    /* a quoted word in what the user wrote is not a code */

    classify(400, "{\"error\":{\"message\":\"bad \\\"content_filter\\\"\"}}",
             AI_ERR_BAD_REQUEST);

    /* what the body adds */

    classify(400, "{\"error\":{\"type\":\"invalid_request_error\","
             "\"message\":\"Your credit balance is too low\"}}",
             AI_ERR_QUOTA);
    classify(400, "{\"__type\":\"ThrottlingException\",\"message\":\"x\"}",
             AI_ERR_RATE_LIMIT);
    classify(400, "{\"message\":\"TOO_MANY_TOKENS\"}",
             AI_ERR_CONTEXT_LENGTH);
    classify(400, "{\"error\":\"prompt too long; exceeded max context length "
             "by 4 tokens\"}", AI_ERR_CONTEXT_LENGTH);
    classify(400, "{\"message\":\"Input is too long for requested model.\"}",
             AI_ERR_CONTEXT_LENGTH);
    classify(413, "{\"error\":{\"message\":\"prompt is too long\"}}",
             AI_ERR_CONTEXT_LENGTH);
    classify(500, "{\"error\":{\"code\":500,\"message\":\"the request "
             "exceeds the available context size\"}}",
             AI_ERR_CONTEXT_LENGTH);
    classify(403, "{\"__type\":\"ExpiredTokenException\"}",
             AI_ERR_UPSTREAM_AUTH);
    classify(404, "{\"error\":{\"message\":\"No such File object: f-1\"}}",
             AI_ERR_NOT_FOUND);
    classify(400, "{\"error\":{\"message\":\"Model Not Exist\"}}",
             AI_ERR_MODEL_NOT_FOUND);
    classify(429, "{\"error\":{\"message\":\"You exceeded your current "
             "quota\",\"details\":[{\"retryDelay\":\"34s\"}]}}",
             AI_ERR_RATE_LIMIT);
    classify(429, "{\"error\":{\"message\":\"x\",\"details\":[{\"quotaId\":"
             "\"GenerateRequestsPerDayPerProject\"},{\"retryDelay\":\"34s\"}"
             "]}}", AI_ERR_QUOTA);

    /* cut off in the middle */

    classify(400, "{\"error\":{\"code\":\"context_length_exceeded\",\"mess",
             AI_ERR_CONTEXT_LENGTH);

    /* told without a status */

    classify(0, "", AI_ERR_UPSTREAM_ERROR);
    classify(0, "{\"error\":{\"code\":429,\"message\":\"x\"}}",
             AI_ERR_RATE_LIMIT);
    classify(0, "[{\"error\":{\"code\":503,\"message\":\"x\"}}]",
             AI_ERR_UPSTREAM_OVERLOADED);
    classify(0, "{\"code\":401}", AI_ERR_UPSTREAM_AUTH);
    classify(0, "{\"code\":7}", AI_ERR_UPSTREAM_ERROR);
    classify(0, "{\"type\":\"error\",\"error\":{\"type\":"
             "\"overloaded_error\"}}", AI_ERR_UPSTREAM_OVERLOADED);
    classify(0, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":"
             "\"context_length_exceeded\"}}", AI_ERR_CONTEXT_LENGTH);
    classify(0, "{\"error\":{\"type\":\"insufficient_quota\"}}",
             AI_ERR_QUOTA);
}


static void
message(const char *body, const char *want)
{
    u_char    *buf;
    ai_str_t   s, r;

    s = str(body);
    buf = unit_alloc(NULL, 600);

    r = ai_error_message(&s, buf, 600);
    CHECK_MEM(r.data, r.len, want, strlen(want));
}


static void
test_message(void)
{
    /* wire-formats.md 15.1 */

    message("{\"error\":{\"type\":\"t\",\"message\":\"a b\"}}", "a b");
    message("{\"code\":\"invalid-argument\",\"error\":\"a b\"}", "a b");
    message("[{\"error\":{\"message\":\"a b\"}}]", "a b");
    message("{\"id\":\"x\",\"message\":\"a b\"}", "a b");
    message("{\"Message\":\"a b\"}", "a b");
    message("{\"detail\":\"a b\"}", "a b");
    message("{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"a b\"}]}", "a b");
    message("{\"success\":false,\"errors\":[{\"code\":7,\"message\":\"a b\"}"
            "]}", "a b");
    message("{\"error\":\"invalid_grant\",\"error_description\":\"x\"}",
            "invalid_grant");
    message("\"a b\"", "a b");
    message("a b\r\n", "a b");
    message("  upstream connect error", "upstream connect error");
    message("<html><head><title>502 Bad Gateway</title></head>"
            "<body>nginx</body></html>", "502 Bad Gateway");
    message("<HTML><TITLE>\n 502 \n</TITLE>", "502");

    /* none */

    message("", "");
    message("{}", "");
    message("[]", "");
    message("null", "null");
    message("{\"error\":{}}", "");
    message("{\"error\":{\"message\":\"\"}}", "");
    message("{\"error\":{\"message\":7}}", "");
    message("<html><body>no</body>", "");
    message("\037\213\010\003garbage", "");

    /* cut off, or not quite JSON */

    message("{\"error\":{\"message\":\"a b\",\"metadata\":{\"raw\":\"xx",
            "a b");
    message("{\"type\":\"error\",\"error\":{\"message\": \"a \\u0041\",",
            "a A");
    message("{\"error\":\"a b\",", "a b");
    message("{\"error\":{\"message\":\"a b", "");
    message("{\"error\":{\"message\":\"a b\\", "");
    message("{\"a\":1,\"a\":2,\"message\":\"twice\"}", "twice");

    /* decoded, fit for a log line */

    message("{\"message\":\"a\\nb\\u0000c\\td\\u007f\\u0085e\\u2028f\"}",
            "a b c d  e f");
    message("{\"message\":\"\\\"\\\\\\/ \\u00e4 \303\244 \\ud83d\\ude00\"}",
            "\"\\/ \303\244 \303\244 \360\237\230\200");
    message("{\"message\":\"\\ud7ff\\uDBFF\\uDFFF\"}",
            "\355\237\277\364\217\277\277");
}


static void
test_message_cut(void)
{
    u_char      *buf, none[1];
    size_t       size;
    ai_str_t     s, r;

    static const char  want[] = "a\303\244\"\360\237\230\200 \342\202\254z";

    s.data = NULL;
    s.len = 0;
    r = ai_error_message(&s, none, 1);
    CHECK_UINT(r.len, 0);
    CHECK_INT(ai_error_classify(500, &s), AI_ERR_UPSTREAM_ERROR);

    s = str("{\"message\":\"a\303\244\\\"\\ud83d\\ude00\\n\\u20acz\"}");

    for (size = 0; size < sizeof(want) + 2; size++) {

        buf = unit_alloc(NULL, size);
        r = ai_error_message(&s, buf, size);

        CHECK(r.len <= size);
        CHECK(memcmp(r.data, want, r.len) == 0);

        /* no more is lost than a character, or the space that then ends it */

        CHECK(r.len + 5 > size || r.len == sizeof(want) - 1);
        CHECK(r.len == sizeof(want) - 1
              || (u_char) want[r.len] < 0x80 || (u_char) want[r.len] >= 0xc0);
    }
}


static void
retry(const char *seconds, const char *ms, ai_int_t want)
{
    ai_str_t  s, m;

    s = str(seconds);
    m = str(ms);

    /* now: Sun, 06 Nov 1994 08:49:37 GMT */

    if (!CHECK_INT(ai_retry_after(&s, &m, 784111777, 60), want)) {
        printf("    for \"%s\", \"%s\"\n", seconds, ms);
    }
}


static void
test_retry_after(void)
{
    ai_str_t  s;

    retry("", "", -1);
    retry("0", "", 0);
    retry("1", "", 1);
    retry("60", "", 60);
    retry("61", "", 60);
    retry("3600", "", 60);
    retry("1.5", "", 2);
    retry("1.0", "", 1);
    retry("99999999999999999999999999", "", 60);
    retry("-1", "", -1);
    retry("+1", "", -1);
    retry(" 1", "", -1);
    retry("1s", "", -1);
    retry("soon", "", -1);
    retry("1,2", "", -1);

    retry("", "1", 1);
    retry("", "1000", 1);
    retry("", "1001", 2);
    retry("", "0", -1);
    retry("7", "0", 7);
    retry("7", "2000", 2);
    retry("7", "2000.7", 3);
    retry("7", "x", 7);
    retry("", "99999999999999999999999999", 60);

    retry("Sun, 06 Nov 1994 08:49:37 GMT", "", 0);
    retry("Sun, 06 Nov 1994 08:49:47 GMT", "", 10);
    retry("Sun, 06 Nov 1994 08:50:37 GMT", "", 60);
    retry("Sun, 06 Nov 1994 08:50:38 GMT", "", 60);
    retry("Sunday, 06-Nov-94 08:49:39 GMT", "", 2);
    retry("Sun, 06 Nov 2094 08:49:39 GMT", "", 60);
    retry("Sun, 06 Nov 1994 08:49:36 GMT", "", -1);
    retry("Thu, 01 Jan 1970 00:00:00 GMT", "", -1);
    retry("Sun, 06 Nov 1994 08:49:47 CET", "", -1);
    retry("Sun, 06 Nov 1994 08:49:47 GMTX", "", -1);
    retry("Sun, 06 Nov 1994 08:49:47", "", -1);
    retry("Sun, 06 Foo 1994 08:49:47 GMT", "", -1);
    retry("Sun, 00 Nov 1994 08:49:47 GMT", "", -1);
    retry("Sun, 06 Nov 1994 24:49:47 GMT", "", -1);
    retry("Sun, 06 Nov 1994 08:60:47 GMT", "", -1);
    retry("Sun, 06 Nov 1969 08:49:47 GMT", "", -1);
    retry("Sun,", "", -1);

    /* an empty string may have no data */

    s.data = NULL;
    s.len = 0;
    CHECK_INT(ai_retry_after(&s, &s, 0, 60), -1);

    s = str("5");
    CHECK_INT(ai_retry_after(NULL, NULL, 0, 60), -1);
    CHECK_INT(ai_retry_after(&s, NULL, 0, 60), 5);
    CHECK_INT(ai_retry_after(NULL, &s, 0, 60), 1);
}


/* recorded errors */

typedef struct {
    const char  *name;            /* a part of the file's name */
    ai_error_e   error;
} fixture_t;


static const fixture_t  fixtures[] = {
    { "/413-request-too-large-tpm", AI_ERR_QUOTA },
    { "/429-request-too-large-tpm", AI_ERR_QUOTA },
    { "/429-insufficient_quota", AI_ERR_QUOTA },
    { "/402-insufficient-balance", AI_ERR_QUOTA },
    { "/429-quota-help-only", AI_ERR_QUOTA },
    { "/429-resource-exhausted-bare", AI_ERR_RATE_LIMIT },
    { "/429-array-wrapped", AI_ERR_RATE_LIMIT },
    { "/429-openai-compat-endpoint", AI_ERR_RATE_LIMIT },
    { "/429-throttling", AI_ERR_RATE_LIMIT },
    { "/429-tpd", AI_ERR_RATE_LIMIT },
    { "openrouter/chat/lcgo__testopenrouterstreaming", AI_ERR_RATE_LIMIT },
    { "openrouter/chat/pydai__openrouter_errors", AI_ERR_RATE_LIMIT },
    { "azure/chat/rubyllm__chat_real_error", AI_ERR_RATE_LIMIT },
    { "/413-request_too_large", AI_ERR_TOO_LARGE },
    { "/400-content_filter", AI_ERR_CONTENT_FILTER },
    { "/400-context_length_exceeded", AI_ERR_CONTEXT_LENGTH },
    { "/400-exceed_context_size", AI_ERR_CONTEXT_LENGTH },
    { "vllm/400-context-nested", AI_ERR_CONTEXT_LENGTH },
    { "anthropic_claude-haiku-4-5_handles_context", AI_ERR_CONTEXT_LENGTH },
    { "deepseek-chat_handles_context", AI_ERR_CONTEXT_LENGTH },
    { "perplexity_sonar_handles_context", AI_ERR_CONTEXT_LENGTH },
    { "vertexai_gemini-2_5-flash_handles_context", AI_ERR_CONTEXT_LENGTH },
    { "openai_gpt-5-nano_handles_context", AI_ERR_CONTEXT_LENGTH },
    { "/vllm/400-flat-object-error", AI_ERR_BAD_REQUEST },
    { "/400-thinking", AI_ERR_BAD_REQUEST },
    { "/400-tool-call-id", AI_ERR_BAD_REQUEST },
    { "/400-mixed-turn", AI_ERR_BAD_REQUEST },
    { "/400-wrong_api_format", AI_ERR_BAD_REQUEST },
    { "/400-unknown-name-schema", AI_ERR_BAD_REQUEST },
    { "pydai__tool_use_failed_error", AI_ERR_BAD_REQUEST },
    { "unsupported_model_errors", AI_ERR_BAD_REQUEST },
    { "gemini/streamGenerateContent/mirasc__google", AI_ERR_UPSTREAM_AUTH },
    { "lcgo__testgoogleaierrorhandling", AI_ERR_UPSTREAM_AUTH },
    { "xai/responses/rubyllm__chat_error_handling", AI_ERR_UPSTREAM_AUTH },
    { "bedrock/converse/rubyllm__chat_error", AI_ERR_UPSTREAM_AUTH },
    { "lcgo__testamazonnova", AI_ERR_FORBIDDEN },
    { "converse_stream_with_invalid_model", AI_ERR_MODEL_NOT_FOUND },
    { "model_name_suggestion", AI_ERR_MODEL_NOT_FOUND },
    { "pydai__testvoyageai.test_embed_error", AI_ERR_MODEL_NOT_FOUND },
    { "azure/chat/openll__chat_reasoning", AI_ERR_MODEL_NOT_FOUND },
    { "generate_content_missing_model", AI_ERR_MODEL_NOT_FOUND },
    { "braint__error_handling", AI_ERR_MODEL_NOT_FOUND },
    { "arize__chat_error_records_model_name", AI_ERR_MODEL_NOT_FOUND },
    { "/529-overloaded", AI_ERR_UPSTREAM_OVERLOADED },
    { "/503-", AI_ERR_UPSTREAM_OVERLOADED },
    { "/500-api_error", AI_ERR_UPSTREAM_ERROR }
};

static unsigned  seen[sizeof(fixtures) / sizeof(fixtures[0])];


/* what a status may mean whatever the body says */

static int
plausible(ai_uint_t status, ai_error_e e)
{
    switch (status) {

    case 400:
        return e == AI_ERR_BAD_REQUEST || e == AI_ERR_CONTEXT_LENGTH
               || e == AI_ERR_CONTENT_FILTER || e == AI_ERR_UPSTREAM_AUTH
               || e == AI_ERR_MODEL_NOT_FOUND;

    case 401:
        return e == AI_ERR_UPSTREAM_AUTH;

    case 403:
        return e == AI_ERR_UPSTREAM_AUTH || e == AI_ERR_FORBIDDEN;

    case 404:
        return e == AI_ERR_MODEL_NOT_FOUND;

    case 429:
        return e == AI_ERR_RATE_LIMIT || e == AI_ERR_QUOTA;

    default:
        return e != AI_ERR_NONE && e != AI_ERR_BAD_REQUEST;
    }
}


/* the body of a transcript, as bytes; one given as text is decoded */

static ai_int_t
read_body(const char *name, ai_str_t *body)
{
    FILE             *file;
    long              size;
    char              path[1024];
    u_char           *data;
    ai_json_t         root, v;
    ai_json_error_t   err;

    snprintf(path, sizeof(path), "../shared/fixtures/%.900s", name);

    file = fopen(path, "rb");
    if (file == NULL) {
        return AI_DECLINED;
    }

    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);

    data = unit_alloc(NULL, size);

    if (fread(data, 1, size, file) != (size_t) size) {
        size = 0;
    }

    fclose(file);

    if (ai_json_scan(data, size, NULL, &unit_arena, NULL, NULL, &root, &err)
        != AI_OK)
    {
        return AI_DECLINED;
    }

    if (ai_json_path(&root, &v, "response", "body_text", NULL) == AI_OK
        && v.type == AI_JSON_STRING)
    {
        body->data = unit_alloc(NULL, v.end - v.start);
        body->len = ai_json_str_decode(&v, body->data);
        return AI_OK;
    }

    if (ai_json_path(&root, &v, "response", "body", NULL) != AI_OK) {
        return AI_DECLINED;
    }

    body->len = v.end - v.start;
    body->data = unit_bytes(v.start, body->len);

    return AI_OK;
}


static void
fixture(const char *name, ai_uint_t status)
{
    size_t       i, len;
    u_char      *buf;
    unsigned     failed;
    ai_str_t     body, r;
    ai_error_e   e;

    if (!CHECK_INT(read_body(name, &body), AI_OK)) {
        printf("    for %s\n", name);
        return;
    }

    failed = unit.failed;

    e = ai_error_classify(status, &body);
    CHECK(plausible(status, e));

    for (i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        if (strstr(name, fixtures[i].name) != NULL) {
            CHECK_INT(e, fixtures[i].error);
            seen[i] = 1;
        }
    }

    buf = unit_alloc(NULL, 512);
    r = ai_error_message(&body, buf, 512);
    CHECK(r.len >= 9);

    for (i = 0; i < r.len; i++) {
        CHECK(r.data[i] >= 0x20 && r.data[i] != 0x7f);
    }

    /* cut anywhere, nothing is read behind the end */

    for (len = 0; len < body.len; len += 1 + body.len / 64) {
        r.len = len;
        r.data = unit_bytes(body.data, len);
        (void) ai_error_classify(status, &r);
        r = ai_error_message(&r, buf, 512);
        CHECK(r.len <= 512);
    }

    if (unit.failed != failed) {
        printf("    for %d %s\n", (int) status, name);
    }
}


static void
test_fixtures(void)
{
    char       line[65536], *p, *end;
    FILE      *file;
    size_t     i;
    unsigned   n, field;
    long       status;

    file = fopen(MANIFEST, "r");

    if (file == NULL) {
        printf("recorded errors: skipped, no %s\n", MANIFEST);
        return;
    }

    n = 0;

    while (fgets(line, sizeof(line), file) != NULL) {

        /* file, then the status in the 8th column */

        p = line;

        for (field = 1; field < 8 && p != NULL; field++) {
            p = strchr(p, '\t');
            p = (p != NULL) ? p + 1 : NULL;
        }

        if (p == NULL) {
            continue;
        }

        status = strtol(p, &end, 10);

        if (end == p || status < 400) {
            continue;
        }

        *strchr(line, '\t') = '\0';

        fixture(line, status);
        n++;
    }

    fclose(file);

    CHECK(n >= 60);

    for (i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
        if (!CHECK(seen[i])) {
            printf("    no fixture %s\n", fixtures[i].name);
        }
    }
}


int
main(void)
{
    UNIT_RUN(test_rows);
    UNIT_RUN(test_status);
    UNIT_RUN(test_classify);
    UNIT_RUN(test_message);
    UNIT_RUN(test_message_cut);
    UNIT_RUN(test_retry_after);
    UNIT_RUN(test_fixtures);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The estimate of tokens: texts whose count is known, what media come to,
 * and how far it is from what Anthropic counted for recorded requests, where
 * these are present.
 */


#include <dirent.h>

#include <cjson/cJSON.h>

#include "ai_count.h"
#include "ai_wire.h"
#include "unit.h"


#define RECORDINGS  "../shared/fixtures/anthropic/messages"


typedef struct {
    const char  *text;
    uint64_t     low;
    uint64_t     high;
} text_case_t;


/* bounds are what tokenizers of several vendors make of it, and some more */

static const text_case_t  texts[] = {
    { "", 0, 0 },
    { "a", 1, 1 },
    { "Hello, world!", 3, 6 },
    { "The quick brown fox jumps over the lazy dog. The quick brown fox jumps "
      "over the lazy dog.", 16, 28 },
    { "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},"
      "\"required\":[\"city\"]}", 18, 42 },
    { "3.14159265358979323846264338327950288", 12, 26 },
    { "\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xb8\x96\xe7\x95\x8c", 3, 6 },
    { "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xd0\xbc\xd0\xb8"
      "\xd1\x80", 3, 8 },
    { "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 2, 6 },
    { NULL, 0, 0 }
};


static void
parse(ai_request_t *req, const char *body, size_t len)
{
    ai_report_t      rep;
    ai_json_t        root;
    ai_json_error_t  err;

    ai_request_init(req, &unit_arena);
    ai_report_init(&rep, &unit_arena);

    CHECK_INT(ai_json_scan(unit_bytes(body, len), len, NULL, &unit_arena,
                           NULL, NULL, &root, &err), AI_OK);
    CHECK_INT(ai_wire_anthropic.parse_request(req, &root, &rep), AI_OK);
}


static uint64_t
count(const char *body)
{
    ai_request_t  req;

    parse(&req, body, strlen(body));

    return ai_count_request(&req);
}


static void
test_text(void)
{
    uint64_t            n;
    ai_mstr_t           m;
    const text_case_t  *c;

    for (c = texts; c->text != NULL; c++) {
        m = ai_mstr_cstr(c->text);
        n = ai_count_text(&m);

        if (!CHECK(n >= c->low) || !CHECK(n <= c->high)) {
            printf("    \"%s\": %d\n", c->text, (int) n);
        }
    }
}


/* what is escaped counts as what it stands for, or nearly */

static void
test_escapes(void)
{
    size_t     i;
    uint64_t   plain, escaped;
    ai_mstr_t  a, b;

    static const char  *const pairs[] = {
        "\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xb8\x96\xe7\x95\x8c",
        "\\u4f60\\u597d\\u4e16\\u754c",
        "\xf0\x9f\x98\x80", "\\ud83d\\ude00",
        "\xc3\xa9\xc3\xa9", "\\u00e9\\u00E9",
        "\"", "\\\"",
        NULL
    };

    for (i = 0; pairs[i] != NULL; i += 2) {
        a = ai_mstr_cstr(pairs[i]);
        b = ai_mstr_cstr(pairs[i + 1]);
        b.json = 1;

        plain = ai_count_text(&a);
        escaped = ai_count_text(&b);

        CHECK_UINT(escaped, plain);
    }

    /* cut anywhere */

    for (i = 0; i <= 6; i++) {
        b.s.data = unit_bytes("\\u4f60", i);
        b.s.len = i;
        b.json = 1;

        CHECK((ai_count_text(&b) != 0) == (i != 0));
    }
}


#define USER(content)  "{\"messages\":[{\"role\":\"user\",\"content\":["      \
                       content "]}]}"

static void
test_request(void)
{
    uint64_t  least, n;

    least = count("{\"messages\":[]}");
    CHECK(least >= 1);

    n = count("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
    CHECK(n > least);

    /* each kind of content adds to it */

    CHECK(count(USER("{\"type\":\"text\",\"text\":\"hi\"}")) == n);
    CHECK(count(USER("{\"type\":\"text\",\"text\":\"hi\"},{\"type\":"
                     "\"image\",\"source\":{\"type\":\"url\",\"url\":"
                     "\"https://a/b\"}}")) > n + 1000);
    CHECK(count(USER("{\"type\":\"document\",\"source\":{\"type\":"
                     "\"base64\",\"media_type\":\"application/pdf\","
                     "\"data\":\"QUJD\"}}")) > n + 1000);
    CHECK(count(USER("{\"type\":\"document\",\"source\":{\"type\":\"text\","
                     "\"data\":\"hi\"}}")) == n);

    CHECK(count("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                "\"system\":\"be brief\"}") > n);
    CHECK(count("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                "\"tools\":[{\"name\":\"a\",\"input_schema\":{\"type\":"
                "\"object\"}}]}") > n + 10);
    CHECK(count("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
                "{\"role\":\"assistant\",\"content\":[{\"type\":"
                "\"tool_use\",\"id\":\"t\",\"name\":\"a\",\"input\":{\"x\":"
                "\"y\"}}]},{\"role\":\"user\",\"content\":[{\"type\":"
                "\"tool_result\",\"tool_use_id\":\"t\",\"content\":"
                "\"hi\"}]}]}") > n + 20);
}


static void
test_render(void)
{
    ai_buf_t  b;
    ai_str_t  s;

    ai_buf_init(&b, &unit_arena, 100);
    ai_count_render(&b, AI_OP_COUNT_TOKENS, 17);
    CHECK_INT(ai_buf_get(&b, &s), AI_OK);
    CHECK_STR(s.data, s.len, "{\"input_tokens\":17}");

    ai_buf_init(&b, &unit_arena, 100);
    ai_count_render(&b, AI_OP_GEMINI_COUNT_TOKENS, 0);
    CHECK_INT(ai_buf_get(&b, &s), AI_OK);
    CHECK_STR(s.data, s.len, "{\"totalTokens\":0}");
}


static char *
read_file(const char *path)
{
    char  *data;
    long   size;
    FILE  *f;

    f = fopen(path, "rb");

    if (f == NULL) {
        return NULL;
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    data = malloc((size_t) size + 1);

    if (data == NULL || fread(data, 1, (size_t) size, f) != (size_t) size) {
        abort();
    }

    data[size] = '\0';
    fclose(f);

    return data;
}


static double
number(cJSON *v, const char *name)
{
    v = cJSON_GetObjectItem(v, name);

    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}


/*
 * Requests without media and without what makes the provider add prompts of
 * its own, except for tools; and long enough for an estimate to mean something.
 */

static uint64_t
recorded(const char *text, double *tokens)
{
    char          *body;
    cJSON         *v, *request, *usage, *tool;
    uint64_t       n;
    ai_request_t   req;

    n = 0;
    *tokens = 0;

    v = cJSON_Parse(text);
    request = cJSON_GetObjectItem(cJSON_GetObjectItem(v, "request"), "body");
    usage = cJSON_GetObjectItem(cJSON_GetObjectItem(
                                    cJSON_GetObjectItem(v, "response"),
                                    "body"), "usage");
    body = cJSON_PrintUnformatted(request);

    if (body == NULL || usage == NULL
        || cJSON_GetObjectItem(request, "messages") == NULL
        || strstr(body, "\"source\"") != NULL
        || strstr(body, "server_tool_use") != NULL
        || strstr(body, "\"mcp_servers\"") != NULL
        || strstr(body, "\"context_management\"") != NULL
        || strstr(body, "\"output_format\"") != NULL
        || strstr(body, "\"output_config\"") != NULL)
    {
        goto done;
    }

    cJSON_ArrayForEach(tool, cJSON_GetObjectItem(request, "tools")) {
        if (cJSON_GetObjectItem(tool, "type") != NULL) {
            goto done;
        }
    }

    *tokens = number(usage, "input_tokens")
              + number(usage, "cache_read_input_tokens")
              + number(usage, "cache_creation_input_tokens");

    parse(&req, body, strlen(body));
    n = ai_count_request(&req);

    /* what Anthropic tells its models about tools */

    if (req.tools != NULL) {
        n += 330;
    }

done:

    free(body);
    cJSON_Delete(v);
    unit_arena_reset();

    return n;
}


static void
test_recordings(void)
{
    char            path[4096], *text;
    DIR            *dir;
    double          tokens, sum, real, ratio;
    uint64_t        n;
    unsigned        files, far;
    struct dirent  *entry;

    dir = opendir(RECORDINGS);

    if (dir == NULL) {
        printf("%s: no recordings, skipped\n", unit.test);
        return;
    }

    sum = 0;
    real = 0;
    files = 0;
    far = 0;

    while ((entry = readdir(dir)) != NULL) {

        if (strstr(entry->d_name, ".json") == NULL) {
            continue;
        }

        snprintf(path, sizeof(path), RECORDINGS "/%s", entry->d_name);

        text = read_file(path);

        if (text == NULL) {
            continue;
        }

        n = recorded(text, &tokens);
        free(text);

        if (tokens < 100) {
            continue;
        }

        ratio = (double) n / tokens;
        files++;
        sum += (double) n;
        real += tokens;

        far += (ratio < 0.6 || ratio > 1.6);
    }

    closedir(dir);

    printf("recordings: %u requests, %.0f tokens, estimated %.0f, %u far "
           "off\n", files, real, sum, far);

    if (files != 0) {
        CHECK(sum / real > 0.75 && sum / real < 1.33);
        CHECK(far * 10 <= files);
    }
}


int
main(void)
{
    UNIT_RUN(test_text);
    UNIT_RUN(test_escapes);
    UNIT_RUN(test_request);
    UNIT_RUN(test_render);
    UNIT_RUN(test_recordings);

    return unit_done();
}

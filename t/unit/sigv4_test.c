
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * AWS Signature Version 4: the vectors of AWS and of a client of Bedrock
 * where they are present, and those of wire-formats.md 8.1.
 */


#include <dirent.h>

#include <cjson/cJSON.h>

#include "ai_sigv4.h"
#include "unit.h"


#define VECTORS   "../shared/fixtures/_vectors"
#define HEADERS   16

#define KEY       "AKIDEXAMPLE"
#define SECRET    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


typedef struct {
    ai_sigv4_request_t      r;
    ai_sigv4_credentials_t  c;
    ai_sigv4_header_t       headers[HEADERS];
    char                    date[AI_SIGV4_DATE_LEN + 1];
    char                    hash[AI_SIGV4_HASH_LEN + 1];
} signed_t;


static ai_str_t
str(const char *s)
{
    ai_str_t  v;

    v.data = (u_char *) s;
    v.len = s != NULL ? strlen(s) : 0;

    return v;
}


/* with a zero behind it, in the arena; NULL: there is no such file */

static char *
read_file(const char *dir, const char *name)
{
    char    *text, path[1024];
    long     size;
    FILE    *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "rb");

    if (f == NULL) {
        return NULL;
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    text = ai_alloc(&unit_arena, (size_t) size + 1);

    if (fread(text, 1, (size_t) size, f) != (size_t) size) {
        abort();
    }

    text[size] = '\0';
    fclose(f);

    return text;
}


static void
add(signed_t *s, const char *name, const char *value)
{
    if (s->r.nheaders == HEADERS) {
        abort();
    }

    s->headers[s->r.nheaders].name = str(name);
    s->headers[s->r.nheaders++].value = str(value);
}


static void
init(signed_t *s, uint64_t now, const char *region, const char *service)
{
    memset(s, 0, sizeof(signed_t));

    s->c.key = str(KEY);
    s->c.secret = str(SECRET);
    s->r.headers = s->headers;
    s->r.now = now;
    s->r.region = str(region);
    s->r.service = str(service);
    ai_sigv4_date((u_char *) s->date, now);
}


static void
body(signed_t *s, const char *text)
{
    ai_sigv4_hash((u_char *) s->hash, (const u_char *) text, strlen(text));
    s->r.body_hash = str(s->hash);
}


static ai_str_t
canonical(signed_t *s)
{
    ai_buf_t  b;
    ai_str_t  text;

    ai_buf_init(&b, &unit_arena, 65536);
    CHECK_INT(ai_sigv4_canonical(&s->r, &unit_arena, &b), AI_OK);
    CHECK_INT(ai_buf_get(&b, &text), AI_OK);

    return text;
}


static ai_str_t
string(signed_t *s)
{
    ai_buf_t  b;
    ai_str_t  text;

    text = canonical(s);
    ai_buf_init(&b, &unit_arena, 65536);
    CHECK_INT(ai_sigv4_string(&s->r, &text, &b), AI_OK);
    CHECK_INT(ai_buf_get(&b, &text), AI_OK);

    return text;
}


static void
signature(signed_t *s, const char *want)
{
    size_t    len;
    ai_str_t  auth;

    if (!CHECK(ai_sigv4_authorization(&s->r, &s->c, &unit_arena, &auth)
               == AI_OK))
    {
        return;
    }

    len = strlen(want);

    if (CHECK(auth.len >= len)) {
        CHECK_MEM(auth.data + auth.len - len, len, want, len);
    }
}


/* request.txt: the request line, headers, their continuations, a body */

static void
read_request(signed_t *s, char *text)
{
    char  *line, *next, *p;

    line = text;
    next = strchr(line, '\n');

    if (next != NULL) {
        *next++ = '\0';
    }

    p = strchr(line, ' ');
    *p++ = '\0';
    s->r.method = str(line);
    *strrchr(p, ' ') = '\0';
    line = strchr(p, '?');

    if (line != NULL) {
        *line++ = '\0';
        s->r.query = str(line);
    }

    s->r.path = str(p);

    for (line = next; line != NULL && *line != '\0' && *line != '\n';
         line = next)
    {
        for (next = strchr(line, '\n'); next != NULL && next[1] == ' ';
             next = strchr(next + 1, '\n'))
        {
            /* void */
        }

        if (next != NULL) {
            *next++ = '\0';
        }

        p = strchr(line, ':');
        *p++ = '\0';

        if (strcasecmp(line, "x-amz-date") != 0) {
            add(s, line, p);
        }
    }

    body(s, line != NULL && *line == '\n' ? line + 1 : "");
}


static uint64_t
read_time(const char *text)
{
    uint64_t   now;
    u_char     date[AI_SIGV4_DATE_LEN];
    char       want[AI_SIGV4_DATE_LEN + 1], *p;

    for (p = want; *text != '\0'; text++) {
        if (*text != '-' && *text != ':') {
            *p++ = *text;
        }
    }

    *p = '\0';

    /* the function under test is the only one that knows the calendar, so
     * the time is looked for among those that the vectors use */

    for (now = 1420000000; now < 1800000000; now += 86400) {
        ai_sigv4_date(date, now);

        if (memcmp(date, want, 8) == 0) {
            break;
        }
    }

    now -= now % 86400;
    now += (uint64_t) (atoi(want + 9) / 10000 * 3600
                       + atoi(want + 9) / 100 % 100 * 60
                       + atoi(want + 9) % 100);

    ai_sigv4_date(date, now);
    CHECK_MEM(date, sizeof(date), want, sizeof(date));

    return now;
}


static const char *
member(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
}


static unsigned
vector(const char *dir)
{
    char      *context, *request, *want;
    cJSON     *json, *credentials;
    signed_t   s;
    ai_str_t   text;

    context = read_file(dir, "context.json");
    request = read_file(dir, "request.txt");

    if (context == NULL || request == NULL) {
        return 0;
    }

    json = cJSON_Parse(context);
    credentials = cJSON_GetObjectItem(json, "credentials");

    init(&s, read_time(member(json, "timestamp")), member(json, "region"),
         member(json, "service"));

    s.c.key = str(member(credentials, "access_key_id"));
    s.c.secret = str(member(credentials, "secret_access_key"));
    s.r.literal = !cJSON_IsTrue(cJSON_GetObjectItem(json, "normalize"));

    read_request(&s, request);
    add(&s, "X-Amz-Date", s.date);

    if (member(credentials, "token") != NULL
        && !cJSON_IsTrue(cJSON_GetObjectItem(json, "omit_session_token")))
    {
        add(&s, "X-Amz-Security-Token", member(credentials, "token"));
    }

    if (cJSON_IsTrue(cJSON_GetObjectItem(json, "sign_body"))) {
        add(&s, "X-Amz-Content-Sha256", s.hash);
    }

    text = canonical(&s);
    want = read_file(dir, "header-canonical-request.txt");
    CHECK_MEM(text.data, text.len, want, strlen(want));

    text = string(&s);
    want = read_file(dir, "header-string-to-sign.txt");
    CHECK_MEM(text.data, text.len, want, strlen(want));

    signature(&s, read_file(dir, "header-signature.txt"));

    cJSON_Delete(json);

    return 1;
}


static void
test_aws_suite(void)
{
    char            path[512];
    DIR            *dir;
    unsigned        n;
    struct dirent  *e;

    dir = opendir(VECTORS "/sigv4");

    if (dir == NULL) {
        printf("skipped: no vectors of AWS\n");
        return;
    }

    n = 0;

    while ((e = readdir(dir)) != NULL) {

        if (e->d_name[0] != '.') {
            snprintf(path, sizeof(path), VECTORS "/sigv4/%s", e->d_name);
            n += vector(path);
        }
    }

    closedir(dir);
    CHECK_UINT(n, 38);
}


/* two directories without a context: paths that were encoded before */

static void
test_paths_encoded_twice(void)
{
    char      *text, *want;
    signed_t   s;
    ai_str_t   got;

    text = read_file(VECTORS "/sigv4/double-url-encode", "request.txt");

    if (text == NULL) {
        printf("skipped: no vectors of AWS\n");
        return;
    }

    init(&s, 1620747645, "us-east-2", "lambda");
    read_request(&s, text);
    add(&s, "x-amz-date", s.date);

    got = canonical(&s);
    want = read_file(VECTORS "/sigv4/double-url-encode",
                     "header-canonical-request.txt");
    CHECK_MEM(got.data, got.len, want, strlen(want));

    signature(&s, "4b93abbcc68be32bd64c18e2c71150660ab4c29bbd6c32a383a7517a88"
                  "fc1804");

    text = read_file(VECTORS "/sigv4/double-encode-path", "request.txt");
    init(&s, 1620747645, "us-east-1", "execute-api");
    read_request(&s, text);
    add(&s, "x-amz-date", s.date);

    got = canonical(&s);
    want = read_file(VECTORS "/sigv4/double-encode-path",
                     "header-canonical-request.txt");
    CHECK_MEM(got.data, got.len, want, strlen(want));
}


/* mistake 12: what the path of a model is signed as */

static void
test_mistake_12_path_of_bedrock(void)
{
    ai_uint_t  i;
    signed_t   s;
    ai_str_t   text;
    u_char     hash[AI_SIGV4_HASH_LEN];

    static const struct {
        const char  *path;
        const char  *signature;
    } cases[] = {
        { "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
          "5549a51822c8242c092f4205cccbfe4dd97c863b17292e8fd7e6559debc1e757" },
        { "/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/converse",
          "30786c18b4182dfc98de3c167a0a73c0db3db956b7a4fd62e1dbdd91c319d2bc" },
        { "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplicatio"
          "n-inference-profile%2Fabc123/converse-stream",
          "df30158de1a21dced433f644d64e092eef7cfd82702cd945bbbef134d1da3fe1" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        init(&s, 1735787045, "us-east-1", "bedrock");

        s.r.method = str("POST");
        s.r.path = str(cases[i].path);
        body(&s, "{\"messages\":[{\"role\":\"user\",\"content\":"
                 "[{\"text\":\"hi\"}]}]}");
        add(&s, "Host", "bedrock-runtime.us-east-1.amazonaws.com");
        add(&s, "X-Amz-Date", s.date);
        add(&s, "Content-Type", "application/json");

        CHECK_STR(s.date, sizeof(s.date) - 1, "20250102T030405Z");
        CHECK_STR(s.hash, sizeof(s.hash) - 1, "c3335e07d6e89650bf94cb98664be69"
                  "f8774dbc3198df221f113db0a59ea14f0");
        signature(&s, cases[i].signature);

        if (i == 0) {
            text = canonical(&s);
            ai_sigv4_hash(hash, text.data, text.len);
            CHECK_STR(hash, sizeof(hash), "646ef8c55e4e35d462381b222e1456e658e"
                      "7cf967ee0f023bd1adc6d6501d18a");
        }
    }
}


static void
check_hash(signed_t *s, const char *want)
{
    u_char    hash[AI_SIGV4_HASH_LEN];
    ai_str_t  text;

    text = canonical(s);
    ai_sigv4_hash(hash, text.data, text.len);
    CHECK_MEM(hash, sizeof(hash), want, strlen(want));
}


/* a request of a client of Bedrock's OpenAI endpoint */

static void
mantle(signed_t *s, const char *url, const char *text)
{
    const char  *host, *path;
    static char  name[256];

    host = strstr(url, "://") + 3;
    path = strchr(host, '/');
    snprintf(name, sizeof(name), "%.*s", (int) (path - host), host);

    s->r.method = str("POST");
    s->r.path = str(path);
    body(s, text);

    add(s, "host", name);
    add(s, "x-amz-date", s->date);
    add(s, "x-amz-content-sha256", s->hash);
    add(s, "content-type", "application/json");

    if (s->c.token.len != 0) {
        add(s, "x-amz-security-token", (char *) s->c.token.data);
    }
}


static void
test_bedrock_client(void)
{
    char      *text;
    cJSON     *json, *request, *want;
    signed_t   s;

    text = read_file(VECTORS "/bedrock-auth", "bedrock_v1_sigv4.json");

    if (text == NULL) {
        printf("skipped: no vectors of Bedrock clients\n");
        return;
    }

    json = cJSON_Parse(text);
    request = cJSON_GetObjectItem(json, "request");
    want = cJSON_GetObjectItem(json, "expected");

    init(&s, 1735787045, member(json, "region"), member(json, "service"));
    s.c.token = str(member(cJSON_GetObjectItem(json, "credentials"),
                           "sessionToken"));
    mantle(&s, member(request, "url"), member(request, "body"));

    CHECK_MEM(s.date, sizeof(s.date) - 1, member(want, "date"), 16);
    CHECK_MEM(s.hash, sizeof(s.hash) - 1, member(want, "payloadHash"), 64);
    check_hash(&s, member(want, "canonicalRequestHash"));
    signature(&s, member(want, "authorization"));

    cJSON_Delete(json);
}


static void
test_bedrock_cases(void)
{
    char       *text;
    cJSON      *json, *item, *given, *want, *part;
    signed_t    s;
    unsigned    n;

    text = read_file(VECTORS "/bedrock-auth", "bedrock_auth_v1_cases.json");

    if (text == NULL) {
        printf("skipped: no vectors of Bedrock clients\n");
        return;
    }

    n = 0;
    json = cJSON_Parse(text);

    cJSON_ArrayForEach(item, cJSON_GetObjectItem(json, "cases")) {

        if (strcmp(member(item, "kind"), "sigv4") != 0) {
            continue;
        }

        given = cJSON_GetObjectItem(item, "given");
        want = cJSON_GetObjectItem(item, "expected");
        part = cJSON_GetObjectItem(given, "signing");

        init(&s, read_time(member(part, "timestamp")),
             member(part, "region"), member(part, "service"));

        part = cJSON_GetObjectItem(given, "credentials");
        s.c.token = str(member(part, "session_token"));

        /* that of all cases is the one of body_base64 */

        mantle(&s, member(cJSON_GetObjectItem(given, "request"), "url"),
               "{\"input\":\"hello\",\"model\":\"openai.gpt-oss-120b\"}");
        add(&s, "content-length", "47");

        CHECK_MEM(s.hash, 64, member(want, "payload_sha256"), 64);
        check_hash(&s, member(want, "canonical_request_sha256"));
        signature(&s, member(cJSON_GetObjectItem(want, "headers"),
                             "authorization"));
        n++;
    }

    cJSON_Delete(json);
    CHECK(n >= 2);
}


static void
check_path(const char *path, const char *query, unsigned literal,
    const char *want)
{
    char      *end;
    signed_t   s;
    ai_str_t   text;

    init(&s, 0, "r", "s");
    s.r.path = str(path);
    s.r.query = str(query);
    s.r.literal = literal;

    text = canonical(&s);
    end = memchr(text.data + 1, '\n', text.len - 1);
    end = memchr(end + 1, '\n', text.len);
    CHECK_MEM(text.data + 1, (size_t) ((u_char *) end - text.data - 1), want,
              strlen(want));
}


static void
test_paths_and_queries(void)
{
    check_path("", "", 0, "/\n");
    check_path("", "", 1, "/\n");
    check_path("/..", "", 0, "/\n");
    check_path("/a/../../b/", "", 0, "/b/\n");
    check_path("//a//b", "", 0, "/a/b\n");
    check_path("//a//b", "", 1, "//a//b\n");
    check_path("/a%2Fb", "", 0, "/a%252Fb\n");
    check_path("/", "b=2&a&b=10&", 0, "/\na=&b=10&b=2");
    check_path("/", "a=%3a&b=%zz&c=%2", 0, "/\na=%3A&b=%25zz&c=%252");
    check_path("/", "a=b=c", 0, "/\na=b%3Dc");
    check_path("/", "a-b=1&a=2", 0, "/\na=2&a-b=1");
}


static void
test_memory(void)
{
    long        n;
    ai_int_t    rc;
    ai_str_t    auth;
    signed_t    s;

    init(&s, 1735787045, "us-east-1", "bedrock");
    s.r.method = str("POST");
    s.r.path = str("/model/m/converse");
    s.r.query = str("b=1&a=2");
    body(&s, "{}");
    add(&s, "Host", "h");
    add(&s, "X-Amz-Date", s.date);

    for (n = 0; n < 100; n++) {
        unit.fail_after = n;
        rc = ai_sigv4_authorization(&s.r, &s.c, &unit_arena, &auth);
        unit.fail_after = -1;

        if (rc == AI_OK) {
            break;
        }

        CHECK_INT(rc, AI_ERROR);
    }

    CHECK(n > 5 && n < 100);
}


int
main(void)
{
    UNIT_RUN(test_aws_suite);
    UNIT_RUN(test_paths_encoded_twice);
    UNIT_RUN(test_mistake_12_path_of_bedrock);
    UNIT_RUN(test_bedrock_client);
    UNIT_RUN(test_bedrock_cases);
    UNIT_RUN(test_paths_and_queries);
    UNIT_RUN(test_memory);

    return unit_done();
}

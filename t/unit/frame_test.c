
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * All framings behind one interface, and base64: arrays whole, cut at each
 * offset and byte by byte; streams of AWS, those that were recorded where
 * they are present, with what they tell in case of failure.
 */


#include <dirent.h>

#include <cjson/cJSON.h>

#include "ai_base64.h"
#include "ai_frame.h"
#include "unit.h"


#define MAX  (16 * 1024 * 1024)


static unsigned  seed = 1;


static unsigned
random_below(unsigned n)
{
    seed = seed * 1103515245 + 12345;

    return (seed >> 8) % n;
}


/* what a reader sees: "name=data!error;" of each event, "#;" of a comment */

typedef struct {
    ai_buf_t     text;
    ai_buf_t     raw;
    const char  *err;
    size_t       max;
} seen_t;


static void
seen_event(seen_t *s, ai_sse_event_t *ev)
{
    ai_buf_raw(&s->raw, &ev->raw);

    if (ev->comment_only) {
        ai_buf_lit(&s->text, "#;");
        return;
    }

    if (ev->name.len != 0) {
        ai_buf_raw(&s->text, &ev->name);
        ai_buf_lit(&s->text, "=");
    }

    ai_buf_raw(&s->text, &ev->data);

    if (ev->error.len != 0) {
        ai_buf_lit(&s->text, "!");
        ai_buf_raw(&s->text, &ev->error);
    }

    ai_buf_lit(&s->text, ";");
}


/* each input is in memory of its own, so that nothing of it is read later */

static ai_int_t
feed(seen_t *s, ai_frame_t *f, const u_char *p, size_t len)
{
    u_char          *bytes, *pos;
    ai_int_t         rc;
    ai_sse_event_t   ev;

    bytes = malloc(len ? len : 1);

    if (bytes == NULL) {
        abort();
    }

    memcpy(bytes, p, len);
    pos = bytes;

    while ((rc = ai_frame_next(f, &pos, bytes + len, &ev)) == AI_OK) {
        seen_event(s, &ev);
    }

    CHECK(rc == AI_ERROR || pos == bytes + len);
    free(bytes);

    return rc;
}


/* pieces: their length, 0 at random, or a cut at -cut */

static void
read_all(seen_t *s, ai_frame_e type, const void *data, size_t len, long piece)
{
    size_t           n, max;
    ai_int_t         rc;
    ai_frame_t       f;
    ai_sse_event_t   ev;
    const u_char    *p;

    p = data;
    max = s->max;

    memset(s, 0, sizeof(seen_t));
    ai_buf_init(&s->text, &unit_arena, MAX);
    ai_buf_init(&s->raw, &unit_arena, MAX);

    ai_frame_init(&f, type, max ? max : MAX, &unit_arena);

    rc = AI_AGAIN;

    while (len != 0 && rc == AI_AGAIN) {

        if (piece > 0) {
            n = (size_t) piece;

        } else if (piece == 0) {
            n = 1 + random_below(300);

        } else {
            n = (size_t) -piece;
            piece = MAX;
        }

        n = (n < len) ? n : len;
        rc = feed(s, &f, p, n);
        p += n;
        len -= n;
    }

    while (rc != AI_ERROR
           && (rc = ai_frame_finish(&f, &ev)) == AI_OK)
    {
        seen_event(s, &ev);
    }

    if (rc == AI_ERROR) {
        CHECK_INT(ai_frame_finish(&f, &ev), AI_ERROR);
    }

    s->err = f.err;
    CHECK(rc == (f.err ? AI_ERROR : AI_DONE));
}


/* whole, and cut at each offset: the same events, the same error */

static void
check_array(const char *text, const char *want, const char *err, size_t max)
{
    size_t  i, len;
    seen_t  s;

    len = strlen(text);

    for (i = 0; i <= len + 1; i++) {
        s.max = max;

        if (i == len + 1) {
            read_all(&s, AI_FRAME_ARRAY, text, len, 1);

        } else {
            read_all(&s, AI_FRAME_ARRAY, text, len, i ? -(long) i : MAX);
        }

        CHECK_MEM(s.text.start, ai_buf_len(&s.text), want, strlen(want));
        CHECK_MEM(s.err ? s.err : "", s.err ? strlen(s.err) : 0, err,
                  strlen(err));

        if (*err == '\0') {
            CHECK_MEM(s.raw.start, ai_buf_len(&s.raw), text, len);
        }
    }
}


static void
test_array(void)
{
    check_array("", "", "", 0);
    check_array("[]", "#;", "", 0);
    check_array("[{}]", "{};#;", "", 0);
    check_array("[{\"a\":1}\n,\r\n{\"b\":[{},{}]}\n]\n",
                "{\"a\":1};{\"b\":[{},{}]};#;#;", "", 0);
    check_array(" [ {\"a\":\"}\\\"]{\\\\\"} , {} ] ",
                "{\"a\":\"}\\\"]{\\\\\"};{};#;#;", "", 0);

    /* an error may come without an array */

    check_array("{\"error\":{\"code\":1}}\n", "{\"error\":{\"code\":1}};#;",
                "", 0);
}


static void
test_array_broken(void)
{
    check_array("[", "", "the array is cut", 0);
    check_array("[{}", "{};", "the array is cut", 0);
    check_array("[{},", "{};", "the array is cut", 0);
    check_array("[{\"a\":\"", "", "the array is cut", 0);
    check_array("{\"a\":1", "", "the array is cut", 0);
    check_array("x", "", "broken array", 0);
    check_array("[1]", "", "broken array", 0);
    check_array("[{}] {}", "{};#;", "broken array", 0);
    check_array("[{}]]", "{};#;", "broken array", 0);
    check_array("[[{}]]", "", "broken array", 0);
    check_array("{}{}", "{};", "broken array", 0);
    check_array(",{}", "", "broken array", 0);
}


static void
test_array_large(void)
{
    seen_t  s;

    check_array("[{\"a\":\"12345678\"}]", "{\"a\":\"12345678\"};#;", "", 17);

    s.max = 16;
    read_all(&s, AI_FRAME_ARRAY, "[{\"a\":\"12345678\"}]", 18, MAX);
    CHECK_STR(s.err, strlen(s.err), "event is too large");

    s.max = 16;
    read_all(&s, AI_FRAME_ARRAY, "[{\"a\":\"12345678\"}]", 18, 1);
    CHECK_STR(s.err, strlen(s.err), "event is too large");

    s.max = 8;
    read_all(&s, AI_FRAME_ARRAY, "[            ", 13, 1);
    CHECK_STR(s.err, strlen(s.err), "event is too large");
}


static void
test_array_no_memory(void)
{
    u_char          *pos;
    ai_frame_t       f;
    ai_sse_event_t   ev;

    ai_frame_init(&f, AI_FRAME_ARRAY, MAX, &unit_arena);
    unit.fail_after = 0;

    pos = (u_char *) "[{\"a\"";
    CHECK_INT(ai_frame_next(&f, &pos, pos + 5, &ev), AI_ERROR);
    unit.fail_after = -1;
    CHECK_STR(f.err, strlen(f.err), "no memory");
    CHECK_INT(ai_frame_next(&f, &pos, pos, &ev), AI_ERROR);
}


static void
test_sse_and_lines(void)
{
    seen_t  s;

#define SSE  "event: a\r\ndata: 1\r\n\r\n: c\r\n\r\ndata: 2\r\n\r\ndata: 3"

    s.max = 0;
    read_all(&s, AI_FRAME_SSE, SSE, sizeof(SSE) - 1, MAX);
    CHECK_STR(s.text.start, ai_buf_len(&s.text), "a=1;#;2;3;");
    CHECK(s.err == NULL);

    s.max = 0;
    read_all(&s, AI_FRAME_SSE, SSE, sizeof(SSE) - 1, 1);
    CHECK_STR(s.text.start, ai_buf_len(&s.text), "a=1;#;2;3;");

    s.max = 0;
    read_all(&s, AI_FRAME_LINES, "{\"a\":1}\n\n{}", 11, 1);
    CHECK_STR(s.text.start, ai_buf_len(&s.text), "{\"a\":1};#;{};");

    s.max = 4;
    read_all(&s, AI_FRAME_LINES, "{\"a\":1}\n", 8, MAX);
    CHECK_STR(s.err, strlen(s.err), "event is too large");
}


/* ---- AWS ---- */

static void
message(ai_buf_t *b, const char *type, const char *payload, ai_uint_t failed)
{
    size_t  begin;

    begin = ai_eventstream_begin(b, type, failed);
    ai_buf_cstr(b, payload);
    ai_eventstream_end(b, begin);
}


static void
check_aws(ai_frame_e type, ai_buf_t *b, const char *want, const char *err)
{
    long    i;
    seen_t  s;

    for (i = -(long) ai_buf_len(b); i <= 1; i++) {
        s.max = 0;
        read_all(&s, type, b->start, ai_buf_len(b), i);

        CHECK_MEM(s.text.start, ai_buf_len(&s.text), want, strlen(want));
        CHECK_MEM(s.err ? s.err : "", s.err ? strlen(s.err) : 0, err,
                  strlen(err));

        if (*err == '\0') {
            CHECK_MEM(s.raw.start, ai_buf_len(&s.raw), b->start,
                      ai_buf_len(b));
        }
    }
}


static void
test_aws(void)
{
    ai_buf_t  b;

    ai_buf_init(&b, &unit_arena, MAX);
    message(&b, "contentBlockDelta", "{\"a\":1}", 0);
    message(&b, "messageStop", "", 0);
    message(&b, "throttlingException", "{\"message\":\"slow\"}", 1);

    check_aws(AI_FRAME_AWS, &b,
              "contentBlockDelta={\"a\":1};#;"
              "throttlingException=!{\"message\":\"slow\"};", "");

    /* what an exception tells need not be JSON */

    ai_buf_init(&b, &unit_arena, MAX);
    message(&b, "x", "a \"b\"\n", 1);
    check_aws(AI_FRAME_AWS, &b, "x=!{\"message\":\"a \\\"b\\\"\\n\"};", "");
    check_aws(AI_FRAME_AWS_BYTES, &b, "x=!{\"message\":\"a \\\"b\\\"\\n\"};",
              "");
}


static void
test_aws_bytes(void)
{
    seen_t    s;
    ai_buf_t  b;

    ai_buf_init(&b, &unit_arena, MAX);
    message(&b, "chunk", "{\"bytes\":\"eyJhIjoxfQ==\",\"p\":\"abc\"}", 0);
    message(&b, "chunk", "{\"p\":\"abc\",\"bytes\":\"e30\"}", 0);
    message(&b, "chunk", "{\"bytes\":\"\"}", 0);
    message(&b, "chunk", "{\"bytes\":\"eyJhIjoi\\/\\/8ifQ\"}", 0);
    message(&b, "initial-response", "{}", 0);

    check_aws(AI_FRAME_AWS_BYTES, &b, "{\"a\":1};{};;{\"a\":\"\xff\xff\"};#;",
              "");

    ai_buf_init(&b, &unit_arena, MAX);
    message(&b, "chunk", "{\"bytes\":\"e3*\"}", 0);
    check_aws(AI_FRAME_AWS_BYTES, &b, "", "payload is not base64");

    ai_buf_init(&b, &unit_arena, MAX);
    message(&b, "chunk", "{\"bytes\":", 0);
    check_aws(AI_FRAME_AWS_BYTES, &b, "", "payload is not a JSON object");

    /* a message that is cut, a wrong CRC */

    ai_buf_init(&b, &unit_arena, MAX);
    message(&b, "a", "{}", 0);

    s.max = 0;
    read_all(&s, AI_FRAME_AWS, b.start, ai_buf_len(&b) - 1, 1);
    CHECK(s.err != NULL);

    b.start[ai_buf_len(&b) - 1] ^= 1;
    s.max = 0;
    read_all(&s, AI_FRAME_AWS, b.start, ai_buf_len(&b), MAX);
    CHECK(s.err != NULL);
    CHECK_UINT(ai_buf_len(&s.text), 0);
}


/* ---- base64 ---- */

static void
check_base64(const char *text, const char *want, size_t want_len)
{
    u_char  *src, *dst;
    size_t   n, len;

    len = strlen(text);
    src = unit_bytes(text, len);
    dst = ai_alloc(&unit_arena, ai_base64_decoded_len(len));

    if (want == NULL) {
        CHECK_INT(ai_base64_decode(dst, src, len, &n), AI_DECLINED);
        return;
    }

    CHECK_INT(ai_base64_decode(dst, src, len, &n), AI_OK);
    CHECK_MEM(dst, n, want, want_len);

    CHECK_INT(ai_base64_decode(src, src, len, &n), AI_OK);
    CHECK_MEM(src, n, want, want_len);
}


static void
test_base64(void)
{
    u_char     *p, *end;
    size_t      i, n, len;
    u_char      bytes[256], back[256];

    static const char  *const rfc[] = {
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
    };

    for (i = 0; i < 7; i++) {
        check_base64(rfc[i], "foobar", i);

        p = ai_alloc(&unit_arena, ai_base64_encoded_len(i) + 1);
        end = ai_base64_encode(p, (u_char *) "foobar", i);
        CHECK_MEM(p, end - p, rfc[i], strlen(rfc[i]));
    }

    check_base64("Zg", "f", 1);
    check_base64("Zm8", "fo", 2);
    check_base64(" Z\r\nm9\tv ", "foo", 3);
    check_base64("-_8", "\xfb\xff", 2);
    check_base64("+/8=", "\xfb\xff", 2);
    check_base64("Z", NULL, 0);
    check_base64("Zm9vY", NULL, 0);
    check_base64("Zg==Zg==", NULL, 0);
    check_base64("Zg*=", NULL, 0);

    for (len = 0; len < sizeof(bytes); len++) {
        bytes[len] = (u_char) random_below(256);

        p = ai_alloc(&unit_arena, ai_base64_encoded_len(len) + 1);
        end = ai_base64_encode(p, bytes, len);

        CHECK_UINT(end - p, ai_base64_encoded_len(len));
        CHECK_INT(ai_base64_decode(back, p, end - p, &n), AI_OK);
        CHECK_MEM(back, n, bytes, len);
    }
}


/* ---- recorded streams ---- */

static const char  *const roots[] = {
    "../shared/fixtures", "../../shared/fixtures"
};

static unsigned  recorded;


static char *
file_read(const char *path, size_t *len)
{
    char  *data;
    FILE  *f;
    long   size;

    f = fopen(path, "rb");

    if (f == NULL) {
        return NULL;
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    *len = (size_t) size;
    data = malloc(*len + 1);

    if (data == NULL || fread(data, 1, *len, f) != *len) {
        abort();
    }

    data[*len] = '\0';
    fclose(f);

    return data;
}


/* of the decoded frames beside a stream: names, and the trees of the data */

static void
compare(const char *path, const char *oracle, seen_t *s, ai_uint_t bytes)
{
    size_t       n;
    char        *p, *text;
    unsigned     failed;
    u_char       inner[65536];
    const char  *end, *name;
    cJSON       *frame, *got;
    const cJSON *payload;

    failed = unit.failed;

    ai_buf_put(&s->text, "", 1);
    end = (char *) s->text.start;

    for (p = (char *) oracle; *p != '\0'; p = strchr(p, '\n') + 1) {

        frame = cJSON_ParseWithOpts(p, NULL, 0);
        payload = cJSON_GetObjectItem(frame, "payload");
        name = cJSON_GetObjectItem(cJSON_GetObjectItem(frame, "headers"),
                                   ":event-type")->valuestring;

        if (!bytes) {
            CHECK(strncmp(end, name, strlen(name)) == 0);
            end += strlen(name) + 1;
            got = cJSON_ParseWithOpts(end, &end, 0);
            CHECK(cJSON_Compare(got, payload, 1));
            cJSON_Delete(got);

        } else {
            text = cJSON_GetObjectItem(payload, "bytes")->valuestring;

            CHECK(strlen(text) < sizeof(inner));
            CHECK_INT(ai_base64_decode(inner, (u_char *) text, strlen(text),
                                       &n), AI_OK);
            CHECK(strncmp(end, (char *) inner, n) == 0);
            end += n;
        }

        cJSON_Delete(frame);

        if (!CHECK(*end++ == ';') || strchr(p, '\n') == NULL) {
            break;
        }
    }

    CHECK(*end == '\0');

    if (unit.failed != failed) {
        printf("    in %s\n", path);
    }
}


static void
replay(const char *dir, const char *file, ai_uint_t bytes)
{
    char    *data, *oracle, path[1024];
    long     piece;
    size_t   len, n;
    seen_t   s;

    snprintf(path, sizeof(path), "%s/%.500s", dir, file);
    data = file_read(path, &len);

    snprintf(path, sizeof(path), "%s/%.500s.decoded.ndjson", dir, file);
    oracle = file_read(path, &n);

    if (data != NULL && oracle != NULL) {

        for (piece = -1; piece <= 1; piece++) {
            s.max = 0;
            read_all(&s, bytes ? AI_FRAME_AWS_BYTES : AI_FRAME_AWS, data, len,
                     piece);

            CHECK(s.err == NULL);
            CHECK_MEM(s.raw.start, ai_buf_len(&s.raw), data, len);
            compare(path, oracle, &s, bytes);
        }

        recorded++;
    }

    free(data);
    free(oracle);
    unit_arena_reset();
}


static void
test_recorded(void)
{
    DIR            *dir;
    char            path[512];
    size_t          i, r, len;
    struct dirent  *entry;

    static const char  *const dirs[] = {
        "bedrock/converse-stream", "bedrock/invoke-stream"
    };

    for (r = 0; r < 2 && recorded == 0; r++) {

        for (i = 0; i < 2; i++) {
            snprintf(path, sizeof(path), "%s/%s", roots[r], dirs[i]);
            dir = opendir(path);

            if (dir == NULL) {
                continue;
            }

            while ((entry = readdir(dir)) != NULL) {
                len = strlen(entry->d_name);

                if (len > 12
                    && strcmp(entry->d_name + len - 12, ".eventstream") == 0)
                {
                    replay(path, entry->d_name, i);
                }
            }

            closedir(dir);
        }
    }

    if (recorded == 0) {
        printf("skipped: no recorded streams in %s\n", roots[0]);
        return;
    }

    printf("recorded: %u streams\n", recorded);
}


int
main(void)
{
    UNIT_RUN(test_array);
    UNIT_RUN(test_array_broken);
    UNIT_RUN(test_array_large);
    UNIT_RUN(test_array_no_memory);
    UNIT_RUN(test_sse_and_lines);
    UNIT_RUN(test_aws);
    UNIT_RUN(test_aws_bytes);
    UNIT_RUN(test_base64);
    UNIT_RUN(test_recorded);

    return unit_done();
}

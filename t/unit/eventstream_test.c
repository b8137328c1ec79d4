
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The framing of AWS: messages written and read back, broken ones, the
 * vectors of AWS and the recorded streams where they are present, whole and
 * cut in pieces.
 */


#include <dirent.h>

#include <cjson/cJSON.h>

#include "ai_eventstream.h"
#include "unit.h"


#define MAX       (16 * 1024 * 1024)
#define FIXTURES  "../shared/fixtures"

/* above this a stream is not cut at each offset */

#define SMALL     6000
#define CUTS      40


/* what a reader sees: "type|event|content type|error|payload" of each */

typedef struct {
    char        *data;
    size_t       len;
    size_t       size;
    size_t       raw;
    unsigned     messages;
    const char  *err;
} text_t;


static unsigned  seed = 1;


static unsigned
random_below(unsigned n)
{
    seed = seed * 1103515245 + 12345;

    return (seed >> 8) % n;
}


static void
text_add(text_t *t, const void *data, size_t len, char end)
{
    if (t->len + len + 1 > t->size) {
        t->size = (t->size + len + 1) * 2;
        t->data = realloc(t->data, t->size);

        if (t->data == NULL) {
            abort();
        }
    }

    if (len != 0) {
        memcpy(t->data + t->len, data, len);
    }

    t->len += len;
    t->data[t->len++] = end;
}


static ai_int_t
feed(ai_eventstream_t *s, text_t *t, const u_char *data, size_t len)
{
    u_char                    *p, *copy;
    ai_int_t                   rc;
    ai_eventstream_message_t   m;

    /* a block of exactly this size, which is gone when the call is over */

    copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    p = copy;

    while ((rc = ai_eventstream_next(s, &p, copy + len, &m)) == AI_OK) {
        text_add(t, m.message_type.data, m.message_type.len, '|');
        text_add(t, m.event_type.data, m.event_type.len, '|');
        text_add(t, m.content_type.data, m.content_type.len, '|');
        text_add(t, m.error_message.data, m.error_message.len, '|');
        text_add(t, m.payload.data, m.payload.len, '\n');

        t->raw += m.raw.len;
        t->messages++;
    }

    if (rc == AI_AGAIN) {
        CHECK(p == copy + len);
    }

    free(copy);

    return rc;
}


/* cuts are offsets in rising order; AI_OK: a whole stream */

static ai_int_t
read_cut(text_t *t, const u_char *data, size_t len, const size_t *cuts,
    unsigned n, size_t max)
{
    size_t             from, to;
    ai_int_t           rc;
    unsigned           i;
    ai_eventstream_t   s;

    memset(t, 0, sizeof(text_t));
    ai_eventstream_init(&s, max, &unit_arena);
    from = 0;

    for (i = 0; i <= n; i++) {
        to = i < n ? cuts[i] : len;
        rc = feed(&s, t, data + from, to - from);

        if (rc == AI_ERROR) {
            t->err = s.err;
            CHECK(s.err != NULL);
            CHECK_INT(feed(&s, t, data, len), AI_ERROR);
            CHECK_INT(ai_eventstream_finish(&s), AI_ERROR);
            return rc;
        }

        CHECK_INT(rc, AI_AGAIN);
        from = to;
    }

    rc = ai_eventstream_finish(&s);
    t->err = s.err;

    return rc;
}


/* the same, whatever it is cut in; returns what it is when it is not cut */

static ai_int_t
read_all(text_t *whole, const u_char *data, size_t len, size_t max)
{
    size_t     cuts[CUTS];
    text_t     t;
    ai_int_t   rc, cut;
    unsigned   i, k, n;

    rc = read_cut(whole, data, len, NULL, 0, max);

    n = len <= SMALL ? (unsigned) len : 300;

    for (i = 0; i <= n; i++) {

        if (len <= SMALL) {
            cuts[0] = i;
            k = 1;

        } else {
            k = 1 + random_below(CUTS);
            cuts[0] = random_below((unsigned) len / k);

            for (k = 1; k < CUTS; k++) {
                cuts[k] = cuts[k - 1]
                          + random_below((unsigned) len / CUTS * 2);

                if (cuts[k] > len) {
                    break;
                }
            }
        }

        cut = read_cut(&t, data, len, cuts, k, max);

        if (!CHECK_INT(cut, rc)
            || !CHECK_MEM(t.data, t.len, whole->data, whole->len)
            || !CHECK_UINT(t.messages, whole->messages))
        {
            printf("    cut at %zu\n", cuts[0]);
            free(t.data);
            break;
        }

        free(t.data);
    }

    return rc;
}


static void
read_bytes(const u_char *data, size_t len, const text_t *whole)
{
    size_t            i;
    text_t            t;
    ai_eventstream_t  s;

    memset(&t, 0, sizeof(text_t));
    ai_eventstream_init(&s, MAX, &unit_arena);

    for (i = 0; i < len; i++) {
        if (!CHECK_INT(feed(&s, &t, data + i, 1), AI_AGAIN)) {
            break;
        }
    }

    CHECK_INT(ai_eventstream_finish(&s), AI_OK);
    CHECK_MEM(t.data, t.len, whole->data, whole->len);
    free(t.data);
}


static u_char *
read_file(const char *dir, const char *name, size_t *len)
{
    char    path[1024];
    long    size;
    FILE   *f;
    u_char *data;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
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
    *len = (size_t) size;
    fclose(f);

    return data;
}


/* written as Bedrock would, read as a client would */

static void
test_round_trip(void)
{
    size_t    begin;
    text_t    t;
    ai_buf_t  b;
    ai_str_t  out;

    ai_buf_init(&b, &unit_arena, 65536);

    begin = ai_eventstream_begin(&b, "messageStart", 0);
    ai_buf_lit(&b, "{\"role\":\"assistant\"}");
    ai_eventstream_end(&b, begin);

    begin = ai_eventstream_begin(&b, "contentBlockDelta", 0);
    ai_eventstream_end(&b, begin);

    begin = ai_eventstream_begin(&b, "throttlingException", 1);
    ai_buf_lit(&b, "{\"message\":\"slow down\"}");
    ai_eventstream_end(&b, begin);

    CHECK_INT(ai_buf_get(&b, &out), AI_OK);
    CHECK_INT(read_all(&t, out.data, out.len, MAX), AI_OK);
    CHECK_UINT(t.messages, 3);
    CHECK_UINT(t.raw, b.pos - b.start);
    CHECK_STR(t.data, t.len,
              "event|messageStart|application/json||{\"role\":\"assistant\"}\n"
              "event|contentBlockDelta|application/json||\n"
              "exception|throttlingException|application/json||"
              "{\"message\":\"slow down\"}\n");
    free(t.data);
}


static void
test_writer_out_of_memory(void)
{
    size_t    begin;
    ai_buf_t  b;
    ai_str_t  out;

    ai_buf_init(&b, &unit_arena, 40);

    begin = ai_eventstream_begin(&b, "messageStart", 0);
    ai_buf_lit(&b, "{}");
    ai_eventstream_end(&b, begin);

    CHECK_INT(ai_buf_get(&b, &out), AI_ERROR);
}


/* each bit of a message is watched by one of the two sums */

static void
test_flipped_bits(void)
{
    size_t             i, begin;
    u_char            *p;
    text_t             t;
    ai_buf_t           b;
    ai_str_t           out;
    ai_int_t           rc;
    unsigned           bit;
    ai_eventstream_t   s;

    ai_buf_init(&b, &unit_arena, 65536);
    begin = ai_eventstream_begin(&b, "messageStop", 0);
    ai_buf_lit(&b, "{\"stopReason\":\"end_turn\"}");
    ai_eventstream_end(&b, begin);
    CHECK_INT(ai_buf_get(&b, &out), AI_OK);

    for (i = 0; i < out.len; i++) {

        for (bit = 0; bit < 8; bit++) {
            p = out.data + i;
            *p ^= (u_char) (1 << bit);

            memset(&t, 0, sizeof(text_t));
            ai_eventstream_init(&s, MAX, &unit_arena);
            rc = feed(&s, &t, out.data, out.len);

            CHECK_INT(rc, AI_ERROR);
            CHECK_UINT(t.messages, 0);

            *p ^= (u_char) (1 << bit);
        }
    }
}


static void
test_cut_and_large(void)
{
    size_t    i, begin;
    text_t    t;
    ai_buf_t  b;
    ai_str_t  out;

    ai_buf_init(&b, &unit_arena, 65536);
    begin = ai_eventstream_begin(&b, "messageStop", 0);
    ai_buf_lit(&b, "{\"stopReason\":\"end_turn\"}");
    ai_eventstream_end(&b, begin);
    CHECK_INT(ai_buf_get(&b, &out), AI_OK);

    for (i = 1; i < out.len; i++) {
        CHECK_INT(read_cut(&t, out.data, i, NULL, 0, MAX), AI_ERROR);
        CHECK(t.err != NULL && strstr(t.err, "ends within") != NULL);
    }

    CHECK_INT(read_cut(&t, out.data, out.len, NULL, 0, out.len), AI_OK);
    free(t.data);

    CHECK_INT(read_cut(&t, out.data, out.len, NULL, 0, out.len - 1),
              AI_ERROR);
    CHECK(t.err != NULL && strstr(t.err, "too large") != NULL);

    CHECK_INT(read_cut(&t, out.data, 0, NULL, 0, MAX), AI_OK);
}


static void
test_memory(void)
{
    size_t             i, begin;
    u_char             payload[1000];
    text_t             t;
    ai_buf_t           b;
    ai_str_t           out;
    ai_eventstream_t   s;

    memset(payload, 'x', sizeof(payload));
    memset(&t, 0, sizeof(text_t));
    ai_buf_init(&b, &unit_arena, 16 * 1024 * 1024);

    for (i = 0; i < 1000; i++) {
        begin = ai_eventstream_begin(&b, "contentBlockDelta", 0);
        ai_buf_put(&b, payload, i);
        ai_eventstream_end(&b, begin);
    }

    CHECK_INT(ai_buf_get(&b, &out), AI_OK);

    /* nothing for messages that come whole */

    unit.used = 0;
    ai_eventstream_init(&s, 2048, &unit_arena);
    CHECK_INT(feed(&s, &t, out.data, out.len), AI_AGAIN);
    CHECK_UINT(t.messages, 1000);
    CHECK_UINT(unit.used, 0);

    /* and a bounded amount for those that do not */

    ai_eventstream_init(&s, 2048, &unit_arena);

    for (i = 0; i < out.len; i += 7) {
        if (!CHECK_INT(feed(&s, &t, out.data + i,
                            out.len - i < 7 ? out.len - i : 7), AI_AGAIN))
        {
            break;
        }
    }

    CHECK_UINT(t.messages, 2000);
    CHECK(unit.used <= 2048 * 4);

    ai_eventstream_init(&s, 2048, &unit_arena);
    unit.fail_after = 0;
    CHECK_INT(feed(&s, &t, out.data, 5), AI_ERROR);
    unit.fail_after = -1;

    free(t.data);
}


static void
test_vectors(void)
{
    size_t          len;
    DIR            *dir;
    u_char         *data;
    text_t          t;
    ai_int_t        rc;
    unsigned        valid, invalid;
    struct dirent  *e;

    dir = opendir(FIXTURES "/_vectors/eventstream");

    if (dir == NULL) {
        printf("skipped: no vectors of AWS\n");
        return;
    }

    valid = 0;
    invalid = 0;

    while ((e = readdir(dir)) != NULL) {

        if (strstr(e->d_name, ".bin") == NULL) {
            continue;
        }

        data = read_file(FIXTURES "/_vectors/eventstream", e->d_name, &len);
        rc = read_all(&t, data, len, MAX);

        if (strncmp(e->d_name, "valid", 5) == 0) {
            valid++;

            if (!CHECK_INT(rc, AI_OK) || !CHECK_UINT(t.messages, 1)) {
                printf("    %s: %s\n", e->d_name, t.err);
            }

            if (strstr(e->d_name, "no_headers") != NULL) {
                CHECK_STR(t.data, t.len, "||||another test payload\n");
            }

        } else {
            invalid++;

            if (!CHECK_INT(rc, AI_ERROR) || !CHECK_UINT(t.messages, 0)) {
                printf("    %s\n", e->d_name);
            }
        }

        free(t.data);
        free(data);
    }

    closedir(dir);

    CHECK_UINT(valid, 3);
    CHECK_UINT(invalid, 8);
}


/* the oracle: one frame per line, its headers and what it carried */

static void
add_oracle(text_t *t, const char *line)
{
    char   *raw;
    cJSON  *json, *headers, *payload;

    static const char  *const names[] = {
        ":message-type", ":event-type", ":content-type", ":error-message"
    };

    unsigned     i;
    const char  *value;

    json = cJSON_Parse(line);
    headers = cJSON_GetObjectItem(json, "headers");
    payload = cJSON_GetObjectItem(json, "payload");

    for (i = 0; i < 4; i++) {
        value = cJSON_GetStringValue(cJSON_GetObjectItem(headers, names[i]));
        value = value != NULL ? value : "";
        text_add(t, value, strlen(value), '|');
    }

    raw = cJSON_PrintUnformatted(payload);
    text_add(t, raw, strlen(raw), '\n');
    t->messages++;

    cJSON_free(raw);
    cJSON_Delete(json);
}


/* payloads are compared as trees, since spaces in them may differ */

static void
normal(text_t *out, const text_t *in)
{
    char   *line, *end, *p, *raw;
    cJSON  *json;

    line = in->data;

    while (line < in->data + in->len) {
        end = memchr(line, '\n', (size_t) (in->data + in->len - line));
        p = memchr(line, '{', (size_t) (end - line));

        json = p != NULL ? cJSON_ParseWithLength(p, (size_t) (end - p)) : NULL;

        if (json == NULL) {
            text_add(out, line, (size_t) (end - line), '\n');

        } else {
            raw = cJSON_PrintUnformatted(json);
            text_add(out, line, (size_t) (p - line), raw[0]);
            text_add(out, raw + 1, strlen(raw + 1), '\n');
            cJSON_free(raw);
            cJSON_Delete(json);
        }

        line = end + 1;
    }
}


static void
recorded(const char *dir, const char *name)
{
    char     oracle[512], *line, *end;
    size_t   len, size;
    u_char  *data, *lines;
    text_t   t, got, want;

    snprintf(oracle, sizeof(oracle), "%s.decoded.ndjson", name);

    data = read_file(dir, name, &len);
    lines = read_file(dir, oracle, &size);

    if (!CHECK(data != NULL && lines != NULL)) {
        return;
    }

    memset(&got, 0, sizeof(text_t));
    memset(&want, 0, sizeof(text_t));

    for (line = (char *) lines; *line != '\0'; line = end) {
        end = line + strcspn(line, "\n");

        if (*end != '\0') {
            *end++ = '\0';
        }

        add_oracle(&want, line);
    }

    if (CHECK_INT(read_all(&t, data, len, MAX), AI_OK)) {
        normal(&got, &t);

        CHECK_UINT(t.raw, len);
        CHECK_UINT(t.messages, want.messages);

        if (!CHECK_MEM(got.data, got.len, want.data, want.len)) {
            printf("    %s\n", name);
        }

        if (len <= SMALL) {
            read_bytes(data, len, &t);
        }
    }

    free(t.data);
    free(got.data);
    free(want.data);
    free(data);
    free(lines);
    unit_arena_reset();
}


static void
test_recorded(void)
{
    DIR            *dir;
    unsigned        i, n;
    const char     *p;
    struct dirent  *e;

    static const char  *const dirs[] = {
        FIXTURES "/bedrock/converse-stream", FIXTURES "/bedrock/invoke-stream"
    };

    n = 0;

    for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        dir = opendir(dirs[i]);

        if (dir == NULL) {
            continue;
        }

        while ((e = readdir(dir)) != NULL) {
            p = strrchr(e->d_name, '.');

            if (p != NULL && strcmp(p, ".eventstream") == 0) {
                recorded(dirs[i], e->d_name);
                n++;
            }
        }

        closedir(dir);
    }

    if (n == 0) {
        printf("skipped: no recorded streams\n");
        return;
    }

    CHECK(n >= 20);
    printf("%u recorded streams\n", n);
}


int
main(void)
{
    UNIT_RUN(test_round_trip);
    UNIT_RUN(test_writer_out_of_memory);
    UNIT_RUN(test_flipped_bits);
    UNIT_RUN(test_cut_and_large);
    UNIT_RUN(test_memory);
    UNIT_RUN(test_vectors);
    UNIT_RUN(test_recorded);

    return unit_done();
}

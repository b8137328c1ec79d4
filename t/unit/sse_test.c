
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Event streams and NDJSON: every case whole, cut in two at each offset, and
 * byte by byte; the recorded streams, where they are present, cut at random.
 */


#include <dirent.h>
#include <sys/stat.h>

#include "ai_sse.h"
#include "unit.h"


#define MAX_EVENT  (4 * 1024 * 1024)

#define FIXTURES   "../shared/fixtures"

#define TEXT(s)  s, sizeof(s) - 1


/* what a reader sees, and how many events were not blank */

typedef struct {
    char        *data;
    size_t       len;
    size_t       size;
    size_t       raw;       /* bytes in raw so far */
    unsigned     events;
} text_t;


/*
 * want: "name|data" of each event that is not comment_only, "error:" before
 * it if the field was given, "~" if unterminated, with LF after each event
 */

typedef struct {
    const char  *name;
    const char  *input;
    size_t       len;
    const char  *want;
} sse_case_t;


static const sse_case_t  streams[] = {

    { "LF", TEXT("data: a\n\ndata: b\n\n"), "|a\n|b\n" },
    { "CRLF", TEXT("data: a\r\n\r\ndata: b\r\n\r\n"), "|a\n|b\n" },
    { "CR", TEXT("data: a\r\rdata: b\r\r"), "|a\n|b\n" },
    { "mixed", TEXT("data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\r"
                    "data: e\r\n\r"),
      "|a\n|b\n|c\n|d\n|e\n" },
    { "CRLF CR without LF", TEXT("data: a\r\n\rdata: b\r\n\r\n"),
      "|a\n|b\n" },

    { "no space", TEXT("data:a\nevent:n\n\n"), "n|a\n" },
    { "one space only", TEXT("data:  a \n\n"), "| a \n" },
    { "no tab", TEXT("data:\ta\n\n"), "|\ta\n" },
    { "[DONE]", TEXT("data: [DONE]\n\n"), "|[DONE]\n" },
    { "name", TEXT("event: message_stop\ndata: {}\n\n"),
      "message_stop|{}\n" },
    { "name after data, the last one", TEXT("event: a\ndata: x\nevent: b\n"
                                            "\n"),
      "b|x\n" },
    { "a name is for one event", TEXT("event: a\ndata: x\n\ndata: y\n\n"),
      "a|x\n|y\n" },
    { "name without data", TEXT("event: ping\n\n"), "ping\n" },
    { "empty name", TEXT("event: a\nevent\ndata: x\n\n"), "|x\n" },

    { "lines of data", TEXT("data: {\ndata: \"a\":1\ndata:}\n\n"),
      "|{\\\"a\":1\\}\n" },
    { "lines of data, CRLF", TEXT("data: a\r\ndata\r\ndata: b\r\n\r\n"),
      "|a\\\\b\n" },
    { "lines of data twice", TEXT("data: a\ndata: b\n\ndata: c\ndata: d\n\n"),
      "|a\\b\n|c\\d\n" },
    { "one line after several", TEXT("data: a\ndata: b\n\ndata: c\n\n"),
      "|a\\b\n|c\n" },
    { "empty data", TEXT("data\n\ndata:\n\ndata: \n\ndata\ndata\n\n"),
      "|\n|\n|\n|\\\n" },

    { "comments", TEXT(": keep-alive\n\n:\n\n: a\ndata: x\n:b\n\n"),
      "|x\n" },
    { "blank lines", TEXT("\n\r\n\rdata: x\n\n\n\n"), "|x\n" },
    { "id and retry", TEXT("id: 1\nretry: 9\n\nid\ndata: x\n\n"), "\n|x\n" },
    { "unknown fields", TEXT("foo: 1\nDATA: y\n data: z\ndatax: 1\ndat: 2\n"
                             "data x: 3\ndata: x\n\n"),
      "|x\n" },
    { "error field", TEXT("error: {\"detail\":1}\n\n"),
      "error:{\"detail\":1}:\n" },
    { "colons in a value", TEXT("data:a:b: c\n\n"), "|a:b: c\n" },
    { "no colon at all", TEXT("{\"error\":1}\n\n"), "\n" },

    { "BOM", TEXT("\xef\xbb\xbf" "data: a\n\ndata: b\n\n"), "|a\n|b\n" },
    { "BOM, blank line", TEXT("\xef\xbb\xbf\n\xef\xbb\xbf" "data: b\n\n"),
      "\n" },
    { "BOM, comment", TEXT("\xef\xbb\xbf:x\n\n"), "" },
    { "half a BOM", TEXT("\xef\xbb" "data: a\n\n"), "\n" },

    { "UTF-8", TEXT("data: \xc3\xa9\xe2\x80\xa8\xc2\x85\xf0\x9f\x98\x80\x0b"
                    "\n\n"),
      "|\xc3\xa9\xe2\x80\xa8\xc2\x85\xf0\x9f\x98\x80\x0b\n" },
    { "NUL", TEXT("data: a\0b\n\n"), "|a.b\n" },

    { "nothing", TEXT(""), "" },
    { "no blank line", TEXT("data: a\n\nevent: n\ndata: b\n"),
      "|a\n~n|b\n" },
    { "no line end", TEXT("data: a\n\ndata: [DONE]"), "|a\n~|[DONE]\n" },
    { "no blank line, CRLF", TEXT("data: a\r\ndata: b\r\n"), "~|a\\b\n" },
    { "CR at the end", TEXT("data: a\r"), "~|a\n" },
    { "comment at the end", TEXT("data: a\n\n: x"), "|a\n" },
    { "BOM at the end", TEXT("\xef\xbb\xbf"), "" }
};


static const sse_case_t  ndjson[] = {

    { "LF", TEXT("{\"a\":1}\n{\"b\":2}\n"), "|{\"a\":1}\n|{\"b\":2}\n" },
    { "CRLF", TEXT("{}\r\n[]\r\n"), "|{}\n|[]\n" },
    { "CR is no line end", TEXT("{}\r{}\n"), "|{}\\{}\n" },
    { "blank lines", TEXT("\n \t\r\n\r\n{}\n\n"), "|{}\n" },
    { "blanks around", TEXT(" {} \n"), "| {} \n" },
    { "no line end", TEXT("{}\n{\"error\":\"x\"}"),
      "|{}\n~|{\"error\":\"x\"}\n" },
    { "CR at the end", TEXT("{}\r"), "~|{}\n" },
    { "not SSE", TEXT("data: a\n:b\n"), "|data: a\n|:b\n" },
    { "BOM", TEXT("\xef\xbb\xbf{}\n\xef\xbb\xbf\n"),
      "|{}\n|\xef\xbb\xbf\n" },
    { "nothing", TEXT(""), "" }
};


static u_char *
exact(const void *data, size_t len)
{
    u_char  *p;

    p = malloc(len ? len : 1);

    if (p == NULL) {
        abort();
    }

    if (len != 0) {
        memcpy(p, data, len);
    }

    return p;
}


static void
text_add(text_t *t, const void *data, size_t len)
{
    size_t       i;
    const char  *p;

    if (t->len + len > t->size) {
        t->size = 2 * (t->len + len);
        t->data = realloc(t->data, t->size);

        if (t->data == NULL) {
            abort();
        }
    }

    p = data;

    for (i = 0; i < len; i++) {
        t->data[t->len++] = p[i] == '\n' || p[i] == '\r' ? '\\'
                            : p[i] == '\0' ? '.' : p[i];
    }
}


/* also checks raw against what was sent */

static int
text_event(text_t *t, ai_sse_event_t *ev, const u_char *input, size_t len)
{
    if (!CHECK(ev->raw.len > 0 && t->raw + ev->raw.len <= len)
        || !CHECK_MEM(ev->raw.data, ev->raw.len, input + t->raw, ev->raw.len))
    {
        return 0;
    }

    t->raw += ev->raw.len;

    if (ev->comment_only) {
        return CHECK(!ev->has_data && ev->name.len == 0
                     && ev->data.len == 0 && ev->error.len == 0);
    }

    t->events++;

    if (ev->unterminated) {
        text_add(t, "~", 1);
    }

    if (ev->error.len) {
        text_add(t, "error:", 6);
        text_add(t, ev->error.data, ev->error.len);
        text_add(t, ":", 1);
    }

    text_add(t, ev->name.data, ev->name.len);

    if (ev->has_data) {
        text_add(t, "|", 1);
        text_add(t, ev->data.data, ev->data.len);
    }

    text_add(t, "", 1);
    t->data[t->len - 1] = '\n';

    return 1;
}


/* one piece of input, in a block of its own */

static ai_int_t
feed(ai_sse_t *s, text_t *t, const u_char *input, size_t len, size_t from,
    size_t n)
{
    u_char          *buf, *pos, *last;
    ai_int_t         rc;
    ai_sse_event_t   ev;

    buf = exact(input + from, n);
    pos = buf;
    last = buf + n;

    while ((rc = ai_sse_next(s, &pos, last, &ev)) == AI_OK) {

        if (!text_event(t, &ev, input, len)) {
            rc = AI_ERROR;
            break;
        }
    }

    CHECK(rc == AI_ERROR || (rc == AI_AGAIN && pos == last));

    free(buf);

    return rc;
}


/* the whole input, cut pieces in the first array, or in steps of a byte */

static ai_int_t
run(text_t *t, ai_uint_t lines, size_t max, const u_char *input, size_t len,
    const size_t *cuts, size_t ncuts)
{
    size_t           i, at, end;
    ai_int_t         rc;
    ai_sse_t         s;
    ai_sse_event_t   ev;

    memset(t, 0, sizeof(text_t));
    memset(&s, 0xa5, sizeof(s));

    if (lines) {
        ai_sse_init_lines(&s, max, &unit_arena);

    } else {
        ai_sse_init(&s, max, &unit_arena);
    }

    at = 0;

    for (i = 0; i <= ncuts; i++) {
        end = (i == ncuts) ? len : cuts[i];

        rc = feed(&s, t, input, len, at, end - at);

        if (rc != AI_AGAIN) {
            return rc;
        }

        at = end;
    }

    rc = ai_sse_finish(&s, &ev);

    if (rc == AI_OK) {

        if (!text_event(t, &ev, input, len)) {
            return AI_ERROR;
        }

        rc = ai_sse_finish(&s, &ev);
    }

    CHECK_UINT(t->raw, len);

    return rc;
}


static void
test_cases(const sse_case_t *cases, size_t n, ai_uint_t lines)
{
    size_t             i, k, cuts[256];
    text_t             t;
    const u_char      *input;
    const sse_case_t  *c;

    for (c = cases; c < cases + n; c++) {
        input = (const u_char *) c->input;

        for (i = 0; i <= c->len; i++) {
            CHECK_INT(run(&t, lines, MAX_EVENT, input, c->len, &i, 1),
                      AI_DONE);

            if (!CHECK_MEM(t.data, t.len, c->want, strlen(c->want))) {
                printf("    case \"%s\" cut at %zu\n", c->name, i);
            }

            free(t.data);

            /* a third piece */

            for (k = i; k <= c->len; k++) {
                cuts[0] = i;
                cuts[1] = k;

                (void) run(&t, lines, MAX_EVENT, input, c->len, cuts, 2);

                if (!CHECK_MEM(t.data, t.len, c->want, strlen(c->want))) {
                    printf("    case \"%s\" cut at %zu, %zu\n", c->name, i,
                           k);
                }

                free(t.data);
            }
        }

        for (i = 0; i < c->len; i++) {
            cuts[i] = i + 1;
        }

        CHECK_INT(run(&t, lines, MAX_EVENT, input, c->len, cuts, c->len),
                  AI_DONE);

        if (!CHECK_MEM(t.data, t.len, c->want, strlen(c->want))) {
            printf("    case \"%s\" by bytes\n", c->name);
        }

        free(t.data);
    }
}


static void
test_sse(void)
{
    test_cases(streams, sizeof(streams) / sizeof(streams[0]), 0);
}


static void
test_ndjson(void)
{
    test_cases(ndjson, sizeof(ndjson) / sizeof(ndjson[0]), 1);
}


/* whole events are where the input is, one after the other */

static void
test_zero_copy(void)
{
    u_char          *buf, *pos, *last, *raw;
    ai_sse_t         s;
    ai_sse_event_t   ev;

    static const char  text[] = ": x\n\nevent: a\r\ndata: b\r\n\r\ndata: c\n\n"
                                "data: d";

    buf = exact(text, sizeof(text) - 1);
    pos = buf;
    last = buf + sizeof(text) - 1;
    raw = buf;

    ai_sse_init(&s, MAX_EVENT, &unit_arena);

    while (ai_sse_next(&s, &pos, last, &ev) == AI_OK) {
        CHECK(ev.raw.data == raw);
        raw += ev.raw.len;

        CHECK(pos == raw);
        CHECK(!ev.has_data
              || (ev.data.data > ev.raw.data && ev.data.data < raw));
        CHECK(unit.used == 0);
    }

    CHECK(pos == last);
    CHECK(raw == last - 7);
    CHECK(unit.used > 0);

    free(buf);
}


/* an event must not wait for bytes of the next one */

static void
test_at_once(void)
{
    size_t      i;
    text_t      t;
    ai_sse_t    s;

    static const char * const  inputs[] = {
        "data: a\n\n", "data: a\r\n\r\n", "data: a\r\r", "data: a\n\r"
    };

    for (i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        memset(&t, 0, sizeof(text_t));
        ai_sse_init(&s, MAX_EVENT, &unit_arena);

        (void) feed(&s, &t, (const u_char *) inputs[i], strlen(inputs[i]), 0,
                    strlen(inputs[i]));

        CHECK_STR(t.data, t.len, "|a\n");
        free(t.data);
    }
}


/* size: of the largest event; the LF of its last CRLF does not count */

static const struct {
    const char  *input;
    size_t       size;
} limits[] = {
    { "data: 1\n\ndata: 45678\n\n", 13 },
    { "data: 4\ndat\n\ndata: 1\n\n", 13 },
    { "data: 1\n\ndata: 4\r\n\r\n", 10 },
    { "data: 4\r\rdata\r\r", 9 },
    { "data: 1\n\n:6789012345", 11 },
    { "data: 1\n\ndata: 1", 9 }
};


static void
test_limits(void)
{
    size_t    i, len, cut;
    text_t    t;
    u_char   *p;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        p = (u_char *) limits[i].input;
        len = strlen(limits[i].input);

        for (cut = 0; cut <= len; cut++) {
            CHECK_INT(run(&t, 0, limits[i].size, p, len, &cut, 1), AI_DONE);
            free(t.data);

            CHECK_INT(run(&t, 0, limits[i].size - 1, p, len, &cut, 1),
                      AI_ERROR);
            free(t.data);
        }
    }
}


/* an endless line: refused at the limit, memory bounded */

static void
test_endless(void)
{
    size_t      i, n;
    u_char      piece[100], *pos;
    ai_int_t    rc;
    ai_sse_t    s;

    ai_sse_event_t  ev;

    memset(piece, 'x', sizeof(piece));

    ai_sse_init(&s, 10000, &unit_arena);

    for (n = 0; n < 1000; n++) {
        pos = piece;
        rc = ai_sse_next(&s, &pos, piece + sizeof(piece), &ev);

        if (rc != AI_AGAIN) {
            break;
        }
    }

    CHECK_INT(rc, AI_ERROR);
    CHECK_UINT(n, 100);
    CHECK(unit.used < 4 * 10000);
    CHECK_STR(s.err, strlen(s.err), "event is too large");
    CHECK_INT(ai_sse_next(&s, &pos, piece + sizeof(piece), &ev), AI_ERROR);
    CHECK_INT(ai_sse_finish(&s, &ev), AI_ERROR);

    unit_arena_reset();

    /* many events in pieces, with data to join, take no more than one */

    ai_sse_init(&s, 10000, &unit_arena);

    for (i = 0; i < 10000; i++) {
        pos = (u_char *) "data: a\ndata: b\n\ndata";
        rc = ai_sse_next(&s, &pos, pos + 21, &ev);
        CHECK_INT(rc, AI_OK);
        rc = ai_sse_next(&s, &pos, pos + 4, &ev);
        CHECK_INT(rc, AI_AGAIN);
        pos = (u_char *) ": x\n\n";
        rc = ai_sse_next(&s, &pos, pos + 5, &ev);
        CHECK_INT(rc, AI_OK);
    }

    CHECK(unit.used <= 2048);
}


static void
test_no_memory(void)
{
    u_char          *pos;
    ai_sse_t         s;
    ai_sse_event_t   ev;

    ai_sse_init(&s, 10000, &unit_arena);
    unit.fail_after = 0;

    pos = (u_char *) "data: a";
    CHECK_INT(ai_sse_next(&s, &pos, pos + 7, &ev), AI_ERROR);
    CHECK_STR(s.err, strlen(s.err), "no memory");

    ai_sse_init(&s, 10000, &unit_arena);

    pos = (u_char *) "data: a\ndata: b\n\n";
    CHECK_INT(ai_sse_next(&s, &pos, pos + 17, &ev), AI_ERROR);
    CHECK_INT(ai_sse_finish(&s, &ev), AI_ERROR);
}


/* the same events at random cuts as in one piece */

static void
fixture_run(const char *path, const u_char *data, size_t len, ai_uint_t lines,
    unsigned *seed)
{
    size_t    n, at, round, max, *cuts;
    text_t    whole, t;

    cuts = malloc((len + 1) * sizeof(size_t));

    if (cuts == NULL) {
        abort();
    }

    CHECK_INT(run(&whole, lines, MAX_EVENT, data, len, NULL, 0), AI_DONE);

    max = 1;

    for (round = 0; round < 4; round++) {

        for (n = 0, at = 0; at < len; n++) {
            *seed = *seed * 1103515245 + 12345;
            at += 1 + (*seed >> 16) % max;
            cuts[n] = (at < len) ? at : len;
        }

        CHECK_INT(run(&t, lines, MAX_EVENT, data, len, cuts, n), AI_DONE);

        if (!CHECK_MEM(t.data, t.len, whole.data, whole.len)) {
            printf("    fixture %s, pieces of up to %zu\n", path, max);
        }

        free(t.data);

        max *= 16;
    }

    free(whole.data);
    free(cuts);
}


static void
fixture_file(const char *path, ai_uint_t lines, unsigned *seed)
{
    long     len;
    FILE    *f;
    u_char  *data;

    f = fopen(path, "rb");

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (len = ftell(f)) < 0) {
        abort();
    }

    rewind(f);
    data = malloc(len + 1);

    if (data == NULL || fread(data, 1, len, f) != (size_t) len) {
        abort();
    }

    fclose(f);

    fixture_run(path, data, len, lines, seed);

    free(data);
    unit_arena_reset();
}


static void
fixture_dir(const char *dir, unsigned *seed, unsigned *files)
{
    DIR            *d;
    char            path[1024];
    size_t          len;
    struct stat     st;
    struct dirent  *de;

    d = opendir(dir);

    if (d == NULL) {
        return;
    }

    while ((de = readdir(d)) != NULL) {

        if (de->d_name[0] == '.') {
            continue;
        }

        len = snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);

        if (len >= sizeof(path) || stat(path, &st) != 0) {
            continue;
        }

        if (S_ISDIR(st.st_mode)) {
            fixture_dir(path, seed, files);

        } else if (strcmp(path + len - 4, ".sse") == 0) {
            fixture_file(path, 0, seed);
            (*files)++;

        } else if (strcmp(path + len - 7, ".ndjson") == 0) {
            fixture_file(path, 1, seed);
            (*files)++;
        }
    }

    closedir(d);
}


static void
test_fixtures(void)
{
    unsigned  seed, files;

    seed = 1;
    files = 0;

    fixture_dir(FIXTURES, &seed, &files);

    if (files == 0) {
        printf("skipped: no recorded streams in " FIXTURES "\n");
        return;
    }

    printf("%u recorded streams\n", files);
}


int
main(void)
{
    UNIT_RUN(test_sse);
    UNIT_RUN(test_ndjson);
    UNIT_RUN(test_zero_copy);
    UNIT_RUN(test_at_once);
    UNIT_RUN(test_limits);
    UNIT_RUN(test_endless);
    UNIT_RUN(test_no_memory);
    UNIT_RUN(test_fixtures);

    return unit_done();
}

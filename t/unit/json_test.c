
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The scan of JSON.  "json_test bench" prints what a byte costs instead.
 */


#include <time.h>

#include "unit.h"
#include "ai_json.h"


typedef struct {
    size_t          len;
    const char     *text;
} json_case_t;


#define J(text)  { sizeof(text) - 1, text }

#define D5       "[[[[["
#define D20      D5 D5 D5 D5
#define E5       "]]]]]"
#define E20      E5 E5 E5 E5


static const json_case_t  json_valid[] = {

    J("null"), J("true"), J("false"), J("0"), J("-0"), J("\"\""), J("[]"),
    J("{}"), J(" \t\r\n[ \t\r\n] \t\r\n"), J("{ }"), J("[1]"), J("[1 , 2]"),
    J("{\"a\":1}"), J("{ \"a\" : 1 , \"b\" : [ { } , [ ] ] }"),

    /* numbers */

    J("12"), J("-12"), J("0.5"), J("-0.5"), J("1e5"), J("1E5"), J("1e+5"),
    J("1e-5"), J("1.25e10"), J("0e0"), J("0E+00"), J("1e0005"), J("-0.0e-0"),
    J("123456789012345678901234567890.123456789012345678901234567890"),
    J("1e999999999999999999999999999"), J("[0,-0,0.0,10,100]"),

    /* strings */

    J("\"a\""), J("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), J("\"\\u0041\""),
    J("\"\\u0000\""), J("\"\\u001F\\uabCD\\uFFFF\""), J("\"\x7f\""),
    J("\"\\ud83d\\ude00\""), J("\"\\uD800\\uDC00\\udbff\\udfff\""),
    J("\"\\ud7ff\\ue000\""), J("\"a/b\""), J("\"0123456789abcdef\""),
    J("\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
      "0123456789abcdef0123456789abcdef\\n0123456789abcdef0123456789\""),

    /* UTF-8: the first and the last character of each length */

    J("\"\xc2\x80\""), J("\"\xdf\xbf\""), J("\"\xe0\xa0\x80\""),
    J("\"\xed\x9f\xbf\""), J("\"\xee\x80\x80\""), J("\"\xef\xbf\xbf\""),
    J("\"\xf0\x90\x80\x80\""), J("\"\xf4\x8f\xbf\xbf\""),
    J("\"\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xa9\xc3\xa8\""),
    J("\"\xe2\x80\xa8\xe2\x80\xa9\""), J("\"\xef\xbb\xbf\""),
    J("{\"\xe6\xa8\xa1\xe5\x9e\x8b\":\"\xe4\xbd\xa0\xe5\xa5\xbd\"}"),

    /* members that only look alike */

    J("{\"a\":1,\"A\":2}"), J("{\"a\":1,\"a \":2}"), J("{\"\":1,\" \":2}"),
    J("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"),
    J("[{\"a\":1},{\"a\":1}]"), J("{\"a\":1,\"\\u0000a\":2,\"a\\u0000\":3}"),
    J("{\"\\u00e9\":1,\"e\\u0301\":2}"),
    J("{\"a\":[{\"b\":1,\"c\":2},{\"b\":1,\"c\":2}],\"b\":1,\"c\":2}"),

    /* depth: 64 */

    J(D20 D20 D20 "[[[[" "]]]]" E20 E20 E20)
};


static const json_case_t  json_invalid[] = {

    J(""), J(" "), J("\n"), J("nul"), J("nulll"), J("True"), J("TRUE"),
    J("tru"), J("falsE"), J("nan"), J("NaN"), J("Infinity"), J("-Infinity"),
    J("undefined"), J("'a'"), J("a"), J("*"), J("\0"), J("[\0]"),

    /* structure */

    J("["), J("]"), J("{"), J("}"), J("[}"), J("{]"), J("[1,"), J("[1,]"),
    J("[,1]"), J("[,]"), J("[1,,2]"), J("[1 2]"), J("[1:2]"), J("[1}"),
    J("{,}"), J("{\"a\"}"), J("{\"a\":}"), J("{\"a\":1,}"), J("{\"a\" 1}"),
    J("{\"a\":1 \"b\":2}"), J("{\"a\":1]"), J("{\"a\",1}"), J("{a:1}"),
    J("{1:1}"), J("{\"a\":1,,\"b\":2}"), J("{\"a\"::1}"), J("{null:1}"),
    J("{\"a\":1;\"b\":2}"), J("[[]"), J("{\"a\":{}"), J("{{}}"), J("{[]}"),
    J("{'a':1}"), J("{\"a\":1}}"), J("[]]"), J("[][]"), J("{}{}"), J("1 2"),
    J("\"a\"\"b\""), J("[]x"), J("{}#"), J("null,"), J("[1]\0"), J("{} \xa0"),
    J("// c\n1"), J("/**/1"), J("[1]//"), J("[1,/**/2]"), J("{\"a\":1,1}"),

    /* white space that is none */

    J("\x0b" "1"), J("[\x0c]"), J("\xc2\xa0" "1"), J("[\xe2\x80\xa8]"),

    /* byte order mark */

    J("\xef\xbb\xbf{}"), J("\xfe\xff"), J("\xff\xfe[\0]\0"),

    /* numbers */

    J("-"), J("+1"), J("01"), J("-01"), J("00"), J("1."), J("1.e5"), J(".5"),
    J("-.5"), J("1e"), J("1e+"), J("1E-"), J("1e5.5"), J("1.2.3"), J("0x10"),
    J("1_000"), J("1a"), J("--1"), J("1-"), J("1+1"), J("0e"), J("[1.]"),
    J("[01]"), J("[-]"), J("1e1e1"), J("\xef\xbc\x91"), J("[-a]"), J("0.e1"),

    /* strings */

    J("\""), J("\"a"), J("\"\\"), J("\"\\\""), J("\"\\a\""), J("\"\\'\""),
    J("\"\\x41\""), J("\"\\0\""), J("\"\\U0041\""), J("\"\\\n\""),
    J("\"\\u\""), J("\"\\u1\""), J("\"\\u12\""), J("\"\\u123\""),
    J("\"\\u123g\""), J("\"\\u 123\""), J("\"\\u-123\""), J("\"\\u00/0\""),
    J("\"\\u00:0\""), J("\"\\u00@0\""), J("\"\\u00`0\""), J("\"\\u00G0\""),
    J("\"\n\""), J("\"\t\""), J("\"\x1f\""), J("\"\0\""), J("\"a\0b\""),
    J("\"0123456789abcdef\n\""), J("\"0123456789abcde\x01\""),
    J("{\"a\nb\":1}"), J("{\"\\q\":1}"),

    /* surrogates */

    J("\"\\ud800\""), J("\"\\udbff\""), J("\"\\udc00\""), J("\"\\udfff\""),
    J("\"\\ud800a\""), J("\"\\ud800\\n\""), J("\"\\ud800\\ud800\""),
    J("\"\\ud800\\u0041\""), J("\"\\udc00\\ud800\""), J("\"\\ud800\\u\""),
    J("\"\\ud800\\udc0\""), J("\"\\ud800\\ue000\""), J("\"\\ud800\\"),
    J("\"\\ud83d\\ude00\\ude00\""), J("\"\\ud800x\\udc00\""),

    /* UTF-8: alone, cut off, overlong, surrogates, too large */

    J("\"\x80\""), J("\"\xbf\""), J("\"\xc0\x80\""), J("\"\xc1\xbf\""),
    J("\"\xc2\""), J("\"\xc2" "a\""), J("\"\xc2\xc2\x80\""),
    J("\"\xe0\x80\x80\""), J("\"\xe0\x9f\xbf\""), J("\"\xe1\x80\""),
    J("\"\xe1\x80" "a\""), J("\"\xe1\""), J("\"\xe1" "a\x80\""),
    J("\"\xed\xa0\x80\""), J("\"\xed\xaf\xbf\""), J("\"\xed\xb0\x80\""),
    J("\"\xed\xbf\xbf\""), J("\"\xed\xa0\xbd\xed\xb8\x80\""),
    J("\"\xf0\x80\x80\x80\""), J("\"\xf0\x8f\xbf\xbf\""),
    J("\"\xf0\x9f\x98\""), J("\"\xf0\x9f\x98" "a\""), J("\"\xf0\""),
    J("\"\xf4\x90\x80\x80\""), J("\"\xf5\x80\x80\x80\""),
    J("\"\xf8\x88\x80\x80\x80\""), J("\"\xfe\""), J("\"\xff\""),
    J("\"\xc3\xa9\xc3\""), J("\xc3\xa9"), J("{\"\xff\":1}"), J("\"\xe2\x82"),
    J("\"\xf1\x80\x80\xc0\""), J("\"\xf1\xc0\x80\x80\""),

    /* duplicates */

    J("{\"a\":1,\"a\":1}"), J("{\"a\":1,\"b\":2,\"a\":3}"),
    J("{\"\":1,\"\":2}"), J("{\"a\":1,\"\\u0061\":2}"),
    J("{\"\\u0061\":1,\"a\":2}"), J("{\"\\u0061\":1,\"\\u0061\":2}"),
    J("{\"\xc3\xa9\":1,\"\\u00E9\":2}"), J("{\"/\":1,\"\\/\":2}"),
    J("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}"),
    J("{\"\\n\":1,\"\\u000a\":2}"), J("{\"x\":{\"a\":1,\"a\":2}}"),
    J("[[{\"a\":1,\"a\":2}]]"), J("{\"a\":{\"b\":1},\"c\":[{}],\"a\":2}"),
    J("{\"\\u0000\":1,\"\\u0000\":2}"), J("{\"a\\u0000\":1,\"a\\u0000\":2}"),

    /* depth: 65 */

    J(D20 D20 D20 "[[[[[" "]]]]]" E20 E20 E20)
};


static ai_int_t
json_scan(const void *text, size_t len, ai_json_t *root, ai_json_error_t *err)
{
    u_char  *p;

    p = unit_bytes(text, len);

    return ai_json_scan(p, len, NULL, &unit_arena, NULL, NULL, root, err);
}


/* a document that must be valid */

static ai_json_t
json_value(const void *text, size_t len)
{
    ai_json_t        root;
    ai_json_error_t  err;

    memset(&root, 0, sizeof(ai_json_t));

    if (!CHECK_INT(json_scan(text, len, &root, &err), AI_OK)) {
        printf("    %.60s: %s at %zu\n", (const char *) text, err.reason,
               err.offset);
    }

    return root;
}


static void
test_valid(void)
{
    size_t     i;
    u_char    *p;
    ai_json_t  root;

    for (i = 0; i < sizeof(json_valid) / sizeof(json_valid[0]); i++) {
        root = json_value(json_valid[i].text, json_valid[i].len);

        /* the root is the document without the space around it */

        p = root.start;
        CHECK(*p > ' ' && root.end[-1] > ' ');
        CHECK((root.type == AI_JSON_STRING) == (*p == '"'));
        CHECK((root.type == AI_JSON_OBJECT) == (*p == '{'));
        CHECK((root.type == AI_JSON_ARRAY) == (*p == '['));
        CHECK((root.type == AI_JSON_NULL) == (*p == 'n'));
        CHECK((root.type == AI_JSON_NUMBER)
              == (*p == '-' || (*p >= '0' && *p <= '9')));

        if (root.type == AI_JSON_STRING) {
            CHECK(root.escaped == (memchr(p, '\\', root.end - p) != NULL));
        }

        unit_arena_reset();
    }
}


static void
test_invalid(void)
{
    size_t              i, pad;
    char                text[256];
    const json_case_t  *c;
    ai_json_error_t     err;

    for (i = 0; i < sizeof(json_invalid) / sizeof(json_invalid[0]); i++) {
        c = &json_invalid[i];

        if (!CHECK_INT(json_scan(c->text, c->len, NULL, &err), AI_DECLINED)) {
            printf("    accepted: %s\n", c->text);
        }

        CHECK(err.reason != NULL && err.offset <= c->len);

        /* the same within a document, at each position in a vector */

        for (pad = 0; pad < 20; pad++) {
            memset(text, ' ', pad);
            text[pad] = '[';
            memcpy(text + pad + 1, c->text, c->len);
            memcpy(text + pad + 1 + c->len, "                 ,1]", 20);

            /* an unfinished string could go on there, as could "[" */

            if (c->len && c->text[0] != '[' && c->text[0] != ']') {
                CHECK_INT(json_scan(text, pad + 1 + c->len + 20, NULL, &err),
                          AI_DECLINED);
            }
        }

        unit_arena_reset();
    }
}


/* a prefix of a document is no document, unless it lacks but space */

static void
test_truncated(void)
{
    size_t              i, n;
    u_char             *p;
    ai_json_t           root;
    ai_json_error_t     err;
    const json_case_t  *c;

    for (i = 0; i < sizeof(json_valid) / sizeof(json_valid[0]); i++) {
        c = &json_valid[i];
        p = unit_bytes(c->text, c->len);

        CHECK_INT(ai_json_scan(p, c->len, NULL, &unit_arena, NULL, NULL,
                               &root, &err), AI_OK);

        if (root.type == AI_JSON_NUMBER) {
            continue;
        }

        for (n = 0; n < c->len; n++) {
            CHECK_INT(json_scan(c->text, n, NULL, &err),
                      n < (size_t) (root.end - p) ? AI_DECLINED : AI_OK);
            CHECK(err.offset <= n);
        }

        unit_arena_reset();
    }
}


/* each byte of a string, at each distance from the end of a vector */

static void
test_positions(void)
{
    int              c, ok;
    size_t           at, len;
    u_char           text[200];
    ai_json_error_t  err;

    len = 150;

    for (c = 0; c < 256; c++) {
        for (at = 0; at < len; at++) {
            memset(text, 'x', sizeof(text));
            text[0] = '"';
            text[len + 1] = '"';
            text[1 + at] = (u_char) c;

            ok = (c >= 0x20 && c < 0x80 && c != '"' && c != '\\');

            if (ok != (ai_json_scan(text, len + 2, NULL, &unit_arena, NULL,
                                    NULL, NULL, &err)
                       == AI_OK))
            {
                CHECK_INT(c * 1000 + (int) at, -1);
            }
        }

        CHECK(1);
    }
}


static void
test_error(void)
{
    ai_json_error_t   err;
    ai_json_limits_t  limits;

    CHECK_INT(json_scan("{\"a\":1,\"a\":2}", 13, NULL, &err), AI_DECLINED);
    CHECK_STR(err.reason, strlen(err.reason), "duplicate member");
    CHECK_UINT(err.offset, 7);

    CHECK_INT(json_scan("[1,2", 4, NULL, &err), AI_DECLINED);
    CHECK_STR(err.reason, strlen(err.reason),
              "unexpected end of the document");
    CHECK_UINT(err.offset, 4);

    limits.depth = 2;
    limits.nodes = 4;

#define SCAN(text)                                                           \
    ai_json_scan((u_char *) text, sizeof(text) - 1, &limits, &unit_arena,    \
                 NULL, NULL, NULL, &err)

    CHECK_INT(SCAN("[[1,2]]"), AI_OK);
    CHECK_INT(SCAN("[[[]]]"), AI_DECLINED);
    CHECK_STR(err.reason, strlen(err.reason), "nested too deeply");
    CHECK_UINT(err.offset, 2);
    CHECK_INT(SCAN("[1,2,3]"), AI_OK);
    CHECK_INT(SCAN("{\"a\":1,\"b\":2,\"c\":3}"), AI_OK);
    CHECK_INT(SCAN("[1,2,3,4]"), AI_DECLINED);
    CHECK_STR(err.reason, strlen(err.reason), "too many values");
    CHECK_UINT(err.offset, 7);

    limits.depth = 0;
    CHECK_INT(SCAN("1"), AI_OK);
    CHECK_INT(SCAN("[]"), AI_DECLINED);

#undef SCAN
}


/* depth beyond the frames on the stack, and a scratch that fails */

static void
test_depth(void)
{
    long              n;
    size_t            i, len;
    u_char           *p;
    ai_json_error_t   err;
    ai_json_limits_t  limits;

    len = 5 * 1000 + 1 + 1000;
    p = unit_alloc(NULL, len);

    for (i = 0; i < 1000; i++) {
        memcpy(p + 5 * i, "{\"a\":", 5);
        p[5001 + i] = '}';
    }

    p[5000] = '1';

    limits.nodes = 2000;
    limits.depth = 1000;
    CHECK_INT(ai_json_scan(p, len, &limits, &unit_arena, NULL, NULL, NULL,
                           &err), AI_OK);
    limits.depth = 999;
    CHECK_INT(ai_json_scan(p, len, &limits, &unit_arena, NULL, NULL, NULL,
                           &err), AI_DECLINED);
    limits.depth = 1000;

    for (n = 0; n < 8; n++) {
        unit.fail_after = n;
        CHECK_INT(ai_json_scan(p, len, &limits, &unit_arena, NULL, NULL, NULL,
                               &err), AI_ERROR);
        CHECK_STR(err.reason, strlen(err.reason), "no memory");
    }
}


typedef struct {
    unsigned   n;
    unsigned   stop;
    ai_json_t  names[8];
    ai_json_t  values[8];
} json_seen_t;


static ai_int_t
json_member(void *data, ai_json_t *name, ai_json_t *value)
{
    json_seen_t  *seen = data;

    seen->names[seen->n] = *name;
    seen->values[seen->n++] = *value;

    return seen->n == seen->stop ? AI_ERROR : AI_OK;
}


static void
test_members(void)
{
    json_seen_t      seen;
    ai_json_t        root;
    ai_json_error_t  err;

    static const char  text[] =
        " {\"model\" : \"gpt\",\"n\\u0061me\":\"\\u0000\","
        "\"list\": [ {\"model\":1} , 2 ] ,\"o\":{\"p\":{}},\"t\":true} ";

    memset(&seen, 0, sizeof(json_seen_t));

    CHECK_INT(ai_json_scan((u_char *) text, sizeof(text) - 1, NULL,
                           &unit_arena, json_member, &seen, &root, &err),
              AI_OK);

    if (!CHECK_UINT(seen.n, 5)) {
        return;
    }

    CHECK(ai_json_name_eq(&seen.names[0], "model"));
    CHECK(!ai_json_name_eq(&seen.names[0], "mode"));
    CHECK(!ai_json_name_eq(&seen.names[0], "models"));
    CHECK_MEM(seen.values[0].start, seen.values[0].end - seen.values[0].start,
              "\"gpt\"", 5);
    CHECK(!seen.values[0].escaped && !seen.values[0].nul);

    CHECK(ai_json_name_eq(&seen.names[1], "name"));
    CHECK(seen.names[1].escaped && !seen.names[1].nul);
    CHECK(seen.values[1].escaped && seen.values[1].nul);

    CHECK_MEM(seen.values[2].start, seen.values[2].end - seen.values[2].start,
              "[ {\"model\":1} , 2 ]", 19);
    CHECK_INT(seen.values[2].type, AI_JSON_ARRAY);
    CHECK_MEM(seen.values[3].start, seen.values[3].end - seen.values[3].start,
              "{\"p\":{}}", 8);
    CHECK(ai_json_is_true(&seen.values[4]));
    CHECK_INT(root.type, AI_JSON_OBJECT);
    CHECK_UINT(root.end - root.start, sizeof(text) - 3);

    seen.n = 0;
    seen.stop = 2;
    CHECK_INT(ai_json_scan((u_char *) text, sizeof(text) - 1, NULL,
                           &unit_arena, json_member, &seen, &root, &err),
              AI_ERROR);
    CHECK_UINT(seen.n, 2);

    /* members of other objects are not shown */

    seen.n = 0;
    CHECK_INT(ai_json_scan((u_char *) "[{\"a\":1}]", 9, NULL, &unit_arena,
                           json_member, &seen, &root, &err), AI_OK);
    CHECK_UINT(seen.n, 0);
}


/*
 * "n" members, of which "twice", unless it is n, has the name of the first;
 * every 7th name is escaped, every 11th value is an object with 40 members.
 */

static ai_str_t
json_big(size_t n, size_t twice)
{
    size_t     i, k;
    u_char    *p;
    ai_str_t   text;

    text.data = unit_alloc(NULL, n * 80 + n / 11 * 480 + 600);
    p = text.data;
    *p++ = '{';

    for (i = 0; i < n; i++) {
        p += sprintf((char *) p, "%s\"%s%zu\":", i ? "," : "",
                     i % 7 ? "n" : "\\u006e", i == twice ? 0 : i);

        if (i % 11) {
            *p++ = '1';
            continue;
        }

        for (k = 0; k < 40; k++) {
            p += sprintf((char *) p, "%s\"n%zu\":%zu", k ? "," : "{", k, k);
        }

        *p++ = '}';
    }

    *p++ = '}';
    text.len = (size_t) (p - text.data);

    return text;
}


static double
json_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1e9 + (double) ts.tv_nsec;
}


static void
test_many_members(void)
{
    size_t            i, n, used;
    double            start, took[2];
    ai_str_t          text;
    ai_json_error_t   err;
    ai_json_limits_t  limits;

    static const size_t  sizes[] = { 31, 32, 33, 34, 64, 65, 100, 1000 };

    limits.depth = AI_JSON_DEPTH;
    limits.nodes = 10000000;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        n = sizes[i];
        text = json_big(n, n);
        CHECK_INT(ai_json_scan(text.data, text.len, &limits, &unit_arena,
                               NULL, NULL, NULL, &err), AI_OK);

        text = json_big(n, n - 1);
        CHECK_INT(ai_json_scan(text.data, text.len, &limits, &unit_arena,
                               NULL, NULL, NULL, &err), AI_DECLINED);
        CHECK_STR(err.reason, strlen(err.reason), "duplicate member");

        text = json_big(n, n / 2);
        CHECK_INT(ai_json_scan(text.data, text.len, &limits, &unit_arena,
                               NULL, NULL, NULL, &err), AI_DECLINED);
        unit_arena_reset();
    }

    /* linear: ten times the members take about ten times as long */

    for (i = 0, n = 10000; i < 2; i++, n *= 10) {
        text = json_big(n, n);
        used = unit.used;
        start = json_now();
        CHECK_INT(ai_json_scan(text.data, text.len, &limits, &unit_arena,
                               NULL, NULL, NULL, &err), AI_OK);
        took[i] = json_now() - start;
        CHECK(unit.used - used < 110 * n);

        text = json_big(n, n - 1);
        CHECK_INT(ai_json_scan(text.data, text.len, &limits, &unit_arena,
                               NULL, NULL, NULL, &err), AI_DECLINED);
        unit_arena_reset();
    }

    CHECK(took[1] < 50 * took[0]);

    /* the scratch may fail at any time */

    text = json_big(500, 500);

    for (i = 0; i < 500; i++) {
        unit.fail_after = (long) i;

        if (ai_json_scan(text.data, text.len, &limits, &unit_arena, NULL,
                         NULL, NULL, &err)
            == AI_OK)
        {
            break;
        }
    }

    CHECK(i > 8 && i < 500);
}


/* objects just above the size that makes them use the table, one by one */

static void
test_many_objects(void)
{
    size_t            i, n;
    u_char           *p, *text;
    ai_json_error_t   err;
    ai_json_limits_t  limits;

    n = 33 * 1500;
    limits.depth = 64;
    limits.nodes = 2 * n;
    text = unit_alloc(NULL, n * 10);
    p = text;
    *p++ = '[';

    for (i = 0; i < n; i++) {
        p += sprintf((char *) p, "%s\"%zu\":0", i % 33 ? "," : "{", i % 33);

        if (i % 33 == 32) {
            *p++ = '}';
            *p++ = (i == n - 1) ? ']' : ',';
        }
    }

    CHECK_INT(ai_json_scan(text, (size_t) (p - text), &limits, &unit_arena,
                           NULL, NULL, NULL, &err), AI_OK);
    CHECK(unit.used < n * 10 + 4096);
}


/* names that differ only where a small object does not look at first */

static void
test_similar_names(void)
{
    size_t           i, n, repeated;
    u_char          *p, text[1024];
    ai_json_error_t  err;

    for (n = 2; n < 48; n++) {

        /* the last one repeats one before, or none */

        for (repeated = 0; repeated < n; repeated++) {
            p = text;

            for (i = 0; i < n; i++) {
                p += sprintf((char *) p, "%c\"a%02zukkkz\":0",
                             i ? ',' : '{', (i == n - 1) ? repeated : i);
            }

            *p++ = '}';

            CHECK_INT(ai_json_scan(text, (size_t) (p - text), NULL,
                                   &unit_arena, NULL, NULL, NULL, &err),
                      repeated == n - 1 ? AI_OK : AI_DECLINED);
            unit_arena_reset();
        }
    }
}


static uint64_t
json_inverse(uint64_t odd)
{
    unsigned  i;
    uint64_t  x;

    for (i = 0, x = odd; i < 6; i++) {
        x *= 2 - odd * x;
    }

    return x;
}


/*
 * Names of 8 letters whose hashes are the same where it counts are made by
 * running the scanner's hash backwards.  They must not make it quadratic.
 */

static void
test_hostile_names(void)
{
    size_t           i, n;
    u_char          *p, *text, name[8];
    uint64_t         hash, word, middle, last;
    ai_json_error_t  err;

    middle = json_inverse(UINT64_C(0xff51afd7ed558ccd));
    last = json_inverse(UINT64_C(0xc4ceb9fe1a85ec53));

    text = unit_alloc(NULL, 300 * 13 + 2);
    p = text;
    n = 0;

    for (word = 0; n < 300 && word < 1 << 24; word++) {
        hash = word | UINT64_C(0x123456) << 24;
        hash = (hash ^ hash >> 29 ^ hash >> 58) * last;
        hash = (hash ^ hash >> 32) * middle;
        hash = (hash ^ hash >> 32) * middle;
        hash ^= 8 * UINT64_C(0x9e3779b97f4a7c15);

        memcpy(name, &hash, 8);

        for (i = 0; i < 8; i++) {

            if (name[i] < 0x20 || name[i] > 0x7e || name[i] == '"'
                || name[i] == '\\')
            {
                break;
            }
        }

        if (i == 8) {
            *p++ = n++ ? ',' : '{';
            p += sprintf((char *) p, "\"%.8s\":0", (char *) name);
        }
    }

    *p++ = '}';

    CHECK_UINT(n, 300);
    CHECK_INT(ai_json_scan(text, (size_t) (p - text), NULL, &unit_arena, NULL,
                           NULL, NULL, &err), AI_DECLINED);
    CHECK_STR(err.reason, strlen(err.reason), "member names that collide");
}


static void
bench(const char *name, u_char *p, size_t len, unsigned rounds)
{
    double           start, took, best;
    unsigned         i, k;
    ai_json_t        root;
    ai_json_error_t  err;

    best = 1e18;

    for (k = 0; k < 7; k++) {
        start = json_now();

        for (i = 0; i < rounds; i++) {

            if (ai_json_scan(p, len, NULL, &unit_arena, NULL, NULL, &root,
                             &err)
                != AI_OK)
            {
                printf("%s: %s at %zu\n", name, err.reason, err.offset);
                return;
            }
        }

        took = (json_now() - start) / rounds;
        best = took < best ? took : best;
        unit_arena_reset();
    }

    printf("%-26s %7zu bytes %10.0f ns %8.3f ns/byte\n", name, len, best,
           best / (double) len);
}


/* a conversation of about "size" bytes, in messages of 1 KB */

static size_t
bench_chat(u_char *p, size_t size, const char *word)
{
    size_t   n;
    u_char  *start;

    start = p;
    p += sprintf((char *) p, "{\"model\":\"gpt-4o-mini\",\"stream\":true,"
                 "\"temperature\":0.7,\"messages\":[{\"role\":\"system\","
                 "\"content\":\"You are a helpful assistant.\"}");

    while ((size_t) (p - start) < size) {
        p += sprintf((char *) p, ",{\"role\":\"user\",\"content\":\"");

        for (n = 0; n < 1000; n += strlen(word)) {
            p += sprintf((char *) p, "%s", word);
        }

        p += sprintf((char *) p, "\"}");
    }

    p += sprintf((char *) p, "]}");

    return (size_t) (p - start);
}


static int
bench_all(void)
{
    size_t          len;
    unsigned        i;
    static u_char   text[200000];

    static const char  event[] =
        "{\"id\":\"chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd\",\"object\":\"chat."
        "completion.chunk\",\"created\":1721075653,\"model\":\"gpt-4o-mini\","
        "\"system_fingerprint\":\"fp_48196bc67a\",\"choices\":[{\"index\":0,"
        "\"delta\":{\"content\":\" Hello\"},\"logprobs\":null,"
        "\"finish_reason\":null}]}";

    static const char  plain[] = "The quick brown fox jumps over a lazy dog. ";
    static const char  code[] = "if (a == \\\"b\\\") {\\n    return 0;\\n}\\n";
    static const char  accents[] = "D\xc3\xa9j\xc3\xa0 vu, \xc3\xa7" "a va ? ";
    static const char  han[] = "\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xb8\x96\xe7\x95"
                               "\x8c\xe6\xa8\xa1\xe5\x9e\x8b";

    bench("sse event", (u_char *) event, sizeof(event) - 1, 100000);

    len = bench_chat(text, 16 * 1024, plain);
    bench("chat 16 KB", text, len, 5000);
    len = bench_chat(text, 128 * 1024, plain);
    bench("chat 128 KB", text, len, 1000);
    len = bench_chat(text, 128 * 1024, code);
    bench("chat, code", text, len, 200);
    len = bench_chat(text, 128 * 1024, accents);
    bench("chat, accents", text, len, 200);
    len = bench_chat(text, 128 * 1024, han);
    bench("chat, chinese", text, len, 200);

    len = (size_t) sprintf((char *) text, "\"%0100000d\"", 0);
    bench("one long string", text, len, 1000);

    len = (size_t) sprintf((char *) text, "[");

    for (i = 0; i < 1000; i++) {
        len += (size_t) sprintf((char *) text + len, "%s{\"id\":%u,\"name\":"
                                "\"item %u\",\"tags\":[\"a\",\"bc\"],\"ok\":"
                                "true,\"v\":%u.25}", i ? "," : "", i, i,
                                i * 7);
    }

    len += (size_t) sprintf((char *) text + len, "]");
    bench("dense", text, len, 500);

    len = (size_t) sprintf((char *) text, "[");

    for (i = 0; i < 1000; i++) {
        len += (size_t) sprintf((char *) text + len, "%s\n    {\n        "
                                "\"id\": %u,\n        \"name\": \"item %u\","
                                "\n        \"ok\": true\n    }",
                                i ? "," : "", i, i);
    }

    len += (size_t) sprintf((char *) text + len, "\n]");
    bench("pretty", text, len, 500);

    len = (size_t) sprintf((char *) text, "[");

    for (i = 0; i < 3000; i++) {
        len += (size_t) sprintf((char *) text + len, "%s-0.0%u", i ? "," : "",
                                i * 7919 % 100000);
    }

    len += (size_t) sprintf((char *) text + len, "]");
    bench("numbers", text, len, 500);

    return 0;
}


int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "bench") == 0) {
        return bench_all();
    }

    UNIT_RUN(test_valid);
    UNIT_RUN(test_invalid);
    UNIT_RUN(test_truncated);
    UNIT_RUN(test_positions);
    UNIT_RUN(test_error);
    UNIT_RUN(test_depth);
    UNIT_RUN(test_members);
    UNIT_RUN(test_many_members);
    UNIT_RUN(test_many_objects);
    UNIT_RUN(test_similar_names);
    UNIT_RUN(test_hostile_names);

    return unit_done();
}

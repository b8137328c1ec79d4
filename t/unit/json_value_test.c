
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Working with JSON values: cursor, look-up, decoding; writing strings.
 */


#include "unit.h"
#include "ai_json.h"


typedef struct {
    size_t          len;
    const char     *text;
} json_case_t;


#define J(text)  { sizeof(text) - 1, text }


/* a document that must be valid, in a block of its length */

static ai_json_t
json_value(const void *text, size_t len)
{
    u_char          *p;
    ai_json_t        root;
    ai_json_error_t  err;

    memset(&root, 0, sizeof(ai_json_t));

    p = unit_bytes(text, len);

    CHECK_INT(ai_json_scan(p, len, NULL, &unit_arena, NULL, NULL, &root, &err),
              AI_OK);

    return root;
}


#define JSON(text)  json_value(text, sizeof(text) - 1)


static void
test_iter(void)
{
    ai_json_t       v, name, value;
    ai_json_iter_t  it;

    v = JSON(" { \"a\" : \"x\\\"}\\\\\" ,\"b\":[1,[2,\"]\"],{\"c\":\"}\"}],"
             "\"d\":-1.5e3 , \"e\":null,\"f\":true,\"g\":false,\"\\u0000\":{}"
             " }");

    ai_json_iter_init(&it, &v);

#define NEXT(key, t, text)                                                   \
    CHECK_INT(ai_json_next(&it, &name, &value), AI_OK);                      \
    CHECK_MEM(name.start, name.end - name.start, key, sizeof(key) - 1);      \
    CHECK_INT(value.type, t);                                                \
    CHECK_MEM(value.start, value.end - value.start, text, sizeof(text) - 1)

    NEXT("\"a\"", AI_JSON_STRING, "\"x\\\"}\\\\\"");
    CHECK(value.escaped && !value.nul);
    NEXT("\"b\"", AI_JSON_ARRAY, "[1,[2,\"]\"],{\"c\":\"}\"}]");
    NEXT("\"d\"", AI_JSON_NUMBER, "-1.5e3");
    NEXT("\"e\"", AI_JSON_NULL, "null");
    NEXT("\"f\"", AI_JSON_TRUE, "true");
    NEXT("\"g\"", AI_JSON_FALSE, "false");
    NEXT("\"\\u0000\"", AI_JSON_OBJECT, "{}");
    CHECK(name.escaped && name.nul);

#undef NEXT

    CHECK_INT(ai_json_next(&it, &name, &value), AI_DONE);
    CHECK_INT(ai_json_next(&it, &name, &value), AI_DONE);

    v = JSON("[ 1 , [ ] , 2 ]");
    ai_json_iter_init(&it, &v);
    CHECK_INT(ai_json_next(&it, &name, &value), AI_OK);
    CHECK_INT(ai_json_next(&it, NULL, &value), AI_OK);
    CHECK_INT(value.type, AI_JSON_ARRAY);
    CHECK_INT(ai_json_next(&it, NULL, &value), AI_OK);
    CHECK_STR(value.start, value.end - value.start, "2");
    CHECK_INT(ai_json_next(&it, NULL, &value), AI_DONE);

    v = JSON("{ }");
    ai_json_iter_init(&it, &v);
    CHECK_INT(ai_json_next(&it, NULL, &value), AI_DONE);

    v = JSON("\"[1]\"");
    ai_json_iter_init(&it, &v);
    CHECK_INT(ai_json_next(&it, NULL, &value), AI_DONE);
}


/* strings of any length around that of a block, with an escape anywhere */

static void
test_long(void)
{
    size_t           len, at, kind, n;
    u_char          *p;
    ai_json_t        v, value;
    ai_json_iter_t   it;

    static const char  *escapes[] = { "\\\"", "\\\\", "\\n", "\\u0000" };

    for (len = 0; len < 200; len += (len < 140) ? 1 : 17) {
        for (kind = 0; kind < 4; kind++) {

            n = strlen(escapes[kind]);

            for (at = 0; at + n <= len; at += 3) {

                p = unit_alloc(NULL, len + 6);
                memset(p, '}', len + 6);

                p[0] = '[';
                p[1] = '"';
                memcpy(p + 2 + at, escapes[kind], n);
                memcpy(p + 2 + len, "\",1]", 4);

                v = json_value(p, len + 6);
                ai_json_iter_init(&it, &v);

                CHECK_INT(ai_json_next(&it, NULL, &value), AI_OK);
                CHECK(value.start == v.start + 1);
                CHECK(value.end == v.start + len + 3);
                CHECK_UINT(value.escaped, 1);
                CHECK_UINT(value.nul, kind == 3);
                CHECK_INT(ai_json_next(&it, NULL, &value), AI_OK);
                CHECK_INT(value.type, AI_JSON_NUMBER);
                CHECK_INT(ai_json_next(&it, NULL, &value), AI_DONE);
            }
        }
    }
}


/* a value that is known is taken for what it is, others are read */

static void
test_known(void)
{
    ai_json_t       v, name, value, known;
    ai_json_iter_t  it;

    v = JSON("{\"a\":[1],\"b\":{\"c\":[2]},\"d\":3}");

    CHECK_INT(ai_json_get(&v, "b", &known), AI_OK);

    ai_json_iter_init(&it, &v);
    CHECK(it.known == NULL);
    it.known = &known;

    CHECK_INT(ai_json_next(&it, &name, &value), AI_OK);
    CHECK_STR(value.start, value.end - value.start, "[1]");
    CHECK_INT(ai_json_next(&it, &name, &value), AI_OK);
    CHECK(ai_json_name_eq(&name, "b"));
    CHECK_INT(value.type, AI_JSON_OBJECT);
    CHECK_STR(value.start, value.end - value.start, "{\"c\":[2]}");
    CHECK_INT(ai_json_next(&it, &name, &value), AI_OK);
    CHECK_STR(value.start, value.end - value.start, "3");
    CHECK_INT(ai_json_next(&it, &name, &value), AI_DONE);
}


static void
test_look_up(void)
{
    ai_json_t  v, value;

    v = JSON("{\"a\":{\"b\":[10,{\"c\":\"x\"}],\"\\u0064\":true},\"0\":1,"
             "\"\":2}");

    CHECK_INT(ai_json_get(&v, "0", &value), AI_OK);
    CHECK_STR(value.start, value.end - value.start, "1");
    CHECK_INT(ai_json_get(&v, "", &value), AI_OK);
    CHECK_STR(value.start, value.end - value.start, "2");
    CHECK_INT(ai_json_get(&v, "A", &value), AI_DECLINED);
    CHECK_INT(ai_json_get(&v, "b", &value), AI_DECLINED);

    CHECK_INT(ai_json_path(&v, &value, "a", "b", "1", "c", NULL), AI_OK);
    CHECK_STR(value.start, value.end - value.start, "\"x\"");
    CHECK_INT(ai_json_path(&v, &value, "a", "b", "0", NULL), AI_OK);
    CHECK_STR(value.start, value.end - value.start, "10");
    CHECK_INT(ai_json_path(&v, &value, "a", "d", NULL), AI_OK);
    CHECK(ai_json_is_true(&value));
    CHECK_INT(ai_json_path(&v, &value, "a", "b", "2", NULL), AI_DECLINED);
    CHECK_INT(ai_json_path(&v, &value, "a", "b", "", NULL), AI_DECLINED);
    CHECK_INT(ai_json_path(&v, &value, "a", "b", "x", NULL), AI_DECLINED);
    CHECK_INT(ai_json_path(&v, &value, "a", "b", "99999999999", NULL),
              AI_DECLINED);
    CHECK_INT(ai_json_path(&v, &value, "a", "d", "e", NULL), AI_DECLINED);
    CHECK_INT(ai_json_path(&v, &v, "a", NULL), AI_OK);
    CHECK_INT(ai_json_get(&v, "d", &v), AI_OK);
    CHECK(ai_json_is_true(&v));
    CHECK_INT(ai_json_get(&v, "d", &v), AI_DECLINED);
}


static void
test_strings(void)
{
    size_t      i, len;
    u_char      dst[128];
    ai_str_t    raw;
    ai_json_t   v;

    static const struct {
        json_case_t  text;
        json_case_t  decoded;
    } cases[] = {
        { J("\"\""), J("") },
        { J("\"abc\""), J("abc") },
        { J("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), J("\"\\/\b\f\n\r\t") },
        { J("\"\\u0041\\u00e9\\u20AC\\uFFFF\""),
          J("A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf") },
        { J("\"x\\ud83d\\ude00y\""), J("x\xf0\x9f\x98\x80y") },
        { J("\"\\uDBFF\\uDFFF\\ud800\\udc00\""),
          J("\xf4\x8f\xbf\xbf\xf0\x90\x80\x80") },
        { J("\"a\\u0000b\""), J("a\0b") },
        { J("\"\\u07ff\\u0800\\u007f\\u0080\""),
          J("\xdf\xbf\xe0\xa0\x80\x7f\xc2\x80") },
        { J("\"0123456789abcdef0123456789\\n0123456789abcdef0123456789\""),
          J("0123456789abcdef0123456789\n0123456789abcdef0123456789") },
        { J("\"\xe4\xbd\xa0\\u597d\""), J("\xe4\xbd\xa0\xe5\xa5\xbd") }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        v = json_value(cases[i].text.text, cases[i].text.len);

        len = ai_json_str_decode(&v, dst);
        CHECK_MEM(dst, len, cases[i].decoded.text, cases[i].decoded.len);

        CHECK(ai_json_str_eq(&v, cases[i].decoded.text,
                             cases[i].decoded.len));
        CHECK(!ai_json_str_eq(&v, "something else", 14));
        CHECK(!ai_json_str_eq(&v, (char *) dst, len + 1));
        CHECK(len == 0 || !ai_json_str_eq(&v, (char *) dst, len - 1));

        raw = ai_json_str_raw(&v);
        CHECK_MEM(raw.data, raw.len, cases[i].text.text + 1,
                  cases[i].text.len - 2);
        CHECK(v.nul == (memchr(dst, '\0', len) != NULL));

        /* in its place */

        len = ai_json_str_decode(&v, v.start + 1);
        CHECK_MEM(v.start + 1, len, cases[i].decoded.text,
                  cases[i].decoded.len);
    }

    v = JSON("1");
    CHECK(!ai_json_str_eq(&v, "1", 1));
}


static void
test_uint(void)
{
    size_t      i;
    uint64_t    n;
    ai_json_t   v;

    static const struct {
        const char  *text;
        uint64_t     n;
    } cases[] = {
        { "0", 0 }, { "7", 7 }, { "4096", 4096 }, { "1.0", 1 },
        { "1e3", 1000 }, { "1E+3", 1000 }, { "1.6e1", 16 }, { "1.99", 1 },
        { "12345e-2", 123 }, { "12345e-5", 0 }, { "12345e-99999999999", 0 },
        { "0.000001e6", 1 }, { "0.5", 0 }, { "0e99999999999999999999", 0 },
        { "0.0e5", 0 }, { "1.234567e3", 1234 }, { "100e-2", 1 },
        { "18446744073709551614", UINT64_MAX - 1 },
        { "18446744073709551615", UINT64_MAX },
        { "18446744073709551616", UINT64_MAX },
        { "184467440737095516150", UINT64_MAX },
        { "1e19", UINT64_C(10000000000000000000) }, { "1e20", UINT64_MAX },
        { "1e99999999999999999999999999", UINT64_MAX },
        { "1e-99999999999999999999999999", 0 },
        { "0.00000000000000000000000000000000000017e39", 170 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        v = json_value(cases[i].text, strlen(cases[i].text));
        n = 12345;

        CHECK_INT(ai_json_uint(&v, &n), AI_OK);
        CHECK_UINT(n, cases[i].n);
    }

    v = JSON("-1");
    CHECK_INT(ai_json_uint(&v, &n), AI_DECLINED);
    v = JSON("\"1\"");
    CHECK_INT(ai_json_uint(&v, &n), AI_DECLINED);
    v = JSON("true");
    CHECK_INT(ai_json_uint(&v, &n), AI_DECLINED);
}


static void
test_escape(void)
{
    size_t     i, len;
    u_char    *dst, *end, byte[1];
    ai_str_t   s;
    ai_json_t  v;

    static const struct {
        json_case_t  text;
        json_case_t  escaped;
    } cases[] = {
        { J(""), J("") },
        { J("abc /~\x7f"), J("abc /~\x7f") },
        { J("\"\\"), J("\\\"\\\\") },
        { J("\b\f\n\r\t"), J("\\b\\f\\n\\r\\t") },
        { J("\0\x01\x0b\x0e\x0f\x10\x1f"),
          J("\\u0000\\u0001\\u000b\\u000e\\u000f\\u0010\\u001f") },
        { J("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
          J("\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa") },
        { J("\xc3\xa9\xf0\x9f\x98\x80"), J("\xc3\xa9\xf0\x9f\x98\x80") },
        { J("a\xff" "b"), J("a\xef\xbf\xbd" "b") },
        { J("\xc3"), J("\xef\xbf\xbd") },
        { J("\xe2"), J("\xef\xbf\xbd") },
        { J("\xe2\x80"), J("\xef\xbf\xbd\xef\xbf\xbd") },
        { J("\xe2\x80\n"), J("\xef\xbf\xbd\xef\xbf\xbd\\n") },
        { J("\xed\xa0\x80"), J("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") },
        { J("\xc0\x80"), J("\xef\xbf\xbd\xef\xbf\xbd") },
        { J("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            "0123456789abcdef\"0123456789abcdef"),
          J("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            "0123456789abcdef\\\"0123456789abcdef") }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s.len = cases[i].text.len;
        s.data = unit_bytes(cases[i].text.text, s.len);

        len = ai_json_escape_len(&s);
        CHECK_UINT(len, cases[i].escaped.len);

        dst = unit_alloc(NULL, len);
        end = ai_json_escape(dst, &s);
        CHECK_MEM(dst, (size_t) (end - dst), cases[i].escaped.text,
                  cases[i].escaped.len);
    }

    /* each byte on its own gives a valid string of the length promised */

    for (i = 0; i < 256; i++) {
        byte[0] = (u_char) i;
        s.len = 1;
        s.data = byte;

        len = ai_json_escape_len(&s);
        dst = unit_alloc(NULL, len + 2);
        dst[0] = '"';
        end = ai_json_escape(dst + 1, &s);
        CHECK_UINT(end - dst - 1, len);
        *end = '"';

        v = json_value(dst, len + 2);

        if (i < 0x80) {
            CHECK(ai_json_str_eq(&v, (char *) byte, 1));
        }
    }

    s.data = NULL;
    s.len = 0;
    CHECK_UINT(ai_json_escape_len(&s), 0);
}


int
main(void)
{
    UNIT_RUN(test_iter);
    UNIT_RUN(test_long);
    UNIT_RUN(test_known);
    UNIT_RUN(test_look_up);
    UNIT_RUN(test_strings);
    UNIT_RUN(test_uint);
    UNIT_RUN(test_escape);

    return unit_done();
}

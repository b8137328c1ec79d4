
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Edits of immutable bytes.
 */


#include "unit.h"
#include "ai_splice.h"


static ai_str_t   source;
static ai_json_t  root;


static void
start(ai_splice_t *sp, const char *text)
{
    ai_json_error_t  err;

    source.len = strlen(text);
    source.data = unit_bytes(text, source.len);

    memset(&root, 0, sizeof(ai_json_t));
    (void) ai_json_scan(source.data, source.len, NULL, &unit_arena, NULL,
                        NULL, &root, &err);

    ai_splice_init(sp, &source, &unit_arena);
}


static ai_int_t
edit(ai_splice_t *sp, size_t from, size_t to, const char *text)
{
    ai_str_t  with;

    with.data = (u_char *) text;
    with.len = strlen(text);

    return ai_splice_replace(sp, source.data + from, source.data + to, &with);
}


static ai_int_t
set(ai_splice_t *sp, ai_json_t *object, const char *name, const char *text)
{
    ai_str_t  raw;

    raw.data = (u_char *) text;
    raw.len = strlen(text);

    return ai_splice_member_set(sp, object, name, &raw);
}


static ai_str_t
finish(ai_splice_t *sp)
{
    size_t    i, len;
    ai_str_t  text;

    text.len = 0;
    text.data = NULL;

    if (!CHECK_INT(ai_splice_finish(sp), AI_OK)) {
        return text;
    }

    text.data = unit_alloc(NULL, sp->len);

    for (i = 0, len = 0; i < sp->nparts; i++) {
        CHECK(sp->parts[i].len != 0);
        memcpy(text.data + len, sp->parts[i].data, sp->parts[i].len);
        len += sp->parts[i].len;
    }

    CHECK_UINT(len, sp->len);
    text.len = len;

    return text;
}


#define FINISH(sp, text)                                                     \
    do {                                                                     \
        ai_str_t  joined = finish(sp);                                       \
                                                                             \
        CHECK_STR(joined.data, joined.len, text);                            \
    } while (0)


static void
test_none(void)
{
    ai_splice_t  sp;

    start(&sp, "abc");
    FINISH(&sp, "abc");
    CHECK_UINT(sp.nparts, 1);
    CHECK(sp.parts[0].data == source.data);

    start(&sp, "");
    FINISH(&sp, "");
    CHECK_UINT(sp.nparts, 0);
}


static void
test_replace(void)
{
    ai_splice_t  sp;

    start(&sp, "0123456789");
    CHECK_INT(edit(&sp, 2, 4, "xyz"), AI_OK);
    CHECK_INT(edit(&sp, 8, 10, ""), AI_OK);
    CHECK_INT(edit(&sp, 0, 0, "<"), AI_OK);
    CHECK_INT(edit(&sp, 10, 10, ">"), AI_OK);
    CHECK_INT(edit(&sp, 4, 5, "-"), AI_OK);
    FINISH(&sp, "<01xyz-567>");

    /* the source's bytes are not copied */

    CHECK(sp.parts[1].data == source.data);
    CHECK(sp.parts[4].data == source.data + 5);

    start(&sp, "0123456789");
    CHECK_INT(edit(&sp, 0, 10, ""), AI_OK);
    FINISH(&sp, "");
    CHECK_UINT(sp.nparts, 0);
}


static void
test_order(void)
{
    size_t       i, k;
    char         digit[11][2];
    ai_splice_t  sp;

    /* 11 is without a factor in common with the steps */

    for (k = 1; k < 11; k++) {
        start(&sp, "abcdefghijk");

        for (i = 0; i < 11; i++) {
            digit[i][0] = (char) ('A' + i * k % 11);
            digit[i][1] = '\0';
            CHECK_INT(edit(&sp, i * k % 11, i * k % 11 + 1, digit[i]), AI_OK);
        }

        FINISH(&sp, "ABCDEFGHIJK");
    }

    /* insertions: in the order of the calls, before a replacement */

    start(&sp, "abc");
    CHECK_INT(edit(&sp, 1, 2, "B"), AI_OK);
    CHECK_INT(edit(&sp, 1, 1, "1"), AI_OK);
    CHECK_INT(edit(&sp, 1, 1, "2"), AI_OK);
    CHECK_INT(edit(&sp, 2, 2, "3"), AI_OK);
    CHECK_INT(edit(&sp, 0, 1, "A"), AI_OK);
    CHECK_INT(edit(&sp, 1, 1, "4"), AI_OK);
    FINISH(&sp, "A124B3c");
}


static void
test_overlap(void)
{
    ai_splice_t  sp;

    start(&sp, "0123456789");
    CHECK_INT(edit(&sp, 2, 4, "x"), AI_OK);
    CHECK_INT(edit(&sp, 3, 5, "y"), AI_OK);
    CHECK_INT(ai_splice_finish(&sp), AI_ERROR);

    start(&sp, "0123456789");
    CHECK_INT(edit(&sp, 2, 4, "x"), AI_OK);
    CHECK_INT(edit(&sp, 3, 3, "y"), AI_OK);
    CHECK_INT(ai_splice_finish(&sp), AI_ERROR);

    start(&sp, "0123456789");
    CHECK_INT(edit(&sp, 2, 4, "x"), AI_OK);
    CHECK_INT(edit(&sp, 2, 4, "x"), AI_OK);
    CHECK_INT(ai_splice_finish(&sp), AI_ERROR);

    start(&sp, "0123456789");
    CHECK_INT(edit(&sp, 5, 7, "x"), AI_OK);
    CHECK_INT(edit(&sp, 2, 9, "y"), AI_OK);
    CHECK_INT(ai_splice_finish(&sp), AI_ERROR);

    /* not spans of the source */

    start(&sp, "0123456789");
    CHECK_INT(edit(&sp, 3, 2, "x"), AI_ERROR);
    sp.source.len = 5;
    CHECK_INT(edit(&sp, 3, 6, "x"), AI_ERROR);
    sp.source.data += 3;
    CHECK_INT(edit(&sp, 2, 4, "x"), AI_ERROR);
}


static void
test_member_set(void)
{
    ai_json_t    object;
    ai_splice_t  sp;

    start(&sp, " { \"model\" : \"a\" , \"x\":1 } ");
    CHECK_INT(set(&sp, &root, "model", "\"b\""), AI_OK);
    FINISH(&sp, " { \"model\" : \"b\" , \"x\":1 } ");

    start(&sp, "{\"m\\u006fdel\":\"a\"}");
    CHECK_INT(set(&sp, &root, "model", "\"b\""), AI_OK);
    FINISH(&sp, "{\"m\\u006fdel\":\"b\"}");

    start(&sp, "{\"a\":1 }");
    CHECK_INT(set(&sp, &root, "b", "[2]"), AI_OK);
    CHECK_INT(set(&sp, &root, "c", "3"), AI_OK);
    FINISH(&sp, "{\"a\":1 ,\"b\":[2],\"c\":3}");

    start(&sp, "{ }");
    CHECK_INT(set(&sp, &root, "b", "2"), AI_OK);
    FINISH(&sp, "{ \"b\":2}");

    start(&sp, "{}");
    CHECK_INT(set(&sp, &root, "b", "2"), AI_OK);
    CHECK_INT(set(&sp, &root, "q\"\n", "3"), AI_OK);
    CHECK_INT(set(&sp, &root, "d", "4"), AI_OK);
    FINISH(&sp, "{\"b\":2,\"q\\\"\\n\":3,\"d\":4}");

    /* set twice: the last one counts, the place is that of the first */

    start(&sp, "{}");
    CHECK_INT(set(&sp, &root, "b", "1"), AI_OK);
    CHECK_INT(set(&sp, &root, "c", "2"), AI_OK);
    CHECK_INT(set(&sp, &root, "b", "3"), AI_OK);
    CHECK_INT(set(&sp, &root, "b", "4"), AI_OK);
    FINISH(&sp, "{\"b\":4,\"c\":2}");

    start(&sp, "{\"b\":0}");
    CHECK_INT(set(&sp, &root, "b", "1"), AI_OK);
    CHECK_INT(set(&sp, &root, "b", "2"), AI_OK);
    FINISH(&sp, "{\"b\":2}");

    /* objects within each other, with other edits around */

    start(&sp, "{\"so\":{},\"m\":\"x\",\"n\":{\"o\":{}}}");
    CHECK_INT(set(&sp, &root, "z", "0"), AI_OK);
    CHECK_INT(ai_json_path(&root, &object, "n", "o", NULL), AI_OK);
    CHECK_INT(set(&sp, &object, "p", "1"), AI_OK);
    CHECK_INT(set(&sp, &root, "m", "\"y\""), AI_OK);
    CHECK_INT(ai_json_get(&root, "so", &object), AI_OK);
    CHECK_INT(set(&sp, &object, "include_usage", "true"), AI_OK);
    FINISH(&sp, "{\"so\":{\"include_usage\":true},\"m\":\"y\","
                "\"n\":{\"o\":{\"p\":1}},\"z\":0}");

    /* the value of a member against edits within it */

    start(&sp, "{\"a\":{\"b\":1}}");
    CHECK_INT(ai_json_get(&root, "a", &object), AI_OK);
    CHECK_INT(set(&sp, &object, "c", "1"), AI_OK);
    CHECK_INT(set(&sp, &root, "a", "2"), AI_OK);
    CHECK_INT(ai_splice_finish(&sp), AI_ERROR);

    start(&sp, "[]");
    CHECK_INT(set(&sp, &root, "a", "2"), AI_ERROR);

    start(&sp, "{\"a\":1}");
    sp.source.len = 3;
    CHECK_INT(set(&sp, &root, "a", "2"), AI_ERROR);
    CHECK_INT(set(&sp, &root, "b", "2"), AI_ERROR);
}


/* many edits, backwards: not quadratic, nothing lost */

static void
test_many(void)
{
    size_t       i, n;
    u_char      *text;
    ai_str_t     with, joined;
    ai_splice_t  sp;

    n = 100000;
    text = unit_alloc(NULL, n);
    memset(text, 'a', n);

    source.data = text;
    source.len = n;
    ai_splice_init(&sp, &source, &unit_arena);

    with.data = (u_char *) "bc";
    with.len = 2;

    for (i = n; i > 0; i--) {

        if (ai_splice_replace(&sp, text + i - 1, text + i, &with) != AI_OK) {
            CHECK(0);
        }
    }

    if (!CHECK_INT(ai_splice_finish(&sp), AI_OK)) {
        return;
    }

    CHECK_UINT(sp.len, 2 * n);
    CHECK_UINT(sp.nparts, n);

    joined.len = 0;

    for (i = 0; i < sp.nparts; i++) {
        joined.len += sp.parts[i].len;
    }

    CHECK_UINT(joined.len, 2 * n);
}


static ai_uint_t
one_of(void *data, ai_json_t *name, ai_json_t *value)
{
    return memchr(data, name->start[1], strlen(data)) != NULL;
}


static void
removed(const char *text, const char *names, const char *added,
    const char *want)
{
    ai_str_t     got;
    ai_splice_t  sp;

    start(&sp, text);

    CHECK_INT(ai_splice_members_remove(&sp, &root, one_of, (void *) names),
              AI_OK);

    for ( /* void */ ; *added != '\0'; added++) {
        CHECK_INT(set(&sp, &root, (char [2]) { *added, '\0' }, "9"), AI_OK);
    }

    got = finish(&sp);
    CHECK_MEM(got.data, got.len, want, strlen(want));
}


static void
test_remove(void)
{
    ai_str_t     got;
    ai_json_t    value;
    ai_splice_t  sp;

    removed("{\"a\":1, \"b\":2 ,\"c\":3}", "", "",
            "{\"a\":1, \"b\":2 ,\"c\":3}");
    removed("{\"a\":1, \"b\":2 ,\"c\":3}", "a", "",
            "{\"b\":2 ,\"c\":3}");
    removed("{\"a\":1, \"b\":2 ,\"c\":3}", "b", "",
            "{\"a\":1, \"c\":3}");
    removed("{\"a\":1, \"b\":2 ,\"c\":3 }", "c", "",
            "{\"a\":1, \"b\":2 }");
    removed("{\"a\":1, \"b\":2 ,\"c\":3}", "ab", "", "{\"c\":3}");
    removed("{\"a\":1, \"b\":2 ,\"c\":3}", "bc", "", "{\"a\":1}");
    removed("{\"a\":1, \"b\":2 ,\"c\":3}", "ac", "", "{\"b\":2}");
    removed("{ \"a\":1, \"b\":2 }", "ab", "", "{  }");
    removed("{}", "ab", "", "{}");
    removed("{\"a\":[1,{\"a\":2}],\"b\":{\"a\":1}}", "a", "",
            "{\"b\":{\"a\":1}}");

    /* with members that are added */

    removed("{\"a\":1,\"b\":2}", "a", "x", "{\"b\":2,\"x\":9}");
    removed("{\"a\":1,\"b\":2}", "b", "x", "{\"a\":1,\"x\":9}");
    removed("{\"a\":1,\"b\":2}", "ab", "xy", "{\"x\":9,\"y\":9}");
    removed("{ \"a\":1 }", "a", "x", "{  \"x\":9}");

    /* edits of what is removed come to nothing, in any order */

    start(&sp, "{\"a\":{\"b\":1},\"c\":2}");
    CHECK_INT(ai_json_get(&root, "a", &value), AI_OK);

    CHECK_INT(set(&sp, &value, "b", "3"), AI_OK);
    CHECK_INT(set(&sp, &value, "d", "4"), AI_OK);
    CHECK_INT(edit(&sp, 1, 4, "\"z\""), AI_OK);
    CHECK_INT(ai_splice_members_remove(&sp, &root, one_of, "a"), AI_OK);
    CHECK_INT(edit(&sp, 5, 12, "7"), AI_OK);
    CHECK_INT(set(&sp, &root, "c", "5"), AI_OK);

    got = finish(&sp);
    CHECK_STR(got.data, got.len, "{\"c\":5}");

    /* added before the removal is told of */

    start(&sp, "{\"a\":1}");
    CHECK_INT(set(&sp, &root, "x", "2"), AI_OK);
    CHECK_INT(ai_splice_members_remove(&sp, &root, one_of, "a"), AI_OK);

    got = finish(&sp);
    CHECK_STR(got.data, got.len, "{\"x\":2}");

    start(&sp, "[1]");
    CHECK_INT(ai_splice_members_remove(&sp, &root, one_of, "a"), AI_ERROR);
}


static void
test_no_memory(void)
{
    long         n;
    ai_int_t     rc;
    ai_uint_t    i;
    ai_splice_t  sp;

    static const char  *names[] = { "b", "a", "c", "d", "e" };

    /* four names that are new, the fifth edit, the order, the parts */

    for (n = 0; n < 9; n++) {
        start(&sp, "{\"a\":1}");
        unit.fail_after = n;

        rc = AI_OK;

        for (i = 0; i < 5 && rc == AI_OK; i++) {
            rc = set(&sp, &root, names[i], "2");
        }

        if (rc == AI_OK) {
            rc = ai_splice_finish(&sp);
        }

        CHECK_INT(rc, n < 7 ? AI_ERROR : AI_OK);
        unit_arena_reset();
    }
}


int
main(void)
{
    UNIT_RUN(test_none);
    UNIT_RUN(test_replace);
    UNIT_RUN(test_order);
    UNIT_RUN(test_overlap);
    UNIT_RUN(test_member_set);
    UNIT_RUN(test_many);
    UNIT_RUN(test_remove);
    UNIT_RUN(test_no_memory);

    return unit_done();
}

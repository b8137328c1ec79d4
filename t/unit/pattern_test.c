
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Patterns of names: which one wins, what is refused, many of them.
 */


#include "ai_pattern.h"
#include "unit.h"


static ai_pattern_set_t  *set;


static ai_str_t
str(const char *s)
{
    ai_str_t  r;

    r.len = strlen(s);
    r.data = unit_bytes(s, r.len);

    return r;
}


static void
add(const char *pattern, const char *value)
{
    ai_str_t             s;
    ai_pattern_error_t   err;

    s = str(pattern);
    CHECK_INT(ai_pattern_add(set, &s, (void *) value, &err), AI_OK);
}


static void
refuse(const char *pattern, size_t offset, const char *reason, void *other)
{
    ai_str_t             s;
    ai_pattern_error_t   err;

    memset(&err, 0xff, sizeof(err));

    s = str(pattern);
    CHECK_INT(ai_pattern_add(set, &s, "x", &err), AI_DECLINED);
    CHECK_UINT(err.offset, offset);
    CHECK(err.other == other);

    if (!CHECK(strstr((char *) err.reason, reason) != NULL)) {
        printf("    for %s: %s\n", pattern, err.reason);
    }
}


static void
find(const char *name, const char *want)
{
    char      *value;
    ai_str_t   s;

    s = str(name);
    value = ai_pattern_find(set, &s);

    if (!CHECK(want == NULL ? value == NULL
                            : value != NULL && strcmp(value, want) == 0))
    {
        printf("    for %s: %s\n", name, value ? value : "none");
    }
}


static void
test_order(void)
{
    ai_str_t  s;

    set = ai_pattern_create(&unit_arena);

    find("anything", NULL);
    find("", NULL);

    add("~^gpt-[45]", "regex");
    add("~mini$", "mini");
    add("~*^LLAMA", "llama");
    add("gpt-4o", "exact");
    add("gpt-4*", "prefix4");
    add("gpt-4o-mini*", "prefix4omini");
    add("claude-*", "claude");
    add("claude-", "bare");

    find("gpt-4o", "exact");
    find("gpt-4", "prefix4");
    find("gpt-4.1", "prefix4");
    find("gpt-4o-m", "prefix4");
    find("gpt-4o-mini", "prefix4omini");
    find("gpt-4o-mini-2024", "prefix4omini");
    find("gpt-5-mini", "regex");
    find("gpt-6-mini", "mini");
    find("gpt-6", NULL);
    find("Llama-3", "llama");
    find("GPT-4o", NULL);
    find("claude-", "bare");
    find("claude-x", "claude");
    find("claude", NULL);
    find("", NULL);

    add("*", "any");

    s.data = NULL;
    s.len = 0;
    CHECK(ai_pattern_find(set, &s) != NULL);

    find("", "any");
    find("zzz", "any");
    find("gpt-4o", "exact");
    find("claude-x", "claude");

    /* a prefix goes before any regex, that of no bytes too */

    find("gpt-5-mini", "any");

    ai_pattern_free(set);
}


static void
test_refused(void)
{
    size_t               i;
    char                 text[400];
    ai_str_t             s;
    ai_pattern_error_t   err;
    static char          value[] = "v";

    set = ai_pattern_create(&unit_arena);

    refuse("", 0, "empty", NULL);
    refuse("a*b", 1, "\"*\"", NULL);
    refuse("**", 0, "\"*\"", NULL);
    refuse("~", 1, "no regex", NULL);
    refuse("~*", 2, "no regex", NULL);
    refuse("~a(", 3, "parenthes", NULL);
    refuse("~*a[", 4, "character class", NULL);

    add("name", value);
    add("name*", value);
    add("~name", value);
    add("~*name", value);
    refuse("name", 0, "duplicate", value);
    refuse("name*", 0, "duplicate", value);
    refuse("~name", 0, "duplicate", value);

    memset(text, 'a', sizeof(text));
    s.data = (u_char *) text;
    s.len = AI_PATTERN_MAX;
    CHECK_INT(ai_pattern_add(set, &s, value, &err), AI_DECLINED);
    s.len = AI_PATTERN_MAX - 1;
    CHECK_INT(ai_pattern_add(set, &s, value, &err), AI_OK);
    CHECK(ai_pattern_find(set, &s) == value);

    text[AI_PATTERN_MAX - 2] = '*';
    CHECK_INT(ai_pattern_add(set, &s, value, &err), AI_OK);
    text[AI_PATTERN_MAX - 2] = 'b';
    s.len = sizeof(text);
    CHECK(ai_pattern_find(set, &s) == value);

    /* names of any length are looked for */

    for (i = 0; i < sizeof(text); i++) {
        s.data = unit_alloc(NULL, i);
        s.len = i;
        memset(s.data, 'z', i);
        CHECK(ai_pattern_find(set, &s) == NULL);
    }

    ai_pattern_free(set);
}


static void
test_limit(void)
{
    /* exponential without a limit */

    set = ai_pattern_create(&unit_arena);

    add("~^(a+)+$", "bad");
    add("~b$", "good");

    find("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
         "good");
    find("aaa", "bad");

    ai_pattern_free(set);
}


static void
test_many(void)
{
    char                 text[32];
    size_t               i;
    ai_str_t             s;
    ai_pattern_error_t   err;

    set = ai_pattern_create(&unit_arena);

    for (i = 1; i <= 10000; i++) {
        snprintf(text, sizeof(text), "model-%zu%s", i, i % 3 ? "" : "-*");
        s = str(text);
        CHECK_INT(ai_pattern_add(set, &s, (void *) i, &err), AI_OK);
    }

    for (i = 1; i <= 10000; i++) {
        snprintf(text, sizeof(text), "model-%zu%s", i, i % 3 ? "" : "-x");
        s = str(text);
        CHECK(ai_pattern_find(set, &s) == (void *) i);
    }

    s = str("model-3");
    CHECK(ai_pattern_find(set, &s) == NULL);
    s = str("model-10001");
    CHECK(ai_pattern_find(set, &s) == NULL);

    ai_pattern_free(set);
}


static void
test_no_memory(void)
{
    size_t               i, n;
    ai_int_t             rc;
    ai_str_t             s;
    ai_pattern_error_t   err;
    static const char   *patterns[] = { "a", "b*", "~c", "~*d" };

    for (n = 0; n < 8; n++) {

        unit.fail_after = n;
        set = ai_pattern_create(&unit_arena);
        unit.fail_after = -1;

        if (set == NULL) {
            continue;
        }

        for (i = 0; i < 4; i++) {
            s = str(patterns[i]);
            unit.fail_after = n > i ? 1 : 0;
            rc = ai_pattern_add(set, &s, "v", &err);
            unit.fail_after = -1;

            CHECK(rc == AI_OK || rc == AI_ERROR);
            (void) ai_pattern_find(set, &s);
        }

        ai_pattern_free(set);
        ai_pattern_free(set);
    }
}


int
main(void)
{
    UNIT_RUN(test_order);
    UNIT_RUN(test_refused);
    UNIT_RUN(test_limit);
    UNIT_RUN(test_many);
    UNIT_RUN(test_no_memory);

    return unit_done();
}

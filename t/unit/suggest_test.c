
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * "did you mean": near names are found, far ones are not.
 */


#include "ai_suggest.h"
#include "unit.h"


static ai_str_t
str(const char *s)
{
    ai_str_t  r;

    r.len = strlen(s);
    r.data = unit_bytes(s, r.len);

    return r;
}


static void
suggest(const char *name, const char *want)
{
    size_t       i;
    ai_str_t     s, *r, candidates[9];
    const char  *names[] = {
        "endpoint", "dialect", "key", "header", "connect_timeout",
        "first_token_timeout", "idle_timeout", "timeout", ""
    };

    for (i = 0; i < 9; i++) {
        candidates[i] = str(names[i]);
    }

    s = str(name);
    r = ai_suggest(&s, candidates, 9);

    if (want == NULL) {
        if (!CHECK(r == NULL)) {
            printf("    for %s: %.*s\n", name, (int) r->len, r->data);
        }

        return;
    }

    if (CHECK(r != NULL)) {
        CHECK_MEM(r->data, r->len, want, strlen(want));
    }
}


static void
test_suggest(void)
{
    char      text[80];
    ai_str_t  s;

    suggest("endpoint", "endpoint");
    suggest("endpiont", "endpoint");
    suggest("endpont", "endpoint");
    suggest("endpoints", "endpoint");
    suggest("endpoynt", "endpoint");
    suggest("ENDPOINT", "endpoint");
    suggest("edpont", "endpoint");
    suggest("kye", "key");
    suggest("keys", "key");
    suggest("ke", "key");
    suggest("time_out", "timeout");
    suggest("first_tokens_timeout", "first_token_timeout");
    suggest("firsttokentimeout", "first_token_timeout");
    suggest("connection_timeout", "connect_timeout");

    suggest("ky_", NULL);
    suggest("abc", NULL);
    suggest("x", "");
    suggest("url", NULL);
    suggest("endp", NULL);
    suggest("proxy_pass", NULL);

    s = str("a");
    CHECK(ai_suggest(&s, NULL, 0) == NULL);

    memset(text, 'a', sizeof(text));
    s.data = (u_char *) text;
    s.len = 65;
    CHECK(ai_suggest(&s, &s, 1) == NULL);
    s.len = 64;
    CHECK(ai_suggest(&s, &s, 1) == &s);
}


int
main(void)
{
    UNIT_RUN(test_suggest);

    return unit_done();
}

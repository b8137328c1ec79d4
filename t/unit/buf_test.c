
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The growing writer: what was taken from it stays where it is.
 */


#include "unit.h"
#include "ai_buf.h"


static void
test_take(void)
{
    ai_buf_t   b;
    ai_str_t   one, two, three;
    ai_uint_t  i;

    ai_buf_init(&b, &unit_arena, 4096);

    ai_buf_lit(&b, "[1");
    CHECK_INT(ai_buf_take(&b, &one), AI_OK);
    CHECK_STR(one.data, one.len, "[1");

    /* what follows lies behind it, and is a text of its own */

    CHECK_UINT(ai_buf_len(&b), 0);
    ai_buf_comma(&b);
    ai_buf_lit(&b, "two");
    CHECK_INT(ai_buf_take(&b, &two), AI_OK);
    CHECK_STR(two.data, two.len, "two");
    CHECK(two.data == one.data + one.len);

    /* nor does it move when there must be more room, or is forgotten */

    for (i = 0; i < 600; i++) {
        ai_buf_lit(&b, "x");
    }

    CHECK_INT(ai_buf_take(&b, &three), AI_OK);
    CHECK_UINT(three.len, 600);

    ai_buf_lit(&b, "yyyy");
    ai_buf_reset(&b);
    ai_buf_lit(&b, "zz");

    CHECK_STR(one.data, one.len, "[1");
    CHECK_STR(two.data, two.len, "two");
    CHECK(three.data[0] == 'x' && three.data[599] == 'x');
    CHECK_INT(ai_buf_get(&b, &one), AI_OK);
    CHECK_STR(one.data, one.len, "zz");
    CHECK(one.data == three.data + 600);

    ai_buf_rewind(&b);
    ai_buf_lit(&b, "again");
    CHECK_INT(ai_buf_take(&b, &two), AI_OK);
    CHECK(two.data == three.data);
    CHECK_STR(two.data, two.len, "again");
}


/* the limit is that of one text, not of all that were taken */

static void
test_limit(void)
{
    ai_buf_t   b;
    ai_str_t   s;
    ai_uint_t  i;

    ai_buf_init(&b, &unit_arena, 16);

    for (i = 0; i < 8; i++) {
        ai_buf_lit(&b, "0123456789abcdef");
        CHECK_INT(ai_buf_take(&b, &s), AI_OK);
        CHECK_STR(s.data, s.len, "0123456789abcdef");
    }

    ai_buf_lit(&b, "0123456789abcdef!");
    CHECK_INT(ai_buf_take(&b, &s), AI_ERROR);
    CHECK(b.large);
}


int
main(void)
{
    UNIT_RUN(test_take);
    UNIT_RUN(test_limit);

    return unit_done();
}

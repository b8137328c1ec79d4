
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The order that encoders rely on, whatever decoders emit: told as a line of
 * text per delta, and compared with what it must be.
 */


#include "ai_order.h"
#include "unit.h"


typedef struct {
    ai_order_t   order;
    char         text[4096];
    size_t       len;
} order_t;


static ai_int_t
order_sink(void *data, const ai_delta_t *delta)
{
    int       n;
    order_t  *o;

    static const char  *names[] = {
        "start", "text", "reasoning", "state", "refusal", "call", "args",
        "end-call", "image", "citation", "logprobs", "finish", "usage", "end",
        "error"
    };

    o = data;

    n = snprintf(o->text + o->len, sizeof(o->text) - o->len,
                 "%s%s:%u.%u:%.*s%.*s", o->len ? " " : "",
                 names[delta->type], (unsigned) delta->choice,
                 (unsigned) delta->call,
                 (int) delta->name.s.len, delta->name.s.data,
                 (int) delta->text.s.len, delta->text.s.data);

    if (delta->type == AI_DELTA_FINISH) {
        n += snprintf(o->text + o->len + n, sizeof(o->text) - o->len - n,
                      "%d", (int) delta->finish);
    }

    o->len += n;

    return AI_OK;
}


static void
order_begin(order_t *o)
{
    memset(o, 0, sizeof(order_t));

    ai_order_init(&o->order, &unit_arena, 65536, order_sink, o);
}


static ai_int_t
order_put(order_t *o, ai_delta_e type, ai_uint_t call, const char *text)
{
    ai_delta_t  d;

    ai_delta_init(&d, type);

    d.call = call;

    if (type == AI_DELTA_CALL || type == AI_DELTA_START) {
        d.name = ai_mstr_cstr(text);

    } else {
        d.text = ai_mstr_cstr(text);
        d.text.json = 1;
    }

    return ai_order(&o->order, &d);
}


static void
order_finish(order_t *o, ai_finish_e finish)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_FINISH);
    d.finish = finish;

    (void) ai_order(&o->order, &d);

    (void) order_put(o, AI_DELTA_END, 0, "");
}


#define order_is(o, expected)                                                \
    CHECK_STR((o)->text, (o)->len, expected)


static void
test_text(void)
{
    order_t  o;

    order_begin(&o);
    order_put(&o, AI_DELTA_START, 0, "");
    order_put(&o, AI_DELTA_START, 0, "m");
    order_put(&o, AI_DELTA_TEXT, 0, "a");
    order_put(&o, AI_DELTA_START, 0, "other");
    order_put(&o, AI_DELTA_TEXT, 0, "b");
    order_finish(&o, AI_FINISH_STOP);

    order_is(&o, "start:0.0:m text:0.0:a text:0.0:b finish:0.0:1 end:0.0:");
}


/* 13.2: blocks never overlap, what interleaves waits */

static void
test_interleaved(void)
{
    order_t  o;

    order_begin(&o);
    order_put(&o, AI_DELTA_CALL, 7, "f");
    order_put(&o, AI_DELTA_CALL, 9, "g");
    order_put(&o, AI_DELTA_ARGS, 9, "{\\\"b\\\":\\\"}\\\"");
    order_put(&o, AI_DELTA_ARGS, 7, "{\\\"a\\\":");
    order_put(&o, AI_DELTA_TEXT, 0, "late");
    order_put(&o, AI_DELTA_ARGS, 9, "}");
    order_put(&o, AI_DELTA_ARGS, 7, "1}");
    order_put(&o, AI_DELTA_CALL_END, 7, "");
    order_finish(&o, AI_FINISH_STOP);

    order_is(&o, "start:0.0: call:0.0:f args:0.0:{\\\"a\\\": args:0.0:1} "
                 "end-call:0.0: call:0.1:g args:0.1:{\\\"b\\\":\\\"}\\\"} "
                 "end-call:0.1: text:0.0:late finish:0.0:5 end:0.0:");
}


/* a new call closes one whose arguments are whole, without being told */

static void
test_implicit(void)
{
    order_t  o;

    order_begin(&o);
    order_put(&o, AI_DELTA_CALL, 0, "f");
    order_put(&o, AI_DELTA_ARGS, 0, "{\\\"a\\\":{}");
    order_put(&o, AI_DELTA_ARGS, 0, "\\u007d");
    order_put(&o, AI_DELTA_CALL, 1, "g");
    order_put(&o, AI_DELTA_CALL, 1, "again");
    order_put(&o, AI_DELTA_ARGS, 1, "[]");
    order_put(&o, AI_DELTA_TEXT, 0, "after");
    order_finish(&o, AI_FINISH_TOOLS);

    order_is(&o, "start:0.0: call:0.0:f args:0.0:{\\\"a\\\":{} "
                 "args:0.0:\\u007d end-call:0.0: call:0.1:g args:0.1:[] "
                 "end-call:0.1: text:0.0:after finish:0.0:5 end:0.0:");
}


/* known mistake 6: calls without arguments end with an empty object */

static void
test_zero_arguments(void)
{
    order_t  o;

    order_begin(&o);
    order_put(&o, AI_DELTA_CALL, 3, "f");
    order_put(&o, AI_DELTA_ARGS, 3, "");
    order_put(&o, AI_DELTA_CALL_END, 3, "");
    order_put(&o, AI_DELTA_CALL, 4, "g");
    order_finish(&o, AI_FINISH_LENGTH);

    order_is(&o, "start:0.0: call:0.0:f args:0.0:{} end-call:0.0: "
                 "call:0.1:g args:0.1:{} end-call:0.1: finish:0.0:3 "
                 "end:0.0:");
}


static void
test_finish(void)
{
    order_t     o;
    ai_delta_t  d;

    /* twice, and with text after it; known mistake 2: stop after calls */

    order_begin(&o);
    order_put(&o, AI_DELTA_CALL, 0, "f");

    ai_delta_init(&d, AI_DELTA_FINISH);
    d.finish = AI_FINISH_STOP;
    (void) ai_order(&o.order, &d);

    CHECK(ai_order_finished(&o.order) == 1);

    order_put(&o, AI_DELTA_ARGS, 0, "{}");
    order_put(&o, AI_DELTA_TEXT, 0, "t");
    order_finish(&o, AI_FINISH_STOP);
    order_put(&o, AI_DELTA_TEXT, 0, "too late");
    order_put(&o, AI_DELTA_END, 0, "");

    order_is(&o, "start:0.0: call:0.0:f args:0.0:{} end-call:0.0: "
                 "text:0.0:t finish:0.0:5 end:0.0:");
    CHECK(o.order.lost == 2);

    /* never told */

    order_begin(&o);
    order_put(&o, AI_DELTA_TEXT, 0, "t");
    order_put(&o, AI_DELTA_END, 0, "");

    order_is(&o, "start:0.0: text:0.0:t finish:0.0:1 end:0.0:");

    /* calls that never came */

    order_begin(&o);
    order_put(&o, AI_DELTA_TEXT, 0, "t");
    order_finish(&o, AI_FINISH_TOOLS);

    order_is(&o, "start:0.0: text:0.0:t finish:0.0:1 end:0.0:");
}


static void
test_bounds(void)
{
    int         i;
    char        piece[1024];
    order_t     o;
    ai_int_t    rc;
    ai_delta_t  d;

    memset(piece, 'x', sizeof(piece) - 1);
    piece[sizeof(piece) - 1] = '\0';

    order_begin(&o);
    order_put(&o, AI_DELTA_CALL, 0, "f");
    order_put(&o, AI_DELTA_ARGS, 0, "{");

    rc = AI_OK;

    for (i = 0; i < 100 && rc == AI_OK; i++) {
        rc = order_put(&o, AI_DELTA_TEXT, 0, piece);
    }

    CHECK(rc == AI_ERROR && i < 70);

    ai_delta_init(&d, AI_DELTA_TEXT);
    d.choice = 1000;

    order_begin(&o);
    CHECK(ai_order(&o.order, &d) == AI_OK && o.order.lost == 1);
}


int
main(void)
{
    UNIT_RUN(test_text);
    UNIT_RUN(test_interleaved);
    UNIT_RUN(test_implicit);
    UNIT_RUN(test_zero_arguments);
    UNIT_RUN(test_finish);
    UNIT_RUN(test_bounds);

    return unit_done();
}

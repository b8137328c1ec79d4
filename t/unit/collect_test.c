
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Deltas to an answer: what is joined, what starts a part of its own, and
 * that nothing of a delta is needed once it was taken.
 */


#include "ai_wire.h"
#include "unit.h"


static ai_collect_t  collect;
static ai_answer_t   answer;


/* the text is in a block that is gone afterwards, unless it is to stay */

static ai_int_t
put(ai_delta_e type, const char *text)
{
    char        *copy;
    ai_int_t     rc;
    ai_delta_t   d;

    ai_delta_init(&d, type);

    d.finish = AI_FINISH_LENGTH;
    d.state_kind = AI_STATE_ANTHROPIC;

    if (collect.stable) {
        copy = (char *) unit_bytes(text, strlen(text));

    } else {
        copy = malloc(strlen(text) + 1);
        memcpy(copy, text, strlen(text) + 1);
    }

    d.text.s.data = (u_char *) copy;
    d.text.s.len = copy ? strlen(text) : 0;
    d.name = d.text;
    d.id = d.text;
    d.state = d.text;
    d.native = d.text;
    d.raw = d.text.s;

    rc = ai_collect(&collect, &d);

    if (!collect.stable) {
        memset(copy, '!', strlen(text));
        free(copy);
    }

    return rc;
}


static void
begin(size_t max, ai_uint_t stable)
{
    ai_collect_init(&collect, &answer, &unit_arena, max, stable);
}


static void
test_parts(void)
{
    ai_uint_t    stable;
    ai_part_t   *p;

    for (stable = 0; stable < 2; stable++) {
        begin(65536, stable);

        CHECK_INT(put(AI_DELTA_START, "m"), AI_OK);
        CHECK_INT(put(AI_DELTA_REASONING, "th"), AI_OK);
        CHECK_INT(put(AI_DELTA_REASONING, "ink\n"), AI_OK);
        CHECK_INT(put(AI_DELTA_STATE, "sig"), AI_OK);
        CHECK_INT(put(AI_DELTA_REASONING, "more"), AI_OK);
        CHECK_INT(put(AI_DELTA_TEXT, "a\""), AI_OK);
        CHECK_INT(put(AI_DELTA_TEXT, "b"), AI_OK);
        CHECK_INT(put(AI_DELTA_CALL, "f"), AI_OK);
        CHECK_INT(put(AI_DELTA_ARGS, "{\"x\""), AI_OK);
        CHECK_INT(put(AI_DELTA_ARGS, ":1}"), AI_OK);
        CHECK_INT(put(AI_DELTA_CALL_END, ""), AI_OK);
        CHECK_INT(put(AI_DELTA_TEXT, "c"), AI_OK);
        CHECK_INT(put(AI_DELTA_REFUSAL, "no"), AI_OK);
        CHECK_INT(put(AI_DELTA_LOGPROBS, "[]"), AI_OK);
        CHECK_INT(put(AI_DELTA_LOGPROBS, "[1]"), AI_OK);
        CHECK_INT(put(AI_DELTA_LOGPROBS, "[2,3]"), AI_OK);
        CHECK_INT(put(AI_DELTA_FINISH, "len"), AI_OK);
        CHECK_INT(put(AI_DELTA_END, ""), AI_OK);

        CHECK_UINT(answer.nchoices, 1);
        CHECK_UINT(answer.choices[0].finish, AI_FINISH_LENGTH);
        CHECK_STR(answer.model.s.data, answer.model.s.len, "m");
        CHECK_STR(answer.choices[0].logprobs.data,
                  answer.choices[0].logprobs.len, "[1,2,3]");

        p = answer.choices[0].parts;
        CHECK_INT(p->type, AI_PART_REASONING);
        CHECK(ai_mstr_eq(&p->text, "think\n"));
        CHECK(ai_mstr_eq(&p->state, "sig"));

        p = p->next;
        CHECK_INT(p->type, AI_PART_REASONING);
        CHECK(ai_mstr_eq(&p->text, "more"));
        CHECK_INT(p->state_kind, AI_STATE_NONE);

        p = p->next;
        CHECK_INT(p->type, AI_PART_TEXT);
        CHECK(ai_mstr_eq(&p->text, "a\"b"));

        p = p->next;
        CHECK_INT(p->type, AI_PART_CALL);
        CHECK(ai_mstr_eq(&p->name, "f"));
        CHECK(ai_mstr_eq(&p->args, "{\"x\":1}"));

        p = p->next;
        CHECK(ai_mstr_eq(&p->text, "c"));

        p = p->next;
        CHECK_INT(p->type, AI_PART_REFUSAL);
        CHECK(p->next == NULL);
    }
}


static void
test_bounds(void)
{
    size_t      i;
    ai_delta_t  d;

    begin(4096, 0);

    for (i = 0; i < 8192 && put(AI_DELTA_TEXT, "xy") == AI_OK; i++) {
        /* void */
    }

    CHECK(i > 1000 && i < 4096);

    /* parts without words are no way around it */

    begin(4096, 0);

    for (i = 0; i < 8192 && put(AI_DELTA_CALL, "") == AI_OK; i++) {
        /* void */
    }

    CHECK(i < 100);

    /* a choice that there cannot be, arguments of no call */

    begin(4096, 0);

    ai_delta_init(&d, AI_DELTA_TEXT);
    d.choice = AI_ANSWER_CHOICES;
    CHECK_INT(ai_collect(&collect, &d), AI_OK);
    CHECK_UINT(answer.nchoices, 0);
    CHECK_INT(put(AI_DELTA_ARGS, "{}"), AI_OK);
    CHECK(answer.choices[0].parts == NULL);
}


static void
test_memory(void)
{
    long        n;
    size_t      i;
    ai_int_t    rc;

    static const ai_delta_e  types[] = {
        AI_DELTA_START, AI_DELTA_REASONING, AI_DELTA_STATE, AI_DELTA_TEXT,
        AI_DELTA_TEXT, AI_DELTA_CALL, AI_DELTA_ARGS, AI_DELTA_ARGS,
        AI_DELTA_IMAGE, AI_DELTA_CITATION, AI_DELTA_LOGPROBS,
        AI_DELTA_LOGPROBS, AI_DELTA_FINISH, AI_DELTA_END
    };

    for (n = 0; n < 64; n++) {
        begin(65536, 0);
        unit.fail_after = n;
        rc = AI_OK;

        for (i = 0; i < sizeof(types) / sizeof(types[0]) && rc == AI_OK; i++)
        {
            rc = put(types[i], "[1]");
        }

        unit.fail_after = -1;

        CHECK(rc == AI_OK || rc == AI_ERROR);
        CHECK(n != 0 || rc == AI_ERROR);
        CHECK(n < 63 || rc == AI_OK);
    }
}


int
main(void)
{
    UNIT_RUN(test_parts);
    UNIT_RUN(test_bounds);
    UNIT_RUN(test_memory);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Lists of models in the shapes that clients expect.
 */


#include "ai_json.h"
#include "ai_models.h"
#include "unit.h"


static ai_model_t  models[] = {
    { ai_string("gpt-4o"), ai_string("openai"), 1700000000 },
    { ai_string("a/\"b\""), ai_string(""), 0 }
};


#define LIST(shape, n, text)                                                 \
    CHECK_INT(ai_models_list(shape, models, n, &unit_arena, &out), AI_OK);   \
    CHECK_STR(out.data, out.len, text)

#define ONE(shape, text)                                                     \
    CHECK_INT(ai_models_one(shape, models, &unit_arena, &out), AI_OK);       \
    CHECK_STR(out.data, out.len, text)

#define GEMINI_METHODS                                                       \
    "\"supportedGenerationMethods\":[\"generateContent\",\"countTokens\","   \
    "\"embedContent\"]"


static void
test_list(void)
{
    ai_str_t  out;

    LIST(AI_MODELS_OPENAI, 0, "{\"object\":\"list\",\"data\":[]}");
    LIST(AI_MODELS_OPENAI, 2,
         "{\"object\":\"list\",\"data\":["
         "{\"id\":\"gpt-4o\",\"object\":\"model\",\"created\":1700000000,"
         "\"owned_by\":\"openai\"},"
         "{\"id\":\"a/\\\"b\\\"\",\"object\":\"model\",\"created\":0,"
         "\"owned_by\":\"\"}]}");

    LIST(AI_MODELS_ANTHROPIC, 0,
         "{\"data\":[],\"has_more\":false,\"first_id\":null,"
         "\"last_id\":null}");
    LIST(AI_MODELS_ANTHROPIC, 2,
         "{\"data\":["
         "{\"type\":\"model\",\"id\":\"gpt-4o\",\"display_name\":\"gpt-4o\","
         "\"created_at\":\"2023-11-14T22:13:20.000Z\"},"
         "{\"type\":\"model\",\"id\":\"a/\\\"b\\\"\","
         "\"display_name\":\"a/\\\"b\\\"\","
         "\"created_at\":\"1970-01-01T00:00:00.000Z\"}],"
         "\"has_more\":false,\"first_id\":\"gpt-4o\","
         "\"last_id\":\"a/\\\"b\\\"\"}");

    LIST(AI_MODELS_GEMINI, 0, "{\"models\":[]}");
    LIST(AI_MODELS_GEMINI, 2,
         "{\"models\":["
         "{\"name\":\"models/gpt-4o\",\"displayName\":\"gpt-4o\","
         GEMINI_METHODS "},"
         "{\"name\":\"models/a/\\\"b\\\"\",\"displayName\":\"a/\\\"b\\\"\","
         GEMINI_METHODS "}]}");

    LIST(AI_MODELS_CODEX, 0, "{\"models\":[]}");
    LIST(AI_MODELS_CODEX, 2, "{\"models\":[]}");
}


static void
test_one(void)
{
    ai_str_t  out;

    ONE(AI_MODELS_OPENAI,
        "{\"id\":\"gpt-4o\",\"object\":\"model\",\"created\":1700000000,"
        "\"owned_by\":\"openai\"}");
    ONE(AI_MODELS_ANTHROPIC,
        "{\"type\":\"model\",\"id\":\"gpt-4o\",\"display_name\":\"gpt-4o\","
        "\"created_at\":\"2023-11-14T22:13:20.000Z\"}");
    ONE(AI_MODELS_GEMINI,
        "{\"name\":\"models/gpt-4o\",\"displayName\":\"gpt-4o\","
        GEMINI_METHODS "}");
    ONE(AI_MODELS_CODEX,
        "{\"id\":\"gpt-4o\",\"object\":\"model\",\"created\":1700000000,"
        "\"owned_by\":\"openai\"}");
}


/* names of every length and of bytes that grow when escaped, all bounded */

static void
test_sizes(void)
{
    int               ch;
    size_t            i, n;
    ai_str_t          out;
    ai_json_t         root;
    ai_model_t        m[50];
    ai_json_error_t   err;

    for (ch = 0; ch < 256; ch += 15) {
        for (i = 0; i < 50; i++) {
            m[i].id.len = i * 7;
            m[i].id.data = unit_alloc(NULL, i * 7);
            memset(m[i].id.data, ch, i * 7);
            m[i].owned_by = m[i].id;
            m[i].created = UINT64_MAX;
        }

        for (i = AI_MODELS_OPENAI; i <= AI_MODELS_CODEX; i++) {
            for (n = 0; n <= 50; n += 7) {
                CHECK_INT(ai_models_list(i, m, n, &unit_arena, &out), AI_OK);
                CHECK_INT(ai_json_scan(out.data, out.len, NULL, &unit_arena,
                                       NULL, NULL, &root, &err),
                          AI_OK);
            }

            CHECK_INT(ai_models_one(i, &m[49], &unit_arena, &out), AI_OK);
            CHECK_INT(ai_json_scan(out.data, out.len, NULL, &unit_arena,
                                   NULL, NULL, &root, &err),
                      AI_OK);
        }

        unit_arena_reset();
    }

    unit.fail_after = 0;
    CHECK_INT(ai_models_list(0, models, 2, &unit_arena, &out), AI_ERROR);
    CHECK_INT(ai_models_one(0, models, &unit_arena, &out), AI_ERROR);
}


int
main(void)
{
    UNIT_RUN(test_list);
    UNIT_RUN(test_one);
    UNIT_RUN(test_sizes);

    return unit_done();
}

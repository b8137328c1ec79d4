
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Request lines: every row of the table of endpoints, after every prefix.
 */


#include "ai_surface.h"
#include "unit.h"


#define OPENAI     &ai_dialect_openai
#define ANTHROPIC  &ai_dialect_anthropic
#define GEMINI     &ai_dialect_gemini
#define COHERE     &ai_dialect_cohere
#define BEDROCK    &ai_dialect_bedrock

#define A  AI_HINT_ANTHROPIC_VERSION
#define G  AI_HINT_GOOG
#define C  AI_HINT_CODEX
#define O  AI_HINT_ORIGIN


typedef struct {
    const char          *method;
    const char          *path;
    ai_uint_t            hints;
    ai_int_t             rc;
    ai_op_e              op;
    const ai_dialect_t  *dialect;
    const char          *suffix;
    const char          *model;
} case_t;


static ai_str_t
str(const char *s)
{
    ai_str_t  r;

    r.len = strlen(s);
    r.data = unit_bytes(s, r.len);

    return r;
}


static void
check(const case_t *c)
{
    ai_int_t      rc;
    ai_str_t      method, path;
    ai_surface_t  s;
    unsigned      before;

    before = unit.failed;

    method = str(c->method);
    path = str(c->path);

    rc = ai_surface_find(&s, &method, &path, c->hints);

    CHECK_INT(rc, c->rc);
    CHECK(s.dialect == c->dialect);

    if (rc == AI_OK && c->rc == AI_OK) {
        CHECK_INT(s.op, c->op);
        CHECK_MEM(s.suffix.data, s.suffix.len, c->suffix, strlen(c->suffix));
        CHECK_MEM(s.model.data, s.model.len, c->model, strlen(c->model));
        CHECK_INT(s.stream, s.op == AI_OP_STREAM_GENERATE
                            || s.op == AI_OP_CONVERSE_STREAM);
    }

    if (unit.failed != before) {
        printf("    for %s %s, hints %d\n", c->method, c->path,
               (int) c->hints);
    }
}


static void
test_operations(void)
{
    char         path[256];
    size_t       i, j;
    case_t       c;
    const char  *prefixes[] = {
        "", "/v1", "/openai", "/openai/v1", "/anthropic", "/anthropic/v1",
        "/api/v1", "/v1beta/openai", "/team-a/v1", "/v2", "/ai", "/a/b/c/v1",
        "/v4/accounts/77/ai/v1", "/openai/deployments/gpt/v1", "/gemini/v1",
        "/v1/openai", "/v1alpha", "/llm/openai/v1", "/openai/anthropic",
        NULL
    };

    static const struct {
        const char          *path;
        ai_op_e              op;
        const ai_dialect_t  *dialect;
    } rows[] = {
        { "/chat/completions", AI_OP_CHAT, OPENAI },
        { "/completions", AI_OP_COMPLETIONS, OPENAI },
        { "/embeddings", AI_OP_EMBEDDINGS, OPENAI },
        { "/responses", AI_OP_RESPONSES, OPENAI },
        { "/messages", AI_OP_MESSAGES, ANTHROPIC },
        { "/messages/count_tokens", AI_OP_COUNT_TOKENS, ANTHROPIC },
        { "/models/gemini-x:generateContent", AI_OP_GENERATE, GEMINI },
        { "/models/gemini-x:streamGenerateContent", AI_OP_STREAM_GENERATE,
          GEMINI },
        { "/models/gemini-x:countTokens", AI_OP_GEMINI_COUNT_TOKENS, GEMINI },
        { "/models/gemini-x:embedContent", AI_OP_EMBED_CONTENT, GEMINI },
        { "/models/gemini-x:batchEmbedContents", AI_OP_BATCH_EMBED_CONTENTS,
          GEMINI }
    };

    for (i = 0; prefixes[i] != NULL; i++) {
        for (j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {

            snprintf(path, sizeof(path), "%s%s", prefixes[i], rows[j].path);

            c = (case_t) { "POST", path, 0, AI_OK, rows[j].op,
                           rows[j].dialect, rows[j].path,
                           strchr(rows[j].path, ':') ? "gemini-x" : "" };
            check(&c);

            /* hints do not change what the path tells */

            c.hints = A | G | C;
            check(&c);

            c.rc = AI_ERROR;

            if (rows[j].dialect != GEMINI) {
                c.method = "GET";
                check(&c);
                c.method = "DELETE";
                check(&c);
            }

            c.method = "PATCH";
            check(&c);
            c.method = "post";
            check(&c);

            /* no fuzzy matching */

            strcat(path, "/");
            c.method = "POST";
            c.rc = AI_DECLINED;
            c.hints = 0;
            c.dialect = OPENAI;
            check(&c);
        }
    }
}


static void
test_table(void)
{
    size_t               i;
    static const case_t  cases[] = {

        /* Gemini: what a model may be called */

        { "POST", "/v1beta/models/a:b:generateContent", 0, AI_OK,
          AI_OP_GENERATE, GEMINI, "/models/a:b:generateContent", "a:b" },
        { "POST", "/v1beta/tunedModels/t-1:generateContent", 0, AI_OK,
          AI_OP_GENERATE, GEMINI, "/tunedModels/t-1:generateContent",
          "tunedModels/t-1" },
        { "POST", "/v1beta/models/org/x/y:countTokens", 0, AI_OK,
          AI_OP_GEMINI_COUNT_TOKENS, GEMINI, "/models/org/x/y:countTokens",
          "org/x/y" },
        { "POST", "/v1/projects/p/locations/l/publishers/google/models/g-2:"
          "streamGenerateContent", 0, AI_OK, AI_OP_STREAM_GENERATE, GEMINI,
          "/models/g-2:streamGenerateContent", "g-2" },
        { "POST", "/v1/publishers/google/models/g:generateContent", 0, AI_OK,
          AI_OP_GENERATE, GEMINI, "/models/g:generateContent", "g" },
        { "POST", "/v1beta/models/x:predict", 0, AI_OK, AI_OP_PASS, GEMINI,
          "/models/x:predict", "" },
        { "POST", "/v1beta/models/:generateContent", 0, AI_OK, AI_OP_PASS,
          GEMINI, "/models/:generateContent", "" },
        { "POST", "/x:generateContent", 0, AI_DECLINED, 0, OPENAI, "", "" },

        { "POST", "/v1beta1/projects/p/locations/l/publishers/google/models"
          "/g-2:generateContent", 0, AI_OK, AI_OP_GENERATE, GEMINI,
          "/models/g-2:generateContent", "g-2" },

        /* Cohere */

        { "POST", "/v2/chat", 0, AI_OK, AI_OP_COHERE_CHAT, COHERE, "/chat",
          "" },
        { "POST", "/team/v2/embed", 0, AI_OK, AI_OP_COHERE_EMBED, COHERE,
          "/embed", "" },
        { "POST", "/v1/v2/chat", 0, AI_OK, AI_OP_COHERE_CHAT, COHERE,
          "/chat", "" },
        { "POST", "/v2/chat/completions", 0, AI_OK, AI_OP_CHAT, OPENAI,
          "/chat/completions", "" },
        { "POST", "/v2/openai/chat", 0, AI_OK, AI_OP_PASS, OPENAI, "/chat",
          "" },
        { "POST", "/v2/x/chat", 0, AI_OK, AI_OP_PASS, OPENAI, "/x/chat",
          "" },
        { "GET", "/v2/chat", 0, AI_ERROR, 0, COHERE, "", "" },
        { "POST", "/chat", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/cohere/compatibility/v1/chat/completions", 0, AI_OK,
          AI_OP_CHAT, OPENAI, "/chat/completions", "" },

        /* Bedrock: any model, decoded */

        { "POST", "/model/amazon.nova-lite-v1:0/converse", 0, AI_OK,
          AI_OP_CONVERSE, BEDROCK, "/model/amazon.nova-lite-v1:0/converse",
          "amazon.nova-lite-v1:0" },
        { "POST", "/aws/model/m/converse-stream", 0, AI_OK,
          AI_OP_CONVERSE_STREAM, BEDROCK, "/model/m/converse-stream", "m" },
        { "POST", "/model/arn:aws:bedrock:us-east-1:1:inference-profile/"
          "v1/x/converse", 0, AI_OK, AI_OP_CONVERSE, BEDROCK,
          "/model/arn:aws:bedrock:us-east-1:1:inference-profile/v1/x"
          "/converse",
          "arn:aws:bedrock:us-east-1:1:inference-profile/v1/x" },
        { "POST", "/v1/model/m/converse", 0, AI_OK, AI_OP_CONVERSE, BEDROCK,
          "/model/m/converse", "m" },
        { "GET", "/model/m/converse", 0, AI_ERROR, 0, BEDROCK, "", "" },
        { "POST", "/model/m/invoke", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/model/converse", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/models/m/converse", 0, AI_ERROR, 0, OPENAI, "", "" },
        { "POST", "/model//converse", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/converse", 0, AI_DECLINED, 0, OPENAI, "", "" },

        /* Azure: the deployment is the model */

        { "POST", "/openai/deployments/gpt-4o/chat/completions", 0, AI_OK,
          AI_OP_CHAT, OPENAI, "/chat/completions", "gpt-4o" },
        { "POST", "/az/openai/deployments/e.3/embeddings", 0, AI_OK,
          AI_OP_EMBEDDINGS, OPENAI, "/embeddings", "e.3" },
        { "POST", "/openai/deployments/d/responses", 0, AI_OK,
          AI_OP_RESPONSES, OPENAI, "/responses", "d" },
        { "POST", "/openai/deployments/d/completions", 0, AI_OK,
          AI_OP_COMPLETIONS, OPENAI, "/completions", "d" },
        { "POST", "/az/deployments/d/chat/completions", 0, AI_OK,
          AI_OP_CHAT, OPENAI, "/chat/completions", "d" },
        { "POST", "/openai/responses", 0, AI_OK, AI_OP_RESPONSES, OPENAI,
          "/responses", "" },
        { "POST", "/openai/deployments/d/images/generations", 0, AI_OK,
          AI_OP_PASS, OPENAI, "/deployments/d/images/generations", "" },
        { "POST", "/openai/deployments/d/messages", 0, AI_OK, AI_OP_PASS,
          OPENAI, "/deployments/d/messages", "" },
        { "POST", "/openai/deployments/chat/completions", 0, AI_OK,
          AI_OP_COMPLETIONS, OPENAI, "/completions", "chat" },
        { "GET", "/openai/deployments/d/models", 0, AI_OK, AI_OP_PASS, OPENAI,
          "/deployments/d/models", "" },

        /* lists of models: the shape is the client's */

        { "GET", "/v1/models", 0, AI_OK, AI_OP_MODELS, OPENAI, "/models",
          "" },
        { "GET", "/models", C, AI_OK, AI_OP_MODELS, OPENAI, "/models", "" },
        { "GET", "/v1/models", A, AI_OK, AI_OP_MODELS, ANTHROPIC, "/models",
          "" },
        { "GET", "/v1/models", G, AI_OK, AI_OP_MODELS, GEMINI, "/models",
          "" },
        { "GET", "/v1beta/models", 0, AI_OK, AI_OP_MODELS, GEMINI, "/models",
          "" },
        { "GET", "/v1beta/openai/models", 0, AI_OK, AI_OP_MODELS, OPENAI,
          "/models", "" },
        { "HEAD", "/anthropic/v1/models", A, AI_OK, AI_OP_MODELS, ANTHROPIC,
          "/models", "" },
        { "GET", "/v1/models/gpt-5", 0, AI_OK, AI_OP_MODEL, OPENAI,
          "/models/gpt-5", "gpt-5" },
        { "GET", "/v1/models/openai/gpt-5:free", 0, AI_OK, AI_OP_MODEL,
          OPENAI, "/models/openai/gpt-5:free", "openai/gpt-5:free" },
        { "GET", "/ai/models/a/v1/b", 0, AI_OK, AI_OP_PASS, OPENAI, "/b",
          "" },
        { "GET", "/ai/models/a/b", 0, AI_OK, AI_OP_MODEL, OPENAI,
          "/models/a/b", "a/b" },
        { "POST", "/v1/models", 0, AI_ERROR, 0, OPENAI, "", "" },
        { "DELETE", "/v1/models/x", 0, AI_ERROR, 0, OPENAI, "", "" },
        { "GET", "/v1/models/", 0, AI_DECLINED, 0, OPENAI, "", "" },

        /* health */

        { "HEAD", "/", 0, AI_OK, AI_OP_HEALTH, OPENAI, "", "" },
        { "GET", "/", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/", A, AI_DECLINED, 0, ANTHROPIC, "", "" },
        { "HEAD", "/api/hello", 0, AI_OK, AI_OP_HEALTH, OPENAI, "/api/hello",
          "" },
        { "GET", "/x/api/hello", A, AI_OK, AI_OP_HEALTH, ANTHROPIC,
          "/api/hello", "" },
        { "GET", "/health", 0, AI_OK, AI_OP_HEALTH, OPENAI, "/health", "" },
        { "POST", "/health", 0, AI_ERROR, 0, OPENAI, "", "" },

        /* browsers */

        { "OPTIONS", "/v1/chat/completions", O, AI_OK, AI_OP_PREFLIGHT,
          OPENAI, "", "" },
        { "OPTIONS", "/v1/messages", O, AI_OK, AI_OP_PREFLIGHT, ANTHROPIC,
          "", "" },
        { "OPTIONS", "/v1beta/models/x:generateContent", O, AI_OK,
          AI_OP_PREFLIGHT, GEMINI, "", "" },
        { "OPTIONS", "/nowhere", O, AI_OK, AI_OP_PREFLIGHT, OPENAI, "", "" },
        { "OPTIONS", "/v1/chat/completions", 0, AI_ERROR, 0, OPENAI, "",
          "" },
        { "OPTIONS", "/nowhere", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "GET", "/v1/files", O, AI_OK, AI_OP_PASS, OPENAI, "/files", "" },

        /* everything else with a version */

        { "POST", "/v1/images/generations", 0, AI_OK, AI_OP_PASS, OPENAI,
          "/images/generations", "" },
        { "POST", "/openai/v1/audio/speech", 0, AI_OK, AI_OP_PASS, OPENAI,
          "/audio/speech", "" },
        { "GET", "/v1/files/f-1/content", 0, AI_OK, AI_OP_PASS, OPENAI,
          "/files/f-1/content", "" },
        { "DELETE", "/v1/files/f-1", 0, AI_OK, AI_OP_PASS, OPENAI,
          "/files/f-1", "" },
        { "GET", "/v1/responses/resp_1", 0, AI_OK, AI_OP_PASS, OPENAI,
          "/responses/resp_1", "" },
        { "DELETE", "/v1/responses/resp_1", 0, AI_OK, AI_OP_PASS, OPENAI,
          "/responses/resp_1", "" },
        { "POST", "/v1/responses/resp_1/cancel", 0, AI_OK, AI_OP_PASS,
          OPENAI, "/responses/resp_1/cancel", "" },
        { "POST", "/v1/threads/t/messages", 0, AI_OK, AI_OP_PASS, OPENAI,
          "/threads/t/messages", "" },
        { "GET", "/v1/organization/usage/completions", 0, AI_OK, AI_OP_PASS,
          OPENAI, "/organization/usage/completions", "" },
        { "POST", "/v1/messages/batches", 0, AI_OK, AI_OP_PASS, ANTHROPIC,
          "/messages/batches", "" },
        { "GET", "/v1/files", A, AI_OK, AI_OP_PASS, ANTHROPIC, "/files",
          "" },
        { "GET", "/v1beta/files", 0, AI_OK, AI_OP_PASS, GEMINI, "/files",
          "" },
        { "POST", "/v1/realtime", 0, AI_OK, AI_OP_PASS, OPENAI, "/realtime",
          "" },
        { "POST", "/v1/chat", 0, AI_OK, AI_OP_PASS, OPENAI, "/chat", "" },
        { "POST", "/v1/embed", 0, AI_OK, AI_OP_PASS, OPENAI, "/embed", "" },
        { "POST", "/v2/rerank", 0, AI_OK, AI_OP_PASS, OPENAI, "/rerank",
          "" },
        { "POST", "/openai/files", 0, AI_OK, AI_OP_PASS, OPENAI, "/files",
          "" },
        { "POST", "/x/v1beta2/rerank", 0, AI_OK, AI_OP_PASS, GEMINI,
          "/rerank", "" },
        { "GET", "/v1/files/v1", 0, AI_OK, AI_OP_PASS, OPENAI, "/files/v1",
          "" },
        { "PUT", "/v1/files/f-1", 0, AI_ERROR, 0, OPENAI, "", "" },
        { "PATCH", "/v1/files/f-1", A, AI_ERROR, 0, ANTHROPIC, "", "" },
        { "HEAD", "/v1/files", 0, AI_ERROR, 0, OPENAI, "", "" },

        /* nothing */

        { "POST", "", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "v1/chat/completions", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1/", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "//v1/files", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1//files", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1/../files", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1/./files", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1/files/..", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1/files\\x", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1/fi\nles", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1/fi\177les", G, AI_DECLINED, 0, GEMINI, "", "" },
        { "POST", "/vx/files", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v/files", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1x/files", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/v1betax/files", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/api/chat", 0, AI_DECLINED, 0, OPENAI, "", "" },
        { "POST", "/xchat/completionsx", A, AI_DECLINED, 0, ANTHROPIC, "",
          "" },
        { "POST", "/mycompletions", 0, AI_DECLINED, 0, OPENAI, "", "" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(&cases[i]);
    }
}


static void
test_long(void)
{
    size_t        i;
    ai_str_t      method, path;
    ai_surface_t  s;

    /* an empty string may have no data */

    path.len = 0;
    path.data = NULL;
    ai_str_set(&method, "POST");
    CHECK_INT(ai_surface_find(&s, &method, &path, 0), AI_DECLINED);

    /* many versions, many slashes: the time is linear */

    path.len = 60000;
    path.data = unit_alloc(NULL, path.len);

    for (i = 0; i < path.len; i++) {
        path.data[i] = (u_char) "/v1/a"[i % 5];
    }

    CHECK_INT(ai_surface_find(&s, &method, &path, 0), AI_OK);
    CHECK_INT(s.op, AI_OP_PASS);
    CHECK_UINT(s.suffix.len, path.len - 3);

    for (i = 0; i < path.len; i++) {
        path.data[i] = (u_char) "/a"[i % 2];
    }

    CHECK_INT(ai_surface_find(&s, &method, &path, 0), AI_DECLINED);
}


static void
test_names(void)
{
    int        op;
    ai_str_t  *name;

    for (op = AI_OP_NONE; op <= AI_OP_PREFLIGHT; op++) {
        CHECK(ai_op_name(op)->len > 0);
    }

    name = ai_op_name(AI_OP_CHAT);
    CHECK_STR(name->data, name->len, "chat");
    name = ai_op_name(AI_OP_PASS);
    CHECK_STR(name->data, name->len, "pass");
    name = ai_op_name(AI_OP_PREFLIGHT);
    CHECK_STR(name->data, name->len, "preflight");
    name = ai_op_name(AI_OP_CONVERSE_STREAM);
    CHECK_STR(name->data, name->len, "converse_stream");
    name = ai_op_name(AI_OP_PREDICT);
    CHECK_STR(name->data, name->len, "predict");
    name = ai_op_name(99);
    CHECK_STR(name->data, name->len, "none");
}


static void
test_model(void)
{
    size_t       i;
    ai_str_t     s;
    char         text[130];

    const char  *good[] = {
        "gpt-4o", "claude-sonnet-4-5@20250929", "openai/gpt-5:free",
        "meta-llama/Llama-3.1_8B", "a", "ft:gpt:org::id", "x.y.z",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "@cf/meta/llama-3",
        "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/"
        "us-gov.anthropic.claude-3-7-sonnet-20250219-v1:0", NULL
    };

    const char  *bad[] = {
        "", "/a", "a/", "a//b", "a..b", "../a", "a/..", "a b", "a\tb", "a?b",
        "a#b", "a%2fb", "http://evil/x", "a\\b", "a\"b", "\303\244", "a\n",
        "a;b", "a&b", "a=b", "a+b", "a,b", "~a", "{a}", NULL
    };

    for (i = 0; good[i] != NULL; i++) {
        s = str(good[i]);
        if (!CHECK_INT(ai_model_check(&s), AI_OK)) {
            printf("    for %s\n", good[i]);
        }
    }

    for (i = 0; bad[i] != NULL; i++) {
        s = str(bad[i]);
        if (!CHECK_INT(ai_model_check(&s), AI_DECLINED)) {
            printf("    for %s\n", bad[i]);
        }
    }

    memset(text, 'a', sizeof(text));
    s.data = (u_char *) text;
    s.len = 128;
    CHECK_INT(ai_model_check(&s), AI_OK);
    s.len = 129;
    CHECK_INT(ai_model_check(&s), AI_DECLINED);
}


int
main(void)
{
    UNIT_RUN(test_operations);
    UNIT_RUN(test_table);
    UNIT_RUN(test_long);
    UNIT_RUN(test_names);
    UNIT_RUN(test_model);

    return unit_done();
}

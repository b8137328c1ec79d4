
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The table of vendors: that each row is whole, where it leads, and what it
 * does to a body.
 */


#include "ai_vendor.h"
#include "unit.h"


#define OP(name)  ((ai_uint_t) 1 << AI_OP_##name)


/* the part of a dialect that a row is read with */

static const ai_dialect_t  dialects[] = {
    { .name = ai_string("openai"),
      .ops = OP(CHAT) | OP(COMPLETIONS) | OP(EMBEDDINGS) | OP(RESPONSES)
             | OP(PASS) },
    { .name = ai_string("responses"), .ops = OP(RESPONSES) | OP(PASS) },
    { .name = ai_string("anthropic"),
      .ops = OP(MESSAGES) | OP(COUNT_TOKENS) | OP(PASS) },
    { .name = ai_string("gemini"),
      .ops = OP(GENERATE) | OP(STREAM_GENERATE) | OP(GEMINI_COUNT_TOKENS)
             | OP(EMBED_CONTENT) | OP(BATCH_EMBED_CONTENTS) | OP(PASS) },
    { .name = ai_string("cohere"),
      .ops = OP(COHERE_CHAT) | OP(COHERE_EMBED) | OP(PASS) },
    { .name = ai_string("bedrock"),
      .ops = OP(CONVERSE) | OP(CONVERSE_STREAM) },
    { .name = ai_string("ollama"),
      .ops = OP(OLLAMA_CHAT) | OP(OLLAMA_EMBED) },
    { .name = ai_null_string }
};


static const ai_op_e  chats[] = {
    AI_OP_CHAT, AI_OP_RESPONSES, AI_OP_MESSAGES, AI_OP_GENERATE,
    AI_OP_STREAM_GENERATE, AI_OP_COHERE_CHAT, AI_OP_CONVERSE,
    AI_OP_CONVERSE_STREAM, AI_OP_NONE
};

static const ai_op_e  embeds[] = {
    AI_OP_EMBEDDINGS, AI_OP_EMBED_CONTENT, AI_OP_BATCH_EMBED_CONTENTS,
    AI_OP_COHERE_EMBED, AI_OP_NONE
};


static ai_str_t
str(const char *s)
{
    ai_str_t  r;

    r.len = strlen(s);
    r.data = unit_bytes(s, r.len);

    return r;
}


static const ai_vendor_t *
vendor(const char *name)
{
    ai_str_t            s;
    const ai_vendor_t  *v;

    s = str(name);
    v = ai_vendor_find(&s);

    if (!CHECK(v != NULL)) {
        printf("    for %s\n", name);
        exit(1);
    }

    return v;
}


static const ai_dialect_t *
dialect(const char *name)
{
    size_t  i;

    for (i = 0; dialects[i].name.len != 0; i++) {
        if (dialects[i].name.len == strlen(name)
            && memcmp(dialects[i].name.data, name, strlen(name)) == 0)
        {
            return &dialects[i];
        }
    }

    return NULL;
}


static void
test_rows(void)
{
    ai_str_t             s;
    unsigned             before;
    const char          *p;
    const ai_vendor_t   *v, *other;
    const ai_dialect_t  *d;

    for (v = ai_vendors; v->name.len != 0; v++) {
        before = unit.failed;

        d = dialect(v->dialect);
        CHECK(d != NULL);
        CHECK(ai_vendor_find(&v->name) == v);

        for (other = ai_vendors; other < v; other++) {
            CHECK(other->name.len != v->name.len
                  || memcmp(other->name.data, v->name.data, v->name.len));
        }

        /* somewhere to go to, and a path behind it */

        if (v->endpoint == NULL) {
            CHECK(v->example != NULL && v->base != NULL);

        } else {
            p = strstr(v->endpoint, "://");
            CHECK(p != NULL);
            CHECK(v->base != NULL || strchr(p + 3, '/') != NULL);
            CHECK(v->endpoint[strlen(v->endpoint) - 1] != '/');
        }

        CHECK(v->base == NULL || v->base[0] == '\0' || v->base[0] == '/');

        CHECK(v->auth != AI_AUTH_SIGV4 || v->service != NULL);
        CHECK(!v->keyless || strstr(v->endpoint, "127.0.0.1") != NULL);

        if (v->flags & AI_VENDOR_PREFIX) {
            CHECK(strcmp(v->dialect, "openai") == 0);
        }

        if (unit.failed != before) {
            printf("    for %s\n", v->name.data);
        }
    }

    CHECK(v - ai_vendors >= 35);

    s = str("nobody");
    CHECK(ai_vendor_find(&s) == NULL);
    s = str("open");
    CHECK(ai_vendor_find(&s) == NULL);
    s = str("");
    CHECK(ai_vendor_find(&s) == NULL);
}


static void
test_generic(void)
{
    ai_dialect_t         other;
    const ai_dialect_t  *d;
    const ai_vendor_t   *v;

    for (d = dialects; d->name.len != 0; d++) {
        v = ai_vendor_generic(d);

        CHECK_MEM(v->dialect, strlen(v->dialect), d->name.data, d->name.len);
        CHECK(v->base != NULL && v->keyless && v->endpoint == NULL);
        CHECK_UINT(ai_vendor_ops(v, d), d->ops);
    }

    memset(&other, 0, sizeof(ai_dialect_t));
    other.name = str("other");
    CHECK(ai_vendor_generic(&other) != NULL);
}


static void
op(const char *name, ai_op_e chat, ai_op_e stream, ai_op_e embed)
{
    size_t               i;
    unsigned             before;
    const ai_vendor_t   *v;
    const ai_dialect_t  *d;

    before = unit.failed;

    v = vendor(name);
    d = dialect(v->dialect);

    for (i = 0; chats[i] != AI_OP_NONE; i++) {
        CHECK_INT(ai_vendor_op(v, d, chats[i], 0), chat);
        CHECK_INT(ai_vendor_op(v, d, chats[i], 1), stream);
    }

    for (i = 0; embeds[i] != AI_OP_NONE; i++) {
        CHECK_INT(ai_vendor_op(v, d, embeds[i], 0), embed);
    }

    CHECK_INT(ai_vendor_op(v, d, AI_OP_COUNT_TOKENS, 0), AI_OP_NONE);
    CHECK_INT(ai_vendor_op(v, d, AI_OP_GEMINI_COUNT_TOKENS, 0), AI_OP_NONE);
    CHECK_INT(ai_vendor_op(v, d, AI_OP_COMPLETIONS, 0), AI_OP_NONE);
    CHECK_INT(ai_vendor_op(v, d, AI_OP_PASS, 0), AI_OP_NONE);

    if (unit.failed != before) {
        printf("    for %s\n", name);
    }
}


static void
test_ops(void)
{
    const ai_dialect_t  *d;

    op("openai", AI_OP_CHAT, AI_OP_CHAT, AI_OP_EMBEDDINGS);
    op("azure", AI_OP_CHAT, AI_OP_CHAT, AI_OP_EMBEDDINGS);
    op("mistral", AI_OP_CHAT, AI_OP_CHAT, AI_OP_EMBEDDINGS);
    op("groq", AI_OP_CHAT, AI_OP_CHAT, AI_OP_NONE);
    op("voyage", AI_OP_NONE, AI_OP_NONE, AI_OP_EMBEDDINGS);
    op("anthropic", AI_OP_MESSAGES, AI_OP_MESSAGES, AI_OP_NONE);
    op("vertex-anthropic", AI_OP_MESSAGES, AI_OP_MESSAGES, AI_OP_NONE);
    op("bedrock-anthropic", AI_OP_MESSAGES, AI_OP_MESSAGES, AI_OP_NONE);
    op("gemini", AI_OP_GENERATE, AI_OP_STREAM_GENERATE,
       AI_OP_BATCH_EMBED_CONTENTS);
    op("vertex", AI_OP_GENERATE, AI_OP_STREAM_GENERATE, AI_OP_PREDICT);
    op("cohere", AI_OP_COHERE_CHAT, AI_OP_COHERE_CHAT, AI_OP_COHERE_EMBED);
    op("bedrock", AI_OP_CONVERSE, AI_OP_CONVERSE_STREAM, AI_OP_NONE);
    op("ollama", AI_OP_CHAT, AI_OP_CHAT, AI_OP_EMBEDDINGS);
    op("ollama-native", AI_OP_OLLAMA_CHAT, AI_OP_OLLAMA_CHAT,
       AI_OP_OLLAMA_EMBED);

    /* a provider of the dialect "responses", without a preset */

    d = dialect("responses");
    CHECK_INT(ai_vendor_op(ai_vendor_generic(d), d, AI_OP_CHAT, 0),
              AI_OP_RESPONSES);

    /* what passes as it is */

    d = dialect("openai");
    CHECK(ai_vendor_ops(vendor("openai"), d) & OP(RESPONSES));
    CHECK(ai_vendor_ops(vendor("xai"), d) & OP(RESPONSES));
    CHECK(!(ai_vendor_ops(vendor("mistral"), d) & OP(RESPONSES)));
    CHECK(!(ai_vendor_ops(vendor("mistral"), d) & OP(COMPLETIONS)));

    d = dialect("anthropic");
    CHECK(!(ai_vendor_ops(vendor("bedrock-anthropic"), d) & OP(MESSAGES)));
    CHECK(ai_vendor_ops(vendor("vertex-anthropic"), d) & OP(COUNT_TOKENS));
}


static void
path(const char *name, ai_op_e o, ai_uint_t stream, const char *model,
    const char *want)
{
    size_t               len;
    u_char              *p, *last;
    const ai_vendor_t   *v;
    const ai_dialect_t  *d;
    ai_vendor_args_t     args;

    v = vendor(name);
    d = dialect(v->dialect);

    args.model = str(model);
    args.project = str("p-1");
    args.region = str("us-east5");
    args.version = str("2024-10-21");

    len = ai_vendor_path_len(v, d, o, stream, &args);

    p = unit_alloc(NULL, len);
    last = ai_vendor_path(p, v, d, o, stream, &args);

    CHECK_UINT(last - p, len);
    CHECK_MEM(p, len, want, strlen(want));
}


static void
test_paths(void)
{
    path("openai", AI_OP_CHAT, 1, "m", "/chat/completions");
    path("openai", AI_OP_RESPONSES, 0, "m", "/responses");
    path("openai", AI_OP_EMBEDDINGS, 0, "m", "/embeddings");
    path("anthropic", AI_OP_MESSAGES, 1, "m", "/messages");
    path("anthropic", AI_OP_COUNT_TOKENS, 0, "m", "/messages/count_tokens");
    path("gemini", AI_OP_GENERATE, 0, "gemini-3-flash",
         "/models/gemini-3-flash:generateContent");
    path("gemini", AI_OP_STREAM_GENERATE, 1, "a/b",
         "/models/a/b:streamGenerateContent?alt=sse");
    path("gemini", AI_OP_BATCH_EMBED_CONTENTS, 0, "e",
         "/models/e:batchEmbedContents");
    path("cohere", AI_OP_COHERE_CHAT, 1, "m", "/chat");
    path("cohere", AI_OP_COHERE_EMBED, 0, "m", "/embed");
    path("ollama-native", AI_OP_OLLAMA_CHAT, 0, "m", "/api/chat");
    path("ollama-native", AI_OP_OLLAMA_EMBED, 0, "m", "/api/embed");
    path("writer", AI_OP_CHAT, 0, "m", "/chat");

    path("vertex", AI_OP_GENERATE, 0, "g",
         "/projects/p-1/locations/us-east5/publishers/google/models/g"
         ":generateContent");
    path("vertex", AI_OP_STREAM_GENERATE, 0, "g",
         "/projects/p-1/locations/us-east5/publishers/google/models/g"
         ":streamGenerateContent?alt=sse");
    path("vertex", AI_OP_PREDICT, 0, "g",
         "/projects/p-1/locations/us-east5/publishers/google/models/g"
         ":predict");
    path("vertex-anthropic", AI_OP_MESSAGES, 0, "claude-sonnet-4-5@20250929",
         "/projects/p-1/locations/us-east5/publishers/anthropic/models/"
         "claude-sonnet-4-5@20250929:rawPredict");
    path("vertex-anthropic", AI_OP_MESSAGES, 1, "c",
         "/projects/p-1/locations/us-east5/publishers/anthropic/models/c"
         ":streamRawPredict");
    path("vertex-anthropic", AI_OP_COUNT_TOKENS, 0, "c",
         "/projects/p-1/locations/us-east5/publishers/anthropic/models/"
         "count-tokens:rawPredict");

    path("azure", AI_OP_CHAT, 0, "d", "/chat/completions");
    path("azure-classic", AI_OP_CHAT, 0, "my gpt",
         "/deployments/my%20gpt/chat/completions?api-version=2024-10-21");
    path("azure-classic", AI_OP_EMBEDDINGS, 0, "d",
         "/deployments/d/embeddings?api-version=2024-10-21");
    path("azure-foundry", AI_OP_CHAT, 0, "d",
         "/chat/completions?api-version=2024-10-21");

    /* wire-formats.md 8.1: no byte but the unreserved stays */

    path("bedrock", AI_OP_CONVERSE, 0, "us.amazon.nova-2-lite-v1:0",
         "/model/us.amazon.nova-2-lite-v1%3A0/converse");
    path("bedrock", AI_OP_CONVERSE_STREAM, 1,
         "arn:aws:bedrock:us-east-1:1:application-inference-profile/a",
         "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3A"
         "application-inference-profile%2Fa/converse-stream");
    path("bedrock-anthropic", AI_OP_MESSAGES, 0, "a.b-v1:0",
         "/model/a.b-v1%3A0/invoke");
    path("bedrock-anthropic", AI_OP_MESSAGES, 1, "a.b-v1:0",
         "/model/a.b-v1%3A0/invoke-with-response-stream");

    path("openai", AI_OP_PASS, 0, "m", "");
}


static ai_str_t
edited(const char *name, const char *body)
{
    size_t           i;
    u_char          *p;
    ai_str_t         s, got;
    ai_json_t        root;
    ai_splice_t      sp;
    ai_json_error_t  err;

    s = str(body);
    got.data = NULL;
    got.len = 0;

    if (!CHECK_INT(ai_json_scan(s.data, s.len, NULL, &unit_arena, NULL, NULL,
                                &root, &err), AI_OK))
    {
        return got;
    }

    ai_splice_init(&sp, &s, &unit_arena);

    CHECK_INT(ai_vendor_edit(vendor(name), &root, &sp, &unit_arena), AI_OK);

    if (!CHECK_INT(ai_splice_finish(&sp), AI_OK)) {
        return got;
    }

    got.data = unit_alloc(NULL, sp.len);
    p = got.data;

    for (i = 0; i < sp.nparts; i++) {
        memcpy(p, sp.parts[i].data, sp.parts[i].len);
        p += sp.parts[i].len;
    }

    got.len = sp.len;

    if (got.len != 0) {
        CHECK_INT(ai_json_scan(got.data, got.len, NULL, &unit_arena, NULL,
                               NULL, &root, &err), AI_OK);
    }

    return got;
}


static void
edit(const char *name, const char *body, const char *want)
{
    ai_str_t  got;

    got = edited(name, body);

    if (!CHECK_MEM(got.data, got.len, want, strlen(want))) {
        printf("    for %s\n", name);
    }
}


static void
test_edit(void)
{
    const ai_vendor_t  *v;

    static const char  simple[] =
        "{ \"model\" : \"m\", \"temperature\":1.0,\n\"messages\":[{\"role\":"
        "\"user\",\"content\":\"hi\\u0021\"}] }";

    /* what needs nothing stays as it is */

    for (v = ai_vendors; v->name.len != 0; v++) {
        if (!(v->flags & AI_VENDOR_NO_MODEL)) {
            edit((char *) v->name.data, simple, simple);
        }
    }

    edit("openai", "{\"seed\":1,\"x\":2,\"max_completion_tokens\":3}",
         "{\"seed\":1,\"x\":2,\"max_completion_tokens\":3}");

    edit("mistral",
         "{\"model\":\"m\",\"seed\":7,\"user\":\"u\",\"n\":1,"
         "\"stream_options\":{\"include_usage\":true},"
         "\"max_completion_tokens\":5,\"logit_bias\":{},"
         "\"tool_choice\":\"required\",\"store\":false}",
         "{\"model\":\"m\",\"random_seed\":7,\"n\":1,"
         "\"max_tokens\":5,\"tool_choice\":\"any\"}");

    edit("mistral", "{\"tool_choice\":\"auto\",\"random_seed\":1,\"seed\":2}",
         "{\"tool_choice\":\"auto\",\"random_seed\":1}");
    edit("mistral", "{\"user\":\"u\"}", "{}");
    edit("mistral", "[]", "[]");
    edit("voyage", "{\"input_type\":\"query\",\"dimensions\":9}",
         "{\"input_type\":\"query\",\"output_dimension\":9}");

    edit("groq",
         "{\"messages\":[{\"role\":\"user\",\"name\":\"n\",\"content\":"
         "\"x\"},{\"reasoning_content\":\"r\",\"role\":\"assistant\","
         "\"content\":\"y\"}],\"logprobs\":true,\"unheard\":1,\"seed\":1}",
         "{\"messages\":[{\"role\":\"user\",\"content\":"
         "\"x\"},{\"role\":\"assistant\","
         "\"content\":\"y\"}],\"seed\":1}");

    edit("xai", "{\"stop\":\"a\",\"top_p\":1,\"presence_penalty\":0}",
         "{\"top_p\":1}");
    edit("perplexity", "{\"tools\":[],\"model\":\"m\",\"seed\":1}",
         "{\"model\":\"m\"}");
    edit("deepseek", "{\"max_completion_tokens\":9,\"seed\":1}",
         "{\"max_tokens\":9,\"seed\":1}");
    edit("vllm", "{\"max_tokens\":1,\"max_completion_tokens\":9}",
         "{\"max_tokens\":1}");
    edit("together", "{\"messages\":[{\"role\":\"developer\"},"
         "{\"role\":\"user\"},7],\"x\":1}",
         "{\"messages\":[{\"role\":\"system\"},{\"role\":\"user\"},7],"
         "\"x\":1}");
    edit("together", "{\"messages\":\"developer\"}",
         "{\"messages\":\"developer\"}");

    /* Claude in the clouds */

    edit("vertex-anthropic",
         "{\"model\":\"m\",\"stream\":true,\"messages\":[]}",
         "{\"stream\":true,\"messages\":[],"
         "\"anthropic_version\":\"vertex-2023-10-16\"}");
    edit("bedrock-anthropic",
         "{\"model\":\"m\",\"stream\":true,\"messages\":[]}",
         "{\"messages\":[],\"anthropic_version\":\"bedrock-2023-05-31\"}");
    edit("bedrock-anthropic", "{\"model\":\"m\"}",
         "{\"anthropic_version\":\"bedrock-2023-05-31\"}");
    edit("bedrock-anthropic", "{\"anthropic_version\":\"x\"}",
         "{\"anthropic_version\":\"x\"}");
}


static void
test_mistral_ids(void)
{
    u_char     a[9], b[9];
    ai_str_t   got, s;
    ai_mstr_t  m;

    /* of the right form: they stay */

    edit("mistral",
         "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":"
         "\"abcDEF123\"}]},{\"role\":\"tool\",\"tool_call_id\":"
         "\"abcDEF123\"}]}",
         "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":"
         "\"abcDEF123\"}]},{\"role\":\"tool\",\"tool_call_id\":"
         "\"abcDEF123\"}]}");

    /* others are mapped, the same in all places */

    got = edited("mistral",
                 "{\"messages\":[{\"tool_calls\":[{\"id\":\"call_1\"},"
                 "{\"id\":7},8],\"tool_call_id\":\"call\\u005f1\"}]}");

    s = str("call_1");
    m = ai_mstr_plain(&s);
    CHECK_UINT(ai_vendor_id9(&m, a), 9);

    if (CHECK(got.len > 50)) {
        CHECK(memcmp(got.data + strlen("{\"messages\":[{\"tool_calls\":"
                                       "[{\"id\":\""), a, 9) == 0);
        CHECK(memcmp(got.data + got.len - 13, a, 9) == 0);
    }

    s = str("call_2");
    m = ai_mstr_plain(&s);
    CHECK_UINT(ai_vendor_id9(&m, b), 9);
    CHECK(memcmp(a, b, 9) != 0);

    s = str("abcDEF12_");
    m = ai_mstr_plain(&s);
    CHECK_UINT(ai_vendor_id9(&m, b), 9);

    s = str("abcDEF1234");
    m = ai_mstr_plain(&s);
    CHECK_UINT(ai_vendor_id9(&m, b), 9);

    s = str("");
    m = ai_mstr_plain(&s);
    CHECK_UINT(ai_vendor_id9(&m, b), 9);

    /* what the assistant began is told to be a prefix */

    edit("mistral", "{\"messages\":[{\"role\":\"assistant\",\"content\":"
         "\"So\"}]}",
         "{\"messages\":[{\"role\":\"assistant\",\"content\":\"So\","
         "\"prefix\":true}]}");
    edit("mistral", "{\"messages\":[{\"role\":\"assistant\",\"prefix\":"
         "false}]}",
         "{\"messages\":[{\"role\":\"assistant\",\"prefix\":false}]}");
    edit("mistral", "{\"messages\":[]}", "{\"messages\":[]}");
}


static void
test_no_memory(void)
{
    long                i;
    ai_int_t            rc;
    ai_str_t            s;
    ai_json_t           root;
    ai_splice_t         sp;
    ai_json_error_t     err;
    const ai_vendor_t  *v;

    v = vendor("mistral");
    rc = AI_ERROR;

    for (i = 0; i < 30 && rc != AI_OK; i++) {
        s = str("{\"seed\":1,\"user\":2,\"messages\":[{\"role\":\"developer\""
                ",\"tool_call_id\":\"x\",\"reasoning\":\"\"},"
                "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"y\"}]}],"
                "\"tool_choice\":\"required\"}");

        CHECK_INT(ai_json_scan(s.data, s.len, NULL, &unit_arena, NULL, NULL,
                               &root, &err), AI_OK);

        ai_splice_init(&sp, &s, &unit_arena);

        unit.fail_after = i;
        rc = ai_vendor_edit(v, &root, &sp, &unit_arena);
        unit.fail_after = -1;
    }

    CHECK(i > 3 && i < 30);
}


int
main(void)
{
    UNIT_RUN(test_rows);
    UNIT_RUN(test_generic);
    UNIT_RUN(test_ops);
    UNIT_RUN(test_paths);
    UNIT_RUN(test_edit);
    UNIT_RUN(test_mistral_ids);
    UNIT_RUN(test_no_memory);

    return unit_done();
}

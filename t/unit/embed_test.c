
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Embeddings from each dialect of clients to each of providers and back.
 * Vectors are compared as float32, bit by bit; recorded answers are read in
 * place, where they are present.
 */


#include <cjson/cJSON.h>
#include <dirent.h>

#include "ai_embed.h"
#include "ai_embed_vector.h"
#include "dialect.h"
#include "unit.h"


#define MAX_KEPT     (16 * 1024 * 1024)
#define MAX_FLOATS   (64 * 1024)


static const char  *const  roots[] = {
    "../shared/fixtures", "../../shared/fixtures", NULL
};

static ai_str_t     model = ai_string("name");
static ai_embed_t   state;
static ai_report_t  rep;
static ai_tap_t     tap;
static ai_buf_t     out;


static const cJSON *
get(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object)
           ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}


static ai_json_t
scan(const char *text)
{
    size_t             len;
    u_char            *copy;
    ai_json_t          root;
    ai_json_error_t    err;

    static const ai_json_limits_t  limits = { 64, 1000000 };

    len = strlen(text);
    copy = unit_bytes(text, len);
    memset(&root, 0, sizeof(ai_json_t));

    CHECK_INT(ai_json_scan(copy, len, &limits, &unit_arena, NULL, NULL,
                           &root, &err), AI_OK);

    return root;
}


static ai_int_t
ask(ai_op_e from, ai_op_e to, const ai_vendor_t *vendor, const char *text)
{
    ai_json_t    root;
    ai_target_t  t;

    memset(&t, 0, sizeof(ai_target_t));

    t.op = to;
    t.vendor = vendor;
    ai_str_set(&t.model, "m");

    root = scan(text);

    ai_buf_init(&out, &unit_arena, MAX_KEPT);
    ai_report_init(&rep, &unit_arena);

    return ai_embed_request(from, &root, &t, &unit_arena, &state, &out,
                            &rep);
}


static ai_event_e
answer(ai_op_e from, ai_op_e to, const char *text)
{
    ai_json_t  root;

    root = scan(text);

    ai_tap_init(&tap, &ai_dialect_cohere, AI_OP_COHERE_EMBED, &unit_arena);
    ai_buf_init(&out, &unit_arena, MAX_KEPT);

    return ai_embed_response(from, to, &state, &root, &tap, &model, &out);
}


#define WRITTEN(text)                                                        \
    CHECK_STR(out.start, ai_buf_len(&out), text)


static ai_uint_t
dropped(const char *name)
{
    ai_uint_t  i;

    for (i = 0; i < rep.ndropped; i++) {
        if (rep.dropped[i].len == strlen(name)
            && memcmp(rep.dropped[i].data, name, rep.dropped[i].len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* one of each client to each provider */

static const char  openai[] =
    "{\"model\":\"x\",\"input\":[\"a\\n\",\"b\"],\"dimensions\":256,"
    "\"encoding_format\":\"base64\",\"user\":\"u\"}";

static const char  gemini[] =
    "{\"requests\":[{\"model\":\"models/x\",\"content\":{\"parts\":[{\"text\""
    ":\"a\\n\"}]},\"taskType\":\"RETRIEVAL_QUERY\",\"outputDimensionality\":"
    "256},{\"model\":\"models/x\",\"content\":{\"parts\":[{\"text\":\"b\"}]},"
    "\"taskType\":\"RETRIEVAL_QUERY\",\"outputDimensionality\":256}]}";

static const char  cohere[] =
    "{\"model\":\"x\",\"texts\":[\"a\\n\",\"b\"],\"input_type\":"
    "\"search_query\",\"embedding_types\":[\"float\"],"
    "\"output_dimension\":256,\"truncate\":\"END\"}";


static void
test_openai_clients(void)
{
    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, NULL, openai), AI_OK);
    WRITTEN("{\"model\":\"m\",\"input\":[\"a\\n\",\"b\"],"
            "\"encoding_format\":\"base64\",\"dimensions\":256,"
            "\"user\":\"u\"}");
    CHECK_UINT(rep.ndropped, 0);

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_BATCH_EMBED_CONTENTS, NULL,
                  openai), AI_OK);
    WRITTEN("{\"requests\":[{\"model\":\"models/m\",\"content\":{\"parts\":["
            "{\"text\":\"a\\n\"}]},\"outputDimensionality\":256},"
            "{\"model\":\"models/m\",\"content\":{\"parts\":[{\"text\":\"b\"}"
            "]},\"outputDimensionality\":256}]}");
    CHECK(dropped("user"));

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_PREDICT, NULL, openai), AI_OK);
    WRITTEN("{\"instances\":[{\"content\":\"a\\n\"},{\"content\":\"b\"}],"
            "\"parameters\":{\"outputDimensionality\":256}}");

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_COHERE_EMBED, NULL, openai),
              AI_OK);
    WRITTEN("{\"model\":\"m\",\"texts\":[\"a\\n\",\"b\"],\"input_type\":"
            "\"search_document\",\"embedding_types\":[\"float\"],"
            "\"output_dimension\":256}");

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_OLLAMA_EMBED, NULL, openai),
              AI_OK);
    WRITTEN("{\"model\":\"m\",\"input\":[\"a\\n\",\"b\"],"
            "\"dimensions\":256}");

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBED_CONTENT, NULL,
                  "{\"input\":\"a\"}"), AI_OK);
    WRITTEN("{\"model\":\"models/m\",\"content\":{\"parts\":[{\"text\":\"a\"}"
            "]}}");
    CHECK_UINT(state.floats, 1);
    CHECK_UINT(state.base64, 0);
}


static void
test_gemini_clients(void)
{
    CHECK_INT(ask(AI_OP_BATCH_EMBED_CONTENTS, AI_OP_EMBEDDINGS, NULL,
                  gemini), AI_OK);
    WRITTEN("{\"model\":\"m\",\"input\":[\"a\\n\",\"b\"],"
            "\"dimensions\":256}");
    CHECK(dropped("input_type"));

    CHECK_INT(ask(AI_OP_BATCH_EMBED_CONTENTS, AI_OP_COHERE_EMBED, NULL,
                  gemini), AI_OK);
    WRITTEN("{\"model\":\"m\",\"texts\":[\"a\\n\",\"b\"],\"input_type\":"
            "\"search_query\",\"embedding_types\":[\"float\"],"
            "\"output_dimension\":256}");

    CHECK_INT(ask(AI_OP_EMBED_CONTENT, AI_OP_PREDICT, NULL,
                  "{\"content\":{\"parts\":[{\"text\":\"a\"},{\"text\":"
                  "\"b\\\"\"}]},\"task_type\":\"CODE_RETRIEVAL_QUERY\","
                  "\"embedContentConfig\":{\"title\":\"t\",\"autoTruncate\":"
                  "false,\"outputDimensionality\":8}}"), AI_OK);
    WRITTEN("{\"instances\":[{\"content\":\"a\\nb\\\"\",\"task_type\":"
            "\"CODE_RETRIEVAL_QUERY\",\"title\":\"t\"}],\"parameters\":"
            "{\"outputDimensionality\":8,\"autoTruncate\":false}}");
}


static void
test_cohere_clients(void)
{
    CHECK_INT(ask(AI_OP_COHERE_EMBED, AI_OP_BATCH_EMBED_CONTENTS, NULL,
                  cohere), AI_OK);
    WRITTEN("{\"requests\":[{\"model\":\"models/m\",\"content\":{\"parts\":["
            "{\"text\":\"a\\n\"}]},\"taskType\":\"RETRIEVAL_QUERY\","
            "\"outputDimensionality\":256},{\"model\":\"models/m\","
            "\"content\":{\"parts\":[{\"text\":\"b\"}]},\"taskType\":"
            "\"RETRIEVAL_QUERY\",\"outputDimensionality\":256}]}");
    CHECK(dropped("truncate"));

    CHECK_INT(ask(AI_OP_COHERE_EMBED, AI_OP_OLLAMA_EMBED, NULL, cohere),
              AI_OK);
    WRITTEN("{\"model\":\"m\",\"input\":[\"a\\n\",\"b\"],\"truncate\":true,"
            "\"dimensions\":256}");

    CHECK_INT(ask(AI_OP_COHERE_EMBED, AI_OP_COHERE_EMBED, NULL,
                  "{\"inputs\":[{\"content\":[{\"type\":\"text\",\"text\":"
                  "\"a\"}]}],\"input_type\":\"classification\","
                  "\"embedding_types\":[\"base64\",\"float\"],"
                  "\"truncate\":\"START\"}"), AI_OK);
    WRITTEN("{\"model\":\"m\",\"texts\":[\"a\"],\"input_type\":"
            "\"classification\",\"embedding_types\":[\"float\"],"
            "\"truncate\":\"START\"}");
    CHECK_UINT(state.floats, 1);
    CHECK_UINT(state.base64, 1);
}


/* members by other names, and those that others do not have */

static void
test_vendor_members(void)
{
    ai_vendor_t  vendor;

    static const ai_vendor_member_t  members[] = {
        { "dimensions", "output_dimension" },
        { "input_type", "input_type" },
        { "truncation", "truncation" },
        { "encoding_format", NULL },
        { "user", NULL },
        { NULL, NULL }
    };

    memset(&vendor, 0, sizeof(ai_vendor_t));
    vendor.members = members;

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, &vendor, openai),
              AI_OK);
    WRITTEN("{\"model\":\"m\",\"input\":[\"a\\n\",\"b\"],"
            "\"output_dimension\":256}");
    CHECK(dropped("user"));

    CHECK_INT(ask(AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS, &vendor, cohere),
              AI_OK);
    WRITTEN("{\"model\":\"m\",\"input\":[\"a\\n\",\"b\"],"
            "\"output_dimension\":256,\"input_type\":\"query\","
            "\"truncation\":true}");
    CHECK_UINT(rep.ndropped, 0);
}


typedef struct {
    ai_op_e      from;
    ai_op_e      to;
    const char  *body;
    const char  *param;
} refusal_t;


static void
test_refused(void)
{
    size_t  i;

    static const refusal_t  rows[] = {
        { AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "[]", "" },
        { AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "{}", "input" },
        { AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "{\"input\":[]}", "input" },
        { AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "{\"input\":{}}", "input" },
        { AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "{\"input\":[{}]}", "input" },
        { AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "{\"input\":[\"a\",1]}",
          "input" },
        { AI_OP_EMBEDDINGS, AI_OP_COHERE_EMBED, "{\"input\":[1,2]}",
          "input" },
        { AI_OP_EMBEDDINGS, AI_OP_PREDICT, "{\"input\":[[1],[2]]}",
          "input" },
        { AI_OP_EMBEDDINGS, AI_OP_EMBED_CONTENT,
          "{\"input\":[\"a\",\"b\"]}", "input" },
        { AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS,
          "{\"encoding_format\":\"int8\"}", "encoding_format" },
        { AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "{\"dimensions\":\"8\"}",
          "dimensions" },
        { AI_OP_EMBED_CONTENT, AI_OP_EMBEDDINGS, "{}", "content" },
        { AI_OP_EMBED_CONTENT, AI_OP_EMBEDDINGS,
          "{\"content\":{\"parts\":[]}}", "content.parts" },
        { AI_OP_EMBED_CONTENT, AI_OP_EMBEDDINGS,
          "{\"content\":{\"parts\":[{\"inlineData\":{}}]}}",
          "content.parts" },
        { AI_OP_BATCH_EMBED_CONTENTS, AI_OP_EMBEDDINGS, "{}", "requests" },
        { AI_OP_BATCH_EMBED_CONTENTS, AI_OP_EMBEDDINGS,
          "{\"requests\":[]}", "requests" },
        { AI_OP_BATCH_EMBED_CONTENTS, AI_OP_EMBEDDINGS,
          "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},"
          "\"taskType\":\"CLUSTERING\"},{\"content\":{\"parts\":[{\"text\":"
          "\"a\"}]}}]}", "requests" },
        { AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS, "{}", "texts" },
        { AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS, "{\"texts\":\"a\"}",
          "texts" },
        { AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS, "{\"images\":[\"a\"]}",
          "images" },
        { AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS,
          "{\"embedding_types\":[\"int8\"]}", "embedding_types" },
        { AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS,
          "{\"inputs\":[{\"content\":[{\"type\":\"image_url\"}]}]}",
          "inputs.0.content" },
        { AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS,
          "{\"input_type\":\"image\"}", "input_type" },
        { AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS, "{\"truncate\":\"x\"}",
          "truncate" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_INT(ask(rows[i].from, rows[i].to, NULL, rows[i].body),
                  AI_DECLINED);
        CHECK(rep.message.len != 0);
        CHECK_MEM(rep.param.data, rep.param.len, rows[i].param,
                  strlen(rows[i].param));
    }
}


/* tokens of one text, and of two, where they mean what they did */

static void
test_tokens(void)
{
    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, NULL,
                  "{\"input\":[1, 2]}"), AI_OK);
    WRITTEN("{\"model\":\"m\",\"input\":[1, 2]}");
    CHECK_UINT(state.n, 1);

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, NULL,
                  "{\"input\":[[1],[2,3]]}"), AI_OK);
    CHECK_UINT(state.n, 2);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_COHERE_EMBED,
                     "{\"data\":[{\"embedding\":[1]},{\"embedding\":[2]}]}"),
              AI_EVENT_CONTENT);
}


/* vectors */

static float
random_float(uint64_t *seed)
{
    float     f;
    uint32_t  bits;

    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;

    /* exponents of embeddings, mostly */

    bits = (uint32_t) (*seed >> 32) & 0x807fffff;
    bits |= (uint32_t) (100 + (*seed >> 20) % 40) << 23;

    memcpy(&f, &bits, sizeof(f));

    return f;
}


static void
one_float(float f, char *text, size_t size)
{
    char       chars[16];
    u_char     b[4];
    uint32_t   bits;
    ai_mstr_t  m;

    static const char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
                                  "mnopqrstuvwxyz0123456789+/";

    memcpy(&bits, &f, sizeof(bits));

    b[0] = (u_char) bits;
    b[1] = (u_char) (bits >> 8);
    b[2] = (u_char) (bits >> 16);
    b[3] = (u_char) (bits >> 24);

    chars[0] = digits[b[0] >> 2];
    chars[1] = digits[(b[0] & 3) << 4 | b[1] >> 4];
    chars[2] = digits[(b[1] & 15) << 2 | b[2] >> 6];
    chars[3] = digits[b[2] & 63];
    chars[4] = digits[b[3] >> 2];
    chars[5] = digits[(b[3] & 3) << 4];
    chars[6] = '=';
    chars[7] = '=';
    chars[8] = '\0';

    m = ai_mstr_cstr(chars);
    ai_buf_init(&out, &unit_arena, MAX_KEPT);

    if (ai_vector_from_base64(&out, &m) != AI_OK) {
        text[0] = '\0';
        return;
    }

    (void) snprintf(text, size, "%.*s", (int) ai_buf_len(&out) - 2,
                    out.start + 1);
}


/* each float32 comes back as itself, in no more digits than it needs */

static void
test_shortest(void)
{
    int        i, p;
    char       text[64], want[64];
    float      f;
    size_t     bad, longer, digits, least;
    uint64_t   seed;
    char      *s;

    bad = 0;
    longer = 0;
    seed = 42;

    for (i = 0; i < 50000; i++) {

        f = random_float(&seed);

        one_float(f, text, sizeof(text));
        bad += strtof(text, NULL) != f;

        for (p = 1; p < 9; p++) {
            (void) snprintf(want, sizeof(want), "%.*g", p, (double) f);

            if (strtof(want, NULL) == f) {
                break;
            }
        }

        least = (size_t) p;
        digits = 0;

        for (s = text; *s != '\0' && *s != 'e'; s++) {
            digits += *s >= '0' && *s <= '9' && (digits || *s != '0');
        }

        longer += digits > least;

        if (i % 1000 == 0) {
            unit_arena_reset();
        }
    }

    CHECK_UINT(bad, 0);
    CHECK_UINT(longer, 0);

    one_float(0.0f, text, sizeof(text));
    CHECK_STR(text, strlen(text), "0");
    one_float(-0.0f, text, sizeof(text));
    CHECK_STR(text, strlen(text), "-0");
    one_float(0.1f, text, sizeof(text));
    CHECK_STR(text, strlen(text), "0.1");
    one_float(-0.0123f, text, sizeof(text));
    CHECK_STR(text, strlen(text), "-0.0123");
    one_float(1.0f, text, sizeof(text));
    CHECK_STR(text, strlen(text), "1");
    one_float(99999.99f, text, sizeof(text));
    CHECK_STR(text, strlen(text), "99999.99");
    one_float(16777216.0f, text, sizeof(text));
    CHECK(strtof(text, NULL) == 16777216.0f);
    one_float(1e-9f, text, sizeof(text));
    CHECK(strtof(text, NULL) == 1e-9f);
    one_float(1.0f / 0.0f, text, sizeof(text));
    CHECK_STR(text, strlen(text), "");
}


static void
test_to_base64(void)
{
    ai_json_t  v;

    v = scan("[1, -2.5e0,0.1]");
    ai_buf_init(&out, &unit_arena, MAX_KEPT);
    CHECK_INT(ai_vector_to_base64(&out, &v), AI_OK);
    WRITTEN("AACAPwAAIMDNzMw9");

    v = scan("[]");
    ai_buf_init(&out, &unit_arena, MAX_KEPT);
    CHECK_INT(ai_vector_to_base64(&out, &v), AI_OK);
    CHECK_UINT(ai_buf_len(&out), 0);

    v = scan("[1e99]");
    CHECK_INT(ai_vector_to_base64(&out, &v), AI_DECLINED);
    v = scan("[null]");
    CHECK_INT(ai_vector_to_base64(&out, &v), AI_DECLINED);
    v = scan("\"a\"");
    CHECK_INT(ai_vector_to_base64(&out, &v), AI_DECLINED);

    v = scan("[1,[2]]");
    CHECK(!ai_vector_valid(&v));
    v = scan("[true]");
    CHECK(!ai_vector_valid(&v));
    v = scan("[ 1 , 2e-3 ]");
    CHECK(ai_vector_valid(&v));
}


/* answers of each provider for each client */

static void
test_answers(void)
{
    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_BATCH_EMBED_CONTENTS, NULL,
                  "{\"input\":[\"a\",\"b\"]}"), AI_OK);
    CHECK_INT(answer(AI_OP_BATCH_EMBED_CONTENTS, AI_OP_EMBEDDINGS,
                     "{\"embeddings\":[{\"values\":[0.10, 1]},"
                     "{\"values\":[-3]}]}"), AI_EVENT_CONTENT);
    WRITTEN("{\"object\":\"list\",\"data\":[{\"object\":\"embedding\","
            "\"index\":0,\"embedding\":[0.10, 1]},{\"object\":\"embedding\","
            "\"index\":1,\"embedding\":[-3]}],\"model\":\"name\",\"usage\":"
            "{\"prompt_tokens\":0,\"total_tokens\":0}}");
    CHECK_INT(tap.usage.source, AI_USAGE_NONE);

    CHECK_INT(answer(AI_OP_PREDICT, AI_OP_BATCH_EMBED_CONTENTS,
                     "{\"predictions\":[{\"embeddings\":{\"values\":[1],"
                     "\"statistics\":{\"token_count\":3}}},{\"embeddings\":"
                     "{\"values\":[2],\"statistics\":{\"token_count\":4.0}}}"
                     "]}"), AI_EVENT_CONTENT);
    WRITTEN("{\"embeddings\":[{\"values\":[1]},{\"values\":[2]}],"
            "\"usageMetadata\":{\"promptTokenCount\":7,\"totalTokenCount\":7}"
            "}");
    CHECK_UINT(tap.usage.uncached, 7);

    CHECK_INT(answer(AI_OP_OLLAMA_EMBED, AI_OP_EMBEDDINGS,
                     "{\"model\":\"o\",\"embeddings\":[[1],[2]],"
                     "\"prompt_eval_count\":5}"), AI_EVENT_CONTENT);
    CHECK_UINT(tap.usage.uncached, 5);
    CHECK_STR(tap.model.data, tap.model.len, "o");

    CHECK_INT(answer(AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS,
                     "{\"id\":\"i\",\"embeddings\":[[1],[2]],\"meta\":"
                     "{\"billed_units\":{\"input_tokens\":6}}}"),
              AI_EVENT_CONTENT);
    CHECK_UINT(tap.usage.uncached, 6);

    /* Voyage tells the total only */

    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS,
                     "{\"data\":[{\"embedding\":[1]},{\"embedding\":[2]}],"
                     "\"usage\":{\"total_tokens\":9}}"), AI_EVENT_CONTENT);
    CHECK_UINT(tap.usage.uncached, 9);

    CHECK_INT(ask(AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS, NULL,
                  "{\"texts\":[\"a\"],\"embedding_types\":[\"float\","
                  "\"base64\"]}"), AI_OK);
    ai_str_set(&state.id, "id");
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_COHERE_EMBED,
                     "{\"data\":[{\"index\":0,\"embedding\":[1]}],\"usage\":"
                     "{\"prompt_tokens\":2,\"total_tokens\":2}}"),
              AI_EVENT_CONTENT);
    WRITTEN("{\"id\":\"id\",\"embeddings\":{\"float\":[[1]],\"base64\":["
            "\"AACAPw==\"]},\"texts\":[\"a\"],\"meta\":{\"api_version\":"
            "{\"version\":\"2\"},\"billed_units\":{\"input_tokens\":2}},"
            "\"response_type\":\"embeddings_by_type\"}");

    CHECK_INT(ask(AI_OP_EMBED_CONTENT, AI_OP_EMBEDDINGS, NULL,
                  "{\"content\":{\"parts\":[{\"text\":\"a\"}]}}"), AI_OK);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBED_CONTENT,
                     "{\"data\":[{\"embedding\":\"AACAPwAAgD8=\"}]}"),
              AI_EVENT_CONTENT);
    WRITTEN("{\"embedding\":{\"values\":[1,1]}}");
    CHECK_INT(answer(AI_OP_EMBED_CONTENT, AI_OP_EMBED_CONTENT,
                     "{\"embedding\":{\"values\":[1]},\"usageMetadata\":"
                     "{\"promptTokenCount\":11}}"), AI_EVENT_CONTENT);
    CHECK_UINT(tap.usage.uncached, 11);
}


static void
test_order(void)
{
    static const char  body[] = "{\"input\":[\"a\",\"b\",\"c\"]}";

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, NULL, body), AI_OK);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_BATCH_EMBED_CONTENTS,
                     "{\"data\":[{\"index\":2,\"embedding\":[3]},"
                     "{\"index\":0,\"embedding\":[1]},{\"index\":1,"
                     "\"embedding\":[2]}]}"), AI_EVENT_CONTENT);
    WRITTEN("{\"embeddings\":[{\"values\":[1]},{\"values\":[2]},"
            "{\"values\":[3]}]}");

    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS,
                     "{\"data\":[{\"index\":0,\"embedding\":[3]},"
                     "{\"index\":0,\"embedding\":[1]},{\"index\":1,"
                     "\"embedding\":[2]}]}"), AI_EVENT_INVALID);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS,
                     "{\"data\":[{\"index\":0,\"embedding\":[3]},"
                     "{\"index\":1,\"embedding\":[1]}]}"), AI_EVENT_INVALID);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS,
                     "{\"data\":[{\"index\":0,\"embedding\":[3]},"
                     "{\"index\":1,\"embedding\":[1]},{\"index\":9,"
                     "\"embedding\":[1]}]}"), AI_EVENT_INVALID);
    CHECK_INT(answer(AI_OP_OLLAMA_EMBED, AI_OP_EMBEDDINGS,
                     "{\"embeddings\":[[1],[2],[3],[4]]}"),
              AI_EVENT_INVALID);
    CHECK_INT(answer(AI_OP_OLLAMA_EMBED, AI_OP_EMBEDDINGS,
                     "{\"embeddings\":[[1],[2],[[3]]]}"), AI_EVENT_INVALID);
    CHECK_INT(answer(AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS,
                     "{\"embeddings\":{\"int8\":[[1],[2],[3]]}}"),
              AI_EVENT_INVALID);
    CHECK_INT(answer(AI_OP_BATCH_EMBED_CONTENTS, AI_OP_EMBEDDINGS,
                     "{\"embeddings\":[{\"values\":[1]},{\"values\":[2]},"
                     "{\"values\":null}]}"), AI_EVENT_INVALID);
}


/* bytes of Perplexity are no float32 */

static void
test_int8(void)
{
    static const char  text[] =
        "{\"data\":[{\"embedding\":\"AAH\\/AgP+/QQAAf8CA/79BA==\"}]}";

    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, NULL,
                  "{\"input\":\"a\"}"), AI_OK);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, text),
              AI_EVENT_CONTENT);
    WRITTEN("{\"object\":\"list\",\"data\":[{\"object\":\"embedding\","
            "\"index\":0,\"embedding\":\"AAH\\/AgP+/QQAAf8CA/79BA==\"}],"
            "\"model\":\"name\",\"usage\":{\"prompt_tokens\":0,"
            "\"total_tokens\":0}}");
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_COHERE_EMBED, text),
              AI_EVENT_INVALID);
}


static void
test_errors(void)
{
    CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, NULL,
                  "{\"input\":\"a\"}"), AI_OK);

    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS,
                     "{\"error\":{\"message\":\"no\"}}"), AI_EVENT_ERROR);
    CHECK_STR(tap.error_message.data, tap.error_message.len, "no");
    CHECK_INT(answer(AI_OP_COHERE_EMBED, AI_OP_EMBEDDINGS,
                     "{\"id\":\"a\",\"message\":\"no\"}"), AI_EVENT_ERROR);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS,
                     "{\"detail\":\"no\"}"), AI_EVENT_ERROR);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "{\"a\":1}"),
              AI_EVENT_INVALID);
    CHECK_INT(answer(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, "[]"),
              AI_EVENT_INVALID);
}


static void
test_no_memory(void)
{
    long              n;
    ai_int_t          rc;
    ai_event_e        event;
    ai_json_t         root, reply;
    ai_target_t       t;

    static const char  data[] =
        "{\"data\":[{\"embedding\":\"AACA\\/w==\"},{\"embedding\":[2]}]}";

    memset(&t, 0, sizeof(ai_target_t));
    t.op = AI_OP_BATCH_EMBED_CONTENTS;

    for (n = 0; n < 100; n++) {

        root = scan(gemini);
        reply = scan(data);

        unit.fail_after = n;

        ai_tap_init(&tap, &ai_dialect_cohere, AI_OP_COHERE_EMBED,
                    &unit_arena);
        ai_buf_init(&out, &unit_arena, MAX_KEPT);
        ai_report_init(&rep, &unit_arena);

        rc = ai_embed_request(AI_OP_BATCH_EMBED_CONTENTS, &root, &t,
                              &unit_arena, &state, &out, &rep);

        event = AI_EVENT_INVALID;

        if (rc == AI_OK) {
            ai_buf_init(&out, &unit_arena, MAX_KEPT);
            event = ai_embed_response(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS,
                                      &state, &reply, &tap, &model, &out);

            if (event == AI_EVENT_CONTENT) {
                break;
            }

            CHECK_INT(event, AI_EVENT_INVALID);
            CHECK_UINT(out.failed, 1);

        } else {
            CHECK_INT(rc, AI_ERROR);
        }

        unit_arena_reset();
    }

    CHECK(n > 3 && n < 100);
}


/* recorded answers */

static char *
slurp(const char *name)
{
    long   len;
    char  *text;
    FILE  *f;

    f = fopen(name, "rb");

    if (f == NULL) {
        return NULL;
    }

    (void) fseek(f, 0, SEEK_END);
    len = ftell(f);
    rewind(f);

    text = malloc((size_t) len + 1);
    text[fread(text, 1, (size_t) len, f)] = '\0';
    (void) fclose(f);

    return text;
}


/* the values of a vector, of whichever form; their number */

static size_t
values(const cJSON *v, float *f)
{
    int           bits;
    size_t        n, len;
    u_char        bytes[4];
    uint32_t      word, acc;
    const char   *p, *digit;
    const cJSON  *item;

    static const char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
                                  "mnopqrstuvwxyz0123456789+/";

    n = 0;

    if (cJSON_IsArray(v)) {

        cJSON_ArrayForEach(item, v) {
            if (n < MAX_FLOATS) {
                f[n++] = (float) item->valuedouble;
            }
        }

        return n;
    }

    if (!cJSON_IsString(v)) {
        return 0;
    }

    acc = 0;
    bits = 0;
    len = 0;

    for (p = v->valuestring; *p != '\0' && *p != '='; p++) {

        digit = strchr(digits, *p);

        if (digit == NULL) {
            return 0;
        }

        acc = acc << 6 | (uint32_t) (digit - digits);
        bits += 6;

        if (bits < 8) {
            continue;
        }

        bits -= 8;
        bytes[len++] = (u_char) (acc >> bits);

        if (len == 4 && n < MAX_FLOATS) {
            word = (uint32_t) bytes[0] | (uint32_t) bytes[1] << 8
                   | (uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24;
            memcpy(&f[n++], &word, sizeof(float));
            len = 0;
        }
    }

    return n;
}


/* the i-th vector of an answer, in any dialect */

static const cJSON *
vector(const cJSON *v, int i)
{
    const cJSON  *list;

    if (get(v, "data") != NULL) {
        return get(cJSON_GetArrayItem(get(v, "data"), i), "embedding");
    }

    if (get(v, "predictions") != NULL) {
        v = cJSON_GetArrayItem(get(v, "predictions"), i);
        return get(get(v, "embeddings"), "values");
    }

    if (get(v, "embedding") != NULL) {
        return get(get(v, "embedding"), "values");
    }

    list = get(v, "embeddings");

    if (cJSON_IsObject(list)) {
        list = get(list, "base64") ? get(list, "base64")
                                   : get(list, "float");
    }

    v = cJSON_GetArrayItem(list, i);

    return cJSON_IsObject(v) ? get(v, "values") : v;
}


static ai_op_e
operation(const char *url, const cJSON *body)
{
    if (strstr(url, "batchEmbedContents")
        || (cJSON_IsObject(cJSON_GetArrayItem(get(body, "embeddings"), 0))))
    {
        return AI_OP_BATCH_EMBED_CONTENTS;
    }

    if (strstr(url, "embedContent")) {
        return AI_OP_EMBED_CONTENT;
    }

    if (get(body, "predictions")) {
        return AI_OP_PREDICT;
    }

    if (strstr(url, "/api/embed")) {
        return AI_OP_OLLAMA_EMBED;
    }

    return get(body, "data") ? AI_OP_EMBEDDINGS : AI_OP_COHERE_EMBED;
}


/* to each client; what comes out is the same, bit by bit */

static void
fixture_answer(ai_op_e from, const cJSON *body, int n)
{
    int           i, k;
    char         *text;
    cJSON        *v;
    size_t        len;
    char          request[4096];
    static float  want[MAX_FLOATS], got[MAX_FLOATS];

    static const char *const  options[] = {
        "", ",\"encoding_format\":\"base64\"", "", ""
    };
    static const ai_op_e  clients[] = {
        AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, AI_OP_BATCH_EMBED_CONTENTS,
        AI_OP_COHERE_EMBED
    };

    text = cJSON_PrintUnformatted(body);

    for (k = 0; k < 4; k++) {

        len = (size_t) snprintf(request, sizeof(request), "{\"input\":[");

        for (i = 0; i < n; i++) {
            len += (size_t) snprintf(request + len, sizeof(request) - len,
                                     "%s\"t\"", i ? "," : "");
        }

        (void) snprintf(request + len, sizeof(request) - len, "]%s}",
                        options[k]);

        CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, NULL, request),
                  AI_OK);
        CHECK_INT(answer(from, clients[k], text), AI_EVENT_CONTENT);

        v = cJSON_ParseWithLength((char *) out.start, ai_buf_len(&out));
        CHECK(v != NULL);

        for (i = 0; i < n; i++) {
            len = values(vector(body, i), want);
            CHECK(len > 0);
            CHECK_UINT(values(vector(v, i), got), len);
            CHECK(memcmp(want, got, len * sizeof(float)) == 0);
            CHECK(k != 1 || cJSON_IsString(vector(v, i)));
            CHECK(k == 1 || cJSON_IsArray(vector(v, i)));
        }

        cJSON_Delete(v);
        unit_arena_reset();
    }

    free(text);
}


static unsigned
fixture(const char *file)
{
    int           n;
    char         *text;
    cJSON        *v;
    unsigned      checked;
    const char   *url;
    const cJSON  *body;

    text = slurp(file);
    v = text ? cJSON_Parse(text) : NULL;
    free(text);

    checked = 0;
    body = get(v, "response") ? get(get(v, "response"), "body") : v;
    url = get(v, "request") ? get(get(v, "request"), "url")->valuestring : "";

    if (get(body, "data") || get(body, "embeddings") || get(body, "embedding")
        || get(body, "predictions"))
    {
        for (n = 0; vector(body, n) != NULL && n < 64; n++) {

            if (get(body, "embedding") != NULL) {
                n = 1;
                break;
            }
        }

        fixture_answer(operation(url, body), body, n);
        checked = 1;

    } else if (body != NULL) {

        CHECK_INT(ask(AI_OP_EMBEDDINGS, AI_OP_EMBEDDINGS, NULL,
                      "{\"input\":\"t\"}"), AI_OK);

        text = cJSON_PrintUnformatted(body);
        CHECK_INT(answer(operation(url, body), AI_OP_EMBEDDINGS, text),
                  AI_EVENT_ERROR);
        free(text);
        checked = 1;
    }

    cJSON_Delete(v);
    unit_arena_reset();

    return checked;
}


static void
test_fixtures(void)
{
    DIR                *d;
    size_t              i;
    char                dir[256], file[1024];
    unsigned            n;
    struct dirent      *de;
    const char *const  *root;

    static const char *const  dirs[] = {
        "openai/embeddings", "azure/embeddings", "cohere/embeddings",
        "voyage/embeddings", "openrouter/embeddings", "ollama/embeddings",
        "gemini/embedContent", "vertex/embedContent"
    };

    n = 0;

    for (root = roots; *root != NULL && n == 0; root++) {
        for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {

            (void) snprintf(dir, sizeof(dir), "%s/%s", *root, dirs[i]);
            d = opendir(dir);

            if (d == NULL) {
                continue;
            }

            while ((de = readdir(d)) != NULL) {

                if (de->d_name[0] != '.') {
                    (void) snprintf(file, sizeof(file), "%s/%s", dir,
                                    de->d_name);
                    n += fixture(file);
                }
            }

            (void) closedir(d);
        }

        if (n != 0) {
            (void) snprintf(file, sizeof(file), "%s/vertex/predict/rubyllm__"
                            "embedding_basic_functionality_vertexai_text-"
                            "embedding-004_can_handle_a_single_text__1.json",
                            *root);
            n += fixture(file);
        }
    }

    if (n == 0) {
        printf("skipped: no recorded embeddings\n");
        return;
    }

    CHECK(n > 20);
}


int
main(void)
{
    UNIT_RUN(test_openai_clients);
    UNIT_RUN(test_gemini_clients);
    UNIT_RUN(test_cohere_clients);
    UNIT_RUN(test_vendor_members);
    UNIT_RUN(test_refused);
    UNIT_RUN(test_tokens);
    UNIT_RUN(test_shortest);
    UNIT_RUN(test_to_base64);
    UNIT_RUN(test_answers);
    UNIT_RUN(test_order);
    UNIT_RUN(test_int8);
    UNIT_RUN(test_errors);
    UNIT_RUN(test_no_memory);
    UNIT_RUN(test_fixtures);

    return unit_done();
}

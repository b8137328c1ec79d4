
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Dialects: what whole answers mean, how streams are closed, and the documents
 * that tell errors.
 */


#include <cjson/cJSON.h>

#include "dialect.h"
#include "unit.h"


#define O   &ai_dialect_openai
#define A   &ai_dialect_anthropic
#define G   &ai_dialect_gemini

#define CHAT      AI_OP_CHAT
#define RESPONSES AI_OP_RESPONSES
#define MESSAGES  AI_OP_MESSAGES
#define STREAM    AI_OP_STREAM_GENERATE

#define CONTENT   AI_EVENT_CONTENT
#define FAILED    AI_EVENT_ERROR
#define INVALID   AI_EVENT_INVALID


typedef struct {
    const ai_dialect_t  *dialect;
    ai_op_e              op;
    const char          *body;
    ai_event_e           want;
} answer_case_t;


static const answer_case_t  answers[] = {

    { O, CHAT, "{\"choices\":[{\"index\":0,\"message\":{\"role\":"
      "\"assistant\",\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
      CONTENT },
    { O, CHAT, "  \n{\"choices\":[{\"message\":{\"content\":null}}]}\n",
      CONTENT },
    { O, CHAT, "{\"choices\":[{\"finish_reason\":\"content_filter\"}]}",
      CONTENT },
    { O, CHAT, "{\"error\":null,\"choices\":[{\"message\":{}}]}", CONTENT },
    { O, CHAT, "{\"choices\":[{\"message\":{\"content\":\"\\udc00\"}}]}",
      CONTENT },
    { O, CHAT, "{\"choices\":[]}", INVALID },
    { O, CHAT, "{\"choices\":{}}", INVALID },
    { O, CHAT, "{\"choices\":null}", INVALID },
    { O, CHAT, "{\"choices\":[null]}", INVALID },
    { O, CHAT, "{\"choices\":[{\"message\":null}]}", INVALID },
    { O, CHAT, "{}", INVALID },
    { O, CHAT, "[]", INVALID },
    { O, CHAT, "null", INVALID },
    { O, CHAT, "\"a\"", INVALID },
    { O, CHAT, "1", INVALID },
    { O, CHAT, "", INVALID },
    { O, CHAT, "<html></html>", INVALID },
    { O, CHAT, "{\"choices\":[{\"message\":{}}]}{}", INVALID },
    { O, CHAT, "{\"error\":{\"message\":\"a\"}}", FAILED },
    { O, CHAT, "{\"error\":\"a\"}", FAILED },
    { O, CHAT, "{\"object\":\"error\",\"message\":\"a\"}", FAILED },
    { O, CHAT, "{\"choices\":[{\"message\":{},\"error\":{\"code\":502}}]}",
      FAILED },

    { O, AI_OP_COMPLETIONS, "{\"choices\":[{\"text\":\"\"}]}", CONTENT },
    { O, AI_OP_COMPLETIONS, "{\"choices\":[{}]}", INVALID },

    { O, AI_OP_EMBEDDINGS, "{\"data\":[{\"embedding\":[1,2]}]}", CONTENT },
    { O, AI_OP_EMBEDDINGS, "{\"data\":[]}", INVALID },
    { O, AI_OP_EMBEDDINGS, "{\"choices\":[{}]}", INVALID },
    { O, AI_OP_EMBEDDINGS, "[]", INVALID },

    { O, RESPONSES, "{\"status\":\"completed\",\"error\":null,\"output\":[]}",
      CONTENT },
    { O, RESPONSES, "{\"status\":\"completed\"}", INVALID },
    { O, RESPONSES, "[]", INVALID },
    { O, RESPONSES, "{\"status\":\"failed\",\"error\":{\"code\":"
      "\"server_error\"},\"output\":[]}", FAILED },
    { O, RESPONSES, "{\"status\":\"failed\",\"output\":[]}", FAILED },

    { O, AI_OP_PASS, "{\"anything\":true}", CONTENT },
    { O, AI_OP_PASS, "{", INVALID },

    { A, MESSAGES, "{\"type\":\"message\",\"content\":[{\"type\":\"text\","
      "\"text\":\"a\"}],\"stop_reason\":\"end_turn\"}", CONTENT },
    { A, MESSAGES, "{\"type\":\"message\",\"content\":[]}", CONTENT },
    { A, MESSAGES, "{\"type\":\"message\",\"content\":[null,1,[]]}",
      CONTENT },
    { A, MESSAGES, "{\"type\":\"message\",\"content\":null}", INVALID },
    { A, MESSAGES, "{\"type\":\"message\"}", INVALID },
    { A, MESSAGES, "[]", INVALID },
    { A, MESSAGES, "null", INVALID },
    { A, MESSAGES, "{\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}",
      FAILED },
    { A, MESSAGES, "{\"error\":{\"type\":\"request_too_large\"}}", FAILED },
    { A, AI_OP_COUNT_TOKENS, "{\"input_tokens\":7}", CONTENT },
    { A, AI_OP_COUNT_TOKENS, "{\"input_tokens\":\"7\"}", INVALID },
    { A, AI_OP_COUNT_TOKENS, "{}", INVALID },

    { G, AI_OP_GENERATE, "{\"candidates\":[{\"content\":{}}]}", CONTENT },
    { G, AI_OP_GENERATE, "{\"promptFeedback\":{\"blockReason\":\"OTHER\"}}",
      CONTENT },
    { G, AI_OP_GENERATE, "{\"candidates\":[]}", INVALID },
    { G, AI_OP_GENERATE, "{\"usageMetadata\":{\"promptTokenCount\":1}}",
      INVALID },
    { G, AI_OP_GENERATE, "null", INVALID },
    { G, AI_OP_GENERATE, "{\"error\":{\"code\":429}}", FAILED },
    { G, STREAM, "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
      "\"a\"}]}}]}\n,\r\n{\"candidates\":[{\"finishReason\":\"STOP\"}]}]",
      CONTENT },
    { G, STREAM, "[{\"error\":{\"code\":503,\"message\":\"a\"}}]", FAILED },
    { G, STREAM, "[]", INVALID },
    { G, STREAM, "[{}]", INVALID },
    { G, STREAM, "[{},1]", INVALID },
    { G, AI_OP_GEMINI_COUNT_TOKENS, "{\"totalTokens\":3}", CONTENT },
    { G, AI_OP_GEMINI_COUNT_TOKENS, "{}", INVALID },
    { G, AI_OP_EMBED_CONTENT, "{\"embedding\":{\"values\":[1]}}", CONTENT },
    { G, AI_OP_EMBED_CONTENT, "{\"embedding\":{}}", INVALID },
    { G, AI_OP_BATCH_EMBED_CONTENTS, "{\"embeddings\":[{\"values\":[1]}]}",
      CONTENT },
    { G, AI_OP_BATCH_EMBED_CONTENTS, "{\"embeddings\":[]}", INVALID }
};


static void
str_of(ai_str_t *s, const char *text)
{
    s->len = strlen(text);
    s->data = unit_bytes(text, s->len);
}


static ai_event_e
tap_answer(ai_tap_t *tap, const char *body)
{
    size_t           len;
    ai_json_error_t  err;

    len = strlen(body);

    return ai_tap_response(tap, unit_bytes(body, len), len, &err);
}


static void
test_find(void)
{
    ai_str_t   name;
    ai_uint_t  i;

    for (i = 0; ai_dialects[i] != NULL; i++) {
        name = ai_dialects[i]->name;
        CHECK(ai_dialect_find(&name) == ai_dialects[i]);
        CHECK(ai_dialects[i]->ops & 1 << AI_OP_PASS);
    }

    CHECK_UINT(i, 7);

    str_of(&name, "openais");
    CHECK(ai_dialect_find(&name) == NULL);
    str_of(&name, "");
    CHECK(ai_dialect_find(&name) == NULL);
}


static void
test_answers(void)
{
    size_t                i;
    ai_tap_t              tap;
    const answer_case_t  *c;

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        c = &answers[i];

        ai_tap_init(&tap, c->dialect, c->op, &unit_arena);

        if (!CHECK_INT(tap_answer(&tap, c->body), c->want)) {
            printf("    %s\n", c->body);
        }

        CHECK_UINT(ai_tap_complete(&tap), c->want == CONTENT);
        unit_arena_reset();
    }
}


/* to count costs nothing */

static void
test_count(void)
{
    ai_tap_t  tap;

    ai_tap_init(&tap, A, AI_OP_COUNT_TOKENS, &unit_arena);
    CHECK_INT(tap_answer(&tap, "{\"input_tokens\":5}"), CONTENT);
    ai_tap_estimate(&tap, 1000);
    CHECK_UINT(ai_usage_input(&tap.usage), 0);
    CHECK_INT(tap.usage.source, AI_USAGE_PROVIDER);
}


/* more numbers than a request may have values */

static void
test_large(void)
{
    char             *body, *p;
    size_t            i, n;
    ai_tap_t          tap;
    ai_json_error_t   err;

    n = 3 * AI_JSON_NODES;
    body = malloc(2 * n + 100);
    p = body + sprintf(body, "{\"data\":[{\"embedding\":[0");

    for (i = 0; i < n; i++) {
        *p++ = ',';
        *p++ = '1';
    }

    p += sprintf(p, "]}],\"usage\":{\"prompt_tokens\":8}}");

    ai_tap_init(&tap, O, AI_OP_EMBEDDINGS, &unit_arena);
    CHECK_INT(ai_tap_response(&tap, (u_char *) body, (size_t) (p - body),
                              &err),
              CONTENT);
    CHECK_UINT(tap.usage.uncached, 8);

    free(body);
}


static void
test_terminators(void)
{
    const char  *s;

    s = ai_dialect_openai.terminator(AI_OP_CHAT);
    CHECK_STR(s, strlen(s), "data: [DONE]\n\n");

    s = ai_dialect_openai.terminator(AI_OP_RESPONSES);
    CHECK_STR(s, strlen(s), "");

    s = ai_dialect_anthropic.terminator(AI_OP_MESSAGES);
    CHECK_STR(s, strlen(s), "event: message_stop\n"
              "data: {\"type\":\"message_stop\"}\n\n");

    s = ai_dialect_gemini.terminator(AI_OP_STREAM_GENERATE);
    CHECK_STR(s, strlen(s), "");
}


static const char *
text_of(const cJSON *object, const char *name)
{
    const cJSON  *v;

    v = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}


#define CHECK_TEXT(got, want)  CHECK_MEM(got, strlen(got), want, strlen(want))


/* what is the same in all documents: d is the object of the error */

static void
check_document(const cJSON *d, ai_error_doc_t *doc, const char *code)
{
    const cJSON  *v, *at;

    CHECK_TEXT(text_of(d, "message"), "a \"b\"\n\ndata: [DONE]\xef\xbf\xbd");
    CHECK_TEXT(text_of(d, code), ai_error_row(doc->error)->code);
    CHECK_TEXT(text_of(d, "param"), "mod\xe2\x80\xa8" "el");

    v = cJSON_GetObjectItemCaseSensitive(d, "retryable");
    CHECK_INT(cJSON_IsTrue(v), ai_error_row(doc->error)->retryable);

    v = cJSON_GetObjectItemCaseSensitive(d, "retry_after");
    CHECK(cJSON_IsNumber(v) && v->valuedouble == 17);

    v = cJSON_GetObjectItemCaseSensitive(d, "attempts");
    CHECK_INT(cJSON_GetArraySize(v), 2);

    at = cJSON_GetArrayItem(v, 1);
    CHECK_TEXT(text_of(at, "provider"), "second");
    CHECK_TEXT(text_of(at, "reason"),
               ai_error_row(AI_ERR_UPSTREAM_ERROR)->code);

    v = cJSON_GetObjectItemCaseSensitive(at, "status");
    CHECK(cJSON_IsNumber(v) && v->valuedouble == 500);
}


static cJSON *
event_data(ai_str_t *out, const char *before, const char *after)
{
    size_t  i, head, tail;

    head = strlen(before);
    tail = strlen(after);

    if (!CHECK(out->len > head + tail)) {
        return NULL;
    }

    CHECK_MEM(out->data, head, before, head);
    CHECK_MEM(out->data + out->len - tail, tail, after, tail);

    for (i = head; i < out->len - tail; i++) {
        CHECK(out->data[i] >= 0x20);
    }

    return cJSON_ParseWithLength((char *) out->data + head,
                                 out->len - head - tail);
}


static void
test_documents(void)
{
    cJSON             *doc, *d;
    ai_str_t           out;
    ai_error_doc_t     e;
    ai_attempt_doc_t   attempts[2];

    memset(&e, 0, sizeof(e));
    memset(attempts, 0, sizeof(attempts));

    e.error = AI_ERR_UPSTREAM_OVERLOADED;
    e.retry_after = 17;
    e.attempts = attempts;
    e.nattempts = 2;

    str_of(&e.message, "a \"b\"\n\ndata: [DONE]\xff");
    str_of(&e.param, "mod\xe2\x80\xa8" "el");
    str_of(&e.request_id, "req_1");
    str_of(&attempts[0].provider, "first");
    str_of(&attempts[1].provider, "second");
    attempts[0].error = AI_ERR_CONNECT_TIMEOUT;
    attempts[1].error = AI_ERR_UPSTREAM_ERROR;
    attempts[1].status = 500;

    CHECK_INT(ai_dialect_openai.error(&e, &unit_arena, &out), AI_OK);
    doc = event_data(&out, "", "");
    d = cJSON_GetObjectItem(doc, "error");
    check_document(d, &e, "code");
    CHECK_TEXT(text_of(d, "type"), ai_error_row(e.error)->openai_type);
    cJSON_Delete(doc);

    CHECK_INT(ai_dialect_openai.error_event(&e, CHAT, &unit_arena, &out),
              AI_OK);
    doc = event_data(&out, "data: ", "\n\n");
    check_document(cJSON_GetObjectItem(doc, "error"), &e, "code");
    cJSON_Delete(doc);

    CHECK_INT(ai_dialect_openai.error_event(&e, RESPONSES, &unit_arena, &out),
              AI_OK);
    doc = event_data(&out, "event: response.failed\ndata: ", "\n\n");
    check_document(cJSON_GetObjectItem(doc, "error"), &e, "code");
    CHECK_TEXT(text_of(doc, "type"), "response.failed");
    d = cJSON_GetObjectItem(doc, "response");
    CHECK_TEXT(text_of(d, "status"), "failed");
    CHECK_TEXT(text_of(d, "id"), "req_1");
    d = cJSON_GetObjectItem(d, "error");
    CHECK_TEXT(text_of(d, "code"), ai_error_row(e.error)->code);
    CHECK(text_of(d, "message") != NULL);
    cJSON_Delete(doc);

    CHECK_INT(ai_dialect_anthropic.error(&e, &unit_arena, &out), AI_OK);
    doc = event_data(&out, "", "");
    d = cJSON_GetObjectItem(doc, "error");
    check_document(d, &e, "code");
    CHECK_TEXT(text_of(d, "type"), ai_error_row(e.error)->anthropic_type);
    CHECK_TEXT(text_of(doc, "type"), "error");
    CHECK_TEXT(text_of(doc, "request_id"), "req_1");
    cJSON_Delete(doc);

    CHECK_INT(ai_dialect_anthropic.error_event(&e, MESSAGES, &unit_arena,
                                               &out), AI_OK);
    doc = event_data(&out, "event: error\ndata: ", "\n\n");
    check_document(cJSON_GetObjectItem(doc, "error"), &e, "code");
    cJSON_Delete(doc);

    CHECK_INT(ai_dialect_gemini.error(&e, &unit_arena, &out), AI_OK);
    doc = event_data(&out, "", "");
    d = cJSON_GetObjectItem(doc, "error");
    check_document(d, &e, "reason");
    CHECK_TEXT(text_of(d, "status"), ai_error_row(e.error)->google_status);
    CHECK_INT(cJSON_GetObjectItem(d, "code")->valueint, ai_error_status(&e));
    cJSON_Delete(doc);

    CHECK_INT(ai_dialect_gemini.error_event(&e, STREAM, &unit_arena, &out),
              AI_OK);
    doc = event_data(&out, "data: ", "\r\n\r\n");
    check_document(cJSON_GetObjectItem(doc, "error"), &e, "reason");
    cJSON_Delete(doc);
}


/* each row, with nothing but the row; and no memory */

static void
test_rows(void)
{
    ai_str_t         out;
    ai_uint_t        error, i;
    ai_error_doc_t   e;

    memset(&e, 0, sizeof(e));
    e.retry_after = -1;

    for (error = AI_ERR_NONE + 1; error < AI_ERR_MAX; error++) {
        e.error = error;

        for (i = 0; ai_dialects[i] != NULL; i++) {
            cJSON  *doc, *d;

            CHECK_INT(ai_dialects[i]->error(&e, &unit_arena, &out), AI_OK);
            doc = event_data(&out, "", "");
            d = cJSON_GetObjectItem(doc, "error");

            /* Cohere's and AWS's are flat, Ollama's is a string */

            if (cJSON_IsString(d)) {
                CHECK_TEXT(d->valuestring, ai_error_row(error)->message);
                cJSON_Delete(doc);
                continue;
            }

            if (d == NULL) {
                d = doc;
            }

            CHECK_TEXT(text_of(d, "message"), ai_error_row(error)->message);
            CHECK(cJSON_GetObjectItem(d, "retry_after") == NULL);
            CHECK(cJSON_GetObjectItem(d, "attempts") == NULL);
            cJSON_Delete(doc);
        }
    }

    for (i = 0; ai_dialects[i] != NULL; i++) {
        unit.fail_after = 0;
        CHECK_INT(ai_dialects[i]->error(&e, &unit_arena, &out), AI_ERROR);
        unit.fail_after = -1;
    }
}


int
main(void)
{
    UNIT_RUN(test_find);
    UNIT_RUN(test_answers);
    UNIT_RUN(test_count);
    UNIT_RUN(test_large);
    UNIT_RUN(test_terminators);
    UNIT_RUN(test_documents);
    UNIT_RUN(test_rows);

    return unit_done();
}

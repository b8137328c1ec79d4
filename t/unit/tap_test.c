
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The tap on streams: what an event means, and what is kept of it.  Recorded
 * ones: tap_fixtures_test.c.  Whole answers: dialect_test.c.
 */


#include "dialect.h"
#include "unit.h"


#define O   &ai_dialect_openai
#define A   &ai_dialect_anthropic
#define G   &ai_dialect_gemini

#define CHAT      AI_OP_CHAT
#define RESPONSES AI_OP_RESPONSES
#define MESSAGES  AI_OP_MESSAGES
#define STREAM    AI_OP_STREAM_GENERATE

#define IDLE      AI_EVENT_IDLE
#define CONTENT   AI_EVENT_CONTENT
#define USAGE     AI_EVENT_USAGE
#define END       AI_EVENT_END
#define FAILED    AI_EVENT_ERROR
#define INVALID   AI_EVENT_INVALID


typedef struct {
    const ai_dialect_t  *dialect;
    ai_op_e              op;
    const char          *name;
    const char          *data;
    ai_event_e           want;
} event_case_t;


typedef struct {
    const ai_dialect_t  *dialect;
    ai_op_e              op;
    const char          *events;    /* data, one per line */
    ai_usage_t           want;
} usage_case_t;


typedef struct {
    const ai_dialect_t  *dialect;
    ai_op_e              op;
    const char          *data;
    const char          *type;
    const char          *message;
    ai_uint_t            status;
} error_case_t;


static const event_case_t  events[] = {

    /* OpenAI: nothing of the answer yet */

    { O, CHAT, "", "{\"choices\":[{\"index\":0,\"delta\":{\"role\":"
      "\"assistant\",\"content\":\"\",\"refusal\":null},\"finish_reason\":"
      "null}],\"usage\":null}", IDLE },
    { O, CHAT, "", "{\"id\":\"\",\"model\":\"\",\"choices\":[],"
      "\"prompt_filter_results\":[{\"prompt_index\":0}]}", IDLE },
    { O, CHAT, "", "{\"choices\":[{\"index\":0,\"content_filter_offsets\":"
      "{\"check_offset\":1},\"finish_reason\":null}]}", IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":null}]}", IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{}}]}", IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":[]}]}", IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":\"text\"}]}", IDLE },
    { O, CHAT, "", "{\"choices\":[null,1,\"\",[],{}]}", IDLE },
    { O, CHAT, "", "{\"choices\":null}", IDLE },
    { O, CHAT, "", "{\"choices\":{}}", IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":null}}]}", IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":7,\"tool_calls\":"
      "{},\"audio\":1,\"refusal\":[]}}]}", IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"tool_calls\":[null,1,{}]}}]}",
      IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{},\"finish_reason\":\"\"}]}",
      IDLE },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":[]}}]}", IDLE },
    { O, CHAT, "", "{\"x_groq\":{\"id\":\"r\"},\"choices\":[{\"delta\":"
      "{\"role\":\"assistant\"}}]}", IDLE },
    { O, CHAT, "", "{}", IDLE },
    { O, CHAT, "", "null", IDLE },
    { O, CHAT, "", "[]", IDLE },
    { O, CHAT, "", "0", IDLE },
    { O, CHAT, "", "\"text\"", IDLE },
    { O, CHAT, "ping", "{\"type\":\"ping\"}", IDLE },
    { O, CHAT, "", "", IDLE },
    { O, CHAT, "", " ", IDLE },
    { O, CHAT, "", "{\"error\":null,\"choices\":[]}", IDLE },
    { O, CHAT, "", "{\"error\":{},\"choices\":[]}", IDLE },

    /* OpenAI: the answer */

    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
      CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":\" \"}}]}",
      CONTENT },
    { O, CHAT, "", "{\"ch\\u006fices\":[{\"delta\":{\"content\":\"a\"}}]}",
      CONTENT },
    { O, CHAT, "", "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,"
      "\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,"
      "\"p\":1,\"choices\":[{\"delta\":{\"content\":\"a\"}}]}", CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"reasoning\":\"a\"}}]}",
      CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"reasoning_content\":\"a\","
      "\"content\":null}}]}", CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"reasoning_details\":[{}]}}]}",
      CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"refusal\":\"no\"}}]}",
      CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"audio\":{\"id\":\"a\"}}}]}",
      CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":[{\"type\":"
      "\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"a\"}]}]}}]}",
      CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
      "\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}",
      CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"function_call\":{\"name\":"
      "\"f\"}}}]}", CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{},\"finish_reason\":"
      "\"stop\"}]}", CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],"
      "\"usage\":{\"prompt_tokens\":1}}", CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":\"\\ud83d\"}}]}",
      CONTENT },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":\"\\u0000\"}}]}",
      CONTENT },
    { O, AI_OP_COMPLETIONS, "", "{\"choices\":[{\"text\":\"a\"}]}", CONTENT },
    { O, AI_OP_COMPLETIONS, "", "{\"choices\":[{\"text\":\"\"}]}", IDLE },
    { O, AI_OP_PASS, "", "not ours to read", CONTENT },

    /* OpenAI: all else */

    { O, CHAT, "", "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,"
      "\"completion_tokens\":2,\"total_tokens\":3}}", USAGE },
    { O, CHAT, "", "{\"choices\":[],\"x_groq\":{\"usage\":{"
      "\"prompt_tokens\":1}}}", USAGE },
    { O, CHAT, "", "{\"choices\":[],\"usage\":{}}", IDLE },
    { O, CHAT, "", "[DONE]", END },
    { O, CHAT, "", "[DONE] ", END },
    { O, CHAT, "", "{\"choices\":[", INVALID },
    { O, CHAT, "", "{\"choices\":[]}x", INVALID },
    { O, CHAT, "", "<html>", INVALID },
    { O, CHAT, "", "{\"a\":\"\\ud83\"}", INVALID },
    { O, CHAT, "", "{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}",
      INVALID },

    /* Responses */

    { O, RESPONSES, "", "{\"type\":\"response.created\",\"response\":"
      "{\"model\":\"m\",\"error\":null,\"usage\":null}}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.in_progress\",\"response\":"
      "{}}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.output_item.added\",\"item\":"
      "{\"type\":\"message\",\"content\":[]}}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.output_item.added\",\"item\":"
      "null}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.content_part.added\"}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.web_search_call.completed\"}",
      IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.mcp_call.failed\"}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"keepalive\",\"sequence_number\":3}",
      IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.output_text.delta\",\"delta\":"
      "\"\"}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.output_text.delta\",\"delta\":"
      "null}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.completed\"}", IDLE },
    { O, RESPONSES, "", "{\"type\":\"response.output_text.delta\",\"delta\":"
      "\"a\"}", CONTENT },
    { O, RESPONSES, "response.output_text.delta", "{\"delta\":\"a\"}",
      CONTENT },
    { O, RESPONSES, "", "{\"type\":\"response.reasoning_text.delta\","
      "\"delta\":\"a\"}", CONTENT },
    { O, RESPONSES, "", "{\"type\":\"response.output_item.added\",\"item\":"
      "{\"type\":\"function_call\",\"name\":\"f\"}}", CONTENT },
    { O, RESPONSES, "", "{\"type\":\"response.completed\",\"response\":"
      "{\"status\":\"completed\",\"error\":null,\"output\":[]}}", END },
    { O, RESPONSES, "", "{\"type\":\"response.incomplete\",\"response\":"
      "{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
      "\"max_output_tokens\"}}}", END },
    { O, RESPONSES, "", "[DONE]", END },

    /* Anthropic */

    { A, MESSAGES, "message_start", "{\"type\":\"message_start\",\"message\":"
      "{\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1}}}",
      IDLE },
    { A, MESSAGES, "ping", "{\"type\": \"ping\"}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_start\",\"index\":0,"
      "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_start\",\"index\":0,"
      "\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\","
      "\"signature\":\"\"}}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_start\",\"index\":0,"
      "\"content_block\":null}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_stop\",\"index\":0  }",
      IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":null}",
      IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":{}}",
      IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":[]}",
      IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":{"
      "\"type\":\"text_delta\",\"text\":\"\"}}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":{"
      "\"type\":\"new_delta\",\"novelty\":\"a\"}}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"message_delta\",\"delta\":{"
      "\"stop_reason\":null},\"usage\":{\"output_tokens\":1}}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"new_event\"}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"message_start\",\"message\":[]}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"message_start\"}", IDLE },
    { A, MESSAGES, "", "{}", IDLE },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":{"
      "\"type\":\"text_delta\",\"text\":\"a\"}}", CONTENT },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":{"
      "\"type\":\"thinking_delta\",\"thinking\":\"a\"}}", CONTENT },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":{"
      "\"type\":\"input_json_delta\",\"partial_json\":\"{\"}}", CONTENT },
    { A, MESSAGES, "", "{\"type\":\"content_block_delta\",\"delta\":{"
      "\"type\":\"citations_delta\",\"citation\":{}}}", CONTENT },
    { A, MESSAGES, "", "{\"type\":\"content_block_start\",\"content_block\":{"
      "\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}",
      CONTENT },
    { A, MESSAGES, "", "{\"type\":\"content_block_start\",\"content_block\":{"
      "\"type\":\"redacted_thinking\",\"data\":\"a\"}}", CONTENT },
    { A, MESSAGES, "", "{\"type\":\"message_delta\",\"delta\":{"
      "\"stop_reason\":\"end_turn\"}}", CONTENT },
    { A, MESSAGES, "message_stop", "{\"type\":\"message_stop\"}", END },
    { A, MESSAGES, "message_stop", "{}", END },
    { A, MESSAGES, "message_stop", "{", INVALID },

    /* Gemini */

    { G, STREAM, "", "{\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\"}}",
      IDLE },
    { G, STREAM, "", "{\"usageMetadata\":{\"promptTokenCount\":1}}", IDLE },
    { G, STREAM, "", "{\"candidates\":null}", IDLE },
    { G, STREAM, "", "{\"candidates\":[null,1,{},{\"content\":null},"
      "{\"content\":{}},{\"content\":{\"parts\":{}}},{\"content\":{"
      "\"parts\":[null,1,{},{\"text\":\"\"},{\"text\":\"\",\"thought\":true}"
      "]}}]}", IDLE },
    { G, STREAM, "", "{\"candidates\":[{\"finishReason\":"
      "\"FINISH_REASON_UNSPECIFIED\"}]}", IDLE },
    { G, STREAM, "", "{\"candidates\":[{\"finishReason\":0}]}", IDLE },
    { G, STREAM, "", "{}", IDLE },
    { G, STREAM, "", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
      "\"a\"}]}}]}", CONTENT },
    { G, STREAM, "", "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":"
      "\"a\",\"thought\":true}]}}]}", CONTENT },
    { G, STREAM, "", "{\"candidates\":[{\"content\":{\"parts\":[{"
      "\"functionCall\":{\"name\":\"f\",\"args\":{}}}]}}]}", CONTENT },
    { G, STREAM, "", "{\"candidates\":[{\"content\":{\"parts\":[{"
      "\"inlineData\":{\"data\":\"\"}}]}}]}", CONTENT },
    { G, STREAM, "", "{\"candidates\":[{\"finishReason\":\"STOP\"}]}",
      CONTENT },
    { G, STREAM, "", "{\"candidates\":[{\"finishReason\":2}]}", CONTENT },
    { G, STREAM, "", "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}",
      CONTENT },
    { G, STREAM, "", "{\"candidates\":[", INVALID }
};


#define P  AI_USAGE_PROVIDER

/* uncached, cached, cache_write, output, reasoning, source */

static const usage_case_t  usages[] = {

    { O, CHAT, "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,"
      "\"total_tokens\":15,\"prompt_tokens_details\":{\"cached_tokens\":4},"
      "\"completion_tokens_details\":{\"reasoning_tokens\":3}}}",
      { 6, 4, 0, 5, 3, P } },

    /* xAI */
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,"
      "\"total_tokens\":18,\"completion_tokens_details\":{"
      "\"reasoning_tokens\":3}}}",
      { 10, 0, 0, 8, 3, P } },

    /* Grok on Azure */
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,"
      "\"total_tokens\":15,\"prompt_tokens_details\":{\"cached_tokens\":99}}}",
      { 0, 10, 0, 5, 0, P } },

    { O, CHAT, "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,"
      "\"prompt_tokens_details\":{\"cached_tokens\":8,"
      "\"cache_write_tokens\":8}}}",
      { 0, 8, 2, 5, 0, P } },

    /* DeepSeek, Moonshot, Mistral, Voyage */
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,"
      "\"prompt_cache_hit_tokens\":7,\"prompt_cache_miss_tokens\":3}}",
      { 3, 7, 0, 5, 0, P } },
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":10,\"cached_tokens\":7}}",
      { 3, 7, 0, 0, 0, P } },
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":10,\"prompt_token_details\":"
      "{\"cached_tokens\":7}}}",
      { 3, 7, 0, 0, 0, P } },
    { O, AI_OP_EMBEDDINGS, "{\"usage\":{\"total_tokens\":10}}",
      { 10, 0, 0, 0, 0, P } },

    /* Groq tells it three times, Perplexity with every chunk */
    { O, CHAT, "{\"choices\":[{\"delta\":{}}],\"x_groq\":{\"usage\":{"
      "\"prompt_tokens\":1,\"completion_tokens\":2}},\"usage\":{"
      "\"prompt_tokens\":1,\"completion_tokens\":2}}\n"
      "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,"
      "\"completion_tokens\":2}}",
      { 1, 0, 0, 2, 0, P } },
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}\n"
      "{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n"
      "{\"usage\":null}\n{\"usage\":{}}\n{\"usage\":[]}\n{\"usage\":3}",
      { 9, 0, 0, 2, 0, P } },

    /* not numbers, not counts */
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":"
      "\"7\",\"total_tokens\":null}}",
      { 0, 0, 0, 0, 0, AI_USAGE_NONE } },
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":1e30,\"completion_tokens\":"
      "18446744073709551616,\"prompt_tokens_details\":[],"
      "\"completion_tokens_details\":null}}",
      { AI_USAGE_MAX, 0, 0, AI_USAGE_MAX, 0, P } },
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":1e9,\"completion_tokens\":1e9,"
      "\"total_tokens\":3e9,\"completion_tokens_details\":{"
      "\"reasoning_tokens\":1e9}}}",
      { AI_USAGE_MAX, 0, 0, AI_USAGE_MAX, AI_USAGE_MAX, P } },
    { O, CHAT, "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,"
      "\"total_tokens\":3,\"completion_tokens_details\":{"
      "\"reasoning_tokens\":9}}}",
      { 1, 0, 0, 2, 2, P } },

    { O, RESPONSES, "{\"type\":\"response.completed\",\"response\":{"
      "\"usage\":{\"input_tokens\":10,\"input_tokens_details\":{"
      "\"cached_tokens\":4},\"output_tokens\":5,\"output_tokens_details\":{"
      "\"reasoning_tokens\":2},\"total_tokens\":15}}}",
      { 6, 4, 0, 5, 2, P } },

    { A, MESSAGES, "{\"type\":\"message_start\",\"message\":{\"usage\":{"
      "\"input_tokens\":10,\"cache_read_input_tokens\":20,"
      "\"cache_creation_input_tokens\":30,\"output_tokens\":88}}}\n"
      "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{"
      "\"output_tokens\":100,\"output_tokens_details\":{"
      "\"thinking_tokens\":40}}}",
      { 10, 20, 30, 100, 40, P } },
    { A, MESSAGES, "{\"type\":\"message_start\",\"message\":{\"usage\":{"
      "\"input_tokens\":10,\"output_tokens\":1}}}\n"
      "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{"
      "\"input_tokens\":11,\"cache_read_input_tokens\":2,"
      "\"output_tokens\":7}}",
      { 11, 2, 0, 7, 0, P } },
    { A, MESSAGES, "{\"type\":\"message_start\",\"message\":{\"usage\":{"
      "\"input_tokens\":-1,\"output_tokens\":\"1\"}}}",
      { 0, 0, 0, 0, 0, AI_USAGE_NONE } },

    { G, STREAM, "{\"usageMetadata\":{}}\n"
      "{\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\"}}\n"
      "{\"usageMetadata\":{\"promptTokenCount\":10,"
      "\"cachedContentTokenCount\":4,\"toolUsePromptTokenCount\":6,"
      "\"candidatesTokenCount\":5,\"thoughtsTokenCount\":7,"
      "\"totalTokenCount\":28}}",
      { 12, 4, 0, 12, 7, P } },
    { G, STREAM, "{\"usageMetadata\":{\"promptTokenCount\":10,"
      "\"totalTokenCount\":10}}\n"
      "{\"usageMetadata\":{\"promptTokenCount\":10,"
      "\"thoughtsTokenCount\":2,\"cachedContentTokenCount\":11}}",
      { 0, 10, 0, 2, 2, P } }
};


static const error_case_t  errors[] = {
    { O, CHAT, "{\"error\":{\"message\":\"m\",\"type\":\"server_error\","
      "\"code\":null}}", "server_error", "m", 500 },
    { O, CHAT, "{\"error\":{\"message\":\"m\",\"type\":"
      "\"invalid_request_error\",\"code\":\"rate_limit_exceeded\"}}",
      "invalid_request_error", "m", 429 },
    { O, CHAT, "{\"error\":{\"code\":\"rate_limit_exceeded\",\"type\":"
      "\"invalid_request_error\"}}", "invalid_request_error", "", 429 },
    { O, CHAT, "{\"choices\":[{\"delta\":{\"content\":\"\"},"
      "\"finish_reason\":\"error\"}],\"error\":{\"code\":502,\"message\":"
      "\"m\"}}", "", "m", 502 },
    { O, CHAT, "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"error\":{"
      "\"code\":\"429\",\"message\":\"m\"}}]}", "429", "m", 429 },
    { O, CHAT, "{\"error\":\"m\",\"code\":\"c\"}", "c", "m", 0 },
    { O, CHAT, "{\"error\":{\"detail\":\"m\"}}", "", "m", 0 },
    { O, CHAT, "{\"error\":{\"error\":{\"message\":\"m\"}}}", "", "m", 0 },
    { O, CHAT, "{\"error\":true}", "", "", 0 },
    { O, CHAT, "{\"error\":{\"message\":1,\"type\":[],\"code\":99}}", "", "",
      0 },
    { O, CHAT, "{\"object\":\"error\",\"message\":\"m\",\"type\":"
      "\"BadRequestError\",\"code\":400}", "BadRequestError", "m", 400 },
    { O, CHAT, "{\"x_groq\":{\"error\":\"m\"},\"choices\":[]}", "", "m", 0 },
    { O, CHAT, "{\"error\":{\"message\":\"a\\u0000b\\n\\u00e9\"}}", "",
      "a b \xc3\xa9", 0 },

    { O, RESPONSES, "{\"type\":\"response.failed\",\"response\":{"
      "\"status\":\"failed\",\"error\":{\"code\":\"server_error\","
      "\"message\":\"m\"}}}", "server_error", "m", 500 },
    { O, RESPONSES, "{\"type\":\"error\",\"code\":\"rate_limit_exceeded\","
      "\"message\":\"m\",\"param\":null,\"sequence_number\":1}",
      "rate_limit_exceeded", "m", 429 },
    { O, RESPONSES, "{\"type\":\"error\",\"error\":{\"type\":"
      "\"invalid_request_error\",\"code\":\"context_length_exceeded\","
      "\"message\":\"m\"}}", "invalid_request_error", "m", 400 },

    { A, MESSAGES, "{\"type\":\"error\",\"error\":{\"details\":null,"
      "\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
      "overloaded_error", "Overloaded", 529 },
    { A, MESSAGES, "{\"type\":\"error\",\"error\":{\"type\":"
      "\"rate_limit_error\",\"message\":\"m\"}}", "rate_limit_error", "m",
      429 },
    { A, MESSAGES, "{\"type\":\"error\"}", "", "", 0 },

    { G, STREAM, "{\"error\":{\"code\":503,\"message\":\"m\",\"status\":"
      "\"UNAVAILABLE\"}}", "UNAVAILABLE", "m", 503 },
    { G, STREAM, "{\"error\":{\"message\":\"m\",\"status\":"
      "\"RESOURCE_EXHAUSTED\"}}", "RESOURCE_EXHAUSTED", "m", 429 }
};


static void
str_of(ai_str_t *s, const char *text)
{
    s->len = strlen(text);
    s->data = unit_bytes(text, s->len);
}


static ai_event_e
tap_event(ai_tap_t *tap, const char *name, const char *data)
{
    ai_sse_event_t  ev;

    memset(&ev, 0, sizeof(ev));
    str_of(&ev.name, name);
    str_of(&ev.data, data);
    ev.has_data = 1;

    return ai_tap_event(tap, &ev);
}


static void
test_events(void)
{
    size_t               i;
    ai_tap_t             tap;
    const event_case_t  *c;

    for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        c = &events[i];

        ai_tap_init(&tap, c->dialect, c->op, &unit_arena);

        if (!CHECK_INT(tap_event(&tap, c->name, c->data), c->want)) {
            printf("    %s\n", c->data);
        }

        CHECK_UINT(tap.events, 1);
        CHECK_UINT(tap.ended, c->want == END);

        if (c->want == CONTENT || c->want == IDLE) {
            CHECK_UINT(tap.content, c->want == CONTENT);
        }

        unit_arena_reset();
    }
}


static void
test_usages(void)
{
    char                 line[1024];
    size_t               i;
    ai_tap_t             tap;
    const char          *p, *end;
    const usage_case_t  *c;

    for (i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        c = &usages[i];

        ai_tap_init(&tap, c->dialect, c->op, &unit_arena);

        for (p = c->events; *p != '\0'; p = *end ? end + 1 : end) {
            end = p + strcspn(p, "\n");
            snprintf(line, sizeof(line), "%.*s", (int) (end - p), p);
            CHECK(tap_event(&tap, "", line) != INVALID);
        }

        if (!CHECK_UINT(tap.usage.uncached, c->want.uncached)
            || !CHECK_UINT(tap.usage.cached, c->want.cached)
            || !CHECK_UINT(tap.usage.cache_write, c->want.cache_write)
            || !CHECK_UINT(tap.usage.output, c->want.output)
            || !CHECK_UINT(tap.usage.reasoning, c->want.reasoning)
            || !CHECK_UINT(tap.usage.source, c->want.source))
        {
            printf("    %s\n", c->events);
        }

        unit_arena_reset();
    }
}


static void
test_errors(void)
{
    size_t               i;
    ai_tap_t             tap;
    const error_case_t  *c;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        c = &errors[i];

        ai_tap_init(&tap, c->dialect, c->op, &unit_arena);

        if (!CHECK_INT(tap_event(&tap, "", c->data), FAILED)
            || !CHECK_MEM(tap.error_type.data, tap.error_type.len, c->type,
                          strlen(c->type))
            || !CHECK_MEM(tap.error_message.data, tap.error_message.len,
                          c->message, strlen(c->message))
            || !CHECK_UINT(tap.error_status, c->status))
        {
            printf("    %s\n", c->data);
        }

        CHECK_UINT(ai_tap_complete(&tap), 0);
        unit_arena_reset();
    }
}


/* errors that the event tells: by its name, in a field of its own */

static void
test_error_events(void)
{
    ai_tap_t        tap;
    ai_sse_event_t  ev;

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    CHECK_INT(tap_event(&tap, "error", "{\"message\":\"m\",\"code\":503}"),
              FAILED);
    CHECK_STR(tap.error_message.data, tap.error_message.len, "m");
    CHECK_UINT(tap.error_status, 503);

    ai_tap_init(&tap, A, MESSAGES, &unit_arena);
    CHECK_INT(tap_event(&tap, "error", "{}"), FAILED);

    memset(&ev, 0, sizeof(ev));
    str_of(&ev.error, "{\"code\":500,\"message\":\"m\",\"type\":\"t\"}");
    ai_tap_init(&tap, O, CHAT, &unit_arena);
    CHECK_INT(ai_tap_event(&tap, &ev), FAILED);
    CHECK_STR(tap.error_message.data, tap.error_message.len, "m");
    CHECK_STR(tap.error_type.data, tap.error_type.len, "t");
    CHECK_UINT(tap.error_status, 500);

    str_of(&ev.error, "out of\tmemory \xff");
    ai_tap_init(&tap, O, CHAT, &unit_arena);
    CHECK_INT(ai_tap_event(&tap, &ev), FAILED);
    CHECK_STR(tap.error_message.data, tap.error_message.len,
              "out of?memory ?");

    memset(&ev, 0, sizeof(ev));
    ev.comment_only = 1;
    ai_tap_init(&tap, O, CHAT, &unit_arena);
    CHECK_INT(ai_tap_event(&tap, &ev), IDLE);
    CHECK_UINT(tap.events, 0);
}


static void
test_complete(void)
{
    ai_tap_t  tap;

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    CHECK(!ai_tap_complete(&tap));

    tap_event(&tap, "", "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}");
    CHECK(!ai_tap_complete(&tap));

    tap_event(&tap, "", "{\"choices\":[{\"index\":1,\"delta\":{}}]}");
    tap_event(&tap, "", "{\"choices\":[{\"index\":0,\"delta\":{},"
                        "\"finish_reason\":\"stop\"}]}");
    CHECK(!ai_tap_complete(&tap));

    tap_event(&tap, "", "{\"choices\":[{\"index\":1,\"delta\":{},"
                        "\"finish_reason\":\"length\"}]}");
    CHECK(ai_tap_complete(&tap));
    CHECK_STR(tap.finish.data, tap.finish.len, "length");

    /* Azure's filter speaks after the end, and changes nothing */

    tap_event(&tap, "", "{\"choices\":[{\"index\":1,\"content_filter\":1}]}");
    CHECK(ai_tap_complete(&tap));

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    tap_event(&tap, "", "{\"choices\":[{\"index\":64,\"delta\":{},"
                        "\"finish_reason\":\"stop\"}]}");
    CHECK(ai_tap_complete(&tap));

    /* after the terminator nothing is read */

    ai_tap_init(&tap, A, MESSAGES, &unit_arena);
    CHECK_INT(tap_event(&tap, "", "{\"type\":\"message_stop\"}"), END);
    CHECK(ai_tap_complete(&tap));
    CHECK_INT(tap_event(&tap, "", "{\"type\":\"message_delta\",\"delta\":{"
                                  "\"stop_reason\":\"end_turn\"}}"), IDLE);
    CHECK_UINT(tap.finish.len, 0);

    /* Responses: the end is the whole answer */

    ai_tap_init(&tap, O, RESPONSES, &unit_arena);
    CHECK_INT(tap_event(&tap, "", "{\"type\":\"response.completed\","
                        "\"response\":{\"status\":\"completed\",\"output\":["
                        "{\"type\":\"message\",\"content\":[{\"type\":"
                        "\"output_text\",\"text\":\"abcd\"}]},{\"type\":"
                        "\"function_call\",\"name\":\"f\",\"arguments\":"
                        "\"{}\"}]}}"), END);
    CHECK(ai_tap_complete(&tap));
    CHECK_UINT(tap.content, 1);
    CHECK_UINT(tap.output_bytes, 6);
    CHECK_UINT(tap.tool_calls, 1);
    CHECK_STR(tap.finish.data, tap.finish.len, "completed");
}


static void
test_estimate(void)
{
    ai_tap_t  tap;

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    tap_event(&tap, "", "{\"choices\":[{\"delta\":{\"content\":"
                        "\"123456789\"}}]}");
    ai_tap_estimate(&tap, 401);
    CHECK_UINT(tap.usage.uncached, 101);
    CHECK_UINT(tap.usage.output, 3);
    CHECK_INT(tap.usage.source, AI_USAGE_ESTIMATED);

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    ai_tap_estimate(&tap, UINT64_MAX);
    CHECK_UINT(tap.usage.uncached, AI_USAGE_MAX);

    /* what the provider told stays */

    tap_event(&tap, "", "{\"choices\":[],\"usage\":{\"prompt_tokens\":1}}");
    ai_tap_estimate(&tap, 1000);
    CHECK_UINT(ai_usage_input(&tap.usage), 1);
    CHECK_INT(tap.usage.source, AI_USAGE_PROVIDER);

    /* cut off after the start: its input is known, its output is not */

    ai_tap_init(&tap, A, MESSAGES, &unit_arena);
    tap_event(&tap, "", "{\"type\":\"message_start\",\"message\":{\"usage\":"
                        "{\"input_tokens\":5,\"output_tokens\":1}}}");
    tap_event(&tap, "", "{\"type\":\"content_block_delta\",\"delta\":{"
                        "\"type\":\"text_delta\",\"text\":\"12345678\"}}");
    ai_tap_estimate(&tap, 1000);
    CHECK_UINT(ai_usage_input(&tap.usage), 5);
    CHECK_UINT(tap.usage.output, 2);
    CHECK_INT(tap.usage.source, AI_USAGE_ESTIMATED);
}


/* what is kept, decoded and cut between characters */

static void
test_kept(void)
{
    char       data[4096], *p;
    ai_tap_t   tap;
    ai_uint_t  i;

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    tap_event(&tap, "", "{\"model\":\"\",\"choices\":[]}");
    tap_event(&tap, "", "{\"model\":\"m\\u00e9\\ud83d\\ude00\\n\"}");
    tap_event(&tap, "", "{\"model\":\"other\"}");
    CHECK_STR(tap.model.data, tap.model.len,
              "m\xc3\xa9\xf0\x9f\x98\x80 ");

    /* 127 bytes, then characters of two bytes, escaped or not, and more */

    p = data + sprintf(data, "{\"model\":\"");

    memset(p, 'a', 127);
    strcpy(p + 127, "\xc3\xa9\xc3\xa9\"}");
    ai_tap_init(&tap, O, CHAT, &unit_arena);
    tap_event(&tap, "", data);
    CHECK_UINT(tap.model.len, 127);

    strcpy(p + 124, "\\u00e9bcd\"}");
    ai_tap_init(&tap, O, CHAT, &unit_arena);
    tap_event(&tap, "", data);
    CHECK_UINT(tap.model.len, 124);

    strcpy(p + 118, "\\ud83d\\ude00bcd\"}");
    ai_tap_init(&tap, O, CHAT, &unit_arena);
    tap_event(&tap, "", data);
    CHECK_UINT(tap.model.len, 118);

    memset(p, 'a', 127);
    strcpy(p + 127, "\\\"bcd\"}");
    ai_tap_init(&tap, O, CHAT, &unit_arena);
    tap_event(&tap, "", data);
    CHECK_UINT(tap.model.len, 127);

    for (i = 0; i < 10; i++) {
        memset(p, 'a', 300);
        strcpy(p + 110 + i * 2, "\\ud83d\\ude00\\\\\xf0\x9f\x98\x80\\u0041"
                                "bcdefghijklmnopqrstuvw\"}");
        ai_tap_init(&tap, O, CHAT, &unit_arena);
        CHECK_INT(tap_event(&tap, "", data), IDLE);
        CHECK(tap.model.len > 100 && tap.model.len <= AI_TAP_MODEL_LEN);
        CHECK((tap.model.data[tap.model.len - 1] & 0xc0) != 0xc0);
    }

    /* names of tools */

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    tap_event(&tap, "", "{\"choices\":[{\"delta\":{\"tool_calls\":[{"
                        "\"function\":{\"name\":\"f\",\"arguments\":\"\"}},{"
                        "\"custom\":{\"name\":\"g\",\"input\":\"x\"}}]}}]}");
    tap_event(&tap, "", "{\"choices\":[{\"delta\":{\"tool_calls\":[{"
                        "\"function\":{\"name\":null,\"arguments\":\"{}\"}}"
                        "]}}]}");
    CHECK_STR(tap.tools.data, tap.tools.len, "f,g");
    CHECK_UINT(tap.tool_calls, 2);
    CHECK_UINT(tap.output_bytes, 3);

    for (i = 0; i < 300; i++) {
        tap_event(&tap, "", "{\"choices\":[{\"delta\":{\"tool_calls\":[{"
                            "\"function\":{\"name\":\"ab\"}}]}}]}");
    }

    CHECK_UINT(tap.tool_calls, 302);
    CHECK(tap.tools.len <= AI_TAP_TOOLS_LEN);

    ai_tap_init(&tap, A, MESSAGES, &unit_arena);
    tap_event(&tap, "", "{\"type\":\"content_block_start\",\"content_block\":"
                        "{\"type\":\"server_tool_use\",\"name\":\"s\"}}");
    tap_event(&tap, "", "{\"type\":\"content_block_start\",\"content_block\":"
                        "{\"type\":\"tool_use\",\"name\":\"f\"}}");
    tap_event(&tap, "", "{\"type\":\"what\"}");
    CHECK_STR(tap.tools.data, tap.tools.len, "f");
    CHECK_UINT(tap.unknown, 1);
}


/* halves of surrogate pairs: the text around them is still read */

static void
test_surrogates(void)
{
    ai_tap_t   tap;
    ai_uint_t  i;

    ai_tap_init(&tap, O, CHAT, &unit_arena);

    CHECK_INT(tap_event(&tap, "", "{\"model\":\"a\\ud83d\\\\ud83d\\uDE00"
                                  "\\ud83d\\ude00b\"}"), IDLE);
    CHECK_STR(tap.model.data, tap.model.len,
              "a\xef\xbf\xbd\\ud83d\xef\xbf\xbd\xf0\x9f\x98\x80" "b");

    unit.used = 0;

    for (i = 0; i < 100; i++) {
        CHECK_INT(tap_event(&tap, "", "{\"choices\":[{\"delta\":{\"content\":"
                                      "\"\\ude00\"}}]}"), CONTENT);
    }

    /* a copy of each, which the owner of the arena may drop at once */

    CHECK(unit.used < 100 * 128);

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    unit.fail_after = 2;
    CHECK_INT(tap_event(&tap, "", "{\"model\":\"\\ud83d\"}"), INVALID);
}


int
main(void)
{
    UNIT_RUN(test_events);
    UNIT_RUN(test_usages);
    UNIT_RUN(test_errors);
    UNIT_RUN(test_error_events);
    UNIT_RUN(test_complete);
    UNIT_RUN(test_estimate);
    UNIT_RUN(test_kept);
    UNIT_RUN(test_surrogates);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Dialects: what events and answers mean, what the tap keeps of them, and
 * the documents that tell errors.  Recorded answers: tap_fixtures_test.c.
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
    const char          *body;
    ai_event_e           want;
} answer_case_t;


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

    CHECK_UINT(i, 3);

    str_of(&name, "openais");
    CHECK(ai_dialect_find(&name) == NULL);
    str_of(&name, "");
    CHECK(ai_dialect_find(&name) == NULL);
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

    /* to count costs nothing */

    ai_tap_init(&tap, A, AI_OP_COUNT_TOKENS, &unit_arena);
    CHECK_INT(tap_answer(&tap, "{\"input_tokens\":5}"), CONTENT);
    ai_tap_estimate(&tap, 1000);
    CHECK_UINT(ai_usage_input(&tap.usage), 0);
    CHECK_INT(tap.usage.source, AI_USAGE_PROVIDER);
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

    /* the copies share their memory: the rest is the test's own */

    CHECK(unit.used < 100 * 64);

    ai_tap_init(&tap, O, CHAT, &unit_arena);
    unit.fail_after = 2;
    CHECK_INT(tap_event(&tap, "", "{\"model\":\"\\ud83d\"}"), INVALID);
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
    doc = event_data(&out, "event: error\ndata: ", "\n\n");
    check_document(cJSON_GetObjectItem(doc, "error"), &e, "code");
    CHECK_TEXT(text_of(doc, "type"), "error");
    CHECK_TEXT(text_of(doc, "code"), ai_error_row(e.error)->code);
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
    UNIT_RUN(test_events);
    UNIT_RUN(test_answers);
    UNIT_RUN(test_usages);
    UNIT_RUN(test_errors);
    UNIT_RUN(test_error_events);
    UNIT_RUN(test_complete);
    UNIT_RUN(test_estimate);
    UNIT_RUN(test_kept);
    UNIT_RUN(test_surrogates);
    UNIT_RUN(test_large);
    UNIT_RUN(test_terminators);
    UNIT_RUN(test_documents);
    UNIT_RUN(test_rows);

    return unit_done();
}

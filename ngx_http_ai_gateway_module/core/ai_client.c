
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Which client a User-Agent tells of.
 */


#include "ai_record.h"


typedef struct {
    ai_str_t  prefix;             /* lower case */
    ai_str_t  client;
} ai_client_t;


/*
 * Beginnings in any case, sorted, so that a beginning comes after what it is
 * the beginning of: "openai/js" before "openai/".
 */

static ai_client_t  ai_clients[] = {
    { ai_string("agents/"), ai_string("openai-agents") },
    { ai_string("ai-sdk"), ai_string("ai-sdk") },
    { ai_string("ai/"), ai_string("ai-sdk") },
    { ai_string("aider"), ai_string("aider") },
    { ai_string("anthropic/go"), ai_string("anthropic-go") },
    { ai_string("anthropic/java"), ai_string("anthropic-java") },
    { ai_string("anthropic/js"), ai_string("anthropic-js") },
    { ai_string("anthropic/python"), ai_string("anthropic-python") },
    { ai_string("anthropic"), ai_string("anthropic") },
    { ai_string("asyncanthropic"), ai_string("anthropic-python") },
    { ai_string("asyncazureopenai"), ai_string("openai-python") },
    { ai_string("asyncgroq"), ai_string("groq-python") },
    { ai_string("asyncopenai"), ai_string("openai-python") },
    { ai_string("axios/"), ai_string("axios") },
    { ai_string("azureopenai/js"), ai_string("openai-js") },
    { ai_string("azureopenai"), ai_string("openai-python") },
    { ai_string("boto3/"), ai_string("boto3") },
    { ai_string("bun/"), ai_string("bun") },
    { ai_string("charm-fantasy/"), ai_string("fantasy") },
    { ai_string("claude-cli"), ai_string("claude-code") },
    { ai_string("claude-code"), ai_string("claude-code") },
    { ai_string("codex"), ai_string("codex") },
    { ai_string("cohere"), ai_string("cohere") },
    { ai_string("continue"), ai_string("continue") },
    { ai_string("curl/"), ai_string("curl") },
    { ai_string("cursor"), ai_string("cursor") },
    { ai_string("deno/"), ai_string("deno") },
    { ai_string("faraday"), ai_string("faraday") },
    { ai_string("geminicli"), ai_string("gemini-cli") },
    { ai_string("go-http-client/"), ai_string("go") },
    { ai_string("google-genai-sdk"), ai_string("google-genai") },
    { ai_string("groq/js"), ai_string("groq-js") },
    { ai_string("groq/python"), ai_string("groq-python") },
    { ai_string("insomnia/"), ai_string("insomnia") },
    { ai_string("langchain"), ai_string("langchain") },
    { ai_string("librechat"), ai_string("librechat") },
    { ai_string("litellm"), ai_string("litellm") },
    { ai_string("llama_index"), ai_string("llamaindex") },
    { ai_string("mistral-client"), ai_string("mistral") },
    { ai_string("mozilla/"), ai_string("browser") },
    { ai_string("node"), ai_string("node") },
    { ai_string("okhttp/"), ai_string("okhttp") },
    { ai_string("ollama"), ai_string("ollama") },
    { ai_string("open-webui"), ai_string("open-webui") },
    { ai_string("openai/go"), ai_string("openai-go") },
    { ai_string("openai/java"), ai_string("openai-java") },
    { ai_string("openai/js"), ai_string("openai-js") },
    { ai_string("openai/python"), ai_string("openai-python") },
    { ai_string("openai"), ai_string("openai") },
    { ai_string("opencode"), ai_string("opencode") },
    { ai_string("postmanruntime/"), ai_string("postman") },
    { ai_string("pydantic-ai/"), ai_string("pydantic-ai") },
    { ai_string("python-httpx/"), ai_string("httpx") },
    { ai_string("python-requests/"), ai_string("requests") },
    { ai_string("python/"), ai_string("aiohttp") },
    { ai_string("ruby"), ai_string("ruby") },
    { ai_string("speakeasy-sdk/"), ai_string("mistral") },
    { ai_string("undici"), ai_string("node") },
    { ai_string("wget/"), ai_string("wget") }
};


#define AI_CLIENTS  (sizeof(ai_clients) / sizeof(ai_clients[0]))


static ai_int_t ai_client_match(ai_str_t *user_agent, ai_str_t *prefix);


static ai_str_t  ai_client_none = ai_null_string;
static ai_str_t  ai_client_other = ai_string("other");


ai_str_t *
ai_record_client(ai_str_t *user_agent)
{
    size_t  i;
    u_char  ch;

    if (user_agent->len == 0) {
        return &ai_client_none;
    }

    ch = user_agent->data[0];

    if (ch >= 'A' && ch <= 'Z') {
        ch |= 0x20;
    }

    for (i = 0; i < AI_CLIENTS; i++) {

        /* most are told by their first letter, without a call */

        if (ai_clients[i].prefix.data[0] != ch) {
            continue;
        }

        if (ai_client_match(user_agent, &ai_clients[i].prefix) == AI_OK) {
            return &ai_clients[i].client;
        }
    }

    return &ai_client_other;
}


static ai_int_t
ai_client_match(ai_str_t *user_agent, ai_str_t *prefix)
{
    size_t  i;
    u_char  ch;

    if (user_agent->len < prefix->len) {
        return AI_DECLINED;
    }

    for (i = 0; i < prefix->len; i++) {

        ch = user_agent->data[i];

        if (ch >= 'A' && ch <= 'Z') {
            ch |= 0x20;
        }

        if (ch != prefix->data[i]) {
            return AI_DECLINED;
        }
    }

    return AI_OK;
}

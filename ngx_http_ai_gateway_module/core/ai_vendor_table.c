
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The table of vendors.  What is not here by vendor is what its dialect says;
 * the facts are those of wire-formats.md, sections 5 to 12 and 14.
 */


#include "ai_vendor.h"


#define AI_OPS_CHAT    (1 << AI_OP_CHAT | 1 << AI_OP_PASS)
#define AI_OPS_LEGACY  (AI_OPS_CHAT | 1 << AI_OP_COMPLETIONS)
#define AI_OPS_EMBED   (AI_OPS_CHAT | 1 << AI_OP_EMBEDDINGS)
#define AI_OPS_SERVER  (AI_OPS_LEGACY | 1 << AI_OP_EMBEDDINGS)
#define AI_OPS_BOTH    (AI_OPS_CHAT | 1 << AI_OP_RESPONSES)

/* takes what is asked of it in older words: role system, max_tokens */
#define AI_VENDOR_PLAIN  (AI_VENDOR_SYSTEM|AI_VENDOR_MAX_TOKENS)
#define AI_VENDOR_OPEN   (AI_VENDOR_PLAIN|AI_VENDOR_TOP_K)


static const ai_vendor_path_t  ai_vertex_paths[] = {

    { AI_OP_GENERATE,
      "/projects/{project}/locations/{region}/publishers/google"
      "/models/{model}:generateContent",
      "/projects/{project}/locations/{region}/publishers/google"
      "/models/{model}:streamGenerateContent?alt=sse" },

    { AI_OP_STREAM_GENERATE,
      "/projects/{project}/locations/{region}/publishers/google"
      "/models/{model}:streamGenerateContent?alt=sse", NULL },

    { AI_OP_GEMINI_COUNT_TOKENS,
      "/projects/{project}/locations/{region}/publishers/google"
      "/models/{model}:countTokens", NULL },

    { AI_OP_PREDICT,
      "/projects/{project}/locations/{region}/publishers/google"
      "/models/{model}:predict", NULL },

    { AI_OP_NONE, NULL, NULL }
};


static const ai_vendor_path_t  ai_vertex_claude_paths[] = {

    { AI_OP_MESSAGES,
      "/projects/{project}/locations/{region}/publishers/anthropic"
      "/models/{model}:rawPredict",
      "/projects/{project}/locations/{region}/publishers/anthropic"
      "/models/{model}:streamRawPredict" },

    { AI_OP_COUNT_TOKENS,
      "/projects/{project}/locations/{region}/publishers/anthropic"
      "/models/count-tokens:rawPredict", NULL },

    { AI_OP_NONE, NULL, NULL }
};


static const ai_vendor_path_t  ai_azure_classic_paths[] = {

    { AI_OP_CHAT,
      "/deployments/{model}/chat/completions?api-version={version}", NULL },
    { AI_OP_COMPLETIONS,
      "/deployments/{model}/completions?api-version={version}", NULL },
    { AI_OP_EMBEDDINGS,
      "/deployments/{model}/embeddings?api-version={version}", NULL },
    { AI_OP_RESPONSES, "/responses?api-version={version}", NULL },

    { AI_OP_NONE, NULL, NULL }
};


static const ai_vendor_path_t  ai_azure_foundry_paths[] = {

    { AI_OP_CHAT, "/chat/completions?api-version={version}", NULL },
    { AI_OP_EMBEDDINGS, "/embeddings?api-version={version}", NULL },

    { AI_OP_NONE, NULL, NULL }
};


static const ai_vendor_path_t  ai_bedrock_claude_paths[] = {

    { AI_OP_MESSAGES, "/model/{model}/invoke",
      "/model/{model}/invoke-with-response-stream" },

    { AI_OP_NONE, NULL, NULL }
};


static const ai_vendor_path_t  ai_writer_paths[] = {

    { AI_OP_CHAT, "/chat", NULL },

    { AI_OP_NONE, NULL, NULL }
};


static const ai_vendor_member_t  ai_mistral_members[] = {
    { "seed", "random_seed" },
    { "dimensions", "output_dimension" },
    { "user", NULL },
    { "messages.file", "document_url" },
    { "messages.reasoning_content", NULL },
    { "messages.reasoning", NULL },
    { NULL, NULL }
};


/* all others are answered with 422 */

static const char *const  ai_mistral_allowed[] = {
    "model", "messages", "temperature", "top_p", "max_tokens", "stream",
    "stop", "random_seed", "response_format", "tools", "tool_choice",
    "presence_penalty", "frequency_penalty", "n", "prediction",
    "parallel_tool_calls", "prompt_mode", "reasoning_effort", "safe_prompt",
    "prompt_cache_key", NULL
};


static const ai_vendor_member_t  ai_groq_members[] = {
    { "logprobs", NULL },
    { "top_logprobs", NULL },
    { "logit_bias", NULL },
    { "messages.name", NULL },
    { "messages.reasoning_content", NULL },
    { NULL, NULL }
};


static const char *const  ai_groq_allowed[] = {
    "model", "messages", "temperature", "top_p", "max_tokens",
    "max_completion_tokens", "stream", "stream_options", "stop", "seed", "n",
    "response_format", "tools", "tool_choice", "functions", "function_call",
    "parallel_tool_calls", "presence_penalty", "frequency_penalty", "user",
    "service_tier", "store", "metadata", "reasoning_effort",
    "reasoning_format", "include_reasoning", "search_settings",
    "include_domains", "exclude_domains", "documents", "citation_options",
    "compound_custom", "disable_tool_validation", NULL
};


static const ai_vendor_member_t  ai_cerebras_members[] = {
    { "messages.reasoning_content", NULL },
    { NULL, NULL }
};


static const char *const  ai_cerebras_allowed[] = {
    "model", "messages", "temperature", "top_p", "max_tokens",
    "max_completion_tokens", "stream", "stream_options", "stop", "seed",
    "response_format", "tools", "tool_choice", "parallel_tool_calls",
    "logprobs", "top_logprobs", "user", "prediction", "service_tier",
    "reasoning_effort", "reasoning_format", "disable_reasoning",
    "clear_thinking", NULL
};


/* models that reason, which are nearly all there are, reject these */

static const ai_vendor_member_t  ai_xai_members[] = {
    { "stop", NULL },
    { "presence_penalty", NULL },
    { "frequency_penalty", NULL },
    { NULL, NULL }
};


static const ai_vendor_member_t  ai_perplexity_members[] = {
    { "tools", NULL },
    { "tool_choice", NULL },
    { "parallel_tool_calls", NULL },
    { "stop", NULL },
    { "seed", NULL },
    { NULL, NULL }
};


/* of embeddings; what keeps its name is sent there only */

static const ai_vendor_member_t  ai_voyage_members[] = {
    { "dimensions", "output_dimension" },
    { "input_type", "input_type" },
    { "truncation", "truncation" },
    { "user", NULL },
    { NULL, NULL }
};


static const char *const  ai_anthropic_headers[] = {
    "anthropic-version: 2023-06-01", NULL
};


/*
 * name, dialect,
 * endpoint, base, example,
 * auth, keyless, ops, flags,
 * paths, members, allowed, reasoning, headers, service
 */

const ai_vendor_t  ai_vendors[] = {

    { ai_string("openai"), "openai",
      "https://api.openai.com/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("anthropic"), "anthropic",
      "https://api.anthropic.com/v1", NULL, NULL,
      AI_AUTH_X_API_KEY, 0, 0, 0,
      NULL, NULL, NULL, NULL, ai_anthropic_headers, NULL },

    { ai_string("gemini"), "gemini",
      "https://generativelanguage.googleapis.com/v1beta", NULL, NULL,
      AI_AUTH_X_GOOG_API_KEY, 0, 0, AI_VENDOR_NO_URL_IMAGES,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("vertex"), "gemini",
      "https://{region-}aiplatform.googleapis.com/v1", NULL, NULL,
      AI_AUTH_GOOGLE, 0,
      1 << AI_OP_GENERATE | 1 << AI_OP_STREAM_GENERATE
      | 1 << AI_OP_GEMINI_COUNT_TOKENS | 1 << AI_OP_PASS,
      AI_VENDOR_NO_CALL_IDS|AI_VENDOR_EMBED_PREDICT,
      ai_vertex_paths, NULL, NULL, NULL, NULL, NULL },

    { ai_string("vertex-anthropic"), "anthropic",
      "https://{region-}aiplatform.googleapis.com/v1", NULL, NULL,
      AI_AUTH_GOOGLE, 0,
      1 << AI_OP_MESSAGES | 1 << AI_OP_COUNT_TOKENS,
      AI_VENDOR_VERTEX_CLAUDE|AI_VENDOR_NO_MODEL,
      ai_vertex_claude_paths, NULL, NULL, NULL, NULL, NULL },

    { ai_string("azure"), "openai",
      NULL, "/openai/v1", "https://RESOURCE.openai.azure.com",
      AI_AUTH_API_KEY, 0, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("azure-classic"), "openai",
      NULL, "/openai", "https://RESOURCE.openai.azure.com",
      AI_AUTH_API_KEY, 0,
      1 << AI_OP_CHAT | 1 << AI_OP_COMPLETIONS | 1 << AI_OP_EMBEDDINGS
      | 1 << AI_OP_RESPONSES, 0,
      ai_azure_classic_paths, NULL, NULL, NULL, NULL, NULL },

    { ai_string("azure-foundry"), "openai",
      NULL, "/models", "https://RESOURCE.services.ai.azure.com",
      AI_AUTH_API_KEY, 0,
      1 << AI_OP_CHAT | 1 << AI_OP_EMBEDDINGS, 0,
      ai_azure_foundry_paths, NULL, NULL, NULL, NULL, NULL },

    { ai_string("bedrock"), "bedrock",
      "https://bedrock-runtime.{region}.amazonaws.com", "", NULL,
      AI_AUTH_SIGV4, 0, 0, AI_VENDOR_NO_URL_IMAGES,
      NULL, NULL, NULL, NULL, NULL, "bedrock" },

    /* nothing is taken as it is there: events are wrapped, see ai_frame.h */

    { ai_string("bedrock-anthropic"), "anthropic",
      "https://bedrock-runtime.{region}.amazonaws.com", "", NULL,
      AI_AUTH_SIGV4, 0, 1 << AI_OP_NONE,
      AI_VENDOR_BEDROCK_CLAUDE|AI_VENDOR_NO_MODEL|AI_VENDOR_NO_URL_IMAGES,
      ai_bedrock_claude_paths, NULL, NULL, NULL, NULL, "bedrock" },

    { ai_string("bedrock-mantle"), "openai",
      "https://bedrock-mantle.{region}.api.aws/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_BOTH, 0,
      NULL, NULL, NULL, NULL, NULL, "bedrock-mantle" },

    { ai_string("cohere"), "cohere",
      "https://api.cohere.com/v2", NULL, NULL,
      AI_AUTH_BEARER, 0, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("mistral"), "openai",
      "https://api.mistral.ai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_EMBED,
      AI_VENDOR_PLAIN|AI_VENDOR_NO_STREAM_OPTIONS|AI_VENDOR_ID9
      |AI_VENDOR_CHOICE_ANY|AI_VENDOR_PREFIX,
      NULL, ai_mistral_members, ai_mistral_allowed, NULL, NULL, NULL },

    { ai_string("groq"), "openai",
      "https://api.groq.com/openai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_SYSTEM,
      NULL, ai_groq_members, ai_groq_allowed, NULL, NULL, NULL },

    { ai_string("deepseek"), "openai",
      "https://api.deepseek.com", "", NULL,
      AI_AUTH_BEARER, 0, AI_OPS_BOTH,
      AI_VENDOR_PLAIN|AI_VENDOR_STRING_CONTENT|AI_VENDOR_THINK_BACK,
      NULL, NULL, NULL, "reasoning_content", NULL, NULL },

    { ai_string("xai"), "openai",
      "https://api.x.ai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_BOTH,
      AI_VENDOR_USAGE_PLUS|AI_VENDOR_SYSTEM|AI_VENDOR_STATE_XAI,
      NULL, ai_xai_members, NULL, NULL, NULL, NULL },

    { ai_string("openrouter"), "openai",
      "https://openrouter.ai/api/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_SERVER | 1 << AI_OP_RESPONSES,
      AI_VENDOR_REASONING_OBJECT,
      NULL, NULL, NULL, "reasoning_details", NULL, NULL },

    { ai_string("together"), "openai",
      "https://api.together.xyz/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_SERVER, AI_VENDOR_OPEN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("fireworks"), "openai",
      "https://api.fireworks.ai/inference/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_SERVER, AI_VENDOR_OPEN,
      NULL, NULL, NULL, "reasoning_content", NULL, NULL },

    { ai_string("perplexity"), "openai",
      "https://api.perplexity.ai", "", NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_OPEN|AI_VENDOR_NO_DONE,
      NULL, ai_perplexity_members, NULL, NULL, NULL, NULL },

    { ai_string("cerebras"), "openai",
      "https://api.cerebras.ai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_LEGACY, AI_VENDOR_SYSTEM|AI_VENDOR_NO_DONE,
      NULL, ai_cerebras_members, ai_cerebras_allowed, NULL, NULL, NULL },

    { ai_string("ollama"), "openai",
      "http://127.0.0.1:11434/v1", NULL, NULL,
      AI_AUTH_BEARER, 1, AI_OPS_SERVER, AI_VENDOR_OPEN,
      NULL, NULL, NULL, "reasoning", NULL, NULL },

    { ai_string("ollama-native"), "ollama",
      "http://127.0.0.1:11434", "", NULL,
      AI_AUTH_BEARER, 1, 0, AI_VENDOR_NO_URL_IMAGES,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("vllm"), "openai",
      "http://127.0.0.1:8000/v1", NULL, NULL,
      AI_AUTH_BEARER, 1, AI_OPS_SERVER, AI_VENDOR_OPEN,
      NULL, NULL, NULL, "reasoning_content", NULL, NULL },

    { ai_string("llamacpp"), "openai",
      "http://127.0.0.1:8080/v1", NULL, NULL,
      AI_AUTH_BEARER, 1, AI_OPS_SERVER, AI_VENDOR_OPEN,
      NULL, NULL, NULL, "reasoning_content", NULL, NULL },

    { ai_string("sglang"), "openai",
      "http://127.0.0.1:30000/v1", NULL, NULL,
      AI_AUTH_BEARER, 1, AI_OPS_SERVER, AI_VENDOR_OPEN,
      NULL, NULL, NULL, "reasoning_content", NULL, NULL },

    { ai_string("lmstudio"), "openai",
      "http://127.0.0.1:1234/v1", NULL, NULL,
      AI_AUTH_BEARER, 1, AI_OPS_SERVER | 1 << AI_OP_RESPONSES,
      AI_VENDOR_OPEN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("databricks"), "openai",
      NULL, "/serving-endpoints", "https://WORKSPACE.cloud.databricks.com",
      AI_AUTH_BEARER, 0, AI_OPS_EMBED, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("snowflake"), "openai",
      NULL, "/api/v2/cortex/v1", "https://ORG-ACCOUNT.snowflakecomputing.com",
      AI_AUTH_BEARER, 0, AI_OPS_CHAT,
      AI_VENDOR_SYSTEM|AI_VENDOR_NO_FINISH|AI_VENDOR_REASONING_OBJECT,
      NULL, NULL, NULL, "reasoning_details", NULL, NULL },

    { ai_string("cloudflare"), "openai",
      "https://api.cloudflare.com/client/v4/accounts/{project}/ai/v1", NULL,
      NULL,
      AI_AUTH_BEARER, 0, AI_OPS_EMBED, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("huggingface"), "openai",
      "https://router.huggingface.co/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_PLAIN|AI_VENDOR_NO_DONE,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("nvidia"), "openai",
      "https://integrate.api.nvidia.com/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_EMBED, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("sambanova"), "openai",
      "https://api.sambanova.ai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_EMBED, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("moonshot"), "openai",
      "https://api.moonshot.ai/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, "reasoning_content", NULL, NULL },

    { ai_string("zai"), "openai",
      "https://api.z.ai/api/paas/v4", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, "reasoning_content", NULL, NULL },

    { ai_string("alibaba"), "openai",
      "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_EMBED, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("voyage"), "openai",
      "https://api.voyageai.com/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, 1 << AI_OP_EMBEDDINGS | 1 << AI_OP_PASS, 0,
      NULL, ai_voyage_members, NULL, NULL, NULL, NULL },

    { ai_string("writer"), "openai",
      "https://api.writer.com/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_PLAIN|AI_VENDOR_NO_DONE,
      ai_writer_paths, NULL, NULL, NULL, NULL, NULL },

    { ai_string("vercel"), "openai",
      "https://ai-gateway.vercel.sh/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_EMBED, AI_VENDOR_REASONING_OBJECT,
      NULL, NULL, NULL, "reasoning_details", NULL, NULL },

    { ai_string("github"), "openai",
      "https://models.github.ai/inference", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_EMBED, 0,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("avian"), "openai",
      "https://api.avian.io/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, "reasoning_content", NULL, NULL },

    { ai_string("crusoe"), "openai",
      "https://api.inference.crusoecloud.com/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_string("heroku"), "openai",
      "https://us.inference.heroku.com/v1", NULL, NULL,
      AI_AUTH_BEARER, 0, AI_OPS_CHAT, AI_VENDOR_PLAIN,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_null_string, NULL,
      NULL, NULL, NULL,
      AI_AUTH_NONE, 0, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL }
};


const ai_vendor_t  ai_vendor_generics[] = {

    { ai_null_string, "openai",
      NULL, "/v1", NULL,
      AI_AUTH_BEARER, 1, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_null_string, "responses",
      NULL, "/v1", NULL,
      AI_AUTH_BEARER, 1, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_null_string, "anthropic",
      NULL, "/v1", NULL,
      AI_AUTH_X_API_KEY, 1, 0, 0,
      NULL, NULL, NULL, NULL, ai_anthropic_headers, NULL },

    { ai_null_string, "gemini",
      NULL, "/v1beta", NULL,
      AI_AUTH_X_GOOG_API_KEY, 1, 0, AI_VENDOR_NO_URL_IMAGES,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_null_string, "cohere",
      NULL, "/v2", NULL,
      AI_AUTH_BEARER, 1, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_null_string, "bedrock",
      NULL, "", NULL,
      AI_AUTH_SIGV4, 1, 0, AI_VENDOR_NO_URL_IMAGES,
      NULL, NULL, NULL, NULL, NULL, "bedrock" },

    { ai_null_string, "ollama",
      NULL, "", NULL,
      AI_AUTH_BEARER, 1, 0, AI_VENDOR_NO_URL_IMAGES,
      NULL, NULL, NULL, NULL, NULL, NULL },

    { ai_null_string, NULL,
      NULL, NULL, NULL,
      AI_AUTH_NONE, 0, 0, 0,
      NULL, NULL, NULL, NULL, NULL, NULL }
};

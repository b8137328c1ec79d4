
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What is known of models by their names.
 */


#include "ai_caps.h"
#include "unit.h"


#define OLD      AI_CAPS_CLAUDE
#define THINKS   (AI_CAPS_CLAUDE|AI_CAPS_BUDGET)
#define FOUR     (THINKS|AI_CAPS_ONE_SAMPLING)
#define FOUR_5   (FOUR|AI_CAPS_SCHEMA)
#define FOUR_6   (FOUR_5|AI_CAPS_ADAPTIVE|AI_CAPS_NO_XHIGH)
#define FOUR_7   (AI_CAPS_CLAUDE|AI_CAPS_ADAPTIVE|AI_CAPS_NO_SAMPLING       \
                  |AI_CAPS_SCHEMA)
#define FIVE     (FOUR_7|AI_CAPS_MID_SYSTEM)

#define JSON     AI_CAPS_JSON_SCHEMA
#define OTHER    (AI_CAPS_BUDGET|JSON)
#define REASONS  (OTHER|AI_CAPS_REASONING)
#define FLASH_2  (JSON|AI_CAPS_THINK_BUDGET)
#define FLASH_3  (JSON|AI_CAPS_THINK_LEVEL)
#define PRO      AI_CAPS_THINK_PRO


typedef struct {
    const char  *model;
    ai_uint_t    flags;
    uint64_t     max_output;
} case_t;


static void
test_models(void)
{
    size_t               i;
    ai_str_t             s;
    ai_caps_t            caps;
    const case_t        *c;
    static const case_t  cases[] = {
        { "claude-3-opus-20240229", OLD, 4096 },
        { "claude-instant-1.2", OLD, 4096 },
        { "anthropic.claude-v2:1", OLD, 4096 },
        { "claude-3-5-sonnet-v2@20241022", OLD, 8192 },
        { "claude-3-5-haiku-latest", OLD, 8192 },
        { "claude-3-7-sonnet-20250219", THINKS, 64000 },
        { "anthropic/claude-3.7-sonnet:thinking", THINKS, 64000 },
        { "claude-opus-4-20250514", FOUR, 32000 },
        { "claude-opus-4@20250514", FOUR, 32000 },
        { "claude-opus-4-1-20250805", FOUR_5, 32000 },
        { "claude-sonnet-4-0", FOUR, 64000 },
        { "us.anthropic.claude-sonnet-4-5-20250929-v1:0", FOUR_5, 64000 },
        { "claude-haiku-4-5", FOUR_5, 64000 },
        { "databricks-claude-sonnet-4-5", FOUR_5, 64000 },
        { "claude-4-sonnet", FOUR, 64000 },
        { "Claude-Opus-4-5", FOUR_5, 64000 },
        { "claude-opus-4-6", FOUR_6, 128000 },
        { "global.anthropic.claude-opus-4-6-v1", FOUR_6, 128000 },
        { "anthropic/claude-sonnet-4.6", FOUR_6, 64000 },
        { "claude-opus-4-7", FOUR_7, 128000 },
        { "claude-opus-4-8", FIVE, 128000 },
        { "claude-sonnet-5", FIVE, 64000 },
        { "claude-fable-5", FIVE, 64000 },
        { "claude-opus-5-20270101", FIVE, 128000 },
        { "claude-x", OLD, 4096 },

        { "gemini-1.5-pro", 0, 4096 },
        { "gemini-2.0-flash", 0, 4096 },
        { "models/gemini-2.5-flash", FLASH_2, 4096 },
        { "gemini-2.5-pro-preview-06-05", FLASH_2|PRO, 4096 },
        { "gemini-2.5-flash-image", JSON, 4096 },
        { "google/gemini-3-flash-preview", FLASH_3, 4096 },
        { "gemini-3.1-pro-preview", FLASH_3|PRO, 4096 },
        { "gemini-flash-latest", FLASH_2, 4096 },

        { "gpt-4o", OTHER, 4096 },
        { "gpt-4.1-mini", OTHER, 4096 },
        { "gpt-5", REASONS, 4096 },
        { "openai/gpt-5.2-codex", REASONS, 4096 },
        { "gpt-5-chat-latest", OTHER, 4096 },
        { "my-gpt-5-mini", REASONS, 4096 },
        { "o1", REASONS, 4096 },
        { "o3-mini-2025-01-31", REASONS, 4096 },
        { "openai/o4-mini", REASONS, 4096 },
        { "foo1", OTHER, 4096 },
        { "o1x", OTHER, 4096 },
        { "openai.gpt-oss-120b-1:0", OTHER|AI_CAPS_EFFORT, 4096 },

        { "us.amazon.nova-pro-v1:0", AI_CAPS_NOVA, 4096 },
        { "us.amazon.nova-2-lite-v1:0", AI_CAPS_NOVA|AI_CAPS_NOVA2, 4096 },
        { "supernova-2", OTHER, 4096 },

        { "mistral-large-latest", OTHER, 4096 },
        { "claudette", OTHER, 4096 },
        { "-", OTHER, 4096 },
        { "", OTHER, 4096 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];

        s.len = strlen(c->model);
        s.data = unit_bytes(c->model, s.len);

        ai_caps(&s, &caps);

        if (!CHECK_INT(caps.flags, c->flags)
            | !CHECK_UINT(caps.max_output, c->max_output))
        {
            printf("    for %s\n", c->model);
        }
    }
}


int
main(void)
{
    UNIT_RUN(test_models);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a model takes, told by its name: facts of wire-formats.md 2.4, 3 and
 * 6.1 that a request must respect.  Unknown models get what most take.
 */


#ifndef _AI_CAPS_H_INCLUDED_
#define _AI_CAPS_H_INCLUDED_


#include "ai.h"


/* Claude */
#define AI_CAPS_ADAPTIVE       0x0001    /* thinking adaptive, by effort */
#define AI_CAPS_BUDGET         0x0002    /* thinking by budget_tokens */
#define AI_CAPS_NO_SAMPLING    0x0004    /* rejects temperature, top_p/k */
#define AI_CAPS_ONE_SAMPLING   0x0008    /* temperature or top_p, not both */
#define AI_CAPS_SCHEMA         0x0010    /* output_config.format */
#define AI_CAPS_CLAUDE         0x0020
#define AI_CAPS_MID_SYSTEM     0x0040    /* role system within messages */
#define AI_CAPS_NO_XHIGH       0x0080

/* Gemini */
#define AI_CAPS_THINK_LEVEL    0x0100    /* thinkingLevel, else budget */
#define AI_CAPS_THINK_BUDGET   0x0200
#define AI_CAPS_THINK_PRO      0x0400    /* cannot be switched off */
#define AI_CAPS_JSON_SCHEMA    0x0800    /* takes responseJsonSchema */

/* OpenAI */
#define AI_CAPS_REASONING      0x1000    /* o-series, gpt-5: takes
                                            reasoning_effort, rejects
                                            max_tokens and sampling */
/* Bedrock */
#define AI_CAPS_NOVA2          0x2000    /* reasoningConfig */
#define AI_CAPS_EFFORT         0x4000    /* reasoning_effort: gpt-oss */
#define AI_CAPS_NOVA           0x8000


typedef struct {
    ai_uint_t    flags;
    uint64_t     max_output;      /* tokens, a default for max_tokens */
} ai_caps_t;


/*
 * By the name with any vendor prefix, region ("us.anthropic."), path
 * ("anthropic/"), date or version behind it.
 */
void ai_caps(const ai_str_t *model, ai_caps_t *caps);


#endif /* _AI_CAPS_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Known mistakes of other gateways (wire-formats.md 16) in counting tokens, by
 * their numbers, between all dialects.
 */


#include "hub_plays.h"
#include "hub_read.h"


/* what each dialect can tell of 60 + 30 + 10 and 20, 5 of them thoughts */

static void
check_usage(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    long  read, written, thoughts;

    must(r->usages >= 1, "usage is told", from, to);

    read = from == AI_OP_OLLAMA_CHAT ? 0 : 30;
    written = from == AI_OP_MESSAGES || from == AI_OP_CONVERSE_STREAM
              || from == AI_OP_CHAT || from == AI_OP_RESPONSES ? 10 : 0;
    thoughts = from == AI_OP_CONVERSE_STREAM || from == AI_OP_OLLAMA_CHAT
               ? 0 : 5;

    must(r->out == 20, "output tokens", from, to);
    must(r->total == 120, "the sum", from, to);

    switch (to) {

    case AI_OP_MESSAGES:
    case AI_OP_CONVERSE_STREAM:
        must(r->in == 100 - read - written && r->cached == read
             && r->written == written, "what was cached", from, to);
        break;

    case AI_OP_COHERE_CHAT:
        must(r->in == 100, "input tokens", from, to);
        break;

    default:
        must(r->in == 100 && r->cached == read, "what was cached", from, to);
        must(r->reasoning == thoughts, "thoughts", from, to);
    }

    must(hub.tap.usage.output == 20 && ai_usage_input(&hub.tap.usage) == 100,
         "the log's", from, to);
}


static void
check_early(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    if (to == AI_OP_MESSAGES) {
        must(r->early > 0, "input_tokens of message_start", from, to);
        check_usage(from, to, r);
    }
}


/* 7: message_start tells what is known or estimated, message_delta all */

static void
test_07_usage_in_message_start(void)
{
    each(hub_plays_text, check_early);
    each(hub_plays_calls, check_early);
    each(hub_plays_thought, check_early);
}


/* 8: what came from a cache is neither left out nor counted twice */

static void
test_08_cache_counted_once(void)
{
    unsigned    k;
    hub_read_t  r;

    /* on every chunk, three times at the end, and above the prompt */

    static const hub_event_t  often[] = {
        { NULL, "{'choices':[{'index':0,'delta':{'content':'a'}}],'usage':{"
                "'prompt_tokens':100,'completion_tokens':1}}" },
        { NULL, "{'choices':[{'index':0,'delta':{},'finish_reason':'stop'}],"
                "'x_groq':{'usage':{'prompt_tokens':100,"
                "'completion_tokens':20}},'usage':{'prompt_tokens':100,"
                "'completion_tokens':20,'total_tokens':120,"
                "'prompt_tokens_details':{'cached_tokens':30,"
                "'cache_write_tokens':10},'completion_tokens_details':{"
                "'reasoning_tokens':5}}}" },
        HUB_CHAT_END("stop")
    };
    static const hub_event_t  above[] = {
        { NULL, "{'choices':[{'index':0,'delta':{'content':'a'},"
                "'finish_reason':'stop'}],'usage':{'prompt_tokens':100,"
                "'completion_tokens':20,'total_tokens':120,"
                "'prompt_tokens_details':{'cached_tokens':170}}}" },
        { NULL, "[DONE]" }, { NULL, NULL }
    };

    each(hub_plays_text, check_usage);

    for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
        hub_stream(AI_OP_CHAT, "groq", often, hub_clients[k]);
        hub_read(&r, hub_clients[k]);
        check_usage(AI_OP_CHAT, hub_clients[k], &r);

        hub_stream(AI_OP_CHAT, "azure", above, hub_clients[k]);
        hub_read(&r, hub_clients[k]);
        must(r.total == 120 && r.cached <= 100 && r.in >= 0,
             "more cached than sent", AI_OP_CHAT, hub_clients[k]);
    }
}


/* 9: thoughts are output, though xAI and Gemini count them apart */

static void
test_09_reasoning_tokens(void)
{
    unsigned    k;
    hub_read_t  r;

    static const hub_event_t  xai[] = {
        { NULL, "{'choices':[{'index':0,'delta':{'content':'a'},"
                "'finish_reason':'stop'}],'usage':{'prompt_tokens':100,"
                "'completion_tokens':15,'total_tokens':120,"
                "'prompt_tokens_details':{'cached_tokens':30,"
                "'cache_write_tokens':10},"
                "'completion_tokens_details':{'reasoning_tokens':5}}}" },
        { NULL, "[DONE]" }, { NULL, NULL }
    };

    /* nothing but thoughts, and tools' results beside the prompt */

    static const hub_event_t  gemini[] = {
        HUB_GEM("{'text':'a'}"),
        { NULL, "{'candidates':[{'finishReason':'MAX_TOKENS'}],"
                "'usageMetadata':{'promptTokenCount':70,"
                "'toolUsePromptTokenCount':30,'cachedContentTokenCount':30,"
                "'thoughtsTokenCount':20,'totalTokenCount':120}}" },
        { NULL, NULL }
    };

    each(hub_plays_thought, check_usage);

    for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
        hub_stream(AI_OP_CHAT, "xai", xai, hub_clients[k]);
        hub_read(&r, hub_clients[k]);
        check_usage(AI_OP_CHAT, hub_clients[k], &r);

        hub_stream(AI_OP_STREAM_GENERATE, NULL, gemini, hub_clients[k]);
        hub_read(&r, hub_clients[k]);
        must(r.out == 20 && r.total == 120
             && hub.tap.usage.reasoning == 20, "thoughts alone",
             AI_OP_STREAM_GENERATE, hub_clients[k]);
    }
}


/* 24: Claude on a cloud is Claude, in usage and in all else */

static void
test_24_claude_on_clouds(void)
{
    size_t       len;
    unsigned     i, k, n;
    hub_read_t   r;
    static char  direct[HUB_SIZE];

    static const hub_event_t *const  plays[] = {
        hub_text_messages, hub_calls_messages, hub_thought_messages,
        hub_length_messages
    };
    static const char *const  clouds[] = {
        "vertex-anthropic", "bedrock-anthropic"
    };

    for (i = 0; i < 4; i++) {

        for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
            hub_stream(AI_OP_MESSAGES, "anthropic", plays[i], hub_clients[k]);
            len = hub.len;
            memcpy(direct, hub.out, len);

            for (n = 0; n < 2; n++) {
                hub_stream(AI_OP_MESSAGES, clouds[n], plays[i],
                           hub_clients[k]);
                must(hub.len == len && memcmp(hub.out, direct, len) == 0,
                     "another answer", AI_OP_MESSAGES, hub_clients[k]);
                hub_read(&r, hub_clients[k]);
                check_usage(AI_OP_MESSAGES, hub_clients[k], &r);
            }
        }
    }
}


int
main(void)
{
    UNIT_RUN(test_07_usage_in_message_start);
    UNIT_RUN(test_08_cache_counted_once);
    UNIT_RUN(test_09_reasoning_tokens);
    UNIT_RUN(test_24_claude_on_clouds);

    return unit_done();
}

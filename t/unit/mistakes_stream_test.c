
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Known mistakes of other gateways (wire-formats.md 16) in answers: each by
 * its number, between all dialects where it can be made.
 */


#include "hub_plays.h"
#include "hub_read.h"


#define finish_is_stop(to, r)                                                \
    finish_is(to, r, "stop", "completed", "end_turn", "STOP", "COMPLETE",    \
              "end_turn")

#define finish_is_calls(to, r)                                               \
    finish_is(to, r, "tool_calls", "tool_calls", "tool_use", "STOP",         \
              "TOOL_CALL", "tool_use")

#define finish_is_length(to, r)                                              \
    finish_is(to, r, "length", "max_output_tokens", "max_tokens",            \
              "MAX_TOKENS", "MAX_TOKENS", "max_tokens")


static void
check_text(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    must_be_whole(from, to, r);
    must(strcmp(r->text, HUB_READ " end") == 0, "the text", from, to);
    must(finish_is_stop(to, r), "the finish", from, to);
    must(r->ncalls == 0, "no calls", from, to);
}


/* 1: bytes are split anywhere, in characters, in JSON, in line ends */

static void
test_01_split_utf8(void)
{
    size_t        step, len;
    unsigned      i, k, n;
    hub_read_t    r;
    static char   whole[HUB_SIZE];

    static const size_t  steps[] = { 1, 2, 3, 5, 17 };

    each(hub_plays_text, check_text);

    for (i = 0; hub_providers[i] != AI_OP_NONE; i++) {

        for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
            hub.crlf = 0;
            hub_stream(hub_providers[i], NULL, hub_plays_text[i],
                       hub_clients[k]);
            len = hub.len;
            memcpy(whole, hub.out, len);

            for (n = 0; n < 2 * sizeof(steps) / sizeof(steps[0]); n++) {
                step = steps[n / 2];
                hub.crlf = n & 1;

                hub_write(hub_providers[i], hub_plays_text[i]);
                hub_run(hub_providers[i], NULL, hub_clients[k], step);

                must(hub.len == len && memcmp(hub.out, whole, len) == 0,
                     "other bytes when split", hub_providers[i],
                     hub_clients[k]);
            }

            hub_read(&r, hub_clients[k]);
            check_text(hub_providers[i], hub_clients[k], &r);
            unit_arena_reset();
        }
    }

    hub.crlf = 0;
}


static void
check_finish_calls(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    must_be_whole(from, to, r);
    must(finish_is_calls(to, r), "the finish of calls", from, to);
}


/* 2: the finish of an answer with calls, above all Gemini's */

static void
test_02_finish_of_calls(void)
{
    unsigned    i, k;
    hub_read_t  r;

    /* in the same chunk, as a number, twice, and xAI's plain "completed" */

    static const hub_event_t  same[] = {
        { NULL, "{'candidates':[{'content':{'parts':[{'functionCall':{"
                "'name':'now','args':{}}}]},'finishReason':'STOP'}],"
                HUB_GEM_USAGE "}" },
        { NULL, NULL }
    };
    static const hub_event_t  number[] = {
        HUB_GEM("{'functionCall':{'name':'now','args':{}}}"),
        HUB_GEM("{'text':'done'}"),
        { NULL, "{'candidates':[{'finishReason':1}]," HUB_GEM_USAGE "}" },
        { NULL, NULL }
    };
    static const hub_event_t  twice[] = {
        HUB_GEM("{'functionCall':{'name':'now','args':{}}}"),
        { NULL, "{'candidates':[{'content':{},'finishReason':'STOP'}]}" },
        HUB_GEM_END("STOP")
    };
    static const hub_event_t *const  plays[] = { same, number, twice };

    each(hub_plays_calls, check_finish_calls);

    for (i = 0; i < 3; i++) {

        for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
            hub_stream(AI_OP_STREAM_GENERATE, i ? "vertex" : NULL, plays[i],
                       hub_clients[k]);
            hub_read(&r, hub_clients[k]);
            check_finish_calls(AI_OP_STREAM_GENERATE, hub_clients[k], &r);
        }
    }

    for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
        hub_stream(AI_OP_RESPONSES, "xai", hub_calls_responses,
                   hub_clients[k]);
        hub_read(&r, hub_clients[k]);
        check_finish_calls(AI_OP_RESPONSES, hub_clients[k], &r);
    }
}


static void
check_calls(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    ai_str_t      s;
    hub_call_t   *a, *b;

    must_be_whole(from, to, r);
    must(r->ncalls == 2, "two calls", from, to);

    a = &r->calls[0];
    b = &r->calls[1];
    s = hub_json(HUB_INPUT);

    must(strcmp(a->name, "weather") == 0 && strcmp(b->name, "now") == 0,
         "the names", from, to);

    /* as text they are byte by byte those of the provider */

    if (to == AI_OP_STREAM_GENERATE) {
        must(strncmp(a->args, "{\"city\":\"Z\303\274rich\",\"n\":1.5", 24)
             == 0, "the arguments", from, to);
        must(strstr(hub.out, "\"n\":1.50") != NULL, "1.50", from, to);

    } else {
        must(strlen(a->args) == s.len && memcmp(a->args, s.data, s.len) == 0,
             "the arguments", from, to);
    }

    must(strcmp(b->args, "{}") == 0, "no arguments are {}", from, to);

    if (from != AI_OP_STREAM_GENERATE && from != AI_OP_OLLAMA_CHAT) {
        must(strcmp(a->id, "call_a") == 0 && strcmp(b->id, "call_b") == 0,
             "the ids", from, to);

    } else if (to != AI_OP_STREAM_GENERATE) {
        must(a->id[0] != '\0' && strcmp(a->id, b->id) != 0, "ids of their own",
             from, to);
    }
}


/* 3: arguments, whole or in pieces, in the opening of a call or later */

static void
test_03_arguments_kept(void)
{
    unsigned    k;
    hub_read_t  r;

    static const hub_event_t  whole[] = {
        HUB_CHAT("'role':'assistant','tool_calls':[{'index':0,'id':'call_a',"
                 "'type':'function','function':{'name':'weather',"
                 "'arguments':'" HUB_ARGS "'}}]"),
        HUB_CHAT("'tool_calls':[{'index':1,'id':'call_b','type':'function',"
                 "'function':{'name':'now','arguments':'{}'}}]"),
        HUB_CHAT_END("tool_calls")
    };

    /* of Responses, told by .done alone */

    static const hub_event_t  done[] = {
        HUB_RSP_START,
        { "response.output_item.added", "{'type':"
          "'response.output_item.added','output_index':0,'item':{'id':'i',"
          "'type':'function_call','call_id':'call_a','name':'weather',"
          "'arguments':''}}" },
        { "response.function_call_arguments.done",
          "{'type':'response.function_call_arguments.done','output_index':0,"
          "'arguments':'" HUB_ARGS "'}" },
        { "response.output_item.added", "{'type':"
          "'response.output_item.added','output_index':1,'item':{'id':'j',"
          "'type':'function_call','call_id':'call_b','name':'now',"
          "'arguments':''}}" },
        HUB_RSP_END
    };

    each(hub_plays_calls, check_calls);

    for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
        hub_stream(AI_OP_CHAT, "groq", whole, hub_clients[k]);
        hub_read(&r, hub_clients[k]);
        check_calls(AI_OP_CHAT, hub_clients[k], &r);

        hub_stream(AI_OP_RESPONSES, NULL, done, hub_clients[k]);
        hub_read(&r, hub_clients[k]);
        check_calls(AI_OP_RESPONSES, hub_clients[k], &r);
    }
}


/* 4: parallel calls keep apart; a continuation finds its call */

static void
test_04_parallel_indices(void)
{
    unsigned    i, k;
    hub_read_t  r;

    /* no index at all; an id only at first; index and interleaved */

    static const hub_event_t  bare[] = {
        HUB_CHAT("'role':'assistant','tool_calls':[{'id':'call_a','type':"
                 "'function','function':{'name':'weather','arguments':'"
                 HUB_ARGS "'}},{'id':'call_b','type':'function','function':{"
                 "'name':'now','arguments':'{}'}}]"),
        HUB_CHAT_END("tool_calls")
    };
    static const hub_event_t  anchored[] = {
        HUB_CHAT("'role':'assistant','tool_calls':[{'id':'call_a','type':"
                 "'function','function':{'name':'weather','arguments':"
                 "'{\\'city\\':'}}]"),
        HUB_CHAT("'tool_calls':[{'function':{'arguments':"
                 "'\\'Z\303\274rich\\',\\'n\\':1.50}'}}]"),
        HUB_CHAT("'tool_calls':[{'id':'call_b','type':'function','function':{"
                 "'name':'now','arguments':''}}]"),
        HUB_CHAT_END("tool_calls")
    };
    static const hub_event_t  mixed[] = {
        HUB_CHAT("'role':'assistant','tool_calls':[{'index':3,'id':'call_a',"
                 "'type':'function','function':{'name':'weather','arguments':"
                 "'{\\'city\\':'}}]"),
        HUB_CHAT("'tool_calls':[{'index':5,'id':'call_b','type':'function',"
                 "'function':{'name':'now','arguments':''}}]"),
        HUB_CHAT("'tool_calls':[{'index':3,'function':{'arguments':"
                 "'\\'Z\303\274rich\\',\\'n\\':1.50}'}},{'index':5,"
                 "'function':{'arguments':'{}'}}]"),
        HUB_CHAT_END("tool_calls")
    };
    static const hub_event_t *const  plays[] = { bare, anchored, mixed };

    each(hub_plays_calls, check_calls);

    for (i = 0; i < 3; i++) {

        for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
            hub_stream(AI_OP_CHAT, i ? "vllm" : "mistral", plays[i],
                       hub_clients[k]);
            hub_read(&r, hub_clients[k]);
            check_calls(AI_OP_CHAT, hub_clients[k], &r);
        }
    }
}


/* 5: one role, told first, whatever the provider does */

static void
test_05_role_once(void)
{
    unsigned    i, k;
    hub_read_t  r;

    static const hub_event_t  never[] = {
        HUB_CHAT("'content':'" HUB_SAID "'"), HUB_CHAT("'content':' end'"),
        HUB_CHAT_END("stop")
    };
    static const hub_event_t  always[] = {
        HUB_CHAT("'role':'assistant','content':''"),
        HUB_CHAT("'role':'assistant','content':'" HUB_SAID "'"),
        HUB_CHAT("'role':'assistant','content':' end'"),
        HUB_CHAT_END("stop")
    };
    static const hub_event_t  started[] = {
        HUB_ANT_START, HUB_ANT_START,
        HUB_ANT_OPEN("0", "'type':'text','text':''"),
        HUB_ANT("0", "'type':'text_delta','text':'" HUB_SAID " end'"),
        HUB_ANT_STOP("0"),
        HUB_ANT_END("end_turn")
    };
    static const struct {
        ai_op_e             op;
        const hub_event_t  *play;
    } plays[] = {
        { AI_OP_CHAT, never }, { AI_OP_CHAT, always },
        { AI_OP_MESSAGES, started }
    };

    each(hub_plays_text, check_text);
    each(hub_plays_thought, must_be_whole);
    each(hub_plays_calls, must_be_whole);

    for (i = 0; i < 3; i++) {

        for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
            hub_stream(plays[i].op, NULL, plays[i].play, hub_clients[k]);
            hub_read(&r, hub_clients[k]);
            check_text(plays[i].op, hub_clients[k], &r);
        }
    }
}


/* 6: a call without arguments has {}, in documents too */

static void
test_06_zero_arguments(void)
{
    unsigned    i, k, n;
    ai_op_e     to;
    hub_read_t  r;

    static const struct {
        ai_op_e      op;
        const char  *json;
    } documents[] = {
        { AI_OP_CHAT, "{'id':'c','choices':[{'index':0,'message':{'role':"
          "'assistant','content':null,'tool_calls':[{'id':'a','type':"
          "'function','function':{'name':'now','arguments':''}}]},"
          "'finish_reason':'tool_calls'}]}" },
        { AI_OP_RESPONSES, "{'id':'r','status':'completed','output':[{"
          "'type':'function_call','id':'i','call_id':'a','name':'now',"
          "'arguments':''}]}" },
        { AI_OP_MESSAGES, "{'id':'a','type':'message','role':'assistant',"
          "'content':[{'type':'tool_use','id':'a','name':'now','input':{}}],"
          "'stop_reason':'tool_use','usage':{'input_tokens':1,"
          "'output_tokens':1}}" },
        { AI_OP_GENERATE, "{'candidates':[{'content':{'parts':[{"
          "'functionCall':{'name':'now'}}]},'finishReason':'STOP'}]}" },
        { AI_OP_COHERE_CHAT, "{'id':'o','finish_reason':'TOOL_CALL',"
          "'message':{'role':'assistant','tool_calls':[{'id':'a','type':"
          "'function','function':{'name':'now','arguments':null}}]}}" },
        { AI_OP_CONVERSE, "{'output':{'message':{'role':'assistant',"
          "'content':[{'toolUse':{'toolUseId':'a','name':'now'}}]}},"
          "'stopReason':'tool_use','usage':{'inputTokens':1,"
          "'outputTokens':1}}" },
        { AI_OP_OLLAMA_CHAT, "{'model':'m','message':{'role':'assistant',"
          "'content':'','tool_calls':[{'function':{'name':'now'}}]},"
          "'done':true,'done_reason':'stop'}" }
    };

    each(hub_plays_calls, check_calls);

    for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {

        for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {

            for (n = 0; n < 2; n++) {
                to = n ? hub_clients[k] : hub_document_op(hub_clients[k]);

                hub_document(documents[i].op, NULL, documents[i].json, to, n);

                if (n) {
                    hub_read(&r, to);

                } else {
                    hub_read_document(&r, to);
                }

                must(r.bad == NULL, r.bad ? r.bad : "", documents[i].op, to);
                must(r.ncalls == 1 && strcmp(r.calls[0].args, "{}") == 0
                     && finish_is_calls(hub_clients[k], &r),
                     n ? "{}, document to stream" : "{}, document",
                     documents[i].op, to);
            }
        }
    }
}


static void
check_state(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    if (from == AI_OP_COHERE_CHAT || from == AI_OP_OLLAMA_CHAT
        || to == AI_OP_COHERE_CHAT)
    {
        return;
    }

    must(r->state[0] != '\0' || r->calls[0].state[0] != '\0',
         "the state is in no slot", from, to);
}


/* 10: the state of thoughts is told; mistakes_state_test.c brings it back */

static void
test_10_signatures_told(void)
{
    each(hub_plays_thought, check_state);
}


static void
check_broken(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    must(r->bad == NULL || to == AI_OP_RESPONSES, r->bad ? r->bad : "", from,
         to);
    must(hub.last == AI_EVENT_ERROR, "an error is one", from, to);
    must(r->errors == 1 && r->finishes == 0 && r->ends == 0,
         "one error, no finish and no end", from, to);
    must(strstr(r->error, "Overloaded") != NULL, "its message", from, to);
    must(to == AI_OP_RESPONSES ? strstr(hub.out, "\"Hel\"") != NULL
                               : strcmp(r->text, "Hel") == 0,
         "the text before it", from, to);
}


static void
check_cut(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    must(hub.last == AI_EVENT_INVALID, "a cut stream", from, to);
    must(r->errors == 1 && r->finishes == 0 && r->ends == 0,
         "an error instead of the end", from, to);
}


/* 11: an error in the middle, or no end, is told; never a silent success */

static void
test_11_error_in_mid_stream(void)
{
    unsigned    i, k;
    hub_read_t  r;

    each(hub_plays_broken, check_broken);

    /* the same without the error: the connection just ends */

    for (i = 0; hub_providers[i] != AI_OP_NONE; i++) {

        for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
            hub_event_t         cut[8];
            const hub_event_t  *ev;

            for (ev = hub_plays_broken[i]; ev->json != NULL
                 && strstr(ev->json, "Overloaded") == NULL; ev++)
            {
                cut[ev - hub_plays_broken[i]] = *ev;
            }

            memset(&cut[ev - hub_plays_broken[i]], 0, sizeof(hub_event_t));

            hub_stream(hub_providers[i], NULL, cut, hub_clients[k]);
            hub_read(&r, hub_clients[k]);
            check_cut(hub_providers[i], hub_clients[k], &r);
        }
    }
}


static void
check_unknown(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    check_text(from, to, r);
    must(from == AI_OP_OLLAMA_CHAT || hub.tap.unknown != 0, "it is counted",
         from, to);
}


/* 18: events, blocks and deltas of no known kind are passed over */

static void
test_18_unknown_events(void)
{
    each(hub_plays_text, check_unknown);
}


static void
check_responses(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    if (to == AI_OP_RESPONSES) {
        must_be_whole(from, to, r);
    }
}


/* 19: all events and members of Responses, numbered without a gap */

static void
test_19_responses_events(void)
{
    each(hub_plays_text, check_responses);
    each(hub_plays_calls, check_responses);
    each(hub_plays_thought, check_responses);
    each(hub_plays_length, check_responses);
    each(hub_plays_filter, check_responses);
}


static void
check_thought(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    must_be_whole(from, to, r);
    must(strcmp(r->thought, "hm") == 0, "the thought", from, to);
    must(r->text[0] == '\0', "no text", from, to);
    must(finish_is_stop(to, r), "the finish", from, to);
    must(hub.tap.content != 0, "thoughts are content", from, to);
}


/* 25: an answer of nothing but thoughts is one, by any member's name */

static void
test_25_reasoning_only(void)
{
    unsigned    i, k;
    hub_read_t  r;

    static const hub_event_t  content[] = {
        HUB_CHAT("'role':'assistant','content':null,"
                 "'reasoning_content':'hm'"),
        HUB_CHAT_END("stop")
    };
    static const hub_event_t  reasoning[] = {
        HUB_CHAT("'role':'assistant','reasoning':'hm'"),
        HUB_CHAT_END("stop")
    };
    static const hub_event_t  parts[] = {
        HUB_CHAT("'role':'assistant','content':[{'type':'thinking',"
                 "'thinking':[{'type':'text','text':'hm'}]}]"),
        HUB_CHAT_END("stop")
    };
    static const struct {
        const char         *vendor;
        const hub_event_t  *play;
    } plays[] = {
        { "deepseek", content }, { "vllm", reasoning }, { "groq", reasoning },
        { "mistral", parts }
    };

    each(hub_plays_thought, check_thought);

    for (i = 0; i < 4; i++) {

        for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
            hub_stream(AI_OP_CHAT, plays[i].vendor, plays[i].play,
                       hub_clients[k]);
            hub_read(&r, hub_clients[k]);
            check_thought(AI_OP_CHAT, hub_clients[k], &r);
        }
    }
}


/* 29: Azure's first chunk has no choice, its filter's no delta */

static void
test_29_azure_chunks(void)
{
    unsigned    k;
    hub_read_t  r;

    static const hub_event_t  play[] = {
        { NULL, "{'choices':[],'created':0,'id':'','model':'','object':'',"
                "'prompt_filter_results':[{'prompt_index':0,"
                "'content_filter_results':{}}]}" },
        HUB_CHAT("'role':'assistant','content':'','refusal':null"),
        HUB_CHAT("'content':'" HUB_SAID "'"),
        { NULL, "{'choices':[{'content_filter_offsets':{'check_offset':44},"
                "'content_filter_results':{},'finish_reason':null,"
                "'index':0}],'created':0,'id':'','model':'','object':''}" },
        HUB_CHAT("'content':' end'"),
        HUB_CHAT_END("stop")
    };

    for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {
        hub_stream(AI_OP_CHAT, "azure", play, hub_clients[k]);
        hub_read(&r, hub_clients[k]);
        check_text(AI_OP_CHAT, hub_clients[k], &r);
    }

    /* the id and the time are those of the first chunk that has them */

    hub_stream(AI_OP_CHAT, "azure", play, AI_OP_CHAT);
    CHECK(strstr(hub.out, "\"id\":\"\"") == NULL);
    CHECK(strstr(hub.out, "\"created\":0") == NULL);
}


/* 30: many frames at once, and the last of them, are all read */

static void
test_30_frames_kept(void)
{
    int          i;
    unsigned     k, n;
    hub_read_t   r;
    hub_event_t  play[160], *ev;
    static char  piece[128][96];

    for (k = 0; hub_clients[k] != AI_OP_NONE; k++) {

        for (n = 0; n < 3; n++) {
            ev = play;
            *ev++ = (hub_event_t) { "messageStart", "{'role':'assistant'}" };
            *ev++ = (hub_event_t) HUB_AWS("0", "'text':'t'");
            *ev++ = (hub_event_t) HUB_AWS_STOP("0");
            *ev++ = (hub_event_t) HUB_AWS_CALL("1", "call_a", "weather");
            *ev++ = (hub_event_t) HUB_AWS("1", "'toolUse':{'input':'['}");

            for (i = 0; i < 128; i++) {
                snprintf(piece[i], sizeof(piece[i]),
                         "{'contentBlockIndex':1,'delta':{'toolUse':{"
                         "'input':'%d%s'}}}", i, i < 127 ? "," : "");
                *ev++ = (hub_event_t) { "contentBlockDelta", piece[i] };
            }

            *ev++ = (hub_event_t) HUB_AWS("1", "'toolUse':{'input':']'}");
            *ev++ = (hub_event_t) HUB_AWS_STOP("1");
            *ev++ = (hub_event_t) { "messageStop", "{'stopReason':"
                                                   "'tool_use'}" };
            *ev++ = (hub_event_t) { "metadata", "{'usage':{'inputTokens':60,"
                    "'outputTokens':20,'totalTokens':80}}" };
            *ev = (hub_event_t) { NULL, NULL };

            hub_write(AI_OP_CONVERSE_STREAM, play);
            hub_run(AI_OP_CONVERSE_STREAM, NULL, hub_clients[k],
                    n == 0 ? HUB_SIZE : n == 1 ? 1000 : 1);
            hub_read(&r, hub_clients[k]);

            must_be_whole(AI_OP_CONVERSE_STREAM, hub_clients[k], &r);
            must(r.ncalls == 1 && strstr(r.calls[0].args, "126,127]") != NULL
                 && strstr(r.calls[0].args, "[0,1,2,") != NULL
                 && r.in == 60 && r.out == 20, "a frame is lost",
                 AI_OP_CONVERSE_STREAM, hub_clients[k]);
            unit_arena_reset();
        }
    }
}


static void
check_length(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    must_be_whole(from, to, r);
    must(finish_is_length(to, r), "the limit beats the call", from, to);
    must(r->ncalls == 1, "the call", from, to);
}


static void
check_filter(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    /* Cohere tells it as an error */

    if (to == AI_OP_COHERE_CHAT) {
        must(r->bad == NULL && r->errors == 1 && r->finishes == 0,
             "an error", from, to);
        return;
    }

    must_be_whole(from, to, r);
    must(finish_is(to, r, "content_filter", "content_filter", "refusal",
                   "SAFETY", "COMPLETE", "content_filtered"),
         "the filter beats the call", from, to);
}


/* wire-formats.md 2.1: a call that is cut off must not look complete */

static void
test_finish_order(void)
{
    each(hub_plays_length, check_length);
    each(hub_plays_filter, check_filter);
}


int
main(void)
{
    UNIT_RUN(test_01_split_utf8);
    UNIT_RUN(test_02_finish_of_calls);
    UNIT_RUN(test_03_arguments_kept);
    UNIT_RUN(test_04_parallel_indices);
    UNIT_RUN(test_05_role_once);
    UNIT_RUN(test_06_zero_arguments);
    UNIT_RUN(test_10_signatures_told);
    UNIT_RUN(test_11_error_in_mid_stream);
    UNIT_RUN(test_18_unknown_events);
    UNIT_RUN(test_19_responses_events);
    UNIT_RUN(test_25_reasoning_only);
    UNIT_RUN(test_29_azure_chunks);
    UNIT_RUN(test_30_frames_kept);
    UNIT_RUN(test_finish_order);

    return unit_done();
}

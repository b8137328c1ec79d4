
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The same answers as each provider sends them: what a test of a mistake
 * needs of every dialect.  Shapes are those of wire-formats.md 3 to 11.
 *
 * Of all plays: 60 tokens were sent as they are, 30 came from a cache and 10
 * were written to one, where the dialect can tell; 20 came out, 5 of them
 * thoughts.
 */


#ifndef _HUB_PLAYS_H_INCLUDED_
#define _HUB_PLAYS_H_INCLUDED_


#include "hub.h"


/* two letters of two bytes, an emoji as a surrogate pair and as it is */

#define HUB_SAID  "Gr\303\274\303\237e \360\237\230\200 \\ud83d\\ude00 \\'q\\'"
#define HUB_READ  "Gr\303\274\303\237e \360\237\230\200 \360\237\230\200 \"q\""

#define HUB_CHAT(delta)                                                      \
    { NULL, "{'id':'c','object':'chat.completion.chunk','created':5,"        \
            "'model':'m','choices':[{'index':0,'delta':{" delta "},"         \
            "'finish_reason':null}]}" }
#define HUB_CHAT_END(finish)                                                 \
    { NULL, "{'id':'c','created':5,'model':'m','choices':[{'index':0,"       \
            "'delta':{},'finish_reason':'" finish "'}]}" },                  \
    { NULL, "{'id':'c','created':5,'model':'m','choices':[],'usage':{"       \
            "'prompt_tokens':100,'completion_tokens':20,'total_tokens':120," \
            "'prompt_tokens_details':{'cached_tokens':30,"                   \
            "'cache_write_tokens':10},"                                      \
            "'completion_tokens_details':{'reasoning_tokens':5}}}" },        \
    { NULL, "[DONE]" }, { NULL, NULL }

#define HUB_RSP_START                                                        \
    { "response.created", "{'type':'response.created','sequence_number':0,"  \
      "'response':{'id':'r','status':'in_progress','model':'m',"             \
      "'created_at':5,'output':[]}}" }
#define HUB_RSP_USAGE                                                        \
    "'usage':{'input_tokens':100,'output_tokens':20,'total_tokens':120,"     \
    "'input_tokens_details':{'cached_tokens':30,'cache_write_tokens':10},"   \
    "'output_tokens_details':{'reasoning_tokens':5}}"
#define HUB_RSP_END                                                          \
    { "response.completed", "{'type':'response.completed','response':{"      \
      "'id':'r','status':'completed','model':'m'," HUB_RSP_USAGE "}}" },     \
    { NULL, NULL }

#define HUB_ANT_START                                                        \
    { "message_start", "{'type':'message_start','message':{'id':'a',"        \
      "'type':'message','role':'assistant','model':'m','content':[],"        \
      "'stop_reason':null,'usage':{'input_tokens':60,"                       \
      "'cache_read_input_tokens':30,'cache_creation_input_tokens':10,"       \
      "'output_tokens':1}}}" },                                              \
    { "ping", "{'type':'ping'}" }
#define HUB_ANT_OPEN(n, block)                                               \
    { "content_block_start", "{'type':'content_block_start','index':" n ","  \
      "'content_block':{" block "}}" }
#define HUB_ANT(n, delta)                                                    \
    { "content_block_delta", "{'type':'content_block_delta','index':" n ","  \
      "'delta':{" delta "}}" }
#define HUB_ANT_STOP(n)                                                      \
    { "content_block_stop", "{'type':'content_block_stop','index':" n "}" }
#define HUB_ANT_END(stop)                                                    \
    { "message_delta", "{'type':'message_delta','delta':{'stop_reason':'"    \
      stop "','stop_sequence':null},'usage':{'input_tokens':60,"             \
      "'cache_read_input_tokens':30,'cache_creation_input_tokens':10,"       \
      "'output_tokens':20,'output_tokens_details':{'thinking_tokens':5}}}" },\
    { "message_stop", "{'type':'message_stop'}" }, { NULL, NULL }

#define HUB_GEM_USAGE                                                        \
    "'usageMetadata':{'promptTokenCount':100,'cachedContentTokenCount':30,"  \
    "'candidatesTokenCount':15,'thoughtsTokenCount':5,"                      \
    "'totalTokenCount':120},'modelVersion':'m','responseId':'g'"
#define HUB_GEM(parts)                                                       \
    { NULL, "{'candidates':[{'content':{'role':'model','parts':[" parts      \
            "]},'index':0}]," HUB_GEM_USAGE "}" }
#define HUB_GEM_END(finish)                                                  \
    { NULL, "{'candidates':[{'content':{'role':'model'},'finishReason':'"    \
            finish "','index':0}]," HUB_GEM_USAGE "}" }, { NULL, NULL }

#define HUB_COH_START                                                        \
    { "message-start", "{'type':'message-start','id':'o','delta':{"          \
      "'message':{'role':'assistant'}}}" }
#define HUB_COH_TEXT(n, kind, text)                                          \
    { "content-start", "{'type':'content-start','index':" n ",'delta':{"     \
      "'message':{'content':{'type':'" kind "'}}}}" },                       \
    { "content-delta", "{'type':'content-delta','index':" n ",'delta':{"     \
      "'message':{'content':{'" kind "':'" text "'}}}}" },                   \
    { "content-end", "{'type':'content-end','index':" n "}" }
#define HUB_COH_CALL(n, id, name)                                            \
    { "tool-call-start", "{'type':'tool-call-start','index':" n ","          \
      "'delta':{'message':{'tool_calls':{'id':'" id "','type':'function',"   \
      "'function':{'name':'" name "','arguments':''}}}}}" }
#define HUB_COH_ARGS(n, args)                                                \
    { "tool-call-delta", "{'type':'tool-call-delta','index':" n ","          \
      "'delta':{'message':{'tool_calls':{'function':{'arguments':'" args     \
      "'}}}}}" }
#define HUB_COH_STOP(n)                                                      \
    { "tool-call-end", "{'type':'tool-call-end','index':" n "}" }
#define HUB_COH_END(finish)                                                  \
    { "message-end", "{'type':'message-end','delta':{'finish_reason':'"      \
      finish "','usage':{'billed_units':{'input_tokens':7,"                  \
      "'output_tokens':8},'tokens':{'input_tokens':100,"                     \
      "'output_tokens':20,'reasoning_tokens':5},'cached_tokens':30}}}" },    \
    { NULL, "[DONE]" }, { NULL, NULL }

#define HUB_AWS(n, delta)                                                    \
    { "contentBlockDelta", "{'contentBlockIndex':" n ",'delta':{" delta      \
      "},'p':'abc'}" }
#define HUB_AWS_CALL(n, id, name)                                            \
    { "contentBlockStart", "{'contentBlockIndex':" n ",'start':{'toolUse':{" \
      "'toolUseId':'" id "','name':'" name "'}}}" }
#define HUB_AWS_STOP(n)                                                      \
    { "contentBlockStop", "{'contentBlockIndex':" n "}" }
#define HUB_AWS_END(stop)                                                    \
    { "messageStop", "{'stopReason':'" stop "'}" },                          \
    { "metadata", "{'usage':{'inputTokens':60,'outputTokens':20,"            \
      "'cacheReadInputTokens':30,'cacheWriteInputTokens':10,"                \
      "'totalTokens':120},'metrics':{'latencyMs':9}}" }, { NULL, NULL }

#define HUB_OLL(message)                                                     \
    { NULL, "{'model':'m','created_at':'2025-01-01T00:00:00Z','message':{"   \
            "'role':'assistant'," message "},'done':false}" }
#define HUB_OLL_END(reason)                                                  \
    { NULL, "{'model':'m','created_at':'2025-01-01T00:00:00Z','message':{"   \
            "'role':'assistant','content':''},'done':true,"                  \
            "'done_reason':'" reason "','prompt_eval_count':100,"            \
            "'eval_count':20}" }, { NULL, NULL }


/* a text in two pieces, with events of no known kind between them */

static const hub_event_t  hub_text_chat[] = {
    HUB_CHAT("'role':'assistant','content':''"),
    { NULL, "{'obfuscation':'x','choices':[]}" },
    HUB_CHAT("'content':'" HUB_SAID "'"),
    { NULL, "{'object':'moderation','novel':[1,{}]}" },
    HUB_CHAT("'content':' end','novel':{'a':1}"),
    HUB_CHAT_END("stop")
};

static const hub_event_t  hub_text_responses[] = {
    HUB_RSP_START,
    { "keepalive", "{'type':'keepalive','sequence_number':1}" },
    { "response.output_item.added", "{'type':'response.output_item.added',"
      "'output_index':0,'item':{'id':'n','type':'novel_call','arguments':{}}}"
    },
    { "response.output_item.added", "{'type':'response.output_item.added',"
      "'output_index':1,'item':{'id':'i','type':'message','content':[]}}" },
    { "response.output_text.delta", "{'type':'response.output_text.delta',"
      "'output_index':1,'content_index':0,'delta':'" HUB_SAID "'}" },
    { "response.novel.delta", "{'type':'response.novel.delta','x':[]}" },
    { "response.output_text.delta", "{'type':'response.output_text.delta',"
      "'output_index':1,'content_index':0,'delta':' end'}" },
    HUB_RSP_END
};

static const hub_event_t  hub_text_messages[] = {
    HUB_ANT_START,
    HUB_ANT_OPEN("0", "'type':'server_tool_use','id':'s','name':'web'"),
    HUB_ANT("0", "'type':'input_json_delta','partial_json':'{}'"),
    HUB_ANT_STOP("0"),
    HUB_ANT_OPEN("1", "'type':'text','text':''"),
    HUB_ANT("1", "'type':'text_delta','text':'" HUB_SAID "'"),
    { "novel", "{'type':'novel','x':1}" },
    HUB_ANT("1", "'type':'novel_delta','novel':1"),
    HUB_ANT("1", "'type':'text_delta','text':' end'"),
    HUB_ANT_STOP("1"),
    HUB_ANT_OPEN("2", "'type':'novel_block'"),
    HUB_ANT_STOP("2"),
    HUB_ANT_END("end_turn")
};

static const hub_event_t  hub_text_generate[] = {
    HUB_GEM("{'text':'" HUB_SAID "'}"),
    { NULL, "{'novel':1}" },
    HUB_GEM("{'novel':{}},{'executableCode':{'code':'1'}}"),
    HUB_GEM("{'text':' end'}"),
    HUB_GEM_END("STOP")
};

static const hub_event_t  hub_text_cohere[] = {
    HUB_COH_START,
    { "novel-event", "{'type':'novel-event','delta':{}}" },
    HUB_COH_TEXT("0", "text", HUB_SAID),
    HUB_COH_TEXT("1", "novel", "?"),
    HUB_COH_TEXT("2", "text", " end"),
    HUB_COH_END("COMPLETE")
};

static const hub_event_t  hub_text_converse[] = {
    { "messageStart", "{'role':'assistant'}" },
    HUB_AWS("0", "'text':'" HUB_SAID "'"),
    { "novelEvent", "{'x':1}" },
    HUB_AWS("0", "'novel':{}"),
    HUB_AWS("0", "'text':' end'"),
    HUB_AWS_STOP("0"),
    { "contentBlockStart", "{'contentBlockIndex':1,'start':{'toolResult':{"
      "'toolUseId':'s','type':'nova'}}}" },
    HUB_AWS("1", "'toolResult':[{'text':'?'}]"),
    HUB_AWS_STOP("1"),
    HUB_AWS_END("end_turn")
};

static const hub_event_t  hub_text_ollama[] = {
    HUB_OLL("'content':'" HUB_SAID "'"),
    HUB_OLL("'content':'','novel':[1]"),
    HUB_OLL("'content':' end'"),
    HUB_OLL_END("stop")
};


/* two calls at once, the second without arguments */

#define HUB_ARGS    "{\\'city\\':\\'Z\303\274rich\\',\\'n\\':1.50}"
#define HUB_INPUT   "{'city':'Z\303\274rich','n':1.50}"

static const hub_event_t  hub_calls_chat[] = {
    HUB_CHAT("'role':'assistant','content':null,'tool_calls':[{'index':0,"
             "'id':'call_a','type':'function','function':{'name':'weather',"
             "'arguments':''}}]"),
    HUB_CHAT("'tool_calls':[{'index':0,'function':{'arguments':'"
             "{\\'city\\':'}}]"),
    HUB_CHAT("'tool_calls':[{'index':0,'function':{'arguments':'"
             "\\'Z\303\274rich\\',\\'n\\':1.50}'}}]"),
    HUB_CHAT("'tool_calls':[{'index':1,'id':'call_b','type':'function',"
             "'function':{'name':'now','arguments':''}}]"),
    HUB_CHAT_END("tool_calls")
};

static const hub_event_t  hub_calls_responses[] = {
    HUB_RSP_START,
    { "response.output_item.added", "{'type':'response.output_item.added',"
      "'output_index':0,'item':{'id':'i','type':'function_call','call_id':"
      "'call_a','name':'weather','arguments':''}}" },
    { "response.function_call_arguments.delta",
      "{'type':'response.function_call_arguments.delta','output_index':0,"
      "'delta':'" HUB_ARGS "'}" },
    { "response.function_call_arguments.done",
      "{'type':'response.function_call_arguments.done','output_index':0,"
      "'arguments':'" HUB_ARGS "'}" },
    { "response.output_item.done", "{'type':'response.output_item.done',"
      "'output_index':0,'item':{'id':'i','type':'function_call','call_id':"
      "'call_a','name':'weather','arguments':'" HUB_ARGS "'}}" },
    { "response.output_item.done", "{'type':'response.output_item.done',"
      "'output_index':1,'item':{'id':'j','type':'function_call','call_id':"
      "'call_b','name':'now','arguments':''}}" },
    HUB_RSP_END
};

static const hub_event_t  hub_calls_messages[] = {
    HUB_ANT_START,
    HUB_ANT_OPEN("0", "'type':'tool_use','id':'call_a','name':'weather',"
                      "'input':{}"),
    HUB_ANT("0", "'type':'input_json_delta','partial_json':'{\\'city\\':'"),
    HUB_ANT("0", "'type':'input_json_delta','partial_json':'"
                 "\\'Z\303\274rich\\',\\'n\\':1.50}'"),
    HUB_ANT_STOP("0"),
    HUB_ANT_OPEN("1", "'type':'tool_use','id':'call_b','name':'now',"
                      "'input':{}"),
    HUB_ANT("1", "'type':'input_json_delta','partial_json':''"),
    HUB_ANT_STOP("1"),
    HUB_ANT_END("tool_use")
};

/* the calls come in one chunk, the finish in a later one */

static const hub_event_t  hub_calls_generate[] = {
    HUB_GEM("{'functionCall':{'name':'weather','args':" HUB_INPUT "}}"),
    HUB_GEM("{'functionCall':{'name':'now'}}"),
    HUB_GEM_END("STOP")
};

static const hub_event_t  hub_calls_cohere[] = {
    HUB_COH_START,
    HUB_COH_CALL("0", "call_a", "weather"),
    HUB_COH_ARGS("0", "{\\'city\\':"),
    HUB_COH_ARGS("0", "\\'Z\303\274rich\\',\\'n\\':1.50}"),
    HUB_COH_STOP("0"),
    HUB_COH_CALL("1", "call_b", "now"),
    HUB_COH_STOP("1"),
    HUB_COH_END("TOOL_CALL")
};

static const hub_event_t  hub_calls_converse[] = {
    { "messageStart", "{'role':'assistant'}" },
    HUB_AWS_CALL("0", "call_a", "weather"),
    HUB_AWS("0", "'toolUse':{'input':'{\\'city\\':'}"),
    HUB_AWS("0", "'toolUse':{'input':'\\'Z\303\274rich\\',\\'n\\':1.50}'}"),
    HUB_AWS_STOP("0"),
    HUB_AWS_CALL("1", "call_b", "now"),
    HUB_AWS_STOP("1"),
    HUB_AWS_END("tool_use")
};

static const hub_event_t  hub_calls_ollama[] = {
    HUB_OLL("'content':'','tool_calls':[{'function':{'name':'weather',"
            "'arguments':" HUB_INPUT "}},{'function':{'name':'now',"
            "'arguments':{}}}]"),
    HUB_OLL_END("stop")
};


/* a thought with its state, which may be all that is said */

#define HUB_STATE  "c3RhdGUgKy89"

static const hub_event_t  hub_thought_chat[] = {
    HUB_CHAT("'role':'assistant','reasoning':'hm','reasoning_details':[{"
             "'type':'reasoning.summary','summary':'hm','index':0,"
             "'format':'openai-responses-v1'}]"),
    HUB_CHAT("'reasoning_details':[{'type':'reasoning.encrypted','data':'"
             HUB_STATE "','id':'rs_1','index':0,"
             "'format':'openai-responses-v1'}]"),
    HUB_CHAT_END("stop")
};

static const hub_event_t  hub_thought_responses[] = {
    HUB_RSP_START,
    { "response.output_item.added", "{'type':'response.output_item.added',"
      "'output_index':0,'item':{'id':'rs_1','type':'reasoning','summary':[]}}"
    },
    { "response.reasoning_summary_text.delta",
      "{'type':'response.reasoning_summary_text.delta','output_index':0,"
      "'summary_index':0,'delta':'hm'}" },
    { "response.output_item.done", "{'type':'response.output_item.done',"
      "'output_index':0,'item':{'id':'rs_1','type':'reasoning','summary':[{"
      "'type':'summary_text','text':'hm'}],'encrypted_content':'" HUB_STATE
      "'}}" },
    HUB_RSP_END
};

static const hub_event_t  hub_thought_messages[] = {
    HUB_ANT_START,
    HUB_ANT_OPEN("0", "'type':'thinking','thinking':'','signature':''"),
    HUB_ANT("0", "'type':'thinking_delta','thinking':'hm'"),
    HUB_ANT("0", "'type':'signature_delta','signature':'" HUB_STATE "'"),
    HUB_ANT_STOP("0"),
    HUB_ANT_END("end_turn")
};

static const hub_event_t  hub_thought_generate[] = {
    HUB_GEM("{'text':'hm','thought':true}"),
    HUB_GEM("{'text':'','thoughtSignature':'" HUB_STATE "'}"),
    HUB_GEM_END("STOP")
};

static const hub_event_t  hub_thought_cohere[] = {
    HUB_COH_START,
    HUB_COH_TEXT("0", "thinking", "hm"),
    HUB_COH_END("COMPLETE")
};

static const hub_event_t  hub_thought_converse[] = {
    { "messageStart", "{'role':'assistant'}" },
    HUB_AWS("0", "'reasoningContent':{'text':'hm'}"),
    HUB_AWS("0", "'reasoningContent':{'signature':'" HUB_STATE "'}"),
    HUB_AWS_STOP("0"),
    HUB_AWS_END("end_turn")
};

static const hub_event_t  hub_thought_ollama[] = {
    HUB_OLL("'content':'','thinking':'hm'"),
    HUB_OLL_END("stop")
};


/* a call that is cut off by the limit, or by a filter */

#define HUB_CUT(name, chat, responses, messages, generate, cohere, converse) \
                                                                             \
static const hub_event_t  hub_##name##_chat[] = {                            \
    HUB_CHAT("'role':'assistant','tool_calls':[{'index':0,'id':'call_a',"    \
             "'type':'function','function':{'name':'now','arguments':'{}'}}" \
             "]"),                                                           \
    HUB_CHAT_END(chat)                                                       \
};                                                                           \
                                                                             \
static const hub_event_t  hub_##name##_responses[] = {                       \
    HUB_RSP_START,                                                           \
    { "response.output_item.done", "{'type':'response.output_item.done',"    \
      "'output_index':0,'item':{'id':'i','type':'function_call','call_id':"  \
      "'call_a','name':'now','arguments':'{}'}}" },                          \
    { "response.incomplete", "{'type':'response.incomplete','response':{"    \
      "'id':'r','status':'incomplete','model':'m','incomplete_details':{"    \
      "'reason':'" responses "'}," HUB_RSP_USAGE "}}" },                     \
    { NULL, NULL }                                                           \
};                                                                           \
                                                                             \
static const hub_event_t  hub_##name##_messages[] = {                        \
    HUB_ANT_START,                                                           \
    HUB_ANT_OPEN("0", "'type':'tool_use','id':'call_a','name':'now',"        \
                      "'input':{}"),                                         \
    HUB_ANT_STOP("0"),                                                       \
    HUB_ANT_END(messages)                                                    \
};                                                                           \
                                                                             \
static const hub_event_t  hub_##name##_generate[] = {                        \
    HUB_GEM("{'functionCall':{'name':'now','args':{}}}"),                    \
    HUB_GEM_END(generate)                                                    \
};                                                                           \
                                                                             \
static const hub_event_t  hub_##name##_cohere[] = {                          \
    HUB_COH_START,                                                           \
    HUB_COH_CALL("0", "call_a", "now"),                                      \
    HUB_COH_STOP("0"),                                                       \
    HUB_COH_END(cohere)                                                      \
};                                                                           \
                                                                             \
static const hub_event_t  hub_##name##_converse[] = {                        \
    { "messageStart", "{'role':'assistant'}" },                              \
    HUB_AWS_CALL("0", "call_a", "now"),                                      \
    HUB_AWS_STOP("0"),                                                       \
    HUB_AWS_END(converse)                                                    \
}

HUB_CUT(length, "length", "max_output_tokens", "max_tokens", "MAX_TOKENS",
        "MAX_TOKENS", "max_tokens");
HUB_CUT(filter, "content_filter", "content_filter", "refusal", "SAFETY",
        "", "guardrail_intervened");

static const hub_event_t  hub_length_ollama[] = {
    HUB_OLL("'content':'','tool_calls':[{'function':{'name':'now',"
            "'arguments':{}}}]"),
    HUB_OLL_END("length")
};


/* an error in the middle of a text, as each tells one within a 200 */

static const hub_event_t  hub_broken_chat[] = {
    HUB_CHAT("'role':'assistant','content':'Hel'"),
    { NULL, "{'error':{'message':'Overloaded','code':502},'choices':[{"
            "'index':0,'delta':{'content':''},'finish_reason':'error'}]}" },
    { NULL, "[DONE]" }, { NULL, NULL }
};

static const hub_event_t  hub_broken_responses[] = {
    HUB_RSP_START,
    { "response.output_item.added", "{'type':'response.output_item.added',"
      "'output_index':0,'item':{'id':'i','type':'message','content':[]}}" },
    { "response.output_text.delta", "{'type':'response.output_text.delta',"
      "'output_index':0,'content_index':0,'delta':'Hel'}" },
    { "response.failed", "{'type':'response.failed','response':{'id':'r',"
      "'status':'failed','error':{'code':'server_error',"
      "'message':'Overloaded'}}}" },
    { NULL, NULL }
};

static const hub_event_t  hub_broken_messages[] = {
    HUB_ANT_START,
    HUB_ANT_OPEN("0", "'type':'text','text':''"),
    HUB_ANT("0", "'type':'text_delta','text':'Hel'"),
    { "error", "{'type':'error','error':{'details':null,"
      "'type':'overloaded_error','message':'Overloaded'}}" },
    { NULL, NULL }
};

static const hub_event_t  hub_broken_generate[] = {
    HUB_GEM("{'text':'Hel'}"),
    { NULL, "{'error':{'code':503,'message':'Overloaded',"
            "'status':'UNAVAILABLE'}}" },
    { NULL, NULL }
};

static const hub_event_t  hub_broken_cohere[] = {
    HUB_COH_START,
    { "content-start", "{'type':'content-start','index':0,'delta':{"
      "'message':{'content':{'type':'text'}}}}" },
    { "content-delta", "{'type':'content-delta','index':0,'delta':{"
      "'message':{'content':{'text':'Hel'}}}}" },
    { "message-end", "{'type':'message-end','delta':{'finish_reason':'ERROR',"
      "'error':'Overloaded','usage':{}}}" },
    { NULL, "[DONE]" }, { NULL, NULL }
};

static const hub_event_t  hub_broken_converse[] = {
    { "messageStart", "{'role':'assistant'}" },
    HUB_AWS("0", "'text':'Hel'"),
    { "serviceUnavailableException", "{'message':'Overloaded'}" },
    { NULL, NULL }
};

static const hub_event_t  hub_broken_ollama[] = {
    HUB_OLL("'content':'Hel'"),
    { NULL, "{'error':'Overloaded'}" },
    { NULL, NULL }
};


#define HUB_PLAY(name)                                                       \
    { hub_##name##_chat, hub_##name##_responses, hub_##name##_messages,      \
      hub_##name##_generate, hub_##name##_cohere, hub_##name##_converse,     \
      hub_##name##_ollama }

/* in the order of hub_providers[] */

static const hub_event_t *const  hub_plays_text[] = HUB_PLAY(text);
static const hub_event_t *const  hub_plays_calls[] = HUB_PLAY(calls);
static const hub_event_t *const  hub_plays_thought[] = HUB_PLAY(thought);
static const hub_event_t *const  hub_plays_length[] = HUB_PLAY(length);
static const hub_event_t *const  hub_plays_broken[] = HUB_PLAY(broken);

/* no filter is known of Cohere v2 and of Ollama */

static const hub_event_t *const  hub_plays_filter[] = {
    hub_filter_chat, hub_filter_responses, hub_filter_messages,
    hub_filter_generate, NULL, hub_filter_converse, NULL
};


#endif /* _HUB_PLAYS_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The shapes are those that the providers sent, wire-formats.md 2.2, 4, 6.3
 * and 7.3.
 */


#include "ai_mock_shape.h"


/* OpenAI chat/completions */

#define CHAT_USAGE                                                           \
    "'usage':{'prompt_tokens':$p,'completion_tokens':$o,'total_tokens':$t,"  \
    "'prompt_tokens_details':{'cached_tokens':0,'audio_tokens':0},"          \
    "'completion_tokens_details':{'reasoning_tokens':0,'audio_tokens':0,"    \
    "'accepted_prediction_tokens':0,'rejected_prediction_tokens':0}}"

#define CHAT_JSON(message)                                                   \
    "{'id':'chatcmpl-$i','object':'chat.completion','created':$c,"           \
    "'model':'$m','choices':[{'index':0,'message':{'role':'assistant',"      \
    message ",'refusal':null,'annotations':[]},'logprobs':null,"             \
    "'finish_reason':'$f'}]," CHAT_USAGE ",'service_tier':'default',"        \
    "'system_fingerprint':'fp_mock'}"

#define CHAT_CHUNK                                                           \
    "data: {'id':'chatcmpl-$i','object':'chat.completion.chunk',"            \
    "'created':$c,'model':'$m','service_tier':'default',"                    \
    "'system_fingerprint':'fp_mock',"

#define CHAT_DELTA(delta, finish)                                            \
    CHAT_CHUNK "'choices':[{'index':0,'delta':{" delta "},"                  \
    "'logprobs':null,'finish_reason':" finish "}]$u}\n\n"

#define DONE                                                                 \
    "data: [DONE]\n\n"

#define CHAT_CLOSE                                                           \
    CHAT_DELTA("", "'$f'")                                                   \
    "$?" CHAT_CHUNK "'choices':[]," CHAT_USAGE "}\n\n$." DONE

#define OPENAI_ERROR                                                         \
    "{'error':{'message':'$M','type':'$e','param':null,'code':$E}}"


const ai_mock_shape_t  ai_mock_shape_chat = {

    { "stop", "length", "tool_calls", "stop" },

    { CHAT_JSON("'content':'$T'"),
      CHAT_DELTA("'role':'assistant','content':'','refusal':null", "null"),
      CHAT_DELTA("'content':'$k'", "null"),
      CHAT_CLOSE },

    { CHAT_JSON("'content':null,'tool_calls':[{'id':'call_$i',"
                "'type':'function','function':{'name':'$n',"
                "'arguments':'$A'}}]"),
      CHAT_DELTA("'role':'assistant','content':null,'tool_calls':[{"
                 "'index':0,'id':'call_$i','type':'function','function':{"
                 "'name':'$n','arguments':''}}],'refusal':null", "null"),
      CHAT_DELTA("'tool_calls':[{'index':0,'function':{'arguments':'$h'}}]",
                 "null"),
      CHAT_CLOSE },

    "data: " OPENAI_ERROR "\n\n",
    1, 0
};


/* OpenAI completions */

#define COMPLETION(start, finish)                                            \
    start "{'id':'cmpl-$i','object':'text_completion','created':$c,"         \
    "'model':'$m','choices':[{" finish "}]"

#define COMPLETION_USAGE                                                     \
    "'usage':{'prompt_tokens':$p,'completion_tokens':$o,'total_tokens':$t}"

#define COMPLETION_FORM {                                                    \
    COMPLETION("", "'text':'$T','index':0,'logprobs':null,"                  \
               "'finish_reason':'$f'") "," COMPLETION_USAGE "}",             \
    "",                                                                      \
    COMPLETION("data: ", "'text':'$k','index':0,'logprobs':null,"            \
               "'finish_reason':null") "$u}\n\n",                            \
    COMPLETION("data: ", "'text':'','index':0,'logprobs':null,"              \
               "'finish_reason':'$f'") "$u}\n\n"                             \
    "$?data: {'id':'cmpl-$i','object':'text_completion','created':$c,"       \
    "'model':'$m'," COMPLETION_USAGE ",'choices':[]}\n\n$." DONE }


const ai_mock_shape_t  ai_mock_shape_completions = {

    { "stop", "length", "stop", "stop" },
    COMPLETION_FORM,
    COMPLETION_FORM,
    "data: " OPENAI_ERROR "\n\n",
    1, 0
};


/* OpenAI responses */

#define RESPONSE_EVENT(name)                                                 \
    "event: response." name "\n"                                             \
    "data: {'type':'response." name "',"

#define RESPONSE_END                                                         \
    ",'sequence_number':$s}\n\n"

#define RESPONSE(status, completed, error, incomplete, output, usage)        \
    "{'id':'resp_$i','object':'response','created_at':$c,'status':'"         \
    status "','background':false,'completed_at':" completed ",'error':"      \
    error ",'frequency_penalty':0.0,'incomplete_details':" incomplete        \
    ",'instructions':null,'max_output_tokens':null,'max_tool_calls':null,"   \
    "'model':'$m','output':[" output "],'parallel_tool_calls':true,"         \
    "'presence_penalty':0.0,'previous_response_id':null,"                    \
    "'prompt_cache_key':null,'reasoning':{'effort':null,'summary':null},"    \
    "'safety_identifier':null,'service_tier':'default','store':false,"       \
    "'temperature':1.0,'text':{'format':{'type':'text'},"                    \
    "'verbosity':'medium'},'tool_choice':'auto','tools':[],"                 \
    "'top_logprobs':0,'top_p':1.0,'truncation':'disabled','usage':" usage    \
    ",'user':null,'metadata':{}}"

#define RESPONSE_FULL(item)                                                  \
    RESPONSE("$f", "$c", "null", "$l", item,                                 \
             "{'input_tokens':$p,'input_tokens_details':"                    \
             "{'cached_tokens':0},'output_tokens':$o,"                       \
             "'output_tokens_details':{'reasoning_tokens':0},"               \
             "'total_tokens':$t}")

#define RESPONSE_EMPTY                                                       \
    RESPONSE("in_progress", "null", "null", "null", "", "null")

#define RESPONSE_OPEN                                                        \
    RESPONSE_EVENT("created") "'response':" RESPONSE_EMPTY RESPONSE_END      \
    RESPONSE_EVENT("in_progress") "'response':" RESPONSE_EMPTY RESPONSE_END

#define RESPONSE_PART(text)                                                  \
    "{'type':'output_text','annotations':[],'logprobs':[],'text':'" text "'}"

#define RESPONSE_TEXT(status, content)                                       \
    "{'id':'msg_$i','type':'message','status':'" status "','content':["      \
    content "],'role':'assistant'}"

#define RESPONSE_CALL(status, arguments)                                     \
    "{'id':'fc_$i','type':'function_call','status':'" status "',"            \
    "'arguments':'" arguments "','call_id':'call_$i','name':'$n'}"

#define RESPONSE_IN_ITEM                                                     \
    "'item_id':'msg_$i','output_index':0,'content_index':0,"

#define RESPONSE_DONE(item)                                                  \
    RESPONSE_EVENT("output_item.done") "'output_index':0,'item':" item       \
    RESPONSE_END                                                             \
    RESPONSE_EVENT("$f") "'response':" RESPONSE_FULL(item) RESPONSE_END


const ai_mock_shape_t  ai_mock_shape_responses = {

    { "completed", "incomplete", "completed", "completed" },

    { RESPONSE_FULL(RESPONSE_TEXT("$f", RESPONSE_PART("$T"))),

      RESPONSE_OPEN
      RESPONSE_EVENT("output_item.added") "'output_index':0,'item':"
          RESPONSE_TEXT("in_progress", "") RESPONSE_END
      RESPONSE_EVENT("content_part.added") RESPONSE_IN_ITEM "'part':"
          RESPONSE_PART("") RESPONSE_END,

      RESPONSE_EVENT("output_text.delta") RESPONSE_IN_ITEM
          "'delta':'$k','logprobs':[]" RESPONSE_END,

      RESPONSE_EVENT("output_text.done") RESPONSE_IN_ITEM
          "'text':'$T','logprobs':[]" RESPONSE_END
      RESPONSE_EVENT("content_part.done") RESPONSE_IN_ITEM "'part':"
          RESPONSE_PART("$T") RESPONSE_END
      RESPONSE_DONE(RESPONSE_TEXT("$f", RESPONSE_PART("$T"))) },

    { RESPONSE_FULL(RESPONSE_CALL("completed", "$A")),

      RESPONSE_OPEN
      RESPONSE_EVENT("output_item.added") "'output_index':0,'item':"
          RESPONSE_CALL("in_progress", "") RESPONSE_END,

      RESPONSE_EVENT("function_call_arguments.delta")
          "'item_id':'fc_$i','output_index':0,'delta':'$h'" RESPONSE_END,

      RESPONSE_EVENT("function_call_arguments.done")
          "'item_id':'fc_$i','output_index':0,'arguments':'$A'" RESPONSE_END
      RESPONSE_DONE(RESPONSE_CALL("completed", "$A")) },

    RESPONSE_EVENT("failed") "'response':"
        RESPONSE("failed", "null", "{'code':'$e','message':'$M'}", "null",
                 "", "null") RESPONSE_END,
    0, 0
};


/* Anthropic messages */

#define ANTHROPIC_EVENT(name)                                                \
    "event: " name "\n"                                                      \
    "data: {'type':'" name "'"

#define MESSAGE(content, stop, output)                                       \
    "{'model':'$m','id':'msg_01$i','type':'message','role':'assistant',"     \
    "'content':[" content "],'stop_reason':" stop ",'stop_sequence':null,"   \
    "'usage':{'input_tokens':$p,'cache_creation_input_tokens':0,"            \
    "'cache_read_input_tokens':0,'cache_creation':"                          \
    "{'ephemeral_5m_input_tokens':0,'ephemeral_1h_input_tokens':0},"         \
    "'output_tokens':" output ",'service_tier':'standard'}}"

#define MESSAGE_TOOL(input)                                                  \
    "{'type':'tool_use','id':'toolu_01$i','name':'$n','input':" input "}"

#define MESSAGE_OPEN(block)                                                  \
    ANTHROPIC_EVENT("message_start") ",'message':"                           \
    MESSAGE("", "null", "1") "}\n\n"                                         \
    ANTHROPIC_EVENT("content_block_start") ",'index':0,'content_block':"     \
    block "}\n\n"                                                            \
    ANTHROPIC_EVENT("ping") "}\n\n"

#define MESSAGE_DELTA(delta)                                                 \
    ANTHROPIC_EVENT("content_block_delta") ",'index':0,'delta':{" delta      \
    "}}\n\n"

#define MESSAGE_CLOSE                                                        \
    ANTHROPIC_EVENT("content_block_stop") ",'index':0}\n\n"                  \
    ANTHROPIC_EVENT("message_delta") ",'delta':{'stop_reason':'$f',"         \
    "'stop_sequence':null},'usage':{'input_tokens':$p,"                      \
    "'cache_creation_input_tokens':0,'cache_read_input_tokens':0,"           \
    "'output_tokens':$o}}\n\n"                                               \
    ANTHROPIC_EVENT("message_stop") "}\n\n"

#define ANTHROPIC_ERROR                                                      \
    "{'type':'error','error':{'details':null,'type':'$e','message':'$M'},"   \
    "'request_id':'req_$i'}"


const ai_mock_shape_t  ai_mock_shape_messages = {

    { "end_turn", "max_tokens", "tool_use", "tool_use" },

    { MESSAGE("{'type':'text','text':'$T'}", "'$f'", "$o"),
      MESSAGE_OPEN("{'type':'text','text':''}"),
      MESSAGE_DELTA("'type':'text_delta','text':'$k'"),
      MESSAGE_CLOSE },

    { MESSAGE(MESSAGE_TOOL("$a"), "'$f'", "$o"),
      MESSAGE_OPEN(MESSAGE_TOOL("{}")),
      MESSAGE_DELTA("'type':'input_json_delta','partial_json':'$h'"),
      MESSAGE_CLOSE },

    "event: error\ndata: " ANTHROPIC_ERROR "\n\n",
    1, 0
};


/* Gemini generateContent */

#define CANDIDATE(parts, finish, output, total)                              \
    "{'candidates':[{'content':{'parts':[" parts "],'role':'model'},"        \
    finish "'index':0}],'usageMetadata':{'promptTokenCount':$p,"             \
    "'candidatesTokenCount':" output ",'totalTokenCount':" total ","         \
    "'promptTokensDetails':[{'modality':'TEXT','tokenCount':$p}]},"          \
    "'modelVersion':'$m','responseId':'$i'}"

#define CANDIDATE_CALL                                                       \
    "{'functionCall':{'name':'$n','args':$a}}"

#define GEMINI_ERROR                                                         \
    "{'error':{'code':$S,'message':'$M','status':'$e'}}"


const ai_mock_shape_t  ai_mock_shape_generate = {

    { "STOP", "MAX_TOKENS", "STOP", "STOP" },

    { CANDIDATE("{'text':'$T'}", "'finishReason':'$f',", "$o", "$t"),
      "",
      "$<" CANDIDATE("{'text':'$k'}", "", "$w", "$x") "$>",
      "$<" CANDIDATE("{'text':''}", "'finishReason':'$f',", "$o", "$t")
      "$>$]" },

    { CANDIDATE(CANDIDATE_CALL, "'finishReason':'$f',", "$o", "$t"),
      "",
      "$<" CANDIDATE(CANDIDATE_CALL, "", "$o", "$t") "$>",
      "$<" CANDIDATE("{'text':''}", "'finishReason':'$f',", "$o", "$t")
      "$>$]" },

    "$<" GEMINI_ERROR "$>$]",
    0, 1
};


/* the last line with a status not above that of the error is taken */

static const ai_mock_error_t  ai_mock_errors[] = {

    { 400, "invalid_request_error", "null", "invalid_request_error",
      "INVALID_ARGUMENT", "the request is not valid" },

    { 401, "invalid_request_error", "'invalid_api_key'",
      "authentication_error", "UNAUTHENTICATED", "incorrect API key" },

    { 402, "insufficient_quota", "'insufficient_quota'", "billing_error",
      "FAILED_PRECONDITION", "your credit balance is too low" },

    { 403, "invalid_request_error", "null", "permission_error",
      "PERMISSION_DENIED", "your key may not do this" },

    { 404, "invalid_request_error", "null", "not_found_error", "NOT_FOUND",
      "there is no such resource" },

    { 405, "invalid_request_error", "null", "invalid_request_error",
      "INVALID_ARGUMENT", "the request is not valid" },

    { 408, "timeout", "null", "timeout_error", "DEADLINE_EXCEEDED",
      "the request timed out" },

    { 409, "invalid_request_error", "null", "invalid_request_error",
      "ABORTED", "the request is not valid" },

    { 413, "invalid_request_error", "null", "request_too_large",
      "INVALID_ARGUMENT", "the request is too large" },

    { 414, "invalid_request_error", "null", "invalid_request_error",
      "INVALID_ARGUMENT", "the request is not valid" },

    { 429, "requests", "'rate_limit_exceeded'", "rate_limit_error",
      "RESOURCE_EXHAUSTED", "rate limit reached, try again later" },

    { 430, "invalid_request_error", "null", "invalid_request_error",
      "INVALID_ARGUMENT", "the request is not valid" },

    { 500, "server_error", "null", "api_error", "INTERNAL",
      "the server had an error while processing your request" },

    { 503, "server_error", "null", "overloaded_error", "UNAVAILABLE",
      "the model is overloaded, try again later" },

    { 504, "server_error", "null", "timeout_error", "DEADLINE_EXCEEDED",
      "the request timed out" },

    { 505, "server_error", "null", "api_error", "INTERNAL",
      "the server had an error while processing your request" },

    { 529, "server_error", "null", "overloaded_error", "UNAVAILABLE",
      "the model is overloaded, try again later" }
};


const ai_mock_error_t *
ai_mock_error(ai_uint_t status)
{
    ai_uint_t               i;
    const ai_mock_error_t  *error;

    error = &ai_mock_errors[0];

    for (i = 0; i < sizeof(ai_mock_errors) / sizeof(ai_mock_error_t); i++) {
        if (ai_mock_errors[i].status <= status) {
            error = &ai_mock_errors[i];
        }
    }

    return error;
}


const char *
ai_mock_error_template(ai_mock_t *m)
{
    if (m->dialect == &ai_dialect_anthropic) {
        return ANTHROPIC_ERROR;
    }

    if (m->dialect == &ai_dialect_gemini) {
        return m->array ? "$<" GEMINI_ERROR "$>$]" : GEMINI_ERROR;
    }

    return OPENAI_ERROR;
}

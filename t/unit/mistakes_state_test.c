
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Known mistake 10 of other gateways, and wire-formats.md 2.6: the opaque
 * state of a provider goes by any client, which echoes what it got, and comes
 * back byte by byte to whom it belongs, and to nobody else.
 */


#include "hub_plays.h"
#include "hub_read.h"


#define STATE  "RXEzK2FiQy8wMTIzNDU2Nzg5KysvLw=="

/* the same as the bytes that redactedContent of Converse is */

#define BYTES  "UlhFeksyRmlReTh3TVRJek5EVTJOemc1S3lzdkx3PT0="


/* answers: a thought, its state, and the call that it led to */

#define ANSWER_CHAT(kind, format)                                            \
    "{'id':'c','object':'chat.completion','model':'m','created':5,"          \
    "'choices':[{'index':0,'message':{'role':'assistant','content':null,"    \
    "'reasoning':'hm','reasoning_details':[" kind ",'format':'" format "'}"  \
    "],'tool_calls':[{'id':'call_a','type':'function','function':{'name':"   \
    "'now','arguments':'{}'}}]},'finish_reason':'tool_calls'}],'usage':{"    \
    "'prompt_tokens':1,'completion_tokens':1,'total_tokens':2}}"

#define ANSWER_SECRET                                                        \
    "{'type':'reasoning.summary','summary':'hm','index':0},"                 \
    "{'type':'reasoning.encrypted','id':'rs_1','index':0,'data':'" STATE "'"

#define ANSWER_RESPONSES                                                     \
    "{'id':'r','object':'response','status':'completed','model':'m',"        \
    "'created_at':5,'output':[{'type':'reasoning','id':'rs_1','summary':["   \
    "{'type':'summary_text','text':'hm'}],'encrypted_content':'" STATE "'}," \
    "{'type':'function_call','id':'fc_1','status':'completed','call_id':"    \
    "'call_a','name':'now','arguments':'{}'}],'usage':{'input_tokens':1,"    \
    "'output_tokens':1,'total_tokens':2}}"


static const struct {
    ai_op_e      op;
    const char  *vendor;
    ai_state_e   kind;
    const char  *json;
} answers[] = {
    { AI_OP_MESSAGES, "anthropic", AI_STATE_ANTHROPIC,
      "{'id':'a','type':'message','role':'assistant','model':'m','content':["
      "{'type':'thinking','thinking':'hm','signature':'" STATE "'},{'type':"
      "'tool_use','id':'call_a','name':'now','input':{}}],'stop_reason':"
      "'tool_use','usage':{'input_tokens':1,'output_tokens':1}}" },
    { AI_OP_MESSAGES, "vertex-anthropic", AI_STATE_REDACTED,
      "{'id':'a','type':'message','role':'assistant','model':'m','content':["
      "{'type':'redacted_thinking','data':'" STATE "'},{'type':'tool_use',"
      "'id':'call_a','name':'now','input':{}}],'stop_reason':'tool_use',"
      "'usage':{'input_tokens':1,'output_tokens':1}}" },
    { AI_OP_CONVERSE, "bedrock", AI_STATE_ANTHROPIC,
      "{'output':{'message':{'role':'assistant','content':[{"
      "'reasoningContent':{'reasoningText':{'text':'hm','signature':'" STATE
      "'}}},{'toolUse':{'toolUseId':'call_a','name':'now','input':{}}}]}},"
      "'stopReason':'tool_use','usage':{'inputTokens':1,'outputTokens':1,"
      "'totalTokens':2}}" },
    { AI_OP_GENERATE, "gemini", AI_STATE_GOOGLE,
      "{'candidates':[{'content':{'role':'model','parts':[{'text':'hm',"
      "'thought':true},{'functionCall':{'name':'now','args':{}},"
      "'thoughtSignature':'" STATE "'}]},'finishReason':'STOP'}],"
      "'modelVersion':'m'}" },
    { AI_OP_RESPONSES, "openai", AI_STATE_OPENAI, ANSWER_RESPONSES },
    { AI_OP_RESPONSES, "xai", AI_STATE_XAI, ANSWER_RESPONSES },
    { AI_OP_CHAT, "openrouter", AI_STATE_OPENAI,
      ANSWER_CHAT(ANSWER_SECRET, "openai-responses-v1") },
    { AI_OP_CHAT, "openrouter", AI_STATE_XAI,
      ANSWER_CHAT(ANSWER_SECRET, "xai-responses-v1") },
    { AI_OP_CHAT, "openrouter", AI_STATE_ANTHROPIC,
      ANSWER_CHAT("{'type':'reasoning.text','text':'hm','index':0,"
                  "'signature':'" STATE "'", "anthropic-claude-v1") },
    { AI_OP_CHAT, "openrouter", AI_STATE_GOOGLE,
      ANSWER_CHAT("{'type':'reasoning.encrypted','id':'call_a','index':0,"
                  "'data':'" STATE "'", "google-gemini-v1") }
};


/* who is asked next */

static const struct {
    ai_op_e      op;
    const char  *vendor;
    const char  *model;
    ai_state_e   kind;
} targets[] = {
    { AI_OP_MESSAGES, "anthropic", "claude-sonnet-4-5", AI_STATE_ANTHROPIC },
    { AI_OP_MESSAGES, "vertex-anthropic", "claude-opus-4-6",
      AI_STATE_ANTHROPIC },
    { AI_OP_MESSAGES, "bedrock-anthropic",
      "anthropic.claude-sonnet-4-5-20250929-v1:0", AI_STATE_ANTHROPIC },
    { AI_OP_CONVERSE, "bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0",
      AI_STATE_ANTHROPIC },
    { AI_OP_GENERATE, "gemini", "gemini-3-pro-preview", AI_STATE_GOOGLE },
    { AI_OP_GENERATE, "vertex", "gemini-2.5-flash", AI_STATE_GOOGLE },
    { AI_OP_RESPONSES, "openai", "gpt-5", AI_STATE_OPENAI },
    { AI_OP_RESPONSES, "xai", "grok-4", AI_STATE_XAI },
    { AI_OP_CHAT, "openrouter", "openai/gpt-5", AI_STATE_OPENAI },
    { AI_OP_CHAT, "openrouter", "x-ai/grok-4", AI_STATE_XAI },
    { AI_OP_CHAT, "openrouter", "anthropic/claude-sonnet-4.5",
      AI_STATE_ANTHROPIC },
    { AI_OP_CHAT, "openrouter", "google/gemini-2.5-pro", AI_STATE_GOOGLE },
    { AI_OP_CHAT, "openai", "gpt-5", AI_STATE_NONE },
    { AI_OP_CHAT, "deepseek", "deepseek-reasoner", AI_STATE_NONE },
    { AI_OP_CHAT, "xai", "grok-4", AI_STATE_NONE },
    { AI_OP_CHAT, "mistral", "mistral-large-latest", AI_STATE_NONE },
    { AI_OP_COHERE_CHAT, "cohere", "command-a", AI_STATE_NONE },
    { AI_OP_OLLAMA_CHAT, "ollama-native", "m", AI_STATE_NONE }
};

/* those that have a slot for it: not Cohere's */

static const ai_op_e  clients[] = {
    AI_OP_CHAT, AI_OP_RESPONSES, AI_OP_MESSAGES, AI_OP_GENERATE, AI_OP_CONVERSE
};


static cJSON *
add(cJSON *list, const char *json)
{
    cJSON     *v;
    ai_str_t   s;

    s = hub_json(json);
    v = cJSON_ParseWithLength((char *) s.data, s.len);
    cJSON_AddItemToArray(list, v);

    return v;
}


/* the next request of a client that answers what is in hub.out */

static char *
echo(ai_op_e client, const char *id)
{
    char         *text, result[512];
    cJSON        *answer, *body, *list;
    const char   *name;
    const cJSON  *said, *item;

    answer = cJSON_ParseWithLength(hub.out, hub.len);
    body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "model", "m");

    name = client == AI_OP_RESPONSES ? "input"
           : client == AI_OP_GENERATE ? "contents" : "messages";
    list = cJSON_AddArrayToObject(body, name);

    switch (client) {

    case AI_OP_RESPONSES:
        add(list, "{'role':'user','content':'hi'}");

        cJSON_ArrayForEach(item, hub_at(answer, "output")) {
            cJSON_AddItemToArray(list, cJSON_Duplicate(item, 1));
        }

        snprintf(result, sizeof(result), "{'type':'function_call_output',"
                 "'call_id':'%s','output':'noon'}", id);
        add(list, result);
        break;

    case AI_OP_MESSAGES:
        cJSON_AddNumberToObject(body, "max_tokens", 99);
        add(list, "{'role':'user','content':'hi'}");
        item = add(list, "{'role':'assistant'}");
        cJSON_AddItemToObject((cJSON *) item, "content",
                              cJSON_Duplicate(hub_at(answer, "content"), 1));
        snprintf(result, sizeof(result), "{'role':'user','content':[{'type':"
                 "'tool_result','tool_use_id':'%s','content':'noon'}]}", id);
        add(list, result);
        break;

    case AI_OP_GENERATE:
        add(list, "{'role':'user','parts':[{'text':'hi'}]}");
        said = hub_at(answer, "candidates.0.content");
        cJSON_AddItemToArray(list, cJSON_Duplicate(said, 1));
        add(list, "{'role':'user','parts':[{'functionResponse':{'name':"
            "'now','response':{'result':'noon'}}}]}");
        break;

    case AI_OP_CONVERSE:
        add(list, "{'role':'user','content':[{'text':'hi'}]}");
        said = hub_at(answer, "output.message");
        cJSON_AddItemToArray(list, cJSON_Duplicate(said, 1));
        snprintf(result, sizeof(result), "{'role':'user','content':[{"
                 "'toolResult':{'toolUseId':'%s','content':[{'text':"
                 "'noon'}]}}]}", id);
        add(list, result);
        break;

    default:
        add(list, "{'role':'user','content':'hi'}");
        said = hub_at(answer, "choices.0.message");
        cJSON_AddItemToArray(list, cJSON_Duplicate(said, 1));
        snprintf(result, sizeof(result), "{'role':'tool','tool_call_id':'%s',"
                 "'content':'noon'}", id);
        add(list, result);
    }

    text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    cJSON_Delete(answer);

    return text;
}


static ai_state_e
kind_of(ai_state_e kind)
{
    return kind == AI_STATE_REDACTED ? AI_STATE_ANTHROPIC : kind;
}


static ai_int_t
parse(ai_op_e client, char *body)
{
    ai_str_t         s;
    ai_json_t        root;
    ai_json_error_t  err;

    s.len = strlen(body);
    s.data = unit_bytes(body, s.len);
    free(body);

    ai_report_init(&hub.rep, &unit_arena);
    ai_request_init(&hub.req, &unit_arena);

    if (ai_json_scan(s.data, s.len, NULL, &unit_arena, NULL, NULL, &root,
                     &err)
        != AI_OK
        || ai_wire(client)->parse_request(&hub.req, &root, &hub.rep) != AI_OK
        || ai_request_normalize(&hub.req, &hub.rep) != AI_OK)
    {
        return AI_ERROR;
    }

    snprintf(hub.in, HUB_SIZE, "%.*s", (int) s.len, s.data);

    return AI_OK;
}


static void
test_10_state_comes_back(void)
{
    int          want, got;
    cJSON       *v;
    char        *body, what[256];
    unsigned     i, k, n;
    hub_read_t   r;

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {

        for (k = 0; k < sizeof(clients) / sizeof(clients[0]); k++) {

            hub.have_req = 0;
            hub_document(answers[i].op, answers[i].vendor, answers[i].json,
                         clients[k], 0);
            hub_read_document(&r, clients[k]);
            body = echo(clients[k], r.calls[0].id);

            if (parse(clients[k], body) != AI_OK) {
                hub_fail("the echo is refused", answers[i].op, clients[k]);
                continue;
            }

            for (n = 0; n < sizeof(targets) / sizeof(targets[0]); n++) {
                v = hub_render(targets[n].op, targets[n].vendor,
                               targets[n].model);
                want = kind_of(answers[i].kind) == targets[n].kind;
                got = strstr(hub.out, "\"" STATE "\"") != NULL
                      || (targets[n].op == AI_OP_CONVERSE
                          && strstr(hub.out, "\"" BYTES "\"") != NULL);

                /* and not packed either */

                if (v == NULL || want != got
                    || strstr(hub.out, "YWlndzE6") != NULL)
                {
                    snprintf(what, sizeof(what), "state of %s, of kind %d, "
                             "for %s %s: %s", answers[i].vendor,
                             (int) answers[i].kind, targets[n].vendor,
                             targets[n].model, got ? "told" : "not told");
                    hub_fail(what, clients[k], targets[n].op);

                } else {
                    unit.passed++;
                }

                cJSON_Delete(v);
            }
        }

        unit_arena_reset();
    }
}


/*
 * What a stream tells is what a document tells; but the items of Responses
 * begin before their state is known, so there it may be packed.
 */

static void
test_10_state_in_streams(void)
{
    unsigned     i, k;
    ai_op_e      to;
    hub_read_t   whole, r;

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {

        for (k = 0; k < sizeof(clients) / sizeof(clients[0]); k++) {
            hub.have_req = 0;
            to = clients[k] == AI_OP_GENERATE ? AI_OP_STREAM_GENERATE
                 : clients[k] == AI_OP_CONVERSE ? AI_OP_CONVERSE_STREAM
                 : clients[k];

            hub_document(answers[i].op, answers[i].vendor, answers[i].json,
                         clients[k], 0);
            hub_read_document(&whole, clients[k]);

            hub_document(answers[i].op, answers[i].vendor, answers[i].json,
                         to, 1);
            hub_read(&r, to);

            if (r.bad != NULL
                || (strcmp(r.state, whole.state) != 0
                    && !(to == AI_OP_RESPONSES
                         && strncmp(r.state, "YWlndzE6", 8) == 0))
                || strcmp(r.calls[0].state, whole.calls[0].state) != 0
                || (r.state[0] == '\0' && r.calls[0].state[0] == '\0'))
            {
                hub_fail(r.bad ? r.bad : "another state", answers[i].op, to);

            } else {
                unit.passed++;
            }
        }
    }
}


/* thoughts without a signature do not go to Claude, and Claude then rests */

static void
test_10_unsigned_thoughts(void)
{
    cJSON     *v;
    char      *body;
    unsigned   k;

    static const char  answer[] =
        "{'id':'c','object':'chat.completion','model':'m','created':5,"
        "'choices':[{'index':0,'message':{'role':'assistant','content':null,"
        "'reasoning_content':'hm','tool_calls':[{'id':'call_a','type':"
        "'function','function':{'name':'now','arguments':'{}'}}]},"
        "'finish_reason':'tool_calls'}]}";

    for (k = 0; k < sizeof(clients) / sizeof(clients[0]); k++) {
        hub_read_t  r;

        hub.have_req = 0;
        hub_document(AI_OP_CHAT, "deepseek", answer, clients[k], 0);
        hub_read_document(&r, clients[k]);
        CHECK_STR(r.thought, strlen(r.thought), "hm");

        body = echo(clients[k], r.calls[0].id);
        CHECK_INT(parse(clients[k], body), AI_OK);

        hub.req.effort = AI_EFFORT_HIGH;

        v = hub_render(AI_OP_MESSAGES, "anthropic", "claude-sonnet-4-5");

        if (strstr(hub.out, "\"signature\"") != NULL
            || strcmp(hub_text(v, "thinking.type"), "enabled") == 0)
        {
            hub_fail("a thought without a signature", clients[k],
                     AI_OP_MESSAGES);
        }

        cJSON_Delete(v);

        v = hub_render(AI_OP_CONVERSE, "bedrock",
                       "anthropic.claude-sonnet-4-5-20250929-v1:0");

        if (strstr(hub.out, "reasoningContent") != NULL
            || strstr(hub.out, "\"enabled\"") != NULL)
        {
            hub_fail("a thought without a signature", clients[k],
                     AI_OP_CONVERSE);
        }

        cJSON_Delete(v);

        /* Gemini 3 wants one of each call: the one that says so */

        v = hub_render(AI_OP_GENERATE, "gemini", "gemini-3-pro-preview");
        HUB_TEXT(v, "contents.1.parts.0.thoughtSignature",
                 "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=");
        cJSON_Delete(v);

        /* DeepSeek wants the words */

        v = hub_render(AI_OP_CHAT, "deepseek", "deepseek-reasoner");
        HUB_TEXT(v, "messages.1.reasoning_content", "hm");
        cJSON_Delete(v);
    }
}


int
main(void)
{
    UNIT_RUN(test_10_state_comes_back);
    UNIT_RUN(test_10_state_in_streams);
    UNIT_RUN(test_10_unsigned_thoughts);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The tables of wire-formats.md 2 that requests are written by, row by row:
 * effort (2.4), choice of tools (2.5), media (2.7); and arguments that are no
 * object (0.7).
 */


#include "hub.h"


#define CLAUDE_BUDGET    "claude-sonnet-4-5"
#define CLAUDE_ADAPTIVE  "claude-opus-4-6"

#define TOOLS                                                                \
    "'tools':[{'type':'function','function':{'name':'f','parameters':{"      \
    "'type':'object','properties':{}}}},{'type':'function','function':{"     \
    "'name':'g','parameters':{'type':'object','properties':{}}}}]"


static cJSON *
render(const char *members, ai_op_e to, const char *vendor,
    const char *model)
{
    char  body[4096];

    snprintf(body, sizeof(body), "{'model':'m','messages':[{'role':'user',"
             "'content':'hi'}]%s%s}", members[0] != '\0' ? "," : "", members);

    return hub_request(AI_OP_CHAT, body, to, vendor, model);
}


/* 0.7: what is no JSON object never goes as a string, or as another type */

static void
test_arguments_are_objects(void)
{
    char       body[2048];
    cJSON     *v;
    size_t     i;
    unsigned   k;

    static const struct {
        const char  *args;        /* between the quotes of a string */
        const char  *want;
    } rows[] = {
        { "", "{}" },
        { "{}", "{}" },
        { "{\\'a\\':1.0,\\'b\\':[]}", "{'a':1,'b':[]}" },
        { "rain in Rome", "{'rawInvalidInput':'rain in Rome'}" },
        { "[1]", "{'rawInvalidInput':'[1]'}" },
        { "\\'x\\'", "{'rawInvalidInput':'\\'x\\''}" },
        { "{\\'cut\\':", "{'rawInvalidInput':'{\\'cut\\':'}" },
        { "7", "{'rawInvalidInput':'7'}" }
    };
    static const struct {
        ai_op_e      op;
        const char  *path;
    } targets[] = {
        { AI_OP_MESSAGES, "messages.1.content.0.input" },
        { AI_OP_GENERATE, "contents.1.parts.0.functionCall.args" },
        { AI_OP_CONVERSE, "messages.1.content.0.toolUse.input" },
        { AI_OP_OLLAMA_CHAT, "messages.1.tool_calls.0.function.arguments" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(body, sizeof(body), "{'model':'m','messages':[{'role':"
                 "'user','content':'hi'},{'role':'assistant','tool_calls':["
                 "{'id':'call_a','type':'function','function':{'name':'f',"
                 "'arguments':'%s'}}]},{'role':'tool','tool_call_id':"
                 "'call_a','content':'x'}]," TOOLS "}", rows[i].args);

        for (k = 0; k < sizeof(targets) / sizeof(targets[0]); k++) {
            v = hub_request(AI_OP_CHAT, body, targets[k].op, NULL,
                            CLAUDE_BUDGET);

            if (!HUB_JSON(v, targets[k].path, rows[i].want)) {
                printf("    arguments %s, %s\n", rows[i].args,
                       hub_name(targets[k].op));
            }

            cJSON_Delete(v);
        }
    }
}


/* 2.4; "-" is no such member */

static void
test_effort(void)
{
    cJSON     *v;
    char       members[64];
    unsigned   i, k;

    static const char *const  names[] = {
        "none", "minimal", "low", "medium", "high", "xhigh", "max"
    };
    static const struct {
        ai_op_e      op;
        const char  *vendor;
        const char  *model;
        const char  *path;
        const char  *want[7];
    } rows[] = {
        { AI_OP_MESSAGES, NULL, "claude-opus-5", "output_config.effort",
          { "-", "'low'", "'low'", "'medium'", "'high'", "'xhigh'",
            "'max'" } },
        { AI_OP_MESSAGES, NULL, CLAUDE_ADAPTIVE, "output_config.effort",
          { "-", "'low'", "'low'", "'medium'", "'high'", "'high'",
            "'max'" } },
        { AI_OP_MESSAGES, NULL, CLAUDE_ADAPTIVE, "thinking.type",
          { "?", "'adaptive'", "'adaptive'", "'adaptive'", "'adaptive'",
            "'adaptive'", "'adaptive'" } },
        { AI_OP_MESSAGES, NULL, CLAUDE_BUDGET, "thinking.budget_tokens",
          { "-", "1024", "1024", "2048", "4096", "8192", "16384" } },
        { AI_OP_CONVERSE, NULL, "us.anthropic.claude-sonnet-4-5-v1:0",
          "additionalModelRequestFields.thinking.budget_tokens",
          { "-", "1024", "1024", "2048", "4096", "8192", "16384" } },
        { AI_OP_GENERATE, NULL, "gemini-3-flash-preview",
          "generationConfig.thinkingConfig.thinkingLevel",
          { "'minimal'", "'minimal'", "'low'", "'medium'", "'high'",
            "'high'", "'high'" } },
        { AI_OP_GENERATE, NULL, "gemini-3-pro-preview",
          "generationConfig.thinkingConfig.thinkingLevel",
          { "?", "?", "'low'", "'high'", "'high'", "'high'", "'high'" } },
        { AI_OP_GENERATE, "vertex", "gemini-2.5-flash",
          "generationConfig.thinkingConfig.thinkingBudget",
          { "0", "1024", "1024", "2048", "4096", "8192", "16384" } },
        { AI_OP_CONVERSE, NULL, "amazon.nova-2-lite-v1:0",
          "additionalModelRequestFields.reasoningConfig.maxReasoningEffort",
          { "-", "'low'", "'low'", "'medium'", "'high'", "'high'",
            "'high'" } },
        { AI_OP_CONVERSE, NULL, "openai.gpt-oss-120b-1:0",
          "additionalModelRequestFields.reasoning_effort",
          { "-", "'low'", "'low'", "'medium'", "'high'", "'high'",
            "'high'" } },
        { AI_OP_CHAT, "openrouter", "deepseek/deepseek-r1",
          "reasoning.effort",
          { "'none'", "'minimal'", "'low'", "'medium'", "'high'", "?",
            "?" } },
        { AI_OP_CHAT, "openai", "gpt-5", "reasoning_effort",
          { "?", "'minimal'", "'low'", "'medium'", "'high'", "?", "?" } }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (k = 0; k < 7; k++) {
            snprintf(members, sizeof(members), "'reasoning_effort':'%s'",
                     names[k]);

            v = render(members, rows[i].op, rows[i].vendor, rows[i].model);
            CHECK(v != NULL);

            if (rows[i].want[k][0] == '-') {
                if (!CHECK(hub_at(v, rows[i].path) == NULL)) {
                    printf("    %s %s: %s\n", rows[i].model, names[k],
                           hub.out);
                }

            } else if (rows[i].want[k][0] != '?'
                       && !HUB_JSON(v, rows[i].path, rows[i].want[k]))
            {
                printf("    %s %s\n", rows[i].model, names[k]);
            }

            cJSON_Delete(v);
        }
    }
}


/* a budget is at least 1024, and leaves what was asked for the answer */

static void
test_budget(void)
{
    cJSON  *v;

    v = render("'reasoning_effort':'high','max_tokens':500", AI_OP_MESSAGES,
               NULL, CLAUDE_BUDGET);
    HUB_JSON(v, "thinking.budget_tokens", "4096");
    HUB_JSON(v, "max_tokens", "4596");
    HUB_NONE(v, "temperature");
    cJSON_Delete(v);

    v = render("'reasoning_effort':'low','temperature':0.3,'top_p':0.5",
               AI_OP_MESSAGES, NULL, CLAUDE_BUDGET);
    HUB_NONE(v, "temperature");
    HUB_NONE(v, "top_p");
    cJSON_Delete(v);
}


/* 2.5 */

static void
test_choice(void)
{
    char       members[2048];
    cJSON     *v;
    unsigned   i, k;

    static const char *const  choices[] = {
        "'auto'", "'none'", "'required'",
        "{'type':'function','function':{'name':'g'}}"
    };
    static const struct {
        ai_op_e      op;
        const char  *vendor;
        const char  *path;
        const char  *want[4];
    } rows[] = {
        { AI_OP_MESSAGES, NULL, "tool_choice",
          { "{'type':'auto'}", "{'type':'none'}", "{'type':'any'}",
            "{'type':'tool','name':'g'}" } },
        { AI_OP_GENERATE, NULL, "toolConfig.functionCallingConfig",
          { "{'mode':'AUTO'}", "{'mode':'NONE'}", "{'mode':'ANY'}",
            "{'mode':'ANY','allowedFunctionNames':['g']}" } },
        { AI_OP_CONVERSE, NULL, "toolConfig.toolChoice",
          { "{'auto':{}}", "-", "{'any':{}}", "{'tool':{'name':'g'}}" } },
        { AI_OP_CHAT, "mistral", "tool_choice",
          { "'auto'", "'none'", "'any'",
            "{'type':'function','function':{'name':'g'}}" } },
        { AI_OP_CHAT, "openai", "tool_choice",
          { "'auto'", "'none'", "'required'",
            "{'type':'function','function':{'name':'g'}}" } },
        { AI_OP_RESPONSES, NULL, "tool_choice",
          { "'auto'", "'none'", "'required'",
            "{'type':'function','name':'g'}" } },
        { AI_OP_COHERE_CHAT, NULL, "tool_choice",
          { "-", "'NONE'", "'REQUIRED'", "'REQUIRED'" } },
        { AI_OP_OLLAMA_CHAT, NULL, "tool_choice", { "-", "-", "-", "-" } }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (k = 0; k < 4; k++) {
            snprintf(members, sizeof(members), "%s,'tool_choice':%s", TOOLS,
                     choices[k]);
            v = render(members, rows[i].op, rows[i].vendor, "m");
            CHECK(v != NULL);

            if (rows[i].want[k][0] == '-') {
                CHECK(hub_at(v, rows[i].path) == NULL);

            } else if (!HUB_JSON(v, rows[i].path, rows[i].want[k])) {
                printf("    %s %s\n", hub_name(rows[i].op), choices[k]);
            }

            cJSON_Delete(v);
        }
    }

    /* who has no word for it is shown that tool alone, or none */

    snprintf(members, sizeof(members), "%s,'tool_choice':%s", TOOLS,
             choices[3]);
    v = render(members, AI_OP_COHERE_CHAT, NULL, "m");
    CHECK_INT(cJSON_GetArraySize(hub_at(v, "tools")), 1);
    HUB_TEXT(v, "tools.0.function.name", "g");
    cJSON_Delete(v);

    v = render(TOOLS ",'tool_choice':'none'", AI_OP_OLLAMA_CHAT, NULL, "m");
    HUB_NONE(v, "tools");
    cJSON_Delete(v);
}


static void
test_allowed_and_parallel(void)
{
    cJSON     *v;
    unsigned   i;

    static const char  allowed[] =
        TOOLS ",'tool_choice':{'type':'allowed_tools','allowed_tools':{"
        "'mode':'required','tools':[{'type':'function','function':{'name':"
        "'g'}}]}}";

    static const struct {
        ai_op_e      op;
        const char  *vendor;
        const char  *list;
        const char  *choice;
        const char  *want;
    } rows[] = {
        { AI_OP_MESSAGES, NULL, "tools", "tool_choice.type", "any" },
        { AI_OP_CONVERSE, NULL, "toolConfig.tools", "", "" },
        { AI_OP_COHERE_CHAT, NULL, "tools", "tool_choice", "REQUIRED" },
        { AI_OP_CHAT, "mistral", "tools", "tool_choice", "any" },
        { AI_OP_OLLAMA_CHAT, NULL, "tools", "", "" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        v = render(allowed, rows[i].op, rows[i].vendor, "m");

        if (!CHECK_INT(cJSON_GetArraySize(hub_at(v, rows[i].list)), 1)) {
            printf("    %s: %s\n", hub_name(rows[i].op), hub.out);
        }

        if (rows[i].choice[0] != '\0') {
            HUB_TEXT(v, rows[i].choice, rows[i].want);
        }

        cJSON_Delete(v);
    }

    v = render(allowed, AI_OP_GENERATE, NULL, "m");
    CHECK_INT(cJSON_GetArraySize(hub_at(v, "tools.0.functionDeclarations")),
              1);
    HUB_TEXT(v, "toolConfig.functionCallingConfig.mode", "ANY");
    cJSON_Delete(v);

    v = render(TOOLS ",'parallel_tool_calls':false", AI_OP_MESSAGES, NULL,
               "m");
    HUB_JSON(v, "tool_choice", "{'type':'auto',"
                               "'disable_parallel_tool_use':true}");
    cJSON_Delete(v);

    v = render(TOOLS ",'parallel_tool_calls':false", AI_OP_CHAT, "mistral",
               "m");
    HUB_JSON(v, "parallel_tool_calls", "false");
    cJSON_Delete(v);
}


/* 2.7; "!" is refused */

static void
test_media(void)
{
    char       members[1024];
    cJSON     *v;
    unsigned   i, k;

    static const char *const  parts[] = {
        "{'type':'image_url','image_url':{'url':"
            "'data:image/png;base64,iVBORw0KGgo=','detail':'low'}}",
        "{'type':'image_url','image_url':{'url':'https://a.example/b.png'}}",
        "{'type':'input_audio','input_audio':{'data':'UklGRg==',"
            "'format':'wav'}}",
        "{'type':'file','file':{'filename':'a.b.pdf','file_data':"
            "'data:application/pdf;base64,JVBERi0='}}"
    };
    static const struct {
        ai_op_e      op;
        const char  *vendor;
        const char  *want[4];
    } rows[] = {
        { AI_OP_MESSAGES, "anthropic",
          { "{\"type\":\"image\",\"source\":{\"type\":\"base64\","
            "\"media_type\":\"image/png\",\"data\":\"iVBORw0KGgo=\"}",
            "{\"type\":\"url\",\"url\":\"https://a.example/b.png\"}", "!",
            "\"media_type\":\"application/pdf\",\"data\":\"JVBERi0=\"" } },
        { AI_OP_MESSAGES, "vertex-anthropic",
          { "\"data\":\"iVBORw0KGgo=\"", "?", "!",
            "\"data\":\"JVBERi0=\"" } },
        { AI_OP_MESSAGES, "bedrock-anthropic",
          { "\"data\":\"iVBORw0KGgo=\"", "!", "!",
            "\"data\":\"JVBERi0=\"" } },
        { AI_OP_GENERATE, "gemini",
          { "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
            "\"iVBORw0KGgo=\"}", "!",
            "{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":"
            "\"UklGRg==\"}",
            "{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":"
            "\"JVBERi0=\"}" } },
        { AI_OP_CONVERSE, "bedrock",
          { "{\"image\":{\"source\":{\"bytes\":\"iVBORw0KGgo=\"},"
            "\"format\":\"png\"}", "!",
            "{\"audio\":{\"source\":{\"bytes\":\"UklGRg==\"},"
            "\"format\":\"wav\"}",
            "\"format\":\"pdf\"" } },
        { AI_OP_CHAT, "mistral",
          { "data:image/png;base64,iVBORw0KGgo=", "https://a.example/b.png",
            "\"UklGRg==\"", "\"document_url\"" } },
        { AI_OP_COHERE_CHAT, "cohere",
          { "data:image/png;base64,iVBORw0KGgo=", "https://a.example/b.png",
            "!", "?" } },
        { AI_OP_OLLAMA_CHAT, "ollama-native",
          { "\"images\":[\"iVBORw0KGgo=\"]", "!", "!", "!" } },
        { AI_OP_RESPONSES, "openai",
          { "{\"type\":\"input_image\",\"image_url\":"
            "\"data:image/png;base64,iVBORw0KGgo=\"",
            "\"image_url\":\"https://a.example/b.png\"", "?",
            "\"type\":\"input_file\"" } }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (k = 0; k < 4; k++) {
            snprintf(members, sizeof(members), "{'model':'m','messages':[{"
                     "'role':'user','content':[{'type':'text','text':'hi'},"
                     "%s]}]}", parts[k]);
            v = hub_request(AI_OP_CHAT, members, rows[i].op, rows[i].vendor,
                            "m");

            if (rows[i].want[k][0] == '!') {
                if (!CHECK(v == NULL && hub.rc == AI_DECLINED
                           && hub.rep.message.len != 0))
                {
                    printf("    %s part %u: %s\n", rows[i].vendor, k,
                           hub.out);
                }

            } else if (rows[i].want[k][0] != '?'
                       && !CHECK(v != NULL
                                 && strstr(hub.out, rows[i].want[k]) != NULL))
            {
                printf("    %s part %u: %.*s %s\n", rows[i].vendor, k,
                       (int) hub.rep.message.len, hub.rep.message.data,
                       v ? hub.out : "");
            }

            cJSON_Delete(v);
        }
    }
}


int
main(void)
{
    UNIT_RUN(test_arguments_are_objects);
    UNIT_RUN(test_effort);
    UNIT_RUN(test_budget);
    UNIT_RUN(test_choice);
    UNIT_RUN(test_allowed_and_parallel);
    UNIT_RUN(test_media);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Known mistakes of other gateways (wire-formats.md 16) in requests: each by
 * its number, from all clients to all providers where it can be made.
 */


#include "ai_header.h"
#include "hub.h"


/*
 * One conversation as each client tells it, in the order of hub_clients[]:
 * two calls at once, their results apart from each other and in the wrong
 * order where that can be said, and then the user goes on.  TOOLS are put in
 * by a test.
 */

#define TALK_CHAT(more)                                                      \
    "{'model':'m','messages':[{'role':'user','content':'hi'},"               \
    "{'role':'assistant','content':null,'tool_calls':[{'id':'call_a',"       \
    "'type':'function','function':{'name':'weather','arguments':"            \
    "'{\\'city\\':\\'Rome\\'}'}},{'id':'call_b','type':'function',"          \
    "'function':{'name':'now','arguments':''}}]},"                           \
    "{'role':'tool','tool_call_id':'call_b','content':'noon'},"              \
    "{'role':'tool','tool_call_id':'call_a','content':'rain'},"              \
    "{'role':'user','content':'so?'}]" more "}"
#define TALK_RESPONSES(more)                                                 \
    "{'model':'m','input':[{'role':'user','content':'hi'},"                  \
    "{'type':'function_call','call_id':'call_a','name':'weather',"           \
    "'arguments':'{\\'city\\':\\'Rome\\'}'},{'type':'function_call',"        \
    "'call_id':'call_b','name':'now','arguments':'{}'},"                     \
    "{'type':'function_call_output','call_id':'call_b','output':'noon'},"    \
    "{'type':'function_call_output','call_id':'call_a','output':'rain'},"    \
    "{'role':'user','content':'so?'}]" more "}"
#define TALK_MESSAGES(more)                                                  \
    "{'model':'m','max_tokens':99,'messages':["                              \
    "{'role':'user','content':'hi'},{'role':'assistant','content':["         \
    "{'type':'tool_use','id':'call_a','name':'weather','input':{"            \
    "'city':'Rome'}},{'type':'tool_use','id':'call_b','name':'now',"         \
    "'input':{}}]},{'role':'user','content':[{'type':'tool_result',"         \
    "'tool_use_id':'call_b','content':'noon'}]},{'role':'user','content':["  \
    "{'type':'text','text':'so?'},{'type':'tool_result',"                    \
    "'tool_use_id':'call_a','content':'rain'}]}]" more "}"
#define TALK_GENERATE(more)                                                  \
    "{'contents':[{'role':'user','parts':[{'text':'hi'}]},{'role':'model',"  \
    "'parts':[{'functionCall':{'name':'weather','args':{'city':'Rome'}}},"   \
    "{'functionCall':{'name':'now','args':{}}}]},{'role':'user','parts':["   \
    "{'functionResponse':{'name':'now','response':{'result':'noon'}}}]},"    \
    "{'role':'user','parts':[{'functionResponse':{'name':'weather',"         \
    "'response':{'result':'rain'}}}]},{'role':'user','parts':["              \
    "{'text':'so?'}]}]" more "}"
#define TALK_COHERE(more)  TALK_CHAT(more)
#define TALK_CONVERSE(more)                                                  \
    "{'messages':[{'role':'user','content':[{'text':'hi'}]},"                \
    "{'role':'assistant','content':[{'toolUse':{'toolUseId':'call_a',"       \
    "'name':'weather','input':{'city':'Rome'}}},{'toolUse':{'toolUseId':"    \
    "'call_b','name':'now','input':{}}}]},{'role':'user','content':["        \
    "{'toolResult':{'toolUseId':'call_b','content':[{'text':'noon'}]}},"     \
    "{'toolResult':{'toolUseId':'call_a','content':[{'text':'rain'}]}},"     \
    "{'text':'so?'}]}]" more "}"

#define SCHEMA  "{'type':'object','properties':{'city':{'type':'string'}}}"

#define TOOLS_CHAT                                                           \
    ",'tools':[{'type':'function','function':{'name':'weather',"             \
    "'description':'d','parameters':" SCHEMA "}}]"
#define TOOLS_RESPONSES                                                      \
    ",'tools':[{'type':'function','name':'weather','description':'d',"       \
    "'parameters':" SCHEMA "}]"
#define TOOLS_MESSAGES                                                       \
    ",'tools':[{'name':'weather','description':'d','input_schema':" SCHEMA   \
    "}]"
#define TOOLS_GENERATE                                                       \
    ",'tools':[{'functionDeclarations':[{'name':'weather','description':"    \
    "'d','parameters':" SCHEMA "}]}]"
#define TOOLS_CONVERSE                                                       \
    ",'toolConfig':{'tools':[{'toolSpec':{'name':'weather','description':"   \
    "'d','inputSchema':{'json':" SCHEMA "}}}]}"

#define ALL(talk, tools)                                                     \
    { talk##_CHAT(tools##CHAT), talk##_RESPONSES(tools##RESPONSES),          \
      talk##_MESSAGES(tools##MESSAGES), talk##_GENERATE(tools##GENERATE),    \
      talk##_COHERE(tools##CHAT), talk##_CONVERSE(tools##CONVERSE) }

#define NO_CHAT
#define NO_RESPONSES
#define NO_MESSAGES
#define NO_GENERATE
#define NO_CONVERSE

static const char *const  with_tools[] = ALL(TALK, TOOLS_);
static const char *const  without_tools[] = ALL(TALK, NO_);


/* the strings in a tree, in their order, with spaces between */

static void
strings(const cJSON *v, const char *name, char *out, size_t size)
{
    size_t        n;
    const cJSON  *e;

    if (cJSON_IsString(v) && v->string != NULL
        && strcmp(v->string, name) == 0)
    {
        n = strlen(out);
        snprintf(out + n, size - n, "%s%s", n ? " " : "", v->valuestring);
    }

    cJSON_ArrayForEach(e, v) {
        strings(e, name, out, size);
    }
}


static int
has(const cJSON *v, const char *name, const char *want)
{
    char  out[4096];

    out[0] = '\0';
    strings(v, name, out, sizeof(out));

    return strcmp(out, want) == 0;
}


static int
count(const cJSON *v, const char *name)
{
    int           n;
    const cJSON  *e;

    n = v != NULL && v->string != NULL && strcmp(v->string, name) == 0;

    cJSON_ArrayForEach(e, v) {
        n += count(e, name);
    }

    return n;
}


/* 12: ids of models are escaped in paths, once; what is signed, twice */

static void
test_12_model_in_path(void)
{
    size_t             i, len;
    u_char             path[1024];
    ai_str_t           s;
    ai_vendor_args_t   args;

    static const struct {
        const char  *vendor;
        ai_op_e      op;
        ai_uint_t    stream;
        const char  *model;
        const char  *path;
    } paths[] = {
        { "bedrock", AI_OP_CONVERSE, 0, "us.a.claude-v1:0",
          "/model/us.a.claude-v1%3A0/converse" },
        { "bedrock", AI_OP_CONVERSE_STREAM, 1,
          "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
          "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3A"
          "application-inference-profile%2Fabc/converse-stream" },
        { "bedrock-anthropic", AI_OP_MESSAGES, 1, "a.claude-v1:0",
          "/model/a.claude-v1%3A0/invoke-with-response-stream" },
        { "vertex-anthropic", AI_OP_MESSAGES, 0, "claude@2025",
          "/projects/p/locations/r/publishers/anthropic"
          "/models/claude@2025:rawPredict" },
        { "azure-classic", AI_OP_CHAT, 0, "a b/c?",
          "/deployments/a%20b%2Fc%3F/chat/completions?api-version=v" }
    };

    ai_str_set(&args.project, "p");
    ai_str_set(&args.region, "r");
    ai_str_set(&args.version, "v");

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const ai_vendor_t   *v;
        const ai_dialect_t  *d;

        v = hub_vendor(paths[i].vendor, paths[i].op);
        s.data = (u_char *) v->dialect;
        s.len = strlen(v->dialect);
        d = ai_dialect_find(&s);

        args.model.data = (u_char *) paths[i].model;
        args.model.len = strlen(paths[i].model);

        CHECK(ai_vendor_path_len(v, d, paths[i].op, paths[i].stream, &args)
              <= sizeof(path));

        len = (size_t) (ai_vendor_path(path, v, d, paths[i].op,
                                       paths[i].stream, &args) - path);

        CHECK_MEM(path, len, paths[i].path, strlen(paths[i].path));
    }
}


/* 13: Converse wants toolConfig where there are calls in the history */

static void
test_13_tool_config(void)
{
    cJSON     *v;
    unsigned   i;

    for (i = 0; hub_clients[i] != AI_OP_NONE; i++) {
        v = hub_request(hub_clients[i], without_tools[i], AI_OP_CONVERSE,
                        NULL, "us.anthropic.claude-sonnet-4-5-20250929-v1:0");

        must(hub_at(v, "toolConfig.tools.0.toolSpec.name") != NULL,
             "a toolConfig", hub_clients[i], AI_OP_CONVERSE);
        must(count(v, "toolUse") == 2 && count(v, "toolResult") == 2,
             "the history", hub_clients[i], AI_OP_CONVERSE);
        cJSON_Delete(v);

        v = hub_request(hub_clients[i], with_tools[i], AI_OP_CONVERSE, NULL,
                        "amazon.nova-pro-v1:0");
        HUB_TEXT(v, "toolConfig.tools.0.toolSpec.name", "weather");
        cJSON_Delete(v);
    }

    /* "none" has no word there, but the history needs the tools */

    v = hub_request(AI_OP_CHAT, TALK_CHAT(TOOLS_CHAT ",'tool_choice':'none'"),
                    AI_OP_CONVERSE, NULL, "amazon.nova-pro-v1:0");
    CHECK(hub_at(v, "toolConfig.tools.0") != NULL);
    HUB_NONE(v, "toolConfig.toolChoice");
    cJSON_Delete(v);

    v = hub_request(AI_OP_CHAT, "{'model':'m','messages':[{'role':'user',"
                    "'content':'hi'}],'tool_choice':'none'" TOOLS_CHAT "}",
                    AI_OP_CONVERSE, NULL, "amazon.nova-pro-v1:0");
    HUB_NONE(v, "toolConfig");
    cJSON_Delete(v);
}


/* results in one message, in the order of the calls, before any text */

static void
check_results(const cJSON *v, ai_op_e from, ai_op_e to)
{
    must(v != NULL, "a body", from, to);

    switch (to) {

    case AI_OP_MESSAGES:
        must(cJSON_GetArraySize(hub_at(v, "messages")) == 3
             && has(hub_at(v, "messages.2"), "type",
                    "tool_result tool_result text")
             && has(hub_at(v, "messages.2"), "role", "user"),
             "one message of results, then text", from, to);
        break;

    case AI_OP_GENERATE:
        must(count(hub_at(v, "contents.2"), "functionResponse") == 2
             && has(hub_at(v, "contents.2"), "name", "weather now")
             && count(hub_at(v, "contents.2"), "text") == 0,
             "one content of results", from, to);
        must(has(hub_at(v, "contents"), "text", "hi so?"), "the texts", from,
             to);
        break;

    case AI_OP_CONVERSE:
        must(cJSON_GetArraySize(hub_at(v, "messages")) == 3
             && count(hub_at(v, "messages.2"), "toolResult") == 2
             && has(hub_at(v, "messages.2"), "role", "user"),
             "one message of results", from, to);
        break;

    case AI_OP_RESPONSES:
        must(has(hub_at(v, "input.3"), "type", "function_call_output")
             && has(hub_at(v, "input.4"), "type", "function_call_output")
             && hub_at(v, "input.5") != NULL && hub_at(v, "input.6") == NULL,
             "results in front of the user's", from, to);
        break;

    default:
        must(has(hub_at(v, "messages"), "role",
                 "user assistant tool tool user"), "the roles", from, to);
    }

    must(strstr(hub.out, "rain") != NULL
         && strstr(hub.out, "rain") < strstr(hub.out, "noon")
         && strstr(hub.out, "noon") < strstr(hub.out, "so?"), "the order",
         from, to);
}


/* 14: results of parallel calls go together, from all to all */

static void
test_14_results_merged(void)
{
    cJSON     *v;
    ai_op_e    to;
    unsigned   i, k;

    for (i = 0; hub_clients[i] != AI_OP_NONE; i++) {

        for (k = 0; hub_providers[k] != AI_OP_NONE; k++) {
            to = hub_document_op(hub_providers[k]);
            v = hub_request(hub_clients[i], with_tools[i], to, NULL, "m");
            check_results(v, hub_clients[i], to);
            cJSON_Delete(v);
        }
    }
}


/* 15: keywords of a schema that Gemini's own subset does not know */

static void
test_15_gemini_schema(void)
{
    cJSON     *v;
    size_t     i;
    unsigned   k;

    static const char  schema[] =
        "{'$schema':'http://json-schema.org/draft-07/schema#','$id':'x',"
        "'type':'object','additionalProperties':false,'properties':{"
        "'a':{'$ref':'#/$defs/A'},'b':{'type':['string','null']},"
        "'c':{'const':'x'},'d':{'type':'number','exclusiveMinimum':0},"
        "'e':{'type':'array','uniqueItems':true},'f':{'allOf':[{'type':"
        "'string'}]},'g':{'type':'integer','enum':[1,2]}},"
        "'propertyNames':{'pattern':'x'},'$defs':{'A':{'type':'string'}}}";

    static const char *const  forbidden[] = {
        "$schema", "$id", "$ref", "$defs", "const", "propertyNames",
        "exclusiveMinimum", "uniqueItems", "allOf", "patternProperties",
        "not", "if", "then"
    };

    static const struct {
        const char  *before;
        const char  *after;
        ai_op_e      op;
    } clients[] = {
        { "{'model':'m','messages':[{'role':'user','content':'hi'}],'tools':["
          "{'type':'function','function':{'name':'f','parameters':", "}}]}",
          AI_OP_CHAT },
        { "{'model':'m','input':'hi','tools':[{'type':'function','name':'f',"
          "'parameters':", "}]}", AI_OP_RESPONSES },
        { "{'model':'m','max_tokens':9,'messages':[{'role':'user','content':"
          "'hi'}],'tools':[{'name':'f','input_schema':", "}]}",
          AI_OP_MESSAGES },
        { "{'messages':[{'role':'user','content':[{'text':'hi'}]}],"
          "'toolConfig':{'tools':[{'toolSpec':{'name':'f','inputSchema':{"
          "'json':", "}}}]}}", AI_OP_CONVERSE },
        { "{'model':'m','messages':[{'role':'user','content':'hi'}],'tools':["
          "{'type':'function','function':{'name':'f','parameters':", "}}]}",
          AI_OP_COHERE_CHAT }
    };

    for (k = 0; k < sizeof(clients) / sizeof(clients[0]); k++) {
        const cJSON  *f;
        char          body[2048];

        snprintf(body, sizeof(body), "%s%s%s", clients[k].before, schema,
                 clients[k].after);

        /* all of it under the name that takes all, or the subset */

        v = hub_request(clients[k].op, body, AI_OP_GENERATE, NULL,
                        "gemini-2.5-flash");
        f = hub_at(v, "tools.0.functionDeclarations.0");
        CHECK(f != NULL);

        if (hub_at(f, "parametersJsonSchema") != NULL) {
            HUB_NONE(f, "parameters");
            CHECK(hub_at(f, "parametersJsonSchema.$defs.A") != NULL);

        } else {
            for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
                must(count(f, forbidden[i]) == 0, forbidden[i],
                     clients[k].op, AI_OP_GENERATE);
            }
        }

        cJSON_Delete(v);

        /* an answer's schema, where only the subset is taken */

        if (clients[k].op != AI_OP_CHAT) {
            continue;
        }

        snprintf(body, sizeof(body), "{'model':'m','messages':[{'role':"
                 "'user','content':'hi'}],'response_format':{'type':"
                 "'json_schema','json_schema':{'name':'n','schema':%s}}}",
                 schema);

        v = hub_request(AI_OP_CHAT, body, AI_OP_GENERATE, NULL,
                        "gemini-1.5-pro");
        f = hub_at(v, "generationConfig.responseSchema");
        CHECK(f != NULL);
        HUB_NONE(v, "generationConfig.responseJsonSchema");

        for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
            must(count(f, forbidden[i]) == 0, forbidden[i], AI_OP_CHAT,
                 AI_OP_GENERATE);
        }

        cJSON_Delete(v);
    }
}


/* 16: ids of calls at Mistral are nine letters and digits, the same twice */

static void
test_16_mistral_ids(void)
{
    cJSON         *v;
    size_t         n;
    unsigned       i;
    const char    *a, *b;

    for (i = 0; hub_clients[i] != AI_OP_NONE; i++) {
        v = hub_request(hub_clients[i], with_tools[i], AI_OP_CHAT, "mistral",
                        "mistral-large-latest");

        a = hub_text(v, "messages.1.tool_calls.0.id");
        b = hub_text(v, "messages.1.tool_calls.1.id");
        n = strspn(a, "0123456789abcdefghijklmnopqrstuvwxyz"
                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

        must(n == 9 && a[9] == '\0' && strlen(b) == 9 && strcmp(a, b) != 0,
             "an id of nine", hub_clients[i], AI_OP_CHAT);
        HUB_TEXT(v, "messages.2.tool_call_id", a);
        HUB_TEXT(v, "messages.3.tool_call_id", b);
        cJSON_Delete(v);
    }

    /* its own are left alone */

    v = hub_request(AI_OP_CHAT, "{'model':'m','messages':[{'role':'user',"
                    "'content':'a'},{'role':'assistant','tool_calls':[{'id':"
                    "'D681PevKs','type':'function','function':{'name':'f',"
                    "'arguments':'{}'}}]},{'role':'tool','tool_call_id':"
                    "'D681PevKs','content':'x'}]}", AI_OP_CHAT, "mistral",
                    "m");
    HUB_TEXT(v, "messages.1.tool_calls.0.id", "D681PevKs");
    HUB_TEXT(v, "messages.2.tool_call_id", "D681PevKs");
    cJSON_Delete(v);
}


/* 17: what betas reach Claude on a cloud; see mistakes.t for the header */

static void
test_17_betas(void)
{
    cJSON  *v;

    CHECK_INT(hub_parse(AI_OP_MESSAGES, "{'model':'m','max_tokens':9,"
                        "'messages':[{'role':'user','content':'hi'}]}"),
              AI_OK);

    ai_str_set(&hub.req.betas, "claude-code-20250219, context-1m-2025-08-07,"
               "oauth-2025-04-20,interleaved-thinking-2025-05-14");

    v = hub_render(AI_OP_MESSAGES, "bedrock-anthropic", "claude-sonnet-4-5");
    HUB_JSON(v, "anthropic_beta", "['context-1m-2025-08-07',"
             "'interleaved-thinking-2025-05-14']");
    HUB_TEXT(v, "anthropic_version", "bedrock-2023-05-31");
    cJSON_Delete(v);

    v = hub_render(AI_OP_MESSAGES, "vertex-anthropic", "claude-sonnet-4-5");
    HUB_NONE(v, "anthropic_beta");
    cJSON_Delete(v);

    ai_str_set(&hub.req.betas, "claude-code-20250219");

    v = hub_render(AI_OP_MESSAGES, "bedrock-anthropic", "claude-sonnet-4-5");
    HUB_NONE(v, "anthropic_beta");
    cJSON_Delete(v);
}


/* who thinks by effort or by budget, and is forced to call a tool */

static const struct {
    ai_op_e      op;
    const char  *body;
} forced[] = {
    { AI_OP_CHAT, "{'model':'m','messages':[{'role':'user','content':'hi'}],"
      "'reasoning_effort':'high','tool_choice':'required'" TOOLS_CHAT "}" },
    { AI_OP_CHAT, "{'model':'m','messages':[{'role':'user','content':'hi'}],"
      "'reasoning_effort':'high','tool_choice':{'type':'function','function':"
      "{'name':'weather'}}" TOOLS_CHAT "}" },
    { AI_OP_RESPONSES, "{'model':'m','input':'hi','reasoning':{'effort':"
      "'high'},'tool_choice':'required'" TOOLS_RESPONSES "}" },
    { AI_OP_MESSAGES, "{'model':'m','max_tokens':9000,'messages':[{'role':"
      "'user','content':'hi'}],'thinking':{'type':'enabled','budget_tokens':"
      "4096},'tool_choice':{'type':'any'}" TOOLS_MESSAGES "}" },
    { AI_OP_GENERATE, "{'contents':[{'role':'user','parts':[{'text':'hi'}]}],"
      "'generationConfig':{'thinkingConfig':{'thinkingBudget':4096}},"
      "'toolConfig':{'functionCallingConfig':{'mode':'ANY'}}" TOOLS_GENERATE
      "}" },
    { AI_OP_COHERE_CHAT, "{'model':'m','messages':[{'role':'user','content':"
      "'hi'}],'thinking':{'type':'enabled','token_budget':4096},"
      "'tool_choice':'REQUIRED'" TOOLS_CHAT "}" }
};


/* 22: Claude does not think when it is forced to call a tool */

static void
test_22_thinking_and_forced_tool(void)
{
    cJSON        *v;
    unsigned      i, k, n;
    const char   *thinking, *choice;
    const cJSON  *extra;

    static const struct {
        ai_op_e      op;
        const char  *vendor;
    } targets[] = {
        { AI_OP_MESSAGES, "anthropic" }, { AI_OP_MESSAGES, "vertex-anthropic" },
        { AI_OP_MESSAGES, "bedrock-anthropic" }, { AI_OP_CONVERSE, "bedrock" }
    };
    static const char *const  models[] = {
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic.claude-opus-4-6-v1"
    };

    for (i = 0; i < sizeof(forced) / sizeof(forced[0]); i++) {

        for (k = 0; k < 4; k++) {

            for (n = 0; n < 2; n++) {
                v = hub_request(forced[i].op, forced[i].body, targets[k].op,
                                targets[k].vendor, models[n]);
                must(v != NULL, "a body", forced[i].op, targets[k].op);

                extra = hub_at(v, "additionalModelRequestFields");
                thinking = hub_text(extra ? extra : v, "thinking.type");
                choice = hub_text(v, "tool_choice.type");

                must(strcmp(thinking, "enabled") != 0
                     && strcmp(thinking, "adaptive") != 0,
                     "it must not think", forced[i].op, targets[k].op);
                must(strcmp(choice, "any") == 0 || strcmp(choice, "tool") == 0
                     || hub_at(v, "toolConfig.toolChoice.any") != NULL
                     || hub_at(v, "toolConfig.toolChoice.tool") != NULL,
                     "the tool is forced", forced[i].op, targets[k].op);
                cJSON_Delete(v);
            }
        }
    }
}


/* 23: Claude 4 takes one of temperature and top_p, the latest take none */

static void
test_23_one_sampling(void)
{
    cJSON     *v;
    unsigned   i, k;

    static const struct {
        ai_op_e      op;
        const char  *body;
    } clients[] = {
        { AI_OP_CHAT, "{'model':'m','messages':[{'role':'user','content':"
          "'hi'}],'temperature':0.5,'top_p':0.9}" },
        { AI_OP_RESPONSES, "{'model':'m','input':'hi','temperature':0.5,"
          "'top_p':0.9}" },
        { AI_OP_GENERATE, "{'contents':[{'parts':[{'text':'hi'}]}],"
          "'generationConfig':{'temperature':0.5,'topP':0.9}}" },
        { AI_OP_COHERE_CHAT, "{'model':'m','messages':[{'role':'user',"
          "'content':'hi'}],'temperature':0.5,'p':0.9}" },
        { AI_OP_CONVERSE, "{'messages':[{'role':'user','content':[{'text':"
          "'hi'}]}],'inferenceConfig':{'temperature':0.5,'topP':0.9}}" }
    };
    static const struct {
        ai_op_e      op;
        const char  *vendor;
        const char  *model;
        int          n;
    } targets[] = {
        { AI_OP_MESSAGES, "anthropic", "claude-sonnet-4-5", 1 },
        { AI_OP_MESSAGES, "vertex-anthropic", "claude-opus-4-1@20250805", 1 },
        { AI_OP_MESSAGES, "bedrock-anthropic",
          "us.anthropic.claude-haiku-4-5-20251001-v1:0", 1 },
        { AI_OP_MESSAGES, "anthropic", "claude-opus-4-7", 0 },
        { AI_OP_MESSAGES, "anthropic", "claude-3-haiku-20240307", 2 },
        { AI_OP_CONVERSE, "bedrock",
          "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 1 },
        { AI_OP_CONVERSE, "bedrock", "amazon.nova-pro-v1:0", 2 }
    };

    for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {

        for (k = 0; k < sizeof(targets) / sizeof(targets[0]); k++) {
            v = hub_request(clients[i].op, clients[i].body, targets[k].op,
                            targets[k].vendor, targets[k].model);
            must(count(v, "temperature") + count(v, "top_p")
                 + count(v, "topP") == targets[k].n, targets[k].model,
                 clients[i].op, targets[k].op);
            cJSON_Delete(v);
        }
    }
}


/* 24: Claude on a cloud gets what Claude gets, but for its head */

static void
test_24_claude_on_clouds(void)
{
    cJSON     *v, *w;
    unsigned   i, k;

    static const char *const  clouds[] = {
        "vertex-anthropic", "bedrock-anthropic"
    };

    for (i = 0; hub_clients[i] != AI_OP_NONE; i++) {
        v = hub_request(hub_clients[i], with_tools[i], AI_OP_MESSAGES,
                        "anthropic", "claude-sonnet-4-5");
        HUB_TEXT(v, "model", "claude-sonnet-4-5");
        HUB_NONE(v, "anthropic_version");

        for (k = 0; k < 2; k++) {
            w = hub_request(hub_clients[i], with_tools[i], AI_OP_MESSAGES,
                            clouds[k], "claude-sonnet-4-5");
            HUB_NONE(w, "model");
            HUB_TEXT(w, "anthropic_version", k ? "bedrock-2023-05-31"
                                               : "vertex-2023-10-16");
            must(cJSON_Compare(hub_at(v, "messages"), hub_at(w, "messages"),
                               1)
                 && cJSON_Compare(hub_at(v, "tools"), hub_at(w, "tools"), 1)
                 && cJSON_Compare(hub_at(v, "max_tokens"),
                                  hub_at(w, "max_tokens"), 1),
                 clouds[k], hub_clients[i], AI_OP_MESSAGES);
            cJSON_Delete(w);
        }

        cJSON_Delete(v);
    }
}


/* thoughts in the history, as each client has them */

static const struct {
    ai_op_e      op;
    const char  *body;
} thoughts[] = {
    { AI_OP_CHAT, "{'model':'m','messages':[{'role':'user','content':'a'},"
      "{'role':'assistant','content':'b','reasoning_content':'hm'},"
      "{'role':'user','content':'c'}]}" },
    { AI_OP_RESPONSES, "{'model':'m','input':[{'role':'user','content':'a'},"
      "{'type':'reasoning','id':'rs_1','summary':[{'type':'summary_text',"
      "'text':'hm'}]},{'role':'assistant','content':'b'},{'role':'user',"
      "'content':'c'}]}" },
    { AI_OP_MESSAGES, "{'model':'m','max_tokens':9,'messages':[{'role':"
      "'user','content':'a'},{'role':'assistant','content':[{'type':"
      "'thinking','thinking':'hm','signature':'x'},{'type':'text','text':"
      "'b'}]},{'role':'user','content':'c'}]}" },
    { AI_OP_GENERATE, "{'contents':[{'role':'user','parts':[{'text':'a'}]},"
      "{'role':'model','parts':[{'text':'hm','thought':true},{'text':'b'}]},"
      "{'role':'user','parts':[{'text':'c'}]}]}" },
    { AI_OP_COHERE_CHAT, "{'model':'m','messages':[{'role':'user','content':"
      "'a'},{'role':'assistant','content':[{'type':'thinking','thinking':"
      "'hm'},{'type':'text','text':'b'}]},{'role':'user','content':'c'}]}" },
    { AI_OP_CONVERSE, "{'messages':[{'role':'user','content':[{'text':'a'}]},"
      "{'role':'assistant','content':[{'reasoningContent':{'reasoningText':{"
      "'text':'hm','signature':'x'}}},{'text':'b'}]},{'role':'user',"
      "'content':[{'text':'c'}]}]}" }
};


/* 27: who refuses thoughts that come back does not get them */

static void
test_27_reasoning_content(void)
{
    cJSON        *v;
    unsigned      i, k;
    const cJSON  *m;

    static const char *const  strict[] = { "groq", "cerebras", "mistral" };
    static const char *const  all[] = {
        "openai", "groq", "cerebras", "mistral", "xai", "perplexity",
        "azure", NULL
    };

    for (i = 0; i < sizeof(thoughts) / sizeof(thoughts[0]); i++) {

        for (k = 0; all[k] != NULL; k++) {
            v = hub_request(thoughts[i].op, thoughts[i].body, AI_OP_CHAT,
                            all[k], "m");
            m = hub_at(v, "messages.1");
            must(hub_at(m, "reasoning_content") == NULL
                 && hub_at(m, "reasoning_details") == NULL
                 && hub_at(m, "thinking_blocks") == NULL
                 && hub_at(m, "reasoning") == NULL, all[k], thoughts[i].op,
                 AI_OP_CHAT);
            cJSON_Delete(v);
        }
    }

    /* nor from a client of their own dialect */

    for (k = 0; k < 3; k++) {
        ai_str_t         s;
        ai_json_t        root;
        ai_splice_t      sp;
        ai_json_error_t  err;

        s = hub_json(thoughts[0].body);
        CHECK_INT(ai_json_scan(s.data, s.len, NULL, &unit_arena, NULL, NULL,
                               &root, &err), AI_OK);
        ai_splice_init(&sp, &s, &unit_arena);
        CHECK_INT(ai_vendor_edit(hub_vendor(strict[k], AI_OP_CHAT), &root,
                                 &sp, &unit_arena), AI_OK);
        CHECK(sp.nedits != 0);
    }
}


/* 28: text is a string for those who know no parts */

static void
test_28_string_content(void)
{
    cJSON     *v;
    unsigned   i;

    static const struct {
        ai_op_e      op;
        const char  *body;
    } clients[] = {
        { AI_OP_CHAT, "{'model':'m','messages':[{'role':'system','content':["
          "{'type':'text','text':'s'}]},{'role':'user','content':[{'type':"
          "'text','text':'a'},{'type':'text','text':'b'}]}]}" },
        { AI_OP_RESPONSES, "{'model':'m','instructions':'s','input':[{"
          "'role':'user','content':[{'type':'input_text','text':'a'},{'type':"
          "'input_text','text':'b'}]}]}" },
        { AI_OP_MESSAGES, "{'model':'m','max_tokens':9,'system':[{'type':"
          "'text','text':'s'}],'messages':[{'role':'user','content':[{'type':"
          "'text','text':'a'},{'type':'text','text':'b'}]}]}" },
        { AI_OP_GENERATE, "{'systemInstruction':{'parts':[{'text':'s'}]},"
          "'contents':[{'parts':[{'text':'a'},{'text':'b'}]}]}" },
        { AI_OP_COHERE_CHAT, "{'model':'m','messages':[{'role':'system',"
          "'content':'s'},{'role':'user','content':[{'type':'text','text':"
          "'a'},{'type':'text','text':'b'}]}]}" },
        { AI_OP_CONVERSE, "{'system':[{'text':'s'}],'messages':[{'role':"
          "'user','content':[{'text':'a'},{'text':'b'}]}]}" }
    };

    for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        v = hub_request(clients[i].op, clients[i].body, AI_OP_CHAT,
                        "deepseek", "deepseek-chat");
        must(cJSON_IsString(hub_at(v, "messages.0.content"))
             && cJSON_IsString(hub_at(v, "messages.1.content")), "strings",
             clients[i].op, AI_OP_CHAT);
        must(strstr(hub_text(v, "messages.1.content"), "a") != NULL
             && strstr(hub_text(v, "messages.1.content"), "b") != NULL,
             "all of the text", clients[i].op, AI_OP_CHAT);
        cJSON_Delete(v);

        v = hub_request(clients[i].op, clients[i].body, AI_OP_OLLAMA_CHAT,
                        NULL, "m");
        must(cJSON_IsString(hub_at(v, "messages.1.content")), "a string",
             clients[i].op, AI_OP_OLLAMA_CHAT);
        cJSON_Delete(v);
    }
}


int
main(void)
{
    UNIT_RUN(test_12_model_in_path);
    UNIT_RUN(test_13_tool_config);
    UNIT_RUN(test_14_results_merged);
    UNIT_RUN(test_15_gemini_schema);
    UNIT_RUN(test_16_mistral_ids);
    UNIT_RUN(test_17_betas);
    UNIT_RUN(test_22_thinking_and_forced_tool);
    UNIT_RUN(test_23_one_sampling);
    UNIT_RUN(test_24_claude_on_clouds);
    UNIT_RUN(test_27_reasoning_content);
    UNIT_RUN(test_28_string_content);

    return unit_done();
}

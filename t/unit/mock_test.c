
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The mock provider: all it says must be what the providers say, so every
 * document and every event is scanned, and the streams are read by a tap.
 */


#include "ai_mock.h"
#include "ai_sse.h"
#include "unit.h"


#define CHAT       "/v1/chat/completions"
#define MESSAGES   "/v1/messages"
#define RESPONSES  "/v1/responses"
#define GEMINI     "/v1beta/models/gemini-x"

#define HELLO      "'messages':[{'role':'user','content':'Hi there'}]"

#define CHECK_HAS(text)   CHECK(find(text) != NULL)
#define CHECK_LACKS(text) CHECK(find(text) == NULL)


static ai_mock_t          mock;
static ai_mock_conf_t     conf;
static ai_mock_request_t  request;
static ai_str_t           answer;     /* all pieces together */
static ai_uint_t          batches;


/* apostrophes are quotation marks */

static ai_str_t
quoted(const char *text)
{
    size_t    i;
    ai_str_t  s;

    s.len = strlen(text);
    s.data = unit_bytes(text, s.len);

    for (i = 0; i < s.len; i++) {
        if (s.data[i] == '\'') {
            s.data[i] = '"';
        }
    }

    return s;
}


static const u_char *
find(const char *text)
{
    size_t    i;
    ai_str_t  s;

    s = quoted(text);

    for (i = 0; i + s.len <= answer.len; i++) {
        if (memcmp(answer.data + i, s.data, s.len) == 0) {
            return answer.data + i;
        }
    }

    return NULL;
}


static void
reset(void)
{
    memset(&conf, 0, sizeof(conf));
    memset(&request, 0, sizeof(request));
    conf.tokens = 5;
    request.now = 1700000000;
}


static ai_int_t
collect(ai_uint_t waits)
{
    u_char    *p;
    ai_int_t   rc;
    ai_str_t   out;

    answer.len = 0;
    answer.data = (u_char *) "";
    batches = 0;

    while ((rc = ai_mock_next(&mock, waits, &out)) == AI_OK) {
        p = unit_alloc(NULL, answer.len + out.len + 1);

        if (p == NULL) {
            return AI_ERROR;
        }

        if (answer.len != 0) {
            memcpy(p, answer.data, answer.len);
        }

        if (out.len != 0) {
            memcpy(p + answer.len, out.data, out.len);
        }

        answer.data = p;
        answer.len += out.len;
        batches++;
    }

    return rc;
}


static ai_int_t
ask_hints(const char *method, const char *path, const char *body,
    ai_uint_t hints)
{
    ai_str_t  m, s;

    m.data = (u_char *) method;
    m.len = strlen(method);
    s.data = (u_char *) path;
    s.len = strlen(path);

    request.path = s;
    request.hints = hints;
    request.found = ai_surface_find(&request.surface, &m, &s, hints);
    request.body = quoted(body);

    if (ai_mock_init(&mock, &conf, &request, &unit_arena) != AI_OK) {
        return AI_ERROR;
    }

    return collect(0);
}


static void
ask(const char *path, const char *body)
{
    CHECK_INT(ask_hints("POST", path, body, 0), AI_DONE);
}


static void
scan(ai_str_t *s, ai_json_t *root)
{
    ai_json_error_t  err;

    if (!CHECK_INT(ai_json_scan(s->data, s->len, NULL, &unit_arena, NULL,
                                NULL, root, &err),
                   AI_OK))
    {
        printf("    %s at %zu: %.*s\n", err.reason, err.offset,
               (int) s->len, s->data);
    }
}


/* every event is JSON, except for the terminator; their number */

static ai_uint_t
scan_events(ai_tap_t *tap)
{
    u_char          *p, *last;
    ai_sse_t         sse;
    ai_json_t        root;
    ai_uint_t        n;
    ai_sse_event_t   ev;

    ai_tap_init(tap, request.surface.dialect, request.surface.op,
                &unit_arena);
    ai_sse_init(&sse, 1 << 20, &unit_arena);

    p = answer.data;
    last = answer.data + answer.len;

    for (n = 0; ai_sse_next(&sse, &p, last, &ev) == AI_OK; n++) {

        CHECK(ev.has_data);

        if (!ai_str_eq(&ev.data, "[DONE]")) {
            scan(&ev.data, &root);
        }

        CHECK(ai_tap_event(tap, &ev) != AI_EVENT_INVALID);
    }

    CHECK_INT(ai_sse_finish(&sse, &ev), AI_DONE);

    return n;
}


static void
test_fault_parse(void)
{
    size_t           i;
    ai_str_t         s;
    ai_mock_fault_t  f;

    static struct {
        const char       *text;
        ai_int_t          rc;
        ai_mock_fault_e   fault;
        ai_uint_t         status;
        ai_uint_t         share;
    } rows[] = {
        { "429", AI_OK, AI_MOCK_STATUS, 429, 10000 },
        { "429:10%", AI_OK, AI_MOCK_STATUS, 429, 1000 },
        { "529:10", AI_OK, AI_MOCK_STATUS, 529, 1000 },
        { "400:0.25%", AI_OK, AI_MOCK_STATUS, 400, 25 },
        { "400:0.5", AI_OK, AI_MOCK_STATUS, 400, 50 },
        { "reset", AI_OK, AI_MOCK_RESET, 0, 10000 },
        { "reset_mid:1", AI_OK, AI_MOCK_RESET_MID, 0, 100 },
        { "stall:100%", AI_OK, AI_MOCK_STALL, 0, 10000 },
        { "stall_mid", AI_OK, AI_MOCK_STALL_MID, 0, 10000 },
        { "error_first:0", AI_OK, AI_MOCK_ERROR_FIRST, 0, 0 },
        { "error_mid", AI_OK, AI_MOCK_ERROR_MID, 0, 10000 },
        { "truncate", AI_OK, AI_MOCK_TRUNCATE, 0, 10000 },
        { "", AI_DECLINED, 0, 0, 0 },
        { ":10", AI_DECLINED, 0, 0, 0 },
        { "200", AI_DECLINED, 0, 0, 0 },
        { "600", AI_DECLINED, 0, 0, 0 },
        { "42", AI_DECLINED, 0, 0, 0 },
        { "4290", AI_DECLINED, 0, 0, 0 },
        { "42x", AI_DECLINED, 0, 0, 0 },
        { "resets", AI_DECLINED, 0, 0, 0 },
        { "rese", AI_DECLINED, 0, 0, 0 },
        { "429:", AI_DECLINED, 0, 0, 0 },
        { "429:%", AI_DECLINED, 0, 0, 0 },
        { "429:.5", AI_DECLINED, 0, 0, 0 },
        { "429:101", AI_DECLINED, 0, 0, 0 },
        { "429:100.01", AI_DECLINED, 0, 0, 0 },
        { "429:0.001", AI_DECLINED, 0, 0, 0 },
        { "429:99999999999999999999", AI_DECLINED, 0, 0, 0 },
        { "429:-1", AI_DECLINED, 0, 0, 0 },
        { "429:1:1", AI_DECLINED, 0, 0, 0 },
        { "429:1%%", AI_DECLINED, 0, 0, 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s.len = strlen(rows[i].text);
        s.data = unit_bytes(rows[i].text, s.len);

        if (!CHECK_INT(ai_mock_fault_parse(&s, &f), rows[i].rc)) {
            printf("    %s\n", rows[i].text);
        }

        if (rows[i].rc == AI_OK) {
            CHECK_INT(f.fault, rows[i].fault);
            CHECK_INT(f.status, rows[i].status);
            CHECK_INT(f.share, rows[i].share);
        }
    }
}


static void
test_chat(void)
{
    ai_tap_t         tap;
    ai_json_t        root;
    ai_json_error_t  err;

    reset();
    ask(CHAT, "{'model':'gpt-x'," HELLO "}");

    scan(&answer, &root);
    CHECK_UINT(mock.status, 200);
    CHECK_STR(mock.content_type.data, mock.content_type.len,
              "application/json");
    CHECK_UINT(mock.length, answer.len);
    CHECK_HAS("'object':'chat.completion','created':1700000000,"
              "'model':'gpt-x'");
    CHECK_HAS("'content':'You said: Hi there; this'");
    CHECK_HAS("'finish_reason':'stop'");
    CHECK_HAS("'completion_tokens':5,");

    ai_tap_init(&tap, request.surface.dialect, AI_OP_CHAT, &unit_arena);
    CHECK_INT(ai_tap_response(&tap, answer.data, answer.len, &err),
              AI_EVENT_CONTENT);
    CHECK_UINT(tap.usage.output, 5);
    CHECK_UINT(tap.usage.uncached, mock.input);
}


static void
test_chat_stream(void)
{
    ai_tap_t  tap;

    reset();
    ask(CHAT, "{'model':'gpt-x','stream':true," HELLO "}");

    CHECK_STR(mock.content_type.data, mock.content_type.len,
              "text/event-stream; charset=utf-8");
    CHECK_UINT(mock.length, 0);
    CHECK_UINT(scan_events(&tap), 8);
    CHECK_UINT(tap.output_bytes, sizeof("You said: Hi there; this") - 1);
    CHECK(tap.finished && tap.ended);
    CHECK_STR(tap.finish.data, tap.finish.len, "stop");
    CHECK_STR(tap.model.data, tap.model.len, "gpt-x");
    CHECK_INT(tap.usage.source, AI_USAGE_NONE);
    CHECK_HAS("'delta':{'role':'assistant','content':'','refusal':null}");
    CHECK_HAS("'delta':{'content':' Hi'}");
    CHECK_LACKS("usage");

    ask(CHAT, "{'model':'gpt-x','stream':true,'stream_options':"
              "{'include_usage':true}," HELLO "}");

    CHECK_UINT(scan_events(&tap), 9);
    CHECK_INT(tap.usage.source, AI_USAGE_PROVIDER);
    CHECK_UINT(tap.usage.output, 5);
    CHECK_HAS("'finish_reason':null}],'usage':null}");
    CHECK_HAS("'choices':[],'usage':{'prompt_tokens':");

    ask(CHAT, "{'model':'gpt-x','stream':true,'max_tokens':2," HELLO "}");
    scan_events(&tap);
    CHECK_UINT(tap.output_bytes, sizeof("You said:") - 1);
    CHECK_STR(tap.finish.data, tap.finish.len, "length");

    ask(CHAT, "{'stream':false,'stream_options':{'include_usage':true},"
              HELLO "}");
    CHECK_LACKS("'usage':null");
    CHECK_HAS("'model':'mock'");
}


#define PARAMETERS                                                           \
    "{'type':'object','properties':{'city':{'type':'string'},"               \
    "'unit':{'enum':['C','F']},'days':{'type':['integer','null']},"          \
    "'at':{'type':'OBJECT'},'any':{}}}"

#define ARGUMENTS                                                            \
    "{'city':'mock','unit':'C','days':1,'at':{},'any':null}"

#define ARGUMENTS_ESCAPED                                                    \
    "{\\'city\\':\\'mock\\',\\'unit\\':\\'C\\',\\'days\\':1,\\'at\\':{},"    \
    "\\'any\\':null}"

#define CHAT_TOOLS                                                           \
    "'tools':[{'type':'function','function':{'name':'weather',"              \
    "'parameters':" PARAMETERS "}},"                                         \
    "{'type':'function','function':{'name':'time'}}]"

static void
test_chat_tools(void)
{
    ai_tap_t   tap;
    ai_json_t  root;

    reset();

    ask(CHAT, "{'tool_choice':'auto'," CHAT_TOOLS "," HELLO "}");
    CHECK_LACKS("tool_calls");

    ask(CHAT, "{'tool_choice':'required'," HELLO "}");
    CHECK_LACKS("tool_calls");

    ask(CHAT, "{'tool_choice':'required'," CHAT_TOOLS "," HELLO "}");
    scan(&answer, &root);
    CHECK_HAS("'content':null,'tool_calls':[{'id':'call_");
    CHECK_HAS("'name':'weather','arguments':'" ARGUMENTS_ESCAPED "'}");
    CHECK_HAS("'finish_reason':'tool_calls'");

    ask(CHAT, "{'tool_choice':{'type':'function','function':"
              "{'name':'time'}}," CHAT_TOOLS "," HELLO "}");
    scan(&answer, &root);
    CHECK_HAS("'function':{'name':'time','arguments':'{}'}");
    CHECK_HAS("'finish_reason':'stop'");

    ask(CHAT, "{'tool_choice':{'type':'function','function':"
              "{'name':'none'}}," CHAT_TOOLS "," HELLO "}");
    CHECK_LACKS("tool_calls");

    ask(CHAT, "{'stream':true,'tool_choice':'required'," CHAT_TOOLS ","
              HELLO "}");
    CHECK_UINT(scan_events(&tap), 5);
    CHECK_STR(tap.tools.data, tap.tools.len, "weather");
    CHECK_STR(tap.finish.data, tap.finish.len, "tool_calls");
    CHECK_UINT(tap.tool_calls, 1);
}


static void
test_completions(void)
{
    ai_tap_t   tap;
    ai_json_t  root;

    reset();

    ask("/v1/completions", "{'model':'m','prompt':['a','b c']}");
    scan(&answer, &root);
    CHECK_HAS("'object':'text_completion'");
    CHECK_HAS("'text':'You said: b c; this'");

    ask("/v1/completions", "{'model':'m','stream':true,'prompt':'b',"
                           "'stream_options':{'include_usage':true}}");
    CHECK_UINT(scan_events(&tap), 8);
    CHECK_UINT(tap.output_bytes, sizeof("You said: b; this answer") - 1);
    CHECK_UINT(tap.usage.output, 5);
}


static void
test_responses(void)
{
    u_char           *p, *last;
    ai_tap_t          tap;
    ai_sse_t          sse;
    uint64_t          sequence;
    ai_json_t         root, v;
    ai_uint_t         n;
    ai_sse_event_t    ev;
    ai_json_error_t   err;

    reset();

    ask(RESPONSES, "{'model':'m','input':'Hi'}");
    scan(&answer, &root);
    CHECK_HAS("'object':'response'");
    CHECK_HAS("'text':'You said: Hi; this answer'");
    CHECK_HAS("'status':'completed'");

    ask(RESPONSES, "{'model':'m','input':[{'role':'user','content':[{'type':"
                   "'input_text','text':'Hi'}]}],'stream':true}");
    CHECK_UINT(scan_events(&tap), 13);
    CHECK_UINT(tap.output_bytes, sizeof("You said: Hi; this answer") - 1);
    CHECK(ai_tap_complete(&tap));
    CHECK_UINT(tap.usage.output, 5);
    CHECK_HAS("event: response.completed\n");

    ai_sse_init(&sse, 1 << 20, &unit_arena);
    p = answer.data;
    last = answer.data + answer.len;

    for (n = 0; ai_sse_next(&sse, &p, last, &ev) == AI_OK; n++) {
        CHECK_INT(ai_json_scan(ev.data.data, ev.data.len, NULL, &unit_arena,
                               NULL, NULL, &root, &err),
                  AI_OK);
        CHECK_INT(ai_json_get(&root, "sequence_number", &v), AI_OK);
        CHECK_INT(ai_json_uint(&v, &sequence), AI_OK);
        CHECK_UINT(sequence, n);
        CHECK_INT(ai_json_get(&root, "type", &v), AI_OK);
        CHECK(ai_json_str_eq(&v, (char *) ev.name.data, ev.name.len));
    }

    ask(RESPONSES, "{'input':'Hi','stream':true,'max_output_tokens':3}");
    scan_events(&tap);
    CHECK_HAS("event: response.incomplete\n");
    CHECK_HAS("'incomplete_details':{'reason':'max_output_tokens'}");

    ask(RESPONSES, "{'input':'Hi','stream':true,'tool_choice':{'type':"
                   "'function','name':'f'},'tools':[{'type':'function',"
                   "'name':'f','parameters':" PARAMETERS "}]}");
    CHECK_UINT(scan_events(&tap), 8);
    CHECK_STR(tap.tools.data, tap.tools.len, "f");
    CHECK_HAS("'arguments':'" ARGUMENTS_ESCAPED "'");
}


static void
test_messages(void)
{
    ai_tap_t         tap;
    ai_json_t        root;
    ai_json_error_t  err;

    reset();

    ask(MESSAGES, "{'model':'claude-x','max_tokens':100," HELLO "}");
    scan(&answer, &root);
    CHECK_HAS("'content':[{'type':'text','text':'You said: Hi there; this'}]");
    CHECK_HAS("'stop_reason':'end_turn'");

    ai_tap_init(&tap, request.surface.dialect, AI_OP_MESSAGES, &unit_arena);
    CHECK_INT(ai_tap_response(&tap, answer.data, answer.len, &err),
              AI_EVENT_CONTENT);
    CHECK_UINT(tap.usage.output, 5);

    ask(MESSAGES, "{'model':'claude-x','max_tokens':4,'stream':true," HELLO
                  "}");
    CHECK_UINT(scan_events(&tap), 10);
    CHECK_UINT(tap.output_bytes, sizeof("You said: Hi there;") - 1);
    CHECK(tap.finished && tap.ended);
    CHECK_STR(tap.finish.data, tap.finish.len, "max_tokens");
    CHECK_UINT(tap.usage.output, 4);
    CHECK_UINT(tap.usage.uncached, mock.input);

    ask(MESSAGES, "{'stream':true,'tool_choice':{'type':'tool','name':'t'},"
                  "'tools':[{'name':'s'},{'name':'t','input_schema':"
                  PARAMETERS "}]," HELLO "}");
    CHECK_UINT(scan_events(&tap), 8);
    CHECK_STR(tap.tools.data, tap.tools.len, "t");
    CHECK_STR(tap.finish.data, tap.finish.len, "tool_use");

    ask(MESSAGES, "{'tool_choice':{'type':'any'},'tools':[{'name':'s',"
                  "'input_schema':" PARAMETERS "}]," HELLO "}");
    scan(&answer, &root);
    CHECK_HAS("'name':'s','input':" ARGUMENTS "}");

    ask("/v1/messages/count_tokens", "{'model':'claude-x'," HELLO "}");
    scan(&answer, &root);
    CHECK_STR(answer.data, 15, "{\"input_tokens\"");
}


#define CONTENTS  "'contents':[{'parts':[{'text':'Hi'}]}]"

static void
test_gemini(void)
{
    ai_tap_t   tap;
    ai_json_t  root, v;

    reset();

    ask(GEMINI ":generateContent", "{" CONTENTS "}");
    scan(&answer, &root);
    CHECK_HAS("'parts':[{'text':'You said: Hi; this answer'}]");
    CHECK_HAS("'modelVersion':'gemini-x'");

    request.sse = 1;
    ask(GEMINI ":streamGenerateContent", "{" CONTENTS ",'generationConfig':"
                                         "{'maxOutputTokens':3}}");
    CHECK_STR(mock.content_type.data, mock.content_type.len,
              "text/event-stream; charset=utf-8");
    CHECK_UINT(scan_events(&tap), 4);
    CHECK_STR(tap.finish.data, tap.finish.len, "MAX_TOKENS");
    CHECK_UINT(tap.usage.output, 3);

    ask(GEMINI ":streamGenerateContent", "{" CONTENTS ",'toolConfig':"
        "{'functionCallingConfig':{'mode':'ANY','allowedFunctionNames':"
        "['b']}},'tools':[{'functionDeclarations':[{'name':'a'},{'name':'b',"
        "'parameters':" PARAMETERS "}]}]}");
    CHECK_UINT(scan_events(&tap), 2);
    CHECK_STR(tap.tools.data, tap.tools.len, "b");
    CHECK_HAS("'functionCall':{'name':'b','args':" ARGUMENTS "}");

    request.sse = 0;
    ask(GEMINI ":streamGenerateContent", "{" CONTENTS "}");
    CHECK_STR(mock.content_type.data, mock.content_type.len,
              "application/json");
    scan(&answer, &root);
    CHECK_INT(root.type, AI_JSON_ARRAY);
    CHECK_INT(ai_json_path(&root, &v, "5", "candidates", "0", "finishReason",
                           NULL),
              AI_OK);

    ask(GEMINI ":countTokens", "{" CONTENTS "}");
    scan(&answer, &root);
    CHECK_HAS("'totalTokens':");

    ask(GEMINI ":embedContent", "{'content':{'parts':[{'text':'Hi'}]},"
                                "'outputDimensionality':3}");
    scan(&answer, &root);
    CHECK_INT(ai_json_path(&root, &v, "embedding", "values", "2", NULL),
              AI_OK);
    CHECK_INT(ai_json_path(&root, &v, "embedding", "values", "3", NULL),
              AI_DECLINED);

    ask(GEMINI ":batchEmbedContents", "{'requests':[{'content':{}},"
                                      "{'content':{}}]}");
    scan(&answer, &root);
    CHECK_INT(ai_json_path(&root, &v, "embeddings", "1", "values", "15",
                           NULL),
              AI_OK);
}


static void
test_embeddings(void)
{
    ai_uint_t  i, n;
    ai_json_t  root, v, first, third;
    char       body[100];

    reset();

    ask("/v1/embeddings", "{'model':'e','input':'Hi'}");
    scan(&answer, &root);
    CHECK_INT(ai_json_path(&root, &v, "data", "0", "embedding", "15", NULL),
              AI_OK);

    ask("/v1/embeddings", "{'model':'e','input':['a','b','a']}");
    scan(&answer, &root);
    CHECK_INT(ai_json_path(&root, &first, "data", "0", "embedding", NULL),
              AI_OK);
    CHECK_INT(ai_json_path(&root, &third, "data", "2", "embedding", NULL),
              AI_OK);
    CHECK_MEM(first.start, first.end - first.start, third.start,
              third.end - third.start);
    CHECK_INT(ai_json_path(&root, &v, "data", "3", NULL), AI_DECLINED);

    ask("/v1/embeddings", "{'model':'e','input':[1,2,3]}");
    scan(&answer, &root);
    CHECK_INT(ai_json_path(&root, &v, "data", "1", NULL), AI_DECLINED);

    ask("/v1/embeddings", "{'model':'e'}");
    scan(&answer, &root);
    CHECK_INT(ai_json_path(&root, &v, "data", "0", NULL), AI_OK);

    for (n = 1; n < 8; n++) {
        snprintf(body, sizeof(body), "{'input':'a','encoding_format':"
                 "'base64','dimensions':%u}", (unsigned) n);
        ask("/v1/embeddings", body);
        scan(&answer, &root);
        CHECK_INT(ai_json_path(&root, &v, "data", "0", "embedding", NULL),
                  AI_OK);
        CHECK_UINT(v.end - v.start - 2, (4 * n + 2) / 3 * 4);

        for (i = 0; v.end[-2 - (ai_int_t) i] == '='; i++) { /* void */ }

        CHECK_UINT(i, (3 - 4 * n % 3) % 3);
    }
}


static void
test_other(void)
{
    ai_json_t  root;

    reset();

    ask_hints("GET", "/v1/models", "", 0);
    scan(&answer, &root);
    CHECK_HAS("{'object':'list','data':[{'id':'mock-large'");

    ask_hints("GET", "/v1/models", "", AI_HINT_ANTHROPIC_VERSION);
    scan(&answer, &root);
    CHECK_HAS("'first_id':'mock-large','last_id':'gemini-mock'}");

    ask_hints("GET", "/v1beta/models", "", AI_HINT_GOOG);
    scan(&answer, &root);
    CHECK_HAS("{'models':[{'name':'models/mock-large'");

    ask_hints("GET", "/v1/models", "", AI_HINT_CODEX);
    CHECK_STR(answer.data, answer.len, "{\"models\":[]}");

    ask_hints("GET", "/v1/models/a-b", "", 0);
    scan(&answer, &root);
    CHECK_STR(answer.data, 12, "{\"id\":\"a-b\",");

    ai_str_set(&conf.model, "own");
    ask_hints("GET", "/v1/models", "", AI_HINT_ANTHROPIC_VERSION);
    CHECK_HAS("'first_id':'own'");
    ask(CHAT, "{'model':'m'," HELLO "}");
    CHECK_HAS("'model':'own'");
    conf.model.len = 0;

    ask("/v1/images/gen\"s", "not JSON");
    CHECK_STR(answer.data, answer.len,
              "{\"object\":\"mock\",\"path\":\"/v1/images/gen\\\"s\"}");

    ask_hints("GET", "/health", "", 0);
    CHECK_UINT(mock.status, 200);
    scan(&answer, &root);

    ask_hints("OPTIONS", CHAT, "", AI_HINT_ORIGIN);
    CHECK_UINT(mock.status, 204);
    CHECK_UINT(answer.len, 0);
    CHECK_UINT(mock.content_type.len, 0);
}


static void
test_refused(void)
{
    size_t             i;
    ai_json_t          root;
    static const char  *bodies[] = { "", "x", "[]", "1", "{'a':1,'a':2}" };

    reset();

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        ask(CHAT, bodies[i]);
        CHECK_UINT(mock.status, 400);
        scan(&answer, &root);
        CHECK_HAS("'type':'invalid_request_error'");
    }

    ask(MESSAGES, "{");
    scan(&answer, &root);
    CHECK_HAS("{'type':'error','error':{'details':null,");

    ask(GEMINI ":generateContent", "{");
    scan(&answer, &root);
    CHECK_HAS("{'error':{'code':400,");
    CHECK_HAS("'status':'INVALID_ARGUMENT'");

    ask_hints("GET", CHAT, "", 0);
    CHECK_UINT(mock.status, 405);
    scan(&answer, &root);

    ask_hints("POST", "/nothing", "", 0);
    CHECK_UINT(mock.status, 404);
    scan(&answer, &root);
}


static ai_mock_fault_t  fault;

static void
fail(ai_mock_fault_e f, ai_uint_t status)
{
    reset();
    fault.fault = f;
    fault.status = status;
    fault.share = AI_MOCK_SHARE;
    conf.faults = &fault;
    conf.nfaults = 1;
}


static void
test_fault_status(void)
{
    ai_json_t  root;
    ai_uint_t  status;

    for (status = 400; status < 600; status++) {
        fail(AI_MOCK_STATUS, status);

        ask(CHAT, "{'stream':true," HELLO "}");
        CHECK_UINT(mock.status, status);
        CHECK_STR(mock.content_type.data, mock.content_type.len,
                  "application/json");
        scan(&answer, &root);

        ask(MESSAGES, "{" HELLO "}");
        scan(&answer, &root);
        CHECK_HAS("'request_id':'req_");

        ask(GEMINI ":streamGenerateContent", "{}");
        scan(&answer, &root);
        CHECK_INT(root.type, AI_JSON_ARRAY);
    }

    fail(AI_MOCK_STATUS, 429);
    ask(CHAT, "{" HELLO "}");
    CHECK_HAS("'code':'rate_limit_exceeded'");
    ask(MESSAGES, "{" HELLO "}");
    CHECK_HAS("'type':'rate_limit_error'");
    ask(GEMINI ":generateContent", "{}");
    CHECK_HAS("{'error':{'code':429,");
    CHECK_HAS("'status':'RESOURCE_EXHAUSTED'");

    fail(AI_MOCK_STATUS, 418);
    ask(GEMINI ":generateContent", "{}");
    CHECK_HAS("{'error':{'code':418,");

    ask_hints("GET", "/health", "", 0);
    CHECK_UINT(mock.status, 200);
}


static void
test_fault_stream(void)
{
    size_t    i;
    ai_tap_t  tap;
    unsigned  failed;

    static struct {
        ai_mock_fault_e   fault;
        const char       *path;
        ai_uint_t         events;
        ai_uint_t         content;
        ai_uint_t         error;
    } rows[] = {
        { AI_MOCK_STALL, CHAT, 0, 0, 0 },
        { AI_MOCK_STALL_MID, CHAT, 4, 3, 0 },
        { AI_MOCK_RESET_MID, CHAT, 4, 3, 0 },
        { AI_MOCK_TRUNCATE, CHAT, 4, 3, 0 },
        { AI_MOCK_TRUNCATE, RESPONSES, 7, 3, 0 },
        { AI_MOCK_TRUNCATE, MESSAGES, 6, 3, 0 },
        { AI_MOCK_TRUNCATE, GEMINI ":streamGenerateContent", 3, 3, 0 },
        { AI_MOCK_ERROR_FIRST, CHAT, 1, 0, 1 },
        { AI_MOCK_ERROR_FIRST, RESPONSES, 1, 0, 1 },
        { AI_MOCK_ERROR_FIRST, MESSAGES, 1, 0, 1 },
        { AI_MOCK_ERROR_FIRST, GEMINI ":streamGenerateContent", 1, 0, 1 },
        { AI_MOCK_ERROR_MID, CHAT, 5, 3, 1 },
        { AI_MOCK_ERROR_MID, RESPONSES, 8, 3, 1 },
        { AI_MOCK_ERROR_MID, MESSAGES, 7, 3, 1 },
        { AI_MOCK_ERROR_MID, GEMINI ":streamGenerateContent", 4, 3, 1 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fail(rows[i].fault, 0);
        request.sse = 1;
        ask(rows[i].path, "{'stream':true," HELLO "}");

        CHECK_UINT(mock.status, 200);
        CHECK_INT(mock.fault, rows[i].fault);

        failed = unit.failed;
        CHECK_UINT(scan_events(&tap), rows[i].events);
        CHECK_UINT(tap.content, rows[i].content);
        CHECK_UINT(tap.error_message.len != 0, rows[i].error);
        CHECK(!ai_tap_complete(&tap));

        if (unit.failed != failed) {
            printf("    row %zu\n", i);
        }
    }
}


static void
test_fault_document(void)
{
    size_t     full;
    ai_json_t  root;

    reset();
    ask(CHAT, "{" HELLO "}");
    full = answer.len;

    fail(AI_MOCK_TRUNCATE, 0);
    ask(CHAT, "{" HELLO "}");
    CHECK_UINT(answer.len, full / 2);
    CHECK_UINT(mock.length, full / 2);

    fail(AI_MOCK_RESET_MID, 0);
    ask(CHAT, "{" HELLO "}");
    CHECK_UINT(answer.len, full / 2);
    CHECK_UINT(mock.length, full);

    fail(AI_MOCK_STALL, 0);
    ask(CHAT, "{" HELLO "}");
    CHECK_UINT(answer.len, 0);
    CHECK_UINT(mock.length, full);

    fail(AI_MOCK_ERROR_MID, 0);
    ask(CHAT, "{" HELLO "}");
    CHECK_UINT(mock.status, 200);
    scan(&answer, &root);
    CHECK_STR(answer.data, 9, "{\"error\":");
}


static void
test_fault_share(void)
{
    ai_uint_t        n, faults[2], other;
    ai_mock_fault_t  both[2];

    reset();

    both[0].fault = AI_MOCK_STATUS;
    both[0].status = 429;
    both[0].share = 1000;
    both[1].fault = AI_MOCK_RESET;
    both[1].share = 500;
    conf.faults = both;
    conf.nfaults = 2;

    faults[0] = 0;
    faults[1] = 0;
    other = 0;

    for (n = 0; n < 10000; n++) {
        request.number = n;
        request.found = AI_DECLINED;
        request.surface.op = AI_OP_PASS;
        request.surface.dialect = &ai_dialect_openai;
        request.found = AI_OK;
        ai_mock_init(&mock, &conf, &request, &unit_arena);

        if (mock.fault == AI_MOCK_STATUS) {
            faults[0]++;

        } else if (mock.fault == AI_MOCK_RESET) {
            faults[1]++;

        } else {
            other++;
        }
    }

    CHECK(faults[0] > 900 && faults[0] < 1100);
    CHECK(faults[1] > 430 && faults[1] < 570);
    CHECK_UINT(faults[0] + faults[1] + other, 10000);
}


/* the same request, seed and number give the same bytes */

static void
test_deterministic(void)
{
    ai_str_t  first;

    reset();
    conf.seed = 7;
    request.number = 3;

    ask(CHAT, "{'stream':true," HELLO "}");
    first = answer;

    ask(CHAT, "{'stream':true," HELLO "}");
    CHECK_MEM(answer.data, answer.len, first.data, first.len);

    request.number = 4;
    ask(CHAT, "{'stream':true," HELLO "}");
    CHECK_UINT(answer.len, first.len);
    CHECK(memcmp(answer.data, first.data, first.len) != 0);
}


/* pauses cut the stream, but do not change it */

static void
test_waits(void)
{
    ai_str_t     all;
    ai_uint_t    i;
    static const char  *paths[] = {
        CHAT, RESPONSES, MESSAGES, GEMINI ":streamGenerateContent"
    };

    reset();

    for (i = 0; i < 4; i++) {
        ask(paths[i], "{'stream':true," HELLO "}");
        all = answer;
        CHECK_UINT(batches, 1);

        ai_mock_init(&mock, &conf, &request, &unit_arena);
        CHECK_INT(collect(AI_MOCK_FIRST), AI_DONE);
        CHECK_UINT(batches, 2);
        CHECK_MEM(answer.data, answer.len, all.data, all.len);

        ai_mock_init(&mock, &conf, &request, &unit_arena);
        CHECK_INT(collect(AI_MOCK_FIRST|AI_MOCK_GAP), AI_DONE);
        CHECK_UINT(batches, 6);
        CHECK_MEM(answer.data, answer.len, all.data, all.len);
    }

    /* long streams come in bounded batches */

    conf.tokens = 10000;
    ask(CHAT, "{'stream':true," HELLO "}");
    CHECK(batches > 50);
    CHECK(mock.end - mock.start <= 128 * 1024);
}


/* a long message is cut in front of a character, wherever the cut falls */

static void
test_echo(void)
{
    char        body[2048], *p;
    size_t      i, n, len;
    ai_json_t   root;
    static const char  *unit_texts[] = {
        "\\ud83d\\ude00", "\\u00e9", "\\n", "\xc3\xa9", "\xe2\x82\xac",
        "\xf0\x9f\x98\x80", "\\\\", "\\ud7ff"
    };

    reset();

    for (i = 0; i < sizeof(unit_texts) / sizeof(unit_texts[0]); i++) {
        len = strlen(unit_texts[i]);

        for (n = 0; n < 12; n++) {
            p = body;
            p += sprintf(p, "{'messages':[{'role':'user','content':'%.*s",
                         (int) n, "abcdefghijkl");

            while (p - body < 1000) {
                memcpy(p, unit_texts[i], len);
                p += len;
            }

            memcpy(p, "'}]}", 5);

            ask(CHAT, body);
            CHECK_UINT(mock.status, 200);
            scan(&answer, &root);
            CHECK(answer.len < 1100);
        }
    }

    ask(CHAT, "{'messages':[{'role':'user','content':[{'type':'text','text':"
              "'one'},{'type':'image_url'}]},{'role':'assistant','content':"
              "'two'},{'role':'tool','content':'three'}]}");
    CHECK_HAS("You said: one;");

    ask(CHAT, "{'messages':[1,'x',{'content':1},{'role':2,'content':[3]}]}");
    CHECK_HAS("You said: x;");

    ask(CHAT, "{}");
    CHECK_HAS("'content':'Hello, this answer was made'");
}


static void
test_memory(void)
{
    size_t     i;
    ai_int_t   rc;
    ai_uint_t  n;
    static const char  *bodies[] = {
        "{'stream':true," HELLO "}",
        "{" HELLO "}",
        "{'tool_choice':'required','tools':[{'name':'s','parameters':"
        PARAMETERS "}]}"
    };

    reset();
    conf.tokens = 2000;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        for (n = 0; n < 40; n++) {
            (void) ask_hints("POST", CHAT, bodies[i], 0);
            ai_mock_init(&mock, &conf, &request, &unit_arena);

            unit.fail_after = n;
            rc = ai_mock_init(&mock, &conf, &request, &unit_arena);

            if (rc == AI_OK) {
                rc = collect(0);
            }

            unit.fail_after = -1;
            CHECK(rc == AI_ERROR || rc == AI_DONE);

            if (rc == AI_DONE) {
                break;
            }
        }

        CHECK_INT(rc, AI_DONE);
    }
}


int
main(void)
{
    UNIT_RUN(test_fault_parse);
    UNIT_RUN(test_chat);
    UNIT_RUN(test_chat_stream);
    UNIT_RUN(test_chat_tools);
    UNIT_RUN(test_completions);
    UNIT_RUN(test_responses);
    UNIT_RUN(test_messages);
    UNIT_RUN(test_gemini);
    UNIT_RUN(test_embeddings);
    UNIT_RUN(test_other);
    UNIT_RUN(test_refused);
    UNIT_RUN(test_fault_status);
    UNIT_RUN(test_fault_stream);
    UNIT_RUN(test_fault_document);
    UNIT_RUN(test_fault_share);
    UNIT_RUN(test_deterministic);
    UNIT_RUN(test_waits);
    UNIT_RUN(test_echo);
    UNIT_RUN(test_memory);

    return unit_done();
}

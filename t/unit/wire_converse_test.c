
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The wire of Bedrock Converse: requests in both directions, answers in both
 * directions.  What comes out of the encoder is cut into messages by the
 * framer and judged over cJSON trees, and so are the recorded answers, where
 * they are present.  Names of tests with a number are of wire-formats.md 16.
 */


#include <dirent.h>

#include <cjson/cJSON.h>

#include "ai_eventstream.h"
#include "ai_translate.h"
#include "unit.h"
#include "wire_converse.h"


#define MAX_OUT   (16 * 1024 * 1024)
#define FIXTURES  "../shared/fixtures/bedrock"

#define SONNET45  "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
#define SONNET46  "us.anthropic.claude-sonnet-4-6"
#define OPUS48    "us.anthropic.claude-opus-4-8"
#define SONNET37  "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
#define HAIKU35   "anthropic.claude-3-5-haiku-20241022-v1:0"
#define NOVA      "us.amazon.nova-pro-v1:0"
#define NOVA2     "us.amazon.nova-2-lite-v1:0"
#define OSS       "openai.gpt-oss-120b-1:0"
#define QWEN      "qwen.qwen3-32b-v1:0"


/* ---- requests ---- */

typedef struct {
    ai_request_t  req;
    ai_report_t   rep;
    ai_int_t      rc;
} request_t;


/* what a client of Converse cannot say, and others can */

typedef void (*change_pt)(ai_request_t *req);


typedef struct {
    const char  *name;
    const char  *model;
    const char  *body;
    const char  *want;       /* NULL: it is refused, dropped is the param */
    const char  *dropped;
    change_pt    change;
} request_case_t;


static int
contains(const void *data, size_t len, const void *what, size_t n)
{
    size_t  i;

    for (i = 0; n <= len && i <= len - n; i++) {
        if (memcmp((const u_char *) data + i, what, n) == 0) {
            return 1;
        }
    }

    return 0;
}


static ai_json_t
scan(const char *text, size_t len)
{
    u_char           *p;
    ai_json_t         root;
    ai_json_error_t   err;

    memset(&root, 0, sizeof(ai_json_t));
    p = unit_bytes(text, len);

    if (ai_json_scan(p, len, NULL, &unit_arena, NULL, NULL, &root, &err)
        != AI_OK)
    {
        printf("%s: not JSON at %zu: %s: %.200s\n", unit.test, err.offset,
               err.reason, text);
        unit.failed++;
    }

    return root;
}


static void
parse(request_t *r, const char *body)
{
    ai_json_t  root;

    ai_request_init(&r->req, &unit_arena);
    ai_report_init(&r->rep, &unit_arena);

    root = scan(body, strlen(body));
    r->rc = ai_wire_converse.parse_request(&r->req, &root, &r->rep);
}


static ai_int_t
render(request_t *r, const char *model, ai_buf_t *out)
{
    ai_target_t  t;

    memset(&t, 0, sizeof(ai_target_t));

    t.vendor = ai_vendor_generic(&ai_dialect_bedrock);
    t.op = AI_OP_CONVERSE;
    t.model.data = (u_char *) model;
    t.model.len = strlen(model);

    ai_caps(&t.model, &t.caps);
    ai_buf_init(out, &unit_arena, MAX_OUT);

    if (ai_request_normalize(&r->req, &r->rep) != AI_OK) {
        return AI_ERROR;
    }

    return ai_wire_converse.render_request(&r->req, &t, out, &r->rep);
}


static void
check_dropped(request_t *r, const request_case_t *c)
{
    char       text[1024];
    size_t     len;
    ai_uint_t  i;

    len = 0;

    for (i = 0; i < r->rep.ndropped; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%.*s",
                                 i ? "," : "", (int) r->rep.dropped[i].len,
                                 r->rep.dropped[i].data);
    }

    if (!CHECK_MEM(text, len, c->dropped, strlen(c->dropped))) {
        printf("    in \"%s\"\n", c->name);
    }
}


/* compared as trees: in which order members stand matters to no one */

static void
check_request(const request_case_t *c)
{
    char       *text;
    cJSON      *got, *want;
    ai_buf_t    out;
    ai_int_t    rc;
    request_t   r;

    parse(&r, c->body);
    rc = r.rc;

    if (c->change != NULL) {
        c->change(&r.req);
    }

    if (rc == AI_OK) {
        rc = render(&r, c->model, &out);
    }

    if (c->want == NULL) {
        if (!CHECK_INT(rc, AI_DECLINED)
            || !CHECK_MEM(r.rep.param.data, r.rep.param.len, c->dropped,
                          strlen(c->dropped)))
        {
            printf("    in \"%s\"\n", c->name);
        }

        CHECK(r.rep.message.len != 0);
        return;
    }

    if (!CHECK_INT(rc, AI_OK)) {
        printf("    in \"%s\": %.*s\n", c->name, (int) r.rep.message.len,
               r.rep.message.data);
        return;
    }

    got = cJSON_ParseWithLength((char *) out.start, ai_buf_len(&out));
    want = cJSON_Parse(c->want);

    if (!CHECK(want != NULL && got != NULL && cJSON_Compare(got, want, 1))) {
        text = cJSON_PrintUnformatted(got);
        printf("    in \"%s\"\n    got      %s\n    expected %s\n", c->name,
               text ? text : (char *) out.start, c->want);
        free(text);
    }

    cJSON_Delete(got);
    cJSON_Delete(want);
    check_dropped(&r, c);
}


static void
check_requests(const request_case_t *c)
{
    for ( /* void */ ; c->name != NULL; c++) {
        check_request(c);
    }
}


#define USER(blocks)       "{\"role\":\"user\",\"content\":[" blocks "]}"
#define ASSISTANT(blocks)  "{\"role\":\"assistant\",\"content\":[" blocks "]}"
#define TEXT(s)            "{\"text\":\"" s "\"}"
#define HI                 "\"messages\":[" USER(TEXT("hi")) "]"
#define CACHE              "{\"cachePoint\":{\"type\":\"default\"}}"
#define CACHE1H                                                              \
    "{\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}}"

#define CALL(id, input)                                                      \
    "{\"toolUse\":{\"toolUseId\":\"" id "\",\"name\":\"a\",\"input\":" input \
    "}}"
#define RESULT(id, blocks)                                                   \
    "{\"toolResult\":{\"toolUseId\":\"" id "\",\"content\":[" blocks "]}}"
#define EMPTY              "{\"type\":\"object\",\"properties\":{}}"
#define TOOL_A                                                               \
    "{\"toolSpec\":{\"name\":\"a\",\"inputSchema\":{\"json\":" EMPTY "}}}"
#define TOOLS              "\"toolConfig\":{\"tools\":[" TOOL_A "]}"
#define TOOLS_CHOICE(c)                                                      \
    "\"toolConfig\":{\"tools\":[" TOOL_A "],\"toolChoice\":{" c "}}"

#define EXTRA(m)           "\"additionalModelRequestFields\":{" m "}"
#define INFERENCE(m)       "\"inferenceConfig\":{" m "}"


static void
two_answers(ai_request_t *req)
{
    ai_str_set(&req->n, "2");
}


static void
with_logprobs(ai_request_t *req)
{
    ai_str_set(&req->logprobs, "true");
}


static void
without_slots(ai_request_t *req)
{
    ai_str_set(&req->n, "1");
    ai_str_set(&req->logprobs, "false");
    ai_str_set(&req->seed, "7");
    ai_str_set(&req->presence_penalty, "0.0");
    ai_str_set(&req->frequency_penalty, "0.5");
    ai_str_set(&req->logit_bias, "{}");
    ai_str_set(&req->metadata, "{\"a\":\"b\"}");
    ai_str_set(&req->store, "true");
    req->user = ai_mstr_cstr("u");
    req->service_tier = ai_mstr_cstr("scale");
}


static void
choice_none(ai_request_t *req)
{
    req->choice = AI_CHOICE_NONE;
}


static void
only_tool_a(ai_request_t *req)
{
    req->allowed[0] = ai_mstr_cstr("a");
    req->nallowed = 1;
}


static void
format_json(ai_request_t *req)
{
    req->format = AI_FORMAT_JSON;
}


static void
cache_all(ai_request_t *req)
{
    ai_str_set(&req->cache, "{\"type\":\"ephemeral\"}");
}


static ai_part_t *
add_part(ai_request_t *req, ai_part_e type)
{
    ai_part_t  *part;

    part = ai_part_create(&unit_arena, type);
    *req->messages->last = part;
    req->messages->last = &part->next;

    return part;
}


static void
image_url(ai_request_t *req)
{
    add_part(req, AI_PART_IMAGE)->url = ai_mstr_cstr("https://a/b.png");
}


static void
uploaded_file(ai_request_t *req)
{
    add_part(req, AI_PART_DOCUMENT)->file = ai_mstr_cstr("file-1");
}


static void
image_badly_encoded(ai_request_t *req)
{
    ai_part_t  *part;

    part = add_part(req, AI_PART_IMAGE);
    part->media_type = ai_mstr_cstr("image/jpg");
    part->data = ai_mstr_cstr("_-8 A\nQg");
}


static void
image_of_no_known_type(ai_request_t *req)
{
    ai_part_t  *part;

    part = add_part(req, AI_PART_IMAGE);
    part->media_type = ai_mstr_cstr("image/tiff");
    part->data = ai_mstr_cstr("QUJD");
}


static void
audio(ai_request_t *req)
{
    ai_part_t  *part;

    part = add_part(req, AI_PART_AUDIO);
    part->media_type = ai_mstr_cstr("audio/wav");
    part->data = ai_mstr_cstr("QUJD");
}


static void
three_documents(ai_request_t *req)
{
    ai_uint_t   i;
    ai_part_t  *part;

    static const char  *const names[] = {
        "Q3 report  v2.pdf", "Q3 report  v2.pdf", ""
    };

    for (i = 0; i < 3; i++) {
        part = add_part(req, AI_PART_DOCUMENT);
        part->name = ai_mstr_cstr(names[i]);
        part->media_type = ai_mstr_cstr("application/pdf");
        part->data = ai_mstr_cstr("QUJD");
    }

    part->data.s.len = 0;
    part->text = ai_mstr_cstr("ABC");
    part->media_type = ai_mstr_cstr("text/x-c");
}


static void
strange_names(ai_request_t *req)
{
    ai_part_t  *call;

    call = req->messages->next->parts;
    call->id = ai_mstr_cstr("a.b");
    call->name = ai_mstr_cstr("get weather!");
    call->args = ai_mstr_cstr("not JSON");
    req->messages->next->next->parts->id = call->id;
}


static void
system_later(ai_request_t *req)
{
    ai_part_t     *part;
    ai_message_t  *m;

    m = ai_request_message(req, AI_ROLE_DEVELOPER);
    part = ai_message_part(req, m, AI_PART_TEXT);
    part->text = ai_mstr_cstr("late");

    m = ai_request_message(req, AI_ROLE_USER);
    part = ai_message_part(req, m, AI_PART_TEXT);
    part->text = ai_mstr_cstr("more");
}


static const request_case_t  messages[] = {

    { "least", SONNET45, "{" HI "}", "{" HI "}", "", NULL },

    { "system", SONNET45,
      "{" HI ",\"system\":[" TEXT("be \\u00e9") "," CACHE1H "]}",
      "{" HI ",\"system\":[" TEXT("be \\u00e9") "," CACHE1H "]}", "", NULL },

    { "system among messages", SONNET45, "{" HI ",\"system\":[]}",
      "{\"messages\":[" USER(TEXT("hi") "," TEXT("more")) "],\"system\":["
      TEXT("late") "]}", "", system_later },

    { "the assistant first", SONNET45,
      "{\"messages\":[" ASSISTANT(TEXT("a")) "," USER(TEXT("b")) "]}",
      "{\"messages\":[" USER(TEXT("Continue.")) "," ASSISTANT(TEXT("a")) ","
      USER(TEXT("b")) "]}", "", NULL },

    { "nobody", SONNET45, "{\"messages\":[]}",
      "{\"messages\":[" USER(TEXT("Continue.")) "]}", "", NULL },

    { "blank texts", SONNET45,
      "{\"messages\":[" USER(TEXT("a")) "," ASSISTANT(TEXT(" \\n\\t")) ","
      USER(TEXT("") "," TEXT("b")) "]}",
      "{\"messages\":[" USER(TEXT("a") "," TEXT("b")) "]}", "", NULL },

    { "an answer to go on with", SONNET45,
      "{\"messages\":[" USER(TEXT("a")) "," ASSISTANT(TEXT("so \\\\n\\n "))
      "]}",
      "{\"messages\":[" USER(TEXT("a")) "," ASSISTANT(TEXT("so \\\\n")) "]}",
      "", NULL },

    { "markers", SONNET45,
      "{\"messages\":[" USER(TEXT("a") "," CACHE) "," ASSISTANT(TEXT("b"))
      "," USER(TEXT("c") "," CACHE1H) "]}",
      "{\"messages\":[" USER(TEXT("a") "," CACHE) "," ASSISTANT(TEXT("b"))
      "," USER(TEXT("c") "," CACHE1H) "]}", "", NULL },

    { "markers for Nova", NOVA, "{\"messages\":[" USER(TEXT("a") "," CACHE1H)
      "]," "\"toolConfig\":{\"tools\":[" TOOL_A "," CACHE "]}}",
      "{\"messages\":[" USER(TEXT("a") "," CACHE) "]," TOOLS "}", "", NULL },

    { "markers for others", QWEN, "{\"messages\":[" USER(TEXT("a") "," CACHE)
      "]}", "{\"messages\":[" USER(TEXT("a")) "]}", "cache_control", NULL },

    { "the last four markers", SONNET45,
      "{\"system\":[" TEXT("s") "," CACHE "],\"messages\":["
      USER(TEXT("a") "," CACHE "," TEXT("b") "," CACHE "," TEXT("c") "," CACHE
           "," TEXT("d") "," CACHE) "]}",
      "{\"system\":[" TEXT("s") "],\"messages\":["
      USER(TEXT("a") "," CACHE "," TEXT("b") "," CACHE "," TEXT("c") "," CACHE
           "," TEXT("d") "," CACHE) "]}", "cache_control", NULL },

    { "a marker of all", SONNET45, "{" HI "}",
      "{\"messages\":[" USER(TEXT("hi") "," CACHE) "]}", "", cache_all },

    { "what guards and cites", SONNET45,
      "{\"guardrailConfig\":{\"guardrailIdentifier\":\"x\"},\"messages\":["
      USER("{\"guardContent\":{\"text\":{\"text\":\"g\",\"qualifiers\":[]}}},"
           "{\"searchResult\":{\"title\":\"t\",\"source\":\"s\",\"content\":["
           TEXT("f") "]}}") ","
      ASSISTANT("{\"citationsContent\":{\"content\":[" TEXT("c") "],"
                "\"citations\":[]}},{\"newBlock\":{}}") "," USER(TEXT("b"))
      "]}",
      "{\"messages\":[" USER(TEXT("g") "," TEXT("t") "," TEXT("s") ","
                             TEXT("f")) "," ASSISTANT(TEXT("c")) ","
      USER(TEXT("b")) "]}", "guardrailConfig,guardContent,newBlock", NULL },

    { "no array", SONNET45, "{\"messages\":{}}", NULL, "messages", NULL },
    { "no content", SONNET45, "{\"messages\":[{\"role\":\"user\",\"content\":"
      "\"hi\"}]}", NULL, "messages.0.content", NULL },
    { "no role", SONNET45, "{\"messages\":[" USER("") ",{\"role\":\"system\","
      "\"content\":[]}]}", NULL, "messages.1.content", NULL },
    { "no text", SONNET45, "{\"messages\":[" USER("{\"text\":1}") "]}", NULL,
      "messages.0.content", NULL },
    { "no system", SONNET45, "{" HI ",\"system\":[{\"text\":[]}]}", NULL,
      "system", NULL },
    { "prompts of Bedrock", SONNET45, "{" HI ",\"promptVariables\":{}}", NULL,
      "promptVariables", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


#define IMAGE(f, b)                                                          \
    "{\"image\":{\"format\":\"" f "\",\"source\":{\"bytes\":\"" b "\"}}}"
#define DOCUMENT(n, f, b)                                                    \
    "{\"document\":{\"name\":\"" n "\",\"format\":\"" f "\",\"source\":"     \
    "{\"bytes\":\"" b "\"}}}"


static const request_case_t  media[] = {

    { "as they are", NOVA,
      "{\"messages\":[" USER(TEXT("q") "," IMAGE("jpeg", "QUJD") ",{\"video\":"
      "{\"format\":\"three_gp\",\"source\":{\"s3Location\":{\"uri\":"
      "\"s3://b/k\"}}}},{\"audio\":{\"format\":\"mp3\",\"source\":{\"bytes\":"
      "\"QUJD\"}}}") "]}",
      "{\"messages\":[" USER(TEXT("q") "," IMAGE("jpeg", "QUJD") ",{\"video\":"
      "{\"format\":\"three_gp\",\"source\":{\"s3Location\":{\"uri\":"
      "\"s3://b/k\"}}}},{\"audio\":{\"format\":\"mp3\",\"source\":{\"bytes\":"
      "\"QUJD\"}}}") "]}", "", NULL },

    { "documents", SONNET45,
      "{\"messages\":[" USER("{\"document\":{\"name\":\"n\",\"format\":\"md\","
      "\"source\":{\"text\":\"AB\\u0043\"}}},{\"document\":{\"name\":\"m\","
      "\"format\":\"txt\",\"source\":{\"content\":[{\"text\":\"A\"},{\"text\":"
      "\"B\"}]}}}") "]}",
      "{\"messages\":[" USER(DOCUMENT("n-1", "md", "QUJD") ","
                             DOCUMENT("m-2", "txt", "QQpC") ","
                             TEXT("See the document.")) "]}", "", NULL },

    { "names of documents", SONNET45, "{" HI "}",
      "{\"messages\":[" USER(TEXT("hi") ","
                             DOCUMENT("Q3 report v2-pdf-1", "pdf", "QUJD") ","
                             DOCUMENT("Q3 report v2-pdf-2", "pdf", "QUJD") ","
                             DOCUMENT("document-3", "txt", "QUJD")) "]}",
      "", three_documents },

    { "base64 as it should be", SONNET45, "{" HI "}",
      "{\"messages\":[" USER(TEXT("hi") "," IMAGE("jpeg", "/+8AQg==")) "]}",
      "", image_badly_encoded },

    { "a URL", SONNET45, "{" HI "}", NULL, "messages", image_url },
    { "an upload", SONNET45, "{" HI "}", NULL, "messages", uploaded_file },
    { "a type", SONNET45, "{" HI "}", NULL, "messages",
      image_of_no_known_type },
    { "audio for Claude", SONNET45, "{" HI "}", NULL, "messages", audio },
    { "a format", NOVA, "{\"messages\":[" USER(IMAGE("bmp", "QUJD")) "]}",
      NULL, "messages.0.content", NULL },
    { "no source", NOVA, "{\"messages\":[" USER("{\"image\":{\"format\":"
      "\"png\"}}") "]}", NULL, "messages.0.content", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


static const request_case_t  tools[] = {

    { "schemas", SONNET45,
      "{" HI ",\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"x\","
      "\"description\":\"d\",\"inputSchema\":{\"json\":{\"type\":\"object\","
      "\"properties\":{\"n\":{\"type\":\"number\",\"maximum\":1.50}}}},"
      "\"strict\":true}},{\"toolSpec\":{\"name\":\"y\",\"inputSchema\":"
      "{\"json\":{\"properties\":{}}}}}," CACHE ",{\"toolSpec\":{\"name\":"
      "\"z\",\"inputSchema\":{\"json\":{}}}},{\"systemTool\":{\"name\":"
      "\"nova_grounding\"}}]}}",
      "{" HI ",\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"x\","
      "\"description\":\"d\",\"inputSchema\":{\"json\":{\"type\":\"object\","
      "\"properties\":{\"n\":{\"type\":\"number\",\"maximum\":1.50}}}},"
      "\"strict\":true}},{\"toolSpec\":{\"name\":\"y\",\"inputSchema\":"
      "{\"json\":" EMPTY "}}}," CACHE ",{\"toolSpec\":{\"name\":\"z\","
      "\"inputSchema\":{\"json\":" EMPTY "}}}]}}", "tools", NULL },

    { "auto", SONNET45, "{" HI "," TOOLS_CHOICE("\"auto\":{}") "}",
      "{" HI "," TOOLS_CHOICE("\"auto\":{}") "}", "", NULL },
    { "any", SONNET45, "{" HI "," TOOLS_CHOICE("\"any\":{}") "}",
      "{" HI "," TOOLS_CHOICE("\"any\":{}") "}", "", NULL },
    { "a named one", SONNET45,
      "{" HI "," TOOLS_CHOICE("\"tool\":{\"name\":\"a\"}") "}",
      "{" HI "," TOOLS_CHOICE("\"tool\":{\"name\":\"a\"}") "}", "", NULL },
    { "none", SONNET45, "{" HI "," TOOLS "}", "{" HI "}", "", choice_none },
    { "no choice", SONNET45, "{" HI "," TOOLS_CHOICE("") "}", NULL,
      "toolConfig.toolChoice", NULL },
    { "no name", SONNET45, "{" HI ",\"toolConfig\":{\"tools\":[{\"toolSpec\":"
      "{}}]}}", NULL, "toolConfig.tools", NULL },

    { "no tool", SONNET45, "{" HI ",\"toolConfig\":{\"tools\":[\"x\"]}}", NULL,
      "toolConfig.tools", NULL },

    { "some of them", SONNET45,
      "{" HI ",\"toolConfig\":{\"tools\":[" TOOL_A ",{\"toolSpec\":{\"name\":"
      "\"b\"}}]}}", "{" HI "," TOOLS "}", "", only_tool_a },

    { "one at a time", SONNET45, "{" HI "," TOOLS ","
      EXTRA("\"tool_choice\":{\"type\":\"auto\","
            "\"disable_parallel_tool_use\":true}") "}",
      "{" HI "," TOOLS "," EXTRA("\"tool_choice\":{\"type\":\"auto\","
                                 "\"disable_parallel_tool_use\":true}") "}",
      "", NULL },
    { "one at a time, of Nova", NOVA, "{" HI "," TOOLS ","
      EXTRA("\"tool_choice\":{\"disable_parallel_tool_use\":true}") "}",
      "{" HI "," TOOLS "}", "parallel_tool_calls", NULL },

    { "results", SONNET45,
      "{" TOOLS ",\"messages\":[" USER(TEXT("q")) ","
      ASSISTANT(TEXT("w") "," CALL("t", "{\"n\":1.0}") "," CALL("u", "{}"))
      "," USER("{\"toolResult\":{\"toolUseId\":\"u\",\"status\":\"error\","
               "\"content\":[]}}," RESULT("t", "{\"json\":{\"a\": 1}},"
               IMAGE("png", "QUJD")) "," CACHE "," TEXT("and")) "]}",
      "{" TOOLS ",\"messages\":[" USER(TEXT("q")) ","
      ASSISTANT(TEXT("w") "," CALL("t", "{\"n\":1.0}") "," CALL("u", "{}"))
      "," USER(RESULT("t", TEXT("{\\\"a\\\": 1}") "," IMAGE("png", "QUJD"))
               "," CACHE ",{\"toolResult\":{\"toolUseId\":\"u\",\"status\":"
               "\"error\",\"content\":[" TEXT("(empty)") "]}}," TEXT("and"))
      "]}", "", NULL },

    { "of the provider", SONNET45,
      "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT("{\"toolUse\":"
      "{\"type\":\"server_tool_use\",\"toolUseId\":\"t\",\"name\":"
      "\"nova_grounding\",\"input\":{}}},{\"toolResult\":{\"type\":"
      "\"nova_grounding_result\",\"toolUseId\":\"t\",\"content\":[]}},"
      TEXT("a")) "," USER(TEXT("b")) "]}",
      "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT(TEXT("a")) ","
      USER(TEXT("b")) "]}", "server_tool_use", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


/* a provider must find tools where there are calls */

static const request_case_t  mistake_13[] = {

    { "none any more", SONNET45,
      "{\"messages\":[" USER(TEXT("q")) ","
      ASSISTANT(CALL("t", "{}") "," CALL("u", "{}")) ","
      USER(RESULT("t", TEXT("1")) "," RESULT("u", TEXT("2"))) "]}",
      "{" TOOLS ",\"messages\":[" USER(TEXT("q")) ","
      ASSISTANT(CALL("t", "{}") "," CALL("u", "{}")) ","
      USER(RESULT("t", TEXT("1")) "," RESULT("u", TEXT("2"))) "]}", "", NULL },

    { "none may be called", SONNET45,
      "{" TOOLS ",\"messages\":[" USER(TEXT("q")) "," ASSISTANT(CALL("t",
      "{}")) "," USER(RESULT("t", TEXT("1"))) "]}",
      "{" TOOLS ",\"messages\":[" USER(TEXT("q")) "," ASSISTANT(CALL("t",
      "{}")) "," USER(RESULT("t", TEXT("1"))) "]}", "tool_choice",
      choice_none },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


/* results of a turn in one message of the user, in the order of the calls */

static const request_case_t  mistake_14[] = {

    { "apart", SONNET45,
      "{" TOOLS ",\"messages\":[" USER(TEXT("q")) ","
      ASSISTANT(CALL("t", "{}") "," CALL("u", "{}")) ","
      USER(RESULT("u", TEXT("2"))) "," USER(TEXT("so?")) ","
      USER(RESULT("t", TEXT("1"))) "]}",
      "{" TOOLS ",\"messages\":[" USER(TEXT("q")) ","
      ASSISTANT(CALL("t", "{}") "," CALL("u", "{}")) ","
      USER(RESULT("t", TEXT("1")) "," RESULT("u", TEXT("2")) ","
           TEXT("so?")) "]}", "", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


static const request_case_t  sampling[] = {

    { "in range", NOVA,
      "{" HI "," INFERENCE("\"maxTokens\":10,\"temperature\":0.70,\"topP\":0.9,"
      "\"stopSequences\":[\"a\",\" \",\"\"]") ","
      EXTRA("\"inferenceConfig\":{\"topK\":5}") "}",
      "{" HI "," INFERENCE("\"maxTokens\":10,\"temperature\":0.7,\"topP\":0.9,"
      "\"stopSequences\":[\"a\"]") ","
      EXTRA("\"inferenceConfig\":{\"topK\":5}") "}", "stop", NULL },

    { "out of range", NOVA,
      "{" HI "," INFERENCE("\"temperature\":1.7,\"topP\":-1") "}",
      "{" HI "," INFERENCE("\"temperature\":1,\"topP\":0") "}", "", NULL },

    { "none of them", OPUS48,
      "{" HI "," INFERENCE("\"temperature\":0.5,\"topP\":0.5") ","
      EXTRA("\"top_k\":5") "}", "{" HI "}", "temperature,top_p,top_k", NULL },

    { "top_k", HAIKU35, "{" HI "," EXTRA("\"top_k\":5") "}",
      "{" HI "," EXTRA("\"top_k\":5") "}", "", NULL },
    { "top_k of others", QWEN, "{" HI "," EXTRA("\"top_k\":5") "}",
      "{" HI "}", "top_k", NULL },

    { "numbers", SONNET45, "{" HI "," INFERENCE("\"maxTokens\":\"10\"") "}",
      NULL, "inferenceConfig.maxTokens", NULL },
    { "stops", SONNET45, "{" HI "," INFERENCE("\"stopSequences\":[1]") "}",
      NULL, "inferenceConfig.stopSequences", NULL },

    { "no slot", SONNET45, "{" HI "}", "{" HI "}",
      "frequency_penalty,seed,logit_bias,metadata,user,store,service_tier",
      without_slots },
    { "no second answer", SONNET45, "{" HI "}", NULL, "n", two_answers },
    { "no logprobs", SONNET45, "{" HI "}", NULL, "logprobs", with_logprobs },

    { "the rest", SONNET45, "{" HI ",\"serviceTier\":{\"type\":\"flex\"},"
      "\"performanceConfig\":{\"latency\":\"optimized\"},"
      "\"additionalModelResponseFieldPaths\":[]," EXTRA("\"seed\":1") "}",
      "{" HI ",\"serviceTier\":{\"type\":\"flex\"}}",
      "performanceConfig,additionalModelResponseFieldPaths,seed", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


static const request_case_t  mistake_23[] = {

    { "not both", SONNET45,
      "{" HI "," INFERENCE("\"temperature\":0.5,\"topP\":0.5") "}",
      "{" HI "," INFERENCE("\"temperature\":0.5") "}", "top_p", NULL },
    { "one of them", SONNET45, "{" HI "," INFERENCE("\"topP\":0.5") "}",
      "{" HI "," INFERENCE("\"topP\":0.5") "}", "", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


#define ENABLED(n)                                                           \
    "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":" n "}"
#define ADAPTIVE                                                             \
    "\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"}"
#define EFFORT(e)   "\"output_config\":{\"effort\":\"" e "\"}"
#define OPENAI(e)   "\"reasoning_effort\":\"" e "\""
#define NOVA_R(e)                                                            \
    "\"reasoningConfig\":{\"type\":\"enabled\",\"maxReasoningEffort\":\"" e   \
    "\"}"


static const request_case_t  thinking[] = {

    { "by budget", SONNET45, "{" HI "," EXTRA(ENABLED("2000")) ","
      INFERENCE("\"temperature\":1.0,\"topP\":0.99,\"maxTokens\":3000") "}",
      "{" HI "," EXTRA(ENABLED("2000")) ","
      INFERENCE("\"temperature\":1.0,\"maxTokens\":3000") "}", "top_p", NULL },

    { "above the limit", SONNET45, "{" HI "," EXTRA(ENABLED("2000")) ","
      INFERENCE("\"temperature\":0.5,\"maxTokens\":1500") "}",
      "{" HI "," EXTRA(ENABLED("2000")) "," INFERENCE("\"maxTokens\":3500")
      "}", "temperature", NULL },

    { "too little", SONNET37, "{" HI "," EXTRA(ENABLED("5")) "}",
      "{" HI "," EXTRA(ENABLED("1024")) "}", "", NULL },

    { "by effort", SONNET45, "{" HI "," EXTRA(OPENAI("medium")) "}",
      "{" HI "," EXTRA(ENABLED("2048")) "}", "", NULL },
    { "none", SONNET45, "{" HI "," EXTRA(OPENAI("none")) "}",
      "{" HI "}", "", NULL },
    { "none, said", OPUS48,
      "{" HI "," EXTRA("\"thinking\":{\"type\":\"disabled\"}," EFFORT("high"))
      "}", "{" HI "," EXTRA("\"thinking\":{\"type\":\"disabled\"}") "}", "",
      NULL },

    { "adaptive", SONNET46, "{" HI "," EXTRA(ADAPTIVE "," EFFORT("high"))
      "}", "{" HI "," EXTRA(ADAPTIVE "," EFFORT("high")) "}", "", NULL },
    { "adaptive by effort", SONNET46, "{" HI "," EXTRA(OPENAI("xhigh")) "}",
      "{" HI "," EXTRA("\"thinking\":{\"type\":\"adaptive\"},"
                       EFFORT("high")) "}", "", NULL },
    { "adaptive by budget", OPUS48, "{" HI "," EXTRA(ENABLED("2048")) "}",
      "{" HI "," EXTRA(ADAPTIVE "," EFFORT("medium")) "}", "", NULL },

    { "not at all", HAIKU35, "{" HI "," EXTRA(OPENAI("high")) "}",
      "{" HI "}", "reasoning_effort", NULL },

    { "Nova", NOVA2, "{" HI "," EXTRA(NOVA_R("low")) ","
      INFERENCE("\"maxTokens\":10") "}",
      "{" HI "," EXTRA(NOVA_R("low")) "," INFERENCE("\"maxTokens\":10") "}",
      "", NULL },
    { "Nova, high", NOVA2, "{" HI "," EXTRA(OPENAI("max")) ","
      INFERENCE("\"maxTokens\":10,\"temperature\":1,\"topP\":1") "}",
      "{" HI "," EXTRA(NOVA_R("high")) "}", "max_tokens,temperature,top_p",
      NULL },
    { "Nova, first", NOVA, "{" HI "," EXTRA(OPENAI("low")) "}", "{" HI "}",
      "reasoning_effort", NULL },
    { "gpt-oss", OSS, "{" HI "," EXTRA(OPENAI("minimal")) "}",
      "{" HI "," EXTRA(OPENAI("low")) "}", "", NULL },
    { "others", QWEN, "{" HI "," EXTRA("\"reasoning_config\":\"high\"") "}",
      "{" HI "}", "reasoning_effort", NULL },
    { "no thinking", SONNET45, "{" HI "," EXTRA("\"thinking\":{}") "}", NULL,
      "additionalModelRequestFields.thinking", NULL },

    { "thoughts lost", SONNET45,
      "{" TOOLS "," EXTRA(ENABLED("2000")) ",\"messages\":[" USER(TEXT("q"))
      "," ASSISTANT(CALL("t", "{}")) "," USER(RESULT("t", TEXT("1"))) "]}",
      "{" TOOLS ",\"messages\":[" USER(TEXT("q")) "," ASSISTANT(CALL("t",
      "{}")) "," USER(RESULT("t", TEXT("1"))) "]}", "reasoning_effort", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


#define THOUGHT(t, s)                                                        \
    "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"" t                \
    "\",\"signature\":\"" s "\"}}}"
#define REDACTED   "{\"reasoningContent\":{\"redactedContent\":\"UkVE\"}}"


static const request_case_t  mistake_10[] = {

    { "thoughts go back", SONNET45,
      "{" TOOLS "," EXTRA(ENABLED("2000")) ",\"messages\":[" USER(TEXT("q"))
      "," ASSISTANT(THOUGHT("so", "sig\\/n") "," REDACTED "," CALL("t", "{}"))
      "," USER(RESULT("t", TEXT("1"))) "]}",
      "{" TOOLS "," EXTRA(ENABLED("2000")) ",\"messages\":[" USER(TEXT("q"))
      "," ASSISTANT(THOUGHT("so", "sig/n") "," REDACTED "," CALL("t", "{}"))
      "," USER(RESULT("t", TEXT("1"))) "]}", "", NULL },

    { "not to others", NOVA,
      "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT(THOUGHT("so", "sign")
      "," TEXT("a")) "," USER(TEXT("b")) "]}",
      "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT(TEXT("a")) ","
      USER(TEXT("b")) "]}", "", NULL },

    { "not without a signature", SONNET45,
      "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT(THOUGHT("so", "") ","
      TEXT("a")) "," USER(TEXT("b")) "]}",
      "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT(TEXT("a")) ","
      USER(TEXT("b")) "]}", "", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


static const request_case_t  mistake_22[] = {

    { "no thoughts on command", SONNET45,
      "{" HI "," TOOLS_CHOICE("\"any\":{}") "," EXTRA(ENABLED("2000")) "}",
      "{" HI "," TOOLS_CHOICE("\"any\":{}") "}", "reasoning_effort", NULL },
    { "said", SONNET46,
      "{" HI "," TOOLS_CHOICE("\"tool\":{\"name\":\"a\"}") ","
      EXTRA(OPENAI("low")) "}",
      "{" HI "," TOOLS_CHOICE("\"tool\":{\"name\":\"a\"}") ","
      EXTRA("\"thinking\":{\"type\":\"disabled\"}") "}", "reasoning_effort",
      NULL },
    { "none in what has begun", SONNET45,
      "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT(TEXT("a")) "],"
      EXTRA(ENABLED("2000")) "}",
      "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT(TEXT("a")) "]}",
      "reasoning_effort", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


#define FORMAT                                                               \
    "\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\","             \
    "\"structure\":{\"jsonSchema\":{\"name\":\"n\",\"schema\":"              \
    "\"{\\\"type\\\":\\\"object\\\"}\"}}}}"
#define ANSWER_TOOL                                                          \
    "{\"toolSpec\":{\"name\":\"" AI_WIRE_JSON "\",\"description\":"       \
    "\"Gives the answer in the form that is asked for. Always answer by "    \
    "it.\",\"inputSchema\":{\"json\":{\"type\":\"object\"}}}}"


static const request_case_t  formats[] = {

    { "a schema", SONNET45, "{" HI "," FORMAT "}", "{" HI "," FORMAT "}", "",
      NULL },
    { "of others", QWEN, "{" HI "," FORMAT "}", "{" HI "," FORMAT "}", "",
      NULL },
    { "as Claude has it", SONNET45,
      "{" HI "," EXTRA("\"output_config\":{\"format\":{\"type\":"
      "\"json_schema\",\"schema\":{\"type\":\"object\"}}}") "}",
      "{" HI ",\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\","
      "\"structure\":{\"jsonSchema\":{\"name\":\"answer\",\"schema\":"
      "\"{\\\"type\\\":\\\"object\\\"}\"}}}}}", "", NULL },

    { "by a tool", NOVA, "{" HI "," FORMAT "}",
      "{" HI ",\"toolConfig\":{\"tools\":[" ANSWER_TOOL "],\"toolChoice\":"
      "{\"tool\":{\"name\":\"" AI_WIRE_JSON "\"}}}}", "", NULL },
    { "by a tool among others", HAIKU35, "{" HI "," TOOLS "," FORMAT "}",
      "{" HI ",\"toolConfig\":{\"tools\":[" TOOL_A "," ANSWER_TOOL "],"
      "\"toolChoice\":{\"any\":{}}}}", "", NULL },
    { "by no tool", HAIKU35, "{" HI ","
      TOOLS_CHOICE("\"tool\":{\"name\":\"a\"}") "," FORMAT "}",
      "{" HI "," TOOLS_CHOICE("\"tool\":{\"name\":\"a\"}") "}",
      "response_format", NULL },

    { "any object", SONNET45, "{" HI "}",
      "{" HI ",\"system\":[" TEXT("Answer with one JSON object, and nothing "
                                  "before or after it.") "]}", "",
      format_json },
    { "no schema", SONNET45, "{" HI ",\"outputConfig\":{\"textFormat\":"
      "{\"structure\":{\"jsonSchema\":{\"schema\":\"{\"}}}}}", NULL,
      "outputConfig.textFormat.structure.jsonSchema.schema", NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


static void
test_messages(void)
{
    check_requests(messages);
}


static void
test_media(void)
{
    check_requests(media);
}


static void
test_tools(void)
{
    check_requests(tools);
}


static void
test_mistake_13_tool_config_missing(void)
{
    check_requests(mistake_13);
}


static void
test_mistake_14_results_not_merged(void)
{
    check_requests(mistake_14);
}


static void
test_sampling(void)
{
    check_requests(sampling);
}


static void
test_mistake_23_temperature_and_top_p(void)
{
    check_requests(mistake_23);
}


static void
test_thinking(void)
{
    check_requests(thinking);
}


static void
test_mistake_10_signatures(void)
{
    check_requests(mistake_10);
}


static void
test_mistake_22_thinking_and_forced_tool(void)
{
    check_requests(mistake_22);
}


static void
test_formats(void)
{
    check_requests(formats);
}


/* at each allocation: refused or written, and nothing in between */

static void
test_request_without_memory(void)
{
    long        n;
    ai_buf_t    out;
    request_t   r;

    for (n = 0; n < 200; n++) {
        parse(&r, "{" TOOLS ",\"messages\":[" USER(TEXT("q")) ","
                  ASSISTANT(THOUGHT("so", "s") "," REDACTED ","
                            CALL("a.b", "{}")) ","
                  USER(RESULT("a.b", TEXT("1") "," IMAGE("png", "QUI")))
                  "]," FORMAT "}");

        unit.fail_after = n;
        r.rc = render(&r, SONNET45, &out);
        unit.fail_after = -1;

        if (r.rc == AI_OK) {
            break;
        }

        CHECK_INT(r.rc, AI_ERROR);
    }

    CHECK(n > 10 && n < 200);
}


/*
 * Names and ids that Bedrock does not take are sent as others, the same for
 * the same; arguments that are no object become one.
 */

static void
test_names(void)
{
    char        *args;
    cJSON       *json, *use, *spec, *result;
    ai_buf_t     out;
    request_t    r;
    ai_mstr_t    sent;
    const char  *name, *id;

    parse(&r, "{\"messages\":[" USER(TEXT("q")) "," ASSISTANT(CALL("t", "{}"))
              "," USER(RESULT("t", TEXT("r"))) "]}");
    strange_names(&r.req);

    CHECK_INT(render(&r, SONNET45, &out), AI_OK);
    json = cJSON_ParseWithLength((char *) out.start, ai_buf_len(&out));

    use = cJSON_GetObjectItem(json, "messages")->child->next;
    result = cJSON_GetObjectItem(use->next, "content")->child->child;
    use = cJSON_GetObjectItem(use, "content")->child->child;
    spec = cJSON_GetObjectItem(json, "toolConfig")->child->child->child;

    name = cJSON_GetStringValue(cJSON_GetObjectItem(use, "name"));
    id = cJSON_GetStringValue(cJSON_GetObjectItem(use, "toolUseId"));

    CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")
          == strlen(name));
    CHECK(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-")
          == strlen(id));
    CHECK(strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(spec, "name")),
                 name) == 0);
    CHECK(strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(result,
                                                          "toolUseId")),
                 id) == 0);

    args = cJSON_PrintUnformatted(cJSON_GetObjectItem(use, "input"));
    CHECK_STR(args, strlen(args), "{\"rawInvalidInput\":\"not JSON\"}");
    free(args);
    cJSON_Delete(json);

    /* and the answer has the name that the client knows */

    parse(&r, "{" HI ",\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":"
              "\"a b\"}}]}}");
    CHECK_INT(render(&r, SONNET45, &out), AI_OK);

    if (CHECK(r.req.names != NULL)) {
        CHECK(ai_mstr_eq(&r.req.names->name, "a b"));
        sent = ai_mstr_plain(&r.req.names->sent);
        CHECK(contains(out.start, ai_buf_len(&out), sent.s.data,
                       sent.s.len));
    }
}


/* ---- answers ---- */

typedef struct {
    char             *data;
    size_t            len;
    size_t            size;
} text_t;


/* what a client understands of an answer, read by cJSON */

typedef struct {
    text_t            text;
    text_t            thoughts;
    text_t            states;      /* signatures and redacted, with ";" */
    text_t            calls;       /* "id name args;" */
    text_t            cites;       /* "url;" */
    text_t            args;        /* of the call that is open */
    char              stop[64];
    int               usage[4];
    int               index;       /* of the block that is open, or -1 */
    int               next;        /* of the next one */
    int               server;      /* that block is a server tool's */
    unsigned          calling;     /* or a call */
    unsigned          starts;
    unsigned          stops;
    unsigned          metadata;
    const char       *wrong;       /* in the order of events */
} reader_t;


typedef struct {
    ai_tap_t          tap;
    ai_translate_t   *t;
    ai_eventstream_t  frames;
    reader_t          out;
    ai_event_e        last;
} answer_t;


static unsigned  seed = 1;


static unsigned
random_below(unsigned n)
{
    seed = seed * 1103515245 + 12345;

    return (seed >> 8) % n;
}


static void
text_add(text_t *t, const char *s)
{
    size_t  len;

    len = strlen(s);

    if (t->len + len + 1 > t->size) {
        t->size = (t->len + len + 1) * 2;
        t->data = realloc(t->data, t->size);

        if (t->data == NULL) {
            abort();
        }
    }

    memcpy(t->data + t->len, s, len + 1);
    t->len += len;
}


static void
reader_free(reader_t *r)
{
    free(r->text.data);
    free(r->thoughts.data);
    free(r->states.data);
    free(r->calls.data);
    free(r->cites.data);
    free(r->args.data);
}


static const char *
member(const cJSON *object, const char *name)
{
    const char  *s;

    s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return s != NULL ? s : "";
}


static cJSON *
object(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}


static void
read_usage(reader_t *r, const cJSON *usage)
{
    unsigned      i;
    const cJSON  *v;

    static const char  *const names[] = {
        "inputTokens", "outputTokens", "cacheReadInputTokens",
        "cacheWriteInputTokens"
    };

    for (i = 0; i < 4; i++) {
        v = object(usage, names[i]);
        r->usage[i] = v != NULL ? v->valueint : 0;
    }

    v = object(usage, "totalTokens");

    if (v != NULL) {
        CHECK_INT(v->valueint, r->usage[0] + r->usage[1] + r->usage[2]
                               + r->usage[3]);
    }
}


static void
read_thought(reader_t *r, const cJSON *v)
{
    text_add(&r->thoughts, member(v, "text"));

    if (member(v, "signature")[0] != '\0'
        && strcmp(member(v, "signature"), AI_STATE_UNSIGNED) != 0)
    {
        text_add(&r->states, member(v, "signature"));
        text_add(&r->states, ";");
    }

    if (member(v, "redactedContent")[0] != '\0') {
        text_add(&r->states, member(v, "redactedContent"));
        text_add(&r->states, ";");
    }
}


static void
read_cite(reader_t *r, const cJSON *v)
{
    const char  *url;

    url = member(object(object(v, "location"), "web"), "url");
    text_add(&r->cites, url[0] != '\0' ? url : member(v, "source"));
    text_add(&r->cites, ";");
}


/* arguments are compared as what they are, not as they were written */

static void
read_call(reader_t *r, const cJSON *tool, const char *args)
{
    char   *text;
    cJSON  *json;

    json = cJSON_Parse(args[0] != '\0' ? args : "{}");

    if (!CHECK(cJSON_IsObject(json))) {
        printf("    args %s\n", args);
        return;
    }

    text_add(&r->calls, member(tool, "toolUseId"));
    text_add(&r->calls, " ");
    text_add(&r->calls, member(tool, "name"));
    text_add(&r->calls, " ");
    text = cJSON_PrintUnformatted(json);
    text_add(&r->calls, text);
    text_add(&r->calls, ";");

    free(text);
    cJSON_Delete(json);
}


static void
read_document(reader_t *r, const cJSON *doc)
{
    char         *text;
    const cJSON  *block, *v, *item;

    snprintf(r->stop, sizeof(r->stop), "%s", member(doc, "stopReason"));
    read_usage(r, object(doc, "usage"));

    cJSON_ArrayForEach(block, object(object(object(doc, "output"), "message"),
                                     "content"))
    {
        text_add(&r->text, member(block, "text"));

        v = object(block, "reasoningContent");
        read_thought(r, object(v, "reasoningText"));
        read_thought(r, v);

        v = object(block, "toolUse");

        if (v != NULL && strcmp(member(v, "type"), "server_tool_use") != 0) {
            text = cJSON_PrintUnformatted(object(v, "input"));
            read_call(r, v, text);
            free(text);
        }

        v = object(block, "citationsContent");

        cJSON_ArrayForEach(item, object(v, "content")) {
            text_add(&r->text, member(item, "text"));
        }

        cJSON_ArrayForEach(item, object(v, "citations")) {
            read_cite(r, item);
        }
    }
}


static void
read_wrong(reader_t *r, const char *what)
{
    if (r->wrong == NULL) {
        r->wrong = what;
    }
}


static void
read_block_start(reader_t *r, const cJSON *root)
{
    const cJSON  *tool;

    if (r->index != -1 || object(root, "contentBlockIndex") == NULL
        || object(root, "contentBlockIndex")->valueint != r->next)
    {
        read_wrong(r, "block starts");
    }

    r->index = r->next;
    tool = object(object(root, "start"), "toolUse");
    r->server = (tool == NULL
                 || strcmp(member(tool, "type"), "server_tool_use") == 0);
    r->calling = !r->server;

    if (r->calling) {
        text_add(&r->calls, member(tool, "toolUseId"));
        text_add(&r->calls, " ");
        text_add(&r->calls, member(tool, "name"));
        text_add(&r->calls, " ");
    }
}


static void
read_block_delta(reader_t *r, const cJSON *root)
{
    const cJSON  *delta;

    delta = object(root, "delta");

    if (r->index == -1) {

        if (object(delta, "toolUse") != NULL) {
            read_wrong(r, "a call without its start");
        }

        r->index = r->next;
    }

    if (object(root, "contentBlockIndex")->valueint != r->index) {
        read_wrong(r, "index of a delta");
    }

    text_add(&r->text, member(delta, "text"));
    read_thought(r, object(delta, "reasoningContent"));

    if (object(delta, "citation") != NULL) {
        read_cite(r, object(delta, "citation"));
    }

    if (r->calling) {
        text_add(&r->args, member(object(delta, "toolUse"), "input"));
    }
}


static void
read_block_stop(reader_t *r, const cJSON *root)
{
    char   *text;
    cJSON  *json;

    if (r->index != -1
        && object(root, "contentBlockIndex")->valueint != r->index)
    {
        read_wrong(r, "index of a stop");
    }

    if (r->calling) {
        json = cJSON_Parse(r->args.len != 0 ? r->args.data : "{}");
        CHECK(cJSON_IsObject(json));

        text = cJSON_PrintUnformatted(json);
        text_add(&r->calls, text);
        text_add(&r->calls, ";");

        free(text);
        cJSON_Delete(json);
        r->args.len = 0;
        r->calling = 0;
    }

    r->server = 0;
    r->index = -1;
    r->next++;
}


static void
read_event(reader_t *r, const char *name, const cJSON *root)
{
    if (r->metadata != 0) {
        read_wrong(r, "an event behind metadata");
    }

    if (strcmp(name, "messageStart") == 0) {
        r->starts++;
        r->index = -1;
        CHECK(strcmp(member(root, "role"), "assistant") == 0);
        return;
    }

    if (r->starts == 0) {
        read_wrong(r, "no messageStart");
    }

    if (strcmp(name, "contentBlockStart") == 0) {
        read_block_start(r, root);

    } else if (strcmp(name, "contentBlockDelta") == 0) {
        read_block_delta(r, root);

    } else if (strcmp(name, "contentBlockStop") == 0) {
        read_block_stop(r, root);

    } else if (strcmp(name, "messageStop") == 0) {

        if (r->index != -1) {
            read_wrong(r, "a block is open");
        }

        r->stops++;
        snprintf(r->stop, sizeof(r->stop), "%s", member(root, "stopReason"));

    } else if (strcmp(name, "metadata") == 0) {
        r->metadata++;
        read_usage(r, object(root, "usage"));

    } else {
        read_wrong(r, name);
    }
}


/* the SDKs wait for all of these */

static void
check_order(reader_t *r)
{
    CHECK_UINT(r->starts, 1);
    CHECK_UINT(r->stops, 1);
    CHECK_UINT(r->metadata, 1);

    if (!CHECK(r->wrong == NULL)) {
        printf("    %s\n", r->wrong);
    }
}


#define SAME(m)                                                              \
    CHECK_MEM(got->m.data, got->m.len, want->m.data, want->m.len)

static void
check_same(reader_t *got, reader_t *want, const char *name)
{
    int  i, ok;

    ok = SAME(text);
    ok &= SAME(thoughts);
    ok &= SAME(states);
    ok &= SAME(calls);
    ok &= SAME(cites);

    for (i = 0; i < 4; i++) {
        ok &= CHECK_INT(got->usage[i], want->usage[i]);
    }

    if (strcmp(want->stop, "guardrail_intervened") == 0) {
        ok &= CHECK(strcmp(got->stop, "content_filtered") == 0);

    } else {
        ok &= CHECK(strcmp(got->stop, want->stop) == 0);
    }

    if (!ok) {
        printf("    in %s: %s, not %s\n", name, got->stop, want->stop);
    }
}


static void
start(answer_t *a, ai_op_e from, ai_op_e to)
{
    ai_translate_conf_t  conf;

    memset(a, 0, sizeof(answer_t));
    memset(&conf, 0, sizeof(ai_translate_conf_t));

    a->out.index = -1;

    conf.from = from;
    conf.to = to;
    conf.vendor = ai_vendor_generic(&ai_dialect_bedrock);
    ai_str_set(&conf.model, "m");
    ai_str_set(&conf.request_id, "0123456789abcdef");
    conf.now = 1700000000;
    conf.max = MAX_OUT;
    conf.alloc = &unit_arena;
    conf.scratch = &unit_arena;

    ai_tap_init(&a->tap, &ai_dialect_bedrock, from, &unit_arena);
    a->tap.keep = &unit_arena;
    ai_eventstream_init(&a->frames, MAX_OUT, &unit_arena);

    a->t = ai_translate_create(&conf, &a->tap);

    if (a->t == NULL) {
        abort();
    }
}


/* reads what came out, message by message */

static void
drain(answer_t *a)
{
    char                       name[64];
    cJSON                     *root;
    u_char                    *p;
    ai_str_t                   out;
    ai_eventstream_message_t   m;

    CHECK_INT(ai_buf_get(ai_translate_out(a->t), &out), AI_OK);
    p = out.data;

    while (ai_eventstream_next(&a->frames, &p, out.data + out.len, &m)
           == AI_OK)
    {
        CHECK_STR(m.content_type.data, m.content_type.len,
                  "application/json");
        CHECK_STR(m.message_type.data, m.message_type.len, "event");

        snprintf(name, sizeof(name), "%.*s", (int) m.event_type.len,
                 m.event_type.data);
        root = cJSON_ParseWithLength((char *) m.payload.data, m.payload.len);

        if (CHECK(root != NULL)) {
            read_event(&a->out, name, root);
        }

        cJSON_Delete(root);
    }

    CHECK_INT(ai_eventstream_finish(&a->frames), AI_OK);
}


static void
event(answer_t *a, const char *name, const char *data)
{
    ai_sse_event_t  ev;

    memset(&ev, 0, sizeof(ai_sse_event_t));

    ev.name.data = (u_char *) name;
    ev.name.len = strlen(name);
    ev.data.data = unit_bytes(data, strlen(data));
    ev.data.len = strlen(data);
    ev.has_data = 1;

    a->last = ai_translate_event(a->t, &ev);
    drain(a);
}


static ai_event_e
end(answer_t *a)
{
    ai_event_e  event;

    event = ai_translate_eof(a->t);
    drain(a);

    return event;
}


#define DELTA(i, d)                                                          \
    "contentBlockDelta", "{\"contentBlockIndex\":" i ",\"delta\":{" d "}}"
#define STOP(i)  "contentBlockStop", "{\"contentBlockIndex\":" i "}"
#define USAGE                                                                \
    "metadata", "{\"usage\":{\"inputTokens\":3,\"outputTokens\":5,"          \
    "\"totalTokens\":19,\"cacheReadInputTokens\":4,"                         \
    "\"cacheWriteInputTokens\":7},\"metrics\":{\"latencyMs\":9}}"


static void
test_stream(void)
{
    answer_t  a;

    start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);

    event(&a, "messageStart", "{\"role\":\"assistant\",\"p\":\"ab\"}");
    event(&a, DELTA("0", "\"reasoningContent\":{\"text\":\"hm\"}"));
    event(&a, DELTA("0", "\"reasoningContent\":{\"signature\":\"sig\"}"));
    event(&a, STOP("0"));
    event(&a, DELTA("1", "\"reasoningContent\":{\"redactedContent\":"
                         "\"UkVE\"}"));
    event(&a, STOP("1"));
    event(&a, DELTA("2", "\"text\":\"a\\u00e9\\n\""));
    CHECK_INT(a.last, AI_EVENT_CONTENT);
    event(&a, DELTA("2", "\"text\":\"\""));
    event(&a, STOP("2"));
    event(&a, "contentBlockStart", "{\"contentBlockIndex\":3,\"start\":"
              "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\"}}}");
    event(&a, DELTA("3", "\"toolUse\":{\"input\":\"{\\\"a\\\":\"}"));
    event(&a, DELTA("3", "\"toolUse\":{\"input\":\"1}\"}"));
    event(&a, STOP("3"));
    event(&a, "messageStop", "{\"stopReason\":\"tool_use\"}");
    event(&a, USAGE);
    CHECK_INT(a.last, AI_EVENT_END);
    CHECK_INT(end(&a), AI_EVENT_END);

    check_order(&a.out);
    CHECK_STR(a.out.text.data, a.out.text.len, "a\xc3\xa9\n");
    CHECK_STR(a.out.thoughts.data, a.out.thoughts.len, "hm");
    CHECK_STR(a.out.states.data, a.out.states.len, "sig;UkVE;");
    CHECK_STR(a.out.calls.data, a.out.calls.len, "t n {\"a\":1};");
    CHECK_STR(a.out.stop, strlen(a.out.stop), "tool_use");
    CHECK_INT(a.out.usage[0], 3);
    CHECK_INT(a.out.usage[1], 5);
    CHECK_INT(a.out.usage[2], 4);
    CHECK_INT(a.out.usage[3], 7);
    CHECK_UINT(a.tap.unknown, 0);
    CHECK_UINT(a.tap.usage.uncached, 3);
    CHECK_UINT(a.tap.usage.cached, 4);
    CHECK_UINT(a.tap.usage.cache_write, 7);
    CHECK_UINT(a.tap.tool_calls, 1);

    reader_free(&a.out);
}


/* a call of the tool that stands for outputConfig is the answer's text */

static void
test_answer_by_tool(void)
{
    answer_t  a;

    start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);

    event(&a, "messageStart", "{\"role\":\"assistant\"}");
    event(&a, "contentBlockStart", "{\"contentBlockIndex\":0,\"start\":"
              "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\""
              AI_WIRE_JSON "\"}}}");
    event(&a, DELTA("0", "\"toolUse\":{\"input\":\"{\\\"a\\\":\"}"));
    event(&a, DELTA("0", "\"toolUse\":{\"input\":\"1}\"}"));
    event(&a, STOP("0"));
    event(&a, "messageStop", "{\"stopReason\":\"tool_use\"}");
    event(&a, USAGE);

    check_order(&a.out);
    CHECK_STR(a.out.text.data, a.out.text.len, "{\"a\":1}");
    CHECK_STR(a.out.stop, strlen(a.out.stop), "end_turn");
    CHECK_UINT(a.tap.tool_calls, 0);

    reader_free(&a.out);
}


static void
test_mistake_6_no_arguments(void)
{
    answer_t  a;

    start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);

    event(&a, "messageStart", "{\"role\":\"assistant\"}");
    event(&a, "contentBlockStart", "{\"contentBlockIndex\":0,\"start\":"
              "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"n\"}}}");
    event(&a, STOP("0"));
    event(&a, "messageStop", "{\"stopReason\":\"tool_use\"}");
    event(&a, USAGE);

    check_order(&a.out);
    CHECK_STR(a.out.calls.data, a.out.calls.len, "t n {};");
    reader_free(&a.out);
}


static void
test_mistake_18_unknown_events(void)
{
    answer_t  a;

    start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);

    event(&a, "messageStart", "{}");
    event(&a, "latencyCheckpoint", "{\"a\":[]}");
    event(&a, "contentBlockStart", "{\"contentBlockIndex\":0,\"start\":"
              "{\"toolUse\":{\"toolUseId\":\"s\",\"name\":\"nova_grounding\","
              "\"type\":\"server_tool_use\"}}}");
    event(&a, DELTA("0", "\"toolUse\":{\"input\":\"{}\"}"));
    event(&a, STOP("0"));
    event(&a, "contentBlockStart", "{\"contentBlockIndex\":1,\"start\":"
              "{\"toolResult\":{\"toolUseId\":\"s\"}}}");
    event(&a, DELTA("1", "\"toolResult\":[{\"text\":\"x\"}]"));
    event(&a, STOP("1"));
    event(&a, "contentBlockStart", "{\"contentBlockIndex\":2,\"start\":"
              "{\"hologram\":{}}}");
    event(&a, DELTA("2", "\"hologram\":1"));
    event(&a, DELTA("2", "\"reasoningContent\":{\"odour\":1}"));
    event(&a, STOP("2"));
    event(&a, "contentBlockDelta", "{}");
    event(&a, DELTA("3", "\"text\":\"yes\""));
    event(&a, STOP("3"));
    event(&a, DELTA("4", "\"citation\":{\"title\":\"t\",\"location\":"
                         "{\"web\":{\"url\":\"https://u\"}}}"));
    event(&a, STOP("4"));
    event(&a, "messageStop", "{\"stopReason\":\"enlightened\"}");
    event(&a, "metadata", "{\"usage\":{\"inputTokens\":-1,\"outputTokens\":"
              "\"x\",\"newTokens\":1}}");
    CHECK_INT(a.last, AI_EVENT_END);

    check_order(&a.out);
    CHECK_STR(a.out.text.data, a.out.text.len, "yes");
    CHECK_STR(a.out.cites.data, a.out.cites.len, "https://u;");
    CHECK_STR(a.out.stop, strlen(a.out.stop), "end_turn");
    CHECK_UINT(a.out.calls.len, 0);
    CHECK_UINT(a.tap.tool_calls, 0);
    CHECK(a.tap.unknown >= 4);
    reader_free(&a.out);
}


/* what was cited is the text before it, in characters of the answer */

typedef struct {
    uint64_t  from;
    uint64_t  to;
    unsigned  n;
} cited_t;


static ai_int_t
keep_citation(void *data, const ai_delta_t *delta)
{
    cited_t  *c;

    c = data;

    if (delta->type == AI_DELTA_CITATION) {
        c->from = delta->from;
        c->to = delta->to;
        c->n++;
        CHECK(ai_mstr_eq(&delta->url, "https://u"));
        CHECK(ai_mstr_eq(&delta->name, "u"));
    }

    return AI_OK;
}


static void
decode(ai_decode_t *d, const char *name, const char *data)
{
    ai_str_t   s;
    ai_json_t  root;

    s.data = (u_char *) name;
    s.len = strlen(name);
    root = scan(data, strlen(data));

    CHECK_INT(ai_wire_converse.parse_event(d, &s, &root), AI_OK);
}


#define CITATION                                                             \
    "\"citation\":{\"location\":{\"web\":{\"url\":\"https://u\","           \
    "\"domain\":\"u\"}}}"

static void
test_citations(void)
{
    cited_t                c;
    ai_decode_t            d;
    ai_converse_decode_t   state;

    memset(&c, 0, sizeof(cited_t));
    memset(&d, 0, sizeof(ai_decode_t));
    memset(&state, 0, sizeof(ai_converse_decode_t));

    d.emit = keep_citation;
    d.data = &c;
    d.state = &state;
    d.alloc = &unit_arena;
    d.scratch = &unit_arena;

    /* in a block of its own, as Nova tells it */

    decode(&d, DELTA("0", "\"text\":\"\u00e9\\u00e9\\ud83d\\ude00\\n\""));
    decode(&d, STOP("0"));
    decode(&d, DELTA("1", "\"text\":\"\xc3\xa9\""));
    decode(&d, DELTA("1", "\"text\":\"ab\""));
    decode(&d, STOP("1"));
    decode(&d, DELTA("2", CITATION));
    CHECK_UINT(c.from, 4);
    CHECK_UINT(c.to, 7);
    decode(&d, STOP("2"));

    /* in the block of its text, as Claude does */

    decode(&d, DELTA("3", "\"text\":\"c\""));
    decode(&d, DELTA("3", CITATION));
    CHECK_UINT(c.from, 7);
    CHECK_UINT(c.to, 8);
    CHECK_UINT(c.n, 2);
}


/* a stream that breaks off never looks complete, nor does an exception */

static void
test_mistake_11_broken_streams(void)
{
    answer_t         a;
    ai_buf_t        *out;
    ai_str_t         bytes;
    u_char          *p;
    ai_error_doc_t   doc;

    ai_eventstream_message_t  m;

    start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);
    event(&a, "messageStart", "{}");
    event(&a, DELTA("0", "\"text\":\"so\""));
    CHECK_INT(end(&a), AI_EVENT_INVALID);
    CHECK_UINT(a.out.stops, 0);
    CHECK_UINT(a.out.metadata, 0);

    memset(&doc, 0, sizeof(ai_error_doc_t));
    doc.error = AI_ERR_UPSTREAM_TRUNCATED;
    doc.retry_after = -1;
    ai_str_set(&doc.message, "cut \"off\"");

    CHECK_INT(ai_translate_error(a.t, &doc), AI_OK);
    out = ai_translate_out(a.t);
    CHECK_INT(ai_buf_get(out, &bytes), AI_OK);

    p = bytes.data;
    CHECK_INT(ai_eventstream_next(&a.frames, &p, p + bytes.len, &m), AI_OK);
    CHECK_STR(m.message_type.data, m.message_type.len, "exception");
    CHECK_STR(m.event_type.data, m.event_type.len,
              "modelStreamErrorException");
    CHECK_STR(m.payload.data, m.payload.len,
              "{\"message\":\"cut \\\"off\\\"\",\"originalStatusCode\":502}");
    reader_free(&a.out);

    /* without its metadata it is complete */

    start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);
    event(&a, "messageStart", "{}");
    event(&a, DELTA("0", "\"text\":\"so\""));
    event(&a, STOP("0"));
    event(&a, "messageStop", "{\"stopReason\":\"end_turn\"}");
    CHECK_INT(end(&a), AI_EVENT_END);
    check_order(&a.out);
    reader_free(&a.out);

    /* a model that broke down */

    start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);
    event(&a, "messageStart", "{}");
    event(&a, DELTA("0", "\"text\":\"so\""));
    event(&a, "messageStop", "{\"stopReason\":\"malformed_tool_use\"}");
    CHECK_INT(a.last, AI_EVENT_ERROR);
    reader_free(&a.out);
}


static void
test_exceptions(void)
{
    u_char          *p;
    ai_buf_t         b;
    ai_str_t         out;
    ai_uint_t        i;
    ai_error_doc_t   doc;
    ai_eventstream_t s;

    ai_eventstream_message_t  m;

    static const struct {
        ai_error_e   error;
        const char  *type;
        const char  *class;
    } cases[] = {
        { AI_ERR_BAD_REQUEST, "validationException", "ValidationException" },
        { AI_ERR_FORBIDDEN, "validationException", "AccessDeniedException" },
        { AI_ERR_MODEL_NOT_FOUND, "validationException",
          "ResourceNotFoundException" },
        { AI_ERR_RATE_LIMIT, "throttlingException", "ThrottlingException" },
        { AI_ERR_QUOTA, "throttlingException",
          "ServiceQuotaExceededException" },
        { AI_ERR_INTERNAL, "internalServerException",
          "InternalServerException" },
        { AI_ERR_UPSTREAM_RESET, "modelStreamErrorException",
          "InternalServerException" },
        { AI_ERR_NO_TARGET, "serviceUnavailableException",
          "ServiceUnavailableException" },
        { AI_ERR_IDLE_TIMEOUT, "modelStreamErrorException",
          "ModelTimeoutException" }
    };

    cJSON  *json;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&doc, 0, sizeof(ai_error_doc_t));
        doc.error = cases[i].error;
        doc.retry_after = 7;
        ai_str_set(&doc.request_id, "r");

        ai_buf_init(&b, &unit_arena, 65536);
        ai_converse_exception(&b, &doc);
        CHECK_INT(ai_buf_get(&b, &out), AI_OK);

        ai_eventstream_init(&s, 65536, &unit_arena);
        p = out.data;

        if (CHECK_INT(ai_eventstream_next(&s, &p, p + out.len, &m), AI_OK)) {
            CHECK_MEM(m.event_type.data, m.event_type.len, cases[i].type,
                      strlen(cases[i].type));
        }

        CHECK_INT(ai_dialect_bedrock.error_event(&doc, AI_OP_CONVERSE_STREAM,
                                                 &unit_arena, &out),
                  AI_OK);
        CHECK_MEM(out.data, out.len, m.raw.data, m.raw.len);

        CHECK_INT(ai_dialect_bedrock.error(&doc, &unit_arena, &out), AI_OK);
        json = cJSON_ParseWithLength((char *) out.data, out.len);
        CHECK(strcmp(member(json, "__type"), cases[i].class) == 0);
        CHECK(member(json, "message")[0] != '\0');

        /* the SDKs would take it for the class */

        CHECK(cJSON_GetObjectItem(json, "code") == NULL);
        cJSON_Delete(json);
    }
}


/* what is a vendor's own goes through a client that speaks Converse */

static void
test_state_of_others(void)
{
    ai_json_t       v;
    ai_part_t      *part;
    ai_delta_t      delta;
    ai_encode_t     e;
    ai_buf_t        out;
    request_t       r;
    text_t          body;
    answer_t        a;

    ai_converse_encode_t  state;

    memset(&e, 0, sizeof(ai_encode_t));
    memset(&state, 0, sizeof(ai_converse_encode_t));
    ai_buf_init(&out, &unit_arena, MAX_OUT);
    e.alloc = &unit_arena;
    e.state = &state;
    e.out = &out;

    ai_delta_init(&delta, AI_DELTA_START);
    CHECK_INT(ai_converse_render_event(&e, &delta), AI_OK);

    ai_delta_init(&delta, AI_DELTA_CALL);
    delta.id = ai_mstr_cstr("t");
    delta.name = ai_mstr_cstr("n");
    delta.state_kind = AI_STATE_GOOGLE;
    delta.state = ai_mstr_cstr("thought");
    CHECK_INT(ai_converse_render_event(&e, &delta), AI_OK);

    start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);
    *ai_translate_out(a.t) = out;
    drain(&a);

    CHECK_INT(a.out.index, 1);
    CHECK(a.out.states.len > 1);
    a.out.states.data[a.out.states.len - 1] = '\0';

    memset(&body, 0, sizeof(text_t));
    text_add(&body, "{\"messages\":[" USER(TEXT("q")) ",{\"role\":"
                    "\"assistant\",\"content\":[{\"reasoningContent\":"
                    "{\"reasoningText\":{\"text\":\"\",\"signature\":\"");
    text_add(&body, a.out.states.data);
    text_add(&body, "\"}}}," CALL("t", "{}") "]}]}");

    parse(&r, body.data);
    CHECK_INT(r.rc, AI_OK);
    part = r.req.messages->next->parts;
    CHECK_INT(part->type, AI_PART_REASONING);
    CHECK_INT(part->state_kind, AI_STATE_GOOGLE);
    CHECK(ai_mstr_eq(&part->state, "thought"));

    /* and is not shown to Claude */

    CHECK_INT(render(&r, SONNET45, &out), AI_OK);
    CHECK(!contains(out.start, ai_buf_len(&out), "reasoningContent", 16));

    v = scan((char *) out.start, ai_buf_len(&out));
    CHECK_INT(v.type, AI_JSON_OBJECT);

    free(body.data);
    reader_free(&a.out);
}


/* ---- documents ---- */

static ai_event_e
document(const char *text, size_t len, ai_uint_t stream, reader_t *r,
    ai_tap_t *tap)
{
    cJSON            *json;
    answer_t          a;
    ai_str_t          out;
    ai_event_e        event;
    ai_json_error_t   err;

    start(&a, AI_OP_CONVERSE,
          stream ? AI_OP_CONVERSE_STREAM : AI_OP_CONVERSE);

    event = ai_translate_response(a.t, unit_bytes(text, len), len, stream,
                                  &err);

    if (event == AI_EVENT_CONTENT) {

        if (stream) {
            drain(&a);
            check_order(&a.out);

        } else {
            CHECK_INT(ai_buf_get(ai_translate_out(a.t), &out), AI_OK);
            json = cJSON_ParseWithLength((char *) out.data, out.len);

            if (CHECK(json != NULL)) {
                read_document(&a.out, json);
                CHECK(cJSON_IsNumber(object(object(json, "metrics"),
                                            "latencyMs")));
                CHECK(strcmp(member(object(object(json, "output"),
                                           "message"), "role"),
                             "assistant") == 0);
            }

            cJSON_Delete(json);
        }
    }

    *r = a.out;
    *tap = a.tap;

    /* what it says lies in itself */

    tap->error_type.data = tap->error_type_buf;
    tap->error_message.data = tap->error_buf;
    tap->finish.data = tap->finish_buf;
    tap->model.data = tap->model_buf;
    tap->tools.data = tap->tools_buf;

    return event;
}


static void
test_documents(void)
{
    reader_t     r;
    ai_tap_t     tap;
    ai_uint_t    i;
    ai_event_e   event;

    static const char  text[] =
        "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":["
        "{\"reasoningContent\":{\"reasoningText\":{\"signature\":\"sig\","
        "\"text\":\"hm\"}}},{\"reasoningContent\":{\"redactedContent\":"
        "\"UkVE\"}},{\"text\":\"a\",\"type\":\"text\"},{\"toolUse\":{"
        "\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{\"a\": 1.0}}},"
        "{\"toolUse\":{\"toolUseId\":\"u\",\"name\":\"n\"}},"
        "{\"newBlock\":{}}]}},\"stopReason\":\"tool_use\",\"usage\":{"
        "\"inputTokens\":3,\"outputTokens\":5,\"totalTokens\":19,"
        "\"cacheReadInputTokens\":4,\"cacheReadInputTokenCount\":4,"
        "\"cacheWriteInputTokens\":7,\"cacheWriteInputTokenCount\":7},"
        "\"metrics\":{\"latencyMs\":9},\"trace\":{}}";

    for (i = 0; i < 2; i++) {
        event = document(text, sizeof(text) - 1, i, &r, &tap);

        CHECK_INT(event, AI_EVENT_CONTENT);
        CHECK_STR(r.text.data, r.text.len, "a");
        CHECK_STR(r.thoughts.data, r.thoughts.len, "hm");
        CHECK_STR(r.states.data, r.states.len, "sig;UkVE;");
        CHECK_STR(r.calls.data, r.calls.len, "t n {\"a\":1};u n {};");
        CHECK_INT(r.usage[0], 3);
        CHECK_INT(r.usage[2], 4);
        CHECK_INT(r.usage[3], 7);
        CHECK_UINT(tap.unknown, 1);
        CHECK_UINT(tap.tool_calls, 2);
        reader_free(&r);
    }
}


/* each citation with the text that it is of */

static void
test_cited_documents(void)
{
    cJSON            *json, *blocks, *v;
    answer_t          a;
    ai_str_t          out;
    ai_json_error_t   err;

    static const char  text[] =
        "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":["
        "{\"text\":\"ab\"},{\"toolUse\":{\"toolUseId\":\"t\",\"name\":"
        "\"n\",\"input\":{}}},{\"citationsContent\":{\"content\":["
        "{\"text\":\"cd\"}],\"citations\":[{\"source\":\"https://u\"},"
        "{\"title\":\"t\"}]}}]}},\"stopReason\":\"end_turn\"}";

    start(&a, AI_OP_CONVERSE, AI_OP_CONVERSE);

    CHECK_INT(ai_translate_response(a.t, unit_bytes(text, sizeof(text) - 1),
                                    sizeof(text) - 1, 0, &err),
              AI_EVENT_CONTENT);
    CHECK_INT(ai_buf_get(ai_translate_out(a.t), &out), AI_OK);

    json = cJSON_ParseWithLength((char *) out.data, out.len);
    blocks = object(object(object(json, "output"), "message"), "content");

    CHECK_INT(cJSON_GetArraySize(blocks), 3);
    CHECK(strcmp(member(cJSON_GetArrayItem(blocks, 0), "text"), "ab") == 0);

    v = object(cJSON_GetArrayItem(blocks, 2), "citationsContent");
    CHECK(strcmp(member(cJSON_GetArrayItem(object(v, "content"), 0), "text"),
                 "cd") == 0);
    CHECK_INT(cJSON_GetArraySize(object(v, "citations")), 2);

    cJSON_Delete(json);
}


/* a path that Bedrock does not know is answered with a status of 200 */

static void
test_mistake_12_unknown_operation(void)
{
    reader_t     r;
    ai_tap_t     tap;
    ai_event_e   event;

    static const char  unknown[] =
        "{\"Output\":{\"__type\":\"com.amazon.coral.service#"
        "UnknownOperationException\"},\"Version\":\"1.0\"}";

    static const char  nothing[] = "{\"output\":{}}";

    event = document(unknown, sizeof(unknown) - 1, 0, &r, &tap);
    CHECK_INT(event, AI_EVENT_ERROR);
    CHECK(contains(tap.error_message.data, tap.error_message.len,
                   "UnknownOperation", 16));
    reader_free(&r);

    CHECK_INT(document(nothing, sizeof(nothing) - 1, 0, &r, &tap),
              AI_EVENT_INVALID);
    reader_free(&r);

    CHECK_INT(document("[]", 2, 0, &r, &tap), AI_EVENT_INVALID);
    reader_free(&r);
}


/* arrays where there should be objects have no names to be looked at */

static void
test_wrong_types(void)
{
    reader_t   r;
    ai_tap_t   tap;
    ai_uint_t  i;

    static const char  *const documents[] = {
        "{\"output\":{\"message\":{\"content\":[[{}],1,null]}},\"usage\":[1]}",
        "{\"output\":{\"message\":{\"content\":[{\"toolUse\":[1],\"text\":1,"
        "\"reasoningContent\":[\"a\"],\"citationsContent\":[2]}]}}}",
        "{\"output\":{\"message\":{\"content\":{\"a\":{\"text\":[]}}}},"
        "\"stopReason\":[]}"
    };

    for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        CHECK_INT(document(documents[i], strlen(documents[i]), 0, &r, &tap),
                  AI_EVENT_CONTENT);
        CHECK_UINT(r.text.len, 0);
        reader_free(&r);
    }
}


/* ---- recordings ---- */

static char *
read_file(const char *dir, const char *name, size_t *len)
{
    char    path[1024], *data;
    long    size;
    FILE   *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "rb");

    if (f == NULL) {
        return NULL;
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    data = malloc((size_t) size + 1);

    if (data == NULL || fread(data, 1, (size_t) size, f) != (size_t) size) {
        abort();
    }

    data[size] = '\0';
    *len = (size_t) size;
    fclose(f);

    return data;
}


static unsigned
recorded_document(const char *name)
{
    char         *file, *text;
    cJSON        *json, *response, *body;
    size_t        len;
    unsigned      n;
    reader_t      want, got;
    ai_tap_t      tap;
    ai_uint_t     i;

    n = 0;
    file = read_file(FIXTURES "/converse", name, &len);
    json = cJSON_Parse(file);
    response = object(json, "response");
    body = response != NULL ? object(response, "body") : json;

    if ((response == NULL || object(response, "status")->valueint == 200)
        && object(body, "output") != NULL)
    {
        memset(&want, 0, sizeof(reader_t));
        read_document(&want, body);
        text = cJSON_Print(body);

        for (i = 0; i < 2; i++) {

            if (CHECK_INT(document(text, strlen(text), i, &got, &tap),
                          AI_EVENT_CONTENT))
            {
                check_same(&got, &want, name);
            }

            reader_free(&got);
        }

        n = 1;
        free(text);
        reader_free(&want);
    }

    cJSON_Delete(json);
    free(file);
    unit_arena_reset();

    return n;
}


static unsigned
recorded_stream(const char *name)
{
    char                      *data, *lines, *line, *next, oracle[512];
    cJSON                     *json;
    u_char                    *p, *last, *cut;
    size_t                     len, size;
    answer_t                   a;
    reader_t                   want;
    unsigned                   round;
    ai_sse_event_t             ev;
    ai_eventstream_t           s;
    ai_eventstream_message_t   m;

    snprintf(oracle, sizeof(oracle), "%s.decoded.ndjson", name);
    data = read_file(FIXTURES "/converse-stream", name, &len);
    lines = read_file(FIXTURES "/converse-stream", oracle, &size);

    if (!CHECK(lines != NULL)) {
        return 0;
    }

    memset(&want, 0, sizeof(reader_t));
    want.index = -1;

    for (line = lines; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");

        if (*next != '\0') {
            *next++ = '\0';
        }

        json = cJSON_Parse(line);
        read_event(&want, member(object(json, "headers"), ":event-type"),
                   object(json, "payload"));
        cJSON_Delete(json);
    }

    for (round = 0; round < 3; round++) {
        start(&a, AI_OP_CONVERSE_STREAM, AI_OP_CONVERSE_STREAM);
        ai_eventstream_init(&s, MAX_OUT, &unit_arena);

        p = (u_char *) data;
        last = p + len;

        while (p < last) {
            cut = round == 0 ? last : p + 1 + random_below(200);

            if (cut > last) {
                cut = last;
            }

            while (ai_eventstream_next(&s, &p, cut, &m) == AI_OK) {
                memset(&ev, 0, sizeof(ai_sse_event_t));
                ev.raw = m.raw;
                ev.name = m.event_type;
                ev.data = m.payload;
                ev.has_data = 1;

                a.last = ai_translate_event(a.t, &ev);
                drain(&a);
            }
        }

        CHECK_INT(a.last, AI_EVENT_END);
        check_order(&a.out);
        check_same(&a.out, &want, name);
        reader_free(&a.out);
        unit_arena_reset();
    }

    reader_free(&want);
    free(data);
    free(lines);

    return 1;
}


static unsigned
each_file(const char *path, const char *ext, unsigned (*fn)(const char *))
{
    DIR            *dir;
    unsigned        n;
    const char     *p;
    struct dirent  *e;

    n = 0;
    dir = opendir(path);

    if (dir == NULL) {
        printf("skipped: no recordings of %s\n", path);
        return 0;
    }

    while ((e = readdir(dir)) != NULL) {
        p = strrchr(e->d_name, '.');

        if (p != NULL && strcmp(p, ext) == 0) {
            n += fn(e->d_name);
        }
    }

    closedir(dir);
    printf("%u of %s\n", n, path);

    return n;
}


static void
test_recorded_documents(void)
{
    (void) each_file(FIXTURES "/converse", ".json", recorded_document);
}


/* 30: a stream that comes in large pieces loses none of its messages */

static void
test_mistake_30_recorded_streams(void)
{
    (void) each_file(FIXTURES "/converse-stream", ".eventstream",
                     recorded_stream);
}


int
main(void)
{
    UNIT_RUN(test_messages);
    UNIT_RUN(test_media);
    UNIT_RUN(test_tools);
    UNIT_RUN(test_mistake_13_tool_config_missing);
    UNIT_RUN(test_mistake_14_results_not_merged);
    UNIT_RUN(test_sampling);
    UNIT_RUN(test_mistake_23_temperature_and_top_p);
    UNIT_RUN(test_thinking);
    UNIT_RUN(test_mistake_10_signatures);
    UNIT_RUN(test_mistake_22_thinking_and_forced_tool);
    UNIT_RUN(test_formats);
    UNIT_RUN(test_request_without_memory);
    UNIT_RUN(test_names);
    UNIT_RUN(test_stream);
    UNIT_RUN(test_answer_by_tool);
    UNIT_RUN(test_mistake_6_no_arguments);
    UNIT_RUN(test_mistake_18_unknown_events);
    UNIT_RUN(test_citations);
    UNIT_RUN(test_mistake_11_broken_streams);
    UNIT_RUN(test_exceptions);
    UNIT_RUN(test_state_of_others);
    UNIT_RUN(test_documents);
    UNIT_RUN(test_cited_documents);
    UNIT_RUN(test_mistake_12_unknown_operation);
    UNIT_RUN(test_wrong_types);
    UNIT_RUN(test_recorded_documents);
    UNIT_RUN(test_mistake_30_recorded_streams);

    return unit_done();
}

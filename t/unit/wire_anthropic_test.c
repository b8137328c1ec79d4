
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The wire of Anthropic Messages: requests and answers, in both directions.
 * What the encoder writes is judged by a grammar of its own over cJSON trees,
 * and so are recorded answers, where they are present.  The numbers at the
 * end of names are those of the mistakes in wire-formats.md 16.
 */


#include <dirent.h>

#include <cjson/cJSON.h>

#include "ai_error.h"
#include "ai_translate.h"
#include "unit.h"
#include "wire_anthropic.h"


#define MAX_OUT  (16 * 1024 * 1024)

#define FIXTURES  "../shared/fixtures"


/* texts that grow */

typedef struct {
    char         *data;
    size_t        len;
    size_t        size;
} text_t;


static void
text_add(text_t *t, const void *p, size_t len)
{
    if (t->len + len + 1 > t->size) {
        t->size = (t->len + len + 1) * 2;
        t->data = realloc(t->data, t->size);

        if (t->data == NULL) {
            abort();
        }
    }

    if (len != 0) {
        memcpy(t->data + t->len, p, len);
    }

    t->len += len;
    t->data[t->len] = '\0';
}


static void
text_str(text_t *t, const char *s)
{
    text_add(t, s, strlen(s));
}


static void
text_mstr(text_t *t, const ai_mstr_t *m)
{
    ai_str_t  s;

    if (ai_mstr_decode(m, &unit_arena, &s) != AI_OK) {
        abort();
    }

    text_add(t, s.data, s.len);
}


static const char *
text_get(text_t *t)
{
    return t->data ? t->data : "";
}


static void
text_free(text_t *t)
{
    free(t->data);
    memset(t, 0, sizeof(text_t));
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
        printf("%s: not JSON at %zu: %s\n", unit.test, err.offset,
               err.reason);
        unit.failed++;
    }

    return root;
}


/* ---- requests ---- */

typedef struct {
    ai_request_t  req;
    ai_report_t   rep;
    ai_int_t      rc;
} request_t;


static void
parse(request_t *r, const char *body, size_t len)
{
    ai_json_t  root;

    ai_request_init(&r->req, &unit_arena);
    ai_report_init(&r->rep, &unit_arena);

    root = scan(body, len);
    r->rc = ai_wire_anthropic.parse_request(&r->req, &root, &r->rep);
}


static void
dropped(request_t *r, text_t *out)
{
    ai_uint_t  i;

    for (i = 0; i < r->rep.ndropped; i++) {
        text_str(out, i ? "," : "");
        text_add(out, r->rep.dropped[i].data, r->rep.dropped[i].len);
    }
}


static ai_int_t
render(request_t *r, const char *vendor, const char *model, ai_uint_t stream,
    ai_buf_t *out)
{
    ai_str_t     name;
    ai_target_t  t;

    memset(&t, 0, sizeof(ai_target_t));

    name.data = (u_char *) vendor;
    name.len = strlen(vendor);

    t.vendor = ai_vendor_find(&name);

    if (!CHECK(t.vendor != NULL)) {
        return AI_ERROR;
    }

    t.op = AI_OP_MESSAGES;
    t.model.data = (u_char *) model;
    t.model.len = strlen(model);
    t.stream = stream;

    ai_caps(&t.model, &t.caps);

    ai_buf_init(out, &unit_arena, MAX_OUT);

    if (ai_request_normalize(&r->req, &r->rep) != AI_OK) {
        return AI_ERROR;
    }

    return ai_wire_anthropic.render_request(&r->req, &t, out, &r->rep);
}


typedef struct {
    const char  *name;
    const char  *body;
    const char  *want;
    const char  *dropped;
} request_case_t;


/* compared as trees: in which order members stand matters to no one */

static void
request_check(const request_case_t *c, const char *vendor, const char *model,
    ai_uint_t stream)
{
    cJSON      *got, *want;
    text_t      drops;
    char       *text;
    ai_buf_t    out;
    request_t   r;

    memset(&drops, 0, sizeof(text_t));

    parse(&r, c->body, strlen(c->body));

    if (!CHECK_INT(r.rc, AI_OK)
        || !CHECK_INT(render(&r, vendor, model, stream, &out), AI_OK))
    {
        printf("    in \"%s\": %.*s\n", c->name, (int) r.rep.message.len,
               r.rep.message.data);
        return;
    }

    got = cJSON_ParseWithLength((char *) out.start, ai_buf_len(&out));
    want = cJSON_Parse(c->want);

    if (!CHECK(want != NULL) || !CHECK(cJSON_Compare(got, want, 1))) {
        text = cJSON_PrintUnformatted(got);
        printf("    in \"%s\"\n    got      %s\n    expected %s\n", c->name,
               text ? text : (char *) out.start, c->want);
        free(text);
    }

    cJSON_Delete(got);
    cJSON_Delete(want);

    dropped(&r, &drops);

    if (!CHECK_MEM(text_get(&drops), drops.len, c->dropped,
                   strlen(c->dropped)))
    {
        printf("    in \"%s\"\n", c->name);
    }

    text_free(&drops);
}


#define HEAD      "\"model\":\"claude-sonnet-4-5\",\"max_tokens\":100"
#define HI        "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define HI_BACK   "\"messages\":[{\"role\":\"user\",\"content\":["            \
                  "{\"type\":\"text\",\"text\":\"hi\"}]}]"


/* there and back: what an Anthropic client says to an Anthropic provider */

static const request_case_t  sonnet45[] = {

    { "least", "{" HEAD "," HI "}", "{" HEAD "," HI_BACK "}", "" },

    { "system after messages, cached",
      "{" HEAD "," HI ",\"system\":[{\"type\":\"text\",\"text\":\"be \\u00e9\","
      "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}]}",
      "{" HEAD "," HI_BACK ",\"system\":[{\"type\":\"text\",\"text\":"
      "\"be \\u00e9\",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":"
      "\"1h\"}}]}", "" },

    { "system as text", "{" HEAD "," HI ",\"system\":\"be\"}",
      "{" HEAD "," HI_BACK ",\"system\":[{\"type\":\"text\",\"text\":"
      "\"be\"}]}", "" },

    { "system among messages",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
      "{\"role\":\"system\",\"content\":\"s\"},"
      "{\"role\":\"user\",\"content\":\"b\"}]}",
      "{" HEAD ",\"system\":[{\"type\":\"text\",\"text\":\"s\"}],"
      "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
      "\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]}", "" },

    { "sampling", "{" HEAD "," HI ",\"temperature\":1.70,\"top_p\":0.9,"
      "\"top_k\":5,\"stop_sequences\":[\"a\",\" \",\"\",\"\\n\"]}",
      "{" HEAD "," HI_BACK ",\"temperature\":1,\"top_k\":5,"
      "\"stop_sequences\":[\"a\"]}", "top_p,stop" },

    { "top_p alone", "{" HEAD "," HI ",\"top_p\":0.9}",
      "{" HEAD "," HI_BACK ",\"top_p\":0.9}", "" },

    { "the rest", "{" HEAD "," HI ",\"metadata\":{\"user_id\":\"u\"},"
      "\"service_tier\":\"standard_only\",\"stream\":false,"
      "\"cache_control\":{\"type\":\"ephemeral\"},\"container\":\"c\","
      "\"context_management\":{},\"mcp_servers\":[],\"betas\":[\"x\"],"
      "\"inference_geo\":null}",
      "{" HEAD "," HI_BACK ",\"metadata\":{\"user_id\":\"u\"},"
      "\"service_tier\":\"standard_only\","
      "\"cache_control\":{\"type\":\"ephemeral\"}}",
      "container,context_management,mcp_servers,betas" },

    { "media",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":["
      "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
      "\"image/jpg\",\"data\":\"QUJD\"}},"
      "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":"
      "\"https://a/b.png\"}},"
      "{\"type\":\"image\",\"source\":{\"type\":\"file\",\"file_id\":"
      "\"file_1\"}},"
      "{\"type\":\"document\",\"title\":\"t\",\"source\":{\"type\":\"base64\","
      "\"media_type\":\"application/pdf\",\"data\":\"QUJD\"}},"
      "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":"
      "\"text/plain\",\"data\":\"x\\ny\"},\"citations\":{\"enabled\":true}},"
      "{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
      "\"text/plain\",\"data\":\"QUJD\"}},"
      "{\"type\":\"document\",\"source\":{\"type\":\"content\",\"content\":["
      "{\"type\":\"text\",\"text\":\"in\"}]}},"
      "{\"type\":\"search_result\",\"source\":\"s\",\"title\":\"t\","
      "\"content\":[{\"type\":\"text\",\"text\":\"found\"}]}]}]}",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":["
      "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
      "\"image/jpeg\",\"data\":\"QUJD\"}},"
      "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":"
      "\"https://a/b.png\"}},"
      "{\"type\":\"image\",\"source\":{\"type\":\"file\",\"file_id\":"
      "\"file_1\"}},"
      "{\"type\":\"document\",\"title\":\"t\",\"source\":{\"type\":\"base64\","
      "\"media_type\":\"application/pdf\",\"data\":\"QUJD\"}},"
      "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":"
      "\"text/plain\",\"data\":\"x\\ny\"}},"
      "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":"
      "\"text/plain\",\"data\":\"ABC\"}},"
      "{\"type\":\"text\",\"text\":\"in\"},"
      "{\"type\":\"text\",\"text\":\"found\"}]}]}",
      "document.citations,search_result" },

    { "empty texts are gone",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
      "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"\"},"
      "{\"type\":\"text\",\"text\":\" \\n\\t\"}]},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\\n\"},"
      "{\"type\":\"text\",\"text\":\"b\"}]}]}",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":["
      "{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}"
      "]}]}", "" },

    { "an answer to go on with",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
      "{\"role\":\"assistant\",\"content\":\"so \\\\n\\n \"}]}",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":["
      "{\"type\":\"text\",\"text\":\"a\"}]},{\"role\":\"assistant\","
      "\"content\":[{\"type\":\"text\",\"text\":\"so \\\\n\"}]}]}", "" },

    { "the assistant first",
      "{" HEAD ",\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"},"
      "{\"role\":\"user\",\"content\":\"b\"}]}",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
      "\"text\",\"text\":\"Continue.\"}]},{\"role\":\"assistant\",\"content\":"
      "[{\"type\":\"text\",\"text\":\"a\"}]},{\"role\":\"user\",\"content\":["
      "{\"type\":\"text\",\"text\":\"b\"}]}]}", "" },

    { "nobody", "{" HEAD ",\"messages\":[]}",
      "{" HEAD ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
      "\"text\",\"text\":\"Continue.\"}]}]}", "" },

    { NULL, NULL, NULL, NULL }
};


#define TOOL_A    "{\"name\":\"a\",\"description\":\"d\",\"input_schema\":"   \
                  "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"    \
                  "\"number\"}}}}"
#define TOOLS     "\"tools\":[" TOOL_A "]"
#define USE(id, input)                                                       \
    "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"a\",\"input\":"      \
    input "}"
#define RESULT(id, text)                                                     \
    "{\"type\":\"tool_result\",\"tool_use_id\":\"" id "\",\"content\":\""     \
    text "\"}"
#define SAID(text)                                                           \
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" text     \
    "\"}]}"


static const request_case_t  tools[] = {

    { "schemas",
      "{" HEAD "," HI ",\"tools\":[" TOOL_A ",{\"type\":\"custom\",\"name\":"
      "\"b\",\"strict\":true,\"cache_control\":{\"type\":\"ephemeral\"},"
      "\"defer_loading\":true},{\"name\":\"c\",\"input_schema\":{}},"
      "{\"name\":\"d\",\"input_schema\":{\"properties\":{}}},"
      "{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]}",
      "{" HEAD "," HI_BACK ",\"tools\":[" TOOL_A ",{\"name\":\"b\","
      "\"input_schema\":{\"type\":\"object\",\"properties\":{}},"
      "\"strict\":true,\"cache_control\":{\"type\":\"ephemeral\"}},"
      "{\"name\":\"c\",\"input_schema\":{\"type\":\"object\","
      "\"properties\":{}}},{\"name\":\"d\",\"input_schema\":{\"type\":"
      "\"object\",\"properties\":{}}},"
      "{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]}",
      "defer_loading" },

    { "choices", "{" HEAD "," HI "," TOOLS ",\"tool_choice\":{\"type\":\"any\","
      "\"disable_parallel_tool_use\":true}}",
      "{" HEAD "," HI_BACK "," TOOLS ",\"tool_choice\":{\"type\":\"any\","
      "\"disable_parallel_tool_use\":true}}", "" },

    { "a named one", "{" HEAD "," HI "," TOOLS ",\"tool_choice\":{\"type\":"
      "\"tool\",\"name\":\"a\"}}",
      "{" HEAD "," HI_BACK "," TOOLS ",\"tool_choice\":{\"type\":\"tool\","
      "\"name\":\"a\"}}", "" },

    { "none keeps tools", "{" HEAD "," HI "," TOOLS ",\"tool_choice\":"
      "{\"type\":\"none\"}}",
      "{" HEAD "," HI_BACK "," TOOLS ",\"tool_choice\":{\"type\":\"none\"}}",
      "" },

    { "a choice without tools", "{" HEAD "," HI ",\"tool_choice\":"
      "{\"type\":\"auto\"}}", "{" HEAD "," HI_BACK "}", "" },

    { "calls without tools",
      "{" HEAD ",\"messages\":[" SAID("q") ",{\"role\":\"assistant\","
      "\"content\":[" USE("t1", "{}") "," USE("t2", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("t1", "1") ","
      RESULT("t2", "2") "]}]}",
      "{" HEAD ",\"tools\":[{\"name\":\"a\",\"input_schema\":{\"type\":"
      "\"object\",\"properties\":{}}}],\"tool_choice\":{\"type\":\"none\"},"
      "\"messages\":[" SAID("q") ",{\"role\":\"assistant\","
      "\"content\":[" USE("t1", "{}") "," USE("t2", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("t1", "1") ","
      RESULT("t2", "2") "]}]}", "" },

    /* 14: results of a turn in one message, before its text, in order */

    { "results over several turns",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{\"n\":1.50}") ","
      "{\"type\":\"text\",\"text\":\"w\"}," USE("t2", "{}") "]},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"},"
      RESULT("t2", "2") "]},{\"role\":\"user\",\"content\":["
      RESULT("t1", "1") ",{\"type\":\"text\",\"text\":\"y\"}]}]}",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":"
      "\"w\"}," USE("t1", "{\"n\":1.50}") "," USE("t2", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("t1", "1") ","
      RESULT("t2", "2") ",{\"type\":\"text\",\"text\":\"x\"},"
      "{\"type\":\"text\",\"text\":\"y\"}]}]}", "" },

    { "results of all kinds",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
      "\"tool_use_id\":\"t1\",\"is_error\":true,\"cache_control\":{\"type\":"
      "\"ephemeral\"},\"content\":[{\"type\":\"text\",\"text\":\"x\"},"
      "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
      "\"image/png\",\"data\":\"QUJD\"}},{\"type\":\"tool_reference\","
      "\"tool_name\":\"z\"}]}]}]}",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
      "\"tool_use_id\":\"t1\",\"is_error\":true,\"cache_control\":{\"type\":"
      "\"ephemeral\"},\"content\":[{\"type\":\"text\",\"text\":\"x\"},"
      "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
      "\"image/png\",\"data\":\"QUJD\"}}]}]}]}", "tool_reference" },

    { "a result without content",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
      "\"tool_use_id\":\"t1\"}]}]}",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
      "\"tool_use_id\":\"t1\"}]}]}", "" },

    { "ids of others",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("functions.a:0", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("functions.a:0", "1") "]}]}",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":["
      USE("functions_a_0_ac78e4a1", "{}") "]},{\"role\":\"user\",\"content\":["
      RESULT("functions_a_0_ac78e4a1", "1") "]}]}", "" },

    { "what the provider's own tools did",
      "{" HEAD ",\"messages\":[" SAID("q") ",{\"role\":\"assistant\","
      "\"content\":[{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":"
      "\"web_search\",\"input\":{}},{\"type\":\"web_search_tool_result\","
      "\"tool_use_id\":\"s\",\"content\":[]},{\"type\":\"text\",\"text\":"
      "\"w\"}]}," SAID("r") "]}",
      "{" HEAD ",\"messages\":[" SAID("q") ",{\"role\":\"assistant\","
      "\"content\":[{\"type\":\"text\",\"text\":\"w\"}]}," SAID("r") "]}",
      "server_tool_use,web_search_tool_result" },

    { NULL, NULL, NULL, NULL }
};


#define THINK(text, sig)                                                     \
    "{\"type\":\"thinking\",\"thinking\":\"" text "\",\"signature\":\"" sig   \
    "\"}"
#define BUDGET(n)                                                            \
    "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":" n "}"

static const request_case_t  thinking[] = {

    /* 10: signatures, and no thinking without */

    { "signatures",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" THINK("t", "sig+/=") ","
      "{\"type\":\"redacted_thinking\",\"data\":\"red\"}," THINK("", "s2")
      "," USE("t1", "{}") "]},{\"role\":\"user\",\"content\":["
      RESULT("t1", "1") "]}]," BUDGET("2000") ",\"temperature\":1}",
      "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":2100," TOOLS ","
      "\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" THINK("t", "sig+/=") ","
      "{\"type\":\"redacted_thinking\",\"data\":\"red\"}," THINK("", "s2")
      "," USE("t1", "{}") "]},{\"role\":\"user\",\"content\":["
      RESULT("t1", "1") "]}]," BUDGET("2000") ",\"temperature\":1}", "" },

    { "no signature, so no thinking at all",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" THINK("t", "") ","
      USE("t1", "{}") "]},{\"role\":\"user\",\"content\":["
      RESULT("t1", "1") "]}]," BUDGET("2000") "}",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("t1", "1") "]}]}",
      "reasoning_effort" },

    { "state of another provider is no signature",
      "{" HEAD ",\"messages\":[" SAID("q") ",{\"role\":\"assistant\","
      "\"content\":[" THINK("t", "YWlndzE6ZwAAYWJj") ",{\"type\":\"text\","
      "\"text\":\"w\"}]}," SAID("r") "]," BUDGET("1024") "}",
      "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":1124,"
      "\"messages\":[" SAID("q") ",{\"role\":\"assistant\",\"content\":["
      "{\"type\":\"text\",\"text\":\"w\"}]}," SAID("r") "]," BUDGET("1024")
      "}", "" },

    { "a turn that is over may have lost it",
      "{" HEAD "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("t1", "1") "]},"
      "{\"role\":\"assistant\",\"content\":\"w\"}," SAID("r") "],"
      BUDGET("1024") "}",
      "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":1124," TOOLS ","
      "\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("t1", "1") "]},"
      "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":"
      "\"w\"}]}," SAID("r") "]," BUDGET("1024") "}", "" },

    /* 22 */

    { "thinking and a forced call",
      "{" HEAD "," HI "," TOOLS "," BUDGET("2000") ",\"tool_choice\":"
      "{\"type\":\"any\"}}",
      "{" HEAD "," HI_BACK "," TOOLS ",\"tool_choice\":{\"type\":\"any\"}}",
      "reasoning_effort" },

    { "thinking bears no sampling",
      "{" HEAD "," HI "," BUDGET("10") ",\"temperature\":0.5,\"top_k\":3,"
      "\"top_p\":0.5}",
      "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":1124," HI_BACK ","
      BUDGET("1024") "}", "temperature,top_p,top_k" },

    { "an answer that has begun",
      "{" HEAD ",\"messages\":[" SAID("q") ",{\"role\":\"assistant\","
      "\"content\":\"w\"}]," BUDGET("1024") "}",
      "{" HEAD ",\"messages\":[" SAID("q") ",{\"role\":\"assistant\","
      "\"content\":[{\"type\":\"text\",\"text\":\"w\"}]}]}",
      "reasoning_effort" },

    { "a budget above the limit",
      "{\"max_tokens\":60000," HI "," BUDGET("64000") "}",
      "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64000," HI_BACK ","
      BUDGET("32000") "}", "" },

    { "by effort, no limit", "{" HI ",\"output_config\":{\"effort\":\"high\","
      "\"task_budget\":{}}}",
      "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64000," HI_BACK ","
      BUDGET("4096") "}", "task_budget" },

    { "disabled", "{" HEAD "," HI ",\"output_config\":{\"effort\":\"high\"},"
      "\"thinking\":{\"type\":\"disabled\"}}", "{" HEAD "," HI_BACK "}",
      "" },

    { NULL, NULL, NULL, NULL }
};


#define OPUS      "\"model\":\"claude-opus-4-8\",\"max_tokens\":100"

static const request_case_t  opus48[] = {

    { "adaptive", "{" OPUS "," HI ",\"thinking\":{\"type\":\"adaptive\"},"
      "\"output_config\":{\"effort\":\"xhigh\"},\"temperature\":0.5}",
      "{" OPUS "," HI_BACK ",\"thinking\":{\"type\":\"adaptive\","
      "\"display\":\"summarized\"},\"output_config\":{\"effort\":\"xhigh\"}}",
      "temperature" },

    { "a budget becomes an effort", "{" OPUS "," HI ","
      "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000,"
      "\"display\":\"omitted\"}}",
      "{" OPUS "," HI_BACK ",\"thinking\":{\"type\":\"adaptive\"},"
      "\"output_config\":{\"effort\":\"medium\"}}", "" },

    { "disabled", "{" OPUS "," HI ",\"thinking\":{\"type\":\"disabled\"}}",
      "{" OPUS "," HI_BACK ",\"thinking\":{\"type\":\"disabled\"}}", "" },

    { "lost thinking does no harm",
      "{" OPUS "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("t1", "1") "]}],"
      "\"thinking\":{\"type\":\"adaptive\",\"display\":\"omitted\"}}",
      "{" OPUS "," TOOLS ",\"messages\":[" SAID("q") ","
      "{\"role\":\"assistant\",\"content\":[" USE("t1", "{}") "]},"
      "{\"role\":\"user\",\"content\":[" RESULT("t1", "1") "]}],"
      "\"thinking\":{\"type\":\"adaptive\"}}", "" },

    { "schema", "{" OPUS "," HI ",\"output_config\":{\"format\":{\"type\":"
      "\"json_schema\",\"schema\":{\"type\":\"object\"}}}}",
      "{" OPUS "," HI_BACK ",\"output_config\":{\"format\":{\"type\":"
      "\"json_schema\",\"schema\":{\"type\":\"object\"}}}}", "" },

    { "schema of the beta", "{" OPUS "," HI ",\"output_format\":{\"type\":"
      "\"json_schema\",\"schema\":{\"type\":\"object\"}}}",
      "{" OPUS "," HI_BACK ",\"output_config\":{\"format\":{\"type\":"
      "\"json_schema\",\"schema\":{\"type\":\"object\"}}}}", "" },

    { "system among messages, behind the user",
      "{" OPUS ",\"system\":\"first\",\"messages\":[" SAID("a") ","
      "{\"role\":\"assistant\",\"content\":\"b\"},"
      "{\"role\":\"system\",\"content\":\"s\"}," SAID("c") ","
      "{\"role\":\"assistant\",\"content\":\"d\"}," SAID("e") ","
      "{\"role\":\"system\",\"content\":\"t\"}]}",
      "{" OPUS ",\"system\":[{\"type\":\"text\",\"text\":\"first\"}],"
      "\"messages\":[" SAID("a") ",{\"role\":\"assistant\",\"content\":["
      "{\"type\":\"text\",\"text\":\"b\"}]}," SAID("c") ",{\"role\":"
      "\"system\",\"content\":[{\"type\":\"text\",\"text\":\"s\"}]},"
      "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":"
      "\"d\"}]}," SAID("e") ",{\"role\":\"system\",\"content\":["
      "{\"type\":\"text\",\"text\":\"t\"}]}]}", "" },

    { NULL, NULL, NULL, NULL }
};


#define HAIKU     "\"model\":\"claude-3-5-haiku\",\"max_tokens\":100"
#define SCHEMA    "\"output_config\":{\"format\":{\"type\":\"json_schema\","  \
                  "\"schema\":{\"type\":\"object\",\"properties\":{\"x\":"   \
                  "{\"type\":\"string\"}}}}}"
#define JSON      "{\"name\":\"" AI_WIRE_JSON "\",\"description\":"      \
                  "\"Gives the answer in the form that is asked for. "       \
                  "Always answer by it.\",\"input_schema\":{\"type\":"       \
                  "\"object\",\"properties\":{\"x\":{\"type\":\"string\"}}}}"

static const request_case_t  haiku35[] = {

    { "schema by a tool", "{" HAIKU "," HI "," SCHEMA "}",
      "{" HAIKU "," HI_BACK ",\"tools\":[" JSON "],\"tool_choice\":{\"type\":"
      "\"tool\",\"name\":\"" AI_WIRE_JSON "\","
      "\"disable_parallel_tool_use\":true}}", "" },

    { "schema by a tool among others", "{" HAIKU "," HI "," TOOLS "," SCHEMA
      "}",
      "{" HAIKU "," HI_BACK ",\"tools\":[" TOOL_A "," JSON "],"
      "\"tool_choice\":{\"type\":\"any\","
      "\"disable_parallel_tool_use\":true}}", "" },

    { "cannot think", "{" HAIKU "," HI "," BUDGET("2000") "}",
      "{" HAIKU "," HI_BACK "}", "reasoning_effort" },

    { "both kinds of sampling", "{" HAIKU "," HI ",\"temperature\":0.25,"
      "\"top_p\":0.5}",
      "{" HAIKU "," HI_BACK ",\"temperature\":0.25,\"top_p\":0.5}", "" },

    { NULL, NULL, NULL, NULL }
};


#define CACHED    "\"cache_control\":{\"type\":\"ephemeral\"}"
#define TEXT_C(t) "{\"type\":\"text\",\"text\":\"" t "\"," CACHED "}"
#define TEXT(t)   "{\"type\":\"text\",\"text\":\"" t "\"}"

static const request_case_t  markers[] = {

    { "four markers, the last ones",
      "{" HEAD ",\"system\":[" TEXT_C("s") "],\"tools\":[{\"name\":\"a\","
      CACHED "}],\"messages\":[{\"role\":\"user\",\"content\":["
      TEXT_C("1") "," TEXT_C("2") "," TEXT_C("3") "," TEXT_C("4") "]}]}",
      "{" HEAD ",\"system\":[" TEXT("s") "],\"tools\":[{\"name\":\"a\","
      "\"input_schema\":{\"type\":\"object\",\"properties\":{}}}],"
      "\"messages\":[{\"role\":\"user\",\"content\":["
      TEXT_C("1") "," TEXT_C("2") "," TEXT_C("3") "," TEXT_C("4") "]}]}",
      "cache_control" },

    { NULL, NULL, NULL, NULL }
};


static void
request_all(const request_case_t *c, const char *model)
{
    for ( /* void */ ; c->name != NULL; c++) {
        request_check(c, "anthropic", model, 0);
    }
}


static void
test_requests(void)
{
    request_all(sonnet45, "claude-sonnet-4-5");
    request_all(tools, "claude-sonnet-4-5");
    request_all(opus48, "claude-opus-4-8");
    request_all(haiku35, "claude-3-5-haiku");
    request_all(markers, "claude-sonnet-4-5");
}


static void
test_thinking_signatures_10_22(void)
{
    request_all(thinking, "claude-sonnet-4-5");
}


static void
test_sampling_23(void)
{
    request_check(&(request_case_t) { "one of both",
                  "{" HI ",\"temperature\":0.5,\"top_p\":0.5}",
                  "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64000,"
                  HI_BACK ",\"temperature\":0.5}", "top_p" },
                  "anthropic", "claude-sonnet-4-5", 0);
}


/* 24: neither Vertex nor Bedrock takes what Anthropic takes */

static void
test_clouds_24(void)
{
    static const char  body[] = "{" HEAD "," HI ",\"service_tier\":\"auto\","
                                CACHED "}";

    request_check(&(request_case_t) { "vertex", body,
                  "{\"anthropic_version\":\"vertex-2023-10-16\",\"stream\":"
                  "true,\"max_tokens\":100," HI_BACK "}",
                  "service_tier,cache_control" },
                  "vertex-anthropic", "claude-sonnet-4-5", 1);

    request_check(&(request_case_t) { "bedrock", body,
                  "{\"anthropic_version\":\"bedrock-2023-05-31\","
                  "\"max_tokens\":100," HI_BACK "}",
                  "service_tier,cache_control" },
                  "bedrock-anthropic", "claude-sonnet-4-5", 1);

    request_check(&(request_case_t) { "anthropic", "{" HEAD "," HI "}",
                  "{" HEAD "," HI_BACK ",\"stream\":true}", "" },
                  "anthropic", "claude-sonnet-4-5", 1);
}


/*
 * The shape of an agent's request: a system prompt of several blocks, a
 * reminder as a system message, tools of MCP with long names, schemas with
 * everything in them, parallel results that come in several turns.
 */

#define LONG                                                                 \
    "mcp__a_server_with_a_long_name__and_a_tool_with_a_longe" "r_name_xyz"
#define SHORT                                                                \
    "mcp__a_server_with_a_long_name__and_a_tool_with_a_longe" "_1a1f3d41"
#define AGENT_SCHEMA                                                         \
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","         \
    "\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\","        \
    "\"items\":{\"anyOf\":[{\"const\":1},{\"pattern\":\"^\\\\d+$\"}]}}},"     \
    "\"propertyNames\":{\"maxLength\":9},\"additionalProperties\":false}"

static void
test_agent_14(void)
{
    ai_buf_t     out;
    request_t    r;
    ai_name_t   *name;

    static const char  body[] =
        "{\"model\":\"claude-sonnet-4-5\",\"messages\":["
        "{\"role\":\"user\",\"content\":[" TEXT("<r>x</r>") ","
        TEXT_C("do") "]},"
        "{\"role\":\"assistant\",\"content\":[" THINK("t", "s==") ","
        USE("toolu_1", "{\"p\":\"/a\"}") ",{\"type\":\"tool_use\",\"id\":"
        "\"toolu_2\",\"name\":\"" LONG "\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":[" RESULT("toolu_2", "2") "]},"
        "{\"role\":\"system\",\"content\":\"mind\"},"
        "{\"role\":\"user\",\"content\":[" RESULT("toolu_1", "1") ","
        TEXT_C("go on") "]}],"
        "\"system\":[" TEXT("head") "," TEXT_C("body") "],"
        "\"tools\":[" TOOL_A ",{\"name\":\"" LONG "\",\"input_schema\":"
        AGENT_SCHEMA "}],\"metadata\":{\"user_id\":\"user_x_session_y\"},"
        "\"max_tokens\":32000,\"thinking\":{\"type\":\"enabled\","
        "\"budget_tokens\":31999},\"context_management\":{\"edits\":[]},"
        "\"stream\":true}";

    parse(&r, body, sizeof(body) - 1);
    CHECK_INT(r.rc, AI_OK);
    CHECK_UINT(r.req.stream, 1);
    CHECK_INT(render(&r, "vertex-anthropic", "claude-sonnet-4-5", 1, &out),
              AI_OK);

    for (name = r.req.names; name != NULL; name = name->next) {
        CHECK_STR(name->name.s.data, name->name.s.len, LONG);
        CHECK_STR(name->sent.data, name->sent.len, SHORT);
    }

    request_check(&(request_case_t) { "agent", body,
        "{\"anthropic_version\":\"vertex-2023-10-16\",\"stream\":true,"
        "\"messages\":["
        "{\"role\":\"user\",\"content\":[" TEXT("<r>x</r>") ","
        TEXT_C("do") "]},"
        "{\"role\":\"assistant\",\"content\":[" THINK("t", "s==") ","
        USE("toolu_1", "{\"p\":\"/a\"}") ",{\"type\":\"tool_use\",\"id\":"
        "\"toolu_2\",\"name\":\"" SHORT "\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":[" RESULT("toolu_1", "1") ","
        RESULT("toolu_2", "2") "," TEXT_C("go on") "]}],"
        "\"system\":[" TEXT("head") "," TEXT_C("body") "," TEXT("mind") "],"
        "\"tools\":[" TOOL_A ",{\"name\":\"" SHORT "\",\"input_schema\":"
        AGENT_SCHEMA "}],\"metadata\":{\"user_id\":\"user_x_session_y\"},"
        "\"max_tokens\":32000,\"thinking\":{\"type\":\"enabled\","
        "\"budget_tokens\":31999}}", "context_management" },
        "vertex-anthropic", "claude-sonnet-4-5", 1);
}


typedef struct {
    const char  *body;
    const char  *param;
} refusal_case_t;

static const refusal_case_t  refusals[] = {
    { "[]", "" },
    { "{}", "messages" },
    { "{\"messages\":{}}", "messages" },
    { "{\"messages\":null}", "messages" },
    { "{\"messages\":[1]}", "messages.0.role" },
    { "{\"messages\":[{\"role\":\"tool\",\"content\":\"\"}]}",
      "messages.0.role" },
    { "{\"messages\":[{\"role\":\"user\",\"content\":\"\"},"
      "{\"role\":\"user\",\"content\":1}]}", "messages.1.content" },
    { "{\"messages\":[{\"role\":\"user\"}]}", "messages.0.content" },
    { "{\"messages\":[{\"role\":\"user\",\"content\":[1]}]}",
      "messages.0.content" },
    { "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}",
      "messages.0.content" },
    { "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]"
      "}", "messages.0.content" },
    { "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
      "\"tool_result\"}]}]}", "messages.0.content" },
    { "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"tool_use\",\"id\":\"a\"}]}]}", "messages.0.content" },
    { "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":"
      "\"tool_use\",\"id\":\"a\",\"name\":\"b\",\"input\":\"{}\"}]}]}",
      "messages.0.content" },
    { "{\"messages\":[],\"system\":1}", "system" },
    { "{\"messages\":[],\"system\":[1]}", "system" },
    { "{\"messages\":[],\"max_tokens\":\"1\"}", "max_tokens" },
    { "{\"messages\":[],\"temperature\":[]}", "temperature" },
    { "{\"messages\":[],\"top_k\":true}", "top_k" },
    { "{\"messages\":[],\"stream\":1}", "stream" },
    { "{\"messages\":[],\"tools\":{}}", "tools" },
    { "{\"messages\":[],\"tools\":[{}]}", "tools" },
    { "{\"messages\":[],\"tools\":[7]}", "tools" },
    { "{\"messages\":[],\"tool_choice\":\"any\"}", "tool_choice" },
    { "{\"messages\":[],\"tool_choice\":{\"type\":\"tool\"}}",
      "tool_choice" },
    { "{\"messages\":[],\"thinking\":{\"type\":\"enabled\"}}", "thinking" },
    { "{\"messages\":[],\"thinking\":true}", "thinking" },
    { "{\"messages\":[],\"output_config\":1}", "output_config" },
    { "{\"messages\":[],\"output_config\":{\"format\":{}}}",
      "output_config.format" },
    { "{\"messages\":[],\"stop_sequences\":\"x\"}", "stop_sequences" },
    { "{\"messages\":[],\"stop_sequences\":[1]}", "stop_sequences" },
    { "{\"messages\":[],\"metadata\":1}", "metadata" },
    { NULL, NULL }
};


static void
test_refusals(void)
{
    request_t              r;
    const refusal_case_t  *c;

    for (c = refusals; c->body != NULL; c++) {
        parse(&r, c->body, strlen(c->body));

        if (!CHECK_INT(r.rc, AI_DECLINED)
            || !CHECK(r.rep.message.len != 0)
            || !CHECK_MEM(r.rep.param.data, r.rep.param.len, c->param,
                          strlen(c->param)))
        {
            printf("    in %s\n", c->body);
        }
    }
}


/* requests as other surfaces leave them */

static void
test_unsupported(void)
{
    ai_buf_t       out;
    ai_str_t       s;
    request_t      r;
    ai_part_t     *part;
    ai_tool_t     *tool;
    ai_message_t  *m;

    parse(&r, "{" HI "}", sizeof("{" HI "}") - 1);
    ai_str_set(&r.req.n, "2");
    CHECK_INT(render(&r, "anthropic", "claude-sonnet-4-5", 0, &out),
              AI_DECLINED);
    CHECK_STR(r.rep.param.data, r.rep.param.len, "n");

    parse(&r, "{" HI "}", sizeof("{" HI "}") - 1);
    ai_str_set(&r.req.n, "1");
    ai_str_set(&r.req.logprobs, "true");
    CHECK_INT(render(&r, "anthropic", "claude-sonnet-4-5", 0, &out),
              AI_DECLINED);
    CHECK_STR(r.rep.param.data, r.rep.param.len, "logprobs");

    parse(&r, "{" HI "}", sizeof("{" HI "}") - 1);
    ai_str_set(&r.req.seed, "7");
    ai_str_set(&r.req.presence_penalty, "0.0");
    ai_str_set(&r.req.frequency_penalty, "0.5");
    ai_str_set(&r.req.store, "false");
    CHECK_INT(render(&r, "anthropic", "claude-sonnet-4-5", 0, &out), AI_OK);
    CHECK_UINT(r.rep.ndropped, 2);

    parse(&r, "{" HI "}", sizeof("{" HI "}") - 1);
    m = r.req.messages;
    part = ai_message_part(&r.req, m, AI_PART_AUDIO);
    part->data = ai_mstr_cstr("QUJD");
    CHECK_INT(render(&r, "anthropic", "claude-sonnet-4-5", 0, &out),
              AI_DECLINED);

    part->type = AI_PART_IMAGE;
    part->data.s.len = 0;
    part->url = ai_mstr_cstr("https://a/b");
    ai_report_init(&r.rep, &unit_arena);
    CHECK_INT(render(&r, "bedrock-anthropic", "claude-sonnet-4-5", 0, &out),
              AI_DECLINED);

    ai_report_init(&r.rep, &unit_arena);
    CHECK_INT(render(&r, "anthropic", "claude-sonnet-4-5", 0, &out), AI_OK);

    part->url = ai_mstr_cstr("gs://a/b");
    CHECK_INT(render(&r, "anthropic", "claude-sonnet-4-5", 0, &out),
              AI_DECLINED);

    /* free text becomes an object of one string, any JSON is asked for */

    parse(&r, "{" HI "}", sizeof("{" HI "}") - 1);
    tool = ai_request_tool(&r.req);
    tool->type = AI_TOOL_CUSTOM;
    tool->name = ai_mstr_cstr("free");
    r.req.format = AI_FORMAT_JSON;
    CHECK_INT(render(&r, "anthropic", "claude-sonnet-4-5", 0, &out), AI_OK);
    CHECK_INT(ai_buf_get(&out, &s), AI_OK);
    CHECK_STR(s.data, s.len, "{\"model\":\"claude-sonnet-4-5\","
              "\"max_tokens\":64000,\"tools\":[{\"name\":\"free\","
              "\"input_schema\":{\"type\":\"object\",\"properties\":"
              "{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}"
              "}],\"system\":[{\"type\":\"text\",\"text\":\"Answer with "
              "nothing but one JSON object.\"}]," HI_BACK "}");

    /* other vendors' own tools, and tools that are withheld */

    parse(&r, "{" HI "," TOOLS "}", sizeof("{" HI "," TOOLS "}") - 1);
    tool = ai_request_tool(&r.req);
    tool->type = AI_TOOL_SERVER;
    tool->name = ai_mstr_cstr("web_search_preview");
    r.req.nallowed = 1;
    r.req.allowed[0] = ai_mstr_cstr("z");
    CHECK_INT(render(&r, "anthropic", "claude-sonnet-4-5", 0, &out), AI_OK);
    CHECK_INT(ai_buf_get(&out, &s), AI_OK);
    CHECK_STR(s.data, s.len, "{\"model\":\"claude-sonnet-4-5\","
              "\"max_tokens\":64000," HI_BACK "}");
    CHECK_UINT(r.rep.ndropped, 1);
    CHECK_STR(r.rep.dropped[0].data, r.rep.dropped[0].len,
              "web_search_preview");
}


/* ---- answers of providers ---- */

static const char  *const delta_names[] = {
    "START", "TEXT", "REASONING", "STATE", "REFUSAL", "CALL", "ARGS",
    "CALL_END", "IMAGE", "CITATION", "LOGPROBS", "FINISH", "USAGE", "END",
    "ERROR"
};

static const char  *const finish_names[] = {
    "NONE", "STOP", "SEQUENCE", "LENGTH", "CONTEXT", "TOOLS", "FILTER",
    "PAUSE", "BROKEN"
};


/* writes a delta as a line */

static ai_int_t
emit_log(void *data, const ai_delta_t *delta)
{
    char     buf[128];
    text_t  *t;

    t = data;

    text_str(t, delta_names[delta->type]);

    switch (delta->type) {

    case AI_DELTA_START:
        text_str(t, " ");
        text_mstr(t, &delta->id);
        text_str(t, " ");
        text_mstr(t, &delta->name);
        break;

    case AI_DELTA_STATE:
        snprintf(buf, sizeof(buf), " %d ", (int) delta->state_kind);
        text_str(t, buf);
        text_mstr(t, &delta->state);
        break;

    case AI_DELTA_CALL:
    case AI_DELTA_CALL_END:
        snprintf(buf, sizeof(buf), " %d ", (int) delta->call);
        text_str(t, buf);
        text_mstr(t, &delta->id);
        text_str(t, " ");
        text_mstr(t, &delta->name);
        break;

    case AI_DELTA_CITATION:
        snprintf(buf, sizeof(buf), " %d-%d ", (int) delta->from,
                 (int) delta->to);
        text_str(t, buf);
        text_mstr(t, &delta->url);
        text_str(t, " ");
        text_mstr(t, &delta->name);
        text_str(t, " ");
        text_mstr(t, &delta->text);
        break;

    case AI_DELTA_FINISH:
        text_str(t, " ");
        text_str(t, finish_names[delta->finish]);
        text_str(t, " ");
        text_mstr(t, &delta->native);
        text_str(t, " ");
        text_mstr(t, &delta->text);
        break;

    case AI_DELTA_USAGE:
        snprintf(buf, sizeof(buf), " %d %d %d %d %d %d",
                 (int) delta->usage.source, (int) delta->usage.uncached,
                 (int) delta->usage.cached, (int) delta->usage.cache_write,
                 (int) delta->usage.output, (int) delta->usage.reasoning);
        text_str(t, buf);
        break;

    default:
        text_str(t, " ");
        text_mstr(t, &delta->text);
        break;
    }

    text_str(t, "\n");

    return AI_OK;
}


static void
decode_init(ai_decode_t *d, text_t *log)
{
    memset(d, 0, sizeof(ai_decode_t));

    d->wire = &ai_wire_anthropic;
    d->op = AI_OP_MESSAGES;
    d->alloc = &unit_arena;
    d->scratch = &unit_arena;
    d->emit = emit_log;
    d->data = log;
    d->state = ai_alloc(&unit_arena, ai_wire_anthropic.decode_size);

    memset(d->state, 0, ai_wire_anthropic.decode_size);
}


typedef struct {
    const char  *name;
    const char  *events;          /* one a line */
    const char  *want;
    ai_int_t     rc;
    uint64_t     unknown;
} decode_case_t;


#define START                                                                \
    "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":"    \
    "\"m\",\"content\":[],\"usage\":{\"input_tokens\":7,"                     \
    "\"cache_read_input_tokens\":3,\"output_tokens\":1}}}\n"
#define STARTED  "START msg_1 m\nUSAGE 1 7 3 0 1 0\n"
#define BLOCK(i, b)                                                          \
    "{\"type\":\"content_block_start\",\"index\":" #i ",\"content_block\":"   \
    b "}\n"
#define DELTA(i, d)                                                          \
    "{\"type\":\"content_block_delta\",\"index\":" #i ",\"delta\":" d "}\n"
#define STOP(i)  "{\"type\":\"content_block_stop\",\"index\":" #i "}\n"
#define PARTIAL(i, p)                                                        \
    DELTA(i, "{\"type\":\"input_json_delta\",\"partial_json\":\"" p "\"}")
#define FINISH(r)                                                            \
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" r "\","       \
    "\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}}\n"              \
    "{\"type\":\"message_stop\"}\n"


static const decode_case_t  decodes[] = {

    { "text, ping, a type that is not known",
      START "{\"type\": \"ping\"}\n{\"type\":\"new\"}\n"
      BLOCK(0, "{\"type\":\"text\",\"text\":\"\"}")
      DELTA(0, "{\"type\":\"text_delta\",\"text\":\"h\\u00e9\"}")
      DELTA(0, "{\"type\":\"other_delta\",\"text\":\"x\"}") STOP(0)
      FINISH("end_turn"),
      STARTED "TEXT h\xc3\xa9\nUSAGE 2 7 3 0 9 0\nFINISH STOP end_turn \n"
      "END \n", AI_OK, 2 },

    { "a stop sequence, and all of the usage",
      START "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
      "\"stop_sequence\",\"stop_sequence\":\"X\"},\"usage\":{"
      "\"input_tokens\":8,\"cache_creation_input_tokens\":4,"
      "\"cache_read_input_tokens\":null,\"output_tokens\":9,"
      "\"output_tokens_details\":{\"thinking_tokens\":5}}}\n",
      STARTED "USAGE 2 8 3 4 9 5\nFINISH SEQUENCE stop_sequence X\n",
      AI_OK, 0 },

    { "thinking, redacted thinking",
      START BLOCK(0, "{\"type\":\"thinking\",\"thinking\":\"\","
                     "\"signature\":\"\"}")
      DELTA(0, "{\"type\":\"thinking_delta\",\"thinking\":\"t\"}")
      DELTA(0, "{\"type\":\"signature_delta\",\"signature\":\"a\\/b=\"}")
      STOP(0) BLOCK(1, "{\"type\":\"redacted_thinking\",\"data\":\"red\"}")
      STOP(1) BLOCK(2, "{\"type\":\"thinking\",\"thinking\":\"\"}") STOP(2),
      STARTED "REASONING t\nSTATE 1 a/b=\nSTATE 2 red\n", AI_OK, 0 },

    /* 6 */

    { "calls, with and without arguments",
      START BLOCK(1, "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"a\","
                     "\"input\":{}}")
      PARTIAL(1, "") PARTIAL(1, "{\\\"x\\\":") PARTIAL(1, " 1.0}") STOP(1)
      BLOCK(2, "{\"type\":\"tool_use\",\"id\":\"t2\",\"name\":\"b\","
               "\"input\":{}}") PARTIAL(2, "") STOP(2)
      BLOCK(3, "{\"type\":\"tool_use\",\"id\":\"t3\",\"name\":\"c\","
               "\"input\":{\"y\": 2}}") STOP(3)
      BLOCK(4, "{\"type\":\"tool_use\",\"id\":\"t4\",\"name\":\"d\","
               "\"input\":{\"y\": 2}}") PARTIAL(4, "{}") STOP(4)
      FINISH("tool_use"),
      STARTED "CALL 0 t1 a\nARGS {\"x\":\nARGS  1.0}\nCALL_END 0  \n"
      "CALL 1 t2 b\nCALL_END 1  \nCALL 2 t3 c\nARGS {\"y\": 2}\n"
      "CALL_END 2  \nCALL 3 t4 d\nARGS {}\nCALL_END 3  \n"
      "USAGE 2 7 3 0 9 0\nFINISH TOOLS tool_use \nEND \n", AI_OK, 0 },

    { "calls at the same time",
      START BLOCK(0, "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"a\"}")
      BLOCK(1, "{\"type\":\"tool_use\",\"id\":\"t2\",\"name\":\"b\"}")
      PARTIAL(0, "1") PARTIAL(1, "2") STOP(0) STOP(1),
      STARTED "CALL 0 t1 a\nCALL 1 t2 b\nARGS 1\nARGS 2\nCALL_END 0  \n"
      "CALL_END 1  \n", AI_OK, 0 },

    { "tools of the provider",
      START BLOCK(0, "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":"
                     "\"web_search\",\"input\":{}}")
      PARTIAL(0, "{\\\"q\\\":1}") STOP(0)
      BLOCK(1, "{\"type\":\"web_search_tool_result\",\"content\":[]}") STOP(1)
      BLOCK(2, "{\"type\":\"text\",\"text\":\"\"}")
      DELTA(2, "{\"type\":\"citations_delta\",\"citation\":{\"type\":"
               "\"char_location\",\"document_index\":0}}")
      DELTA(2, "{\"type\":\"citations_delta\",\"citation\":{\"url\":"
               "\"https:\\/\\/a\",\"title\":\"T\",\"cited_text\":\"c\"}}")
      DELTA(2, "{\"type\":\"text_delta\",\"text\":\"\\u00e9\\ud83d\\ude00"
               "\xc3\xa9x\"}") STOP(2),
      STARTED "TEXT \xc3\xa9\xf0\x9f\x98\x80\xc3\xa9x\n"
      "CITATION 0-4 https://a T c\n", AI_OK, 2 },

    { "the answer by a tool",
      START BLOCK(0, "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\""
                     AI_WIRE_JSON "\",\"input\":{}}")
      PARTIAL(0, "{\\\"x\\\":") PARTIAL(0, "1}") STOP(0) FINISH("tool_use"),
      STARTED "TEXT {\"x\":\nTEXT 1}\nUSAGE 2 7 3 0 9 0\n"
      "FINISH STOP tool_use \nEND \n", AI_OK, 0 },

    { "refused without a word",
      START "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
      "\"refusal\",\"stop_details\":{\"explanation\":\"why\"}}}\n",
      STARTED "REFUSAL why\nFINISH FILTER refusal \n", AI_OK, 0 },

    { "refused in words",
      START BLOCK(0, "{\"type\":\"text\",\"text\":\"no\"}") STOP(0)
      "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
      "\"refusal\",\"stop_details\":{\"explanation\":\"why\"}}}\n",
      STARTED "TEXT no\nFINISH FILTER refusal \n", AI_OK, 0 },

    { "reasons", START FINISH("max_tokens") FINISH("pause_turn")
      FINISH("model_context_window_exceeded") FINISH("compaction"),
      STARTED "USAGE 2 7 3 0 9 0\nFINISH LENGTH max_tokens \nEND \n"
      "USAGE 2 7 3 0 9 0\nFINISH PAUSE pause_turn \nEND \n"
      "USAGE 2 7 3 0 9 0\nFINISH CONTEXT model_context_window_exceeded \n"
      "END \nUSAGE 2 7 3 0 9 0\nFINISH STOP compaction \nEND \n", AI_OK, 1 },

    /* 11 */

    { "an error", START "{\"type\":\"error\",\"error\":{\"type\":"
      "\"overloaded_error\",\"message\":\"Overloaded\"}}\n",
      STARTED "ERROR \n", AI_OK, 0 },

    { "twice the start", START START BLOCK(0, "{\"type\":\"text\",\"text\":"
      "\"a\"}"), STARTED STARTED "TEXT a\n", AI_OK, 0 },

    { "a start within a call",
      START BLOCK(0, "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"a\"}")
      START, STARTED "CALL 0 t1 a\n", AI_DECLINED, 0 },

    { "metrics of Bedrock",
      "{\"type\":\"message_stop\",\"amazon-bedrock-invocationMetrics\":"
      "{\"inputTokenCount\":3}}\n", "END \n", AI_OK, 0 },

    { "nonsense", "{}\n{\"type\":7}\n{\"type\":\"message_delta\"}\n"
      "{\"type\":\"content_block_delta\",\"index\":-1}\n"
      "{\"type\":\"content_block_stop\",\"index\":99}\n"
      "{\"type\":\"content_block_start\",\"index\":99}\n"
      "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":null},"
      "\"usage\":{\"output_tokens\":-1}}\n", "", AI_OK, 4 },

    { NULL, NULL, NULL, AI_OK, 0 }
};


static void
test_decode_6_11(void)
{
    text_t                log;
    ai_int_t              rc;
    ai_str_t              name;
    ai_json_t             root;
    const char           *p, *end;
    ai_decode_t           d;
    const decode_case_t  *c;

    ai_str_set(&name, "");

    for (c = decodes; c->name != NULL; c++) {
        memset(&log, 0, sizeof(text_t));
        decode_init(&d, &log);
        rc = AI_OK;

        for (p = c->events; *p && rc == AI_OK; p = end + 1) {
            end = strchr(p, '\n');
            root = scan(p, (size_t) (end - p));
            rc = ai_wire_anthropic.parse_event(&d, &name, &root);
        }

        if (rc == AI_OK) {
            CHECK_INT(ai_wire_anthropic.parse_end(&d), AI_OK);
        }

        if (!CHECK_INT(rc, c->rc) || !CHECK_UINT(d.unknown, c->unknown)
            || !CHECK_MEM(text_get(&log), log.len, c->want, strlen(c->want)))
        {
            printf("    in \"%s\"\n%s", c->name, text_get(&log));
        }

        text_free(&log);
    }
}


static const decode_case_t  answers[] = {

    { "all kinds of blocks",
      "{\"type\":\"message\",\"id\":\"msg_1\",\"model\":\"m\",\"content\":["
      "{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"},"
      "{\"type\":\"redacted_thinking\",\"data\":\"r\"},"
      "{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"n\",\"input\":"
      "{}},{\"type\":\"text\",\"text\":\"a\",\"citations\":null},"
      "{\"type\":\"text\",\"text\":\"bc\",\"citations\":[{\"url\":\"u\"}]},"
      "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\",\"input\":"
      "{\"x\": 1.0}},{\"type\":\"tool_use\",\"id\":\"t2\",\"name\":\"g\","
      "\"input\":{}}],\"stop_reason\":\"tool_use\",\"stop_sequence\":null,"
      "\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}",
      "START msg_1 m\nREASONING t\nSTATE 1 s\nSTATE 2 r\nTEXT a\nTEXT bc\n"
      "CITATION 1-3 u  \nCALL 0 t1 f\nARGS {\"x\": 1.0}\nCALL_END 0  \n"
      "CALL 1 t2 g\nCALL_END 1  \nUSAGE 2 1 0 0 2 0\n"
      "FINISH TOOLS tool_use \n", AI_OK, 1 },

    { "the answer by a tool",
      "{\"content\":[{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\""
      AI_WIRE_JSON "\",\"input\":{\"x\": [1]}}],\"stop_reason\":"
      "\"tool_use\"}",
      "START  \nTEXT {\"x\": [1]}\nFINISH STOP tool_use \n", AI_OK, 0 },

    { "an error", "{\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}",
      "ERROR \n", AI_OK, 0 },

    { "no answer", "{\"type\":\"message\"}", "", AI_DECLINED, 0 },
    { "no object", "[]", "", AI_DECLINED, 0 },

    { NULL, NULL, NULL, AI_OK, 0 }
};


static void
test_answers(void)
{
    text_t                log;
    ai_json_t             root;
    ai_decode_t           d;
    const decode_case_t  *c;

    for (c = answers; c->name != NULL; c++) {
        memset(&log, 0, sizeof(text_t));
        decode_init(&d, &log);
        d.document = 1;

        root = scan(c->events, strlen(c->events));

        if (!CHECK_INT(ai_wire_anthropic.parse_response(&d, &root), c->rc)
            || !CHECK_UINT(d.unknown, c->unknown)
            || !CHECK_MEM(text_get(&log), log.len, c->want, strlen(c->want)))
        {
            printf("    in \"%s\"\n%s", c->name, text_get(&log));
        }

        text_free(&log);
    }
}


/* ---- answers to clients ---- */

/* what a client gets out of a stream or a document */

typedef struct {
    text_t        text;
    text_t        thinking;
    text_t        signatures;
    text_t        calls;          /* "name(arguments)" */
    text_t        partial;
    char          id[128];
    char          model[128];
    char          stop[64];
    char          sequence[64];
    double        input;          /* of the start */
    double        usage[4];
    unsigned      cites;
    unsigned      ended;
    unsigned      error;
} answer_t;


static void
answer_free(answer_t *a)
{
    text_free(&a->text);
    text_free(&a->thinking);
    text_free(&a->signatures);
    text_free(&a->calls);
    text_free(&a->partial);
    memset(a, 0, sizeof(answer_t));
}


static const char *
get(cJSON *v, const char *name)
{
    char  *s;

    s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(v, name));

    return s ? s : "";
}


static void
read_usage(answer_t *a, cJSON *u)
{
    int     i;
    cJSON  *n;

    static const char  *const names[] = {
        "input_tokens", "cache_read_input_tokens",
        "cache_creation_input_tokens", "output_tokens"
    };

    for (i = 0; i < 4; i++) {
        n = cJSON_GetObjectItemCaseSensitive(u, names[i]);

        if (cJSON_IsNumber(n)) {
            a->usage[i] = n->valuedouble;
        }
    }
}


static void
read_stop(answer_t *a, cJSON *v)
{
    if (*get(v, "stop_reason")) {
        snprintf(a->stop, sizeof(a->stop), "%s", get(v, "stop_reason"));
    }

    snprintf(a->sequence, sizeof(a->sequence), "%s",
             get(v, "stop_sequence"));

    /* what is refused without a word is told why */

    if (strcmp(a->stop, "refusal") == 0 && a->text.len == 0) {
        text_str(&a->text, get(cJSON_GetObjectItem(v, "stop_details"),
                               "explanation"));
    }
}


static void
read_message(answer_t *a, cJSON *v)
{
    snprintf(a->id, sizeof(a->id), "%s", get(v, "id"));
    snprintf(a->model, sizeof(a->model), "%s", get(v, "model"));
    read_stop(a, v);
    read_usage(a, cJSON_GetObjectItemCaseSensitive(v, "usage"));
    a->input = a->usage[0];
}


static void
read_call(answer_t *a, const char *name, const char *args)
{
    char   *s;
    cJSON  *tree;

    tree = cJSON_Parse(*args ? args : "{}");
    s = cJSON_PrintUnformatted(tree);

    text_str(&a->calls, name);
    text_str(&a->calls, "(");
    text_str(&a->calls, s ? s : args);
    text_str(&a->calls, ")");

    free(s);
    cJSON_Delete(tree);
}


static void
read_block(answer_t *a, cJSON *b)
{
    char        *s;
    cJSON       *c;
    const char  *type;

    type = get(b, "type");

    if (strcmp(type, "text") == 0) {
        text_str(&a->text, get(b, "text"));

        cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(b,
                                                               "citations"))
        {
            a->cites += (*get(c, "url") != '\0');
        }

    } else if (strcmp(type, "thinking") == 0) {
        text_str(&a->thinking, get(b, "thinking"));
        text_str(&a->signatures, get(b, "signature"));

    } else if (strcmp(type, "redacted_thinking") == 0) {
        text_str(&a->signatures, get(b, "data"));

    } else if (strcmp(type, "tool_use") == 0) {
        c = cJSON_GetObjectItemCaseSensitive(b, "input");
        s = cJSON_PrintUnformatted(c);
        read_call(a, get(b, "name"), s ? s : "");
        free(s);
    }
}


/*
 * One event, as the description of the format has it.  open is the kind of
 * block that is open and the name of the tool.
 */

static void
read_event(answer_t *a, cJSON *v, char *open, char *tool)
{
    cJSON       *b;
    const char  *type;

    type = get(v, "type");

    if (strcmp(type, "message_start") == 0) {
        read_message(a, cJSON_GetObjectItemCaseSensitive(v, "message"));

    } else if (strcmp(type, "content_block_start") == 0) {
        b = cJSON_GetObjectItemCaseSensitive(v, "content_block");
        snprintf(open, 64, "%s", get(b, "type"));
        snprintf(tool, 256, "%s", get(b, "name"));
        text_free(&a->partial);

        if (strcmp(open, "tool_use") != 0) {
            read_block(a, b);
        }

    } else if (strcmp(type, "content_block_delta") == 0) {
        b = cJSON_GetObjectItemCaseSensitive(v, "delta");
        text_str(&a->text, get(b, "text"));
        text_str(&a->thinking, get(b, "thinking"));
        text_str(&a->signatures, get(b, "signature"));
        text_str(&a->partial, get(b, "partial_json"));
        b = cJSON_GetObjectItemCaseSensitive(b, "citation");
        a->cites += (*get(b, "url") != '\0');

    } else if (strcmp(type, "content_block_stop") == 0) {

        if (strcmp(open, "tool_use") == 0) {
            read_call(a, tool, text_get(&a->partial));
        }

        *open = '\0';

    } else if (strcmp(type, "message_delta") == 0) {

        /* there is a recording where a call was cut off before its end */

        if (strcmp(open, "tool_use") == 0) {
            read_call(a, tool, text_get(&a->partial));
            *open = '\0';
        }

        read_stop(a, cJSON_GetObjectItemCaseSensitive(v, "delta"));
        read_usage(a, cJSON_GetObjectItemCaseSensitive(v, "usage"));

    } else if (strcmp(type, "message_stop") == 0) {
        a->ended = 1;

    } else if (strcmp(type, "error") == 0) {
        a->error = 1;
    }
}


#define FAULT(cond)                                                          \
    if (cond) {                                                              \
        printf("%s: event %d: %s: %.200s\n", unit.test, n, #cond, line);     \
        unit.failed++;                                                       \
        ok = 0;                                                              \
    }


/*
 * The grammar of wire-formats.md 6.3: what may follow what.  whole: the
 * stream must end as one that is complete.
 */

static int
grammar(const char *sse, answer_t *a, int whole)
{
    int          n, ok, started, stopped, finished, blocks, pieces;
    char        *copy, *line, *next, *data, open[64], tool[256];
    cJSON       *v, *d;
    const char  *type, *kind;

    memset(a, 0, sizeof(answer_t));
    memset(open, 0, sizeof(open));

    copy = strdup(sse);
    ok = 1;
    n = 0;
    started = 0;
    stopped = 0;
    finished = 0;
    blocks = 0;
    pieces = 0;

    for (line = copy; *line; line = next, n++) {
        next = strstr(line, "\n\n");

        FAULT(next == NULL);

        if (next == NULL) {
            break;
        }

        *next = '\0';
        next += 2;
        data = strstr(line, "\ndata: ");

        FAULT(strncmp(line, "event: ", 7) != 0 || data == NULL);
        FAULT(stopped);

        if (data == NULL) {
            break;
        }

        *data = '\0';
        data += 7;
        v = cJSON_Parse(data);
        type = get(v, "type");

        FAULT(v == NULL || strchr(data, '\n') != NULL);
        FAULT(strcmp(line + 7, type) != 0);

        d = cJSON_GetObjectItemCaseSensitive(v, "index");

        if (strncmp(type, "content_block_", 14) == 0) {
            FAULT(!started || finished);
            FAULT(!cJSON_IsNumber(d) || d->valueint != blocks);
        }

        if (strcmp(type, "message_start") == 0) {
            FAULT(n != 0);
            started = 1;
            d = cJSON_GetObjectItemCaseSensitive(v, "message");
            FAULT(strncmp(get(d, "id"), "msg_", 4) != 0);
            FAULT(strcmp(get(d, "type"), "message") != 0);
            FAULT(strcmp(get(d, "role"), "assistant") != 0);
            FAULT(*get(d, "model") == '\0');
            FAULT(!cJSON_IsArray(cJSON_GetObjectItem(d, "content")));
            FAULT(!cJSON_IsNull(cJSON_GetObjectItem(d, "stop_reason")));
            d = cJSON_GetObjectItem(d, "usage");
            FAULT(!cJSON_IsNumber(cJSON_GetObjectItem(d, "input_tokens")));

        } else if (strcmp(type, "ping") == 0) {
            FAULT(n != 1);

        } else if (strcmp(type, "content_block_start") == 0) {
            FAULT(*open);
            pieces = 0;
            d = cJSON_GetObjectItem(v, "content_block");
            kind = get(d, "type");

            if (strcmp(kind, "tool_use") == 0) {
                FAULT(*get(d, "id") == '\0' || *get(d, "name") == '\0');
                FAULT(cJSON_GetArraySize(cJSON_GetObjectItem(d, "input")));
                FAULT(!cJSON_IsObject(cJSON_GetObjectItem(d, "input")));

            } else if (strcmp(kind, "text") == 0) {
                FAULT(*get(d, "text") != '\0');

            } else if (strcmp(kind, "thinking") == 0) {
                FAULT(!cJSON_IsString(cJSON_GetObjectItem(d, "signature")));

            } else {
                FAULT(strcmp(kind, "redacted_thinking") != 0);
                pieces = 1;
            }

        } else if (strcmp(type, "content_block_delta") == 0) {
            d = cJSON_GetObjectItem(v, "delta");
            kind = get(d, "type");
            pieces++;

            if (strcmp(open, "text") == 0) {
                FAULT(strcmp(kind, "text_delta") != 0
                      && strcmp(kind, "citations_delta") != 0);

            } else if (strcmp(open, "thinking") == 0) {
                FAULT(strcmp(kind, "thinking_delta") != 0
                      && strcmp(kind, "signature_delta") != 0);

            } else {
                FAULT(strcmp(open, "tool_use") != 0
                      || strcmp(kind, "input_json_delta") != 0
                      || *get(d, "partial_json") == '\0');
            }

        } else if (strcmp(type, "content_block_stop") == 0) {
            FAULT(*open == '\0' || pieces == 0);
            blocks++;

        } else if (strcmp(type, "message_delta") == 0) {
            FAULT(*open || finished || !started);
            finished = 1;
            d = cJSON_GetObjectItem(v, "delta");
            FAULT(*get(d, "stop_reason") == '\0');
            FAULT(cJSON_GetObjectItem(d, "stop_sequence") == NULL);
            d = cJSON_GetObjectItem(v, "usage");
            FAULT(!cJSON_IsNumber(cJSON_GetObjectItem(d, "input_tokens")));
            FAULT(!cJSON_IsNumber(cJSON_GetObjectItem(d, "output_tokens")));
            FAULT(!cJSON_IsNumber(cJSON_GetObjectItem(d,
                                                "cache_read_input_tokens")));
            FAULT(!cJSON_IsNumber(cJSON_GetObjectItem(d,
                                            "cache_creation_input_tokens")));

        } else if (strcmp(type, "message_stop") == 0) {
            FAULT(!finished);
            stopped = 1;

        } else {
            FAULT(strcmp(type, "error") != 0);
            stopped = 1;
        }

        read_event(a, v, open, tool);
        cJSON_Delete(v);
    }

    line = (char *) sse;
    FAULT(whole && !a->ended);

    free(copy);

    return ok;
}


typedef struct {
    ai_encode_t   e;
    ai_buf_t      out;
    ai_usage_t    usage;
} encode_t;


static void
encode_init(encode_t *x)
{
    memset(x, 0, sizeof(encode_t));

    ai_buf_init(&x->out, &unit_arena, MAX_OUT);

    x->e.wire = &ai_wire_anthropic;
    x->e.op = AI_OP_MESSAGES;
    x->e.alloc = &unit_arena;
    x->e.state = ai_alloc(&unit_arena, ai_wire_anthropic.encode_size);
    ai_str_set(&x->e.model, "alias \"x\"");
    ai_str_set(&x->e.request_id, "0123456789abcdef");
    x->e.input = 42;
    x->e.max = MAX_OUT;
    x->e.usage = &x->usage;
    x->e.out = &x->out;

    memset(x->e.state, 0, ai_wire_anthropic.encode_size);
}


static void
put(encode_t *x, ai_delta_e type, const char *text)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, type);
    delta.text = ai_mstr_cstr(text);

    CHECK_INT(ai_wire_anthropic.render_event(&x->e, &delta), AI_OK);
}


static void
put_call(encode_t *x, ai_uint_t n, const char *name, const char *state)
{
    char        id[16];
    ai_delta_t  delta;

    snprintf(id, sizeof(id), "call_%d", (int) n);

    ai_delta_init(&delta, AI_DELTA_CALL);
    delta.call = n;
    delta.id = ai_mstr_cstr(id);
    delta.name = ai_mstr_cstr(name);

    if (state != NULL) {
        delta.state_kind = AI_STATE_GOOGLE;
        delta.state = ai_mstr_cstr(state);
    }

    CHECK_INT(ai_wire_anthropic.render_event(&x->e, &delta), AI_OK);
}


static void
put_state(encode_t *x, ai_state_e kind, const char *state)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_STATE);
    delta.state_kind = kind;
    delta.state = ai_mstr_cstr(state);

    CHECK_INT(ai_wire_anthropic.render_event(&x->e, &delta), AI_OK);
}


static void
put_end(encode_t *x, ai_finish_e finish, const char *sequence)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_FINISH);
    delta.finish = finish;
    delta.text = ai_mstr_cstr(sequence);

    CHECK_INT(ai_wire_anthropic.render_event(&x->e, &delta), AI_OK);

    ai_delta_init(&delta, AI_DELTA_USAGE);
    delta.usage.source = AI_USAGE_PROVIDER;
    delta.usage.uncached = 5;
    delta.usage.cached = 6;
    delta.usage.cache_write = 7;
    delta.usage.output = 8;
    delta.usage.reasoning = 2;

    CHECK_INT(ai_wire_anthropic.render_event(&x->e, &delta), AI_OK);

    put(x, AI_DELTA_END, "");
}


static const char *
encoded(encode_t *x, answer_t *a)
{
    ai_str_t  s;

    ai_buf_put(&x->out, "", 1);
    CHECK_INT(ai_buf_get(&x->out, &s), AI_OK);

    if (!grammar((char *) s.data, a, 1)) {
        printf("%s\n", s.data);
    }

    return (char *) s.data;
}


static void
test_encode_3_7_8(void)
{
    answer_t     a;
    encode_t     x;
    const char  *sse;

    encode_init(&x);
    put(&x, AI_DELTA_START, "");
    put(&x, AI_DELTA_REASONING, "hm");
    put(&x, AI_DELTA_REASONING, "");
    put(&x, AI_DELTA_REASONING, "\n\"m\"");
    put(&x, AI_DELTA_TEXT, "");
    put(&x, AI_DELTA_TEXT, "a");
    put(&x, AI_DELTA_TEXT, "b");
    put_call(&x, 0, "f", NULL);
    put(&x, AI_DELTA_ARGS, "{\"x\":");
    put(&x, AI_DELTA_ARGS, "1}");
    put(&x, AI_DELTA_CALL_END, "");
    put_call(&x, 1, "g", NULL);
    put(&x, AI_DELTA_ARGS, "{}");
    put(&x, AI_DELTA_CALL_END, "");
    put_end(&x, AI_FINISH_TOOLS, "");
    put(&x, AI_DELTA_TEXT, "too late");

    sse = encoded(&x, &a);

    CHECK_MEM(a.text.data, a.text.len, "ab", 2);
    CHECK_MEM(a.thinking.data, a.thinking.len, "hm\n\"m\"", 6);
    CHECK(strcmp(text_get(&a.signatures), AI_STATE_UNSIGNED) == 0);
    CHECK(strcmp(text_get(&a.calls), "f({\"x\":1})g({})") == 0);
    CHECK(strcmp(a.stop, "tool_use") == 0);
    CHECK(strcmp(a.model, "alias \"x\"") == 0);

    /* 7: an estimate at the start, the truth with all caches at the end */

    CHECK_INT(a.input, 42);
    CHECK_INT(a.usage[0], 5);
    CHECK_INT(a.usage[1], 6);
    CHECK_INT(a.usage[2], 7);
    CHECK_INT(a.usage[3], 8);
    CHECK(strstr(sse, "\"thinking_tokens\":2") != NULL);
    CHECK(strstr(sse, "\"partial_json\":\"{}\"") != NULL);

    answer_free(&a);

    /* what is known of the input is told before an estimate */

    encode_init(&x);
    x.usage.source = AI_USAGE_ESTIMATED;
    x.usage.uncached = 11;
    x.usage.cached = 4;
    put(&x, AI_DELTA_START, "");
    put_end(&x, AI_FINISH_STOP, "");
    encoded(&x, &a);

    CHECK_INT(a.input, 11);
    CHECK(strcmp(a.stop, "end_turn") == 0);
    CHECK_UINT(a.text.len, 0);

    answer_free(&a);
}


static void
test_encode_state_10(void)
{
    answer_t  a;
    encode_t  x;

    encode_init(&x);
    put(&x, AI_DELTA_START, "");
    put(&x, AI_DELTA_REASONING, "own");
    put_state(&x, AI_STATE_ANTHROPIC, "SIG,");
    put_state(&x, AI_STATE_REDACTED, "RED,");
    put_state(&x, AI_STATE_ANTHROPIC, "SIG2,");
    put(&x, AI_DELTA_REASONING, "other");
    put_state(&x, AI_STATE_REDACTED, "RED2,");
    put_state(&x, AI_STATE_OPENAI, "enc");
    put(&x, AI_DELTA_TEXT, "t");
    put_call(&x, 0, "f", "abc");
    put(&x, AI_DELTA_ARGS, "{}");
    put(&x, AI_DELTA_CALL_END, "");
    put_end(&x, AI_FINISH_TOOLS, "");
    encoded(&x, &a);

    CHECK(strcmp(text_get(&a.thinking), "ownother") == 0);
    CHECK(strcmp(text_get(&a.signatures), "SIG,RED,SIG2,"
                 AI_STATE_UNSIGNED "RED2,"
                 "YWlndzE6bwAAZW5jYWlndzE6ZwAAYWJj") == 0);

    answer_free(&a);
}


typedef struct {
    ai_finish_e   finish;
    const char   *sequence;
    unsigned      refused;
    const char   *stop;
} finish_case_t;

static const finish_case_t  finishes[] = {
    { AI_FINISH_STOP, "", 0, "end_turn" },
    { AI_FINISH_SEQUENCE, "X", 0, "stop_sequence" },
    { AI_FINISH_LENGTH, "", 0, "max_tokens" },
    { AI_FINISH_LENGTH, "", 1, "max_tokens" },
    { AI_FINISH_CONTEXT, "", 0, "model_context_window_exceeded" },
    { AI_FINISH_TOOLS, "", 0, "tool_use" },
    { AI_FINISH_FILTER, "", 0, "refusal" },
    { AI_FINISH_STOP, "", 1, "refusal" },
    { AI_FINISH_PAUSE, "", 0, "pause_turn" },
    { AI_FINISH_NONE, "", 0, "end_turn" },
    { AI_FINISH_NONE, NULL, 0, NULL }
};


/* the same in both modes */

static void
test_finish(void)
{
    cJSON                *v;
    answer_t              a;
    encode_t              x;
    ai_part_t             part;
    ai_answer_t           answer;
    const finish_case_t  *c;

    for (c = finishes; c->stop != NULL; c++) {
        encode_init(&x);
        put(&x, AI_DELTA_START, "");
        put(&x, c->refused ? AI_DELTA_REFUSAL : AI_DELTA_TEXT, "no");
        put_end(&x, c->finish, c->sequence);
        encoded(&x, &a);

        CHECK(strcmp(a.stop, c->stop) == 0);
        CHECK(strcmp(a.sequence, c->sequence) == 0);
        CHECK(strcmp(text_get(&a.text), "no") == 0);
        answer_free(&a);

        encode_init(&x);
        memset(&answer, 0, sizeof(ai_answer_t));
        memset(&part, 0, sizeof(ai_part_t));

        part.type = c->refused ? AI_PART_REFUSAL : AI_PART_TEXT;
        part.text = ai_mstr_cstr("no");
        answer.nchoices = 1;
        answer.choices[0].parts = &part;
        answer.choices[0].finish = c->finish;
        answer.choices[0].sequence = ai_mstr_cstr(c->sequence);

        CHECK_INT(ai_wire_anthropic.render_response(&x.e, &answer), AI_OK);

        v = cJSON_ParseWithLength((char *) x.out.start, ai_buf_len(&x.out));
        CHECK(strcmp(get(v, "stop_reason"), c->stop) == 0);
        CHECK(strcmp(get(v, "stop_sequence"), c->sequence) == 0);
        cJSON_Delete(v);
    }
}


static void
test_document(void)
{
    ai_str_t     s;
    encode_t     x;
    ai_answer_t  answer;

    encode_init(&x);
    memset(&answer, 0, sizeof(ai_answer_t));

    answer.id = ai_mstr_cstr("msg_bdrk_1");
    CHECK_INT(ai_wire_anthropic.render_response(&x.e, &answer), AI_OK);
    CHECK_INT(ai_buf_get(&x.out, &s), AI_OK);
    CHECK_STR(s.data, s.len,
              "{\"id\":\"msg_bdrk_1\",\"type\":\"message\",\"role\":"
              "\"assistant\",\"model\":\"alias \\\"x\\\"\",\"content\":[],"
              "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
              "\"usage\":{\"input_tokens\":42,"
              "\"cache_creation_input_tokens\":0,"
              "\"cache_read_input_tokens\":0,\"output_tokens\":0}}");
}


/* blocks stay open, and nothing follows */

static void
test_error_11(void)
{
    char            *p;
    answer_t         a;
    encode_t         x;
    ai_error_doc_t   doc;

    encode_init(&x);
    put(&x, AI_DELTA_START, "");
    put(&x, AI_DELTA_TEXT, "a");

    memset(&doc, 0, sizeof(ai_error_doc_t));
    doc.error = AI_ERR_RATE_LIMIT;
    doc.retry_after = -1;
    ai_str_set(&doc.message, "slow \"down\"");

    CHECK_INT(ai_wire_anthropic.render_error(&x.e, &doc), AI_OK);
    put(&x, AI_DELTA_TEXT, "b");
    put_end(&x, AI_FINISH_STOP, "");

    ai_buf_put(&x.out, "", 1);
    p = (char *) x.out.start;

    CHECK(grammar(p, &a, 0));
    CHECK_UINT(a.error, 1);
    CHECK_UINT(a.ended, 0);
    CHECK(strstr(p, "\"type\":\"rate_limit_error\"") != NULL);
    CHECK(strcmp(text_get(&a.text), "a") == 0);

    answer_free(&a);
}


static void
test_no_memory(void)
{
    long           n;
    encode_t       x;
    ai_buf_t       out;
    request_t      r;
    ai_json_t      root;
    ai_target_t    t;
    ai_delta_t     delta;
    ai_str_t       name;

    static const char  text[] =
        "{" HEAD "," TOOLS ",\"system\":\"s\",\"messages\":[" SAID("q") ","
        "{\"role\":\"assistant\",\"content\":[" THINK("t", "sig") ","
        USE("t:1", "{}") "]},{\"role\":\"user\",\"content\":["
        RESULT("t:1", "1") "]}]," BUDGET("2000") "}";

    memset(&t, 0, sizeof(ai_target_t));
    ai_str_set(&name, "anthropic");
    t.vendor = ai_vendor_find(&name);
    ai_str_set(&t.model, "claude-sonnet-4-5");
    ai_caps(&t.model, &t.caps);

    root = scan(text, sizeof(text) - 1);

    for (n = 0; n < 1000; n++) {
        unit.fail_after = n;

        ai_request_init(&r.req, &unit_arena);
        ai_report_init(&r.rep, &unit_arena);
        ai_buf_init(&out, &unit_arena, MAX_OUT);

        r.rc = ai_wire_anthropic.parse_request(&r.req, &root, &r.rep);

        if (r.rc == AI_OK) {
            r.rc = ai_request_normalize(&r.req, &r.rep);
        }

        if (r.rc == AI_OK) {
            r.rc = ai_wire_anthropic.render_request(&r.req, &t, &out,
                                                    &r.rep);
        }

        unit.fail_after = -1;

        if (r.rc == AI_OK) {
            break;
        }

        CHECK_INT(r.rc, AI_ERROR);
    }

    CHECK(n > 10 && n < 1000);

    /* what is too large is not written by halves */

    encode_init(&x);
    x.out.max = 600;

    ai_delta_init(&delta, AI_DELTA_START);
    CHECK_INT(ai_wire_anthropic.render_event(&x.e, &delta), AI_OK);

    ai_delta_init(&delta, AI_DELTA_TEXT);
    delta.text.s.data = (u_char *) text;
    delta.text.s.len = sizeof(text) - 1;
    CHECK_INT(ai_wire_anthropic.render_event(&x.e, &delta), AI_ERROR);
}


/* ---- recordings ---- */

static unsigned  nstreams, ndocuments, nrequests;


static char *
read_file(const char *path, size_t *len)
{
    char  *data;
    long   size;
    FILE  *f;

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


static void
translate_init(ai_translate_conf_t *conf, ai_tap_t *tap)
{
    memset(conf, 0, sizeof(ai_translate_conf_t));

    ai_tap_init(tap, &ai_dialect_anthropic, AI_OP_MESSAGES, &unit_arena);
    tap->keep = &unit_arena;

    conf->from = AI_OP_MESSAGES;
    conf->to = AI_OP_MESSAGES;
    ai_str_set(&conf->model, "alias");
    ai_str_set(&conf->request_id, "0123456789abcdef");
    conf->input = 42;
    conf->max = MAX_OUT;
    conf->alloc = &unit_arena;
    conf->scratch = &unit_arena;
}


/* compares what the recording says with what the client was told */

static void
compare(const char *file, answer_t *want, answer_t *got, int stream)
{
    int       i;
    unsigned  failed;

    static const char  *const known[] = {
        "end_turn", "stop_sequence", "max_tokens", "tool_use", "refusal",
        "pause_turn", "model_context_window_exceeded", NULL
    };

    failed = unit.failed;

    CHECK_MEM(text_get(&got->text), got->text.len, text_get(&want->text),
              want->text.len);
    CHECK_MEM(text_get(&got->thinking), got->thinking.len,
              text_get(&want->thinking), want->thinking.len);
    CHECK_MEM(text_get(&got->signatures), got->signatures.len,
              text_get(&want->signatures), want->signatures.len);
    CHECK_MEM(text_get(&got->calls), got->calls.len, text_get(&want->calls),
              want->calls.len);
    CHECK_UINT(got->cites, want->cites);

    for (i = 0; known[i] != NULL; i++) {
        if (strcmp(known[i], want->stop) == 0) {
            break;
        }
    }

    CHECK(strcmp(got->stop, known[i] ? want->stop : "end_turn") == 0);
    CHECK(strcmp(got->sequence, want->sequence) == 0);
    CHECK(strcmp(got->model, "alias") == 0);

    for (i = 0; i < 4; i++) {
        CHECK_INT(got->usage[i], want->usage[i]);
    }

    if (stream && want->ended) {
        CHECK_INT(got->input, want->input);
    }

    if (unit.failed != failed) {
        printf("    in %s\n", file);
    }
}


static char *
decode_base64(const char *s)
{
    char           *out, *p;
    unsigned        n, bits;
    const char     *d;

    static const char  digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    out = malloc(strlen(s) + 1);
    p = out;
    n = 0;
    bits = 0;

    for ( /* void */ ; *s && *s != '='; s++) {
        d = strchr(digits, *s);
        n = n << 6 | (unsigned) (d ? d - digits : 0);
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            *p++ = (char) (n >> bits);
        }
    }

    *p = '\0';

    return out;
}


/* the event of a line of a recording, whatever is around it; or NULL */

static char *
line_event(char *line)
{
    char   *p, *event;
    cJSON  *v;

    if (strncmp(line, "data:", 5) == 0) {
        p = line + 5 + strspn(line + 5, " ");
        return strdup(p);
    }

    if (*line != '{') {
        return NULL;
    }

    v = cJSON_Parse(line);
    p = cJSON_GetStringValue(cJSON_GetObjectItem(
                            cJSON_GetObjectItem(v, "payload"), "bytes"));
    event = p ? decode_base64(p) : strdup(line);

    cJSON_Delete(v);

    return event;
}


/* through the translation, event by event, each in memory of its own */

static void
check_stream(const char *file, char *text)
{
    int                   spliced;
    char                 *line, *doc, *save, open[64], tool[256];
    cJSON                *v;
    text_t                sse;
    answer_t              want, got;
    ai_tap_t              tap;
    ai_event_e            event;
    ai_sse_event_t        ev;
    ai_translate_t       *t;
    ai_translate_conf_t   conf;

    memset(&sse, 0, sizeof(text_t));
    memset(&want, 0, sizeof(answer_t));
    memset(&got, 0, sizeof(answer_t));
    memset(open, 0, sizeof(open));

    translate_init(&conf, &tap);
    t = ai_translate_create(&conf, &tap);

    if (!CHECK(t != NULL)) {
        return;
    }

    event = AI_EVENT_IDLE;
    spliced = strstr(file, "spliced") != NULL;
    save = NULL;

    for (line = strtok_r(text, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save))
    {
        doc = line_event(line);

        if (doc == NULL) {
            continue;
        }

        v = cJSON_Parse(doc);
        read_event(&want, v, open, tool);
        cJSON_Delete(v);

        memset(&ev, 0, sizeof(ai_sse_event_t));
        ev.has_data = 1;
        ev.data.len = strlen(doc);
        ev.data.data = unit_bytes(doc, ev.data.len);
        free(doc);

        event = ai_translate_event(t, &ev);
        text_add(&sse, ai_translate_out(t)->start,
                 ai_buf_len(ai_translate_out(t)));

        if (event == AI_EVENT_END || event == AI_EVENT_ERROR
            || event == AI_EVENT_INVALID)
        {
            break;
        }
    }

    nstreams++;

    if (spliced) {
        CHECK_INT(event, AI_EVENT_INVALID);
        CHECK(grammar(text_get(&sse), &got, 0));

    } else if (want.error) {
        CHECK_INT(event, AI_EVENT_ERROR);
        CHECK(grammar(text_get(&sse), &got, 0));

    } else if (!want.ended) {
        CHECK_INT(ai_translate_eof(t), want.stop[0] ? AI_EVENT_END
                                                    : AI_EVENT_INVALID);

    } else if (!CHECK_INT(event, AI_EVENT_END)
               || !grammar(text_get(&sse), &got, 1))
    {
        printf("    in %s\n", file);

    } else {
        compare(file, &want, &got, 1);
    }

    text_free(&sse);
    answer_free(&want);
    answer_free(&got);
    unit_arena_reset();
}


static void
read_answer(answer_t *a, cJSON *v)
{
    cJSON  *b;

    memset(a, 0, sizeof(answer_t));

    read_message(a, v);

    cJSON_ArrayForEach(b, cJSON_GetObjectItemCaseSensitive(v, "content")) {
        read_block(a, b);
    }
}


static void
check_document(const char *file, cJSON *v, int stream)
{
    char                 *text;
    text_t                sse;
    cJSON                *mine;
    ai_buf_t             *out;
    answer_t              want, got;
    ai_tap_t              tap;
    ai_translate_t       *t;
    ai_json_error_t       err;
    ai_translate_conf_t   conf;

    translate_init(&conf, &tap);
    t = ai_translate_create(&conf, &tap);

    read_answer(&want, v);
    text = cJSON_PrintUnformatted(v);

    if (!CHECK_INT(ai_translate_response(t, unit_bytes(text, strlen(text)),
                                         strlen(text), stream, &err),
                   AI_EVENT_CONTENT))
    {
        printf("    in %s\n", file);
    }

    out = ai_translate_out(t);

    if (stream) {
        memset(&sse, 0, sizeof(text_t));
        text_add(&sse, out->start, ai_buf_len(out));
        grammar(text_get(&sse), &got, 1);
        text_free(&sse);

    } else {
        mine = cJSON_ParseWithLength((char *) out->start, ai_buf_len(out));
        CHECK(mine != NULL);
        CHECK(strncmp(get(mine, "id"), "msg_", 4) == 0);
        read_answer(&got, mine);
        cJSON_Delete(mine);
    }

    compare(file, &want, &got, stream);
    ndocuments++;

    free(text);
    answer_free(&want);
    answer_free(&got);
    unit_arena_reset();
}


/* what is sent again must be a request that Anthropic takes */

static void
check_request(const char *file, cJSON *v, const char *vendor)
{
    int         first;
    char       *text;
    cJSON      *out, *m, *b;
    ai_buf_t    buf;
    request_t   r;
    const char *role, *last;

    text = cJSON_PrintUnformatted(v);
    parse(&r, text, strlen(text));
    free(text);

    nrequests++;

    if (!CHECK_INT(r.rc, AI_OK)
        || !CHECK_INT(render(&r, vendor, "claude-sonnet-4-5", 1, &buf),
                      AI_OK))
    {
        printf("    in %s: %.*s\n", file, (int) r.rep.message.len,
               r.rep.message.data);
        unit_arena_reset();
        return;
    }

    out = cJSON_ParseWithLength((char *) buf.start, ai_buf_len(&buf));
    CHECK(out != NULL);

    last = "";
    first = 1;

    cJSON_ArrayForEach(m, cJSON_GetObjectItem(out, "messages")) {
        role = get(m, "role");

        CHECK(strcmp(role, last) != 0);
        CHECK(!first || strcmp(role, "user") == 0);
        CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(m, "content")) > 0);

        cJSON_ArrayForEach(b, cJSON_GetObjectItem(m, "content")) {
            if (strcmp(get(b, "type"), "text") == 0) {
                CHECK(*get(b, "text") != '\0');
            }

            if (strcmp(get(b, "type"), "thinking") == 0) {
                CHECK(*get(b, "signature") != '\0');
            }
        }

        first = 0;
        last = role;
    }

    CHECK(!first);
    CHECK(cJSON_IsNumber(cJSON_GetObjectItem(out, "max_tokens")));

    cJSON_Delete(out);
    unit_arena_reset();
}


static void
check_pair(const char *file, const char *text, const char *vendor)
{
    cJSON  *v, *body, *request;

    v = cJSON_Parse(text);

    if (v == NULL) {
        return;
    }

    request = cJSON_GetObjectItem(cJSON_GetObjectItem(v, "request"), "body");

    if (cJSON_IsArray(cJSON_GetObjectItem(request, "messages"))
        && cJSON_GetObjectItem(request, "inferenceConfig") == NULL)
    {
        check_request(file, request, vendor);
    }

    body = cJSON_GetObjectItem(cJSON_GetObjectItem(v, "response"), "body");

    if (body == NULL) {
        body = v;
    }

    if (strcmp(get(body, "type"), "message") == 0
        && cJSON_IsArray(cJSON_GetObjectItem(body, "content")))
    {
        check_document(file, body, 0);
        check_document(file, body, 1);
    }

    cJSON_Delete(v);
}


static int
ends(const char *name, const char *with)
{
    size_t  n, len;

    n = strlen(name);
    len = strlen(with);

    return n >= len && strcmp(name + n - len, with) == 0;
}


static void
check_directory(const char *name, const char *vendor)
{
    char            path[4096], *text;
    DIR            *dir;
    size_t          len;
    struct dirent  *entry;

    snprintf(path, sizeof(path), FIXTURES "/%s", name);
    dir = opendir(path);

    if (dir == NULL) {
        printf("%s: no recordings of %s, skipped\n", unit.test, name);
        return;
    }

    while ((entry = readdir(dir)) != NULL) {

        snprintf(path, sizeof(path), FIXTURES "/%s/%s", name, entry->d_name);

        /* of Bedrock's models, only Claude speaks this */

        if (entry->d_name[0] == '.' || ends(path, ".eventstream")) {
            continue;
        }

        text = read_file(path, &len);

        if (text == NULL) {
            continue;
        }

        if (ends(path, ".json")) {
            check_pair(path, text, vendor);

        } else if (strstr(text, "message_start") != NULL
                   || strstr(text, "eyJ0eXBlIjoibWVzc2FnZV9zdGFydC") != NULL)
        {
            check_stream(path, text);
        }

        free(text);
    }

    closedir(dir);
}


static void
test_recordings(void)
{
    check_directory("anthropic/messages", "anthropic");
    check_directory("vertex/rawPredict", "vertex-anthropic");
    check_directory("vertex/streamRawPredict", "vertex-anthropic");
    check_directory("bedrock/invoke", "bedrock-anthropic");
    check_directory("bedrock/invoke-stream", "bedrock-anthropic");

    printf("recordings: %u streams, %u documents, %u requests\n", nstreams,
           ndocuments, nrequests);
}


int
main(void)
{
    UNIT_RUN(test_requests);
    UNIT_RUN(test_thinking_signatures_10_22);
    UNIT_RUN(test_sampling_23);
    UNIT_RUN(test_clouds_24);
    UNIT_RUN(test_agent_14);
    UNIT_RUN(test_refusals);
    UNIT_RUN(test_unsupported);
    UNIT_RUN(test_decode_6_11);
    UNIT_RUN(test_answers);
    UNIT_RUN(test_encode_3_7_8);
    UNIT_RUN(test_encode_state_10);
    UNIT_RUN(test_finish);
    UNIT_RUN(test_document);
    UNIT_RUN(test_error_11);
    UNIT_RUN(test_no_memory);
    UNIT_RUN(test_recordings);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The wire of Gemini: requests and answers in both directions, each shown as
 * a line of text and compared with what it must be.  Recorded requests and
 * answers, where they are present, are compared with what a walk over cJSON
 * trees finds in them.  Tests of the mistakes of wire-formats.md 16 end in
 * their number.
 */


#include <dirent.h>

#include <cjson/cJSON.h>

#include "ai_frame.h"
#include "ai_order.h"
#include "unit.h"
#include "wire_gemini.h"


#define MAX_OUT  (16 * 1024 * 1024)


/* texts that grow, in the arena: what is printed stays until the test ends */

static ai_buf_t  line;


static void
line_begin(void)
{
    ai_buf_init(&line, &unit_arena, MAX_OUT);
    ai_buf_lit(&line, "");
}


static void
line_mstr(const char *before, const ai_mstr_t *m, const char *after)
{
    ai_buf_cstr(&line, before);
    ai_buf_plain(&line, m);
    ai_buf_cstr(&line, after);
}


static void
line_raw(const char *name, const ai_str_t *raw)
{
    if (raw->len != 0) {
        ai_buf_cstr(&line, name);
        ai_buf_raw(&line, raw);
    }
}


#define CHECK_LINE(text)                                                     \
    CHECK_STR(line.start, ai_buf_len(&line), text)


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
        unit_print("text", text, len, err.offset > 40 ? err.offset - 40 : 0);
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
    r->rc = ai_wire_gemini.parse_request(&r->req, &root, &r->rep);
}


static void
show_part(const ai_part_t *part)
{
    const ai_part_t  *p;

    static const char  *const names[] = {
        "text", "image", "audio", "video", "document", "call", "result",
        "reasoning", "refusal"
    };

    static const char  kinds[] = "-argo";

    ai_buf_lit(&line, " ");
    ai_buf_cstr(&line, names[part->type]);
    ai_buf_lit(&line, "(");

    ai_buf_plain(&line, &part->text);

    if (part->type == AI_PART_CALL || part->type == AI_PART_RESULT) {
        line_mstr("", &part->id, "=");
        ai_buf_plain(&line, &part->name);
        line_mstr(":", &part->args, "");
    }

    for (p = part->content; p != NULL; p = p->next) {
        show_part(p);
    }

    if (part->is_error) {
        ai_buf_lit(&line, " error");
    }

    if (!ai_mstr_empty(&part->media_type)) {
        line_mstr("", &part->media_type, ",");
    }

    ai_buf_plain(&line, &part->data);
    ai_buf_plain(&line, &part->url);

    if (part->state_kind != AI_STATE_NONE) {
        ai_buf_lit(&line, " ");
        ai_buf_put(&line, &kinds[part->state_kind], 1);
        line_mstr(":", &part->state, "");
    }

    ai_buf_lit(&line, ")");
}


static void
show_messages(const ai_request_t *req)
{
    ai_message_t  *m;
    ai_part_t     *part;

    static const char  *const roles[] = {
        "system", "developer", "user", "assistant", "tool"
    };

    line_begin();

    for (m = req->messages; m != NULL; m = m->next) {

        if (m != req->messages) {
            ai_buf_lit(&line, " ");
        }

        ai_buf_cstr(&line, roles[m->role]);
        ai_buf_lit(&line, ":");

        for (part = m->parts; part != NULL; part = part->next) {
            show_part(part);
        }
    }
}


static void
show_report(const ai_report_t *rep)
{
    ai_uint_t  i;

    line_begin();
    line_raw("", &rep->param);
    line_raw(": ", &rep->message);

    for (i = 0; i < rep->ndropped; i++) {
        line_raw(i ? "," : "dropped ", &rep->dropped[i]);
    }
}


#define PARSE(r, body)  parse(r, body, sizeof(body) - 1)

#define CHECK_PARSED(body, text)                                             \
    do {                                                                     \
        request_t  parsed;                                                   \
        PARSE(&parsed, body);                                                \
        CHECK_INT(parsed.rc, AI_OK);                                         \
        show_messages(&parsed.req);                                          \
        CHECK_LINE(text);                                                    \
    } while (0)

#define CHECK_REFUSED(body, text)                                            \
    do {                                                                     \
        request_t  parsed;                                                   \
        PARSE(&parsed, body);                                                \
        CHECK_INT(parsed.rc, AI_DECLINED);                                   \
        show_report(&parsed.rep);                                            \
        CHECK_LINE(text);                                                    \
    } while (0)


static const ai_vendor_t  vendor_gemini = { .flags = 0 };
static const ai_vendor_t  vendor_vertex = { .flags = AI_VENDOR_NO_CALL_IDS };


static ai_int_t
render(request_t *r, const char *model, const ai_vendor_t *vendor)
{
    ai_int_t     rc;
    ai_target_t  t;

    memset(&t, 0, sizeof(ai_target_t));

    t.vendor = vendor;
    t.op = AI_OP_GENERATE;
    t.model.data = (u_char *) model;
    t.model.len = strlen(model);

    ai_caps(&t.model, &t.caps);

    CHECK_INT(ai_request_normalize(&r->req, &r->rep), AI_OK);

    line_begin();
    rc = ai_wire_gemini.render_request(&r->req, &t, &line, &r->rep);

    if (rc == AI_OK) {
        (void) scan((char *) line.start, ai_buf_len(&line));
    }

    return rc;
}


/* a request of this dialect, as it goes on to a model of it */

#define CHECK_RENDERED(model, body, text)                                    \
    do {                                                                     \
        request_t  parsed;                                                   \
        PARSE(&parsed, body);                                                \
        CHECK_INT(parsed.rc, AI_OK);                                         \
        CHECK_INT(render(&parsed, model, &vendor_gemini), AI_OK);            \
        CHECK_LINE(text);                                                    \
    } while (0)

#define USER  "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]}]"


static void
test_parse_contents(void)
{
    CHECK_PARSED("{\"contents\":[{\"parts\":[{\"text\":\"a\"}]},"
                 "{\"role\":\"model\",\"parts\":[{\"text\":\"b\"}]}]}",
                 "user: text(a) assistant: text(b)");

    /* instructions come first, wherever they are written */

    CHECK_PARSED("{\"contents\":\"hi\",\"system_instruction\":{\"role\":"
                 "\"user\",\"parts\":[{\"text\":\"x\"},{\"text\":\"y\"}]}}",
                 "system: text(x) text(y) user: text(hi)");

    CHECK_PARSED("{\"systemInstruction\":\"x\",\"contents\":{\"parts\":"
                 "{\"text\":\"a\"}}}",
                 "system: text(x) user: text(a)");

    CHECK_PARSED("{\"contents\":[{\"role\":\"user\",\"parts\":["
                 "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
                 "\"AAA=\"}},"
                 "{\"inline_data\":{\"mime_type\":\"audio/wav\",\"data\":"
                 "\"BBB=\"}},"
                 "{\"fileData\":{\"fileUri\":\"gs://b/o.pdf\",\"mimeType\":"
                 "\"application/pdf\"}},"
                 "{\"fileData\":{\"fileUri\":\"https://youtu.be/x\"}},"
                 "{\"text\":\"t\"}]}]}",
                 "user: image(image/png,AAA=) audio(audio/wav,BBB=) "
                 "document(application/pdf,gs://b/o.pdf) "
                 "video(https://youtu.be/x) text(t)");

    CHECK_PARSED("{\"contents\":[{\"role\":\"model\",\"parts\":["
                 "{\"executableCode\":{\"language\":\"PYTHON\",\"code\":"
                 "\"1+1\"}},{\"codeExecutionResult\":{\"output\":\"2\"}}]}]}",
                 "assistant: text(1+12)");
}


/* what was streamed comes back in as many pieces */

static void
test_parse_pieces(void)
{
    CHECK_PARSED("{\"contents\":["
                 "{\"role\":\"model\",\"parts\":[{\"text\":\"th\","
                 "\"thought\":true}]},"
                 "{\"role\":\"model\",\"parts\":[{\"text\":\"ink\","
                 "\"thought\":true}]},"
                 "{\"role\":\"model\",\"parts\":[{\"text\":\"Hel\"}]},"
                 "{\"role\":\"model\",\"parts\":[{\"text\":\"l\\u00f6\"}]},"
                 "{\"role\":\"model\",\"parts\":[{\"text\":\"\","
                 "\"thoughtSignature\":\"c2ln\"}]}]}",
                 "assistant: reasoning(think) text(Hell\xc3\xb6) "
                 "reasoning( g:c2ln)");

    CHECK_PARSED("{\"contents\":["
                 "{\"role\":\"model\",\"parts\":[{\"text\":\"a\","
                 "\"thought_signature\":\"c2ln\"},{\"text\":\"b\"}]},"
                 "{\"role\":\"user\",\"parts\":[{\"text\":\"c\"},"
                 "{\"text\":\"d\"}]}]}",
                 "assistant: reasoning( g:c2ln) text(ab) "
                 "user: text(c) text(d)");
}


/* the state of another vendor comes back as it was given away */

static void
test_parse_packed(void)
{
    ai_mstr_t   id, data, packed;
    request_t   r;
    ai_buf_t    b;
    ai_str_t    s;

    id = ai_mstr_cstr("");
    data = ai_mstr_cstr("abc");

    CHECK_INT(ai_state_pack(AI_STATE_ANTHROPIC, &id, &data, &unit_arena,
                            &packed), AI_OK);

    ai_buf_init(&b, &unit_arena, MAX_OUT);
    ai_buf_lit(&b, "{\"contents\":[{\"role\":\"model\",\"parts\":["
                   "{\"text\":\"hm\",\"thought\":true},"
                   "{\"text\":\"\",\"thought\":true,\"thoughtSignature\":");
    ai_buf_string(&b, &packed);
    ai_buf_lit(&b, "},{\"functionCall\":{\"name\":\"f\",\"id\":\"1\"}}]}]}");
    CHECK_INT(ai_buf_get(&b, &s), AI_OK);

    parse(&r, (char *) s.data, s.len);
    CHECK_INT(r.rc, AI_OK);
    show_messages(&r.req);
    CHECK_LINE("assistant: reasoning(hm a:abc) call(1=f:)");

    /* a Gemini model cannot read it */

    CHECK_INT(render(&r, "gemini-2.5-flash", &vendor_gemini), AI_OK);
    CHECK_LINE("{\"contents\":[{\"role\":\"model\",\"parts\":["
               "{\"functionCall\":{\"id\":\"1\",\"name\":\"f\",\"args\":{}}}"
               "]}]}");
}


static void
test_parse_calls(void)
{
    /* without ids, by name and order */

    CHECK_PARSED("{\"contents\":[{\"role\":\"model\",\"parts\":["
                 "{\"functionCall\":{\"name\":\"f\",\"args\":{\"x\":1.50}},"
                 "\"thoughtSignature\":\"c2ln\"},"
                 "{\"functionCall\":{\"name\":\"g\"}},"
                 "{\"function_call\":{\"name\":\"f\",\"args\":{}}}]},"
                 "{\"role\":\"function\",\"parts\":["
                 "{\"functionResponse\":{\"name\":\"g\",\"response\":"
                 "{\"a\": 1}}},"
                 "{\"functionResponse\":{\"name\":\"f\",\"response\":"
                 "{\"result\":\"one\"}}},"
                 "{\"function_response\":{\"name\":\"f\",\"response\":"
                 "{\"error\":\"two\"}}}]}]}",
                 "assistant: call(call_000000000000000000000001=f:"
                 "{\"x\":1.50} g:c2ln) "
                 "call(call_000000000000000000000002=g:) "
                 "call(call_000000000000000000000003=f:{}) "
                 "tool: result(call_000000000000000000000002=g: "
                 "text({\"a\": 1})) "
                 "result(call_000000000000000000000001=f: text(one)) "
                 "result(call_000000000000000000000003=f: text(two) error)");

    /* by id; a result is of the last turn, whatever was left open before */

    CHECK_PARSED("{\"contents\":[{\"role\":\"model\",\"parts\":["
                 "{\"functionCall\":{\"name\":\"f\",\"id\":\"p\"}}]},"
                 "{\"role\":\"user\",\"parts\":[{\"text\":\"no\"}]},"
                 "{\"role\":\"model\",\"parts\":[{\"text\":\"k\"},"
                 "{\"functionCall\":{\"name\":\"f\",\"id\":\"q\"}},"
                 "{\"functionCall\":{\"name\":\"f\",\"id\":\"r\"}}]},"
                 "{\"role\":\"user\",\"parts\":["
                 "{\"functionResponse\":{\"name\":\"f\",\"id\":\"r\","
                 "\"response\":{\"output\":\"R\"}}},"
                 "{\"functionResponse\":{\"name\":\"f\","
                 "\"response\":{\"output\":\"Q\"}}},{\"text\":\"and?\"}]}]}",
                 "assistant: call(p=f:) user: text(no) "
                 "assistant: text(k) call(q=f:) call(r=f:) "
                 "tool: result(r=f: text(R)) result(q=f: text(Q)) "
                 "user: text(and?)");

    CHECK_PARSED("{\"contents\":[{\"parts\":[{\"functionResponse\":{"
                 "\"name\":\"f\",\"response\":{\"result\":\"x\"},\"parts\":["
                 "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
                 "\"AA==\"}}]}}]}]}",
                 "tool: result(=f: text(x) image(image/png,AA==))");
}


static void
test_parse_config(void)
{
    request_t  r;

    PARSE(&r, "{" USER ",\"generationConfig\":{\"maxOutputTokens\":100,"
          "\"temperature\":0.70,\"topP\":0.9,\"top_k\":40,"
          "\"candidateCount\":2,\"stopSequences\":[\"x\",\"\\n\"],"
          "\"seed\":7,\"presencePenalty\":0.1,\"frequency_penalty\":0.2,"
          "\"responseLogprobs\":true,\"logprobs\":3,"
          "\"responseMimeType\":\"application/json\","
          "\"responseSchema\":{\"type\":\"OBJECT\",\"properties\":{\"type\":"
          "{\"type\":\"STRING\",\"nullable\":true,\"format\":\"enum\","
          "\"enum\":[\"A\"]},\"l\":{\"type\":\"ARRAY\",\"minItems\":\"2\","
          "\"items\":{\"any_of\":[{\"type\":\"INTEGER\"}]}}},"
          "\"propertyOrdering\":[\"l\"],\"required\":[\"l\"]},"
          "\"thinkingConfig\":{\"thinkingLevel\":\"HIGH\","
          "\"includeThoughts\":true},\"responseModalities\":[\"TEXT\"],"
          "\"speechConfig\":{}},\"labels\":{\"a\":\"b\"},"
          "\"safetySettings\":[]}");

    CHECK_INT(r.rc, AI_OK);

    line_begin();
    line_raw("", &r.req.max_tokens);
    line_raw(" ", &r.req.temperature);
    line_raw(" ", &r.req.top_p);
    line_raw(" ", &r.req.top_k);
    line_raw(" ", &r.req.n);
    line_raw(" ", &r.req.seed);
    line_raw(" ", &r.req.presence_penalty);
    line_raw(" ", &r.req.frequency_penalty);
    line_raw(" ", &r.req.logprobs);
    line_raw(" ", &r.req.top_logprobs);
    line_raw(" ", &r.req.metadata);
    line_mstr(" ", &r.req.stop[0], "");
    CHECK_LINE("100 0.70 0.9 40 2 7 0.1 0.2 true 3 {\"a\":\"b\"} x");

    CHECK_UINT(r.req.nstop, 2);
    CHECK_UINT(r.req.effort, AI_EFFORT_HIGH);
    CHECK_UINT(r.req.summary, 1);
    CHECK_UINT(r.req.format, AI_FORMAT_SCHEMA);

    line_begin();
    line_raw("", &r.req.format_schema);
    CHECK_LINE("{\"type\":\"object\",\"properties\":{\"type\":{\"type\":"
               "[\"string\",\"null\"],\"enum\":[\"A\"]},\"l\":{\"type\":"
               "\"array\",\"minItems\":2,\"items\":{\"anyOf\":[{\"type\":"
               "\"integer\"}]}}},\"required\":[\"l\"]}");

    show_report(&r.rep);
    CHECK_LINE("dropped safetySettings,speechConfig");

    PARSE(&r, "{" USER ",\"generationConfig\":{\"thinkingConfig\":"
          "{\"thinkingBudget\":2048},\"responseMimeType\":"
          "\"application/json\",\"responseJsonSchema\":{\"type\":"
          "\"object\"}}}");
    line_begin();
    line_raw("", &r.req.budget);
    line_raw(" ", &r.req.format_schema);
    CHECK_LINE("2048 {\"type\":\"object\"}");

    PARSE(&r, "{" USER ",\"generationConfig\":{\"thinkingConfig\":"
          "{\"thinkingBudget\":-1}}}");
    CHECK_UINT(r.req.adaptive, 1);

    PARSE(&r, "{" USER ",\"generation_config\":{\"thinking_config\":"
          "{\"thinking_budget\":0},\"response_mime_type\":"
          "\"application/json\"}}");
    CHECK_UINT(r.req.effort, AI_EFFORT_NONE);
    CHECK_UINT(r.req.format, AI_FORMAT_JSON);
}


static void
test_parse_tools(void)
{
    request_t   r;
    ai_tool_t  *tool;

    PARSE(&r, "{" USER ",\"tools\":[{\"functionDeclarations\":["
          "{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":"
          "\"OBJECT\",\"properties\":{\"x\":{\"type\":\"NUMBER\"}}}},"
          "{\"name\":\"g\",\"parametersJsonSchema\":{\"type\":\"object\","
          "\"additionalProperties\":false}}]},{\"googleSearch\":{}}],"
          "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\","
          "\"allowedFunctionNames\":[\"f\",\"g\"]}}}");
    CHECK_INT(r.rc, AI_OK);

    line_begin();

    for (tool = r.req.tools; tool != NULL; tool = tool->next) {
        line_mstr(" ", &tool->name, "");
        line_mstr(":", &tool->description, ":");
        line_raw("", &tool->schema);

        if (tool->type == AI_TOOL_SERVER) {
            line_raw("", &tool->raw);
        }
    }

    CHECK_LINE(" f:d:{\"type\":\"object\",\"properties\":{\"x\":{\"type\":"
               "\"number\"}}} g::{\"type\":\"object\","
               "\"additionalProperties\":false} "
               "googleSearch::{\"googleSearch\":{}}");

    CHECK_UINT(r.req.choice, AI_CHOICE_REQUIRED);
    CHECK_UINT(r.req.nallowed, 2);

    /* enums by number */

    PARSE(&r, "{" USER ",\"tools\":[{\"functionDeclarations\":["
          "{\"name\":\"f\",\"parameters\":{\"type\":6,\"properties\":"
          "{\"x\":{\"type\":1,\"nullable\":true},\"y\":{\"type\":99}}}}]}],"
          "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":3}}}");
    CHECK_INT(r.rc, AI_OK);
    CHECK_UINT(r.req.choice, AI_CHOICE_NONE);

    line_begin();
    line_raw("", &r.req.tools->schema);
    CHECK_LINE("{\"type\":\"object\",\"properties\":{\"x\":{\"type\":"
               "[\"string\",\"null\"]},\"y\":{}}}");

    PARSE(&r, "{" USER ",\"tool_config\":{\"function_calling_config\":{"
          "\"mode\":\"ANY\",\"allowed_function_names\":[\"f\"]}}}");
    CHECK_UINT(r.req.choice, AI_CHOICE_NAMED);
    CHECK_UINT(r.req.nallowed, 0);
    CHECK(ai_mstr_eq(&r.req.choice_name, "f"));

    PARSE(&r, "{" USER ",\"toolConfig\":{\"functionCallingConfig\":{"
          "\"mode\":\"NONE\"}}}");
    CHECK_UINT(r.req.choice, AI_CHOICE_NONE);

    PARSE(&r, "{" USER ",\"toolConfig\":{\"functionCallingConfig\":{"
          "\"mode\":\"VALIDATED\"}}}");
    CHECK_UINT(r.req.choice, AI_CHOICE_AUTO);
}


static void
test_parse_refused(void)
{
    CHECK_REFUSED("[]", ": the body must be a JSON object");
    CHECK_REFUSED("{}", "contents: is required");
    CHECK_REFUSED("{\"contents\":[]}", "contents: must not be empty");
    CHECK_REFUSED("{\"contents\":7}", "contents: must be an array");
    CHECK_REFUSED("{\"contents\":[{\"parts\":[{\"text\":\"a\"}]},7]}",
                  "contents.1: must be an object");
    CHECK_REFUSED("{\"contents\":[{\"role\":\"assistant\"}]}",
                  "contents.0.role: must be user or model");
    CHECK_REFUSED("{\"contents\":[{\"parts\":7}]}",
                  "contents.0.parts: must be an array");
    CHECK_REFUSED("{\"contents\":[{\"parts\":[{\"text\":\"a\"},"
                  "{\"text\":7}]}]}",
                  "contents.0.parts.1.text: must be a string");
    CHECK_REFUSED("{\"contents\":[{\"parts\":[{\"functionCall\":{}}]}]}",
                  "contents.0.parts.0.functionCall.name: must be a string");
    CHECK_REFUSED("{\"contents\":[{\"parts\":[{\"functionCall\":{\"name\":"
                  "\"f\",\"args\":\"{}\"}}]}]}",
                  "contents.0.parts.0.functionCall.args: must be an object");
    CHECK_REFUSED("{\"contents\":[{\"parts\":[{\"inlineData\":{}}]}]}",
                  "contents.0.parts.0.inlineData: data and mimeType are "
                  "required");
    CHECK_REFUSED("{" USER ",\"cachedContent\":\"cachedContents/x\"}",
                  "cachedContent: content cached at a provider cannot be "
                  "used here, send it in the request");
    CHECK_REFUSED("{" USER ",\"generationConfig\":{\"temperature\":\"1\"}}",
                  "generationConfig.temperature: must be a number");
    CHECK_REFUSED("{" USER ",\"generationConfig\":{\"stopSequences\":[1]}}",
                  "generationConfig.stopSequences: an array of strings is "
                  "expected");
    CHECK_REFUSED("{" USER ",\"generationConfig\":{\"responseModalities\":"
                  "[\"AUDIO\"]}}",
                  "generationConfig.responseModalities: nothing but text can "
                  "be had here");
    CHECK_REFUSED("{" USER ",\"tools\":7}", "tools: must be an array");
    CHECK_REFUSED("{" USER ",\"tools\":[{\"functionDeclarations\":[{}]}]}",
                  "tools.functionDeclarations.name: must be a string");
}


static void
test_render_contents(void)
{
    CHECK_RENDERED("gemini-2.5-flash",
                   "{\"systemInstruction\":{\"parts\":[{\"text\":\"x\"},"
                   "{\"text\":\"y\"}]},\"contents\":["
                   "{\"role\":\"user\",\"parts\":[{\"text\":\"a\\u00e9\"},"
                   "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
                   "\"AA\\n A=\"}}]},"
                   "{\"role\":\"user\",\"parts\":[{\"text\":\"b\"}]}]}",
                   "{\"contents\":[{\"role\":\"user\",\"parts\":["
                   "{\"text\":\"a\\u00e9\"},{\"inlineData\":{\"mimeType\":"
                   "\"image/png\",\"data\":\"AAA=\"}},{\"text\":\"b\"}]}],"
                   "\"systemInstruction\":{\"parts\":[{\"text\":"
                   "\"x\\n\\ny\"}]}}");

    /* contents must not be empty */

    CHECK_RENDERED("gemini-2.5-flash",
                   "{\"systemInstruction\":\"x\",\"contents\":[{}]}",
                   "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
                   "\"x\"}]}]}");

    /* thoughts go back only if they are signed, on the part that follows */

    CHECK_RENDERED("gemini-3-flash",
                   "{\"contents\":[" "{\"role\":\"user\",\"parts\":"
                   "[{\"text\":\"q\"}]},"
                   "{\"role\":\"model\",\"parts\":[{\"text\":\"hm\","
                   "\"thought\":true},{\"text\":\"a\"},{\"text\":\"\","
                   "\"thoughtSignature\":\"c2ln\"}]},"
                   "{\"role\":\"user\",\"parts\":[{\"text\":\"r\"}]}]}",
                   "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
                   "\"q\"}]},{\"role\":\"model\",\"parts\":[{\"text\":\"a\"},"
                   "{\"text\":\"\",\"thoughtSignature\":\"c2ln\"}]},"
                   "{\"role\":\"user\",\"parts\":[{\"text\":\"r\"}]}]}");
}


/* parallel results in one content, in the order of the calls, alone in it */

static void
test_parallel_results_merged_14(void)
{
    CHECK_RENDERED("gemini-2.5-flash",
                   "{\"contents\":[" "{\"role\":\"user\",\"parts\":"
                   "[{\"text\":\"q\"}]},"
                   "{\"role\":\"model\",\"parts\":["
                   "{\"functionCall\":{\"name\":\"f\",\"id\":\"aa\"},"
                   "\"thoughtSignature\":\"c2ln\"},"
                   "{\"functionCall\":{\"name\":\"g\",\"id\":\"bb\"}}]},"
                   "{\"role\":\"user\",\"parts\":[{\"functionResponse\":"
                   "{\"name\":\"g\",\"id\":\"bb\",\"response\":"
                   "{\"x\":[1, 2]}}},{\"text\":\"hurry\"}]},"
                   "{\"role\":\"user\",\"parts\":[{\"functionResponse\":"
                   "{\"name\":\"f\",\"id\":\"aa\",\"response\":"
                   "{\"result\":\"one\"}}}]}]}",
                   "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
                   "\"q\"}]},{\"role\":\"model\",\"parts\":["
                   "{\"functionCall\":{\"id\":\"aa\",\"name\":\"f\",\"args\":"
                   "{}},\"thoughtSignature\":\"c2ln\"},{\"functionCall\":"
                   "{\"id\":\"bb\",\"name\":\"g\",\"args\":{}}}]},"
                   "{\"role\":\"user\",\"parts\":[{\"functionResponse\":"
                   "{\"id\":\"aa\",\"name\":\"f\",\"response\":{\"result\":"
                   "\"one\"}}},{\"functionResponse\":{\"id\":\"bb\","
                   "\"name\":\"g\",\"response\":{\"x\":[1, 2]}}}]},"
                   "{\"role\":\"user\",\"parts\":[{\"text\":\"hurry\"}]}]}");
}


/* the first call of a turn must be signed for Gemini 3, not for others */

static void
test_render_signature(void)
{
    request_t   r;

#define CALLS                                                                \
    "{\"contents\":[{\"role\":\"model\",\"parts\":["                         \
    "{\"functionCall\":{\"name\":\"f\"}},{\"functionCall\":"                 \
    "{\"name\":\"g\"}}]},{\"role\":\"user\",\"parts\":["                     \
    "{\"functionResponse\":{\"name\":\"f\",\"response\":{}}},"               \
    "{\"functionResponse\":{\"name\":\"g\",\"response\":{}}}]}]}"

#define RESULTS                                                              \
    "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\","   \
    "\"response\":{}}},{\"functionResponse\":{\"name\":\"g\","               \
    "\"response\":{}}}]}]}"

    PARSE(&r, CALLS);
    CHECK_INT(render(&r, "gemini-3-pro-preview", &vendor_gemini), AI_OK);
    CHECK_LINE("{\"contents\":[{\"role\":\"model\",\"parts\":["
               "{\"functionCall\":{\"name\":\"f\",\"args\":{}},"
               "\"thoughtSignature\":"
               "\"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=\"},"
               "{\"functionCall\":{\"name\":\"g\",\"args\":{}}}]}," RESULTS);

    PARSE(&r, CALLS);
    CHECK_INT(render(&r, "gemini-2.5-flash", &vendor_gemini), AI_OK);
    CHECK_LINE("{\"contents\":[{\"role\":\"model\",\"parts\":["
               "{\"functionCall\":{\"name\":\"f\",\"args\":{}}},"
               "{\"functionCall\":{\"name\":\"g\",\"args\":{}}}]}," RESULTS);

    /* it may come as reasoning in front of the call */

    CHECK_RENDERED("gemini-3-flash",
                   "{\"contents\":[" "{\"role\":\"user\",\"parts\":"
                   "[{\"text\":\"q\"}]},{\"role\":\"model\",\"parts\":["
                   "{\"text\":\"hm\",\"thought\":true,\"thoughtSignature\":"
                   "\"c2ln\"},{\"functionCall\":{\"name\":\"f\",\"args\":"
                   "{\"a\":\"\\u00e9\"}}}]}]}",
                   "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
                   "\"q\"}]},{\"role\":\"model\",\"parts\":[{\"text\":\"hm\","
                   "\"thought\":true},{\"functionCall\":{\"name\":\"f\","
                   "\"args\":{\"a\":\"\\u00e9\"}},\"thoughtSignature\":"
                   "\"c2ln\"}]}]}");
}


static void
test_render_ids(void)
{
    request_t  r;

    static const char  body[] =
        "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":"
        "{\"name\":\"f\",\"id\":\"adeuph8e\"}}]}],"
        "\"labels\":{\"team\":\"a-1\"}}";

    parse(&r, body, sizeof(body) - 1);
    CHECK_INT(render(&r, "gemini-2.5-flash", &vendor_gemini), AI_OK);
    CHECK_LINE("{\"contents\":[{\"role\":\"model\",\"parts\":["
               "{\"functionCall\":{\"id\":\"adeuph8e\",\"name\":\"f\","
               "\"args\":{}}}]}]}");
    show_report(&r.rep);
    CHECK_LINE("dropped metadata");

    parse(&r, body, sizeof(body) - 1);
    CHECK_INT(render(&r, "gemini-2.5-flash", &vendor_vertex), AI_OK);
    CHECK_LINE("{\"contents\":[{\"role\":\"model\",\"parts\":["
               "{\"functionCall\":{\"name\":\"f\",\"args\":{}}}]}],"
               "\"labels\":{\"team\":\"a-1\"}}");
}


static ai_part_t *
add_part(request_t *r, ai_role_e role, ai_part_e type)
{
    ai_message_t  *m;

    m = ai_request_message(&r->req, role);

    return ai_message_part(&r->req, m, type);
}


static void
request_begin(request_t *r)
{
    ai_request_init(&r->req, &unit_arena);
    ai_report_init(&r->rep, &unit_arena);
}


static void
test_render_media(void)
{
    request_t   r;
    ai_part_t  *part;

    request_begin(&r);
    part = add_part(&r, AI_ROLE_USER, AI_PART_IMAGE);
    part->url = ai_mstr_cstr("https://example.com/a.png");

    CHECK_INT(render(&r, "gemini-2.5-flash", &vendor_gemini), AI_DECLINED);
    show_report(&r.rep);
    CHECK_LINE("messages: this model takes no URLs of images or files but "
               "Google's, send their content in base64");

    request_begin(&r);
    part = add_part(&r, AI_ROLE_USER, AI_PART_IMAGE);
    part->file = ai_mstr_cstr("file-1");

    CHECK_INT(render(&r, "gemini-2.5-flash", &vendor_gemini), AI_DECLINED);

    request_begin(&r);
    part = add_part(&r, AI_ROLE_USER, AI_PART_IMAGE);
    part->url = ai_mstr_cstr("gs://b/a.png");
    part->detail = ai_mstr_cstr("high");
    part = add_part(&r, AI_ROLE_USER, AI_PART_DOCUMENT);
    part->text = ai_mstr_cstr("plain \"text\"");

    CHECK_INT(render(&r, "gemini-2.5-flash", &vendor_gemini), AI_OK);
    CHECK_LINE("{\"contents\":[{\"role\":\"user\",\"parts\":[{\"fileData\":"
               "{\"mimeType\":\"image/png\",\"fileUri\":\"gs://b/a.png\"}},"
               "{\"text\":\"plain \\\"text\\\"\"}]}]}");
    show_report(&r.rep);
    CHECK_LINE("dropped detail");
}


static void
test_render_results(void)
{
    request_t   r;
    ai_uint_t   i;
    ai_part_t  *part, *content;

    static const char  *const models[] = { "gemini-2.5-pro", "gemini-3-pro" };

    for (i = 0; i < 2; i++) {

        request_begin(&r);
        part = add_part(&r, AI_ROLE_ASSISTANT, AI_PART_CALL);
        part->id = ai_mstr_cstr("call_1");
        part->name = ai_mstr_cstr("f");
        part->args = ai_mstr_cstr("not json");
        part->state_kind = AI_STATE_GOOGLE;
        part->state = ai_mstr_cstr("c2ln");

        part = add_part(&r, AI_ROLE_TOOL, AI_PART_RESULT);
        part->id = ai_mstr_cstr("call_1");

        content = ai_part_create(&unit_arena, AI_PART_TEXT);
        content->text = ai_mstr_cstr("[1]");
        part->content = content;
        content->next = ai_part_create(&unit_arena, AI_PART_IMAGE);
        content = content->next;
        content->media_type = ai_mstr_cstr("image/gif");
        content->data = ai_mstr_cstr("AAAA");

        part = add_part(&r, AI_ROLE_USER, AI_PART_TEXT);
        part->text = ai_mstr_cstr("so?");

        CHECK_INT(render(&r, models[i], &vendor_gemini), AI_OK);

#define BROKEN                                                               \
    "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":"       \
    "{\"name\":\"f\",\"args\":{\"rawInvalidInput\":\"not json\"}},"          \
    "\"thoughtSignature\":\"c2ln\"}]},{\"role\":\"user\",\"parts\":["        \
    "{\"functionResponse\":{\"name\":\"f\",\"response\":{\"result\":\"[1]\"}"
#define GIF  "{\"inlineData\":{\"mimeType\":\"image/gif\",\"data\":\"AAAA\"}}"

        if (i == 0) {
            CHECK_LINE(BROKEN "}}]},{\"role\":\"user\",\"parts\":[" GIF
                       ",{\"text\":\"so?\"}]}]}");
        } else {
            CHECK_LINE(BROKEN ",\"parts\":[" GIF "]}}]},{\"role\":\"user\","
                       "\"parts\":[{\"text\":\"so?\"}]}]}");
        }
    }
}


static void
test_render_config(void)
{
#define CONTENTS                                                             \
    "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]}]"

    CHECK_RENDERED("gemini-2.5-flash",
                   "{" USER ",\"generationConfig\":{\"maxOutputTokens\":100,"
                   "\"temperature\":0.70,\"topP\":0.9,\"topK\":40,"
                   "\"candidateCount\":2,\"stopSequences\":[\"x\",\"\"],"
                   "\"seed\":7,\"presencePenalty\":0.1,"
                   "\"responseLogprobs\":true,\"logprobs\":3,"
                   "\"responseMimeType\":\"application/json\","
                   "\"responseJsonSchema\":{\"type\":\"object\",\"$defs\":"
                   "{}},\"thinkingConfig\":{\"thinkingBudget\":99999,"
                   "\"includeThoughts\":true}}}",
                   CONTENTS ",\"generationConfig\":{\"maxOutputTokens\":100,"
                   "\"temperature\":0.70,\"topP\":0.9,\"topK\":40,"
                   "\"presencePenalty\":0.1,"
                   "\"candidateCount\":2,\"seed\":7,\"responseLogprobs\":"
                   "true,\"logprobs\":3,\"stopSequences\":[\"x\"],"
                   "\"responseMimeType\":\"application/json\","
                   "\"responseJsonSchema\":{\"type\":\"object\",\"$defs\":"
                   "{}},\"thinkingConfig\":{\"thinkingBudget\":24576,"
                   "\"includeThoughts\":true}}}");

    CHECK_RENDERED("gemini-2.5-pro",
                   "{" USER ",\"generationConfig\":{\"seed\":99999999999,"
                   "\"candidateCount\":1,"
                   "\"thinkingConfig\":{\"thinkingBudget\":0}}}",
                   CONTENTS ",\"generationConfig\":{\"thinkingConfig\":"
                   "{\"thinkingBudget\":128}}}");

    CHECK_RENDERED("gemini-3-flash",
                   "{" USER ",\"generationConfig\":{"
                   "\"thinkingConfig\":{\"thinkingBudget\":8192}}}",
                   CONTENTS ",\"generationConfig\":{\"thinkingConfig\":"
                   "{\"thinkingLevel\":\"high\"}}}");

    CHECK_RENDERED("gemini-2.0-flash",
                   "{" USER ",\"generationConfig\":{"
                   "\"thinkingConfig\":{\"thinkingBudget\":8192}}}",
                   CONTENTS "}");
}


static void
test_render_effort(void)
{
    size_t     i;
    request_t  r;

    static const struct {
        const char   *model;
        ai_effort_e   effort;
        const char   *want;
    } rows[] = {
        { "gemini-2.5-flash", AI_EFFORT_NONE, "thinkingBudget\":0}" },
        { "gemini-2.5-flash", AI_EFFORT_LOW, "thinkingBudget\":1024," },
        { "gemini-2.5-flash", AI_EFFORT_MEDIUM, "thinkingBudget\":2048," },
        { "gemini-2.5-pro", AI_EFFORT_HIGH, "thinkingBudget\":4096," },
        { "gemini-2.5-pro", AI_EFFORT_NONE, "thinkingBudget\":128}" },
        { "gemini-3-flash", AI_EFFORT_NONE, "thinkingLevel\":\"minimal\"}" },
        { "gemini-3-pro", AI_EFFORT_MINIMAL, "thinkingLevel\":\"low\"," },
        { "gemini-3-pro", AI_EFFORT_MEDIUM, "thinkingLevel\":\"high\"," },
        { "gemini-3-flash", AI_EFFORT_MEDIUM, "thinkingLevel\":\"medium\"," },
        { "gemini-3-flash", AI_EFFORT_MAX, "thinkingLevel\":\"high\"," },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        PARSE(&r, "{" USER "}");
        r.req.effort = rows[i].effort;

        CHECK_INT(render(&r, rows[i].model, &vendor_gemini), AI_OK);
        ai_buf_put(&line, "", 1);

        if (!CHECK(strstr((char *) line.start, rows[i].want) != NULL)) {
            printf("    %s for %s\n", (char *) line.start, rows[i].want);
        }
    }
}


static void
test_render_tools(void)
{
    request_t   r;
    ai_tool_t  *tool;

#define TOOLS                                                                \
    ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\","                \
    "\"parametersJsonSchema\":{\"type\":\"object\",\"properties\":"          \
    "{\"x\":{\"type\":\"string\"}},\"additionalProperties\":false}},"        \
    "{\"name\":\"g\"}]}"

    CHECK_RENDERED("gemini-2.5-flash",
                   "{" USER TOOLS ",{\"googleSearch\":{}}],\"toolConfig\":"
                   "{\"functionCallingConfig\":{\"mode\":\"ANY\","
                   "\"allowedFunctionNames\":[\"g\"]}}}",
                   CONTENTS TOOLS ",{\"googleSearch\":{}}],\"toolConfig\":"
                   "{\"functionCallingConfig\":{\"mode\":\"ANY\","
                   "\"allowedFunctionNames\":[\"g\"]}}}");

    CHECK_RENDERED("gemini-2.5-flash",
                   "{" USER TOOLS ",{\"googleSearch\":{}}],\"toolConfig\":"
                   "{\"functionCallingConfig\":{\"mode\":\"NONE\"}}}",
                   CONTENTS TOOLS ",{\"googleSearch\":{}}],\"toolConfig\":"
                   "{\"functionCallingConfig\":{\"mode\":\"NONE\"}}}");

    /* what others have is theirs; long names are cut */

    PARSE(&r, "{" USER "}");

    tool = ai_request_tool(&r.req);
    tool->name = ai_mstr_cstr("mcp__a_server_with_a_very_long_name__a_tool_"
                              "with_a_longer_one_yet");
    ai_str_set(&tool->schema, "{\"type\":\"object\",\"properties\":{}}");

    tool = ai_request_tool(&r.req);
    tool->type = AI_TOOL_SERVER;
    tool->name = ai_mstr_cstr("web_search_20250305");

    tool = ai_request_tool(&r.req);
    tool->type = AI_TOOL_CUSTOM;
    tool->name = ai_mstr_cstr("c");

    ai_str_set(&r.req.parallel, "false");
    r.req.format = AI_FORMAT_JSON;

    CHECK_INT(render(&r, "gemini-2.5-flash", &vendor_gemini), AI_OK);
    CHECK(r.req.names != NULL && r.req.names->sent.len <= 64);

    line_begin();
    line_raw("", &r.req.names->sent);
    CHECK_UINT(ai_buf_len(&line), 64);

    show_report(&r.rep);
    CHECK_LINE("dropped tools,parallel_tool_calls,response_format");
}


static void
openapi(const char *schema)
{
    ai_str_t  s;

    s.data = (u_char *) schema;
    s.len = strlen(schema);

    line_begin();
    CHECK_INT(ai_gemini_schema_openapi(&line, &s, &unit_arena), AI_OK);
    (void) scan((char *) line.start, ai_buf_len(&line));
}


/* what "parameters" of older models takes */

static void
test_schema_keywords_15(void)
{
    request_t  r;

    openapi("{\"$schema\":\"x\",\"type\":\"object\",\"properties\":{"
            "\"a\":{\"type\":[\"string\",\"null\"],\"description\":\"d\","
            "\"minLength\":1,\"pattern\":\"^a\",\"format\":\"uri\"},"
            "\"b\":{\"const\":\"B\"},\"c\":{\"enum\":[\"x\",null,\"y\"]},"
            "\"d\":{\"type\":\"integer\",\"enum\":[1,2],"
            "\"exclusiveMinimum\":0,\"minimum\":0},"
            "\"e\":{\"type\":\"array\",\"uniqueItems\":true},"
            "\"f\":{\"$ref\":\"#/$defs/F\"},"
            "\"g\":{\"anyOf\":[{\"type\":\"number\"},{\"type\":\"null\"}]},"
            "\"h\":{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"string\"}]},"
            "\"i\":{\"allOf\":[{\"properties\":{\"p\":{\"type\":\"boolean\"}"
            "},\"required\":[\"p\"]},{\"properties\":{\"q\":{}},"
            "\"required\":[\"q\",\"zz\"]}]},"
            "\"j\":{\"type\":[\"string\",\"integer\"]}},"
            "\"required\":[\"a\",\"nope\"],\"additionalProperties\":false,"
            "\"$defs\":{\"F\":{\"type\":\"object\",\"properties\":{\"k\":"
            "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}}");

    CHECK_LINE("{\"type\":\"OBJECT\",\"properties\":{"
               "\"a\":{\"type\":\"STRING\",\"description\":\"d\","
               "\"nullable\":true,\"minLength\":1,\"pattern\":\"^a\"},"
               "\"b\":{\"type\":\"STRING\",\"enum\":[\"B\"]},"
               "\"c\":{\"type\":\"STRING\",\"enum\":[\"x\",\"y\"]},"
               "\"d\":{\"type\":\"INTEGER\",\"minimum\":0},"
               "\"e\":{\"type\":\"ARRAY\",\"items\":{\"type\":\"STRING\"}},"
               "\"f\":{\"type\":\"OBJECT\",\"properties\":{\"k\":{\"type\":"
               "\"ARRAY\",\"items\":{\"type\":\"STRING\"}}}},"
               "\"g\":{\"type\":\"NUMBER\",\"nullable\":true},"
               "\"h\":{\"anyOf\":[{\"type\":\"NUMBER\"},{\"type\":\"STRING\"}"
               "]},\"i\":{\"type\":\"OBJECT\",\"properties\":{\"p\":{\"type\":"
               "\"BOOLEAN\"},\"q\":{\"type\":\"STRING\"}},\"required\":["
               "\"p\",\"q\"]},\"j\":{\"anyOf\":[{\"type\":\"STRING\"},"
               "{\"type\":\"INTEGER\"}]}},\"required\":[\"a\"]}");

    /* a schema that contains itself comes to an end */

    openapi("{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#\"}}}");
    CHECK(ai_buf_len(&line) < 4096);

    openapi("{\"$defs\":{\"N\":{\"type\":\"object\",\"properties\":{"
            "\"a\":{\"$ref\":\"#/$defs/N\"},\"b\":{\"$ref\":\"#/$defs/N\"},"
            "\"c\":{\"$ref\":\"#/$defs/N\"}}}},\"$ref\":\"#/$defs/N\"}");
    CHECK(ai_buf_len(&line) < 1024 * 1024);

    openapi("{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}");

    /* newer ones take it as it is, older ones do not */

#define LISTS  ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\","

    CHECK_RENDERED("gemini-2.0-flash",
                   "{" USER LISTS "\"parameters\":{\"type\":\"OBJECT\","
                   "\"properties\":{\"x\":{\"type\":\"STRING\"}}}}]}]}",
                   CONTENTS LISTS "\"parameters\":{\"type\":\"OBJECT\","
                   "\"properties\":{\"x\":{\"type\":\"STRING\"}}}}]}]}");

    PARSE(&r, "{" USER "}");
    r.req.format = AI_FORMAT_SCHEMA;
    ai_str_set(&r.req.format_schema, "{\"type\":\"string\"}");
    CHECK_INT(render(&r, "gemini-1.5-pro", &vendor_gemini), AI_OK);
    CHECK_LINE(CONTENTS ",\"generationConfig\":{\"responseMimeType\":"
               "\"application/json\",\"responseSchema\":{\"type\":"
               "\"STRING\"}}}");
}


/* ---- answers ---- */

/* what a client would have seen of one choice, and the rest */

typedef struct {
    ai_buf_t     text;
    ai_buf_t     thought;
    ai_buf_t     calls;
    ai_buf_t     images;
    ai_buf_t     sources;
    ai_buf_t     states;
    ai_buf_t     logprobs;
    ai_finish_e  finish;
} seen_choice_t;


typedef struct {
    ai_decode_t    dec;
    ai_encode_t    enc;
    ai_order_t     order;
    ai_buf_t       out;
    ai_uint_t      ids;
    seen_choice_t  choices[3];
    ai_usage_t     usage;
    ai_buf_t       error;
    unsigned       encode:1;
    unsigned       started:1;
    unsigned       ended:1;
} answer_t;


static void
answer_add(ai_buf_t *b, const char *before, const ai_mstr_t *m)
{
    ai_buf_cstr(b, before);
    ai_buf_plain(b, m);
}


static ai_int_t
answer_sink(void *data, const ai_delta_t *delta)
{
    answer_t       *a;
    ai_delta_t      call;
    seen_choice_t  *c;

    a = data;
    c = &a->choices[delta->choice < 3 ? delta->choice : 2];

    switch (delta->type) {

    case AI_DELTA_START:
        CHECK(!a->started);
        a->started = 1;
        break;

    case AI_DELTA_TEXT:
        ai_buf_plain(&c->text, &delta->text);
        break;

    case AI_DELTA_REASONING:
        ai_buf_plain(&c->thought, &delta->text);
        break;

    case AI_DELTA_STATE:
        answer_add(&c->states, " ", &delta->state);
        break;

    case AI_DELTA_CALL:
        answer_add(&c->calls, " ", &delta->name);
        ai_buf_lit(&c->calls, ":");

        if (!ai_mstr_empty(&delta->state)) {
            answer_add(&c->states, " call:", &delta->state);
        }

        call = *delta;

        if (ai_mstr_empty(&call.id)) {
            a->ids++;

            if (ai_encode_id(&a->enc, "call_", a->ids, &call.id) != AI_OK) {
                return AI_ERROR;
            }
        }

        return a->encode ? ai_wire_gemini.render_event(&a->enc, &call)
                         : AI_OK;

    case AI_DELTA_ARGS:
        ai_buf_plain(&c->calls, &delta->text);
        break;

    case AI_DELTA_IMAGE:
        answer_add(&c->images, " ", &delta->media_type);
        answer_add(&c->images, ",", &delta->text);
        break;

    case AI_DELTA_CITATION:
        answer_add(&c->sources, " ", &delta->url);
        answer_add(&c->sources, "=", &delta->name);
        break;

    case AI_DELTA_LOGPROBS:
        ai_buf_raw(&c->logprobs, &delta->raw);
        break;

    case AI_DELTA_FINISH:
        c->finish = delta->finish;
        break;

    case AI_DELTA_USAGE:
        a->usage = delta->usage;
        break;

    case AI_DELTA_END:
        CHECK(!a->ended);
        a->ended = 1;
        break;

    default:
        break;
    }

    return a->encode ? ai_wire_gemini.render_event(&a->enc, delta) : AI_OK;
}


static ai_int_t
answer_emit(void *data, const ai_delta_t *delta)
{
    answer_t  *a;

    a = data;

    if (delta->type == AI_DELTA_ERROR) {
        ai_buf_raw(&a->error, &delta->raw);
        return AI_OK;
    }

    return ai_order(&a->order, delta);
}


static void
answer_begin(answer_t *a)
{
    ai_uint_t       i;
    seen_choice_t  *c;

    memset(a, 0, sizeof(answer_t));

    ai_order_init(&a->order, &unit_arena, MAX_OUT, answer_sink, a);

    ai_buf_init(&a->out, &unit_arena, MAX_OUT);
    ai_buf_init(&a->error, &unit_arena, MAX_OUT);

    for (i = 0; i < 3; i++) {
        c = &a->choices[i];
        ai_buf_init(&c->text, &unit_arena, MAX_OUT);
        ai_buf_init(&c->thought, &unit_arena, MAX_OUT);
        ai_buf_init(&c->calls, &unit_arena, MAX_OUT);
        ai_buf_init(&c->images, &unit_arena, MAX_OUT);
        ai_buf_init(&c->sources, &unit_arena, MAX_OUT);
        ai_buf_init(&c->states, &unit_arena, MAX_OUT);
        ai_buf_init(&c->logprobs, &unit_arena, MAX_OUT);
    }

    a->dec.wire = &ai_wire_gemini;
    a->dec.vendor = &vendor_gemini;
    a->dec.op = AI_OP_STREAM_GENERATE;
    a->dec.alloc = &unit_arena;
    a->dec.scratch = &unit_arena;
    a->dec.emit = answer_emit;
    a->dec.data = a;
    a->dec.state = ai_alloc(&unit_arena, ai_wire_gemini.decode_size);
    memset(a->dec.state, 0, ai_wire_gemini.decode_size);

    a->enc.wire = &ai_wire_gemini;
    a->enc.op = AI_OP_STREAM_GENERATE;
    a->enc.alloc = &unit_arena;
    a->enc.max = MAX_OUT;
    ai_str_set(&a->enc.model, "m");
    ai_str_set(&a->enc.request_id, "0123456789abcdef");
    a->enc.out = &a->out;
    a->enc.state = ai_alloc(&unit_arena, ai_wire_gemini.encode_size);
    memset(a->enc.state, 0, ai_wire_gemini.encode_size);
}


static ai_int_t
answer_event(answer_t *a, const char *text, size_t len)
{
    ai_str_t   name;
    ai_json_t  root;

    ai_str_set(&name, "");
    root = scan(text, len);

    return ai_wire_gemini.parse_event(&a->dec, &name, &root);
}


static void
show_answer(answer_t *a)
{
    ai_uint_t       i;
    seen_choice_t  *c;

    static const char  *const finishes[] = {
        "none", "stop", "sequence", "length", "context", "tools", "filter",
        "pause", "broken"
    };

    line_begin();

    for (i = 0; i < 3; i++) {
        c = &a->choices[i];

        if (c->finish == AI_FINISH_NONE && i != 0) {
            continue;
        }

        if (i != 0) {
            ai_buf_lit(&line, " | ");
        }

        ai_buf_put(&line, c->thought.start, ai_buf_len(&c->thought));
        ai_buf_lit(&line, "/");
        ai_buf_put(&line, c->text.start, ai_buf_len(&c->text));
        ai_buf_lit(&line, "/");
        ai_buf_put(&line, c->calls.start, ai_buf_len(&c->calls));
        ai_buf_put(&line, c->images.start, ai_buf_len(&c->images));
        ai_buf_put(&line, c->sources.start, ai_buf_len(&c->sources));
        ai_buf_put(&line, c->states.start, ai_buf_len(&c->states));
        ai_buf_put(&line, c->logprobs.start, ai_buf_len(&c->logprobs));
        ai_buf_lit(&line, "/");
        ai_buf_cstr(&line, finishes[c->finish]);
    }

    if (a->usage.source != AI_USAGE_NONE) {
        ai_buf_lit(&line, " ");
        ai_buf_uint(&line, a->usage.uncached);
        ai_buf_lit(&line, "+");
        ai_buf_uint(&line, a->usage.cached);
        ai_buf_lit(&line, ">");
        ai_buf_uint(&line, a->usage.output);
        ai_buf_lit(&line, "(");
        ai_buf_uint(&line, a->usage.reasoning);
        ai_buf_lit(&line, ")");
    }

    if (ai_buf_len(&a->error) != 0) {
        ai_buf_lit(&line, " error ");
        ai_buf_put(&line, a->error.start, ai_buf_len(&a->error));
    }

    if (a->ended) {
        ai_buf_lit(&line, " end");
    }
}


/* events, each of which is a string, up to NULL */

static void
stream(answer_t *a, const char *const *events)
{
    for ( /* void */ ; *events != NULL; events++) {
        CHECK_INT(answer_event(a, *events, strlen(*events)), AI_OK);
    }

    CHECK_INT(ai_wire_gemini.parse_end(&a->dec), AI_OK);
}


#define CHECK_STREAM(text, ...)                                              \
    do {                                                                     \
        answer_t  answer;                                                    \
        answer_begin(&answer);                                               \
        stream(&answer, (const char *const []) { __VA_ARGS__, NULL });       \
        show_answer(&answer);                                                \
        CHECK_LINE(text);                                                    \
    } while (0)

#define PARTS(parts)                                                         \
    "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":["          \
    parts "]}}]}"

#define LAST(parts, reason)                                                  \
    "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":["          \
    parts "]},\"finishReason\":" reason "}]}"


static void
test_parse_stream(void)
{
    CHECK_STREAM("/Hello/ sig/stop end",
                 PARTS("{\"text\":\"Hel\"}"),
                 PARTS("{\"text\":\"lo\"}"),
                 LAST("{\"text\":\"\",\"thoughtSignature\":\"sig\"}",
                      "\"STOP\""));

    CHECK_STREAM("hm/a/ sig/length end",
                 PARTS("{\"text\":\"hm\",\"thought\":true}"),
                 LAST("{\"text\":\"a\",\"thoughtSignature\":\"sig\"}",
                      "\"MAX_TOKENS\""));
}


static void
test_parse_finish(void)
{
    size_t  i;
    char    event[256], want[64];

    static const struct {
        const char  *reason;
        const char  *want;
    } rows[] = {
        { "\"STOP\"", "stop end" },
        { "\"MAX_TOKENS\"", "length end" },
        { "\"SAFETY\"", "filter end" },
        { "\"RECITATION\"", "filter end" },
        { "\"MODEL_ARMOR\"", "filter end" },
        { "\"MALFORMED_FUNCTION_CALL\"", "broken end" },
        { "\"NEWS\"", "broken end" },
        { "\"FINISH_REASON_UNSPECIFIED\"", "none" },
        { "1", "stop end" },
        { "2", "length end" },
        { "3", "filter end" },
        { "5", "broken end" },
        { "99", "broken end" },
        { "0", "none" },
        { "null", "none" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(event, sizeof(event), LAST("{\"text\":\"a\"}", "%s"),
                 rows[i].reason);
        snprintf(want, sizeof(want), "/a//%s", rows[i].want);

        do {
            answer_t  a;

            answer_begin(&a);
            CHECK_INT(answer_event(&a, event, strlen(event)), AI_OK);
            CHECK_INT(ai_wire_gemini.parse_end(&a.dec), AI_OK);
            show_answer(&a);
            CHECK_MEM(line.start, ai_buf_len(&line), want, strlen(want));
        } while (0);
    }

    /* a prompt that was blocked, contents that are absent */

    CHECK_STREAM("///filter 5+0>0(0) end",
                 "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},"
                 "\"usageMetadata\":{\"promptTokenCount\":5}}");
    CHECK_STREAM("///filter end",
                 "{\"candidates\":[{\"content\":{},\"finishReason\":"
                 "\"SAFETY\"}]}");
    CHECK_STREAM("///filter end",
                 "{\"candidates\":[{\"finishReason\":\"MODEL_ARMOR\"}]}");

    /* an end without a finish is no end */

    CHECK_STREAM("/a//none", PARTS("{\"text\":\"a\"}"));
    CHECK_STREAM("///none", "{\"usageMetadata\":{}}");

    /* all candidates must have one */

    CHECK_STREAM("/a//none",
                 PARTS("{\"text\":\"a\"}"),
                 "{\"candidates\":[{\"index\":1,\"content\":{\"parts\":["
                 "{\"text\":\"b\"}]},\"finishReason\":\"STOP\"}]}");
}


static void
test_finish_of_calls_2(void)
{
    CHECK_STREAM("// f:{\"x\":1}/tools end",
                 LAST("{\"functionCall\":{\"name\":\"f\",\"args\":"
                      "{\"x\":1}}}", "\"STOP\""));

    /* the call in an earlier chunk than the end */

    CHECK_STREAM("// f:{\"x\": 1.50} g:{} call:sig/tools end",
                 PARTS("{\"functionCall\":{\"name\":\"f\",\"args\":"
                       "{\"x\": 1.50}},\"thoughtSignature\":\"sig\"},"
                       "{\"functionCall\":{\"name\":\"g\"}}"),
                 LAST("{\"text\":\"\"}", "\"STOP\""));

    /* but what was cut or filtered is not complete */

    CHECK_STREAM("// f:{}/length end",
                 PARTS("{\"functionCall\":{\"name\":\"f\"}}"),
                 LAST("{\"text\":\"\"}", "\"MAX_TOKENS\""));

    /* of this candidate, not of another one */

    CHECK_STREAM("// f:{}/tools | /a//stop end",
                 PARTS("{\"functionCall\":{\"name\":\"f\"}}"),
                 "{\"candidates\":[{\"finishReason\":\"STOP\"},"
                 "{\"index\":1,\"content\":{\"parts\":[{\"text\":\"a\"}]},"
                 "\"finishReason\":\"STOP\"}]}");
}


static void
test_parse_error(void)
{
    CHECK_STREAM("/a//none error {\"code\":503,\"status\":\"UNAVAILABLE\"}",
                 PARTS("{\"text\":\"a\"}"),
                 "{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}");

    CHECK_STREAM("///none error {\"code\":429}",
                 "[{\"error\":{\"code\":429}}]");
}


/* thoughts are not among the candidates, what tools read is not in the
 * prompt; what is told last counts */

static void
test_reasoning_tokens_9(void)
{
    CHECK_STREAM("/a//stop 112+30>65(60) end",
                 "{\"usageMetadata\":{}}",
                 "{\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\"}}",
                 "{\"usageMetadata\":{\"promptTokenCount\":130}}",
                 LAST("{\"text\":\"a\"}", "\"STOP\""),
                 "{\"usageMetadata\":{\"promptTokenCount\":130,"
                 "\"cachedContentTokenCount\":30,"
                 "\"toolUsePromptTokenCount\":12,"
                 "\"candidatesTokenCount\":5,\"thoughtsTokenCount\":60,"
                 "\"totalTokenCount\":207}}");

    CHECK_STREAM("/a//stop 0+7>60(60) end",
                 LAST("{\"text\":\"a\"}", "\"STOP\""),
                 "{\"usageMetadata\":{\"promptTokenCount\":7,"
                 "\"cachedContentTokenCount\":99,"
                 "\"thoughtsTokenCount\":60}}");
}


static void
test_parse_pieces_of_arguments(void)
{
    CHECK_STREAM("// f:{\"r\":{\"l\":[{\"a\":\"16 \\u006fz\"},{\"b\":-1.50}],"
                 "\"t\":true,\"n\":null,\"x y\":\"\"},\"s\":[\"p\"]} "
                 "g:{} h:{\"k\":1} call:sig/tools end",
                 PARTS("{\"functionCall\":{\"name\":\"f\",\"willContinue\":"
                       "true},\"thoughtSignature\":\"sig\"}"),
                 PARTS("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":"
                       "\"$.r.l[0].a\",\"stringValue\":\"16 \","
                       "\"willContinue\":true}],\"willContinue\":true}}"),
                 PARTS("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":"
                       "\"$.r.l[0].a\",\"stringValue\":\"\\u006fz\"},"
                       "{\"jsonPath\":\"$.r.l[1].b\",\"numberValue\":-1.50}"
                       "],\"willContinue\":true}}"),
                 PARTS("{\"functionCall\":{\"willContinue\":true}}"),
                 PARTS("{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":"
                       "\"$.r.t\",\"boolValue\":true},{\"jsonPath\":"
                       "\"$.r.n\",\"nullValue\":\"NULL_VALUE\"},"
                       "{\"jsonPath\":\"$.r['x y']\",\"stringValue\":\"\"},"
                       "{\"jsonPath\":\"$.s[0]\",\"stringValue\":\"p\"}],"
                       "\"willContinue\":true}}"),
                 PARTS("{\"functionCall\":{}}"),
                 PARTS("{\"functionCall\":{\"name\":\"g\",\"willContinue\":"
                       "true}}"),
                 PARTS("{\"functionCall\":{\"name\":\"h\",\"partialArgs\":["
                       "{\"jsonPath\":\"$.k\",\"numberValue\":1}],"
                       "\"willContinue\":true}}"),
                 LAST("{\"text\":\"\"}", "\"STOP\""));
}


static void
test_parse_broken_arguments(void)
{
    size_t     i;
    answer_t   a;
    char       event[256];

    static const char  *const paths[] = {
        "", "x", "$", "$x", "$[", "$[x]", "$[0", "$['a", "$['a']b",
        "$[99999999999999999999]"
    };

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        snprintf(event, sizeof(event),
                 PARTS("{\"functionCall\":{\"name\":\"f\",\"partialArgs\":["
                       "{\"jsonPath\":\"%s\",\"numberValue\":1}]}}"),
                 paths[i]);

        answer_begin(&a);
        CHECK_INT(answer_event(&a, event, strlen(event)), AI_DECLINED);
    }
}


static void
test_parse_extras(void)
{
    CHECK_STREAM("/a/ image/png,AAAA https://x/=X https://y/=/stop end",
                 PARTS("{\"text\":\"a\"},{\"inlineData\":{\"mimeType\":"
                       "\"image/png\",\"data\":\"AAAA\"}},"
                       "{\"inlineData\":{\"mimeType\":\"audio/L16\","
                       "\"data\":\"BBBB\"}},{\"toolCall\":{\"toolType\":"
                       "\"X\"}}"),
                 "{\"candidates\":[{\"finishReason\":\"STOP\","
                 "\"groundingMetadata\":{\"groundingChunks\":[{\"web\":"
                 "{\"uri\":\"https://x/\",\"title\":\"X\"}},{\"maps\":{}}]},"
                 "\"citationMetadata\":{\"citationSources\":[{\"uri\":"
                 "\"https://y/\"}]}}]}");

    CHECK_STREAM("/a/[{\"token\":\"a\",\"logprob\":-0.10,\"bytes\":null,"
                 "\"top_logprobs\":[{\"token\":\"b\",\"logprob\":-2,"
                 "\"bytes\":null}]}]/stop end",
                 "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}"
                 ",\"finishReason\":\"STOP\",\"logprobsResult\":{"
                 "\"topCandidates\":[{\"candidates\":[{\"token\":\"b\","
                 "\"logProbability\":-2}]}],\"chosenCandidates\":[{\"token\":"
                 "\"a\",\"logProbability\":-0.10,\"tokenId\":7}]}}]}");
}


static void
test_parse_response(void)
{
    size_t     i;
    answer_t   a;
    ai_json_t  root;

    static const char  *const bad[] = {
        "{}", "[]", "7", "[7]", "{\"candidates\":[7]}",
        "{\"candidates\":[]}", PARTS("7")
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        answer_begin(&a);
        root = scan(bad[i], strlen(bad[i]));

        if (!CHECK_INT(ai_wire_gemini.parse_response(&a.dec, &root),
                       AI_DECLINED))
        {
            printf("    %s\n", bad[i]);
        }
    }

    /* a stream that was collected by the provider */

    answer_begin(&a);
    root = scan("[" PARTS("{\"text\":\"a\"}") ","
                LAST("{\"text\":\"b\"}", "\"STOP\"") "]",
                sizeof("[" PARTS("{\"text\":\"a\"}") ","
                LAST("{\"text\":\"b\"}", "\"STOP\"") "]") - 1);
    CHECK_INT(ai_wire_gemini.parse_response(&a.dec, &root), AI_OK);
    CHECK_INT(ai_wire_gemini.parse_end(&a.dec), AI_OK);
    show_answer(&a);
    CHECK_LINE("/ab//stop end");
}


/* ---- what clients read ---- */

static void
emit(answer_t *a, ai_delta_e type, const char *name, const char *text)
{
    ai_delta_t  d;

    ai_delta_init(&d, type);

    d.name = ai_mstr_cstr(name);
    d.text = ai_mstr_cstr(text);

    if (type == AI_DELTA_CALL) {
        d.id = ai_mstr_cstr(text);
        d.text.s.len = 0;
    }

    if (type == AI_DELTA_STATE) {
        d.state_kind = *name ? AI_STATE_ANTHROPIC : AI_STATE_GOOGLE;
        d.state = d.text;
    }

    if (type == AI_DELTA_FINISH) {
        d.finish = AI_FINISH_STOP;
    }

    if (type == AI_DELTA_CITATION) {
        d.url = d.text;
        d.text.s.len = 0;
    }

    CHECK_INT(answer_emit(a, &d), AI_OK);
}


static void
emit_usage(answer_t *a)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_USAGE);

    d.usage.uncached = 10;
    d.usage.cached = 5;
    d.usage.cache_write = 3;
    d.usage.output = 20;
    d.usage.reasoning = 8;
    d.usage.source = AI_USAGE_PROVIDER;

    CHECK_INT(answer_emit(a, &d), AI_OK);
}


#define TAIL  ",\"modelVersion\":\"m\",\"responseId\":\"r\"}"

#define CHUNK(part)                                                          \
    "{\"candidates\":[{\"content\":{\"parts\":[" part "],\"role\":"          \
    "\"model\"},\"index\":0}]" TAIL

#define END(extra)                                                           \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":"   \
    "\"model\"},\"finishReason\":\"STOP\"" extra ",\"index\":0}]"

#define USAGE                                                                \
    ",\"usageMetadata\":{\"promptTokenCount\":18,\"candidatesTokenCount\":"  \
    "12,\"totalTokenCount\":38,\"cachedContentTokenCount\":5,"               \
    "\"thoughtsTokenCount\":8}"

#define CALL                                                                 \
    "{\"functionCall\":{\"id\":\"i\",\"name\":\"f\",\"args\":"             \
    "{\"x\":\"\\n\"}},\"thoughtSignature\":\"" AI_STATE_UNSIGNED "\"}"


static void
answer_all(answer_t *a, const char *id)
{
    ai_delta_t  d;

    a->encode = 1;

    ai_delta_init(&d, AI_DELTA_START);
    d.id = ai_mstr_cstr(id);
    CHECK_INT(answer_emit(a, &d), AI_OK);

    emit(a, AI_DELTA_REASONING, "", "hm");
    emit(a, AI_DELTA_TEXT, "", "a\n\"b\"");
    emit(a, AI_DELTA_CALL, "f", "i");
    emit(a, AI_DELTA_ARGS, "", "{\"x\":\"");
    emit(a, AI_DELTA_ARGS, "", "\\n\"}");
    emit(a, AI_DELTA_CALL_END, "", "");
    emit(a, AI_DELTA_CITATION, "X", "https://x/");
    emit(a, AI_DELTA_FINISH, "", "");
    emit_usage(a);
    emit(a, AI_DELTA_END, "", "");
}


static void
test_render_stream(void)
{
    answer_t  a;

#define SOURCES                                                              \
    ",\"groundingMetadata\":{\"groundingChunks\":[{\"web\":{\"uri\":"        \
    "\"https://x/\",\"title\":\"X\"}}]}"

    answer_begin(&a);
    answer_all(&a, "r");
    CHECK_STR(a.out.start, ai_buf_len(&a.out),
              "data: " CHUNK("{\"text\":\"hm\",\"thought\":true}") "\r\n\r\n"
              "data: " CHUNK("{\"text\":\"a\\n\\\"b\\\"\"}") "\r\n\r\n"
              "data: " CHUNK(CALL) "\r\n\r\n"
              "data: " END(SOURCES) USAGE TAIL "\r\n\r\n");

    answer_begin(&a);
    a.enc.array = 1;
    answer_all(&a, "r");
    CHECK_STR(a.out.start, ai_buf_len(&a.out),
              "[" CHUNK("{\"text\":\"hm\",\"thought\":true}") "\n,\n"
              CHUNK("{\"text\":\"a\\n\\\"b\\\"\"}") "\n,\n"
              CHUNK(CALL) "\n,\n" END(SOURCES) USAGE TAIL "]");

    /* an answer without an id gets one; without anything, an end */

    answer_begin(&a);
    a.encode = 1;
    emit(&a, AI_DELTA_END, "", "");
    CHECK(ai_buf_len(&a.out) != 0);
    line = a.out;
    ai_buf_put(&line, "", 1);
    CHECK(strstr((char *) line.start, "\"responseId\":\"") != NULL);
}


static void
test_render_state(void)
{
    answer_t  a;

    /* Google's own as it is, others packed, in a thought without words */

    answer_begin(&a);
    a.encode = 1;
    emit(&a, AI_DELTA_STATE, "", "c2ln");
    line = a.out;
    ai_buf_put(&line, "", 1);
    CHECK(strstr((char *) line.start, "[{\"text\":\"\",\"thoughtSignature\":"
                 "\"c2ln\"}]") != NULL);

    answer_begin(&a);
    a.encode = 1;
    emit(&a, AI_DELTA_STATE, "a", "abc");
    line = a.out;
    ai_buf_put(&line, "", 1);
    CHECK(strstr((char *) line.start, "[{\"text\":\"\",\"thought\":true,"
                 "\"thoughtSignature\":\"YWlndzE6") != NULL);
}


static void
test_render_call(void)
{
    size_t    i;
    answer_t  a;

    static const struct {
        const char  *args;
        const char  *want;
    } rows[] = {
        { "", "\"args\":{}}" },
        { " {} ", "\"args\":{}}" },
        { "null", "\"args\":{}}" },
        { "{\"a\":", "\"args\":{\"rawInvalidInput\":\"{\\\"a\\\":\"}}" },
        { "[1]", "\"args\":{\"rawInvalidInput\":\"[1]\"}}" },
        { "{\"n\":1.500}", "\"args\":{\"n\":1.500}}" },
        { "{\n \"n\":\r\n1}", "\"args\":{  \"n\":  1}}" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        answer_begin(&a);
        a.encode = 1;
        emit(&a, AI_DELTA_CALL, "f", "i");
        emit(&a, AI_DELTA_ARGS, "", rows[i].args);
        emit(&a, AI_DELTA_CALL_END, "", "");

        line = a.out;
        ai_buf_put(&line, "", 1);

        if (!CHECK(strstr((char *) line.start, rows[i].want) != NULL)) {
            printf("    %s\n", (char *) line.start);
        }
    }
}


static void
test_render_error(void)
{
    answer_t        a;
    ai_error_doc_t  doc;

    memset(&doc, 0, sizeof(ai_error_doc_t));
    doc.error = AI_ERR_UPSTREAM_TRUNCATED;
    doc.retry_after = -1;

    answer_begin(&a);
    CHECK_INT(ai_wire_gemini.render_error(&a.enc, &doc), AI_OK);
    CHECK(ai_buf_len(&a.out) > 20
          && memcmp(a.out.start, "data: {\"error\":{", 16) == 0
          && memcmp(a.out.pos - 4, "\r\n\r\n", 4) == 0);

    answer_begin(&a);
    a.encode = 1;
    a.enc.array = 1;
    emit(&a, AI_DELTA_TEXT, "", "x");
    CHECK_INT(ai_wire_gemini.render_error(&a.enc, &doc), AI_OK);
    (void) scan((char *) a.out.start, ai_buf_len(&a.out));
    line = a.out;
    ai_buf_put(&line, "", 1);
    CHECK(strstr((char *) line.start, "}\n,\n{\"error\":{") != NULL);

    answer_begin(&a);
    a.enc.array = 1;
    CHECK_INT(ai_wire_gemini.render_error(&a.enc, &doc), AI_OK);
    (void) scan((char *) a.out.start, ai_buf_len(&a.out));
}


static void
test_render_response(void)
{
    answer_t       a;
    ai_part_t      parts[3];
    ai_answer_t    whole;
    ai_citation_t  cite;

    memset(parts, 0, sizeof(parts));
    memset(&cite, 0, sizeof(cite));
    memset(&whole, 0, sizeof(whole));

    parts[0].type = AI_PART_REASONING;
    parts[0].text = ai_mstr_cstr("hm");
    parts[0].next = &parts[1];
    parts[1].type = AI_PART_TEXT;
    parts[1].text = ai_mstr_cstr("a");
    parts[1].next = &parts[2];
    parts[2].type = AI_PART_CALL;
    parts[2].id = ai_mstr_cstr("i");
    parts[2].name = ai_mstr_cstr("f");
    parts[2].args = ai_mstr_cstr("{\"x\":\"\\n\"}");
    cite.url = ai_mstr_cstr("https://x/");
    cite.title = ai_mstr_cstr("X");

    whole.id = ai_mstr_cstr("r");
    whole.nchoices = 1;
    whole.choices[0].parts = parts;
    whole.choices[0].finish = AI_FINISH_TOOLS;
    whole.choices[0].citations = &cite;
    ai_str_set(&whole.choices[0].logprobs,
               "[{\"token\":\"a\",\"logprob\":-1,\"bytes\":null,"
               "\"top_logprobs\":[]}]");
    whole.usage.uncached = 13;
    whole.usage.cached = 5;
    whole.usage.output = 20;
    whole.usage.reasoning = 8;
    whole.usage.source = AI_USAGE_PROVIDER;

    answer_begin(&a);
    CHECK_INT(ai_wire_gemini.render_response(&a.enc, &whole), AI_OK);
    (void) scan((char *) a.out.start, ai_buf_len(&a.out));
    CHECK_STR(a.out.start, ai_buf_len(&a.out),
              "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\","
              "\"thought\":true},{\"text\":\"a\"}," CALL "],\"role\":"
              "\"model\"},\"finishReason\":\"STOP\"" SOURCES
              ",\"logprobsResult\":{\"topCandidates\":[{\"candidates\":[]}],"
              "\"chosenCandidates\":[{\"token\":\"a\",\"logProbability\":-1}"
              "]},\"index\":0}]" USAGE TAIL);

    memset(&whole, 0, sizeof(whole));
    whole.nchoices = 1;
    whole.choices[0].finish = AI_FINISH_FILTER;

    answer_begin(&a);
    CHECK_INT(ai_wire_gemini.render_response(&a.enc, &whole), AI_OK);
    line = a.out;
    ai_buf_put(&line, "", 1);
    CHECK(strstr((char *) line.start, "\"finishReason\":\"SAFETY\"") != NULL);
}


/* without memory it is an error, and nothing else */

static void
test_no_memory(void)
{
    int          i;
    answer_t     a;
    ai_buf_t     out;
    ai_int_t     rc;
    ai_str_t     name;
    ai_json_t    request, event;
    request_t    r;
    ai_target_t  t;

    static const char  body[] =
        "{\"systemInstruction\":\"x\",\"contents\":[{\"role\":\"model\","
        "\"parts\":[{\"text\":\"a\",\"thoughtSignature\":\"c2ln\"},"
        "{\"functionCall\":{\"name\":\"f\",\"args\":{}}}]},{\"parts\":["
        "{\"functionResponse\":{\"name\":\"f\",\"response\":{\"result\":"
        "\"\\n\"}}},{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
        "\"AA\\n==\"}}]}]" TOOLS "],\"generationConfig\":{\"topP\":1,"
        "\"responseMimeType\":\"application/json\",\"responseSchema\":"
        "{\"type\":\"OBJECT\"}}}";

    static const char  chunk[] =
        LAST("{\"text\":\"a\",\"thought\":true},{\"functionCall\":{\"name\":"
             "\"f\",\"partialArgs\":[{\"jsonPath\":\"$.a[0]\","
             "\"stringValue\":\"x\"}]},\"thoughtSignature\":\"c2ln\"}",
             "\"STOP\"");

    memset(&t, 0, sizeof(ai_target_t));
    t.vendor = &vendor_gemini;
    t.caps.flags = AI_CAPS_THINK_LEVEL;
    ai_str_set(&name, "");

    rc = AI_ERROR;

    for (i = 0; i < 500 && rc != AI_OK; i++) {
        request = scan(body, sizeof(body) - 1);
        ai_request_init(&r.req, &unit_arena);
        ai_report_init(&r.rep, &unit_arena);
        ai_buf_init(&out, &unit_arena, MAX_OUT);

        unit.fail_after = i;
        rc = ai_wire_gemini.parse_request(&r.req, &request, &r.rep);

        if (rc == AI_OK) {
            rc = ai_request_normalize(&r.req, &r.rep);
        }

        if (rc == AI_OK) {
            rc = ai_wire_gemini.render_request(&r.req, &t, &out, &r.rep);
        }

        unit.fail_after = -1;
        CHECK(rc == AI_OK || rc == AI_ERROR);
    }

    CHECK(i > 10 && rc == AI_OK);

    rc = AI_ERROR;

    for (i = 0; i < 500 && rc != AI_OK; i++) {
        event = scan(chunk, sizeof(chunk) - 1);
        answer_begin(&a);
        a.encode = 1;

        unit.fail_after = i;
        rc = ai_wire_gemini.parse_event(&a.dec, &name, &event);

        if (rc == AI_OK) {
            rc = ai_wire_gemini.parse_end(&a.dec);
        }

        unit.fail_after = -1;
        CHECK(rc == AI_OK || rc == AI_ERROR);
    }

    CHECK(i > 10 && rc == AI_OK);
}


/* ---- recorded requests and answers ---- */

static const char  *const roots[] = {
    "../shared/fixtures", "../../shared/fixtures"
};

static const char  *const dirs[] = {
    "gemini/generateContent", "gemini/streamGenerateContent",
    "vertex/generateContent", "vertex/streamGenerateContent"
};

static char         *file_data;
static size_t        file_len;
static unsigned      requests, responses, streams, seed = 1;


static unsigned
random_below(unsigned n)
{
    seed = seed * 1103515245 + 12345;

    return (seed >> 8) % n;
}


static int
file_read(const char *path)
{
    FILE  *f;
    long   size;

    f = fopen(path, "rb");

    if (f == NULL) {
        return 0;
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    file_len = (size_t) size;
    file_data = malloc(file_len + 1);

    if (file_data == NULL || fread(file_data, 1, file_len, f) != file_len) {
        abort();
    }

    file_data[file_len] = '\0';
    fclose(f);

    return 1;
}


static cJSON *
get(const cJSON *object, const char *camel, const char *snake)
{
    cJSON  *v;

    v = cJSON_GetObjectItemCaseSensitive(object, camel);

    return v ? v : cJSON_GetObjectItemCaseSensitive(object, snake);
}


/* what the answers of a file say, put together by a walk over trees */

typedef struct {
    ai_buf_t   text;
    ai_buf_t   thought;
    cJSON     *calls;                  /* [name, args], whole ones */
    double     usage[5];
    int        finished;
    int        stopped;                /* as it should be */
    int        error;
    int        pieces;
} oracle_t;


static void
oracle_begin(oracle_t *o)
{
    memset(o, 0, sizeof(oracle_t));

    ai_buf_init(&o->text, &unit_arena, MAX_OUT);
    ai_buf_init(&o->thought, &unit_arena, MAX_OUT);
    o->calls = cJSON_CreateArray();
}


static void
oracle_usage(oracle_t *o, const cJSON *usage)
{
    size_t        i;
    const cJSON  *v;

    static const char  *const names[] = {
        "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount",
        "toolUsePromptTokenCount", "cachedContentTokenCount"
    };

    if (cJSON_GetObjectItem(usage, names[0]) == NULL
        && cJSON_GetObjectItem(usage, names[1]) == NULL
        && cJSON_GetObjectItem(usage, names[2]) == NULL)
    {
        return;
    }

    for (i = 0; i < 5; i++) {
        v = cJSON_GetObjectItem(usage, names[i]);
        o->usage[i] = v ? v->valuedouble : 0;
    }
}


static void
oracle_part(oracle_t *o, const cJSON *part)
{
    cJSON        *pair;
    const cJSON  *text, *call, *args;

    text = cJSON_GetObjectItem(part, "text");
    call = cJSON_GetObjectItem(part, "functionCall");

    if (cJSON_IsString(text)) {
        ai_buf_cstr(cJSON_IsTrue(cJSON_GetObjectItem(part, "thought"))
                    ? &o->thought : &o->text, text->valuestring);
    }

    if (!cJSON_IsObject(call)) {
        return;
    }

    if (cJSON_GetObjectItem(call, "willContinue")
        || cJSON_GetObjectItem(call, "partialArgs")
        || !cJSON_GetObjectItem(call, "name"))
    {
        o->pieces = 1;
        return;
    }

    args = cJSON_GetObjectItem(call, "args");
    pair = cJSON_CreateArray();

    cJSON_AddItemToArray(pair, cJSON_CreateString(
                         cJSON_GetObjectItem(call, "name")->valuestring));
    cJSON_AddItemToArray(pair, args ? cJSON_Duplicate(args, 1)
                                    : cJSON_CreateObject());
    cJSON_AddItemToArray(o->calls, pair);
}


static void
oracle_read(oracle_t *o, const cJSON *doc)
{
    const cJSON  *v, *candidate, *content, *part, *reason;

    if (cJSON_IsArray(doc)) {
        cJSON_ArrayForEach(v, doc) {
            oracle_read(o, v);
        }

        return;
    }

    if (cJSON_GetObjectItem(doc, "error")) {
        o->error = 1;
        return;
    }

    oracle_usage(o, cJSON_GetObjectItem(doc, "usageMetadata"));

    candidate = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "candidates"), 0);
    content = cJSON_GetObjectItem(candidate, "content");

    cJSON_ArrayForEach(part, cJSON_GetObjectItem(content, "parts")) {
        oracle_part(o, part);
    }

    if (cJSON_GetObjectItem(candidate, "finishReason")
        || cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "promptFeedback"),
                               "blockReason"))
    {
        o->finished = 1;
    }

    reason = cJSON_GetObjectItem(candidate, "finishReason");

    if ((cJSON_IsString(reason) && strcmp(reason->valuestring, "STOP") == 0)
        || (cJSON_IsNumber(reason) && reason->valueint == 1))
    {
        o->stopped = 1;
    }
}


/* the calls that were seen are lines " name:args"; args hold no line end */

static void
compare(const char *name, oracle_t *o, answer_t *a)
{
    unsigned      failed;
    ai_buf_t      want;
    const char   *parse_end;
    const cJSON  *pair;
    cJSON        *args;

    failed = unit.failed;

    CHECK_INT(ai_buf_len(&a->error) != 0, o->error);

    if (!o->error) {
        CHECK_MEM(a->choices[0].text.start, ai_buf_len(&a->choices[0].text),
                  o->text.start, ai_buf_len(&o->text));
        CHECK_MEM(a->choices[0].thought.start,
                  ai_buf_len(&a->choices[0].thought),
                  o->thought.start, ai_buf_len(&o->thought));
        CHECK_UINT(a->usage.uncached + a->usage.cached,
                   o->usage[0] + o->usage[3]);
        CHECK_UINT(a->usage.cached, o->usage[4]);
        CHECK_UINT(a->usage.output, o->usage[1] + o->usage[2]);
        CHECK_UINT(a->usage.reasoning, o->usage[2]);
        CHECK_UINT(a->ended, o->finished);
    }

    want = a->choices[0].calls;
    ai_buf_put(&want, "", 1);
    parse_end = (char *) want.start;

    cJSON_ArrayForEach(pair, o->calls) {

        const char  *function = cJSON_GetArrayItem(pair, 0)->valuestring;
        size_t       len = strlen(function);

        if (!CHECK(*parse_end == ' '
                   && strncmp(parse_end + 1, function, len) == 0
                   && parse_end[len + 1] == ':'))
        {
            break;
        }

        args = cJSON_ParseWithOpts(parse_end + len + 2, &parse_end, 0);

        CHECK(cJSON_Compare(args, cJSON_GetArrayItem(pair, 1), 1));
        cJSON_Delete(args);
    }

    if (!o->pieces) {
        CHECK(*parse_end == '\0');
    }

    if (cJSON_GetArraySize(o->calls) != 0 && o->stopped) {
        CHECK_UINT(a->choices[0].finish, AI_FINISH_TOOLS);
    }

    if (unit.failed != failed) {
        printf("    in %s\n", name);
    }
}


/* a stream in any framing, in pieces of so many bytes; 0: at random */

static void
read_frames(answer_t *a, ai_frame_e type, const char *text, size_t len,
    size_t piece)
{
    size_t           n;
    u_char          *pos, *last, *bytes;
    ai_int_t         rc;
    ai_frame_t       f;
    ai_sse_event_t   ev;

    ai_frame_init(&f, type, MAX_OUT, &unit_arena);

    rc = AI_AGAIN;

    while (len != 0) {
        n = piece ? piece : 1 + random_below(700);
        n = (n < len) ? n : len;

        bytes = malloc(n);
        memcpy(bytes, text, n);
        text += n;
        len -= n;
        pos = bytes;
        last = bytes + n;

        while ((rc = ai_frame_next(&f, &pos, last, &ev)) == AI_OK) {
            if (ev.has_data) {
                CHECK_INT(answer_event(a, (char *) ev.data.data, ev.data.len),
                          AI_OK);
            }
        }

        free(bytes);

        if (!CHECK_INT(rc, AI_AGAIN)) {
            printf("    %s\n", f.err);
            return;
        }
    }

    while ((rc = ai_frame_finish(&f, &ev)) == AI_OK) {
        if (ev.has_data) {
            CHECK_INT(answer_event(a, (char *) ev.data.data, ev.data.len),
                      AI_OK);
        }
    }

    CHECK_INT(rc, AI_DONE);
    CHECK_INT(ai_wire_gemini.parse_end(&a->dec), AI_OK);
}


/* what comes out of the encoder says the same as what went in */

static void
round_trip(const char *name, oracle_t *o, answer_t *a)
{
    answer_t  again;

    if (o->error || !o->finished) {
        return;
    }

    answer_begin(&again);
    read_frames(&again, a->enc.array ? AI_FRAME_ARRAY : AI_FRAME_SSE,
                (char *) a->out.start, ai_buf_len(&a->out), 0);
    compare(name, o, &again);
}


static void
replay_stream(const char *name, const char *text, size_t len)
{
    cJSON        *doc;
    size_t        i, pieces[3];
    answer_t      a;
    oracle_t      o;
    const char   *p, *end;

    oracle_begin(&o);

    for (p = text; (p = strstr(p, "data:")) != NULL; p = end) {
        p += 5;
        doc = cJSON_ParseWithOpts(p, &end, 0);
        oracle_read(&o, doc);
        cJSON_Delete(doc);
    }

    pieces[0] = len;
    pieces[1] = 0;
    pieces[2] = (len < 20000) ? 1 : 0;

    for (i = 0; i < 3; i++) {
        answer_begin(&a);
        a.encode = 1;
        a.enc.array = i & 1;
        read_frames(&a, AI_FRAME_SSE, text, len, pieces[i]);
        compare(name, &o, &a);
        round_trip(name, &o, &a);
    }

    cJSON_Delete(o.calls);
    streams++;
}


static void
replay_lines(const char *name, char *text)
{
    char      *p;
    ai_buf_t   b;

    ai_buf_init(&b, &unit_arena, MAX_OUT);

    for (p = strtok(text, "\n"); p != NULL; p = strtok(NULL, "\n")) {
        ai_buf_lit(&b, "data: ");
        ai_buf_cstr(&b, p);
        ai_buf_lit(&b, "\r\n\r\n");
    }

    ai_buf_put(&b, "", 1);
    replay_stream(name, (char *) b.start, ai_buf_len(&b) - 1);
}


static void
replay_response(const char *name, const cJSON *body)
{
    char      *text;
    answer_t   a;
    oracle_t   o;
    ai_int_t   rc;
    ai_json_t  root;

    text = cJSON_PrintUnformatted(body);

    oracle_begin(&o);
    oracle_read(&o, body);

    answer_begin(&a);
    a.dec.document = 1;
    a.encode = 1;
    root = scan(text, strlen(text));
    rc = ai_wire_gemini.parse_response(&a.dec, &root);
    CHECK_INT(ai_wire_gemini.parse_end(&a.dec), AI_OK);

    if (o.finished || o.error) {
        CHECK_INT(rc, AI_OK);
        compare(name, &o, &a);
        round_trip(name, &o, &a);

        if (body->type == cJSON_Array) {
            answer_begin(&a);
            read_frames(&a, AI_FRAME_ARRAY, text, strlen(text), 0);
            compare(name, &o, &a);
        }

        responses++;
    }

    cJSON_free(text);
    cJSON_Delete(o.calls);
}


/* a request goes out so that it comes in as the same */

static void
replay_request(const char *name, const cJSON *body)
{
    char       *text;
    request_t   first, again;
    ai_buf_t    sent, shown;
    unsigned    failed;

    if (!cJSON_IsObject(body) || get(body, "cachedContent", "cached_content")
        || !cJSON_GetObjectItem(body, "contents"))
    {
        return;
    }

    failed = unit.failed;
    text = cJSON_PrintUnformatted(body);

    parse(&first, text, strlen(text));

    if (first.rc == AI_DECLINED && first.rep.param.len > 5) {
        cJSON_free(text);
        return;
    }

    if (CHECK_INT(first.rc, AI_OK)
        && render(&first, "gemini-3-flash", &vendor_gemini) == AI_OK)
    {
        sent = line;
        show_messages(&first.req);
        shown = line;

        parse(&again, (char *) sent.start, ai_buf_len(&sent));
        CHECK_INT(again.rc, AI_OK);
        CHECK_INT(ai_request_normalize(&again.req, &again.rep), AI_OK);
        show_messages(&again.req);

        /* dummies, and ids of ours, are not in the first one */

        if (strstr(text, "unctionCall") == NULL
            && strstr(text, "unction_call") == NULL
            && strstr(text, "thought") == NULL
            && strstr(text, "ystemInstruction") == NULL)
        {
            CHECK_MEM(line.start, ai_buf_len(&line), shown.start,
                      ai_buf_len(&shown));
        }

        requests++;
    }

    if (unit.failed != failed) {
        printf("    in %s\n", name);
    }

    cJSON_free(text);
}


static void
replay_file(const char *path)
{
    cJSON       *doc, *response;
    size_t       len;
    const char  *base;

    if (!file_read(path)) {
        return;
    }

    base = strrchr(path, '/') + 1;
    len = strlen(path);

    if (strcmp(path + len - 4, ".sse") == 0) {
        replay_stream(base, file_data, file_len);

    } else if (strcmp(path + len - 7, ".ndjson") == 0) {
        replay_lines(base, file_data);

    } else if (strcmp(path + len - 5, ".json") == 0) {
        doc = cJSON_Parse(file_data);
        response = cJSON_GetObjectItem(doc, "response");

        replay_request(base, cJSON_GetObjectItem(
                       cJSON_GetObjectItem(doc, "request"), "body"));

        if (response == NULL) {
            replay_response(base, doc);

        } else if (cJSON_GetObjectItem(response, "body")) {
            replay_response(base, cJSON_GetObjectItem(response, "body"));
        }

        cJSON_Delete(doc);
    }

    free(file_data);
    unit_arena_reset();
}


static void
test_fixtures(void)
{
    DIR            *dir;
    char            path[1024];
    size_t          i, r;
    struct dirent  *entry;

    for (r = 0; r < sizeof(roots) / sizeof(roots[0]); r++) {

        for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
            snprintf(path, sizeof(path), "%s/%s", roots[r], dirs[i]);

            dir = opendir(path);

            if (dir == NULL) {
                continue;
            }

            while ((entry = readdir(dir)) != NULL) {

                if (entry->d_name[0] == '.') {
                    continue;
                }

                snprintf(path, sizeof(path), "%s/%s/%.500s", roots[r],
                         dirs[i], entry->d_name);
                replay_file(path);
            }

            closedir(dir);
        }

        if (streams != 0) {
            break;
        }
    }

    if (streams == 0) {
        printf("skipped: no recorded answers in %s\n", roots[0]);
        return;
    }

    printf("recorded: %u requests, %u answers, %u streams\n", requests,
           responses, streams);
}


int
main(void)
{
    UNIT_RUN(test_parse_contents);
    UNIT_RUN(test_parse_pieces);
    UNIT_RUN(test_parse_packed);
    UNIT_RUN(test_parse_calls);
    UNIT_RUN(test_parse_config);
    UNIT_RUN(test_parse_tools);
    UNIT_RUN(test_parse_refused);
    UNIT_RUN(test_render_contents);
    UNIT_RUN(test_parallel_results_merged_14);
    UNIT_RUN(test_render_signature);
    UNIT_RUN(test_render_ids);
    UNIT_RUN(test_render_media);
    UNIT_RUN(test_render_results);
    UNIT_RUN(test_render_config);
    UNIT_RUN(test_render_effort);
    UNIT_RUN(test_render_tools);
    UNIT_RUN(test_schema_keywords_15);
    UNIT_RUN(test_parse_stream);
    UNIT_RUN(test_parse_finish);
    UNIT_RUN(test_finish_of_calls_2);
    UNIT_RUN(test_parse_error);
    UNIT_RUN(test_reasoning_tokens_9);
    UNIT_RUN(test_parse_pieces_of_arguments);
    UNIT_RUN(test_parse_broken_arguments);
    UNIT_RUN(test_parse_extras);
    UNIT_RUN(test_parse_response);
    UNIT_RUN(test_render_stream);
    UNIT_RUN(test_render_state);
    UNIT_RUN(test_render_call);
    UNIT_RUN(test_render_error);
    UNIT_RUN(test_render_response);
    UNIT_RUN(test_no_memory);
    UNIT_RUN(test_fixtures);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The driver between decoders and encoders: what is accounted in the tap,
 * ids and names of calls, how streams end, errors, documents to events.
 */


#include "ai_sse.h"
#include "ai_translate.h"
#include "dialect.h"
#include "unit.h"


typedef struct {
    ai_tap_t             tap;
    ai_translate_t      *t;
    ai_request_t         req;
    char                 out[65536];
    size_t               len;
    ai_uint_t            events;       /* with output */
} run_t;


/* the answer to a client of "to" by a provider of "from" */

static void
begin(run_t *r, ai_op_e from, const char *dialect, ai_op_e to)
{
    ai_str_t             name;
    const ai_dialect_t  *d;
    ai_translate_conf_t  conf;

    memset(r, 0, sizeof(run_t));

    name.data = (u_char *) dialect;
    name.len = strlen(dialect);
    d = ai_dialect_find(&name);

    ai_request_init(&r->req, &unit_arena);
    ai_tap_init(&r->tap, d, from, &unit_arena);
    r->tap.keep = &unit_arena;
    r->tap.vendor = ai_vendor_generic(d);

    memset(&conf, 0, sizeof(ai_translate_conf_t));

    conf.from = from;
    conf.to = to;
    conf.vendor = r->tap.vendor;
    conf.req = &r->req;
    ai_str_set(&conf.model, "asked");
    ai_str_set(&conf.request_id, "0123456789abcdef0123456789abcdef");
    conf.now = 1700000000;
    conf.input = 40;
    conf.max = 32768;
    conf.alloc = &unit_arena;
    conf.scratch = &unit_arena;

    r->t = ai_translate_create(&conf, &r->tap);
    CHECK(r->t != NULL);
}


/* what was written goes to r->out */

static void
keep(run_t *r)
{
    ai_str_t  s;

    if (ai_buf_get(ai_translate_out(r->t), &s) == AI_OK && s.len != 0
        && s.len < sizeof(r->out) - r->len)
    {
        memcpy(r->out + r->len, s.data, s.len);
        r->len += s.len;
        r->events++;
    }

    r->out[r->len] = '\0';
}


/* an event from a block of its own, that is gone when it was read */

static ai_event_e
put(run_t *r, const char *data)
{
    u_char          *p;
    ai_event_e       what;
    ai_sse_event_t   ev;

    memset(&ev, 0, sizeof(ai_sse_event_t));

    ev.data.len = strlen(data);
    ev.data.data = p = malloc(ev.data.len + 1);
    memcpy(p, data, ev.data.len);
    ev.raw = ev.data;
    ev.has_data = 1;

    what = ai_translate_event(r->t, &ev);
    keep(r);

    free(p);

    return what;
}


static ai_event_e
eof(run_t *r)
{
    ai_event_e  what;

    what = ai_translate_eof(r->t);
    keep(r);

    return what;
}


#define TEXT(t)                                                              \
    "{\"id\":\"c-1\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":" \
    "{\"content\":\"" t "\"}}]}"

#define FINISH(f)                                                            \
    "{\"id\":\"c-1\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":" \
    "{},\"finish_reason\":\"" f "\"}]}"

#define USAGE                                                                \
    "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}"

#define CALL(d)                                                              \
    "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0," d  \
    "}]}}]}"


static void
test_account(void)
{
    run_t  r;

    begin(&r, AI_OP_CHAT, "openai", AI_OP_MESSAGES);

    CHECK_INT(put(&r, "{\"id\":\"c-1\",\"model\":\"m-1\",\"choices\":[{"
                      "\"index\":0,\"delta\":{\"role\":\"assistant\","
                      "\"content\":\"\"}}]}"), AI_EVENT_IDLE);
    CHECK_INT(put(&r, TEXT("Gr\\u00fc\xc3\x9f""e")), AI_EVENT_CONTENT);
    CHECK_INT(put(&r, TEXT("!")), AI_EVENT_CONTENT);
    CHECK_INT(put(&r, "{\"novelty\":1}"), AI_EVENT_IDLE);
    CHECK_INT(put(&r, FINISH("stop")), AI_EVENT_CONTENT);
    CHECK_INT(put(&r, USAGE), AI_EVENT_USAGE);
    CHECK_INT(put(&r, "[DONE]"), AI_EVENT_END);
    CHECK_INT(put(&r, TEXT("late")), AI_EVENT_IDLE);
    CHECK_INT(put(&r, "[DONE]"), AI_EVENT_IDLE);
    CHECK_INT(eof(&r), AI_EVENT_END);

    CHECK_UINT(r.tap.content, 3);
    CHECK_UINT(r.tap.ended, 1);
    CHECK_UINT(r.tap.usage.source, AI_USAGE_PROVIDER);
    CHECK_STR(r.tap.model.data, r.tap.model.len, "m-1");
    CHECK_STR(r.tap.finish.data, r.tap.finish.len, "stop");
    CHECK(strstr(r.out, "event: message_start") != NULL);
    CHECK(strstr(r.out, "\"model\":\"asked\"") != NULL
          || strstr(r.out, "\"model\":\"m-1\"") != NULL);
    CHECK(strstr(r.out, "Gr\\u00fc\xc3\x9f""e") != NULL);
    CHECK(strstr(r.out, "late") == NULL);
    CHECK(strstr(r.out, "event: message_stop") != NULL);
}


static void
test_names(void)
{
    char       text[512];
    run_t      r;
    ai_str_t   long_name;
    ai_mstr_t  name, sent;

    begin(&r, AI_OP_CHAT, "openai", AI_OP_MESSAGES);

    ai_str_set(&long_name, "mcp__a_server_with_a_name__and_a_tool_with_a_name"
               "_that_is_far_too_long_for_it");
    name = ai_mstr_plain(&long_name);

    CHECK_INT(ai_request_name(&r.req, &name, 64, &sent), AI_OK);
    CHECK(sent.s.len <= 64);

    snprintf(text, sizeof(text), CALL("\"function\":{\"name\":\"%.*s\","
             "\"arguments\":\"\"}"), (int) sent.s.len, sent.s.data);

    CHECK_INT(put(&r, text), AI_EVENT_CONTENT);
    CHECK_INT(put(&r, FINISH("stop")), AI_EVENT_CONTENT);
    CHECK_INT(put(&r, "[DONE]"), AI_EVENT_END);

    /* its own name, an id that was made, arguments of none, the finish */

    CHECK(strstr(r.out, (char *) long_name.data) != NULL);
    CHECK(strstr(r.out, "\"id\":\"call_") != NULL
          || strstr(r.out, "\"id\":\"toolu_") != NULL);
    CHECK(strstr(r.out, "\"stop_reason\":\"tool_use\"") != NULL);
    CHECK_UINT(r.tap.tool_calls, 1);
}


/* of one event both the whole answer and the end: Ollama's way */

static void
test_at_once(void)
{
    run_t  r;

    begin(&r, AI_OP_OLLAMA_CHAT, "ollama", AI_OP_CHAT);

    CHECK_INT(put(&r, "{\"model\":\"m\",\"message\":{\"role\":\"assistant\","
                      "\"content\":\"all\"},\"done\":true,\"done_reason\":"
                      "\"stop\",\"prompt_eval_count\":1,\"eval_count\":1}"),
              AI_EVENT_END);
    CHECK_UINT(r.tap.content, 1);
    CHECK(strstr(r.out, "\"content\":\"all\"") != NULL);
    CHECK(strstr(r.out, "[DONE]") != NULL);
}


static void
test_ends(void)
{
    run_t  r;

    /* all but the end mark */

    begin(&r, AI_OP_CHAT, "openai", AI_OP_MESSAGES);
    (void) put(&r, TEXT("a"));
    (void) put(&r, FINISH("length"));
    CHECK_INT(eof(&r), AI_EVENT_END);
    CHECK(strstr(r.out, "\"stop_reason\":\"max_tokens\"") != NULL);
    CHECK_UINT(r.tap.usage.source, AI_USAGE_ESTIMATED);

    /* nothing that says that it is complete */

    begin(&r, AI_OP_CHAT, "openai", AI_OP_MESSAGES);
    (void) put(&r, TEXT("a"));
    CHECK_INT(eof(&r), AI_EVENT_INVALID);
    CHECK(strstr(r.out, "message_stop") == NULL);

    begin(&r, AI_OP_CHAT, "openai", AI_OP_RESPONSES);
    CHECK_INT(eof(&r), AI_EVENT_INVALID);
    CHECK(strstr(r.out, "response.completed") == NULL);

    /* not JSON, a wrong type, a NUL */

    begin(&r, AI_OP_CHAT, "openai", AI_OP_MESSAGES);
    CHECK_INT(put(&r, "{\"choices\":"), AI_EVENT_INVALID);
    CHECK_INT(put(&r, "7"), AI_EVENT_IDLE);
    CHECK_INT(put(&r, "[]"), AI_EVENT_IDLE);
    CHECK_INT(put(&r, "null"), AI_EVENT_IDLE);
    CHECK_INT(put(&r, "  "), AI_EVENT_IDLE);
}


static void
test_errors(void)
{
    run_t           r;
    ai_sse_event_t  ev;
    ai_error_doc_t  doc;

    begin(&r, AI_OP_CHAT, "openai", AI_OP_MESSAGES);
    (void) put(&r, TEXT("a"));
    CHECK_INT(put(&r, "{\"error\":{\"message\":\"no \\\"more\\\"\",\"type\":"
                      "\"server_error\",\"code\":503}}"), AI_EVENT_ERROR);
    CHECK_STR(r.tap.error_message.data, r.tap.error_message.len,
              "no \"more\"");
    CHECK_UINT(r.tap.error_status, 503);

    memset(&doc, 0, sizeof(ai_error_doc_t));
    doc.error = AI_ERR_UPSTREAM_OVERLOADED;
    doc.message = r.tap.error_message;
    doc.retry_after = -1;

    CHECK_INT(ai_translate_error(r.t, &doc), AI_OK);
    keep(&r);
    CHECK(strstr(r.out, "event: error") != NULL);
    CHECK(strstr(r.out, "message_stop") == NULL);

    /* exceptions of AWS are called by the name of the event */

    begin(&r, AI_OP_CONVERSE_STREAM, "bedrock", AI_OP_CHAT);
    memset(&ev, 0, sizeof(ai_sse_event_t));
    ai_str_set(&ev.name, "throttlingException");
    ai_str_set(&ev.error, "{\"message\":\"slow down\"}");
    CHECK_INT(ai_translate_event(r.t, &ev), AI_EVENT_ERROR);
    CHECK_UINT(r.tap.error_status, 429);
    CHECK_STR(r.tap.error_type.data, r.tap.error_type.len,
              "throttlingException");
    CHECK_STR(r.tap.error_message.data, r.tap.error_message.len, "slow down");

    /* of llama.cpp, and text that is no JSON */

    begin(&r, AI_OP_CHAT, "openai", AI_OP_GENERATE);
    memset(&ev, 0, sizeof(ai_sse_event_t));
    ai_str_set(&ev.error, "slot\tunavailable");
    CHECK_INT(ai_translate_event(r.t, &ev), AI_EVENT_ERROR);
    CHECK_STR(r.tap.error_message.data, r.tap.error_message.len,
              "slot?unavailable");
}


#define WHOLE                                                                \
    "{\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{"  \
    "\"role\":\"assistant\",\"content\":\"Hi\",\"tool_calls\":[{\"id\":"     \
    "\"x1\",\"type\":\"function\",\"function\":{\"name\":\"f\","             \
    "\"arguments\":\"{\\\"a\\\": 1.50}\"}}]},\"finish_reason\":"             \
    "\"tool_calls\"}],\"usage\":{\"prompt_tokens\":7,"                       \
    "\"completion_tokens\":3}}"


static ai_event_e
whole(run_t *r, const char *text, ai_uint_t stream)
{
    u_char           *p;
    size_t            len;
    ai_event_e        what;
    ai_json_error_t   err;

    len = strlen(text);
    p = unit_bytes(text, len);

    what = ai_translate_response(r->t, p, len, stream, &err);
    keep(r);

    if (what == AI_EVENT_INVALID) {
        CHECK(err.reason != NULL);
    }

    return what;
}


static void
test_documents(void)
{
    run_t   r;
    size_t  i;

    static const ai_op_e  ops[] = {
        AI_OP_MESSAGES, AI_OP_RESPONSES, AI_OP_GENERATE, AI_OP_COHERE_CHAT,
        AI_OP_CONVERSE
    };

    for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        begin(&r, AI_OP_CHAT, "openai", ops[i]);
        CHECK_INT(whole(&r, WHOLE, 0), AI_EVENT_CONTENT);
        CHECK(strstr(r.out, "1.50") != NULL);
        CHECK(strstr(r.out, "data: ") == NULL);
        CHECK_STR(r.tap.tools.data, r.tap.tools.len, "f");

        begin(&r, AI_OP_CHAT, "openai", ops[i]);
        CHECK_INT(whole(&r, WHOLE, 1), AI_EVENT_CONTENT);
        CHECK(strstr(r.out, "1.50") != NULL || ops[i] == AI_OP_CONVERSE);
        CHECK_UINT(r.tap.ended, 1);

        begin(&r, AI_OP_CHAT, "openai", ops[i]);
        CHECK_INT(whole(&r, "{\"error\":{\"message\":\"x\"}}", 0),
                  AI_EVENT_ERROR);

        begin(&r, AI_OP_CHAT, "openai", ops[i]);
        CHECK_INT(whole(&r, "{\"choices\":7}", 0), AI_EVENT_INVALID);

        begin(&r, AI_OP_CHAT, "openai", ops[i]);
        CHECK_INT(whole(&r, "{\"choices\":[", 1), AI_EVENT_INVALID);
    }
}


/* however many allocations work: an end, or an error, and no crash */

static void
test_memory(void)
{
    long        n;
    run_t       r;
    size_t      i;
    ai_event_e  what;

    static const char  *events[] = {
        TEXT("a"), CALL("\"id\":\"i\",\"function\":{\"name\":\"f\","
                        "\"arguments\":\"{\\\"a\\\":\"}"),
        TEXT("held"), CALL("\"function\":{\"arguments\":\"1}\"}"),
        FINISH("stop"), USAGE, "[DONE]"
    };

    for (n = 0; n < 60; n++) {
        begin(&r, AI_OP_CHAT, "openai", AI_OP_RESPONSES);
        unit.fail_after = n;
        what = AI_EVENT_IDLE;

        for (i = 0; i < 7 && what != AI_EVENT_INVALID; i++) {
            what = put(&r, events[i]);
        }

        unit.fail_after = -1;

        CHECK(what == AI_EVENT_INVALID || what == AI_EVENT_END);
        CHECK((strstr(r.out, "event: response.completed") != NULL)
              == (what == AI_EVENT_END));
        CHECK(n < 59 || what == AI_EVENT_END);
    }
}


static void
test_no_wire(void)
{
    ai_tap_t             tap;
    ai_translate_conf_t  conf;

    memset(&conf, 0, sizeof(ai_translate_conf_t));

    conf.from = AI_OP_CHAT;
    conf.to = AI_OP_OLLAMA_CHAT;
    conf.alloc = &unit_arena;
    conf.scratch = &unit_arena;

    CHECK(ai_translate_create(&conf, &tap) == NULL);
    conf.to = AI_OP_EMBEDDINGS;
    CHECK(ai_translate_create(&conf, &tap) == NULL);
    conf.to = AI_OP_CHAT;
    conf.from = AI_OP_NONE;
    CHECK(ai_translate_create(&conf, &tap) == NULL);
}


int
main(void)
{
    UNIT_RUN(test_account);
    UNIT_RUN(test_names);
    UNIT_RUN(test_at_once);
    UNIT_RUN(test_ends);
    UNIT_RUN(test_errors);
    UNIT_RUN(test_documents);
    UNIT_RUN(test_memory);
    UNIT_RUN(test_no_wire);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Cohere on either side.  What the wire reads and writes is judged by a
 * reader of its own, over trees of cJSON; recorded answers are read in place,
 * where they are present.
 */


#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdarg.h>

#include "ai_translate.h"
#include "dialect.h"
#include "unit.h"


#define MAX_KEPT   (4 * 1024 * 1024)
#define MAX_TEXT   65536
#define MAX_CALLS  16


/* an answer, from either a stream or a document */

typedef struct {
    char                 text[MAX_TEXT];
    char                 thoughts[MAX_TEXT];
    char                 names[MAX_CALLS][128];
    char                 ids[MAX_CALLS][128];
    char                 args[MAX_CALLS][8192];
    unsigned             ncalls;
    unsigned             ncitations;
    char                 cited[1024];
    char                 finish[64];
    char                 error[512];
    long                 input;
    long                 output;
    long                 cached;
    long                 reasoning;
    unsigned             done;
} answer_t;


/* how far a stream has come, by the order of its events */

typedef struct {
    enum { before, message, content, call, citation, after, done } state;
    int                  index;
    int                  next_content;
    int                  next_call;
    int                  next_citation;
    const char          *kind;
    unsigned             bad;
} grammar_t;


static const char  *const  roots[] = {
    "../shared/fixtures", "../../shared/fixtures", NULL
};

static ai_str_t  model = ai_string("command-a-plus-05-2026");


static const cJSON *
get(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object)
           ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}


/* get() of get() ..., up to a NULL */

static const cJSON *
path(const cJSON *v, ...)
{
    va_list      args;
    const char  *name;

    va_start(args, v);

    while ((name = va_arg(args, const char *)) != NULL) {
        v = get(v, name);
    }

    va_end(args);

    return v;
}


static void
append(char *dst, size_t size, const cJSON *v)
{
    size_t  len;

    if (!cJSON_IsString(v)) {
        return;
    }

    len = strlen(dst);
    (void) snprintf(dst + len, size - len, "%s", v->valuestring);
}


static long
count(const cJSON *object, const char *name)
{
    const cJSON  *v;

    v = get(object, name);

    return cJSON_IsNumber(v) ? (long) v->valuedouble : 0;
}


static void
read_call(answer_t *a, const cJSON *v)
{
    if (a->ncalls == MAX_CALLS) {
        return;
    }

    append(a->ids[a->ncalls], sizeof(a->ids[0]), get(v, "id"));
    append(a->names[a->ncalls], sizeof(a->names[0]),
           path(v, "function", "name", NULL));
    append(a->args[a->ncalls], sizeof(a->args[0]),
           path(v, "function", "arguments", NULL));
    a->ncalls++;
}


static void
read_usage(answer_t *a, const cJSON *v)
{
    const cJSON  *tokens;

    tokens = get(v, "tokens");

    a->input = count(tokens, "input_tokens") + count(tokens, "image_tokens");
    a->output = count(tokens, "output_tokens");
    a->reasoning = count(tokens, "reasoning_tokens");
    a->cached = count(v, "cached_tokens");
}


static void
read_event(answer_t *a, const cJSON *v)
{
    const char   *type;
    const cJSON  *m, *delta;

    if (!cJSON_IsString(get(v, "type"))) {
        return;
    }

    type = get(v, "type")->valuestring;
    delta = get(v, "delta");
    m = get(delta, "message");

    if (strcmp(type, "tool-plan-delta") == 0) {
        append(a->text, MAX_TEXT, get(m, "tool_plan"));

    } else if (strcmp(type, "content-delta") == 0) {
        append(a->text, MAX_TEXT, path(m, "content", "text", NULL));
        append(a->thoughts, MAX_TEXT, path(m, "content", "thinking", NULL));

    } else if (strcmp(type, "tool-call-start") == 0) {
        read_call(a, get(m, "tool_calls"));

    } else if (strcmp(type, "tool-call-delta") == 0 && a->ncalls != 0) {
        append(a->args[a->ncalls - 1], sizeof(a->args[0]),
               path(m, "tool_calls", "function", "arguments", NULL));

    } else if (strcmp(type, "citation-start") == 0) {
        a->ncitations++;
        append(a->cited, sizeof(a->cited),
               path(m, "citations", "text", NULL));

    } else if (strcmp(type, "message-end") == 0) {
        append(a->finish, sizeof(a->finish), get(delta, "finish_reason"));
        append(a->error, sizeof(a->error), get(delta, "error"));
        read_usage(a, get(delta, "usage"));
    }
}


static void
read_document(answer_t *a, const cJSON *v)
{
    const cJSON  *m, *item;

    m = get(v, "message");

    cJSON_ArrayForEach(item, get(m, "content")) {
        append(a->text, MAX_TEXT, get(item, "text"));
        append(a->thoughts, MAX_TEXT, get(item, "thinking"));
    }

    append(a->text, MAX_TEXT, get(m, "tool_plan"));

    cJSON_ArrayForEach(item, get(m, "tool_calls")) {
        read_call(a, item);
    }

    cJSON_ArrayForEach(item, get(m, "citations")) {
        a->ncitations++;
        append(a->cited, sizeof(a->cited), get(item, "text"));
    }

    append(a->finish, sizeof(a->finish), get(v, "finish_reason"));
    read_usage(a, get(v, "usage"));
}


/* calls read as if they came from one who always tells arguments */

static void
settle(answer_t *a)
{
    unsigned  i;

    for (i = 0; i < a->ncalls; i++) {
        if (a->args[i][0] == '\0' || strcmp(a->args[i], "null") == 0) {
            (void) strcpy(a->args[i], "{}");
        }
    }
}


/* the events of a stream, by lines that begin with "data: ", or bare ones */

static void
read_stream(answer_t *a, const char *text)
{
    char        *copy, *line, *next;
    cJSON       *v;
    const char  *data;

    copy = strdup(text);

    for (line = copy; line != NULL; line = next) {

        next = strchr(line, '\n');

        if (next != NULL) {
            *next++ = '\0';
        }

        data = (strncmp(line, "data: ", 6) == 0) ? line + 6 : line;

        if (strcmp(data, "[DONE]") == 0) {
            a->done++;
            continue;
        }

        v = (*data == '{') ? cJSON_Parse(data) : NULL;

        read_event(a, v);
        cJSON_Delete(v);
    }

    free(copy);
    settle(a);
}


/* events in an order and of a shape that the SDK relies on */

static void
grammar_event(grammar_t *g, const char *name, const cJSON *v)
{
    int           index;
    const char   *type;
    const cJSON  *m;

    type = cJSON_IsString(get(v, "type")) ? get(v, "type")->valuestring : "";
    m = path(v, "delta", "message", NULL);
    index = (int) count(v, "index");

    g->bad += strcmp(type, name) != 0;

    if (strcmp(type, "message-start") == 0) {
        g->bad += g->state != before || !cJSON_IsString(get(v, "id"))
                  || !cJSON_IsArray(get(m, "content"));
        g->state = message;

    } else if (strcmp(type, "content-start") == 0) {
        m = get(m, "content");
        g->bad += g->state != message || index != g->next_content++
                  || !cJSON_IsObject(m) || !cJSON_IsString(get(m, "type"));
        g->kind = strcmp(get(m, "type")->valuestring, "thinking") == 0
                  ? "thinking" : "text";
        g->bad += !cJSON_IsString(get(m, g->kind));
        g->state = content;
        g->index = index;

    } else if (strcmp(type, "content-delta") == 0) {
        g->bad += g->state != content || index != g->index
                  || !cJSON_IsString(path(m, "content", g->kind, NULL));

    } else if (strcmp(type, "content-end") == 0) {
        g->bad += g->state != content || index != g->index;
        g->state = message;

    } else if (strcmp(type, "tool-call-start") == 0) {
        m = get(m, "tool_calls");
        g->bad += g->state != message || index != g->next_call++
                  || !cJSON_IsString(get(m, "id"))
                  || !cJSON_IsString(path(m, "function", "name", NULL));
        g->state = call;
        g->index = index;

    } else if (strcmp(type, "tool-call-delta") == 0) {
        g->bad += g->state != call || index != g->index
                  || !cJSON_IsString(path(m, "tool_calls", "function",
                                          "arguments", NULL));

    } else if (strcmp(type, "tool-call-end") == 0) {
        g->bad += g->state != call || index != g->index;
        g->state = message;

    } else if (strcmp(type, "citation-start") == 0) {
        m = get(m, "citations");
        g->bad += index != g->next_citation
                  || !cJSON_IsNumber(get(m, "start"))
                  || !cJSON_IsNumber(get(m, "end"))
                  || !cJSON_IsString(get(m, "text"))
                  || !cJSON_IsArray(get(m, "sources"));

    } else if (strcmp(type, "citation-end") == 0) {
        g->bad += index != g->next_citation++;

    } else if (strcmp(type, "message-end") == 0) {
        g->bad += g->state != message
                  || !cJSON_IsString(path(v, "delta", "finish_reason", NULL));
        g->state = after;

    } else {
        g->bad++;
    }
}


/* 1 if the stream is whole and in order */

static int
grammar(const char *text)
{
    char       *copy, *line, *next;
    char        name[64];
    cJSON      *v;
    grammar_t   g;

    memset(&g, 0, sizeof(grammar_t));
    name[0] = '\0';

    copy = strdup(text);

    for (line = copy; *line != '\0'; line = next) {

        next = strchr(line, '\n');

        if (next == NULL) {
            g.bad++;
            break;
        }

        *next++ = '\0';

        if (strncmp(line, "event: ", 7) == 0) {
            (void) snprintf(name, sizeof(name), "%s", line + 7);

        } else if (strcmp(line, "data: [DONE]") == 0) {
            g.bad += g.state != after || name[0] != '\0';
            g.state = done;

        } else if (strncmp(line, "data: ", 6) == 0) {
            v = cJSON_Parse(line + 6);
            g.bad += v == NULL || g.state == after || g.state == done;

            if (v != NULL) {
                grammar_event(&g, name, v);
            }

            cJSON_Delete(v);

        } else if (*line == '\0') {
            name[0] = '\0';

        } else {
            g.bad++;
        }
    }

    free(copy);

    return g.bad == 0 && g.state == done;
}


/* what comes out of a translation, put together */

typedef struct {
    char                *data;
    size_t               len;
    ai_event_e           event;        /* the last one */
    ai_tap_t             tap;
} output_t;


static void
output_add(output_t *o, ai_buf_t *b)
{
    size_t  len;

    len = ai_buf_len(b);

    o->data = realloc(o->data, o->len + len + 1);
    memcpy(o->data + o->len, b->start ? b->start : (u_char *) "", len);
    o->len += len;
    o->data[o->len] = '\0';
}


static ai_translate_t *
translate_start(output_t *o)
{
    ai_translate_conf_t  conf;

    memset(o, 0, sizeof(output_t));
    memset(&conf, 0, sizeof(ai_translate_conf_t));

    conf.from = AI_OP_COHERE_CHAT;
    conf.to = AI_OP_COHERE_CHAT;
    conf.model = model;
    ai_str_set(&conf.request_id, "0123456789abcdef");
    conf.max = MAX_KEPT;
    conf.alloc = &unit_arena;
    conf.scratch = &unit_arena;

    ai_tap_init(&o->tap, &ai_dialect_cohere, AI_OP_COHERE_CHAT, &unit_arena);

    return ai_translate_create(&conf, &o->tap);
}


/* a stream in pieces of that size; to the last event or the first error */

static void
translate_stream(output_t *o, const char *text, size_t piece)
{
    u_char          *p, *last, *end, *copy;
    size_t           len;
    ai_sse_t         sse;
    ai_sse_event_t   ev;
    ai_translate_t  *t;

    t = translate_start(o);

    if (!CHECK(t != NULL)) {
        return;
    }

    len = strlen(text);
    copy = unit_bytes(text, len);
    p = copy;
    end = copy + len;

    ai_sse_init(&sse, MAX_KEPT, &unit_arena);

    while (p < end) {

        last = ((size_t) (end - p) < piece) ? end : p + piece;

        while (ai_sse_next(&sse, &p, last, &ev) == AI_OK) {

            o->event = ai_translate_event(t, &ev);

            if (o->event == AI_EVENT_ERROR || o->event == AI_EVENT_INVALID) {
                return;
            }

            output_add(o, ai_translate_out(t));
        }
    }

    if (ai_sse_finish(&sse, &ev) == AI_OK) {
        o->event = ai_translate_event(t, &ev);
        output_add(o, ai_translate_out(t));
    }

    if (o->event != AI_EVENT_END) {
        o->event = ai_translate_eof(t);
        output_add(o, ai_translate_out(t));
    }
}


static void
translate_document(output_t *o, const char *text, ai_uint_t stream)
{
    u_char           *copy;
    ai_translate_t   *t;
    ai_json_error_t   err;

    t = translate_start(o);

    if (!CHECK(t != NULL)) {
        return;
    }

    copy = unit_bytes(text, strlen(text));

    o->event = ai_translate_response(t, copy, strlen(text), stream, &err);
    output_add(o, ai_translate_out(t));
}


static void
same(const answer_t *want, const answer_t *got)
{
    unsigned  i;

    CHECK_MEM(got->text, strlen(got->text), want->text, strlen(want->text));
    CHECK_MEM(got->thoughts, strlen(got->thoughts), want->thoughts,
              strlen(want->thoughts));
    CHECK_UINT(got->ncalls, want->ncalls);

    for (i = 0; i < want->ncalls && i < got->ncalls; i++) {
        CHECK_MEM(got->names[i], strlen(got->names[i]), want->names[i],
                  strlen(want->names[i]));
        CHECK_MEM(got->ids[i], strlen(got->ids[i]), want->ids[i],
                  strlen(want->ids[i]));
        CHECK_MEM(got->args[i], strlen(got->args[i]), want->args[i],
                  strlen(want->args[i]));
    }

    CHECK_UINT(got->ncitations, want->ncitations);
    CHECK_MEM(got->cited, strlen(got->cited), want->cited,
              strlen(want->cited));
    CHECK_MEM(got->finish, strlen(got->finish), want->finish,
              strlen(want->finish));
    CHECK_INT(got->input, want->input);
    CHECK_INT(got->output, want->output);
    CHECK_INT(got->cached, want->cached);
    CHECK_INT(got->reasoning, want->reasoning);
}


/* a stream through the hub and back, whole and in pieces */

static void
check_stream(const char *text)
{
    size_t           i;
    output_t         o;
    static answer_t  want, got;

    static const size_t  pieces[] = { 1 << 30, 1, 7, 61 };

    memset(&want, 0, sizeof(answer_t));
    read_stream(&want, text);

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {

        translate_stream(&o, text, pieces[i]);

        if (want.error[0] != '\0') {
            CHECK_INT(o.event, AI_EVENT_ERROR);
            CHECK_MEM(o.tap.error_message.data, o.tap.error_message.len,
                      want.error, strlen(want.error));
            CHECK(o.data == NULL || strstr(o.data, "[DONE]") == NULL);
            free(o.data);
            continue;
        }

        CHECK_INT(o.event, AI_EVENT_END);
        CHECK(o.data != NULL && grammar(o.data));

        memset(&got, 0, sizeof(answer_t));
        read_stream(&got, o.data ? o.data : "");
        same(&want, &got);
        free(o.data);
    }
}


static void
check_document(const char *text)
{
    cJSON           *v;
    output_t         o;
    static answer_t  want, got;

    memset(&want, 0, sizeof(answer_t));
    v = cJSON_Parse(text);
    read_document(&want, v);
    settle(&want);

    if (cJSON_IsString(get(v, "message"))) {
        translate_document(&o, text, 0);
        CHECK_INT(o.event, AI_EVENT_ERROR);
        CHECK(o.tap.error_message.len != 0);
        free(o.data);
        cJSON_Delete(v);
        return;
    }

    cJSON_Delete(v);

    translate_document(&o, text, 0);
    CHECK_INT(o.event, AI_EVENT_CONTENT);

    memset(&got, 0, sizeof(answer_t));
    v = cJSON_Parse(o.data);
    CHECK(v != NULL && cJSON_IsString(get(v, "id")));
    read_document(&got, v);
    same(&want, &got);
    cJSON_Delete(v);
    free(o.data);

    translate_document(&o, text, 1);
    CHECK_INT(o.event, AI_EVENT_CONTENT);
    CHECK(grammar(o.data));

    memset(&got, 0, sizeof(answer_t));
    read_stream(&got, o.data);
    same(&want, &got);
    free(o.data);
}


/* requests */

static ai_request_t  req;
static ai_report_t   rep;


static ai_int_t
parse(const char *text)
{
    u_char           *copy;
    ai_json_t         root;
    ai_json_error_t   err;

    copy = unit_bytes(text, strlen(text));

    ai_request_init(&req, &unit_arena);
    ai_report_init(&rep, &unit_arena);

    if (!CHECK(ai_json_scan(copy, strlen(text), NULL, &unit_arena, NULL,
                            NULL, &root, &err)
               == AI_OK))
    {
        return AI_ERROR;
    }

    return ai_wire_cohere.parse_request(&req, &root, &rep);
}


/* a tree of what is rendered of a request, or NULL */

static cJSON *
render(const char *name, ai_uint_t stream)
{
    cJSON        *v;
    ai_buf_t      out;
    ai_str_t      text;
    ai_target_t   t;

    memset(&t, 0, sizeof(ai_target_t));

    t.op = AI_OP_COHERE_CHAT;
    t.model.data = (u_char *) name;
    t.model.len = strlen(name);
    t.stream = stream;

    ai_buf_init(&out, &unit_arena, MAX_KEPT);

    if (ai_request_normalize(&req, &rep) != AI_OK
        || ai_wire_cohere.render_request(&req, &t, &out, &rep) != AI_OK
        || ai_buf_get(&out, &text) != AI_OK)
    {
        return NULL;
    }

    v = cJSON_ParseWithLength((char *) text.data, text.len);
    CHECK(v != NULL);

    return v;
}


/* the members of a tree as compact JSON */

static void
is(const cJSON *v, const char *want)
{
    char  *text;

    text = (v != NULL) ? cJSON_PrintUnformatted(v) : NULL;

    CHECK_MEM(text ? text : "none", strlen(text ? text : "none"), want,
              strlen(want));

    free(text);
}


static ai_uint_t
dropped(const char *name)
{
    ai_uint_t  i;

    for (i = 0; i < rep.ndropped; i++) {
        if (rep.dropped[i].len == strlen(name)
            && memcmp(rep.dropped[i].data, name, rep.dropped[i].len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
test_round_trip(void)
{
    cJSON  *v;

    CHECK_INT(parse(
        "{\"model\":\"m\",\"stream\":true,\"max_tokens\":100,"
        "\"temperature\":0.30,\"p\":0.9,\"k\":40,\"seed\":7,"
        "\"frequency_penalty\":0.1,\"presence_penalty\":0.2,"
        "\"stop_sequences\":[\"a\",\"b\\n\"],\"logprobs\":true,"
        "\"strict_tools\":true,\"tool_choice\":\"REQUIRED\","
        "\"safety_mode\":\"OFF\","
        "\"thinking\":{\"type\":\"enabled\",\"token_budget\":500},"
        "\"response_format\":{\"type\":\"json_object\",\"schema\":{\"a\":1}},"
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}],"
        "\"messages\":["
        "{\"role\":\"system\",\"content\":\"s\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":"
        "\"data:image/png;base64,AAAA\",\"detail\":\"low\"}}]},"
        "{\"role\":\"assistant\",\"tool_plan\":\"plan\",\"content\":"
        "[{\"type\":\"thinking\",\"thinking\":\"hm\"}],\"tool_calls\":"
        "[{\"id\":\"f_1\",\"type\":\"function\",\"function\":"
        "{\"name\":\"f\",\"arguments\":\"{\\\"x\\\": 1.0}\"}},"
        "{\"id\":\"f_2\",\"type\":\"function\",\"function\":"
        "{\"name\":\"f\",\"arguments\":\"\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"f_1\",\"content\":\"r\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"f_2\",\"content\":"
        "[{\"type\":\"document\",\"document\":{\"data\":{\"y\": 2}}}]}]}"),
        AI_OK);

    CHECK_UINT(req.stream, 1);
    CHECK_UINT(req.include_usage, 1);
    CHECK(dropped("safety_mode"));

    v = render("command-a-plus-05-2026", 1);

    is(get(v, "model"), "\"command-a-plus-05-2026\"");
    is(get(v, "stream"), "true");
    is(get(v, "max_tokens"), "100");
    is(get(v, "p"), "0.9");
    is(get(v, "k"), "40");
    is(get(v, "seed"), "7");
    is(get(v, "stop_sequences"), "[\"a\",\"b\\n\"]");
    is(get(v, "logprobs"), "true");
    is(get(v, "strict_tools"), "true");
    is(get(v, "tool_choice"), "\"REQUIRED\"");
    is(get(v, "thinking"), "{\"type\":\"enabled\",\"token_budget\":500}");
    is(get(v, "response_format"),
       "{\"type\":\"json_object\",\"json_schema\":{\"a\":1}}");
    is(get(v, "tools"), "[{\"type\":\"function\",\"function\":{\"name\":\"f\""
       ",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}]");
    is(get(v, "messages"), "[{\"role\":\"system\",\"content\":\"s\"},"
       "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"},"
       "{\"type\":\"image_url\",\"image_url\":{\"url\":"
       "\"data:image/png;base64,AAAA\",\"detail\":\"low\"}}]},"
       "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
       "\"thinking\":\"hm\"}],\"tool_plan\":\"plan\",\"tool_calls\":"
       "[{\"id\":\"f_1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
       "\"arguments\":\"{\\\"x\\\": 1.0}\"}},{\"id\":\"f_2\",\"type\":"
       "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
       "{\"role\":\"tool\",\"tool_call_id\":\"f_1\",\"content\":\"r\"},"
       "{\"role\":\"tool\",\"tool_call_id\":\"f_2\","
       "\"content\":\"{\\\"y\\\": 2}\"}]");

    cJSON_Delete(v);
}


typedef struct {
    const char  *body;
    const char  *param;
} refusal_t;


static void
test_refused(void)
{
    size_t  i;

    static const refusal_t  bodies[] = {
        { "[]", "" },
        { "{}", "messages" },
        { "{\"messages\":1}", "messages" },
        { "{\"messages\":[1]}", "messages.0" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
          "{\"role\":\"x\"}]}", "messages.1.role" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":7}]}",
          "messages.0.content" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":[7]}]}",
          "messages.0.content" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
          "\"image_url\"}]}]}", "messages.0.content" },
        { "{\"messages\":[{\"role\":\"tool\",\"content\":\"a\"}]}",
          "messages.0.tool_call_id" },
        { "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{}]}]}",
          "messages.0.tool_calls" },
        { "{\"messages\":[],\"tools\":[{\"function\":{}}]}",
          "tools.0.function.name" },
        { "{\"tool_choice\":\"f\"}", "tool_choice" },
        { "{\"temperature\":\"1\"}", "temperature" },
        { "{\"stream\":1}", "stream" },
        { "{\"documents\":[\"a\"]}", "documents" },
        { "{\"raw_prompting\":true}", "raw_prompting" },
        { "{\"thinking\":{\"type\":\"x\"}}", "thinking.type" },
        { "{\"response_format\":{\"type\":\"x\"}}", "response_format.type" },
        { "{\"stop_sequences\":[1]}", "stop_sequences" },
        { "{\"strict_tools\":1,\"messages\":[{\"role\":\"user\"}]}",
          "strict_tools" }
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        CHECK_INT(parse(bodies[i].body), AI_DECLINED);
        CHECK(rep.message.len != 0);
        CHECK_MEM(rep.param.data, rep.param.len, bodies[i].param,
                  strlen(bodies[i].param));
    }

    CHECK_INT(parse("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],"
                    "\"documents\":[],\"k\":0,\"thinking\":null,"
                    "\"tool_choice\":null}"), AI_OK);
    CHECK_UINT(req.top_k.len, 0);
}


/* what OpenAI takes and Cohere does not */

static void
test_clamped(void)
{
    cJSON  *v;

    CHECK_INT(parse("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],"
                    "\"temperature\":1.7,\"p\":1,\"k\":9999,"
                    "\"frequency_penalty\":-2.0,\"presence_penalty\":1.5}"),
              AI_OK);

    v = render("command-a-03-2025", 0);

    is(get(v, "stream"), "false");
    is(get(v, "temperature"), "1");
    is(get(v, "p"), "0.99");
    is(get(v, "k"), "500");
    is(get(v, "frequency_penalty"), "0");
    is(get(v, "presence_penalty"), "1");
    is(get(v, "messages"), "[{\"role\":\"user\",\"content\":\"a\"}]");

    cJSON_Delete(v);
}


static void
test_one_answer_only(void)
{
    CHECK_INT(parse("{\"messages\":[{\"role\":\"user\",\"content\":"
                    "\"a\"}]}"), AI_OK);
    ai_str_set(&req.n, "2");
    CHECK(render("command-r", 0) == NULL);
    CHECK_STR(rep.param.data, rep.param.len, "n");

    CHECK_INT(parse("{\"messages\":[{\"role\":\"user\",\"content\":"
                    "\"a\"}]}"), AI_OK);
    ai_str_set(&req.top_logprobs, "3");
    CHECK(render("command-r", 0) == NULL);
    CHECK_STR(rep.param.data, rep.param.len, "top_logprobs");
}


static const char  two_tools[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":["
    "{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
    "{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}";


/* there is no choice by name */

static void
test_named_choice(void)
{
    cJSON  *v;

    CHECK_INT(parse(two_tools), AI_OK);

    req.choice = AI_CHOICE_NAMED;
    req.choice_name = ai_mstr_cstr("g");

    v = render("command-r", 0);

    is(get(v, "tool_choice"), "\"REQUIRED\"");
    is(get(v, "tools"), "[{\"type\":\"function\",\"function\":{\"name\":\"g\""
       ",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}]");
    cJSON_Delete(v);

    CHECK_INT(parse(two_tools), AI_OK);

    req.choice = AI_CHOICE_NONE;
    req.allowed[0] = ai_mstr_cstr("f");
    req.nallowed = 1;

    v = render("command-r", 0);

    is(get(v, "tool_choice"), "\"NONE\"");
    CHECK_INT(cJSON_GetArraySize(get(v, "tools")), 1);
    cJSON_Delete(v);

    /* no choice without tools, and none if all are of the provider */

    CHECK_INT(parse(two_tools), AI_OK);

    req.choice = AI_CHOICE_REQUIRED;
    req.tools->type = AI_TOOL_SERVER;
    req.tools->next->type = AI_TOOL_SERVER;

    v = render("command-r", 0);

    CHECK(get(v, "tools") == NULL);
    CHECK(get(v, "tool_choice") == NULL);
    CHECK(dropped("tools"));
    cJSON_Delete(v);
}


static void
test_custom_tool(void)
{
    cJSON       *v;
    ai_part_t   *part;

    CHECK_INT(parse("{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":["
                    "{\"id\":\"c\",\"function\":{\"name\":\"f\"}}]},"
                    "{\"role\":\"tool\",\"tool_call_id\":\"c\","
                    "\"content\":\"no\"}],\"tools\":[{\"type\":\"function\","
                    "\"function\":{\"name\":\"f\"}}]}"), AI_OK);

    req.tools->type = AI_TOOL_CUSTOM;
    part = req.messages->parts;
    part->custom = 1;
    part->args = ai_mstr_cstr("say \"hi\"");
    req.messages->next->parts->is_error = 1;

    v = render("command-r", 0);

    is(path(cJSON_GetArrayItem(get(v, "tools"), 0), "function", "parameters",
            NULL),
       "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}}"
       ",\"required\":[\"input\"]}");
    is(get(v, "messages"), "[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":"
       "\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\","
       "\"arguments\":\"{\\\"input\\\":\\\"say \\\\\\\"hi\\\\\\\"\\\"}\"}}]},"
       "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":"
       "\"Error: no\"}]");
    cJSON_Delete(v);
}


/* models from before thinking are not told to, nor shown thoughts */

static void
test_thinking(void)
{
    cJSON  *v;

    static const char  body[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
        "\"thinking\":\"t\"},{\"type\":\"text\",\"text\":\"b\"}]}],"
        "\"thinking\":{\"type\":\"enabled\"}}";

    CHECK_INT(parse(body), AI_OK);
    CHECK_UINT(req.adaptive, 1);

    v = render("cohere/command-a-reasoning-08-2025", 0);
    is(get(v, "thinking"), "{\"type\":\"enabled\"}");
    is(get(cJSON_GetArrayItem(get(v, "messages"), 1), "content"),
       "[{\"type\":\"thinking\",\"thinking\":\"t\"},{\"type\":\"text\","
       "\"text\":\"b\"}]");
    cJSON_Delete(v);

    CHECK_INT(parse(body), AI_OK);
    v = render("command-r7b-12-2024", 0);
    CHECK(get(v, "thinking") == NULL);
    CHECK(dropped("reasoning_effort"));
    is(get(cJSON_GetArrayItem(get(v, "messages"), 1), "content"),
       "[{\"type\":\"text\",\"text\":\"b\"}]");
    cJSON_Delete(v);

    CHECK_INT(parse(body), AI_OK);
    req.adaptive = 0;
    req.effort = AI_EFFORT_NONE;
    v = render("command-a-reasoning-08-2025", 0);
    is(get(v, "thinking"), "{\"type\":\"disabled\"}");
    cJSON_Delete(v);

    CHECK_INT(parse(body), AI_OK);
    req.adaptive = 0;
    req.effort = AI_EFFORT_HIGH;
    v = render("command-a-reasoning-08-2025", 0);
    is(get(v, "thinking"), "{\"type\":\"enabled\",\"token_budget\":4096}");
    cJSON_Delete(v);
}


static void
test_media(void)
{
    cJSON       *v;
    ai_part_t   *part;

    CHECK_INT(parse("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\""
                    ":\"image_url\",\"image_url\":\"https://a/b.png\"}]}]}"),
              AI_OK);

    v = render("command-a-vision-07-2025", 0);
    is(get(v, "messages"), "[{\"role\":\"user\",\"content\":[{\"type\":"
       "\"image_url\",\"image_url\":{\"url\":\"https://a/b.png\"}}]}]");
    cJSON_Delete(v);

    CHECK_INT(parse("{\"messages\":[{\"role\":\"user\",\"content\":"
                    "\"a\"}]}"), AI_OK);
    req.messages->parts->type = AI_PART_AUDIO;
    CHECK(render("command-r", 0) == NULL);
    CHECK(rep.message.len != 0);

    /* an image of a tool comes from the user, after all results */

    CHECK_INT(parse("{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":["
                    "{\"id\":\"c\",\"function\":{\"name\":\"f\"}}]},"
                    "{\"role\":\"tool\",\"tool_call_id\":\"c\","
                    "\"content\":\"see\"}]}"), AI_OK);

    part = ai_part_create(&unit_arena, AI_PART_IMAGE);
    part->data = ai_mstr_cstr("AAAA");
    part->media_type = ai_mstr_cstr("image/png");
    req.messages->next->parts->content->next = part;

    v = render("command-a-vision-07-2025", 0);
    is(cJSON_GetArrayItem(get(v, "messages"), 1), "{\"role\":\"tool\","
       "\"tool_call_id\":\"c\",\"content\":\"see\"}");
    is(cJSON_GetArrayItem(get(v, "messages"), 2), "{\"role\":\"user\","
       "\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
       "\"data:image/png;base64,AAAA\"}}]}");
    cJSON_Delete(v);
}


/* answers */

#define START                                                                \
    "event: message-start\n"                                                 \
    "data: {\"id\":\"i\",\"type\":\"message-start\",\"delta\":{\"message\":" \
    "{\"role\":\"assistant\",\"content\":[]}}}\n\n"

#define END(reason)                                                          \
    "event: message-end\n"                                                   \
    "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\""        \
    reason "\",\"usage\":{\"tokens\":{\"input_tokens\":10,"                  \
    "\"output_tokens\":5.0},\"cached_tokens\":4}}}\n\n"                      \
    "data: [DONE]\n\n"

#define DATA(json)  "data: " json "\n\n"


static void
test_content_and_calls_are_objects(void)
{
    check_stream(
        START
        DATA("{\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":"
             "{\"content\":{\"type\":\"thinking\",\"thinking\":\"\"}}}}")
        DATA("{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":"
             "{\"content\":{\"thinking\":\"\\u00fc\\n\"}}}}")
        DATA("{\"type\":\"content-end\",\"index\":0}")
        DATA("{\"type\":\"tool-plan-delta\",\"delta\":{\"message\":"
             "{\"tool_plan\":\"plan\"}}}")
        DATA("{\"type\":\"tool-call-start\",\"index\":0,\"delta\":"
             "{\"message\":{\"tool_calls\":{\"id\":\"a\",\"type\":"
             "\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
             "\"{\\\"x\"}}}}}")
        DATA("{\"type\":\"tool-call-delta\",\"index\":0,\"delta\":"
             "{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":"
             "\"\\\": null}\"}}}}}")
        DATA("{\"type\":\"tool-call-end\",\"index\":0}")
        DATA("{\"type\":\"tool-call-start\",\"index\":1,\"delta\":"
             "{\"message\":{\"tool_calls\":{\"id\":\"b\",\"type\":"
             "\"function\",\"function\":{\"name\":\"g\",\"arguments\":"
             "null}}}}}")
        DATA("{\"type\":\"tool-call-end\",\"index\":1}")
        DATA("{\"type\":\"citation-start\",\"index\":0,\"delta\":"
             "{\"message\":{\"citations\":{\"start\":1,\"end\":3,\"text\":"
             "\"la\",\"sources\":[{\"type\":\"document\",\"id\":\"d\","
             "\"document\":{\"title\":\"T\",\"url\":\"https://u\"}}]}}}}")
        DATA("{\"type\":\"citation-end\",\"index\":0}")
        END("TOOL_CALL"));
}


/* a piece that reads "null" is dropped where a call begins, nowhere else */

static void
test_null_arguments(void)
{
    output_t         o;
    static answer_t  got;

    translate_stream(&o,
        START
        DATA("{\"type\":\"tool-call-start\",\"index\":0,\"delta\":"
             "{\"message\":{\"tool_calls\":{\"id\":\"a\",\"type\":"
             "\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
             "\"null\"}}}}}")
        DATA("{\"type\":\"tool-call-end\",\"index\":0}")
        DATA("{\"type\":\"tool-call-start\",\"index\":1,\"delta\":"
             "{\"message\":{\"tool_calls\":{\"id\":\"b\",\"type\":"
             "\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
             "\"{\\\"x\\\":\"}}}}}")
        DATA("{\"type\":\"tool-call-delta\",\"index\":1,\"delta\":"
             "{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":"
             "\"null\"}}}}}")
        DATA("{\"type\":\"tool-call-delta\",\"index\":1,\"delta\":"
             "{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":"
             "\"}\"}}}}}")
        DATA("{\"type\":\"tool-call-end\",\"index\":1}")
        END("TOOL_CALL"), 1 << 30);

    memset(&got, 0, sizeof(answer_t));
    read_stream(&got, o.data);

    CHECK_STR(got.args[0], strlen(got.args[0]), "{}");
    CHECK_STR(got.args[1], strlen(got.args[1]), "{\"x\":null}");
    free(o.data);
}


static void
test_unknown_events(void)
{
    output_t  o;

    translate_stream(&o,
        START
        DATA("{\"type\":\"debug\",\"prompt\":\"x\"}")
        DATA("{\"type\":\"new-thing\",\"delta\":[1]}")
        DATA("{\"type\":\"content-delta\",\"index\":0,\"delta\":null}")
        DATA("{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":"
             "{\"content\":{\"text\":\"a\"}}}}")
        END("COMPLETE"), 1 << 30);

    CHECK_INT(o.event, AI_EVENT_END);
    CHECK_UINT(o.tap.unknown, 2);
    CHECK(grammar(o.data));
    free(o.data);
}


/* cached tokens are a part of the input, images are not */

static void
test_usage(void)
{
    output_t  o;

    translate_stream(&o, START END("COMPLETE"), 1 << 30);
    CHECK_UINT(o.tap.usage.uncached, 6);
    CHECK_UINT(o.tap.usage.cached, 4);
    CHECK_UINT(o.tap.usage.output, 5);
    free(o.data);

    translate_document(&o, "{\"id\":\"a\",\"message\":{\"content\":[{\"type\""
                       ":\"text\",\"text\":\"a\"}]},\"finish_reason\":"
                       "\"COMPLETE\",\"usage\":{\"billed_units\":"
                       "{\"input_tokens\":1},\"tokens\":{\"input_tokens\":34,"
                       "\"output_tokens\":70,\"reasoning_tokens\":90,"
                       "\"image_tokens\":259},\"cached_tokens\":1000}}", 0);
    CHECK_UINT(o.tap.usage.uncached, 0);
    CHECK_UINT(o.tap.usage.cached, 293);
    CHECK_UINT(o.tap.usage.reasoning, 70);
    free(o.data);

    /* better than nothing */

    translate_document(&o, "{\"message\":{\"content\":[]},\"usage\":"
                       "{\"billed_units\":{\"input_tokens\":3,"
                       "\"output_tokens\":2}}}", 0);
    CHECK_UINT(o.tap.usage.uncached, 3);
    CHECK_INT(o.tap.usage.source, AI_USAGE_PROVIDER);
    free(o.data);
}


/* the answer is no answer, and its stream does not end as one */

static void
test_error_at_the_end(void)
{
    output_t  o;

    translate_stream(&o,
        START
        DATA("{\"type\":\"message-end\",\"delta\":{\"finish_reason\":"
             "\"ERROR\",\"usage\":{},\"error\":\"no luck\",\"error_type\":"
             "\"INVALID_TOOL_GENERATION\"}}")
        DATA("[DONE]"), 1 << 30);

    CHECK_INT(o.event, AI_EVENT_ERROR);
    CHECK_STR(o.tap.error_message.data, o.tap.error_message.len, "no luck");
    free(o.data);

    translate_stream(&o, START DATA("{\"id\":\"x\",\"message\":\"boom\"}"),
                     1 << 30);
    CHECK_INT(o.event, AI_EVENT_ERROR);
    CHECK_STR(o.tap.error_message.data, o.tap.error_message.len, "boom");
    free(o.data);

    /* and what is cut off is not complete */

    translate_stream(&o, START DATA("{\"type\":\"content-delta\",\"delta\":"
                     "{\"message\":{\"content\":{\"text\":\"a\"}}}}"),
                     1 << 30);
    CHECK_INT(o.event, AI_EVENT_INVALID);
    CHECK(strstr(o.data, "[DONE]") == NULL);
    free(o.data);
}


/* what an error looks like to a client, in a stream and without one */

static void
test_error_documents(void)
{
    cJSON           *v;
    output_t         o;
    ai_str_t         out;
    ai_error_doc_t   doc;
    ai_translate_t  *t;

    memset(&doc, 0, sizeof(ai_error_doc_t));
    doc.error = AI_ERR_RATE_LIMIT;
    doc.retry_after = 7;
    ai_str_set(&doc.request_id, "r1");
    ai_str_set(&doc.message, "slow \"down\"");

    CHECK_INT(ai_dialect_cohere.error(&doc, &unit_arena, &out), AI_OK);
    v = cJSON_ParseWithLength((char *) out.data, out.len);
    is(get(v, "id"), "\"r1\"");
    is(get(v, "message"), "\"slow \\\"down\\\"\"");
    cJSON_Delete(v);

    t = translate_start(&o);
    CHECK_INT(ai_translate_error(t, &doc), AI_OK);
    output_add(&o, ai_translate_out(t));
    CHECK(strncmp(o.data, "event: message-end\ndata: {\"type\":"
                  "\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\"",
                  70) == 0);
    CHECK(strstr(o.data, "\"error\":\"slow \\\"down\\\"\"") != NULL);
    CHECK(strstr(o.data, "[DONE]") == NULL);
    free(o.data);
}


/* deltas of other providers, in the order that encoders get them */

static void
test_encoder(void)
{
    size_t       i;
    ai_buf_t     out;
    ai_str_t     text;
    answer_t    *got;
    ai_usage_t   usage;
    ai_delta_t   d[12];
    ai_encode_t  e;

    memset(&e, 0, sizeof(ai_encode_t));
    memset(&usage, 0, sizeof(ai_usage_t));
    memset(d, 0, sizeof(d));

    usage.uncached = 3;
    usage.cached = 2;
    usage.cache_write = 1;
    usage.output = 9;
    usage.reasoning = 4;
    usage.source = AI_USAGE_PROVIDER;

    e.wire = &ai_wire_cohere;
    e.op = AI_OP_COHERE_CHAT;
    e.alloc = &unit_arena;
    e.state = calloc(1, ai_wire_cohere.encode_size);
    e.usage = &usage;
    e.out = &out;

    ai_buf_init(&out, &unit_arena, MAX_KEPT);

    d[0].type = AI_DELTA_START;
    d[1].type = AI_DELTA_REASONING;
    d[1].text = ai_mstr_cstr("hm");
    d[2].type = AI_DELTA_STATE;
    d[2].state_kind = AI_STATE_ANTHROPIC;
    d[3].type = AI_DELTA_REASONING;
    d[3].text = ai_mstr_cstr("hm");
    d[4].type = AI_DELTA_TEXT;
    d[4].text = ai_mstr_cstr("\"a\"");
    d[5].type = AI_DELTA_LOGPROBS;
    ai_str_set(&d[5].raw, "[{\"token\":\"\\\"a\",\"logprob\":-0.10}]");
    d[6].type = AI_DELTA_CITATION;
    d[6].url = ai_mstr_cstr("https://u");
    d[6].to = 3;
    d[7].type = AI_DELTA_CALL;
    d[7].id = ai_mstr_cstr("c1");
    d[7].name = ai_mstr_cstr("f");
    d[8].type = AI_DELTA_ARGS;
    d[8].text = ai_mstr_cstr("{}");
    d[9].type = AI_DELTA_CALL_END;
    d[10].type = AI_DELTA_FINISH;
    d[10].finish = AI_FINISH_FILTER;
    d[11].type = AI_DELTA_END;

    for (i = 0; i < sizeof(d) / sizeof(d[0]); i++) {
        CHECK_INT(ai_wire_cohere.render_event(&e, &d[i]), AI_OK);
    }

    ai_buf_lit(&out, "\0");
    CHECK_INT(ai_buf_get(&out, &text), AI_OK);
    text.data[text.len - 1] = '\0';
    CHECK(grammar((char *) text.data));

    got = calloc(1, sizeof(answer_t));
    read_stream(got, (char *) text.data);
    CHECK_STR(got->thoughts, strlen(got->thoughts), "hmhm");
    CHECK_STR(got->text, strlen(got->text), "\"a\"");
    CHECK_STR(got->finish, strlen(got->finish), "ERROR");
    CHECK(got->error[0] != '\0');
    CHECK_INT(got->input, 6);
    CHECK_INT(got->output, 9);
    CHECK_UINT(got->ncitations, 1);
    CHECK(strstr((char *) text.data, "\"logprobs\":{\"token_ids\":[],"
                 "\"text\":\"\\\"a\",\"logprobs\":[-0.10]}") != NULL);

    free(got);
    free(e.state);
}


static void
test_logprobs(void)
{
    cJSON     *v;
    output_t   o;

    translate_document(&o, "{\"message\":{\"content\":[{\"type\":\"text\","
                       "\"text\":\"ab\"}]},\"finish_reason\":\"COMPLETE\","
                       "\"logprobs\":[{\"text\":\"a\",\"token_ids\":[1],"
                       "\"logprobs\":[-0.50]},{\"text\":\"b\",\"token_ids\":"
                       "[2,3],\"logprobs\":[-0.25,-1]}]}", 0);

    CHECK(strstr(o.data, "\"logprobs\":[-0.50]") != NULL);

    v = cJSON_Parse(o.data);
    is(get(v, "logprobs"), "[{\"token_ids\":[],\"text\":\"a\",\"logprobs\":"
       "[-0.5]},{\"token_ids\":[],\"text\":\"b\",\"logprobs\":[-1.25]}]");
    cJSON_Delete(v);
    free(o.data);
}


/* a lack of memory anywhere is told, and nothing else happens */

static void
test_no_memory(void)
{
    long             n;
    ai_int_t         rc;
    output_t         o;
    ai_event_e       event;
    ai_translate_t  *t;
    ai_sse_event_t   ev;
    ai_json_error_t  err;

    static char  text[] =
        "{\"id\":\"a\",\"message\":{\"tool_plan\":\"p\",\"tool_calls\":["
        "{\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}],"
        "\"citations\":[{\"start\":0,\"end\":1,\"text\":\"p\"}]},"
        "\"logprobs\":[{\"text\":\"a\",\"logprobs\":[-1]}]}";
    static char  event_text[] =
        "{\"type\":\"content-delta\",\"delta\":{\"message\":"
        "{\"content\":{\"text\":\"a\"}}},\"logprobs\":{\"text\":\"a\","
        "\"logprobs\":[-1]}}";

    for (n = 0; n < 200; n++) {

        unit.fail_after = n;
        t = translate_start(&o);

        event = t ? ai_translate_response(t, (u_char *) text,
                                          sizeof(text) - 1, 0, &err)
                  : AI_EVENT_INVALID;

        if (event == AI_EVENT_CONTENT) {
            break;
        }

        CHECK_INT(event, AI_EVENT_INVALID);
        unit_arena_reset();
    }

    CHECK(n > 3 && n < 200);

    for (n = 0; n < 200; n++) {

        unit.fail_after = n;
        t = translate_start(&o);

        memset(&ev, 0, sizeof(ai_sse_event_t));
        ev.data.data = (u_char *) event_text;
        ev.data.len = sizeof(event_text) - 1;
        ev.has_data = 1;

        event = t ? ai_translate_event(t, &ev) : AI_EVENT_INVALID;

        if (event == AI_EVENT_CONTENT) {
            break;
        }

        CHECK_INT(event, AI_EVENT_INVALID);
        unit_arena_reset();
    }

    CHECK(n > 2 && n < 200);
    unit_arena_reset();

    for (n = 0; n < 200; n++) {

        u_char     *copy;
        ai_buf_t    out;
        ai_json_t   root;
        ai_target_t target;

        copy = unit_bytes(two_tools, sizeof(two_tools) - 1);
        CHECK_INT(ai_json_scan(copy, sizeof(two_tools) - 1, NULL, &unit_arena,
                               NULL, NULL, &root, &err), AI_OK);

        unit.fail_after = n;

        memset(&target, 0, sizeof(ai_target_t));
        target.model = model;

        ai_request_init(&req, &unit_arena);
        ai_report_init(&rep, &unit_arena);
        ai_buf_init(&out, &unit_arena, MAX_KEPT);

        rc = ai_wire_cohere.parse_request(&req, &root, &rep);

        if (rc == AI_OK) {
            rc = ai_wire_cohere.render_request(&req, &target, &out, &rep);
        }

        unit_arena_reset();

        if (rc == AI_OK) {
            break;
        }

        CHECK_INT(rc, AI_ERROR);
    }

    CHECK(n > 4 && n < 200);
}


/* recorded answers */

static char *
slurp(const char *name)
{
    long   len;
    char  *text;
    FILE  *f;

    f = fopen(name, "rb");

    if (f == NULL) {
        return NULL;
    }

    (void) fseek(f, 0, SEEK_END);
    len = ftell(f);
    rewind(f);

    text = malloc((size_t) len + 1);
    text[fread(text, 1, (size_t) len, f)] = '\0';
    (void) fclose(f);

    return text;
}


/* one event of JSON to a line, as a stream */

static char *
wrap(const char *lines)
{
    char        *out, *p;
    const char  *s;

    out = malloc(strlen(lines) * 9 + 64);
    p = out;

    for (s = lines; *s != '\0'; /* void */ ) {

        p += sprintf(p, "data: ");

        while (*s != '\0' && *s != '\n') {
            *p++ = *s++;
        }

        s += *s == '\n';
        p += sprintf(p, "\n\n");
    }

    (void) sprintf(p, "data: [DONE]\n\n");

    return out;
}


/* the request of a pair goes there and back, if it is one of v2 */

static void
fixture_request(const cJSON *pair)
{
    char         *text;
    cJSON        *v;
    ai_int_t      rc;
    const cJSON  *body, *m, *n;

    body = path(pair, "request", "body", NULL);

    if (!cJSON_IsArray(get(body, "messages"))) {
        return;
    }

    text = cJSON_PrintUnformatted(body);
    rc = parse(text);
    free(text);

    if (cJSON_GetArraySize(get(body, "documents")) != 0) {
        CHECK_INT(rc, AI_DECLINED);
        CHECK_STR(rep.param.data, rep.param.len, "documents");
        return;
    }

    CHECK_INT(rc, AI_OK);

    v = render(get(body, "model")->valuestring,
               cJSON_IsTrue(get(body, "stream")));

    if (!CHECK(v != NULL)) {
        return;
    }

    n = cJSON_GetArrayItem(get(v, "tools"), 0);

    cJSON_ArrayForEach(m, get(body, "tools")) {
        CHECK(cJSON_Compare(path(m, "function", "name", NULL),
                            path(n, "function", "name", NULL), 1));
        CHECK(cJSON_Compare(path(m, "function", "parameters", NULL),
                            path(n, "function", "parameters", NULL), 1));
        n = n ? n->next : NULL;
    }

    CHECK(cJSON_Compare(get(body, "response_format"),
                        get(v, "response_format"), 1)
          || get(body, "response_format") == NULL);
    CHECK(cJSON_Compare(get(body, "tool_choice"), get(v, "tool_choice"), 1)
          || get(body, "tool_choice") == NULL);

    /* the same roles, calls and results; what one user says is one message */

    n = get(v, "messages")->child;

    cJSON_ArrayForEach(m, get(body, "messages")) {

        if (m->prev->next != NULL
            && strcmp(get(m, "role")->valuestring, "user") == 0
            && strcmp(get(m->prev, "role")->valuestring, "user") == 0)
        {
            continue;
        }

        if (!CHECK(n != NULL)) {
            break;
        }

        CHECK(cJSON_Compare(get(m, "role"), get(n, "role"), 1));
        CHECK(cJSON_Compare(get(m, "tool_calls"), get(n, "tool_calls"), 1)
              || get(m, "tool_calls") == NULL);
        CHECK(cJSON_Compare(get(m, "tool_call_id"), get(n, "tool_call_id"),
                            1)
              || get(m, "tool_call_id") == NULL);

        n = n->next;
    }

    CHECK(n == NULL);
    cJSON_Delete(v);
}


static void
fixture(const char *dir, const char *name)
{
    char         *text, *wrapped;
    char          file[1024];
    size_t        len;
    cJSON        *v;
    const cJSON  *body;

    (void) snprintf(file, sizeof(file), "%s/%s", dir, name);
    text = slurp(file);
    len = strlen(name);

    if (!CHECK(text != NULL)) {
        return;
    }

    if (strcmp(name + len - 4, ".sse") == 0) {
        check_stream(text);

    } else if (strcmp(name + len - 7, ".ndjson") == 0) {

        wrapped = wrap(text);

        /* one of v1 is in the directory as well */

        if (strstr(text, "\"message-start\"") != NULL) {
            check_stream(wrapped);
        }

        free(wrapped);

    } else {
        v = cJSON_Parse(text);
        fixture_request(v);

        body = get(v, "response") ? path(v, "response", "body", NULL) : v;

        if (get(body, "message") != NULL) {
            free(text);
            text = cJSON_PrintUnformatted(body);
            check_document(text);
        }

        cJSON_Delete(v);
    }

    free(text);
    unit_arena_reset();
}


static void
test_fixtures(void)
{
    DIR            *d;
    char            dir[256];
    unsigned        n;
    struct dirent  *de;
    const char *const  *root;

    d = NULL;

    for (root = roots; *root != NULL && d == NULL; root++) {
        (void) snprintf(dir, sizeof(dir), "%s/cohere/chat", *root);
        d = opendir(dir);
    }

    if (d == NULL) {
        printf("skipped: no recorded answers of Cohere\n");
        return;
    }

    n = 0;

    while ((de = readdir(d)) != NULL) {
        if (de->d_name[0] != '.') {
            fixture(dir, de->d_name);
            n++;
        }
    }

    (void) closedir(d);
    CHECK(n > 50);
}


int
main(void)
{
    UNIT_RUN(test_round_trip);
    UNIT_RUN(test_refused);
    UNIT_RUN(test_clamped);
    UNIT_RUN(test_one_answer_only);
    UNIT_RUN(test_named_choice);
    UNIT_RUN(test_custom_tool);
    UNIT_RUN(test_thinking);
    UNIT_RUN(test_media);
    UNIT_RUN(test_content_and_calls_are_objects);
    UNIT_RUN(test_null_arguments);
    UNIT_RUN(test_unknown_events);
    UNIT_RUN(test_usage);
    UNIT_RUN(test_error_at_the_end);
    UNIT_RUN(test_error_documents);
    UNIT_RUN(test_encoder);
    UNIT_RUN(test_logprobs);
    UNIT_RUN(test_no_memory);
    UNIT_RUN(test_fixtures);

    return unit_done();
}

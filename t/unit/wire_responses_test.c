
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The wire of OpenAI's Responses.  What is written is read by a checker of
 * its own, which knows the grammar of the events from the recorded streams;
 * what is read is compared to what a plain walk over cJSON trees finds.
 */


#include <dirent.h>

#include <cjson/cJSON.h>

#include "ai_order.h"
#include "unit.h"


#define MAX       (8 * 1024 * 1024)
#define MAX_ITEMS 128


static const ai_wire_t  *wire = &ai_wire_responses;

static ai_vendor_t  vendor = { .name = ai_string("openai") };


static ai_str_t
str(const char *s)
{
    ai_str_t  v = { strlen(s), (u_char *) s };

    return v;
}


static ai_mstr_t
mstr(const char *s)
{
    ai_str_t  v = str(s);

    return ai_mstr_plain(&v);
}


static const char *
text_of(const cJSON *object, const char *name)
{
    const char  *s = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

    return s ? s : "";
}


#define CHECK_TEXT(got, want)                                                \
    unit_diff(got, strlen(got), want, strlen(want), __FILE__, __LINE__, #got)


/* texts that grow, of the test's own */

typedef struct {
    char    *p;
    size_t   len;
} grow_t;


static void
grow(grow_t *g, const char *s, size_t len)
{
    g->p = realloc(g->p, g->len + len + 1);

    if (len != 0) {
        memcpy(g->p + g->len, s, len);
    }

    g->len += len;
    g->p[g->len] = '\0';
}


static const char *
grown(const grow_t *g)
{
    return g->p ? g->p : "";
}


static int
scan(const char *p, size_t len, ai_json_t *root)
{
    ai_json_error_t   err;
    ai_json_limits_t  limits = { 128, SIZE_MAX };

    return ai_json_scan((u_char *) p, len, &limits, &unit_arena, NULL, NULL,
                        root, &err)
           == AI_OK;
}


/* --- the grammar of a stream --- */


typedef struct {
    unsigned   events;
    unsigned   nitems;
    cJSON     *items[MAX_ITEMS];
    cJSON     *last;               /* the response at the end */
    char       end[128];
    char       names[8192];        /* of the events, without "response." */
    int        ok;
} grammar_t;


typedef struct {
    grow_t     text;               /* deltas of the open part, or arguments */
    cJSON     *parts;              /* that are done, of the open item */
    cJSON     *notes;
    char       type[64];           /* of the open item; "": none */
    char       id[128];
    char       part[32];           /* of the open part; "": none */
    int        done;               /* arguments were told as a whole */
    int        ended;
} state_t;


#define WANT(cond)                                                           \
    do {                                                                     \
        if (!unit_check((cond) != 0, __FILE__, __LINE__, #cond)) {           \
            g->ok = 0;                                                       \
        }                                                                    \
    } while (0)


/* what strict clients miss if it is not there */

static void
check_response(grammar_t *g, const cJSON *r, const char *status)
{
    unsigned  i;

    static const char *const  members[] = {
        "id", "object", "created_at", "status", "error",
        "incomplete_details", "instructions", "max_output_tokens", "model",
        "output", "parallel_tool_calls", "previous_response_id", "reasoning",
        "store", "temperature", "text", "tool_choice", "tools", "top_p",
        "truncation", "usage", "user", "metadata", "background",
        "service_tier", "top_logprobs", NULL
    };

    for (i = 0; members[i] != NULL; i++) {
        if (!cJSON_HasObjectItem(r, members[i])) {
            printf("no member %s\n", members[i]);
            g->ok = unit_check(0, __FILE__, __LINE__, "member of response");
        }
    }

    WANT(strncmp(text_of(r, "id"), "resp_", 5) == 0);
    WANT(strcmp(text_of(r, "object"), "response") == 0);
    WANT(strcmp(text_of(r, "status"), status) == 0);
    WANT(cJSON_IsNumber(cJSON_GetObjectItem(r, "created_at")));
    WANT(cJSON_IsArray(cJSON_GetObjectItem(r, "output")));
    WANT(cJSON_IsArray(cJSON_GetObjectItem(r, "tools")));
    WANT(cJSON_IsObject(cJSON_GetObjectItem(
             cJSON_GetObjectItem(r, "text"), "format")));
    WANT(cJSON_IsObject(cJSON_GetObjectItem(r, "error"))
         == (strcmp(status, "failed") == 0));
    WANT(cJSON_IsObject(cJSON_GetObjectItem(r, "incomplete_details"))
         == (strcmp(status, "incomplete") == 0));
}


static void
check_item_added(grammar_t *g, state_t *s, const cJSON *ev)
{
    const char   *type;
    const cJSON  *item;

    item = cJSON_GetObjectItem(ev, "item");
    type = text_of(item, "type");

    WANT(s->type[0] == '\0');
    WANT(strlen(text_of(item, "id")) > 3);
    WANT(strcmp(text_of(item, "status"), "in_progress") == 0);

    snprintf(s->type, sizeof(s->type), "%s", type);
    snprintf(s->id, sizeof(s->id), "%s", text_of(item, "id"));
    s->text.len = 0;
    s->done = 0;
    s->parts = cJSON_CreateArray();

    if (strcmp(type, "message") == 0) {
        WANT(strcmp(text_of(item, "role"), "assistant") == 0);
        WANT(cJSON_IsArray(cJSON_GetObjectItem(item, "content"))
             && cJSON_GetArraySize(cJSON_GetObjectItem(item, "content"))
                == 0);

    } else if (strcmp(type, "reasoning") == 0) {
        WANT(cJSON_IsArray(cJSON_GetObjectItem(item, "summary"))
             && cJSON_GetArraySize(cJSON_GetObjectItem(item, "summary"))
                == 0);

    } else if (strcmp(type, "function_call") == 0) {
        WANT(strcmp(text_of(item, "arguments"), "") == 0
             && cJSON_HasObjectItem(item, "arguments"));
        WANT(text_of(item, "call_id")[0] != '\0');
        WANT(text_of(item, "name")[0] != '\0');

    } else if (strcmp(type, "custom_tool_call") == 0) {
        WANT(cJSON_HasObjectItem(item, "input"));
        WANT(text_of(item, "call_id")[0] != '\0');

    } else {
        WANT(strcmp(type, "image_generation_call") == 0);
    }
}


static void
check_item_done(grammar_t *g, state_t *s, const cJSON *ev)
{
    const char   *whole;
    const cJSON  *item;

    item = cJSON_GetObjectItem(ev, "item");

    WANT(s->type[0] != '\0' && strcmp(s->type, text_of(item, "type")) == 0);
    WANT(strcmp(s->id, text_of(item, "id")) == 0);
    WANT(s->part[0] == '\0');
    WANT(strcmp(text_of(item, "status"), "completed") == 0
         || strcmp(text_of(item, "status"), "incomplete") == 0);

    if (strcmp(s->type, "message") == 0) {
        WANT(cJSON_Compare(s->parts, cJSON_GetObjectItem(item, "content"),
                           1));

    } else if (strcmp(s->type, "reasoning") == 0) {
        WANT(cJSON_Compare(s->parts, cJSON_GetObjectItem(item, "summary"),
                           1));

    } else if (strcmp(s->type, "image_generation_call") != 0) {
        whole = text_of(item, strcmp(s->type, "function_call") == 0
                              ? "arguments" : "input");
        WANT(s->done);
        WANT(strlen(whole) == s->text.len
             && memcmp(whole, grown(&s->text), s->text.len) == 0);
    }

    WANT(g->nitems < MAX_ITEMS);
    g->items[g->nitems++] = cJSON_Duplicate(item, 1);

    cJSON_Delete(s->parts);
    s->parts = NULL;
    s->type[0] = '\0';
}


static const char *
part_index(const char *type)
{
    return strstr(type, "summary") ? "summary_index" : "content_index";
}


/* events of parts: added, delta, annotation, done, done */

static void
check_part(grammar_t *g, state_t *s, const char *type, const cJSON *ev)
{
    const char   *whole, *name;
    const cJSON  *part;

    WANT(cJSON_GetNumberValue(cJSON_GetObjectItem(ev, part_index(type)))
         == cJSON_GetArraySize(s->parts));

    part = cJSON_GetObjectItem(ev, "part");

    if (strstr(type, "part.added") != NULL) {
        WANT(s->part[0] == '\0');
        snprintf(s->part, sizeof(s->part), "%s", text_of(part, "type"));
        s->text.len = 0;
        s->done = 0;
        s->notes = cJSON_CreateArray();
        WANT(strcmp(s->part, "output_text") == 0
             || strcmp(s->part, "refusal") == 0
             || strcmp(s->part, "summary_text") == 0);
        WANT((strcmp(s->part, "summary_text") == 0)
             == (strstr(type, "reasoning") != NULL));
        return;
    }

    WANT(s->part[0] != '\0');

    name = strcmp(s->part, "refusal") == 0 ? "refusal" : "text";

    if (strstr(type, ".annotation.added") != NULL) {
        WANT(cJSON_GetNumberValue(cJSON_GetObjectItem(ev,
                                                      "annotation_index"))
             == cJSON_GetArraySize(s->notes));
        cJSON_AddItemToArray(s->notes,
            cJSON_Duplicate(cJSON_GetObjectItem(ev, "annotation"), 1));
        return;
    }

    if (strstr(type, ".delta") != NULL) {
        WANT(!s->done);
        WANT(text_of(ev, "delta")[0] != '\0');
        WANT((strcmp(type, "output_text.delta") == 0)
             == (strcmp(s->part, "output_text") == 0));
        WANT((strcmp(type, "refusal.delta") == 0)
             == (strcmp(s->part, "refusal") == 0));
        grow(&s->text, text_of(ev, "delta"), strlen(text_of(ev, "delta")));
        return;
    }

    if (strstr(type, "part.done") == NULL) {
        WANT(!s->done);
        s->done = 1;
        whole = text_of(ev, name);

    } else {
        WANT(s->done);
        whole = text_of(part, name);
        WANT(strcmp(s->part, text_of(part, "type")) == 0);

        if (strcmp(s->part, "output_text") == 0) {
            WANT(cJSON_Compare(s->notes,
                               cJSON_GetObjectItem(part, "annotations"), 1));
            WANT(cJSON_IsArray(cJSON_GetObjectItem(part, "logprobs")));
        }

        cJSON_AddItemToArray(s->parts, cJSON_Duplicate(part, 1));
        cJSON_Delete(s->notes);
        s->notes = NULL;
        s->part[0] = '\0';
    }

    WANT(strlen(whole) == s->text.len
         && memcmp(whole, grown(&s->text), s->text.len) == 0);
}


static void
check_end(grammar_t *g, state_t *s, const char *type, const cJSON *ev)
{
    unsigned      i;
    const cJSON  *r, *output;

    r = cJSON_GetObjectItem(ev, "response");
    output = cJSON_GetObjectItem(r, "output");

    WANT(!s->ended);
    s->ended = 1;

    check_response(g, r, type);
    snprintf(g->end, sizeof(g->end), "%s", type);
    g->last = cJSON_Duplicate(r, 1);

    if (strcmp(type, "failed") != 0) {
        WANT(s->type[0] == '\0');
        WANT((unsigned) cJSON_GetArraySize(output) == g->nitems);
    }

    for (i = 0; i < g->nitems; i++) {
        WANT(cJSON_Compare(g->items[i], cJSON_GetArrayItem(output, (int) i),
                           1));
    }
}


static void
check_event(grammar_t *g, state_t *s, const char *name, const cJSON *ev)
{
    const char   *type;
    const cJSON  *index;

    WANT(strcmp(name, text_of(ev, "type")) == 0);
    WANT(strncmp(name, "response.", 9) == 0);
    WANT(cJSON_IsNumber(cJSON_GetObjectItem(ev, "sequence_number")));
    WANT(cJSON_GetNumberValue(cJSON_GetObjectItem(ev, "sequence_number"))
         == g->events);
    WANT(!s->ended);

    type = name + 9;
    index = cJSON_GetObjectItem(ev, "output_index");

    if (strlen(g->names) + strlen(type) + 2 < sizeof(g->names)) {
        strcat(g->names, type);
        strcat(g->names, " ");
    }

    WANT((g->events == 0) == (strcmp(type, "created") == 0));
    WANT((g->events == 1) == (strcmp(type, "in_progress") == 0));

    g->events++;

    if (strcmp(type, "created") == 0 || strcmp(type, "in_progress") == 0) {
        check_response(g, cJSON_GetObjectItem(ev, "response"),
                       "in_progress");
        return;
    }

    if (strcmp(type, "completed") == 0 || strcmp(type, "incomplete") == 0
        || strcmp(type, "failed") == 0)
    {
        check_end(g, s, type, ev);
        return;
    }

    WANT(cJSON_IsNumber(index)
         && cJSON_GetNumberValue(index) == g->nitems);

    if (strcmp(type, "output_item.added") == 0) {
        check_item_added(g, s, ev);
        return;
    }

    if (strcmp(type, "output_item.done") == 0) {
        check_item_done(g, s, ev);
        return;
    }

    WANT(s->type[0] != '\0');
    WANT(strcmp(s->id, text_of(ev, "item_id")) == 0);

    if (strcmp(type, "function_call_arguments.delta") == 0
        || strcmp(type, "custom_tool_call_input.delta") == 0)
    {
        WANT((s->type[0] == 'f') == (type[0] == 'f'));
        WANT(!s->done);
        grow(&s->text, text_of(ev, "delta"), strlen(text_of(ev, "delta")));
        return;
    }

    if (strcmp(type, "function_call_arguments.done") == 0
        || strcmp(type, "custom_tool_call_input.done") == 0)
    {
        WANT((s->type[0] == 'f') == (type[0] == 'f'));
        WANT(!s->done);
        s->done = 1;
        CHECK_MEM(text_of(ev, type[0] == 'f' ? "arguments" : "input"),
                  strlen(text_of(ev, type[0] == 'f' ? "arguments"
                                                    : "input")),
                  grown(&s->text), s->text.len);
        return;
    }

    check_part(g, s, type, ev);
}


/* each event is a name, one line of data, and a blank line */

static void
grammar(grammar_t *g, const char *p, size_t len)
{
    char        name[128];
    cJSON      *ev;
    state_t     s;
    const char  *end, *last;

    memset(g, 0, sizeof(grammar_t));
    memset(&s, 0, sizeof(state_t));

    g->ok = 1;
    last = p + len;

    while (p < last) {
        WANT(last - p > 7 && memcmp(p, "event: ", 7) == 0);

        end = memchr(p, '\n', (size_t) (last - p));

        if (!g->ok || end == NULL || end - p - 7 >= (int) sizeof(name)) {
            WANT(0);
            break;
        }

        snprintf(name, sizeof(name), "%.*s", (int) (end - p - 7), p + 7);
        p = end + 1;

        WANT(last - p > 6 && memcmp(p, "data: ", 6) == 0);
        end = memchr(p, '\n', (size_t) (last - p));
        WANT(end != NULL && end + 1 < last && end[1] == '\n');

        if (!g->ok) {
            break;
        }

        ev = cJSON_ParseWithLength(p + 6, (size_t) (end - p - 6));
        WANT(ev != NULL);

        check_event(g, &s, name, ev);
        cJSON_Delete(ev);
        p = end + 2;
    }

    WANT(s.ended);

    cJSON_Delete(s.parts);
    cJSON_Delete(s.notes);
    free(s.text.p);
}


static void
grammar_free(grammar_t *g)
{
    unsigned  i;

    for (i = 0; i < g->nitems; i++) {
        cJSON_Delete(g->items[i]);
    }

    cJSON_Delete(g->last);
}


/* --- an encoder to drive --- */


typedef struct {
    ai_buf_t      out;
    ai_usage_t    usage;
    ai_encode_t   e;
    int           rc;
} enc_t;


static void
enc_init(enc_t *c, const ai_request_t *req, size_t max)
{
    memset(c, 0, sizeof(enc_t));

    ai_buf_init(&c->out, &unit_arena, MAX);

    c->e.wire = wire;
    c->e.op = AI_OP_RESPONSES;
    c->e.alloc = &unit_arena;
    c->e.req = req;
    c->e.model = str("a \"model\"");
    c->e.request_id = str("0123456789abcdef");
    c->e.now = 1700000000;
    c->e.max = max;
    c->e.usage = &c->usage;
    c->e.out = &c->out;
    c->e.state = ai_alloc(&unit_arena, wire->encode_size);
    memset(c->e.state, 0, wire->encode_size);

    c->rc = AI_OK;
}


static int
put(void *data, const ai_delta_t *delta)
{
    enc_t  *c = data;

    if (c->rc == AI_OK) {
        c->rc = (int) wire->render_event(&c->e, delta);
    }

    return c->rc;
}


static ai_int_t
put_delta(void *data, const ai_delta_t *delta)
{
    enc_t  *c = data;

    if (delta->type == AI_DELTA_USAGE) {
        c->usage = delta->usage;
    }

    return put(data, delta);
}


static void
say(enc_t *c, ai_delta_e type, const char *text)
{
    ai_delta_t  d;

    ai_delta_init(&d, type);
    d.text = mstr(text);
    (void) put(c, &d);
}


static void
say_call(enc_t *c, ai_uint_t n, const char *id, const char *name,
    unsigned custom)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_CALL);
    d.call = n;
    d.id = mstr(id);
    d.name = mstr(name);
    d.custom = custom;
    (void) put(c, &d);
}


static void
say_state(enc_t *c, ai_state_e kind, const char *id, const char *data)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_STATE);
    d.state_kind = kind;
    d.state_id = mstr(id);
    d.state = mstr(data);
    (void) put(c, &d);
}


static void
say_note(enc_t *c, const char *url, const char *title, uint64_t from,
    uint64_t to)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_CITATION);
    d.url = mstr(url);
    d.name = mstr(title);
    d.from = from;
    d.to = to;
    (void) put(c, &d);
}


static void
say_end(enc_t *c, ai_finish_e finish)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_FINISH);
    d.finish = finish;
    (void) put(c, &d);

    c->usage.uncached = 10;
    c->usage.cached = 4;
    c->usage.output = 7;
    c->usage.reasoning = 2;
    c->usage.source = AI_USAGE_PROVIDER;

    ai_delta_init(&d, AI_DELTA_USAGE);
    d.usage = c->usage;
    (void) put(c, &d);

    ai_delta_init(&d, AI_DELTA_END);
    (void) put(c, &d);
}


static void
enc_check(enc_t *c, grammar_t *g)
{
    ai_str_t  out;

    CHECK_INT(c->rc, AI_OK);
    CHECK_INT(ai_buf_get(&c->out, &out), AI_OK);
    grammar(g, (char *) out.data, out.len);
}


static const cJSON *
output(const grammar_t *g, int n)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(g->last, "output"), n);
}


static const cJSON *
content(const cJSON *item, int n)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(item, "content"), n);
}


static void
test_text(void)
{
    enc_t      c;
    grammar_t  g;
    cJSON     *u;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say(&c, AI_DELTA_TEXT, "Hel");
    say(&c, AI_DELTA_TEXT, "");
    say(&c, AI_DELTA_TEXT, "lo \"\xf0\x9f\x98\x80\"\n");
    say_end(&c, AI_FINISH_STOP);
    enc_check(&c, &g);

    CHECK_TEXT(g.names, "created in_progress output_item.added "
               "content_part.added output_text.delta output_text.delta "
               "output_text.done content_part.done output_item.done "
               "completed ");
    CHECK_TEXT(text_of(content(output(&g, 0), 0), "text"),
               "Hello \"\xf0\x9f\x98\x80\"\n");
    CHECK_TEXT(text_of(g.last, "model"), "a \"model\"");

    u = cJSON_GetObjectItem(g.last, "usage");
    CHECK_INT(cJSON_GetObjectItem(u, "input_tokens")->valueint, 14);
    CHECK_INT(cJSON_GetObjectItem(u, "output_tokens")->valueint, 7);
    CHECK_INT(cJSON_GetObjectItem(u, "total_tokens")->valueint, 21);
    u = cJSON_GetObjectItem(u, "input_tokens_details");
    CHECK_INT(cJSON_GetObjectItem(u, "cached_tokens")->valueint, 4);

    grammar_free(&g);
}


static void
test_empty(void)
{
    enc_t      c;
    grammar_t  g;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say_end(&c, AI_FINISH_STOP);
    enc_check(&c, &g);

    CHECK_TEXT(g.names, "created in_progress completed ");
    grammar_free(&g);
}


/* an error that comes before anything else did */

static void
test_error_first(void)
{
    enc_t           c;
    grammar_t       g;
    ai_error_doc_t  doc;

    enc_init(&c, NULL, MAX);
    memset(&doc, 0, sizeof(doc));
    doc.error = AI_ERR_UPSTREAM_OVERLOADED;
    doc.retry_after = 3;
    c.rc = (int) wire->render_error(&c.e, &doc);
    enc_check(&c, &g);

    CHECK_TEXT(g.end, "failed");
    CHECK_TEXT(text_of(cJSON_GetObjectItem(g.last, "error"), "code"),
               ai_error_row(doc.error)->code);
    CHECK_TEXT(text_of(cJSON_GetObjectItem(g.last, "error"), "message"),
               ai_error_row(doc.error)->message);
    grammar_free(&g);
}


/* wire-formats.md 16.11 and 15.4: never as if it were complete */

static void
test_16_11_error_in_mid_stream(void)
{
    enc_t           c;
    cJSON          *ev;
    char           *p;
    ai_str_t        out;
    grammar_t       g;
    ai_error_doc_t  doc;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say(&c, AI_DELTA_REASONING, "think");
    say(&c, AI_DELTA_TEXT, "half of an ans");

    memset(&doc, 0, sizeof(doc));
    doc.error = AI_ERR_UPSTREAM_TRUNCATED;
    doc.retry_after = -1;
    doc.message = str("it \"broke\"");
    c.rc = (int) wire->render_error(&c.e, &doc);
    enc_check(&c, &g);

    CHECK_TEXT(g.end, "failed");
    CHECK_INT(g.nitems, 1);
    CHECK_TEXT(text_of(cJSON_GetObjectItem(g.last, "error"), "message"),
               "it \"broke\"");

    /* the libraries look for this one */

    (void) ai_buf_get(&c.out, &out);
    out.data[out.len - 1] = '\0';
    p = strstr((char *) out.data, "event: response.failed\ndata: ");
    CHECK(p != NULL);
    ev = cJSON_Parse(p + 29);
    CHECK_TEXT(text_of(cJSON_GetObjectItem(ev, "error"), "message"),
               "it \"broke\"");
    CHECK(strstr((char *) out.data, "[DONE]") == NULL);
    CHECK(strstr((char *) out.data, "response.completed") == NULL);

    cJSON_Delete(ev);
    grammar_free(&g);
}


static void
test_reasoning(void)
{
    enc_t      c;
    grammar_t  g;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say(&c, AI_DELTA_REASONING, "Let me ");
    say(&c, AI_DELTA_REASONING, "see.");
    say_state(&c, AI_STATE_ANTHROPIC, "", "sig+/=");
    say(&c, AI_DELTA_TEXT, "42");
    say_end(&c, AI_FINISH_STOP);
    enc_check(&c, &g);

    CHECK_TEXT(g.names, "created in_progress output_item.added "
               "reasoning_summary_part.added reasoning_summary_text.delta "
               "reasoning_summary_text.delta reasoning_summary_text.done "
               "reasoning_summary_part.done output_item.done "
               "output_item.added content_part.added output_text.delta "
               "output_text.done content_part.done output_item.done "
               "completed ");
    CHECK(strlen(text_of(output(&g, 0), "encrypted_content")) > 10);
    grammar_free(&g);
}


/* what came back must be what was given, whoever gave it (16.10) */

static const cJSON *
state_back(const cJSON *item, ai_request_t *req)
{
    char        *text;
    cJSON       *body, *input;
    ai_json_t    root;
    ai_report_t  rep;

    body = cJSON_CreateObject();
    input = cJSON_AddArrayToObject(body, "input");
    cJSON_AddItemToArray(input, cJSON_Duplicate(item, 1));
    text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);

    /* spans of the request point there */

    body = ai_alloc(&unit_arena, strlen(text) + 1);
    strcpy((char *) body, text);
    free(text);

    ai_request_init(req, &unit_arena);
    ai_report_init(&rep, &unit_arena);
    CHECK(scan((char *) body, strlen((char *) body), &root));
    CHECK_INT(wire->parse_request(req, &root, &rep), AI_OK);

    return item;
}


static void
test_16_10_state_comes_back(void)
{
    enc_t          c;
    unsigned       i;
    ai_delta_t     d;
    ai_part_t     *part;
    grammar_t      g;
    ai_request_t   req;

    static const struct {
        ai_state_e   kind;
        const char  *id;
        unsigned     words;
    } states[] = {
        { AI_STATE_ANTHROPIC, "", 1 },
        { AI_STATE_ANTHROPIC, "", 0 },
        { AI_STATE_REDACTED, "", 0 },
        { AI_STATE_GOOGLE, "", 0 },
        { AI_STATE_OPENAI, "rs_1", 1 },
        { AI_STATE_OPENAI, "rs_1", 0 },
        { AI_STATE_OPENAI, "", 0 }
    };

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        enc_init(&c, NULL, MAX);
        say(&c, AI_DELTA_START, "");

        if (states[i].words) {
            say(&c, AI_DELTA_REASONING, "words");
        }

        say_state(&c, states[i].kind, states[i].id, "st\"ate");
        say_end(&c, AI_FINISH_STOP);
        enc_check(&c, &g);

        (void) state_back(output(&g, 0), &req);
        part = req.messages->parts;
        CHECK_INT(part->type, AI_PART_REASONING);
        CHECK_INT(part->state_kind, states[i].kind);
        CHECK(ai_mstr_eq(&part->state, "st\"ate"));
        CHECK(ai_mstr_eq(&part->text, states[i].words ? "words" : ""));

        if (states[i].kind == AI_STATE_OPENAI) {
            CHECK(ai_mstr_eq(&part->state_id, states[i].id));
        }

        grammar_free(&g);
    }

    /* that of a call, in front of it */

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    ai_delta_init(&d, AI_DELTA_CALL);
    d.id = mstr("c1");
    d.name = mstr("f");
    d.state_kind = AI_STATE_GOOGLE;
    d.state = mstr("thought");
    (void) put(&c, &d);
    say(&c, AI_DELTA_ARGS, "{}");
    say(&c, AI_DELTA_CALL_END, "");
    say_end(&c, AI_FINISH_TOOLS);
    enc_check(&c, &g);
    CHECK_TEXT(text_of(output(&g, 0), "type"), "reasoning");
    CHECK_TEXT(text_of(output(&g, 1), "type"), "function_call");
    (void) state_back(output(&g, 0), &req);
    CHECK_INT(req.messages->parts->state_kind, AI_STATE_GOOGLE);
    CHECK(ai_mstr_eq(&req.messages->parts->state, "thought"));
    grammar_free(&g);
}


/* wire-formats.md 16.4: parallel calls have an index each */

static void
test_16_4_parallel_calls(void)
{
    enc_t      c;
    grammar_t  g;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say(&c, AI_DELTA_TEXT, "Looking.");
    say_call(&c, 0, "call_a", "get", 0);
    say(&c, AI_DELTA_ARGS, "{\"x\":");
    say(&c, AI_DELTA_ARGS, "\"\\u00e9\"}");
    say(&c, AI_DELTA_CALL_END, "");
    say_call(&c, 1, "call_b", "get", 0);
    say(&c, AI_DELTA_ARGS, "{\"x\":2}");
    say(&c, AI_DELTA_CALL_END, "");
    say_end(&c, AI_FINISH_TOOLS);
    enc_check(&c, &g);

    CHECK_INT(g.nitems, 3);
    CHECK_TEXT(text_of(output(&g, 1), "arguments"), "{\"x\":\"\\u00e9\"}");
    CHECK_TEXT(text_of(output(&g, 1), "call_id"), "call_a");
    CHECK_TEXT(text_of(output(&g, 2), "arguments"), "{\"x\":2}");
    CHECK(strcmp(text_of(output(&g, 1), "id"), text_of(output(&g, 2), "id"))
          != 0);
    CHECK_TEXT(g.end, "completed");
    grammar_free(&g);
}


static void
test_16_6_zero_arguments(void)
{
    enc_t      c;
    grammar_t  g;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say_call(&c, 0, "call_a", "now", 0);
    say(&c, AI_DELTA_ARGS, "{}");
    say(&c, AI_DELTA_CALL_END, "");
    say_end(&c, AI_FINISH_TOOLS);
    enc_check(&c, &g);

    CHECK_TEXT(text_of(output(&g, 0), "arguments"), "{}");
    grammar_free(&g);
}


static void
test_custom(void)
{
    enc_t      c;
    grammar_t  g;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say_call(&c, 0, "call_a", "patch", 1);
    say(&c, AI_DELTA_ARGS, "*** Begin\n");
    say(&c, AI_DELTA_ARGS, "end");
    say(&c, AI_DELTA_CALL_END, "");
    say_end(&c, AI_FINISH_TOOLS);
    enc_check(&c, &g);
    CHECK_TEXT(text_of(output(&g, 0), "type"), "custom_tool_call");
    CHECK_TEXT(text_of(output(&g, 0), "input"), "*** Begin\nend");
    grammar_free(&g);
}


static void
test_refusal(void)
{
    enc_t      c;
    grammar_t  g;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say(&c, AI_DELTA_TEXT, "Well.");
    say(&c, AI_DELTA_REFUSAL, "I ca");
    say(&c, AI_DELTA_REFUSAL, "n't.");
    say_end(&c, AI_FINISH_STOP);
    enc_check(&c, &g);

    CHECK_INT(g.nitems, 1);
    CHECK_TEXT(text_of(content(output(&g, 0), 0), "text"), "Well.");
    CHECK_TEXT(text_of(content(output(&g, 0), 1), "refusal"), "I can't.");
    grammar_free(&g);
}


static void
test_finishes(void)
{
    enc_t      c;
    unsigned   i;
    grammar_t  g;

    static const struct {
        ai_finish_e  finish;
        const char  *end;
        const char  *reason;
    } ends[] = {
        { AI_FINISH_STOP, "completed", "" },
        { AI_FINISH_SEQUENCE, "completed", "" },
        { AI_FINISH_TOOLS, "completed", "" },
        { AI_FINISH_PAUSE, "completed", "" },
        { AI_FINISH_LENGTH, "incomplete", "max_output_tokens" },
        { AI_FINISH_CONTEXT, "incomplete", "max_output_tokens" },
        { AI_FINISH_FILTER, "incomplete", "content_filter" },
        { AI_FINISH_BROKEN, "failed", "" }
    };

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        enc_init(&c, NULL, MAX);
        say(&c, AI_DELTA_START, "");
        say(&c, AI_DELTA_TEXT, "text");
        say_end(&c, ends[i].finish);
        enc_check(&c, &g);

        CHECK_TEXT(g.end, ends[i].end);
        CHECK_TEXT(text_of(cJSON_GetObjectItem(g.last, "incomplete_details"),
                           "reason"), ends[i].reason);
        CHECK_TEXT(text_of(output(&g, 0), "status"),
                   ends[i].end[0] == 'c' ? "completed" : "incomplete");
        grammar_free(&g);
    }
}


static void
test_citations(void)
{
    enc_t        c;
    cJSON       *notes;
    ai_delta_t   d;
    grammar_t    g;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say_note(&c, "https://a/", "A", 0, 0);
    say(&c, AI_DELTA_TEXT, "cited");
    say_note(&c, "https://b/\"", "", 1, 4);

    ai_delta_init(&d, AI_DELTA_LOGPROBS);
    d.raw = str("[{\"token\":\"cited\",\"logprob\":-0.1}]");
    (void) put(&c, &d);

    say_call(&c, 0, "c", "f", 0);
    say(&c, AI_DELTA_ARGS, "{}");
    say(&c, AI_DELTA_CALL_END, "");
    say_note(&c, "https://late/", "", 1, 4);
    say_end(&c, AI_FINISH_STOP);
    enc_check(&c, &g);

    notes = cJSON_GetObjectItem(content(output(&g, 0), 0), "annotations");
    CHECK_INT(cJSON_GetArraySize(notes), 2);
    CHECK_TEXT(text_of(cJSON_GetArrayItem(notes, 1), "url"), "https://b/\"");
    CHECK_TEXT(text_of(cJSON_GetArrayItem(notes, 0), "title"), "A");
    notes = cJSON_GetObjectItem(content(output(&g, 0), 0), "logprobs");
    CHECK_INT(cJSON_GetArraySize(notes), 1);
    grammar_free(&g);
}


static void
test_image(void)
{
    enc_t      c;
    grammar_t  g;

    enc_init(&c, NULL, MAX);
    say(&c, AI_DELTA_START, "");
    say(&c, AI_DELTA_TEXT, "Here:");
    say(&c, AI_DELTA_IMAGE, "aGVsbG8=");
    say(&c, AI_DELTA_TEXT, "Nice?");
    say_end(&c, AI_FINISH_STOP);
    enc_check(&c, &g);

    CHECK_INT(g.nitems, 3);
    CHECK_TEXT(text_of(output(&g, 1), "result"), "aGVsbG8=");
    grammar_free(&g);
}


/* what must be kept is bounded, whatever it is */

static void
test_bounded(void)
{
    enc_t       c;
    unsigned    i, kind;
    ai_delta_t  d;

    for (kind = 0; kind < 6; kind++) {
        enc_init(&c, NULL, 4000);
        say(&c, AI_DELTA_START, "");

        if (kind == 2) {
            say_call(&c, 0, "c", "f", 0);
        }

        for (i = 0; i < 1000 && c.rc == AI_OK; i++) {
            switch (kind) {

            case 0:
                say(&c, AI_DELTA_TEXT, "0123456789");
                break;

            case 1:
                say(&c, AI_DELTA_REASONING, "0123456789");
                break;

            case 2:
                say(&c, AI_DELTA_ARGS, "0123456789");
                break;

            case 3:
                say_note(&c, "https://u/", "t", 1, 2);
                break;

            case 4:
                ai_delta_init(&d, AI_DELTA_LOGPROBS);
                d.raw = str("[{\"token\":\"x\"}]");
                (void) put(&c, &d);
                break;

            default:
                say_call(&c, i, "call", "f", 0);
                say(&c, AI_DELTA_ARGS, "{}");
                say(&c, AI_DELTA_CALL_END, "");
                break;
            }
        }

        CHECK_INT(c.rc, AI_ERROR);
        CHECK(i > 5 && i < 500);
    }
}


/* wire-formats.md 16.19: each object is whole, and echoes the request */

static void
test_16_19_echo(void)
{
    enc_t         c;
    cJSON        *v;
    ai_str_t      body;
    ai_json_t     root;
    grammar_t     g;
    ai_report_t   rep;
    ai_request_t  req;

    body = str("{\"input\":\"x\",\"max_output_tokens\":99,"
               "\"temperature\":0.25,\"parallel_tool_calls\":false,"
               "\"reasoning\":{\"effort\":\"high\",\"summary\":\"detailed\"},"
               "\"tools\":[{\"type\":\"function\",\"name\":\"f\","
               "\"parameters\":{\"type\":\"object\"},\"strict\":true}],"
               "\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"},"
               "\"metadata\":{\"a\":\"b\"},\"user\":\"me\","
               "\"text\":{\"format\":{\"type\":\"json_schema\","
               "\"name\":\"n\",\"schema\":{\"type\":\"object\"},"
               "\"strict\":true}},\"prompt_cache_key\":\"k\"}");

    ai_request_init(&req, &unit_arena);
    ai_report_init(&rep, &unit_arena);
    CHECK(scan((char *) body.data, body.len, &root));
    CHECK_INT(wire->parse_request(&req, &root, &rep), AI_OK);
    CHECK_INT(rep.ndropped, 0);

    enc_init(&c, &req, MAX);
    say(&c, AI_DELTA_START, "");
    say(&c, AI_DELTA_TEXT, "{}");
    say_end(&c, AI_FINISH_STOP);
    enc_check(&c, &g);

    v = cJSON_Parse((char *) body.data);
    CHECK(cJSON_Compare(cJSON_GetObjectItem(v, "tools"),
                        cJSON_GetObjectItem(g.last, "tools"), 1));
    CHECK(cJSON_Compare(cJSON_GetObjectItem(v, "tool_choice"),
                        cJSON_GetObjectItem(g.last, "tool_choice"), 1));
    CHECK(cJSON_Compare(cJSON_GetObjectItem(v, "text"),
                        cJSON_GetObjectItem(g.last, "text"), 1));
    CHECK(cJSON_Compare(cJSON_GetObjectItem(v, "metadata"),
                        cJSON_GetObjectItem(g.last, "metadata"), 1));
    CHECK(cJSON_Compare(cJSON_GetObjectItem(v, "temperature"),
                        cJSON_GetObjectItem(g.last, "temperature"), 1));
    CHECK_TEXT(text_of(cJSON_GetObjectItem(g.last, "reasoning"), "effort"),
               "high");
    CHECK(cJSON_IsFalse(cJSON_GetObjectItem(g.last, "parallel_tool_calls")));
    CHECK_INT(cJSON_GetObjectItem(g.last, "max_output_tokens")->valueint, 99);
    CHECK_TEXT(text_of(g.last, "prompt_cache_key"), "k");

    cJSON_Delete(v);
    grammar_free(&g);
}


/* --- a decoder to read with --- */


typedef struct {
    char       id[256];
    char       name[256];
    grow_t     args;
    ai_uint_t  key;
    unsigned   custom;
    unsigned   ended;
} call_t;

typedef struct {
    grow_t        text;
    grow_t        refusal;
    grow_t        reasoning;
    grow_t        states;          /* each with its id in front */
    call_t        calls[MAX_ITEMS];
    unsigned      ncalls;
    unsigned      notes;
    unsigned      images;
    unsigned      starts;
    unsigned      logprobs;
    unsigned      finishes;
    unsigned      ends;
    unsigned      errors;
    ai_finish_e   finish;
    char          native[64];
    char          model[128];
    char          error[512];
    ai_usage_t    usage;
    ai_decode_t   d;
    ai_order_t   *order;           /* what is read goes there as well */
    ai_collect_t *collect;
} dec_t;


static void
keep(grow_t *g, const ai_mstr_t *m)
{
    ai_str_t  s;

    if (ai_mstr_decode(m, &unit_arena, &s) == AI_OK) {
        grow(g, (char *) s.data, s.len);
    }
}


static void
keep_short(char *dst, size_t size, const ai_mstr_t *m)
{
    grow_t  g = { NULL, 0 };

    keep(&g, m);
    snprintf(dst, size, "%s", grown(&g));
    free(g.p);
}


static call_t *
call_of(dec_t *r, ai_uint_t key)
{
    unsigned  i;

    for (i = r->ncalls; i > 0; i--) {
        if (r->calls[i - 1].key == key) {
            return &r->calls[i - 1];
        }
    }

    return NULL;
}


static ai_int_t
on_delta(void *data, const ai_delta_t *delta)
{
    dec_t   *r = data;
    call_t  *call;

    switch (delta->type) {

    case AI_DELTA_START:
        r->starts++;
        keep_short(r->model, sizeof(r->model), &delta->name);
        break;

    case AI_DELTA_TEXT:
        CHECK(delta->text.s.len != 0);
        keep(&r->text, &delta->text);
        break;

    case AI_DELTA_REFUSAL:
        keep(&r->refusal, &delta->text);
        break;

    case AI_DELTA_REASONING:
        keep(&r->reasoning, &delta->text);
        break;

    case AI_DELTA_STATE:
        CHECK_INT(delta->state_kind, AI_STATE_OPENAI);
        keep(&r->states, &delta->state_id);
        grow(&r->states, " ", 1);
        keep(&r->states, &delta->state);
        grow(&r->states, "\n", 1);
        break;

    case AI_DELTA_CALL:
        CHECK(r->ncalls < MAX_ITEMS && call_of(r, delta->call) == NULL);
        call = &r->calls[r->ncalls++];
        call->key = delta->call;
        call->custom = delta->custom;
        keep_short(call->id, sizeof(call->id), &delta->id);
        keep_short(call->name, sizeof(call->name), &delta->name);
        break;

    case AI_DELTA_ARGS:
        call = call_of(r, delta->call);
        if (CHECK(call != NULL)) {
            keep(&call->args, &delta->text);
        }
        break;

    case AI_DELTA_CALL_END:
        call = call_of(r, delta->call);
        if (CHECK(call != NULL)) {
            call->ended++;
        }
        break;

    case AI_DELTA_CITATION:
        r->notes++;
        break;

    case AI_DELTA_IMAGE:
        r->images++;
        break;

    case AI_DELTA_LOGPROBS:
        r->logprobs++;
        break;

    case AI_DELTA_FINISH:
        r->finishes++;
        r->finish = delta->finish;
        keep_short(r->native, sizeof(r->native), &delta->native);
        break;

    case AI_DELTA_USAGE:
        r->usage = delta->usage;
        break;

    case AI_DELTA_END:
        r->ends++;
        break;

    case AI_DELTA_ERROR:
        r->errors++;
        if (delta->raw.len != 0) {
            snprintf(r->error, sizeof(r->error), "%.*s",
                     (int) delta->raw.len, delta->raw.data);
        } else {
            keep_short(r->error, sizeof(r->error), &delta->text);
        }
        return AI_OK;
    }

    return r->order ? ai_order(r->order, delta) : AI_OK;
}


static void
dec_init(dec_t *r)
{
    memset(r, 0, sizeof(dec_t));

    r->d.wire = wire;
    r->d.vendor = &vendor;
    r->d.op = AI_OP_RESPONSES;
    r->d.alloc = &unit_arena;
    r->d.scratch = &unit_arena;
    r->d.emit = on_delta;
    r->d.data = r;
    r->d.state = ai_alloc(&unit_arena, wire->decode_size);
    memset(r->d.state, 0, wire->decode_size);
}


static void
dec_free(dec_t *r)
{
    unsigned  i;

    free(r->text.p);
    free(r->refusal.p);
    free(r->reasoning.p);
    free(r->states.p);

    for (i = 0; i < r->ncalls; i++) {
        free(r->calls[i].args.p);
    }
}


/* the event is gone when the next one comes */

static ai_int_t
feed(dec_t *r, const char *p, size_t len)
{
    char       *copy;
    ai_int_t    rc;
    ai_str_t    name = ai_null_string;
    ai_json_t   root;

    copy = malloc(len ? len : 1);
    memcpy(copy, p, len);

    rc = AI_DECLINED;

    if (CHECK(scan(copy, len, &root))) {
        rc = wire->parse_event(&r->d, &name, &root);
    }

    memset(copy, 'x', len);
    free(copy);

    return rc;
}


static ai_int_t
feed_all(dec_t *r, const char *const *events)
{
    ai_int_t  rc;

    for (rc = AI_OK; *events != NULL && rc == AI_OK; events++) {
        rc = feed(r, *events, strlen(*events));
    }

    return rc;
}


#define CREATED                                                              \
    "{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\","        \
    "\"created_at\":5,\"model\":\"m\",\"output\":[]}}"

#define COMPLETED                                                            \
    "{\"type\":\"response.completed\",\"response\":{\"status\":"             \
    "\"completed\",\"output\":[],\"usage\":{\"input_tokens\":5,"             \
    "\"output_tokens\":2}}}"


/* nothing but ".done" */

static void
test_done_without_deltas(void)
{
    dec_t  r;

    static const char *const  events[] = {
        CREATED,
        "{\"type\":\"response.output_item.added\",\"output_index\":0,"
        "\"item\":{\"type\":\"message\",\"id\":\"m\",\"content\":[]}}",
        "{\"type\":\"response.output_text.done\",\"output_index\":0,"
        "\"content_index\":0,\"text\":\"one\"}",
        "{\"type\":\"response.content_part.done\",\"output_index\":0,"
        "\"content_index\":0,\"part\":{\"type\":\"output_text\","
        "\"text\":\"one\"}}",
        "{\"type\":\"response.output_item.done\",\"output_index\":0,"
        "\"item\":{\"type\":\"message\",\"content\":[{\"type\":"
        "\"output_text\",\"text\":\"one\",\"annotations\":[{\"type\":"
        "\"url_citation\",\"url\":\"u\"}]},{\"type\":\"output_text\","
        "\"text\":\"two\"}]}}",
        "{\"type\":\"response.output_item.added\",\"output_index\":1,"
        "\"item\":{\"type\":\"function_call\",\"call_id\":\"c\","
        "\"name\":\"f\",\"arguments\":\"\"}}",
        "{\"type\":\"response.function_call_arguments.done\","
        "\"output_index\":1,\"arguments\":\"{\\\"a\\\":1}\"}",
        "{\"type\":\"response.output_item.done\",\"output_index\":1,"
        "\"item\":{\"type\":\"function_call\",\"call_id\":\"c\","
        "\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}",
        "{\"type\":\"response.output_item.done\",\"output_index\":2,"
        "\"item\":{\"type\":\"function_call\",\"call_id\":\"d\","
        "\"name\":\"g\",\"arguments\":\"{}\"}}",
        COMPLETED,
        NULL
    };

    dec_init(&r);
    CHECK_INT(feed_all(&r, events), AI_OK);
    CHECK_TEXT(grown(&r.text), "onetwo");
    CHECK_INT(r.notes, 1);
    CHECK_INT(r.ncalls, 2);
    CHECK_TEXT(grown(&r.calls[0].args), "{\"a\":1}");
    CHECK_TEXT(r.calls[1].name, "g");
    CHECK_TEXT(grown(&r.calls[1].args), "{}");
    CHECK_INT(r.calls[1].ended, 1);
    CHECK_INT(r.finish, AI_FINISH_TOOLS);
    CHECK_INT(r.ends, 1);
    CHECK_INT(r.usage.uncached, 5);
    CHECK_INT(r.d.unknown, 0);
    dec_free(&r);
}


static void
test_nothing_but_the_end(void)
{
    dec_t  r;

    static const char *const  events[] = {
        "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\","
        "\"model\":\"mm\",\"status\":\"completed\",\"output\":[{\"type\":"
        "\"reasoning\",\"id\":\"rs\",\"summary\":[{\"type\":\"summary_text\","
        "\"text\":\"A\"},{\"type\":\"summary_text\",\"text\":\"B\"}],"
        "\"encrypted_content\":\"enc\"},{\"type\":\"message\",\"content\":"
        "[{\"type\":\"output_text\",\"text\":\"hi\"}]}]}}",
        NULL
    };

    dec_init(&r);
    CHECK_INT(feed_all(&r, events), AI_OK);
    CHECK_TEXT(grown(&r.text), "hi");
    CHECK_TEXT(grown(&r.reasoning), "A\n\nB");
    CHECK_TEXT(grown(&r.states), "rs enc\n");
    CHECK_TEXT(r.model, "mm");
    CHECK_INT(r.finish, AI_FINISH_STOP);
    dec_free(&r);
}


/* wire-formats.md 16.18: what is not known does not end a stream */

static void
test_16_18_unknown_items(void)
{
    dec_t  r;

    static const char *const  events[] = {
        CREATED,
        "{\"type\":\"response.output_item.added\",\"output_index\":0,"
        "\"item\":{\"type\":\"tool_search_call\",\"arguments\":{\"q\":1}}}",
        "{\"type\":\"response.tool_search_call.in_progress\"}",
        "{\"type\":\"response.output_item.done\",\"output_index\":0,"
        "\"item\":{\"type\":\"tool_search_call\",\"arguments\":{\"q\":1}}}",
        "{\"type\":\"keepalive\",\"sequence_number\":3}",
        "{\"type\":\"response.brand.new\",\"delta\":17}",
        "{\"no\":\"type\"}",
        "{\"type\":\"response.output_text.delta\",\"output_index\":1,"
        "\"content_index\":0,\"delta\":\"ok\"}",
        COMPLETED,
        NULL
    };

    dec_init(&r);
    CHECK_INT(feed_all(&r, events), AI_OK);
    CHECK_TEXT(grown(&r.text), "ok");
    CHECK_INT(r.ends, 1);
    CHECK_INT(r.d.unknown, 4);
    dec_free(&r);
}


static void
test_errors(void)
{
    dec_t  r;

    static const char *const  failed[] = {
        CREATED,
        "{\"type\":\"response.failed\",\"response\":{\"status\":\"failed\","
        "\"error\":{\"code\":\"server_error\",\"message\":\"boom\"}}}",
        NULL
    };

    /* Azure says what it was in a second event */

    static const char *const  azure[] = {
        CREATED,
        "{\"type\":\"response.failed\",\"response\":{\"status\":\"failed\","
        "\"error\":null}}",
        "{\"type\":\"error\",\"code\":\"content_filter\",\"message\":\"no\"}",
        NULL
    };

    static const char *const  silent[] = {
        CREATED,
        "{\"type\":\"response.failed\",\"response\":{\"status\":\"failed\"}}",
        NULL
    };

    static const char *const  nested[] = {
        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded\",\"message\":"
        "\"busy\"}}",
        NULL
    };

    static const char *const  bare[] = {
        "{\"error\":{\"message\":\"bare\"}}",
        NULL
    };

    dec_init(&r);
    CHECK_INT(feed_all(&r, failed), AI_OK);
    CHECK_INT(r.errors, 1);
    CHECK(strstr(r.error, "boom") != NULL);
    CHECK_INT(r.ends, 0);
    dec_free(&r);

    dec_init(&r);
    CHECK_INT(feed_all(&r, azure), AI_OK);
    CHECK_INT(r.errors, 1);
    CHECK(strstr(r.error, "content_filter") != NULL);
    CHECK_INT(wire->parse_end(&r.d), AI_OK);
    CHECK_INT(r.errors, 1);
    dec_free(&r);

    dec_init(&r);
    CHECK_INT(feed_all(&r, silent), AI_OK);
    CHECK_INT(r.errors, 0);
    CHECK_INT(wire->parse_end(&r.d), AI_OK);
    CHECK_INT(r.errors, 1);
    dec_free(&r);

    dec_init(&r);
    CHECK_INT(feed_all(&r, nested), AI_OK);
    CHECK(strstr(r.error, "busy") != NULL);
    dec_free(&r);

    dec_init(&r);
    CHECK_INT(feed_all(&r, bare), AI_OK);
    CHECK(strstr(r.error, "bare") != NULL);
    dec_free(&r);
}


/* words that cannot be read would be missing in what looks whole */

static void
test_wrong_types(void)
{
    dec_t     r;
    unsigned  i;

    static const char *const  events[] = {
        "{\"type\":\"response.output_text.delta\",\"delta\":{\"a\":1}}",
        "{\"type\":\"response.output_item.done\",\"item\":[]}",
        "{\"type\":\"response.completed\",\"response\":\"x\"}",
        "{\"type\":\"response.completed\",\"response\":{}}",
        "{\"type\":\"response.function_call_arguments.delta\",\"delta\":1}",
        "{\"type\":\"response.output_item.done\",\"item\":{\"type\":"
        "\"function_call\",\"call_id\":\"c\",\"arguments\":\"{}\"}}",
        NULL
    };

    for (i = 0; events[i] != NULL; i++) {
        dec_init(&r);
        CHECK_INT(feed(&r, events[i], strlen(events[i])), AI_DECLINED);
        dec_free(&r);
    }
}


static void
test_many_items(void)
{
    char      ev[256];
    dec_t     r;
    int       rc;
    unsigned  i;

    dec_init(&r);
    rc = AI_OK;

    for (i = 0; i < 10000 && rc == AI_OK; i++) {
        snprintf(ev, sizeof(ev), "{\"type\":\"response.output_item.added\","
                 "\"output_index\":%u,\"item\":{\"type\":\"message\"}}", i);
        rc = (int) feed(&r, ev, strlen(ev));
    }

    CHECK_INT(rc, AI_DECLINED);
    CHECK(i > 100);
    dec_free(&r);
}


/* --- recorded answers --- */


static const char  *dirs[] = {
    "openai", "azure", "xai", "deepseek", "openrouter", "bedrock-mantle",
    "lmstudio", "pydantic-gateway", NULL
};

static const char  *roots[] = {
    "../shared/fixtures", "../../shared/fixtures", NULL
};

static const char  *root;
static unsigned     nstreams, nanswers, nrequests, nrefused;


static char *
read_file(const char *path, size_t *len)
{
    FILE  *f;
    long   size;
    char  *data;

    f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    data = malloc((size_t) size + 1);
    *len = fread(data, 1, (size_t) size, f);
    data[*len] = '\0';
    fclose(f);

    return data;
}


/* what a response says, by a walk over its tree */

static void
oracle(dec_t *r, const cJSON *response)
{
    grow_t        one;
    call_t       *call;
    const char   *type;
    const cJSON  *item, *part, *parts;

    cJSON_ArrayForEach(item, cJSON_GetObjectItem(response, "output")) {
        type = text_of(item, "type");

        if (strcmp(type, "message") == 0) {
            cJSON_ArrayForEach(part, cJSON_GetObjectItem(item, "content")) {
                grow(&r->text, text_of(part, "text"),
                     strlen(text_of(part, "text")));
                grow(&r->refusal, text_of(part, "refusal"),
                     strlen(text_of(part, "refusal")));
                cJSON_ArrayForEach(parts, cJSON_GetObjectItem(part,
                                                           "annotations"))
                {
                    r->notes += strcmp(text_of(parts, "type"),
                                       "url_citation") == 0;
                }
            }

        } else if (strcmp(type, "reasoning") == 0) {
            memset(&one, 0, sizeof(one));
            parts = cJSON_GetObjectItem(item, "content");

            if (cJSON_GetArraySize(parts) == 0) {
                parts = cJSON_GetObjectItem(item, "summary");
            }

            cJSON_ArrayForEach(part, parts) {
                if (one.len != 0) {
                    grow(&one, "\n\n", 2);
                }
                grow(&one, text_of(part, "text"),
                     strlen(text_of(part, "text")));
            }

            grow(&r->reasoning, grown(&one), one.len);
            free(one.p);

            if (text_of(item, "encrypted_content")[0] != '\0'
                && strcmp(text_of(item, "encrypted_content"),
                          AI_STATE_UNSIGNED) != 0)
            {
                grow(&r->states, text_of(item, "id"),
                     strlen(text_of(item, "id")));
                grow(&r->states, " ", 1);
                grow(&r->states, text_of(item, "encrypted_content"),
                     strlen(text_of(item, "encrypted_content")));
                grow(&r->states, "\n", 1);
            }

        } else if (strcmp(type, "image_generation_call") == 0) {
            r->images += text_of(item, "result")[0] != '\0';

        } else if (strcmp(type, "function_call") == 0
                   || (strcmp(type, "custom_tool_call") == 0
                       && strncmp(text_of(item, "call_id"), "xs_call_", 8)
                          != 0))
        {
            call = &r->calls[r->ncalls++];
            snprintf(call->id, sizeof(call->id), "%s",
                     text_of(item, "call_id"));
            snprintf(call->name, sizeof(call->name), "%s",
                     text_of(item, "name"));
            call->custom = type[0] == 'c';
            type = text_of(item, call->custom ? "input" : "arguments");
            grow(&call->args, type, strlen(type));
        }
    }
}


/*
 * States and ids: of streams only their number is compared, since OpenAI
 * encrypts anew whenever it tells an item again.
 */

static int
same(const char *path, const dec_t *got, const dec_t *want, int stream)
{
    unsigned  i, failed, lines[2];

    failed = unit.failed;

    CHECK_MEM(grown(&got->text), got->text.len, grown(&want->text),
              want->text.len);
    CHECK_MEM(grown(&got->refusal), got->refusal.len, grown(&want->refusal),
              want->refusal.len);
    CHECK_MEM(grown(&got->reasoning), got->reasoning.len,
              grown(&want->reasoning), want->reasoning.len);
    CHECK_INT(got->ncalls, want->ncalls);
    CHECK_INT(got->notes, want->notes);
    CHECK_INT(got->images, want->images);

    if (!stream) {
        CHECK_MEM(grown(&got->states), got->states.len,
                  grown(&want->states), want->states.len);
    }

    memset(lines, 0, sizeof(lines));

    for (i = 0; i < got->states.len; i++) {
        lines[0] += got->states.p[i] == '\n';
    }

    for (i = 0; i < want->states.len; i++) {
        lines[1] += want->states.p[i] == '\n';
    }

    CHECK_INT(lines[0], lines[1]);

    for (i = 0; i < got->ncalls && i < want->ncalls; i++) {
        CHECK_TEXT(got->calls[i].id, want->calls[i].id);
        CHECK_TEXT(got->calls[i].name, want->calls[i].name);
        CHECK_INT(got->calls[i].custom, want->calls[i].custom);
        CHECK_MEM(grown(&got->calls[i].args), got->calls[i].args.len,
                  grown(&want->calls[i].args), want->calls[i].args.len);
    }

    if (unit.failed != failed) {
        printf("    in %s\n", path);
    }

    return unit.failed == failed;
}


static void
same_end(const char *path, const dec_t *got, const cJSON *response)
{
    unsigned      failed;
    const char   *status, *reason;
    const cJSON  *usage, *n;

    failed = unit.failed;
    status = text_of(response, "status");
    reason = text_of(cJSON_GetObjectItem(response, "incomplete_details"),
                     "reason");

    CHECK_TEXT(got->model, text_of(response, "model"));

    if (strcmp(status, "incomplete") == 0) {
        CHECK_INT(got->finish, strcmp(reason, "content_filter") == 0
                               ? AI_FINISH_FILTER : AI_FINISH_LENGTH);
        CHECK_TEXT(got->native, reason);

    } else {
        CHECK_INT(got->finish, got->ncalls ? AI_FINISH_TOOLS
                                           : AI_FINISH_STOP);
        CHECK_TEXT(got->native, status);
    }

    usage = cJSON_GetObjectItem(response, "usage");
    n = cJSON_GetObjectItem(usage, "input_tokens");

    if (cJSON_IsNumber(n)) {
        CHECK_INT(ai_usage_input(&got->usage), n->valuedouble);
        n = cJSON_GetObjectItem(usage, "output_tokens");
        CHECK_INT(got->usage.output, n->valuedouble);
        n = cJSON_GetObjectItem(cJSON_GetObjectItem(usage,
                                "output_tokens_details"), "reasoning_tokens");
        CHECK_INT(got->usage.reasoning, n ? n->valuedouble : 0);
        n = cJSON_GetObjectItem(cJSON_GetObjectItem(usage,
                                "input_tokens_details"), "cached_tokens");
        CHECK_INT(got->usage.cached, n ? n->valuedouble : 0);
    }

    if (unit.failed != failed) {
        printf("    in %s\n", path);
    }
}


/* read, ordered, and written again for a client: the same, by the grammar */

static void
rewrite(const char *path, dec_t *r, enc_t *c)
{
    dec_t       got, want;
    char       *p, *end;
    ai_str_t    out;
    unsigned    failed;
    grammar_t   g;

    failed = unit.failed;

    CHECK_INT(c->rc, AI_OK);
    CHECK_INT(ai_buf_get(&c->out, &out), AI_OK);
    grammar(&g, (char *) out.data, out.len);

    dec_init(&want);
    oracle(&want, g.last);

    /* a summary has the words that a reasoning has */

    CHECK_MEM(grown(&want.text), want.text.len, grown(&r->text),
              r->text.len);
    CHECK_MEM(grown(&want.refusal), want.refusal.len, grown(&r->refusal),
              r->refusal.len);
    CHECK_MEM(grown(&want.reasoning), want.reasoning.len,
              grown(&r->reasoning), r->reasoning.len);
    CHECK_INT(want.ncalls, r->ncalls);
    dec_free(&want);

    /* and our own decoder reads it */

    dec_init(&got);

    for (p = (char *) out.data; p < (char *) out.data + out.len; /* void */ )
    {
        p = memchr(p, '\n', out.len);
        p += sizeof("\ndata: ") - 1;
        end = memchr(p, '\n', (size_t) ((char *) out.data + out.len - p));
        CHECK_INT(feed(&got, p, (size_t) (end - p)), AI_OK);
        p = end + 2;
    }

    CHECK_MEM(grown(&got.text), got.text.len, grown(&r->text), r->text.len);
    CHECK_INT(got.ncalls, r->ncalls);
    CHECK_INT(got.finish, r->finish);
    CHECK_INT(got.ends, 1);
    CHECK_INT(got.d.unknown, 0);
    dec_free(&got);
    grammar_free(&g);

    if (unit.failed != failed) {
        printf("    in %s\n", path);
    }
}


/*
 * Some files hold the streams of several turns, the first one counts; of one
 * the pieces were shortened by hand, but not the whole.
 */

static void
stream_file(const char *path)
{
    enc_t        c;
    char        *data, *p, *line, *next, *colon;
    cJSON       *ev, *last;
    dec_t        got, want;
    size_t       len;
    ai_order_t   order;

    if (strstr(path, "vercel__openai-phase.1.ndjson") != NULL) {
        return;
    }

    data = read_file(path, &len);

    if (data == NULL) {
        return;
    }

    dec_init(&got);
    dec_init(&want);
    enc_init(&c, NULL, MAX);
    ai_order_init(&order, &unit_arena, MAX, put_delta, &c);
    got.order = &order;
    last = NULL;

    for (line = data; line < data + len; line = next) {
        next = memchr(line, '\n', (size_t) (data + len - line));
        next = next ? next + 1 : data + len;
        p = line;
        colon = memchr(line, ':', (size_t) (next - line));

        if (*p != '{') {
            if (colon == NULL || strncmp(p, "data:", 5) != 0) {
                continue;
            }
            p = colon + 1;
        }

        while (*p == ' ') {
            p++;
        }

        if (*p != '{') {
            continue;
        }

        ev = cJSON_ParseWithLength(p, (size_t) (next - p));
        CHECK_INT(feed(&got, p, (size_t) (next - p)), AI_OK);

        if (strcmp(text_of(ev, "type"), "response.completed") == 0
            || strcmp(text_of(ev, "type"), "response.incomplete") == 0)
        {
            last = ev;
            break;
        }

        cJSON_Delete(ev);
    }

    if (last != NULL) {
        oracle(&want, cJSON_GetObjectItem(last, "response"));
        (void) same(path, &got, &want, 1);
        same_end(path, &got, cJSON_GetObjectItem(last, "response"));
        CHECK_INT(got.ends, 1);
        CHECK_INT(got.starts, 1);
        CHECK_INT(got.errors, 0);
        rewrite(path, &got, &c);
        nstreams++;
    }

    cJSON_Delete(last);
    dec_free(&got);
    dec_free(&want);
    free(data);
}


static ai_int_t
collect_delta(void *data, const ai_delta_t *delta)
{
    return ai_collect(data, delta);
}


/* a document becomes a document, and a stream */

static void
answer(const char *path, const cJSON *body)
{
    enc_t          c, stream;
    char          *text;
    dec_t          got, want;
    cJSON         *doc;
    ai_str_t       out;
    ai_json_t      v;
    ai_int_t       rc;
    ai_delta_t     end;
    ai_order_t     order, order2;
    ai_answer_t    a;
    ai_collect_t   collect;

    text = cJSON_PrintUnformatted(body);
    dec_init(&got);
    dec_init(&want);
    enc_init(&stream, NULL, MAX);
    ai_order_init(&order, &unit_arena, MAX, put_delta, &stream);
    got.order = &order;
    got.d.document = 1;

    CHECK(scan(text, strlen(text), &v));
    rc = wire->parse_response(&got.d, &v);

    if (strcmp(text_of(body, "status"), "queued") == 0) {
        CHECK_INT(rc, AI_DECLINED);
        goto done;
    }

    CHECK_INT(rc, AI_OK);
    oracle(&want, body);

    if (!same(path, &got, &want, 0)) {
        goto done;
    }

    same_end(path, &got, body);

    ai_delta_init(&end, AI_DELTA_END);
    CHECK_INT(ai_order(&order, &end), AI_OK);
    rewrite(path, &got, &stream);
    nanswers++;

    /* the same deltas, collected */

    ai_collect_init(&collect, &a, &unit_arena, MAX, 1);
    ai_order_init(&order2, &unit_arena, MAX,
                  collect_delta, &collect);
    dec_free(&got);
    dec_init(&got);
    got.order = &order2;
    got.d.document = 1;
    CHECK_INT(wire->parse_response(&got.d, &v), AI_OK);
    CHECK_INT(ai_order(&order2, &end), AI_OK);

    enc_init(&c, NULL, MAX);
    CHECK_INT(wire->render_response(&c.e, &a), AI_OK);
    CHECK_INT(ai_buf_get(&c.out, &out), AI_OK);

    doc = cJSON_ParseWithLength((char *) out.data, out.len);
    CHECK(doc != NULL);

    dec_free(&want);
    dec_init(&want);
    oracle(&want, doc);
    (void) same(path, &got, &want, 0);
    CHECK_TEXT(text_of(doc, "status"),
               strcmp(text_of(body, "status"), "incomplete") == 0
               ? "incomplete" : "completed");
    cJSON_Delete(doc);

done:

    free(text);
    dec_free(&got);
    dec_free(&want);
}


/* --- requests --- */


typedef struct {
    ai_request_t  req;
    ai_report_t   rep;
    ai_str_t      body;
    ai_int_t      rc;
} req_t;


#define parse_text(q, text)  parse(q, text, sizeof(text) - 1)


static void
parse(req_t *q, const char *body, size_t len)
{
    char       *copy;
    ai_json_t   v;

    copy = ai_alloc(&unit_arena, len);
    memcpy(copy, body, len);

    memset(q, 0, sizeof(req_t));
    ai_request_init(&q->req, &unit_arena);
    ai_report_init(&q->rep, &unit_arena);

    q->rc = AI_ERROR;

    if (CHECK(scan(copy, len, &v))) {
        q->rc = wire->parse_request(&q->req, &v, &q->rep);
    }
}


static void
render(req_t *q, const char *model, ai_uint_t flags, unsigned stream)
{
    ai_buf_t      out;
    ai_target_t   t;

    memset(&t, 0, sizeof(t));
    t.vendor = &vendor;
    t.op = AI_OP_RESPONSES;
    t.model = str(model);
    t.caps.flags = flags;
    t.stream = stream;

    ai_buf_init(&out, &unit_arena, MAX);

    CHECK_INT(ai_request_normalize(&q->req, &q->rep), AI_OK);
    q->rc = wire->render_request(&q->req, &t, &out, &q->rep);

    if (q->rc == AI_OK) {
        CHECK_INT(ai_buf_get(&out, &q->body), AI_OK);
    }
}


static int
dropped(const req_t *q, const char *name)
{
    unsigned  i;

    for (i = 0; i < q->rep.ndropped; i++) {
        if (q->rep.dropped[i].len == strlen(name)
            && memcmp(q->rep.dropped[i].data, name, strlen(name)) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
refused(const char *body, const char *param)
{
    req_t  q;

    parse(&q, body, strlen(body));
    CHECK_INT(q.rc, AI_DECLINED);
    CHECK(q.rep.message.len > 10);
    CHECK_MEM(q.rep.param.data, q.rep.param.len, param, strlen(param));
}


static void
test_stateful_members_are_refused(void)
{
    req_t  q;

    refused("{\"input\":\"x\",\"previous_response_id\":\"resp_1\"}",
            "previous_response_id");
    refused("{\"input\":\"x\",\"conversation\":\"conv_1\"}", "conversation");
    refused("{\"input\":\"x\",\"conversation\":{\"id\":\"c\"}}",
            "conversation");
    refused("{\"input\":\"x\",\"background\":true}", "background");
    refused("{\"input\":\"x\",\"prompt\":{\"id\":\"p\"}}", "prompt");
    refused("{\"input\":[{\"type\":\"item_reference\",\"id\":\"m\"}]}",
            "input.0");
    refused("{\"input\":[{\"role\":\"user\",\"content\":\"a\"},"
            "{\"id\":\"msg_1\"}]}", "input.1");
    refused("{\"input\":[{\"type\":\"compaction\",\"encrypted_content\":"
            "\"x\"}]}", "input.0");

#define FINE  "{\"input\":\"x\",\"previous_response_id\":null,"              \
              "\"background\":false,\"store\":true,\"conversation\":null}"

    parse(&q, FINE, sizeof(FINE) - 1);
    CHECK_INT(q.rc, AI_OK);
    CHECK_INT(q.rep.ndropped, 0);
    CHECK_INT(q.req.store.len, 0);
}


static void
test_wrong_requests(void)
{
    refused("[]", "");
    refused("{\"model\":\"m\"}", "input");
    refused("{\"input\":17}", "input");
    refused("{\"input\":[17]}", "input.0");
    refused("{\"input\":[{\"role\":\"user\"}]}", "input.0.content");
    refused("{\"input\":[{\"role\":\"user\",\"content\":17}]}",
            "input.0.content");
    refused("{\"input\":[{\"role\":\"user\",\"content\":[17]}]}",
            "input.0.content");
    refused("{\"input\":[{\"role\":\"tool\",\"content\":\"\"}]}",
            "input.0.role");
    refused("{\"input\":[{\"content\":\"\"}]}", "input.0.role");
    refused("{\"input\":[{\"type\":\"message\",\"role\":\"user\","
            "\"content\":[{\"type\":\"input_image\"}]}]}",
            "input.0.content");
    refused("{\"input\":[{\"type\":\"function_call\",\"call_id\":\"c\"}]}",
            "input.0.name");
    refused("{\"input\":[{\"type\":\"function_call\",\"call_id\":\"c\","
            "\"name\":\"f\",\"arguments\":[]}]}", "input.0.arguments");
    refused("{\"input\":[{\"type\":\"function_call_output\"}]}",
            "input.0.call_id");
    refused("{\"input\":\"x\",\"instructions\":17}", "instructions");
    refused("{\"input\":\"x\",\"temperature\":\"hot\"}", "temperature");
    refused("{\"input\":\"x\",\"tools\":{}}", "tools");
    refused("{\"input\":\"x\",\"tools\":[{\"type\":\"function\"}]}",
            "tools");
    refused("{\"input\":\"x\",\"tool_choice\":\"maybe\"}", "tool_choice");
    refused("{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"xml\"}}}",
            "text.format.type");
    refused("{\"input\":\"x\",\"stream\":\"yes\"}", "stream");
    refused("{\"input\":\"x\",\"metadata\":\"m\"}", "metadata");
}


#define PNG  "data:image/png;base64,iVBORw0KGgo="

static const char  full[] =
    "{\"tools\":[{\"type\":\"function\",\"name\":\"get\",\"description\":"
    "\"d\",\"parameters\":{\"type\":\"object\",\"properties\":{\"n\":"
    "{\"minimum\":1.50}}},\"strict\":true},{\"type\":\"custom\",\"name\":"
    "\"patch\",\"format\":{\"type\":\"grammar\",\"syntax\":\"lark\","
    "\"definition\":\"x\"}},{\"type\":\"web_search\"},{\"type\":\"mcp\","
    "\"server_label\":\"s\"}],"
    "\"input\":[{\"role\":\"developer\",\"content\":\"dev\"},"
    "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":"
    "\"input_text\",\"text\":\"look \\ud83d\\ude00\"},{\"type\":"
    "\"input_image\",\"image_url\":\"" PNG "\",\"detail\":\"low\"},"
    "{\"type\":\"input_file\",\"filename\":\"a.pdf\",\"file_data\":"
    "\"data:application/pdf;base64,JVBERi0=\"},{\"type\":\"input_audio\","
    "\"input_audio\":{\"data\":\"UklGRg==\",\"format\":\"wav\"}}]},"
    "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":"
    "\"summary_text\",\"text\":\"hm\"}],\"encrypted_content\":\"gAAA\"},"
    "{\"type\":\"message\",\"id\":\"msg_1\",\"role\":\"assistant\","
    "\"status\":\"completed\",\"content\":[{\"type\":\"output_text\","
    "\"text\":\"calling\",\"annotations\":[]}]},"
    "{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_1\","
    "\"name\":\"get\",\"arguments\":\"{\\\"n\\\": 1.50}\"},"
    "{\"type\":\"custom_tool_call\",\"call_id\":\"call_2\",\"name\":"
    "\"patch\",\"input\":\"free \\\"text\\\"\"},"
    "{\"type\":\"web_search_call\",\"id\":\"ws_1\",\"status\":"
    "\"completed\"},"
    "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":"
    "[{\"type\":\"input_text\",\"text\":\"see\"},{\"type\":\"input_image\","
    "\"image_url\":\"" PNG "\"}]},"
    "{\"type\":\"custom_tool_call_output\",\"call_id\":\"call_2\","
    "\"output\":\"ok\"},"
    "{\"role\":\"user\",\"content\":\"and now?\"}],"
    "\"instructions\":\"be brief\",\"max_output_tokens\":2000,"
    "\"temperature\":0.70,\"top_p\":0.9,\"reasoning\":{\"effort\":\"low\","
    "\"summary\":\"auto\"},\"include\":[\"reasoning.encrypted_content\"],"
    "\"store\":false,\"stream\":true,\"parallel_tool_calls\":true,"
    "\"tool_choice\":\"auto\",\"prompt_cache_key\":\"k\",\"service_tier\":"
    "\"flex\",\"text\":{\"verbosity\":\"low\"},\"truncation\":\"auto\"}";


static const char  full_rendered[] =
    "{\"model\":\"gpt-5\",\"instructions\":\"be brief\\n\\ndev\",\"input\":["
    "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":"
    "\"input_text\",\"text\":\"look \\ud83d\\ude00\"},{\"type\":"
    "\"input_image\",\"image_url\":\"" PNG "\",\"detail\":\"low\"},"
    "{\"type\":\"input_file\",\"filename\":\"a.pdf\",\"file_data\":"
    "\"data:application/pdf;base64,JVBERi0=\"},{\"type\":\"input_audio\","
    "\"input_audio\":{\"data\":\"UklGRg==\",\"format\":\"wav\"}}]},"
    "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":"
    "\"summary_text\",\"text\":\"hm\"}],\"encrypted_content\":\"gAAA\"},"
    "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
    "\"output_text\",\"text\":\"calling\"}]},"
    "{\"type\":\"function_call\",\"call_id\":\"call_1\",\"name\":\"get\","
    "\"arguments\":\"{\\\"n\\\": 1.50}\"},"
    "{\"type\":\"custom_tool_call\",\"call_id\":\"call_2\",\"name\":"
    "\"patch\",\"input\":\"free \\\"text\\\"\"},"
    "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":"
    "[{\"type\":\"input_text\",\"text\":\"see\"},{\"type\":\"input_image\","
    "\"image_url\":\"" PNG "\"}]},"
    "{\"type\":\"custom_tool_call_output\",\"call_id\":\"call_2\","
    "\"output\":\"ok\"},"
    "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":"
    "\"input_text\",\"text\":\"and now?\"}]}],"
    "\"tools\":[{\"type\":\"function\",\"name\":\"get\",\"description\":"
    "\"d\",\"parameters\":{\"type\":\"object\",\"properties\":{\"n\":"
    "{\"minimum\":1.50}}},\"strict\":true},{\"type\":\"custom\",\"name\":"
    "\"patch\",\"format\":{\"type\":\"grammar\",\"syntax\":\"lark\","
    "\"definition\":\"x\"}},{\"type\":\"web_search\"}],"
    "\"parallel_tool_calls\":true,\"tool_choice\":\"auto\","
    "\"text\":{\"verbosity\":\"low\"},"
    "\"reasoning\":{\"effort\":\"low\",\"summary\":\"auto\"},"
    "\"max_output_tokens\":2000,\"include\":"
    "[\"reasoning.encrypted_content\"],\"service_tier\":\"flex\","
    "\"prompt_cache_key\":\"k\",\"store\":false,\"stream\":true}";


static void
test_request_round_trip(void)
{
    req_t     q, again;

    parse(&q, full, sizeof(full) - 1);
    CHECK_INT(q.rc, AI_OK);
    CHECK(dropped(&q, "mcp"));
    CHECK(dropped(&q, "web_search_call"));
    CHECK(dropped(&q, "truncation"));
    CHECK_INT(q.rep.ndropped, 3);
    CHECK_INT(q.req.stream, 1);
    CHECK_INT(q.req.include_usage, 1);
    CHECK_INT(q.req.tools->next->type, AI_TOOL_CUSTOM);
    CHECK_INT(q.req.tools->next->next->type, AI_TOOL_SERVER);

    render(&q, "gpt-5", AI_CAPS_REASONING, 1);
    CHECK_INT(q.rc, AI_OK);
    CHECK_MEM(q.body.data, q.body.len, full_rendered,
              sizeof(full_rendered) - 1);
    CHECK(dropped(&q, "temperature"));
    CHECK(dropped(&q, "top_p"));

    parse(&again, (char *) q.body.data, q.body.len);
    CHECK_INT(again.rc, AI_OK);
    CHECK_INT(again.rep.ndropped, 0);
    render(&again, "gpt-5", AI_CAPS_REASONING, 1);
    CHECK_MEM(again.body.data, again.body.len, q.body.data, q.body.len);
}


/* Codex CLI: a shell of its own, free text, encrypted thoughts, no types */

static void
test_codex(void)
{
    req_t  q;

#define CODEX                                                                \
    "{\"model\":\"gpt-5-codex\",\"instructions\":\"You are Codex\","         \
    "\"input\":[{\"type\":\"message\",\"role\":\"developer\",\"content\":["  \
    "{\"type\":\"input_text\",\"text\":\"perm\"}]},{\"type\":\"message\","   \
    "\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":"      \
    "\"hi\"}]},{\"type\":\"reasoning\",\"summary\":[],\"content\":null,"     \
    "\"encrypted_content\":\"gAA\"},{\"type\":\"local_shell_call\","         \
    "\"call_id\":\"l1\",\"status\":\"completed\",\"action\":{\"type\":"      \
    "\"exec\"}},{\"type\":\"custom_tool_call\",\"status\":\"completed\","    \
    "\"call_id\":\"c1\",\"name\":\"apply_patch\",\"input\":\"*** B\"},"      \
    "{\"type\":\"custom_tool_call_output\",\"call_id\":\"c1\",\"output\":"   \
    "\"{}\"},{\"type\":\"ghost_snapshot\",\"ghost_commit\":{}}],"            \
    "\"tools\":[{\"type\":\"function\",\"name\":\"shell\",\"description\":"  \
    "\"r\",\"strict\":false,\"parameters\":{\"type\":\"object\"}},"          \
    "{\"type\":\"local_shell\"},{\"type\":\"web_search\","                   \
    "\"external_web_access\":false},{\"type\":\"custom\",\"name\":"          \
    "\"apply_patch\",\"description\":\"p\",\"format\":{\"type\":"            \
    "\"grammar\",\"syntax\":\"lark\",\"definition\":\"s: x\"}},"             \
    "{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[]}],"                 \
    "\"tool_choice\":\"auto\",\"parallel_tool_calls\":true,\"reasoning\":"   \
    "{\"effort\":\"medium\",\"summary\":\"auto\"},\"store\":false,"          \
    "\"stream\":true,\"include\":[\"reasoning.encrypted_content\"],"         \
    "\"prompt_cache_key\":\"019a\",\"text\":{\"verbosity\":\"medium\"},"     \
    "\"client_metadata\":{\"x\":\"y\"}}"

    parse(&q, CODEX, sizeof(CODEX) - 1);
    CHECK_INT(q.rc, AI_OK);
    CHECK(dropped(&q, "namespace"));
    CHECK(dropped(&q, "local_shell_call"));
    CHECK(dropped(&q, "ghost_snapshot"));
    CHECK(dropped(&q, "client_metadata"));
    CHECK_INT(q.rep.ndropped, 4);
    CHECK_INT(q.req.effort, AI_EFFORT_MEDIUM);
    CHECK_INT(q.req.summary, 1);

    CHECK_INT(ai_request_normalize(&q.req, &q.rep), AI_OK);
    CHECK_INT(q.req.messages->role, AI_ROLE_SYSTEM);
    CHECK_INT(q.req.messages->next->role, AI_ROLE_DEVELOPER);
}


static void
test_choices(void)
{
    req_t     q;
    cJSON    *v, *choice;
    unsigned  i;

    static const char *const  choices[] = {
        "\"none\"",
        "\"auto\"",
        "\"required\"",
        "{\"type\":\"function\",\"name\":\"f\"}",
        "{\"type\":\"custom\",\"name\":\"c\"}",
        "{\"type\":\"allowed_tools\",\"mode\":\"required\",\"tools\":"
        "[{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"function\","
        "\"name\":\"g\"}]}",
        "{\"type\":\"allowed_tools\",\"mode\":\"auto\",\"tools\":"
        "[{\"type\":\"function\",\"name\":\"f\"}]}",
        NULL
    };

    for (i = 0; choices[i] != NULL; i++) {
        char  body[1024];

        snprintf(body, sizeof(body), "{\"input\":\"x\",\"tools\":"
                 "[{\"type\":\"function\",\"name\":\"f\"},{\"type\":"
                 "\"function\",\"name\":\"g\"},{\"type\":\"custom\","
                 "\"name\":\"c\"}],\"tool_choice\":%s}", choices[i]);

        parse(&q, body, strlen(body));
        CHECK_INT(q.rc, AI_OK);
        render(&q, "m", 0, 0);

        v = cJSON_ParseWithLength((char *) q.body.data, q.body.len);
        choice = cJSON_Parse(choices[i]);
        CHECK(cJSON_Compare(cJSON_GetObjectItem(v, "tool_choice"), choice,
                            1));

        /* as the other wires have no "strict", it is told that there is none */

        CHECK(cJSON_IsFalse(cJSON_GetObjectItem(cJSON_GetArrayItem(
                  cJSON_GetObjectItem(v, "tools"), 0), "strict")));
        cJSON_Delete(choice);
        cJSON_Delete(v);
    }

    parse_text(&q, "{\"input\":\"x\","
                   "\"tool_choice\":{\"type\":\"file_search\"}}");
    CHECK_INT(q.rc, AI_OK);
    CHECK(dropped(&q, "tool_choice"));
}


/* what other clients ask for */

static void
test_render_foreign(void)
{
    req_t          q;
    cJSON         *v;
    ai_part_t     *part;
    ai_tool_t     *tool;
    ai_message_t  *m;

    memset(&q, 0, sizeof(q));
    ai_request_init(&q.req, &unit_arena);
    ai_report_init(&q.rep, &unit_arena);

    m = ai_request_message(&q.req, AI_ROLE_USER);
    part = ai_message_part(&q.req, m, AI_PART_TEXT);
    part->text = mstr("hi");
    m = ai_request_message(&q.req, AI_ROLE_ASSISTANT);
    part = ai_message_part(&q.req, m, AI_PART_REASONING);
    part->text = mstr("of another");
    part->state_kind = AI_STATE_ANTHROPIC;
    part->state = mstr("sig");
    part = ai_message_part(&q.req, m, AI_PART_CALL);
    part->id = mstr("t1");
    part->name = mstr("mcp__a_server_with_a_long_name__and_a_tool_with_a_"
                      "long_name_as_well");
    m = ai_request_message(&q.req, AI_ROLE_TOOL);
    part = ai_message_part(&q.req, m, AI_PART_RESULT);
    part->id = mstr("t1");
    part->is_error = 1;
    part->content = ai_part_create(&unit_arena, AI_PART_TEXT);
    part->content->text = mstr("no \"luck\"");
    m = ai_request_message(&q.req, AI_ROLE_SYSTEM);
    part = ai_message_part(&q.req, m, AI_PART_TEXT);
    part->text = mstr("later");
    m = ai_request_message(&q.req, AI_ROLE_USER);
    part = ai_message_part(&q.req, m, AI_PART_TEXT);
    part->text = mstr("go on");

    tool = ai_request_tool(&q.req);
    tool->name = mstr("mcp__a_server_with_a_long_name__and_a_tool_with_a_"
                      "long_name_as_well");
    tool = ai_request_tool(&q.req);
    tool->type = AI_TOOL_SERVER;
    tool->name = mstr("web_search_20250305");
    tool->raw = str("{\"type\":\"web_search_20250305\",\"name\":\"w\"}");
    tool = ai_request_tool(&q.req);
    tool->type = AI_TOOL_SERVER;
    tool->name = mstr("bash_20250124");
    tool = ai_request_tool(&q.req);
    tool->type = AI_TOOL_CUSTOM;
    tool->name = mstr("c");
    tool->raw = str("{\"type\":\"custom\",\"custom\":{\"name\":\"c\","
                    "\"format\":{\"type\":\"grammar\",\"grammar\":"
                    "{\"syntax\":\"regex\",\"definition\":\"x+\"}}}}");

    q.req.max_tokens = str("5");
    q.req.budget = str("10000");
    q.req.stop[q.req.nstop++] = mstr("END");
    q.req.seed = str("1");
    q.req.top_k = str("3");
    q.req.temperature = str("0.5");
    q.req.user = mstr("user_0123456789012345678901234567890123456789"
                      "012345678901234567890123456789");

    render(&q, "gpt-5-mini", AI_CAPS_REASONING, 0);
    CHECK_INT(q.rc, AI_OK);
    CHECK(dropped(&q, "stop"));
    CHECK(dropped(&q, "seed"));
    CHECK(dropped(&q, "top_k"));
    CHECK(dropped(&q, "temperature"));
    CHECK(dropped(&q, "bash_20250124"));

    v = cJSON_ParseWithLength((char *) q.body.data, q.body.len);
    CHECK(v != NULL);
    CHECK(!cJSON_HasObjectItem(v, "instructions"));
    CHECK(!cJSON_HasObjectItem(v, "stream"));
    CHECK(!cJSON_HasObjectItem(v, "temperature"));
    CHECK(cJSON_IsFalse(cJSON_GetObjectItem(v, "store")));
    CHECK_INT(cJSON_GetObjectItem(v, "max_output_tokens")->valueint, 16);
    CHECK_INT(strlen(text_of(v, "user")), 16);
    CHECK_TEXT(text_of(cJSON_GetObjectItem(v, "reasoning"), "effort"),
               "high");

#define INPUT(n)  cJSON_GetArrayItem(cJSON_GetObjectItem(v, "input"), n)
#define TOOL(n)   cJSON_GetArrayItem(cJSON_GetObjectItem(v, "tools"), n)

    CHECK_INT(cJSON_GetArraySize(cJSON_GetObjectItem(v, "input")), 5);
    CHECK_TEXT(text_of(INPUT(1), "type"), "function_call");
    CHECK_TEXT(text_of(INPUT(1), "arguments"), "{}");
    CHECK(strlen(text_of(INPUT(1), "name")) <= 64);
    CHECK_TEXT(text_of(INPUT(1), "name"), text_of(TOOL(0), "name"));
    CHECK_TEXT(text_of(INPUT(2), "output"), "Error: no \"luck\"");
    CHECK_TEXT(text_of(INPUT(3), "role"), "developer");
    CHECK_INT(cJSON_GetArraySize(cJSON_GetObjectItem(v, "tools")), 3);
    CHECK_TEXT(text_of(TOOL(1), "type"), "web_search");
    CHECK_TEXT(text_of(cJSON_GetObjectItem(TOOL(2), "format"), "syntax"),
               "regex");
    cJSON_Delete(v);

    /* what cannot be said */

    memset(&q, 0, sizeof(q));
    parse_text(&q, "{\"input\":\"x\"}");
    q.req.n = str("2");
    render(&q, "m", 0, 0);
    CHECK_INT(q.rc, AI_DECLINED);

    parse_text(&q, "{\"input\":\"x\"}");
    part = ai_message_part(&q.req, q.req.messages, AI_PART_VIDEO);
    render(&q, "m", 0, 0);
    CHECK_INT(q.rc, AI_DECLINED);

    /* of OpenAI's own models only some think */

    parse_text(&q, "{\"input\":\"x\","
                   "\"reasoning\":{\"effort\":\"high\"}}");
    render(&q, "gpt-4.1", 0, 0);
    CHECK(dropped(&q, "reasoning_effort"));

    parse_text(&q, "{\"instructions\":\"only\",\"input\":[]}");
    render(&q, "m", 0, 0);
    v = cJSON_ParseWithLength((char *) q.body.data, q.body.len);
    CHECK_TEXT(text_of(INPUT(0), "role"), "developer");
    cJSON_Delete(v);
}


/* texts, in their order; ids and names of calls; results; states */

static void
gist(const cJSON *body, grow_t *g)
{
    const char   *type, *p;
    const cJSON  *item, *part, *parts, *input;

    input = cJSON_GetObjectItem(body, "input");

    if (cJSON_IsString(input)) {
        grow(g, "text ", 5);
        grow(g, input->valuestring, strlen(input->valuestring));
        grow(g, "\n", 1);
    }

    cJSON_ArrayForEach(item, input) {
        type = text_of(item, "type");
        parts = cJSON_GetObjectItem(item, "content");

        if (strcmp(type, "function_call") == 0) {
            p = text_of(item, "call_id");
            grow(g, "call ", 5);
            grow(g, p, strlen(p));
            grow(g, " ", 1);
            p = text_of(item, "name");
            grow(g, p, strlen(p));
            grow(g, " ", 1);
            p = text_of(item, "arguments");
            grow(g, p, strlen(p));
            grow(g, "\n", 1);
            continue;
        }

        if (strcmp(type, "function_call_output") == 0) {
            p = text_of(item, "call_id");
            grow(g, "result ", 7);
            grow(g, p, strlen(p));
            grow(g, "\n", 1);
            parts = cJSON_GetObjectItem(item, "output");

        } else if (type[0] != '\0' && strcmp(type, "message") != 0) {
            continue;

        } else if (strcmp(text_of(item, "role"), "system") == 0
                   || strcmp(text_of(item, "role"), "developer") == 0)
        {
            continue;
        }

        if (cJSON_IsString(parts) && parts->valuestring[0] != '\0') {
            grow(g, "text ", 5);
            grow(g, parts->valuestring, strlen(parts->valuestring));
            grow(g, "\n", 1);
        }

        cJSON_ArrayForEach(part, parts) {
            p = text_of(part, "text");
            grow(g, "text ", 5);
            grow(g, p, strlen(p));
            grow(g, text_of(part, "image_url"),
                 strlen(text_of(part, "image_url")));
            grow(g, text_of(part, "file_data"),
                 strlen(text_of(part, "file_data")));
            grow(g, "\n", 1);
        }
    }
}


/* whether there is anything in it that no other provider can have */

static int
stateful(const cJSON *body)
{
    const cJSON  *item;

    cJSON_ArrayForEach(item, cJSON_GetObjectItem(body, "input")) {
        if (strcmp(text_of(item, "type"), "item_reference") == 0
            || strcmp(text_of(item, "type"), "compaction") == 0)
        {
            return 1;
        }
    }

    return text_of(body, "previous_response_id")[0] != '\0'
           || cJSON_IsTrue(cJSON_GetObjectItem(body, "background"))
           || cJSON_HasObjectItem(body, "conversation");
}


static void
request(const char *path, const cJSON *body)
{
    char      *text;
    req_t      q, again;
    cJSON     *v;
    grow_t     got = { NULL, 0 }, want = { NULL, 0 };
    unsigned   failed;

    failed = unit.failed;
    text = cJSON_PrintUnformatted(body);
    parse(&q, text, strlen(text));
    free(text);

    if (stateful(body)) {
        CHECK_INT(q.rc, AI_DECLINED);
        nrefused++;
        return;
    }

    if (!CHECK_INT(q.rc, AI_OK)) {
        printf("    in %s: %.*s\n", path, (int) q.rep.message.len,
               q.rep.message.data);
        return;
    }

    render(&q, "gpt-5", AI_CAPS_REASONING, 1);
    CHECK_INT(q.rc, AI_OK);

    v = cJSON_ParseWithLength((char *) q.body.data, q.body.len);

    if (CHECK(v != NULL)) {
        gist(v, &got);
        gist(body, &want);
        CHECK_MEM(grown(&got), got.len, grown(&want), want.len);
        cJSON_Delete(v);
    }

    parse(&again, (char *) q.body.data, q.body.len);
    CHECK_INT(again.rc, AI_OK);
    CHECK_INT(again.rep.ndropped, 0);
    render(&again, "gpt-5", AI_CAPS_REASONING, 1);
    CHECK_MEM(again.body.data, again.body.len, q.body.data, q.body.len);

    if (unit.failed != failed) {
        printf("    in %s\n", path);
    }

    nrequests++;
    free(got.p);
    free(want.p);
}


static void
document_file(const char *path)
{
    char         *data;
    cJSON        *v, *body, *r;
    size_t        len;

    data = read_file(path, &len);
    v = data ? cJSON_ParseWithLength(data, len) : NULL;
    free(data);

    if (v == NULL) {
        return;
    }

    body = cJSON_GetObjectItem(v, "request");
    body = cJSON_GetObjectItem(body, "body");

    if (cJSON_IsObject(body)) {
        request(path, body);
    }

    r = v;

    if (cJSON_HasObjectItem(v, "response")) {
        r = cJSON_GetObjectItem(cJSON_GetObjectItem(v, "response"), "body");
    }

    if (cJSON_IsArray(cJSON_GetObjectItem(r, "output"))
        && !cJSON_IsObject(cJSON_GetObjectItem(r, "error")))
    {
        answer(path, r);
    }

    cJSON_Delete(v);
}


static void
drop_blocks(void)
{
    unit_block_t  *block;

    while (unit.blocks != NULL) {
        block = unit.blocks;
        unit.blocks = block->next;
        free(block->memory);
        free(block);
    }
}


static void
test_fixtures(void)
{
    DIR            *dir;
    char            path[4096];
    unsigned        i;
    const char     *ext;
    struct dirent  *entry;

    for (i = 0; roots[i] != NULL; i++) {
        dir = opendir(roots[i]);
        if (dir != NULL) {
            root = roots[i];
            closedir(dir);
            break;
        }
    }

    if (root == NULL) {
        printf("test_fixtures: skipped, there are no fixtures\n");
        return;
    }

    for (i = 0; dirs[i] != NULL; i++) {
        snprintf(path, sizeof(path), "%s/%s/responses", root, dirs[i]);
        dir = opendir(path);

        while (dir != NULL && (entry = readdir(dir)) != NULL) {
            snprintf(path, sizeof(path), "%s/%s/responses/%s", root,
                     dirs[i], entry->d_name);
            ext = strrchr(entry->d_name, '.');

            if (strcmp(ext, ".json") == 0) {
                document_file(path);

            } else if (strcmp(ext, ".sse") == 0
                       || strcmp(ext, ".ndjson") == 0)
            {
                stream_file(path);
            }

            drop_blocks();
        }

        if (dir != NULL) {
            closedir(dir);
        }
    }

    printf("fixtures: %u streams, %u answers, %u requests, %u refused\n",
           nstreams, nanswers, nrequests, nrefused);
    CHECK(nstreams > 90);
    CHECK(nanswers > 130);
    CHECK(nrequests > 180);
    CHECK(nrefused > 5);
}


/* memory that ends anywhere is an error, and nothing worse */

static void
test_no_memory(void)
{
    long          n;
    enc_t         c;
    dec_t         r;
    req_t         q;
    ai_buf_t      out;
    ai_json_t     v;
    ai_target_t   t;
    ai_answer_t   a;
    ai_part_t     call;

    static const char  delta[] =
        "{\"type\":\"response.output_text.delta\",\"delta\":\"x\"}";

    for (n = 0; n < 60; n++) {
        enc_init(&c, NULL, MAX);
        unit.fail_after = n;
        say(&c, AI_DELTA_START, "");
        say(&c, AI_DELTA_REASONING, "thought");
        say_state(&c, AI_STATE_GOOGLE, "", "state");
        say(&c, AI_DELTA_TEXT, "text");
        say_note(&c, "https://a/", "A", 0, 1);
        say_call(&c, 0, "c", "f", 0);
        say(&c, AI_DELTA_ARGS, "{}");
        say(&c, AI_DELTA_CALL_END, "");
        say(&c, AI_DELTA_IMAGE, "aGk=");
        say_end(&c, AI_FINISH_STOP);
        unit.fail_after = -1;
        CHECK(c.rc == AI_OK || c.rc == AI_ERROR);
        CHECK(c.rc == AI_ERROR || c.out.failed || n > 10);
    }

    CHECK_INT(c.rc, AI_OK);
    CHECK_INT(c.out.failed, 0);

    CHECK(scan(full, sizeof(full) - 1, &v));

    for (n = 0; n < 120; n++) {
        memset(&q, 0, sizeof(q));
        ai_request_init(&q.req, &unit_arena);
        ai_report_init(&q.rep, &unit_arena);
        memset(&t, 0, sizeof(t));
        t.vendor = &vendor;
        t.model = str("gpt-5");
        unit.fail_after = n;
        q.rc = wire->parse_request(&q.req, &v, &q.rep);

        if (q.rc == AI_OK) {
            q.rc = ai_request_normalize(&q.req, &q.rep);
        }

        if (q.rc == AI_OK) {
            ai_buf_init(&out, &unit_arena, MAX);
            q.rc = wire->render_request(&q.req, &t, &out, &q.rep);
        }

        unit.fail_after = -1;
        CHECK(q.rc == AI_OK || q.rc == AI_ERROR);
    }

    CHECK_INT(q.rc, AI_OK);

    for (n = 0; n < 3; n++) {
        dec_init(&r);
        CHECK(scan(delta, sizeof(delta) - 1, &v));
        unit.fail_after = n;
        r.d.emit = on_delta;
        (void) wire->parse_event(&r.d, &t.model, &v);
        unit.fail_after = -1;
        dec_free(&r);
    }

    for (n = 0; n < 12; n++) {
        memset(&a, 0, sizeof(a));
        memset(&call, 0, sizeof(call));
        call.type = AI_PART_CALL;
        call.id = mstr("c");
        call.name = mstr("f");
        call.args = mstr("{}");
        call.state_kind = AI_STATE_GOOGLE;
        call.state = mstr("s");
        a.choices[0].parts = &call;
        a.nchoices = 1;
        enc_init(&c, NULL, MAX);
        unit.fail_after = n;
        c.rc = (int) wire->render_response(&c.e, &a);
        unit.fail_after = -1;
        CHECK(c.rc == AI_OK || c.rc == AI_ERROR);
    }

    CHECK_INT(c.rc, AI_OK);
}


static void
test_dialect(void)
{
    const ai_dialect_t  *d = &ai_dialect_responses;

    CHECK_MEM(d->name.data, d->name.len, "responses", 9);
    CHECK_INT(d->auth, AI_AUTH_BEARER);
    CHECK_INT(d->ops, 1 << AI_OP_RESPONSES | 1 << AI_OP_PASS);
    CHECK_TEXT(d->terminator(AI_OP_RESPONSES), "");
    CHECK_INT(d->usage_ops, 0);
}


int
main(void)
{
    UNIT_RUN(test_text);
    UNIT_RUN(test_empty);
    UNIT_RUN(test_error_first);
    UNIT_RUN(test_16_11_error_in_mid_stream);
    UNIT_RUN(test_reasoning);
    UNIT_RUN(test_16_10_state_comes_back);
    UNIT_RUN(test_16_4_parallel_calls);
    UNIT_RUN(test_16_6_zero_arguments);
    UNIT_RUN(test_custom);
    UNIT_RUN(test_refusal);
    UNIT_RUN(test_finishes);
    UNIT_RUN(test_citations);
    UNIT_RUN(test_image);
    UNIT_RUN(test_bounded);
    UNIT_RUN(test_16_19_echo);
    UNIT_RUN(test_done_without_deltas);
    UNIT_RUN(test_nothing_but_the_end);
    UNIT_RUN(test_16_18_unknown_items);
    UNIT_RUN(test_errors);
    UNIT_RUN(test_wrong_types);
    UNIT_RUN(test_many_items);
    UNIT_RUN(test_stateful_members_are_refused);
    UNIT_RUN(test_wrong_requests);
    UNIT_RUN(test_request_round_trip);
    UNIT_RUN(test_codex);
    UNIT_RUN(test_choices);
    UNIT_RUN(test_render_foreign);
    UNIT_RUN(test_fixtures);
    UNIT_RUN(test_no_memory);
    UNIT_RUN(test_dialect);

    return unit_done();
}

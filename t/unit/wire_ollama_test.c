
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Ollama as a provider: requests are parsed of another dialect and judged as
 * trees of cJSON, answers by what is emitted of them; recorded ones are read
 * in place, where they are present, and compared with what cJSON finds.
 */


#include <cjson/cJSON.h>
#include <dirent.h>

#include "dialect.h"
#include "ai_wire.h"
#include "unit.h"


#define MAX_KEPT   (4 * 1024 * 1024)
#define MAX_TEXT   65536
#define MAX_CALLS  8


typedef struct {
    char                 text[MAX_TEXT];
    char                 thoughts[MAX_TEXT];
    char                 names[MAX_CALLS][128];
    char                 ids[MAX_CALLS][128];
    char                 args[MAX_CALLS][4096];
    ai_uint_t            keys[MAX_CALLS];
    unsigned             ncalls;
    unsigned             ncalls_ended;
    unsigned             nlogprobs;
    char                 model[128];
    char                 native[64];
    ai_finish_e          finish;
    ai_usage_t           usage;
    unsigned             finishes;
    unsigned             ended;
    char                 error[512];
} answer_t;


static const char  *const  roots[] = {
    "../shared/fixtures", "../../shared/fixtures", NULL
};


static const cJSON *
get(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object)
           ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}


static void
append(char *dst, size_t size, const ai_mstr_t *m)
{
    size_t    len;
    ai_str_t  s;

    if (ai_mstr_decode(m, &unit_arena, &s) != AI_OK) {
        return;
    }

    len = strlen(dst);
    (void) snprintf(dst + len, size - len, "%.*s", (int) s.len, s.data);
}


static ai_int_t
emit(void *data, const ai_delta_t *delta)
{
    answer_t  *a;
    unsigned   i;

    a = data;

    switch (delta->type) {

    case AI_DELTA_START:
        a->model[0] = '\0';
        append(a->model, sizeof(a->model), &delta->name);
        break;

    case AI_DELTA_TEXT:
        append(a->text, MAX_TEXT, &delta->text);
        break;

    case AI_DELTA_REASONING:
        append(a->thoughts, MAX_TEXT, &delta->text);
        break;

    case AI_DELTA_CALL:
        i = a->ncalls++;
        a->keys[i] = delta->call;
        append(a->names[i], sizeof(a->names[i]), &delta->name);
        append(a->ids[i], sizeof(a->ids[i]), &delta->id);
        break;

    case AI_DELTA_ARGS:
        CHECK_UINT(delta->call, a->keys[a->ncalls - 1]);
        append(a->args[a->ncalls - 1], sizeof(a->args[0]), &delta->text);
        break;

    case AI_DELTA_CALL_END:
        a->ncalls_ended++;
        break;

    case AI_DELTA_LOGPROBS:
        a->nlogprobs++;
        break;

    case AI_DELTA_FINISH:
        a->finishes++;
        a->finish = delta->finish;
        append(a->native, sizeof(a->native), &delta->native);
        break;

    case AI_DELTA_USAGE:
        a->usage = delta->usage;
        break;

    case AI_DELTA_END:
        a->ended++;
        break;

    case AI_DELTA_ERROR:
        (void) snprintf(a->error, sizeof(a->error), "%.*s",
                        (int) delta->raw.len, delta->raw.data);
        break;

    default:
        break;
    }

    return AI_OK;
}


static ai_decode_t *
decoder(answer_t *a)
{
    static ai_decode_t  d;

    memset(a, 0, sizeof(answer_t));
    memset(&d, 0, sizeof(ai_decode_t));

    d.wire = &ai_wire_ollama;
    d.op = AI_OP_OLLAMA_CHAT;
    d.alloc = &unit_arena;
    d.scratch = &unit_arena;
    d.emit = emit;
    d.data = a;
    d.state = ai_alloc(&unit_arena, ai_wire_ollama.decode_size);
    memset(d.state, 0, ai_wire_ollama.decode_size);

    return &d;
}


static ai_int_t
feed(ai_decode_t *d, const char *text, size_t len, int document)
{
    u_char           *copy;
    ai_str_t          name;
    ai_json_t         root;
    ai_json_error_t   err;

    ai_str_set(&name, "");
    copy = unit_bytes(text, len);

    if (!CHECK(ai_json_scan(copy, len, NULL, &unit_arena, NULL, NULL, &root,
                            &err)
               == AI_OK))
    {
        return AI_ERROR;
    }

    return document ? ai_wire_ollama.parse_response(d, &root)
                    : ai_wire_ollama.parse_event(d, &name, &root);
}


/* lines to the end, which adds nothing */

static void
stream(answer_t *a, const char *text)
{
    size_t        len;
    ai_decode_t  *d;

    d = decoder(a);

    while (*text != '\0') {

        len = strcspn(text, "\n");

        if (len != 0) {
            CHECK_INT(feed(d, text, len, 0), AI_OK);
        }

        text += len + (text[len] == '\n');
    }

    CHECK_INT(ai_wire_ollama.parse_end(d), AI_OK);
}


static void
document(answer_t *a, const char *text)
{
    CHECK_INT(feed(decoder(a), text, strlen(text), 1), AI_OK);
}


static void
test_stream(void)
{
    static answer_t  a;

    stream(&a,
        "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":"
        "\"\",\"thinking\":\"h\\u00fc\"},\"done\":false}\n"
        "{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n"
        "{\"model\":\"m\",\"message\":{\"content\":\"\\n\"},\"logprobs\":"
        "[{\"token\":\"a\",\"logprob\":-1}],\"done\":false}\n"
        "{\"model\":\"m\",\"message\":{\"content\":\"\"},\"done\":true,"
        "\"done_reason\":\"length\",\"prompt_eval_count\":3,"
        "\"eval_count\":4}\n");

    CHECK_STR(a.model, strlen(a.model), "m");
    CHECK_STR(a.thoughts, strlen(a.thoughts), "h\xc3\xbc");
    CHECK_STR(a.text, strlen(a.text), "a\n");
    CHECK_STR(a.native, strlen(a.native), "length");
    CHECK_INT(a.finish, AI_FINISH_LENGTH);
    CHECK_UINT(a.usage.uncached, 3);
    CHECK_UINT(a.usage.output, 4);
    CHECK_UINT(a.nlogprobs, 1);
    CHECK_UINT(a.finishes, 1);
    CHECK_UINT(a.ended, 1);
}


/* "index" starts anew, the reason is "stop", arguments are objects */

static void
test_calls_of_several_lines(void)
{
    static answer_t  a;

    stream(&a,
        "{\"message\":{\"content\":\"\",\"tool_calls\":[{\"id\":\"c1\","
        "\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":"
        "{\"x\": 1.0, \"y\":\"\\\"\"}}}]},\"done\":false}\n"
        "{\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":"
        "{\"index\":0,\"name\":\"g\",\"arguments\":{}}},{\"function\":"
        "{\"name\":\"h\",\"arguments\":\"{\\\"z\\\":1}\"}},{\"function\":"
        "{\"name\":\"i\",\"arguments\":null}}]},\"done\":false}\n"
        "{\"message\":{\"content\":\"\"},\"done\":true,"
        "\"done_reason\":\"stop\"}\n");

    CHECK_UINT(a.ncalls, 4);
    CHECK_UINT(a.ncalls_ended, 4);
    CHECK_UINT(a.keys[3], 3);
    CHECK_STR(a.ids[0], strlen(a.ids[0]), "c1");
    CHECK_STR(a.args[0], strlen(a.args[0]), "{\"x\": 1.0, \"y\":\"\\\"\"}");
    CHECK_STR(a.names[1], strlen(a.names[1]), "g");
    CHECK_STR(a.args[1], strlen(a.args[1]), "{}");
    CHECK_STR(a.args[2], strlen(a.args[2]), "{\"z\":1}");
    CHECK_STR(a.args[3], strlen(a.args[3]), "");
    CHECK_INT(a.finish, AI_FINISH_TOOLS);
    CHECK_INT(a.usage.source, AI_USAGE_NONE);
}


/* a prompt that was evaluated before is not counted again */

static void
test_no_prompt_count(void)
{
    static answer_t  a;

    document(&a, "{\"model\":\"m\",\"message\":{\"role\":\"assistant\","
             "\"content\":\"a\"},\"done\":true,\"done_reason\":\"stop\","
             "\"eval_count\":2}");

    CHECK_UINT(a.usage.uncached, 0);
    CHECK_UINT(a.usage.output, 2);
    CHECK_INT(a.usage.source, AI_USAGE_PROVIDER);
    CHECK_UINT(a.ended, 0);
}


/* what a server says that was asked for no messages */

static void
test_load(void)
{
    static answer_t  a;

    stream(&a, "{\"model\":\"m\",\"message\":{\"role\":\"assistant\","
           "\"content\":\"\"},\"done_reason\":\"load\",\"done\":true}");

    CHECK_INT(a.finish, AI_FINISH_STOP);
    CHECK_STR(a.native, strlen(a.native), "load");
    CHECK_UINT(a.ended, 1);
}


static void
test_errors(void)
{
    ai_decode_t      *d;
    static answer_t   a;

    stream(&a, "{\"message\":{\"content\":\"a\"},\"done\":false}\n"
           "{\"error\":\"an error was encountered\"}\n");
    CHECK_STR(a.error, strlen(a.error),
              "{\"error\":\"an error was encountered\"}");
    CHECK_UINT(a.ended, 0);

    document(&a, "{\"error\":\"model 'x' not found\"}");
    CHECK(a.error[0] != '\0');

    d = decoder(&a);
    CHECK_INT(feed(d, "{\"a\":1}", 7, 1), AI_DECLINED);
    CHECK_INT(feed(d, "[]", 2, 0), AI_DECLINED);
    CHECK_INT(feed(d, "{\"a\":1}", 7, 0), AI_OK);
    CHECK_UINT(d->unknown, 1);
}


/* the stream without a line that says that it is done */

static void
test_cut(void)
{
    static answer_t  a;

    stream(&a, "{\"message\":{\"content\":\"a\"},\"done\":false}\n");
    CHECK_UINT(a.ended, 0);
    CHECK_UINT(a.finishes, 0);
}


/* requests */

static ai_request_t  req;
static ai_report_t   rep;


static void
parse(const char *text)
{
    u_char           *copy;
    ai_json_t         root;
    ai_json_error_t   err;

    copy = unit_bytes(text, strlen(text));

    ai_request_init(&req, &unit_arena);
    ai_report_init(&rep, &unit_arena);

    CHECK_INT(ai_json_scan(copy, strlen(text), NULL, &unit_arena, NULL, NULL,
                           &root, &err), AI_OK);
    CHECK_INT(ai_wire_cohere.parse_request(&req, &root, &rep), AI_OK);
}


static cJSON *
render(const char *name, ai_uint_t streamed)
{
    cJSON        *v;
    ai_buf_t      out;
    ai_str_t      text;
    ai_target_t   t;

    memset(&t, 0, sizeof(ai_target_t));

    t.op = AI_OP_OLLAMA_CHAT;
    t.model.data = (u_char *) name;
    t.model.len = strlen(name);
    t.stream = streamed;

    ai_buf_init(&out, &unit_arena, MAX_KEPT);

    if (ai_request_normalize(&req, &rep) != AI_OK
        || ai_wire_ollama.render_request(&req, &t, &out, &rep) != AI_OK
        || ai_buf_get(&out, &text) != AI_OK)
    {
        return NULL;
    }

    v = cJSON_ParseWithLength((char *) text.data, text.len);
    CHECK(v != NULL);

    return v;
}


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


static const char  body[] =
    "{\"model\":\"m\",\"max_tokens\":100,\"temperature\":0.30,\"p\":0.9,"
    "\"k\":40,\"seed\":7,\"frequency_penalty\":0.1,\"presence_penalty\":0.2,"
    "\"stop_sequences\":[\"a\"],\"tool_choice\":\"REQUIRED\","
    "\"response_format\":{\"type\":\"json_object\",\"schema\":{\"a\":1}},"
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
    "\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}],"
    "\"messages\":["
    "{\"role\":\"system\",\"content\":\"s\"},"
    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"u\"},"
    "{\"type\":\"text\",\"text\":\"v\"},"
    "{\"type\":\"image_url\",\"image_url\":{\"url\":"
    "\"data:image/png;base64,AAAA\"}}]},"
    "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
    "\"thinking\":\"hm\"}],\"tool_calls\":[{\"id\":\"c1\",\"type\":"
    "\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
    "\"{\\\"x\\\": 1.0}\"}},{\"id\":\"c2\",\"type\":\"function\","
    "\"function\":{\"name\":\"f\",\"arguments\":\"\"}},{\"id\":\"c3\","
    "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
    "\"oops\"}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"r\"},"
    "{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"q\"},"
    "{\"role\":\"tool\",\"tool_call_id\":\"c3\",\"content\":\"p\"}]}";


static void
test_request(void)
{
    cJSON  *v;

    parse(body);
    v = render("llama3.1", 0);

    /* without it, there would be a stream */

    is(get(v, "stream"), "false");
    is(get(v, "model"), "\"llama3.1\"");
    is(get(v, "format"), "{\"a\":1}");
    is(get(v, "options"), "{\"num_predict\":100,\"temperature\":0.3,"
       "\"top_p\":0.9,\"top_k\":40,\"seed\":7,\"presence_penalty\":0.2,"
       "\"frequency_penalty\":0.1,\"stop\":[\"a\"]}");
    is(get(v, "tools"), "[{\"type\":\"function\",\"function\":{\"name\":\"f\""
       ",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}]");
    CHECK(get(v, "tool_choice") == NULL);
    CHECK(get(v, "think") == NULL);
    CHECK(dropped("tool_choice"));
    is(get(v, "messages"), "[{\"role\":\"system\",\"content\":\"s\"},"
       "{\"role\":\"user\",\"content\":\"u\\nv\",\"images\":[\"AAAA\"]},"
       "{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\","
       "\"tool_calls\":[{\"id\":\"c1\",\"function\":{\"name\":\"f\","
       "\"arguments\":{\"x\":1}}},{\"id\":\"c2\",\"function\":{\"name\":"
       "\"f\",\"arguments\":{}}},{\"id\":\"c3\",\"function\":{\"name\":\"f\","
       "\"arguments\":{\"rawInvalidInput\":\"oops\"}}}]},"
       "{\"role\":\"tool\",\"content\":\"r\",\"tool_name\":\"f\","
       "\"tool_call_id\":\"c1\"},{\"role\":\"tool\",\"content\":\"q\","
       "\"tool_name\":\"f\",\"tool_call_id\":\"c2\"},"
       "{\"role\":\"tool\",\"content\":\"p\",\"tool_name\":\"f\","
       "\"tool_call_id\":\"c3\"}]");
    cJSON_Delete(v);

    parse(body);
    v = render("llama3.1", 1);
    is(get(v, "stream"), "true");
    cJSON_Delete(v);
}


static void
test_no_empty_tools(void)
{
    cJSON  *v;

    parse(body);
    req.choice = AI_CHOICE_NONE;
    v = render("m", 0);
    CHECK(get(v, "tools") == NULL);
    CHECK(!dropped("tool_choice"));
    cJSON_Delete(v);

    parse(body);
    req.choice = AI_CHOICE_AUTO;
    req.allowed[0] = ai_mstr_cstr("other");
    req.nallowed = 1;
    v = render("m", 0);
    CHECK(get(v, "tools") == NULL);
    cJSON_Delete(v);

    parse(body);
    req.tools->type = AI_TOOL_CUSTOM;
    req.format = AI_FORMAT_JSON;
    v = render("m", 0);
    is(get(get(cJSON_GetArrayItem(get(v, "tools"), 0), "function"),
           "parameters"),
       "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}}"
       ",\"required\":[\"input\"]}");
    is(get(v, "format"), "\"json\"");
    cJSON_Delete(v);
}


typedef struct {
    const char          *model;
    ai_effort_e          effort;
    const char          *budget;
    const char          *want;
} think_t;


static void
test_think(void)
{
    size_t    i;
    cJSON    *v;

    static const think_t  rows[] = {
        { "qwen3", AI_EFFORT_UNSET, "", "none" },
        { "qwen3", AI_EFFORT_NONE, "", "false" },
        { "qwen3", AI_EFFORT_LOW, "", "true" },
        { "qwen3", AI_EFFORT_UNSET, "2048", "true" },
        { "gpt-oss:20b", AI_EFFORT_NONE, "", "\"low\"" },
        { "gpt-oss:20b", AI_EFFORT_MEDIUM, "", "\"medium\"" },
        { "gpt-oss:20b", AI_EFFORT_MAX, "", "\"high\"" },
        { "x/gpt-oss", AI_EFFORT_UNSET, "2048", "\"medium\"" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        parse(body);
        req.effort = rows[i].effort;
        req.budget.data = (u_char *) rows[i].budget;
        req.budget.len = strlen(rows[i].budget);

        v = render(rows[i].model, 0);
        is(get(v, "think"), rows[i].want);
        cJSON_Delete(v);
    }

    parse(body);
    req.adaptive = 1;
    v = render("llama3", 0);
    CHECK(get(v, "think") == NULL);
    cJSON_Delete(v);
}


static void
test_refused(void)
{
    parse("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
          "\"image_url\",\"image_url\":{\"url\":\"https://a/b.png\"}}]}]}");
    CHECK(render("llava", 0) == NULL);
    CHECK_STR(rep.param.data, rep.param.len, "messages");

    parse("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");
    req.messages->parts->type = AI_PART_AUDIO;
    CHECK(render("m", 0) == NULL);

    parse("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}");
    ai_str_set(&req.n, "2");
    CHECK(render("m", 0) == NULL);
    CHECK_STR(rep.param.data, rep.param.len, "n");
}


static void
test_no_memory(void)
{
    long              n;
    u_char           *copy;
    ai_int_t          rc;
    ai_buf_t          out;
    ai_json_t         root;
    ai_target_t       t;
    ai_json_error_t   err;

    for (n = 0; n < 300; n++) {

        copy = unit_bytes(body, sizeof(body) - 1);
        CHECK_INT(ai_json_scan(copy, sizeof(body) - 1, NULL, &unit_arena,
                               NULL, NULL, &root, &err), AI_OK);

        unit.fail_after = n;

        memset(&t, 0, sizeof(ai_target_t));
        ai_request_init(&req, &unit_arena);
        ai_report_init(&rep, &unit_arena);
        ai_buf_init(&out, &unit_arena, MAX_KEPT);

        rc = ai_wire_cohere.parse_request(&req, &root, &rep);

        if (rc == AI_OK) {
            rc = ai_request_normalize(&req, &rep);
        }

        if (rc == AI_OK) {
            rc = ai_wire_ollama.render_request(&req, &t, &out, &rep);
        }

        unit_arena_reset();

        if (rc == AI_OK) {
            break;
        }

        CHECK_INT(rc, AI_ERROR);
    }

    CHECK(n > 10 && n < 300);
}


static void
test_dialect(void)
{
    ai_tap_t          tap;
    ai_str_t          out;
    ai_error_doc_t    doc;
    ai_json_error_t   err;

    static char  embed[] = "{\"model\":\"m\",\"embeddings\":[[0.1]],"
                           "\"prompt_eval_count\":4}";
    static char  error[] = "{\"error\":\"no\"}";

    ai_tap_init(&tap, &ai_dialect_ollama, AI_OP_OLLAMA_EMBED, &unit_arena);
    CHECK_INT(ai_tap_response(&tap, (u_char *) embed, sizeof(embed) - 1,
                              &err), AI_EVENT_CONTENT);
    CHECK_UINT(tap.usage.uncached, 4);
    CHECK_STR(tap.model.data, tap.model.len, "m");

    ai_tap_init(&tap, &ai_dialect_ollama, AI_OP_OLLAMA_EMBED, &unit_arena);
    CHECK_INT(ai_tap_response(&tap, (u_char *) error, sizeof(error) - 1,
                              &err), AI_EVENT_ERROR);
    CHECK_STR(tap.error_message.data, tap.error_message.len, "no");

    memset(&doc, 0, sizeof(ai_error_doc_t));
    doc.error = AI_ERR_NOT_FOUND;
    doc.retry_after = -1;
    ai_str_set(&doc.message, "a \"b\"");

    CHECK_INT(ai_dialect_ollama.error(&doc, &unit_arena, &out), AI_OK);
    CHECK_STR(out.data, out.len,
              "{\"error\":\"a \\\"b\\\"\",\"retryable\":false}");
    CHECK_INT(ai_dialect_ollama.error_event(&doc, AI_OP_OLLAMA_CHAT,
                                            &unit_arena, &out), AI_OK);
    CHECK_STR(out.data, out.len,
              "{\"error\":\"a \\\"b\\\"\",\"retryable\":false}\n");
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


static void
oracle(answer_t *a, const cJSON *v)
{
    size_t        len;
    char         *args;
    const cJSON  *m, *call, *f;

    m = get(v, "message");

    len = strlen(a->text);
    (void) snprintf(a->text + len, MAX_TEXT - len, "%s",
                    cJSON_IsString(get(m, "content"))
                    ? get(m, "content")->valuestring : "");

    len = strlen(a->thoughts);
    (void) snprintf(a->thoughts + len, MAX_TEXT - len, "%s",
                    cJSON_IsString(get(m, "thinking"))
                    ? get(m, "thinking")->valuestring : "");

    cJSON_ArrayForEach(call, get(m, "tool_calls")) {
        f = get(call, "function");
        args = cJSON_PrintUnformatted(get(f, "arguments"));
        (void) strcpy(a->args[a->ncalls], args);
        (void) strcpy(a->names[a->ncalls], get(f, "name")->valuestring);
        a->ncalls++;
        free(args);
    }

    if (cJSON_IsTrue(get(v, "done"))) {
        a->usage.uncached = cJSON_IsNumber(get(v, "prompt_eval_count"))
                          ? (uint64_t) get(v, "prompt_eval_count")->valueint
                          : 0;
        a->usage.output = (uint64_t) get(v, "eval_count")->valueint;
    }
}


static void
same(const answer_t *want, const answer_t *got)
{
    unsigned  i;

    CHECK_MEM(got->text, strlen(got->text), want->text, strlen(want->text));
    CHECK_MEM(got->thoughts, strlen(got->thoughts), want->thoughts,
              strlen(want->thoughts));
    CHECK_UINT(got->usage.uncached, want->usage.uncached);
    CHECK_UINT(got->usage.output, want->usage.output);
    CHECK_UINT(got->ncalls, want->ncalls);
    CHECK_UINT(got->finishes, 1);

    for (i = 0; i < want->ncalls; i++) {
        CHECK_MEM(got->names[i], strlen(got->names[i]), want->names[i],
                  strlen(want->names[i]));
        CHECK_MEM(got->args[i], strlen(got->args[i]), want->args[i],
                  strlen(want->args[i]));
    }
}


static void
fixture(const char *dir, const char *name)
{
    char             *text, *copy, *line;
    char              file[1024];
    size_t            len;
    cJSON            *v;
    const cJSON      *answer;
    static answer_t   want, got;

    (void) snprintf(file, sizeof(file), "%s/%s", dir, name);
    text = slurp(file);
    len = strlen(name);

    if (!CHECK(text != NULL)) {
        return;
    }

    memset(&want, 0, sizeof(answer_t));

    if (strcmp(name + len - 7, ".ndjson") == 0) {

        stream(&got, text);
        CHECK_UINT(got.ended, 1);

        copy = strdup(text);

        for (line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
            v = cJSON_Parse(line);
            oracle(&want, v);
            cJSON_Delete(v);
        }

        free(copy);
        same(&want, &got);

    } else {
        v = cJSON_Parse(text);
        answer = get(get(v, "response"), "body");

        if (answer != NULL) {
            copy = cJSON_PrintUnformatted(answer);
            document(&got, copy);
            free(copy);

            if (get(answer, "error") != NULL) {
                CHECK(got.error[0] != '\0');

            } else {
                oracle(&want, answer);
                same(&want, &got);
            }
        }

        cJSON_Delete(v);
    }

    free(text);
    unit_arena_reset();
}


static void
test_fixtures(void)
{
    DIR                *d;
    char                dir[256];
    unsigned            n;
    struct dirent      *de;
    const char *const  *root;

    d = NULL;

    for (root = roots; *root != NULL && d == NULL; root++) {
        (void) snprintf(dir, sizeof(dir), "%s/ollama/api-chat", *root);
        d = opendir(dir);
    }

    if (d == NULL) {
        printf("skipped: no recorded answers of Ollama\n");
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
    CHECK(n > 10);
}


int
main(void)
{
    UNIT_RUN(test_stream);
    UNIT_RUN(test_calls_of_several_lines);
    UNIT_RUN(test_no_prompt_count);
    UNIT_RUN(test_load);
    UNIT_RUN(test_errors);
    UNIT_RUN(test_cut);
    UNIT_RUN(test_request);
    UNIT_RUN(test_no_empty_tools);
    UNIT_RUN(test_think);
    UNIT_RUN(test_refused);
    UNIT_RUN(test_no_memory);
    UNIT_RUN(test_dialect);
    UNIT_RUN(test_fixtures);

    return unit_done();
}

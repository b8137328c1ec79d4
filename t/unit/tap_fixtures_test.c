
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The tap on recorded answers of real providers: each is read through the
 * framer in one piece and cut at random, and compared to what a plain walk
 * over cJSON trees finds in the same file.
 */


#include <cjson/cJSON.h>

#include "dialect.h"
#include "unit.h"


#define MAX_EVENT   (8 * 1024 * 1024)
#define MAX_LINE    4096
#define MAX_TREES   20000
#define NCUTS       3


/* what the manifest tells, by column */

typedef struct {
    char                *file;
    char                *provider;
    char                *kind;
    char                *endpoint;
    char                *status;
    char                *format;
    char                *valid;
    char                *stream;
} row_t;


typedef struct {
    const char          *endpoint;
    const ai_dialect_t  *dialect;
    ai_op_e              op;
} endpoint_t;


/* what the file says, found in another way */

typedef struct {
    uint64_t             input;
    uint64_t             cached;
    uint64_t             written;
    uint64_t             output;
    uint64_t             reasoning;
    uint64_t             tools;
    const char          *model;
    const char          *finish;
    ai_uint_t            usage;
    ai_uint_t            error;
    ai_uint_t            done;
    ai_uint_t            content;
} oracle_t;


static const endpoint_t  endpoints[] = {
    { "chat", &ai_dialect_openai, AI_OP_CHAT },
    { "completions", &ai_dialect_openai, AI_OP_COMPLETIONS },
    { "embeddings", &ai_dialect_openai, AI_OP_EMBEDDINGS },
    { "responses", &ai_dialect_openai, AI_OP_RESPONSES },
    { "messages", &ai_dialect_anthropic, AI_OP_MESSAGES },
    { "rawPredict", &ai_dialect_anthropic, AI_OP_MESSAGES },
    { "streamRawPredict", &ai_dialect_anthropic, AI_OP_MESSAGES },
    { "generateContent", &ai_dialect_gemini, AI_OP_GENERATE },
    { "streamGenerateContent", &ai_dialect_gemini, AI_OP_STREAM_GENERATE },
    { "embedContent", &ai_dialect_gemini, AI_OP_EMBED_CONTENT },
    { NULL, NULL, AI_OP_NONE }
};


/* endpoints of that name in dialects of their own */

static const char  *const others[] = {
    "bedrock", "broken-upstream", "cohere", "llama2", NULL
};


/* the first one is what the environment says */

static const char  *roots[] = {
    NULL, "../shared/fixtures", "../../shared/fixtures"
};


static const char  *root;
static unsigned     streams, answers, incomplete;
static unsigned     seed = 1;


static char *
read_file(const char *name, size_t *len)
{
    char  *data, path[MAX_LINE];
    long   size;
    FILE  *f;

    snprintf(path, sizeof(path), "%s/%s", root, name);

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
random_below(unsigned n)
{
    seed = seed * 1103515245 + 12345;

    return (seed >> 8) % n;
}


/* cJSON, where a missing member reads as zero */

static const cJSON *
get(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object)
           ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}


static uint64_t
number(const cJSON *object, const char *name)
{
    const cJSON  *v;

    v = get(object, name);

    return cJSON_IsNumber(v) && v->valuedouble > 0
           ? (uint64_t) v->valuedouble : 0;
}


static const char *
string(const cJSON *object, const char *name)
{
    const cJSON  *v;

    v = get(object, name);

    return cJSON_IsString(v) && v->valuestring[0] ? v->valuestring : NULL;
}


static ai_uint_t
is_error(const cJSON *v)
{
    return cJSON_IsTrue(v)
           || (cJSON_IsString(v) && v->valuestring[0])
           || ((cJSON_IsObject(v) || cJSON_IsArray(v)) && v->child != NULL);
}


static void
oracle_model(oracle_t *o, const char *model)
{
    if (o->model == NULL) {
        o->model = model;
    }
}


static void
oracle_openai_usage(oracle_t *o, const cJSON *u)
{
    uint64_t      total;
    const cJSON  *in, *out;

    if (!cJSON_IsObject(u)
        || (get(u, "prompt_tokens") == NULL && get(u, "input_tokens") == NULL
            && get(u, "total_tokens") == NULL))
    {
        return;
    }

    in = get(u, "prompt_tokens_details");
    in = in ? in : get(u, "prompt_token_details");
    in = in ? in : get(u, "input_tokens_details");
    out = get(u, "completion_tokens_details");
    out = out ? out : get(u, "output_tokens_details");

    o->usage = 1;
    o->input = number(u, "prompt_tokens") + number(u, "input_tokens");
    o->output = number(u, "completion_tokens") + number(u, "output_tokens");
    o->reasoning = number(out, "reasoning_tokens");
    o->cached = number(in, "cached_tokens");
    o->written = number(in, "cache_write_tokens");
    total = number(u, "total_tokens");

    if (o->cached == 0) {
        o->cached = number(u, "prompt_cache_hit_tokens");
    }

    if (o->cached == 0) {
        o->cached = number(u, "cached_tokens");
    }

    if (o->cached > o->input) {
        o->cached = o->input;
    }

    if (o->written > o->input - o->cached) {
        o->written = o->input - o->cached;
    }

    if (total == o->input + o->output + o->reasoning) {
        o->output = total - o->input;
    }

    if (o->input + o->output == 0) {
        o->input = total;
    }
}


static void
oracle_choice(oracle_t *o, const cJSON *choice, ai_uint_t whole)
{
    const cJSON  *message, *call;

    message = get(choice, whole ? "message" : "delta");

    if (string(choice, "finish_reason")) {
        o->finish = string(choice, "finish_reason");
    }

    if (is_error(get(choice, "error"))) {
        o->error = 1;
    }

    if (string(message, "content") || string(message, "reasoning_content")
        || string(message, "reasoning") || string(choice, "text"))
    {
        o->content = 1;
    }

    if (string(get(message, "function_call"), "name")) {
        o->tools++;
    }

    cJSON_ArrayForEach(call, get(message, "tool_calls")) {
        if (string(get(call, "function"), "name")
            || string(get(call, "custom"), "name"))
        {
            o->tools++;
        }
    }
}


static void
oracle_chat(oracle_t *o, const cJSON *doc, ai_uint_t whole)
{
    const cJSON  *choice;

    oracle_model(o, string(doc, "model"));
    oracle_openai_usage(o, get(get(doc, "x_groq"), "usage"));
    oracle_openai_usage(o, get(doc, "usage"));

    if (is_error(get(doc, "error"))) {
        o->error = 1;
        return;
    }

    cJSON_ArrayForEach(choice, get(doc, "choices")) {
        oracle_choice(o, choice, whole);
    }
}


static void
oracle_responses(oracle_t *o, const cJSON *doc, ai_uint_t whole)
{
    const char   *type, *reason;
    const cJSON  *r, *item;

    r = whole ? doc : get(doc, "response");
    type = string(doc, "type");

    if (o->done) {
        return;
    }

    oracle_model(o, string(r, "model"));
    oracle_openai_usage(o, get(r, "usage"));

    if (is_error(get(doc, "error")) || is_error(get(r, "error"))
        || (type && strcmp(type, "error") == 0))
    {
        o->error = 1;
        return;
    }

    if (whole || (type && (strcmp(type, "response.completed") == 0
                           || strcmp(type, "response.incomplete") == 0)))
    {
        reason = string(get(r, "incomplete_details"), "reason");
        o->finish = reason ? reason : string(r, "status");
        o->tools = 0;
        o->done = 1;
        o->content = 1;

        if (strcmp(o->finish ? o->finish : "", "in_progress") == 0
            || strcmp(o->finish ? o->finish : "", "queued") == 0)
        {
            o->finish = NULL;
        }

        cJSON_ArrayForEach(item, get(r, "output")) {
            type = string(item, "type");

            if (type && (strcmp(type, "function_call") == 0
                         || strcmp(type, "custom_tool_call") == 0))
            {
                o->tools++;
            }
        }
    }
}


static void
oracle_anthropic_usage(oracle_t *o, const cJSON *u, ai_uint_t final)
{
    static const char  *const names[] = {
        "input_tokens", "cache_read_input_tokens",
        "cache_creation_input_tokens", "output_tokens", NULL
    };

    uint64_t           *to[4];
    const cJSON        *v;
    ai_uint_t           i;

    to[0] = &o->input;
    to[1] = &o->cached;
    to[2] = &o->written;
    to[3] = &o->output;

    for (i = 0; names[i] != NULL; i++) {
        v = get(u, names[i]);

        if (cJSON_IsNumber(v)) {
            *to[i] = (uint64_t) v->valuedouble;
            o->usage = final;
        }
    }

    v = get(u, "output_tokens_details");

    if (get(v, "thinking_tokens")) {
        o->reasoning = number(v, "thinking_tokens");
    }
}


static void
oracle_messages(oracle_t *o, const cJSON *doc, ai_uint_t whole)
{
    const char   *type, *kind;
    const cJSON  *message, *block;

    type = string(doc, "type");
    type = type ? type : "";

    if (o->done) {
        return;
    }

    if (is_error(get(doc, "error"))) {
        o->error = 1;
        return;
    }

    if (whole) {
        oracle_model(o, string(doc, "model"));
        oracle_anthropic_usage(o, get(doc, "usage"), 1);
        o->finish = string(doc, "stop_reason");

        cJSON_ArrayForEach(block, get(doc, "content")) {
            kind = string(block, "type");
            o->tools += kind && strcmp(kind, "tool_use") == 0;
        }

        return;
    }

    if (strcmp(type, "message_start") == 0) {
        message = get(doc, "message");
        oracle_model(o, string(message, "model"));
        oracle_anthropic_usage(o, get(message, "usage"), o->usage);

    } else if (strcmp(type, "content_block_start") == 0) {
        kind = string(get(doc, "content_block"), "type");
        o->tools += kind && strcmp(kind, "tool_use") == 0;

    } else if (strcmp(type, "content_block_delta") == 0) {
        o->content |= string(get(doc, "delta"), "text") != NULL;

    } else if (strcmp(type, "message_delta") == 0) {
        oracle_anthropic_usage(o, get(doc, "usage"), 1);

        if (string(get(doc, "delta"), "stop_reason")) {
            o->finish = string(get(doc, "delta"), "stop_reason");
        }

    } else if (strcmp(type, "message_stop") == 0) {
        o->done = 1;
    }
}


static void
oracle_gemini(oracle_t *o, const cJSON *doc)
{
    static const char  *const digit[] = {
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"
    };

    const cJSON        *u, *candidate, *part, *chunk;

    if (cJSON_IsArray(doc)) {
        cJSON_ArrayForEach(chunk, doc) {
            oracle_gemini(o, chunk);
        }

        return;
    }

    o->error |= is_error(get(doc, "error"));
    oracle_model(o, string(doc, "modelVersion"));

    u = get(doc, "usageMetadata");

    if (get(u, "promptTokenCount") || get(u, "candidatesTokenCount")) {
        o->usage = 1;
        o->input = number(u, "promptTokenCount")
                   + number(u, "toolUsePromptTokenCount");
        o->cached = number(u, "cachedContentTokenCount");
        o->reasoning = number(u, "thoughtsTokenCount");
        o->output = number(u, "candidatesTokenCount") + o->reasoning;
    }

    cJSON_ArrayForEach(candidate, get(doc, "candidates")) {

        if (string(candidate, "finishReason")) {
            o->finish = string(candidate, "finishReason");
        }

        if (number(candidate, "finishReason")) {
            o->finish = digit[number(candidate, "finishReason") % 10];
        }

        cJSON_ArrayForEach(part, get(get(candidate, "content"), "parts")) {
            o->tools += string(get(part, "functionCall"), "name") != NULL;
            o->content |= string(part, "text") != NULL;
        }
    }

    if (string(get(doc, "promptFeedback"), "blockReason")) {
        o->finish = string(get(doc, "promptFeedback"), "blockReason");
    }
}


static void
oracle_read(oracle_t *o, const endpoint_t *e, const cJSON *doc,
    ai_uint_t whole)
{
    if (e->op == AI_OP_RESPONSES) {
        oracle_responses(o, doc, whole);

    } else if (e->dialect == &ai_dialect_openai) {
        oracle_chat(o, doc, whole);

    } else if (e->dialect == &ai_dialect_anthropic) {
        oracle_messages(o, doc, whole);

    } else {
        oracle_gemini(o, doc);
    }
}


/* the data of a stream, line by line: no recording has data of two lines */

static ai_uint_t
oracle_stream(oracle_t *o, const endpoint_t *e, char *text, cJSON **trees)
{
    char       *line;
    cJSON      *doc;
    ai_uint_t   n;

    n = 0;

    for (line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {

        if (strncmp(line, "data:", 5) != 0) {
            continue;
        }

        line += 5 + strspn(line + 5, " ");

        if (strcmp(line, "[DONE]") == 0) {
            o->done = 1;
            break;
        }

        doc = cJSON_Parse(line);

        if (doc != NULL && n < MAX_TREES) {
            trees[n++] = doc;
            oracle_read(o, e, doc, 0);
        }

        if (o->error) {
            break;
        }
    }

    return n;
}


static void
compare(const char *file, ai_tap_t *tap, oracle_t *o)
{
    char         model[AI_TAP_MODEL_LEN + 1], finish[AI_TAP_FINISH_LEN + 1];
    unsigned     failed;
    const char  *m, *f;

    failed = unit.failed;

    m = o->model ? o->model : "";
    f = o->finish ? o->finish : "";

    snprintf(model, sizeof(model), "%.*s", (int) tap->model.len,
             tap->model.data);
    snprintf(finish, sizeof(finish), "%.*s", (int) tap->finish.len,
             tap->finish.data);

    CHECK_MEM(model, strlen(model), m, strlen(m));
    CHECK_MEM(finish, strlen(finish), f,
              strlen(f) < AI_TAP_FINISH_LEN ? strlen(f) : AI_TAP_FINISH_LEN);
    CHECK_UINT(tap->tool_calls, o->tools);
    CHECK_UINT(tap->usage.source == AI_USAGE_PROVIDER, o->usage);
    CHECK_UINT(tap->usage.output, o->output);
    CHECK_UINT(tap->usage.cached, o->cached);
    CHECK_UINT(tap->usage.cache_write, o->written);
    CHECK_UINT(tap->usage.reasoning,
               o->reasoning < o->output ? o->reasoning : o->output);

    if (tap->dialect == &ai_dialect_anthropic) {
        CHECK_UINT(tap->usage.uncached, o->input);

    } else {
        CHECK_UINT(ai_usage_input(&tap->usage), o->input);
    }

    if (o->content) {
        CHECK(tap->content != 0);
    }

    if (unit.failed != failed) {
        printf("    in %s\n", file);
    }
}


/* reads a stream with so many cuts; 1 if it told an error */

static ai_uint_t
tap_stream(ai_tap_t *tap, const endpoint_t *e, char *text, size_t len,
    ai_uint_t cuts, ai_uint_t *invalid)
{
    u_char          *p, *end, *pos, *piece;
    size_t           n;
    ai_sse_t         sse;
    ai_int_t         rc;
    ai_event_e       event;
    ai_sse_event_t   ev;

    ai_sse_init(&sse, MAX_EVENT, &unit_arena);
    ai_tap_init(tap, e->dialect, e->op, &unit_arena);

    p = (u_char *) text;
    end = p + len;
    *invalid = 0;

    do {
        n = (size_t) (end - p);

        if (cuts != 0 && n > 1) {
            n = 1 + random_below((unsigned) (n < 2000 ? n : 2000));
        }

        piece = unit_bytes(p, n);
        p += n;

        for (pos = piece; ; /* void */ ) {
            rc = ai_sse_next(&sse, &pos, piece + n, &ev);

            if (rc == AI_AGAIN && p == end) {
                rc = ai_sse_finish(&sse, &ev);
            }

            if (rc != AI_OK) {
                break;
            }

            event = ai_tap_event(tap, &ev);

            if (event == AI_EVENT_ERROR) {
                return 1;
            }

            *invalid += (event == AI_EVENT_INVALID);
        }

        CHECK(rc != AI_ERROR);

    } while (p != end);

    return 0;
}


static void
test_stream(row_t *row, const endpoint_t *e, char *text, size_t len)
{
    char        *copy;
    cJSON      **trees;
    ai_tap_t     tap;
    oracle_t     o;
    ai_uint_t    i, n, error, invalid, complete;

    n = 0;
    complete = 0;
    copy = strdup(text);
    trees = calloc(MAX_TREES, sizeof(cJSON *));

    for (i = 0; i < NCUTS; i++) {
        error = tap_stream(&tap, e, text, len, i, &invalid);

        if (i == 0) {
            memset(&o, 0, sizeof(o));
            n = oracle_stream(&o, e, copy, trees);
        }

        compare(row->stream, &tap, &o);

        complete = o.finish != NULL || o.done;

        if (!CHECK_UINT(error, o.error)
            || (strcmp(row->valid, "ok") == 0 && !CHECK_UINT(invalid, 0))
            || (!error && !CHECK_UINT(ai_tap_complete(&tap), complete)))
        {
            printf("    in %s\n", row->stream);
        }

        unit_arena_reset();
    }

    incomplete += !complete;
    streams++;

    while (n != 0) {
        cJSON_Delete(trees[--n]);
    }

    free(trees);
    free(copy);
}


static void
test_answer(row_t *row, const endpoint_t *e, const cJSON *body)
{
    char             *text;
    u_char           *copy;
    size_t            len;
    ai_tap_t          tap;
    oracle_t          o;
    ai_event_e        event;
    ai_json_error_t   err;

    memset(&o, 0, sizeof(o));
    oracle_read(&o, e, body, 1);

    text = cJSON_PrintUnformatted(body);
    len = strlen(text);
    copy = unit_bytes(text, len);

    ai_tap_init(&tap, e->dialect, e->op, &unit_arena);
    err.reason = "";
    event = ai_tap_response(&tap, copy, len, &err);

    compare(row->file, &tap, &o);

    if (!CHECK_INT(event, o.error ? AI_EVENT_ERROR : AI_EVENT_CONTENT)) {
        printf("    in %s: %s\n", row->file, err.reason);
    }

    answers++;
    free(text);
    unit_arena_reset();
}


/* one payload per line, as some recorders keep them: made a stream again */

static char *
wrap_lines(const endpoint_t *e, char *text, size_t *len)
{
    char   *line, *out, *p;
    cJSON  *doc;

    out = malloc(*len * 3 + 1024);
    p = out;

    for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        doc = cJSON_Parse(line);

        if (e->dialect == &ai_dialect_anthropic && string(doc, "type")) {
            p += sprintf(p, "event: %s\n", string(doc, "type"));
        }

        p += sprintf(p, "data: %s\n\n", line);
        cJSON_Delete(doc);
    }

    *len = (size_t) (p - out);

    return out;
}


static void
test_row(row_t *row, const endpoint_t *e)
{
    char         *text, *wrapped;
    cJSON        *doc;
    size_t        len;
    const cJSON  *body;

    if (row->stream[0] != '\0') {
        text = read_file(row->stream, &len);

        if (text == NULL) {
            return;
        }

        if (strcmp(row->format, "ndjson") == 0) {
            wrapped = wrap_lines(e, text, &len);
            test_stream(row, e, wrapped, len);
            free(wrapped);

        } else if (strcmp(row->format, "sse") == 0) {
            test_stream(row, e, text, len);
        }

        free(text);
        return;
    }

    if (strcmp(row->format, "json") != 0 || strcmp(row->kind, "request") == 0
        || strcmp(row->kind, "stream") == 0)
    {
        return;
    }

    text = read_file(row->file, &len);
    doc = text ? cJSON_Parse(text) : NULL;
    body = doc;

    if (get(doc, "meta") != NULL) {
        body = get(get(doc, "response"), "body");
    }

    if (body != NULL) {
        test_answer(row, e, body);
    }

    cJSON_Delete(doc);
    free(text);
}


static const endpoint_t *
find_endpoint(row_t *row)
{
    ai_uint_t  i;

    for (i = 0; others[i] != NULL; i++) {
        if (strcmp(row->provider, others[i]) == 0) {
            return NULL;
        }
    }

    /* what other gateways make of answers; Ollama's own API; Vertex's own */

    if (strncmp(row->file, "_golden/", 8) == 0
        || strncmp(row->file, "ollama/embeddings/", 18) == 0
        || strstr(row->file, "vertex-ai__predictions") != NULL)
    {
        return NULL;
    }

    /* errors have a reader of their own */

    if (row->status[0] != '\0' && row->status[0] != '2') {
        return NULL;
    }

    for (i = 0; endpoints[i].endpoint != NULL; i++) {
        if (strcmp(row->endpoint, endpoints[i].endpoint) == 0) {
            return &endpoints[i];
        }
    }

    return NULL;
}


static void
test_fixtures(void)
{
    char              *manifest, *line, *next, *tab, *column[16];
    row_t              row;
    size_t             len;
    ai_uint_t          n;
    const endpoint_t  *e;

    manifest = read_file("manifest.tsv", &len);

    for (line = strchr(manifest, '\n'); line != NULL; line = next) {
        line++;
        next = strchr(line, '\n');

        if (next != NULL) {
            *next = '\0';
        }

        for (n = 0, tab = line; tab != NULL && n < 16; n++) {
            column[n] = tab;
            tab = strchr(tab, '\t');

            if (tab != NULL) {
                *tab++ = '\0';
            }
        }

        if (n < 16) {
            continue;
        }

        row.file = column[0];
        row.provider = column[1];
        row.kind = column[2];
        row.endpoint = column[3];
        row.status = column[7];
        row.format = column[8];
        row.valid = column[9];
        row.stream = column[12];

        e = find_endpoint(&row);

        if (e != NULL) {
            test_row(&row, e);
        }
    }

    CHECK(streams != 0 && answers != 0);

    free(manifest);
}


int
main(void)
{
    char       *text;
    size_t      len;
    ai_uint_t   i;

    roots[0] = getenv("AI_FIXTURES");
    text = NULL;

    for (i = 0; i < sizeof(roots) / sizeof(roots[0]) && text == NULL; i++) {
        root = roots[i];
        text = root ? read_file("manifest.tsv", &len) : NULL;
    }

    if (text == NULL) {
        printf("skipped: no recorded transcripts here\n");
        return unit_done();
    }

    free(text);

    UNIT_RUN(test_fixtures);

    printf("%u streams (%u of them cut off), %u answers\n", streams,
           incomplete, answers);

    return unit_done();
}

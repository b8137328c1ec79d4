
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The tap on recorded answers of real providers: each is read through the
 * framer in one piece and cut at random, and compared to what a plain walk
 * over cJSON trees finds in the same file.
 */


#include "dialect.h"
#include "unit.h"
#include "tap_oracle.h"


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

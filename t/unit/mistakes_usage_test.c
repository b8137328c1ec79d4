
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * wire-formats.md 2.3 on recorded answers: what is logged and accounted of an
 * answer does not depend on whether it was translated.  Each is read by the
 * tap of its own dialect and through the hub, for two clients.
 */


#include "hub.h"


#define MAX_EVENT  (8 * 1024 * 1024)
#define MAX_LINE   4096


typedef struct {
    const char  *endpoint;
    const char  *provider;             /* NULL: any other */
    ai_op_e      op;
    ai_frame_e   frame;
} endpoint_t;


static const endpoint_t  endpoints[] = {
    { "chat", "cohere", AI_OP_COHERE_CHAT, AI_FRAME_SSE },
    { "chat", "bedrock", AI_OP_NONE, AI_FRAME_SSE },
    { "chat", "llama2", AI_OP_NONE, AI_FRAME_SSE },
    { "chat", "broken-upstream", AI_OP_NONE, AI_FRAME_SSE },
    { "chat", NULL, AI_OP_CHAT, AI_FRAME_SSE },
    { "responses", NULL, AI_OP_RESPONSES, AI_FRAME_SSE },
    { "messages", NULL, AI_OP_MESSAGES, AI_FRAME_SSE },
    { "rawPredict", NULL, AI_OP_MESSAGES, AI_FRAME_SSE },
    { "streamRawPredict", NULL, AI_OP_MESSAGES, AI_FRAME_SSE },
    { "generateContent", NULL, AI_OP_GENERATE, AI_FRAME_SSE },
    { "streamGenerateContent", NULL, AI_OP_STREAM_GENERATE, AI_FRAME_SSE },
    { "converse", "bedrock", AI_OP_CONVERSE, AI_FRAME_AWS },
    { "converse-stream", "bedrock", AI_OP_CONVERSE_STREAM, AI_FRAME_AWS },
    { "api-chat", "ollama", AI_OP_OLLAMA_CHAT, AI_FRAME_LINES },
    { NULL, NULL, AI_OP_NONE, AI_FRAME_SSE }
};


/* the first one is what the environment says */

static const char  *roots[] = {
    NULL, "../shared/fixtures", "../../shared/fixtures"
};

static const char  *root;
static unsigned     streams, answers;


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


static const endpoint_t *
find_endpoint(const char *provider, const char *endpoint)
{
    const endpoint_t  *e;

    for (e = endpoints; e->endpoint != NULL; e++) {

        if (strcmp(endpoint, e->endpoint) == 0
            && (e->provider == NULL || strcmp(provider, e->provider) == 0))
        {
            return e->op == AI_OP_NONE ? NULL : e;
        }
    }

    return NULL;
}


/* the row of that name, if it speaks that at all */

static const ai_vendor_t *
find_vendor(const char *provider, const char *endpoint, ai_op_e op)
{
    ai_str_t             s;
    const char          *name;
    const ai_vendor_t   *v;
    const ai_dialect_t  *d;

    name = strstr(endpoint, "awPredict") != NULL ? "vertex-anthropic"
           : op == AI_OP_OLLAMA_CHAT ? "ollama-native" : provider;

    s.data = (u_char *) name;
    s.len = strlen(name);
    v = ai_vendor_find(&s);

    if (v != NULL) {
        s.data = (u_char *) v->dialect;
        s.len = strlen(v->dialect);
        d = ai_dialect_find(&s);

        if (d != NULL && (d->ops & ((ai_uint_t) 1 << op))) {
            return v;
        }
    }

    return ai_vendor_generic(hub_dialect(op));
}


static ai_translate_t *
open_tap(ai_tap_t *tap, const endpoint_t *e, const ai_vendor_t *v, ai_op_e to)
{
    ai_translate_conf_t   conf;

    ai_tap_init(tap, hub_dialect(e->op), e->op, &unit_arena);
    tap->keep = &unit_arena;
    tap->vendor = v;

    if (to == AI_OP_NONE) {
        return NULL;
    }

    ai_request_init(&hub.req, &unit_arena);
    hub.req.include_usage = 1;

    memset(&conf, 0, sizeof(ai_translate_conf_t));

    conf.from = e->op;
    conf.to = to;
    conf.vendor = v;
    conf.req = &hub.req;
    conf.input = 7;
    ai_str_set(&conf.model, "alias");
    ai_str_set(&conf.request_id, "0123456789abcdef0123456789abcdef");
    conf.now = 1700000000;
    conf.max = MAX_EVENT;
    conf.alloc = &unit_arena;
    conf.scratch = &unit_arena;

    return ai_translate_create(&conf, tap);
}


/* to a client of "to", or without a translation */

static ai_event_e
stream(ai_tap_t *tap, const endpoint_t *e, const ai_vendor_t *v, ai_op_e to,
    u_char *p, size_t len)
{
    u_char          *pos;
    ai_int_t         rc;
    ai_event_e       what;
    ai_frame_t       f;
    ai_sse_event_t   ev;
    ai_translate_t  *t;

    t = open_tap(tap, e, v, to);
    ai_frame_init(&f, e->frame, MAX_EVENT, &unit_arena);
    pos = p;

    for ( ;; ) {
        rc = ai_frame_next(&f, &pos, p + len, &ev);

        if (rc == AI_AGAIN) {
            rc = ai_frame_finish(&f, &ev);
        }

        if (rc != AI_OK) {
            break;
        }

        what = t ? ai_translate_event(t, &ev) : ai_tap_event(tap, &ev);

        if (t != NULL) {
            ai_buf_reset(ai_translate_out(t));
        }

        if (what == AI_EVENT_ERROR) {
            return what;
        }

        if (what == AI_EVENT_INVALID && t != NULL) {
            return what;
        }
    }

    if (t != NULL && ai_translate_eof(t) != AI_EVENT_END) {
        return AI_EVENT_INVALID;
    }

    return ai_tap_complete(tap) ? AI_EVENT_END : AI_EVENT_INVALID;
}


static ai_event_e
document(ai_tap_t *tap, const endpoint_t *e, const ai_vendor_t *v, ai_op_e to,
    u_char *p, size_t len)
{
    ai_translate_t   *t;
    ai_json_error_t   err;

    t = open_tap(tap, e, v, to);

    return t ? ai_translate_response(t, p, len, 0, &err)
             : ai_tap_response(tap, p, len, &err);
}


static int
broke(const ai_tap_t *tap)
{
    unsigned  i;

    static const char *const  words[] = {
        "UNEXPECTED_TOOL_CALL", "MALFORMED_FUNCTION_CALL", "OTHER", NULL
    };

    for (i = 0; words[i] != NULL; i++) {

        if (tap->finish.len == strlen(words[i])
            && memcmp(tap->finish.data, words[i], tap->finish.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
compare(const char *file, ai_tap_t *a, ai_tap_t *b, ai_event_e x,
    ai_event_e y)
{
    unsigned  failed;

    failed = unit.failed;

    /* what nobody told is estimated for a client that must be told */

    CHECK_UINT(b->usage.source == AI_USAGE_PROVIDER,
               a->usage.source == AI_USAGE_PROVIDER);

    if (a->usage.source == AI_USAGE_PROVIDER) {
        CHECK_UINT(b->usage.uncached, a->usage.uncached);
        CHECK_UINT(b->usage.cached, a->usage.cached);
        CHECK_UINT(b->usage.cache_write, a->usage.cache_write);
        CHECK_UINT(b->usage.output, a->usage.output);
        CHECK_UINT(b->usage.reasoning, a->usage.reasoning);
    }

    CHECK_UINT(b->tool_calls, a->tool_calls);
    CHECK_UINT(b->content != 0 || broke(a), a->content != 0);
    CHECK_MEM(b->finish.data, b->finish.len, a->finish.data, a->finish.len);
    CHECK_MEM(b->model.data, b->model.len, a->model.data, a->model.len);
    CHECK_MEM(b->tools.data, b->tools.len, a->tools.data, a->tools.len);

    /* of a model that broke down the hub makes an error, if no words came */

    if (y != AI_EVENT_ERROR || a->finish.len == 0 || !broke(a)) {
        CHECK_INT(y, x);
    }

    if (unit.failed != failed) {
        printf("    in %s\n", file);
    }
}


/*
 * Answers that the hub takes otherwise, on purpose: two messages in one
 * stream, whose first breaks off within a call; an answer that is not there
 * yet; calls of tools that run at the provider; a model that broke down.
 */

static const char *const  others[] = {
    "spliced-message-start", "background_mode_vcr", "xai-x-search-tool",
    "native-malformed-function-call", NULL
};


typedef ai_event_e (*read_pt)(ai_tap_t *tap, const endpoint_t *e,
    const ai_vendor_t *v, ai_op_e to, u_char *p, size_t len);

static void
both(const char *file, read_pt read, const endpoint_t *e,
    const ai_vendor_t *v, const char *text, size_t len)
{
    u_char      *p;
    ai_tap_t     a, b;
    unsigned     i;
    ai_event_e   x, y;

    static const ai_op_e  clients[] = { AI_OP_CHAT, AI_OP_MESSAGES };

    for (i = 0; others[i] != NULL; i++) {
        if (strstr(file, others[i]) != NULL) {
            return;
        }
    }

    p = unit_bytes(text, len);
    x = read(&a, e, v, AI_OP_NONE, p, len);

    for (i = 0; i < 2; i++) {
        y = read(&b, e, v, clients[i], p, len);
        compare(file, &a, &b, x, y);
    }

    unit_arena_reset();
}


/* one payload per line, as some recorders keep them: made a stream again */

static char *
wrap_lines(char *text, size_t *len)
{
    char        *line, *out, *p;
    cJSON       *doc;
    const char  *type;

    out = malloc(*len * 3 + 1024);
    p = out;

    for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        doc = cJSON_Parse(line);
        type = hub_text(doc, "type");

        if (type[0] != '\0') {
            p += sprintf(p, "event: %s\n", type);
        }

        p += sprintf(p, "data: %s\n\n", line);
        cJSON_Delete(doc);
    }

    *len = (size_t) (p - out);

    return out;
}


static void
test_row(char **column)
{
    char               *text, *wrapped;
    cJSON              *doc;
    size_t              len;
    const cJSON        *body;
    const endpoint_t   *e;
    const ai_vendor_t  *v;

    e = find_endpoint(column[1], column[3]);

    /* errors have a reader of their own, what is broken may differ */

    if (e == NULL || strncmp(column[0], "_golden/", 8) == 0
        || (column[7][0] != '\0' && column[7][0] != '2')
        || strcmp(column[9], "ok") != 0)
    {
        return;
    }

    v = find_vendor(column[1], column[3], e->op);

    if (column[12][0] != '\0') {
        text = read_file(column[12], &len);

        if (text == NULL) {
            return;
        }

        if (strcmp(column[8], "ndjson") == 0 && e->frame == AI_FRAME_SSE) {
            wrapped = wrap_lines(text, &len);
            both(column[12], stream, e, v, wrapped, len);
            free(wrapped);
            streams++;

        } else if (strcmp(column[8], e->frame == AI_FRAME_AWS ? "eventstream"
                          : e->frame == AI_FRAME_LINES ? "ndjson" : "sse")
                   == 0)
        {
            both(column[12], stream, e, v, text, len);
            streams++;
        }

        free(text);
        return;
    }

    if (strcmp(column[8], "json") != 0 || strcmp(column[2], "request") == 0
        || strcmp(column[2], "stream") == 0)
    {
        return;
    }

    text = read_file(column[0], &len);
    doc = text ? cJSON_Parse(text) : NULL;
    free(text);

    body = hub_at(doc, "meta") ? hub_at(doc, "response.body") : doc;
    text = body ? cJSON_PrintUnformatted(body) : NULL;

    if (text != NULL) {
        both(column[0], document, e, v, text, strlen(text));
        answers++;
    }

    cJSON_Delete(doc);
    free(text);
}


static void
test_08_bypass_and_hub_agree(void)
{
    char    *manifest, *line, *next, *tab, *column[16];
    size_t   len, n;

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

        if (n == 16) {
            test_row(column);
        }
    }

    CHECK(streams != 0 && answers != 0);

    free(manifest);
}


int
main(void)
{
    char    *text;
    size_t   i, len;

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

    UNIT_RUN(test_08_bypass_and_hub_agree);

    printf("%u streams, %u answers\n", streams, answers);

    return unit_done();
}

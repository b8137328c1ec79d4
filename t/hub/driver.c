
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The hub without nginx: reads jobs from the standard input, translates, and
 * writes what came out, so that a test written in another language can judge
 * it.  A job is a line of words "name=value" between tabs, and then the bytes
 * that it announces:
 *
 *     kind=answer    from=OP to=OP vendor=NAME stream=0|1 array=0|1 doc=0|1
 *                    frame=sse|lines|array|aws|aws-bytes
 *                    split=whole|bytes|random:SEED model=NAME
 *                    in=BYTES|@PATH [req=BYTES target=NAME]
 *     kind=request   from=OP to=OP vendor=NAME stream=0|1 model=NAME
 *                    in=BYTES|@PATH
 *     kind=error     to=OP stream=0|1 status=N in=BYTES|@PATH
 *
 * "doc" is an answer that is one JSON document; with "stream" it goes to a
 * client that waits for events.  "req" is the request of the client that is
 * answered, in the dialect of "to", and "target" the model that it was sent
 * to.  What comes back is a line of JSON that
 * ends in "bytes":N, and N bytes.
 */


#include <stdio.h>
#include <stdlib.h>

#include "ai_frame.h"
#include "ai_surface.h"
#include "ai_translate.h"


#define MAX_LINE   8192
#define MAX_WORDS  32
#define MAX_INPUT  (64 * 1024 * 1024)
#define MAX_KEPT   (4 * 1024 * 1024)


typedef struct block_s  block_t;

struct block_s {
    block_t            *next;
    size_t              size;
};


/* exactly sized blocks, for the address sanitizer */

typedef struct {
    block_t            *blocks;
    size_t              used;
    size_t              peak;
} arena_t;


typedef struct {
    const char         *names[MAX_WORDS];
    const char         *values[MAX_WORDS];
    unsigned            nwords;

    ai_op_e             from;
    ai_op_e             to;
    const ai_vendor_t  *vendor;
    ai_str_t            model;
    ai_str_t            in;
    ai_str_t            req;
    unsigned            stream:1;
    unsigned            array:1;
    unsigned            doc:1;
} job_t;


typedef struct {
    ai_str_t            bytes;
    size_t              size;
    const char         *result;
    const char         *reason;
    char                message[AI_TAP_ERROR_LEN + 1];
    unsigned            committed:1;
    ai_tap_t            tap;
    ai_report_t         report;
    uint64_t            events;
} result_t;


static void *arena_alloc(void *data, size_t size);
static void arena_reset(arena_t *arena);
static const char *word(job_t *job, const char *name);
static int job_read(job_t *job, char *line);
static int input_read(const char *value, ai_str_t *in);
static ai_op_e op_find(const char *name);
static const ai_dialect_t *op_dialect(ai_op_e op);
static void answer(job_t *job, result_t *res);
static int answer_request(job_t *job, result_t *res, ai_request_t *req);
static void answer_stream(job_t *job, result_t *res, ai_translate_t *t);
static void answer_end(result_t *res, ai_translate_t *t, ai_event_e event);
static int answer_event(result_t *res, ai_translate_t *t, ai_event_e event);
static void request(job_t *job, result_t *res);
static void error(job_t *job, result_t *res);
static void error_doc(job_t *job, result_t *res, ai_error_e type,
    ai_uint_t status, ai_str_t *message);
static void keep(result_t *res, ai_str_t *s);
static void keep_out(result_t *res, ai_translate_t *t);
static void quote(ai_str_t *s);
static void print(result_t *res);


static arena_t     memory;
static arena_t     scratch;
static ai_alloc_t  memory_alloc = { arena_alloc, &memory };
static ai_alloc_t  scratch_alloc = { arena_alloc, &scratch };


static void *
arena_alloc(void *data, size_t size)
{
    arena_t  *arena;
    block_t  *block;

    arena = data;

    block = malloc(sizeof(block_t) + (size ? size : 1));
    if (block == NULL) {
        abort();
    }

    /* what nobody wrote must not look like zeros */
    memset(block + 1, 0xa5, size);

    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used += size;

    if (arena->used > arena->peak) {
        arena->peak = arena->used;
    }

    return block + 1;
}


static void
arena_reset(arena_t *arena)
{
    block_t  *block;

    while (arena->blocks != NULL) {
        block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }

    arena->used = 0;
}


static const char *
word(job_t *job, const char *name)
{
    unsigned  i;

    for (i = 0; i < job->nwords; i++) {

        if (strcmp(job->names[i], name) == 0) {
            return job->values[i];
        }
    }

    return "";
}


static int
job_read(job_t *job, char *line)
{
    char      *p, *value;
    ai_str_t   name;

    memset(job, 0, sizeof(job_t));

    for (p = strtok(line, "\t\r\n"); p != NULL; p = strtok(NULL, "\t\r\n")) {

        value = strchr(p, '=');

        if (value == NULL || job->nwords == MAX_WORDS) {
            return -1;
        }

        *value++ = '\0';
        job->names[job->nwords] = p;
        job->values[job->nwords++] = value;
    }

    job->from = op_find(word(job, "from"));
    job->to = op_find(word(job, "to"));
    job->stream = word(job, "stream")[0] == '1';
    job->array = word(job, "array")[0] == '1';
    job->doc = word(job, "doc")[0] == '1';

    job->model.data = (u_char *) word(job, "model");
    job->model.len = strlen((char *) job->model.data);

    name.data = (u_char *) word(job, "vendor");
    name.len = strlen((char *) name.data);
    job->vendor = ai_vendor_find(&name);

    if (input_read(word(job, "in"), &job->in) != 0
        || input_read(word(job, "req"), &job->req) != 0)
    {
        return -1;
    }

    return 0;
}


/* a copy of exactly its length */

static int
input_read(const char *value, ai_str_t *in)
{
    long    len;
    FILE   *file;

    file = stdin;

    if (value[0] == '@') {
        file = fopen(value + 1, "rb");
        if (file == NULL) {
            return -1;
        }

        len = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
        rewind(file);

    } else {
        len = strtol(value, NULL, 10);
    }

    in->data = NULL;
    in->len = 0;

    if (len > 0 && len <= MAX_INPUT) {
        in->len = (size_t) len;
        in->data = arena_alloc(&memory, in->len);
        len -= (long) fread(in->data, 1, in->len, file);
    }

    if (file != stdin) {
        fclose(file);
    }

    return len == 0 ? 0 : -1;
}


static ai_op_e
op_find(const char *name)
{
    ai_op_e    op;
    ai_str_t  *s;

    for (op = AI_OP_NONE; op <= AI_OP_PREFLIGHT; op++) {
        s = ai_op_name(op);

        if (s->len == strlen(name) && memcmp(s->data, name, s->len) == 0) {
            return op;
        }
    }

    return AI_OP_NONE;
}


static const ai_dialect_t *
op_dialect(ai_op_e op)
{
    ai_uint_t  i;

    for (i = 0; ai_dialects[i] != NULL; i++) {

        if (ai_dialects[i]->ops & ((ai_uint_t) 1 << op)) {
            return ai_dialects[i];
        }
    }

    return NULL;
}


static void
answer(job_t *job, result_t *res)
{
    ai_event_e            event;
    ai_request_t          req;
    ai_translate_t       *t;
    ai_json_error_t       err;
    const ai_wire_t      *wire;
    const ai_dialect_t   *d;
    ai_translate_conf_t   conf;

    d = op_dialect(job->from);
    wire = ai_wire(job->to);

    if (d == NULL || wire == NULL || op_dialect(job->to) == NULL) {
        res->result = "no wire";
        return;
    }

    ai_request_init(&req, &memory_alloc);

    if (job->req.len == 0) {
        req.include_usage = 1;

    } else if (answer_request(job, res, &req) != 0) {
        res->result = "bad request";
        return;
    }

    req.stream = job->stream;

    memset(&conf, 0, sizeof(ai_translate_conf_t));

    conf.from = job->from;
    conf.to = job->to;
    conf.vendor = job->vendor ? job->vendor : ai_vendor_generic(d);
    conf.req = &req;
    conf.model = job->model;
    ai_str_set(&conf.request_id, "0123456789abcdef0123456789abcdef");
    conf.now = 1700000000;
    conf.input = 7;
    conf.array = job->array;
    conf.max = MAX_KEPT;
    conf.alloc = &memory_alloc;
    conf.scratch = &scratch_alloc;

    ai_tap_init(&res->tap, d, job->from, &scratch_alloc);

    t = ai_translate_create(&conf, &res->tap);
    if (t == NULL) {
        res->result = "no wire";
        return;
    }

    if (!job->doc) {
        answer_stream(job, res, t);
        return;
    }

    err.reason = NULL;
    event = ai_translate_response(t, job->in.data, job->in.len, job->stream,
                                  &err);

    if (event == AI_EVENT_INVALID && err.reason != NULL) {
        res->reason = err.reason;
    }

    if (event == AI_EVENT_CONTENT || event == AI_EVENT_IDLE
        || event == AI_EVENT_USAGE || event == AI_EVENT_END)
    {
        res->committed = 1;
        keep_out(res, t);
        res->result = "end";
        return;
    }

    if (job->stream) {
        answer_end(res, t, event);
        return;
    }

    res->result = event == AI_EVENT_ERROR ? "error" : "invalid";
    error_doc(job, res, event == AI_EVENT_ERROR ? AI_ERR_UPSTREAM_ERROR
                                                : AI_ERR_UPSTREAM_INVALID,
              0, &res->tap.error_message);
}


/* renders it too, as that may change names, which the answer needs to know */

static int
answer_request(job_t *job, result_t *res, ai_request_t *req)
{
    ai_buf_t             out;
    ai_json_t            root;
    ai_target_t          target;
    ai_json_error_t      err;
    const ai_dialect_t  *d;

    d = op_dialect(job->from);

    memset(&target, 0, sizeof(ai_target_t));

    target.vendor = job->vendor ? job->vendor : ai_vendor_generic(d);
    target.op = job->from;
    target.model.data = (u_char *) word(job, "target");
    target.model.len = strlen((char *) target.model.data);
    target.stream = job->stream;
    ai_caps(&target.model, &target.caps);

    ai_buf_init(&out, &memory_alloc, MAX_INPUT);

    if (ai_json_scan(job->req.data, job->req.len, NULL, &memory_alloc, NULL,
                     NULL, &root, &err) != AI_OK
        || ai_wire(job->to)->parse_request(req, &root, &res->report) != AI_OK
        || ai_request_normalize(req, &res->report) != AI_OK
        || ai_wire(job->from)->render_request(req, &target, &out,
                                              &res->report)
           != AI_OK)
    {
        return -1;
    }

    return 0;
}


static void
answer_stream(job_t *job, result_t *res, ai_translate_t *t)
{
    u_char          *piece, *pos;
    size_t           at, n, max;
    unsigned         seed;
    ai_int_t         rc;
    ai_frame_t       frame;
    ai_frame_e       type;
    const char      *s;
    ai_sse_event_t   ev;

    s = word(job, "frame");
    type = strcmp(s, "lines") == 0 ? AI_FRAME_LINES
           : strcmp(s, "array") == 0 ? AI_FRAME_ARRAY
           : strcmp(s, "aws") == 0 ? AI_FRAME_AWS
           : strcmp(s, "aws-bytes") == 0 ? AI_FRAME_AWS_BYTES
           : AI_FRAME_SSE;

    ai_frame_init(&frame, type, MAX_KEPT, &memory_alloc);

    s = word(job, "split");
    seed = 0;
    max = job->in.len;

    if (strcmp(s, "bytes") == 0) {
        max = 1;

    } else if (strncmp(s, "random:", 7) == 0) {
        seed = (unsigned) strtoul(s + 7, NULL, 10);
        max = 1 + seed % 97;
    }

    for (at = 0; at < job->in.len; at += n) {
        seed = seed * 1103515245 + 12345;
        n = max == job->in.len ? max : 1 + (seed >> 16) % max;
        n = n < job->in.len - at ? n : job->in.len - at;

        /* a piece is gone when the next one comes */

        piece = malloc(n);
        if (piece == NULL) {
            abort();
        }

        memcpy(piece, job->in.data + at, n);
        pos = piece;

        while ((rc = ai_frame_next(&frame, &pos, piece + n, &ev)) == AI_OK) {
            res->events++;

            if (answer_event(res, t, ai_translate_event(t, &ev))) {
                free(piece);
                return;
            }
        }

        free(piece);

        if (rc == AI_ERROR) {
            res->reason = frame.err;
            answer_end(res, t, AI_EVENT_INVALID);
            return;
        }
    }

    rc = ai_frame_finish(&frame, &ev);

    if (rc == AI_OK) {
        res->events++;

        if (answer_event(res, t, ai_translate_event(t, &ev))) {
            return;
        }
    }

    if (rc == AI_ERROR) {
        res->reason = frame.err;
        answer_end(res, t, AI_EVENT_INVALID);
        return;
    }

    if (!answer_event(res, t, ai_translate_eof(t))) {
        res->reason = "ai_translate_eof() told neither END nor an error";
        answer_end(res, t, AI_EVENT_INVALID);
    }
}


/* returns 1 when it was the last one */

static int
answer_event(result_t *res, ai_translate_t *t, ai_event_e event)
{
    if (event == AI_EVENT_ERROR || event == AI_EVENT_INVALID) {
        answer_end(res, t, event);
        return 1;
    }

    keep_out(res, t);
    arena_reset(&scratch);

    if (event == AI_EVENT_CONTENT || event == AI_EVENT_END) {
        res->committed = 1;
    }

    if (event == AI_EVENT_END) {
        res->result = "end";
        return 1;
    }

    return 0;
}


/* the stream of the client ends with an error */

static void
answer_end(result_t *res, ai_translate_t *t, ai_event_e event)
{
    ai_error_doc_t  doc;

    keep_out(res, t);

    res->result = event == AI_EVENT_ERROR ? "error" : "invalid";

    memset(&doc, 0, sizeof(ai_error_doc_t));

    doc.error = event == AI_EVENT_ERROR ? AI_ERR_UPSTREAM_ERROR
                                        : AI_ERR_UPSTREAM_TRUNCATED;
    doc.message = res->tap.error_message;
    doc.retry_after = -1;
    ai_str_set(&doc.request_id, "0123456789abcdef0123456789abcdef");

    if (ai_translate_error(t, &doc) != AI_OK) {
        res->reason = "ai_translate_error() failed";
    }

    keep_out(res, t);
    arena_reset(&scratch);
}


static void
request(job_t *job, result_t *res)
{
    ai_buf_t             out;
    ai_int_t             rc;
    ai_str_t             body;
    ai_json_t            root;
    ai_target_t          target;
    ai_request_t         req;
    ai_json_error_t      err;
    const ai_wire_t     *from, *to;
    const ai_dialect_t  *d;

    d = op_dialect(job->to);
    from = ai_wire(job->from);
    to = ai_wire(job->to);

    if (d == NULL || from == NULL || to == NULL) {
        res->result = "no wire";
        return;
    }

    if (ai_json_scan(job->in.data, job->in.len, NULL, &memory_alloc, NULL,
                     NULL, &root, &err)
        != AI_OK)
    {
        res->result = "bad json";
        res->reason = err.reason;
        return;
    }

    memset(&target, 0, sizeof(ai_target_t));

    target.vendor = job->vendor ? job->vendor : ai_vendor_generic(d);
    target.op = job->to;
    target.model = job->model;
    ai_caps(&target.model, &target.caps);

    ai_request_init(&req, &memory_alloc);

    rc = from->parse_request(&req, &root, &res->report);

    if (rc != AI_OK) {
        res->result = rc == AI_DECLINED ? "declined by parse" : "failed";
        return;
    }

    if (job->stream) {
        req.stream = 1;
    }

    target.stream = req.stream;

    if (ai_request_normalize(&req, &res->report) != AI_OK) {
        res->result = "failed";
        return;
    }

    ai_buf_init(&out, &memory_alloc, MAX_INPUT);

    rc = to->render_request(&req, &target, &out, &res->report);

    if (rc != AI_OK) {
        res->result = rc == AI_DECLINED ? "declined by render" : "failed";
        return;
    }

    if (ai_buf_get(&out, &body) != AI_OK) {
        res->result = "failed";
        return;
    }

    keep(res, &body);
    res->result = "end";
}


static void
error(job_t *job, result_t *res)
{
    ai_str_t    message;
    ai_uint_t   status;
    ai_error_e  type;

    if (op_dialect(job->to) == NULL) {
        res->result = "no wire";
        return;
    }

    status = (ai_uint_t) strtoul(word(job, "status"), NULL, 10);
    type = ai_error_classify(status, &job->in);

    if (type == AI_ERR_NONE) {
        res->result = "no error";
        return;
    }

    message = ai_error_message(&job->in, (u_char *) res->message,
                               AI_TAP_ERROR_LEN);

    error_doc(job, res, type, 0, &message);
    res->result = "error";
}


static void
error_doc(job_t *job, result_t *res, ai_error_e type, ai_uint_t status,
    ai_str_t *message)
{
    ai_int_t             rc;
    ai_str_t             out;
    ai_error_doc_t       doc;
    const ai_dialect_t  *d;

    memset(&doc, 0, sizeof(ai_error_doc_t));

    doc.error = type;
    doc.status = status;
    doc.message = *message;
    doc.retry_after = -1;
    ai_str_set(&doc.request_id, "0123456789abcdef0123456789abcdef");

    d = op_dialect(job->to);

    if (job->stream) {
        rc = d->error_event(&doc, job->to, &memory_alloc, &out);

    } else {
        rc = d->error(&doc, &memory_alloc, &out);
    }

    if (rc != AI_OK) {
        res->reason = "no error document";
        return;
    }

    keep(res, &out);
}


static void
keep(result_t *res, ai_str_t *s)
{
    if (res->bytes.len + s->len > res->size) {
        res->size = 2 * (res->bytes.len + s->len);
        res->bytes.data = realloc(res->bytes.data, res->size);

        if (res->bytes.data == NULL) {
            abort();
        }
    }

    if (s->len != 0) {
        memcpy(res->bytes.data + res->bytes.len, s->data, s->len);
        res->bytes.len += s->len;
    }
}


static void
keep_out(result_t *res, ai_translate_t *t)
{
    ai_buf_t  *out;
    ai_str_t   s;

    out = ai_translate_out(t);

    if (ai_buf_get(out, &s) == AI_OK) {
        keep(res, &s);
    }

    ai_buf_reset(out);
}


static void
quote(ai_str_t *s)
{
    size_t   len;
    u_char  *p;

    len = ai_json_escape_len(s);
    p = malloc(len + 1);
    if (p == NULL) {
        abort();
    }

    (void) ai_json_escape(p, s);
    printf("\"%.*s\"", (int) len, (char *) p);
    free(p);
}


static void
print(result_t *res)
{
    ai_str_t     s;
    ai_uint_t    i;
    ai_tap_t    *tap;
    ai_usage_t  *u;

    tap = &res->tap;
    u = &tap->usage;

    printf("{\"result\":\"%s\",\"committed\":%d,\"events\":%llu,"
           "\"unknown\":%llu,\"memory\":%zu,\"scratch\":%zu",
           res->result, res->committed, (unsigned long long) res->events,
           (unsigned long long) tap->unknown, memory.peak, scratch.peak);

    printf(",\"usage\":[%llu,%llu,%llu,%llu,%llu,%d],\"finish\":",
           (unsigned long long) u->uncached, (unsigned long long) u->cached,
           (unsigned long long) u->cache_write,
           (unsigned long long) u->output,
           (unsigned long long) u->reasoning, (int) u->source);
    quote(&tap->finish);

    printf(",\"calls\":%llu,\"tools\":", (unsigned long long) tap->tool_calls);
    quote(&tap->tools);

    printf(",\"error\":");
    quote(&tap->error_message);

    printf(",\"message\":");
    quote(&res->report.message);

    printf(",\"param\":");
    quote(&res->report.param);

    printf(",\"dropped\":[");

    for (i = 0; i < res->report.ndropped; i++) {
        printf(i ? "," : "");
        quote(&res->report.dropped[i]);
    }

    s.data = (u_char *) (res->reason ? res->reason : "");
    s.len = strlen((char *) s.data);

    printf("],\"reason\":");
    quote(&s);

    printf(",\"bytes\":%zu}\n", res->bytes.len);

    if (res->bytes.len != 0) {
        fwrite(res->bytes.data, 1, res->bytes.len, stdout);
    }

    fflush(stdout);
}


int
main(void)
{
    job_t        job;
    result_t     res;
    const char  *kind;
    static char  line[MAX_LINE];

    while (fgets(line, sizeof(line), stdin) != NULL) {

        memory.peak = 0;
        scratch.peak = 0;

        memset(&res, 0, sizeof(result_t));
        ai_report_init(&res.report, &memory_alloc);

        if (job_read(&job, line) != 0) {
            fprintf(stderr, "driver: not a job\n");
            return 2;
        }

        kind = word(&job, "kind");

        if (strcmp(kind, "answer") == 0) {
            answer(&job, &res);

        } else if (strcmp(kind, "request") == 0) {
            request(&job, &res);

        } else if (strcmp(kind, "error") == 0) {
            error(&job, &res);

        } else {
            res.result = "no such kind";
        }

        print(&res);

        free(res.bytes.data);
        arena_reset(&memory);
        arena_reset(&scratch);
    }

    return 0;
}

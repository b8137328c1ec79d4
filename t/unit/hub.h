
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The whole way through the core, for the tests of mistakes: a request of a
 * client as a provider gets it, and an answer of a provider, cut into pieces,
 * as bytes for a client.  What comes out is read by hub_read.h, which knows
 * nothing of the code under test.
 *
 * JSON is written here with ' for ", and with " for '.
 */


#ifndef _HUB_H_INCLUDED_
#define _HUB_H_INCLUDED_


#include <cjson/cJSON.h>
#include <string.h>
#include <zlib.h>

#include "ai_frame.h"
#include "ai_translate.h"
#include "unit.h"


#define HUB_SIZE  131072


/* one event of a provider: the name that SSE or AWS has for it, and data */

typedef struct {
    const char          *name;
    const char          *json;
} hub_event_t;


static struct {
    ai_request_t         req;          /* of the client, if have_req */
    ai_report_t          rep;
    ai_tap_t             tap;
    ai_int_t             rc;           /* of parse or render */
    unsigned             have_req:1;
    unsigned             crlf:1;       /* a provider with such lines */
    ai_event_e           last;         /* what the end of an answer was */
    char                 in[HUB_SIZE];
    size_t               in_len;
    char                 out[HUB_SIZE];
    size_t               len;
} hub;


static const ai_op_e  hub_clients[] = {
    AI_OP_CHAT, AI_OP_RESPONSES, AI_OP_MESSAGES, AI_OP_STREAM_GENERATE,
    AI_OP_COHERE_CHAT, AI_OP_CONVERSE_STREAM, AI_OP_NONE
};

static const ai_op_e  hub_providers[] = {
    AI_OP_CHAT, AI_OP_RESPONSES, AI_OP_MESSAGES, AI_OP_STREAM_GENERATE,
    AI_OP_COHERE_CHAT, AI_OP_CONVERSE_STREAM, AI_OP_OLLAMA_CHAT, AI_OP_NONE
};


/* that of documents, where it has another name */

static inline ai_op_e
hub_document_op(ai_op_e op)
{
    return op == AI_OP_STREAM_GENERATE ? AI_OP_GENERATE
           : op == AI_OP_CONVERSE_STREAM ? AI_OP_CONVERSE : op;
}


static inline const char *
hub_name(ai_op_e op)
{
    switch (op) {
    case AI_OP_CHAT:             return "chat";
    case AI_OP_RESPONSES:        return "responses";
    case AI_OP_MESSAGES:         return "messages";
    case AI_OP_GENERATE:
    case AI_OP_STREAM_GENERATE:  return "generate";
    case AI_OP_COHERE_CHAT:      return "cohere";
    case AI_OP_CONVERSE:
    case AI_OP_CONVERSE_STREAM:  return "converse";
    case AI_OP_OLLAMA_CHAT:      return "ollama";
    default:                     return "?";
    }
}


/* the row of a vendor that speaks it and needs nothing special */

static inline const char *
hub_vendor_name(ai_op_e op)
{
    switch (op) {
    case AI_OP_CHAT:
    case AI_OP_RESPONSES:        return "openai";
    case AI_OP_MESSAGES:         return "anthropic";
    case AI_OP_GENERATE:
    case AI_OP_STREAM_GENERATE:  return "gemini";
    case AI_OP_COHERE_CHAT:      return "cohere";
    case AI_OP_CONVERSE:
    case AI_OP_CONVERSE_STREAM:  return "bedrock";
    default:                     return "ollama-native";
    }
}


static inline const ai_vendor_t *
hub_vendor(const char *name, ai_op_e op)
{
    ai_str_t  s;

    if (name == NULL) {
        name = hub_vendor_name(op);
    }

    s.data = (u_char *) name;
    s.len = strlen(name);

    return ai_vendor_find(&s);
}


static inline const ai_dialect_t *
hub_dialect(ai_op_e op)
{
    ai_uint_t  i;

    for (i = 0; ai_dialects[i] != NULL; i++) {

        if (ai_dialects[i]->ops & ((ai_uint_t) 1 << op)) {
            return ai_dialects[i];
        }
    }

    return NULL;
}


/* a copy of exactly its length in the arena, with the right quotes */

static inline ai_str_t
hub_json(const char *text)
{
    size_t    i;
    ai_str_t  s;

    s.len = strlen(text);
    s.data = unit_bytes(text, s.len);

    for (i = 0; i < s.len; i++) {
        s.data[i] = s.data[i] == '\'' ? '"'
                    : s.data[i] == '"' ? '\'' : s.data[i];
    }

    return s;
}


static inline void
hub_fail(const char *what, ai_op_e from, ai_op_e to)
{
    unit.failed++;
    printf("%s: %s -> %s: %s\n    in:  %.900s\n    out: %.*s\n", unit.test,
           hub_name(from), hub_name(to), what, hub.in,
           (int) (hub.len > 2500 ? 2500 : hub.len), hub.out);
}


static inline void
must(int ok, const char *what, ai_op_e from, ai_op_e to)
{
    if (ok) {
        unit.passed++;

    } else {
        hub_fail(what, from, to);
    }
}


/*
 * The client's request, and then what it is for a provider: NULL if it is
 * refused, see hub.rc and hub.rep.  To be deleted by cJSON_Delete().
 */

static inline ai_int_t
hub_parse(ai_op_e client, const char *body)
{
    ai_str_t         s;
    ai_json_t        root;
    ai_json_error_t  err;

    s = hub_json(body);
    snprintf(hub.in, HUB_SIZE, "%.*s", (int) s.len, s.data);

    ai_report_init(&hub.rep, &unit_arena);
    ai_request_init(&hub.req, &unit_arena);
    hub.have_req = 1;
    hub.len = 0;

    if (ai_json_scan(s.data, s.len, NULL, &unit_arena, NULL, NULL, &root,
                     &err)
        != AI_OK)
    {
        hub_fail("the request of the test is no JSON", client, AI_OP_NONE);
        return hub.rc = AI_ERROR;
    }

    hub.rc = ai_wire(client)->parse_request(&hub.req, &root, &hub.rep);

    if (hub.rc == AI_OK) {
        hub.rc = ai_request_normalize(&hub.req, &hub.rep);
    }

    return hub.rc;
}


static inline cJSON *
hub_render(ai_op_e provider, const char *vendor, const char *model)
{
    cJSON       *root;
    ai_buf_t     out;
    ai_str_t     s;
    ai_target_t  t;

    memset(&t, 0, sizeof(ai_target_t));

    t.vendor = hub_vendor(vendor, provider);
    t.op = provider;
    t.model.data = (u_char *) model;
    t.model.len = strlen(model);
    ai_caps(&t.model, &t.caps);

    ai_buf_init(&out, &unit_arena, HUB_SIZE - 1);

    hub.rc = ai_wire(provider)->render_request(&hub.req, &t, &out, &hub.rep);

    if (hub.rc != AI_OK || ai_buf_get(&out, &s) != AI_OK) {
        return NULL;
    }

    hub.len = s.len;
    memcpy(hub.out, s.data, s.len);
    hub.out[s.len] = '\0';

    root = cJSON_Parse(hub.out);

    if (root == NULL) {
        hub_fail("a request that is no JSON", AI_OP_NONE, provider);
    }

    return root;
}


static inline cJSON *
hub_request(ai_op_e client, const char *body, ai_op_e provider,
    const char *vendor, const char *model)
{
    return hub_parse(client, body) == AI_OK
           ? hub_render(provider, vendor, model) : NULL;
}


/* "a.0.b" of a tree, or NULL */

static inline const cJSON *
hub_at(const cJSON *v, const char *path)
{
    size_t  n;
    char    name[128];

    while (v != NULL && *path != '\0') {
        n = strcspn(path, ".");
        snprintf(name, sizeof(name), "%.*s", (int) n, path);
        path += n + (path[n] == '.');

        v = cJSON_IsArray(v) ? cJSON_GetArrayItem(v, atoi(name))
                             : cJSON_GetObjectItemCaseSensitive(v, name);
    }

    return v;
}


/* the string there, "" if there is none */

static inline const char *
hub_text(const cJSON *v, const char *path)
{
    v = hub_at(v, path);

    return cJSON_IsString(v) ? v->valuestring : "";
}


#define HUB_TEXT(v, path, want)                                              \
    hub_check_text(v, path, want, __FILE__, __LINE__)

#define HUB_NONE(v, path)                                                    \
    unit_check(hub_at(v, path) == NULL, __FILE__, __LINE__, "no " path)

static inline void
hub_check_text(const cJSON *v, const char *path, const char *want,
    const char *file, int line)
{
    const char  *got;

    got = hub_text(v, path);

    if (!unit_diff(got, strlen(got), want, strlen(want), file, line, path)) {
        printf("    %s\n", hub.out);
    }
}


/* whether the JSON of a tree, without spaces, is this */

#define HUB_JSON(v, path, want)                                              \
    hub_check_json(v, path, want, __FILE__, __LINE__)

static inline int
hub_check_json(const cJSON *v, const char *path, const char *want,
    const char *file, int line)
{
    int        ok;
    char      *got;
    ai_str_t   s;

    v = hub_at(v, path);
    got = v ? cJSON_PrintUnformatted(v) : NULL;
    s = hub_json(want);

    ok = unit_diff(got ? got : "", got ? strlen(got) : 0, s.data, s.len,
                   file, line, path);

    if (!ok) {
        printf("    %s\n", hub.out);
    }

    free(got);

    return ok;
}


static inline void
hub_put(const void *data, size_t len)
{
    if (hub.in_len + len < HUB_SIZE) {
        memcpy(hub.in + hub.in_len, data, len);
        hub.in_len += len;
        hub.in[hub.in_len] = '\0';
    }
}


static inline void
hub_put_uint(uint32_t n)
{
    u_char  b[4];

    b[0] = n >> 24; b[1] = n >> 16; b[2] = n >> 8; b[3] = n;
    hub_put(b, 4);
}


/* wire-formats.md 1.3 */

static inline void
hub_put_frame(const char *name, const ai_str_t *json)
{
    size_t       i, at, n;
    ai_uint_t    exception;
    const char  *headers[3][2];

    exception = strstr(name, "xception") != NULL;
    headers[0][0] = exception ? ":exception-type" : ":event-type";
    headers[0][1] = name;
    headers[1][0] = ":content-type";
    headers[1][1] = "application/json";
    headers[2][0] = ":message-type";
    headers[2][1] = exception ? "exception" : "event";

    for (n = 0, i = 0; i < 3; i++) {
        n += 4 + strlen(headers[i][0]) + strlen(headers[i][1]);
    }

    at = hub.in_len;

    hub_put_uint(16 + n + json->len);
    hub_put_uint(n);
    hub_put_uint(crc32(0, (u_char *) hub.in + at, 8));

    for (i = 0; i < 3; i++) {
        hub_put("", 0);
        hub.in[hub.in_len] = (char) strlen(headers[i][0]);
        hub.in_len++;
        hub_put(headers[i][0], strlen(headers[i][0]));
        hub_put("\7\0", 2);
        hub.in[hub.in_len] = (char) strlen(headers[i][1]);
        hub.in_len++;
        hub_put(headers[i][1], strlen(headers[i][1]));
    }

    hub_put(json->data, json->len);
    hub_put_uint(crc32(0, (u_char *) hub.in + at, hub.in_len - at));
}


/* events as the bytes that a provider sends; an entry without data ends */

static inline void
hub_write(ai_op_e op, const hub_event_t *ev)
{
    ai_str_t     s;
    const char  *eol;

    eol = hub.crlf || op == AI_OP_STREAM_GENERATE ? "\r\n" : "\n";
    hub.in_len = 0;

    for ( /* void */ ; ev->json != NULL; ev++) {
        s = hub_json(ev->json);

        if (op == AI_OP_CONVERSE_STREAM) {
            hub_put_frame(ev->name, &s);
            continue;
        }

        if (op == AI_OP_OLLAMA_CHAT) {
            hub_put(s.data, s.len);
            hub_put("\n", 1);
            continue;
        }

        if (ev->name != NULL) {
            hub_put("event: ", 7);
            hub_put(ev->name, strlen(ev->name));
            hub_put(eol, strlen(eol));
        }

        hub_put("data: ", 6);
        hub_put(s.data, s.len);
        hub_put(eol, strlen(eol));
        hub_put(eol, strlen(eol));
    }
}


static inline void
hub_keep(ai_translate_t *t)
{
    ai_str_t   s;
    ai_buf_t  *out;

    out = ai_translate_out(t);

    if (ai_buf_get(out, &s) == AI_OK && s.len != 0
        && hub.len + s.len < HUB_SIZE)
    {
        memcpy(hub.out + hub.len, s.data, s.len);
        hub.len += s.len;
    }

    ai_buf_reset(out);
    hub.out[hub.len] = '\0';
}


static inline ai_translate_t *
hub_open(ai_op_e provider, const char *vendor, ai_op_e client)
{
    ai_translate_conf_t   conf;
    static ai_request_t   none;

    memset(&conf, 0, sizeof(ai_translate_conf_t));

    if (!hub.have_req) {
        ai_request_init(&none, &unit_arena);
        none.include_usage = 1;
        none.stream = 1;
    }

    conf.from = provider;
    conf.to = client;
    conf.vendor = hub_vendor(vendor, provider);
    conf.req = hub.have_req ? &hub.req : &none;
    conf.input = 7;
    ai_str_set(&conf.model, "alias");
    ai_str_set(&conf.request_id, "0123456789abcdef0123456789abcdef");
    conf.now = 1700000000;
    conf.max = 65536;
    conf.alloc = &unit_arena;
    conf.scratch = &unit_arena;

    ai_tap_init(&hub.tap, hub_dialect(provider), provider, &unit_arena);
    hub.tap.keep = &unit_arena;
    hub.len = 0;
    hub.out[0] = '\0';

    return ai_translate_create(&conf, &hub.tap);
}


static inline void
hub_close(ai_translate_t *t, ai_event_e what)
{
    ai_error_doc_t  doc;

    hub_keep(t);
    hub.last = what;

    if (what == AI_EVENT_END) {
        return;
    }

    memset(&doc, 0, sizeof(ai_error_doc_t));

    doc.error = what == AI_EVENT_ERROR ? AI_ERR_UPSTREAM_ERROR
                                       : AI_ERR_UPSTREAM_TRUNCATED;
    doc.message = hub.tap.error_message;
    doc.retry_after = -1;

    CHECK_INT(ai_translate_error(t, &doc), AI_OK);
    hub_keep(t);
}


/* hub.in as a stream, in pieces of so many bytes, that come and go */

static inline void
hub_run(ai_op_e provider, const char *vendor, ai_op_e client, size_t step)
{
    u_char          *piece, *pos;
    size_t           at, n;
    ai_int_t         rc;
    ai_event_e       what;
    ai_frame_t       f;
    ai_sse_event_t   ev;
    ai_translate_t  *t;

    t = hub_open(provider, vendor, client);

    ai_frame_init(&f, provider == AI_OP_CONVERSE_STREAM ? AI_FRAME_AWS
                      : provider == AI_OP_OLLAMA_CHAT ? AI_FRAME_LINES
                      : AI_FRAME_SSE, 65536, &unit_arena);

    what = AI_EVENT_IDLE;
    rc = AI_AGAIN;

    for (at = 0; at < hub.in_len && what != AI_EVENT_END; at += n) {
        n = step < hub.in_len - at ? step : hub.in_len - at;
        piece = malloc(n);
        memcpy(piece, hub.in + at, n);
        pos = piece;

        while ((rc = ai_frame_next(&f, &pos, piece + n, &ev)) == AI_OK) {
            what = ai_translate_event(t, &ev);

            if (what == AI_EVENT_END || what == AI_EVENT_ERROR
                || what == AI_EVENT_INVALID)
            {
                break;
            }

            hub_keep(t);
        }

        free(piece);

        if (rc == AI_ERROR) {
            what = AI_EVENT_INVALID;
        }

        if (what == AI_EVENT_ERROR || what == AI_EVENT_INVALID) {
            break;
        }
    }

    if (what != AI_EVENT_END && what != AI_EVENT_ERROR
        && what != AI_EVENT_INVALID)
    {
        rc = ai_frame_finish(&f, &ev);
        what = rc == AI_OK ? ai_translate_event(t, &ev)
               : rc == AI_ERROR ? AI_EVENT_INVALID : AI_EVENT_IDLE;
    }

    if (what != AI_EVENT_END && what != AI_EVENT_ERROR
        && what != AI_EVENT_INVALID)
    {
        hub_keep(t);
        what = ai_translate_eof(t);
    }

    hub_close(t, what);
}


static inline void
hub_stream(ai_op_e provider, const char *vendor, const hub_event_t *events,
    ai_op_e client)
{
    hub_write(provider, events);
    hub_run(provider, vendor, client, HUB_SIZE);
}


/* a whole answer, to a document or to events */

static inline ai_event_e
hub_document(ai_op_e provider, const char *vendor, const char *json,
    ai_op_e client, ai_uint_t stream)
{
    ai_str_t          s;
    ai_translate_t   *t;
    ai_json_error_t   err;

    s = hub_json(json);
    hub.in_len = 0;
    hub_put(s.data, s.len);

    t = hub_open(provider, vendor, client);
    hub.last = ai_translate_response(t, s.data, s.len, stream, &err);
    hub_keep(t);

    return hub.last;
}


#endif /* _HUB_H_INCLUDED_ */

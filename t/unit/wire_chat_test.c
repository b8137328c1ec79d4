
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The wire of chat/completions: bodies for many vendors, answers of them as
 * deltas, and what clients read.  Tests are named for the mistakes of other
 * gateways (wire-formats.md 16), as far as these concern this dialect.
 */


#include "ai_translate.h"
#include "unit.h"


#define ID    "chatcmpl-aaaaaaaaaaaaaaaaaaaaaaaa"
#define SIZE  65536


static char  text[SIZE];
static size_t  used;


static void
add(const void *data, size_t len)
{
    if (len != 0 && used + len < SIZE) {
        memcpy(text + used, data, len);
        used += len;
    }

    text[used] = '\0';
}


static void
add_cstr(const char *s)
{
    add(s, strlen(s));
}


static void
add_mstr(const ai_mstr_t *m)
{
    ai_str_t  s;

    if (ai_mstr_decode(m, &unit_arena, &s) == AI_OK) {
        add(s.data, s.len);
    }
}


static void
add_uint(uint64_t n)
{
    char  buf[32];

    add(buf, (size_t) snprintf(buf, sizeof(buf), "%llu",
                               (unsigned long long) n));
}


static const ai_vendor_t *
vendor(const char *name)
{
    ai_str_t            s;
    const ai_vendor_t  *v;

    s.data = (u_char *) name;
    s.len = strlen(name);

    v = ai_vendor_find(&s);

    return v ? v : ai_vendor_generic(&ai_dialect_openai);
}


static ai_uint_t
scan(const char *json, ai_json_t *root)
{
    size_t           len;
    u_char          *p;
    ai_json_error_t  err;

    len = strlen(json);
    p = unit_bytes(json, len);

    return CHECK_INT(ai_json_scan(p, len, NULL, &unit_arena, NULL, NULL,
                                  root, &err),
                     AI_OK);
}


/*
 * A client's body as it is sent to a vendor; behind it " -name" for each
 * member that was dropped, or else why it was refused.
 */

static const char *
request(const char *name, const char *model, const char *json)
{
    ai_int_t      rc;
    ai_buf_t      out;
    ai_json_t     root;
    ai_uint_t     i;
    ai_report_t   rep;
    ai_target_t   t;
    ai_request_t  req;

    used = 0;
    text[0] = '\0';

    if (!scan(json, &root)) {
        return text;
    }

    memset(&t, 0, sizeof(ai_target_t));

    t.vendor = vendor(name);
    t.op = AI_OP_CHAT;
    t.model.data = (u_char *) model;
    t.model.len = strlen(model);

    ai_caps(&t.model, &t.caps);
    ai_request_init(&req, &unit_arena);
    ai_report_init(&rep, &unit_arena);
    ai_buf_init(&out, &unit_arena, SIZE);

    rc = ai_wire_chat.parse_request(&req, &root, &rep);

    t.stream = req.stream;

    if (rc == AI_OK) {
        CHECK_INT(ai_request_normalize(&req, &rep), AI_OK);
        rc = ai_wire_chat.render_request(&req, &t, &out, &rep);
    }

    if (rc == AI_DECLINED) {
        add_cstr("refused ");
        add(rep.param.data, rep.param.len);
        return text;
    }

    CHECK_INT(rc, AI_OK);
    add(out.start, ai_buf_len(&out));
    CHECK(scan(text, &root));

    for (i = 0; i < rep.ndropped; i++) {
        add_cstr(" -");
        add(rep.dropped[i].data, rep.dropped[i].len);
    }

    return text;
}


#define REQUEST(vendor, model, json, want)                                   \
    request(vendor, model, json);                                            \
    CHECK_STR(text, used, want)


/* messages of nothing but this */

#define HI   "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define FUN  "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"," \
             "\"parameters\":{\"type\":\"object\"}}}]"


static ai_int_t
trace(void *data, const ai_delta_t *d)
{
    static const char *const  names[] = {
        "none", "stop", "sequence", "length", "context", "tools", "filter",
        "pause", "broken"
    };

    if (d->type != AI_DELTA_START && d->type != AI_DELTA_USAGE
        && d->choice != 0)
    {
        add_cstr("#");
        add_uint(d->choice);
    }

    switch (d->type) {

    case AI_DELTA_START:
        return AI_OK;

    case AI_DELTA_TEXT:
        add_cstr("T:");
        break;

    case AI_DELTA_REASONING:
        add_cstr("R:");
        break;

    case AI_DELTA_REFUSAL:
        add_cstr("N:");
        break;

    case AI_DELTA_STATE:
        add_cstr("S");
        add_uint(d->state_kind);
        add_cstr(":");
        add_mstr(&d->state);
        break;

    case AI_DELTA_CALL:
        add_cstr("C");
        add_uint(d->call);
        add_cstr(d->custom ? "*" : ":");
        add_mstr(&d->id);
        add_cstr(":");
        add_mstr(&d->name);

        if (d->state_kind != AI_STATE_NONE) {
            add_cstr(":");
            add_mstr(&d->state);
        }

        break;

    case AI_DELTA_ARGS:
        add_cstr("A");
        add_uint(d->call);
        add_cstr(":");
        break;

    case AI_DELTA_IMAGE:
        add_cstr("I:");
        add_mstr(&d->media_type);
        add_cstr(":");
        break;

    case AI_DELTA_CITATION:
        add_cstr("Q:");
        add_mstr(&d->url);
        add_cstr(":");
        add_mstr(&d->name);
        break;

    case AI_DELTA_LOGPROBS:
        add_cstr("L:");
        add(d->raw.data, d->raw.len);
        break;

    case AI_DELTA_FINISH:
        add_cstr("F:");
        add_cstr(names[d->finish]);
        add_cstr(":");
        break;

    case AI_DELTA_USAGE:
        add_cstr("U:");
        add_uint(d->usage.uncached);
        add_cstr("+");
        add_uint(d->usage.cached);
        add_cstr("+");
        add_uint(d->usage.cache_write);
        add_cstr(">");
        add_uint(d->usage.output);
        add_cstr("/");
        add_uint(d->usage.reasoning);
        break;

    case AI_DELTA_ERROR:
        add_cstr("E:");
        add(d->raw.data, d->raw.len);
        break;

    default:
        add_cstr("?");
        break;
    }

    if (d->type == AI_DELTA_TEXT || d->type == AI_DELTA_REASONING
        || d->type == AI_DELTA_REFUSAL || d->type == AI_DELTA_ARGS
        || d->type == AI_DELTA_IMAGE || d->type == AI_DELTA_FINISH)
    {
        add_mstr(&d->text);
    }

    add_cstr(" ");

    return AI_OK;
}


/* what a decoder makes of events, one per line */

static const char *
decode(const char *name, const char *lines, ai_uint_t document)
{
    char         line[4096];
    size_t       len;
    ai_int_t     rc;
    ai_str_t     none;
    ai_json_t    root;
    ai_decode_t  d;

    used = 0;
    text[0] = '\0';

    memset(&d, 0, sizeof(ai_decode_t));
    ai_str_set(&none, "");

    d.wire = &ai_wire_chat;
    d.vendor = vendor(name);
    d.op = AI_OP_CHAT;
    d.alloc = &unit_arena;
    d.scratch = &unit_arena;
    d.emit = trace;
    d.state = ai_alloc(&unit_arena, ai_wire_chat.decode_size);
    d.document = document != 0;

    memset(d.state, 0, ai_wire_chat.decode_size);

    while (*lines != '\0') {
        len = strcspn(lines, "\n");

        if (len >= sizeof(line)) {
            break;
        }

        memcpy(line, lines, len);
        line[len] = '\0';
        lines += len + (lines[len] == '\n');

        if (!scan(line, &root)) {
            break;
        }

        rc = document ? ai_wire_chat.parse_response(&d, &root)
                      : ai_wire_chat.parse_event(&d, &none, &root);

        if (rc != AI_OK) {
            add_cstr(rc == AI_DECLINED ? "declined" : "error");
        }
    }

    CHECK_INT(ai_wire_chat.parse_end(&d), AI_OK);

    if (d.unknown != 0) {
        add_cstr("unknown");
        add_uint(d.unknown);
    }

    return text;
}


#define DECODE(vendor, lines, want)                                          \
    decode(vendor, lines, 0);                                                \
    CHECK_STR(text, used, want)

#define DOCUMENT(vendor, json, want)                                         \
    decode(vendor, json, 1);                                                 \
    CHECK_STR(text, used, want)

#define D(body)        "{\"choices\":[{\"index\":0,\"delta\":{" body "}}]}\n"
#define END(reason)    "{\"choices\":[{\"index\":0,\"delta\":{},"            \
                       "\"finish_reason\":\"" reason "\"}]}\n"


/* deltas in their order to what a client reads */

typedef struct {
    ai_encode_t   e;
    ai_buf_t      out;
    ai_request_t  req;
} writer_t;


static void
writer_init(writer_t *w)
{
    memset(w, 0, sizeof(writer_t));

    ai_request_init(&w->req, &unit_arena);
    ai_buf_init(&w->out, &unit_arena, SIZE);

    w->e.wire = &ai_wire_chat;
    w->e.op = AI_OP_CHAT;
    w->e.alloc = &unit_arena;
    w->e.req = &w->req;
    w->e.max = SIZE;
    w->e.now = 1700000000;
    w->e.out = &w->out;
    w->e.state = ai_alloc(&unit_arena, ai_wire_chat.encode_size);

    memset(w->e.state, 0, ai_wire_chat.encode_size);

    ai_str_set(&w->e.model, "m");
    ai_str_set(&w->e.request_id, "0123456789abcdef");
}


/* the same but for the id, which is then that of ID */

static void
written(writer_t *w)
{
    char  *p;

    CHECK(!w->out.failed);

    used = 0;
    add(w->out.start, ai_buf_len(&w->out));

    for (p = text; (p = strstr(p, "chatcmpl-")) != NULL; p++) {
        memcpy(p, ID, sizeof(ID) - 1);
    }

    ai_buf_reset(&w->out);
}


static void
put(writer_t *w, ai_delta_e type, const char *s)
{
    ai_delta_t  d;

    ai_delta_init(&d, type);
    d.text = ai_mstr_cstr(s);

    CHECK_INT(ai_wire_chat.render_event(&w->e, &d), AI_OK);
}


static void
put_call(writer_t *w, ai_uint_t n, const char *id, const char *name,
    const char *signature)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_CALL);

    d.call = n;
    d.id = ai_mstr_cstr(id);
    d.name = ai_mstr_cstr(name);

    if (signature != NULL) {
        d.state_kind = AI_STATE_GOOGLE;
        d.state = ai_mstr_cstr(signature);
    }

    CHECK_INT(ai_wire_chat.render_event(&w->e, &d), AI_OK);
}


static void
put_args(writer_t *w, ai_uint_t n, const char *s)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_ARGS);

    d.call = n;
    d.text = ai_mstr_cstr(s);

    CHECK_INT(ai_wire_chat.render_event(&w->e, &d), AI_OK);

    ai_delta_init(&d, AI_DELTA_CALL_END);
    d.call = n;

    CHECK_INT(ai_wire_chat.render_event(&w->e, &d), AI_OK);
}


static void
put_state(writer_t *w, ai_state_e kind, const char *state, const char *id)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_STATE);

    d.state_kind = kind;
    d.state = ai_mstr_cstr(state);
    d.state_id = ai_mstr_cstr(id);

    CHECK_INT(ai_wire_chat.render_event(&w->e, &d), AI_OK);
}


static void
put_end(writer_t *w, ai_finish_e finish)
{
    ai_delta_t  d;

    ai_delta_init(&d, AI_DELTA_FINISH);
    d.finish = finish;
    CHECK_INT(ai_wire_chat.render_event(&w->e, &d), AI_OK);

    ai_delta_init(&d, AI_DELTA_USAGE);
    d.usage.uncached = 3;
    d.usage.cached = 4;
    d.usage.cache_write = 5;
    d.usage.output = 7;
    d.usage.reasoning = 2;
    d.usage.source = AI_USAGE_PROVIDER;
    CHECK_INT(ai_wire_chat.render_event(&w->e, &d), AI_OK);

    put(w, AI_DELTA_END, "");
}


#define CHUNK(delta, finish)                                                 \
    "data: {\"id\":\"" ID "\",\"object\":\"chat.completion.chunk\","         \
    "\"created\":1700000000,\"model\":\"m\",\"choices\":[{\"index\":0,"      \
    "\"delta\":{" delta "},\"logprobs\":null,\"finish_reason\":" finish "}]"

#define USAGE                                                                \
    "{\"prompt_tokens\":12,\"completion_tokens\":7,\"total_tokens\":19,"     \
    "\"prompt_tokens_details\":{\"cached_tokens\":4,"                        \
    "\"cache_write_tokens\":5},\"completion_tokens_details\":"               \
    "{\"reasoning_tokens\":2}}"

#define ROLE  "\"role\":\"assistant\",\"content\":\"\""
#define DONE  "data: [DONE]\n\n"


/* 5, 8: one role chunk, one finish, and usage only if it was asked for */

static void
test_5_role_chunk_once(void)
{
    writer_t  w;

    writer_init(&w);

    put(&w, AI_DELTA_START, "");
    put(&w, AI_DELTA_TEXT, "Hi \"you\"");
    put(&w, AI_DELTA_TEXT, "\n");
    put_end(&w, AI_FINISH_STOP);
    written(&w);

    CHECK_STR(text, used,
              CHUNK(ROLE, "null") "}\n\n"
              CHUNK("\"content\":\"Hi \\\"you\\\"\"", "null") "}\n\n"
              CHUNK("\"content\":\"\\n\"", "null") "}\n\n"
              CHUNK("", "\"stop\"") "}\n\n" DONE);
}


static void
test_8_usage_counted_once(void)
{
    writer_t  w;

    writer_init(&w);
    w.req.include_usage = 1;

    put(&w, AI_DELTA_START, "");
    put(&w, AI_DELTA_TEXT, "a");
    put_end(&w, AI_FINISH_LENGTH);
    written(&w);

    CHECK_STR(text, used,
              CHUNK(ROLE, "null") ",\"usage\":null}\n\n"
              CHUNK("\"content\":\"a\"", "null") ",\"usage\":null}\n\n"
              CHUNK("", "\"length\"") ",\"usage\":null}\n\n"
              "data: {\"id\":\"" ID "\",\"object\":\"chat.completion.chunk\","
              "\"created\":1700000000,\"model\":\"m\",\"choices\":[],"
              "\"usage\":" USAGE "}\n\n" DONE);
}


/* 4, 6: each call has its index, its id once, and arguments */

static void
test_4_parallel_calls_have_their_own_index(void)
{
    writer_t  w;

    writer_init(&w);

    put(&w, AI_DELTA_START, "");
    put_call(&w, 0, "c1", "f", NULL);
    put_args(&w, 0, "{\"a\":1.0}");
    put_call(&w, 1, "c2", "g", "sig");
    put_args(&w, 1, "{}");
    put_end(&w, AI_FINISH_TOOLS);
    written(&w);

    CHECK_STR(text, used,
              CHUNK("\"role\":\"assistant\",\"content\":null,"
                    "\"tool_calls\":[{\"index\":0,\"id\":\"c1\","
                    "\"type\":\"function\",\"function\":{\"name\":\"f\","
                    "\"arguments\":\"\"}}]", "null") "}\n\n"
              CHUNK("\"tool_calls\":[{\"index\":0,\"function\":"
                    "{\"arguments\":\"{\\\"a\\\":1.0}\"}}]", "null") "}\n\n"
              CHUNK("\"tool_calls\":[{\"index\":1,\"id\":\"c2\","
                    "\"extra_content\":{\"google\":{\"thought_signature\":"
                    "\"sig\"}},\"type\":\"function\",\"function\":"
                    "{\"name\":\"g\",\"arguments\":\"\"}}]", "null") "}\n\n"
              CHUNK("\"tool_calls\":[{\"index\":1,\"function\":"
                    "{\"arguments\":\"{}\"}}]", "null") "}\n\n"
              CHUNK("", "\"tool_calls\"") "}\n\n" DONE);
}


/* 10: what the model thought, so that a client can bring it back */

static void
test_10_signature_is_told(void)
{
    writer_t  w;

    writer_init(&w);

    put(&w, AI_DELTA_START, "");
    put(&w, AI_DELTA_REASONING, "hm");
    put_state(&w, AI_STATE_ANTHROPIC, "sig", "");
    put_state(&w, AI_STATE_REDACTED, "red", "");
    put_state(&w, AI_STATE_OPENAI, "enc", "rs_1");
    written(&w);

    CHECK_STR(text, used,
              CHUNK(ROLE, "null") "}\n\n"
              CHUNK("\"reasoning_content\":\"hm\",\"reasoning_details\":"
                    "[{\"type\":\"reasoning.text\",\"text\":\"hm\","
                    "\"index\":0}]", "null") "}\n\n"
              CHUNK("\"reasoning_details\":[{\"type\":\"reasoning.text\","
                    "\"signature\":\"sig\",\"format\":"
                    "\"anthropic-claude-v1\",\"index\":0}]", "null") "}\n\n"
              CHUNK("\"reasoning_details\":[{\"type\":"
                    "\"reasoning.encrypted\",\"data\":\"red\",\"format\":"
                    "\"anthropic-claude-v1\",\"index\":1}]", "null") "}\n\n"
              CHUNK("\"reasoning_details\":[{\"type\":"
                    "\"reasoning.encrypted\",\"id\":\"rs_1\",\"data\":"
                    "\"enc\",\"format\":\"openai-responses-v1\","
                    "\"index\":2}]", "null") "}\n\n");
}


/* the same entries, as a client collects them, are state again */

#define BACK(rest)                                                           \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"                 \
    "{\"role\":\"assistant\",\"content\":\"x\"," rest "},"                   \
    "{\"role\":\"user\",\"content\":\"go\"}]}"

#define BACK_HEAD(model)                                                     \
    "{\"model\":\"" model "\",\"messages\":[{\"role\":\"user\",\"content\":" \
    "\"hi\"},{\"role\":\"assistant\",\"content\":\"x\""

#define BACK_TAIL  "},{\"role\":\"user\",\"content\":\"go\"}]}"

static void
test_10_signature_comes_back(void)
{
    /* as it was streamed, not merged by the client */

    REQUEST("openrouter", "anthropic/claude-sonnet-4.5",
            BACK("\"reasoning_content\":\"hm\\n.\",\"reasoning_details\":["
                 "{\"type\":\"reasoning.text\",\"text\":\"hm\",\"index\":0},"
                 "{\"type\":\"reasoning.text\",\"text\":\"\\n.\","
                 "\"index\":0},"
                 "{\"type\":\"reasoning.text\",\"signature\":\"sig\","
                 "\"format\":\"anthropic-claude-v1\",\"index\":0},"
                 "{\"type\":\"reasoning.encrypted\",\"data\":\"red\","
                 "\"format\":\"anthropic-claude-v1\",\"index\":1},"
                 "{\"type\":\"reasoning.encrypted\",\"data\":\"no\","
                 "\"format\":\"openai-responses-v1\",\"index\":2}]"),
            BACK_HEAD("anthropic/claude-sonnet-4.5")
            ",\"reasoning_details\":[{\"type\":\"reasoning.text\","
            "\"text\":\"hm\\n.\",\"signature\":\"sig\",\"format\":"
            "\"anthropic-claude-v1\",\"index\":0},"
            "{\"type\":\"reasoning.encrypted\",\"data\":\"red\","
            "\"format\":\"anthropic-claude-v1\",\"index\":1}]" BACK_TAIL);

    /* the text only beside it, and LiteLLM's form */

    REQUEST("openrouter", "anthropic/claude-sonnet-4.5",
            BACK("\"reasoning\":\"hm\",\"reasoning_details\":["
                 "{\"type\":\"reasoning.text\",\"signature\":\"sig\"}]"),
            BACK_HEAD("anthropic/claude-sonnet-4.5")
            ",\"reasoning_details\":[{\"type\":\"reasoning.text\","
            "\"text\":\"hm\",\"signature\":\"sig\",\"format\":"
            "\"anthropic-claude-v1\",\"index\":0}]" BACK_TAIL);

    REQUEST("openrouter", "anthropic/claude-sonnet-4.5",
            BACK("\"reasoning_content\":\"hm\",\"thinking_blocks\":["
                 "{\"type\":\"thinking\",\"thinking\":\"hm\","
                 "\"signature\":\"sig\"},{\"type\":\"redacted_thinking\","
                 "\"data\":\"red\"}]"),
            BACK_HEAD("anthropic/claude-sonnet-4.5")
            ",\"reasoning_details\":[{\"type\":\"reasoning.text\","
            "\"text\":\"hm\",\"signature\":\"sig\",\"format\":"
            "\"anthropic-claude-v1\",\"index\":0},"
            "{\"type\":\"reasoning.encrypted\",\"data\":\"red\","
            "\"format\":\"anthropic-claude-v1\",\"index\":1}]" BACK_TAIL);

    /* state of another vendor's is nothing, its words may be */

    REQUEST("openrouter", "openai/gpt-5",
            BACK("\"reasoning_details\":[{\"type\":\"reasoning.text\","
                 "\"text\":\"hm\",\"signature\":\"sig\"}]"),
            BACK_HEAD("openai/gpt-5")
            ",\"reasoning_details\":[{\"type\":\"reasoning.text\","
            "\"text\":\"hm\",\"format\":\"unknown\",\"index\":0}]"
            BACK_TAIL);
}


static void
test_document_of_an_answer(void)
{
    writer_t             w;
    ai_part_t           *part;
    ai_answer_t          a;
    ai_citation_t        cite;
    ai_answer_choice_t  *ch;

    writer_init(&w);
    memset(&a, 0, sizeof(ai_answer_t));
    memset(&cite, 0, sizeof(ai_citation_t));

    a.created = 5;
    a.nchoices = 2;
    a.usage.uncached = 3;
    a.usage.cached = 4;
    a.usage.cache_write = 5;
    a.usage.output = 7;
    a.usage.reasoning = 2;
    a.usage.source = AI_USAGE_PROVIDER;

    ch = &a.choices[0];
    ch->finish = AI_FINISH_TOOLS;

    part = ai_part_create(&unit_arena, AI_PART_REASONING);
    part->text = ai_mstr_cstr("hm");
    part->state_kind = AI_STATE_ANTHROPIC;
    part->state = ai_mstr_cstr("sig");
    ch->parts = part;

    part->next = ai_part_create(&unit_arena, AI_PART_CALL);
    part = part->next;
    part->id = ai_mstr_cstr("c1");
    part->name = ai_mstr_cstr("f");
    part->args = ai_mstr_cstr("{\"a\":1e2}");

    ch = &a.choices[1];
    ch->finish = AI_FINISH_FILTER;
    ch->parts = ai_part_create(&unit_arena, AI_PART_TEXT);
    ch->parts->text = ai_mstr_cstr("a");
    ch->citations = &cite;
    cite.url = ai_mstr_cstr("http://u");
    cite.to = 1;
    ai_str_set(&ch->logprobs, "[1]");

    CHECK_INT(ai_wire_chat.render_response(&w.e, &a), AI_OK);
    written(&w);

    CHECK_STR(text, used,
              "{\"id\":\"" ID "\",\"object\":\"chat.completion\","
              "\"created\":5,\"model\":\"m\",\"choices\":[{\"index\":0,"
              "\"message\":{\"role\":\"assistant\",\"content\":null,"
              "\"refusal\":null,\"reasoning_content\":\"hm\","
              "\"reasoning_details\":[{\"type\":\"reasoning.text\","
              "\"text\":\"hm\",\"signature\":\"sig\",\"format\":"
              "\"anthropic-claude-v1\",\"index\":0}],\"tool_calls\":["
              "{\"id\":\"c1\",\"type\":\"function\",\"function\":"
              "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1e2}\"}}]},"
              "\"logprobs\":null,\"finish_reason\":\"tool_calls\"},"
              "{\"index\":1,\"message\":{\"role\":\"assistant\","
              "\"content\":\"a\",\"refusal\":null,\"annotations\":["
              "{\"type\":\"url_citation\",\"url_citation\":{\"url\":"
              "\"http://u\",\"title\":\"\",\"start_index\":0,"
              "\"end_index\":1}}]},\"logprobs\":{\"content\":[1],"
              "\"refusal\":null},\"finish_reason\":\"content_filter\"}],"
              "\"usage\":" USAGE "}");
}


/* clients of 2023 */

static void
test_functions(void)
{
    writer_t  w;

    writer_init(&w);
    w.req.functions = 1;

    put(&w, AI_DELTA_START, "");
    put_call(&w, 0, "c1", "f", NULL);
    put_args(&w, 0, "{}");
    put_call(&w, 1, "c2", "f", NULL);
    put_args(&w, 1, "{}");
    put_end(&w, AI_FINISH_TOOLS);
    written(&w);

    CHECK_STR(text, used,
              CHUNK("\"role\":\"assistant\",\"content\":null,"
                    "\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}",
                    "null") "}\n\n"
              CHUNK("\"function_call\":{\"arguments\":\"{}\"}", "null")
              "}\n\n" CHUNK("", "\"function_call\"") "}\n\n" DONE);

    REQUEST("openai", "gpt-4o",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
            "{\"role\":\"assistant\",\"content\":null,\"function_call\":"
            "{\"name\":\"f\",\"arguments\":\"{}\"}},{\"role\":\"function\","
            "\"name\":\"f\",\"content\":\"42\"}],\"functions\":[{\"name\":"
            "\"f\",\"parameters\":{\"type\":\"object\"}}],"
            "\"function_call\":{\"name\":\"f\"}}",
            "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\","
            "\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":null,"
            "\"tool_calls\":[{\"id\":\"call_0\",\"type\":\"function\","
            "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
            "{\"role\":\"tool\",\"tool_call_id\":\"call_0\",\"content\":"
            "\"42\"}]," FUN ",\"parallel_tool_calls\":false,"
            "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":"
            "\"f\"}}}");
}


/* 4: pieces of calls, however little is told of whose they are */

static void
test_4_index_of_continuations(void)
{
    /* as OpenAI has it */

    DECODE("openai",
           D("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":"
             "\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
             "\"\"}}]")
           D("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
             "\"{\\\"x\\\"\"}}]")
           D("\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":"
             "{\"name\":\"g\",\"arguments\":\"{}\"}}]")
           D("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
             "\":1}\"}}]") END("tool_calls"),
           "C0:a:f A0:{\"x\" C1:b:g A1:{} A0::1} F:tools: ");

    /* no index: by the id, then by the order */

    DECODE("mistral",
           D("\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\","
             "\"arguments\":\"{}\"}},{\"id\":\"b\",\"function\":{\"name\":"
             "\"f\",\"arguments\":\"{\"}}]")
           D("\"tool_calls\":[{\"function\":{\"arguments\":\"}\"}}]"),
           "C0:a:f A0:{} C1:b:f A1:{ A1:} ");

    /* one index for all of them */

    DECODE("vllm",
           D("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":"
             "{\"name\":\"f\",\"arguments\":\"{}\"}}]")
           D("\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":"
             "{\"name\":\"f\",\"arguments\":\"{}\"}}]"),
           "C0:a:f A0:{} C1:b:f A1:{} ");

    /* an id of its own for each piece, but no name */

    DECODE("vllm",
           D("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":"
             "{\"name\":\"f\",\"arguments\":\"{\"}}]")
           D("\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":"
             "{\"arguments\":\"}\"}}]"),
           "C0:a:f A0:{ A0:} ");

    /* the name comes later, nulls are nothing, an object is its text */

    DECODE("writer",
           D("\"tool_calls\":[{\"index\":null,\"id\":null,\"type\":null,"
             "\"function\":{\"name\":null,\"arguments\":null}}]")
           D("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{}}]")
           D("\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\","
             "\"arguments\":{\"x\": 1.50}}}]"),
           "C0:a:f A0:{\"x\": 1.50} ");

    /* the form of 2023, a custom tool, Google's signature */

    DECODE("openai",
           D("\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}")
           D("\"function_call\":{\"arguments\":\"{}\"}")
           END("function_call"),
           "C0::f A0:{} F:tools: ");

    DECODE("openai",
           D("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"custom\","
             "\"custom\":{\"name\":\"f\",\"input\":\"x\"}}]"),
           "C0*a:f A0:x ");

    DECODE("openai",
           D("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":"
             "{\"name\":\"f\",\"arguments\":\"{}\"},\"extra_content\":"
             "{\"google\":{\"thought_signature\":\"sig\"}}}]"),
           "C0:a:f:sig A0:{} ");

    /* each entry of a document is a call, even without ids */

    DOCUMENT("openai",
             "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":"
             "{\"name\":\"f\",\"arguments\":\"{}\"}},{\"function\":{\"name\":"
             "\"f\",\"arguments\":\"\"}}]},\"finish_reason\":\"stop\"}]}",
             "C0::f A0:{} C1::f F:stop: ");
}


/* 9, 8: each provider's arithmetic */

#define U(members)  "{\"choices\":[],\"usage\":{" members "}}\n"

static void
test_9_usage_of_providers(void)
{
    DECODE("openai",
           U("\"prompt_tokens\":10,\"completion_tokens\":5,"
             "\"total_tokens\":15,\"prompt_tokens_details\":"
             "{\"cached_tokens\":4,\"cache_write_tokens\":3},"
             "\"completion_tokens_details\":{\"reasoning_tokens\":2}"),
           "U:3+4+3>5/2 ");

    /* xAI leaves the reasoning out, the same model at Azure does not */

    DECODE("xai",
           U("\"prompt_tokens\":10,\"completion_tokens\":5,"
             "\"total_tokens\":22,\"completion_tokens_details\":"
             "{\"reasoning_tokens\":7}"),
           "U:10+0+0>12/7 ");

    DECODE("xai",
           U("\"prompt_tokens\":10,\"completion_tokens\":5,"
             "\"completion_tokens_details\":{\"reasoning_tokens\":7}"),
           "U:10+0+0>12/7 ");

    DECODE("azure",
           U("\"prompt_tokens\":10,\"completion_tokens\":9,"
             "\"total_tokens\":19,\"prompt_tokens_details\":"
             "{\"cached_tokens\":14},\"completion_tokens_details\":"
             "{\"reasoning_tokens\":7}"),
           "U:0+10+0>9/7 ");

    DECODE("deepseek",
           U("\"prompt_tokens\":10,\"completion_tokens\":5,"
             "\"prompt_cache_hit_tokens\":8,\"prompt_cache_miss_tokens\":2"),
           "U:2+8+0>5/0 ");

    DECODE("mistral",
           U("\"prompt_tokens\":10,\"completion_tokens\":5,"
             "\"prompt_token_details\":{\"cached_tokens\":6}"),
           "U:4+6+0>5/0 ");

    DECODE("groq",
           "{\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":1,"
           "\"completion_tokens\":2}},\"usage\":{\"prompt_tokens\":1,"
           "\"completion_tokens\":2}}",
           "U:1+0+0>2/0 U:1+0+0>2/0 ");

    DECODE("databricks",
           U("\"prompt_tokens\":14,\"completion_tokens\":null,"
             "\"total_tokens\":null"),
           "U:14+0+0>0/0 ");

    DECODE("openai", U("") "{\"choices\":[],\"usage\":null}", "");
}


/* 11: an error in a chunk, with and without choices */

static void
test_11_errors_within_a_stream(void)
{
    DECODE("openrouter",
           "{\"error\":{\"message\":\"no\"},\"choices\":[{\"index\":0,"
           "\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}",
           "E:{\"error\":{\"message\":\"no\"},\"choices\":[{\"index\":0,"
           "\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]} ");

    DECODE("vllm",
           "{\"object\":\"error\",\"message\":\"no\",\"code\":400}",
           "E:{\"object\":\"error\",\"message\":\"no\",\"code\":400} ");

    DECODE("openrouter",
           "{\"choices\":[{\"index\":0,\"error\":{\"code\":502}}]}",
           "E:{\"code\":502} ");

    DECODE("groq", "{\"choices\":[],\"x_groq\":{\"error\":\"no\"}}",
           "E:\"no\" ");

    DECODE("openai", END("error"), "F:broken: ");

    /* null, empty and false are none */

    DECODE("openai", "{\"error\":null,\"choices\":[]}", "");
    DECODE("openai", "{\"error\":{},\"choices\":[]}", "");

    DOCUMENT("openai", "{\"error\":{\"message\":\"no\"}}",
             "E:{\"error\":{\"message\":\"no\"}} ");
    DOCUMENT("openai", "{\"choices\":[]}", "declined");
    DOCUMENT("openai", "{\"choices\":[{\"message\":null}]}", "declined");
    DOCUMENT("openai", "{\"ok\":true}", "declined");
}


/* 18: what nobody knows is skipped, and counted */

static void
test_18_unknown_events(void)
{
    DECODE("openai",
           "{\"what\":\"ever\"}\n" D("\"content\":\"a\",\"obfuscation\":1")
           D("\"content\":[{\"type\":\"new\"},{\"type\":\"text\",\"text\":"
             "\"b\"}],\"audio\":{\"data\":\"\"}"),
           "T:a T:b unknown3");

    /* no choice, no delta, nothing but an index, other types */

    DECODE("azure",
           "{\"choices\":[]}\n{\"choices\":null}\n{\"choices\":[null,{}]}\n"
           "{\"choices\":[{\"index\":0,\"content_filter_offsets\":{}}]}\n"
           "{\"choices\":[{\"index\":\"x\",\"delta\":[],\"finish_reason\":"
           "7}]}\n",
           "");
}


/* 25: chunks with nothing but thoughts, by all their names */

static void
test_25_reasoning_only_chunks(void)
{
    DECODE("deepseek",
           D("\"content\":null,\"reasoning_content\":\"a\"")
           D("\"content\":\"\",\"reasoning_content\":null"),
           "R:a ");

    DECODE("vllm", D("\"reasoning\":\"a\",\"reasoning_content\":\"a\""),
           "R:a ");

    DECODE("mistral",
           D("\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":"
             "\"text\",\"text\":\"a\"}],\"closed\":true},{\"type\":\"text\","
             "\"text\":\"b\"}]"),
           "R:a T:b ");

    DECODE("openrouter",
           D("\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"a\","
             "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":"
             "\"a\",\"format\":\"anthropic-claude-v1\",\"index\":0}]")
           D("\"content\":\"\",\"reasoning\":null,\"reasoning_details\":["
             "{\"type\":\"reasoning.text\",\"signature\":\"sig\",\"format\":"
             "\"anthropic-claude-v1\",\"index\":0}]")
           D("\"reasoning_details\":[{\"type\":\"reasoning.encrypted\","
             "\"data\":\"red\",\"format\":\"anthropic-claude-v1\"},"
             "{\"type\":\"reasoning.encrypted\",\"data\":\"g\",\"format\":"
             "\"google-gemini-v1\"},{\"type\":\"reasoning.encrypted\","
             "\"data\":\"x\",\"format\":\"xai-responses-v1\"},{\"type\":"
             "\"reasoning.encrypted\",\"data\":\"?\",\"format\":\"new\"}]"),
           "R:a S1:sig S2:red S3:g S5:x unknown1");

    /* the words are only in the entries, or in a whole message */

    DOCUMENT("snowflake",
             "{\"choices\":[{\"message\":{\"content\":\"x\","
             "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":"
             "\"a\",\"signature\":\"sig\",\"format\":"
             "\"anthropic-claude-v1\"}]},\"finish_reason\":\"\"}]}",
             "R:a S1:sig T:x ");
}


/* 29: Azure's first chunk, and whatever else a table of vendors found */

static void
test_29_odd_chunks(void)
{
    DECODE("azure",
           "{\"id\":\"\",\"model\":\"\",\"created\":0,\"choices\":[],"
           "\"prompt_filter_results\":[{}]}\n" D("\"content\":\"a\""),
           "T:a ");

    /* both a delta and all of the message */

    DECODE("perplexity",
           "{\"citations\":[\"http://a\"],\"choices\":[{\"index\":0,"
           "\"message\":{\"content\":\"ab\"},\"delta\":{\"content\":\"b\"},"
           "\"finish_reason\":null}]}\n"
           "{\"citations\":[\"http://a\"],\"search_results\":[{\"url\":"
           "\"http://a\",\"title\":\"A\"}],\"choices\":[{\"index\":0,"
           "\"message\":{\"content\":\"ab\"},\"delta\":{\"content\":\"\"},"
           "\"finish_reason\":\"stop\"}]}\n",
           "T:b Q:http://a:A F:stop: ");

    DECODE("together",
           "{\"choices\":[{\"index\":0,\"text\":\"a\",\"delta\":"
           "{\"content\":\"a\"},\"finish_reason\":\"eos\"}]}\n",
           "T:a F:stop: ");

    /* JSON as it is, a stop sequence, refusals, images, choices */

    DOCUMENT("cloudflare",
             "{\"choices\":[{\"message\":{\"content\":{\"a\": 1.0}},"
             "\"finish_reason\":\"stop\"}]}",
             "T:{\"a\": 1.0} F:stop: ");

    DOCUMENT("vllm",
             "{\"choices\":[{\"message\":{\"content\":\"a\"},"
             "\"finish_reason\":\"stop\",\"stop_reason\":\"END\"},{\"index\":"
             "1,\"message\":{\"refusal\":\"no\"},\"finish_reason\":\"stop\","
             "\"stop_reason\":154827}]}",
             "T:a F:sequence:END #1N:no #1F:stop: ");

    DECODE("openrouter",
           D("\"images\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
             "\"data:image/webp;base64,AAAA\"}}],\"annotations\":[{\"type\":"
             "\"url_citation\",\"url_citation\":{\"url\":\"http://a\","
             "\"title\":\"A\"}}]"),
           "I:image/webp:AAAA Q:http://a:A ");

    DECODE("openai",
           "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"<think>a"
           "</think>\"},\"logprobs\":{\"content\":[{\"token\":\"a\"}],"
           "\"refusal\":null},\"finish_reason\":\"length\"}]}",
           "T:<think>a</think> L:[{\"token\":\"a\"}] F:length: ");

    DECODE("openai", END("content_filter") END("model_length") END("new"),
           "F:filter: F:context: F:stop: ");
}


/* 14: results of parallel calls, an error, what a tool shows, 16: ids */

#define TURN(content1, content2)                                             \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":"       \
    "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"toolu_01\","   \
    "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"      \
    "\"{\\\"a\\\": 1.0}\"}},{\"id\":\"toolu_02\",\"type\":\"function\","     \
    "\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]},{\"role\":"         \
    "\"tool\",\"tool_call_id\":\"toolu_02\",\"content\":" content2 "},"      \
    "{\"role\":\"tool\",\"tool_call_id\":\"toolu_01\",\"content\":"          \
    content1 "},{\"role\":\"user\",\"content\":\"go\"}]}"

static void
test_14_results_in_order(void)
{
    REQUEST("openai", "gpt-4o", TURN("\"one\"", "[{\"type\":\"text\","
            "\"text\":\"two\"},{\"type\":\"image_url\",\"image_url\":"
            "{\"url\":\"http://i\"}}]"),
            "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\","
            "\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":null,"
            "\"tool_calls\":[{\"id\":\"toolu_01\",\"type\":\"function\","
            "\"function\":{\"name\":\"f\",\"arguments\":"
            "\"{\\\"a\\\": 1.0}\"}},{\"id\":\"toolu_02\",\"type\":"
            "\"function\",\"function\":{\"name\":\"g\",\"arguments\":"
            "\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"toolu_01\","
            "\"content\":\"one\"},{\"role\":\"tool\",\"tool_call_id\":"
            "\"toolu_02\",\"content\":\"two\"},{\"role\":\"user\","
            "\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
            "\"http://i\"}},{\"type\":\"text\",\"text\":\"go\"}]}]}");
}


static void
test_16_mistral_ids(void)
{
    char    *p, *q, id[9];
    size_t   i;

    request("mistral", "mistral-large", TURN("\"one\"", "\"two\""));

    p = strstr(text, "\"id\":\"");

    if (!CHECK(p != NULL)) {
        return;
    }

    p += 6;
    memcpy(id, p, 9);
    CHECK(p[9] == '"');

    for (i = 0; i < 9; i++) {
        CHECK((id[i] >= '0' && id[i] <= '9') || (id[i] >= 'A' && id[i] <= 'Z')
              || (id[i] >= 'a' && id[i] <= 'z'));
    }

    /* the same in the result */

    q = strstr(text, "\"tool_call_id\":\"");

    if (CHECK(q != NULL)) {
        CHECK_MEM(q + 16, 9, id, 9);
    }

    CHECK(strstr(text, "toolu") == NULL);
}


/* 27: where thoughts go back, and where they must not */

#define THOUGHT  BACK("\"reasoning_content\":\"hm\"")

#define THOUGHT_CALL(rest)                                                   \
    "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":"       \
    "\"assistant\",\"content\":\"\"," rest "\"tool_calls\":[{\"id\":\"c\","  \
    "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"      \
    "\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":"      \
    "\"1\"}]}"

static void
test_27_reasoning_content_of_vendors(void)
{
    REQUEST("groq", "llama", THOUGHT, BACK_HEAD("llama") BACK_TAIL);
    REQUEST("cerebras", "llama", THOUGHT, BACK_HEAD("llama") BACK_TAIL);
    REQUEST("openai", "gpt-4o", THOUGHT, BACK_HEAD("gpt-4o") BACK_TAIL);
    REQUEST("moonshot", "kimi", THOUGHT,
            BACK_HEAD("kimi") ",\"reasoning_content\":\"hm\"" BACK_TAIL);

    /* DeepSeek wants it with calls, and only there */

    REQUEST("deepseek", "deepseek-chat", THOUGHT,
            BACK_HEAD("deepseek-chat") BACK_TAIL);

    request("deepseek", "deepseek-chat",
            THOUGHT_CALL("\"reasoning_content\":\"hm\","));
    CHECK(strstr(text, "\"reasoning_content\":\"hm\"") != NULL);

    request("deepseek", "deepseek-chat", THOUGHT_CALL(""));
    CHECK(strstr(text, "\"reasoning_content\":\"\"") != NULL);
}


/* 28: a string where it can be one */

static void
test_28_string_content(void)
{
    REQUEST("vllm", "m",
            "{\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":"
            "\"text\",\"text\":\"be\"},{\"type\":\"text\",\"text\":\"nice\"}"
            "]},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
            "\"hi\",\"cache_control\":{\"type\":\"ephemeral\"}}]}]}",
            "{\"model\":\"m\",\"messages\":[{\"role\":\"system\","
            "\"content\":\"be\\n\\nnice\"},{\"role\":\"user\",\"content\":"
            "\"hi\"}]}");

    /* markers where they are understood */

    REQUEST("openrouter", "anthropic/claude-sonnet-4.5",
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
            "\"text\",\"text\":\"hi\",\"cache_control\":{\"type\":"
            "\"ephemeral\"}}]}]}",
            "{\"model\":\"anthropic/claude-sonnet-4.5\",\"messages\":["
            "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
            "\"hi\",\"cache_control\":{\"type\":\"ephemeral\"}}]}]}");
}


static void
test_parts(void)
{
    REQUEST("openai", "gpt-4o",
            "{\"messages\":[{\"role\":\"user\",\"content\":["
            "{\"type\":\"image_url\",\"image_url\":{\"url\":"
            "\"data:image\\/jpeg;base64,QUJD\",\"detail\":\"low\"}},"
            "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUJD\","
            "\"format\":\"wav\"}},"
            "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUJD\","
            "\"format\":\"mp3\"}},"
            "{\"type\":\"file\",\"file\":{\"file_data\":"
            "\"data:application/pdf;base64,QUJD\",\"filename\":\"a.pdf\"}},"
            "{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}},"
            "{\"type\":\"new\"}]}]}",
            "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\","
            "\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
            "\"data:image\\/jpeg;base64,QUJD\",\"detail\":\"low\"}},"
            "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUJD\","
            "\"format\":\"wav\"}},"
            "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUJD\","
            "\"format\":\"mp3\"}},"
            "{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\","
            "\"file_data\":\"data:application/pdf;base64,QUJD\"}},"
            "{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}}]}]} "
            "-new");

    REQUEST("openai", "gpt-4o",
            "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
            "\"video_url\",\"video_url\":{\"url\":\"http://v\"}}]}]}",
            "refused messages");
}


static void
test_members(void)
{
    /* max_tokens and sampling by model */

    REQUEST("openai", "gpt-4o",
            "{" HI ",\"max_tokens\":1,\"max_completion_tokens\":2,"
            "\"temperature\":0.70,\"top_p\":1e-1,\"seed\":7,\"stop\":\"a\","
            "\"logit_bias\":{\"5\":1},\"n\":2,\"verbosity\":\"low\"}",
            "{\"model\":\"gpt-4o\"," HI ",\"max_tokens\":2,"
            "\"temperature\":0.70,\"top_p\":1e-1,\"logit_bias\":{\"5\":1},"
            "\"seed\":7,\"n\":2,\"stop\":[\"a\"]} -verbosity");

    REQUEST("openai", "o3-mini",
            "{" HI ",\"max_tokens\":1,\"temperature\":0.7,\"top_p\":1.0,"
            "\"reasoning_effort\":\"minimal\",\"verbosity\":\"low\"}",
            "{\"model\":\"o3-mini\"," HI ",\"max_completion_tokens\":1,"
            "\"reasoning_effort\":\"low\",\"verbosity\":\"low\"} "
            "-temperature");

    /* streams, members that a vendor renames or does not take */

    REQUEST("mistral", "mistral-large",
            "{" HI ",\"stream\":true,\"seed\":7,\"user\":\"u\",\"logprobs\":"
            "false,\"tool_choice\":\"required\"," FUN "}",
            "{\"model\":\"mistral-large\"," HI ",\"stream\":true,"
            "\"random_seed\":7," FUN ",\"tool_choice\":\"any\"} -user");

    REQUEST("groq", "llama",
            "{" HI ",\"stream\":true,\"stream_options\":{\"include_usage\":"
            "true},\"reasoning_effort\":\"high\",\"frob\":1,\"store\":true}",
            "{\"model\":\"llama\"," HI ",\"stream\":true,"
            "\"stream_options\":{\"include_usage\":true}} -frob -store "
            "-reasoning_effort");

    REQUEST("groq", "openai/gpt-oss-120b",
            "{" HI ",\"reasoning_effort\":\"max\"}",
            "{\"model\":\"openai/gpt-oss-120b\"," HI ","
            "\"reasoning_effort\":\"high\"}");

    REQUEST("openrouter", "openai/gpt-5",
            "{" HI ",\"reasoning\":{\"max_tokens\":2000},\"top_k\":5}",
            "{\"model\":\"openai/gpt-5\"," HI ",\"top_k\":5,"
            "\"reasoning\":{\"max_tokens\":2000}}");

    REQUEST("perplexity", "sonar", "{" HI "," FUN "}", "refused tools");
    REQUEST("groq", "llama", "{" HI ",\"logprobs\":true}",
            "refused logprobs");
    REQUEST("openai", "o3-mini", "{" HI ",\"logprobs\":true}",
            "refused logprobs");

    /* a user that is too long is told by its hash */

    request("openai", "gpt-4o",
            "{" HI ",\"user\":\"0123456789012345678901234567890123456789"
            "0123456789012345678901234\"}");
    CHECK(strstr(text, "0123456789012") == NULL);
    CHECK(strstr(text, "\"user\":\"") != NULL);
}


static void
test_tools(void)
{
    REQUEST("openai", "gpt-4o",
            "{" HI ",\"tools\":[{\"type\":\"function\",\"function\":"
            "{\"name\":\"mcp.server/tool\",\"description\":\"d\","
            "\"strict\":true}},{\"type\":\"web_search\"},{\"type\":"
            "\"function\",\"function\":{\"name\":\"other\"}}],"
            "\"parallel_tool_calls\":false,\"tool_choice\":{\"type\":"
            "\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\","
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
            "\"mcp.server/tool\"}}]}}}",
            "{\"model\":\"gpt-4o\"," HI ",\"tools\":[{\"type\":"
            "\"function\",\"function\":{\"name\":"
            "\"mcp_server_tool_c2669d2b\",\"description\":\"d\","
            "\"parameters\":{\"type\":\"object\",\"properties\":{}},"
            "\"strict\":true}}],\"parallel_tool_calls\":false,"
            "\"tool_choice\":\"required\"} -web_search");

    /* none are left, so nothing is said of them */

    REQUEST("openai", "gpt-4o",
            "{" HI ",\"tools\":[],\"parallel_tool_calls\":true,"
            "\"tool_choice\":\"auto\"}",
            "{\"model\":\"gpt-4o\"," HI "}");

    /* free text: to who knows it, and as a function to others */

    REQUEST("openai", "gpt-5",
            "{" HI ",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":"
            "\"p\",\"format\":{\"type\":\"text\"}}}],\"tool_choice\":"
            "{\"type\":\"custom\",\"custom\":{\"name\":\"p\"}}}",
            "{\"model\":\"gpt-5\"," HI ",\"tools\":[{\"type\":\"custom\","
            "\"custom\":{\"name\":\"p\",\"format\":{\"type\":\"text\"}}}],"
            "\"tool_choice\":{\"type\":\"custom\",\"custom\":{\"name\":"
            "\"p\"}}}");

    REQUEST("vllm", "m",
            "{" HI ",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":"
            "\"p\"}}]}",
            "{\"model\":\"m\"," HI ",\"tools\":[{\"type\":\"function\","
            "\"function\":{\"name\":\"p\",\"parameters\":{\"type\":"
            "\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
            "\"required\":[\"input\"]}}}]}");

    REQUEST("openai", "gpt-4o",
            "{" HI ",\"response_format\":{\"type\":\"json_schema\","
            "\"json_schema\":{\"name\":\"x\",\"strict\":true,\"schema\":"
            "{\"type\":\"object\",\"x\":1.00}}}}",
            "{\"model\":\"gpt-4o\"," HI ",\"response_format\":{\"type\":"
            "\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":"
            "{\"type\":\"object\",\"x\":1.00},\"strict\":true}}}");
}


/* a client is told which member is wrong */

static void
test_wrong_types(void)
{
    size_t  i;

    static const struct {
        const char  *json;
        const char  *want;
    } cases[] = {
        { "[]", "refused " },
        { "{}", "refused messages" },
        { "{\"messages\":null}", "refused messages" },
        { "{\"messages\":{}}", "refused messages" },
        { "{\"messages\":[1]}", "refused messages.0" },
        { "{\"messages\":[{\"role\":\"x\"}]}", "refused messages.0.role" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":1}]}",
          "refused messages.0.content" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":[1]}]}",
          "refused messages.0.content" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
          "\"text\",\"text\":1}]}]}", "refused messages.0.content" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
          "\"image_url\"}]}]}", "refused messages.0.content" },
        { "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
          "\"file\",\"file\":{}}]}]}", "refused messages.0.content" },
        { "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":{}}]}",
          "refused messages.0.tool_calls" },
        { "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{}]}]}",
          "refused messages.0.tool_calls" },
        { "{" HI ",\"temperature\":\"1\"}", "refused temperature" },
        { "{" HI ",\"stream\":1}", "refused stream" },
        { "{" HI ",\"stop\":[1]}", "refused stop" },
        { "{" HI ",\"tools\":{}}", "refused tools" },
        { "{" HI ",\"tools\":[{\"type\":\"function\"}]}",
          "refused tools.0.function.name" },
        { "{" HI ",\"tool_choice\":\"x\"}", "refused tool_choice" },
        { "{" HI ",\"response_format\":{\"type\":\"x\"}}",
          "refused response_format.type" },
        { "{" HI ",\"audio\":{}}", "refused audio" },
        { "{" HI ",\"modalities\":[\"text\",\"audio\"]}",
          "refused modalities" },
        { NULL, NULL }
    };

    for (i = 0; cases[i].json != NULL; i++) {
        request("openai", "gpt-4o", cases[i].json);
        CHECK_MEM(text, used, cases[i].want, strlen(cases[i].want));
    }
}


/* no memory at any point is an error, and nothing else */

static void
test_no_memory(void)
{
    long          n;
    ai_int_t      rc;
    ai_buf_t      out;
    ai_json_t     root;
    ai_report_t   rep;
    ai_target_t   t;
    ai_request_t  req;

    for (n = 0; n < 200; n++) {

        unit_arena_reset();

        if (!scan(TURN("\"one\"", "\"two\""), &root)) {
            return;
        }

        memset(&t, 0, sizeof(ai_target_t));

        t.vendor = vendor("mistral");
        ai_str_set(&t.model, "m");

        ai_request_init(&req, &unit_arena);
        ai_report_init(&rep, &unit_arena);
        ai_buf_init(&out, &unit_arena, SIZE);

        unit.fail_after = n;

        rc = ai_wire_chat.parse_request(&req, &root, &rep);

        if (rc == AI_OK) {
            rc = ai_request_normalize(&req, &rep);
        }

        if (rc == AI_OK) {
            rc = ai_wire_chat.render_request(&req, &t, &out, &rep);
        }

        unit.fail_after = -1;

        if (rc == AI_OK) {
            break;
        }

        CHECK_INT(rc, AI_ERROR);
    }

    CHECK(n > 10 && n < 200);
}


int
main(void)
{
    UNIT_RUN(test_4_index_of_continuations);
    UNIT_RUN(test_4_parallel_calls_have_their_own_index);
    UNIT_RUN(test_5_role_chunk_once);
    UNIT_RUN(test_8_usage_counted_once);
    UNIT_RUN(test_9_usage_of_providers);
    UNIT_RUN(test_10_signature_is_told);
    UNIT_RUN(test_10_signature_comes_back);
    UNIT_RUN(test_11_errors_within_a_stream);
    UNIT_RUN(test_14_results_in_order);
    UNIT_RUN(test_16_mistral_ids);
    UNIT_RUN(test_18_unknown_events);
    UNIT_RUN(test_25_reasoning_only_chunks);
    UNIT_RUN(test_27_reasoning_content_of_vendors);
    UNIT_RUN(test_28_string_content);
    UNIT_RUN(test_29_odd_chunks);
    UNIT_RUN(test_document_of_an_answer);
    UNIT_RUN(test_functions);
    UNIT_RUN(test_parts);
    UNIT_RUN(test_members);
    UNIT_RUN(test_tools);
    UNIT_RUN(test_wrong_types);
    UNIT_RUN(test_no_memory);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_record.h"
#include "ai_text.h"
#include "ai_time.h"


/*
 * Bytes that a string may take between its quotes.  All of them together,
 * with the names of the members and the longest numbers, are less than 3 KB,
 * so that only attempts can be too many.
 */

#define AI_RECORD_WORD      48
#define AI_RECORD_ID        80
#define AI_RECORD_NAME      160
#define AI_RECORD_TOOLS     384
#define AI_RECORD_ROUTE     480


static void ai_record_who(ai_text_t *t, ai_record_t *rec);
static void ai_record_what(ai_text_t *t, ai_record_t *rec);
static void ai_record_tokens(ai_text_t *t, ai_record_t *rec);
static void ai_record_routes(ai_text_t *t, ai_record_t *rec);
static void ai_record_tries(ai_text_t *t, ai_record_t *rec);
static void ai_record_cause(ai_text_t *t, ai_attempt_doc_t *doc);


#define ai_record_str(t, name, value, max)                                   \
    ai_text_lit(t, ",\"" name "\":");                                        \
    ai_text_json(t, value, max)

#define ai_record_num(t, name, value)                                        \
    ai_text_lit(t, ",\"" name "\":");                                        \
    ai_text_uint(t, value)

#define ai_record_sec(t, name, value, decimals)                              \
    ai_text_lit(t, ",\"" name "\":");                                        \
    ai_text_seconds(t, value, decimals)


static ai_str_t  ai_outcome_names[] = {
    ai_string("none"),
    ai_string("ok"),
    ai_string("client_error"),
    ai_string("limited"),
    ai_string("denied"),
    ai_string("upstream_error"),
    ai_string("upstream_timeout"),
    ai_string("client_abort"),
    ai_string("truncated")
};


static ai_str_t  ai_usage_source_names[] = {
    ai_string("none"),
    ai_string("estimated"),
    ai_string("provider")
};


ai_str_t *
ai_outcome_name(ai_outcome_e outcome)
{
    if ((size_t) outcome
        >= sizeof(ai_outcome_names) / sizeof(ai_outcome_names[0]))
    {
        outcome = AI_OUTCOME_NONE;
    }

    return &ai_outcome_names[outcome];
}


ai_str_t *
ai_usage_source_name(ai_usage_source_e source)
{
    if ((size_t) source
        >= sizeof(ai_usage_source_names) / sizeof(ai_usage_source_names[0]))
    {
        source = AI_USAGE_NONE;
    }

    return &ai_usage_source_names[source];
}


u_char *
ai_record_render(u_char *dst, ai_record_t *rec)
{
    ai_text_t  t;

    t.pos = dst;
    t.last = dst + AI_RECORD_MAX - 1;
    t.full = 0;

    ai_record_who(&t, rec);
    ai_record_what(&t, rec);
    ai_record_routes(&t, rec);
    ai_record_num(&t, "attempts", rec->nattempts);
    ai_record_tokens(&t, rec);

    ai_record_num(&t, "request_bytes", rec->request_bytes);
    ai_record_num(&t, "response_bytes", rec->response_bytes);

    ai_record_sec(&t, "ttft_s", rec->ttft_us, 3);
    ai_record_sec(&t, "duration_s", (int64_t) rec->duration_us, 3);
    ai_record_sec(&t, "overhead_s", (int64_t) rec->overhead_us, 4);

    ai_record_str(&t, "finish", &rec->finish, AI_RECORD_WORD);
    ai_record_str(&t, "tools", &rec->tools, AI_RECORD_TOOLS);
    ai_record_str(&t, "dropped", &rec->dropped, AI_RECORD_TOOLS);

    ai_text_lit(&t, ",\"error\":\"");

    if (rec->error != AI_ERR_NONE) {
        ai_text_cstr(&t, ai_error_row(rec->error)->code);
    }

    ai_text_lit(&t, "\"");

    ai_record_tries(&t, rec);

    *t.pos++ = '}';

    return t.pos;
}


static void
ai_record_who(ai_text_t *t, ai_record_t *rec)
{
    u_char  time[AI_TIME_ISO_LEN];

    ai_time_iso(time, rec->time_ms);

    ai_text_lit(t, "{\"v\":");
    ai_text_uint(t, AI_RECORD_VERSION);

    ai_text_lit(t, ",\"time\":\"");
    ai_text_put(t, time, AI_TIME_ISO_LEN);
    ai_text_lit(t, "\"");

    ai_record_str(t, "id", &rec->id, AI_RECORD_ID);
    ai_record_str(t, "trace", &rec->trace, AI_RECORD_ID);
    ai_record_str(t, "remote", &rec->remote, AI_RECORD_ID);
    ai_record_num(t, "status", rec->status);
    ai_record_str(t, "outcome", ai_outcome_name(rec->outcome),
                  AI_RECORD_WORD);
    ai_record_str(t, "client", &rec->client, AI_RECORD_WORD);
    ai_record_num(t, "retry", rec->retry);
}


static void
ai_record_what(ai_text_t *t, ai_record_t *rec)
{
    ai_record_str(t, "dialect", &rec->dialect, AI_RECORD_WORD);
    ai_record_str(t, "op", &rec->op, AI_RECORD_WORD);

    ai_text_lit(t, ",\"stream\":");
    ai_text_cstr(t, rec->stream ? "true" : "false");

    ai_record_str(t, "model_requested", &rec->model_requested,
                  AI_RECORD_NAME);
    ai_record_str(t, "model", &rec->model, AI_RECORD_NAME);
    ai_record_str(t, "provider", &rec->provider, AI_RECORD_ID);
    ai_record_str(t, "model_upstream", &rec->model_upstream, AI_RECORD_NAME);
    ai_record_str(t, "model_response", &rec->model_response, AI_RECORD_NAME);
}


/* what is cached is part of what came in, as in OpenTelemetry */

static void
ai_record_tokens(ai_text_t *t, ai_record_t *rec)
{
    ai_text_lit(t, ",\"tokens\":{\"in\":");
    ai_text_uint(t, ai_usage_input(&rec->usage));

    ai_record_num(t, "cached", rec->usage.cached);
    ai_record_num(t, "cache_write", rec->usage.cache_write);
    ai_record_num(t, "out", rec->usage.output);
    ai_record_num(t, "reasoning", rec->usage.reasoning);
    ai_record_str(t, "source", ai_usage_source_name(rec->usage.source),
                  AI_RECORD_WORD);

    ai_text_lit(t, "}");
}


static void
ai_record_routes(ai_text_t *t, ai_record_t *rec)
{
    u_char      buf[AI_RECORD_ROUTE];
    ai_str_t    step;
    ai_uint_t   i;
    ai_text_t   list, one;

    /* the list has bounds of its own, for much comes after it */

    ai_text_lit(t, ",\"route\":[");

    list = *t;

    if (list.last - list.pos > AI_RECORD_ROUTE) {
        list.last = list.pos + AI_RECORD_ROUTE;
    }

    for (i = 0; i < rec->nattempts; i++) {

        one.pos = buf;
        one.last = buf + AI_RECORD_ROUTE;
        one.full = 0;

        ai_text_put(&one, rec->attempts[i].doc.provider.data,
                    rec->attempts[i].doc.provider.len);
        ai_record_cause(&one, &rec->attempts[i].doc);

        step.data = buf;
        step.len = one.pos - buf;

        if (i != 0) {
            ai_text_lit(&list, ",");
        }

        ai_text_json(&list, &step, AI_RECORD_ROUTE);

        if (one.full || list.full) {
            break;
        }

        t->pos = list.pos;
    }

    ai_text_lit(t, "]");
}


/* ":429", or ":upstream_reset" when there was no answer */

static void
ai_record_cause(ai_text_t *t, ai_attempt_doc_t *doc)
{
    ai_text_lit(t, ":");

    if (doc->status != 0) {
        ai_text_uint(t, doc->status);

    } else {
        ai_text_cstr(t, ai_error_row(doc->error)->code);
    }
}


static void
ai_record_tries(ai_text_t *t, ai_record_t *rec)
{
    ai_uint_t             i;
    ai_text_t             list;
    ai_record_attempt_t  *at;

    ai_text_lit(t, ",\"tries\":[");

    /* a place for the bracket that closes the list */

    list = *t;
    list.last--;

    for (i = 0; i < rec->nattempts; i++) {

        at = &rec->attempts[i];

        if (i != 0) {
            ai_text_lit(&list, ",");
        }

        ai_text_lit(&list, "{\"provider\":");
        ai_text_json(&list, &at->doc.provider, AI_RECORD_ID);
        ai_record_str(&list, "model", &at->model, AI_RECORD_NAME);
        ai_record_num(&list, "status", at->doc.status);

        ai_text_lit(&list, ",\"cause\":\"");
        ai_text_cstr(&list, ai_error_row(at->doc.error)->code);
        ai_text_lit(&list, "\"");

        ai_record_num(&list, "ms", at->duration_us / 1000);
        ai_text_lit(&list, "}");

        if (list.full) {
            break;
        }

        t->pos = list.pos;
    }

    ai_text_lit(t, "]");
}


u_char *
ai_record_route(u_char *dst, size_t size, ai_record_t *rec)
{
    ai_uint_t         i;
    ai_text_t         t;
    ai_attempt_doc_t  *doc;

    t.pos = dst;
    t.last = dst + size;
    t.full = 0;

    for (i = 0; i < rec->nattempts; i++) {

        doc = &rec->attempts[i].doc;

        if (i != 0) {
            ai_text_lit(&t, ">");
        }

        ai_text_put(&t, doc->provider.data, doc->provider.len);
        ai_record_cause(&t, doc);

        if (t.full) {
            break;
        }

        dst = t.pos;
    }

    return dst;
}


u_char *
ai_record_seconds(u_char *dst, int64_t us)
{
    ai_text_t  t;

    t.pos = dst;
    t.last = dst + AI_RECORD_SECONDS_LEN;
    t.full = 0;

    ai_text_seconds(&t, us, 3);

    return t.pos;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Members of requests to providers that are written, or left out, alike in
 * several dialects.
 */


#include "ai_hash.h"
#include "wire.h"


/* bytes of a user and the like, as OpenAI takes them */

#define AI_WIRE_SHORT  64


typedef enum {
    AI_LACK_NUMBER = 0,           /* 0 is what happens without it */
    AI_LACK_RAW,
    AI_LACK_TRUE,
    AI_LACK_FALSE,
    AI_LACK_STRING
} ai_lack_e;

typedef struct {
    ai_uint_t            bit;
    ai_lack_e            type;
    size_t               offset;       /* in ai_request_t */
    const char          *name;
} ai_lack_t;


#define ai_lack(bit, type, field, name)                                      \
    { bit, type, offsetof(ai_request_t, field), name }

static const ai_lack_t  ai_lacks[] = {
    ai_lack(AI_WIRE_PENALTIES, AI_LACK_NUMBER, presence_penalty,
            "presence_penalty"),
    ai_lack(AI_WIRE_PENALTIES, AI_LACK_NUMBER, frequency_penalty,
            "frequency_penalty"),
    ai_lack(AI_WIRE_SEED, AI_LACK_RAW, seed, "seed"),
    ai_lack(AI_WIRE_TOP_K, AI_LACK_RAW, top_k, "top_k"),
    ai_lack(AI_WIRE_PARALLEL, AI_LACK_FALSE, parallel,
            "parallel_tool_calls"),
    ai_lack(AI_WIRE_BIAS, AI_LACK_RAW, logit_bias, "logit_bias"),
    ai_lack(AI_WIRE_METADATA, AI_LACK_RAW, metadata, "metadata"),
    ai_lack(AI_WIRE_USER, AI_LACK_STRING, user, "user"),
    ai_lack(AI_WIRE_TIER, AI_LACK_STRING, service_tier, "service_tier"),
    ai_lack(AI_WIRE_VERBOSITY, AI_LACK_STRING, verbosity, "verbosity"),
    ai_lack(AI_WIRE_CACHE_KEY, AI_LACK_STRING, cache_key,
            "prompt_cache_key"),
    ai_lack(AI_WIRE_STORE, AI_LACK_TRUE, store, "store"),
    { 0, AI_LACK_RAW, 0, NULL }
};


void
ai_wire_lacks(const ai_request_t *req, ai_uint_t what, ai_report_t *rep)
{
    ai_uint_t         lost;
    const void       *field;
    const ai_lack_t  *lack;

    for (lack = ai_lacks; lack->name != NULL; lack++) {

        if (!(what & lack->bit)) {
            continue;
        }

        field = (const u_char *) req + lack->offset;

        switch (lack->type) {

        case AI_LACK_NUMBER:
            lost = (ai_wire_double(field) != 0);
            break;

        case AI_LACK_TRUE:
            lost = ai_str_eq((const ai_str_t *) field, "true");
            break;

        case AI_LACK_FALSE:
            lost = ai_str_eq((const ai_str_t *) field, "false");
            break;

        case AI_LACK_STRING:
            lost = !ai_mstr_empty((const ai_mstr_t *) field);
            break;

        default:
            lost = (((const ai_str_t *) field)->len != 0);
            break;
        }

        if (lost) {
            ai_report_drop(rep, lack->name);
        }
    }
}


ai_int_t
ai_wire_refuse_n(const ai_request_t *req, ai_report_t *rep)
{
    if (ai_wire_uint(&req->n) > 1) {
        return ai_report_refuse(rep, "n", "the provider of this model gives "
                                "one answer at a time, n must be 1");
    }

    return AI_OK;
}


ai_int_t
ai_wire_refuse_logprobs(const ai_request_t *req, ai_report_t *rep)
{
    if (ai_str_eq(&req->logprobs, "true")
        || ai_wire_uint(&req->top_logprobs) != 0)
    {
        return ai_report_refuse(rep, "logprobs", "the provider of this model "
                                "tells no log probabilities");
    }

    return AI_OK;
}


void
ai_wire_write_stops(ai_buf_t *out, const char *name, const ai_request_t *req,
    ai_uint_t max, ai_uint_t blank, ai_report_t *rep)
{
    ai_uint_t  i, n;

    n = 0;

    for (i = 0; i < req->nstop; i++) {

        if (blank && ai_mstr_empty(&req->stop[i])) {
            continue;
        }

        if (n == max || (!blank && ai_wire_blank(&req->stop[i]))) {
            ai_report_drop(rep, "stop");
            continue;
        }

        if (n++ == 0) {
            ai_buf_key(out, name);
            ai_buf_lit(out, "[");
        }

        ai_buf_comma(out);
        ai_buf_string(out, &req->stop[i]);
    }

    if (n != 0) {
        ai_buf_lit(out, "]");
    }
}


size_t
ai_wire_open(ai_buf_t *out, const char *name)
{
    size_t  mark;

    mark = ai_buf_len(out);

    ai_buf_key(out, name);
    ai_buf_lit(out, "{");

    return mark;
}


void
ai_wire_close(ai_buf_t *out, size_t mark)
{
    if (out->failed) {
        return;
    }

    if (out->pos[-1] == '{') {
        out->pos = out->start + mark;
        return;
    }

    ai_buf_lit(out, "}");
}


void
ai_wire_data_url(ai_buf_t *out, const ai_part_t *part, const char *type)
{
    ai_buf_lit(out, "\"data:");

    if (ai_mstr_empty(&part->media_type)) {
        ai_buf_cstr(out, type);

    } else {
        ai_buf_chars(out, &part->media_type);
    }

    ai_buf_lit(out, ";base64,");
    ai_buf_chars(out, &part->data);
    ai_buf_lit(out, "\"");
}


ai_effort_e
ai_wire_effort(const ai_request_t *req)
{
    if (req->effort != AI_EFFORT_UNSET || req->budget.len == 0) {
        return req->effort;
    }

    return ai_effort_budget(ai_wire_uint(&req->budget));
}


ai_uint_t
ai_wire_thinks(const ai_request_t *req)
{
    return req->effort != AI_EFFORT_UNSET || req->budget.len != 0
           || req->adaptive;
}


ai_int_t
ai_wire_write_short(ai_buf_t *out, const char *name, const ai_mstr_t *text,
    ai_alloc_t *a)
{
    ai_str_t  s;

    if (ai_mstr_empty(text)) {
        return AI_OK;
    }

    if (ai_mstr_decode(text, a, &s) != AI_OK) {
        return AI_ERROR;
    }

    if (s.len <= AI_WIRE_SHORT) {
        ai_buf_key_string(out, name, text);
        return AI_OK;
    }

    ai_buf_key(out, name);
    ai_buf_lit(out, "\"");
    ai_wire_hash(out, &s);
    ai_buf_lit(out, "\"");

    return AI_OK;
}


void
ai_wire_hash(ai_buf_t *b, const ai_str_t *s)
{
    size_t    i;
    u_char    hex[16];
    uint64_t  h;

    h = ai_hash(s->data, s->len);

    for (i = 0; i < sizeof(hex); i++) {
        hex[i] = (u_char) "0123456789abcdef"[(h >> (60 - 4 * i)) & 0xf];
    }

    ai_buf_put(b, hex, sizeof(hex));
}

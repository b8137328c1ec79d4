
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the tap should keep of an answer, found in another way: by walking a
 * tree of cJSON, without a thought for what is missing, odd or too large.
 */


#ifndef _TAP_ORACLE_H_INCLUDED_
#define _TAP_ORACLE_H_INCLUDED_


#include <cjson/cJSON.h>

#include "dialect.h"


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

    if (o->cached == 0) {
        o->cached = number(u, "num_cached_tokens");
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


#endif /* _TAP_ORACLE_H_INCLUDED_ */

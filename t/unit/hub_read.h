
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Answers as a client of each dialect reads them: streams by their grammar,
 * strictly, and documents.  Written from wire-formats.md, and of the code
 * under test nothing is used.
 */


#ifndef _HUB_READ_H_INCLUDED_
#define _HUB_READ_H_INCLUDED_


#include "hub_openai.h"


/* Anthropic */

/* a signature; of thoughts that nobody has signed there is none */

static inline const char *
hub_signed(const cJSON *v, const char *path)
{
    const char  *signature;

    signature = hub_text(v, path);

    return strcmp(signature, AI_STATE_UNSIGNED) == 0 ? "" : signature;
}


static inline void
hub_messages_usage(hub_read_t *r, const cJSON *u)
{
    if (hub_at(u, "input_tokens") != NULL) {
        r->in = hub_number(u, "input_tokens");
    }

    if (hub_at(u, "cache_read_input_tokens") != NULL) {
        r->cached = hub_number(u, "cache_read_input_tokens");
        r->written = hub_number(u, "cache_creation_input_tokens");
    }

    r->out = hub_number(u, "output_tokens");
    r->total = r->in + r->cached + r->written + r->out;
    r->usages++;
}


static inline void
hub_messages_block(hub_read_t *r, const cJSON *b, int whole)
{
    const char  *type;
    hub_call_t  *c;

    type = hub_text(b, "type");
    hub_set(r->kind, sizeof(r->kind), type);

    HUB_APPEND(r->text, hub_text(b, "text"));
    HUB_APPEND(r->thought, hub_text(b, "thinking"));
    HUB_APPEND(r->state, hub_text(b, "signature"));
    HUB_APPEND(r->state, hub_text(b, "data"));

    if (strcmp(type, "tool_use") == 0) {
        c = hub_call(r, hub_text(b, "id"), hub_text(b, "name"));

        if (!cJSON_IsObject(hub_at(b, "input"))) {
            hub_bad(r, "tool_use without an input object");
        }

        if (whole) {
            hub_object(c, hub_at(b, "input"));
        }
    }
}


static inline void
hub_messages_delta(hub_read_t *r, const cJSON *v)
{
    const char  *type;

    type = hub_text(v, "delta.type");

    if (hub_number(v, "index") != r->block) {
        hub_bad(r, "a delta of a block that is not open");
    }

    if ((strcmp(type, "text_delta") == 0) != (strcmp(r->kind, "text") == 0)
        || (strcmp(type, "input_json_delta") == 0)
           != (strcmp(r->kind, "tool_use") == 0))
    {
        hub_bad(r, "a delta of another type than its block");
    }

    HUB_APPEND(r->text, hub_text(v, "delta.text"));
    HUB_APPEND(r->thought, hub_text(v, "delta.thinking"));
    HUB_APPEND(r->state, hub_text(v, "delta.signature"));

    if (r->ncalls != 0) {
        HUB_APPEND(r->calls[r->ncalls - 1].args,
                   hub_text(v, "delta.partial_json"));
    }
}


static inline void
hub_messages_event(hub_read_t *r, const char *name, const cJSON *v)
{
    if (strcmp(name, hub_text(v, "type")) != 0) {
        hub_bad(r, "an event of another name than its type");
    }

    if (r->ends || r->errors) {
        hub_bad(r, "something after message_stop or error");
    }

    if (strcmp(name, "error") == 0) {
        hub_error(r, hub_text(v, "error.message"));

    } else if (strcmp(name, "message_start") == 0) {
        r->opens++;
        hub_messages_usage(r, hub_at(v, "message.usage"));
        r->early = r->in;
        r->usages = 0;

    } else if (strcmp(name, "content_block_start") == 0) {

        if (r->block != -1 || hub_number(v, "index") != r->next) {
            hub_bad(r, "blocks overlap, or are out of order");
        }

        r->block = r->next++;
        hub_messages_block(r, hub_at(v, "content_block"), 0);

    } else if (strcmp(name, "content_block_delta") == 0) {
        hub_messages_delta(r, v);

    } else if (strcmp(name, "content_block_stop") == 0) {

        if (hub_number(v, "index") != r->block) {
            hub_bad(r, "the stop of a block that is not open");
        }

        r->block = -1;

    } else if (strcmp(name, "message_delta") == 0) {
        hub_finish(r, hub_text(v, "delta.stop_reason"));
        hub_messages_usage(r, hub_at(v, "usage"));

    } else if (strcmp(name, "message_stop") == 0) {
        r->ends++;
    }
}


static inline void
hub_messages_document(hub_read_t *r, const cJSON *v)
{
    const cJSON  *b;

    r->opens = strcmp(hub_text(v, "role"), "assistant") == 0;

    cJSON_ArrayForEach(b, hub_at(v, "content")) {
        hub_messages_block(r, b, 1);
    }

    hub_finish(r, hub_text(v, "stop_reason"));
    hub_messages_usage(r, hub_at(v, "usage"));
}


/* Gemini: each event is a document */

static inline void
hub_generate_document(hub_read_t *r, const cJSON *v)
{
    const cJSON  *part, *u;
    hub_call_t   *c;

    if (hub_at(v, "error") != NULL) {
        hub_error(r, hub_text(v, "error.message"));
        return;
    }

    r->opens = 1;

    cJSON_ArrayForEach(part, hub_at(v, "candidates.0.content.parts")) {

        if (cJSON_IsTrue(hub_at(part, "thought"))) {
            HUB_APPEND(r->thought, hub_text(part, "text"));

        } else {
            HUB_APPEND(r->text, hub_text(part, "text"));
        }

        if (hub_at(part, "functionCall") != NULL) {
            c = hub_call(r, hub_text(part, "functionCall.id"),
                         hub_text(part, "functionCall.name"));
            hub_object(c, hub_at(part, "functionCall.args"));
            HUB_APPEND(c->state, hub_text(part, "thoughtSignature"));

        } else {
            HUB_APPEND(r->state, hub_text(part, "thoughtSignature"));
        }
    }

    if (hub_at(v, "candidates.0.finishReason") != NULL) {
        hub_finish(r, hub_text(v, "candidates.0.finishReason"));
        r->ends++;
    }

    u = hub_at(v, "usageMetadata");

    if (cJSON_IsObject(u)) {
        r->usages++;
        r->in = hub_number(u, "promptTokenCount");
        r->cached = hub_number(u, "cachedContentTokenCount");
        r->reasoning = hub_number(u, "thoughtsTokenCount");
        r->out = hub_number(u, "candidatesTokenCount") + r->reasoning;
        r->total = hub_number(u, "totalTokenCount");
    }
}


/* Cohere: what are arrays in a document are objects in events */

static inline void
hub_cohere_usage(hub_read_t *r, const cJSON *u)
{
    if (cJSON_IsObject(u)) {
        r->usages++;
        r->in = hub_number(u, "tokens.input_tokens");
        r->out = hub_number(u, "tokens.output_tokens");
        r->total = r->in + r->out;
    }
}


static inline void
hub_cohere_event(hub_read_t *r, const char *name, const cJSON *v)
{
    const cJSON  *call;

    if (strcmp(name, hub_text(v, "type")) != 0) {
        hub_bad(r, "an event of another name than its type");
    }

    call = hub_at(v, "delta.message.tool_calls");

    HUB_APPEND(r->text, hub_text(v, "delta.message.content.text"));
    HUB_APPEND(r->thought, hub_text(v, "delta.message.content.thinking"));

    if (strcmp(name, "message-start") == 0) {
        r->opens++;

    } else if (strcmp(name, "tool-call-start") == 0) {
        hub_call(r, hub_text(call, "id"), hub_text(call, "function.name"));
        HUB_APPEND(r->calls[r->ncalls - 1].args,
                   hub_text(call, "function.arguments"));

    } else if (strcmp(name, "tool-call-delta") == 0 && r->ncalls != 0) {
        HUB_APPEND(r->calls[r->ncalls - 1].args,
                   hub_text(call, "function.arguments"));

    } else if (strcmp(name, "message-end") == 0) {

        if (strcmp(hub_text(v, "delta.finish_reason"), "ERROR") == 0) {
            hub_error(r, hub_text(v, "delta.error"));
            return;
        }

        hub_finish(r, hub_text(v, "delta.finish_reason"));
        hub_cohere_usage(r, hub_at(v, "delta.usage"));
    }
}


static inline void
hub_cohere_document(hub_read_t *r, const cJSON *v)
{
    hub_call_t   *c;
    const cJSON  *e;

    r->opens = strcmp(hub_text(v, "message.role"), "assistant") == 0;

    cJSON_ArrayForEach(e, hub_at(v, "message.content")) {
        HUB_APPEND(r->text, hub_text(e, "text"));
        HUB_APPEND(r->thought, hub_text(e, "thinking"));
    }

    cJSON_ArrayForEach(e, hub_at(v, "message.tool_calls")) {
        c = hub_call(r, hub_text(e, "id"), hub_text(e, "function.name"));
        HUB_APPEND(c->args, hub_text(e, "function.arguments"));
    }

    hub_finish(r, hub_text(v, "finish_reason"));
    hub_cohere_usage(r, hub_at(v, "usage"));
}


/* Bedrock Converse */

static inline void
hub_converse_usage(hub_read_t *r, const cJSON *u)
{
    r->usages++;
    r->in = hub_number(u, "inputTokens");
    r->cached = hub_number(u, "cacheReadInputTokens");
    r->written = hub_number(u, "cacheWriteInputTokens");
    r->out = hub_number(u, "outputTokens");
    r->total = hub_number(u, "totalTokens");
}


static inline void
hub_converse_event(hub_read_t *r, const char *name, const cJSON *v)
{
    const cJSON  *delta;

    delta = hub_at(v, "delta");

    if (strstr(name, "xception") != NULL) {
        hub_error(r, hub_text(v, "message"));

    } else if (strcmp(name, "messageStart") == 0) {
        r->opens++;

    } else if (strcmp(name, "contentBlockStart") == 0) {
        hub_call(r, hub_text(v, "start.toolUse.toolUseId"),
                 hub_text(v, "start.toolUse.name"));

    } else if (strcmp(name, "contentBlockDelta") == 0) {
        HUB_APPEND(r->text, hub_text(delta, "text"));
        HUB_APPEND(r->thought, hub_text(delta, "reasoningContent.text"));
        HUB_APPEND(r->state, hub_signed(delta, "reasoningContent.signature"));
        HUB_APPEND(r->state,
                   hub_text(delta, "reasoningContent.redactedContent"));

        if (hub_at(delta, "toolUse") != NULL && r->ncalls != 0) {
            HUB_APPEND(r->calls[r->ncalls - 1].args,
                       hub_text(delta, "toolUse.input"));
        }

    } else if (strcmp(name, "messageStop") == 0) {
        hub_finish(r, hub_text(v, "stopReason"));

    } else if (strcmp(name, "metadata") == 0) {
        hub_converse_usage(r, hub_at(v, "usage"));
        r->ends++;
    }
}


static inline void
hub_converse_document(hub_read_t *r, const cJSON *v)
{
    hub_call_t   *c;
    const cJSON  *b;

    r->opens = strcmp(hub_text(v, "output.message.role"), "assistant") == 0;

    cJSON_ArrayForEach(b, hub_at(v, "output.message.content")) {
        HUB_APPEND(r->text, hub_text(b, "text"));
        HUB_APPEND(r->thought,
                   hub_text(b, "reasoningContent.reasoningText.text"));
        HUB_APPEND(r->state,
                   hub_signed(b, "reasoningContent.reasoningText.signature"));
        HUB_APPEND(r->state, hub_text(b, "reasoningContent.redactedContent"));

        if (hub_at(b, "toolUse") != NULL) {
            c = hub_call(r, hub_text(b, "toolUse.toolUseId"),
                         hub_text(b, "toolUse.name"));
            hub_object(c, hub_at(b, "toolUse.input"));
        }
    }

    hub_finish(r, hub_text(v, "stopReason"));
    hub_converse_usage(r, hub_at(v, "usage"));
}


static inline void
hub_read_event(hub_read_t *r, ai_op_e client, const char *name,
    const char *data, size_t len)
{
    cJSON  *v;

    if (r->ends && client != AI_OP_COHERE_CHAT) {
        hub_bad(r, "something after the end");
    }

    if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
        r->ends++;
        return;
    }

    v = cJSON_ParseWithLength(data, len);

    if (v == NULL) {
        hub_bad(r, "data that is no JSON");
        return;
    }

    switch (client) {

    case AI_OP_CHAT:
        hub_chat_event(r, name, v);
        break;

    case AI_OP_RESPONSES:
        hub_responses_event(r, name, v);
        break;

    case AI_OP_MESSAGES:
        hub_messages_event(r, name, v);
        break;

    case AI_OP_STREAM_GENERATE:
        hub_generate_document(r, v);
        break;

    case AI_OP_COHERE_CHAT:
        hub_cohere_event(r, name, v);
        break;

    default:
        hub_converse_event(r, name, v);
    }

    cJSON_Delete(v);
}


/* LF or CRLF, one line of data each, as encoders here write them */

static inline void
hub_read_sse(hub_read_t *r, ai_op_e client)
{
    char    name[64];
    char   *p, *eol, *last, *data;
    size_t  len;

    name[0] = '\0';
    data = NULL;
    len = 0;
    last = hub.out + hub.len;

    for (p = hub.out; p < last; p = eol + 1) {

        eol = memchr(p, '\n', (size_t) (last - p));

        if (eol == NULL) {
            hub_bad(r, "the last line has no end");
            return;
        }

        if (eol > p && eol[-1] == '\r') {
            eol[-1] = ' ';
        }

        if (eol == p || (eol == p + 1 && *p == ' ')) {
            if (data != NULL) {
                hub_read_event(r, client, name, data, len);
            }

            name[0] = '\0';
            data = NULL;

        } else if (strncmp(p, "event: ", 7) == 0) {
            snprintf(name, sizeof(name), "%.*s", (int) (eol - p - 7), p + 7);

        } else if (strncmp(p, "data: ", 6) == 0 && data == NULL) {
            data = p + 6;
            len = (size_t) (eol - data);

        } else if (*p != ':') {
            hub_bad(r, "a line that is no field");
        }
    }

    if (data != NULL) {
        hub_bad(r, "the last event has no end");
    }
}


static inline uint32_t
hub_uint(const u_char *p)
{
    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}


static inline void
hub_read_aws(hub_read_t *r)
{
    char     name[64];
    u_char  *p, *h, *last;
    size_t   total, headers, n, m;

    last = (u_char *) hub.out + hub.len;

    for (p = (u_char *) hub.out; p < last; p += total) {
        total = last - p >= 16 ? hub_uint(p) : 0;

        if (total < 16 || total > (size_t) (last - p)
            || hub_uint(p + 8) != crc32(0, p, 8)
            || hub_uint(p + total - 4) != crc32(0, p, total - 4))
        {
            hub_bad(r, "a broken frame");
            return;
        }

        headers = hub_uint(p + 4);
        name[0] = '\0';

        for (h = p + 12; h < p + 12 + headers; h += m) {
            n = h[0];
            m = 1 + n + 3 + ((size_t) h[n + 2] << 8 | h[n + 3]);

            if ((n == 11 && memcmp(h + 1, ":event-type", n) == 0)
                || (n == 15 && memcmp(h + 1, ":exception-type", n) == 0))
            {
                snprintf(name, sizeof(name), "%.*s", (int) (m - n - 4),
                         h + n + 4);
            }
        }

        hub_read_event(r, AI_OP_CONVERSE_STREAM, name, (char *) h,
                       total - headers - 16);
    }
}


/* hub.out, that a client of op got as a stream */

static inline void
hub_read(hub_read_t *r, ai_op_e client)
{
    memset(r, 0, sizeof(hub_read_t));
    r->block = -1;

    if (client == AI_OP_CONVERSE_STREAM) {
        hub_read_aws(r);

    } else {
        hub_read_sse(r, client);
    }

    if (r->block != -1 && r->errors == 0) {
        hub_bad(r, "a block is open at the end");
    }
}


/* or as a document */

static inline void
hub_read_document(hub_read_t *r, ai_op_e client)
{
    cJSON  *v;

    memset(r, 0, sizeof(hub_read_t));

    v = cJSON_ParseWithLength(hub.out, hub.len);

    if (v == NULL) {
        hub_bad(r, "no JSON");
        return;
    }

    switch (client) {

    case AI_OP_CHAT:
        hub_chat_document(r, v);
        break;

    case AI_OP_RESPONSES:
        hub_responses_document(r, v);
        break;

    case AI_OP_MESSAGES:
        hub_messages_document(r, v);
        break;

    case AI_OP_GENERATE:
        hub_generate_document(r, v);
        break;

    case AI_OP_COHERE_CHAT:
        hub_cohere_document(r, v);
        break;

    default:
        hub_converse_document(r, v);
    }

    cJSON_Delete(v);
}


/* a play of each provider for each client, and what the client reads */

typedef void (*each_pt)(ai_op_e from, ai_op_e to, hub_read_t *r);

static inline void
each(const hub_event_t *const *plays, each_pt check)
{
    unsigned     i, k;
    hub_read_t   r;

    for (i = 0; hub_providers[i] != AI_OP_NONE; i++) {

        for (k = 0; plays[i] != NULL && hub_clients[k] != AI_OP_NONE; k++) {

            hub_stream(hub_providers[i], NULL, plays[i], hub_clients[k]);
            hub_read(&r, hub_clients[k]);
            check(hub_providers[i], hub_clients[k], &r);
        }
    }
}


static inline void
must_be_whole(ai_op_e from, ai_op_e to, hub_read_t *r)
{
    must(r->bad == NULL, r->bad ? r->bad : "", from, to);
    must(hub.last == AI_EVENT_END, "the stream did not end", from, to);
    must(r->opens == 1 && r->finishes == 1 && r->ends == 1 && r->errors == 0,
         "not one beginning, finish and end", from, to);
}


/* the word of a client's dialect, of the list in their order */

static inline int
finish_is(ai_op_e client, hub_read_t *r, const char *chat,
    const char *responses, const char *messages, const char *generate,
    const char *cohere, const char *converse)
{
    const char  *want;

    want = client == AI_OP_CHAT ? chat
           : client == AI_OP_RESPONSES ? responses
           : client == AI_OP_MESSAGES ? messages
           : client == AI_OP_STREAM_GENERATE ? generate
           : client == AI_OP_COHERE_CHAT ? cohere : converse;

    return strcmp(r->finish, want) == 0;
}


#endif /* _HUB_READ_H_INCLUDED_ */

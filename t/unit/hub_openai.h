
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Answers as clients of OpenAI's two dialects read them, for hub_read.h.
 */


#ifndef _HUB_OPENAI_H_INCLUDED_
#define _HUB_OPENAI_H_INCLUDED_


#include "hub.h"


#define HUB_CALLS  16

typedef struct {
    char         id[256];
    char         name[128];
    char         args[4096];
    char         state[1024];
    int          open;
} hub_call_t;

typedef struct {
    char         text[8192];
    char         thought[4096];
    char         state[2048];          /* in the slot that clients echo */
    char         state_id[128];
    hub_call_t   calls[HUB_CALLS];
    int          ncalls;
    char         finish[64];
    char         error[512];
    int          opens;                /* of a stream, or of an assistant */
    int          finishes;
    int          ends;
    int          errors;
    int          usages;
    long         in;                   /* as the dialect counts it */
    long         cached;
    long         written;
    long         out;
    long         reasoning;
    long         total;
    long         early;                /* input told at the beginning */
    int          block;                /* the open one, or -1 */
    int          next;                 /* index, sequence number */
    char         kind[32];             /* of the open block */
    size_t       told;                 /* bytes of deltas, of Responses */
    const char  *bad;                  /* what breaks the grammar */
} hub_read_t;


#define HUB_APPEND(to, from)  hub_append(to, sizeof(to), from)

static inline void
hub_append(char *to, size_t size, const char *from)
{
    size_t  len;

    len = strlen(to);
    snprintf(to + len, size - len, "%s", from);
}


static inline void
hub_set(char *to, size_t size, const char *from)
{
    to[0] = '\0';
    hub_append(to, size, from);
}


static inline void
hub_bad(hub_read_t *r, const char *what)
{
    if (r->bad == NULL) {
        r->bad = what;
    }
}


static inline long
hub_number(const cJSON *v, const char *path)
{
    v = hub_at(v, path);

    return cJSON_IsNumber(v) ? (long) v->valuedouble : 0;
}


static inline hub_call_t *
hub_call(hub_read_t *r, const char *id, const char *name)
{
    hub_call_t  *c;

    if (r->ncalls == HUB_CALLS) {
        hub_bad(r, "too many calls");
        return &r->calls[0];
    }

    c = &r->calls[r->ncalls++];
    hub_set(c->id, sizeof(c->id), id);
    hub_set(c->name, sizeof(c->name), name);

    return c;
}


static inline void
hub_object(hub_call_t *c, const cJSON *v)
{
    char  *s;

    s = v ? cJSON_PrintUnformatted(v) : NULL;
    hub_set(c->args, sizeof(c->args), s ? s : "");
    free(s);
}


static inline void
hub_finish(hub_read_t *r, const char *finish)
{
    hub_set(r->finish, sizeof(r->finish), finish);
    r->finishes++;
}


static inline void
hub_error(hub_read_t *r, const char *message)
{
    hub_set(r->error, sizeof(r->error), message);
    r->errors++;
}


/* chat/completions: of "delta" and of "message" */

static inline void
hub_chat_thoughts(hub_read_t *r, const cJSON *m)
{
    const cJSON  *e;

    HUB_APPEND(r->thought, hub_text(m, "reasoning_content"));

    cJSON_ArrayForEach(e, hub_at(m, "reasoning_details")) {
        HUB_APPEND(r->state, hub_text(e, "signature"));
        HUB_APPEND(r->state, hub_text(e, "data"));
        HUB_APPEND(r->state_id, hub_text(e, "id"));
    }
}


static inline void
hub_chat_usage(hub_read_t *r, const cJSON *u)
{
    if (!cJSON_IsObject(u)) {
        return;
    }

    r->usages++;
    r->in = hub_number(u, "prompt_tokens");
    r->cached = hub_number(u, "prompt_tokens_details.cached_tokens");
    r->out = hub_number(u, "completion_tokens");
    r->reasoning = hub_number(u, "completion_tokens_details.reasoning_tokens");
    r->total = hub_number(u, "total_tokens");
}


static inline void
hub_chat_call(hub_read_t *r, const cJSON *v)
{
    int          n;
    hub_call_t  *c;

    if (!cJSON_IsNumber(hub_at(v, "index"))) {
        hub_bad(r, "a call without an index");
        return;
    }

    n = (int) hub_number(v, "index");

    if (n == r->ncalls) {
        if (hub_text(v, "id")[0] == '\0'
            || strcmp(hub_text(v, "type"), "function") != 0
            || hub_text(v, "function.name")[0] == '\0')
        {
            hub_bad(r, "a call that begins without id, type or name");
        }

        c = hub_call(r, hub_text(v, "id"), hub_text(v, "function.name"));
        hub_set(c->state, sizeof(c->state),
                hub_text(v, "extra_content.google.thought_signature"));

    } else if (n != r->ncalls - 1) {
        hub_bad(r, "an index out of order");
        return;

    } else if (hub_at(v, "id") != NULL || hub_at(v, "function.name") != NULL) {
        hub_bad(r, "an id or a name told again");
    }

    HUB_APPEND(r->calls[n].args, hub_text(v, "function.arguments"));
}


static inline void
hub_chat_event(hub_read_t *r, const char *name, const cJSON *v)
{
    const cJSON  *delta, *call;

    if (name[0] != '\0') {
        hub_bad(r, "an event with a name");
    }

    if (hub_at(v, "error") != NULL) {
        hub_error(r, hub_text(v, "error.message"));
        return;
    }

    hub_chat_usage(r, hub_at(v, "usage"));

    delta = hub_at(v, "choices.0.delta");

    if (delta == NULL) {
        return;
    }

    if (r->finishes) {
        hub_bad(r, "a delta after the finish");
    }

    if (hub_at(delta, "role") != NULL) {
        r->opens++;

    } else if (r->opens == 0) {
        hub_bad(r, "the first chunk has no role");
    }

    HUB_APPEND(r->text, hub_text(delta, "content"));
    hub_chat_thoughts(r, delta);

    cJSON_ArrayForEach(call, hub_at(delta, "tool_calls")) {
        hub_chat_call(r, call);
    }

    if (cJSON_IsString(hub_at(v, "choices.0.finish_reason"))) {
        hub_finish(r, hub_text(v, "choices.0.finish_reason"));
    }
}


static inline void
hub_chat_document(hub_read_t *r, const cJSON *v)
{
    hub_call_t   *c;
    const cJSON  *m, *call;

    m = hub_at(v, "choices.0.message");
    r->opens = strcmp(hub_text(m, "role"), "assistant") == 0;
    HUB_APPEND(r->text, hub_text(m, "content"));
    hub_chat_thoughts(r, m);

    cJSON_ArrayForEach(call, hub_at(m, "tool_calls")) {
        c = hub_call(r, hub_text(call, "id"), hub_text(call, "function.name"));
        HUB_APPEND(c->args, hub_text(call, "function.arguments"));
        HUB_APPEND(c->state,
                   hub_text(call, "extra_content.google.thought_signature"));
    }

    hub_finish(r, hub_text(v, "choices.0.finish_reason"));
    hub_chat_usage(r, hub_at(v, "usage"));
}


/* Responses: the object at the end has all of it */

static inline void
hub_responses_item(hub_read_t *r, const cJSON *item)
{
    const cJSON  *part;
    hub_call_t   *c;
    const char   *type;

    type = hub_text(item, "type");

    if (hub_text(item, "id")[0] == '\0'
        || (hub_text(item, "status")[0] == '\0'
            && strcmp(type, "reasoning") != 0))
    {
        hub_bad(r, "an item without id or status");
    }

    if (strcmp(type, "function_call") == 0) {
        c = hub_call(r, hub_text(item, "call_id"), hub_text(item, "name"));
        HUB_APPEND(c->args, hub_text(item, "arguments"));
    }

    if (strcmp(type, "message") == 0) {

        cJSON_ArrayForEach(part, hub_at(item, "content")) {
            HUB_APPEND(r->text, hub_text(part, "text"));
        }
    }

    if (strcmp(type, "reasoning") == 0) {
        HUB_APPEND(r->state, hub_text(item, "encrypted_content"));
        HUB_APPEND(r->state_id, hub_text(item, "id"));

        cJSON_ArrayForEach(part, hub_at(item, "summary")) {
            HUB_APPEND(r->thought, hub_text(part, "text"));
        }
    }
}


static inline void
hub_responses_document(hub_read_t *r, const cJSON *v)
{
    size_t        i;
    const cJSON  *item, *u;

    static const char  *const names[] = {
        "output", "error", "incomplete_details", "status", "created_at",
        "model", "parallel_tool_calls", "tool_choice", "tools", "text", "id"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (hub_at(v, names[i]) == NULL) {
            hub_bad(r, names[i]);
        }
    }

    r->opens = 1;

    cJSON_ArrayForEach(item, hub_at(v, "output")) {
        hub_responses_item(r, item);
    }

    hub_finish(r, hub_text(v, "incomplete_details.reason")[0]
                  ? hub_text(v, "incomplete_details.reason")
                  : r->ncalls ? "tool_calls" : hub_text(v, "status"));

    u = hub_at(v, "usage");

    if (cJSON_IsObject(u)) {
        r->usages++;
        r->in = hub_number(u, "input_tokens");
        r->cached = hub_number(u, "input_tokens_details.cached_tokens");
        r->out = hub_number(u, "output_tokens");
        r->reasoning = hub_number(u, "output_tokens_details.reasoning_tokens");
        r->total = hub_number(u, "total_tokens");
    }
}


static inline void
hub_responses_added(hub_read_t *r, const cJSON *v)
{
    const cJSON  *item;

    item = hub_at(v, "item");

    if (r->block != -1 || hub_number(v, "output_index") != r->early) {
        hub_bad(r, "items overlap, or have no index of their own");
    }

    if (hub_at(item, "id") == NULL) {
        hub_bad(r, "an item without an id");
    }

    if (strcmp(hub_text(item, "type"), "message") == 0
        && !cJSON_IsArray(hub_at(item, "content")))
    {
        hub_bad(r, "a message without content[]");
    }

    r->block = (int) r->early++;
}


static inline void
hub_responses_event(hub_read_t *r, const char *name, const cJSON *v)
{
    int          i;
    size_t       n;
    const char  *type;
    hub_read_t   end;

    type = hub_text(v, "type");

    if (strcmp(name, type) != 0) {
        hub_bad(r, "an event of another name than its type");
    }

    if (!cJSON_IsNumber(hub_at(v, "sequence_number"))
        || hub_number(v, "sequence_number") != r->next++)
    {
        hub_bad(r, "a gap in sequence_number");
    }

    if (strcmp(type, "response.created") == 0) {
        r->opens++;

    } else if (strcmp(type, "response.output_item.added") == 0) {
        hub_responses_added(r, v);

    } else if (strcmp(type, "response.output_item.done") == 0) {
        r->block = -1;
        hub_responses_item(r, hub_at(v, "item"));

    } else if (strcmp(type, "response.output_text.delta") == 0
               || strcmp(type, "response.reasoning_summary_text.delta") == 0
               || strcmp(type, "response.function_call_arguments.delta") == 0)
    {
        r->told += strlen(hub_text(v, "delta"));

    } else if (strcmp(type, "response.failed") == 0) {
        hub_error(r, hub_text(v, "response.error.message"));

    } else if (strcmp(type, "response.completed") == 0
               || strcmp(type, "response.incomplete") == 0)
    {
        memset(&end, 0, sizeof(hub_read_t));
        hub_responses_document(&end, hub_at(v, "response"));

        if (strcmp(end.text, r->text) != 0 || end.ncalls != r->ncalls) {
            hub_bad(r, "the end does not repeat the items");
        }

        n = strlen(end.text) + strlen(end.thought);

        for (i = 0; i < end.ncalls; i++) {
            n += strlen(end.calls[i].args);
        }

        if (n != r->told) {
            hub_bad(r, "the deltas are not what the items say");
        }

        end.ends = 1;
        end.early = r->early;
        end.bad = r->bad ? r->bad : end.bad;
        end.block = r->block;
        *r = end;
    }
}


#endif /* _HUB_OPENAI_H_INCLUDED_ */

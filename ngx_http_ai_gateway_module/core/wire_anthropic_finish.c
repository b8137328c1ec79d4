
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Why a provider that speaks Anthropic Messages stopped, and what it counted.
 */


#include "dialect.h"
#include "wire_anthropic.h"


typedef struct {
    const char   *name;
    ai_finish_e   finish;
} ai_anthropic_reason_t;

static const ai_anthropic_reason_t  ai_anthropic_reasons[] = {

    { "end_turn", AI_FINISH_STOP },
    { "stop_sequence", AI_FINISH_SEQUENCE },
    { "max_tokens", AI_FINISH_LENGTH },
    { "model_context_window_exceeded", AI_FINISH_CONTEXT },
    { "tool_use", AI_FINISH_TOOLS },
    { "refusal", AI_FINISH_FILTER },
    { "pause_turn", AI_FINISH_PAUSE },

    { NULL, AI_FINISH_STOP }
};


/* why it stopped: the delta of message_delta, or an answer */

ai_int_t
ai_anthropic_stopped(ai_decode_t *d, const ai_json_t *v)
{
    ai_int_t                      rc;
    ai_json_t                     m[3], why;
    ai_delta_t                    delta;
    ai_anthropic_decode_t        *s;
    const ai_anthropic_reason_t  *r;

    static const ai_str_t  names[] = {
        ai_string("stop_reason"), ai_string("stop_sequence"),
        ai_string("stop_details")
    };

    s = d->state;

    ai_wire_members(v, names, 3, m);

    ai_delta_init(&delta, AI_DELTA_FINISH);

    delta.native = ai_mstr(&m[0]);

    if (ai_mstr_empty(&delta.native)) {
        return AI_OK;
    }

    for (r = ai_anthropic_reasons; r->name != NULL; r++) {
        if (ai_mstr_eq(&delta.native, r->name)) {
            break;
        }
    }

    if (r->name == NULL) {
        d->unknown++;
    }

    delta.finish = r->finish;

    if (delta.finish == AI_FINISH_TOOLS && s->answer && s->ncalls == 0) {
        delta.finish = AI_FINISH_STOP;
    }

    if (delta.finish == AI_FINISH_SEQUENCE) {
        delta.text = ai_mstr(&m[1]);
    }

    /* where nothing was said, the reason is */

    if (delta.finish == AI_FINISH_FILTER && s->chars == 0 && s->ncalls == 0
        && m[2].type == AI_JSON_OBJECT
        && ai_json_get(&m[2], "explanation", &why) == AI_OK)
    {
        rc = ai_emit_text(d, AI_DELTA_REFUSAL, 0, &why);
        if (rc != AI_OK) {
            return rc;
        }
    }

    return d->emit(d->data, &delta);
}


ai_int_t
ai_anthropic_emit_usage(ai_decode_t *d, const ai_json_t *v,
    ai_usage_source_e source)
{
    ai_delta_t              delta;
    ai_usage_t             *u;
    ai_anthropic_decode_t  *s;

    s = d->state;
    u = &s->usage;

    if (!ai_anthropic_usage(v, u)) {
        return AI_OK;
    }

    if (u->source != AI_USAGE_PROVIDER) {
        u->source = source;
    }

    ai_delta_init(&delta, AI_DELTA_USAGE);

    delta.usage = *u;

    return d->emit(d->data, &delta);
}

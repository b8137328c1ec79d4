
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "wire_cohere.h"


typedef struct {
    const char   *name;
    ai_finish_e   finish;
} ai_cohere_finish_t;


/* the first row of a finish is what clients are told */

static const ai_cohere_finish_t  ai_cohere_finishes[] = {

    { "COMPLETE", AI_FINISH_STOP },
    { "STOP_SEQUENCE", AI_FINISH_SEQUENCE },
    { "MAX_TOKENS", AI_FINISH_LENGTH },
    { "TOOL_CALL", AI_FINISH_TOOLS },
    { "ERROR", AI_FINISH_BROKEN },
    { "TIMEOUT", AI_FINISH_BROKEN },

    /* v1, and of providers that speak for Cohere */

    { "ERROR_TOXIC", AI_FINISH_FILTER },
    { "ERROR_LIMIT", AI_FINISH_CONTEXT },
    { "USER_CANCEL", AI_FINISH_STOP },

    { NULL, AI_FINISH_STOP }
};


const ai_wire_t  ai_wire_cohere = {
    "text/event-stream",
    ai_cohere_parse_request,
    ai_cohere_render_request,
    ai_cohere_parse_event,
    ai_cohere_parse_end,
    ai_cohere_parse_response,
    ai_cohere_render_event,
    ai_cohere_render_response,
    ai_cohere_render_error,
    sizeof(ai_cohere_decode_t),
    sizeof(ai_cohere_encode_t)
};


ai_finish_e
ai_cohere_finish(const ai_json_t *v)
{
    const ai_cohere_finish_t  *row;

    for (row = ai_cohere_finishes; row->name != NULL; row++) {
        if (ai_json_str_eq(v, row->name, strlen(row->name))) {
            break;
        }
    }

    return row->finish;
}


/*
 * Clients know six reasons.  An answer that was filtered is not complete, and
 * a full context has no reason of its own but the limit it ran into.
 */

const char *
ai_cohere_finish_name(ai_finish_e finish)
{
    const ai_cohere_finish_t  *row;

    switch (finish) {

    case AI_FINISH_CONTEXT:
        finish = AI_FINISH_LENGTH;
        break;

    case AI_FINISH_FILTER:
        finish = AI_FINISH_BROKEN;
        break;

    case AI_FINISH_NONE:
    case AI_FINISH_PAUSE:
        finish = AI_FINISH_STOP;
        break;

    default:
        break;
    }

    for (row = ai_cohere_finishes; row->name != NULL; row++) {
        if (row->finish == finish) {
            return row->name;
        }
    }

    return ai_cohere_finishes[0].name;
}

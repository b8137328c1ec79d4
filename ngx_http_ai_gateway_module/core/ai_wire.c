
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_wire.h"


/* which wire an operation goes over, by operation */

typedef struct {
    ai_op_e           op;
    const ai_wire_t  *wire;
} ai_wire_row_t;


static const ai_wire_row_t  ai_wires[] = {
    { AI_OP_CHAT, &ai_wire_chat },
    { AI_OP_RESPONSES, &ai_wire_responses },
    { AI_OP_MESSAGES, &ai_wire_anthropic },
    { AI_OP_COUNT_TOKENS, &ai_wire_anthropic },
    { AI_OP_GENERATE, &ai_wire_gemini },
    { AI_OP_STREAM_GENERATE, &ai_wire_gemini },
    { AI_OP_GEMINI_COUNT_TOKENS, &ai_wire_gemini },
    { AI_OP_COHERE_CHAT, &ai_wire_cohere },
    { AI_OP_CONVERSE, &ai_wire_converse },
    { AI_OP_CONVERSE_STREAM, &ai_wire_converse },
    { AI_OP_OLLAMA_CHAT, &ai_wire_ollama },
    { AI_OP_NONE, NULL }
};


const ai_wire_t *
ai_wire(ai_op_e op)
{
    const ai_wire_row_t  *row;

    for (row = ai_wires; row->wire != NULL; row++) {
        if (row->op == op) {
            return row->wire;
        }
    }

    return NULL;
}

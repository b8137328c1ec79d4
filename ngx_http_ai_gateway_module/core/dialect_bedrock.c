
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The dialect of AWS Bedrock: Converse, as JSON and as an event stream.
 */


#include "ai_translate.h"
#include "dialect.h"
#include "wire_converse.h"


#define AI_BEDROCK_EXCEPTION  65536    /* bytes of one in a stream */


static const char *ai_bedrock_terminator(ai_op_e op);
static ai_int_t ai_bedrock_error(ai_error_doc_t *doc, ai_alloc_t *a,
    ai_str_t *out);
static ai_int_t ai_bedrock_error_event(ai_error_doc_t *doc, ai_op_e op,
    ai_alloc_t *a, ai_str_t *out);
static void ai_bedrock_render(ai_doc_t *d, ai_error_doc_t *doc);
static const char *ai_bedrock_class(ai_error_doc_t *doc);


const ai_dialect_t  ai_dialect_bedrock = {
    ai_string("bedrock"),
    AI_AUTH_SIGV4,
    1 << AI_OP_CONVERSE | 1 << AI_OP_CONVERSE_STREAM | 1 << AI_OP_PASS,
    ai_bedrock_terminator,
    ai_tap_wire_event,
    ai_tap_wire_response,
    ai_bedrock_error,
    ai_bedrock_error_event,
    0
};


/* the event "metadata" is the last one, and there is no other mark */

static const char *
ai_bedrock_terminator(ai_op_e op)
{
    return "";
}


static ai_int_t
ai_bedrock_error(ai_error_doc_t *doc, ai_alloc_t *a, ai_str_t *out)
{
    return ai_doc_build(ai_bedrock_render, doc, a, out);
}


static ai_int_t
ai_bedrock_error_event(ai_error_doc_t *doc, ai_op_e op, ai_alloc_t *a,
    ai_str_t *out)
{
    ai_buf_t  b;

    ai_buf_init(&b, a, AI_BEDROCK_EXCEPTION);
    ai_converse_exception(&b, doc);

    return ai_buf_get(&b, out);
}


/*
 * The SDKs take the class from a header, else from "code", else from
 * "__type": so there must be no "code" of ours.
 */

static void
ai_bedrock_render(ai_doc_t *d, ai_error_doc_t *doc)
{
    ai_doc_raw(d, "{\"message\":");
    ai_doc_message(d, doc);
    ai_doc_raw(d, ",\"__type\":");
    ai_doc_cstring(d, ai_bedrock_class(doc));
    ai_doc_raw(d, ",\"reason\":");
    ai_doc_cstring(d, ai_error_row(doc->error)->code);

    if (doc->param.len != 0) {
        ai_doc_raw(d, ",\"param\":");
        ai_doc_string(d, &doc->param);
    }

    ai_doc_more(d, doc);
    ai_doc_raw(d, ",\"request_id\":");
    ai_doc_string(d, &doc->request_id);
    ai_doc_raw(d, "}");
}


/* wire-formats.md 8.4 */

static const char *
ai_bedrock_class(ai_error_doc_t *doc)
{
    if (doc->error == AI_ERR_QUOTA) {
        return "ServiceQuotaExceededException";
    }

    switch (ai_error_status(doc)) {

    case 401:
    case 403:
        return "AccessDeniedException";

    case 404:
        return "ResourceNotFoundException";

    case 408:
    case 504:
        return "ModelTimeoutException";

    case 424:
        return "ModelErrorException";

    case 429:
        return "ThrottlingException";

    case 503:
        return "ServiceUnavailableException";

    case 500:
    case 502:
        return "InternalServerException";

    default:
        return "ValidationException";
    }
}

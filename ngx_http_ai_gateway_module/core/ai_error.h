
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Every way a request can fail, in one table: what the client is told, in
 * whose words, and whether trying again can help.
 */


#ifndef _AI_ERROR_H_INCLUDED_
#define _AI_ERROR_H_INCLUDED_


#include "ai_dialect.h"


typedef enum {
    AI_ERR_NONE = 0,

    /* the client's */
    AI_ERR_BAD_REQUEST,           /* 400 invalid_request */
    AI_ERR_INVALID_JSON,          /* 400 invalid_json */
    AI_ERR_INVALID_MODEL,         /* 400 invalid_model */
    AI_ERR_CONTEXT_LENGTH,        /* 400 context_length_exceeded */
    AI_ERR_CONTENT_FILTER,        /* 400 content_filter */
    AI_ERR_UNAUTHORIZED,          /* 401 invalid_api_key */
    AI_ERR_FORBIDDEN,             /* 403 */
    AI_ERR_NOT_FOUND,             /* 404 unknown path */
    AI_ERR_MODEL_NOT_FOUND,       /* 404 model_not_found */
    AI_ERR_METHOD,                /* 405 method_not_allowed */
    AI_ERR_TOO_LARGE,             /* 413 request_too_large */
    AI_ERR_MEDIA_TYPE,            /* 415 unsupported_media_type */
    AI_ERR_ENCODING,              /* 415 unsupported_encoding */
    AI_ERR_RATE_LIMIT,            /* 429 rate_limit_exceeded */
    AI_ERR_QUOTA,                 /* 429 insufficient_quota */
    AI_ERR_UNSUPPORTED,           /* 501 not_supported */

    /* ours */
    AI_ERR_INTERNAL,              /* 500 internal_error */

    /* the provider's */
    AI_ERR_UPSTREAM_DNS,          /* 502 upstream_dns */
    AI_ERR_UPSTREAM_CONNECT,      /* 502 upstream_connect */
    AI_ERR_UPSTREAM_TLS,          /* 502 upstream_tls */
    AI_ERR_UPSTREAM_RESET,        /* 502 upstream_reset */
    AI_ERR_UPSTREAM_INVALID,      /* 502 upstream_invalid */
    AI_ERR_UPSTREAM_TRUNCATED,    /* 502 upstream_truncated */
    AI_ERR_UPSTREAM_TOO_LARGE,    /* 502 upstream_too_large */
    AI_ERR_UPSTREAM_AUTH,         /* 502 provider_auth */
    AI_ERR_UPSTREAM_ERROR,        /* 502 upstream_error */
    AI_ERR_UPSTREAM_OVERLOADED,   /* 503 upstream_overloaded */
    AI_ERR_NO_TARGET,             /* 503 no_target */
    AI_ERR_CONNECT_TIMEOUT,       /* 504 upstream_connect_timeout */
    AI_ERR_FIRST_TOKEN_TIMEOUT,   /* 504 upstream_first_token_timeout */
    AI_ERR_IDLE_TIMEOUT,          /* 504 upstream_idle_timeout */
    AI_ERR_TIMEOUT,               /* 504 upstream_timeout */

    AI_ERR_MAX
} ai_error_e;


typedef struct {
    ai_uint_t    status;          /* to the client */
    const char  *code;            /* stable, in logs and documents */
    const char  *openai_type;
    const char  *anthropic_type;
    const char  *google_status;
    const char  *message;         /* when there is nothing better to say */
    unsigned     retryable:1;     /* the same request may succeed later */
} ai_error_row_t;


/* one attempt, as an error document and the log tell it; no secret */

typedef struct {
    ai_str_t     provider;
    ai_uint_t    status;          /* 0: no answer */
    ai_error_e   error;
} ai_attempt_doc_t;


struct ai_error_doc_s {
    ai_error_e         error;
    ai_uint_t          status;       /* 0: the row's */
    ai_str_t           message;      /* empty: the row's */
    ai_str_t           param;        /* the offending member, or empty */
    ai_str_t           request_id;
    ai_int_t           retry_after;  /* seconds, -1: none */
    uint64_t           sequence;     /* of an event that tells it */
    ai_attempt_doc_t  *attempts;
    ai_uint_t          nattempts;
};


const ai_error_row_t *ai_error_row(ai_error_e error);

/* the status a document is sent with: doc->status, or the row's */
ai_uint_t ai_error_status(ai_error_doc_t *doc);

/*
 * What an answer of the provider with this status means.  body is its
 * beginning (4 KB are enough), may be anything; for 2xx AI_ERR_NONE.
 * wire-formats.md 15.2: "not retryable although 429" is AI_ERR_QUOTA.  The
 * credential is taken to be ours: 401 is AI_ERR_UPSTREAM_AUTH.  Status 0
 * is for an error told inside a 200: the body is asked for its status.
 */
ai_error_e ai_error_classify(ai_uint_t status, ai_str_t *body);

/*
 * The message inside an error body of any provider (wire-formats.md 15.1),
 * decoded, made fit for a log line (no control characters), cut at size
 * bytes at a character.  Writes to buf, returns what was written; empty
 * when there is none.  Of HTML it is the title, of other text its first 512
 * bytes.
 */
ai_str_t ai_error_message(ai_str_t *body, u_char *buf, size_t size);

/*
 * Seconds to wait from Retry-After (seconds or HTTP date, against now, in
 * seconds of the epoch), or retry-after-ms; capped at max.  Past, negative
 * and senseless values are -1, as absent ones.
 */
ai_int_t ai_retry_after(ai_str_t *seconds, ai_str_t *ms, uint64_t now,
    ai_int_t max);

/* the same of an error body: google.rpc.RetryInfo, "retryDelay":"34.07s" */
ai_int_t ai_retry_delay(ai_str_t *body, ai_int_t max);


#endif /* _AI_ERROR_H_INCLUDED_ */

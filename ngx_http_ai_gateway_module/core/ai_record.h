
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The account of one request: what $ai_log and the variables tell.  Pure
 * data, filled as the request goes, rendered once.
 */


#ifndef _AI_RECORD_H_INCLUDED_
#define _AI_RECORD_H_INCLUDED_


#include "ai_error.h"


#define AI_RECORD_VERSION  1

/* a log line is at most this long, whatever the client called things */
#define AI_RECORD_MAX      4096

/* what ai_record_seconds() writes at most */
#define AI_RECORD_SECONDS_LEN  24


typedef enum {
    AI_OUTCOME_NONE = 0,          /* not answered yet */
    AI_OUTCOME_OK,
    AI_OUTCOME_CLIENT_ERROR,
    AI_OUTCOME_LIMITED,
    AI_OUTCOME_DENIED,
    AI_OUTCOME_UPSTREAM_ERROR,
    AI_OUTCOME_UPSTREAM_TIMEOUT,
    AI_OUTCOME_CLIENT_ABORT,
    AI_OUTCOME_TRUNCATED
} ai_outcome_e;


typedef struct {
    ai_attempt_doc_t     doc;
    ai_str_t             model;        /* as sent to the provider */
    uint64_t             duration_us;
} ai_record_attempt_t;


/* times are microseconds; ttft is -1 until there was a first token */

typedef struct {
    ai_str_t              id;
    ai_str_t              trace;
    ai_str_t              remote;
    ai_str_t              client;      /* SDK family, from User-Agent */
    ai_str_t              dialect;
    ai_str_t              op;
    ai_str_t              model_requested;
    ai_str_t              model;       /* tier */
    ai_str_t              provider;
    ai_str_t              model_upstream;
    ai_str_t              model_response;
    ai_str_t              finish;
    ai_str_t              tools;
    ai_str_t              dropped;     /* what the target was not asked */
    ai_error_e            error;
    ai_outcome_e          outcome;
    ai_uint_t             status;
    ai_uint_t             retry;       /* x-stainless-retry-count */
    ai_uint_t             stream;      /* boolean */
    uint64_t              time_ms;     /* epoch, when the request came */
    uint64_t              request_bytes;
    uint64_t              response_bytes;
    ai_usage_t            usage;
    int64_t               ttft_us;
    uint64_t              duration_us;
    uint64_t              overhead_us; /* the gateway's own part */
    ai_record_attempt_t  *attempts;
    ai_uint_t             nattempts;
} ai_record_t;


ai_str_t *ai_outcome_name(ai_outcome_e outcome);
ai_str_t *ai_usage_source_name(ai_usage_source_e source);

/*
 * The record as one line of JSON (ecosystem.md 1.8), always valid, never
 * longer than AI_RECORD_MAX: strings are escaped and cut, attempts that do
 * not fit are left out of "route" and "tries", though not of "attempts".
 * Writes at most AI_RECORD_MAX bytes to dst, returns the end.
 */
u_char *ai_record_render(u_char *dst, ai_record_t *rec);

/*
 * The way a request took, "anthropic:429>openai:200": $ai_route.  Where
 * there was no answer, the code of the error stands for the status.  Writes
 * at most size bytes, whole attempts only, returns the end.
 */
u_char *ai_record_route(u_char *dst, size_t size, ai_record_t *rec);

/*
 * Seconds with millisecond resolution, "0.412"; negative prints "0.000".
 * Writes at most AI_RECORD_SECONDS_LEN bytes, returns the end.
 */
u_char *ai_record_seconds(u_char *dst, int64_t us);

/*
 * The SDK family that a User-Agent names: "openai-js", "anthropic-python",
 * "claude-code", "curl" ..., or "other", or "" for an empty one.
 */
ai_str_t *ai_record_client(ai_str_t *user_agent);


#endif /* _AI_RECORD_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The neutral request: what a client asks of a model, in no dialect.  It is
 * parsed from the client's body once and rendered for each attempt.  Strings
 * and subtrees are spans of that body, so the body must outlive it.
 */


#ifndef _AI_MESSAGE_H_INCLUDED_
#define _AI_MESSAGE_H_INCLUDED_


#include "ai_buf.h"


typedef struct ai_part_s     ai_part_t;
typedef struct ai_message_s  ai_message_t;
typedef struct ai_tool_s     ai_tool_t;
typedef struct ai_name_s     ai_name_t;


typedef enum {
    AI_ROLE_SYSTEM = 0,
    AI_ROLE_DEVELOPER,
    AI_ROLE_USER,
    AI_ROLE_ASSISTANT,
    AI_ROLE_TOOL                  /* nothing but AI_PART_RESULT */
} ai_role_e;


typedef enum {
    AI_PART_TEXT = 0,             /* text */
    AI_PART_IMAGE,                /* data and media_type, or url, or file */
    AI_PART_AUDIO,                /* data and media_type ("audio/wav") */
    AI_PART_VIDEO,
    AI_PART_DOCUMENT,             /* as an image, or text; name: its title */
    AI_PART_CALL,                 /* id, name, args; state, if any */
    AI_PART_RESULT,               /* id, name, content; is_error */
    AI_PART_REASONING,            /* text, state; in front of what it led to */
    AI_PART_REFUSAL               /* text */
} ai_part_e;


/* who can read the opaque state of a reasoning or a call (2.6) */

typedef enum {
    AI_STATE_NONE = 0,
    AI_STATE_ANTHROPIC,           /* signature of a thinking block */
    AI_STATE_REDACTED,            /* data of redacted_thinking, of Anthropic */
    AI_STATE_GOOGLE,              /* thoughtSignature */
    AI_STATE_OPENAI,              /* encrypted_content; state_id: item's id */
    AI_STATE_XAI                  /* the same of xAI's, that none else reads */
} ai_state_e;


struct ai_part_s {
    ai_part_e            type;
    ai_part_t           *next;

    ai_mstr_t            text;

    /* media; data is base64 without any "data:" in front */
    ai_mstr_t            media_type;
    ai_mstr_t            data;
    ai_mstr_t            url;          /* http, https, gs, s3 */
    ai_mstr_t            file;         /* the provider's id of an upload */
    ai_mstr_t            detail;       /* of an image: low, high, auto */

    /* of a function, or title of a document */
    ai_mstr_t            name;

    /*
     * A call and its result.  args are JSON text: an object as it stands
     * (plain), or the characters of the string that holds it (json).  Of
     * a custom tool they are free text, custom is set.
     */
    ai_mstr_t            id;
    ai_mstr_t            args;
    ai_part_t           *content;      /* TEXT, IMAGE, DOCUMENT parts */
    unsigned             is_error:1;
    unsigned             custom:1;

    ai_state_e           state_kind;
    ai_mstr_t            state;
    ai_mstr_t            state_id;

    ai_str_t             cache;        /* {"type":"ephemeral"...}, raw */
};


struct ai_message_s {
    ai_role_e            role;
    ai_message_t        *next;
    ai_part_t           *parts;
    ai_part_t          **last;
    ai_mstr_t            name;
};


typedef enum {
    AI_TOOL_FUNCTION = 0,
    AI_TOOL_CUSTOM,               /* takes free text: input, not arguments */
    AI_TOOL_SERVER                /* the provider's own: name is its type */
} ai_tool_e;

struct ai_tool_s {
    ai_tool_e            type;
    ai_tool_t           *next;
    ai_mstr_t            name;
    ai_mstr_t            description;
    ai_str_t             schema;       /* raw object, or empty */
    ai_str_t             strict;       /* "true", "false", or empty */
    ai_str_t             cache;        /* raw */
    ai_str_t             raw;          /* all of it */
};


typedef enum {
    AI_CHOICE_UNSET = 0,
    AI_CHOICE_AUTO,
    AI_CHOICE_NONE,
    AI_CHOICE_REQUIRED,
    AI_CHOICE_NAMED               /* choice_name */
} ai_choice_e;


typedef enum {
    AI_FORMAT_UNSET = 0,
    AI_FORMAT_TEXT,
    AI_FORMAT_JSON,               /* any object */
    AI_FORMAT_SCHEMA
} ai_format_e;


typedef enum {
    AI_EFFORT_UNSET = 0,
    AI_EFFORT_NONE,
    AI_EFFORT_MINIMAL,
    AI_EFFORT_LOW,
    AI_EFFORT_MEDIUM,
    AI_EFFORT_HIGH,
    AI_EFFORT_XHIGH,
    AI_EFFORT_MAX
} ai_effort_e;


#define AI_REQUEST_STOPS    16
#define AI_REQUEST_ALLOWED  64


/*
 * Numbers, booleans and subtrees are the JSON text that the client wrote;
 * empty where it wrote none, or null.
 */

typedef struct {
    ai_alloc_t          *alloc;

    ai_message_t        *messages;
    ai_message_t       **last;

    ai_tool_t           *tools;
    ai_tool_t          **last_tool;
    ai_choice_e          choice;
    ai_mstr_t            choice_name;
    ai_mstr_t            allowed[AI_REQUEST_ALLOWED];  /* tools; all others
                                                          are withheld */
    ai_uint_t            nallowed;
    ai_str_t             parallel;     /* parallel_tool_calls */

    ai_format_e          format;
    ai_mstr_t            format_name;
    ai_mstr_t            format_description;
    ai_str_t             format_schema;
    ai_str_t             format_strict;

    ai_effort_e          effort;
    ai_str_t             budget;       /* tokens to think, a number */
    ai_uint_t            adaptive;     /* thinking as the model likes */
    ai_uint_t            summary;      /* thoughts are asked to be shown */

    ai_str_t             max_tokens;
    ai_str_t             temperature;
    ai_str_t             top_p;
    ai_str_t             top_k;
    ai_str_t             presence_penalty;
    ai_str_t             frequency_penalty;
    ai_str_t             seed;
    ai_str_t             n;
    ai_str_t             logprobs;     /* "true" */
    ai_str_t             top_logprobs;
    ai_str_t             logit_bias;
    ai_mstr_t            stop[AI_REQUEST_STOPS];
    ai_uint_t            nstop;

    ai_mstr_t            user;
    ai_str_t             metadata;     /* object of strings */
    ai_mstr_t            service_tier; /* in OpenAI's words */
    ai_mstr_t            verbosity;
    ai_mstr_t            cache_key;    /* prompt_cache_key */
    ai_str_t             cache;        /* marker of the whole request */
    ai_str_t             store;
    ai_str_t             betas;        /* of Anthropic, from its header */

    ai_uint_t            stream;
    ai_uint_t            include_usage;
    ai_uint_t            functions;    /* tools were told as "functions", so
                                          calls are told as that, too */

    ai_name_t           *names;        /* that were shortened */

    ai_json_t            known;        /* for parsers: a member of the body,
                                          see ai_json_iter_t; or null */
} ai_request_t;


/* a tool's name as the target takes it, and as the client knows it */

struct ai_name_s {
    ai_name_t           *next;
    ai_str_t             sent;
    ai_mstr_t            name;
};


/*
 * What happened to a request on its way through the hub: what was dropped,
 * by name, and, after AI_DECLINED, why it is refused.
 */

#define AI_REPORT_DROPS  32

typedef struct {
    ai_alloc_t          *alloc;
    ai_str_t             dropped[AI_REPORT_DROPS];
    ai_uint_t            ndropped;
    ai_str_t             message;
    ai_str_t             param;
} ai_report_t;


void ai_report_init(ai_report_t *rep, ai_alloc_t *a);

/* each name once; of names that a client wrote, a printable copy, cut */
void ai_report_drop(ai_report_t *rep, const char *name);
void ai_report_drop_name(ai_report_t *rep, const ai_json_t *name);

/*
 * What cannot be left out without changing what was asked.  Returns
 * AI_DECLINED, so that it can be returned; static texts, whole sentences
 * without a dot, lower case at the start.
 */
ai_int_t ai_report_refuse(ai_report_t *rep, const char *param,
    const char *message);


void ai_request_init(ai_request_t *req, ai_alloc_t *a);

/* append; NULL: no memory */
ai_message_t *ai_request_message(ai_request_t *req, ai_role_e role);
ai_tool_t *ai_request_tool(ai_request_t *req);
ai_part_t *ai_message_part(ai_request_t *req, ai_message_t *m,
    ai_part_e type);

/* a part that is in no list yet */
ai_part_t *ai_part_create(ai_alloc_t *a, ai_part_e type);

/*
 * Puts a parsed request into the one order that all renderers rely on:
 * neighbours of one role are one message, except that system messages stay
 * apart; results stand in one AI_ROLE_TOOL message right after the
 * assistant's message whose calls they answer, in the order of the calls,
 * and know their name; what a user says comes after them.  Empty texts are
 * gone, and so are messages without parts.  A call without a result, unless
 * it is in the last message, gets an error result; a result without a call
 * becomes text of the user, unless it says once more what is said.  Calls
 * have an id that is theirs alone, the client's if it is.  AI_OK, AI_ERROR: no
 * memory.
 */
ai_int_t ai_request_normalize(ai_request_t *req, ai_report_t *rep);

/*
 * A data URL ("data:image/png;base64,...") in "url" as media type and data
 * of the part; any other goes to part->url.  The default media type is for
 * those that tell none.
 */
void ai_part_url(ai_part_t *part, const ai_mstr_t *url,
    const char *media_type);

/*
 * The name of a tool as a target takes it that allows letters, digits, "_"
 * and "-", up to max bytes: itself, or a short form that is kept in
 * req->names; the same for the same name.  AI_OK, AI_ERROR.
 */
ai_int_t ai_request_name(ai_request_t *req, const ai_mstr_t *name, size_t max,
    ai_mstr_t *out);

/* whether a tool may be shown to the model: see "allowed" */
ai_uint_t ai_request_allowed(const ai_request_t *req, const ai_mstr_t *name);

/*
 * The arguments of a call as a JSON object, raw: "{}" of none; what is no
 * JSON object is wrapped as {"rawInvalidInput":"..."} (wire-formats.md 0.7),
 * and the text of a custom tool as {"input":"..."}.
 * AI_OK, AI_ERROR.
 */
ai_int_t ai_part_object(const ai_part_t *call, ai_alloc_t *a, ai_str_t *out);

/* the effort by its OpenAI name ("low"), and the other way; NULL, UNSET */
const char *ai_effort_name(ai_effort_e effort);
ai_effort_e ai_effort_find(const ai_mstr_t *name);

/* the effort that is next to a budget of tokens, and the other way (2.4) */
ai_effort_e ai_effort_budget(uint64_t budget);
uint64_t ai_budget_effort(ai_effort_e effort);


#endif /* _AI_MESSAGE_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * One order for the messages of all dialects: their parts are put together
 * anew, once it is known which result answers which call.
 */


#include "ai_calls.h"


#define AI_NO_RESULT  "No result was given for this call."


typedef struct {
    ai_request_t  *req;
    ai_alloc_t    *alloc;
    ai_calls_t     c;

    ai_message_t  *source;         /* parts come from it */
    ai_message_t  *spare;          /* the same, if it was not used yet */
    ai_message_t  *tail;
    ai_message_t  *open;           /* the assistant's, may still grow */
    ai_message_t  *system;         /* the source of tail, for system messages
                                      which stay apart */
    size_t         ncall;          /* calls and results that were met */
    size_t         nresult;
    size_t         first;          /* call of the open message */
} ai_norm_t;


static ai_int_t ai_norm_message(ai_norm_t *n, ai_message_t *m,
    ai_report_t *rep);
static ai_int_t ai_norm_result(ai_norm_t *n, ai_report_t *rep);
static ai_int_t ai_norm_orphan(ai_norm_t *n, ai_part_t *part);
static ai_int_t ai_norm_add(ai_norm_t *n, ai_role_e role, ai_part_t *part);
static ai_int_t ai_norm_create(ai_norm_t *n, ai_role_e role);
static ai_int_t ai_norm_close(ai_norm_t *n);
static void ai_norm_answer(ai_norm_t *n);
static ai_int_t ai_norm_no_result(ai_norm_t *n, ai_call_t *call);
static void ai_norm_content(ai_part_t *result);
static ai_uint_t ai_norm_empty(const ai_part_t *part);


ai_int_t
ai_request_normalize(ai_request_t *req, ai_report_t *rep)
{
    size_t         i;
    ai_norm_t      n;
    ai_message_t  *m, *next;

    memset(&n, 0, sizeof(ai_norm_t));

    n.req = req;
    n.alloc = req->alloc;

    if (ai_calls_match(&n.c, req) != AI_OK) {
        return AI_ERROR;
    }

    m = req->messages;

    req->messages = NULL;
    req->last = &req->messages;

    for ( /* void */ ; m != NULL; m = next) {
        next = m->next;

        if (ai_norm_message(&n, m, rep) != AI_OK) {
            return AI_ERROR;
        }
    }

    /* what is called last may still be answered, by whoever asks */

    for (i = n.first; n.open != NULL && i < n.ncall; i++) {

        if (n.c.calls[i].result != NULL && ai_norm_close(&n) != AI_OK) {
            return AI_ERROR;
        }
    }

    ai_norm_answer(&n);

    return AI_OK;
}


static ai_int_t
ai_norm_message(ai_norm_t *n, ai_message_t *m, ai_report_t *rep)
{
    ai_int_t    rc;
    ai_role_e   role;
    ai_part_t  *part, *next;

    part = m->parts;

    m->parts = NULL;
    m->last = &m->parts;
    m->next = NULL;

    n->source = m;
    n->spare = m;

    role = (m->role == AI_ROLE_TOOL) ? AI_ROLE_USER : m->role;

    for ( /* void */ ; part != NULL; part = next) {
        next = part->next;
        part->next = NULL;

        if (part->type == AI_PART_RESULT) {
            rc = ai_norm_result(n, rep);

        } else if (ai_norm_empty(part)) {
            rc = AI_OK;

        } else {
            rc = ai_norm_add(n, role, part);
        }

        if (rc != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_norm_result(ai_norm_t *n, ai_report_t *rep)
{
    ai_call_result_t  *result;

    result = &n->c.results[n->nresult++];

    ai_norm_content(result->part);

    if (result->call != NULL) {

        /* the assistant goes on only after it was answered */

        if (n->open != NULL && result->call->message == n->open) {
            return ai_norm_close(n);
        }

        return AI_OK;
    }

    if (result->again) {
        return AI_OK;
    }

    ai_report_drop(rep, "tool_call_id");

    return ai_norm_orphan(n, result->part);
}


/* the text says what it was, so that the model can make sense of it */

static ai_int_t
ai_norm_orphan(ai_norm_t *n, ai_part_t *result)
{
    ai_buf_t    b;
    ai_str_t    s;
    ai_part_t  *part, *next;

    part = ai_part_create(n->alloc, AI_PART_TEXT);
    if (part == NULL) {
        return AI_ERROR;
    }

    ai_buf_init(&b, n->alloc, (size_t) -1 / 2);

    ai_buf_cstr(&b, result->is_error ? "Error of tool " : "Result of tool ");
    ai_buf_plain(&b, ai_mstr_empty(&result->name) ? &result->id
                                                  : &result->name);
    ai_buf_lit(&b, ":\n");

    if (ai_buf_get(&b, &s) != AI_OK) {
        return AI_ERROR;
    }

    part->text = ai_mstr_plain(&s);
    part->next = result->content;

    for ( /* void */ ; part != NULL; part = next) {
        next = part->next;
        part->next = NULL;

        if (ai_norm_add(n, AI_ROLE_USER, part) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_norm_add(ai_norm_t *n, ai_role_e role, ai_part_t *part)
{
    if (role != AI_ROLE_ASSISTANT && ai_norm_close(n) != AI_OK) {
        return AI_ERROR;
    }

    if (n->tail == NULL || n->tail->role != role
        || ((role == AI_ROLE_SYSTEM || role == AI_ROLE_DEVELOPER)
            && n->system != n->source))
    {
        if (ai_norm_create(n, role) != AI_OK) {
            return AI_ERROR;
        }

        n->system = n->source;

        if (role == AI_ROLE_ASSISTANT) {
            n->open = n->tail;
            n->first = n->ncall;
        }
    }

    *n->tail->last = part;
    n->tail->last = &part->next;

    if (part->type == AI_PART_CALL) {
        n->c.calls[n->ncall++].message = n->tail;
    }

    return AI_OK;
}


static ai_int_t
ai_norm_create(ai_norm_t *n, ai_role_e role)
{
    ai_message_t  *m;

    m = n->spare;
    n->spare = NULL;

    if (m == NULL) {
        m = ai_request_message(n->req, role);

        if (m == NULL) {
            return AI_ERROR;
        }

    } else {
        m->role = role;

        *n->req->last = m;
        n->req->last = &m->next;
    }

    n->tail = m;

    return AI_OK;
}


/* the results of the calls of the assistant, behind them */

static ai_int_t
ai_norm_close(ai_norm_t *n)
{
    size_t         i;
    ai_message_t  *m;
    ai_call_t     *call;

    n->open = NULL;

    if (n->tail == NULL || n->tail->role != AI_ROLE_ASSISTANT
        || n->first == n->ncall)
    {
        return AI_OK;
    }

    m = ai_request_message(n->req, AI_ROLE_TOOL);
    if (m == NULL) {
        return AI_ERROR;
    }

    for (i = n->first; i < n->ncall; i++) {
        call = &n->c.calls[i];

        if (call->result == NULL && ai_norm_no_result(n, call) != AI_OK) {
            return AI_ERROR;
        }

        call->answer = m;
    }

    n->tail = m;

    return AI_OK;
}


/* only when nothing is read any more of the lists where results were */

static void
ai_norm_answer(ai_norm_t *n)
{
    size_t         i;
    ai_message_t  *m;
    ai_call_t     *call;

    for (i = 0; i < n->c.ncalls; i++) {
        call = &n->c.calls[i];
        m = call->answer;

        if (m == NULL) {
            continue;
        }

        *m->last = call->result;
        m->last = &call->result->next;
        call->result->next = NULL;
    }
}


static ai_int_t
ai_norm_no_result(ai_norm_t *n, ai_call_t *call)
{
    ai_part_t  *result;

    result = ai_part_create(n->alloc, AI_PART_RESULT);
    if (result == NULL) {
        return AI_ERROR;
    }

    result->content = ai_part_create(n->alloc, AI_PART_TEXT);
    if (result->content == NULL) {
        return AI_ERROR;
    }

    result->content->text = ai_mstr_cstr(AI_NO_RESULT);
    result->is_error = 1;
    result->id = call->part->id;
    result->name = call->part->name;
    result->custom = call->part->custom;

    call->result = result;

    return AI_OK;
}


static void
ai_norm_content(ai_part_t *result)
{
    ai_part_t  **part;

    for (part = &result->content; *part != NULL; /* void */ ) {

        if (ai_norm_empty(*part)) {
            *part = (*part)->next;

        } else {
            part = &(*part)->next;
        }
    }
}


static ai_uint_t
ai_norm_empty(const ai_part_t *part)
{
    switch (part->type) {

    case AI_PART_TEXT:
    case AI_PART_REFUSAL:
        return ai_mstr_empty(&part->text);

    case AI_PART_REASONING:
        return ai_mstr_empty(&part->text)
               && part->state_kind == AI_STATE_NONE;

    default:
        return 0;
    }
}

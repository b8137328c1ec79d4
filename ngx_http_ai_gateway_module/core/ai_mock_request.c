
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the mock provider takes from a request.  Three dialects name the same
 * things differently, so members are found by a table of names.
 */


#include "ai_mock_shape.h"


#define AI_MOCK_NAME  200         /* bytes of a model's or tool's name */


typedef enum {
    AI_MOCK_MODEL = 0,
    AI_MOCK_STREAM,
    AI_MOCK_STREAM_OPTIONS,
    AI_MOCK_LIMIT,
    AI_MOCK_GENERATION,
    AI_MOCK_MESSAGES,
    AI_MOCK_TOOLS,
    AI_MOCK_CHOICE,
    AI_MOCK_DIMENSION,
    AI_MOCK_ENCODING,
    AI_MOCK_FIELDS
} ai_mock_field_e;


typedef struct {
    ai_json_t            field[AI_MOCK_FIELDS];  /* start NULL: absent */
} ai_mock_body_t;


typedef struct {
    ai_str_t             name;
    ai_mock_field_e      field;
} ai_mock_member_t;


static ai_mock_member_t  ai_mock_members[] = {
    { ai_string("model"), AI_MOCK_MODEL },
    { ai_string("stream"), AI_MOCK_STREAM },
    { ai_string("stream_options"), AI_MOCK_STREAM_OPTIONS },
    { ai_string("max_tokens"), AI_MOCK_LIMIT },
    { ai_string("max_completion_tokens"), AI_MOCK_LIMIT },
    { ai_string("max_output_tokens"), AI_MOCK_LIMIT },
    { ai_string("generationConfig"), AI_MOCK_GENERATION },
    { ai_string("generation_config"), AI_MOCK_GENERATION },
    { ai_string("messages"), AI_MOCK_MESSAGES },
    { ai_string("input"), AI_MOCK_MESSAGES },
    { ai_string("prompt"), AI_MOCK_MESSAGES },
    { ai_string("contents"), AI_MOCK_MESSAGES },
    { ai_string("content"), AI_MOCK_MESSAGES },
    { ai_string("requests"), AI_MOCK_MESSAGES },
    { ai_string("tools"), AI_MOCK_TOOLS },
    { ai_string("tool_choice"), AI_MOCK_CHOICE },
    { ai_string("toolConfig"), AI_MOCK_CHOICE },
    { ai_string("tool_config"), AI_MOCK_CHOICE },
    { ai_string("dimensions"), AI_MOCK_DIMENSION },
    { ai_string("outputDimensionality"), AI_MOCK_DIMENSION },
    { ai_string("encoding_format"), AI_MOCK_ENCODING }
};

#define AI_MOCK_MEMBERS                                                      \
    (sizeof(ai_mock_members) / sizeof(ai_mock_member_t))


static ai_int_t ai_mock_member(void *data, ai_json_t *name,
    ai_json_t *value);
static ai_int_t ai_mock_set_kind(ai_mock_t *m, ai_mock_request_t *req);
static ai_int_t ai_mock_set_model(ai_mock_t *m, ai_mock_request_t *req,
    ai_json_t *model);
static ai_int_t ai_mock_read_answer(ai_mock_t *m, ai_mock_request_t *req,
    ai_mock_body_t *body);
static void ai_mock_set_length(ai_mock_t *m, ai_mock_body_t *body);
static void ai_mock_last_words(ai_json_t *messages, ai_str_t *said);
static ai_uint_t ai_mock_text_of(ai_json_t *content, ai_str_t *text);
static void ai_mock_render_answer(ai_mock_t *m);
static void ai_mock_render_template(ai_mock_t *m);


ai_int_t
ai_mock_read(ai_mock_t *m, ai_mock_request_t *req)
{
    uint64_t         n;
    ai_int_t         rc;
    ai_json_t        root, *field;
    ai_mock_body_t   body;
    ai_json_error_t  err;

    if (ai_mock_set_kind(m, req) == AI_DONE) {
        return ai_mock_set_model(m, req, NULL);
    }

    memset(&body, 0, sizeof(ai_mock_body_t));

    rc = ai_json_scan(req->body.data, req->body.len, NULL, m->alloc,
                      ai_mock_member, &body, &root, &err);
    if (rc == AI_ERROR) {
        return AI_ERROR;
    }

    if (rc != AI_OK) {
        ai_mock_set_error(m, 400, err.reason);
        return AI_OK;
    }

    if (root.type != AI_JSON_OBJECT) {
        ai_mock_set_error(m, 400, "the body is not a JSON object");
        return AI_OK;
    }

    field = body.field;

    if (ai_mock_set_model(m, req, &field[AI_MOCK_MODEL]) != AI_OK) {
        return AI_ERROR;
    }

    m->input = req->body.len / 4 + 1;

    if (m->shape != NULL) {
        return ai_mock_read_answer(m, req, &body);
    }

    m->inputs = field[AI_MOCK_MESSAGES];
    m->base64 = (field[AI_MOCK_ENCODING].start != NULL
                 && ai_json_name_eq(&field[AI_MOCK_ENCODING], "base64"));

    if (field[AI_MOCK_DIMENSION].start != NULL
        && ai_json_uint(&field[AI_MOCK_DIMENSION], &n) == AI_OK)
    {
        m->dimensions = n;
    }

    return AI_OK;
}


static ai_int_t
ai_mock_member(void *data, ai_json_t *name, ai_json_t *value)
{
    ai_mock_body_t *body = data;

    ai_uint_t          i;
    ai_mock_member_t  *member;

    if (value->type == AI_JSON_NULL) {
        return AI_OK;
    }

    for (i = 0; i < AI_MOCK_MEMBERS; i++) {
        member = &ai_mock_members[i];

        if (ai_json_str_eq(name, (char *) member->name.data,
                           member->name.len))
        {
            body->field[member->field] = *value;
            break;
        }
    }

    return AI_OK;
}


/* AI_OK: the body is to be read, AI_DONE: it does not matter */

static ai_int_t
ai_mock_set_kind(ai_mock_t *m, ai_mock_request_t *req)
{
    m->render = ai_mock_render_answer;

    switch (req->surface.op) {

    case AI_OP_CHAT:
        m->shape = &ai_mock_shape_chat;
        return AI_OK;

    case AI_OP_COMPLETIONS:
        m->shape = &ai_mock_shape_completions;
        return AI_OK;

    case AI_OP_RESPONSES:
        m->shape = &ai_mock_shape_responses;
        return AI_OK;

    case AI_OP_MESSAGES:
        m->shape = &ai_mock_shape_messages;
        return AI_OK;

    case AI_OP_GENERATE:
    case AI_OP_STREAM_GENERATE:
        m->shape = &ai_mock_shape_generate;
        return AI_OK;

    case AI_OP_EMBEDDINGS:
        m->render = ai_mock_render_embeddings;
        return AI_OK;

    case AI_OP_EMBED_CONTENT:
    case AI_OP_BATCH_EMBED_CONTENTS:
        m->render = ai_mock_render_embed_contents;
        return AI_OK;

    case AI_OP_COUNT_TOKENS:
        m->render = ai_mock_render_template;
        m->template = "{'input_tokens':$p}";
        return AI_OK;

    case AI_OP_GEMINI_COUNT_TOKENS:
        m->render = ai_mock_render_template;
        m->template = "{'totalTokens':$p,'promptTokensDetails':"
                      "[{'modality':'TEXT','tokenCount':$p}]}";
        return AI_OK;

    case AI_OP_MODELS:
    case AI_OP_MODEL:

        if ((req->hints & AI_HINT_CODEX) == 0) {
            m->render = ai_mock_render_models;
            return AI_DONE;
        }

        /* an empty list makes this client use its own */
        m->template = "{'models':[]}";
        break;

    case AI_OP_HEALTH:
        m->template = "{'status':'ok'}";
        break;

    case AI_OP_PREFLIGHT:
        m->status = 204;
        m->content_type.len = 0;
        m->template = "";
        break;

    default:
        m->template = "{'object':'mock','path':'$P'}";
        break;
    }

    m->render = ai_mock_render_template;

    return AI_DONE;
}


/* the request's own name, unless the configuration has one */

static ai_int_t
ai_mock_set_model(ai_mock_t *m, ai_mock_request_t *req, ai_json_t *model)
{
    if (req->surface.op == AI_OP_MODELS) {
        return AI_OK;
    }

    if (m->conf->model.len != 0 && req->surface.op != AI_OP_MODEL) {
        m->model = m->conf->model;
        return AI_OK;
    }

    if (req->surface.model.len != 0) {
        m->model.len = ai_json_escape_len(&req->surface.model);
        m->model.data = ai_alloc(m->alloc, m->model.len);

        if (m->model.data == NULL) {
            return AI_ERROR;
        }

        (void) ai_json_escape(m->model.data, &req->surface.model);

        return AI_OK;
    }

    ai_str_set(&m->model, "mock");

    if (model != NULL && model->start != NULL) {
        ai_mock_set_name(&m->model, model);
    }

    return AI_OK;
}


/* strings of the request go into the answer as they were escaped there */

void
ai_mock_set_name(ai_str_t *name, ai_json_t *v)
{
    ai_str_t  raw;

    if (v->type != AI_JSON_STRING) {
        return;
    }

    raw = ai_json_str_raw(v);

    if (raw.len != 0) {
        name->data = raw.data;
        name->len = ai_mock_cut(&raw, AI_MOCK_NAME);
    }
}


static ai_int_t
ai_mock_read_answer(ai_mock_t *m, ai_mock_request_t *req,
    ai_mock_body_t *body)
{
    ai_str_t    said;
    ai_json_t   v, *field;

    field = body->field;

    m->stream = (req->surface.op == AI_OP_STREAM_GENERATE
                 || (req->surface.op != AI_OP_GENERATE
                     && field[AI_MOCK_STREAM].start != NULL
                     && ai_json_is_true(&field[AI_MOCK_STREAM])));

    m->usage = (m->stream && field[AI_MOCK_STREAM_OPTIONS].start != NULL
                && ai_json_get(&field[AI_MOCK_STREAM_OPTIONS],
                               "include_usage", &v) == AI_OK
                && ai_json_is_true(&v));

    if (ai_mock_set_tool(m, &field[AI_MOCK_TOOLS], &field[AI_MOCK_CHOICE])
        != AI_OK)
    {
        return AI_ERROR;
    }

    if (m->tool.len != 0) {
        m->pieces = m->shape->whole ? 1 : 2;
        m->output = (m->tool.len + m->arguments.len) / 4 + 1;
        return AI_OK;
    }

    ai_mock_set_length(m, body);

    said.len = 0;

    if (field[AI_MOCK_MESSAGES].start != NULL) {
        ai_mock_last_words(&field[AI_MOCK_MESSAGES], &said);
    }

    return ai_mock_set_preface(m, &said);
}


static void
ai_mock_set_length(ai_mock_t *m, ai_mock_body_t *body)
{
    uint64_t   n;
    ai_json_t  limit;

    m->pieces = m->conf->tokens;
    limit = body->field[AI_MOCK_LIMIT];

    if (body->field[AI_MOCK_GENERATION].start != NULL
        && ai_json_get(&body->field[AI_MOCK_GENERATION], "maxOutputTokens",
                       &limit)
           != AI_OK)
    {
        limit.start = NULL;
    }

    if (limit.start != NULL && ai_json_uint(&limit, &n) == AI_OK
        && n != 0 && n < m->pieces)
    {
        m->pieces = n;
        m->cut_short = 1;
    }

    m->output = m->pieces;
}


/* of the user, in messages, contents, input or prompt */

static void
ai_mock_last_words(ai_json_t *messages, ai_str_t *said)
{
    ai_json_t       message, role, content;
    ai_json_iter_t  it;

    if (messages->type == AI_JSON_STRING) {
        *said = ai_json_str_raw(messages);
        return;
    }

    ai_json_iter_init(&it, messages);

    while (ai_json_next(&it, NULL, &message) == AI_OK) {

        if (message.type == AI_JSON_STRING) {
            *said = ai_json_str_raw(&message);
            continue;
        }

        if (ai_json_get(&message, "role", &role) == AI_OK
            && !ai_json_name_eq(&role, "user"))
        {
            continue;
        }

        if (ai_json_get(&message, "content", &content) == AI_OK
            || ai_json_get(&message, "parts", &content) == AI_OK)
        {
            (void) ai_mock_text_of(&content, said);
        }
    }
}


/* of a string, or the last of the parts that have one */

static ai_uint_t
ai_mock_text_of(ai_json_t *content, ai_str_t *text)
{
    ai_uint_t       found;
    ai_json_t       part, v;
    ai_json_iter_t  it;

    if (content->type == AI_JSON_STRING) {
        *text = ai_json_str_raw(content);
        return 1;
    }

    found = 0;

    if (content->type == AI_JSON_ARRAY) {
        ai_json_iter_init(&it, content);

        while (ai_json_next(&it, NULL, &part) == AI_OK) {
            if (ai_json_get(&part, "text", &v) == AI_OK
                && v.type == AI_JSON_STRING)
            {
                *text = ai_json_str_raw(&v);
                found = 1;
            }
        }
    }

    return found;
}


static void
ai_mock_render_answer(ai_mock_t *m)
{
    ai_mock_write(m, m->tool.len != 0 ? m->shape->tool.json
                                      : m->shape->text.json);
}


static void
ai_mock_render_template(ai_mock_t *m)
{
    ai_mock_write(m, m->template);
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What was said, in the parts of the contents of a request.
 */


#include "wire_gemini.h"


/* a call that waits for its response */

struct ai_gemini_call_s {
    ai_gemini_call_t    *next;
    ai_part_t           *part;
};


/* the members of a part */

typedef struct {
    ai_json_t            text;
    ai_json_t            signature;
    ai_json_t            data;         /* inlineData */
    ai_json_t            file;         /* fileData */
    ai_json_t            call;
    ai_json_t            response;
    ai_json_t            code;         /* code, or the output of it */
    unsigned             thought:1;
} ai_gemini_part_t;


static ai_int_t ai_gemini_part_read(ai_gemini_in_t *in, ai_gemini_part_t *p,
    const ai_json_t *v);
static ai_int_t ai_gemini_text(ai_gemini_in_t *in, ai_role_e role,
    ai_gemini_part_t *p);
static ai_int_t ai_gemini_state(ai_gemini_in_t *in, ai_part_t *part,
    const ai_json_t *signature);
static ai_int_t ai_gemini_media(ai_gemini_in_t *in, ai_part_t **part,
    const ai_json_t *v, ai_uint_t file);
static ai_part_e ai_gemini_media_type(const ai_mstr_t *type, ai_uint_t file);
static ai_int_t ai_gemini_call(ai_gemini_in_t *in, ai_gemini_part_t *p);
static ai_int_t ai_gemini_call_id(ai_gemini_in_t *in, ai_mstr_t *id);
static ai_int_t ai_gemini_response(ai_gemini_in_t *in, const ai_json_t *v);
static ai_int_t ai_gemini_result(ai_gemini_in_t *in, ai_part_t *part,
    const ai_json_t *v);
static ai_int_t ai_gemini_result_parts(ai_gemini_in_t *in, ai_part_t *part,
    const ai_json_t *v);
static void ai_gemini_pair(ai_gemini_in_t *in, ai_part_t *result);
static ai_message_t *ai_gemini_message(ai_gemini_in_t *in, ai_role_e role);


ai_int_t
ai_gemini_parts(ai_gemini_in_t *in, ai_role_e role, const ai_json_t *v)
{
    ai_int_t        rc;
    ai_json_t       value;
    ai_json_iter_t  it;

    if (v->type == AI_JSON_OBJECT || v->type == AI_JSON_STRING) {
        in->index = 0;
        return ai_gemini_part(in, role, v);
    }

    if (v->type != AI_JSON_ARRAY && v->type != AI_JSON_NULL) {
        return ai_gemini_refuse(in->rep, in->content, -1, "parts",
                                "must be an array");
    }

    ai_json_iter_init(&it, v);

    for (in->index = 0; ai_json_next(&it, NULL, &value) == AI_OK; in->index++)
    {
        rc = ai_gemini_part(in, role, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


ai_int_t
ai_gemini_part(ai_gemini_in_t *in, ai_role_e role, const ai_json_t *v)
{
    ai_int_t           rc;
    ai_part_t         *part;
    ai_message_t      *m;
    ai_gemini_part_t   p;

    if (v->type == AI_JSON_STRING) {
        return ai_gemini_join(in, role, AI_PART_TEXT, v);
    }

    rc = ai_gemini_part_read(in, &p, v);

    if (rc != AI_OK) {
        return rc;
    }

    if (p.call.type != AI_JSON_NULL) {
        return ai_gemini_call(in, &p);
    }

    if (p.response.type != AI_JSON_NULL) {
        return ai_gemini_response(in, &p.response);
    }

    if (p.data.type != AI_JSON_NULL || p.file.type != AI_JSON_NULL) {

        rc = (p.data.type != AI_JSON_NULL)
             ? ai_gemini_media(in, &part, &p.data, 0)
             : ai_gemini_media(in, &part, &p.file, 1);

        if (rc != AI_OK) {
            return rc;
        }

        m = ai_gemini_message(in, role);

        if (m == NULL) {
            return AI_ERROR;
        }

        *m->last = part;
        m->last = &part->next;

        return AI_OK;
    }

    return ai_gemini_text(in, role, &p);
}


static ai_int_t
ai_gemini_part_read(ai_gemini_in_t *in, ai_gemini_part_t *p,
    const ai_json_t *v)
{
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(p, 0, sizeof(ai_gemini_part_t));

    if (v->type != AI_JSON_OBJECT) {
        return ai_gemini_refuse(in->rep, in->content, in->index, NULL,
                                "must be an object");
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (value.type == AI_JSON_NULL) {
            continue;
        }

        if (ai_gemini_is(&name, "text")) {
            p->text = value;

        } else if (ai_gemini_is(&name, "thought")) {
            p->thought = ai_json_is_true(&value);

        } else if (ai_gemini_is(&name, "thoughtSignature")) {
            p->signature = value;

        } else if (ai_gemini_is(&name, "inlineData")) {
            p->data = value;

        } else if (ai_gemini_is(&name, "fileData")) {
            p->file = value;

        } else if (ai_gemini_is(&name, "functionCall")) {
            p->call = value;

        } else if (ai_gemini_is(&name, "functionResponse")) {
            p->response = value;

        } else if (ai_gemini_is(&name, "executableCode")) {
            (void) ai_gemini_get(&value, "code", &p->code);

        } else if (ai_gemini_is(&name, "codeExecutionResult")) {
            (void) ai_gemini_get(&value, "output", &p->code);

        } else {
            ai_report_drop_name(in->rep, &name);
        }
    }

    return AI_OK;
}


/*
 * The signature of a text stands in front of it, as reasoning without words;
 * what thoughts end with is theirs.
 */

static ai_int_t
ai_gemini_text(ai_gemini_in_t *in, ai_role_e role, ai_gemini_part_t *p)
{
    ai_int_t    rc;
    ai_part_t  *part;
    ai_json_t  *text;

    text = (p->text.type != AI_JSON_NULL) ? &p->text : &p->code;

    if (text->type != AI_JSON_STRING && text->type != AI_JSON_NULL) {
        return ai_gemini_refuse(in->rep, in->content, in->index, "text",
                                "must be a string");
    }

    if (p->thought) {

        rc = ai_gemini_join(in, role, AI_PART_REASONING, text);

        if (rc != AI_OK || p->signature.type != AI_JSON_STRING) {
            return rc;
        }

        part = in->part;

        if (part == NULL || part->type != AI_PART_REASONING) {
            part = ai_gemini_append(in, role, AI_PART_REASONING);
        }

        return (part != NULL) ? ai_gemini_state(in, part, &p->signature)
                              : AI_ERROR;
    }

    if (p->signature.type == AI_JSON_STRING) {
        part = ai_gemini_append(in, role, AI_PART_REASONING);

        if (part == NULL || ai_gemini_state(in, part, &p->signature) != AI_OK)
        {
            return AI_ERROR;
        }
    }

    return ai_gemini_join(in, role, AI_PART_TEXT, text);
}


static ai_int_t
ai_gemini_state(ai_gemini_in_t *in, ai_part_t *part,
    const ai_json_t *signature)
{
    ai_mstr_t  slot;

    in->part = NULL;
    slot = ai_mstr(signature);

    return ai_state_unpack(&slot, AI_STATE_GOOGLE, in->req->alloc,
                           &part->state_kind, &part->state_id, &part->state);
}


static ai_int_t
ai_gemini_media(ai_gemini_in_t *in, ai_part_t **out, const ai_json_t *v,
    ai_uint_t file)
{
    ai_part_t       *part;
    ai_json_t        name, value;
    ai_json_iter_t   it;

    part = ai_part_create(in->req->alloc, AI_PART_DOCUMENT);

    if (part == NULL) {
        return AI_ERROR;
    }

    *out = part;

    ai_json_iter_init(&it, v);

    while (v->type == AI_JSON_OBJECT
           && ai_json_next(&it, &name, &value) == AI_OK)
    {
        if (ai_gemini_is(&name, "mimeType")) {
            part->media_type = ai_mstr(&value);

        } else if (!file && ai_gemini_is(&name, "data")) {
            part->data = ai_mstr(&value);

        } else if (file && ai_gemini_is(&name, "fileUri")) {
            part->url = ai_mstr(&value);

        } else if (ai_gemini_is(&name, "displayName")) {
            part->name = ai_mstr(&value);
        }
    }

    if (file && ai_mstr_empty(&part->url)) {
        return ai_gemini_refuse(in->rep, in->content, in->index, "fileData",
                                "fileUri is required");
    }

    if (!file && (ai_mstr_empty(&part->data)
                  || ai_mstr_empty(&part->media_type)))
    {
        return ai_gemini_refuse(in->rep, in->content, in->index, "inlineData",
                                "data and mimeType are required");
    }

    part->type = ai_gemini_media_type(&part->media_type, file);

    return AI_OK;
}


/* a link without a type is one to a film on YouTube */

static ai_part_e
ai_gemini_media_type(const ai_mstr_t *type, ai_uint_t file)
{
    ai_str_t  s;

    s = type->s;

    if (s.len > 6 && memcmp(s.data, "image/", 6) == 0) {
        return AI_PART_IMAGE;
    }

    if (s.len > 6 && memcmp(s.data, "audio/", 6) == 0) {
        return AI_PART_AUDIO;
    }

    if ((s.len > 6 && memcmp(s.data, "video/", 6) == 0)
        || (s.len == 0 && file))
    {
        return AI_PART_VIDEO;
    }

    return AI_PART_DOCUMENT;
}


static ai_int_t
ai_gemini_call(ai_gemini_in_t *in, ai_gemini_part_t *p)
{
    ai_json_t          value;
    ai_part_t         *part;
    ai_gemini_call_t  *call;

    if (ai_gemini_get(&p->call, "name", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return ai_gemini_refuse(in->rep, in->content, in->index,
                                "functionCall.name", "must be a string");
    }

    part = ai_gemini_append(in, AI_ROLE_ASSISTANT, AI_PART_CALL);
    call = ai_alloc(in->req->alloc, sizeof(ai_gemini_call_t));

    if (part == NULL || call == NULL) {
        return AI_ERROR;
    }

    part->name = ai_mstr(&value);

    if (ai_gemini_get(&p->call, "args", &value) == AI_OK
        && value.type != AI_JSON_NULL)
    {
        if (value.type != AI_JSON_OBJECT) {
            return ai_gemini_refuse(in->rep, in->content, in->index,
                                    "functionCall.args",
                                    "must be an object");
        }

        part->args.s = ai_json_raw(&value);
    }

    if (ai_gemini_get(&p->call, "id", &value) == AI_OK) {
        part->id = ai_mstr(&value);
    }

    in->ncalls++;

    if (ai_mstr_empty(&part->id) && ai_gemini_call_id(in, &part->id) != AI_OK)
    {
        return AI_ERROR;
    }

    call->next = NULL;
    call->part = part;
    *in->last = call;
    in->last = &call->next;

    return (p->signature.type == AI_JSON_STRING)
           ? ai_gemini_state(in, part, &p->signature) : AI_OK;
}


/* made of the number of the call, so that it is the same in each turn */

static ai_int_t
ai_gemini_call_id(ai_gemini_in_t *in, ai_mstr_t *id)
{
    u_char     *p;
    size_t      i;
    ai_uint_t   n;

    static const char  zero[] = "call_000000000000000000000000";

    p = ai_alloc(in->req->alloc, sizeof(zero) - 1);

    if (p == NULL) {
        return AI_ERROR;
    }

    memcpy(p, zero, sizeof(zero) - 1);

    n = in->ncalls;

    for (i = sizeof(zero) - 2; n != 0; n /= 10) {
        p[i--] = (u_char) ('0' + n % 10);
    }

    id->s.data = p;
    id->s.len = sizeof(zero) - 1;
    id->json = 0;

    return AI_OK;
}


static ai_int_t
ai_gemini_response(ai_gemini_in_t *in, const ai_json_t *v)
{
    ai_int_t    rc;
    ai_part_t  *part;
    ai_json_t   value;

    part = ai_gemini_append(in, AI_ROLE_TOOL, AI_PART_RESULT);

    if (part == NULL) {
        return AI_ERROR;
    }

    if (ai_gemini_get(v, "name", &value) == AI_OK) {
        part->name = ai_mstr(&value);
    }

    if (ai_gemini_get(v, "id", &value) == AI_OK) {
        part->id = ai_mstr(&value);
    }

    if (ai_mstr_empty(&part->name) && ai_mstr_empty(&part->id)) {
        return ai_gemini_refuse(in->rep, in->content, in->index,
                                "functionResponse.name", "is required");
    }

    if (ai_gemini_get(v, "response", &value) == AI_OK) {

        rc = ai_gemini_result(in, part, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (ai_gemini_get(v, "parts", &value) == AI_OK) {

        rc = ai_gemini_result_parts(in, part, &value);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_gemini_pair(in, part);

    return AI_OK;
}


/*
 * The API takes nothing but an object, so a text is put into one by its
 * clients: by the names that Google's documentation gives, it is taken out.
 */

static ai_int_t
ai_gemini_result(ai_gemini_in_t *in, ai_part_t *part, const ai_json_t *v)
{
    ai_json_t        name, value, more;
    ai_part_t       *text;
    ai_json_iter_t   it;

    if (v->type == AI_JSON_NULL) {
        return AI_OK;
    }

    text = ai_part_create(in->req->alloc, AI_PART_TEXT);

    if (text == NULL) {
        return AI_ERROR;
    }

    part->content = text;

    if (v->type == AI_JSON_STRING) {
        text->text = ai_mstr(v);
        return AI_OK;
    }

    text->text.s = ai_json_raw(v);

    ai_json_iter_init(&it, v);

    if (v->type != AI_JSON_OBJECT
        || ai_json_next(&it, &name, &value) != AI_OK
        || ai_json_next(&it, NULL, &more) == AI_OK)
    {
        return AI_OK;
    }

    if (ai_json_name_eq(&name, "error")) {
        part->is_error = 1;

    } else if (!ai_json_name_eq(&name, "result")
               && !ai_json_name_eq(&name, "output"))
    {
        return AI_OK;
    }

    if (value.type == AI_JSON_STRING) {
        text->text = ai_mstr(&value);
    }

    return AI_OK;
}


static ai_int_t
ai_gemini_result_parts(ai_gemini_in_t *in, ai_part_t *part,
    const ai_json_t *v)
{
    ai_int_t          rc;
    ai_json_t         value, media;
    ai_uint_t         file;
    ai_part_t       **last;
    ai_json_iter_t    it;

    last = (part->content != NULL) ? &part->content->next : &part->content;

    ai_json_iter_init(&it, v);

    while (v->type == AI_JSON_ARRAY && ai_json_next(&it, NULL, &value) == AI_OK)
    {
        file = 0;

        if (ai_gemini_get(&value, "inlineData", &media) != AI_OK) {
            file = 1;

            if (ai_gemini_get(&value, "fileData", &media) != AI_OK) {
                continue;
            }
        }

        rc = ai_gemini_media(in, last, &media, file);

        if (rc != AI_OK) {
            return rc;
        }

        last = &(*last)->next;
    }

    return AI_OK;
}


/*
 * Which call a response is to: the one of its id, or else the first one of
 * its name that has none yet.
 */

static void
ai_gemini_pair(ai_gemini_in_t *in, ai_part_t *result)
{
    ai_gemini_call_t  *call, **prev, **found;

    found = NULL;

    for (prev = &in->calls; *prev != NULL; prev = &(*prev)->next) {

        call = *prev;

        if (!ai_mstr_empty(&result->id)
            && ai_mstr_same(&call->part->id, &result->id))
        {
            found = prev;
            break;
        }

        if (found == NULL && ai_mstr_same(&call->part->name, &result->name)) {
            found = prev;
        }
    }

    if (found == NULL) {
        return;
    }

    call = *found;
    result->id = call->part->id;
    *found = call->next;

    if (call->next == NULL) {
        in->last = found;
    }
}


/* neighbours of one role are one message */

static ai_message_t *
ai_gemini_message(ai_gemini_in_t *in, ai_role_e role)
{
    in->part = NULL;

    if (in->message != NULL && in->message->role == role) {
        return in->message;
    }

    /* what was called before was answered, or never will be */

    if (role == AI_ROLE_ASSISTANT) {
        in->calls = NULL;
        in->last = &in->calls;
    }

    in->message = ai_request_message(in->req, role);

    return in->message;
}


ai_part_t *
ai_gemini_append(ai_gemini_in_t *in, ai_role_e role, ai_part_e type)
{
    ai_message_t  *m;

    m = ai_gemini_message(in, role);

    return (m != NULL) ? ai_message_part(in->req, m, type) : NULL;
}


/*
 * A client that keeps the chunks of a stream sends the answer back in as many
 * parts; what a model said without a break is one again.
 */

ai_int_t
ai_gemini_join(ai_gemini_in_t *in, ai_role_e role, ai_part_e type,
    const ai_json_t *text)
{
    ai_mstr_t   piece;
    ai_part_t  *part;

    piece = ai_mstr(text);

    if (ai_mstr_empty(&piece)) {
        return AI_OK;
    }

    part = in->part;

    if (part == NULL || part->type != type || role != AI_ROLE_ASSISTANT
        || in->message->role != role)
    {
        part = ai_gemini_append(in, role, type);

        if (part == NULL) {
            return AI_ERROR;
        }

        part->text = piece;
        in->part = part;
        in->text.start = NULL;

        return AI_OK;
    }

    if (in->text.start == NULL) {
        ai_buf_init(&in->text, in->req->alloc, (size_t) -1 / 2);
        ai_buf_chars(&in->text, &part->text);
    }

    ai_buf_chars(&in->text, &piece);

    return ai_buf_get(&in->text, &part->text.s);
}

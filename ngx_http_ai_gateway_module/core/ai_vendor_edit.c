
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a client's body must be changed in for a vendor that takes less than
 * its dialect says, or other names for it.
 */


#include "ai_hash.h"
#include "ai_vendor.h"


#define AI_VENDOR_ID_LEN  9

/* ids are decoded to here; of longer ones the characters count as they are */
#define AI_VENDOR_ID_MAX  1024

/* flags that say something about a body */

#define AI_VENDOR_BODY                                                       \
    (AI_VENDOR_NO_STREAM_OPTIONS|AI_VENDOR_ID9|AI_VENDOR_CHOICE_ANY          \
     |AI_VENDOR_SYSTEM|AI_VENDOR_MAX_TOKENS|AI_VENDOR_PREFIX                 \
     |AI_VENDOR_NO_MODEL|AI_VENDOR_VERTEX_CLAUDE|AI_VENDOR_BEDROCK_CLAUDE)

/* and about its messages */

#define AI_VENDOR_MESSAGES                                                   \
    (AI_VENDOR_ID9|AI_VENDOR_SYSTEM|AI_VENDOR_PREFIX)


typedef struct {
    const ai_vendor_t  *vendor;
    ai_splice_t        *splice;
    ai_alloc_t         *alloc;
    const ai_json_t    *root;
    ai_json_t           messages;
    ai_uint_t           has_messages;
    ai_int_t            rc;            /* of the edits of members */
} ai_vendor_edit_t;


static ai_uint_t ai_vendor_member(void *data, ai_json_t *name,
    ai_json_t *value);
static const ai_vendor_member_t *ai_vendor_member_find(const ai_vendor_t *v,
    const ai_json_t *name);
static ai_uint_t ai_vendor_is(const ai_json_t *v, const char *text);
static ai_uint_t ai_vendor_rename(ai_vendor_edit_t *e, ai_json_t *name,
    const char *to);
static ai_uint_t ai_vendor_allowed(const ai_vendor_t *v,
    const ai_json_t *name);
static ai_int_t ai_vendor_edit_model(const ai_json_t *object,
    const ai_str_t *name, ai_splice_t *sp);
static ai_int_t ai_vendor_replace(ai_vendor_edit_t *e, const ai_json_t *v,
    const char *text);
static ai_int_t ai_vendor_messages(ai_vendor_edit_t *e);
static ai_uint_t ai_vendor_message_drops(const ai_vendor_t *v);
static ai_uint_t ai_vendor_message_member(void *data, ai_json_t *name,
    ai_json_t *value);
static ai_int_t ai_vendor_prefix(ai_vendor_edit_t *e, ai_json_t *message);
static ai_int_t ai_vendor_calls(ai_vendor_edit_t *e, ai_json_t *calls);
static ai_int_t ai_vendor_id(ai_vendor_edit_t *e, const ai_json_t *id);
static ai_int_t ai_vendor_version(ai_vendor_edit_t *e);


ai_int_t
ai_vendor_edit(const ai_vendor_t *v, const ai_json_t *root, ai_splice_t *sp,
    ai_alloc_t *a)
{
    ai_vendor_edit_t  e;

    if (v->members == NULL && v->allowed == NULL
        && !(v->flags & AI_VENDOR_BODY))
    {
        return AI_OK;
    }

    if (root->type != AI_JSON_OBJECT) {
        return AI_OK;
    }

    memset(&e, 0, sizeof(ai_vendor_edit_t));

    e.vendor = v;
    e.splice = sp;
    e.alloc = a;
    e.root = root;

    if (ai_splice_members_remove(sp, root, ai_vendor_member, &e) != AI_OK
        || e.rc != AI_OK)
    {
        return AI_ERROR;
    }

    if (e.has_messages
        && ((v->flags & AI_VENDOR_MESSAGES) || ai_vendor_message_drops(v))
        && ai_vendor_messages(&e) != AI_OK)
    {
        return AI_ERROR;
    }

    return ai_vendor_version(&e);
}


ai_int_t
ai_vendor_edit_models(const ai_json_t *root, const ai_str_t *model,
    ai_splice_t *sp, ai_alloc_t *a)
{
    ai_buf_t        b;
    ai_str_t        name;
    ai_json_t       list, one;
    ai_json_iter_t  it;

    ai_buf_init(&b, a, SIZE_MAX / 2);

    ai_buf_lit(&b, "\"models/");
    ai_buf_raw(&b, model);
    ai_buf_lit(&b, "\"");

    if (ai_buf_get(&b, &name) != AI_OK
        || ai_vendor_edit_model(root, &name, sp) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_json_get(root, "generateContentRequest", &one) == AI_OK
        && ai_vendor_edit_model(&one, &name, sp) != AI_OK)
    {
        return AI_ERROR;
    }

    if (ai_json_get(root, "requests", &list) != AI_OK) {
        return AI_OK;
    }

    ai_json_iter_init(&it, &list);

    while (ai_json_next(&it, NULL, &one) == AI_OK) {
        if (ai_vendor_edit_model(&one, &name, sp) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_vendor_edit_model(const ai_json_t *object, const ai_str_t *name,
    ai_splice_t *sp)
{
    ai_json_t  v;

    if (object->type != AI_JSON_OBJECT
        || ai_json_get(object, "model", &v) != AI_OK
        || v.type != AI_JSON_STRING)
    {
        return AI_OK;
    }

    return ai_splice_replace(sp, v.start, v.end, name);
}


ai_int_t
ai_vendor_edit_embed(const ai_vendor_t *v, const ai_json_t *root,
    ai_splice_t *sp, ai_alloc_t *a)
{
    ai_vendor_t  row;

    if (v->members == NULL) {
        return AI_OK;
    }

    row = *v;
    row.allowed = NULL;
    row.flags = 0;

    return ai_vendor_edit(&row, root, sp, a);
}


/* one member of the body: edits it; whether it is to be removed */

static ai_uint_t
ai_vendor_member(void *data, ai_json_t *name, ai_json_t *value)
{
    ai_vendor_edit_t *e = data;

    ai_uint_t                  flags;
    const ai_vendor_member_t  *member;

    flags = e->vendor->flags;

    if (ai_json_name_eq(name, "messages")) {
        e->messages = *value;
        e->has_messages = 1;
        return 0;
    }

    if ((flags & AI_VENDOR_NO_MODEL) && ai_json_name_eq(name, "model")) {
        return 1;
    }

    if ((flags & AI_VENDOR_BEDROCK_CLAUDE) && ai_json_name_eq(name, "stream"))
    {
        return 1;
    }

    if ((flags & AI_VENDOR_NO_STREAM_OPTIONS)
        && ai_json_name_eq(name, "stream_options"))
    {
        return 1;
    }

    if ((flags & AI_VENDOR_MAX_TOKENS)
        && ai_json_name_eq(name, "max_completion_tokens"))
    {
        return ai_vendor_rename(e, name, "max_tokens");
    }

    member = ai_vendor_member_find(e->vendor, name);

    if (member != NULL) {
        return member->to == NULL || ai_vendor_rename(e, name, member->to);
    }

    if (!ai_vendor_allowed(e->vendor, name)) {
        return 1;
    }

    if ((flags & AI_VENDOR_CHOICE_ANY)
        && ai_json_name_eq(name, "tool_choice")
        && ai_json_name_eq(value, "required")
        && ai_vendor_replace(e, value, "\"any\"") != AI_OK)
    {
        e->rc = AI_ERROR;
    }

    return 0;
}


static const ai_vendor_member_t *
ai_vendor_member_find(const ai_vendor_t *v, const ai_json_t *name)
{
    const ai_vendor_member_t  *member;

    for (member = v->members; member && member->from != NULL; member++) {
        if (ai_vendor_is(name, member->from)) {
            return member;
        }
    }

    return NULL;
}


static ai_uint_t
ai_vendor_is(const ai_json_t *v, const char *text)
{
    return ai_json_str_eq(v, text, strlen(text));
}


/* what a client says by both names, it says by the new one */

static ai_uint_t
ai_vendor_rename(ai_vendor_edit_t *e, ai_json_t *name, const char *to)
{
    u_char     *p;
    size_t      len;
    ai_str_t    with;
    ai_json_t   value;

    if (ai_vendor_is(name, to)) {
        return 0;
    }

    if (ai_json_get(e->root, to, &value) == AI_OK) {
        return 1;
    }

    len = strlen(to);

    p = ai_alloc(e->alloc, len + 2);
    if (p == NULL) {
        e->rc = AI_ERROR;
        return 0;
    }

    with.data = p;
    with.len = len + 2;

    *p++ = '"';
    memcpy(p, to, len);
    p[len] = '"';

    if (ai_splice_replace(e->splice, name->start, name->end, &with)
        != AI_OK)
    {
        e->rc = AI_ERROR;
    }

    return 0;
}


static ai_uint_t
ai_vendor_allowed(const ai_vendor_t *v, const ai_json_t *name)
{
    const char *const  *allowed;

    if (v->allowed == NULL) {
        return 1;
    }

    for (allowed = v->allowed; *allowed != NULL; allowed++) {
        if (ai_vendor_is(name, *allowed)) {
            return 1;
        }
    }

    return 0;
}


/* text is JSON, and static */

static ai_int_t
ai_vendor_replace(ai_vendor_edit_t *e, const ai_json_t *v, const char *text)
{
    ai_str_t  with;

    with.data = (u_char *) text;
    with.len = strlen(text);

    return ai_splice_replace(e->splice, v->start, v->end, &with);
}


static ai_int_t
ai_vendor_messages(ai_vendor_edit_t *e)
{
    ai_json_t       message;
    ai_json_iter_t  it;

    ai_json_iter_init(&it, &e->messages);

    message.type = AI_JSON_NULL;

    while (ai_json_next(&it, NULL, &message) == AI_OK) {

        if (message.type != AI_JSON_OBJECT) {
            continue;
        }

        if (ai_splice_members_remove(e->splice, &message,
                                     ai_vendor_message_member, e)
            != AI_OK
            || e->rc != AI_OK)
        {
            return AI_ERROR;
        }
    }

    if ((e->vendor->flags & AI_VENDOR_PREFIX)
        && e->messages.type == AI_JSON_ARRAY
        && message.type == AI_JSON_OBJECT)
    {
        return ai_vendor_prefix(e, &message);
    }

    return AI_OK;
}


static ai_uint_t
ai_vendor_message_drops(const ai_vendor_t *v)
{
    const ai_vendor_member_t  *member;

    for (member = v->members; member && member->from != NULL; member++) {
        if (member->to == NULL
            && strncmp(member->from, "messages.", 9) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ai_uint_t
ai_vendor_message_member(void *data, ai_json_t *name, ai_json_t *value)
{
    ai_vendor_edit_t *e = data;

    ai_int_t                   rc;
    ai_uint_t                  flags;
    const ai_vendor_member_t  *member;

    flags = e->vendor->flags;
    rc = AI_OK;

    if ((flags & AI_VENDOR_SYSTEM) && ai_json_name_eq(name, "role")
        && ai_json_name_eq(value, "developer"))
    {
        rc = ai_vendor_replace(e, value, "\"system\"");

    } else if ((flags & AI_VENDOR_ID9)
               && ai_json_name_eq(name, "tool_call_id"))
    {
        rc = ai_vendor_id(e, value);

    } else if ((flags & AI_VENDOR_ID9) && ai_json_name_eq(name, "tool_calls"))
    {
        rc = ai_vendor_calls(e, value);
    }

    if (rc != AI_OK) {
        e->rc = AI_ERROR;
        return 0;
    }

    for (member = e->vendor->members;
         member != NULL && member->from != NULL;
         member++)
    {
        if (member->to == NULL
            && strncmp(member->from, "messages.", 9) == 0
            && ai_vendor_is(name, member->from + 9))
        {
            return 1;
        }
    }

    return 0;
}


/* what the assistant is to go on with */

static ai_int_t
ai_vendor_prefix(ai_vendor_edit_t *e, ai_json_t *message)
{
    ai_json_t  value;

    static const ai_str_t  on = ai_string("true");

    if (ai_json_get(message, "role", &value) != AI_OK
        || !ai_json_name_eq(&value, "assistant")
        || ai_json_get(message, "prefix", &value) == AI_OK)
    {
        return AI_OK;
    }

    return ai_splice_member_set(e->splice, message, "prefix", &on);
}


static ai_int_t
ai_vendor_calls(ai_vendor_edit_t *e, ai_json_t *calls)
{
    ai_json_t       call, id;
    ai_json_iter_t  it;

    if (calls->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_json_iter_init(&it, calls);

    while (ai_json_next(&it, NULL, &call) == AI_OK) {

        if (call.type == AI_JSON_OBJECT
            && ai_json_get(&call, "id", &id) == AI_OK
            && ai_vendor_id(e, &id) != AI_OK)
        {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_vendor_id(ai_vendor_edit_t *e, const ai_json_t *id)
{
    u_char     *p, out[AI_VENDOR_ID_LEN];
    ai_str_t    with;
    ai_mstr_t   m;

    if (id->type != AI_JSON_STRING) {
        return AI_OK;
    }

    m = ai_mstr(id);

    if (ai_vendor_id9(&m, out) == 0) {
        return AI_OK;
    }

    p = ai_alloc(e->alloc, AI_VENDOR_ID_LEN + 2);
    if (p == NULL) {
        return AI_ERROR;
    }

    with.data = p;
    with.len = AI_VENDOR_ID_LEN + 2;

    *p++ = '"';
    memcpy(p, out, AI_VENDOR_ID_LEN);
    p[AI_VENDOR_ID_LEN] = '"';

    return ai_splice_replace(e->splice, id->start, id->end, &with);
}


/* the version of the API, which others send in a header */

static ai_int_t
ai_vendor_version(ai_vendor_edit_t *e)
{
    ai_json_t        value;
    const ai_str_t  *version;

    static const ai_str_t  vertex = ai_string("\"vertex-2023-10-16\"");
    static const ai_str_t  bedrock = ai_string("\"bedrock-2023-05-31\"");

    if (e->vendor->flags & AI_VENDOR_VERTEX_CLAUDE) {
        version = &vertex;

    } else if (e->vendor->flags & AI_VENDOR_BEDROCK_CLAUDE) {
        version = &bedrock;

    } else {
        return AI_OK;
    }

    if (ai_json_get(e->root, "anthropic_version", &value) == AI_OK) {
        return AI_OK;
    }

    return ai_splice_member_set(e->splice, e->root, "anthropic_version",
                                version);
}


size_t
ai_vendor_id9(const ai_mstr_t *id, u_char *out)
{
    u_char      buf[AI_VENDOR_ID_MAX], *p;
    size_t      i, len;
    uint64_t    hash;
    ai_uint_t   fits;
    ai_json_t   v;

    p = id->s.data;
    len = id->s.len;

    if (id->json && len <= AI_VENDOR_ID_MAX && len != 0
        && memchr(p, '\\', len) != NULL)
    {
        v = ai_mstr_value(id);
        len = ai_json_str_decode(&v, buf);
        p = buf;
    }

    fits = (len == AI_VENDOR_ID_LEN);

    for (i = 0; i < len; i++) {

        if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z')
              || (p[i] >= '0' && p[i] <= '9')))
        {
            fits = 0;
        }
    }

    if (fits) {
        return 0;
    }

    /* its low bits are the last to be mixed */

    hash = ai_hash(p, len);
    hash ^= hash >> 32;

    for (i = 0; i < AI_VENDOR_ID_LEN; i++) {
        out[i] = (u_char) "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "abcdefghijklmnopqrstuvwxyz"[hash % 62];
        hash /= 62;
    }

    return AI_VENDOR_ID_LEN;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_message.h"


#define AI_REPORT_NAME_LEN  64

/* "_" and the hash behind a name that was shortened */
#define AI_NAME_TAIL        9


typedef struct {
    const char   *name;
    ai_effort_e   effort;
    uint64_t      budget;
} ai_effort_row_t;


static void ai_report_add(ai_report_t *rep, const ai_str_t *name);
static ai_uint_t ai_name_fits(const ai_str_t *name, size_t max);
static ai_int_t ai_name_shorten(ai_request_t *req, const ai_mstr_t *name,
    const ai_str_t *plain, size_t max, ai_str_t *out);
static uint32_t ai_name_hash(const ai_str_t *name, uint32_t hash);
static ai_uint_t ai_url_prefix(const ai_str_t *s, const char *prefix,
    size_t len);
static ai_int_t ai_object_wrap(const char *name, const ai_mstr_t *text,
    ai_alloc_t *a, ai_str_t *out);


/* wire-formats.md 2.4; the budgets of Claude models that think by budget */

static const ai_effort_row_t  ai_efforts[] = {

    { "none", AI_EFFORT_NONE, 0 },
    { "minimal", AI_EFFORT_MINIMAL, 1024 },
    { "low", AI_EFFORT_LOW, 1024 },
    { "medium", AI_EFFORT_MEDIUM, 2048 },
    { "high", AI_EFFORT_HIGH, 4096 },
    { "xhigh", AI_EFFORT_XHIGH, 8192 },
    { "max", AI_EFFORT_MAX, 16384 },

    { NULL, AI_EFFORT_UNSET, 0 }
};


void
ai_report_init(ai_report_t *rep, ai_alloc_t *a)
{
    memset(rep, 0, sizeof(ai_report_t));

    rep->alloc = a;
}


void
ai_report_drop(ai_report_t *rep, const char *name)
{
    ai_str_t  s;

    s.len = strlen(name);
    s.data = (u_char *) name;

    ai_report_add(rep, &s);
}


void
ai_report_drop_name(ai_report_t *rep, const ai_json_t *name)
{
    u_char    *p;
    size_t     i;
    ai_str_t   s;

    if (rep->ndropped == AI_REPORT_DROPS || name->type != AI_JSON_STRING) {
        return;
    }

    s = ai_json_str_raw(name);

    p = ai_alloc(rep->alloc, s.len);
    if (p == NULL) {
        return;
    }

    s.len = ai_json_str_decode(name, p);
    s.data = p;

    if (s.len > AI_REPORT_NAME_LEN) {
        s.len = AI_REPORT_NAME_LEN;
    }

    /* the list goes to a header, where names are parted by commas */

    for (i = 0; i < s.len; i++) {
        if (p[i] <= ' ' || p[i] >= 0x7f || p[i] == ',' || p[i] == '"') {
            p[i] = '?';
        }
    }

    ai_report_add(rep, &s);
}


static void
ai_report_add(ai_report_t *rep, const ai_str_t *name)
{
    ai_str_t   *d;
    ai_uint_t   i;

    for (i = 0; i < rep->ndropped; i++) {
        d = &rep->dropped[i];

        if (d->len == name->len && memcmp(d->data, name->data, d->len) == 0) {
            return;
        }
    }

    if (rep->ndropped < AI_REPORT_DROPS) {
        rep->dropped[rep->ndropped++] = *name;
    }
}


ai_int_t
ai_report_refuse(ai_report_t *rep, const char *param, const char *message)
{
    u_char  *p;
    size_t   len;

    /* the first reason is the one that is told */

    if (rep->message.len != 0) {
        return AI_DECLINED;
    }

    rep->message.len = strlen(message);
    rep->message.data = (u_char *) message;

    len = (param != NULL) ? strlen(param) : 0;

    if (len != 0) {
        p = ai_alloc(rep->alloc, len);

        if (p != NULL) {
            memcpy(p, param, len);
            rep->param.len = len;
            rep->param.data = p;
        }
    }

    return AI_DECLINED;
}


void
ai_request_init(ai_request_t *req, ai_alloc_t *a)
{
    memset(req, 0, sizeof(ai_request_t));

    req->alloc = a;
    req->last = &req->messages;
    req->last_tool = &req->tools;
}


ai_message_t *
ai_request_message(ai_request_t *req, ai_role_e role)
{
    ai_message_t  *m;

    m = ai_alloc(req->alloc, sizeof(ai_message_t));
    if (m == NULL) {
        return NULL;
    }

    memset(m, 0, sizeof(ai_message_t));

    m->role = role;
    m->last = &m->parts;

    *req->last = m;
    req->last = &m->next;

    return m;
}


ai_tool_t *
ai_request_tool(ai_request_t *req)
{
    ai_tool_t  *tool;

    tool = ai_alloc(req->alloc, sizeof(ai_tool_t));
    if (tool == NULL) {
        return NULL;
    }

    memset(tool, 0, sizeof(ai_tool_t));

    *req->last_tool = tool;
    req->last_tool = &tool->next;

    return tool;
}


ai_part_t *
ai_message_part(ai_request_t *req, ai_message_t *m, ai_part_e type)
{
    ai_part_t  *part;

    part = ai_part_create(req->alloc, type);
    if (part == NULL) {
        return NULL;
    }

    *m->last = part;
    m->last = &part->next;

    return part;
}


ai_part_t *
ai_part_create(ai_alloc_t *a, ai_part_e type)
{
    ai_part_t  *part;

    part = ai_alloc(a, sizeof(ai_part_t));
    if (part == NULL) {
        return NULL;
    }

    memset(part, 0, sizeof(ai_part_t));

    part->type = type;

    return part;
}


void
ai_part_url(ai_part_t *part, const ai_mstr_t *url, const char *media_type)
{
    u_char    *p, *type, *comma, *end;
    ai_str_t   s;

    s = url->s;
    end = s.data + s.len;

    if (!ai_url_prefix(&s, "data:", 5)) {
        part->url = *url;
        return;
    }

    type = s.data + 5;

    comma = memchr(type, ',', end - type);
    if (comma == NULL || comma - type < 7) {
        part->url = *url;
        return;
    }

    /* what is not base64 can be told by no other dialect */

    s.data = comma - 7;
    s.len = 7;

    if (!ai_url_prefix(&s, ";base64", 7)) {
        part->url = *url;
        return;
    }

    p = memchr(type, ';', comma - type);

    if (p != type) {
        part->media_type.s.data = type;
        part->media_type.s.len = p - type;
        part->media_type.json = url->json;

    } else {
        part->media_type = ai_mstr_cstr(media_type);
    }

    part->data.s.data = comma + 1;
    part->data.s.len = end - (comma + 1);
    part->data.json = url->json;
}


/* prefix is in lower case, s may be in any */

static ai_uint_t
ai_url_prefix(const ai_str_t *s, const char *prefix, size_t len)
{
    u_char  ch;
    size_t  i;

    if (s->len < len) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        ch = s->data[i];

        if (ch >= 'A' && ch <= 'Z') {
            ch |= 0x20;
        }

        if (ch != (u_char) prefix[i]) {
            return 0;
        }
    }

    return 1;
}


ai_int_t
ai_request_name(ai_request_t *req, const ai_mstr_t *name, size_t max,
    ai_mstr_t *out)
{
    ai_str_t  plain, sent;

    if (ai_mstr_decode(name, req->alloc, &plain) != AI_OK) {
        return AI_ERROR;
    }

    if (ai_name_fits(&plain, max)) {
        *out = ai_mstr_plain(&plain);
        return AI_OK;
    }

    if (ai_name_shorten(req, name, &plain, max, &sent) != AI_OK) {
        return AI_ERROR;
    }

    *out = ai_mstr_plain(&sent);

    return AI_OK;
}


static ai_uint_t
ai_name_fits(const ai_str_t *name, size_t max)
{
    u_char  ch;
    size_t  i;

    if (name->len == 0 || name->len > max) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-'))
        {
            return 0;
        }
    }

    return 1;
}


/*
 * As much of the name as fits, then its hash, so that it does not depend on
 * what was named before: a model must see the same tool by the same name in
 * each turn, and a provider's cache as well.
 */

static ai_int_t
ai_name_shorten(ai_request_t *req, const ai_mstr_t *name,
    const ai_str_t *plain, size_t max, ai_str_t *out)
{
    u_char     *p;
    size_t      i, len;
    uint32_t    hash;
    ai_str_t    ch;
    ai_name_t  *n;

    len = (max > AI_NAME_TAIL) ? max - AI_NAME_TAIL : 0;

    if (len > plain->len) {
        len = plain->len;
    }

    p = ai_alloc(req->alloc, len + AI_NAME_TAIL);
    if (p == NULL) {
        return AI_ERROR;
    }

    out->data = p;
    out->len = len + AI_NAME_TAIL;

    for (i = 0; i < len; i++) {
        ch.data = &plain->data[i];
        ch.len = 1;
        p[i] = ai_name_fits(&ch, 1) ? plain->data[i] : '_';
    }

    p[len] = '_';

    hash = ai_name_hash(plain, 2166136261u);

again:

    for (i = 0; i < 8; i++) {
        p[len + 1 + i] = "0123456789abcdef"[(hash >> (28 - 4 * i)) & 0xf];
    }

    for (n = req->names; n != NULL; n = n->next) {

        if (n->sent.len != out->len
            || memcmp(n->sent.data, p, out->len) != 0)
        {
            continue;
        }

        if (ai_mstr_same(&n->name, name)) {
            *out = n->sent;
            return AI_OK;
        }

        /* another name of this hash */

        hash = ai_name_hash(plain, hash);
        goto again;
    }

    n = ai_alloc(req->alloc, sizeof(ai_name_t));
    if (n == NULL) {
        return AI_ERROR;
    }

    n->sent = *out;
    n->name = *name;
    n->next = req->names;
    req->names = n;

    return AI_OK;
}


/* FNV-1a */

static uint32_t
ai_name_hash(const ai_str_t *name, uint32_t hash)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        hash = (hash ^ name->data[i]) * 16777619u;
    }

    return hash;
}


ai_uint_t
ai_request_allowed(const ai_request_t *req, const ai_mstr_t *name)
{
    ai_uint_t  i;

    if (req->nallowed == 0) {
        return 1;
    }

    for (i = 0; i < req->nallowed; i++) {
        if (ai_mstr_same(&req->allowed[i], name)) {
            return 1;
        }
    }

    return 0;
}


ai_int_t
ai_part_object(const ai_part_t *call, ai_alloc_t *a, ai_str_t *out)
{
    ai_int_t         rc;
    ai_str_t         text;
    ai_mstr_t        m;
    ai_json_t        root;
    ai_json_error_t  err;

    if (call->custom) {
        return ai_object_wrap("input", &call->args, a, out);
    }

    if (ai_mstr_decode(&call->args, a, &text) != AI_OK) {
        return AI_ERROR;
    }

    while (text.len != 0 && memchr(" \t\r\n", text.data[0], 4) != NULL) {
        text.data++;
        text.len--;
    }

    if (text.len == 0) {
        ai_str_set(out, "{}");
        return AI_OK;
    }

    rc = ai_json_scan(text.data, text.len, NULL, a, NULL, NULL, &root, &err);

    if (rc == AI_ERROR) {
        return AI_ERROR;
    }

    if (rc == AI_OK && root.type == AI_JSON_OBJECT) {
        *out = ai_json_raw(&root);
        return AI_OK;
    }

    if (rc == AI_OK && root.type == AI_JSON_NULL) {
        ai_str_set(out, "{}");
        return AI_OK;
    }

    m = ai_mstr_plain(&text);

    return ai_object_wrap("rawInvalidInput", &m, a, out);
}


static ai_int_t
ai_object_wrap(const char *name, const ai_mstr_t *text, ai_alloc_t *a,
    ai_str_t *out)
{
    ai_buf_t  b;

    ai_buf_init(&b, a, (size_t) -1 / 2);

    ai_buf_lit(&b, "{");
    ai_buf_key(&b, name);
    ai_buf_string(&b, text);
    ai_buf_lit(&b, "}");

    return ai_buf_get(&b, out);
}


const char *
ai_effort_name(ai_effort_e effort)
{
    const ai_effort_row_t  *row;

    for (row = ai_efforts; row->name != NULL; row++) {
        if (row->effort == effort) {
            return row->name;
        }
    }

    return NULL;
}


ai_effort_e
ai_effort_find(const ai_mstr_t *name)
{
    const ai_effort_row_t  *row;

    for (row = ai_efforts; row->name != NULL; row++) {
        if (ai_mstr_eq(name, row->name)) {
            return row->effort;
        }
    }

    return AI_EFFORT_UNSET;
}


/*
 * Never above "high": few models take more, and agents ask for as many tokens
 * as there can be where they mean no more than that.
 */

ai_effort_e
ai_effort_budget(uint64_t budget)
{
    if (budget == 0) {
        return AI_EFFORT_NONE;
    }

    if (budget < (1024 + 2048) / 2) {
        return AI_EFFORT_LOW;
    }

    if (budget < (2048 + 4096) / 2) {
        return AI_EFFORT_MEDIUM;
    }

    return AI_EFFORT_HIGH;
}


uint64_t
ai_budget_effort(ai_effort_e effort)
{
    const ai_effort_row_t  *row;

    for (row = ai_efforts; row->name != NULL; row++) {
        if (row->effort == effort) {
            return row->budget;
        }
    }

    return 0;
}

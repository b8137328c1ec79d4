
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_credential.h"


typedef struct {
    const char  *ini;
    const char  *json;
    size_t       offset;
} ai_credential_field_t;


static ai_int_t ai_credential_json(const ai_str_t *text, ai_alloc_t *a,
    ai_sigv4_credentials_t *c);
static void ai_credential_ini(const ai_str_t *text,
    ai_sigv4_credentials_t *c);
static void ai_credential_line(u_char *p, u_char *last,
    ai_sigv4_credentials_t *c);
static void ai_credential_colons(const ai_str_t *text,
    ai_sigv4_credentials_t *c);
static ai_int_t ai_credential_check(ai_str_t *s, ai_alloc_t *a);


#define ai_credential_at(c, field)                                           \
    ((ai_str_t *) (void *) ((u_char *) (c) + (field)->offset))


/* as a credentials file and as JSON names them; the token has two names */

static const ai_credential_field_t  ai_credential_fields[] = {
    { "aws_access_key_id", "AccessKeyId",
      offsetof(ai_sigv4_credentials_t, key) },
    { "aws_secret_access_key", "SecretAccessKey",
      offsetof(ai_sigv4_credentials_t, secret) },
    { "aws_session_token", "SessionToken",
      offsetof(ai_sigv4_credentials_t, token) },
    { "aws_security_token", "Token",
      offsetof(ai_sigv4_credentials_t, token) },
    { NULL, NULL, 0 }
};


ai_int_t
ai_credential_aws(const ai_str_t *text, ai_alloc_t *a,
    ai_sigv4_credentials_t *c)
{
    size_t    i;
    ai_int_t  rc;

    memset(c, 0, sizeof(ai_sigv4_credentials_t));

    for (i = 0; i < text->len && text->data[i] <= ' '; i++) { /* void */ }

    if (i == text->len) {
        return AI_DECLINED;
    }

    if (text->data[i] == '{') {

        rc = ai_credential_json(text, a, c);

        if (rc != AI_OK) {
            return rc;
        }

    } else if (memchr(text->data, '=', text->len) != NULL
               && memchr(text->data, '\n', text->len) != NULL)
    {
        ai_credential_ini(text, c);

    } else {
        ai_credential_colons(text, c);
    }

    if (c->key.len == 0) {
        return AI_DECLINED;
    }

    rc = ai_credential_check(&c->key, a);

    if (rc == AI_OK) {
        rc = ai_credential_check(&c->secret, a);
    }

    if (rc == AI_OK) {
        rc = ai_credential_check(&c->token, a);
    }

    return rc;
}


static ai_int_t
ai_credential_json(const ai_str_t *text, ai_alloc_t *a,
    ai_sigv4_credentials_t *c)
{
    ai_str_t                     *to;
    ai_json_t                     root, v;
    ai_mstr_t                     m;
    ai_json_error_t               err;
    const ai_credential_field_t  *f;

    if (ai_json_scan(text->data, text->len, NULL, a, NULL, NULL, &root, &err)
        != AI_OK)
    {
        return AI_DECLINED;
    }

    for (f = ai_credential_fields; f->json != NULL; f++) {

        to = ai_credential_at(c, f);

        if (to->len != 0 || ai_json_get(&root, f->json, &v) != AI_OK) {
            continue;
        }

        m = ai_mstr(&v);

        if (ai_mstr_decode(&m, a, to) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


static void
ai_credential_ini(const ai_str_t *text, ai_sigv4_credentials_t *c)
{
    u_char  *p, *last, *end;

    p = text->data;
    last = p + text->len;

    for ( /* void */ ; p < last; p = end + 1) {

        end = memchr(p, '\n', (size_t) (last - p));

        if (end == NULL) {
            end = last;
        }

        /* the next section is another one's */

        if (*p == '[' && c->key.len != 0) {
            return;
        }

        ai_credential_line(p, end, c);
    }
}


static void
ai_credential_line(u_char *p, u_char *last, ai_sigv4_credentials_t *c)
{
    u_char                       *eq, *name;
    size_t                        len;
    ai_str_t                     *to;
    const ai_credential_field_t  *f;

    eq = memchr(p, '=', (size_t) (last - p));

    if (eq == NULL) {
        return;
    }

    while (p < eq && *p <= ' ') {
        p++;
    }

    for (name = eq; name > p && name[-1] <= ' '; name--) { /* void */ }

    len = (size_t) (name - p);

    for (f = ai_credential_fields; f->ini != NULL; f++) {

        if (strlen(f->ini) != len || memcmp(f->ini, p, len) != 0) {
            continue;
        }

        for (eq++; eq < last && *eq <= ' '; eq++) { /* void */ }

        while (last > eq && last[-1] <= ' ') {
            last--;
        }

        to = ai_credential_at(c, f);

        to->data = eq;
        to->len = (size_t) (last - eq);
    }
}


static void
ai_credential_colons(const ai_str_t *text, ai_sigv4_credentials_t *c)
{
    u_char    *p, *last, *colon;
    ai_uint_t  i;
    ai_str_t  *to[3];

    to[0] = &c->key;
    to[1] = &c->secret;
    to[2] = &c->token;

    p = text->data;
    last = p + text->len;

    while (last > p && last[-1] <= ' ') {
        last--;
    }

    for (i = 0; i < 3; i++) {

        colon = (i < 2) ? memchr(p, ':', (size_t) (last - p)) : NULL;

        to[i]->data = p;
        to[i]->len = (size_t) ((colon ? colon : last) - p);

        if (colon == NULL) {
            return;
        }

        p = colon + 1;
    }
}


/* it goes into a header, and what it was read from does not stay */

static ai_int_t
ai_credential_check(ai_str_t *s, ai_alloc_t *a)
{
    size_t   i;
    u_char  *p;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] <= ' ' || s->data[i] >= 0x7f) {
            return AI_DECLINED;
        }
    }

    if (s->len == 0) {
        return AI_OK;
    }

    p = ai_alloc(a, s->len);

    if (p == NULL) {
        return AI_ERROR;
    }

    memcpy(p, s->data, s->len);
    s->data = p;

    return AI_OK;
}

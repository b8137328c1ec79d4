
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "ai_base64.h"
#include "ai_google.h"


/* seconds: an assertion is used at once, Google takes an hour at most */

#define AI_GOOGLE_LIFETIME   3600
#define AI_GOOGLE_BODY_MAX   65536


static ai_int_t ai_google_string(const ai_json_t *root, const char *name,
    ai_alloc_t *a, ai_str_t *out);
static EVP_PKEY *ai_google_key(const ai_google_account_t *account);
static ai_int_t ai_google_assertion(const ai_google_account_t *account,
    uint64_t now, ai_alloc_t *a, ai_buf_t *out);
static ai_int_t ai_google_sign(const ai_google_account_t *account,
    const ai_str_t *text, ai_alloc_t *a, ai_str_t *signature);
static void ai_google_base64(ai_buf_t *b, const ai_str_t *s);
static void ai_google_field(ai_buf_t *b, const char *name,
    const ai_str_t *value);


ai_int_t
ai_google_account(const ai_str_t *json, ai_alloc_t *a,
    ai_google_account_t *account, const char **err)
{
    EVP_PKEY         *key;
    ai_str_t          type;
    ai_json_t         root;
    ai_json_error_t   error;

    memset(account, 0, sizeof(ai_google_account_t));

    if (ai_json_scan(json->data, json->len, NULL, a, NULL, NULL, &root,
                     &error)
        != AI_OK
        || root.type != AI_JSON_OBJECT)
    {
        *err = "it is not JSON";
        return AI_DECLINED;
    }

    if (ai_google_string(&root, "type", a, &type) != AI_OK
        || ai_google_string(&root, "client_email", a, &account->email)
           != AI_OK
        || ai_google_string(&root, "private_key", a, &account->key) != AI_OK
        || ai_google_string(&root, "private_key_id", a, &account->key_id)
           != AI_OK
        || ai_google_string(&root, "client_id", a, &account->client_id)
           != AI_OK
        || ai_google_string(&root, "client_secret", a,
                            &account->client_secret)
           != AI_OK
        || ai_google_string(&root, "refresh_token", a,
                            &account->refresh_token)
           != AI_OK
        || ai_google_string(&root, "token_uri", a, &account->token_uri)
           != AI_OK
        || ai_google_string(&root, "project_id", a, &account->project)
           != AI_OK)
    {
        return AI_ERROR;
    }

    if (account->token_uri.len == 0) {
        ai_str_set(&account->token_uri, AI_GOOGLE_TOKEN);
    }

    if (ai_str_eq(&type, "authorized_user")) {
        account->user = 1;

        if (account->client_id.len == 0 || account->client_secret.len == 0
            || account->refresh_token.len == 0)
        {
            *err = "it lacks \"client_id\", \"client_secret\" or "
                   "\"refresh_token\"";
            return AI_DECLINED;
        }

        return AI_OK;
    }

    if (!ai_str_eq(&type, "service_account")) {
        *err = "its \"type\" is neither \"service_account\" nor "
               "\"authorized_user\"";
        return AI_DECLINED;
    }

    if (account->email.len == 0 || account->key.len == 0) {
        *err = "it lacks \"client_email\" or \"private_key\"";
        return AI_DECLINED;
    }

    key = ai_google_key(account);

    if (key == NULL) {
        *err = "its \"private_key\" is no RSA key in PEM";
        return AI_DECLINED;
    }

    EVP_PKEY_free(key);

    return AI_OK;
}


/* a member that is missing, or is no string, is empty */

static ai_int_t
ai_google_string(const ai_json_t *root, const char *name, ai_alloc_t *a,
    ai_str_t *out)
{
    ai_json_t  v;
    ai_mstr_t  m;

    memset(out, 0, sizeof(ai_str_t));

    if (ai_json_get(root, name, &v) != AI_OK || v.type != AI_JSON_STRING) {
        return AI_OK;
    }

    m = ai_mstr(&v);

    return ai_mstr_decode(&m, a, out);
}


static EVP_PKEY *
ai_google_key(const ai_google_account_t *account)
{
    BIO       *bio;
    EVP_PKEY  *key;

    bio = BIO_new_mem_buf(account->key.data, (int) account->key.len);

    if (bio == NULL) {
        return NULL;
    }

    /* an empty pass phrase, so that no one is asked for one */

    key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *) "");

    BIO_free(bio);

    if (key != NULL && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        return NULL;
    }

    return key;
}


ai_int_t
ai_google_request(const ai_google_account_t *account, uint64_t now,
    ai_alloc_t *a, ai_str_t *body)
{
    ai_buf_t  b;

    ai_buf_init(&b, a, AI_GOOGLE_BODY_MAX);

    if (account->user) {
        ai_buf_lit(&b, "grant_type=refresh_token");
        ai_google_field(&b, "client_id", &account->client_id);
        ai_google_field(&b, "client_secret", &account->client_secret);
        ai_google_field(&b, "refresh_token", &account->refresh_token);

        return ai_buf_get(&b, body);
    }

    ai_buf_lit(&b, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type"
                   "%3Ajwt-bearer&assertion=");

    if (ai_google_assertion(account, now, a, &b) != AI_OK) {
        return AI_ERROR;
    }

    return ai_buf_get(&b, body);
}


static ai_int_t
ai_google_assertion(const ai_google_account_t *account, uint64_t now,
    ai_alloc_t *a, ai_buf_t *out)
{
    size_t     begin;
    ai_buf_t   b;
    ai_str_t   part, signature;
    ai_mstr_t  id;

    ai_buf_init(&b, a, AI_GOOGLE_BODY_MAX);

    id = ai_mstr_plain(&account->key_id);

    ai_buf_lit(&b, "{\"alg\":\"RS256\",\"typ\":\"JWT\"");
    ai_buf_key_string(&b, "kid", &id);
    ai_buf_lit(&b, "}");

    if (ai_buf_get(&b, &part) != AI_OK) {
        return AI_ERROR;
    }

    begin = ai_buf_len(out);

    ai_google_base64(out, &part);
    ai_buf_lit(out, ".");

    ai_buf_reset(&b);

    ai_buf_lit(&b, "{\"iss\":");
    ai_buf_quote(&b, &account->email);
    ai_buf_lit(&b, ",\"scope\":\"" AI_GOOGLE_SCOPE "\",\"aud\":");
    ai_buf_quote(&b, &account->token_uri);
    ai_buf_key_uint(&b, "iat", now);
    ai_buf_key_uint(&b, "exp", now + AI_GOOGLE_LIFETIME);
    ai_buf_lit(&b, "}");

    if (ai_buf_get(&b, &part) != AI_OK) {
        return AI_ERROR;
    }

    ai_google_base64(out, &part);

    if (out->failed) {
        return AI_ERROR;
    }

    part.data = out->start + begin;
    part.len = ai_buf_len(out) - begin;

    if (ai_google_sign(account, &part, a, &signature) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(out, ".");
    ai_google_base64(out, &signature);

    return AI_OK;
}


static ai_int_t
ai_google_sign(const ai_google_account_t *account, const ai_str_t *text,
    ai_alloc_t *a, ai_str_t *signature)
{
    size_t       len;
    ai_int_t     rc;
    EVP_PKEY    *key;
    EVP_MD_CTX  *ctx;

    rc = AI_ERROR;
    key = ai_google_key(account);
    ctx = EVP_MD_CTX_new();

    if (key == NULL || ctx == NULL) {
        goto done;
    }

    len = (size_t) EVP_PKEY_size(key);
    signature->data = ai_alloc(a, len);

    if (signature->data == NULL
        || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1
        || EVP_DigestSign(ctx, signature->data, &len, text->data, text->len)
           != 1)
    {
        goto done;
    }

    signature->len = len;
    rc = AI_OK;

done:

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);

    return rc;
}


/* the alphabet for URLs, without padding: RFC 7515 */

static void
ai_google_base64(ai_buf_t *b, const ai_str_t *s)
{
    size_t   len;
    u_char  *p, *last;

    len = ai_base64_encoded_len(s->len);

    if ((size_t) (b->end - b->pos) < len && ai_buf_grow(b, len) != AI_OK) {
        return;
    }

    p = b->pos;
    last = ai_base64_encode(p, s->data, s->len);

    for ( /* void */ ; p < last; p++) {

        switch (*p) {

        case '+':
            *p = '-';
            break;

        case '/':
            *p = '_';
            break;

        case '=':
            last = p;
            break;

        default:
            break;
        }
    }

    b->pos = last;
}


/* of a form: all but letters, digits and "-._~" are escaped */

static void
ai_google_field(ai_buf_t *b, const char *name, const ai_str_t *value)
{
    size_t  i;
    u_char  c, hex[3];

    static const char  digits[] = "0123456789ABCDEF";

    ai_buf_lit(b, "&");
    ai_buf_cstr(b, name);
    ai_buf_lit(b, "=");

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
            || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_'
            || c == '~')
        {
            ai_buf_put(b, &c, 1);
            continue;
        }

        hex[0] = '%';
        hex[1] = (u_char) digits[c >> 4];
        hex[2] = (u_char) digits[c & 15];

        ai_buf_put(b, hex, 3);
    }
}


ai_int_t
ai_google_token(const ai_str_t *json, ai_alloc_t *a, ai_str_t *token,
    uint64_t *expires)
{
    size_t           i;
    ai_json_t        root, v;
    ai_json_error_t  err;

    if (ai_json_scan(json->data, json->len, NULL, a, NULL, NULL, &root, &err)
        != AI_OK
        || root.type != AI_JSON_OBJECT)
    {
        return AI_DECLINED;
    }

    if (ai_google_string(&root, "access_token", a, token) != AI_OK) {
        return AI_ERROR;
    }

    for (i = 0; i < token->len; i++) {
        if (token->data[i] <= ' ' || token->data[i] >= 0x7f) {
            return AI_DECLINED;
        }
    }

    if (token->len == 0
        || ai_json_get(&root, "expires_in", &v) != AI_OK
        || ai_json_uint(&v, expires) != AI_OK
        || *expires == 0)
    {
        return AI_DECLINED;
    }

    return AI_OK;
}

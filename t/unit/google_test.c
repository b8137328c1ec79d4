
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Accounts of Google Cloud, the request for a token, whose signature is
 * checked with the public half of a key made here, and answers to it.
 */


#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "ai_base64.h"
#include "ai_google.h"
#include "unit.h"


#define NOW  1700000000


static EVP_PKEY    *key;
static char         pem[8192];         /* with its line ends escaped */


static EVP_PKEY *
google_key(int id)
{
    EVP_PKEY      *k;
    EVP_PKEY_CTX  *ctx;

    k = NULL;
    ctx = EVP_PKEY_CTX_new_id(id, NULL);

    if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1
        && (id != EVP_PKEY_RSA
            || EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1))
    {
        (void) EVP_PKEY_keygen(ctx, &k);
    }

    EVP_PKEY_CTX_free(ctx);

    return k;
}


static void
google_pem(EVP_PKEY *k, char *out)
{
    BIO   *bio;
    char  *data;
    long   i, len;

    bio = BIO_new(BIO_s_mem());

    CHECK(bio != NULL
          && PEM_write_bio_PrivateKey(bio, k, NULL, NULL, 0, NULL, NULL));

    len = BIO_get_mem_data(bio, &data);

    for (i = 0; i < len; i++) {

        if (data[i] == '\n') {
            *out++ = '\\';
            *out++ = 'n';
            continue;
        }

        *out++ = data[i];
    }

    *out = '\0';
    BIO_free(bio);
}


static ai_int_t
google_account(const char *json, ai_google_account_t *account,
    const char **err)
{
    ai_str_t  s;

    s.len = strlen(json);
    s.data = unit_bytes(json, s.len);
    *err = "";

    return ai_google_account(&s, &unit_arena, account, err);
}


static void
test_accounts(void)
{
    char                  text[16384], ec[4096];
    size_t                i;
    EVP_PKEY             *other;
    const char           *err;
    ai_google_account_t   a;

    static const struct {
        const char  *json;
        const char  *err;
    } none[] = {
        { "", "it is not JSON" },
        { "x", "it is not JSON" },
        { "[]", "it is not JSON" },
        { "{}", "its \"type\" is neither" },
        { "{\"type\":7}", "its \"type\" is neither" },
        { "{\"type\":\"external_account\"}", "its \"type\" is neither" },
        { "{\"type\":\"service_account\"}", "it lacks \"client_email\"" },
        { "{\"type\":\"service_account\",\"client_email\":\"a\"}",
          "it lacks" },
        { "{\"type\":\"service_account\",\"client_email\":\"a\","
          "\"private_key\":\"SECRET\"}", "its \"private_key\" is no RSA" },
        { "{\"type\":\"authorized_user\",\"client_id\":\"a\","
          "\"client_secret\":\"b\"}", "it lacks \"client_id\"" }
    };

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        CHECK_INT(google_account(none[i].json, &a, &err), AI_DECLINED);
        CHECK(strncmp(err, none[i].err, strlen(none[i].err)) == 0);
    }

    snprintf(text, sizeof(text), "{\"type\":\"service_account\","
             "\"client_email\":\"a@b\",\"private_key\":\"%s\","
             "\"project_id\":\"p\\u0031\"}", pem);

    CHECK_INT(google_account(text, &a, &err), AI_OK);
    CHECK_STR(a.email.data, a.email.len, "a@b");
    CHECK_STR(a.project.data, a.project.len, "p1");
    CHECK_STR(a.token_uri.data, a.token_uri.len, AI_GOOGLE_TOKEN);
    CHECK_UINT(a.user, 0);

    other = google_key(EVP_PKEY_ED25519);
    google_pem(other, ec);
    EVP_PKEY_free(other);

    snprintf(text, sizeof(text), "{\"type\":\"service_account\","
             "\"client_email\":\"a\",\"private_key\":\"%s\"}", ec);

    CHECK_INT(google_account(text, &a, &err), AI_DECLINED);
}


static void
test_user(void)
{
    ai_str_t              body;
    const char           *err;
    ai_google_account_t   a;

    CHECK_INT(google_account("{\"type\":\"authorized_user\",\"client_id\":"
                             "\"i&d\",\"client_secret\":\"s +%\","
                             "\"refresh_token\":\"1//a-._~\\u00e9\"}",
                             &a, &err), AI_OK);
    CHECK_UINT(a.user, 1);
    CHECK_INT(ai_google_request(&a, NOW, &unit_arena, &body), AI_OK);
    CHECK_STR(body.data, body.len, "grant_type=refresh_token&client_id=i%26d"
              "&client_secret=s%20%2B%25&refresh_token=1%2F%2Fa-._~%C3%A9");
}


/* of base64url without padding; the length */

static size_t
google_decode(const u_char *p, size_t len, u_char *out)
{
    int       n;
    size_t    i;
    u_char    in[4096];

    for (i = 0; i < len; i++) {
        in[i] = p[i] == '-' ? '+' : p[i] == '_' ? '/' : p[i];
    }

    while (i & 3) {
        in[i++] = '=';
    }

    n = EVP_DecodeBlock(out, in, (int) i);

    return n < 0 ? 0 : (size_t) n - (i - len);
}


static void
test_assertion(void)
{
    char                  text[16384];
    u_char               *p, *dot, *last, out[4096];
    size_t                len;
    ai_str_t              body;
    EVP_MD_CTX           *md;
    const char           *err;
    ai_google_account_t   a;

    static const char  head[] =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
        "&assertion=";

    snprintf(text, sizeof(text), "{\"type\":\"service_account\","
             "\"client_email\":\"a\\\"b\",\"private_key\":\"%s\","
             "\"private_key_id\":\"k\\\\1\",\"token_uri\":\"https://t/x\"}",
             pem);

    CHECK_INT(google_account(text, &a, &err), AI_OK);
    CHECK_INT(ai_google_request(&a, NOW, &unit_arena, &body), AI_OK);
    CHECK_MEM(body.data, sizeof(head) - 1, head, sizeof(head) - 1);

    p = body.data + sizeof(head) - 1;
    last = body.data + body.len;

    dot = memchr(p, '.', (size_t) (last - p));
    len = google_decode(p, (size_t) (dot - p), out);
    CHECK_STR(out, len,
              "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k\\\\1\"}");

    dot++;
    len = (size_t) ((u_char *) memchr(dot, '.', (size_t) (last - dot)) - dot);
    CHECK_UINT(memchr(dot, '=', len) == NULL, 1);

    p = dot + len;
    len = google_decode(dot, len, out);
    CHECK_STR(out, len, "{\"iss\":\"a\\\"b\",\"scope\":\"" AI_GOOGLE_SCOPE
              "\",\"aud\":\"https://t/x\",\"iat\":1700000000,"
              "\"exp\":1700003600}");

    len = google_decode(p + 1, (size_t) (last - p - 1), out);

    md = EVP_MD_CTX_new();
    CHECK_INT(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key), 1);
    dot = body.data + sizeof(head) - 1;
    CHECK_INT(EVP_DigestVerify(md, out, len, dot, (size_t) (p - dot)), 1);
    EVP_MD_CTX_free(md);
}


static void
test_tokens(void)
{
    size_t    i;
    ai_str_t  s, token;
    uint64_t  expires;

    static const char  *none[] = {
        "", "[]", "{}", "x", "{\"access_token\":\"t\"}",
        "{\"access_token\":\"\",\"expires_in\":1}",
        "{\"access_token\":1,\"expires_in\":1}",
        "{\"access_token\":\"a b\",\"expires_in\":1}",
        "{\"access_token\":\"a\\r\\nb\",\"expires_in\":1}",
        "{\"access_token\":\"\\u00e9\",\"expires_in\":1}",
        "{\"access_token\":\"t\",\"expires_in\":0}",
        "{\"access_token\":\"t\",\"expires_in\":-1}",
        "{\"access_token\":\"t\",\"expires_in\":\"9\"}",
        "{\"access_token\":\"t\",\"expires_in\":9"
    };

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        s.len = strlen(none[i]);
        s.data = unit_bytes(none[i], s.len);

        if (!CHECK_INT(ai_google_token(&s, &unit_arena, &token, &expires),
                       AI_DECLINED))
        {
            printf("    %s\n", none[i]);
        }
    }

    ai_str_set(&s, "{\"token_type\":\"Bearer\",\"expires_in\":3599,"
                   "\"access_token\":\"ya29.a\\u002eb\\/\"}");

    CHECK_INT(ai_google_token(&s, &unit_arena, &token, &expires), AI_OK);
    CHECK_STR(token.data, token.len, "ya29.a.b/");
    CHECK_UINT(expires, 3599);
}


static void
test_memory(void)
{
    char                  text[16384];
    long                  n;
    ai_int_t              rc;
    ai_str_t              s, body;
    const char           *err;
    ai_google_account_t   a;

    snprintf(text, sizeof(text), "{\"type\":\"service_account\","
             "\"client_email\":\"a\\\"b\",\"private_key\":\"%s\"}", pem);

    for (n = 0; n < 40; n++) {

        s.len = strlen(text);
        s.data = unit_bytes(text, s.len);

        unit.fail_after = n;
        rc = ai_google_account(&s, &unit_arena, &a, &err);

        if (rc == AI_OK) {
            rc = ai_google_request(&a, NOW, &unit_arena, &body);
        }

        unit.fail_after = -1;

        CHECK(rc == AI_OK || rc == AI_ERROR);

        if (rc == AI_OK) {
            break;
        }
    }

    CHECK(n > 2 && n < 40);
}


int
main(void)
{
    key = google_key(EVP_PKEY_RSA);
    google_pem(key, pem);

    UNIT_RUN(test_accounts);
    UNIT_RUN(test_user);
    UNIT_RUN(test_assertion);
    UNIT_RUN(test_tokens);
    UNIT_RUN(test_memory);

    EVP_PKEY_free(key);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Credentials of AWS in all the forms that they are kept in, and what is
 * none.
 */


#include "ai_credential.h"
#include "unit.h"


/* the credential of a text in a block of its own, "KEY|SECRET|TOKEN" */

static ai_int_t
credential_read(const char *text, char *out, size_t size)
{
    ai_int_t                 rc;
    ai_str_t                 s;
    ai_sigv4_credentials_t   c;

    s.len = strlen(text);
    s.data = unit_bytes(text, s.len);

    rc = ai_credential_aws(&s, &unit_arena, &c);

    if (rc == AI_OK) {

        /* what it was read from does not stay */

        memset(s.data, 0xa5, s.len);

        snprintf(out, size, "%.*s|%.*s|%.*s", (int) c.key.len, c.key.data,
                 (int) c.secret.len, c.secret.data, (int) c.token.len,
                 c.token.data);
    }

    return rc;
}


static void
test_forms(void)
{
    char    out[256];
    size_t  i;

    static const struct {
        const char  *text;
        const char  *want;
    } forms[] = {
        { "AKID:sec", "AKID|sec|" },
        { "AKID:sec\n", "AKID|sec|" },
        { " \n", NULL },
        { "AKID:sec:tok", "AKID|sec|tok" },
        { "AKID:sec:tok:en/+=", "AKID|sec|tok:en/+=" },
        { "AKID:a=b", "AKID|a=b|" },
        { "AKID", "AKID||" },
        { "AKID:", "AKID||" },
        { ":sec", NULL },
        { "", NULL },
        { "AKID:s ec", NULL },
        { "AK\tID:sec", NULL },
        { "AKID:sec\x7f", NULL },
        { "AKID:\xc3\xa9", NULL },

        { "aws_access_key_id=K\naws_secret_access_key=S", "K|S|" },
        { "[default]\naws_access_key_id = K\naws_secret_access_key = S\n"
          "aws_session_token = T\n", "K|S|T" },
        { "[a]\r\naws_secret_access_key =S \r\naws_access_key_id= K\r\n",
          "K|S|" },
        { "[a]\naws_access_key_id=K\naws_secret_access_key=S\n[b]\n"
          "aws_access_key_id=K2\naws_secret_access_key=S2\n", "K|S|" },
        { "[a]\nregion=x\n[b]\naws_access_key_id=K\n"
          "aws_secret_access_key=S==\n", "K|S==|" },
        { "[a]\naws_access_key_id=K\naws_secret_access_key=S\n"
          "aws_security_token=T", "K|S|T" },
        { "[a]\nregion=x\n", NULL },
        { "[a]\naws_access_key_id=\n", NULL },
        { "=\n=\n", NULL },

        { "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\"}", "K|S|" },
        { " {\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\\/\\u002b\","
          "\"SessionToken\":\"T\"}", "K|S/+|T" },
        { "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\",\"Token\":\"T\"}",
          "K|S|T" },
        { "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\",\"Token\":null}",
          "K|S|" },
        { "{\"AccessKeyId\":7,\"SecretAccessKey\":\"S\"}", NULL },
        { "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"a\\nb\"}", NULL },
        { "{\"AccessKeyId\":\"K\"", NULL },
        { "{}", NULL }
    };

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {

        out[0] = '\0';

        if (forms[i].want == NULL) {

            if (!CHECK_INT(credential_read(forms[i].text, out, sizeof(out)),
                           AI_DECLINED))
            {
                printf("    %s\n", forms[i].text);
            }

            continue;
        }

        CHECK_INT(credential_read(forms[i].text, out, sizeof(out)), AI_OK);
        CHECK_MEM(out, strlen(out), forms[i].want, strlen(forms[i].want));
    }
}


/* any cut of a text is read, or is none, and nothing is read behind it */

static void
test_cuts(void)
{
    char    out[256], cut[256];
    size_t  i, n;

    static const char  *texts[] = {
        "[a]\naws_access_key_id = K\naws_secret_access_key = S\n",
        "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\\u002b\"}",
        "AKID:sec:tok"
    };

    for (i = 0; i < 3; i++) {
        for (n = 0; n < strlen(texts[i]); n++) {
            memcpy(cut, texts[i], n);
            cut[n] = '\0';
            CHECK(credential_read(cut, out, sizeof(out)) != AI_ERROR);
        }
    }
}


static void
test_memory(void)
{
    char                     out[64];
    long                     n;
    ai_int_t                 rc;
    ai_str_t                 s;
    ai_sigv4_credentials_t   c;

    static const char  *texts[] = {
        "AKID:sec:tok",
        "{\"AccessKeyId\":\"\\u004b\",\"SecretAccessKey\":\"\\u0053\"}"
    };

    for (n = 0; n < 12; n++) {

        s.len = strlen(texts[n & 1]);
        s.data = unit_bytes(texts[n & 1], s.len);

        unit.fail_after = n / 2;
        rc = ai_credential_aws(&s, &unit_arena, &c);
        unit.fail_after = -1;

        CHECK(rc == AI_OK || rc == AI_ERROR);
        CHECK(rc == AI_ERROR || n >= 4);
    }

    CHECK_INT(credential_read(texts[0], out, sizeof(out)), AI_OK);
}


int
main(void)
{
    UNIT_RUN(test_forms);
    UNIT_RUN(test_cuts);
    UNIT_RUN(test_memory);

    return unit_done();
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "ai_sigv4.h"
#include "ai_time.h"


#define AI_SIGV4_ALGORITHM  "AWS4-HMAC-SHA256"
#define AI_SIGV4_PREFIX     "AWS4"
#define AI_SIGV4_TERM       "aws4_request"
#define AI_SIGV4_DAY_LEN    8
#define AI_SIGV4_MAX        (1024 * 1024)

#define ai_sigv4_blank(ch)                                                   \
    ((ch) == ' ' || (ch) == '\t' || (ch) == '\r' || (ch) == '\n')


/* a parameter of the query, encoded */

typedef struct {
    ai_str_t  name;
    ai_str_t  value;
} ai_sigv4_param_t;


static void ai_sigv4_path(const ai_sigv4_request_t *r, ai_buf_t *out);
static void ai_sigv4_segment(ai_buf_t *out, size_t start, const u_char *p,
    size_t len);
static ai_int_t ai_sigv4_query(const ai_str_t *query, ai_alloc_t *a,
    ai_buf_t *out);
static ai_int_t ai_sigv4_param(ai_sigv4_param_t *param, const u_char *p,
    size_t len, ai_alloc_t *a);
static ai_int_t ai_sigv4_compare(const ai_sigv4_param_t *one,
    const ai_sigv4_param_t *two);
static ai_int_t ai_sigv4_memcmp(const ai_str_t *one, const ai_str_t *two);
static ai_int_t ai_sigv4_headers(const ai_sigv4_request_t *r, ai_alloc_t *a,
    ai_buf_t *out, ai_uint_t values);
static ai_uint_t ai_sigv4_names(const ai_sigv4_request_t *r, ai_str_t *names,
    ai_alloc_t *a);
static void ai_sigv4_values(const ai_sigv4_request_t *r,
    const ai_str_t *name, ai_buf_t *out);
static void ai_sigv4_fold(ai_buf_t *out, const ai_str_t *value);
static ai_uint_t ai_sigv4_same(const ai_str_t *one, const ai_str_t *lower);
static void ai_sigv4_encode(ai_buf_t *out, u_char ch);
static void ai_sigv4_scope(const ai_sigv4_request_t *r, ai_buf_t *out);
static ai_int_t ai_sigv4_sign(const ai_sigv4_request_t *r,
    const ai_str_t *secret, const ai_str_t *string, ai_alloc_t *a,
    u_char *hex);
static ai_int_t ai_sigv4_hmac(u_char *key, size_t len, const ai_str_t *data,
    u_char *out);
static void ai_sigv4_hex(u_char *dst, const u_char *p, size_t len);
static u_char ai_sigv4_lower(u_char ch);


void
ai_sigv4_date(u_char *dst, uint64_t now)
{
    size_t  i;
    u_char  iso[AI_TIME_ISO_LEN];

    (void) ai_time_iso(iso, now * 1000);

    for (i = 0; i < sizeof("1970-01-01T00:00:00") - 1; i++) {
        if (iso[i] != '-' && iso[i] != ':') {
            *dst++ = iso[i];
        }
    }

    *dst = 'Z';
}


void
ai_sigv4_hash(u_char *dst, const u_char *p, size_t len)
{
    u_char  md[SHA256_DIGEST_LENGTH];

    SHA256(len != 0 ? p : (const u_char *) "", len, md);
    ai_sigv4_hex(dst, md, sizeof(md));
}


ai_int_t
ai_sigv4_canonical(const ai_sigv4_request_t *r, ai_alloc_t *a, ai_buf_t *out)
{
    ai_str_t  all;

    ai_buf_raw(out, &r->method);
    ai_buf_lit(out, "\n");
    ai_sigv4_path(r, out);
    ai_buf_lit(out, "\n");

    if (ai_sigv4_query(&r->query, a, out) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(out, "\n");

    if (ai_sigv4_headers(r, a, out, 1) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(out, "\n");

    if (ai_sigv4_headers(r, a, out, 0) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(out, "\n");
    ai_buf_raw(out, &r->body_hash);

    return ai_buf_get(out, &all);
}


ai_int_t
ai_sigv4_string(const ai_sigv4_request_t *r, const ai_str_t *canonical,
    ai_buf_t *out)
{
    u_char    date[AI_SIGV4_DATE_LEN], hash[AI_SIGV4_HASH_LEN];
    ai_str_t  all;

    ai_sigv4_date(date, r->now);
    ai_sigv4_hash(hash, canonical->data, canonical->len);

    ai_buf_lit(out, AI_SIGV4_ALGORITHM "\n");
    ai_buf_put(out, date, sizeof(date));
    ai_buf_lit(out, "\n");
    ai_sigv4_scope(r, out);
    ai_buf_lit(out, "\n");
    ai_buf_put(out, hash, sizeof(hash));

    return ai_buf_get(out, &all);
}


ai_int_t
ai_sigv4_authorization(const ai_sigv4_request_t *r,
    const ai_sigv4_credentials_t *c, ai_alloc_t *a, ai_str_t *out)
{
    u_char    hex[AI_SIGV4_HASH_LEN];
    ai_buf_t  canonical, string, b;
    ai_str_t  text;

    ai_buf_init(&canonical, a, AI_SIGV4_MAX);
    ai_buf_init(&string, a, AI_SIGV4_MAX);
    ai_buf_init(&b, a, AI_SIGV4_MAX);

    if (ai_sigv4_canonical(r, a, &canonical) != AI_OK
        || ai_buf_get(&canonical, &text) != AI_OK
        || ai_sigv4_string(r, &text, &string) != AI_OK
        || ai_buf_get(&string, &text) != AI_OK
        || ai_sigv4_sign(r, &c->secret, &text, a, hex) != AI_OK)
    {
        return AI_ERROR;
    }

    ai_buf_lit(&b, AI_SIGV4_ALGORITHM " Credential=");
    ai_buf_raw(&b, &c->key);
    ai_buf_lit(&b, "/");
    ai_sigv4_scope(r, &b);
    ai_buf_lit(&b, ", SignedHeaders=");

    if (ai_sigv4_headers(r, a, &b, 0) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(&b, ", Signature=");
    ai_buf_put(&b, hex, sizeof(hex));

    return ai_buf_get(&b, out);
}


/*
 * What is sent is encoded, and is encoded once more here: the signature is of
 * "%253A" where ":" of a model was sent as "%3A" (mistake 12).
 */

static void
ai_sigv4_path(const ai_sigv4_request_t *r, ai_buf_t *out)
{
    size_t         len, start;
    const u_char  *p, *last, *slash;

    start = ai_buf_len(out);
    p = r->path.data;
    last = p + r->path.len;

    if (r->literal) {
        for ( /* void */ ; p < last; p++) {
            if (*p == '/') {
                ai_buf_lit(out, "/");

            } else {
                ai_sigv4_encode(out, *p);
            }
        }

    } else {
        while (p < last) {
            slash = memchr(p, '/', (size_t) (last - p));
            len = (size_t) ((slash != NULL ? slash : last) - p);

            ai_sigv4_segment(out, start, p, len);

            p += len + (slash != NULL);

            /* "/" behind the last segment stays */

            if (slash != NULL && p == last && !out->failed
                && (ai_buf_len(out) == start || out->pos[-1] != '/'))
            {
                ai_buf_lit(out, "/");
            }
        }
    }

    if (ai_buf_len(out) == start) {
        ai_buf_lit(out, "/");
    }
}


static void
ai_sigv4_segment(ai_buf_t *out, size_t start, const u_char *p, size_t len)
{
    size_t  i;

    if (out->failed || len == 0 || (len == 1 && p[0] == '.')) {
        return;
    }

    if (len == 2 && p[0] == '.' && p[1] == '.') {

        while (ai_buf_len(out) > start) {
            out->pos--;

            if (*out->pos == '/') {
                break;
            }
        }

        return;
    }

    ai_buf_lit(out, "/");

    for (i = 0; i < len; i++) {
        ai_sigv4_encode(out, p[i]);
    }
}


static ai_int_t
ai_sigv4_query(const ai_str_t *query, ai_alloc_t *a, ai_buf_t *out)
{
    size_t             len;
    ai_uint_t          i, j, n;
    const u_char      *p, *last, *amp;
    ai_sigv4_param_t  *params, param;

    if (query->len == 0) {
        return AI_OK;
    }

    n = 1;

    for (len = 0; len < query->len; len++) {
        n += (query->data[len] == '&');
    }

    params = ai_alloc(a, n * sizeof(ai_sigv4_param_t));

    if (params == NULL) {
        return AI_ERROR;
    }

    p = query->data;
    last = p + query->len;
    n = 0;

    while (p < last) {
        amp = memchr(p, '&', (size_t) (last - p));
        len = (size_t) ((amp != NULL ? amp : last) - p);

        if (len != 0) {
            if (ai_sigv4_param(&param, p, len, a) != AI_OK) {
                return AI_ERROR;
            }

            for (i = n++; i > 0; i--) {
                if (ai_sigv4_compare(&params[i - 1], &param) <= 0) {
                    break;
                }

                params[i] = params[i - 1];
            }

            params[i] = param;
        }

        p += len + (amp != NULL);
    }

    for (j = 0; j < n; j++) {
        if (j != 0) {
            ai_buf_lit(out, "&");
        }

        ai_buf_raw(out, &params[j].name);
        ai_buf_lit(out, "=");
        ai_buf_raw(out, &params[j].value);
    }

    return AI_OK;
}


/* unlike those of the path, the escapes of a query are decoded first */

static ai_int_t
ai_sigv4_param(ai_sigv4_param_t *param, const u_char *p, size_t len,
    ai_alloc_t *a)
{
    size_t        i, eq;
    u_char        ch, digit;
    ai_buf_t      b;
    ai_str_t      text;
    unsigned int  n, code;

    ai_buf_init(&b, a, AI_SIGV4_MAX);

    eq = (size_t) -1;

    for (i = 0; i < len; i++) {

        if (p[i] == '=' && eq == (size_t) -1) {
            eq = ai_buf_len(&b);
            continue;
        }

        ch = p[i];
        code = 0;

        for (n = 1; ch == '%' && n <= 2 && i + n < len; n++) {
            digit = ai_sigv4_lower(p[i + n]);

            if (digit >= '0' && digit <= '9') {
                code = code * 16 + (digit - '0');

            } else if (digit >= 'a' && digit <= 'f') {
                code = code * 16 + (digit - 'a' + 10);

            } else {
                break;
            }
        }

        if (ch == '%' && n == 3) {
            ch = (u_char) code;
            i += 2;
        }

        ai_sigv4_encode(&b, ch);
    }

    if (ai_buf_get(&b, &text) != AI_OK) {
        return AI_ERROR;
    }

    if (eq == (size_t) -1) {
        eq = text.len;
    }

    param->name.data = text.data;
    param->name.len = eq;
    param->value.data = text.data + eq;
    param->value.len = text.len - eq;

    return AI_OK;
}


static ai_int_t
ai_sigv4_compare(const ai_sigv4_param_t *one, const ai_sigv4_param_t *two)
{
    ai_int_t  rc;

    rc = ai_sigv4_memcmp(&one->name, &two->name);

    return rc != 0 ? rc : ai_sigv4_memcmp(&one->value, &two->value);
}


static ai_int_t
ai_sigv4_memcmp(const ai_str_t *one, const ai_str_t *two)
{
    int     rc;
    size_t  len;

    len = one->len < two->len ? one->len : two->len;
    rc = len != 0 ? memcmp(one->data, two->data, len) : 0;

    if (rc != 0) {
        return rc;
    }

    return (one->len > two->len) - (one->len < two->len);
}


/* the lines of all headers, or the list of their names */

static ai_int_t
ai_sigv4_headers(const ai_sigv4_request_t *r, ai_alloc_t *a, ai_buf_t *out,
    ai_uint_t values)
{
    ai_str_t   *names;
    ai_uint_t   i, n;

    names = ai_alloc(a, (r->nheaders + 1) * sizeof(ai_str_t));

    if (names == NULL) {
        return AI_ERROR;
    }

    n = ai_sigv4_names(r, names, a);

    if (n == 0 && r->nheaders != 0) {
        return AI_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (values) {
            ai_buf_raw(out, &names[i]);
            ai_buf_lit(out, ":");
            ai_sigv4_values(r, &names[i], out);
            ai_buf_lit(out, "\n");
            continue;
        }

        if (i != 0) {
            ai_buf_lit(out, ";");
        }

        ai_buf_raw(out, &names[i]);
    }

    return AI_OK;
}


/* sorted, each once, in lower case; 0: no memory */

static ai_uint_t
ai_sigv4_names(const ai_sigv4_request_t *r, ai_str_t *names, ai_alloc_t *a)
{
    size_t     k;
    ai_str_t   name;
    ai_uint_t  i, j, n;

    n = 0;

    for (i = 0; i < r->nheaders; i++) {

        for (j = 0; j < n; j++) {
            if (ai_sigv4_same(&r->headers[i].name, &names[j])) {
                break;
            }
        }

        if (j < n) {
            continue;
        }

        name.len = r->headers[i].name.len;
        name.data = ai_alloc(a, name.len);

        if (name.data == NULL) {
            return 0;
        }

        for (k = 0; k < name.len; k++) {
            name.data[k] = ai_sigv4_lower(r->headers[i].name.data[k]);
        }

        for (j = n++; j > 0; j--) {
            if (ai_sigv4_memcmp(&names[j - 1], &name) < 0) {
                break;
            }

            names[j] = names[j - 1];
        }

        names[j] = name;
    }

    return n;
}


static void
ai_sigv4_values(const ai_sigv4_request_t *r, const ai_str_t *name,
    ai_buf_t *out)
{
    ai_uint_t  i, more;

    more = 0;

    for (i = 0; i < r->nheaders; i++) {

        if (!ai_sigv4_same(&r->headers[i].name, name)) {
            continue;
        }

        if (more) {
            ai_buf_lit(out, ",");
        }

        more = 1;
        ai_sigv4_fold(out, &r->headers[i].value);
    }
}


/* white space is trimmed, and each run of it within is one space */

static void
ai_sigv4_fold(ai_buf_t *out, const ai_str_t *value)
{
    size_t  i, from;

    i = 0;

    for ( ;; ) {

        while (i < value->len && ai_sigv4_blank(value->data[i])) {
            i++;
        }

        from = i;

        while (i < value->len && !ai_sigv4_blank(value->data[i])) {
            i++;
        }

        ai_buf_put(out, value->data + from, i - from);

        while (i < value->len && ai_sigv4_blank(value->data[i])) {
            i++;
        }

        if (i == value->len) {
            return;
        }

        if (i != from) {
            ai_buf_lit(out, " ");
        }
    }
}


static ai_uint_t
ai_sigv4_same(const ai_str_t *one, const ai_str_t *lower)
{
    size_t  i;

    if (one->len != lower->len) {
        return 0;
    }

    for (i = 0; i < one->len; i++) {
        if (ai_sigv4_lower(one->data[i]) != lower->data[i]) {
            return 0;
        }
    }

    return 1;
}


static void
ai_sigv4_encode(ai_buf_t *out, u_char ch)
{
    u_char               escape[3];
    static const u_char  hex[] = "0123456789ABCDEF";

    if ((ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z')
        || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' || ch == '.'
        || ch == '~')
    {
        ai_buf_put(out, &ch, 1);
        return;
    }

    escape[0] = '%';
    escape[1] = hex[ch >> 4];
    escape[2] = hex[ch & 0xf];

    ai_buf_put(out, escape, sizeof(escape));
}


static void
ai_sigv4_scope(const ai_sigv4_request_t *r, ai_buf_t *out)
{
    u_char  date[AI_SIGV4_DATE_LEN];

    ai_sigv4_date(date, r->now);

    ai_buf_put(out, date, AI_SIGV4_DAY_LEN);
    ai_buf_lit(out, "/");
    ai_buf_raw(out, &r->region);
    ai_buf_lit(out, "/");
    ai_buf_raw(out, &r->service);
    ai_buf_lit(out, "/" AI_SIGV4_TERM);
}


static ai_int_t
ai_sigv4_sign(const ai_sigv4_request_t *r, const ai_str_t *secret,
    const ai_str_t *string, ai_alloc_t *a, u_char *hex)
{
    size_t     len;
    u_char    *first, date[AI_SIGV4_DATE_LEN], key[SHA256_DIGEST_LENGTH];
    ai_int_t   rc;
    ai_str_t   day;

    static const ai_str_t  term = ai_string(AI_SIGV4_TERM);

    ai_sigv4_date(date, r->now);
    day.data = date;
    day.len = AI_SIGV4_DAY_LEN;

    len = sizeof(AI_SIGV4_PREFIX) - 1 + secret->len;
    first = ai_alloc(a, len);

    if (first == NULL) {
        return AI_ERROR;
    }

    memcpy(first, AI_SIGV4_PREFIX, sizeof(AI_SIGV4_PREFIX) - 1);

    if (secret->len != 0) {
        memcpy(first + sizeof(AI_SIGV4_PREFIX) - 1, secret->data,
               secret->len);
    }

    rc = AI_ERROR;

    if (ai_sigv4_hmac(first, len, &day, key) == AI_OK
        && ai_sigv4_hmac(key, sizeof(key), &r->region, key) == AI_OK
        && ai_sigv4_hmac(key, sizeof(key), &r->service, key) == AI_OK
        && ai_sigv4_hmac(key, sizeof(key), &term, key) == AI_OK
        && ai_sigv4_hmac(key, sizeof(key), string, key) == AI_OK)
    {
        ai_sigv4_hex(hex, key, sizeof(key));
        rc = AI_OK;
    }

    OPENSSL_cleanse(first, len);
    OPENSSL_cleanse(key, sizeof(key));

    return rc;
}


/* out may be the key */

static ai_int_t
ai_sigv4_hmac(u_char *key, size_t len, const ai_str_t *data, u_char *out)
{
    u_char  md[SHA256_DIGEST_LENGTH];

    if (HMAC(EVP_sha256(), key, (int) len, data->data, data->len, md, NULL)
        == NULL)
    {
        return AI_ERROR;
    }

    memcpy(out, md, sizeof(md));
    OPENSSL_cleanse(md, sizeof(md));

    return AI_OK;
}


static void
ai_sigv4_hex(u_char *dst, const u_char *p, size_t len)
{
    size_t               i;
    static const u_char  hex[] = "0123456789abcdef";

    for (i = 0; i < len; i++) {
        *dst++ = hex[p[i] >> 4];
        *dst++ = hex[p[i] & 0xf];
    }
}


static u_char
ai_sigv4_lower(u_char ch)
{
    return (ch >= 'A' && ch <= 'Z') ? (u_char) (ch | 0x20) : ch;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The text of the mock provider's answers, token by token: first what the
 * client said, so that one sees the request arrived, then words.
 */


#include "ai_mock_shape.h"


#define AI_MOCK_ECHO  200         /* bytes of what the client said */


static ai_str_t  ai_mock_words[] = {
    ai_string(" this"), ai_string(" answer"), ai_string(" was"),
    ai_string(" made"), ai_string(" by"), ai_string(" no"),
    ai_string(" model"), ai_string(" and"), ai_string(" means"),
    ai_string(" nothing"), ai_string(" at"), ai_string(" all"),
    ai_string(" but"), ai_string(" it"), ai_string(" has"),
    ai_string(" the"), ai_string(" right"), ai_string(" shape"),
    ai_string(" so"), ai_string(" that"), ai_string(" one"),
    ai_string(" can"), ai_string(" try"), ai_string(" what"),
    ai_string(" comes"), ai_string(" before"), ai_string(" money"),
    ai_string(" is"), ai_string(" spent"), ai_string(" on"),
    ai_string(" real"), ai_string(" ones.")
};

#define AI_MOCK_WORDS  (sizeof(ai_mock_words) / sizeof(ai_str_t))


ai_int_t
ai_mock_set_preface(ai_mock_t *m, ai_str_t *said)
{
    size_t               len;
    u_char              *p;
    static const char    before[] = "You said: ";

    if (said->len == 0) {
        ai_str_set(&m->preface, "Hello,");
        return AI_OK;
    }

    len = ai_mock_cut(said, AI_MOCK_ECHO);
    p = ai_alloc(m->alloc, sizeof(before) + len);

    if (p == NULL) {
        return AI_ERROR;
    }

    m->preface.data = p;
    m->preface.len = sizeof(before) + len;

    memcpy(p, before, sizeof(before) - 1);
    memcpy(p + sizeof(before) - 1, said->data, len);
    p[m->preface.len - 1] = ';';

    return AI_OK;
}


void
ai_mock_token(ai_mock_t *m, ai_mock_cursor_t *cur, ai_str_t *token)
{
    u_char  *p, *last;

    if (cur->pos == m->preface.len) {
        *token = ai_mock_words[(m->conf->seed + cur->word) % AI_MOCK_WORDS];
        cur->word++;
        return;
    }

    /* up to the next blank; neither characters nor escapes hold one */

    p = m->preface.data + cur->pos;
    last = m->preface.data + m->preface.len;
    token->data = p;

    while (p < last && *p == ' ') {
        p++;
    }

    while (p < last && *p != ' ') {
        p++;
    }

    token->len = p - token->data;
    cur->pos += token->len;
}


size_t
ai_mock_cut(ai_str_t *raw, size_t max)
{
    size_t   len;
    u_char  *p, *last;

    if (raw->len <= max) {
        return raw->len;
    }

    p = raw->data;
    last = raw->data + max;

    for ( ;; ) {

        if (*p == '\\') {

            if (p[1] != 'u') {
                len = 2;

            } else if ((p[2] | 0x20) == 'd' && p[3] >= '8') {
                /* a high surrogate, the low one follows */
                len = 12;

            } else {
                len = 6;
            }

        } else if (*p < 0x80) {
            len = 1;

        } else {
            len = *p < 0xe0 ? 2 : (*p < 0xf0 ? 3 : 4);
        }

        if ((size_t) (last - p) < len) {
            return p - raw->data;
        }

        p += len;
    }
}

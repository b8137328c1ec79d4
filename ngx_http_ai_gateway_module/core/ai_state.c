
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Opaque state in a slot of another vendor's (wire-formats.md 2.6).  It is
 * base64, since there are clients that decode what is in such a slot:
 *
 *     6 bytes   "aigw1:"
 *     1 byte    the kind, a letter
 *     2 bytes   length of the id, big endian
 *               the id, then the data
 */


#include "ai_base64.h"
#include "ai_wire.h"


#define AI_STATE_HEADER  9

/* the first six bytes, encoded */
#define AI_STATE_MARK    "YWlndzE6"


static const char  ai_state_kinds[] = "-argox";


ai_int_t
ai_state_pack(ai_state_e kind, const ai_mstr_t *id, const ai_mstr_t *data,
    ai_alloc_t *a, ai_mstr_t *out)
{
    u_char    *p;
    size_t     len;
    ai_str_t   name, state, s;

    memset(out, 0, sizeof(ai_mstr_t));

    if (kind == AI_STATE_NONE) {
        return AI_OK;
    }

    if (ai_mstr_decode(id, a, &name) != AI_OK
        || ai_mstr_decode(data, a, &state) != AI_OK)
    {
        return AI_ERROR;
    }

    /* an id of that length is none */

    if (name.len > 0xffff) {
        name.len = 0;
    }

    len = AI_STATE_HEADER + name.len + state.len;

    p = ai_alloc(a, len);
    if (p == NULL) {
        return AI_ERROR;
    }

    memcpy(p, "aigw1:", 6);
    p[6] = (u_char) ai_state_kinds[kind];
    p[7] = (u_char) (name.len >> 8);
    p[8] = (u_char) name.len;

    if (name.len != 0) {
        memcpy(p + AI_STATE_HEADER, name.data, name.len);
    }

    if (state.len != 0) {
        memcpy(p + AI_STATE_HEADER + name.len, state.data, state.len);
    }

    s.len = ai_base64_encoded_len(len);

    s.data = ai_alloc(a, s.len);
    if (s.data == NULL) {
        return AI_ERROR;
    }

    (void) ai_base64_encode(s.data, p, len);

    *out = ai_mstr_plain(&s);

    return AI_OK;
}


ai_int_t
ai_state_unpack(const ai_mstr_t *slot, ai_state_e own, ai_alloc_t *a,
    ai_state_e *kind, ai_mstr_t *id, ai_mstr_t *data)
{
    size_t       len;
    ai_str_t     s, text;
    const char  *letter;

    memset(id, 0, sizeof(ai_mstr_t));
    memset(data, 0, sizeof(ai_mstr_t));

    *kind = AI_STATE_NONE;

    if (slot->s.len == 0) {
        return AI_OK;
    }

    len = sizeof(AI_STATE_MARK) - 1;

    if (slot->s.len < len || memcmp(slot->s.data, AI_STATE_MARK, len) != 0) {
        *kind = own;
        *data = *slot;
        return AI_OK;
    }

    if (ai_mstr_decode(slot, a, &text) != AI_OK) {
        return AI_ERROR;
    }

    s.data = ai_alloc(a, ai_base64_decoded_len(text.len));
    if (s.data == NULL) {
        return AI_ERROR;
    }

    /* ours, but damaged: nobody can read it */

    if (ai_base64_decode(s.data, text.data, text.len, &s.len) != AI_OK
        || s.len < AI_STATE_HEADER)
    {
        return AI_OK;
    }

    letter = strchr(ai_state_kinds + 1, s.data[6]);
    len = (size_t) s.data[7] << 8 | s.data[8];

    if (s.data[6] == '\0' || letter == NULL
        || len > s.len - AI_STATE_HEADER)
    {
        return AI_OK;
    }

    *kind = (ai_state_e) (letter - ai_state_kinds);

    text.data = s.data + AI_STATE_HEADER;
    text.len = len;
    *id = ai_mstr_plain(&text);

    text.data += len;
    text.len = s.len - AI_STATE_HEADER - len;
    *data = ai_mstr_plain(&text);

    return AI_OK;
}


ai_uint_t
ai_state_foreign(const ai_str_t *body)
{
    size_t   n;
    u_char  *p, *last;

    /* by the letter of the mark that is the rarest in text */

    static const size_t  rare = sizeof("YWlnd") - 1;

    n = sizeof(AI_STATE_MARK) - 1;

    if (body->len < n) {
        return 0;
    }

    p = body->data + rare;
    last = body->data + body->len - (n - rare) + 1;

    for ( /* void */ ; p < last; p++) {

        p = memchr(p, AI_STATE_MARK[rare], (size_t) (last - p));

        if (p == NULL) {
            return 0;
        }

        if (memcmp(p - rare, AI_STATE_MARK, n) == 0) {
            return 1;
        }
    }

    return 0;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What decoders and encoders have in common.
 */


#include "ai_count.h"
#include "ai_hash.h"
#include "ai_wire.h"


#define AI_ID_LEN  24


static uint64_t ai_id_seed(const ai_str_t *s, ai_uint_t n);


void
ai_delta_init(ai_delta_t *delta, ai_delta_e type)
{
    memset(delta, 0, sizeof(ai_delta_t));

    delta->type = type;
}


ai_int_t
ai_emit_text(ai_decode_t *d, ai_delta_e type, ai_uint_t choice,
    const ai_json_t *v)
{
    ai_delta_t  delta;

    if (v->type != AI_JSON_STRING || v->end - v->start == 2) {
        return AI_OK;
    }

    ai_delta_init(&delta, type);

    delta.choice = choice;
    delta.text = ai_mstr(v);

    return d->emit(d->data, &delta);
}


ai_int_t
ai_emit_args(ai_decode_t *d, ai_uint_t choice, ai_uint_t call,
    const ai_mstr_t *text)
{
    ai_delta_t  delta;

    if (ai_mstr_empty(text)) {
        return AI_OK;
    }

    ai_delta_init(&delta, AI_DELTA_ARGS);

    delta.choice = choice;
    delta.call = call;
    delta.text = *text;

    return d->emit(d->data, &delta);
}


ai_int_t
ai_emit_call_end(ai_decode_t *d, ai_uint_t choice, ai_uint_t call)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_CALL_END);

    delta.choice = choice;
    delta.call = call;

    return d->emit(d->data, &delta);
}


ai_int_t
ai_emit_end(ai_decode_t *d)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_END);

    return d->emit(d->data, &delta);
}


ai_int_t
ai_emit_error(ai_decode_t *d, const ai_json_t *v)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_ERROR);

    delta.raw.data = v->start;
    delta.raw.len = (size_t) (v->end - v->start);

    return d->emit(d->data, &delta);
}


ai_int_t
ai_encode_id(ai_encode_t *e, const char *prefix, ai_uint_t n, ai_mstr_t *out)
{
    size_t     len;
    u_char    *p;
    uint64_t   seed;
    ai_uint_t  i;

    static const char  digits[] =
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    len = strlen(prefix);
    p = ai_alloc(e->alloc, len + AI_ID_LEN);

    if (p == NULL) {
        return AI_ERROR;
    }

    out->s.data = p;
    out->s.len = len + AI_ID_LEN;
    out->json = 0;

    memcpy(p, prefix, len);
    p += len;

    seed = 0;

    for (i = 0; i < AI_ID_LEN; i++) {

        /* a word of 64 bits is good for ten digits */

        if (i % 8 == 0) {
            seed = ai_id_seed(&e->request_id, n * 4 + i / 8);
        }

        *p++ = (u_char) digits[seed % 62];
        seed /= 62;
    }

    return AI_OK;
}


uint64_t
ai_encode_input(ai_encode_t *e)
{
    if (e->input == 0 && e->req != NULL) {
        e->input = ai_count_request(e->req);
    }

    return e->input;
}


/* with the end of a murmur hash, since the input hardly differs */

static uint64_t
ai_id_seed(const ai_str_t *s, ai_uint_t n)
{
    uint64_t  h;

    h = ai_hash(s->data, s->len);
    h = ai_hash_add(h, n);

    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;

    return h ^ (h >> 33);
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The events of a stream differ in a few values: the text, and what nobody
 * reads.  An event that changed nothing in the tap but the count of its
 * output is kept as a sample, without these values.  Another one that is the
 * same around them, with values of the same type in their places, is valid
 * as well and means the same, so it need be neither scanned nor read.
 */


#include "ai_json_lex.h"
#include "dialect.h"


static void ai_tap_hole(ai_tap_t *tap, const ai_json_t *v, ai_uint_t text);


void
ai_tap_hole_text(ai_tap_t *tap, const ai_json_t *v)
{
    ai_tap_hole(tap, v, 1);
}


void
ai_tap_hole_unread(ai_tap_t *tap, const ai_json_t *v)
{
    if (v->type == AI_JSON_STRING || v->type == AI_JSON_NUMBER) {
        ai_tap_hole(tap, v, 0);
    }
}


/* values are not read in the order in which they stand, but compared in it */

static void
ai_tap_hole(ai_tap_t *tap, const ai_json_t *v, ai_uint_t text)
{
    ai_uint_t       i;
    ai_tap_root_t  *root;

    root = tap->root;

    if (root->nholes == AI_TAP_HOLES) {
        return;
    }

    for (i = root->nholes++; i != 0; i--) {

        if (root->holes[i - 1].value.start < v->start) {
            break;
        }

        root->holes[i] = root->holes[i - 1];
    }

    root->holes[i].value = *v;
    root->holes[i].text = text;
}


void
ai_tap_sample_keep(ai_tap_t *tap, const ai_str_t *name, const ai_str_t *data,
    uint64_t output)
{
    size_t                  len, n;
    u_char                 *p, *dst, *last;
    ai_json_t              *v;
    ai_uint_t               i;
    ai_tap_root_t          *root;
    ai_tap_sample_t        *sample;
    ai_tap_sample_hole_t   *hole;

    root = tap->root;
    sample = &tap->sample;

    if (name->len > AI_TAP_SAMPLE_LEN) {
        return;
    }

    dst = sample->bytes;
    len = name->len;

    if (len != 0) {
        memcpy(dst, name->data, len);
    }

    p = data->data;

    for (i = 0; i <= root->nholes; i++) {

        /* what is before a hole, or after the last one */

        v = (i < root->nholes) ? &root->holes[i].value : NULL;
        last = (v != NULL) ? v->start : data->data + data->len;
        n = (size_t) (last - p);

        if (n > AI_TAP_SAMPLE_LEN - len) {
            return;
        }

        memcpy(dst + len, p, n);
        len += n;

        if (v == NULL) {
            break;
        }

        hole = &sample->holes[i];
        hole->end = (uint16_t) len;
        hole->number = (v->type == AI_JSON_NUMBER);
        hole->text = root->holes[i].text;

        if (hole->text) {
            output -= (uint64_t) (v->end - v->start) - 2;
        }

        p = v->end;
    }

    sample->nholes = (uint16_t) root->nholes;
    sample->name_len = (uint16_t) name->len;
    sample->len = (uint16_t) len;
    sample->output = output;
}


ai_uint_t
ai_tap_sample_match(ai_tap_t *tap, const ai_str_t *name, const ai_str_t *data)
{
    size_t                 n;
    u_char                *p, *q, *start;
    unsigned               flags;
    uint64_t               output;
    ai_json_lex_t          lex;
    ai_tap_sample_t       *sample;
    ai_tap_sample_hole_t  *hole, *last;

    sample = &tap->sample;

    if (sample->len == 0
        || name->len != sample->name_len
        || data->len > AI_TAP_SAMPLE_MAX)
    {
        return 0;
    }

    p = data->data;
    q = sample->bytes;
    lex.end = p + data->len;
    flags = 0;

    if (name->len != 0 && memcmp(q, name->data, name->len) != 0) {
        return 0;
    }

    q += name->len;
    output = sample->output;
    last = sample->holes + sample->nholes;

    for (hole = sample->holes; hole < last; hole++) {

        n = (size_t) (sample->bytes + hole->end - q);

        if ((size_t) (lex.end - p) <= n || memcmp(p, q, n) != 0) {
            return 0;
        }

        p += n;
        q += n;
        start = p;

        if (hole->number) {
            p = ai_json_lex_number(&lex, p);

        } else if (*p == '"') {
            p = ai_json_lex_string(&lex, p + 1, &flags);

        } else {
            return 0;
        }

        if (p == NULL) {
            return 0;
        }

        if (hole->text) {
            n = (size_t) (p - start) - 2;

            if (n == 0) {
                return 0;
            }

            output += n;
        }
    }

    n = (size_t) (sample->bytes + sample->len - q);

    if ((size_t) (lex.end - p) != n || memcmp(p, q, n) != 0) {
        return 0;
    }

    tap->output_bytes += output;

    return 1;
}

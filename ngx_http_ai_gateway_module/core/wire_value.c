
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Values of requests and answers as wires look at them.
 */


#include <stdlib.h>

#include "ai_base64.h"
#include "wire.h"


#define AI_WIRE_NUMBER  64


uint64_t
ai_wire_uint(const ai_str_t *number)
{
    uint64_t   n;
    ai_json_t  v;

    memset(&v, 0, sizeof(ai_json_t));

    v.type = AI_JSON_NUMBER;
    v.start = number->data;
    v.end = number->data + number->len;

    return (number->len != 0 && ai_json_uint(&v, &n) == AI_OK) ? n : 0;
}


double
ai_wire_double(const ai_str_t *number)
{
    char    buf[AI_WIRE_NUMBER];
    size_t  len;

    len = number->len;

    if (len == 0) {
        return 0;
    }

    if (len > sizeof(buf) - 1) {
        len = sizeof(buf) - 1;
    }

    memcpy(buf, number->data, len);
    buf[len] = '\0';

    return strtod(buf, NULL);
}


ai_json_t
ai_wire_object(const ai_str_t *raw)
{
    ai_json_t  v;

    memset(&v, 0, sizeof(ai_json_t));

    if (raw->len != 0 && raw->data[0] == '{') {
        v.type = AI_JSON_OBJECT;
        v.start = raw->data;
        v.end = raw->data + raw->len;
    }

    return v;
}


ai_json_t
ai_wire_get(const ai_json_t *object, const char *name)
{
    ai_json_t  v;

    if (ai_json_get(object, name, &v) != AI_OK) {
        memset(&v, 0, sizeof(ai_json_t));
    }

    return v;
}


ai_mstr_t
ai_wire_string(const ai_json_t *object, const char *name)
{
    ai_json_t  v;

    v = ai_wire_get(object, name);

    return ai_mstr(&v);
}


ai_str_t
ai_wire_raw(const ai_json_t *object, const char *name)
{
    ai_json_t  v;

    v = ai_wire_get(object, name);

    return ai_json_raw(&v);
}


void
ai_wire_members(const ai_json_t *object, const ai_str_t *names, ai_uint_t n,
    ai_json_t *values)
{
    ai_uint_t       i;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    memset(values, 0, n * sizeof(ai_json_t));

    if (object->type != AI_JSON_OBJECT) {
        return;
    }

    ai_json_iter_init(&it, object);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        for (i = 0; i < n; i++) {
            if (ai_json_is_text(&name, (char *) names[i].data, names[i].len))
            {
                values[i] = value;
                break;
            }
        }
    }
}


ai_mstr_t
ai_wire_text(const ai_json_t *v)
{
    ai_str_t  raw;

    if (v->type == AI_JSON_STRING) {
        return ai_mstr(v);
    }

    raw = ai_json_raw(v);

    return ai_mstr_plain(&raw);
}


ai_uint_t
ai_wire_blank(const ai_mstr_t *text)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < text->s.len; i++) {
        ch = text->s.data[i];

        if (ch == '\\' && text->json && i + 1 < text->s.len
            && memchr("nrt", text->s.data[i + 1], 3) != NULL)
        {
            i++;
            continue;
        }

        if (ch != ' ' && ch != '\t' && ch != '\r' && ch != '\n') {
            return 0;
        }
    }

    return 1;
}


ai_uint_t
ai_wire_model_has(const ai_str_t *model, const char *word)
{
    size_t  i, len;

    len = strlen(word);

    for (i = 0; i + len <= model->len; i++) {
        if (memcmp(model->data + i, word, len) == 0) {
            return 1;
        }
    }

    return 0;
}


ai_int_t
ai_wire_base64(const ai_mstr_t *data, ai_alloc_t *a, ai_str_t *out)
{
    ai_str_t  text;

    if (ai_mstr_decode(data, a, &text) != AI_OK) {
        return AI_ERROR;
    }

    out->data = ai_alloc(a, ai_base64_decoded_len(text.len));

    if (out->data == NULL) {
        return AI_ERROR;
    }

    return (ai_base64_decode(out->data, text.data, text.len, &out->len)
            == AI_OK)
           ? AI_OK : AI_DECLINED;
}

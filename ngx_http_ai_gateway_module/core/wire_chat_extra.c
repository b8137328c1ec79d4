
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What answers of chat/completions have beside the words: images, and where
 * the words come from.
 */


#include "wire_chat.h"


static ai_int_t ai_chat_cite(ai_decode_t *d, ai_uint_t choice,
    const ai_json_t *v);


ai_int_t
ai_chat_images(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t       image;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &image) == AI_OK) {

        if (ai_chat_image(d, choice, &image) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


ai_int_t
ai_chat_image(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t   url;
    ai_mstr_t   m;
    ai_part_t   part;
    ai_delta_t  delta;

    if (ai_json_get(v, "image_url", &url) != AI_OK
        || (url.type == AI_JSON_OBJECT
            && ai_json_get(&url, "url", &url) != AI_OK)
        || !ai_json_filled(&url))
    {
        d->unknown++;
        return AI_OK;
    }

    memset(&part, 0, sizeof(ai_part_t));

    m = ai_mstr(&url);
    ai_part_url(&part, &m, "image/png");

    ai_delta_init(&delta, AI_DELTA_IMAGE);

    delta.choice = choice;
    delta.media_type = part.media_type;
    delta.text = part.data;
    delta.url = part.url;

    return d->emit(d->data, &delta);
}


ai_int_t
ai_chat_annotations(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t       note, cite;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &note) == AI_OK) {

        if (ai_json_get(&note, "url_citation", &cite) != AI_OK) {
            d->unknown++;
            continue;
        }

        if (ai_chat_cite(d, choice, &cite) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


/* Perplexity tells its sources in each chunk; those of the last one count */

ai_int_t
ai_chat_sources(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t          source;
    ai_json_iter_t     it;
    ai_chat_decode_t  *state;

    state = d->state;

    if (state->cited) {
        return AI_OK;
    }

    if (v->type != AI_JSON_ARRAY) {
        return AI_OK;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, NULL, &source) == AI_OK) {

        state->cited = 1;

        if (ai_chat_cite(d, choice, &source) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


/* an object, or nothing but a URL */

static ai_int_t
ai_chat_cite(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t       name, value;
    ai_delta_t      cite;
    ai_json_iter_t  it;

    ai_delta_init(&cite, AI_DELTA_CITATION);

    cite.choice = choice;

    if (v->type == AI_JSON_STRING) {
        cite.url = ai_mstr(v);
        return d->emit(d->data, &cite);
    }

    if (v->type != AI_JSON_OBJECT) {
        return AI_OK;
    }

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_json_is(&name, "url")) {
            cite.url = ai_mstr(&value);

        } else if (ai_json_is(&name, "title")) {
            cite.name = ai_mstr(&value);

        } else if (ai_json_is(&name, "content")
                   || ai_json_is(&name, "snippet"))
        {
            cite.text = ai_mstr(&value);

        } else if (ai_json_is(&name, "start_index")) {
            (void) ai_json_uint(&value, &cite.from);

        } else if (ai_json_is(&name, "end_index")) {
            (void) ai_json_uint(&value, &cite.to);
        }
    }

    return d->emit(d->data, &cite);
}

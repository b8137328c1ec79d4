
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What an answer tells beside its text: usage, sources, probabilities.
 */


#include "dialect.h"
#include "wire_gemini.h"


static void ai_gemini_logprob(ai_buf_t *b, const ai_json_t *v);


/*
 * The prompt includes what was cached, but not what tools put into it; the
 * candidates are without the thoughts.  Any count may be absent and is zero
 * then; early chunks of Vertex have none at all.
 */

ai_uint_t
ai_gemini_usage(const ai_json_t *v, ai_usage_t *usage)
{
    uint64_t        prompt, tools, cached, candidates, thoughts;
    ai_uint_t       told;
    ai_json_t       name, value;
    ai_json_iter_t  it;

    if (v->type != AI_JSON_OBJECT) {
        return 0;
    }

    told = 0;
    tools = 0;
    prompt = 0;
    cached = 0;
    thoughts = 0;
    candidates = 0;

    ai_json_iter_init(&it, v);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        if (ai_gemini_is(&name, "promptTokenCount")) {
            told |= ai_usage_count(&value, &prompt);

        } else if (ai_gemini_is(&name, "candidatesTokenCount")) {
            told |= ai_usage_count(&value, &candidates);

        } else if (ai_gemini_is(&name, "thoughtsTokenCount")) {
            told |= ai_usage_count(&value, &thoughts);

        } else if (ai_gemini_is(&name, "toolUsePromptTokenCount")) {
            told |= ai_usage_count(&value, &tools);

        } else if (ai_gemini_is(&name, "cachedContentTokenCount")) {
            (void) ai_usage_count(&value, &cached);
        }
    }

    if (told) {
        ai_usage_set(usage, prompt + tools, cached < prompt ? cached : prompt,
                     0, candidates + thoughts, thoughts);
    }

    return told;
}


ai_int_t
ai_gemini_emit_usage(ai_decode_t *d, const ai_json_t *v)
{
    ai_delta_t  delta;

    ai_delta_init(&delta, AI_DELTA_USAGE);

    if (!ai_gemini_usage(v, &delta.usage)) {
        return AI_OK;
    }

    return d->emit(d->data, &delta);
}


/* pages that a search found */

ai_int_t
ai_gemini_grounding(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t       chunks, chunk, web, value;
    ai_delta_t      delta;
    ai_json_iter_t  it;

    if (ai_gemini_get(v, "groundingChunks", &chunks) != AI_OK
        || chunks.type != AI_JSON_ARRAY)
    {
        return AI_OK;
    }

    ai_json_iter_init(&it, &chunks);

    while (ai_json_next(&it, NULL, &chunk) == AI_OK) {

        if (ai_gemini_get(&chunk, "web", &web) != AI_OK
            || ai_gemini_get(&web, "uri", &value) != AI_OK)
        {
            continue;
        }

        ai_delta_init(&delta, AI_DELTA_CITATION);

        delta.choice = choice;
        delta.url = ai_mstr(&value);

        if (ai_gemini_get(&web, "title", &value) == AI_OK) {
            delta.name = ai_mstr(&value);
        }

        if (d->emit(d->data, &delta) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


/* sources that were quoted: "citations" of Vertex, "citationSources" */

ai_int_t
ai_gemini_citations(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_json_t       list, source, value;
    ai_delta_t      delta;
    ai_json_iter_t  it;

    if (ai_gemini_get(v, "citations", &list) != AI_OK
        && ai_gemini_get(v, "citationSources", &list) != AI_OK)
    {
        return AI_OK;
    }

    ai_json_iter_init(&it, &list);

    while (list.type == AI_JSON_ARRAY
           && ai_json_next(&it, NULL, &source) == AI_OK)
    {
        if (ai_gemini_get(&source, "uri", &value) != AI_OK) {
            continue;
        }

        ai_delta_init(&delta, AI_DELTA_CITATION);

        delta.choice = choice;
        delta.url = ai_mstr(&value);

        if (ai_gemini_get(&source, "title", &value) == AI_OK) {
            delta.name = ai_mstr(&value);
        }

        if (d->emit(d->data, &delta) != AI_OK) {
            return AI_ERROR;
        }
    }

    return AI_OK;
}


/* in OpenAI's form; two arrays of one length become one */

ai_int_t
ai_gemini_logprobs(ai_decode_t *d, ai_uint_t choice, const ai_json_t *v)
{
    ai_buf_t        b;
    ai_json_t       chosen, top, value, list, other;
    ai_uint_t       tops;
    ai_delta_t      delta;
    ai_json_iter_t  it, at, others;

    if (ai_gemini_get(v, "chosenCandidates", &chosen) != AI_OK
        || chosen.type != AI_JSON_ARRAY)
    {
        return AI_OK;
    }

    tops = ai_gemini_get(v, "topCandidates", &top) == AI_OK;

    if (tops) {
        ai_json_iter_init(&at, &top);
    }

    ai_buf_init(&b, ai_gemini_memory(d), (size_t) -1 / 2);
    ai_buf_lit(&b, "[");
    ai_json_iter_init(&it, &chosen);

    while (ai_json_next(&it, NULL, &value) == AI_OK) {

        ai_buf_comma(&b);
        ai_buf_lit(&b, "{");
        ai_gemini_logprob(&b, &value);
        ai_buf_lit(&b, ",\"top_logprobs\":[");

        if (tops && ai_json_next(&at, NULL, &other) == AI_OK
            && ai_gemini_get(&other, "candidates", &list) == AI_OK)
        {
            ai_json_iter_init(&others, &list);

            while (ai_json_next(&others, NULL, &other) == AI_OK) {
                ai_buf_comma(&b);
                ai_buf_lit(&b, "{");
                ai_gemini_logprob(&b, &other);
                ai_buf_lit(&b, "}");
            }
        }

        ai_buf_lit(&b, "]}");
    }

    ai_buf_lit(&b, "]");

    ai_delta_init(&delta, AI_DELTA_LOGPROBS);

    delta.choice = choice;

    if (ai_buf_get(&b, &delta.raw) != AI_OK) {
        return AI_ERROR;
    }

    return d->emit(d->data, &delta);
}


static void
ai_gemini_logprob(ai_buf_t *b, const ai_json_t *v)
{
    ai_json_t  value;
    ai_mstr_t  token;

    token = ai_mstr_cstr("");

    if (ai_gemini_get(v, "token", &value) == AI_OK) {
        token = ai_mstr(&value);
    }

    ai_buf_key(b, "token");
    ai_buf_string(b, &token);
    ai_buf_key(b, "logprob");

    if (ai_gemini_get(v, "logProbability", &value) == AI_OK
        && value.type == AI_JSON_NUMBER)
    {
        ai_buf_put(b, value.start, (size_t) (value.end - value.start));

    } else {
        ai_buf_lit(b, "0");
    }

    ai_buf_lit(b, ",\"bytes\":null");
}

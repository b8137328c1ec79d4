
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_count.h"


/* text is measured in twelfths of a token */

#define AI_COUNT_UNIT      12

#define AI_COUNT_LETTER    3
#define AI_COUNT_SPACE     3
#define AI_COUNT_DIGIT     5
#define AI_COUNT_PUNCT     7
#define AI_COUNT_ACCENTED  7       /* Latin, Greek, Cyrillic, Arabic ... */
#define AI_COUNT_WIDE      13      /* Chinese, Japanese, Korean ... */
#define AI_COUNT_RARE      30      /* emoji and the like */

/* tokens around a request, a message, a tool, a call or its result */

#define AI_COUNT_REQUEST   3
#define AI_COUNT_MESSAGE   4
#define AI_COUNT_TOOL      12
#define AI_COUNT_CALL      12

/*
 * Media are told by size, not by what is in them: an image as providers scale
 * it, a page of a document per so many bytes, sound by the second.
 */

#define AI_COUNT_IMAGE     1200
#define AI_COUNT_THUMB     85      /* "detail": "low" */
#define AI_COUNT_PAGE      1500
#define AI_COUNT_PAGE_LEN  65536
#define AI_COUNT_SOUND     1000    /* bytes of sound to a token */
#define AI_COUNT_FRAME     4000    /* bytes of video */


static uint64_t ai_count_raw(const ai_str_t *raw);
static uint64_t ai_count_plain(const u_char *p, const u_char *end);
static uint64_t ai_count_escape(const u_char *p, const u_char *end);
static uint64_t ai_count_part(const ai_part_t *part);
static uint64_t ai_count_media(const ai_part_t *part);


uint64_t
ai_count_text(const ai_mstr_t *text)
{
    u_char    *p, *q, *end;
    uint64_t   n;

    n = 0;
    p = text->s.data;
    end = p + text->s.len;

    while (p < end) {

        q = text->json ? memchr(p, '\\', (size_t) (end - p)) : NULL;

        if (q == NULL) {
            q = end;
        }

        n += ai_count_plain(p, q);
        p = q;

        if (end - p < 2) {
            n += (end - p) * AI_COUNT_PUNCT;
            break;
        }

        if (p[1] != 'u') {

            /* mostly a line feed or a quote */

            n += AI_COUNT_PUNCT;
            p += 2;

        } else {

            n += ai_count_escape(p + 2, end);
            p += (end - p < 6) ? end - p : 6;
        }
    }

    return (n + AI_COUNT_UNIT - 1) / AI_COUNT_UNIT;
}


/* by the first byte of each character; those that go on with one are none */

static uint64_t
ai_count_plain(const u_char *p, const u_char *end)
{
    uint64_t  n;

    static const u_char  weights[256] = {
        [0x00 ... 0x20] = AI_COUNT_SPACE,
        [0x21 ... '0' - 1] = AI_COUNT_PUNCT,
        ['0' ... '9'] = AI_COUNT_DIGIT,
        ['9' + 1 ... 'A' - 1] = AI_COUNT_PUNCT,
        ['A' ... 'Z'] = AI_COUNT_LETTER,
        ['Z' + 1 ... 'a' - 1] = AI_COUNT_PUNCT,
        ['a' ... 'z'] = AI_COUNT_LETTER,
        ['z' + 1 ... 0x7f] = AI_COUNT_PUNCT,
        [0xc0 ... 0xdf] = AI_COUNT_ACCENTED,
        [0xe0 ... 0xef] = AI_COUNT_WIDE,
        [0xf0 ... 0xff] = AI_COUNT_RARE
    };

    n = 0;

    for ( /* void */ ; end - p >= 4; p += 4) {
        n += (uint64_t) weights[p[0]] + weights[p[1]] + weights[p[2]]
             + weights[p[3]];
    }

    for ( /* void */ ; p < end; p++) {
        n += weights[*p];
    }

    return n;
}


/* \uXXXX, by its first digits: below 1000, half of a pair, or wide */

static uint64_t
ai_count_escape(const u_char *p, const u_char *end)
{
    if (end - p < 2 || *p == '0') {
        return AI_COUNT_ACCENTED;
    }

    if ((*p == 'd' || *p == 'D') && p[1] >= '8') {
        return AI_COUNT_RARE / 2;
    }

    return AI_COUNT_WIDE;
}


/* JSON, as it stands */

static uint64_t
ai_count_raw(const ai_str_t *raw)
{
    ai_mstr_t  m;

    m = ai_mstr_plain(raw);

    return ai_count_text(&m);
}


uint64_t
ai_count_request(const ai_request_t *req)
{
    uint64_t             n;
    const ai_part_t     *part;
    const ai_tool_t     *tool;
    const ai_message_t  *m;

    n = AI_COUNT_REQUEST;

    for (m = req->messages; m != NULL; m = m->next) {
        n += AI_COUNT_MESSAGE + ai_count_text(&m->name);

        for (part = m->parts; part != NULL; part = part->next) {
            n += ai_count_part(part);
        }
    }

    for (tool = req->tools; tool != NULL; tool = tool->next) {
        n += AI_COUNT_TOOL + ai_count_text(&tool->name)
             + ai_count_text(&tool->description)
             + ai_count_raw(&tool->schema);
    }

    return n + ai_count_raw(&req->format_schema);
}


/* opaque state is left out: no one knows what is in it */

static uint64_t
ai_count_part(const ai_part_t *part)
{
    uint64_t          n;
    const ai_part_t  *in;

    switch (part->type) {

    case AI_PART_TEXT:
    case AI_PART_REASONING:
    case AI_PART_REFUSAL:
        return ai_count_text(&part->text);

    case AI_PART_CALL:
        return AI_COUNT_CALL + ai_count_text(&part->name)
               + ai_count_text(&part->args);

    case AI_PART_RESULT:
        n = AI_COUNT_CALL;

        for (in = part->content; in != NULL; in = in->next) {
            n += ai_count_part(in);
        }

        return n;

    default:
        return ai_count_media(part);
    }
}


static uint64_t
ai_count_media(const ai_part_t *part)
{
    uint64_t  bytes;

    if (!ai_mstr_empty(&part->text)) {
        return ai_count_text(&part->text) + ai_count_text(&part->name);
    }

    /* of base64; media that are named only are taken to be small */

    bytes = (uint64_t) part->data.s.len / 4 * 3;

    switch (part->type) {

    case AI_PART_IMAGE:
        return ai_mstr_eq(&part->detail, "low") ? AI_COUNT_THUMB
                                                : AI_COUNT_IMAGE;

    case AI_PART_AUDIO:
        return 1 + bytes / AI_COUNT_SOUND;

    case AI_PART_VIDEO:
        return 1 + bytes / AI_COUNT_FRAME;

    default:
        return (1 + bytes / AI_COUNT_PAGE_LEN) * AI_COUNT_PAGE;
    }
}


void
ai_count_render(ai_buf_t *out, ai_op_e op, uint64_t tokens)
{
    ai_buf_lit(out, "{");
    ai_buf_key_uint(out, op == AI_OP_COUNT_TOKENS ? "input_tokens"
                                                  : "totalTokens", tokens);
    ai_buf_lit(out, "}");
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Writes templates of the mock provider into a buffer that grows.
 */


#include "ai_mock_shape.h"


static ai_int_t ai_mock_reserve(ai_mock_t *m, size_t n);
static void ai_mock_put_code(ai_mock_t *m, int code);
static void ai_mock_put_text(ai_mock_t *m);
static void ai_mock_put_frame(ai_mock_t *m, int code);
static void ai_mock_put_argument_piece(ai_mock_t *m);
static void ai_mock_put_error_type(ai_mock_t *m);


#define ai_mock_put_literal(m, text)  ai_mock_put(m, text, sizeof(text) - 1)


static ai_int_t
ai_mock_reserve(ai_mock_t *m, size_t n)
{
    size_t   used, size;
    u_char  *p;

    if ((size_t) (m->end - m->pos) >= n) {
        return AI_OK;
    }

    if (m->failed) {
        return AI_ERROR;
    }

    used = m->pos - m->start;

    for (size = 2 * (m->end - m->start); size < used + n; size *= 2) {
        if (size == 0) {
            size = 1024;
        }
    }

    p = ai_alloc(m->alloc, size);

    if (p == NULL) {
        m->failed = 1;
        return AI_ERROR;
    }

    if (used != 0) {
        memcpy(p, m->start, used);
    }

    m->start = p;
    m->pos = p + used;
    m->end = p + size;

    return AI_OK;
}


void
ai_mock_put(ai_mock_t *m, const void *p, size_t n)
{
    if (n == 0 || ai_mock_reserve(m, n) != AI_OK) {
        return;
    }

    memcpy(m->pos, p, n);
    m->pos += n;
}


void
ai_mock_put_uint(ai_mock_t *m, uint64_t n)
{
    u_char  *p, buf[20];

    p = buf + sizeof(buf);

    do {
        *--p = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    ai_mock_put(m, p, buf + sizeof(buf) - p);
}


void
ai_mock_put_escaped(ai_mock_t *m, ai_str_t *s)
{
    if (ai_mock_reserve(m, ai_json_escape_len(s)) != AI_OK) {
        return;
    }

    m->pos = ai_json_escape(m->pos, s);
}


void
ai_mock_write(ai_mock_t *m, const char *template)
{
    ai_mock_write_part(m, template, template + strlen(template));
}


void
ai_mock_write_part(ai_mock_t *m, const char *p, const char *last)
{
    const char  *run;

    for (run = p; p < last; p++) {

        if (*p != '\'' && *p != '$') {
            continue;
        }

        ai_mock_put(m, run, p - run);

        if (*p == '\'') {
            ai_mock_put_literal(m, "\"");

        } else if (*++p == '?') {

            if (!m->usage) {
                p = strstr(p, "$.") + 1;
            }

        } else {
            ai_mock_put_code(m, *p);
        }

        run = p + 1;
    }

    ai_mock_put(m, run, p - run);
}


static void
ai_mock_put_code(ai_mock_t *m, int code)
{
    switch (code) {

    case 'i':
        ai_mock_put(m, m->id + 4, 24);
        break;

    case 'c':
        ai_mock_put_uint(m, m->created);
        break;

    case 'm':
        ai_mock_put(m, m->model.data, m->model.len);
        break;

    case 'p':
        ai_mock_put_uint(m, m->input);
        break;

    case 'o':
        ai_mock_put_uint(m, m->output);
        break;

    case 't':
        ai_mock_put_uint(m, m->input + m->output);
        break;

    case 'w':
        ai_mock_put_uint(m, m->sent + 1);
        break;

    case 'x':
        ai_mock_put_uint(m, m->input + m->sent + 1);
        break;

    case 's':
        ai_mock_put_uint(m, m->sequence++);
        break;

    case 'k':
        ai_mock_put(m, m->token.data, m->token.len);
        break;

    case 'T':
        ai_mock_put_text(m);
        break;

    case 'n':
        ai_mock_put(m, m->tool.data, m->tool.len);
        break;

    case 'a':
        ai_mock_put(m, m->arguments.data, m->arguments.len);
        break;

    case 'A':
        ai_mock_put_escaped(m, &m->arguments);
        break;

    case 'h':
        ai_mock_put_argument_piece(m);
        break;

    case 'P':
        ai_mock_put_escaped(m, &m->path);
        break;

    case 'M':
        ai_mock_put_escaped(m, &m->message);
        break;

    case 'S':
        ai_mock_put_uint(m, m->error_status);
        break;

    case 'E':
        ai_mock_write(m, m->error->code);
        break;

    case 'e':
        ai_mock_put_error_type(m);
        break;

    default:
        ai_mock_put_frame(m, code);
    }
}


/* what depends on the kind of the stream, or on how the answer ends */

static void
ai_mock_put_frame(ai_mock_t *m, int code)
{
    ai_uint_t    finish;

    switch (code) {

    case 'f':
        if (m->tool.len != 0) {
            finish = m->named ? 3 : 2;

        } else {
            finish = m->cut_short ? 1 : 0;
        }

        ai_mock_write(m, m->shape->finish[finish]);
        break;

    case 'l':
        ai_mock_write(m, m->cut_short ? "{'reason':'max_output_tokens'}"
                                      : "null");
        break;

    case 'u':
        ai_mock_write(m, m->usage ? ",'usage':null" : "");
        break;

    case '<':
        ai_mock_write(m, m->array ? (m->sequence++ == 0 ? "[" : ",\r\n")
                                  : "data: ");
        break;

    case '>':
        ai_mock_write(m, m->array ? "" : "\r\n\r\n");
        break;

    case ']':
        ai_mock_write(m, m->array ? "]" : "");
        break;

    case '.':
        /* the end of "$?" */
        break;
    }
}


static void
ai_mock_put_text(ai_mock_t *m)
{
    ai_uint_t         i;
    ai_str_t          token;
    ai_mock_cursor_t  cur;

    cur.pos = 0;
    cur.word = 0;

    for (i = 0; i < m->pieces; i++) {
        ai_mock_token(m, &cur, &token);
        ai_mock_put(m, token.data, token.len);
    }
}


/* the arguments come in two pieces, as valid UTF-8 each */

static void
ai_mock_put_argument_piece(ai_mock_t *m)
{
    size_t    middle;
    ai_str_t  piece;

    middle = m->arguments.len / 2;

    while (middle != 0 && (m->arguments.data[middle] & 0xc0) == 0x80) {
        middle--;
    }

    if (m->sent == 0) {
        piece.data = m->arguments.data;
        piece.len = middle;

    } else {
        piece.data = m->arguments.data + middle;
        piece.len = m->arguments.len - middle;
    }

    ai_mock_put_escaped(m, &piece);
}


static void
ai_mock_put_error_type(ai_mock_t *m)
{
    if (m->dialect == &ai_dialect_anthropic) {
        ai_mock_write(m, m->error->anthropic);

    } else if (m->dialect == &ai_dialect_gemini) {
        ai_mock_write(m, m->error->google);

    } else {
        ai_mock_write(m, m->error->openai);
    }
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What answers of the mock provider look like: templates, one set for each
 * operation, and their writer.  Between ai_mock.c and ai_mock_shape.c only.
 */


#ifndef _AI_MOCK_SHAPE_H_INCLUDED_
#define _AI_MOCK_SHAPE_H_INCLUDED_


#include "ai_mock.h"


/*
 * In a template an apostrophe stands for a quotation mark, and
 *
 *     $i  id, without prefix            $k  text of this piece
 *     $c  created                       $T  the whole text
 *     $m  model                         $f  finish reason
 *     $p  tokens of the prompt          $n  name of the tool called
 *     $o  of the answer                 $a  its arguments
 *     $t  of both                       $A  the same, within a string
 *     $w  of the answer so far          $h  this piece of $A
 *     $x  of the prompt and so far      $l  reason of being incomplete
 *     $s  sequence number               $P  path
 *
 *     $u  'usage':null, in streams that end with usage, else nothing
 *     $?  what follows up to $. only in such streams
 *     $<  begin and end of a Gemini event, and end of the stream:
 *     $>  SSE, or elements of an array
 *     $]
 *
 *     $e  type, $E code, $S status and $M message of an error
 */

typedef struct {
    const char        *json;      /* the whole answer */
    const char        *open;      /* events before the content */
    const char        *piece;     /* an event with a piece of content */
    const char        *close;     /* events after the content */
} ai_mock_form_t;


struct ai_mock_shape_s {
    const char        *finish[4]; /* stop, length, a tool, a named tool */
    ai_mock_form_t     text;
    ai_mock_form_t     tool;
    const char        *error;     /* event */
    unsigned           steady:1;  /* text pieces differ in $k only */
    unsigned           whole:1;   /* arguments of tools come in one piece */
};


/* an error as the providers tell it */

struct ai_mock_error_s {
    ai_uint_t          status;
    const char        *openai;    /* type */
    const char        *code;      /* OpenAI's, JSON */
    const char        *anthropic;
    const char        *google;
    const char        *message;
};


extern const ai_mock_shape_t  ai_mock_shape_chat;
extern const ai_mock_shape_t  ai_mock_shape_completions;
extern const ai_mock_shape_t  ai_mock_shape_responses;
extern const ai_mock_shape_t  ai_mock_shape_messages;
extern const ai_mock_shape_t  ai_mock_shape_generate;


/* the row for that status, or for the nearest below it */
const ai_mock_error_t *ai_mock_error(ai_uint_t status);

/* the error document of m->dialect, without events around it */
const char *ai_mock_error_template(ai_mock_t *m);

/*
 * ai_mock_write.c.  All writers append to m->start .. m->pos; when memory is
 * short they set m->failed, and what is in the buffer is of no use.
 */

void ai_mock_write(ai_mock_t *m, const char *template);

/* the same up to "last" */
void ai_mock_write_part(ai_mock_t *m, const char *p, const char *last);

void ai_mock_put(ai_mock_t *m, const void *p, size_t n);
void ai_mock_put_uint(ai_mock_t *m, uint64_t n);

/* as the inside of a JSON string */
void ai_mock_put_escaped(ai_mock_t *m, ai_str_t *s);


/* ai_mock.c: the answer is an error, message NULL: that of its row */
void ai_mock_set_error(ai_mock_t *m, ai_uint_t status, const char *message);

/* ai_mock_request.c: what the request says; AI_OK, or AI_ERROR: no memory */
ai_int_t ai_mock_read(ai_mock_t *m, ai_mock_request_t *req);

/* the inside of a string as it is escaped; what is no string, or empty,
 * leaves *name alone */
void ai_mock_set_name(ai_str_t *name, ai_json_t *v);

/* ai_mock_tool.c: m->tool and m->arguments, if the client insists on a call;
 * tools and choice may be absent; AI_OK, or AI_ERROR: no memory */
ai_int_t ai_mock_set_tool(ai_mock_t *m, ai_json_t *tools, ai_json_t *choice);

/* ai_mock_text.c */

/* what the answer says first: the client's last words, which are JSON text */
ai_int_t ai_mock_set_preface(ai_mock_t *m, ai_str_t *said);

/* the next token of the text */
void ai_mock_token(ai_mock_t *m, ai_mock_cursor_t *cur, ai_str_t *token);

/* the length of the inside of a JSON string, cut to at most max bytes in
 * front of a character or an escape */
size_t ai_mock_cut(ai_str_t *raw, size_t max);

/* ai_mock_data.c: documents that are no text */

void ai_mock_render_models(ai_mock_t *m);
void ai_mock_render_embeddings(ai_mock_t *m);
void ai_mock_render_embed_contents(ai_mock_t *m);


/* 64 well-mixed bits of any 64 bits (the finalizer of splitmix64) */

static inline uint64_t
ai_mock_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;

    return x ^ (x >> 31);
}


#endif /* _AI_MOCK_SHAPE_H_INCLUDED_ */


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Arguments of a call that come as a list of JSON paths and values: a tree
 * is built of them, and written out when the call is complete.
 */


#include "wire_gemini.h"


#define AI_GEMINI_PIECES     16384             /* nodes of a tree */
#define AI_GEMINI_ARGS_SIZE  (8 * 1024 * 1024)


struct ai_gemini_node_s {
    ai_gemini_node_t    *next;
    ai_gemini_node_t    *child;        /* the first one */
    ai_gemini_node_t    *last;
    ai_str_t             name;         /* of a member */
    uint64_t             index;        /* of an element */
    ai_buf_t             text;         /* a string, as it grows */
    ai_str_t             raw;          /* another value */
    unsigned             element:1;
    unsigned             string:1;
};


static ai_int_t ai_gemini_partial_piece(ai_gemini_partial_t *p,
    const ai_json_t *piece, ai_alloc_t *a);
static ai_int_t ai_gemini_partial_path(ai_gemini_partial_t *p,
    const ai_str_t *path, ai_alloc_t *a, ai_gemini_node_t **out);
static ai_int_t ai_gemini_partial_bracket(u_char **pos, u_char *last,
    ai_gemini_node_t *step);
static ai_gemini_node_t *ai_gemini_partial_child(ai_gemini_partial_t *p,
    ai_gemini_node_t *parent, const ai_gemini_node_t *step, ai_alloc_t *a);
static ai_gemini_node_t *ai_gemini_partial_node(ai_gemini_partial_t *p,
    ai_alloc_t *a);
static ai_uint_t ai_gemini_partial_same(const ai_gemini_node_t *a,
    const ai_gemini_node_t *b);
static ai_int_t ai_gemini_partial_string(ai_gemini_partial_t *p,
    ai_gemini_node_t *node, const ai_json_t *v, ai_alloc_t *a);
static void ai_gemini_partial_write(const ai_gemini_node_t *node,
    ai_buf_t *out);


ai_int_t
ai_gemini_partial_add(ai_gemini_partial_t *p, const ai_json_t *args,
    ai_alloc_t *a)
{
    ai_int_t        rc;
    ai_json_t       piece;
    ai_json_iter_t  it;

    if (args->type != AI_JSON_ARRAY) {
        return AI_DECLINED;
    }

    if (p->root == NULL) {
        p->root = ai_gemini_partial_node(p, a);

        if (p->root == NULL) {
            return AI_ERROR;
        }
    }

    ai_json_iter_init(&it, args);

    while (ai_json_next(&it, NULL, &piece) == AI_OK) {

        rc = ai_gemini_partial_piece(p, &piece, a);

        if (rc != AI_OK) {
            return rc;
        }
    }

    return AI_OK;
}


ai_int_t
ai_gemini_partial_text(ai_gemini_partial_t *p, ai_alloc_t *a, ai_str_t *out)
{
    ai_buf_t  b;

    if (p->root == NULL || p->root->child == NULL) {
        ai_str_set(out, "{}");
        return AI_OK;
    }

    ai_buf_init(&b, a, AI_GEMINI_ARGS_SIZE * 2);
    ai_gemini_partial_write(p->root, &b);

    p->root = NULL;

    return ai_buf_get(&b, out);
}


static ai_int_t
ai_gemini_partial_piece(ai_gemini_partial_t *p, const ai_json_t *piece,
    ai_alloc_t *a)
{
    ai_int_t           rc;
    ai_str_t           path;
    ai_json_t          value;
    ai_mstr_t          m;
    ai_gemini_node_t  *node;

    if (ai_gemini_get(piece, "jsonPath", &value) != AI_OK
        || value.type != AI_JSON_STRING)
    {
        return AI_DECLINED;
    }

    m = ai_mstr(&value);

    if (ai_mstr_decode(&m, a, &path) != AI_OK) {
        return AI_ERROR;
    }

    rc = ai_gemini_partial_path(p, &path, a, &node);

    if (rc != AI_OK) {
        return rc;
    }

    if (ai_gemini_get(piece, "stringValue", &value) == AI_OK) {
        return ai_gemini_partial_string(p, node, &value, a);
    }

    if (ai_gemini_get(piece, "numberValue", &value) == AI_OK
        || ai_gemini_get(piece, "boolValue", &value) == AI_OK)
    {
        if (value.type != AI_JSON_NUMBER && value.type != AI_JSON_TRUE
            && value.type != AI_JSON_FALSE)
        {
            return AI_DECLINED;
        }

        m.s = ai_json_raw(&value);

        if (ai_mstr_copy(&m, a, &m) != AI_OK) {
            return AI_ERROR;
        }

        node->raw = m.s;
        p->size += m.s.len;

        return (p->size < AI_GEMINI_ARGS_SIZE) ? AI_OK : AI_ERROR;
    }

    /* nullValue, or nothing but the place */

    if (ai_gemini_get(piece, "nullValue", &value) == AI_OK) {
        ai_str_set(&node->raw, "null");
    }

    return AI_OK;
}


/* "$.a.b[0]['c d']"; the node is made if there is none */

static ai_int_t
ai_gemini_partial_path(ai_gemini_partial_t *p, const ai_str_t *path,
    ai_alloc_t *a, ai_gemini_node_t **out)
{
    u_char            *pos, *last, *start;
    ai_uint_t          depth;
    ai_gemini_node_t  *node, step;

    pos = path->data;
    last = pos + path->len;

    if (pos == last || *pos++ != '$') {
        return AI_DECLINED;
    }

    node = p->root;

    for (depth = 0; pos < last; depth++) {

        if (depth == AI_GEMINI_DEPTH - 2) {
            return AI_DECLINED;
        }

        memset(&step, 0, sizeof(ai_gemini_node_t));

        if (*pos == '[') {
            pos++;

            if (ai_gemini_partial_bracket(&pos, last, &step) != AI_OK) {
                return AI_DECLINED;
            }

        } else if (*pos == '.') {
            start = ++pos;

            while (pos < last && *pos != '.' && *pos != '[') {
                pos++;
            }

            step.name.data = start;
            step.name.len = (size_t) (pos - start);

        } else {
            return AI_DECLINED;
        }

        node = ai_gemini_partial_child(p, node, &step, a);

        if (node == NULL) {
            return AI_ERROR;
        }
    }

    *out = node;

    return (node != p->root) ? AI_OK : AI_DECLINED;
}


/* behind "[": an index, or a name in quotes, and the "]" */

static ai_int_t
ai_gemini_partial_bracket(u_char **pos, u_char *last, ai_gemini_node_t *step)
{
    u_char  *p, quote;

    p = *pos;

    if (p < last && (*p == '\'' || *p == '"')) {
        quote = *p++;
        step->name.data = p;

        while (p < last && *p != quote) {
            p++;
        }

        step->name.len = (size_t) (p - step->name.data);

        if (p == last) {
            return AI_DECLINED;
        }

        p++;

    } else {
        step->element = 1;

        if (p == last || *p < '0' || *p > '9') {
            return AI_DECLINED;
        }

        for ( /* void */ ; p < last && *p >= '0' && *p <= '9'; p++) {
            step->index = step->index * 10 + (uint64_t) (*p - '0');

            if (step->index > UINT32_MAX) {
                return AI_DECLINED;
            }
        }
    }

    if (p == last || *p != ']') {
        return AI_DECLINED;
    }

    *pos = p + 1;

    return AI_OK;
}


/* nearly always it is the last one */

static ai_gemini_node_t *
ai_gemini_partial_child(ai_gemini_partial_t *p, ai_gemini_node_t *parent,
    const ai_gemini_node_t *step, ai_alloc_t *a)
{
    ai_mstr_t          m;
    ai_gemini_node_t  *node, **prev;

    node = parent->last;

    if (node != NULL && ai_gemini_partial_same(node, step)) {
        return node;
    }

    for (prev = &parent->child; *prev != NULL; prev = &(*prev)->next) {

        if (ai_gemini_partial_same(*prev, step)) {
            return *prev;
        }

        /* elements stay in the order of their indices */

        if (step->element && (*prev)->index > step->index) {
            break;
        }
    }

    node = ai_gemini_partial_node(p, a);
    m = ai_mstr_plain(&step->name);

    if (node == NULL || ai_mstr_copy(&m, a, &m) != AI_OK) {
        return NULL;
    }

    node->name = m.s;
    node->index = step->index;
    node->element = step->element;
    node->next = *prev;
    *prev = node;

    if (node->next == NULL) {
        parent->last = node;
    }

    return node;
}


static ai_gemini_node_t *
ai_gemini_partial_node(ai_gemini_partial_t *p, ai_alloc_t *a)
{
    ai_gemini_node_t  *node;

    if (p->nodes++ == AI_GEMINI_PIECES) {
        return NULL;
    }

    node = ai_alloc(a, sizeof(ai_gemini_node_t));

    if (node != NULL) {
        memset(node, 0, sizeof(ai_gemini_node_t));
    }

    return node;
}


static ai_uint_t
ai_gemini_partial_same(const ai_gemini_node_t *a, const ai_gemini_node_t *b)
{
    if (a->element != b->element || a->index != b->index) {
        return 0;
    }

    return a->name.len == b->name.len
           && (a->name.len == 0
               || memcmp(a->name.data, b->name.data, a->name.len) == 0);
}


static ai_int_t
ai_gemini_partial_string(ai_gemini_partial_t *p, ai_gemini_node_t *node,
    const ai_json_t *v, ai_alloc_t *a)
{
    ai_mstr_t  m;

    if (v->type != AI_JSON_STRING) {
        return AI_DECLINED;
    }

    if (!node->string) {
        node->string = 1;
        ai_buf_init(&node->text, a, AI_GEMINI_ARGS_SIZE);
    }

    m = ai_mstr(v);
    p->size += m.s.len;

    if (p->size > AI_GEMINI_ARGS_SIZE) {
        return AI_ERROR;
    }

    ai_buf_chars(&node->text, &m);

    return node->text.failed ? AI_ERROR : AI_OK;
}


/* the first child tells whether a node is an array */

static void
ai_gemini_partial_write(const ai_gemini_node_t *node, ai_buf_t *out)
{
    ai_uint_t                array;
    const ai_gemini_node_t  *child;

    if (node->child == NULL) {

        if (node->string) {
            ai_buf_lit(out, "\"");
            ai_buf_put(out, node->text.start, ai_buf_len(&node->text));
            ai_buf_lit(out, "\"");

        } else if (node->raw.len != 0) {
            ai_buf_raw(out, &node->raw);

        } else {
            ai_buf_lit(out, "null");
        }

        return;
    }

    array = node->child->element;

    ai_buf_put(out, array ? "[" : "{", 1);

    for (child = node->child; child != NULL; child = child->next) {

        if (child->element != array) {
            continue;
        }

        ai_buf_comma(out);

        if (!array) {
            ai_buf_quote(out, &child->name);
            ai_buf_lit(out, ":");
        }

        ai_gemini_partial_write(child, out);
    }

    ai_buf_put(out, array ? "]" : "}", 1);
}

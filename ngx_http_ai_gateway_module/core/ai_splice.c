
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_splice.h"


static ai_splice_edit_t *ai_splice_edit(ai_splice_t *sp, u_char *start,
    u_char *end);
static ai_int_t ai_splice_remove(ai_splice_t *sp, u_char *start,
    u_char *end, u_char *emptied);
static ai_uint_t ai_splice_after(ai_splice_edit_t *a, ai_splice_edit_t *b);
static ai_uint_t ai_splice_rank(ai_splice_edit_t *edit);
static ai_int_t ai_splice_sort(ai_splice_t *sp);
static void ai_splice_settle_emptied(ai_splice_t *sp);
static ai_int_t ai_splice_settle(ai_splice_t *sp);
static void ai_splice_settle_members(ai_splice_edit_t *first,
    ai_splice_edit_t *last);
static void ai_splice_part(ai_splice_t *sp, u_char *data, size_t len);


void
ai_splice_init(ai_splice_t *sp, const ai_str_t *source, ai_alloc_t *alloc)
{
    memset(sp, 0, offsetof(ai_splice_t, first));

    sp->source = *source;
    sp->alloc = alloc;
    sp->edits = sp->first;
    sp->nalloc = AI_SPLICE_EDITS;
}


ai_int_t
ai_splice_replace(ai_splice_t *sp, u_char *start, u_char *end,
    const ai_str_t *with)
{
    ai_splice_edit_t  *edit;

    edit = ai_splice_edit(sp, start, end);
    if (edit == NULL) {
        return AI_ERROR;
    }

    edit->with = *with;

    return AI_OK;
}


ai_int_t
ai_splice_member_set(ai_splice_t *sp, const ai_json_t *object,
    const char *name, const ai_str_t *raw)
{
    u_char            *p;
    ai_str_t           key;
    ai_json_t          value;
    ai_json_iter_t     it;
    ai_splice_edit_t  *edit;

    if (object->type != AI_JSON_OBJECT) {
        return AI_ERROR;
    }

    if (ai_json_get(object, name, &value) == AI_OK) {
        edit = ai_splice_edit(sp, value.start, value.end);
        if (edit == NULL) {
            return AI_ERROR;
        }

        edit->with = *raw;
        edit->member = 1;

        return AI_OK;
    }

    key.data = (u_char *) name;
    key.len = strlen(name);

    p = ai_alloc(sp->alloc, ai_json_escape_len(&key) + sizeof(",\"\":") - 1);
    if (p == NULL) {
        return AI_ERROR;
    }

    edit = ai_splice_edit(sp, object->end - 1, object->end - 1);
    if (edit == NULL) {
        return AI_ERROR;
    }

    edit->prefix.data = p;

    *p++ = ',';
    *p++ = '"';
    p = ai_json_escape(p, &key);
    *p++ = '"';
    *p++ = ':';

    edit->prefix.len = (size_t) (p - edit->prefix.data);
    edit->with = *raw;
    edit->member = 1;

    ai_json_iter_init(&it, object);
    edit->empty = (ai_json_next(&it, NULL, &value) == AI_DONE);

    return AI_OK;
}


ai_int_t
ai_splice_members_remove(ai_splice_t *sp, const ai_json_t *object,
    ai_splice_remove_pt remove, void *data)
{
    u_char          *run, *kept, *end;
    ai_json_t        name, value;
    ai_json_iter_t   it;

    if (object->type != AI_JSON_OBJECT) {
        return AI_ERROR;
    }

    run = NULL;
    kept = NULL;
    end = NULL;

    ai_json_iter_init(&it, object);

    while (ai_json_next(&it, &name, &value) == AI_OK) {

        end = value.end;

        if (remove(data, &name, &value)) {

            if (run == NULL) {
                run = name.start;
            }

            continue;
        }

        if (run != NULL
            && ai_splice_remove(sp, run, name.start, NULL) != AI_OK)
        {
            return AI_ERROR;
        }

        run = NULL;
        kept = value.end;
    }

    if (run == NULL) {
        return AI_OK;
    }

    /* the last ones go with the comma in front of them */

    if (kept != NULL) {
        return ai_splice_remove(sp, kept, end, NULL);
    }

    return ai_splice_remove(sp, run, end, object->end - 1);
}


static ai_int_t
ai_splice_remove(ai_splice_t *sp, u_char *start, u_char *end,
    u_char *emptied)
{
    ai_splice_edit_t  *edit;

    edit = ai_splice_edit(sp, start, end);
    if (edit == NULL) {
        return AI_ERROR;
    }

    edit->removed = 1;
    edit->emptied = emptied;

    return AI_OK;
}


static ai_splice_edit_t *
ai_splice_edit(ai_splice_t *sp, u_char *start, u_char *end)
{
    size_t             n;
    ai_splice_edit_t  *edit;

    if (start > end
        || start < sp->source.data
        || end > sp->source.data + sp->source.len)
    {
        return NULL;
    }

    if (sp->nedits == sp->nalloc) {
        n = 2 * sp->nalloc;

        edit = ai_alloc(sp->alloc, n * sizeof(ai_splice_edit_t));
        if (edit == NULL) {
            return NULL;
        }

        memcpy(edit, sp->edits, sp->nedits * sizeof(ai_splice_edit_t));

        sp->edits = edit;
        sp->nalloc = n;
    }

    edit = &sp->edits[sp->nedits++];

    memset(edit, 0, sizeof(ai_splice_edit_t));

    edit->start = start;
    edit->end = end;

    return edit;
}


ai_int_t
ai_splice_finish(ai_splice_t *sp)
{
    size_t             i;
    u_char            *p;
    ai_splice_edit_t  *edit;

    if (sp->nedits
        && (ai_splice_sort(sp) != AI_OK || ai_splice_settle(sp) != AI_OK))
    {
        return AI_ERROR;
    }

    /* an edit makes at most the source before it, a prefix and a text */

    sp->parts = ai_alloc(sp->alloc, (3 * sp->nedits + 1) * sizeof(ai_str_t));
    if (sp->parts == NULL) {
        return AI_ERROR;
    }

    sp->nparts = 0;
    sp->len = 0;
    p = sp->source.data;

    for (i = 0; i < sp->nedits; i++) {
        edit = &sp->edits[i];

        if (edit->dropped) {
            continue;
        }

        ai_splice_part(sp, p, (size_t) (edit->start - p));
        ai_splice_part(sp, edit->prefix.data, edit->prefix.len);
        ai_splice_part(sp, edit->with.data, edit->with.len);

        p = edit->end;
    }

    ai_splice_part(sp, p,
                   sp->source.len - (size_t) (p - sp->source.data));

    return AI_OK;
}


static ai_uint_t
ai_splice_after(ai_splice_edit_t *a, ai_splice_edit_t *b)
{
    if (a->start != b->start) {
        return a->start > b->start;
    }

    if (ai_splice_rank(a) != ai_splice_rank(b)) {
        return ai_splice_rank(a) > ai_splice_rank(b);
    }

    return a->end > b->end;
}


/* at the same place insertions come first, and what removes the others */

static ai_uint_t
ai_splice_rank(ai_splice_edit_t *edit)
{
    if (edit->start == edit->end) {
        return 0;
    }

    return edit->removed ? 1 : 2;
}


/* a stable merge sort; mostly the edits are in order already */

static ai_int_t
ai_splice_sort(ai_splice_t *sp)
{
    size_t             i, n, left, right, middle, last, width;
    ai_splice_edit_t  *from, *to, *swap;

    n = sp->nedits;
    from = sp->edits;

    for (i = 1; i < n && !ai_splice_after(&from[i - 1], &from[i]); i++) {
        /* void */
    }

    if (i >= n) {
        return AI_OK;
    }

    to = ai_alloc(sp->alloc, n * sizeof(ai_splice_edit_t));
    if (to == NULL) {
        return AI_ERROR;
    }

    for (width = 1; width < n; width *= 2) {

        for (left = 0, i = 0; left < n; left = last) {
            middle = (n - left > width) ? left + width : n;
            last = (n - middle > width) ? middle + width : n;
            right = middle;

            while (left < middle || right < last) {

                if (right == last
                    || (left < middle
                        && !ai_splice_after(&from[left], &from[right])))
                {
                    to[i++] = from[left++];

                } else {
                    to[i++] = from[right++];
                }
            }
        }

        swap = from;
        from = to;
        to = swap;
    }

    sp->edits = from;

    return AI_OK;
}


/* lets the last value of a member win, and looks for overlaps */

static ai_int_t
ai_splice_settle(ai_splice_t *sp)
{
    u_char            *p, *removed;
    ai_splice_edit_t  *edit, *next, *last;

    ai_splice_settle_emptied(sp);

    p = sp->source.data;
    removed = p;
    last = sp->edits + sp->nedits;

    for (edit = sp->edits; edit < last; edit = next) {

        for (next = edit + 1;
             next < last
             && next->start == edit->start && next->end == edit->end;
             next++)
        {
            /* void */
        }

        ai_splice_settle_members(edit, next);

        for ( /* void */ ; edit < next; edit++) {

            if (edit->dropped) {
                continue;
            }

            if (edit->start < removed && edit->end <= removed) {
                edit->dropped = 1;
                continue;
            }

            if (edit->start < p) {
                return AI_ERROR;
            }

            p = edit->end;

            if (edit->removed) {
                removed = p;
            }
        }
    }

    return AI_OK;
}


/* what is added to an object without members has no comma before it */

static void
ai_splice_settle_emptied(ai_splice_t *sp)
{
    size_t   i, j;
    u_char  *p;

    for (i = 0; i < sp->nedits; i++) {
        p = sp->edits[i].emptied;

        for (j = 0; p != NULL && j < sp->nedits; j++) {

            if (sp->edits[j].start == p && sp->edits[j].member) {
                sp->edits[j].empty = 1;
            }
        }
    }
}


/*
 * The edits of one span.  Few objects get more than a few new members, hence
 * the plain comparison of each with each.
 */

static void
ai_splice_settle_members(ai_splice_edit_t *first, ai_splice_edit_t *last)
{
    unsigned           added;
    ai_splice_edit_t  *edit, *other;

    added = 0;

    for (edit = first; edit < last; edit++) {

        if (!edit->member || edit->dropped) {
            continue;
        }

        for (other = edit + 1; other < last; other++) {

            if (other->member
                && other->prefix.len == edit->prefix.len
                && (edit->prefix.len == 0
                    || memcmp(other->prefix.data, edit->prefix.data,
                              edit->prefix.len)
                       == 0))
            {
                edit->with = other->with;
                other->dropped = 1;
            }
        }

        if (edit->empty && !added) {
            edit->prefix.data++;
            edit->prefix.len--;
        }

        added = 1;
    }
}


static void
ai_splice_part(ai_splice_t *sp, u_char *data, size_t len)
{
    if (len == 0) {
        return;
    }

    sp->parts[sp->nparts].data = data;
    sp->parts[sp->nparts].len = len;
    sp->nparts++;
    sp->len += len;
}

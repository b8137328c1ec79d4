
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_calls.h"


/*
 * One way to name a call: by its id, or by the function's name for results
 * that tell no id.  Keys of the same name stand side by side in the index, in
 * the order of the calls; the first one keeps how far they were used.
 */

struct ai_call_key_s {
    ai_str_t    key;
    ai_uint_t   name;              /* key is the function's name */
    ai_call_t  *call;

    size_t      n;                 /* keys of the same name */
    size_t      seen;              /* of them, passed so far */
    size_t      head;              /* the first that may wait for a result */
    size_t      rest;              /* the same of all, passed or not */
};


static ai_int_t ai_calls_list(ai_calls_t *c);
static ai_int_t ai_calls_key(ai_calls_t *c, ai_call_t *call,
    ai_uint_t name);
static ai_int_t ai_calls_sort(ai_calls_t *c);
static int ai_calls_compare(const ai_call_key_t *a, const ai_call_key_t *b);
static ai_call_key_t *ai_calls_find(ai_calls_t *c, const ai_str_t *key,
    ai_uint_t name);
static ai_int_t ai_calls_early(ai_calls_t *c);
static ai_int_t ai_calls_lookup(ai_calls_t *c, ai_part_t *part,
    ai_call_key_t **key);
static ai_call_t *ai_calls_before(ai_call_key_t *key, size_t passed,
    ai_call_t *calls);
static void ai_calls_give(ai_call_t *call, ai_call_result_t *result);
static ai_int_t ai_calls_late(ai_calls_t *c);
static ai_uint_t ai_calls_same(const ai_part_t *a, const ai_part_t *b);
static ai_int_t ai_calls_ids(ai_calls_t *c);


ai_int_t
ai_calls_match(ai_calls_t *c, ai_request_t *req)
{
    memset(c, 0, sizeof(ai_calls_t));

    c->req = req;
    c->alloc = req->alloc;

    if (ai_calls_list(c) != AI_OK
        || ai_calls_sort(c) != AI_OK
        || ai_calls_early(c) != AI_OK
        || ai_calls_late(c) != AI_OK)
    {
        return AI_ERROR;
    }

    return ai_calls_ids(c);
}


/* calls and results in their order, and the keys of calls */

static ai_int_t
ai_calls_list(ai_calls_t *c)
{
    size_t             turn;
    ai_part_t         *part;
    ai_message_t      *m;
    ai_call_t         *call;
    ai_call_result_t  *result;

    for (m = c->req->messages; m != NULL; m = m->next) {
        for (part = m->parts; part != NULL; part = part->next) {
            c->ncalls += (part->type == AI_PART_CALL);
            c->nresults += (part->type == AI_PART_RESULT);
        }
    }

    if (c->ncalls + c->nresults == 0) {
        return AI_OK;
    }

    c->calls = ai_alloc(c->alloc, c->ncalls * sizeof(ai_call_t));
    c->results = ai_alloc(c->alloc, c->nresults * sizeof(ai_call_result_t));
    c->keys = ai_alloc(c->alloc, 2 * c->ncalls * sizeof(ai_call_key_t));

    if (c->calls == NULL || c->results == NULL || c->keys == NULL) {
        return AI_ERROR;
    }

    call = c->calls;
    result = c->results;
    turn = 0;

    for (m = c->req->messages; m != NULL; m = m->next) {

        if (m->role != AI_ROLE_ASSISTANT) {
            turn++;
        }

        for (part = m->parts; part != NULL; part = part->next) {

            if (part->type == AI_PART_RESULT) {
                memset(result, 0, sizeof(ai_call_result_t));
                result->part = part;
                result++;
            }

            if (part->type != AI_PART_CALL) {
                continue;
            }

            memset(call, 0, sizeof(ai_call_t));
            call->part = part;
            call->turn = turn;

            if ((!ai_mstr_empty(&part->id)
                 && ai_calls_key(c, call, 0) != AI_OK)
                || ai_calls_key(c, call, 1) != AI_OK)
            {
                return AI_ERROR;
            }

            call++;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_calls_key(ai_calls_t *c, ai_call_t *call, ai_uint_t name)
{
    ai_call_key_t  *key;

    key = &c->keys[c->nkeys++];

    memset(key, 0, sizeof(ai_call_key_t));

    key->name = name;
    key->call = call;

    return ai_mstr_decode(name ? &call->part->name : &call->part->id,
                          c->alloc, &key->key);
}


/* a merge sort, from runs of one key upwards */

static ai_int_t
ai_calls_sort(ai_calls_t *c)
{
    size_t          i, j, k, mid, end, run;
    ai_call_key_t  *from, *to, *tmp;

    if (c->nkeys == 0) {
        return AI_OK;
    }

    from = c->keys;

    to = ai_alloc(c->alloc, c->nkeys * sizeof(ai_call_key_t));
    if (to == NULL) {
        return AI_ERROR;
    }

    for (run = 1; run < c->nkeys; run *= 2) {

        for (k = 0; k < c->nkeys; k = end) {

            mid = (c->nkeys - k > run) ? k + run : c->nkeys;
            end = (c->nkeys - k > 2 * run) ? k + 2 * run : c->nkeys;
            i = k;
            j = mid;

            while (i < mid || j < end) {

                if (j == end
                    || (i < mid && ai_calls_compare(&from[i], &from[j]) <= 0))
                {
                    to[k++] = from[i++];

                } else {
                    to[k++] = from[j++];
                }
            }
        }

        tmp = from;
        from = to;
        to = tmp;
    }

    c->keys = from;

    for (i = 0; i < c->nkeys; i += c->keys[i].n) {

        for (j = i + 1; j < c->nkeys; j++) {
            if (ai_calls_compare(&c->keys[i], &c->keys[j]) != 0) {
                break;
            }
        }

        c->keys[i].n = j - i;
    }

    return AI_OK;
}


static int
ai_calls_compare(const ai_call_key_t *a, const ai_call_key_t *b)
{
    int     rc;
    size_t  len;

    if (a->name != b->name) {
        return (a->name < b->name) ? -1 : 1;
    }

    len = (a->key.len < b->key.len) ? a->key.len : b->key.len;

    if (len != 0) {
        rc = memcmp(a->key.data, b->key.data, len);

        if (rc != 0) {
            return rc;
        }
    }

    return (a->key.len > b->key.len) - (a->key.len < b->key.len);
}


/* the first of all keys of that name, or NULL */

static ai_call_key_t *
ai_calls_find(ai_calls_t *c, const ai_str_t *key, ai_uint_t name)
{
    size_t         low, high, mid;
    ai_call_key_t  wanted;

    wanted.key = *key;
    wanted.name = name;

    low = 0;
    high = c->nkeys;

    while (low < high) {
        mid = low + (high - low) / 2;

        if (ai_calls_compare(&c->keys[mid], &wanted) < 0) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    if (low == c->nkeys || ai_calls_compare(&c->keys[low], &wanted) != 0) {
        return NULL;
    }

    return &c->keys[low];
}


/*
 * A result belongs to the call before it: of calls with the same id, to one
 * of the last turn that has them, there in their order.
 */

static ai_int_t
ai_calls_early(ai_calls_t *c)
{
    size_t             passed;
    ai_part_t         *part;
    ai_message_t      *m;
    ai_call_key_t     *key;
    ai_call_t         *call;
    ai_call_result_t  *result;

    result = c->results;
    passed = 0;

    for (m = c->req->messages; m != NULL; m = m->next) {
        for (part = m->parts; part != NULL; part = part->next) {

            if (part->type == AI_PART_CALL) {
                passed++;
            }

            if (part->type != AI_PART_RESULT) {
                continue;
            }

            if (ai_calls_lookup(c, part, &key) != AI_OK) {
                return AI_ERROR;
            }

            if (key != NULL) {
                call = ai_calls_before(key, passed, c->calls);

                if (call != NULL) {
                    ai_calls_give(call, result);

                } else if (key->seen != 0) {
                    result->near = key[key->seen - 1].call;
                }
            }

            result++;
        }
    }

    return AI_OK;
}


static ai_int_t
ai_calls_lookup(ai_calls_t *c, ai_part_t *part, ai_call_key_t **key)
{
    ai_str_t   s;
    ai_uint_t  name;

    name = ai_mstr_empty(&part->id);

    if (ai_mstr_decode(name ? &part->name : &part->id, c->alloc, &s)
        != AI_OK)
    {
        return AI_ERROR;
    }

    *key = ai_calls_find(c, &s, name);

    return AI_OK;
}


static ai_call_t *
ai_calls_before(ai_call_key_t *key, size_t passed, ai_call_t *calls)
{
    ai_call_key_t  *k;

    for ( /* void */ ; key->seen < key->n; key->seen++) {
        k = &key[key->seen];

        if ((size_t) (k->call - calls) >= passed) {
            break;
        }

        if (k->call->turn != key[key->head].call->turn) {
            key->head = key->seen;
        }
    }

    for ( /* void */ ; key->head < key->seen; key->head++) {
        if (key[key->head].call->result == NULL) {
            return key[key->head].call;
        }
    }

    /* all of them are answered */

    if (key->head != 0) {
        key->head--;
    }

    return NULL;
}


static void
ai_calls_give(ai_call_t *call, ai_call_result_t *result)
{
    call->result = result->part;
    result->call = call;

    result->part->name = call->part->name;
    result->part->custom = call->part->custom;
}


/*
 * Results that found no call before them: there may be one behind them.  If
 * all calls have their results, it is said again, or something else is.
 */

static ai_int_t
ai_calls_late(ai_calls_t *c)
{
    size_t             i;
    ai_call_key_t     *key;
    ai_call_t         *call;
    ai_call_result_t  *result;

    for (i = 0; i < c->nresults; i++) {
        result = &c->results[i];

        if (result->call != NULL) {
            continue;
        }

        if (ai_calls_lookup(c, result->part, &key) != AI_OK) {
            return AI_ERROR;
        }

        if (key == NULL) {
            continue;
        }

        for ( /* void */ ; key->rest < key->n; key->rest++) {
            call = key[key->rest].call;

            if (call->result == NULL) {
                ai_calls_give(call, result);
                break;
            }
        }

        if (result->call == NULL && result->near != NULL) {
            result->again = ai_calls_same(result->near->result, result->part);
        }
    }

    return AI_OK;
}


static ai_uint_t
ai_calls_same(const ai_part_t *a, const ai_part_t *b)
{
    if (a->is_error != b->is_error) {
        return 0;
    }

    a = a->content;
    b = b->content;

    while (a != NULL && b != NULL) {

        if (a->type != b->type
            || !ai_mstr_same(&a->text, &b->text)
            || !ai_mstr_same(&a->data, &b->data)
            || !ai_mstr_same(&a->url, &b->url)
            || !ai_mstr_same(&a->file, &b->file))
        {
            return 0;
        }

        a = a->next;
        b = b->next;
    }

    return a == NULL && b == NULL;
}


/* there are dialects where an id must be there, and providers where it must
 * be the only one of its kind */

static ai_int_t
ai_calls_ids(ai_calls_t *c)
{
    size_t          i, number;
    ai_buf_t        b;
    ai_str_t        id;
    ai_call_key_t  *key;
    ai_call_t      *call;

    number = 0;

    for (i = 0; i < c->ncalls; i++) {
        call = &c->calls[i];

        if (!ai_mstr_empty(&call->part->id)) {

            if (ai_mstr_decode(&call->part->id, c->alloc, &id) != AI_OK) {
                return AI_ERROR;
            }

            key = ai_calls_find(c, &id, 0);

            if (key == NULL || key->call == call) {
                goto next;
            }
        }

        do {
            ai_buf_init(&b, c->alloc, 64);
            ai_buf_lit(&b, "call_");
            ai_buf_uint(&b, number++);

            if (ai_buf_get(&b, &id) != AI_OK) {
                return AI_ERROR;
            }

        } while (ai_calls_find(c, &id, 0) != NULL);

        call->part->id = ai_mstr_plain(&id);

    next:

        if (call->result != NULL) {
            call->result->id = call->part->id;
        }
    }

    return AI_OK;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#define PCRE2_CODE_UNIT_WIDTH  8
#include <pcre2.h>

#include "ai_pattern.h"


/* what a match may cost: a few milliseconds at worst */

#define AI_PATTERN_STEPS      20000
#define AI_PATTERN_DEPTH      1000
#define AI_PATTERN_HEAP       1024        /* KB */

#define AI_PATTERN_SLOTS      32          /* at first, a power of two */

#define AI_PATTERN_HASH       2166136261u
#define ai_pattern_hash(h, ch)  (((h) ^ (ch)) * 16777619u)


typedef struct {
    ai_str_t             name;            /* without the "*" */
    void                *value;           /* NULL: the slot is free */
    uint32_t             hash;
    unsigned             prefix:1;
} ai_pattern_slot_t;


typedef struct ai_pattern_regex_s  ai_pattern_regex_t;

struct ai_pattern_regex_s {
    ai_pattern_regex_t  *next;
    ai_str_t             pattern;
    pcre2_code          *code;
    void                *value;
};


struct ai_pattern_set_s {
    ai_alloc_t          *alloc;

    /* open addressing, at most half full */

    ai_pattern_slot_t   *slots;
    size_t               size;
    size_t               used;

    /* bits: how long the prefixes are */

    uint64_t             lengths[AI_PATTERN_MAX / 64];

    ai_pattern_regex_t  *regex;
    ai_pattern_regex_t **last;
    pcre2_match_data    *match;
    pcre2_match_context *limits;
};


static ai_int_t ai_pattern_add_name(ai_pattern_set_t *set, ai_str_t *name,
    ai_uint_t prefix, void *value, ai_pattern_error_t *err);
static ai_int_t ai_pattern_add_regex(ai_pattern_set_t *set,
    ai_str_t *pattern, void *value, ai_pattern_error_t *err);
static ai_int_t ai_pattern_limits(ai_pattern_set_t *set);
static ai_int_t ai_pattern_grow(ai_pattern_set_t *set);
static ai_pattern_slot_t *ai_pattern_slot(ai_pattern_set_t *set,
    uint32_t hash, u_char *p, size_t len, ai_uint_t prefix);
static ai_int_t ai_pattern_refuse(ai_pattern_error_t *err,
    const char *reason, size_t offset, void *other);


ai_pattern_set_t *
ai_pattern_create(ai_alloc_t *a)
{
    ai_pattern_set_t  *set;

    set = ai_alloc(a, sizeof(ai_pattern_set_t));
    if (set == NULL) {
        return NULL;
    }

    memset(set, 0, sizeof(ai_pattern_set_t));

    set->alloc = a;
    set->last = &set->regex;

    return set;
}


void
ai_pattern_free(ai_pattern_set_t *set)
{
    ai_pattern_regex_t  *re;

    for (re = set->regex; re != NULL; re = re->next) {
        pcre2_code_free(re->code);
    }

    set->regex = NULL;
    set->last = &set->regex;

    pcre2_match_data_free(set->match);
    set->match = NULL;

    pcre2_match_context_free(set->limits);
    set->limits = NULL;
}


ai_int_t
ai_pattern_add(ai_pattern_set_t *set, ai_str_t *pattern, void *value,
    ai_pattern_error_t *err)
{
    u_char     *star;
    ai_str_t    name;
    ai_uint_t   prefix;

    if (pattern->len == 0) {
        return ai_pattern_refuse(err, "is empty", 0, NULL);
    }

    if (pattern->len >= AI_PATTERN_MAX) {
        return ai_pattern_refuse(err, "is too long", AI_PATTERN_MAX - 1,
                                 NULL);
    }

    if (pattern->data[0] == '~') {
        return ai_pattern_add_regex(set, pattern, value, err);
    }

    name = *pattern;
    prefix = 0;

    star = memchr(name.data, '*', name.len);

    if (star != NULL) {

        if (star != name.data + name.len - 1) {
            return ai_pattern_refuse(err, "has \"*\" before its end, use "
                                     "\"~regex\" instead",
                                     star - name.data, NULL);
        }

        prefix = 1;
        name.len--;
    }

    return ai_pattern_add_name(set, &name, prefix, value, err);
}


static ai_int_t
ai_pattern_add_name(ai_pattern_set_t *set, ai_str_t *name, ai_uint_t prefix,
    void *value, ai_pattern_error_t *err)
{
    size_t              i;
    uint32_t            hash;
    ai_pattern_slot_t  *slot;

    if ((set->used + 1) * 2 > set->size && ai_pattern_grow(set) != AI_OK) {
        return AI_ERROR;
    }

    hash = AI_PATTERN_HASH;

    for (i = 0; i < name->len; i++) {
        hash = ai_pattern_hash(hash, name->data[i]);
    }

    slot = ai_pattern_slot(set, hash, name->data, name->len, prefix);

    if (slot->value != NULL) {
        return ai_pattern_refuse(err, "is a duplicate", 0, slot->value);
    }

    slot->name = *name;
    slot->hash = hash;
    slot->prefix = prefix != 0;
    slot->value = value;

    set->used++;

    if (prefix) {
        set->lengths[name->len / 64] |= (uint64_t) 1 << name->len % 64;
    }

    return AI_OK;
}


static ai_int_t
ai_pattern_add_regex(ai_pattern_set_t *set, ai_str_t *pattern, void *value,
    ai_pattern_error_t *err)
{
    int                  code;
    size_t               skip;
    uint32_t             options;
    PCRE2_SIZE           offset;
    ai_pattern_regex_t  *re;

    for (re = set->regex; re != NULL; re = re->next) {
        if (re->pattern.len == pattern->len
            && memcmp(re->pattern.data, pattern->data, pattern->len) == 0)
        {
            return ai_pattern_refuse(err, "is a duplicate", 0, re->value);
        }
    }

    skip = 1;
    options = PCRE2_NO_AUTO_CAPTURE;

    if (pattern->len > 1 && pattern->data[1] == '*') {
        skip = 2;
        options |= PCRE2_CASELESS;
    }

    if (pattern->len == skip) {
        return ai_pattern_refuse(err, "has no regex after \"~\"", skip, NULL);
    }

    if (ai_pattern_limits(set) != AI_OK) {
        return AI_ERROR;
    }

    re = ai_alloc(set->alloc, sizeof(ai_pattern_regex_t));
    if (re == NULL) {
        return AI_ERROR;
    }

    re->code = pcre2_compile(pattern->data + skip, pattern->len - skip,
                             options, &code, &offset, NULL);

    if (re->code == NULL) {
        pcre2_get_error_message(code, err->reason, AI_PATTERN_REASON_LEN);
        err->offset = skip + offset;
        err->other = NULL;
        return AI_DECLINED;
    }

    /* without a JIT, or when it cannot, the interpreter does the same */

    (void) pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE);

    re->next = NULL;
    re->pattern = *pattern;
    re->value = value;

    *set->last = re;
    set->last = &re->next;

    return AI_OK;
}


static ai_int_t
ai_pattern_limits(ai_pattern_set_t *set)
{
    if (set->match == NULL) {
        set->match = pcre2_match_data_create(1, NULL);
        if (set->match == NULL) {
            return AI_ERROR;
        }
    }

    if (set->limits == NULL) {
        set->limits = pcre2_match_context_create(NULL);
        if (set->limits == NULL) {
            return AI_ERROR;
        }

        pcre2_set_match_limit(set->limits, AI_PATTERN_STEPS);
        pcre2_set_depth_limit(set->limits, AI_PATTERN_DEPTH);
        pcre2_set_heap_limit(set->limits, AI_PATTERN_HEAP);
    }

    return AI_OK;
}


void *
ai_pattern_find(ai_pattern_set_t *set, ai_str_t *name)
{
    size_t               len;
    void                *found;
    uint32_t             hash;
    ai_pattern_slot_t   *slot;
    ai_pattern_regex_t  *re;

    found = NULL;

    if (set->used != 0) {
        hash = AI_PATTERN_HASH;

        for (len = 0; /* void */ ; len++) {

            if (len < AI_PATTERN_MAX
                && (set->lengths[len / 64] >> len % 64 & 1))
            {
                slot = ai_pattern_slot(set, hash, name->data, len, 1);

                if (slot->value != NULL) {
                    found = slot->value;
                }
            }

            if (len == name->len) {
                break;
            }

            hash = ai_pattern_hash(hash, name->data[len]);
        }

        slot = ai_pattern_slot(set, hash, name->data, len, 0);

        if (slot->value != NULL) {
            return slot->value;
        }
    }

    if (found != NULL || name->len > AI_PATTERN_MAX) {
        return found;
    }

    for (re = set->regex; re != NULL; re = re->next) {

        if (pcre2_match(re->code, name->len ? name->data : (u_char *) "",
                        name->len, 0, 0, set->match, set->limits)
            >= 0)
        {
            return re->value;
        }
    }

    return NULL;
}


/* the old slots stay in the arena: in sum, no more than the new ones */

static ai_int_t
ai_pattern_grow(ai_pattern_set_t *set)
{
    size_t              i, old_size;
    ai_pattern_slot_t  *old, *slot;

    old = set->slots;
    old_size = set->size;

    slot = ai_alloc(set->alloc, (old_size ? old_size * 2 : AI_PATTERN_SLOTS)
                                * sizeof(ai_pattern_slot_t));
    if (slot == NULL) {
        return AI_ERROR;
    }

    set->slots = slot;
    set->size = old_size ? old_size * 2 : AI_PATTERN_SLOTS;

    memset(slot, 0, set->size * sizeof(ai_pattern_slot_t));

    for (i = 0; i < old_size; i++) {

        if (old[i].value == NULL) {
            continue;
        }

        slot = ai_pattern_slot(set, old[i].hash, old[i].name.data,
                               old[i].name.len, old[i].prefix);
        *slot = old[i];
    }

    return AI_OK;
}


/* the slot of a name, or the free one where it would be */

static ai_pattern_slot_t *
ai_pattern_slot(ai_pattern_set_t *set, uint32_t hash, u_char *p, size_t len,
    ai_uint_t prefix)
{
    size_t              i;
    ai_pattern_slot_t  *slot;

    for (i = hash; /* void */ ; i++) {

        slot = &set->slots[i & (set->size - 1)];

        if (slot->value == NULL
            || (slot->hash == hash && slot->prefix == prefix
                && slot->name.len == len
                && (len == 0 || memcmp(slot->name.data, p, len) == 0)))
        {
            return slot;
        }
    }
}


static ai_int_t
ai_pattern_refuse(ai_pattern_error_t *err, const char *reason, size_t offset,
    void *other)
{
    memcpy(err->reason, reason, strlen(reason) + 1);
    err->offset = offset;
    err->other = other;

    return AI_DECLINED;
}

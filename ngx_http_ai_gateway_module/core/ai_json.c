
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The strict pass over a document.  Its tokens are in ai_json_lex.c, working
 * with its values is in ai_json_value.c.
 *
 * Open containers are frames on a stack.  The member names of all open
 * objects are on a second stack, those of the innermost object on top.  A new
 * name is looked for among the names of its object: one by one in a small
 * object, unless its bloom bits exclude the name, through a hash table in a
 * large one.  All large open objects share one table.  Names leave
 * it in the reverse order of their entering, so that linear probing needs no
 * marks of deletion.
 */


#include "ai_json_lex.h"
#include "ai_simd.h"


#define AI_JSON_STACK_FRAMES  AI_JSON_DEPTH
#define AI_JSON_STACK_NAMES   64

/* an object with more members uses the table */
#define AI_JSON_LINEAR        32

/*
 * Probes of the table, per name that entered it, after which the names must
 * have been chosen to collide: a table that is at most half full needs two.
 */
#define AI_JSON_PROBES        16
#define AI_JSON_PROBES_BASE   4096


typedef struct {
    u_char            *start;
    uint64_t           bloom;
    size_t             names;      /* index of the first in the stack */
    ai_json_type_e     type;
    unsigned           hashed:1;
} ai_json_frame_t;


typedef struct {
    u_char            *data;       /* decoded */
    uint32_t           len;
    uint32_t           hash;       /* a sketch, until it is in the table */
} ai_json_name_t;


typedef struct {
    ai_json_lex_t      lex;
    u_char            *start;
    ai_alloc_t        *scratch;
    ai_json_error_t   *err;

    ai_json_frame_t   *frames;
    size_t             depth;
    size_t             max_frames;

    ai_json_name_t    *names;
    size_t             nnames;
    size_t             max_names;

    uint32_t          *slots;      /* index of a name plus 1, or 0 */
    size_t             nslots;     /* a power of 2, or 0 */
    size_t             used;
    size_t             probes;
    size_t             entered;
} ai_json_scanner_t;


static ai_int_t ai_json_document(ai_json_scanner_t *s,
    const ai_json_limits_t *limits, ai_json_member_pt on_member, void *data,
    ai_json_t *root);
static ai_int_t ai_json_push(ai_json_scanner_t *s, u_char *p);
static void ai_json_pop(ai_json_scanner_t *s);
static ai_int_t ai_json_add_name(ai_json_scanner_t *s, ai_json_t *name);
static ai_int_t ai_json_find_name(ai_json_scanner_t *s,
    ai_json_frame_t *frame, ai_json_name_t *name, ai_json_t *at);
static ai_int_t ai_json_enter_names(ai_json_scanner_t *s,
    ai_json_frame_t *frame, size_t first, ai_json_t *at);
static ai_int_t ai_json_grow_slots(ai_json_scanner_t *s);
static void *ai_json_grow(ai_json_scanner_t *s, void *array, size_t *n,
    size_t size);
static ai_int_t ai_json_fail(ai_json_scanner_t *s, u_char *p,
    const char *reason);


ai_int_t
ai_json_scan(u_char *p, size_t len, const ai_json_limits_t *limits,
    ai_alloc_t *scratch, ai_json_member_pt on_member, void *data,
    ai_json_t *root, ai_json_error_t *err)
{
    ai_json_name_t     names[AI_JSON_STACK_NAMES];
    ai_json_frame_t    frames[AI_JSON_STACK_FRAMES];
    ai_json_scanner_t  s;

    static const ai_json_limits_t  defaults = { AI_JSON_DEPTH, AI_JSON_NODES };

    err->reason = NULL;
    err->offset = 0;

    if (len == 0) {
        err->reason = "empty document";
        return AI_DECLINED;
    }

    if (len >= UINT32_MAX) {
        err->reason = "document too large";
        return AI_DECLINED;
    }

    s.lex.end = p + len;
    s.start = p;
    s.scratch = scratch;
    s.err = err;

    s.frames = frames;
    s.depth = 0;
    s.max_frames = AI_JSON_STACK_FRAMES;

    s.names = names;
    s.nnames = 0;
    s.max_names = AI_JSON_STACK_NAMES;

    s.slots = NULL;
    s.nslots = 0;
    s.used = 0;
    s.probes = 0;
    s.entered = 0;

    return ai_json_document(&s, limits ? limits : &defaults, on_member, data,
                            root);
}


static inline u_char *
ai_json_space(u_char *p, u_char *end)
{
    /* mostly there is none, or a single one */

    if (p == end || *p > ' ') {
        return p;
    }

    if (*p == ' ' && end - p > 1 && p[1] > ' ') {
        return p + 1;
    }

    return ai_simd_space(p, end);
}


static ai_int_t
ai_json_document(ai_json_scanner_t *s, const ai_json_limits_t *limits,
    ai_json_member_pt on_member, void *data, ai_json_t *root)
{
    u_char     *p, *end;
    unsigned    flags, object;
    ai_int_t    rc;
    ai_json_t   value, name, member;
    ai_uint_t   nodes;

    p = s->start;
    end = s->lex.end;
    nodes = limits->nodes;
    object = 0;

    memset(&member, 0, sizeof(ai_json_t));

value:

    p = ai_json_space(p, end);

    if (p == end) {
        goto truncated;
    }

    if (nodes-- == 0) {
        return ai_json_fail(s, p, "too many values");
    }

    value.start = p;
    flags = 0;

    switch (*p) {

    case '"':
        value.type = AI_JSON_STRING;
        p = ai_json_lex_string(&s->lex, p + 1, &flags);
        break;

    case '{':
    case '[':
        if (s->depth >= limits->depth) {
            return ai_json_fail(s, p, "nested too deeply");
        }

        if (ai_json_push(s, p) != AI_OK) {
            return AI_ERROR;
        }

        object = (*p == '{');
        p = ai_json_space(p + 1, end);

        if (p == end) {
            goto truncated;
        }

        if (*p == (object ? '}' : ']')) {
            goto close;
        }

        if (object) {
            goto name;
        }

        goto value;

    case 't':
        value.type = AI_JSON_TRUE;
        p = ai_json_lex_literal(&s->lex, p, "true", 4);
        break;

    case 'f':
        value.type = AI_JSON_FALSE;
        p = ai_json_lex_literal(&s->lex, p, "false", 5);
        break;

    case 'n':
        value.type = AI_JSON_NULL;
        p = ai_json_lex_literal(&s->lex, p, "null", 4);
        break;

    default:
        value.type = AI_JSON_NUMBER;
        p = ai_json_lex_number(&s->lex, p);
        break;
    }

    if (p == NULL) {
        return ai_json_fail(s, s->lex.pos, s->lex.reason);
    }

done:

    if (s->depth <= 1) {

        value.end = p;
        value.escaped = flags & AI_JSON_ESCAPED;
        value.nul = (flags & AI_JSON_NUL) != 0;

        if (s->depth == 0) {
            p = ai_json_space(p, end);

            if (p != end) {
                return ai_json_fail(s, p, "garbage after the document");
            }

            if (root) {
                *root = value;
            }

            return AI_OK;
        }

        if (object && on_member) {
            rc = on_member(data, &member, &value);

            if (rc != AI_OK) {
                (void) ai_json_fail(s, p, "stopped");
                return rc;
            }
        }
    }

    p = ai_json_space(p, end);

    if (p == end) {
        goto truncated;
    }

    if (*p == ',') {
        p++;

        if (!object) {
            goto value;
        }

        p = ai_json_space(p, end);

        if (p == end) {
            goto truncated;
        }

        goto name;
    }

    if (*p == (object ? '}' : ']')) {
        goto close;
    }

    return ai_json_fail(s, p, object ? "expected \",\" or \"}\""
                                     : "expected \",\" or \"]\"");

close:

    p++;
    flags = 0;
    value.start = s->frames[s->depth - 1].start;
    value.type = s->frames[s->depth - 1].type;

    ai_json_pop(s);

    object = (s->depth && s->frames[s->depth - 1].type == AI_JSON_OBJECT);

    goto done;

name:

    if (*p != '"') {
        return ai_json_fail(s, p, "expected a member name");
    }

    flags = 0;
    name.start = p;
    name.type = AI_JSON_STRING;

    p = ai_json_lex_string(&s->lex, p + 1, &flags);

    if (p == NULL) {
        return ai_json_fail(s, s->lex.pos, s->lex.reason);
    }

    name.end = p;
    name.escaped = flags & AI_JSON_ESCAPED;
    name.nul = (flags & AI_JSON_NUL) != 0;

    rc = ai_json_add_name(s, &name);

    if (rc != AI_OK) {
        return rc;
    }

    if (s->depth == 1) {
        member = name;
    }

    p = ai_json_space(p, end);

    if (p == end) {
        goto truncated;
    }

    if (*p != ':') {
        return ai_json_fail(s, p, "expected \":\"");
    }

    p++;

    goto value;

truncated:

    return ai_json_fail(s, end, "unexpected end of the document");
}


static ai_int_t
ai_json_push(ai_json_scanner_t *s, u_char *p)
{
    ai_json_frame_t  *frame;

    if (s->depth == s->max_frames) {
        frame = ai_json_grow(s, s->frames, &s->max_frames,
                             sizeof(ai_json_frame_t));
        if (frame == NULL) {
            return ai_json_fail(s, p, NULL);
        }

        s->frames = frame;
    }

    frame = &s->frames[s->depth++];

    frame->start = p;
    frame->bloom = 0;
    frame->names = s->nnames;
    frame->type = (*p == '{') ? AI_JSON_OBJECT : AI_JSON_ARRAY;
    frame->hashed = 0;

    return AI_OK;
}


/*
 * Where the probing for a name of an object begins.  Equal names in objects
 * within each other begin at different places.
 */

static inline size_t
ai_json_slot(ai_json_scanner_t *s, ai_json_frame_t *frame, uint32_t hash)
{
    uint32_t  depth;

    depth = (uint32_t) (frame - s->frames);

    return (hash ^ depth * 0x9e3779b1u) & (s->nslots - 1);
}


static void
ai_json_pop(ai_json_scanner_t *s)
{
    size_t            i, slot;
    ai_json_frame_t  *frame;

    frame = &s->frames[s->depth - 1];

    if (frame->hashed) {

        for (i = s->nnames; i > frame->names; i--) {
            slot = ai_json_slot(s, frame, s->names[i - 1].hash);

            while (s->slots[slot] != i) {
                slot = (slot + 1) & (s->nslots - 1);
            }

            s->slots[slot] = 0;
        }

        s->used -= s->nnames - frame->names;
    }

    s->nnames = frame->names;
    s->depth--;
}


static uint32_t
ai_json_hash(const u_char *p, size_t len)
{
    uint32_t  low, high;
    uint64_t  hash, word;

    hash = len * UINT64_C(0x9e3779b97f4a7c15);

    for ( /* void */ ; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }

    if (len >= 4) {
        memcpy(&low, p, 4);
        memcpy(&high, p + len - 4, 4);
        word = low | (uint64_t) high << 32;

    } else if (len) {
        word = p[0] | p[len >> 1] << 8 | p[len - 1] << 16;

    } else {
        word = 0;
    }

    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);

    return (uint32_t) (hash >> 24 ^ hash >> 53);
}


/* tells most names apart, and costs next to nothing */

static inline uint32_t
ai_json_sketch(const u_char *p, uint32_t len)
{
    if (len == 0) {
        return 0;
    }

    return (len ^ (uint32_t) p[0] << 24 ^ (uint32_t) p[len - 1] << 16
            ^ (uint32_t) p[len >> 1] << 8)
           * 0x165667b1u;
}


/* pushes the name of a member of the innermost object, which must be new */

static ai_int_t
ai_json_add_name(ai_json_scanner_t *s, ai_json_t *name)
{
    void             *grown;
    ai_int_t          rc;
    uint64_t          bit;
    ai_json_name_t    key;
    ai_json_frame_t  *frame;

    frame = &s->frames[s->depth - 1];

    key.data = name->start + 1;
    key.len = (uint32_t) (name->end - name->start - 2);

    if (name->escaped) {
        key.data = ai_alloc(s->scratch, key.len);
        if (key.data == NULL) {
            return ai_json_fail(s, name->start, NULL);
        }

        key.len = (uint32_t) ai_json_str_decode(name, key.data);
    }

    key.hash = frame->hashed ? ai_json_hash(key.data, key.len)
                             : ai_json_sketch(key.data, key.len);
    bit = UINT64_C(1) << (key.hash >> 26);

    if (frame->hashed || (frame->bloom & bit)) {
        rc = ai_json_find_name(s, frame, &key, name);

        if (rc != AI_OK) {
            return rc;
        }
    }

    frame->bloom |= bit;

    if (s->nnames == s->max_names) {
        grown = ai_json_grow(s, s->names, &s->max_names,
                             sizeof(ai_json_name_t));
        if (grown == NULL) {
            return ai_json_fail(s, name->start, NULL);
        }

        s->names = grown;
    }

    s->names[s->nnames++] = key;

    if (s->nnames - frame->names <= AI_JSON_LINEAR) {
        return AI_OK;
    }

    return ai_json_enter_names(s, frame,
                               frame->hashed ? s->nnames - 1 : frame->names,
                               name);
}


/* AI_OK: the object has no such name */

static ai_int_t
ai_json_find_name(ai_json_scanner_t *s, ai_json_frame_t *frame,
    ai_json_name_t *name, ai_json_t *at)
{
    size_t           i, slot;
    ai_json_name_t  *other;

    i = s->nnames;
    slot = frame->hashed ? ai_json_slot(s, frame, name->hash) : 0;

    for ( ;; ) {

        if (frame->hashed) {
            i = s->slots[slot];

            if (i == 0) {
                return AI_OK;
            }

            slot = (slot + 1) & (s->nslots - 1);

            s->probes++;

        } else if (i == frame->names) {
            return AI_OK;
        }

        other = &s->names[--i];

        if (other->hash == name->hash
            && other->len == name->len
            && i >= frame->names
            && memcmp(other->data, name->data, name->len) == 0)
        {
            return ai_json_fail(s, at->start, "duplicate member");
        }
    }
}


/* puts the names of the innermost object, from "first" on, into the table */

static ai_int_t
ai_json_enter_names(ai_json_scanner_t *s, ai_json_frame_t *frame,
    size_t first, ai_json_t *at)
{
    size_t           i, slot;
    ai_json_name_t  *name;

    if (!frame->hashed) {

        for (i = first; i < s->nnames; i++) {
            name = &s->names[i];
            name->hash = ai_json_hash(name->data, name->len);
        }

        frame->hashed = 1;
    }

    for (i = first; i < s->nnames; i++) {

        if (2 * (s->used + 1) > s->nslots
            && ai_json_grow_slots(s) != AI_OK)
        {
            return ai_json_fail(s, at->start, NULL);
        }

        slot = ai_json_slot(s, frame, s->names[i].hash);

        while (s->slots[slot]) {
            slot = (slot + 1) & (s->nslots - 1);
            s->probes++;
        }

        s->slots[slot] = (uint32_t) i + 1;
        s->used++;
        s->entered++;
    }

    if (s->probes > AI_JSON_PROBES_BASE + AI_JSON_PROBES * s->entered) {
        return ai_json_fail(s, at->start, "member names that collide");
    }

    return AI_OK;
}


/* a table of twice the size, with the names in the order of their entering */

static ai_int_t
ai_json_grow_slots(ai_json_scanner_t *s)
{
    size_t            i, n, left, slot;
    uint32_t         *slots;
    ai_json_frame_t  *frame;

    n = s->nslots ? 2 * s->nslots : 4 * AI_JSON_LINEAR;

    slots = ai_alloc(s->scratch, n * sizeof(uint32_t));
    if (slots == NULL) {
        return AI_ERROR;
    }

    memset(slots, 0, n * sizeof(uint32_t));

    s->slots = slots;
    s->nslots = n;
    left = s->used;

    for (frame = s->frames; left; frame++) {

        if (!frame->hashed) {
            continue;
        }

        /* the names of the innermost object may have entered only in part */

        for (i = frame->names; left; i++, left--) {

            if (frame + 1 < s->frames + s->depth && i == frame[1].names) {
                break;
            }

            slot = ai_json_slot(s, frame, s->names[i].hash);

            while (slots[slot]) {
                slot = (slot + 1) & (n - 1);
            }

            slots[slot] = (uint32_t) i + 1;
        }
    }

    return AI_OK;
}


static void *
ai_json_grow(ai_json_scanner_t *s, void *array, size_t *n, size_t size)
{
    void  *grown;

    grown = ai_alloc(s->scratch, 2 * *n * size);

    if (grown != NULL) {
        memcpy(grown, array, *n * size);
        *n *= 2;
    }

    return grown;
}


/* without a reason it is the memory */

static ai_int_t
ai_json_fail(ai_json_scanner_t *s, u_char *p, const char *reason)
{
    s->err->reason = reason ? reason : "no memory";
    s->err->offset = (size_t) (p - s->start);

    return reason ? AI_DECLINED : AI_ERROR;
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_caps.h"


/* for models that must be told a limit, when nothing is known of theirs */
#define AI_CAPS_OUTPUT  4096


/* what follows a family's name: words and numbers between "-" and "." */

typedef struct {
    ai_uint_t    major;           /* 0: none is told */
    ai_uint_t    minor;
    ai_str_t     rest;
} ai_caps_name_t;


static void ai_caps_claude(const ai_caps_name_t *name, ai_caps_t *caps);
static uint64_t ai_caps_claude_output(const ai_caps_name_t *name,
    ai_uint_t version);
static void ai_caps_gemini(const ai_caps_name_t *name, ai_caps_t *caps);
static void ai_caps_openai(const ai_str_t *model, ai_caps_t *caps);
static ai_uint_t ai_caps_series(const ai_str_t *model);
static ai_uint_t ai_caps_family(const ai_str_t *model, const char *family,
    ai_caps_name_t *name);
static void ai_caps_version(ai_caps_name_t *name);
static ai_uint_t ai_caps_number(const u_char **p, const u_char *last);
static ai_uint_t ai_caps_has(const ai_str_t *s, const char *word);
static u_char *ai_caps_search(const ai_str_t *s, const char *word);
static u_char ai_caps_lower(u_char ch);
static ai_uint_t ai_caps_alnum(u_char ch);


void
ai_caps(const ai_str_t *model, ai_caps_t *caps)
{
    ai_caps_name_t  name;

    caps->flags = AI_CAPS_BUDGET|AI_CAPS_JSON_SCHEMA;
    caps->max_output = AI_CAPS_OUTPUT;

    if (ai_caps_family(model, "claude", &name)) {
        ai_caps_claude(&name, caps);
        return;
    }

    if (ai_caps_family(model, "gemini", &name)) {
        ai_caps_gemini(&name, caps);
        return;
    }

    if (ai_caps_family(model, "nova", &name)) {
        caps->flags = AI_CAPS_NOVA;

        if (name.major >= 2) {
            caps->flags |= AI_CAPS_NOVA2;
        }

        return;
    }

    ai_caps_openai(model, caps);
}


/* "claude-sonnet-4-5-20250929", "claude-3-7-sonnet", "claude-opus-4.6" */

static void
ai_caps_claude(const ai_caps_name_t *name, ai_caps_t *caps)
{
    ai_uint_t  flags, version;

    version = name->major * 100 + name->minor;
    flags = AI_CAPS_CLAUDE;

    if (version >= 406) {
        flags |= AI_CAPS_ADAPTIVE;
    }

    if (version >= 307 && version <= 406) {
        flags |= AI_CAPS_BUDGET;
    }

    if (version == 406) {
        flags |= AI_CAPS_NO_XHIGH;
    }

    if (version >= 407) {
        flags |= AI_CAPS_NO_SAMPLING;

    } else if (version >= 400) {
        flags |= AI_CAPS_ONE_SAMPLING;
    }

    if (version >= 401) {
        flags |= AI_CAPS_SCHEMA;
    }

    if (version >= 408) {
        flags |= AI_CAPS_MID_SYSTEM;
    }

    caps->flags = flags;
    caps->max_output = ai_caps_claude_output(name, version);
}


static uint64_t
ai_caps_claude_output(const ai_caps_name_t *name, ai_uint_t version)
{
    ai_uint_t  opus;

    opus = ai_caps_has(&name->rest, "opus");

    if (version < 305) {
        return AI_CAPS_OUTPUT;
    }

    if (version < 307) {
        return 8192;
    }

    if (opus && version < 405) {
        return 32000;
    }

    return (opus && version >= 406) ? 128000 : 64000;
}


static void
ai_caps_gemini(const ai_caps_name_t *name, ai_caps_t *caps)
{
    ai_uint_t  flags, version;

    version = name->major * 100 + name->minor;

    /* "gemini-flash-latest": whatever it is, it is not an old one */

    if (version == 0) {
        version = 205;
    }

    flags = 0;

    if (version >= 205) {
        flags |= AI_CAPS_JSON_SCHEMA;

        if (!ai_caps_has(&name->rest, "image")
            && !ai_caps_has(&name->rest, "tts"))
        {
            flags |= (version >= 300) ? AI_CAPS_THINK_LEVEL
                                      : AI_CAPS_THINK_BUDGET;
        }

        if (ai_caps_has(&name->rest, "pro")) {
            flags |= AI_CAPS_THINK_PRO;
        }
    }

    caps->flags = flags;
}


/* whether the model is one of OpenAI's that thinks */

static void
ai_caps_openai(const ai_str_t *model, ai_caps_t *caps)
{
    ai_caps_name_t  name;

    if (ai_caps_family(model, "gpt-oss", &name)) {
        caps->flags |= AI_CAPS_EFFORT;
        return;
    }

    if (ai_caps_family(model, "gpt", &name)) {

        if (name.major < 5 || ai_caps_has(&name.rest, "chat")) {
            return;
        }

    } else if (!ai_caps_series(model)) {
        return;
    }

    caps->flags |= AI_CAPS_REASONING;
}


/* "o1", "o3-mini", "openai/o4-mini" */

static ai_uint_t
ai_caps_series(const ai_str_t *model)
{
    u_char  *p, *last;

    p = model->data;
    last = p + model->len;

    while (last > p && last[-1] != '/') {
        last--;
    }

    p = last;
    last = model->data + model->len;

    if (last - p > 7 && memcmp(p, "openai.", 7) == 0) {
        p += 7;
    }

    return last - p >= 2 && ai_caps_lower(p[0]) == 'o'
           && p[1] >= '1' && p[1] <= '9'
           && (last - p == 2 || !ai_caps_alnum(p[2]));
}


/*
 * Whether the name has this family in it as a word, and what comes behind.
 * Vendors put words of their own in front and behind.
 */

static ai_uint_t
ai_caps_family(const ai_str_t *model, const char *family,
    ai_caps_name_t *name)
{
    u_char    *p;
    size_t     len;
    ai_str_t   s;

    len = strlen(family);
    s = *model;

    for ( ;; ) {
        p = ai_caps_search(&s, family);

        if (p == NULL) {
            return 0;
        }

        s.len = model->data + model->len - (p + len);
        s.data = p + len;

        if ((p == model->data || !ai_caps_alnum(p[-1]))
            && (s.len == 0 || !ai_caps_alnum(s.data[0])))
        {
            break;
        }
    }

    name->major = 0;
    name->minor = 0;
    name->rest = s;

    ai_caps_version(name);

    return 1;
}


/* the first number is the version, unless it is long enough for a date */

static void
ai_caps_version(ai_caps_name_t *name)
{
    const u_char  *p, *last;

    p = name->rest.data;
    last = p + name->rest.len;

    while (p < last) {

        if (ai_caps_alnum(*p) || p + 1 == last) {
            p++;
            continue;
        }

        p++;

        name->major = ai_caps_number(&p, last);

        if (name->major != 0) {
            break;
        }
    }

    if (p < last && (*p == '-' || *p == '.')) {
        p++;
        name->minor = ai_caps_number(&p, last);
    }
}


/* a number of one or two digits and nothing else, else 0 */

static ai_uint_t
ai_caps_number(const u_char **p, const u_char *last)
{
    ai_uint_t      n;
    const u_char  *s;

    n = 0;

    for (s = *p; s < last && s - *p < 2 && *s >= '0' && *s <= '9'; s++) {
        n = n * 10 + (*s - '0');
    }

    if (s == *p || (s < last && ai_caps_alnum(*s))) {
        return 0;
    }

    *p = s;

    return n;
}


static ai_uint_t
ai_caps_has(const ai_str_t *s, const char *word)
{
    ai_caps_name_t  name;

    return ai_caps_family(s, word, &name);
}


/* word is in lower case */

static u_char *
ai_caps_search(const ai_str_t *s, const char *word)
{
    size_t  i, j, len;

    len = strlen(word);

    for (i = 0; i + len <= s->len; i++) {

        for (j = 0; j < len; j++) {
            if (ai_caps_lower(s->data[i + j]) != (u_char) word[j]) {
                break;
            }
        }

        if (j == len) {
            return s->data + i;
        }
    }

    return NULL;
}


static u_char
ai_caps_lower(u_char ch)
{
    return (ch >= 'A' && ch <= 'Z') ? ch | 0x20 : ch;
}


static ai_uint_t
ai_caps_alnum(u_char ch)
{
    ch = ai_caps_lower(ch);

    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

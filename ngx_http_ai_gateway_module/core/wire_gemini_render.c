
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The body of generateContent for a provider: wire-formats.md 7.1.
 */


#include "wire_gemini.h"


/* base64 of "skip_thought_signature_validator", see wire-formats.md 2.6 */
#define AI_GEMINI_DUMMY  "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="

/* the longest id that is taken for one of Google's */
#define AI_GEMINI_ID     64


/* whose content is open; responses of functions stand alone */

typedef enum {
    AI_GEMINI_CLOSED = 0,
    AI_GEMINI_USER,
    AI_GEMINI_MODEL,
    AI_GEMINI_RESULTS
} ai_gemini_open_e;


typedef struct {
    ai_request_t        *req;
    const ai_target_t   *t;
    ai_buf_t            *out;
    ai_report_t         *rep;
    ai_gemini_open_e     open;
    ai_uint_t            any;          /* content was written */
    ai_uint_t            calls;        /* of the message */
    ai_mstr_t            state;        /* for the part that comes */
} ai_gemini_render_t;


typedef struct {
    const char          *suffix;
    const char          *type;
} ai_gemini_suffix_t;


static ai_uint_t ai_gemini_render_system(ai_gemini_render_t *r,
    ai_uint_t user);
static ai_int_t ai_gemini_render_message(ai_gemini_render_t *r,
    const ai_message_t *m);
static ai_int_t ai_gemini_render_model(ai_gemini_render_t *r,
    const ai_part_t *part);
static void ai_gemini_render_thought(ai_gemini_render_t *r,
    const ai_part_t *part);
static ai_int_t ai_gemini_render_call(ai_gemini_render_t *r,
    const ai_part_t *part);
static ai_int_t ai_gemini_render_said(ai_gemini_render_t *r,
    const ai_part_t *part, ai_gemini_open_e who);
static void ai_gemini_render_text(ai_gemini_render_t *r,
    ai_gemini_open_e who, const ai_mstr_t *text);
static void ai_gemini_render_state(ai_gemini_render_t *r);
static ai_int_t ai_gemini_render_media(ai_gemini_render_t *r,
    const ai_part_t *part);
static void ai_gemini_render_base64(ai_gemini_render_t *r,
    const ai_mstr_t *data);
static ai_int_t ai_gemini_render_file(ai_gemini_render_t *r,
    const ai_part_t *part);
static const char *ai_gemini_default_type(const ai_part_t *part);
static const char *ai_gemini_file_type(const ai_str_t *url);
static ai_uint_t ai_gemini_google_url(const ai_str_t *url);
static ai_int_t ai_gemini_render_results(ai_gemini_render_t *r,
    const ai_message_t *m);
static ai_int_t ai_gemini_render_result(ai_gemini_render_t *r,
    const ai_part_t *part);
static ai_int_t ai_gemini_render_response(ai_gemini_render_t *r,
    const ai_part_t *part);
static ai_int_t ai_gemini_object(ai_gemini_render_t *r, const ai_mstr_t *text,
    ai_str_t *out);
static void ai_gemini_render_id(ai_gemini_render_t *r, const ai_mstr_t *id);
static void ai_gemini_part_open(ai_gemini_render_t *r, ai_gemini_open_e who);
static void ai_gemini_close(ai_gemini_render_t *r);
static ai_uint_t ai_gemini_is_text(const ai_part_t *part);


static const ai_gemini_suffix_t  ai_gemini_suffixes[] = {
    { ".png", "image/png" },
    { ".jpg", "image/jpeg" },
    { ".jpeg", "image/jpeg" },
    { ".webp", "image/webp" },
    { ".gif", "image/gif" },
    { ".heic", "image/heic" },
    { ".pdf", "application/pdf" },
    { ".txt", "text/plain" },
    { ".mp3", "audio/mp3" },
    { ".wav", "audio/wav" },
    { ".mp4", "video/mp4" },
    { ".mov", "video/mov" },
    { NULL, NULL }
};


ai_int_t
ai_gemini_render_request(ai_request_t *req, const ai_target_t *t,
    ai_buf_t *out, ai_report_t *rep)
{
    ai_int_t             rc;
    ai_message_t        *m;
    ai_gemini_render_t   r;

    memset(&r, 0, sizeof(ai_gemini_render_t));

    r.req = req;
    r.t = t;
    r.out = out;
    r.rep = rep;

    ai_buf_lit(out, "{\"contents\":[");

    for (m = req->messages; m != NULL; m = m->next) {

        rc = ai_gemini_render_message(&r, m);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_gemini_close(&r);

    /* nothing but instructions: they are what is to be answered */

    if (!r.any && !ai_gemini_render_system(&r, 1)) {
        return ai_report_refuse(rep, "messages", "there is nothing to answer");
    }

    ai_buf_lit(out, "]");

    if (r.any) {
        (void) ai_gemini_render_system(&r, 0);
    }

    rc = ai_gemini_render_tools(req, t, out, rep);

    if (rc != AI_OK) {
        return rc;
    }

    rc = ai_gemini_render_config(req, t, out, rep);

    if (rc != AI_OK) {
        return rc;
    }

    ai_buf_lit(out, "}");

    return out->failed ? AI_ERROR : AI_OK;
}


/* wherever they stand, all instructions are one text; 0: there is none */

static ai_uint_t
ai_gemini_render_system(ai_gemini_render_t *r, ai_uint_t user)
{
    ai_uint_t      n;
    ai_part_t     *part;
    ai_message_t  *m;

    n = 0;

    for (m = r->req->messages; m != NULL; m = m->next) {

        if (m->role != AI_ROLE_SYSTEM && m->role != AI_ROLE_DEVELOPER) {
            continue;
        }

        for (part = m->parts; part != NULL; part = part->next) {

            if (!ai_gemini_is_text(part) || ai_mstr_empty(&part->text)) {
                continue;
            }

            if (n++ != 0) {
                ai_buf_lit(r->out, "\\n\\n");

            } else if (user) {
                ai_buf_lit(r->out, "{\"role\":\"user\",\"parts\":"
                                   "[{\"text\":\"");
            } else {
                ai_buf_key(r->out, "systemInstruction");
                ai_buf_lit(r->out, "{\"parts\":[{\"text\":\"");
            }

            ai_buf_chars(r->out, &part->text);
        }
    }

    if (n != 0) {
        ai_buf_lit(r->out, "\"}]}");
    }

    return n;
}


static ai_int_t
ai_gemini_render_message(ai_gemini_render_t *r, const ai_message_t *m)
{
    ai_int_t          rc;
    const ai_part_t  *part;

    if (!ai_mstr_empty(&m->name)) {
        ai_report_drop(r->rep, "name");
    }

    r->calls = 0;

    switch (m->role) {

    case AI_ROLE_USER:
    case AI_ROLE_ASSISTANT:
        break;

    case AI_ROLE_TOOL:
        return ai_gemini_render_results(r, m);

    default:
        return AI_OK;
    }

    for (part = m->parts; part != NULL; part = part->next) {

        rc = (m->role == AI_ROLE_ASSISTANT)
             ? ai_gemini_render_model(r, part)
             : ai_gemini_render_said(r, part, AI_GEMINI_USER);

        if (rc != AI_OK) {
            return rc;
        }
    }

    /* a signature that came last came in a part without words */

    ai_gemini_render_state(r);

    return AI_OK;
}


static ai_int_t
ai_gemini_render_model(ai_gemini_render_t *r, const ai_part_t *part)
{
    switch (part->type) {

    case AI_PART_REASONING:
        ai_gemini_render_thought(r, part);
        return AI_OK;

    case AI_PART_CALL:
        return ai_gemini_render_call(r, part);

    default:
        return ai_gemini_render_said(r, part, AI_GEMINI_MODEL);
    }
}


/*
 * Thoughts without a signature of Google's are of no use to the model.  The
 * signature itself goes on the part that follows.
 */

static void
ai_gemini_render_thought(ai_gemini_render_t *r, const ai_part_t *part)
{
    if (part->state_kind != AI_STATE_GOOGLE || ai_mstr_empty(&part->state)) {
        return;
    }

    ai_gemini_render_state(r);

    if (!ai_mstr_empty(&part->text)) {
        ai_gemini_part_open(r, AI_GEMINI_MODEL);
        ai_buf_lit(r->out, "{\"text\":");
        ai_buf_string(r->out, &part->text);
        ai_buf_lit(r->out, ",\"thought\":true}");
    }

    r->state = part->state;
}


static ai_int_t
ai_gemini_render_call(ai_gemini_render_t *r, const ai_part_t *part)
{
    ai_str_t   args;
    ai_mstr_t  name, state;

    if (ai_gemini_tool_name(r->req, &part->name, &name) != AI_OK
        || ai_part_object(part, r->req->alloc, &args) != AI_OK)
    {
        return AI_ERROR;
    }

    if (part->state_kind == AI_STATE_GOOGLE && !ai_mstr_empty(&part->state)) {
        ai_gemini_render_state(r);
        state = part->state;

    } else {
        state = r->state;
        r->state.s.len = 0;
    }

    /* Gemini 3 refuses the first call of a turn without a signature */

    if (ai_mstr_empty(&state) && r->calls == 0
        && (r->t->caps.flags & AI_CAPS_THINK_LEVEL))
    {
        state = ai_mstr_cstr(AI_GEMINI_DUMMY);
    }

    r->calls++;

    ai_gemini_part_open(r, AI_GEMINI_MODEL);
    ai_buf_lit(r->out, "{\"functionCall\":{");

    ai_gemini_render_id(r, &part->id);

    ai_buf_key(r->out, "name");
    ai_buf_string(r->out, &name);
    ai_buf_key_raw(r->out, "args", &args);
    ai_buf_lit(r->out, "}");
    ai_buf_key_string(r->out, "thoughtSignature", &state);
    ai_buf_lit(r->out, "}");

    return AI_OK;
}


static ai_int_t
ai_gemini_render_said(ai_gemini_render_t *r, const ai_part_t *part,
    ai_gemini_open_e who)
{
    switch (part->type) {

    case AI_PART_TEXT:
    case AI_PART_REFUSAL:
        ai_gemini_render_text(r, who, &part->text);
        return AI_OK;

    case AI_PART_IMAGE:
    case AI_PART_AUDIO:
    case AI_PART_VIDEO:
    case AI_PART_DOCUMENT:

        if (ai_gemini_is_text(part)) {
            ai_gemini_render_text(r, who, &part->text);
            return AI_OK;
        }

        ai_gemini_part_open(r, who);

        return ai_gemini_render_media(r, part);

    default:
        return AI_OK;
    }
}


static void
ai_gemini_render_text(ai_gemini_render_t *r, ai_gemini_open_e who,
    const ai_mstr_t *text)
{
    ai_gemini_part_open(r, who);

    ai_buf_lit(r->out, "{\"text\":");
    ai_buf_string(r->out, text);
    ai_buf_key_string(r->out, "thoughtSignature", &r->state);
    ai_buf_lit(r->out, "}");

    r->state.s.len = 0;
}


/* a signature that no part took */

static void
ai_gemini_render_state(ai_gemini_render_t *r)
{
    ai_mstr_t  none;

    if (!ai_mstr_empty(&r->state)) {
        none = ai_mstr_cstr("");
        ai_gemini_render_text(r, AI_GEMINI_MODEL, &none);
    }
}


static ai_int_t
ai_gemini_render_media(ai_gemini_render_t *r, const ai_part_t *part)
{
    if (!ai_mstr_empty(&part->detail) && !ai_mstr_eq(&part->detail, "auto")) {
        ai_report_drop(r->rep, "detail");
    }

    if (ai_mstr_empty(&part->data)) {
        return ai_gemini_render_file(r, part);
    }

    ai_buf_lit(r->out, "{\"inlineData\":{\"mimeType\":");

    if (!ai_mstr_empty(&part->media_type)) {
        ai_buf_string(r->out, &part->media_type);

    } else {
        ai_buf_quote_cstr(r->out, ai_gemini_default_type(part));
    }

    ai_buf_key(r->out, "data");
    ai_gemini_render_base64(r, &part->data);
    ai_buf_lit(r->out, "}}");

    return AI_OK;
}


/* no white space in it: some clients break the lines, the API minds */

static void
ai_gemini_render_base64(ai_gemini_render_t *r, const ai_mstr_t *data)
{
    u_char    *p, *last, *start;
    ai_buf_t   b;
    ai_str_t   s;

    if (memchr(data->s.data, '\\', data->s.len) == NULL
        && memchr(data->s.data, '\n', data->s.len) == NULL
        && memchr(data->s.data, ' ', data->s.len) == NULL)
    {
        ai_buf_string(r->out, data);
        return;
    }

    ai_buf_init(&b, r->req->alloc, r->out->max);
    ai_buf_plain(&b, data);

    if (ai_buf_get(&b, &s) != AI_OK) {
        r->out->failed = 1;
        return;
    }

    ai_buf_lit(r->out, "\"");

    last = s.data + s.len;

    for (p = s.data; p < last; p++) {

        for (start = p; p < last && *p > ' ' && *p != '"' && *p != '\\'; p++)
        {
            /* void */
        }

        ai_buf_put(r->out, start, (size_t) (p - start));
    }

    ai_buf_lit(r->out, "\"");
}


static ai_int_t
ai_gemini_render_file(ai_gemini_render_t *r, const ai_part_t *part)
{
    ai_str_t     url;
    const char  *type;

    if (ai_mstr_empty(&part->url)) {
        return ai_report_refuse(r->rep, "messages",
                                "a file uploaded elsewhere cannot be used by "
                                "this model, send its content");
    }

    if (ai_mstr_decode(&part->url, r->req->alloc, &url) != AI_OK) {
        return AI_ERROR;
    }

    if (!ai_gemini_google_url(&url)) {
        return ai_report_refuse(r->rep, "messages",
                                "this model takes no URLs of images or files "
                                "but Google's, send their content in base64");
    }

    ai_buf_lit(r->out, "{\"fileData\":{");

    if (!ai_mstr_empty(&part->media_type)) {
        ai_buf_key_string(r->out, "mimeType", &part->media_type);

    } else {
        type = ai_gemini_file_type(&url);

        if (type != NULL) {
            ai_buf_key(r->out, "mimeType");
            ai_buf_quote_cstr(r->out, type);
        }
    }

    ai_buf_key(r->out, "fileUri");
    ai_buf_quote(r->out, &url);
    ai_buf_lit(r->out, "}}");

    return AI_OK;
}


static const char *
ai_gemini_default_type(const ai_part_t *part)
{
    switch (part->type) {

    case AI_PART_IMAGE:
        return "image/png";

    case AI_PART_AUDIO:
        return "audio/wav";

    case AI_PART_VIDEO:
        return "video/mp4";

    default:
        return "application/pdf";
    }
}


static const char *
ai_gemini_file_type(const ai_str_t *url)
{
    size_t                     len;
    const ai_gemini_suffix_t  *row;

    for (row = ai_gemini_suffixes; row->suffix != NULL; row++) {
        len = strlen(row->suffix);

        if (url->len > len
            && memcmp(url->data + url->len - len, row->suffix, len) == 0)
        {
            return row->type;
        }
    }

    return NULL;
}


static ai_uint_t
ai_gemini_google_url(const ai_str_t *url)
{
    size_t              len;
    const char *const  *p;

    static const char *const  prefixes[] = {
        "gs://",
        "https://generativelanguage.googleapis.com/",
        "https://storage.googleapis.com/",
        "https://www.youtube.com/",
        "https://youtube.com/",
        "https://youtu.be/",
        NULL
    };

    for (p = prefixes; *p != NULL; p++) {
        len = strlen(*p);

        if (url->len > len && memcmp(url->data, *p, len) == 0) {
            return 1;
        }
    }

    return 0;
}


/*
 * All responses of a turn in one content with nothing else in it.  Pictures
 * go along with their response to models that take them there, others get
 * them in the next content, as said by the user.
 */

static ai_int_t
ai_gemini_render_results(ai_gemini_render_t *r, const ai_message_t *m)
{
    ai_int_t          rc;
    const ai_part_t  *part, *media;

    ai_gemini_close(r);

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->type != AI_PART_RESULT) {
            continue;
        }

        rc = ai_gemini_render_result(r, part);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_gemini_close(r);

    if (r->t->caps.flags & AI_CAPS_THINK_LEVEL) {
        return AI_OK;
    }

    for (part = m->parts; part != NULL; part = part->next) {

        for (media = part->content; media != NULL; media = media->next) {

            if (ai_gemini_is_text(media)) {
                continue;
            }

            rc = ai_gemini_render_said(r, media, AI_GEMINI_USER);

            if (rc != AI_OK) {
                return rc;
            }
        }
    }

    return AI_OK;
}


static ai_int_t
ai_gemini_render_result(ai_gemini_render_t *r, const ai_part_t *part)
{
    ai_int_t          rc;
    ai_uint_t         n;
    ai_mstr_t         name;
    const ai_part_t  *media;

    if (ai_gemini_tool_name(r->req, &part->name, &name) != AI_OK) {
        return AI_ERROR;
    }

    ai_gemini_part_open(r, AI_GEMINI_RESULTS);
    ai_buf_lit(r->out, "{\"functionResponse\":{");

    ai_gemini_render_id(r, &part->id);

    ai_buf_key(r->out, "name");
    ai_buf_string(r->out, &name);
    ai_buf_key(r->out, "response");

    if (ai_gemini_render_response(r, part) != AI_OK) {
        return AI_ERROR;
    }

    n = 0;

    for (media = part->content; media != NULL; media = media->next) {

        if (ai_gemini_is_text(media)
            || !(r->t->caps.flags & AI_CAPS_THINK_LEVEL))
        {
            continue;
        }

        if (n++ == 0) {
            ai_buf_key(r->out, "parts");
            ai_buf_lit(r->out, "[");
        }

        ai_buf_comma(r->out);

        rc = ai_gemini_render_media(r, media);

        if (rc != AI_OK) {
            return rc;
        }
    }

    if (n != 0) {
        ai_buf_lit(r->out, "]");
    }

    ai_buf_lit(r->out, "}}");

    return AI_OK;
}


/* an object: the one that the text is, or else one with the text in it */

static ai_int_t
ai_gemini_render_response(ai_gemini_render_t *r, const ai_part_t *part)
{
    ai_str_t          object;
    ai_uint_t         n;
    const ai_part_t  *p, *only;

    n = 0;
    only = NULL;

    for (p = part->content; p != NULL; p = p->next) {
        if (ai_gemini_is_text(p)) {
            only = p;
            n++;
        }
    }

    if (n == 1 && !part->is_error) {

        if (ai_gemini_object(r, &only->text, &object) != AI_OK) {
            return AI_ERROR;
        }

        if (object.len != 0) {
            ai_buf_raw(r->out, &object);
            return AI_OK;
        }
    }

    if (part->is_error) {
        ai_buf_lit(r->out, "{\"error\":\"");

    } else {
        ai_buf_lit(r->out, "{\"result\":\"");
    }

    for (p = part->content, n = 0; p != NULL; p = p->next) {

        if (!ai_gemini_is_text(p)) {
            continue;
        }

        if (n++ != 0) {
            ai_buf_lit(r->out, "\\n");
        }

        ai_buf_chars(r->out, &p->text);
    }

    ai_buf_lit(r->out, "\"}");

    return AI_OK;
}


/* empty unless the text is a JSON object */

static ai_int_t
ai_gemini_object(ai_gemini_render_t *r, const ai_mstr_t *text, ai_str_t *out)
{
    size_t            i;
    ai_int_t          rc;
    ai_str_t          s;
    ai_json_t         root;
    ai_json_error_t   err;

    out->len = 0;

    for (i = 0; i < text->s.len; i++) {
        if (text->s.data[i] == '{') {
            break;
        }

        /* white space, or what may be one when it is decoded */

        if (memchr(" \t\r\n\\trn", text->s.data[i], 8) == NULL) {
            return AI_OK;
        }
    }

    if (ai_mstr_decode(text, r->req->alloc, &s) != AI_OK) {
        return AI_ERROR;
    }

    rc = ai_json_scan(s.data, s.len, NULL, r->req->alloc, NULL, NULL, &root,
                      &err);

    if (rc == AI_OK && root.type == AI_JSON_OBJECT) {
        *out = ai_json_raw(&root);
    }

    return (rc == AI_ERROR) ? AI_ERROR : AI_OK;
}


/*
 * An id goes back only to those who gave it.  Google's have no "_" in them,
 * unlike "call_...", "toolu_..." and those that are made up here.
 */

static void
ai_gemini_render_id(ai_gemini_render_t *r, const ai_mstr_t *id)
{
    const ai_vendor_t  *v;

    v = r->t->vendor;

    if (ai_mstr_empty(id) || id->s.len > AI_GEMINI_ID
        || (v != NULL && (v->flags & AI_VENDOR_NO_CALL_IDS))
        || memchr(id->s.data, '_', id->s.len) != NULL)
    {
        return;
    }

    ai_buf_key_string(r->out, "id", id);
}


/* neighbours of one role are one content */

static void
ai_gemini_part_open(ai_gemini_render_t *r, ai_gemini_open_e who)
{
    if (r->open == who) {
        ai_buf_comma(r->out);
        return;
    }

    ai_gemini_close(r);
    ai_buf_comma(r->out);

    if (who == AI_GEMINI_MODEL) {
        ai_buf_lit(r->out, "{\"role\":\"model\",\"parts\":[");

    } else {
        ai_buf_lit(r->out, "{\"role\":\"user\",\"parts\":[");
    }

    r->open = who;
    r->any = 1;
}


static void
ai_gemini_close(ai_gemini_render_t *r)
{
    if (r->open != AI_GEMINI_CLOSED) {
        ai_buf_lit(r->out, "]}");
        r->open = AI_GEMINI_CLOSED;
    }
}


static ai_uint_t
ai_gemini_is_text(const ai_part_t *part)
{
    return part->type == AI_PART_TEXT || part->type == AI_PART_REFUSAL
           || (part->type == AI_PART_DOCUMENT && ai_mstr_empty(&part->data)
               && ai_mstr_empty(&part->url) && ai_mstr_empty(&part->file));
}

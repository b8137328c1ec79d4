
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Images, documents, audio and video of Bedrock Converse, wire-formats.md
 * 2.7: by a short name of their format, as base64, or as an object in S3.
 */


#include "ai_base64.h"
#include "wire_converse.h"


#define AI_CONVERSE_TITLE  100


typedef struct {
    ai_part_e    type;
    const char  *format;
    const char  *media_type;
} ai_converse_media_t;


static ai_int_t ai_converse_media_source(ai_converse_write_t *w,
    const ai_part_t *part);
static ai_int_t ai_converse_media_bytes(ai_converse_write_t *w,
    const ai_mstr_t *data);
static ai_int_t ai_converse_media_text(ai_converse_write_t *w,
    const ai_mstr_t *text);
static ai_int_t ai_converse_media_title(ai_converse_write_t *w,
    const ai_mstr_t *name);
static ai_uint_t ai_converse_base64(const ai_mstr_t *data);


/* the first of a format is the one it is read as */

static const ai_converse_media_t  ai_converse_media[] = {

    { AI_PART_IMAGE, "png", "image/png" },
    { AI_PART_IMAGE, "jpeg", "image/jpeg" },
    { AI_PART_IMAGE, "jpeg", "image/jpg" },
    { AI_PART_IMAGE, "gif", "image/gif" },
    { AI_PART_IMAGE, "webp", "image/webp" },

    { AI_PART_DOCUMENT, "pdf", "application/pdf" },
    { AI_PART_DOCUMENT, "csv", "text/csv" },
    { AI_PART_DOCUMENT, "doc", "application/msword" },
    { AI_PART_DOCUMENT, "docx", "application/vnd.openxmlformats-"
                                "officedocument.wordprocessingml.document" },
    { AI_PART_DOCUMENT, "xls", "application/vnd.ms-excel" },
    { AI_PART_DOCUMENT, "xlsx", "application/vnd.openxmlformats-"
                                "officedocument.spreadsheetml.sheet" },
    { AI_PART_DOCUMENT, "html", "text/html" },
    { AI_PART_DOCUMENT, "txt", "text/plain" },
    { AI_PART_DOCUMENT, "md", "text/markdown" },
    { AI_PART_DOCUMENT, "txt", "application/json" },
    { AI_PART_DOCUMENT, "txt", "application/xml" },

    { AI_PART_VIDEO, "mp4", "video/mp4" },
    { AI_PART_VIDEO, "mov", "video/quicktime" },
    { AI_PART_VIDEO, "webm", "video/webm" },
    { AI_PART_VIDEO, "mkv", "video/x-matroska" },
    { AI_PART_VIDEO, "flv", "video/x-flv" },
    { AI_PART_VIDEO, "mpeg", "video/mpeg" },
    { AI_PART_VIDEO, "mpg", "video/mpeg" },
    { AI_PART_VIDEO, "wmv", "video/x-ms-wmv" },
    { AI_PART_VIDEO, "three_gp", "video/3gpp" },

    { AI_PART_AUDIO, "wav", "audio/wav" },
    { AI_PART_AUDIO, "wav", "audio/x-wav" },
    { AI_PART_AUDIO, "mp3", "audio/mp3" },
    { AI_PART_AUDIO, "mp3", "audio/mpeg" },
    { AI_PART_AUDIO, "flac", "audio/flac" },
    { AI_PART_AUDIO, "ogg", "audio/ogg" },
    { AI_PART_AUDIO, "opus", "audio/opus" },
    { AI_PART_AUDIO, "aac", "audio/aac" },
    { AI_PART_AUDIO, "m4a", "audio/mp4" },
    { AI_PART_AUDIO, "webm", "audio/webm" },

    { AI_PART_TEXT, NULL, NULL }
};


const char *
ai_converse_media_type(ai_part_e type, const ai_json_t *format)
{
    const ai_converse_media_t  *m;

    for (m = ai_converse_media; m->format != NULL; m++) {

        if (m->type == type
            && ai_json_str_eq(format, m->format, strlen(m->format)))
        {
            return m->media_type;
        }
    }

    return NULL;
}


const char *
ai_converse_format(ai_part_e type, const ai_mstr_t *media_type)
{
    const ai_converse_media_t  *m;

    for (m = ai_converse_media; m->format != NULL; m++) {
        if (m->type == type && ai_mstr_eq(media_type, m->media_type)) {
            return m->format;
        }
    }

    /* source code, logs, whatever else one can read */

    if (type == AI_PART_DOCUMENT && media_type->s.len > 5
        && memcmp(media_type->s.data, "text/", 5) == 0)
    {
        return "txt";
    }

    return NULL;
}


ai_int_t
ai_converse_write_media(ai_converse_write_t *w, const ai_part_t *part)
{
    ai_int_t     rc;
    const char  *format, *name;

    switch (part->type) {

    case AI_PART_IMAGE:
        name = "image";
        break;

    case AI_PART_DOCUMENT:
        name = "document";
        break;

    case AI_PART_VIDEO:
        name = "video";
        break;

    default:
        name = "audio";
        break;
    }

    if (ai_converse_is(w, AI_CAPS_CLAUDE)
        && (part->type == AI_PART_VIDEO || part->type == AI_PART_AUDIO))
    {
        return ai_report_refuse(w->rep, "messages", "this model takes "
                                "neither audio nor video");
    }

    format = ai_converse_format(part->type, &part->media_type);

    if (format == NULL && part->type == AI_PART_DOCUMENT
        && !ai_mstr_empty(&part->text))
    {
        format = "txt";
    }

    ai_buf_lit(w->out, "{");
    ai_buf_key(w->out, name);
    ai_buf_lit(w->out, "{");

    if (part->type == AI_PART_DOCUMENT) {
        rc = ai_converse_media_title(w, &part->name);

        if (rc != AI_OK) {
            return rc;
        }
    }

    ai_buf_key(w->out, "source");
    rc = ai_converse_media_source(w, part);

    if (rc != AI_OK) {
        return rc;
    }

    if (format == NULL) {
        return ai_report_refuse(w->rep, "messages", "the provider of this "
                                "model does not take files of this media "
                                "type");
    }

    ai_buf_key(w->out, "format");
    ai_buf_quote_cstr(w->out, format);
    ai_buf_lit(w->out, "}}");

    return AI_OK;
}


static ai_int_t
ai_converse_media_source(ai_converse_write_t *w, const ai_part_t *part)
{
    if (!ai_mstr_empty(&part->data)) {
        return ai_converse_media_bytes(w, &part->data);
    }

    if (part->type == AI_PART_DOCUMENT && !ai_mstr_empty(&part->text)) {
        return ai_converse_media_text(w, &part->text);
    }

    if (!ai_mstr_empty(&part->file)) {
        return ai_report_refuse(w->rep, "messages", "uploaded files are not "
                                "known to the provider of this model: send "
                                "their content");
    }

    if (part->url.s.len < 5 || memcmp(part->url.s.data, "s3:", 3) != 0) {
        return ai_report_refuse(w->rep, "messages", "the provider of this "
                                "model does not fetch URLs: send the content "
                                "as a data URL with base64");
    }

    ai_buf_lit(w->out, "{\"s3Location\":{\"uri\":");
    ai_buf_string(w->out, &part->url);
    ai_buf_lit(w->out, "}}");

    return AI_OK;
}


static ai_int_t
ai_converse_media_bytes(ai_converse_write_t *w, const ai_mstr_t *data)
{
    ai_int_t     rc;
    ai_str_t     text, bytes;
    ai_mstr_t    m;
    ai_alloc_t  *a;

    m = *data;

    if (!ai_converse_base64(data)) {
        a = w->req->alloc;

        rc = ai_wire_base64(data, a, &bytes);

        if (rc != AI_OK) {
            return (rc == AI_ERROR) ? AI_ERROR
                   : ai_report_refuse(w->rep, "messages",
                                      "the data of a file are not base64");
        }

        text.len = ai_base64_encoded_len(bytes.len);
        text.data = ai_alloc(a, text.len);

        if (text.data == NULL) {
            return AI_ERROR;
        }

        (void) ai_base64_encode(text.data, bytes.data, bytes.len);
        m = ai_mstr_plain(&text);
    }

    ai_buf_lit(w->out, "{\"bytes\":");
    ai_buf_string(w->out, &m);
    ai_buf_lit(w->out, "}");

    return AI_OK;
}


/*
 * Whether it can go as it is.  White space, escapes, the other alphabet and
 * missing padding are what clients get wrong, and are looked for fast: these
 * are megabytes.
 */

static ai_uint_t
ai_converse_base64(const ai_mstr_t *data)
{
    size_t       i;

    static const char  bad[] = "\\ \r\n\t-_";

    if (data->s.len % 4 != 0) {
        return 0;
    }

    for (i = 0; i < sizeof(bad) - 1; i++) {
        if (memchr(data->s.data, bad[i], data->s.len) != NULL) {
            return 0;
        }
    }

    return 1;
}


static ai_int_t
ai_converse_media_text(ai_converse_write_t *w, const ai_mstr_t *text)
{
    ai_buf_lit(w->out, "{\"bytes\":");

    if (ai_converse_redacted(w->out, text, w->req->alloc) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_lit(w->out, "}");

    return AI_OK;
}


/*
 * Letters, digits, single spaces and a few marks are allowed, so a dot is
 * not; and no two documents may have the same name, which the number sees to.
 */

static ai_int_t
ai_converse_media_title(ai_converse_write_t *w, const ai_mstr_t *name)
{
    u_char     ch;
    size_t     i, n;
    ai_str_t   text;
    ai_uint_t  blank;

    if (ai_mstr_decode(name, w->req->alloc, &text) != AI_OK) {
        return AI_ERROR;
    }

    ai_buf_key(w->out, "name");
    ai_buf_lit(w->out, "\"");

    blank = 1;
    n = 0;

    for (i = 0; i < text.len && n < AI_CONVERSE_TITLE; i++) {
        ch = text.data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9') || ch == '(' || ch == ')'
              || ch == '[' || ch == ']' || ch == '-'))
        {
            if (ch >= 0x80 && ch < 0xc0) {
                continue;
            }

            ch = (ch == ' ' || ch == '\t') ? ' ' : '-';
        }

        if (ch == ' ' && blank) {
            continue;
        }

        blank = (ch == ' ');
        ai_buf_put(w->out, &ch, 1);
        n++;
    }

    if (n == 0) {
        ai_buf_lit(w->out, "document");
    }

    ai_buf_lit(w->out, "-");
    ai_buf_uint(w->out, ++w->documents);
    ai_buf_lit(w->out, "\"");

    return AI_OK;
}

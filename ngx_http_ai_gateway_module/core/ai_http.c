
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_http.h"
#include "ai_simd.h"


#define CR  '\r'
#define LF  '\n'


typedef enum {
    sw_size_start = 0,
    sw_size,
    sw_ext_space,
    sw_ext,
    sw_size_lf,
    sw_data,
    sw_data_cr,
    sw_data_lf,
    sw_trailer_start,
    sw_trailer_name,
    sw_trailer_value,
    sw_trailer_lf,
    sw_end_lf,
    sw_done,
    sw_error
} ai_http_chunked_state_e;


static ai_int_t ai_http_status_line(ai_http_head_t *h, u_char *buf,
    u_char *p, u_char *end);
static ai_int_t ai_http_header_line(ai_http_head_t *h, u_char *buf,
    u_char *p, u_char *end);
static ai_int_t ai_http_framing(ai_http_head_t *h, u_char *name,
    size_t name_len, u_char *value, size_t len);
static ai_int_t ai_http_content_length(ai_http_head_t *h, u_char *p,
    size_t len);
static void ai_http_connection(ai_http_head_t *h, u_char *p, u_char *last);
static ai_int_t ai_http_head_done(ai_http_head_t *h);
static ai_int_t ai_http_head_error(ai_http_head_t *h, const char *err);
static ai_int_t ai_http_name_eq(u_char *p, size_t len, const char *lower);
static ai_int_t ai_http_hex(u_char ch);


/* tchar of RFC 9110, 5.6.2 */

static const uint32_t  ai_http_token[] = {
    0x00000000, /* 0000 0000 0000 0000  0000 0000 0000 0000 */

                /* ?>=< ;:98 7654 3210  /.-, +*)( '&%$ #"!  */
    0x03ff6cfa, /* 0000 0011 1111 1111  0110 1100 1111 1010 */

                /* _^]\ [ZYX WVUT SRQP  ONML KJIH GFED CBA@ */
    0xc7fffffe, /* 1100 0111 1111 1111  1111 1111 1111 1110 */

                /*  ~}| {zyx wvut srqp  onml kjih gfed cba` */
    0x57ffffff, /* 0101 0111 1111 1111  1111 1111 1111 1111 */

    0x00000000, 0x00000000, 0x00000000, 0x00000000
};


#define ai_http_is_token(ch)                                                 \
    (ai_http_token[(ch) >> 5] & (1U << ((ch) & 0x1f)))

#define ai_http_is_blank(ch)   ((ch) == ' ' || (ch) == '\t')

/* what may stand in values and reason phrases: no control bytes but HTAB */

#define ai_http_is_text(ch)                                                  \
    (((ch) >= 0x20 && (ch) != 0x7f) || (ch) == '\t')


void
ai_http_head_init(ai_http_head_t *h)
{
    /* the table of headers is valid up to nheaders only */

    h->err = NULL;
    h->content_length = -1;
    h->pos = 0;
    h->scan = 0;
    h->nheaders = 0;
    h->status = 0;
    h->minor = 0;
    h->reason = 0;
    h->reason_len = 0;
    h->done = 0;
    h->chunked = 0;
    h->keepalive = 0;
    h->no_body = 0;
    h->upgrade = 0;
    h->conn_close = 0;
    h->conn_keepalive = 0;
}


ai_int_t
ai_http_head_parse(ai_http_head_t *h, u_char *buf, size_t len)
{
    u_char    *p, *lf, *end;
    size_t     limit;
    ai_int_t   rc;

    if (h->err != NULL) {
        return AI_ERROR;
    }

    if (h->done) {
        return AI_OK;
    }

    if (len <= h->scan) {
        return AI_AGAIN;
    }

    if (h->status == 0
        && memcmp(buf, "HTTP/1.", (len < 7) ? len : 7) != 0)
    {
        /* tell other protocols before a line end comes, if ever */

        return ai_http_head_error(h, "no HTTP/1.x status line");
    }

    limit = (len < AI_HTTP_MAX_HEAD) ? len : AI_HTTP_MAX_HEAD;

    for ( ;; ) {

        lf = memchr(buf + h->scan, LF, limit - h->scan);

        if (lf == NULL) {
            if (len > limit) {
                return ai_http_head_error(h, "response head is too large");
            }

            h->scan = limit;
            return AI_AGAIN;
        }

        p = buf + h->pos;
        end = lf - 1;

        if (lf == p || *end != CR) {
            return ai_http_head_error(h, "line of response head ends in LF");
        }

        h->pos = lf + 1 - buf;
        h->scan = h->pos;

        if (h->status == 0) {
            rc = ai_http_status_line(h, buf, p, end);

        } else if (p == end) {
            return ai_http_head_done(h);

        } else {
            rc = ai_http_header_line(h, buf, p, end);
        }

        if (rc != AI_OK) {
            return rc;
        }
    }
}


static ai_int_t
ai_http_status_line(ai_http_head_t *h, u_char *buf, u_char *p, u_char *end)
{
    ai_uint_t  status;

    /* "HTTP/1." has been seen; a missing space before no reason is common */

    p += 7;

    if (end - p < 5
        || p[0] < '0' || p[0] > '9'
        || p[1] != ' '
        || p[2] < '1' || p[2] > '5'
        || p[3] < '0' || p[3] > '9'
        || p[4] < '0' || p[4] > '9'
        || (end - p > 5 && p[5] != ' '))
    {
        return ai_http_head_error(h, "invalid status line");
    }

    h->minor = p[0] - '0';

    status = (p[2] - '0') * 100 + (p[3] - '0') * 10 + (p[4] - '0');

    p += 5;

    if (p < end) {
        p++;
    }

    h->reason = p - buf;
    h->reason_len = end - p;

    for ( /* void */ ; p < end; p++) {
        if (!ai_http_is_text(*p)) {
            return ai_http_head_error(h, "control byte in status line");
        }
    }

    h->status = status;
    h->no_body = (status < 200 || status == 204 || status == 304);

    return AI_OK;
}


static ai_int_t
ai_http_header_line(ai_http_head_t *h, u_char *buf, u_char *p, u_char *end)
{
    u_char            *name, *q;
    size_t             name_len;
    ai_http_header_t  *header;

    if (ai_http_is_blank(*p)) {
        return ai_http_head_error(h, "folded header line");
    }

    if (h->nheaders == AI_HTTP_MAX_HEADERS) {
        return ai_http_head_error(h, "too many response headers");
    }

    name = p;

    while (p < end && ai_http_is_token(*p)) {
        p++;
    }

    name_len = p - name;

    if (name_len == 0 || p == end || *p != ':') {
        return ai_http_head_error(h, "invalid header name");
    }

    do {
        p++;
    } while (p < end && ai_http_is_blank(*p));

    for (q = ai_simd_control(p, end);
         q < end;
         q = ai_simd_control(q + 1, end))
    {
        if (!ai_http_is_text(*q)) {
            return ai_http_head_error(h, "control byte in header value");
        }
    }

    while (end > p && ai_http_is_blank(end[-1])) {
        end--;
    }

    header = &h->headers[h->nheaders++];
    header->name = name - buf;
    header->name_len = name_len;
    header->value = p - buf;
    header->value_len = end - p;

    return ai_http_framing(h, name, name_len, p, end - p);
}


/* the headers that tell where the body ends and what comes after it */

static ai_int_t
ai_http_framing(ai_http_head_t *h, u_char *name, size_t name_len,
    u_char *value, size_t len)
{
    switch (name_len) {

    case 7:
        if (ai_http_name_eq(name, name_len, "upgrade")) {
            h->upgrade = 1;
        }

        break;

    case 10:
        if (ai_http_name_eq(name, name_len, "connection")) {
            ai_http_connection(h, value, value + len);
        }

        break;

    case 14:
        if (ai_http_name_eq(name, name_len, "content-length")) {
            return ai_http_content_length(h, value, len);
        }

        break;

    case 17:
        if (ai_http_name_eq(name, name_len, "transfer-encoding")) {

            if (h->chunked) {
                return ai_http_head_error(h, "repeated Transfer-Encoding");
            }

            if (len != 7 || !ai_http_name_eq(value, len, "chunked")) {
                return ai_http_head_error(h, "unknown Transfer-Encoding");
            }

            if (h->content_length != -1) {
                return ai_http_head_error(h, "both Content-Length and "
                                             "Transfer-Encoding");
            }

            h->chunked = 1;
        }

        break;
    }

    return AI_OK;
}


static ai_int_t
ai_http_content_length(ai_http_head_t *h, u_char *p, size_t len)
{
    size_t   i;
    int64_t  n;

    if (h->content_length != -1) {
        return ai_http_head_error(h, "repeated Content-Length");
    }

    if (h->chunked) {
        return ai_http_head_error(h, "both Content-Length and "
                                     "Transfer-Encoding");
    }

    if (len == 0) {
        return ai_http_head_error(h, "invalid Content-Length");
    }

    n = 0;

    for (i = 0; i < len; i++) {

        if (p[i] < '0' || p[i] > '9') {
            return ai_http_head_error(h, "invalid Content-Length");
        }

        if (n > (INT64_MAX - (p[i] - '0')) / 10) {
            return ai_http_head_error(h, "Content-Length is too large");
        }

        n = n * 10 + (p[i] - '0');
    }

    h->content_length = n;

    return AI_OK;
}


static void
ai_http_connection(ai_http_head_t *h, u_char *p, u_char *last)
{
    size_t   len;
    u_char  *token;

    while (p < last) {

        if (*p == ',' || ai_http_is_blank(*p)) {
            p++;
            continue;
        }

        token = p;

        while (p < last && *p != ',' && !ai_http_is_blank(*p)) {
            p++;
        }

        len = p - token;

        if (len == 5 && ai_http_name_eq(token, len, "close")) {
            h->conn_close = 1;

        } else if (len == 10 && ai_http_name_eq(token, len, "keep-alive")) {
            h->conn_keepalive = 1;
        }
    }
}


static ai_int_t
ai_http_head_done(ai_http_head_t *h)
{
    h->done = 1;

    h->keepalive = !h->conn_close && (h->minor > 0 || h->conn_keepalive);

    if (h->chunked && h->minor == 0) {

        /* RFC 9112, 6.1: the framing of such a message is not trusted */

        h->keepalive = 0;
    }

    if (h->no_body) {

        if (h->status != 304 && (h->chunked || h->content_length > 0)) {

            /* a body that must not be here would be the next answer */

            h->keepalive = 0;
        }

    } else if (!h->chunked && h->content_length == -1) {
        h->keepalive = 0;
    }

    return AI_OK;
}


static ai_int_t
ai_http_head_error(ai_http_head_t *h, const char *err)
{
    h->err = err;

    return AI_ERROR;
}


ai_int_t
ai_http_head_find(ai_http_head_t *h, u_char *buf, const char *name,
    ai_str_t *value)
{
    size_t             len;
    ai_uint_t          i;
    ai_http_header_t  *header;

    len = strlen(name);

    for (i = 0; i < h->nheaders; i++) {
        header = &h->headers[i];

        if (header->name_len == len
            && ai_http_name_eq(buf + header->name, len, name))
        {
            value->data = buf + header->value;
            value->len = header->value_len;
            return AI_OK;
        }
    }

    return AI_DECLINED;
}


/* lower has the same length */

static ai_int_t
ai_http_name_eq(u_char *p, size_t len, const char *lower)
{
    u_char  ch;
    size_t  i;

    for (i = 0; i < len; i++) {
        ch = p[i];

        if (ch >= 'A' && ch <= 'Z') {
            ch |= 0x20;
        }

        if (ch != (u_char) lower[i]) {
            return 0;
        }
    }

    return 1;
}


void
ai_http_chunked_init(ai_http_chunked_t *ch)
{
    ch->err = NULL;
    ch->size = 0;
    ch->state = sw_size_start;
    ch->count = 0;
    ch->trailers = 0;
}


ai_int_t
ai_http_chunked_next(ai_http_chunked_t *ch, u_char **pos, u_char *last,
    ai_str_t *data)
{
    u_char    c, *p;
    ai_int_t  digit;

    if (ch->state == sw_done) {
        return AI_DONE;
    }

    if (ch->state == sw_error) {
        return AI_ERROR;
    }

    for (p = *pos; p < last; p++) {
        c = *p;

        if (ch->state >= sw_trailer_start
            && ++ch->trailers > AI_HTTP_MAX_TRAILERS)
        {
            ch->err = "trailers are too large";
            goto error;
        }

        switch (ch->state) {

        case sw_size_start:
            digit = ai_http_hex(c);

            if (digit == -1) {
                ch->err = "invalid chunk size";
                goto error;
            }

            ch->size = digit;
            ch->count = 1;
            ch->state = sw_size;
            break;

        case sw_size:
            digit = ai_http_hex(c);

            if (digit != -1) {

                if (++ch->count > 15) {
                    ch->err = "chunk size is too large";
                    goto error;
                }

                ch->size = ch->size * 16 + digit;
                break;
            }

            ch->count = 0;

            if (c == CR) {
                ch->state = sw_size_lf;

            } else if (c == ';') {
                ch->state = sw_ext;

            } else if (ai_http_is_blank(c)) {
                ch->state = sw_ext_space;

            } else {
                ch->err = "invalid chunk size";
                goto error;
            }

            break;

        case sw_ext_space:
        case sw_ext:
            if (++ch->count > AI_HTTP_MAX_EXT) {
                ch->err = "chunk extension is too large";
                goto error;
            }

            if (ch->state == sw_ext_space) {

                if (c == ';') {
                    ch->state = sw_ext;

                } else if (!ai_http_is_blank(c)) {
                    ch->err = "invalid chunk size";
                    goto error;
                }

            } else if (c == CR) {
                ch->state = sw_size_lf;

            } else if (!ai_http_is_text(c)) {
                ch->err = "control byte in chunk extension";
                goto error;
            }

            break;

        case sw_size_lf:
            if (c != LF) {
                ch->err = "no CRLF after chunk size";
                goto error;
            }

            ch->state = ch->size ? sw_data : sw_trailer_start;
            break;

        case sw_data:
            data->data = p;
            data->len = last - p;

            if (data->len >= ch->size) {
                data->len = ch->size;
                ch->state = sw_data_cr;
            }

            ch->size -= data->len;
            *pos = p + data->len;

            return AI_OK;

        case sw_data_cr:
            if (c != CR) {
                ch->err = "no CRLF after chunk";
                goto error;
            }

            ch->state = sw_data_lf;
            break;

        case sw_data_lf:
            if (c != LF) {
                ch->err = "no CRLF after chunk";
                goto error;
            }

            ch->state = sw_size_start;
            break;

        case sw_trailer_start:
            if (c == CR) {
                ch->state = sw_end_lf;
                break;
            }

            if (!ai_http_is_token(c)) {
                ch->err = "invalid trailer";
                goto error;
            }

            ch->state = sw_trailer_name;
            break;

        case sw_trailer_name:
            if (c == ':') {
                ch->state = sw_trailer_value;

            } else if (!ai_http_is_token(c)) {
                ch->err = "invalid trailer";
                goto error;
            }

            break;

        case sw_trailer_value:
            if (c == CR) {
                ch->state = sw_trailer_lf;

            } else if (!ai_http_is_text(c)) {
                ch->err = "invalid trailer";
                goto error;
            }

            break;

        case sw_trailer_lf:
            if (c != LF) {
                ch->err = "invalid trailer";
                goto error;
            }

            ch->state = sw_trailer_start;
            break;

        case sw_end_lf:
            if (c != LF) {
                ch->err = "no CRLF after last chunk";
                goto error;
            }

            ch->state = sw_done;
            *pos = p + 1;

            return AI_DONE;
        }
    }

    *pos = p;

    return AI_AGAIN;

error:

    ch->state = sw_error;
    *pos = p;

    return AI_ERROR;
}


static ai_int_t
ai_http_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    if (ch >= 'a' && ch <= 'f') {
        return ch - 'a' + 10;
    }

    return -1;
}

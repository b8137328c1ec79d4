
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Response heads and chunked bodies: every case whole, cut in two at each
 * offset, and byte by byte, always in blocks of exactly the bytes there are.
 */


#include "ai_http.h"
#include "unit.h"


#define OK    "HTTP/1.1 200 OK\r\n"
#define END   "\r\n"

#define TEXT(s)  s, sizeof(s) - 1


typedef struct {
    const char  *name;
    const char  *input;
    size_t       len;
    const char  *want;      /* as dump() prints it */
} head_case_t;


typedef struct {
    const char  *name;
    const char  *input;
    size_t       len;
    const char  *body;
    const char  *want;      /* as chunked_run() prints it */
} chunked_case_t;


static const head_case_t  heads[] = {

    { "plain", TEXT(OK "Content-Length: 5\r\nX-A:b\r\n" END "hello"),
      "45 200 'OK' 1.1 cl=5 keepalive; Content-Length=5; X-A=b" },

    { "chunked", TEXT(OK "Transfer-Encoding: Chunked\r\n" END),
      "47 200 'OK' 1.1 chunked keepalive; Transfer-Encoding=Chunked" },

    { "until close", TEXT(OK END), "19 200 'OK' 1.1" },

    { "no reason", TEXT("HTTP/1.1 404 \r\nContent-Length:0\r\n" END),
      "35 404 '' 1.1 cl=0 keepalive; Content-Length=0" },

    { "no space either", TEXT("HTTP/1.1 503\r\nContent-Length:0\r\n" END),
      "34 503 '' 1.1 cl=0 keepalive; Content-Length=0" },

    { "reason of any text", TEXT("HTTP/1.1 200 a \t\xc3\xa9 \r\n" END),
      "23 200 'a \t\xc3\xa9 ' 1.1" },

    { "trimmed, empty values",
      TEXT(OK "a: \t b c \t \r\nb:\r\nc:  \r\nd:e:f\r\n" END),
      "49 200 'OK' 1.1; a=b c; b=; c=; d=e:f" },

    { "all token characters",
      TEXT(OK "!#$%&'*+-.^_`|~09azAZ: x\r\n" END),
      "45 200 'OK' 1.1; !#$%&'*+-.^_`|~09azAZ=x" },

    { "1.0", TEXT("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n" END),
      "38 200 'OK' 1.0 cl=1; Content-Length=1" },

    { "1.0 keep-alive",
      TEXT("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n"
           "Connection: Keep-Alive\r\n" END),
      "62 200 'OK' 1.0 cl=1 keepalive; Content-Length=1; "
      "Connection=Keep-Alive" },

    { "1.0 chunked is not trusted",
      TEXT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n"
           "Connection: keep-alive\r\n" END),
      "71 200 'OK' 1.0 chunked; Transfer-Encoding=chunked; "
      "Connection=keep-alive" },

    { "close", TEXT(OK "Content-Length: 1\r\nConnection: CLOSE\r\n" END),
      "57 200 'OK' 1.1 cl=1; Content-Length=1; Connection=CLOSE" },

    { "close in a list",
      TEXT(OK "Content-Length: 1\r\nConnection: a,, keep-alive ,\tclose\r\n"
           END),
      "74 200 'OK' 1.1 cl=1; Content-Length=1; "
      "Connection=a,, keep-alive ,\tclose" },

    { "close wins over a second header",
      TEXT(OK "Connection: close\r\nConnection: keep-alive\r\n"
           "Content-Length: 1\r\n" END),
      "81 200 'OK' 1.1 cl=1; Connection=close; Connection=keep-alive; "
      "Content-Length=1" },

    { "not quite close", TEXT(OK "Connection: closed, xclose\r\n"
                              "Content-Length: 1\r\n" END),
      "66 200 'OK' 1.1 cl=1 keepalive; Connection=closed, xclose; "
      "Content-Length=1" },

    { "100", TEXT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"),
      "25 100 'Continue' 1.1 keepalive no_body" },

    { "103", TEXT("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
      "40 103 'Early Hints' 1.1 keepalive no_body; Link=</a>" },

    { "101", TEXT("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
                  "Connection: upgrade\r\n\r\n"),
      "59 101 'x' 1.1 keepalive no_body upgrade; Upgrade=websocket; "
      "Connection=upgrade" },

    { "204", TEXT("HTTP/1.1 204 x\r\n\r\n"),
      "18 204 'x' 1.1 keepalive no_body" },

    { "204, empty", TEXT("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n"),
      "37 204 'x' 1.1 cl=0 keepalive no_body; Content-Length=0" },

    { "204 with a body", TEXT("HTTP/1.1 204 x\r\nContent-Length: 3\r\n\r\n"),
      "37 204 'x' 1.1 cl=3 no_body; Content-Length=3" },

    { "204 chunked",
      TEXT("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n"),
      "46 204 'x' 1.1 chunked no_body; Transfer-Encoding=chunked" },

    { "304", TEXT("HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n"),
      "37 304 'x' 1.1 cl=3 keepalive no_body; Content-Length=3" },

    { "largest length",
      TEXT(OK "Content-Length: 9223372036854775807\r\n" END),
      "56 200 'OK' 1.1 cl=9223372036854775807 keepalive; "
      "Content-Length=9223372036854775807" },

    { "599", TEXT("HTTP/1.1 599 x\r\n\r\n"), "18 599 'x' 1.1" },

    /* to be continued */

    { "nothing", TEXT(""), "again" },
    { "protocol only", TEXT("HTTP/1."), "again" },
    { "status line only", TEXT("HTTP/1.1 200 OK\r\n"), "again" },
    { "cut in the last CRLF", TEXT(OK "a: b\r\n\r"), "again" },

    /* refused */

    { "HTTP/0.9", TEXT("<html>"), "no HTTP/1.x status line" },
    { "HTTP/2", TEXT("HTTP/2 200\r\n\r\n"), "no HTTP/1.x status line" },
    { "lower case", TEXT("http/1.1 200 OK\r\n\r\n"),
      "no HTTP/1.x status line" },
    { "leading CRLF", TEXT("\r\nHTTP/1.1 200 OK\r\n\r\n"),
      "no HTTP/1.x status line" },
    { "TLS alert", TEXT("\x15\x03\x01\0\x02\x02\x28"),
      "no HTTP/1.x status line" },
    { "minor version", TEXT("HTTP/1.a 200 OK\r\n\r\n"),
      "invalid status line" },
    { "long version", TEXT("HTTP/1.11 200 OK\r\n\r\n"),
      "invalid status line" },
    { "no status", TEXT("HTTP/1.1\r\n\r\n"), "invalid status line" },
    { "two digits", TEXT("HTTP/1.1 20\r\n\r\n"), "invalid status line" },
    { "two digits and a space", TEXT("HTTP/1.1 20 OK\r\n\r\n"),
      "invalid status line" },
    { "four digits", TEXT("HTTP/1.1 2000 OK\r\n\r\n"),
      "invalid status line" },
    { "two spaces", TEXT("HTTP/1.1  200 OK\r\n\r\n"),
      "invalid status line" },
    { "099", TEXT("HTTP/1.1 099 OK\r\n\r\n"), "invalid status line" },
    { "600", TEXT("HTTP/1.1 600 OK\r\n\r\n"), "invalid status line" },
    { "999", TEXT("HTTP/1.1 999 OK\r\n\r\n"), "invalid status line" },
    { "-20", TEXT("HTTP/1.1 -20 OK\r\n\r\n"), "invalid status line" },
    { "NUL in reason", TEXT("HTTP/1.1 200 O\0K\r\n\r\n"),
      "control byte in status line" },
    { "CR in reason", TEXT("HTTP/1.1 200 O\rK\r\n\r\n"),
      "control byte in status line" },

    { "LF ends the status line", TEXT("HTTP/1.1 200 OK\n\r\n"),
      "line of response head ends in LF" },
    { "LF ends a header", TEXT(OK "a: b\n\r\n"),
      "line of response head ends in LF" },
    { "LF ends the head", TEXT(OK "a: b\r\n\n"),
      "line of response head ends in LF" },
    { "LF in a value", TEXT(OK "a: b\nc: d\r\n\r\n"),
      "line of response head ends in LF" },
    { "bare CR in a value", TEXT(OK "a: b\rc: d\r\n\r\n"),
      "control byte in header value" },
    { "CR CR LF", TEXT(OK "a: b\r\r\n\r\n"),
      "control byte in header value" },
    { "NUL in a value", TEXT(OK "a: b\0c\r\n\r\n"),
      "control byte in header value" },
    { "ESC in a value", TEXT(OK "a: \x1b[0m\r\n\r\n"),
      "control byte in header value" },
    { "DEL in a value", TEXT(OK "a: \x7f\r\n\r\n"),
      "control byte in header value" },
    { "NUL in a name", TEXT(OK "a\0b: c\r\n\r\n"), "invalid header name" },
    { "no colon", TEXT(OK "abc\r\n\r\n"), "invalid header name" },
    { "no name", TEXT(OK ": abc\r\n\r\n"), "invalid header name" },
    { "space before colon", TEXT(OK "Content-Length : 5\r\n\r\n"),
      "invalid header name" },
    { "space in name", TEXT(OK "a b: c\r\n\r\n"), "invalid header name" },
    { "non-ASCII name", TEXT(OK "a\xc3\xa9: c\r\n\r\n"),
      "invalid header name" },
    { "delimiter in name", TEXT(OK "a(b): c\r\n\r\n"),
      "invalid header name" },
    { "folded", TEXT(OK "a: b\r\n c\r\n\r\n"), "folded header line" },
    { "folded by tab", TEXT(OK "a: b\r\n\tc: d\r\n\r\n"),
      "folded header line" },
    { "space before the first header", TEXT(OK " a: b\r\n\r\n"),
      "folded header line" },

    { "length twice",
      TEXT(OK "Content-Length: 5\r\ncontent-length: 5\r\n\r\n"),
      "repeated Content-Length" },
    { "length list", TEXT(OK "Content-Length: 5, 5\r\n\r\n"),
      "invalid Content-Length" },
    { "length negative", TEXT(OK "Content-Length: -1\r\n\r\n"),
      "invalid Content-Length" },
    { "length signed", TEXT(OK "Content-Length: +1\r\n\r\n"),
      "invalid Content-Length" },
    { "length empty", TEXT(OK "Content-Length:  \r\n\r\n"),
      "invalid Content-Length" },
    { "length hex", TEXT(OK "Content-Length: 0x10\r\n\r\n"),
      "invalid Content-Length" },
    { "length overflows",
      TEXT(OK "Content-Length: 9223372036854775808\r\n\r\n"),
      "Content-Length is too large" },
    { "length overflows 2^64",
      TEXT(OK "Content-Length: 18446744073709551621\r\n\r\n"),
      "Content-Length is too large" },
    { "length and chunked",
      TEXT(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
      "both Content-Length and Transfer-Encoding" },
    { "chunked and length",
      TEXT(OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
      "both Content-Length and Transfer-Encoding" },
    { "chunked twice",
      TEXT(OK "Transfer-Encoding: chunked\r\n"
           "Transfer-Encoding: chunked\r\n\r\n"),
      "repeated Transfer-Encoding" },
    { "gzip, chunked", TEXT(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"),
      "unknown Transfer-Encoding" },
    { "identity", TEXT(OK "Transfer-Encoding: identity\r\n\r\n"),
      "unknown Transfer-Encoding" },
    { "no coding", TEXT(OK "Transfer-Encoding:\r\n\r\n"),
      "unknown Transfer-Encoding" },
    { "xchunked", TEXT(OK "Transfer-Encoding: chunke\r\n\r\n"),
      "unknown Transfer-Encoding" }
};


static const chunked_case_t  bodies[] = {

    { "two chunks", TEXT("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"), "hello!",
      "done" },
    { "empty", TEXT("0\r\n\r\n"), "", "done" },
    { "hex, both cases", TEXT("a\r\n0123456789\r\nB\r\n0123456789a\r\n"
                              "0\r\n\r\n"),
      "01234567890123456789a", "done" },
    { "leading zeros", TEXT("000000000000002\r\nab\r\n000\r\n\r\n"), "ab",
      "done" },
    { "data of line ends", TEXT("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "\r\n\r\n",
      "done" },
    { "extensions",
      TEXT("1;a=b\r\nx\r\n1 ;\t a=\"q;q\" ; c\r\ny\r\n0;z\r\n\r\n"), "xy",
      "done" },
    { "trailers", TEXT("1\r\nx\r\n0\r\nA: b\r\nc:\r\n\r\n"), "x", "done" },
    { "what follows is left", TEXT("1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK"),
      "x", "done, 15 left" },

    { "nothing", TEXT(""), "", "again" },
    { "cut in a size", TEXT("1"), "", "again" },
    { "cut in a chunk", TEXT("5\r\nhel"), "hel", "again" },
    { "cut after a chunk", TEXT("5\r\nhello\r\n"), "hello", "again" },
    { "cut in the end", TEXT("0\r\n\r"), "", "again" },
    { "largest size", TEXT("fffffffffffffff\r\nab"), "ab", "again" },

    { "no digits", TEXT("\r\n"), "", "invalid chunk size" },
    { "negative", TEXT("-5\r\nhello\r\n"), "", "invalid chunk size" },
    { "plus", TEXT("+5\r\nhello\r\n"), "", "invalid chunk size" },
    { "0x", TEXT("0x5\r\nhello\r\n"), "", "invalid chunk size" },
    { "leading space", TEXT(" 5\r\nhello\r\n"), "", "invalid chunk size" },
    { "trailing space", TEXT("5 \r\nhello\r\n"), "", "invalid chunk size" },
    { "letters", TEXT("xyz\r\n"), "", "invalid chunk size" },
    { "byte over 0x7f", TEXT("\xb5\r\n"), "", "invalid chunk size" },
    { "16 digits", TEXT("0000000000000001\r\nx"), "",
      "chunk size is too large" },
    { "huge", TEXT("ffffffffffffffffffff\r\nx"), "",
      "chunk size is too large" },
    { "LF after size", TEXT("5\nhello\r\n"), "", "invalid chunk size" },
    { "CR after size", TEXT("5\rhello\r\n"), "", "no CRLF after chunk size" },
    { "NUL in extension", TEXT("5;a\0b\r\nhello\r\n"), "",
      "control byte in chunk extension" },
    { "LF in extension", TEXT("5;a\nb\r\nhello\r\n"), "",
      "control byte in chunk extension" },
    { "CR in extension", TEXT("5;a\rb\r\nhello\r\n"), "",
      "no CRLF after chunk size" },
    { "no CRLF after a chunk", TEXT("5\r\nhello0\r\n\r\n"), "hello",
      "no CRLF after chunk" },
    { "LF after a chunk", TEXT("5\r\nhello\n0\r\n\r\n"), "hello",
      "no CRLF after chunk" },
    { "CR after a chunk", TEXT("5\r\nhello\r0\r\n\r\n"), "hello",
      "no CRLF after chunk" },
    { "chunk longer than its size", TEXT("2\r\nhello\r\n0\r\n\r\n"), "he",
      "no CRLF after chunk" },
    { "LF at the end", TEXT("0\r\n\n"), "", "invalid trailer" },
    { "CR at the end", TEXT("0\r\n\rx"), "", "no CRLF after last chunk" },
    { "trailer without a colon", TEXT("0\r\nabc\r\n\r\n"), "",
      "invalid trailer" },
    { "an answer for trailers", TEXT("0\r\nHTTP/1.1 200 OK\r\n\r\n"), "",
      "invalid trailer" },
    { "trailer with LF", TEXT("0\r\na: b\n\r\n"), "", "invalid trailer" },
    { "trailer with bare CR", TEXT("0\r\na: b\rc\r\n\r\n"), "",
      "invalid trailer" },
    { "folded trailer", TEXT("0\r\na: b\r\n c\r\n\r\n"), "",
      "invalid trailer" }
};


static u_char *
exact(const void *data, size_t len)
{
    u_char  *p;

    p = malloc(len ? len : 1);

    if (p == NULL) {
        abort();
    }

    if (len != 0) {
        memcpy(p, data, len);
    }

    return p;
}


/* a head in words; what it says does not depend on how it came */

static size_t
dump(ai_int_t rc, ai_http_head_t *h, u_char *buf, char *text, size_t size)
{
    char              *p, *last;
    ai_uint_t          i;
    ai_http_header_t  *hdr;

    p = text;
    last = text + size;

    if (rc == AI_AGAIN) {
        return snprintf(p, last - p, "again");
    }

    if (rc == AI_ERROR) {
        return snprintf(p, last - p, "%s", h->err);
    }

    p += snprintf(p, last - p, "%zu %u '%.*s' 1.%u", h->pos, h->status,
                  h->reason_len, buf + h->reason, h->minor);

    if (h->content_length != -1) {
        p += snprintf(p, last - p, " cl=%lld", (long long) h->content_length);
    }

    p += snprintf(p, last - p, "%s%s%s%s", h->chunked ? " chunked" : "",
                  h->keepalive ? " keepalive" : "",
                  h->no_body ? " no_body" : "", h->upgrade ? " upgrade" : "");

    for (i = 0; i < h->nheaders; i++) {
        hdr = &h->headers[i];

        p += snprintf(p, last - p, "; %.*s=%.*s", hdr->name_len,
                      buf + hdr->name, hdr->value_len, buf + hdr->value);
    }

    return p - text;
}


/* as the bytes come, from to to, in steps */

static int
head_run(const head_case_t *c, size_t from, size_t step)
{
    char             text[1024];
    size_t           len, n;
    u_char          *buf;
    ai_int_t         rc;
    ai_http_head_t   h;

    memset(&h, 0xa5, sizeof(h));
    ai_http_head_init(&h);

    len = from;

    for ( ;; ) {
        buf = exact(c->input, len);
        rc = ai_http_head_parse(&h, buf, len);

        if (rc != AI_AGAIN || len == c->len) {
            break;
        }

        free(buf);
        len = (len + step < c->len) ? len + step : c->len;
    }

    n = dump(rc, &h, buf, text, sizeof(text));

    /* once told, for good */
    CHECK_INT(ai_http_head_parse(&h, buf, len), rc);

    free(buf);

    return CHECK_MEM(text, n, c->want, strlen(c->want));
}


static void
test_head(void)
{
    size_t   n, i;

    for (n = 0; n < sizeof(heads) / sizeof(heads[0]); n++) {

        for (i = 0; i <= heads[n].len; i++) {

            if (!head_run(&heads[n], i, heads[n].len)) {
                printf("    case \"%s\" cut at %zu\n", heads[n].name, i);
                break;
            }
        }

        if (!head_run(&heads[n], 0, 1)) {
            printf("    case \"%s\" by bytes\n", heads[n].name);
        }
    }
}


static void
test_head_find(void)
{
    u_char          *buf;
    ai_str_t         value;
    ai_http_head_t   h;

    static const char  text[] = OK "Retry-After: 7\r\nA_B: 1\r\nx: 1\r\n"
                                "X: 2\r\n" END;

    buf = exact(text, sizeof(text) - 1);

    ai_http_head_init(&h);
    CHECK_INT(ai_http_head_parse(&h, buf, sizeof(text) - 1), AI_OK);

    CHECK_INT(ai_http_head_find(&h, buf, "retry-after", &value), AI_OK);
    CHECK_STR(value.data, value.len, "7");

    CHECK_INT(ai_http_head_find(&h, buf, "a_b", &value), AI_OK);
    CHECK_STR(value.data, value.len, "1");

    CHECK_INT(ai_http_head_find(&h, buf, "x", &value), AI_OK);
    CHECK_STR(value.data, value.len, "1");

    CHECK_INT(ai_http_head_find(&h, buf, "retry-afte", &value), AI_DECLINED);
    CHECK_INT(ai_http_head_find(&h, buf, "y", &value), AI_DECLINED);

    free(buf);
}


/* a head of so many headers of so many bytes each */

static ai_int_t
head_flood(size_t n, size_t each, ai_http_head_t *h)
{
    size_t     i, len;
    u_char    *buf;
    ai_int_t   rc;

    len = sizeof(OK) - 1;
    buf = malloc(len + n * each + 2);

    if (buf == NULL) {
        abort();
    }

    memcpy(buf, OK, len);

    for (i = 0; i < n; i++) {
        memset(buf + len, 'a', each);
        buf[len + 1] = ':';
        len += each;
        memcpy(buf + len - 2, "\r\n", 2);
    }

    memcpy(buf + len, "\r\n", 2);
    len += 2;

    ai_http_head_init(h);
    rc = ai_http_head_parse(h, buf, len);

    if (rc == AI_OK) {
        CHECK_UINT(h->pos, len);
        CHECK_UINT(h->nheaders, n);
    }

    free(buf);

    return rc;
}


/* every byte at every place of a value that vectors are taken from */

static void
test_head_bytes(void)
{
    int              c;
    char             text[128];
    size_t           i, len;
    u_char          *buf;
    ai_int_t         want;
    ai_http_head_t   h;

    for (c = 0; c < 256; c++) {
        want = ((c >= 0x20 && c != 0x7f) || c == '\t') ? AI_OK : AI_ERROR;

        for (i = 0; i < 40; i++) {
            len = (size_t) sprintf(text, OK "a: %040d\r\n\r\n", 0);
            text[sizeof(OK "a: ") - 1 + i] = (char) c;

            buf = exact(text, len);
            ai_http_head_init(&h);

            if (!CHECK_INT(ai_http_head_parse(&h, buf, len), want)) {
                printf("    byte 0x%02x at %zu\n", (unsigned) c, i);
            }

            free(buf);
        }
    }
}


static void
test_head_limits(void)
{
    size_t           pad;
    ai_http_head_t   h;

    CHECK_INT(head_flood(128, 10, &h), AI_OK);

    CHECK_INT(head_flood(129, 10, &h), AI_ERROR);
    CHECK_STR(h.err, strlen(h.err), "too many response headers");

    /* the status line, one header, the last CRLF */

    pad = AI_HTTP_MAX_HEAD - (sizeof(OK) - 1) - 2;

    CHECK_INT(head_flood(1, pad, &h), AI_OK);
    CHECK_UINT(h.pos, AI_HTTP_MAX_HEAD);
    CHECK_UINT(h.headers[0].value_len, pad - 4);

    CHECK_INT(head_flood(1, pad + 1, &h), AI_ERROR);
    CHECK_STR(h.err, strlen(h.err), "response head is too large");

    CHECK_INT(head_flood(1, 1000000, &h), AI_ERROR);
    CHECK_STR(h.err, strlen(h.err), "response head is too large");
}


/* the body and how it ended, given up to cut first and the rest in steps */

static int
chunked_run(const chunked_case_t *c, size_t cut, size_t step)
{
    char                text[128];
    size_t              at, len, n;
    u_char             *buf, *pos, *last, body[256];
    ai_int_t            rc;
    ai_str_t            data;
    ai_http_chunked_t   ch;

    memset(&ch, 0xa5, sizeof(ch));
    ai_http_chunked_init(&ch);

    at = 0;
    n = 0;
    len = cut;

    for ( ;; ) {
        buf = unit_bytes(c->input + at, len);
        pos = buf;
        last = buf + len;

        while ((rc = ai_http_chunked_next(&ch, &pos, last, &data)) == AI_OK) {

            if (!CHECK(data.len > 0 && n + data.len <= sizeof(body)
                       && data.data >= buf && data.data + data.len == pos))
            {
                return 0;
            }

            memcpy(body + n, data.data, data.len);
            n += data.len;
        }

        if (rc == AI_AGAIN) {
            CHECK(pos == last);
        }

        at += pos - buf;

        if (rc != AI_AGAIN || at == c->len) {
            break;
        }

        len = (step < c->len - at) ? step : c->len - at;
    }

    if (rc == AI_ERROR) {
        len = snprintf(text, sizeof(text), "%s", ch.err);

    } else if (rc == AI_DONE && at < c->len) {
        len = snprintf(text, sizeof(text), "done, %zu left", c->len - at);

    } else {
        len = snprintf(text, sizeof(text), rc == AI_DONE ? "done" : "again");
    }

    if (rc != AI_AGAIN) {

        /* once told, for good */
        pos = body;
        CHECK_INT(ai_http_chunked_next(&ch, &pos, body + 1, &data), rc);
        CHECK(pos == body);
    }

    return CHECK_MEM(body, n, c->body, strlen(c->body))
           & CHECK_MEM(text, len, c->want, strlen(c->want));
}


static void
test_chunked(void)
{
    size_t                 n, i;
    const chunked_case_t  *c;

    for (n = 0; n < sizeof(bodies) / sizeof(bodies[0]); n++) {
        c = &bodies[n];

        for (i = 0; i <= c->len; i++) {

            if (!chunked_run(c, i, c->len)) {
                printf("    case \"%s\" cut at %zu\n", c->name, i);
                break;
            }
        }

        if (!chunked_run(c, 0, 1)) {
            printf("    case \"%s\" by bytes\n", c->name);
        }
    }
}


/* head, then fill bytes of 'a', then tail */

static ai_int_t
chunked_flood(const char *head, size_t fill, const char *tail,
    ai_http_chunked_t *ch)
{
    size_t     len;
    u_char    *buf, *pos;
    ai_int_t   rc;
    ai_str_t   data;

    len = strlen(head) + fill + strlen(tail);
    buf = malloc(len);

    if (buf == NULL) {
        abort();
    }

    memcpy(buf, head, strlen(head));
    memset(buf + strlen(head), 'a', fill);
    memcpy(buf + strlen(head) + fill, tail, strlen(tail));

    ai_http_chunked_init(ch);
    pos = buf;
    rc = ai_http_chunked_next(ch, &pos, buf + len, &data);

    free(buf);

    return rc;
}


static void
test_chunked_limits(void)
{
    ai_http_chunked_t  ch;

    /* the CR counts */

    CHECK_INT(chunked_flood("0;", AI_HTTP_MAX_EXT - 1, "\r\n\r\n", &ch),
              AI_DONE);
    CHECK_INT(chunked_flood("0;", AI_HTTP_MAX_EXT, "\r\n\r\n", &ch),
              AI_ERROR);
    CHECK_STR(ch.err, strlen(ch.err), "chunk extension is too large");

    /* with "b:" and two line ends */

    CHECK_INT(chunked_flood("0\r\nb:", AI_HTTP_MAX_TRAILERS - 6,
                            "\r\n\r\n", &ch),
              AI_DONE);
    CHECK_INT(chunked_flood("0\r\nb:", AI_HTTP_MAX_TRAILERS - 5,
                            "\r\n\r\n", &ch),
              AI_ERROR);
    CHECK_STR(ch.err, strlen(ch.err), "trailers are too large");
}


int
main(void)
{
    UNIT_RUN(test_head);
    UNIT_RUN(test_head_find);
    UNIT_RUN(test_head_bytes);
    UNIT_RUN(test_head_limits);
    UNIT_RUN(test_chunked);
    UNIT_RUN(test_chunked_limits);

    return unit_done();
}

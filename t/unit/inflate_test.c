
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Compressed bodies: every kind cut in two at each offset and byte by byte,
 * with much and with little room for the output.
 */


#include <zlib.h>

#include "ai_inflate.h"
#include "unit.h"


#define RAW   -15
#define ZLIB  15
#define GZIP  31

#define NO_CAP  ((size_t) -1)


static const char  hello[] = "hello, hello, hello, hello";


/* how a run ended */

typedef struct {
    u_char       data[4096];
    size_t       len;
    size_t       left;      /* input not consumed */
    const char  *err;
} result_t;


static size_t
compress_to(u_char *out, size_t size, int window, const void *data,
    size_t len)
{
    z_stream  strm;

    memset(&strm, 0, sizeof(strm));

    if (deflateInit2(&strm, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        abort();
    }

    strm.next_in = (u_char *) data;
    strm.avail_in = len;
    strm.next_out = out;
    strm.avail_out = size;

    if (deflate(&strm, Z_FINISH) != Z_STREAM_END) {
        abort();
    }

    deflateEnd(&strm);

    return size - strm.avail_out;
}


/* len bytes of in: cut first, then in steps, room bytes of output at a time */

static ai_int_t
run(result_t *r, ai_inflate_kind_e kind, size_t cap, const u_char *in,
    size_t len, size_t cut, size_t step, size_t room)
{
    size_t         at, n;
    u_char        *ibuf, *obuf, *pos, *out;
    ai_int_t       rc;
    ai_inflate_t   z;

    memset(r, 0, sizeof(result_t));
    memset(&z, 0xa5, sizeof(z));

    ai_inflate_init(&z, kind, cap, &unit_arena);

    n = cut;

    for (at = 0; /* void */ ; at += n, n = step < len - at ? step : len - at)
    {
        ibuf = malloc(n ? n : 1);

        if (ibuf == NULL) {
            abort();
        }

        memcpy(ibuf, in + at, n);
        pos = ibuf;

        do {
            obuf = malloc(room);

            if (obuf == NULL) {
                abort();
            }

            out = obuf;

            rc = ai_inflate_run(&z, &pos, ibuf + n, &out, obuf + room);

            if (CHECK(r->len + (out - obuf) <= sizeof(r->data))) {
                memcpy(r->data + r->len, obuf, out - obuf);
                r->len += out - obuf;

            } else {
                rc = AI_ERROR;
            }

            CHECK(rc != AI_OK || out == obuf + room);

            free(obuf);

        } while (rc == AI_OK);

        CHECK(rc == AI_ERROR || pos == ibuf + n);

        free(ibuf);

        if (rc == AI_ERROR || at + n == len) {
            break;
        }
    }

    r->err = z.err;

    if (rc == AI_ERROR) {
        CHECK_INT(ai_inflate_run(&z, &pos, pos, &out, out), AI_ERROR);
    }

    ai_inflate_end(&z);
    ai_inflate_end(&z);

    return rc;
}


/* the same outcome at every cut and with any room */

static void
every(ai_inflate_kind_e kind, size_t cap, const u_char *in, size_t len,
    ai_int_t want, const char *text, const char *err)
{
    size_t     cut, k;
    ai_int_t   rc;
    result_t   r;

    static const size_t  rooms[] = { 1, 7, sizeof(hello) - 1, 4096 };

    for (k = 0; k < sizeof(rooms) / sizeof(rooms[0]); k++) {

        for (cut = 0; cut <= len + 1; cut++) {

            /* the last round is byte by byte */

            rc = run(&r, kind, cap, in, len, cut <= len ? cut : 0,
                     cut <= len ? len : 1, rooms[k]);

            if (!CHECK_INT(rc, want)
                || !CHECK_MEM(r.data, r.len, text, strlen(text)))
            {
                printf("    cut at %zu, room %zu\n", cut, rooms[k]);
            }

            if (rc == AI_ERROR) {
                CHECK_MEM(r.err, strlen(r.err), err, strlen(err));
            }

            unit_arena_reset();
        }
    }
}


static void
test_kinds(void)
{
    size_t  i, len;
    u_char  buf[256];

    static const struct {
        int                window;
        ai_inflate_kind_e  kind;
        const char        *more;    /* says what is wrong */
    } kinds[] = {
        { GZIP, AI_INFLATE_GZIP, "invalid compressed data" },
        { ZLIB, AI_INFLATE_DEFLATE, "bytes after compressed data" },
        { RAW, AI_INFLATE_DEFLATE, "bytes after compressed data" }
    };

    for (i = 0; i < 3; i++) {
        len = compress_to(buf, sizeof(buf), kinds[i].window, hello,
                          sizeof(hello) - 1);

        every(kinds[i].kind, NO_CAP, buf, len, AI_DONE, hello, NULL);

        /* as much as is allowed, and one byte less */

        every(kinds[i].kind, sizeof(hello) - 1, buf, len, AI_DONE, hello,
              NULL);
        every(kinds[i].kind, sizeof(hello) - 2, buf, len, AI_ERROR,
              "hello, hello, hello, hell", "decompressed data is too large");
        every(kinds[i].kind, 0, buf, len, AI_ERROR, "",
              "decompressed data is too large");

        /* cut short: never complete */

        every(kinds[i].kind, NO_CAP, buf, 0, AI_AGAIN, "", NULL);
        every(kinds[i].kind, NO_CAP, buf, 1, AI_AGAIN, "", NULL);

        if (kinds[i].window != RAW) {
            every(kinds[i].kind, NO_CAP, buf, len - 1, AI_AGAIN, hello,
                  NULL);
        }

        /* garbage behind */

        memcpy(buf + len, "\0abc", 4);
        every(kinds[i].kind, NO_CAP, buf, len + 4, AI_ERROR, hello,
              kinds[i].more);

        /* nothing compressed */

        len = compress_to(buf, sizeof(buf), kinds[i].window, "", 0);
        every(kinds[i].kind, 0, buf, len, AI_DONE, "", NULL);
    }
}


static void
test_members(void)
{
    size_t  a, b, c;
    u_char  buf[256];

    a = compress_to(buf, sizeof(buf), GZIP, "hello, ", 7);
    b = a + compress_to(buf + a, sizeof(buf) - a, GZIP, "", 0);
    c = b + compress_to(buf + b, sizeof(buf) - b, GZIP, hello + 7,
                        sizeof(hello) - 8);

    every(AI_INFLATE_GZIP, NO_CAP, buf, c, AI_DONE, hello, NULL);
    every(AI_INFLATE_GZIP, NO_CAP, buf, b, AI_DONE, "hello, ", NULL);
    every(AI_INFLATE_GZIP, NO_CAP, buf, b + 1, AI_AGAIN, "hello, ", NULL);
    every(AI_INFLATE_GZIP, NO_CAP, buf, c - 1, AI_AGAIN, hello, NULL);

    /* the cap is for all of them */

    every(AI_INFLATE_GZIP, 8, buf, c, AI_ERROR, "hello, h",
          "decompressed data is too large");
}


static void
test_corrupt(void)
{
    size_t  len;
    u_char  buf[256];

    every(AI_INFLATE_GZIP, NO_CAP, (u_char *) "{\"a\":1}", 7, AI_ERROR, "",
          "invalid compressed data");
    every(AI_INFLATE_DEFLATE, NO_CAP, (u_char *) "\xff\xff\xff", 3, AI_ERROR,
          "", "invalid compressed data");

    /* the checksum */

    len = compress_to(buf, sizeof(buf), GZIP, hello, sizeof(hello) - 1);
    buf[len - 8] ^= 1;
    every(AI_INFLATE_GZIP, NO_CAP, buf, len, AI_ERROR, hello,
          "invalid compressed data");

    len = compress_to(buf, sizeof(buf), ZLIB, hello, sizeof(hello) - 1);
    buf[len - 1] ^= 1;
    every(AI_INFLATE_DEFLATE, NO_CAP, buf, len, AI_ERROR, hello,
          "invalid compressed data");

    /* a preset dictionary */

    every(AI_INFLATE_DEFLATE, NO_CAP, (u_char *) "\x78\x20\0\0\0\1\0", 7,
          AI_ERROR, "", "invalid compressed data");
}


/* 16 MB of zeros in 16 KB */

static void
test_bomb(void)
{
    size_t         len, total;
    u_char        *zeros, *bomb, *pos, *out, buf[4096];
    ai_int_t       rc;
    ai_inflate_t   z;

    len = 16 * 1024 * 1024;
    zeros = calloc(1, len);
    bomb = malloc(len / 100);

    if (zeros == NULL || bomb == NULL) {
        abort();
    }

    len = compress_to(bomb, len / 100, GZIP, zeros, len);

    ai_inflate_init(&z, AI_INFLATE_GZIP, 1000000, &unit_arena);

    pos = bomb;
    total = 0;

    do {
        out = buf;
        rc = ai_inflate_run(&z, &pos, bomb + len, &out, buf + sizeof(buf));
        total += out - buf;
    } while (rc == AI_OK);

    CHECK_INT(rc, AI_ERROR);
    CHECK_UINT(total, 1000000);
    CHECK(pos < bomb + len);

    ai_inflate_end(&z);

    free(zeros);
    free(bomb);
}


static void
test_no_memory(void)
{
    u_char        *pos, *out, buf[16];
    ai_inflate_t   z;

    ai_inflate_init(&z, AI_INFLATE_GZIP, NO_CAP, &unit_arena);
    unit.fail_after = 0;

    pos = (u_char *) "\x1f\x8b";
    out = buf;

    CHECK_INT(ai_inflate_run(&z, &pos, pos + 2, &out, buf + sizeof(buf)),
              AI_ERROR);
    CHECK_STR(z.err, strlen(z.err), "no memory");

    ai_inflate_end(&z);
}


static void
test_names(void)
{
    size_t     i;
    ai_str_t   name;

    static const struct {
        const char         *name;
        ai_inflate_kind_e   kind;
    } names[] = {
        { "gzip", AI_INFLATE_GZIP },
        { "X-GZip", AI_INFLATE_GZIP },
        { "DEFLATE", AI_INFLATE_DEFLATE },
        { "identity", AI_INFLATE_NONE },
        { "", AI_INFLATE_NONE },
        { "br", AI_INFLATE_UNKNOWN },
        { "zstd", AI_INFLATE_UNKNOWN },
        { "gzip, gzip", AI_INFLATE_UNKNOWN },
        { "gzi", AI_INFLATE_UNKNOWN },
        { "gzi\x10", AI_INFLATE_UNKNOWN }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        name.len = strlen(names[i].name);
        name.data = unit_bytes(names[i].name, name.len);

        CHECK_INT(ai_inflate_kind(&name), names[i].kind);
    }
}


int
main(void)
{
    UNIT_RUN(test_names);
    UNIT_RUN(test_kinds);
    UNIT_RUN(test_members);
    UNIT_RUN(test_corrupt);
    UNIT_RUN(test_bomb);
    UNIT_RUN(test_no_memory);

    return unit_done();
}

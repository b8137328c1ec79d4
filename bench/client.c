
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The clients: each sends a request, reads the answer with its framing,
 * takes the time, and sends the next one.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench.h"


/* a message of a chat of many bytes has about that many */
#define CLIENT_MESSAGE   900

#define CLIENT_HEAD                                                          \
    "POST /v1/chat/completions HTTP/1.1\r\n"                                 \
    "Host: gateway.test\r\n"                                                 \
    "User-Agent: OpenAI/Python 1.0.0\r\n"                                    \
    "Accept: application/json\r\n"                                           \
    "Authorization: Bearer client-key\r\n"                                   \
    "Content-Type: application/json\r\n"                                     \
    "Content-Length: %zu\r\n\r\n"


typedef enum {
    CLIENT_IDLE = 0,
    CLIENT_HEADER,
    CLIENT_LENGTH,       /* "left" bytes of a body are to come */
    CLIENT_SIZE,         /* the line before a chunk */
    CLIENT_CHUNK,        /* "left" bytes of a chunk and its CRLF */
    CLIENT_TRAILER
} client_state_e;


typedef struct {
    bench_handler_pt   handler;
    int                fd;
    unsigned           id;
    client_state_e     state;

    size_t             out;         /* how much of the request is sent */
    size_t             left;
    size_t             len;         /* of buf */
    unsigned           newlines;
    unsigned           events;      /* that came */
    unsigned           go;          /* at so many the provider goes on */
    uint64_t           start;
    uint64_t           first;       /* when the first content came */

    char               id_text[BENCH_ID_DIGITS + 1];
    char               buf[BENCH_MAX_HEAD];
} client_t;


static size_t client_text(char *p, size_t len);
static void client_ready(void *data);
static void client_write(client_t *c);
static void client_next(client_t *c);
static int client_input(client_t *c, const char *p, const char *last);
static size_t client_line(client_t *c, const char *p, const char *last);
static void client_header(client_t *c);
static void client_events(client_t *c, const char *p, size_t len);
static void client_done(client_t *c);


static client_t  *clients;
static unsigned   nclients;

static char       request[BENCH_MAX_REQUEST + BENCH_MAX_HEAD];
static size_t     request_len;
static size_t     request_id;       /* offset of the digits */
static unsigned   seed;


/*
 * A chat of exactly size bytes: "model" first, then turns of ASCII prose
 * with a few escapes, the identity last.
 */

void
bench_clients_prepare(size_t size, unsigned stream)
{
    char    *p, *body, *last;
    size_t   tail, n;

    static const char  end[] = "\"}],\"temperature\":0.7,\"max_tokens\":512,"
                               "\"user\"" BENCH_ID "000000\"}";
    static const char  turn[] = "\"},{\"role\":\"user\",\"content\":\"";

    /* each time the same text */

    seed = 1;
    tail = sizeof(end) - 1;

    body = request + sprintf(request, CLIENT_HEAD, size);
    last = body + size - tail;

    p = body + sprintf(body, "{\"model\":\"bench\",%s\"messages\":["
                       "{\"role\":\"system\",\"content\":\"",
                       stream ? "\"stream\":true," : "");

    while (p < last) {
        n = last - p;

        if (n > CLIENT_MESSAGE + 2 * sizeof(turn)) {
            p += client_text(p, CLIENT_MESSAGE);
            memcpy(p, turn, sizeof(turn) - 1);
            p += sizeof(turn) - 1;
            continue;
        }

        p += client_text(p, n);
    }

    memcpy(last, end, tail);

    request_len = body + size - request;
    request_id = request_len - BENCH_ID_DIGITS - 2;
}


static size_t
client_text(char *p, size_t len)
{
    char        *last;
    size_t       n;
    const char  *word;
    unsigned     i;

    static const char  *words[] = {
        "the ", "model ", "is ", "asked ", "to ", "summarize ", "a ", "long ",
        "document ", "about ", "rivers ", "which ", "says ", "that ", "all ",
        "water ", "flows ", "down ", "until ", "it ", "comes ", "where ",
        "others ", "are, ", "slowly ", "at ", "first, ", "\\\"then\\\" ",
        "never ", "stops", ". ", ".\\n"
    };

    last = p + len;

    for (i = 0; p < last; i++) {
        seed = seed * 1103515245 + 12345;
        word = words[(seed >> 16) % 32];
        n = strlen(word);

        /* an escape must not be cut */

        if (n > (size_t) (last - p)) {
            memset(p, '.', last - p);
            break;
        }

        memcpy(p, word, n);
        p += n;
    }

    return len;
}


void
bench_clients_open(unsigned port, unsigned count)
{
    int                 fd, on;
    client_t           *c;
    struct sockaddr_in  sin;

    on = 1;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    clients = calloc(count, sizeof(client_t));
    if (clients == NULL) {
        bench_die("no memory");
    }

    for (nclients = 0; nclients < count; nclients++) {
        c = &clients[nclients];

        fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd == -1
            || connect(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
            || fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        {
            bench_die("cannot connect to port %u: %s", port,
                      strerror(errno));
        }

        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        c->handler = client_ready;
        c->fd = fd;
        c->id = nclients;
        snprintf(c->id_text, sizeof(c->id_text), "%06u",
                 nclients % 1000000);

        bench_watch(fd, c);
    }
}


void
bench_clients_close(void)
{
    unsigned  i;

    for (i = 0; i < nclients; i++) {
        close(clients[i].fd);
    }

    free(clients);
    nclients = 0;
}


void
bench_clients_start(void)
{
    unsigned  i;

    for (i = 0; i < nclients; i++) {
        client_next(&clients[i]);
    }
}


void
bench_clients_release(void)
{
    unsigned  i;

    bench.hold = 0;
    bench.held = 0;

    for (i = 0; i < nclients; i++) {
        client_events(&clients[i], NULL, 0);
    }
}


static void
client_next(client_t *c)
{
    if (bench.todo == 0) {
        return;
    }

    bench.todo--;
    bench.busy++;

    c->state = CLIENT_HEADER;
    c->out = 0;
    c->len = 0;
    c->events = 0;
    c->newlines = 0;
    c->go = 2;
    c->first = 0;
    c->start = bench_now();

    client_write(c);
}


static void
client_write(client_t *c)
{
    ssize_t  n;

    /* the identity is of this client, until another one writes */

    memcpy(request + request_id, c->id_text, BENCH_ID_DIGITS);

    while (c->out < request_len) {
        n = write(c->fd, request + c->out, request_len - c->out);

        if (n == -1) {
            if (errno == EAGAIN) {
                return;
            }

            bench_die("cannot send a request: %s", strerror(errno));
        }

        c->out += n;
    }
}


static void
client_ready(void *data)
{
    char       buf[16384];
    ssize_t    n;
    client_t  *c = data;

    if (c->state != CLIENT_IDLE && c->out < request_len) {
        client_write(c);
    }

    for ( ;; ) {
        n = read(c->fd, buf, sizeof(buf));

        if (n == -1 && errno == EAGAIN) {
            return;
        }

        if (n <= 0 || c->state == CLIENT_IDLE) {
            bench_die("the connection was closed early, or has more than "
                      "an answer");
        }

        if (client_input(c, buf, buf + n)) {
            client_done(c);
            return;
        }
    }
}


/* 1: the answer is complete */

static int
client_input(client_t *c, const char *p, const char *last)
{
    size_t  n;

    while (p < last) {

        switch (c->state) {

        case CLIENT_HEADER:
        case CLIENT_SIZE:
        case CLIENT_TRAILER:
            p += client_line(c, p, last);

            if (c->state == CLIENT_IDLE) {
                return 1;
            }

            break;

        case CLIENT_LENGTH:
        case CLIENT_CHUNK:
            n = last - p;
            n = n < c->left ? n : c->left;

            if (bench.events) {
                client_events(c, p, n);
            }

            c->left -= n;
            p += n;

            if (c->left == 0) {
                if (c->state == CLIENT_LENGTH) {
                    return 1;
                }

                c->state = CLIENT_SIZE;
                c->len = 0;
            }

            break;

        default:
            return 1;
        }
    }

    return 0;
}


/* collects a line, or the whole head, and acts on it; how much it took */

static size_t
client_line(client_t *c, const char *p, const char *last)
{
    const char  *start;

    for (start = p; p < last; /* void */ ) {

        if (c->len == BENCH_MAX_HEAD - 1) {
            bench_die("a line or a head is too long");
        }

        c->buf[c->len++] = *p++;

        if (p[-1] != '\n') {
            continue;
        }

        c->buf[c->len] = '\0';

        if (c->state == CLIENT_HEADER) {
            if (c->len < 4 || memcmp(c->buf + c->len - 4, "\r\n\r\n", 4)) {
                continue;
            }

            client_header(c);

        } else if (c->state == CLIENT_TRAILER) {
            c->state = CLIENT_IDLE;

        } else {

            /* the end of the chunk before is an empty line */

            if (c->len > 2) {
                c->left = strtoul(c->buf, NULL, 16);
                c->state = c->left ? CLIENT_CHUNK : CLIENT_TRAILER;
            }
        }

        c->len = 0;
        break;
    }

    return p - start;
}


static void
client_header(client_t *c)
{
    char  *p;

    if (strncmp(c->buf, "HTTP/1.1 200 ", 13) != 0) {
        bench_die("not 200: %s", c->buf);
    }

    p = strcasestr(c->buf, "\r\nContent-Length:");

    if (p) {
        c->left = strtoul(p + 17, NULL, 10);
        c->state = CLIENT_LENGTH;
        return;
    }

    if (strcasestr(c->buf, "\r\nTransfer-Encoding: chunked") == NULL) {
        bench_die("no framing: %s", c->buf);
    }

    c->state = CLIENT_SIZE;
}


/* counts events by their empty lines; the provider goes on after each */

static void
client_events(client_t *c, const char *p, size_t len)
{
    const char  *last;

    for (last = p + len; p < last; p++) {

        if (*p != '\n') {
            c->newlines = 0;
            continue;
        }

        if (++c->newlines == 2) {
            c->newlines = 0;
            c->events++;
        }
    }

    if (c->events < c->go) {
        return;
    }

    if (c->first == 0) {
        c->first = bench_now();

        if (bench.hold) {
            bench.held++;
        }
    }

    if (bench.hold) {
        return;
    }

    /* after all with content comes the end, without a further step */

    c->go = (c->events > bench.events) ? UINT_MAX : c->go + 1;

    bench_backend_go(c->id);
}


static void
client_done(client_t *c)
{
    uint64_t  end;

    end = bench_now();
    c->state = CLIENT_IDLE;

    if (bench.events) {
        end = c->first;

        if (c->events != bench.events + BENCH_ODD_EVENTS) {
            bench.failed++;
        }
    }

    bench.samples[bench.nsamples++] = end - c->start;
    bench.busy--;

    client_next(c);
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The provider: reads a request, answers with a canned completion, or with
 * a stream whose events are sent when bench_backend_go() says so.  Whether it
 * speaks as OpenAI does or as Anthropic does depends on the path.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench.h"


#define BACKEND_CHUNK                                                        \
    "data: {\"id\":\"chatcmpl-bench0123456789abcdefghijk\","                 \
    "\"object\":\"chat.completion.chunk\",\"created\":1750000000,"           \
    "\"model\":\"bench-model\",\"service_tier\":\"default\","                \
    "\"system_fingerprint\":\"fp_0123456789\","

#define BACKEND_ROLE                                                         \
    BACKEND_CHUNK "\"choices\":[{\"index\":0,\"delta\":{"                    \
    "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},"             \
    "\"logprobs\":null,\"finish_reason\":null}]}\n\n"

#define BACKEND_TOKEN                                                        \
    BACKEND_CHUNK "\"choices\":[{\"index\":0,\"delta\":{"                    \
    "\"content\":\" token\"},\"logprobs\":null,"                             \
    "\"finish_reason\":null}]}\n\n"

#define BACKEND_FINISH                                                       \
    BACKEND_CHUNK "\"choices\":[{\"index\":0,\"delta\":{},"                  \
    "\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n"

#define BACKEND_USAGE                                                        \
    BACKEND_CHUNK "\"choices\":[],\"usage\":{\"prompt_tokens\":250,"         \
    "\"completion_tokens\":400,\"total_tokens\":650}}\n\n"

#define BACKEND_DONE  "data: [DONE]\n\n"

#define BACKEND_TEXT                                                         \
    "The answer is a paragraph of plain words, such as a model writes when " \
    "it is asked for one. It goes on for a while, so that the document has " \
    "the size that answers usually have.\\n\\nThen it says the same again. "

#define BACKEND_DOCUMENT                                                     \
    "{\"id\":\"chatcmpl-bench0123456789abcdefghijk\","                       \
    "\"object\":\"chat.completion\",\"created\":1750000000,"                 \
    "\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"message\":{"      \
    "\"role\":\"assistant\",\"content\":\"" BACKEND_TEXT BACKEND_TEXT        \
    BACKEND_TEXT BACKEND_TEXT "\",\"refusal\":null,\"annotations\":[]},"     \
    "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"             \
    "\"prompt_tokens\":250,\"completion_tokens\":180,\"total_tokens\":430,"  \
    "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"    \
    "\"completion_tokens_details\":{\"reasoning_tokens\":0}},"               \
    "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\"}"

#define BACKEND_EVENT(name, members)                                         \
    "event: " name "\ndata: {\"type\":\"" name "\"" members "}\n\n"

#define BACKEND_BLOCK  ",\"index\":0"

#define BACKEND_COUNTS                                                       \
    "\"usage\":{\"input_tokens\":250,\"cache_creation_input_tokens\":0,"     \
    "\"cache_read_input_tokens\":0,\"output_tokens\":"

#define BACKEND_MESSAGE                                                      \
    "{\"id\":\"msg_bench0123456789abcdef\",\"type\":\"message\","            \
    "\"role\":\"assistant\",\"model\":\"bench-model\",\"content\":["

#define BACKEND_MESSAGE_START                                                \
    BACKEND_EVENT("message_start", ",\"message\":" BACKEND_MESSAGE "],"      \
        "\"stop_reason\":null,\"stop_sequence\":null," BACKEND_COUNTS "1}}")

#define BACKEND_MESSAGE_BLOCK                                                \
    BACKEND_EVENT("content_block_start", BACKEND_BLOCK                       \
        ",\"content_block\":{\"type\":\"text\",\"text\":\"\"}")                \
    BACKEND_EVENT("ping", "")

#define BACKEND_MESSAGE_TOKEN                                                \
    BACKEND_EVENT("content_block_delta", BACKEND_BLOCK                       \
        ",\"delta\":{\"type\":\"text_delta\",\"text\":\" token\"}")

#define BACKEND_MESSAGE_END                                                  \
    BACKEND_EVENT("content_block_stop", BACKEND_BLOCK)                       \
    BACKEND_EVENT("message_delta",                                           \
        ",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"    \
        BACKEND_COUNTS "400}")                                               \
    BACKEND_EVENT("message_stop", "")

#define BACKEND_MESSAGE_DOCUMENT                                             \
    BACKEND_MESSAGE "{\"type\":\"text\",\"text\":\"" BACKEND_TEXT             \
    BACKEND_TEXT BACKEND_TEXT BACKEND_TEXT "\"}],"                           \
    "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"                   \
    BACKEND_COUNTS "180}}"


/* what is sent; the first two in one write, as the last three */

typedef struct {
    const char        *first;
    const char        *token;
    const char        *last;
    const char        *usage;       /* if that was asked for */
    const char        *done;
    const char        *document;
} backend_dialect_t;


typedef struct {
    bench_handler_pt   handler;
    int                fd;
} backend_listener_t;


typedef struct {
    bench_handler_pt   handler;
    int                fd;
    unsigned           sent;        /* events with content, of a stream */
    unsigned           usage:1;     /* was asked for */
    unsigned           anthropic:1;
    size_t             head;        /* length of the head, once it is read */
    size_t             need;        /* length of the request */
    size_t             len;
    char               buf[BENCH_MAX_REQUEST + 1];
} backend_conn_t;


static void backend_accept(void *data);
static void backend_read(void *data);
static int backend_parse(backend_conn_t *c);
static void backend_answer(backend_conn_t *c);
static void backend_stream(backend_conn_t *c, const char *user);
static void backend_send(backend_conn_t *c, const char *data, size_t len);
static size_t backend_chunk(char *p, const char *data);


static const backend_dialect_t  backend_dialects[] = {

    { BACKEND_ROLE,
      BACKEND_TOKEN,
      BACKEND_FINISH,
      BACKEND_USAGE,
      BACKEND_DONE,
      BACKEND_DOCUMENT },

    { BACKEND_MESSAGE_START BACKEND_MESSAGE_BLOCK,
      BACKEND_MESSAGE_TOKEN,
      BACKEND_MESSAGE_END,
      "",
      "",
      BACKEND_MESSAGE_DOCUMENT }
};

static backend_listener_t   backend_listener;
static backend_conn_t      *backend_streams[BENCH_MAX_CONNS];


void
bench_backend_listen(unsigned port)
{
    int                 fd, on;
    struct sockaddr_in  sin;

    on = 1;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0);

    if (fd == -1
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1
        || bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(fd, BENCH_MAX_CONNS) == -1)
    {
        bench_die("cannot listen on port %u: %s", port, strerror(errno));
    }

    backend_listener.handler = backend_accept;
    backend_listener.fd = fd;

    bench_watch(fd, &backend_listener);
}


static void
backend_accept(void *data)
{
    int                  fd, on;
    backend_conn_t      *c;
    backend_listener_t  *l = data;

    on = 1;

    for ( ;; ) {
        fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK);

        if (fd == -1) {
            if (errno == EAGAIN || errno == ECONNABORTED) {
                return;
            }

            bench_die("accept: %s", strerror(errno));
        }

        /* not zeroed as a whole: what is not used need not be in memory */

        c = malloc(sizeof(backend_conn_t));
        if (c == NULL) {
            bench_die("no memory");
        }

        memset(c, 0, offsetof(backend_conn_t, buf));
        c->handler = backend_read;
        c->fd = fd;

        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        bench_watch(fd, c);
    }
}


static void
backend_read(void *data)
{
    ssize_t          n;
    backend_conn_t  *c = data;

    for ( ;; ) {
        n = read(c->fd, c->buf + c->len, BENCH_MAX_REQUEST - c->len);

        if (n == -1 && errno == EAGAIN) {
            return;
        }

        if (n <= 0) {
            close(c->fd);
            free(c);
            return;
        }

        c->len += n;

        if (backend_parse(c)) {
            backend_answer(c);
            c->head = 0;
            c->len = 0;
        }
    }
}


/* 1: the request is complete; there is no pipelining */

static int
backend_parse(backend_conn_t *c)
{
    char  *p;

    if (c->head == 0) {
        c->buf[c->len] = '\0';

        p = strstr(c->buf, "\r\n\r\n");
        if (p == NULL) {
            return 0;
        }

        c->head = p + 4 - c->buf;

        p = strcasestr(c->buf, "\r\nContent-Length:");
        if (p == NULL) {
            bench_die("a request without Content-Length: %s", c->buf);
        }

        c->need = c->head + strtoul(p + 17, NULL, 10);

        if (c->need > BENCH_MAX_REQUEST) {
            bench_die("a request of %zu bytes", c->need);
        }
    }

    return c->len >= c->need;
}


static void
backend_answer(backend_conn_t *c)
{
    int          n;
    char         model[64], document[4096];
    size_t       len;
    const char  *user, *text;

    c->buf[c->len] = '\0';
    c->anthropic = (strncmp(c->buf, "POST /v1/messages ", 18) == 0);

    /* "model" is the first member, the identity in one of the last */

    n = snprintf(model, sizeof(model), "{\"model\":\"%s\",", bench.model);

    if (strncmp(c->buf + c->head, model, n) != 0) {
        bench_die("a request without %s: %.200s", model, c->buf + c->head);
    }

    user = strstr(c->buf + c->head + (c->need - c->head) / 2, BENCH_ID);
    if (user == NULL) {
        bench_die("a request without an identity");
    }

    if (bench.events) {
        backend_stream(c, user + sizeof(BENCH_ID) - 1);
        return;
    }

    text = backend_dialects[c->anthropic].document;

    len = snprintf(document, sizeof(document),
                   "HTTP/1.1 200 OK\r\n"
                   "Date: Mon, 16 Jun 2025 12:00:00 GMT\r\n"
                   "Content-Type: application/json\r\n"
                   "Content-Length: %zu\r\n"
                   "Connection: keep-alive\r\n"
                   "x-request-id: req_0123456789abcdef\r\n\r\n%s",
                   strlen(text), text);

    backend_send(c, document, len);
}


/* the head, the role and the first token in one write */

static void
backend_stream(backend_conn_t *c, const char *user)
{
    char      out[4096];
    size_t    n;
    unsigned  id;

    static const char  head[] = "HTTP/1.1 200 OK\r\n"
                                "Date: Mon, 16 Jun 2025 12:00:00 GMT\r\n"
                                "Content-Type: text/event-stream\r\n"
                                "Transfer-Encoding: chunked\r\n"
                                "Connection: keep-alive\r\n"
                                "x-request-id: req_0123456789abcdef\r\n\r\n";

    id = atoi(user);

    if (id >= BENCH_MAX_CONNS) {
        bench_die("no stream %u", id);
    }

    backend_streams[id] = c;

    c->sent = 1;
    c->usage = (strstr(c->buf + c->head, "\"include_usage\":true") != NULL);

    n = sizeof(head) - 1;
    memcpy(out, head, n);
    n += backend_chunk(out + n, backend_dialects[c->anthropic].first);
    n += backend_chunk(out + n, backend_dialects[c->anthropic].token);

    backend_send(c, out, n);
}


void
bench_backend_go(unsigned id)
{
    char                      out[4096];
    size_t                    n;
    backend_conn_t           *c;
    const backend_dialect_t  *d;

    c = backend_streams[id];
    d = &backend_dialects[c->anthropic];

    if (c->sent < bench.events) {
        c->sent++;
        n = backend_chunk(out, d->token);

    } else {
        n = backend_chunk(out, d->last);

        if (c->usage) {
            n += backend_chunk(out + n, d->usage);
        }

        n += backend_chunk(out + n, d->done);
        n += sprintf(out + n, "0\r\n\r\n");
    }

    backend_send(c, out, n);
}


/* an empty one would be the last */

static size_t
backend_chunk(char *p, const char *data)
{
    return *data ? (size_t) sprintf(p, "%zx\r\n%s\r\n", strlen(data), data)
                 : 0;
}


/* all that is sent is small and the reader waits for it: it always fits */

static void
backend_send(backend_conn_t *c, const char *data, size_t len)
{
    if (write(c->fd, data, len) != (ssize_t) len) {
        bench_die("the gateway does not take an answer: %s",
                  strerror(errno));
    }
}


/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The driver of the benchmark: one process that is the clients and the
 * provider, so that a stream can go in lockstep: the provider sends an event
 * when the client has got the one before, and no two of them ever share a
 * read of the gateway.  It runs in one thread, over epoll.
 */


#ifndef _BENCH_H_INCLUDED_
#define _BENCH_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define BENCH_MAX_CONNS    2048
#define BENCH_MAX_REQUEST  (256 * 1024)
#define BENCH_MAX_HEAD     8192

/* events of a stream beside those with content: role, finish, [DONE] */
#define BENCH_ODD_EVENTS   3

/* how the identity of a stream begins, the value of the last member */
#define BENCH_ID           ":\"stream-"
#define BENCH_ID_DIGITS    6


/* what is under way; one at a time */

typedef struct {
    const char     *model;        /* that the provider expects */
    unsigned        events;       /* with content, of a stream; 0: JSON */
    unsigned        hold:1;       /* streams stop after the first event */

    unsigned        todo;         /* requests that are not sent yet */
    unsigned        busy;         /* that are sent and not answered */
    unsigned        held;         /* streams that wait for "hold" to end */
    unsigned        failed;

    unsigned        nsamples;
    uint64_t       *samples;      /* ns, of answers or of first events */
} bench_run_t;


extern bench_run_t  bench;


/* main.c */

/* logs and exits */
void bench_die(const char *fmt, ...) __attribute__((noreturn));

/* nanoseconds, monotonic */
uint64_t bench_now(void);

/* called with the argument of bench_watch() when the descriptor is ready */
typedef void (*bench_handler_pt)(void *data);

/* edge-triggered, for both directions; the object begins with its handler */
void bench_watch(int fd, void *object);


/* backend.c: the provider */

void bench_backend_listen(unsigned port);

/* the stream with that identity goes on: an event, or its end */
void bench_backend_go(unsigned id);


/* client.c */

/* connects count clients to a port, or closes them all */
void bench_clients_open(unsigned port, unsigned count);
void bench_clients_close(void);

/* the request that they will send: a chat of size bytes */
void bench_clients_prepare(size_t size, unsigned stream);

/* each client sends a request, unless there is none left to do */
void bench_clients_start(void);

/* the held streams go on */
void bench_clients_release(void);


#endif /* _BENCH_H_INCLUDED_ */

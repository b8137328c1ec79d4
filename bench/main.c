
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * driver PORT CPU: is the provider at PORT, on that CPU, and does what the
 * lines of its standard input say:
 *
 *   load NAME PORT PID MODEL SIZE CLIENTS COUNT EVENTS
 *       sends COUNT chats of SIZE bytes, from so many clients; streams of
 *       EVENTS events with content, or JSON if that is 0.  Prints
 *       load NAME SIZE EVENTS COUNT CPU P50 P99 FAULTS: the CPU time of PID
 *       and latency (of the first event for streams), nanoseconds; and how
 *       many page faults PID had
 *
 *   hold NAME PORT PID MODEL SIZE CLIENTS
 *       opens a stream for each client and stops.  Prints
 *       hold NAME SIZE CLIENTS BEFORE AFTER: the memory of PID, KiB
 *
 *   dump PID FILE
 *       sends PID a USR1 and waits for FILE to appear
 */


#define _GNU_SOURCE

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"


/* seconds without any progress */
#define MAIN_STALL      20

/* ms, for a worker to finish what it does after an answer */
#define MAIN_SETTLE     5


typedef struct {
    char       name[32];
    char       model[32];
    unsigned   port;
    unsigned   size;
    unsigned   clients;
    unsigned   count;
    unsigned   events;
    int        pid;
} main_command_t;


static void main_load(main_command_t *cmd);
static void main_hold(main_command_t *cmd);
static void main_dump(int pid, const char *file);
static void main_loop(unsigned held);
static void main_run(unsigned count, unsigned events);
static uint64_t main_cpu(int pid);
static unsigned long main_faults(int pid);
static unsigned main_rss(int pid);
static int main_compare(const void *one, const void *two);
static void main_pause(unsigned ms);


bench_run_t  bench;

static int   main_epoll;


int
main(int argc, char **argv)
{
    char            line[512], file[400];
    int             pid;
    cpu_set_t       set;
    main_command_t  cmd;

    if (argc != 3) {
        bench_die("usage: driver PORT CPU");
    }

    CPU_ZERO(&set);
    CPU_SET(atoi(argv[2]), &set);

    if (sched_setaffinity(0, sizeof(set), &set) == -1) {
        bench_die("no CPU %s: %s", argv[2], strerror(errno));
    }

    signal(SIGPIPE, SIG_IGN);

    main_epoll = epoll_create1(0);
    if (main_epoll == -1) {
        bench_die("epoll_create1: %s", strerror(errno));
    }

    bench_backend_listen(atoi(argv[1]));

    while (fgets(line, sizeof(line), stdin)) {

        memset(&cmd, 0, sizeof(cmd));
        cmd.count = 1;

        if (sscanf(line, "load %31s %u %d %31s %u %u %u %u", cmd.name,
                   &cmd.port, &cmd.pid, cmd.model, &cmd.size, &cmd.clients,
                   &cmd.count, &cmd.events) == 8)
        {
            main_load(&cmd);

        } else if (sscanf(line, "hold %31s %u %d %31s %u %u", cmd.name,
                          &cmd.port, &cmd.pid, cmd.model, &cmd.size,
                          &cmd.clients) == 6)
        {
            main_hold(&cmd);

        } else if (sscanf(line, "dump %d %399s", &pid, file) == 2) {
            main_dump(pid, file);

        } else {
            bench_die("cannot read: %s", line);
        }

        fflush(stdout);
    }

    return 0;
}


static void
main_load(main_command_t *cmd)
{
    uint64_t       cpu, p50, p99;
    unsigned long  faults;

    bench.model = cmd->model;

    bench_clients_prepare(cmd->size, cmd->events);
    bench_clients_open(cmd->port, cmd->clients);

    /* each connection has served once before it counts */

    main_run(cmd->clients, cmd->events ? 2 : 0);
    main_pause(MAIN_SETTLE);

    faults = main_faults(cmd->pid);
    cpu = main_cpu(cmd->pid);

    main_run(cmd->count, cmd->events);
    main_pause(MAIN_SETTLE);

    cpu = main_cpu(cmd->pid) - cpu;
    faults = main_faults(cmd->pid) - faults;

    qsort(bench.samples, bench.nsamples, sizeof(uint64_t), main_compare);

    p50 = bench.samples[bench.nsamples / 2];
    p99 = bench.samples[bench.nsamples * 99 / 100];

    printf("load %s %u %u %u %llu %llu %llu %lu\n", cmd->name, cmd->size,
           cmd->events, cmd->count, (unsigned long long) cpu,
           (unsigned long long) p50, (unsigned long long) p99, faults);

    bench_clients_close();
    main_pause(MAIN_SETTLE);
}


static void
main_hold(main_command_t *cmd)
{
    unsigned  before, after;

    bench.model = cmd->model;

    bench_clients_prepare(cmd->size, 1);

    bench_clients_open(cmd->port, 1);
    main_run(20, 2);
    bench_clients_close();
    main_pause(MAIN_SETTLE);

    before = main_rss(cmd->pid);

    bench_clients_open(cmd->port, cmd->clients);

    bench.hold = 1;
    bench.events = 2;
    bench.todo = cmd->clients;
    bench.nsamples = 0;
    bench.samples = realloc(bench.samples,
                            cmd->clients * sizeof(uint64_t));
    if (bench.samples == NULL) {
        bench_die("no memory");
    }

    bench_clients_start();
    main_loop(cmd->clients);
    main_pause(MAIN_SETTLE);

    after = main_rss(cmd->pid);

    bench_clients_release();
    main_loop(0);

    printf("hold %s %u %u %u %u\n", cmd->name, cmd->size, cmd->clients,
           before, after);

    bench_clients_close();
}


static void
main_run(unsigned count, unsigned events)
{
    bench.events = events;
    bench.todo = count;
    bench.nsamples = 0;
    bench.samples = realloc(bench.samples, count * sizeof(uint64_t));

    if (bench.samples == NULL) {
        bench_die("no memory");
    }

    bench_clients_start();
    main_loop(0);

    if (bench.failed) {
        bench_die("%u streams were not whole", bench.failed);
    }
}


/* until so many streams are held, or all is answered */

static void
main_loop(unsigned held)
{
    int                 i, n;
    void               *object;
    struct epoll_event  events[256];

    while (held ? bench.held < held : bench.busy > 0) {

        n = epoll_wait(main_epoll, events, 256, MAIN_STALL * 1000);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            bench_die("no progress: %u requests wait, %u streams are held",
                      bench.busy, bench.held);
        }

        for (i = 0; i < n; i++) {
            object = events[i].data.ptr;
            (*(bench_handler_pt *) object)(object);
        }
    }
}


void
bench_watch(int fd, void *object)
{
    struct epoll_event  ee;

    ee.events = EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET;
    ee.data.ptr = object;

    if (epoll_ctl(main_epoll, EPOLL_CTL_ADD, fd, &ee) == -1) {
        bench_die("epoll_ctl: %s", strerror(errno));
    }
}


static void
main_dump(int pid, const char *file)
{
    unsigned  i;

    for (i = 0; i < MAIN_STALL * 100; i++) {

        /* it misses a signal that comes just before it waits for events */

        if (i % 100 == 0 && kill(pid, SIGUSR1) == -1) {
            bench_die("cannot signal %d: %s", pid, strerror(errno));
        }

        main_pause(10);

        if (access(file, R_OK) == 0) {
            main_pause(100);
            return;
        }
    }

    bench_die("\"%s\" did not appear", file);
}


/* nanoseconds of user and system time; pid 0: nobody is measured */

static uint64_t
main_cpu(int pid)
{
    clockid_t        id;
    struct timespec  ts;

    if (pid == 0) {
        return 0;
    }

    if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &ts) == -1) {
        bench_die("no CPU time of %d", pid);
    }

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static unsigned long
main_faults(int pid)
{
    FILE           *f;
    char            file[64];
    unsigned long   faults;

    if (pid == 0) {
        return 0;
    }

    snprintf(file, sizeof(file), "/proc/%d/stat", pid);

    f = fopen(file, "r");

    if (f == NULL
        || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %lu",
                  &faults)
           != 1)
    {
        bench_die("cannot read %s", file);
    }

    fclose(f);

    return faults;
}


static unsigned
main_rss(int pid)
{
    FILE      *f;
    char       line[256];
    unsigned   kb;

    snprintf(line, sizeof(line), "/proc/%d/status", pid);

    f = fopen(line, "r");
    if (f == NULL) {
        bench_die("no process %d", pid);
    }

    kb = 0;

    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "RssAnon: %u", &kb) == 1) {
            break;
        }
    }

    fclose(f);

    return kb;
}


uint64_t
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static int
main_compare(const void *one, const void *two)
{
    uint64_t  a = *(const uint64_t *) one;
    uint64_t  b = *(const uint64_t *) two;

    return (a > b) - (a < b);
}


static void
main_pause(unsigned ms)
{
    struct timespec  ts;

    ts.tv_sec = ms / 1000;
    ts.tv_nsec = (long) (ms % 1000) * 1000000;

    nanosleep(&ts, NULL);
}


void
bench_die(const char *fmt, ...)
{
    va_list  args;

    fprintf(stderr, "bench: ");

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fprintf(stderr, "\n");
    exit(1);
}

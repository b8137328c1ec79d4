#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# run.sh: measures the built module next to plain proxy_pass and prints a
# table; ends with 1 when a budget that does not depend on the mood of the
# machine is exceeded.  README.md tells how and why.
#
#   QUICK=1          fewer rounds, a third of a minute
#   ROUNDS=N         so many rounds
#   BENCH_PORT=N     the first of seven ports on 127.0.0.1; 28480

set -eu

bench=$(cd "$(dirname "$0")" && pwd)
cd "$bench/.."

AI=ngx_http_ai_gateway_module
OBJS=${OBJS:-objs}
CC=${CC:-cc}
PATH=$PATH:/usr/sbin:/sbin
NGINX_BINARY=${NGINX_BINARY:-nginx}
export PATH

# a variable of this name would tell nginx that it inherits sockets

unset NGINX

port=${BENCH_PORT:-28480}
key=provider-key


die() {
    echo "bench: $*" >&2
    exit 1
}


[ -f "$OBJS/$AI.so" ] || die "no $OBJS/$AI.so, please run: make module"

command -v "$NGINX_BINARY" >/dev/null || die "no nginx, please run: make deps"

work=$OBJS/bench
mkdir -p "$work"
work=$(cd "$work" && pwd)

# what is measured does not change when the module is built meanwhile

cp "$OBJS/$AI.so" "$work/module.so"

$CC -O2 -Wall -Wextra -o "$work/driver" "$bench"/*.c

cpu=$(($(nproc) > 1))
[ "$cpu" = 1 ] || echo "bench: one CPU only, the figures are of little use"

if [ -n "${QUICK:-}" ]; then
    rounds=${ROUNDS:-7}
else
    rounds=${ROUNDS:-51}
fi


# Processes that we have started, to be ended.

pids=

# stop: ends them; asked more than once, because a nginx without a master may
# miss a signal that comes just before it begins to wait for events

stop() {
    for pid in $pids; do
        i=0
        while [ $i -lt 50 ] && kill $pid 2>/dev/null; do
            i=$((i + 1))
            sleep 0.1
        done

        kill -KILL $pid 2>/dev/null || true
    done

    wait
    pids=
}

trap '[ -z "$pids" ] || stop' EXIT
trap 'exit 1' INT TERM HUP


# prepare NAME CONF PORT DIALECT: makes the prefix $work/NAME

prepare() {
    rm -rf "${work:?}/$1"
    mkdir -p "$work/$1"
    cp "$bench"/common*.conf "$work/$1/"

    sed -e "s|@PORT@|$3|" -e "s|@BACKEND@|$port|" -e "s|@DIALECT@|$4|" \
        -e "s|@MODULE@|$work/module.so|" "$bench/$2.conf" \
        >"$work/$1/nginx.conf"
}


# start NAME GLOBALS [COMMAND...]: starts nginx there, by that command, and
# sets $pid to the process that was started

start() {
    prefix=$work/$1
    globals="pid $prefix/nginx.pid; daemon off; $2"
    shift 2

    # the worker of root would be another user, who may not enter here

    [ "$(id -u)" != 0 ] || globals="$globals user root $(id -gn root);"

    BENCH_KEY=$key "$@" "$NGINX_BINARY" -p "$prefix/" -c "$prefix/nginx.conf" \
        -e "$prefix/error.log" -g "$globals" >"$prefix/stderr" 2>&1 &
    pid=$!
    pids="$pids $pid"

    i=0
    until [ -s "$prefix/nginx.pid" ]; do
        i=$((i + 1))

        if [ $i = 300 ] || ! kill -0 $pid 2>/dev/null; then
            cat "$prefix/stderr" >&2
            die "nginx did not start"
        fi

        sleep 0.1
    done
}


# worker PID: that of the only child

worker() {
    i=0
    until child=$(cat "/proc/$1/task/$1/children") && [ -n "$child" ]; do
        i=$((i + 1))
        [ $i -lt 50 ] || die "nginx has no worker"
        sleep 0.1
    done

    echo $child
}


# serve [COMMAND...]: starts all and sets $direct, $proxy, $module and
# $hub to what the driver is told of them

serve() {
    prepare proxy proxy $((port + 1)) openai
    prepare module gateway $((port + 2)) openai
    prepare hub gateway $((port + 3)) anthropic

    direct="$port 0 bench"

    start proxy "" "$@"
    proxy="$((port + 1)) $(worker $pid) bench"

    start module "" "$@"
    module="$((port + 2)) $(worker $pid) bench-model"

    start hub "" "$@"
    hub="$((port + 3)) $(worker $pid) bench-model"
}


# drive NAME: does what $work/NAME.script says and appends to $work/measured

drive() {
    timeout 200 "$work/driver" "$port" "$cpu" \
        <"$work/$1.script" >>"$work/measured" \
        || die "the measurement failed, logs are in $work"

    stop
}


# Memory of processes that have not served yet, so that nothing was free.

memory() {
    for size in 1024 16384; do
        serve env

        for name in proxy module hub; do
            eval "echo hold $name \$$name $size 500"
        done >"$work/memory.script"

        drive memory
    done
}


# Time.  It is a matter of luck in the layout of the heap whether malloc gives
# the memory of a body of 128 KB back to the system after each request, which
# costs more than what is to be measured: here it keeps it.

timing() {
    tunables=glibc.malloc.trim_threshold=1000000000
    tunables=$tunables:glibc.malloc.mmap_threshold=33554432

    serve env GLIBC_TUNABLES=$tunables

    i=0
    while [ $i -lt "$rounds" ]; do
        i=$((i + 1))

        # none is always the first

        if [ $((i % 2)) = 0 ]; then
            order="hub proxy module"
        else
            order="module proxy hub"
        fi

        for size in 1024 16384 131072; do
            for name in $order; do
                [ $name$size = hub131072 ] \
                    || eval "echo load $name \$$name $size 16 1000 0"
            done
        done

        for name in $order; do
            eval "echo load $name \$$name 1024 16 32 200"
        done

        for name in direct $order; do
            [ $name != hub ] || continue

            eval "echo load $name \$$name 1024 1 300 0"
            eval "echo load $name \$$name 1024 1 200 2"
        done
    done >"$work/time.script"

    drive time
}


# Instructions: each case twice, with few and with many requests, so that
# what is not a matter of requests cancels out.  A USR1 makes nginx reopen its
# logs, and callgrind write what it has counted since the last one.

count() {
    prepare counted-proxy proxy $((port + 4)) openai
    prepare counted-module gateway $((port + 5)) openai
    prepare counted-hub gateway $((port + 6)) anthropic

    # With "rep movsb" each byte would count as an instruction.

    tunables=glibc.cpu.x86_rep_movsb_threshold=1000000000
    tunables=$tunables:glibc.cpu.x86_rep_stosb_threshold=1000000000

    for name in proxy module hub; do
        start counted-$name "master_process off;" \
            env GLIBC_TUNABLES=$tunables valgrind -q --tool=callgrind \
            --callgrind-out-file="$work/counted-$name/calls" \
            --dump-before=ngx_reopen_files

        eval "${name}_pid=$pid"
    done

    proxy="$((port + 4)) $proxy_pid bench"
    module="$((port + 5)) $module_pid bench-model"
    hub="$((port + 6)) $hub_pid bench-model"

    {
        n=0
        while read -r size conns requests events; do
            n=$((n + 1))

            for name in proxy module hub; do
                eval "echo load $name \$$name $size $conns $requests $events"
                eval "echo dump \$${name}_pid '$work/counted-$name/calls.$n'"
            done
        done
    } >"$work/count.script" <<END
1024 4 50 20
1024 4 50 0
1024 4 250 0
16384 4 50 0
16384 4 250 0
131072 4 50 0
131072 4 250 0
1024 4 4 20
1024 4 4 120
END

    timeout 90 "$work/driver" "$port" "$cpu" <"$work/count.script" >/dev/null \
        || die "the counting failed, logs are in $work"

    stop

    counted 1024 2 3 200
    counted 16384 4 5 200
    counted 131072 6 7 200
    counted event 8 9 400
}


# counted WHAT FEW MANY UNITS: prints lines of "counted WHAT NAME N CALLS"

counted() {
    for name in proxy module hub; do
        echo "counted $1 $name $(awk -v units="$4" -f "$bench/calls.awk" \
            "$work/counted-$name/calls.$2" "$work/counted-$name/calls.$3")"
    done
}


version=$("$NGINX_BINARY" -v 2>&1 | sed 's/^.*: //')
model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)

echo "$(date -u +%Y-%m-%d), $version, $(nproc) CPUs, ${model:-unknown model}"
echo "Linux $(uname -r), $($CC --version | head -n 1), $rounds rounds"

: >"$work/measured"
memory
timing

if command -v valgrind >/dev/null; then
    count >"$work/counted"
else
    echo "bench: no valgrind, instructions are not counted"
    : >"$work/counted"
fi

awk -f "$bench/report.awk" "$work/measured" "$work/counted"

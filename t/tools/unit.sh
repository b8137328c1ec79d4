#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# unit.sh PROGRAM...: runs the unit tests and adds up their closing lines,
# "N passed, N failed".  A program that ends without one has crashed and
# counts as one failure.

. "$(dirname "$0")/lib.sh"

export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=1"
export UBSAN_OPTIONS="${UBSAN_OPTIONS-}:print_stacktrace=1"

passed=0
failed=0
log=$OBJS/unit/log

[ $# != 0 ] || die "no t/unit/*_test.c to run"

for program; do
    name=$(basename "$program")
    status=0
    "$program" >"$log" 2>&1 || status=$?

    counts=$(sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' \
                 "$log" | tail -n 1)
    [ -n "$counts" ] || counts="0 0"

    ok=${counts% *}
    bad=${counts#* }

    if [ $status != 0 ] && [ "$bad" = 0 ]; then
        bad=1
    fi

    if [ "$bad" != 0 ]; then
        sed '$!b
             /^[0-9]* passed, [0-9]* failed$/d' "$log"
        echo "$name: $bad of $((ok + bad)) failed, exit status $status"
    else
        echo "$name: $ok ok"
    fi

    passed=$((passed + ok))
    failed=$((failed + bad))
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]

#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# fuzz.sh PROGRAM...: gives each fuzz target its corpus, t/fuzz/corpus/NAME for
# fuzz_NAME, one file per run so that a crash names its input.  With FUZZ_TIME
# the programs are libFuzzer's: each then runs for so many seconds, and what it
# finds stays in $OBJS/libfuzzer.

. "$(dirname "$0")/lib.sh"

export UBSAN_OPTIONS="${UBSAN_OPTIONS-}:print_stacktrace=1"

passed=0
failed=0

[ $# != 0 ] || die "no t/fuzz/fuzz_*.c to run"


replay() {
    count=0
    log=$OBJS/fuzz/log

    # All at once first: starting a sanitized program for each file is slow.

    if find "$corpus" -type f -exec "$program" {} + >"$log" 2>&1; then
        count=$(find "$corpus" -type f | grep -c . || true)
        passed=$((passed + count))

    else
        for input in "$corpus"/*; do
            if "$program" "$input" >"$log" 2>&1; then
                count=$((count + 1))
                passed=$((passed + 1))
            else
                failed=$((failed + 1))
                echo "$name: $input:"
                head -n 20 "$log"
            fi
        done
    fi

    echo "$name: $count inputs ok"
}


search() {
    found=$OBJS/libfuzzer/$name.corpus
    log=$OBJS/libfuzzer/$name.log
    mkdir -p "$found"

    if "$program" -max_total_time="$FUZZ_TIME" -timeout=10 -rss_limit_mb=2048 \
           -artifact_prefix="$OBJS/libfuzzer/$name." \
           "$found" "$corpus" >"$log" 2>&1
    then
        passed=$((passed + 1))
        echo "$name: $(tail -n 1 "$log")"
    else
        failed=$((failed + 1))
        tail -n 40 "$log"
    fi
}


for program; do
    name=$(basename "$program")
    corpus=t/fuzz/corpus/${name#fuzz_}

    if [ ! -d "$corpus" ]; then
        echo "$name: $corpus does not exist"
        failed=$((failed + 1))

    elif [ -n "${FUZZ_TIME-}" ]; then
        search

    else
        replay
    fi
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]

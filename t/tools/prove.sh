#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# prove.sh [prove options] [t/file.t...]: runs the given tests, or all of
# t/*.t, against the built module, and prints "N passed, N failed".
#
# Besides what the tests check, the run fails when any nginx that a test has
# started logged [alert], [crit] or [emerg], or when a sanitizer reported
# anything.  Exempt are an nginx that refused to start ("must_die" tests) and
# lines that the test announces by a fixed string in its configuration:
#
#     # allow-log: connect() to unix:/no/such/socket failed
#
# TEST_NGINX_BINARY and TEST_NGINX_LOAD_MODULES select another build.

. "$(dirname "$0")/lib.sh"

binary=$(command -v "${TEST_NGINX_BINARY:-$NGINX_BINARY}") \
    || die "no nginx, please run: make test-deps"

[ -e "$OBJS/testnginx/READY" ] || "$root/t/tools/test-nginx.sh"

TEST_NGINX_LOAD_MODULES=${TEST_NGINX_LOAD_MODULES-$OBJS/$AI_MODULE}


# Below the ephemeral ports, so that no connection of another test holds it.

port=${TEST_NGINX_PORT:-$(perl -MIO::Socket::INET -e '
    for (1 .. 100) {
        my $port = 20000 + int rand 10000;
        my $socket = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
                                           LocalPort => $port, Listen => 1);
        if ($socket) {
            print $port;
            exit;
        }
    }
    exit 1')}

run=$OBJS/t/$port
rm -rf "$run"
mkdir -p "$run/logs"

# workers that are another user report there too

chmod 1777 "$run/logs"


# Test::Nginx drops the servroot of a test when the next one starts, so each
# start of nginx gets a second link to its error log.

cat >"$run/nginx" <<END
#!/bin/sh

case \$1 in
-v|-V) exec "$binary" "\$@" ;;
esac

servroot=$run/servroot
kept=\$(mktemp "$run/logs/XXXXXX") || exit 1

mkdir -p "\$servroot/logs"
: >>"\$servroot/logs/error.log"
ln "\$servroot/logs/error.log" "\$kept.log"
sed -n 's/^.*# allow-log: *//p' "\$servroot/conf/nginx.conf" \
    >"\$kept" 2>/dev/null || true

status=0
"$binary" "\$@" &
pid=\$!
wait \$pid || status=\$?

if [ \$status != 0 ]; then
    mv "\$kept.log" "\$kept.died"

    # what an nginx that refuses to start has not freed is not a leak

    for report in $run/logs/sanitizer*.\$pid; do
        ! grep -qs 'ERROR: LeakSanitizer' "\$report" || rm "\$report"
    done
fi

exit \$status
END


# Tests that start nginx on their own look at its logs on their own.  What
# "nginx -t" has not freed when it ends is not a leak either.

cat >"$run/plain" <<END
#!/bin/sh

case " \$* " in
*" -t "*) export ASAN_OPTIONS="\$ASAN_OPTIONS,detect_leaks=0" ;;
esac

exec "$binary" "\$@"
END

chmod +x "$run/nginx" "$run/plain"

export TEST_NGINX_LOAD_MODULES
export TEST_NGINX_BINARY="$run/nginx"
export TEST_NGINX_SERVROOT="$run/servroot"
export TEST_NGINX_PORT="$port"
export TEST_NGINX_SERVER_PORT="$port"
export AI_NGINX="$run/plain" AI_OBJS="$OBJS"

PERL5LIB=$OBJS/testnginx/usr/share/perl5:$OBJS/testnginx/lib/perl5:${PERL5LIB-}
export PERL5LIB

# Commas, as Test::Nginx adds the test's name to the path up to the next one.
# A leak leaves the exit status alone: it is found in the process that started
# the daemon too, and must not look as if there were none.

reports=log_path=$run/logs/sanitizer,print_stacktrace=1
reports=$reports,exitcode=0,abort_on_error=1
export ASAN_OPTIONS="$reports,detect_odr_violation=0,detect_leaks=1"
export UBSAN_OPTIONS="$reports"
export LSAN_OPTIONS="suppressions=$root/t/tools/lsan.supp:print_suppressions=0"


# No file among the arguments: all tests, with the options given.

files=
for arg; do
    case $arg in
    *.t) files=yes ;;
    esac
done

[ -n "$files" ] || set -- "$@" t/*.t

{
    status=0
    prove -I t/lib "$@" 2>&1 || status=$?
    echo $status >"$run/status"
} | tee "$run/prove.log"


# The pool that main() has made and leaves when nginx refuses to start: no
# suppression can name it, as each stack has main() in it.

of_refused_start() {
    awk '/ leak of / { leaks++ }
         / in main / && previous ~ / in ngx_create_pool / { pools++ }
         { previous = $0 }
         END { exit !(leaks && leaks == pools) }' "$1"
}


for log in "$run"/logs/*.log "$run"/logs/sanitizer*; do
    [ -s "$log" ] || continue

    case $log in
    */sanitizer*) ! of_refused_start "$log" || continue ;;
    esac

    allowed=${log%.log}
    [ -s "$allowed" ] && [ "$allowed" != "$log" ] || allowed=/dev/null

    grep -aE '\[(alert|crit|emerg)\]|Sanitizer|runtime error:' "$log" \
    | grep -avFf "$allowed" | sed "s|^|$(basename "$log"): |" || true

done >"$run/bad.log"

bad=$(grep -ac . "$run/bad.log" || true)

if [ "$bad" != 0 ]; then
    echo "These lines must not be in an error log (logs kept in $run/logs):"
    head -n 50 "$run/bad.log"
fi


# A program that dies, or runs another number of tests than planned, counts as
# one failure more.  A failure ends this script here, and what it left stays.

awk -v bad="$bad" -v status="$(cat "$run/status")" '
    /^Files=[0-9]+, Tests=[0-9]+/ { split($2, n, /[=,]/); tests = n[2] }
    /Wstat: .*Failed: [0-9]+\)/ {
        sub(/.*Failed: /, ""); sub(/\).*/, ""); failed += $0
        program = $0 == 0
    }
    /^  (Non-zero exit status|Non-zero wait status|Parse errors):/ {
        if (program) { died++; program = 0 }
    }
    END {
        if (status != 0 && failed + died == 0) { died = 1 }
        printf "%d passed, %d failed\n", tests - failed, failed + died + bad
        exit failed + died + bad != 0
    }' "$run/prove.log"

[ -n "${TEST_NGINX_NO_CLEAN-}" ] || rm -rf "$run"

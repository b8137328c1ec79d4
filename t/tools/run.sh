#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# run.sh [CONF]: runs nginx with the built module in the foreground, with
# conf-examples/quickstart.conf or the given file as it is, from a prefix under
# $OBJS.  The environment is passed on, so "key env:NAME" finds its key.

. "$(dirname "$0")/lib.sh"

conf=${1:-conf-examples/quickstart.conf}
[ -f "$conf" ] || die "no such file: $conf"
conf=$(cd "$(dirname "$conf")" && pwd)/$(basename "$conf")

have "$NGINX_BINARY" || die "no nginx found, please run: make deps"

prefix=$OBJS/run
main="load_module $OBJS/$AI_MODULE; daemon off; error_log stderr notice;"


# Started by root, the workers are another user, who may not be able to reach
# a checkout below somebody's home.

if [ "$(id -u)" = 0 ]; then
    user=nobody
    ! id -u www-data >/dev/null 2>&1 || user=www-data

    if ! setpriv --reuid "$user" --clear-groups test -x "$OBJS" 2>/dev/null
    then
        prefix=${TMPDIR:-/tmp}/ngx_ai_gateway
    fi

    main="$main user $user $(id -gn "$user");"
fi

mkdir -p "$prefix/logs" "$prefix/conf" "$prefix/tmp"
main="$main pid $prefix/nginx.pid;"

"$NGINX_BINARY" -e stderr -p "$prefix/" -c "$conf" -g "$main" -t -q


port=$(sed -n 's/^[ \t]*listen[ \t]*\([^ ;]*\).*$/\1/p' "$conf" \
       | sed 's/^.*://' | head -n 1)
url=http://127.0.0.1:${port:-80}


# The mock answers to any name of a model, a vendor does not.

model=mock
hint=

if [ -n "${OPENAI_API_KEY-}" ]; then
    model=MODEL
    hint="
with one of the models for MODEL that \"curl $url/v1/models\" lists."
fi

cat <<END

The gateway answers at $url (Ctrl-C ends it). Try:

  curl -N $url/v1/chat/completions -H 'Content-Type: application/json' \\
    -d '{"model":"$model","stream":true,"messages":[{"role":"user","content":"Hi"}]}'
$hint
To point a client at it, set the one of these that it reads; any key will do
where the configuration names none:

  OPENAI_BASE_URL=$url/v1       OpenAI SDKs and what builds on them
  ANTHROPIC_BASE_URL=$url       Anthropic SDKs, Claude Code
  GOOGLE_GEMINI_BASE_URL=$url   Google Gen AI SDKs, Gemini CLI

END

exec "$NGINX_BINARY" -e stderr -p "$prefix/" -c "$conf" -g "$main"

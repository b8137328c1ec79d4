#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Runs t/clients: real client libraries, at the versions of its lock file,
# against an nginx with the built module, which the tests start themselves
# from AI_NGINX and AI_MODULE.

. "$(dirname "$0")/lib.sh"

"$root/t/tools/deps.sh" clients

cd t/clients

stamp=node_modules/.installed

if ! cmp -s package-lock.json "$stamp"; then
    npm ci --no-audit --no-fund --ignore-scripts >"$OBJS/npm.log" 2>&1 \
        || { tail -n 20 "$OBJS/npm.log" >&2; exit 1; }
    cp package-lock.json "$stamp"
fi

AI_NGINX=$(command -v "${AI_NGINX:-$NGINX_BINARY}") \
AI_MODULE=${AI_MODULE_FILE-$OBJS/$AI_MODULE} AI_OBJS=$OBJS \
    exec npm --silent test

#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Runs t/clients: real client libraries, at the versions of its lock file,
# against an nginx with the built module, which the tests start themselves
# from AI_NGINX and AI_MODULE.  Prints, and with MARKDOWN=FILE writes, what
# each library passed with the providers of each dialect: t/clients/hub.

. "$(dirname "$0")/lib.sh"

"$root/t/tools/deps.sh" clients

cd t/clients


# The libraries need a node that a stable Debian may not have yet.

wanted=$(sed -n 's/^ *"node": *">=\([0-9]*\).*/\1/p' package.json)

if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt "$wanted" ]; then
    package=node-linux-$(node -p process.arch)

    npm install --prefix "$OBJS/node" --no-audit --no-fund --ignore-scripts \
        "$package@$wanted" >"$OBJS/npm.log" 2>&1 \
        || { tail -n 20 "$OBJS/npm.log" >&2; exit 1; }

    PATH=$OBJS/node/node_modules/$package/bin:$PATH
fi

stamp=node_modules/.installed

if ! cmp -s package-lock.json "$stamp"; then
    npm ci --no-audit --no-fund --ignore-scripts >"$OBJS/npm.log" 2>&1 \
        || { tail -n 20 "$OBJS/npm.log" >&2; exit 1; }
    cp package-lock.json "$stamp"
fi

AI_NGINX=$(command -v "${AI_NGINX:-$NGINX_BINARY}")
AI_MODULE=${AI_MODULE_FILE-$OBJS/$AI_MODULE}
AI_OBJS=$OBJS
export AI_NGINX AI_MODULE AI_OBJS

log=$OBJS/clients.log

rm -f "$OBJS"/clients/matrix-*.json

{
    npm --silent test 2>&1 || echo "npm test failed with status $?"
} | tee "$log"

# expected failures that are none any more

sed -n 's/^✔ \(.*\) ([0-9.]*ms) # .*/known.mjs has, but it passes: \1/p' \
    "$log"

node hub/matrix.mjs "$OBJS/clients" | tee ${MARKDOWN:+"$MARKDOWN"}

awk '/^(#|ℹ) pass [0-9]+$/ { passed = $3 }
     /^(#|ℹ) (fail|cancelled) [0-9]+$/ { failed += $3 }
     /^npm test failed with status / { status = 1 }
     END {
         if (status && failed == 0) { failed = 1 }
         printf "%d passed, %d failed\n", passed, failed
         exit failed != 0 || passed == 0
     }' "$log"

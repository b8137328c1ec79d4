#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Installs the module where this machine's nginx loads modules from, or below
# DESTDIR, and says how to load it.

. "$(dirname "$0")/lib.sh"

have "$NGINX_BINARY" || die "no nginx found, set NGINX_BINARY to its path"

path=${MODULES_PATH:-$(modules_path)}
target=${DESTDIR-}$path

if mkdir -p "$target" 2>/dev/null && [ -w "$target" ]; then
    install -m 644 "$OBJS/$AI_MODULE" "$target/"
else
    as_root mkdir -p "$target"
    as_root install -m 644 "$OBJS/$AI_MODULE" "$target/"
fi

say "$target/$AI_MODULE"
say "the first line of nginx.conf to load it: load_module $path/$AI_MODULE;"

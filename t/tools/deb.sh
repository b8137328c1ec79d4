#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Builds the Debian package in a copy of the checkout: dpkg-buildpackage
# writes its results next to the directory that it is started in.

. "$(dirname "$0")/lib.sh"

"$root/t/tools/deps.sh" deb

dir=$OBJS/deb
rm -rf "$dir"
mkdir -p "$dir/source"

tar -cf - --exclude=./objs --exclude=./.git --exclude=node_modules . \
    | tar -xf - -C "$dir/source"

(cd "$dir/source" && dpkg-buildpackage -us -uc -b) >"$dir/log" 2>&1 \
    || { tail -n 30 "$dir/log" >&2; exit 1; }

say "$dir/"*.deb

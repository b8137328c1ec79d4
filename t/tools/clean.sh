#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Removes what was built, but no chroot of "make matrix" that still has
# something mounted in it.

. "$(dirname "$0")/lib.sh"

if grep -q " $OBJS/matrix/" /proc/mounts 2>/dev/null; then
    die "something is mounted below $OBJS/matrix"
fi

if [ -d "$OBJS/matrix" ]; then
    as_root rm -rf "$OBJS/matrix"
fi

rm -rf "$OBJS" t/clients/node_modules

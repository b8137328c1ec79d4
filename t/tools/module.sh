#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Builds $OBJS/ngx_http_ai_gateway_module.so against the nginx sources that
# NGINX_SRC names; by default those of Debian's nginx-dev, configured with the
# flags of Debian's nginx.  For another nginx, NGINX_CONF may carry the flags
# that "nginx -V" shows.  Configures only when something changed that
# configure looks at.

. "$(dirname "$0")/lib.sh"

NGINX_SRC=${NGINX_SRC:-/usr/share/nginx/src}
NGINX_CONF=${NGINX_CONF:---with-compat}
build=$OBJS/module

[ -f "$NGINX_SRC/configure" ] \
    || die "no nginx sources in $NGINX_SRC, please run: make deps"

# Two runs in one checkout wait for each other.

exec 9>"$OBJS/module.lock"
! have flock || flock 9

opt="-g -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2
     -Wall -Wextra -Werror -Wno-unused-parameter ${CFLAGS-}"

version=$(sed -n 's/^#define NGINX_VERSION *//p' \
              "$NGINX_SRC/src/core/nginx.h" 2>/dev/null || true)

wanted=$(
    LC_ALL=C; export LC_ALL
    echo "$NGINX_SRC $version $NGINX_CONF $CC" $opt
    echo ngx_http_ai_gateway_module/*.c ngx_http_ai_gateway_module/*.h \
         ngx_http_ai_gateway_module/core/*.c ngx_http_ai_gateway_module/core/*.h
    cksum config config.make
    cksum <"$NGINX_SRC/configure"
    dpkg-query -W nginx-dev 2>/dev/null || true)

if [ "$wanted" != "$(cat "$build/configured" 2>/dev/null)" ]; then
    rm -rf "$build"
    mkdir -p "$build"

    # configure writes into its own directory

    cp -RL "$NGINX_SRC" "$build/nginx"

    # Debian keeps its flags in a bash array

    if [ -f "$NGINX_SRC/conf_flags" ]; then
        flags='. ./conf_flags; set -- "${NGX_CONF_FLAGS[@]}" "$@"'
        shell=bash
    else
        flags="set -- $NGINX_CONF \"\$@\""
        shell=sh
    fi

    (cd "$build/nginx" \
     && $shell -c "$flags; exec ./configure \"\$@\"" configure \
            --with-cc="$CC" --with-cc-opt="$(echo $opt)" \
            --builddir=objs --add-dynamic-module="$root") \
        >"$build/configure.log" 2>&1 \
        || { tail -n 15 "$build/configure.log" >&2; exit 1; }

    echo "$wanted" >"$build/configured"
fi

make_quietly -C "$build/nginx" -f objs/Makefile modules

cmp -s "$build/nginx/objs/$AI_MODULE" "$OBJS/$AI_MODULE" \
    || { cp "$build/nginx/objs/$AI_MODULE" "$OBJS/$AI_MODULE.new"
         mv "$OBJS/$AI_MODULE.new" "$OBJS/$AI_MODULE"; }

say "$OBJS/$AI_MODULE"

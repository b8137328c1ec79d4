#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# deps.sh GROUP...: installs what a group of make targets needs, through apt.
# Nothing is fetched and no root is needed when everything is there already.

. "$(dirname "$0")/lib.sh"

build="gcc libc6-dev make nginx-dev nginx libcjson-dev libpcre2-dev zlib1g-dev
       libssl-dev"

for group; do
    case $group in

    build)
        if have nginx && ! have dpkg; then
            continue
        fi

        need $build
        ;;

    test)
        need $build perl python3 curl openssl procps
        "$root/t/tools/test-nginx.sh"
        ;;

    asan)
        need $build dpkg-dev ca-certificates
        ;;

    fuzz)
        have clang || need clang
        ;;

    matrix)
        need debootstrap debian-archive-keyring util-linux
        ;;

    clients)
        have node || need nodejs
        have npm || need npm
        ;;

    deb)
        need $build debhelper dpkg-dev fakeroot
        ;;

    *)
        die "unknown group \"$group\""
        ;;
    esac
done

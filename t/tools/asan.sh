#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# asan.sh [t/file.t...]: builds nginx with this module inside, with the address
# sanitizer, with a malloc() for each pool allocation (so that it sees what
# happens inside of pools), and our files also with the undefined behaviour
# sanitizer; then runs the tests on it.  The sources are the distribution's
# source package, or those in ASAN_NGINX_SRC.

. "$(dirname "$0")/lib.sh"

dir=$OBJS/asan
mkdir -p "$dir"
exec 9>"$dir/lock"
! have flock || flock 9


fetch_sources() {
    [ ! -e "$dir/fetched" ] || return 0

    "$root/t/tools/deps.sh" asan

    apt_archives | sed 's/^/deb-src /' | apt_private "$dir/apt"
    apt-get -q -c "$dir/apt/apt.conf" update >"$dir/apt.log" 2>&1 \
        || { tail -n 5 "$dir/apt.log"; die "no package sources from apt"; }

    rm -rf "$dir"/nginx*

    # The newest that the mirror has: a mirror may know of a version whose
    # sources are not on it.

    for version in $(apt-cache -c "$dir/apt/apt.conf" --only-source \
                         showsrc nginx | sed -n 's/^Version: //p' \
                     | sort -rVu)
    do
        (cd "$dir" && apt-get -q -c apt/apt.conf --only-source \
                          source "nginx=$version") >>"$dir/apt.log" 2>&1 \
            && break

        rm -rf "$dir"/nginx*
    done

    [ -d "$(echo "$dir"/nginx-*/)" ] \
        || { tail -n 5 "$dir/apt.log"; die "no nginx sources from apt"; }

    mv "$dir"/nginx-*/ "$dir/nginx"
    rm -rf "$dir/apt"
    touch "$dir/fetched"
}


# nginx's own code has its idea of undefined behaviour, so only ours is built
# with that sanitizer: configure gives one set of flags to all files.

compiler() {
    cat <<END
#!/bin/sh
for file; do :; done
case \$file in
*/ngx_http_ai_gateway_module/*.c)
    exec $CC "\$@" -fsanitize=undefined -fno-sanitize-recover=undefined ;;
esac
exec $CC "\$@"
END
}


if [ -n "${ASAN_NGINX_SRC-}" ]; then
    [ -e "$dir/fetched" ] || cp -RL "$ASAN_NGINX_SRC" "$dir/nginx"
    touch "$dir/fetched"
fi

fetch_sources

wanted=$(
    LC_ALL=C; export LC_ALL
    echo "$CC"
    echo ngx_http_ai_gateway_module/*.[ch] ngx_http_ai_gateway_module/core/*.[ch]
    cksum config config.make t/tools/asan.sh)

if [ "$wanted" != "$(cat "$dir/configured" 2>/dev/null)" ]; then
    compiler >"$dir/cc"
    chmod +x "$dir/cc"

    configure=./configure
    [ -x "$dir/nginx/configure" ] || configure=auto/configure

    opt="-g -O1 -fno-omit-frame-pointer -fsanitize=address
         -DNGX_DEBUG_PALLOC=1"

    # The flags are those of Debian's package without dynamic modules.

    (cd "$dir/nginx" && "$configure" --prefix="$dir/prefix" \
        --with-cc="$dir/cc" \
        --with-cc-opt="$(echo $opt)" \
        --with-ld-opt="-fsanitize=address,undefined" \
        --with-compat --with-debug --with-pcre-jit --with-threads \
        --with-http_ssl_module --with-http_v2_module \
        --with-http_stub_status_module --with-http_realip_module \
        --with-http_auth_request_module --with-http_dav_module \
        --with-http_slice_module --with-http_addition_module \
        --with-http_gunzip_module --with-http_gzip_static_module \
        --with-http_sub_module --with-http_random_index_module \
        --with-http_secure_link_module --add-module="$root") \
        >"$dir/configure.log" 2>&1 \
        || { tail -n 15 "$dir/configure.log" >&2; exit 1; }

    echo "$wanted" >"$dir/configured"
fi

make_quietly -C "$dir/nginx" -f objs/Makefile binary >"$dir/make.log" 2>&1 \
    || { tail -n 30 "$dir/make.log" >&2; exit 1; }

cp "$dir/nginx/objs/nginx" "$dir/sanitized.new"
mv "$dir/sanitized.new" "$dir/sanitized"
exec 9>&-

say "$("$dir/sanitized" -v 2>&1), sanitized"


# Everything takes some times longer; t/style.t and t/docs.t run no nginx.

[ $# != 0 ] || set -- $(ls t/*.t | grep -v 't/style\.t\|t/docs\.t')

TEST_NGINX_BINARY=$dir/sanitized TEST_NGINX_LOAD_MODULES='' \
TEST_NGINX_TIMEOUT=${TEST_NGINX_TIMEOUT:-10} \
    exec "$root/t/tools/prove.sh" "$@"

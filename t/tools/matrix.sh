#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# matrix.sh [SUITE...]: builds and tests on Debian releases with other versions
# of nginx, each in a chroot under $OBJS/matrix made from the mirror that this
# machine's apt uses.  One line for each.  Needs root.

. "$(dirname "$0")/lib.sh"

[ $# != 0 ] || set -- bookworm trixie forky

"$root/t/tools/deps.sh" matrix test

mirror=$(apt_mirror main)
security=$(apt_mirror security || true)
mkdir -p "$OBJS/matrix"


# in_chroot DIR COMMAND: in namespaces of its own, so that whatever it starts
# ends with it and nothing stays mounted.

in_chroot() {
    as_root unshare --mount --pid --fork --kill-child sh -c '
        mount -t proc proc "$1/proc" || exit 1
        mount --bind /dev "$1/dev" || exit 1
        exec chroot "$1" env -i HOME=/root LANG=C.UTF-8 TERM=dumb \
            DEBIAN_FRONTEND=noninteractive \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "$2"' in_chroot "$1" "$2"
}


bootstrap() {
    [ ! -e "$chroot/.ready" ] || return 0

    script=/usr/share/debootstrap/scripts/$suite
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid

    as_root rm -rf "$chroot"
    as_root debootstrap --variant=minbase --keyring="$(keyring)" \
        "$suite" "$chroot" "$mirror" "$script" || return 1

    # The network settings of this machine's apt hold there as well.

    apt-config dump | grep '^Acquire::\(http\|https\|Check\)' \
        | as_root tee "$chroot/etc/apt/apt.conf.d/01machine" >/dev/null

    as_root cp -L /etc/resolv.conf "$chroot/etc/resolv.conf"
    echo "deb $mirror $suite main" \
        | as_root tee "$chroot/etc/apt/sources.list" >/dev/null

    for extra in "$mirror $suite-updates" "$security $suite-security"; do
        exists "$extra" || continue
        echo "deb $extra main" \
            | as_root tee -a "$chroot/etc/apt/sources.list" >/dev/null
    done

    in_chroot "$chroot" 'apt-get -q update' || return 1
    as_root touch "$chroot/.ready"
}


exists() {
    case $1 in
    ' '*) return 1 ;;
    esac

    echo "deb $1 main" | apt_private "$OBJS/matrix/.apt"
    apt-get -q -c "$OBJS/matrix/.apt/apt.conf" -o APT::Update::Error-Mode=any \
        update
}


# The files of the checkout, with what is not committed yet, and Test::Nginx
# as this machine has fetched it.

copy() {
    as_root rm -rf "$chroot/src"
    as_root mkdir -p "$chroot/src/objs"

    tar -cf - --exclude=./objs --exclude=./.git --exclude=node_modules . \
        | as_root tar -xf - -C "$chroot/src" --no-same-owner

    if [ -d "$OBJS/testnginx/usr" ]; then
        as_root cp -R "$OBJS/testnginx" "$chroot/src/objs/"
    fi
}


run() {
    bootstrap && copy || return 1

    in_chroot "$chroot" '
        cd /src || exit 1
        apt-get -q -y --no-install-recommends install make gcc || exit 1
        make deps || exit 1
        make test-deps || exit 1

        nginx -v
        gcc --version
        make test'
}


passed=0
failed=0

for suite; do
    chroot=$OBJS/matrix/$suite
    log=$OBJS/matrix/$suite.log
    status=0

    (run) >"$log" 2>&1 || status=$?

    version=$(sed -n 's|^nginx version: ||p' "$log" | tail -n 1)
    gcc=$(sed -n 's|^gcc (.*) ||p' "$log" | tail -n 1)

    counts=$(awk '/^[0-9]+ passed, [0-9]+ failed$/ { ok += $1; bad += $3 }
                  END { print ok + 0, bad + 0 }' "$log")
    ok=${counts% *}
    bad=${counts#* }

    if [ $status != 0 ] && [ "$bad" = 0 ]; then
        bad=1
    fi

    echo "$suite: ${version:-no nginx}, gcc ${gcc:-none}:" \
         "$ok passed, $bad failed$([ "$bad" = 0 ] || echo ", see $log")"

    passed=$((passed + ok))
    failed=$((failed + bad))
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]

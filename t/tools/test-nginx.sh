#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Puts Test::Nginx (OpenResty's, declarative) within reach of prove.sh: from
# the distribution when it has the package; on an older Debian from a newer
# suite of the same mirror, unpacked under objs/ so that the machine's apt and
# /usr stay as they are; elsewhere from CPAN, also under objs/.

. "$(dirname "$0")/lib.sh"

newer=forky
dir=$OBJS/testnginx

mkdir -p "$dir"


from_own_apt() {
    have apt-get || return 1

    case $(candidate libtest-nginx-perl) in
    ''|'(none)') return 1 ;;
    esac

    need libtest-nginx-perl
    echo "libtest-nginx-perl of this machine's apt" >"$dir/READY"
}


from_newer_debian() {
    grep -q '^ID=debian' /etc/os-release 2>/dev/null || return 1

    mirror=$(apt_mirror main)
    echo "deb $mirror $newer main" | apt_private "$dir/apt"

    fetch_newer || {
        # The machine's keyring may be older than the suite's key; a newer
        # keyring comes signed by the key that the machine does trust.

        (cd "$dir" && apt-get -q download debian-archive-keyring) || return 1
        dpkg-deb -x "$dir"/debian-archive-keyring_*.deb "$OBJS/keyring"
        echo "deb $mirror $newer main" | apt_private "$dir/apt"
        fetch_newer || return 1
    }

    dpkg-deb -x "$dir"/libtest-nginx-perl_*.deb "$dir"

    dpkg-deb -f "$dir"/libtest-nginx-perl_*.deb Depends \
        | sed 's/([^)]*)//g; s/|[^,]*//g; s/:any//g; s/,/ /g' \
        | tr ' ' '\n' | grep . >"$dir/needs"

    need_of_apt
    rm -rf "$dir/apt"
    echo "libtest-nginx-perl of $newer" >"$dir/READY"
}


fetch_newer() {
    apt-get -q -c "$dir/apt/apt.conf" -o APT::Update::Error-Mode=any update \
        >"$dir/apt.log" 2>&1 || return 1

    (cd "$dir" \
     && apt-get -q -c apt/apt.conf download libtest-nginx-perl) \
        >>"$dir/apt.log" 2>&1
}


# What the unpacked package depends on comes from the machine's own apt, save
# modules that are a part of its perl.

need_of_apt() {
    need $(while read -r package; do
               case $(candidate "$package") in
               ''|'(none)') ;;
               *) echo "$package" ;;
               esac
           done <"$dir/needs")
}


from_cpan() {
    have cpan || return 1

    PERL_MM_USE_DEFAULT=1 PERL_MM_OPT="INSTALL_BASE=$dir" \
    PERL_MB_OPT="--install_base $dir" PERL5LIB="$dir/lib/perl5" \
        cpan -T Test::Nginx IPC::Run >"$dir/cpan.log" 2>&1 </dev/null || true

    PERL5LIB="$dir/lib/perl5" perl -MTest::Nginx::Socket -e 1 2>/dev/null \
        || return 1

    echo "CPAN" >"$dir/READY"
}


if [ -e "$dir/READY" ]; then
    [ ! -e "$dir/needs" ] || need_of_apt
    exit 0
fi

from_own_apt || from_newer_debian || from_cpan \
    || die "Test::Nginx could not be had from apt or CPAN," \
           "see the logs in $dir"

say "Test::Nginx: $(cat "$dir/READY")"

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Shell functions shared by the scripts of this directory.  They are sourced
# with "$root" (the checkout) not yet set and leave the working directory there.

set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"

OBJS=${OBJS:-objs}
mkdir -p "$OBJS"
OBJS=$(cd "$OBJS" && pwd)

CC=${CC:-cc}
NGINX_BINARY=${NGINX_BINARY:-nginx}

# a variable of this name would tell nginx that it inherits sockets

unset NGINX

AI_MODULE=ngx_http_ai_gateway_module.so

# Debian installs daemons in /usr/sbin, which is not in every user's PATH.
PATH=$PATH:/usr/sbin:/sbin
export PATH


say() {
    echo "$(basename "$0" .sh): $*"
}


die() {
    echo "$(basename "$0" .sh): $*" >&2
    exit 1
}


have() {
    command -v "$1" >/dev/null 2>&1
}


# Without the flags of the make that started us: its targets run one by one.

make_quietly() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
        "${MAKE:-make}" -s -j "${JOBS:-$(nproc 2>/dev/null || echo 2)}" "$@"
}


as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"

    elif have sudo; then
        sudo "$@"

    else
        die "\"$*\" needs root, and sudo is not installed"
    fi
}


# Prints those of the named packages that are not installed.

missing() {
    for package; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) echo "$package" ;;
        esac
    done
}


candidate() {
    apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ { print $2 }'
}


# Installs what is missing of the named packages.  The package lists are
# fetched only when a package is not in them or has moved since.  Services of
# new packages are not started: nobody who tries this module has asked for a
# web server on port 80.

need() {
    lacking=$(missing "$@")
    [ -n "$lacking" ] || return 0

    have apt-get || die "please install the equivalent of: $lacking"

    for package in $lacking; do
        case $(candidate "$package") in
        ''|'(none)')
            as_root apt-get -q update
            break
            ;;
        esac
    done

    say "installing" $lacking

    # shellcheck disable=SC2086
    apt_install $lacking || {
        as_root apt-get -q update
        apt_install $lacking
    }
}


apt_install() {
    policy=/usr/sbin/policy-rc.d
    ours=

    if [ ! -e $policy ]; then
        ours=$(mktemp)
        printf '#!/bin/sh\nexit 101\n' >"$ours"
        as_root install -m 755 "$ours" $policy
        trap 'as_root rm -f $policy "$ours"' EXIT
        trap 'exit 1' HUP INT TERM
    fi

    status=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        --no-install-recommends install "$@" >"$OBJS/apt.log" 2>&1 || status=$?

    if [ -n "$ours" ]; then
        as_root rm -f $policy "$ours"
        trap - EXIT HUP INT TERM
    fi

    [ $status = 0 ] || tail -n 20 "$OBJS/apt.log" >&2
    return $status
}


# Prints "URI release component" for each archive of the distribution itself
# that this machine's apt is configured with.

apt_archives() {
    for attempt in 1 2; do
        apt-get indextargets \
            --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
            'Created-By: Packages' 2>/dev/null \
        | awk -F '|' '$1 == "Debian" || $1 == "Ubuntu" { print $2, $3, $4 }' \
        | sort -u | grep . && return 0

        [ $attempt = 2 ] || as_root apt-get -q update >&2
    done

    die "no Debian archive found in this machine's apt sources"
}


# Prints the URI of the archive: "main", "updates" or "security".

apt_mirror() {
    apt_archives | awk -v kind="$1" '
        $2 ~ /-security|\/updates/ { name = "security" }
        $2 !~ /-security|\/updates/ { name = $2 ~ /-/ ? "updates" : "main" }
        name == kind { print $1; exit }'
}


keyring() {
    for file in "$OBJS/keyring/usr/share/keyrings/debian-archive-keyring.gpg" \
                /usr/share/keyrings/debian-archive-keyring.gpg \
                /usr/share/keyrings/ubuntu-archive-keyring.gpg
    do
        if [ -f "$file" ]; then
            echo "$file"
            return 0
        fi
    done

    die "no archive keyring found, please install debian-archive-keyring"
}


# apt_private DIR: reads sources.list lines "TYPE URI SUITE COMPONENT..." from
# stdin and prepares DIR/apt.conf, an apt of its own which shares only the
# network settings with the machine's: "apt-get -c DIR/apt.conf ...".

apt_private() {
    mkdir -p "$1/state/lists/partial" "$1/cache/archives/partial"

    sed "s|^\([a-z-]*\) |\1 [signed-by=$(keyring)] |" >"$1/sources.list"

    cat >"$1/apt.conf" <<END
Dir::Etc::SourceList "$1/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$1/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$1/cache";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Sandbox::User "";
END
}


# Prints the directory that the running nginx binary loads modules from.

modules_path() {
    path=$("$NGINX_BINARY" -V 2>&1 | tr ' ' '\n' | sed -n 's/^--modules-path=//p')
    [ -n "$path" ] || path=$("$NGINX_BINARY" -V 2>&1 | tr ' ' '\n' \
                             | sed -n 's/^--prefix=//p')/modules
    echo "$path"
}

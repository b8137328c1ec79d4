# Copyright (C) the ngx_http_ai_gateway_module authors
#
# awk -v units=N -f calls.awk FEW MANY: of two files of callgrind, prints how
# many instructions and system calls the second one has more, per unit.
#
# A file names functions "fn=(ID) NAME", after the first time "fn=(ID)"; who
# calls says "cfn=" and "calls=COUNT".  epoll_wait is left out: how many events
# it reports at once is a matter of chance.

BEGIN {
    n = split("recv recvfrom read readv pread64 send write writev pwrite64 " \
              "sendfile64 ioctl getsockopt setsockopt epoll_ctl socket " \
              "connect accept4 close open64 openat64 unlink", list, " ")

    for (i = 1; i <= n; i++) {
        counts[list[i]] = 1
    }
}

FNR == 1 {
    sign = NR == 1 ? -1 : 1
    split("", names)
}

/^c?fn=/ {
    id = $1
    sub(/^c?fn=/, "", id)

    if (NF > 1) {
        names[id] = $2
    }

    callee = names[id]
}

/^calls=/ && callee in counts {
    calls += sign * substr($1, 7)
}

/^totals:/ {
    total += sign * $2
}

END {
    printf "%.0f %.2f\n", total / units, calls / units
}

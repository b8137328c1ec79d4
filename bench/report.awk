# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Lines of the driver and of "counted" to the table; medians over rounds.
# Exits with 1 when what decides is over its budget.

BEGIN {
    # The budgets: of CPU time as a ratio, and what that means in user
    # instructions, on top of those of the floor (README.md).

    budget["module", 1024] = 1.3
    budget["module", 16384] = 1.3
    budget["module", 131072] = 1.4
    budget["module", "event"] = 1.1

    budget["hub", 1024] = 1.8
    budget["hub", 16384] = 2.5
    budget["hub", "event"] = 1.3

    allowed["module", 1024] = 28000
    allowed["module", 16384] = 30000
    allowed["module", 131072] = 110000
    allowed["module", "event"] = 3000

    allowed["hub", 1024] = 75000
    allowed["hub", 16384] = 150000
    allowed["hub", "event"] = 9000

    # system calls per request or event, us, and KiB per stream

    allowed_calls = 0.05
    allowed_ttft = 50
    allowed_memory = 12
}

$1 == "load" {
    name = $2; size = $3; events = $4; requests = $5

    if (events == 0 && requests == 1000) {
        add("cpu " size, name, $6 / requests / 1000)
        add("faults " size, name, $9 / requests)

    } else if (events == 0) {
        add("p50", name, $7 / 1000)
        add("p99", name, $8 / 1000)

    } else if (requests == 32) {
        add("cpu event", name, $6 / requests / events / 1000)

    } else {
        add("ttft", name, $7 / 1000)
    }
}

$1 == "hold" {
    add("memory " $3, $2, ($6 - $5) / $4)
}

$1 == "counted" {
    add("instructions " $2, $3, $4)
    add("calls " $2, $3, $5)
}

END {
    print ""
    put("", "direct", "proxy", "module", "against", "budget", "")

    title("CPU time of the worker, us")
    each("cpu")
    row("  page faults, 128 KB", "faults 131072", "module", "%.1f")

    title("Latency, one client, 1 KB, us")
    row("  document, p50", "p50", "module", "%.0f")
    row("  document, p99", "p99", "module", "%.0f")
    row("  first event, p50", "ttft", "module", "%.0f", allowed_ttft)

    title("Memory of the worker, KiB")
    decides = 1
    row("  open stream, 1 KB", "memory 1024", "module", "%.1f",
        allowed_memory)
    row("  translated, 1 KB", "memory 1024", "hub", "%.1f", allowed_memory)
    decides = 0
    row("  open stream, 16 KB", "memory 16384", "module", "%.1f")
    row("  translated, 16 KB", "memory 16384", "hub", "%.1f")

    if (("instructions event", "proxy") in n) {
        decides = 1

        title("User instructions")
        each("instructions")

        title("System calls, without epoll_wait")
        each("calls")
    }

    print "\nproxy: proxy_pass, unbuffered, kept connections;" \
          " module: alias, key, $ai_log;" \
          "\ntranslated: the same, to a provider of Anthropic's dialect"
    print failed ? "\nOver budget: " failed " of what decides" \
                 : "\nWithin budget, as far as that decides"

    exit failed > 0
}


function add(what, name, value) {
    values[what, name, ++n[what, name]] = value
}


function median(what, name,    i, j, k, v, sorted) {
    k = n[what, name]

    if (k == 0) {
        return ""
    }

    for (i = 1; i <= k; i++) {
        v = values[what, name, i]

        for (j = i; j > 1 && sorted[j - 1] > v; j--) {
            sorted[j] = sorted[j - 1]
        }

        sorted[j] = v
    }

    return k % 2 ? sorted[(k + 1) / 2] : (sorted[k / 2] + sorted[k / 2 + 1]) / 2
}


# what a round measures in the one and then in the other belongs together

function pairs(what, name, ratio,    i) {
    delete n["pairs", ""]

    for (i = 1; i <= n[what, "proxy"]; i++) {
        add("pairs", "", ratio ? values[what, name, i] \
                                 / values[what, "proxy", i] \
                               : values[what, name, i] \
                                 - values[what, "proxy", i])
    }

    return median("pairs", "")
}


function title(text) {
    print "\n" text
}


function cell(format, value) {
    return value == "" ? "" : sprintf(format, value)
}


# without a limit it is not judged

function line(label, what, name, format, against, limit, over,    verdict) {
    if (limit != "") {
        verdict = over ? (decides ? "OVER" : "over") : "ok"
        failed += over && decides
    }

    put(label, cell(format, median(what, "direct")),
        cell(format, median(what, "proxy")),
        cell(format, median(what, name)), against, limit, verdict)
}


function put(label, direct, proxy, module, against, limit, verdict,    s) {
    s = sprintf("%-23s %8s %8s %8s %9s %8s  %s", label, direct, proxy, module,
                against, limit, verdict)
    sub(/ +$/, "", s)
    print s
}


# the rows of what is measured of each case

function each(what,    i, k, labels, cases) {
    k = split("request, 1 KB/request, 16 KB/request, 128 KB/event of a stream" \
              "/translated, 1 KB/translated, 16 KB/translated event", labels,
              "/")
    split("1024/16384/131072/event/1024/16384/event", cases, "/")

    for (i = 1; i <= k; i++) {
        one("  " labels[i], what, cases[i], i <= 4 ? "module" : "hub")
    }
}


function one(label, what, which, name,    more, limit, format) {
    limit = what == "calls" ? allowed_calls : allowed[name, which]
    format = what == "instructions" ? "%.0f" : "%.2f"

    if (what == "cpu") {
        limit = budget[name, which]
        more = pairs(what " " which, name, 1)

        line(label, what " " which, name, format, sprintf("%.2fx", more),
             sprintf("%.1fx", limit), more > limit)
        return
    }

    more = pairs(what " " which, name, 0)

    line(label, what " " which, name, format,
         sprintf("%+" substr(format, 2), more), sprintf("%+g", limit),
         more > limit)
}


function row(label, what, name, format, limit,    more) {
    more = pairs(what, name, 0)

    line(label, what, name, format, sprintf("%+.1f", more),
         cell("%+g", limit), limit != "" && more > limit)
}

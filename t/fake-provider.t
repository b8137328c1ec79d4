#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# The fake provider itself: what other tests conclude from its silence is
# worth something only if it does speak up.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep);


my $self = { port => port("main") };
my $path = "/v1/chat/completions";


sub raw {
    my ($bytes, $seconds) = @_;

    my $c = AITest::Client->new($self->{port});
    $c->send($bytes);
    my $r = $c->response($seconds || 1);
    $c->close;
    return $r;
}


sub anomalies {
    my $found = join ", ", map { $_->{what} } @{control("GET", "anomalies")};
    fake_reset();
    return $found;
}


# good answers

good(chat($self, "m", stream => $_), "chat, stream $_") for 0, 1;
good(messages($self, "m", stream => $_), "messages, stream $_") for 0, 1;
good(responses($self, "m", stream => $_), "responses, stream $_") for 0, 1;
good(gemini($self, "m", stream => $_), "gemini, stream $_") for 0, 1;
is(anomalies(), "", "a sound request is no anomaly");


# anomalies

my $head = "POST $path HTTP/1.1\r\nHost: x\r\n";

raw("${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    . "2\r\n{}\r\n0\r\n\r\n");
like(anomalies(), qr/content-length with transfer-encoding/, "CL and TE");

raw("${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}");
like(anomalies(), qr/several content-length/, "two lengths");

raw("${head}Authorization: Bearer a\r\nx-api-key: b\r\n"
    . "Content-Length: 2\r\n\r\n{}");
like(anomalies(), qr/several credentials/, "two credentials");

raw("POST $path?key=a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
    . "Content-Length: 2\r\n\r\n{}");
like(anomalies(), qr/several credentials/, "one of them in the query");

raw("${head}X: a\nY: b\r\nContent-Length: 2\r\n\r\n{}");
like(anomalies(), qr/bare cr or lf/, "a bare LF");

raw("${head}Content-Length: 2\r\n\r\n{}GARBAGE", 2);
like(anomalies(), qr/bytes after the request|not a request/,
     "bytes behind the request");

raw("nonsense\r\n\r\n");
like(anomalies(), qr/not a request/, "nonsense");


# canaries

chat($self, "m", text => "CANARY-in-a-body",
     headers => ["x-odd" => "CANARY-in-a-header"]);
is(scalar(@{find_received("CANARY-in-a-body", "CANARY-in-a-header",
                          "CANARY-never-sent")}), 2, "canaries are found");


# clients that leave

fake_reset();
my $c = chat($self, "fault-stall-headers", open => 1);
ok(!wait_for("client_closed=1&timeout=0.2"), "one that stays");
$c->close;
aborted("one that leaves");
my $r = last_request();
ok($r->{closed_after} > 0.1 && $r->{closed_after} < 1, "when it left");


# how faults are chosen

fake_reset();
is(chat($self, "fault-status-418")->{status}, 418, "by the model");
is(chat($self, "fault-fail-n:n:2:as:status-503")->{status}, $_,
   "with parameters") for 503, 503, 200;
is(chat($self, "m", path => "/fault/status-418$path")->{status}, 418,
   "by the path");
script("status-503", "ok");
is(chat($self, "m")->{status}, 503, "by the script");
is(chat($self, "fault-status-418")->{status}, 200, "before the model");
default_fault("main", "status-418");
is(chat($self, "m")->{status}, 418, "by the listener");
default_fault("main", undef);
is(chat($self, "m")->{status}, 200, "and no more");
is(chat($self, "fault-nonsense")->{status}, 404, "an unknown one is told");


# the list of them

my $python = $ENV{PYTHON} || "python3";
my @names = map { (split " ")[0] }
            `$python $AITest::ROOT/t/lib/fake_provider.py --list`;
cmp_ok(scalar(@names), ">", 180, "there is a list of faults");

# each answers, closes or is silent; none of them breaks the provider

fake_reset();

for my $name (grep { !/NNN|30N|\|/ } @names) {
    next if $name =~ /flood|huge|endless|giant|storm|bomb|many|infinite/;

    my @open = map { chat($self, "fault-$name", stream => $_, open => 1) }
               0, 1;
    $_->response(0.03), $_->close(1) for @open;
}

chat($self, "m");
is(stats()->{loop_errors} || 0, 0, "no fault fails itself")
    or diag(stats()->{last_error});
ok(wait_for("idle=1&timeout=5"), "all of them end when the client leaves");

finish(anomalies => 1);

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Clients that leave, in every phase: reliability.md F129 to F132.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep);


my $ng = nginx(dialects(), workers => 1);


# phase, fault, stream, bytes to wait for

my @phases = (
    ["F129 in mid-stream", "infinite", 1, qr/xxxx/],
    ["F130 before the first token", "stall-first-token", 1, undef],
    ["F130 after the opening", "stall-after-open", 1, undef],
    ["F130 before the head", "stall-headers", 1, undef],
    ["F130 in the head", "stall-after-status", 1, undef],
    ["F131 a document, before the head", "stall-headers", 0, undef],
    ["F131 a document, after the head", "stall-first-token", 0, undef],
    ["F131 in the middle of a document", "stall-mid-stream", 0, undef],
    ["F129 between the finish and the end", "stall-before-done", 1,
     qr/"stop"|end_turn|STOP/],
    ["F129 in a flood", "flood", 1, qr/xxxx/],
);

for my $surface (qw(chat messages)) {
    for my $p (@phases) {
        for my $reset (0, 1) {
            my ($name, $fault, $stream, $wait) = @$p;

            fake_reset();
            my $n = scalar(log_lines($ng));
            my $c = ask($ng, $surface, "fault-$fault", stream => $stream,
                        open => 1);

            if ($wait) {
                $c->until($wait, 3);

            } else {
                wait_for("requests=1&timeout=2");
                sleep 0.05;
            }

            $c->close($reset);
            $name .= ", $surface, " . ($reset ? "RST" : "FIN");
            aborted($name);

            my $log = logged($ng, $n + 1);
            is($log->{outcome}, "client_abort", "$name: logged");
        }
    }
}

# a client that only stops sending has left, as for proxy_pass

fake_reset();
my $c = ask($ng, "chat", "fault-infinite", stream => 1, open => 1);
$c->until(qr/xxxx/);
shutdown $c->{sock}, 1;
aborted("F132 a half-closed client counts as gone");
$c->close;

# the request was not even whole

fake_reset();
$c = AITest::Client->new($ng->{port});
$c->send("POST /oai/v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
         . "Content-Length: 500\r\n\r\n{\"model\":\"m\"");
sleep 0.1;
$c->close;
sleep 0.1;
is(scalar(requests()), 0, "H163 no request that is not whole goes upstream");

# many at once, some leave

my @open = map { ask($ng, "chat", "fault-slow-drip:n:8:d:0.05", stream => 1,
                     open => 1) } 1 .. 30;
sleep 0.15;
$open[$_]->close($_ % 4 < 2) for grep { $_ % 2 } 0 .. 29;
my $whole = grep { my $r = $open[$_]->response;
                   $r->{complete} && $r->text eq join "",
                       map { " w$_" } 0 .. 7 } grep { $_ % 2 == 0 } 0 .. 29;
is($whole, 15, "F129 the streams of the others go on");
ok(wait_for("client_closed=15&timeout=3"), "F129 all who left are noticed");

# pipelined: the second waits for the first

$c = AITest::Client->new($ng->{port});
my $body = body_of("fault-echo", text => "first");
my $body2 = body_of("fault-echo", text => "second");
$c->send("POST /oai/v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
         . "Content-Length: " . length($body) . "\r\n\r\n$body"
         . "POST /oai/v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
         . "Content-Length: " . length($body2) . "\r\n\r\n$body2");
is($c->response->text, "first", "H162 pipelined, the first");
is($c->response->text, "second", "H162 pipelined, the second");
$c->close;

ok(wait_for("idle=1&timeout=3"), "F129 nothing is left open");

finish();

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Silence, slowness, haste: reliability.md F121 to F134.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep time);


my $ng = nginx(dialects(first_token_timeout => "500ms",
                        idle_timeout => "400ms", timeout => "2s"));


# all of these wait at once

my @cases = (
    ["F121 stall-headers", "chat", "stall-headers", 0,
     504, "upstream_timeout", 2],
    ["F121 stall-headers, stream", "chat", "stall-headers", 1,
     504, "upstream_first_token_timeout", 0.5],
    ["F121 stall-after-status", "chat", "stall-after-status", 1,
     504, "upstream_first_token_timeout", 0.5],
    ["F122 stall-first-token", "chat", "stall-first-token", 1,
     504, "upstream_first_token_timeout", 0.5],
    ["F122 stall-first-token, document", "messages", "stall-first-token", 0,
     504, "upstream_timeout", 2],
    ["F122 stall-after-open", "chat", "stall-after-open", 1,
     504, "upstream_first_token_timeout", 0.5],
    ["F122 stall-after-open, messages", "messages", "stall-after-open", 1,
     504, "upstream_first_token_timeout", 0.5],
    ["F122 stall-after-open, responses", "responses", "stall-after-open", 1,
     504, "upstream_first_token_timeout", 0.5],
    ["F123 pings-only", "messages", "pings-only", 1,
     504, "upstream_first_token_timeout", 0.5],
    ["F124 stall-mid-stream", "chat", "stall-mid-stream", 1,
     200, "upstream_idle_timeout", 0.4],
    ["F124 stall-mid-stream, messages", "messages", "stall-mid-stream", 1,
     200, "upstream_idle_timeout", 0.4],
    ["F124 stall-mid-stream, gemini", "gemini", "stall-mid-stream", 1,
     200, "upstream_idle_timeout|504", 0.4],
    ["F134 infinite", "chat", "infinite", 1,
     200, "upstream_timeout", 2],
    ["F134 slow-drip, document", "chat", "slow-drip:n:9:d:0.35", 0,
     200, "", 0],
);

my @open = map {
    [ask($ng, $_->[1], "fault-$_->[2]", stream => $_->[3], open => 1), $_]
} @cases;

for my $o (sort { $a->[1][6] <=> $b->[1][6] } @open) {
    my ($c, $case) = @$o;
    my ($name, $surface, $fault, $stream, $status, $code, $after) = @$case;
    next if $code eq "";

    my $r = $c->response;
    my $took = $r->{took};

    ok($r->{status} == $status && $r->error =~ /\A(?:$code|$status)\z/,
       $name) or diag("$r->{status} " . substr $r->{body}, -400);
    ok($r->{complete}, "$name: the framing is whole");
    cmp_ok($took, ">", $after - 0.1, "$name: not early");
    stream_broken($r, $code, "$name: visible") if $status == 200;
}

ok(wait_for("client_closed=" . (@cases - 1) . "&timeout=3"),
   "F121 the provider sees that we have left, in each case");

my @late = grep { $_->{client_closed} && $_->{fault} =~ /stall|pings/
                  && $_->{closed_after} > ($_->{stream} ? 1 : 2.5) }
           requests();
is(scalar(@late), 0, "F121 soon after the timeout")
    or diag(json([map { [@$_{qw(fault closed_after)}] } @late]));


# slow is not dead

my $r = ask($ng, "chat", "fault-slow-drip:n:5:d:0.3", stream => 1);
good($r, "F125 slow-drip", " w0 w1 w2 w3 w4");
$r = ask($ng, "chat", "fault-slow-first-token:first:0.4", stream => 1);
good($r, "F125 slow-first-token");

my $c = ask($ng, "chat", "fault-slow-drip:n:6:d:0.2", stream => 1,
            open => 1);
my @at;

for my $i (0 .. 5) {
    $c->until(qr/ w$i"/, 3) or last;
    push @at, time;
}

$c->close;
my @gaps = map { $at[$_] - $at[$_ - 1] } 1 .. $#at;
is(scalar(@gaps), 5, "F125 every token comes");
is(scalar(grep { $_ < 0.1 || $_ > 0.3 } @gaps), 0,
   "F125 when the provider sends it") or diag("@gaps");


# after the end nothing is waited for

my $timeouts = () = error_log($ng) =~ /timed out/g;

for my $surface (qw(chat messages)) {
    my $r = ask($ng, $surface, "fault-done-then-hang", stream => 1);
    good($r, "F126 done-then-hang, $surface");
    cmp_ok($r->{took}, "<", 0.3, "F126 the client's ends at once, $surface");
}

sleep 0.3;
is(scalar(() = error_log($ng) =~ /timed out/g), $timeouts,
   "F126 and that is no timeout");

$r = ask($ng, "chat", "fault-stall-before-done", stream => 1);
is($r->text, text(), "F126 stall-before-done: the text is whole");
ok($r->{complete} && $r->{took} < 1.5, "F126 and the stream ends");


# back-pressure

fake_reset();
$ng->stop;
$ng = nginx(dialects(idle_timeout => "500ms", first_token_timeout => "1s"));

$c = AITest::Client->new($ng->{port}, rcvbuf => 4096);
$c->request("POST", "/oai/v1/chat/completions",
            body_of("fault-flood", stream => 1));
$c->until(qr/xxxx/);

my $last = -1;

for (1 .. 40) {
    sleep 0.1;
    my $sent = last_request()->{bytes_sent};
    last if $sent == $last;
    $last = $sent;
}

sleep 0.8;
is(last_request()->{bytes_sent}, $last,
   "F132 a client that does not read stops the provider");
cmp_ok($last, "<", 32 << 20, "F132 within what sockets buffer");
ok(!last_request()->{client_closed},
   "F132 the provider is not blamed for it: no idle timeout");

my $before = length $c->{buf};
my $end = time + 3;
while (length $c->{buf} < $last && time < $end) {
    $c->fill(time + 1) or last;
}
cmp_ok(length $c->{buf}, ">", $before, "F132 it goes on when the client does");
$c->close;
aborted("F129 and ends when it leaves");

finish();

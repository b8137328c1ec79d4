#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# What must hold after any mix of requests: reliability.md 6, laws 1 and 4;
# P278 in small.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep time);


my $ng = nginx(dialects(first_token_timeout => "400ms", timeout => "900ms",
                        idle_timeout => "400ms", keepalive => 8),
               workers => 2, server => "client_body_buffer_size 4k;");

my @faults = qw(ok ok ok echo status-429 status-500 status-503 502-html
    reset-before-headers close-before-headers reset-after-headers
    close-midstream reset-midstream error-first error-mid missing-done
    missing-finish empty-stream done-then-hang keepalive-close
    keepalive-reset-on-reuse keepalive-408-on-reuse extra-response
    connection-close http10 chunk-1byte chunk-bad-size cl-short
    200-invalid-json 200-html gzip-ok gzip-invalid sse-1byte sse-crlf
    sse-split-utf8 sse-invalid-event stall-headers stall-mid-stream
    tool-call usage-missing json-for-sse early-hints slow-drip:n:4:d:0.01
    byte-by-byte redirect-307 echo-key-401 x-accel-redirect);

srand 20261122;

my ($n, $left, $crossed) = (0, 0, 0);
my %answers;
my ($fds, $memory);

sub resident {
    my $sum = 0;

    for my $pid ($ng->workers) {
        AITest::slurp("/proc/$pid/status") =~ /VmRSS:\s+(\d+)/
            and $sum += $1;
    }

    return $sum;
}


sub descriptors {
    my $sum = 0;
    $sum += () = glob "/proc/$_/fd/*" for $ng->workers;
    return $sum;
}


for my $round (1 .. 24) {
    my @open;

    for (1 .. 25) {
        my $fault = $faults[int rand @faults];
        my $surface = (qw(chat messages gemini responses))[int rand 4];
        my $id = sprintf "id-%06d", ++$n;
        my $text = $id . "x" x (rand() < 0.1 ? 20000 : 10);

        push @open, [ask($ng, $surface, "fault-$fault", text => $text,
                         stream => int rand 2, open => 1), $text, $fault];
    }

    for my $o (@open) {
        my ($c, $text, $fault) = @$o;

        if (rand() < 0.1) {
            $c->close(rand() < 0.5);
            $left++;
            next;
        }

        my $r = $c->response(5);
        $c->close;
        $answers{$r->{status}}++;
        $crossed++ if $r->{body} =~ /(id-\d{6})/ && index($text, $1) != 0;
    }

    if ($round == 12) {
        wait_for("idle=1&timeout=5");
        $fds = descriptors();
        $memory = resident();
    }
}

ok(!$answers{0}, "every request that waits is answered")
    or diag(json(\%answers));
is($crossed, 0, "B34 each with its own answer");
ok(wait_for("idle=1&timeout=5"), "F129 nothing is left open")
    or diag(json([grep { !$_->{done} } requests()]));

for (1 .. 100) {
    last if @{[log_lines($ng)]} >= $n;
    sleep 0.05;
}

my @lines = log_lines($ng);
is(scalar(@lines), $n, "M243 one line of the log for each request");
is(scalar(grep { !ref } @lines), 0, "M240 each is JSON");

# law 1: what the provider got is what the log tells, but for requests that
# were sent again because a kept connection was dead

my $attempts = 0;
$attempts += $_->{attempts} for @lines;
my $got = stats()->{requests};
my $again = () = error_log($ng) =~ /sent on a fresh one/g;

ok($got <= $attempts + $again && $got >= $attempts - $left,
   "law 1: requests of the provider are the attempts of the log")
    or diag("$got got, $attempts logged, $again replayed, $left left");

my $unsettled = grep { !$_->{outcome} } @lines;
is($unsettled, 0, "every request is settled");

my %outcomes;
$outcomes{$_->{outcome}}++ for @lines;
cmp_ok($outcomes{ok}, ">", $n / 4, "most of what can succeed does")
    or diag(json(\%outcomes));

# law 4: the key is nowhere but at the provider

my $sinks = AITest::slurp("$ng->{prefix}/access.log") . error_log($ng);
unlike($sinks, qr/CANARY/, "law 4: no secret in a log");

cmp_ok(descriptors(), "<=", $fds + 16, "P278 no descriptors are lost");

SKIP: {
    skip "sanitizers keep what is freed", 1 if AITest::sanitized();
    cmp_ok(resident() - $memory, "<", 1024, "P278 nor memory (KB)");
}

my $answer = ask($ng, "chat", "m");
good($answer, "P278 and it still works");

finish();

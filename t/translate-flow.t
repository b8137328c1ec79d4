#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Translated answers as they flow: nothing is held back, a slow client slows
# the provider down, one that leaves ends the request, memory stays flat, a
# connection is used again, and a reload cuts nothing.

use strict;
use warnings;

use AITest;
use AITest::Hub;
use Test::More;
use Time::HiRes qw(sleep time);


my $ng = nginx(hub(idle_timeout => "3s", first_token_timeout => "500ms"));


sub memory {
    my ($pid) = $ng->workers;
    return slurp("/proc/$pid/status") =~ /VmRSS:\s+(\d+)/ ? $1 : 0;
}


# each event as it comes

for my $case (["messages", "openai"], ["chat", "anthropic"],
              ["responses", "gemini"], ["gemini", "bedrock"],
              ["cohere", "ollama"], ["converse", "cohere"],
              ["chat", "responses"])
{
    my ($surface, $target) = @$case;
    my $name = "$surface to $target";
    my $c = ask_as($ng, $surface, $target, "fault-slow-drip:n:4:ms:200",
                   stream => 1, open => 1);

    ok($c->until(qr/ w0/, 2), "$name: the first event");
    unlike($c->{buf}, qr/ w1/, "$name: alone");
    my $start = time;
    ok($c->until(qr/ w2/, 2), "$name: the third one");
    unlike($c->{buf}, qr/ w3/, "$name: before the next");
    cmp_ok(time - $start, ">", 0.25, "$name: when it came");

    my $a = answer_of($surface, $c->response);
    is($a->{text}, " w0 w1 w2 w3", "$name: all");
    next_log($ng);
    $c->close;
}


# clients that leave

for my $case (["messages", "openai"], ["chat", "anthropic"],
              ["responses", "openai"], ["gemini", "bedrock"],
              ["cohere", "ollama"], ["converse", "gemini"])
{
    my ($surface, $target) = @$case;

    for my $phase (["infinite", 1, qr/xxxx|" w\d/], ["flood", 1, qr/xxxx/],
                   ["stall-first-token", 1], ["stall-headers", 0],
                   ["stall-mid-stream", 1], ["stall-mid-stream", 0])
    {
        my ($fault, $stream, $wait) = @$phase;
        my $name = "$surface to $target, $fault, stream $stream";

        fake_reset();
        my $c = ask_as($ng, $surface, $target, "fault-$fault",
                       stream => $stream, open => 1);

        wait_for("requests=1&timeout=2");
        $wait ? $c->until($wait, 2) : sleep 0.05;
        $c->close(1);
        aborted($name);
        is(next_log($ng)->{outcome}, "client_abort", "$name: the log");
    }
}


# silence

for my $target (qw(anthropic bedrock ollama gemini)) {
    my $r = ask_as($ng, "chat", $target, "fault-stall-first-token",
                   stream => 1);
    failed_with($r, 504, "upstream_first_token_timeout",
                "no first token from $target");
    next_log($ng);
}


# a client that does not read

for my $case (["messages", "openai"], ["converse", "anthropic"],
              ["chat", "bedrock"])
{
    my ($surface, $target) = @$case;

    fake_reset();
    my $before = memory();
    my $c = ask_as($ng, $surface, $target, "fault-flood", stream => 1,
                   open => 1);
    $c->until(qr/xxxx/, 3);
    sleep 0.5;
    my $sent = last_request()->{bytes_sent};
    sleep 0.7;
    my $later = last_request()->{bytes_sent};

    is($later, $sent, "$surface to $target: the provider has to wait");
    cmp_ok(memory() - $before, "<", 12000,
           "$surface to $target: nothing is piled up") unless
               AITest::sanitized();

    my $got = length $c->{buf};
    for (1 .. 40) { $c->fill(time + 1) }
    cmp_ok(length $c->{buf}, ">", $got + 100000,
           "$surface to $target: it goes on with its reader");
    $c->close(1);
    aborted("$surface to $target: and ends with it");
    is(next_log($ng)->{outcome}, "client_abort", "which is logged");
}


# memory of a long stream

for my $case (["messages", "openai"], ["responses", "anthropic"],
              ["converse", "gemini"], ["chat", "cohere"])
{
    my ($surface, $target) = @$case;
    my $before = memory();
    my $r = ask_as($ng, $surface, $target, "fault-sse-many-events:n:20000",
                   stream => 1, seconds => 60);
    my $a = answer_of($surface, $r);

    is(length $a->{text}, length join("", map { " w$_" } 0 .. 19999),
       "$surface to $target: 20000 events");
    ok($a->{ended}, "$surface to $target: complete");
    cmp_ok(memory() - $before, "<", $surface eq "responses" ? 9000 : 4000,
           "$surface to $target: memory") unless AITest::sanitized();
    next_log($ng);
}


# connections are kept: of streams, too, whose end mark is the framing's

for my $target (targets()) {
    fake_reset();
    for (0 .. 5) {
        ask_as($ng, "chat", $target, "fault-ok", stream => $_ % 2);
        sleep 0.05;
    }
    next_log($ng) for 0 .. 5;

    my %conns = map { $_->{conn} => 1 } requests();
    is(scalar(keys %conns), 1, "one connection to $target");
}


# a reload in the middle

my $c = ask_as($ng, "messages", "openai", "fault-slow-drip:n:6:ms:150",
               stream => 1, open => 1);
$c->until(qr/w0/, 2);
$ng->reload;
my $a = answer_of("messages", $c->response);
is($a->{text}, " w0 w1 w2 w3 w4 w5", "a reload in the middle");
ok($a->{ended}, "complete");
$c->close;

finish();

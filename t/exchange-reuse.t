#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Connections that are used again, and those that must not be: reliability.md
# B31 to B36, and the requests of many clients at once.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep);


my %base = (endpoint => "http://127.0.0.1:" . port("main") . "/v1",
            first_token_timeout => "2s");

my $ng = nginx(routes(one => { %base },
                      two => { %base },
                      three => { %base, keepalive => 0 },
                      four => { endpoint => "http://pool/v1" },
                      five => { %base, keepalive_requests => 3 },
                      six => { %base, keepalive_timeout => "200ms" }),
               main => "", server => "client_body_buffer_size 16k;");


sub to {
    my ($name, $model, %opt) = @_;
    return chat($ng, $model || "m", path => "/$name/v1/chat/completions",
                %opt);
}


sub conns {
    my %seen = map { $_->{conn} => 1 } requests();
    return scalar keys %seen;
}


sub fresh { fake_reset() }


fresh();
good(to("one"), "B31 a document over a kept connection") for 1 .. 3;
good(to("one", "m", stream => 1), "B31 a stream over it") for 1 .. 2;
is(conns(), 1, "B31 one connection is enough");

good(to("two"), "B35 another provider at the same address");
is(conns(), 2, "B35 has connections of its own");

good(to("three"), "B36 keepalive 0") for 1 .. 2;
is(conns(), 4, "B36 keeps none");

fresh();
good(to("five"), "B36 keepalive_requests") for 1 .. 4;
is(conns(), 2, "B36 limits the use of a connection");

fresh();
good(to("six"), "B36 keepalive_timeout");
ok(!wait_for("connections=0&timeout=0.05")
   || stats()->{open_connections} >= 0, "B36 the connection is kept");
sleep 0.5;
my ($six) = requests();
good(to("six"), "B36 and closed in time");
is(conns(), 2, "B36 a new one is opened");


# dead connections: a POST goes once more, on a fresh one

for my $fault (qw(keepalive-reset-on-reuse keepalive-close-on-reuse
                  keepalive-408-on-reuse))
{
    for my $size (10, 200000) {
        fresh();

        my $text = "z" x $size;
        my $bad = 0;

        for my $i (1 .. 12) {
            my $r = to("one", "fault-$fault", text => $text,
                       stream => $i % 2);
            $bad++, diag("$r->{status} $r->{body}")
                if $r->{status} != 200 || $r->text ne text();
        }

        is($bad, 0, "B31 $fault, body of $size bytes: always 200");

        my @seen = requests();
        my %sums = map { $_->{body_sha256} || "cut" => 1 } @seen;

        ok(@seen > 12, "B31 $fault: dead connections were met")
            or diag(scalar @seen);
        is(scalar(grep { $_->{status} } grep { $_->{conn_req} > 1 } @seen)
           - ($fault =~ /408/ ? scalar(grep { ($_->{status} || 0) == 408 }
                                       @seen) : 0),
           0, "B31 $fault: each replay is on a new connection");
        is(scalar(keys %sums), 2, "B31 $fault: with the same bytes");
    }
}

for my $fault (qw(keepalive-close keepalive-close-late)) {
    fresh();
    my $bad = 0;

    for (1 .. 10) {
        my $r = to("one", "fault-$fault:d:0.001");
        $bad++ if $r->{status} != 200;
    }

    is($bad, 0, "B31 $fault: always 200");
}

fresh();
good(to("one", "fault-keepalive-408:d:0.02"), "B32 an answer, then a 408");
sleep 0.1;
good(to("one"), "B32 the 408 is not the answer of the next request");
is(scalar(grep { $_->{status} == 200 } requests()), 2, "B32 two were sent");

fresh();
good(to("one", "m"), "B31 a connection");
my $r = to("one", "fault-keepalive-partial-on-reuse");
is($r->{status}, 502, "B31 no replay once a byte of the answer has come");
is(scalar(requests()), 2, "B31 it was sent once");

fresh();
$r = to("one", "fault-reset-before-headers");
is($r->{status}, 502, "B25 a fresh connection that resets is not replayed");
is(scalar(requests()), 1, "B25 it was sent once");


# answers that nobody asked for

for my $fault (qw(extra-response extra-response-late)) {
    fresh();

    for my $stream (0, 1) {
        my $r = to("one", "fault-$fault", stream => $stream);
        ok($r->{status} == 502 || $r->text eq text(),
           "B33 $fault: the answer or none");
        unlike($r->{body}, qr/INJECTED/, "B33 the second one is cut off");
        sleep 0.06;

        for (1 .. 3) {
            my $r = to("one");
            good($r, "B33 after $fault the next gets its own");
            unlike($r->{body}, qr/INJECTED/, "B33 never the second one");
        }
    }

    my %bad = map { $_->{conn} => $_->{id} }
              grep { $_->{fault} =~ /extra/ } requests();
    my @after = grep { ($bad{$_->{conn}} || 1e9) < $_->{id} } requests();
    is(scalar(@after), 0, "B33 its connection is not used again");
}

for my $fault (qw(connection-close http10 done-then-hang chunk-no-last
                  data-after-done))
{
    fresh();
    to("one", "fault-$fault", stream => 1);
    good(to("one"), "B36 after $fault");
    my @seen = requests();

    if ($fault eq "data-after-done") {
        pass("B36 $fault may keep its connection");
        next;
    }

    isnt($seen[0]{conn}, $seen[1]{conn}, "B36 $fault: not kept");
}


# many at once: every answer is that of its own request

fresh();

my ($crossed, $answered, $n) = (0, 0, 0);
my @faults = qw(status-503 reset-before-headers 200-invalid-json
                keepalive-close extra-response close-midstream);

for my $round (1 .. 12) {
    my @open;

    for my $i (1 .. 25) {
        my $id = sprintf "unique-%05d-%02d", ++$n, $i;
        my $stream = $n % 2;
        my $model = $n % 5 == 0 ? "fault-" . $faults[$n / 5 % @faults]
                                : "fault-echo";
        my $c = to("one", $model, text => $id, stream => $stream,
                   open => 1);
        push @open, [$c, $id, $model];
    }

    for my $o (@open) {
        my ($c, $id, $model) = @$o;
        my $r = $c->response;
        $c->close;

        $answered++ if $model eq "fault-echo" && $r->text eq $id;
        $crossed++ while $r->{body} =~ /(unique-\d+-\d+)/g && $1 ne $id;
    }
}

is($crossed, 0, "B34 no answer has bytes of another request");
is($answered, $n - int($n / 5), "B34 every good one is answered");


# an upstream{} by its name

finish();

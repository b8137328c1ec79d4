#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Clients that speak HTTP/2: reliability.md H158 to H160.

use strict;
use warnings;

use AITest;
use AITest::H2;
use Test::More;
use Time::HiRes qw(sleep time);


plan skip_all => "nginx is built without HTTP/2"
    unless AITest::built_with("http_v2_module");

my $port = AITest::free_port();
my $ng = nginx(dialects(), server => "listen 127.0.0.1:$port http2;
                                      keepalive_requests 100000;");
my $path = "/oai/v1/chat/completions";


sub all_log {
    my ($n) = @_;
    logged($ng, $n);
    return log_lines($ng);
}


my $h = AITest::H2->new($port);

for my $stream (0, 1) {
    my $id = $h->request($path, body_of("fault-echo", text => "over h2",
                                        stream => $stream));
    good($h->response($id), "HTTP/2, stream $stream", "over h2");
}

my $long = body_of("m", text => "y" x 300000);
good($h->response($h->request($path, $long)), "HTTP/2, a large body");
is(last_request()->{body_len}, length $long, "it arrives whole");

my $r = $h->response($h->request($path, "{"));
is("$r->{status} " . $r->error, "400 invalid_json", "an error");

$r = $h->response($h->request("/ant/v1/messages",
     body_of("fault-close-midstream", stream => 1,
             more => { max_tokens => 1 })));
stream_broken($r, "upstream_(truncated|reset)", "F128 a stream that breaks");


# many streams on one connection

fake_reset();

my @ids = map { $h->request($path, body_of("fault-slow-drip:n:20:d:0.02",
                                           stream => 1)) } 1 .. 60;
my $want = join "", map { " w$_" } 0 .. 19;
my $whole = grep { $h->response($_)->text eq $want } @ids;
is($whole, 60, "H160 60 streams on one connection");

# each aborts its own only

fake_reset();
@ids = map { $h->request($path, body_of("fault-slow-drip:n:20:d:0.04",
                                        stream => 1)) } 1 .. 40;
$h->run(sub { $_[0]{streams}{$ids[-1]}{body} =~ / w2"/ });
$h->reset($ids[$_]) for grep { $_ % 2 } 0 .. $#ids;
aborted("H160 the provider sees each of those that are reset", 20);
$whole = grep { $h->response($ids[$_])->text eq $want }
         grep { $_ % 2 == 0 } 0 .. $#ids;
is($whole, 20, "H160 the others go on");

# a stream that may not be sent: its window is empty

fake_reset();
my $narrow = AITest::H2->new($port, window => 1000);
my $id = $narrow->request($path, body_of("fault-flood", stream => 1));
$narrow->run(sub { length $_[0]{streams}{$id}{body} >= 1000 }, 3);
sleep 0.3;
my $sent = last_request()->{bytes_sent};
sleep 0.5;
is(last_request()->{bytes_sent}, $sent, "H159 an empty window stops it");
cmp_ok($sent, "<", 16 << 20, "H159 with little in between");
$narrow->window($id, 500000);
$narrow->run(sub { length $_[0]{streams}{$id}{body} >= 400000 }, 5);
cmp_ok(length $narrow->{streams}{$id}{body}, ">=", 400000,
       "H159 an open one lets it go on");
$narrow->close;
aborted("H160 the connection goes, and its streams");


# rapid reset

fake_reset();
my $before = () = AITest::slurp("$ng->{prefix}/access.log") =~ /\n/g;
my $body = body_of("fault-infinite", stream => 1);
my $rapid = 0;

for my $round (1 .. 8) {
    my $h = AITest::H2->new($port);

    for (1 .. 125) {
        my $id = $h->request($path, $body, hold => 1,
                             head => $_ % 3 == 0);
        $h->reset($id, hold => 1);
        $rapid++;
    }

    # by turns all at once, or each a moment after its request

    if ($round % 2) {
        $h->flush;

    } else {
        for my $frames (splice @{$h->{held}}) {
            push @{$h->{held}}, $frames;
            $h->flush;
            sleep 0.0005;
        }
    }

    $h->run(sub { 0 }, 0.05);
    $h->close($round % 2);
}

ok(wait_for("idle=1&timeout=5"), "H158 after $rapid rapid resets"
   . " nothing is left open") or diag(json(stats()));
my $sent_on = stats()->{requests} || 0;
ok($sent_on > 0 && $sent_on <= $rapid,
   "H158 some were sent on, none of them twice") or diag($sent_on);
good($h->response($h->request($path, body_of("m"))),
     "H158 and others are served");
$h->close;

my @lines = all_log($before + 1);
is(scalar(grep { !ref } @lines), 0, "H158 each logged line is JSON");

finish();

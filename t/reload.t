#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Reload, quit, crash: reliability.md N251 to N262.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep time);


# each worker has a socket of its own there, so that both get connections

my $shared = AITest::free_port();
my %conf = (dialects(), workers => 2,
            server => "listen 127.0.0.1:$shared reuseport;");
my $ng = nginx(%conf);


# streams outlive reloads

my @open = map { ask($ng, $_ % 2 ? "chat" : "messages",
                     "fault-slow-drip:n:20:d:0.07", stream => 1,
                     open => 1) } 1 .. 24;
sleep 0.2;

for (1 .. 4) {
    ok($ng->reload, "N251 a reload");
    good(ask($ng, "chat", "m"), "N251 new requests are answered");
    sleep 0.15;
}

my $want = join "", map { " w$_" } 0 .. 19;
my $whole = grep { my $r = $_->response;
                   $r->{complete} && $r->text eq $want } @open;
is($whole, 24, "N251 no stream was cut");
$_->close for @open;

my $start = time;
sleep 0.05 while $ng->workers > 2 && time - $start < 4;
is(scalar($ng->workers), 2, "N251 the old workers are gone");


# idle connections to providers do not hold an old worker

ask($ng, "chat", "m") for 1 .. 4;
$ng->reload;
$start = time;
sleep 0.05 while $ng->workers > 2 && time - $start < 4;
is(scalar($ng->workers), 2, "N255 kept connections do not hold a worker");
cmp_ok(time - $start, "<", 2, "N255 for long");


# a bad configuration leaves the old one in place

my $good = AITest::slurp($ng->{conf});
my $c = ask($ng, "chat", "fault-slow-drip:n:10:d:0.05", stream => 1,
            open => 1);

(my $bad = $good) =~ s/ai_gateway on/ai_gateway maybe/;
spew($ng->{conf}, $bad);
$ng->signal("HUP");
ok($ng->wait_log(qr/invalid value "maybe"/), "N253 a bad one is told");
good(ask($ng, "chat", "m"), "N253 the old configuration goes on");

($bad = $good) =~ s{key file:\S+}{key file:/no/such/file;};
spew($ng->{conf}, $bad);
$ng->signal("HUP");
ok($ng->wait_log(qr{/no/such/file}), "N253 a missing key file is told");
good(ask($ng, "chat", "m"), "N253 the old configuration goes on");
spew($ng->{conf}, $good);
is($c->response->text, join("", map { " w$_" } 0 .. 9),
   "N253 streams too");
$ng->{allow} = [qr/\[emerg\].*(?:"maybe"|no\/such\/file|failed)/];


# the end of patience

$ng->reload(%conf, main => "worker_shutdown_timeout 500ms;");
sleep 0.2;
my ($old) = $ng->workers;
$c = ask($ng, "chat", "fault-infinite", stream => 1, open => 1);
$c->until(qr/xxxx/);
fake_reset();
$start = time;
$ng->reload;
my $r = $c->response(4);
ok(time - $start < 2.5, "N252 worker_shutdown_timeout ends a stream");
ok(!$r->{complete} || length $r->error, "N252 visibly");
sleep 0.2;
is(stats()->{in_flight}, 0, "N252 and the provider's side");


# a worker dies

my @pids = $ng->workers;
@open = map { ask({ port => $shared }, "chat",
                  "fault-slow-drip:n:10:d:0.1", stream => 1, open => 1) }
        1 .. 24;
sleep 0.3;
kill KILL => $pids[0];
my ($kept, $cut) = (0, 0);
for (@open) {
    my $r = $_->response;
    $r->{complete} && $r->text =~ /w9\z/ ? $kept++ : $cut++;
}
cmp_ok($kept, ">", 0, "N256 a dead worker takes its own requests only");
cmp_ok($cut, ">", 0, "N256 which are cut visibly");
is($kept + $cut, 24, "N256 and nobody waits for ever");
good(ask($ng, "chat", "m"), "N256 a new worker answers") for 1 .. 3;
push @{$ng->{allow}}, qr/worker process \d+ exited on signal 9/;


# quit drains, stop does not

fake_reset();
$c = ask($ng, "chat", "fault-slow-drip:n:10:d:0.05", stream => 1,
         open => 1);
$c->until(qr/ w0"/);
$ng->signal("QUIT");
is($c->response->text, join("", map { " w$_" } 0 .. 9),
   "N255 QUIT lets a stream end");
$start = time;
$ng->stop;
cmp_ok(time - $start, "<", 1.5, "N255 then nginx ends at once");

my $ng2 = nginx(dialects());
ask($ng2, "chat", "m");
$c = ask($ng2, "chat", "fault-infinite", stream => 1, open => 1);
$c->until(qr/xxxx/);
$ng2->signal("TERM");
$start = time;
$c->response(3);
$ng2->stop;
cmp_ok(time - $start, "<", 2, "N255 TERM ends a stream and nginx");

finish();

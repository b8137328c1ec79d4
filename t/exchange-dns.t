#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Names of providers that change, fail, lie: reliability.md A16 to A22.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep time);


my @labels = qw(ok nx servfail refused empty timeout slow flip multi
                dead-first all-dead truncated garbage wrongid cname-loop many);

my ($main, $dns) = (port("main"), port("dns"));

my %conf = routes(map({ $_ => { endpoint => "http://$_.invalid:$main/v1",
                                connect_timeout => "900ms",
                                keepalive => 0 } }
                      @labels, qw(rebind metadata)),
                  map({ ("public-$_") =>
                        { endpoint => "http://$_.invalid:$main/v1",
                          private_addresses => "off" } }
                      qw(ok multi private)));

my $ng = nginx(%conf, server =>
               "resolver 127.0.0.1:$dns ipv6=off; resolver_timeout 700ms;");


sub to {
    my ($name, %opt) = @_;
    return chat($ng, "m", path => "/$name/v1/chat/completions", %opt);
}


good(to("ok"), "A16 a name");
is((grep { $_->[0] eq "host" } @{last_request()->{headers}})[0][1],
   "ok.invalid:$main", "A16 Host is the name of the endpoint");

for my $name (qw(nx servfail refused empty)) {
    my $r = to($name);
    failed_with($r, 502, "upstream_dns", "A16 dns $name");
    cmp_ok($r->{took}, "<", 1.2, "A16 within the resolver timeout, $name");
}

# a name does not lead where a provider cannot be

fake_reset();

for my $name (qw(metadata rebind public-ok public-multi public-private)) {
    failed_with(to($name), 502, "upstream_dns", "A21 dns $name");
}

like(error_log($ng), qr/"metadata.invalid" leads to addresses that are not/,
     "A21 the log says so");
is(scalar(requests()), 0, "A21 nothing is sent");

my $c = to("timeout", open => 1);
my $start = time;

good(to("ok"), "A17 others are served while a name is asked for");
cmp_ok(time - $start, "<", 0.4, "A17 at once");
failed_with($c->response, 502, "upstream_dns", "A17 dns timeout");
good(to("slow"), "A17 a slow answer");

$c = to("timeout", open => 1);
sleep 0.1;
$c->close;
good(to("ok"), "F130 a client may leave while a name is asked for");

SKIP: {
    my $probe = IO::Socket::INET->new(PeerAddr => "127.0.0.2",
                                      PeerPort => $main)
        or skip "no second loopback address", 4;

    good(to("flip"), "A18 an address");
    is(last_request()->{listener}, "main", "A18 the first one");
    counter(dns_flip => 1);
    sleep 2.1;
    good(to("flip"), "A18 the name moves");
    is(last_request()->{listener}, "main\@127.0.0.2",
       "A18 the new address is used after its TTL without a reload");
}

good(to("multi"), "A19 several addresses");
good(to("dead-first"), "A19 the first address is dead") for 1 .. 4;
failed_with(to("all-dead"), 502, "upstream_connect",
            "A19 all addresses are dead");
good(to("many"), "A22 thirty addresses");

for my $name (qw(truncated garbage wrongid cname-loop)) {
    failed_with(to($name), 502, "upstream_dns", "A22 dns $name");
}

finish();

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Endpoints that are an upstream{}, a socket, or https with a name; queries
# and headers of providers.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep);


my $unix = workdir() . "/fake.sock";
fake(unix => $unix, tls => 1);
chmod 0777, $unix;

my ($main, $second, $refused) = (port("main"), port("second"),
                                 port("refused"));
my $ca = workdir() . "/certs/ca.crt";

my %conf = routes(
    pool => { endpoint => "http://pool/v1" },
    half => { endpoint => "http://half/v1" },
    none => { endpoint => "http://none/v1" },
    kept => { endpoint => "http://kept/v1" },
    safe => { endpoint => "https://safe/v1", ssl_name => "prov.test",
              ssl_trusted_certificate => $ca },
    unsafe => { endpoint => "https://unsafe/v1", ssl_name => "prov.test",
                ssl_trusted_certificate => $ca },
    sock => { endpoint => "http://unix:$unix:/v1" },
    more => { endpoint => "http://127.0.0.1:$main/deep/base/v1",
              header => "X-Team blue", query => "api-version 2025-01-01" },
    bare => { endpoint => "http://127.0.0.1:$main" },
    nokey => { endpoint => "http://127.0.0.1:$main/v1", key => "none" },
    hdr => { endpoint => "http://127.0.0.1:$main/v1", auth => "api-key" },
);

$conf{http} = <<"END" . $conf{http};
    upstream pool { least_conn; server 127.0.0.1:$main;
                    server 127.0.0.1:$second; }
    upstream half { server 127.0.0.1:$refused; server 127.0.0.1:$main; }
    upstream none { server 127.0.0.1:$refused; }
    upstream kept { server 127.0.0.1:$main; keepalive 4; }
    upstream safe { server 127.0.0.1:@{[port("tls")]}; keepalive 4; }
    upstream unsafe { server 127.0.0.1:@{[port("tls-unknownca")]}; }
END

my $ng = nginx(%conf, format => '$ai_log $upstream_addr $upstream_status');


sub to {
    my ($name, $model, %opt) = @_;
    return chat($ng, $model || "m", path => "/$name/v1/chat/completions",
                %opt);
}


sub headers { return map { @$_ } @{last_request()->{headers}} }


my %seen;

for (1 .. 6) {
    good(to("pool"), "an upstream{}");
    $seen{last_request()->{listener}}++;
}

is_deeply(\%seen, { main => 3, second => 3 }, "its servers take turns");
my %h = headers();
is($h{host}, "pool", "Host is the name in the endpoint");

good(to("half", undef, stream => $_ % 2), "A19 a dead server is passed over")
    for 1 .. 6;
failed_with(to("none"), 502, "upstream_connect", "A1 no server is alive");
failed_with(to("none"), 502, "upstream_connect", "A1 nor later");

fake_reset();
good(to("kept", undef, stream => $_ % 2), "keepalive of nginx") for 1 .. 4;
is(scalar(keys %{{ map { $_->{conn} => 1 } requests() }}), 1,
   "one connection carried them");

fake_reset();
my $bad = 0;
for (1 .. 10) {
    my $r = to("kept", "fault-keepalive-close-on-reuse");
    $bad++ if $r->{status} != 200;
}
is($bad, 0, "B31 dead connections of an upstream{}, too");

fake_reset();
my $r = to("kept", "fault-extra-response");
unlike($r->{body}, qr/INJECTED/, "B33 a second response of an upstream{}");
good(to("kept"), "B33 the next is its own");

fake_reset();
for (1 .. 3) {
    good(to("safe", undef, stream => $_ % 2), "TLS to an upstream{}");

    # the client has all of it a moment before the connection is kept

    sleep 0.2;
}

is(last_request()->{tls}{sni}, "prov.test", "its SNI");
is(scalar(keys %{{ map { $_->{conn} => 1 } requests() }}), 1,
   "one connection carried them");
failed_with(to("unsafe"), 502, "upstream_tls",
            "A8 a certificate of an upstream{} is verified");

good(to("sock"), "a socket of the file system");
is(last_request()->{listener}, "unix", "it is");

to("more");
%h = headers();
is(last_request()->{target},
   "/deep/base/v1/chat/completions?api-version=2025-01-01",
   "a base path, and a query");
is($h{"x-team"}, "blue", "a header");

to("bare");
is(last_request()->{path}, "/v1/chat/completions",
   "an endpoint without a path has that of its dialect");

to("nokey");
%h = headers();
is($h{authorization}, undef, "key none");

to("hdr");
%h = headers();
is($h{"api-key"}, secret(), "auth api-key");
is($h{authorization}, undef, "and no other");

finish();

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# TLS to a provider: reliability.md A6 to A15.

use strict;
use warnings;

use AITest;
use Test::More;


fake(tls => 1);

my $ca = workdir() . "/certs/ca.crt";

# port, then what else the provider says

my %kinds = (
    good => ["tls"],
    sni => ["tls-needs-sni"],
    expired => ["tls-expired"],
    notyet => ["tls-notyet"],
    wronghost => ["tls-wronghost"],
    selfsigned => ["tls-selfsigned"],
    unknownca => ["tls-unknownca"],
    old => ["tls-old"],
    inject => ["tls-inject"],
    plaintext => ["tls-plaintext"],
    stall => ["tls-stall"],
    reset => ["tls-reset"],
    lax => ["tls-unknownca", ssl_verify => "off"],
    default => ["tls", ssl_trusted_certificate => undef],
    fresh => ["tls", keepalive => 0],
    othername => ["tls", ssl_name => "other.test"],
);

my %routes;

for my $name (keys %kinds) {
    my ($port, %more) = @{$kinds{$name}};
    my %opt = (endpoint => "https://127.0.0.1:" . port($port) . "/v1",
               ssl_name => "prov.test", ssl_trusted_certificate => $ca,
               connect_timeout => "400ms", first_token_timeout => "1s",
               %more);

    delete $opt{$_} for grep { !defined $opt{$_} } keys %opt;
    $routes{$name} = \%opt;
}

$routes{localhost} = {
    endpoint => "https://localhost:" . port("tls") . "/v1",
    ssl_trusted_certificate => $ca,
};

my $ng = nginx(routes(%routes));


sub to {
    my ($name, $model, %opt) = @_;
    return chat($ng, $model || "m", path => "/$name/v1/chat/completions", %opt);
}


good(to("good"), "A7 a good certificate");
good(to("good", "m", stream => 1), "A7 a good certificate, stream");
is(last_request()->{tls}{sni}, "prov.test", "A7 SNI is the configured name");
good(to("sni"), "A10 a server that needs SNI");
good(to("localhost"), "A9 the host of the endpoint is verified");
is(last_request()->{tls}{sni}, "localhost", "A9 and sent as SNI");
good(to("lax"), "A8 ssl_verify off is per provider");
like(error_log($ng) . AITest::slurp("$ng->{prefix}/stderr"),
     qr/\[warn\].*ssl_verify.*"lax"|\[warn\].*"lax".*ssl_verify/,
     "A8 and warned of when nginx starts");

fake_reset();

my $failed = 0;

for my $name (qw(expired notyet wronghost selfsigned unknownca old default
                 othername))
{
    my $r = to($name);

    failed_with($r, 502, "upstream_tls", "A6-A11 $name is refused");
    $failed++;
    like(error_log($ng), qr/\[error\].*"$name"/,
         "A6 the error log names the provider $name");
}

is(scalar(requests()), 0, "A6 no request byte was sent");
cmp_ok(stats()->{tls_hellos}, ">=", $failed - 1, "A6 handshakes were tried");
is(json(find_received(AITest::secret())), "[]", "A6 nor the key");

for my $name (qw(inject plaintext)) {
    my $r = to($name);

    failed_with($r, 502, "upstream_tls", "A12 $name");
    unlike($r->{head} . $r->{body}, qr/INJECTED/,
           "A12 plain text never reaches the client, $name");
}

my $r = to("stall");
failed_with($r, 504, "upstream_connect_timeout", "A13 the handshake stalls");
cmp_ok($r->{took}, "<", 1, "A13 the connect timeout covers it");

$r = to("reset");
is($r->{status}, 502, "A13 the handshake is reset");
like($r->error, qr/\Aupstream_(tls|reset|connect)\z/, "A13 and told so");

$r = to("good", "fault-tls-truncated-eof");
is($r->{status}, 502, "A14 cut without close_notify");
like($r->error, qr/\Aupstream_(truncated|invalid)\z/, "A14 and told so");

to("lax");
failed_with(to("unknownca"), 502, "upstream_tls",
            "A15 no session or connection of a provider that trusts more");

fake_reset();
good(to("fresh"), "A15 a session");
good(to("fresh"), "A15 a session again");
my @seen = requests();
isnt($seen[0]{conn}, $seen[1]{conn}, "A15 keepalive 0 keeps no connection");
ok($seen[1]{tls}{resumed}, "A15 the session is resumed");

fake_reset();
good(to("good"), "B31 over a kept TLS connection") for 1 .. 3;
is(scalar(keys %{{ map { $_->{conn} => 1 } requests() }}), 1,
   "B31 one connection carried them");

$r = to("good", "m", text => "x" x 700000);
good($r, "B28 a large body over TLS");
is(last_request()->{body_len}, length(body_of("m", text => "x" x 700000)),
   "B28 arrives whole");

my $c = to("good", "fault-infinite", stream => 1, open => 1);
ok($c->until(qr/xxxx/), "F129 a stream over TLS");
$c->close;
aborted("F129 the provider sees over TLS that the client left");

finish();

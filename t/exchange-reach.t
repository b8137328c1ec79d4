#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Reaching a provider over TCP: reliability.md A.

use strict;
use warnings;

use AITest;
use Test::More;


my %at = map { $_ => "http://127.0.0.1:" . port($_) . "/v1" }
         qw(main refused blackhole accept-stall accept-close accept-reset
            banner);

my %time = (connect_timeout => "300ms", first_token_timeout => "500ms",
            timeout => "900ms");

my $ng = nginx(routes(map { $_ => { %time, endpoint => $at{$_} } } keys %at));


sub to {
    my ($name, $model, %opt) = @_;
    return chat($ng, $model, path => "/$name/v1/chat/completions", %opt);
}


good(to("main", "m"), "A0 a provider answers");

for my $stream (0, 1) {
    my $how = $stream ? "stream" : "document";
    my $r = to("refused", "m", stream => $stream);

    failed_with($r, 502, "upstream_connect", "A1 refused, $how");
    cmp_ok($r->{took}, "<", 0.3, "A1 refused is told at once, $how");

    failed_with(to("accept-close", "m", stream => $stream), 502,
                "upstream_reset", "A4 accepts and closes, $how");
    # the reset may be there before the connect is seen to be done

    failed_with(to("accept-reset", "m", stream => $stream), 502,
                qr/upstream_(reset|connect)/, "A4 accepts and resets, $how");

    $r = to("banner", "m", stream => $stream);
    failed_with($r, 502, "upstream_invalid", "A5 not HTTP, $how");
    unlike($r->{head} . $r->{body}, qr/RAW-LEAK/,
           "A5 no raw byte reaches the client, $how");

    failed_with(to("main", "fault-garbage", stream => $stream), 502,
                "upstream_invalid", "A5 noise, $how");
}

my $c = to("blackhole", "m", open => 1);
my $other = to("main", "m");

good($other, "A2 others are served while a connect waits");
cmp_ok($other->{took}, "<", 0.2, "A2 and not later");

my $r = $c->response;
failed_with($r, 504, "upstream_connect_timeout", "A2 blackhole");
ok($r->{took} > 0.2 && $r->{took} < 1, "A2 by the connect timeout")
    or diag($r->{took});

$r = to("accept-stall", "m", stream => 1);
failed_with($r, 504, "upstream_first_token_timeout",
            "A3 accepts and is silent, stream");
ok($r->{took} > 0.4 && $r->{took} < 0.9, "A3 by the first token timeout")
    or diag($r->{took});

# a document has no first token: the time for all of it counts

$r = to("accept-stall", "m");
failed_with($r, 504, "upstream_timeout", "A3 accepts and is silent");
ok($r->{took} > 0.8 && $r->{took} < 1.5, "A3 by the timeout")
    or diag($r->{took});

$r = to("accept-stall", "m", text => "x" x 9000000);
failed_with($r, 504, "upstream_timeout", "A3 accepts and does not read");

$c = to("blackhole", "m", open => 1);
select undef, undef, undef, 0.1;
$c->close;
good(to("main", "m"), "F130 a client may leave while a connect waits");

my @lines = log_lines($ng);
is(scalar(grep { !defined } @lines), 0, "M243 each log line is JSON");
cmp_ok(scalar(grep { ($_->{error} || "") eq "upstream_connect" } @lines),
       ">=", 2, "A1 the log tells the reason");

finish();

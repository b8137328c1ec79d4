#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# What providers do to HTTP: reliability.md B25 to B51.

use strict;
use warnings;

use AITest;
use Test::More;


my $ng = nginx(dialects(first_token_timeout => "900ms", timeout => "4s",
                        idle_timeout => "900ms"),
               server => "location /internal/secret { internal;
                              return 200 INTERNAL-LEAK; }
                          ai_max_response 2m;");

# row, fault, code expected for a document, for a stream ("" is good; with
# "mid" the stream began and breaks)

my @cases = (
    [25, "reset-before-headers", "upstream_reset", "upstream_reset"],
    [25, "close-before-headers", "upstream_reset", "upstream_reset"],
    [26, "reset-after-status", "upstream_reset", "upstream_reset"],
    [27, "reset-after-headers", "upstream_(reset|truncated)",
     "upstream_(reset|truncated)"],
    [27, "close-after-headers", "upstream_truncated", "upstream_truncated"],
    [36, "connection-close", "", ""],
    [36, "http10", "", ""],
    [37, "byte-by-byte", "", ""],
    [38, "chunk-1byte", "", ""],
    [38, "chunk-ext", "", ""],
    [38, "chunk-trailers", "", ""],
    [39, "early-hints", "", ""],
    [39, "continue-100", "", ""],
    [40, "unsolicited-101", "upstream_invalid", "upstream_invalid"],
    [41, "http09", "upstream_invalid", "upstream_invalid"],
    [41, "bad-status-line", "upstream_invalid", "upstream_invalid"],
    [41, "bad-status-code", "upstream_invalid", "upstream_invalid"],
    [41, "bad-status-digits", "upstream_invalid", "upstream_invalid"],
    [41, "status-999", "upstream_invalid", "upstream_invalid"],
    [42, "cl-and-te", "upstream_invalid", "upstream_invalid"],
    [42, "dup-content-length", "upstream_invalid", "upstream_invalid"],
    [42, "negative-cl", "upstream_invalid", "upstream_invalid"],
    [42, "unknown-te", "upstream_invalid", "upstream_invalid"],
    [43, "chunk-bad-first", "upstream_invalid", "upstream_invalid"],
    [43, "chunk-bad-size", "upstream_invalid", "upstream_invalid"],
    [43, "chunk-huge-size", "upstream_invalid", "upstream_invalid"],
    [43, "chunk-negative", "upstream_invalid", "upstream_invalid"],
    [44, "chunk-truncated", "upstream_truncated", ""],
    [44, "cl-short", "upstream_truncated", undef],
    [44, "eof-truncated", "upstream_(truncated|invalid)", "mid"],
    [44, "chunk-no-last", undef, ""],
    [45, "overflow-cl", "upstream_invalid", "upstream_invalid"],
    [45, "huge-cl", "upstream_(truncated|too_large)", undef],
    [46, "header-flood", "upstream_(invalid|too_large)",
     "upstream_(invalid|too_large)"],
    [46, "huge-header", "upstream_(invalid|too_large)",
     "upstream_(invalid|too_large)"],
    [46, "endless-headers", "upstream_(invalid|too_large)",
     "upstream_(invalid|too_large)"],
    [47, "header-nul", "upstream_invalid", "upstream_invalid"],
    [47, "header-bare-cr", "upstream_invalid", "upstream_invalid"],
    [47, "header-space-colon", "upstream_invalid", "upstream_invalid"],
    [48, "x-accel-redirect", "", ""],
    [49, "x-accel-others", "", ""],
    [50, "leaky-headers", "", ""],
    [51, "hop-headers", "", ""],
);

for my $case (@cases) {
    my ($row, $fault, @want) = @$case;

    for my $stream (0, 1) {
        my $want = $want[$stream];
        next unless defined $want;

        my $r = ask($ng, "chat", "fault-$fault", stream => $stream);
        my $name = "B$row $fault, " . ($stream ? "stream" : "document");

        if ($want eq "") {
            good($r, $name);

        } elsif ($want eq "mid") {
            stream_broken($r, "upstream_(truncated|reset|invalid)", $name);

        } else {
            my $passed = $r->{status} == 502 && $r->{complete}
                         && $r->error =~ /\A(?:$want)\z/;
            ok($passed, $name)
                or diag("$r->{status} $r->{body}");
        }

        unlike(($r->{head} || "") . $r->{body},
               qr/LEAK|INJECTED|^(?i:x-accel-(?!buffering)|x-hop)/m,
               "$name: nothing leaks");
    }
}

# either is right, but never half of the truth

for my $fault (qw(header-no-colon header-lf-only header-obs-fold)) {
    my $r = ask($ng, "chat", "fault-$fault");
    ok($r->{status} == 502 && $r->error eq "upstream_invalid"
       || $r->text eq text(), "B47 $fault: refused or read rightly")
        or diag("$r->{status} $r->{body}");
    unlike($r->{head} . $r->{body}, qr/LEAK/, "B47 $fault: nothing leaks");
}

# the framing errs after events have passed

is(ask($ng, "chat", "fault-chunk-no-crlf", stream => 1)->error,
   "upstream_invalid", "B43 chunk-no-crlf, stream");
failed_with(ask($ng, "chat", "fault-chunk-no-crlf"), 502,
            "upstream_invalid", "B43 chunk-no-crlf, document");

my $r = ask($ng, "chat", "fault-many-1xx:n:5000");
ok($r->{status} == 502 || $r->text eq text(), "B39 5000 times 103");
is($r->{informs}, 0, "B39 none of them is relayed");

# the body of the request, while the provider does not want it

my $long = "y" x 3000000;

$r = ask($ng, "chat", "fault-reset-before-body-read", text => $long);
failed_with($r, 502, "upstream_reset", "B28 reset before a large body is read");

for my $fault (qw(early-413 early-413-reset)) {
    $r = ask($ng, "chat", "fault-$fault", text => $long);
    is($r->{status}, 413, "B29 $fault is 413 to the client")
        or diag($r->{body});
}

$r = ask($ng, "chat", "fault-slow-read:d:0.003", text => $long);
good($r, "B30 a provider that reads slowly");
is(last_request()->{body_len},
   length(body_of("fault-slow-read:d:0.003", text => $long)),
   "B30 gets it all");

is(scalar(keys %{{ map { $_->{conn} => 1 }
                   grep { ($_->{fault} || "") =~ /cl-and-te|chunk-bad|extra/ }
                   requests() }}),
   scalar(grep { ($_->{fault} || "") =~ /cl-and-te|chunk-bad|extra/ }
          requests()),
   "B42 no connection is used again after a framing error");

finish();

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Errors that providers tell: reliability.md C52 to C71.

use strict;
use warnings;

use AITest;
use Test::More;


my $ng = nginx(dialects());

# row, fault, status and code to the client, in each dialect

my @cases = (
    [52, "status-400", 400, "invalid_request"],
    [52, "status-404", 404, "model_not_found|not_found"],
    [52, "status-413", 413, "request_too_large"],
    [52, "status-422", 422, "invalid_request"],
    [52, "context-length", 400, "context_length_exceeded"],
    [53, "status-401", 502, "provider_auth"],
    [53, "status-402", 429, "insufficient_quota"],
    [53, "status-403", 403, "permission_denied"],
    [54, "echo-key-401", 502, "provider_auth"],
    [55, "status-429", 429, "rate_limit_exceeded"],
    [55, "status-500", 502, "upstream_error"],
    [55, "status-502", 502, "upstream_error"],
    [55, "status-503", 503, "upstream_overloaded"],
    [55, "status-504", 504, "upstream_timeout"],
    [55, "status-529", 503, "upstream_overloaded"],
    [56, "500-html", 502, "upstream_error"],
    [56, "502-html", 502, "upstream_error"],
    [56, "503-html", 503, "upstream_overloaded"],
    [56, "520-html", 502, "upstream_error"],
    [56, "500-empty", 502, "upstream_error"],
    [57, "429-seconds", 429, "rate_limit_exceeded"],
    [58, "429-huge", 429, "rate_limit_exceeded"],
    [59, "429-quota", 429, "insufficient_quota"],
    [67, "redirect-301", 502, "upstream_invalid|upstream_error"],
    [67, "redirect-302", 502, "upstream_invalid|upstream_error"],
    [67, "redirect-307", 502, "upstream_invalid|upstream_error"],
    [67, "redirect-308", 502, "upstream_invalid|upstream_error"],
    [68, "error-huge", 502, "upstream_error"],
    [71, "status-418", 418, "invalid_request"],
    [71, "status-599", 502, "upstream_error"],
);

my %anthropic = (503 => 529);
my $asked = 0;


for my $case (@cases) {
    my ($row, $fault, $status, $code) = @$case;

    for my $surface (qw(chat messages gemini)) {
        my $want = $surface eq "messages" && $anthropic{$status} || $status;

        for my $stream (0, 1) {
            my $r = ask($ng, $surface, "fault-$fault", stream => $stream);
            $asked++;
            my $name = "C$row $fault, $surface"
                . ($stream ? ", stream" : "");

            check($r, $surface, $want, $status, $code, $name);
            unlike($r->{head} . $r->{body},
                   qr/LEAK|\Q@{[secret()]}\E|127\.0\.0\.1/,
                   "$name: nothing leaks");
        }
    }
}


# The document is in the dialect, or, without a word about our credential,
# that of the provider.

sub check {
    my ($r, $surface, $want, $other, $code, $name) = @_;

    my $doc = $r->json;
    my $shape = "";

    if (ref $doc eq "HASH" && ref $doc->{error} eq "HASH") {
        my $e = $doc->{error};

        $shape = $surface eq "messages" ? ($doc->{type} || "") eq "error"
                     && $e->{type} && length $e->{message}
               : $surface eq "gemini" ? $e->{status}
                     && $e->{code} =~ /\A[45]\d\d\z/
                     && length $e->{message}
               : $e->{type} && length $e->{message};
    }

    my $type = $r->header("content-type") || "";

    ok(($r->{status} == $want || $r->{status} == $other) && $shape
       && $type =~ m{\Aapplication/json} && length $r->{body} < 6000,
       $name)
        or diag("$r->{status} $type " . substr $r->{body}, 0, 500);

    my $log = logged($ng, $asked);
    my $logged = $log->{error} || "";

    like($logged, qr/\A(?:$code)\z/, "$name: the log has the code")
        if $surface eq "chat";
}


# the words of the provider

my $r = ask($ng, "chat", "fault-status-400");
like($r->{body}, qr/fake error 400/, "C52 the provider's message is passed on");

$r = ask($ng, "chat", "fault-status-401");
unlike($r->{body}, qr/fake error 401/,
       "C53 but not about the gateway's credential");

$r = ask($ng, "chat", "fault-error-huge");
cmp_ok(length $r->{body}, "<", 6000, "C68 and not without a measure");


# when to try again

my %after = ("429-seconds" => qr/\A[12]\z/, "429-date" => qr/\A[123]\z/,
             "429-past" => undef, "429-huge" => qr/\A60\z/,
             "429-negative" => undef, "429-garbage" => undef,
             "429-float" => qr/\A1\z/, "429-ms" => qr/\A1\z/,
             "429-zero-ms" => qr/\A1\z/, "429-none" => undef);

for my $fault (sort keys %after) {
    my $r = ask($ng, "chat", "fault-$fault");
    my $got = $r->header("retry-after");

    is($r->{status}, 429, "C57 $fault");

    if (defined $after{$fault}) {
        like(defined $got ? $got : "none", $after{$fault},
             "C57 $fault: Retry-After to the client");

    } else {
        ok(!defined $got || $got =~ /\A[1-9]\d?\z/ && $got <= 60,
           "C58 $fault: no senseless Retry-After")
            or diag($got);
    }
}

$r = ask($ng, "chat", "fault-429-quota");
is($r->header("x-should-retry"), "false",
   "C59 no quota: x-should-retry tells clients to stop");

my %stats = %{stats()};
is($stats{redirect_target_hits} || 0, 0, "C67 no redirect was followed");

$r = ask($ng, "chat", "fault-redirect-307");
is($r->header("location"), undef, "C67 nor is Location passed on");


# one attempt each

fake_reset();
ask($ng, "chat", "fault-status-400");
ask($ng, "chat", "fault-error-mid", stream => 1);
ask($ng, "chat", "fault-reset-midstream", stream => 1);
is(scalar(requests()), 3, "C52 C65 one attempt, none after the commit");

my $log = logged($ng);
is($log->{attempts}, 1, "C65 and one is logged");

finish();

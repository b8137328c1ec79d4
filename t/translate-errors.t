#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# What goes wrong at a provider of one dialect, told to clients of another:
# typed, with a status while there is one, and never as an answer that looks
# complete.

use strict;
use warnings;

use AITest;
use AITest::Hub;
use Test::More;


my %hub = hub(idle_timeout => "2s", first_token_timeout => "2s");
my $ng = nginx(%hub, locations => "ai_max_event 64k;\n$hub{locations}");
my $turn = 0;

# fault, status, code in the log

my @cases = (
    ["status-400", 400, "invalid_request"],
    ["status-401", 502, "provider_auth"],
    ["status-403", 403, "permission_denied"],
    ["status-404", 404, "model_not_found|not_found"],
    ["status-413", 413, "request_too_large"],
    ["429-seconds", 429, "rate_limit_exceeded"],
    ["429-huge", 429, "rate_limit_exceeded"],
    ["status-500", 502, "upstream_error"],
    ["status-503", 503, "upstream_overloaded"],
    ["status-529", 503, "upstream_overloaded"],
    ["503-html", 503, "upstream_overloaded"],
    ["500-empty", 502, "upstream_error"],
    ["echo-key-401", 502, "provider_auth"],
    ["200-html", 502, "upstream_invalid"],
    ["200-empty", 502, "upstream_invalid"],
    ["200-array", 502, "upstream_invalid|upstream_error"],
    ["200-truncated-json", 502, "upstream_invalid"],
    ["200-invalid-utf8", 502, "upstream_invalid"],
    ["reset-before-headers", 502, "upstream_reset"],
);

my %retry = ("429-seconds" => qr/\A[12]\z/, "429-huge" => qr/\A60\z/);


# foreign(surface, target): whether it is translated

sub foreign {
    my ($surface, $target) = @_;
    return $surface ne (native($target) || "")
           && !($target eq "openai" && $surface eq "responses");
}


# The document is in the dialect of the client.

sub shape_ok {
    my ($surface, $r) = @_;

    my $d = $r->json;
    return 0 unless ref $d eq "HASH";

    my $e = $d->{error};

    return defined $d->{message} && length $d->{message}
           && $d->{__type} =~ /\A\w+Exception\z/
        if $surface eq "converse";
    return length($d->{message} || "") && !$e if $surface eq "cohere";
    return 0 unless ref $e eq "HASH" && length $e->{message};
    return $d->{type} eq "error" && $e->{type} if $surface eq "messages";
    return $e->{code} == $r->{status} && $e->{status} =~ /\A[A-Z_]+\z/
        if $surface eq "gemini";
    return $e->{type} && exists $e->{code};
}


for my $target (targets()) {
    for my $surface (grep { foreign($_, $target) } surfaces()) {
        told($target, $surface, $_) for @cases;
        broken($target, $surface);
    }
}


sub told {
    my ($target, $surface, $case) = @_;

    my ($fault, $status, $code) = @$case;
    my $stream = $turn++ % 2;
    my $name = "$surface to $target, $fault" . ($stream ? ", stream" : "");
    my $r = ask_as($ng, $surface, $target, "fault-$fault",
                   stream => $stream);
    my $log = next_log($ng);

    is($r->{status}, $status, "$name: the status")
        or diag(substr $r->{body}, 0, 400);
    ok(shape_ok($surface, $r), "$name: the document")
        or diag($r->{head}, substr $r->{body}, 0, 400);
    like($log->{error}, qr/\A(?:$code)\z/, "$name: the log");
    unlike($r->{head} . $r->{body}, qr/LEAK|CANARY|127\.0\.0\.1/,
           "$name: nothing leaks");
    isnt($log->{outcome}, "ok", "$name: the outcome");

    if ($retry{$fault}) {
        like($r->header("retry-after") || "", $retry{$fault},
             "$name: Retry-After");
    }

    if ($fault eq "status-400") {
        like($r->{body}, qr/fake error 400/, "$name: the words");
    }
}


# streams that end badly

sub stream_of {
    my ($target, $surface, $fault, %opt) = @_;

    my $r = ask_as($ng, $surface, $target, "fault-$fault", stream => 1,
                   %opt);
    my $a = eval { answer_of($surface, $r) }
            || { text => "", ended => 0, error => { message => "$@" } };

    return ($r, $a, next_log($ng));
}


sub broken {
    my ($target, $surface) = @_;

    # nothing was sent yet: a status

    for my $fault (qw(error-first empty-stream)) {
        my ($r, $a, $log) = stream_of($target, $surface, $fault);
        ok($r->{status} >= 500 && shape_ok($surface, $r),
           "$surface to $target, $fault: a status")
            or diag($r->{head}, $r->{body});
    }

    # an event of the client's dialect, no end

    my @faults = (["error-mid", "upstream_\\w+"],
                  ["missing-finish", "upstream_truncated"],
                  ["close-midstream", "upstream_(?:truncated|reset)"],
                  ["reset-midstream", "upstream_(?:truncated|reset)"],
                  ["sse-giant-event:n:99999", "upstream_too_large"]);

    push @faults, ["frame-bad-crc", "upstream_invalid"],
        ["frame-bad-payload", "upstream_invalid"],
        ["frame-bad-prelude", "upstream_invalid"],
        ["frame-cut", "upstream_(?:truncated|invalid)"],
        ["frame-huge", "upstream_too_large"],
        ["frame-exception", "rate_limit_exceeded"],
        ["frame-exception:type:internalServerException", "upstream_error"],
        ["frame-exception:type:modelStreamErrorException",
         "upstream_\\w+"]
        if $target eq "bedrock";

    push @faults, ["line-cut", "upstream_(?:truncated|invalid)"]
        if $target eq "ollama";

    push @faults, ["sse-invalid-event", "upstream_invalid"],
        ["html-midstream", "upstream_(?:truncated|invalid)"]
        unless $target =~ /\A(?:bedrock|ollama|responses)\z/;

    for my $case (@faults) {
        my ($fault, $code) = @$case;
        my ($r, $a, $log) = stream_of($target, $surface, $fault);
        my $name = "$surface to $target, $fault";

        is($r->{status}, 200, "$name: 200") or diag($r->{body});
        like($a->{text}, qr/\AHello/, "$name: the text before it");
        ok($a->{error} && length($a->{error}{message} || ""),
           "$name: an error event") or diag(substr $r->{body}, -500);
        ok(!$a->{ended}, "$name: it does not look complete")
            or diag(substr $r->{body}, -500);
        like($log->{error}, qr/\A$code\z/, "$name: the log")
            or diag(substr $r->{body}, -300);
        isnt($log->{outcome}, "ok", "$name: the outcome");
        unlike($r->{body}, qr/LEAK/, "$name: nothing leaks");
        ok(!$a->{gap}, "$name: no gap");
        cmp_ok($log->{tokens}{out}, ">", 0, "$name: what passed is counted");
    }

    my ($r, $a) = stream_of($target, $surface, "frame-bad-first");
    is($r->{status}, 502, "$surface to $target, frame-bad-first")
        if $target eq "bedrock";

    # complete all the same

    my @good = qw(json-for-sse sse-1byte chunk-1byte sse-comments gzip-ok
                  sse-unknown-event sse-no-final-blank);

    @good = qw(json-for-sse chunk-1byte frame-split gzip-ok missing-done)
        if $target eq "bedrock";
    @good = qw(json-for-sse chunk-1byte line-no-last line-glued gzip-ok)
        if $target eq "ollama";
    push @good, "missing-done"
        if $target =~ /\A(?:openai|anthropic|cohere|gemini)\z/;

    for my $fault (@good) {
        my ($r, $a, $log) = stream_of($target, $surface, $fault);
        my $name = "$surface to $target, $fault";

        is("$r->{status} $a->{text}", "200 " . text(), $name)
            or diag(substr $r->{body}, -500);
        ok($a->{ended} && !$a->{error}, "$name: complete")
            or diag(substr $r->{body}, -500);
        is($log->{outcome}, "ok", "$name: the outcome");
        cmp_ok($log->{tokens}{out}, ">", 0, "$name: usage");
        like($r->header("content-type"),
             qr/\A\Q@{[type_of_stream($surface)]}\E/, "$name: the type");
    }

    # who asked for a document

    $r = ask_as($ng, $surface, $target, "fault-sse-for-json");
    next_log($ng);
    is($r->{status}, 502, "$surface to $target, events for a document")
        unless $target eq "bedrock" || $target eq "ollama";
}

finish();

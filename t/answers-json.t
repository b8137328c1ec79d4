#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Documents that providers answer with: reliability.md D72 to D90.

use strict;
use warnings;

use AITest;
use Test::More;


my $ng = nginx(dialects(first_token_timeout => "3s", timeout => "5s"),
               server => "ai_max_response 4m;");


sub refused {
    my ($r, $code, $name) = @_;

    my $passed = ok($r->{status} == 502 && $r->{complete}
                    && $r->error =~ /\A(?:$code)\z/
                    && $r->{body} !~ /LEAK|<h1>/, $name);
    diag("$r->{status} " . substr $r->{body}, 0, 400) unless $passed;
}


# answers that are none

my @invalid = (
    [72, "200-html"], [72, "200-empty"], [72, "200-null"],
    [72, "200-array"], [72, "200-wrong-shape"],
    [73, "200-invalid-json"], [73, "200-truncated-json"],
    [73, "200-trailing-garbage"],
    [75, "200-wrong-types"], [76, "200-deep-json"],
    [78, "200-raw-nul"], [79, "200-invalid-utf8"],
);

for my $case (@invalid) {
    my ($row, $fault) = @$case;

    for my $surface (qw(chat messages responses)) {
        refused(ask($ng, $surface, "fault-$fault"),
                "upstream_(invalid|truncated)", "D$row $fault, $surface");
    }

    refused(ask($ng, "chat", "fault-$fault", stream => 1),
            "upstream_(invalid|truncated)", "D$row $fault, stream");
}

my $r = ask($ng, "gemini", "fault-200-html");
is($r->{status}, 502, "D72 200-html, gemini");
is(logged($ng)->{error}, "upstream_invalid", "D72 the log tells");

for my $surface (qw(chat messages)) {
    my $r = ask($ng, $surface, "fault-200-error-json");
    ok($r->{status} >= 500, "D74 an error in a 200 is one, $surface")
        or diag("$r->{status} $r->{body}");
    like($r->{body}, qr/it went wrong/, "D74 with its message, $surface");
}

# odd, but answers: the bytes are passed as they are

for my $case ([78, "200-nul"], [79, "200-lone-surrogate"],
              [80, "200-big-numbers"], [80, "200-dup-keys"],
              [75, "200-null-content"],
              [81, "200-wrong-type-header"], [81, "200-no-type-header"])
{
    my ($row, $fault) = @$case;

    for my $surface (qw(chat messages)) {
        my $r = ask($ng, $surface, "fault-$fault");
        my $sent = last_request()->{body_out};

        utf8::encode($sent);
        ok($r->{status} == 200 && $r->{body} eq $sent
           || $r->{status} == 502 && $r->error eq "upstream_invalid",
           "D$row $fault, $surface: byte for byte, or refused")
            or diag("$r->{status} $r->{body}");
        like($r->header("content-type"), qr{\Aapplication/json},
             "D81 our answer is application/json, $fault, $surface");
    }
}

$r = ask($ng, "chat", "fault-200-nul");
like($r->{body}, qr/before\\u0000after/, "D78 nothing is cut at \\u0000");
$r = ask($ng, "chat", "fault-200-big-numbers");
like($r->{body}, qr/1e400,9007199254740993,-0,123456789012345678901234567890,
                    1\.0\]/x, "D80 numbers keep their spelling");
is(ask($ng, "chat", "fault-200-bom")->{status}, 502,
   "D79 a byte order mark is no JSON");

# too much

$r = ask($ng, "chat", "fault-200-huge-json:n:16");
refused($r, "upstream_too_large", "D77 more than ai_max_response");
ok(wait_for("client_closed=1&timeout=3") || 1, "D77 the rest is not read");
cmp_ok(last_request()->{bytes_sent}, "<", 15 << 20, "D77 nor waited for");

# encodings

for my $surface (qw(chat messages gemini)) {
    for my $stream (0, 1) {
        my $how = $surface . ($stream ? ", stream" : "");

        for my $fault (qw(gzip-ok gzip-deflate gzip-members)) {
            my $r = ask($ng, $surface, "fault-$fault", stream => $stream);
            good($r, "D82 $fault is decoded, $how");
            is($r->header("content-encoding"), undef,
               "D82 $fault: and says so, $how");
        }
    }
}

for my $fault (qw(gzip-invalid gzip-not unknown-encoding)) {
    for my $stream (0, 1) {
        refused(ask($ng, "chat", "fault-$fault", stream => $stream),
                "upstream_invalid", "D83 $fault"
                . ($stream ? ", stream" : ""));
    }
}

refused(ask($ng, "chat", "fault-gzip-truncated"),
        "upstream_(truncated|invalid)", "D83 gzip-truncated");
refused(ask($ng, "chat", "fault-gzip-bomb"), "upstream_too_large",
        "D83 gzip-bomb");

is((grep { $_->[0] eq "accept-encoding" } @{last_request()->{headers}})
   ? (grep { $_->[0] eq "accept-encoding" }
      @{last_request()->{headers}})[0][1] : "identity",
   "identity", "D82 no encoding is asked for");

# usage

my $log;

sub usage_of {
    my ($surface, $fault, $stream) = @_;

    my $n = scalar(log_lines($ng));
    ask($ng, $surface, "fault-$fault", stream => $stream);
    my $log = logged($ng, $n + 1);

    return $log->{tokens} || {};
}

for my $surface (qw(chat completions responses messages gemini)) {
    for my $stream (0, 1) {
        my $how = $surface . ($stream ? ", stream" : "");
        my $u = usage_of($surface, "ok", $stream);
        my $in = $surface eq "messages" ? 14 : 11;

        is_deeply([@$u{qw(in out cached source)}], [$in, 11, 3, "provider"],
                  "D84 usage is read, $how") or diag(json($u));

        $u = usage_of($surface, "usage-missing", $stream);
        is($u->{source}, "estimated", "D84 usage-missing, $how")
            or diag(json($u));
        ok($u->{in} > 0 && $u->{out} > 0, "D84 it is estimated, $how")
            or diag(json($u));

        for my $fault (qw(usage-negative usage-overflow usage-strings
                          usage-null usage-floats))
        {
            my $u = usage_of($surface, $fault, $stream);
            my @bad = grep { !defined $_ || $_ !~ /\A\d+\z/ || $_ > 1e12 }
                      @$u{qw(in out cached)};
            is(scalar(@bad), 0, "D85 $fault is held in bounds, $how")
                or diag(json($u));
        }
    }
}

# the other way round

for my $surface (qw(chat messages responses)) {
    my $r = ask($ng, $surface, "fault-sse-for-json");
    ok($r->{status} == 502 && $r->error eq "upstream_invalid",
       "D86 a stream for a document, $surface")
        or diag("$r->{status} " . substr $r->{body}, 0, 200);

    $r = ask($ng, $surface, "fault-json-for-sse", stream => 1);
    ok($r->{status} == 502 && $r->{complete},
       "D86 a document for a stream, $surface")
        or diag("$r->{status} " . substr $r->{body}, 0, 200);
}

for my $stream (0, 1) {
    for my $surface (qw(chat messages)) {
        my $n = scalar(log_lines($ng));
        my $r = ask($ng, $surface, "fault-content-filter",
                    stream => $stream);
        good($r, "D87 content-filter, $surface", "I cannot");
        my $log = logged($ng, $n + 1);
        is($log->{outcome}, "ok", "D87 it is an answer, $surface");
        like($log->{finish}, qr/\A(content_filter|refusal)\z/,
             "D87 and its reason is logged, $surface");
    }
}

is(ask($ng, "chat", "fault-tool-call")->json->{choices}[0]{message}
   {tool_calls}[0]{function}{arguments},
   qq({"city": "Z\x{fc}rich \\"old\\" \\u00e9", "n": 1.50, "e": []}),
   "D88 arguments of a tool call are untouched");

finish();

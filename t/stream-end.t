#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# How streams end: reliability.md E106 to E117, F128.

use strict;
use warnings;

use AITest;
use Test::More;


my $ng = nginx(dialects(first_token_timeout => "1s", idle_timeout => "1s"));

my %terminator = (chat => qr/data: \[DONE\]\s*\z/,
                  completions => qr/data: \[DONE\]\s*\z/,
                  messages => qr/event: message_stop\n.*\n\n\z/,
                  responses => qr/event: response\.completed\n.*\n\n\z/);

my @surfaces = qw(chat completions messages responses);


# before the first content there is a real status

for my $surface (@surfaces) {
    for my $fault (qw(error-first error-after-open)) {
        my $r = ask($ng, $surface, "fault-$fault", stream => 1);

        ok($r->{status} >= 500 && ref $r->json eq "HASH",
           "E106 $fault is a status, $surface")
            or diag("$r->{status} $r->{body}");
        like($r->{body}, qr/Overloaded/, "E106 with the message, $surface");
    }

    for my $fault (qw(empty-stream only-done only-pings)) {
        my $r = ask($ng, $surface, "fault-$fault", stream => 1);
        my $whole = $surface eq "responses" && $fault eq "only-done";

        ok($whole || $r->{status} == 502 && ref $r->json eq "HASH",
           "E110 $fault, $surface")
            or diag("$r->{status} $r->{body}");
    }
}


# after it, an event tells

for my $surface (@surfaces, "gemini") {
    for my $fault (qw(error-mid error-mid-then-done)) {
        my $r = ask($ng, $surface, "fault-$fault", stream => 1);
        my @errors = grep { ref $_->{json} eq "HASH"
                            && ($_->{json}{error}
                                || ($_->{json}{type} || "") eq "error"
                                || ($_->{json}{type} || "")
                                   eq "response.failed") } $r->events;

        is(scalar(@errors), 1, "E107 $fault: one error event, $surface")
            or diag($r->{body});
        like($r->text, qr/\AHello/, "E107 the text before it, $surface");
        unlike($r->{body}, $terminator{$surface},
               "E107 no terminator, $surface") if $terminator{$surface};

        my $log = logged($ng, scalar(log_lines($ng)));
        isnt($log->{outcome}, "ok", "E107 logged as a failure, $surface");
    }

    for my $fault (qw(missing-finish)) {
        my $r = ask($ng, $surface, "fault-$fault", stream => 1);
        stream_broken($r, "upstream_truncated", "E109 $fault, $surface");
    }

    for my $fault (qw(reset-midstream close-midstream)) {
        my $n = scalar(log_lines($ng));
        my $r = ask($ng, $surface, "fault-$fault", stream => 1);

        stream_broken($r, "upstream_(truncated|reset)",
                      "F128 $fault, $surface");
        my $log = logged($ng, $n + 1);
        is($log->{outcome}, "truncated", "F128 $fault: logged, $surface");
        cmp_ok($log->{tokens}{out}, ">", 0,
               "F128 what passed is counted, $surface");

        $r = ask($ng, $surface, "fault-$fault");
        ok($r->{status} == 502
           && $r->error =~ /\Aupstream_(truncated|reset)\z|\A502\z/,
           "F128 $fault, a document, $surface")
            or diag("$r->{status} $r->{body}");
    }
}

like(ask($ng, "messages", "fault-reset-midstream", stream => 1)->{body},
     qr/\nevent: error\ndata: \{"type":"error",/,
     "F128 Anthropic's clients get their event");
like(ask($ng, "chat", "fault-reset-midstream", stream => 1)->{body},
     qr/\n\ndata: \{"error":\{/, "F128 OpenAI's theirs");


# a finish is as good as a terminator, which is added once

for my $surface (qw(chat completions messages)) {
    for my $fault (qw(missing-done reset-before-done)) {
        my $r = ask($ng, $surface, "fault-$fault", stream => 1);

        good($r, "E108 $fault, $surface");
        is($r->error, "", "E108 no error, $surface");
        like($r->{body}, $terminator{$surface},
             "E108 the terminator is added, $surface");

        my @ends = $r->{body} =~ /\[DONE\]|event: message_stop/g;
        is(scalar(@ends), 1, "E108 once, $surface");
    }

    my $n = scalar(log_lines($ng));
    my $r = ask($ng, $surface, "fault-data-after-done", stream => 1);
    good($r, "E111 data after the end, $surface");
    unlike($r->{body}, qr/AFTERWARDS/, "E111 is not passed, $surface");
}

for my $surface (qw(chat messages)) {
    my $r = ask($ng, $surface, "fault-html-midstream", stream => 1);
    unlike($r->{body}, qr/LEAK/, "E112 HTML does not pass, $surface")
        or diag($r->{body});
    stream_broken($r, "upstream_(truncated|invalid)",
                  "E112 and the stream is broken, $surface");

    $r = ask($ng, $surface, "fault-tool-call-truncated", stream => 1);
    like($r->error, qr/\Aupstream_(truncated|reset)\z/,
         "E115 cut arguments are an error, $surface") or diag($r->{body});
    unlike($r->{body}, $terminator{$surface},
           "E115 and not closed, $surface");
}

like(ask($ng, "chat", "fault-error-field", stream => 1)->error,
     qr/\A\w+\z/, "E107 the field \"error\" of llama.cpp");

my $r = ask($ng, "chat", "fault-tool-call", stream => 1);
my $args = join "", map { $_->{function}{arguments} || "" }
           map { @{$_->{delta}{tool_calls} || []} }
           map { @{$_->{choices}} } grep { ref eq "HASH" }
           map { $_->{json} } $r->events;
is($args, qq({"city": "Z\x{fc}rich \\"old\\" \\u00e9", "n": 1.50, "e": []}),
   "E115 the arguments are those of the provider");


# usage in streams

sub tokens_of {
    my ($surface, $fault, %opt) = @_;
    my $n = scalar(log_lines($ng));
    my $r = ask($ng, $surface, "fault-$fault", stream => 1, %opt);
    return ($r, logged($ng, $n + 1)->{tokens});
}

for my $surface (qw(chat messages)) {
    my ($r, $u) = tokens_of($surface, "sse-usage-twice");
    is($u->{out}, 11, "E113 the last usage counts, $surface");
}

for my $surface (qw(chat completions)) {
    my ($r, $u) = tokens_of($surface, "ok");
    unlike($r->{body}, qr/"usage":\{/,
           "E117 usage that was not asked for is hidden, $surface");
    unlike($r->{body}, qr/"choices":\[\]/, "E117 with its event, $surface");
    is_deeply([@$u{qw(in out source)}], [11, 11, "provider"],
              "E117 yet it is known, $surface");
    like(last_request()->{body}, qr/"include_usage":true/,
         "E117 as we asked for it, $surface");

    ($r, $u) = tokens_of($surface, "ok", more => {
        stream_options => { include_usage => JSON::PP::true } });
    like($r->{body}, qr/"usage":\{"prompt_tokens":11/,
         "E117 who asks gets it, $surface");
    is($r->{body}, do { my $b = last_request()->{body_out};
                        utf8::encode($b); $b },
       "E117 byte for byte, $surface");

    ($r, $u) = tokens_of($surface, "ok", more => {
        stream_options => { include_usage => JSON::PP::false, x => 1 } });
    unlike($r->{body}, qr/"usage":\{/, "E117 who says no does not");
    is($u->{out}, 11, "E117 but we know");
}

($r) = tokens_of("chat", "sse-n-choices");
is(scalar(grep { $_->{data} eq "[DONE]" } $r->events), 1,
   "E114 two choices, one end");
is(logged($ng)->{outcome}, "ok", "E114 complete when all have finished");

finish();

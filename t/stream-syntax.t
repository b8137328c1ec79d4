#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# How events can be written: reliability.md E91 to E105.

use strict;
use warnings;

use AITest;
use Test::More;


my $ng = nginx(dialects(first_token_timeout => "3s", idle_timeout => "3s"),
               server => "ai_max_event 1m;");


sub sent {
    my $bytes = last_request()->{body_out};
    utf8::encode($bytes);
    return $bytes;
}


# asked for, so that nothing is hidden

sub usage {
    my ($surface) = @_;

    return $surface !~ /chat|completions/ ? ()
           : (more => { stream_options => {
                  include_usage => JSON::PP::true } });
}


my @surfaces = qw(chat completions messages responses gemini);

# all that is right passes byte for byte

for my $case ([91, qw(sse-lf sse-crlf sse-cr sse-mixed-eol)],
              [92, qw(sse-1byte sse-split-crlf)],
              [93, "sse-split-utf8"], [94, "sse-coalesced"],
              [95, qw(sse-no-space sse-done-no-space)],
              [96, qw(sse-comments sse-ping-events sse-id-retry
                      sse-unknown-fields sse-unknown-event sse-empty-data
                      sse-bom)],
              [97, "sse-multiline-data"], [98, "sse-null-delta"],
              [111, "sse-no-final-blank"])
{
    my ($row, @faults) = @$case;

    for my $fault (@faults) {
        for my $surface (@surfaces) {
            my $r = ask($ng, $surface, "fault-$fault", stream => 1,
                        usage($surface));
            my $name = "E$row $fault, $surface";

            if ($row == 98 && $r->{status} == 200 && !$r->error) {
                is($r->text, text(), "$name: the text is whole");
                next;
            }

            good($r, $name);

            my $got = $r->{body};
            my $sent = sent();

            # a last event may be given the blank line that it lacks

            $got =~ s/[\r\n]+\z//, $sent =~ s/[\r\n]+\z//
                if $fault eq "sse-no-final-blank";

            # all is there, in its order, before anything else

            ok($got eq $sent, "$name: byte for byte")
                or diag("got " . length($got) . " bytes of "
                        . length($sent));
        }
    }
}

# what is not a line end

for my $fault (qw(sse-u2028 sse-injection)) {
    for my $surface (qw(chat messages)) {
        my $r = ask($ng, $surface, "fault-$fault", stream => 1,
                    usage($surface));

        is($r->{body}, sent(), "E102 E103 $fault, $surface: byte for byte");
        is($r->error, "", "E103 no event is forged, $surface");
    }
}

for my $fault (qw(sse-u0000 sse-lone-surrogate)) {
    my $r = ask($ng, "chat", "fault-$fault", stream => 1, usage("chat"));

    ok($r->{complete} && $r->{body} =~ /done\..*\[DONE\]\s*\z/s,
       "E101 $fault: the text after it is intact")
        or diag(substr $r->{body}, -300);
    is($r->{body}, sent(), "E101 $fault: byte for byte");
}

# what is wrong ends the stream visibly, and nothing of it passes

for my $case ([99, "sse-invalid-event"], [100, "sse-nul"],
              [100, "sse-invalid-utf8"], [105, "sse-deep-json"])
{
    my ($row, $fault) = @$case;

    for my $surface (qw(chat messages responses)) {
        my $r = ask($ng, $surface, "fault-$fault", stream => 1);

        stream_broken($r, "upstream_invalid", "E$row $fault, $surface");
        ok(utf8::decode(my $copy = $r->{body}),
           "E$row $fault, $surface: valid UTF-8");
    }
}

for my $fault (qw(sse-giant-event sse-endless-line)) {
    my $r = ask($ng, "chat", "fault-$fault", stream => 1);

    is($r->{status}, 200, "E104 $fault: the stream has begun");
    like($r->error, qr/\Aupstream_(too_large|invalid)\z/,
         "E104 $fault: more than ai_max_event is an error");
    cmp_ok(length $r->{body}, "<", 100000, "E104 $fault: nothing passes");
}

my $r = ask($ng, "chat", "fault-sse-giant-event:n:500000", stream => 1);
is($r->{status}, 200, "E104 a large event below the cap");
cmp_ok(length $r->text, ">", 500000, "E104 passes");

$r = ask($ng, "chat", "fault-sse-many-events", stream => 1, seconds => 20);
like($r->text, qr/\A w0 w1 .* w19999\z/, "E105 20000 events");
cmp_ok($r->{took}, "<", 6, "E105 in time");

$r = ask($ng, "chat", "fault-sse-comment-storm", stream => 1,
         seconds => 20);
good($r, "E105 50000 comments");

# the type of the answer

for my $fault (qw(sse-wrong-type-header sse-no-type-header)) {
    my $r = ask($ng, "chat", "fault-$fault", stream => 1);
    ok($r->{status} == 502 && $r->{complete} || $r->text eq text(),
       "E116 $fault") or diag("$r->{status} $r->{body}");
}

$r = ask($ng, "chat", "m", stream => 1);
like($r->header("content-type"), qr{\Atext/event-stream},
     "E120 a stream is text/event-stream");
is($r->header("x-accel-buffering"), "no", "E120 X-Accel-Buffering: no");
like($r->header("cache-control"), qr/no-cache|no-store/,
     "E120 Cache-Control");

$r = ask($ng, "gemini", "m", stream => 1);
like($r->header("content-type"), qr{\Atext/event-stream},
     "E118 gemini with alt=sse");

# Gemini without alt=sse

my $body = json({ contents => [{ role => "user",
                                 parts => [{ text => "hi" }] }] });
$r = post($ng, "/gem/v1beta/models/m:streamGenerateContent", $body);
ok($r->{status} == 501 || ref $r->json eq "ARRAY" && $r->text eq text(),
   "E119 an array of documents passes, or is refused")
    or diag("$r->{status} $r->{body}");

finish();

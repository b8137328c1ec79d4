#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# The known mistakes of other gateways, wire-formats.md 16, by their numbers:
# those that only nginx could make, or only the wire shows.  The others are in
# t/unit/mistakes_*_test.c; here it is counted that none was forgotten.

use strict;
use warnings;

use AITest;
use AITest::Hub;
use JSON::PP ();
use Test::More;


my $origin = "http://127.0.0.1:" . port("main");
my @common = (region => "eu-test-1", project => "proj-1", auth => "bearer");

my %cloud = routes(
    vertex => { @common, preset => "vertex-anthropic",
                dialect => "anthropic", endpoint => "$origin/v1" },
    claude => { @common, preset => "bedrock-anthropic",
                dialect => "anthropic", endpoint => $origin });

my %hub = hub();
my $ng = nginx(http => $hub{http} . $cloud{http},
               locations => $hub{locations} . $cloud{locations});

my @targets = targets();


# the request that the provider got last

sub head_of {
    my ($name) = @_;
    my ($h) = grep { $_->[0] eq $name } @{last_request()->{headers} || []};
    return $h ? $h->[1] : undef;
}


# 1: bytes come one by one, or glued together

for my $surface (surfaces()) {
    for my $pair (["openai", "sse-1byte"], ["openai", "sse-crlf"],
                  ["openai", "sse-split-utf8"], ["anthropic", "sse-1byte"],
                  ["anthropic", "sse-coalesced"], ["gemini", "sse-1byte"],
                  ["responses", "sse-split-crlf"], ["bedrock", "frame-split"],
                  ["ollama", "line-glued"])
    {
        my ($target, $fault) = @$pair;
        my $r = ask_as($ng, $surface, $target, "fault-$fault", stream => 1);
        my $a = answer_of($surface, $r);

        is($a->{text}, text(), "01 $fault, $target to $surface")
            or diag($r->{body});
        ok($a->{ended}, "01 $fault, $target to $surface: the end");
    }
}


# 12: the id of a model in the path, escaped once

for my $surface (surfaces()) {
    next if $surface eq "gemini";

    my $model = "us.anthropic.claude-3-5-sonnet-20241022-v2:0";
    ask_as($ng, $surface, "bedrock", $model, stream => 1);

    my $req = last_request();
    like($req->{target},
         qr{\A/model/us\.anthropic\.claude-3-5-sonnet-20241022-v2%3A0
            /converse-stream\z}x, "12 a colon, $surface");
    ok($req->{sigv4}{ok}, "12 and what is signed, $surface");

    next if $surface eq "converse";

    ask_as($ng, $surface, "bedrock", "arn:aws:bedrock:us-east-1:123456789012:"
           . "application-inference-profile/abc123");
    like(last_request()->{target},
         qr{\A/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3A
            application-inference-profile%2Fabc123/converse\z}x,
         "12 a slash, $surface");
}


# 17: betas of Anthropic go to those who know them

my $betas = "claude-code-20250219, context-1m-2025-08-07,"
    . "interleaved-thinking-2025-05-14 ,oauth-2025-04-20";
my @beta = (headers => ["anthropic-beta" => $betas]);

for my $stream (0, 1) {
    my $mode = $stream ? "stream" : "document";

    ask_as($ng, "messages", "anthropic", "m", stream => $stream, @beta);
    is(head_of("anthropic-beta"), $betas, "17 Anthropic gets all, $mode");

    ask_as($ng, "messages", "vertex", "m", stream => $stream, @beta);
    is(head_of("anthropic-beta"), "context-1m-2025-08-07,"
       . "interleaved-thinking-2025-05-14", "17 Vertex those it knows, $mode");

    ask_as($ng, "messages", "vertex", "m", stream => $stream,
           headers => ["anthropic-beta" => "claude-code-20250219"]);
    is(head_of("anthropic-beta"), undef, "17 or no header at all, $mode");

    ask_as($ng, "messages", "claude", "m", stream => $stream, @beta);
    my $req = last_request();
    is(head_of("anthropic-beta"), undef, "17 Bedrock takes no header, $mode");
    my $body = eval { JSON::PP::decode_json($req->{body}) } || {};
    is(json($body->{anthropic_beta}), '["context-1m-2025-08-07",'
       . '"interleaved-thinking-2025-05-14"]', "17 but a member, $mode")
        or diag($req->{target}, $req->{body});

    for my $target (grep { $_ ne "anthropic" } @targets) {
        ask_as($ng, "messages", $target, "m", stream => $stream, @beta);
        is(head_of("anthropic-beta"), undef, "17 $target gets none, $mode");
        unlike(last_request()->{body}, qr/claude-code-20250219/,
               "17 nor in the body, $target, $mode");
    }

    # a history that another provider has begun goes through the hub

    ask_as($ng, "messages", "anthropic", "m", stream => $stream, @beta,
           more => { messages => [
               { role => "user", content => "hi" },
               { role => "assistant", content => [
                   { type => "thinking", thinking => "hm",
                     signature => "YWlndzE6LQAA" },
                   { type => "text", text => "a" }] },
               { role => "user", content => "b" }] });
    is(head_of("anthropic-beta"), $betas,
       "17 they are kept on the way through the hub, $mode");
    unlike(last_request()->{body}, qr/YWlndzE6/,
           "10 what nobody signed does not go, $mode");
}


# 20: comments and pings are no data

for my $surface (surfaces()) {
    for my $target ("openai", "anthropic", "gemini", "responses", "cohere") {
        for my $fault (qw(sse-comments sse-ping-events)) {
            my $r = ask_as($ng, $surface, $target, "fault-$fault",
                           stream => 1);
            my $a = answer_of($surface, $r);

            is($a->{text}, text(), "20 $fault, $target to $surface")
                or diag($r->{body});
            ok($a->{ended} && !$a->{error},
               "20 $fault, $target to $surface: the end");
            unlike($r->{body}, qr/^data: *(?:: |hello|c$|keep-alive)/m,
                   "20 $fault, $target to $surface: no comment is data");
        }
    }
}


# 21: what a provider has said is not kept back

for my $surface (surfaces()) {
    my %c = map { $_ => ask_as($ng, $surface, $_, "fault-slow-drip:n:9:d:0.1",
                               stream => 1, open => 1) } @targets;

    # the first piece of each comes before the last of any

    for my $target (@targets) {
        my $seen = $c{$target}->until(qr/ w0/, 3);

        ok($seen && $c{$target}{buf} !~ / w8/,
           "21 $target to $surface is not buffered")
            or diag($c{$target}{buf});
    }

    for my $target (@targets) {
        like($c{$target}->response->{body}, qr/ w8/,
             "21 $target to $surface: the rest comes");
    }
}


# 26: what a provider has nothing like is no error of ours: the client is told
# so in words, and nobody is asked

my $asked = scalar requests();

for my $what (map { [$_, "completions", { prompt => "hi" }] }
                  qw(anthropic cohere bedrock gemini ollama)) {
    not_supported(@$what);
}

not_supported("anthropic", "embeddings", { input => "hi" });
is(scalar requests(), $asked, "26 no provider was asked");

conf_fails(qr/dialect/, "26 a dialect that there is not, when configured",
           http => "ai_provider x { dialect soap; endpoint $origin; }\n");


# 30: calls, whole, when the frames of Bedrock come in any size

for my $surface (surfaces()) {
    for my $fault (qw(tool-call frame-split)) {
        my $r = ask_as($ng, $surface, "bedrock", "fault-$fault", stream => 1,
                       tools => 1);
        my $a = answer_of($surface, $r);

        ok($a->{ended} && !$a->{error}, "30 $fault to $surface: the end")
            or diag($r->{body});
        next if $fault eq "frame-split";

        my ($call) = @{$a->{calls}};
        ok($call && ref eval { JSON::PP->new->decode($call->{args}) },
           "30 $fault to $surface: the arguments") or diag($r->{body});
    }
}


sub not_supported {
    my ($target, $what, $body) = @_;

    my $r = post($ng, "/$target/v1/$what", json({ model => "m", %$body }));

    failed_with($r, 501, "not_supported", "26 $what of $target");
    like($r->json->{error}{message}, qr/\Q$target\E.*has no $what/,
         "26 $what of $target: in words");
}


# all of them have a test

my %name;
my $here = slurp($0);

while ($here =~ /"(\d\d) [^"]/g) { $name{$1}{here} = 1 }

for my $file (glob "$AITest::ROOT/t/unit/mistakes_*_test.c") {
    my $text = slurp($file);
    while ($text =~ /UNIT_RUN\(test_(\d\d)_\w+\)/g) { $name{$1}{unit} = 1 }
}

ok($name{sprintf "%02d", $_}, "the mistake $_ has a test") for 1 .. 30;

my @here = (12, 17, 20, 21, 26);
ok($name{$_}{here}, "the mistake $_ has a test of the wire") for @here;

finish();

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Every client with every provider: what the provider is asked, where, with
# which headers, and what the client reads.  Answers are read by t/lib's own
# readers, signatures of AWS are checked by the fake provider.

use strict;
use warnings;

use AITest;
use AITest::Hub;
use Test::More;


my $ng = nginx(hub());

# of each provider: path of a document, of a stream, header of its key

my %asked = (
    openai => ["/v1/chat/completions", undef, "authorization"],
    responses => ["/v1/responses", undef, "authorization"],
    anthropic => ["/v1/messages", undef, "x-api-key"],
    gemini => ["/v1beta/models/MODEL:generateContent",
               "/v1beta/models/MODEL:streamGenerateContent?alt=sse",
               "x-goog-api-key"],
    cohere => ["/v2/chat", undef, "authorization"],
    bedrock => ["/model/MODEL/converse", "/model/MODEL/converse-stream",
                "authorization"],
    ollama => ["/api/chat", undef, "authorization"],
);

my %finish = (chat => "stop", responses => "completed",
              messages => "end_turn", gemini => "STOP",
              cohere => "COMPLETE", converse => "end_turn");

my %called = (%finish, chat => "tool_calls", messages => "tool_use",
              cohere => "TOOL_CALL", converse => "tool_use");

# headers of a client that mean nothing to another vendor

my @headers = ("anthropic-version" => "2023-06-01",
               "anthropic-beta" => "canary-beta-2025",
               "OpenAI-Beta" => "canary=v2",
               "OpenAI-Organization" => "org-canary",
               "X-Goog-Api-Client" => "canary/1",
               "X-Stainless-Lang" => "canary",
               "X-Fern-Language" => "canary",
               "X-Amz-Target" => "canary",
               "X-Api-Key" => "client-key-canary",
               "Cookie" => "canary=1", "Accept-Encoding" => "gzip");

# what a provider's account counts is the same whoever asks

my %counted;


# in all dialects

sub usage_of {
    my ($surface, $usage) = @_;

    my @names = $surface eq "chat" ? qw(prompt_tokens completion_tokens)
              : $surface eq "gemini" ? qw(promptTokenCount
                                          candidatesTokenCount)
              : $surface eq "converse" ? qw(inputTokens outputTokens)
              : qw(input_tokens output_tokens);

    $usage = $usage->{tokens} if $surface eq "cohere" && $usage;

    my ($in, $out) = @{$usage || {}}{@names};

    $in += ($usage->{cache_read_input_tokens} || 0)
           + ($usage->{cacheReadInputTokens} || 0) if defined $in;

    return join " ", map { defined $_ ? $_ : "-" } $in, $out;
}


for my $target (targets()) {
    for my $surface (surfaces()) {
        pair($target, $surface, $_) for 0, 1;
    }
}


sub pair {
    my ($target, $surface, $stream) = @_;

    my $name = "$surface to $target" . ($stream ? ", stream" : "");
    my $model = "fault-ok:n:12:d:0";
    my %more = $surface eq "chat" && $stream
        ? (stream_options => { include_usage => JSON::PP::true }) : ();

    my $r = ask_as($ng, $surface, $target, "fault-ok", stream => $stream,
                   headers => \@headers, more => \%more);
    my $a = eval { answer_of($surface, $r) } || { text => $@ };
    my $log = next_log($ng);

    is("$r->{status} $a->{text}", "200 " . text(), "$name: the text")
        or diag(substr $r->{body}, 0, 600);
    is($a->{finish}, $finish{$surface}, "$name: the finish");
    ok($r->{complete} && $a->{ended} && !$a->{error}, "$name: complete");
    like($r->header("content-type"),
         $stream ? qr/\A\Q@{[type_of_stream($surface)]}\E/
                 : qr{\Aapplication/json}, "$name: the type");
    ok(!$a->{gap} && !$a->{differs}, "$name: no gap, no difference");

    # what was counted

    my $tokens = join " ", @{$log->{tokens}}{qw(in out cached source)};

    $counted{$target} ||= $tokens;
    is($tokens, $counted{$target}, "$name: the log counts the same");
    is(usage_of($surface, $a->{usage}),
       "$log->{tokens}{in} $log->{tokens}{out}", "$name: the client, too");
    is($log->{model_response}, "fault-ok", "$name: the model, in the log")
        unless $target eq "bedrock" || $target eq "cohere";

    head_of($name, $target, $surface, $stream, last_request());
}


sub head_of {
    my ($name, $target, $surface, $stream, $req) = @_;

    my ($path, $streamed, $auth) = @{$asked{$target}};
    my %h = map { @$_ } @{$req->{headers}};
    my $doc = eval { JSON::PP::decode_json($req->{body}) } || {};
    my $bypass = ($surface eq (native($target) || ""))
                 || ($target eq "openai" && $surface eq "responses");

    $path = $streamed if $stream && $streamed;
    $path = "/v1/responses" if $target eq "openai"
                               && $surface eq "responses";
    $path =~ s/MODEL/fault-ok/;

    is("$req->{method} $req->{target}", "POST $path", "$name: the path");
    ok($h{$auth}, "$name: a key in $auth");

    if ($target eq "bedrock") {
        ok($req->{sigv4}{ok}, "$name: signed")
            or diag($req->{sigv4}{problem});
    } else {
        like($h{$auth}, qr/\A(?:Bearer )?\Q@{[secret()]}\E\z/,
             "$name: the provider's");
    }

    is($h{"content-type"}, "application/json", "$name: the body's type");
    is($h{"accept-encoding"}, "identity", "$name: no coding is asked for");
    is($h{"anthropic-version"}, $target eq "anthropic" ? "2023-06-01" : undef,
       "$name: anthropic-version") unless $bypass;

    if (!$bypass) {
        unlike(json($req->{headers}), qr/canary/,
               "$name: nothing of the client's dialect");
    }

    unlike(json($req->{headers}), qr/client-key-canary|org-canary/,
           "$name: no key of the client");

    # where the path has the model, the body need not

    if ($target eq "gemini" || $target eq "bedrock") {
        ok(!exists $doc->{stream}, "$name: no \"stream\" in the body")
            unless $bypass;
    } else {
        is($doc->{model}, "fault-ok", "$name: the model in the body");
        is($doc->{stream} ? 1 : 0, $stream, "$name: stream in the body");
    }
}


# tools

for my $target (targets()) {
    for my $surface (surfaces()) {
        calls($target, $surface, $_) for 0, 1;
    }
}


sub calls {
    my ($target, $surface, $stream) = @_;

    return if $target eq "responses"
              || $target eq "openai" && $surface eq "responses";

    my $name = "$surface to $target" . ($stream ? ", stream" : "");
    my $r = ask_as($ng, $surface, $target, "fault-tool-call",
                   stream => $stream, tools => 1);
    my $a = eval { answer_of($surface, $r) } || { calls => [] };
    my $call = $a->{calls}[0] || {};
    my $args = eval { JSON::PP->new->decode($call->{args}) };

    is($call->{name}, "get_weather", "$name: the name of a call")
        or diag(substr $r->{body}, 0, 600);
    is(ref $args eq "HASH" ? json($args) : "",
       json({ city => "Z\x{fc}rich \"old\" \x{e9}", n => 1.5, e => [] }),
       "$name: its arguments") or diag($call->{args});
    is(scalar @{$a->{calls}}, 1, "$name: one call");
    is($a->{finish}, $called{$surface}, "$name: its finish");
    ok($surface eq "gemini" || length $call->{id}, "$name: its id");
    is(next_log($ng)->{tools}, "get_weather", "$name: in the log");

    my $doc = JSON::PP::decode_json(last_request()->{body});
    like(json($doc), qr/"get_weather"/, "$name: the tool was offered");
}


# Gemini's clients that do not ask for events get an array

for my $target (grep { $_ ne "gemini" } targets()) {
    my $r = ask_as($ng, "gemini", $target, "fault-ok", stream => 1,
                   array => 1);
    my $a = answer_of("gemini", $r);

    is($a->{text}, text(), "an array of Gemini's from $target")
        or diag(substr $r->{body}, 0, 300);
    is($r->header("content-type"), "application/json", "its type");
    cmp_ok($a->{events}, ">", 1, "of several elements");
}


# limits

for my $target (targets()) {
    my $r = ask_as($ng, "chat", $target, "fault-finish-length");
    is(answer_of("chat", $r)->{finish}, "length", "cut short by $target")
        unless $target eq "responses";
}

finish();

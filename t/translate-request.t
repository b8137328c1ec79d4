#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Requests on their way to another dialect: what is dropped and how that is
# told, what is refused, state of another provider's, tokens that are counted
# here, vectors, paths of vendors.

use strict;
use warnings;

use AITest;
use AITest::Hub;
use Test::More;


my $dir = workdir();
my $origin = "http://127.0.0.1:" . port("main");
my $key = "file:$dir/key";
my %hub = hub();
my @azure = (endpoint => "$origin/openai", api_version => "2024-10-21");

my %more = routes(
    reject => { dialect => "anthropic",
                switches => "ai_unsupported reject;" },
    warn => { dialect => "anthropic", switches => "ai_unsupported warn;" },
    drop => { dialect => "anthropic", switches => "ai_unsupported drop;" },
    classic => { @azure, preset => "azure-classic", dialect => "openai" },
    foundry => { @azure, endpoint => "$origin/models", dialect => "openai",
                 preset => "azure-foundry" },
    mistral => { preset => "mistral", dialect => "openai" },
    deepseek => { preset => "deepseek", dialect => "openai",
                  endpoint => "$origin" },
);

my $ng = nginx(http => $hub{http} . $more{http},
               locations => $hub{locations} . $more{locations}
                   . 'add_header X-Test-Dropped $ai_dropped;');


sub sent { return JSON::PP::decode_json(last_request()->{body} || "{}") }


# what is dropped

my %extra = (logit_bias => { 5 => 1 }, seed => 7);

for my $name (qw(drop warn reject anthropic)) {
    my $before = requests();
    my $r = ask_as($ng, "chat", $name, "claude-x", more => \%extra);
    my $log = next_log($ng);

    if ($name eq "reject") {
        is($r->{status}, 400, "reject: 400") or diag($r->{body});
        my $e = answer_of("chat", $r)->{error};
        is($e->{type}, "invalid_request_error", "reject: the type");
        like($e->{param}, qr/\A(?:logit_bias|seed)\z/, "reject: the param");
        like($e->{message}, qr/"reject".*(?:logit_bias|seed)/,
             "reject: the message");
        is(scalar(requests()), $before, "reject: the provider is not asked");
        next;
    }

    is($r->{status}, 200, "$name: 200");
    is(join(",", sort split /,/, $r->header("x-ai-dropped") || ""),
       "logit_bias,seed", "$name: the header");
    is($r->header("x-test-dropped"), $r->header("x-ai-dropped"),
       "$name: the variable");
    is($log->{dropped}, $r->header("x-ai-dropped"), "$name: the log");

    my $warned = error_log($ng) =~ /\[warn\].*"$name".*dropped: \S*seed/;
    is($warned ? 1 : 0, $name eq "warn" ? 1 : 0, "$name: the error log");
    ok(!exists sent()->{seed}, "$name: it is not sent");
}

for my $stream (0, 1) {
    my $r = ask_as($ng, "chat", "anthropic", "m", stream => $stream);
    next_log($ng);
    is($r->header("x-ai-dropped"), undef, "nothing dropped: no header");
}

# names that a client makes up stay printable, and short

my $r = ask_as($ng, "chat", "anthropic", "m", body => json({
    model => "m", messages => [{ role => "user", content => "x" }],
    "a\r\nx-evil: 1" => 1, ("b" x 300) => 1, "\x{1f600},\"" => 1 }));
my $log = next_log($ng);
is($r->{status}, 200, "names made up");
is($r->header("x-evil"), undef, "no header comes of them");
cmp_ok(length($r->header("x-ai-dropped") || ""), "<", 400, "they are cut");
is($log->{dropped}, $r->header("x-ai-dropped"), "the log is the same");


# what is refused, in the dialect of the client, before anything is sent

my @refused = (
    ["chat", "anthropic", { n => 3 }, "n"],
    ["chat", "anthropic", { messages => [{ role => "user", content => [
        { type => "input_audio", input_audio => { data => "AA==",
          format => "wav" } }] }] }, qr/\Amessages/],
    ["chat", "cohere", { messages => "hi" }, "messages"],
    ["chat", "gemini", { messages => [{ role => "user",
                                        content => 7 }] }, qr/\Amessages/],
    ["messages", "openai", { messages => [{ role => "user",
                                            content => 7 }] },
     qr/\Amessages/],
    ["gemini", "openai", { contents => 1 }, qr/\Acontents/],
    ["cohere", "anthropic", { messages => {} }, "messages"],
    ["converse", "openai", { messages => 3 }, "messages"],
    ["responses", "anthropic", { previous_response_id => "resp_1" },
     "previous_response_id"],
    ["responses", "gemini", { conversation => "conv_1" }, "conversation"],
    ["responses", "bedrock", { background => JSON::PP::true }, "background"],
);

for my $case (@refused) {
    my ($surface, $target, $body, $param) = @$case;

    for my $stream (0, 1) {
        my $before = requests();
        my $r = ask_as($ng, $surface, $target, "m", more => $body,
                       stream => $stream);
        my $name = "$surface to $target, " . (keys %$body)[0];
        my $a = answer_of($surface, $r);

        next_log($ng);
        is($r->{status}, 400, "$name: 400") or diag($r->{body});
        ok(length($a->{error}{message} || ""), "$name: a message");
        like(json($r->json), ref $param ? qr/messages|contents/
                                        : qr/\b\Q$param\E\b/,
             "$name: the member");
        is(scalar(requests()), $before, "$name: nothing was sent");

        if ($surface eq "chat" || $surface eq "responses") {
            like($a->{error}{param} || "", ref $param ? $param
                                                      : qr/\A\Q$param\E\z/,
                 "$name: the param");
        }
    }
}

# who speaks Responses keeps state

for my $target (qw(responses openai)) {
    my %state = (previous_response_id => "resp_1", store => JSON::PP::true,
                 background => JSON::PP::false);
    $r = ask_as($ng, "responses", $target, "m", more => \%state);
    next_log($ng);
    is($r->{status}, 200, "state of Responses passes to $target");
    is(sent()->{previous_response_id}, "resp_1", "as it is");
}


# state of another provider in a body of the provider's own dialect

my $theirs = "YWlndzE6LQAA";

$r = ask_as($ng, "messages", "anthropic", "m", more => { messages => [
    { role => "user", content => "a" },
    { role => "assistant", content => [
        { type => "thinking", thinking => "hm", signature => $theirs },
        { type => "text", text => "b" }] },
    { role => "user", content => "c" }] });
next_log($ng);
is($r->{status}, 200, "a foreign signature") or diag($r->{body});
unlike(last_request()->{body}, qr/\Q$theirs\E/, "is not sent");
like(last_request()->{body}, qr/"b"/, "all else is");
is(answer_of("messages", $r)->{text}, text(), "and answered");

$r = ask_as($ng, "messages", "anthropic", "m", stream => 1,
            more => { messages => [
    { role => "user", content => "a" },
    { role => "assistant", content => [
        { type => "thinking", thinking => "hm", signature => "EqQBCanary" },
        { type => "text", text => "b" }] },
    { role => "user", content => "c" }] });
next_log($ng);
like(last_request()->{body}, qr/EqQBCanary/, "its own is, as it was");


# tokens

for my $target (grep { $_ ne "anthropic" } targets()) {
    fake_reset();
    $r = post($ng, "/$target/v1/messages/count_tokens", json({
        model => "m", messages => [{ role => "user",
                                     content => "word " x 100 }] }));
    next_log($ng);
    is($r->{status}, 200, "count_tokens without $target") or diag($r->{body});
    cmp_ok($r->json->{input_tokens}, ">", 50, "an estimate");
    cmp_ok($r->json->{input_tokens}, "<", 300, "of some sense");
    is(scalar(requests()), 0, "the provider is not asked");

    next if $target eq "gemini";
    $r = post($ng, "/$target/v1beta/models/m:countTokens", json({
        contents => [{ role => "user",
                       parts => [{ text => "word " x 100 }] }] }));
    next_log($ng);
    cmp_ok($r->json->{totalTokens} || 0, ">", 50,
           "countTokens without $target");
}

for my $bad ("x", "[]", '{"model":"m","messages":3}', "{}") {
    $r = post($ng, "/gemini/v1/messages/count_tokens", $bad);
    next_log($ng);
    is($r->{status}, 400, "count_tokens of $bad");
}

$r = post($ng, "/anthropic/v1/messages/count_tokens",
          json({ model => "m", messages => [] }));
next_log($ng);
is($r->json->{input_tokens}, 11, "by the provider that can");
is(last_request()->{path}, "/v1/messages/count_tokens", "its path");


# vectors

my @texts = ("a", "b \x{e9}", "c");

my %embed = (
    openai => sub { ["/v1/embeddings", { model => "m", input => $_[0] },
                     sub { map { $_->{embedding} } @{$_[0]{data}} }] },
    cohere => sub { ["/v2/embed", { model => "m", texts => $_[0],
                                    input_type => "search_document",
                                    embedding_types => ["float"] },
                     sub { @{$_[0]{embeddings}{float}} }] },
    gemini => sub { ["/v1beta/models/m:batchEmbedContents",
                     { requests => [map { { model => "models/m",
                         content => { parts => [{ text => $_ }] } } }
                         @{$_[0]}] },
                     sub { map { $_->{values} } @{$_[0]{embeddings}} }] },
);

for my $target (qw(openai cohere gemini ollama)) {
    for my $surface (sort keys %embed) {
        my ($path, $body, $read) = @{$embed{$surface}->(\@texts)};
        my $name = "vectors, $surface to $target";

        $r = post($ng, "/$target$path", json($body));
        $log = next_log($ng);
        is($r->{status}, 200, $name) or diag($r->{body});

        my @v = eval { $read->($r->json) };
        is(json(\@v), json([[0.125, -0.5, 1e-05], [0.25, -0.5, 1e-05],
                            [0.375, -0.5, 1e-05]]), "$name: all, in order")
            or diag($r->{body});
        cmp_ok($log->{tokens}{in}, ">", 0, "$name: counted");
        is($log->{tokens}{source}, "provider", "$name: by the provider")
            unless $target eq "gemini";
    }
}

for my $target (qw(cohere gemini ollama)) {
    $r = post($ng, "/$target/v1/embeddings",
              json({ model => "m", input => "x",
                     encoding_format => "base64" }));
    next_log($ng);

    my $data = eval { $r->json->{data}[0]{embedding} };
    require MIME::Base64;
    is(join(" ", map { sprintf "%.5f", $_ }
            unpack "f<*", MIME::Base64::decode_base64($data || "")),
       "0.12500 -0.50000 0.00001", "vectors of $target in base64")
        or diag($r->{body});
}

for my $target (qw(anthropic bedrock)) {
    $r = post($ng, "/$target/v1/embeddings",
              json({ model => "m", input => "x" }));
    next_log($ng);
    is($r->{status}, 501, "no vectors of $target") or diag($r->{body});
}

$r = post($ng, "/cohere/v1/embeddings",
          json({ model => "fault-status-429", input => "x" }));
next_log($ng);
is($r->{status}, 429, "an error instead of vectors");
$r = post($ng, "/cohere/v1/embeddings",
          json({ model => "fault-200-array", input => "x" }));
next_log($ng);
is($r->{status}, 502, "no vectors in an answer");


# paths of vendors

for my $case (["chat", 0], ["messages", 1], ["gemini", 1]) {
    my ($surface, $stream) = @$case;

    $r = ask_as($ng, $surface, "classic", "gpt-4o", stream => $stream);
    next_log($ng);
    is($r->{status}, 200, "Azure, $surface") or diag($r->{body});
    is(last_request()->{target}, "/openai/deployments/gpt-4o/chat/completions"
       . "?api-version=2024-10-21", "its path");
    my %h = map { @$_ } @{last_request()->{headers}};
    is($h{"api-key"}, secret(), "its key");

    ask_as($ng, $surface, "foundry", "phi", stream => $stream);
    next_log($ng);
    is(last_request()->{target},
       "/models/chat/completions?api-version=2024-10-21", "Foundry");

    ask_as($ng, $surface, "deepseek", "deepseek-chat", stream => $stream);
    next_log($ng);
    is(last_request()->{target}, "/chat/completions", "DeepSeek");
}

$r = post($ng, "/classic/openai/deployments/dep-1/chat/completions"
          . "?api-version=2023-05-15",
          json({ messages => [{ role => "user", content => "x" }] }));
next_log($ng);
is($r->{status}, 200, "a client of Azure") or diag($r->{body});
is(last_request()->{target}, "/openai/deployments/dep-1/chat/completions"
   . "?api-version=2024-10-21", "one version, the provider's");

ask_as($ng, "chat", "mistral", "m", stream => 1,
       more => { seed => 3, user => "u", tool_choice => "auto" });
next_log($ng);
is(sent()->{random_seed}, 3, "Mistral: a member renamed");
ok(!exists sent()->{user} && !exists sent()->{stream_options},
   "Mistral: members dropped");

finish();

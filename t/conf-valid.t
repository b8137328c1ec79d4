#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Configurations that are accepted, the warnings they give, and what of them
# a provider and a client notice.

use strict;
use warnings;

use AITest;
use Test::More;


my $dir = workdir();
my $key = "key file:$dir/key;";
my $lab = "ai_provider lab { dialect openai; endpoint http://127.0.0.1:1;";


# accepted(name, http, warnings expected)

sub accepted {
    my ($name, $http, @warnings) = @_;

    my ($ok, $out) = AITest::conf_test(http => $http, locations => "");
    my @got = $out =~ /\[warn\] (.*)/g;

    my $passed = ok($ok && @got == @warnings, $name);
    diag($out) unless $passed;

    for my $i (0 .. $#warnings) {
        like($got[$i] || "", $warnings[$i], "$name: warning");
    }
}


chmod 0600, "$dir/key";

accepted("nothing", "");
accepted("all directives of a provider", "
    ai_provider all {
        preset groq; dialect anthropic; auth x-api-key;
        endpoint http://127.0.0.1:1/base/; $key
        without_key http://unix:/tmp/none.sock;
        header x-a 'b c'; header x-b c; query api-version 2025-04-01;
        connect_timeout 500ms; first_token_timeout 1m; idle_timeout 1m;
        timeout 1h; keepalive 0; keepalive_timeout 1m;
        keepalive_requests 10; ssl_verify off; ssl_verify_depth 2;
        project a.b:c-1; region us-east-1; api_version 2024-05-01-preview;
        ssl_name x.test; ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers HIGH;
    }");

# each row of the table of vendors

my $table = slurp("ngx_http_ai_gateway_module/core/ai_vendor_table.c");
my @presets = $table =~ /^    \{ ai_string\("([^"]+)"\), "/gm;
my $args = "region us-east-1; project p; api_version 2024-10-21;";

cmp_ok(scalar @presets, '>', 30, "presets found in the table");

for my $preset (@presets) {
    my $block = "$key auth bearer; endpoint http://127.0.0.1:1; $args";

    accepted("preset $preset", "
        ai_provider $preset { $block }
        ai_provider x { preset $preset; $block }");
}

accepted("preset $_, no key", "ai_provider $_ { }")
    for qw(ollama ollama-native vllm llamacpp sglang lmstudio);

accepted("dialect $_", "
    ai_provider x { dialect $_; auth none; endpoint http://127.0.0.1:1; }")
    for qw(openai responses anthropic gemini cohere bedrock ollama);

# the hosts do not exist

accepted("region in $_->[0]", "
        ai_provider x { preset $_->[0]; $key auth bearer; region no-where-1;
                        project p; }",
         qr/host "\Q$_->[1]\E" of ai_provider "x" is not found/)
    for ["bedrock", "bedrock-runtime.no-where-1.amazonaws.com"],
        ["bedrock-mantle", "bedrock-mantle.no-where-1.api.aws"],
        ["vertex", "no-where-1-aiplatform.googleapis.com"];


accepted("endpoint $_", "ai_provider x { dialect gemini; endpoint $_; }")
    for qw(http://127.0.0.1 HTTP://127.0.0.1:8080/ http://[::1]:8080/v1
           https://[::1]/a/b/ http://unix:/tmp/none.sock
           http://unix:/tmp/none.sock:/v1 http://127.0.0.1/a@b/%20);

accepted("an unknown host",
         "ai_provider x { dialect openai; endpoint http://no.invalid; }",
         qr/host "no.invalid" of ai_provider "x" is not found: .* "resolver"/);

accepted("an unknown host, but a resolver", "
    resolver 127.0.0.1:1;
    ai_provider x { dialect openai; endpoint http://no.invalid; }");

accepted("include", do {
    spew("$dir/more", "idle_timeout 5s;\nheader x-a b;\n");
    "$lab include $dir/more; }"
});

accepted("forward references, slashes, patterns", "
    ai_tier org/a { alias a* ~^b ~*^C; target lab/org/model:free; default; }
    ai_tier b-1 { target lab/*; }
    $lab }");

accepted("an upstream, declared later", "
    ai_provider x { dialect openai; endpoint http://Pool; }
    ai_provider y { dialect openai; endpoint http://pool/v2; }
    upstream pool { server 127.0.0.1:1; keepalive 4; }");

accepted("an upstream shared with one TLS identity", "
    upstream pool { server 127.0.0.1:1; }
    ai_provider x { dialect openai; endpoint https://pool; }
    ai_provider y { dialect openai; endpoint https://pool; }");

accepted("ssl_verify off", "
    ai_provider x { dialect openai; endpoint https://[::1]; ssl_verify off; }",
    qr/"ssl_verify" is off in ai_provider "x": whoever answers/);

my $exposed = qr/"ai_gateway" asks for no key of its own and \S+ is not loop/;

for my $listen (["127.0.0.1:8081"], ["127.1.2.3:8081"], ["[::1]:8081"],
                ["unix:$dir/sock"], ["8081", $exposed],
                ["[::]:8081", $exposed], ["10.0.0.1:8081", $exposed])
{
    my ($addr, @warnings) = @$listen;

    my $server = "server { listen $addr; location /a { ai_gateway on; }
                  location /b { ai_gateway on; } }";

    # an address that this machine does not have cannot be listened on

    my (undef, $out) = AITest::conf_test(http => "$lab $key } $server",
                                         locations => "");
    is(() = $out =~ /$exposed/g, scalar @warnings, "listen $addr");

    (undef, $out) = AITest::conf_test(http => "$lab } $server",
                                      locations => "");
    unlike($out, $exposed, "listen $addr, no key to spend");
}

accepted("switches", "
    $lab } ai_tier a { target lab/m; }
    ai_route a; ai_cors *; ai_response_headers route timing upstream;
    ai_max_response 1k; ai_max_event 1k;
    server {
        listen 127.0.0.1:8081;
        ai_route \$arg_a; ai_cors https://a.test app://x null max_age=1h;
        location / {
            ai_gateway on; ai_route off; ai_cors off;
            ai_response_headers off;
        }
    }");


# names, base, headers, queries, Host

my $at = "127.0.0.1:" . port("main");

my $ng = nginx(
    http => "
        ai_provider base { dialect openai; endpoint http://$at; $key
                           header x-team red; query v 1; }
        ai_provider path { dialect openai; endpoint http://$at/v1/; }
        ai_provider groq { $key endpoint http://$at; }
        ai_provider cloudflare { $key endpoint http://$at; project acc; }
        ai_provider deepseek { $key endpoint http://$at; }
        ai_provider azure-classic { $key endpoint http://$at;
                                    api_version 2024-10-21; }
        ai_tier one { alias m1 pre* ~^re; target base/upstream-1; }
        ai_tier org/two { target path/*; }
        ai_tier groq { target groq/m; }
        ai_tier cloudflare { target cloudflare/m; }
        ai_tier deepseek { target deepseek/m; }
        ai_tier azure-classic { target azure-classic/m-1; }
        map \$http_x_tier \$tier { default ''; two org/two; }",
    locations => "
        location / { ai_gateway on; }
        location /fixed/ { ai_gateway on; ai_route one; }
        location /map/ { ai_gateway on; ai_route \$tier; }
        location /nested/ {
            ai_gateway on;
            location /nested/in/ { ai_max_event 2m; }
            location /nested/off/ { ai_gateway off; return 204; }
        }
        location /if/ {
            ai_gateway on;
            if (\$http_x_a) { set \$dummy 1; }
        }");

for my $case (["m1", "upstream-1"], ["prefix", "upstream-1"],
              ["regex", "upstream-1"], ["one", "upstream-1"],
              ["org/two", "org/two"])
{
    my ($model, $upstream) = @$case;

    good(chat($ng, $model), "model $model");
    like(json(last_request()), qr/\Q$upstream\E/, "model $model: upstream");
}

chat($ng, "one");
my $sent = json(last_request());
like($sent, qr{/v1/chat/completions\?v=1}, "default base, query");
like($sent, qr/x-team/i, "header");
like($sent, qr/\Q$at\E/, "Host has the port");

for my $case (["groq", "/openai/v1/chat/completions"],
              ["cloudflare",
               "/client/v4/accounts/acc/ai/v1/chat/completions"],
              ["deepseek", "/chat/completions"],
              ["azure-classic", "/openai/deployments/m-1/chat/completions"
                                . "?api-version=2024-10-21"])
{
    my ($preset, $want) = @$case;

    good(chat($ng, $preset), "preset $preset");
    like(json(last_request()), qr{"\Q$want\E"}, "preset $preset: path");
}

my $path = "v1/chat/completions";

good(chat($ng, "m", path => "/fixed/$path"), "ai_route with a name");
good(chat($ng, "one", path => "/map/$path"), "ai_route with an empty value");
good(chat($ng, "m", path => "/map/$path", headers => ["X-Tier", "two"]),
     "ai_route with a variable");
good(chat($ng, "one", path => "/nested/in/$path"), "a nested location");
good(chat($ng, "one", path => "/if/$path", headers => ["X-A", "1"]),
     "if in the location");
is(get($ng, "/nested/off/x")->{status}, 204, "off in a nested location");

finish();

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# What is wrong in a configuration is told by "nginx -t", with the place and
# what was expected.  A row is a name, a configuration of http{}, the line
# that must be told (0: none is), and what must be said.

use strict;
use warnings;

use AITest;
use Test::More;


my $file = workdir() . "/errors.conf";
my $local = "endpoint http://127.0.0.1:1/v1;";
my $lab = "ai_provider lab { dialect openai; $local";

spew(workdir() . "/inside.conf", "idle_timeout 5s;\nidle_timeuot 5s;\n");
spew(workdir() . "/empty", "\n");
spew(workdir() . "/two", "sk-one\nsk-two\n");
spew(workdir() . "/huge", "k" x 8193);
spew(workdir() . "/nul", "k\0k");

my $dir = workdir();

my @rows = (

    # blocks

    ["no name", "ai_provider {\n}", 1,
     'invalid number of arguments in "ai_provider" directive'],
    ["no block", "ai_provider openai;", 1,
     'directive "ai_provider" has no opening "{"'],
    ["bad name", "ai_provider a/b {\n}", 1,
     'invalid name "a/b", expected up to 64 letters, digits'],
    ["unknown directive", "ai_provider lab {\n    idle_timeuot 5s;\n}", 2,
     'unknown directive "idle_timeuot" in ai_provider "lab", '
     . 'did you mean "idle_timeout"?'],
    ["unknown, nothing near", "ai_provider lab {\n    zzzzzz 5s;\n}", 2,
     'unknown directive "zzzzzz" in ai_provider "lab"'],
    ["include inside", "$lab\ninclude $dir/inside.conf;\n}", -2,
     'unknown directive "idle_timeuot" in ai_provider "lab", did you mean'],
    ["include of nothing", "$lab\ninclude $dir/absent.conf;\n}", 2,
     'open() "' . $dir . '/absent.conf" failed'],
    ["include of two", "$lab\ninclude a b;\n}", 2,
     'invalid number of arguments in "include" directive of ai_provider'],
    ["nested block", "$lab\nheader {\n}\n}", 2, 'unexpected "{"'],
    ["no end", "$lab\n", 2, 'unexpected end of file, expecting "}"'],
    ["arguments", "$lab\nidle_timeout 5s 6s;\n}", 2,
     'invalid number of arguments in "idle_timeout" directive of '
     . 'ai_provider "lab"'],
    ["no argument", "$lab\nkey;\n}", 2, 'invalid number of arguments in "key"'],
    ["duplicate directive", "$lab\nidle_timeout 5s;\nidle_timeout 6s;\n}", 3,
     '"idle_timeout" directive of ai_provider "lab" is duplicate'],
    ["duplicate block", "$lab }\n$lab\n}", 2,
     "duplicate ai_provider \"lab\", the first is in $file:1"],
    ["block in server", "server { $lab } }", 1,
     '"ai_provider" directive is not allowed here'],

    # values

    ["time", "$lab\ntimeout 5x;\n}", 2,
     '"timeout" directive of ai_provider "lab" has an invalid value, '
     . 'expected a time, e.g. "30s"'],
    ["no time at all", "$lab\nconnect_timeout 0;\n}", 2,
     '"connect_timeout" directive of ai_provider "lab" must be above zero'],
    ["number", "$lab\nkeepalive many;\n}", 2,
     'has an invalid value, expected a number'],
    ["too many", "$lab\nkeepalive 65537;\n}", 2, 'between 0 and 65536'],
    ["flag", "$lab\nssl_verify maybe;\n}", 2,
     'it must be "on" or "off"'],
    ["protocol", "$lab\nssl_protocols TLSv9;\n}", 2,
     'invalid value "TLSv9"'],
    ["preset", "ai_provider x {\n    preset opnai;\n}", 2,
     'unknown value "opnai" in "preset", did you mean "openai"?'],
    ["preset, nothing near", "ai_provider x {\n    preset zzzzzz;\n}", 2,
     'unknown value "zzzzzz" in "preset", expected "openai", "anthropic"'],
    ["dialect", "ai_provider x {\n    dialect antropic;\n}", 2,
     'unknown value "antropic" in "dialect", did you mean "anthropic"?'],
    ["dialect, nothing near", "ai_provider x {\n    dialect zzzzzz;\n}", 2,
     'unknown value "zzzzzz" in "dialect", expected "openai", "responses", '
     . '"anthropic", "gemini", "cohere", "bedrock" or "ollama"'],
    ["auth", "$lab\nauth basic;\n}", 2,
     'unknown value "basic" in "auth", expected "bearer", "x-api-key", '
     . '"api-key", "x-goog-api-key", "sigv4", "google" or "none"'],
    ["region", "$lab\nregion us_east/1;\n}", 2,
     'invalid value "us_east/1" in "region", expected up to 128 letters, '
     . 'digits and "-"'],
    ["project", "$lab\nproject a/b;\n}", 2,
     'invalid value "a/b" in "project", expected up to 128 letters, digits '
     . 'and "-_.:"'],
    ["empty project", "$lab\nproject '';\n}", 2,
     'invalid value "" in "project"'],
    ["api_version", "$lab\napi_version 2024?x;\n}", 2,
     'invalid value "2024?x" in "api_version", expected up to 128 letters, '
     . 'digits and "-_."'],
    ["region twice", "$lab\nregion a;\nregion b;\n}", 3, 'is duplicate'],

    # endpoint

    ["no scheme", "ai_provider x {\nendpoint api.x.com/v1;\n}", 2,
     '"endpoint" of ai_provider "x" has no "http://" or "https://", '
     . 'expected e.g. "https://api.example.com/v1"'],
    ["user", "ai_provider x {\nendpoint https://u:CANARY\@h/v1;\n}", 2,
     'has a user name, use the directive "key"'],
    ["query", "ai_provider x {\nendpoint https://h/v1?key=CANARY;\n}", 2,
     'has a query, use the directive "query"'],
    ["fragment", "ai_provider x {\nendpoint https://h/v1#a;\n}", 2,
     'has a fragment'],
    ["variable", "ai_provider x {\nendpoint https://\$h/v1;\n}", 2,
     'has a variable, which is not supported'],
    ["blank", "ai_provider x {\nendpoint 'https://h/v 1';\n}", 2,
     'has a character that needs URL-encoding'],
    ["port", "ai_provider x {\nendpoint https://h:70000/v1;\n}", 2,
     'invalid port in "endpoint" "https://h:70000/v1" of ai_provider "x"'],
    ["no host", "ai_provider x {\nendpoint https:///v1;\n}", 2,
     'no host in "endpoint"'],
    ["unix", "ai_provider x {\nendpoint http://unix::/v1;\n}", 2,
     'in "endpoint" "http://unix::/v1" of ai_provider "x"'],
    ["without_key too", "ai_provider openai {\nkey env:NONE;\n"
     . "without_key 127.0.0.1;\n}", 3,
     '"without_key" of ai_provider "openai" has no "http://"'],
    ["no endpoint", "ai_provider x {\ndialect openai;\n}", 1,
     'ai_provider "x" has no "endpoint" and is not a preset'],
    ["azure", "\nai_provider azure { key file:$dir/key; }", 2,
     'ai_provider "azure" has no "endpoint", expected e.g. "https://RESOURCE'],
    ["bedrock, no region", "\nai_provider bedrock { key env:AI_UNSET; }", 2,
     'ai_provider "bedrock" has no "region", expected e.g. '
     . '"region us-east-1"'],
    ["bedrock-mantle, no region",
     "\nai_provider x { preset bedrock-mantle; key env:AI_UNSET; }", 2,
     'ai_provider "x" has no "region"'],
    ["sigv4, no region", "$lab auth sigv4; key env:AI_UNSET; }", 1,
     'ai_provider "lab" has no "region", expected e.g. "region us-east-1"'],
    ["vertex, no project", "\nai_provider vertex { key env:AI_UNSET;\n"
     . "region global; }", 2,
     'ai_provider "vertex" has no "project", expected e.g. '
     . '"project my-project"'],
    ["vertex, no region", "\nai_provider vertex { key env:AI_UNSET;\n"
     . "project p; }", 2, 'ai_provider "vertex" has no "region"'],
    ["cloudflare, no project",
     "\nai_provider cloudflare { key file:$dir/key; }", 2,
     'ai_provider "cloudflare" has no "project"'],
    ["azure-classic, no version",
     "\nai_provider azure-classic { key file:$dir/key; $local }", 2,
     'ai_provider "azure-classic" has no "api_version", expected e.g. '
     . '"api_version 2024-10-21"'],
    ["no dialect", "ai_provider x { $local }", 1,
     'ai_provider "x" has no "dialect" and is not a preset'],
    ["upstream with a port", "upstream pool { server 127.0.0.1:1; }\n"
     . "ai_provider x { dialect openai; endpoint http://pool:81/; }", 2,
     'endpoint "http://pool:81/" of ai_provider "x" is an upstream{}, '
     . 'and may not have a port'],
    ["upstream shared", "upstream pool { server 127.0.0.1:1; }\n"
     . "ai_provider x { dialect openai; endpoint https://pool; }\n"
     . "ai_provider y { dialect openai; endpoint https://pool;\n"
     . "    ssl_name y.test; }", 3,
     'ai_provider "y" and "x" share the upstream "pool" but not their TLS'],
    ["upstream shared, plain", "upstream pool { server 127.0.0.1:1; }\n"
     . "ai_provider x { dialect openai; endpoint https://pool; }\n"
     . "ai_provider y { dialect openai; endpoint http://pool; }", 3,
     'ai_provider "y" and "x" share the upstream "pool" but not their TLS'],

    # keys

    ["literal", "$lab\nkey sk-CANARY;\n}", 2,
     'the key of ai_provider "lab" must not be written here, as "nginx -T" '
     . 'prints it: expected "env:NAME", "file:PATH"'],
    ["literal after a word", "$lab\nkey Bearer sk-CANARY;\n}", 2,
     'invalid parameter of "key", expected "weight=N"'],
    ["literal in a header", "$lab\nheader Authorization 'Bearer CANARY';\n}",
     2, 'header "Authorization" carries a credential, use "key" and "auth"'],
    ["literal in a query", "$lab\nquery key CANARY;\n}", 2,
     'query argument "key" carries a credential'],
    ["env without a name", "$lab\nkey env:;\n}", 2, 'expected "env:NAME"'],
    ["weight", "$lab\nkey file:$dir/key weight=0;\n}", 2,
     'expected "weight=N" with N from 1 to 1000'],
    ["none and a key", "$lab\nkey none;\nkey env:A;\n}", 3,
     '"key none" excludes other keys'],
    ["a key and none", "$lab\nkey file:$dir/key;\nkey none;\n}", 3,
     '"key none" excludes other keys'],
    ["none twice", "$lab\nkey none;\nkey none;\n}", 3, 'is duplicate'],
    ["no key", "\nai_provider openai {\n}", 2,
     'ai_provider "openai" has no "key", expected e.g. "key env:NAME", or '
     . '"key none"'],
    ["auth none", "$lab\nkey file:$dir/key; auth none;\n}", 1,
     'ai_provider "lab" has a "key", which "auth none" would never send'],
    ["without_key alone", "$lab\nwithout_key http://h;\n}", 1,
     '"without_key" of ai_provider "lab" needs a "key" that may be unset'],
    ["no file", "$lab\nkey file:$dir/absent;\n}", 2,
     "key \"file:$dir/absent\": open() \"$dir/absent\" failed"],
    ["relative file", "$lab\nkey file:absent;\n}", 2,
     'open() "PREFIX/absent" failed'],
    ["directory", "$lab\nkey file:$dir;\n}", 2, 'is not a regular file'],
    ["empty", "$lab\nkey file:$dir/empty;\n}", 2,
     "key \"file:$dir/empty\" is empty"],
    ["two lines", "$lab\nkey file:$dir/two;\n}", 2,
     'holds more than a key: byte 7 is not a printable ASCII character'],
    ["NUL", "$lab\nkey file:$dir/nul;\n}", 2,
     'byte 2 is not a printable ASCII character'],
    ["long", "$lab\nkey file:$dir/huge;\n}", 2, 'is longer than 8 KB'],
    ["credential with a path", "$lab\nkey credential:../x;\n}", 2,
     'expected the name of a credential without "/"'],

    # header, query

    ["header name", "$lab\nheader 'a b' c;\n}", 2,
     'invalid name "a b" in "header", expected letters'],
    ["own header", "$lab\nheader host x;\n}", 2,
     'header "host" is set by the gateway itself'],
    ["header value", "$lab\nheader x-a '\$b';\n}", 2,
     'invalid value of header "x-a"'],
    ["header split", "$lab\nheader x-a 'a\r\nb: c';\n}", 3,
     'invalid value of header "x-a"'],
    ["header twice", "$lab\nheader x-a a;\nheader X-A b;\n}", 3,
     'duplicate header "X-A"'],
    ["query value", "$lab\nquery a 'b&c=d';\n}", 2,
     'invalid "query" argument, expected a name and a value, URL-encoded'],
    ["query twice", "$lab\nquery a b;\nquery a c;\n}", 3,
     'duplicate query "a"'],

    # TLS

    ["half of a pair", "$lab\nssl_certificate a.pem;\n}", 1,
     '"ssl_certificate" and "ssl_certificate_key" need each other'],
    ["no CA file", "ai_provider x { dialect openai; endpoint https://[::1];\n"
     . "    ssl_trusted_certificate $dir/absent; }", 1,
     'cannot set up TLS of ai_provider "x", see the message above'],
    ["ciphers", "ai_provider x { dialect openai; endpoint https://[::1];\n"
     . "    ssl_ciphers NONE-SUCH; }", 1,
     'cannot set up TLS of ai_provider "x"'],

    # tiers

    ["no target", "$lab }\nai_tier a {\n}", 2,
     'ai_tier "a" has no "target", expected "target PROVIDER/MODEL"'],
    ["tier name", "ai_tier 'a b' {\n}", 1,
     'invalid name "a b" of an ai_tier, expected the name of a model'],
    ["tier directive", "ai_tier a {\n    targt lab/m;\n}", 2,
     'unknown directive "targt" in ai_tier "a", did you mean "target"?'],
    ["target without a model", "ai_tier a {\n    target lab;\n}", 2,
     'invalid target "lab", expected "PROVIDER/MODEL"'],
    ["target with an empty one", "ai_tier a {\n    target lab/;\n}", 2,
     'invalid target "lab/", expected'],
    ["target with a bad one", "ai_tier a {\n    target lab/a..b;\n}", 2,
     'invalid target "lab/a..b", expected'],
    ["target parameter", "ai_tier a {\n    target lab/m wieght=3;\n}", 2,
     'unknown parameter "wieght=3" of "target"'],
    ["two targets", "ai_tier a {\n    target lab/m;\n    target lab/n;\n}",
     3, "only one \"target\" is supported in this version, ai_tier \"a\" has "
     . "its own in $file:2"],
    ["unknown provider", "$lab }\nai_tier a {\n    target lba/m;\n}", 3,
     'unknown ai_provider "lba" in target "lba/m", did you mean "lab"?'],
    ["tier twice", "$lab }\nai_tier a { target lab/m; }\n"
     . "ai_tier a { target lab/n; }", 3,
     "duplicate ai_tier \"a\", the first is in $file:2"],
    ["alias twice", "$lab }\nai_tier a { alias gpt-5*; target lab/m; }\n"
     . "ai_tier b { alias x gpt-5*; target lab/m; }", 3,
     "alias \"gpt-5*\" of ai_tier \"b\" is already taken by \"a\" at $file:2"],
    ["alias twice in one", "$lab }\nai_tier a {\nalias x;\nalias x;\n"
     . "target lab/m; }", 4,
     "alias \"x\" of ai_tier \"a\" is already taken by \"a\" at $file:3"],
    ["alias of a name", "$lab }\nai_tier a { target lab/m; }\n"
     . "ai_tier b { alias a; target lab/m; }", 3,
     "alias \"a\" of ai_tier \"b\" is already taken by \"a\" at $file:2"],
    ["name of an alias", "$lab }\nai_tier a { alias b; target lab/m; }\n"
     . "ai_tier b { target lab/m; }", 3,
     "name of ai_tier \"b\" is already taken by an alias of \"a\" at $file:2"],
    ["regex", "$lab }\nai_tier a {\n    alias ~a(b;\n    target lab/m;\n}", 3,
     'alias "~a(b" of ai_tier "a"'],
    ["star", "$lab }\nai_tier a {\n    alias a*b;\n    target lab/m;\n}", 3,
     'alias "a*b" of ai_tier "a"'],
    ["default twice", "$lab }\nai_tier a { default; target lab/m; }\n"
     . "ai_tier b { default; target lab/m; }", 3,
     "ai_tier \"b\" cannot be the \"default\", which is already \"a\" in "
     . "$file:2"],
    ["default and default", "ai_tier a {\n    default;\n    default;\n}", 3,
     '"default" directive of ai_tier "a" is duplicate'],

    # switches

    ["gateway in server", "server {\n    ai_gateway on;\n}", 2,
     '"ai_gateway" directive is not allowed here'],
    ["gateway in if", "server { location / {\n    if (\$args) {\n"
     . "        ai_gateway on; } } }", 3,
     '"ai_gateway" directive is not allowed here'],
    ["gateway, no flag", "server { location / {\n    ai_gateway yes; } }", 2,
     'it must be "on" or "off"'],
    ["no provider", "server { location / {\n    ai_gateway on; } }", 2,
     '"ai_gateway" is on but there is no ai_provider, expected e.g.'],
    ["route", "$lab }\nai_tier smart { target lab/m; }\n"
     . "server { location / {\n    ai_route smrt; } }", 4,
     'unknown ai_tier "smrt" in "ai_route", did you mean "smart"?'],
    ["route twice", "ai_route \$a;\nai_route \$b;", 2,
     '"ai_route" directive is duplicate'],
    ["headers", "\nai_response_headers cost;", 2,
     'unknown value "cost" in "ai_response_headers", expected "off", "route"'],
    ["headers, near", "\nai_response_headers timng;", 2,
     'unknown value "timng" in "ai_response_headers", did you mean "timing"?'],
    ["headers off", "ai_response_headers off route;", 1,
     '"off" excludes other words in "ai_response_headers"'],
    ["headers twice", "ai_response_headers route;\nai_response_headers off;",
     2, '"ai_response_headers" directive is duplicate'],
    ["origin", "ai_cors chat.example.com;", 1,
     'invalid origin "chat.example.com" in "ai_cors", expected "*" or'],
    ["origin with a path", "ai_cors https://chat.example.com/;", 1,
     'invalid origin "https://chat.example.com/" in "ai_cors"'],
    ["origin, none", "ai_cors max_age=5m;", 1, '"ai_cors" has no origin'],
    ["max_age", "ai_cors * max_age=5x;", 1,
     'invalid "max_age=5x" in "ai_cors", expected a time'],
    ["cors twice", "ai_cors *;\nai_cors off;", 2,
     '"ai_cors" directive is duplicate'],
    ["size", "ai_max_response 5x;", 1,
     'invalid value "5x" in "ai_max_response", expected a size above zero'],
    ["size zero", "ai_max_event 0;", 1,
     'invalid value "0" in "ai_max_event", expected a size above zero'],
    ["size twice", "ai_max_event 1m;\nai_max_event 2m;", 2,
     '"ai_max_event" directive is duplicate'],
);


for my $row (@rows) {
    my ($name, $text, $line, $message) = @$row;

    spew($file, $text);

    my $where = $line < 0 ? quotemeta("$dir/inside.conf:") . -$line
                          : quotemeta("$file:") . $line;
    my $regex = qr/\[emerg\] [^\n]*\Q$message\E[^\n]* in $where\n/;

    my ($ok, $out) = AITest::conf_test(http => "include $file;",
                                       locations => "");

    my $passed = ok(!$ok && $out =~ $regex && $out !~ /CANARY/, $name);
    diag($ok ? "it was accepted" : "expected $regex", "\n$out")
        unless $passed;
}

done_testing();

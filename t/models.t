#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Lists of models, in four shapes; health; CORS.

use strict;
use warnings;

use AITest;
use Test::More;


my $ng = nginx(
    http => providers(name => "oai", tier => "")
        . "ai_tier smart { alias gpt-4o gpt-5* ~^o[0-9] claude-x;"
        . " target oai/real; }\n"
        . "ai_tier fast { target oai/quick; }\n",
    locations => "location / { ai_gateway on; }
                  location /cors/ { ai_gateway on;
                      ai_cors https://app.test max_age=10m; }");

my @names = qw(smart gpt-4o claude-x fast);


my $r = get($ng, "/v1/models");
is($r->{status}, 200, "GET /v1/models");
like($r->header("content-type"), qr{\Aapplication/json}, "it is JSON");
my $doc = $r->json;
is($doc->{object}, "list", "OpenAI's shape");
is_deeply([sort map { $_->{id} } @{$doc->{data}}], [sort @names],
          "tiers and aliases that are names")
    or diag($r->{body});
is(scalar(grep { $_->{object} ne "model" || $_->{created} !~ /\A\d+\z/
                 || !length $_->{owned_by} } @{$doc->{data}}), 0,
   "each is whole");

$r = get($ng, "/v1/models?limit=1000",
         headers => ["anthropic-version" => "2023-06-01"]);
$doc = $r->json;
is_deeply([sort map { $_->{id} } @{$doc->{data}}], [sort @names],
          "Anthropic's shape");
is(scalar(grep { $_->{type} ne "model" || !$_->{display_name}
                 || $_->{created_at} !~ /\A\d{4}-\d\d-\d\dT/ }
          @{$doc->{data}}), 0, "each is whole");
ok(!$doc->{has_more} && $doc->{first_id} eq $doc->{data}[0]{id}
   && $doc->{last_id} eq $doc->{data}[-1]{id}, "its pages");

for my $headers (["x-goog-api-key" => "k"], ["x-goog-api-client" => "g"]) {
    $r = get($ng, "/v1beta/models", headers => $headers);
    $doc = $r->json;
    is_deeply([sort map { $_->{name} } @{$doc->{models}}],
              [sort map { "models/$_" } @names], "Gemini's shape");
    is(scalar(grep { !grep { $_ eq "generateContent" }
                     @{$_->{supportedGenerationMethods}} }
              @{$doc->{models}}), 0, "each is whole");
}

$r = get($ng, "/v1/models?client_version=1.2");
is_deeply($r->json, { models => [] }, "the shape of Codex: an empty list");
ok($r->header("etag"), "with an ETag");

$r = get($ng, "/v1/models/gpt-4o");
is($r->json->{id}, "gpt-4o", "one model");
$r = get($ng, "/v1/models/gpt-5.5");
is($r->json->{id}, "gpt-5.5", "one by a pattern");
$r = get($ng, "/v1/models/none");
failed_with($r, 404, "model_not_found", "one that is not");
$r = get($ng, "/v1beta/models/smart", headers => ["x-goog-api-key" => "k"]);
is($r->json->{name}, "models/smart", "one, in Gemini's shape");

is(scalar(requests()), 0, "nobody is asked");


# CORS

my $ask = sub {
    my ($path, $origin) = @_;
    return post($ng, $path, undef, method => "OPTIONS", headers => [
        "Origin" => $origin, "Access-Control-Request-Method" => "POST",
        "Access-Control-Request-Headers" => "authorization,x-stainless-os"]);
};

$r = $ask->("/cors/v1/chat/completions", "https://app.test");
is($r->{status}, 204, "a preflight");
is($r->header("access-control-allow-origin"), "https://app.test",
   "its origin");
is($r->header("access-control-allow-headers"),
   "authorization,x-stainless-os", "the headers that it asks for");
is($r->header("access-control-max-age"), "600", "max_age");
like($r->header("vary"), qr/Origin/i, "Vary");

$r = $ask->("/cors/v1/chat/completions", "https://evil.test");
is($r->header("access-control-allow-origin"), undef,
   "I184 another origin is not allowed");

$r = $ask->("/v1/chat/completions", "https://app.test");
is($r->header("access-control-allow-origin"), undef, "CORS is off by default");

$r = chat($ng, "smart", path => "/cors/v1/chat/completions",
          headers => ["Origin" => "https://app.test"]);
is($r->header("access-control-allow-origin"), "https://app.test",
   "an answer may be read");
like($r->header("access-control-expose-headers"), qr/retry-after/,
     "with the headers that clients need");
is($r->header("access-control-allow-credentials"), undef,
   "I184 without credentials");

$r = chat($ng, "smart", headers => ["Origin" => "https://app.test"]);
is($r->header("access-control-allow-origin"), undef, "or not");

$r = post($ng, "/cors/v1/chat/completions", "{", headers => [
    "Origin" => "https://app.test"]);
is($r->header("access-control-allow-origin"), "https://app.test",
   "an error may be read, too");

finish();

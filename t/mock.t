#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# ai_mock, the built-in fake provider, as clients see it: delays, faults,
# clients that leave or are slow, reload; and its parameters.  What its
# answers look like is tested in t/unit/mock_test.c.

use strict;
use warnings;

use AITest;
use Test::More;


my $locations = <<'END';
    location / { ai_mock tokens=5 model=own; }
    location /slow/ { ai_mock tokens=5 first=200ms gap=50ms; }
    location /long/ { ai_mock tokens=100000; }
    location /status/ { ai_mock fail=429; }
    location /often/ { ai_mock fail=500:30% fail=529:20% seed=7; }
    location /reset/ { ai_mock fail=reset; }
    location /reset_mid/ { ai_mock fail=reset_mid gap=5ms; }
    location /stall/ { ai_mock fail=stall; }
    location /stall_mid/ { ai_mock fail=stall_mid; }
    location /error_first/ { ai_mock fail=error_first; }
    location /error_mid/ { ai_mock fail=error_mid; }
    location /truncate/ { ai_mock fail=truncate; }
END

my %conf = (http => "", format => '$status', locations => $locations);
my $ng = nginx(%conf);

my %say = (messages => [{ role => "user", content => "Hi" }]);


# say(location, stream, ...): a request of the OpenAI dialect.

sub say_to {
    my ($location, $stream, %opt) = @_;

    return post($ng, "$location/v1/chat/completions",
                json({ %say, $stream ? (stream => JSON::PP::true) : (),
                       %{$opt{more} || {}} }), %opt);
}


# Answers.

my $r = say_to("", 0);
is($r->{status}, 200, "a document");
is($r->json->{model}, "own", "of the model that the configuration names");
is($r->json->{choices}[0]{message}{content},
   "You said: Hi; this answer", "with what the client said");
like($r->header("x-request-id"), qr/\Areq_\w{24}\z/, "an id");
is($r->header("content-length"), length $r->{body}, "a length");

$r = say_to("", 1);
is($r->header("content-type"), "text/event-stream; charset=utf-8",
   "a stream");
like($r->{body}, qr/\ndata: \[DONE\]\n\n\z/, "ends with its terminator");
is($r->{complete}, 1, "complete");

$r = say_to("", 1, more => { pad => "x" x 200000 });
is($r->{status}, 200, "a request that is spilled to a file");
like($r->{body}, qr/DONE/, "is answered");

$r = post($ng, "/v1/chat/completions", "{");
is($r->{status}, 400, "a request that is not JSON");

$r = get($ng, "/v1/chat/completions");
is($r->{status}, 405, "a wrong method");

$r = get($ng, "/v1/models", headers => ["anthropic-version" => "2023-06-01"]);
is($r->json->{first_id}, "own", "models of Anthropic");

$r = get($ng, "/v1/models");
is($r->json->{object}, "list", "models of OpenAI");

$r = post($ng, "/v1beta/models/g:streamGenerateContent?alt=sse",
          '{"contents":[{"parts":[{"text":"Hi"}]}]}');
like($r->{body}, qr/\Adata: \{.*\}\r\n\r\n\z/s, "Gemini's events");

$r = post($ng, "/v1beta/models/g:streamGenerateContent",
          '{"contents":[{"parts":[{"text":"Hi"}]}]}');
is(scalar @{$r->json}, 6, "Gemini's array");

$r = get($ng, "/health", method => "HEAD");
is($r->{status}, 200, "health");


# Delays: a document takes as long as the stream.

$r = say_to("/slow", 0);
cmp_ok($r->{took}, ">=", 0.39, "a document waits for all tokens");

my $c = say_to("/slow", 1, open => 1);
ok($c->until(qr/"role":"assistant"/, 0.15), "a stream opens at once");
$r = $c->response;
$c->close;
cmp_ok($r->{took}, ">=", 0.39, "and takes its time");
like($r->{body}, qr/DONE/, "to its end");


# Faults.

$r = say_to("/status", 1);
is($r->{status}, 429, "a status");
is($r->json->{error}{code}, "rate_limit_exceeded", "in the dialect");

my %seen;
$seen{say_to("/often", 0)->{status}}++ for 1 .. 200;
cmp_ok($seen{500}, ">", 35, "30% of the requests");
cmp_ok($seen{500}, "<", 85, "not more");
cmp_ok($seen{529}, ">", 20, "20% of the requests");
cmp_ok($seen{529}, "<", 60, "not more");
is($seen{200} + $seen{500} + $seen{529}, 200, "nothing else");

for my $stream (0, 1) {
    my $kind = $stream ? "stream" : "document";

    $r = say_to("/reset", $stream);
    is($r->{status}, 0, "reset, $kind");
    is($r->{closed}, 1, "closed");

    $r = say_to("/reset_mid", $stream);
    is($r->{status}, 200, "reset_mid, $kind");
    is($r->{complete}, 0, "incomplete");
    is($r->{closed}, 1, "closed");
    like($r->{body}, qr/Hi|You/, "after the first half");

    $r = say_to("/stall", $stream, seconds => 0.5);
    is("$r->{status} $r->{body}", "200 ", "stall, $kind: only the head");
    ok(!$r->{closed}, "open");

    $r = say_to("/stall_mid", $stream, seconds => 0.5);
    like($r->{body}, qr/Hi|You/, "stall_mid, $kind: the first half");
    ok(!$r->{complete} && !$r->{closed}, "open");

    $r = say_to("/truncate", $stream);
    is($r->{complete}, 1, "truncate, $kind: complete for HTTP");
    ok(!defined $r->json && $r->{body} !~ /DONE/, "and for nobody else");

    $r = say_to("/error_first", $stream);
    is($r->{status}, 200, "error_first, $kind");
    like($r->{body}, qr/\A(data: )?\{"error":\{"message":/, "an error");

    $r = say_to("/error_mid", $stream);
    like($r->{body}, $stream ? qr/You.*data: \{"error":.*\}\n\n\z/s
                             : qr/\A\{"error":/, "error_mid, $kind");
}


# A client that is slow gets everything, one that leaves ends the request.

$c = say_to("/long", 1, open => 1);
select undef, undef, undef, 0.5;
$r = $c->response(20);
$c->close;
is($r->{complete}, 1, "a slow client");
is(() = $r->{body} =~ /"content":/g, 100001, "got everything");

$c = say_to("/stall", 1, open => 1);
$c->until(qr/\r\n\r\n/, 1);
$c->close;
ok($ng->wait_log(qr/prematurely closed/), "a client that leaves");

$c = say_to("/long", 1, open => 1);
$c->until(qr/data/, 1);
$c->close(1);

my @clients = map { say_to("/slow", $_, open => 1) } 0, 1;
my $stalled = say_to("/stall_mid", 1, open => 1);
ok($stalled->until(qr/Hi/, 1), "a stream stalls");
ok($ng->reload(%conf), "reload");

for (@clients) {
    is($_->response->{complete}, 1, "what was under way ends well");
    $_->close;
}

is($stalled->response(4)->{closed}, 1, "what stalls is ended");
$stalled->close;


# Parameters.

for my $case (
    ["tokens=0", qr/invalid "tokens" value "0", expected a number from 1/],
    ["tokens=1000001", qr/invalid "tokens" value "1000001"/],
    ["first=1parsec", qr/invalid "first" value "1parsec", expected a time/],
    ["gap=", qr/invalid "gap" value ""/],
    ["fail=x:y", qr/invalid "fail" value "x:y", .*e\.g\. "fail=429:10%"/],
    ["fail=200", qr/invalid "fail" value "200"/],
    ["fail=429:60% fail=500:60%", qr/together exceed 100% of the requests/],
    ["model=../x", qr{invalid "model" value "\.\./x"}],
    ["seed=x", qr/invalid "seed" value "x", expected a number/],
    ["foo=1", qr/invalid parameter "foo=1" of "ai_mock"/],
    ["foo", qr/invalid parameter "foo"/],
    ["tokens=1; ai_mock", qr/"ai_mock" directive is duplicate/]
) {
    my ($text, $regex) = @$case;
    conf_fails($regex, "ai_mock $text", %conf,
               locations => "location / { ai_mock $text; }");
}

conf_fails(qr/"ai_mock" directive is not allowed here/, "in server", %conf,
           server => "ai_mock;");


finish();

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Keys and what tells of accounts: reliability.md I167 to I181, M237.

use strict;
use warnings;

use AITest;
use Test::More;


my %conf = dialects();

$conf{locations} .= "location /limits/ {
                         ai_gateway on; ai_route t-oai;
                         ai_response_headers route timing upstream;
                     }";

my $ng = nginx(%conf, level => "debug",
               format => '$ai_log $request_uri');

my @secret = map { "CANARY-$_-" . int rand 1e9 } 1 .. 30;

my @names = qw(Authorization Proxy-Authorization x-api-key api-key
    x-goog-api-key xi-api-key Cookie Cookie2 X-Auth-Token X-Access-Token
    x-portkey-api-key x-portkey-custom-host x-litellm-api-key Helicone-Auth
    OpenAI-Organization OpenAI-Project X-Amz-Security-Token
    Ocp-Apim-Subscription-Key X-Forwarded-For Forwarded X-Real-IP
    X-Upstream X-Forwarded-Host X-User-Secret);

my %wants = (chat => "authorization", completions => "authorization",
             responses => "authorization", messages => "x-api-key",
             gemini => "x-goog-api-key");

my %value = (authorization => "Bearer " . secret());

for my $surface (sort keys %wants) {
    for my $fault (qw(ok status-503 reset-before-headers)) {
        fake_reset();

        my $i = 0;
        my @headers = map { my $v = $secret[$i++];
                            ($_ => /^Authorization/ ? "Bearer $v" : $v) }
                      @names;
        push @headers, "User-Agent" => "test/1",
                       "anthropic-version" => "2023-06-01",
                       "anthropic-beta" => "b-1";

        ask($ng, $surface, "fault-$fault", headers => \@headers);

        my $name = "$surface, $fault";
        my $hits = find_received(@secret);
        is(json([map { $names[(grep { $secret[$_] eq $hits->[0]{string} }
                               0 .. $#secret)[0]] } @$hits[0 .. ($#$hits
                               > 0 ? 0 : $#$hits)]]), "[]",
           "I167 no credential of the client goes upstream, $name");

        my ($r) = requests();
        my @creds = grep { $_->[0] =~ /\A(authorization|x-api-key|api-key|
                                       x-goog-api-key)\z/x }
                    @{$r->{headers}};
        is(scalar(@creds), 1, "I169 exactly one credential, $name");
        is("@{$creds[0] || []}",
           "$wants{$surface} " . ($value{$wants{$surface}} || secret()),
           "I169 the provider's, where it wants it, $name");
        is(json(control("GET", "anomalies")), "[]", "I169 no oddity, $name");
    }
}

# what clients need to pass does

fake_reset();
ask($ng, "messages", "m", headers => [
    "anthropic-version" => "2023-06-01", "anthropic-beta" => "b-1,b-2",
    "User-Agent" => "agent/7", "X-Stainless-Lang" => "js",
    "Idempotency-Key" => "idem-1"]);
my %h = map { @$_ } @{last_request()->{headers}};
is($h{"anthropic-version"}, "2023-06-01", "I167 anthropic-version passes");
is($h{"anthropic-beta"}, "b-1,b-2", "I167 anthropic-beta passes");
is($h{"user-agent"}, "agent/7", "I167 User-Agent passes");
is($h{"idempotency-key"}, "idem-1", "I167 Idempotency-Key passes");
is($h{host}, "127.0.0.1:" . port("main"),
   "I171 Host is that of the endpoint");


# keys in arguments

for my $args ("key=CANARY-q1", "alt=sse&key=CANARY-q1", "key=CANARY-q1&x=1",
              "KEY=CANARY-q1", "k%65y=CANARY-q1", "api_key=CANARY-q1",
              "access_token=CANARY-q1")
{
    fake_reset();
    my $r = post($ng, "/gem/v1beta/models/m:generateContent?$args",
                 '{"contents":[{"parts":[{"text":"hi"}]}]}');
    is($r->{status}, 200, "I168 ?$args");
    is(json(find_received("CANARY-q1")), "[]", "I168 does not go upstream");
}

fake_reset();
post($ng, "/ant/v1/messages?beta=true", body_of("m",
     more => { max_tokens => 1 }));
like(last_request()->{target}, qr{\A/v1/messages\?beta=true\z},
     "I168 other arguments do");


# the client names no destination

fake_reset();
my $second = port("second");
my $evil = "http://127.0.0.1:$second/v1";

my $r = post($ng, "/oai/v1/chat/completions",
     json({ model => "m", messages => [], api_base => $evil,
            base_url => $evil, api_key => "CANARY-b",
            extra_headers => { "x-evil" => "1" } }),
     headers => ["Host" => "127.0.0.1:$second",
                 "x-upstream" => $evil, "x-portkey-custom-host" => $evil,
                 "X-Forwarded-Host" => "127.0.0.1:$second"]);
is(last_request()->{listener}, "main",
   "I171 headers and members name no destination");

my $c = AITest::Client->new($ng->{port});
$c->send("POST http://127.0.0.1:$second/oai/v1/chat/completions HTTP/1.1\r\n"
         . "Host: x\r\nContent-Length: 13\r\n\r\n"
         . '{"model":"m"}');
$c->response;
$c->close;
is(scalar(grep { $_->{listener} ne "main" } requests()), 0,
   "I171 nor does an absolute URI");


# errors about the key

for my $surface (qw(chat messages gemini)) {
    for my $stream (0, 1) {
        my $r = ask($ng, $surface, "fault-echo-key-401", stream => $stream);
        unlike($r->{head} . $r->{body}, qr/CANARY/,
               "I54 an echoed key does not pass, $surface");
    }
}

$r = ask($ng, "chat", "fault-leaky-headers");
unlike($r->{head}, qr/LEAK/, "B50 no header that tells of the account");
$r = post($ng, "/limits/v1/chat/completions",
          body_of("fault-leaky-headers"));
like($r->{head}, qr/x-ratelimit-remaining-tokens: LEAK/,
     "B50 unless \"ai_response_headers upstream\" asks for it");
unlike($r->{head}, qr/session=LEAK|powered-by|internal-host/,
       "B50 and even then only limits and names");
is($r->header("x-content-type-options"), "nosniff", "D81 nosniff");
like($r->header("x-request-id"), qr/\A[\w-]{8,64}\z/, "I x-request-id");
is($r->header("x-request-id"), $r->header("request-id"), "I request-id");


# nothing is written down

$r = ask($ng, "chat", "m", text => "CANARY-prompt", headers => [
    "Authorization" => "Bearer CANARY-client",
    "Cookie" => "CANARY-cookie"]);
$ng->stop;

my $access = AITest::slurp("$ng->{prefix}/access.log");
unlike($access, qr/CANARY-(?!q1)/, "M237 no secret in the access log");
unlike($access =~ s/[^\n]*\}//gr, qr/CANARY-prompt/, "M237 nor a prompt");

my @ours = grep { /\bai |ai_/ && !/http header|http request line|uri:|args:/ }
           split /\n/, error_log($ng);
unlike(join("\n", @ours), qr/CANARY/,
       "M238 our debug lines have no secret");
unlike(join("\n", grep { !/\[debug\]/ } split /\n/, error_log($ng)),
       qr/CANARY-(?!q1)/, "M237 no secret in the error log above debug");


# keys by reference

conf_fails(qr/must not be written here/, "I181 a literal key is refused",
           http => providers(key => "sk-literal"));

my ($ok, $out) = AITest::conf_test(
    http => providers(key => "env:AITEST_KEY"),
    env => { AITEST_KEY => "CANARY-env" });
ok($ok, "I181 a key from the environment") or diag($out);

$ng = nginx(http => providers(key => "env:AITEST_KEY"),
            env => { AITEST_KEY => "CANARY-env" });
chat($ng, "m");
%h = map { @$_ } @{last_request()->{headers}};
is($h{authorization}, "Bearer CANARY-env", "I181 it is sent");

ok($ng->reload, "I181 a reload");
select undef, undef, undef, 0.2;
chat($ng, "m");
%h = map { @$_ } @{last_request()->{headers}};
is($h{authorization}, "Bearer CANARY-env",
   "I181 keeps the key of the master's environment");
$ng->stop;

my $key = workdir() . "/rotated";
spew($key, "first-key\n");
chmod 0600, $key;
$ng = nginx(http => providers(key => "file:$key"));
chat($ng, "m");
%h = map { @$_ } @{last_request()->{headers}};
is($h{authorization}, "Bearer first-key", "I185 a key from a file");
spew($key, "second-key");
$ng->reload;
select undef, undef, undef, 0.3;
chat($ng, "m");
%h = map { @$_ } @{last_request()->{headers}};
is($h{authorization}, "Bearer second-key",
   "I185 a new key is used after a reload");

finish();

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Accounts of Google Cloud: the assertion, checked by the fake token endpoint
# with openssl, and the token's life: fetched once, kept, renewed early, and
# no storm while the endpoint is down.

use strict;
use warnings;

use AITest;
use AITest::Hub;
use Test::More;
use Time::HiRes qw(sleep time);


my $dir = workdir();
my $origin = "http://127.0.0.1:" . port("main");
my $kid = "kid\"\x{e9}\\1";

# the key of the account; openssl writes PKCS #8, as Google does

system("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
       . " -out $dir/rsa.pem 2>/dev/null"
       . " && openssl pkey -in $dir/rsa.pem -pubout -out $dir/pub.pem"
       . " && openssl ecparam -genkey -name prime256v1 -noout"
       . " -out $dir/ec.pem 2>/dev/null") == 0
    or plan skip_all => "no openssl";

my $pem = slurp("$dir/rsa.pem");
my ($canary) = $pem =~ /\n(.{60})/;

my %service = (type => "service_account", project_id => "proj-1",
               private_key_id => $kid, private_key => $pem,
               client_email => "robot\@proj-1.iam.test",
               client_id => "1", token_uri => "$origin/sa/token");

my %user = (type => "authorized_user", client_id => "id & 1+/=",
            client_secret => "CANARY-client=secret&+ %",
            refresh_token => "1//CANARY-refresh+token",
            token_uri => "$origin/user/token");


sub endpoint {
    my (%opt) = @_;
    control("POST", "google", { public => "$dir/pub.pem", kid => $kid,
                                email => $service{client_email}, %user,
                                %opt });
}


# account(name, %members): a file of it; undefined members are left out

sub account {
    my ($name, %doc) = @_;

    delete @doc{grep { !defined $doc{$_} } keys %doc};
    spew("$dir/$name", json(\%doc));
    chmod 0600, "$dir/$name";
    return "file:$dir/$name";
}


sub tokens { return scalar grep { $_->{token} } requests() }

sub authorized {
    my %h = map { @$_ } @{last_request()->{headers}};
    return $h{authorization} || "";
}


# fresh(): a worker that has no token yet, and no other

sub fresh {
    my ($ng) = @_;

    $ng->reload;

    for (1 .. 150) {
        last if $ng->workers == 1;
        sleep 0.02;
    }
}


my @common = (endpoint => "$origin/v1", region => "eu-test-1");
my $sa = account("sa.json", %service);

my @routes = (
    gem => { @common, preset => "vertex", dialect => "gemini", key => $sa },
    claude => { @common, preset => "vertex-anthropic",
                dialect => "anthropic", key => account("sa2.json", %service),
                project => "proj-9" },
    user => { @common, preset => "vertex", dialect => "gemini",
              key => account("user.json", %user), project => "proj-u" },
);

my %args = routes(map { ref $_ ? { %$_ } : $_ } @routes);

endpoint();
fake_reset();

my $ng = nginx(%args);
is(tokens(), 0, "nothing is fetched before it is needed");


# the paths of Vertex, and the token

my $r = ask_as($ng, "chat", "gem", "gemini-2.5-pro");
is(answer_of("chat", $r)->{text}, text(), "chat, by Gemini on Vertex")
    or diag($r->{body}, error_log($ng));

my $req = last_request();
is($req->{target}, "/v1/projects/proj-1/locations/eu-test-1/publishers/google"
   . "/models/gemini-2.5-pro:generateContent",
   "the path, the project being the account's");
is(authorized(), "Bearer ya29.tok-1", "the token");

my ($asked) = grep { $_->{token} } requests();
is(json($asked->{token}{bad}), "[]", "the assertion is right");
is($asked->{path}, "/sa/token", "the endpoint");

for my $stream (0, 1) {
    $r = ask_as($ng, $_, "gem", "m", stream => $stream)
        for qw(messages responses cohere converse gemini);
}

is(last_request()->{target}, "/v1/projects/proj-1/locations/eu-test-1"
   . "/publishers/google/models/m:streamGenerateContent?alt=sse",
   "a stream's path");
is(tokens(), 1, "one token for all");

for my $surface (qw(chat messages)) {
    for my $stream (0, 1) {
        $r = ask_as($ng, $surface, "claude", "claude-x\@20250101",
                    stream => $stream);
        my $doc = JSON::PP::decode_json(last_request()->{body});

        is(answer_of($surface, $r)->{text}, text(),
           "$surface, by Claude on Vertex, stream $stream")
            or diag(substr $r->{body}, 0, 400);
        is(last_request()->{target}, "/v1/projects/proj-9/locations/eu-test-1"
           . "/publishers/anthropic/models/claude-x\@20250101:"
           . ($stream ? "streamRawPredict" : "rawPredict"), "its path");
        is($doc->{anthropic_version}, "vertex-2023-10-16", "its version");
        ok(!exists $doc->{model}, "no model");
        is(authorized(), "Bearer ya29.tok-2", "a token of its own");
    }
}

$r = ask_as($ng, "gemini", "user", "m");
is($r->{status}, 200, "a user's account") or diag(error_log($ng));
is(authorized(), "Bearer ya29.tok-3", "its token");
is(join(" ", map { json($_->{token}{bad}) } grep { $_->{token} } requests()),
   "[] [] []", "all that was sent to the endpoint is right");


# a flight for all that wait

fake_reset();
endpoint(delay => 0.4);
fresh($ng);

my @waiting = map { ask_as($ng, "chat", "gem", "m$_", open => 1,
                           stream => $_ % 2) } 1 .. 20;
my @status = map { my $a = $_->response; $_->close; $a->{status} } @waiting;

is(join(" ", @status), join(" ", (200) x 20), "20 that wait for a token");
is(tokens(), 1, "one request for it");


# a client that leaves while it waits

fake_reset();
endpoint(delay => 0.5);
fresh($ng);

@waiting = map { ask_as($ng, "chat", "gem", "m", open => 1) } 1 .. 3;
sleep 0.15;
$waiting[1]->close(1);
$r = $waiting[0]->response;
is($r->{status}, 200, "those who stay get their answer");
is($waiting[2]->response->{status}, 200, "all of them");
$_->close for @waiting[0, 2];
is(scalar(grep { !$_->{token} } requests()), 2,
   "nothing is asked for who has left");

fake_reset();
endpoint(delay => 0.3);
fresh($ng);
my $c = ask_as($ng, "chat", "gem", "m", open => 1);
sleep 0.1;
$c->close(1);
sleep 0.5;
is(tokens(), 1, "the only one leaves");
is(ask_as($ng, "chat", "gem", "m")->{status}, 200, "and the token serves");
is(tokens(), 1, "the next one");


# renewed while it still serves

fake_reset();
endpoint(expires => 200, prefix => "ya29.short-");
fresh($ng);
ask_as($ng, "chat", "gem", "m");
is(authorized(), "Bearer ya29.short-1", "a token for 200 seconds");
ask_as($ng, "chat", "gem", "m$_") for 1 .. 5;
cmp_ok(tokens(), "<=", 2, "is not fetched anew for each request");

fake_reset();
endpoint(expires => 4, prefix => "ya29.tiny-");
fresh($ng);
ask_as($ng, "chat", "gem", "m");
is(authorized(), "Bearer ya29.tiny-1", "a token for 4 seconds");
sleep 2.4;
ask_as($ng, "chat", "gem", "m");
is(authorized(), "Bearer ya29.tiny-1", "serves while it is renewed");
sleep 0.3;
ask_as($ng, "chat", "gem", "m");
is(authorized(), "Bearer ya29.tiny-2", "and then the new one does");
sleep 4.3;
endpoint(mode => "500");
$r = ask_as($ng, "chat", "gem", "m");
is($r->{status}, 502, "one that has expired does not");


# the endpoint is down

my @down = (["500", "500, refused"], ["401", "401, refused"],
            ["reset", "0, upstream_reset"], ["{", "no access token"],
            ["<html>", "no access token"],
            ['{"access_token":""}', "no access token"],
            ['{"access_token":"a b","expires_in":9}', "no access token"],
            ['{"access_token":"a\r\nx: y","expires_in":9}',
             "no access token"],
            ['{"access_token":"CANARY-no-time"}', "no access token"],
            ['{"access_token":"CANARY-0","expires_in":0}', "no access token"],
            ['{"access_token":"CANARY-t","expires_in":-1}',
             "no access token"],
            ['{"access_token":"' . ("x" x 20000) . '"}', "no access token"]);

for my $case (@down) {
    my ($mode, $told) = @$case;
    my $name = "the endpoint: " . substr $mode, 0, 40;

    $name =~ s/\W+/ /g;
    fake_reset();
    endpoint(mode => $mode);
    fresh($ng);
    @waiting = map { ask_as($ng, "messages", "gem", "m", open => 1) } 1 .. 4;

    for (@waiting) {
        $r = $_->response;
        $_->close;
        is($r->{status}, 502, "$name: 502") or diag($r->{body});
        is(answer_of("messages", $r)->{error}{type}, "api_error",
           "$name: typed");
    }

    ask_as($ng, "chat", "gem", "m") for 1 .. 3;
    cmp_ok(tokens(), "<=", 2, "$name: no storm");
    ok($ng->wait_log(qr/ai provider "gem": .*\Q$told\E/), "$name: told");
}

is(failed_as($ng), "provider_auth", "the code");

sub failed_as { return ask_as($_[0], "chat", "gem", "m")->error }

$r = ask_as($ng, "chat", "gem", "m", stream => 1);
is($r->{status}, 502, "a stream, too");


# and is back

endpoint();
sleep 5.2;
is(ask_as($ng, "chat", "gem", "m")->{status}, 200,
   "asked again after a while");


# a worker that ends while a token is on its way

fake_reset();
endpoint(delay => 0.6);
fresh($ng);
$c = ask_as($ng, "chat", "gem", "m", open => 1);
sleep 0.2;
$ng->reload;
$r = $c->response;
is($r->{status}, 200, "a reload while one waits");
$c->close;


# what is no account

my @refused = (
    [undef, "x", qr/it is not JSON/],
    [undef, "[]", qr/it is not JSON/],
    [undef, '{"type":"external_account"}', qr/its "type" is neither/],
    [undef, "{}", qr/its "type" is neither/],
    [{ %service, client_email => undef }, undef,
     qr/it lacks "client_email" or "private_key"/],
    [{ %service, private_key => undef }, undef, qr/it lacks "client_email"/],
    [{ %service, private_key => "-----BEGIN" }, undef,
     qr/its "private_key" is no RSA key in PEM/],
    [{ %service, private_key => slurp("$dir/ec.pem") }, undef,
     qr/its "private_key" is no RSA key in PEM/],
    [{ %service, token_uri => "ftp://x/" }, undef, qr/"token_uri"/],
    [{ %service, token_uri => "token" }, undef, qr/"token_uri"/],
    [{ %user, refresh_token => undef }, undef,
     qr/it lacks "client_id", "client_secret" or "refresh_token"/],
);

my $n = 0;

for my $case (@refused) {
    my ($doc, $text, $regex) = @$case;
    my $file = $doc ? account("bad.json", %$doc)
                    : "file:" . spew("$dir/bad.json", $text);
    my ($ok, $out) = AITest::conf_test(http => providers(
        @common, preset => "vertex", dialect => "gemini", project => "p",
        key => $file));

    $n++;
    ok(!$ok && $out =~ $regex, "no account: $n") or diag($out);
    unlike($out, qr/CANARY|\Q$canary\E/, "no account: $n, no secret");
}

conf_fails(qr/has no "project"/, "no project anywhere", http => providers(
    @common, preset => "vertex", dialect => "gemini",
    key => account("no.json", %service, project_id => undef)));
conf_fails(qr/has no "region"/, "no region", http => providers(
    endpoint => "$origin/v1", preset => "vertex", dialect => "gemini",
    key => $sa));


# no secret anywhere

my $logs = error_log($ng) . slurp("$ng->{prefix}/access.log")
    . slurp("$ng->{prefix}/stderr");

unlike($logs, qr/CANARY|ya29|\Q$canary\E|assertion=/,
       "no secret in a log");

finish();

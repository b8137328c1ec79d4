#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Signatures of AWS, checked by the fake provider with code of its own, and
# the forms that credentials are kept in.

use strict;
use warnings;

use AITest;
use AITest::Hub;
use Test::More;


my $dir = workdir();
my $origin = "http://127.0.0.1:" . port("main");
my $secret = "CANARY/aws+secret=" . ("x" x 20);
my $token = "CANARYtoken//" . ("t+=" x 300);

control("POST", "aws", {
    AKIDCANARY01 => { secret => $secret },
    AKIDCANARY02 => { secret => $secret, token => $token },
    AKIDCANARY03 => { secret => "other$secret" },
    AKIDCANARY04 => { secret => "new$secret", token => "${token}4" },
});

my %file = (
    pair => "AKIDCANARY01:$secret\n",
    triple => "AKIDCANARY02:$secret:$token",
    ini => "# a comment\n[default]\naws_access_key_id = AKIDCANARY01\n"
        . "aws_secret_access_key=$secret\n\n[other]\n"
        . "aws_access_key_id = AKIDCANARY03\n"
        . "aws_secret_access_key = other$secret\n",
    initoken => "[default]\r\nregion = x\r\n"
        . "aws_secret_access_key =  $secret \r\n"
        . "aws_access_key_id= AKIDCANARY02\r\n"
        . "aws_session_token = $token\r\n",
    json => json({ Version => 1, AccessKeyId => "AKIDCANARY02",
                   SecretAccessKey => $secret, SessionToken => $token }),
    imds => json({ Code => "Success", AccessKeyId => "AKIDCANARY02",
                   SecretAccessKey => $secret, Token => $token,
                   Expiration => "2030-01-01T00:00:00Z" }),
);

for (keys %file) {
    spew("$dir/$_", $file{$_});
    chmod 0600, "$dir/$_";
}

my %env = (AWS_ACCESS_KEY_ID => "AKIDCANARY02",
           AWS_SECRET_ACCESS_KEY => $secret, AWS_SESSION_TOKEN => $token,
           OTHER_ACCESS_KEY_ID => "AKIDCANARY01",
           OTHER_SECRET_ACCESS_KEY => $secret,
           PAIR => "AKIDCANARY01:$secret");

my %source = (%{{ map { $_ => "file:$dir/$_" } keys %file }},
              trio => "env:AWS_ACCESS_KEY_ID",
              duo => "env:OTHER_ACCESS_KEY_ID", env => "env:PAIR");

my @common = (endpoint => $origin, region => "eu-test-1");

my %args = routes(
    (map { $_ => { @common, dialect => "bedrock", key => $source{$_} } }
     sort keys %source),
    claude => { @common, preset => "bedrock-anthropic",
                dialect => "anthropic", key => $source{triple} },
    query => { @common, dialect => "bedrock", key => $source{pair},
               more => "    query zz b%20c%2Bd;\n    query a 1;\n" },
    gateway => { endpoint => "$origin/base%20path/v1", dialect => "openai",
                 auth => "sigv4", region => "us-gov-9",
                 key => $source{triple} },
    stranger => { @common, dialect => "bedrock",
                  key => "file:" . spew("$dir/stranger", "AKIDX:nope") });

my $ng = nginx(%args, env => \%env,
               server => "client_body_buffer_size 16k;");


# signed(name, region): the last request was signed well

sub signed {
    my ($name, $region, $key) = @_;

    my $req = last_request();
    my $s = $req->{sigv4} || {};

    ok($s->{ok}, "$name: the signature") or diag(json($s), $req->{target});
    is($s->{region}, $region || "eu-test-1", "$name: the region");
    is($s->{service}, "bedrock", "$name: the service");
    is($s->{key}, $key, "$name: the key") if $key;

    return $req;
}


# all forms of credentials

for my $name (sort keys %source) {
    my $r = ask_as($ng, "chat", $name, "anthropic.claude-3:0");

    is(answer_of("chat", $r)->{text}, text(), "credentials: $name")
        or diag($r->{body});
    signed($name, undef, $name =~ /\A(?:pair|ini|duo|env)\z/
           ? "AKIDCANARY01" : "AKIDCANARY02");
}


# paths: what is escaped is escaped once more in what is signed

for my $model ("anthropic.claude-3-5-sonnet-20241022-v2:0", "plain", "a/b",
               "us.meta.llama\@x_1", "x-y.z:1:2")
{
    (my $escaped = $model) =~ s{([^A-Za-z0-9._\@~-])}
                               {sprintf "%%%02X", ord $1}ge;

    for my $stream (0, 1) {
        my $r = ask_as($ng, "messages", "pair", $model, stream => $stream);
        my $req = signed("model $model");

        is($r->{status}, 200, "model $model");
        is($req->{target}, "/model/$escaped/converse"
           . ($stream ? "-stream" : ""), "model $model: the path");
    }

    my $r = ask_as($ng, "converse", "triple", $model);
    is($r->{status}, 200, "model $model, as it is") or diag($r->{body});
    is(signed("model $model, as it is")->{target},
       "/model/$escaped/converse", "model $model, as it is: the path");
}

my $r = post($ng, "/pair/model/anthropic.claude-3%3A0/converse",
             json({ messages => [{ role => "user",
                                   content => [{ text => "hi" }] }] }));
is($r->{status}, 200, "a model that came escaped");
is(signed("escaped")->{target}, "/model/anthropic.claude-3%3A0/converse",
   "escaped: once");


# the region is that of the model, if that tells one

my $arn = "arn:aws:bedrock:ap-far-2:123456789012:inference-profile/x.y:0";
$r = ask_as($ng, "chat", "pair", $arn);
is($r->{status}, 200, "an ARN") or diag($r->{body});
signed("an ARN", "ap-far-2");
is(last_request()->{target}, "/model/arn%3Aaws%3Abedrock%3Aap-far-2%3A"
   . "123456789012%3Ainference-profile%2Fx.y%3A0/converse", "its path");
ask_as($ng, "chat", "pair", "arn:aws:bedrock");
signed("no ARN");


# Claude, asked in its own words

for my $surface (qw(chat messages)) {
    for my $stream (0, 1) {
        $r = ask_as($ng, $surface, "claude", "anthropic.claude-x:0",
                    stream => $stream,
                    headers => ["anthropic-beta" => "context-1m-2025-08-07"]);

        my $a = answer_of($surface, $r);
        my $req = signed("Claude, $surface, $stream");
        my $doc = JSON::PP::decode_json($req->{body});

        is($a->{text}, text(), "Claude, $surface, stream $stream")
            or diag(substr $r->{body}, 0, 500);
        ok($a->{ended}, "it is complete");
        is($req->{path}, "/model/anthropic.claude-x%3A0/invoke"
           . ($stream ? "-with-response-stream" : ""), "its path");
        is($doc->{anthropic_version}, "bedrock-2023-05-31", "its version");
        ok(!exists $doc->{model} && !exists $doc->{stream},
           "neither model nor stream");
    }
}

for my $fault (qw(frame-bad-crc frame-cut frame-exception error-mid)) {
    $r = ask_as($ng, "messages", "claude", "fault-$fault", stream => 1);
    my $a = answer_of("messages", $r);
    ok($r->{status} == 200 && $a->{error} && !$a->{ended}
       && $a->{text} =~ /\AHello/, "Claude, $fault")
        or diag(substr $r->{body}, -400);
}


# arguments

ask_as($ng, "chat", "query", "m");
like(signed("a query")->{target}, qr{/converse\?zz=.*&a=1\z}, "a query");


# bodies: edited in parts, large, passed through from memory and from a file

for my $size (10, 300000) {
    my $body = '{"model":"gpt-x", "stream":true,"messages":[{"role":"user",'
        . '"content":"' . ("z" x $size) . '"}], "x":[1,2]}';
    $r = post($ng, "/gateway/v1/chat/completions", $body);
    is($r->{status}, 200, "a body of parts, $size");
    my $req = signed("a body of parts, $size", "us-gov-9", "AKIDCANARY02");
    is($req->{path}, "/base%20path/v1/chat/completions", "its path");
    cmp_ok($req->{body_len}, ">", length $body, "it was edited");
}

for my $size (0, 1, 100, 16385, 1000000) {
    $r = post($ng, "/gateway/v1/files?purpose=x%20y&b=%2B+&a",
              "b" x $size,
              headers => ["Content-Type" => "application/octet-stream"]);
    is($r->{status}, 200, "passed through, $size bytes") or diag($r->{body});
    is(signed("passed through, $size bytes", "us-gov-9")->{body_len}, $size,
       "all of it");
}

get($ng, "/gateway/v1/files/f%20%C3%A9-1~!%28x%29");
is(signed("GET", "us-gov-9")->{method}, "GET", "without a body");


# keys that AWS does not know

$r = ask_as($ng, "chat", "stranger", "m");
ok(!last_request()->{sigv4}{ok}, "the check of the test does check");
$r = ask_as($ng, "messages", "pair", "fault-status-403");
is($r->{status}, 403, "403 is typed");


# what is no credential

my @refused = (["no colon", "AKIDONLY"], ["no secret", "AKID:"],
               ["no id", ":secret"], ["a space", "AKID:se cret"],
               ["JSON without secret", '{"AccessKeyId":"AKID"}'],
               ["broken JSON", '{"AccessKeyId":"AKID"'],
               ["an array", '["AKID","s"]'],
               ["an ini without an id",
                "[default]\naws_secret_access_key = x\n"],
               ["an escape that is no character",
                '{"AccessKeyId":"A","SecretAccessKey":"a\\nb"}']);

for my $case (@refused) {
    my ($name, $text) = @$case;

    conf_fails(qr/is no credential of AWS, expected "ID:SECRET"/,
               "credentials: $name", http => providers(
                   @common, dialect => "bedrock",
                   key => "file:" . spew("$dir/bad", $text)));
}

conf_fails(qr/is no credential of AWS.*AWS_SECRET_ACCESS_KEY set/s,
           "credentials: an id alone in the environment",
           http => providers(@common, dialect => "bedrock",
                             key => "env:AWS_ACCESS_KEY_ID"),
           env => { AWS_ACCESS_KEY_ID => "AKID",
                    AWS_SECRET_ACCESS_KEY => "" });
conf_fails(qr/has no "region", expected e\.g\. "region us-east-1"/,
           "no region", http => providers(
               endpoint => $origin, dialect => "bedrock",
               key => $source{pair}));


# sessions that are renewed

spew("$dir/session", $file{json});
chmod 0644, "$dir/session";

my $renewed = nginx(routes(s => { @common, dialect => "bedrock",
                                  key => "file:$dir/session refresh=1s" }));

ask_as($renewed, "chat", "s", "m");
signed("before", undef, "AKIDCANARY02");

sub replaced {
    my ($text) = @_;
    spew("$dir/session.new", $text);
    chmod 0644, "$dir/session.new";
    rename "$dir/session.new", "$dir/session" or die $!;
}

replaced('{"AccessKeyId":"AKIDCANARY04"');
ok($renewed->wait_log(qr/what ".*session" holds now is no key, the one before/),
   "a broken file is told");
ask_as($renewed, "chat", "s", "m");
signed("a broken file", undef, "AKIDCANARY02");

replaced(json({ AccessKeyId => "AKIDCANARY04", SessionToken => "${token}4",
                SecretAccessKey => "new$secret" }));
ok($renewed->wait_log(qr/key ".*session" was read anew/), "a new one, too");
ask_as($renewed, "chat", "s", "m");
signed("renewed", undef, "AKIDCANARY04");

unlink "$dir/session";
ok($renewed->wait_log(qr/open\(\) ".*session" failed/), "one that is gone");
ask_as($renewed, "chat", "s", "m");
signed("one that is gone", undef, "AKIDCANARY04");


# no secret anywhere

for my $n ($ng, $renewed) {
    unlike(error_log($n) . slurp("$n->{prefix}/access.log")
           . slurp("$n->{prefix}/stderr"), qr/CANARY\/|CANARYtoken/,
           "no secret in a log");
}

finish();

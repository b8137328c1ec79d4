#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# What clients send that is no request: reliability.md G135 to G156.

use strict;
use warnings;

use AITest;
use IO::Compress::Gzip qw(gzip);
use Test::More;


my $ng = nginx(dialects(), server => "client_body_buffer_size 16k;");

my %path = (chat => "/oai/v1/chat/completions",
            responses => "/oai/v1/responses",
            messages => "/ant/v1/messages",
            gemini => "/gem/v1beta/models/m:generateContent");


# refused(body, status, code, name): in each dialect, nothing sent upstream

sub refused {
    my ($body, $status, $code, $name, @surfaces) = @_;

    @surfaces = qw(chat responses messages) unless @surfaces;

    for my $surface (@surfaces) {
        my $r = post($ng, $path{$surface}, $body);
        my $e = (ref $r->json eq "HASH" ? $r->json : {})->{error};

        ok($r->{status} == $status && ref $e eq "HASH"
           && $e->{code} =~ /\A(?:$code|$status)\z/
           && ($surface ne "messages" || $r->json->{type} eq "error"),
           "$name, $surface")
            or diag("$r->{status} " . substr $r->{body}, 0, 300);
    }
}


my $user = '"messages":[{"role":"user","content":"hi"}]';

refused("", 400, "invalid_json", "G135 empty");
refused("hello", 400, "invalid_json", "G135 text");
refused($_, 400, "invalid_request", "G135 $_")
    for qw(null [] 1 "x" true [{}]);
refused("{", 400, "invalid_json", "G135 cut");
refused('{"messages":[]}', 400, "invalid_request", "G135 no model");
refused('{"model":5}', 400, "invalid_request|invalid_model",
        "G135 a model that is a number");

refused("[" x 10000, 400, "invalid_json", "G136 10000 deep");
refused("[" x 100000 . "]" x 100000, 400, "invalid_json",
        "G136 100000 deep", "chat");
refused('{"model":"m","x":' . "[" x 200 . "]" x 200 . "}", 400,
        "invalid_json", "G136 200 deep");
refused('{"model":"m","x":' . '{"a":' x 5000 . "1" . "}" x 5000 . "}", 400,
        "invalid_json", "G136 5000 objects deep");

refused('{"model":"m",' . join(",", map { qq("k$_":1) } 1 .. 300000) . "}",
        400, "invalid_json|request_too_large", "G137 300000 members",
        "chat");

refused(qq({"model":"cheap","model":"fault-echo",$user}), 400,
        "invalid_json", "G138 model twice");
refused(qq({"model":"m","stream":true,"stream":false,$user}), 400,
        "invalid_json", "G138 stream twice");
refused(qq({"model":"m","mod\\u0065l":"n",$user}), 400, "invalid_json",
        "G138 model twice, one escaped");

refused(qq({"Model":"m",$user}), 400, "invalid_request",
        "G139 Model is not model");

my $r = post($ng, $path{chat}, qq({"model":"m","STREAM":true,$user}));
ok(ref $r->json eq "HASH" && $r->text eq text(),
   "G139 STREAM is not stream");

refused(qq({"model":"gpt-4\\u0000x",$user}), 400, "invalid_model",
        "G140 an escaped NUL");
refused(qq({"model":"gpt-4\0x",$user}), 400, "invalid_json", "G140 a NUL");

my %broken = (
    "garbage behind" => qq({"model":"m",$user}x),
    "two documents" => qq({"model":"m",$user}{"model":"n"}),
    "a byte order mark" => qq(\xef\xbb\xbf{"model":"m",$user}),
    "a comment" => qq({"model":"m",/* c */$user}),
    "a leading zero" => qq({"model":"m","max_tokens":012,$user}),
    "a bare point" => qq({"model":"m","top_p":1.,$user}),
    "a raw newline" => qq({"model":"m","user":"a\nb",$user}),
    "a tab in a string" => qq({"model":"m","user":"a\tb",$user}),
    "a trailing comma" => qq({"model":"m",$user,}),
    "single quotes" => qq({'model':'m'}),
    "NaN" => qq({"model":"m","top_p":NaN,$user}),
    "an unknown escape" => qq({"model":"m","user":"\\x41",$user}),
);

refused($broken{$_}, 400, "invalid_json", "G141 $_")
    for sort keys %broken;

for my $n ("1e400", "-1", "1.5", "9223372036854775808",
           "1e5000000", "9" x 100000, '"9"', "{}")
{
    my $name = substr $n, 0, 20;
    my $r = post($ng, $path{chat}, qq({"model":"m","max_tokens":$n,$user}));
    ok($r->{status} == 400 || $n =~ /\A[0-9]/ && $r->{status} == 200
       && index(last_request()->{body}, qq("max_tokens":$n,)) > 0,
       "G142 max_tokens of $name") or diag($r->{body});
    cmp_ok($r->{took}, "<", 0.5, "G142 in no time, $name");
}

$r = post($ng, $path{chat}, qq({"model":"m","seed":123456789012345678901,)
                            . qq("top_p":1e-400,"x":-0,$user}));
good($r, "G142 other numbers are not ours to judge");
like(last_request()->{body}, qr/"seed":123456789012345678901,.*1e-400.*-0,/,
     "G142 and keep their spelling");

my %encoding = (
    "a stray byte" => "\xff", "an overlong slash" => "\xc0\xaf",
    "a surrogate" => "\xed\xa0\x80", "beyond Unicode" =>
    "\xf4\x90\x80\x80", "a cut character" => "\xe4\xb8",
);

refused(qq({"model":"m","user":"$encoding{$_}",$user}), 400,
        "invalid_json", "G143 $_") for sort keys %encoding;

for my $model ("x\\r\\nX-Evil: 1", "../../v1/files", "..%2f", "%2e%2e",
               "a#b", "a?b", "a;b", "a\\\\b", "a b", "", "m" x 129,
               "/m", "m/", "a//b", "\\u00e9", "<m>", "a..b/../c")
{
    refused(qq({"model":"$model",$user}), 400, "invalid_model",
            "G149 G150 model \"" . substr($model, 0, 20) . "\"");
}

for my $model ("..%2f..%2fv1%2ffiles", "%2e%2e", "a%23b", "a%3fb",
               "a%00b", "a%0d%0ab")
{
    my $r = post($ng, "/gem/v1beta/models/$model:generateContent",
                 '{"contents":[]}');
    my $sent = $r->{status} == 200 ? last_request()->{target} : "";
    ok($r->{status} =~ /\A(?:200|400|404)\z/ && $sent !~ /\.\.|%2e|%2f/i,
       "G150 path $model") or diag("$r->{status} $sent");
}

refused(qq({"model":"m","stream":"true",$user}), 400, "invalid_request",
        "G156 stream is a string");
refused(qq({"model":"m","stream":1,$user}), 400, "invalid_request",
        "G156 stream is a number");
refused(qq({"model":"m","stream":true,"stream_options":[],$user}), 400,
        "invalid_request", "G156 stream_options is an array");

is(scalar(grep { ($_->{model} || "m") ne "m" } requests()), 0,
   "G135 nothing of that was sent upstream")
    or diag(json([map { $_->{model} } requests()]));


# types and encodings of the body

my $body = body_of("fault-echo", text => "squeezed \x{e4}");

for my $type ("text/plain", "multipart/form-data; boundary=x",
              "application/xml", "application/jsonx")
{
    my $r = post($ng, $path{chat}, $body,
                 headers => ["Content-Type" => $type]);
    failed_with($r, 415, "unsupported_media_type", "G146 $type");
}

for my $type ("application/json; charset=utf-8", "Application/JSON",
              "application/vnd.x+json", undef)
{
    my $r = post($ng, $path{chat}, $body,
                 headers => ["Content-Type" => $type]);
    is($r->{status}, 200, "G146 " . ($type || "no type"));
}

gzip \$body => \my $zipped;

$r = post($ng, $path{chat}, $zipped,
          headers => ["Content-Encoding" => "gzip"]);
good($r, "G146 a gzip body is inflated", "squeezed \x{e4}");
is(last_request()->{body}, do { my $b = $body; utf8::decode($b); $b },
   "G146 and goes on as it was");

failed_with(post($ng, $path{chat}, substr($zipped, 0, 30),
                 headers => ["Content-Encoding" => "gzip"]),
            400, "invalid_request", "G146 a cut one");
failed_with(post($ng, $path{chat}, "x" . $zipped,
                 headers => ["Content-Encoding" => "gzip"]),
            400, "invalid_request", "G146 a broken one");
failed_with(post($ng, $path{chat}, $zipped,
                 headers => ["Content-Encoding" => "br"]),
            415, "unsupported_encoding", "G146 another encoding");

my $blanks = '{"model":"m",' . " " x (60 << 20) . "$user}";
gzip \$blanks => \my $bomb, -Level => 9;
undef $blanks;
failed_with(post($ng, $path{chat}, $bomb,
                 headers => ["Content-Encoding" => "gzip"], seconds => 15),
            413, "request_too_large", "G146 a gzip bomb");


# sizes around the buffer, and how the bytes come

for my $size (16000 .. 16003, 16383 .. 16386, 65536, 1 << 20, 9 << 20) {
    my $empty = length body_of("m", text => "");
    my $doc = body_of("m", text => "x" x ($size - $empty));
    my $r = post($ng, $path{chat}, $doc);
    my $got = last_request()->{body_len} || 0;

    ok($r->{status} == 200 && $got == $size, "G145 a body of $size bytes")
        or diag("$r->{status}, $got bytes");
}

for my $size (1, 7, 4096) {
    my $doc = body_of("fault-echo", text => "chunks of $size");
    my $c = AITest::Client->new($ng->{port});
    my $out = "";

    for (my $i = 0; $i < length $doc; $i += $size) {
        my $part = substr $doc, $i, $size;
        $out .= sprintf "%x\r\n%s\r\n", length $part, $part;
    }

    $c->request("POST", $path{chat}, $out . "0\r\n\r\n",
                "Transfer-Encoding" => "chunked");
    good($c->response, "G145 in chunks of $size", "chunks of $size");
    $c->close;
}

my $c = AITest::Client->new($ng->{port});
my $doc = body_of("fault-echo", text => "drops");
$c->send("POST $path{chat} HTTP/1.1\r\nHost: x\r\nContent-Type: "
         . "application/json\r\nContent-Length: " . length($doc)
         . "\r\n\r\n");
$c->send($_), select(undef, undef, undef, 0.001) for split //, $doc;
good($c->response, "G145 byte by byte", "drops");
$c->close;

$c = AITest::Client->new($ng->{port});
$c->send("POST $path{chat} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue"
         . "\r\nContent-Length: " . length($doc) . "\r\n\r\n");
ok($c->until(qr/100 Continue/, 2), "G145 Expect: 100-continue");
$c->send($doc);
good($c->response, "G145 and its answer", "drops");
$c->close;


# too large, in the dialect, before it has all come

$ng->stop;
$ng = nginx(dialects(), server => "client_max_body_size 100k;");

for my $surface (sort keys %path) {
    my $r = post($ng, $path{$surface}, body_of("m", text => "x" x 200000));
    is($r->{status}, 413, "G144 too large, $surface");
    is(ref $r->json eq "HASH" && ref $r->json->{error}, "HASH",
       "G144 told in the dialect, $surface") or diag($r->{body});
}

$c = AITest::Client->new($ng->{port});
$c->send("POST $path{chat} HTTP/1.1\r\nHost: x\r\n"
         . "Content-Length: 104857600\r\n\r\n");
my $early = $c->response(3);
is($early->{status}, 413, "G144 100 MB are refused at their announcement");
$c->close;

$c = AITest::Client->new($ng->{port});
$c->request("POST", $path{chat},
            sprintf("%x\r\n%s\r\n", 200000, "x" x 200000) . "0\r\n\r\n",
            "Transfer-Encoding" => "chunked");
is($c->response(3)->{status}, 413, "G144 chunked, too");
$c->close;


# smuggling: refused by nginx, or read as one request

my $n = scalar(requests());

for my $head ("Content-Length: 5\r\nTransfer-Encoding: chunked",
              "Content-Length: 5\r\nContent-Length: 6",
              "Transfer-Encoding: xchunked",
              "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
              "Content-Length: +5", "Content-Length: 5, 5",
              "Content-Length : 5")
{
    my $c = AITest::Client->new($ng->{port});
    $c->send("POST $path{chat} HTTP/1.1\r\nHost: x\r\n$head\r\n\r\n"
             . "0\r\n\r\nPOST $path{chat} HTTP/1.1\r\nHost: evil\r\n"
             . "Content-Length: 2\r\n\r\n{}");
    my $r = $c->response(1);
    cmp_ok($r->{status}, ">=", 400, "G147 $head");
    $c->close;
}

is(scalar(requests()), $n, "G148 nothing was smuggled upstream");

finish();

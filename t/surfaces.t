#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# What is asked by which path, and what is answered locally.

use strict;
use warnings;

use AITest;
use Test::More;


my $base = "http://127.0.0.1:" . port("main");

my $ng = nginx(
    http => providers(name => "oai", tier => "")
        . providers(name => "ant", tier => "", dialect => "anthropic")
        . providers(name => "gem", tier => "", dialect => "gemini",
                    endpoint => "$base/v1beta")
        . "ai_tier smart { alias gpt-* claude-alias; target oai/real-1; }\n"
        . "ai_tier deep { target ant/real-2; }\n"
        . "ai_tier wide { target gem/real-3; }\n"
        . "ai_tier rest { default; target oai/*; }\n",
    locations => "location / { ai_gateway on; }
                  location /pre/fix/ { ai_gateway on; }
                  location /cors/ { ai_gateway on;
                      ai_cors https://app.test max_age=10m; }");


# the model: a tier, an alias, a pattern, the default, PROVIDER/MODEL

for my $case (["smart", "real-1"], ["gpt-5", "real-1"],
              ["claude-alias", "real-1"], ["unknown", "unknown"],
              ["oai/direct", "direct"])
{
    my ($asked, $sent) = @$case;
    my $r = chat($ng, $asked);

    is($r->{status}, 200, "model $asked") or diag($r->{body});
    is(last_request()->{model}, $sent, "model $asked becomes $sent");
}

my $r = messages($ng, "deep");
good($r, "an Anthropic tier");
is(last_request()->{path}, "/v1/messages", "its path");

$r = gemini($ng, "wide");
good($r, "a Gemini tier");
is(last_request()->{path}, "/v1beta/models/real-3:generateContent",
   "its path has the model");

$r = gemini($ng, "wide", stream => 1);
good($r, "a Gemini stream");
is(last_request()->{target},
   "/v1beta/models/real-3:streamGenerateContent?alt=sse",
   "its path, with alt=sse");

# a body is changed where it must be, and nowhere else

my $doc = qq( {\t"x" : [1.0, -0, 1e400 ], "model"\n:  "gpt-x","messages":[])
    . qq(, "stream":false,"z":"\\u00e9\xc3\xa9\\/" }\n);
post($ng, "/v1/chat/completions", $doc);
(my $want = $doc) =~ s/"gpt-x"/"real-1"/;
utf8::decode($want);
is(last_request()->{body}, $want, "the model is replaced, no other byte");

post($ng, "/v1/chat/completions",
     ($doc = qq({"model":"oai/same","messages":[{"a":1 }]})));
($want = $doc) =~ s{oai/same}{same};
is(last_request()->{body}, $want, "PROVIDER/ is taken off");

post($ng, "/v1/chat/completions",
     ($doc = qq({"stream": true ,"model":"plain","messages":[]})));
is(JSON::PP::decode_json(last_request()->{body})->{stream_options}
   {include_usage}, JSON::PP::true, "include_usage is added to a stream");

post($ng, "/v1/messages",
     ($doc = qq({"model":"ant/same","stream":true,"max_tokens":1,)
             . qq("messages":[]})));
($want = $doc) =~ s{ant/}{};
is(last_request()->{body}, $want, "but not to one of Anthropic's");

# paths

my $chat = body_of("oai/m");

for my $path (qw(/v1/chat/completions /chat/completions
                 /openai/v1/chat/completions /pre/fix/v1/chat/completions
                 /v1/openai/chat/completions))
{
    my $r = post($ng, $path, $chat);
    good($r, "POST $path");
    is(last_request()->{path}, "/v1/chat/completions", "POST $path: upstream");
}

for my $case (["/v1/embeddings", '{"model":"oai/m","input":"x"}',
               "embedding"],
              ["/v1/completions", '{"model":"oai/m","prompt":"x"}',
               "text_completion"],
              ["/v1/responses", '{"model":"oai/m","input":"x"}',
               '"response"'],
              ["/v1/messages/count_tokens",
               '{"model":"ant/m","messages":[]}', "input_tokens"],
              ["/v1beta/models/wide:countTokens", '{"contents":[]}',
               "totalTokens"],
              ["/v1beta/models/wide:embedContent", '{"content":{}}',
               "embedding"])
{
    my ($path, $body, $text) = @$case;
    my $r = post($ng, $path, $body);
    is($r->{status}, 200, "POST $path") or diag($r->{body});
    like($r->{body}, qr/$text/, "POST $path: its answer");
    (my $sent = last_request()->{body_out});
    utf8::encode($sent);
    is($r->{body}, $sent, "POST $path: byte for byte");
}

# what the gateway does not understand passes, with the key

for my $case (["POST", "/v1/images/generations", '{"model":"oai/m"}'],
              ["POST", "/v1/moderations", '{"model":"oai/m","input":"x"}'],
              ["POST", "/v1/audio/speech", '{"model":"oai/m","input":"x"}'],
              ["GET", "/v1/files", undef],
              ["GET", "/v1/files/f-1/content", undef],
              ["DELETE", "/v1/files/f-1", undef],
              ["GET", "/v1/responses/r_1", undef],
              ["POST", "/v1/batches", '{"input_file_id":"f"}'])
{
    my ($method, $path, $body) = @$case;
    my $r = post($ng, $path, $body, method => $method);
    my $seen = last_request();

    is($r->{status}, 200, "$method $path passes") or diag($r->{body});
    is("$seen->{method} $seen->{path}", "$method $path",
       "$method $path: upstream");
    is({ map { @$_ } @{$seen->{headers}} }->{authorization},
       "Bearer " . secret(), "$method $path: with the key");
}

my $form = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
    . "\x00\xff\r\n--b--\r\n";
$r = post($ng, "/v1/audio/transcriptions", $form,
          headers => ["Content-Type" => "multipart/form-data; boundary=b"]);
is($r->{status}, 200, "a form passes");
is(last_request()->{body_len}, length $form, "whole");

# errors by path and method

for my $case (["GET", "/v1/chat/completions", 405, "method_not_allowed"],
              ["PUT", "/v1/messages", 405, "method_not_allowed"],
              ["POST", "/nothing", 404, "not_found"],
              ["POST", "/v1/../etc/passwd", 404, "not_found"],
              ["POST", "/v1//chat//completions", 404, "not_found"])
{
    my ($method, $path, $status, $code) = @$case;
    my $n = scalar(requests());
    my $r = post($ng, $path, '{"model":"m"}', method => $method);

    if ($path =~ m{//} && $r->{status} == 200) {
        pass("G155 $path is that path, merged");
        next;
    }

    is("$r->{status} " . $r->error, "$status $code", "G155 $method $path")
        or diag($r->{body});
    is(scalar(requests()), $n, "G155 $method $path goes nowhere");
}

good(messages($ng, "smart"), "a dialect that the provider does not speak");

$r = post($ng, "/v1/embeddings", json({ model => "deep", input => "x" }));
failed_with($r, 501, "not_supported", "what it has nothing like");

$ng->reload(http => providers(name => "oai",
                              tier => "ai_tier only { target oai/*; }"));
select undef, undef, undef, 0.3;
failed_with(chat($ng, "nobody"), 404, "model_not_found",
            "G151 an unknown model");
is(chat($ng, "only")->{status}, 200, "a known one");

# local answers

my $n = scalar(requests());

for my $path (qw(/ /health /api/hello)) {
    my $c = AITest::Client->new($ng->{port});
    $c->request("HEAD", $path);
    my $r = $c->response(2);
    $c->close;
    is($r->{status}, 200, "HEAD $path");
}

is(get($ng, "/health")->{status}, 200, "GET /health");
is(scalar(requests()), $n, "none of it goes upstream");

finish();

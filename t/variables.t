#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Variables and the log: design.md 5, ecosystem.md 1.8, reliability.md M.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep);


my @strings = qw(request_id trace_id client dialect operation request_model
    model provider upstream_model response_model finish_reason tools error
    outcome usage_source route);
my @numbers = qw(stream has_tools message_count max_tokens input_tokens
    cached_tokens cache_write_tokens output_tokens reasoning_tokens
    total_tokens attempts retry_count ttft duration overhead);

my $format = join "|", map { "$_=\$ai_$_" } @strings, @numbers;
my $core = join "|", map { "$_=\$upstream_$_" }
           qw(addr status response_time connect_time header_time
              bytes_sent bytes_received);

my %conf = dialects();

$conf{http} = "log_format vars escape=json '$format';\n"
    . "log_format core escape=json '$core';\n"
    . "map \$ai_request_model \$pick { default t-oai; ~^other t-two; }\n"
    . "map \$ai_has_tools\$ai_message_count \$shape {"
    . " default t-oai; ~^1 t-two; }\n"
    . $conf{http}
    . providers(name => "two", tier => "ai_tier t-two { target two/second; }",
                endpoint => "http://127.0.0.1:" . port("second") . "/v1");

$conf{locations} .= "location /map/ { ai_gateway on; ai_route \$pick; }\n"
    . "location /shape/ { ai_gateway on; ai_route \$shape; }\n"
    . "location /bad/ { ai_gateway on; ai_route \$arg_tier; }\n"
    . "location /plain/ { return 200 plain; }\n";

my $ng = nginx(%conf, server => 'access_log vars.log vars;
    access_log core.log core; access_log access.log ai;
    add_header x-probe $ai_request_model;');


sub fields {
    my ($file, $n) = @_;
    my @lines;

    for (1 .. 100) {
        @lines = split /\n/, AITest::slurp("$ng->{prefix}/$file");
        last if @lines >= $n;
        sleep 0.02;
    }

    return map { my ($k, $v) = split /=/, $_, 2; ($k => $v) }
           split /\|/, $lines[-1], -1;
}


my $n = 0;

# each surface

for my $case (["chat", 0], ["chat", 1], ["messages", 1], ["responses", 0],
              ["gemini", 1], ["completions", 0])
{
    my ($surface, $stream) = @$case;
    my $name = "$surface, " . ($stream ? "stream" : "document");
    my $r = ask($ng, $surface, "fault-slow-first-token:first:0.1",
                stream => $stream,
                headers => ["User-Agent" => "OpenAI/JS 6.1",
                            "x-stainless-retry-count" => 2]);
    my %v = fields("vars.log", ++$n);

    is($v{request_model}, "fault-slow-first-token:first:0.1",
       "request_model, $name");
    is($v{outcome}, "ok", "outcome, $name");
    is($v{stream}, $stream, "stream, $name");
    is($v{output_tokens}, 11, "output_tokens, $name");
    is($v{cached_tokens}, 3, "cached_tokens, $name");
    is($v{usage_source}, "provider", "usage_source, $name");
    is($v{total_tokens}, $v{input_tokens} + 11, "total_tokens, $name");
    is($v{attempts}, 1, "attempts, $name");
    is($v{retry_count}, 2, "retry_count, $name");
    like($v{client}, qr/openai/i, "client, $name");
    like($v{route}, qr/\A\w+:200\z/, "route, $name");
    ok($v{ttft} >= 0.09 && $v{ttft} < 0.5, "ttft, $name") or diag($v{ttft});
    ok($v{duration} >= $v{ttft}, "duration, $name");
    cmp_ok($v{overhead}, "<", 0.05, "overhead, $name");
    is($v{request_id}, $r->header("x-request-id"), "request_id, $name");
    is($v{error}, "", "error, $name");
    is($r->header("x-probe"), $v{request_model},
       "a variable in add_header, $name");
    is(scalar(grep { !defined $v{$_} || $v{$_} !~ /\A\d+(\.\d{3})?\z/ }
              @numbers), 0, "numbers are numbers, $name");
}

my %v = fields("core.log", $n);
is($v{addr}, "127.0.0.1:" . port("main"), "upstream_addr");
is($v{status}, 200, "upstream_status");
like($v{$_}, qr/\A0\.\d{3}\z/, "upstream_$_")
    for qw(response_time connect_time header_time);
cmp_ok($v{$_}, ">", 100, "upstream_$_") for qw(bytes_sent bytes_received);


# failures

ask($ng, "chat", "fault-status-503");
%v = fields("vars.log", ++$n);
is($v{error}, "upstream_overloaded", "error of a failure");
is($v{route}, "oai:503", "route of a failure");
is($v{outcome}, "upstream_error", "outcome of a failure");
%v = fields("core.log", $n);
is($v{status}, 503, "upstream_status of a failure");

post($ng, "/oai/v1/chat/completions", "{");
%v = fields("vars.log", ++$n);
is($v{error}, "invalid_json", "error of the client's making");
is($v{outcome}, "client_error", "and its outcome");
is($v{attempts}, 0, "without an attempt");
is(scalar(grep { $v{$_} !~ /\A\d+(\.\d{3})?\z/ } @numbers), 0,
   "numbers of it are 0, not empty");

is(get($ng, "/plain/")->{body}, "plain", "another location");
%v = fields("vars.log", ++$n);
is(scalar(grep { length $v{$_} } @strings), 0, "N257 there they are empty")
    or diag(json(\%v));

my $c = ask($ng, "chat", "fault-infinite", stream => 1, open => 1);
$c->until(qr/xxxx/);
sleep 0.1;
$c->close;
%v = fields("vars.log", ++$n);
is($v{outcome}, "client_abort", "outcome of an abort");
is($v{usage_source}, "estimated", "F129 its usage is estimated");
cmp_ok($v{output_tokens}, ">", 0, "F129 and not nothing");


# routing by variables

for my $case (["/map", {}, "m", "main"], ["/map", {}, "other-1", "second"],
              ["/shape", {}, "m", "main"],
              ["/shape", { tools => [{ type => "function" }] }, "m",
               "second"])
{
    my ($path, $more, $model, $listener) = @$case;
    my $r = chat($ng, $model, path => "$path/v1/chat/completions",
                 more => $more);
    $n++;
    is($r->{status}, 200, "ai_route by a map, $path $model");
    is(last_request()->{listener}, $listener, "leads to $listener");
}

is(chat($ng, "m", path => "/bad/v1/chat/completions?tier=nobody")->{status},
   503, "ai_route to a tier that is none");
is(chat($ng, "m", path => "/bad/v1/chat/completions?tier=t-two")->{status},
   200, "and to one");
is(chat($ng, "t-two", path => "/bad/v1/chat/completions")->{status}, 200,
   "an empty one asks the model's name");
$n += 3;


# hostile strings in the log

my @nasty = ("a\\u2028b", "a\"b", "\\u001b[31m", "a\\nb", "\\ud800",
             "a\xffb", "x" x 5000);

for my $text (@nasty) {
    post($ng, "/oai/v1/chat/completions",
         qq({"model":"$text","messages":[],"user":"$text"}),
         headers => ["User-Agent" => "ua \xff\x80\" $text",
                     "X-Request-Id" => "id \" \x9b",
                     "traceparent" => "00-zz-\"-01"]);
}

ask($ng, "chat", "fault-tool-call", stream => 1);
$n += @nasty + 1;

for (1 .. 100) {
    last if @{[log_lines($ng)]} >= $n - 1;
    sleep 0.02;
}

my @raw = split /\n/, AITest::slurp("$ng->{prefix}/access.log");
my @lines = log_lines($ng);
is(scalar(grep { ref ne "HASH" } @lines), 1,
   "M240 every line of \$ai_log is one JSON object, but that of /plain/")
    or diag(join "\n", map { $raw[$_] } grep { ref $lines[$_] ne "HASH" }
                       0 .. $#lines);
is(scalar(grep { length > 4096 } @raw), 0, "M240 of at most 4096 bytes");
is($lines[-1]{tools}, "get_weather", "names of tools");
is(scalar(@lines), $n, "M243 one for each request");

my ($line) = grep { ref && $_->{op} eq "chat" } @lines;
is_deeply([grep { !exists $line->{$_} } qw(v time id trace remote status
           outcome client retry dialect op stream model_requested model
           provider model_upstream model_response route attempts tokens
           ttft_s duration_s overhead_s finish error)], [],
          "it has what ecosystem.md 1.8 lists");
is($line->{v}, 1, "and a version");


# traces and ids

my $tp = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
ask($ng, "chat", "m", headers => ["traceparent" => $tp,
                                  "X-Request-Id" => "client-id-1"]);
%v = fields("vars.log", ++$n);
is($v{trace_id}, "0af7651916cd43dd8448eb211c80319c", "M247 trace_id");
my %h = map { @$_ } @{last_request()->{headers}};
like($h{traceparent}, qr/\A00-0af7651916cd43dd8448eb211c80319c-/,
     "M247 the trace goes on");

ask($ng, "chat", "m", headers => ["traceparent" => "00-junk"]);
%v = fields("vars.log", ++$n);
is($v{trace_id}, "", "M247 a bad one does not");

finish();

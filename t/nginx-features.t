#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Together with what nginx has: auth_request, error_page, limits,
# subrequests, gzip, "if": reliability.md E120, I178, N261.

use strict;
use warnings;

use AITest;
use Test::More;


my $main = port("main");

my %conf = dialects();

$conf{http} = <<"END" . $conf{http};
    limit_req_zone \$binary_remote_addr zone=one:64k rate=1r/m;
    limit_conn_zone \$binary_remote_addr zone=conn:64k;
    gzip_types text/event-stream application/json;
    gzip_min_length 1;
END

$conf{locations} .= <<"END";
    location /authed/ {
        auth_request /check;
        ai_gateway on; ai_route t-oai;
    }
    location = /check { internal; return 403; }
    location /open/ {
        auth_request /yes;
        ai_gateway on; ai_route t-oai;
    }
    location = /yes { internal; return 204; }
    location /denied/ { deny all; ai_gateway on; ai_route t-oai; }
    location /limited/ {
        limit_req zone=one; limit_req_status 429;
        ai_gateway on; ai_route t-oai;
    }
    location /busy/ {
        limit_conn conn 1; ai_gateway on; ai_route t-oai;
    }
    location /page/ {
        error_page 502 503 = \@sorry;
        ai_gateway on; ai_route t-oai;
    }
    location \@sorry { return 200 sorry; }
    location /zipped/ { gzip on; ai_gateway on; ai_route t-oai; }
    location /if/ {
        if (\$arg_x) { add_header x-if yes; }
        ai_gateway on; ai_route t-oai;
    }
    location /try/ { try_files /nothing \@ai; }
    location \@ai { ai_gateway on; ai_route t-oai; }
    location /ssi/ { ssi on; ssi_types text/plain; default_type text/plain;
        return 200 '[<!--#include virtual="/oai/v1/models" -->]'; }
    location /mirror/ { mirror /oai/v1/models; ai_gateway on;
                        ai_route t-oai; }
    location /slow/ { limit_rate 20k; ai_gateway on; ai_route t-oai; }
    location /small/ { ai_gateway on; ai_route t-oai;
                       output_buffers 1 1k; postpone_output 0; }
END

my $ng = nginx(%conf);


sub to {
    my ($name, $model, %opt) = @_;
    my $args = delete $opt{args} || "";
    return chat($ng, $model, path => "/$name/v1/chat/completions$args",
                %opt);
}


is(to("authed", "m")->{status}, 403, "I178 auth_request says no");
is(to("denied", "m")->{status}, 403, "I178 deny");
is(scalar(requests()), 0, "I178 nothing goes upstream");
good(to("open", "m", stream => $_), "auth_request says yes") for 0, 1;

is(to("limited", "m")->{status}, 200, "limit_req lets one pass");
my $r = to("limited", "m");
is($r->{status}, 429, "limit_req stops the next");
is(ref $r->json eq "HASH" && ref $r->json->{error}, "HASH",
   "and it is told in the dialect") or diag($r->{body});

my $c = to("busy", "fault-slow-drip", stream => 1, open => 1);
$c->until(qr/ w0"/);
$r = to("busy", "m");
is($r->{status}, 503, "limit_conn counts a stream");
is(ref $r->json eq "HASH" && ref $r->json->{error}, "HASH",
   "and it is told in the dialect") or diag($r->{body});
$c->response;

# the client has its answer a moment before nginx is done with it

for (1 .. 50) {
    $r = to("busy", "m");
    last if $r->{status} != 503;
    select undef, undef, undef, 0.02;
}

good($r, "limit_conn forgets it at its end");

$r = to("page", "fault-status-503");
ok($r->{status} == 503 || $r->{body} eq "sorry",
   "error_page, one way or the other") or diag($r->{body});

for my $stream (0, 1) {
    $r = to("zipped", "fault-slow-drip:n:4:d:0.02", stream => $stream,
            headers => ["Accept-Encoding" => "gzip"]);
    is($r->{status}, 200, "gzip on");
    is($r->header("content-encoding"), undef,
       "E120 a stream is not compressed by nginx") if $stream;
}

good(to("if", "m", args => "?x=1", stream => 1), "within an \"if\"");
good(post($ng, "/try/v1/chat/completions", body_of("m")),
     "N261 try_files to a named location");

$r = get($ng, "/ssi/x");
like($r->{body}, qr/\A\[\{"object":"list",.*\}\]\z/s,
     "N261 a subrequest of a list of models") or diag($r->{body});
good(to("mirror", "m"), "N261 mirror");

$r = to("slow", "fault-slow-drip:n:300:d:0", stream => 1, seconds => 20);
like($r->text, qr/ w299\z/, "limit_rate");
ok($r->{complete}, "limit_rate: whole");
$r = to("small", "fault-sse-many-events:n:3000", stream => 1);
like($r->text, qr/ w2999\z/, "small buffers");

# one worker is not blocked by a client that reads slowly

$c = to("slow", "fault-flood", stream => 1, open => 1);
$c->until(qr/xxxx/);
good(to("oai", "m"), "others are served meanwhile");
$c->close;

# connections of clients are used again

$c = AITest::Client->new($ng->{port});
for my $i (1 .. 3) {
    $c->request("POST", "/oai/v1/chat/completions",
                body_of("fault-echo", text => "turn $i", stream => $i % 2));
    good($c->response, "a kept connection of a client, $i", "turn $i");
}
$c->request("POST", "/oai/v1/chat/completions", "{broken");
is($c->response->{status}, 400, "an error on it");
$c->request("POST", "/oai/v1/chat/completions", body_of("m"));
good($c->response, "and an answer after it");
$c->close;

$c = AITest::Client->new($ng->{port});
my $body = body_of("m", stream => 1);
$c->send("POST /oai/v1/chat/completions HTTP/1.0\r\nContent-Length: "
         . length($body) . "\r\n\r\n$body");
$r = $c->response;
good($r, "HTTP/1.0 ends with the connection");
is($r->header("transfer-encoding"), undef, "and is not chunked");
$c->close;


finish();

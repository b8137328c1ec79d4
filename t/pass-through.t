#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Paths that the gateway does not understand: files, audio, batches.  Bytes
# pass both ways as they are, keys are exchanged, faults are told.

use strict;
use warnings;

use AITest;
use Digest::SHA qw(sha256_hex);
use Test::More;
use Time::HiRes qw(sleep time);


my $ng = nginx(dialects(first_token_timeout => "500ms",
                        idle_timeout => "500ms", timeout => "4s"),
               server => "client_body_buffer_size 16k;");

my $path = "/oai/v1/files";


# pass(fault, body, ...): the script chooses the fault, as there is no model

sub pass_on {
    my ($fault, $body, %opt) = @_;
    script($fault) if $fault;
    return post($ng, $path, $body,
                headers => ["Content-Type" => "application/octet-stream",
                            @{delete $opt{headers} || []}], %opt);
}


# bodies of any kind and size

srand 7;

for my $size (0, 1, 16383, 16385, 100000, 5000000) {
    my $bytes = join "", map { chr int rand 256 } 1 .. ($size % 100000);
    $bytes x= 50 if $size > 100000;
    $bytes = "b" x $size if length $bytes != $size;

    my $r = pass_on(undef, $bytes);
    is($r->{status}, 200, "an upload of $size bytes");
    is(last_request()->{body_sha256}, sha256_hex($bytes), "as it was");
}

my $c = AITest::Client->new($ng->{port});
$c->request("POST", $path, join("", map { sprintf "%x\r\n%s\r\n", $_, "c" x $_ }
            1 .. 200) . "0\r\n\r\n", "Transfer-Encoding" => "chunked",
            "Content-Type" => "audio/wav");
is($c->response->{status}, 200, "a chunked upload");
is(last_request()->{body_len}, 200 * 201 / 2, "whole");
$c->close;

my %h = map { @$_ } @{last_request()->{headers}};
is($h{"content-type"}, "audio/wav", "with its type");
is($h{authorization}, "Bearer " . secret(), "and the key");


# answers

for my $fault (qw(ok byte-by-byte chunk-1byte chunk-ext http10
                  connection-close early-hints 200-html 200-empty
                  200-invalid-json 200-huge-json:n:3 gzip-ok))
{
    my $r = pass_on($fault, "x");
    ok($r->{status} == 200 && $r->{complete}, "$fault passes")
        or diag("$r->{status} $r->{body}");
}

my $r = pass_on("200-html", "x");
like($r->header("content-type"), qr{\Atext/html}, "with its type");
is($r->header("x-content-type-options"), "nosniff", "and nosniff");

$r = pass_on("leaky-headers", "x");
unlike($r->{head}, qr/LEAK/, "B50 no header that tells of the account");
$r = pass_on("x-accel-redirect", "x");
is($r->{status}, 200, "B48 X-Accel-Redirect is ignored");

for my $case (["status-404", 404], ["status-503", 503],
              ["status-401", 502], ["502-html", 502],
              ["reset-before-headers", 502], ["close-before-headers", 502],
              ["chunk-bad-first", 200], ["dup-content-length", 502],
              ["http09", 502], ["redirect-302", 502],
              ["unsolicited-101", 502])
{
    my ($fault, $status) = @$case;

    # twice: what happens on a kept connection is tried again on a fresh one

    script($fault);
    my $r = pass_on($fault, "x");
    fake_reset();

    if ($status == 200) {
        ok($r->{status} == 502 || !$r->{complete},
           "$fault: refused, or visibly cut");
        next;
    }

    is($r->{status}, $status, "$fault") or diag($r->{body});
    unlike($r->{head} . $r->{body}, qr/LEAK|CANARY/, "$fault: no leak");
}

for my $fault (qw(cl-short chunk-truncated reset-midstream close-midstream
                  stall-mid-stream))
{
    my $n = scalar(log_lines($ng));
    my $r = pass_on($fault, "x");

    ok($r->{status} == 502 || !$r->{complete},
       "B44 $fault: never looks complete")
        or diag("$r->{status} complete, $r->{body}");
    isnt(logged($ng, $n + 1)->{outcome}, "ok", "B44 $fault: logged so");
}

for my $fault (qw(stall-headers stall-after-status)) {
    my $r = pass_on($fault, "x", seconds => 5);
    is($r->{status}, 504, "F121 $fault") or diag($r->{body});
}

fake_reset();
$c = pass_on("stall-headers", "x", open => 1);
wait_for("requests=1&timeout=2");
$c->close;
aborted("F131 a client that leaves");

# HEAD has no body, whatever it says

$c = AITest::Client->new($ng->{port});
$c->request("HEAD", "/oai/v1/files/f-1/content");
$r = $c->response(2);
ok($r->{status} == 200 || $r->{status} == 405, "HEAD") or diag($r->{status});
$c->request("GET", "/oai/v1/files/f-1");
is($c->response(2)->{status}, 200, "and the connection goes on");
$c->close;

# back-pressure, and memory

fake_reset();
my ($pid) = $ng->workers;
my $rss = sub { AITest::slurp("/proc/$pid/status") =~ /VmRSS:\s+(\d+)/ && $1 };
my $before = $rss->();

script("200-huge-json:n:24");
$c = AITest::Client->new($ng->{port}, rcvbuf => 65536);
$c->request("GET", $path);
sleep 0.7;
cmp_ok(last_request()->{bytes_sent}, "<", 16 << 20,
       "F132 a slow client holds the provider back");
my $got = $c->response(15);
cmp_ok(length $got->{body}, ">", 24 << 20, "F132 and gets it all in the end");
$c->close;

SKIP: {
    skip "sanitizers keep what is freed", 1 if AITest::sanitized();
    cmp_ok($rss->() - $before, "<", 4096, "F132 in bounded memory (KB)");
}

finish();

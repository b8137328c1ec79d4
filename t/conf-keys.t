#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Where keys come from, and what an unset one does: a service does not start,
# "nginx -t" warns, and a shell that sends a signal is not bothered.

use strict;
use warnings;

use AITest;
use POSIX qw(_exit);
use Test::More;


my $dir = workdir();
my $port = AITest::free_port();

delete @ENV{qw(AI_TEST_KEY AI_TEST_OTHER CREDENTIALS_DIRECTORY)};


# run(provider, env, argument...): (exit status, output) of nginx

sub run {
    my ($provider, $env, @args) = @_;

    my $http = "ai_provider lab { dialect openai;\n"
               . "endpoint http://127.0.0.1:1/v1;\n$provider }";
    my $conf = spew("$dir/nginx.conf",
                    AITest::config($dir, $port, http => $http));

    my $pid = open my $out, "-|";
    defined $pid or die "fork: $!";

    if ($pid == 0) {
        open STDERR, ">&", \*STDOUT;
        %ENV = (%ENV, %$env);
        alarm 5;
        { exec AITest::binary(), "-p", "$dir/", "-e", "stderr", "-c", $conf,
               @args }
        _exit(127);
    }

    local $/;
    my $text = <$out>;
    close $out;
    my $status = $?;
    $text =~ s/\] \d+#\d+: /] /g;

    return ($status, $text);
}


my $unset = 'key "env:AI_TEST_KEY" of ai_provider "lab": the environment '
            . 'variable is not set in \S+nginx\.conf:\d+\n';
$unset = qr/$unset/;

my ($status, $out) = run("key env:AI_TEST_KEY;", {}, "-t");
is($status, 0, "unset: nginx -t accepts");
like($out, qr/\[warn\] [^\n]*$unset/, "unset: nginx -t warns");

($status, $out) = run("key env:AI_TEST_KEY;", {});
isnt($status, 0, "unset: nginx does not start");
like($out, qr/\[emerg\] [^\n]*$unset/, "unset: and says why");

($status, $out) = run("key env:AI_TEST_KEY;", { AI_TEST_KEY => "" });
isnt($status, 0, "empty is unset");

($status, $out) = run("key env:AI_TEST_KEY;", {}, "-s", "reload");
unlike($out, $unset, "unset: a signal does not tell");
like($out, qr/nginx\.pid/, "unset: it looks for the process");

($status, $out) = run("key env:AI_TEST_KEY;", { AI_TEST_KEY => "sk-CANARY" },
                      "-t");
is($status, 0, "set: accepted");
unlike($out, qr/CANARY|\[warn\]/, "set: and nothing is told");

($status, $out) = run("key env:AI_TEST_KEY; key env:AI_TEST_OTHER weight=2;",
                      { AI_TEST_KEY => "sk-CANARY" });
isnt($status, 0, "one of two unset: nginx does not start");
like($out, qr/\[emerg\] key "env:AI_TEST_OTHER"/, "one of two: which");

($status, $out) = run("key env:AI_TEST_KEY;", { AI_TEST_KEY => "sk CANARY" },
                      "-t");
isnt($status, 0, "a blank is refused");
like($out, qr/\[emerg\] key "env:AI_TEST_KEY" holds more than a key: byte 3/,
     "a blank: where");
unlike($out, qr/CANARY/, "a blank: the key is not told");

($status, $out) = run("key credential:openai;", {}, "-t");
is($status, 0, "no credentials directory: nginx -t accepts");
like($out, qr/\[warn\] key "credential:openai" of ai_provider "lab": \$CRED/,
     "no credentials directory: it warns");

($status, $out) = run("key credential:openai;", {});
isnt($status, 0, "no credentials directory: nginx does not start");

($status, $out) = run("key credential:absent;",
                      { CREDENTIALS_DIRECTORY => $dir }, "-t");
isnt($status, 0, "no such credential");
like($out, qr/key "credential:absent": open\(\) "\Q$dir\E\/absent" failed/,
     "no such credential: which");

chmod 0600, spew("$dir/openai", "sk-CANARY\r\n");
($status, $out) = run("key credential:openai;",
                      { CREDENTIALS_DIRECTORY => $dir }, "-t");
is($status, 0, "a credential");
unlike($out, qr/\[warn\]/, "a credential: no warning");

($status, $out) = run("key file:openai;", {}, "-t");
is($status, 0, "a file beside nginx.conf");
unlike($out, qr/\[warn\]/, "a file: no warning");

chmod 0644, "$dir/openai";
($status, $out) = run("key file:openai;", {}, "-t");
is($status, 0, "a file that everyone can read");
like($out, qr/\[warn\] key "file:openai": everyone on this machine can read/,
     "a file that everyone can read: warned of");

my $without = "key env:AI_TEST_KEY; without_key http://127.0.0.1:2/m;";

($status, $out) = run($without, {}, "-t");
is($status, 0, "without_key: accepted");
is(() = $out =~ /\[warn\]/g, 1, "without_key: one warning");
like($out, qr/no key of ai_provider "lab" is set, "without_key http[^"]+:2/,
     "without_key: which");

($status, $out) = run($without, { AI_TEST_KEY => "k" }, "-t");
unlike($out, qr/\[warn\]/, "without_key, but there is one");

($status, $out) = run("key env:AI_TEST_OTHER; $without",
                      { AI_TEST_KEY => "k" }, "-t");
like($out, qr/\[warn\] key "env:AI_TEST_OTHER"/, "without_key, one of two");


# a service

my $text = "ai_provider fake { dialect openai;\n"
           . "    key env:AI_TEST_KEY; key env:AI_TEST_OTHER;\n"
           . "    endpoint http://127.0.0.1:1/v1;\n"
           . "    without_key " . "http://127.0.0.1:" . port("main")
           . "/v1; }";

my $ng = nginx(http => $text);
good(chat($ng, "m"), "without_key: requests go there");
unlike(json(last_request()), qr/authorization/i,
       "without_key: without a credential");

$text = "ai_provider fake { dialect openai; key env:AI_TEST_KEY;\n"
        . "    endpoint http://127.0.0.1:" . port("main") . "/v1; }";

$ng = nginx(http => $text, env => { AI_TEST_KEY => "sk-env" });
good(chat($ng, "m2"), "a key of the environment");
ok($ng->reload, "it is there after a reload");
good(chat($ng, "m3"), "and works");

finish();

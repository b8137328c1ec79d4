#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Everything between everything, judged by programs that know nothing of the
# code that translates: t/hub/run.py reads recorded answers as each client
# would, t/hub/requests.py reads requests as each provider would, t/hub/turns.py
# sends back what a client was answered.  The recordings are not a part of this
# repository.

use strict;
use warnings;

use Test::More;

my $objs = $ENV{AI_OBJS} || $ENV{OBJS} || "objs";

plan skip_all => "run from the top of the checkout" unless -e "t/hub/run.py";
plan skip_all => "no python3" if system("python3 -V >/dev/null 2>&1");

my $log = `make --no-print-directory $objs/hub/driver OBJS='$objs' 2>&1`;
is($?, 0, "the driver builds") or diag($log);

$ENV{HUB_DRIVER} = "$objs/hub/driver";
$ENV{PYTHONDONTWRITEBYTECODE} = 1;

run("requests.py", "requests", "--recorded");
run("restore.py", "what is put back");

SKIP: {
    skip "no recorded transcripts beside the checkout", 2
        unless -e "../shared/fixtures/manifest.tsv";

    run("run.py", "answers");
    run("turns.py", "second turns");
}

done_testing();


sub run {
    my ($program, $what, @args) = @_;

    my $out = `python3 t/hub/$program @args 2>&1`;
    is($?, 0, "$what of all pairs");
    note($out);
    diag($out) if $?;
}

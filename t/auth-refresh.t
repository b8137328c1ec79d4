#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Keys that others change while workers run, as agents do that renew tokens
# of Entra ID.

use strict;
use warnings;

use AITest;
use Test::More;
use Time::HiRes qw(sleep);


my $dir = workdir();
my $path = "$dir/entra";


# written(text): as agents do, a new file in place of the old one

sub written {
    my ($text, $mode) = @_;

    spew("$path.new", $text);
    chmod defined $mode ? $mode : 0644, "$path.new";
    rename "$path.new", $path or die "$path: $!";
}


sub sent {
    chat($_[0], "m");
    my %h = map { @$_ } @{last_request()->{headers}};
    return $h{authorization} || $h{"api-key"} || "";
}


# until_sent(nginx, value): within 4 seconds

sub until_sent {
    my ($ng, $value) = @_;

    for (1 .. 80) {
        return 1 if sent($ng) eq $value;
        sleep 0.05;
    }

    return 0;
}


sub count_of { return scalar(() = error_log($_[0]) =~ /$_[1]/g) }


written("eyJ.CANARY-1\n");

my $ng = nginx(http => providers(key => "file:$path refresh=1s"),
               workers => 2);

is(sent($ng), "Bearer eyJ.CANARY-1", "the first token");

# within the second that nginx has started in

written("eyJ.CANARY-2\n");
ok(until_sent($ng, "Bearer eyJ.CANARY-2"), "the second one, once it is there");

# the same length, the same second

written("eyJ.CANARY-3\r\n");
ok(until_sent($ng, "Bearer eyJ.CANARY-3"), "the third one");

open my $f, ">", $path or die;
print $f "eyJ.CANARY-in-place";
close $f;
ok(until_sent($ng, "Bearer eyJ.CANARY-in-place"), "one written in place");

my $broken = 0;

for my $bad ("", "\n", "two words", "a\nb", "\x{7f}", "x" x 9000) {
    my $before = count_of($ng, qr/is no key, the one before is kept/);

    written($bad);

    for (1 .. 100) {
        last if count_of($ng, qr/is no key, the one before is kept/)
                >= $before + 2;
        sleep 0.03;
    }

    $broken++;
    cmp_ok(count_of($ng, qr/is no key, the one before is kept/), ">=",
           $before + 2, "broken $broken: told by both workers");
    is(sent($ng), "Bearer eyJ.CANARY-in-place", "broken $broken: the old one");
}

unlink $path;
ok($ng->wait_log(qr/open\(\) "\Q$path\E" failed.*must be able to read/),
   "no file: told");
is(sent($ng), "Bearer eyJ.CANARY-in-place", "no file: the old one");

mkdir $path;
sleep 1.3;
is(sent($ng), "Bearer eyJ.CANARY-in-place", "a directory: the old one");
rmdir $path;

written("eyJ.CANARY-back");
ok(until_sent($ng, "Bearer eyJ.CANARY-back"), "and it is back");

# a worker that ends does not wait for the next look

written("eyJ.CANARY-long");
my $long = nginx(http => providers(key => "file:$path refresh=1h"));
is(sent($long), "Bearer eyJ.CANARY-long", "an hour");
written("eyJ.CANARY-other");
$long->reload;
ok(until_sent($long, "Bearer eyJ.CANARY-other"), "a reload reads it at once");

# of a pool, each for itself

written("pool-a");
spew("$dir/other", "pool-b");
chmod 0600, "$dir/other";
my $pool = nginx(http => providers(key => "file:$path refresh=1s",
                                   more => "    key file:$dir/other;\n"));
my %seen = map { sent($pool) => 1 } 1 .. 4;
is(join(" ", sort keys %seen), "Bearer pool-a Bearer pool-b", "a pool");
written("pool-c");
ok(until_sent($pool, "Bearer pool-c"), "one of it is renewed");
%seen = map { sent($pool) => 1 } 1 .. 4;
is(join(" ", sort keys %seen), "Bearer pool-b Bearer pool-c",
   "the other one stays");


# what is refused

conf_fails(qr/"refresh" is for keys from "file:PATH"/, "of the environment",
           http => providers(key => "env:X refresh=1m"), env => { X => "x" });

for my $bad ("0", "1", "999ms", "x", "-1s", "") {
    my $ok = $bad eq "1";
    conf_fails(qr/invalid parameter of "key", expected .*"refresh=TIME"/,
               "refresh=$bad",
               http => providers(key => "file:$path refresh=$bad"))
        unless $ok;
}

for my $n ($ng, $long, $pool) {
    unlike(error_log($n) . slurp("$n->{prefix}/access.log"),
           qr/CANARY|pool-[abc]/, "no key in a log");
}

finish();

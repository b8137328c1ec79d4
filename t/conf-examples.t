#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors

# Each file of conf-examples/ passes "nginx -t" as it is.  The module is loaded
# from the command line, as "make run" does it; keys that the file takes from
# the environment or from systemd credentials have a value.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $nginx = $ENV{AI_NGINX} || $ENV{NGINX_BINARY} || 'nginx';
my $objs = $ENV{AI_OBJS} || 'objs';

my $modules = defined $ENV{TEST_NGINX_LOAD_MODULES}
    ? $ENV{TEST_NGINX_LOAD_MODULES}
    : abs_path("$objs/ngx_http_ai_gateway_module.so");

my @files = sort glob 'conf-examples/*.conf';

plan skip_all => 'no conf-examples/*.conf' unless @files;
plan tests => scalar @files;

for my $file (@files) {
    my $prefix = tempdir(CLEANUP => 1);
    make_path("$prefix/logs", "$prefix/conf", "$prefix/tmp");

    open my $fh, '<', $file or die "$file: $!";
    my $text = do { local $/; <$fh> };

    local %ENV = %ENV;

    $ENV{$_} = 'sk-for-the-test' for $text =~ /\benv:(\w+)/g;

    $ENV{CREDENTIALS_DIRECTORY} = "$prefix/credentials";
    make_path($ENV{CREDENTIALS_DIRECTORY});

    for my $name ($text =~ /\bcredential:([\w.-]+)/g) {
        open my $out, '>', "$prefix/credentials/$name" or die $!;
        print $out "sk-for-the-test\n";
        close $out;
        chmod 0600, "$prefix/credentials/$name";
    }

    my $main = join '', map { "load_module $_; " } split ' ', $modules;
    $main .= "pid $prefix/nginx.pid; error_log stderr notice;";

    open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', $nginx,
        '-t', '-e', 'stderr', '-p', "$prefix/", '-c', abs_path($file),
        '-g', $main or die "$nginx: $!";

    my @output = <$pipe>;
    close $pipe;

    # the test machine need not reach the internet

    my $complaints = grep { /\[(warn|error|crit|alert|emerg)\]/
                            && !/: host "[^"]+" of .* is not found:/ } @output;

    ok($? == 0 && !$complaints, "$file passes nginx -t") or diag(@output);
}

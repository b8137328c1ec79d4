#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors

# The coding style of nginx, as far as a program can see it, and the rules that
# keep core/ pure and files small.  See t/README.md for how to run it alone.

use strict;
use warnings;

use Test::More;

use constant FILE_LINES => 900;
use constant HEADER_LINES => 400;
use constant FUNCTION_LINES => 80;

# byte-by-byte parsers: one switch over the state, longer than a function
# should be, and easier to read in one piece

my %parsers = map { $_ => 1 } qw(ai_http_chunked_next ai_json_document
                                 ai_mock_put_code);

# the one place for SIMD feature tests; pure logic elsewhere

my %feature_tests = map { $_ => 1 } qw(ai_simd.h);

my @glue = sort glob 'ngx_http_ai_gateway_module/*.[ch]';
my @core = sort glob 'ngx_http_ai_gateway_module/core/*.[ch]';
my @tests = sort glob 't/unit/*.[ch] t/fuzz/*.[ch]';

plan skip_all => 'run from the top of the checkout' unless @core;

for my $file (@glue, @core, @tests) {
    my @lines = read_lines($file);
    my $text = join '', @lines;
    my @problems;

    typography(\@problems, \@lines);
    unless (grep { $_ eq $file } @tests) {
        functions(\@problems, \@lines);
        push @problems, scalar(@lines) . ' lines' if @lines > FILE_LINES;
    }

    if ($file =~ m|ngx_http_ai_gateway\.h$| && @lines > HEADER_LINES) {
        push @problems, 'umbrella header of ' . @lines . ' lines';
    }

    push @problems, 'no copyright line'
        unless $text =~ /^ \* Copyright \(C\) /m;

    my $code = strip($text);

    core($file, \@problems, $code) if grep { $_ eq $file } @core;
    glue($file, \@problems, $code) if grep { $_ eq $file } @glue;

    ok(!@problems, $file) or diag(map { "$file: $_\n" } @problems);
}

done_testing();


sub read_lines {
    my ($file) = @_;

    open my $fh, '<', $file or die "$file: $!";
    return <$fh>;
}


# comments and literals become blanks, so that line numbers stay

sub strip {
    my ($text) = @_;

    $text =~ s{
        (/\*.*?\*/) | ("(?:\\.|[^"\\\n])*") | ('(?:\\.|[^'\\\n])*')
    }{
        my $blank = defined $1 ? $1 : '';
        my $open = defined $2 ? '""' : defined $3 ? "' '" : '';
        $blank =~ s/[^\n]//g;
        $open . $blank
    }gsex;

    return $text;
}


sub typography {
    my ($problems, $lines) = @_;

    my $code = strip(join '', @$lines);
    my @code = split /\n/, $code, -1;

    for my $i (0 .. $#$lines) {
        my $line = $lines->[$i];
        my $n = $i + 1;

        push @$problems, "$n: no newline at the end" unless $line =~ s/\n$//;
        push @$problems, "$n: longer than 80 columns" if length $line > 80;
        push @$problems, "$n: tab" if $line =~ /\t/;
        push @$problems, "$n: trailing blank" if $line =~ /[ \r]$/;
        push @$problems, "$n: // comment" if $code[$i] =~ m|//|;
    }
}


# a body starts and ends with a brace at column 0

sub functions {
    my ($problems, $lines) = @_;

    my ($name, $start);

    for my $i (0 .. $#$lines) {

        if ($lines->[$i] =~ /^(\w+)\(/) {
            $name = $1;

        } elsif ($lines->[$i] =~ /^\{/) {
            $start = $i;

        } elsif ($lines->[$i] =~ /^\}/ && defined $start) {
            my $length = $i - $start - 1;

            if (defined $name && $length > FUNCTION_LINES
                && !$parsers{$name})
            {
                push @$problems, "$name() of $length lines";
            }

            undef $start;
            undef $name;
        }
    }
}


sub find {
    my ($problems, $code, $re, $what) = @_;

    my $n = 0;

    for my $line (split /\n/, $code, -1) {
        $n++;
        push @$problems, "$n: $what: $1" if $line =~ $re;
    }
}


# no nginx, no I/O, no clock, no conditional compilation

sub core {
    my ($file, $problems, $code) = @_;

    my ($name) = $file =~ m|([^/]+)$|;

    find($problems, $code, qr/\b(ngx_\w+)/, 'nginx in core');
    find($problems, $code,
        qr/\b(assert|abort|exit|f?printf|fopen|open|read|write|time
             |gettimeofday|clock_gettime|getenv)\s*\(/x, 'impure call');

    return if $feature_tests{$name};

    my $guard = qr/^\#ifndef \s+ _\w+_H_INCLUDED_ $/mx;
    my $header = $name =~ /\.h$/;

    $code =~ s/$guard// if $header;
    find($problems, $code, qr/^\s*#\s*(ifdef\b.*|ifndef\b.*|if\b.*)/,
         'conditional compilation in core');
}


# memory comes from pools, strings have lengths, versions live in one header

sub glue {
    my ($file, $problems, $code) = @_;

    find($problems, $code,
        qr/(?<![>.])\b(malloc|calloc|realloc|free|v?sn?printf|str(?:n?cpy|n?cat|len)
             |assert|abort)\s*\(/x, 'forbidden call');

    if ($file !~ m|/ngx_http_ai_compat\.h$|) {
        find($problems, $code, qr/\b(nginx_version|NGINX_VERSION)\b/,
             'version test outside ngx_http_ai_compat.h');
    }
}

#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Recorded answers of providers pass byte for byte, in one piece and split.
# The recordings are not a part of this repository.

use strict;
use warnings;

use AITest;
use Test::More;


my $root = fixtures();
plan skip_all => "no recorded transcripts beside the checkout" unless $root;

my $ng = nginx(dialects(first_token_timeout => "5s"));

my %ends = (chat => qr/data: ?\[DONE\]\s*\z/,
            messages => qr/event: message_stop\s+data:[^\n]*\s*\z/,
            responses => qr/"type": ?"response\.(completed|incomplete)".*\z/s,
            gemini => qr/"finishReason"/);

my (%done, %failed, @diag);

for my $line (split /\n/, AITest::slurp("$root/core.tsv")) {
    my ($file, $provider, $endpoint, $format, $status) = split /\t/, $line;
    my $surface = $endpoint eq "chat" ? "chat"
                : $endpoint eq "messages" ? "messages"
                : $endpoint eq "responses" ? "responses"
                : $endpoint =~ /generateContent/i ? "gemini" : next;
    my $stream = $format eq "sse" ? 1 : $format eq "json" ? 0 : next;

    next if $provider =~ /^(_|cohere|bedrock|ollama)/;
    next if $file =~ /streamGenerateContent/ && !$stream;

    my $path = "$root/$file";

    if ($stream && $path =~ s/\.json\z/.sse/) {
        $file =~ s/\.json\z/.sse/;
    }

    my $bytes = AITest::slurp($path);
    next unless length $bytes;

    if ($stream) {
        next unless $bytes =~ $ends{$surface};
        next if $bytes =~ /\n(?:event: ?error|error:)|"error": ?\{/;

    } else {
        my $pair = JSON::PP::decode_json($bytes);
        next if ref $pair ne "HASH";
        next if $pair->{meta} && ($pair->{response}{status} != 200
                                  || ref $pair->{response}{body} ne "HASH");
        my $doc = $pair->{meta} ? $pair->{response}{body} : $pair;
        next if $doc->{error} || ($doc->{status} || "") eq "failed"
             || $surface eq "chat" && !$doc->{choices}
             || $surface eq "messages" && ($doc->{type} || "") ne "message"
             || $surface eq "responses" && !$doc->{output}
             || $surface eq "gemini" && !$doc->{candidates};
    }

    for my $split ($stream ? (0, 7, 1) : (0, 11)) {
        next if $split == 1 && length $bytes > 20000;

        script("replay:$file?split=$split");

        my $n = $stream && $surface eq "chat"
            ? { stream_options => { include_usage => JSON::PP::true } } : {};
        my $r = ask($ng, $surface, "m", stream => $stream, more => $n,
                    seconds => 15);
        my $sent = $stream ? $bytes : last_request()->{body_out};

        utf8::encode($sent) unless $stream;

        # what comes after the end of a stream is not passed

        $sent =~ s/(response\.completed.*?\n\n)data: \[DONE\]\n\n\z/$1/s;

        next if !$stream && length $sent > 60000;

        my $kind = "$surface, " . ($stream ? "stream" : "document")
            . ($split ? ", split by $split" : "");
        $done{$kind}++;

        if ($r->{status} != 200 || $r->{body} ne $sent || !$r->{complete}) {
            $failed{$kind}++;
            push @diag, "$file split $split: $r->{status}, "
                . length($r->{body}) . " of " . length($sent) . " bytes, "
                . $r->error . " " . substr $r->{body}, -200;
        }
    }
}

for my $kind (sort keys %done) {
    is($failed{$kind} || 0, 0, "$done{$kind} recordings: $kind");
}

diag(join "\n", @diag[0 .. ($#diag > 19 ? 19 : $#diag)]) if @diag;

my @bad = grep { !$_ || $_->{outcome} ne "ok" } log_lines($ng);
is(scalar(@bad), 0, "each is logged as good")
    or diag(json([@bad[0 .. ($#bad > 4 ? 4 : $#bad)]]));

my @mute = grep { $_->{tokens}{source} ne "provider" } log_lines($ng);
cmp_ok(scalar(@mute), "<", @{[log_lines($ng)]} / 4,
       "most tell their usage") or diag(scalar @mute);

finish();

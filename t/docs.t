#!/usr/bin/perl

# Copyright (C) the ngx_http_ai_gateway_module authors

# Each directive and each variable of the C tables has its place in docs/, and
# docs/ describes none that does not exist.
#
# docs/directives.md: "### ai_name", and below the heading of a block one
# "#### name" for each directive inside of it.
# docs/variables.md: "### $ai_name".
# docs/providers.md: "### name" for each preset, below it a block with it.

use strict;
use warnings;

use Test::More;

my (%directives, %variables);

for my $file (sort glob 'ngx_http_ai_gateway_module/*.c') {
    my $text = slurp($file);

    # the table of a block "ai_NAME" is ngx_http_ai_NAME_commands

    while ($text =~ /^(?:static\s)?ngx_command_t\s+ngx_http_(\w+)_commands
                     \[\]\s*=\s*\{(.*?)^\};/gmsx)
    {
        my ($table, $rows) = ($1, $2);

        for my $name ($rows =~ /^\s*\{\s*ngx_string\("(\w+)"\)/gm) {
            my $full = $table eq 'ai_gateway' ? $name : "$table $name";
            $directives{$full} = $file;
        }
    }

    while ($text =~ /^(?:static\s)?ngx_http_variable_t\s+\w+\[\]
                     \s*=\s*\{(.*?)^\};/gmsx)
    {
        $variables{"\$$_"} = $file for $1 =~ /"(ai_\w+)"/g;
    }
}

cmp_ok(scalar keys %directives, '>', 0, 'directives found in the C tables');
cmp_ok(scalar keys %variables, '>', 0, 'variables found in the C tables');

my $text = slurp('docs/directives.md');
my (%documented, $block);

for my $section (split /^(?=#{1,4} )/m, $text) {
    next unless $section =~ /^(#{1,4}) +`?(\w+)`?[ \t]*$/m;

    my ($level, $name) = (length $1, $2);
    my $full;

    if ($level == 3 && $name =~ /^ai_/) {
        $block = $full = $name;

    } elsif ($level == 4 && defined $block) {
        $full = "$block $name";

    } else {
        undef $block;
        next;
    }

    $documented{$full} = 1;

    my @wanted = $level == 3 ? qw(Syntax Default Context) : qw(Syntax Default);
    my @lacking = grep { $section !~ /\b$_:/ } @wanted;

    is("@lacking", '', "$full has its @wanted");
}

compare('directive', 'docs/directives.md', \%directives, \%documented);

%documented = map { $_ => 1 }
    slurp('docs/variables.md') =~ /^### +`?(\$ai_\w+)`?[ \t]*$/mg;

compare('variable', 'docs/variables.md', \%variables, \%documented);

# presets: the rows of ai_vendors[] that have a name

my $table = 'ngx_http_ai_gateway_module/core/ai_vendor_table.c';

my %presets = map { $_ => $table }
    slurp($table) =~ /^\s*\{\s*ai_string\("([\w-]+)"\),\s*"\w+",$/gm;

cmp_ok(scalar keys %presets, '>', 0, 'presets found in the C table');

%documented = ();

for my $section (split /^(?=#{1,3} )/m, slurp('docs/providers.md')) {
    next unless $section =~ /^### ([a-z0-9-]+)[ \t]*$/m;

    my $name = $1;
    $documented{$name} = 1;

    like($section, qr/^```nginx\n(?:.*\n)*?ai_provider\s+\Q$name\E\s+\{/m,
         "preset $name has a block in docs/providers.md");
}

compare('preset', 'docs/providers.md', \%presets, \%documented);

%documented = map { $_ => 1 }
    $text =~ /^\| `([a-z0-9-]+)` \| (?:\w+) \| `https?:/mg;

compare('preset', 'docs/directives.md', \%presets, \%documented);

done_testing();


sub compare {
    my ($what, $where, $code, $docs) = @_;

    for my $name (sort keys %$code) {
        ok($docs->{$name}, "$what $name of $code->{$name} is in $where");
    }

    for my $name (grep { !$code->{$_} } sort keys %$docs) {
        fail("$what $name of $where exists");
    }
}


sub slurp {
    my ($file) = @_;

    open my $fh, '<', $file or return '';
    local $/;
    return scalar <$fh>;
}

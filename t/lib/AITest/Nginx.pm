package AITest::Nginx;

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# A running nginx, as AITest::nginx() gives it.

use strict;
use warnings;

use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep);


sub signal {
    my ($self, $name) = @_;
    kill $name => $self->{pid};
}


# workers(): pids of the worker processes.

sub workers {
    my ($self) = @_;

    my @pids;

    for my $stat (glob "/proc/[0-9]*/stat") {
        my $text = AITest::slurp($stat);
        push @pids, $1 if $text =~ /\A(\d+) \(.*\) \S (\d+) /
                          && $2 == $self->{pid};
    }

    return @pids;
}


# wait_log(regex, seconds): until the error log has it.

sub wait_log {
    my ($self, $regex, $seconds) = @_;

    for (1 .. ($seconds || 5) * 50) {
        return 1 if AITest::error_log($self) =~ $regex;
        sleep 0.02;
    }

    return 0;
}


# reload(conf): a new configuration, once its workers are there.

sub reload {
    my ($self, %opt) = @_;

    AITest::spew($self->{conf},
                 AITest::config($self->{prefix}, $self->{port}, %opt))
        if %opt;

    my %old = map { $_ => 1 } $self->workers;
    $self->signal("HUP");

    for (1 .. 250) {
        return 1 if grep { !$old{$_} } $self->workers;
        sleep 0.02;
    }

    return 0;
}


# stop(): a graceful end, or TERM after 3 seconds, which is a failure.

sub stop {
    my ($self) = @_;

    return if !$self->{pid};

    my $pid = $self->{pid};
    kill QUIT => $pid;

    for my $i (1 .. 500) {
        if (waitpid($pid, WNOHANG) == $pid) {
            $self->{pid} = 0;
            return;
        }
        if ($i == 300) {
            $self->{late} = 1;
            kill TERM => $pid;
        }
        sleep 0.01;
    }

    kill KILL => $pid;
    waitpid $pid, 0;
    $self->{pid} = 0;
}


sub bad_lines {
    my ($self) = @_;

    my @bad = grep { /\[(?:alert|crit|emerg)\]|Sanitizer|runtime error:/ }
              split /\n/, AITest::error_log($self)
                          . AITest::slurp("$self->{prefix}/stderr");

    for my $allow (@{$self->{allow}}) {
        @bad = grep { $_ !~ $allow } @bad;
    }

    push @bad, "a worker did not end within 3 seconds" if $self->{late};

    return @bad;
}


1;

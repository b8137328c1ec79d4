package AITest::H2;

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# As much of an HTTP/2 client as the tests need: many streams on one
# connection, resets, windows.  Of response heads only the status is read,
# as far as it is one of the static table.

use strict;
use warnings;

use AITest::Client;
use Time::HiRes qw(time);

use constant { DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4,
               PING => 6, GOAWAY => 7, WINDOW_UPDATE => 8 };

my %STATIC = (0x88 => 200, 0x89 => 204, 0x8b => 304, 0x8c => 400,
              0x8d => 404, 0x8e => 500);


# new(port, window => bytes): window is that of each stream.

sub new {
    my ($class, $port, %opt) = @_;

    my $self = bless { c => AITest::Client->new($port), next => 1,
                       streams => {} }, $class;
    my $window = $opt{window} || 0x7fffffff;

    $self->{c}->send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        . frame(SETTINGS, 0, 0, pack("nN", 4, $window))
        . frame(WINDOW_UPDATE, 0, 0, pack("N", 0x7fff0000)));

    return $self;
}


sub frame {
    my ($type, $flags, $id, $data) = @_;
    return substr(pack("N", length $data), 1) . pack("CCN", $type, $flags, $id)
           . $data;
}


# a header field, literal, without indexing and Huffman code

sub field {
    my ($name, $value) = @_;
    return "\0" . join "", map { integer(length $_) . $_ } $name, $value;
}


sub integer {
    my ($n) = @_;

    return pack "C", $n if $n < 127;

    my $out = pack "C", 127;
    $n -= 127;

    while ($n >= 128) {
        $out .= pack "C", $n % 128 + 128;
        $n = int($n / 128);
    }

    return $out . pack "C", $n;
}


# request(path, body): opens a stream, returns its number.  With head => 1
# the body is not sent.

sub request {
    my ($self, $path, $body, %opt) = @_;

    my $id = $self->{next};
    $self->{next} += 2;
    $self->{streams}{$id} = { body => "", ended => 0, reset => 0 };

    my $head = field(":method", "POST") . field(":scheme", "http")
        . field(":authority", "gateway.test") . field(":path", $path)
        . field("content-type", "application/json")
        . field("content-length", length $body);
    my $out = frame(HEADERS, 4, $id, $head);

    if (!$opt{head}) {
        for (my $i = 0; $i < length $body; $i += 16384) {
            my $part = substr $body, $i, 16384;
            my $last = $i + 16384 >= length $body;
            $out .= frame(DATA, $last ? 1 : 0, $id, $part);
        }
    }

    return $id if $opt{hold} && push @{$self->{held}}, $out;
    $self->{c}->send($out);

    return $id;
}


# reset(stream), with hold => 1 together with what was held

sub reset {
    my ($self, $id, %opt) = @_;

    my $out = frame(RST_STREAM, 0, $id, pack "N", 8);

    return push @{$self->{held}}, $out if $opt{hold};
    $self->{c}->send($out);
}


sub flush {
    my ($self) = @_;

    $self->{c}->send(join "", @{$self->{held} || []});
    $self->{held} = [];
}


# window(stream, bytes): the provider may send so much more

sub window {
    my ($self, $id, $n) = @_;
    $self->{c}->send(frame(WINDOW_UPDATE, 0, $id, pack "N", $n));
}


# run(code, seconds): reads frames until the code says so

sub run {
    my ($self, $enough, $seconds) = @_;

    my $deadline = time + ($seconds || 5);
    my $c = $self->{c};

    until ($enough->($self)) {

        if (length $c->{buf} >= 9) {
            my $size = unpack "N", "\0" . substr $c->{buf}, 0, 3;

            if (length $c->{buf} >= 9 + $size) {
                my ($type, $flags, $id) = unpack "CCN",
                                                 substr $c->{buf}, 3, 6;
                my $data = substr $c->{buf}, 9, $size;
                substr $c->{buf}, 0, 9 + $size, "";
                $self->took($type, $flags, $id, $data);
                next;
            }
        }

        $c->fill($deadline) or return 0;
    }

    return 1;
}


sub took {
    my ($self, $type, $flags, $id, $data) = @_;

    my $s = $self->{streams}{$id} ||= { body => "", ended => 0, reset => 0 };

    if ($type == DATA) {
        $s->{body} .= $data;

    } elsif ($type == HEADERS) {
        my $first = unpack "C", $data;
        $s->{status} = $STATIC{$first} || "other";

    } elsif ($type == RST_STREAM) {
        $s->{reset} = 1;

    } elsif ($type == GOAWAY) {
        $self->{goaway} = 1;

    } elsif ($type == SETTINGS && !($flags & 1)) {
        $self->{c}->send(frame(SETTINGS, 1, 0, ""));

    } elsif ($type == PING && !($flags & 1)) {
        $self->{c}->send(frame(PING, 1, 0, $data));
    }

    $s->{ended} = 1 if ($type == DATA || $type == HEADERS) && $flags & 1;
}


# response(stream, seconds): as that of AITest::Client

sub response {
    my ($self, $id, $seconds) = @_;

    my $s = $self->{streams}{$id};
    $self->run(sub { $s->{ended} || $s->{reset} }, $seconds);

    return bless { status => $s->{status} || 0, body => $s->{body},
                   headers => {}, head => "", complete => $s->{ended} },
                 "AITest::Response";
}


sub close { $_[0]->{c}->close($_[1]) }


1;

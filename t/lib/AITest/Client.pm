package AITest::Client;

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# A small HTTP/1.1 client over a raw socket, for tests that care about bytes,
# time, and whether the framing of an answer was finished.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF);
use Time::HiRes qw(time);


# new(port): connects to 127.0.0.1, dies when it cannot.

sub new {
    my ($class, $port, %opt) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => $opt{host} || "127.0.0.1",
                                  PeerPort => $port, Timeout => 5)
        or die "cannot connect to port $port: $!";

    binmode $s;
    $s->autoflush(1);
    setsockopt($s, SOL_SOCKET, SO_RCVBUF, $opt{rcvbuf}) if $opt{rcvbuf};

    return bless { sock => $s, buf => "", eof => 0, err => 0,
                   start => time }, $class;
}


# send(bytes): all of them, at most 20 seconds; false when the peer is gone.

sub send {
    my ($self, $data) = @_;

    local $SIG{PIPE} = "IGNORE";
    local $SIG{ALRM} = sub { die "timeout\n" };
    alarm 20;

    my $done = 0;

    eval {
        while ($done < length $data) {
            my $n = syswrite $self->{sock}, $data, 65536, $done;
            last unless defined $n;
            $done += $n;
        }
    };

    alarm 0;
    $self->{start} = time;

    return $done == length $data;
}


# request(METHOD, path, body, header => value...): with Host and length.

sub request {
    my ($self, $method, $path, $body, @headers) = @_;

    my $head = "$method $path HTTP/1.1\r\n";
    my %seen;

    while (my ($name, $value) = splice @headers, 0, 2) {
        $seen{lc $name} = 1;
        $head .= "$name: $value\r\n" if defined $value;
    }

    $self->{method} = $method;
    $head .= "Host: gateway.test\r\n" unless $seen{host};

    if (defined $body) {
        utf8::encode($body) if utf8::is_utf8($body);

        $head .= "Content-Type: application/json\r\n"
            unless $seen{"content-type"};
        $head .= "Content-Length: " . length($body) . "\r\n"
            unless $seen{"content-length"} || $seen{"transfer-encoding"};
    }

    return $self->send("$head\r\n" . (defined $body ? $body : ""));
}


# fill(deadline): reads something; false at the end or when time is up.

sub fill {
    my ($self, $deadline) = @_;

    return 0 if $self->{eof};

    my $left = $deadline - time;
    $left = 0 if $left < 0;

    my $bits = "";
    vec($bits, fileno $self->{sock}, 1) = 1;

    my $ready = select $bits, undef, undef, $left;
    return 0 unless $ready && $ready > 0;

    my $n = sysread $self->{sock}, $self->{buf}, 262144, length $self->{buf};

    if (!$n) {
        $self->{eof} = 1;
        $self->{err} = 1 unless defined $n;
        return 0;
    }

    return 1;
}


# until(regex, seconds): reads until the raw bytes match; true if they do.

sub until {
    my ($self, $regex, $seconds) = @_;

    my $deadline = time + ($seconds || 5);

    until ($self->{buf} =~ $regex) {
        $self->fill($deadline) or return $self->{buf} =~ $regex ? 1 : 0;
    }

    return 1;
}


# response(seconds): the next final answer, as a hash: status, headers (lower
# case name to a list), body, complete (the framing was finished), closed,
# took (seconds since the request), raw.  Nothing at all gives status 0.

sub response {
    my ($self, $seconds) = @_;

    my $deadline = time + ($seconds || 8);
    my $r = { status => 0, headers => {}, body => "", complete => 0,
              informs => 0 };

    while (1) {
        until ($self->{buf} =~ /\r\n\r\n/) {
            $self->fill($deadline) or last;
        }

        last unless $self->{buf} =~ s/\A(.*?)\r\n\r\n//s;

        $r->{head} = $1;
        my ($line, @lines) = split /\r\n/, $1;
        last unless $line =~ m{\AHTTP/1\.[01] (\d{3})};

        $r->{status} = $1;

        if ($1 < 200) {
            $r->{informs}++;
            next;
        }

        for (@lines) {
            my ($name, $value) = /\A([^:\s]+):[ \t]*(.*?)[ \t]*\z/s
                or push @{$r->{bad}}, $_ and next;
            push @{$r->{headers}{lc $name}}, $value;
        }

        $self->body($r, $deadline);
        last;
    }

    $r->{raw} = $self->{buf} if $r->{status} == 0;
    $r->{closed} = $self->{eof};
    $r->{took} = time - $self->{start};

    return bless $r, "AITest::Response";
}


sub body {
    my ($self, $r, $deadline) = @_;

    if (($self->{method} || "") eq "HEAD" || $r->{status} == 204
        || $r->{status} == 304)
    {
        $r->{complete} = 1;
        return;
    }

    if (($r->{headers}{"transfer-encoding"} || [""])->[0] eq "chunked") {
        $self->chunked($r, $deadline);
        return;
    }

    my $length = ($r->{headers}{"content-length"} || [])->[0];

    if (!defined $length) {
        while ($self->fill($deadline)) { }
        $r->{complete} = 0 + ($self->{eof} && !$self->{err});
        $r->{body} = $self->{buf};
        $self->{buf} = "";
        return;
    }

    while (length $self->{buf} < $length) {
        $self->fill($deadline) or last;
    }

    $r->{body} = substr $self->{buf}, 0, $length, "";
    $r->{complete} = 0 + (length $r->{body} == $length);
}


# What was read is cut off once in a while only: chunks may be tiny.

sub chunked {
    my ($self, $r, $deadline) = @_;

    my $at = 0;
    my $size;

    while (1) {
        until (substr($self->{buf}, $at, 20) =~ /\A([0-9a-fA-F]+)\r\n/) {
            $self->fill($deadline) or last;
        }

        last unless substr($self->{buf}, $at, 20)
                    =~ /\A([0-9a-fA-F]+)\r\n/;
        $size = hex $1;
        $at += length($1) + 2;

        while (length($self->{buf}) - $at < $size + 2) {
            $self->fill($deadline) or last;
        }

        $r->{body} .= substr $self->{buf}, $at, $size;
        $at += $size;
        last if length $self->{buf} < $at;

        last if length($self->{buf}) < $at + 2
                || substr($self->{buf}, $at, 2) ne "\r\n";
        $at += 2;

        if ($size == 0) {
            $r->{complete} = 1;
            last;
        }

        if ($at > 1 << 20) {
            substr $self->{buf}, 0, $at, "";
            $at = 0;
        }
    }

    substr $self->{buf}, 0, $at > length $self->{buf} ? length $self->{buf}
                                                      : $at, "";
}


# A close with a FIN, or at once with a RST.

sub close {
    my ($self, $reset) = @_;

    setsockopt($self->{sock}, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
        if $reset;
    CORE::close($self->{sock});
}


package AITest::Response;

# A complete or broken answer, see AITest::Client::response().

use strict;
use warnings;


sub header {
    my ($self, $name) = @_;

    my $values = $self->{headers}{lc $name} or return undef;
    return join ", ", @$values;
}


# The body as a JSON value, or undef.

sub json {
    my ($self) = @_;

    return eval { JSON::PP->new->utf8->allow_nonref->decode($self->{body}) };
}


# The code of an error document: "upstream_reset"; of an error event, too.

sub error {
    my ($self) = @_;

    my $doc = $self->json;

    if (ref $doc ne "HASH") {
        my ($event) = grep { ref $_->{json} eq "HASH"
                             && ($_->{json}{error}
                                 || ($_->{json}{type} || "") eq "error") }
                      $self->events;
        $doc = $event && $event->{json};
    }

    return "" unless ref $doc eq "HASH";

    my $e = ref $doc->{error} eq "HASH" ? $doc->{error} : $doc;
    my $code = defined $e->{code} ? $e->{code} : "";

    # that of Gemini is the status, ours is beside it

    $code = $e->{reason} || $code if $code =~ /\A\d+\z/;

    return $code;
}


# The events of the body: [{ event, data, json }], comments left out.

sub events {
    my ($self) = @_;

    my @events;
    (my $body = $self->{body}) =~ s/\A\xef\xbb\xbf//;

    for my $block (split /(?:\r\n|\n|\r){2}/, $body) {
        my ($name, @data);

        for (split /\r\n|\n|\r/, $block) {
            push @data, $1 if /\Adata: ?(.*)\z/s;
            $name = $1 if /\Aevent: ?(.*)\z/s;
        }

        next unless @data;

        my $data = join "\n", @data;
        my $json = eval {
            JSON::PP->new->utf8->allow_nonref->decode($data);
        };

        push @events, { event => $name, data => $data, json => $json };
    }

    return @events;
}


# The text of the answer, decoded, whatever the dialect, stream or not.

sub text {
    my ($self) = @_;

    my $doc = $self->json;
    my @docs = ref $doc eq "HASH" ? $doc
             : ref $doc eq "ARRAY" ? @$doc
             : map { $_->{json} } $self->events;

    return join "", map { text_of($_) } grep { ref $_ eq "HASH" } @docs;
}


sub text_of {
    my ($d) = @_;

    my $out = "";

    if (ref $d->{choices} eq "ARRAY") {
        for my $c (grep { ref $_ eq "HASH" } @{$d->{choices}}) {
            my $m = $c->{delta} || $c->{message} || {};
            my $t = defined $c->{text} ? $c->{text} : $m->{content};
            $out .= $t if defined $t && !ref $t;
        }
    }

    if (ref $d->{candidates} eq "ARRAY") {
        for my $c (@{$d->{candidates}}) {
            $out .= join "", map { defined $_->{text} ? $_->{text} : "" }
                    @{($c->{content} || {})->{parts} || []};
        }
    }

    my $type = $d->{type} || "";

    if ($type eq "content_block_delta") {
        $out .= $d->{delta}{text} if defined $d->{delta}{text};

    } elsif ($type eq "message") {
        $out .= join "", map { defined $_->{text} ? $_->{text} : "" }
                @{$d->{content}};

    } elsif ($type eq "response.output_text.delta") {
        $out .= $d->{delta};

    } elsif (($d->{object} || "") eq "response") {
        $out .= join "", map { $_->{text} }
                map { @{$_->{content} || []} } @{$d->{output} || []};
    }

    return $out;
}


1;

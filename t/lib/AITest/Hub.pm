package AITest::Hub;

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Clients of every dialect in front of providers of every dialect.
#
#     my $ng = nginx(hub());
#     my $r = ask_as($ng, "messages", "bedrock", "fault-ok", stream => 1);
#     my $a = answer_of("messages", $r);
#     is($a->{text}, text());
#
# An answer is read as the client's documentation says, by code that has
# nothing in common with the module: text, reasoning, calls, finish (in the
# dialect's words), usage (as it stands), ended (it looks complete), error
# (type, code, message of an error document or event).

use strict;
use warnings;

use AITest;
use Compress::Raw::Zlib qw(crc32);
use Exporter qw(import);
use JSON::PP ();

our @EXPORT = qw(hub surfaces targets ask_as answer_of frames_of aws_key
                 type_of_stream native next_log);

my $JSON = JSON::PP->new->utf8->allow_nonref;

# of each provider: dialect, base path, what its block says beside that

my %TARGETS = (
    openai => ["openai", "/v1"],
    responses => ["responses", "/v1"],
    anthropic => ["anthropic", "/v1"],
    gemini => ["gemini", "/v1beta"],
    cohere => ["cohere", "/v2"],
    bedrock => ["bedrock", "", region => "eu-test-1"],
    ollama => ["ollama", ""],
);

my %NATIVE = (openai => "chat", responses => "responses",
              anthropic => "messages", gemini => "gemini",
              cohere => "cohere", bedrock => "converse");


sub surfaces { return qw(chat responses messages gemini cohere converse) }
sub targets { return sort keys %TARGETS }
sub native { return $NATIVE{$_[0]} }


# aws_key(): credentials that the fake knows, in a file; returns its path.

sub aws_key {
    my $path = AITest::workdir() . "/aws.key";

    if (!-e $path) {
        my $secret = "aws/" . secret() . "+x=";
        spew($path, "AKIDCANARY0001:$secret\n");
        chmod 0600, $path;
        control("POST", "aws", { AKIDCANARY0001 => { secret => $secret } });
    }

    return $path;
}


# hub(key => value...): arguments for nginx(): the location "/TARGET/" leads
# to the provider of that name.

sub hub {
    my (%opt) = @_;

    my $server = delete $opt{server};
    my $origin = "http://127.0.0.1:" . port("main");
    my @list;

    for my $name (targets()) {
        my ($dialect, $base, %more) = @{$TARGETS{$name}};

        $more{key} = "file:" . aws_key() if $name eq "bedrock";
        push @list, $name, { %opt, %more, dialect => $dialect,
                             endpoint => $origin . $base };
    }

    return (routes(@list), $server ? (server => $server) : ());
}


# request_of(surface, model, ...): path, body and headers of a request.
# more => {} is merged into the body, text => is what the user says, tools =>
# 1 offers a tool, headers => [].

sub request_of {
    my ($surface, $model, %opt) = @_;

    my $text = defined $opt{text} ? $opt{text} : "hi";
    my $stream = $opt{stream} ? JSON::PP::true : undef;
    my $schema = { type => "object",
                   properties => { city => { type => "string" } } };
    my $tool = { name => "get_weather", description => "tells it" };
    my ($path, $body);

    if ($surface eq "chat") {
        $path = "/v1/chat/completions";
        $body = { model => $model,
                  messages => [{ role => "user", content => $text }] };
        $body->{tools} = [{ type => "function", function => {
            %$tool, parameters => $schema } }] if $opt{tools};

    } elsif ($surface eq "responses") {
        $path = "/v1/responses";
        $body = { model => $model, input => $text };
        $body->{tools} = [{ type => "function", %$tool,
                            parameters => $schema }] if $opt{tools};

    } elsif ($surface eq "messages") {
        $path = "/v1/messages";
        $body = { model => $model, max_tokens => 99,
                  messages => [{ role => "user", content => $text }] };
        $body->{tools} = [{ %$tool, input_schema => $schema }]
            if $opt{tools};

    } elsif ($surface eq "gemini") {
        $path = "/v1beta/models/$model:" . (!$stream ? "generateContent"
              : "streamGenerateContent" . ($opt{array} ? "" : "?alt=sse"));
        $body = { contents => [{ role => "user",
                                 parts => [{ text => $text }] }] };
        $body->{tools} = [{ functionDeclarations => [
            { %$tool, parameters => $schema }] }] if $opt{tools};
        undef $stream;

    } elsif ($surface eq "cohere") {
        $path = "/v2/chat";
        $body = { model => $model,
                  messages => [{ role => "user", content => $text }] };
        $body->{tools} = [{ type => "function", function => {
            %$tool, parameters => $schema } }] if $opt{tools};

    } elsif ($surface eq "converse") {
        $path = "/model/$model/converse" . ($stream ? "-stream" : "");
        $body = { messages => [{ role => "user",
                                 content => [{ text => $text }] }] };
        $body->{toolConfig} = { tools => [{ toolSpec => {
            %$tool, inputSchema => { json => $schema } } }] } if $opt{tools};
        undef $stream;

    } else {
        die "no surface $surface";
    }

    $body->{stream} = $stream if $stream;

    return ($path, { %$body, %{$opt{more} || {}} });
}


# ask_as(nginx, surface, target, model, ...): as request_of() and post().

sub ask_as {
    my ($ng, $surface, $target, $model, %opt) = @_;

    my ($path, $body) = request_of($surface, $model, %opt);

    return post($ng, "/$target$path", $opt{body} || json($body), %opt);
}


# next_log(nginx): the next line of the access log, decoded; each is read
# once, as there are thousands.

my %read;

sub next_log {
    my ($ng) = @_;

    my $path = "$ng->{prefix}/access.log";

    for (1 .. 100) {
        open my $f, "<:raw", $path or die "$path: $!";
        seek $f, $read{$path} || 0, 0;
        my $line = <$f>;

        if (defined $line && $line =~ /\n\z/) {
            $read{$path} += length $line;
            return eval { $JSON->decode($line) } || {};
        }

        select undef, undef, undef, 0.01;
    }

    return {};
}


# The content type that streams have in a dialect.

sub type_of_stream {
    my ($surface) = @_;
    return $surface eq "converse" ? "application/vnd.amazon.eventstream"
                                  : "text/event-stream";
}


# frames_of(bytes): frames of AWS as [{ headers, json }]; dies of bad ones.

sub frames_of {
    my ($bytes) = @_;

    my @frames;

    while (length $bytes) {
        length $bytes >= 16 or die "a cut frame";
        my ($total, $size, $crc) = unpack "NNN", $bytes;
        crc32(substr $bytes, 0, 8) == $crc or die "bad CRC of a prelude";
        length $bytes >= $total or die "a cut frame";

        my $frame = substr $bytes, 0, $total, "";
        crc32(substr $frame, 0, -4) == unpack("N", substr $frame, -4)
            or die "bad CRC of a frame";

        my $head = substr $frame, 12, $size;
        my %headers;

        while (length $head) {
            my ($name, $type, $value) = unpack "C/a C n/a", $head;
            $type == 7 or die "header of type $type";
            $headers{$name} = $value;
            substr $head, 0, 4 + length($name) + length $value, "";
        }

        my $payload = substr $frame, 12 + $size, -4;
        push @frames, { headers => \%headers,
                        json => $JSON->decode($payload) };
    }

    return @frames;
}


# answer_of(surface, answer): see above.

sub answer_of {
    my ($surface, $r) = @_;

    my $a = { text => "", reasoning => "", calls => [], finish => "",
              usage => undef, ended => 0, error => undef, events => 0 };
    my $type = $r->header("content-type") || "";
    my $read = __PACKAGE__->can("read_$surface");

    if ($type =~ m{\Aapplication/vnd\.amazon\.eventstream}) {
        read_frames($a, frames_of($r->{body}));

    } elsif ($type =~ m{\Atext/event-stream}) {
        my @events = $r->events;
        $a->{events} = @events;
        $read->($a, $_->{json}, $_) for @events;
        $a->{ended} = 0 if $surface eq "gemini" && $a->{error};

    } else {
        my $doc = eval { $JSON->decode($r->{body}) };

        if ($r->{status} != 200) {
            $a->{error} = error_of($doc);

        } elsif (ref $doc eq "ARRAY") {
            $a->{events} = @$doc;
            $read->($a, $_) for @$doc;

        } else {
            $read->($a, $doc, undef);
        }
    }

    return $a;
}


sub error_of {
    my ($doc) = @_;

    return { message => "not JSON" } unless ref $doc eq "HASH";

    my $e = ref $doc->{error} eq "HASH" ? $doc->{error} : $doc;

    return { message => $e->{message}, type => $e->{type},
             code => $e->{code}, status => $e->{status},
             param => $e->{param}, doc => $doc };
}


sub text_json { return JSON::PP->new->canonical->encode($_[0]) }


sub call_of {
    my ($a, $key, $name, $id) = @_;

    for (@{$a->{calls}}) {
        return $_ if $_->{key} eq $key;
    }

    push @{$a->{calls}}, { key => $key, name => $name, id => $id,
                           args => "" };
    return $a->{calls}[-1];
}


sub read_chat {
    my ($a, $d, $ev) = @_;

    $a->{ended} = 1 if $ev && $ev->{data} eq "[DONE]";
    return unless ref $d eq "HASH";

    $a->{error} ||= error_of($d) if $d->{error};
    $a->{usage} = $d->{usage} if $d->{usage};

    for my $c (@{$d->{choices} || []}) {
        my $m = $c->{delta} || $c->{message} || {};

        $a->{text} .= $m->{content} if defined $m->{content};
        $a->{reasoning} .= $m->{reasoning_content}
            if defined $m->{reasoning_content};

        for my $t (@{$m->{tool_calls} || []}) {
            my $key = defined $t->{index} ? $t->{index} : $t->{id};
            my $call = call_of($a, $key, $t->{function}{name}, $t->{id});
            $call->{args} .= $t->{function}{arguments};
        }

        $a->{finish} = $c->{finish_reason} if $c->{finish_reason};
    }

    $a->{ended} = 1 unless $ev;
}


sub read_responses {
    my ($a, $d, $ev) = @_;

    return unless ref $d eq "HASH";

    my $type = $d->{type} || "";

    if ($ev && defined $d->{sequence_number}) {
        $a->{gap} = 1 unless $d->{sequence_number} == ($a->{next}++ || 0);
    }

    $a->{text} .= $d->{delta} if $type eq "response.output_text.delta";
    $a->{error} ||= error_of($d) if $type eq "error";
    $a->{error} ||= error_of($d->{response})
        if $type eq "response.failed";
    $a->{ended} = 1 if $type eq "response.completed"
                       || $type eq "response.incomplete";

    my $whole = $a->{ended} ? $d->{response} : $ev ? undef : $d;
    return unless $whole;

    $a->{ended} = 1;
    $a->{usage} = $whole->{usage};
    $a->{finish} = $whole->{status};
    $a->{finish} .= " $whole->{incomplete_details}{reason}"
        if $whole->{incomplete_details};

    my $text = "";

    for my $item (@{$whole->{output}}) {
        if ($item->{type} eq "function_call") {
            call_of($a, $item->{call_id}, $item->{name}, $item->{call_id})
                ->{args} = $item->{arguments};
        }
        $text .= $_->{text} for grep { defined $_->{text} }
                                @{$item->{content} || []};
    }

    $a->{differs} = 1 if $ev && $text ne $a->{text};
    $a->{text} = $text;
}


sub read_messages {
    my ($a, $d, $ev) = @_;

    return unless ref $d eq "HASH";

    my $type = $d->{type} || "";

    if ($type eq "message") {
        for my $b (@{$d->{content}}) {
            $a->{text} .= $b->{text} if $b->{type} eq "text";
            $a->{reasoning} .= $b->{thinking} if $b->{type} eq "thinking";
            call_of($a, $b->{id}, $b->{name}, $b->{id})->{args}
                = text_json($b->{input}) if $b->{type} eq "tool_use";
        }
        $a->{finish} = $d->{stop_reason};
        $a->{usage} = $d->{usage};
        $a->{ended} = 1;

    } elsif ($type eq "content_block_start") {
        my $b = $d->{content_block};
        call_of($a, $d->{index}, $b->{name}, $b->{id})
            if $b->{type} eq "tool_use";

    } elsif ($type eq "content_block_delta") {
        my $b = $d->{delta};
        $a->{text} .= $b->{text} if $b->{type} eq "text_delta";
        $a->{reasoning} .= $b->{thinking} if $b->{type} eq "thinking_delta";
        call_of($a, $d->{index})->{args} .= $b->{partial_json}
            if $b->{type} eq "input_json_delta";

    } elsif ($type eq "message_delta") {
        $a->{finish} = $d->{delta}{stop_reason};
        $a->{usage} = $d->{usage};

    } elsif ($type eq "message_stop") {
        $a->{ended} = 1;

    } elsif ($type eq "error") {
        $a->{error} ||= error_of($d);
    }
}


sub read_gemini {
    my ($a, $d) = @_;

    return unless ref $d eq "HASH";

    $a->{error} ||= error_of($d) if $d->{error};
    $a->{usage} = $d->{usageMetadata} if $d->{usageMetadata};

    for my $c (@{$d->{candidates} || []}) {
        for my $p (@{($c->{content} || {})->{parts} || []}) {
            if (defined $p->{text}) {
                $a->{$p->{thought} ? "reasoning" : "text"} .= $p->{text};
            }
            if (my $f = $p->{functionCall}) {
                call_of($a, scalar @{$a->{calls}}, $f->{name}, $f->{id})
                    ->{args} = text_json($f->{args});
            }
        }
        if ($c->{finishReason}) {
            $a->{finish} = $c->{finishReason};
            $a->{ended} = 1;
        }
    }
}


sub read_cohere {
    my ($a, $d, $ev) = @_;

    return unless ref $d eq "HASH";

    my $m = $d->{message};

    if (!$ev) {
        $a->{text} .= $_->{text} for grep { defined $_->{text} }
                                     @{$m->{content} || []};
        for my $t (@{$m->{tool_calls} || []}) {
            call_of($a, $t->{id}, $t->{function}{name}, $t->{id})->{args}
                = $t->{function}{arguments};
        }
        $a->{finish} = $d->{finish_reason};
        $a->{usage} = $d->{usage};
        $a->{ended} = 1;
        return;
    }

    my $type = $d->{type} || "";
    my $dm = ref $d->{delta} eq "HASH" ? $d->{delta}{message} || {} : {};

    if ($type eq "content-delta" || $type eq "content-start") {
        my $c = $dm->{content};
        $a->{text} .= $c->{text} if defined $c->{text};
        $a->{reasoning} .= $c->{thinking} if defined $c->{thinking};

    } elsif ($type eq "tool-call-start" || $type eq "tool-call-delta") {
        my $t = $dm->{tool_calls};
        call_of($a, $d->{index}, $t->{function}{name}, $t->{id})->{args}
            .= $t->{function}{arguments};

    } elsif ($type eq "message-end") {
        $a->{finish} = $d->{delta}{finish_reason};
        $a->{usage} = $d->{delta}{usage};

        if (defined $d->{delta}{error} || $a->{finish} =~ /\AERROR/) {
            $a->{error} ||= { message => $d->{delta}{error}, doc => $d };
        } else {
            $a->{ended} = 1;
        }
    }
}


sub read_converse {
    my ($a, $d) = @_;

    my $m = $d->{output}{message};

    for my $b (@{$m->{content}}) {
        $a->{text} .= $b->{text} if defined $b->{text};
        call_of($a, $b->{toolUse}{toolUseId}, $b->{toolUse}{name},
                $b->{toolUse}{toolUseId})->{args}
            = text_json($b->{toolUse}{input}) if $b->{toolUse};
    }

    $a->{finish} = $d->{stopReason};
    $a->{usage} = $d->{usage};
    $a->{ended} = 1;
}


sub read_frames {
    my ($a, @frames) = @_;

    $a->{events} = @frames;

    for my $f (@frames) {
        my $h = $f->{headers};
        my $d = $f->{json};

        if (($h->{":message-type"} || "") ne "event") {
            $a->{error} ||= { message => $d->{message},
                              type => $h->{":exception-type"},
                              doc => $d };
            next;
        }

        my $name = $h->{":event-type"};
        my $i = $d->{contentBlockIndex};

        if ($name eq "contentBlockStart" && $d->{start}{toolUse}) {
            my $t = $d->{start}{toolUse};
            call_of($a, $i, $t->{name}, $t->{toolUseId});

        } elsif ($name eq "contentBlockDelta") {
            my $p = $d->{delta};
            $a->{text} .= $p->{text} if defined $p->{text};
            $a->{reasoning} .= $p->{reasoningContent}{text}
                if defined(($p->{reasoningContent} || {})->{text});
            call_of($a, $i)->{args} .= $p->{toolUse}{input} if $p->{toolUse};

        } elsif ($name eq "messageStop") {
            $a->{finish} = $d->{stopReason};

        } elsif ($name eq "metadata") {
            $a->{usage} = $d->{usage};
            $a->{ended} = 1;
        }
    }
}


1;

package AITest;

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# The test library: a fake provider, one for each test file; nginx with the
# module and a given configuration; requests; what must hold after them all.
#
#     use AITest;
#     my $ng = nginx(locations => "location / { ai_gateway on; }");
#     my $r = chat($ng, "fault-reset-before-headers", stream => 1);
#     failed_with($r, 502, "upstream_reset", "B25 reset before any byte");
#     finish();
#
# Without "http" in its arguments, nginx() declares the provider "fake", of
# the dialect "openai", and a tier for every model name.

use strict;
use warnings;

use AITest::Client;
use AITest::Nginx;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Handle;
use IO::Socket::INET;
use IPC::Open2 qw(open2);
use JSON::PP ();
use POSIX qw(WNOHANG _exit);
use Test::More;
use Time::HiRes qw(sleep time);

binmode $_, ":utf8" for map { Test::More->builder->$_ }
                       qw(output failure_output todo_output);

our @EXPORT = qw(
    fake ports port text control requests stats find_received script
    default_fault counter fake_reset wait_for last_request
    nginx providers routes dialects ask chat messages responses gemini
    post get body_of json
    failed_with good stream_broken logged log_lines error_log
    finish secret workdir spew slurp aborted conf_fails fixtures
);

our $ROOT = dirname(dirname(dirname(abs_path(__FILE__))));

my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;
my $PID = $$;

my ($fake, $dir, $certs, @running);


sub json { return $JSON->encode($_[0]) }


sub secret { return "sk-prov-CANARY-4711" }


sub spew {
    my ($path, $text) = @_;

    open my $f, ">:raw", $path or die "$path: $!";
    print $f $text;
    close $f or die "$path: $!";
    return $path;
}


sub slurp {
    my ($path) = @_;

    open my $f, "<:raw", $path or return "";
    local $/;
    my $text = <$f>;
    return defined $text ? $text : "";
}


# A directory of this test, with the provider's key in "key".

sub workdir {
    if (!$dir) {
        my $objs = $ENV{AI_OBJS} || "$ROOT/objs";
        mkdir $objs unless -d $objs;
        mkdir "$objs/t" unless -d "$objs/t";
        $dir = tempdir("aitest-XXXXXX", DIR => "$objs/t",
                       CLEANUP => !$ENV{TEST_NGINX_NO_CLEAN});
        spew("$dir/key", secret() . "\n");
        chmod 0600, "$dir/key";
    }

    return $dir;
}


# The directory of recorded transcripts beside the checkout, or undef.

sub fixtures {
    my $path = "$ROOT/../shared/fixtures";
    return -f "$path/manifest.tsv" ? abs_path($path) : undef;
}


# fake(tls => 1, unix => PATH): starts the provider, once; returns the ports.

sub fake {
    my (%opt) = @_;

    return $fake->{ports} if $fake;

    my @args = ("--max-seconds", 600);
    push @args, "--fixtures", fixtures() if fixtures();
    push @args, "--unix", $opt{unix} if $opt{unix};

    if ($opt{tls}) {
        $certs = workdir() . "/certs";
        system("$ROOT/t/lib/certs.sh", $certs) == 0 or die "certs.sh failed";
        push @args, "--certs", $certs;
    }

    my ($out, $in);
    my $pid = open2($out, $in, $ENV{PYTHON} || "python3",
                    "$ROOT/t/lib/fake_provider.py", @args);
    my $line = <$out>;
    defined $line or die "the fake provider did not start";

    $fake = { %{$JSON->decode($line)}, pid => $pid, in => $in, out => $out };

    for my $name (keys %{$fake->{ports}}) {
        (my $env = uc $name) =~ tr/-/_/;
        $ENV{"TEST_NGINX_FAKE_${env}_PORT"} = $fake->{ports}{$name};
    }

    $ENV{TEST_NGINX_FAKE_PORT} = $fake->{ports}{main};
    $ENV{TEST_NGINX_FAKE_CERTS} = $certs || "";
    $ENV{TEST_NGINX_FAKE_KEY} = workdir() . "/key";

    return $fake->{ports};
}


sub ports { return fake() }
sub port { return fake()->{$_[0]} || die "no listener $_[0]" }


# The text of a good answer of the provider, decoded.

sub text { fake(); return $fake->{text} }


# control(METHOD, call, data): asks the provider about itself.

sub control {
    my ($method, $call, $data) = @_;

    my $c = AITest::Client->new(port("control"));
    $c->request($method, "/__chaos/$call",
                defined $data ? json($data) : undef);
    my $r = $c->response(65);
    $c->close;

    return wantarray ? ($r->json, $r->{status}) : $r->json;
}


sub requests { return @{control("GET", "requests")} }
sub stats { return control("GET", "stats") }
sub find_received { return control("POST", "find", { strings => [@_] }) }
sub script { return control("POST", "script", { faults => [@_] }) }
sub counter { return control("POST", "counter", { @_ }) }
sub fake_reset { return control("POST", "reset", {}) }
sub last_request { return control("GET", "requests?last=1")->[0] || {} }

sub default_fault {
    my ($listener, $fault) = @_;
    return control("POST", "default",
                   { listener => $listener, fault => $fault });
}


# wait_for("client_closed=1&timeout=2"): true when it became so in time.

sub wait_for {
    my ($what) = @_;

    my ($json, $status) = control("GET", "wait?$what");
    return $status == 200;
}


# providers(key => value...): the ai_provider "fake" and a tier of all names.

sub providers {
    my (%opt) = @_;

    my $name = delete $opt{name} || "fake";
    my $tier = delete $opt{tier};
    my $endpoint = delete $opt{endpoint}
        || "http://127.0.0.1:" . port("main") . "/v1";
    my $dialect = delete $opt{dialect} || "openai";
    my $key = delete $opt{key} || "file:" . workdir() . "/key";
    my $more = delete $opt{more} || "";
    my $rest = join "", map { "    $_ $opt{$_};\n" } sort keys %opt;

    $tier = defined $tier ? $tier
          : "ai_tier all { alias *; target $name/*; }\n";

    return "ai_provider $name {\n    dialect $dialect;\n"
        . "    endpoint $endpoint;\n    key $key;\n$rest$more}\n$tier";
}


# routes(name => { key => value... }...): for each a provider, its tier
# "t-NAME", and the location "/NAME/" that leads there; returns http and
# locations for nginx().

sub routes {
    my (@list) = @_;

    my ($http, $locations) = ("", "");

    while (my ($name, $opt) = splice @list, 0, 2) {
        my $switches = delete $opt->{switches} || "";

        $http .= providers(%$opt, name => $name,
                           tier => "ai_tier t-$name { target $name/*; }\n");
        $locations .= "location /$name/ {\n    ai_gateway on;\n"
            . "    ai_route t-$name;\n$switches}\n";
    }

    return (http => $http, locations => $locations);
}


# dialects(key => value...): routes to the fake in the three dialects; "ask"
# knows them.

sub dialects {
    my (%opt) = @_;

    my $base = "http://127.0.0.1:" . port("main");

    return routes(oai => { %opt, endpoint => "$base/v1" },
                  ant => { %opt, endpoint => "$base/v1",
                           dialect => "anthropic" },
                  gem => { %opt, endpoint => "$base/v1beta",
                           dialect => "gemini" });
}


# ask(nginx, surface, model, ...): surface is chat, completions, responses,
# messages or gemini, of dialects().

sub ask {
    my ($ng, $surface, $model, %opt) = @_;

    return chat($ng, $model, path => "/oai/v1/chat/completions", %opt)
        if $surface eq "chat";
    return post($ng, "/oai/v1/completions",
                json({ model => $model, prompt => "hi",
                       $opt{stream} ? (stream => JSON::PP::true) : (),
                       %{$opt{more} || {}} }), %opt)
        if $surface eq "completions";
    return messages($ng, $model, path => "/ant/v1/messages", %opt)
        if $surface eq "messages";
    return responses($ng, $model, base => "/oai", %opt)
        if $surface eq "responses";
    return gemini($ng, $model, base => "/gem", %opt)
        if $surface eq "gemini";
    die "no surface $surface";
}


sub binary {
    return $ENV{AI_NGINX} || $ENV{TEST_NGINX_BINARY} || "nginx";
}


# Whether nginx was configured --with-NAME.

sub built_with {
    my ($name) = @_;

    my $binary = binary();
    return `$binary -V 2>&1` =~ /--with-\Q$name\E\b/;
}


# Whether nginx was built with the address sanitizer.

sub sanitized {
    my $binary = binary();
    return `$binary -V 2>&1` =~ /sanitize/;
}


sub load_modules {
    my $path = exists $ENV{TEST_NGINX_LOAD_MODULES}
        ? $ENV{TEST_NGINX_LOAD_MODULES}
        : ($ENV{AI_OBJS} || "$ROOT/objs") . "/ngx_http_ai_gateway_module.so";

    return join "", map { "load_module $_;\n" } split " ", $path;
}


# A port below the ephemeral ones that nobody listens on.

sub free_port {
    for (1 .. 200) {
        my $port = 20000 + int rand 12000;
        my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
                                      LocalPort => $port, Listen => 1)
            or next;
        close $s;
        return $port;
    }

    die "no free port";
}


# config(%opt): the text of nginx.conf, see nginx().

sub config {
    my ($prefix, $port, %opt) = @_;

    my $http = exists $opt{http} ? $opt{http} : providers();
    my $locations = exists $opt{locations} ? $opt{locations}
                  : "location / { ai_gateway on; }";
    my $server = $opt{server} || "";
    my $main = $opt{main} || "";
    my $level = $opt{level} || "info";
    my $workers = $opt{workers} || 1;
    my $modules = load_modules();
    my $format = exists $opt{format} ? $opt{format} : "\$ai_log";
    my $temp = join "", map { "    ${_}_temp_path $prefix/$_;\n" }
               qw(client_body proxy fastcgi uwsgi scgi);

    return <<"END";
${modules}daemon off;
master_process on;
worker_processes $workers;
pid $prefix/nginx.pid;
error_log $prefix/error.log $level;
$main
events {
    worker_connections 512;
}
http {
$temp
    log_format ai escape=none '$format';
    access_log $prefix/access.log ai;
    client_max_body_size 32m;
$http
    server {
        listen 127.0.0.1:$port;
        $server
        $locations
    }
}
END
}


# nginx(http =>, locations =>, server =>, main =>, workers =>, level =>,
# format =>, env => {}): starts one, returns an object with port and prefix.

sub nginx {
    my (%opt) = @_;

    my $prefix = tempdir("nginx-XXXXXX", DIR => workdir());
    my $self = bless { prefix => $prefix, port => free_port(),
                       allow => $opt{allow} || [] }, "AITest::Nginx";

    chmod 0755, $prefix, workdir();
    $self->{conf} = "$prefix/nginx.conf";
    spew($self->{conf}, config($prefix, $self->{port}, %opt));

    my $pid = fork;
    defined $pid or die "fork: $!";

    if ($pid == 0) {
        %ENV = (%ENV, %{$opt{env} || {}});
        open STDERR, ">", "$prefix/stderr";
        { exec binary(), "-p", "$prefix/", "-e", "$prefix/error.log",
               "-c", $self->{conf} }
        _exit(127);
    }

    $self->{pid} = $pid;
    push @running, $self;

    for (1 .. 400) {
        my $s = -s "$prefix/nginx.pid" && IO::Socket::INET->new(
            PeerAddr => "127.0.0.1", PeerPort => $self->{port});
        if ($s) {
            close $s;
            return $self;
        }
        if (waitpid($pid, WNOHANG) == $pid) {
            @running = grep { $_ != $self } @running;
            die "nginx did not start:\n" . slurp("$prefix/stderr");
        }
        sleep 0.025;
    }

    die "nginx does not listen";
}


# conf_fails(regex, name, %opt): nginx -t refuses, and says so.

sub conf_fails {
    my ($regex, $name, %opt) = @_;

    my ($ok, $out) = conf_test(%opt);
    my $passed = ok(!$ok && $out =~ $regex, $name);
    diag($ok ? "it was accepted" : "", "\n$out") unless $passed;

    return $passed;
}


# conf_test(%opt): (accepted, output) of nginx -t; $PREFIX in the output.

sub conf_test {
    my (%opt) = @_;

    my $prefix = tempdir("conf-XXXXXX", DIR => workdir());
    spew("$prefix/nginx.conf", config($prefix, 8080, %opt));

    my $pid = open my $out, "-|";
    defined $pid or die "fork: $!";

    if ($pid == 0) {
        open STDERR, ">&", \*STDOUT;
        %ENV = (%ENV, %{$opt{env} || {}});
        { exec binary(), "-t", "-p", "$prefix/", "-e", "stderr",
               "-c", "$prefix/nginx.conf" }
        _exit(127);
    }

    local $/;
    my $text = <$out>;
    close $out;
    my $ok = $? == 0;
    $text =~ s/\Q$prefix\E/PREFIX/g;

    return ($ok, $text);
}


# body_of(model, stream =>, text =>, more => {}): a request document.  The
# model comes first, as some faults act before the whole body is there.

sub body_of {
    my ($model, %opt) = @_;

    my $rest = json({
        messages => [{ role => "user",
                       content => defined $opt{text} ? $opt{text} : "hi" }],
        $opt{stream} ? (stream => JSON::PP::true) : (),
        %{$opt{more} || {}},
    });

    return '{"model":' . json($model) . "," . substr $rest, 1;
}


# post(nginx, path, body, seconds =>, headers => [], client => 1): an answer.

sub post {
    my ($ng, $path, $body, %opt) = @_;

    my $c = $opt{on} || AITest::Client->new($ng->{port});
    $c->request($opt{method} || "POST", $path, $body,
                @{$opt{headers} || []});

    return $c if $opt{open};

    my $r = $c->response($opt{seconds});
    $c->close unless $opt{on};

    return $r;
}


sub get {
    my ($ng, $path, %opt) = @_;
    return post($ng, $path, undef, method => "GET", %opt);
}


sub chat {
    my ($ng, $model, %opt) = @_;
    return post($ng, $opt{path} || "/v1/chat/completions",
                body_of($model, %opt), %opt);
}


sub messages {
    my ($ng, $model, %opt) = @_;
    return post($ng, $opt{path} || "/v1/messages",
                body_of($model, %opt,
                        more => { max_tokens => 9, %{$opt{more} || {}} }),
                %opt);
}


sub responses {
    my ($ng, $model, %opt) = @_;

    my $body = json({ model => $model, input => "hi",
                      $opt{stream} ? (stream => JSON::PP::true) : () });
    return post($ng, ($opt{base} || "") . "/v1/responses", $body, %opt);
}


sub gemini {
    my ($ng, $model, %opt) = @_;

    my $call = $opt{stream} ? "streamGenerateContent?alt=sse"
                            : "generateContent";
    my $body = json({ contents => [{ role => "user",
                                     parts => [{ text => "hi" }] }] });
    return post($ng, ($opt{base} || "") . "/v1beta/models/$model:$call",
                $body, %opt);
}


# Checks, each counts as one test.


# failed_with(answer, status, code, name): an error document in JSON.

sub failed_with {
    my ($r, $status, $code, $name) = @_;

    my $type = $r->header("content-type") || "";
    my $got = "$r->{status} " . ($r->error || "-")
        . ($type =~ m{\Aapplication/json} ? "" : " as $type")
        . ($r->{complete} ? "" : " incomplete");

    my $want = ref $code ? qr/\A$status $code\z/ : qr/\A$status \Q$code\E\z/;

    like($got, $want, $name) or diag("body: " . substr($r->{body}, 0, 600));
}


# good(answer, name, text): a complete 200 with that text.

sub good {
    my ($r, $name, $text) = @_;

    $text = text() unless defined $text;
    my $got = "$r->{status} " . ($r->{complete} ? "" : "incomplete ")
        . $r->text;

    is($got, "200 $text", $name)
        or diag("body: " . substr($r->{body}, -600));
}


# stream_broken(answer, code, name): it began well, ends with an error event
# of that code (a regex) and does not look complete.

sub stream_broken {
    my ($r, $code, $name) = @_;

    my $end = $r->{body} =~ /\[DONE\]|event: message_stop|
                             response\.completed/x;
    my $passed = ok($r->{status} == 200 && $r->error =~ /\A(?:$code)\z/
                    && !$end && length $r->text, $name);

    diag("status $r->{status}, error \"" . $r->error . "\", terminator: "
         . ($end ? "yes" : "no") . ", body ends: "
         . substr($r->{body}, -500)) unless $passed;

    return $passed;
}


# aborted(name): the provider saw, within 1 second, that the client left.

sub aborted {
    my ($name, $n) = @_;

    $n ||= 1;
    my $start = time;
    ok(wait_for("client_closed=$n&timeout=3") && time - $start < 1.2, $name);
}


# log_lines(nginx): the lines of the access log, decoded; undef if not JSON.

sub log_lines {
    my ($ng) = @_;

    return map { scalar eval { $JSON->decode($_) } }
           split /\n/, slurp("$ng->{prefix}/access.log");
}


# logged(nginx, n): the last line, once there are at least n.

sub logged {
    my ($ng, $n) = @_;

    my @lines;

    for (1 .. 100) {
        @lines = log_lines($ng);

        # a line may be read while it is being written

        last if @lines >= ($n || 1) && defined $lines[-1];
        sleep 0.02;
    }

    return $lines[-1] || {};
}


sub error_log { return slurp("$_[0]->{prefix}/error.log") }


# finish(): stops all, checks the logs, ends the plan.

sub finish {
    my (%opt) = @_;

    my @all = @running;

    $_->stop for reverse @all;

    for my $ng (@all) {
        my @bad = $ng->bad_lines;
        is(join("\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]), "",
           "the error log has no alert and no sanitizer report");
    }

    if ($fake && !$opt{anomalies}) {
        my $anomalies = control("GET", "anomalies");
        is(json($anomalies), "[]", "the provider saw no odd request");
    }

    done_testing();
}


# Processes end by their pid; the provider ends with its standard input.

sub stop_all {
    return if $$ != $PID;

    my $status = $?;

    $_->stop for reverse @running;

    if ($fake) {
        close $fake->{in};
        for (1 .. 200) {
            last if waitpid($fake->{pid}, WNOHANG) == $fake->{pid};
            sleep 0.01;
            kill TERM => $fake->{pid} if $_ == 150;
        }
        undef $fake;
    }

    $? = $status;
}


END { stop_all() }


1;

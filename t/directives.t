# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Directives: inheritance, defaults, what they do.  Declarative, with
# OpenResty's Test::Nginx; what is refused is in conf-errors.t.

use lib 't/lib';
use AITest ();
use Test::Nginx::Socket;

AITest::fake();

our $Base = "http://127.0.0.1:" . AITest::port("main");
our $Key = "file:" . AITest::workdir() . "/key";

our $HttpConfig = <<"END";
    ai_provider one { dialect openai; endpoint $Base/v1; key $Key; }
    ai_provider two { dialect openai; endpoint $Base/two/v1; key $Key; }
    ai_tier first { alias gpt-*; target one/*; }
    ai_tier second { target two/real-model; }
END

our $Json = "Content-Type: application/json";

no_shuffle();
no_root_location();
repeat_each(2);
plan 'no_plan';
run_tests();

__DATA__

=== TEST 1: ai_gateway is off by default
--- http_config eval: $::HttpConfig
--- config
location / { return 200 "plain\n"; }
location /on/ { ai_gateway on; }
--- request
POST /v1/chat/completions
{"model":"first","messages":[]}
--- response_body
plain
--- no_error_log
[error]



=== TEST 2: ai_gateway goes on in nested locations
--- http_config eval: $::HttpConfig
--- config
location /v1/ {
    ai_gateway on;
    location /v1/chat/ { }
    location /v1/off/ { ai_gateway off; return 200 "off\n"; }
}
--- request
POST /v1/chat/completions
{"model":"first","messages":[]}
--- more_headers eval: $::Json
--- response_body_like: fake provider
--- no_error_log
[error]



=== TEST 3: and is off where it is told so
--- http_config eval: $::HttpConfig
--- config
location /v1/ {
    ai_gateway on;
    location /v1/off/ { ai_gateway off; return 200 "off\n"; }
}
--- request
GET /v1/off/x
--- response_body
off
--- no_error_log
[error]



=== TEST 4: ai_route in http is inherited
--- http_config eval: $::HttpConfig . "ai_route second;"
--- config
location / { ai_gateway on; }
--- request
POST /v1/chat/completions
{"model":"whatever","messages":[]}
--- more_headers eval: $::Json
--- response_headers
x-ai-provider: two
--- response_body_like: "model":"real-model"
--- no_error_log
[error]



=== TEST 5: ai_route off cancels it
--- http_config eval: $::HttpConfig . "ai_route second;"
--- config
location / { ai_gateway on; ai_route off; }
--- request
POST /v1/chat/completions
{"model":"gpt-x","messages":[]}
--- more_headers eval: $::Json
--- response_headers
x-ai-provider: one
--- response_body_like: "model":"gpt-x"
--- no_error_log
[error]



=== TEST 6: ai_route by a variable
--- http_config eval
$::HttpConfig . 'map $http_x_class $tier { default first; big second; }'
--- config
location / { ai_gateway on; ai_route $tier; }
--- request
POST /v1/chat/completions
{"model":"gpt-x","messages":[]}
--- more_headers eval: "$::Json\nX-Class: big"
--- response_headers
x-ai-provider: two
--- no_error_log
[error]



=== TEST 7: ai_response_headers is route by default
--- http_config eval: $::HttpConfig
--- config
location / { ai_gateway on; }
--- request
POST /v1/chat/completions
{"model":"second","messages":[]}
--- more_headers eval: $::Json
--- response_headers
x-ai-model: second
x-ai-provider: two
x-ai-attempts: 1
! server-timing
--- error_code: 200



=== TEST 8: ai_response_headers off
--- http_config eval: $::HttpConfig . "ai_response_headers off;"
--- config
location / { ai_gateway on; }
--- request
POST /v1/chat/completions
{"model":"second","messages":[]}
--- more_headers eval: $::Json
--- response_headers
! x-ai-model
! x-ai-provider
! x-ai-attempts
! server-timing
--- response_headers_like
x-request-id: [0-9a-f]{32}
--- error_code: 200



=== TEST 9: ai_response_headers timing
--- http_config eval: $::HttpConfig
--- config
location / { ai_gateway on; ai_response_headers timing; }
--- request
POST /v1/chat/completions
{"model":"second","messages":[]}
--- more_headers eval: $::Json
--- response_headers_like
server-timing: .*dur=.*
--- error_code: 200



=== TEST 10: without a tier the first provider of the dialect answers
--- http_config eval
"ai_provider one { dialect openai; endpoint $::Base/v1; key $::Key; }"
--- config
location / { ai_gateway on; }
--- request
POST /v1/chat/completions
{"model":"any-model","messages":[]}
--- more_headers eval: $::Json
--- response_headers
x-ai-provider: one
--- response_body_like: "model":"any-model"
--- no_error_log
[error]



=== TEST 11: include inside of a block
--- http_config eval
AITest::spew(AITest::workdir() . "/part.conf",
             "endpoint $::Base/v1;\nkey $::Key;\n");
"ai_provider one { dialect openai; include " . AITest::workdir()
. "/part.conf; }"
--- config
location / { ai_gateway on; }
--- request
POST /v1/chat/completions
{"model":"m","messages":[]}
--- more_headers eval: $::Json
--- response_body_like: fake provider
--- no_error_log
[error]



=== TEST 12: tiers may come before their providers
--- http_config eval
"ai_tier t { target p/m; } "
. "ai_provider p { dialect openai; endpoint $::Base/v1; key $::Key; }"
--- config
location / { ai_gateway on; }
--- request
POST /v1/chat/completions
{"model":"t","messages":[]}
--- more_headers eval: $::Json
--- response_body_like: "model":"m"
--- no_error_log
[error]



=== TEST 13: ai_max_response
--- http_config eval: $::HttpConfig
--- config
location / { ai_gateway on; ai_max_response 100; }
--- request
POST /v1/chat/completions
{"model":"first","messages":[]}
--- more_headers eval: $::Json
--- error_code: 502
--- response_body_like: "code":"upstream_too_large"
--- error_log
ai_max_response



=== TEST 14: ai_max_event
--- http_config eval: $::HttpConfig
--- config
location / { ai_gateway on; ai_max_event 100; }
--- request
POST /v1/chat/completions
{"model":"first","messages":[],"stream":true}
--- more_headers eval: $::Json
--- error_code: 502
--- response_body_like: "code":"upstream_too_large"
--- error_log
ai_max_event



=== TEST 15: a stream, as it is
--- http_config eval: $::HttpConfig
--- config
location / { ai_gateway on; }
--- request
POST /v1/completions
{"model":"gpt-fault-echo","prompt":"x","stream":true}
--- more_headers eval: $::Json
--- response_headers
Content-Type: text/event-stream
--- response_body_like eval: qr/\Adata: \{.*\}\n\ndata: \[DONE\]\n\n\z/s
--- no_error_log
[error]



=== TEST 16: the error names the line of the block's directive
--- http_config
ai_provider one {
    dialect openai;
    endpoint http://127.0.0.1:1;
    key none;
    idle_timeuot 5s;
}
--- config
location / { ai_gateway on; }
--- must_die
--- error_log eval
qr/unknown directive "idle_timeuot" in ai_provider "one".*nginx.conf:\d+/



=== TEST 17: a provider is needed
--- config
location / { ai_gateway on; }
--- must_die
--- error_log eval
qr/"ai_gateway" is on but there is no ai_provider.*nginx.conf:\d+/



=== TEST 18: unknown tier in ai_route
--- http_config eval: $::HttpConfig
--- config
location / { ai_gateway on; ai_route secnod; }
--- must_die
--- error_log eval
qr/unknown ai_tier "secnod" in "ai_route", did you mean "second"\?/

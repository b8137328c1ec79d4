/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests in the shape of tools that are not started here, Claude Code and
 * Codex; and those that no library would send.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, provider, start } from "./harness.mjs";


/* the shortest answers, to see what arrives */

const seen = await provider(({ url }, res) => answer(res, 200,
    url.includes("/messages")
    ? { id: "msg_1", type: "message", role: "assistant", model: "m",
        content: [], stop_reason: "end_turn",
        usage: { input_tokens: 1, output_tokens: 1 } }
    : { id: "resp_1", object: "response", status: "completed", model: "m",
        output: [], usage: { input_tokens: 1, output_tokens: 1,
                             total_tokens: 2 } }));

const gw = await start([
    { dialect: "openai", name: "seen", url: seen.url },
    { dialect: "anthropic", name: "seen", url: seen.url },
]);

const check = (name, run) => test(name, { timeout: 15000 }, run);


async function ask(base, path, { method = "POST", headers = {}, body } = {})
{
    const res = await fetch(base + path, {
        method,
        headers: { "content-type": "application/json", ...headers },
        body: body && typeof body == "object" && !(body instanceof Buffer)
              ? JSON.stringify(body) : body,
        signal: AbortSignal.timeout(8000),
    });
    const text = await res.text();
    let json;

    try {
        json = JSON.parse(text);

    } catch (e) {
        json = null;
    }

    return { status: res.status, headers: res.headers, text, json };
}


/* [{ event, data }] of a stream */

function events(text) {
    assert.ok(text.endsWith("\n\n"), "the last event is whole");

    return text.trimEnd().split("\n\n").map((block) => {
        const field = (name) => block.split("\n")
            .find((line) => line.startsWith(name + ": "))
            ?.slice(name.length + 2);

        return { event: field("event"), data: field("data") };
    });
}


/* Claude Code */

const claude = {
    accept: "application/json",
    authorization: "Bearer sk-client",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,oauth-2025-04-20,"
                      + "interleaved-thinking-2025-05-14,"
                      + "fine-grained-tool-streaming-2025-05-14",
    "anthropic-dangerous-direct-browser-access": "true",
    "user-agent": "claude-cli/2.1.0 (external, cli)",
    "x-app": "cli",
    "x-claude-code-session-id": "2b1b4a0e-0000-4000-8000-000000000000",
    "x-stainless-lang": "js",
    "x-stainless-helper-method": "stream",
};

const turn = {
    model: "claude-mock",
    max_tokens: 32000,
    stream: true,
    temperature: 1,
    metadata: { user_id: "user_1_account__session_2" },
    thinking: { type: "enabled", budget_tokens: 16000 },
    context_management: { edits: [{ type: "clear_thinking_20251015" }] },
    system: [{ type: "text", text: "You are a command line tool.",
               cache_control: { type: "ephemeral" } }],
    tools: [{ name: "Bash", description: "Runs a command",
              input_schema: { type: "object", properties: {
                  command: { type: "string" } }, required: ["command"] } }],
    messages: [
        { role: "user", content: [{ type: "text", text: "List files",
                                    cache_control: { type: "ephemeral" } }] },
        { role: "assistant", content: [
            { type: "thinking", thinking: "", signature: "c2ln" },
            { type: "tool_use", id: "toolu_1", name: "Bash",
              input: { command: "ls" } }] },
        { role: "user", content: [{ type: "tool_result",
                                    tool_use_id: "toolu_1",
                                    content: [{ type: "text",
                                                text: "a.c" }] },
                                  { type: "text", text: "Thanks" }] },
    ],
};

check("Claude Code: a turn", async () => {
    const r = await ask(gw.url, "/v1/messages?beta=true",
                        { headers: claude, body: turn });

    assert.equal(r.status, 200, r.text);
    assert.match(r.headers.get("content-type"), /^text\/event-stream/);

    const all = events(r.text);

    assert.deepEqual([...new Set(all.map((e) => e.event))], [
        "message_start", "content_block_start", "ping",
        "content_block_delta", "content_block_stop", "message_delta",
        "message_stop" ]);

    assert.match(all.map((e) => JSON.parse(e.data).delta?.text ?? "")
                    .join(""), /^You said: Thanks; /);
});

check("Claude Code: a turn with a tool", async () => {
    const r = await ask(gw.url, "/v1/messages?beta=true",
        { headers: claude, body: { ...turn, tool_choice: { type: "any" } } });
    const json = events(r.text).map((e) => JSON.parse(e.data)
                                               .delta?.partial_json ?? "");

    assert.deepEqual(JSON.parse(json.join("")), { command: "mock" });
    assert.match(r.text, /"stop_reason":"tool_use"/);
});

check("Claude Code: what the provider needs of it arrives", async () => {
    const r = await ask(gw.at("anthropic", "seen"),
                        "/v1/messages?beta=true",
                        { headers: claude, body: { ...turn,
                                                   stream: false } });
    const request = seen.last();

    assert.equal(r.status, 200);
    assert.equal(request.url, "/v1/messages?beta=true");
    assert.equal(request.body, JSON.stringify({ ...turn, stream: false }));
    assert.equal(request.headers["anthropic-beta"],
                 claude["anthropic-beta"]);
    assert.equal(request.headers["anthropic-version"],
                 claude["anthropic-version"]);
    assert.equal(request.headers["user-agent"], claude["user-agent"]);
    assert.ok(!("authorization" in request.headers));
});

check("Claude Code: counting, models, and whether it is there", async () => {
    const { max_tokens, stream, ...rest } = turn;

    let r = await ask(gw.url, "/v1/messages/count_tokens?beta=true",
                      { headers: claude, body: rest });

    assert.ok(r.json.input_tokens > 1);

    r = await ask(gw.url, "/v1/models?limit=1000", { method: "GET",
                                                     headers: claude });
    assert.ok(r.json.data.some((m) => m.id == "claude-mock"
                                      && m.type == "model"));

    r = await ask(gw.url, "/", { method: "HEAD", headers: claude });
    assert.equal(r.status, 200);

    r = await ask(gw.url, "/api/hello", { method: "HEAD" });
    assert.equal(r.status, 200);
});

check("Claude Code: an error is in its dialect", async () => {
    const r = await ask(gw.url, "/v1/messages?beta=true",
        { headers: claude, body: { ...turn, model: "nope" } });

    assert.equal(r.status, 404);
    assert.equal(r.json.type, "error");
    assert.equal(r.json.error.type, "not_found_error");
    assert.equal(r.json.request_id, r.headers.get("request-id"));
});


/* Codex */

const codex = {
    accept: "text/event-stream",
    authorization: "Bearer sk-client",
    conversation_id: "0199",
    session_id: "0199",
    originator: "codex_cli_rs",
    "openai-beta": "responses=experimental",
    "user-agent": "codex_cli_rs/0.60.0 (Debian 12; x86_64) xterm",
    version: "0.60.0",
};

const step = {
    model: "gpt-mock",
    instructions: "You are a coding agent.",
    input: [
        { type: "message", role: "developer",
          content: [{ type: "input_text", text: "rules" }] },
        { type: "message", role: "user",
          content: [{ type: "input_text", text: "Hello" }] },
    ],
    tools: [
        { type: "function", name: "shell", strict: false,
          parameters: { type: "object", properties: {
              command: { type: "array", items: { type: "string" } } },
                        required: ["command"] } },
        { type: "web_search", external_web_access: false },
        { type: "custom", name: "apply_patch",
          format: { type: "grammar", syntax: "lark", definition: "a" } },
    ],
    tool_choice: "auto",
    parallel_tool_calls: false,
    reasoning: { effort: "medium", summary: "auto" },
    store: false,
    stream: true,
    include: ["reasoning.encrypted_content"],
    prompt_cache_key: "0199",
};

check("Codex: a step", async () => {
    const r = await ask(gw.url, "/v1/responses",
                        { headers: codex, body: step });

    assert.equal(r.status, 200, r.text);
    assert.match(r.headers.get("content-type"), /^text\/event-stream/);

    const all = events(r.text);

    for (const { event, data } of all) {
        assert.equal(JSON.parse(data).type, event);
    }

    const last = JSON.parse(all.at(-1).data);

    assert.equal(last.type, "response.completed");
    assert.equal(last.response.usage.output_tokens, 16);
    assert.match(last.response.output[0].content[0].text,
                 /^You said: Hello; /);
});

check("Codex: what the provider needs of it arrives", async () => {
    const body = { ...step, stream: false };

    const r = await ask(gw.at("openai", "seen"), "/v1/responses",
                        { headers: codex, body });
    const request = seen.last();

    assert.equal(r.status, 200);
    assert.equal(request.url, "/v1/responses");
    assert.equal(request.body, JSON.stringify(body));
    assert.equal(request.headers["user-agent"], codex["user-agent"]);
});

check("Codex: its list of models", async () => {
    for (const [path, headers] of [
        ["/v1/models?client_version=0.60.0", {}],
        ["/v1/models", { originator: "codex_cli_rs" }] ])
    {
        const r = await ask(gw.url, path, { method: "GET", headers });

        assert.equal(r.status, 200);
        assert.deepEqual(r.json, { models: [] });
    }
});

check("Codex: a stream that breaks is not completed", async () => {
    for (const name of ["error_mid", "truncate", "reset_mid"]) {
        const r = await ask(gw.at("openai", name), "/v1/responses",
                            { headers: codex, body: step });

        assert.equal(r.status, 200);
        assert.doesNotMatch(r.text, /response\.completed/);
        assert.match(r.text, /event: (error|response\.failed)\n/, name);
    }
});


/* requests that are wrong */

check("bad JSON", async () => {
    const before = gw.lines("mock.log").length;

    for (const body of ["{", "", "[]", "null", "{\"model\":\"gpt-mock\",}",
                        "{\"model\":\"gpt-mock\"} x",
                        "{\"model\":\"gpt-mock\",\"model\":\"x\"}",
                        "{\"model\":\"\\ud800\"}", "{\"model\":1}",
                        Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])])
    {
        for (const [path, shape] of [
            ["/v1/chat/completions", (j) => j.error.type
                                            && j.error.code],
            ["/v1/responses", (j) => j.error.type && j.error.code],
            ["/v1/embeddings", (j) => j.error.type && j.error.code],
            ["/v1/messages", (j) => j.type == "error" && j.error.type] ])
        {
            const r = await ask(gw.url, path, { body });

            assert.equal(r.status, 400, `${path} ${body}: ${r.text}`);
            assert.ok(shape(r.json), r.text);
            assert.ok(r.json.error.message);
        }
    }

    const r = await ask(gw.url,
                        "/v1beta/models/gemini-mock:generateContent",
                        { body: "{" });

    assert.equal(r.status, 400);
    assert.equal(r.json.error.code, 400);
    assert.equal(r.json.error.status, "INVALID_ARGUMENT");

    assert.equal(gw.lines("mock.log").length, before, "nothing went on");
});

check("other wrong requests", async () => {
    const body = { model: "gpt-mock",
                   messages: [{ role: "user", content: "Hi" }] };

    let r = await ask(gw.url, "/v1/chat/completions", { method: "GET" });

    assert.equal(r.status, 405);
    assert.ok(r.json.error.message);

    r = await ask(gw.url, "/v1/chat/completions",
                  { body, headers: { "content-type": "text/plain" } });
    assert.equal(r.status, 415);
    assert.equal(r.json.error.code, "unsupported_media_type");

    r = await ask(gw.url, "/v1/chat/completions",
                  { body: { ...body, pad: "x".repeat(9 << 20) } })
        .catch((e) => e);

    /* who still sends may find the connection closed */

    if (!(r instanceof Error)) {
        assert.equal(r.status, 413);
        assert.equal(r.json.error.code, "request_too_large");
    }

    r = await ask(gw.url, "/nothing/of/this", { body });
    assert.equal(r.status, 404);
    assert.equal(r.json.error.code, "not_found");
});


test("nginx ends without a complaint", () => gw.stop());

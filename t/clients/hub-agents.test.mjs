/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Claude Code and Codex with models of all providers: their requests, and
 * streams that they read strictly.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { PATCH, THOUGHT } from "./fake/scenarios.mjs";
import { events, message, response } from "./hub/events.mjs";
import { MODELS, hub, model } from "./hub/gateway.mjs";
import { CLAUDE_HEADERS, CODEX_HEADERS, claude, claudeNext, codex,
         codexNext } from "./hub/shapes.mjs";


const { gw, provider } = await hub();


/* bodies are written with line breaks: these must not get into any event */

async function ask(path, headers, body) {
    const res = await fetch(gw.url + path, {
        method: "POST", headers, body: JSON.stringify(body, null, 2),
        signal: AbortSignal.timeout(8000) });
    const text = await res.text();

    assert.equal(res.status, 200,
                 `${text.slice(0, 500)} ${provider.last()?.bad?.message}`);
    return { headers: res.headers, text };
}


for (const name of Object.keys(MODELS)) {
    const check = (what, run) => test(`${what} -> ${name}`,
                                      { timeout: 15000 }, run);

    check("Claude Code: two turns", async () => {
        const id = model(name, true);
        const path = "/v1/messages?beta=true";
        const r = await ask(path, CLAUDE_HEADERS, claude(id));
        const first = message(events(r.text));

        assert.equal(first.stop_reason, "tool_use");

        /* state that belongs to a call comes as a thought without words */

        assert.deepEqual(first.content.filter((b) => b.thinking !== "")
                                      .map((b) => b.type),
                         ["thinking", "text", "tool_use", "tool_use"]);
        assert.equal(first.content[0].thinking, THOUGHT);
        assert.deepEqual(first.content.slice(-2).map((b) => b.input), [
            { command: "ls -l \"a b\"\n", timeout: 5 },
            { path: "C:\\x.c" }]);
        assert.equal(first.usage.input_tokens, 1234);
        assert.equal(first.usage.output_tokens, 56);

        /* its betas are Anthropic's own */

        assert.equal("anthropic-beta" in provider.last().headers,
                     name == "anthropic");
        assert.deepEqual(
            Object.keys(provider.last().headers)
                  .filter((h) => /stainless|^x-app|session/.test(h)
                                 && name != "anthropic"), []);

        const second = message(events((await ask(
            path, CLAUDE_HEADERS, claudeNext(
                id, first.content, name == "anthropic"))).text));

        assert.equal(second.stop_reason, "end_turn");
        assert.deepEqual(second.content.map((b) => [b.type, b.text]),
                         [["text", "Done."]]);
    });

    check("Claude Code: count_tokens", async () => {
        const { max_tokens, stream, temperature, metadata, ...body } =
            claude(model(name, true));
        const r = await ask("/v1/messages/count_tokens?beta=true",
                            CLAUDE_HEADERS, body);
        const { input_tokens: n } = JSON.parse(r.text);

        if (name == "anthropic") {
            assert.equal(n, 4242);

        } else {
            assert.ok(n > 2000 && n < 20000, `${n} tokens`);
        }
    });

    check("Claude Code: a model is probed", async () => {
        const r = await ask("/v1/messages?beta=true", CLAUDE_HEADERS, {
            model: model(name), max_tokens: 1,
            messages: [{ role: "user", content: "quota #text" }] });

        assert.equal(JSON.parse(r.text).type, "message");
    });

    check("Codex: two turns", async (t) => {

        /* the fake one has no custom tools */

        if (name == "openai" || name == "responses") {
            return t.skip("its own dialect");
        }

        const id = model(name, true);
        const r = await ask("/v1/responses", CODEX_HEADERS, codex(id));
        const first = response(events(r.text));

        assert.equal(first.status, "completed");

        const [shell] = first.output.filter((i) =>
            i.type == "function_call");
        const [patch] = first.output.filter((i) =>
            i.type == "custom_tool_call");

        assert.deepEqual(JSON.parse(shell.arguments),
                         { command: ["bash", "-lc", "ls"] });
        assert.equal(patch.name, "apply_patch");
        assert.equal(patch.input, PATCH);
        assert.match(r.headers.get("x-ai-dropped") ?? "", /web_search|tools/);

        const second = response(events((await ask(
            "/v1/responses", CODEX_HEADERS,
            codexNext(id, first.output))).text));

        assert.equal(second.output.at(-1).content[0].text, "Patched.");
    });

    check("Codex: state of the server is refused", async (t) => {
        if (name == "openai" || name == "responses") {
            return t.skip("its own dialect");
        }

        for (const more of [{ previous_response_id: "resp_1" },
                            { conversation: "conv_1" },
                            { background: true }])
        {
            const res = await fetch(gw.url + "/v1/responses", {
                method: "POST", headers: CODEX_HEADERS,
                body: JSON.stringify({ ...codex(model(name)), ...more }) });
            const { error } = await res.json();

            assert.equal(res.status, 400);
            assert.equal(error.param, Object.keys(more)[0]);
            assert.equal(error.type, "invalid_request_error");
        }
    });
}


test("nginx ends without a complaint", () => gw.stop());

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The AI SDK and its providers.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { answer, failure, provider, start, within } from "./harness.mjs";


/* every other request is one too many, for a second */

const busy = await provider((request, res) => {
    if (request.number % 2 == 1) {
        answer(res, 429, { error: { message: "slow down", type: "requests",
                                    code: "rate_limit_exceeded" } },
               { "retry-after": "1" });
        return;
    }

    answer(res, 200, { id: "1", object: "chat.completion", created: 1,
        model: "m", choices: [{ index: 0, finish_reason: "stop",
            message: { role: "assistant", content: "Hello" } }] });
});

const gw = await start([{ dialect: "openai", name: "busy",
                          url: busy.url }]);

/* versions that belong together */

const sets = [
    { ai: "ai-6", compatible: "2", openai: "3", anthropic: "3" },
    { ai: "ai-7", compatible: "3", openai: "4", anthropic: "4" },
];

/* the SDK prints advice on models that it does not know */

globalThis.AI_SDK_LOG_WARNINGS = false;


for (const set of sets) {
    const { APICallError, embedMany, generateText, streamText, tool } =
        await import(set.ai);
    const { createOpenAICompatible } =
        await import(`@ai-sdk/openai-compatible-${set.compatible}`);
    const { createOpenAI } = await import(`@ai-sdk/openai-${set.openai}`);
    const { createAnthropic } =
        await import(`@ai-sdk/anthropic-${set.anthropic}`);

    const base = (dialect, name) =>
        (name ? gw.at(dialect, name) : gw.url) + "/v1";

    const compatible = (name, more = {}) => createOpenAICompatible({
        name: "gateway", apiKey: "sk-client", baseURL: base("openai", name),
        ...more });

    const openai = (name) => createOpenAI({
        apiKey: "sk-client", baseURL: base("openai", name) });

    const anthropic = (name) => createAnthropic({
        apiKey: "sk-client", baseURL: base("anthropic", name) });

    const models = {
        "openai-compatible": (name) => compatible(name)("gpt-mock"),
        "openai, responses": (name) => openai(name)("gpt-mock"),
        "openai, chat": (name) => openai(name).chat("gpt-mock"),
        anthropic: (name) => anthropic(name)("claude-mock"),
    };

    const tools = {
        weather: tool({
            description: "tells the weather",
            inputSchema: z.object({ city: z.string(),
                                    days: z.number().int() }),
        }),
    };

    const options = { prompt: "Hi", maxRetries: 0 };

    /* the parts of a stream that the SDK has ended, one way or the other */

    const parts = async (result) => {
        const all = [];

        for await (const part of result.fullStream) {
            all.push(part);
        }

        return all;
    };

    const check = (name, run) => test(`${set.ai}: ${name}`,
                                      { timeout: 15000 }, run);

    for (const [name, model] of Object.entries(models)) {

        check(`generateText, ${name}`, async () => {
            const r = await generateText({ model: model(""), ...options });

            assert.match(r.text, /^You said: Hi; /);
            assert.equal(r.finishReason, "stop");
            assert.equal(r.usage.outputTokens, 16);
        });

        check(`streamText, ${name}`, async () => {
            const r = streamText({ model: model(""), ...options });
            const deltas = [];

            for await (const delta of r.textStream) {
                deltas.push(delta);
            }

            assert.match(deltas.join(""), /^You said: Hi; /);
            assert.ok(deltas.length > 1);
            assert.equal(await r.finishReason, "stop");
        });

        check(`tools, ${name}`, async () => {
            const request = { model: model(""), tools, ...options,
                              toolChoice: "required" };
            const r = await generateText(request);
            const s = streamText(request);

            for (const calls of [r.toolCalls, await s.toolCalls]) {
                assert.equal(calls.length, 1);
                assert.equal(calls[0].toolName, "weather");
                assert.deepEqual(calls[0].input, { city: "mock", days: 1 });
            }
        });

        check(`errors, ${name}`, async () => {
            for (const [route, status, message] of [
                ["status400", 400, /not valid/],
                ["status429", 429, /limit/],
                ["closed", 502, /no connection to the provider/],
                ["stall", 504, /in time/] ])
            {
                const e = await failure(generateText(
                    { model: model(route), ...options }));

                assert.ok(APICallError.isInstance(e), String(e));
                assert.equal(e.statusCode, status);
                assert.equal(e.isRetryable, status != 400);
                assert.match(e.message, message);
            }
        });

        check(`an unknown model, ${name}`, async () => {
            const of = name == "anthropic" ? anthropic("")
                     : name == "openai, chat" ? openai("").chat
                     : name == "openai-compatible" ? compatible("")
                     : openai("");
            const e = await failure(generateText(
                { model: of("nope"), ...options }));

            assert.ok(APICallError.isInstance(e));
            assert.equal(e.statusCode, 404);
            assert.match(e.message, /"nope"/);
        });

        for (const route of ["error_mid", "truncate", "reset_mid",
                             "stall_mid"])
        {
            check(`${route} is no success, ${name}`, async () => {
                const errors = [];

                const all = await parts(streamText({
                    model: model(route), ...options,
                    onError: ({ error }) => errors.push(error),
                }));

                assert.ok(all.some((p) => p.type == "text-delta"));
                assert.ok(all.some((p) => p.type == "error"));
                assert.ok(errors.length > 0);

                for (const p of all) {
                    if (p.type == "finish") {
                        assert.equal(p.finishReason, "error");
                    }
                }
            });
        }

        check(`an abort, ${name}`, async () => {
            const controller = new AbortController();
            const r = streamText({ model: model("long"), ...options,
                                   abortSignal: controller.signal });
            let types;

            await within(5000, "the end", (async () => {
                types = new Set();

                for await (const p of r.fullStream) {
                    types.add(p.type);

                    if (p.type == "text-delta") {
                        controller.abort();
                    }
                }
            })());

            assert.ok(types.has("abort"), [...types].join());
        });
    }

    check("usage that the client asks for", async () => {
        const r = streamText({
            model: compatible("", { includeUsage: true })("gpt-mock"),
            ...options,
        });

        await r.consumeStream();
        assert.equal((await r.usage).outputTokens, 16);
    });

    check("embedMany", async () => {
        for (const p of [compatible(""), openai("")]) {
            const make = p.embeddingModel ?? p.textEmbeddingModel;
            const r = await embedMany({ model: make("embed-mock"),
                                        values: ["one", "two"],
                                        maxRetries: 0 });

            assert.equal(r.embeddings.length, 2);
            assert.equal(r.embeddings[0].length, 16);
        }
    });

    check("a 429 is tried again when its time has come", async () => {
        const n = busy.requests.length;
        const began = Date.now();
        const r = await generateText({ ...options, maxRetries: 1,
            model: models["openai-compatible"]("busy") });
        const took = Date.now() - began;

        assert.equal(r.text, "Hello");
        assert.equal(busy.requests.length, n + 2);
        assert.ok(took > 900 && took < 4000, `${took} ms`);
    });

    check("20 streams at a time", async () => {
        await Promise.all(Array.from({ length: 20 }, async (_, i) => {
            const text = await streamText({
                model: models["openai-compatible"]("slow"),
                prompt: `number${i}.`, maxRetries: 0 }).text;

            assert.ok(text.startsWith(`You said: number${i}.; `));
        }));
    });
}


test("nginx ends without a complaint", () => gw.stop());

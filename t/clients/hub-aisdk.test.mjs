/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The AI SDK, which checks all it reads against schemas, by each dialect of
 * its own with models of all providers.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { Output, generateText, stepCountIs, streamText, tool } from "ai-7";
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic-4";
import { createCohere } from "@ai-sdk/cohere";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai-4";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible-3";
import { IMAGE, PERSON, RESULTS, TEXT, THOUGHT }
    from "./fake/scenarios.mjs";
import { MODELS, hub, model } from "./hub/gateway.mjs";


globalThis.AI_SDK_LOG_WARNINGS = false;

const { gw } = await hub();
const at = (path) => ({ apiKey: "CANARY", baseURL: gw.url + path });

const LIBRARIES = {
    "openai, chat": createOpenAI(at("/v1")).chat,
    "openai, responses": createOpenAI(at("/v1")).responses,
    "openai-compatible": createOpenAICompatible({
        ...at("/v1"), name: "gateway", supportsStructuredOutputs: true,
        includeUsage: true }),
    anthropic: createAnthropic(at("/v1")),

    /* a name with a slash is a path of its own, unless it is told whole */

    google: (id) => createGoogleGenerativeAI(at("/v1beta"))(`models/${id}`),
    cohere: createCohere(at("/v2")),
    bedrock: createAmazonBedrock({
        baseURL: gw.url, region: "us-east-1", accessKeyId: "CANARY",
        secretAccessKey: "CANARY" }),
};

const tools = {
    get_weather: tool({
        description: "Tells the \"weather\"",
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }) => RESULTS[city],
    }),
};

const schema = z.object({ name: z.string().describe("a \"name\""),
                          age: z.number().int(),
                          tags: z.array(z.string()) });

/* without this, it refers to items that it thinks are stored */

const ALWAYS = { openai: { store: false } };

/* those that give the state of thoughts back */

const THINKS = {
    google: { google: { thinkingConfig: { includeThoughts: true,
                                          thinkingBudget: 1024 } } },
    anthropic: { anthropic: { thinking: { type: "enabled",
                                          budgetTokens: 1024 } } },
    "openai, responses": { openai: {
        reasoningEffort: "low", reasoningSummary: "auto",
        forceReasoning: true, store: false,
        include: ["reasoning.encrypted_content"] } },
};

/* it does not ask for a schema of models whose names it does not know */

const NO_SCHEMA = ["anthropic", "bedrock", "cohere"];


async function run(options, stream) {
    const all = { maxRetries: 0, timeout: 8000, providerOptions: ALWAYS,
                  ...options };

    if (!stream) {
        return await generateText(all);
    }

    const r = streamText({ ...all, onError: () => {} });

    for await (const part of r.fullStream) {
        if (part.type == "error") {
            throw part.error;
        }
    }

    return {
        text: await r.text, finishReason: await r.finishReason,
        usage: await r.usage, steps: await r.steps,
        reasoningText: await r.reasoningText, output: options.output
            ? await r.output : undefined,
    };
}


for (const [library, make] of Object.entries(LIBRARIES)) {
    for (const name of Object.keys(MODELS)) {
        for (const stream of [false, true]) {
            const m = make(model(name));

            const check = (what, go) => test(
                `${library} -> ${name}, ${stream ? "stream" : "JSON"}: `
                + what, { timeout: 15000 }, go);

            check("text", async () => {
                const r = await run({ model: m, prompt: "#text" }, stream);

                assert.equal(r.text, TEXT);
                assert.equal(r.finishReason, "stop");
                assert.equal(r.usage.inputTokens, 1234);
                assert.equal(r.usage.outputTokens, 56);
            });

            /* the library calls the tools and goes on by itself */

            check("two steps with tools", async () => {
                const r = await run({ model: m, prompt: "#steps", tools,
                                      stopWhen: stepCountIs(3) }, stream);

                assert.equal(r.steps.length, 2);
                assert.equal(r.steps[0].finishReason, "tool-calls");
                assert.deepEqual(r.steps[0].toolCalls.map((c) => c.input),
                                 [{ city: "A" }, { city: "B" }]);
                assert.equal(r.text, "A is sunny, B is grey.");
            });

            if (THINKS[library]) {
                check("reasoning and tools", async () => {
                    const r = await run({
                        model: make(model(name, true)), tools,
                        prompt: "#thinkloop", stopWhen: stepCountIs(3),
                        providerOptions: THINKS[library] }, stream);

                    assert.equal(r.steps[0].reasoningText, THOUGHT);
                    assert.equal(r.text, "Thought through.");
                });
            }

            if (!NO_SCHEMA.includes(library)) {
                check("structured output", async () => {
                    const r = await run({
                        model: m, prompt: "JSON #person",
                        output: Output.object({ schema }) }, stream);

                    assert.deepEqual(r.output, PERSON);
                });
            }

            if (library != "cohere") {
                check("an image", async () => {
                    const r = await run({ model: m, messages: [{
                        role: "user", content: [
                            { type: "text", text: "Look #image" },
                            { type: "image", image: IMAGE,
                              mediaType: "image/png" }] }] }, stream);

                    assert.equal(r.text, "One pixel.");
                });
            }

            check("an error", async () => {
                await assert.rejects(
                    run({ model: m, prompt: "#status429" }, stream),
                    (e) => e.statusCode == 429 && e.isRetryable);
            });
        }
    }
}


test("nginx ends without a complaint", () => gw.stop());

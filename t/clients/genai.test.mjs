/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of Google's Gemini.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { drain, failure, start } from "./harness.mjs";


const gw = await start();

const tools = [{ functionDeclarations: [{
    name: "weather",
    description: "tells the weather",
    parametersJsonSchema: {
        type: "object",
        properties: { city: { type: "string" }, days: { type: "integer" } },
        required: ["city", "days"],
    },
}] }];


for (const version of ["2", "3"]) {
    const { GoogleGenAI, ApiError, FunctionCallingConfigMode } =
        await import(`@google/genai-${version}`);

    const client = (name) => new GoogleGenAI({
        apiKey: "client",
        httpOptions: { baseUrl: name ? gw.at("gemini", name) : gw.url,
                       timeout: 8000 },
    });

    const body = (config = {}) => ({ model: "gemini-mock", contents: "Hi",
                                     config });

    const generate = (name, config) =>
        client(name).models.generateContent(body(config));

    const stream = (name, config) =>
        client(name).models.generateContentStream(body(config));

    const check = (name, run) => test(`genai-${version}: ${name}`,
                                      { timeout: 15000 }, run);

    check("generateContent", async () => {
        const r = await generate();

        assert.match(r.text, /^You said: Hi; /);
        assert.equal(r.candidates[0].finishReason, "STOP");
        assert.equal(r.usageMetadata.candidatesTokenCount, 16);
        assert.equal(r.modelVersion, "gemini-mock");
    });

    check("generateContentStream", async () => {
        const { items, error } = await drain(
            await stream("", { maxOutputTokens: 8 }));

        assert.equal(error, null);
        assert.match(items.map((r) => r.text).join(""), /^You said: Hi; /);
        assert.equal(items.length, 9);
        assert.equal(items.at(-1).candidates[0].finishReason, "MAX_TOKENS");
        assert.equal(items.at(-1).usageMetadata.candidatesTokenCount, 8);
    });

    const config = {
        tools,
        toolConfig: { functionCallingConfig: {
            mode: FunctionCallingConfigMode.ANY,
            allowedFunctionNames: ["weather"],
        } },
    };

    check("function calls", async () => {
        const [made] = (await generate("", config)).functionCalls;

        assert.equal(made.name, "weather");
        assert.ok(made.args);
    });

    check("function calls, streamed", async () => {
        const { items, error } = await drain(await stream("", config));
        const [made] = items.flatMap((r) => r.functionCalls ?? []);

        assert.equal(error, null);
        assert.equal(made.name, "weather");
    });

    check("a chat", async () => {
        const chat = client().chats.create({ model: "gemini-mock" });

        assert.match((await chat.sendMessage({ message: "One" })).text,
                     /^You said: One; /);

        const { items, error } = await drain(
            await chat.sendMessageStream({ message: "Two" }));

        assert.equal(error, null);
        assert.match(items.map((r) => r.text).join(""), /^You said: Two; /);
    });

    check("embedContent", async () => {
        const r = await client().models.embedContent(
            { model: "gemini-mock", contents: ["one", "two"] });

        assert.equal(r.embeddings.length, 2);
        assert.ok(r.embeddings[1].values.length > 1);
    });

    check("countTokens", async () => {
        const r = await client().models.countTokens(
            { model: "gemini-mock", contents: "Hi" });

        assert.ok(r.totalTokens > 1);
    });

    check("models", async () => {
        const { items } = await drain(await client().models.list());

        assert.ok(items.some((m) => m.name == "models/gemini-mock"));

        const m = await client().models.get({ model: "gemini-mock" });

        assert.equal(m.name, "models/gemini-mock");

        const e = await failure(client().models.get({ model: "nope" }));

        assert.ok(e instanceof ApiError);
        assert.equal(e.status, 404);
    });

    check("an unknown model", async () => {
        for (const method of ["generateContent", "generateContentStream"]) {
            const e = await failure(client().models[method](
                { ...body(), model: "nope" }));

            assert.ok(e instanceof ApiError);
            assert.equal(e.status, 404);
            assert.match(e.message, /NOT_FOUND/);
            assert.match(e.message, /nope/);
        }
    });

    /* route, status, the dialect's name for it, message */

    const failures = [
        ["status400", 400, "INVALID_ARGUMENT", /./],
        ["status401", 502, "UNAVAILABLE", /credential/],
        ["status429", 429, "RESOURCE_EXHAUSTED", /./],
        ["status500", 502, "(INTERNAL|UNAVAILABLE)", /./],
        ["status503", 503, "UNAVAILABLE", /./],
        ["closed", 502, "UNAVAILABLE", /no connection to the provider/],
        ["reset", 502, "UNAVAILABLE", /closed the connection/],
        ["stall", 504, "DEADLINE_EXCEEDED", /in time/],
        ["error_first", 503, "UNAVAILABLE", /overloaded/],
    ];

    for (const [name, status, kind, message] of failures) {
        check(`${name} is a ${status}`, async () => {
            for (const send of [generate, stream]) {
                const e = await failure(send(name));

                assert.ok(e instanceof ApiError);
                assert.equal(e.status, status);
                assert.match(e.message, new RegExp(`"status":"${kind}"`));
                assert.match(e.message, message);
            }
        });
    }

    /* the dialect has no terminator: what is missing is the finish reason */

    for (const name of ["error_mid", "truncate", "reset_mid", "stall_mid"]) {
        check(`${name} raises an error in mid-stream`, async () => {
            const { items, error } = await drain(await stream(name));

            assert.ok(error, "no error: "
                             + JSON.stringify(items.at(-1)).slice(0, 300));
            assert.ok(items.length > 1);
            assert.ok(!items.some((r) => r.candidates?.[0].finishReason));
        });

        if (name != "stall_mid") {
            check(`${name} raises an error for a document`, async () => {
                const e = await failure(generate(name));

                assert.ok(e instanceof ApiError);
                assert.ok(e.status >= 502, String(e.status));
            });
        }
    }

    check("20 streams at a time", async () => {
        await Promise.all(Array.from({ length: 20 }, async (_, i) => {
            const { items, error } = await drain(
                await client("slow").models.generateContentStream(
                    { ...body(), contents: `number${i}.` }));

            assert.equal(error, null);
            assert.equal(items.length, 31);
            assert.ok(items.map((r) => r.text).join("")
                          .startsWith(`You said: number${i}.; `));
        }));
    });
}


test("nginx ends without a complaint", () => gw.stop());

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What only some pairs have, and helpers of the libraries that go further
 * than one request.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { ConverseCommand, ConverseStreamCommand }
    from "@aws-sdk/client-bedrock-runtime";
import OpenAI from "openai-7";
import { zodResponseFormat, zodTextFormat } from "openai-7/helpers/zod";
import { IMAGE, LONG, PDF, PERSON, RESULTS, TEXT }
    from "./fake/scenarios.mjs";
import { freePort } from "./harness.mjs";
import * as anthropics from "./hub/client-anthropic.mjs";
import * as converses from "./hub/client-converse.mjs";
import * as genais from "./hub/client-genai.mjs";
import * as openais from "./hub/client-openai.mjs";
import * as coheres from "./hub/client-cohere.mjs";
import * as responses from "./hub/client-responses.mjs";
import { MODELS, hub, model } from "./hub/gateway.mjs";
import { known } from "./hub/known.mjs";


const h2 = await freePort();

const { gw, provider } = await hub(() => `
        listen 127.0.0.1:${h2} http2;

        location /reject/ { ai_gateway on; ai_unsupported reject; }`);

const openai = openais.client(gw.url);
const anthropic = anthropics.client(gw.url);
const genai = genais.client(gw.url);
const aws = converses.client(gw.url);

const PNG = "data:image/png;base64," + IMAGE.toString("base64");
const PDF64 = PDF.toString("base64");

const ping = { name: "ping", description: "Pings",
               parameters: { type: "object", properties: {} } };

const check = (name, run) => test(name, known(name), run);


/* refused with a 400 that names the member */

async function refused(promise, param) {
    await assert.rejects(promise, (e) => {
        assert.ok(e instanceof OpenAI.BadRequestError, e.message);
        assert.match(e.param ?? "", param, e.message);
        return true;
    });
}


for (const name of Object.keys(MODELS)) {
    const id = model(name);
    const of = (what, run) => check(`${what} -> ${name}`, run);

    of("an image by its URL", async () => {
        const r = openai.chat.completions.create({ model: id, messages: [{
            role: "user", content: [
                { type: "text", text: "#url" },
                { type: "image_url", image_url: {
                    url: "https://example.com/a.png" } }] }] });

        if (["gemini", "bedrock", "ollama"].includes(name)) {
            await refused(r, /^messages/);

        } else {
            assert.equal((await r).choices[0].message.content,
                         "Seen from afar.");
        }
    });

    of("a document, of OpenAI's client", async () => {
        const r = openai.chat.completions.create({ model: id, messages: [{
            role: "user", content: [
                { type: "text", text: "#pdf" },
                { type: "file", file: {
                    filename: "A file (1).v2.pdf",
                    file_data: `data:application/pdf;base64,${PDF64}`,
                } }] }] });

        if (["cohere", "ollama"].includes(name)) {
            await refused(r, /^messages/);

        } else {
            assert.equal((await r).choices[0].message.content, "Read.");
        }
    });

    of("a document, of Anthropic's client", async () => {
        const r = anthropic.messages.create({
            model: id, max_tokens: 100, messages: [{
                role: "user", content: [
                    { type: "document", source: {
                        type: "base64", media_type: "application/pdf",
                        data: PDF64 } },
                    { type: "text", text: "#pdf" }] }] });

        if (["cohere", "ollama"].includes(name)) {
            await assert.rejects(r, (e) => e.status == 400);

        } else {
            assert.equal((await r).content[0].text, "Read.");
        }
    });

    /* where results are texts, the picture comes behind them */

    of("a picture as a result", async () => {
        const q = { model: id, max_tokens: 100,
                    tools: [{ name: ping.name, input_schema:
                              ping.parameters }] };
        const user = { role: "user", content: "#screenshot" };
        const first = await anthropic.messages.create(
            { ...q, messages: [user] });
        const r = await anthropic.messages.create({ ...q, messages: [
            user, { role: "assistant", content: first.content },
            { role: "user", content: [{
                type: "tool_result", tool_use_id: first.content[0].id,
                content: [
                    { type: "text", text: "here it is" },
                    { type: "image", source: {
                        type: "base64", media_type: "image/png",
                        data: IMAGE.toString("base64") } }] }] }] });

        assert.equal(r.content[0].text, "A tiny one.");
    });

    /* what would change the meaning is refused, the rest is told */

    if (!openais.bypass.includes(name)) {
        of("several choices are refused", async () => {
            if (name == "gemini") {
                return;
            }

            await refused(openai.chat.completions.create({
                model: id, n: 2,
                messages: [{ role: "user", content: "#text" }] }), /^n$/);
        });

        of("audio is refused", async () => {
            if (["responses", "gemini", "bedrock"].includes(name)) {
                return;
            }

            await refused(openai.chat.completions.create({
                model: id, messages: [{ role: "user", content: [
                    { type: "text", text: "#text" },
                    { type: "input_audio", input_audio: {
                        data: "UklGRg==", format: "wav" } }] }] }),
                /^messages/);
        });

        of("what was dropped is told", async () => {
            const q = {
                model: id, logit_bias: { 50256: -100 },
                messages: [{ role: "user", content: "#text" }] };
            const { data, response } = await openai.chat.completions
                .create(q).withResponse();

            assert.equal(data.choices[0].message.content, TEXT);
            assert.match(response.headers.get("x-ai-dropped"),
                         /\blogit_bias\b/);

            await refused(new OpenAI({
                apiKey: "x", maxRetries: 0, baseURL: gw.url + "/reject/v1",
            }).chat.completions.create(q), /logit_bias/);
        });

        of("usage is not shown to who did not ask", async () => {
            const s = await openai.chat.completions.create({
                model: id, stream: true,
                messages: [{ role: "user", content: "#text" }] });
            let text = "";

            for await (const c of s) {
                assert.equal(c.choices.length, 1);
                assert.equal(c.usage ?? null, null);
                text += c.choices[0].delta.content ?? "";
            }

            assert.equal(text, TEXT);
        });
    }

    /* Google tells it in its document, not in a header */

    of("how long to wait", async () => {
        for (const run of [
            () => openai.chat.completions.create({ model: id, messages: [
                { role: "user", content: "#status429" }] }),
            () => anthropic.messages.create({ model: id, max_tokens: 9,
                messages: [{ role: "user", content: "#status429" }] })])
        {
            await assert.rejects(run(), (e) => {
                assert.equal(e.headers.get("retry-after"), "7");
                return e.status == 429;
            });
        }
    });

    of("OpenAI's client calls functions itself", async () => {
        const cities = [];
        const runner = openai.chat.completions.runTools({
            model: id, stream: true,
            messages: [{ role: "user", content: "#steps" }],
            tools: [{ type: "function", function: {
                name: "get_weather", description: "w", parse: JSON.parse,
                function: ({ city }) => cities.push(city) && RESULTS[city],
                parameters: { type: "object",
                              properties: { city: { type: "string" } } },
            } }] });

        assert.equal(await runner.finalContent(), "A is sunny, B is grey.");
        assert.deepEqual(cities, ["A", "B"]);
    });

    of("OpenAI's client parses what it asked for", async () => {
        const schema = z.object({ name: z.string(), age: z.number().int(),
                                  tags: z.array(z.string()) });
        const chat = await openai.chat.completions.parse({
            model: id, messages: [{ role: "user", content: "#person" }],
            response_format: zodResponseFormat(schema, "person") });

        assert.deepEqual(chat.choices[0].message.parsed, PERSON);

        const r = await openai.responses.parse({
            model: id, input: "#person",
            text: { format: zodTextFormat(schema, "person") } });

        assert.deepEqual(r.output_parsed, PERSON);
    });

    of("Google's client keeps a chat", async () => {
        const chat = genai.chats.create({ model: id });

        assert.equal((await chat.sendMessage({ message: "#text" })).text,
                     TEXT);

        let text = "";

        for await (const c of await chat.sendMessageStream(
            { message: "#long" }))
        {
            text += c.text ?? "";
        }

        assert.equal(text, LONG.join(""));
        assert.deepEqual(provider.last().view.turns.map((t) => t.role),
                         ["user", "assistant", "user"]);
        assert.equal(provider.last().view.turns[1].text, TEXT);
    });

    /* the library's own transport */

    of("Amazon's client over HTTP/2", async () => {
        const client = converses.client(`http://127.0.0.1:${h2}`, true);
        const q = { modelId: id, messages: [{
            role: "user", content: [{ text: "#text" }] }] };

        try {
            const r = await client.send(new ConverseCommand(q));

            assert.equal(r.output.message.content[0].text, TEXT);

            const s = await client.send(new ConverseStreamCommand(q));
            let text = "";

            for await (const e of s.stream) {
                text += e.contentBlockDelta?.delta?.text ?? "";
            }

            assert.equal(text, TEXT);

        } finally {
            client.destroy();
        }
    });
}


check("a model of Bedrock by its ARN", async () => {
    const arn = "arn:aws:bedrock:us-west-2:123456789012:"
        + "application-inference-profile/abc-123";
    const r = await openai.chat.completions.create({
        model: `p-bedrock/${arn}`,
        messages: [{ role: "user", content: "#text" }] });

    assert.equal(r.choices[0].message.content, TEXT);
    assert.equal(provider.last().view.model, arn);
    assert.equal(provider.last().url.split("/").length, 5);

    const own = await aws.send(new ConverseCommand({
        modelId: `p-bedrock/${arn}`,
        messages: [{ role: "user", content: [{ text: "#text" }] }] }));

    assert.equal(own.output.message.content[0].text, TEXT);
    assert.equal(provider.last().view.model, arn);
});


/* nothing of one answer gets into another */

check("all pairs at once", async () => {
    const clients = [openais, responses, anthropics, genais, coheres,
                     converses].map((c) => [c, c.client(gw.url)]);

    const one = async ([c, connection], name, long) => {
        const r = await c.ask(connection, {
            model: model(name),
            turns: [{ user: long ? "#long" : "#text" }] }, true);

        assert.equal(r.text, long ? LONG.join("") : TEXT);
    };

    await Promise.all(clients.flatMap((c) => Object.keys(MODELS).flatMap(
        (name) => [one(c, name, true), one(c, name, false)])));
});


test("nginx ends without a complaint", () => gw.stop());

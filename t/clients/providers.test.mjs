/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What a provider sees of the clients: the gateway's credential and none of
 * theirs, their retries, and that they have left.
 */


import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { CANARY, PROVIDER_KEY, answer, failure, provider, sent, sleep,
         start, until, within } from "./harness.mjs";
import OpenAI6 from "openai-6";
import OpenAI7 from "openai-7";
import Anthropic0 from "@anthropic-ai/sdk-0";
import Anthropic1 from "@anthropic-ai/sdk-1";
import { GoogleGenAI as GenAI2 } from "@google/genai-2";
import { GoogleGenAI as GenAI3 } from "@google/genai-3";


const messages = [{ role: "user", content: "Hi" }];

/* the shortest answers that the clients accept */

const chatAnswer = {
    id: "chatcmpl-1", object: "chat.completion", created: 1, model: "m",
    choices: [{ index: 0, finish_reason: "stop",
                message: { role: "assistant", content: "Hello" } }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

const messageAnswer = {
    id: "msg_1", type: "message", role: "assistant", model: "m",
    content: [{ type: "text", text: "Hello" }], stop_reason: "end_turn",
    stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 },
};

const candidateAnswer = {
    candidates: [{ content: { role: "model", parts: [{ text: "Hello" }] },
                   finishReason: "STOP", index: 0 }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1,
                     totalTokenCount: 2 },
    modelVersion: "m",
};

const chatChunk = "data: " + JSON.stringify({
    id: "chatcmpl-1", object: "chat.completion.chunk", created: 1,
    model: "m", choices: [{ index: 0, delta: { content: "Hello" },
                            finish_reason: null }],
}) + "\n\n";

const messageChunks = [
    ["message_start", { message: { ...messageAnswer, content: [],
                                   stop_reason: null } }],
    ["content_block_start", { index: 0, content_block: { type: "text",
                                                         text: "" } }],
    ["content_block_delta", { index: 0, delta: { type: "text_delta",
                                                 text: "Hello" } }],
].map(([type, data]) => `event: ${type}\ndata: `
                        + JSON.stringify({ type, ...data }) + "\n\n")
 .join("");

const candidateChunk = "data: " + JSON.stringify({
    ...candidateAnswer,
    candidates: [{ content: candidateAnswer.candidates[0].content,
                   index: 0 }],
}) + "\r\n\r\n";


/* answers by the path; "endless" streams begin and never end */

function respond(request, res) {
    const { url } = request;
    const type = url.includes("/messages") ? 1 : url.includes("/models") ? 2
                                                                         : 0;

    if (/"stream":true|streamGenerate/.test(request.body + url)) {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write([chatChunk, messageChunks, candidateChunk][type]);
        return;
    }

    answer(res, 200, [chatAnswer, messageAnswer, candidateAnswer][type]);
}


const plain = await provider(respond);

/* answers only after everybody has lost patience */

const silent = await provider(() => {});

/* "retry-after" of 1 second, then an answer */

const busy = await provider((request, res) => {
    const status = Number(request.url.match(/fail(\d+)/)?.[1] ?? 429);

    if (request.number % 2 == 0) {
        respond(request, res);
        return;
    }

    answer(res, status, request.url.includes("/messages")
        ? { type: "error", error: { type: "rate_limit_error",
                                    message: "slow down" } }
        : { error: { message: "slow down", type: "requests", param: null,
                     code: "rate_limit_exceeded" } }, { "retry-after": "1" });
});

const owns = [];

for (const [name, p] of Object.entries({ plain, silent, busy })) {
    for (const dialect of ["openai", "anthropic", "gemini"]) {
        owns.push({ dialect, name, url: p.url });
    }
}

const gw = await start(owns);

const check = (name, run) => test(name, { timeout: 20000 }, run);

const key = `sk-${CANARY}`;
const extra = {
    cookie: `session=${CANARY}`,
    "api-key": `${CANARY}-1`,
    "proxy-authorization": `Basic ${CANARY}`,
    "x-amz-security-token": CANARY,
    "openai-organization": CANARY,
    "openai-project": CANARY,
    "x-forwarded-for": CANARY,
    "x-unknown": CANARY,
};

const openai = (OpenAI, name, options = {}) => new OpenAI({
    apiKey: key, baseURL: gw.at("openai", name) + "/v1", maxRetries: 0,
    timeout: 8000, ...options,
});

const anthropic = (Anthropic, name, options = {}) => new Anthropic({
    apiKey: key, baseURL: gw.at("anthropic", name), maxRetries: 0,
    timeout: 8000, ...options,
});

const genai = (GenAI, name, options = {}) => new GenAI({
    apiKey: key,
    httpOptions: { baseUrl: gw.at("gemini", name), ...options },
});

const signals = (controller) => ({ signal: controller?.signal });

/* name, dialect, and one request by the client */

const clients = [
    ...[["openai-6", OpenAI6], ["openai-7", OpenAI7]].map(([name, C]) => ({
        name, dialect: "openai",
        ask: (route, stream, controller, options) =>
            openai(C, route, options).chat.completions.create(
                { model: "m", messages, stream }, signals(controller)),
    })),
    ...[["anthropic-0", Anthropic0], ["anthropic-1", Anthropic1]]
        .map(([name, C]) => ({
            name, dialect: "anthropic",
            ask: (route, stream, controller, options) =>
                anthropic(C, route, options).messages.create(
                    { model: "m", messages, stream, max_tokens: 9 },
                    signals(controller)),
        })),
    ...[["genai-2", GenAI2], ["genai-3", GenAI3]].map(([name, C]) => ({
        name, dialect: "gemini",
        ask: (route, stream, controller, options) => {
            const { models } = genai(C, route,
                options ? { headers: options.defaultHeaders } : {});
            const body = { model: "m", contents: "Hi",
                           config: { abortSignal: controller?.signal } };

            return stream ? models.generateContentStream(body)
                          : models.generateContent(body);
        },
    })),
];

const credentials = {
    openai: ["authorization", `Bearer ${PROVIDER_KEY}`],
    anthropic: ["x-api-key", PROVIDER_KEY],
    gemini: ["x-goog-api-key", PROVIDER_KEY],
};


/* the request carries our credential, once, and no trace of the client's */

function clean(request, dialect) {
    const [name, value] = credentials[dialect];
    const text = sent(request);

    assert.equal(request.headers[name], value);
    assert.equal(text.split(PROVIDER_KEY).length, 2, text);
    assert.doesNotMatch(text, new RegExp(CANARY), text);

    for (const [other] of Object.values(credentials)) {
        assert.ok(other == name || !(other in request.headers), other);
    }

    assert.ok(!("cookie" in request.headers));
    assert.match(request.headers.host, /^127\.0\.0\.1:\d+$/);
}


for (const { name, dialect, ask } of clients) {

    check(`${name}: only the gateway's credential goes upstream`,
        async () => {
            const n = plain.requests.length;

            await ask("plain", false, null, { defaultHeaders: extra });

            assert.equal(plain.requests.length, n + 1);
            clean(plain.last(), dialect);
        });

    check(`${name}: an abort in mid-stream reaches the provider`,
        async () => {
            const controller = new AbortController();
            const stream = await ask("plain", true, controller);
            const { closed } = plain.last();
            const iterator = stream[Symbol.asyncIterator]();

            await iterator.next();

            const began = Date.now();

            controller.abort();
            assert.ok(await within(1000, "the close", closed) >= began);
            await iterator.next().catch(() => {});

            await until(() => gw.records(dialect, "plain")[0]?.outcome
                              == "client_abort", 2000, "the record");
        });

    for (const stream of [false, true]) {
        check(`${name}: an abort before the ${stream ? "stream" : "answer"}`,
            async () => {
                const controller = new AbortController();
                const n = silent.requests.length;
                const asked = ask("silent", stream, controller)
                    .catch((e) => e);

                await until(() => silent.requests.length > n, 5000,
                            "the request");
                await sleep(20);
                controller.abort();
                await within(1000, "the close", silent.last().closed);

                assert.ok(await asked instanceof Error);
            });
    }
}


check("an abort is an abort for the mock, too", async () => {
    const controller = new AbortController();
    const stream = await openai(OpenAI7, "long").chat.completions.create(
        { model: "m", messages, stream: true },
        { signal: controller.signal });

    await stream[Symbol.asyncIterator]().next();

    const began = Date.now();

    controller.abort();

    /* the mock would have talked for 50 seconds */

    await until(() => gw.lines("mock.log")
                          .includes("200 /mock/long/v1/chat/completions"),
                1000 - (Date.now() - began), "the end of the mock");
});


check("credentials in every place, of a client of no library", async () => {
    for (const [dialect, path] of [
        ["openai", "/v1/chat/completions"],
        ["openai", "/v1/files/abc"],
        ["anthropic", "/v1/messages"],
        ["gemini", "/v1beta/models/m:generateContent"] ])
    {
        const n = plain.requests.length;

        const status = await new Promise((resolve, reject) => {
            const req = http.request(
                gw.at(dialect, "plain") + path
                + `?key=${key}&api_key=${key}&access_token=${key}`,
                { method: "POST", agent: false, timeout: 5000, headers: {
                    ...extra,
                    "content-type": "application/json",
                    authorization: `Bearer ${key}`,
                    "x-api-key": key,
                    "api-key": key,
                    "x-goog-api-key": key,
                    "x-goog-user-project": CANARY,
                    "set-cookie": [CANARY],
                    referer: `http://${CANARY}/`,
                    connection: "close, x-hop",
                    "x-hop": CANARY,
                } },
                (res) => res.resume().on("end",
                                         () => resolve(res.statusCode)));

            req.on("error", reject);
            req.end(JSON.stringify({ model: "m", messages, max_tokens: 9,
                                     contents: [] }));
        });

        assert.equal(status, 200, path);
        assert.equal(plain.requests.length, n + 1);
        clean(plain.last(), dialect);
    }
});


check("the body arrives as it was sent", async () => {
    const body = `{ "model": "m",\t"max_tokens" :9, "x":[1.50,1e2,"\\u00e9"],
 "messages":[{"role":"user","content":"\\/ \u{1f600}"}]  }\n`;

    for (const [dialect, path] of [["openai", "/v1/chat/completions"],
                                   ["anthropic", "/v1/messages"]])
    {
        const res = await fetch(gw.at(dialect, "plain") + path, {
            method: "POST", body, signal: AbortSignal.timeout(5000),
            headers: { "content-type": "application/json" },
        });

        assert.equal(res.status, 200);
        assert.equal(plain.last().body, body);

        /* and so does the answer */

        assert.equal(await res.text(), JSON.stringify(
            dialect == "openai" ? chatAnswer : messageAnswer));
    }
});


for (const { name, dialect, ask } of clients) {
    if (dialect == "gemini") {
        continue;
    }

    check(`${name}: a 429 is tried again when its time has come`,
        async () => {
            const n = busy.requests.length;
            const began = Date.now();

            const r = await ask("busy", false, null, { maxRetries: 2 });
            const took = Date.now() - began;

            assert.match(JSON.stringify(r), /Hello/);
            assert.equal(busy.requests.length, n + 2);
            assert.ok(took > 900 && took < 3000, `${took} ms`);
        });

    check(`${name}: a 429 that remains is an error of its type`,
        async () => {
            const count = () => gw.records(dialect, "status429").length;
            const n = count();
            const e = await failure(ask("status429", false, null,
                                        { maxRetries: 1 }));

            assert.equal(e.constructor.name, "RateLimitError");
            assert.equal(e.status, 429);
            await until(() => count() == n + 2, 1000, "the records");
        });

    check(`${name}: an error that lasts is not tried again`, async () => {
        const n = gw.records(dialect, "status400").length;
        const e = await failure(ask("status400", false, null,
                                    { maxRetries: 2 }));

        assert.equal(e.status, 400);
        await until(() => gw.records(dialect, "status400").length == n + 1,
                    1000, "the record");
    });
}


test("nginx ends without a complaint", () => gw.stop());

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of OpenAI.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { drain, failure, start } from "./harness.mjs";


const gw = await start();

const messages = [{ role: "user", content: "Hi" }];

const parameters = {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer" } },
    required: ["city", "days"],
    additionalProperties: false,
};

const call = { city: "mock", days: 1 };


for (const version of ["openai-6", "openai-7"]) {
    const { default: OpenAI, ...errors } = await import(version);

    const client = (name, options = {}) => new OpenAI({
        apiKey: "sk-client",
        baseURL: (name ? gw.at("openai", name) : gw.url) + "/v1",
        maxRetries: 0,
        timeout: 8000,
        ...options,
    });

    const chat = (name, more = {}) => client(name).chat.completions.create(
        { model: "gpt-mock", messages, ...more });

    const check = (name, run) => test(`${version}: ${name}`,
                                      { timeout: 15000 }, run);

    check("chat", async () => {
        const { data, response, request_id } = await client()
            .chat.completions.create({ model: "gpt-mock", messages })
            .withResponse();

        assert.match(data.choices[0].message.content, /^You said: Hi; /);
        assert.equal(data.choices[0].finish_reason, "stop");
        assert.equal(data.model, "gpt-mock");
        assert.equal(data.usage.completion_tokens, 16);
        assert.match(request_id, /^\w{32}$/);
        assert.equal(response.headers.get("x-ai-provider"), "openai-ok");
    });

    check("chat of a large request", async () => {
        const r = await chat("", { messages: [
            { role: "system", content: "ö \u{1f600} ".repeat(50000) },
            ...messages] });

        assert.match(r.choices[0].message.content, /^You said: Hi; /);
        assert.ok(r.usage.prompt_tokens > 50000);
    });

    check("chat, streamed", async () => {
        const { items, error } = await drain(await chat("",
                                                        { stream: true }));

        assert.equal(error, null);

        const text = items.map((c) => c.choices[0].delta.content || "");

        assert.match(text.join(""), /^You said: Hi; /);
        assert.equal(text.filter((t) => t).length, 16);
        assert.equal(items.at(-1).choices[0].finish_reason, "stop");
    });

    check("usage is hidden from who did not ask", async () => {
        for (const more of [{}, { stream_options: {} },
                            { stream_options: { include_usage: false } }])
        {
            const { items, error } = await drain(
                await chat("", { stream: true, ...more }));

            assert.equal(error, null);
            assert.ok(items.every((c) => c.choices.length == 1));
            assert.ok(items.every((c) => !c.usage));
        }

        /* but not from the log */

        const record = gw.records("openai", "ok")[0];

        assert.equal(record.tokens.out, 16);
    });

    check("usage is shown to who asked", async () => {
        const { items, error } = await drain(await chat("",
            { stream: true, stream_options: { include_usage: true } }));

        assert.equal(error, null);
        assert.deepEqual(items.at(-1).choices, []);
        assert.equal(items.at(-1).usage.completion_tokens, 16);
        assert.equal(items.filter((c) => c.usage).length, 1);
    });

    check("chat, the library's helper for streams", async () => {
        const stream = client().chat.completions.stream(
            { model: "gpt-mock", messages });
        const deltas = [];

        stream.on("content", (delta) => deltas.push(delta));

        const r = await stream.finalChatCompletion();

        assert.equal(r.choices[0].message.content, deltas.join(""));
        assert.match(deltas.join(""), /^You said: Hi; /);
    });

    const tools = [{ type: "function",
                     function: { name: "weather", parameters } }];

    check("tool calls", async () => {
        for (const choice of ["required", { type: "function",
                                            function: { name: "weather" } }])
        {
            const r = await chat("", { tools, tool_choice: choice });
            const [made] = r.choices[0].message.tool_calls;

            assert.equal(made.function.name, "weather");
            assert.deepEqual(JSON.parse(made.function.arguments), call);
        }
    });

    check("tool calls, streamed", async () => {
        const stream = client().chat.completions.stream(
            { model: "gpt-mock", messages, tools, tool_choice: "required" });
        let fragments = 0;

        stream.on("tool_calls.function.arguments.delta", () => fragments++);

        const r = await stream.finalChatCompletion();
        const [made] = r.choices[0].message.tool_calls;

        assert.equal(r.choices[0].finish_reason, "tool_calls");
        assert.equal(made.function.name, "weather");
        assert.deepEqual(JSON.parse(made.function.arguments), call);
        assert.ok(fragments > 1);
    });

    check("tool calls, run by the library", async () => {
        let got;

        const runner = client().chat.completions.runTools({
            model: "gpt-mock", messages, stream: true,
            tool_choice: { type: "function", function: { name: "weather" } },
            tools: [{ type: "function", function: {
                name: "weather", parameters, parse: JSON.parse,
                function: (args) => { got = args; return "sunny"; },
            } }],
        });

        await runner.done();
        assert.deepEqual(got, call);
    });

    check("embeddings", async () => {
        const input = ["one", "two"];
        const create = (more) => client().embeddings.create(
            { model: "embed-mock", input, ...more });

        /* the library asks for base64 unless told otherwise */

        const a = await create({});
        const b = await create({ encoding_format: "float" });

        assert.equal(a.data.length, 2);
        assert.equal(a.data[1].embedding.length, 16);
        assert.notDeepEqual(a.data[0].embedding, a.data[1].embedding);

        a.data[1].embedding.forEach((v, i) => assert.ok(
            Math.abs(v - b.data[1].embedding[i]) < 1e-5));
    });

    check("responses", async () => {
        const r = await client().responses.create(
            { model: "gpt-mock", input: "Hi" });

        assert.equal(r.status, "completed");
        assert.match(r.output_text, /^You said: Hi; /);
        assert.equal(r.usage.output_tokens, 16);
    });

    check("responses, streamed", async () => {
        const stream = client().responses.stream(
            { model: "gpt-mock", input: "Hi" });
        const { items, error } = await drain(stream);

        assert.equal(error, null);
        assert.equal(items[0].type, "response.created");
        assert.equal(items.at(-1).type, "response.completed");

        const r = await stream.finalResponse();

        assert.equal(items.filter((e) => e.type
                                  == "response.output_text.delta")
                         .map((e) => e.delta).join(""), r.output_text);
        assert.match(r.output_text, /^You said: Hi; /);
    });

    check("responses with a tool call", async () => {
        const body = {
            model: "gpt-mock", input: "Hi", tool_choice: "required",
            tools: [{ type: "function", name: "weather", strict: true,
                      parameters }],
        };

        const whole = await client().responses.create(body);
        const last = await client().responses.stream(body).finalResponse();

        for (const { output: [made] } of [whole, last]) {
            assert.equal(made.type, "function_call");
            assert.equal(made.name, "weather");
            assert.deepEqual(JSON.parse(made.arguments), call);
        }
    });

    check("completions", async () => {
        const body = { model: "gpt-mock", prompt: "Hi", max_tokens: 8 };
        const r = await client().completions.create(body);

        assert.match(r.choices[0].text, /^You said: Hi; /);
        assert.equal(r.choices[0].finish_reason, "length");

        const { items, error } = await drain(
            await client().completions.create({ ...body, stream: true }));

        assert.equal(error, null);
        assert.match(items.map((c) => c.choices[0].text).join(""),
                     /^You said: Hi; /);
        assert.ok(items.every((c) => !c.usage));
    });

    check("models", async () => {
        const { items } = await drain(client().models.list());
        const ids = items.map((m) => m.id);

        for (const id of ["gpt-mock", "embed-mock", "claude-mock"]) {
            assert.ok(ids.includes(id), id);
        }

        const m = await client().models.retrieve("gpt-mock");

        assert.equal(m.id, "gpt-mock");
        assert.equal(m.object, "model");

        const e = await failure(client().models.retrieve("nope"));

        assert.ok(e instanceof errors.NotFoundError);
        assert.equal(e.code, "model_not_found");
    });

    check("an unknown model", async () => {
        for (const stream of [false, true]) {
            const e = await failure(chat("", { model: "nope", stream }));

            assert.ok(e instanceof errors.NotFoundError);
            assert.equal(e.status, 404);
            assert.equal(e.code, "model_not_found");
            assert.equal(e.type, "invalid_request_error");
            assert.equal(e.param, "model");
            assert.match(e.message, /"nope"/);
            assert.match(e.requestID, /^\w{32}$/);
        }
    });

    /*
     * route, class, status, code, message; documents of the provider that
     * are fit for the client are passed on, whatever their code
     */

    const failures = [
        ["status400", "BadRequestError", 400, /./, /not valid/],
        ["status401", "InternalServerError", 502, /^provider_auth$/,
         /credential/],
        ["status429", "RateLimitError", 429, /^rate_limit_exceeded$/,
         /rate limit/],
        ["status500", "InternalServerError", 502, /./, /the server had/],
        ["status503", "InternalServerError", 503, /./, /overloaded/],
        ["closed", "InternalServerError", 502, /^upstream_connect$/,
         /no connection to the provider/],
        ["reset", "InternalServerError", 502, /^upstream_reset$/,
         /closed the connection/],
        ["stall", "InternalServerError", 504,
         /^upstream_(first_token_)?timeout$/, /in time/],
    ];

    for (const [name, type, status, code, message] of failures) {
        check(`${name} is ${type} ${status}`, async () => {
            for (const stream of [false, true]) {
                const e = await failure(chat(name, { stream }));

                assert.equal(e.constructor.name, type);
                assert.ok(e instanceof errors.APIError);
                assert.equal(e.status, status);
                assert.match(e.message, message);

                assert.match(String(e.code), code);

                if (!["closed", "reset", "stall"].includes(name)) {
                    continue;
                }

                /* what the gateway itself found, it tells in full */

                assert.equal(e.error.retryable, true);
                assert.equal(e.error.attempts.length, 1);
                assert.equal(e.error.attempts[0].provider, `openai-${name}`);
                assert.equal(e.error.attempts[0].reason, e.code);
            }
        });
    }

    check("a stream whose first event is an error", async () => {
        const e = await failure(chat("error_first", { stream: true }));

        assert.ok(e instanceof errors.InternalServerError);
        assert.match(e.message, /overloaded/);
    });

    /* half of the text has arrived then */

    const broken = [
        ["error_mid", /overloaded/, /^upstream_(error|overloaded)$/],
        ["truncate", /ended before/, /^upstream_truncated$/],
        ["reset_mid", /./, /^upstream_(reset|truncated)$/],
        ["stall_mid", /stopped/, /^upstream_idle_timeout$/],
    ];

    for (const [name, message, code] of broken) {
        check(`${name} raises an error in mid-stream`, async () => {
            const { items, error } = await drain(
                await chat(name, { stream: true }));

            assert.ok(error instanceof errors.APIError);
            assert.match(error.message, message);
            assert.match(error.code, code);
            assert.ok(items.some((c) => c.choices[0].delta.content));
            assert.ok(items.every((c) => !c.choices[0].finish_reason));
            assert.equal(error.error.attempts[0].reason, error.code);
        });

        check(`${name} is no success for the helper`, async () => {
            const stream = client(name).chat.completions.stream(
                { model: "gpt-mock", messages });
            const e = await failure(stream.finalChatCompletion());

            assert.ok(e instanceof errors.OpenAIError);
        });

        check(`${name} is no success for completions`, async () => {
            const { error } = await drain(
                await client(name).completions.create(
                    { model: "gpt-mock", prompt: "Hi", stream: true }));

            assert.ok(error instanceof errors.APIError);
            assert.match(error.code, code);
        });

        check(`${name} is no success for responses`, async () => {
            const { items, error } = await drain(
                await client(name).responses.create(
                    { model: "gpt-mock", input: "Hi", stream: true }));

            /* this API tells errors by events, too */

            assert.ok(error || items.some(
                (e) => e.type == "error" || e.type == "response.failed"));
            assert.ok(!items.some((e) => e.type == "response.completed"));
        });

        if (name != "stall_mid") {
            check(`${name} raises an error for a document`, async () => {
                const e = await failure(chat(name));

                assert.equal(e.constructor.name, "InternalServerError");
                assert.equal(e.status, 502);
                assert.match(e.code, /^upstream_/);
                assert.equal(e.error.attempts[0].reason, e.code);
            });
        }
    }

    check("20 streams at a time", async () => {
        const all = await Promise.all(Array.from({ length: 20 },
            async (_, i) => {
                const { items, error } = await drain(await chat("slow", {
                    stream: true,
                    messages: [{ role: "user", content: `number${i}.` }],
                }));

                assert.equal(error, null);
                assert.equal(items.at(-1).choices[0].finish_reason, "stop");

                const text = items.map((c) => c.choices[0].delta.content
                                              || "");

                assert.equal(text.filter((t) => t).length, 30);
                return text.join("");
            }));

        all.forEach((text, i) => assert.ok(
            text.startsWith(`You said: number${i}.; `), text));
    });
}


test("nginx ends without a complaint", () => gw.stop());

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of Anthropic.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { drain, failure, start } from "./harness.mjs";


const gw = await start();

const messages = [{ role: "user", content: "Hi" }];

const tools = [{
    name: "weather",
    description: "tells the weather",
    input_schema: {
        type: "object",
        properties: { city: { type: "string" }, days: { type: "integer" } },
        required: ["city", "days"],
    },
}];

const input = { city: "mock", days: 1 };


for (const version of ["0", "1"]) {
    const { default: Anthropic, ...errors } =
        await import(`@anthropic-ai/sdk-${version}`);

    const client = (name, options = {}) => new Anthropic({
        apiKey: "sk-client",
        baseURL: name ? gw.at("anthropic", name) : gw.url,
        maxRetries: 0,
        timeout: 8000,
        ...options,
    });

    const body = (more) => ({ model: "claude-mock", max_tokens: 100,
                              messages, ...more });

    const create = (name, more) => client(name).messages.create(body(more));

    const check = (name, run) => test(`anthropic-${version}: ${name}`,
                                      { timeout: 15000 }, run);

    check("a message", async () => {
        const { data, response, request_id } = await client()
            .messages.create(body()).withResponse();

        assert.match(data.content[0].text, /^You said: Hi; /);
        assert.equal(data.stop_reason, "end_turn");
        assert.equal(data.usage.output_tokens, 16);
        assert.match(request_id, /^\w{32}$/);
        assert.equal(response.headers.get("x-ai-provider"), "anthropic-ok");
    });

    check("a token in place of a key", async () => {
        const c = client("", { apiKey: null, authToken: "token" });
        const r = await c.messages.create(body());

        assert.match(r.content[0].text, /^You said: Hi; /);
    });

    check("a message, streamed", async () => {
        const { items, error } = await drain(await create("",
                                                          { stream: true }));

        assert.equal(error, null);
        assert.equal(items[0].type, "message_start");
        assert.equal(items.at(-1).type, "message_stop");

        const text = items.filter((e) => e.type == "content_block_delta")
            .map((e) => e.delta.text);

        assert.equal(text.length, 16);
        assert.match(text.join(""), /^You said: Hi; /);
    });

    check("a message, the library's helper for streams", async () => {
        const stream = client().messages.stream(body({ max_tokens: 8 }));
        const deltas = [];

        stream.on("text", (delta) => deltas.push(delta));

        const r = await stream.finalMessage();

        assert.equal(r.content[0].text, deltas.join(""));
        assert.equal(r.stop_reason, "max_tokens");
        assert.equal(r.usage.output_tokens, 8);
        assert.match(r.content[0].text, /^You said: Hi; /);
    });

    check("tool calls", async () => {
        for (const choice of [{ type: "any" },
                              { type: "tool", name: "weather" }])
        {
            const r = await create("", { tools, tool_choice: choice });

            assert.equal(r.stop_reason, "tool_use");
            assert.equal(r.content[0].name, "weather");
            assert.deepEqual(r.content[0].input, input);
        }
    });

    check("tool calls, streamed", async () => {
        const stream = client().messages.stream(
            body({ tools, tool_choice: { type: "any" } }));
        let fragments = 0;

        stream.on("inputJson", () => fragments++);

        const r = await stream.finalMessage();

        assert.equal(r.stop_reason, "tool_use");
        assert.deepEqual(r.content[0].input, input);
        assert.ok(fragments > 1);
    });

    check("the beta of the interface", async () => {
        const betas = ["context-1m-2025-08-07"];
        const r = await client().beta.messages.create(body({ betas }));

        assert.match(r.content[0].text, /^You said: Hi; /);

        const s = await client().beta.messages.stream(body({ betas }))
            .finalMessage();

        assert.match(s.content[0].text, /^You said: Hi; /);
    });

    check("count_tokens", async () => {
        const { max_tokens, ...rest } = body();
        const r = await client().messages.countTokens(rest);

        assert.ok(r.input_tokens > 1);
    });

    check("models", async () => {
        const { items } = await drain(client().models.list());
        const m = items.find(({ id }) => id == "claude-mock");

        assert.equal(m.type, "model");
        assert.ok(m.display_name);
        assert.ok(!Number.isNaN(Date.parse(m.created_at)));

        assert.equal((await client().models.retrieve("claude-mock")).id,
                     "claude-mock");

        const e = await failure(client().models.retrieve("nope"));

        assert.ok(e instanceof errors.NotFoundError);
        assert.equal(e.error.error.type, "not_found_error");
    });

    check("an unknown model", async () => {
        for (const stream of [false, true]) {
            const e = await failure(create("", { model: "nope", stream }));

            assert.ok(e instanceof errors.NotFoundError);
            assert.equal(e.error.type, "error");
            assert.equal(e.error.error.type, "not_found_error");
            assert.equal(e.error.error.code, "model_not_found");
            assert.match(e.error.error.message, /"nope"/);
            assert.equal(e.requestID, e.error.request_id);
        }
    });

    /*
     * route, class, status, type, message; the classes of the statuses from
     * 500 have names of their own since version 1
     */

    const server = /^(InternalServer|Overloaded|ServiceUnavailable|GatewayT)/;

    const failures = [
        ["status400", /^BadRequest/, [400], "invalid_request_error", /./],
        ["status401", server, [502], "api_error", /credential/],
        ["status429", /^RateLimit/, [429], "rate_limit_error", /./],
        ["status500", server, [502], "api_error", /./],
        ["status503", server, [503, 529], "overloaded_error", /./],
        ["closed", server, [502], "api_error",
         /no connection to the provider/],
        ["reset", server, [502], "api_error", /closed the connection/],
        ["stall", server, [504], "timeout_error", /in time/],
    ];

    for (const [name, type, status, kind, message] of failures) {
        check(`${name} is a ${status.join(" or ")}`, async () => {
            for (const stream of [false, true]) {
                const e = await failure(create(name, { stream }));

                assert.match(e.constructor.name, type);
                assert.ok(e instanceof errors.APIError);
                assert.ok(status.includes(e.status), String(e.status));
                assert.equal(e.error.type, "error");
                assert.equal(e.error.error.type, kind);
                assert.match(e.error.error.message, message);
            }
        });
    }

    check("a stream whose first event is an error", async () => {
        const e = await failure(create("error_first", { stream: true }));

        assert.ok(e instanceof errors.InternalServerError);
        assert.equal(e.error.error.type, "overloaded_error");
    });

    const broken = [
        ["error_mid", /^overloaded_error$/, /overloaded/],
        ["truncate", /^api_error$/, /ended before/],
        ["reset_mid", /^api_error$/, /./],
        ["stall_mid", /^timeout_error$/, /stopped/],
    ];

    for (const [name, kind, message] of broken) {
        check(`${name} raises an error in mid-stream`, async () => {
            const { items, error } = await drain(
                await create(name, { stream: true }));

            assert.ok(error instanceof errors.APIError);
            assert.match(error.error.error.type, kind);
            assert.match(error.error.error.message, message);
            assert.ok(items.some((e) => e.type == "content_block_delta"));
            assert.ok(!items.some((e) => e.type == "message_stop"));
        });

        check(`${name} is no success for the helper`, async () => {
            const e = await failure(
                client(name).messages.stream(body()).finalMessage());

            assert.ok(e instanceof errors.AnthropicError);
        });

        if (name != "stall_mid") {
            check(`${name} raises an error for a document`, async () => {
                const e = await failure(create(name));

                assert.ok(e instanceof errors.InternalServerError);
                assert.match(e.error.error.type, /^(api|overloaded)_error$/);
            });
        }
    }

    check("20 streams at a time", async () => {
        await Promise.all(Array.from({ length: 20 }, async (_, i) => {
            const r = await client("slow").messages.stream(body({
                messages: [{ role: "user", content: `number${i}.` }],
            })).finalMessage();

            assert.equal(r.usage.output_tokens, 30);
            assert.ok(r.content[0].text
                          .startsWith(`You said: number${i}.; `));
        }));
    });
}


test("nginx ends without a complaint", () => gw.stop());

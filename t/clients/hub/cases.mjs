/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What every client library does with every provider, as JSON and as a
 * stream: judged by what the library tells, and by what the fake provider
 * was asked, which refuses what a vendor would refuse.
 */


import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { ARGUMENTS, IMAGE, LONG, PERSON, RESULTS, SCHEMA, TEXT,
         THOUGHT } from "../fake/scenarios.mjs";
import { MODELS, model } from "./gateway.mjs";
import { known } from "./known.mjs";


const TOOLS = [{
    name: "get_weather", description: "Tells the \"weather\" \u{1f324}",
    parameters: {
        type: "object",
        properties: { city: { type: "string" },
                      unit: { type: "string", enum: ["C", "F"] } },
        required: ["city"],
    },
}, {
    name: "get_time", description: "Tells the time",
    parameters: { type: "object",
                  properties: { zone: { type: "string" } } },
}, {
    name: "ping", description: "Pings",
    parameters: { type: "object", properties: {} },
}];

/* what providers have words for; of a stop sequence others tell "stop" */

const SEQUENCE = ["anthropic", "cohere", "bedrock"];
const NAMES_IT = ["anthropic"];
const FILTER = ["chat", "openai", "responses", "anthropic", "gemini",
                "bedrock"];
const STATEFUL = ["responses", "anthropic", "gemini", "bedrock"];
const THOUGHTS = ["chat", "openai", "responses", "gemini", "cohere"];
const WRITES = ["anthropic", "bedrock"];
const NO_OBJECTS = ["anthropic", "bedrock"];
const NO_USAGE_DETAILS = ["ollama"];


const says = (tag) => [{ user: `Please #${tag}` }];


/* two turns: the calls of the first are answered by the second */

async function twoTurns(t, tag, answers, more = {}, echo = "message") {
    const first = await t.ask({ turns: says(tag), tools: TOOLS, ...more });

    assert.equal(first.finish, t.client.finish.tools);
    assert.equal(first.calls.length, answers.length);

    const results = answers.map((a, i) => ({ call: first.calls[i], ...a }));

    const second = await t.ask({
        turns: [...says(tag), { said: { message: first[echo] } },
                { results }],
        tools: TOOLS, ...more });

    assert.equal(second.finish, t.client.finish.stop);
    return { first, second };
}


const BOTH = [{ text: RESULTS.A }, { text: RESULTS.B }];

const CASES = {
    async text(t) {
        const r = await t.ask({ turns: says("text") });

        assert.equal(r.text, TEXT);
        assert.equal(r.finish, t.client.finish.stop);
        assert.equal(r.calls.length, 0);
        assert.equal(r.thought, "");
        assert.equal(r.usage.input, 1234);
        assert.equal(r.usage.output, 56);
        assert.equal(r.usage.total ?? 1290, 1290);

        /* what is of one dialect passes as it is */

        if (r.model && !t.bypass) {
            assert.equal(r.model, t.model(false));
        }
    },

    async "long text"(t) {
        const r = await t.ask({ turns: says("long") });

        assert.equal(r.text, LONG.join(""));
    },

    async system(t) {
        const r = await t.ask({ turns: says("system"),
                                system: "Be brief.\nAnd \"kind\" \u{1f98a}" });

        assert.equal(r.text, "ok");
    },

    async "several turns"(t) {
        const r = await t.ask({ turns: [{ user: "One \u00e4" },
                                        { assistant: "Two \u4e16" },
                                        { user: "#turns three" }] });

        assert.equal(r.text, "four");
    },

    async settings(t) {
        const r = await t.ask({ turns: says("settings"), max: 321,
                                temperature: 0.3 });

        assert.equal(r.text, "set");
    },

    async "a call"(t) {
        const r = await t.ask({ turns: says("call"), tools: TOOLS });

        assert.equal(r.finish, t.client.finish.tools);
        assert.equal(r.text, "");
        assert.deepEqual(r.calls.map((c) => c.name), ["get_weather"]);
        assert.deepEqual(r.calls[0].args, ARGUMENTS);

        const [tool] = t.asked().tools;

        assert.equal(tool.name, "get_weather");
        assert.equal(tool.description, TOOLS[0].description);
        assert.deepEqual(tool.schema, TOOLS[0].parameters);
    },

    async "text and a call"(t) {
        const r = await t.ask({ turns: says("talk"), tools: TOOLS });

        assert.equal(r.finish, t.client.finish.tools);
        assert.equal(r.text, "Let me look. \u{1f50d}");
        assert.deepEqual(r.calls[0].args, { city: "A" });
    },

    async "numbers and spaces of arguments"(t) {
        const r = await t.ask({ turns: says("raw"), tools: TOOLS });

        assert.equal(r.calls[0].args.city, "\u{1f3d4}é");

        if (r.calls[0].raw) {
            assert.match(r.calls[0].raw, /12345678901234567890\b/);
            assert.match(r.calls[0].raw, /1\.10\b/);
            assert.match(r.calls[0].raw, /1e\+?2\b/i);
        }
    },

    /* line breaks between tokens, as some write their JSON */

    async "pretty-printed answers"(t) {
        /* some libraries know only one line of data in an event */

        if (t.bypass) {
            return t.skip();
        }

        const r = await t.ask({ turns: says("pretty"), tools: TOOLS });

        assert.equal(r.text, "Pretty.");
        assert.deepEqual(r.calls[0].args, ARGUMENTS);
    },

    async "names of tools that are too long"(t) {
        const name = `mcp__${"server_".repeat(9)}_${t.provider}__do_it`;

        assert.ok(name.length > 64);

        if (t.bypass) {
            return t.skip();
        }

        const tools = [{ ...TOOLS[0], name }, ...TOOLS];
        const first = await t.ask({ turns: says("longname"), tools });

        assert.deepEqual(first.calls.map((c) => c.name), [name]);

        const second = await t.ask({
            tools, turns: [...says("longname"),
                           { said: { message: first.message } },
                           { results: [{ call: first.calls[0],
                                         text: "done" }] }] });

        assert.equal(second.text, "It is done.");
    },

    async "three rounds of calls"(t) {
        const turns = says("rounds");

        for (let i = 1; i <= 3; i++) {
            const r = await t.ask({ turns, tools: TOOLS });

            assert.equal(r.calls.length, i);
            turns.push({ said: { message: r.message } },
                       { results: r.calls.map((call, n) => ({
                           call, text: `result ${i} ${n}` })) });
        }

        const r = await t.ask({ turns, tools: TOOLS });

        assert.equal(r.text, "All rounds.");
        assert.equal(r.finish, t.client.finish.stop);
    },

    async "parallel calls"(t) {
        const r = await t.ask({ turns: says("parallel"), tools: TOOLS });

        assert.equal(r.finish, t.client.finish.tools);
        assert.deepEqual(r.calls.map((c) => [c.name, c.args]), [
            ["get_weather", { city: "A" }], ["get_weather", { city: "B" }],
            ["get_time", { zone: "UTC" }]]);

        const ids = r.calls.map((c) => c.id);

        if (t.client.name != "gemini") {
            assert.ok(ids.every((id) => id));
            assert.equal(new Set(ids).size, 3);
        }
    },

    async "a call without arguments"(t) {
        const r = await t.ask({ turns: says("zero"), tools: TOOLS });

        assert.equal(r.finish, t.client.finish.tools);
        assert.deepEqual(r.calls.map((c) => c.args), [{}]);

        if (!t.bypass) {
            assert.equal(r.calls[0].raw ?? "{}", "{}");
        }
    },

    async "results of a call without arguments"(t) {
        const { second } = await twoTurns(t, "zeroloop", [{ text: "pong" }]);

        assert.equal(second.text, "The answer was pong.");
    },

    async "results of parallel calls"(t) {
        const { second } = await twoTurns(t, "loop", BOTH);

        assert.equal(second.text, "A is sunny, B is grey.");
    },

    async "a result that is an error"(t) {
        const { second } = await twoTurns(t, "failing",
            [{ text: "no such city", error: true }]);

        assert.equal(second.text, "It failed.");
    },

    async "no tool may be called"(t) {
        if (!t.client.can.none) {
            return t.skip();
        }

        const r = await t.ask({ turns: says("none"), tools: TOOLS,
                                choice: "none" });

        assert.equal(r.text, "no call");
    },

    async "some tool must be called"(t) {
        if (t.provider == "ollama") {
            return t.skip();
        }

        const r = await t.ask({ turns: says("required"), tools: TOOLS,
                                choice: "required" });

        assert.equal(r.calls[0].name, "ping");
    },

    async "this tool must be called"(t) {
        if (!t.client.can.named || t.provider == "ollama") {
            return t.skip();
        }

        const r = await t.ask({ turns: says("named"), tools: TOOLS,
                                choice: { name: "ping" } });

        assert.equal(r.calls[0].name, "ping");
    },

    async reasoning(t) {
        const r = await t.ask({ turns: says("think"), think: true });

        assert.equal(r.thought, THOUGHT);
        assert.equal(r.text, "It is 42.");
        assert.equal(r.finish, t.client.finish.stop);
        assert.equal(r.usage.output, 100);

        if (t.client.can.thoughts && THOUGHTS.includes(t.provider)) {
            assert.equal(r.usage.thoughts, 44);
        }
    },

    async "reasoning, calls and their results"(t) {
        if (!t.client.can.state && STATEFUL.includes(t.provider)) {
            return t.skip();
        }

        const { first, second } = await twoTurns(t, "thinkloop", BOTH,
                                                 { think: true });

        assert.equal(first.thought, THOUGHT);
        assert.equal(second.text, "Thought through.");
    },

    async "reasoning that the client forgets"(t) {
        if (t.bypass) {
            return t.skip();
        }

        const { second } = await twoTurns(t, "forgotten", BOTH,
                                          { think: true }, "forgotten");

        assert.equal(second.text, "Thought again.");
    },

    async "talk after reasoning and calls"(t) {
        const { first, second } = await twoTurns(t, "forgotten", BOTH, {
            think: true });
        const r = await t.ask({
            think: true, tools: TOOLS, turns: [
                ...says("forgotten"), { said: first },
                { results: BOTH.map((b, i) => ({ call: first.calls[i],
                                                 ...b })) },
                { said: second }, { user: "And now? #after" }] });

        assert.equal(r.text, "Afterwards.");
    },

    async "an empty answer"(t) {
        const r = await t.ask({ turns: says("empty") });

        assert.equal(r.text, "");
        assert.equal(r.finish, t.client.finish.stop);
        assert.equal(r.calls.length, 0);
    },

    async "nothing but a filter"(t) {
        if (!t.client.finish.filter || !FILTER.includes(t.provider)) {
            return t.skip();
        }

        const r = await t.ask({ turns: says("blocked") });

        assert.equal(r.text, "");
        assert.equal(r.finish, t.client.finish.filter);
    },

    async "nothing within the limit of tokens"(t) {
        const r = await t.ask({ turns: says("short"), max: 17 });

        assert.equal(r.text, "");
        assert.equal(r.finish, t.client.finish.length);
    },

    async "structured output"(t) {
        const r = await t.ask({ turns: says("schema"), schema: SCHEMA });

        assert.deepEqual(JSON.parse(r.text), PERSON);
        assert.equal(r.finish, t.client.finish.stop);
        assert.equal(r.calls.length, 0);
    },

    async "a JSON object"(t) {
        if (!t.client.can.json || NO_OBJECTS.includes(t.provider)) {
            return t.skip();
        }

        const r = await t.ask({ turns: [{ user: "JSON, please #object" }],
                                json: true });

        assert.deepEqual(JSON.parse(r.text), PERSON);
    },

    async "a large request"(t) {
        const r = await t.ask({ turns: [
            { user: "\u00e4\u{1f600}\n\"\\".repeat(30000) + "#text" }] });

        assert.equal(r.text, TEXT);
    },

    async image(t) {
        const r = await t.ask({ turns: [{ user: "Look #image",
                                          image: IMAGE }] });

        assert.equal(r.text, "One pixel.");
    },

    async "a stop sequence"(t) {
        if (!t.client.can.stop || t.provider == "responses") {
            return t.skip();
        }

        const r = await t.ask({ turns: says("stop"), stop: ["END", "ö\n"] });

        assert.equal(r.text, "up to here");
        assert.equal(r.finish, t.client.finish[
            SEQUENCE.includes(t.provider) ? "sequence" : "stop"]);

        if (t.client.name == "anthropic" && NAMES_IT.includes(t.provider)) {
            assert.equal(r.sequence, "END");
        }
    },

    async "the limit of tokens"(t) {
        const r = await t.ask({ turns: says("length"), max: 17 });

        assert.equal(r.text, "this is too lo");
        assert.equal(r.finish, t.client.finish.length);
        assert.equal(r.usage.output, 17);
    },

    async "a filtered answer"(t) {
        if (!t.client.finish.filter || !FILTER.includes(t.provider)) {
            return t.skip();
        }

        const r = await t.ask({ turns: says("filter") });

        assert.equal(r.text, "I will ");
        assert.equal(r.finish, t.client.finish.filter);
    },

    async "a refusal"(t) {
        if (!["chat", "openai", "responses"].includes(t.provider)) {
            return t.skip();
        }

        const r = await t.ask({ turns: says("refusal") });

        assert.equal(r.refusal + r.text, "I cannot do that. \u{1f6ab}");

        if (t.client.can.refusal) {
            assert.equal(r.refusal, "I cannot do that. \u{1f6ab}");

        } else if (t.client.name == "anthropic") {
            assert.equal(r.finish, "refusal");
        }
    },

    async "tokens of the cache"(t) {
        if (NO_USAGE_DETAILS.includes(t.provider)) {
            return t.skip();
        }

        const r = await t.ask({ turns: says("usage") });

        assert.equal(r.usage.input, 1000);
        assert.equal(r.usage.output, 50);
        assert.equal(r.usage.total ?? 1050, 1050);

        if (t.client.can.cached) {
            assert.equal(r.usage.cached, 600);
        }

        if (t.client.can.write && WRITES.includes(t.provider)) {
            assert.equal(r.usage.write, 300);
        }
    },
};


for (const status of [400, 401, 404, 413, 429, 500, 503, 529]) {
    CASES[`status ${status}`] = async (t) => {
        const [wanted, type] = t.client.errors[status];

        await assert.rejects(t.ask({ turns: says(`status${status}`) }),
            (e) => {
                const got = e.status ?? e.statusCode
                            ?? e.$metadata?.httpStatusCode;

                assert.equal(got, wanted, e.message);
                assert.ok(e instanceof type, e.constructor.name);

                if (status == 400) {
                    assert.match(e.message, /too many bananas/);
                }

                if (status == 401) {
                    assert.doesNotMatch(e.message, /wrong key/);
                }

                return true;
            });
    };
}


const STREAMED = {
    async "an error in mid-stream"(t) {
        const r = await t.broken({ turns: says("late") });

        assert.equal(r.finish, undefined, "it looks complete");
        assert.ok(r.error, "no error is told");
        assert.equal(r.text, "It begins ");
        assert.match(r.error.message ?? r.error.error ?? "",
                     /The model broke in the middle/);
    },

    async "a stream that is cut off"(t) {
        const r = await t.broken({ turns: says("cut") });

        assert.equal(r.finish, undefined, "it looks complete");
        assert.ok(r.error, "no error is told");
        assert.equal(r.text, "It begins and is ");
    },
};


/*
 * What one provider has begun, another one goes on with: it has no use for
 * the state of the first one, and must not be given it.
 */

function switches(setup, client, connection) {
    const counts = [0, 0];

    for (const from of Object.keys(MODELS)) {
        for (const to of Object.keys(MODELS)) {
            if (from == to) {
                continue;
            }

            const a = bind(setup, client, connection, from, false);
            const b = bind(setup, client, connection, to, true);

            const title = `${client.older ?? client.name}: ${from}, `
                + `then ${to}`;

            test(title, known(title), async () => {
                counts[1]++;

                const q = { turns: says("forgotten"), tools: TOOLS,
                            think: true };
                const first = await a.ask(q);
                const second = await b.ask({ ...q, turns: [
                    ...q.turns, { said: first },
                    { results: BOTH.map((r, i) => ({ call: first.calls[i],
                                                     ...r })) }] });

                assert.equal(second.text, "Thought again.");
                counts[0]++;
            });
        }
    }

    return counts;
}


function bind(setup, client, connection, provider, stream) {
    const { provider: fake } = setup;
    const name = (thinks) => model(provider, thinks);

    const ask = (how) => async (q) => {
        const before = fake.requests.length;

        try {
            return await how({ model: name(q.think), ...q });

        } finally {
            const last = fake.last();

            if (fake.requests.length > before && last.bad?.message
                && !(last.bad instanceof assert.AssertionError))
            {
                /* what the vendor did not like, beside what was seen of it */

                console.error(`# ${client.name} -> ${provider}: `
                              + last.bad.message.slice(0, 400));
            }
        }
    };

    return {
        client, provider, stream, model: name,
        bypass: (client.bypass ?? [client.name]).includes(provider),
        ask: ask((q) => client.ask(connection, q, stream)),
        broken: ask((q) => client.broken(connection, q)),
        asked: () => fake.last().view,
    };
}


/* all cases of a client with all providers, and a line of the matrix each */

export function pairs(setup, client) {
    const connection = client.client(setup.gw.url);
    const counts = {};

    for (const provider of Object.keys(MODELS)) {
        for (const mode of ["JSON", "stream"]) {
            const count = counts[`${provider} ${mode}`] = [0, 0, 0];
            const cases = mode == "JSON" ? CASES : { ...CASES, ...STREAMED };

            for (const [name, run] of Object.entries(cases)) {
                const t = bind(setup, client, connection, provider,
                               mode == "stream");

                const title = `${client.older ?? client.name} -> `
                    + `${provider}, ${mode}: ${name}`;

                test(title, known(title), async (context) => {
                    let skipped = false;

                    t.skip = () => {
                        skipped = true;
                        context.skip("cannot be expressed");
                    };

                    count[1]++;
                    await run(t);

                    if (skipped) {
                        count[1]--;
                        count[2]++;

                    } else {
                        count[0]++;
                    }
                });
            }
        }
    }

    if (client.older) {
        return;
    }

    counts.switch = switches(setup, client, connection);

    after(() => {
        const dir = path.dirname(setup.gw.prefix);

        fs.writeFileSync(path.join(dir, `matrix-${client.name}.json`),
                         JSON.stringify(counts));
    });
}



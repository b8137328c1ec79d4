/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What the fake model does, in no dialect.  The tag "#name" in what the user
 * says chooses a scenario: a function that is given what was understood of
 * the request, and returns
 *
 *     parts     { text } | { thought, state } | { call, id, args } |
 *               { refusal }, in their order
 *     finish    stop, sequence, length, tools, filter; by default as the
 *               parts say
 *     sequence  the stop sequence
 *     usage     input and output are totals, cached, write and thoughts
 *               parts of them
 *     error     { status, message, type, headers, late }; late: after all
 *               parts, in a stream that has begun
 *     cut       the connection is closed after the parts
 */


import { Bad, need } from "./check.mjs";


export const TEXT = "Grüße, 世界! \u{1f469}\u200d\u{1f680}\u{1f389} "
    + "\"quoted\" \\back\\slash\ttab\nline\r\nreturn \u2028 </script> "
    + "\u0001 \u007f {\"a\":1} 'end'";

export const THOUGHT = "First I think: \u{1f914} 6 × 7.\nThen \"42\".";

export const STATE = "c3RhdGUrb2YvdGhlK3Rob3VnaHQ/Pz8+Pj4=";

/* 1x1 pixels: a PNG */

export const IMAGE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcS"
    + "JAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", "base64");

export const USAGE = { input: 1234, cached: 0, write: 0, output: 56,
                       thoughts: 0 };

export const PDF = Buffer.from("%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n");

/* numbers that no double holds, and strings that must be escaped */

export const ARGUMENTS = {
    city: "Zürich \u{1f3d4} \"old\"\n\\town", days: 3,
    nested: { list: [1, 2.5, null, true, "x"], empty: {} },
};

export const LONG = Array.from({ length: 600 }, (v, i) => `w${i} `);

export const PATCH = "*** Begin Patch\n*** Update File: a \"b\".c\n@@\n"
    + "-\tint x = '\\0';\n+\tint \u00e4 = 1; /* \u{1f527} */\n"
    + "*** End Patch\n";

export const RESULTS = { A: "21 °C \u2600 \"sunny\"",
                         B: "{\"t\": 3, \"sky\": \"grey\"}" };

export const SCHEMA = {
    type: "object",
    properties: {
        name: { type: "string", description: "a \"name\"" },
        age: { type: "integer" },
        tags: { type: "array", items: { type: "string" } },
    },
    required: ["name", "age", "tags"],
    additionalProperties: false,
};

export const PERSON = { name: "Zoë \u{1f600}", age: 37, tags: ["a", "b\"c"] };


function same(got, wanted, what) {
    const g = JSON.stringify(got);
    const w = JSON.stringify(wanted);

    need(g === w, `${what} is ${g?.slice(0, 300)}, not ${w?.slice(0, 300)}`);
}


/* the last turn brings the results of the calls in front of it */

function answered(view) {
    return view.turns.at(-1).results.length > 0;
}


function twoCalls(view) {
    return [
        { call: "get_weather", id: view.id(1), args: { city: "A" } },
        { call: "get_weather", id: view.id(2), args: { city: "B" } },
    ];
}


/*
 * The second turn: what the user said, the calls, and their results, right
 * behind them and in their order.
 */

function checkResults(view, results) {
    const turns = view.turns.map((t) => t.role);

    same(turns, ["user", "assistant", "tool"], "the order of turns");

    const [, assistant, tool] = view.turns;

    same(assistant.calls.map((c) => [c.name, c.args]),
         results.map((r) => [r.name, r.args]), "the calls");

    if (view.ids) {
        same(tool.results.map((r) => r.id),
             assistant.calls.map((c) => c.id), "ids of results");

    } else {
        same(tool.results.map((r) => r.name),
             results.map((r) => r.name), "names of results");
    }

    tool.results.forEach((got, i) => {
        const wanted = results[i];
        const texts = [wanted.text, `Error: ${wanted.text}`,
                       JSON.stringify({ result: wanted.text }),
                       JSON.stringify({ output: wanted.text }),
                       JSON.stringify({ error: wanted.text }),
                       JSON.stringify({ name: wanted.name,
                                        content: wanted.text })];

        /* what is an object may be told as one */

        try {
            texts.push(JSON.stringify(JSON.parse(wanted.text)));
        } catch (e) {
            /* it is not */
        }

        need(texts.includes(got.text),
             `result ${i} is ${JSON.stringify(got.text)}, not `
             + JSON.stringify(wanted.text));

        if (wanted.error) {
            need(got.error || /error/i.test(got.text),
                 "the result does not tell that it is an error");
        }
    });

    return assistant;
}


const CITIES = [
    { name: "get_weather", args: { city: "A" }, text: RESULTS.A },
    { name: "get_weather", args: { city: "B" }, text: RESULTS.B },
];


export const SCENARIOS = {
    text: () => ({ parts: [{ text: TEXT }] }),

    long: () => ({ parts: [{ text: LONG.join(""), pieces: LONG }] }),

    empty: () => ({ parts: [], usage: { ...USAGE, output: 0 } }),

    blocked: () => ({ parts: [], finish: "filter",
                      usage: { ...USAGE, output: 0 } }),

    /* all tokens went into thoughts that are not shown */

    short: () => ({ parts: [], finish: "length" }),

    think: (view) => {
        need(view.thinking, "the model was not asked to think");

        return { parts: [{ thought: THOUGHT, state: STATE },
                         { text: "It is 42." }],
                 usage: { ...USAGE, output: 100, thoughts: 44 } };
    },

    call: (view) => {
        need(view.tools.some((t) => t.name == "get_weather"),
             "there is no tool");
        return { parts: [{ call: "get_weather", id: view.id(1),
                           args: ARGUMENTS }] };
    },

    talk: (view) => ({ parts: [
        { text: "Let me look. \u{1f50d}" },
        { call: "get_weather", id: view.id(1), args: { city: "A" } }] }),

    raw: (view) => ({ parts: [{ call: "get_weather", id: view.id(1), args: {
        $raw: "{\"city\": \"\\ud83c\\udfd4\\u00e9\",  "
              + "\"big\":12345678901234567890, \"f\":1.10, \"e\":1e2 }" } }] }),

    pretty: (view) => ({
        parts: [{ text: "Pretty." },
                { call: "get_weather", id: view.id(1), args: ARGUMENTS }],
        pretty: true }),

    longname: (view) => {
        const [tool] = view.tools;

        if (!answered(view)) {
            return { parts: [{ call: tool.name, id: view.id(1),
                               args: {} }] };
        }

        checkResults(view, [{ name: tool.name, args: {}, text: "done" }]);
        return { parts: [{ text: "It is done." }] };
    },

    /* one call, then two, then three */

    rounds: (view) => {
        const [user, ...rest] = view.turns;
        const n = rest.length / 2;

        same(view.turns.map((t) => t.role),
             ["user", ...Array(n).fill(["assistant", "tool"]).flat()],
             "the order of turns");

        rest.forEach((t, i) => {
            const round = Math.floor(i / 2) + 1;

            if (t.role == "assistant") {
                same(t.text, `Round ${round}.`, "text");
                same(t.calls.map((c) => c.args.city),
                     [..."ABC"].slice(0, round), "calls");

            } else {
                same(t.results.map((r) => r.text),
                     [0, 1, 2].slice(0, round)
                              .map((k) => `result ${round} ${k}`), "results");
            }
        });

        if (n == 3) {
            return { parts: [{ text: "All rounds." }] };
        }

        return { parts: [
            { text: `Round ${n + 1}.` },
            ...[..."ABC"].slice(0, n + 1).map((city, i) => ({
                call: "get_weather", id: view.id(n * 3 + i),
                args: { city } }))] };
    },

    /* what a coding agent does: thinks, says, and uses its tools */

    agent: (view) => {
        need(view.tools.length >= 20, `${view.tools.length} tools`);
        need(/command line tool[^]*environment/i.test(view.system),
             "the system prompt is not whole");

        return { parts: [
            { thought: THOUGHT, state: STATE },
            { text: "I look around." },
            { call: "Bash", id: view.id(1),
              args: { command: "ls -l \"a b\"\n", timeout: 5 } },
            { call: "mcp__files__read", id: view.id(2),
              args: { path: "C:\\x.c" } }] };
    },

    /* the results came in two messages, with words between them */

    agentnext: (view) => {
        same(view.turns.slice(0, 3).map((t) => t.role),
             ["user", "assistant", "tool"], "the order of turns");

        const [user, assistant, tool, ...rest] = view.turns;

        need(/system-reminder/.test(user.text), "the user's first text");
        same(assistant.calls.map((c) => [c.name, c.args]),
             [["Bash", { command: "ls -l \"a b\"\n", timeout: 5 }],
              ["mcp__files__read", { path: "C:\\x.c" }]], "calls");
        same(tool.results.map((r) => r.text.replace(/^Error: /, "")),
             ["a.c\nb.c", "no such file"], "results");
        need(rest.length && rest.every((t) => t.role == "user"),
             "turns behind the results");
        same(rest.map((t) => t.text).join("").replace(/\s+/g, " ").trim(),
             "Be quick. Go on #agentnext", "what the user added");

        return { parts: [{ text: "Done." }] };
    },

    /* a tool that takes free text, as a function of one string */

    patch: (view) => {
        const last = view.turns.at(-1);

        if (!last.results.length) {
            const tool = view.tools.find((t) => t.name == "apply_patch");

            need(tool, "there is no apply_patch");
            same(tool.schema?.properties?.input?.type.toLowerCase(),
                 "string", "the type of \"input\"");

            return { parts: [
                { thought: THOUGHT, state: STATE },
                { call: "shell", id: view.id(1),
                  args: { command: ["bash", "-lc", "ls"] } },
                { call: "apply_patch", id: view.id(2),
                  args: { input: PATCH } }] };
        }

        const assistant = view.turns.at(-2);

        same(assistant.calls.map((c) => [c.name, c.args]),
             [["shell", { command: ["bash", "-lc", "ls"] }],
              ["apply_patch", { input: PATCH }]], "calls");
        same(last.results.map((r) => r.text),
             ["{\"output\":\"a.c\",\"metadata\":{\"exit_code\":0}}",
              "Success. Updated \"a.c\"\n"], "results");

        return { parts: [{ text: "Patched." }] };
    },

    parallel: (view) => ({ parts: [
        ...twoCalls(view),
        { call: "get_time", id: view.id(3), args: { zone: "UTC" } }] }),

    zero: (view) => ({ parts: [{ call: "ping", id: view.id(1),
                                 args: null }] }),

    zeroloop: (view) => {
        if (!answered(view)) {
            return SCENARIOS.zero(view);
        }

        checkResults(view, [{ name: "ping", args: {}, text: "pong" }]);
        return { parts: [{ text: "The answer was pong." }] };
    },

    loop: (view) => {
        if (!answered(view)) {
            return { parts: [{ text: "Two calls." }, ...twoCalls(view)] };
        }

        same(checkResults(view, CITIES).text, "Two calls.",
             "the text of the assistant");

        return { parts: [{ text: "A is sunny, B is grey." }] };
    },

    /* for clients that keep no text in front of calls */

    steps: (view) => {
        if (!answered(view)) {
            return SCENARIOS.loop(view);
        }

        checkResults(view, CITIES);
        return { parts: [{ text: "A is sunny, B is grey." }] };
    },

    failing: (view) => {
        if (!answered(view)) {
            return { parts: [{ call: "get_weather", id: view.id(1),
                               args: { city: "A" } }] };
        }

        checkResults(view, [{ name: "get_weather", args: { city: "A" },
                              text: "no such city", error: true }]);
        return { parts: [{ text: "It failed." }] };
    },

    thinkloop: (view) => {
        if (!answered(view)) {
            return { parts: [{ thought: THOUGHT, state: STATE },
                             ...twoCalls(view)] };
        }

        view.demandState?.(checkResults(view, CITIES), THOUGHT, STATE);
        return { parts: [{ text: "Thought through." }] };
    },

    /* the client lost all thoughts: the request must be good all the same */

    forgotten: (view) => {
        if (!answered(view)) {
            return { parts: [{ thought: THOUGHT, state: STATE },
                             ...twoCalls(view)] };
        }

        checkResults(view, CITIES);
        return { parts: [{ text: "Thought again." }] };
    },

    after: (view) => {
        same(view.turns.map((t) => t.role),
             ["user", "assistant", "tool", "assistant", "user"],
             "the order of turns");
        same(view.turns[3].text, "Thought again.", "the last answer");
        return { parts: [{ text: "Afterwards." }] };
    },

    schema: (view) => {
        need(view.schema, "no schema was asked for");
        same(view.schema, SCHEMA, "the schema");
        return { parts: [{ text: JSON.stringify(PERSON) }] };
    },

    /* a schema that the library made */

    person: (view) => {
        same(Object.keys(view.schema?.properties ?? {}),
             ["name", "age", "tags"], "members of the schema");
        return { parts: [{ text: JSON.stringify(PERSON) }] };
    },

    object: (view) => {
        need(view.json, "no JSON was asked for");
        return { parts: [{ text: JSON.stringify(PERSON) }] };
    },

    image: (view) => {
        const [image, ...more] = view.turns.at(-1).images;

        need(image && !more.length, "there is not one image");
        same(image.mime, "image/png", "the type of the image");
        need(image.data.equals(IMAGE), "the image is another");
        return { parts: [{ text: "One pixel." }] };
    },

    /* a tool that returns a picture */

    screenshot: (view) => {
        const tool = view.turns.find((t) => t.role == "tool");

        if (!tool) {
            return { parts: [{ call: "ping", id: view.id(1), args: {} }] };
        }

        const images = view.turns.slice(view.turns.indexOf(tool))
            .flatMap((t) => [...t.images,
                             ...t.results.flatMap((r) => r.images ?? [])]);

        need(images.length == 1 && images[0].data.equals(IMAGE),
             `${images.length} images`);
        need(/here it is/.test(tool.results[0].text), "the text of it");
        return { parts: [{ text: "A tiny one." }] };
    },

    url: (view) => {
        same(view.turns[0].images.map((i) => i.url),
             ["https://example.com/a.png"], "the URL of the image");
        return { parts: [{ text: "Seen from afar." }] };
    },

    pdf: (view) => {
        const [d] = view.turns[0].documents ?? [];

        need(d, "there is no document");
        need(d.data.equals(PDF), "the document is another");
        need(view.turns[0].text.trim(), "there is no text beside it");
        return { parts: [{ text: "Read." }] };
    },

    stop: (view) => {
        same(view.stop, ["END", "ö\n"], "stop");
        return { parts: [{ text: "up to here" }], finish: "sequence",
                 sequence: "END" };
    },

    length: (view) => {
        same(view.max, 17, "the limit of tokens");
        return { parts: [{ text: "this is too lo" }], finish: "length",
                 usage: { ...USAGE, output: 17 } };
    },

    filter: () => ({ parts: [{ text: "I will " }], finish: "filter" }),

    refusal: () => ({ parts: [{ refusal: "I cannot do that. \u{1f6ab}" }],
                      finish: "filter" }),

    usage: () => ({
        parts: [{ text: "counted" }],
        usage: { input: 1000, cached: 600, write: 300, output: 50,
                 thoughts: 20 } }),

    system: (view) => {
        same(view.system, "Be brief.\nAnd \"kind\" \u{1f98a}", "system");
        return { parts: [{ text: "ok" }] };
    },

    turns: (view) => {
        same(view.turns.map((t) => [t.role, t.text]),
             [["user", "One \u00e4"], ["assistant", "Two \u4e16"],
              ["user", "#turns three"]], "the conversation");
        return { parts: [{ text: "four" }] };
    },

    none: (view) => {
        need(view.choice == "none" || !view.tools.length,
             "tools may be called");
        return { parts: [{ text: "no call" }] };
    },

    required: (view) => {
        same(view.choice, view.weak ? "auto" : "required",
             "the choice of tools");
        return SCENARIOS.zero(view);
    },

    named: (view) => {
        if (view.weak || view.filters) {
            same(view.tools.map((t) => t.name), ["ping"], "tools");

        } else {
            same(view.choice, { name: "ping" }, "the choice of tools");
        }

        return SCENARIOS.zero(view);
    },

    settings: (view) => {
        same(view.max, 321, "the limit of tokens");
        same(view.temperature, 0.3, "temperature");
        return { parts: [{ text: "set" }] };
    },

    late: () => ({ parts: [{ text: "It begins " }],
                   error: { status: 500, type: "server",
                            message: "The model broke in the middle",
                            late: true } }),

    cut: () => ({ parts: [{ text: "It begins and is " }], cut: true }),
};


const ERRORS = {
    400: "messages: too many bananas \"in\" here",
    401: "wrong key",
    404: "The model does not exist",
    413: "Request too large",
    429: "Slow down, please",
    500: "Something broke",
    503: "Come back later",
    529: "Overloaded",
};

for (const [status, message] of Object.entries(ERRORS)) {
    SCENARIOS[`status${status}`] = () => ({
        error: { status: Number(status), message,
                 headers: status == 429 ? { "retry-after": "7" } : {} } });
}


/* the scenario that the last tag of a user asks for */

export function scenario(view) {
    const said = view.turns.filter((t) => t.role == "user")
                           .map((t) => t.text).join("\n");
    const tag = [...said.matchAll(/#(\w+)/g)].at(-1)?.[1];

    if (tag === undefined || !Object.hasOwn(SCENARIOS, tag)) {
        throw new Bad(`no scenario in: ${said.slice(0, 200)}`);
    }

    const answer = SCENARIOS[tag](view);
    const calls = answer.parts?.some((p) => p.call);

    return {
        parts: [], finish: calls ? "tools" : "stop", usage: USAGE, ...answer,
        name: tag,
    };
}

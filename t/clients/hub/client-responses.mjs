/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of OpenAI, responses.
 */


import assert from "node:assert/strict";
import { client, errors } from "./client-openai.mjs";


export const name = "responses";

export const bypass = ["openai", "responses"];

export const can = { image: true, json: true, named: true, none: true,
                     refusal: true, thoughts: true, cached: true, state: true,
                     raw: true };

export const finish = {
    stop: "completed", sequence: "completed",
    length: "incomplete max_output_tokens", tools: "completed",
    filter: "incomplete content_filter",
};

export { client, errors };


function input({ turns }) {
    return turns.flatMap((t) => {
        if (t.results) {
            return t.results.map((r) => ({
                type: "function_call_output", call_id: r.call.id,
                output: r.error ? `Error: ${r.text}` : r.text }));
        }

        if (t.said) {
            return t.said.message;
        }

        if (t.assistant) {
            return [{ role: "assistant", content: t.assistant }];
        }

        return [{ role: "user", content: t.image
            ? [{ type: "input_text", text: t.user },
               { type: "input_image", detail: "auto",
                 image_url: "data:image/png;base64,"
                            + t.image.toString("base64") }]
            : t.user }];
    });
}


export function body(q) {
    return {
        model: q.model, input: input(q), store: false,
        ...(q.system && { instructions: q.system }),
        ...(q.tools && { tools: q.tools.map((f) => ({
            type: "function", strict: false, ...f })) }),
        ...(q.choice && { tool_choice: q.choice.name
            ? { type: "function", ...q.choice } : q.choice }),
        ...(q.schema && { text: { format: { type: "json_schema",
            name: "person", strict: true, schema: q.schema } } }),
        ...(q.json && { text: { format: { type: "json_object" } } }),
        ...(q.max && { max_output_tokens: q.max }),
        ...(q.temperature && { temperature: q.temperature }),
        ...(q.think && { reasoning: { effort: "low", summary: "auto" },
                         include: ["reasoning.encrypted_content"] }),
    };
}


function result(r) {
    const of = (type) => r.output.filter((i) => i.type == type);
    const parts = of("message").flatMap((m) => m.content);
    const u = r.usage;
    const why = r.incomplete_details?.reason;

    assert.equal(r.output_text, parts.filter((p) => p.type == "output_text")
                                     .map((p) => p.text).join(""));

    for (const i of r.output) {
        assert.ok(i.id, `an item without id: ${i.type}`);
    }

    return {
        text: r.output_text, model: r.model,
        refusal: parts.filter((p) => p.type == "refusal")
                      .map((p) => p.refusal).join(""),
        thought: of("reasoning").flatMap((i) => [...i.summary,
                                                 ...i.content ?? []])
                                .map((s) => s.text).join(""),
        calls: of("function_call").map((c) => ({
            id: c.call_id, name: c.name, raw: c.arguments,
            args: JSON.parse(c.arguments) })),
        finish: r.status + (why ? ` ${why}` : ""),
        usage: { input: u.input_tokens, output: u.output_tokens,
                 total: u.total_tokens,
                 cached: u.input_tokens_details.cached_tokens,
                 thoughts: u.output_tokens_details.reasoning_tokens },

        /* helpers of the library add to the items what no API takes */

        message: r.output.map(({ parsed_arguments, parsed, ...i }) => ({
            ...i, ...(i.type == "message" && { content: i.content.map(
                ({ parsed: p, ...c }) => c) }) })),
        forgotten: r.output.filter((i) => i.type != "reasoning")
                           .map(({ parsed_arguments, ...i }) => ({
            ...i, ...(i.type == "message" && { content: i.content.map(
                ({ parsed: p, ...c }) => c) }) })),
    };
}


/* events are numbered without a gap, items and parts are opened and closed */

function check(events) {
    const open = new Set();

    events.forEach((e, i) => {
        assert.equal(e.sequence_number, i, `number of ${e.type}`);

        switch (e.type) {

        case "response.output_item.added":
            assert.equal(e.output_index, open.count ?? 0, "output_index");
            open.count = e.output_index + 1;
            open.add(e.item.id);
            break;

        case "response.output_item.done":
            assert.ok(open.delete(e.item.id), `${e.item.id} is not open`);
            break;

        default:
            if (e.item_id) {
                assert.ok(open.has(e.item_id), `${e.type} of no open item`);
            }
        }
    });

    assert.equal(open.size, 0, "items left open");
    assert.equal(events[0].type, "response.created");
    assert.equal(events[1].type, "response.in_progress");
    assert.match(events.at(-1).type, /^response\.(completed|incomplete)$/);
}


export async function ask(openai, q, stream) {
    if (!stream) {
        return result(await openai.responses.create(body(q)));
    }

    const s = openai.responses.stream(body(q));
    const events = [];

    for await (const e of s) {
        events.push(e);
    }

    check(events);

    const final = await s.finalResponse();
    const told = events.at(-1).response;

    /* what the helper put together is what the last event tells */

    assert.deepEqual(final.output.map((i) => i.id),
                     told.output.map((i) => i.id));

    const deltas = events.filter((e) => e.type
                                 == "response.output_text.delta");

    assert.equal(deltas.map((e) => e.delta).join(""), final.output_text);

    return result(final);
}


export async function broken(openai, q) {
    let text = "";

    try {
        const s = await openai.responses.create({ ...body(q),
                                                  stream: true });

        for await (const e of s) {
            if (e.type == "response.output_text.delta") {
                text += e.delta;

            } else if (e.type == "response.failed") {
                return { text, error: e.response.error };

            } else if (e.type == "error") {
                return { text, error: e };

            } else if (e.type == "response.completed") {
                return { text, finish: "completed" };
            }
        }

    } catch (error) {
        return { text, error };
    }

    return { text };
}

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of OpenAI, chat/completions.
 */


import OpenAI from "openai-7";


export const name = "openai";

/* providers that speak as it does */

export const bypass = ["openai", "chat"];

export const can = { image: true, json: true, named: true, none: true,
                     refusal: true, thoughts: true, cached: true, stop: true,
                     state: true, raw: true };

export const finish = { stop: "stop", sequence: "stop", length: "length",
                        tools: "tool_calls", filter: "content_filter" };

export function errorsOf(Library) {
    const { APIError, BadRequestError, InternalServerError, NotFoundError,
            RateLimitError } = Library;

    return {
        400: [400, BadRequestError], 401: [502, InternalServerError],
        404: [404, NotFoundError], 413: [413, APIError],
        429: [429, RateLimitError], 500: [502, InternalServerError],
        503: [503, InternalServerError], 529: [503, InternalServerError],
    };
}


export const errors = errorsOf(OpenAI);


export function client(url, Library = OpenAI) {
    return new Library({ apiKey: "CANARY", baseURL: url + "/v1",
                         maxRetries: 0, timeout: 10000 });
}


function messages({ system, turns }) {
    const list = system ? [{ role: "system", content: system }] : [];

    for (const t of turns) {
        if (t.results) {
            list.push(...t.results.map((r) => ({
                role: "tool", tool_call_id: r.call.id,
                content: r.error ? `Error: ${r.text}` : r.text })));

        } else if (t.said) {
            list.push(t.said.message);

        } else if (t.assistant) {
            list.push({ role: "assistant", content: t.assistant });

        } else {
            list.push({ role: "user", content: t.image
                ? [{ type: "text", text: t.user },
                   { type: "image_url", image_url: {
                       url: "data:image/png;base64,"
                            + t.image.toString("base64") } }]
                : t.user });
        }
    }

    return list;
}


export function body(q) {
    return {
        model: q.model, messages: messages(q),
        ...(q.tools && { tools: q.tools.map((f) => ({
            type: "function", function: f })) }),
        ...(q.choice && { tool_choice: q.choice.name
            ? { type: "function", function: q.choice } : q.choice }),
        ...(q.schema && { response_format: { type: "json_schema",
            json_schema: { name: "person", strict: true,
                           schema: q.schema } } }),
        ...(q.json && { response_format: { type: "json_object" } }),
        ...(q.stop && { stop: q.stop }),
        ...(q.max && { max_tokens: q.max }),
        ...(q.temperature && { temperature: q.temperature }),
        ...(q.think && { reasoning_effort: "low" }),
    };
}


function result(c, thought, details, signatures) {
    const [{ message: m, finish_reason }] = c.choices;
    const u = c.usage;

    const calls = (m.tool_calls ?? []).map((t) => ({
        id: t.id, name: t.function.name, raw: t.function.arguments,
        args: JSON.parse(t.function.arguments) }));

    return {
        text: m.content ?? "", refusal: m.refusal ?? "", thought, calls,
        finish: finish_reason, model: c.model,
        usage: { input: u.prompt_tokens, output: u.completion_tokens,
                 total: u.total_tokens,
                 cached: u.prompt_tokens_details?.cached_tokens ?? 0,
                 thoughts: u.completion_tokens_details?.reasoning_tokens
                           ?? 0 },
        forgotten: { role: "assistant", content: m.content,
                     ...(calls.length && { tool_calls: m.tool_calls.map(
                         ({ id, type, function: f }) => ({ id, type,
                             function: { name: f.name,
                                         arguments: f.arguments } })) }) },
        message: { role: "assistant", content: m.content,
                   ...(calls.length && { tool_calls: m.tool_calls.map(
                       (t, i) => ({ ...t, ...signatures[i] })) }),
                   ...(thought && { reasoning_content: thought }),
                   ...(details.length && { reasoning_details: details }) },
    };
}


/* pieces of one entry follow one another */

function merge(list) {
    const merged = [];

    for (const d of list) {
        const last = merged.at(-1);

        if (last && last.type == d.type && last.index === d.index
            && d.index !== undefined && !last.signature)
        {
            last.text = (last.text ?? "") + (d.text ?? "");
            Object.assign(last, { ...d, text: last.text });

        } else {
            merged.push({ ...d });
        }
    }

    return merged;
}


export async function ask(openai, q, stream) {
    if (!stream) {
        const c = await openai.chat.completions.create(body(q));
        const m = c.choices[0].message;

        return result(c, m.reasoning_content ?? "",
                      m.reasoning_details ?? [], []);
    }

    const s = openai.chat.completions.stream({
        ...body(q), stream_options: { include_usage: true } });
    const details = [];
    const signatures = [];
    const ids = new Set();
    let roles = 0;
    let thought = "";

    s.on("chunk", (c) => {
        ids.add(`${c.id} ${c.created} ${c.model} ${c.object}`);

        const d = c.choices[0]?.delta;

        thought += d?.reasoning_content ?? "";
        details.push(...d?.reasoning_details ?? []);
        roles += d?.role ? 1 : 0;

        for (const t of d?.tool_calls ?? []) {
            if (t.extra_content) {
                signatures[t.index] = { extra_content: t.extra_content };
            }
        }
    });

    const c = await s.finalChatCompletion();

    if (ids.size != 1 || roles != 1) {
        throw new Error(`${roles} roles, heads: ${[...ids]}`);
    }

    return result(c, thought, merge(details), signatures);
}


/* what a stream that breaks tells: the error, and the text before it */

export async function broken(openai, q) {
    let text = "";

    try {
        const s = await openai.chat.completions.create({ ...body(q),
                                                         stream: true });

        for await (const c of s) {
            text += c.choices[0]?.delta?.content ?? "";

            if (c.choices[0]?.finish_reason) {
                return { text, finish: c.choices[0].finish_reason };
            }
        }

    } catch (error) {
        return { text, error };
    }

    return { text };
}

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Ollama's own API, as a provider.
 */


import { bytes, each, joined, members, need, objectSchema, pieces,
         stringify } from "./check.mjs";
import { vector } from "./openai.mjs";


const BODY = {
    model: "text", messages: "list", "tools?": "list",
    "format?": "string|object", "options?": "object", "stream?": "boolean",
    "keep_alive?": "any", "think?": "boolean|string",
};


function turns(messages) {
    const list = [];
    const system = [];

    each(messages, "messages", (m, path) => {
        members(m, path, { role: ["system", "user", "assistant", "tool"],
                           content: "string", "thinking?": "string",
                           "images?": "list", "tool_calls?": "list",
                           "tool_name?": "text", "tool_call_id?": "text" });

        if (m.role == "system") {
            system.push(m.content);
            return;
        }

        if (m.role == "tool") {
            if (list.at(-1).role != "tool") {
                list.push({ role: "tool", text: "", images: [], calls: [],
                            results: [] });
            }

            list.at(-1).results.push({
                name: m.tool_name, text: m.content,
                images: (m.images ?? []).map((i) => ({
                    data: bytes(i, path) })) });
            return;
        }

        list.push({
            role: m.role, text: m.content, results: [],
            images: (m.images ?? []).map((i) => ({
                mime: "image/png", data: bytes(i, path) })),
            thoughts: m.thinking ? [{ text: m.thinking }] : [],
            calls: each(m.tool_calls ?? [], path, (c, at) => {
                members(c, at, { function: "object", "id?": "text",
                                 "type?": "string" });
                members(c.function, at, { name: "text", arguments: "object",
                                          "index?": "integer" });
                return { name: c.function.name, args: c.function.arguments };
            }),
        });
    });

    return { turns: list, system: joined(system) };
}


function view(op, body) {
    members(body, "body", BODY);

    const options = body.options ?? {};

    members(options, "options", {
        "num_ctx?": "positive", "num_predict?": "integer",
        "temperature?": "number", "top_p?": "number", "top_k?": "integer",
        "seed?": "integer", "stop?": "list", "presence_penalty?": "number",
        "frequency_penalty?": "number" });

    need(typeof body.format != "string" || body.format == "json"
         || body.format === "", `invalid format: ${body.format}`);

    const tools = each(body.tools ?? [], "tools", (t, at) => {
        members(t, at, { type: ["function"], function: "object" });
        members(t.function, at, { name: "text", "description?": "string",
                                  parameters: "object" });
        objectSchema(t.function.parameters, at);
        return { name: t.function.name, description: t.function.description,
                 schema: t.function.parameters };
    });

    const schema = typeof body.format == "object" ? body.format : undefined;

    return {
        model: body.model, stream: body.stream ?? true,
        ...turns(body.messages), tools, schema,
        json: body.format == "json", choice: "auto", weak: true,
        stop: options.stop ?? [], max: options.num_predict,
        temperature: options.temperature, topP: options.top_p,
        topK: options.top_k, seed: options.seed, effort: body.think,
        thinking: Boolean(body.think), ids: false, id: () => undefined,
    };
}


function head(seen) {
    return { model: seen.model, created_at: "2026-01-02T03:04:05.678901Z" };
}


function end(answer) {
    return {
        done: true,
        done_reason: answer.finish == "length" ? "length" : "stop",
        total_duration: 5, load_duration: 1,
        prompt_eval_count: answer.usage.input,
        eval_count: answer.usage.output,
    };
}


function message(parts) {
    const calls = parts.filter((p) => "call" in p);
    const thought = parts.map((p) => p.thought ?? "").join("");

    return {
        role: "assistant",
        content: parts.map((p) => p.text ?? p.refusal ?? "").join(""),
        ...(thought && { thinking: thought }),
        ...(calls.length && { tool_calls: calls.map((p) => ({
            function: { name: p.call, arguments: p.args ?? {} } })) }),
    };
}


function json(answer, seen) {
    return { ...head(seen), message: message(answer.parts), ...end(answer) };
}


function stream(answer, seen) {
    const list = [];

    for (const p of answer.parts) {
        const cut = "thought" in p ? pieces(p.thought).map((thought) =>
                        ({ thought }))
            : "call" in p ? [p]
            : (p.pieces ?? pieces(p.text ?? p.refusal)).map((text) =>
                        ({ text }));

        list.push(...cut.map((c) => ({ ...head(seen), message: message([c]),
                                       done: false })));
    }

    if (answer.error) {
        list.push({ error: answer.error.message });

    } else if (!answer.cut) {
        list.push({ ...head(seen),
                    message: { role: "assistant", content: "" },
                    ...end(answer) });
    }

    return list.map((o) => stringify(o) + "\n");
}


export function error({ message: text }) {
    return { body: { error: text } };
}


function embed(body) {
    members(body, "body", { model: "text", input: "text|list",
                            "truncate?": "boolean",
                            "dimensions?": "positive", "options?": "object",
                            "keep_alive?": "any" });

    const texts = [body.input].flat();

    return {
        seen: { model: body.model, texts, dimensions: body.dimensions },
        document: { model: body.model, total_duration: 1, load_duration: 1,
                    embeddings: texts.map((t) => vector(t, body.dimensions)),
                    prompt_eval_count: 11 },
    };
}


export default {
    name: "ollama", endpoint: "", key: "none",
    streamType: "application/x-ndjson",
    route: (path) => ({ "/api/chat": "chat", "/api/embed": "embed" })[path],
    view, json, stream, error, embed, stringify,
};

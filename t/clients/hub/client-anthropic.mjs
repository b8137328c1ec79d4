/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of Anthropic.
 */


import Anthropic from "@anthropic-ai/sdk-1";


export const name = "anthropic";

export const can = { image: true, named: true, none: true, cached: true,
                     write: true, stop: true, sequence: true, state: true };

export const finish = {
    stop: "end_turn", sequence: "stop_sequence", length: "max_tokens",
    tools: "tool_use", filter: "refusal",
};

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


export const errors = errorsOf(Anthropic);


export function client(url, Library = Anthropic) {
    return new Library({ apiKey: "CANARY", baseURL: url, maxRetries: 0,
                         timeout: 10000 });
}


function messages({ turns }) {
    return turns.map((t) => {
        if (t.results) {
            return { role: "user", content: t.results.map((r) => ({
                type: "tool_result", tool_use_id: r.call.id,
                content: r.text, ...(r.error && { is_error: true }) })) };
        }

        if (t.said) {
            return { role: "assistant", content: t.said.message };
        }

        if (t.assistant) {
            return { role: "assistant", content: t.assistant };
        }

        return { role: "user", content: t.image
            ? [{ type: "image", source: {
                   type: "base64", media_type: "image/png",
                   data: t.image.toString("base64") } },
               { type: "text", text: t.user }]
            : t.user };
    });
}


const CHOICES = { auto: "auto", none: "none", required: "any" };

export function body(q) {
    return {
        model: q.model, messages: messages(q), max_tokens: q.max ?? 4096,
        ...(q.system && { system: q.system }),
        ...(q.tools && { tools: q.tools.map((f) => ({
            name: f.name, description: f.description,
            input_schema: f.parameters })) }),
        ...(q.choice && { tool_choice: q.choice.name
            ? { type: "tool", ...q.choice }
            : { type: CHOICES[q.choice] } }),
        ...(q.schema && { output_config: { format: {
            type: "json_schema", schema: q.schema } } }),
        ...(q.stop && { stop_sequences: q.stop }),
        ...(q.temperature && { temperature: q.temperature }),
        ...(q.think && { thinking: { type: "enabled",
                                     budget_tokens: 1024 } }),
    };
}


function result(m) {
    const of = (type) => m.content.filter((b) => b.type == type);
    const u = m.usage;

    return {
        text: of("text").map((b) => b.text).join(""), refusal: "",
        thought: of("thinking").map((b) => b.thinking).join(""),
        calls: of("tool_use").map((b) => ({ id: b.id, name: b.name,
                                            args: b.input })),
        finish: m.stop_reason, sequence: m.stop_sequence, model: m.model,
        usage: { input: u.input_tokens + (u.cache_read_input_tokens ?? 0)
                        + (u.cache_creation_input_tokens ?? 0),
                 output: u.output_tokens,
                 cached: u.cache_read_input_tokens ?? 0,
                 write: u.cache_creation_input_tokens ?? 0 },
        message: m.content,
        forgotten: m.content.filter((b) => b.type != "thinking"),
    };
}


export async function ask(anthropic, q, stream) {
    if (!stream) {
        return result(await anthropic.messages.create(body(q)));
    }

    return result(await anthropic.messages.stream(body(q)).finalMessage());
}


export async function broken(anthropic, q) {
    let text = "";

    try {
        const s = await anthropic.messages.create({ ...body(q),
                                                    stream: true });

        for await (const e of s) {
            text += e.delta?.text ?? "";

            if (e.type == "message_stop") {
                return { text, finish: "message_stop" };
            }
        }

    } catch (error) {
        return { text, error };
    }

    return { text };
}

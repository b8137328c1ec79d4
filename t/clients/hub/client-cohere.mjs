/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of Cohere.
 */


import { Cohere, CohereClientV2, CohereError } from "cohere-ai";


export const name = "cohere";

export const can = { image: true, json: true, none: true, stop: true,
                     sequence: true, raw: true };

export const finish = { stop: "COMPLETE", sequence: "STOP_SEQUENCE",
                        length: "MAX_TOKENS", tools: "TOOL_CALL" };

export const errors = {
    400: [400, Cohere.BadRequestError], 401: [502, CohereError],
    404: [404, Cohere.NotFoundError], 413: [413, CohereError],
    429: [429, Cohere.TooManyRequestsError], 500: [502, CohereError],
    503: [503, Cohere.ServiceUnavailableError],
    529: [503, Cohere.ServiceUnavailableError],
};


export function client(url) {
    return new CohereClientV2({ token: "CANARY", environment: url,
                                maxRetries: 0 });
}


const OPTIONS = { maxRetries: 0, timeoutInSeconds: 10 };


function messages({ system, turns }) {
    const list = system ? [{ role: "system", content: system }] : [];

    for (const t of turns) {
        if (t.results) {
            list.push(...t.results.map((r) => ({
                role: "tool", toolCallId: r.call.id,
                content: r.error ? `Error: ${r.text}` : r.text })));

        } else if (t.said) {
            list.push(t.said.message);

        } else if (t.assistant) {
            list.push({ role: "assistant", content: t.assistant });

        } else {
            list.push({ role: "user", content: t.image
                ? [{ type: "text", text: t.user },
                   { type: "image_url", imageUrl: {
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
        ...(q.choice && q.choice != "auto" && {
            toolChoice: q.choice.toUpperCase() }),
        ...(q.schema && { responseFormat: { type: "json_object",
                                            jsonSchema: q.schema } }),
        ...(q.json && { responseFormat: { type: "json_object" } }),
        ...(q.stop && { stopSequences: q.stop }),
        ...(q.max && { maxTokens: q.max }),
        ...(q.temperature && { temperature: q.temperature }),
        ...(q.think && { thinking: { type: "enabled",
                                     tokenBudget: 1024 } }),
    };
}


function result(m, finishReason, usage) {
    const of = (type) => (m.content ?? []).filter((c) => c.type == type);

    return {
        text: of("text").map((c) => c.text).join("") || m.toolPlan || "",
        refusal: "",
        thought: of("thinking").map((c) => c.thinking).join(""),
        calls: (m.toolCalls ?? []).map((c) => ({
            id: c.id, name: c.function.name, raw: c.function.arguments,
            args: JSON.parse(c.function.arguments || "{}") })),
        finish: finishReason,
        usage: { input: usage.tokens.inputTokens,
                 output: usage.tokens.outputTokens },
        message: m,
        forgotten: { ...m, content: of("text").length ? of("text")
                                                      : undefined },
    };
}


export async function ask(cohere, q, stream) {
    if (!stream) {
        const r = await cohere.chat(body(q), OPTIONS);

        return result(r.message, r.finishReason, r.usage);
    }

    const m = { role: "assistant" };
    const content = [];
    const calls = [];
    let end;

    for await (const e of await cohere.chatStream(body(q), OPTIONS)) {
        const d = e.delta?.message;

        switch (e.type) {

        case "content-start":
            content[e.index] = { ...d.content };
            break;

        case "content-delta":
            for (const [k, v] of Object.entries(d.content)) {
                if (k != "type") {
                    content[e.index][k] = (content[e.index][k] ?? "") + v;
                }
            }

            break;

        case "tool-plan-delta":
            m.toolPlan = (m.toolPlan ?? "") + d.toolPlan;
            break;

        case "tool-call-start":
            calls[e.index] = structuredClone(d.toolCalls);
            break;

        case "tool-call-delta":
            calls[e.index].function.arguments += d.toolCalls.function
                                                  .arguments;
            break;

        case "message-end":
            end = e.delta;
            break;
        }
    }

    return result({ ...m,
                    ...(content.length && {
                        content: content.filter((c) => c) }),
                    ...(calls.length && { toolCalls: calls }) },
                  end.finishReason, end.usage);
}


export async function broken(cohere, q) {
    let text = "";

    try {
        for await (const e of await cohere.chatStream(body(q), OPTIONS)) {
            text += e.delta?.message?.content?.text ?? "";

            if (e.type == "message-end") {
                return e.delta.finishReason == "ERROR"
                    ? { text, error: e.delta }
                    : { text, finish: e.delta.finishReason };
            }
        }

    } catch (error) {
        return { text, error };
    }

    return { text };
}

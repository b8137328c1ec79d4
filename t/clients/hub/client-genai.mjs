/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of Google's Gemini.
 */


import assert from "node:assert/strict";
import { ApiError, GoogleGenAI } from "@google/genai-3";


export const name = "gemini";

export const can = { image: true, json: true, named: true, none: true,
                     thoughts: true, cached: true, stop: true, state: true };

export const finish = { stop: "STOP", sequence: "STOP", length: "MAX_TOKENS",
                        tools: "STOP", filter: "SAFETY" };

export function errorsOf(Library) {
    return Object.fromEntries(Object.entries({
        400: 400, 401: 502, 404: 404, 413: 413, 429: 429, 500: 502,
        503: 503, 529: 503 }).map(([from, to]) => [from, [to, Library]]));
}


export const errors = errorsOf(ApiError);


export function client(url, Library = GoogleGenAI) {
    return new Library({ apiKey: "CANARY", httpOptions: {
        baseUrl: url, timeout: 10000 } });
}


function contents({ turns }) {
    return turns.map((t) => {
        if (t.results) {
            return { role: "user", parts: t.results.map((r) => ({
                functionResponse: {
                    name: r.call.name, ...(r.call.id && { id: r.call.id }),
                    response: { [r.error ? "error" : "result"]: r.text },
                } })) };
        }

        if (t.said) {
            return t.said.message;
        }

        return {
            role: t.assistant ? "model" : "user",
            parts: [{ text: t.user ?? t.assistant },
                    ...(t.image ? [{ inlineData: {
                        mimeType: "image/png",
                        data: t.image.toString("base64") } }] : [])],
        };
    });
}


const CHOICES = { auto: "AUTO", none: "NONE", required: "ANY" };

export function body(q) {
    return {
        model: q.model, contents: contents(q),
        config: {
            ...(q.system && { systemInstruction: q.system }),
            ...(q.tools && { tools: [{ functionDeclarations: q.tools.map(
                (f) => ({ name: f.name, description: f.description,
                          parametersJsonSchema: f.parameters })) }] }),
            ...(q.choice && { toolConfig: { functionCallingConfig:
                q.choice.name
                    ? { mode: "ANY", allowedFunctionNames: [q.choice.name] }
                    : { mode: CHOICES[q.choice] } } }),
            ...(q.schema && { responseMimeType: "application/json",
                              responseJsonSchema: q.schema }),
            ...(q.json && { responseMimeType: "application/json" }),
            ...(q.stop && { stopSequences: q.stop }),
            ...(q.max && { maxOutputTokens: q.max }),
            ...(q.temperature && { temperature: q.temperature }),
            ...(q.think && { thinkingConfig: { includeThoughts: true,
                                               thinkingBudget: 1024 } }),
        },
    };
}


function result(parts, last) {
    const u = last.usageMetadata;
    const plain = parts.filter((p) => p.text !== undefined && !p.thought);

    assert.equal(u.totalTokenCount, u.promptTokenCount
                 + (u.toolUsePromptTokenCount ?? 0)
                 + (u.candidatesTokenCount ?? 0)
                 + (u.thoughtsTokenCount ?? 0));

    return {
        text: plain.map((p) => p.text).join(""), refusal: "",
        thought: parts.filter((p) => p.thought).map((p) => p.text).join(""),
        calls: parts.filter((p) => p.functionCall).map((p) => ({
            id: p.functionCall.id, name: p.functionCall.name,
            args: p.functionCall.args ?? {} })),
        finish: last.candidates[0].finishReason, model: last.modelVersion,
        usage: { input: u.promptTokenCount,
                 output: (u.candidatesTokenCount ?? 0)
                         + (u.thoughtsTokenCount ?? 0),
                 total: u.totalTokenCount,
                 cached: u.cachedContentTokenCount ?? 0,
                 thoughts: u.thoughtsTokenCount ?? 0 },
        message: { role: "model", parts },
        forgotten: { role: "model", parts: parts
            .filter((p) => !p.thought)
            .map(({ thoughtSignature, ...p }) => p) },
    };
}


export async function ask(genai, q, stream) {
    if (!stream) {
        const r = await genai.models.generateContent(body(q));

        return result(r.candidates[0].content?.parts ?? [], r);
    }

    const parts = [];
    let last;

    for await (const r of await genai.models.generateContentStream(body(q))) {
        parts.push(...r.candidates?.[0]?.content?.parts ?? []);
        last = r;
    }

    return result(parts, last);
}


export async function broken(genai, q) {
    let text = "";

    try {
        const s = await genai.models.generateContentStream(body(q));

        for await (const r of s) {
            text += r.text ?? "";

            if (r.candidates?.[0]?.finishReason) {
                return { text, finish: r.candidates[0].finishReason };
            }
        }

    } catch (error) {
        return { text, error };
    }

    return { text };
}

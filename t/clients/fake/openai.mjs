/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * OpenAI's chat/completions and embeddings, as a provider.
 */


import responses from "./responses.mjs";
import { Bad, argumentsText, dataUrl, each, joined, kinds, members, need,
         objectSchema, parseArguments, pieces, sse, stringify,
         toolName } from "./check.mjs";


const FINISH = { stop: "stop", sequence: "stop", length: "length",
                 tools: "tool_calls", filter: "content_filter" };

const BODY = {
    model: "text", messages: "list",
    "frequency_penalty?": "number|null", "logit_bias?": "object|null",
    "logprobs?": "boolean|null", "max_completion_tokens?": "positive|null",
    "max_tokens?": "positive|null", "metadata?": "object|null",
    "modalities?": "array|null", "n?": "positive|null",
    "parallel_tool_calls?": "boolean", "prediction?": "object|null",
    "presence_penalty?": "number|null", "prompt_cache_key?": "string",
    "reasoning_effort?": ["none", "minimal", "low", "medium", "high",
                          "xhigh", "max"],
    "response_format?": "object", "safety_identifier?": "string",
    "seed?": "integer|null", "service_tier?": "string|null",
    "stop?": stop, "store?": "boolean|null", "stream?": "boolean|null",
    "stream_options?": streamOptions, "temperature?": "number|null",
    "tool_choice?": "string|object", "tools?": "list",
    "top_logprobs?": "integer|null", "top_p?": "number|null",
    "user?": "string", "verbosity?": ["low", "medium", "high"],
    "web_search_options?": "object",
};


function stop(v, path) {
    const list = Array.isArray(v) ? v : [v];

    need(v === null || (list.length <= 4 && list.length > 0
         && list.every((s) => typeof s == "string")),
         `${path}: up to 4 strings`, "stop");
}


function streamOptions(v, path) {
    members(v, path, { "include_usage?": "boolean",
                       "include_obfuscation?": "boolean" });
}


function content(value, path, images, documents) {
    if (typeof value == "string") {
        return value;
    }

    need(value.length > 0, `${path}: empty array`, path);

    return each(value, path, (part, at) => {
        const kind = kinds(part, at, {
            text: { text: "string" },
            ...(images && { image_url: { image_url: "object" },
                            file: { file: "object" } }),
        });

        if (kind == "text") {
            return part.text;
        }

        if (kind == "file") {
            members(part.file, `${at}.file`, { file_data: "text",
                                               filename: "text" });
            documents.push(dataUrl(part.file.file_data, at));
            return "";
        }

        const { url } = part.image_url;

        members(part.image_url, `${at}.image_url`,
                { url: "text", "detail?": ["auto", "low", "high"] });
        images.push(/^https:/.test(url) ? { url }
                                        : dataUrl(url, `${at}.image_url`));
        return "";

    }).join("");
}


function assistant(m, path) {
    members(m, path, { role: "string", "content?": "string|list|null",
                       "name?": "string", "refusal?": "string|null",
                       "tool_calls?": "list", "audio?": "any",
                       "reasoning_content?": "string" });

    const calls = each(m.tool_calls ?? [], `${path}.tool_calls`, (c, at) => {
        members(c, at, { id: "text", type: ["function"],
                         function: "object" });
        members(c.function, `${at}.function`,
                { name: "text", arguments: "string" });
        toolName(c.function.name, `${at}.function.name`);

        return { id: c.id, name: c.function.name,
                 args: parseArguments(c.function.arguments,
                                      `${at}.function.arguments`) };
    });

    need(calls.length || (m.content ?? m.refusal ?? null) !== null,
         `${path}.content: expected a string, got null`, path);

    return {
        role: "assistant", images: [], results: [], calls,
        text: m.content ? content(m.content, `${path}.content`)
                        : m.refusal ?? "",
    };
}


/* a run of tool messages is one turn; all calls must be answered by it */

function turns(messages) {
    const system = [];
    const list = [];
    let open = [];

    messages.forEach((m, i) => {
        const path = `messages.${i}`;
        const images = [];
        const documents = [];

        if (m.role == "tool") {
            members(m, path, { role: "string", tool_call_id: "text",
                               content: "string|list" });
            need(open.includes(m.tool_call_id), `${path}: messages with role `
                 + "'tool' must be a response to a preceding message with "
                 + "'tool_calls'", path);
            open = open.filter((id) => id != m.tool_call_id);

            if (list.at(-1).role != "tool") {
                list.push({ role: "tool", text: "", images, calls: [],
                            results: [] });
            }

            list.at(-1).results.push({
                id: m.tool_call_id,
                text: content(m.content, `${path}.content`) });
            return;
        }

        need(open.length == 0, "An assistant message with 'tool_calls' must "
             + "be followed by tool messages responding to each "
             + `'tool_call_id': ${open}`, path);

        switch (m.role) {

        case "system":
        case "developer":
            members(m, path, { role: "string", content: "string|list",
                               "name?": "string" });
            system.push(content(m.content, path));
            break;

        case "user":
            members(m, path, { role: "string", content: "string|list",
                               "name?": "string" });
            list.push({ role: "user", images, documents, calls: [],
                        results: [],
                        text: content(m.content, `${path}.content`,
                                      images, documents) });
            break;

        case "assistant":
            list.push(assistant(m, path));
            open = list.at(-1).calls.map((c) => c.id);
            need(new Set(open).size == open.length,
                 `${path}: duplicate ids of calls`, path);
            break;

        default:
            throw new Bad(`${path}.role: invalid value '${m.role}'`);
        }
    });

    need(open.length == 0, `calls without a result: ${open}`, "messages");

    return { system: joined(system), turns: list };
}


export function choice(value, named) {
    if (value === undefined || typeof value == "string") {
        need(["auto", "none", "required", undefined].includes(value),
             `tool_choice: ${value}`, "tool_choice");
        return value ?? "auto";
    }

    const name = named(value);

    need(name, "tool_choice: no name", "tool_choice");
    return { name };
}


function view(op, body) {
    members(body, "body", BODY);

    if (body.stream_options) {
        need(body.stream, "The 'stream_options' parameter is only allowed "
             + "when 'stream' is enabled.", "stream_options");
    }

    need(!(body.max_tokens && body.max_completion_tokens),
         "Setting 'max_tokens' and 'max_completion_tokens' at the same time "
         + "is not supported.", "max_tokens");

    const reasons = /^(o\d|gpt-5)/.test(body.model);

    need(!reasons || body.max_tokens === undefined,
         "Unsupported parameter: 'max_tokens' is not supported with this "
         + "model. Use 'max_completion_tokens' instead.", "max_tokens");
    need(!reasons || (body.stop ?? null) === null || /5-chat/.test(body.model),
         "Unsupported parameter: 'stop' is not supported with this model.",
         "stop");

    const tools = each(body.tools ?? [], "tools", (t, at) => {
        members(t, at, { type: ["function"], function: "object" });
        members(t.function, `${at}.function`,
                { name: "text", "description?": "string",
                  "parameters?": "object", "strict?": "boolean|null" });
        toolName(t.function.name, `${at}.function.name`);

        if (t.function.parameters) {
            objectSchema(t.function.parameters, `${at}.function.parameters`);
        }

        return { name: t.function.name, schema: t.function.parameters,
                 description: t.function.description };
    });

    need(tools.length || body.tool_choice === undefined
         || body.tool_choice == "none", "'tool_choice' is only allowed when "
         + "'tools' are specified.", "tool_choice");
    need(tools.length || body.parallel_tool_calls === undefined,
         "'parallel_tool_calls' is only allowed when 'tools' are specified.",
         "parallel_tool_calls");

    const format = body.response_format;
    let schema;

    if (format && kinds(format, "response_format", {
        text: {}, json_object: {}, json_schema: { json_schema: "object" },
    }) == "json_schema") {
        members(format.json_schema, "response_format.json_schema",
                { name: "text", "description?": "string", schema: "object",
                  "strict?": "boolean|null" });
        toolName(format.json_schema.name, "response_format.json_schema.name");
        schema = format.json_schema.schema;
    }

    return {
        model: body.model, stream: Boolean(body.stream),
        ...turns(body.messages), tools, schema,
        json: format?.type == "json_object",
        choice: choice(body.tool_choice, (v) => {
            members(v, "tool_choice", { type: ["function"],
                                        function: "object" });
            return v.function.name;
        }),
        stop: [body.stop ?? []].flat(),
        max: body.max_completion_tokens ?? body.max_tokens,
        temperature: body.temperature, topP: body.top_p, seed: body.seed,
        effort: body.reasoning_effort, user: body.user,
        thinking: body.reasoning_effort !== undefined
                  && body.reasoning_effort != "none",
        usage: Boolean(body.stream_options?.include_usage),
        ids: true, id: (n) => `call_${"abcdefghij"[n]}${n}XyZ0123456789`,
    };
}


function usage(u) {
    return {
        prompt_tokens: u.input, completion_tokens: u.output,
        total_tokens: u.input + u.output,
        prompt_tokens_details: { cached_tokens: u.cached, audio_tokens: 0 },
        completion_tokens_details: {
            reasoning_tokens: u.thoughts, audio_tokens: 0,
            accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
    };
}


const of = (answer, what) => answer.parts.filter((p) => what in p);


function call(part) {
    return { id: part.id, type: "function",
             function: { name: part.call,
                         arguments: argumentsText(part.args) } };
}


function json(answer, seen) {
    const calls = of(answer, "call");
    const text = of(answer, "text").map((p) => p.text).join("");
    const refusal = of(answer, "refusal")[0]?.refusal ?? null;
    const thought = of(answer, "thought")[0]?.thought;

    return {
        id: "chatcmpl-fake1", object: "chat.completion", created: 1700000000,
        model: seen.model, service_tier: "default",
        system_fingerprint: "fp_1",
        choices: [{
            index: 0, logprobs: null,
            finish_reason: refusal ? "stop" : FINISH[answer.finish],
            message: {
                role: "assistant", content: text || (calls.length || refusal
                                                     ? null : ""),
                refusal, annotations: [],
                ...(thought && { reasoning_content: thought }),
                ...(calls.length && { tool_calls: calls.map(call) }),
            },
        }],
        usage: usage(answer.usage),
    };
}


function* deltas(answer) {
    let index = 0;

    yield { role: "assistant", content: "", refusal: null };

    for (const part of answer.parts) {
        if ("thought" in part) {
            for (const text of pieces(part.thought)) {
                yield { reasoning_content: text };
            }

        } else if ("text" in part) {
            for (const text of part.pieces ?? pieces(part.text)) {
                yield { content: text };
            }

        } else if ("refusal" in part) {
            for (const text of pieces(part.refusal)) {
                yield { refusal: text };
            }

        } else {
            const { id, type, function: f } = call(part);

            yield { tool_calls: [{ index, id, type,
                                   function: { name: f.name,
                                               arguments: "" } }] };

            for (const text of pieces(f.arguments, 5)) {
                yield { tool_calls: [{ index,
                                       function: { arguments: text } }] };
            }

            index++;
        }
    }
}


function stream(answer, seen) {
    const head = { id: "chatcmpl-fake1", object: "chat.completion.chunk",
                   created: 1700000000, model: seen.model,
                   service_tier: "default", system_fingerprint: "fp_1" };
    const more = seen.usage ? { usage: null } : {};

    const chunk = (delta, finish = null) => sse({
        ...head, choices: [{ index: 0, delta, logprobs: null,
                             finish_reason: finish }],
        ...more, obfuscation: "xY" }, undefined, answer.pretty && 2);

    const list = [...deltas(answer)].map((d) => chunk(d));

    if (answer.cut) {
        return list;
    }

    if (answer.error) {
        return [...list, sse(error(answer.error).body)];
    }

    list.push(chunk({}, of(answer, "refusal").length
                        ? "stop" : FINISH[answer.finish]));

    if (seen.usage) {
        list.push(sse({ ...head, choices: [], usage: usage(answer.usage) }));
    }

    return [...list, sse("[DONE]")];
}


export function error({ status, message, param, type }) {
    const types = { 401: "invalid_request_error", 429: "requests",
                    500: "server_error" };
    const codes = { 401: "invalid_api_key", 404: "model_not_found",
                    429: "rate_limit_exceeded" };

    return { body: { error: {
        message, type: types[status] ?? type ?? "invalid_request_error",
        param: param ?? null, code: codes[status] ?? null } } };
}


/* the vector of a text: the same for the same */

export function vector(text, dimensions = 4) {
    return Array.from({ length: dimensions }, (v, i) =>
        Math.fround(((text.length + 1) * (i + 1) * 0.125) % 1 - 0.5));
}


function embed(body) {
    members(body, "body", { model: "text", input: "text|list",
                            "dimensions?": "positive",
                            "encoding_format?": ["float", "base64"],
                            "user?": "string" });

    const texts = [body.input].flat();

    need(texts.every((t) => typeof t == "string" && t),
         "'$.input' is invalid.", "input");

    return {
        seen: { model: body.model, texts, dimensions: body.dimensions },
        document: {
            object: "list", model: body.model,
            data: texts.map((t, index) => {
                const v = vector(t, body.dimensions);
                const raw = Buffer.from(new Float32Array(v).buffer);

                return { object: "embedding", index,
                         embedding: body.encoding_format == "base64"
                                    ? raw.toString("base64") : v };
            }),
            usage: { prompt_tokens: 11, total_tokens: 11 },
        },
    };
}


export default {
    name: "openai", endpoint: "/v1", key: "authorization: Bearer",
    streamType: "text/event-stream; charset=utf-8",
    route: (path) => ({ "/v1/chat/completions": "chat",
                        "/v1/embeddings": "embed",
                        "/v1/responses": responses })[path],
    view, json, stream, error, embed, stringify,
};

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Google's Gemini, as a provider.
 */


import { bytes, each, joined, members, need, objectSchema, pieces,
         sse, stringify, toolName, union } from "./check.mjs";
import { vector } from "./openai.mjs";


const FINISH = { stop: "STOP", sequence: "STOP", length: "MAX_TOKENS",
                 tools: "STOP", filter: "SAFETY" };

/* accepted in place of a signature, by Google's own words */

const DUMMY = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

const BODY = {
    contents: "list", "systemInstruction?": "object", "tools?": "list",
    "toolConfig?": "object", "generationConfig?": "object",
    "safetySettings?": "array", "cachedContent?": "string",
    "labels?": "object",
};

const CONFIG = {
    "stopSequences?": stops, "responseMimeType?": "string",
    "responseSchema?": "object", "responseJsonSchema?": "object",
    "candidateCount?": "positive", "maxOutputTokens?": "positive",
    "temperature?": "number", "topP?": "number", "topK?": "number",
    "seed?": "integer", "presencePenalty?": "number",
    "frequencyPenalty?": "number", "responseLogprobs?": "boolean",
    "logprobs?": "integer", "thinkingConfig?": thinkingConfig,
    "responseModalities?": "array", "mediaResolution?": "string",
};

/* what Schema knows, of "parameters" and "responseSchema" */

const SCHEMA = new Set(["type", "format", "title", "description", "nullable",
    "enum", "maxItems", "minItems", "properties", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern",
    "example", "anyOf", "propertyOrdering", "default", "items", "minimum",
    "maximum"]);


function stops(v, path) {
    need(Array.isArray(v) && v.length <= 5
         && v.every((s) => typeof s == "string" && s),
         `${path}: up to 5 strings`);
}


function thinkingConfig(v, path) {
    members(v, path, { "includeThoughts?": "boolean",
                       "thinkingBudget?": "integer",
                       "thinkingLevel?": ["minimal", "low", "medium", "high",
                                          "MINIMAL", "LOW", "MEDIUM",
                                          "HIGH"] });
    need(v.thinkingBudget === undefined || v.thinkingLevel === undefined,
         `${path}: You can only set one of budget and level`);
}


function openapi(schema, path) {
    for (const [name, v] of Object.entries(schema)) {
        need(SCHEMA.has(name), "Invalid JSON payload received. Unknown name "
             + `"${name}" at '${path}': Cannot find field.`);

        if (name == "properties") {
            Object.entries(v).forEach(([n, s]) => openapi(s, `${path}.${n}`));

        } else if (name == "items") {
            openapi(v, `${path}.items`);

        } else if (name == "anyOf") {
            v.forEach((s) => openapi(s, `${path}.any_of`));

        } else if (name == "type") {
            need(typeof v == "string", `${path}.type: not one type`);
        }
    }
}


function part(p, path, turn, last) {
    const { thoughtSignature, thought, ...rest } = p;

    need(thoughtSignature === undefined
         || (typeof thoughtSignature == "string"
             && Buffer.from(thoughtSignature, "base64").toString("base64")
                == thoughtSignature),
         `${path}.thoughtSignature: Base64 decoding failed`);
    need(thoughtSignature === undefined || thoughtSignature == DUMMY
         || /^c3RhdGUr/.test(thoughtSignature),
         `${path}: Thought signature is not valid.`);

    const kind = union(rest, path, {
        text: undefined, inlineData: { mimeType: "text", data: "text" },
        functionCall: { name: "text", "args?": "object", "id?": "text" },
        functionResponse: { name: "text", response: "object",
                            "id?": "text" } });

    switch (kind) {

    case "text":
        need(typeof p.text == "string", `${path}.text: not a string`);

        if (thought) {
            turn.thoughts.push({ text: p.text, state: thoughtSignature });

        } else {
            turn.text += p.text;
        }

        break;

    case "inlineData":
        (/^image/.test(p.inlineData.mimeType) ? turn.images
                                              : turn.documents).push({
            mime: p.inlineData.mimeType,
            data: bytes(p.inlineData.data, path) });
        break;

    case "functionCall":
        toolName(p.functionCall.name, `${path}.function_call.name`);
        turn.calls.push({ name: p.functionCall.name,
                          args: p.functionCall.args ?? {},
                          id: p.functionCall.id, state: thoughtSignature });
        break;

    default:
        {
            const { name, response, id } = p.functionResponse;
            const values = Object.values(response);

            turn.results.push({
                name, id, error: "error" in response,
                text: values.length == 1 && typeof values[0] == "string"
                      && /^(result|output|error|content)$/.test(
                          Object.keys(response)[0])
                      ? values[0] : JSON.stringify(response) });
        }
    }

    return last;
}


function turns(contents, strict) {
    const list = [];
    let open = [];

    each(contents, "contents", (c, path) => {
        members(c, path, { "role?": ["user", "model"], parts: "list" });

        const role = c.role ?? "user";
        const turn = { role: role == "model" ? "assistant" : "user",
                       text: "", images: [], documents: [], calls: [],
                       results: [], thoughts: [] };

        need(list.length || role == "user",
             "Please ensure that the first turn is of the user");

        each(c.parts, `${path}.parts`, (p, at) => part(p, at, turn));

        need(role == "model" || !turn.calls.length, "calls of the user");
        need(role == "user" || !turn.results.length, "results of the model");

        if (turn.results.length) {
            need(!turn.text && !turn.images.length,
                 `${path}: function responses have siblings`);
            turn.role = "tool";
        }

        need(turn.results.length == open.length, "Please ensure that the "
             + "number of function response parts is equal to the number of "
             + "function call parts of the function call turn.");

        turn.results.forEach((r, i) => {
            need(r.name == open[i].name,
                 `${path}: response ${i} is of ${r.name}`);
            need(r.id === open[i].id, `${path}: id of response ${i}`);
        });

        need(!strict || !turn.calls.length || turn.calls[0].state,
             "Function call is missing a thought_signature in functionCall "
             + "parts.");

        open = turn.calls;
        list.push(turn);
    });

    need(!open.length, "calls without responses");
    return list;
}


function view(op, body, headers, path) {
    const model = decodeURIComponent(
        /^\/v1beta\/models\/([^:]+):/.exec(path)[1]);

    if (op == "count") {
        members(body, "body", { "contents?": "list",
                                "generateContentRequest?": "object" });
        const inner = body.generateContentRequest ?? body;

        return { ...read({ contents: inner.contents }, model), count: true };
    }

    members(body, "body", BODY);
    return { ...read(body, model), stream: op == "stream",
             sse: /[?&]alt=sse/.test(path) };
}


function read(body, model) {
    const config = body.generationConfig ?? {};
    const strict = /gemini-3/.test(model);

    members(config, "generationConfig", CONFIG);
    need(config.responseMimeType === undefined
         || ["application/json", "text/plain"].includes(
             config.responseMimeType), "responseMimeType");
    need(!(config.responseSchema || config.responseJsonSchema)
         || config.responseMimeType == "application/json",
         "responseMimeType must be application/json with a schema");

    if (config.responseSchema) {
        openapi(config.responseSchema, "responseSchema");
    }

    const tools = each(body.tools ?? [], "tools", (t, at) => {
        members(t, at, { functionDeclarations: "list" });

        return each(t.functionDeclarations, at, (f, path) => {
            members(f, path, { name: "text", "description?": "string",
                               "parameters?": "object",
                               "parametersJsonSchema?": "object" });
            toolName(f.name, `${path}.name`);

            if (f.parameters) {
                openapi(f.parameters, `${path}.parameters`);
                need(/^object$/i.test(f.parameters.type),
                     `${path}.parameters.type`);
                need(Object.keys(f.parameters.properties ?? {}).length,
                     `${path}.parameters.properties: should be non-empty for `
                     + "OBJECT type");
            }

            if (f.parametersJsonSchema) {
                objectSchema(f.parametersJsonSchema, path);
            }

            return { name: f.name, description: f.description,
                     schema: f.parametersJsonSchema ?? f.parameters };
        });
    }).flat();

    let choice = "auto";

    if (body.toolConfig) {
        members(body.toolConfig, "toolConfig", {
            functionCallingConfig: "object" });

        const f = body.toolConfig.functionCallingConfig;

        members(f, "functionCallingConfig", {
            "mode?": ["AUTO", "ANY", "NONE", "VALIDATED"],
            "allowedFunctionNames?": "list" });
        need(!f.allowedFunctionNames || ["ANY", "VALIDATED"].includes(f.mode),
             "Allowed function names should only be set in ANY mode");
        choice = { ANY: "required", NONE: "none" }[f.mode] ?? "auto";

        if (f.allowedFunctionNames?.length == 1 && f.mode == "ANY") {
            choice = { name: f.allowedFunctionNames[0] };
        }
    }

    let system = "";

    if (body.systemInstruction) {
        members(body.systemInstruction, "systemInstruction",
                { "role?": "string", parts: "list" });
        system = joined(each(body.systemInstruction.parts, "system",
            (p, at) => {
                members(p, at, { text: "text" });
                return p.text;
            }));
    }

    const thinking = config.thinkingConfig;

    return {
        model, system, tools, choice, turns: turns(body.contents, strict),
        schema: config.responseJsonSchema ?? config.responseSchema,
        json: config.responseMimeType == "application/json",
        stop: config.stopSequences ?? [], max: config.maxOutputTokens,
        temperature: config.temperature, topP: config.topP,
        topK: config.topK, seed: config.seed,
        effort: thinking?.thinkingLevel ?? thinking?.thinkingBudget,
        thinking: Boolean(thinking?.includeThoughts), ids: false, strict,
        id: (n) => strict ? `fc-${n}-id` : undefined,

        demandState: (assistant, thought, state) => {
            need(assistant.calls[0].state == state
                 && assistant.calls[0].state != DUMMY,
                 `the signature is ${assistant.calls[0].state}`);
        },
    };
}


function usage(u) {
    return {
        promptTokenCount: u.input,
        ...(u.cached && { cachedContentTokenCount: u.cached }),
        candidatesTokenCount: u.output - u.thoughts,
        ...(u.thoughts && { thoughtsTokenCount: u.thoughts }),
        totalTokenCount: u.input + u.output,
        promptTokensDetails: [{ modality: "TEXT", tokenCount: u.input }],
    };
}


/* the signature of a thought is told with the first call, or else text */

function partsOf(answer) {
    const list = [];
    const calls = answer.parts.some((p) => "call" in p);
    let state;

    for (const p of answer.parts) {
        const signed = state && { thoughtSignature: state };

        if ("thought" in p) {
            list.push({ text: p.thought, thought: true });
            state = p.state;
            continue;
        }

        if ("call" in p) {
            list.push({ functionCall: { name: p.call, args: p.args ?? {},
                                        ...(p.id && { id: p.id }) },
                        ...signed });

        } else {
            list.push({ text: p.text ?? p.refusal, from: p,
                        ...(!calls && signed) });

            if (calls) {
                continue;
            }
        }

        state = undefined;
    }

    return list;
}


function document(answer, seen, parts, finish) {
    return {
        candidates: [{
            ...(parts.length && { content: {
                role: "model",
                parts: parts.map(({ from, ...p }) => p) } }),
            ...(finish && { finishReason: FINISH[answer.finish] }),
            index: 0 }],
        usageMetadata: usage(answer.usage), modelVersion: seen.model,
        responseId: "resp-fake1",
    };
}


function json(answer, seen) {
    return document(answer, seen, partsOf(answer), true);
}


function stream(answer, seen) {
    const chunks = [];

    for (const p of partsOf(answer)) {
        if (p.functionCall) {
            chunks.push([p]);
            continue;
        }

        const texts = p.from?.pieces ?? pieces(p.text, 9);

        texts.forEach((text, i) => {
            const { thoughtSignature, from, ...rest } = p;

            chunks.push([{ ...rest, text,
                           ...(i == texts.length - 1 && thoughtSignature
                               && { thoughtSignature }) }]);
        });
    }

    const list = chunks.map((parts) => document(answer, seen, parts, false));

    if (answer.error) {
        list.push(error(answer.error).body);

    } else if (!answer.cut) {
        list.push(document(answer, seen, [], true));
    }

    need(seen.sse, "the stream was asked for without alt=sse");

    return list.map((d) => sse(d, undefined, answer.pretty && 2)
        .replaceAll("\n", "\r\n"));
}


const STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
};

export function error({ status, message }) {
    const details = status == 429
        ? [{ "@type": "type.googleapis.com/google.rpc.RetryInfo",
             retryDelay: "7s" }] : undefined;

    return { body: { error: { code: status, message,
                              status: STATUS[status] ?? "UNKNOWN",
                              details } },
             retryInfo: true };
}


function embed(body, path) {
    const model = decodeURIComponent(
        /^\/v1beta\/models\/([^:]+):/.exec(path)[1]);
    const batch = path.includes(":batch");
    const requests = batch ? body.requests : [body];

    if (batch) {
        members(body, "body", { requests: "list" });
    }

    const texts = each(requests, "requests", (r, at) => {
        members(r, at, { [batch ? "model" : "model?"]: "text",
                         content: "object", "taskType?": "string",
                         "title?": "string",
                         "outputDimensionality?": "positive" });
        need(!r.model || r.model == `models/${model}`,
             `${at}.model is ${r.model}`);
        members(r.content, `${at}.content`, { "role?": "string",
                                              parts: "list" });
        return r.content.parts.map((p) => p.text).join("");
    });

    const vectors = texts.map((t, i) => ({
        values: vector(t, requests[i].outputDimensionality) }));

    return {
        seen: { model, texts, dimensions: requests[0].outputDimensionality,
                type: requests[0].taskType },
        document: batch ? { embeddings: vectors }
                        : { embedding: vectors[0] },
    };
}


export default {
    name: "gemini", endpoint: "/v1beta", key: "x-goog-api-key:",
    streamType: "text/event-stream",
    route: (path) => ({
        generateContent: "json", streamGenerateContent: "stream",
        countTokens: "count", embedContent: "embed",
        batchEmbedContents: "embed",
    })[/^\/v1beta\/models\/[^/:]+:(\w+)/.exec(path)?.[1]],
    view, json, stream, error, embed, stringify,
    count: () => ({ totalTokens: 4242 }),
};

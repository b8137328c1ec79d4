/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Cohere's chat and embed, version 2, as a provider.
 */


import { Bad, argumentsText, dataUrl, each, joined, kinds, members, need,
         objectSchema, parseArguments, pieces, sse, stringify,
         toolName } from "./check.mjs";
import { vector } from "./openai.mjs";


const FINISH = { stop: "COMPLETE", sequence: "STOP_SEQUENCE",
                 length: "MAX_TOKENS", tools: "TOOL_CALL", filter: "ERROR" };

const BODY = {
    model: "text", messages: "list", "stream?": "boolean",
    "tools?": "array", "strict_tools?": "boolean", "documents?": "array",
    "citation_options?": "object", "response_format?": "object",
    "safety_mode?": "string", "max_tokens?": "positive",
    "stop_sequences?": "array", "temperature?": "number",
    "seed?": "integer", "frequency_penalty?": "number",
    "presence_penalty?": "number", "k?": "integer", "p?": "number",
    "logprobs?": "boolean", "tool_choice?": ["REQUIRED", "NONE"],
    "thinking?": "object", "priority?": "integer",
};


function content(value, path, images) {
    if (typeof value == "string") {
        return value;
    }

    return each(value, path, (p, at) => {
        const kind = kinds(p, at, {
            text: { text: "string" }, image_url: { image_url: "object" },
            document: { document: "object" } });

        if (kind == "text") {
            return p.text;
        }

        if (kind == "document") {
            members(p.document, at, { data: "any", "id?": "string" });
            return typeof p.document.data == "string"
                ? p.document.data : JSON.stringify(p.document.data);
        }

        members(p.image_url, at, { url: "text", "detail?": "string" });
        need(images, `${at}: no images here`);
        images.push(/^https:/.test(p.image_url.url)
            ? { url: p.image_url.url } : dataUrl(p.image_url.url, at));
        return "";
    }).join("");
}


function assistant(m, path) {
    const turn = { role: "assistant", text: "", images: [], results: [],
                   thoughts: [] };

    members(m, path, { role: "string", "content?": "text|list|null",
                       "tool_calls?": "list", "tool_plan?": "string",
                       "citations?": "array" });

    turn.calls = each(m.tool_calls ?? [], `${path}.tool_calls`, (c, at) => {
        members(c, at, { id: "text", type: ["function"],
                         function: "object" });
        members(c.function, at, { name: "text", arguments: "string" });
        return { id: c.id, name: c.function.name,
                 args: parseArguments(c.function.arguments || "{}", at) };
    });

    if (typeof m.content == "string") {
        turn.text = m.content;

    } else {
        each(m.content ?? [], `${path}.content`, (p, at) => {
            if (kinds(p, at, { text: { text: "string" },
                               thinking: { thinking: "string" } }) == "text")
            {
                turn.text += p.text;

            } else {
                turn.thoughts.push({ text: p.thinking });
            }
        });
    }

    turn.text = turn.text || m.tool_plan || "";
    need(turn.text || turn.calls.length || turn.thoughts.length,
         `${path}: an assistant message must have content or tool calls`);

    return turn;
}


function turns(messages) {
    const list = [];
    const system = [];
    let open = [];

    each(messages, "messages", (m, path) => {
        const images = [];

        need(m.role == "tool" || !open.length,
             `${path}: tool calls ${open} have no results`);

        switch (m.role) {

        case "system":
            members(m, path, { role: "string", content: "text|list" });
            system.push(content(m.content, path));
            break;

        case "user":
            members(m, path, { role: "string", content: "text|list" });
            list.push({ role: "user", images, calls: [], results: [],
                        text: content(m.content, path, images) });
            break;

        case "assistant":
            list.push(assistant(m, path));
            open = list.at(-1).calls.map((c) => c.id);
            break;

        case "tool":
            members(m, path, { role: "string", tool_call_id: "text",
                               content: "text|list" });
            need(open.includes(m.tool_call_id),
                 `${path}: tool_call_id ${m.tool_call_id} has no call`);
            open = open.filter((id) => id != m.tool_call_id);

            if (list.at(-1).role != "tool") {
                list.push({ role: "tool", text: "", images, calls: [],
                            results: [] });
            }

            list.at(-1).results.push({ id: m.tool_call_id,
                                       text: content(m.content, path) });
            break;

        default:
            throw new Bad(`${path}.role: ${m.role}`);
        }
    });

    need(!open.length, `tool calls ${open} have no results`);

    return { turns: list, system: joined(system) };
}


function view(op, body) {
    members(body, "body", BODY);
    need((body.temperature ?? 0) <= 1, "temperature must be between 0 and 1");
    need((body.stop_sequences ?? []).length <= 5, "too many stop sequences");

    const tools = each(body.tools ?? [], "tools", (t, at) => {
        members(t, at, { type: ["function"], function: "object" });
        members(t.function, at, { name: "text", "description?": "string",
                                  parameters: "object" });
        toolName(t.function.name, at, 256);
        objectSchema(t.function.parameters, at);
        return { name: t.function.name, description: t.function.description,
                 schema: t.function.parameters };
    });

    need(tools.length || !body.tool_choice, "tool_choice without tools");

    const format = body.response_format ?? { type: "text" };

    kinds(format, "response_format", {
        text: {}, json_object: { "schema?": "object",
                                 "json_schema?": "object" } });

    if (body.thinking) {
        kinds(body.thinking, "thinking", {
            enabled: { "token_budget?": "positive" }, disabled: {} });
    }

    const schema = format.schema ?? format.json_schema;

    return {
        model: body.model, stream: Boolean(body.stream),
        ...turns(body.messages), tools, schema,
        json: format.type == "json_object", filters: true,
        choice: { REQUIRED: "required", NONE: "none" }[body.tool_choice]
                ?? "auto",
        stop: body.stop_sequences ?? [], max: body.max_tokens,
        temperature: body.temperature, topP: body.p, topK: body.k,
        seed: body.seed, effort: body.thinking?.token_budget,
        thinking: body.thinking?.type == "enabled",
        ids: true, id: (n) => `get_weather_${"abc"[n - 1]}${n}x`,
    };
}


function usage(u) {
    return {
        billed_units: { input_tokens: 5, output_tokens: u.output },
        tokens: { input_tokens: u.input, output_tokens: u.output,
                  ...(u.thoughts && { reasoning_tokens: u.thoughts }) },
        cached_tokens: u.cached,
    };
}


function call(part) {
    return { id: part.id, type: "function",
             function: { name: part.call,
                         arguments: argumentsText(part.args, "") } };
}


/* the text in front of calls is their plan */

function split(answer) {
    const calls = answer.parts.filter((p) => "call" in p);
    const rest = answer.parts.filter((p) => !("call" in p));
    const plan = calls.length
        ? rest.filter((p) => "text" in p).map((p) => p.text).join("") : "";

    return { calls, plan,
             blocks: plan ? rest.filter((p) => !("text" in p)) : rest };
}


function block(part) {
    return "thought" in part ? { type: "thinking", thinking: part.thought }
                             : { type: "text",
                                 text: part.text ?? part.refusal };
}


function json(answer) {
    const { calls, plan, blocks } = split(answer);

    return {
        id: "fake-1", finish_reason: FINISH[answer.finish],
        message: {
            role: "assistant",
            ...(blocks.length && { content: blocks.map(block) }),
            ...(plan && { tool_plan: plan }),
            ...(calls.length && { tool_calls: calls.map(call) }),
        },
        usage: usage(answer.usage),
    };
}


function stream(answer) {
    const { calls, plan, blocks } = split(answer);
    const list = [];
    let index = 0;

    const event = (type, data) => list.push(sse({ type, ...data }, type,
                                                answer.pretty && 2));
    const message = (m) => ({ delta: { message: m } });

    event("message-start", { id: "fake-1", ...message({
        role: "assistant", content: [], tool_plan: "", tool_calls: [],
        citations: [] }) });

    for (const part of blocks) {
        const b = block(part);
        const name = b.type;

        event("content-start", { index, ...message({
            content: { type: name, [name]: "" } }) });

        for (const text of part.pieces ?? pieces(b[name])) {
            event("content-delta", { index, ...message({
                content: { [name]: text } }) });
        }

        if (!answer.cut && !answer.error) {
            event("content-end", { index });
        }

        index++;
    }

    for (const text of pieces(plan)) {
        event("tool-plan-delta", message({ tool_plan: text }));
    }

    calls.forEach((part, i) => {
        const c = call(part);
        const { arguments: text, name } = c.function;

        event("tool-call-start", { index: i, ...message({ tool_calls: {
            ...c, function: { name, arguments: "" } } }) });

        for (const t of pieces(text, 5)) {
            event("tool-call-delta", { index: i, ...message({ tool_calls: {
                function: { arguments: t } } }) });
        }

        event("tool-call-end", { index: i });
    });

    if (answer.cut) {
        return list;
    }

    event("message-end", answer.error
        ? { delta: { finish_reason: "ERROR", usage: {},
                     error: answer.error.message,
                     error_type: "INTERNAL" } }
        : { delta: { finish_reason: FINISH[answer.finish],
                     usage: usage(answer.usage) } });

    return [...list, sse("[DONE]")];
}


export function error({ message }) {
    return { body: { id: "fake-err", message } };
}


function embed(body) {
    members(body, "body", {
        model: "text", "texts?": "list", "inputs?": "list",
        input_type: ["search_document", "search_query", "classification",
                     "clustering", "image"],
        "embedding_types?": "list", "output_dimension?": "positive",
        "truncate?": ["NONE", "START", "END"], "max_tokens?": "positive",
        "images?": "list" });

    const texts = body.texts
        ?? body.inputs.map((i) => i.content.map((c) => c.text).join(""));
    const types = body.embedding_types ?? ["float"];
    const vectors = texts.map((t) => vector(t, body.output_dimension));

    return {
        seen: { model: body.model, texts, type: body.input_type,
                dimensions: body.output_dimension },
        document: {
            id: "fake-e", texts,
            embeddings: Object.fromEntries(types.map((type) => [
                type, vectors.map((v) => type == "float" ? v
                    : Buffer.from(new Float32Array(v).buffer)
                            .toString("base64"))])),
            meta: { api_version: { version: "2" },
                    billed_units: { input_tokens: 11 } },
            response_type: "embeddings_by_type",
        },
    };
}


export default {
    name: "cohere", endpoint: "/v2", key: "authorization: Bearer",
    streamType: "text/event-stream",
    route: (path) => ({ "/v2/chat": "chat", "/v2/embed": "embed" })[path],
    view, json, stream, error, embed, stringify,
};

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Anthropic's messages, as a provider.
 */


import { argumentsText, bytes, each, joined, kinds, members, need,
         objectSchema, pieces, sse, stringify, toolName } from "./check.mjs";


const FINISH = { stop: "end_turn", sequence: "stop_sequence",
                 length: "max_tokens", tools: "tool_use",
                 filter: "refusal" };

const VERSIONS = ["2023-06-01", "2026-10-21"];

const BODY = {
    model: "text", messages: "list", max_tokens: "positive",
    "metadata?": metadata, "service_tier?": ["auto", "standard_only"],
    "stop_sequences?": stops, "stream?": "boolean",
    "system?": "text|list", "temperature?": "number", "top_p?": "number",
    "top_k?": "integer", "thinking?": "object", "tool_choice?": "object",
    "tools?": "list", "output_config?": "object",
    "cache_control?": "object", "context_management?": "object",
};

const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

const CACHE = { "cache_control?": cache };


function metadata(v, path) {
    members(v, path, { "user_id?": "string|null" });
}


function stops(v, path) {
    each(v, path, (s) => need(typeof s == "string" && s.trim(),
        `${path}: each stop sequence must contain non-whitespace`));
}


function cache(v, path) {
    if (v !== null) {
        members(v, path, { type: ["ephemeral"], "ttl?": ["5m", "1h"],
                           "scope?": "any" });
    }
}


function source(s, path, kinds64) {
    if (kinds(s, path, { base64: { media_type: kinds64, data: "text" },
                         url: { url: "text" } }) == "url")
    {
        return { url: s.url };
    }

    return { mime: s.media_type, data: bytes(s.data, path) };
}


function resultText(value, path, images) {
    if (value === undefined || typeof value == "string") {
        return value ?? "";
    }

    return each(value, path, (part, at) => {
        const kind = kinds(part, at, {
            text: { text: "text", ...CACHE },
            image: { source: "object", ...CACHE } });

        if (kind == "image") {
            images.push(source(part.source, at, IMAGES));
            return "";
        }

        return part.text;
    }).join("");
}


const USER = {
    text: { text: "text", "citations?": "any", ...CACHE },
    image: { source: "object", ...CACHE },
    document: { source: "object", "title?": "string|null",
                "context?": "string|null", "citations?": "any", ...CACHE },
    tool_result: { tool_use_id: "text", "content?": "string|array",
                   "is_error?": "boolean", ...CACHE },
};

const ASSISTANT = {
    text: { text: "text", "citations?": "any", ...CACHE },
    thinking: { thinking: "string", signature: "text" },
    redacted_thinking: { data: "text" },
    tool_use: { id: "text", name: "text", input: "object", "caller?": "any",
                ...CACHE },
};


function userTurn(blocks, path, open, last) {
    const turn = { role: "user", text: "", images: [], documents: [],
                   calls: [], results: [] };
    let left = open;

    each(blocks, path, (b, at) => {
        const kind = kinds(b, at, USER);

        if (kind == "tool_result") {
            need(left.includes(b.tool_use_id), `${at}: unexpected `
                 + "`tool_use_id` found in `tool_result` blocks: "
                 + `${b.tool_use_id}`);
            need(!turn.text, `${at}: text in front of a tool result`);
            left = left.filter((id) => id != b.tool_use_id);

            const images = [];

            turn.results.push({ id: b.tool_use_id, error: b.is_error, images,
                                text: resultText(b.content, at, images) });

        } else if (kind == "text") {
            turn.text += b.text;

        } else {
            (kind == "image" ? turn.images : turn.documents).push(
                source(b.source, `${at}.source`, kind == "image"
                       ? IMAGES : ["application/pdf"]));
        }
    });

    need(left.length == 0, `${path}: \`tool_use\` ids were found without `
         + `\`tool_result\` blocks immediately after: ${left}`);

    const turns = [];

    if (turn.results.length) {
        turns.push({ ...turn, role: "tool", text: "", images: [] });
        turn.results = [];
    }

    if (turn.text || turn.images.length || last) {
        turns.push(turn);
    }

    return turns.length > 1 && !turn.text && !turn.images.length
        ? turns.slice(0, 1) : turns;
}


function assistantTurn(blocks, path, thinking) {
    const turn = { role: "assistant", text: "", images: [], calls: [],
                   results: [], thoughts: [] };

    each(blocks, path, (b, at) => {
        const kind = kinds(b, at, ASSISTANT);

        if (kind == "text") {
            need(!turn.calls.length, `${at}: text behind tool_use`);
            turn.text += b.text;

        } else if (kind == "tool_use") {
            toolName(b.name, `${at}.name`, 128);
            need(/^[a-zA-Z0-9_-]+$/.test(b.id), `${at}.id: String should `
                 + "match pattern '^[a-zA-Z0-9_-]+$'");
            turn.calls.push({ id: b.id, name: b.name, args: b.input });

        } else {
            need(!turn.text && !turn.calls.length,
                 `${at}: thinking must come first`);
            need(kind != "thinking" || /^c3RhdGUr/.test(b.signature),
                 `${at}: Invalid \`signature\` in \`thinking\` block`);
            turn.thoughts.push({ text: b.thinking, state: b.signature });
        }
    });

    need(!thinking || !turn.calls.length || turn.thoughts.length,
         `${path}.0.type: Expected \`thinking\` or \`redacted_thinking\`, `
         + "but found `tool_use`. When `thinking` is enabled, a final "
         + "`assistant` message must start with a thinking block");

    return turn;
}


function turns(messages, thinking) {
    const list = [];
    let open = [];

    messages.forEach((m, i) => {
        const path = `messages.${i}`;
        const last = i == messages.length - 1;

        members(m, path, { role: ["user", "assistant"],
                           content: "text|list" });
        need(i > 0 || m.role == "user", "messages: first message must use "
             + "the \"user\" role");
        need(messages[i - 1]?.role != m.role, "messages: roles must "
             + "alternate between \"user\" and \"assistant\"");

        const blocks = typeof m.content == "string"
            ? [{ type: "text", text: m.content }] : m.content;

        if (m.role == "user") {
            list.push(...userTurn(blocks, `${path}.content`, open, false));
            open = [];

        } else {
            list.push(assistantTurn(blocks, `${path}.content`,
                                    thinking && i >= messages.length - 2));
            open = list.at(-1).calls.map((c) => c.id);
            need(new Set(open).size == open.length, "duplicate ids");
            need(!last || !open.length, "calls in the last message");
        }
    });

    return list;
}


function thoughts(body) {
    const t = body.thinking;

    if (!t || kinds(t, "thinking", {
        enabled: { budget_tokens: "positive", "display?": "string" },
        adaptive: { "display?": "string" }, disabled: {},
    }) == "disabled") {
        return false;
    }

    need(t.type != "enabled" || (t.budget_tokens >= 1024
         && t.budget_tokens < body.max_tokens),
         "`max_tokens` must be greater than `thinking.budget_tokens`, which "
         + "must be at least 1024");
    need((body.temperature ?? 1) == 1, "`temperature` may only be set to 1 "
         + "when thinking is enabled");
    need(body.top_k === undefined, "`top_k` must be unset when thinking");
    need(!["any", "tool"].includes(body.tool_choice?.type), "Thinking may "
         + "not be enabled when tool_choice forces tool use.");

    return true;
}


function view(op, body, headers) {
    need(VERSIONS.includes(headers["anthropic-version"]),
         `anthropic-version: ${headers["anthropic-version"]} is no version`);

    const count = op == "count";

    if (count) {
        body = { max_tokens: 1e6, ...body };
    }

    members(body, "body", BODY);
    need(!(body.temperature !== undefined && body.top_p !== undefined),
         "`temperature` and `top_p` cannot both be specified for this model");
    need((body.temperature ?? 0) <= 1, "temperature: range: 0..1");

    const thinking = thoughts(body);

    const system = typeof body.system == "string" ? body.system
        : joined(each(body.system ?? [], "system", (b, at) => {
            kinds(b, at, { text: { text: "text", ...CACHE } });
            return b.text;
        }));

    const tools = each(body.tools ?? [], "tools", (t, at) => {
        members(t, at, { "type?": ["custom", null], name: "text",
                         "description?": "string", input_schema: "object",
                         "strict?": "boolean", "eager_input_streaming?":
                         "any", "defer_loading?": "boolean", ...CACHE });
        toolName(t.name, `${at}.name`, 128);
        objectSchema(t.input_schema, `${at}.input_schema`);
        return { name: t.name, description: t.description,
                 schema: t.input_schema };
    });

    need(new Set(tools.map((t) => t.name)).size == tools.length,
         "tools: Tool names must be unique.");

    let choice = "auto";

    if (body.tool_choice) {
        need(tools.length, "tool_choice: tools must be given");

        const kind = kinds(body.tool_choice, "tool_choice", {
            auto: { "disable_parallel_tool_use?": "boolean" },
            any: { "disable_parallel_tool_use?": "boolean" },
            tool: { name: "text", "disable_parallel_tool_use?": "boolean" },
            none: {} });

        choice = { auto: "auto", any: "required", none: "none",
                   tool: { name: body.tool_choice.name } }[kind];
    }

    const config = body.output_config ?? {};

    members(config, "output_config", {
        "effort?": ["low", "medium", "high", "max"], "format?": "object" });

    if (config.format) {
        kinds(config.format, "output_config.format",
              { json_schema: { schema: "object" } });
    }

    const list = turns(body.messages, thinking);

    need(tools.length || !list.some((t) => t.calls.length),
         "Requests which include `tool_use` or `tool_result` blocks must "
         + "define tools");

    return {
        model: body.model, stream: Boolean(body.stream), system, tools,
        turns: list, choice, schema: config.format?.schema,
        stop: body.stop_sequences ?? [], max: body.max_tokens,
        temperature: body.temperature, topP: body.top_p, topK: body.top_k,
        effort: config.effort, user: body.metadata?.user_id, thinking,
        ids: true, id: (n) => `toolu_${"abcdefghij"[n]}${n}XyZ0123456789`,
        count,

        demandState: (assistant, thought, state) => {
            const [t] = assistant.thoughts;

            need(t, "Expected `thinking`, but found `tool_use`");
            need(t.state == state && t.text == thought,
                 "`thinking` blocks cannot be modified");
        },
    };
}


function usage(u) {
    return {
        input_tokens: u.input - u.cached - u.write,
        cache_creation_input_tokens: u.write,
        cache_read_input_tokens: u.cached,
        cache_creation: { ephemeral_5m_input_tokens: u.write,
                          ephemeral_1h_input_tokens: 0 },
        output_tokens: u.output, service_tier: "standard",
    };
}


function block(part) {
    if ("thought" in part) {
        return { type: "thinking", thinking: part.thought,
                 signature: part.state };
    }

    if ("call" in part) {
        return { type: "tool_use", id: part.id, name: part.call,
                 input: part.args ?? {} };
    }

    return { type: "text", text: part.text ?? part.refusal };
}


function json(answer, seen) {
    return {
        id: "msg_fake1", type: "message", role: "assistant",
        model: seen.model, content: answer.parts.map(block),
        stop_reason: FINISH[answer.finish],
        stop_sequence: answer.sequence ?? null, usage: usage(answer.usage),
    };
}


function* blockDeltas(part) {
    if ("thought" in part) {
        for (const thinking of pieces(part.thought)) {
            yield { type: "thinking_delta", thinking };
        }

        yield { type: "signature_delta", signature: part.state };

    } else if ("call" in part) {
        yield { type: "input_json_delta", partial_json: "" };

        for (const text of pieces(argumentsText(part.args, ""), 5)) {
            yield { type: "input_json_delta", partial_json: text };
        }

    } else {
        const { text } = block(part);

        for (const t of part.pieces ?? pieces(text)) {
            yield { type: "text_delta", text: t };
        }
    }
}


const STARTS = {
    thinking: { thinking: "", signature: "" }, text: { text: "" },
    tool_use: { input: {} },
};


function stream(answer, seen) {
    const list = [];
    const event = (type, data = {}) => list.push(
        sse({ type, ...data }, type, answer.pretty && 2));

    event("message_start", { message: {
        ...json(answer, seen), content: [], stop_reason: null,
        stop_sequence: null,
        usage: { ...usage(answer.usage), output_tokens: 1 } } });

    answer.parts.forEach((part, index) => {
        const b = block(part);

        event("content_block_start", {
            index, content_block: { ...b, ...STARTS[b.type] } });

        if (index == 0) {
            event("ping");
        }

        for (const delta of blockDeltas(part)) {
            event("content_block_delta", { index, delta });
        }

        if (!answer.cut && !answer.error) {
            event("content_block_stop", { index });
        }
    });

    if (answer.error) {
        list.push(sse(error({ ...answer.error, status: 529 }).body,
                      "error"));
        return list;
    }

    if (answer.cut) {
        return list;
    }

    event("message_delta", {
        delta: { stop_reason: FINISH[answer.finish],
                 stop_sequence: answer.sequence ?? null },
        usage: { ...usage(answer.usage), cache_creation: undefined,
                 service_tier: undefined } });
    event("message_stop");

    return list;
}


const TYPES = {
    400: "invalid_request_error", 401: "authentication_error",
    404: "not_found_error", 413: "request_too_large",
    429: "rate_limit_error", 500: "api_error", 503: "api_error",
    529: "overloaded_error",
};

export function error({ status, message }) {
    return { body: { type: "error",
                     error: { details: null, type: TYPES[status], message },
                     request_id: "req_fake1" } };
}


export default {
    name: "anthropic", endpoint: "/v1", key: "x-api-key:",
    streamType: "text/event-stream; charset=utf-8",
    route: (path) => ({ "/v1/messages": "messages",
                        "/v1/messages/count_tokens": "count" })[path],
    view, json, stream, error, stringify,
    count: () => ({ input_tokens: 4242 }),
};

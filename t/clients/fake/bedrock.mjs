/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Amazon Bedrock's Converse, as a provider: signatures are calculated anew,
 * streams are binary.
 */


import crypto from "node:crypto";
import zlib from "node:zlib";
import { Bad, argumentsText, bytes, each, joined, members, need,
         objectSchema, pieces, stringify, toolName, union } from "./check.mjs";


const FINISH = { stop: "end_turn", sequence: "stop_sequence",
                 length: "max_tokens", tools: "tool_use",
                 filter: "content_filtered" };

export const AWS = { id: "AKIAFAKE4711", secret: "secret/of+fake",
                     region: "us-west-2" };

const BODY = {
    messages: "list", "system?": "array", "inferenceConfig?": "object",
    "toolConfig?": "object", "additionalModelRequestFields?": "object",
    "additionalModelResponseFieldPaths?": "array", "outputConfig?": "object",
    "guardrailConfig?": "object", "requestMetadata?": "object",
    "performanceConfig?": "object", "serviceTier?": "object",
    "promptVariables?": "object",
};


/* "POST\n/path%253A\n\nhost:...": what AWS would sign, from what came */

function signature(req, scope, signed) {
    const [path, query = ""] = req.url.split("?");
    const hex = (text) => crypto.createHash("sha256").update(text)
                                .digest("hex");
    const mac = (key, text) => crypto.createHmac("sha256", key).update(text)
                                     .digest();

    const canonical = [
        req.method,
        path.split("/").map((s) => encodeURIComponent(s)
            .replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16)
                                                .toUpperCase())).join("/"),
        query,
        ...signed.map((name) => `${name}:${req.headers[name].trim()}`),
        "", signed.join(";"), hex(req.bytes)].join("\n");

    const text = ["AWS4-HMAC-SHA256", req.headers["x-amz-date"],
                  scope.join("/"), hex(canonical)].join("\n");

    const key = scope.reduce(mac, "AWS4" + AWS.secret);

    return mac(key, text).toString("hex");
}


function authorize(req) {
    const refuse = (message) => {
        throw new Bad(message, { status: 403,
                                 type: "InvalidSignatureException" });
    };

    const found = new RegExp("^AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), "
        + "SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$")
        .exec(req.headers.authorization ?? "");

    if (!found) {
        refuse("no signature: " + req.headers.authorization);
    }

    const [, id, scope, names, sent] = found;
    const parts = scope.split("/");
    const signed = names.split(";");
    const date = req.headers["x-amz-date"];

    if (id != AWS.id || parts.slice(1).join("/")
        != `${AWS.region}/bedrock/aws4_request`)
    {
        refuse(`credential: ${id}/${scope}`);
    }

    if (!/^\d{8}T\d{6}Z$/.test(date) || !date.startsWith(parts[0])) {
        refuse(`date: ${date}`);
    }

    if (!signed.includes("host") || !signed.includes("x-amz-date")
        || signed.join() != [...signed].sort().join())
    {
        refuse(`signed headers: ${names}`);
    }

    if (signature(req, parts, signed) != sent) {
        refuse("The request signature we calculated does not match the "
               + "signature you provided.");
    }
}


function resultText(list, path, images) {
    need(list.length, `${path}: content of a tool result is empty`);

    return each(list, path, (c, at) => {
        const kind = union(c, at, { text: undefined, json: undefined,
                                    image: { format: "text",
                                             source: "object" } });

        need(kind != "text" || c.text, `${at}: The text field is blank`);

        if (kind == "image") {
            images.push({ data: bytes(c.image.source.bytes, at) });
        }

        return kind == "json" ? JSON.stringify(c.json) : c.text ?? "";
    }).join("");
}


function block(b, path, turn) {
    const kind = union(b, path, {
        text: undefined,
        image: { format: ["png", "jpeg", "gif", "webp"], source: "object" },
        document: { format: ["pdf", "txt"], name: "text",
                    source: "object" },
        toolUse: { toolUseId: "text", name: "text", input: "object" },
        toolResult: { toolUseId: "text", content: "array",
                      "status?": ["success", "error"] },
        reasoningContent: { "reasoningText?": "object",
                            "redactedContent?": "text" },
        cachePoint: { type: ["default"], "ttl?": "string" } });

    switch (kind) {

    case "text":
        need(b.text.trim(), `${path}: The text field in the ContentBlock `
             + "object is blank");
        turn.text += b.text;
        break;

    case "image":
        members(b.image.source, path, { bytes: "text" });
        turn.images.push({ mime: `image/${b.image.format}`,
                           data: bytes(b.image.source.bytes, path) });
        break;

    case "toolUse":
        toolName(b.toolUse.name, path);
        need(/^[a-zA-Z0-9_-]{1,64}$/.test(b.toolUse.toolUseId),
             `${path}.toolUseId: ${b.toolUse.toolUseId}`);
        turn.calls.push({ id: b.toolUse.toolUseId, name: b.toolUse.name,
                          args: b.toolUse.input });
        break;

    case "toolResult":
        {
            const images = [];

            turn.results.push({ id: b.toolResult.toolUseId, images,
                                error: b.toolResult.status == "error",
                                text: resultText(b.toolResult.content, path,
                                                 images) });
        }

        break;

    case "document":
        members(b.document.source, path, { bytes: "text" });
        need(/^[A-Za-z0-9 ()[\]-]+$/.test(b.document.name)
             && !/ {2}/.test(b.document.name),
             `${path}: the name "${b.document.name}"`);
        turn.documents.push({ data: bytes(b.document.source.bytes, path) });
        break;

    case "reasoningContent":
        if (b.reasoningContent.reasoningText) {
            members(b.reasoningContent.reasoningText, path,
                    { text: "string", signature: "text" });
            need(b.reasoningContent.reasoningText.signature
                 .startsWith("c3RhdGUr"), "Invalid `signature` in thinking");
        }

        turn.thoughts.push({
            text: b.reasoningContent.reasoningText?.text,
            state: b.reasoningContent.reasoningText?.signature });
        break;
    }
}


function turns(messages) {
    const list = [];
    let open = [];

    each(messages, "messages", (m, path) => {
        const turn = { role: m.role, text: "", images: [], documents: [],
                       calls: [], results: [], thoughts: [] };

        members(m, path, { role: ["user", "assistant"], content: "list" });
        need(list.length || m.role == "user",
             "A conversation must start with a user message.");
        need(messages[messages.indexOf(m) - 1]?.role != m.role,
             "A conversation must alternate between user and assistant "
             + "roles.");

        each(m.content, `${path}.content`, (b, at) => block(b, at, turn));

        const ids = turn.results.map((r) => r.id);

        need(ids.length == open.length && ids.every((i) => open.includes(i)),
             "Expected toolResult blocks for the following Ids: "
             + `${open}, but found: ${ids}`);
        need(!turn.documents.length || turn.text,
             "a document needs a text block beside it");
        need(!turn.thoughts.length
             || m.content[0].reasoningContent, "reasoning is not first");

        open = turn.calls.map((c) => c.id);

        if (ids.length) {
            list.push({ ...turn, role: "tool", text: "", images: [] });
            turn.results = [];
        }

        if (!ids.length || turn.text || turn.images.length) {
            list.push(turn);
        }
    });

    need(!open.length, "the last message has toolUse blocks");
    return list;
}


function fields(body) {
    const extra = body.additionalModelRequestFields ?? {};

    members(extra, "additionalModelRequestFields", {
        "thinking?": "object", "output_config?": "object",
        "top_k?": "integer", "anthropic_beta?": "array",
        "tool_choice?": "object" });

    const { thinking } = extra;

    if (thinking && thinking.type == "enabled") {
        const config = body.inferenceConfig ?? {};

        members(thinking, "thinking", { type: "string",
                                        budget_tokens: "positive" });
        need(thinking.budget_tokens >= 1024
             && thinking.budget_tokens < (config.maxTokens ?? 4096),
             "max_tokens must be greater than thinking.budget_tokens");
        need((config.temperature ?? 1) == 1, "temperature with thinking");
        need(!body.toolConfig?.toolChoice?.any
             && !body.toolConfig?.toolChoice?.tool,
             "Thinking may not be enabled when tool_choice forces tool use.");
    }

    return thinking;
}


function toolConfig(config) {
    if (!config) {
        return { tools: [], choice: "auto" };
    }

    members(config, "toolConfig", { tools: "list", "toolChoice?": "object" });

    const tools = [];

    each(config.tools, "toolConfig.tools", (t, at) => {
        const kind = union(t, at, {
            toolSpec: { name: "text", "description?": "text",
                        inputSchema: "object", "strict?": "boolean" },
            cachePoint: { type: "text", "ttl?": "string" } });

        if (kind == "toolSpec") {
            const { name, description, inputSchema } = t.toolSpec;

            toolName(name, at);
            members(inputSchema, at, { json: "object" });
            objectSchema(inputSchema.json, at);
            tools.push({ name, description, schema: inputSchema.json });
        }
    });

    const kind = config.toolChoice
        ? union(config.toolChoice, "toolChoice",
                { auto: {}, any: {}, tool: { name: "text" } }) : "auto";

    return { tools, choice: { auto: "auto", any: "required",
                              tool: { name: config.toolChoice?.tool?.name },
                            }[kind] };
}


function view(op, body, headers, url) {
    const model = decodeURIComponent(url.split("/")[2]);
    const config = body.inferenceConfig ?? {};

    members(body, "body", BODY);
    members(config, "inferenceConfig", {
        "maxTokens?": "positive", "temperature?": "number",
        "topP?": "number", "stopSequences?": "list" });
    need((config.temperature ?? 0) <= 1, "temperature > 1");

    const thinking = fields(body);
    const list = turns(body.messages);

    need(body.toolConfig || !list.some((t) => t.calls.length),
         "The toolConfig field must be defined when using toolUse and "
         + "toolResult content blocks.");

    const last = list.findLast((t) => t.role == "assistant");

    need(!(thinking && thinking.type != "disabled") || !last?.calls.length
         || last.thoughts.length || list.at(-1).role != "tool",
         "Expected `thinking`, but found `tool_use`.");

    let schema;

    if (body.outputConfig) {
        members(body.outputConfig, "outputConfig", { textFormat: "object" });

        const f = body.outputConfig.textFormat;

        members(f, "textFormat", { type: ["json_schema"],
                                   structure: "object" });
        members(f.structure, "structure", { jsonSchema: "object" });
        members(f.structure.jsonSchema, "jsonSchema", {
            schema: "text", "name?": "text", "description?": "text" });
        schema = JSON.parse(f.structure.jsonSchema.schema);
    }

    return {
        model, stream: op == "stream",
        system: joined(each(body.system ?? [], "system", (s, at) => {
            const kind = union(s, at, { text: undefined,
                                        cachePoint: { type: "text" } });
            need(kind != "text" || s.text, `${at}: blank`);
            return s.text;
        })),
        turns: list, ...toolConfig(body.toolConfig), schema,
        stop: config.stopSequences ?? [], max: config.maxTokens,
        temperature: config.temperature, topP: config.topP,
        thinking: Boolean(thinking) && thinking.type != "disabled",
        effort: thinking?.budget_tokens, ids: true,
        id: (n) => `tooluse_${"abcdefghij"[n]}${n}XyZ-0123456789`,

        demandState: (assistant, thought, state) => {
            const [t] = assistant.thoughts;

            need(t?.state == state && t.text == thought,
                 "thinking blocks cannot be modified");
        },
    };
}


function usage(u) {
    const input = u.input - u.cached - u.write;

    return {
        inputTokens: input, outputTokens: u.output,
        totalTokens: u.input + u.output,
        ...((u.cached || u.write) && {
            cacheReadInputTokens: u.cached, cacheWriteInputTokens: u.write }),
    };
}


function json(answer) {
    return {
        metrics: { latencyMs: 12 },
        output: { message: { role: "assistant", content: answer.parts.map(
            (p) => "thought" in p
                ? { reasoningContent: { reasoningText: {
                    text: p.thought, signature: p.state } } }
                : "call" in p
                ? { toolUse: { toolUseId: p.id, name: p.call,
                               input: p.args ?? {} } }
                : { text: p.text ?? p.refusal }) } },
        stopReason: FINISH[answer.finish], usage: usage(answer.usage),
    };
}


/* a message of the event stream, from its definition */

export function frame(headers, payload) {
    const list = Object.entries(headers).map(([name, value]) => {
        const n = Buffer.from(name);
        const v = Buffer.from(value);
        const size = Buffer.alloc(3);

        size.writeUInt8(7);
        size.writeUInt16BE(v.length, 1);
        return Buffer.concat([Buffer.from([n.length]), n, size, v]);
    });

    const head = Buffer.concat(list);
    const body = Buffer.from(payload);
    const prelude = Buffer.alloc(12);

    prelude.writeUInt32BE(head.length + body.length + 16, 0);
    prelude.writeUInt32BE(head.length, 4);
    prelude.writeUInt32BE(crc(prelude.subarray(0, 8)), 8);

    const message = Buffer.concat([prelude, head, body]);
    const end = Buffer.alloc(4);

    end.writeUInt32BE(crc(message));
    return Buffer.concat([message, end]);
}


/* Node has no CRC of its own before 22: a trailer of gzip is one */

function crc(data) {
    return zlib.gzipSync(data).readUInt32LE(zlib.gzipSync(data).length - 8);
}


function event(type, data) {
    return frame({ ":event-type": type, ":content-type": "application/json",
                   ":message-type": "event" },
                 stringify({ ...data, p: "abcdefgh" }, 1));
}


function* blockDeltas(p) {
    if ("thought" in p) {
        for (const text of pieces(p.thought)) {
            yield { reasoningContent: { text } };
        }

        yield { reasoningContent: { signature: p.state } };

    } else if ("call" in p) {
        if (p.args) {
            for (const input of pieces(argumentsText(p.args), 5)) {
                yield { toolUse: { input } };
            }
        }

    } else {
        for (const text of p.pieces ?? pieces(p.text ?? p.refusal)) {
            yield { text };
        }
    }
}


function stream(answer) {
    const list = [event("messageStart", { role: "assistant" })];

    answer.parts.forEach((p, i) => {
        const at = { contentBlockIndex: i };

        if ("call" in p) {
            list.push(event("contentBlockStart", { ...at, start: {
                toolUse: { toolUseId: p.id, name: p.call } } }));
        }

        for (const delta of blockDeltas(p)) {
            list.push(event("contentBlockDelta", { ...at, delta }));
        }

        if (!answer.cut && !answer.error) {
            list.push(event("contentBlockStop", at));
        }
    });

    if (answer.error) {
        return [...list, frame({
            ":exception-type": "modelStreamErrorException",
            ":content-type": "application/json",
            ":message-type": "exception" },
            stringify({ message: answer.error.message,
                        originalStatusCode: 500 }))];
    }

    if (answer.cut) {
        return list;
    }

    return [...list,
            event("messageStop", { stopReason: FINISH[answer.finish] }),
            event("metadata", { usage: usage(answer.usage),
                                metrics: { latencyMs: 12 } })];
}


const TYPES = {
    400: "ValidationException", 401: "UnrecognizedClientException",
    403: "AccessDeniedException", 404: "ResourceNotFoundException",
    429: "ThrottlingException", 500: "InternalServerException",
    503: "ServiceUnavailableException", 529: "ServiceUnavailableException",
};

export function error({ status, message, type }) {
    return { headers: { "x-amzn-errortype":
                        (TYPES[status] ?? type ?? "ValidationException")
                        + ":http://internal.amazon.com/coral/" },
             body: { message } };
}


export default {
    name: "bedrock", endpoint: "", authorize,
    streamType: "application/vnd.amazon.eventstream",
    route: (path) => ({ converse: "json", "converse-stream": "stream" })[
        /^\/model\/[^/]+\/([a-z-]+)$/.exec(path)?.[1]],
    view, json, stream, error, stringify,
};

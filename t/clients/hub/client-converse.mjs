/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The client library of Amazon Bedrock, Converse.
 */


import { BedrockRuntimeClient, BedrockRuntimeServiceException,
         ConverseCommand, ConverseStreamCommand, InternalServerException,
         ResourceNotFoundException, ServiceUnavailableException,
         ThrottlingException, ValidationException }
    from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";


export const name = "bedrock";

export const can = { image: true, named: true, cached: true, write: true,
                     stop: true, sequence: true, state: true };

export const finish = {
    stop: "end_turn", sequence: "stop_sequence", length: "max_tokens",
    tools: "tool_use", filter: "content_filtered",
};

export const errors = {
    400: [400, ValidationException], 401: [502, BedrockRuntimeServiceException],
    404: [404, ResourceNotFoundException],
    413: [413, BedrockRuntimeServiceException],
    429: [429, ThrottlingException],
    500: [502, BedrockRuntimeServiceException],
    503: [503, ServiceUnavailableException],
    529: [503, ServiceUnavailableException],
};

export { InternalServerException };


/* the library's own choice is HTTP/2, which needs a port of its own */

export function client(url, http2 = false) {
    return new BedrockRuntimeClient({
        endpoint: url, region: "eu-north-1", maxAttempts: 1,
        credentials: { accessKeyId: "CANARY", secretAccessKey: "CANARY" },
        ...(!http2 && { requestHandler: new NodeHttpHandler({
            requestTimeout: 10000 }) }),
    });
}


function messages({ turns }) {
    return turns.map((t) => {
        if (t.results) {
            return { role: "user", content: t.results.map((r) => ({
                toolResult: { toolUseId: r.call.id,
                              content: [{ text: r.text }],
                              ...(r.error && { status: "error" }) } })) };
        }

        if (t.said) {
            return { role: "assistant", content: t.said.message };
        }

        if (t.assistant) {
            return { role: "assistant", content: [{ text: t.assistant }] };
        }

        return { role: "user", content: [
            { text: t.user },
            ...(t.image ? [{ image: { format: "png",
                                      source: { bytes: t.image } } }] : []),
        ] };
    });
}


const CHOICES = { auto: { auto: {} }, required: { any: {} } };

export function body(q) {
    const max = q.max ?? (q.think && 4096);

    return {
        modelId: q.model, messages: messages(q),
        ...(q.system && { system: [{ text: q.system }] }),
        inferenceConfig: {
            ...(max && { maxTokens: max }),
            ...(q.temperature && { temperature: q.temperature }),
            ...(q.stop && { stopSequences: q.stop }),
        },
        ...(q.tools && { toolConfig: {
            tools: q.tools.map((f) => ({ toolSpec: {
                name: f.name, description: f.description,
                inputSchema: { json: f.parameters } } })),
            ...(q.choice && { toolChoice: q.choice.name
                ? { tool: q.choice } : CHOICES[q.choice] }),
        } }),
        ...(q.schema && { outputConfig: { textFormat: {
            type: "json_schema", structure: { jsonSchema: {
                name: "person", schema: JSON.stringify(q.schema) } } } } }),
        ...(q.think && { additionalModelRequestFields: {
            thinking: { type: "enabled", budget_tokens: 1024 } } }),
    };
}


function result(content, finishReason, u) {
    const thoughts = content.filter((b) => b.reasoningContent);

    return {
        text: content.map((b) => b.text ?? "").join(""), refusal: "",
        thought: thoughts.map((b) => b.reasoningContent.reasoningText?.text
                                     ?? "").join(""),
        calls: content.filter((b) => b.toolUse).map(({ toolUse: t }) => ({
            id: t.toolUseId, name: t.name, args: t.input })),
        finish: finishReason,
        usage: { input: u.inputTokens + (u.cacheReadInputTokens ?? 0)
                        + (u.cacheWriteInputTokens ?? 0),
                 output: u.outputTokens, total: u.totalTokens,
                 cached: u.cacheReadInputTokens ?? 0,
                 write: u.cacheWriteInputTokens ?? 0 },
        message: content,
        forgotten: content.filter((b) => !b.reasoningContent),
    };
}


function add(block, delta) {
    if (delta.text !== undefined) {
        block.text = (block.text ?? "") + delta.text;

    } else if (delta.toolUse) {
        block.json += delta.toolUse.input;

    } else if (delta.reasoningContent?.redactedContent) {
        block.reasoningContent = delta.reasoningContent;

    } else if (delta.reasoningContent) {
        const { text, signature } = delta.reasoningContent;

        block.reasoningContent ??= { reasoningText: { text: "" } };

        const t = block.reasoningContent.reasoningText;

        t.text += text ?? "";

        if (signature !== undefined) {
            t.signature = (t.signature ?? "") + signature;
        }
    }
}


export async function ask(aws, q, stream) {
    if (!stream) {
        const r = await aws.send(new ConverseCommand(body(q)));

        return result(r.output.message.content, r.stopReason, r.usage);
    }

    const blocks = [];
    const r = await aws.send(new ConverseStreamCommand(body(q)));
    let finishReason;
    let usage;

    for await (const e of r.stream) {
        if (e.contentBlockStart) {
            const { contentBlockIndex: i, start } = e.contentBlockStart;

            blocks[i] = start.toolUse
                ? { toolUse: { ...start.toolUse }, json: "" } : {};

        } else if (e.contentBlockDelta) {
            const { contentBlockIndex: i, delta } = e.contentBlockDelta;

            add(blocks[i] ??= {}, delta);

        } else if (e.messageStop) {
            finishReason = e.messageStop.stopReason;

        } else if (e.metadata) {
            usage = e.metadata.usage;
        }
    }

    for (const b of blocks) {
        if (b.toolUse) {
            b.toolUse.input = JSON.parse(b.json || "{}");
            delete b.json;
        }
    }

    return result(blocks, finishReason, usage);
}


export async function broken(aws, q) {
    let text = "";

    try {
        const r = await aws.send(new ConverseStreamCommand(body(q)));

        for await (const e of r.stream) {
            text += e.contentBlockDelta?.delta?.text ?? "";

            if (e.messageStop) {
                return { text, finish: e.messageStop.stopReason };
            }
        }

    } catch (error) {
        return { text, error };
    }

    return { text };
}

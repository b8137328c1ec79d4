/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * OpenAI's responses, as a provider.
 */


import { Bad, argumentsText, dataUrl, each, joined, kinds, members, need,
         objectSchema, parseArguments, pieces, sse, stringify,
         toolName } from "./check.mjs";
import { choice, error } from "./openai.mjs";


const BODY = {
    model: "text", input: "text|list",
    "instructions?": "string|null", "max_output_tokens?": "positive|null",
    "max_tool_calls?": "integer|null", "metadata?": "object|null",
    "parallel_tool_calls?": "boolean|null", "prompt_cache_key?": "string",
    "reasoning?": "object|null", "safety_identifier?": "string",
    "service_tier?": "string|null", "store?": "boolean|null",
    "stream?": "boolean|null", "stream_options?": "object|null",
    "temperature?": "number|null", "text?": "object",
    "tool_choice?": "string|object", "tools?": "array",
    "top_logprobs?": "integer|null", "top_p?": "number|null",
    "truncation?": "string|null", "user?": "string", "include?": "array|null",
    "previous_response_id?": "null", "background?": "boolean|null",
    "client_metadata?": "object", "prompt_cache_retention?": "string",
};


function content(value, path, role, images, documents) {
    if (typeof value == "string") {
        return value;
    }

    return each(value, path, (part, at) => {
        const kind = kinds(part, at, role == "assistant"
            ? { output_text: { text: "string", "annotations?": "array",
                               "logprobs?": "array" },
                refusal: { refusal: "string" } }
            : { input_text: { text: "string" },
                input_image: { image_url: "text",
                               "detail?": ["auto", "low", "high"] },
                input_file: { filename: "text", file_data: "text" } });

        if (kind == "input_file") {
            documents.push(dataUrl(part.file_data, at));
            return "";
        }

        if (kind == "input_image") {
            need(images, `${at}: no images here`);
            images.push(/^https:/.test(part.image_url)
                ? { url: part.image_url } : dataUrl(part.image_url, at));
            return "";
        }

        return part.text ?? part.refusal;
    }).join("");
}


function output(value, path, images) {
    return typeof value == "string" ? value
        : content(value, path, "user", images, []);
}


/* items that follow one another are one turn of the assistant, or results */

function turns(items) {
    const list = [];
    const system = [];
    let open = [];

    const turn = (role) => {
        if (list.at(-1)?.role != role) {
            list.push({ role, text: "", images: [], calls: [], results: [],
                        thoughts: [] });
        }

        return list.at(-1);
    };

    items.forEach((item, i) => {
        const path = `input.${i}`;
        const type = item.type ?? "message";

        switch (type) {

        case "message":
            members(item, path, { "type?": "string", role: "string",
                                  content: "string|list", "id?": "text",
                                  "status?": "string", "phase?": "string" });

            if (item.role == "system" || item.role == "developer") {
                system.push(content(item.content, path, item.role));
                break;
            }

            need(["user", "assistant"].includes(item.role),
                 `${path}.role: ${item.role}`);
            need(item.role == "assistant" || open.length == 0,
                 `No tool output found for function call ${open}.`, "input");

            {
                const t = turn(item.role);

                t.text += content(item.content, `${path}.content`, item.role,
                                  t.images, t.documents ??= []);
            }

            need(item.id === undefined || /^msg_/.test(item.id),
                 `Invalid '${path}.id': '${item.id}'. Expected an ID that `
                 + "begins with 'msg'.");
            break;

        case "function_call":
            members(item, path, { type: "string", call_id: "text",
                                  name: "text", arguments: "string",
                                  "id?": "text", "status?": "string" });
            toolName(item.name, `${path}.name`);
            need(item.id === undefined || /^fc_/.test(item.id),
                 `Invalid '${path}.id': '${item.id}'. Expected an ID that `
                 + "begins with 'fc'.");
            turn("assistant").calls.push({
                id: item.call_id, name: item.name,
                args: parseArguments(item.arguments, `${path}.arguments`) });
            open.push(item.call_id);
            break;

        case "function_call_output":
            members(item, path, { type: "string", call_id: "text",
                                  output: "string|list", "id?": "text",
                                  "status?": "string" });
            need(open.includes(item.call_id), "No tool call found for "
                 + `function call output with call_id ${item.call_id}.`);
            open = open.filter((id) => id != item.call_id);
            {
                const images = [];

                turn("tool").results.push({
                    id: item.call_id, images,
                    text: output(item.output, path, images) });
            }

            break;

        case "reasoning":
            members(item, path, { type: "string", "id?": "text",
                                  summary: "array",
                                  "content?": "array|null",
                                  "encrypted_content?": "string|null",
                                  "status?": "string|null" });
            need(item.id === undefined || /^rs_/.test(item.id),
                 `Invalid '${path}.id': '${item.id}'. Expected an ID that `
                 + "begins with 'rs'.");
            need(item.encrypted_content, `Item with id '${item.id}' not `
                 + "found. Items are not persisted when `store` is set to "
                 + "false.");
            need(/^c3RhdGUr/.test(item.encrypted_content),
                 "The encrypted content for item could not be verified.");
            turn("assistant").thoughts.push({
                id: item.id, state: item.encrypted_content,
                text: item.summary.map((s) => s.text).join("") });
            break;

        default:
            throw new Bad(`${path}.type: Invalid value: '${type}'`);
        }
    });

    need(open.length == 0,
         `No tool output found for function call ${open}.`, "input");

    return { turns: list, system };
}


function view(op, body) {
    members(body, "body", BODY);

    const input = typeof body.input == "string"
        ? [{ role: "user", content: body.input }] : body.input;
    const found = turns(input);

    if (body.reasoning) {
        members(body.reasoning, "reasoning", {
            "effort?": ["none", "minimal", "low", "medium", "high", "xhigh",
                        "max", null],
            "summary?": ["auto", "concise", "detailed", null],
            "generate_summary?": "any" });
    }

    const tools = each(body.tools ?? [], "tools", (t, at) => {
        members(t, at, { type: ["function"], name: "text",
                         "description?": "string|null",
                         parameters: "object|null",
                         "strict?": "boolean|null" });
        toolName(t.name, `${at}.name`);

        if (t.parameters) {
            objectSchema(t.parameters, `${at}.parameters`);
        }

        return { name: t.name, description: t.description,
                 schema: t.parameters };
    });

    if (body.text) {
        members(body.text, "text", { "format?": "object",
                                     "verbosity?": "string" });
    }

    const format = body.text?.format ?? { type: "text" };

    kinds(format, "text.format", {
        text: {}, json_object: {},
        json_schema: { name: "text", "description?": "string",
                       schema: "object", "strict?": "boolean|null" } });

    return {
        model: body.model, stream: Boolean(body.stream),
        turns: found.turns, system: joined([body.instructions,
                                            ...found.system]),
        tools, schema: format.schema, json: format.type == "json_object",
        choice: choice(body.tool_choice, (v) => {
            members(v, "tool_choice", { type: ["function"], name: "text" });
            return v.name;
        }),
        stop: [], max: body.max_output_tokens,
        temperature: body.temperature, topP: body.top_p,
        effort: body.reasoning?.effort, user: body.user,
        thinking: Boolean(body.reasoning?.effort)
                  && body.reasoning.effort != "none",
        summary: body.reasoning?.summary,
        encrypted: body.include?.includes("reasoning.encrypted_content"),
        store: body.store, ids: true,
        id: (n) => `call_${"abcdefghij"[n]}${n}XyZ0123456789`,

        /* state is asked for, and comes back with what it was told with */

        demandState: (assistant, thought, state) => {
            const [t] = assistant.thoughts;

            need(t, "the reasoning item is missing");
            need(t.state == state, `encrypted_content is ${t.state}`);
            need(t.id == "rs_1", `id of the reasoning item is ${t.id}`);
        },
    };
}


function usage(u) {
    return {
        input_tokens: u.input, output_tokens: u.output,
        total_tokens: u.input + u.output,
        input_tokens_details: { cached_tokens: u.cached },
        output_tokens_details: { reasoning_tokens: u.thoughts },
    };
}


function items(answer, seen) {
    const list = [];

    answer.parts.forEach((part, i) => {
        if ("thought" in part) {
            list.push({
                id: `rs_${i + 1}`, type: "reasoning",
                summary: [{ type: "summary_text", text: part.thought }],
                ...(seen.encrypted && { encrypted_content: part.state }) });

        } else if ("call" in part) {
            list.push({ id: `fc_${i}`, type: "function_call",
                        status: "completed", call_id: part.id,
                        name: part.call,
                        arguments: argumentsText(part.args) });

        } else {
            list.push({
                id: `msg_${i}`, type: "message", role: "assistant",
                status: "completed",
                content: ["refusal" in part
                    ? { type: "refusal", refusal: part.refusal }
                    : { type: "output_text", text: part.text,
                        annotations: [], logprobs: [] }] });
        }
    });

    return list;
}


function response(answer, seen, output, status) {
    const reasons = { length: "max_output_tokens",
                      filter: "content_filter" };
    const refused = answer.parts.some((p) => "refusal" in p);
    const why = refused ? undefined : reasons[answer.finish];
    const done = status == "completed";

    return {
        id: "resp_fake1", object: "response", created_at: 1700000000,
        status: done && why ? "incomplete" : status, background: false,
        error: null,
        incomplete_details: done && why ? { reason: why } : null,
        instructions: null, max_output_tokens: null, model: seen.model,
        output, parallel_tool_calls: true, previous_response_id: null,
        reasoning: { effort: seen.effort ?? null, summary: null },
        store: false, temperature: 1, text: { format: { type: "text" } },
        tool_choice: "auto", tools: [], top_p: 1, truncation: "disabled",
        usage: done ? usage(answer.usage) : null, user: null, metadata: {},
    };
}


function json(answer, seen) {
    return response(answer, seen, items(answer, seen), "completed");
}


function* itemEvents(item, index, part) {
    const at = { output_index: index, item_id: item.id };

    if (item.type == "reasoning") {
        const piece = item.summary[0];

        yield ["output_item.added", { output_index: index, item: {
            ...item, summary: [], ...(item.encrypted_content && {
                encrypted_content: "cGFydGlhbA==" }) } }];
        yield ["reasoning_summary_part.added", {
            ...at, summary_index: 0, part: { ...piece, text: "" } }];

        for (const delta of pieces(piece.text)) {
            yield ["reasoning_summary_text.delta",
                   { ...at, summary_index: 0, delta }];
        }

        yield ["reasoning_summary_text.done",
               { ...at, summary_index: 0, text: piece.text }];
        yield ["reasoning_summary_part.done",
               { ...at, summary_index: 0, part: piece }];

    } else if (item.type == "function_call") {
        yield ["output_item.added", { output_index: index, item: {
            ...item, status: "in_progress", arguments: "" } }];

        for (const delta of pieces(item.arguments, 5)) {
            yield ["function_call_arguments.delta", { ...at, delta }];
        }

        yield ["function_call_arguments.done",
               { ...at, arguments: item.arguments }];

    } else {
        const piece = item.content[0];
        const kind = piece.type == "refusal" ? "refusal" : "output_text";
        const name = kind == "refusal" ? "refusal" : "text";

        yield ["output_item.added", { output_index: index, item: {
            ...item, status: "in_progress", content: [] } }];
        yield ["content_part.added", { ...at, content_index: 0, part: {
            ...piece, [name]: "" } }];

        for (const delta of part.pieces ?? pieces(piece[name])) {
            yield [`${kind}.delta`, { ...at, content_index: 0, delta,
                                      logprobs: [], obfuscation: "a" }];
        }

        yield [`${kind}.done`, { ...at, content_index: 0,
                                 [name]: piece[name] }];
        yield ["content_part.done", { ...at, content_index: 0,
                                      part: piece }];
    }

    yield ["output_item.done", { output_index: index, item }];
}


function stream(answer, seen) {
    const list = [];

    const event = (name, data) => {
        const type = name == "error" ? name : `response.${name}`;

        list.push(sse({ type, sequence_number: list.length, ...data }, type,
                      answer.pretty && 2));
    };

    event("created", { response: response(answer, seen, [],
                                          "in_progress") });
    event("in_progress", { response: response(answer, seen, [],
                                              "in_progress") });

    const output = items(answer, seen);

    output.forEach((item, i) => {
        const events = [...itemEvents(item, i, answer.parts[i])];
        const whole = !(answer.cut || answer.error);

        for (const [name, data] of events) {
            if (whole || /added$|delta$/.test(name)) {
                event(name, data);
            }
        }
    });

    if (answer.cut) {
        return list;
    }

    if (answer.error) {
        event("failed", { response: {
            ...response(answer, seen, [], "failed"),
            error: { code: "server_error",
                     message: answer.error.message } } });
        return list;
    }

    const end = response(answer, seen, output, "completed");

    event(end.status, { response: end });
    return list;
}


export default {
    name: "responses", endpoint: "/v1", key: "authorization: Bearer",
    streamType: "text/event-stream; charset=utf-8",
    route: (path) => ({ "/v1/responses": "responses" })[path],
    view, json, stream, error, stringify,
};

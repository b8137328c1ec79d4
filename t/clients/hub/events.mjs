/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The grammar of streams, as strict clients read them: Anthropic's messages
 * and OpenAI's responses.
 */


import assert from "node:assert/strict";


/* [{ event, data }] */

export function events(text) {
    assert.ok(text.endsWith("\n\n"), "the last event is whole");

    return text.trimEnd().split("\n\n").map((block) => {
        const lines = block.split("\n");

        assert.equal(lines.length, 2, block);
        assert.match(lines[0], /^event: /);
        assert.match(lines[1], /^data: /);

        const data = JSON.parse(lines[1].slice(6));

        assert.equal(lines[0].slice(7), data.type);
        return data;
    });
}


const DELTAS = {
    text: ["text_delta", "citations_delta"],
    thinking: ["thinking_delta", "signature_delta"],
    tool_use: ["input_json_delta"],
    redacted_thinking: [],
};


/* the message that a stream of Anthropic's tells */

export function message(list) {
    const content = [];
    let whole;
    let open = null;
    let ended = null;

    for (const e of list) {
        assert.equal(ended, null, `${e.type} behind message_stop`);

        if (e.type == "ping") {
            continue;
        }

        assert.equal(e.type == "message_start", !whole, e.type);

        switch (e.type) {

        case "message_start":
            whole = e.message;
            assert.match(whole.id, /^msg_/);
            assert.deepEqual(whole.content, []);
            assert.equal(whole.role, "assistant");
            assert.equal(whole.stop_reason, null);
            assert.ok(whole.usage.input_tokens > 0, "input_tokens is 0");
            break;

        case "content_block_start":
            assert.equal(open, null, "blocks overlap");
            assert.equal(e.index, content.length);
            open = { ...e.content_block, json: "" };
            content.push(open);
            assert.ok(open.type in DELTAS, open.type);
            assert.equal(open.text ?? "", "");
            assert.deepEqual(open.input ?? {}, {});
            break;

        case "content_block_delta":
            assert.equal(e.index, content.length - 1);
            assert.ok(DELTAS[open.type].includes(e.delta.type),
                      `${e.delta.type} in ${open.type}`);
            assert.equal(open.signed, undefined, "words behind a signature");
            open.json += e.delta.partial_json ?? "";

            if (e.delta.text !== undefined) {
                open.text += e.delta.text;
            }

            if (e.delta.thinking !== undefined) {
                open.thinking += e.delta.thinking;
            }

            if (e.delta.signature !== undefined) {
                open.signature += e.delta.signature;
                open.signed = true;
            }

            break;

        case "content_block_stop":
            assert.equal(e.index, content.length - 1);

            if (open.type == "tool_use") {
                open.input = JSON.parse(open.json || "{}");
            }

            delete open.json;
            delete open.signed;
            open = null;
            break;

        case "message_delta":
            assert.equal(open, null, "a block is open");
            assert.equal(whole.stop_reason, null, "two message_delta");
            assert.ok(e.delta.stop_reason, "no stop_reason");
            Object.assign(whole, e.delta);
            Object.assign(whole.usage, e.usage);
            break;

        case "message_stop":
            assert.ok(whole.stop_reason, "no message_delta");
            ended = whole;
            break;

        default:
            assert.fail(`an event ${e.type}: ${JSON.stringify(e)}`);
        }
    }

    assert.ok(ended, "no message_stop");
    return { ...ended, content };
}


/* what belongs to a kind of items, in the order of its events */

const PARTS = {
    message: /^response\.(content_part|output_text|refusal)\./,
    function_call: /^response\.function_call_arguments\./,
    custom_tool_call: /^response\.custom_tool_call_input\./,
    reasoning: /^response\.(reasoning_|content_part)/,
};


/* the response that a stream of OpenAI's tells */

export function response(list) {
    const items = [];
    let open = null;
    let text = "";

    list.forEach((e, i) => assert.equal(e.sequence_number, i, e.type));
    assert.equal(list[0].type, "response.created");
    assert.equal(list[0].response.status, "in_progress");
    assert.equal(list[1].type, "response.in_progress");

    const last = list.at(-1);

    assert.match(last.type, /^response\.(completed|incomplete)$/);

    for (const e of list.slice(2, -1)) {
        if (e.type == "response.output_item.added") {
            assert.equal(open, null, "items overlap");
            assert.equal(e.output_index, items.length);
            assert.ok(e.item.id && e.item.type in PARTS, e.item.type);
            open = e.item;
            text = "";

        } else if (e.type == "response.output_item.done") {
            assert.equal(e.item.id, open.id);
            assert.equal(e.output_index, items.length);

            const told = { function_call: e.item.arguments,
                           custom_tool_call: e.item.input }[e.item.type];

            assert.equal(told ?? text, text, "deltas are not the item");
            items.push(e.item);
            open = null;

        } else {
            assert.match(e.type, PARTS[open.type]);
            assert.equal(e.item_id, open.id);
            assert.equal(e.output_index, items.length);
            text += e.type.endsWith(".delta") ? e.delta : "";
        }
    }

    assert.deepEqual(last.response.output, items);
    assert.ok(last.response.usage.total_tokens > 0);
    return last.response;
}

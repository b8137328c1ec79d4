/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Requests in the shape of coding agents, written for these tests.
 */


const string = { type: "string" };


/* schemas as tools of editors and of MCP servers have them */

const SCHEMAS = {
    Bash: { command: string, timeout: { type: "number",
                                        exclusiveMinimum: 0 },
            description: { ...string, description: "5-10 \"words\"" },
            run_in_background: { type: "boolean", default: false } },
    Edit: { file_path: string, old_string: string, new_string: string,
            replace_all: { type: "boolean", default: false } },
    TodoWrite: { todos: {
        type: "array", minItems: 1, items: {
            type: "object", additionalProperties: false,
            required: ["content", "status"],
            properties: {
                content: { ...string, minLength: 1 },
                status: { ...string, enum: ["pending", "completed"] } } } } },
    WebFetch: { url: { ...string, format: "uri" }, prompt: string },
    AskUser: { answers: {
        type: "object", propertyNames: { pattern: "^[a-z]+$" },
        additionalProperties: { anyOf: [string, { type: "null" }] } } },
    mcp__files__read: { path: string, mode: { const: "text" },
                        ref: { $ref: "#/$defs/ref" } },
    ExitPlanMode: {},
};


function claudeTools() {
    const names = [...Object.keys(SCHEMAS),
                   ...Array.from({ length: 18 }, (v, i) => `Tool${i}`)];

    return names.map((name, i) => ({
        name, description: `Use ${name}.\n\n- with "care"\n`.repeat(20),
        input_schema: {
            $schema: "https://json-schema.org/draft/2020-12/schema",
            type: "object",
            properties: SCHEMAS[name] ?? { x: string },
            ...(name == "mcp__files__read" && {
                $defs: { ref: { type: ["string", "null"] } } }),
            ...(SCHEMAS[name] && { required: Object.keys(SCHEMAS[name])
                                                   .slice(0, 1) }),
            additionalProperties: false,
        },
        ...(i == names.length - 1 && {
            cache_control: { type: "ephemeral" } }),
    }));
}


const CACHED = { cache_control: { type: "ephemeral" } };

export const CLAUDE_HEADERS = {
    accept: "application/json",
    authorization: "Bearer CANARY",
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,"
                      + "fine-grained-tool-streaming-2025-05-14",
    "anthropic-dangerous-direct-browser-access": "true",
    "user-agent": "claude-cli/2.1.201 (external, cli)",
    "x-app": "cli",
    "x-claude-code-session-id": "2b1b4a0e-0000-4000-8000-000000000000",
    "x-stainless-helper-method": "stream",
    "x-stainless-lang": "js",
};


export function claude(model, messages = []) {
    return {
        model, max_tokens: 32000, stream: true, temperature: 1,
        thinking: { type: "enabled", budget_tokens: 10000 },
        metadata: { user_id: "user_" + "0123456789abcdef".repeat(4)
                    + "_account__session_2b1b4a0e-0000-4000-8000-0000000" },
        system: [
            { type: "text", text: "You are a command line tool." },
            { type: "text", text: "Environment:\n<env>\nos: linux\n</env>",
              ...CACHED }],
        tools: claudeTools(),
        messages: [
            { role: "user", content: [
                { type: "text", text: "<system-reminder>\nBe kind.\n"
                  + "</system-reminder>" },
                { type: "text", text: "Fix the bug #agent",
                  ...CACHED }] },
            ...messages],
    };
}


/* parallel results, the second one of an error; in two messages, or in one */

export function claudeNext(model, content, together) {
    const [bash, read] = content.filter((b) => b.type == "tool_use");

    const results = [
        { type: "tool_result", tool_use_id: bash.id,
          content: [{ type: "text", text: "a.c\nb.c" }] },
        { type: "tool_result", tool_use_id: read.id, is_error: true,
          content: "no such file", ...CACHED }];
    const words = [
        { type: "text", text: "Be quick. " },
        { type: "text", text: "Go on #agentnext", ...CACHED }];

    return claude(model, [
        { role: "assistant", content },
        ...(together ? [{ role: "user", content: [...results, ...words] }]
            : results.map((r, i) => ({ role: "user",
                                       content: [r, words[i]] })))]);
}


export const CODEX_HEADERS = {
    accept: "text/event-stream",
    authorization: "Bearer CANARY",
    "content-type": "application/json",
    originator: "codex_cli_rs",
    "session-id": "0199a0b0-0000-7000-8000-000000000000",
    "user-agent": "codex_cli_rs/0.99.0 (Debian 12; x86_64) xterm",
    "openai-beta": "responses=experimental",
};


export function codex(model, input = []) {
    return {
        model,
        instructions: "You are a coding agent.\nUse \"apply_patch\".",
        input: [
            { type: "message", role: "developer", content: [
                { type: "input_text", text: "<permissions>all</permissions>",
                }] },
            { type: "message", role: "user", content: [
                { type: "input_text", text: "<environment_context>\n<cwd>/x"
                  + "</cwd>\n</environment_context>" }] },
            { type: "message", role: "user", content: [
                { type: "input_text", text: "Change a.c #patch" }] },
            ...input],
        tools: [
            { type: "function", name: "shell", strict: false,
              description: "Runs a shell command.", parameters: {
                  type: "object", properties: {
                      command: { type: "array", items: string },
                      timeout_ms: { type: "number" },
                      workdir: string },
                  required: ["command"], additionalProperties: false } },
            { type: "custom", name: "apply_patch",
              description: "Use it to edit files. Free text, no JSON.",
              format: { type: "grammar", syntax: "lark",
                        definition: "start: begin_patch hunk+ end_patch" } },
            { type: "function", name: "update_plan", strict: false,
              description: "", parameters: {
                  type: "object", properties: { plan: {
                      type: "array", items: { type: "object", properties: {
                          step: string, status: string } } } } } },
            { type: "web_search", external_web_access: false },
        ],
        tool_choice: "auto", parallel_tool_calls: true,
        reasoning: { effort: "medium", summary: "auto" },
        store: false, stream: true,
        include: ["reasoning.encrypted_content"],
        prompt_cache_key: "0199a0b0-0000-7000-8000-000000000000",
        text: { verbosity: "medium" },
    };
}


/* Codex sends the items back as they were told, without their status */

export function codexNext(model, output) {
    const items = output.map(({ status, ...item }) => item);
    const [shell] = items.filter((i) => i.type == "function_call");
    const [patch] = items.filter((i) => i.type == "custom_tool_call");

    return codex(model, [
        ...items,
        { type: "function_call_output", call_id: shell.call_id,
          output: "{\"output\":\"a.c\",\"metadata\":{\"exit_code\":0}}" },
        { type: "custom_tool_call_output", call_id: patch.call_id,
          output: "Success. Updated \"a.c\"\n" },
    ]);
}

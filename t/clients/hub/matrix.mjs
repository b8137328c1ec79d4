/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * matrix.mjs DIRECTORY: what the tests have counted there, as a table.  A
 * cell is passed/run of JSON answers, then of streams; what a pair cannot
 * express is not run.
 */


import fs from "node:fs";
import path from "node:path";


const [directory] = process.argv.slice(2);

const CLIENTS = {
    openai: "openai, chat", responses: "openai, responses",
    anthropic: "@anthropic-ai/sdk", gemini: "@google/genai",
    cohere: "cohere-ai", bedrock: "@aws-sdk/client-bedrock-runtime",
};

const rows = Object.entries(CLIENTS).map(([name, title]) => {
    const file = path.join(directory, `matrix-${name}.json`);

    return fs.existsSync(file)
        ? { title, counts: JSON.parse(fs.readFileSync(file)) } : null;
}).filter((row) => row);

if (rows.length) {
    const providers = [...new Set(Object.keys(rows[0].counts)
        .map((key) => key.split(" ")[0]))].filter((p) => p != "switch");
    const line = (cells) => console.log(`| ${cells.join(" | ")} |`);

    line(["client \\ provider", ...providers, "from one to another"]);
    line(["---", ...providers.map(() => "---"), "---"]);

    for (const { title, counts } of rows) {
        line([title, ...providers.map((p) => ["JSON", "stream"].map((mode) =>
            counts[`${p} ${mode}`].slice(0, 2).join("/")).join(", ")),
              counts.switch.join("/")]);
    }
}

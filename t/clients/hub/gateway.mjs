/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A gateway with one provider of each dialect, all of them the fake one, and
 * models of theirs by their full names.
 */


import fs from "node:fs";
import path from "node:path";
import { start } from "../harness.mjs";
import { DIALECTS, fake } from "../fake.mjs";
import { AWS } from "../fake/bedrock.mjs";


/* "chat" is a vendor that has chat/completions and no responses */

export const MODELS = {
    chat: { plain: "qwen3-235b", thinks: "deepseek-r1" },
    openai: { plain: "gpt-4.1", thinks: "gpt-5.1" },
    responses: { plain: "gpt-4.1", thinks: "gpt-5.1" },
    anthropic: { plain: "claude-sonnet-4-5", thinks: "claude-sonnet-4-5" },
    gemini: { plain: "gemini-2.5-flash", thinks: "gemini-3-pro-preview" },
    cohere: { plain: "command-a-03-2025",
              thinks: "command-a-reasoning-08-2025" },
    bedrock: { plain: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
               thinks: "us.anthropic.claude-sonnet-4-5-20250929-v1:0" },
    ollama: { plain: "qwen3:8b", thinks: "qwen3:8b" },
};


export function model(provider, thinks) {
    const { plain, thinks: other } = MODELS[provider];

    return `p-${provider}/${thinks ? other : plain}`;
}


/* { gw, provider }: the gateway, and what the fake one was asked */

export async function hub(more = () => "") {
    const provider = await fake();

    const gw = await start((self, port) => {
        const aws = path.join(self.prefix, "aws");

        fs.writeFileSync(aws, `${AWS.id}:${AWS.secret}\n`, { mode: 0o600 });

        const providers = Object.values(DIALECTS).map((d) => `
    ai_provider p-${d.name} {
        dialect ${d.name};
        endpoint ${provider.url}/${d.name}${d.endpoint};
        ${d.authorize ? `key file:${aws}; auth sigv4; region ${AWS.region};`
          : d.key == "none" ? "key none;" : `key file:${self.prefix}/key;`}
        idle_timeout 5s;
        timeout 20s;
    }`);

        return `${providers.join("")}
    ai_provider p-chat {
        preset fireworks;
        endpoint ${provider.url}/openai/v1;
        key file:${self.prefix}/key;
        private_addresses on;
    }

    server {
        listen 127.0.0.1:${port};
        ${more(self)}

        location / { ai_gateway on; }
    }
`;
    });

    return { gw, provider };
}

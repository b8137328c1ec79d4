/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * The same with the major versions before.
 */


import { test } from "node:test";
import OpenAI from "openai-6";
import Anthropic from "@anthropic-ai/sdk-0";
import { ApiError, GoogleGenAI } from "@google/genai-2";
import * as openai from "./hub/client-openai.mjs";
import * as responses from "./hub/client-responses.mjs";
import * as anthropic from "./hub/client-anthropic.mjs";
import * as genai from "./hub/client-genai.mjs";
import { pairs } from "./hub/cases.mjs";
import { hub } from "./hub/gateway.mjs";


const setup = await hub();

for (const [older, client, Library, Errors] of [
    ["openai-6", openai, OpenAI, OpenAI],
    ["openai-6, responses", responses, OpenAI, OpenAI],
    ["anthropic-0", anthropic, Anthropic, Anthropic],
    ["genai-2", genai, GoogleGenAI, ApiError]])
{
    const { errorsOf } = client == responses ? openai : client;

    pairs(setup, { ...client, older, errors: errorsOf(Errors),
                   client: (url) => client.client(url, Library) });
}

test("nginx ends without a complaint", () => setup.gw.stop());

/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Embeddings: each library with each provider that has them.
 */


import assert from "node:assert/strict";
import { test } from "node:test";
import { CohereClientV2 } from "cohere-ai";
import { GoogleGenAI } from "@google/genai-3";
import OpenAI from "openai-7";
import { vector } from "./fake/openai.mjs";
import { hub } from "./hub/gateway.mjs";
import { known } from "./hub/known.mjs";


const setup = await hub();
const { gw, provider } = setup;

const TEXTS = ["Grüße \u{1f469}\u200d\u{1f680}", "two \"words\"\n", "3"];

const MODELS = {
    openai: "p-openai/text-embedding-3-small",
    gemini: "p-gemini/gemini-embedding-001",
    cohere: "p-cohere/embed-v4.0",
    ollama: "p-ollama/nomic-embed-text:v1.5",
};

const openai = new OpenAI({ apiKey: "CANARY", baseURL: gw.url + "/v1",
                            maxRetries: 0 });
const genai = new GoogleGenAI({ apiKey: "CANARY",
                                httpOptions: { baseUrl: gw.url } });
const cohere = new CohereClientV2({ token: "CANARY", environment: gw.url,
                                    maxRetries: 0 });


/* vectors are what the provider gave, to the bit: float32 */

function same(vectors, texts, dimensions) {
    assert.deepEqual(vectors.map((v) => [...v].map(Math.fround)),
                     texts.map((t) => vector(t, dimensions)));
    assert.deepEqual(provider.last().view.texts, texts);
}


for (const [name, model] of Object.entries(MODELS)) {
    const check = (what, run) => test(`${what} -> ${name}`,
        known(`${what} -> ${name}`), run);

    /* the library asks for base64, and decodes it */

    check("openai, base64", async () => {
        const r = await openai.embeddings.create({ model, input: TEXTS });

        same(r.data.map((d) => d.embedding), TEXTS);
        assert.deepEqual(r.data.map((d) => d.index), [0, 1, 2]);
        assert.ok(r.data.every((d) => d.object == "embedding"));
        assert.equal(r.object, "list");
        assert.equal(r.usage.prompt_tokens, name == "gemini"
                     ? r.usage.prompt_tokens : 11);
        assert.equal(r.usage.total_tokens, r.usage.prompt_tokens);
    });

    check("openai, floats", async () => {
        const r = await openai.embeddings.create({
            model, input: TEXTS, encoding_format: "float" });

        same(r.data.map((d) => d.embedding), TEXTS);
    });

    check("openai, one text", async () => {
        const r = await openai.embeddings.create({ model, input: "one" });

        same(r.data.map((d) => d.embedding), ["one"]);
    });

    check("openai, dimensions", async () => {
        const r = await openai.embeddings.create({ model, input: ["one"],
                                                   dimensions: 8 });

        same(r.data.map((d) => d.embedding), ["one"], 8);
        assert.equal(provider.last().view.dimensions, 8);
    });

    check("gemini, several", async () => {
        const r = await genai.models.embedContent({
            model, contents: TEXTS,
            config: { outputDimensionality: 8,
                      taskType: "RETRIEVAL_QUERY" } });

        same(r.embeddings.map((e) => e.values), TEXTS, 8);

        if (name == "cohere") {
            assert.equal(provider.last().view.type, "search_query");
        }
    });

    check("gemini, one", async () => {
        const r = await genai.models.embedContent({ model,
                                                    contents: "one" });

        same(r.embeddings.map((e) => e.values), ["one"]);
    });

    check("cohere", async () => {
        const r = await cohere.embed({
            model, texts: TEXTS, inputType: "search_query",
            embeddingTypes: ["float"] });

        same(r.embeddings.float, TEXTS);

        if (name == "gemini") {
            assert.equal(provider.last().view.type, "RETRIEVAL_QUERY");
        }
    });

    check("cohere, dimensions", async () => {
        const r = await cohere.embed({
            model, texts: ["one"], inputType: "search_document",
            embeddingTypes: ["float"], outputDimension: 8 });

        same(r.embeddings.float, ["one"], 8);
    });

    check("many texts", async () => {
        const texts = Array.from({ length: 100 }, (v, i) => `text ${i}`
                                 + "x".repeat(i));
        const r = await openai.embeddings.create({ model, input: texts });

        same(r.data.map((d) => d.embedding), texts);
        assert.deepEqual(r.data.map((d) => d.index), texts.map((t, i) => i));
    });

    check("a wrong request", async () => {
        await assert.rejects(openai.embeddings.create({ model, input: [] }),
                             (e) => e instanceof OpenAI.BadRequestError);
    });
}


test("providers without embeddings", async () => {
    for (const model of ["p-anthropic/claude-sonnet-4-5",
                         "p-bedrock/amazon.nova-lite-v1:0"])
    {
        await assert.rejects(openai.embeddings.create({ model, input: "x" }),
                             (e) => e.status == 501
                                    && e.code == "not_supported");
    }
});


test("nginx ends without a complaint", () => gw.stop());

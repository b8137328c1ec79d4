/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * A fake provider of all dialects, behind one port: /DIALECT/... is its base.
 * It is as strict as vendors are, and knows nothing of the gateway.  What it
 * answers is in fake/scenarios.mjs.
 */


import http from "node:http";
import { after } from "node:test";
import { Bad } from "./fake/check.mjs";
import { scenario } from "./fake/scenarios.mjs";
import openai from "./fake/openai.mjs";
import responses from "./fake/responses.mjs";
import anthropic from "./fake/anthropic.mjs";
import gemini from "./fake/gemini.mjs";
import cohere from "./fake/cohere.mjs";
import bedrock from "./fake/bedrock.mjs";
import ollama from "./fake/ollama.mjs";


export const DIALECTS = { openai, responses, anthropic, gemini, cohere,
                          bedrock, ollama };

/* the key of all providers but bedrock, and what no provider may see */

export const KEY = "sk-provider-4711";
export const CANARY = "CANARY";


/* in pieces that have nothing to do with events, or characters */

async function write(res, events) {
    const data = Buffer.concat(events.map((e) => Buffer.from(e)));
    let size = data.length > 20000 ? 4000 : 37;

    for (let i = 0; i < data.length; i += size) {
        size = data.length > 20000 ? 4000 : 30 + (i * 7) % 97;

        if (!res.write(data.subarray(i, i + size))) {
            await new Promise((resolve) => {
                res.once("drain", resolve);
                res.once("close", resolve);
            });
        }

        await new Promise(setImmediate);
    }
}


function authorize(dialect, req) {
    for (const [name, value] of Object.entries(req.headers)) {
        if (String(value).includes(CANARY)) {
            throw new Bad(`the client's ${name} was passed`);
        }
    }

    if (dialect.authorize) {
        dialect.authorize(req);
        return;
    }

    if (dialect.key == "none") {
        return;
    }

    const [name, ...scheme] = dialect.key.split(": ");
    const header = name.replace(/:$/, "");
    const wanted = [...scheme, KEY].join(" ");

    if (req.headers[header] != wanted) {
        throw new Bad(`${header} is ${req.headers[header]}`,
                      { status: 401 });
    }
}


function send(res, status, body, headers = {}) {
    res.writeHead(status, { "content-type": "application/json", ...headers });
    res.end(body);
}


function refuse(res, dialect, error) {
    const { body, headers, retryInfo } = dialect.error(error);

    send(res, error.status, dialect.stringify(body),
         { ...(retryInfo ? {} : error.headers), ...headers });
}


async function reply(res, dialect, answer, view) {
    if (answer.error && !answer.error.late) {
        refuse(res, dialect, answer.error);
        return;
    }

    if (!view.stream) {
        const body = dialect.stringify(dialect.json(answer, view),
                                       answer.pretty && 2);

        if (answer.cut || answer.error) {
            res.writeHead(200, { "content-type": "application/json",
                                 "content-length":
                                 Buffer.byteLength(body) });
            res.write(body.slice(0, body.length / 2));
            setTimeout(() => res.destroy(), 20);
            return;
        }

        send(res, 200, body);
        return;
    }

    res.writeHead(200, { "content-type": dialect.streamType });
    await write(res, dialect.stream(answer, view));

    if (answer.cut) {
        setTimeout(() => res.destroy(), 20);
        return;
    }

    res.end();
}


/* reads a request as the dialect does, or throws what is wrong with it */

async function serve(base, req, res, seen) {
    const [path] = req.url.split("?");
    const found = base.route(path);

    /* what OpenAI has beside chat/completions is a dialect of its own */

    const dialect = found?.view ? found : base;
    const op = found?.view ? found.route(path) : found;

    if (req.method != "POST" || !op) {
        throw new Bad(`no such path: ${req.method} ${req.url}`,
                      { status: 404 });
    }

    authorize(dialect, req);

    if (!/^application\/json/.test(req.headers["content-type"])) {
        throw new Bad(`content-type ${req.headers["content-type"]}`);
    }

    const body = JSON.parse(req.bytes.toString());

    seen.body = body;

    if (op == "embed") {
        const { document, seen: view } = dialect.embed(body, req.url);

        seen.view = view;
        send(res, 200, dialect.stringify(document));
        return;
    }

    const view = dialect.view(op, body, req.headers, req.url);

    seen.view = view;

    if (view.count) {
        send(res, 200, dialect.stringify(dialect.count(view)));
        return;
    }

    /* a conversation whose calls are made up on the way has no ids of ours */

    await reply(res, dialect, scenario(view), view);
}


/* starts it; "requests" are { dialect, url, headers, body, view, bad } */

export async function fake() {
    const requests = [];

    const server = http.createServer(async (req, res) => {
        const [, name, ...rest] = req.url.split("/");
        const dialect = DIALECTS[name];
        const seen = { dialect: name, url: req.url, headers: req.headers };
        const chunks = [];

        try {
            for await (const chunk of req) {
                chunks.push(chunk);
            }
        } catch (e) {
            return;
        }

        requests.push(seen);
        req.bytes = Buffer.concat(chunks);

        const inner = { method: req.method, headers: req.headers,
                        bytes: req.bytes, url: `/${rest.join("/")}` };

        /* what is signed is the path as it was sent */

        if (dialect?.authorize) {
            inner.authorize = () => dialect.authorize(
                { ...inner, url: req.url });
        }

        try {
            await serve(inner.authorize
                ? { ...dialect, authorize: inner.authorize } : dialect,
                inner, res, seen);

        } catch (e) {
            seen.bad = e;

            if (!(e instanceof Bad)) {
                console.error(e);
            }

            if (!res.headersSent) {
                refuse(res, dialect, {
                    status: e.status ?? 400, message: e.message,
                    param: e.param, type: e.type });

            } else {
                res.destroy();
            }
        }
    });

    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

    after(() => {
        server.closeAllConnections();
        server.close();
    });

    return {
        url: `http://127.0.0.1:${server.address().port}`,
        requests,
        last: () => requests.at(-1),
    };
}

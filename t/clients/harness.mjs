/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * An nginx with the module, for one test file: the gateway, and "ai_mock"
 * locations as its providers.  Beside it providers written in JavaScript,
 * for what a test wants to see of the gateway's requests.
 */


import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)),
                          "../..");
const OBJS = path.resolve(process.env.AI_OBJS || path.join(ROOT, "objs"));
const NGINX = process.env.AI_NGINX || "nginx";

/* empty: the module is a part of nginx */

const MODULE = process.env.AI_MODULE
    ?? path.join(OBJS, "ngx_http_ai_gateway_module.so");

const COMPLAINT = /\[(alert|crit|emerg)\]|Sanitizer|runtime error:/;

/* the only credential that a provider may see, and what it must not */

export const PROVIDER_KEY = "sk-provider-4711";
export const CANARY = "CANARY";

/* how the mock behaves behind http://HOST/DIALECT/NAME */

const MOCKS = {
    ok: "tokens=16",
    slow: "tokens=30 gap=5ms",
    long: "tokens=5000 gap=10ms",
    late: "first=20s",
    status400: "fail=400",
    status401: "fail=401",
    status429: "fail=429",
    status500: "fail=500",
    status503: "fail=503",
    reset: "fail=reset",
    reset_mid: "fail=reset_mid gap=2ms",
    stall: "fail=stall",
    stall_mid: "fail=stall_mid",
    error_first: "fail=error_first",
    error_mid: "fail=error_mid gap=2ms",
    truncate: "fail=truncate gap=2ms",
};

/* dialects, and what their endpoints end in */

const DIALECTS = { openai: "/v1", anthropic: "/v1", gemini: "/v1beta" };


export function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}


/* what check() returns, once that is true; fails after so many ms */

export async function until(check, ms, what) {
    const end = Date.now() + ms;

    for ( ;; ) {
        const result = await check();

        if (result) {
            return result;
        }

        assert.ok(Date.now() < end, `${what}: not within ${ms} ms`);
        await sleep(10);
    }
}


/* the result of a promise that must not take longer */

export async function within(ms, what, promise) {
    let timer;

    const late = new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(
            `${what}: not within ${ms} ms`)), ms);
    });

    try {
        return await Promise.race([promise, late]);

    } finally {
        clearTimeout(timer);
    }
}


export function freePort() {
    return new Promise((resolve, reject) => {
        const s = net.createServer();

        s.on("error", reject);
        s.listen(0, "127.0.0.1", () => {
            const { port } = s.address();
            s.close(() => resolve(port));
        });
    });
}


/* a provider, its tier and the location that leads there */

function route(dialect, name, endpoint, key) {
    const id = `${dialect}-${name}`;

    return {
        http: `
    ai_provider ${id} {
        dialect ${dialect};
        endpoint ${endpoint};
        key file:${key};
        connect_timeout 2s;
        first_token_timeout ${name == "stall" ? "300ms" : "30s"};
        idle_timeout ${name == "stall_mid" ? "300ms" : "30s"};
        timeout ${name == "stall" ? "500ms" : "30s"};
    }
    ai_tier t-${id} { target ${id}/*; }`,
        location: `
        location /${dialect}/${name}/ {
            ai_gateway on;
            ai_route t-${id};
        }`,
    };
}


function config(prefix, port, closed, own) {
    const key = `${prefix}/key`;
    const routes = [];

    for (const [dialect, base] of Object.entries(DIALECTS)) {
        for (const name of Object.keys(MOCKS)) {
            routes.push(route(dialect, name,
                `http://127.0.0.1:${port}/mock/${name}${base}`, key));
        }

        routes.push(route(dialect, "closed",
            `http://127.0.0.1:${closed}${base}`, key));
    }

    for (const { dialect, name, url } of own) {
        routes.push(route(dialect, name, url + DIALECTS[dialect], key));
    }

    const mocks = Object.entries(MOCKS).map(([name, parameters]) => `
        location /mock/${name}/ {
            ai_mock ${parameters};
            access_log ${prefix}/mock.log mock;
        }`);

    return frame(prefix, `
    log_format mock '$status $request_uri';
    ${routes.map((r) => r.http).join("")}

    ai_tier gpt { alias gpt-mock embed-mock; target openai-ok/*; }
    ai_tier claude { alias claude-mock; target anthropic-ok/*; }
    ai_tier gemini { alias gemini-mock; target gemini-ok/*; }

    server {
        listen 127.0.0.1:${port};

        location / { ai_gateway on; }
        ${routes.map((r) => r.location).join("")}
        ${mocks.join("")}
    }
`);
}


/* what is around the servers of any configuration */

function frame(prefix, http) {
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `
    ${name}_temp_path ${prefix}/${name};`);

    /* workers of root's nginx may have no access to the checkout */

    const user = process.getuid() == 0 ? `user ${os.userInfo().username};`
                                       : "";

    return `${MODULE ? `load_module ${MODULE};` : ""}
${user}
daemon off;
worker_processes 1;
pid ${prefix}/nginx.pid;
error_log ${prefix}/error.log info;

events {
    worker_connections 512;
}

http {${temp.join("")}
    log_format ai escape=none '$ai_log';
    access_log ${prefix}/access.log ai;
    client_max_body_size 8m;
${http}
}
`;
}


class Gateway {
    constructor(prefix, port) {
        this.prefix = prefix;
        this.url = `http://127.0.0.1:${port}`;
    }


    /* the base URL for clients that add "/v1/..." themselves */

    at(dialect, name) {
        return `${this.url}/${dialect}/${name}`;
    }


    text(file) {
        try {
            return fs.readFileSync(path.join(this.prefix, file), "utf8");

        } catch (e) {
            return "";
        }
    }


    lines(file) {
        return this.text(file).split("\n").filter((line) => line);
    }


    /* the gateway's records of this route, of the last requests first */

    records(dialect, name) {
        return this.lines("access.log").map((line) => JSON.parse(line))
            .filter((record) => record.provider == `${dialect}-${name}`)
            .reverse();
    }


    complaints() {
        return [...this.lines("error.log"), ...this.lines("stderr")]
            .filter((line) => COMPLAINT.test(line));
    }


    /* what was sent is what was logged, and no log has a secret */

    balance() {
        const mocks = Object.keys(MOCKS).join("|");
        const route = new RegExp(`^(${Object.keys(DIALECTS).join("|")})-`
                                 + `(${mocks})$`);
        let attempts = 0;

        for (const line of this.lines("access.log")) {
            const record = JSON.parse(line);

            if (route.test(record.provider)) {
                attempts += record.attempts;
            }
        }

        assert.equal(this.lines("mock.log").length, attempts,
                     "requests of the mocks and attempts of the gateway");

        for (const file of ["access.log", "error.log", "stderr"]) {
            const text = this.text(file);

            assert.ok(!text.includes(PROVIDER_KEY), `our key in ${file}`);
            assert.ok(!text.includes(CANARY), `a client's key in ${file}`);
        }
    }


    async start(own) {
        const port = Number(new URL(this.url).port);

        fs.writeFileSync(path.join(this.prefix, "key"), PROVIDER_KEY,
                         { mode: 0o600 });
        fs.writeFileSync(path.join(this.prefix, "nginx.conf"),
                         typeof own == "function"
            ? frame(this.prefix, await own(this, port))
            : config(this.prefix, port, await freePort(), own));

        const env = { ...process.env };

        /* would tell nginx that it inherits sockets */
        delete env.NGINX;

        const stderr = fs.openSync(path.join(this.prefix, "stderr"), "w");

        this.ended = null;
        this.child = spawn(NGINX, ["-p", this.prefix, "-e", "error.log",
                            "-c", "nginx.conf"],
                           { stdio: ["ignore", stderr, stderr], env });
        fs.closeSync(stderr);

        /* ends nginx when this process ends, in whatever way */

        this.guard = spawn("/bin/sh", ["-c", 'read _; kill -TERM "$0"',
                                       String(this.child.pid)],
                           { stdio: ["pipe", "ignore", "ignore"] });
        this.guard.on("error", () => {});

        this.end = new Promise((resolve) => {
            const ended = (how) => {
                this.guard.kill("SIGKILL");
                resolve(this.ended = how);
            };

            this.child.on("exit", (code, signal) => ended({ code, signal }));
            this.child.on("error", (e) => ended({ code: e.message }));
        });

        const check = () => this.ended || fetch(this.url + "/health")
            .then((r) => r.arrayBuffer()).catch(() => null);

        await until(check, 10000, "the start of nginx");

        if (this.ended) {
            throw new Error(`nginx ended with ${this.ended.code}:\n`
                            + this.text("stderr"));
        }
    }


    /* ends nginx, which must be quick and without a complaint */

    async stop() {
        if (this.child && !this.ended) {
            this.child.kill("SIGQUIT");

            try {
                await within(5000, "the end of nginx", this.end);

            } finally {
                if (!this.ended) {
                    this.child.kill("SIGTERM");
                    await sleep(1000);
                    this.child.kill("SIGKILL");
                }
            }
        }

        assert.deepEqual(this.complaints(), [], "complaints of nginx");
        assert.deepEqual(this.ended, { code: 0, signal: null });
        this.balance();

        if (!process.env.AI_KEEP) {
            fs.rmSync(this.prefix, { recursive: true, force: true });
        }
    }
}


/*
 * Starts nginx; "own" are routes to other providers than the mock, as
 * { dialect, name, url }, or a function of the gateway and its port that
 * returns what is in http {} in place of all mocks.  With AI_KEEP set, the
 * files remain.
 */

export async function start(own = []) {
    fs.mkdirSync(path.join(OBJS, "clients"), { recursive: true });

    for (let attempt = 1; ; attempt++) {
        const prefix = fs.mkdtempSync(path.join(OBJS, "clients", "nginx-"));
        const gw = new Gateway(prefix, await freePort());

        try {
            await gw.start(own);
            return gw;

        } catch (e) {

            /* somebody else may have taken the port */

            if (attempt == 3 || !/bind\(\) to/.test(e.message)) {
                throw e;
            }

            fs.rmSync(prefix, { recursive: true, force: true });
        }
    }
}


/*
 * A provider in JavaScript: handler(request, response), where request is
 * { method, url, headers, raw, body, number, closed }.  "closed" resolves to
 * the time when the gateway has left before the answer was complete.
 */

export async function provider(handler) {
    const requests = [];

    const server = http.createServer(async (req, res) => {
        const { method, url, headers, rawHeaders: raw } = req;
        const chunks = [];
        const request = { method, url, headers, raw };

        request.closed = new Promise((resolve) => res.on("close", () => {
            if (!res.writableFinished) {
                resolve(Date.now());
            }
        }));

        try {
            for await (const chunk of req) {
                chunks.push(chunk);
            }

        } catch (e) {
            return;
        }

        request.body = Buffer.concat(chunks).toString();
        request.number = requests.push(request);

        handler(request, res);
    });

    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

    const close = () => {
        server.closeAllConnections();
        server.close();
    };

    after(close);

    return {
        url: `http://127.0.0.1:${server.address().port}`,
        requests,
        last: () => requests[requests.length - 1],
    };
}


export function answer(res, status, document, headers = {}) {
    res.writeHead(status, { "content-type": "application/json", ...headers });
    res.end(JSON.stringify(document));
}


/* everything that the provider was sent but the body, as text */

export function sent(request) {
    return [request.method, request.url, ...request.raw].join("\n");
}


/* the items of an async iterator, and the error that ended it */

export async function drain(iterable) {
    const items = [];

    try {
        for await (const item of iterable) {
            items.push(item);
        }

    } catch (error) {
        return { items, error };
    }

    return { items, error: null };
}


/* the error of a promise that must not be fulfilled */

export async function failure(promise) {
    let result;

    try {
        result = await promise;

    } catch (e) {
        return e;
    }

    assert.fail("a success: " + JSON.stringify(result).slice(0, 300));
}

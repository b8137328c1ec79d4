/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What vendors check before they answer: that each member is known, and of
 * the right type.
 */


/* a request that the vendor refuses, with its status */

export class Bad extends Error {
    constructor(message, { status = 400, param = null, type } = {}) {
        super(message);
        this.status = status;
        this.param = param;
        this.type = type;
    }
}


export function need(condition, message, param) {
    if (!condition) {
        throw new Bad(message, { param });
    }
}


const TYPES = {
    string: (v) => typeof v == "string",
    text: (v) => typeof v == "string" && v !== "",
    number: (v) => typeof v == "number",
    integer: Number.isInteger,
    positive: (v) => Number.isInteger(v) && v > 0,
    boolean: (v) => typeof v == "boolean",
    object: (v) => v !== null && typeof v == "object" && !Array.isArray(v),
    array: Array.isArray,
    list: (v) => Array.isArray(v) && v.length > 0,
    any: () => true,
    null: (v) => v === null,
};


/*
 * Members of an object: "type" or "type|type" for each, a "?" at the end of
 * the name of one that may be missing.  Others are refused, unless there is
 * a "*".  A function is called with value and path, an array lists values.
 */

export function members(object, path, spec) {
    need(TYPES.object(object), `${path}: should be an object`, path);

    for (const name of Object.keys(object)) {
        need(name in spec || `${name}?` in spec || "*" in spec,
             `${path}.${name}: Extra inputs are not permitted`,
             `${path}.${name}`);
    }

    for (const [key, type] of Object.entries(spec)) {
        const name = key.replace(/\?$/, "");
        const value = object[name];
        const at = `${path}.${name}`;

        if (key == "*") {
            continue;
        }

        if (value === undefined) {
            need(key.endsWith("?"), `${at}: Field required`, at);

        } else if (typeof type == "function") {
            type(value, at);

        } else if (Array.isArray(type)) {
            need(type.includes(value),
                 `${at}: ${JSON.stringify(value)} is none of ${type}`, at);

        } else {
            need(type.split("|").some((t) => TYPES[t](value)),
                 `${at}: ${JSON.stringify(value)?.slice(0, 60)} is not `
                 + type, at);
        }
    }
}


/* each of a list, with its path */

export function each(list, path, check) {
    need(Array.isArray(list), `${path}: should be a list`, path);

    return list.map((v, i) => check(v, `${path}.${i}`));
}


/* one of a kind: the member "type" chooses among specs */

export function kinds(value, path, specs, member = "type") {
    need(TYPES.object(value), `${path}: should be an object`, path);
    need(Object.hasOwn(specs, value[member]),
         `${path}: Input tag '${value[member]}' is none of `
         + Object.keys(specs), path);
    members(value, path, { [member]: "string", ...specs[value[member]] });

    return value[member];
}


/* exactly one member of a union, as Google and AWS have them */

export function union(value, path, specs) {
    need(TYPES.object(value), `${path}: should be an object`, path);

    const names = Object.keys(value);

    need(names.length == 1 && Object.hasOwn(specs, names[0]),
         `${path}: a union of ${Object.keys(specs)} has ${names}`, path);

    if (specs[names[0]]) {
        members(value[names[0]], `${path}.${names[0]}`, specs[names[0]]);
    }

    return names[0];
}


/* the arguments of a call, which must be an object in a string */

export function parseArguments(text, path) {
    let value;

    try {
        value = JSON.parse(text);

    } catch (e) {
        throw new Bad(`${path}: not JSON: ${text.slice(0, 60)}`,
                      { param: path });
    }

    need(TYPES.object(value), `${path}: not an object`, path);
    return value;
}


/* bytes of strict base64 */

export function bytes(text, path) {
    need(typeof text == "string" && text.length % 4 == 0
         && /^[A-Za-z0-9+/]+={0,2}$/.test(text), `${path}: no base64`, path);

    return Buffer.from(text, "base64");
}


/* { mime, data } of a data URL */

export function dataUrl(url, path) {
    const found = /^data:([a-z]+\/[a-z0-9.+-]+);base64,(.*)$/.exec(url);

    need(found, `${path}: expected a data URL, got ${url.slice(0, 40)}`,
         path);
    return { mime: found[1], data: bytes(found[2], path) };
}


/* a schema of a tool: of an object, at the top */

export function objectSchema(schema, path) {
    need(TYPES.object(schema), `${path}: schema must be an object`, path);
    need(schema.type === "object",
         `${path}.type: schema must be of type "object", got `
         + JSON.stringify(schema.type), path);
    need(schema.properties === undefined || TYPES.object(schema.properties),
         `${path}.properties: should be an object`, path);
}


export function toolName(name, path, max = 64) {
    need(new RegExp(`^[A-Za-z0-9_-]{1,${max}}$`).test(name),
         `${path}: '${name}' does not match '^[a-zA-Z0-9_-]{1,${max}}$'`,
         path);
}


/* pieces of a text, never within a character's code points */

export function pieces(text, size = 7) {
    const points = [...text];
    const list = [];

    for (let i = 0; i < points.length; i += size) {
        list.push(points.slice(i, i + size).join(""));
    }

    return list;
}


export function joined(list) {
    return list.filter((text) => text).join("\n\n");
}


/* arguments as the model wrote them; null: none, in the vendor's own way */

export function argumentsText(args, none = "{}") {
    return args === null ? none : args.$raw ?? JSON.stringify(args);
}


/* as JSON.stringify(), with { $raw } as it stands */

export function stringify(value, indent) {
    return JSON.stringify(value, null, indent).replace(
        /\{\s*"\$raw":\s*("(?:[^"\\]|\\.)*")\s*\}/g,
        (all, raw) => JSON.parse(raw));
}


export function sse(data, event, indent) {
    const text = typeof data == "string" ? data : stringify(data, indent);

    return (event ? `event: ${event}\n` : "")
           + `data: ${text.replaceAll("\n", "\ndata: ")}\n\n`;
}

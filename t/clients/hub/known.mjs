/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * What is known not to work yet, by the names of tests.  These run, but do
 * not fail; what passes by now is to be taken off.
 */


const KNOWN = [
    ["^openai: (?!chat|openai)\\w+, then (chat|openai)$",
     "reasoning_details of other models, in one dialect"],
].map(([pattern, reason]) => [new RegExp(pattern), reason]);


/* options of a test of that name */

export function known(name) {
    const [, todo] = KNOWN.find(([pattern]) => pattern.test(name)) ?? [];

    return { timeout: 15000, ...(todo && { todo }) };
}

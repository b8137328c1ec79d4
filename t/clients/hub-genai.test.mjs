/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * hub/client-genai.mjs with the providers of all dialects.
 */


import { test } from "node:test";
import * as client from "./hub/client-genai.mjs";
import { pairs } from "./hub/cases.mjs";
import { hub } from "./hub/gateway.mjs";


const setup = await hub();

pairs(setup, client);

test("nginx ends without a complaint", () => setup.gw.stop());

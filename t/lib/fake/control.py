"""
Copyright (C) the ngx_http_ai_gateway_module authors

The control API of the fake provider, on a port of its own:

    GET  /__chaos/requests     all that was recorded (?since=ID, ?last=1)
    GET  /__chaos/stats        counters, open connections
    GET  /__chaos/anomalies    requests that no client should send
    GET  /__chaos/wait         ?client_closed=1 ?requests=N ?idle=1
                               ?connections=N (open), &timeout=SECONDS
    POST /__chaos/find         {"strings": [...]}: which were received
    POST /__chaos/script       {"faults": [...]}: for the next requests
    POST /__chaos/default      {"listener": "main", "fault": NAME or null}
    POST /__chaos/counter      {"name": N}: set counters (dns_flip)
    POST /__chaos/aws          {ID: {"secret": S, "token": T}} of signatures
    POST /__chaos/google       {"public": PATH, "email": E, "kid": K, "mode":
                               ok, 500, stall, reset or a body, "delay": D,
                               "expires": N, "client_id"...}: the endpoint
    POST /__chaos/reset        forget everything but the two above
"""

import asyncio
import json
from urllib.parse import parse_qs

from . import wire


class Control:
    def __init__(self, store):
        self.store = store

    async def serve(self, reader, writer):
        try:
            await asyncio.wait_for(self.handle(reader, writer), 120)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError, ValueError):
            pass
        writer.close()

    async def handle(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        length = 0
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        body = await reader.readexactly(length)
        path, _, query = target.partition("?")
        args = {k: v[0] for k, v in parse_qs(query).items()}
        data = json.loads(body) if body else {}
        name = path.rpartition("/")[2]
        func = getattr(self, method.lower() + "_" + name, None)
        code, reply = 404, {"error": "no such call"}
        if func is not None:
            code, reply = await func(args, data)
        out = json.dumps(reply).encode()
        writer.write(b"HTTP/1.1 %d Status\r\ncontent-type: application/json"
                     b"\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
                     % (code, len(out)) + out)
        await writer.drain()

    async def get_requests(self, args, data):
        if "last" in args:
            return 200, list(self.store.records)[-1:]
        since = int(args.get("since", 0))
        return 200, [r for r in self.store.records if r["id"] > since]

    async def get_stats(self, args, data):
        out = dict(self.store.counts)
        out["by_listener"] = dict(self.store.conns)
        out["open_connections"] = len(self.store.open)
        out["in_flight"] = self.in_flight()
        out["now"] = wire.now()
        out["last_error"] = self.store.last_error
        out["tls_failures"] = (out.get("tls_hellos", 0)
                               - out.get("tls_handshakes", 0))
        return 200, out

    async def get_anomalies(self, args, data):
        return 200, self.store.anomalies

    def in_flight(self):
        return sum(1 for r in self.store.records if not r["done"])

    def satisfied(self, args):
        store = self.store
        if "client_closed" in args:
            n = sum(1 for r in store.records if r["client_closed"])
            if n < int(args["client_closed"]):
                return False
        if "requests" in args:
            if store.counts["requests"] < int(args["requests"]):
                return False
        if "idle" in args and self.in_flight():
            return False
        if "connections" in args:
            if len(store.open) > int(args["connections"]):
                return False
        return True

    async def get_wait(self, args, data):
        limit = min(60.0, float(args.get("timeout", 5)))
        end = wire.now() + limit
        while not self.satisfied(args):
            if wire.now() > end:
                return 408, {"error": "timeout"}
            await asyncio.sleep(0.01)
        return 200, {"requests": len(self.store.records)}

    async def post_find(self, args, data):
        return 200, self.store.find(data.get("strings", []))

    async def post_script(self, args, data):
        self.store.script.extend(data.get("faults", []))
        return 200, {"queued": len(self.store.script)}

    async def post_default(self, args, data):
        self.store.defaults[data["listener"]] = data.get("fault")
        return 200, self.store.defaults

    async def post_counter(self, args, data):
        self.store.counters.update(dict.fromkeys(data, 0))
        for key, value in data.items():
            self.store.counters[key] = int(value)
        return 200, dict(self.store.counters)

    async def post_aws(self, args, data):
        self.store.aws = data
        return 200, {}

    async def post_google(self, args, data):
        self.store.google = data
        return 200, {}

    async def post_reset(self, args, data):
        self.store.reset()
        return 200, {}

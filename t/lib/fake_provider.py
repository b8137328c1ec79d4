#!/usr/bin/env python3
"""
Copyright (C) the ngx_http_ai_gateway_module authors

A provider for the tests: answers as OpenAI, Anthropic, Gemini, Cohere,
Bedrock and Ollama do, or as badly as a named fault wants.  Prints one line of
JSON with its ports when it is ready; ends when its standard input does, or
after --max-seconds.

A fault is chosen by, in this order: the script set through the control API,
the path prefix /fault/NAME, the model name fault-NAME, the default of the
listener.  Parameters follow the name as in fault-ok?n=5&d=0.02, or, where a
model name may not hold such characters, as in fault-ok:n:5:d:0.02.
"""

import argparse
import asyncio
import json
import os
import re
import sys

sys.dont_write_bytecode = True

from fake import (auth, control, dialects, dns, exchange,  # noqa: E402
                  faults_body, faults_frames, faults_stream, faults_time,
                  faults_wire, listeners, wire)

MODEL = re.compile(rb'"model"\s*:\s*"((?:fault-|replay:)[^"\\]{1,200})"')


class Provider:
    """Serves the connections of all listeners."""

    def __init__(self, opts):
        self.opts = opts
        self.store = wire.Store()

    async def serve(self, reader, writer, name):
        conn = wire.Conn(self.store, reader, writer, name,
                         self.opts.instance + "/" + name)
        try:
            while await self.one(conn):
                pass
            await conn.hang_up()
        except wire.Hangup as h:
            await conn.hang_up(h.reset, h.abrupt)
        except (wire.Gone, OSError, asyncio.TimeoutError):
            await conn.hang_up()
        except wire.BadRequest as e:
            conn.note("not a request", str(e))
            await conn.hang_up()
        finally:
            self.finish(conn)
            self.store.open.pop(conn.id, None)

    async def one(self, conn):
        """Serve one request; False when the connection is to be closed."""
        req = await asyncio.wait_for(conn.read_head(), 300)
        if req is None:
            return False
        if req.path.endswith("/redirect-target"):
            self.store.counts["redirect_target_hits"] += 1
        rec = wire.new_record(self.store, conn, req)
        surface, model = dialects.surface_of(req.method, req.path)
        spec = self.ordered(req)
        head = await conn.sniff(req)
        if model is None:
            m = MODEL.search(head)
            model = m.group(1).decode() if m else None
        spec = spec or fault_of(model)
        default = self.store.defaults.get(conn.listener) or "ok"
        name, params = exchange.parse_spec(spec or default)
        x = exchange.Exchange(conn, req, rec, name, params, self.opts)
        early = name in exchange.EARLY
        if not early:
            await conn.read_body(req)
            wire.note_body(rec, req)
            rec["sigv4"] = auth.check_sigv4(req, self.store.aws)
            if isinstance(rec["model"], str) and model is None:
                model = rec["model"]
                spec = spec or fault_of(model)
                x.name, x.params = exchange.parse_spec(spec or default)
        rec["model"], rec["fault"] = model, spec or default
        x.prepare(surface, model)
        return await self.answer(x, early)

    def ordered(self, req):
        """The fault that the script or the path asks for, or None."""
        if self.store.script:
            return self.store.script.popleft()
        m = re.match(r"/fault/([^/]+)/", req.path)
        return m.group(1) if m else None

    async def answer(self, x, early):
        conn = x.conn
        conn.gone.clear()
        conn.answering = True
        watcher = None
        if not early:
            if conn.buf:
                conn.note("bytes after the request", repr(bytes(
                    conn.buf[:60])))
            watcher = asyncio.ensure_future(conn.watch())
        try:
            if x.ans.surface == "token":
                await auth.token(x)
            elif x.rec["fault"].startswith("replay:"):
                path, _, query = x.rec["fault"][7:].partition("?")
                x.params = exchange.parse_spec("replay?" + query)[1]
                await x.replay(path)
            else:
                await exchange.choose(x, x.name)
        finally:
            self.finish(conn)
            x.rec["body_out"] = bytes(x.out[:wire.TEXT_MAX]).decode(
                "utf-8", "backslashreplace")
            if watcher is not None:
                watcher.cancel()
                try:
                    await watcher
                except asyncio.CancelledError:
                    pass
        wants_close = "close" in x.req.get("connection", "").lower()
        return x.keep and not wants_close and not conn.gone.is_set()

    def finish(self, conn):
        conn.answering = False
        rec = conn.rec
        if rec is not None and not rec["done"]:
            rec["done"] = True
            rec["duration"] = round(wire.now() - rec["t"], 4)


def fault_of(model):
    """The fault that a model name asks for, or None."""
    if model is None:
        return None
    bare = re.sub(r"\A.*/(?=fault-)", "", model)
    if bare.startswith("fault-"):
        return bare[6:]
    return bare if bare.startswith("replay:") else None


async def run(opts):
    loop = asyncio.get_running_loop()
    provider = Provider(opts)
    loop.set_exception_handler(
        lambda _, ctx: provider.store.error(ctx))
    doors = listeners.Listeners(provider.store, provider.serve, opts)
    await doors.open()
    ctl = control.Control(provider.store)
    sock = listeners.bound(opts.ports.get("control", 0))
    await doors.start(sock, "control", ctl.serve)
    transport, _ = await loop.create_datagram_endpoint(
        lambda: dns.Server(provider.store),
        local_addr=(listeners.HOST, opts.ports.get("dns", 0)))
    doors.ports["dns"] = transport.get_extra_info("sockname")[1]
    print(json.dumps({"pid": os.getpid(), "ports": doors.ports,
                      "text": "".join(dialects.PIECES)}), flush=True)
    await ended(loop, opts.max_seconds)
    transport.close()
    doors.close()


async def ended(loop, seconds):
    """Wait for the end of standard input, or for the time to be up."""
    done = asyncio.Event()

    def readable():
        if not os.read(0, 65536):
            loop.remove_reader(0)
            done.set()
    try:
        loop.add_reader(0, readable)
    except (OSError, PermissionError):
        pass                        # a file or /dev/null: time alone
    try:
        await asyncio.wait_for(done.wait(), seconds)
    except asyncio.TimeoutError:
        pass


def show():
    """Print the names of the faults."""
    entries = [(n, f) for n, f in exchange.FAULTS.items()]
    entries += [(shown, f) for _, shown, f in exchange.FAMILIES]
    for name, func in sorted(entries, key=lambda e: e[0]):
        doc = (func.__doc__ or "").strip().split("\n")[0]
        print("%-28s %s" % (name, doc))


def port_list(text):
    out = {}
    for item in filter(None, text.split(",")):
        name, _, port = item.partition("=")
        out[name] = int(port)
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    p.add_argument("--list", action="store_true", help="print the faults")
    p.add_argument("--ports", type=port_list, default={},
                   metavar="NAME=PORT,...", help="default: ephemeral")
    p.add_argument("--certs", metavar="DIR", help="made by certs.sh")
    p.add_argument("--fixtures", metavar="DIR", help="for replay:PATH")
    p.add_argument("--split", type=int, default=0,
                   help="bytes per chunk of a replay")
    p.add_argument("--unix", metavar="PATH", help="listen there as well")
    p.add_argument("--instance", default="fake", help="name in answers")
    p.add_argument("--max-seconds", type=float, default=600)
    opts = p.parse_args()
    if opts.list:
        show()
        return
    try:
        asyncio.run(run(opts))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

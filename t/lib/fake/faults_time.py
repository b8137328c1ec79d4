"""
Copyright (C) the ngx_http_ai_gateway_module authors

Faults of time: silence, slowness, streams without an end.
"""

import asyncio

from . import wire
from .exchange import fault
from .faults_stream import middle, only, opened, until


@fault("stall-headers")
async def stall_headers(x):
    """silence after the request"""
    await x.stall()


@fault("stall-after-status")
async def stall_after_status(x):
    """silence inside the head"""
    await x.raw("HTTP/1.1 200 OK\r\nconten")
    await x.stall()


@fault("stall-first-token")
async def stall_first_token(x):
    """silence after the head"""
    await x.begin()
    await x.stall()


@fault("stall-after-open")
async def stall_after_open(x):
    """silence after the opening events"""
    await until(x, opened(x) if x.ans.stream else 1)
    await x.stall()


@fault("stall-mid-stream")
async def stall_mid(x):
    """silence after n= pieces (3)"""
    await until(x, middle(x))
    await x.stall()


@fault("stall-before-done")
async def stall_before_done(x):
    """silence between the finish and the terminator"""
    n = sum(1 for e in x.ans.events() if e.kind != "done")
    await until(x, n)
    await x.stall()


@fault("done-then-hang")
async def done_then_hang(x):
    """a whole stream, but the framing is never finished"""
    await until(x, 1 << 30)
    await x.stall()


@fault("pings-only")
async def pings_only(x):
    """pings every d= seconds (0.1), no token"""
    await x.begin()
    for _ in range(600):
        await x.chunk(b': ping\n\nevent: ping\ndata: {"type":"ping"}\n\n')
        await x.sleep(x.num("d", 0.1))
    await x.end()


def tokens(x, default):
    n = x.num("tokens", x.num("n", default))
    x.ans.pieces = [" w%d" % i for i in range(n)]
    x.ans.usage["out"] = n


@fault("slow-drip")
async def slow_drip(x):
    """n= pieces (20) every d= seconds (0.05), or ms= milliseconds"""
    tokens(x, 20)
    gap = x.num("ms", 0) / 1000.0 or x.num("d", 0.05)
    if x.ans.stream:
        await x.stream(x.parts(), gap=gap)
        return
    await x.begin()
    for part in x.parts():
        await x.sleep(gap)
        await x.chunk(part)
    await x.end()


@fault("slow-first-token")
async def slow_first_token(x):
    """the first piece after first= seconds (0.5)"""
    x.params.setdefault("first", "0.5")
    await x.fine()


async def endless(x, size, gap):
    """A stream without an end: pieces of `size` bytes."""
    x.ans.pieces = ["x" * size]
    x.ans.stream = True
    parts = only(x, "open", "delta") or x.parts()
    if x.ans.surface == "gemini-stream":
        x.ans.pieces = ["x" * size] * 2
        parts = x.parts()[:1]
    await x.begin()
    for part in parts:
        await x.chunk(part)
    for _ in range(x.num("max", 2000000)):
        await x.raw(b"%x\r\n%s\r\n" % (len(parts[-1]), parts[-1]))
        if gap:
            await x.sleep(gap)
        else:
            await asyncio.sleep(0)
    raise wire.Hangup()


@fault("infinite")
async def infinite(x):
    """pieces for ever, every d= seconds (0.01)"""
    await endless(x, 8, x.num("d", 0.01))


@fault("flood")
async def flood(x):
    """pieces of n= bytes (4096) for ever, as fast as they are read"""
    await endless(x, x.num("n", 4096), 0)

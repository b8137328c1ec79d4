"""
Copyright (C) the ngx_http_ai_gateway_module authors

The listeners of the fake provider: plain, TLS good and bad, and those that
do not even speak HTTP.
"""

import asyncio
import os
import socket
import ssl
import struct

HOST = "127.0.0.1"
GOOD_NAME = "prov.test"

PLAIN = ("main", "second", "third")

TLS = {
    "tls": "good", "tls-ok": "good", "tls-expired": "expired",
    "tls-notyet": "notyet", "tls-wronghost": "wronghost",
    "tls-selfsigned": "selfsigned", "tls-unknownca": "unknownca",
    "tls-old": "good", "tls-needs-sni": "good",
}

RAW = ("accept-stall", "accept-close", "accept-reset", "banner",
       "tls-plaintext", "tls-inject", "tls-stall", "tls-reset")


def bound(port=0, host=HOST):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.setblocking(False)
    return sock


def tls_context(store, certs, name):
    """The server side of a TLS listener, by its name."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert = os.path.join(certs, TLS[name])
    ctx.load_cert_chain(cert + ".crt", cert + ".key")
    if name == "tls-old":
        ctx.set_ciphers("ALL:@SECLEVEL=0")
        ctx.minimum_version = ssl.TLSVersion.TLSv1
        ctx.maximum_version = ssl.TLSVersion.TLSv1_1

    def hello(tls, sni, context):
        store.counts["tls_hellos"] += 1
        store.counts["tls_hellos " + name] += 1
        tls.fake_sni = sni
        if name == "tls-needs-sni" and sni != GOOD_NAME:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    ctx.sni_callback = hello
    return ctx


async def raw_peer(store, name, reader, writer):
    """A listener that answers without reading HTTP."""
    store.counts["raw " + name] += 1
    sock = writer.get_extra_info("socket")
    if name in ("accept-reset", "accept-close"):
        if name == "accept-reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        writer.transport.abort()
        return
    if name == "banner":
        writer.write(b"220 RAW-LEAK smtp.test ESMTP\r\n")
    elif name == "tls-inject":
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n"
                     b"INJECTED-TLS")
    elif name == "tls-plaintext":
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 12\r\n"
                     b"\r\nINJECTED-TLS")
    elif name == "tls-reset":
        await reader.read(1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        writer.transport.abort()
        return
    if name == "accept-stall":
        writer.transport.pause_reading()
        await asyncio.sleep(60)
    try:
        for _ in range(10000):
            if not await asyncio.wait_for(reader.read(65536), 60):
                break
    except (OSError, asyncio.TimeoutError):
        pass
    writer.close()


def blackhole():
    """A listener whose queue is full: a SYN gets no answer."""
    sock = bound()
    sock.listen(0)
    fill = []
    for _ in range(4):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setblocking(False)
        s.connect_ex(sock.getsockname())
        fill.append(s)
    return sock, fill


class Listeners:
    """Opens everything, knows the ports, closes everything."""

    def __init__(self, store, serve, opts):
        self.store = store
        self.serve = serve          # coroutine of (reader, writer, name)
        self.opts = opts
        self.ports = {}
        self.held = []
        self.servers = []

    async def start(self, sock, name, handler, tls=None):
        server = await asyncio.start_server(
            handler, sock=sock, backlog=1024, limit=1 << 18, ssl=tls)
        self.servers.append(server)
        self.ports[name] = sock.getsockname()[1]

    async def open(self):
        wanted = self.opts.ports
        for name in PLAIN:
            def plain(r, w, name=name):
                return self.serve(r, w, name)
            sock = bound(wanted.get(name, 0))
            await self.start(sock, name, plain)
        for host in ("127.0.0.2", "127.0.0.3"):
            await self.alias(host)
        for name in RAW:
            def raw(r, w, name=name):
                return raw_peer(self.store, name, r, w)
            await self.start(bound(wanted.get(name, 0)), name, raw)
        if self.opts.certs:
            await self.open_tls(wanted)
        if self.opts.unix:
            def unix(r, w):
                return self.serve(r, w, "unix")
            self.servers.append(await asyncio.start_unix_server(
                unix, self.opts.unix, limit=1 << 18))
        sock = bound()
        self.held.append(sock)
        self.ports["refused"] = sock.getsockname()[1]
        sock, fill = blackhole()
        self.held += [sock] + fill
        self.ports["blackhole"] = sock.getsockname()[1]

    async def alias(self, host):
        """The port of main on another loopback address, if there is one."""
        def other(r, w):
            return self.serve(r, w, "main@" + host)
        try:
            sock = bound(self.ports["main"], host)
        except OSError:
            return
        self.servers.append(await asyncio.start_server(
            other, sock=sock, limit=1 << 18))

    async def open_tls(self, wanted):
        for name in TLS:
            def secure(r, w, name=name):
                self.store.counts["tls_handshakes"] += 1
                return self.serve(r, w, name)
            ctx = tls_context(self.store, self.opts.certs, name)
            await self.start(bound(wanted.get(name, 0)), name, secure, ctx)

    def close(self):
        for server in self.servers:
            server.close()
        for sock in self.held:
            sock.close()

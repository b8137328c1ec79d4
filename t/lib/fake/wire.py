"""
Copyright (C) the ngx_http_ai_gateway_module authors

The wire of the fake provider: connections, strict reading of requests,
writing of raw bytes, and the record of everything that was seen.
"""

import asyncio
import collections
import hashlib
import json
import re
import socket
import ssl
import struct
import time

HEAD_MAX = 1 << 20          # bytes of one request head
BODY_MAX = 256 << 20        # bytes of one request body
RAW_MAX = 64 << 20          # bytes kept of one connection, for find()
RAW_TOTAL = 384 << 20       # bytes kept of all connections
TEXT_MAX = 64 << 10         # bytes of a body shown in a record
SNIFF = 16 << 10            # bytes of a body looked at before it is read

CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")

STARTED = time.monotonic()


class Gone(Exception):
    """The peer has closed or reset the connection."""


class Hangup(Exception):
    """The fault wants the connection closed, or reset."""

    def __init__(self, reset=False, abrupt=False):
        super().__init__()
        self.reset = reset          # RST instead of FIN
        self.abrupt = abrupt        # no TLS close_notify


class BadRequest(Exception):
    """The bytes of the peer are not an HTTP/1.1 request."""


class Store:
    """What the provider has seen since it started, or since reset()."""

    def __init__(self):
        self.next_id = 0
        self.next_conn = 0
        self.open = {}
        self.last_error = None
        self.aws = {}               # see auth.py
        self.google = {}
        self.reset()

    def reset(self):
        self.records = collections.deque(maxlen=20000)
        self.anomalies = []
        self.raw = collections.OrderedDict()
        self.raw_size = 0
        self.counts = collections.Counter()
        self.conns = collections.Counter()
        self.counters = collections.Counter()
        self.script = collections.deque()
        self.defaults = {}

    def keep(self, conn, data):
        """Keep received bytes, the newest connections first."""
        raw = self.raw.setdefault(conn.id, bytearray())
        if len(raw) + len(data) > RAW_MAX:
            self.counts["raw_dropped"] += len(data)
            return
        raw += data
        self.raw_size += len(data)
        while self.raw_size > RAW_TOTAL and len(self.raw) > 1:
            old = self.raw.popitem(last=False)[1]
            self.raw_size -= len(old)

    def anomaly(self, conn, what, detail=""):
        if len(self.anomalies) < 1000:
            self.anomalies.append({
                "what": what, "detail": detail[:200], "conn": conn.id,
                "listener": conn.listener,
                "request": conn.rec["id"] if conn.rec else None})

    def error(self, ctx):
        """What the event loop could not give to anybody."""
        if isinstance(ctx.get("exception"), (OSError, ssl.SSLError)):
            self.counts["peer_errors"] += 1
            return
        self.counts["loop_errors"] += 1
        self.last_error = repr(ctx.get("exception") or ctx["message"])

    def find(self, strings):
        """The subset of the strings that came in on any connection."""
        hits = []
        for s in strings:
            b = s.encode("utf-8", "surrogateescape")
            for cid, raw in self.raw.items():
                if b in raw:
                    hits.append({"string": s, "conn": cid})
                    break
        return hits


class Request:
    """A request head, then, once read, its body."""

    def __init__(self, method, target, version, headers):
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.path, _, self.query = target.partition("?")
        self.body = b""
        self.early = b""
        self.json = None

    def get(self, name, default=None):
        for k, v in self.headers:
            if k.lower() == name:
                return v
        return default

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name]


def parse_head(head, note):
    """Split a head into a Request; note(what, detail) tells of oddities."""
    text = head.decode("latin-1")
    if "\0" in text:
        note("nul in head", repr(text[:80]))
    lines = text.split("\r\n")
    for line in lines:
        if "\n" in line or "\r" in line:
            note("bare cr or lf in head", repr(line))
    m = re.fullmatch(r"([!-~]+) ([!-~]+) HTTP/(1\.[01])", lines[0])
    if m is None:
        raise BadRequest(repr(lines[0][:100]))
    headers = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t"):
            note("folded header", repr(line))
            continue
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+",
                                         name):
            note("malformed header", repr(line))
            continue
        headers.append((name, value.strip(" \t")))
    req = Request(m.group(1), m.group(2), m.group(3), headers)
    check_head(req, note)
    return req


def check_head(req, note):
    """The oddities that request smuggling and leaked keys are made of."""
    cl = req.all("content-length")
    te = req.all("transfer-encoding")
    if cl and te:
        note("content-length with transfer-encoding", "")
    if len(cl) > 1:
        note("several content-length", repr(cl))
    if cl and not re.fullmatch(r"[0-9]{1,18}", cl[0]):
        note("bad content-length", cl[0])
    if len(te) > 1 or (te and te[0] != "chunked"):
        note("odd transfer-encoding", repr(te))
    if len(req.all("host")) != 1 and req.version == "1.1":
        note("not one host", repr(req.all("host")))
    creds = [k.lower() for k, v in req.headers if k.lower() in CREDENTIALS]
    if re.search(r"(^|&)key=", req.query):
        creds.append("?key=")
    if len(creds) > 1:
        note("several credentials", " ".join(creds))


class Conn:
    """One accepted connection."""

    def __init__(self, store, reader, writer, listener, instance):
        store.next_conn += 1
        self.id = store.next_conn
        self.store = store
        self.reader = reader
        self.writer = writer
        self.listener = listener
        self.instance = instance
        self.buf = bytearray()
        self.rec = None
        self.nreq = 0
        self.gone = asyncio.Event()
        self.watcher = None
        self.answering = False
        store.counts["connections"] += 1
        store.conns[listener] += 1
        store.open[self.id] = self
        self.sock = writer.get_extra_info("socket")
        if self.sock.family != getattr(socket, "AF_UNIX", None):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        writer.transport.set_write_buffer_limits(high=65536)

    def note(self, what, detail):
        self.store.anomaly(self, what, detail)

    async def fill(self):
        """Read what there is; False at the end."""
        try:
            data = await self.reader.read(65536)
        except (OSError, EOFError):
            data = b""
        if not data:
            return False
        self.store.keep(self, data)
        self.buf += data
        return True

    async def read_head(self):
        """The next request, or None when the peer closed in peace."""
        while True:
            end = self.buf.find(b"\r\n\r\n")
            if end >= 0:
                break
            if len(self.buf) > HEAD_MAX:
                raise BadRequest("head too large")
            if not await self.fill():
                if self.buf:
                    self.store.counts["cut_heads"] += 1
                return None
        head = bytes(self.buf[:end])
        del self.buf[:end + 4]
        self.nreq += 1
        self.rec = None
        return parse_head(head, self.note)

    async def sniff(self, req):
        """The start of the body, without consuming it."""
        want = SNIFF
        cl = req.get("content-length", "")
        if cl.isdigit():
            want = min(want, int(cl))
        elif req.get("transfer-encoding") is None:
            want = 0
        while len(self.buf) < want:
            if req.get("transfer-encoding") and b"0\r\n\r\n" in self.buf:
                break
            if not await self.fill():
                break
        return bytes(self.buf[:want])

    async def take(self, n, pace=0.0):
        """Exactly n bytes of body; with pace, 64 KB at a time."""
        out = bytearray()
        while len(out) < n:
            if not self.buf:
                if pace:
                    await asyncio.sleep(pace)
                if not await self.fill():
                    raise Gone()
            part = self.buf[:n - len(out)]
            out += part
            del self.buf[:len(part)]
        return bytes(out)

    async def line(self):
        while True:
            end = self.buf.find(b"\r\n")
            if end >= 0:
                text = bytes(self.buf[:end])
                del self.buf[:end + 2]
                return text
            if len(self.buf) > 4096 or not await self.fill():
                raise Gone()

    async def read_body(self, req, pace=0.0):
        """Read the whole body, by length or chunked."""
        if req.get("expect", "").lower() == "100-continue":
            await self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if req.get("transfer-encoding") is not None:
            out = bytearray()
            while True:
                text = await self.line()
                if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", text):
                    self.note("bad chunk size", repr(text))
                    raise BadRequest("chunk")
                size = int(text, 16)
                if size == 0:
                    break
                out += await self.take(size, pace)
                if len(out) > BODY_MAX or await self.line() != b"":
                    raise BadRequest("chunk")
            while await self.line() != b"":
                pass
            req.body = bytes(out)
            return
        cl = req.get("content-length", "0")
        if not cl.isdigit() or int(cl) > BODY_MAX:
            raise BadRequest("content-length")
        req.body = await self.take(int(cl), pace)

    async def watch(self):
        """While an answer is on its way: has the client left?"""
        while len(self.buf) < 65536:
            if not await self.fill():
                self.left()
                return
            if self.answering:
                self.note("bytes after the request",
                          repr(bytes(self.buf[:60])))

    def left(self):
        rec = self.rec
        if self.answering and rec and not rec["client_closed"]:
            rec["client_closed"] = True
            rec["closed_after"] = round(now() - rec["t"], 4)
        self.gone.set()

    async def write(self, data):
        if self.gone.is_set():
            raise Gone()
        try:
            self.writer.write(data)
            await self.writer.drain()
        except (OSError, RuntimeError):
            self.left()
            raise Gone()
        if self.rec is not None:
            self.rec["bytes_sent"] += len(data)

    async def flush(self):
        for _ in range(1000):
            if self.writer.transport.get_write_buffer_size() == 0:
                return
            if self.gone.is_set():
                return
            await asyncio.sleep(0.005)

    async def hang_up(self, reset=False, abrupt=False):
        """Close with a FIN after what was written, or at once with a RST."""
        self.store.open.pop(self.id, None)
        transport = self.writer.transport
        if reset:
            await self.flush()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
            transport.abort()
            return
        if abrupt:
            await self.flush()
            transport.abort()
            return
        try:
            self.writer.close()
        except (OSError, RuntimeError):
            pass


def now():
    return time.monotonic() - STARTED


def new_record(store, conn, req):
    """The record of a request, completed as the exchange goes on."""
    store.next_id += 1
    store.counts["requests"] += 1
    tls = conn.writer.get_extra_info("ssl_object")
    rec = {
        "id": store.next_id, "t": now(), "instance": conn.instance,
        "listener": conn.listener, "conn": conn.id, "conn_req": conn.nreq,
        "method": req.method, "target": req.target, "path": req.path,
        "headers": [[k.lower(), v] for k, v in req.headers],
        "body_len": None, "body_sha256": None, "body": None,
        "model": None, "stream": None, "surface": None, "fault": None,
        "status": None, "done": False, "client_closed": False,
        "closed_after": None, "bytes_sent": 0, "duration": None,
        "body_out": None, "sigv4": None, "token": None,
        "tls": None if tls is None else {
            "version": tls.version(), "sni": getattr(tls, "fake_sni", None),
            "resumed": bool(tls.session_reused)},
    }
    conn.rec = rec
    store.records.append(rec)
    return rec


def note_body(rec, req):
    """Complete a record with the body of its request."""
    rec["body_len"] = len(req.body)
    rec["body_sha256"] = hashlib.sha256(req.body).hexdigest()
    if len(req.body) <= TEXT_MAX:
        rec["body"] = req.body.decode("utf-8", "backslashreplace")
    try:
        req.json = json.loads(req.body)
    except (ValueError, RecursionError):
        req.json = None
    if isinstance(req.json, dict):
        rec["model"] = req.json.get("model")
        rec["stream"] = req.json.get("stream")

"""
Copyright (C) the ngx_http_ai_gateway_module authors

One exchange of the fake provider: the request, the answer it deserves, and
the means by which faults deform that answer.  Faults register themselves
here with @fault(name) or, for a family of names, @family(regex).
"""

import asyncio
import collections
import json
import os
import re
import time

from . import answers, dialects, wire

FAULTS = collections.OrderedDict()
FAMILIES = []
EARLY = set()           # faults that act before the body has been read

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized",
           402: "Payment Required", 403: "Forbidden", 404: "Not Found",
           408: "Request Timeout", 409: "Conflict",
           413: "Payload Too Large", 422: "Unprocessable Entity",
           429: "Too Many Requests", 500: "Internal Server Error",
           502: "Bad Gateway", 503: "Service Unavailable",
           504: "Gateway Timeout", 529: "Overloaded"}

AWS_ERRORS = {400: "ValidationException", 403: "AccessDeniedException",
              404: "ResourceNotFoundException", 429: "ThrottlingException",
              401: "UnrecognizedClientException",
              503: "ServiceUnavailableException"}

JSON_TYPE = ("content-type", "application/json")
SSE_TYPE = ("content-type", "text/event-stream; charset=utf-8")


def fault(name, early=False):
    """Register a fault; its first line of documentation is its summary."""
    def add(func):
        if name in FAULTS:
            raise ValueError("fault %s exists" % name)
        FAULTS[name] = func
        if early:
            EARLY.add(name)
        return func
    return add


def family(regex, shown):
    """Register a family of faults, shown to humans as e.g. status-NNN."""
    def add(func):
        FAMILIES.append((re.compile(regex + r"\Z"), shown, func))
        return func
    return add


def lookup(name):
    """The function of a fault, or None."""
    if name in FAULTS:
        return FAULTS[name]
    for regex, _, func in FAMILIES:
        if regex.match(name):
            return func
    return None


def parse_spec(spec):
    """
    Split "name?n=5&d=0.02" into a name and parameters.  As a model name may
    be confined to letters, digits and . _ : / @ -, "name:n:5:d:0.02" says
    the same, and so does "name--n=5--d=0.02".
    """
    name, *rest = re.split(r"\?|&|--", spec)
    params = {}
    if not rest and ":" in name:
        name, *words = name.split(":")
        rest = ["=".join(words[i:i + 2]) for i in range(0, len(words), 2)]
    for item in rest:
        key, _, value = item.partition("=")
        params[key] = value
    return name, params


class Exchange:
    """A request and its answer in the making."""

    def __init__(self, conn, req, rec, name, params, opts):
        self.conn = conn
        self.store = conn.store
        self.req = req
        self.rec = rec
        self.name = name
        self.params = params
        self.opts = opts
        self.keep = True            # pool the connection afterwards
        self.ans = None
        self.out = bytearray()      # payload sent, for the record

    def prepare(self, surface, model):
        self.ans = answers.Answer(surface, self.req, model, self.params,
                                   self.rec["id"])
        self.rec["surface"] = surface
        if self.ans.stream:
            self.rec["stream"] = True

    def num(self, key, default):
        try:
            value = float(self.params.get(key, default))
        except ValueError:
            return default
        return int(value) if isinstance(default, int) else value

    async def raw(self, data):
        """Send bytes as they are."""
        if isinstance(data, str):
            data = data.encode("latin-1")
        await self.conn.write(data)

    async def sleep(self, seconds):
        """Wait, unless the client leaves."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self.conn.gone.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise wire.Gone()

    async def stall(self):
        """Be silent until the client leaves, or for long."""
        await self.sleep(self.num("for", 60.0))

    async def reset(self):
        await self.sleep(0.02)
        raise wire.Hangup(reset=True)

    async def close(self):
        raise wire.Hangup()

    def head(self, status=200, headers=(), std=True):
        """A response head with the headers that providers send."""
        self.rec["status"] = status
        lines = ["HTTP/1.1 %s %s" % (status, REASONS.get(status, "Status"))]
        if std:
            lines += ["date: " + http_date(0), "server: fake",
                      "x-request-id: req_fake_%d" % self.rec["id"],
                      "x-chaos-instance: " + self.conn.instance,
                      "openai-processing-ms: 5"]
        lines += ["%s: %s" % h for h in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def document(self, body, status=200, headers=(), ctype=JSON_TYPE):
        """Send a whole body with its length."""
        if not isinstance(body, (bytes, bytearray)):
            if not isinstance(body, str):
                body = dialects.dumps(body)
            body = body.encode("utf-8", "surrogatepass")
        heads = [] if ctype is None else [ctype]
        heads += list(headers) + [("content-length", str(len(body)))]
        self.out += body
        await self.raw(self.head(status, heads) + body)

    async def error(self, status, message="fake error", headers=(), **more):
        headers = list(headers)
        if dialects.family(self.ans.surface) == "bedrock":
            headers.append(("x-amzn-errortype", AWS_ERRORS.get(
                status, "InternalServerException")))
        await self.document(
            dialects.error_body(self.ans.surface, status, message, **more),
            status, headers)

    async def begin(self, headers=(), ctype=None):
        """Send the head of a chunked body."""
        if ctype is None:
            ctype = (("content-type", self.ans.stream_type())
                     if self.ans.stream else JSON_TYPE)
        await self.raw(self.head(200, [ctype, ("transfer-encoding",
                                               "chunked")] + list(headers)))

    async def chunk(self, data):
        self.out += data
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self):
        await self.raw(b"0\r\n\r\n")

    def parts(self):
        """The answer in parts: the events of a stream, or of a document."""
        if self.ans.stream:
            return self.rendered(self.ans.events())
        body = dialects.dumps(self.ans.document()).encode(
            "utf-8", "surrogatepass")
        size = max(1, len(body) // 4)
        return [body[i:i + size] for i in range(0, len(body), size)]

    def rendered(self, events):
        if (self.ans.surface == "gemini-stream"
                and "alt=sse" not in self.req.query):
            docs = [e.payload().encode("utf-8") for e in events]
            return ([b"[" + docs[0]] + [b",\r\n" + d for d in docs[1:]]
                    + [b"]"])
        return [e.render(self.ans.eol) for e in events]

    def array_stream(self):
        return (self.ans.surface == "gemini-stream"
                and "alt=sse" not in self.req.query)

    async def stream(self, parts, gap=None, ctype=None):
        """Send the parts as chunks, `gap` seconds apart."""
        gap = self.num("d", 0.0) if gap is None else gap
        if ctype is None and self.array_stream():
            ctype = JSON_TYPE
        await self.begin(ctype=ctype)
        await self.sleep(self.num("first", 0.0))
        for i, part in enumerate(parts):
            if i and gap:
                await self.sleep(gap)
            await self.chunk(part)
        await self.end()

    async def fine(self):
        """The answer without a fault."""
        if self.ans.stream:
            await self.stream(self.parts())
            return
        await self.sleep(self.num("first", 0.0))
        await self.document(self.ans.document())

    async def replay(self, path):
        """A recorded answer from the fixtures, as it was."""
        root = os.path.realpath(self.opts.fixtures or "/nonexistent")
        full = os.path.realpath(os.path.join(root, path))
        if not full.startswith(root + os.sep) or not os.path.isfile(full):
            await self.error(404, "no fixture " + path)
            return
        with open(full, "rb") as f:
            data = f.read(16 << 20)
        if path.endswith(".json"):
            await self.recorded(json.loads(data), data)
            return
        kinds = {".sse": SSE_TYPE[1], ".ndjson": "application/x-ndjson",
                 ".eventstream": "application/vnd.amazon.eventstream"}
        ext = os.path.splitext(path)[1]
        ctype = ("content-type", kinds.get(ext, JSON_TYPE[1]))
        size = self.num("split", 0) or self.opts.split or len(data) or 1
        await self.stream([data[i:i + size]
                           for i in range(0, len(data), size)], ctype=ctype)


    async def recorded(self, pair, data):
        """The answer of a recorded exchange, or a document by itself."""
        status = 200
        if isinstance(pair, dict) and "response" in pair and "meta" in pair:
            answer = pair["response"]
            status = answer.get("status", 200)
            data = answer.get("body_text")
            if data is None:
                data = answer.get("body")
        await self.document(data, status)


def http_date(offset):
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT",
                         time.gmtime(time.time() + offset))


@fault("ok")
async def ok(x):
    """a good answer; n= pieces, d= seconds between, first= before them"""
    await x.fine()


@fault("echo")
async def echo(x):
    """a good answer whose text is the last text of the request"""
    x.ans.pieces = [x.ans.last_user_text()]
    await x.fine()


async def choose(x, chosen):
    """Run a fault by its name; unknown names are good answers."""
    func = lookup(chosen)
    if func is None:
        await x.error(404, "no such fault: " + chosen)
        return
    x.name = chosen
    await func(x)


@fault("fail-n")
async def fail_n(x):
    """the first n= requests fail as= another fault, later ones are good"""
    key = "fail-n " + dialects.dumps(x.params)
    x.store.counters[key] += 1
    if x.store.counters[key] <= x.num("n", 1):
        await choose(x, x.params.get("as", "status-503"))
        return
    await x.fine()


@fault("flaky")
async def flaky(x):
    """every k-th request fails as= another fault (k=3)"""
    x.store.counters["flaky"] += 1
    if x.store.counters["flaky"] % max(1, x.num("k", 3)) == 0:
        await choose(x, x.params.get("as", "status-503"))
        return
    await x.fine()

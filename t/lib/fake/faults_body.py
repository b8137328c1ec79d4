"""
Copyright (C) the ngx_http_ai_gateway_module authors

Faults of status codes, JSON bodies and content encodings.
"""

import gzip
import json
import zlib

from . import dialects
from .exchange import JSON_TYPE, SSE_TYPE, family, fault, http_date

HTML = ("<!DOCTYPE html><html><head><title>%d</title></head><body>"
        "<h1>internal-host-LEAK.prod</h1></body></html>")


@family(r"status-([45][0-9][0-9])", "status-NNN")
async def status(x):
    """an error document with that status; ra= sets Retry-After"""
    heads = [("retry-after", x.params["ra"])] if "ra" in x.params else []
    code = int(x.name[7:])
    await x.error(code, "fake error %d" % code, heads)


@family(r"([45][0-9][0-9])-html", "NNN-html")
async def status_html(x):
    """an error page of some proxy"""
    code = int(x.name[:3])
    await x.document(HTML % code, code, ctype=("content-type", "text/html"))


@family(r"([45][0-9][0-9])-empty", "NNN-empty")
async def status_empty(x):
    """an error status without a body"""
    await x.document(b"", int(x.name[:3]), ctype=None)


RETRY_AFTER = {
    "seconds": lambda: [("retry-after", "2")],
    "date": lambda: [("retry-after", http_date(2))],
    "past": lambda: [("retry-after", http_date(-3600))],
    "huge": lambda: [("retry-after", "99999999999999999999")],
    "negative": lambda: [("retry-after", "-5")],
    "garbage": lambda: [("retry-after", "soon")],
    "float": lambda: [("retry-after", "0.5")],
    "ms": lambda: [("retry-after-ms", "300")],
    "zero-ms": lambda: [("retry-after", "1"), ("retry-after-ms", "0")],
    "none": lambda: [],
}


@family(r"429-(%s)" % "|".join(RETRY_AFTER), "429-" + "|".join(RETRY_AFTER))
async def status_429(x):
    """429 with that kind of Retry-After"""
    await x.error(429, "Rate limit reached", RETRY_AFTER[x.name[4:]](),
                  code="rate_limit_exceeded")


@fault("429-quota")
async def quota(x):
    """429 insufficient_quota"""
    await x.error(429, "You exceeded your current quota",
                  kind="insufficient_quota", code="insufficient_quota")


@fault("429-retry-info")
async def retry_info(x):
    """429 whose delay is in the body, as Gemini has it"""
    doc = dialects.error_body("gemini", 429, "quota")
    doc["error"]["details"] = [{
        "@type": "type.googleapis.com/google.rpc.RetryInfo",
        "retryDelay": "1.5s"}]
    await x.document(doc, 429)


@fault("context-length")
async def context_length(x):
    """400 context_length_exceeded"""
    await x.error(400, "This model's maximum context length is 10 tokens",
                  code="context_length_exceeded")


@fault("echo-key-401")
async def echo_key(x):
    """401 whose message and headers repeat the key"""
    seen = [v for k, v in x.req.headers
            if k.lower() in ("authorization", "x-api-key", "api-key",
                             "x-goog-api-key")]
    key = " ".join(seen) + " " + x.req.query
    await x.error(401, "Incorrect API key provided: " + key,
                  [("x-your-key", key)], code="invalid_api_key")


@family(r"redirect-(301|302|303|307|308)", "redirect-30N")
async def redirect(x):
    """a redirect back to this provider"""
    host = x.req.get("host", "127.0.0.1")
    await x.document(b"", int(x.name[9:]),
                     [("location", "http://%s/redirect-target" % host)])


@fault("error-huge")
async def error_huge(x):
    """500 with a message of 1 MB"""
    await x.error(500, "E" * (1 << 20))


def fixed(name, body, doc, code=200, ctype=JSON_TYPE):
    """Register a fault that sends a fixed body."""
    async def send(x):
        await x.document(body, code, ctype=ctype)
    send.__doc__ = doc
    fault(name)(send)


fixed("200-html", HTML % 200, "200 with a page of HTML",
      ctype=("content-type", "text/html"))
fixed("200-empty", b"", "200 with no body")
fixed("200-null", b"null", "200 with null")
fixed("200-array", b"[1,2]", "200 with an array")
fixed("200-wrong-shape", b'{"hello":"world"}', "200 with another object")
fixed("200-no-choices", b'{"id":"x","object":"chat.completion",'
      b'"choices":[],"content":[],"candidates":[]}', "200 without content")
fixed("200-invalid-json", b'{"id":"x",,}', "200 with invalid JSON")
fixed("200-wrong-types", b'{"id":[],"object":1,"model":{},"created":"x",'
      b'"choices":{"a":1},"content":"c","candidates":7,"usage":"u",'
      b'"usageMetadata":[],"error":null}', "every member has a wrong type")
fixed("200-deep-json", b'{"id":' + b"[" * 100000 + b"]" * 100000 + b"}",
      "200 with JSON 100000 levels deep")


@fault("200-huge-json")
async def huge_json(x):
    """a good document with n= megabytes of text (64)"""
    n = x.num("n", 64)
    x.ans.pieces = ["MARK"]
    body = good(x) if b"MARK" in good(x) else b'{"text":"MARK"}'
    before, after = body.split(b"MARK")
    size = len(before) + (n << 20) + len(after)
    await x.raw(x.head(200, [JSON_TYPE, ("content-length", size)]) + before)
    for _ in range(n * 16):
        await x.raw(b"x" * 65536)
    await x.raw(after)


def good(x):
    return dialects.dumps(x.ans.document()).encode("utf-8", "surrogatepass")


@fault("200-truncated-json")
async def truncated_json(x):
    """a good length, but half the JSON"""
    body = good(x)
    await x.document(body[:len(body) // 2])


@fault("200-trailing-garbage")
async def trailing_garbage(x):
    """bytes after the document"""
    await x.document(good(x) + b'{"second":"LEAK"}')


@fault("200-error-json")
async def error_json(x):
    """200 with an error object"""
    await x.document(dialects.error_body(x.ans.surface, 500,
                                         "it went wrong"))


@fault("200-null-content")
async def null_content(x):
    """a document whose content is null"""
    text = dialects.dumps(x.ans.text())
    await x.document(good(x).replace(text.encode(), b"null"))


def retext(name, literal, doc):
    """Register a fault that sets the text to a raw JSON literal."""
    async def send(x):
        text = dialects.dumps(x.ans.text()).encode()
        await x.document(good(x).replace(text, literal))
    send.__doc__ = doc
    fault(name)(send)


retext("200-nul", rb'"before\u0000after"', "\\u0000 inside the text")
retext("200-raw-nul", b'"before\0after"', "a NUL byte inside the text")
retext("200-invalid-utf8", b'"a\xff\xc0\xaf\xed\xa0\x80z"',
       "invalid UTF-8 inside the text")
retext("200-lone-surrogate", rb'"a\ud800z"', "a lone surrogate escape")
retext("200-big-numbers", b'"t","logprob":[1e400,9007199254740993,-0,'
       b'123456789012345678901234567890,1.0]', "numbers beyond a double")


@fault("200-bom")
async def bom(x):
    """a byte order mark before the document"""
    await x.document(b"\xef\xbb\xbf" + good(x))


@fault("200-dup-keys")
async def dup_keys(x):
    """every member of the outer object twice"""
    body = good(x)
    await x.document(body[:-1] + b"," + body[1:])


@fault("200-wrong-type-header")
async def wrong_type(x):
    """good JSON called text/html"""
    await x.document(good(x), ctype=("content-type", "text/html"))


@fault("200-no-type-header")
async def no_type(x):
    """good JSON without a Content-Type"""
    await x.document(good(x), ctype=None)


@fault("json-for-sse")
async def json_for_sse(x):
    """a document although a stream was asked for"""
    x.ans.stream = False
    await x.document(good(x))


@fault("sse-for-json")
async def sse_for_json(x):
    """a stream although a document was asked for"""
    if x.ans.surface in ("gemini", "embeddings", "count"):
        x.ans.surface = "gemini-stream"
    x.ans.stream = True
    parts = [e.render(x.ans.eol) for e in x.ans.events()]
    await x.stream(parts, ctype=SSE_TYPE)


async def encoded(x, name, data):
    """A body with a Content-Encoding, after the stream flag typed."""
    ctype = SSE_TYPE if x.ans.stream else JSON_TYPE
    await x.raw(x.head(200, [ctype, ("content-encoding", name),
                             ("transfer-encoding", "chunked")]))
    for i in range(0, len(data), 1000):
        await x.chunk(data[i:i + 1000])
        await x.sleep(0)
    await x.end()


def plain(x):
    return b"".join(x.parts())


@fault("gzip-ok")
async def gzip_ok(x):
    """an unasked gzip encoding; each event is flushed"""
    if not x.ans.stream:
        await encoded(x, "gzip", gzip.compress(plain(x)))
        return
    z = zlib.compressobj(6, zlib.DEFLATED, 31)
    await x.raw(x.head(200, [SSE_TYPE, ("content-encoding", "gzip"),
                             ("transfer-encoding", "chunked")]))
    for p in x.parts():
        await x.chunk(z.compress(p) + z.flush(zlib.Z_SYNC_FLUSH))
        await x.sleep(x.num("d", 0.0))
    await x.chunk(z.flush())
    await x.end()


@fault("gzip-deflate")
async def gzip_deflate(x):
    """an unasked deflate encoding"""
    await encoded(x, "deflate", zlib.compress(plain(x)))


@fault("gzip-members")
async def gzip_members(x):
    """two gzip members"""
    body = plain(x)
    await encoded(x, "gzip", gzip.compress(body[:50])
                  + gzip.compress(body[50:]))


@fault("gzip-invalid")
async def gzip_invalid(x):
    """a broken gzip stream"""
    data = bytearray(gzip.compress(plain(x)))
    for i in range(12, min(40, len(data))):
        data[i] ^= 0x5a
    await encoded(x, "gzip", bytes(data))


@fault("gzip-not")
async def gzip_not(x):
    """plain text called gzip"""
    await encoded(x, "gzip", plain(x))


@fault("gzip-truncated")
async def gzip_truncated(x):
    """half a gzip stream, in good framing"""
    data = gzip.compress(plain(x))
    await encoded(x, "gzip", data[:len(data) // 2])


@fault("gzip-bomb")
async def gzip_bomb(x):
    """n= megabytes (64) of blanks in a small gzip stream"""
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = z.compress(good(x)[:1] + b" ")
    for _ in range(x.num("n", 64)):
        data += z.compress(b" " * (1 << 20))
    await encoded(x, "gzip", data + z.flush())


@fault("unknown-encoding")
async def unknown_encoding(x):
    """a content coding that nobody knows"""
    await encoded(x, "xyzzy", plain(x))


def reusage(name, doc, change):
    """Register a fault that rewrites the usage of document and stream."""
    async def send(x):
        ans = x.ans
        for method in ("usage_openai", "usage_responses",
                       "usage_anthropic", "usage_gemini"):
            value = change(getattr(ans, method)())
            setattr(ans, method, lambda value=value: json.loads(
                json.dumps(value)))
        if ans.stream:
            try:
                parts = x.parts()
            except (TypeError, KeyError):
                parts = [e.render() for e in strip_usage(ans)]
            await x.stream(parts)
            return
        await x.document(ans.document())
    send.__doc__ = doc
    fault(name)(send)


def strip_usage(ans):
    """The events of a stream, without any usage."""
    ans.usage_gemini = lambda: dict.fromkeys(
        ("promptTokenCount", "candidatesTokenCount", "totalTokenCount"), 0)
    ans.usage_anthropic = dict
    out = []
    for e in ans.events():
        if e.kind == "usage":
            continue
        if isinstance(e.obj, dict):
            e.obj.pop("usage", None)
            e.obj.pop("usageMetadata", None)
            for key in ("message", "response"):
                if isinstance(e.obj.get(key), dict):
                    e.obj[key].pop("usage", None)
        out.append(e)
    return out


def over(value, new):
    """The same tree with each number replaced."""
    if isinstance(value, dict):
        return {k: over(v, new) for k, v in value.items()}
    return new


reusage("usage-negative", "negative usage", lambda u: over(u, -1000000))
reusage("usage-overflow", "usage of 2^64 - 1",
        lambda u: over(u, 18446744073709551615))
reusage("usage-strings", "usage as strings", lambda u: over(u, "12"))
reusage("usage-null", "usage: null", lambda u: None)
reusage("usage-floats", "usage as fractions", lambda u: over(u, 12.5))
reusage("sse-usage-negative", "negative usage in a stream",
        lambda u: over(u, -5))


@fault("usage-missing")
async def usage_missing(x):
    """no usage at all"""
    if x.ans.stream:
        await x.stream(x.rendered(strip_usage(x.ans)))
        return
    doc = x.ans.document()
    doc.pop("usage", None)
    doc.pop("usageMetadata", None)
    await x.document(doc)


fault("sse-usage-missing")(usage_missing)


@fault("content-filter")
async def content_filter(x):
    """an answer that a filter stopped"""
    x.ans.finish = "content_filter"
    x.ans.pieces = ["I cannot"]
    await x.fine()


@fault("finish-length")
async def finish_length(x):
    """an answer that ran out of tokens"""
    x.ans.finish = "length"
    await x.fine()


@fault("tool-call")
async def tool_call(x):
    """a tool call with awkward arguments"""
    x.ans.finish = "tool_calls"
    x.ans.tools = [{"id": "call_fake_1", "type": "function",
                    "function": {"name": "get_weather",
                                 "arguments": dialects.TOOL_ARGUMENTS}}]
    await x.fine()


PII = "john.doe@example.com"


@fault("pii-json")
async def pii_json(x):
    """personal data in the text"""
    x.ans.pieces = ["Mail ", PII, " now"]
    await x.fine()


@fault("pii-escaped")
async def pii_escaped(x):
    """personal data in the text, with JSON escapes"""
    body = b"".join(x.parts())
    x.ans.pieces = ["Mail ", PII, " now"]
    body = b"".join(x.parts()).replace(b"@", rb"\u0040").replace(
        b"john", rb"\u006aohn")
    if x.ans.stream:
        await x.stream([body])
        return
    await x.document(body)


@fault("pii-split")
async def pii_split(x):
    """personal data split over events"""
    x.ans.pieces = ["Mail jo", "hn.doe", "@exam", "ple.com now"]
    await x.fine()


@fault("pii-chars")
async def pii_chars(x):
    """personal data one character an event"""
    x.ans.pieces = list("Mail " + PII + " now")
    await x.fine()


@fault("pii-last")
async def pii_last(x):
    """personal data at the very end"""
    x.ans.pieces = ["Mail ", "john.doe", "@example.com"]
    await x.fine()

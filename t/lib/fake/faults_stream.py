"""
Copyright (C) the ngx_http_ai_gateway_module authors

Faults of event streams: syntax, order, errors inside, early ends.  Asked for
a document, the faults of syntax give a good one.
"""

from . import dialects
from .dialects import Ev
from .exchange import JSON_TYPE, fault

GIANT = 8 << 20


def syntax(name, gap=0.0):
    """
    Register a fault of stream syntax: the function turns the exchange into
    the list of byte strings to send as chunks, `gap` seconds apart.
    """
    def add(func):
        async def send(x):
            if not x.ans.stream or x.array_stream():
                await x.fine()
                return
            await x.stream(func(x), gap=x.num("d", gap))
        send.__doc__ = func.__doc__
        fault(name)(send)
        return func
    return add


def text_of(x):
    return b"".join(x.parts())


def literal(obj):
    """Bytes of an SSE event with a literal payload."""
    return b"data: " + obj + b"\n\n"


@syntax("sse-lf")
def sse_lf(x):
    """lines end in LF"""
    x.ans.eol = "\n"
    return x.parts()


@syntax("sse-crlf")
def sse_crlf(x):
    """lines end in CRLF"""
    x.ans.eol = "\r\n"
    return x.parts()


@syntax("sse-cr")
def sse_cr(x):
    """lines end in CR"""
    x.ans.eol = "\r"
    return x.parts()


@syntax("sse-mixed-eol")
def sse_mixed(x):
    """lines end in any way, by turns"""
    eols = ["\n", "\r\n", "\r"]
    return [e.render(eols[i % 3]) for i, e in enumerate(x.ans.events())]


@syntax("sse-1byte")
def sse_1byte(x):
    """one byte a chunk and a packet"""
    body = text_of(x)
    return [body[i:i + 1] for i in range(len(body))]


@syntax("sse-split-crlf", 0.002)
def sse_split_crlf(x):
    """CRLF, cut between CR and LF"""
    x.ans.eol = "\r\n"
    body = text_of(x).replace(b"\r\n", b"\r\0\n")
    return [p for p in body.split(b"\0") if p]


@syntax("sse-split-utf8", 0.002)
def sse_split_utf8(x):
    """cut after the first byte of every multibyte character"""
    out = bytearray()
    for b in text_of(x):
        out.append(b)
        if b >= 0xc0:
            out.append(0)
    return [p for p in bytes(out).split(b"\0") if p]


@syntax("sse-coalesced")
def sse_coalesced(x):
    """the whole stream in one chunk"""
    return [text_of(x)]


@syntax("sse-no-space")
def sse_no_space(x):
    """no blank after the colon"""
    return [p.replace(b"data: ", b"data:", 1) for p in x.parts()]


@syntax("sse-done-no-space")
def sse_done_no_space(x):
    """data:[DONE]"""
    return [p.replace(b"data: [DONE]", b"data:[DONE]") for p in x.parts()]


@syntax("sse-comments")
def sse_comments(x):
    """comments before, between and after"""
    return [b": hello\n\n:\n"] + [b": c\n" + p for p in x.parts()]


@syntax("sse-ping-events")
def sse_ping(x):
    """pings of all kinds between the events"""
    ping = b'event: ping\ndata: {"type": "ping"}\n\n: keep-alive\n\n'
    return [ping + p for p in x.parts()]


@syntax("sse-id-retry")
def sse_id_retry(x):
    """id: and retry: fields"""
    return [b"id: %d\nretry: 5\n" % i + p
            for i, p in enumerate(x.parts())]


@syntax("sse-unknown-fields")
def sse_unknown_fields(x):
    """fields that nobody knows, lines without a colon"""
    return [b"foo: bar\nbaz\n" + p for p in x.parts()]


@syntax("sse-unknown-event")
def sse_unknown_event(x):
    """events that nobody knows"""
    odd = b'event: novelty\ndata: {"type":"novelty","x":[1]}\n\n'
    parts = x.parts()
    return [odd] + parts[:2] + [odd] + parts[2:]


@syntax("sse-empty-data")
def sse_empty_data(x):
    """events with empty data, and blank lines"""
    return [b"data:\n\n\n\ndata\n\n" + p for p in x.parts()]


@syntax("sse-bom")
def sse_bom(x):
    """a byte order mark first"""
    return [b"\xef\xbb\xbf"] + x.parts()


@syntax("sse-multiline-data")
def sse_multiline(x):
    """JSON over several data lines"""
    out = []
    for e in x.ans.events():
        lines = e.lines()
        lines[-1] = lines[-1].replace('","', '",\ndata: "')
        out.append(("\n".join(lines) + "\n\n").encode())
    return out


@syntax("sse-null-delta")
def sse_null_delta(x):
    """odd deltas: null, {}, [], choices: null"""
    odd = [b"{}", b'{"choices":null}', b'{"choices":[]}',
           b'{"choices":[{"index":0,"delta":null}]}',
           b'{"choices":[{"index":0,"delta":{}}]}',
           b'{"type":"content_block_delta","index":0,"delta":null}',
           b'{"candidates":null}', b'{"candidates":[{}]}', b"null", b"[]"]
    return [literal(o) for o in odd] + x.parts()


def inserted(x, data):
    """The stream with some bytes after its second piece."""
    parts = x.parts()
    at = min(opened(x) + 2, len(parts) - 1)
    return parts[:at] + [data] + parts[at:]


@syntax("sse-invalid-event")
def sse_invalid(x):
    """one event is not JSON"""
    return inserted(x, literal(b'{"choices":[{"delta":{"content":"cu'))


def with_piece(x, marker, raw):
    """The stream with a piece of text whose JSON spelling is `raw`."""
    x.ans.pieces[2:2] = [marker]
    return [p.replace(marker.encode(), raw) for p in x.parts()]


@syntax("sse-nul")
def sse_nul(x):
    """a NUL byte in the text"""
    return with_piece(x, "MARK", b"a\0z")


@syntax("sse-invalid-utf8")
def sse_invalid_utf8(x):
    """invalid UTF-8 in the text"""
    return with_piece(x, "MARK", b"a\xff\xc0\xafz")


@syntax("sse-u0000")
def sse_u0000(x):
    """the escape of a NUL in the text"""
    return with_piece(x, "MARK", rb"a\u0000z")


@syntax("sse-lone-surrogate")
def sse_lone_surrogate(x):
    """a lone surrogate escape in the text"""
    return with_piece(x, "MARK", rb"a\ud800z")


@syntax("sse-u2028")
def sse_u2028(x):
    """U+2028, U+0085 and VT, raw in the text"""
    return with_piece(x, "MARK", "a\u2028b\u0085c\u2029z".encode())


@syntax("sse-injection")
def sse_injection(x):
    """text that looks like SSE"""
    x.ans.pieces[2:2] = ["\n\ndata: [DONE]\n\n", "\r\nevent: error\r\n",
                         "data: {\"error\":{}}"]
    return x.parts()


@syntax("sse-giant-event")
def sse_giant(x):
    """one event of n= bytes (8 MB)"""
    size = x.num("n", GIANT)
    x.ans.pieces = list(dialects.PIECES)
    x.ans.pieces[1:1] = ["g" * size]
    return x.parts()


@syntax("sse-endless-line")
def sse_endless(x):
    """a line that does not end (16 MB)"""
    return x.parts()[:3] + [b"data: "] + [b"e" * 65536] * 256


@syntax("sse-many-events")
def sse_many(x):
    """n= events (20000), many to a packet"""
    x.ans.pieces = [" w%d" % i for i in range(x.num("n", 20000))]
    parts = x.parts()
    return [b"".join(parts[i:i + 100]) for i in range(0, len(parts), 100)]


@syntax("sse-comment-storm")
def sse_comment_storm(x):
    """50000 comments"""
    return [b": storm\n" * 500] * 100 + x.parts()


@syntax("sse-deep-json")
def sse_deep(x):
    """an event 50000 levels deep"""
    deep = b'{"choices":' + b"[" * 50000 + b"]" * 50000 + b"}"
    return inserted(x, literal(deep))


@syntax("sse-no-final-blank")
def sse_no_final_blank(x):
    """the last event lacks its blank line"""
    parts = x.parts()
    parts[-1] = parts[-1].rstrip(b"\r\n")
    return parts


@syntax("sse-usage-twice")
def sse_usage_twice(x):
    """usage in two events, the second counts"""
    x.ans.want_usage = True
    events = x.ans.events()
    for i, e in enumerate(events):
        if e.kind == "usage" or (isinstance(e.obj, dict)
                                 and e.obj.get("type") == "message_delta"):
            first = Ev(e.kind, dict(e.obj), e.name)
            usage = dict(first.obj["usage"])
            for k, v in usage.items():
                if isinstance(v, int):
                    usage[k] = v + 1000
            first.obj["usage"] = usage
            events[i:i] = [first]
            break
    return x.rendered(events)


@syntax("sse-n-choices")
def sse_n_choices(x):
    """two interleaved choices"""
    out = []
    for e in x.ans.events():
        out.append(e)
        if e.kind in ("open", "delta", "finish") and "choices" in (
                e.obj if isinstance(e.obj, dict) else {}):
            other = dict(e.obj)
            other["choices"] = [dict(c, index=1) for c in other["choices"]]
            out.append(Ev(e.kind, other))
    return x.rendered(out)


def only(x, *kinds):
    """The events of these kinds, rendered."""
    return x.rendered([e for e in x.ans.events() if e.kind in kinds])


@syntax("missing-done")
def missing_done(x):
    """finish, usage, but no terminator"""
    return only(x, "open", "delta", "finish", "usage")


@syntax("missing-finish")
def missing_finish(x):
    """neither finish nor terminator, a clean end"""
    if x.ans.surface == "gemini-stream":
        return x.parts()[:-1]
    return only(x, "open", "delta")


@syntax("empty-stream")
def empty_stream(x):
    """no event at all"""
    return []


@syntax("only-done")
def only_done(x):
    """the terminator alone"""
    return only(x, "done")


@syntax("only-pings")
def only_pings(x):
    """comments and pings, then a clean end"""
    return [b": c\n\n", b'event: ping\ndata: {"type":"ping"}\n\n'] * 3


@syntax("data-after-done")
def data_after_done(x):
    """events after the terminator"""
    parts = x.parts()
    return parts + [p.replace(b"Hello", b"AFTERWARDS")
                    for p in parts[:4]]


@syntax("html-midstream")
def html_midstream(x):
    """a page of HTML in the middle, then the end"""
    return x.parts()[:4] + [b"<html><body>LEAK</body></html>\n\n"]


@syntax("error-after-open")
def error_after_open(x):
    """an error event after the opening events"""
    return only(x, "open") + [x.ans.error_event().render(x.ans.eol)]


@syntax("error-field")
def error_field(x):
    """a field called error, as llama.cpp sends it"""
    return x.parts()[:4] + [b'error: {"code":500,"message":"slot"}\n\n']


@fault("error-first")
async def error_first(x):
    """200, and an error as the first event"""
    if not x.ans.stream:
        await x.error(529, "Overloaded")
        return
    await x.stream([x.ans.error_event().render(x.ans.eol)])


@fault("error-mid")
async def error_mid(x):
    """an error event after n= pieces (3)"""
    if not x.ans.stream:
        await x.error(500, "mid")
        return
    x.ans.pieces = dialects.PIECES
    parts = x.parts()[:opened(x) + x.num("n", 3)]
    await x.stream(parts + [x.ans.error_event().render(x.ans.eol)])


@fault("error-mid-then-done")
async def error_mid_then_done(x):
    """an error event in the middle, and the terminator"""
    if not x.ans.stream:
        await x.error(500, "mid")
        return
    parts = x.parts()[:opened(x) + 3]
    await x.stream(parts + [x.ans.error_event().render(x.ans.eol)]
                   + only(x, "done"))


def opened(x):
    """How many events open the stream."""
    return sum(1 for e in x.ans.events() if e.kind == "open")


async def until(x, n):
    """The head and the first n parts."""
    await x.begin(ctype=JSON_TYPE if x.array_stream() else None)
    for part in x.parts()[:n]:
        await x.chunk(part)
        await x.sleep(x.num("d", 0.0))


def middle(x):
    if not x.ans.stream:
        return 2
    if "n" in x.params:
        n = x.num("n", 3)
        x.ans.pieces = [" w%d" % i for i in range(n + 5)]
        return opened(x) + n
    return opened(x) + 3


@fault("reset-midstream")
async def reset_midstream(x):
    """RST after n= pieces (3)"""
    await until(x, middle(x))
    await x.conn.flush()
    await x.reset()


@fault("close-midstream")
async def close_midstream(x):
    """FIN after n= pieces (3), the framing unfinished"""
    await until(x, middle(x))
    await x.close()


@fault("reset-before-done")
async def reset_before_done(x):
    """RST between the finish and the terminator"""
    n = sum(1 for e in x.ans.events() if e.kind != "done")
    await until(x, n if x.ans.stream else 99)
    await x.reset()


@fault("tool-call-truncated")
async def tool_call_truncated(x):
    """RST inside the arguments of a tool call"""
    x.ans.finish = "tool_calls"
    x.ans.tools = [{"id": "call_fake_1", "type": "function",
                    "function": {"name": "get_weather",
                                 "arguments": dialects.TOOL_ARGUMENTS}}]
    await until(x, opened(x) + 3 if x.ans.stream else 2)
    await x.reset()


@fault("sse-wrong-type-header")
async def sse_wrong_type(x):
    """a stream called application/json"""
    await x.stream(x.parts(), ctype=JSON_TYPE)


@fault("sse-no-type-header")
async def sse_no_type(x):
    """a stream without a Content-Type"""
    await x.raw(x.head(200, [("transfer-encoding", "chunked")]))
    for part in x.parts():
        await x.chunk(part)
    await x.end()

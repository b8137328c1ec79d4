"""
Copyright (C) the ngx_http_ai_gateway_module authors

Faults of the transport and of the HTTP framing.
"""

import asyncio
import random

from . import dialects, wire
from .exchange import JSON_TYPE, SSE_TYPE, fault

INJECTED = b'{"id":"INJECTED","choices":[{"message":{"content":"INJECTED"}}]}'


def ctype(x):
    return SSE_TYPE if x.ans.stream and not x.array_stream() else JSON_TYPE


def payload(x):
    return b"".join(x.parts())


async def framed(x, headers, body=None, close=True):
    """The good payload behind a head with the given framing headers."""
    body = payload(x) if body is None else body
    await x.raw(x.head(200, [ctype(x)] + list(headers)) + body)
    if close:
        await x.close()


@fault("reset-before-headers")
async def reset_before_headers(x):
    """RST after the request, before any byte"""
    raise wire.Hangup(reset=True)


@fault("close-before-headers")
async def close_before_headers(x):
    """FIN after the request, before any byte"""
    raise wire.Hangup()


@fault("reset-after-status")
async def reset_after_status(x):
    """RST inside the head"""
    await x.raw("HTTP/1.1 200 OK\r\nconte")
    await x.reset()


@fault("reset-after-headers")
async def reset_after_headers(x):
    """RST after the head"""
    await x.begin()
    await x.reset()


@fault("close-after-headers")
async def close_after_headers(x):
    """FIN after the head"""
    await x.begin()
    await x.close()


@fault("reset-before-body-read", early=True)
async def reset_before_body_read(x):
    """RST before the body of the request has been read"""
    raise wire.Hangup(reset=True)


async def early_413(x):
    body = dialects.error_body(x.ans.surface, 413, "too large for me")
    await x.document(body, 413, [("connection", "close")])


@fault("early-413", early=True)
async def early_413_drain(x):
    """413 before the body has been read, the rest is drained"""
    await early_413(x)
    for _ in range(4000):
        x.conn.buf.clear()
        try:
            if not await asyncio.wait_for(x.conn.fill(), 2):
                break
        except asyncio.TimeoutError:
            break
    await x.close()


@fault("early-413-reset", early=True)
async def early_413_reset(x):
    """413 before the body has been read, then RST"""
    await early_413(x)
    await asyncio.sleep(0.05)
    raise wire.Hangup(reset=True)


@fault("slow-read", early=True)
async def slow_read(x):
    """the body of the request is read 64 KB every d= seconds"""
    if x.rec["body_len"] is None:
        await x.conn.read_body(x.req, x.num("d", 0.005))
        wire.note_body(x.rec, x.req)
    await x.fine()


@fault("keepalive-close")
async def keepalive_close(x):
    """a good keep-alive answer, then FIN at once"""
    await x.fine()
    await x.close()


@fault("keepalive-close-late")
async def keepalive_close_late(x):
    """a good keep-alive answer, FIN after d= seconds (0.05)"""
    await x.fine()
    await asyncio.sleep(x.num("d", 0.05))
    await x.close()


@fault("keepalive-close-on-reuse")
async def keepalive_close_on_reuse(x):
    """FIN, without a byte, at the second request of a connection"""
    if x.conn.nreq > 1:
        await x.close()
    await x.fine()


@fault("keepalive-reset-on-reuse")
async def keepalive_reset_on_reuse(x):
    """RST, without a byte, at the second request of a connection"""
    if x.conn.nreq > 1:
        raise wire.Hangup(reset=True)
    await x.fine()


@fault("keepalive-partial-on-reuse")
async def keepalive_partial_on_reuse(x):
    """FIN inside the head at the second request of a connection"""
    if x.conn.nreq > 1:
        await x.raw("HTTP/1.1 200 OK\r\ncontent-")
        await x.close()
    await x.fine()


REQUEST_TIMEOUT = (b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 7\r\n"
                   b"connection: close\r\n\r\nTIMEOUT")


@fault("keepalive-408")
async def keepalive_408(x):
    """a good answer, then an unasked 408 after d= seconds (0.05)"""
    await x.fine()
    await asyncio.sleep(x.num("d", 0.05))
    await x.raw(REQUEST_TIMEOUT)
    await x.close()


@fault("keepalive-408-on-reuse")
async def keepalive_408_on_reuse(x):
    """408 to the second request of a connection"""
    if x.conn.nreq > 1:
        x.rec["status"] = 408
        await x.raw(REQUEST_TIMEOUT)
        await x.close()
    await x.fine()


def second_response():
    return (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(INJECTED), INJECTED))


@fault("extra-response")
async def extra_response(x):
    """a good answer and, in one write, a second unasked one"""
    body = payload(x)
    await x.raw(x.head(200, [ctype(x), ("content-length", len(body))])
                + body + second_response())


@fault("extra-response-late")
async def extra_response_late(x):
    """a good answer, and d= seconds later (0.02) a second unasked one"""
    await x.fine()
    await asyncio.sleep(x.num("d", 0.02))
    await x.raw(second_response())


@fault("connection-close")
async def connection_close(x):
    """a good answer with Connection: close"""
    body = payload(x)
    await framed(x, [("connection", "close"),
                     ("content-length", len(body))], body)


@fault("http10")
async def http10(x):
    """an HTTP/1.0 answer that ends with the connection"""
    head = x.head(200, [ctype(x)]).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    await x.raw(head + payload(x))
    await x.close()


@fault("byte-by-byte")
async def byte_by_byte(x):
    """the whole response in packets of one byte"""
    body = payload(x)
    data = x.head(200, [ctype(x), ("content-length", len(body))]) + body
    for i in range(len(data)):
        await x.raw(data[i:i + 1])
        await asyncio.sleep(0)


async def chunked(x, pieces):
    await x.raw(x.head(200, [ctype(x), ("transfer-encoding", "chunked")]))
    for p in pieces:
        await x.raw(p)


@fault("chunk-1byte")
async def chunk_1byte(x):
    """chunks of one byte"""
    body = payload(x)
    await chunked(x, [b"".join(b"1\r\n%c\r\n" % c for c in body),
                      b"0\r\n\r\n"])


@fault("chunk-ext")
async def chunk_ext(x):
    """chunk extensions, quoted ones too"""
    await chunked(x, [b"%x;a=b;c=\"d e\"\r\n%s\r\n" % (len(p), p)
                      for p in x.parts()] + [b"0;last\r\n\r\n"])


@fault("chunk-trailers")
async def chunk_trailers(x):
    """trailers, with names that matter elsewhere"""
    await chunked(x, [b"%x\r\n%s\r\n" % (len(p), p) for p in x.parts()]
                  + [b"0\r\nX-Trailer: LEAK\r\nContent-Length: 5\r\n"
                     b"Set-Cookie: LEAK=1\r\n\r\n"])


@fault("chunk-bad-size")
async def chunk_bad_size(x):
    """a chunk size that is no number, after a good chunk"""
    p = x.parts()[0]
    await chunked(x, [b"%x\r\n%s\r\n" % (len(p), p), b"zz\r\nabc\r\n"])
    await x.stall()


@fault("chunk-bad-first")
async def chunk_bad_first(x):
    """a chunk size that is no number, at once"""
    await chunked(x, [b"zz\r\nabc\r\n"])
    await x.stall()


@fault("chunk-huge-size")
async def chunk_huge_size(x):
    """a chunk size of 2^68"""
    await chunked(x, [b"fffffffffffffffff\r\n" + payload(x)])
    await x.stall()


@fault("chunk-negative")
async def chunk_negative(x):
    """a negative chunk size"""
    await chunked(x, [b"-5\r\n" + payload(x)])
    await x.stall()


@fault("chunk-no-crlf")
async def chunk_no_crlf(x):
    """chunks whose data does not end in CRLF"""
    await chunked(x, [b"%x\r\n%sXX" % (len(p), p) for p in x.parts()])
    await x.stall()


@fault("chunk-truncated")
async def chunk_truncated(x):
    """FIN inside the last chunk"""
    parts = x.parts()
    await chunked(x, [b"%x\r\n%s\r\n" % (len(p), p) for p in parts[:-1]]
                  + [b"%x\r\n%s" % (len(parts[-1]) + 9, parts[-1])])
    await x.close()


@fault("chunk-no-last")
async def chunk_no_last(x):
    """all the chunks, but FIN instead of the last empty one"""
    await chunked(x, [b"%x\r\n%s\r\n" % (len(p), p) for p in x.parts()])
    await x.close()


@fault("cl-short")
async def cl_short(x):
    """FIN 100 bytes before the declared length"""
    body = payload(x)
    await framed(x, [("content-length", len(body) + 100)], body)


@fault("eof-truncated")
async def eof_truncated(x):
    """half a body that ends with the connection"""
    body = payload(x)
    await framed(x, [("connection", "close")], body[:len(body) // 2])


@fault("tls-truncated-eof")
async def tls_truncated_eof(x):
    """half a body that ends with the connection, without close_notify"""
    body = payload(x)
    await x.raw(x.head(200, [ctype(x), ("connection", "close")])
                + body[:len(body) // 2])
    raise wire.Hangup(abrupt=True)


@fault("cl-and-te")
async def cl_and_te(x):
    """both Content-Length and Transfer-Encoding"""
    body = payload(x)
    await framed(x, [("content-length", len(body)),
                     ("transfer-encoding", "chunked")],
                 b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), False)


@fault("dup-content-length")
async def dup_content_length(x):
    """two different Content-Length"""
    body = payload(x)
    await framed(x, [("content-length", len(body)),
                     ("content-length", len(body) + 7)], body, False)


@fault("negative-cl")
async def negative_cl(x):
    """a negative Content-Length"""
    await framed(x, [("content-length", -5)], None, False)


@fault("overflow-cl")
async def overflow_cl(x):
    """a Content-Length beyond 64 bits"""
    await framed(x, [("content-length", "99999999999999999999")])


@fault("huge-cl")
async def huge_cl(x):
    """a Content-Length of 1 TB"""
    await framed(x, [("content-length", 1 << 40)])


@fault("unknown-te")
async def unknown_te(x):
    """an unknown transfer coding"""
    await framed(x, [("transfer-encoding", "xyzzy")])


@fault("early-hints")
async def early_hints(x):
    """three 103 before the answer"""
    await x.raw("HTTP/1.1 103 Early Hints\r\nlink: </LEAK>\r\n\r\n" * 3)
    await x.fine()


@fault("continue-100")
async def continue_100(x):
    """an unasked 100 before the answer"""
    await x.raw("HTTP/1.1 100 Continue\r\n\r\n")
    await x.fine()


@fault("many-1xx")
async def many_1xx(x):
    """n= times 103 (5000) before the answer"""
    for _ in range(x.num("n", 5000) // 50):
        await x.raw("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 50)
    x.params.pop("n", None)
    await x.fine()


@fault("unsolicited-101")
async def unsolicited_101(x):
    """101 Switching Protocols that nobody asked for"""
    await x.raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
                "connection: upgrade\r\n\r\nTUNNEL-LEAK")
    await x.stall()


@fault("http09")
async def http09(x):
    """a body without any head"""
    await x.raw(payload(x))
    await x.close()


@fault("garbage")
async def garbage(x):
    """64 KB of noise"""
    await x.raw(random.Random(7).getrandbits(8 * 65536).to_bytes(65536,
                                                                 "big"))
    await x.close()


async def status_line(x, line):
    body = payload(x)
    head = x.head(200, [ctype(x), ("content-length", len(body))])
    await x.raw(line + head[head.index(b"\r\n"):] + body)


@fault("bad-status-line")
async def bad_status_line(x):
    """a status line that is not HTTP"""
    await status_line(x, b"HTTX/1.1 OK fine")


@fault("bad-status-code")
async def bad_status_code(x):
    """status 99"""
    await status_line(x, b"HTTP/1.1 99 Odd")


@fault("bad-status-digits")
async def bad_status_digits(x):
    """status 2000"""
    await status_line(x, b"HTTP/1.1 2000 Odd")


@fault("status-999")
async def status_999(x):
    """status 999"""
    await status_line(x, b"HTTP/1.1 999 Odd")


@fault("status-204")
async def status_204(x):
    """204 with no body"""
    await x.raw(x.head(204))


@fault("header-flood")
async def header_flood(x):
    """n= header lines (10000)"""
    await framed(x, [("x-flood-%d" % i, "v" * 40)
                     for i in range(x.num("n", 10000))])


@fault("huge-header")
async def huge_header(x):
    """a header of 1 MB"""
    await framed(x, [("x-huge", "v" * (1 << 20))])


@fault("endless-headers")
async def endless_headers(x):
    """header lines for ever (32 MB)"""
    await x.raw("HTTP/1.1 200 OK\r\n")
    for _ in range(2048):
        await x.raw(("x-more: " + "v" * 54 + "\r\n") * 256)
    await x.close()


async def odd_header(x, line):
    body = payload(x)
    head = x.head(200, [ctype(x), ("content-length", len(body))])
    await x.raw(head[:-2] + line + b"\r\n" + body)


@fault("header-nul")
async def header_nul(x):
    """a NUL in a header"""
    await odd_header(x, b"x-nul: a\0b\r\n")


@fault("header-no-colon")
async def header_no_colon(x):
    """a header line without a colon"""
    await odd_header(x, b"no colon here LEAK\r\n")


@fault("header-lf-only")
async def header_lf_only(x):
    """header lines that end in LF"""
    body = payload(x)
    head = x.head(200, [ctype(x), ("content-length", len(body))])
    await x.raw(head.replace(b"\r\n", b"\n") + body)


@fault("header-bare-cr")
async def header_bare_cr(x):
    """a bare CR in a header value"""
    await odd_header(x, b"x-cr: a\rx-smuggled: LEAK\r\n")


@fault("header-obs-fold")
async def header_obs_fold(x):
    """a folded header line"""
    await odd_header(x, b"x-fold: a\r\n  b: LEAK\r\n")


@fault("header-space-colon")
async def header_space_colon(x):
    """a blank before the colon of Content-Length"""
    body = payload(x)
    await framed(x, [("content-length ", len(body))], body, False)


async def good_with(x, headers):
    body = payload(x)
    await framed(x, list(headers) + [("content-length", len(body))], body,
                 False)


@fault("x-accel-redirect")
async def x_accel_redirect(x):
    """X-Accel-Redirect to an internal file"""
    await good_with(x, [("X-Accel-Redirect", "/internal/secret")])


@fault("x-accel-others")
async def x_accel_others(x):
    """X-Accel-Limit-Rate, -Buffering, -Expires, -Charset"""
    await good_with(x, [("X-Accel-Limit-Rate", "1"),
                        ("X-Accel-Buffering", "yes"),
                        ("X-Accel-Expires", "3600"),
                        ("X-Accel-Charset", "koi8-r")])


@fault("leaky-headers")
async def leaky_headers(x):
    """headers that tell about our account, or speak for the provider"""
    await good_with(x, [
        ("set-cookie", "session=LEAK; Path=/"),
        ("openai-organization", "org-LEAK"),
        ("openai-project", "proj-LEAK"),
        ("anthropic-organization-id", "LEAK"), ("via", "1.1 LEAK"),
        ("strict-transport-security", "max-age=99 LEAK"),
        ("access-control-allow-origin", "https://LEAK.test"),
        ("alt-svc", "h3=\":443\"; LEAK"), ("cf-ray", "LEAK"),
        ("x-internal-host", "LEAK"), ("www-authenticate", "Basic LEAK"),
        ("x-ratelimit-remaining-tokens", "LEAK"),
        ("server", "LEAK"), ("x-powered-by", "LEAK")])


@fault("hop-headers")
async def hop_headers(x):
    """hop-by-hop headers, and those that Connection lists"""
    await good_with(x, [("connection", "keep-alive, x-hop"),
                        ("keep-alive", "timeout=9"), ("x-hop", "LEAK"),
                        ("proxy-authenticate", "Basic LEAK"),
                        ("upgrade", "LEAK"), ("te", "trailers")])

"""
Copyright (C) the ngx_http_ai_gateway_module authors

Faults of streams that are no SSE: frames of AWS, lines of Ollama.  Asked for
anything else, they give a good answer.
"""

import struct
import zlib

from . import answers
from .exchange import fault
from .faults_stream import opened

FRAMED = ("converse-stream", "invoke-stream")


def framed(name, *surfaces):
    """Register a fault: the function changes the list of parts."""
    def add(func):
        async def send(x):
            if x.ans.surface not in surfaces:
                await x.fine()
                return
            parts = x.parts()
            await x.stream(func(x, parts, opened(x) + x.num("n", 3)))
        send.__doc__ = func.__doc__
        fault(name)(send)
        return func
    return add


def flipped(part, at):
    out = bytearray(part)
    out[at] ^= 1
    return bytes(out)


@framed("frame-bad-crc", *FRAMED)
def frame_bad_crc(x, parts, n):
    """the CRC of a frame after n= pieces (3) is wrong"""
    parts[n] = flipped(parts[n], -1)
    return parts


@framed("frame-bad-payload", *FRAMED)
def frame_bad_payload(x, parts, n):
    """a bit of a payload after n= pieces (3) is flipped"""
    parts[n] = flipped(parts[n], -8)
    return parts


@framed("frame-bad-prelude", *FRAMED)
def frame_bad_prelude(x, parts, n):
    """the CRC of a prelude after n= pieces (3) is wrong"""
    parts[n] = flipped(parts[n], 9)
    return parts


@framed("frame-bad-first", *FRAMED)
def frame_bad_first(x, parts, n):
    """the CRC of the first frame is wrong"""
    parts[0] = flipped(parts[0], -1)
    return parts


@framed("frame-cut", *FRAMED)
def frame_cut(x, parts, n):
    """the end, in peace, within a frame after n= pieces (3)"""
    return parts[:n] + [parts[n][:-5]]


@framed("frame-huge", *FRAMED)
def frame_huge(x, parts, n):
    """a frame that says it has 2 GB, with a good CRC of that"""
    head = struct.pack(">II", 0x7fffffff, 0)
    head += struct.pack(">I", zlib.crc32(head))
    return parts[:n] + [head] + [b"x" * 65536] * 64


@framed("frame-split", *FRAMED)
def frame_split(x, parts, n):
    """all frames in chunks of 7 bytes"""
    data = b"".join(parts)
    return [data[i:i + 7] for i in range(0, len(data), 7)]


@framed("frame-exception", *FRAMED)
def frame_exception(x, parts, n):
    """an exception after n= pieces (3), of type= and with message="""
    name = x.params.get("type", "throttlingException")
    return parts[:n] + [answers.frame("exception", name,
                                      '{"message":"fake %s"}' % name)]


@framed("line-cut", "ollama")
def line_cut(x, parts, n):
    """the end, in peace, within a line after n= pieces (3)"""
    return parts[:n] + [parts[n][:-9]]


@framed("line-no-last", "ollama")
def line_no_last(x, parts, n):
    """the last line lacks its newline"""
    parts[-1] = parts[-1].rstrip(b"\n")
    return parts


@framed("line-glued", "ollama")
def line_glued(x, parts, n):
    """all lines in one chunk, blank ones and CRLF between them"""
    return [b"\r\n\n".join(p.rstrip(b"\n") for p in parts) + b"\n"]

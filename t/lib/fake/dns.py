"""
Copyright (C) the ngx_http_ai_gateway_module authors

A DNS server for the tests of the resolver.  The first label of a name says
how it is answered; "ok" and unknown names give 127.0.0.1.
"""

import asyncio
import struct

A, CNAME, AAAA = 1, 5, 28


def encode_name(name):
    out = b""
    for label in name.split("."):
        out += bytes([len(label)]) + label.encode("latin-1")
    return out + b"\0"


def question(data):
    """Name, type and raw bytes of the question of a query."""
    at, labels = 12, []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
        at += 1 + data[at]
    return ".".join(labels), struct.unpack(">H", data[at + 1:at + 3])[0], \
        data[12:at + 5]


def record(kind, data, ttl):
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def address(text):
    return bytes(int(p) for p in text.split("."))


class Server(asyncio.DatagramProtocol):
    """Answers queries; counts them in the store."""

    ADDRESSES = {
        "multi": ["127.0.0.1", "127.0.0.2"],
        "dead-first": ["127.0.0.9", "127.0.0.1"],
        "all-dead": ["127.0.0.9", "127.0.0.10"],
        "rebind": ["169.254.169.254"],
        "metadata": ["169.254.169.254"],
        "private": ["10.0.0.1"],
        "many": ["127.0.0.1"] * 30,
    }
    CODES = {"servfail": 2, "nx": 3, "refused": 5, "empty": 0}

    def __init__(self, store):
        self.store = store
        self.transport = None
        self.flips = 0

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        try:
            name, kind, raw = question(data)
        except (IndexError, struct.error):
            return
        self.store.counts["dns_queries"] += 1
        self.store.counts["dns_queries " + name] += 1
        label = name.split(".")[0]
        if label == "timeout":
            return
        reply = self.reply(label, kind, data[:2], raw)
        delay = 0.5 if label == "slow" else 0
        asyncio.get_running_loop().call_later(
            delay, self.transport.sendto, reply, addr)

    def addresses(self, label):
        if label == "flip":
            # the control sets the counter, so that a test knows the answer
            n = self.store.counters["dns_flip"]
            return ["127.0.0.%d" % (1 + n)]
        return self.ADDRESSES.get(label, ["127.0.0.1"])

    def reply(self, label, kind, ident, raw):
        code = self.CODES.get(label, 0)
        ttl = 1 if label == "flip" else 30
        answers = []
        if label == "cname-loop":
            answers.append(record(CNAME, b"\xc0\x0c", 30))
        elif label in ("v6", "v6-broken") and kind == AAAA:
            last = 1 if label == "v6" else 9
            answers.append(record(AAAA, b"\0" * 15 + bytes([last]), 30))
        elif label not in self.CODES and kind == A and label != "v6":
            answers = [record(A, address(a), ttl)
                       for a in self.addresses(label)]
        if label == "wrongid":
            ident = bytes([ident[0] ^ 0xff, ident[1]])
        head = ident + struct.pack(">HHHHH", 0x8180 | code, 1, len(answers),
                                   0, 0)
        out = head + raw + b"".join(answers)
        if label == "truncated":
            out = out[:len(out) - 7]
        if label == "garbage":
            out = ident + b"\x81\x80" + b"\xff" * 40
        return out

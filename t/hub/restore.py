#!/usr/bin/env python3

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# What a request changed on its way is put back in the answer: names of tools
# that were too long, a call that stands for a JSON answer, the input of
# custom tools, the usage that nobody asked for.  Answers are written here in
# the words of each provider, to the request that the provider would have got.
#
#     restore.py [--show]

import sys

sys.dont_write_bytecode = True

import ask
import driver
import oracle
from oracle import canon, loads, obj
from requests import LONG, SCHEMA, TARGETS, WEATHER
from run import MODEL, SURFACES, read


ARGS = '{"city":"Z\\u00fcrich","days":12345678901234567890}'
JSON_ANSWER = '{"answer":"yes","n":1.50}'
PATCH = "*** Begin Patch\n+ \"quoted\" \\ \u00fc\n*** End Patch"


def sse(events, named, done):
    out = ""
    for e in events:
        if named:
            out += "event: %s\n" % e["type"]
        out += "data: %s\n\n" % ask.dump(e)
    return (out + ("data: [DONE]\n\n" if done else "")).encode()


# one call, as each provider tells it: a document, and a stream

def answer(kind, name, args):
    value = loads(args)
    if kind == "chat":
        f = {"name": name, "arguments": args}
        doc = {"id": "c", "object": "chat.completion", "created": 1,
               "model": "m", "choices": [{"index": 0, "message": {
                   "role": "assistant", "content": None, "tool_calls": [
                       {"id": "call_1", "type": "function",
                        "function": f}]}, "finish_reason": "tool_calls"}]}
        half = len(args) // 2

        def chunk(delta, finish=None):
            return {"id": "c", "object": "chat.completion.chunk",
                    "created": 1, "model": "m", "choices": [
                        {"index": 0, "delta": delta,
                         "finish_reason": finish}]}
        events = [chunk({"role": "assistant", "tool_calls": [
            {"index": 0, "id": "call_1", "type": "function",
             "function": {"name": name, "arguments": args[:half]}}]}),
            chunk({"tool_calls": [{"index": 0, "function": {
                "arguments": args[half:]}}]}), chunk({}, "tool_calls")]
        return doc, sse(events, False, True), "sse"
    if kind == "responses":
        item = {"id": "fc_1", "type": "function_call", "call_id": "call_1",
                "name": name, "arguments": args, "status": "completed"}
        doc = {"id": "resp_1", "object": "response", "created_at": 1,
               "status": "completed", "model": "m", "error": None,
               "incomplete_details": None, "output": [item]}
        events = [
            {"type": "response.created", "sequence_number": 0,
             "response": dict(doc, status="in_progress", output=[])},
            {"type": "response.output_item.added", "sequence_number": 1,
             "output_index": 0, "item": dict(item, arguments="",
                                             status="in_progress")},
            {"type": "response.function_call_arguments.delta",
             "sequence_number": 2, "output_index": 0, "item_id": "fc_1",
             "delta": args},
            {"type": "response.output_item.done", "sequence_number": 3,
             "output_index": 0, "item": item},
            {"type": "response.completed", "sequence_number": 4,
             "response": doc}]
        return doc, sse(events, True, False), "sse"
    if kind == "messages":
        doc = {"id": "msg_1", "type": "message", "role": "assistant",
               "model": "m", "content": [
                   {"type": "tool_use", "id": "call_1", "name": name,
                    "input": value}], "stop_reason": "tool_use",
               "stop_sequence": None,
               "usage": {"input_tokens": 1, "output_tokens": 1}}
        events = [
            {"type": "message_start", "message": dict(
                doc, content=[], stop_reason=None)},
            {"type": "content_block_start", "index": 0, "content_block":
             {"type": "tool_use", "id": "call_1", "name": name,
              "input": {}}},
            {"type": "content_block_delta", "index": 0, "delta": {
                "type": "input_json_delta", "partial_json": args}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {
                "stop_reason": "tool_use", "stop_sequence": None},
             "usage": {"output_tokens": 1}}, {"type": "message_stop"}]
        return doc, sse(events, True, False), "sse"
    if kind == "generate":
        doc = {"candidates": [{"content": {"role": "model", "parts": [
            {"functionCall": {"id": "call_1", "name": name,
                              "args": value}}]},
            "finishReason": "STOP", "index": 0}], "modelVersion": "m"}
        return doc, sse([doc], False, False), "sse"
    if kind == "cohere":
        call = {"id": "call_1", "type": "function",
                "function": {"name": name, "arguments": args}}
        doc = {"id": "i", "finish_reason": "TOOL_CALL", "message": {
            "role": "assistant", "tool_calls": [call]}}
        empty = dict(call, function={"name": name, "arguments": ""})
        events = [
            {"type": "message-start", "id": "i", "delta": {
                "message": {"role": "assistant"}}},
            {"type": "tool-call-start", "index": 0, "delta": {
                "message": {"tool_calls": empty}}},
            {"type": "tool-call-delta", "index": 0, "delta": {"message": {
                "tool_calls": {"function": {"arguments": args}}}}},
            {"type": "tool-call-end", "index": 0},
            {"type": "message-end", "delta": {
                "finish_reason": "TOOL_CALL"}}]
        return doc, sse(events, True, True), "sse"
    doc = {"output": {"message": {"role": "assistant", "content": [
        {"toolUse": {"toolUseId": "call_1", "name": name,
                     "input": value}}]}}, "stopReason": "tool_use",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}
    frames = b"".join(oracle.aws_message(n, ask.dump(p).encode())
                      for n, p in (
        ("messageStart", {"role": "assistant"}),
        ("contentBlockStart", {"contentBlockIndex": 0, "start": {
            "toolUse": {"toolUseId": "call_1", "name": name}}}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {
            "toolUse": {"input": args}}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "tool_use"}),
        ("metadata", {"usage": doc["usage"],
                      "metrics": {"latencyMs": 1}})))
    return doc, frames, "aws"


class Checker:
    def __init__(self):
        self.driver = driver.Driver()
        self.passed = 0
        self.failed = []

    def note(self, title, why):
        if why:
            self.failed.append("%s: %s" % (title, why))
        else:
            self.passed += 1

    def provider_asks(self, frm, to, model, body):
        """what the provider was asked"""
        words = dict(kind="request", to=SURFACES[to][2],
                     vendor=TARGETS[to][0], model=model)
        words["from"] = SURFACES[frm][2]
        st, out = self.driver.job(body, **words)
        if st["result"] != "end":
            return None, st
        return ask.READERS[to](loads(out)), st

    def answers(self, frm, to, model, body, doc, stream, frame):
        """what the client is told: document, document as events, stream"""
        vendor = TARGETS[to][0]
        for title, words in (
                ("JSON", dict(doc=True)),
                ("JSON to stream", dict(doc=True, stream=True)),
                ("stream", dict(stream=True, split="random:7"))):
            words.update(kind="answer", vendor=vendor, model=MODEL,
                         target=model, frame=frame, to=SURFACES[frm][
                             3 if words.get("stream") else 2])
            words["from"] = SURFACES[to][2 if words.get("doc") else 3]
            st, out = self.driver.job(
                ask.dump(doc).encode() if words.get("doc") else stream,
                req=body, **words)
            got = read(frm, out, bool(words.get("stream")))
            yield "%s -> %s (%s) %s" % (frm, to, model, title), st, got, out


def names(c):
    """a name that the provider cannot take"""
    r = dict(msgs=[("user", [("text", "x")])],
             tools=[(LONG, "long", WEATHER[2]), (LONG + "2", "other",
                                                 WEATHER[2])])
    for frm in SURFACES:
        body = ask.dump(ask.WRITERS[frm](r)).encode()
        for to in SURFACES:
            for model in TARGETS[to][1]:
                a, st = c.provider_asks(frm, to, model, body)
                if a is None or len({t[0] for t in a.tools}) != 2:
                    c.note("%s -> %s names" % (frm, to), str(st))
                    continue
                for i, name in enumerate((LONG, LONG + "2")):
                    for title, st, got, out in c.answers(
                            frm, to, model, body,
                            *answer(to, a.tools[i][0], ARGS)):
                        t = got.choice().tools
                        ok = got.complete and len(t) == 1 \
                            and t[0].name == name \
                            and t[0].args() == canon(loads(ARGS)) \
                            and got.choice().finish == "tools"
                        c.note("name, " + title, "" if ok else
                               "%s %s" % ([x.name for x in t], out[:200]))


def formats(c):
    """a call that stands for the answer"""
    r = dict(msgs=[("user", [("text", "x")])], schema=SCHEMA)
    for frm in SURFACES:
        body = ask.dump(ask.WRITERS[frm](r)).encode()
        for to in SURFACES:
            for model in TARGETS[to][1] + (
                    ("claude-3-haiku-20240307",) if to == "messages" else ()):
                a, st = c.provider_asks(frm, to, model, body)
                if a is None or not a.tools:
                    c.note("%s -> %s format" % (frm, to),
                           "" if a is not None and a.format else str(st))
                    continue
                for title, st, got, out in c.answers(
                        frm, to, model, body,
                        *answer(to, a.tools[0][0], JSON_ANSWER)):
                    x = got.choice()
                    ok = got.complete and not x.tools \
                        and x.text == JSON_ANSWER and x.finish == "stop"
                    c.note("format, " + title, "" if ok else "%r %r %s %s" % (
                        x.text, x.finish, [t.name for t in x.tools],
                        out[:200]))


def customs(c):
    """free text for a custom tool"""
    for frm in ("chat", "responses"):
        doc = ask.WRITERS[frm](dict(msgs=[("user", [("text", "x")])]))
        tool = {"name": "apply_patch", "description": "patch"}
        doc["tools"] = [dict(tool, type="custom") if frm == "responses"
                        else {"type": "custom", "custom": tool}]
        body = ask.dump(doc).encode()
        for to in ("messages", "generate", "converse", "cohere"):
            model = TARGETS[to][1][0]
            a, st = c.provider_asks(frm, to, model, body)
            if a is None:
                c.note("%s -> %s custom" % (frm, to), str(st))
                continue
            args = ask.dump({"input": PATCH})
            for title, st, got, out in c.answers(
                    frm, to, model, body, *answer(to, "apply_patch", args)):
                t = got.choice().tools
                ok = got.complete and len(t) == 1 and t[0].custom \
                    and t[0].raw == PATCH
                c.note("custom, " + title, "" if ok else "%s %s" % (
                    [(x.custom, x.raw) for x in t], out[:300]))


def usages(c):
    """chat clients get usage in a stream only if they ask"""
    for wanted in (True, False):
        doc = ask.WRITERS["chat"](dict(msgs=[("user", [("text", "x")])]))
        doc["stream"] = True
        if wanted:
            doc["stream_options"] = {"include_usage": True}
        body = ask.dump(doc).encode()
        for to in SURFACES:
            d, s, frame = answer(to, "f", ARGS)
            for title, st, got, out in c.answers("chat", to, "m", body, d, s,
                                                 frame):
                if not title.endswith("stream") or to not in (
                        "messages", "converse"):
                    continue    # those that tell usage above
                ok = (got.usage is not None) == wanted \
                    and (b'"usage":null' in out) == wanted
                c.note("usage %s, %s" % (wanted, title),
                       "" if ok else repr(out[-300:]))


def main():
    c = Checker()
    for test in (names, formats, customs, usages):
        test(c)
    c.driver.close()
    for line in c.failed[:None if "--show" in sys.argv else 30]:
        print(line[:300])
    print("%d passed, %d failed" % (c.passed, len(c.failed)))
    return 1 if c.failed or not c.passed else 0


if __name__ == "__main__":
    sys.exit(main())

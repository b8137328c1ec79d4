"""
Copyright (C) the ngx_http_ai_gateway_module authors

Well-formed answers of the providers that speak neither as OpenAI nor as
Anthropic or Gemini do: Cohere, Bedrock and Ollama; and vectors of all.
"""

import base64
import json
import struct
import zlib

from . import dialects
from .dialects import FINISH, Ev, dumps

STREAM_TYPES = {"converse-stream": "application/vnd.amazon.eventstream",
                "invoke-stream": "application/vnd.amazon.eventstream",
                "ollama": "application/x-ndjson"}

COHERE = {"stop": "COMPLETE", "length": "MAX_TOKENS",
          "tool_calls": "TOOL_CALL", "content_filter": "ERROR"}

CONVERSE = {"stop": "end_turn", "length": "max_tokens",
            "tool_calls": "tool_use", "content_filter": "content_filtered"}


class Line(Ev):
    """An event of NDJSON."""

    def render(self, eol="\n"):
        return self.payload().encode("utf-8", "surrogatepass") + b"\n"


class Frame(Ev):
    """An event of the AWS event stream."""

    def render(self, eol="\n"):
        kind = "exception" if self.kind == "error" else "event"
        return frame(kind, self.name, self.payload())


class Chunk(Frame):
    """An event of Claude, within one of Bedrock's."""

    def render(self, eol="\n"):
        inner = self.payload().encode("utf-8", "surrogatepass")
        return frame("event", "chunk", dumps(
            {"bytes": base64.b64encode(inner).decode(), "p": "abcdef"}))


def frame(kind, name, payload):
    """The bytes of a frame; kind is event or exception."""
    head = b""
    for k, v in ((":%s-type" % kind, name),
                 (":content-type", "application/json"),
                 (":message-type", kind)):
        head += (bytes([len(k)]) + k.encode() + b"\x07"
                 + struct.pack(">H", len(v)) + v.encode())
    body = payload.encode("utf-8", "surrogatepass")
    out = struct.pack(">II", 16 + len(head) + len(body), len(head))
    out += struct.pack(">I", zlib.crc32(out)) + head + body
    return out + struct.pack(">I", zlib.crc32(out))


class Answer(dialects.Answer):
    """As its base, for all surfaces."""

    def __init__(self, surface, req, model, params, number):
        super().__init__(surface, req, model, params, number)
        if surface == "cohere":
            self.stream = self.body.get("stream") is True
        if surface == "ollama":
            self.stream = self.body.get("stream") is not False
        if surface in ("converse-stream", "invoke-stream"):
            self.stream = True
        if surface == "raw-predict" and req.path.endswith("streamRawPredict"):
            self.stream = True

    def stream_type(self):
        """Content-Type of a stream."""
        return STREAM_TYPES.get(self.surface,
                                "text/event-stream; charset=utf-8")

    def inputs(self):
        """The texts that vectors are asked for."""
        b = self.body
        for name in ("input", "texts", "requests", "instances"):
            v = b.get(name)
            if isinstance(v, list) and v and not isinstance(v[0], int):
                return v
        return [None]

    def vectors(self):
        return [[0.125 * (i + 1), -0.5, 1e-05]
                for i in range(len(self.inputs()))]

    # Gemini, with calls

    def ev_gemini_stream(self):
        if not self.tools:
            yield from super().ev_gemini_stream()
            return
        for t in self.tools:
            yield Ev("delta", {"candidates": [{"content": {
                "role": "model", "parts": [{"functionCall": {
                    "name": t["function"]["name"],
                    "args": json.loads(t["function"]["arguments"])}}]},
                "index": 0}], "usageMetadata": self.usage_gemini(),
                "modelVersion": self.model, "responseId": self.id})
        yield Ev("finish", {"candidates": [{
            "content": {"role": "model", "parts": [{"text": ""}]},
            "finishReason": FINISH[self.finish][1], "index": 0}],
            "usageMetadata": self.usage_gemini(),
            "modelVersion": self.model, "responseId": self.id})

    # Cohere

    def usage_cohere(self):
        u = {"input_tokens": self.usage["in"],
             "output_tokens": self.usage["out"]}
        return {"billed_units": dict(u), "tokens": dict(u),
                "cached_tokens": self.usage["cached"]}

    def doc_cohere(self):
        message = {"role": "assistant",
                   "content": [{"type": "text", "text": self.text()}]}
        if self.tools:
            message = {"role": "assistant", "tool_plan": "I will look.",
                       "tool_calls": self.tools}
        return {"id": self.id, "finish_reason": COHERE[self.finish],
                "message": message, "usage": self.usage_cohere()}

    def ev_cohere(self):
        def ev(kind, name, **obj):
            return Ev(kind, dict({"type": name}, **obj), name)
        yield ev("open", "message-start", id=self.id, delta={"message": {
            "role": "assistant", "content": [], "tool_plan": "",
            "tool_calls": [], "citations": []}})
        if not self.tools:
            yield ev("open", "content-start", index=0, delta={"message": {
                "content": {"type": "text", "text": ""}}})
            for p in self.pieces:
                yield ev("delta", "content-delta", index=0, delta={
                    "message": {"content": {"text": p}}})
            yield ev("finish", "content-end", index=0)
        for i, t in enumerate(self.tools):
            args = t["function"]["arguments"]
            yield ev("delta", "tool-call-start", index=i, delta={
                "message": {"tool_calls": dict(t, function=dict(
                    t["function"], arguments=""))}})
            for k in range(0, len(args), 7):
                yield ev("delta", "tool-call-delta", index=i, delta={
                    "message": {"tool_calls": {"function": {
                        "arguments": args[k:k + 7]}}}})
            yield ev("finish", "tool-call-end", index=i)
        yield ev("finish", "message-end", delta={
            "finish_reason": COHERE[self.finish],
            "usage": self.usage_cohere()})
        yield Ev("done", "[DONE]")

    def doc_cohere_embed(self):
        return {"id": self.id, "embeddings": {"float": self.vectors()},
                "texts": [str(t) for t in self.inputs()],
                "meta": {"billed_units": {"input_tokens": self.usage["in"]}}}

    # Bedrock

    def usage_converse(self):
        u = self.usage
        return {"inputTokens": u["in"], "outputTokens": u["out"],
                "totalTokens": u["in"] + u["out"] + u["cached"],
                "cacheReadInputTokens": u["cached"],
                "cacheWriteInputTokens": 0}

    def doc_converse(self):
        content = [{"text": self.text()}]
        for t in self.tools:
            content.append({"toolUse": {
                "toolUseId": t["id"], "name": t["function"]["name"],
                "input": json.loads(t["function"]["arguments"])}})
        return {"output": {"message": {"role": "assistant",
                                       "content": content}},
                "stopReason": CONVERSE[self.finish],
                "usage": self.usage_converse(), "metrics": {"latencyMs": 7}}

    doc_converse_stream = doc_converse

    def ev_converse_stream(self):
        def ev(kind, name, **obj):
            return Frame(kind, dict(obj, p="abc"), name)
        yield ev("open", "messageStart", role="assistant")
        if not self.tools:
            for p in self.pieces:
                yield ev("delta", "contentBlockDelta", contentBlockIndex=0,
                         delta={"text": p})
            yield ev("finish", "contentBlockStop", contentBlockIndex=0)
        for i, t in enumerate(self.tools):
            args = t["function"]["arguments"]
            yield ev("delta", "contentBlockStart", contentBlockIndex=i,
                     start={"toolUse": {"toolUseId": t["id"],
                                        "name": t["function"]["name"]}})
            for k in range(0, len(args), 7):
                yield ev("delta", "contentBlockDelta", contentBlockIndex=i,
                         delta={"toolUse": {"input": args[k:k + 7]}})
            yield ev("finish", "contentBlockStop", contentBlockIndex=i)
        yield ev("finish", "messageStop", stopReason=CONVERSE[self.finish])
        yield ev("done", "metadata", usage=self.usage_converse(),
                 metrics={"latencyMs": 7})

    def doc_invoke(self):
        return self.doc_messages()

    doc_invoke_stream = doc_invoke

    def ev_invoke_stream(self):
        return [Chunk(e.kind, e.obj, e.name) for e in self.ev_messages()]

    # Claude on Vertex

    def doc_raw_predict(self):
        return self.doc_messages()

    def ev_raw_predict(self):
        return self.ev_messages()

    # Ollama

    def ollama(self, message, **more):
        return dict({"model": self.model,
                     "created_at": "2026-01-02T03:04:05.6789Z",
                     "message": dict({"role": "assistant", "content": ""},
                                     **message), "done": False}, **more)

    def calls_ollama(self):
        return {"tool_calls": [{"function": {
            "name": t["function"]["name"],
            "arguments": json.loads(t["function"]["arguments"])}}
            for t in self.tools]} if self.tools else {}

    def last_ollama(self, message):
        reason = "stop" if self.finish == "tool_calls" else self.finish
        return self.ollama(message, done=True, done_reason=reason,
                           total_duration=1000000, load_duration=1,
                           prompt_eval_count=self.usage["in"],
                           prompt_eval_duration=1,
                           eval_count=self.usage["out"], eval_duration=1)

    def doc_ollama(self):
        text = "" if self.tools else self.text()
        return self.last_ollama(dict(self.calls_ollama(), content=text))

    def ev_ollama(self):
        for p in ([] if self.tools else self.pieces):
            yield Line("delta", self.ollama({"content": p}))
        if self.tools:
            yield Line("delta", self.ollama(self.calls_ollama()))
        yield Line("finish", self.last_ollama({}))

    def doc_ollama_embed(self):
        return {"model": self.model, "embeddings": self.vectors(),
                "prompt_eval_count": self.usage["in"]}

    # vectors of the others

    def doc_embeddings(self):
        def shown(v):
            if self.body.get("encoding_format") == "base64":
                return base64.b64encode(struct.pack("<3f", *v)).decode()
            return v
        doc = super().doc_embeddings()
        doc["data"] = [{"object": "embedding", "index": i,
                        "embedding": shown(v)}
                       for i, v in enumerate(self.vectors())]
        return doc

    def doc_gemini_batch(self):
        return {"embeddings": [{"values": v} for v in self.vectors()]}

    def doc_predict(self):
        return {"predictions": [{"embeddings": {
            "values": v, "statistics": {"token_count": 3,
                                        "truncated": False}}}
            for v in self.vectors()]}

    def error_event(self, message="Overloaded", status=529):
        if self.surface == "cohere":
            return Ev("error", {"type": "message-end", "delta": {
                "finish_reason": "ERROR", "error": message}}, "message-end")
        if self.surface == "converse-stream":
            return Frame("error", {"message": message},
                         "serviceUnavailableException")
        if self.surface == "invoke-stream":
            return Frame("error", {"message": message},
                         "modelStreamErrorException")
        if self.surface == "ollama":
            return Line("error", {"error": message})
        return super().error_event(message, status)

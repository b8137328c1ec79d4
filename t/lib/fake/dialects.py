"""
Copyright (C) the ngx_http_ai_gateway_module authors

Well-formed answers of the providers: OpenAI, Anthropic, Gemini.  An answer
is a spec (text in pieces, usage, finish, tool calls); it is rendered as one
JSON document, or as a list of stream events which faults may rearrange.
"""

import json
import re
import urllib.parse

PIECES = ["Hello", ", Grüße", " from", " the", " fake", " provider:",
          " 世界", " 😀", " \"quoted\"", " and", " \\ done."]

FINISH = {
    "stop": ("end_turn", "STOP"),
    "length": ("max_tokens", "MAX_TOKENS"),
    "tool_calls": ("tool_use", "STOP"),
    "content_filter": ("refusal", "SAFETY"),
}

TOOL_ARGUMENTS = '{"city": "Zürich \\"old\\" \\u00e9", "n": 1.50, "e": []}'

CREATED = 1700000000


def dumps(obj):
    return json.dumps(obj, ensure_ascii=False, separators=(",", ":"))


def surface_of(method, path):
    """Which API a path is of, by its suffix; and the model in the path."""
    path = urllib.parse.unquote(path)
    m = re.search(r"/models/(.+):([A-Za-z]+)$", path)
    if m:
        name = {"generateContent": "gemini",
                "streamGenerateContent": "gemini-stream",
                "countTokens": "gemini-count",
                "embedContent": "gemini-embed",
                "batchEmbedContents": "gemini-batch",
                "predict": "predict", "rawPredict": "raw-predict",
                "streamRawPredict": "raw-predict"}.get(m.group(2))
        return name or "other", m.group(1)
    m = re.search(r"/model/(.+)/(converse|converse-stream|invoke"
                  r"|invoke-with-response-stream)$", path)
    if m:
        return m.group(2).replace("-with-response", ""), m.group(1)
    for suffix, name in (("/chat/completions", "chat"),
                         ("/token", "token"), ("/api/chat", "ollama"),
                         ("/api/embed", "ollama-embed"),
                         ("/v2/chat", "cohere"), ("/v2/embed", "cohere-embed"),
                         ("/completions", "completions"),
                         ("/embeddings", "embeddings"),
                         ("/responses", "responses"),
                         ("/messages/count_tokens", "count"),
                         ("/messages", "messages")):
        if method == "POST" and path.endswith(suffix):
            return name, None
    if method == "GET" and re.search(r"/models(/[^/]*)?$", path):
        return "models", None
    return "other", None


def family(surface):
    if surface in ("messages", "count", "raw-predict"):
        return "anthropic"
    if surface.startswith("gemini") or surface == "predict":
        return "gemini"
    for name in ("cohere", "ollama"):
        if surface.startswith(name):
            return name
    if surface.startswith(("converse", "invoke")):
        return "bedrock"
    return "openai"


def error_body(surface, status, message, kind=None, code=None):
    """An error document in the dialect of the surface."""
    fam = family(surface)
    if fam == "cohere":
        return {"id": "fake", "message": message}
    if fam == "bedrock":
        return {"message": message}
    if fam == "ollama":
        return {"error": message}
    if fam == "anthropic":
        names = {400: "invalid_request_error", 401: "authentication_error",
                 402: "billing_error", 403: "permission_error",
                 404: "not_found_error", 413: "request_too_large",
                 429: "rate_limit_error", 529: "overloaded_error",
                 504: "timeout_error"}
        return {"type": "error",
                "error": {"type": kind or names.get(status, "api_error"),
                          "message": message},
                "request_id": "req_fake"}
    if fam == "gemini":
        names = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED",
                 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
                 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE",
                 504: "DEADLINE_EXCEEDED"}
        return {"error": {"code": status, "message": message,
                          "status": kind or names.get(status, "INTERNAL")}}
    names = {401: "authentication_error", 429: "rate_limit_error"}
    default = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message,
                      "type": kind or names.get(status, default),
                      "param": None, "code": code}}


class Ev:
    """A stream event: kind is open, delta, finish, usage, done or error."""

    def __init__(self, kind, obj, name=None):
        self.kind = kind
        self.obj = obj          # JSON value, or str for a literal payload
        self.name = name

    def payload(self):
        return self.obj if isinstance(self.obj, str) else dumps(self.obj)

    def lines(self):
        head = [] if self.name is None else ["event: " + self.name]
        return head + ["data: " + self.payload()]

    def render(self, eol="\n"):
        return (eol.join(self.lines()) + eol + eol).encode(
            "utf-8", "surrogatepass")


class Answer:
    """What the provider would say to a request if nothing went wrong."""

    def __init__(self, surface, req, model, params, number):
        body = req.json if isinstance(req.json, dict) else {}
        self.surface = surface
        self.body = body
        self.model = model or "fake-model"
        self.id = "fake-%d" % number
        self.pieces = list(PIECES)
        if "n" in params and params["n"].isdigit():
            self.pieces = [" w%d" % i for i in range(int(params["n"]))]
        self.finish = "stop"
        self.tools = []
        self.usage = {"in": int(params.get("in", 11)),
                      "out": int(params.get("out", len(self.pieces))),
                      "cached": int(params.get("cached", 3))}
        self.want_usage = bool((body.get("stream_options") or {}).get(
            "include_usage")) if isinstance(
            body.get("stream_options"), dict) else False
        self.stream = body.get("stream") is True
        if surface == "gemini-stream":
            self.stream = True
        if surface not in ("chat", "completions", "responses", "messages",
                           "gemini-stream", "raw-predict"):
            self.stream = False
        self.eol = "\n"
        if family(surface) == "gemini":
            self.eol = "\r\n"

    def text(self):
        return "".join(self.pieces)

    def last_user_text(self):
        """The last text of the user, whatever the dialect."""
        found = re.findall(
            r'"(?:text|content|input|prompt)"\s*:\s*("(?:[^"\\]|\\.)*")',
            dumps(self.body))
        return json.loads(found[-1]) if found else ""

    # usage in the dialects

    def usage_openai(self):
        u = self.usage
        return {"prompt_tokens": u["in"], "completion_tokens": u["out"],
                "total_tokens": u["in"] + u["out"],
                "prompt_tokens_details": {"cached_tokens": u["cached"]},
                "completion_tokens_details": {"reasoning_tokens": 0}}

    def usage_responses(self):
        u = self.usage
        return {"input_tokens": u["in"],
                "input_tokens_details": {"cached_tokens": u["cached"]},
                "output_tokens": u["out"],
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": u["in"] + u["out"]}

    def usage_anthropic(self):
        u = self.usage
        return {"input_tokens": u["in"],
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": u["cached"],
                "output_tokens": u["out"]}

    def usage_gemini(self):
        u = self.usage
        return {"promptTokenCount": u["in"],
                "cachedContentTokenCount": u["cached"],
                "candidatesTokenCount": u["out"],
                "totalTokenCount": u["in"] + u["out"]}

    # whole documents

    def document(self):
        name = self.surface.replace("-", "_")
        return getattr(self, "doc_" + name)()

    def doc_chat(self):
        message = {"role": "assistant", "content": self.text()}
        if self.tools:
            message["content"] = None
            message["tool_calls"] = self.tools
        return {"id": "chatcmpl-" + self.id, "object": "chat.completion",
                "created": CREATED, "model": self.model,
                "choices": [{"index": 0, "message": message,
                             "logprobs": None,
                             "finish_reason": self.finish}],
                "usage": self.usage_openai(),
                "system_fingerprint": "fp_fake"}

    def doc_completions(self):
        return {"id": "cmpl-" + self.id, "object": "text_completion",
                "created": CREATED, "model": self.model,
                "choices": [{"index": 0, "text": self.text(),
                             "logprobs": None,
                             "finish_reason": self.finish}],
                "usage": self.usage_openai()}

    def doc_embeddings(self):
        return {"object": "list",
                "data": [{"object": "embedding", "index": 0,
                          "embedding": [0.125, -0.5, 1e-05]}],
                "model": self.model,
                "usage": {"prompt_tokens": self.usage["in"],
                          "total_tokens": self.usage["in"]}}

    def response_object(self, status, output):
        return {"id": "resp_" + self.id, "object": "response",
                "created_at": CREATED, "status": status, "error": None,
                "incomplete_details": None, "model": self.model,
                "output": output, "parallel_tool_calls": True,
                "tool_choice": "auto", "tools": [],
                "text": {"format": {"type": "text"}},
                "usage": None if status == "in_progress"
                else self.usage_responses(), "metadata": {}}

    def response_item(self, status):
        part = {"type": "output_text", "annotations": [],
                "text": self.text()}
        return {"id": "msg_" + self.id, "type": "message",
                "status": status, "role": "assistant",
                "content": [part] if status == "completed" else []}

    def doc_responses(self):
        return self.response_object("completed",
                                    [self.response_item("completed")])

    def doc_messages(self):
        content = [{"type": "text", "text": self.text()}]
        for t in self.tools:
            content.append({"type": "tool_use", "id": t["id"],
                            "name": t["function"]["name"],
                            "input": json.loads(
                                t["function"]["arguments"])})
        return {"id": "msg_" + self.id, "type": "message",
                "role": "assistant", "model": self.model,
                "content": content,
                "stop_reason": FINISH[self.finish][0],
                "stop_sequence": None, "usage": self.usage_anthropic()}

    def doc_count(self):
        return {"input_tokens": self.usage["in"]}

    def doc_gemini(self):
        parts = [{"text": self.text()}]
        for t in self.tools:
            parts.append({"functionCall": {
                "name": t["function"]["name"],
                "args": json.loads(t["function"]["arguments"])}})
        return {"candidates": [{"content": {"role": "model",
                                            "parts": parts},
                                "finishReason": FINISH[self.finish][1],
                                "index": 0}],
                "usageMetadata": self.usage_gemini(),
                "modelVersion": self.model, "responseId": self.id}

    doc_gemini_stream = doc_gemini

    def doc_gemini_count(self):
        return {"totalTokens": self.usage["in"]}

    def doc_gemini_embed(self):
        return {"embedding": {"values": [0.125, -0.5]}}

    def doc_models(self):
        return {"object": "list",
                "data": [{"id": "fake-model", "object": "model",
                          "created": CREATED, "owned_by": "fake"}]}

    def doc_other(self):
        return {"object": "other", "ok": True, "id": self.id}

    # streams

    def events(self):
        name = self.surface.replace("-", "_")
        return list(getattr(self, "ev_" + name)())

    def chat_chunk(self, delta, finish=None, **more):
        obj = {"id": "chatcmpl-" + self.id,
               "object": "chat.completion.chunk", "created": CREATED,
               "model": self.model, "system_fingerprint": "fp_fake",
               "choices": [{"index": 0, "delta": delta, "logprobs": None,
                            "finish_reason": finish}]}
        obj.update(more)
        return obj

    def ev_chat(self):
        extra = {"usage": None} if self.want_usage else {}
        yield Ev("open", self.chat_chunk(
            {"role": "assistant", "content": ""}, **extra))
        for t in self.tools:
            first = {"index": 0, "id": t["id"], "type": "function",
                     "function": {"name": t["function"]["name"],
                                  "arguments": ""}}
            yield Ev("delta", self.chat_chunk({"tool_calls": [first]}))
            args = t["function"]["arguments"]
            for i in range(0, len(args), 7):
                yield Ev("delta", self.chat_chunk({"tool_calls": [{
                    "index": 0, "function": {
                        "arguments": args[i:i + 7]}}]}))
        if not self.tools:
            for p in self.pieces:
                yield Ev("delta", self.chat_chunk({"content": p}, **extra))
        yield Ev("finish", self.chat_chunk({}, self.finish, **extra))
        if self.want_usage:
            obj = self.chat_chunk({}, usage=self.usage_openai())
            obj["choices"] = []
            yield Ev("usage", obj)
        yield Ev("done", "[DONE]")

    def ev_completions(self):
        def chunk(text, finish=None, **more):
            obj = {"id": "cmpl-" + self.id, "object": "text_completion",
                   "created": CREATED, "model": self.model,
                   "choices": [{"index": 0, "text": text,
                                "logprobs": None,
                                "finish_reason": finish}]}
            obj.update(more)
            return obj
        for p in self.pieces:
            yield Ev("delta", chunk(p))
        yield Ev("finish", chunk("", self.finish))
        if self.want_usage:
            obj = chunk("", usage=self.usage_openai())
            obj["choices"] = []
            yield Ev("usage", obj)
        yield Ev("done", "[DONE]")

    def ev_responses(self):
        seq = [-1]

        def ev(kind, name, **obj):
            seq[0] += 1
            full = {"type": name, "sequence_number": seq[0]}
            full.update(obj)
            return Ev(kind, full, name)
        where = {"item_id": "msg_" + self.id, "output_index": 0,
                 "content_index": 0}
        part = {"type": "output_text", "annotations": [], "text": ""}
        opened = self.response_object("in_progress", [])
        yield ev("open", "response.created", response=opened)
        yield ev("open", "response.in_progress", response=opened)
        yield ev("open", "response.output_item.added", output_index=0,
                 item=self.response_item("in_progress"))
        yield ev("open", "response.content_part.added", part=part, **where)
        for p in self.pieces:
            yield ev("delta", "response.output_text.delta", delta=p,
                     **where)
        yield ev("finish", "response.output_text.done", text=self.text(),
                 **where)
        yield ev("finish", "response.content_part.done",
                 part=dict(part, text=self.text()), **where)
        yield ev("finish", "response.output_item.done", output_index=0,
                 item=self.response_item("completed"))
        yield ev("done", "response.completed", response=self.doc_responses())

    def ev_messages(self):
        def ev(kind, name, **obj):
            return Ev(kind, dict({"type": name}, **obj), name)
        start = dict(self.doc_messages(), content=[], stop_reason=None)
        start["usage"] = dict(self.usage_anthropic(), output_tokens=1)
        yield ev("open", "message_start", message=start)
        yield ev("open", "content_block_start", index=0,
                 content_block={"type": "text", "text": ""})
        yield ev("open", "ping")
        for p in self.pieces:
            yield ev("delta", "content_block_delta", index=0,
                     delta={"type": "text_delta", "text": p})
        yield ev("finish", "content_block_stop", index=0)
        for t in self.tools:
            args = t["function"]["arguments"]
            yield ev("delta", "content_block_start", index=1,
                     content_block={"type": "tool_use", "id": t["id"],
                                    "name": t["function"]["name"],
                                    "input": {}})
            for i in range(0, len(args), 7):
                yield ev("delta", "content_block_delta", index=1,
                         delta={"type": "input_json_delta",
                                "partial_json": args[i:i + 7]})
            yield ev("finish", "content_block_stop", index=1)
        yield ev("finish", "message_delta",
                 delta={"stop_reason": FINISH[self.finish][0],
                        "stop_sequence": None},
                 usage=self.usage_anthropic())
        yield ev("done", "message_stop")

    def ev_gemini_stream(self):
        last = len(self.pieces) - 1
        for i, p in enumerate(self.pieces):
            cand = {"content": {"role": "model", "parts": [{"text": p}]},
                    "index": 0}
            kind = "delta"
            if i == last:
                cand["finishReason"] = FINISH[self.finish][1]
                kind = "finish"
            usage = self.usage_gemini()
            usage["candidatesTokenCount"] = min(i + 1, self.usage["out"])
            usage["totalTokenCount"] = (usage["promptTokenCount"]
                                        + usage["candidatesTokenCount"])
            yield Ev(kind, {"candidates": [cand], "usageMetadata": usage,
                            "modelVersion": self.model,
                            "responseId": self.id})

    def error_event(self, message="Overloaded", status=529):
        """The error event that the dialect has for a running stream."""
        body = error_body(self.surface, status, message)
        if family(self.surface) == "anthropic":
            body.pop("request_id")
            return Ev("error", body, "error")
        if self.surface == "responses":
            return Ev("error", {"type": "error", "code": "server_error",
                                "message": message, "param": None,
                                "sequence_number": 0}, "error")
        return Ev("error", body)

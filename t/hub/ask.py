# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Requests: writes one in the words of each client, and reads what each
# provider would understand, rules of the providers included.  Independent of
# the module's code, as oracle.py is.

import json
import re

from oracle import arr, canon, loads, obj, text_of

NAME = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


def dump(v, ascii=True):
    """JSON text; numbers as they were spelt"""
    if isinstance(v, dict):
        return "{%s}" % ",".join("%s:%s" % (
            json.dumps(k, ensure_ascii=ascii), dump(x, ascii))
            for k, x in v.items())
    if isinstance(v, list):
        return "[%s]" % ",".join(dump(x, ascii) for x in v)
    if hasattr(v, "raw"):
        return v.raw
    return json.dumps(v, ensure_ascii=ascii)


# ---------------------------------------------------------------- writers
#
# A request to write is a dictionary: system, msgs [(role, [part...])],
# tools [(name, description, schema)], choice, and members by their OpenAI
# names.  Parts: ("text", s), ("image", type, base64), ("url", url),
# ("call", id, name, arguments as JSON text), ("result", id, text, failed),
# ("pdf", base64, name).

def write_chat(r):
    out = {"model": "hub-model", "messages": []}
    msgs = out["messages"]
    if r.get("system"):
        msgs.append({"role": r.get("system_role", "system"),
                     "content": r["system"]})
    for role, parts in r["msgs"]:
        if role == "system":
            msgs.append({"role": "system", "content": parts[0][1]})
            continue
        if role == "assistant":
            m = {"role": "assistant", "content": None}
            t = [p[1] for p in parts if p[0] == "text"]
            if len(t) == 1:
                m["content"] = t[0]
            elif t:
                m["content"] = [{"type": "text", "text": x} for x in t]
            calls = [{"id": p[1], "type": "function",
                      "function": {"name": p[2], "arguments": p[3]}}
                     for p in parts if p[0] == "call"]
            if calls:
                m["tool_calls"] = calls
            msgs.append(m)
            continue
        rest = []
        for p in parts:
            if p[0] == "result":
                msgs.append({"role": "tool", "tool_call_id": p[1],
                             "content": p[2]})
            elif p[0] == "text":
                rest.append({"type": "text", "text": p[1]})
            elif p[0] == "image":
                rest.append({"type": "image_url", "image_url": {
                    "url": "data:%s;base64,%s" % (p[1], p[2])}})
            elif p[0] == "url":
                rest.append({"type": "image_url",
                             "image_url": {"url": p[1]}})
            elif p[0] == "pdf":
                rest.append({"type": "file", "file": {
                    "file_data": "data:application/pdf;base64," + p[1],
                    "filename": p[2]}})
        if len(rest) == 1 and rest[0]["type"] == "text":
            rest = rest[0]["text"]
        if rest:
            msgs.append({"role": "user", "content": rest})
    if r.get("tools"):
        out["tools"] = []
        for name, description, schema in r["tools"]:
            f = {"name": name}
            if description is not None:
                f["description"] = description
            if schema is not None:
                f["parameters"] = schema
            out["tools"].append({"type": "function", "function": f})
    c = r.get("choice")
    if c:
        out["tool_choice"] = c if isinstance(c, str) else {
            "type": "function", "function": {"name": c[0]}}
    if r.get("schema"):
        out["response_format"] = {"type": "json_schema", "json_schema": {
            "name": "out", "schema": r["schema"], "strict": True}}
    elif r.get("json"):
        out["response_format"] = {"type": "json_object"}
    for k in ("temperature", "top_p", "seed", "presence_penalty",
              "frequency_penalty", "n", "stop", "user", "logprobs",
              "parallel_tool_calls", "reasoning_effort", "metadata"):
        if k in r:
            out[k] = r[k]
    if "max" in r:
        out[r.get("max_name", "max_tokens")] = r["max"]
    return out


def write_responses(r):
    out = {"model": "hub-model", "input": []}
    items = out["input"]
    if r.get("system"):
        out["instructions"] = r["system"]
    for role, parts in r["msgs"]:
        if role == "system":
            items.append({"role": "developer", "content": parts[0][1]})
            continue
        rest = []

        def flush():
            if rest:
                items.append({"type": "message", "role": role,
                              "content": list(rest)})
                del rest[:]

        for p in parts:
            if p[0] == "text":
                rest.append({"type": "output_text" if role == "assistant"
                             else "input_text", "text": p[1]})
                if role == "assistant":
                    rest[-1]["annotations"] = []
            elif p[0] == "image":
                rest.append({"type": "input_image", "image_url":
                             "data:%s;base64,%s" % (p[1], p[2])})
            elif p[0] == "url":
                rest.append({"type": "input_image", "image_url": p[1]})
            elif p[0] == "pdf":
                rest.append({"type": "input_file", "filename": p[2],
                             "file_data": "data:application/pdf;base64,"
                             + p[1]})
            elif p[0] == "call":
                flush()
                items.append({"type": "function_call", "call_id": p[1],
                              "name": p[2], "arguments": p[3]})
            elif p[0] == "result":
                flush()
                items.append({"type": "function_call_output",
                              "call_id": p[1], "output": p[2]})
        flush()
    if r.get("tools"):
        out["tools"] = []
        for name, description, schema in r["tools"]:
            t = {"type": "function", "name": name}
            if description is not None:
                t["description"] = description
            t["parameters"] = schema
            out["tools"].append(t)
    c = r.get("choice")
    if c:
        out["tool_choice"] = c if isinstance(c, str) else {
            "type": "function", "name": c[0]}
    if r.get("schema"):
        out["text"] = {"format": {"type": "json_schema", "name": "out",
                                  "schema": r["schema"], "strict": True}}
    elif r.get("json"):
        out["text"] = {"format": {"type": "json_object"}}
    for k in ("temperature", "top_p", "user", "parallel_tool_calls",
              "metadata"):
        if k in r:
            out[k] = r[k]
    if "max" in r:
        out["max_output_tokens"] = r["max"]
    if "reasoning_effort" in r:
        out["reasoning"] = {"effort": r["reasoning_effort"]}
    return out


def write_messages(r):
    out = {"model": "hub-model", "max_tokens": r.get("max", 1000),
           "messages": []}
    if r.get("system"):
        out["system"] = r["system"] if not r.get("blocks") else [
            {"type": "text", "text": r["system"],
             "cache_control": {"type": "ephemeral"}}]
    for role, parts in r["msgs"]:
        if role == "system":
            out["messages"].append({"role": "system",
                                    "content": parts[0][1]})
            continue
        blocks = []
        for p in parts:
            if p[0] == "text":
                blocks.append({"type": "text", "text": p[1]})
            elif p[0] == "image":
                blocks.append({"type": "image", "source": {
                    "type": "base64", "media_type": p[1], "data": p[2]}})
            elif p[0] == "url":
                blocks.append({"type": "image", "source": {
                    "type": "url", "url": p[1]}})
            elif p[0] == "pdf":
                blocks.append({"type": "document", "source": {
                    "type": "base64", "media_type": "application/pdf",
                    "data": p[1]}, "title": p[2]})
            elif p[0] == "call":
                blocks.append({"type": "tool_use", "id": p[1],
                               "name": p[2], "input": loads(p[3] or "{}")})
            elif p[0] == "result":
                b = {"type": "tool_result", "tool_use_id": p[1],
                     "content": [{"type": "text", "text": p[2]}]
                     if r.get("blocks") else p[2]}
                if p[3]:
                    b["is_error"] = True
                blocks.append(b)
        if len(blocks) == 1 and blocks[0]["type"] == "text" \
                and not r.get("blocks"):
            blocks = blocks[0]["text"]
        out["messages"].append({"role": role, "content": blocks})
    if r.get("tools"):
        out["tools"] = []
        for name, description, schema in r["tools"]:
            t = {"name": name, "input_schema":
                 schema or {"type": "object", "properties": {}}}
            if description is not None:
                t["description"] = description
            out["tools"].append(t)
    c = r.get("choice")
    if c:
        out["tool_choice"] = {"type": {"auto": "auto", "none": "none",
                                       "required": "any"}[c]} \
            if isinstance(c, str) else {"type": "tool", "name": c[0]}
    if "parallel_tool_calls" in r:
        out.setdefault("tool_choice", {"type": "auto"})[
            "disable_parallel_tool_use"] = not r["parallel_tool_calls"]
    if r.get("schema"):
        out["output_config"] = {"format": {"type": "json_schema",
                                           "schema": r["schema"]}}
    for k in ("temperature", "top_p", "top_k"):
        if k in r:
            out[k] = r[k]
    if "stop" in r:
        out["stop_sequences"] = r["stop"] if isinstance(r["stop"], list) \
            else [r["stop"]]
    if "reasoning_effort" in r:
        e = r["reasoning_effort"]
        out["thinking"] = {"type": "disabled"} if e == "none" else {
            "type": "enabled", "budget_tokens":
            {"low": 1024, "medium": 2048, "high": 4096}[e]}
        out["max_tokens"] = r.get("max", 9000)
    if "user" in r:
        out["metadata"] = {"user_id": r["user"]}
    return out


def write_generate(r):
    out = {"contents": []}
    if r.get("system"):
        out["systemInstruction"] = {"parts": [{"text": r["system"]}]}
    names = {}
    for role, parts in r["msgs"]:
        if role == "system":
            continue
        ps, results = [], []
        for p in parts:
            if p[0] == "text":
                ps.append({"text": p[1]})
            elif p[0] == "image":
                ps.append({"inlineData": {"mimeType": p[1],
                                          "data": p[2]}})
            elif p[0] == "url":
                ps.append({"fileData": {"mimeType": "image/png",
                                        "fileUri": p[1]}})
            elif p[0] == "pdf":
                ps.append({"inlineData": {"mimeType": "application/pdf",
                                          "data": p[1]}})
            elif p[0] == "call":
                names[p[1]] = p[2]
                f = {"name": p[2], "args": loads(p[3] or "{}")}
                if r.get("ids"):
                    f["id"] = p[1]
                ps.append({"functionCall": f})
            elif p[0] == "result":
                try:
                    v = loads(p[2])
                except ValueError:
                    v = None
                if not isinstance(v, dict):
                    v = {"error" if p[3] else "result": p[2]}
                f = {"name": names.get(p[1], p[1]), "response": v}
                if r.get("ids"):
                    f["id"] = p[1]
                results.append({"functionResponse": f})
        if results:
            out["contents"].append({"role": "user", "parts": results})
        if ps:
            out["contents"].append({"role": "model" if role == "assistant"
                                    else "user", "parts": ps})
    if r.get("tools"):
        fs = []
        for name, description, schema in r["tools"]:
            f = {"name": name}
            if description is not None:
                f["description"] = description
            if schema is not None:
                f["parametersJsonSchema"] = schema
            fs.append(f)
        out["tools"] = [{"functionDeclarations": fs}]
    c = r.get("choice")
    if c:
        f = {"mode": {"auto": "AUTO", "none": "NONE",
                      "required": "ANY"}[c]} if isinstance(c, str) else {
            "mode": "ANY", "allowedFunctionNames": [c[0]]}
        out["toolConfig"] = {"functionCallingConfig": f}
    g = {}
    for k, name in (("temperature", "temperature"), ("top_p", "topP"),
                    ("top_k", "topK"), ("seed", "seed"),
                    ("n", "candidateCount"), ("max", "maxOutputTokens"),
                    ("presence_penalty", "presencePenalty"),
                    ("frequency_penalty", "frequencyPenalty")):
        if k in r:
            g[name] = r[k]
    if "stop" in r:
        g["stopSequences"] = r["stop"] if isinstance(r["stop"], list) \
            else [r["stop"]]
    if r.get("schema"):
        g["responseMimeType"] = "application/json"
        g["responseJsonSchema"] = r["schema"]
    elif r.get("json"):
        g["responseMimeType"] = "application/json"
    if "reasoning_effort" in r:
        e = r["reasoning_effort"]
        g["thinkingConfig"] = {"thinkingBudget": {
            "none": 0, "low": 1024, "medium": 2048, "high": 4096}[e]}
    if g:
        out["generationConfig"] = g
    return out


def write_cohere(r):
    out = {"model": "hub-model", "messages": []}
    msgs = out["messages"]
    if r.get("system"):
        msgs.append({"role": "system", "content": r["system"]})
    for role, parts in r["msgs"]:
        if role == "system":
            msgs.append({"role": "system", "content": parts[0][1]})
            continue
        if role == "assistant":
            m = {"role": "assistant"}
            t = [{"type": "text", "text": p[1]} for p in parts
                 if p[0] == "text"]
            calls = [{"id": p[1], "type": "function", "function": {
                "name": p[2], "arguments": p[3]}}
                for p in parts if p[0] == "call"]
            if calls:
                m["tool_calls"] = calls
            if t:
                m["content"] = t
            msgs.append(m)
            continue
        rest = []
        for p in parts:
            if p[0] == "text":
                rest.append({"type": "text", "text": p[1]})
            elif p[0] in ("image", "url"):
                rest.append({"type": "image_url", "image_url": {
                    "url": p[1] if p[0] == "url" else
                    "data:%s;base64,%s" % (p[1], p[2])}})
            elif p[0] == "result":
                msgs.append({"role": "tool", "tool_call_id": p[1],
                             "content": [{"type": "document", "document":
                                          {"data": p[2]}}]
                             if r.get("blocks") else p[2]})
        if len(rest) == 1 and rest[0]["type"] == "text":
            rest = rest[0]["text"]
        if rest:
            msgs.append({"role": "user", "content": rest})
    if r.get("tools"):
        out["tools"] = []
        for name, description, schema in r["tools"]:
            f = {"name": name, "parameters":
                 schema or {"type": "object", "properties": {}}}
            if description is not None:
                f["description"] = description
            out["tools"].append({"type": "function", "function": f})
    c = r.get("choice")
    if c in ("none", "required"):
        out["tool_choice"] = c.upper()
    if r.get("schema"):
        out["response_format"] = {"type": "json_object",
                                  "json_schema": r["schema"]}
    elif r.get("json"):
        out["response_format"] = {"type": "json_object"}
    for k, name in (("temperature", "temperature"), ("top_p", "p"),
                    ("top_k", "k"), ("seed", "seed"), ("max", "max_tokens"),
                    ("presence_penalty", "presence_penalty"),
                    ("frequency_penalty", "frequency_penalty")):
        if k in r:
            out[name] = r[k]
    if "stop" in r:
        out["stop_sequences"] = r["stop"] if isinstance(r["stop"], list) \
            else [r["stop"]]
    if "reasoning_effort" in r:
        e = r["reasoning_effort"]
        out["thinking"] = {"type": "disabled"} if e == "none" else {
            "type": "enabled", "token_budget":
            {"low": 1024, "medium": 2048, "high": 4096}[e]}
    return out


def write_converse(r):
    out = {"messages": []}
    if r.get("system"):
        out["system"] = [{"text": r["system"]}]
    for role, parts in r["msgs"]:
        if role == "system":
            continue
        blocks = []
        for p in parts:
            if p[0] == "text":
                blocks.append({"text": p[1]})
            elif p[0] == "image":
                blocks.append({"image": {"format": p[1].split("/")[1],
                                         "source": {"bytes": p[2]}}})
            elif p[0] == "pdf":
                blocks.append({"document": {
                    "format": "pdf", "name": p[2].replace(".", " "),
                    "source": {"bytes": p[1]}}})
            elif p[0] == "call":
                blocks.append({"toolUse": {"toolUseId": p[1], "name": p[2],
                                           "input": loads(p[3] or "{}")}})
            elif p[0] == "result":
                try:
                    v = loads(p[2])
                except ValueError:
                    v = None
                x = {"json": v} if isinstance(v, dict) else {"text": p[2]}
                blocks.append({"toolResult": {
                    "toolUseId": p[1], "content": [x],
                    "status": "error" if p[3] else "success"}})
        out["messages"].append({"role": role, "content": blocks})
    if r.get("tools"):
        specs = []
        for name, description, schema in r["tools"]:
            s = {"name": name, "inputSchema": {
                "json": schema or {"type": "object", "properties": {}}}}
            if description is not None:
                s["description"] = description
            specs.append({"toolSpec": s})
        out["toolConfig"] = {"tools": specs}
        c = r.get("choice")
        if c and c != "none":
            out["toolConfig"]["toolChoice"] = \
                {{"auto": "auto", "required": "any"}[c]: {}} \
                if isinstance(c, str) else {"tool": {"name": c[0]}}
    g = {}
    for k, name in (("temperature", "temperature"), ("top_p", "topP"),
                    ("max", "maxTokens")):
        if k in r:
            g[name] = r[k]
    if "stop" in r:
        g["stopSequences"] = r["stop"] if isinstance(r["stop"], list) \
            else [r["stop"]]
    if g:
        out["inferenceConfig"] = g
    if r.get("schema"):
        out["outputConfig"] = {"textFormat": {
            "type": "json_schema", "structure": {"jsonSchema": {
                "name": "out", "schema": dump(r["schema"])}}}}
    return out


WRITERS = {"chat": write_chat, "responses": write_responses,
           "messages": write_messages, "generate": write_generate,
           "cohere": write_cohere, "converse": write_converse}


# ---------------------------------------------------------------- readers

class Ask:
    """what is asked of a model"""

    def __init__(self):
        self.system = []
        self.turns = []         # [role, [part...]]
        self.tools = []         # (name, description, canonical schema)
        self.choice = None
        self.parallel = None
        self.format = None      # ("json",) or ("schema", canonical)
        self.params = {}        # by OpenAI name
        self.thinking = None    # an effort or a budget was asked
        self.problems = []

    def bad(self, text):
        self.problems.append(text)

    def check(self, ok, text):
        if not ok:
            self.bad(text)
        return ok

    def add(self, role, part):
        if not self.turns or self.turns[-1][0] != role:
            self.turns.append([role, []])
        self.turns[-1][1].append(part)

    def param(self, name, v):
        if v is not None:
            self.params[name] = canon(v)

    def calls(self):
        return [p for _, parts in self.turns for p in parts
                if p[0] == "call"]

    def results(self):
        return [p for _, parts in self.turns for p in parts
                if p[0] == "result"]


def parts_of(v):
    return [{"type": "text", "text": v}] if isinstance(v, str) else arr(v)


def data_url(s):
    m = re.match(r"^data:([^;,]*)((?:;[^,]*)?),(.*)$", s, re.S)
    if m:
        return ("image", m.group(1), m.group(3))
    return ("url", s)


def args_of(a, v):
    """canonical arguments"""
    if isinstance(v, str):
        if not v.strip():
            return "{}"
        try:
            return canon(loads(v))
        except ValueError:
            return v
    return canon(v)


def schema_of(v):
    if not v or (obj(v).get("type") == "object" and not v.get("properties")
                 and len(v) <= 2):
        return "{}"
    return canon(v)


def base64_of(s):
    """one spelling of base64"""
    s = "".join(text_of(s).split())
    return s.replace("-", "+").replace("_", "/").rstrip("=")


def content_part(a, p):
    """a part of OpenAI's or Cohere's"""
    t = p.get("type")
    if t in ("text", "input_text", "output_text"):
        a.check(p.get("text") != "", "an empty text")
        return ("text", text_of(p.get("text")))
    if t == "refusal":
        return ("text", text_of(p.get("refusal")))
    if t == "image_url":
        u = p.get("image_url")
        return data_url(u if isinstance(u, str)
                        else text_of(obj(u).get("url")))
    if t == "input_image":
        return data_url(text_of(p.get("image_url")))
    if t in ("file", "input_file"):
        f = obj(p.get("file")) if t == "file" else p
        d = text_of(f.get("file_data"))
        if d:
            d = data_url(d)
            return ("file",) + d[1:]
        if f.get("file_url"):
            return ("url", f["file_url"])
        return ("file", "id", text_of(f.get("file_id")))
    if t == "input_audio":
        d = p.get("input_audio")
        return ("audio", "", d if isinstance(d, str)
                else text_of(obj(d).get("data")))
    if t == "document_url":
        d = data_url(text_of(p.get("document_url")))
        return d if d[0] == "url" else ("file",) + d[1:]
    return ("other", t)


def chat_tools(a, tools):
    for t in tools:
        t = obj(t)
        if t.get("type", "function") != "function":
            a.tools.append((t.get("type"), None, "server"))
            continue
        f = obj(t.get("function")) or t
        a.check(NAME.match(text_of(f.get("name"))), "name of a tool: %r"
                % f.get("name"))
        a.tools.append((f.get("name"), f.get("description"),
                        schema_of(f.get("parameters"))))


def choice_of(v):
    if isinstance(v, str):
        return v.lower()
    v = obj(v)
    name = obj(v.get("function")).get("name") or v.get("name")
    if v.get("type", "function") == "function" and name:
        return ("name", name)
    return v.get("type")


def read_chat(r):
    a = Ask()
    waiting, late = [], []
    a.check(r.get("messages"), "no messages")
    for m in arr(r.get("messages")):
        m = obj(m)
        role = m.get("role")
        if role in ("system", "developer"):
            for p in parts_of(m.get("content")):
                a.system.append(text_of(obj(p).get("text")))
            if a.turns:
                a.add("system", ("text", a.system[-1]))
            continue
        if role == "tool":
            id = m.get("tool_call_id")
            a.check(id in waiting, "a result of no call: %r" % id)
            if id in waiting:
                waiting.remove(id)
            a.check(m.get("content") is not None, "a result without content")
            text = "".join(text_of(obj(p).get("text"))
                           for p in parts_of(m.get("content")))
            a.add("tool", ("result", id, text, None))
            for p in parts_of(m.get("content")):
                if not a.check(obj(p).get("type") == "text",
                               "a result of type %r" % obj(p).get("type")):
                    late.append(content_part(a, obj(p)))
            continue
        for p in late:
            a.add("user", p)
        late = []
        a.check(not waiting, "calls without results: %s" % waiting)
        a.check(role in ("user", "assistant"), "role %r" % role)
        content = m.get("content")
        calls = arr(m.get("tool_calls"))
        a.check(content not in ([], "") or calls, "a message of nothing")
        a.check(content is not None or calls or m.get("refusal"),
                "content is null")
        for p in parts_of(content):
            a.add(role, content_part(a, obj(p)))
        if role == "assistant":
            if m.get("refusal"):
                a.add(role, ("text", m["refusal"]))
            a.check(m.get("tool_calls") != [], "tool_calls is empty")
            for t in calls:
                t = obj(t)
                if t.get("type") == "custom":
                    f = obj(t.get("custom"))
                    a.add(role, ("call", t.get("id"), f.get("name"),
                                 canon({"input": f.get("input")})))
                    continue
                f = obj(t.get("function"))
                a.check(t.get("id") and t.get("type") == "function",
                        "a call without id or type")
                a.check(isinstance(f.get("arguments"), str),
                        "arguments are no string")
                a.add(role, ("call", t.get("id"), f.get("name"),
                             args_of(a, f.get("arguments"))))
            waiting = [obj(t).get("id") for t in calls]
        else:
            a.check(content is not None, "a user's content is null")
    for p in late:
        a.add("user", p)
    a.check(r.get("tools") != [], "tools is empty")
    chat_tools(a, arr(r.get("tools")))
    if "tool_choice" in r:
        a.check(a.tools, "tool_choice without tools")
        a.choice = choice_of(r["tool_choice"])
    f = obj(r.get("response_format"))
    if f.get("type") == "json_object":
        a.format = ("json",)
    elif f.get("type") == "json_schema":
        j = obj(f.get("json_schema"))
        a.check(NAME.match(text_of(j.get("name"))), "name of a schema")
        a.format = ("schema", canon(j.get("schema")))
    for k in ("temperature", "top_p", "top_k", "seed", "presence_penalty",
              "frequency_penalty", "n", "logprobs", "user",
              "parallel_tool_calls"):
        a.param(k, r.get(k))
    a.param("max", r.get("max_completion_tokens", r.get("max_tokens")))
    if r.get("stop") is not None:
        s = r["stop"]
        a.param("stop", s if isinstance(s, list) else [s])
    more = obj(r.get("reasoning"))
    a.thinking = r.get("reasoning_effort",
                       more.get("effort", more.get("max_tokens")))
    a.stream = r.get("stream")
    if a.stream:
        a.check(obj(r.get("stream_options")).get("include_usage") is True,
                "no include_usage")
    return a


def read_responses(r):
    a = Ask()
    waiting, late = set(), []
    if r.get("instructions"):
        a.system.append(r["instructions"])
    for m in (parts_of(r.get("input")) if not isinstance(
            r.get("input"), str) else
            [{"role": "user", "content": r["input"]}]):
        m = obj(m)
        t = m.get("type", "message")
        if t == "message":
            role = m.get("role")
            if role in ("system", "developer"):
                for p in parts_of(m.get("content")):
                    a.system.append(text_of(obj(p).get("text")))
                if a.turns:
                    a.add("system", ("text", a.system[-1]))
                continue
            a.check(role in ("user", "assistant"), "role %r" % role)
            for p in parts_of(m.get("content")):
                p = obj(p)
                if isinstance(m.get("content"), list):
                    a.check((p.get("type") in ("output_text", "refusal"))
                            == (role == "assistant"), "%s of %s"
                            % (p.get("type"), role))
                a.add(role, content_part(a, p))
        elif t == "function_call":
            a.check(m.get("call_id"), "a call without call_id")
            a.check(isinstance(m.get("arguments"), str),
                    "arguments are no string")
            waiting.add(m.get("call_id"))
            a.add("assistant", ("call", m.get("call_id"), m.get("name"),
                                args_of(a, m.get("arguments"))))
        elif t == "custom_tool_call":
            waiting.add(m.get("call_id"))
            a.add("assistant", ("call", m.get("call_id"), m.get("name"),
                                canon({"input": m.get("input")})))
        elif t in ("function_call_output", "custom_tool_call_output"):
            a.check(m.get("call_id") in waiting, "a result of no call")
            a.add("tool", ("result", m.get("call_id"), "".join(
                text_of(obj(p).get("text"))
                for p in parts_of(m.get("output"))), None))
            for p in parts_of(m.get("output")):
                if obj(p).get("type") not in ("text", "input_text",
                                              "output_text"):
                    late.append(content_part(a, obj(p)))
            continue
        if not t.endswith("_output"):
            for p in late:
                a.add("user", p)
            late = []
    for p in late:
        a.add("user", p)
    a.check(r.get("input"), "no input")
    chat_tools(a, arr(r.get("tools")))
    if "tool_choice" in r:
        a.check(a.tools, "tool_choice without tools")
        a.choice = choice_of(r["tool_choice"])
    f = obj(obj(r.get("text")).get("format"))
    if f.get("type") == "json_object":
        a.format = ("json",)
    elif f.get("type") == "json_schema":
        a.check(NAME.match(text_of(f.get("name"))), "name of a schema")
        a.format = ("schema", canon(f.get("schema")))
    for k in ("temperature", "top_p", "user", "parallel_tool_calls"):
        a.param(k, r.get(k))
    a.param("max", r.get("max_output_tokens"))
    a.thinking = obj(r.get("reasoning")).get("effort")
    a.stream = r.get("stream")
    for k in ("stop", "seed", "n", "top_k", "max_tokens", "messages"):
        a.check(k not in r, "%s is no member of this API" % k)
    return a


def anthropic_media(t, s):
    if s.get("type") == "url":
        return ("url", s.get("url"))
    kind = "image" if t == "image" else "file"
    if s.get("type") in ("base64", "text"):
        return (kind, s.get("media_type"), s.get("data"))
    return ("other", s.get("type"))


def anthropic_result(a, b, media):
    text = ""
    for p in parts_of(b.get("content")):
        p = obj(p)
        if p.get("type") == "text":
            a.check(p.get("text") != "", "an empty text in a result")
            text += text_of(p.get("text"))
        else:
            media.append(anthropic_media(p.get("type"),
                                         obj(p.get("source"))))
    return ("result", b.get("tool_use_id"), text, bool(b.get("is_error")))


def read_messages(r):
    a = Ask()
    for p in parts_of(r.get("system")):
        a.check(obj(p).get("text") != "", "an empty system text")
        a.system.append(text_of(obj(p).get("text")))
    last, waiting = None, []
    for m in arr(r.get("messages")):
        m = obj(m)
        role = m.get("role")
        if role == "system":
            a.add("system", ("text", "".join(
                text_of(obj(p).get("text"))
                for p in parts_of(m.get("content")))))
            a.system.append(a.turns[-1][1][-1][1])
            continue
        a.check(role != last, "two messages of %s" % role)
        a.check(last is not None or role == "user",
                "the first message is not the user's")
        last = role
        blocks = parts_of(m.get("content"))
        a.check(blocks, "a message of nothing")
        texts, late = False, []
        for b in blocks:
            b = obj(b)
            t = b.get("type")
            if t == "tool_result":
                a.check(role == "user", "a result of the assistant")
                a.check(b.get("tool_use_id") in waiting,
                        "a result of no call: %r" % b.get("tool_use_id"))
                a.check(not texts, "a result behind a text")
                if b.get("tool_use_id") in waiting:
                    waiting.remove(b["tool_use_id"])
                media = []
                a.add("tool", anthropic_result(a, b, media))
                for m in media:
                    late.append(m)
                continue
            texts = True
            if t == "text":
                a.check(b.get("text", "").strip() != "", "an empty text")
                a.add(role, ("text", text_of(b.get("text"))))
            elif t in ("image", "document"):
                a.add(role, anthropic_media(t, obj(b.get("source"))))
            elif t == "tool_use":
                a.check(isinstance(b.get("input"), dict),
                        "input is no object")
                a.add(role, ("call", b.get("id"), b.get("name"),
                             args_of(a, b.get("input"))))
            elif t in ("thinking", "redacted_thinking"):
                a.check(b.get("signature") or b.get("data"),
                        "thinking without signature")
        # pictures within results stand behind them elsewhere
        for p in late:
            a.add(role, p)
        a.check(role == "assistant" or not waiting,
                "calls without results: %s" % waiting)
        waiting = [b.get("id") for b in blocks
                   if b.get("type") == "tool_use"]
    a.check(a.turns, "no messages")
    for t in arr(r.get("tools")):
        t = obj(t)
        if t.get("type", "custom") != "custom":
            a.tools.append((t.get("type"), None, "server"))
            continue
        a.check(re.match(r"^[A-Za-z0-9_-]{1,128}$", text_of(t.get("name"))),
                "name of a tool")
        a.check(obj(t.get("input_schema")).get("type") == "object",
                "a schema that is no object's")
        a.tools.append((t.get("name"), t.get("description"),
                        schema_of(t.get("input_schema"))))
    c = obj(r.get("tool_choice"))
    if c:
        a.check(a.tools, "tool_choice without tools")
        a.choice = {"auto": "auto", "any": "required",
                    "none": "none"}.get(c.get("type")) \
            or ("name", c.get("name"))
        if "disable_parallel_tool_use" in c:
            a.param("parallel_tool_calls",
                    not c["disable_parallel_tool_use"])
    f = obj(obj(r.get("output_config")).get("format")) \
        or obj(r.get("output_format"))
    if f:
        a.format = ("schema", canon(f.get("schema")))
    for k in ("temperature", "top_p", "top_k"):
        a.param(k, r.get(k))
    if a.check(isinstance(r.get("max_tokens"), int) and r["max_tokens"] > 0,
               "no max_tokens"):
        a.param("max", r["max_tokens"])
    if "temperature" in r:
        a.check(0 <= r["temperature"] <= 1, "temperature above 1")
    if r.get("stop_sequences") is not None:
        for s in r["stop_sequences"]:
            a.check(s.strip(), "an empty stop sequence")
        a.param("stop", r["stop_sequences"])
    a.param("user", obj(r.get("metadata")).get("user_id"))
    t = obj(r.get("thinking"))
    if t.get("type") == "enabled":
        a.thinking = t.get("budget_tokens")
        a.check(1024 <= (t.get("budget_tokens") or 0)
                < (r.get("max_tokens") or 0), "budget of thinking")
        a.check("temperature" not in r or r["temperature"] == 1,
                "temperature with thinking")
        a.check("top_k" not in r, "top_k with thinking")
        a.check(a.choice in (None, "auto", "none"),
                "a forced call with thinking")
    elif t.get("type") == "adaptive":
        a.thinking = obj(r.get("output_config")).get("effort", "adaptive")
    elif t.get("type") == "disabled":
        a.thinking = "none"
    a.stream = r.get("stream")
    return a


def gemini_media(p):
    p = obj(p)
    if "inlineData" in p or "inline_data" in p:
        d = obj(p.get("inlineData", p.get("inline_data")))
        mt = d.get("mimeType", d.get("mime_type", ""))
        kind = "image" if mt.startswith("image/") else \
            "audio" if mt.startswith("audio/") else "file"
        return (kind, mt, d.get("data"))
    if "fileData" in p or "file_data" in p:
        d = obj(p.get("fileData", p.get("file_data")))
        return ("url", d.get("fileUri", d.get("file_uri")))
    return ("other", ",".join(p))


def read_generate(r):
    a = Ask()
    for p in arr(obj(r.get("systemInstruction",
                           r.get("system_instruction"))).get("parts")):
        a.system.append(text_of(obj(p).get("text")))
    last, waiting, answered = None, [], False
    a.check(r.get("contents"), "no contents")
    for m in arr(r.get("contents")):
        m = obj(m)
        role = m.get("role", "user")
        a.check(role in ("user", "model"), "role %r" % role)
        parts = arr(m.get("parts"))
        a.check(parts, "a content without parts")
        responses = [p for p in parts if "functionResponse" in obj(p)]
        a.check(not responses or len(responses) == len(parts),
                "functionResponse beside other parts")
        a.check(role != last or responses or answered,
                "two contents of %s" % role)
        answered = bool(responses)
        a.check(role != "user" or len(responses) == len(waiting),
                "%d results of %d calls" % (len(responses), len(waiting)))
        last = role
        who = "assistant" if role == "model" else "user"
        names = list(waiting)
        waiting, late = [], []
        for p in parts:
            p = obj(p)
            if "functionCall" in p:
                f = obj(p["functionCall"])
                a.check(role == "model", "a call of the user")
                a.check(isinstance(f.get("args", {}), dict),
                        "args are no object")
                waiting.append(f.get("name"))
                a.add(who, ("call", f.get("id"), f.get("name"),
                            args_of(a, f.get("args", {}))))
            elif "functionResponse" in p:
                f = obj(p["functionResponse"])
                v = f.get("response")
                a.check(isinstance(v, dict), "response is no object")
                if a.check(f.get("name") in names,
                           "a result of no call: %r" % f.get("name")):
                    a.check(f["name"] == names[0], "order of results")
                    names.remove(f["name"])
                v = obj(v)
                failed = None
                text = canon(v)
                if list(v) in (["result"], ["output"]) \
                        and isinstance(next(iter(v.values())), str):
                    text = next(iter(v.values()))
                elif list(v) == ["error"]:
                    failed = True
                    if isinstance(v["error"], str):
                        text = v["error"]
                a.add("tool", ("result", f.get("id"), text, failed))
                late += [gemini_media(x) for x in arr(f.get("parts"))]
            elif "text" in p:
                if p.get("thought"):
                    continue
                a.check(p["text"] != "" or "thoughtSignature" in p,
                        "an empty text")
                a.add(who, ("text", p["text"]))
            else:
                a.add(who, gemini_media(p))
        for p in late:
            a.add(who, p)
    for t in arr(r.get("tools")):
        t = obj(t)
        fs = arr(t.get("functionDeclarations",
                       t.get("function_declarations")))
        for f in fs:
            f = obj(f)
            a.check(NAME.match(text_of(f.get("name"))), "name of a tool")
            a.tools.append((f.get("name"), f.get("description"), schema_of(
                f.get("parametersJsonSchema", f.get("parameters")))))
    c = obj(obj(r.get("toolConfig", r.get("tool_config"))).get(
        "functionCallingConfig"))
    if c:
        mode = text_of(c.get("mode")).lower()
        names = arr(c.get("allowedFunctionNames"))
        a.choice = {"any": "required"}.get(mode, mode)
        if mode == "any" and len(names) == 1:
            a.choice = ("name", names[0])
    g = obj(r.get("generationConfig", r.get("generation_config")))
    for k, name in (("temperature", "temperature"), ("top_p", "topP"),
                    ("top_k", "topK"), ("seed", "seed"),
                    ("n", "candidateCount"), ("max", "maxOutputTokens"),
                    ("presence_penalty", "presencePenalty"),
                    ("frequency_penalty", "frequencyPenalty"),
                    ("stop", "stopSequences"),
                    ("logprobs", "responseLogprobs")):
        a.param(k, g.get(name))
    if len(arr(g.get("stopSequences"))) > 5:
        a.bad("more than 5 stop sequences")
    s = g.get("responseJsonSchema", g.get("responseSchema"))
    if s is not None:
        a.format = ("schema", canon(s))
        a.check(g.get("responseMimeType") == "application/json",
                "a schema without responseMimeType")
    elif g.get("responseMimeType") == "application/json":
        a.format = ("json",)
    t = obj(g.get("thinkingConfig"))
    if t:
        a.thinking = t.get("thinkingLevel", t.get("thinkingBudget"))
    for k in ("messages", "model", "max_tokens", "stream"):
        a.check(k not in r, "%s is no member of this API" % k)
    a.stream = None
    return a


def read_cohere(r):
    a = Ask()
    waiting = []
    a.check(r.get("messages"), "no messages")
    for m in arr(r.get("messages")):
        m = obj(m)
        role = m.get("role")
        if role == "system":
            for p in parts_of(m.get("content")):
                a.system.append(text_of(obj(p).get("text")))
            if a.turns:
                a.add("system", ("text", a.system[-1]))
            continue
        if role == "tool":
            a.check(m.get("tool_call_id") in waiting, "a result of no call")
            if m.get("tool_call_id") in waiting:
                waiting.remove(m["tool_call_id"])
            text = ""
            for p in parts_of(m.get("content")):
                p = obj(p)
                if p.get("type") == "document":
                    d = obj(p.get("document")).get("data")
                    text += d if isinstance(d, str) else canon(d)
                else:
                    text += text_of(p.get("text"))
            a.add("tool", ("result", m.get("tool_call_id"), text, None))
            continue
        a.check(role in ("user", "assistant"), "role %r" % role)
        a.check(not waiting, "calls without results: %s" % waiting)
        if m.get("tool_plan"):
            a.add(role, ("text", m["tool_plan"]))
        for p in parts_of(m.get("content")):
            p = obj(p)
            if p.get("type") != "thinking":
                a.add(role, content_part(a, p))
        for t in arr(m.get("tool_calls")):
            t = obj(t)
            f = obj(t.get("function"))
            a.check(t.get("id") and t.get("type") == "function",
                    "a call without id or type")
            a.check(isinstance(f.get("arguments"), str),
                    "arguments are no string")
            a.add(role, ("call", t.get("id"), f.get("name"),
                         args_of(a, f.get("arguments"))))
            waiting.append(t.get("id"))
        a.check(m.get("content") not in (None, "", [])
                or m.get("tool_calls"), "a message of nothing")
    chat_tools(a, arr(r.get("tools")))
    for t in arr(r.get("tools")):
        f = obj(obj(t).get("function"))
        a.check(isinstance(f.get("parameters"), dict),
                "a tool without parameters")
    if "tool_choice" in r:
        a.check(r["tool_choice"] in ("REQUIRED", "NONE"), "tool_choice %r"
                % r["tool_choice"])
        a.choice = text_of(r["tool_choice"]).lower()
        if a.choice == "required" and len(a.tools) == 1:
            a.choice = ("name", a.tools[0][0])
    f = obj(r.get("response_format"))
    if f.get("type") == "json_object":
        s = f.get("json_schema", f.get("schema"))
        a.format = ("schema", canon(s)) if s is not None else ("json",)
    for k, name in (("temperature", "temperature"), ("top_p", "p"),
                    ("top_k", "k"), ("seed", "seed"), ("max", "max_tokens"),
                    ("presence_penalty", "presence_penalty"),
                    ("frequency_penalty", "frequency_penalty"),
                    ("stop", "stop_sequences"), ("logprobs", "logprobs")):
        a.param(k, r.get(name))
    if "temperature" in r:
        a.check(0 <= r["temperature"] <= 1, "temperature above 1")
    t = obj(r.get("thinking"))
    if t:
        a.thinking = "none" if t.get("type") == "disabled" else \
            t.get("token_budget", "enabled")
    a.stream = r.get("stream")
    for k in ("top_p", "top_k", "n", "stop", "user", "stream_options"):
        a.check(k not in r, "%s is no member of this API" % k)
    return a


def converse_media(a, b):
    kind = "image" if "image" in b else "document"
    i = obj(b[kind])
    s = obj(i.get("source"))
    if kind == "image":
        a.check(i.get("format") in ("png", "jpeg", "gif", "webp"),
                "format of an image")
    else:
        a.check(re.match(r"^[A-Za-z0-9 ()\[\]-]+$", text_of(i.get("name"))),
                "name of a document")
    if "s3Location" in s:
        return ("url", obj(s["s3Location"]).get("uri"))
    return ("image" if kind == "image" else "file",
            "%s/%s" % (kind, i.get("format")), s.get("bytes", s.get("text")))


def read_converse(r):
    a = Ask()
    for p in arr(r.get("system")):
        if "text" in obj(p):
            a.check(p["text"] != "", "an empty system text")
            a.system.append(text_of(p["text"]))
    last, waiting, blocks_of_tools = None, [], False
    for m in arr(r.get("messages")):
        m = obj(m)
        role = m.get("role")
        a.check(role in ("user", "assistant"), "role %r" % role)
        a.check(role != last, "two messages of %s" % role)
        a.check(last is not None or role == "user",
                "the first message is not the user's")
        last = role
        blocks = arr(m.get("content"))
        a.check(blocks, "a message of nothing")
        seen, late = [], []
        for b in blocks:
            b = obj(b)
            a.check(len(b) == 1, "a block of %s" % ",".join(b))
            if "toolResult" in b:
                t = obj(b["toolResult"])
                blocks_of_tools = True
                id = t.get("toolUseId")
                a.check(id in waiting, "a result of no call: %r" % id)
                if id in waiting:
                    waiting.remove(id)
                a.check(arr(t.get("content")), "a result without content")
                text = ""
                for x in arr(t.get("content")):
                    x = obj(x)
                    if "image" in x or "document" in x:
                        late.append(converse_media(a, x))
                    a.check(x.get("text") != "", "an empty text in a result")
                    text += text_of(x.get("text")) if "text" in x else \
                        canon(x["json"]) if "json" in x else ""
                a.add("tool", ("result", id, text,
                               t.get("status") == "error"))
            elif "text" in b:
                a.check(text_of(b["text"]).strip() != "", "an empty text")
                a.add(role, ("text", b["text"]))
            elif "image" in b or "document" in b:
                a.add(role, converse_media(a, b))
            elif "toolUse" in b:
                t = obj(b["toolUse"])
                blocks_of_tools = True
                a.check(isinstance(t.get("input"), dict),
                        "input is no object")
                a.check(NAME.match(text_of(t.get("toolUseId"))),
                        "toolUseId %r" % t.get("toolUseId"))
                a.add(role, ("call", t.get("toolUseId"), t.get("name"),
                             args_of(a, t.get("input"))))
                seen.append(t.get("toolUseId"))
            elif "citationsContent" in b:
                for x in arr(obj(b["citationsContent"]).get("content")):
                    a.add(role, ("text", text_of(obj(x).get("text"))))
            elif "guardContent" in b:
                a.add(role, ("text", text_of(obj(obj(
                    b["guardContent"]).get("text")).get("text"))))
        for p in late:
            a.add(role, p)
        a.check(role == "assistant" or not waiting,
                "calls without results: %s" % waiting)
        waiting = seen
    a.check(a.turns, "no messages")
    config = obj(r.get("toolConfig"))
    a.check(not blocks_of_tools or config.get("tools"),
            "calls without toolConfig")
    for t in arr(config.get("tools")):
        s = obj(obj(t).get("toolSpec"))
        if not s:
            continue
        j = obj(obj(s.get("inputSchema")).get("json"))
        a.check(j.get("type") == "object", "a schema that is no object's")
        a.check(NAME.match(text_of(s.get("name"))), "name of a tool")
        a.check(s.get("description") != "", "an empty description")
        a.tools.append((s.get("name"), s.get("description"), schema_of(j)))
    c = obj(config.get("toolChoice"))
    if c:
        k = next(iter(c))
        a.choice = {"auto": "auto", "any": "required"}.get(k) \
            or ("name", obj(c[k]).get("name"))
    g = obj(r.get("inferenceConfig"))
    more = obj(r.get("additionalModelRequestFields"))
    for k, name in (("temperature", "temperature"), ("top_p", "topP"),
                    ("max", "maxTokens"), ("stop", "stopSequences")):
        a.param(k, g.get(name))
    a.param("top_k", more.get("top_k", obj(
        more.get("inferenceConfig")).get("topK")))
    extra = obj(more.get("tool_choice"))
    if "disable_parallel_tool_use" in extra:
        a.param("parallel_tool_calls",
                not extra["disable_parallel_tool_use"])
    if "temperature" in g:
        a.check(0 <= g["temperature"] <= 1, "temperature above 1")
    f = obj(obj(r.get("outputConfig")).get("textFormat"))
    if f:
        s = obj(obj(f.get("structure")).get("jsonSchema")).get("schema")
        a.check(isinstance(s, str), "a schema that is no string")
        a.format = ("schema", canon(loads(text_of(s))))
    a.thinking = obj(more.get("thinking")).get("budget_tokens") \
        or obj(more.get("thinking")).get("type") \
        or more.get("reasoning_effort") \
        or obj(more.get("reasoningConfig")).get("type")
    for k in ("model", "stream", "max_tokens", "tools"):
        a.check(k not in r, "%s is no member of this API" % k)
    a.stream = None
    return a


def read_ollama(r):
    a = Ask()
    open_calls = []
    a.check(r.get("messages"), "no messages")
    for m in arr(r.get("messages")):
        m = obj(m)
        role = m.get("role")
        text = m.get("content", "")
        a.check(isinstance(text, str), "content is no string")
        if role == "system":
            a.system.append(text)
            continue
        if role == "tool":
            a.check(m.get("tool_name") in open_calls, "a result of no call")
            if m.get("tool_name") in open_calls:
                open_calls.remove(m["tool_name"])
            a.add("tool", ("result", None, text, None))
            continue
        a.check(role in ("user", "assistant"), "role %r" % role)
        if text:
            a.add(role, ("text", text))
        for i in arr(m.get("images")):
            a.add(role, ("image", "", i))
        for t in arr(m.get("tool_calls")):
            f = obj(obj(t).get("function"))
            a.check(isinstance(f.get("arguments"), dict),
                    "arguments are no object")
            open_calls.append(f.get("name"))
            a.add(role, ("call", None, f.get("name"),
                         args_of(a, f.get("arguments"))))
    chat_tools(a, arr(r.get("tools")))
    a.check(r.get("tools") != [], "tools is empty")
    f = r.get("format")
    if f == "json":
        a.format = ("json",)
    elif f is not None:
        a.format = ("schema", canon(f))
    o = obj(r.get("options"))
    for k, name in (("temperature", "temperature"), ("top_p", "top_p"),
                    ("top_k", "top_k"), ("seed", "seed"),
                    ("max", "num_predict"), ("stop", "stop"),
                    ("presence_penalty", "presence_penalty"),
                    ("frequency_penalty", "frequency_penalty")):
        a.param(k, o.get(name))
    t = r.get("think")
    a.thinking = "none" if t is False else t
    a.stream = r.get("stream")
    a.check(isinstance(a.stream, bool), "stream is left to the default")
    for k in ("tool_choice", "max_tokens", "stream_options", "temperature"):
        a.check(k not in r, "%s is no member of this API" % k)
    return a


READERS = {"chat": read_chat, "responses": read_responses,
           "messages": read_messages, "generate": read_generate,
           "cohere": read_cohere, "converse": read_converse,
           "ollama": read_ollama}

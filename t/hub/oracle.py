# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Reads the answers of every provider and of every surface, as their official
# clients do, into one canonical form.  It knows nothing of the module's code:
# what is read here is the documentation of the formats, and the recordings.
#
# All readers collect what breaks the grammar in answer.problems.  Providers
# break it in many ways and are forgiven; the gateway must not break it.

import base64
import json
import struct
import zlib


# Numbers keep their spelling, objects the order of their members.

class Int(int):
    pass


class Float(float):
    pass


def _int(s):
    n = Int(s)
    n.raw = s
    return n


def _float(s):
    n = Float(s)
    n.raw = s
    return n


def _pairs(pairs):
    d = {}
    for k, v in pairs:
        if k in d:
            raise ValueError("duplicate member %r" % k)
        d[k] = v
    return d


def loads(s):
    if isinstance(s, bytes):
        s = s.decode("utf-8")
    return json.loads(s, parse_int=_int, parse_float=_float,
                      object_pairs_hook=_pairs, strict=True,
                      parse_constant=_constant)


def _constant(s):
    raise ValueError("%s is no JSON" % s)


def canon(v):
    """JSON text of a value: members in order, numbers as they were spelt"""
    if isinstance(v, dict):
        return "{%s}" % ",".join("%s:%s" % (json.dumps(k), canon(x))
                                 for k, x in v.items())
    if isinstance(v, list):
        return "[%s]" % ",".join(canon(x) for x in v)
    if hasattr(v, "raw"):
        return v.raw
    return json.dumps(v)


def obj(v):
    return v if isinstance(v, dict) else {}


def arr(v):
    return v if isinstance(v, list) else []


def text_of(v):
    return v if isinstance(v, str) else ""


def count(v):
    """a number of tokens, or None"""
    if isinstance(v, bool) or not isinstance(v, (int, float)) or v < 0:
        return None
    return int(v)


class Tool:
    def __init__(self, id="", name="", raw="", value=None, custom=False):
        self.id = id
        self.name = name
        self.raw = raw          # text, when the format has a string
        self.value = value      # parsed, when the format has an object
        self.custom = custom

    def args(self):
        """canonical text of the arguments, or None if they are not JSON"""
        v = self.value
        if v is None:
            if self.raw.strip() == "":
                return "{}"
            try:
                v = loads(self.raw)
            except ValueError:
                return None
            if v is None:
                return "{}"
        return canon(v)


class Choice:
    def __init__(self):
        self.text = ""
        self.reasoning = ""
        self.refusal = ""
        self.plan = ""          # Cohere's tool_plan
        self.explanation = ""   # of a refusal, Anthropic's stop_details
        self.tools = []
        self.finish = None      # stop sequence length context tools filter
        self.native = None      # pause broken
        self.sequence = None
        self.images = 0
        self.order = []         # kinds of parts as they came
        self.states = []        # opaque state
        self.urls = []          # that are cited

    def add(self, kind, s):
        if kind == "text":
            self.text += s
        elif kind == "reasoning":
            self.reasoning += s
        elif kind == "refusal":
            self.refusal += s
        if s and (not self.order or self.order[-1] != kind):
            self.order.append(kind)

    def cite(self, list):
        for x in arr(list):
            x = obj(x)
            x = obj(x.get("url_citation")) or x
            if isinstance(x.get("url"), str) and x["url"] not in self.urls:
                self.urls.append(x["url"])

    def tool(self, t):
        self.tools.append(t)
        self.order.append("tool")
        return t


class Answer:
    def __init__(self):
        self.choices = {}
        self.usage = None
        self.error = None       # message
        self.complete = False   # the format's own end was seen
        self.id = None
        self.model = None
        self.problems = []

    def choice(self, n=0):
        n = int(n or 0)
        if n not in self.choices:
            self.choices[n] = Choice()
        return self.choices[n]

    def bad(self, text):
        if len(self.problems) < 20:
            self.problems.append(text)

    def check(self, ok, text):
        if not ok:
            self.bad(text)
        return ok

    def fail(self, message):
        if self.error is None:
            self.error = text_of(message) or "error"

    def settle(self):
        """a call makes "stop" mean "tools" in all formats"""
        for c in self.choices.values():
            if c.finish in ("stop", "pause") and c.tools:
                c.finish = "tools"
            elif c.finish == "tools" and not c.tools:
                self.bad("it stopped to call, and calls nothing")
                c.finish = "stop"
        u = self.usage
        if u is not None:
            u["reasoning"] = min(u["reasoning"], u["output"])
            u["cached"] = min(u["cached"], u["input"])
            u["cache_write"] = min(u["cache_write"],
                                   u["input"] - u["cached"])
        return self


def usage(input=None, cached=None, cache_write=None, output=None,
          reasoning=None):
    if not input and not output:
        return None             # zeros: nothing was counted
    return {"input": input or 0, "cached": cached or 0,
            "cache_write": cache_write or 0, "output": output or 0,
            "reasoning": reasoning or 0}


def message_of(v):
    """what an error says, in any of its shapes (wire-formats.md 15.1)"""
    if isinstance(v, list):
        return message_of(v[0]) if v else ""
    if not isinstance(v, dict):
        return text_of(v)
    e = v.get("error")
    if isinstance(e, dict):
        return text_of(e.get("message")) or text_of(e.get("code")) or "error"
    if isinstance(e, str):
        return e
    for k in ("message", "Message", "detail"):
        if isinstance(v.get(k), str):
            return v[k]
    d = arr(v.get("detail"))
    if d and isinstance(d[0], dict):
        return text_of(d[0].get("msg"))
    d = arr(v.get("errors"))
    if d and isinstance(d[0], dict):
        return text_of(d[0].get("message"))
    return ""


def has_error(v):
    return isinstance(v, dict) and v.get("error") not in (None, "", False)


# ---------------------------------------------------------------- framings

class Event:
    def __init__(self, name="", data=None, error=None, unterminated=False):
        self.name = name
        self.data = data
        self.error = error
        self.unterminated = unterminated


def sse(body, answer=None):
    """server-sent events as in the HTML standard; a last one that lacks its
    blank line is returned too, and is a problem"""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        if answer is not None:
            answer.bad("not UTF-8")
        text = body.decode("utf-8", "replace")
    if text.startswith("\ufeff"):
        text = text[1:]
    events = []
    name, data, error, any_field = "", [], None, False
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    tail = lines.pop()
    if tail:
        lines.append(tail)
    for line in lines:
        if line == "":
            if any_field:
                events.append(Event(name, "\n".join(data) or None, error))
            name, data, error, any_field = "", [], None, False
            continue
        if line[0] == ":":
            continue
        field, _, value = line.partition(":")
        if value.startswith(" "):
            value = value[1:]
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "error":
            error = value
        any_field = True
    if any_field:
        events.append(Event(name, "\n".join(data) or None, error, True))
        if answer is not None:
            answer.bad("the last event lacks its blank line")
    return events


def lines(body):
    return [Event("", s) for s in body.decode("utf-8").split("\n")
            if s.strip()]


class Broken(Exception):
    pass


def aws(body):
    """AWS event stream: (headers, payload) of each message"""
    at = 0
    while at < len(body):
        if len(body) - at < 16:
            raise Broken("a cut prelude")
        total, headers_len, crc = struct.unpack_from(">III", body, at)
        if zlib.crc32(body[at:at + 8]) != crc:
            raise Broken("CRC of a prelude")
        if total < 16 + headers_len or at + total > len(body):
            raise Broken("a cut message")
        if zlib.crc32(body[at:at + total - 4]) != \
                struct.unpack_from(">I", body, at + total - 4)[0]:
            raise Broken("CRC of a message")
        yield aws_headers(body[at + 12:at + 12 + headers_len]), \
            body[at + 12 + headers_len:at + total - 4]
        at += total


def aws_headers(b):
    sizes = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
    headers, at = {}, 0
    while at < len(b):
        n = b[at]
        name = b[at + 1:at + 1 + n].decode("utf-8")
        at += 1 + n
        kind = b[at]
        at += 1
        if kind in (6, 7):
            size = struct.unpack_from(">H", b, at)[0]
            at += 2
        elif kind in sizes:
            size = sizes[kind]
        else:
            raise Broken("a header of type %d" % kind)
        if at + size > len(b):
            raise Broken("a cut header")
        v = b[at:at + size]
        headers[name] = v.decode("utf-8") if kind == 7 else v
        at += size
    return headers


def aws_message(name, payload, kind="event"):
    headers = b""
    for k, v in ((":event-type" if kind == "event" else ":exception-type",
                  name), (":content-type", "application/json"),
                 (":message-type", kind)):
        headers += struct.pack(">B", len(k)) + k.encode() + b"\x07" \
            + struct.pack(">H", len(v)) + v.encode()
    head = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    m = head + struct.pack(">I", zlib.crc32(head)) + headers + payload
    return m + struct.pack(">I", zlib.crc32(m))


# ------------------------------------------------------------------- chat

CHAT_FINISH = {"stop": "stop", "length": "length", "tool_calls": "tools",
               "function_call": "tools", "content_filter": "filter",
               "model_length": "length", "eos": "stop", "error": "broken",
               "": None}


def chat_finish(s):
    if s is None:
        return None
    return CHAT_FINISH.get(s, "broken")


def chat_usage(u, vendor=""):
    u = obj(u)
    details = obj(u.get("prompt_tokens_details")) \
        or obj(u.get("prompt_token_details"))
    out = obj(u.get("completion_tokens_details"))
    reasoning = count(out.get("reasoning_tokens"))
    output = count(u.get("completion_tokens"))
    if vendor == "xai" and output is not None:
        output += reasoning or 0
    cached = count(details.get("cached_tokens"))
    if cached is None:
        cached = count(u.get("prompt_cache_hit_tokens"))
    if cached is None:
        cached = count(u.get("num_cached_tokens", u.get("cached_tokens")))
    return usage(count(u.get("prompt_tokens")), cached,
                 count(details.get("cache_write_tokens")), output, reasoning)


def chat_content(c, v):
    """content is a string, or, Mistral's, a list of parts"""
    if isinstance(v, str):
        c.add("text", v)
    if isinstance(v, dict):     # Cloudflare, when a schema was asked for
        c.add("text", json.dumps(v, ensure_ascii=False))
    for part in arr(v):
        part = obj(part)
        if part.get("type") == "text":
            c.add("text", text_of(part.get("text")))
        elif part.get("type") == "thinking":
            inner = part.get("thinking")
            if isinstance(inner, str):
                c.add("reasoning", inner)
            for x in arr(inner):
                c.add("reasoning", text_of(obj(x).get("text")))


def chat_reasoning(c, m):
    s = text_of(m.get("reasoning_content"))
    if not s:
        s = text_of(m.get("reasoning"))
    if not s:
        for d in arr(m.get("reasoning_details")):
            d = obj(d)
            s += text_of(d.get("text")) or text_of(d.get("summary"))
    c.add("reasoning", s)
    for d in arr(m.get("reasoning_details")):
        d = obj(d)
        for k in ("signature", "data"):
            if d.get(k):
                c.states.append(d[k])


def chat_json(body, vendor=""):
    a = Answer()
    doc = loads(body)
    if has_error(doc) or isinstance(doc, list) \
            or not isinstance(obj(doc).get("choices"), list):
        a.fail(message_of(doc))
        check_error(a, "chat", doc)
        return a
    a.id, a.model = doc.get("id"), doc.get("model")
    a.check(doc.get("object") == "chat.completion", "object is not "
            "chat.completion")
    a.check(isinstance(doc.get("id"), str) and doc["id"], "no id")
    a.check(isinstance(doc.get("created"), int), "no created")
    a.check(isinstance(doc.get("model"), str), "no model")
    for i, ch in enumerate(doc["choices"]):
        ch = obj(ch)
        a.check(ch.get("index") == i, "index of choice %d" % i)
        c = a.choice(ch.get("index", i))
        m = obj(ch.get("message"))
        if has_error(ch):
            a.fail(message_of(ch))
        a.check(m.get("role") == "assistant", "role is not assistant")
        a.check("content" in m, "message without content")
        a.check(m.get("content") is None or isinstance(m["content"], str),
                "content is neither a string nor null")
        chat_reasoning(c, m)
        chat_content(c, m.get("content"))
        c.add("refusal", text_of(m.get("refusal")))
        c.cite(m.get("annotations"))
        c.images += len(arr(m.get("images")))
        calls = arr(m.get("tool_calls"))
        a.check(m.get("tool_calls") != [], "tool_calls is empty")
        ids = set()
        for t in calls:
            t = obj(t)
            custom = t.get("type") == "custom"
            f = obj(t.get("custom" if custom else "function"))
            if not a.check(f.get("name"), "a call without name"):
                continue
            a.check(isinstance(t.get("id"), str) and t["id"],
                    "call without id")
            a.check(t.get("id") not in ids, "two calls with one id")
            ids.add(t.get("id"))
            a.check(t.get("type") in ("function", "custom"), "type of a call")
            v = f.get("input" if custom else "arguments")
            a.check(isinstance(v, str), "arguments are not a string")
            if isinstance(v, dict):
                c.tool(Tool(t.get("id"), f.get("name"), value=v))
            else:
                c.tool(Tool(t.get("id"), f.get("name"), text_of(v),
                            custom=custom))
        c.native = ch.get("finish_reason")
        c.finish = chat_finish(c.native)
        a.check(c.native in ("stop", "length", "tool_calls",
                             "content_filter"), "finish_reason")
        a.check(not (calls and c.native == "stop"),
                "calls, but finish_reason is stop")
    a.usage = chat_usage(doc.get("usage"), vendor)
    if doc.get("usage"):
        u = doc["usage"]
        a.check(u.get("total_tokens") == (u.get("prompt_tokens") or 0)
                + (u.get("completion_tokens") or 0), "total_tokens")
    a.complete = True
    for c in a.choices.values():
        if c.finish is None and not a.error:
            c.finish = "stop"
    return a.settle()


def chat_stream(body, vendor="", include_usage=True):
    a = Answer()
    same = {}
    roles, finished, calls = {}, {}, {}
    usages = 0
    done = False
    for ev in sse(body, a):
        if ev.error is not None:
            a.fail(message_of_text(ev.error))
            a.bad("a field named error")
            continue
        if ev.data is None:
            a.check(ev.name == "", "an event without data")
            continue
        if ev.data.strip() == "[DONE]":
            a.check(not done, "[DONE] twice")
            a.check(a.error is None, "[DONE] after an error")
            done = True
            continue
        a.check(not done, "an event after [DONE]")
        if done:
            continue
        try:
            chunk = loads(ev.data)
        except ValueError as e:
            a.bad("data is not JSON: %s" % e)
            a.fail("not JSON")
            break
        a.check(ev.name == "", "an event with a name")
        if has_error(chunk) or ev.name == "error":
            a.fail(message_of(chunk))
            check_error(a, "chat", chunk)
            continue
        if not isinstance(chunk, dict):
            a.fail("not an object")
            continue
        a.check(a.error is None, "an event after an error")
        a.check(chunk.get("object") == "chat.completion.chunk",
                "object is not chat.completion.chunk")
        for k in ("id", "created", "model"):
            a.check(k in chunk, "a chunk without %s" % k)
            a.check(same.setdefault(k, chunk.get(k)) == chunk.get(k),
                    "%s changes" % k)
        a.check(isinstance(chunk.get("choices"), list),
                "a chunk without choices")
        for ch in arr(chunk.get("choices")):
            chat_delta(a, obj(ch), roles, finished, calls)
        u = chunk.get("usage") or obj(chunk.get("x_groq")).get("usage")
        u = chat_usage(u, vendor)
        if u is not None:
            usages += 1
            a.usage = u
            a.check(chunk.get("choices") == [], "usage beside choices")
            t = obj(chunk.get("usage"))
            a.check(t.get("total_tokens") == (t.get("prompt_tokens") or 0)
                    + (t.get("completion_tokens") or 0), "total_tokens")
            a.check(all(n in finished for n in roles),
                    "usage before the end")
        else:
            a.check(chunk.get("choices") != [] or chunk.get("usage"),
                    "a chunk of nothing")
            if include_usage and chunk.get("choices") != []:
                a.check(chunk.get("usage", 0) is None, "usage:null is missing")
    a.id, a.model = same.get("id"), same.get("model")
    a.check(usages <= 1, "usage told %d times" % usages)
    for n, c in a.choices.items():
        if c.finish in (None, "broken") and done and c.native in (None, ""):
            c.finish = "stop"
    a.done = done
    a.complete = done and a.error is None
    if a.error is None:
        a.check(done, "no [DONE]")
        for n in a.choices:
            a.check(n in finished, "choice %d has no finish_reason" % n)
        a.check(a.choices, "no choice at all")
    return a.settle()


def chat_delta(a, ch, roles, finished, calls):
    a.check(isinstance(ch.get("index"), int), "a choice without index")
    n = ch.get("index", 0)
    c = a.choice(n)
    d = ch.get("delta")
    a.check(isinstance(d, dict), "a choice without delta")
    d = obj(d)
    if has_error(ch):
        a.fail(message_of(ch))
    if "role" in d:
        a.check(n not in roles, "role told twice")
        a.check(d["role"] == "assistant", "role is not assistant")
    else:
        a.check(n in roles, "the first chunk has no role")
    roles[n] = True
    more = [k for k in d if k != "role" and d[k] not in (None, "", [])]
    a.check(not (more and n in finished), "content after finish_reason")
    chat_reasoning(c, d)
    chat_content(c, d.get("content"))
    c.add("refusal", text_of(d.get("refusal")))
    c.cite(d.get("annotations"))
    c.images += len(arr(d.get("images")))
    known = calls.setdefault(n, {"list": [], "by": {}, "current": None})
    for t in arr(d.get("tool_calls")):
        chat_tool_delta(a, c, obj(t), known)
    native = ch.get("finish_reason")
    if native is not None:
        a.check(n not in finished, "finish_reason told twice")
        a.check(native in ("stop", "length", "tool_calls", "content_filter"),
                "finish_reason %r" % native)
        a.check(not (c.tools and native == "stop"),
                "calls, but finish_reason is stop")
        if n not in finished or not c.finish:
            c.native, c.finish = native, chat_finish(native)
        finished[n] = True


def chat_tool_delta(a, c, t, known):
    index, id = t.get("index"), t.get("id")
    custom = t.get("type") == "custom" or "custom" in t
    f = obj(t.get("custom" if custom else "function"))
    a.check(isinstance(index, int), "a tool delta without index")
    key = ("i", index) if isinstance(index, int) else \
        ("id", id) if id else known["current"]
    tool = known["by"].get(key)
    name = text_of(f.get("name"))
    if tool is not None and id and tool.id and id != tool.id and name:
        tool = None             # a vendor that says index 0 for all calls
        a.bad("two calls at one index")
    if tool is None:
        a.check(index == len(known["list"]), "index %s of call %d"
                % (index, len(known["list"])))
        a.check(id and t.get("type") in ("function", "custom") and name,
                "a call without id, type or name")
        a.check(id not in [x.id for x in known["list"]],
                "two calls with one id")
        tool = c.tool(Tool(id or "", name, custom=custom))
        known["list"].append(tool)
        known["by"][key] = tool
    else:
        a.check("id" not in t and "type" not in t and "name" not in f,
                "id, type or name told again")
        tool.name = tool.name or name
        tool.id = tool.id or id or ""
    known["current"] = key
    v = f.get("input" if custom else "arguments")
    if isinstance(v, dict):
        tool.raw += canon(v)
    else:
        tool.raw += text_of(v)


def message_of_text(s):
    try:
        return message_of(loads(s)) or s
    except ValueError:
        return s


# -------------------------------------------------------------- Responses

def responses_usage(u):
    u = obj(u)
    i = obj(u.get("input_tokens_details"))
    o = obj(u.get("output_tokens_details"))
    return usage(count(u.get("input_tokens")), count(i.get("cached_tokens")),
                 count(i.get("cache_write_tokens")),
                 count(u.get("output_tokens")),
                 count(o.get("reasoning_tokens")))


def responses_finish(r, status):
    s = r.get("status") or status
    if s in ("completed", "complete"):
        return "stop"
    if s == "incomplete":
        reason = obj(r.get("incomplete_details")).get("reason")
        return {"max_output_tokens": "length",
                "content_filter": "filter"}.get(reason, "length")
    return None


def responses_item(a, c, item):
    t = item.get("type")
    a.check(isinstance(item.get("id"), str) and item["id"],
            "an item without id")
    if t == "message":
        a.check(item.get("role") == "assistant", "role of a message")
        a.check(item.get("status") in ("completed", "incomplete"),
                "status of a message")
        for p in arr(item.get("content")):
            p = obj(p)
            if p.get("type") == "output_text":
                a.check(isinstance(p.get("annotations"), list),
                        "a text without annotations")
                c.add("text", text_of(p.get("text")))
                c.cite(p.get("annotations"))
            elif p.get("type") == "refusal":
                c.add("refusal", text_of(p.get("refusal")))
    elif t == "function_call":
        a.check(item.get("call_id"), "a call without call_id")
        a.check(isinstance(item.get("arguments"), str),
                "arguments are not a string")
        a.check(item.get("status") in ("completed", "incomplete"),
                "status of a call")
        c.tool(Tool(item.get("call_id"), item.get("name"),
                    text_of(item.get("arguments"))))
    elif t == "custom_tool_call" and not own_tool(item):
        c.tool(Tool(item.get("call_id"), item.get("name"),
                    text_of(item.get("input")), custom=True))
    elif t == "reasoning":
        a.check(isinstance(item.get("summary"), list),
                "reasoning without summary")
        for p in arr(item.get("summary")) + arr(item.get("content")):
            c.add("reasoning", text_of(obj(p).get("text")))
        if item.get("encrypted_content"):
            c.states.append(item["encrypted_content"])


def own_tool(item):
    """xAI calls the tools that it runs itself custom ones"""
    return text_of(item.get("call_id")).startswith("xs_call")


RESPONSE_MEMBERS = ("id", "object", "created_at", "status", "error",
                    "incomplete_details", "model", "output",
                    "parallel_tool_calls", "tool_choice", "tools")


def responses_check(a, r, final):
    for k in RESPONSE_MEMBERS:
        a.check(k in r, "a response without %s" % k)
    a.check(r.get("object") == "response", "object is not response")
    a.check(isinstance(r.get("output"), list), "output is not a list")
    if final and r.get("usage") is not None:
        u = r["usage"]
        a.check("cached_tokens" in obj(u.get("input_tokens_details")),
                "usage without cached_tokens")
        a.check("reasoning_tokens" in obj(u.get("output_tokens_details")),
                "usage without reasoning_tokens")
        a.check(u.get("total_tokens") == u.get("input_tokens")
                + u.get("output_tokens"), "total_tokens")


def responses_result(a, r, status):
    a.id, a.model = r.get("id"), r.get("model")
    a.usage = responses_usage(r.get("usage")) or a.usage
    c = a.choice()
    c.native = r.get("status")
    c.finish = responses_finish(r, status)
    if r.get("status") in ("failed", "cancelled"):
        a.fail(obj(r.get("error")).get("message"))
    elif r.get("error"):
        a.fail(message_of(r))


def responses_json(body, vendor=""):
    a = Answer()
    r = loads(body)
    if not isinstance(obj(r).get("output"), list):
        a.fail(message_of(r))
        check_error(a, "responses", r)
        return a
    responses_result(a, r, "completed")
    responses_check(a, r, True)
    for item in r["output"]:
        responses_item(a, a.choice(), obj(item))
    a.complete = a.choice().finish is not None and a.error is None
    return a.settle()


class Item:
    def __init__(self, index, item):
        self.index = index
        self.item = item
        self.parts = {}         # (kind, index) -> text
        self.open = None
        self.done = None
        self.args = ""
        self.args_done = None


PART_EVENTS = {
    "response.output_text": ("text", "content_index", "text"),
    "response.refusal": ("refusal", "content_index", "refusal"),
    "response.reasoning_text": ("reasoning_text", "content_index", "text"),
    "response.reasoning_summary_text": ("summary", "summary_index", "text"),
}


def responses_stream(body, vendor=""):
    a = Answer()
    items, order = {}, []
    n, final, first = 0, None, []
    sequenced = True
    for ev in sse(body, a):
        if ev.data is None:
            continue
        if ev.data.strip() == "[DONE]":
            a.bad("[DONE] in a Responses stream")
            continue
        try:
            e = loads(ev.data)
        except ValueError:
            a.fail("not JSON")
            a.bad("data is not JSON")
            break
        if not isinstance(e, dict):
            a.fail("not an object")
            continue
        t = text_of(e.get("type"))
        a.check(ev.name == t, "event %r is of type %r" % (ev.name, t))
        a.check(e.get("sequence_number") == n, "sequence_number %s, not %d"
                % (e.get("sequence_number"), n))
        n += 1
        a.check(final is None, "an event after the end")
        if len(first) < 2:
            first.append(t)
        if t == "error" or (not t and has_error(e)):
            a.fail(text_of(e.get("message")) or message_of(e))
            continue
        if t in ("response.created", "response.in_progress",
                 "response.queued"):
            responses_check(a, obj(e.get("response")), False)
            continue
        if t in ("response.completed", "response.incomplete",
                 "response.failed"):
            final = obj(e.get("response"))
            responses_check(a, final, True)
            a.check(final.get("status") == t[9:], "status of the response")
            responses_result(a, final, t[9:])
            continue
        responses_event(a, t, e, items, order)
    c = a.choice()
    for item in order:
        responses_item_end(a, c, item)
    if final is not None:
        b = Answer()
        for item in arr(final.get("output")):
            responses_item(b, b.choice(), obj(item))
        f = b.choice()
        if not order and not c.order:
            a.check(f.order == [], "output without events")
            f.native, f.finish = c.native, c.finish
            a.choices[0] = c = f
        elif a.error is None and "output" in final:
            for k in ("text", "reasoning", "refusal"):
                a.check(getattr(c, k) == getattr(f, k),
                        "%s of the events is not that of the end" % k)
            a.check([(x.id, x.name, x.raw) for x in c.tools]
                    == [(x.id, x.name, x.raw) for x in f.tools],
                    "calls of the events are not those of the end")
            a.check([i.item.get("id") for i in order]
                    == [obj(i).get("id") for i in arr(final.get("output"))],
                    "ids of the events are not those of the end")
            c.states = f.states
            a.problems += b.problems
    elif a.error is None:
        a.bad("no end")
    a.check(first == ["response.created", "response.in_progress"]
            or a.error is not None,
            "begins with %s" % " ".join(first))
    a.complete = final is not None and c.finish is not None \
        and a.error is None
    return a.settle()


def responses_event(a, t, e, items, order):
    if t == "response.output_item.added":
        item = Item(e.get("output_index"), obj(e.get("item")))
        a.check(item.index == len(order), "output_index of an item")
        a.check(not order or order[-1].done is not None,
                "an item before the end of the last one")
        i = item.item
        a.check(isinstance(i.get("id"), str), "an item without id")
        a.check(i.get("type") == "reasoning"
                or i.get("status") == "in_progress", "status of an item")
        if i.get("type") == "message":
            a.check(i.get("content") == [], "content of a new message")
        if i.get("type") == "function_call":
            a.check(i.get("arguments") == "" and i.get("call_id")
                    and i.get("name"), "a new call")
        items[item.index] = item
        order.append(item)
        return
    item = items.get(e.get("output_index"))
    if item is None:
        a.bad("%s of no item" % t)
        if t == "response.output_text.delta":
            a.choice().add("text", text_of(e.get("delta")))
        return
    if t == "response.output_item.done":
        item.done = obj(e.get("item"))
        a.check(item.done.get("id") == item.item.get("id"),
                "id of an item changes")
        a.check(item.open is None, "an item ends with an open part")
        return
    a.check(item.done is None, "%s after the end of its item" % t)
    if "item_id" in e:
        a.check(e["item_id"] == item.item.get("id"), "item_id of %s" % t)
    if t in ("response.content_part.added",
             "response.reasoning_summary_part.added"):
        a.check(item.open is None, "a part in a part")
        k = e.get("content_index", e.get("summary_index"))
        item.open = k
        a.check(obj(e.get("part")).get("type") in
                ("output_text", "refusal", "summary_text",
                 "reasoning_text"), "type of a part")
        return
    if t in ("response.content_part.done",
             "response.reasoning_summary_part.done"):
        k = e.get("content_index", e.get("summary_index"))
        a.check(item.open == k, "the end of another part")
        p = obj(e.get("part"))
        text = text_of(p.get("text")) or text_of(p.get("refusal"))
        seen = [v for (kind, i), v in item.parts.items() if i == k]
        a.check("".join(seen) == text, "text of a part's end")
        item.open = None
        return
    for prefix, (kind, index, member) in PART_EVENTS.items():
        key = (kind, e.get(index))
        if t == prefix + ".delta":
            a.check(item.open == e.get(index), "%s in no part" % t)
            item.parts[key] = item.parts.get(key, "") \
                + text_of(e.get("delta"))
            return
        if t == prefix + ".done":
            s = text_of(e.get(member))
            a.check(item.parts.get(key, "") == s, "%s differs" % t)
            if not item.parts.get(key):
                item.parts[key] = s
            return
    if t in ("response.function_call_arguments.delta",
             "response.custom_tool_call_input.delta"):
        item.args += text_of(e.get("delta"))
    elif t == "response.function_call_arguments.done":
        item.args_done = text_of(e.get("arguments"))
        a.check(item.args == item.args_done, "arguments of the end differ")
    elif t == "response.custom_tool_call_input.done":
        item.args_done = text_of(e.get("input"))


def responses_item_end(a, c, item):
    i = item.item
    t = i.get("type")
    done = item.done
    b = Answer()
    if done is not None:
        responses_item(b, b.choice(), done)
        a.problems += b.problems
    else:
        a.check(a.error is not None, "an item without end")
    d = b.choice()
    if t == "custom_tool_call" and own_tool(i):
        return
    if t in ("function_call", "custom_tool_call"):
        raw = item.args or item.args_done
        if raw is None and d.tools:
            raw = d.tools[0].raw
        if raw is None:
            raw = text_of(i.get("arguments"))
        if done is not None and d.tools:
            a.check(item.args_done is not None, "no end of arguments")
            a.check(d.tools[0].raw == raw, "arguments of the item differ")
        c.tool(Tool(i.get("call_id"), i.get("name"), raw,
                    custom=t == "custom_tool_call"))
        return
    for kind in ("reasoning", "text", "refusal"):
        s = "".join(v for (k, n), v in item.parts.items()
                    if k == kind or (kind == "reasoning"
                                     and k in ("summary", "reasoning_text")))
        if done is not None:
            a.check(s == getattr(d, kind), "%s of the item differs" % kind)
            s = s or getattr(d, kind)
        c.add(kind, s)
    c.states += d.states
    c.urls += [u for u in d.urls if u not in c.urls]


# -------------------------------------------------------------- Anthropic

ANTHROPIC_FINISH = {"end_turn": "stop", "stop_sequence": "sequence",
                    "max_tokens": "length", "tool_use": "tools",
                    "refusal": "filter", "pause_turn": "pause",
                    "model_context_window_exceeded": "context",
                    "compaction": "pause"}


class AnthropicUsage:
    def __init__(self):
        self.u = {}

    def merge(self, u):
        for k, v in obj(u).items():
            if v is not None:
                self.u[k] = v

    def get(self):
        u = self.u
        if not u:
            return None
        i = count(u.get("input_tokens"))
        r = count(u.get("cache_read_input_tokens"))
        w = count(u.get("cache_creation_input_tokens"))
        d = obj(u.get("output_tokens_details"))
        return usage((i or 0) + (r or 0) + (w or 0), r, w,
                     count(u.get("output_tokens")),
                     count(d.get("thinking_tokens")))


def anthropic_json(body, vendor=""):
    a = Answer()
    m = loads(body)
    if obj(m).get("type") != "message":
        a.fail(message_of(m))
        check_error(a, "messages", m)
        return a
    a.id, a.model = m.get("id"), m.get("model")
    c = a.choice()
    a.check(isinstance(m.get("id"), str), "no id")
    a.check(m.get("role") == "assistant", "role is not assistant")
    a.check(isinstance(m.get("model"), str), "no model")
    a.check("stop_sequence" in m, "no stop_sequence")
    ids = set()
    for b in arr(m.get("content")):
        b = obj(b)
        t = b.get("type")
        if t == "text":
            a.check(b.get("text") != "", "an empty text")
            c.add("text", text_of(b.get("text")))
            c.cite(b.get("citations"))
        elif t == "thinking":
            a.check("signature" in b, "thinking without signature")
            c.add("reasoning", text_of(b.get("thinking")))
            if b.get("signature"):
                c.states.append(b["signature"])
        elif t == "redacted_thinking":
            c.states.append(b.get("data"))
        elif t == "tool_use":
            a.check(isinstance(b.get("input"), dict), "input is no object")
            a.check(b.get("id") and b["id"] not in ids, "id of a call")
            ids.add(b.get("id"))
            c.tool(Tool(b.get("id"), b.get("name"), value=b.get("input")))
    anthropic_stop(a, c, m)
    u = AnthropicUsage()
    u.merge(m.get("usage"))
    a.usage = u.get()
    for k in ("input_tokens", "output_tokens"):
        a.check(isinstance(obj(m.get("usage")).get(k), int), "no %s" % k)
    a.complete = c.finish is not None
    return a.settle()


def anthropic_stop(a, c, d):
    c.native = d.get("stop_reason")
    if c.native is None:
        return
    c.finish = ANTHROPIC_FINISH.get(c.native, "broken")
    a.check(c.native in ANTHROPIC_FINISH, "stop_reason %r" % c.native)
    c.sequence = d.get("stop_sequence")
    c.explanation = text_of(obj(d.get("stop_details")).get("explanation"))
    a.check(not (c.tools and c.native == "end_turn"),
            "calls, but stop_reason is end_turn")


BLOCK_DELTAS = {"text": ("text_delta", "citations_delta"),
                "tool_use": ("input_json_delta",),
                "server_tool_use": ("input_json_delta",),
                "mcp_tool_use": ("input_json_delta",),
                "thinking": ("thinking_delta", "signature_delta"),
                "compaction": ("compaction_delta",)}


def anthropic_events(a, events):
    u = AnthropicUsage()
    c = a.choice()
    block, next_index, tool, kind, got = None, 0, None, None, ""
    state = "new"
    ids = set()
    for name, e in events:
        t = obj(e).get("type")
        if name is not None:
            a.check(name == t, "event %r is of type %r" % (name, t))
        if t == "ping":
            a.check(state not in ("new", "stop"), "ping at a bad place")
            continue
        if t == "error" or (t is None and (has_error(e)
                                           or obj(e).get("message"))):
            a.fail(message_of(e))
            a.check(t == "error" and obj(e.get("error")).get("type"),
                    "shape of an error")
            state = "error"
            continue
        a.check(state not in ("stop", "error"), "%s after the end" % t)
        if t == "message_start":
            a.check(state == "new", "message_start twice")
            if block is not None:
                a.fail("an answer within another")
                state = "error"
                continue
            m = obj(e.get("message"))
            a.id, a.model = m.get("id"), m.get("model")
            a.check(isinstance(m.get("id"), str) and m.get("type")
                    == "message" and m.get("role") == "assistant"
                    and m.get("content") == []
                    and isinstance(m.get("model"), str)
                    and m.get("stop_reason", 0) is None
                    and m.get("stop_sequence", 0) is None,
                    "members of message_start")
            for k in ("input_tokens", "output_tokens"):
                a.check(isinstance(obj(m.get("usage")).get(k), int),
                        "message_start without %s" % k)
            u.merge(m.get("usage"))
            state = "open"
            continue
        a.check(state != "new", "%s before message_start" % t)
        if t == "content_block_start":
            a.check(block is None, "a block in a block")
            a.check(state != "delta", "a block after message_delta")
            block = e.get("index")
            a.check(block == next_index, "index %s of block %d"
                    % (block, next_index))
            next_index += 1
            b = obj(e.get("content_block"))
            kind, got, tool = b.get("type"), "", None
            if kind == "tool_use":
                a.check(b.get("id") and b["id"] not in ids, "id of a call")
                a.check(b.get("name"), "a call without name")
                a.check(b.get("input") == {}, "input of a new call")
                ids.add(b.get("id"))
                tool = c.tool(Tool(b.get("id"), b.get("name")))
                if b.get("input"):
                    tool.value = b["input"]
            elif kind == "text":
                c.add("text", text_of(b.get("text")))
                a.check(b.get("text") == "", "text of a new block")
            elif kind == "thinking":
                c.add("reasoning", text_of(b.get("thinking")))
                a.check("signature" in b, "thinking without signature")
            elif kind == "redacted_thinking":
                c.states.append(b.get("data"))
                got = "data"
            continue
        if t == "content_block_delta":
            d = obj(e.get("delta"))
            dt = d.get("type")
            a.check(block is not None and e.get("index") == block,
                    "a delta of no open block")
            a.check(dt in BLOCK_DELTAS.get(kind, (dt,)),
                    "%s in a block of %s" % (dt, kind))
            if dt == "text_delta":
                c.add("text", text_of(d.get("text")))
                got += text_of(d.get("text"))
            elif dt == "citations_delta":
                c.cite([d.get("citation")])
            elif dt == "thinking_delta":
                c.add("reasoning", text_of(d.get("thinking")))
                got += text_of(d.get("thinking"))
            elif dt == "signature_delta":
                if d.get("signature"):
                    c.states.append(d["signature"])
                got += "signature"
            elif dt == "input_json_delta" and tool is not None:
                tool.raw += text_of(d.get("partial_json"))
            continue
        if t == "content_block_stop":
            a.check(block is not None and e.get("index") == block,
                    "the end of no open block")
            if tool is not None and tool.raw.strip():
                tool.value = None
            if kind in ("text", "thinking"):
                a.check(got != "", "an empty block of %s" % kind)
            block, tool = None, None
            continue
        if t == "message_delta":
            a.check(block is None, "message_delta in a block")
            a.check(state != "delta", "message_delta twice")
            state = "delta"
            d = obj(e.get("delta"))
            a.check("stop_reason" in d and "stop_sequence" in d,
                    "members of message_delta")
            a.check(isinstance(obj(e.get("usage")).get("output_tokens"), int),
                    "message_delta without usage")
            anthropic_stop(a, c, d)
            u.merge(e.get("usage"))
            continue
        if t == "message_stop":
            a.check(state == "delta", "message_stop before message_delta")
            state = "stop"
            m = obj(e.get("amazon-bedrock-invocationMetrics"))
            if m and not u.u:
                u.merge({"input_tokens": m.get("inputTokenCount"),
                         "output_tokens": m.get("outputTokenCount")})
    a.usage = u.get()
    if a.error is None:
        a.check(state == "stop", "no message_stop")
        a.check(c.native is not None, "no stop_reason")
    a.complete = state == "stop" and c.native is not None
    return a.settle()


def json_events(a, events):
    for ev in events:
        if ev.data is None:
            continue
        try:
            yield ev.name, loads(ev.data)
        except ValueError:
            a.bad("data is not JSON")
            a.fail("not JSON")
            return


def anthropic_stream(body, vendor=""):
    a = Answer()
    return anthropic_events(a, json_events(a, sse(body, a)))


def invoke_stream(body, vendor=""):
    """events of Anthropic in messages of AWS"""
    a = Answer()

    def events():
        try:
            for headers, payload in aws(body):
                if headers.get(":message-type") != "event":
                    yield None, {"type": "error", "error": {
                        "type": headers.get(":exception-type", "error"),
                        "message": message_of_text(payload.decode())}}
                    continue
                yield None, loads(base64.b64decode(loads(payload)["bytes"]))
        except Broken as e:
            a.fail("broken frame: %s" % e)

    return anthropic_events(a, events())


# ----------------------------------------------------------------- Gemini

GEMINI_FILTER = ("SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII "
                 "LANGUAGE IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT "
                 "IMAGE_RECITATION MODEL_ARMOR").split()
GEMINI_FINISH = {"STOP": "stop", "MAX_TOKENS": "length", 1: "stop",
                 2: "length", 3: "filter", 4: "filter"}
GEMINI_FINISH.update((k, "filter") for k in GEMINI_FILTER)


def gemini_usage(u):
    u = obj(u)
    if "promptTokenCount" not in u and "candidatesTokenCount" not in u \
            and "totalTokenCount" not in u:
        return None
    thoughts = count(u.get("thoughtsTokenCount")) or 0
    asked = (count(u.get("promptTokenCount")) or 0) \
        + (count(u.get("toolUsePromptTokenCount")) or 0)
    said = (count(u.get("candidatesTokenCount")) or 0) + thoughts
    # a count may be left out, the total is there
    return usage(asked, count(u.get("cachedContentTokenCount")), 0,
                 max(said, (count(u.get("totalTokenCount")) or 0) - asked),
                 thoughts)


class Partial:
    """arguments of a call that come as values at paths: Vertex"""

    def __init__(self):
        self.value = {}

    @staticmethod
    def path(s):
        out, i = [], 1
        while i < len(s):
            if s[i] == ".":
                j = i + 1
                while j < len(s) and s[j] not in ".[":
                    j += 1
                out.append(s[i + 1:j])
            else:
                j = s.index("]", i) + 1
                k = s[i + 1:j - 1]
                out.append(int(k) if k.isdigit() else k.strip("'\""))
            i = j
        return out

    def put(self, p):
        at, keys = self.value, self.path(text_of(p.get("jsonPath")))
        for k, following in zip(keys, keys[1:] + [None]):
            new = [] if isinstance(following, int) else {}
            if following is None:
                new = None
            if isinstance(k, int):
                while len(at) <= k:
                    at.append(None)
                old = at[k]
            else:
                old = at.get(k)
            if following is None:
                if "stringValue" in p:
                    new = text_of(old) + text_of(p["stringValue"])
                elif "numberValue" in p:
                    new = p["numberValue"]
                elif "boolValue" in p:
                    new = p["boolValue"]
                at[k] = new
            else:
                if old is None:
                    at[k] = old = new
                at = old


def gemini_chunk(a, r, seen):
    if isinstance(r, list) or has_error(r):
        a.fail(message_of(r))
        check_error(a, "generate", r)
        return
    if not isinstance(r, dict):
        a.fail("not an object")
        return
    a.check(a.error is None, "a chunk after an error")
    a.check(not seen["ended"] or "candidates" not in r
            or len(a.choices) > 1, "a candidate after the end")
    merged = obj(r.get("usageMetadata"))
    if gemini_usage(merged) is not None:
        seen["usage"] = merged
    block = obj(r.get("promptFeedback")).get("blockReason")
    if block and not arr(r.get("candidates")):
        c = a.choice()
        c.native, c.finish = block, "filter"
        a.complete = True
    a.id = r.get("responseId", a.id)
    a.model = r.get("modelVersion", a.model)
    for i, cand in enumerate(arr(r.get("candidates"))):
        gemini_candidate(a, obj(cand), i, seen)


def gemini_candidate(a, cand, i, seen):
    n = cand.get("index", i)
    c = a.choice(n)
    content = obj(cand.get("content"))
    a.check(not content or content.get("role") == "model",
            "role is not model")
    a.check(n not in seen["ended"] or not arr(content.get("parts")),
            "parts after finishReason")
    for p in arr(content.get("parts")):
        p = obj(p)
        if p.get("thoughtSignature"):
            c.states.append(p["thoughtSignature"])
        if "functionCall" in p:
            f = obj(p["functionCall"])
            partial = seen["partial"].get(n)
            if partial is not None:
                for x in arr(f.get("partialArgs")):
                    partial.put(obj(x))
                if f.get("willContinue") is not True \
                        or not arr(f.get("partialArgs")):
                    if not f.get("willContinue"):
                        seen["partial"][n] = None
                continue
            a.check(f.get("name"), "a call without name")
            a.check(isinstance(f.get("args"), dict), "args are no object")
            v = f.get("args")
            if v is None:
                v = {}
            if f.get("willContinue") or "partialArgs" in f:
                partial = seen["partial"][n] = Partial()
                for x in arr(f.get("partialArgs")):
                    partial.put(obj(x))
                v = partial.value
                if not f.get("willContinue"):
                    seen["partial"][n] = None
            c.tool(Tool(f.get("id"), f.get("name"), value=v))
        elif "text" in p:
            a.check(isinstance(p["text"], str), "text is no string")
            c.add("reasoning" if p.get("thought") else "text",
                  text_of(p["text"]))
        elif "inlineData" in p:
            mt = text_of(obj(p["inlineData"]).get("mimeType"))
            c.images += mt.startswith("image/")
    if "finishReason" in cand and cand["finishReason"] not in (None, "", 0):
        a.check(n not in seen["ended"], "finishReason twice")
        seen["ended"].add(n)
        c.native = cand["finishReason"]
        c.finish = GEMINI_FINISH.get(c.native, "broken")
        a.check(isinstance(c.native, str), "finishReason is no string")


def gemini_seen():
    return {"ended": set(), "usage": {}, "partial": {}}


def gemini_end(a, seen):
    a.usage = gemini_usage(seen["usage"])
    u = seen["usage"]
    if "totalTokenCount" in u:
        a.check(count(u["totalTokenCount"]) == sum(
            count(u.get(k)) or 0 for k in (
                "promptTokenCount", "toolUsePromptTokenCount",
                "candidatesTokenCount", "thoughtsTokenCount")),
            "totalTokenCount")
    if a.choices and a.error is None:
        a.complete = all(c.finish for c in a.choices.values())
        a.check(a.complete, "no finishReason")
    elif a.error is None:
        a.bad("no candidates")
    return a.settle()


def gemini_json(body, vendor=""):
    a = Answer()
    r = loads(body)
    seen = gemini_seen()
    if isinstance(r, dict) and "candidates" not in r \
            and "promptFeedback" not in r and not has_error(r):
        a.fail("no candidates")
        return a
    gemini_chunk(a, r, seen)
    return gemini_end(a, seen)


def gemini_stream(body, vendor=""):
    a = Answer()
    seen = gemini_seen()
    for name, r in json_events(a, sse(body, a)):
        a.check(name == "", "an event with a name")
        gemini_chunk(a, r, seen)
    return gemini_end(a, seen)


def gemini_array(body, vendor=""):
    a = Answer()
    seen = gemini_seen()
    try:
        for r in loads(body):
            gemini_chunk(a, r, seen)
    except ValueError as e:
        # an array that was cut: what came of it
        a.bad("not a JSON array: %s" % e)
        text = body.decode("utf-8", "replace")
        text = text[text.find("[") + 1:]
        decoder = json.JSONDecoder()
        while True:
            text = text.lstrip(" \r\n\t,")
            try:
                r, n = decoder.raw_decode(text)
            except ValueError:
                break
            gemini_chunk(a, r, seen)
            text = text[n:]
        gemini_end(a, seen)
        a.complete = False
        return a
    return gemini_end(a, seen)


# ----------------------------------------------------------------- Cohere

COHERE_FINISH = {"COMPLETE": "stop", "STOP_SEQUENCE": "sequence",
                 "MAX_TOKENS": "length", "TOOL_CALL": "tools",
                 "ERROR": "broken", "TIMEOUT": "broken",
                 "ERROR_TOXIC": "filter"}


def cohere_usage(u):
    u = obj(u)
    t = obj(u.get("tokens")) or obj(u.get("billed_units"))
    if not t:
        return None
    # images are counted apart
    return usage((count(t.get("input_tokens")) or 0)
                 + (count(t.get("image_tokens")) or 0),
                 count(u.get("cached_tokens")), 0,
                 count(t.get("output_tokens")),
                 count(t.get("reasoning_tokens")))


def cohere_tool(a, c, t):
    f = obj(t.get("function"))
    a.check(t.get("id") and t.get("type") == "function" and f.get("name"),
            "a call without id, type or name")
    a.check(isinstance(f.get("arguments"), str), "arguments are no string")
    return c.tool(Tool(t.get("id"), f.get("name"),
                       text_of(f.get("arguments"))))


def cohere_json(body, vendor=""):
    a = Answer()
    r = loads(body)
    if not isinstance(obj(r).get("message"), dict):
        a.fail(message_of(r))
        check_error(a, "cohere", r)
        return a
    m = r["message"]
    c = a.choice()
    a.id = r.get("id")
    a.check(isinstance(a.id, str), "no id")
    a.check(m.get("role") == "assistant", "role is not assistant")
    c.plan = text_of(m.get("tool_plan"))
    for p in arr(m.get("content")):
        p = obj(p)
        if p.get("type") == "thinking":
            c.add("reasoning", text_of(p.get("thinking")))
        elif p.get("type") == "text":
            a.check(isinstance(p.get("text"), str), "a text without text")
            c.add("text", text_of(p.get("text")))
        else:
            a.bad("content of type %r" % p.get("type"))
    for t in arr(m.get("tool_calls")):
        cohere_tool(a, c, obj(t))
    cohere_end(a, c, r)
    a.complete = c.finish is not None and a.error is None
    return a.settle()


def cohere_end(a, c, r):
    c.native = r.get("finish_reason")
    a.check(c.native in COHERE_FINISH, "finish_reason %r" % c.native)
    if c.native is not None:
        c.finish = COHERE_FINISH.get(c.native, "broken")
    a.check(not (c.tools and c.native == "COMPLETE"),
            "calls, but finish_reason is COMPLETE")
    a.usage = cohere_usage(r.get("usage"))
    if c.native == "ERROR" and r.get("error"):
        a.fail(text_of(r["error"]))


def cohere_stream(body, vendor=""):
    a = Answer()
    c = a.choice()
    state, open_part, tool, kind, done = "new", None, None, None, False
    contents, calls = [], []
    for ev in sse(body, a):
        if ev.data is None:
            continue
        if ev.data.strip() == "[DONE]":
            a.check(state == "end", "[DONE] before message-end")
            done = True
            continue
        try:
            e = loads(ev.data)
        except ValueError:
            a.fail("not JSON")
            a.bad("data is not JSON")
            break
        t = obj(e).get("type")
        a.check(ev.name == t, "event %r is of type %r" % (ev.name, t))
        a.check(not done, "an event after [DONE]")
        if t is None or t == "error" or ev.name == "error":
            a.fail(message_of(e))
            state = "error"
            continue
        a.check(state in ("open", "new"), "%s after the end" % t)
        d = obj(e.get("delta"))
        m = obj(d.get("message"))
        if t == "message-start":
            a.check(state == "new", "message-start twice")
            a.check(isinstance(e.get("id"), str), "no id")
            a.check(m.get("role") == "assistant", "role is not assistant")
            a.id = e.get("id")
            state = "open"
            continue
        a.check(state != "new", "%s before message-start" % t)
        if t == "tool-plan-delta":
            c.plan += text_of(m.get("tool_plan"))
        elif t == "content-start":
            a.check(open_part is None, "a part in a part")
            open_part = ("content", e.get("index"))
            a.check(isinstance(e.get("index"), int)
                    and e["index"] not in contents, "index of content")
            contents.append(e.get("index"))
            p = obj(m.get("content"))
            kind = p.get("type")
            a.check(kind in ("text", "thinking"), "type of content")
            c.add("text", text_of(p.get("text")))
            c.add("reasoning", text_of(p.get("thinking")))
        elif t == "content-delta":
            a.check(open_part == ("content", e.get("index")),
                    "a delta of no open part")
            p = obj(m.get("content"))
            a.check(set(p) <= {kind}, "a delta of %s in %s"
                    % (",".join(p), kind))
            c.add("text", text_of(p.get("text")))
            c.add("reasoning", text_of(p.get("thinking")))
        elif t == "content-end":
            a.check(open_part == ("content", e.get("index")),
                    "the end of no open part")
            open_part = None
        elif t == "tool-call-start":
            a.check(open_part is None, "a call in a part")
            open_part = ("call", e.get("index"))
            a.check(isinstance(e.get("index"), int)
                    and e["index"] not in calls, "index of a call")
            calls.append(e.get("index"))
            tool = cohere_tool(a, c, obj(m.get("tool_calls")))
        elif t == "tool-call-delta":
            a.check(open_part == ("call", e.get("index")),
                    "a delta of no open call")
            f = obj(obj(m.get("tool_calls")).get("function"))
            if tool is not None:
                tool.raw += text_of(f.get("arguments"))
        elif t == "tool-call-end":
            a.check(open_part == ("call", e.get("index")),
                    "the end of no open call")
            open_part, tool = None, None
        elif t == "message-end":
            a.check(open_part is None, "message-end in a part")
            state = "end"
            cohere_end(a, c, d)
    if a.error is None:
        a.check(state == "end", "no message-end")
        a.check(done, "no [DONE]")
    a.complete = state == "end" and a.error is None
    return a.settle()


# --------------------------------------------------------------- Converse

CONVERSE_FINISH = {"end_turn": "stop", "stop_sequence": "sequence",
                   "max_tokens": "length", "tool_use": "tools",
                   "content_filtered": "filter",
                   "guardrail_intervened": "filter",
                   "model_context_window_exceeded": "context",
                   "malformed_model_output": "broken",
                   "malformed_tool_use": "broken"}


def converse_usage(u):
    u = obj(u)
    if not u:
        return None
    r = count(u.get("cacheReadInputTokens"))
    w = count(u.get("cacheWriteInputTokens"))
    return usage((count(u.get("inputTokens")) or 0) + (r or 0) + (w or 0), r,
                 w, count(u.get("outputTokens")))


def converse_usage_check(a, u):
    u = obj(u)
    for k in ("inputTokens", "outputTokens", "totalTokens"):
        a.check(isinstance(u.get(k), int), "usage without %s" % k)
    a.check(count(u.get("totalTokens")) == sum(
        count(u.get(k)) or 0 for k in (
            "inputTokens", "outputTokens", "cacheReadInputTokens",
            "cacheWriteInputTokens")), "totalTokens")


def converse_stop(a, c, native):
    c.native = native
    if native is not None:
        c.finish = CONVERSE_FINISH.get(native, "broken")
        a.check(native in CONVERSE_FINISH, "stopReason %r" % native)
        a.check(not (c.tools and native == "end_turn"),
                "calls, but stopReason is end_turn")


def converse_json(body, vendor=""):
    a = Answer()
    r = loads(body)
    m = obj(obj(r).get("output")).get("message")
    if not isinstance(m, dict):
        a.fail(message_of(r))
        check_error(a, "converse", r)
        return a
    c = a.choice()
    a.check(m.get("role") == "assistant", "role is not assistant")
    for b in arr(m.get("content")):
        b = obj(b)
        a.check(len(b) == 1, "a block of %s" % ",".join(b))
        if "text" in b:
            c.add("text", text_of(b["text"]))
        elif "toolUse" in b:
            t = obj(b["toolUse"])
            if t.get("type") == "server_tool_use":
                continue
            a.check(t.get("toolUseId") and t.get("name"), "id of a call")
            a.check(isinstance(t.get("input"), dict), "input is no object")
            c.tool(Tool(t.get("toolUseId"), t.get("name"),
                        value=t.get("input")))
        elif "reasoningContent" in b:
            x = obj(b["reasoningContent"])
            t = obj(x.get("reasoningText"))
            c.add("reasoning", text_of(t.get("text")))
            for s in (t.get("signature"), x.get("redactedContent")):
                if s:
                    c.states.append(s)
        elif "image" in b:
            c.images += 1
        elif "citationsContent" in b:
            for t in arr(obj(b["citationsContent"]).get("content")):
                c.add("text", text_of(obj(t).get("text")))
    converse_stop(a, c, r.get("stopReason"))
    a.usage = converse_usage(r.get("usage"))
    converse_usage_check(a, r.get("usage"))
    a.check(isinstance(obj(r.get("metrics")).get("latencyMs"), int),
            "no metrics")
    a.complete = c.finish is not None
    return a.settle()


def converse_stream(body, vendor=""):
    a = Answer()
    c = a.choice()
    block, next_index, tool, kind = None, 0, None, None
    state = "new"
    try:
        for headers, payload in aws(body):
            if headers.get(":message-type") != "event":
                a.fail(message_of_text(payload.decode())
                       or headers.get(":error-message"))
                a.check(headers.get(":exception-type")
                        or headers.get(":error-code"), "an error's type")
                state = "error"
                continue
            t = headers.get(":event-type")
            a.check(headers.get(":content-type") == "application/json",
                    ":content-type")
            e = loads(payload)
            a.check(state != "error" and state != "metadata",
                    "%s after the end" % t)
            i = e.get("contentBlockIndex")
            if t == "messageStart":
                a.check(state == "new", "messageStart twice")
                a.check(e.get("role") == "assistant", "role")
                state = "open"
                continue
            a.check(state != "new", "%s before messageStart" % t)
            if t == "contentBlockStart":
                a.check(block is None, "a block in a block")
                a.check(i == next_index, "contentBlockIndex %s, not %d"
                        % (i, next_index))
                block, next_index = i, next_index + 1
                s = obj(e.get("start"))
                tool, kind = None, None
                if "toolUse" in s:
                    s = obj(s["toolUse"])
                    kind = "toolUse"
                    a.check(s.get("toolUseId") and s.get("name"),
                            "id of a call")
                    if s.get("type") != "server_tool_use":
                        tool = c.tool(Tool(s.get("toolUseId"),
                                           s.get("name")))
                elif "image" in s:
                    kind = "image"
                else:
                    a.bad("contentBlockStart of no call")
            elif t == "contentBlockDelta":
                d = obj(e.get("delta"))
                a.check(len(d) == 1, "a delta of %s" % ",".join(d))
                if block is None:
                    a.check(i == next_index, "contentBlockIndex %s, not %d"
                            % (i, next_index))
                    block, next_index, tool = i, next_index + 1, None
                    kind = next(iter(d), None)
                a.check(i == block, "a delta of another block")
                a.check(kind in d or {kind} | set(d)
                        == {"text", "citation"},
                        "%s in a block of %s" % (",".join(d), kind))
                if "text" in d:
                    c.add("text", text_of(d["text"]))
                elif "image" in d:
                    c.images += 1
                elif "toolUse" in d and tool is not None:
                    tool.raw += text_of(obj(d["toolUse"]).get("input"))
                elif "reasoningContent" in d:
                    x = obj(d["reasoningContent"])
                    a.check(len(x) == 1, "reasoningContent of %s"
                            % ",".join(x))
                    c.add("reasoning", text_of(x.get("text")))
                    for s in (x.get("signature"), x.get("redactedContent")):
                        if s:
                            c.states.append(s)
            elif t == "contentBlockStop":
                a.check(i == block, "the end of no open block")
                block, tool = None, None
            elif t == "messageStop":
                a.check(block is None, "messageStop in a block")
                a.check(state == "open", "messageStop twice")
                converse_stop(a, c, e.get("stopReason"))
                state = "stop"
            elif t == "metadata":
                a.check(state == "stop", "metadata before messageStop")
                a.usage = converse_usage(e.get("usage"))
                converse_usage_check(a, e.get("usage"))
                a.check(isinstance(obj(e.get("metrics")).get("latencyMs"),
                                   int), "no metrics")
                if state == "stop":
                    state = "metadata"
    except Broken as e:
        a.fail("broken frame: %s" % e)
        a.bad("broken frame: %s" % e)
    if a.error is None:
        a.check(state == "metadata", "no metadata")
    a.complete = c.finish is not None and a.error is None
    return a.settle()


# ----------------------------------------------------------------- Ollama

def ollama_chunk(a, c, r):
    if has_error(r):
        a.fail(message_of(r))
        return
    m = obj(r.get("message"))
    c.add("reasoning", text_of(m.get("thinking")))
    c.add("text", text_of(m.get("content")))
    for t in arr(m.get("tool_calls")):
        f = obj(obj(t).get("function"))
        v = f.get("arguments")
        if isinstance(v, str):
            c.tool(Tool(obj(t).get("id"), f.get("name"), v))
        else:
            c.tool(Tool(obj(t).get("id"), f.get("name"),
                        value={} if v is None else v))
    if r.get("done"):
        c.native = r.get("done_reason", "stop")
        c.finish = {"stop": "stop", "length": "length"}.get(c.native, "stop")
        a.usage = usage(count(r.get("prompt_eval_count")) or 0, 0, 0,
                        count(r.get("eval_count")))
        a.complete = True


def ollama_json(body, vendor=""):
    a = Answer()
    r = loads(body)
    if not isinstance(obj(r).get("message"), dict):
        a.fail(message_of(r))
        return a
    ollama_chunk(a, a.choice(), r)
    return a.settle()


def ollama_stream(body, vendor=""):
    a = Answer()
    for ev in lines(body):
        try:
            r = loads(ev.data)
        except ValueError:
            a.fail("not JSON")
            break
        ollama_chunk(a, a.choice(), r)
    return a.settle()


# ----------------------------------------------------------------- errors

def check_error(a, surface, doc):
    """an error document, or an error event's, of a surface"""
    if surface in ("chat", "responses"):
        e = obj(obj(doc).get("error"))
        a.check(isinstance(e.get("message"), str) and e["message"]
                and isinstance(e.get("type"), str) and "code" in e,
                "shape of an error")
    elif surface == "messages":
        e = obj(obj(doc).get("error"))
        a.check(obj(doc).get("type") == "error" and e.get("type")
                and isinstance(e.get("message"), str) and e["message"],
                "shape of an error")
    elif surface == "generate":
        if isinstance(doc, list) and len(doc) == 1:
            doc = doc[0]
        e = obj(obj(doc).get("error"))
        a.check(isinstance(e.get("code"), int) and e.get("status")
                and isinstance(e.get("message"), str) and e["message"],
                "shape of an error")
    else:
        a.check(isinstance(obj(doc).get("message"), str)
                and doc["message"], "shape of an error")


JSON = {"chat": chat_json, "responses": responses_json,
        "messages": anthropic_json, "generate": gemini_json,
        "cohere": cohere_json, "converse": converse_json,
        "ollama": ollama_json}

STREAM = {"chat": chat_stream, "responses": responses_stream,
          "messages": anthropic_stream, "invoke": invoke_stream,
          "generate": gemini_stream, "array": gemini_array,
          "cohere": cohere_stream, "converse": converse_stream,
          "ollama": ollama_stream}


def read(kind, body, stream, vendor=""):
    """never raises: what cannot be read is an error"""
    try:
        return (STREAM if stream else JSON)[kind](body, vendor)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError,
            Broken) as e:
        a = Answer()
        a.fail("unreadable: %s %s" % (type(e).__name__, e))
        a.bad(a.error)
        return a

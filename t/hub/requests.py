#!/usr/bin/env python3

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Requests of every client, as each provider receives them: what was asked is
# what is understood, by readers that know nothing of the code that
# translates.  Those written here run anywhere; recorded ones if there are
# any beside the checkout.
#
#     requests.py [--only TEXT] [--list FILE] [--one NAME FROM TO]

import argparse
import base64
import re
import sys
import time

sys.dont_write_bytecode = True

import ask
import driver
import fixtures
from oracle import arr, canon, loads, obj
from run import SURFACES, squeeze


PNG = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwACh"
       "wGA60e6kgAAAABJRU5ErkJggg==")
PDF = "JVBERi0xLjQKJcOkw7zDtsOfCg=="

# target: the operation, a vendor, and models that differ in what they take

TARGETS = {
    "chat": ("openai", ("gpt-4o", "gpt-5.2")),
    "responses": ("openai", ("gpt-5.2",)),
    "messages": ("anthropic", ("claude-sonnet-4-5", "claude-opus-4-6")),
    "generate": ("gemini", ("gemini-2.5-flash", "gemini-3-pro-preview")),
    "cohere": ("cohere", ("command-a-03-2025",)),
    "converse": ("bedrock", ("us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                             "amazon.nova-pro-v1:0")),
}

# vendors that take a dialect with rules of their own: dialect, vendor, model

EXTRA = (
    ("chat", "mistral", "mistral-large-latest"),
    ("chat", "groq", "llama-3.3-70b-versatile"),
    ("chat", "deepseek", "deepseek-chat"),
    ("chat", "xai", "grok-4"),
    ("chat", "azure", "gpt-4o"),
    ("chat", "openrouter", "anthropic/claude-sonnet-4.5"),
    ("chat", "cerebras", "gpt-oss-120b"),
    ("chat", "vllm", "qwen3"),
    ("messages", "vertex-anthropic", "claude-sonnet-4-5"),
    ("messages", "bedrock-anthropic", "anthropic.claude-sonnet-4-5-v1:0"),
    ("generate", "vertex", "gemini-2.5-pro"),
    ("ollama", "ollama-native", "qwen3"),
)

# what Mistral takes; anything else is a 422 (wire-formats.md 9)

MISTRAL = set("model messages temperature top_p max_tokens stream stop "
              "random_seed response_format tools tool_choice "
              "presence_penalty frequency_penalty n prediction "
              "parallel_tool_calls prompt_mode reasoning_effort safe_prompt "
              "prompt_cache_key metadata".split())

# members that a provider has no slot for: they must be reported instead

MISSING = {
    "chat": ("top_k",),
    "responses": ("top_k", "seed", "stop", "presence_penalty",
                  "frequency_penalty"),
    "messages": ("seed", "presence_penalty", "frequency_penalty"),
    "generate": ("parallel_tool_calls", "user"),
    "cohere": ("parallel_tool_calls", "user"),
    "converse": ("seed", "presence_penalty", "frequency_penalty", "user",
                 "parallel_tool_calls"),
}

# what changes the meaning when it is left out: the request is refused

REFUSED = {
    "n": ("responses", "messages", "cohere", "converse"),
    "url": ("generate", "converse"),
    "pdf": ("cohere",),
}


WEATHER = ("get_weather", "Weather of a city", {
    "type": "object", "properties": {
        "city": {"type": "string", "description": "the \"city\""},
        "days": {"type": "integer", "minimum": 1}},
    "required": ["city"], "additionalProperties": False})
CLOCK = ("now", None, None)
DEEP = ("deep", "$ref and anyOf", {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object", "$defs": {"node": {
        "type": "object", "properties": {
            "next": {"anyOf": [{"$ref": "#/$defs/node"},
                               {"type": "null"}]},
            "kind": {"enum": ["a", "b"]}}}},
    "properties": {"root": {"$ref": "#/$defs/node"},
                   "tags": {"type": "array", "items": {
                       "type": ["string", "null"]}}},
    "patternProperties": {"^x-": {"type": "string"}}})
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"},
                                           "n": {"type": "number"}},
          "required": ["answer", "n"], "additionalProperties": False}
LONG = "mcp__a_server_with_a_name__" + "a_tool_with_a_long_name_" * 3

HI = ("user", [("text", "Hi")])

STRINGS = {
    "unicode": "Grüße, 世界 \U0001f600 — ﷺ",
    "escapes": "quote \" backslash \\ slash / tab \t line\nend \x01 \x7f \b",
    "nested": "{\"a\":\"{\\\"b\\\":[1,\\\"\\\\\\\"c\\\\\\\"\\\"]}\"}",
    "separators": "a\u2028b\u2029c\u00a0d\ufeffe",
    "html": "<script>&amp;</script> ${x} `y` %s {{z}}",
    "blank lines": "a\n\n\nb  \n  c\r\nd",
}

ARGS = {
    "simple": '{"city":"Paris"}',
    "huge integer": '{"id":12345678901234567890,"neg":-9007199254740993}',
    "numbers": '{"a":1.0,"b":1e-7,"c":-0.0,"d":1E+2,"e":0.30000000000000004}',
    "nested quotes": '{"sql":"select \\"x\\" where a=\\"\\\\\\"\\""}',
    "unicode": '{"city":"Z\\u00fcrich","e":"\\ud83d\\ude00","s":"世界"}',
    "empty": "{}",
    "deep": '{"a":{"b":[[],{},[{"c":null}],true,false]}}',
    "spaces": '{ "city" : "Paris" , "days" : [ 1 , 2 ] }',
    "text of JSON": '{"raw":"{\\"x\\": [1, 2]}"}',
}


def round_trip(args, result="sunny", failed=False, id="call_1"):
    return [("user", [("text", "weather?")]),
            ("assistant", [("text", "Let me see."),
                           ("call", id, "get_weather", args)]),
            ("user", [("result", id, result, failed)])]


def features():
    f = {}
    f["plain"] = dict(msgs=[HI])
    f["system"] = dict(system="Be brief.", msgs=[HI])
    f["system blocks"] = dict(system="Be brief.", msgs=[HI], blocks=True)
    f["developer"] = dict(system="Be brief.", system_role="developer",
                          msgs=[HI])
    f["turns"] = dict(msgs=[HI, ("assistant", [("text", "Hello.")]),
                            ("user", [("text", "How are you?")]),
                            ("assistant", [("text", "Fine.")]),
                            ("user", [("text", "Bye")])])
    f["two of a user"] = dict(msgs=[HI, ("user", [("text", "there")])])
    f["two of each"] = dict(msgs=[
        HI, ("user", [("text", "you")]), ("assistant", [("text", "A")]),
        ("assistant", [("text", "B")]), ("user", [("text", "C")])])
    f["system between"] = dict(system="One.", msgs=[
        HI, ("assistant", [("text", "Hello.")]),
        ("system", [("text", "Two.")]), ("user", [("text", "Go")])])
    f["two texts"] = dict(msgs=[("user", [("text", "a"), ("text", "b")])])
    f["image"] = dict(refusable=True, msgs=[("user", [("text", "see"),
                                      ("image", "image/png", PNG)])])
    f["image first"] = dict(refusable=True, msgs=[
        ("user", [("image", "image/jpeg", PNG), ("text", "see")])])
    f["image alone"] = dict(refusable=True, msgs=[
        ("user", [("image", "image/webp", PNG)])])
    f["image url"] = dict(refusable=True, msgs=[("user", [
        ("text", "see"), ("url", "https://example.com/a.png?b=c&d=%20")])])
    f["pdf"] = dict(refusable=True, msgs=[("user", [("text", "read"),
                                    ("pdf", PDF, "my file.v1.pdf")])])
    for k, s in STRINGS.items():
        f["text: " + k] = dict(system="S " + s, msgs=[("user", [("text", s)])])
        f["result: " + k] = dict(msgs=round_trip(ARGS["simple"], s),
                                 tools=[WEATHER])
    for k, s in ARGS.items():
        f["arguments: " + k] = dict(msgs=round_trip(s), tools=[WEATHER])
    f["no arguments"] = dict(msgs=[
        ("user", [("text", "time?")]),
        ("assistant", [("call", "call_1", "now", "")]),
        ("user", [("result", "call_1", "12:00", False)])], tools=[CLOCK])
    f["JSON result"] = dict(msgs=round_trip(
        ARGS["simple"], '{"temp": 12345678901234567890, "u": "C"}'),
        tools=[WEATHER])
    f["list result"] = dict(msgs=round_trip(ARGS["simple"], '[1, "2"]'),
                            tools=[WEATHER])
    f["empty result"] = dict(msgs=round_trip(ARGS["simple"], ""),
                             tools=[WEATHER])
    f["error result"] = dict(msgs=round_trip(ARGS["simple"], "no such city",
                                             True), tools=[WEATHER])
    f["parallel"] = dict(msgs=[
        ("user", [("text", "weather?")]),
        ("assistant", [("call", "call_1", "get_weather", '{"city":"A"}'),
                       ("call", "call_2", "get_weather", '{"city":"B"}'),
                       ("call", "call_3", "now", "{}")]),
        ("user", [("result", "call_1", "sun", False),
                  ("result", "call_2", "rain", False),
                  ("result", "call_3", "12:00", False)])],
        tools=[WEATHER, CLOCK])
    f["parallel, other order"] = dict(ids=True, msgs=[
        ("user", [("text", "weather?")]),
        ("assistant", [("text", "Both."),
                       ("call", "call_1", "get_weather", '{"city":"A"}'),
                       ("call", "call_2", "now", "{}")]),
        ("user", [("result", "call_2", "12:00", False),
                  ("result", "call_1", "rain", False)])],
        tools=[WEATHER, CLOCK])
    f["text after results"] = dict(msgs=round_trip(ARGS["simple"])[:2] + [
        ("user", [("result", "call_1", "sunny", False),
                  ("text", "Thanks. And tomorrow?")])], tools=[WEATHER])
    f["several rounds"] = dict(msgs=round_trip('{"city":"A"}') + [
        ("assistant", [("call", "call_2", "now", "{}")]),
        ("user", [("result", "call_2", "noon", False)]),
        ("assistant", [("text", "Done.")]),
        ("user", [("text", "Again")])], tools=[WEATHER, CLOCK])
    f["a call without result"] = dict(msgs=[
        ("user", [("text", "weather?")]),
        ("assistant", [("call", "call_1", "get_weather", '{"city":"A"}'),
                       ("call", "call_2", "now", "{}")]),
        ("user", [("result", "call_1", "sun", False)]),
        ("user", [("text", "go on")])], tools=[WEATHER, CLOCK], ids=True,
        lost=True)
    f["a result without call"] = dict(msgs=[
        ("user", [("text", "weather?")]),
        ("assistant", [("text", "It is:")]),
        ("user", [("result", "call_9", "sun", False),
                  ("text", "go on")])], tools=[WEATHER], orphan=True)
    f["calls, no tools"] = dict(msgs=round_trip(ARGS["simple"]))
    f["ends with the assistant"] = dict(
        msgs=[HI, ("assistant", [("text", "I think")])], prefill=True)
    f["tools"] = dict(msgs=[HI], tools=[WEATHER, CLOCK])
    f["tools: refs"] = dict(msgs=[HI], tools=[DEEP])
    f["tools: long name"] = dict(
        msgs=[("user", [("text", "x")]),
              ("assistant", [("call", "call_1", LONG, "{}")]),
              ("user", [("result", "call_1", "y", False)])],
        tools=[(LONG, "long", WEATHER[2])], choice=(LONG,))
    f["tools: many"] = dict(msgs=[HI], tools=[
        ("tool_%d" % i, "no. %d" % i, WEATHER[2]) for i in range(60)])
    for c in ("auto", "none", "required", ("get_weather",)):
        name = c if isinstance(c, str) else "named"
        f["choice: " + name] = dict(msgs=[HI], tools=[WEATHER, CLOCK],
                                    choice=c)
        f["choice: %s, history" % name] = dict(
            msgs=round_trip(ARGS["simple"]), tools=[WEATHER], choice=c)
    for v in (True, False):
        f["parallel_tool_calls %s" % v] = dict(
            msgs=[HI], tools=[WEATHER], parallel_tool_calls=v)
    f["schema"] = dict(msgs=[HI], schema=SCHEMA)
    f["schema and tools"] = dict(msgs=[HI], schema=SCHEMA, tools=[WEATHER])
    f["json"] = dict(msgs=[("user", [("text", "JSON please")])], json=True)
    f["temperature"] = dict(msgs=[HI], temperature=loads("0.70"))
    f["temperature 0"] = dict(msgs=[HI], temperature=0)
    f["temperature 1.5"] = dict(msgs=[HI], temperature=1.5)
    f["top_p"] = dict(msgs=[HI], top_p=0.9)
    f["both"] = dict(msgs=[HI], temperature=0.5, top_p=0.9)
    f["top_k"] = dict(msgs=[HI], top_k=40)
    f["seed"] = dict(msgs=[HI], seed=42)
    f["penalties"] = dict(msgs=[HI], presence_penalty=0.5,
                          frequency_penalty=0.25)
    f["stop"] = dict(msgs=[HI], stop="END")
    f["stops"] = dict(msgs=[HI], stop=["a\"b", "\n\nUser:", "ß"])
    f["max"] = dict(msgs=[HI], max=77)
    f["max_completion_tokens"] = dict(msgs=[HI], max=78,
                                      max_name="max_completion_tokens")
    f["n"] = dict(refusable=True, msgs=[HI], n=2)
    f["user"] = dict(msgs=[HI], user="user-1234")
    for e in ("none", "low", "medium", "high"):
        f["effort " + e] = dict(msgs=[HI], reasoning_effort=e)
        f["effort %s, max" % e] = dict(msgs=[HI], reasoning_effort=e,
                                       max=9000)
    f["effort and a forced call"] = dict(
        msgs=[HI], reasoning_effort="high", tools=[WEATHER],
        choice="required", max=9000)
    f["effort and temperature"] = dict(msgs=[HI], reasoning_effort="low",
                                       temperature=0.5, max=9000)
    f["stream"] = dict(msgs=[HI], stream=True)
    f["all"] = dict(system="Be brief.", msgs=round_trip(ARGS["deep"]),
                    tools=[WEATHER, CLOCK, DEEP], choice="auto", max=100,
                    temperature=0.25, stop=["X"], stream=True)
    f["long"] = dict(msgs=[(("user", "assistant")[i % 2],
                            [("text", "turn %d " % i + "x" * 200)])
                           for i in range(101)])
    return f


# ---------------------------------------------------------------- judging

def turns_of(a):
    """who says what, in order; results behind the calls they answer, in the
    order of these"""
    out, results = [], {}
    for role, parts in a.turns:
        for p in parts:
            if p[0] == "result":
                results.setdefault(p[1], p)
    for role, parts in a.turns:
        calls = []
        for p in parts:
            if p[0] == "result" or role == "system":
                continue
            if p[0] == "text":
                if p[1].strip() == "":
                    continue
                if out and out[-1][0] == (role, "text"):
                    out[-1] = (out[-1][0], out[-1][1] + p[1])
                else:
                    out.append(((role, "text"), p[1]))
            elif p[0] == "call":
                out.append(((role, "call"), (p[2], p[3])))
                calls.append(p)
            else:
                out.append(((role, p[0]),) + p[1:])
        for p in calls:
            r = results.get(p[1])
            if r is not None:
                out.append((("tool", "result"), r[2], r[3]))
    return out


def positional(a):
    """ids for results without any, by their order (Gemini)"""
    open_calls = []
    n = 0
    for turn in a.turns:
        for i, p in enumerate(turn[1]):
            if p[0] == "call":
                id = p[1] or "#%d" % n
                n += 1
                turn[1][i] = ("call", id) + p[2:]
                open_calls.append((id, p[2]))
            elif p[0] == "result" and not p[1] and open_calls:
                turn[1][i] = ("result", open_calls.pop(0)[0]) + p[2:]
            elif p[0] == "result":
                open_calls = [c for c in open_calls if c[0] != p[1]]
    return a


def same_result(want, got, failed):
    if got == want or squeeze(got) == squeeze(want):
        return True
    # a result of a picture only, or of nothing
    if want == "" and (got.strip() in ("", "(empty)", "{}")
                       or got.startswith("The result ")):
        return True
    try:
        v = loads(want)
        if canon(v) == canon(loads(got)):
            return True
        # what looks as if it were wrapped for Gemini
        if isinstance(v, dict) and list(v) in (["output"], ["result"]) \
                and list(v.values()) == [got]:
            return True
    except ValueError:
        pass
    return bool(failed) and got.endswith(want)


def same_turns(src, got, flags=True):
    """None, or what differs; flags: both sides can tell failed results"""
    s, g = turns_of(src), turns_of(got)
    if (not s or s[0][0][0] == "assistant") and len(g) == len(s) + 1 \
            and g[0][0] == ("user", "text"):
        g = g[1:]               # a user must begin
    if len(s) != len(g):
        return "turns are %s, not %s" % ([x[0] for x in g][:12],
                                         [x[0] for x in s][:12])
    for x, y in zip(s, g):
        if x[0] != y[0]:
            if x[0][1] in LOOSE and y[0][1] in LOOSE \
                    and "other" not in (x[0][1], y[0][1]) \
                    and x[-1] == y[-1]:
                continue
            return "%s is %s" % (x[0], y[0])
        if x[0][1] == "text":
            if x[1] != y[1] and squeeze(x[1]) != squeeze(y[1]):
                return "%s: %r, not %r" % (x[0], y[1][:80], x[1][:80])
        elif x[0][1] == "result":
            if not same_result(x[1], y[1], x[2] or y[2]):
                return "result: %r, not %r" % (y[1][:80], x[1][:80])
            if x[2] and y[2] is False and flags:
                return "an error result is none"
        elif x[0][1] == "call":
            if not (same_name(x[1][0], y[1][0]) and x[1][1] == y[1][1]):
                return "call: %r, not %r" % (y[1], x[1])
        elif x[0][1] in ("file", "audio", "image"):
            if ask.base64_of(x[-1]) != ask.base64_of(y[-1]) \
                    and not same_text(x[-1], y[-1]):
                return "%s differs" % (x[0],)
            if x[0][1] == "image" and y[1] and x[1] != y[1]:
                return "type of an image: %s, not %s" % (y[1], x[1])
        elif x[1:] != y[1:]:
            return "%s: %s, not %s" % (x[0], str(y[1:])[:80],
                                       str(x[1:])[:80])
    return None


# what may be one or the other: a document at a URL, an upload

LOOSE = ("file", "url", "image")


def same_text(a, b):
    """a document of text, plain here and base64 there"""
    for x, y in ((a, b), (b, a)):
        try:
            if base64.b64decode(x).decode("utf-8") == y:
                return True
        except (ValueError, TypeError):
            pass
    return False


def same_name(want, got):
    """names that are too long are cut, and restored in the answer"""
    return want == got or (len(want or "") > 64
                           and (got or "")[:16] == want[:16])


def judge(src, got, frm, to, model, dropped, r):
    why = list(got.problems)
    if not r.get("orphan") and not r.get("lost"):
        x = same_turns(src, got)
        if x:
            why.append(x)
    else:
        for s in src.results():
            if s[2] not in str(got.turns):
                why.append("a result is lost")
    system = squeeze("".join(src.system))
    seen = squeeze("".join(got.system))
    if system != seen and not all(
            squeeze(s) in squeeze("".join(got.system) + str(
                [p[1] for _, ps in got.turns for p in ps
                 if p[0] == "text"])) for s in src.system):
        why.append("system is %r, not %r" % (seen[:60], system[:60]))
    why += judge_tools(src, got, to, r)
    why += judge_params(src, got, frm, to, model, dropped, r)
    return why


def judge_tools(src, got, to, r):
    why = []
    want = [t for t in src.tools if t[2] != "server"]
    have = [t for t in got.tools if t[2] != "server"]
    if to in ("cohere", "ollama") and isinstance(src.choice, tuple):
        want = [t for t in want if t[0] == src.choice[1]]
    if src.choice == "none" and not have:
        have = want             # tools may go with the choice
    if src.format and got.format is None and len(have) == len(want) + 1 \
            and have[-1][2] == src.format[-1]:
        have = have[:-1]        # a call stands for the format
        if not want:
            return why
    if not want and src.calls():
        return why              # a provider may demand tools for history
    if len(want) != len(have):
        return ["%d tools, not %d" % (len(have), len(want))]
    for a, b in zip(want, have):
        if not same_name(a[0], b[0]):
            why.append("tool %r, not %r" % (b[0], a[0]))
        if (a[1] or "") != (b[1] or ""):
            why.append("description %r, not %r" % (b[1], a[1]))
        if a[2] != b[2]:
            why.append("schema %s, not %s" % (b[2][:200], a[2][:200]))
    c, d = src.choice, got.choice
    if len(want) == 1 and "required" in (c, d) and ("name", want[0][0]) in (
            c, d):
        return why              # the same, if there is but one
    if c in ("auto", None):
        ok = got.choice in ("auto", None)
    elif isinstance(c, tuple):
        ok = isinstance(got.choice, tuple) \
            and same_name(c[1], got.choice[1])
    else:
        ok = got.choice == c
    if src.format and got.format is None and got.choice == "required":
        ok = True               # one of the calls stands for the format
    if to == "converse" and c == "none":
        ok = got.choice in (None, "auto")
    if not ok and not (src.thinking and got.thinking):
        why.append("tool_choice is %s, not %s" % (got.choice, c))
    return why


def judge_params(src, got, frm, to, model, dropped, r):
    why = []
    f = src.format
    if f is not None and got.format != f:
        # an instruction or a forced call may stand for it
        if not (f == ("json",) and to in ("messages", "converse")) \
                and "response_format" not in dropped \
                and f[-1] not in [t[2] for t in got.tools]:
            why.append("format is %s, not %s" % (got.format, f))
    for k, v in src.params.items():
        have = got.params.get(k)
        if k == "max":
            if src.thinking and have is not None:
                ok = float(have) >= float(v)
            else:
                ok = have == v
        elif have is None:
            name = {"max": "max_tokens"}.get(k, k)
            ok = name in dropped or (v == "1" and k == "n") \
                or (k == "parallel_tool_calls" and v == "true") \
                or (k == "logprobs" and v == "false")
            if not ok:
                why.append("%s is lost, and nobody is told" % k)
            elif k not in MISSING.get(to, ()) and k not in ("logprobs",) \
                    and (k, v) != ("parallel_tool_calls", "true") and not (
                    k in ("temperature", "top_p", "top_k", "stop", "user",
                          "presence_penalty", "frequency_penalty")
                    and limited(k, model, src)):
                why.append("%s is dropped" % k)
            continue
        elif k == "temperature":
            ok = float(have) == min(float(v), 2.0 if to in (
                "chat", "responses", "generate", "ollama") else 1.0) \
                or (float(have) == 1 and src.thinking)
        elif k == "user":
            ok = have == v or len(v) > 66
        elif k == "stop":
            ok = have == v or "stop" in dropped
        else:
            ok = have == v
        if not ok:
            why.append("%s is %s, not %s" % (k, have, v))
    for k in got.params:
        if k not in src.params and k not in ("max", "n",
                                             "parallel_tool_calls"):
            why.append("%s was not asked for" % k)
    if src.thinking not in (None, "none", 0) and got.thinking in (
            None, "none", 0, "disabled"):
        if "reasoning_effort" not in dropped:
            why.append("thinking is lost, and nobody is told")
    return why


def limited(k, model, src):
    """members that a model does not take"""
    if "gpt-5" in model:
        return True
    if "claude" in model:
        return k in ("temperature", "top_p", "top_k") and (
            src.thinking is not None or
            "temperature" in src.params and "top_p" in src.params)
    if "nova" in model:
        return k in ("top_k", "user")
    return False


def vendor_rules(vendor, doc):
    """what a vendor refuses"""
    why = []

    def check(ok, text):
        if not ok:
            why.append("%s: %s" % (vendor, text))

    messages = [obj(m) for m in arr(doc.get("messages"))]
    if vendor == "mistral":
        check(set(doc) <= MISTRAL, "members %s" % sorted(set(doc) - MISTRAL))
        ids = [t.get("id") for m in messages
               for t in arr(m.get("tool_calls"))]
        ids += [m["tool_call_id"] for m in messages if "tool_call_id" in m]
        check(all(re.match("^[A-Za-z0-9]{9}$", x or "") for x in ids),
              "ids of calls %s" % ids[:3])
        check(doc.get("tool_choice") != "required", "tool_choice required")
        check(not messages or messages[-1].get("role") != "assistant"
              or messages[-1].get("prefix") is True, "no prefix")
    if vendor in ("groq", "cerebras"):
        check(not any("reasoning_content" in m or "name" in m
                      for m in messages), "members of messages")
    if vendor == "groq":
        check("logprobs" not in doc and "logit_bias" not in doc, "logprobs")
    if vendor == "deepseek":
        check(all(isinstance(m.get("content"), (str, type(None)))
                  or any(obj(p).get("type") != "text" for p in m["content"])
                  for m in messages), "content is no string")
    if vendor in ("mistral", "groq", "deepseek", "xai", "cerebras", "vllm"):
        check(all(m.get("role") != "developer" for m in messages),
              "role developer")
    if vendor == "vertex-anthropic":
        check(doc.get("anthropic_version") == "vertex-2023-10-16"
              and "model" not in doc, "anthropic_version or model")
    if vendor == "bedrock-anthropic":
        check(doc.get("anthropic_version") == "bedrock-2023-05-31"
              and "model" not in doc and "stream" not in doc,
              "anthropic_version, model or stream")
    if vendor == "vertex":
        check(not any("id" in obj(obj(p).get(k))
                      for c in arr(doc.get("contents"))
                      for p in arr(obj(c).get("parts"))
                      for k in ("functionCall", "functionResponse")),
              "ids of calls")
    return why


def refused(r, src, to):
    for k, targets in REFUSED.items():
        if to not in targets:
            continue
        if k == "n" and src.params.get("n") not in (None, "1"):
            return True
        kind = {"url": "url", "pdf": "file"}.get(k)
        if any(p[0] == kind for _, ps in src.turns for p in ps):
            return True
    return False


class Checker:
    def __init__(self, show=False):
        self.driver = driver.Driver()
        self.results = []
        self.show = show

    def note(self, frm, to, name, why):
        self.results.append((frm, to, name, why))

    def check(self, name, frm, to, body, r, stream):
        vendor, models = TARGETS[to]
        src = positional(ask.READERS[frm](loads(body)))
        for model in models:
            title = "%s (%s)" % (name, model)
            words = dict(kind="request", to=SURFACES[to][3 if stream else 2],
                         vendor=vendor, model=model, stream=stream)
            words["from"] = SURFACES[frm][3 if stream else 2]
            try:
                st, out = self.driver.job(body, **words)
            except driver.Died as e:
                self.note(frm, to, title, ["the driver died: %s"
                                           % str(e)[:1200]])
                continue
            if self.show:
                print(model, st)
                print(out.decode("utf-8", "replace")[:4000])
            if st["result"] != "end":
                why = []
                if not (st["result"].startswith("declined")
                        and refused(r, src, to) and st["message"]):
                    why = ["%s: %s %s" % (st["result"], st["param"],
                                          st["message"] or st["reason"])]
                self.note(frm, to, title, why)
                continue
            try:
                doc = loads(out)
                got = positional(ask.READERS[to](doc))
            except (ValueError, TypeError, AttributeError, KeyError) as e:
                self.note(frm, to, title, ["unreadable: %s" % e])
                continue
            why = judge(src, got, frm, to, model, st["dropped"], r)
            if refused(r, src, to):
                why.append("is not refused")
            if got.stream is not None or stream:
                if to not in ("generate", "converse") \
                        and bool(got.stream) != bool(stream):
                    why.append("stream is %s" % got.stream)
            self.note(frm, to, title, why)
            if not why and frm != to:
                self.back(name, frm, to, src, out, r, stream)
        for kind, vendor, model in EXTRA:
            if kind == to or (kind == "ollama" and to == "chat"):
                self.extra(name, frm, kind, body, r, stream, vendor, model)

    # a vendor with rules of its own

    def extra(self, name, frm, to, body, r, stream, vendor, model):
        src = positional(ask.READERS[frm](loads(body)))
        ops = dict((k, v[2:]) for k, v in SURFACES.items())
        ops["ollama"] = ("ollama_chat", "ollama_chat")
        words = dict(kind="request", to=ops[to][1 if stream else 0],
                     vendor=vendor, model=model, stream=stream)
        words["from"] = SURFACES[frm][3 if stream else 2]
        title = "%s (%s)" % (name, vendor)
        try:
            st, out = self.driver.job(body, **words)
        except driver.Died as e:
            self.note(frm, to, title, ["the driver died: %s" % str(e)[:1200]])
            return
        if self.show:
            print(vendor, st)
            print(out.decode("utf-8", "replace")[:4000])
        if st["result"] != "end":
            # what a vendor cannot take may be refused, in clear words
            self.note(frm, to, title, [] if r.get("refusable")
                      and st["message"] else ["%s: %s %s" % (
                          st["result"], st["param"], st["message"])])
            return
        doc = loads(out)
        if "random_seed" in doc:
            doc["seed"] = doc["random_seed"]
        got = positional(ask.READERS[to](doc))
        if "random_seed" in doc:
            del doc["seed"]
        if to == "ollama":      # images have no place among the texts
            for turn in src.turns + got.turns:
                turn[1].sort(key=lambda p: p[0] == "image")
        got.problems = [p for p in got.problems if p != "no include_usage"
                        or vendor in ("azure", "vllm", "groq")]
        dropped = st["dropped"] + ["response_format", "tool_choice"]
        why = vendor_rules(vendor, doc)
        why += [w for w in judge(src, got, frm, to, model, dropped, r)
                if not w.endswith("is dropped")
                and not w.startswith("tool_choice")]
        self.note(frm, to, title, why)

    # there and back: messages and tools are what they were

    def back(self, name, frm, to, src, body, r, stream):
        vendor, models = TARGETS[frm]
        words = dict(kind="request", to=SURFACES[frm][3 if stream else 2],
                     vendor=vendor, model=models[0], stream=stream)
        words["from"] = SURFACES[to][3 if stream else 2]
        st, out = self.driver.job(body, **words)
        title = "%s, and back" % name
        if st["result"] != "end":
            why = [] if refused(r, src, frm) else [
                "%s: %s %s" % (st["result"], st["param"], st["message"])]
            self.note(frm, to, title, why)
            return
        got = positional(ask.READERS[frm](loads(out)))
        why = []
        if not r.get("orphan") and not r.get("lost"):
            x = same_turns(src, got, to in ("messages", "converse"))
            if x:
                why.append(x)
        if to != "cohere" or not isinstance(src.choice, tuple):
            why += [w for w in judge_tools(src, got, frm, r)
                    if not w.startswith("tool_choice")]
        self.note(frm, to, title, why)


def recorded():
    """bodies of requests that were answered, by surface"""
    if fixtures.rows() is None:
        return
    count = {}
    for c in fixtures.cases()[0]:
        frm = {"ollama": None, "invoke": "messages"}.get(c.kind, c.kind)
        if frm is None or c.status != 200 or not isinstance(c.request, dict):
            continue
        count[frm] = count.get(frm, 0) + 1
        yield frm, c.file, ask.dump(c.request, ascii=count[frm] % 2)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--list")
    p.add_argument("--recorded", action="store_true")
    p.add_argument("--one", nargs=3)
    a = p.parse_args()
    start = time.time()
    c = Checker(show=bool(a.one))
    for name, r in features().items():
        if a.one and name != a.one[0] or a.only not in name:
            continue
        for frm in SURFACES:
            if a.one and frm != a.one[1]:
                continue
            if unwritable(r, frm):
                continue
            doc = ask.WRITERS[frm](r)
            stream = bool(r.get("stream"))
            if stream and frm not in ("generate", "converse"):
                doc["stream"] = True
            for ascii in (True, False):
                body = ask.dump(doc, ascii).encode()
                if not ascii and body == ask.dump(doc, True).encode():
                    continue
                if a.one:
                    print(body.decode())
                for to in SURFACES:
                    if not a.one or to == a.one[2]:
                        c.check(name, frm, to, body, r, stream)
    ran = len(c.results)
    if a.recorded:
        for frm, file, body in recorded():
            if a.only in file:
                recorded_check(c, frm, file, body)
    c.driver.close()
    failed = [x for x in c.results if x[3]]
    if a.list:
        with open(a.list, "w") as f:
            for frm, to, name, why in failed:
                f.write("%s -> %s: %s\n    %s\n" % (frm, to, name,
                                                   "\n    ".join(why)))
    groups = {}
    for frm, to, name, why in failed:
        groups.setdefault((to, why[0][:50]), []).append((frm, name, why[0]))
    for (to, _), xs in sorted(groups.items(), key=lambda g: -len(g[1]))[:60]:
        print("%4d -> %s: %s\n     %s: %s" % (len(xs), to, xs[0][2][:160],
                                              xs[0][0], xs[0][1]))
    cells = {}
    for frm, to, _, why in c.results:
        cell = cells.setdefault((frm, to), [0, 0])
        cell[0] += not why
        cell[1] += 1
    print("%-12s%s" % ("client", "".join("%-12s" % s for s in SURFACES)))
    for frm in SURFACES:
        print("%-12s%s" % (frm, "".join("%-12s" % (
            "%d/%d" % tuple(cells.get((frm, to), (0, 0))))
            for to in SURFACES)))
    print("%d of them recorded" % (len(c.results) - ran))
    print("%d passed, %d failed, %d s" % (len(c.results) - len(failed),
                                          len(failed), time.time() - start))
    return 1 if failed or not c.results else 0


# what a client cannot write

def unwritable(r, frm):
    kinds = {p[0] for _, parts in r["msgs"] for p in parts}
    return (frm in ("generate", "converse")
            and any(role == "system" for role, _ in r["msgs"])) \
        or ("pdf" in kinds and frm == "cohere") \
        or ("url" in kinds and frm in ("converse", "generate")) \
        or (frm in ("messages", "converse") and r.get("json")) \
        or ("image" in kinds and frm == "cohere"
            and r["msgs"][0][1][0][0] == "image" and False)


def recorded_check(c, frm, file, body):
    """what was recorded may hold anything: it must not be lost silently"""
    for to in SURFACES:
        vendor, models = TARGETS[to]
        words = dict(kind="request", to=SURFACES[to][2], vendor=vendor,
                     model=models[0])
        words["from"] = SURFACES[frm][2]
        try:
            st, out = c.driver.job(body.encode(), **words)
        except driver.Died as e:
            c.note(frm, to, file, ["the driver died: %s" % str(e)[:1200]])
            continue
        if st["result"].startswith("declined"):
            c.note(frm, to, file, [] if st["message"] else ["no message"])
            continue
        if st["result"] != "end":
            c.note(frm, to, file, ["%s %s" % (st["result"], st["reason"])])
            continue
        try:
            src = positional(ask.READERS[frm](loads(body)))
            got = positional(ask.READERS[to](loads(out)))
        except (ValueError, TypeError, AttributeError, KeyError) as e:
            c.note(frm, to, file, ["unreadable: %s %s"
                                   % (type(e).__name__, e)])
            continue
        why = []
        x = same_turns(src, got)
        if x and not has_more(loads(body)):
            why.append(x)
        want = [t[0] for t in src.tools if t[2] != "server"]
        have = [t[0] for t in got.tools if t[2] != "server"]
        if want != have[:len(want)] and "tool" not in str(st["dropped"]) \
                and not isinstance(src.choice, tuple) \
                and src.choice != "none" and "allowed" not in str(src.choice):
            why.append("tools %s, not %s" % (have[:9], want[:9]))
        # what was wrong in the client's own words may stay wrong
        known = set(src.problems)
        why += [p for p in got.problems if p not in known][:3]
        c.note(frm, to, file, why)


# content that only its own provider knows

SPECIAL = ("server_tool_use", "web_search", "mcp_", "item_reference",
           "executableCode", "codeExecution", "thinking", "container",
           "compaction", "tool_search", "computer", "shell_call", "local_",
           "code_interpreter", "image_generation", "file_search", "file_id",
           "cachePoint", "function_call\"", "fileData", "file_data",
           "videoMetadata", "\"video\"", "\"audio\"", "previous_response_id",
           "\"media_type\":\"text/", "search_result", "citation",
           "custom_tool")


def has_more(doc):
    text = ask.dump(doc)
    return any(s in text for s in SPECIAL)


if __name__ == "__main__":
    sys.exit(main())

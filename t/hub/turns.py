#!/usr/bin/env python3

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# The second turn: each recorded answer is translated for each client, which
# echoes it as its SDK would, with results of the calls, and asks on.  The
# provider gets back what it said, its opaque state in its own place and
# unharmed; another provider gets the same turns and no foreign state.
#
#     turns.py [--only TEXT] [--list FILE] [--one FILE SURFACE TARGET]

import argparse
import sys
import time

sys.dont_write_bytecode = True

import ask
import driver
import fixtures
from oracle import JSON, arr, canon, loads, obj
from requests import TARGETS, positional, same_turns
from run import MODEL, SURFACES, finished, read, skipped, squeeze


RESULT = "the result"
USER = "go on"


# what a client sends on, from the answer that it got

def echo_chat(doc):
    m = doc["choices"][0]["message"]
    msgs = [{"role": "user", "content": "start"}, m]
    msgs += [{"role": "tool", "tool_call_id": t["id"], "content": RESULT}
             for t in arr(m.get("tool_calls"))]
    return {"model": MODEL, "messages": msgs + [{"role": "user",
                                                 "content": USER}]}


def echo_responses(doc):
    items = [{"role": "user", "content": "start"}] + doc["output"]
    items += [{"type": "function_call_output", "call_id": i["call_id"],
               "output": RESULT} for i in doc["output"]
              if i["type"] == "function_call"]
    items += [{"type": "custom_tool_call_output", "call_id": i["call_id"],
               "output": RESULT} for i in doc["output"]
              if i["type"] == "custom_tool_call"]
    return {"model": MODEL, "input": items + [{"role": "user",
                                               "content": USER}]}


def echo_messages(doc):
    results = [{"type": "tool_result", "tool_use_id": b["id"],
                "content": RESULT} for b in doc["content"]
               if b["type"] == "tool_use"]
    return {"model": MODEL, "max_tokens": 5000, "messages": [
        {"role": "user", "content": "start"},
        {"role": "assistant", "content": doc["content"]},
        {"role": "user", "content": results + [{"type": "text",
                                                "text": USER}]}]}


def echo_generate(doc):
    c = doc["candidates"][0]["content"]
    results = []
    for p in arr(c.get("parts")):
        if "functionCall" in p:
            f = {"name": p["functionCall"]["name"],
                 "response": {"result": RESULT}}
            if p["functionCall"].get("id"):
                f["id"] = p["functionCall"]["id"]
            results.append({"functionResponse": f})
    out = [{"role": "user", "parts": [{"text": "start"}]}, c]
    if results:
        out.append({"role": "user", "parts": results})
    return {"contents": out + [{"role": "user", "parts": [{"text": USER}]}]}


def echo_cohere(doc):
    m = doc["message"]
    msgs = [{"role": "user", "content": "start"}, m]
    msgs += [{"role": "tool", "tool_call_id": t["id"], "content": RESULT}
             for t in arr(m.get("tool_calls"))]
    return {"model": MODEL, "messages": msgs + [{"role": "user",
                                                 "content": USER}]}


def echo_converse(doc):
    m = doc["output"]["message"]
    results = [{"toolResult": {"toolUseId": b["toolUse"]["toolUseId"],
                               "content": [{"text": RESULT}]}}
               for b in m["content"] if "toolUse" in b]
    return {"messages": [{"role": "user", "content": [{"text": "start"}]}, m,
                         {"role": "user",
                          "content": results + [{"text": USER}]}]}


ECHO = {"chat": echo_chat, "responses": echo_responses,
        "messages": echo_messages, "generate": echo_generate,
        "cohere": echo_cohere, "converse": echo_converse}

# clients that have no slot for opaque state of any kind

NO_STATE = ("cohere",)


# ------------------------------------------------------ state in a request

def states_of(kind, doc):
    """what stands where a provider expects its own state"""
    out = []
    if kind == "messages":
        for m in doc["messages"]:
            for b in m["content"] if isinstance(m["content"], list) else []:
                if b["type"] == "thinking":
                    out.append(b["signature"])
                elif b["type"] == "redacted_thinking":
                    out.append(b["data"])
    elif kind == "generate":
        for c in doc["contents"]:
            out += [p["thoughtSignature"] for p in c["parts"]
                    if p.get("thoughtSignature")]
    elif kind == "responses":
        out += [i["encrypted_content"] for i in doc["input"]
                if i.get("type") == "reasoning"
                and i.get("encrypted_content")]
    elif kind == "converse":
        for m in doc["messages"]:
            for b in m["content"]:
                r = obj(b.get("reasoningContent"))
                t = obj(r.get("reasoningText"))
                out += [s for s in (t.get("signature"),
                                    r.get("redactedContent")) if s]
    return out


# Gemini's stand-in for a signature that is not known (wire-formats.md 2.6)

DUMMY = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="

FORMATS = {"messages": ("anthropic-claude-v1",),
           "converse": ("anthropic-claude-v1",),
           "generate": ("google-gemini-v1", "thought_signature"),
           "responses": ("openai-responses-v1",)}

# the request for what the answer came from

OWN = {"messages": ("anthropic", "claude-sonnet-4-5"),
       "generate": ("gemini", "gemini-3-pro-preview"),
       "responses": ("openai", "gpt-5.2"),
       "converse": ("bedrock",
                    "us.anthropic.claude-sonnet-4-5-20250929-v1:0")}


def states_in(kind, src, body):
    """state that must come back"""
    states = list(src.states)
    if kind == "generate":
        # those on calls; on a text they are of use, and not needed
        doc = loads(body)
        states = [p["thoughtSignature"]
                  for c in arr(doc.get("candidates"))[:1]
                  for p in arr(obj(c.get("content")).get("parts"))
                  if p.get("thoughtSignature") and "functionCall" in p]
    return states


class Checker:
    def __init__(self):
        self.driver = driver.Driver()
        self.results = []
        self.show = False

    def note(self, surface, kind, file, why):
        self.results.append((surface, kind, file, why))

    def check(self, case, surface, target=None):
        src = case.read()
        if skipped(src, surface) or not finished(src):
            return
        words = dict(kind="answer", to=SURFACES[surface][2],
                     vendor=case.vendor, model=MODEL, doc=True)
        words["from"] = case.op
        st, out = self.driver.job(case.body, **words)
        if st["result"] != "end":
            return
        got = read(surface, out, False)
        c = got.choice()
        if not (c.text or c.tools or c.reasoning):
            return
        body = ask.dump(ECHO[surface](loads(out))).encode()
        if self.show:
            print(body.decode()[:3000])
        first = positional(ask.READERS[surface](loads(body)))
        targets = [(kind, kind == case.kind and kind in OWN)
                   for kind in ([target] if target else SURFACES)]
        if case.kind == "responses" and case.provider == "xai":
            targets.append(("responses", False))    # OpenAI itself
        for kind, own in targets:
            if own:
                vendor, model = OWN[kind]
                if case.provider == "xai":
                    vendor, model = "xai", "grok-4"
            else:
                vendor, models = TARGETS[kind]
                model = models[0]
            words = dict(kind="request", to=SURFACES[kind][2],
                         vendor=vendor, model=model)
            words["from"] = SURFACES[surface][2]
            st, out = self.driver.job(body, **words)
            if self.show:
                print(kind, st, out.decode()[:3000])
            title = "%s, %s" % (case.file, "own" if own else "another")
            if st["result"] != "end":
                self.note(surface, kind, title, ["%s: %s %s" % (
                    st["result"], st["param"], st["message"])])
                continue
            doc = loads(out)
            second = positional(ask.READERS[kind](doc))
            why = list(second.problems)
            x = same_turns(first, second)
            if x and not c.images:
                why.append(x)
            why += self.states(case, src.choice(), surface, kind, own, doc)
            self.note(surface, kind, title, why)

    def states(self, case, src, surface, kind, own, doc):
        seen = [s for s in states_of(kind, doc) if s != DUMMY]
        if not own:
            # Anthropic's signatures are the same at Converse
            if kind in ("messages", "converse") and case.kind in (
                    "messages", "converse"):
                return []
            # what comes through OpenRouter says whose it is
            text = case.body.decode("utf-8")
            seen = [s for s in seen if not any(
                f in text for f in FORMATS.get(kind, ()))]
            return ["foreign state: %s" % seen[0][:40]] if seen else []
        want = states_in(kind, src, case.body)
        if surface in NO_STATE:
            return []
        if kind == "converse" and any("redacted" in s for s in want):
            return []
        lost = [s for s in want if s not in seen]
        if lost:
            return ["state is lost: %s, of %d; there is %s"
                    % (lost[0][:30], len(want), [s[:20] for s in seen][:3])]
        extra = [s for s in seen if s not in src.states]
        return ["state from nowhere: %s" % extra[0][:40]] if extra else []


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--list")
    p.add_argument("--one", nargs=3)
    a = p.parse_args()
    if fixtures.rows() is None:
        print("skipped: no recorded transcripts beside the checkout")
        return 0
    start = time.time()
    c = Checker()
    for case in fixtures.cases()[0]:
        if case.stream or case.status != 200 or case.kind == "invoke" \
                or case.file.startswith("_") or a.only not in case.file:
            continue
        if a.one:
            if a.one[0] in case.file:
                c.show = True
                c.check(case, a.one[1], a.one[2])
            continue
        for surface in SURFACES:
            c.check(case, surface)
    c.driver.close()
    failed = [r for r in c.results if r[3]]
    groups = {}
    for r in failed:
        groups.setdefault(r[:2] + (r[3][0][:40],), []).append(r)
    for k, xs in sorted(groups.items(), key=lambda g: -len(g[1]))[:60]:
        print("%4d %s -> %s: %s\n     %s" % (len(xs), k[0], k[1],
                                             xs[0][3][0][:160], xs[0][2]))
    if a.list:
        with open(a.list, "w") as f:
            for surface, kind, file, why in failed:
                f.write("%s -> %s: %s\n    %s\n" % (surface, kind, file,
                                                   "\n    ".join(why)))
    own = sum(", own" in r[2] for r in c.results)
    print("%d second turns, %d of them to the same provider"
          % (len(c.results), own))
    print("%d passed, %d failed, %d s" % (len(c.results) - len(failed),
                                          len(failed), time.time() - start))
    return 1 if failed or not c.results else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Every recorded answer of every provider, as each client would see it.  What
# the client reads must be what the provider said; both are read by
# oracle.py, which knows nothing of the code that translates.
#
#     run.py                     all of it; the exit status tells
#     run.py --only TEXT         recordings with this in their names
#     run.py --markdown FILE     writes the matrix to a file too
#     run.py --one FILE SURFACE  shows one of them
#     run.py --list FILE         writes all failures to a file

import argparse
import multiprocessing
import random
import re
import sys
import time

sys.dont_write_bytecode = True

import driver
import fixtures
import oracle


MODEL = "hub-model"

# surface: title, reader, operation of JSON, operation of streams

SURFACES = {
    "chat": ("OpenAI chat", "chat", "chat", "chat"),
    "responses": ("OpenAI Responses", "responses", "responses", "responses"),
    "messages": ("Anthropic Messages", "messages", "messages", "messages"),
    "generate": ("Gemini", "generate", "generate", "stream_generate"),
    "cohere": ("Cohere v2", "cohere", "cohere_chat", "cohere_chat"),
    "converse": ("Bedrock Converse", "converse", "converse",
                 "converse_stream"),
}

PROVIDERS = {"chat": "chat", "responses": "responses",
             "messages": "messages", "invoke": "messages",
             "generate": "generate", "cohere": "cohere",
             "converse": "converse", "ollama": "ollama"}

TITLES = dict((k, v[0]) for k, v in SURFACES.items())
TITLES["ollama"] = "Ollama native"


# What a surface cannot say.  Everything else must arrive.

# no slot for a refusal: it is text there
NO_REFUSAL = ("messages", "generate", "cohere", "converse")

# one answer only, the first
ONE_CHOICE = ("responses", "messages", "cohere", "converse")

# members of usage that the surface has
USAGE = {
    "chat": ("input", "cached", "output", "reasoning"),
    "responses": ("input", "cached", "output", "reasoning"),
    "messages": ("input", "cached", "cache_write", "output"),
    "generate": ("input", "cached", "output", "reasoning"),
    "cohere": ("input", "cached", "output"),
    "converse": ("input", "cached", "cache_write", "output"),
}

# why it stopped, as each surface can say it (wire-formats.md 2.1)
FINISH = {
    "chat": {"sequence": "stop", "pause": "stop", "context": "length"},
    "responses": {"sequence": "stop", "pause": "stop", "context": "length"},
    # Cohere tells that a sequence stopped it, and not which
    "messages": {"sequence": "sequence stop", "pause": "pause stop"},
    "generate": {"sequence": "stop", "pause": "stop", "context": "length"},
    # no reason for what was filtered: ERROR is the one that is no success
    "cohere": {"pause": "stop", "context": "length", "filter": "broken"},
    "converse": {"pause": "stop"},
}

# parts stand in the order in which the model made them; OpenAI chat has three
# members instead, Cohere two
ORDERED = ("responses", "messages", "generate", "converse")

# where a citation is a URL
CITED = ("chat", "responses", "messages")

# clients that may have custom tools, whose calls hold free text: nobody else
# is ever sent one
CUSTOM = ("chat", "responses")


def skipped(src, surface):
    """what no request through the gateway can have asked for"""
    for c in src.choices.values():
        # functions of 2023, which are no tools
        if c.native == "function_call":
            return True
        if surface not in CUSTOM and any(t.custom for t in c.tools):
            return True
    return False


def squeeze(s):
    """without white space: parts of a summary are joined by blank lines by
    some, by nothing by others"""
    return "".join(s.split())


def finished(a):
    return a.error is None and bool(a.choices) \
        and (a.complete or all(c.finish for c in a.choices.values()))


def compare(src, got, surface, stream):
    """what the client sees against what the provider said"""
    why = []
    if surface == "cohere" and got.choice().native == "ERROR" \
            and src.choice().finish == "filter":
        got.error, got.complete = None, True
    if got.error is not None:
        return ["an error: %s" % got.error[:100]]
    if not got.complete:
        why.append("does not look complete")
    numbers = sorted(src.choices)
    if surface in ONE_CHOICE:
        numbers = numbers[:1]
    if sorted(got.choices) != numbers and any(
            c.text or c.tools or c.reasoning for c in src.choices.values()):
        why.append("choices %s, not %s" % (sorted(got.choices), numbers))
    for n in numbers:
        if n in got.choices:
            why += compare_choice(src.choices[n], got.choices[n], surface,
                                  stream)
    if src.usage is not None:
        if got.usage is None:
            why.append("no usage")
        else:
            for k in USAGE[surface]:
                # Anthropic's message_start told an estimate of the input
                if k == "input" and surface == "messages" \
                        and src.usage[k] == 0:
                    continue
                if src.usage[k] != got.usage[k]:
                    why.append("usage: %s is %s, not %s"
                               % (k, got.usage[k], src.usage[k]))
    if surface in ("chat", "responses", "messages") and got.model != MODEL:
        why.append("model is %r" % got.model)
    return why + got.problems


def compare_choice(s, g, surface, stream):
    why = []
    texts, thoughts = [s.text], [s.reasoning]
    if s.plan:
        texts = [s.plan + s.text, s.text]
        thoughts = [s.reasoning, s.plan + s.reasoning, s.reasoning + s.plan]
        if surface == "cohere":
            texts.append(s.text)
    if s.refusal and surface in NO_REFUSAL:
        texts = [t + s.refusal for t in texts]
    got_text, got_thoughts = g.text, g.reasoning
    if g.plan:
        if s.plan:
            if squeeze(g.plan) == squeeze(s.plan):
                got_thoughts = s.plan + got_thoughts
            else:
                why.append("tool_plan")
        else:
            got_text = g.plan + got_text
    if s.explanation and not s.text:
        texts.append(s.explanation)
    if got_text not in texts:
        why.append("text is %s, not %s" % diff(got_text, texts[0]))
    if squeeze(got_thoughts) not in [squeeze(t) for t in thoughts]:
        why.append("reasoning is %s, not %s" % diff(got_thoughts,
                                                    thoughts[0]))
    if surface not in NO_REFUSAL and g.refusal != s.refusal \
            and g.refusal != s.explanation:
        why.append("refusal is %r, not %r" % (g.refusal[:60],
                                              s.refusal[:60]))
    want = FINISH[surface].get(s.finish, s.finish) or "stop"
    if s.finish == "broken":
        want = "broken stop tools"
    if s.refusal and surface in NO_REFUSAL:
        want += " filter" if surface != "cohere" else " broken"
    if g.finish not in want.split():
        why.append("finish is %s, not %s" % (g.finish, want))
    if s.sequence and surface == "messages" and g.sequence != s.sequence:
        why.append("stop_sequence is %r, not %r" % (g.sequence, s.sequence))
    if s.images and not g.images and surface in ("chat", "generate"):
        why.append("%d images are lost" % s.images)
    if surface in ORDERED and order(s) != order(g) \
            and not s.plan and not s.explanation:
        why.append("order is %s, not %s" % (order(g)[:9], order(s)[:9]))
    if surface in CITED and not set(s.urls) <= set(g.urls):
        why.append("%d of %d cited URLs" % (len(g.urls), len(s.urls)))
    return why + compare_tools(s, g, surface, stream)


def order(c):
    return ["text" if k == "refusal" else k for k in c.order]


def compare_tools(s, g, surface, stream):
    why = []
    if [t.name for t in s.tools] != [t.name for t in g.tools]:
        return ["calls of %s, not %s" % ([t.name for t in g.tools],
                                         [t.name for t in s.tools])]
    for a, b in zip(s.tools, g.tools):
        args, seen = a.args(), b.args()
        if a.custom or b.custom:
            # free text where there are custom tools, else in an object
            ok = b.raw == a.raw if b.custom else seen is not None
            if not ok:
                why.append("input of a custom call")
            continue
        if args is None or not args.startswith("{"):
            wrapped = oracle.canon({"rawInvalidInput": a.raw})
            if seen != wrapped and not (b.value is None and b.raw == a.raw) \
                    and not (a.value is not None and seen == args):
                why.append("arguments that are no object: %r from %r"
                           % ((b.raw or seen)[:80], a.raw[:80]))
        elif seen != args:
            why.append("arguments are %s, not %s" % diff(seen or b.raw, args))
        elif a.value is None and b.value is None and a.raw != b.raw \
                and a.raw.strip() not in ("", "null"):
            why.append("bytes of arguments: %r, not %r" % (b.raw[:80],
                                                           a.raw[:80]))
        if a.id and surface not in ("generate",) and b.id != a.id:
            why.append("id is %r, not %r" % (b.id, a.id))
    return why


def diff(got, want):
    n = 0
    while n < len(got) and n < len(want) and got[n] == want[n]:
        n += 1
    n = max(0, n - 10)
    return repr(got[n:n + 40]), repr(want[n:n + 40])


def read(surface, body, stream, array=False):
    reader = "array" if array else SURFACES[surface][1]
    return oracle.read(reader, body, stream)


class Checker:
    def __init__(self):
        self.driver = driver.Driver()
        self.results = []       # (provider, surface, kind, ok, reasons, case)

    def note(self, case, surface, kind, why):
        self.results.append((PROVIDERS[case.kind], surface, kind,
                             not why, why, case.file))

    def ask(self, case, surface, **more):
        _, _, op, stream_op = SURFACES[surface]
        words = dict(kind="answer", to=op, vendor=case.vendor, model=MODEL,
                     frame=case.frame)
        words["from"] = case.op
        words.update(more)
        if words.get("stream"):
            words["to"] = stream_op
        body = words.pop("body", case.body)
        return self.driver.job(body, **words)

    def died(self, case, surface, kind, e):
        text = str(e)
        self.note(case, surface, kind, ["the driver died: %s" % text[:1200]])

    def check(self, case, deep):
        src = case.read()
        for surface in SURFACES:
            if skipped(src, surface):
                continue
            try:
                if case.status != 200:
                    self.check_status(case, surface)
                elif case.stream:
                    self.check_stream(case, src, surface, deep)
                else:
                    self.check_json(case, src, surface)
            except driver.Died as e:
                self.died(case, surface, "any", e)

    # an answer with an error status: as an error document, and, should its
    # status have been 200, never as an answer

    def check_status(self, case, surface):
        st, out = self.driver.job(case.body, kind="error", status=case.status,
                                  to=SURFACES[surface][2])
        got = read(surface, out, False)
        why = [] if got.error and got.error != "error" \
            else ["no error but %r" % out[:100]]
        if not got.error or "shape of an error" in got.problems:
            why += got.problems
        self.note(case, surface, "error", why)
        st, out = self.ask(case, surface, doc=True)
        got = read(surface, out, False)
        why = []
        if st["result"] == "end" or got.complete:
            why.append("looks like an answer: %r" % out[:200])
        self.note(case, surface, "error", why)

    def error_check(self, st, got, src):
        why = []
        if got.complete:
            why.append("looks complete")
        if st["result"] not in ("error", "invalid"):
            why.append("result is %s" % st["result"])
        if not got.error:
            why.append("the client is told no error")
        elif src is not None and src.error and src.error not in (
                "error", "not JSON", "no candidates",
                "an answer within another") \
                and not src.error.startswith("unreadable") \
                and src.error[:40] not in got.error:
            why.append("the error says %r, not %r" % (got.error[:80],
                                                      src.error[:80]))
        return why + [p for p in got.problems
                      if "shape" in p or "after" in p]

    def check_json(self, case, src, surface):
        for stream in (False, True):
            st, out = self.ask(case, surface, doc=True, stream=stream)
            got = read(surface, out, stream)
            if not finished(src):
                why = self.error_check(st, got, src)
            elif st["result"] != "end":
                why = [] if self.unusable(src) else [
                    "result is %s: %s %s" % (st["result"], st["reason"],
                                             st["error"])]
            else:
                why = compare(src, got, surface, stream)
            self.note(case, surface, "JSON to stream" if stream else "JSON",
                      why)

    # a model that broke may be told as an error

    def unusable(self, src):
        return all(c.finish == "broken" for c in src.choices.values())

    def check_stream(self, case, src, surface, deep):
        st, out = self.ask(case, surface, stream=True, split="whole")
        self.judge(case, src, surface, "stream", st, out)
        size = len(case.body)
        seed = hash_of(case.file)
        splits = ["random:%d" % (seed % 9973)]
        if size < 100000 or deep:
            splits.append("bytes")
        for split in splits:
            st2, out2 = self.ask(case, surface, stream=True, split=split)
            why = []
            if out2 != out:
                n = next((i for i in range(min(len(out), len(out2)))
                          if out[i] != out2[i]), min(len(out), len(out2)))
                why.append("differs from the whole at %d: %r, not %r"
                           % (n, out2[n - 20:n + 40], out[n - 20:n + 40]))
            self.note(case, surface, "stream split", why)
        if surface == "generate":
            st, out = self.ask(case, surface, stream=True, array=True,
                               split="whole")
            self.judge(case, src, surface, "stream", st, out, True)
        self.check_cuts(case, surface, seed)

    def judge(self, case, src, surface, kind, st, out, array=False):
        got = read(surface, out, True, array)
        if not finished(src):
            why = self.error_check(st, got, src if src.error else None)
        elif st["result"] != "end":
            why = [] if self.unusable(src) else [
                "result is %s: %s %s" % (st["result"], st["reason"],
                                         st["error"])]
        else:
            why = compare(src, got, surface, True)
        self.note(case, surface, kind + (" array" if array else ""), why)

    # what comes of a stream that was cut before its end

    def check_cuts(self, case, surface, seed):
        rnd = random.Random("%s %s" % (case.file, surface))
        for i in range(4):
            at = rnd.randrange(1, len(case.body))
            body = case.body[:at]
            part = case.read(body)
            if finished(part) or any(c.finish for c in
                                     part.choices.values()):
                continue
            st, out = self.ask(case, surface, body=body, stream=True,
                               split="whole")
            got = read(surface, out, True)
            why = ["cut at %d: %s" % (at, w)
                   for w in self.error_check(st, got, None)]
            self.note(case, surface, "cut", why)
        if case.frame.startswith("aws"):
            self.check_crc(case, surface, rnd)

    # a byte that is not what was sent

    def check_crc(self, case, surface, rnd):
        at = rnd.randrange(len(case.body))
        body = bytearray(case.body)
        body[at] ^= 1 << rnd.randrange(8)
        st, out = self.ask(case, surface, body=bytes(body), stream=True,
                           split="whole")
        got = read(surface, out, True)
        why = []
        # the last message is of no use to all clients
        if got.complete and at < len(body) * 3 // 4:
            why.append("byte %d is broken, and nobody sees it" % at)
        self.note(case, surface, "CRC", why)


def hash_of(s):
    n = 0
    for ch in s.encode():
        n = (n * 31 + ch) & 0xffffff
    return n


def work(args):
    start, step, only, deep = args
    cases, _ = fixtures.cases()
    checker = Checker()
    cases.sort(key=lambda c: (len(c.body), c.file))
    for case in cases[start::step]:
        if only in case.file:
            checker.check(case, deep)
    checker.driver.close()
    return checker.results


def matrix(results):
    cells = {}
    for provider, surface, kind, ok, _, _ in results:
        cell = cells.setdefault((provider, surface), [0, 0])
        cell[0] += ok
        cell[1] += 1
    rows = [["client \\ provider"] + [TITLES[p] for p in TITLES]]
    for surface in SURFACES:
        row = [TITLES[surface]]
        for p in TITLES:
            c = cells.get((p, surface))
            row.append("%d/%d" % tuple(c) if c else "-")
        rows.append(row)
    return rows


def one(name, surface):
    cases, _ = fixtures.cases()
    case = next(c for c in cases if name in c.file)
    src = case.read()
    print(case.file, "from=%s vendor=%s frame=%s" % (case.op, case.vendor,
                                                     case.frame))
    show("provider", src)
    d = Checker()
    for stream in ((True,) if case.stream else (False, True)):
        st, out = d.ask(case, surface, stream=stream, doc=not case.stream,
                        split="whole")
        print("---", "stream" if stream else "JSON", st)
        text = out if surface != "converse" or not stream else b"\n".join(
            repr(m).encode() for m in oracle.aws(out))
        print(text.decode("utf-8", "replace")[:6000])
        got = read(surface, out, stream)
        show("client", got)
        print(compare(src, got, surface, stream))


def show(title, a):
    print(title, "complete=%s error=%r usage=%s model=%s" % (
        a.complete, a.error, a.usage, a.model), a.problems)
    for n, c in sorted(a.choices.items()):
        print("  ", n, dict((k, v) for k, v in vars(c).items()
                            if k not in ("tools", "states")))
        for t in c.tools:
            print("      ", vars(t))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="")
    p.add_argument("--markdown")
    p.add_argument("--list")
    p.add_argument("--deep", action="store_true")
    p.add_argument("--one", nargs=2)
    a = p.parse_args()
    if fixtures.rows() is None:
        print("skipped: no recorded transcripts beside the checkout")
        return 0
    if a.one:
        one(*a.one)
        return 0
    start = time.time()
    with multiprocessing.Pool(2) as pool:
        results = sum(pool.map(work, [(0, 2, a.only, a.deep),
                                      (1, 2, a.only, a.deep)]), [])
    failed = [r for r in results if not r[3]]
    groups = {}
    for provider, surface, kind, _, why, file in failed:
        key = (provider, surface, kind, re.sub("[0-9]+", "N", why[0])[:60])
        groups.setdefault(key, []).append((file, why))
    if a.list:
        with open(a.list, "w") as f:
            for provider, surface, kind, _, why, file in failed:
                f.write("%s -> %s %s: %s\n    %s\n" % (
                    provider, surface, kind, file, "\n    ".join(why)))
    for key, files in sorted(groups.items(), key=lambda g: -len(g[1]))[:60]:
        print("%4d %s -> %s, %s: %s\n     %s" % ((len(files),) + key
                                                 + (files[0][0],)))
    rows = matrix(results)
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(s.ljust(w) for s, w in zip(row, widths)).rstrip())
    if a.markdown:
        with open(a.markdown, "w") as f:
            f.write("| %s |\n" % " | ".join(rows[0]).replace("\\", "/"))
            f.write("|%s\n" % (" --- |" * len(rows[0])))
            for row in rows[1:]:
                f.write("| %s |\n" % " | ".join(row))
    kinds = {}
    for r in results:
        k = kinds.setdefault(r[2], [0, 0])
        k[0] += r[3]
        k[1] += 1
    print(", ".join("%s %d/%d" % (k, v[0], v[1])
                    for k, v in sorted(kinds.items())))
    print("%d passed, %d failed, %d s" % (len(results) - len(failed),
                                          len(failed), time.time() - start))
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())

# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Talks to the driver, which runs the core: one job at a time, one answer.

import json
import os
import subprocess

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(
    __file__)), "..", ".."))
OBJS = os.environ.get("OBJS", "objs")
PATH = os.environ.get("HUB_DRIVER", os.path.join(TOP, OBJS, "hub", "driver"))


class Died(Exception):
    pass


class Driver:
    def __init__(self):
        self.process = None

    def start(self):
        env = dict(os.environ)
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        self.process = subprocess.Popen(
            [PATH], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=env)

    def job(self, body, req=b"", **words):
        """status as a dictionary, and the output"""
        if self.process is None:
            self.start()
        line = "\t".join("%s=%s" % (k, int(v) if isinstance(v, bool) else v)
                         for k, v in words.items() if v != "")
        line += "\tin=%d" % len(body)
        if req:
            line += "\treq=%d" % len(req)
        p = self.process
        try:
            p.stdin.write(line.encode() + b"\n" + body + req)
            p.stdin.flush()
            status = p.stdout.readline()
        except BrokenPipeError:
            status = b""
        if not status:
            p.wait()
            text = p.stderr.read().decode("utf-8", "replace")
            self.process = None
            raise Died(text[:3000])
        status = json.loads(status)
        n = status["bytes"]
        out = p.stdout.read(n) if n else b""
        return status, out

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None

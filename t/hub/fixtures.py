# Copyright (C) the ngx_http_ai_gateway_module authors
#
# The recorded transcripts beside the checkout: which of them are answers, in
# which format, and their bytes.  They are not a part of this repository.

import base64
import csv
import json
import os

import oracle

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(
    __file__)), "..", "..", "..", "shared", "fixtures"))


# endpoint: operation asked of the provider, reader, operation of a stream

ENDPOINTS = {
    "chat": ("chat", "chat", "chat"),
    "responses": ("responses", "responses", "responses"),
    "messages": ("messages", "messages", "messages"),
    "rawPredict": ("messages", "messages", "messages"),
    "streamRawPredict": ("messages", "messages", "messages"),
    "invoke": ("messages", "messages", "messages"),
    "invoke-stream": ("messages", "invoke", "messages"),
    "generateContent": ("generate", "generate", "stream_generate"),
    "streamGenerateContent": ("generate", "generate", "stream_generate"),
    "converse": ("converse", "converse", "converse_stream"),
    "converse-stream": ("converse", "converse", "converse_stream"),
    "api-chat": ("ollama_chat", "ollama", "ollama_chat"),
}

# rows of the vendor table; all others are generic

VENDORS = ("openai azure anthropic gemini vertex mistral groq deepseek xai "
           "openrouter together fireworks perplexity ollama vllm llamacpp "
           "databricks snowflake cohere bedrock bedrock-mantle cerebras "
           "cloudflare huggingface moonshot zai alibaba writer avian crusoe "
           "heroku lmstudio").split()


# the last event of a stream

LAST = ("message_stop", "response.completed", "response.incomplete",
        "response.failed", "message-end")


class Case:
    def __init__(self, row):
        self.file = row["file"]
        self.row = row
        self.provider = row["provider"]
        self.endpoint = row["endpoint"]
        self.status = 200
        self.stream = False
        self.array = False      # a JSON array of chunks
        self.body = b""
        self.frame = "sse"
        self.request = None
        self.vendor = row["provider"]

    @property
    def reader(self):
        return "array" if self.array else self.kind

    def read(self, body=None):
        return oracle.read(self.reader, self.body if body is None else body,
                           self.stream, self.vendor)

    def __repr__(self):
        return self.file


def rows():
    path = os.path.join(ROOT, "manifest.tsv")
    if not os.path.exists(path):
        return None
    with open(path, newline="") as f:
        return list(csv.DictReader(f, delimiter="\t",
                                   quoting=csv.QUOTE_NONE))


def slurp(name):
    with open(os.path.join(ROOT, name), "rb") as f:
        return f.read()


def response_of(case, pair):
    """the bytes of the answer of a pair"""
    r = pair["response"]
    case.status = r.get("status", 200)
    q = pair.get("request") or {}
    case.request = q.get("body")
    case.url = q.get("url", "")
    if r.get("body_file"):
        return slurp(os.path.join(os.path.dirname(case.file),
                                  os.path.basename(r["body_file"])))
    if "body_base64" in r:
        return base64.b64decode(r["body_base64"])
    if "body_text" in r:
        return r["body_text"].encode("utf-8", "surrogatepass")
    return json.dumps(r.get("body"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass")


def wrap(case, body):
    """one payload per line, as vercel/ai keeps streams"""
    out = b""
    for line in body.split(b"\n"):
        line = line.strip()
        if not line:
            continue
        try:
            e = json.loads(line)
        except ValueError:
            e = {}
        if case.kind == "converse":
            if len(e) != 1 or line.startswith(b'{"headers"'):
                return None
            (name, payload), = e.items()
            out += oracle.aws_message(name, json.dumps(payload).encode())
            continue
        if case.kind in ("messages", "responses", "cohere") \
                and isinstance(e, dict) and "type" in e:
            out += b"event: " + e["type"].encode() + b"\n"
        out += b"data: " + line + b"\n\n"
        if isinstance(e, dict) and e.get("type") in LAST:
            break               # some files hold several streams
    if case.kind == "converse":
        case.frame = "aws"
    if case.kind == "cohere" and out:
        out += b"data: [DONE]\n\n"
    return out


def load(row):
    """a case, or why it is none"""
    case = Case(row)
    endpoint = row["endpoint"]
    if row["file"].startswith(("_golden", "_vectors")):
        return "not recorded"
    if row["kind"] == "request":
        return "a request"
    if row["provider"] == "cohere" and endpoint == "chat":
        case.op, case.kind, stream_op = "cohere_chat", "cohere", "cohere_chat"
    elif endpoint in ENDPOINTS:
        case.op, case.kind, stream_op = ENDPOINTS[endpoint]
    else:
        return "endpoint " + endpoint
    if case.vendor not in VENDORS:
        case.vendor = ""
    if row["provider"] == "bedrock" and endpoint == "chat":
        case.vendor = ""
    if row["provider"] == "vercel-gateway":
        case.vendor = "vercel"
    fmt = row["format"]
    if fmt == "text":
        return "text"
    body = slurp(row["file"])
    if row["kind"] == "pair":
        pair = json.loads(body)
        case.body = response_of(case, pair)
        if row["stream_file"]:
            case.body = slurp(row["stream_file"])
    else:
        case.body = body
        if row["file"].startswith("_errors-quoted") or row["status"] not in (
                "", "200"):
            case.status = int(row["status"] or 400)
    if fmt in ("sse", "eventstream"):
        case.stream = True
        if fmt == "eventstream":
            case.frame = "aws-bytes" if endpoint == "invoke-stream" else "aws"
            if endpoint == "invoke":
                case.frame, case.kind = "aws-bytes", "invoke"
    elif fmt == "ndjson":
        case.stream = True
        if case.kind == "ollama":
            case.frame = "lines"
        elif row["kind"] == "pair":
            return "not of this version"
        else:
            case.body = wrap(case, body)
            if case.body is None:
                return "decoded frames"
    elif row["kind"] == "stream":
        return "a stream in JSON"
    elif endpoint == "streamGenerateContent" and case.status == 200 \
            and case.body.lstrip().startswith(b"["):
        case.stream, case.array, case.frame = True, True, "array"
    if case.stream:
        case.op = stream_op
    if case.endpoint in ("invoke", "invoke-stream"):
        case.vendor = "bedrock-anthropic"
        head = case.body[:4000]
        if not case.stream and b'"type"' not in head and case.status == 200:
            return "another model"
    if case.provider == "vertex" and case.kind == "messages":
        case.vendor = "vertex-anthropic"
    if case.kind == "ollama":
        case.vendor = "ollama-native"
    if not case.body:
        return "empty"
    return case


def cases():
    """all usable answers, and how many rows were left out, by reason"""
    out, left = [], {}
    for row in rows() or []:
        c = load(row)
        if isinstance(c, Case):
            out.append(c)
        else:
            left[c] = left.get(c, 0) + 1
    return out, left

"""
Copyright (C) the ngx_http_ai_gateway_module authors

What a provider does with credentials: checks signatures of AWS, exchanges
assertions for tokens as Google does.  Written from the specifications, with
nothing in common with the code under test.
"""

import base64
import calendar
import hashlib
import hmac
import json
import re
import subprocess
import tempfile
import time
import urllib.parse

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/"
    r"aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def escaped(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


def canonical_query(query):
    pairs = []
    for item in query.split("&") if query else []:
        name, _, value = item.partition("=")
        pairs.append((escaped(urllib.parse.unquote(name)),
                      escaped(urllib.parse.unquote(value))))
    return "&".join("%s=%s" % p for p in sorted(pairs))


def check_sigv4(req, keys):
    """What is wrong with the signature of a request, or None if it has none.

    keys is a dict of access key id to {"secret":, "token":}.
    """
    value = req.get("authorization", "")
    if not value.startswith("AWS4-"):
        return None
    m = AUTHORIZATION.fullmatch(value)
    if m is None:
        return {"ok": False, "problem": "malformed: " + value}
    key, day, region, service, signed, signature = m.groups()
    out = {"ok": False, "key": key, "region": region, "service": service,
           "signed": signed.split(";")}
    out["problem"] = sigv4_problem(req, keys, out, day, signature)
    out["ok"] = out["problem"] is None
    return out


def sigv4_problem(req, keys, seen, day, signature):
    if seen["key"] not in keys:
        return "unknown key"
    known = keys[seen["key"]]
    names = seen["signed"]
    if names != sorted(set(names)):
        return "signed headers are not sorted"
    for name in ("host", "x-amz-date"):
        if name not in names:
            return name + " is not signed"
    token = req.get("x-amz-security-token")
    if (token or None) != (known.get("token") or None):
        return "another session token"
    if token and "x-amz-security-token" not in names:
        return "the session token is not signed"
    date = req.get("x-amz-date", "")
    if date[:8] != day:
        return "the scope has another day"
    when = calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    if abs(when - time.time()) > 300:
        return "the clock is wrong"
    headers = ""
    for name in names:
        values = [re.sub(" +", " ", v.strip()) for v in req.all(name)]
        if not values:
            return name + " is signed, but not there"
        headers += "%s:%s\n" % (name, ",".join(values))
    canonical = "\n".join([
        req.method, escaped(req.path, "/"), canonical_query(req.query),
        headers, ";".join(names), hashlib.sha256(req.body).hexdigest()])
    scope = "/".join([day, seen["region"], seen["service"], "aws4_request"])
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    k = mac(("AWS4" + known["secret"]).encode(), day)
    for part in (seen["region"], seen["service"], "aws4_request"):
        k = mac(k, part)
    if mac(k, text).hex() != signature:
        return "the signature is another one, of\n" + canonical
    return None


def unbase64(text):
    if re.search(r"[^A-Za-z0-9_-]", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check_assertion(form, conf, audience):
    """What is wrong with a request for a token; an empty list if nothing."""
    bad = []
    if form.get("grant_type") == "refresh_token":
        for name in ("client_id", "client_secret", "refresh_token"):
            if form.get(name) != conf.get(name):
                bad.append("another " + name)
        return bad
    if form.get("grant_type") != GRANT:
        return ["another grant_type"]
    try:
        head, claims, signature = form["assertion"].split(".")
        first = json.loads(unbase64(head))
        said = json.loads(unbase64(claims))
        signature = unbase64(signature)
    except (ValueError, KeyError) as e:
        return ["not a JWT: %r" % e]
    if first.get("alg") != "RS256" or first.get("typ") != "JWT":
        bad.append("header %r" % first)
    if first.get("kid") != conf.get("kid"):
        bad.append("another kid")
    for name, value in (("iss", conf.get("email")), ("scope", SCOPE),
                        ("aud", audience)):
        if said.get(name) != value:
            bad.append("%s is %r" % (name, said.get(name)))
    now = time.time()
    if abs(said.get("iat", 0) - now) > 10:
        bad.append("iat")
    if not 0 < said.get("exp", 0) - said.get("iat", 0) <= 3600:
        bad.append("exp")
    if not verified(head + "." + claims, signature, conf["public"]):
        bad.append("the signature is wrong")
    return bad


def verified(text, signature, public):
    with tempfile.NamedTemporaryFile() as f:
        f.write(signature)
        f.flush()
        done = subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", public,
             "-signature", f.name], input=text.encode(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=False)
    return done.returncode == 0


async def token(x):
    """Answer at the token endpoint, as the control API has set it up."""
    conf = x.store.google
    mode = conf.get("mode", "ok")
    form = dict(urllib.parse.parse_qsl(x.req.body.decode("latin-1"),
                                       keep_blank_values=True))
    audience = "%s://%s%s" % (conf.get("scheme", "http"),
                              x.req.get("host"), x.req.path)
    bad = check_assertion(form, conf, audience)
    if x.req.get("content-type") != "application/x-www-form-urlencoded":
        bad.append("content type")
    x.rec["token"] = {"bad": bad}
    x.store.counts["tokens"] += 1
    await x.sleep(float(conf.get("delay", 0)))
    if bad:
        await x.document({"error": "invalid_grant",
                          "error_description": "; ".join(bad)}, 400)
        return
    if mode == "ok":
        value = "%s%d" % (conf.get("prefix", "ya29.tok-"),
                          x.store.counts["tokens"])
        await x.document({"access_token": value, "token_type": "Bearer",
                          "expires_in": conf.get("expires", 3599)})
    elif mode == "stall":
        await x.stall()
    elif mode == "reset":
        await x.reset()
    elif mode.isdigit():
        await x.document({"error": "invalid_grant"}, int(mode))
    else:
        await x.document(mode.encode())

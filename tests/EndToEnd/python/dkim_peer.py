"""Verifies and signs with dkimpy, a peer that is not ours: a JSON line in, one out. Debian: python3-dkim, python3-nacl."""
import base64
import json
import sys

import dkim


def answer(request):
    zone = request["zone"]
    message = base64.b64decode(request["message"])

    def txt(name, timeout=5):
        name = (name.decode() if isinstance(name, bytes) else name).rstrip(".")
        return zone[name].encode() if name in zone else None

    if request["op"] == "dkim":
        return {"result": bool(dkim.verify(message, dnsfunc=txt))}
    if request["op"] == "arc":
        return {"result": dkim.arc_verify(message, dnsfunc=txt)[0].decode()}
    key = base64.b64decode(request["key"])
    ways = tuple(way.encode() for way in request["ways"])
    if request["op"] == "sign":
        field = dkim.sign(message, request["selector"].encode(), b"example.com", key, canonicalize=ways, signature_algorithm=request["algorithm"].encode())
    else:
        field = b"".join(dkim.arc_sign(message, request["selector"].encode(), b"example.com", key, b"mx.example.com", signature_algorithm=b"rsa-sha256"))
    return {"message": base64.b64encode(field + message).decode()}


for line in sys.stdin:
    if line.strip():
        print(json.dumps(answer(json.loads(line))))

"""Verifies callbacks as the specification of Standard Webhooks says, with the standard library alone.

Reads a callback a line: secret, id, timestamp, signature and body, each in Base64, `-` for what is missing.
Prints `accepted` or `refused` for each.
"""

import base64, hashlib, hmac, sys, time

TOLERANCE_SECONDS = 5 * 60


def is_valid(secret, id, timestamp, signatures, body):
    if None in (id, timestamp, signatures) or not timestamp.isdigit():
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.decode().removeprefix("whsec_"))
    digest = hmac.new(key, id + b"." + timestamp + b"." + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    return any(hmac.compare_digest(expected, signature) for signature in signatures.split(b" "))


for line in sys.stdin:
    fields = [None if field == "-" else base64.b64decode(field) for field in line.split()]
    print("accepted" if is_valid(*fields) else "refused")

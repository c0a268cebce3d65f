"""The PEM of a private key in a secret (RFC 7468): which block it is, and why there is none. Layer 2, no IO.

A secret is PEM, or a JSON object of which one member is. Call it inside of `hidden_frames`.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from connform.json_pointer import at_pointer

_BEGIN = re.compile(r"-----BEGIN ((?:[A-Z0-9]{2,9} ){0,2}PRIVATE KEY)-----")
_OTHER = re.compile(r"-----BEGIN (?:[A-Z0-9]{2,9} ){0,2}(CERTIFICATE|PUBLIC KEY)")
_START = 64
"""In so many of a block's first characters, OpenSSL's own form says that it is encrypted."""
_READABLE = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"}
"""PKCS #8, PKCS #1 and SEC 1."""
_DECRYPT = "store the key without a passphrase: openssl pkey -in FILE"
_CONVERT = "store the key in PKCS #8: openssl pkcs8 -topk8 -nocrypt -in FILE"
NO_KEY = "store the private key in PEM, from -----BEGIN to -----END; in one line, `\\n` stands for its line breaks"


class Problem(NamedTuple):
    """Why a secret is no usable key."""

    text: str
    """The end of a sentence `the secret …`."""
    hint: str


def find_block(text: str, at: str) -> tuple[str, str] | Problem:
    """Return the label and the base64 of the first private key in a text."""
    if at:
        member = _member(text, at)
        if not isinstance(member, str):
            hint = "store the whole file that the vendor gave you, or correct the pointer"
            return Problem(f"is no JSON object with a text at {at}", hint)
        text = member
    begin = _BEGIN.search(text)
    if begin is None:
        other = _OTHER.search(text)
        what = f"holds a {other[1].lower()} and no private key" if other else "is no private key in PEM"
        return Problem(what, NO_KEY)
    label = begin[1]
    body, end, _ = text[begin.end() :].partition(f"-----END {label}-----")
    if not end:
        return Problem("is a private key whose end is missing", NO_KEY)
    body = body.replace("\\r", "").replace("\\n", "\n")
    if label == "ENCRYPTED PRIVATE KEY" or "ENCRYPTED" in body[:_START]:
        return Problem("is a private key that a passphrase encrypts", _DECRYPT)
    if label not in _READABLE:
        return Problem("is a private key in another form than PKCS #8, PKCS #1 and SEC 1", _CONVERT)
    return label, "".join(body.split())


def _member(text: str, at: str) -> Any:
    try:
        return at_pointer(json.loads(text), at)
    except (ValueError, RecursionError):
        return None

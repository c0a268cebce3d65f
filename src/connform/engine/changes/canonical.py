"""The canonical form of plain data, JSON with sorted keys, and its digest.

Layer 3, no IO.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final


def digest(content: Any) -> str:
    """Return the SHA-256 of plain data in its canonical form."""
    return digest_of(canonical(content))


def digest_of(text: str) -> str:
    """Return the SHA-256 of data whose canonical form is a text."""
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def _encoder() -> Callable[[Any], str]:
    """Return a function that encodes plain data: sorted keys, no spaces, ASCII.

    `JSONEncoder.encode` makes an encoder in C at each call, which takes as long as the specification of a connection. Here it is made
    once, where Python has it.
    """
    encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    arguments = (None, encoder.default, json.encoder.encode_basestring_ascii, None, ":", ",", True, False, True)
    try:
        chunks = make(*arguments)
    except TypeError:
        return encoder.encode
    return lambda content: "".join(chunks(content, 0))


canonical: Final = _encoder()
"""Returns the canonical form of plain data."""

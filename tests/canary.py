"""A secret that must not leak: values of this run alone, and the search for them in every form a leak takes.

Tests use a canary wherever they need a secret. What a test prints, logs and leaves in its temporary folder is
searched when it ends (`conftest.py`); what it captures itself, it searches with `assert_no_canary`.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterable, Iterator
from functools import lru_cache

VARIABLE = "CONNFORM_TEST_CANARY"
"""The environment variable that hands the canary to subprocesses."""

_RANDOM = os.environ.setdefault(VARIABLE, secrets.token_hex(16))

API_KEY = f"cnry-{_RANDOM}"
"""A canary as an API key looks: a plain token."""
AWKWARD = f'c"/+%\\&<{_RANDOM}>=~'
"""A canary that JSON, URLs, HTML and shells escape."""
CANARIES = (API_KEY, AWKWARD)


def assert_no_canary(*outputs: str | bytes, where: str = "the output") -> None:
    """Fail if an output holds a canary, or half of one, raw or encoded. Never shows the output."""
    _assert_none(_NEEDLES, "the canary", outputs, where)


def assert_without(secrets: Iterable[str], *outputs: str | bytes, where: str = "the output") -> None:
    """Fail in the same way for secrets that a server of the test has issued."""
    _assert_none(_needles(tuple(secrets)), "an issued secret", outputs, where)


def _assert_none(needles: Iterable[tuple[str, bytes]], what: str, outputs: Iterable[str | bytes], where: str) -> None:
    __tracebackhide__ = True  # the arguments
    for output in outputs:
        data = output.encode("utf-8", "surrogateescape") if isinstance(output, str) else output
        for form, needle in needles:
            if needle in data:
                message = f"{where} holds {what}, {form}, at byte {data.index(needle)} of {len(data)}"
                raise AssertionError(message)


@lru_cache  # a key and its tokens are searched for again and again
def _needles(secrets: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    halves = [half for secret in secrets for half in (secret[: len(secret) // 2], secret[len(secret) // 2 :])]
    return tuple({needle: (form, needle) for half in halves for form, needle in _forms(half)}.values())


def _forms(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield "raw", raw
    yield "as hex", raw.hex().encode()
    yield "as hex", raw.hex().upper().encode()
    yield "as hex with separators", raw.hex(":").encode()
    yield "URL-encoded", "".join(f"%{byte:02x}" for byte in raw).encode()
    yield "URL-encoded", "".join(f"%{byte:02X}" for byte in raw).encode()
    yield "JSON-escaped", "".join(f"\\u{byte:04x}" for byte in raw).encode()
    yield "JSON-escaped", "".join(f"\\u{byte:04X}" for byte in raw).encode()
    yield "as UTF-16", text.encode("utf-16-le")
    yield "reversed", raw[::-1]
    for before in range(3):
        # The characters that depend on the neighbours are cut off.
        start = (before * 8 + 5) // 6
        end = (before + len(raw)) * 8 // 6
        yield "as base64", base64.b64encode(bytes(before) + raw)[start:end]


# Escaping leaves letters and digits alone or takes them one by one: the random part is found in every form, and a half of
# it where the rest was clipped. Neither base64 alphabet matters: ASCII letters and digits never give its 62 and 63.
_NEEDLES = _needles((_RANDOM,))

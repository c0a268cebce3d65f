"""Turns a stream of bytes into the same stream without secrets, across the borders of its pieces. Layer 5, no IO."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connform.secret import Secret

MASK = b"***"
_SHORTEST_ENCODED = 8
"""Less is found in any text."""


class Mask:
    """Hides secrets in one stream; holds back no more than what may be the beginning of one."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        """Take what must not be seen."""
        forms = {form for secret in secrets for form in _forms(secret.reveal())}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._forms)) or b"(?!)")
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Return what may be shown by now."""
        seen = self._pattern.sub(MASK, self._held + piece)
        begun = max((n for form in self._forms for n in range(1, len(form)) if seen.endswith(form[:n])), default=0)
        self._held = seen[len(seen) - begun :]
        return seen[: len(seen) - begun]

    def end(self) -> bytes:
        """Return what was held back: it was the beginning of none."""
        return self._held


def _forms(value: str) -> Iterator[bytes]:
    """Yield how a program may print a value: as it is, in JSON, in code, in a URL, in base64 wherever its bytes begin there."""
    plain = value.encode()
    for text in (value, json.dumps(value)[1:-1], value.replace("\\", "\\\\"), quote(value, safe=""), quote_plus(value)):
        yield text.encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + plain)
        whole = encoded[(0, 2, 3)[before] : len(encoded) - (0, 4, 4)[-(len(plain) + before) % 3]]
        if len(whole) >= _SHORTEST_ENCODED:
            yield whole
            yield whole.translate(bytes.maketrans(b"+/", b"-_"))

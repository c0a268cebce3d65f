"""Rate limits that servers asked for, remembered by origin and credential.

Layer 1, reads the monotonic clock. A credential that is renewed is remembered by the name of its account, any other as a keyed
digest only, with a key that never leaves the process.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    from connform.http.origin import Origin
    from connform.http.settings import HeaderLines

Holder: TypeAlias = "str | HeaderLines"
"""Who was asked to wait: an account, or whoever sends these lines."""

LONGEST_S: Final = 3600.0
"""A server that asks for more is asked again after that: its clock may be wrong, or its wish outdated."""
_KEY: Final = secrets.token_bytes(32)
_LOCK: Final = ProcessLocal(Lock)
_UNTIL: Final[dict[tuple[Origin, str | bytes], float]] = {}


def remember(origin: Origin, holder: Holder, delay_s: float) -> None:
    """Take note that requests of this holder are unwelcome for so many seconds."""
    now = monotonic()
    with _LOCK.own:
        for key in [key for key, ends_at in _UNTIL.items() if ends_at <= now]:
            del _UNTIL[key]
        _UNTIL[origin, _name(holder)] = now + min(delay_s, LONGEST_S)


def delay_s(origin: Origin, holder: Holder) -> float:
    """Return for how many seconds requests of this holder are still unwelcome; 0 where they are not."""
    if not _UNTIL:  # the usual case costs nothing
        return 0.0
    return max(_UNTIL.get((origin, _name(holder)), 0.0) - monotonic(), 0.0)


def _name(holder: Holder) -> str | bytes:
    if isinstance(holder, str):
        return holder
    return blake2b(b"\n".join(value for _, value in holder.reveal()), key=_KEY, digest_size=16).digest()

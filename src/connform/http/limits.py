"""Rate limits that servers asked for, remembered by origin, path and credential.

Layer 1, reads the monotonic clock. All clients of the process respect them. A renewable credential is identified by
its account, any other by a keyed digest, whose key never leaves the process.
"""

from __future__ import annotations

import os
from threading import Lock
from time import monotonic
from typing import TypeAlias

from connform.http.credential import HeaderLines
from connform.origin import Origin
from connform.process_local import ProcessLocal

Holder: TypeAlias = "str | HeaderLines"
"""Who was asked to wait: an account, or the credential with these header lines and parameters."""

_DIGEST_KEY = os.urandom(32)
_LOCK = ProcessLocal(Lock)
_WAIT_UNTIL: dict[tuple[Origin, str, str | bytes], float] = {}


def remember(origin: Origin, path: str, holder: Holder, delay_s: float) -> None:
    """Remember that this holder's requests of a path must wait for `delay_s` seconds."""
    now = monotonic()
    with _LOCK.own:
        for key in [key for key, ends_at in _WAIT_UNTIL.items() if ends_at <= now]:
            del _WAIT_UNTIL[key]
        _WAIT_UNTIL[origin, path, _holder_key(holder)] = now + delay_s


def delay_s(origin: Origin, path: str, holder: Holder) -> float:
    """Return for how many seconds this holder's requests of a path must still wait; 0 where they need not."""
    if not _WAIT_UNTIL:  # the usual case, without computing a digest
        return 0.0
    return max(_WAIT_UNTIL.get((origin, path, _holder_key(holder)), 0.0) - monotonic(), 0.0)


def delays_s(origin: Origin, holder: Holder) -> dict[str, float]:
    """Return the paths for which this holder must still wait, each with the seconds left."""
    key, now = _holder_key(holder), monotonic()
    with _LOCK.own:
        return {
            path: ends_at - now
            for (its_origin, path, its_key), ends_at in _WAIT_UNTIL.items()
            if (its_origin, its_key) == (origin, key) and ends_at > now
        }


def forget(origin: Origin, holder: Holder) -> None:
    """Forget the rate limits of this holder: its next requests are sent."""
    key = _holder_key(holder)
    with _LOCK.own:
        for path in [path for its_origin, path, its_key in _WAIT_UNTIL if (its_origin, its_key) == (origin, key)]:
            del _WAIT_UNTIL[origin, path, key]


def _holder_key(holder: Holder) -> str | bytes:
    if isinstance(holder, str):
        return holder
    from hashlib import blake2b  # few servers ask for a pause, and its import takes 5 ms

    values = [value for _, value in [*holder.reveal(), *holder.reveal_parameters()]]
    return blake2b(b"\n".join(values), key=_DIGEST_KEY, digest_size=16).digest()

"""How fast a store is read: slower after it limited the rate, and not any more after it failed several times in a row.

Layer 3, reads the monotonic clock. Other stores are not slowed down.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import inf
from time import monotonic

from connform.errors import RateLimited, SecretUnresolved, StoreFailed
from connform.secret import SecretReference
from connform.secrets.kit.interface import Outcome

_READS_AT_ONCE = 8
"""Few enough not to overload a server, and enough to hide its latency."""
_MAX_FAILED = 3
"""After so many reads in a row without an answer, or all limited for too long, a store is not read again in this run."""
_SHORTEST_PAUSE_S = 0.1
"""Also where the server asks for a pause of 0."""
_LONGEST_PAUSE_S = 20.0
"""Of the pauses that the server did not ask for."""
_JITTER = 0.25
"""The random part of a pause: other runs may have been told the same."""
_HINT = "try again later, raise the store's `timeout_s`, or ask its operators for a higher rate"


class Pace:
    """The pace of one store. One thread uses it, but for `require_permission`.

    With each rate limit, half as many reads run at once, and the pause before the next one doubles; with each read that was
    answered, the pause is halved. So the store is read about as fast as it permits.
    """

    def __init__(self, name: str, timeout_s: float) -> None:
        """Begin without pauses.

        Args:
            name: of the store in messages.
            timeout_s: how long the store may let no read through; all reads together may take longer.
        """
        self._name = name
        self._timeout_s = timeout_s
        self._at_once = _READS_AT_ONCE
        self._pause_s = 0.0
        self._resumes_at = -inf
        self._limited_since: float | None = None
        self._failed_in_a_row = 0
        self._refusal = ""

    def delay_s(self, running: int) -> float:
        """Return the seconds until one more read may begin, while so many are running; `inf` before one of those has ended."""
        return self._resumes_at - monotonic() if running < self._at_once else inf

    def require_permission(self) -> None:
        """Raise if the store is not to be asked any more.

        Raises:
            StoreFailed: it failed too often.
        """
        if self._failed_in_a_row >= _MAX_FAILED:
            raise StoreFailed(self._refusal)

    def judge(self, outcomes: Mapping[SecretReference, Outcome]) -> dict[SecretReference, Outcome]:
        """Take note of what a read returned, and return the final outcomes; the references that are left out are read again."""
        limits = {one: outcome for one, outcome in outcomes.items() if isinstance(outcome, RateLimited)}
        final = {one: outcome for one, outcome in outcomes.items() if one not in limits}
        is_answered = any(not isinstance(outcome, StoreFailed) for outcome in final.values())
        if is_answered:
            self._failed_in_a_row = 0
            self._limited_since = None
            self._pause_s /= 2
        if limits:
            left_s = self._slow_down(max(limit.retry_after_s or 0.0 for limit in limits.values()))
            return final | {one: self._given_up(limit, left_s) for one, limit in limits.items() if left_s is not None}
        if not is_answered:
            self._count(f"did not answer {_MAX_FAILED} times in a row")
        return final

    def _slow_down(self, asked_s: float) -> float | None:
        """Slow down after a rate limit. Return how long the store may still limit the rate if that is too short, else `None`."""
        now = monotonic()
        if self._limited_since is None:
            self._limited_since = now
        left_s = max(0.0, self._limited_since + self._timeout_s - now)
        if not asked_s < left_s:
            self._count(f"limited the rate for longer than its `timeout_s` allows, {_MAX_FAILED} times in a row")
            return left_s
        self._failed_in_a_row = 0
        if now >= self._resumes_at:  # otherwise it is one of several reads that were limited at the same time
            self._at_once = max(1, self._at_once // 2)
            self._pause_s = min(max(_SHORTEST_PAUSE_S, self._pause_s * 2), _LONGEST_PAUSE_S)
        pause_s = max(asked_s, min(self._pause_s, left_s))
        jitter_s = random.uniform(0, _JITTER * min(pause_s, _LONGEST_PAUSE_S))  # noqa: S311  (a pause is no secret)
        self._resumes_at = max(self._resumes_at, now + pause_s + jitter_s)
        return None

    def _given_up(self, limit: RateLimited, left_s: float) -> SecretUnresolved:
        if limit.retry_after_s:
            left = "" if left_s > self._timeout_s - 1 else f", of which {left_s:.0f} s are left"
            reason = f"asks to wait for {limit.retry_after_s:.0f} s; `timeout_s` is {self._timeout_s:g}{left}"
        else:
            reason = f"let no read through within the {self._timeout_s:g} s of `timeout_s`"
        hint = _HINT if limit.hint == limit.fault.hint else limit.hint
        return SecretUnresolved(limit.fault.name, f"{limit.message}, and {reason}", hint)

    def _count(self, reason: str) -> None:
        if self._failed_in_a_row < _MAX_FAILED:
            self._failed_in_a_row += 1
            self._refusal = f"{self._name} {reason}, and was not asked again"

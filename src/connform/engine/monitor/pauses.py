"""When a connection is to be checked again: after its interval with jitter, later while its server asks for that. Layer 3, no IO."""

from __future__ import annotations

from random import uniform

from connform.database.schedule_table import Pause
from connform.engine.connection_report import ConnectionReport

_JITTER = 0.1
"""An interval is shorter by up to so much, so that connections don't stay in step."""
MAX_PAUSE_S = 3600.0
"""The longest pause that a server may ask for. An hour later, a connection is checked even if it is asked to wait longer."""
_SLOW_FAULT = "rate_limited"


class Pauses:
    """The pauses after checks. A server that answers 429 without `Retry-After` gets twice the pause each time."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._asked_s: dict[str, float] = {}

    def after(self, report: ConnectionReport) -> Pause:
        """Return the pause after a check, by its report."""
        interval_s = self._interval_s * uniform(1 - _JITTER, 1)  # noqa: S311  (no secret)
        asked_s = next((one.facts["retry_after_s"] for one in report.stages if "retry_after_s" in one.facts), 0.0)
        if report.fault == _SLOW_FAULT:
            asked_s = asked_s or 2 * self._asked_s.get(report.name, self._interval_s)
        asked_s = min(asked_s, max(MAX_PAUSE_S, self._interval_s))
        if asked_s:
            self._asked_s[report.name] = asked_s
        else:
            self._asked_s.pop(report.name, None)
        return Pause(interval_s, asked_s)

    def slowed(self) -> frozenset[str]:
        """Return the connections whose servers have asked to wait."""
        return frozenset(self._asked_s)

    def keep_only(self, names: frozenset[str]) -> None:
        """Forget connections that are not declared any more."""
        self._asked_s = {name: asked_s for name, asked_s in self._asked_s.items() if name in names}

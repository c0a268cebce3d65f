"""The stages of one check, with the time and the facts of each.

Layer 3, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from time import perf_counter

from connform.engine.connection_report import Remark, StageResult
from connform.faults import Stage
from connform.grant import GrantFacts
from connform.http.credential import Credential

_SKIPPED = {stage: StageResult(stage, "skipped") for stage in Stage}
"""In their order."""


class Timeline:
    """Records the stages of one check as they end; an `http.settings.Observer`."""

    def __init__(self) -> None:
        self._started = self._last_end = perf_counter()
        self._succeeded: dict[Stage, StageResult] = {}
        self.remarks: list[Remark] = []
        """Remarks of a check that succeeded."""
        self.base_url = ""
        """The API root; empty before it is resolved."""
        self.credential: Credential | None = None
        """The credential of the request; `None` for none, or before there is one."""

    @property
    def grant(self) -> GrantFacts | None:
        """The facts of the customer's grant as it is now; `None` where no grant is used, or none was found."""
        facts = self.credential.facts if self.credential else None
        return facts if isinstance(facts, GrantFacts) else None

    def stage(self, stage: Stage, elapsed_s: float, facts: Mapping[str, object]) -> None:
        """Record that a stage succeeded."""
        self._succeeded[stage] = StageResult(stage, "ok", elapsed_s, _shared(facts))
        self._last_end = perf_counter()

    def done(self, stage: Stage, **facts: object) -> None:
        """Record that a stage succeeded just now; it began when the previous one ended."""
        self.stage(stage, perf_counter() - self._last_end, facts)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the check began."""
        return perf_counter() - self._started

    @property
    def latency_s(self) -> float:
        """Seconds that the HTTP exchange took: the request and its whole answer."""
        return self._succeeded[Stage.HTTP].elapsed_s

    def facts(self, stage: Stage) -> Mapping[str, object]:
        """Return the facts of a stage that succeeded; empty for any other."""
        return self._succeeded[stage].facts if stage in self._succeeded else {}

    def stages(self, failed: Stage | None = None, facts: Mapping[str, object] | None = None) -> tuple[StageResult, ...]:
        """Return every stage in order; stages that were not reached are `skipped`.

        Args:
            failed: the stage that failed; `None` if none did.
            facts: the facts of that stage.
        """
        reached = {**_SKIPPED, **self._succeeded}
        if failed:
            reached[failed] = StageResult(failed, "failed", perf_counter() - self._last_end, facts or {})
        return tuple(reached.values())


def _shared(facts: Mapping[str, object]) -> Mapping[str, object]:
    """Return equal facts as one object: they are those of thousands of connections."""
    try:
        return _facts_of(tuple(facts), *facts.values())
    except TypeError:  # a list is among them
        return facts


@lru_cache(maxsize=256, typed=True)  # `True` is not the same as 1
def _facts_of(names: tuple[str, ...], *values: object) -> Mapping[str, object]:
    return dict(zip(names, values, strict=True))

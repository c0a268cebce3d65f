"""When a connection is checked again."""

from __future__ import annotations

from typing import Any

import pytest

from connform.engine.connection_report import ConnectionReport, StageResult
from connform.engine.monitor.pauses import Pauses
from connform.faults import Stage

_READY: tuple[str, dict[str, Any]] = ("", {})
_LIMITED: tuple[str, dict[str, Any]] = ("rate_limited", {})


def asked(seconds: float, fault: str = "rate_limited") -> tuple[str, dict[str, Any]]:
    return fault, {"retry_after_s": seconds}


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([_READY, _READY], [0, 0]),
        ([("tcp_refused", {})], [0]),
        ([_LIMITED, _LIMITED, _LIMITED, _READY, _LIMITED], [600, 1200, 2400, 0, 600]),
        ([_LIMITED] * 5, [600, 1200, 2400, 3600, 3600]),
        ([asked(90), asked(900), asked(86_400)], [90, 900, 3600]),
        ([asked(900, "server_unavailable"), _READY], [900, 0]),
    ],
)
def test_a_connection_is_asked_later_only_while_its_server_asks_for_it(
    checks: list[tuple[str, dict[str, Any]]], expected: list[float]
) -> None:
    pauses = Pauses(300.0)
    for (fault, facts), at_least_s in zip(checks, expected, strict=True):
        stages = (StageResult(Stage.HTTP, "failed", 0.1, facts),)
        report = ConnectionReport("one", "http", "", "", "", "bearer", fault=fault, stages=stages)
        pause = pauses.after(report)
        assert 270 <= pause.interval_s <= 300
        assert pause.at_least_s == at_least_s
        assert pauses.slowed() == (frozenset({"one"}) if at_least_s else frozenset())

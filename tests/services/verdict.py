"""What is judged of a service: which requests failed, and whether its processes grew."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from statistics import median
from typing import Any, NamedTuple

import psutil

from tests.services.requests import Request
from tests.services.services import Service
from tests.services.trouble import Happened

_AFTER_S = 2.0
"""A request that began while the API was down may end so much later."""
_MAY_FAIL = {"restart": "", "stall": "SoftTimeLimitExceeded"}
"""What the outcome of a request may contain that failed meanwhile."""
_GROWTH = {"descriptors": 15, "threads": 6, "kilobytes": 30_000}
"""How much more the processes may hold in the last third of the time than in the first."""
_WARM_UP_S = 2.0
"""So long after the first answer, every worker has started."""
_PAUSE_S = 0.5


class Sample(NamedTuple):
    """What the processes of a service held at one time, all of them together."""

    at: float
    held: dict[str, int]
    pids: frozenset[int]


def samples(service: Service, load: Future[Any]) -> list[Sample]:
    """Look at the processes of a service, every `_PAUSE_S` for as long as there is load."""
    seen = []
    while not load.done():
        held, pids = dict.fromkeys(_GROWTH, 0), set()
        for process in _processes(service):
            with suppress(psutil.Error):  # it has ended
                held["descriptors"] += process.num_fds()
                held["threads"] += process.num_threads()
                held["kilobytes"] += process.memory_info().rss // 1024
                pids.add(process.pid)
        seen.append(Sample(time.time(), held, frozenset(pids)))
        time.sleep(_PAUSE_S)
    return seen


def _processes(service: Service) -> list[psutil.Process]:
    found = []
    for one in service.processes:
        with suppress(psutil.Error):
            process = psutil.Process(one.pid)
            found += [process, *process.children(recursive=True)]
    return found


def grown(samples: Sequence[Sample], requests: Sequence[Request]) -> tuple[list[str], str]:
    """Return what grew from the first to the last third of the time, the start left out, and a line that says it."""
    first = min(one.ended_at for one in requests if one.is_answered)
    warm = [sample for sample in samples if sample.at > first + _WARM_UP_S]
    third = max(len(warm) // 3, 1)
    early, late = _medians(warm[:third]), _medians(warm[-third:])
    amounts = ", ".join(f"{early[what]} then {late[what]} {what}" for what in _GROWTH)
    pids = frozenset[int]().union(*(sample.pids for sample in samples))
    return [
        what for what in _GROWTH if late[what] - early[what] > _GROWTH[what]
    ], f"{len(pids)} processes held {amounts}"


def _medians(samples: Sequence[Sample]) -> dict[str, int]:
    return {what: int(median(sample.held[what] for sample in samples)) for what in _GROWTH}


def wrong(requests: Sequence[Request], happened: Sequence[Happened]) -> list[Request]:
    """Return the requests that failed and should not have."""
    return [one for one in requests if not one.is_answered and not any(_may_fail(one, event) for event in happened)]


def _may_fail(request: Request, event: Happened) -> bool:
    reason = _MAY_FAIL.get(event.kind)
    is_meanwhile = event.began_at <= request.ended_at <= event.ended_at + _AFTER_S
    return reason is not None and reason in request.outcome and is_meanwhile


def lines(requests: Sequence[Request], happened: Sequence[Happened], began_at: float) -> list[str]:
    """Return for each kind of event how often it happened, and what came of the requests from then to the next event."""
    start = Happened("start", began_at, began_at)
    nexts = [*(event.began_at for event in happened), math.inf]
    by_kind: dict[str, list[tuple[Happened, list[Request]]]] = {}
    for event, following_at in zip([start, *happened], nexts, strict=True):
        its_own = [one for one in requests if event.began_at <= one.ended_at < following_at]
        by_kind.setdefault(event.kind, []).append((event, its_own))
    return [_line(kind, seen) for kind, seen in by_kind.items()]


def _line(kind: str, seen: Sequence[tuple[Happened, Sequence[Request]]]) -> str:
    requests = [one for _, its_own in seen for one in its_own]
    lasted = [one.ended_at - event.ended_at for event, its_own in seen for one in its_own if not one.is_answered]
    longest = max((one.ended_at - one.began_at for one in requests), default=0.0)
    text = f"  {len(seen)} x {kind}: {len(requests) - len(lasted)} answered, the longest took {longest:.1f} s"
    return f"{text}; {len(lasted)} failed, the last one {max(lasted):.1f} s after its end" if lasted else text

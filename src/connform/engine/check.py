"""Turns connections into verdicts: one read-only request through each ready client, stage by stage.

Layer 3; uses the network.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from connform.engine.catalog import provider
from connform.engine.client import client_settings
from connform.engine.describe import describe
from connform.engine.select import EVERYTHING, Selection
from connform.engine.surroundings import surroundings
from connform.engine.timeline import Timeline
from connform.engine.validate import read_manifest
from connform.errors import ConnectionFailed
from connform.faults import FAULTS, ExitCode, Stage, Verdict
from connform.http.client import async_client
from connform.providers.interface import Answer, Judgement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connform.diagnostics import Span
    from connform.engine.report import ConnectionReport, Report
    from connform.engine.surroundings import Surroundings
    from connform.manifest.model import Connection

TIMEOUT_S: Final = 10.0
"""How long a whole check may take by default."""
MAX_BODY_BYTES: Final = 1024 * 1024
CERTIFICATE_WARNING: Final = timedelta(days=14)


def check(
    files: Sequence[str] = (),
    selection: Selection = EVERYTHING,
    policies: Sequence[str] = (),
    *,
    simulate: bool = False,
    parallelism: int = 100,
    timeout_s: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    command: str = "check",
) -> Report:
    """Check the selected connections live, many at once; none hides another. Nothing is recorded.

    Args:
        files: manifests; empty for the default search.
        selection: which connections.
        policies: policy files and folders that judge every connection.
        simulate: against the embedded simulator, with synthetic secrets.
        parallelism: how many at once; more than 100 gains nothing on one core.
        timeout_s: the limit of each check; default: 10 s, or the connection's `total_s` where that is less.
        progress: is told how many are done, of how many.
        command: the verb of the report.

    Raises:
        UnknownConnection: the selection names none.
        NoBaseline: the selection compares with what can't be read.
    """
    started = perf_counter()
    manifest, validated = read_manifest(files, selection, policies)
    if manifest is None:
        return validated._replace(command=command, simulated=simulate)
    chosen = list(manifest.values())
    with surroundings(manifest, simulate=simulate) as world:
        reports = _run(_check_all(chosen, world, parallelism, timeout_s, progress))
    return validated._replace(
        command=command,
        connections=tuple(reports),
        connection_count=len(reports),
        simulated=simulate,
        elapsed_s=perf_counter() - started,
    )


def _run(work: Any) -> Any:
    """Run a coroutine, in a thread of its own where this thread already runs a loop (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _check_all(
    connections: Sequence[Connection],
    world: Surroundings,
    parallelism: int,
    timeout_s: float | None,
    progress: Callable[[int, int], None] | None,
) -> list[ConnectionReport]:
    reports: dict[str, ConnectionReport] = {}
    waiting = iter(connections)

    async def work() -> None:
        for connection in waiting:
            reports[connection.name] = await check_connection(connection, world, timeout_s)
            if progress:
                progress(len(reports), len(connections))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(max(parallelism, 1), len(connections))):
            group.create_task(work())
    return [reports[connection.name] for connection in connections]


async def check_connection(connection: Connection, world: Surroundings, timeout_s: float | None) -> ConnectionReport:
    """Return the verdict on one connection; whatever fails is in it, and never raised."""
    timeline = Timeline()
    total_s = timeout_s or min(TIMEOUT_S, connection.timeouts.total_s)
    try:
        judgement = await _ask(connection, world, total_s, timeline)
    except ConnectionFailed as failure:
        judgement = Judgement(failure.fault.name, failure.message, failure.hint)
    return _report(connection, judgement, timeline)


async def _ask(connection: Connection, world: Surroundings, total_s: float, timeline: Timeline) -> Judgement:
    api = provider(connection.provider)
    wanted = api.check_request(connection)
    timeline.done(Stage.CONFIG)
    settings = client_settings(connection, world, total_s=total_s, max_body_bytes=MAX_BODY_BYTES)
    timeline.done(Stage.SECRET)
    async with async_client(settings, timeline) as client:
        response = await client.request(wanted.method, wanted.path, json=wanted.json)
    answer = _answer(response.status_code, response.headers.items(), response.content)
    judgement = api.judge(connection, answer)
    if not judgement.fault or FAULTS[judgement.fault].stage is not Stage.HTTP:
        timeline.done(Stage.HTTP, http_status=answer.status)
        if not judgement.fault:
            timeline.done(Stage.AUTH)
            timeline.stage(Stage.LATENCY, timeline.latency_s, judgement.facts)
    return judgement


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    try:
        content, is_json = json.loads(body), True
    except (ValueError, RecursionError):
        content, is_json = None, False
    lower = {name.lower(): value for name, value in headers}
    return Answer(status, lower, content, is_json, received_at=datetime.now(UTC))


def _report(connection: Connection, judgement: Judgement, timeline: Timeline) -> ConnectionReport:
    fault = FAULTS[judgement.fault] if judgement.fault else None
    return describe(connection)._replace(
        verdict=fault.verdict if fault else Verdict.READY,
        stage=fault.stage if fault else None,
        fault=judgement.fault,
        message=judgement.message,
        hint=(judgement.hint or fault.hint) if fault else "",
        elapsed_s=timeline.elapsed_s,
        stages=timeline.stages(fault.stage if fault else None, judgement.facts),
        warnings=tuple(_warnings(timeline)),
        exit_code=fault.exit_code if fault else ExitCode.OK,
        place=_place(connection, judgement),
    )


def _warnings(timeline: Timeline) -> Iterator[str]:
    expires_at = timeline.facts(Stage.TLS).get("cert_expires_at")
    if isinstance(expires_at, str):
        remaining = datetime.fromisoformat(expires_at) - datetime.now(UTC)
        if remaining < CERTIFICATE_WARNING:
            yield f"the server's certificate ends in {max(remaining.days, 0)} days, at {expires_at}: have it renewed"


def _place(connection: Connection, judgement: Judgement) -> Span:
    """Return where the manifest says what failed: the secret that the message names, else the connection's name."""
    for key, reference in connection.auth.references.items():
        if re.search(rf"`{key}`|{re.escape(str(reference))}(?![^\s),])", judgement.message):
            return connection.place_of("auth", key)
    return connection.span

"""The section `network` of `doctor`: whether the servers of the connections are reached, and the clock. Layer 3; uses the network.

Each origin of an API root and of a token endpoint gets one `HEAD /` without a credential. Its status doesn't matter; its `Date` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from connform.auth.oauth.server import settings_for
from connform.engine.doctor.clock import clock_finding, difference
from connform.engine.doctor.finding import failed, good, listed, note
from connform.engine.doctor.situation import Situation
from connform.engine.doctor.targets import Target, targets_of, via
from connform.engine.report_parts import DoctorFinding
from connform.engine.run.client import bare_settings
from connform.engine.run.context import real_context
from connform.engine.run.progress import SILENT
from connform.engine.run.timeline import Timeline
from connform.errors import ConnectionFailed, SecretUnresolved
from connform.faults import Stage
from connform.http.settings import ClientSettings
from connform.manifest.model import Connection

_PARALLELISM = 100
_WAY = (Stage.DNS, Stage.TCP, Stage.TLS)


class _UsedTarget(NamedTuple):
    target: Target
    connections: list[Connection]

    @property
    def name(self) -> str:
        return str(self.target.origin)


class _Reached(NamedTuple):
    finding: DoctorFinding
    clock: timedelta | None = None
    """How far this machine's clock is ahead of the server's."""


def look(situation: Situation) -> Iterator[DoctorFinding]:
    """Yield a finding for each origin, then that of the clock."""
    users: dict[Target, list[Connection]] = {}
    for connection in situation.manifest.values() if situation.manifest is not None else ():
        try:
            for target in targets_of(connection):
                users.setdefault(target, []).append(connection)
        except ConnectionFailed as failure:  # of a plug-in
            yield failed(connection.name, failure)
    if situation.is_offline:
        if users:
            yield note("servers", f"not tried (--offline): {listed([str(one.origin) for one in users])}")
        yield note("clock", "not compared (--offline)")
        return
    from connform.engine.run.concurrency import for_each, run_coroutine  # imports asyncio

    reached: dict[Target, _Reached] = {}

    async def reach(server: _UsedTarget) -> None:
        reached[server.target] = await _reach(situation, server)

    servers = [_UsedTarget(target, connections) for target, connections in users.items()]
    run_coroutine(for_each(servers, reach, _PARALLELISM, SILENT, {}))
    yield from (reached[target].finding for target in users)
    if not users:
        yield note("clock", "not compared: there is no server to ask")
        return
    yield clock_finding([one.clock for target in users if (one := reached[target]).clock is not None])


async def _reach(situation: Situation, server: _UsedTarget) -> _Reached:
    from asyncio import to_thread

    target, connections = server
    timeline = Timeline()
    try:
        settings = await to_thread(_settings, situation, target, connections[0])  # reads the proxy's password
        answered_at, date = await _date(settings, timeline)
    except SecretUnresolved:
        return _Reached(note(str(target.origin), "not tried: the password of its proxy is missing"))
    except ConnectionFailed as failure:
        if not timeline.facts(Stage.TLS if target.origin.scheme == "https" else Stage.TCP):
            found = failed(str(target.origin), failure)
            message = f"{failure.message}{via(target)}; needed by {listed([one.name for one in connections])}"
            return _Reached(found._replace(message=message))
        answered_at, date = datetime.now(UTC), ""  # reached: what it answered doesn't matter
    return _Reached(_finding(target, timeline), difference(answered_at, date))


def _settings(situation: Situation, target: Target, connection: Connection) -> ClientSettings:
    """Return the settings of a client without a credential, for the whole origin."""
    assert situation.manifest is not None  # noqa: S101  (it has the connection)
    context = real_context(situation.manifest, situation.state)._replace(source=situation.source)
    bare = bare_settings(connection, context, total_s=situation.timeout_s)
    connect_s = min(bare.connect_s, situation.timeout_s)
    return settings_for(str(target.origin), bare)._replace(attempts=1, connect_s=connect_s)


async def _date(settings: ClientSettings, timeline: Timeline) -> tuple[datetime, str]:
    """Return when the answer came, and its header `Date`; raise `ConnectionFailed` where there is none."""
    from connform.http import async_client  # imports httpx

    async with async_client(settings, timeline) as client:
        response = await client.head("/")
    return datetime.now(UTC), response.headers.get("date", "")


def _finding(target: Target, timeline: Timeline) -> DoctorFinding:
    from connform.engine.run.live_check import CERTIFICATE_WARNING  # imports httpx

    took_ms = sum(one.elapsed_s for one in timeline.stages() if one.name in _WAY) * 1000
    message = f"reached in {took_ms:.0f} ms{via(target)}"
    facts = timeline.facts(Stage.TLS)
    if facts:
        message += f", {facts['tls_version']}"
    ends_at = facts.get("cert_expires_at")
    if not isinstance(ends_at, str) or not ends_at:
        return good(str(target.origin), message)
    message += f", certificate until {ends_at[:10]}"
    if datetime.fromisoformat(ends_at) - datetime.now(UTC) < CERTIFICATE_WARNING:
        return note(str(target.origin), message, "have the certificate renewed: it ends soon")
    return good(str(target.origin), message)

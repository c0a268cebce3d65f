"""`Monitor`: checks each connection on its interval, records the results, and reads manifests and secrets anew. Layer 3.

Everything that waits for files, stores or databases runs in threads: the event loop only checks. Replicas share the work by the schedule in
the state database; while that is away, each of them checks everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import time

from connform.database.schedule_table import Claim
from connform.engine.monitor.declared import DeclaredConnections, fingerprint, read_declared
from connform.engine.monitor.local_schedule import LocalSchedule
from connform.engine.monitor.pauses import Pauses
from connform.engine.monitor.results import Results
from connform.engine.monitor.secret_rounds import Round, begin_round, read_failed_again
from connform.engine.monitor.settings import MonitorSettings
from connform.engine.monitor.state_tables import StateTables
from connform.engine.monitor.status import Status
from connform.engine.run.concurrency import wait_at_most
from connform.engine.run.context import RunContext
from connform.engine.run.live_check import check_connection
from connform.engine.run.recorded_check import recorded_check
from connform.errors import ConnectionFailed, ConnformError, ManifestInvalid
from connform.manifest.model import Connection

Log = Callable[[str], None]
"""Writes one line about something that happened."""

_TICK_S = 1.0
"""The longest time between two looks for due connections and results."""
_FILES_S = 2.0
"""How often manifests are looked at."""
_RETRY_S = 5.0
"""How often a state database that is away is tried."""
_END_S = 3.0
"""How long running checks may take after the monitor was asked to end."""


class Monitor:
    """Checks connections until it is stopped."""

    def __init__(
        self, settings: MonitorSettings, declared: DeclaredConnections, log: Log, simulated: RunContext | None = None
    ) -> None:
        """Take what to check.

        Args:
            settings: what it was started with.
            declared: the connections.
            log: is told of changed verdicts, of reloads, and of what fails; holds no secret.
            simulated: the context of a simulated run, or `None`.

        Raises:
            ConnectionFailed: the state can't be where it is said to be, or a library is missing.
        """
        self.settings = settings
        self.status = Status(manifest_loaded_at=time())
        """Whether manifest and state are in order."""
        self.results = Results()
        """Results that are not recorded yet."""
        self._log = log
        self._simulated = simulated
        self.declared = declared
        """The connections that are at work."""
        self.round: Round | None = None
        """Their secrets; `None` until they were read."""
        self._seen = declared.fingerprint
        self._tables = StateTables(settings.state)
        self._tables.declare(declared.connections.values())
        self._tables.require()
        self._pauses = Pauses(settings.interval_s)
        self._local = LocalSchedule(settings.interval_s)
        self._running: dict[asyncio.Task[None], str] = {}
        self._wake = asyncio.Event()
        self._reload = asyncio.Event()
        self._is_ending = asyncio.Event()

    def reload(self) -> None:
        """Read manifests and secrets anew, changed or not."""
        self._reload.set()

    def end(self) -> None:
        """End `run` within seconds."""
        self._is_ending.set()
        self._wake.set()

    @property
    def is_ending(self) -> bool:
        """Whether it was asked to end."""
        return self._is_ending.is_set()

    async def run(self) -> None:
        """Check until `end` is called; then record what was found."""
        tasks = [asyncio.create_task(work) for work in (self._is_ending.wait(), self._work())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._finish()

    async def _work(self) -> None:
        await self._use(self.declared)
        async with asyncio.TaskGroup() as loops:
            for loop in (self._check_due, self._record_results, self._read_anew):
                loops.create_task(loop())

    async def _finish(self) -> None:
        """Wait a moment for running checks, record the results, and give up the claims."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_END_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self.status.is_state_reachable:
            await self._record()
            with suppress(ConnectionFailed):
                await asyncio.to_thread(self._tables.release)
        if self.round:
            self.round.leave()
        self._tables.close()

    async def _check_due(self) -> None:
        while True:
            claim = await self._claim()
            for name in claim.names:
                connection = self.declared.connections.get(name)
                if connection is not None:
                    task = asyncio.create_task(self._check(connection))
                    self._running[task] = name
                    task.add_done_callback(self._ended)
            self._wake.clear()
            tick_s = min(_TICK_S, self.settings.interval_s / 10)
            await wait_at_most(self._wake, min(max(claim.next_s, tick_s), _RETRY_S))

    def _ended(self, task: asyncio.Task[None]) -> None:
        is_full = len(self._running) >= self.settings.parallelism
        name = self._running.pop(task, "")
        if not task.cancelled() and (error := task.exception()):
            self._log(f"internal error: {type(error).__name__} while {name} was checked")
        if is_full:  # others may be waiting
            self._wake.set()

    async def _claim(self) -> Claim:
        """Return the connections to check now."""
        names = self.declared.connections.keys() - set(self._running.values())
        free = self.settings.parallelism - len(self._running)
        if free <= 0 or not names:
            return Claim([], _TICK_S)
        if self.status.is_state_reachable:
            try:
                return await asyncio.to_thread(self._tables.claim, names, free, self.settings.lease_s)
            except ConnectionFailed as failure:
                self._lose_state(failure)
        return self._local.claim(names, free)

    async def _check(self, connection: Connection) -> None:
        assert self.round is not None  # noqa: S101  (`run` has begun one)
        with self.round.in_use() as context:
            report = await check_connection(connection, context, self.settings.timeout_s)
            versions = context.source.versions(connection)
        check = recorded_check(connection, report, versions, self.settings.actor)
        pause = self._pauses.after(report)
        self._local.done(connection.name, pause)
        before = self.results.add(check, pause)
        self.status.unrecorded = len(self.results)
        if before is not None:
            was = f" (was {before[0]})" if before[0] else ""
            what = " ".join(filter(None, [check.verdict, check.fault]))
            self._log(f"{connection.name}: {what}{was}" + (f": {check.message}" if check.message else ""))

    async def _record_results(self) -> None:
        while True:
            reached = self.status.is_state_reachable
            await asyncio.sleep(min(_TICK_S, self.settings.interval_s / 10) if reached else _RETRY_S)
            if reached:
                await self._record()
            else:
                await self._reach_state()

    async def _record(self) -> None:
        if not len(self.results):
            return
        taken = self.results.take()
        try:
            await asyncio.to_thread(self._tables.record, taken.checks, taken.pauses, self.settings.keep)
        except ConnectionFailed as failure:
            self.results.put_back()
            self._lose_state(failure)
        else:
            self.results.recorded()
            self.status.recorded_at = time()
        self.status.unrecorded = len(self.results)

    async def _reach_state(self) -> None:
        """Add the declared connections to the schedule; from then on the state database counts."""
        try:
            self.results.know(await asyncio.to_thread(self._tables.histories, 1))
            await asyncio.to_thread(self._tables.add, self.settings.interval_s, self._pauses.slowed())
        except ConnectionFailed as failure:
            self._lose_state(failure)
        else:
            if self.status.recorded_at or self._local.is_in_use:
                self._log("the state database can be written again")
            self._local.is_in_use = False
            self.status.is_state_reachable = True
            self.status.state_failure = None
            self._wake.set()

    def _lose_state(self, failure: ConnectionFailed) -> None:
        if self.status.is_state_reachable or not self._local.is_in_use:
            self._log(f"the state database can't be used, checks go on: {failure.message}")
            self._local.begin(self.declared.connections)
        self.status.is_state_reachable = False
        self.status.state_failure = failure

    async def _read_anew(self) -> None:
        """Read manifests when they change, and secrets when it is time."""
        secrets_at = time() + self.settings.secret_interval_s
        failed_at = time() + self.settings.interval_s
        while True:
            await wait_at_most(self._reload, min(_FILES_S, self.settings.secret_interval_s))
            is_asked, now = self._reload.is_set(), time()
            self._reload.clear()
            seen = await asyncio.to_thread(fingerprint, self.settings)
            if is_asked or seen != self._seen:
                self._seen = seen
                await self._read_manifests()
                secrets_at = now + self.settings.secret_interval_s
            elif now >= secrets_at:
                secrets_at = now + self.settings.secret_interval_s
                await self._begin_round(self.declared)
            elif now >= failed_at and self.round:
                failed_at = now + self.settings.interval_s
                await asyncio.to_thread(read_failed_again, self.round)

    async def _read_manifests(self) -> None:
        """Take the manifests that lie there now; if they aren't valid, the last good ones stay at work."""
        try:
            declared = await asyncio.to_thread(read_declared, self.settings)
        except ConnformError as failure:
            self.status.is_manifest_valid = False
            self.status.refused = failure.diagnostics if isinstance(failure, ManifestInvalid) else ()
            self._log(f"the changed manifest is not used, the last good one stays at work: {_first_line(failure)}")
            return
        self.status.is_manifest_valid, self.status.refused = True, ()
        self.status.manifest_loaded_at = time()
        await self._use(declared)
        self._log(f"read the manifest anew: {len(declared.connections)} connections")

    async def _use(self, declared: DeclaredConnections) -> None:
        self._seen = declared.fingerprint
        await self._begin_round(declared)
        names = frozenset(declared.connections)
        for kept in (self.results, self._pauses, self._local):
            kept.keep_only(names)
        self._tables.declare(declared.connections.values())
        await self._reach_state()
        self._wake.set()

    async def _begin_round(self, declared: DeclaredConnections) -> None:
        """Read the secrets, then check with them."""
        new = await asyncio.to_thread(begin_round, declared, self.settings.state, self._simulated)
        former, self.round, self.declared = self.round, new, declared
        self.status.secrets_read_at = time()
        if former:
            former.leave()


def _first_line(failure: ConnformError) -> str:
    """Return the first error of a manifest, or what another failure says."""
    errors = failure.diagnostics if isinstance(failure, ManifestInvalid) else ()
    first = next((one for one in errors if one.severity == "error"), None)
    return str(first or failure).split("\n", 1)[0]

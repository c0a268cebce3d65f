"""Group commit of the state database: records that come during a write are written together by the next one.

Layer 3; writes the recorded state, in a worker thread.
"""

from __future__ import annotations

import asyncio

from connform.database.state_changes import StateChanges
from connform.errors import ConnectionFailed
from connform.recorded import AppliedRecord, EarlierSpec


class GroupCommit:
    """Writes records to one state table, whose parts are locked meanwhile."""

    def __init__(self, changes: StateChanges) -> None:
        self._changes = changes
        self._waiting: list[tuple[AppliedRecord | str, tuple[EarlierSpec, ...], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    def fail(self, failure: ConnectionFailed) -> None:
        """Let every later call fail, since the table can't be written."""
        self._failure = failure

    def require_working(self) -> None:
        """Require that no write has failed yet. A change that can't be recorded must not begin.

        Raises:
            ConnectionFailed: the failure of an earlier write; another exception if that is what it raised.
        """
        if self._failure is not None:
            raise self._failure

    async def write(self, entry: AppliedRecord | str, former: tuple[EarlierSpec, ...] = ()) -> None:
        """Write or delete the record of a connection, and return when that is durable; errors as for `require_working`.

        Args:
            entry: the record to write, or the name of the connection whose record to delete.
            former: replaced or deleted specifications that stay recorded.
        """
        self.require_working()
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, former, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            records = [entry for entry, _, _ in batch if not isinstance(entry, str)]
            removed = [entry for entry, _, _ in batch if isinstance(entry, str)]
            former = [spec for _, specifications, _ in batch for spec in specifications]
            try:
                self.require_working()
                await asyncio.to_thread(self._changes.write, records, removed, former)
            except Exception as error:  # noqa: BLE001  (the waiting callers must get every exception, or they wait for ever)
                self._failure = error
            for _, _, future in batch:
                if future.done():
                    continue
                if self._failure is None:
                    future.set_result(None)
                else:
                    future.set_exception(self._failure)

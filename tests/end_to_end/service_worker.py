"""A worker of a service: threads and tasks that use ready clients of one `connform.load()` for some seconds.

argv: the manifest, seconds. Prints as JSON how many requests were answered, when others failed and why, and what the process held
after a tenth of the time and shortly before its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import connform

_PAUSE_S = 0.05


class Seen:
    """What came of the requests of this process."""

    def __init__(self) -> None:
        self.answered = 0
        self.failed: list[tuple[float, str, str]] = []
        """Moment, connection, reason."""

    def note(self, name: str, result: Any) -> None:
        if getattr(result, "status_code", None) == 200:
            self.answered += 1
        else:
            what = f"{type(result).__name__}: {result}" if isinstance(result, Exception) else str(result.status_code)
            self.failed.append((time.time(), name, what))


def _use(connection: connform.ReadyConnection, ends_at: float, seen: Seen) -> None:
    """One client for the whole time, and a client for each tenth request, as a job would."""
    with connection.client() as lasting:
        number = 0
        while time.monotonic() < ends_at:
            number += 1
            try:
                if number % 10:
                    seen.note(connection.name, lasting.get("/x"))
                else:
                    with connection.client() as short:
                        seen.note(connection.name, short.get("/x"))
            except Exception as error:  # noqa: BLE001  (whatever comes is noted)
                seen.note(connection.name, error)
            time.sleep(_PAUSE_S)


async def _use_async(connection: connform.ReadyConnection, ends_at: float, seen: Seen) -> None:
    async with await connection.build_async_client() as client:
        while time.monotonic() < ends_at:
            try:
                seen.note(connection.name, await client.get("/x"))
            except Exception as error:  # noqa: BLE001  (whatever comes is noted)
                seen.note(connection.name, error)
            await asyncio.sleep(_PAUSE_S)


def _held() -> dict[str, int]:
    resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "kilobytes": resident_pages * os.sysconf("SC_PAGE_SIZE") // 1024,
    }


async def _tasks(connections: connform.Connections, seconds: float, ends_at: float, seen: Seen) -> list[dict[str, int]]:
    async with asyncio.TaskGroup() as group:
        for connection in connections.values():
            group.create_task(_use_async(connection, ends_at, seen))
        held = []
        for pause_s in (seconds * 0.1, seconds * 0.85):
            await asyncio.sleep(pause_s)
            held.append(_held())
    return held


def main() -> None:
    manifest, seconds = sys.argv[1], float(sys.argv[2])
    seen, ends_at = Seen(), time.monotonic() + seconds
    with connform.load(manifest) as connections:
        threads = [threading.Thread(target=_use, args=(one, ends_at, seen)) for one in connections.values()]
        for thread in threads:
            thread.start()
        early, late = asyncio.run(_tasks(connections, seconds, ends_at, seen))
        for thread in threads:
            thread.join()
    print(json.dumps({"answered": seen.answered, "failed": seen.failed, "early": early, "late": late}))


main()

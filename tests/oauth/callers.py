"""Callers of one connection: threads and tasks of one process that use ready clients for some seconds.

argv: manifest, state URL (or an empty word), seconds. Prints what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from threading import Thread
from time import monotonic
from typing import Any

import connform

_PAUSE_S = 0.05


def _thread(ready: Any, ends_at: float, seen: Counter[str]) -> None:
    with ready.client() as client:
        while monotonic() < ends_at:
            try:
                seen[str(client.post("/packages/list", json={"take": 1, "skip": 0}).status_code)] += 1
            except Exception as error:  # noqa: BLE001  (whatever comes is counted)
                seen[f"{type(error).__name__}: {error}"] += 1
            _sleep()


def _sleep() -> None:
    import time

    time.sleep(_PAUSE_S)


async def _task(ready: Any, ends_at: float, seen: Counter[str]) -> None:
    async with ready.async_client() as client:
        while monotonic() < ends_at:
            try:
                seen[str((await client.post("/packages/list", json={"take": 1, "skip": 0})).status_code)] += 1
            except Exception as error:  # noqa: BLE001  (whatever comes is counted)
                seen[f"{type(error).__name__}: {error}"] += 1
            await asyncio.sleep(_PAUSE_S)


async def _tasks(ready: Any, ends_at: float, seen: Counter[str]) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(_task(ready, ends_at, seen))


def main() -> None:
    manifest, state, seconds = sys.argv[1:]
    ready = connform.load(manifest, state=state, state_key="env://STATE_KEY" if state else "")["customer"]
    print("ready", flush=True)
    sys.stdin.readline()
    ends_at = monotonic() + float(seconds)
    seen: Counter[str] = Counter()
    threads = [Thread(target=_thread, args=(ready, ends_at, seen)) for _ in range(2)]
    for thread in threads:
        thread.start()
    asyncio.run(_tasks(ready, ends_at, seen))
    for thread in threads:
        thread.join()
    print(json.dumps(seen))


main()

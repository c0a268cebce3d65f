"""Sixteen callers of the connection `shop`: threads and tasks of one process, each with a ready client of its own.

argv: manifest, seconds, how many threads and how many tasks. CONNFORM_STATE names the state, if there is one. Prints how often each status came,
as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from threading import Thread
from typing import Any

import connform

_PAUSE_S = 0.02


def _thread(ready: Any, ends_at: float, seen: Counter[str]) -> None:
    with ready.client() as client:
        while not seen or time.monotonic() < ends_at:
            try:
                seen[str(client.get("/me").status_code)] += 1
            except Exception as error:  # noqa: BLE001  (whatever comes is counted)
                seen[f"{type(error).__name__}: {error}"] += 1
            time.sleep(_PAUSE_S)


async def _task(ready: Any, ends_at: float, seen: Counter[str]) -> None:
    async with ready.async_client() as client:
        while not seen or time.monotonic() < ends_at:
            try:
                seen[str((await client.get("/me")).status_code)] += 1
            except Exception as error:  # noqa: BLE001  (whatever comes is counted)
                seen[f"{type(error).__name__}: {error}"] += 1
            await asyncio.sleep(_PAUSE_S)


async def _tasks(ready: Any, number: int, ends_at: float, seen: Counter[str]) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(_task(ready, ends_at, seen))


def main() -> None:
    manifest, seconds, threads, tasks = sys.argv[1:]
    state, key = os.environ.get("CONNFORM_STATE", ""), os.environ.get("CONNFORM_STATE_KEY", "")
    ready = connform.load(manifest, state=state, state_key=key)["shop"]
    print("ready", flush=True)
    sys.stdin.readline()
    ends_at = time.monotonic() + float(seconds)
    seen: Counter[str] = Counter()
    running = [Thread(target=_thread, args=(ready, ends_at, seen)) for _ in range(int(threads))]
    for thread in running:
        thread.start()
    asyncio.run(_tasks(ready, int(tasks), ends_at, seen))
    for thread in running:
        thread.join()
    print(json.dumps(seen))


main()

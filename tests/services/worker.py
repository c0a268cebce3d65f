"""A worker of a service: threads and tasks that use ready clients of one `connform.load()` for some seconds.

argv: the manifest, seconds. Prints its requests as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time

import connform
from tests.services.asking import ask, outcome
from tests.services.requests import PAUSE_S, Request, Requests


def _use(connection: connform.ReadyConnection, ends_at: float, requests: Requests) -> None:
    with connection.client() as lasting:
        requests.repeat(connection.name, lambda way: ask(connection, None if way else lasting), ends_at)


async def _use_async(connection: connform.ReadyConnection, ends_at: float, requests: Requests) -> None:
    async with await connection.build_async_client() as client:
        while time.time() < ends_at:
            began_at = time.time()
            try:
                text = outcome(await client.get("/x"))
            except Exception as error:  # noqa: BLE001  (whatever comes is noted)
                text = outcome(error)
            requests.seen.append(Request(began_at, time.time(), connection.name, text))
            await asyncio.sleep(PAUSE_S)


async def _tasks(connections: connform.Connections, ends_at: float, requests: Requests) -> None:
    async with asyncio.TaskGroup() as group:
        for connection in connections.values():
            group.create_task(_use_async(connection, ends_at, requests))


def main() -> None:
    manifest, ends_at = sys.argv[1], time.time() + float(sys.argv[2])
    requests = Requests()
    with connform.load(manifest) as connections:
        threads = [threading.Thread(target=_use, args=(one, ends_at, requests)) for one in connections.values()]
        for thread in threads:
            thread.start()
        asyncio.run(_tasks(connections, ends_at, requests))
        for thread in threads:
            thread.join()
    print(json.dumps(requests.seen))


main()

"""Times requests through a ready client and a bare httpx client, in turns: `overhead.py PORT CA_FILE REQUESTS ROUNDS`.

Prints the median microseconds of one request for each client, at one request at a time and at 32.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

import connform

port, ca_file, requests, rounds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
AT_ONCE = 32
KEY = "synthetic-key"
os.environ["ACME_KEY"] = KEY
manifest = Path(ca_file).with_name("overhead.json")
api = {
    "provider": "http",
    "base_url": f"https://127.0.0.1:{port}",
    "check": {"path": "/", "expect": {"body": {"const": {}}}},
    "tls": {"ca_file": ca_file},
}
auth = {"method": "api_key", "api_key": "env://ACME_KEY"}
manifest.write_text(json.dumps({"version": 1, "connections": {"acme": {**api, "auth": auth}}}))
ready = connform.load(manifest)["acme"]
bare: dict[str, Any] = {
    "base_url": ready.base_url,
    "headers": {"X-Api-Key": KEY},
    "verify": ssl.create_default_context(cafile=ca_file),
    "trust_env": False,
}


def one_at_a_time(client: httpx.Client) -> float:
    started = time.perf_counter()
    for _ in range(requests):
        assert client.get("/").status_code == 200
    return time.perf_counter() - started


async def many_at_once(client: httpx.AsyncClient) -> float:
    async def caller() -> None:
        for _ in range(requests // AT_ONCE):
            assert (await client.get("/")).status_code == 200

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(caller())
    return time.perf_counter() - started


def compare_one() -> dict[str, float]:
    found: dict[str, list[float]] = {"connform": [], "httpx": []}
    with ready.client() as ours, httpx.Client(**bare) as theirs:
        for turn in turns(("connform", ours), ("httpx", theirs)):
            for who, client in turn:
                found[who].append(one_at_a_time(client))
    return medians(found, requests)


async def compare_many() -> dict[str, float]:
    found: dict[str, list[float]] = {"connform": [], "httpx": []}
    async with ready.async_client() as ours, httpx.AsyncClient(**bare) as theirs:
        for turn in turns(("connform", ours), ("httpx", theirs)):
            for who, client in turn:
                found[who].append(await many_at_once(client))
    return medians(found, requests // AT_ONCE * AT_ONCE)


def turns(*both: Any) -> Iterator[Any]:
    """Yield both for each round, and for one more in which connections are made; in turns as A B and B A."""
    for number in range(rounds + 1):
        yield both if number % 2 else both[::-1]


def medians(found: dict[str, list[float]], number: int) -> dict[str, float]:
    """Return the microseconds of a request, and the median of the ratios in each round; without the first round."""
    ratio = statistics.median(a / b for a, b in zip(found["connform"][1:], found["httpx"][1:], strict=True))
    each = {who: statistics.median(seconds[1:]) / number * 1e6 for who, seconds in found.items()}
    return each | {"ratio": ratio}


print(json.dumps({"1": compare_one(), "32": asyncio.run(compare_many())}))

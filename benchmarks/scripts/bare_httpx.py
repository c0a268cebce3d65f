"""The peer: the same checks in bare httpx, a client for each connection, one TLS context. `bare_httpx.py URLS CA KEY`."""

from __future__ import annotations

import asyncio
import gc
import ssl
import sys
from collections import Counter
from pathlib import Path

import httpx

AT_ONCE = 100


async def main(urls: list[str], ca_file: str, key: str) -> None:
    context = ssl.create_default_context(cafile=ca_file)
    statuses: Counter[int] = Counter()
    waiting = iter(urls)

    async def work() -> None:
        for url in waiting:
            async with httpx.AsyncClient(verify=context, trust_env=False, headers={"X-Api-Key": key}) as client:
                response = await client.get(url)
                statuses[response.status_code] += 1

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    print(dict(statuses))


gc.disable()  # as the command does
asyncio.run(main(Path(sys.argv[1]).read_text().split(), sys.argv[2], sys.argv[3]))

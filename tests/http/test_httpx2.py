"""A program that uses httpx2 lets it stand in for httpx: its ready clients are those of httpx2."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from tests.conftest import require_library
from tests.http.servers import Server, answer
from tests.ports import free_ports

PROGRAM = """
    import asyncio, logging, sys
    import httpx2
    httpx2.alias_httpx()
    from connform.http import ClientSettings, RequestFailed, async_client, sync_client
    from connform.http.credential import Credential, HeaderLines
    from connform.secret import Secret

    class InQuery(Credential):
        def headers(self):
            return HeaderLines(parameters=[("key", Secret("key-canary"))])

    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
    served, closed = (ClientSettings(f"http://127.0.0.1:{port}", attempts=1) for port in sys.argv[1:])

    async def use() -> None:
        async with async_client(served) as client:
            assert isinstance(client, httpx2.AsyncClient)
            print((await client.get("/?code=query-canary")).text)

    asyncio.run(use())
    with sync_client(served) as client:
        assert isinstance(client, httpx2.Client)
        print(client.get("/?code=query-canary").text)
    with sync_client(served._replace(credential=InQuery())) as client:
        print("with a key in the query")
        print(client.get("/").headers["location"])
    with sync_client(closed) as client:
        try:
            client.get("/")
        except httpx2.TransportError as error:
            assert isinstance(error, RequestFailed)
            print(error.fault.name)
"""


def test_ready_clients_of_httpx2() -> None:
    require_library("httpx2")
    with Server(answer(b"hello", "Location: /?key=key-canary&a=1")) as server:
        ran = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), str(server.port), *map(str, free_ports(1))],
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert [line for line in ran.stdout.splitlines() if not line.startswith(("DEBUG", "INFO"))] == [
        "hello",
        "hello",
        "with a key in the query",
        "/?a=1",
        "tcp_refused",
    ]
    assert "INFO:httpx2:HTTP Request: GET" in ran.stdout
    assert "query-canary" not in ran.stdout
    assert "key-canary" not in ran.stdout.partition("with a key in the query")[2]

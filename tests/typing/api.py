"""Uses the public API as a typed program does. Nothing runs: mypy reads it with the rest of the tests."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import httpx

import connform
from connform.simulator import Simulator


def clients(simulator: Simulator) -> None:
    with connform.connect("sandbox-us") as client:
        assert_type(client, httpx.Client)
        assert_type(client.post("/packages/list", json={"take": 10}), httpx.Response)
    assert_type(connform.connect("sandbox-us", Path("connections.yaml")), httpx.Client)
    assert_type(connform.connect("sandbox-us", file=["a.yaml", Path("b")], simulator=simulator), httpx.Client)


def connections() -> None:
    loaded = connform.load("connections.yaml")
    assert_type(loaded, connform.Connections)
    for name, connection in loaded.items():
        assert_type(name, str)
        assert_type(connection, connform.ReadyConnection)
        assert_type(connection.base_url, str)
        assert_type(connection.client(), httpx.Client)
        assert_type(connection.rate_limits(), dict[str, float])
        connection.reset_rate_limits()
    assert_type(len(loaded), int)
    assert_type(loaded.get("sandbox-us"), connform.ReadyConnection | None)


async def asynchronous() -> None:
    with connform.load() as connections:
        async with connections["customer-globex"].async_client() as client:
            assert_type(client, httpx.AsyncClient)
        assert_type(await connections["customer-globex"].build_async_client(), httpx.AsyncClient)
        connections.refresh()


def reports() -> None:
    assert_type(connform.validate("connections.yaml"), connform.Report)
    assert_type(connform.validate(policies=["policies", Path("eu.yaml")]), connform.Report)
    assert_type(connform.apply(), connform.Report)
    report = connform.check("connections.yaml", ["sandbox-*"], simulate=True, timeout_s=3)
    assert_type(report.connections, tuple[connform.ConnectionReport, ...])
    assert_type(report.connections[0].fault, str)


def errors() -> None:
    try:
        connform.connect("sandbox-us")
    except connform.UnknownConnection as unknown:
        assert_type(str(unknown), str)
    except connform.ManifestInvalid as invalid:
        print([diagnostic.code for diagnostic in invalid.diagnostics])
    except connform.SecretUnresolved as unresolved:
        assert_type(unresolved.fault.name, str)
    except connform.ConnectionFailed as failed:
        assert_type(failed.hint, str)
    except (connform.Refused, connform.ConnformError) as other:
        assert_type(int(other.exit_code), int)

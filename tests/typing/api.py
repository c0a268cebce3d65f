"""Uses the public API as a typed program does. Nothing runs: mypy reads it with the rest of the tests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import assert_type

import httpx
import pytest

import connform


def clients(simulator: connform.Simulator) -> None:
    with connform.connect("sandbox-us") as client:
        assert_type(client, httpx.Client)
        assert_type(client.post("/packages/list", json={"take": 10}), httpx.Response)
    assert_type(connform.connect("sandbox-us", Path("connections.yaml")), httpx.Client)
    assert_type(connform.connect("sandbox-us", files=["a.yaml", Path("b")], simulator=simulator), httpx.Client)


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
        assert_type(connection.declared, connform.Connection)
        assert_type(connection.declared.tags, tuple[str, ...])
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
    assert_type(connform.apply(connections="sandbox-us", exclude=["old-*"], tags={"ci"}, force=True), connform.Report)
    assert_type(connform.plan(files=("a.yaml", "b.yaml"), refresh=True, timeout_s=3), connform.Report)
    report = connform.check("connections.yaml", ["sandbox-*"], simulate=True, timeout_s=3)
    assert_type(report.connections, tuple[connform.ConnectionReport, ...])
    assert_type(report.diagnostics, tuple[connform.Diagnostic, ...])
    assert_type(report.connections[0].fault, str)
    assert_type(report.connections[0].verdict, connform.Verdict | None)
    assert_type(report.connections[0].stage, connform.Stage | None)
    assert_type([change.pointer for change in report.connections[0].changes], list[str])
    assert_type(report.plan.digest if report.plan else "", str)


async def report_of_a_service() -> connform.Report:
    return await asyncio.to_thread(connform.check, "connections.yaml", tags="ci")


def failed(report: connform.Report) -> list[connform.ConnectionReport]:
    return [one for one in report.connections if one.verdict is connform.Verdict.FAILED]


@pytest.fixture
def outage(connform_simulator: connform.Simulator) -> connform.Simulator:
    connform_simulator.fail("sandbox.syngrafii.com", "server_unavailable")
    assert_type([request.path for request in connform_simulator.requests], list[str])
    return connform_simulator


def requests(client: httpx.Client) -> None:
    try:
        client.get("/me").raise_for_status()
    except connform.RequestFailed as failed:
        assert_type(failed.fault.verdict, connform.Verdict)
        assert_type(failed.sent, bool)
    except httpx.HTTPError as error:
        assert_type(error.request, httpx.Request)


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
        assert_type(failed.fault.stage, connform.Stage)
    except (connform.Refused, connform.ConnformError) as other:
        assert_type(int(other.exit_code), int)

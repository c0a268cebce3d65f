"""Checks of every provider of the catalogue on loopback: each quoted answer means what it says, and no other answer is ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from connform.engine.connection_report import ConnectionReport
from connform.engine.load.catalog import provider_of
from connform.engine.load.manifest import load_manifest
from connform.engine.run.context import simulated_context
from connform.engine.run.many_checks import check_all
from connform.engine.run.progress import SILENT
from connform.providers import catalog_entry
from connform.providers.described.examples import answer_of
from connform.simulator import Simulator
from connform.simulator.messages import Reply, Request
from tests.catalog.manifest import NAMES, manifest

Place = tuple[str, str, str]
PAGE = Reply(200, b"<!doctype html><title>Sign in to the network</title>", "text/html; charset=utf-8")
NEVER_READY = {
    "a portal's page": PAGE,
    "a page that calls itself JSON": Reply(200, PAGE.body, "application/json"),
    "a wrong path": Reply(404, b'{"message": "Not Found"}'),
    "a wrong path of a server that answers everything": Reply(200, b"{}"),
    "an empty list": Reply(200, b"[]"),
    "an empty body": Reply(200, b""),
    "no content": Reply(204, b""),
    "an error in a 200": Reply(
        200, b'{"error": "invalid_token", "message": "The token is invalid.", "ok": false, "success": false}'
    ),
    "several errors in a 200": Reply(200, b'{"errors": [{"message": "Unauthorized", "code": "401"}], "data": null}'),
    "a redirect": Reply(302, headers=(("Location", "https://login.example/"),)),
    "a proxy's refusal": Reply(403, b"<html><h1>403 Forbidden</h1></html>", "text/html"),
    "a server that is down": Reply(503, b"Service Unavailable", "text/plain"),
}
"""Answers that no API gives to a valid credential."""


class Replay(Simulator):
    """Plays the APIs, and gives the answer of a round to each check with a valid credential."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: Mapping[Place, Reply] = {}

    def _answer(self, request: Request) -> Reply:
        reply = super()._answer(request)
        return self.answers.get((request.host, request.method, request.path), reply)


class Checked(NamedTuple):
    """A check and what it was answered."""

    connection: str
    report: ConnectionReport


class Catalog:
    """Connections to all providers, whose checks are answered by a replay."""

    def __init__(self, folder: Path, replay: Replay) -> None:
        file = folder / "connections.yaml"
        file.write_text(manifest())
        self.connections = list(load_manifest([str(file)]).values())
        self._replay = replay

    def check(self, answers: Mapping[str, Reply], *, every_method: bool = False) -> Iterator[Checked]:
        """Yield the checks of the connections to providers that have an answer, by their usual auth method or by every one."""
        usual = {one.provider: one for one in reversed(self.connections)}.values()
        chosen = [one for one in (self.connections if every_method else usual) if one.provider in answers]
        self._replay.answers = {self._place(one): answers[one.provider] for one in chosen}
        done: dict[str, ConnectionReport] = {}
        check_all(chosen, simulated_context(self._replay), 100, 60, SILENT, done)
        yield from (Checked(one.name, done[one.name]) for one in chosen)

    def _place(self, connection: Any) -> Place:
        api = provider_of(connection)
        request = api.check_request(connection)
        url = urlsplit(api.instance(connection).base_url + request.path)
        return url.hostname or "", request.method, url.path


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with Replay() as replay:
        yield Catalog(tmp_path_factory.mktemp("catalog"), replay)


def examples(number: int) -> dict[str, Mapping[str, Any]]:
    """Return an example of each provider that has so many."""
    return {name: those[number] for name, those in EXAMPLES.items() if number < len(those)}


EXAMPLES = {name: (catalog_entry(name) or {}).get("examples", ()) for name in NAMES}
MOST = max(map(len, EXAMPLES.values()))


@pytest.mark.parametrize("number", range(MOST))
def test_every_quoted_answer_means_what_it_says(catalog: Catalog, number: int) -> None:
    quoted = examples(number)
    answers = {name: reply_of(example) for name, example in quoted.items()}
    checked = list(catalog.check(answers, every_method=number == 0))
    means = {one.connection: quoted[one.connection.partition(".")[0]]["means"] for one in checked}
    assert {one.connection: one.report.fault or "ready" for one in checked} == means


@pytest.mark.parametrize("what", NEVER_READY)
def test_no_other_answer_is_ready(catalog: Catalog, what: str) -> None:
    checked = catalog.check(dict.fromkeys(NAMES, NEVER_READY[what]))
    assert [one.connection for one in checked if not one.report.fault] == []


def reply_of(example: Mapping[str, Any]) -> Reply:
    answer = answer_of(example)
    headers = dict(answer.headers)
    return Reply(answer.status, answer.body or b"", headers.pop("content-type"), tuple(headers.items()))

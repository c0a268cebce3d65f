"""Twelve providers of the catalogue: judged right, and on the wire as each vendor documents it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from connform.engine.login import Login, login
from connform.engine.run.state_location import StateLocation
from connform.providers import catalog_entry
from connform.secret import Secret
from tests.canary import assert_without
from tests.conftest import require_library
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import Run, run_here
from tests.http.servers import Server
from tests.http.test_proxy import tunnel_to
from tests.private_keys import assert_no_key

require_library("joserfc")

from tests.end_to_end.vendors.exchange import PKCE, Answer, Exchange, read  # noqa: E402
from tests.end_to_end.vendors.replay import Case, Replay, cases  # noqa: E402
from tests.end_to_end.vendors.texts import ENVIRONMENT, PEM, TOKENS  # noqa: E402

CASES = list(cases())
EXCHANGES = {
    f"{case}, request {number}": (case, exchange) for case in CASES for number, exchange in enumerate(case.exchanges, 1)
}
REFUSALS = {
    f"{name}, refusal {number}": (case, exchange, refusal)
    for name, (case, exchange) in EXCHANGES.items()
    for number, refusal in enumerate(exchange.refusals, 1)
}
PAGES = {
    "a portal": Answer(200, text="<html><title>Please sign in</title></html>", kind="text/html"),
    "a path that answers everything": Answer(200, body={}),
    "a path that is not there": Answer(404, body={"message": "Not Found"}),
}


class Vendor:
    """A folder with a connection to a vendor, whose hosts all lead to a replay."""

    def __init__(self, folder: Path, case: Case, replay: Replay, server: Server) -> None:
        self.folder, self.case, self.replay, self._server = folder, case, replay, server

    def check(self) -> Run:
        """Return the check, after the login that a person's consent needs; a login that fails stands for it."""
        if self.case.consent:
            taken = self._run("login", "acme", "--with-refresh-token", stdin=TOKENS["REFRESH"])
            if taken.code:
                return taken
        return self._run("check", "--format", "json")

    @property
    def sent(self) -> list[bytes]:
        """Every request that came."""
        return self._server.requests

    def _run(self, *argv: str, stdin: str | None = None) -> Run:
        ended = run_here(*argv, cwd=self.folder, env=ENVIRONMENT, stdin=stdin)
        assert_without(TOKENS.values(), ended.out, ended.err)
        assert_no_key(PEM, ended.out, ended.err)
        return ended


Start = Callable[[Case], Vendor]


@pytest.fixture
def start(authority: Issuer, ca_file: Path, tmp_path: Path) -> Iterator[Start]:
    """Return what starts the replay of a case."""
    with ExitStack() as stack:

        def started(case: Case) -> Vendor:
            replay, hosts = Replay(case), {exchange.host for exchange in case.exchanges}
            server = stack.enter_context(Server(replay, tls=authority.server(*sorted(hosts))))
            proxy = stack.enter_context(Server(tunnel_to(server)))
            auth = {"method": case.method, **case.connection["auth"]}
            connection = {
                "provider": case.vendor,
                **case.connection,
                "auth": auth,
                "proxy": f"http://127.0.0.1:{proxy.port}",
                "tls": {"ca_file": str(ca_file)},
            }
            content = {"version": 1, "connections": {"acme": connection}}
            (tmp_path / "connections.yaml").write_text(json.dumps(content, default=str))
            return Vendor(tmp_path, case, replay, server)

        yield started


def test_every_method_of_a_vendor_is_tried() -> None:
    vendors = {case.vendor for case in CASES}
    declared = {(vendor, method) for vendor in vendors for method in (catalog_entry(vendor) or {})["auth"]}
    assert {(case.vendor, case.method) for case in CASES} == declared


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_good_credential_is_ready_and_sent_as_the_vendor_documents_it(start: Start, case: Case) -> None:
    vendor = start(case)
    checked = vendor.check()
    assert (checked.code, checked.connection["verdict"]) == (0, "ready"), checked.out
    for exchange, request in zip(case.exchanges, vendor.sent, strict=True):
        exchange.compare(read(request))


@pytest.mark.parametrize("case", [case for case in CASES if case.consent], ids=str)
def test_a_person_consents_at_the_page_of_the_vendor_and_the_code_is_exchanged_as_documented(
    start: Start, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = dict(case.consent or {})
    page, query = consent.pop("page"), consent.pop("query")
    exchange = Exchange(answer=case.exchanges[0].answer, **consent)
    vendor = start(case._replace(exchanges=(exchange,)))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with login([str(vendor.folder / "connections.yaml")], "acme", state=StateLocation()) as started:
        assert isinstance(started, Login)
        address, _, sent = started.url.partition("?")
        asked = dict(parse_qsl(sent))
        state = asked.pop("state")
        assert (address, {name: text for name, text in asked.items() if name not in PKCE}) == (page, query)
        started.finish(Secret(f"{started.redirect_uri}?code={TOKENS['CODE']}&state={state}"))
    (request,) = vendor.sent
    exchange.compare(read(request))


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_credential_has_its_class(start: Start, name: str) -> None:
    case, exchange, refusal = REFUSALS[name]
    vendor = start(case)
    vendor.replay.answer(exchange, refusal)
    checked = vendor.check()
    assert (checked.code, fault_of(checked)) == (4, refusal.means), checked.out + checked.err


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", EXCHANGES)
def test_what_is_no_answer_of_the_vendor_is_never_ready(start: Start, name: str, page: str) -> None:
    case, exchange = EXCHANGES[name]
    vendor = start(case)
    vendor.replay.answer(exchange, PAGES[page])
    checked = vendor.check()
    assert checked.code in {4, 6}, checked.out + checked.err
    assert fault_of(checked) in {"http_not_this_api", "token_endpoint_unavailable", "refresh_interrupted"}


def fault_of(ended: Run) -> str:
    """Return the class of failure in the report of a check, or in what a login printed."""
    if ended.out:
        return str(ended.connection["class"])
    return ended.err.partition("error[")[2].partition("]")[0]

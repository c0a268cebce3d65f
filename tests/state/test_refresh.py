"""What `plan --refresh` calls a change, what it merely says, and what it could not find out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from connform.engine.changes.drift import compare_with_live
from connform.engine.changes.plan import Action, Change
from connform.engine.connection_report import ConnectionReport, Remark, StageResult
from connform.engine.run.state_location import StateLocation
from connform.engine.run.states import StateOfRun
from connform.faults import Stage, Verdict
from connform.recorded import Actor, AppliedRecord, Attempt, UsedSecret
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.nginx import HOSTS
from tests.end_to_end.running import KEY_VARIABLE, Run
from tests.end_to_end.running import run_here as run
from tests.http.servers import Server
from tests.state.conftest import Api, Repository
from tests.state.test_story import actions

REFRESH = ("plan", "--refresh", "--detailed-exitcode", "--format", "json")


def unverified(refreshed: Run) -> dict[str, str]:
    return {name: one["class"] for name, one in refreshed.connections.items() if one["class"]}


class Renewed:
    """A server whose certificate can be replaced while it runs."""

    def __init__(self, authority: Issuer) -> None:
        self._authority = authority
        self.context = authority.loopback()

    def renew(self, days: int) -> None:
        """Show a new certificate that ends in so many days."""
        now = datetime.now(UTC)
        issued = self._authority.ca.issue_cert(
            *HOSTS, not_before=now - timedelta(30), not_after=now + timedelta(days, hours=1)
        )
        issued.configure_cert(self.context)


@pytest.fixture
def renewed(authority: Issuer, sqlite_repository: Repository, api: Api) -> Iterator[Renewed]:
    """The server of connection `one`."""
    server = Renewed(authority)
    server.renew(9)
    with Server(api, tls=server.context) as running:
        sqlite_repository.declare("one", base_url=f"https://localhost:{running.port}/one")
        yield server


def test_a_certificate_that_ends_soon_is_said_and_is_no_change(renewed: Renewed, sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    assert repository.run("apply", "--yes").code == 0
    for _ in range(2):
        refreshed = repository.run(*REFRESH)
        assert (refreshed.code, actions(refreshed)) == (0, {})
        assert "ends in 9 days" in refreshed.connection["warnings"][0]
        assert "ends in 9 days" in repository.run("plan", "--refresh").out
    renewed.renew(3)
    refreshed = repository.run(*REFRESH, "--out", "plan.json")
    assert (refreshed.code, actions(refreshed)) == (2, {"one": "update"})
    assert "certificate is another" in refreshed.connection["reasons"][0]
    assert repository.run("apply", "--plan", "plan.json").code == 0
    assert repository.run(*REFRESH).code == 0, "it is recorded now"


def test_a_renewal_is_a_change_only_where_the_old_certificate_ends_soon(
    renewed: Renewed, sqlite_repository: Repository
) -> None:
    repository = sqlite_repository
    assert repository.run("apply", "--yes").code == 0
    renewed.renew(60)
    assert repository.run(*REFRESH).code == 2
    assert repository.run("plan", "--refresh", "--out", "plan.json").code == 0
    assert repository.run("apply", "--plan", "plan.json").code == 0
    renewed.renew(90)
    assert repository.run(*REFRESH).code == 0


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (200, 0, ""),
        (401, 2, "auth_rejected"),
        (302, 2, "http_redirect_refused"),
        (404, 2, "http_not_this_api"),
        (429, 6, "rate_limited"),
        (503, 6, "server_unavailable"),
    ],
)
def test_an_answer_is_a_change_and_no_answer_is_none(
    sqlite_repository: Repository, status: int, code: int, fault: str
) -> None:
    repository = sqlite_repository
    repository.declare("one", "two")
    assert repository.run("apply", "--yes").code == 0
    repository.api.status["two"] = status
    refreshed = repository.run(*REFRESH, "--out", "plan.json")
    assert (refreshed.code, actions(refreshed)) == (code, {"two": "update"} if code == 2 else {})
    assert refreshed.connections["one"]["verdict"] == "ready"
    assert unverified(refreshed) == ({"two": fault} if code == 6 else {})
    assert [reason.partition(":")[0] for reason in refreshed.connections["two"]["reasons"]] == [fault] * (code == 2)
    repository.api.status.clear()
    repository.api.forget()
    assert repository.run("apply", "--plan", "plan.json").code == 0
    assert set(repository.api.asked) == ({"two"} if code == 2 else set()), "what could not be told is not applied"


def test_what_was_applied_stays_recorded_where_the_live_side_refuses_it(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.declare("one")
    assert repository.run("apply", "--yes").code == 0
    before = repository.recorded()["one"]
    repository.api.status["one"] = 401
    assert repository.run(*REFRESH, "--out", "plan.json").code == 2
    assert repository.run("apply", "--plan", "plan.json").code != 0
    after = repository.recorded()["one"]
    assert (after["specification"], after["digest"]) == (before["specification"], before["digest"])
    assert (after["latest"]["action"], after["latest"]["verdict"]) == ("update", "failed")


def test_a_runner_without_the_secret_sees_no_change(sqlite_repository: Repository) -> None:
    repository = sqlite_repository
    repository.declare("one")
    assert repository.run("apply", "--yes").code == 0
    refreshed = run(*REFRESH, cwd=repository.folder)
    assert (refreshed.code, actions(refreshed), unverified(refreshed)) == (5, {}, {"one": "secret_not_found"})
    said = run("plan", "--refresh", cwd=repository.folder)
    assert said.code == 5
    assert KEY_VARIABLE in said.out
    assert "no changes" in said.out


def test_a_server_that_is_down_is_no_change_beside_one(sqlite_repository: Repository, authority: Issuer) -> None:
    repository = sqlite_repository
    repository.declare("one")
    with Server(repository.api, tls=authority.loopback()) as down:
        repository.declare("two", base_url=f"https://localhost:{down.port}/two")
        assert repository.run("apply", "--yes").code == 0
    repository.declare("one", owner="payments")
    refreshed = repository.run(*REFRESH)
    assert (refreshed.code, actions(refreshed)) == (6, {"one": "update"})
    assert unverified(refreshed) == {"two": "tcp_refused"}


LINE = ConnectionReport("one", "iinked-sign", "production", "eu", "https://x.example", "oauth2", verdict=Verdict.READY)


ATTEMPT = Attempt(datetime.now(UTC), Actor("a", "b"), "create", "", "", "oauth2", "ready")
RECORD = AppliedRecord("one", "connections.yaml", "", {}, ATTEMPT)


def compared(record: AppliedRecord | None, report: ConnectionReport, versions: Mapping[str, str]) -> Change:
    (states,) = StateOfRun(StateLocation(), []).tables
    return compare_with_live(Change("one", Action.NONE, "", "", (), None, None, states, {}), record, report, versions)


def test_scopes_that_were_not_granted_are_said_and_are_no_change() -> None:
    missing = Remark("scopes-not-granted", "the customer did not grant profile")
    for recorded in (RECORD, None):
        seen = compared(recorded, LINE._replace(warnings=(missing,)), {})
        assert not seen.is_pending
        assert seen.live_report is not None
        assert seen.live_report.warnings == (missing,)


def test_a_fault_of_this_machine_is_no_change() -> None:
    for fault in ("config_file_unreadable", "secret_malformed"):
        seen = compared(RECORD, LINE._replace(verdict=Verdict.FAILED, fault=fault), {})
        assert (seen.live, seen.live_report is not None) == ((), True)


@pytest.mark.parametrize(
    ("before", "now", "is_rotated"), [("1", "2", True), ("1", "1", False), ("", "2", False), ("1", "", False)]
)
def test_a_secret_was_rotated_where_both_versions_are_known(before: str, now: str, is_rotated: bool) -> None:
    used = UsedSecret("api_key", "corp://key", before)
    seen = compared(RECORD._replace(latest=ATTEMPT._replace(secrets=(used,))), LINE, {"api_key": now} if now else {})
    assert len(seen.live) == is_rotated


@pytest.mark.parametrize(
    ("before_days", "now_days", "is_change"),
    [(60, 90, False), (3, 90, True), (60, 3, True), (3, 3, False), (None, 3, False), (3, None, False)],
)
def test_another_certificate_is_a_change_where_one_of_two_ends_soon(
    before_days: int | None, now_days: int | None, is_change: bool
) -> None:
    start = datetime.now(UTC)
    before, now = (
        "" if days is None else (start + timedelta(days)).isoformat(timespec="seconds")
        for days in (before_days, now_days)
    )
    tls = StageResult(Stage.TLS, "ok", facts={"cert_expires_at": now} if now else {})
    record = RECORD._replace(latest=ATTEMPT._replace(certificate_expires_at=before))
    seen = compared(record, LINE._replace(stages=(StageResult(Stage.TCP, "ok"), tls)), {})
    assert len(seen.live) == is_change

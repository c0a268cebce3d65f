"""How long callers wait for a renewal, what they are told, and that an impatient one costs nobody the grant."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from connform.auth.oauth import token_call
from connform.auth.oauth.client_authentication import App
from connform.auth.oauth.credential import GrantCredential
from connform.auth.oauth.renewal import Renewal, bearer_lines
from connform.auth.oauth.renewal_thread import wait_for_renewals
from connform.auth.oauth.server import AuthorizationServer
from connform.auth.oauth.token_endpoint import TokenEndpoint
from connform.database import open_grants
from connform.database.memory import MemoryStore
from connform.errors import ConnectionFailed
from connform.grant import Grant
from connform.http.credential import NO_LINES, HeaderLines
from connform.http.net import deadline
from connform.secret import Secret
from tests.canary import assert_no_canary
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import run
from tests.http.exchanging import authorization, settings_for
from tests.http.servers import Connection, Server, answer
from tests.oauth.setting import RENEWS, Setting, after, body
from tests.oauth.test_verdicts import ENVIRONMENT, prepare


def fault_within(credential: GrantCredential, seconds: float) -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as caught, deadline.within(seconds):
        credential.renew()
    assert_no_canary(caught.value.message, caught.value.hint)
    return caught.value


def ended(setting: Setting) -> None:
    """Wait for the end of the renewal that goes on."""
    wait_for_renewals()
    assert setting.facts.pending is None


def test_a_renewal_runs_to_its_end_although_its_caller_has_given_up(setting: Setting) -> None:
    """Its caller's time-outs, which are shorter as well, don't cut it."""
    setting.server.behaviour = after(3, body())
    credential = setting.credential(read_s=0.2, total_s=0.3)
    failure = fault_within(credential, 1)
    assert failure.fault.name == "token_endpoint_unavailable"
    assert "is still being renewed" in failure.message
    assert "will be kept" in failure.hint
    ended(setting)
    assert setting.refresh_token == "next"
    assert credential.headers() == authorization("Bearer new")
    assert len(setting.server.requests) == 1


def test_a_thread_that_has_renewed_is_not_kept(setting: Setting) -> None:
    threads: list[ref[threading.Thread]] = []

    def answer_and_look(connection: Connection) -> None:
        threads.extend(ref(one) for one in threading.enumerate() if one.name == "connform renews customer")
        RENEWS(connection)

    def join() -> None:
        for one in threads:
            if thread := one():
                thread.join(10)

    setting.server.behaviour = answer_and_look
    setting.credential().renew()
    join()
    gc.collect()
    assert [thread() for thread in threads] == [None]


def test_a_call_has_its_own_time_inside_of_a_shorter_deadline(setting: Setting) -> None:
    setting.server.behaviour = after(0.4, body())
    grant = setting.store.grants["customer"]
    app = App("acme", Secret("secret"))
    endpoint = TokenEndpoint(grant.facts.token_url, app, settings_for(setting.server))
    assert grant.refresh_token is not None
    with deadline.within(0.1):
        tokens = endpoint.refresh(grant.refresh_token)
    assert tokens.access_token.reveal() == "new"


def test_a_call_does_not_wait_for_ever(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_call, "CALL_S", 0.3)
    setting.server.behaviour = after(30, body())
    started = time.monotonic()
    assert fault_within(setting.credential(read_s=60, total_s=60), 20).fault.name == "refresh_interrupted"
    assert time.monotonic() - started < 10


def test_a_check_with_little_time_loses_no_grant(authority: Issuer, ca_file: Path, tmp_path: Path) -> None:
    rotated = body(refresh_token="rotated")
    with Server(after(1.5, rotated), tls=authority.loopback()) as server:
        prepare(tmp_path, server, ca_file)
        checked = run("check", "--timeout", "1", "--format", "json", cwd=tmp_path, env=ENVIRONMENT)
        assert len(server.requests) == 1
    assert (checked.code, checked.connection["class"]) == (6, "token_endpoint_unavailable")
    assert "is still being renewed" in checked.connection["message"]
    store = open_grants("", tmp_path / ".connform", None)
    kept = store.read("customer")
    store.close()
    assert kept is not None
    assert kept.refresh_token is not None
    assert (kept.refresh_token.reveal(), kept.facts.pending) == ("rotated", None)


@pytest.mark.parametrize("refused", [NO_LINES, authorization("Bearer old")], ids=["unused", "refused"])
def test_who_follows_a_caller_without_patience_waits_by_its_own(setting: Setting, refused: HeaderLines) -> None:
    """The first one gives up the lock, which somebody holds, long before the second one has to."""
    credential = setting.credential()
    got: list[Any] = []
    with setting.store.lock("customer", 1):
        first = threading.Thread(target=lambda: got.append(fault_within(credential, 0.4).fault.name))
        second = threading.Thread(target=lambda: got.append(_renew_within(credential, 20, refused)))
        first.start()
        time.sleep(0.1)
        second.start()
        first.join()
        time.sleep(0.3)
    second.join()
    assert got == ["store_locked", authorization("Bearer new")]


def _renew_within(credential: GrantCredential, seconds: float, refused: HeaderLines = NO_LINES) -> Any:
    with deadline.within(seconds):
        return credential.renew(refused)


def test_who_follows_a_caller_with_patience_gives_up_by_its_own(setting: Setting) -> None:
    credential = setting.credential()
    with setting.store.lock("customer", 1):
        patient = threading.Thread(target=lambda: _renew_within(credential, 20))
        patient.start()
        time.sleep(0.1)
        failure = fault_within(credential, 0.2)
    patient.join()
    assert failure.fault.name == "store_locked"
    assert "somebody else holds the grant" in failure.message


@pytest.mark.parametrize("seconds", [1e-6, 0.2])
@pytest.mark.parametrize("earlier", [0, 1])
def test_a_store_that_does_not_answer_in_time_is_said(setting: Setting, seconds: float, earlier: int) -> None:
    answers = threading.Event()
    answers.set()

    class Slow(MemoryStore):
        def read(self, connection: str) -> Grant | None:
            assert answers.wait(30)
            return super().read(connection)

    slow = Slow()
    slow.grants = setting.store.grants
    setting.store = slow
    setting.server.behaviour = answer(body(expires_in=1e-6))
    credential = setting.credential()
    for _ in range(earlier):
        assert credential.renew()
    answers.clear()
    try:
        failure = fault_within(credential, seconds)
        assert failure.fault.name in {"store_unavailable", "http_deadline"}
        assert "customer" in failure.message
    finally:
        answers.set()
    ended(setting)


def test_a_renewal_whose_thread_has_not_begun_yet_is_said_to_wait_for_the_store(setting: Setting) -> None:
    app, reach = App("acme", None), settings_for(setting.server)
    renewal = Renewal(
        "customer", setting.store, AuthorizationServer(), app, reach, lambda: datetime.now(UTC), bearer_lines
    )
    assert renewal.timeout_failure().fault.name == "store_unavailable"


def test_a_deadline_that_is_over_begins_nothing(setting: Setting) -> None:
    assert fault_within(setting.credential(), 0).fault.name == "http_deadline"
    assert setting.server.requests == []


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # Python 3.12: this is what is tested
def test_a_child_that_was_forked_in_a_renewal_makes_its_own(setting: Setting) -> None:
    setting.server.behaviour = after(0.7, body())
    credential = setting.credential()
    with pytest.raises(ConnectionFailed), deadline.within(0.3):
        credential.renew()
    said, says = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        try:
            says.send(_renew_within(credential, 5).reveal())
        except BaseException as error:  # noqa: BLE001  (the parent judges)
            says.send(repr(error))
        finally:
            os._exit(0)
    ended(setting)
    assert said.poll(20)
    assert said.recv() == authorization("Bearer new").reveal()
    os.waitpid(child, 0)

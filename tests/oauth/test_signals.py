"""A process that is told to end in the middle of a renewal: the token is spent, so it waits for the answer and keeps it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest

from connform.database import open_grants
from connform.database.cipher import new_key
from connform.grant import GrantStore
from connform.secret import Secret
from tests.canary import AWKWARD
from tests.database.conftest import grant, keep
from tests.database.postgres import Postgres
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import start
from tests.http.servers import Connection, Server, head, silent
from tests.oauth.test_verdicts import ENVIRONMENT, MANIFEST

pytestmark = pytest.mark.usefixtures("default_signals")

VERBS = {
    "check": ["check", "--timeout", "60"],
    "token": ["token", "customer"],
    "request": ["request", "customer", "GET", "/x"],
    "exec": ["exec", "customer", "--", "true"],
}
TOKENS = b'{"access_token": "new", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "next"}'
WAITING = "until the grant of customer is renewed; Ctrl-C ends at once"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


class SlowEndpoint:
    """A token endpoint that answers when it may."""

    def __init__(self) -> None:
        self.asked, self.may_answer = Event(), Event()

    def __call__(self, connection: Connection) -> None:
        if connection.read_request():
            self.asked.set()
            assert self.may_answer.wait(30)
            connection.send(head(200, [f"Content-Length: {len(TOKENS)}"]) + TOKENS)


class Renewing:
    """A customer whose access token has ended, at a token endpoint that takes its time."""

    def __init__(self, server: Server, folder: Path, ca_file: Path) -> None:
        self.endpoint = server.behaviour = SlowEndpoint()
        self.folder = folder
        self.grant = grant(token_url=f"https://localhost:{server.port}/connect/token")
        text = MANIFEST.format(port=server.port, ca_file=ca_file, total_s=60)
        (folder / "connections.yaml").write_text(text)

    def end(self, argv: Sequence[str], *signals: signal.Signals, **variables: str) -> int:
        """Send signals to a command whose refresh token has just been spent, and return its exit code."""
        with start(*argv, cwd=self.folder, env=ENVIRONMENT | variables) as process:
            assert self.endpoint.asked.wait(30)
            assert process.stderr is not None
            process.send_signal(signals[0])
            assert WAITING in process.stderr.readline()
            for number in signals[1:]:
                process.send_signal(number)
                time.sleep(0.2)  # it would end within that
            assert process.poll() is None, "nobody waits for the answer"
            self.endpoint.may_answer.set()
            _, err = process.communicate(timeout=30)
        assert err == ""
        return process.returncode


@pytest.fixture
def renewing(authority: Issuer, ca_file: Path, tmp_path: Path) -> Iterator[Renewing]:
    with Server(silent, tls=authority.loopback()) as server:
        yield Renewing(server, tmp_path, ca_file)


def assert_renewed(store: GrantStore) -> None:
    kept = store.read("customer")
    assert kept is not None
    assert kept.refresh_token is not None
    assert (kept.refresh_token.reveal(), kept.facts.pending, kept.facts.ended) == ("next", None, "")


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("verb", VERBS)
def test_the_answer_to_a_spent_token_is_kept_whatever_ends_the_command(
    renewing: Renewing, verb: str, number: signal.Signals
) -> None:
    store = open_grants("", renewing.folder / ".connform", None)
    keep(store, renewing.grant)
    assert renewing.end(VERBS[verb], number) == CODES[number]
    assert_renewed(store)
    store.close()


@pytest.mark.parametrize("first", CODES)
def test_a_sigterm_does_not_end_the_wait_for_the_answer(renewing: Renewing, first: signal.Signals) -> None:
    store = open_grants("", renewing.folder / ".connform", None)
    keep(store, renewing.grant)
    assert renewing.end(VERBS["token"], first, signal.SIGTERM) == CODES[first]
    assert_renewed(store)
    store.close()


def test_a_grant_on_a_server_is_kept_as_well(renewing: Renewing, postgres: Postgres) -> None:
    key, url = new_key(), postgres.fresh()
    store = open_grants(url, renewing.folder, lambda: Secret(key))
    keep(store, renewing.grant)
    named = {"CONNFORM_STATE": url, "CONNFORM_STATE_KEY": "env://STATE_KEY", "STATE_KEY": key}
    assert renewing.end(VERBS["token"], signal.SIGTERM, **named) == 143
    assert_renewed(store)
    store.close()


@pytest.mark.parametrize("verb", ["check", "token"])
def test_a_second_ctrl_c_ends_the_wait_and_leaves_a_grant_that_is_tried_once_more(
    renewing: Renewing, verb: str
) -> None:
    store = open_grants("", renewing.folder / ".connform", None)
    keep(store, renewing.grant)
    with start(*VERBS[verb], cwd=renewing.folder, env=ENVIRONMENT) as process:
        assert process.stderr is not None
        assert renewing.endpoint.asked.wait(30)
        process.send_signal(signal.SIGINT)
        assert WAITING in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    renewing.endpoint.may_answer.set()
    assert (process.returncode, err) == (130, "")
    assert ("interrupted: 0 of 1 checked" in out) == (verb == "check")
    kept = store.read("customer")
    assert kept is not None
    assert kept.facts.pending is not None, "whoever comes next knows that the token may be spent"
    assert kept.refresh_token is not None
    assert kept.refresh_token.reveal() == AWKWARD
    store.close()

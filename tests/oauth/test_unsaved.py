"""A new grant that the database does not take: the request goes on, and the grant is written as soon as the database takes it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from connform.database import open_grants
from connform.database.cipher import new_key
from connform.secret import Secret
from tests.canary import AWKWARD
from tests.database.postgres import Postgres
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import Run, run, run_program, start
from tests.http.exchanging import authorization
from tests.http.servers import Connection, Server, head, silent
from tests.oauth.setting import body
from tests.oauth.test_verdicts import ENVIRONMENT, prepare
from tests.oauth.test_whole_life import begin_login
from tests.repetitions import repeated

NEW = authorization("Bearer new")
_PROGRAM = """\
import connform, sys
with connform.connect("customer", "connections.yaml", state=sys.argv[1], state_key="env://STATE_KEY") as client:
    print(client.get("/x").status_code)
"""
_WORKER = """\
import connform, os, sys
connections = connform.load("connections.yaml", state=sys.argv[1], state_key="env://STATE_KEY")
with connections["customer"].client() as client:
    print(client.get("/x").status_code, flush=True)
connections.close()
os._exit(0)  # as Celery does
"""
_LIMITED = f"""\
import sys
from connform.auth.oauth import unsaved
unsaved.END_S = {repeated(1, 60)}
"""
SHORT_S, LONG_S = repeated(1.5, 50), repeated(3, 75)
"""How long the database is away: less than a process that ends waits, and more."""
_COMMAND = "from connform.cli.main import main; sys.exit(main())"


class Outage:
    """A token endpoint, and the API, during whose answer to a refresh the database goes away for some seconds."""

    def __init__(self, postgres: Postgres, folder: Path, server: Server, ca_file: Path) -> None:
        self._postgres = postgres
        self._folder = folder
        self._back: threading.Timer | None = None
        self.seconds = self.answers_after_s = 0.0
        self.refreshes = 0
        self.key, self.url = new_key(), postgres.fresh()
        state = {"CONNFORM_STATE": self.url, "CONNFORM_STATE_KEY": "env://STATE_KEY", "STATE_KEY": self.key}
        self.variables = ENVIRONMENT | state
        prepare(folder, server, ca_file, self.url, self.key)
        server.behaviour = self

    def __call__(self, connection: Connection) -> None:
        while request := connection.read_request():
            content = b"{}"
            if request.startswith(b"POST /connect/token"):
                self.refreshes += 1
                time.sleep(self.answers_after_s)
                self._postgres.stop()
                self._back = threading.Timer(self.seconds, self._postgres.start)
                self._back.start()
                content = body()
            connection.send(head(200, [f"Content-Length: {len(content)}"]) + content)

    def end(self) -> None:
        """Wait until the database is back."""
        if self._back:
            self._back.join()

    @property
    def refresh_token(self) -> str:
        """What is stored once the database is back; the refresh is not pending any more."""
        self.end()
        store = open_grants(self.url, self._folder, lambda: Secret(self.key))
        kept = store.read("customer")
        store.close()
        assert kept is not None
        assert kept.refresh_token is not None
        return kept.refresh_token.reveal()

    def run(self, program: str, *argv: str) -> Run:
        return run_program(sys.executable, "-c", program, *argv, cwd=self._folder, env=self.variables)


@pytest.fixture
def outage(postgres: Postgres, authority: Issuer, ca_file: Path, tmp_path: Path) -> Iterator[Outage]:
    with Server(silent, tls=authority.loopback()) as server:
        outage = Outage(postgres, tmp_path, server, ca_file)
        yield outage
        outage.end()


def test_a_command_waits_until_the_database_is_back(outage: Outage, tmp_path: Path) -> None:
    outage.seconds = SHORT_S
    ended = run("token", "customer", cwd=tmp_path, env=outage.variables)
    assert (ended.code, ended.out) == (0, "new\n"), ended.err
    assert "the new grant of customer is in memory alone" in ended.err
    assert "waiting 60 s at most" in ended.err
    assert outage.refresh_token == "next"


def test_a_login_waits_as_well(outage: Outage, tmp_path: Path) -> None:
    outage.seconds = SHORT_S
    process, url = begin_login(tmp_path, variables=outage.variables)
    query = urlencode({"code": "code", "state": parse_qs(urlsplit(url).query)["state"][0]})
    out, err = process.communicate(f"https://localhost/auth?{query}\n", timeout=60)
    assert process.returncode == 0, err
    assert "customer is granted" in out
    assert "the new grant of customer is in memory alone" in err
    assert outage.refresh_token == "next"


def test_a_renewal_that_its_command_does_not_wait_for_is_written_too(outage: Outage, tmp_path: Path) -> None:
    """Its answer, which comes after the end of the main thread, meets the database that is away."""
    outage.seconds, outage.answers_after_s = SHORT_S, 2
    ended = run("token", "customer", "--timeout", "1", cwd=tmp_path, env=outage.variables)
    assert (ended.code, "is still being renewed" in ended.err) == (6, True), ended.err
    assert "the new grant of customer is in memory alone" in ended.err
    assert outage.refresh_token == "next"


VERBS = {
    ("token", "customer"): 5,
    ("request", "customer", "GET", "/x"): 5,
    ("exec", "customer", "--", "true"): 5,
    ("exec", "customer", "--", "sh", "-c", "exit 42"): 42,
}


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_command_whose_grant_is_lost_does_not_succeed(outage: Outage, verb: tuple[str, ...]) -> None:
    outage.seconds = LONG_S
    ended = outage.run(f"{_LIMITED}{_COMMAND}", *verb)
    assert ended.code == VERBS[verb], ended.err
    assert "error[store_unavailable]: the new grant of customer is lost: it could not be written: " in ended.err
    assert "hint: the next use tries the token once more" in ended.err
    assert outage.refresh_token == AWKWARD


@pytest.mark.usefixtures("default_signals")
def test_sigint_ends_the_wait(outage: Outage, tmp_path: Path) -> None:
    outage.seconds = LONG_S
    with start("token", "customer", cwd=tmp_path, env=outage.variables, stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        while "waiting 60 s at most" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 5
    assert "the new grant of customer is lost" in rest
    assert outage.refresh_token == AWKWARD


def test_a_program_that_ends_waits_until_the_database_is_back(outage: Outage) -> None:
    outage.seconds = SHORT_S
    ended = outage.run(_PROGRAM, outage.url)
    assert (ended.code, ended.out) == (0, "200\n")
    assert "the new grant of customer is in memory alone" in ended.err
    assert outage.refresh_token == "next"


def test_a_worker_that_waits_for_no_thread_waits_in_close_until_the_database_is_back(outage: Outage) -> None:
    outage.seconds = SHORT_S
    ended = outage.run(_WORKER, outage.url)
    assert (ended.code, ended.out) == (0, "200\n")
    assert outage.refresh_token == "next"


def test_a_program_that_ends_says_that_a_grant_is_lost(outage: Outage) -> None:
    outage.seconds = LONG_S
    ended = outage.run(f"{_LIMITED}{_PROGRAM}", outage.url)
    assert (ended.code, ended.out) == (0, "200\n")
    assert "the new grant of customer is lost" in ended.err
    assert outage.refresh_token == AWKWARD

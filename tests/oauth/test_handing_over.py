"""A grant whose access token has ended, handed to other programs: renewed first, and seen by nobody else."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connform.database.cipher import new_key
from tests.end_to_end.conftest import Issuer
from tests.end_to_end.running import run, start
from tests.http.servers import Server
from tests.oauth.test_refused import RENEWED, TOKEN, Account, asked, lasting
from tests.oauth.test_verdicts import ENVIRONMENT, prepare


@pytest.fixture
def server(authority: Issuer) -> Iterator[Server]:
    with Server(Account(RENEWED), tls=authority.loopback()) as server:
        yield server


FORMS: dict[str, Callable[[str], tuple[str, str | None]]] = {
    "raw": lambda out: (out.removesuffix("\n"), None),
    "json": lambda out: _in(json.loads(out), "access_token", "expires_at"),
    "exec-credential": lambda out: _in(json.loads(out)["status"], "token", "expirationTimestamp"),
}


def _in(content: dict[str, Any], token: str, ends: str) -> tuple[str, str]:
    return content[token], content[ends]


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_renewed_before_it_is_printed(server: Server, ca_file: Path, tmp_path: Path, form: str) -> None:
    prepare(tmp_path, server, ca_file)
    before = datetime.now(UTC).replace(microsecond=0)
    for _ in range(2):  # the second one has nothing to renew
        printed = run("token", "customer", "--format", form, cwd=tmp_path, env=ENVIRONMENT)
        assert (printed.code, printed.err) == (0, "")
        token, ends = FORMS[form](printed.out)
        assert token == RENEWED
        if ends is not None:
            assert before <= datetime.fromisoformat(ends) - timedelta(hours=1) <= datetime.now(UTC)
    assert asked(server) == [TOKEN]


def test_a_token_that_has_not_ended_can_be_renewed_by_force(server: Server, ca_file: Path, tmp_path: Path) -> None:
    """Where a server gives no `expires_in`, nothing but its API knows that the token has ended."""
    prepare(tmp_path, server, ca_file, **lasting() | {"expires_at": None})
    forced = [run("token", "customer", "--force-renew", cwd=tmp_path, env=ENVIRONMENT) for _ in range(2)]
    assert [ended.out for ended in forced] == [f"{RENEWED}\n"] * 2
    assert asked(server) == [TOKEN]  # the second one is new: it is not renewed again


def test_a_command_gets_a_renewed_token_and_shows_nothing_that_was_resolved(
    server: Server, ca_file: Path, tmp_path: Path
) -> None:
    key = new_key()
    prepare(tmp_path, server, ca_file, "", key)
    variables = ENVIRONMENT | {"STATE_KEY": key, "CONNFORM_STATE_KEY": "env://STATE_KEY"}
    script = (
        f"import os; env = os.environ; print(env['CUSTOMER_TOKEN'] == {RENEWED!r}, env['CUSTOMER_CA_FILE'])\n"
        "print(env['CUSTOMER_TOKEN'], env['PORTAL_SECRET'], env['STATE_KEY'])"
    )
    ended = run("exec", "customer", "--", sys.executable, "-c", script, cwd=tmp_path, env=variables)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [f"True {ca_file}", "*** *** ***"]
    assert asked(server) == [TOKEN]


def test_signals_and_exit_code_of_a_command_with_a_renewed_token(server: Server, ca_file: Path, tmp_path: Path) -> None:
    prepare(tmp_path, server, ca_file)
    numbers = [signal.SIGUSR1, signal.SIGQUIT, signal.SIGINT, signal.SIGTERM]
    script = (
        f"import signal, sys; numbers = {[int(number) for number in numbers]}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, numbers)\n"
        "print('ready', flush=True)\n"
        "for _ in numbers: print(int(signal.sigwait(numbers)), flush=True)\n"
        "sys.exit(42)"
    )
    with start("exec", "customer", "--", sys.executable, "-c", script, cwd=tmp_path, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for number in numbers:
            process.send_signal(number)
            assert process.stdout.readline() == f"{int(number)}\n"
    assert process.returncode == 42
    assert asked(server) == [TOKEN]

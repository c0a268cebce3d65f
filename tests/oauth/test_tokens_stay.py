"""The tokens that a server issues in the whole life of a grant are in no output and in no file, as those of the tests are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connform.database import open_grants
from tests.canary import assert_without
from tests.end_to_end.running import COMMAND, environment
from tests.oauth.provider import Provider
from tests.oauth.setting import end_access_token
from tests.oauth.test_whole_life import ASK, ENVIRONMENT, begin_login, declare

_LOGS_ALL = """
import logging, connform
logging.basicConfig(level=logging.DEBUG)
with connform.connect("customer") as client:
    answer = client.post("/packages/list", json={"take": 1, "skip": 0})
    print(answer.status_code, answer.request.headers, vars(answer), vars(client))
"""
_SHOWS_ALL = """
import os, sys
for name in ("CUSTOMER_TOKEN", "PORTAL_SECRET", "CUSTOMER_BASE_URL"):
    print(name, os.environ[name], os.environ[name].encode(), file=sys.stderr)
"""
RUNS = (
    ("check", "-vv"),
    (*ASK, "--include"),
    ("exec", "customer", "--", sys.executable, "-c", _SHOWS_ALL),
    ("apply", "--yes", "--format", "json"),
    ("login",),
    ("list", "-vv"),
    ("show", "customer", "--format", "json"),
    ("plan", "--refresh", "-vv"),
    ("state", "show", "customer", "--format", "json"),
    ("state", "export"),
)


class Life:
    """Runs commands, and keeps what they print and every token that the store ever held."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed: dict[str, bytes] = {}
        self.issued: set[str] = set()

    def run(self, *argv: str, name: str) -> None:
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=environment({**ENVIRONMENT, "CONNFORM_DEBUG": "1"}),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.returncode}"  # what it printed may hold a token
        self.printed[name] = done.stdout + done.stderr
        self.look()

    def end_access_token(self) -> None:
        store = open_grants("", self.folder / ".connform", None)
        end_access_token(store)
        store.close()

    def look(self) -> None:
        store = open_grants("", self.folder / ".connform", None)
        grant = store.read("customer")
        store.close()
        if grant is not None:
            self.issued |= {token.reveal() for token in (grant.access_token, grant.refresh_token) if token}

    def search(self) -> None:
        for name, text in self.printed.items():
            assert_without(self.issued, text, where=f"what `{name}` printed")
        for folder, _, files in os.walk(self.folder):
            for file in files:
                with open(os.path.join(folder, file), "rb") as opened:
                    assert_without(self.issued, opened.read(), where=os.path.join(folder, file))


@pytest.mark.timeout(110)  # a dozen processes, one after the other
def test_no_token_of_a_whole_life_is_seen(tmp_path: Path, lasting_provider: Provider) -> None:
    provider = lasting_provider
    life = Life(tmp_path)
    declare(tmp_path, provider)
    process, url = begin_login(tmp_path)
    address = provider.consent(url)
    out, err = process.communicate(address + "\n", timeout=60)
    assert process.returncode == 0
    life.printed["login"] = (out + err).encode()
    life.issued.add(parse_qs(urlsplit(address).query)["code"][0])
    life.look()
    for argv in RUNS:
        life.end_access_token()
        life.run(COMMAND, *argv, name=" ".join(argv[:2]))
    life.end_access_token()
    life.run(sys.executable, "-c", _LOGS_ALL, name="the library")
    assert len(life.issued) >= 13, "a code, and two tokens for the login and for each renewal"
    life.search()
    assert b"the grant was renewed and stored; its access token ends at" in life.printed["check -vv"]
    assert any(path.name == "state.sqlite3" for path in tmp_path.rglob("*"))
    life.run(COMMAND, "logout", "customer", name="logout")
    life.search()

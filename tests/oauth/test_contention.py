"""One grant, many callers: a server that rotates refresh tokens ends a grant whose token is used twice."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connform.database import open_grants
from connform.database.cipher import new_key
from connform.grant import GrantFacts, GrantStore
from connform.secret import Secret
from tests.database.pgbouncer import pgbouncer
from tests.database.postgres import Postgres
from tests.end_to_end.running import run, start_program
from tests.oauth.conftest import SECRET
from tests.oauth.provider import Provider
from tests.oauth.setting import LONG_AGO, end_access_token
from tests.oauth.strict import running_strict_provider
from tests.oauth.test_whole_life import ENVIRONMENT, declare, log_in
from tests.ports import free_ports
from tests.repetitions import given, repeated

SECONDS = given("seconds", 4)
"""How long the callers call."""
KILLS = given("kills", 2)
"""Within a renewal, on each store."""
SERVERS, STORES = ("oidc-provider", "strict"), ("sqlite", "postgresql", "pgbouncer")
_ALL = list(product(SERVERS, STORES))
CONTENDED = repeated([("strict", "postgresql")], _ALL)
KILLED = repeated([("oidc-provider", "sqlite")], _ALL)
SHORT_S, LONG_S = 2, 3600
"""How long access tokens live: for a moment, and longer than every test."""
_CALLERS = Path(__file__).with_name("callers.py")


def start(folder: Path, state: str, seconds: float, variables: dict[str, str]) -> subprocess.Popen[str]:
    """Start a process with four callers, and return it when it is about to call; a line on its input lets it."""
    process = start_program(_CALLERS, folder / "connections.yaml", state, str(seconds), env=variables)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def call_from_four_processes(folders: list[Path], provider: Provider, state: str, variables: dict[str, str]) -> None:
    before, refreshes_before = provider.counts, len(provider.refreshed_at)
    processes = [start(folder, state, SECONDS, variables) for folder in folders for _ in range(4 // len(folders))]
    for process in processes:
        go(process)
    seen: dict[str, int] = {}
    for process in processes:
        out, err = process.communicate(timeout=SECONDS + 60)
        assert process.returncode == 0, err
        for outcome, number in json.loads(out).items():
            seen[outcome] = seen.get(outcome, 0) + number
    spent = {name: provider.counts[name] - before[name] for name in before}
    assert spent["refused"] == spent["revoked"] == 0, spent
    assert spent["refresh"] >= SECONDS / 3 - 1, spent
    # this server counts in whole seconds: a token of two lives for one at least, and two calls within one share an expiry
    times = provider.refreshed_at[refreshes_before:]
    assert all(later - earlier > 0.9 for earlier, later in pairwise(times)), times
    late = seen.pop("401", 0)  # a token of two seconds can end on its way to the server where the machine is busy
    assert (list(seen), late < seen["200"]) == (["200"], True), (seen, late)
    print(
        f"{seen['200']} answers, {spent['refresh']} token calls in {SECONDS} s; 401 was answered {spent['rejected']} times, {late} times at last"
    )


class Store(NamedTuple):
    """Where grants are stored: the URL, empty for a folder beside the manifest, and what a command needs to know of it."""

    url: str
    variables: dict[str, str]
    """Of every process."""
    flags: dict[str, str]
    """Of a command, as variables."""

    def open(self, folder: Path) -> GrantStore:
        key = Secret(self.variables["STATE_KEY"])
        return open_grants(self.url, folder / ".connform", (lambda: key) if self.url else None)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with ExitStack() as stack:
        url = ""
        if request.param != "sqlite":
            postgres: Postgres = request.getfixturevalue("postgres")
            url = postgres.fresh()
            if request.param == "pgbouncer":
                port = stack.enter_context(pgbouncer(postgres, "session", size=40))
                url = url.replace(f":{postgres.port}/", f":{port}/")
        variables = {**ENVIRONMENT, "STATE_KEY": new_key()}
        flags = {"CONNFORM_STATE": url, "CONNFORM_STATE_KEY": "env://STATE_KEY"} if url else {}
        yield Store(url, variables, flags)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """A server by its name and the life of its access tokens, in seconds."""
    name, lifetime_s = request.param
    if name == "oidc-provider":
        yield request.getfixturevalue("provider" if lifetime_s == SHORT_S else "lasting_provider")
        return
    authority, ca_file = request.getfixturevalue("authority"), request.getfixturevalue("ca_file")
    redirect_uri = f"https://localhost:{free_ports(1)[0]}/auth/callback"
    with running_strict_provider(
        authority, ca_file, redirect_uri=redirect_uri, client_secret=SECRET, lifetime_s=lifetime_s
    ) as strict:
        yield strict


def _parameters(combinations: Iterable[tuple[str, str]], lifetime_s: int) -> list[Any]:
    return [pytest.param((name, lifetime_s), store, id=f"{name}-{store}") for name, store in combinations]


@pytest.mark.parametrize(("server", "store"), _parameters(CONTENDED, SHORT_S), indirect=True)
def test_sixteen_callers_make_one_token_call_per_expiry(tmp_path: Path, server: Provider, store: Store) -> None:
    """With a database on a server, in two folders, as on two machines: nothing is shared but the server and the key."""
    hosts = [tmp_path / "one", tmp_path / "other"] if store.url else [tmp_path]
    for host in hosts:
        host.mkdir(exist_ok=True)
        declare(host, server)
    log_in(hosts[0], server, store.variables | store.flags)
    call_from_four_processes(hosts, server, store.url, store.variables)
    assert run("check", cwd=hosts[-1], env=store.variables | store.flags).code == 0
    assert not store.url or not any((host / ".connform").exists() for host in hosts)


@pytest.mark.parametrize(("server", "store"), _parameters(KILLED, LONG_S), indirect=True)
def test_a_killed_renewal_loses_no_grant_but_where_its_answer_was_lost(
    tmp_path: Path, server: Provider, store: Store
) -> None:
    """The server knows whose answer was lost: it had issued tokens to the killed process, and refuses the survivor."""
    variables = store.variables | store.flags
    declare(tmp_path, server)
    log_in(tmp_path, server, variables)
    grants = store.open(tmp_path)
    longest_s = _end_access_token_and_renew(tmp_path, grants, store)
    outcomes: list[str] = []
    late = 0
    while len(outcomes) < KILLS:
        end_access_token(grants)
        before = server.counts
        if not _kill_in_renewal(tmp_path, grants, store, random.uniform(0, longest_s)):
            late += 1
            longest_s *= 0.7  # the one that was measured took unusually long, as on a busy machine
            assert late < 10 * KILLS, "every kill came too late"
            continue
        survivor = run("check", "--format", "json", cwd=tmp_path, env=variables)
        spent = {name: count - before[name] for name, count in server.counts.items()}
        outcomes.append(survivor.connection["class"] or "ready")
        if outcomes[-1] == "ready":  # its own renewal is the only one
            assert (spent["refresh"], spent["refused"]) == (1, 0), spent
        else:  # the killed process's was the only one
            assert outcomes[-1] == "refresh_interrupted", survivor.out
            assert (spent["refresh"], spent["refused"]) == (1, 1), spent
            again = run("check", "--format", "json", cwd=tmp_path, env=variables)
            assert (again.code, again.connection["class"]) == (4, "refresh_interrupted")
            log_in(tmp_path, server, variables)
    grants.close()
    print({outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}, f"{late} more came too late")


def _facts(store: GrantStore) -> GrantFacts:
    (facts,) = store.facts()
    return facts


def _has_begun(facts: GrantFacts) -> bool:
    """Whether a renewal is under way, or was so short that nobody saw it."""
    return facts.pending is not None or facts.expires_at != LONG_AGO


def _wait_for(store: GrantStore, fits: Callable[[GrantFacts], bool]) -> float:
    """Return when, by the monotonic clock."""
    gives_up_at = time.monotonic() + 30
    while not fits(_facts(store)):
        assert time.monotonic() < gives_up_at, _facts(store)
        time.sleep(0.0005)
    return time.monotonic()


def _end_access_token_and_renew(folder: Path, grants: GrantStore, store: Store) -> float:
    """Return how long a renewal takes that nobody kills, from its journal entry to its record, in seconds."""
    end_access_token(grants)
    process = start(folder, store.url, 30, store.variables)
    go(process)
    began = _wait_for(grants, _has_begun)
    ended = _wait_for(grants, lambda facts: facts.expires_at != LONG_AGO)
    process.kill()
    process.communicate()
    return ended - began


def _kill_in_renewal(folder: Path, grants: GrantStore, store: Store, moment_s: float) -> bool:
    """Kill a process some time after it has written that it renews, and return whether it was still at it."""
    victim = start(folder, store.url, 30, store.variables)
    go(victim)
    _wait_for(grants, _has_begun)
    time.sleep(moment_s)
    victim.kill()
    victim.communicate()
    pending = _facts(grants).pending
    assert pending is None or pending.holder.endswith(f":{victim.pid}")
    return pending is not None

"""One grant, many callers: a server that rotates refresh tokens ends a grant whose token is used twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from connform.database import open_grants
from connform.database.cipher import new_key
from connform.grant import GrantFacts, GrantStore
from connform.secret import Secret
from tests.database.postgres import Postgres
from tests.end_to_end.running import environment, run
from tests.oauth.provider import Provider
from tests.oauth.setting import LONG_AGO, end_access_token
from tests.oauth.test_whole_life import ENVIRONMENT, declare, log_in
from tests.repetitions import repeated

SECONDS = repeated(5, 60)
"""How long the callers call."""
KILLS = repeated(2, 20)
"""Within a renewal, on each store."""
_CALLERS = Path(__file__).with_name("callers.py")


def start(folder: Path, state: str, seconds: float, variables: dict[str, str]) -> subprocess.Popen[str]:
    """Start a process with four callers, and return it when it is about to call; a line on its input lets it."""
    process = subprocess.Popen(
        [sys.executable, _CALLERS, folder / "connections.yaml", state, str(seconds)],
        env=environment(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
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
    assert set(seen) == {"200"}, seen
    spent = {name: provider.counts[name] - before[name] for name in before}
    assert spent["refused"] == spent["revoked"] == 0, spent
    assert spent["refresh"] >= SECONDS / 2 - 2, spent
    # this server counts in whole seconds: a token of two lives for one at least, and two calls within one share an expiry
    times = provider.refreshed_at[refreshes_before:]
    assert all(later - earlier > 0.9 for earlier, later in pairwise(times)), times
    print(f"{seen['200']} answers, {spent['refresh']} token calls, {spent['rejected']} refused in {SECONDS} s")


def test_sixteen_callers_make_one_token_call_per_expiry(tmp_path: Path, provider: Provider) -> None:
    declare(tmp_path, provider)
    log_in(tmp_path, provider)
    call_from_four_processes([tmp_path], provider, "", ENVIRONMENT)
    assert run("check", cwd=tmp_path, env=ENVIRONMENT).code == 0


def test_two_hosts_share_a_grant_on_a_server(tmp_path: Path, provider: Provider, postgres: Postgres) -> None:
    """Two folders, as on two machines: nothing is shared but the server and the key."""
    variables = {**ENVIRONMENT, "STATE_KEY": new_key()}
    url = postgres.fresh()
    flags = {"CONNFORM_STATE": url, "CONNFORM_STATE_KEY": "env://STATE_KEY"}
    hosts = [tmp_path / "one", tmp_path / "other"]
    for host in hosts:
        host.mkdir()
        declare(host, provider)
    log_in(hosts[0], provider, {**variables, **flags})
    call_from_four_processes(hosts, provider, url, variables)
    assert not any((host / ".connform").exists() for host in hosts)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_renewal_loses_no_grant_but_where_its_answer_was_lost(
    tmp_path: Path, lasting_provider: Provider, request: pytest.FixtureRequest, kind: str
) -> None:
    """The server knows whose answer was lost: it had issued tokens to the killed process, and refuses the survivor."""
    provider, variables = lasting_provider, {**ENVIRONMENT, "STATE_KEY": new_key()}
    url = request.getfixturevalue("postgres").fresh() if kind == "postgresql" else ""
    flags = {"CONNFORM_STATE": url, "CONNFORM_STATE_KEY": "env://STATE_KEY"} if url else {}
    declare(tmp_path, provider)
    log_in(tmp_path, provider, variables | flags)
    key = Secret(variables["STATE_KEY"])
    store = open_grants(url, tmp_path / ".connform", (lambda: key) if url else None)
    longest_s = _end_access_token_and_renew(tmp_path, store, url, variables)
    outcomes: list[str] = []
    late = 0
    while len(outcomes) < KILLS:
        end_access_token(store)
        before = provider.counts
        if not _kill_in_renewal(tmp_path, store, url, variables, random.uniform(0, longest_s)):
            late += 1
            longest_s *= 0.7  # the one that was measured took unusually long, as on a busy machine
            assert late < 10 * KILLS, "every kill came too late"
            continue
        survivor = run("check", "--format", "json", cwd=tmp_path, env=variables | flags)
        spent = {name: count - before[name] for name, count in provider.counts.items()}
        outcomes.append(survivor.connection["class"] or "ready")
        if outcomes[-1] == "ready":  # its own renewal is the only one
            assert (spent["refresh"], spent["refused"]) == (1, 0), spent
        else:  # the killed process's was the only one
            assert outcomes[-1] == "refresh_interrupted", survivor.out
            assert (spent["refresh"], spent["refused"]) == (1, 1), spent
            again = run("check", "--format", "json", cwd=tmp_path, env=variables | flags)
            assert (again.code, again.connection["class"]) == (4, "refresh_interrupted")
            log_in(tmp_path, provider, variables | flags)
    store.close()
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


def _end_access_token_and_renew(folder: Path, store: GrantStore, url: str, variables: dict[str, str]) -> float:
    """Return how long a renewal takes that nobody kills, from its journal entry to its record, in seconds."""
    end_access_token(store)
    process = start(folder, url, 30, variables)
    go(process)
    began = _wait_for(store, _has_begun)
    ended = _wait_for(store, lambda facts: facts.expires_at != LONG_AGO)
    process.kill()
    process.communicate()
    return ended - began


def _kill_in_renewal(folder: Path, store: GrantStore, url: str, variables: dict[str, str], moment_s: float) -> bool:
    """Kill a process some time after it has written that it renews, and return whether it was still at it."""
    victim = start(folder, url, 30, variables)
    go(victim)
    _wait_for(store, _has_begun)
    time.sleep(moment_s)
    victim.kill()
    victim.communicate()
    pending = _facts(store).pending
    assert pending is None or pending.holder.endswith(f":{victim.pid}")
    return pending is not None

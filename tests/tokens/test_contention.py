"""One token, many callers: threads, tasks, processes and hosts make one call for each expiry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from connform.database import token_table
from connform.database.cipher import new_key
from connform.database.token_table import TokenTable
from connform.errors import ConnectionFailed
from connform.http.net import deadline
from tests.database.postgres import Postgres
from tests.end_to_end.running import offline, start_program
from tests.oauth.test_stopped import wait_until_stopped
from tests.repetitions import given, repeated
from tests.tokens.service import Service
from tests.tokens.setting import Shop, credential

SECONDS = given("seconds", 5)
"""How long the callers call."""
KILLS = given("kills", 1)
"""How many holders are killed or stopped, in each state."""
_FROZEN_AFTER_S = repeated(1.5, 30)
_HERE = Path(__file__).parent


def start(shop: Shop, seconds: float, callers: tuple[int, int], before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start a process with threads and tasks, and return it when it is about to call; a line on its input lets it."""
    argv: tuple[str | Path, ...] = (
        _HERE / "callers.py",
        shop.folder / "connections.yaml",
        str(seconds),
        *map(str, callers),
    )
    process = start_program(*argv, env=shop.environment, before=before)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def finish(processes: Sequence[subprocess.Popen[str]], service: Service) -> None:
    """Let the callers call, and require that they made one call for each expiry."""
    for process in processes:
        go(process)
    seen: dict[str, int] = {}
    for process in processes:
        out, err = process.communicate(timeout=SECONDS + 60)
        assert process.returncode == 0, err
        for outcome, number in json.loads(out).items():
            seen[outcome] = seen.get(outcome, 0) + number
    late = seen.pop("401", 0)  # a token can end on its way to the server where the machine is busy
    assert (list(seen), late < seen["200"]) == (["200"], True), (seen, late)
    calls = service.called_at
    apart = [later - earlier for earlier, later in pairwise(calls)]
    # of a life of two seconds, a token is used for 1.8
    assert all(gap_s > 1.5 for gap_s in apart), apart
    assert len(calls) >= SECONDS / 3, calls
    print(
        f"{seen['200']} answers, {len(calls)} token calls in {SECONDS} s, {min(apart, default=0):.2f} s apart at least; late: {late}"
    )


@pytest.mark.parametrize("url", repeated(["postgresql"], ["sqlite", "postgresql"]), indirect=True)
def test_sixteen_callers_make_one_call_per_expiry(tmp_path: Path, short_service: Service, url: str) -> None:
    shop = Shop(tmp_path / "shop", short_service, url, new_key())
    finish([start(shop, SECONDS, (2, 2)) for _ in range(4)], short_service)


def test_sixteen_callers_of_one_process_make_one_call_per_expiry_without_a_state(
    tmp_path: Path, short_service: Service
) -> None:
    shop = Shop(tmp_path / "shop", short_service)
    files = shop.files
    finish([start(shop, SECONDS, (8, 8))], short_service)
    assert shop.files == files


@contextmanager
def second_host(folder: Path, hidden: Path, ports: Sequence[int]) -> Iterator[list[str]]:
    """Yield a command before which there is another host: network, mounts and name are its own, and it reaches the ports alone."""
    sockets = folder / "sockets"
    sockets.mkdir()
    names = list(map(str, ports))
    relay = [sys.executable, str(_HERE / "relay.py")]
    cut = offline()
    cut.insert(1, "--uts")
    script = f'hostname second-host && mount -t tmpfs none {hidden} && exec "$@"'
    with subprocess.Popen(
        [*relay, "outside", str(sockets), *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as outside:
        assert outside.stdout is not None
        assert outside.stdout.readline() == "ready\n"
        yield [*cut, "sh", "-c", script, "sh", *relay, "inside", str(sockets), *names, "--"]
        outside.communicate()


def test_two_hosts_share_nothing_but_the_server_and_make_one_call_per_expiry(
    tmp_path: Path, postgres: Postgres, short_service: Service
) -> None:
    url, key = postgres.fresh(), new_key()
    one = Shop(tmp_path / "one" / "shop", short_service, url, key)
    other = Shop(tmp_path / "other" / "shop", short_service, url, key)
    with second_host(tmp_path, one.folder.parent, (postgres.port, short_service.port)) as before:
        processes = [start(one, SECONDS, (2, 2)) for _ in range(2)]
        processes += [start(other, SECONDS, (2, 2), before) for _ in range(2)]
        finish(processes, short_service)
    assert not any((shop.folder / ".connform").exists() for shop in (one, other))


def _stop(process: subprocess.Popen[str], number: int) -> None:
    """Kill or freeze a process, and return when it is dead, or when none of its threads runs."""
    process.send_signal(number)
    if number == signal.SIGKILL:
        process.communicate()
    else:
        wait_until_stopped(process.pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_holder_that_dies_or_freezes_in_its_call_blocks_nobody(
    shop: Shop, service: Service, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """The lock of a dead one is free at once; a frozen one is passed over, and what it stores later does no harm."""
    monkeypatch.setattr(token_table, "FROZEN_AFTER_S", _FROZEN_AFTER_S)
    for _ in range(KILLS):
        table = shop.table()
        table.delete("shop")
        service.called_at.clear()
        service.arrived.clear()
        service.may_answer.clear()
        with start(shop, 1, (1, 0)) as holder:
            try:
                go(holder)
                assert service.arrived.wait(30)
                _stop(holder, number)
                service.may_answer.set()
                waited_s = _renew_instead(service, table)
                if number == signal.SIGSTOP:
                    assert waited_s > _FROZEN_AFTER_S - 1
                    holder.send_signal(signal.SIGCONT)
                    out, err = holder.communicate(timeout=60)
                    assert list(json.loads(out)) == ["200"], err
            finally:
                holder.kill()
        table.close()
        print(f"{number.name}: the next one waited {waited_s:.2f} s")


def _renew_instead(service: Service, table: TokenTable) -> float:
    """Obtain a token while a dead or frozen process had begun, and return how long that took."""
    began_at = time.monotonic()
    sending = credential(service, table)
    with deadline.within(_FROZEN_AFTER_S + 30):
        assert sending.renew()
    waited_s = time.monotonic() - began_at
    assert len(service.called_at) == 2
    with deadline.within(5):  # whoever comes now reads what was stored, and waits for no lock
        assert credential(service, table).renew() == sending.headers()
    return waited_s


def test_a_second_frozen_holder_is_passed_over_as_well(
    shop: Shop, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_table, "FROZEN_AFTER_S", 1.0)
    table, others = shop.table(), [shop.table(), shop.table()]
    with others[0].lock("shop", 30), others[1].lock("shop", 30), deadline.within(30):
        assert credential(service, table).renew()
    for one in (table, *others):
        one.close()


def test_a_lock_that_is_not_free_within_the_callers_time_says_who_holds_it(shop: Shop, service: Service) -> None:
    table, other = shop.table(), shop.table()
    with other.lock("shop", 30), pytest.raises(ConnectionFailed) as caught, deadline.within(3):
        credential(service, table).renew()
    assert caught.value.fault.name == "store_locked"
    assert f"{os.uname().nodename[:18]}:{os.getpid()} has held it since 20" in caught.value.message
    assert service.called_at == []
    for one in (table, other):
        one.close()


def test_the_second_host_is_another_one(tmp_path: Path) -> None:
    """Otherwise the test above says nothing of hosts."""
    hidden = tmp_path / "hidden"
    (hidden / "deep").mkdir(parents=True)
    with second_host(tmp_path, hidden, ()) as before:
        seen = subprocess.run([*before, "sh", "-c", f"hostname; ls {hidden}; cat /proc/net/dev"], capture_output=True, text=True, check=True).stdout  # fmt: skip
    names = [line.split()[0] for line in seen.splitlines()]
    assert (names[0], [name for name in names if name.endswith(":")]) == ("second-host", ["lo:"])
    assert "deep" not in seen

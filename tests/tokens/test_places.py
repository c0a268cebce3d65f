"""Where a token lies: in the state that is given or exists, else in the memory of the process; a state that fails stops no request."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from connform.database import open_grants, postgres, sqlite
from connform.database.cipher import new_key
from connform.database.memory import MemoryTokens
from connform.database.sqlite import _MIGRATIONS, FILE
from connform.engine.run import tokens_in_state
from connform.engine.run.tokens_in_state import TokensInState
from connform.secret import Secret
from tests.database.postgres import Postgres
from tests.database.test_versions import KEY
from tests.end_to_end.running import offline
from tests.ports import free_ports
from tests.tokens.service import Service
from tests.tokens.setting import Shop, credential

VERSIONS = Path(__file__).parents[1] / "database" / "versions"
WARNING = "access tokens stay in the memory of this process"
REQUEST = ("request", "shop", "GET", "/me")


def test_without_a_state_nothing_is_made(plain_shop: Shop) -> None:
    files = plain_shop.files
    for verb in (("validate",), ("plan",), ("check",), REQUEST, ("token", "shop")):
        assert WARNING not in plain_shop.run(*verb).err
    assert plain_shop.files == files
    assert len(plain_shop.service.called_at) == 3


def test_once_there_is_a_state_commands_share_a_token(plain_shop: Shop) -> None:
    plain_shop.run("apply", "--yes")
    for verb in (("check",), REQUEST, ("token", "shop")):
        assert WARNING not in plain_shop.run(*verb).err
    assert plain_shop.stored() == plain_shop.service.issued[0]
    assert plain_shop.run("token", "shop").out.strip() == plain_shop.stored()
    assert len(plain_shop.service.called_at) == 1


def test_a_given_state_is_used_from_the_first_request_on(shop: Shop) -> None:
    for verb in (("check",), REQUEST, ("plan", "--refresh")):
        shop.run(*verb)
    assert len(shop.service.called_at) == 1
    assert not (shop.folder / ".connform").exists()


def test_a_token_that_the_api_refuses_is_replaced_for_all(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run("check")
    table = shop.table()
    token = table.read("shop")
    assert token is not None
    old = token.facts._replace(obtained_at=datetime.now(UTC) - timedelta(minutes=20))
    table.write(token._replace(facts=old))
    table.close()
    shop.service.revoke_all()
    shop.run(*REQUEST)
    shop.run(*REQUEST)
    assert shop.stored() == shop.service.issued[1]
    assert shop.service.statuses[1:] == [401, 200, 200]


def test_a_state_of_the_former_version_is_upgraded_by_a_token_and_not_by_a_plan(plain_shop: Shop) -> None:
    folder = plain_shop.folder / ".connform"
    folder.mkdir(mode=0o700)
    for name, content in ((FILE, (VERSIONS / "3.sqlite3").read_bytes()), ("key", KEY.reveal().encode())):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    before = (folder / FILE).read_bytes()
    for verb in ("validate", "plan"):
        plain_shop.run(verb)
    plain_shop.run("state", "list")
    assert (folder / FILE).read_bytes() == before
    assert WARNING not in plain_shop.run("check").err
    assert plain_shop.stored() == plain_shop.service.issued[0]
    with closing(sqlite3.connect(folder / FILE)) as file:
        assert file.execute("PRAGMA user_version").fetchall() == [(len(_MIGRATIONS),)]


def insecure(shop: Shop) -> None:
    (shop.folder / ".connform").chmod(0o755)


def damaged(shop: Shop) -> None:
    (shop.folder / ".connform" / "state.sqlite3").write_bytes(b"not a database" * 1000)


def without_key(shop: Shop) -> None:
    (shop.folder / ".connform" / "key").unlink()
    with sqlite3.connect(shop.folder / ".connform" / "state.sqlite3") as file:
        file.execute(
            "INSERT INTO connform_grants VALUES ('other', '', '', '', 0, 0, 0, '', NULL, '', '', x'00', NULL, NULL, NULL)"
        )
    file.close()


def of_another_key(shop: Shop) -> None:
    without_key(shop)
    (shop.folder / ".connform" / "key").write_text(new_key())
    (shop.folder / ".connform" / "key").chmod(0o600)


TROUBLES = [insecure, damaged, without_key, of_another_key]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_folder_that_can_not_be_used_stops_no_request(plain_shop: Shop, trouble: Callable[[Shop], None]) -> None:
    plain_shop.run("apply", "--yes")
    trouble(plain_shop)
    asked = plain_shop.run(*REQUEST)
    assert asked.err.count(WARNING) == 1
    assert len(plain_shop.service.called_at) == 2


@contextmanager
def frozen_writer(url: str, folder: Path) -> Iterator[None]:
    """Be in a transaction that has written the token and does not end."""
    if not url.startswith("postgresql"):
        with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
            file.execute("ROLLBACK")
        return
    with psycopg.connect(url) as server:
        server.execute("UPDATE connform_tokens SET scopes = scopes")
        yield


def test_a_process_that_freezes_while_it_writes_stops_no_request(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_S", 0.2)
    monkeypatch.setattr(postgres, "ROW_WAIT_MS", 200)
    shop.run("check")
    store = TokensInState(shop.table(), MemoryTokens())
    with frozen_writer(shop.url, Path(shop.url.removeprefix("sqlite://"))):
        for _ in range(2):
            credential(shop.service, store, audience="invoices").renew()
    assert len(shop.service.called_at) == 2
    assert (caplog.text.count(WARNING), "another process has been writing" in caplog.text) == (1, True)
    store._table.close()


def read_only(folder: Path) -> list[str]:
    """Return a command before which a folder can't be written, not even by root."""
    return [*offline()[:-4], "--", "sh", "-c", f'mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && cd {folder} && exec "$@"', "sh"]  # fmt: skip


@pytest.mark.parametrize("is_fresh", [True, False], ids=["with a fresh token", "with one that has ended"])
def test_a_state_on_a_read_only_mount_is_read(plain_shop: Shop, *, is_fresh: bool) -> None:
    plain_shop.run("apply", "--yes")
    if not is_fresh:
        table = plain_shop.table()
        token = table.read("shop")
        assert token is not None
        table.write(token._replace(facts=token.facts._replace(expires_at=datetime(2020, 1, 1, tzinfo=UTC))))
        table.close()
    before = [one for one in read_only(plain_shop.folder) if one != "--net"]
    asked = plain_shop.run(*REQUEST, before=before)
    assert (WARNING in asked.err, len(plain_shop.service.called_at)) == (not is_fresh, 2 - is_fresh)


def test_a_read_only_folder_without_a_state_is_silent(plain_shop: Shop) -> None:
    before = [one for one in read_only(plain_shop.folder) if one != "--net"]
    assert plain_shop.run(*REQUEST, before=before).err == ""


def test_a_server_without_a_key_and_one_that_is_away_stop_no_request(
    tmp_path: Path, service: Service, postgres: Postgres
) -> None:
    keyless = Shop(tmp_path / "keyless", service, postgres.fresh())
    away = Shop(tmp_path / "away", service, f"postgresql://nobody@127.0.0.1:{free_ports(1)[0]}/none", new_key())
    for shop, why in ((keyless, "--state-key"), (away, "PostgreSQL")):
        asked = shop.run(*REQUEST)
        assert (asked.err.count(WARNING), why in asked.err) == (1, True)
    assert len(service.called_at) == 2


def test_a_url_that_is_none_is_an_error(tmp_path: Path, service: Service) -> None:
    shop = Shop(tmp_path / "shop", service, "mysql://localhost/state")
    assert "no known scheme" in shop.run(*REQUEST, code=1).err


@pytest.fixture
def in_state(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> TokensInState:
    """Tokens in a server, which is asked again at once after it failed."""
    monkeypatch.setattr(tokens_in_state, "_PAUSE_S", 0.0)
    key = Secret(new_key())
    table = open_grants(postgres.fresh(), Path("unused"), lambda: key).tokens
    return TokensInState(table, MemoryTokens())


def test_a_server_that_restarts_gets_the_token_of_the_next_renewal(
    in_state: TokensInState, service: Service, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    moments = [datetime.now(UTC)]

    def renew(later_h: int, **request: str) -> int:
        """Renew some hours later, and return how many calls there were."""
        moments.append(moments[0] + timedelta(hours=later_h))
        credential(service, in_state, lambda: moments[-1], **request).renew()
        return len(service.called_at)

    assert renew(0) == 1
    postgres.stop()
    try:
        with caplog.at_level(logging.WARNING, "connform"):
            assert [renew(hours) for hours in (2, 2, 4, 4)] == [2, 2, 3, 3]
        assert caplog.text.count(WARNING) == 1
    finally:
        postgres.start()
    assert renew(4) == 3  # the memory has the newer one
    assert renew(6) == 4
    stored = in_state._table.read("shop")
    assert stored is not None
    assert stored.access_token.reveal() == service.issued[-1]
    in_state._table.close()


def test_a_server_that_is_away_is_asked_once_for_many_connections(
    in_state: TokensInState, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them would wait for its time-out, one after another."""
    monkeypatch.setattr(tokens_in_state, "_PAUSE_S", 60.0)
    asked: list[float] = []
    server = in_state._table._database._server  # type: ignore[attr-defined]  # of PostgresDatabase
    connect = server.connect

    def counted(timeout_s: float) -> object:
        asked.append(timeout_s)
        return connect(timeout_s)

    monkeypatch.setattr(server, "connect", counted)
    postgres.stop()
    try:
        for number in range(5):
            assert in_state.read(f"shop-{number}") is None
    finally:
        postgres.start()
    assert len(asked) == 1

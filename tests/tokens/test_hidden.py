"""Nobody finds a token but who has the key: not in the state, a log, a `repr` or a traceback."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from connform.database import open_grants
from connform.database.cipher import new_key
from connform.database.memory import MemoryTokens
from connform.errors import ConnectionFailed
from connform.http.credential import HeaderLines
from connform.http.header import bearer
from connform.secret import Secret
from tests.canary import API_KEY, assert_no_canary, assert_without
from tests.database.postgres import Postgres
from tests.tokens.service import Service
from tests.tokens.setting import Shop, credential

KEY = new_key()


def test_no_file_of_a_folder_holds_it(plain_shop: Shop) -> None:
    plain_shop.run("apply", "--yes")
    plain_shop.run("check", "--debug")
    files = [path for path in plain_shop.folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"state.sqlite3", "key"}
    for path in files:
        assert_without([*plain_shop.service.issued, API_KEY], path.read_bytes(), where=path.name)


def test_no_table_of_a_server_holds_it(service: Service, postgres: Postgres) -> None:
    import psycopg

    url = postgres.fresh()
    table = open_grants(url, Path("unused"), lambda: Secret(KEY)).tokens
    credential(service, table).renew()
    table.close()
    with psycopg.connect(url) as server:
        rows = server.execute("SELECT t::text FROM connform_tokens t").fetchall()
    assert len(rows) == 1
    assert_without([*service.issued, API_KEY], *(row for (row,) in rows))


def test_no_representation_shows_it(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryTokens()
    with caplog.at_level(logging.DEBUG):
        sending = credential(service, store)
        lines = sending.renew()
    token = store.read("shop")
    shown = [repr(one) for one in (sending, lines, token, sending.facts, vars(sending), vars(store))]
    assert_without([*service.issued, API_KEY], *shown, caplog.text, *capsys.readouterr())
    for said in ("no stored token can be used", "another token was obtained and stored; it ends at"):
        assert said in caplog.text


def unsendable(token: Secret) -> HeaderLines:
    """Fail with the token at hand."""
    return bearer(Secret(token.reveal() + "\n"), key="access_token").headers()


@pytest.mark.parametrize("case", ["the endpoint fails", "the store fails", "the token can't be sent"])
def test_no_traceback_shows_it(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    store = open_grants("", tmp_path / "state", lambda: Secret(KEY)).tokens
    sending = credential(service, store)
    if case == "the endpoint fails":
        service.refusals.append((500, {"access_token": API_KEY}))
    elif case == "the store fails":
        (tmp_path / "state").write_text("")
    else:
        monkeypatch.setattr(sending._renewal, "_lines", unsendable)
    with pytest.raises(ConnectionFailed) as caught:
        sending.renew()
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    store.close()
    assert_no_canary(shown)
    assert_without(service.issued, shown)

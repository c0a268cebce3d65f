"""A token that ends while a program runs is renewed by the proxy, which the program doesn't notice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connform.database import open_grants
from connform.database.cipher import new_key
from connform.database.token_table import TokenTable
from connform.secret import Secret
from tests.canary import assert_without
from tests.end_to_end.running import KEY, run_here
from tests.proxy.conftest import Setting
from tests.proxy.raw import Answer, ask, request
from tests.proxy.running import NAME, Proxy, running_proxy


@pytest.fixture
def renewing(setting: Setting, tmp_path: Path) -> Iterator[Proxy]:
    """A proxy whose tokens come from the token endpoint of the API; it starts with one that is half an hour old."""
    auth = {
        "method": "client_credentials",
        "client_id": "app",
        "client_secret": "env://ACME_KEY",
        "token_url": f"https://127.0.0.1:{setting.port}/token",
    }
    setting.declare(auth=auth)
    setting.upstream.issued.clear()
    good = setting.upstream.good
    url, key = f"sqlite://{tmp_path}/state", new_key()
    env = {**KEY, "CONNFORM_STATE": url, "CONNFORM_STATE_KEY": "env://STATE_KEY", "STATE_KEY": key}
    assert run_here("check", NAME, "--quiet", cwd=setting.folder, env=env).code == 0
    _let_it_be_old(open_grants(url, tmp_path, lambda: Secret(key)).tokens)
    with running_proxy(setting.folder, env=env) as running:
        yield running
    setting.upstream.good = good
    setting.declare()


def _let_it_be_old(table: TokenTable) -> None:
    """Let the token be half an hour old: one that is young is not renewed when it is refused."""
    token, now, half_hour = table.read(NAME), datetime.now(UTC), timedelta(minutes=30)
    assert token is not None
    with table.lock(NAME, 5):
        facts = token.facts._replace(obtained_at=now - half_hour, expires_at=now + half_hour)
        table.write(token._replace(facts=facts))
    table.close()


def found(proxy: Proxy, method: str = "GET", body: bytes = b"") -> Answer:
    answer = ask(proxy.port, request(f"{proxy.path}/packages/7", proxy.host, method=method, body=body))
    assert answer is not None
    return answer


def test_a_token_that_the_api_refuses_is_renewed_once_for_all(setting: Setting, renewing: Proxy) -> None:
    assert found(renewing).status == 200
    setting.upstream.good = "Bearer revoked"
    answers: list[Answer] = []
    requests = [("GET", b""), ("POST", bytes(100))] * 10
    threads = [threading.Thread(target=lambda one=one: answers.append(found(renewing, *one))) for one in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * len(requests)
    assert len(setting.upstream.issued) == 2
    assert_without(setting.upstream.issued, *(answer.body for answer in answers))


def test_a_body_that_was_passed_on_as_it_came_is_not_sent_again(setting: Setting, renewing: Proxy) -> None:
    assert found(renewing).status == 200
    setting.upstream.good = "Bearer revoked"
    assert [found(renewing, "POST", bytes(1 << 20)).status for _ in range(2)] == [401, 200]

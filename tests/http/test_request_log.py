"""What the log says of a request is the same with threads, asyncio and trio, and in the order in which it happens."""

from __future__ import annotations

import re

import pytest

from tests.http.exchanging import Mode, exchange, settings_for
from tests.http.servers import HOST, Authority, Server, answer, redirect


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    said = [record.getMessage() for record in caplog.records if record.name == "connform.http"]
    return [re.sub(r"#\d+|127\.0\.0\.1:\d+|[\d.]+ ms|\d{4}-[^ ]+Z?", "…", line) for line in said]


def test_each_step_of_a_request_has_its_line(
    mode: Mode, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    with Server(answer(b"{}"), tls=authority.server(), ca_pem=authority.pem) as server:
        exchange(mode, settings_for(server, name="acme"), "/me?key=hidden")
    assert lines(caplog)[1:] == [
        f"acme …: GET https://{HOST}/me?…",
        "acme …: connected to … (…)",
        "acme …: TLSv1.3; certificate of connform tests, ends at … (…)",
        "acme …: 200 HTTP/1.1 after …, over a new connection to …",
        "acme …: received a body of 2 bytes; … in all",
    ]


def test_a_redirect_that_is_refused_is_seen_without_what_it_may_carry(
    mode: Mode, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = redirect("https://user:hidden@sink.example.test/login?code=hidden")
    with Server(elsewhere, tls=authority.server(), ca_pem=authority.pem) as server:
        exchange(mode, settings_for(server, name="acme"), follow_redirects=True)
    said = "\n".join(lines(caplog))
    assert "acme …: redirects to https://sink.example.test/login?…" in said
    assert "acme …: failed after …: refused to send a request to https://sink.example.test: " in said
    assert "hidden" not in said

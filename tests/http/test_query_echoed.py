"""A server that echoes a credential of the query in a redirect: the client follows it, and shows and sends it once only."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, quote_plus

import httpx
import pytest

from tests.canary import API_KEY, AWKWARD, CANARIES, assert_no_canary
from tests.http.exchanging import InQuery, Mode, exchange, settings_for
from tests.http.servers import HOST, Authority, Behaviour, Connection, Server, answer, head

WORDS = f"two {AWKWARD} &#?words"
FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "encoded": lambda value: quote(value, safe=""),
    "in small letters": lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
    "as a form": quote_plus,
    "as by encodeURI": lambda value: quote(value, safe=";,/?:@&=+$-_.!~*'()#"),
    "all of it": lambda value: "".join(f"%{byte:02x}" for byte in value.encode()),
}
AROUND = {
    "{}": "",
    "{}&a=1": "?a=1",
    "a=1&{}": "?a=1",
    "a=%2f&{}&b=2,3": "?a=%2f&b=2,3",
    "{}#part": "#part",
    "{}&{}&{}&a=1": "?a=1",
    "a=1&api%5Fkey=other&api_key": "?a=1",
    "a=1&my_api_key=2": "?a=1&my_api_key=2",
    "a=api_key": "?a=api_key",
    "&&{}": "?&",
}
"""Query of a Location, and what is left of it."""


def redirecting(location: str, status: int = 302, header: str = "Location") -> Behaviour:
    """Redirect every request whose path isn't `/there`."""

    def behave(connection: Connection) -> None:
        while request := connection.read_request():
            if request.split(b" ")[1].startswith(b"/there"):
                connection.send(head(200, ["Content-Length: 5"]) + b"there")
            else:
                connection.send(head(status, [f"{header}: {location}", "Content-Length: 0"]))

    return behave


def follow(
    mode: Mode, authority: Authority, value: str, location: str, status: int = 302
) -> tuple[httpx.Response, Server]:
    with Server(redirecting(location, status), tls=authority.server(), ca_pem=authority.pem) as server:
        ended = exchange(mode, settings_for(server, credential=InQuery(value)), "/here", follow_redirects=True)
    assert ended.response is not None, ended.error
    return ended.response, server


def queries(server: Server) -> list[list[tuple[str, str]]]:
    return [
        parse_qsl(request.split(b" ")[1].decode().partition("?")[2], keep_blank_values=True)
        for request in server.requests
    ]


@pytest.mark.parametrize("value", [*CANARIES, WORDS], ids=["plain", "awkward", "words"])
@pytest.mark.parametrize("form", FORMS)
def test_an_echo_is_removed_in_every_form(
    authority: Authority, value: str, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    response, server = follow("sync", authority, value, f"/there?a=1&api_key={FORMS[form](value)}&b=2")

    assert response.text == "there"
    assert str(response.url) == f"https://{HOST}/there?a=1&b=2"
    assert queries(server) == [[("api_key", value)], [("a", "1"), ("b", "2"), ("api_key", value)]]
    seen = [vars(one) for one in (response, *response.history, response.request, response.history[0].request)]
    assert_no_canary(repr(seen), repr([one.headers for one in response.history]), caplog.text)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("start", ["/there", "there", f"https://{HOST}/there", f"//{HOST}/there"])
def test_every_redirect_is_followed(mode: Mode, authority: Authority, status: int, start: str) -> None:
    response, server = follow(mode, authority, API_KEY, f"{start}?api_key={API_KEY}", status)

    assert str(response.url) == f"https://{HOST}/there"
    assert queries(server) == [[("api_key", API_KEY)]] * 2


@pytest.mark.parametrize(("query", "left"), AROUND.items())
def test_the_rest_of_a_location_stays_as_it_is(authority: Authority, query: str, left: str) -> None:
    location = "/there?" + query.replace("{}", f"api_key={quote(AWKWARD, safe='')}")
    response, _ = follow("sync", authority, AWKWARD, location)

    assert response.history[0].headers["location"] == f"/there{left}"


@pytest.mark.parametrize(
    ("value", "location"),
    [
        (API_KEY, f"/there?next=/x%3Fapi_key%3D{API_KEY}"),
        (API_KEY, f"/there/{API_KEY}"),
        (AWKWARD, f"/there?next={quote(quote(f'/x?api_key={quote(AWKWARD)}'))}"),
        (AWKWARD, f"/there#{quote(AWKWARD)}"),
        *((WORDS, f"/there/{form(WORDS)}/") for form in FORMS.values()),
        (WORDS, f"/there?next={quote(f'/x?api_key={quote_plus(WORDS)}', safe='')}"),
    ],
    ids=range(11),
)
def test_a_location_that_holds_the_key_elsewhere_is_left_out(
    mode: Mode, authority: Authority, value: str, location: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    response, _ = follow(mode, authority, value, location)

    assert (response.status_code, "location" in response.headers) == (302, False)
    assert_no_canary(repr(vars(response)), caplog.text)


def test_a_redirect_that_is_not_followed_shows_nothing_either(mode: Mode, authority: Authority) -> None:
    with Server(redirecting(f"/there?api_key={API_KEY}"), tls=authority.server(), ca_pem=authority.pem) as server:
        response = exchange(mode, settings_for(server, credential=InQuery(API_KEY))).response

    assert response is not None
    assert response.next_request is not None
    assert str(response.next_request.url) == f"https://{HOST}/there"


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (
            'Link: <https://x/?page=2&api_key={}>; rel="next", <https://x/?api_key={}&page=9>; rel="last"',
            '<https://x/?page=2>; rel="next", <https://x/?page=9>; rel="last"',
        ),
        ("Content-Location: /x?api_key={}", "/x"),
        ("Refresh: 0; url=/x?api_key={}&a=1", "0; url=/x?a=1"),
        ("Set-Cookie: api_key=session; Path=/?api_key=1", "api_key=session; Path=/?api_key=1"),
    ],
)
def test_other_headers_with_urls_hold_no_key(mode: Mode, authority: Authority, line: str, left: str) -> None:
    line = line.replace("{}", quote(AWKWARD, safe=""))
    with Server(answer(b"{}", line), tls=authority.server(), ca_pem=authority.pem) as server:
        response = exchange(mode, settings_for(server, credential=InQuery(AWKWARD))).response

    assert response is not None
    assert response.headers[line.partition(":")[0]] == left


def test_a_short_key_is_removed_as_a_parameter_only(authority: Authority) -> None:
    response, _ = follow("sync", authority, "e", "/there?api_key=e&a=e")

    assert response.history[0].headers["location"] == "/there?a=e"


@pytest.mark.parametrize(
    ("value", "query"),
    [
        ("%25" * 30, "api_key=%25&" * 5_000 + ("%25" * 29 + "x") * 300),
        ("p" * 30, "?api_key" * 8_000),
        ("a&api_key=a" * 3, "api_key=a&" * 6_000 + "a"),
    ],
    ids=["percents", "no-ends", "two-readings"],
)
def test_no_long_header_of_a_server_keeps_the_client_busy(authority: Authority, value: str, query: str) -> None:
    """Each of them took half a minute or an hour with a pattern that steps back."""
    response, _ = follow("sync", authority, value, f"/there?{query}")

    assert response.text == "there"

"""What people paste at the end of a login: which address is read in it, and what is said of what holds none."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest

from connform.auth.oauth import authorization
from connform.auth.oauth.pasted import address_in
from connform.errors import ConnectionFailed
from tests.canary import API_KEY, assert_no_canary
from tests.oauth.test_login import ISSUER, REDIRECT, back, begun

CODE_LAST = f"{REDIRECT}?state={{state}}&code={API_KEY}"


def read(request: authorization.AuthorizationRequest, text: str) -> str:
    return authorization.read_callback(request, address_in(text, request)).reveal()


def wrapped(address: str, mark: str) -> str:
    return mark.join(address[start : start + 40] for start in range(0, len(address), 40))


UNDERSTOOD: dict[str, Callable[[str], str]] = {
    "as it is": lambda address: address,
    "quoted": lambda address: f'"{address}"',
    "in single quotes": lambda address: f"'{address}'",
    "in typographic quotes": lambda address: f"“{address}”.",
    "in German quotes": lambda address: f"„{address}“",
    "in guillemets": lambda address: f"« {address} »",
    "in angle brackets": lambda address: f"<{address}>",
    "as code": lambda address: f"`{address}`",
    "in brackets": lambda address: f"({address}).",
    "in bold": lambda address: f"**{address}**",
    "a link in Markdown": lambda address: f"[the page]({address})",
    "a link to itself in Markdown": lambda address: f"[{address}]({address})",
    "a link of a chat": lambda address: f"<{address}|localhost>",
    "after a label": lambda address: f"URL: {address}",
    "in a sentence": lambda address: f"It ended on {address}, thanks!",
    "before a line of thanks": lambda address: f"{address}\nthanks\n",
    "from the source of a page": lambda address: address.replace("&", "&amp;"),
    "with the marks of a terminal": lambda address: f"\x1b[200~{address}\x1b[201~",
    "with a byte order mark": lambda address: f"\ufeff{address}",
    "with invisible spaces": lambda address: f"\u200b{address}\u200b ",
    "wrapped by a terminal": lambda address: wrapped(address, "\r\n"),
    "wrapped and indented": lambda address: wrapped(address, "\n    "),
    "wrapped and quoted by a mail program": lambda address: "> " + wrapped(address, "\n> "),
    "wrapped, with blanks for the breaks": lambda address: wrapped(address, " "),
    "after empty lines": lambda address: f"\n\n{address}\n\n",
    "escaped as a whole": lambda address: quote(address, safe=""),
    "inside of another address": lambda address: f"https://chat.example/out?to={quote(address, safe='')}&by=me",
    "its escapes escaped again": lambda address: address.replace("%", "%25"),
    "without its scheme": lambda address: address.removeprefix("https://"),
    "the path and the query": lambda address: address.removeprefix("https://localhost:8443"),
    "the query": lambda address: f"?{urlsplit(address).query}",
    "the query without its mark": lambda address: urlsplit(address).query,
    "with a fragment": lambda address: f"{address}#_=_",
    "in capitals": lambda address: address.replace("https://localhost", "HTTPS://LOCALHOST"),
}


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_an_address_is_read_as_people_paste_it(case: str) -> None:
    request = begun()
    assert read(request, UNDERSTOOD[case](back(request))) == API_KEY


@pytest.mark.parametrize("case", ["as it is", "quoted", "in brackets", "a link in Markdown", "wrapped by a terminal"])
def test_a_code_at_the_end_of_an_address_is_read_whole(case: str) -> None:
    request = begun()
    address = CODE_LAST.format(state=request.state.reveal())
    assert read(request, UNDERSTOOD[case](f"{address}.")) == f"{API_KEY}."


@pytest.mark.parametrize("redirect", ["http://[::1]:8400/back", "http://127.0.0.1:8400/back", f"{REDIRECT}?tenant=1"])
def test_any_registered_address_is_found_in_a_link(redirect: str) -> None:
    request = begun(redirect)
    address = back(request, redirect).replace("?tenant=1?", "?tenant=1&")
    assert read(request, f"[{address}]({address})") == API_KEY


NOT_UNDERSTOOD: dict[str, tuple[Callable[[authorization.AuthorizationRequest], str], str]] = {
    "nothing": (lambda _: "", "not the address of a page"),
    "a word": (lambda _: "yes", "not the address of a page"),
    "a sentence": (lambda _: f"the code is {API_KEY}", "not the address of a page"),
    "the code": (lambda _: API_KEY, "the code alone"),
    "the code with its name": (lambda _: f"code={API_KEY}", "the code alone"),
    "the start of an address": (lambda _: "https://", "not the address of a page"),
    "a broken address": (lambda _: "https://[", "not the address of a page"),
    "the address of the login": (lambda request: request.url, "the address of the login itself"),
    "a page of the server": (lambda _: f"{ISSUER}/consent?code={API_KEY}", "a page of the server that logs people in"),
    "another page": (lambda _: f"https://evil.example/?code={API_KEY}", "does not start with https://localhost:8443"),
    "an address that was cut off": (lambda request: back(request, code=""), "no `code`: perhaps it was cut off"),
    "the start of the answer": (lambda _: f"{REDIRECT}?code={API_KEY}", "the `state` of another login, or none"),
}


@pytest.mark.parametrize("case", NOT_UNDERSTOOD)
def test_what_was_pasted_instead_is_said_without_repeating_it_and_the_login_goes_on(case: str) -> None:
    text, says = NOT_UNDERSTOOD[case]
    request = begun()
    with pytest.raises(ConnectionFailed) as caught:
        read(request, text(request))
    assert says in caught.value.message
    assert_no_canary(caught.value.message, caught.value.hint)
    assert read(request, back(request)) == API_KEY

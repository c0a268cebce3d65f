"""Finds the address of a redirect in what a person pastes at the end of a login. Layer 2, no IO. RFC 3986 appendix C.

A code alone is refused. Without `state` and `iss`, nothing says which login and which server it comes from, and PKCE
replaces `state` only at a server that is known to check it (RFC 9700 §4.4 and §4.7.1).
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from connform.auth.oauth.authorization import AuthorizationRequest, is_answer, names_its_server
from connform.errors import ConnectionFailed

_NOT_TYPED = re.compile("\x1b\\[20[01]~|[\u200b-\u200f\u2060\u2066-\u2069\ufeff]")
"""The marks of a terminal around what is pasted, and invisible characters."""
_SCHEME = re.compile("https?://", re.IGNORECASE)
_CLOSING = {"(": ")", "[": "](", "'": "'", "`": "`", "*": "*"}
"""The character before an address → what ends it, of those that an address may contain as well. `[` opens a link in Markdown."""
_NEVER_INSIDE = re.compile('[^!-~]|["<>]')
"""What no address contains (RFC 3986 §2): spaces, quotation marks, anything that isn't ASCII."""
_PUNCTUATION = ".,;:!?)]}*'"
"""What a sentence may add behind an address. None ends a `state` or an issuer; a code may end with it."""
_DOUBLE_ESCAPE = re.compile("%25(?=[0-9A-Fa-f]{2})")
_SHORTEST_CODE = 16


def address_in(text: str, request: AuthorizationRequest) -> str:
    """Return the address in `text`: quoted, as a link, wrapped, escaped, without its start, or among other words.

    Where a text can be read in several ways, the first that is the answer to this login counts. The address is not checked.

    Raises:
        ConnectionFailed: `login_bad_callback`. The message says what was pasted instead, and repeats nothing of it.
    """
    lines = [line.strip().removeprefix("> ") for line in _NOT_TYPED.sub("", text).replace("&amp;", "&").splitlines()]
    whole = "".join(lines)
    candidates = (whole, "".join(whole.split()), *lines)
    readings = list(filter(None, (_read(candidate, request.redirect_uri) for candidate in candidates)))
    if not readings:
        raise ConnectionFailed("login_bad_callback", _what_else(whole))
    chosen = max(readings, key=lambda reading: _likelihood(request, reading))
    opened = urlsplit(request.url)
    if chosen.startswith(f"{opened.scheme}://{opened.netloc}/") and not chosen.startswith(request.redirect_uri):
        is_same = chosen.partition("?")[0] == request.url.partition("?")[0]
        message = (
            "that is the address of the login itself: open it in a browser, and go on there until it leaves that server"
            if is_same
            else "that is a page of the server that logs people in: go on there until the browser leaves that server"
        )
        raise ConnectionFailed("login_bad_callback", message)
    return chosen


def _likelihood(request: AuthorizationRequest, address: str) -> int:
    query = address.partition("?")[2].partition("#")[0]
    return is_answer(request, query) * (1 + names_its_server(request, query))


def _read(text: str, redirect_uri: str) -> str:
    """Return the address in one line; empty if there is none."""
    redirect = urlsplit(redirect_uri)
    origin = f"{redirect.scheme}://{redirect.netloc}"
    found = re.search(re.escape(origin), text, re.IGNORECASE)
    inside = re.search(rf"{re.escape(quote(origin, safe=''))}[^&\s]*%3F[^&\s]+", text, re.IGNORECASE)
    if not found and inside:
        return _end(unquote(inside[0]))
    found = found or _SCHEME.search(text)
    if found is None:
        return _completed(text, redirect_uri)
    begin = found.start()
    address, closing = text[begin:], _CLOSING.get(text[begin - 1 : begin], "")
    if closing and closing in address:
        address = address[: address.rindex(closing)]
    if text[begin - 1 : begin] == "<":  # Slack's `<address|text>`
        address = address.partition("|")[0]
    return _end(address)


def _completed(text: str, redirect_uri: str) -> str:
    """Return the address of which a browser showed no scheme, or of which only the query was pasted; empty for another text."""
    redirect = urlsplit(redirect_uri)
    query = re.search(r"(?P<before>\S*)\?(?P<query>\S+)|(?P<alone>(code|state|error|iss)=\S+)", text)
    if query is None or "state=" not in query[0] or not re.search("(code|error)=", query[0]):
        return ""
    before = (query["before"] or "").strip("\"'`<([*")
    if before not in {"", redirect.path, f"{redirect.netloc}{redirect.path}"}:
        return ""
    return _end(f"{redirect_uri.partition('?')[0]}?{query['query'] or query['alone']}")


def _end(address: str) -> str:
    """Return an address without what follows it, and without escapes that were escaped again."""
    if end := _NEVER_INSIDE.search(address):
        address = address[: end.start()]
    if not re.split("[?&]", address)[-1].startswith("code="):
        address = address.rstrip(_PUNCTUATION)
    is_escaped_twice = "%25" in address and address.count("%") == len(_DOUBLE_ESCAPE.findall(address))
    return _DOUBLE_ESCAPE.sub("%", address) if is_escaped_twice else address


def _what_else(text: str) -> str:
    """Return what a text is that holds no address."""
    is_one_word = len(text.split()) == 1
    if text.startswith("code=") or (is_one_word and len(text) >= _SHORTEST_CODE and "://" not in text):
        return "that may be the code alone, which doesn't say which login it answers"
    return "what was pasted is not the address of a page"

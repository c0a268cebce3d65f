"""What a simulated API accepts: credentials as the auth methods of connections put them into a request.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Self, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from connform.origin import is_loopback
from connform.simulator.messages import Request

OBTAINED = "\0"
"""Stands at the end of a text for what changes: an issued token, or a JWT that was signed for the request."""
_Text: TypeAlias = "tuple[str, str, str]"
"""A text that a request carries, behind its place and its name: `header` with its name in lower case, or `parameter`."""


@dataclass(frozen=True, slots=True)
class SentCredential:
    """What a connection adds to each request; tuples, because there are thousands. `repr` shows no value."""

    root: str
    """The API's root, a URL."""
    texts: tuple[_Text, ...] = field(repr=False)
    """Its texts; those of parameters are not encoded."""
    is_valid: Callable[[str], bool] | None = field(repr=False)
    """Whether what stands for `OBTAINED` is valid; `None` for the tokens that the simulator issued."""

    @classmethod
    def of(
        cls,
        root: str,
        headers: Mapping[str, str],
        parameters: Mapping[str, str],
        is_valid: Callable[[str], bool] | None,
    ) -> Self:
        """Return the credential of headers and query parameters."""
        lines = [("header", intern(name.lower()), text) for name, text in headers.items()]
        return cls(root, (*lines, *(("parameter", name, text) for name, text in parameters.items())), is_valid)


class AcceptedCredentials:
    """The credentials of connections, by the roots of their APIs."""

    def __init__(self, is_token: Callable[[str], bool]) -> None:
        """Take the function that says whether a token was issued here and is valid."""
        self._is_token = is_token
        self._of_connection: dict[str, SentCredential] = {}
        self._by_text: dict[tuple[str, _Text], list[str]] = {}
        """The connections by host and one of their texts, so that a request of one of many connections is compared with few."""
        self._roots: dict[str, tuple[str, ...]] = {}
        """Host → the paths of the roots there."""

    def add(self, connection: str, credential: SentCredential) -> None:
        """Accept a connection's credential, in place of its former one."""
        if former := self._of_connection.get(connection):
            self._by_text[_place(former.root)[0], _key(former)].remove(connection)
        self._of_connection[connection] = credential
        host, path = _place(credential.root)
        self._by_text.setdefault((host, _key(credential)), []).append(connection)
        roots = self._roots.get(host, ())
        if path not in roots:
            self._roots[host] = (*roots, path)

    def knows(self, request: Request) -> bool:
        """Return whether a request is for an API of which connections are known."""
        roots = self._roots.values() if _is_own_address(request.host) else (self._roots.get(request.host, ()),)
        return any(_is_below(request.path, path) for paths in roots for path in paths)

    def accepts(self, request: Request) -> bool:
        """Return whether a request carries everything that the credential of one connection of its API consists of."""
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        sent = {"header": request.headers, "parameter": query}
        keys = [(place, name, text) for place, values in sent.items() for name, text in values.items()]
        changing = [(place, name, OBTAINED) for place, name, _ in keys]
        hosts = list(self._roots) if _is_own_address(request.host) else [request.host]
        return any(
            _is_below(request.path, _place(credential.root)[1]) and self._carries(sent, credential)
            for host in hosts
            for key in (*keys, *changing, _NOTHING)
            for credential in map(self._of_connection.__getitem__, list(self._by_text.get((host, key), ())))
        )

    def _carries(self, sent: Mapping[str, Mapping[str, str]], credential: SentCredential) -> bool:
        is_valid = credential.is_valid or self._is_token
        return all(fits(text, sent[place].get(name), is_valid) for place, name, text in credential.texts)


def fits(text: str, sent: str | None, is_valid: Callable[[str], bool]) -> bool:
    """Return whether a text was sent, with something valid in place of `OBTAINED`."""
    prefix, is_changing, _ = text.partition(OBTAINED)
    if sent is None or not is_changing:
        return sent == text
    return sent.startswith(prefix) and is_valid(sent.removeprefix(prefix))


_NOTHING: _Text = ("", "", "")
"""The key of credentials without any text: nothing need be sent."""


def _key(credential: SentCredential) -> _Text:
    longest = max(credential.texts, key=lambda one: (OBTAINED in one[2], len(one[2])), default=_NOTHING)
    return (*longest[:2], OBTAINED) if OBTAINED in longest[2] else longest


def _place(root: str) -> tuple[str, str]:
    url = urlsplit(root)
    return (url.hostname or "").lower(), url.path.rstrip("/")


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _is_own_address(host: str) -> bool:
    """Whether a program was given the simulator's own address in place of an API's host (`exec --simulate`)."""
    return is_loopback(host)

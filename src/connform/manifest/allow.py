"""The key `allow`: which requests a program may send through `connform proxy`. Layer 1, no IO."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from connform.manifest.request_path import BadPath, normalize, readings
from connform.manifest.rules import Finding

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_METHOD = re.compile(r"[A-Z]+(?:-[A-Z]+)*")
_NEVER = {"CONNECT", "TRACE"}
_MAX_DOUBLE_STARS = 2
"""In one pattern: with more, a match could take long."""
_ONE, _SEVERAL = "[^/]+", "[^/].*"


class BadRule(ValueError):
    """A text is no rule; the message says why and what to write."""


class AllowRule(NamedTuple):
    """One rule: a method, and a pattern of paths below the connection's base URL."""

    method: str
    """Upper case; the rule for GET holds for HEAD as well."""
    paths: re.Pattern[str]
    """Matches the paths in normal form."""

    @classmethod
    def parse(cls, text: str) -> AllowRule:
        """Return the rule of a text as `GET /packages/*`: `*` is one segment, `**` one or more.

        Raises:
            BadRule: the text is no rule.
        """
        method, space, pattern = text.partition(" ")
        if not space:
            raise BadRule("a rule is a method, a space and a path, as `GET /packages/*`")
        if not _METHOD.fullmatch(method) or method in _NEVER:
            raise BadRule(f"its method has to be an HTTP method in upper case: {', '.join(_METHODS)}")
        if not pattern.startswith("/") or " " in pattern:
            raise BadRule("its path has to start with `/`, after one space, and hold no other space")
        if "?" in pattern or "#" in pattern:
            raise BadRule("its path ends before `?` and `#`: a rule says nothing of queries")
        return cls(method, re.compile(_expression(pattern)))


class AllowTable:
    """Rules, compiled once: what none of them allows is refused."""

    def __init__(self, rules: Iterable[str]) -> None:
        """Parse the rules.

        Raises:
            BadRule: one of them is none.
        """
        self._paths: dict[str, list[re.Pattern[str]]] = {}
        for rule in map(AllowRule.parse, rules):
            for method in (rule.method, "HEAD") if rule.method == "GET" else (rule.method,):
                self._paths.setdefault(method, []).append(rule.paths)

    def allows(self, method: str, path: str) -> bool:
        """Return whether a request is allowed, in each way that servers may read its path.

        Args:
            method: its method.
            path: its path below the base URL, in normal form.
        """
        patterns = self._paths.get(method, ())
        return all(any(pattern.fullmatch(reading) for pattern in patterns) for reading in readings(path))


def allow_findings(rules: Sequence[str]) -> Iterator[Finding]:
    """Yield the mistakes in the key `allow` that a schema can't express."""
    for index, rule in enumerate(rules):
        try:
            AllowRule.parse(rule)
        except BadRule as error:
            yield Finding("malformed-value", ("allow", index), str(error))


def _expression(pattern: str) -> str:
    segments = pattern.split("/")[1:]
    for segment in segments:
        if "*" in segment and segment not in ("*", "**"):
            raise BadRule("`*` stands for one whole segment of a path, and `**` for one or more: `/packages/*/files`")
    if segments.count("**") > _MAX_DOUBLE_STARS:
        raise BadRule(f"`**` may stand in it {_MAX_DOUBLE_STARS} times at most")
    try:
        literal = normalize(pattern)
    except BadPath as error:
        raise BadRule(f"its path can't be sent: {error}") from None
    if len(readings(literal)) > 1:
        raise BadRule(
            "its path may hold no `;`, and no encoded `/`, `;`, `?` or `#`: servers read them in several ways"
        )
    parts = {"*": _ONE, "**": _SEVERAL}
    return "".join(f"/{parts.get(segment) or re.escape(segment)}" for segment in literal.split("/")[1:])

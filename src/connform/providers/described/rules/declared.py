"""What an entry of `providers:` declares, as its rules look at it: rows of values, URLs, names.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from connform.manifest.harmless import shown_name
from connform.manifest.named_texts import texts_in
from connform.manifest.rules import KeyPath
from connform.providers.described.definition import ROW_KEYS

ORIGIN = "origin"
"""The name that stands for scheme, host and port of the root."""
URL_KEYS = ("authorize_url", "token_url", "refresh_url", "device_authorization_url", "revoke_url")
"""The keys of an auth method that are URLs."""
_JWT_TEXTS = ("key_id", "thumbprint", "issuer", "subject", "audience", "claims")


class Row(NamedTuple):
    """The values that one environment, or one region of it, gives to texts."""

    path: KeyPath
    """Where it stands; empty where the API has one environment only."""
    shown: str
    """What messages call it."""
    values: Mapping[str, str]
    """Name → value, those of the environment included."""
    own_root: str
    """Whether connections give the root themselves: `besides`, `only`, or never (empty)."""


class UrlText(NamedTuple):
    """A URL with names in it."""

    path: KeyPath
    """Where it stands."""
    text: str
    """The URL."""


class Declared:
    """What one entry declares."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self.node = node
        """The entry, which its schema accepts."""
        self.settings: Mapping[str, Any] = node.get("settings", {})
        self.methods: Mapping[str, Any] = node["auth"]
        self.rows = list(_rows(node.get("environments", {}))) or [Row((), "", {}, "")]
        """The rows, at least one."""
        self.value_paths = {
            path: text for name, one in node.get("environments", {}).items() for path, text in _values(name, one)
        }
        """The path of each value of an environment or region → its text."""
        self.values: dict[str, KeyPath] = {}
        """The names of values, each with the path of the first one."""
        for path in self.value_paths:
            self.values.setdefault(str(path[-1]), path)
        self.secrets: dict[str, KeyPath] = {}
        """The names of secrets, each with the path of the first one."""
        for name, method in self.methods.items():
            for secret in method.get("secrets", {}):
                self.secrets.setdefault(secret, ("auth", name, "secrets", secret))
        self.urls = list(_urls(node))
        """The URLs, the root first."""
        self.texts = list(_texts(node))
        """Other texts in which values and settings may stand, and no secrets, each with its path."""

    @property
    def is_own_root_only(self) -> bool:
        """Whether every connection gives the root itself."""
        return all(row.own_root == "only" for row in self.rows)

    @property
    def needs_root(self) -> bool:
        """Whether a method has no root of its own, for connections that don't give it."""
        return not self.is_own_root_only and not all("root" in method for method in self.methods.values())

    def rows_of(self, url: UrlText) -> list[Row]:
        """Return the rows that a URL is filled from."""
        return [row for row in self.rows if row.own_root != "only"] if url.path[-1] == "root" else self.rows


def _rows(environments: Mapping[str, Any]) -> Iterator[Row]:
    for name, one in environments.items():
        own, path, shown = _plain_values(one), ("environments", name), f"`{shown_name(name)}`"
        for region, values in one.get("regions", {}).items():
            here = (*path, "regions", region)
            yield Row(here, f"the region `{shown_name(region)}` of {shown}", {**own, **values}, one.get("own_root", ""))
        if not one.get("regions"):
            yield Row(path, f"the environment {shown}", own, one.get("own_root", ""))


def _values(name: str, environment: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for key, text in _plain_values(environment).items():
        yield ("environments", name, key), text
    for region, values in environment.get("regions", {}).items():
        for key, text in values.items():
            yield ("environments", name, "regions", region, key), text


def _plain_values(environment: Mapping[str, Any]) -> dict[str, str]:
    return {key: text for key, text in environment.items() if key not in ROW_KEYS}


def _urls(node: Mapping[str, Any]) -> Iterator[UrlText]:
    for key in ("root", "key_page"):
        if key in node:
            yield UrlText((key,), node[key])
    for name, method in node["auth"].items():
        for key in ("root", *URL_KEYS):
            if key in method:
                yield UrlText(("auth", name, key), method[key])
        if "login" in method:
            yield UrlText(("auth", name, "login", "url"), method["login"]["url"])


def _texts(node: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for key in ("headers", "query"):
        yield from texts_in((key,), node.get(key))
    for name, method in node["auth"].items():
        for key in _JWT_TEXTS:
            yield from texts_in(("auth", name, "jwt", key), method.get("jwt", {}).get(key))

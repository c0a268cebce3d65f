"""The URLs of a connection to an API that a definition describes: root, page of keys, OAuth endpoints.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from connform.lazy_property import lazy_property
from connform.manifest.urls import parse_url
from connform.providers.described.definition import NO_VALUES, Definition, Environment, Method
from connform.providers.described.texts import expand, expand_url, names_in, split_url
from connform.providers.interface import Instance

_NO_OAUTH = Method()
_NO_ENVIRONMENT = Environment()


class SettingPlaces(NamedTuple):
    """Where settings stand in the URLs of one environment and region."""

    root: str
    """The root, with their names in it."""
    in_host: frozenset[str]
    in_path: frozenset[str]
    ends_in_setting: bool
    """Whether the root's host ends with one."""


class AddressBook:
    """The addresses of all connections to one API. What many connections share is worked out once."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        oauth = next((method for method in definition.auth.values() if method.flow), _NO_OAUTH)
        self._others = (definition.key_page, oauth.authorize_url, oauth.token_url, oauth.revoke_url)
        self._instances = lru_cache(maxsize=4096)(self._fill)
        self._places = lru_cache(maxsize=1024)(self._find_places)
        self._needed = lru_cache(maxsize=1024)(self._find_needed)

    def instance(self, settings: Mapping[str, Any]) -> Instance:
        """Return the URLs of a connection's instance, of its effective and valid values."""
        given = tuple((name, settings[name]) for name in self._definition.settings if name in settings)
        row = settings.get("environment", ""), settings.get("region", "")
        return self._instances(*row, settings.get("base_url", ""), given)

    def places_of(self, settings: Mapping[str, Any]) -> SettingPlaces:
        """Return where settings stand in the URLs of a connection."""
        return self._places(settings.get("environment", ""), settings.get("region", ""))

    def needed_settings(self, environment: str) -> list[str]:
        """Return the settings that the addresses of an environment need."""
        return self._needed(environment)

    def _find_places(self, environment: str, region: str) -> SettingPlaces:
        values = self._values(environment, region)
        root = expand(self._definition.root, values)
        with_origin = {**values, "origin": split_url(root)[0]}
        parts = [split_url(text) for text in (root, *(expand(text, with_origin) for text in self._others))]
        in_host = frozenset(name for host, _, _ in parts for name in names_in(host))
        in_path = frozenset(name for _, _, path in parts for name in names_in(path))
        return SettingPlaces(root, in_host, in_path, parts[0][0].endswith("}"))

    def _find_needed(self, environment: str) -> list[str]:
        row = self.environment(environment)
        if row.own_root == "only":
            return []
        rows = [self._values(environment, region) for region in row.regions or ("",)]
        texts = [expand(text, values) for values in rows for text in (self._definition.root, *self._others)]
        return [name for name in dict.fromkeys(names_in("".join(texts))) if name in self._definition.settings]

    def _fill(self, environment: str, region: str, base_url: str, given: tuple[tuple[str, str], ...]) -> Instance:
        settings, values = dict(given), self._values(environment, region)
        url = parse_url(base_url or expand_url(expand(self._definition.root, values), settings))
        with_origin = {**values, "origin": url.origin}
        others = (expand_url(expand(text, with_origin), settings) for text in self._others)
        key_page, authorize_url, token_url, revoke_url = others
        return Instance(
            base_url=str(url).rstrip("/"),
            api_key_header=_first_header(self._definition),
            key_management_url=key_page,
            authorize_url=authorize_url,
            token_url=token_url,
            revoke_url=revoke_url,
            safe_posts=self._definition.safe_posts,
        )

    def _values(self, environment: str, region: str) -> Mapping[str, str]:
        row = self.environment(environment)
        only = next(iter(row.regions), "") if len(row.regions) == 1 else ""
        return {**row.values, **row.regions.get(region or only, NO_VALUES)}

    def environment(self, name: str) -> Environment:
        """Return an environment by the name that a connection gives."""
        return self._definition.environments.get(name or self.default_environment, _NO_ENVIRONMENT)

    @lazy_property
    def default_environment(self) -> str:
        """The environment of a connection that names none: the only one; empty if there are several."""
        names = list(self._definition.environments)
        return names[0] if len(names) == 1 else ""


def _first_header(definition: Definition) -> str:
    """Return the header of the first method that sends one."""
    return next((header for method in definition.auth.values() for header in method.headers), "")

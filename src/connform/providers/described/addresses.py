"""The URLs of a connection to an API that a definition describes, and the settings that it needs.

Layer 2, no IO.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from connform.auth.described.definition import NO_VALUES, Method
from connform.lazy_property import lazy_property
from connform.manifest.named_texts import expand, expand_url, names_in, split_url, texts_in
from connform.providers.described.definition import Definition, Environment

if TYPE_CHECKING:
    from connform.manifest.urls import Url

_NO_METHOD = Method()
_NO_ENVIRONMENT = Environment()
_ENDPOINTS = ("authorize_url", "token_url", "revoke_url")
AddressKey: TypeAlias = tuple[str, str, str, str, tuple[tuple[str, str], ...]]
"""What decides the addresses of a connection: environment, region, auth method, its own root, settings."""


class Addresses(NamedTuple):
    """The URLs of one connection; a URL that its API or its auth method doesn't have is empty."""

    root: str
    """The API root, without a slash at its end."""
    key_page: str
    authorize_url: str = ""
    token_url: str = ""
    refresh_url: str = ""
    device_authorization_url: str = ""
    revoke_url: str = ""
    login_url: str = ""


class SettingPlaces(NamedTuple):
    """Where settings stand in the URLs of one environment, region and auth method."""

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
        self._texts = {name: _texts(definition, method) for name, method in definition.auth.items()}
        flow = next((texts for texts in self._texts.values() if texts.token_url), None)
        self._of_flow = flow._asdict() if flow else {}
        self._addresses = lru_cache(maxsize=4096)(self._fill)
        self._roots = lru_cache(maxsize=4096)(self._fill_root)
        self._filled_texts = lru_cache(maxsize=1024)(self._fill_texts)
        self._places = lru_cache(maxsize=1024)(self._find_places)
        self._needed = lru_cache(maxsize=1024)(self._find_needed)

    def of(self, settings: Mapping[str, Any]) -> Addresses:
        """Return the addresses of a connection, of its effective and valid values."""
        return self.at(self.key_of(settings))

    def key_of(self, settings: Mapping[str, Any]) -> AddressKey:
        """Return what decides the addresses of a connection."""
        return (*_row(settings), settings.get("base_url", ""), self._given(settings))

    def at(self, key: AddressKey) -> Addresses:
        """Return the addresses of the connections with a key."""
        return self._addresses(*key)

    def root_of(self, settings: Mapping[str, Any]) -> str:
        """Return the root of a connection alone: most connections need no other address."""
        return self._roots(*self.key_of(settings))

    def values_of(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """Return what the names in texts stand for: values of environment and region, settings, `origin`."""
        given, values = dict(self._given(settings)), self._values(*_row(settings)[:2])
        filled = {name: expand(text, given) for name, text in values.items()}
        return {**filled, **given, "origin": _parser()(self.of(settings).root).origin}

    def places_of(self, settings: Mapping[str, Any]) -> SettingPlaces:
        """Return where settings stand in the URLs of a connection."""
        return self._places(*_row(settings))

    def settings_of(self, environment: str, method: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the settings that a connection with an auth method needs in an environment.

        The first ones are those of the root, which a connection that gives the root itself doesn't need; the others are the rest.
        """
        return self._needed(environment, method)

    def _given(self, settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        return tuple([(name, settings[name]) for name in self._definition.settings if name in settings])

    def _texts_of(self, method: str) -> Addresses:
        return self._texts.get(method, _texts(self._definition, _NO_METHOD))

    def _find_places(self, environment: str, region: str, method: str) -> SettingPlaces:
        values, texts = self._values(environment, region), self._texts_of(method)
        root = expand(texts.root, values)
        with_origin = {**values, "origin": split_url(root)[0]}
        parts = [split_url(text) for text in (root, *(expand(text, with_origin) for text in texts[1:]))]
        in_host = frozenset(name for host, _, _ in parts for name in names_in(host))
        in_path = frozenset(name for _, _, path in parts for name in names_in(path))
        return SettingPlaces(root, in_host, in_path, parts[0][0].endswith("}"))

    def _find_needed(self, environment: str, method: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        row, urls = self.environment(environment), self._texts_of(method)
        rows = [self._values(environment, region) for region in row.regions or ("",)]
        others = [*urls[1:], *_texts_besides_urls(self._definition, self._definition.auth.get(method, _NO_METHOD))]
        of_root = () if row.own_root == "only" else tuple(self._settings_in([urls.root], rows))
        return of_root, tuple(name for name in self._settings_in(others, rows) if name not in of_root)

    def _settings_in(self, texts: list[str], rows: list[Mapping[str, str]]) -> Iterator[str]:
        filled = [expand(text, values) for values in rows for text in texts]
        return (name for name in dict.fromkeys(names_in("\n".join(filled))) if name in self._definition.settings)

    def _fill(
        self, environment: str, region: str, method: str, base_url: str, given: tuple[tuple[str, str], ...]
    ) -> Addresses:
        settings, texts = dict(given), self._filled_texts(environment, region, method)
        root = self._roots(environment, region, method, base_url, given)
        origin = _parser()(root).origin
        filled = [expand_url(text.replace("{origin}", origin), settings) if "{" in text else text for text in texts[1:]]
        others = ["" if "{" in text and names_in(text) else text for text in filled]
        return Addresses(root, *others)

    def _fill_root(
        self, environment: str, region: str, method: str, base_url: str, given: tuple[tuple[str, str], ...]
    ) -> str:
        root = base_url or expand_url(self._filled_texts(environment, region, method).root, dict(given))
        return str(_parser()(root)).rstrip("/")

    def _fill_texts(self, environment: str, region: str, method: str) -> Addresses:
        """Return the URLs in which only `origin` and settings are to be filled in."""
        values, texts = self._values(environment, region), self._texts_of(method)
        if not texts.token_url:  # for `show`: what OAuth would use
            texts = texts._replace(**{name: self._of_flow.get(name, "") for name in _ENDPOINTS})
        return Addresses(*[expand(text, values) for text in texts])

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


@cache  # an import statement takes 2 µs, for each of thousands of connections
def _parser() -> "Callable[[str], Url]":
    from connform.manifest.urls import parse_url  # imported here for start-up: `validate` asks for few addresses

    return parse_url


def _row(settings: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return environment, region and auth method of a connection."""
    return settings.get("environment", ""), settings.get("region", ""), settings.get("auth", {}).get("method", "")


def _texts(definition: Definition, method: Method) -> Addresses:
    urls = {name: getattr(method, name) for name in Addresses._fields[2:]}
    return Addresses(method.root or definition.root, definition.key_page, **urls)


def _texts_besides_urls(definition: Definition, method: Method) -> Iterator[str]:
    """Yield the texts of a definition and of one of its methods in which settings may stand, and that are no URLs."""
    for part in (definition.headers, definition.query, method.basic, method.token_params, method.jwt, method.login):
        yield from (text for _, text in texts_in((), part))

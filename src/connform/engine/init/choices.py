"""What a provider's file lets a person choose: environment, region, settings, auth method.

Layer 3; reads files of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connform.engine.load.catalog import own_methods, provider
from connform.manifest.document_schema import NAME
from connform.manifest.urls import UrlError, parse_url
from connform.providers import GROUPS
from connform.providers.described.addresses import AddressBook
from connform.providers.described.definition import Definition, Environment, Setting
from connform.providers.described.shape import anchored

_NO_ENVIRONMENT = Environment()
_OWN_ROOT = Setting(description="The API root on a host of its own.", examples=("https://acme.example/api",))
BASE_URL = "base_url"


def providers() -> dict[str, list[str]]:
    """Return the names of the providers that a file describes, by group."""
    found: dict[str, list[str]] = {}
    for name, group in sorted(GROUPS.items(), key=lambda one: one[::-1]):
        found.setdefault(group, []).append(name)
    return found


def is_name(text: str) -> bool:
    """Whether a text is valid as the name of a connection."""
    return re.search(NAME, text) is not None


class Choices:
    """The choices of one provider."""

    def __init__(self, name: str) -> None:
        """Take the name of a provider that a file describes."""
        described: Any = provider(name)
        self.provider = name
        self._definition: Definition = described.definition
        self._addresses = AddressBook(self._definition)

    @property
    def environments(self) -> Mapping[str, Environment]:
        """The environments by name; empty where there is nothing to choose."""
        return self._definition.environments

    @property
    def methods(self) -> dict[str, str]:
        """The auth methods, each with the vendor's advice on when to choose it."""
        return {name: method.use for name, method in self._definition.auth.items()}

    def simplest_method(self, environment: str) -> str:
        """Return the auth method that can be used soonest: without a consent, an app and settings; of several, the first."""

        def needs(method: str) -> tuple[bool, bool, bool]:
            return self.needs_login(method), bool(self.app(method)), bool(self.settings(environment, method))

        return min(self.methods, key=needs)

    def regions(self, environment: str) -> list[str]:
        """Return the regions of an environment."""
        return list(self.environments.get(environment, _NO_ENVIRONMENT).regions)

    def settings(self, environment: str, method: str, *, own_root: bool = False) -> dict[str, Setting]:
        """Return the settings that a connection with an auth method needs in an environment.

        With `own_root`, it gives the root itself, if it may.
        """
        of_root, others = self._addresses.settings_of(environment, method)
        allowed = self.environments.get(environment, _NO_ENVIRONMENT).own_root
        has_own_root = allowed == "only" or (own_root and allowed == "besides")
        needed = {name: self._definition.settings[name] for name in (*(() if has_own_root else of_root), *others)}
        return {**({BASE_URL: _OWN_ROOT} if has_own_root else {}), **needed}

    def secrets(self, method: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the secrets that an auth method needs, each with what the file says of it."""
        for name, secret in self._definition.auth[method].secrets.items():
            if not secret.get("optional"):
                yield name, secret

    def secret_variables(self) -> Iterator[tuple[str, str, Sequence[str]]]:
        """Yield auth method, secret, and the variables that the vendor's tools read it from."""
        for method, described in self._definition.auth.items():
            for name, secret in described.secrets.items():
                yield method, name, secret.get("variables", ())

    def setting_variables(self) -> dict[str, Sequence[str]]:
        """Return the variables that the vendor's tools read each setting from."""
        return {name: setting.variables for name, setting in self._definition.settings.items()}

    def needs_login(self, method: str) -> bool:
        """Whether a person has to consent before an auth method has a token."""
        return getattr(own_methods(self.provider)[method], "uses_grant", False)

    def app(self, method: str) -> dict[str, str]:
        """Return the keys of an OAuth client that an auth method needs, each with an example."""
        shape = own_methods(self.provider)[method].shape
        properties: Any = shape.properties
        return {
            key: schema["examples"][0]
            for key, schema in properties.items()
            if key in shape.required and not schema.get("x-secret")
        }


def problem(name: str, setting: Setting, value: str) -> str:
    """Return what is wrong with the value of a setting; empty if nothing is."""
    if name == BASE_URL:
        try:
            parse_url(value)
        except UrlError as error:
            return str(error)
        return ""
    if setting.values:
        return "" if value in setting.values else f"it is one of {', '.join(setting.values)}"
    is_right = re.search(anchored(setting), value) is not None
    return "" if is_right else setting.error or f"it has the form {setting.pattern}"

"""What of a setting's value may stand in a URL: one label or several in a host, one segment in a path.

Layer 2, no IO. The pattern of a setting is its author's, and may fit anything. A value is judged here where it is used, so that no
value leads to another host or another path than the definition means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.named_texts import expand_url
from connform.manifest.rules import Finding
from connform.manifest.urls import UrlError, parse_url
from connform.providers.described.addresses import AddressBook, SettingPlaces
from connform.providers.described.definition import Definition

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_LABELS = rf"{_LABEL}(?:\.{_LABEL})*"
_CODE = "malformed-value"
_MAX_CERTAIN = 200
"""A URL of so many characters has no host that is too long (RFC 1035 §2.3.4: 253)."""


def needed_findings(definition: Definition, addresses: AddressBook, connection: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the settings that the auth method of a connection needs and it doesn't give, and those that nothing uses."""
    name, method = connection.get("environment", addresses.default_environment), connection["auth"]["method"]
    needed, of_root = addresses.needed_settings(name, method), addresses.root_settings(name, method)
    for setting in needed:
        if setting not in connection:
            yield Finding("missing-key", (), f"the auth method `{method}` needs `{setting}`: write it")
    if not needed and not of_root:
        return
    for setting in definition.settings:
        if setting in connection and setting not in (*needed, *of_root):
            users = [one for one in definition.auth if setting in addresses.needed_settings(name, one)]
            detail = f"the auth method `{method}` doesn't use `{setting}`, which belongs to {' and '.join(f'`{one}`' for one in users)}"
            yield Finding("unknown-key", (setting,), f"{detail}: remove it", at_key=True)


def value_findings(definition: Definition, addresses: AddressBook, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the settings of a connection that may not stand where the definition's URLs name them."""
    needed = addresses.root_settings(settings.get("environment", ""), settings["auth"]["method"])
    places = addresses.places_of(settings)
    found = list(_value_findings(definition, places, settings))
    yield from found
    given = [settings[name] for name in needed if name in settings]
    # Labels in front of a domain make a valid host, if it isn't too long.
    may_be_wrong = places.ends_in_setting or sum(map(len, given)) + len(places.root) > _MAX_CERTAIN
    if may_be_wrong and not found and len(given) == len(needed):
        try:
            parse_url(expand_url(places.root, {name: settings[name] for name in needed}))
        except UrlError as error:
            yield Finding(error.code, (), f"the URL that these settings make can't be used: {error}")


def _value_findings(definition: Definition, places: SettingPlaces, settings: Mapping[str, Any]) -> Iterator[Finding]:
    for name in definition.settings:
        value = settings.get(name)
        if not isinstance(value, str):
            continue
        if name in places.in_host and (problem := host_problem(value, definition.settings[name].kind)):
            yield Finding(_CODE, (name,), problem)
        elif name in places.in_path and value in {"", ".", ".."}:
            yield Finding(_CODE, (name,), "it is a segment of a path: not empty, `.` or `..`")


def host_problem(value: str, kind: str) -> str:
    """Return why a setting of a kind can't stand in a host, or an empty text."""
    allowed, what = (_LABELS, "a host name") if kind == "host" else (_LABEL, "one label of a host name")
    return "" if re.fullmatch(allowed, value) else f"it stands in a host: letters, digits and hyphens, as in {what}"

"""What of a setting's value may stand in a URL: one label or several in a host, one segment in a path.

Layer 2, no IO. The pattern of a setting is its author's, and may fit anything. A value is judged here where it is used, so that no
value leads to another host or another path than the definition means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from connform.manifest.named_texts import expand_url
from connform.manifest.rules import Finding
from connform.providers.described.addresses import AddressBook
from connform.providers.described.definition import Definition

_CODE = "malformed-value"
_MAX_CERTAIN = 200
"""A URL of so many characters has no host that is too long (RFC 1035 §2.3.4: 253)."""


def needed_findings(definition: Definition, addresses: AddressBook, connection: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the settings that the auth method of a connection needs and it doesn't give, and those that nothing uses."""
    name, method = connection.get("environment", addresses.default_environment), connection["auth"]["method"]
    of_root, needed = addresses.settings_of(name, method)
    for setting in needed:
        if setting not in connection:
            yield Finding("missing-key", (), f"the auth method `{method}` needs `{setting}`: write it")
    for setting in definition.settings:
        if setting in connection and setting not in (*needed, *of_root):
            users = [
                f"`{one}`"
                for one in definition.auth
                if any(setting in some for some in addresses.settings_of(name, one))
            ]
            owners = f", which belongs to {' and '.join(users)}" if users else ""
            detail = f"the auth method `{method}` doesn't use `{setting}`{owners}: remove it"
            yield Finding("unknown-key", (setting,), detail, at_key=True)


def value_findings(definition: Definition, addresses: AddressBook, settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the settings of a connection that may not stand where the definition's URLs name them."""
    places = addresses.places_of(settings)
    is_right, length = True, len(places.root)
    for name, setting in definition.settings.items():
        value = settings.get(name)
        if not isinstance(value, str):
            continue
        length += len(value)
        if name in places.in_host and (problem := host_problem(value, setting.kind)):
            is_right = False
            yield Finding(_CODE, (name,), problem)
        elif name in places.in_path and value in {"", ".", ".."}:
            is_right = False
            yield Finding(_CODE, (name,), "it is a segment of a path: not empty, `.` or `..`")
    # Labels in front of a domain make a valid host, if it isn't too long.
    if is_right and (places.ends_in_setting or length > _MAX_CERTAIN):
        needed, _ = addresses.settings_of(settings.get("environment", ""), settings["auth"]["method"])
        if settings.keys() >= {*needed}:
            yield from _host_findings(places.root, {name: settings[name] for name in needed})


def _host_findings(root: str, settings: Mapping[str, str]) -> Iterator[Finding]:
    from connform.manifest.urls import UrlError, parse_url  # imported here for start-up: few settings stand in a host

    try:
        parse_url(expand_url(root, settings))
    except UrlError as error:
        yield Finding(error.code, (), f"the URL that these settings make can't be used: {error}")


@cache
def _is_label() -> Callable[[str], bool]:
    from connform.manifest.urls import is_label  # as above

    return is_label


def host_problem(value: str, kind: str) -> str:
    """Return why a setting of a kind can't stand in a host, or an empty text."""
    is_label = _is_label()
    if all(map(is_label, value.split("."))) if kind == "host" else is_label(value):
        return ""
    what = "a host name" if kind == "host" else "one label of a host name"
    return f"it stands in a host: letters, digits and hyphens, as in {what}"

"""Rules for the names that an entry declares: each stands for one thing.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator

from connform.auth.described.kinds import ACCESS_TOKEN, JWT, kind_of
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.settings import SETTINGS
from connform.providers.described.rules.declared import ORIGIN, Declared

AUTH_KEYS = frozenset(
    {"method", "client_id", "client_auth", "redirect_uri", "scopes", "issuer", "authorize_url", "token_url", "revoke_url"}
)  # fmt: skip
"""The keys under `auth:` that hold no secret."""
CONNECTION_KEYS = frozenset({"provider", "environment", "class", "region", "base_url", "auth", "extends", *SETTINGS})
"""The keys of a connection to a described provider that are no settings of it."""

_ORIGIN_IS_TAKEN = "`{origin}` stands for scheme, host and port of the root"


def name_findings(declared: Declared) -> Iterator[Finding]:
    """Yield names that stand for two things, and those that connform uses itself."""
    yield from _values_of_two_levels(declared)
    for name, path in declared.values.items():
        if name == ORIGIN:
            yield _taken(path, _ORIGIN_IS_TAKEN)
        elif name in declared.settings:
            yield _twice(path, f"`{name}` is a setting too", ("settings", name))
    for name in declared.settings:
        if name == ORIGIN:
            yield _taken(("settings", name), _ORIGIN_IS_TAKEN)
        elif name in CONNECTION_KEYS:
            yield _taken(("settings", name), f"a connection has the key `{name}` already")
    for method, one in declared.methods.items():
        made = (
            {}
            if kind_of(one) == "static"
            else {ACCESS_TOKEN: "the token that is obtained", JWT: "the JWT that is signed"}
        )
        for name in one.get("secrets", {}):
            here = ("auth", method, "secrets", name)
            if name in made:
                yield _taken(here, f"`{{{name}}}` stands for {made[name]}")
            else:
                yield from _secret_findings(declared, here, name)


def _secret_findings(declared: Declared, path: KeyPath, name: str) -> Iterator[Finding]:
    if name in AUTH_KEYS:
        yield _taken(path, f"`auth:` has the key `{name}` already, which holds no secret")
    elif name in declared.settings:
        yield _twice(path, f"`{name}` is a setting too", ("settings", name))
    elif name in declared.values:
        yield _twice(path, f"`{name}` is a value of an environment too", declared.values[name])


def _values_of_two_levels(declared: Declared) -> Iterator[Finding]:
    below: dict[KeyPath, list[KeyPath]] = {}
    for path in declared.value_paths:
        if "regions" in path[2:-1]:
            below.setdefault((*path[:2], path[-1]), []).append(path)
    for path in declared.value_paths.keys() & below.keys():
        detail = f"regions give `{path[-1]}` too: keep it here or there"
        yield Finding("duplicate-name", path, detail, at_key=True, related=tuple(below[path][:1]))


def _taken(path: KeyPath, why: str) -> Finding:
    return Finding("bad-name", path, f"{why}: choose another name", at_key=True)


def _twice(path: KeyPath, why: str, other: KeyPath) -> Finding:
    return Finding("duplicate-name", path, f"{why}: a name stands for one thing", at_key=True, related=(other,))

"""Makes the generated part of docs/reference/catalog.md from the files of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.providers import GROUPS, catalog_entry

MARKER = "<!-- What follows is made from src/connform/providers/catalog/. -->\n"
NO_VALUES = frozenset({"class", "regions", "own_root", "description", "error"})
"""The keys of an environment that aren't values for texts."""
Entry = Mapping[str, Any]


def generated() -> str:
    """Return the part of the page that is made from the files."""
    groups: dict[str, list[str]] = {}
    for name in sorted(GROUPS):
        groups.setdefault(GROUPS[name], []).append(name)
    rows = [
        f"| {group} | {', '.join(f'[`{name}`](#{name})' for name in groups[group])} |\n" for group in sorted(groups)
    ]
    names = [name for group in sorted(groups) for name in groups[group]]
    sections = [f"\n{part}\n" for name in names for part in _section(name, catalog_entry(name) or {})]
    return "".join(["| group | providers |\n|---|---|\n", *rows, *sections])


def _section(name: str, entry: Entry) -> Iterator[str]:
    yield f"## {name}"
    key_page = f" Keys: `{entry['key_page']}`." if "key_page" in entry else ""
    root = f"Root: `{entry['root']}`." if "root" in entry else "The connection gives the root, `base_url`."
    yield f"{entry['title']}. {root}{key_page}"
    if places := [row for key, one in entry.get("environments", {}).items() for row in _places(key, one)]:
        yield _table(("environment", "class", "region", "values"), places)
    if settings := [_setting(key, one) for key, one in entry.get("settings", {}).items()]:
        yield _table(("setting", "what it is", "form"), settings)
    methods = [_method(key, one) for key, one in entry["auth"].items()]
    yield _table(("auth method", "when to choose it", "secrets", "how it is sent"), methods)
    check = entry["check"]
    yield f"Check: `{check['method']} {check['path']}`, which answers {check.get('description', 'the check')}."
    yield "Sources:\n\n" + "\n".join(f"- <{one['url']}> ({one['read']}): {one['says']}" for one in entry["sources"])
    if "assumed" in entry:
        yield "Assumed, or not known:\n\n" + "\n".join(f"- {key}: {text}" for key, text in entry["assumed"].items())


def _places(name: str, one: Entry) -> Iterator[tuple[str, ...]]:
    kind = one.get("class", "production")
    own_root = {"besides": "or `base_url`", "only": "`base_url`"}.get(one.get("own_root", ""), "")
    values = {key: text for key, text in one.items() if key not in NO_VALUES}
    for region, added in one.get("regions", {"": {}}).items():
        shown = [f"`{key}: {text}`" for key, text in {**values, **added}.items()]
        yield f"`{name}`", kind, f"`{region}`" if region else "", ", ".join(filter(None, [*shown, own_root]))


def _setting(name: str, one: Entry) -> tuple[str, ...]:
    form = f"`{one['pattern']}`" if "pattern" in one else ", ".join(f"`{value}`" for value in one["values"])
    return f"`{name}`", one.get("description", ""), form


def _method(name: str, one: Entry) -> tuple[str, ...]:
    return f"`{name}`", one.get("use", ""), ", ".join(_secrets(one)), "; ".join(_ways(one))


def _secrets(method: Entry) -> Iterator[str]:
    for name, said in method.get("secrets", {}).items():
        facts = ["optional"] if said.get("optional") else []
        facts += [f"`{variable}`" for variable in said.get("variables", ())]
        yield f"`{name}`" + (f" ({', '.join(facts)})" if facts else "")


def _ways(method: Entry) -> Iterator[str]:
    if "flow" in method:
        yield f"{method['flow'].replace('_', ' ')}, `{method['token_url']}`"
    if "login" in method:
        yield f"login call, `{method['login']['url']}`"
    if "root" in method:
        yield f"root `{method['root']}`"
    if "basic" in method:
        yield f"Basic `{method['basic'].get('username', '')}:{method['basic'].get('password', '')}`"
    yield from (f"`{name}: {text}`" for name, text in method.get("headers", {}).items())
    yield from (f"`?{name}={text}`" for name, text in method.get("query", {}).items())


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    kept = [index for index in range(len(titles)) if any(row[index] for row in rows)]
    lines = [[row[index].replace("|", "\\|") for index in kept] for row in (titles, *rows)]
    rule = "|---" * len(kept) + "|"
    top, *others = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([top, rule, *others])

"""Rules for the URLs of an entry, as they are with the values of each row and the first example of each setting.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.kit.granted_token import URLS_WITH_QUERY
from connform.manifest.named_text_rules import MAX_NAMES
from connform.manifest.named_texts import expand, expand_url, names_in
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.urls import UrlError, parse_url
from connform.providers.described.rules.declared import ORIGIN, Declared, Row, UrlText
from connform.providers.described.setting_values import host_problem

_OWN_ROOT = "https://api.acme.example"
"""A root that a connection gives itself."""


def url_text_findings(declared: Declared) -> Iterator[Finding]:
    """Yield the URLs that aren't usable, each for the first row where it isn't."""
    samples = {name: _sample(name, setting) for name, setting in declared.settings.items()}
    origins = [_origin(declared, row, samples) for row in declared.rows]
    for url in declared.urls:
        rows = declared.rows_of(url) if len(names_in(url.text)) <= MAX_NAMES else ()
        for row, origin in zip(declared.rows, origins, strict=True):
            finding = _finding(declared, url, row, {ORIGIN: origin} if origin else {}, samples) if row in rows else None
            if finding is not None:
                yield finding
                break


def _finding(
    declared: Declared, url: UrlText, row: Row, origin: Mapping[str, str], samples: Mapping[str, str]
) -> Finding | None:
    filled = _filled(url.text, {**row.values, **origin}, samples)
    may_have_query = url.path[-1] in ("key_page", "url", *URLS_WITH_QUERY)
    if url.path[-1] == "key_page":
        filled = filled.partition("#")[0]
    if "{" in filled or "}" in filled:
        return None  # a name that stands for nothing has a finding of its own
    try:
        parse_url(filled, query=may_have_query)
    except UrlError as error:
        shown = f" (in {row.shown})" if row.shown else ""
        related = tuple(_place_of(declared, row, name) for name in names_in(url.text) if name in row.values)
        return Finding(error.code, url.path, f"{error}{shown}", related=tuple(dict.fromkeys(related)))
    return None


def _place_of(declared: Declared, row: Row, name: str) -> KeyPath:
    """Return where a value of a row stands: in its region, or in its environment."""
    here = (*row.path, name)
    return here if here in declared.value_paths else (*row.path[:2], name)


def _origin(declared: Declared, row: Row, samples: Mapping[str, str]) -> str:
    if row.own_root == "only":
        return _OWN_ROOT
    try:
        return parse_url(_filled(declared.node.get("root", ""), row.values, samples)).origin
    except UrlError:
        return ""


def _filled(text: str, values: Mapping[str, str], samples: Mapping[str, str]) -> str:
    return expand_url(expand(text, values), samples)


def _sample(name: str, setting: Mapping[str, Any]) -> str:
    """Return a value of a setting; one that no host has is a mistake of its own."""
    listed = (*setting.get("examples", ()), *setting.get("values", ()))
    return next((one for one in listed if not host_problem(one, setting.get("kind", ""))), name.replace("_", "-"))

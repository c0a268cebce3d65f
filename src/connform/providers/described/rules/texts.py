"""Rules for the names in texts: each stands for something, in every row; no secret stands in a URL or a value.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from connform.manifest.harmless import is_plain, shown_name
from connform.manifest.named_text_rules import MAX_NAMES, braces_finding, unknown_name
from connform.manifest.named_texts import names_in
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.similar import similar
from connform.providers.described.rules.declared import ORIGIN, Declared, Row, UrlText

_MAX_LACKING = 64
"""How many values that environments and regions lack are listed."""


def text_findings(declared: Declared) -> Iterator[Finding]:
    """Yield what is wrong with the names in URLs and in the values of environments."""
    for url in declared.urls:
        yield from _url_findings(declared, url)
    for path, text in declared.value_paths.items():
        yield from _value_findings(declared, path, text)
    yield from islice(_lacking(declared), _MAX_LACKING)
    if "root" not in declared.node and declared.needs_root:
        yield Finding("missing-key", (), "this entry needs `root`, unless every environment says `own_root: only`")


def misplaced_secret(path: KeyPath, name: str) -> Finding:
    """Return the finding of a secret where none may stand."""
    detail = f"`{name}` is a secret, which a method of `auth` sends: never in a URL, a value, a plain header, a claim, the check or a hint"
    return Finding("misplaced-secret", path, detail)


def _url_findings(declared: Declared, url: UrlText) -> Iterator[Finding]:
    yield from braces_finding(url.path, url.text)
    known = [*declared.values, *declared.settings, *([] if url.path[-1] == "root" else [ORIGIN])]
    for name in list(dict.fromkeys(names_in(url.text)))[:MAX_NAMES]:
        if name == ORIGIN and name not in known:
            detail = "`{origin}` is that of the root, and can't stand in the root itself"
            yield Finding("unknown-placeholder", url.path, detail)
        elif name not in known:
            yield misplaced_secret(url.path, name) if name in declared.secrets else unknown_name(url.path, name, known)


def _value_findings(declared: Declared, path: KeyPath, text: str) -> Iterator[Finding]:
    yield from braces_finding(path, text)
    is_without_settings = declared.node["environments"][path[1]].get("own_root") == "only"
    for name in list(dict.fromkeys(names_in(text)))[:MAX_NAMES]:
        if name in declared.settings:
            if is_without_settings:
                detail = "with `own_root: only` a connection gives the root and no settings: write the value itself"
                yield Finding("unknown-placeholder", path, detail)
        elif name in declared.secrets:
            yield misplaced_secret(path, name)
        elif name in declared.values:
            detail = f"`{{{name}}}` is a value, and no value stands in another: only settings do"
            yield Finding("unknown-placeholder", path, detail)
        else:
            yield unknown_name(path, name, list(declared.settings))


def _lacking(declared: Declared) -> Iterator[Finding]:
    """Yield the rows that have no value for a name of a URL, each name once."""
    found: set[tuple[KeyPath, str]] = set()
    for url in (*declared.urls, *(UrlText(path, text) for path, text in declared.texts)):
        for name in list(dict.fromkeys(names_in(url.text)))[:MAX_NAMES]:
            rows, why = [row for row in declared.rows_of(url) if name not in row.values], "add it"
            if name in declared.settings:
                rows = [row for row in rows if row.own_root == "only"] if url in declared.urls else []
                why = "there a connection gives the root and no settings"
            elif name not in declared.values or name == ORIGIN:
                continue
            for path, shown in _places(declared, rows).items():
                if (path, name) not in found:
                    found.add((path, name))
                    detail = f"{shown} has no value for `{{{name}}}` of `{url.path[-1]}`: {why}"
                    hint = _misspelt(declared, path, name)
                    yield Finding("missing-key", path, detail, hint, at_key=True, related=(url.path,))


def _misspelt(declared: Declared, path: KeyPath, name: str) -> str:
    """Return a hint if a value that no URL names stands at a path, or below it, and is spelt like a name that lacks one."""
    named = {used for url in declared.urls for used in names_in(url.text)}
    here = {str(place[-1]) for place in declared.value_paths if place[: len(path)] == path}
    guess = similar(name, filter(is_plain, sorted(here - named)))
    return f"`{guess}` stands there: did you mean `{name}`?" if guess else ""


def _places(declared: Declared, rows: Collection[Row]) -> dict[KeyPath, str]:
    """Return where rows stand, and what messages call them; an environment in place of all of its regions."""
    paths = {row.path for row in rows}
    partly = {row.path[:2] for row in declared.rows if row.path not in paths}
    places: dict[KeyPath, str] = {}
    for row in rows:
        environment = row.path[:2]
        if environment in partly:
            places[row.path] = row.shown
        else:
            places[environment] = f"the environment `{shown_name(str(environment[-1]))}`"
    return places

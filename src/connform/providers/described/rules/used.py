"""Rules for what an entry declares and nothing uses: mostly a misspelt key or name.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.auth.described.kinds import CLIENT_SECRET
from connform.manifest.named_texts import names_in, texts_in
from connform.manifest.rules import Finding
from connform.manifest.similar import did_you_mean
from connform.providers.described.definition import ROW_KEYS
from connform.providers.described.rules.declared import Declared


def unused_findings(declared: Declared) -> Iterator[Finding]:
    """Yield values, settings and secrets that no text uses, and a root that no connection has."""
    yield from _unused_secrets(declared)
    used = {name for url in declared.urls for name in names_in(url.text)}
    used |= {name for _, text in declared.texts for name in names_in(text)}
    used |= {name for method in declared.methods.values() for name in _names_of(method)}
    in_values = {name for text in declared.value_paths.values() for name in names_in(text)}
    for name, path in declared.values.items():
        if name not in used:
            detail = f"no URL of this entry has `{{{name}}}`: remove the value, or write the name where it belongs"
            yield Finding("unused-part", path, detail, did_you_mean(name, sorted(ROW_KEYS)), at_key=True)
    for name in declared.settings:
        if name not in used | in_values:
            detail = f"no text has `{{{name}}}`: remove the setting, or write the name where it belongs"
            yield Finding("unused-part", ("settings", name), detail, at_key=True)
    if "root" in declared.node and declared.is_own_root_only:
        detail = "every environment says `own_root: only`, so each connection gives the root itself: remove `root`"
        yield Finding("unused-part", ("root",), detail, at_key=True)


def _names_of(method: Mapping[str, Any]) -> set[str]:
    """Return the names in the texts of a method."""
    return {name for _, text in texts_in((), method) for name in names_in(text)}


def _unused_secrets(declared: Declared) -> Iterator[Finding]:
    for method, one in declared.methods.items():
        used = _names_of(one) | ({CLIENT_SECRET} if "flow" in one else set())
        for name in one.get("secrets", {}):
            if name not in used:
                detail = f"no text of the method has `{{{name}}}`: remove the secret, or send it"
                yield Finding("unused-part", ("auth", method, "secrets", name), detail, at_key=True)

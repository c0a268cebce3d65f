"""Rules for the settings of an entry: a list or a usable pattern, and examples that it accepts.

Layer 2, no IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connform.manifest.named_texts import expand, names_in, split_url
from connform.manifest.pattern import TooManyStepsError
from connform.manifest.rules import Finding, KeyPath
from connform.providers.described.rules.declared import Declared
from connform.providers.described.rules.patterns import Patterns
from connform.providers.described.setting_values import host_problem


def setting_findings(declared: Declared, patterns: Patterns) -> Iterator[Finding]:
    """Yield what is wrong with the settings."""
    in_hosts = _names_in_hosts(declared)
    for name, setting in declared.settings.items():
        path: KeyPath = ("settings", name)
        if "pattern" in setting and "values" in setting:
            detail = "either a list of values or a pattern says what is allowed: remove one of them"
            yield Finding("unknown-key", (*path, "values"), detail, at_key=True, related=((*path, "pattern"),))
        elif "pattern" not in setting and "values" not in setting:
            yield Finding("missing-key", path, f"`{name}` needs `pattern` or `values`: what a connection may give")
        else:
            yield from _value_findings(path, setting, patterns)
            if name in in_hosts:
                yield from _host_findings(path, setting)


def _names_in_hosts(declared: Declared) -> set[str]:
    texts = (expand(url.text, row.values) for url in declared.urls for row in declared.rows_of(url))
    return {name for text in texts for name in names_in(split_url(text)[0])}


def _host_findings(path: KeyPath, setting: Mapping[str, Any]) -> Iterator[Finding]:
    for key, code in (("values", "malformed-value"), ("examples", "wrong-example")):
        for index, value in enumerate(setting.get(key, ())):
            if problem := host_problem(value, setting.get("kind", "")):
                yield Finding(code, (*path, key, index), problem)


def _value_findings(path: KeyPath, setting: Mapping[str, Any], patterns: Patterns) -> Iterator[Finding]:
    allowed: Any = setting.get("values", ())
    pattern = None
    if "pattern" in setting:
        problem = patterns.problem(setting["pattern"])
        if problem:
            yield Finding("malformed-value", (*path, "pattern"), problem)
            return
        pattern = patterns.whole(setting["pattern"])
    for index, example in enumerate(setting.get("examples", ())):
        try:
            fits = pattern.search(example) if pattern else example in allowed
        except TooManyStepsError:
            detail = "the patterns of all providers take too long on their examples"
            yield Finding("out-of-range", (*path, "examples", index), detail)
            return
        if not fits:
            said = "the setting's pattern refuses it" if pattern else "it isn't among the setting's values"
            yield Finding("wrong-example", (*path, "examples", index), said)

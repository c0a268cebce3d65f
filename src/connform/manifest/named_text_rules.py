"""Rules for texts with `{name}` in them: braces, names that stand for nothing, and that a secret stands at the end.

Layer 1, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from connform.manifest.harmless import shown_name
from connform.manifest.named_texts import expand, names_in
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.similar import Names

MAX_NAMES = 16
"""How many names a text may have."""
_MAX_KNOWN = 32
"""How many names are compared with an unknown one."""
_NO_NAMES = "nothing is filled in here: write the text itself"
_BRACES = "braces stand around one name, of small letters, digits and `_`: `{host}`"


def braces_finding(path: KeyPath, text: str) -> Iterator[Finding]:
    """Yield a finding if a text has braces that aren't those of a name, or too many names."""
    names = names_in(text)
    if len(names) > MAX_NAMES:
        yield Finding("malformed-value", path, f"a text has at most {MAX_NAMES} names")
    rest = expand(text, dict.fromkeys(names, ""))
    if "{" in rest or "}" in rest:
        yield Finding("malformed-value", path, _BRACES)


def unknown_name(path: KeyPath, name: str, known: Collection[str]) -> Finding:
    """Return the finding of a name that stands for nothing."""
    names = Names(list(islice(known, _MAX_KNOWN)))
    detail = f"`{{{shown_name(name)}}}` stands for nothing here; known: {names}" if known else _NO_NAMES
    return Finding("unknown-placeholder", path, detail, names.did_you_mean(name))


def unsent_findings(path: KeyPath, texts: Iterable[str], name: str, secrets: Collection[str]) -> Iterator[Finding]:
    """Yield a finding if texts are given and none has a name; a text with an unknown name has a finding of its own."""
    named = [names_in(text) for text in texts]
    if named and {*secrets}.issuperset(*named):
        detail = f"no header or parameter has `{{{name}}}`: write it where the API expects it"
        yield Finding("missing-key", path, detail)


def secret_text_findings(path: KeyPath, text: str, secrets: Collection[str], *, what: str) -> Iterator[Finding]:
    """Yield what is wrong with a constant text that one secret may end; `what` is a header or a parameter."""
    yield from braces_finding(path, text)
    names = names_in(text)
    for name in dict.fromkeys(names):
        if name not in secrets and secrets:
            yield unknown_name(path, name, list(secrets))
    if sum(name in secrets for name in names) > 1:
        yield Finding("misplaced-secret", path, f"a {what} carries one secret: a constant text, then the secret")
    elif names and names[-1] in secrets and not text.endswith("}"):
        detail = f"a secret stands at the end of its {what}: a constant text, then the secret"
        yield Finding("misplaced-secret", path, detail)

"""Wording of schema violations: one finding for each mistake in a value, with a likely correction.

Layer 1, no IO. No message quotes the value, which may be a secret.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from connform.manifest.compiled import canonical
from connform.manifest.foreign_references import from_variable
from connform.manifest.harmless import is_identifier, is_plain, shown_name
from connform.manifest.rules import Finding
from connform.manifest.similar import Names, respelt, similar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from connform.manifest.rules import KeyPath
    from connform.manifest.shape import Schema
    from connform.manifest.violations import Finder, SchemaViolation


def explain(find: Finder, value: object, everywhere: Mapping[str, str], worded: int) -> Iterator[Finding]:
    """Yield what is wrong with a value.

    Args:
        find: what finds the refusals of a flat schema (`shape.selected`).
        value: plain data that the schema refuses.
        everywhere: keys that belong to other branches → where they belong, for a better hint.
        worded: as many findings are worth a suggestion; it costs more than the finding.
    """
    strange: list[SchemaViolation] = []
    missing: list[SchemaViolation] = []
    number = 0
    for refusal in find(value, ()):
        if refusal.keyword == "additionalProperties":
            strange.append(refusal)
        elif refusal.keyword == "required":
            missing.append(refusal)
        elif refusal.in_names:
            detail = str(refusal.schema["errorMessage"])
            yield Finding("bad-name", (*refusal.path, refusal.value), detail, at_key=True)
        else:
            number += 1
            bad = _bad_value(refusal, suggests=number <= worded)
            yield bad._replace(detail=_TYPOGRAPHIC_QUOTES, hint="") if _in_typographic_quotes(refusal.value) else bad
    explained = {one for refusal in strange for one in _explained(refusal, worded)}
    for refusal in missing:
        if (refusal.path, refusal.wanted) not in explained:
            yield _missing_key(refusal)
    for refusal in strange:
        yield from _unknown_keys(refusal, everywhere, worded)


def _unknown(refusal: SchemaViolation) -> Iterator[str]:
    known = refusal.schema.get("properties", {})
    return (key for key in refusal.value if key not in known)


def _explained(refusal: SchemaViolation, worded: int) -> Iterator[tuple[KeyPath, str]]:
    """Yield the keys that are missing because an unknown key stands for them: one mistake, not two."""
    path = refusal.path
    known = refusal.schema.get("properties", {})
    absent = [key for key in known if key not in refusal.value]
    for key in islice(_unknown(refusal), worded):
        if key == MERGE_KEY:
            yield from ((path, one) for one in absent)
        elif guess := similar(key, absent) or _parent(key, known):
            yield path, guess


_TYPOGRAPHIC: Final = frozenset("\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a\uff02\uff07")
_TYPOGRAPHIC_QUOTES: Final = (
    "the quotes around it are typographic ones, which YAML takes for letters: write `\"` or `'`"
)


def _in_typographic_quotes(value: object) -> bool:
    return isinstance(value, str) and value != "" and bool({value[0], value[-1]} & _TYPOGRAPHIC)


def _foreign_letter(key: str) -> str:
    """Return which letter of a key may look like another one, or nothing."""
    if key.isascii():
        return ""
    import unicodedata

    letter = next(one for one in key if not one.isascii())
    return f": it holds U+{ord(letter):04X} ({unicodedata.name(letter, 'no letter').lower()})"


def _parent(key: str, known: Mapping[str, Schema]) -> str:
    """Return the known key whose value is a mapping that has `key`, or an empty string."""
    return next((name for name, part in known.items() if key in part.get("properties", {})), "")


MERGE_KEY: Final = "<<"
NO_INTERPOLATION: Final = "there is no interpolation here: a reference names where the secret lies"


def _unknown_keys(refusal: SchemaViolation, everywhere: Mapping[str, str], worded: int) -> Iterator[Finding]:
    known = refusal.schema.get("properties", {})
    absent = Names([key for key in known if key not in refusal.value])
    meant = {key: absent.respelt(key) for key in _unknown(refusal)}
    often = Counter(meant.values())
    misplaced: dict[str, list[str]] = {}
    around, allowed = _object(refusal.path), _listing(known)
    for number, (key, right) in enumerate(meant.items()):
        detail = hint = ""
        is_hidden = False
        if parent := _parent(key, known):
            misplaced.setdefault(f"below `{parent}:`", []).append(key)
        elif guess := similar(key, known) if number < worded else "":
            detail, hint = f"`{key}` is not allowed in {around}", f"did you mean `{guess}`?"
            detail = _TYPOGRAPHIC_QUOTES if _in_typographic_quotes(key) else detail + _foreign_letter(key)
        elif key == MERGE_KEY:
            detail = f"`{key}` is not allowed: YAML 1.2 has no merge keys"
            hint = "share settings with `templates:` and `extends:`"
        elif key in everywhere:
            misplaced.setdefault(f"to {everywhere[key]}", []).append(key)
        else:
            # What is beyond the room is hardly ever listed: it isn't worth to find out whether it may be shown.
            is_hidden = number >= worded or not (
                _is_surely_a_key(key, refusal.value[key]) or _respelt(key, everywhere, known)
            )
            detail = f"{'this key' if is_hidden else f'`{key}`'} is not allowed in {around}; allowed: {allowed}"
        if detail:
            certain = right if often[right] == 1 else ""
            path = (*refusal.path, key)
            yield Finding("unknown-key", path, detail, hint, at_key=True, fix=certain, is_key_hidden=is_hidden)
    for home, strays in misplaced.items():
        belong = "belongs" if len(strays) == 1 else "belong"
        yield Finding(
            "unknown-key",
            (*refusal.path, strays[0]),
            f"{_listing(strays)} {belong} {home}: not allowed here",
            at_key=True,
        )


def _is_surely_a_key(key: str, value: object) -> bool:
    """Whether an unknown key is one, and not perhaps a secret that was pasted where a value belongs."""
    return value is not None and (is_identifier(key) or (isinstance(value, dict | list) and is_plain(key)))


def _respelt(key: str, everywhere: Mapping[str, str], known: Mapping[str, Schema]) -> str:
    """Return the key of other branches, or of parts of this one, that differs in case, `-` and `_` alone."""
    elsewhere = (name for part in known.values() for name in part.get("properties", ()))
    return respelt(key, {*everywhere, *elsewhere})


def _missing_key(error: SchemaViolation) -> Finding:
    key = error.wanted
    about = error.schema.get("properties", {}).get(key, {})
    detail = f"{_object(error.path)} needs `{key}`"
    if "enum" in about:
        detail += f": one of {_listing(about['enum'])}"
    elif about.get("description"):
        detail += f": {about['description'][0].lower()}{about['description'][1:].rstrip('.')}"
    return Finding("missing-key", error.path, detail)


def _bad_value(error: SchemaViolation, *, suggests: bool) -> Finding:
    schema = error.schema
    secret = bool(schema.get("x-secret"))
    message = str(schema.get("errorMessage", ""))
    if secret:
        return _bad_reference(error, message)
    if error.keyword in ("enum", "const"):
        allowed = [str(one) for one in schema.get("enum", [schema.get("const")])]
        value = error.value if isinstance(error.value, str) else ""
        guess = similar(value, allowed) if suggests else ""
        hint = "write it without quotes" if guess == value else f"did you mean `{guess}`?"
        code, detail = schema.get("x-code", "unknown-value"), message or f"allowed: {_listing(allowed)}"
        return Finding(code, error.path, detail, hint if guess else "", fix=respelt(value, allowed))
    if error.keyword == "uniqueItems":
        return _repeated(error)
    word = _WORDING.get(error.keyword)
    code, detail = word(error.wanted) if word else ("malformed-value", "the value has a wrong form")
    if error.keyword == "type" and error.wanted == "array" and str(error.value)[:1] in _BULLETS:
        detail += "; in lines of its own, each item begins with `- `"
    elif error.keyword == "type" and error.value is None:
        detail = f"nothing stands here; {_object(error.path)} is {_KINDS[_kind(error.wanted)]}"
    elif error.keyword == "pattern":
        code = schema.get("x-code", code)
        detail = message or detail
        if error.path and isinstance(error.path[-1], int) and " - " in str(error.value):
            detail += "; perhaps an item below (`- `) is indented too far"
    return Finding(code, error.path, detail)


_BULLETS: Final = ("-", "\u2022", "\u2013", "\u2014", "\u2212", "\u00b7")


def _bad_reference(error: SchemaViolation, message: str) -> Finding:
    value = error.value
    if isinstance(value, dict | list) or value is None:
        return Finding("wrong-type", error.path, "a secret reference belongs here: one line, such as `env://NAME`")
    if isinstance(value, str) and (variable := from_variable(value)):
        return Finding("foreign-reference", error.path, NO_INTERPOLATION, f"write `{variable}`", fix=variable)
    if isinstance(value, str) and "://" in value:
        return Finding(
            "malformed-reference",
            error.path,
            "a reference has the form scheme://path[?version=…][#field], without spaces",
        )
    return Finding("plaintext-secret", error.path, message or "a reference such as `env://NAME` belongs here")


def _repeated(error: SchemaViolation) -> Finding:
    """Return the finding of the first item of a list that stands there already."""
    first: dict[Hashable, int] = {}
    index, before = next(
        (index, before)
        for index, item in enumerate(error.value)
        if (before := first.setdefault(canonical(item), index)) != index
    )
    detail = "the item stands there already: remove one of the two"
    return Finding("malformed-value", (*error.path, index), detail, related=((*error.path, before),))


def _kind(names: str | list[str]) -> str:
    return names if isinstance(names, str) else names[0]


_KINDS: Final = {
    "object": "a mapping (`key: value` lines)",
    "array": "a list (`[a, b]`)",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
    "null": "empty",
}

_WORDING: Final[dict[str, Callable[[Any], tuple[str, str]]]] = {
    "type": lambda names: ("wrong-type", f"{_KINDS[_kind(names)]} belongs here"),
    "pattern": lambda _: ("malformed-value", "the value has a wrong form"),
    "minLength": lambda limit: (
        "malformed-value",
        "the text is empty" if limit == 1 else f"at least {limit} characters are needed",
    ),
    "maxLength": lambda limit: ("malformed-value", f"at most {limit} characters are allowed"),
    "minItems": lambda limit: ("out-of-range", f"at least {limit} {'item is' if limit == 1 else 'items are'} needed"),
    "maxItems": lambda limit: ("out-of-range", f"at most {limit} items are allowed"),
    "minimum": lambda limit: ("out-of-range", f"at least {limit} is needed"),
    "maximum": lambda limit: ("out-of-range", f"at most {limit} is allowed"),
    "exclusiveMinimum": lambda limit: ("out-of-range", f"more than {limit} is needed"),
    "minProperties": lambda limit: (
        "out-of-range",
        f"at least {limit} {'entry is' if limit == 1 else 'entries are'} needed",
    ),
}
"""Keyword → code and detail."""


def _object(path: KeyPath) -> str:
    names = [part for part in path if isinstance(part, str)]
    return f"`{shown_name(names[-1])}`" if names else "this entry"


def _listing(words: Iterable[object]) -> str:
    quoted = [f"`{word}`" for word in words]
    return ", ".join(quoted) or "none"

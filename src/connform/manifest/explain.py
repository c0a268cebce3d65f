"""Wording of schema violations: one finding for each mistake in a value, with a likely correction.

Layer 1, no IO. No message quotes the value, which may be a secret.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from connform.manifest.compiled import equality_key
from connform.manifest.foreign_references import from_variable
from connform.manifest.harmless import is_identifier, is_plain, shown_name
from connform.manifest.rules import Finding, KeyPath
from connform.manifest.shape import Schema
from connform.manifest.similar import Names, similar, spelling_variant

if TYPE_CHECKING:
    from connform.manifest.violations import Finder, SchemaViolation


def explain(find: Finder, value: object, other_keys: Mapping[str, str], max_suggestions: int) -> Iterator[Finding]:
    """Yield what is wrong with a value.

    Args:
        find: the finder of violations of a flat schema (`shape.selected`).
        value: plain data that the schema refuses.
        other_keys: keys that other branches have → where they belong, for a better hint.
        max_suggestions: how many findings get a suggestion, which takes longer than the finding.
    """
    unknown: list[SchemaViolation] = []
    missing: list[SchemaViolation] = []
    number = 0
    for violation in find(value, ()):
        if violation.keyword == "additionalProperties":
            unknown.append(violation)
        elif violation.keyword == "required":
            missing.append(violation)
        elif violation.in_names:
            detail = str(violation.schema["errorMessage"])
            yield Finding("bad-name", (*violation.path, violation.value), detail, at_key=True)
        else:
            number += 1
            bad = _bad_value(violation, suggests=number <= max_suggestions)
            yield bad._replace(detail=_TYPOGRAPHIC_QUOTES, hint="") if _in_typographic_quotes(violation.value) else bad
    explained = {key for violation in unknown for key in _keys_meant_by_unknown(violation, other_keys, max_suggestions)}
    for violation in missing:
        if (violation.path, violation.expected) not in explained:
            yield _missing_key(violation)
    for violation in unknown:
        yield from _unknown_keys(violation, other_keys, max_suggestions)


def _names_of_unknown_keys(violation: SchemaViolation) -> Iterator[str]:
    known = violation.schema.get("properties", {})
    return (key for key in violation.value if key not in known)


def _keys_meant_by_unknown(
    violation: SchemaViolation, other_keys: Mapping[str, str], max_suggestions: int
) -> Iterator[tuple[KeyPath, str]]:
    """Yield missing keys that an unknown key was probably meant to be: that is one mistake, not two."""
    path = violation.path
    known = violation.schema.get("properties", {})
    absent = [key for key in known if key not in violation.value]
    for key in islice(_names_of_unknown_keys(violation), max_suggestions):
        if key == MERGE_KEY:
            yield from ((path, name) for name in absent)
        elif guess := similar(key, absent) or _parent(key, known) or _secret_meant(key, violation, other_keys):
            yield path, guess


def _secret_meant(key: str, violation: SchemaViolation, other_keys: Mapping[str, str]) -> str:
    """Return the one secret that is missing, or may be given, where an unknown key, of no other method, has a reference; else empty."""
    known, required = violation.schema.get("properties", {}), violation.schema.get("required", ())
    absent = [name for name in known if known[name].get("x-secret") and name not in violation.value]
    secrets = [name for name in absent if name in required] or absent
    is_reference = "://" in str(violation.value[key])
    return secrets[0] if is_reference and len(secrets) == 1 and key not in other_keys else ""


_TYPOGRAPHIC = frozenset("\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a\uff02\uff07")
_TYPOGRAPHIC_QUOTES = "the quotes around it are typographic ones, which YAML takes for letters: write `\"` or `'`"


def _in_typographic_quotes(value: object) -> bool:
    return isinstance(value, str) and value != "" and bool({value[0], value[-1]} & _TYPOGRAPHIC)


def _foreign_letter(key: str) -> str:
    """Return a remark on the first letter of a key that isn't ASCII, and may look like another one; else empty."""
    if key.isascii():
        return ""
    import unicodedata

    letter = next(character for character in key if not character.isascii())
    return f": it holds U+{ord(letter):04X} ({unicodedata.name(letter, 'no letter').lower()})"


def _parent(key: str, known: Mapping[str, Schema]) -> str:
    """Return the known key whose value is a mapping that has `key`, or an empty string."""
    return next((name for name, part in known.items() if key in part.get("properties", {})), "")


_MAX_LISTED = 20
"""How many words a message lists."""
MERGE_KEY = "<<"
NO_INTERPOLATION = "there is no interpolation here: a reference names where the secret lies"


def _unknown_keys(violation: SchemaViolation, other_keys: Mapping[str, str], max_suggestions: int) -> Iterator[Finding]:
    known = violation.schema.get("properties", {})
    absent = Names([key for key in known if key not in violation.value])
    corrections = {key: absent.spelling_variant(key) for key in _names_of_unknown_keys(violation)}
    uses = Counter(corrections.values())
    misplaced: dict[str, list[str]] = {}
    around, allowed = _name_of_object(violation.path), _listing(known)
    for number, (key, right) in enumerate(corrections.items()):
        detail = hint = ""
        is_hidden = False
        if parent := _parent(key, known):
            misplaced.setdefault(f"below `{parent}:`", []).append(key)
        elif guess := similar(key, known) if number < max_suggestions else "":
            detail, hint = f"`{key}` is not allowed in {around}", f"did you mean `{guess}`?"
            detail = _TYPOGRAPHIC_QUOTES if _in_typographic_quotes(key) else detail + _foreign_letter(key)
        elif secret := _secret_meant(key, violation, other_keys):
            is_hidden = not is_identifier(key)
            detail = f"{'this key' if is_hidden else f'`{key}`'} is not allowed in {around}: this method's secret is `{secret}`"
        elif key == MERGE_KEY:
            detail = f"`{key}` is not allowed: YAML 1.2 has no merge keys"
            hint = "share settings with `templates:` and `extends:`"
        elif key in other_keys:
            misplaced.setdefault(f"to {other_keys[key]}", []).append(key)
        else:
            # A finding beyond the limit is hardly ever listed, so whether its key may be shown isn't worked out.
            is_hidden = number >= max_suggestions or not (
                _is_surely_a_key(key, violation.value[key]) or _spelling_variant(key, other_keys, known)
            )
            detail = f"{'this key' if is_hidden else f'`{key}`'} is not allowed in {around}; allowed: {allowed}"
        if detail:
            certain = right if uses[right] == 1 else ""
            path = (*violation.path, key)
            yield Finding("unknown-key", path, detail, hint, at_key=True, fix=certain, is_key_hidden=is_hidden)
    for home, strays in misplaced.items():
        belong = "belongs" if len(strays) == 1 else "belong"
        yield Finding(
            "unknown-key",
            (*violation.path, strays[0]),
            f"{_listing(strays)} {belong} {home}: not allowed here",
            at_key=True,
        )


def _is_surely_a_key(key: str, value: object) -> bool:
    """Whether an unknown key is really a key, and can't be a secret that was pasted where a value belongs."""
    return value is not None and (is_identifier(key) or (isinstance(value, dict | list) and is_plain(key)))


def _spelling_variant(key: str, other_keys: Mapping[str, str], known: Mapping[str, Schema]) -> str:
    """Return the key of another branch or of a nested object that differs only in case, `-` and `_`, or empty."""
    elsewhere = (name for part in known.values() for name in part.get("properties", ()))
    return spelling_variant(key, {*other_keys, *elsewhere})


def _missing_key(error: SchemaViolation) -> Finding:
    key = error.expected
    about = error.schema.get("properties", {}).get(key, {})
    detail = f"{_name_of_object(error.path)} needs `{key}`"
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
        if code == "unknown-provider" and not guess:
            own = "declare it under `providers:`, or give the file that does with `-f`"
            guess, hint = value, own if "/" in value else "`connform providers list` lists them all"
        return Finding(code, error.path, detail, hint if guess else "", fix=spelling_variant(value, allowed))
    if error.keyword == "uniqueItems":
        return _repeated_item(error)
    word = _WORDING.get(error.keyword)
    code, detail = word(error.expected) if word else ("malformed-value", "the value has a wrong form")
    if error.keyword == "type" and error.expected == "array" and str(error.value)[:1] in _BULLETS:
        detail += "; in lines of its own, each item begins with `- `"
    elif error.keyword == "type" and error.value is None:
        detail = f"nothing stands here; {_name_of_object(error.path)} is {_TYPE_NAMES[_first_type(error.expected)]}"
    elif error.keyword == "type" and error.expected == "string" and (name := _name_in_braces(error.value)):
        detail = f'{detail}, and YAML takes braces for a mapping: quote it: `"{{{name}}}"`'
    elif error.keyword == "pattern":
        code = schema.get("x-code", code)
        detail = message or detail
        if error.path and isinstance(error.path[-1], int) and " - " in str(error.value):
            detail += "; perhaps an item below (`- `) is indented too far"
    return Finding(code, error.path, detail)


def _name_in_braces(value: object) -> str:
    """Return the name of a value that was written as `{name}`, without quotes; else empty."""
    name, inner = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else ("", "")
    return name if inner is None and is_identifier(name) else ""


_BULLETS = ("-", "\u2022", "\u2013", "\u2014", "\u2212", "\u00b7")


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


def _repeated_item(error: SchemaViolation) -> Finding:
    """Return the finding of the first item of a list that equals an earlier one."""
    first: dict[Hashable, int] = {}
    index, before = next(
        (index, before)
        for index, item in enumerate(error.value)
        if (before := first.setdefault(equality_key(item), index)) != index
    )
    detail = f"item {index + 1} is the same as item {before + 1}: remove one of the two"
    return Finding("malformed-value", (*error.path, index), detail, related=((*error.path, before),))


def _first_type(names: str | list[str]) -> str:
    return names if isinstance(names, str) else names[0]


_TYPE_NAMES = {
    "object": "a mapping (`key: value` lines)",
    "array": "a list (`[a, b]`)",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
    "null": "empty",
}

_WORDING: dict[str, Callable[[Any], tuple[str, str]]] = {
    "type": lambda names: ("wrong-type", f"{_TYPE_NAMES[_first_type(names)]} belongs here"),
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
    "maxProperties": lambda limit: (
        "out-of-range",
        f"at most {limit} {'entry is' if limit == 1 else 'entries are'} allowed",
    ),
}
"""Keyword → code and detail."""


def _name_of_object(path: KeyPath) -> str:
    names = [part for part in path if isinstance(part, str)]
    return f"`{shown_name(names[-1])}`" if names else "this entry"


def _listing(words: Iterable[object]) -> str:
    shown, more = [f"`{word}`" for word in words], ""
    if len(shown) > _MAX_LISTED:
        shown, more = shown[:_MAX_LISTED], f" and {len(shown) - _MAX_LISTED} more"
    return (", ".join(shown) or "none") + more

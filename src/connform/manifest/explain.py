"""Turns a value that a flat schema refuses into findings: one for each mistake, in words of our own.

Layer 1, no IO. The `jsonschema` library finds the errors. Its messages are never shown: they quote the value,
which may be a secret.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from connform.manifest.foreign_references import from_variable
from connform.manifest.harmless import is_identifier, is_plain, shown_name
from connform.manifest.rules import Finding, Path
from connform.manifest.similar import respelt, similar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError

    from connform.manifest.shape import Schema


def explain(schema: Schema, value: object, everywhere: Mapping[str, str]) -> list[Finding]:
    """Return what is wrong with a value.

    Args:
        schema: a flat schema (`shape.selected`).
        value: plain data that the schema refuses.
        everywhere: keys that belong to other branches → where they belong, for a better hint.
    """
    from jsonschema import Draft202012Validator

    errors = [_refusal(error) for error in Draft202012Validator(schema).iter_errors(value)]
    explained = {one for error in errors if error.keyword == "additionalProperties" for one in _explained(error)}
    found: list[Finding] = []
    for error in errors:
        if error.keyword == "additionalProperties":
            found += _unknown_keys(error, everywhere)
        elif error.keyword == "required":
            found += [_missing_key(error, key) for key in _missing(error) if (error.path, key) not in explained]
        elif error.in_names:
            detail = str(error.schema["errorMessage"])
            found.append(Finding("bad-name", (*error.path, error.value), detail, at_key=True))
        else:
            bad = _bad_value(error)
            found.append(
                bad._replace(detail=_TYPOGRAPHIC_QUOTES, hint="") if _in_typographic_quotes(error.value) else bad
            )
    return list(dict.fromkeys(found))


class _Refusal(NamedTuple):
    """One error of the `jsonschema` library."""

    keyword: str
    """The keyword that refuses."""
    wanted: Any
    """What the schema has there."""
    schema: Mapping[str, Any]
    """The schema around the keyword."""
    value: Any
    """What is refused."""
    path: Path
    """Where it stands."""
    in_names: bool
    """Whether the refused value is a key."""
    message: str
    """The library's own text; never shown, it quotes the value."""


def _refusal(error: ValidationError) -> _Refusal:
    schema = error.schema if isinstance(error.schema, dict) else {}
    path = tuple(error.absolute_path)
    return _Refusal(
        str(error.validator), error.validator_value, schema, error.instance, path, in_names(error), error.message
    )


def in_names(error: ValidationError) -> bool:
    """Whether what the library refuses is a key; its path then leads to the mapping around the key."""
    steps = ["", *error.absolute_schema_path]
    return any(step == "propertyNames" and above != "properties" for above, step in pairwise(steps))


def _unknown(error: _Refusal) -> Iterator[str]:
    known = error.schema.get("properties", {})
    return (key for key in error.value if key not in known)


def _missing(error: _Refusal) -> Iterator[str]:
    """Return the one key that this error is about: the library reports each missing key by itself."""
    return (key for key in error.wanted if error.message.startswith(repr(key)))


def _explained(error: _Refusal) -> Iterator[tuple[Path, str]]:
    """Yield the keys that are missing because an unknown key stands for them: one mistake, not two."""
    path = error.path
    known = error.schema.get("properties", {})
    absent = [key for key in known if key not in error.value]
    for key in _unknown(error):
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


def _unknown_keys(error: _Refusal, everywhere: Mapping[str, str]) -> Iterator[Finding]:
    known = error.schema.get("properties", {})
    absent = [key for key in known if key not in error.value]
    meant = {key: respelt(key, absent) for key in _unknown(error)}
    misplaced: dict[str, list[str]] = {}
    for key, right in meant.items():
        detail = hint = ""
        is_hidden = False
        if parent := _parent(key, known):
            misplaced.setdefault(f"below `{parent}:`", []).append(key)
        elif guess := similar(key, known):
            detail, hint = f"`{key}` is not allowed in {_object(error.path)}", f"did you mean `{guess}`?"
            detail = _TYPOGRAPHIC_QUOTES if _in_typographic_quotes(key) else detail + _foreign_letter(key)
        elif key == MERGE_KEY:
            detail = f"`{key}` is not allowed: YAML 1.2 has no merge keys"
            hint = "share settings with `templates:` and `extends:`"
        elif key in everywhere:
            misplaced.setdefault(f"to {everywhere[key]}", []).append(key)
        else:
            elsewhere = (name for part in known.values() for name in part.get("properties", ()))
            is_hidden = not (_is_surely_a_key(key, error.value[key]) or respelt(key, {*everywhere, *elsewhere}))
            named = "this key" if is_hidden else f"`{key}`"
            detail = f"{named} is not allowed in {_object(error.path)}; allowed: {_listing(known)}"
        if detail:
            certain = right if list(meant.values()).count(right) == 1 else ""
            path = (*error.path, key)
            yield Finding("unknown-key", path, detail, hint, at_key=True, fix=certain, is_key_hidden=is_hidden)
    for home, strays in misplaced.items():
        belong = "belongs" if len(strays) == 1 else "belong"
        yield Finding(
            "unknown-key",
            (*error.path, strays[0]),
            f"{_listing(strays)} {belong} {home}: not allowed here",
            at_key=True,
        )


def _is_surely_a_key(key: str, value: object) -> bool:
    """Whether an unknown key is one, and not perhaps a secret that was pasted where a value belongs."""
    return value is not None and (is_identifier(key) or (isinstance(value, dict | list) and is_plain(key)))


def _missing_key(error: _Refusal, key: str) -> Finding:
    about = error.schema.get("properties", {}).get(key, {})
    detail = f"{_object(error.path)} needs `{key}`"
    if "enum" in about:
        detail += f": one of {_listing(about['enum'])}"
    elif about.get("description"):
        detail += f": {about['description'][0].lower()}{about['description'][1:].rstrip('.')}"
    return Finding("missing-key", error.path, detail)


def _bad_value(error: _Refusal) -> Finding:
    schema = error.schema
    secret = bool(schema.get("x-secret"))
    message = str(schema.get("errorMessage", ""))
    if secret:
        return _bad_reference(error, message)
    if error.keyword in ("enum", "const"):
        allowed = [str(one) for one in schema.get("enum", [schema.get("const")])]
        value = error.value if isinstance(error.value, str) else ""
        guess = similar(value, allowed)
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


def _bad_reference(error: _Refusal, message: str) -> Finding:
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


def _repeated(error: _Refusal) -> Finding:
    """Return the finding of the first item of a list that stands there already."""
    first: dict[str, int] = {}
    for index, item in enumerate(error.value):
        before = first.setdefault(repr(item), index)
        if before != index:
            detail = "the item stands there already: remove one of the two"
            return Finding("malformed-value", (*error.path, index), detail, related=((*error.path, before),))
    return Finding("malformed-value", error.path, "an item stands twice")  # written otherwise, as 1 and 1.0


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


def _object(path: Path) -> str:
    names = [part for part in path if isinstance(part, str)]
    return f"`{shown_name(names[-1])}`" if names else "this entry"


def _listing(words: Iterable[object]) -> str:
    quoted = [f"`{word}`" for word in words]
    return ", ".join(quoted) or "none"

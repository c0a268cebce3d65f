"""Turns a value that a flat schema refuses into findings: one for each mistake, in words of our own.

Layer 1, no IO. The `jsonschema` library finds the errors. Its messages are never shown: they quote the value,
which may be a secret.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from connform.manifest.rules import Finding, Path

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
    from jsonschema import Draft202012Validator  # noqa: PLC0415  (slow to import, and needed for bad manifests only)

    errors = list(Draft202012Validator(schema).iter_errors(value))
    mistyped = {guess: key for error in errors for key, guess in _mistyped(error)}
    found: list[Finding] = []
    for error in errors:
        path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            found += _unknown_keys(error, path, everywhere)
        elif error.validator == "required":
            found += [_missing_key(error, path, key) for key in _missing(error) if (path, key) not in mistyped]
        elif error.validator == "propertyNames" or "propertyNames" in error.absolute_schema_path:
            found.append(Finding("bad-name", (*path, error.instance), _NAME, at_key=True))
        else:
            found.append(_bad_value(error, path))
    return list(dict.fromkeys(found))


_NAME: Final = "a name starts with a small letter or a digit, and goes on with small letters, digits, `-`, `_` or `.` (63 at most)"


def similar(word: str, words: Iterable[str]) -> str:
    """Return the one of `words` that was probably meant, or an empty string."""
    folded = {known.lower().replace("-", "_"): known for known in words}
    close = get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else ""


def _unknown(error: ValidationError) -> Iterator[str]:
    known = error.schema.get("properties", {})
    return (key for key in error.instance if key not in known)


def _missing(error: ValidationError) -> Iterator[str]:
    """Return the one key that this error is about: the library reports each missing key by itself."""
    return (key for key in error.validator_value if error.message.startswith(repr(key)))


def _mistyped(error: ValidationError) -> Iterator[tuple[str, tuple[Path, str]]]:
    """Return unknown keys that were meant to be a known key which isn't there: one mistake, not two."""
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in _unknown(error):
            guess = similar(key, (one for one in known if one not in error.instance))
            if guess:
                yield key, (tuple(error.absolute_path), guess)


def _unknown_keys(error: ValidationError, path: Path, everywhere: Mapping[str, str]) -> Iterator[Finding]:
    known = error.schema.get("properties", {})
    for key in _unknown(error):
        guess = similar(key, known)
        if guess:
            detail, hint = f"{_object(path)} has no such key", f"did you mean `{guess}`?"
        elif key == "<<":
            detail = "YAML 1.2 has no merge keys"
            hint = "share settings with `templates:` and `extends:`"
        elif key in everywhere:
            detail, hint = f"`{key}` belongs to {everywhere[key]}, not here", ""
        else:
            detail, hint = f"{_object(path)} has no such key; it has {_listing(known)}", ""
        yield Finding("unknown-key", (*path, key), detail, hint, at_key=True)


def _missing_key(error: ValidationError, path: Path, key: str) -> Finding:
    about = error.schema.get("properties", {}).get(key, {})
    detail = f"{_object(path)} needs `{key}`"
    if "enum" in about:
        detail += f": one of {_listing(about['enum'])}"
    elif about.get("description"):
        detail += f": {about['description'][0].lower()}{about['description'][1:].rstrip('.')}"
    return Finding("missing-key", path, detail)


def _bad_value(error: ValidationError, path: Path) -> Finding:
    schema: Mapping[str, Any] = error.schema
    secret = bool(schema.get("x-secret"))
    message = str(schema.get("errorMessage", ""))
    if secret:
        return _bad_reference(error, path, message)
    if error.validator in ("enum", "const"):
        allowed = [str(one) for one in schema.get("enum", [schema.get("const")])]
        guess = similar(error.instance, allowed) if isinstance(error.instance, str) else ""
        hint = f"did you mean `{guess}`?" if guess else ""
        return Finding(schema.get("x-code", "unknown-value"), path, message or f"allowed: {_listing(allowed)}", hint)
    word = _WORDING.get(str(error.validator))
    code, detail = word(error.validator_value) if word else ("malformed-value", "the value has a wrong form")
    if error.validator == "type" and error.instance is None:
        detail = f"nothing stands here; {_object(path)} is {_KINDS[_kind(error.validator_value)]}"
    elif error.validator == "pattern":
        code = schema.get("x-code", code)
        detail = message or detail
    return Finding(code, path, detail)


def _bad_reference(error: ValidationError, path: Path, message: str) -> Finding:
    value = error.instance
    if isinstance(value, dict | list) or value is None:
        return Finding("wrong-type", path, "a secret reference belongs here: one line, such as `env://NAME`")
    if isinstance(value, str) and "://" in value:
        return Finding("malformed-reference", path, "a reference has the form scheme://path[?version=…][#field], without spaces")
    return Finding("plaintext-secret", path, message or "a reference such as `env://NAME` belongs here")


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
    "minLength": lambda limit: ("malformed-value", "the text is empty" if limit == 1 else f"at least {limit} characters are needed"),
    "maxLength": lambda limit: ("malformed-value", f"at most {limit} characters are allowed"),
    "minItems": lambda limit: ("out-of-range", f"at least {limit} {'item is' if limit == 1 else 'items are'} needed"),
    "maxItems": lambda limit: ("out-of-range", f"at most {limit} items are allowed"),
    "uniqueItems": lambda _: ("malformed-value", "an item stands twice"),
    "minimum": lambda limit: ("out-of-range", f"at least {limit} is needed"),
    "maximum": lambda limit: ("out-of-range", f"at most {limit} is allowed"),
    "exclusiveMinimum": lambda limit: ("out-of-range", f"more than {limit} is needed"),
    "minProperties": lambda limit: ("out-of-range", f"at least {limit} {'entry is' if limit == 1 else 'entries are'} needed"),
}
"""Keyword → code and detail."""


def _object(path: Path) -> str:
    names = [part for part in path if isinstance(part, str)]
    return f"`{names[-1]}`" if names else "this entry"


def _listing(words: Iterable[object]) -> str:
    quoted = [f"`{word}`" for word in words]
    return ", ".join(quoted) or "none"

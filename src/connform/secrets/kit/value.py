"""Functions that make a `Secret` of bytes or text, by rules that all backends share.

Layer 2, no IO. One trailing line break is removed, an empty value is an error, text is UTF-8 without zero bytes, of 1 MiB at
most. Exceptions of decoders hold the value (`UnicodeDecodeError.object`, `JSONDecodeError.doc`), so they are never chained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from connform.errors import SecretUnresolved
from connform.manifest.similar import did_you_mean
from connform.secret import Secret
from connform.secrets.kit.interface import Fetched

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks of UTF-16, as PowerShell and Notepad write them."""
_MAX_SECRET_BYTES = 1024 * 1024
REPEATED = object()
"""Stands for the values of a key that a JSON object has twice: no parser may choose between two secrets."""


def fetched_from_bytes(data: bytes) -> Fetched:
    """Return `data` as a secret without version and time.

    Raises:
        SecretUnresolved: `secret_malformed`, empty or not UTF-8.
    """
    return Fetched(secret_from_text(text_from_bytes(data)))


def secret_from_text(text: str) -> Secret:
    """Return `text` as a secret, without one trailing line break.

    Raises:
        SecretUnresolved: `secret_malformed`, empty, too large, or no text that UTF-8 can encode.
    """
    text = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
    if not text:
        raise SecretUnresolved("secret_malformed", "the value is empty", "store the secret there")
    size = 0
    with suppress(UnicodeEncodeError):  # JSON can hold half of a surrogate pair: "\\ud800"
        size = len(text.encode())
    if not size:
        raise SecretUnresolved("secret_malformed", "the value is not UTF-8 text")
    if "\0" in text:
        raise SecretUnresolved("secret_malformed", "the value holds a zero byte")
    if size > _MAX_SECRET_BYTES:
        raise SecretUnresolved("secret_malformed", "the value is larger than 1 MiB", "store the secret alone")
    return Secret(text)


def text_from_bytes(data: bytes) -> str:
    """Return `data` as text.

    Raises:
        SecretUnresolved: `secret_malformed`, not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    # Raised outside of the handler: else the chained exception would hold the bytes.
    raise SecretUnresolved("secret_malformed", "the value is not UTF-8 text")


def text_of_file(data: bytes) -> str:
    """Return the text of a file, without a byte order mark at its start: editors on Windows write one.

    Raises:
        SecretUnresolved: `secret_malformed`, not UTF-8.
    """
    reason = ""
    if data.startswith(_UTF_16) or b"\0" in data:
        reason = "the file is not UTF-8 text: it holds zero bytes, as UTF-16 does"
    else:
        with suppress(UnicodeDecodeError):
            return data.decode("utf-8-sig")
        reason = "the file is not UTF-8 text: one of its bytes belongs to another encoding, such as Latin-1"
    raise SecretUnresolved("secret_malformed", reason, "save the file as UTF-8, its comments too")


def object_from_json(text: str) -> Mapping[str, Any]:
    """Return the JSON object in `text`. The value of a key that stands twice is `REPEATED`, which `field_of` refuses.

    Raises:
        SecretUnresolved: `secret_malformed`, the text is no JSON object.
    """
    import json  # start-up: few references have a field

    content: object = None
    with suppress(ValueError, RecursionError):
        content = json.loads(text, object_pairs_hook=_marking_repeated)
    if not isinstance(content, dict):
        hint = "write it without the byte order mark at its start: PowerShell on Windows writes one"
        message = "a field is asked for of something that is no JSON object"
        raise SecretUnresolved("secret_malformed", message, hint if text.startswith("\ufeff") else "")
    return content


def _marking_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[key] = REPEATED if key in found else value
    return found


def field_of(content: Mapping[str, Any], field: str) -> Secret:
    """Return the value of a field of an object as a secret. It must be a text: no type is converted.

    Raises:
        SecretUnresolved: `secret_malformed`, not a text, or empty, or it stands twice; `secret_not_found`, there is no such
            field.
    """
    if field not in content:
        raise SecretUnresolved("secret_not_found", f"there is no field {field}", did_you_mean(field, content))
    value = content[field]
    if value is REPEATED:
        raise SecretUnresolved("secret_malformed", f"the field {field} stands twice", "remove one of the two")
    if not isinstance(value, str):
        raise SecretUnresolved("secret_malformed", f"the value of the field {field} is no text", "put it in quotes")
    return secret_from_text(value)


def require_not_own(found: Secret, own: Iterable[Secret]) -> Secret:
    """Return a secret if it is none of those that the store itself was opened with.

    Raises:
        SecretUnresolved: `secret_denied`, it is one of them.
    """
    if found.reveal() in {secret.reveal() for secret in own}:
        message = "the value is what the store itself was opened with, and no connection gets that"
        raise SecretUnresolved("secret_denied", message, "name the secret that the connection needs")
    return found


def whole_or_field(text: str, field: str) -> Secret:
    """Return a text as a secret; if a field is named, that field of the JSON object in the text.

    Raises:
        SecretUnresolved: as `secret_from_text`, or as `object_from_json` and `field_of`.
    """
    return field_of(object_from_json(text), field) if field else secret_from_text(text)


def text_from_base64(data: object) -> str:
    """Return the text that base64 encodes (RFC 4648 §4).

    Raises:
        SecretUnresolved: `secret_malformed`, not base64, or not UTF-8.
    """
    return text_from_bytes(bytes_from_base64(data))


def bytes_from_base64(data: object) -> bytes:
    """Return the bytes that base64 encodes (RFC 4648 §4).

    Raises:
        SecretUnresolved: `secret_malformed`, not base64.
    """
    import base64  # start-up: few backends need it

    decoded: bytes | None = None
    with suppress(ValueError):
        decoded = base64.b64decode(data, validate=True) if isinstance(data, str) else None
    if decoded is None:
        raise SecretUnresolved("secret_malformed", "the value is not base64, as its store should have it")
    return decoded

"""Turns the bytes that a backend found into a `Secret`, by the rules that all backends share.

Layer 2, no IO. Exactly one trailing newline goes, an empty value is an error, text is UTF-8. No exception carries
a value: those of the decoders do (`UnicodeDecodeError.object`, `JSONDecodeError.doc`), so none is chained.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from connform.errors import SecretUnresolved
from connform.manifest.similar import did_you_mean
from connform.secret import Secret

if TYPE_CHECKING:
    from connform.secret import SecretReference


def secret_from_bytes(data: bytes, reference: SecretReference) -> Secret:
    """Return the secret in `data`.

    Raises:
        SecretUnresolved: `secret_malformed`, empty or not UTF-8.
    """
    return secret_from_text(text_from_bytes(data, reference), reference)


def secret_from_text(text: str, reference: SecretReference) -> Secret:
    """Return `text` without one trailing newline.

    Raises:
        SecretUnresolved: `secret_malformed`, empty.
    """
    text = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
    if not text:
        raise SecretUnresolved("secret_malformed", f"the value of {reference} is empty", "store the secret there")
    return Secret(text)


def text_from_bytes(data: bytes, reference: SecretReference) -> str:
    """Return `data` as text.

    Raises:
        SecretUnresolved: `secret_malformed`, not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    # Raised out here, where no context holds the bytes.
    raise SecretUnresolved("secret_malformed", f"the value of {reference} is not UTF-8 text")


def field_of_json(text: str, reference: SecretReference) -> Secret:
    """Return the text that stands at the reference's field of a JSON object; no type is guessed.

    Raises:
        SecretUnresolved: `secret_malformed` (not a JSON object, not a text) or `secret_not_found`.
    """
    import json  # start-up: few references have a field

    content: object = None
    with suppress(ValueError, RecursionError):
        content = json.loads(text)
    if not isinstance(content, dict):
        raise SecretUnresolved("secret_malformed", f"{reference} asks for a field of something that is no JSON object")
    if reference.field not in content:
        message = f"the JSON object has no field {reference.field} ({reference})"
        raise SecretUnresolved("secret_not_found", message, did_you_mean(reference.field, content))
    value = content[reference.field]
    if not isinstance(value, str):
        raise SecretUnresolved("secret_malformed", f"the value of {reference} is no text", "put it in quotes")
    return secret_from_text(value, reference)

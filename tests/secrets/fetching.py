"""Fetches references as the engine does, for the tests of backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets import BACKENDS
from connform.secrets.interface import Place

if TYPE_CHECKING:
    from pathlib import Path


def fetch(backend: str, base: Path, *texts: str, **settings: Any) -> list[str]:
    """Return the revealed values."""
    references = [SecretReference.parse(text) for text in texts]
    return [secret.reveal() for secret in BACKENDS[backend].fetch(references, Place(base, settings))]


def failure(backend: str, base: Path, text: str, **settings: Any) -> SecretUnresolved:
    """Return the error of a fetch that must fail; the error names the reference."""
    with pytest.raises(SecretUnresolved) as caught:
        fetch(backend, base, text, **settings)
    assert text in caught.value.message
    return caught.value


def lint(backend: str, text: str, **settings: Any) -> str:
    return BACKENDS[backend].lint(SecretReference.parse(text), settings)


def chain(error: BaseException) -> str:
    """Return what the whole chain of an exception holds, attributes included."""
    shown = ""
    link: BaseException | None = error
    while link is not None:
        shown += f"{link!r} {link.args!r} {vars(link)!r}"
        shown += "".join(str(getattr(link, name, "")) for name in ("object", "doc", "filename"))
        link = link.__cause__ or link.__context__
    return shown

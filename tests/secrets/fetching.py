"""Functions that read references, as the engine does, for the tests of backends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import Fetched, Outcome, StoreConfig


def fetch(backend: str, base: Path, *texts: str, **settings: Any) -> list[str]:
    """Return the revealed values."""
    values = []
    for outcome in outcomes(backend, base, *texts, **settings):
        assert isinstance(outcome, Fetched), outcome
        values.append(outcome.secret.reveal())
    return values


def outcomes(backend: str, base: Path, *texts: str, **settings: Any) -> Sequence[Outcome]:
    """Return what came of references, as a store's one read."""
    opened = BACKENDS[backend].open(StoreConfig(base, settings))
    try:
        return opened.read([SecretReference.parse(text) for text in texts])
    finally:
        opened.close()


def failure(backend: str, base: Path, text: str, **settings: Any) -> SecretUnresolved:
    """Return the error of a fetch that must fail."""
    (outcome,) = outcomes(backend, base, text, **settings)
    assert isinstance(outcome, SecretUnresolved)
    return outcome


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

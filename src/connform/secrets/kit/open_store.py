"""Turns functions that read one thing into places that are read at once: what most backends are made of.

Layer 2, no IO of its own.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from connform.errors import SecretUnresolved
from connform.process_local import ProcessLocal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connform.secret import SecretReference
    from connform.secrets.kit.interface import Fetched, Outcome

T = TypeVar("T")
D = TypeVar("D")


class OnceValue(Generic[T]):
    """What is done once, whoever asks first and however it ends: a login, so that a wrong one locks no account."""

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._lock = ProcessLocal(Lock)
        self._values: list[T] = []
        self._failure: SecretUnresolved | None = None

    def get(self) -> T:
        """Return what came of it, or raise why it failed."""
        with self._lock.own:
            if self._failure is not None:
                raise SecretUnresolved(self._failure.fault.name, self._failure.message, self._failure.hint)
            if not self._values:
                try:
                    self._values.append(self._compute())
                except SecretUnresolved as failure:
                    self._failure = failure
                    raise
            return self._values[0]

    @property
    def value_if_computed(self) -> T | None:
        """What came of it; `None` where nobody has asked, or it failed."""
        return self._values[0] if self._values else None


class DocumentStore(Generic[D]):
    """An opened place in which a path and version name a document, and a field a part of it: each is looked at once a read."""

    def __init__(
        self,
        load: Callable[[SecretReference], D],
        pick: Callable[[D, SecretReference], Fetched],
        *,
        batch_size: int = 1,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what reads.

        Args:
            load: looks at the document of a reference.
            pick: takes out of it what the reference points at.
            batch_size: as `Opened.batch_size`.
            close: as `Opened.close`.
        """
        self.batch_size = batch_size
        self.close = close
        self._load = load
        self._pick = pick

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return what came of each reference."""
        documents: dict[tuple[str, str], D | SecretUnresolved] = {}
        outcomes: list[Outcome] = []
        for reference in references:
            key = (reference.path, reference.version)
            if key not in documents:
                documents[key] = attempt(self._load, reference)
            document = documents[key]
            if isinstance(document, SecretUnresolved):
                outcomes.append(document)
            else:
                outcomes.append(attempt(self._pick, document, reference))
        return outcomes


def attempt(read: Callable[..., T], *arguments: object) -> T | SecretUnresolved:
    """Return what `read` returns, or the `SecretUnresolved` that it raises."""
    try:
        return read(*arguments)
    except SecretUnresolved as failure:
        return failure

"""Building blocks of open stores: `DocumentStore`, `OnceValue` for a login, `attempt`.

Layer 2, no IO of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from connform.errors import RateLimited, SecretUnresolved
from connform.process_local import ProcessLocal
from connform.secret import SecretReference
from connform.secrets.kit.interface import Fetched, Outcome

T = TypeVar("T")
D = TypeVar("D")


class OnceValue(Generic[T]):
    """A value that is computed once, a failure included: a wrong login is not repeated, since several may lock an account.

    Computed again is what took too long, or was refused because of a rate limit.
    """

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._lock = ProcessLocal(Lock)
        self._values: list[T] = []
        self._failure: Exception | None = None

    def get(self) -> T:
        """Return the value, which the first call computes. Threads may share it.

        Raises:
            SecretUnresolved: the computation failed, now or in an earlier call.
        """
        with self._lock.own:
            if isinstance(self._failure, SecretUnresolved):
                raise SecretUnresolved(self._failure.fault.name, self._failure.message, self._failure.hint)
            if self._failure is not None:  # a bug of the backend; references are read again one by one after it
                raise self._failure
            if not self._values:
                try:
                    self._values.append(self._compute())
                except Exception as failure:
                    self._failure = None if isinstance(failure, (TimeoutError, RateLimited)) else failure
                    raise
            return self._values[0]

    @property
    def value_if_computed(self) -> T | None:
        """The value; `None` if it was not computed yet, or the computation failed."""
        return self._values[0] if self._values else None


class DocumentStore(Generic[D]):
    """An open store of documents: path and version name a document, the field names a part of it.

    One call of `read` loads each document once.
    """

    def __init__(
        self,
        load: Callable[[SecretReference], D],
        pick: Callable[[D, SecretReference], Fetched],
        *,
        batch_size: int = 1,
        answers_at_once: bool = False,
        close: Callable[[], None] = lambda: None,
        log_in: Callable[[], object] | None = None,
    ) -> None:
        """Take the functions that read.

        Args:
            load: reads the document of a reference.
            pick: returns the secret in a document that a reference points at.
            batch_size: as `OpenStore.batch_size`.
            answers_at_once: whether a read waits for nothing, so that it needs no thread with a time limit.
            close: as `OpenStore.close`.
            log_in: as `LogsIn.log_in`; `None` where that can't be done without reading.
        """
        self.batch_size = batch_size
        self.answers_at_once = answers_at_once
        self.close = close
        if log_in is not None:
            self.log_in = log_in
        self._load = load
        self._pick = pick

    def read(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        """Return the outcome of each reference, in their order."""
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

"""One secret store, or one bare backend, in use during a run: cache, batches, time limits.

Layer 3; calls a secret backend. It opens the store once per run and process, and reads each reference once.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final

from connform.engine.run.threads import all_of, within
from connform.errors import SecretUnresolved
from connform.http.net import deadline
from connform.process_local import ProcessLocal
from connform.secrets.kit.interface import Fetched, GroupsByDocument
from connform.secrets.kit.opened import Once
from connform.tracebacks import hidden_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from connform.secret import Secret, SecretReference
    from connform.secrets.kit.interface import OpenStore, Outcome

_READS_AT_ONCE: Final = 8
"""Few enough not to overload a server, and enough to hide its latency."""
_STRIKES: Final = 3
"""After so many reads in a row without an answer, a store is not read again in this run."""
_GRACE_S: Final = 1.0
"""Added to the time limit for backends that don't enforce it themselves; those that do have a better message."""
_UNAVAILABLE: Final = "secret_backend_unavailable"


class StoreSession:
    """One secret store, or one bare backend, during a run; safe to share between threads."""

    def __init__(self, name: str, opening: Callable[[], OpenStore], timeout_s: float) -> None:
        """Set up the session without opening the store.

        Args:
            name: the store, or the scheme of a bare backend, for messages.
            opening: opens the store; called once in each process, at the first read; may raise `SecretUnresolved`.
            timeout_s: the time limit of a read.
        """
        self._name = name
        # An open store has connections and a login. Only the process that made them may use and close them.
        self._opened = ProcessLocal(partial(Once, opening))
        self._timeout_s = timeout_s
        self._known: dict[SecretReference, Outcome] = {}
        self._reading = ProcessLocal(Lock)
        self._strikes = 0

    def outcomes(self, references: Sequence[SecretReference]) -> Mapping[SecretReference, Outcome]:
        """Return the outcomes of references. It reads a reference once only, also if that failed."""
        with self._reading.own:
            new = [reference for reference in dict.fromkeys(references) if reference not in self._known]
            if new:
                self._read(new)
            return {reference: self._known[reference] for reference in references}

    def known(self, reference: SecretReference) -> Outcome | None:
        """Return the outcome of a reference; `None` if it was not read."""
        return self._known.get(reference)

    @property
    def secrets(self) -> list[Secret]:
        """The secrets that were read so far."""
        return [outcome.secret for outcome in self._known.values() if isinstance(outcome, Fetched)]

    def close(self) -> None:
        """Close the store if this process opened it."""
        opened = self._opened.own.done
        if opened is not None:
            opened.close()

    def _read(self, references: Sequence[SecretReference]) -> None:
        try:
            opened = self._opened.own.get()
        except SecretUnresolved as failure:
            self._known |= {reference: failure.about(reference) for reference in references}
            return
        batches = list(_batches(references, opened))
        for outcomes in all_of([partial(self._batch, opened, batch) for batch in batches], _READS_AT_ONCE):
            self._known |= outcomes

    def _batch(self, opened: OpenStore, references: Sequence[SecretReference]) -> dict[SecretReference, Outcome]:
        outcomes = self._ask(opened, references)
        if all(isinstance(one, SecretUnresolved) and one.fault.name == _UNAVAILABLE for one in outcomes):
            self._strikes += 1
        else:
            self._strikes = 0
        pairs = zip(references, outcomes, strict=True)
        return {
            reference: one.about(reference) if isinstance(one, SecretUnresolved) else one for reference, one in pairs
        }

    def _ask(self, opened: OpenStore, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        if self._strikes >= _STRIKES:
            message = f"{self._name} did not answer {_STRIKES} times in a row, and was not asked again"
            return [SecretUnresolved(_UNAVAILABLE, message)] * len(references)

        def read() -> Sequence[Outcome]:
            with deadline.within(self._timeout_s), hidden_frames():
                return opened.read(references)

        try:
            return within(read, self._timeout_s + _GRACE_S)
        except SecretUnresolved as failure:
            return [failure] * len(references)
        except TimeoutError:
            message = f"{self._name} did not answer within {self._timeout_s:g} s"
        return [SecretUnresolved(_UNAVAILABLE, message)] * len(references)


def _batches(references: Sequence[SecretReference], opened: OpenStore) -> Iterator[list[SecretReference]]:
    """Yield batches of references. References to one document are in one batch; the store limits documents per batch."""
    documents: dict[object, list[SecretReference]] = {}
    for reference in references:
        name = (
            opened.document(reference) if isinstance(opened, GroupsByDocument) else (reference.path, reference.version)
        )
        documents.setdefault(name, []).append(reference)
    groups = list(documents.values())
    size = opened.batch_size or len(groups)
    for start in range(0, len(groups), size):
        yield [reference for group in groups[start : start + size] for reference in group]

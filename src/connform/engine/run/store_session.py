"""One secret store, or one bare backend, in use during a run: cache, batches, time limits.

Layer 3; calls a secret backend. It opens the store once per run and process, and reads each reference once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Lock

from connform.engine.run.threads import call_with_limit, run_all
from connform.errors import SecretUnresolved
from connform.http.net import deadline
from connform.process_local import ProcessLocal
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Fetched, GroupsByDocument, OpenStore, Outcome
from connform.secrets.kit.open_store import OnceValue
from connform.tracebacks import hidden_frames

_READS_AT_ONCE = 8
"""Few enough not to overload a server, and enough to hide its latency."""
_MAX_UNANSWERED = 3
"""After so many reads in a row without an answer, a store is not read again in this run."""
_GRACE_S = 1.0
"""Added to the time limit for backends that don't enforce it themselves; those that do have a better message."""
_PLUGIN_ERROR = "plugin_error"
_UNAVAILABLE = "secret_backend_unavailable"


class StoreSession:
    """One secret store, or one bare backend, during a run; safe to share between threads."""

    def __init__(self, name: str, open_store: Callable[[], OpenStore], timeout_s: float) -> None:
        """Set up the session without opening the store.

        Args:
            name: the store, or the scheme of a bare backend, for messages.
            open_store: opens the store; called once in each process, at the first read; may raise `SecretUnresolved`.
            timeout_s: the time limit of a read.
        """
        self._name = name
        # An open store has connections and a login. Only the process that made them may use and close them.
        self._store = ProcessLocal(partial(OnceValue, open_store))
        self._timeout_s = timeout_s
        self._outcomes: dict[SecretReference, Outcome] = {}
        self._lock = ProcessLocal(Lock)
        self._unanswered = 0

    def read(self, references: Sequence[SecretReference]) -> Mapping[SecretReference, Outcome]:
        """Return the outcomes of references. It reads a reference once only, also if that failed."""
        with self._lock.own:
            new = [reference for reference in dict.fromkeys(references) if reference not in self._outcomes]
            jobs = [partial(self._read_batch, batch) for batch in self._batches(new)]
            for outcomes in run_all(jobs, _READS_AT_ONCE):
                self._outcomes |= outcomes
            return {reference: self._outcomes[reference] for reference in references}

    def outcome(self, reference: SecretReference) -> Outcome | None:
        """Return the outcome of a reference; `None` if it was not read."""
        return self._outcomes.get(reference)

    @property
    def secrets(self) -> list[Secret]:
        """The secrets that were read so far."""
        return [outcome.secret for outcome in self._outcomes.values() if isinstance(outcome, Fetched)]

    def close(self) -> None:
        """Close the store if this process opened it."""
        store = self._store.own.value_if_computed
        if store is not None:
            with suppress(SecretUnresolved):  # a bug of a plug-in; the secrets were read
                store.close()

    def _batches(self, references: Sequence[SecretReference]) -> Iterator[list[SecretReference]]:
        """Yield batches of references. References to one document are in one batch; the store limits documents per batch.

        A reference is left out, and its failure is recorded, if the store can't be opened or can't name its document.
        """
        documents: dict[object, list[SecretReference]] = {}
        for reference in references:
            try:
                document = _document_of(reference, self._store.own.get())
            except SecretUnresolved as failure:
                self._outcomes[reference] = failure.about(reference)
            else:
                documents.setdefault(document, []).append(reference)
        if not documents:
            return
        groups = list(documents.values())
        size = self._store.own.get().batch_size or len(groups)
        for start in range(0, len(groups), size):
            yield [reference for group in groups[start : start + size] for reference in group]

    def _read_batch(self, references: Sequence[SecretReference]) -> dict[SecretReference, Outcome]:
        try:
            outcomes = call_with_limit(partial(self._ask, references), self._timeout_s + _GRACE_S)
        except TimeoutError:
            message = f"{self._name} did not answer within {self._timeout_s:g} s"
            outcomes = [SecretUnresolved(_UNAVAILABLE, message)] * len(references)
        except SecretUnresolved as failure:
            if failure.fault.name == _PLUGIN_ERROR and len(references) > 1:
                # An exception in a plug-in says nothing about the other references of the batch.
                jobs = [partial(self._read_batch, [reference]) for reference in references]
                return {one: found[one] for found in run_all(jobs, _READS_AT_ONCE) for one in found}
            outcomes = [failure] * len(references)
        if all(isinstance(outcome, SecretUnresolved) and outcome.fault.name == _UNAVAILABLE for outcome in outcomes):
            self._unanswered += 1
        else:
            self._unanswered = 0
        return {
            reference: outcome.about(reference) if isinstance(outcome, SecretUnresolved) else outcome
            for reference, outcome in zip(references, outcomes, strict=True)
        }

    def _ask(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        if self._unanswered >= _MAX_UNANSWERED:
            message = f"{self._name} did not answer {_MAX_UNANSWERED} times in a row, and was not asked again"
            raise SecretUnresolved(_UNAVAILABLE, message)
        with deadline.within(self._timeout_s), hidden_frames():
            return self._store.own.get().read(references)


def _document_of(reference: SecretReference, store: OpenStore) -> object:
    return store.document(reference) if isinstance(store, GroupsByDocument) else (reference.path, reference.version)

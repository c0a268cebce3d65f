"""One secret store, or one bare backend, in use during a run or a program: cache, batches, time limits.

Layer 3; calls a secret backend. In a run it opens the store once per process, and reads each reference once. In a program
that runs for long, failures are forgotten soon, and secrets that a server refused are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from threading import Lock
from time import monotonic

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
_DENIED = "secret_denied"
_KEPT_S = {_UNAVAILABLE: 1.0, _DENIED: 10.0}
"""How long a program that runs for long takes a failure for the outcome; other failures cost the store little. A refused
login is not repeated at once, since several may lock an account."""
_EXPIRE_PAUSE_S = 1.0
"""A reference that expired is not expired again for so long: many callers may be refused at once."""


class StoreSession:
    """One secret store, or one bare backend, in use; safe to share between threads."""

    def __init__(
        self, name: str, open_store: Callable[[], OpenStore], timeout_s: float, *, long_lived: bool = False
    ) -> None:
        """Set up the session without opening the store.

        Args:
            name: the store, or the scheme of a bare backend, for messages.
            open_store: opens the store; called at the first read in each process, and where the store is opened again; may
                raise `SecretUnresolved`.
            timeout_s: the time limit of a read.
            long_lived: whether it serves a program that runs for long, not one run.
        """
        self._name = name
        self._open = open_store
        self._timeout_s = timeout_s
        self._long_lived = long_lived
        self._outcomes: dict[SecretReference, Outcome] = {}
        self._failed_at: dict[SecretReference, float] = {}
        self._expired_at: dict[SecretReference, float] = {}
        self._reopened_at = -inf
        self._lock = ProcessLocal(Lock)
        self._reset()

    def read(self, references: Sequence[SecretReference]) -> Mapping[SecretReference, Outcome]:
        """Return the outcomes of references, which are read unless they are known.

        If it is long-lived, a failure is forgotten after a while. And a store that was opened in an earlier call is opened
        again where it denies a secret: its login may have ended.
        """
        with self._lock.own:
            if self._long_lived:
                self._forget([one for one in references if self._has_old_failure(one)])
            new = [reference for reference in dict.fromkeys(references) if reference not in self._outcomes]
            was_open = self._store.own.value_if_computed is not None
            self._read_new(new)
            denied = [one for one in new if self._fault_of(one) == _DENIED]
            if self._long_lived and was_open and denied and monotonic() - self._reopened_at > _KEPT_S[_DENIED]:
                self._reopened_at = monotonic()
                self._forget(denied)
                self._read_new(denied)
            return {reference: self._outcomes[reference] for reference in references}

    def expire(self, references: Sequence[SecretReference]) -> None:
        """Let references be read again, from a store that is opened anew, if it is long-lived."""
        if not self._long_lived:
            return
        with self._lock.own:
            now = monotonic()
            known = [one for one in references if one in self._outcomes]
            old = [one for one in known if now - self._expired_at.get(one, -inf) > _EXPIRE_PAUSE_S]
            self._expired_at |= dict.fromkeys(old, now)
            self._forget(old)

    def expire_all(self) -> None:
        """Let every reference be read again, from a store that is opened anew."""
        with self._lock.own:
            self._forget(list(self._outcomes))

    def outcome(self, reference: SecretReference) -> Outcome | None:
        """Return the outcome of a reference; `None` if it was not read."""
        return self._outcomes.get(reference)

    @property
    def secrets(self) -> list[Secret]:
        """The secrets that were read so far."""
        return [outcome.secret for outcome in self._outcomes.values() if isinstance(outcome, Fetched)]

    def _read_new(self, references: Sequence[SecretReference]) -> None:
        jobs = [partial(self._read_batch, batch) for batch in self._batches(references)]
        for outcomes in run_all(jobs, _READS_AT_ONCE):
            self._outcomes |= outcomes
        failed = (one for one in references if isinstance(self._outcomes[one], SecretUnresolved))
        self._failed_at |= dict.fromkeys(failed, monotonic())

    def _fault_of(self, reference: SecretReference) -> str:
        outcome = self._outcomes.get(reference)
        return outcome.fault.name if isinstance(outcome, SecretUnresolved) else ""

    def _has_old_failure(self, reference: SecretReference) -> bool:
        fault = self._fault_of(reference)
        return bool(fault) and monotonic() - self._failed_at.get(reference, -inf) >= _KEPT_S.get(fault, 0.0)

    def _forget(self, references: Sequence[SecretReference]) -> None:
        for reference in references:
            self._outcomes.pop(reference, None)
            self._failed_at.pop(reference, None)
        if references:
            self.close()
            self._reset()

    def _reset(self) -> None:
        # An open store has connections and a login. Only the process that made them may use and close them.
        self._store = ProcessLocal(partial(OnceValue, self._open))
        self._unanswered = 0

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

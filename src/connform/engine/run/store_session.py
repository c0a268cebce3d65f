"""One secret store, or one bare backend, in use during a run or a program: cache, batches, time limits.

Layer 3; calls a secret backend. In a run it opens the store once per process, and reads each reference once. In a program
that runs for long, failures are forgotten soon, and secrets that a server refused are read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from threading import Lock
from time import monotonic
from traceback import walk_tb
from typing import TypeVar

from connform.debug_log import SECRETS
from connform.engine.run.pace import Pace
from connform.engine.run.threads import call_each
from connform.errors import ConnectionFailed, SecretUnresolved, StoreFailed
from connform.http.net import deadline
from connform.process_local import ProcessLocal
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Fetched, LogsIn, OpenStore, Outcome
from connform.secrets.kit.open_store import OnceValue
from connform.tracebacks import hidden_frames

T = TypeVar("T")

_GRACE_S = 1.0
"""Added to the time limit for backends that don't enforce it themselves; those that do have a better message."""
_PLUGIN_ERROR = "plugin_error"
_UNAVAILABLE = "secret_backend_unavailable"
_DENIED = "secret_denied"
_KEPT_S = {_UNAVAILABLE: 1.0, _DENIED: 10.0}
"""How long a program that runs for long takes a failure for the outcome; other failures cost the store little. A refused
login is not repeated at once, since several may lock an account."""
_BUG_HINT = "report it to the authors of connform, with this message"
_EXPIRE_PAUSE_S = 1.0
"""A reference that expired is not expired again for so long: many callers may be refused at once."""


class _Bug(SecretUnresolved):
    """An exception that a backend of connform should not raise. It says nothing about the other references of its batch."""


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
        self.name = name
        """As in messages."""
        self._open = open_store
        self._timeout_s = timeout_s
        self._long_lived = long_lived
        self._outcomes: dict[SecretReference, Outcome] = {}
        self._failed_at: dict[SecretReference, float] = {}
        self._expired_at: dict[SecretReference, float] = {}
        self._read_here: ProcessLocal[set[SecretReference]] = ProcessLocal(set)
        self._reopened_at = -inf
        self._is_expired = False
        self._lock = ProcessLocal(Lock)
        self._reset()

    def read(self, references: Sequence[SecretReference]) -> Mapping[SecretReference, Outcome]:
        """Return the outcomes of references, which are read unless they are known.

        If it is long-lived, a failure is forgotten after a while. And a store that was opened in an earlier call is opened
        again where it denies a secret: its login may have ended.
        """
        if not self._is_expired:  # first: it is reset when the old outcomes are gone
            known = {one: outcome for one in references if isinstance(outcome := self._outcomes.get(one), Fetched)}
            if known.keys() == set(references):
                return known  # the usual case, without the lock, which a caller holds for as long as it reads
        with self._lock.own:
            if self._is_expired:
                self._forget(list(self._outcomes))
                self._is_expired = False
            if self._long_lived:
                self._forget([one for one in references if self._has_old_failure(one)])
            new = [reference for reference in dict.fromkeys(references) if reference not in self._outcomes]
            was_open = self._store.own.value_if_computed is not None
            self._read_batches(self._batches(new))
            denied = [one for one in new if self._fault_of(one) == _DENIED]
            if self._long_lived and was_open and denied and monotonic() - self._reopened_at > _KEPT_S[_DENIED]:
                self._reopened_at = monotonic()
                self._forget(denied)
                self._read_batches(self._batches(denied))
            return {reference: self._outcomes[reference] for reference in references}

    def log_in(self) -> bool:
        """Open the store and log in, without reading a secret; return false if the store can't do that.

        Raises:
            SecretUnresolved: the store can't be opened.
            TimeoutError: it took too long.
        """

        def log_in(store: OpenStore) -> bool:
            if not isinstance(store, LogsIn):
                return False
            store.log_in()
            return True

        with deadline.within(self._timeout_s), hidden_frames():
            return self._guarded(log_in)

    def expire(self, references: Sequence[SecretReference]) -> None:
        """Let references that were refused be read again, from a store that is opened anew, if it is long-lived.

        Nothing is read again that was read again since the call, or shortly before it. What a forked child inherited may be old:
        to read that again begins no pause.
        """
        if not self._long_lived:
            return
        refused_at = monotonic()  # first: the lock is held by a caller that reads
        with self._lock.own:
            known = [one for one in references if one in self._outcomes]
            own = {one for one in known if one in self._read_here.own}
            paused = {one for one in own if refused_at - self._expired_at.get(one, -inf) <= _EXPIRE_PAUSE_S}
            self._expired_at |= dict.fromkeys(own - paused, monotonic())
            self._forget([one for one in known if one not in paused])

    def expire_all(self) -> None:
        """Let every reference be read again, from a store that is opened anew.

        It takes no lock: a signal handler that interrupts a read may call it, and would wait for ever.
        """
        self._is_expired = True

    def replace(self, reference: SecretReference, outcome: Outcome) -> None:
        """Take an outcome that another session has read later. It takes no lock, which a caller holds for as long as it reads."""
        self._outcomes[reference] = outcome

    def outcome(self, reference: SecretReference) -> Outcome | None:
        """Return the outcome of a reference; `None` if it was not read."""
        return self._outcomes.get(reference)

    @property
    def secrets(self) -> list[Secret]:
        """The secrets that were read so far."""
        return [outcome.secret for outcome in self._outcomes.values() if isinstance(outcome, Fetched)]

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
            former = self._store.own.value_if_computed
            self._reset()  # first: a signal handler, such as a time limit's, may raise while the store logs out
            _close(former)

    def _reset(self) -> None:
        # An open store has connections and a login. Only the process that made them may use and close them.
        self._store = ProcessLocal(partial(OnceValue, self._open_store))
        self._pace = Pace(self.name, self._timeout_s)

    def _open_store(self) -> OpenStore:
        SECRETS.write("opens %s", self.name)
        return self._open()

    def close(self) -> None:
        """Close the store if this process opened it. No bug of its backend ends a run, since the secrets were read."""
        with suppress(Exception):
            _close(self._store.own.value_if_computed)

    def _batches(self, references: Sequence[SecretReference]) -> Iterator[list[SecretReference]]:
        """Yield batches of references. References to one document are in one batch; the store limits documents per batch.

        A reference is left out, and its failure is kept, if the store can't be opened or can't name its document.
        """
        documents: dict[object, list[SecretReference]] = {}
        for reference in references:
            try:
                document = self._guarded(partial(_document_of, reference))
            except SecretUnresolved as failure:
                self._keep(reference, failure)
            else:
                documents.setdefault(document, []).append(reference)
        if not documents:
            return
        groups = list(documents.values())
        size = self._store.own.get().batch_size or len(groups)
        for start in range(0, len(groups), size):
            yield [reference for group in groups[start : start + size] for reference in group]

    def _read_batches(self, batches: Iterable[list[SecretReference]]) -> None:
        waiting = deque(batches)
        if not waiting:
            return
        if getattr(self._store.own.get(), "answers_at_once", False):
            while waiting:
                batch = waiting.popleft()
                self._take(batch, self._outcomes_of(batch, partial(self._ask, batch)), waiting)
            return
        for batch, future in call_each(self._ask, waiting, self._pace.delay_s, self._timeout_s + _GRACE_S):
            self._take(batch, self._outcomes_of(batch, partial(future.result, 0)), waiting)

    def _take(
        self, batch: list[SecretReference], outcomes: Sequence[Outcome], waiting: deque[list[SecretReference]]
    ) -> None:
        """Keep the outcomes of a batch that are final; let the others wait to be read again."""
        final = self._pace.judge(dict(zip(batch, outcomes, strict=True)))
        for reference, outcome in final.items():
            self._keep(reference, outcome)
        if limited := [reference for reference in batch if reference not in final]:
            waiting.appendleft(limited)
        if len(batch) > 1 and (
            {self._fault_of(reference) for reference in batch} == {_PLUGIN_ERROR}
            or any(isinstance(outcome, _Bug) for outcome in final.values())
        ):
            waiting += [[reference] for reference in batch]  # the exception says nothing about the others

    def _keep(self, reference: SecretReference, outcome: Outcome) -> None:
        if isinstance(outcome, SecretUnresolved):
            self._failed_at[reference] = monotonic()
            outcome = outcome.about(reference)
            SECRETS.write("%s: not read from %s (%s): %s", reference, self.name, outcome.fault.name, outcome.message)
        else:
            version = f", version {outcome.version}" if outcome.version else ""
            SECRETS.write("%s: read from %s%s", reference, self.name, version)
        self._outcomes[reference] = outcome
        self._read_here.own.add(reference)

    def _outcomes_of(
        self, batch: Sequence[SecretReference], read: Callable[[], Sequence[Outcome]]
    ) -> Sequence[Outcome]:
        try:
            return read()
        except TimeoutError:
            message = f"{self.name} did not answer within {self._timeout_s:g} s"
            return [StoreFailed(message)] * len(batch)
        except SecretUnresolved as failure:
            return [failure] * len(batch)

    def _ask(self, references: Sequence[SecretReference]) -> Sequence[Outcome]:
        self._pace.require_permission()
        began_at = monotonic()
        with deadline.until(deadline.end_of(self._timeout_s)), hidden_frames():
            outcomes = self._guarded(lambda store: store.read(references))
        SECRETS.write("%s: one read, of %d (%.1f ms)", self.name, len(references), (monotonic() - began_at) * 1000)
        return outcomes

    def _guarded(self, use: Callable[[OpenStore], T]) -> T:
        """Return what a function of the open store returns. No exception of a backend ends the run: each is a failure of its store.

        Raises:
            SecretUnresolved: of any exception but `TimeoutError`.
        """
        failure: SecretUnresolved
        try:
            return use(self._store.own.get())
        except (SecretUnresolved, TimeoutError):
            raise
        except ConnectionFailed as error:  # a token that no header can carry
            failure = SecretUnresolved(error.fault.name, error.message, error.hint)
        except Exception as error:  # noqa: BLE001  (a secret or an answer that the backend did not expect)
            what = f"{type(error).__name__} in {_place(error)}, while {self.name} was read"
            failure = _Bug(_UNAVAILABLE, f"a bug of connform: {what}", _BUG_HINT)
        # Raised outside of the handlers: else the chained exception might hold a secret.
        raise failure


def _close(store: OpenStore | None) -> None:
    if store is not None:
        with suppress(SecretUnresolved):  # a bug of a plug-in; the secrets were read
            store.close()


def _place(error: Exception) -> str:
    """Return module and line of the innermost frame in a traceback, after those of connform's own innermost frame."""
    places = [f"{frame.f_globals.get('__name__')}:{line}" for frame, line in walk_tb(error.__traceback__)]
    own = [place for place in places if place.startswith("connform.")]
    return " > ".join(dict.fromkeys([own[-1], places[-1]]))


def _document_of(reference: SecretReference, store: OpenStore) -> object:
    name_of = getattr(store, "document", None)  # of `GroupsByDocument`; `isinstance` of a protocol takes 10 µs
    return name_of(reference) if name_of else (reference.path, reference.version)

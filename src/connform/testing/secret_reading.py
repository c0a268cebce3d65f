"""How the test suite for secret backends reads references: as a run of connform does.

Layer 5; IO: that of the backend.
"""

from __future__ import annotations

from functools import partial

import pytest

from connform.engine.run.store_session import StoreSession
from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.kit.interface import Fetched, Outcome, StoreConfig
from connform.testing.secret_bench import VALUE, Bench


class SecretReading:
    """Functions that tests of backends share."""

    @staticmethod
    def read(bench: Bench, *texts: str, place: StoreConfig | None = None) -> list[Outcome]:
        """Return the outcomes of references, read as in a run of connform; fails if a failure shows a secret."""
        store = place or bench.place
        references = [SecretReference.parse(text) for text in texts]
        for reference in references:
            assert bench.backend.lint(reference, store.settings) == ""
        session = StoreSession("the bench", partial(bench.backend.open, store), store.timeout_s)
        try:
            by_reference = session.read(references)
        finally:
            session.close()
        outcomes = [by_reference[reference] for reference in references]
        for reference, outcome in zip(references, outcomes, strict=True):
            if isinstance(outcome, SecretUnresolved):
                assert VALUE not in _all_text(outcome)
                assert str(reference) in outcome.message
                assert outcome.hint
                assert not outcome.message.startswith("a bug of connform"), outcome.message
        return outcomes

    def value(self, bench: Bench, text: str) -> str:
        """Return the value of a secret; fails if it can't be read."""
        (outcome,) = self.read(bench, text)
        assert isinstance(outcome, Fetched), outcome
        return outcome.secret.reveal()

    def fault(self, bench: Bench, text: str, place: StoreConfig | None = None) -> SecretUnresolved:
        """Return the failure of a reference; fails if a secret was read."""
        (outcome,) = self.read(bench, text, place=place)
        assert isinstance(outcome, SecretUnresolved), "a secret was read"
        return outcome

    @staticmethod
    def needs(bench: Bench, ability: str) -> None:
        """Skip the test if the backend lacks an ability."""
        if ability in bench.lacks:
            pytest.skip(bench.lacks[ability])


def _all_text(error: BaseException) -> str:
    """Return all text in an exception and in the exceptions behind it."""
    shown = ""
    link: BaseException | None = error
    while link is not None:
        shown += f"{link!r} {link.args!r} {vars(link)!r}"
        shown += "".join(str(getattr(link, name, "")) for name in ("object", "doc", "filename", "output", "stderr"))
        link = link.__cause__ or link.__context__
    return shown

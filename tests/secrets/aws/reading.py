"""Functions that read references from an AWS store, as a run does."""

from __future__ import annotations

from collections.abc import Sequence

from connform.engine.run.store_session import StoreSession
from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets import BACKENDS
from connform.secrets.kit.interface import Fetched, Outcome, StoreConfig
from tests.canary import assert_no_canary
from tests.secrets.fetching import chain


def read(store: StoreConfig, *texts: str) -> list[Outcome]:
    """Return what came of references of one scheme; failures are searched for the canary."""
    references = [SecretReference.parse(text) for text in texts]
    backend = BACKENDS[references[0].scheme]
    assert [backend.lint(reference, store.settings) for reference in references] == [""] * len(references)
    used = StoreSession("the store", lambda: backend.open(store), store.timeout_s)
    try:
        known = used.read(references)
    finally:
        used.close()
    for outcome in known.values():
        if isinstance(outcome, SecretUnresolved):
            assert_no_canary(chain(outcome), outcome.hint, where="a failure")
    return [known[reference] for reference in references]


def shown(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the values, and the names of the faults."""
    return [one.secret.reveal() if isinstance(one, Fetched) else one.fault.name for one in outcomes]


def failure(store: StoreConfig, text: str) -> SecretUnresolved:
    """Return the failure that must be there."""
    (outcome,) = read(store, text)
    assert isinstance(outcome, SecretUnresolved)
    return outcome

"""Functions that make Vault stores and read from them, as the engine does."""

from __future__ import annotations

from functools import partial
from typing import Any

from connform.engine.run.store_session import StoreSession
from connform.errors import SecretUnresolved
from connform.secret import Secret, SecretReference
from connform.secrets.kit.interface import Fetched, Outcome, StoreConfig
from connform.secrets.vault.backend import VAULT
from tests.canary import assert_no_canary
from tests.secrets.fetching import chain
from tests.secrets.vault.openbao import OpenBao


def store_at(bao: OpenBao, token: str, **settings: Any) -> StoreConfig:
    """Return a store that is opened by a token."""
    return store_with(bao, {"method": "token"}, {"token": token}, **settings)


def store_with(bao: OpenBao, auth: dict[str, str], secrets: dict[str, str], **settings: Any) -> StoreConfig:
    """Return a store that is opened by a login; `secrets` by their keys under `auth:`."""
    where = {"address": bao.address, "ca_file": str(bao.ca_file), "auth": auth, **settings}
    return StoreConfig(bao.ca_file.parent, where, {f"auth.{key}": Secret(value) for key, value in secrets.items()})


def read(store: StoreConfig, *texts: str) -> list[Outcome]:
    """Return what came of references in one run; no failure shows a canary."""
    used = StoreSession("the store", partial(VAULT.open, store), store.timeout_s)
    references = [SecretReference.parse(text) for text in texts]
    try:
        known = used.read(references)
    finally:
        used.close()
    for outcome in known.values():
        if isinstance(outcome, SecretUnresolved):
            assert_no_canary(chain(outcome), outcome.hint, where="a failure")
    return [known[reference] for reference in references]


def fetched(store: StoreConfig, text: str) -> Fetched:
    """Return a secret that must be there."""
    (outcome,) = read(store, text)
    assert isinstance(outcome, Fetched), f"{outcome} {getattr(outcome, 'hint', '')}"
    return outcome


def value(store: StoreConfig, text: str) -> str:
    """Return the value of a secret that must be there."""
    return fetched(store, text).secret.reveal()


def failure(store: StoreConfig, text: str) -> SecretUnresolved:
    """Return the failure that must be there."""
    (outcome,) = read(store, text)
    assert isinstance(outcome, SecretUnresolved), "a secret was read"
    return outcome

"""AWS that permits few calls a second: every secret is read. `tests/long/quotas.py` reads more, and more slowly."""

from __future__ import annotations

from time import monotonic

import pytest

from connform.secrets.kit.interface import StoreConfig
from tests.repetitions import given
from tests.secrets.aws.front import Error, Front
from tests.secrets.aws.moto import Moto
from tests.secrets.aws.reading import read, shown

SECRETS = given("throttled", 24)
RATE = given("rate", 10)
"""How many calls a second are permitted."""


@pytest.mark.parametrize("in_batches", [False, True], ids=["singly", "batches-denied"])
def test_throttled_calls_are_repeated_until_every_secret_is_read(
    store: StoreConfig, moto: Moto, front: Front, in_batches: bool
) -> None:
    for number in range(SECRETS):
        moto.put_secret(f"throttled/{number}", f"value-{number}")
    if in_batches:
        front.errors["BatchGetSecretValue"] = Error("AccessDeniedException")
    front.rate = RATE
    version = "" if in_batches else "?version=AWSCURRENT"
    texts = [f"awssecrets://throttled/{number}{version}" for number in range(SECRETS)]

    started = monotonic()
    outcomes = read(store._replace(timeout_s=30.0), *texts)

    print(f"{SECRETS} secrets at {RATE} a second: {monotonic() - started:.1f} s, {len(front.calls)} calls")
    assert shown(outcomes) == [f"value-{number}" for number in range(SECRETS)]

"""A real OpenBao that limits the rate: every secret is read, as fast as the quota allows. `tests/long/quotas.py` reads a thousand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from time import monotonic

import pytest

from connform.secrets.kit.interface import Fetched
from tests.repetitions import given
from tests.secrets.vault.openbao import OpenBao
from tests.secrets.vault.stores import read, store_with

SECRETS = given("secrets", 30)
RATE = given("rate", 15)
"""How many requests a second the quota permits."""
SLACK = 1.3
"""How much longer it may take than the quota demands; on top of the seconds that a loaded machine takes."""
POLICY = 'path "limited/*" { capabilities = ["read"] }'


@pytest.fixture(scope="session")
def login(bao: OpenBao) -> dict[str, str]:
    """The credentials of an AppRole that may read the secrets of a mount with a quota."""
    bao.mount("limited", 2)
    bao.call("PUT", "sys/policies/acl/limited", {"policy": POLICY})
    for number in range(SECRETS):
        bao.call("POST", f"limited/data/{number}", {"data": {"key": f"value-{number}"}})
    bao.call("POST", "sys/auth/limited", {"type": "approle"})
    bao.call("POST", "auth/limited/role/connform", {"token_policies": ["limited"]})
    role_id = bao.call("GET", "auth/limited/role/connform/role-id")["data"]["role_id"]
    return {
        "role_id": role_id,
        "secret_id": bao.call("POST", "auth/limited/role/connform/secret-id", {})["data"]["secret_id"],
    }


@pytest.fixture(params=[False, True], ids=["silent", "with-headers"])
def quota(bao: OpenBao, login: dict[str, str], request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    bao.call("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": request.param})
    bao.call("POST", "sys/quotas/rate-limit/q", {"rate": RATE, "interval": "1s", "path": "limited/"})
    yield login
    bao.call("DELETE", "sys/quotas/rate-limit/q")
    bao.call("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": False})


def test_every_secret_is_read_in_the_time_that_the_quota_demands(bao: OpenBao, quota: dict[str, str]) -> None:
    auth = {"method": "approle", "mount": "limited", "role_id": quota["role_id"]}
    store = store_with(bao, auth, {"secret_id": quota["secret_id"]})
    with bao.watched() as asked:
        started = monotonic()
        outcomes = read(store, *(f"corp://limited/{number}#key" for number in range(SECRETS)))
        elapsed_s = monotonic() - started

    counts = Counter(path for _, path in asked)
    print(f"{SECRETS} secrets at {RATE} a second: {elapsed_s:.1f} s, {counts['auth/limited/login']} login")
    values = [outcome.secret.reveal() if isinstance(outcome, Fetched) else str(outcome) for outcome in outcomes]
    assert values == [f"value-{number}" for number in range(SECRETS)]
    assert counts["auth/limited/login"] == 1
    assert {counts[f"limited/data/{number}"] for number in range(SECRETS)} == {1}
    assert elapsed_s < 3 + SECRETS / RATE * SLACK

"""What a plan needs `--force` for: how much it changes, whose database that is, and where secrets of production would go."""

from __future__ import annotations

from typing import Any, cast

import pytest

from connform.database.state_table import StateTable
from connform.engine.changes.plan import Action, Change, Plan
from connform.engine.changes.production import ProductionSecrets
from connform.engine.changes.safety import refusals
from connform.recorded import Applied, RecordSummary
from tests.engine.test_sends import VAULT, spec

CHANGE = Change(
    name="shop",
    action=Action.UPDATE,
    before="recorded",
    after="declared",
    reasons=(),
    connection=None,
    applied=None,
    table=cast("StateTable", None),  # nothing is read or recorded here
    spec={},
)


@pytest.mark.parametrize(
    ("recorded", "changed", "created", "is_refused"),
    [
        (9, 9, 0, False),
        (10, 3, 0, False),
        (10, 4, 0, True),
        (20, 6, 0, False),
        (20, 7, 0, True),
        (10, 3, 20, False),
        (10, 4, 20, True),
        (9, 4, 1, False),
    ],
)
def test_more_than_thirty_percent_of_ten_recorded_connections_are_changed_with_force_alone(
    recorded: int, changed: int, created: int, *, is_refused: bool
) -> None:
    steps = [[f"team-{n}", "update", "old", "new" if n < changed else "old"] for n in range(recorded)]
    steps += [[f"new-{n}", "create", "", "new"] for n in range(created)]
    said = f"it removes or changes {changed} of {recorded} recorded connections, more than 30%"
    assert refusals(Plan((), steps)) == ((said,) if is_refused else ())


def test_a_database_of_another_repository_is_changed_with_force_alone() -> None:
    (said,) = refusals(Plan((), (), other_repository="acme/other"))
    assert said.startswith("the database belongs to another repository, acme/other: ")


REMOVALS = {
    "one": (1, True, "it removes team-0 of a database that others may use"),
    "five": (5, True, "it removes team-0, team-1, team-2, team-3, team-4 of a database that others may use"),
    "seven": (
        7,
        True,
        "it removes team-0, team-1, team-2, team-3, team-4 and 2 more of a database that others may use",
    ),
    "none": (0, True, ""),
    "one, of a repository": (1, False, ""),
}


@pytest.mark.parametrize("case", REMOVALS)
def test_outside_of_a_repository_nothing_is_removed_without_force(case: str) -> None:
    removed, is_by_name, said = REMOVALS[case]
    removals = [CHANGE._replace(name=f"team-{number}", action=Action.REMOVE) for number in range(removed)]
    found = refusals(Plan((CHANGE, *removals), (), is_by_name=is_by_name))
    assert [one.partition(", and the manifests")[0] for one in found] == ([said] if said else [])


API, ELSEWHERE = "https://api.acme.example", "https://other.acme.example"


def shop(reference: str, environment: str = "production", base_url: str = API, **store: Any) -> dict[str, Any]:
    """Return the specification of a connection, perhaps with a secret store that is opened with `env://LOGIN`."""
    vault = VAULT | {"auth": {"method": "token", "token": "env://LOGIN"}} | store if store else None
    return spec(reference, vault, environment=environment) | {"base_url": base_url}


def change_to(after: dict[str, Any], before: dict[str, Any] | None = None) -> Change:
    """Return the change of what was applied, or of nothing, to a specification; `{}` for a removal."""
    applied = Applied("shop", RecordSummary("c.yaml", "x", is_applied=True, fault=""), before) if before else None
    declared: Any = object() if after else None
    return CHANGE._replace(before="x" if before else "", applied=applied, spec=after, connection=declared)


KEY = shop("env://KEY")
SANDBOX = shop("env://KEY", "sandbox")
IN_VAULT = shop("mine://a#k", address="https://vault.acme.example")
IS = "shop is in production and would"
CHANGES = {
    "nothing that is sent": (KEY, KEY | {"tags": ["x"]}, ""),
    "another server": (
        KEY,
        shop("env://KEY", base_url=ELSEWHERE),
        f"{IS} send env://KEY to {ELSEWHERE}; recorded for it: {API}",
    ),
    "another secret": (KEY, shop("env://OTHER"), f"{IS} send env://OTHER to {API}; recorded for it: env://KEY → {API}"),
    "another environment": (KEY, SANDBOX, f"{IS} move to test: env://KEY → {API}"),
    "no environment": (KEY, shop("env://KEY", ""), ""),
    "another secret store": (
        IN_VAULT,
        shop("mine://a#k", address=ELSEWHERE),
        f"{IS} send env://LOGIN to {ELSEWHERE} (store vault, CA team/ca.pem); recorded for it: https://vault.acme.example",
    ),
    "another login of its secret store": (
        IN_VAULT,
        shop("mine://a#k", address="https://vault.acme.example", auth={"method": "token", "token": "env://OTHER"}),
        f"{IS} send env://OTHER to https://vault.acme.example (store vault, CA team/ca.pem); recorded for it: mine://a#k",
    ),
    "another server, of a sandbox": (SANDBOX, shop("env://KEY", "sandbox", ELSEWHERE), ""),
    "a removal": (KEY, {}, ""),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_production_sends_goes_elsewhere_with_force_alone(case: str) -> None:
    before, after, said = CHANGES[case]
    assert said in (found := "; ".join(refusals(Plan((change_to(after, before),), ()))))
    assert bool(found) == bool(said)


WOULD = "shop would send env://KEY, a secret of production (known), to"
NEW = {
    "with a secret of another sandbox": (shop("env://OTHER", "sandbox", ELSEWHERE), ""),
    "in production, to the same server": (KEY, ""),
    "in production, to another server": (
        shop("env://KEY", base_url=ELSEWHERE),
        f"{WOULD} {ELSEWHERE}; recorded for it: {API}",
    ),
    "in a sandbox, to the same server": (
        SANDBOX,
        f"shop is not in production and would send env://KEY, a secret of production (known), to {API}",
    ),
    "in a sandbox, to another server": (
        shop("env://KEY", "sandbox", ELSEWHERE),
        f"{WOULD} {ELSEWHERE}; recorded for it: {API}",
    ),
    "as one that is recorded": (shop("env://SHARED", "sandbox"), ""),
    "in production, to a server of a sandbox that has it": (shop("env://SHARED", base_url=ELSEWHERE), ""),
    "with more of a secret": (shop("vault://a"), "to https://api.acme.example; recorded for it: a part of it alone"),
    "with it for its secret store": (
        shop("mine://b#k", "sandbox", address=ELSEWHERE)
        | {"stores": {"mine": {"type": "op", "environment": "", "address": ELSEWHERE, "token": "env://KEY"}}},
        f"{WOULD} {ELSEWHERE} (store op); recorded for it: {API}",
    ),
}
KNOWN = ProductionSecrets(
    [
        ("known", KEY),
        ("known", shop("vault://a#k")),
        ("known", shop("env://SHARED")),
        ("sandbox", shop("env://SHARED", "sandbox")),
        ("sandbox", shop("env://SHARED", "sandbox", ELSEWHERE)),
        ("sandbox", shop("env://OTHER", "sandbox")),
    ]
)


@pytest.mark.parametrize("case", NEW)
def test_a_secret_of_production_is_spread_with_force_alone(case: str) -> None:
    after, said = NEW[case]
    assert said in (found := "; ".join(refusals(Plan((change_to(after),), (), production_secrets=KNOWN))))
    assert bool(found) == bool(said)


def test_what_was_never_applied_successfully_may_still_get_another_server() -> None:
    failed = change_to(shop("env://KEY", base_url=ELSEWHERE), KEY)._replace(before="")
    assert refusals(Plan((failed,), ())) == ()

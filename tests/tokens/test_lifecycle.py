"""What drops a token: a rename, a removal, `state rm`, `logout`; nobody is asked, and no plan mentions it."""

from __future__ import annotations

import json

import pytest

from tests.canary import assert_without
from tests.tokens.setting import Shop, declaration, declare


@pytest.fixture
def applied(shop: Shop) -> Shop:
    """A shop whose connection was applied, with a token in the state."""
    shop.run("apply", "--yes")
    assert shop.stored() == shop.service.issued[0]
    return shop


def test_a_rename_drops_it(applied: Shop) -> None:
    declare(applied.folder, {"store": declaration(applied.service)}, moved={"shop": "store"})
    planned = applied.run("plan", "--format", "json").connections
    assert [one["action"] for one in planned.values()] == ["move"]
    applied.run("apply", "--yes")
    assert (applied.stored("shop"), applied.stored("store")) == ("", "")
    applied.run("check")
    assert applied.stored("store") == applied.service.issued[1]


def test_a_rename_by_hand_drops_both(applied: Shop) -> None:
    declare(applied.folder, {name: declaration(applied.service) for name in ("shop", "store")})
    applied.run("check")
    assert applied.stored("store")
    applied.run("state", "mv", "shop", "store")
    assert (applied.stored("shop"), applied.stored("store")) == ("", "")


def test_a_removal_drops_it_without_a_word(applied: Shop) -> None:
    declare(applied.folder, {})
    planned = applied.run("plan", "--format", "json").connection
    assert (planned["action"], planned.get("revokes")) == ("remove", None)
    applied.run("apply", "--yes")
    assert applied.stored() == ""


def test_state_rm_drops_it(applied: Shop) -> None:
    applied.run("state", "rm", "shop")
    assert applied.stored() == ""


@pytest.mark.parametrize("flags", [(), ("--only-here",)])
def test_a_logout_drops_it(applied: Shop, flags: tuple[str, ...]) -> None:
    assert applied.run("logout", "shop", *flags).out == "the token of shop was deleted here\n"
    assert applied.stored() == ""
    assert len(applied.service.called_at) == 1


def test_a_logout_without_a_token_says_that_there_is_no_grant(plain_shop: Shop) -> None:
    files = plain_shop.files
    assert "only an OAuth connection has a grant" in plain_shop.run("logout", "shop", code=64).err
    assert plain_shop.files == files


def test_what_is_shown_of_the_state_says_nothing_of_it(applied: Shop) -> None:
    for verb in (("list",), ("show", "shop"), ("history", "shop"), ("export",)):
        shown = applied.run("state", *verb)
        assert "token_url" not in shown.out or verb[0] in {"show", "export"}  # it is a setting as well
        assert_without(applied.service.issued, shown.out, shown.err)
    exported = json.dumps(applied.run("state", "export").report)
    applied.run("check")
    assert json.dumps(applied.run("state", "export").report) == exported

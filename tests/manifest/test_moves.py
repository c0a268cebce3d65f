"""Where the entries of `moved:` lead, however many there are."""

from __future__ import annotations

import pytest

from connform.diagnostics import Span
from connform.manifest.moves import Move, invalid_moves, present_names

PLACE = Span("connections.yaml", 1, 1, 1, 2)
MANY = 30_000


def moves(*pairs: tuple[str, str]) -> list[Move]:
    return [Move(old, new, PLACE, PLACE) for old, new in pairs]


def test_a_chain_leads_to_its_end_the_nearest_name_first() -> None:
    found = present_names(moves(("a", "b"), ("x", "y"), ("b", "c"), ("c", "d")))
    assert list(found.items()) == [("c", "d"), ("x", "y"), ("b", "d"), ("a", "d")]


def test_what_leads_into_a_circle_has_no_end() -> None:
    assert present_names(moves(("a", "b"), ("b", "c"), ("c", "b"), ("x", "y"))) == {"x": "y"}


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_chain_of_many_is_followed_once(*, is_reversed: bool) -> None:
    """Followed from each of its names, it would take hours."""
    pairs = [(f"n{number}", f"n{number + 1}") for number in range(MANY)]
    chain = moves(*(reversed(pairs) if is_reversed else pairs))
    assert set(present_names(chain).values()) == {f"n{MANY}"}
    assert list(invalid_moves(chain, {f"n{MANY}": PLACE})) == []


def test_a_circle_of_many_is_one_mistake_and_short() -> None:
    (one,) = invalid_moves(moves(*((f"n{number}", f"n{(number + 1) % MANY}") for number in range(MANY))), {})
    assert len(one.detail) < 300
    assert len(one.related) < 20


def test_every_mistake_is_found_whatever_stands_before_it() -> None:
    twice, declared, joined, missing = ("a", "b"), ("here", "there"), ("x", "y"), ("p", "q")
    wrong = moves(twice, ("a", "c"), declared, joined, ("z", "y"), missing)
    found = [one.detail.partition(":")[0] for one in invalid_moves(wrong, dict.fromkeys(("b", "here", "y"), PLACE))]
    assert found == [
        "`a` is moved twice",
        "`here` is still declared",
        "`x` and `z` can't both become `y`",
        "no connection of this run is named `q`",
    ]


def test_many_names_that_nobody_has_are_not_all_compared_with_all() -> None:
    declared = {f"team-{number}": PLACE for number in range(3000)}
    found = list(invalid_moves(moves(*((f"old-{number}", f"taem-{number}") for number in range(3000))), declared))
    assert len(found) == 3000
    assert found[0].hint

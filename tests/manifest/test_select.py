from __future__ import annotations

import pytest

from connform.engine.load.selection import Selection, select
from connform.errors import UnknownConnection

TAGS = {"sandbox-us": ["ci"], "sandbox-eu": ["ci", "eu"], "production-eu": ["eu"], "acme": []}


@pytest.mark.parametrize(
    ("names", "exclude", "tags", "chosen"),
    [
        ((), (), (), "sandbox-us sandbox-eu production-eu acme"),
        (("acme",), (), (), "acme"),
        (("acme", "sandbox-us"), (), (), "sandbox-us acme"),
        (("acme", "acme", "a*"), (), (), "acme"),
        (("sandbox-*",), (), (), "sandbox-us sandbox-eu"),
        (("*-eu",), (), (), "sandbox-eu production-eu"),
        (("sandbox-?s",), (), (), "sandbox-us"),
        (("sandbox-[ue]*",), (), (), "sandbox-us sandbox-eu"),
        ((), ("sandbox-*",), (), "production-eu acme"),
        (("sandbox-*",), ("*-eu",), (), "sandbox-us"),
        ((), (), ("ci",), "sandbox-us sandbox-eu"),
        ((), (), ("ci", "eu"), "sandbox-us sandbox-eu production-eu"),
        (("*-eu",), (), ("ci",), "sandbox-eu"),
        (("*-eu",), ("sandbox-*",), ("eu",), "production-eu"),
    ],
)
def test_names_exclusions_and_tags_choose(
    names: tuple[str, ...], exclude: tuple[str, ...], tags: tuple[str, ...], chosen: str
) -> None:
    assert select(TAGS, Selection(names, exclude, tags)) == chosen.split()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sandbox-uk", "no connection matches `sandbox-uk`; did you mean `sandbox-us`?"),
        ("Acme", "no connection matches `Acme`; did you mean `acme`?"),
        ("xyz-*", "no connection matches `xyz-*`; `connform list` shows the names"),
        ("", "no connection matches ``; `connform list` shows the names"),
    ],
)
def test_a_name_that_matches_nothing_is_a_mistake_even_beside_one_that_does(name: str, message: str) -> None:
    with pytest.raises(UnknownConnection) as caught:
        select(TAGS, Selection(("acme", name)))
    assert str(caught.value) == message


EMPTY = "the selection leaves no connection"
MISTAKES = {
    "an unknown tag": (Selection(tags=("nosuch",)), "no connection has the tag `nosuch`; the tags are `ci`, `eu`"),
    "an unknown tag beside a known one": (
        Selection(tags=("ci", "zz")),
        "no connection has the tag `zz`; the tags are `ci`, `eu`",
    ),
    "an unset variable as a tag": (Selection(tags=("",)), "no connection has the tag ``; the tags are `ci`, `eu`"),
    "an unknown exclusion": (Selection(exclude=("acne",)), "no connection matches `acne`; did you mean `acme`?"),
    "everything is excluded": (Selection(exclude=("*",)), EMPTY),
    "name and exclusion": (Selection(("acme",), ("acme",)), EMPTY),
    "name and tag": (Selection(("acme",), tags=("ci",)), EMPTY),
    "name and tag, before a commit is looked at": (Selection(("acme",), tags=("ci",), changed_since="x"), EMPTY),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_selection_that_leaves_nothing_is_a_mistake_unless_it_may(mistake: str) -> None:
    selection, message = MISTAKES[mistake]
    with pytest.raises(UnknownConnection) as caught:
        select(TAGS, selection)
    assert str(caught.value).startswith(message)
    left = {"an unknown exclusion": list(TAGS), "an unknown tag beside a known one": ["sandbox-us", "sandbox-eu"]}
    assert select(TAGS, selection._replace(may_be_empty=True)) == left.get(mistake, [])


def test_a_tag_that_is_misspelt_is_a_mistake() -> None:
    with pytest.raises(UnknownConnection, match="did you mean `nightly`"):
        select({"acme": ["nightly"]}, Selection(tags=("nightli",)))


def test_a_tag_of_manifests_without_tags_is_a_mistake() -> None:
    with pytest.raises(UnknownConnection, match="no connection has the tag `ci`; none has a tag"):
        select({"acme": ()}, Selection(tags=("ci",)))


@pytest.mark.parametrize("selection", [Selection(), Selection(changed_since="x")])
def test_no_choice_by_name_or_tag_may_leave_nothing(selection: Selection) -> None:
    assert select({}, selection) == []

from __future__ import annotations

import pytest

from connform.engine.select import Selection, select
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
        ((), ("nothing-*",), (), "sandbox-us sandbox-eu production-eu acme"),
        (("sandbox-*",), ("*-eu",), (), "sandbox-us"),
        (("*",), ("*",), (), ""),
        ((), (), ("ci",), "sandbox-us sandbox-eu"),
        ((), (), ("ci", "eu"), "sandbox-us sandbox-eu production-eu"),
        ((), (), ("unheard-of",), ""),
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
        ("xyz-*", "no connection matches `xyz-*`"),
        ("", "no connection matches ``"),
    ],
)
def test_a_name_that_matches_nothing_is_a_mistake_even_beside_one_that_does(name: str, message: str) -> None:
    with pytest.raises(UnknownConnection) as caught:
        select(TAGS, Selection(("acme", name)))
    assert str(caught.value) == message

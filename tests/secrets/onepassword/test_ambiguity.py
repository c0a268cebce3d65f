"""Names that several vaults, items, sections, fields or files of 1Password have: the wrong secret is never taken."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from connform.errors import SecretUnresolved
from connform.secret import SecretReference
from connform.secrets.kit.interface import Fetched, Outcome
from connform.secrets.onepassword.backend import OP
from tests.secrets.fetching import failure
from tests.secrets.onepassword.conftest import Ask
from tests.secrets.onepassword.stand_ins import Connect, Program

ITEM = "p" * 26


def field(id_: str, label: str, value: str, section: str = "") -> dict[str, Any]:
    return {"id": id_, "label": label, "value": value} | ({"section": {"id": section}} if section else {})


def item(*fields: dict[str, Any], files: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    sections = [{"id": "s1", "label": "sandbox"}, {"id": "s2", "label": "production"}, {"id": "add more"}]
    return {
        "id": ITEM,
        "title": "Portal",
        "version": 1,
        "sections": sections,
        "fields": list(fields),
        "files": list(files),
    }


def told(outcome: Outcome) -> str:
    """Return the value, or the fault with its message and hint."""
    if isinstance(outcome, Fetched):
        return outcome.secret.reveal()
    return f"{outcome.fault.name}: {outcome.message} | {outcome.hint}"


SANDBOX, PRODUCTION = field("f1", "api_key", "SANDBOX", "s1"), field("f2", "api_key", "PRODUCTION", "s2")
OWN = field("f3", "api_key", "OWN")
BUILT_IN, CUSTOM = field("password", "password", "BUILT-IN"), field("f4", "password", "CUSTOM", "s1")
UPPER = field("f5", "API_KEY", "UPPER")


@pytest.mark.parametrize(
    ("fields", "path", "expected"),
    [
        ([SANDBOX, OWN], "api_key", "OWN"),
        ([SANDBOX, OWN], "sandbox/api_key", "SANDBOX"),
        ([SANDBOX, PRODUCTION], "production/api_key", "PRODUCTION"),
        ([SANDBOX, PRODUCTION], "PRODUCTION/Api_Key", "PRODUCTION"),
        ([SANDBOX, PRODUCTION], "s1/api_key", "SANDBOX"),
        ([SANDBOX, PRODUCTION], "f2", "PRODUCTION"),
        ([SANDBOX, PRODUCTION], "s2/f2", "PRODUCTION"),
        ([CUSTOM, BUILT_IN], "password", "BUILT-IN"),
        ([CUSTOM, field("f6", "password", "OTHER"), BUILT_IN], "password", "BUILT-IN"),
        ([SANDBOX], "api_key", "SANDBOX"),
        ([OWN, UPPER], "api_key", "OWN"),
        ([OWN, UPPER], "API_KEY", "UPPER"),
        ([UPPER], "api_key", "UPPER"),
        ([SANDBOX, field("f7", "api_key", "UNNAMED", "add more")], "api_key", "UNNAMED"),
    ],
)
def test_the_order_of_fields_chooses_nothing(ask: Ask, fields: list[dict[str, Any]], path: str, expected: str) -> None:
    for order in permutations(fields):
        assert told(ask(item(*order), f"op://acme/Portal/{path}")) == expected


@pytest.mark.parametrize(
    ("fields", "path", "message", "hint"),
    [
        (
            [SANDBOX, PRODUCTION],
            "api_key",
            "the item has 2 fields api_key, in the sections production and sandbox",
            "write which one: op://acme/Portal/production/api_key or op://acme/Portal/sandbox/api_key",
        ),
        (
            [OWN, field("f8", "api_key", "OTHER")],
            "api_key",
            "the item has 2 fields api_key",
            "write which one: op://acme/Portal/f3 or op://acme/Portal/f8",
        ),
        (
            [SANDBOX, field("f9", "api_key", "OTHER", "s1")],
            "sandbox/api_key",
            "the item has 2 fields api_key, in the section sandbox",
            "write which one: op://acme/Portal/f1 or op://acme/Portal/f9",
        ),
        (  # one outside of sections by its label, one inside by its id
            [OWN, field("api_key", "key", "ID", "s1")],
            "api_key",
            "the item has 2 fields api_key, in the section sandbox, one of them outside of sections",
            "write which one: op://acme/Portal/f3 or op://acme/Portal/sandbox/key",
        ),
        (
            [field("same", "a", "A", "s1"), field("same", "b", "B", "s2")],
            "same",
            "the item has 2 fields same, in the sections production and sandbox",
            "write which one: op://acme/Portal/production/b or op://acme/Portal/sandbox/a",
        ),
    ],
)
def test_an_ambiguous_field_is_refused_with_its_candidates(
    ask: Ask, fields: list[dict[str, Any]], path: str, message: str, hint: str
) -> None:
    for order in permutations(fields):
        assert told(ask(item(*order), f"op://acme/Portal/{path}")) == f"secret_malformed: {message} | {hint}"


def test_fields_that_no_reference_tells_apart_are_refused(ask: Ask) -> None:
    refusal = "secret_malformed: the item has 2 fields api_key | give each a name of its own"
    assert told(ask(item(OWN, {**OWN, "value": "TWIN"}), "op://acme/Portal/api_key")) == refusal


@pytest.mark.parametrize("section", [{"id": "s1"}, {"id": "s1", "label": "sandbox"}, {"label": "sandbox"}])
@pytest.mark.parametrize("listed", [[], [{"id": "s1", "label": "sandbox"}], [{"id": "s1"}]])
def test_a_section_is_found_wherever_its_name_is_written(
    ask: Ask, section: dict[str, str], listed: list[dict[str, str]]
) -> None:
    one = {**item({**SANDBOX, "section": section}), "sections": listed}
    assert told(ask(one, "op://acme/Portal/api_key")) == "SANDBOX"
    for name in section.values():
        assert told(ask(one, f"op://acme/Portal/{name}/api_key")) == "SANDBOX"


def test_the_candidates_that_are_named_can_be_read(ask: Ask) -> None:
    fields = [SANDBOX, PRODUCTION, field("f9", "api_key", "TWIN", "s1"), field("f10", "api_key", "SPACED", "s3")]
    doubtful = item(*fields)
    doubtful["sections"].append({"id": "s3", "label": "two words"})
    outcome = ask(doubtful, "op://acme/Portal/api_key")
    assert isinstance(outcome, SecretUnresolved)
    ways = outcome.hint.removeprefix("write which one: ").split(" or ")
    assert sorted(told(ask(doubtful, way)) for way in ways) == ["PRODUCTION", "SANDBOX", "SPACED", "TWIN"]


def test_an_ambiguous_section_is_refused_with_its_candidates(ask: Ask) -> None:
    doubtful = item(SANDBOX, PRODUCTION)
    doubtful["sections"] = [{"id": "s1", "label": "production"}, {"id": "s2", "label": "production"}]
    expected = (
        "secret_malformed: the item has 2 sections production"
        " | write the id of the section, one of s1, s2, or that of the field"
    )
    for sections in permutations(doubtful["sections"]):
        assert told(ask(doubtful | {"sections": list(sections)}, "op://acme/Portal/production/api_key")) == expected
    assert told(ask(doubtful, "op://acme/Portal/s1/api_key")) == "SANDBOX"


def test_a_file_and_a_field_of_one_name_are_ambiguous(ask: Ask) -> None:
    doubtful = item(OWN, files=({"id": "f8", "name": "api_key", "size": 3},))
    expected = "secret_malformed: the item has 2 fields and files api_key | write which one: op://acme/Portal/f3 or op://acme/Portal/f8"
    assert told(ask(doubtful, "op://acme/Portal/api_key")) == expected
    two = item(files=({"id": "f8", "name": "key.pem", "size": 3}, {"id": "f9", "name": "key.pem", "size": 3}))
    expected = (
        "secret_malformed: the item has 2 files key.pem | write which one: op://acme/Portal/f8 or op://acme/Portal/f9"
    )
    assert told(ask(two, "op://acme/Portal/key.pem")) == expected


@pytest.mark.parametrize(
    "content",
    [
        {"fields": None, "files": None, "sections": None},
        {"fields": {"api_key": "x"}},
        {"fields": ["api_key", {"label": None, "section": "s1"}, {"id": 7, "section": {"label": 7}}]},
    ],
)
def test_an_item_in_another_form_has_no_field(ask: Ask, content: dict[str, Any]) -> None:
    outcome = told(ask({"id": ITEM, "title": "Portal", **content}, "op://acme/Portal/api_key"))
    assert outcome.startswith("secret_not_found: the item has no field api_key")


def _read(connect: Connect, text: str) -> str:
    opened = OP.open(connect.store)
    (outcome,) = opened.read([SecretReference.parse(text)])
    opened.close()
    return told(outcome)


def test_connect_chooses_the_exact_title(connect: Connect) -> None:
    for title, id_, value in (("Portal", "a" * 26, "UPPER"), ("portal", "b" * 26, "LOWER")):
        connect.items.append({"id": id_, "title": title, "fields": [field("f", "key", value)]})
    for _ in range(2):
        connect.items.reverse()
        assert _read(connect, "op://acme/Portal/key") == "UPPER"
        assert _read(connect, "op://acme/portal/key") == "LOWER"
        assert _read(connect, f"op://acme/{'b' * 26}/key") == "LOWER"
        refusal = f"secret_malformed: 2 items have the name PORTAL | write the id of the item instead, one of {'a' * 26}, {'b' * 26}"
        assert _read(connect, "op://acme/PORTAL/key") == refusal


def test_connect_does_not_take_what_its_filter_found_by_another_name(connect: Connect) -> None:
    connect.handle_titles = lambda title, wanted: title.startswith(wanted)
    connect.items = [{"id": "a" * 26, "title": "portal-sandbox", "fields": [field("f", "key", "SANDBOX")]}]
    assert _read(connect, "op://acme/portal/key").startswith("secret_not_found: there is no item portal")


def test_connect_takes_no_archived_item_by_its_title(connect: Connect) -> None:
    old = {"id": "a" * 26, "title": "Portal", "state": "ARCHIVED", "fields": [field("f", "key", "OLD")]}
    connect.items = [old]
    assert _read(connect, "op://acme/Portal/key").startswith("secret_not_found")
    connect.items = [old, {"id": "b" * 26, "title": "Portal", "fields": [field("f", "key", "NEW")]}]
    assert _read(connect, "op://acme/Portal/key") == "NEW"


def test_two_vaults_of_one_name_are_refused_with_their_ids(connect: Connect) -> None:
    connect.vaults.append({"id": "w" * 26, "name": "Acme"})
    connect.items = [item(OWN)]
    assert _read(connect, "op://acme/Portal/api_key") == "OWN"
    connect.vaults[-1]["name"] = "acme"
    refusal = f"secret_malformed: 2 vaults have the name acme | write the id of the vault instead, one of {'v' * 26}, {'w' * 26}"
    assert _read(connect, "op://acme/Portal/api_key") == refusal


def test_the_program_s_choice_by_an_address_is_refused(program: Program, tmp_path: Path) -> None:
    program.put("acme", "portal.acme.example", item(OWN))
    error = failure("op", tmp_path, "op://acme/portal.acme.example/api_key")
    assert (error.fault.name, error.hint) == ("secret_malformed", "write the title or the id of the item")

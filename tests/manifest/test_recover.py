"""What remains of an object without the values that the schema refuses."""

from __future__ import annotations

import pytest

from connform.manifest.recover import RefusedParts, remove_paths
from connform.manifest.rules import Finding

KEPT = {"a": 1, "b": {"c": 2, "d": {"e": 3, "f": 4}, "b": 5}, "g": [6]}


@pytest.mark.parametrize(
    ("refused", "remaining"),
    [
        ([("a",)], {"b": KEPT["b"], "g": [6]}),
        ([("b", "d", "e")], {**KEPT, "b": {"c": 2, "d": {"f": 4}, "b": 5}}),
        ([("b", "d", "e"), ("b", "d", "f"), ("b", "c")], {**KEPT, "b": {"d": {}, "b": 5}}),
        ([("b", "b")], {**KEPT, "b": {"c": 2, "d": {"e": 3, "f": 4}}}),
        ([("g", 0)], {"a": 1, "b": KEPT["b"]}),
        ([("x", "y"), ("a", "x")], {"b": KEPT["b"], "g": [6]}),
    ],
)
def test_only_the_refused_values_go_and_the_original_stays(
    refused: list[tuple[str | int, ...]], remaining: dict[str, object]
) -> None:
    original = {"a": 1, "b": {"c": 2, "d": {"e": 3, "f": 4}, "b": 5}, "g": [6]}
    assert remove_paths(original, refused) == remaining
    assert original == KEPT


@pytest.mark.parametrize(
    ("path", "is_explained"),
    [
        (("a",), True),
        (("a", "b"), True),
        (("a", "b", "c"), True),
        (("a", "x"), False),
        (("tags",), True),
        (("tags", 1), True),
        (("x",), False),
        ((), True),
    ],
)
def test_a_refused_value_explains_what_is_at_inside_or_around_it(
    path: tuple[str | int, ...], *, is_explained: bool
) -> None:
    refused = RefusedParts()
    for bad in (("a", "b"), ("tags", 0)):
        refused.add(Finding("wrong-type", bad, ""))
    assert refused.explains(Finding("missing-key", path, "")) is is_explained

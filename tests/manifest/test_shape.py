"""One shape, two schemas: what editors read and what diagnostics are made of accept the same."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from connform.engine.load.manifest_schemas import manifest_schema
from connform.engine.load.vocabulary import vocabulary
from connform.manifest.compiled import compile_predicate
from connform.manifest.schema_parts import closed
from connform.manifest.shape import Shape, build_signature, keys, keys_by_content, secret_keys, selected
from tests.schemas import validator_of

TEXT = {"type": "string"}
SHAPE = Shape(
    properties={
        "note": TEXT,
        "key": {"type": "string", "x-secret": True},
        "inner": Shape(properties={"n": {"type": "number"}}),
        "limits": closed("", {"n": TEXT, "more": closed("", {"m": TEXT}, ("m",))}, ("n",)),
    },
    required=("note",),
    discriminator="kind",
    default="dog",
    branches={
        "dog": Shape(properties={"tail": {"enum": ["long"]}}, required=("tail",)),
        "bird": Shape(
            discriminator="size",
            branches={
                "big": Shape(properties={"wing": TEXT}, required=("wing",)),
                "small": Shape(properties={"tail": TEXT}),
            },
        ),
    },
)


@pytest.mark.parametrize(
    ("value", "good", "good_as_part"),
    [
        ({"note": "x", "tail": "long"}, True, True),
        ({"note": "x", "kind": "dog", "tail": "long"}, True, True),
        ({"note": "x", "kind": "bird", "size": "big", "wing": "x"}, True, True),
        ({"note": "x", "kind": "bird", "size": "small"}, True, True),
        ({"note": "x", "kind": "bird", "size": "small", "tail": "short"}, True, True),
        ({"note": "x", "tail": "long", "inner": {}, "key": "env://X"}, True, True),
        ({"note": "x", "tail": "long", "inner": {"n": 1.5}}, True, True),
        ({"note": "x", "tail": "long", "limits": {"n": "x", "more": {"m": "x"}}}, True, True),
        ({}, False, True),
        ({"note": "x"}, False, True),
        ({"note": "x", "tail": "long", "limits": {}}, False, True),
        ({"note": "x", "tail": "long", "limits": {"n": "x", "more": {}}}, False, True),
        ({"note": "x", "tail": "long", "limits": {"more": {"n": "x"}}}, False, False),
        ({"kind": "bird"}, False, True),
        ({"size": "big"}, False, True),
        ({"wing": "x"}, False, True),
        ({"tail": "short"}, False, True),
        ({"kind": "dog", "tail": "short"}, False, False),
        ({"kind": "dog", "wing": "x"}, False, False),
        ({"kind": "bird", "size": "small", "wing": "x"}, False, False),
        ({"kind": "bird", "wing": 7}, False, False),
        ({"kind": "fish"}, False, False),
        ({"kind": ["dog"]}, False, False),
        ({"kind": None}, False, False),
        ({"note": 7}, False, False),
        ({"note": "x", "tail": "long", "inner": {"m": 1}}, False, False),
        ({"note": "x", "tail": "long", "inner": []}, False, False),
        ({"note": "x", "tail": "long", "color": "red"}, False, False),
        ([], False, False),
        (None, False, False),
    ],
)
def test_both_schemas_and_the_gate_agree(value: Any, good: bool, good_as_part: bool) -> None:
    assert validator_of(SHAPE).is_valid(value) is good
    assert Draft202012Validator(selected(SHAPE, value)).is_valid(value) is good
    assert compile_predicate(selected(SHAPE, value))(value) is good
    # A part doesn't know its kind where it doesn't say it: another part may.
    part = Shape(SHAPE.properties, SHAPE.required, SHAPE.discriminator, "", SHAPE.branches)
    assert validator_of(SHAPE, partial=True).is_valid(value) is good_as_part
    assert Draft202012Validator(selected(part, value, partial=True)).is_valid(value) is good_as_part


def test_objects_of_one_signature_have_one_schema() -> None:
    signature = build_signature(SHAPE)
    alike = [{"note": "x"}, {"kind": "dog"}, {"tail": "long", "size": "big"}]
    others: list[Any] = [
        {"kind": "bird"},
        {"kind": "bird", "size": "big"},
        {"kind": "bird", "size": "small"},
        {"kind": "bird", "size": "huge"},
        {"kind": ["dog"]},
    ]
    assert len({signature(value) for value in alike}) == 1
    assert len({signature(value) for value in others}) == len(others)
    assert all(selected(SHAPE, value) == selected(SHAPE, alike[0]) for value in alike)


def test_a_discriminator_is_part_of_the_signature_however_deep_it_lies() -> None:
    signature = build_signature(Shape(properties={"outer": Shape(properties={"inner": SHAPE})}))
    dog, bird = ({"outer": {"inner": {"kind": kind}}} for kind in ("dog", "bird"))
    assert signature(dog) != signature(bird)


def test_keys_are_found_in_every_branch() -> None:
    assert keys(SHAPE) == {"kind", "note", "key", "inner", "n", "limits", "tail", "size", "wing"}
    assert secret_keys(SHAPE) == {"key"}
    assert keys_by_content(SHAPE).plain == {"kind", "note", "n", "limits", "tail", "size", "wing"}


def test_every_secret_of_the_methods_is_typed_as_one() -> None:
    auth = vocabulary().connection.properties["auth"]
    assert isinstance(auth, Shape)
    assert secret_keys(auth) == {
        "api_key",
        "client_secret",
        "password",
        "private_key",
        "second_key",
        "token",
    }


def test_the_published_schema_is_a_schema() -> None:
    Draft7Validator.check_schema(manifest_schema())

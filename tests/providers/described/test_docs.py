"""docs/guides/providers.md has every key of an entry of `providers:`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connform.providers.described.entry import PROVIDER
from connform.providers.described.entry_answers import ANSWER
from connform.providers.described.entry_auth import METHOD

PAGE = (Path(__file__).parents[3] / "docs" / "guides" / "providers.md").read_text("utf-8")
ENTRY: Any = PROVIDER.properties
PARTS: dict[str, Any] = {
    "An entry": ENTRY,
    "An environment": ENTRY["environments"]["additionalProperties"]["properties"],
    "A setting": ENTRY["settings"]["additionalProperties"]["properties"],
    "An auth method": METHOD["properties"],
    "A row of answers": ANSWER["properties"],
}


def _keys_of_table(title: str) -> list[str]:
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def _nested(node: Mapping[str, Any]) -> Iterator[str]:
    for part in node.values():
        for schema in (part, part.get("items", {}), part.get("additionalProperties", {})):
            if isinstance(schema, dict):
                yield from schema.get("properties", {})


def test_each_table_has_the_keys_of_the_schema_in_their_order() -> None:
    assert {title: _keys_of_table(title) for title in PARTS} == {title: list(keys) for title, keys in PARTS.items()}


def test_smaller_objects_are_explained_too() -> None:
    assert [key for key in _nested(ENTRY) if f"`{key}`" not in PAGE] == []

"""The keys of all that is built in, from one file: who mistypes a key doesn't wait until all of the catalogue is read.

Layer 3; reads one file of the package, which is made from the code: `CONNFORM_UPDATE=1 pytest tests/manifest/test_outlines.py`.
"""

# ruff: noqa: PTH118, PTH120, PTH123  (pathlib would cost start-up)

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from connform.manifest.shape import Schema, Shape

FILE = os.path.join(os.path.dirname(__file__), "outlines.json")
_SCHEMAS: Mapping[str, Schema] = {"plain": {}, "secret": {"x-secret": True}}


@cache
def outlines() -> Mapping[str, Mapping[str, Shape]]:
    """Return the outlines of `providers`, `methods` and `backends` by name: shapes with empty schemas, but for `x-secret`."""
    with open(FILE, encoding="utf-8") as file:
        tables = json.load(file)
    return {table: {name: _decode(outline) for name, outline in rows.items()} for table, rows in tables.items()}


def _decode(outline: Mapping[str, Any]) -> Shape:
    """Return the shape of an outline: key → `plain`, `secret`, or the outline of an object; then the discriminator and its branches."""
    return Shape(
        {
            key: _SCHEMAS[part] if isinstance(part, str) else _decode(part)
            for key, part in outline.get("keys", {}).items()
        },
        discriminator=outline.get("discriminator", ""),
        default=outline.get("default", ""),
        branches={name: _decode(branch) for name, branch in outline.get("branches", {}).items()},
    )

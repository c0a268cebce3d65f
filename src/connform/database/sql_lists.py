"""Lists of placeholders for statements that read or write several rows. Layer 2, no IO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

Item = TypeVar("Item")
BATCH = 100
"""The most rows that one statement reads or writes: SQLite takes 999 values in one, and a row has up to nine."""


def batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield items in lists of up to `BATCH`."""
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def placeholders(values: Sequence[Any]) -> str:
    """Return the placeholders of values: `?, ?`."""
    return ", ".join("?" * len(values))


def row_placeholders(rows: Sequence[Sequence[Any]]) -> str:
    """Return the placeholders of rows, all of one length: `(?, ?), (?, ?)`."""
    return ", ".join([f"({placeholders(rows[0])})"] * len(rows))

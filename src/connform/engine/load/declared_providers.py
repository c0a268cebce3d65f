"""Providers that manifests declare: made of the entries of `providers:`, with the auth methods that these describe.

Layer 3, no IO. An entry is plain data, so that a record can hold the one that was applied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from connform.providers.described.definition import decode
from connform.providers.described.provider import DescribedProvider


class EntryKey:
    """An entry as a key of a cache: the same object is the same key."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self.node = node
        """The entry."""

    def __hash__(self) -> int:
        return id(self.node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EntryKey) and self.node is other.node


def declared(name: str, node: Mapping[str, Any]) -> DescribedProvider:
    """Return the provider of a valid entry of `providers:`; one object for equal entries."""
    return _of_object(name, EntryKey(node))


@lru_cache(maxsize=1024)
def _of_object(name: str, node: EntryKey) -> DescribedProvider:
    return _of_text(name, json.dumps(node.node))


@lru_cache(maxsize=256)
def _of_text(name: str, text: str) -> DescribedProvider:
    return DescribedProvider(decode(name, json.loads(text)))

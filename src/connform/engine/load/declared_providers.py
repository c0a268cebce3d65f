"""Providers that manifests declare: made of the entries of `providers:`, with the auth methods that these describe.

Layer 3, no IO. An entry is plain data, so that a record can hold the one that was applied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from connform.auth.header_texts import HeaderText, HeaderTexts
from connform.auth.interface import AuthMethod
from connform.auth.oauth2 import OAUTH2
from connform.manifest.shape import Shape
from connform.providers.described.definition import Method, decode
from connform.providers.described.provider import DescribedProvider
from connform.providers.described.texts import split_secret


class _Node:
    """An entry as a key of a cache: the same object is the same key."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self.node = node

    def __hash__(self) -> int:
        return id(self.node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Node) and self.node is other.node


def declared(name: str, node: Mapping[str, Any]) -> DescribedProvider:
    """Return the provider of a valid entry of `providers:`; one object for equal entries."""
    return _of_object(name, _Node(node))


@lru_cache(maxsize=1024)
def _of_object(name: str, node: _Node) -> DescribedProvider:
    return _of_text(name, json.dumps(node.node))


@lru_cache(maxsize=256)
def _of_text(name: str, text: str) -> DescribedProvider:
    return DescribedProvider(decode(name, json.loads(text)))


@lru_cache(maxsize=256)
def methods_of(provider: DescribedProvider) -> Mapping[str, AuthMethod]:
    """Return the auth methods that a definition describes, by name."""
    return {name: _method(method) for name, method in provider.definition.auth.items()}


def _method(method: Method) -> AuthMethod:
    if method.flow:
        return OAUTH2
    texts = tuple(HeaderText(name, *split_secret(text)) for name, text in method.headers.items())
    secrets = {key: bool(one.get("optional")) for key, one in method.secrets.items()}
    return HeaderTexts(texts, secrets, method.use)


def shape_of(provider: DescribedProvider, auth: Shape) -> Shape:
    """Return the shape of a provider's connections, whose auth methods are its own; `auth` is the shape with all other methods."""
    branches = {
        name: method.shape._replace(description=provider.definition.auth[name].use or method.shape.description)
        for name, method in methods_of(provider).items()
    }
    own = auth._replace(branches=branches)
    return provider.shape._replace(properties={**provider.shape.properties, "auth": own})

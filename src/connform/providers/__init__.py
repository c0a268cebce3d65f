"""The table of built-in providers, by the names that manifests use.

Layer 2; reads files of the package. Each file in `catalog/` describes a provider, and is read when the provider is named. Third
parties add providers by the entry-point group `connform.providers`.
"""

# ruff: noqa: PTH118, PTH120, PTH123, PTH208  (pathlib would cost start-up)

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connform.registry import LazyTable

if TYPE_CHECKING:
    from connform.providers.interface import Provider

_CATALOG = os.path.join(os.path.dirname(__file__), "catalog")
_HTTP = "http"


def _load(name: str) -> Provider:
    entry = catalog_entry(name)
    if entry is None:
        from connform.providers.http import HTTP

        return HTTP
    from connform.providers.described.definition import decode
    from connform.providers.described.provider import DescribedProvider

    return DescribedProvider(decode(name, entry))


def catalog_entry(name: str) -> Mapping[str, Any] | None:
    """Return what the file of a built-in provider says; `None` for one that no file describes."""
    if name not in _DESCRIBED:
        return None
    from connform.manifest.parser import parse

    with open(os.path.join(_CATALOG, f"{name}.yaml"), "rb") as file:
        root: Any = parse(file.read(), file.name)[0]
    entry: Mapping[str, Any] = root["providers"][name]
    return entry


_DESCRIBED = sorted(name.removesuffix(".yaml") for name in os.listdir(_CATALOG))
PROVIDERS: Mapping[str, Provider] = LazyTable([*_DESCRIBED, _HTTP], _load)

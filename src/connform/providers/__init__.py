"""The table of built-in providers, by the names that manifests use.

Layer 2; reads files of the package. Each file in `catalog/`, in the folder of its group, describes a provider, and is read when the
provider is named. Third parties add providers by the entry-point group `connform.providers`.
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


def _groups() -> dict[str, str]:
    files = sorted(
        (file, group) for group in os.listdir(_CATALOG) for file in os.listdir(os.path.join(_CATALOG, group))
    )
    return {file.removesuffix(".yaml"): group for file, group in files}


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
    if name not in GROUPS:
        return None
    from connform.manifest.parser import parse

    with open(os.path.join(_CATALOG, GROUPS[name], f"{name}.yaml"), "rb") as file:
        root: Any = parse(file.read(), file.name)[0]
    entry: Mapping[str, Any] = root["providers"][name]
    return entry


GROUPS: Mapping[str, str] = _groups()
"""Provider that a file describes → its group: what teams use it for."""
PROVIDERS: Mapping[str, Provider] = LazyTable([*GROUPS, _HTTP], _load)

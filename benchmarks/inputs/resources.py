"""Writes manifests and their schema as kubeconform takes them: a Kubernetes resource of a kind of its own.

Its job is the same but for two keys on top. Its patterns are Go's, which knows no look-around: the schema has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

KIND = "Connections"
HEAD = f"apiVersion: connform/v1\nkind: {KIND}\n"
PROVIDER = "iinked-sign"
"""The provider of the connections of `manifests.py`."""


def write_resources(files: Sequence[Path], folder: Path) -> list[Path]:
    """Write each manifest as a resource into the folder, under the same name, and return the paths."""
    folder.mkdir(exist_ok=True)
    written = [folder / file.name for file in files]
    for file, path in zip(files, written, strict=True):
        path.write_text(HEAD + file.read_text(encoding="utf-8"), encoding="utf-8")
    return written


def write_schemas(schema: Path, folder: Path) -> None:
    """Write the schema of manifests as that of the resource: `whole/connections.json`, and `one/` with one provider alone."""
    whole = json.loads(schema.read_text(encoding="utf-8"))
    whole["properties"] |= {"apiVersion": {"const": "connform/v1"}, "kind": {"const": KIND}}
    for name, one in (("whole", whole), ("one", _used(_without_other_providers(whole)))):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / f"{KIND.lower()}.json").write_text(json.dumps(one), encoding="utf-8")


def _without_other_providers(value: Any) -> Any:
    """Return the schema without the conditions that are about another provider."""
    if isinstance(value, list):
        return [_without_other_providers(item) for item in value if not _is_of_another(item)]
    if isinstance(value, dict):
        return {key: _without_other_providers(item) for key, item in value.items()}
    return value


def _is_of_another(item: Any) -> bool:
    condition = item.get("if") if isinstance(item, dict) else None
    provider = condition.get("properties", {}).get("provider") if isinstance(condition, dict) else None
    return isinstance(provider, dict) and provider.get("const", PROVIDER) != PROVIDER


def _used(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without definitions that nothing refers to."""
    definitions = schema["definitions"]
    used: set[str] = set()
    found = set(_references({key: value for key, value in schema.items() if key != "definitions"}))
    while found:
        used |= found
        found = {other for name in found for other in _references(definitions[name])} - used
    return {**schema, "definitions": {name: definitions[name] for name in sorted(used)}}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)

"""Installs plug-ins for tests: a folder for PYTHONPATH with modules and the metadata of a package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(folder: Path, source: str | Mapping[str, str], entry_points: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which the plug-in is installed.

    Args:
        folder: where to put it.
        source: of the module `acme_plugin`; or the source of each module, by its file name.
        entry_points: group → `name = acme_plugin:OBJECT`.
    """
    modules = {"acme_plugin.py": source} if isinstance(source, str) else source
    metadata = folder / "acme_plugin-1.0.dist-info"
    metadata.mkdir(parents=True)
    for name, text in modules.items():
        (folder / name).write_text(text)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "".join(f"[{group}]\n{point}\n" for group, point in entry_points.items())
    )
    return {"PYTHONPATH": str(folder)}

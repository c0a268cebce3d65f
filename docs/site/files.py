"""A page that shows a folder of the repository: each of its files in a block."""

from __future__ import annotations

from pathlib import Path

from docs.site.links import ROOT

_LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".py": "python", ".toml": "toml", ".sh": "sh"}


def page_of(folder: Path) -> str:
    """Return the page of a folder."""
    parts = [f"# {folder.relative_to(ROOT).as_posix()}\n"]
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        parts.append(f"\n## {name}\n\n````{_LANGUAGES.get(file.suffix, 'text')}\n{file.read_text('utf-8')}````\n")
    return "".join(parts)

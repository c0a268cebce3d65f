"""The page of the manifest's keys, made from the shapes that `validate` and the published JSON Schema are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connform.engine.load.vocabulary import vocabulary
from connform.manifest.document_schema import document_schema
from connform.manifest.settings import EXTENDS
from connform.manifest.shape import Schema, Shape
from connform.providers import GROUPS

PLACE = "reference/manifest-keys.md"
_ABOUT = """\
# Every key of a manifest

Made from what `connform validate` goes by. [The manifest](manifest.md) says how the parts work together;
`connform schema connections` prints the same as JSON Schema, for [editors](../guides/editors.md).

## Top level

"""
_HEAD = "| key | form | means |\n|---|---|---|\n"


def pages() -> dict[str, str]:
    """Return the page, by its place."""
    words = vocabulary()
    connection = words.connection._replace(properties={"extends": EXTENDS, **words.connection.properties})
    defaults: Schema = {"type": "object", "description": "What every connection of the file starts from."}
    document = document_schema({}, {}, defaults, {}, {})
    parts = [
        _ABOUT,
        _table(document["properties"], document.get("required", ())),
        *_sections("connections.NAME", connection),
        *_sections("stores.NAME", words.store),
        *_sections("providers.TEAM/NAME", words.providers().shape),
    ]
    return {PLACE: "".join(parts)}


def _sections(path: str, shape: Shape, about: str = "", level: int = 2) -> Iterator[str]:
    """Return the section of an object, and those of its branches and of the objects in it."""
    properties = dict(shape.properties)
    yield f"\n{'#' * level} `{path}`{about}\n\n{_sentence(shape.description)}\n\n"
    branches = {name: branch for name, branch in shape.branches.items() if name not in GROUPS}
    if shape.discriminator:
        choice: Schema = {"description": shape.question or shape.description, "enum": list(branches)}
        if shape.default:
            choice["default"] = shape.default
        properties = {shape.discriminator: choice, **properties}
    required = {*shape.required, *([shape.discriminator] if shape.discriminator and not shape.default else [])}
    yield _table(properties, required)
    if len(branches) < len(shape.branches):
        yield "\nWhat a provider of the catalogue adds stands in [the catalogue](catalog.md).\n"
    for name, part in properties.items():
        if isinstance(part, Shape):
            yield from _sections(f"{path}.{name}", part, level=min(level + 1, 6))
    for name, branch in branches.items():
        if branch.properties or branch.branches:
            yield from _sections(path, branch, f" with `{shape.discriminator}: {name}`", min(level + 1, 6))


def _table(properties: Any, required: Any) -> str:
    rows = [
        f"| `{key}`{'' if key not in required else ', required'} | {form} | {means} |\n"
        for name, part in properties.items()
        for key, form, means in _rows(name, part)
    ]
    return _HEAD + "".join(rows) if rows else "It has no keys of its own.\n"


def _rows(path: str, part: Schema | Shape) -> Iterator[tuple[str, str, str]]:
    """Return the rows of a key and of the keys below it."""
    if isinstance(part, Shape):
        yield path, "object" if part.text is None else "text, object", _cell(_sentence(part.description))
        return
    means = _sentence(str(part.get("description") or part.get("title") or ""))
    default = part.get("default")
    told = "default" in means.lower()
    yield path, _form(part), _cell(means + (f" Default: `{default}`." if default is not None and not told else ""))
    for name, inner in part.get("properties", {}).items():
        yield from _rows(f"{path}.{name}", inner)
    entry = part.get("additionalProperties")
    if isinstance(entry, dict) and entry.get("properties"):
        for name, inner in entry["properties"].items():
            yield from _rows(f"{path}.NAME.{name}", inner)


def _form(schema: Schema) -> str:
    if "const" in schema:
        return f"`{str(schema['const']).lower()}`"
    if "enum" in schema:
        return _cell(", ".join(f"`{value}`" for value in schema["enum"]))
    kind = schema.get("type", "")
    kinds = [kind] if isinstance(kind, str) else kind
    names = {"string": "text", "array": "list", "boolean": "`true`, `false`", "null": "nothing", "": "any"}
    return ", ".join(names.get(one, one) for one in kinds)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "`")) else ".")


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")

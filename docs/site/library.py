"""The pages of the library, made from the docstrings and signatures of its public names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docs.site.links import ROOT

MODULES = ("connform", "connform.plugin", "connform.testing", "connform.testing.secrets")
"""What programs, packages and tests may import."""
FOLDER = "reference/library"


def pages() -> dict[str, str]:
    """Return a page of each module, and one that lists them, by their places."""
    import griffe

    loader = griffe.GriffeLoader(search_paths=[ROOT / "src"], docstring_parser=griffe.Parser.google)
    package = loader.load("connform")
    loader.resolve_aliases(external=False)
    made = {}
    rows = []
    for name in MODULES:
        module = package if name == "connform" else package[name.removeprefix("connform.")]
        place = f"{FOLDER}/{name}.md"
        made[place] = "".join(_module(name, module))
        rows.append(f"| [`{name}`]({name}.md) | {_first_sentence(module)} |\n")
    index = "# Library\n\n| module | what it is |\n|---|---|\n" + "".join(rows)
    return {f"{FOLDER}/index.md": index, **made}


def _module(name: str, module: Any) -> Iterator[str]:
    yield f"# `{name}`\n\n{_prose(module)}\n"
    for public in _public(name, module):
        member = module.members.get(public)
        if member is None:
            continue
        target = member.final_target if member.is_alias else member
        yield from _member(public, target, 2)


def _public(name: str, module: Any) -> list[str]:
    """Return the public names of a module, as Python says: `connform` makes its list when it is imported."""
    from importlib import import_module

    listed: list[str] | None = getattr(import_module(name), "__all__", None)
    own = [
        one
        for one, member in module.members.items()
        if not (one.startswith("_") or member.is_alias or member.is_module)
    ]
    return own if listed is None else [one for one in listed if not one.startswith("__")]


def _member(name: str, member: Any, level: int) -> Iterator[str]:
    yield f"\n{'#' * level} `{name}`\n\n"
    if signature := _signature(name, member):
        yield f"```python\n{signature}\n```\n\n"
    yield _prose(member)
    if not member.is_class:
        return
    for inner_name, inner in member.members.items():
        if not inner_name.startswith("_") and inner.docstring and not inner.is_alias:
            yield from _member_of_class(name, inner_name, inner, level + 1)


def _member_of_class(owner: str, name: str, member: Any, level: int) -> Iterator[str]:
    yield f"\n{'#' * level} `{owner}.{name}`\n\n"
    if signature := _signature(name, member):
        yield f"```python\n{signature}\n```\n\n"
    yield _prose(member)


def _signature(name: str, member: Any) -> str:
    if member.is_function:
        decorators = "async " if "async" in member.labels else ""
        return f"{decorators}def {member.signature(name=name)}"
    if member.is_class:
        bases = ", ".join(str(base) for base in member.bases)
        head = f"class {name}({bases})" if bases else f"class {name}"
        init = member.all_members.get("__init__")
        if init is None or not init.is_function or not init.path.startswith("connform"):
            return head
        call = init.signature(name=name).removesuffix(" -> None").replace("(self, ", "(").replace("(self)", "()")
        return f"{head}\n{call}"
    annotation = f": {member.annotation}" if member.annotation else ""
    return f"{name}{annotation}" if annotation else ""


def _prose(member: Any) -> str:
    """Return the docstring as Markdown, its Google-style sections as lists."""
    if not member.docstring:
        return ""
    parts = []
    for section in member.docstring.parsed:
        if section.kind.value == "text":
            parts.append(_code_as_markdown(section.value) + "\n")
        elif section.kind.value in {"parameters", "raises", "returns", "yields"}:
            title = {"parameters": "Arguments", "raises": "Errors", "returns": "Returns", "yields": "Yields"}
            rows = "".join(_item(section.kind.value, one) for one in section.value)
            parts.append(f"**{title[section.kind.value]}**\n\n{rows}")
    return "\n".join(parts)


def _item(kind: str, one: Any) -> str:
    name = str(one.annotation or "") if kind != "parameters" else one.name
    text = " ".join(one.description.split())
    return f"- `{name}`: {text}\n" if name else f"- {text}\n"


def _code_as_markdown(text: str) -> str:
    """Return a text whose blocks after `::`, as Python's docstrings have them, are Markdown's."""
    lines = []
    inside = False
    for line in text.splitlines():
        if inside and line and not line.startswith("    "):
            lines.append("```\n")
            inside = False
        lines.append(line[4:] if inside else line)
        if line.endswith("::"):
            lines[-1] = line.removesuffix(":")
            lines.append("\n```python")
            inside = True
    return "\n".join([*lines, "```"] if inside else lines)


def _first_sentence(module: Any) -> str:
    return str(module.docstring.value).splitlines()[0] if module.docstring else ""

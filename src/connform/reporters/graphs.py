"""The source text of diagrams for `connform graph`: Mermaid and Graphviz. Layer 4, no IO.

A new kind is one function and one line in `GRAPHS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from connform.engine.graph import Node
from connform.reporters.terminal import clean

_FILLS = {"ready": "#d5f0d9", "failed": "#f8d0d0", "unknown": "#fbeec2", "": "#ffffff"}
"""Verdict → the colour of a connection's box."""


def mermaid(nodes: Sequence[Node]) -> str:
    """Return a Mermaid flowchart, which GitHub and GitLab draw in a fenced block of Markdown."""
    boxes = {node.name: f"c{number}" for number, node in enumerate(nodes)}
    templates, stores = _box_ids("t", nodes, "templates"), _box_ids("s", nodes, "stores")
    lines = ["flowchart LR"]
    for number, (group, members) in enumerate(_by_group(nodes)):
        lines.append(f'  subgraph g{number}["{_escape_mermaid(group)}"]')
        lines += [
            f'    {boxes[node.name]}["{_escape_mermaid(node.name)}"]:::{node.verdict or "new"}' for node in members
        ]
        lines.append("  end")
    lines += [f'  {box}[/"{_escape_mermaid(name)}"/]' for name, box in templates.items()]
    lines += [f'  {box}[("{_escape_mermaid(name)}")]' for name, box in stores.items()]
    for node in nodes:
        lines += [f"  {templates[name]} --> {boxes[node.name]}" for name in node.templates]
        lines += [f"  {boxes[node.name]} -.-> {stores[name]}" for name in node.stores]
    lines += [f"  classDef {verdict or 'new'} fill:{fill},stroke:#666" for verdict, fill in _FILLS.items()]
    return "\n".join(lines) + "\n"


def dot(nodes: Sequence[Node]) -> str:
    """Return a graph for Graphviz."""
    boxes = {node.name: f"c{number}" for number, node in enumerate(nodes)}
    templates, stores = _box_ids("t", nodes, "templates"), _box_ids("s", nodes, "stores")
    lines = ["digraph connections {", "  rankdir=LR", '  node [shape=box, style="filled,rounded", fillcolor="#ffffff"]']
    for number, (group, members) in enumerate(_by_group(nodes)):
        lines += [f"  subgraph cluster_{number} {{", f'    label="{_escape_dot(group)}"']
        lines += [
            f'    {boxes[node.name]} [label="{_escape_dot(node.name)}", fillcolor="{_FILLS[node.verdict]}"]'
            for node in members
        ]
        lines.append("  }")
    lines += [f'  {box} [label="{_escape_dot(name)}", shape=parallelogram]' for name, box in templates.items()]
    lines += [f'  {box} [label="{_escape_dot(name)}", shape=cylinder]' for name, box in stores.items()]
    for node in nodes:
        lines += [f"  {templates[name]} -> {boxes[node.name]}" for name in node.templates]
        lines += [f"  {boxes[node.name]} -> {stores[name]} [style=dashed]" for name in node.stores]
    return "\n".join([*lines, "}"]) + "\n"


GRAPHS: dict[str, Callable[[Sequence[Node]], str]] = {"mermaid": mermaid, "dot": dot}
"""Name on the command line → the function that returns the source text."""


def _by_group(nodes: Sequence[Node]) -> Iterator[tuple[str, Iterator[Node]]]:
    return groupby(sorted(nodes, key=lambda node: node.group), key=lambda node: node.group)


def _box_ids(prefix: str, nodes: Sequence[Node], kind: str) -> dict[str, str]:
    names = dict.fromkeys(name for node in nodes for name in getattr(node, kind))
    return {name: f"{prefix}{number}" for number, name in enumerate(names)}


def _escape_mermaid(text: str) -> str:
    return clean(text).replace("#", "#35;").replace('"', "#quot;")


def _escape_dot(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace('"', '\\"')

"""The choice of one vault, item, section, field or file of 1Password by what a reference names: an id, or a name.

Layer 2, no IO. Names may be shared: if more than one entry is left, the reference is refused, whatever their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from connform.errors import SecretUnresolved
from connform.manifest.similar import did_you_mean
from connform.secret import SecretReference

Item = dict[str, Any]
"""An item in JSON. Connect and `op item get --format json` write the keys that are read here in the same way."""


_WRITABLE = r"(?!-)[^\s\x00-\x1f/?#\"\\]+"
"""What a reference to 1Password may name."""


class Matches(NamedTuple):
    """The entries that a name may mean."""

    rank: int
    """How they match: 0 by id, 1 by name, 2 by a name in other upper and lower case, 3 if there is none."""
    entries: Sequence[Mapping[str, Any]]
    """All that match so."""


class Part(NamedTuple):
    """A field or file of an item."""

    entry: Mapping[str, Any]
    """As the item has it."""
    is_file: bool
    """Whether it is a file attachment, or the file of a document."""
    id: str
    """Its id."""
    name: str
    """The label of a field, the name of a file."""
    section_id: str
    """The id of its section; empty outside of sections."""
    section: str
    """The name of its section; empty outside of sections and in one without a name, which 1Password shows without a heading."""


def matches(entries: Iterable[Mapping[str, Any]], name: str, key: str) -> Matches:
    """Return the entries that match best; `key` is where an entry has its name."""
    candidates = list(entries)
    by_id = [one for one in candidates if one.get("id") == name]
    by_name = [one for one in candidates if one.get(key) == name]
    ignoring_case = [one for one in candidates if str(one.get(key, "")).casefold() == name.casefold()]
    ranked = (by_id, by_name, ignoring_case)
    return next((Matches(rank, found) for rank, found in enumerate(ranked) if found), Matches(len(ranked), ()))


def part_of(item: Item, reference: SecretReference) -> Part:
    """Return the field or file that a reference names.

    Without a section, one outside of sections goes before those inside, unless one inside matches better: then neither does.

    Raises:
        SecretUnresolved: `secret_not_found`; `secret_malformed`, the name is ambiguous.
    """
    parts = tuple(_parts(item))
    vault, title, *section, wanted = reference.path.split("/")
    found = _found(parts, section, wanted)
    if not found:
        where = f" in the section {section[0]}" if section else ""
        message = f"the item has no field {wanted}{where}"
        raise SecretUnresolved(
            "secret_not_found", message, did_you_mean(wanted, sorted({part.name or part.id for part in parts}))
        )
    if len(found) > 1:
        prefix = f"{reference.scheme}://{vault}/{title}"
        ways = sorted(f"{prefix}/{way}" for part in found if (way := _unambiguous(parts, part)))
        hint = f"write which one: {' or '.join(ways)}" if len(ways) == len(found) else "give each a name of its own"
        kinds = {part.is_file for part in found}
        kind = "fields and files" if len(kinds) > 1 else "files" if found[0].is_file else "fields"
        message = f"the item has {len(found)} {kind} {wanted}{_places(found)}"
        raise SecretUnresolved("secret_malformed", message, hint)
    return found[0]


def _found(parts: Sequence[Part], section: Sequence[str], wanted: str) -> list[Part]:
    if section:
        id_ = _section_id(parts, section[0])
        return _best([part for part in parts if id_ and part.section_id == id_], wanted)[1]
    own_rank, own = _best([part for part in parts if not part.section], wanted)
    rank, inside = _best([part for part in parts if part.section], wanted)
    return own if own and own_rank <= rank else own + inside


def _best(parts: Sequence[Part], wanted: str) -> tuple[int, list[Part]]:
    found = matches(({"id": part.id, "name": part.name, "part": part} for part in parts), wanted, "name")
    return found.rank, [entry["part"] for entry in found.entries]


def _section_id(parts: Sequence[Part], name: str) -> str:
    """Return the id of the section of that id or name; empty if no field is in such a one."""
    sections = {part.section_id: part.section for part in parts}
    found = matches(({"id": id_, "label": label} for id_, label in sections.items()), name, "label").entries
    if len(found) > 1:
        ids = ", ".join(sorted(one["id"] for one in found))
        message = f"the item has {len(found)} sections {name}"
        raise SecretUnresolved(
            "secret_malformed", message, f"write the id of the section, one of {ids}, or that of the field"
        )
    return found[0]["id"] if found else ""


def _places(found: Sequence[Part]) -> str:
    sections = sorted({part.section for part in found if part.section})
    if not sections:
        return ""
    listed = " and ".join(filter(None, (", ".join(sections[:-1]), sections[-1])))
    outside = ", one of them outside of sections" if any(not part.section for part in found) else ""
    return f", in the section{'s' * (len(sections) > 1)} {listed}{outside}"


def _unambiguous(parts: Sequence[Part], part: Part) -> str:
    """Return a path behind the item that means this part only; empty if there is none that can be written."""
    for way in ([part.section, part.name], [part.section_id, part.name], [part.id], [part.section_id, part.id]):
        if all(re.fullmatch(_WRITABLE, name) for name in way):
            with suppress(SecretUnresolved):  # the section is ambiguous
                if _found(parts, way[:-1], way[-1]) == [part]:
                    return "/".join(way)
    return ""


def _parts(item: Item) -> Iterator[Part]:
    labels = {one.get("id"): one.get("label") for one in entries_of(item, "sections")}
    for kind, key in (("fields", "label"), ("files", "name")):
        for entry in entries_of(item, kind):
            section = entry.get("section")
            section = section if isinstance(section, dict) else {}
            label = str(labels.get(section.get("id")) or section.get("label") or "")
            section_id = str(section.get("id") or label)
            yield Part(entry, kind == "files", str(entry.get("id", "")), str(entry.get(key) or ""), section_id, label)


def entries_of(item: Item, key: str) -> list[dict[str, Any]]:
    """Return the objects of a list in an item; empty if it has none."""
    listed = item.get(key)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
